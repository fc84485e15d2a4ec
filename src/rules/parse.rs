//! A rule's file, from text to [`Rule`].

mod family;

use std::collections::BTreeMap;
use std::ops::Range;
use std::str::FromStr;
use std::sync::Arc;

use pep440_rs::{Version, VersionSpecifiers};
use pep508_rs::{MarkerTree, PackageName};
use toml::Spanned;
use toml::de::DeTable;

use super::decode::{Entry, SourceFile, Table};
use super::{
    Case, CasePlatform, Evidence, Grounds, Rule, RuleError, RuleErrorKind, RuleId, RuleKind,
    RuleSource, Severity, Sharing, VersionRange, When, keys,
};

/// A rule with the places that the lints speak of.
pub(super) struct Parsed {
    pub(super) rule: Rule,
    pub(super) source: SourceFile,
    pub(super) spans: Spans,
}

/// Where things stand in the file.
#[derive(Default)]
pub(super) struct Spans {
    /// The whole of it.
    pub(super) file: Range<usize>,
    /// `when`, or what stands for it.
    pub(super) when: Range<usize>,
    /// `then`, or what stands for it.
    pub(super) then: Range<usize>,
    /// Each `[[hit]]`.
    pub(super) hits: Vec<Range<usize>>,
    /// Each `[[miss]]`.
    pub(super) misses: Vec<Range<usize>>,
}

/// The rule of one file; an error names the first thing that is wrong in it.
pub(super) fn parse(source: &RuleSource<'_>) -> Result<Parsed, RuleError> {
    let file = SourceFile {
        name: source.file_name(),
        text: Arc::from(source.text),
    };
    let document = document(&file, source.text)?;
    let mut spans = Spans {
        file: first_line_of(source.text),
        ..Spans::default()
    };
    let rule = {
        let (table, kind_word) = rule_table(&file, document.get_ref(), &spans.file)?;
        let severity = read_severity(&table)?;
        let grounds = read_grounds(&table, &mut spans)?;
        Rule {
            id: RuleId(Arc::from(source.id)),
            kind: read_kind(&table, kind_word, &mut spans)?,
            severity,
            origin: source.origin.clone(),
            grounds: grounds.into(),
        }
    };
    Ok(Parsed {
        rule,
        source: file,
        spans,
    })
}

/// What a rule does, and how bad it is where it is broken; `source` may be without the rest.
pub(super) fn terms(source: &RuleSource<'_>) -> Result<(RuleKind, Severity), RuleError> {
    let file = SourceFile {
        name: source.file_name(),
        text: Arc::from(""),
    };
    let document = document(&file, source.text)?;
    let (table, kind_word) = rule_table(&file, document.get_ref(), &(0..0))?;
    let kind = read_kind(&table, kind_word, &mut Spans::default())?;
    Ok((kind, read_severity(&table)?))
}

/// Why the rule is there.
pub(super) fn grounds(source: &RuleSource<'_>) -> Result<Grounds, RuleError> {
    let file = SourceFile {
        name: source.file_name(),
        text: Arc::from(source.text),
    };
    let document = document(&file, source.text)?;
    let (table, _) = rule_table(&file, document.get_ref(), &first_line_of(source.text))?;
    read_grounds(&table, &mut Spans::default())
}

fn document<'t>(file: &SourceFile, text: &'t str) -> Result<Spanned<DeTable<'t>>, RuleError> {
    DeTable::parse(text).map_err(|error| {
        let kind = RuleErrorKind::Syntax {
            detail: error.message().replace('\n', "; "),
        };
        file.error(kind, error.span().unwrap_or(0..0))
    })
}

/// An error about the whole file points at its first line.
fn first_line_of(text: &str) -> Range<usize> {
    0..text.find('\n').unwrap_or(text.len())
}

/// The rule as a table whose keys are those of its kind, and the kind.
fn rule_table<'a>(
    file: &'a SourceFile,
    document: &'a DeTable<'a>,
    span: &Range<usize>,
) -> Result<(Table<'a>, &'static str), RuleError> {
    let kind_word = kind_word(file, document, span)?;
    let (own, _) = keys::of_kind(kind_word).unwrap_or_default();
    let name = format!("a rule of kind `{kind_word}`");
    let table = Table::new(file, name, document, span.clone(), &[keys::COMMON, own])?;
    Ok((table, kind_word))
}

/// The kind, read before anything else since it says which keys there may be.
fn kind_word(
    file: &SourceFile,
    document: &DeTable<'_>,
    span: &Range<usize>,
) -> Result<&'static str, RuleError> {
    let names: Vec<String> = document
        .keys()
        .map(|key| key.get_ref().to_string())
        .collect();
    let all: Vec<&str> = names.iter().map(String::as_str).collect();
    let table = Table::new(file, "the rule".to_owned(), document, span.clone(), &[&all])?;
    table.word(&table.require_text("kind")?, "kind of rule", keys::KINDS)
}

fn read_severity(table: &Table<'_>) -> Result<Severity, RuleError> {
    let severity = table.require_text("severity")?;
    Ok(match table.word(&severity, "severity", keys::SEVERITIES)? {
        "corrupts" => Severity::Corrupts,
        _ => Severity::Degrades,
    })
}

fn read_grounds(table: &Table<'_>, spans: &mut Spans) -> Result<Grounds, RuleError> {
    let reason = table.require_text("reason")?.value.to_owned();
    let error = table.get_text("error")?.map(|text| text.value.to_owned());
    let advice = table.get_text("advice")?.map(|text| text.value.to_owned());
    let checked = read_date(table, &table.require_text("checked")?)?;
    let sources = read_sources(table)?;
    let evidence = read_evidence(table)?;
    if sources.is_empty() && evidence.is_empty() {
        let place = table.require("kind")?;
        return Err(table.error(RuleErrorKind::Unfounded, &place).with_help(
            "add `sources = [\"https://…\"]`, or an `[[evidence]]` with file and finding",
        ));
    }
    let (hits, hit_spans) = read_cases(table, "hit")?;
    let (misses, miss_spans) = read_cases(table, "miss")?;
    spans.hits = hit_spans;
    spans.misses = miss_spans;
    Ok(Grounds {
        reason,
        error,
        advice,
        sources,
        evidence,
        checked,
        hits,
        misses,
    })
}

fn read_kind(
    table: &Table<'_>,
    kind_word: &'static str,
    spans: &mut Spans,
) -> Result<RuleKind, RuleError> {
    Ok(match kind_word {
        "constrain" => {
            let when = read_when(table, spans)?;
            let (package, versions) = read_then(table, spans)?;
            RuleKind::Constrain {
                when,
                package,
                versions,
                inherited: table.flag("inherited")?,
            }
        }
        "requires" => {
            let when = read_when(table, spans)?;
            let (package, versions) = read_then(table, spans)?;
            RuleKind::Requires {
                when,
                package,
                versions,
            }
        }
        "refuted" => {
            let when = read_when(table, spans)?;
            let (package, versions) = read_then(table, spans)?;
            RuleKind::Refuted {
                when,
                package,
                versions,
            }
        }
        "drop" => read_drop(table, spans)?,
        "slot" => read_slot(table, spans)?,
        "needs" => RuleKind::Needs {
            when: read_when(table, spans)?,
            packages: read_needs(table)?,
        },
        "provides" => read_provides(table, spans)?,
        "family" => family::read(table, spans)?,
        _ => RuleKind::Broken {
            when: read_when(table, spans)?,
        },
    })
}

fn read_when(table: &Table<'_>, spans: &mut Spans) -> Result<When, RuleError> {
    let when = table.require_table("when", &[keys::WHEN])?;
    spans.when = when.span.clone();
    spans.then = when.span.clone();
    Ok(When {
        package: read_name(&when, &when.require_text("package")?)?,
        versions: match when.get("version") {
            Some(raw) => read_range(&when, &when.texts(&raw)?)?,
            None => VersionRange::any(),
        },
        marker: read_marker(&when)?,
    })
}

fn read_then(
    table: &Table<'_>,
    spans: &mut Spans,
) -> Result<(PackageName, VersionRange), RuleError> {
    let then = table.require_table("then", &[keys::THEN])?;
    spans.then = then.span.clone();
    let package = read_name(&then, &then.require_text("package")?)?;
    let versions = read_range(&then, &then.texts(&then.require("version")?)?)?;
    Ok((package, versions))
}

fn read_drop(table: &Table<'_>, spans: &mut Spans) -> Result<RuleKind, RuleError> {
    let when = read_when(table, spans)?;
    let drop = table.require_table("drop", &[keys::DROP])?;
    spans.then = drop.span.clone();
    Ok(RuleKind::Drop {
        when,
        package: read_name(&drop, &drop.require_text("package")?)?,
        replacement: drop
            .get_text("replacement")?
            .map(|text| read_specifiers(&drop, &text))
            .transpose()?,
    })
}

fn read_slot(table: &Table<'_>, spans: &mut Spans) -> Result<RuleKind, RuleError> {
    let sharing = table.require_text("sharing")?;
    let members = table.require("members")?;
    spans.when = members.span.clone();
    spans.then = members.span.clone();
    Ok(RuleKind::Slot {
        import: table.require_text("slot")?.value.to_owned(),
        members: read_names(table, &table.texts(&members)?)?,
        sharing: match table.word(&sharing, "sharing", keys::SHARINGS)? {
            "same-version" => Sharing::SameVersion,
            "identical-at-one-version" => Sharing::IdenticalAtOneVersion,
            "identical" => Sharing::Identical,
            _ => Sharing::Never,
        },
    })
}

fn read_needs(table: &Table<'_>) -> Result<BTreeMap<String, VersionRange>, RuleError> {
    let needs = table.require_table("needs", &[keys::VIRTUAL_PACKAGES])?;
    needs
        .entries()
        .map(|raw| {
            let range = read_range(&needs, &needs.texts(&raw)?)?;
            Ok((raw.key.to_owned(), range))
        })
        .collect()
}

fn read_provides(table: &Table<'_>, spans: &mut Spans) -> Result<RuleKind, RuleError> {
    let when = read_when(table, spans)?;
    let provides = table.require_table("provides", &[keys::VIRTUAL_PACKAGES])?;
    let packages = provides
        .entries()
        .map(|raw| {
            let text = provides.text(&raw)?;
            let version = match text.value {
                "version" => None,
                _ => Some(read_version(&provides, &text)?),
            };
            Ok((raw.key.to_owned(), version))
        })
        .collect::<Result<_, RuleError>>()?;
    Ok(RuleKind::Provides { when, packages })
}

fn read_evidence(table: &Table<'_>) -> Result<Vec<Evidence>, RuleError> {
    table
        .tables("evidence", &[keys::EVIDENCE])?
        .iter()
        .map(|evidence| {
            let sha256 = evidence.get_text("sha256")?;
            if let Some(text) = &sha256 {
                let digits = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
                if text.value.len() != 64 || !text.value.bytes().all(digits) {
                    let kind = RuleErrorKind::Sha256 {
                        value: text.value.to_owned(),
                    };
                    return Err(evidence
                        .error(kind, text)
                        .with_help("64 hexadecimal digits, lower case, as the index gives them"));
                }
            }
            Ok(Evidence {
                file: evidence.require_text("file")?.value.to_owned(),
                sha256: sha256.map(|text| text.value.to_owned()),
                finding: evidence.require_text("finding")?.value.to_owned(),
            })
        })
        .collect()
}

fn read_sources(table: &Table<'_>) -> Result<Vec<String>, RuleError> {
    let Some(raw) = table.get("sources") else {
        return Ok(Vec::new());
    };
    table
        .texts(&raw)?
        .iter()
        .map(|text| {
            check_url(table, text)?;
            Ok(text.value.to_owned())
        })
        .collect()
}

fn check_url(table: &Table<'_>, text: &Entry<'_, &str>) -> Result<(), RuleError> {
    if ["https://", "http://"]
        .iter()
        .any(|scheme| text.value.starts_with(scheme))
        && url::Url::parse(text.value).is_ok()
    {
        return Ok(());
    }
    let kind = RuleErrorKind::Url {
        value: text.value.to_owned(),
    };
    Err(table
        .error(kind, text)
        .with_help("a whole address, such as `https://github.com/pytorch/pytorch/issues/107302`"))
}

fn read_cases(
    table: &Table<'_>,
    key: &'static str,
) -> Result<(Vec<Case>, Vec<Range<usize>>), RuleError> {
    let tables = table.tables(key, &[keys::CASE])?;
    if tables.is_empty() {
        let place = table.require("kind")?;
        return Err(table
            .error(RuleErrorKind::NoCase { which: key }, &place)
            .with_help(format!(
                "add a `[[{key}]]` with `have = [\"torch==2.2.2\", \"numpy==2.0.0\"]`"
            )));
    }
    let cases = tables.iter().map(read_case).collect::<Result<_, _>>()?;
    Ok((cases, tables.iter().map(|case| case.span.clone()).collect()))
}

fn read_case(table: &Table<'_>) -> Result<Case, RuleError> {
    let mut case = Case {
        packages: Vec::new(),
        virtual_packages: BTreeMap::new(),
        python: "3.11".to_owned(),
        platform: CasePlatform::default(),
    };
    for pin in table.texts(&table.require("have")?)? {
        let Some((name, version)) = pin.value.split_once("==") else {
            let kind = RuleErrorKind::Pin {
                value: pin.value.to_owned(),
            };
            return Err(table
                .error(kind, &pin)
                .with_help("write `name==version`, or `@cuda==12.4` for a virtual package"));
        };
        let name = Entry {
            value: name.trim(),
            ..pin.clone()
        };
        let version = read_version(
            table,
            &Entry {
                value: version.trim(),
                ..pin.clone()
            },
        )?;
        match name.value.strip_prefix('@') {
            Some(virtual_name) => {
                let entry = Entry {
                    value: virtual_name,
                    ..name
                };
                let word = table.word(&entry, "virtual package", keys::VIRTUAL_PACKAGES)?;
                case.virtual_packages.insert(word.to_owned(), version);
            }
            None => case.packages.push((read_name(table, &name)?, version)),
        }
    }
    if let Some(python) = table.get_text("python")? {
        read_version(table, &python)?;
        python.value.clone_into(&mut case.python);
    }
    if let Some(platform) = table.get_text("platform")? {
        let word = table.word(&platform, "platform", keys::PLATFORMS)?;
        case.platform = CasePlatform::named(word).unwrap_or_default();
    }
    Ok(case)
}

fn read_names(
    table: &Table<'_>,
    entries: &[Entry<'_, &str>],
) -> Result<Vec<PackageName>, RuleError> {
    entries
        .iter()
        .map(|entry| read_name(table, entry))
        .collect()
}

fn read_name(table: &Table<'_>, entry: &Entry<'_, &str>) -> Result<PackageName, RuleError> {
    PackageName::from_str(entry.value).map_err(|_| {
        let kind = RuleErrorKind::Name {
            value: entry.value.to_owned(),
        };
        table.error(kind, entry)
    })
}

fn read_range(table: &Table<'_>, entries: &[Entry<'_, &str>]) -> Result<VersionRange, RuleError> {
    entries
        .iter()
        .map(|entry| read_specifiers(table, entry))
        .collect::<Result<_, _>>()
        .map(VersionRange)
}

fn read_specifiers(
    table: &Table<'_>,
    entry: &Entry<'_, &str>,
) -> Result<VersionSpecifiers, RuleError> {
    VersionSpecifiers::from_str(entry.value).map_err(|error| {
        let kind = RuleErrorKind::Specifier {
            value: entry.value.to_owned(),
            detail: first_line(&error.to_string()),
        };
        table
            .error(kind, entry)
            .with_help("a PEP 440 specifier set, such as `>=1.2,<2`; alternatives are an array")
    })
}

fn read_version(table: &Table<'_>, entry: &Entry<'_, &str>) -> Result<Version, RuleError> {
    Version::from_str(entry.value).map_err(|error| {
        let kind = RuleErrorKind::Version {
            value: entry.value.to_owned(),
            detail: first_line(&error.to_string()),
        };
        table.error(kind, entry)
    })
}

/// The marker of a table, `TRUE` where it has none.
fn read_marker(table: &Table<'_>) -> Result<MarkerTree, RuleError> {
    let Some(text) = table.get_text("marker")? else {
        return Ok(MarkerTree::TRUE);
    };
    let error = |detail: String| {
        let kind = RuleErrorKind::Marker {
            value: text.value.to_owned(),
            detail,
        };
        table
            .error(kind, &text)
            .with_help("a PEP 508 marker, such as `sys_platform == 'win32'`")
    };
    let marker = MarkerTree::from_str(text.value)
        .map_err(|problem| error(first_line(&problem.message.to_string())))?;
    // A rule speaks of releases on targets; which extras were asked for is the request's.
    if marker.clone().simplify_extras_with(|_| true) != marker {
        return Err(error("`extra` has no meaning in a rule".to_owned()));
    }
    Ok(marker)
}

fn read_date(table: &Table<'_>, entry: &Entry<'_, &str>) -> Result<String, RuleError> {
    let written = |date: &jiff::civil::Date| date.to_string() == entry.value;
    if jiff::civil::Date::from_str(entry.value).is_ok_and(|date| written(&date)) {
        return Ok(entry.value.to_owned());
    }
    let kind = RuleErrorKind::Date {
        value: entry.value.to_owned(),
    };
    Err(table
        .error(kind, entry)
        .with_help("write it as `2026-11-21`, in quotes"))
}

/// The first line of another library's message, without a final stop.
fn first_line(message: &str) -> String {
    let line = message.lines().next().unwrap_or_default();
    line.trim_end_matches(['.', ':']).to_owned()
}
