//! `mlresolve check`: judging what exists.

use std::collections::BTreeMap;
use std::sync::Arc;

use pep508_rs::PackageName;

use super::args::{CheckArgs, CheckFormat, FailOn};
use super::check_environment::{self, Environment};
use super::check_files::{self, Read};
use super::error::{CliError, Exit};
use super::recorded::Recorded;
use super::session::Session;
use super::{output, pip_settings, plain, rule_folders, settings, tell};
use crate::check::render::{self, Report};
use crate::check::{
    Entry, Finding, Severity, Subject, fix, judge, judge_files, judge_index, judge_left_behind,
    merge,
};
use crate::metadata::Page;
use crate::request::{FileOptions, Inputs, Settings};
use crate::rules::RuleSet;
use crate::solve::{FactError, Facts, indexed_metadata};
use crate::{Target, versions};

/// The target of a file that does not say what it is for, and no option does.
const PYTHON: &str = "3.12";
const PLATFORM: &str = "linux";

/// The Pythons, 3.x, that a file without a word of it may be for, besides that one.
const OLDEST: u32 = 8;
const NEWEST: u32 = 12;

/// Judges what is named, or what is found here, and prints what it found.
pub(crate) fn run(given: &CheckArgs) -> Result<Exit, CliError> {
    let settings = settings::settings(&given.resolve, None)?;
    let args = settled(given, settings.as_ref());
    let rules = rule_folders::rules(&args.resolve.rules, &args.resolve.rules_in_settings)?;
    let ignored = rule_folders::ignored(&rules, &args.resolve.ignore_rule)?;
    let rules = rules.without(&ignored);
    if let Some(output) = &args.output {
        super::inputs::refuse_source(&output.to_string_lossy(), &args.resolve.inputs)?;
    }
    let mut reports = Vec::new();
    let outputs = settings.iter().flat_map(|settings| settings.outputs.keys());
    for found in check_files::find(&args.resolve.inputs, outputs)? {
        reports.push(match found {
            check_files::Found::File(path) => file(&args, &path, &rules)?,
            check_files::Found::Environment(given) => environment(&args, given.as_deref(), &rules)?,
        });
    }
    let text = match args.format {
        CheckFormat::Text => render::text(&reports),
        CheckFormat::Json => render::json(&reports),
        CheckFormat::Sarif => render::sarif(&reports, env!("CARGO_PKG_VERSION")),
        CheckFormat::Github => render::github(&reports),
        CheckFormat::Junit => render::junit(&reports),
    };
    match &args.output {
        Some(path) => output::write_atomically(path, plain::shown(&text).as_bytes())?,
        None => tell(&text),
    }
    let limit = match args.fail_on {
        FailOn::Error => Some(Severity::Error),
        FailOn::Warning => Some(Severity::Warning),
        FailOn::Note => Some(Severity::Note),
        FailOn::Never => None,
    };
    let worst = reports
        .iter()
        .flat_map(|report| &report.findings)
        .map(|finding| finding.severity)
        .max();
    Ok(match (worst, limit) {
        (Some(worst), Some(limit)) if worst >= limit => Exit::Unsolvable,
        _ => Exit::Done,
    })
}

/// The arguments, with what the settings of the project say where they do not, and pip's where
/// an index may be asked.
pub(crate) fn with_settings(given: &CheckArgs) -> Result<CheckArgs, CliError> {
    let settings = settings::settings(&given.resolve, None)?;
    Ok(settled(given, settings.as_ref()))
}

fn settled(given: &CheckArgs, settings: Option<&Settings>) -> CheckArgs {
    let mut resolve = match settings {
        Some(settings) => settings::resolve(&given.resolve, settings),
        None => given.resolve.clone(),
    };
    if !given.rules_only {
        resolve = pip_settings::with(&resolve);
    }
    CheckArgs {
        resolve,
        ..given.clone()
    }
}

fn file(args: &CheckArgs, path: &str, rules: &RuleSet) -> Result<Report, CliError> {
    let first = check_files::read(path, &declared(args, None)?)?;
    let (target, is_known) = target(args, &first)?;
    // What a lock for several environments holds depends on the target.
    let read = check_files::read(path, &target)?;
    if is_known || args.rules_only || read.subject.requires_python.is_some() {
        return judged(args, read, &target, is_known, rules);
    }
    let Some((python, likely)) = likely_python(args, &read, &target)? else {
        return judged(args, read, &target, is_known, rules);
    };
    let read = check_files::read(path, &likely)?;
    let mut report = judged(args, read, &likely, is_known, rules)?;
    report.findings.push(Finding::note(
        "python-guessed",
        format!(
            "nothing says which Python it is for, and not all pins have files for {PYTHON}: judged \
             for {python}; say which with `--python-version`"
        ),
    ));
    report.sort();
    Ok(report)
}

/// The Python for which the most pins have files, the newest of those, where that is not the
/// default; `None` too where the index cannot be asked.
fn likely_python(
    args: &CheckArgs,
    read: &Read,
    target: &Target,
) -> Result<Option<(String, Target)>, CliError> {
    let subject = &read.subject;
    let session = online(args, target, &read.options)?;
    let Ok(pages) = ask(&mut subject.clone(), target, session.facts.facts()) else {
        return Ok(None);
    };
    let mut best = (files_missing(subject, target, &pages), None);
    for minor in (OLDEST..NEWEST).rev() {
        let python = format!("3.{minor}");
        let other = declared(args, Some(&python))?;
        let missing = files_missing(subject, &other, &pages);
        if missing < best.0 {
            best = (missing, Some((python, other)));
        }
    }
    Ok(best.1)
}

/// How many pins have no file for the target.
fn files_missing(subject: &Subject, target: &Target, pages: &Pages) -> usize {
    let missing = |entry: &&Entry| {
        let (Some(version), Some(Some(page))) = (entry.version(), pages.get(&entry.name)) else {
            return false;
        };
        let files = page.files.of_version(version);
        let mut rows = files.iter().filter_map(|id| page.files.row(*id));
        !files.is_empty()
            && !rows.any(|row| {
                let suits = match row.wheel() {
                    Some(wheel) => target.wheel_priority(&wheel).is_some(),
                    None => row.is_sdist(),
                };
                let admits = |python| {
                    let requires = page
                        .files
                        .python(python)
                        .parse::<pep440_rs::VersionSpecifiers>();
                    requires.is_ok_and(|requires| target.admits_python(&requires))
                };
                suits && row.python.is_none_or(admits)
            })
    };
    subject.entries.iter().filter(missing).count()
}

/// The target that the options declare, or the Python that a file says it is for.
fn declared(args: &CheckArgs, python: Option<&str>) -> Result<Target, CliError> {
    let resolve = &args.resolve;
    let python = resolve
        .python_version
        .as_deref()
        .or(python)
        .unwrap_or(PYTHON);
    let platform = resolve.python_platform.as_deref().unwrap_or(PLATFORM);
    Target::declared(python, platform).map_err(|error| CliError::usage(error.to_string()))
}

/// The target of a file, and whether it is more than a guess.
fn target(args: &CheckArgs, read: &Read) -> Result<(Target, bool), CliError> {
    let resolve = &args.resolve;
    let is_stated = resolve.python_version.is_some() || resolve.python_platform.is_some();
    if let (Some(target), false) = (&read.target, is_stated) {
        return Ok((target.clone(), true));
    }
    // The oldest Python that the file is for.
    let oldest = read.subject.requires_python.as_ref().and_then(|requires| {
        (8..=20).map(|minor| format!("3.{minor}")).find(|word| {
            format!("{word}.99")
                .parse()
                .is_ok_and(|version| versions::contains(requires, &version))
        })
    });
    Ok((declared(args, oldest.as_deref())?, is_stated))
}

fn judged(
    args: &CheckArgs,
    read: Read,
    target: &Target,
    target_is_known: bool,
    rules: &RuleSet,
) -> Result<Report, CliError> {
    let (rules, mut findings) = without_ignored(rules, &read.ignored);
    let rules = &rules;
    let mut subject = read.subject;
    let session = if args.rules_only {
        None
    } else {
        Some(online(args, target, &read.options)?)
    };
    if let Some(session) = &session {
        let facts = session.facts.facts();
        match ask(&mut subject, target, facts) {
            Ok(pages) => {
                let of_index = judge_index(&subject, target, &pages);
                let kept = of_index
                    .into_iter()
                    .filter(|finding| target_is_known || finding.code != "no-file");
                findings.extend(kept);
            }
            Err(error) => findings.push(unasked(&subject, &error)),
        }
    }
    findings.extend(judge(&subject, target, rules));
    let mut findings = merge(findings);
    if let Some(session) = &session {
        // Where facts are missing, what rules advise stands.
        let _ = fix(
            &mut findings,
            &subject,
            target,
            rules,
            &session.facts.facts(),
        );
    }
    Ok(report(&subject, target, findings))
}

/// The rules that a lock is judged by: those that whoever made it set aside are told, no more.
fn without_ignored(rules: &RuleSet, ignored: &[String]) -> (RuleSet, Vec<Finding>) {
    let known = |id: &String| rules.get(id).map(|rule| rule.id.clone());
    let ignored: Vec<_> = ignored.iter().filter_map(known).collect();
    let told = ignored.iter().map(|id| {
        let message = format!("it was locked without the rule {id} (`--ignore-rule`)");
        Finding::note("ignored-rule", message)
    });
    (rules.without(&ignored), told.collect())
}

fn report(subject: &Subject, target: &Target, findings: Vec<Finding>) -> Report {
    let mut report = Report {
        subject: subject.name.clone(),
        format: subject.format,
        packages: subject
            .entries
            .iter()
            .filter(|entry| entry.marker.evaluate(&target.markers, &[]))
            .count(),
        target: target.describe(),
        findings,
    };
    report.sort();
    report
}

/// A session for the target, without a request.
///
/// `options` are those that stand in what is judged: its pins come from the indexes they name.
pub(crate) fn online(
    args: &CheckArgs,
    target: &Target,
    options: &FileOptions,
) -> Result<Session, CliError> {
    let recorded = Recorded::for_target(target.clone());
    let mut resolve = args.resolve.clone();
    resolve.inputs = Vec::new();
    resolve.python = None;
    resolve.python_version = None;
    resolve.python_platform = None;
    let read = Inputs {
        options: options.clone(),
        ..Inputs::default()
    };
    Session::assemble(&resolve, &recorded, read, Vec::new())
}

type Pages = BTreeMap<PackageName, Option<Arc<Page>>>;

/// Asks the index for the pages of what is pinned, and for metadata that is not at hand.
fn ask(subject: &mut Subject, target: &Target, facts: &dyn Facts) -> Result<Pages, FactError> {
    let wanted: Vec<usize> = (0..subject.entries.len())
        .filter(|index| {
            let entry = &subject.entries[*index];
            entry.version().is_some()
                && (entry.indexed || entry.metadata.is_none())
                && entry.marker.evaluate(&target.markers, &[])
        })
        .collect();
    for index in &wanted {
        let entry = &subject.entries[*index];
        if let Some(version) = entry.version() {
            let exactly = pep440_rs::VersionSpecifier::equals_version(version.clone());
            facts.hint(&entry.name, &exactly.into());
        }
    }
    let mut pages = Pages::new();
    for index in wanted {
        let entry = &mut subject.entries[index];
        let page = match facts.page(&entry.name) {
            Ok(page) => Some(page),
            Err(FactError::NotFound { .. } | FactError::Unusable(_)) => None,
            Err(error) => return Err(error),
        };
        if entry.metadata.is_none()
            && page.is_some()
            && let Some(version) = entry.version().cloned()
        {
            entry.metadata =
                indexed_metadata(&entry.name, &version, target, &facts).unwrap_or_default();
        }
        pages.insert(entry.name.clone(), page);
    }
    Ok(pages)
}

/// The index could not be asked: everything else was judged.
fn unasked(subject: &Subject, error: &FactError) -> Finding {
    Finding::note(
        "offline",
        format!("{} was judged without an index: {error}", subject.name),
    )
}

pub(crate) fn environment(
    args: &CheckArgs,
    given: Option<&str>,
    rules: &RuleSet,
) -> Result<Report, CliError> {
    let Environment {
        subject,
        target,
        distributions,
        left_behind,
    } = check_environment::read(args, given)?;
    let mut findings = judge(&subject, &target, rules);
    findings.extend(judge_files(&distributions));
    findings.extend(judge_left_behind(&left_behind));
    let mut findings = merge(findings);
    if !args.rules_only
        && findings
            .iter()
            .any(|finding| finding.severity > Severity::Note)
    {
        let session = online(args, &target, &FileOptions::default())?;
        // Without an index, what rules advise stands.
        let _ = fix(
            &mut findings,
            &subject,
            &target,
            rules,
            &session.facts.facts(),
        );
    }
    Ok(report(&subject, &target, findings))
}
