//! `mlresolve snapshot pack`: records the metadata of wheels that comes with the program.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use pep440_rs::VersionSpecifiers;
use pep508_rs::PackageName;

use super::args::{PackArgs, ResolveArgs};
use super::error::{CliError, Exit};
use super::recorded::Recorded;
use super::session::Session;
use super::{inputs, output, say, when};
use crate::fetch::guess::Guesses;
use crate::fetch::pack::record::{Extent, Wish, record as follow};
use crate::fetch::pack::write;
use crate::metadata::{File, FileId, Metadata, Page};
use crate::request::{BuildPolicy, DirectUrl, LineSource, Policy};
use crate::rules::RuleKind;
use crate::solve::{DirectFacts, FactError, Facts, Memo, solve_again};
use crate::{RuleSet, Target};

/// So many releases are looked ahead for, of a distribution that the solver goes back in.
const LOOKED_AHEAD: usize = 16;

/// Follows what the inputs and the rules name, and writes what was found.
pub(crate) fn record(args: &PackArgs) -> Result<Exit, CliError> {
    let now = Timestamp::now();
    let worlds = worlds(args, now)?;
    let mut wishes = BTreeSet::new();
    let mut session = None;
    let mut looked_at = Vec::new();
    let paths = inputs::inputs(&args.resolve.inputs)?;
    for (path, time) in paths
        .iter()
        .flat_map(|path| times(args).map(move |time| (path, time)))
    {
        let one = ResolveArgs {
            inputs: vec![path.clone()],
            exclude_newer: time,
            // What is recorded is asked of the index.
            no_pack: true,
            no_build: true,
            ..args.resolve.clone()
        };
        let opened = Session::open(&one, &Recorded::default())?;
        wishes.extend(of_lines(&opened));
        let files = looked_at_by(&opened);
        say(&format!("{path}: {} wheels were looked at", files.len()));
        looked_at.extend(files);
        session = Some(opened);
    }
    let session = session.ok_or_else(|| CliError::usage("no input was named".to_owned()))?;
    wishes.extend(of_rules(&session.all_rules));
    let edge = session
        .facts
        .edge()
        .ok_or_else(|| CliError::usage("a snapshot cannot be recorded from".to_owned()))?;
    let extent = Extent {
        newest: args.newest,
        names: args.names,
    };
    let found = follow(edge.registry(), &worlds, wishes, looked_at, extent, &say);
    for name in &found.left_out {
        say(&format!("left out: {name}"));
    }
    let wrong =
        |error: &dyn std::fmt::Display| CliError::usage(format!("nothing was written: {error}"));
    let bytes = write(&found.wheels).map_err(|error| wrong(&error))?;
    let names: BTreeSet<_> = found.wheels.iter().map(|wheel| &wheel.name).collect();
    let releases: BTreeSet<_> = found
        .wheels
        .iter()
        .map(|wheel| (&wheel.name, &wheel.version))
        .collect();
    let about = serde_json::json!({
        "recorded": now.to_string(),
        "as of": args.as_of,
        "for": paths.iter().map(|path| path.rsplit("../").next()).collect::<Vec<_>>(),
        "targets": args.targets,
        "newest releases of each": args.newest,
        "distributions": names.len(),
        "releases": releases.len(),
        "wheels": found.wheels.len(),
        "bytes": bytes.len(),
    });
    let about = serde_json::to_string_pretty(&about).map_err(|error| wrong(&error))? + "\n";
    output::write_atomically(&args.output, &bytes)?;
    output::write_atomically(&args.output.with_extension("json"), about.as_bytes())?;
    say(&about);
    Ok(Exit::Done)
}

/// The times as options say them; one without a cut-off where none is named.
fn times(args: &PackArgs) -> impl Iterator<Item = Option<String>> {
    let now = args.as_of.is_empty().then_some(None);
    args.as_of.iter().cloned().map(Some).chain(now)
}

/// The wheels that a lock looks at, and those that it would look at next. Whether there is a
/// solution does not matter.
fn looked_at_by(session: &Session) -> Vec<File> {
    let facts = Looking {
        facts: session.facts.facts(),
        files: RefCell::default(),
    };
    let (request, target, rules) = (&session.request, &session.target, &session.rules);
    if let Err(error) = solve_again(request, target, rules, &&facts, &Memo::default()) {
        say(&format!("not solved: {error}"));
    }
    facts.files.into_inner().into_values().collect()
}

/// Facts that note the files that were asked for, by address.
struct Looking<'f> {
    facts: &'f dyn Facts,
    files: RefCell<BTreeMap<String, File>>,
}

impl Looking<'_> {
    fn note(&self, file: &File) {
        let mut files = self.files.borrow_mut();
        files.insert(file.url.clone(), file.clone());
    }
}

impl Facts for Looking<'_> {
    fn page(&self, name: &PackageName) -> Result<Arc<Page>, FactError> {
        self.facts.page(name)
    }

    fn metadata(
        &self,
        page: &Page,
        file: &File,
        build: BuildPolicy,
    ) -> Result<Arc<Metadata>, FactError> {
        self.note(file);
        self.facts.metadata(page, file, build)
    }

    fn direct(&self, url: &DirectUrl) -> Result<Arc<DirectFacts>, FactError> {
        self.facts.direct(url)
    }

    fn hint(&self, name: &PackageName, range: &VersionSpecifiers) {
        self.facts.hint(name, range);
    }

    fn hint_older(&self, page: &Page, older: &[FileId]) {
        for id in older.iter().take(LOOKED_AHEAD) {
            if let Ok(file) = page.files.file(*id) {
                self.note(&file);
            }
        }
        self.facts.hint_older(page, older);
    }
}

/// Each target at each time.
fn worlds(args: &PackArgs, now: Timestamp) -> Result<Vec<Guesses>, CliError> {
    let mut times = args
        .as_of
        .iter()
        .map(|text| when::cutoff(text, now))
        .collect::<Result<Vec<_>, _>>()?;
    if times.is_empty() {
        times.push(now);
    }
    let mut worlds = Vec::new();
    for words in &args.targets {
        let target: Target = words
            .parse()
            .map_err(|error: crate::target::TargetError| CliError::usage(error.to_string()))?;
        worlds.extend(times.iter().map(|time| Guesses {
            target: target.clone(),
            policy: Policy {
                exclude_newer: Some(*time),
                ..Policy::default()
            },
            base: Arc::default(),
        }));
    }
    Ok(worlds)
}

fn of_lines(session: &Session) -> impl Iterator<Item = Wish> {
    let read = &session.read;
    let lines = read.requirements.iter().chain(&read.constraints);
    lines.filter_map(|line| match &line.source {
        LineSource::Specifiers(range) => {
            Some(Wish::new(line.name.clone(), range, line.extras.clone()))
        }
        LineSource::Direct(_) => None,
    })
}

/// What the rules speak of: each distribution, on this side of a bound and on the other.
fn of_rules(rules: &RuleSet) -> BTreeSet<Wish> {
    let mut wishes = BTreeSet::new();
    for rule in rules.iter() {
        for name in rule.names() {
            let any = VersionSpecifiers::empty();
            wishes.insert(Wish::new(name.clone(), &any, Vec::new()));
        }
        let when = rule.kind.when().map(|when| (&when.package, &when.versions));
        let then = match &rule.kind {
            RuleKind::Constrain {
                package, versions, ..
            }
            | RuleKind::Requires {
                package, versions, ..
            } => Some((package, versions)),
            _ => None,
        };
        for (name, versions) in when.into_iter().chain(then) {
            let ranges = versions.0.iter();
            wishes.extend(ranges.map(|range| Wish::new(name.clone(), range, Vec::new())));
        }
    }
    wishes
}
