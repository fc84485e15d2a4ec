//! Requirements files, as pip reads them.

use std::collections::BTreeSet;
use std::ops::Range;

use super::direct::{self, Reading};
use super::error::RequestError;
use super::fault::Fault;
use super::file_options;
use super::inputs::{Inputs, Role, UnnamedLine, Warning};
use super::logical::{LogicalLine, logical_lines};
use super::options::{self, Given, Meaning, Options};
use super::paths::{FilePath, is_remote, tidy};
use super::text::{Excerpt, SourceText};
use super::{Line, LineSource, SourceError, Sources, hash, words};

/// More files than anyone has include one another; a server could go on for ever.
pub(super) const DEEPEST: usize = 64;

/// Reads files and collects what is in them.
pub(super) struct Reader<'a> {
    pub(super) sources: &'a dyn Sources,
    pub(super) inputs: Inputs,
    /// The files that are being read, the outermost first.
    open: Vec<Open>,
    /// The files that were read, by identity: reading one twice adds nothing.
    done: BTreeSet<(String, Role)>,
}

/// A file that is being read.
struct Open {
    identity: String,
    shown: String,
    /// Where another file names it.
    by: Option<Excerpt>,
}

/// The file that a line stands in.
struct Context<'a> {
    source: &'a SourceText,
    path: &'a FilePath,
    role: Role,
}

impl Context<'_> {
    fn excerpt(&self, line: &LogicalLine, range: Range<usize>) -> Excerpt {
        self.source.excerpt(line.source_range(range))
    }
}

impl<'a> Reader<'a> {
    pub(super) fn new(sources: &'a dyn Sources) -> Self {
        Self {
            sources,
            inputs: Inputs::default(),
            open: Vec::new(),
            done: BTreeSet::new(),
        }
    }

    /// The bytes of a file that the user, or another file, names.
    pub(super) fn bytes(
        &self,
        path: &FilePath,
        by: Option<&Excerpt>,
    ) -> Result<Vec<u8>, RequestError> {
        let readable = path.readable();
        let read = if !is_remote(&readable) && self.sources.is_dir(&readable) {
            Err(SourceError::Folder)
        } else {
            self.sources.read(&readable)
        };
        read.map_err(|error| RequestError::Unreadable {
            file: path.shown.clone(),
            error,
            by: by.cloned(),
        })
    }

    /// Reads a requirements file and what it includes.
    pub(super) fn file(
        &mut self,
        path: &FilePath,
        role: Role,
        by: Option<Excerpt>,
    ) -> Result<(), RequestError> {
        let readable = path.readable();
        let identity = if is_remote(&readable) {
            readable
        } else {
            tidy(&self.sources.absolute(&readable).replace('\\', "/"))
        };
        if let Some(by) = &by {
            self.check_include(&identity, path, by)?;
        }
        if self.done.contains(&(identity.clone(), role)) {
            return Ok(());
        }
        let bytes = self.bytes(path, by.as_ref())?;
        let source = SourceText::decode(&path.shown.as_str().into(), &bytes)?;
        self.open.push(Open {
            identity: identity.clone(),
            shown: path.shown.clone(),
            by,
        });
        let context = Context {
            source: &source,
            path,
            role,
        };
        let sources = self.sources;
        for line in logical_lines(source.text(), &|name| sources.variable(name)) {
            self.line(&context, &line)?;
        }
        self.open.pop();
        self.done.insert((identity, role));
        Ok(())
    }

    fn check_include(
        &self,
        identity: &str,
        path: &FilePath,
        by: &Excerpt,
    ) -> Result<(), RequestError> {
        let first = self.open.iter().position(|open| open.identity == identity);
        if let Some(first) = first {
            // `a.in:1` includes `b.in`, `b.in:2` includes `a.in`
            let inner = self.open.iter().skip(first + 1);
            let steps = inner
                .filter_map(|open| Some((&open.by.as_ref()?.place, open.shown.as_str())))
                .chain([(&by.place, path.shown.as_str())]);
            let steps: Vec<String> = steps
                .map(|(place, file)| format!("{place} includes `{file}`"))
                .collect();
            return Err(RequestError::IncludeLoop {
                at: by.clone(),
                file: path.shown.clone(),
                chain: steps.join(", "),
            });
        }
        if self.open.len() >= DEEPEST {
            return Err(RequestError::IncludeDepth {
                at: by.clone(),
                limit: DEEPEST,
            });
        }
        Ok(())
    }

    fn line(&mut self, context: &Context<'_>, line: &LogicalLine) -> Result<(), RequestError> {
        let text = line.text();
        let options_start = options_start(text);
        let options = read_options(context, line, options_start)?;
        let place_of = |range: Range<usize>| {
            (
                context.source.place(line.source_range(range.clone()).start),
                line.raw(range).to_owned(),
            )
        };
        file_options::formats(&mut self.inputs.options, &options, &place_of).map_err(
            |(given, detail, advice)| RequestError::OptionValue {
                at: context.excerpt(line, given.value_range.clone()),
                option: given.name.to_owned(),
                detail,
                advice,
            },
        )?;
        let requirement = text.get(..options_start).unwrap_or_default().trim_end();
        if !requirement.is_empty() {
            let range = 0..requirement.len();
            let reading = direct::read(requirement, self.sources)
                .map_err(|fault| in_line(context, line, fault, range.clone()))?;
            self.warn_ignored(
                context,
                line,
                &options,
                "on the line of a requirement, as for pip",
                |meaning| meaning == Meaning::Hash,
            );
            let hashes = hashes(context, line, &options)?;
            let given = |given: Range<usize>| line.raw(given).to_owned();
            let mut found = Found::new(reading, false, given, line.raw(range.clone()));
            found.hashes.extend(hashes);
            found.hashes.sort();
            found.hashes.dedup();
            return self.add(found, context.role, context.excerpt(line, range));
        }
        // Their form is checked wherever they stand.
        hashes(context, line, &options)?;
        let first = |meaning: Meaning| options.given.iter().find(|given| given.meaning == meaning);
        if let Some(editable) = first(Meaning::Editable) {
            return self.editable(context, line, &options, editable);
        }
        let include = first(Meaning::Requirement).or_else(|| first(Meaning::Constraint));
        if let Some(include) = include {
            return self.include(context, line, &options, include);
        }
        self.warn_ignored(
            context,
            line,
            &options,
            "without a requirement, as for pip",
            |meaning| {
                !matches!(
                    meaning,
                    Meaning::Hash | Meaning::GlobalOption | Meaning::ConfigSettings
                )
            },
        );
        let surprises = file_options::apply(
            &mut self.inputs.options,
            &options,
            &context.path.folder(),
            self.sources,
            &place_of,
        );
        self.inputs.warnings.extend(surprises);
        Ok(())
    }

    fn include(
        &mut self,
        context: &Context<'_>,
        line: &LogicalLine,
        options: &Options,
        include: &Given,
    ) -> Result<(), RequestError> {
        let mut seen = false;
        self.warn_ignored(
            context,
            line,
            options,
            "beside another include, as for pip",
            |meaning| meaning == include.meaning && !std::mem::replace(&mut seen, true),
        );
        let at = context.excerpt(line, include.value_range.clone());
        let role = match (include.meaning, context.role) {
            (Meaning::Constraint, _) => Role::Constraints,
            (_, Role::Overrides) => Role::Overrides,
            (_, Role::Requirements) => Role::Requirements,
            (_, Role::Constraints) => {
                self.inputs.warnings.push(Warning {
                    place: at.place.clone(),
                    message: "`-r` in a constraints file requires what the file lists, as it does \
                              for pip; `-c` would constrain it"
                        .to_owned(),
                });
                Role::Requirements
            }
        };
        let path = context.path.include(&include.value);
        self.file(&path, role, Some(at))
    }

    fn editable(
        &mut self,
        context: &Context<'_>,
        line: &LogicalLine,
        options: &Options,
        editable: &Given,
    ) -> Result<(), RequestError> {
        let mut seen = false;
        self.warn_ignored(
            context,
            line,
            options,
            "beside `-e`, as for pip",
            |meaning| meaning == Meaning::Editable && !std::mem::replace(&mut seen, true),
        );
        let range = editable.value_range.clone();
        // Between quotes, the value's bytes are not the line's.
        let plain = line.text().get(range.clone()) == Some(editable.value.as_str());
        let reading = direct::read_editable(&editable.value, self.sources).map_err(|fault| {
            let fault = if plain {
                fault.shifted(range.start)
            } else {
                Fault {
                    range: range.clone(),
                    ..fault
                }
            };
            in_line(context, line, fault, range.clone())
        })?;
        let given = |given: Range<usize>| {
            if plain {
                line.raw(given.start + range.start..given.end + range.start)
                    .to_owned()
            } else if line.text().get(range.clone()) == Some(line.raw(range.clone())) {
                editable.value.get(given).unwrap_or_default().to_owned()
            } else {
                // A variable was filled in, whose value must not be repeated.
                line.raw(range.clone()).trim_matches(['"', '\'']).to_owned()
            }
        };
        let found = Found::new(reading, true, given, line.raw(range.clone()));
        self.add(found, context.role, context.excerpt(line, range.clone()))
    }

    /// Adds a requirement in its role, where it may have that role.
    pub(super) fn add(
        &mut self,
        found: Found,
        role: Role,
        at: Excerpt,
    ) -> Result<(), RequestError> {
        let place = at.place.clone();
        if let Some(detail) = found.refused_as(role) {
            return Err(RequestError::Constraint {
                at,
                text: super::url_text::blot(&found.text),
                role: match role {
                    Role::Overrides => "an override",
                    _ => "a constraint",
                },
                detail,
            });
        }
        match (found.name, found.source) {
            (Some(name), source) => {
                let line = Line {
                    name,
                    extras: found.extras,
                    source,
                    marker: found.marker,
                    text: found.text,
                    hashes: found.hashes,
                    place,
                };
                match role {
                    Role::Requirements => self.inputs.requirements.push(line),
                    Role::Constraints => self.inputs.constraints.push(line),
                    Role::Overrides => self.inputs.overrides.push(line),
                }
            }
            (None, LineSource::Direct(url)) => self.inputs.unnamed.push(UnnamedLine {
                extras: found.extras,
                url,
                marker: found.marker,
                text: found.text,
                hashes: found.hashes,
                place,
            }),
            // What has no URL has a name.
            (None, LineSource::Specifiers(_)) => {}
        }
        Ok(())
    }

    /// Tells what pip reads on a line and does not heed.
    fn warn_ignored(
        &mut self,
        context: &Context<'_>,
        line: &LogicalLine,
        options: &Options,
        why: &str,
        mut heeded: impl FnMut(Meaning) -> bool,
    ) {
        let mut warn = |range: Range<usize>, what: &str, why: &str| {
            self.inputs.warnings.push(Warning {
                place: context.source.place(line.source_range(range).start),
                message: format!("`{what}` has no effect {why}"),
            });
        };
        for given in &options.given {
            let why = match given.meaning {
                Meaning::NoBinary | Meaning::OnlyBinary => continue,
                meaning if heeded(meaning) => continue,
                Meaning::GlobalOption | Meaning::ConfigSettings => "on a lock",
                _ => why,
            };
            warn(given.range.clone(), given.name, why);
        }
        if let (Some(first), Some(last)) = (options.loose.first(), options.loose.last()) {
            let range = first.range.start..last.range.end;
            let written = super::url_text::blot(line.raw(range.clone()));
            warn(range, &written, "behind an option, as for pip");
        }
    }
}

/// A requirement with everything but its place.
pub(super) struct Found {
    pub(super) name: Option<pep508_rs::PackageName>,
    pub(super) extras: Vec<pep508_rs::ExtraName>,
    pub(super) source: LineSource,
    pub(super) marker: pep508_rs::MarkerTree,
    pub(super) text: String,
    pub(super) hashes: Vec<(String, String)>,
}

impl Found {
    /// `given` looks up what was written for a reference.
    pub(super) fn new(
        reading: Reading,
        editable: bool,
        given: impl FnOnce(Range<usize>) -> String,
        text: &str,
    ) -> Self {
        Self {
            name: reading.name,
            extras: reading.extras,
            source: reading.source.into_line_source(editable, given),
            marker: reading.marker,
            text: text.to_owned(),
            hashes: reading.hashes,
        }
    }

    /// Why it cannot have the role, which pip says of constraints.
    fn refused_as(&self, role: Role) -> Option<&'static str> {
        let editable = matches!(&self.source, LineSource::Direct(url) if url.editable);
        match role {
            Role::Requirements => None,
            _ if self.name.is_none() => Some("it does not name its distribution"),
            Role::Constraints if editable => Some("it is editable"),
            Role::Constraints if !self.extras.is_empty() => Some("it has extras"),
            Role::Overrides | Role::Constraints => None,
        }
    }
}

/// Where the options begin: at the first word with a leading dash. Only spaces part
/// words here, as for pip.
fn options_start(text: &str) -> usize {
    let mut start = 0;
    for word in text.split(' ') {
        if word.starts_with('-') {
            return start;
        }
        start += word.len() + 1;
    }
    text.len()
}

fn read_options(
    context: &Context<'_>,
    line: &LogicalLine,
    start: usize,
) -> Result<Options, RequestError> {
    let words =
        words::split(line.text(), start).map_err(|unfinished| RequestError::Unfinished {
            at: context.excerpt(line, unfinished.range),
            opening: unfinished.opening,
        })?;
    options::read(words).map_err(|(range, fault)| {
        let at = context.excerpt(line, range);
        fault.into_error(at)
    })
}

/// The hashes among a line's options.
fn hashes(
    context: &Context<'_>,
    line: &LogicalLine,
    options: &Options,
) -> Result<Vec<(String, String)>, RequestError> {
    let given = options
        .given
        .iter()
        .filter(|given| given.meaning == Meaning::Hash);
    let mut hashes = Vec::new();
    for given in given {
        let read = match given.value.split_once(':') {
            Some((algorithm, value)) => hash::parse(algorithm, value),
            None => Err(super::fault::Trouble::new(
                "expected an algorithm and a value",
                "write `--hash=sha256:HEX`",
            )),
        };
        let hash = read.map_err(|trouble| RequestError::OptionValue {
            at: context.excerpt(line, given.value_range.clone()),
            option: given.name.to_owned(),
            detail: format!("has a value that is no hash: {}", trouble.detail),
            advice: trouble.advice,
        })?;
        hashes.push(hash);
    }
    Ok(hashes)
}

/// The error for a fault in the piece of the line at `whole`.
fn in_line(
    context: &Context<'_>,
    line: &LogicalLine,
    fault: Fault,
    whole: Range<usize>,
) -> RequestError {
    let at = context.excerpt(line, fault.range.clone());
    RequestError::from_fault(fault, at, line.raw(whole))
}
