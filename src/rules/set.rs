//! All rules in force, and what can be asked of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use pep440_rs::Version;
use pep508_rs::PackageName;

use super::embedded::EMBEDDED;
use super::lint::lint;
use super::parse::{Depth, Parsed, parse};
use super::{Rule, RuleError, RuleErrorKind, RuleErrors, RuleId, RuleKind, RuleOrigin};

/// All rules in force, and what can be asked of them.
#[derive(Debug, Clone, Default)]
pub struct RuleSet {
    rules: Vec<Arc<Rule>>,
    on: BTreeMap<PackageName, Vec<Arc<Rule>>>,
    limited: BTreeSet<PackageName>,
}

/// One rule's file, read by the edge.
#[derive(Debug, Clone)]
pub struct RuleSource<'a> {
    /// Its path under the rules folder, with `/`, without extension.
    pub id: &'a str,
    /// Where it came from.
    pub origin: RuleOrigin,
    /// Its text.
    pub text: &'a str,
}

/// What a folder of the user's may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FolderTrust {
    /// It was named on the command line: it may loosen.
    CommandLine,
    /// It was named in a repository's settings: it may only tighten.
    Repository,
}

impl RuleSource<'_> {
    /// The file as messages name it.
    pub(super) fn file_name(&self) -> Arc<str> {
        let folder = match &self.origin {
            RuleOrigin::Embedded => "resolver-rules",
            RuleOrigin::Folder(folder) => folder.trim_end_matches('/'),
        };
        Arc::from(format!("{folder}/{}.toml", self.id))
    }
}

impl RuleSet {
    /// The set of the given rules, sorted by id.
    pub fn new(mut rules: Vec<Arc<Rule>>) -> Self {
        rules.sort_by(|a, b| a.id.cmp(&b.id));
        let mut set = Self::default();
        for rule in &rules {
            for name in rule.triggers() {
                set.on
                    .entry(name.clone())
                    .or_default()
                    .push(Arc::clone(rule));
            }
            if let RuleKind::Constrain { package, .. } = &rule.kind {
                set.limited.insert(package.clone());
            }
        }
        set.rules = rules;
        set
    }

    /// The rules that come with the program.
    ///
    /// They are parsed, and not linted: the project's tests do that. An error is therefore a
    /// mistake of whoever built the program.
    pub fn embedded() -> Result<Self, RuleErrors> {
        let parsed = parse_all(embedded_sources(), Depth::Full)?;
        Ok(Self::new(rules_of(parsed)))
    }

    /// The rules that come with the program, without evidence and cases: what a solve needs,
    /// in half the time.
    pub fn embedded_heads() -> Result<Self, RuleErrors> {
        let parsed = parse_all(embedded_sources(), Depth::Head)?;
        Ok(Self::new(rules_of(parsed)))
    }

    /// The rules of the given files, linted.
    pub fn load<'a>(sources: impl IntoIterator<Item = RuleSource<'a>>) -> Result<Self, RuleErrors> {
        let parsed = parse_all(sources, Depth::Full)?;
        let mut errors = duplicates(&parsed, &Self::default());
        errors.extend(lint(&parsed));
        if errors.is_empty() {
            Ok(Self::new(rules_of(parsed)))
        } else {
            Err(RuleErrors(errors))
        }
    }

    /// These rules and those of a folder of the user's, which are linted.
    ///
    /// An id that is in both is an error: a folder adds to the rules and replaces none of
    /// them (`--ignore-rule` does that, on the command line).
    pub fn with_folder<'a>(
        &self,
        sources: impl IntoIterator<Item = RuleSource<'a>>,
        trust: FolderTrust,
    ) -> Result<Self, RuleErrors> {
        let parsed = parse_all(sources, Depth::Full)?;
        let mut errors = duplicates(&parsed, self);
        if trust == FolderTrust::Repository {
            errors.extend(parsed.iter().filter_map(loosening));
        }
        errors.extend(lint(&parsed));
        if !errors.is_empty() {
            return Err(RuleErrors(errors));
        }
        let mut rules = self.rules.clone();
        rules.extend(rules_of(parsed));
        Ok(Self::new(rules))
    }

    /// Everything that is wrong with the rules that come with the program.
    pub fn lint_embedded() -> Vec<RuleError> {
        Self::load(embedded_sources()).map_or_else(|errors| errors.0, |_| Vec::new())
    }

    /// Every rule, sorted by id.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Rule>> {
        self.rules.iter()
    }

    /// How many rules there are.
    pub fn len(&self) -> usize {
        self.rules.len()
    }

    /// Whether there is no rule.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// The rule with this id.
    pub fn get(&self, id: &str) -> Option<&Arc<Rule>> {
        self.rules
            .binary_search_by(|rule| (*rule.id.0).cmp(id))
            .ok()
            .and_then(|position| self.rules.get(position))
    }

    /// The rules that a distribution triggers, sorted by id; slots that it is a member of included.
    pub fn on(&self, name: &PackageName) -> &[Arc<Rule>] {
        self.on.get(name).map_or(&[], Vec::as_slice)
    }

    /// Whether some rule limits the distribution where it is present.
    pub fn limits(&self, name: &PackageName) -> bool {
        self.limited.contains(name)
    }

    /// Whether a release's local version tells what it was built against (a family's
    /// `[[extension]]`): what rules say of needs is about the builds that do not.
    pub fn names_its_build(&self, name: &PackageName, version: &Version) -> bool {
        version.is_local()
            && self.rules.iter().any(|rule| match &rule.kind {
                RuleKind::Family {
                    labels, extensions, ..
                } => extensions.iter().any(|extension| {
                    extension.packages.contains(name)
                        && extension.built_for(version, labels).is_some()
                }),
                _ => false,
            })
    }

    /// The same rules without those named: `--ignore-rule`.
    pub fn without(&self, ignored: &[RuleId]) -> Self {
        Self::new(
            self.rules
                .iter()
                .filter(|rule| !ignored.contains(&rule.id))
                .map(Arc::clone)
                .collect(),
        )
    }
}

fn embedded_sources() -> impl Iterator<Item = RuleSource<'static>> {
    EMBEDDED.iter().map(|(id, text)| RuleSource {
        id,
        origin: RuleOrigin::Embedded,
        text,
    })
}

fn parse_all<'a>(
    sources: impl IntoIterator<Item = RuleSource<'a>>,
    depth: Depth,
) -> Result<Vec<Parsed>, RuleErrors> {
    let mut parsed = Vec::new();
    let mut errors = Vec::new();
    for source in sources {
        match parse(&source, depth) {
            Ok(rule) => parsed.push(rule),
            Err(error) => errors.push(error),
        }
    }
    if errors.is_empty() {
        Ok(parsed)
    } else {
        Err(RuleErrors(errors))
    }
}

fn rules_of(parsed: Vec<Parsed>) -> Vec<Arc<Rule>> {
    parsed
        .into_iter()
        .map(|parsed| Arc::new(parsed.rule))
        .collect()
}

fn duplicates(parsed: &[Parsed], known: &RuleSet) -> Vec<RuleError> {
    let mut seen = BTreeSet::new();
    parsed
        .iter()
        .filter(|one| !seen.insert(&one.rule.id) || known.get(&one.rule.id.0).is_some())
        .map(|one| {
            let kind = RuleErrorKind::DuplicateId {
                id: one.rule.id.to_string(),
            };
            one.source
                .error(kind, one.spans.file.clone())
                .with_help("name the file otherwise")
        })
        .collect()
}

fn loosening(parsed: &Parsed) -> Option<RuleError> {
    let kind = &parsed.rule.kind;
    kind.loosens().then(|| {
        let kind = RuleErrorKind::Loosens {
            rule_kind: kind.name(),
        };
        parsed
            .source
            .error(kind, parsed.spans.file.clone())
            .with_help("name the folder on the command line, with `--rules`")
    })
}
