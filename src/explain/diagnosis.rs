//! What stands against a request, all of it, and what to change.

use std::collections::{BTreeMap, BTreeSet};

use pep440_rs::{Version, VersionSpecifier, VersionSpecifiers};
use pep508_rs::PackageName;

use super::beside;
use super::bounds::with_specifiers;
use super::core::Core;
use super::extras;
use super::fix::{Demand, Edit, Fix, Fixer};
use super::names::{meant, near};
use super::other_builds;
use super::relax::{Findings, search};
use super::study::{Attempt, Study, UserLine};
use crate::request::{Line, LineSource, Request};
use crate::rules::RuleKind;
use crate::solve::{Outcome, Reason, Solution, SolveError, Unusable};

/// How many fixes are told.
const MAX_FIXES: usize = 3;

/// Why a request has no solution, and what would give it one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnosis {
    /// The conflicts: cores that share a line of the user's belong together; those that
    /// share none are independent.
    pub conflicts: Vec<Vec<Core>>,
    /// At most three fixes, best first; each was solved.
    pub fixes: Vec<Fix>,
    /// Whether the search came to its end: where it did not, there may be further
    /// conflicts and better fixes.
    pub complete: bool,
    /// Releases that a further fix, as small as those found, would hang on: they have only a
    /// source distribution, which is not built to try a fix.
    pub unbuilt: Vec<(PackageName, Version)>,
}

/// Says why a request has no solution; `None` where it has one.
///
/// # Errors
///
/// [`SolveError`] where facts could not be had.
pub fn diagnose(study: &Study<'_>, request: &Request) -> Result<Option<Diagnosis>, SolveError> {
    // The study learns which source distributions the user's own solve looked into and built:
    // those count as known, and trials build no others.
    if let Outcome::Solved(_) = study.solve(request)? {
        return Ok(None);
    }
    diagnose_demand(study, request, None, None)
}

/// As [`diagnose`], with a demand beside the user's lines that no fix touches.
pub(super) fn diagnose_demand(
    study: &Study<'_>,
    request: &Request,
    demand: Option<&Line>,
    baseline: Option<&Solution>,
) -> Result<Option<Diagnosis>, SolveError> {
    let added = demand.map(|line| Demand::add(request, line.clone()));
    let (asked, demand) = match &added {
        Some((asked, demand)) => (asked, Some(demand)),
        None => (request, None),
    };
    let untouched = demand.map(Demand::fixed).unwrap_or_default();
    let findings = search(study, asked, &untouched);
    if findings.cores.is_empty()
        && findings
            .repairs
            .iter()
            .any(|(changed, _)| changed.is_empty())
    {
        return Ok(None);
    }
    let about = about(&findings.cores, asked, demand);
    let editor = Fixer {
        study,
        request,
        demand,
        baseline,
        about: &about,
    };
    // Equal costs stay in this order: the release that was meant comes before another.
    let mut fixes = Vec::new();
    if demand.is_none() {
        fixes.extend(without_builds(&editor, &findings.cores));
        fixes.extend(beside::fixes(&editor, &findings.cores)?);
    }
    // Those on either side are all that a release that there is not may have meant.
    if fixes.len() < 2 {
        fixes.extend(edits_of(&editor, &findings)?);
    }
    if demand.is_none() {
        fixes.extend(renamed(&editor, &findings.cores)?);
        fixes.extend(by_options(&editor, &findings.cores)?);
        fixes.extend(extras::left_out(&editor, &findings.cores));
        fixes.extend(other_builds::fixes(&editor, &findings.cores));
    }
    fixes.sort_by_key(|fix| (fix.cost, first_line(fix)));
    fixes.dedup_by(|a, b| a.edits == b.edits && a.options == b.options);
    // To leave a line out is the answer only where no change of it is one.
    if fixes.iter().any(|fix| fix.cost.1 == 0) {
        fixes.retain(|fix| fix.cost.1 == 0);
    }
    fixes.truncate(MAX_FIXES);
    let most = fixes.iter().map(|fix| fix.edits.len()).max();
    let unbuilt = findings
        .unbuilt
        .filter(|(lines, _)| most.is_none_or(|most| *lines <= most))
        .map_or_else(Vec::new, |(_, releases)| releases.into_iter().collect());
    Ok(Some(Diagnosis {
        conflicts: grouped(findings.cores, &untouched),
        fixes,
        complete: findings.complete,
        unbuilt,
    }))
}

fn first_line(fix: &Fix) -> Option<UserLine> {
    fix.edits.first().map(|edit| edit.line)
}

fn edits_of(editor: &Fixer<'_, '_>, findings: &Findings) -> Result<Vec<Fix>, SolveError> {
    let mut fixes = Vec::new();
    for (relaxation, solution) in &findings.repairs {
        if let Some(fix) = editor.fix(relaxation, solution)? {
            fixes.push(fix);
        }
    }
    Ok(fixes)
}

/// Cores that share a line, beside those that every core has, stand together.
fn grouped(cores: Vec<Core>, fixed: &BTreeSet<UserLine>) -> Vec<Vec<Core>> {
    let mut groups: Vec<(BTreeSet<UserLine>, Vec<Core>)> = Vec::new();
    for core in cores {
        let mut lines: BTreeSet<UserLine> = core.lines.difference(fixed).copied().collect();
        let mut members = Vec::new();
        let mut apart = Vec::new();
        for (known, others) in groups {
            if known.is_disjoint(&lines) {
                apart.push((known, others));
            } else {
                lines.extend(known);
                members.extend(others);
            }
        }
        members.push(core);
        apart.push((lines, members));
        groups = apart;
    }
    groups.sort_by(|a, b| a.0.cmp(&b.0));
    groups.into_iter().map(|(_, cores)| cores).collect()
}

/// The distributions that conflicts are about: what is demanded, and what several of the
/// parts that take part ask for.
fn about(cores: &[Core], request: &Request, demand: Option<&Demand>) -> Vec<PackageName> {
    let mut names: Vec<PackageName> = demand
        .map(|demand| demand.line.name.clone())
        .into_iter()
        .collect();
    let lines = cores.iter().flat_map(|core| &core.lines);
    names.extend(lines.filter_map(|line| Some(line.of(request)?.name.clone())));
    let reasons = || cores.iter().flat_map(|core| &core.conflict.reasons);
    for reason in reasons() {
        if let Reason::Requires { to, .. } = reason {
            names.push(to.clone());
        }
    }
    for reason in reasons() {
        if let Reason::Requires { package, .. } | Reason::Rule { package, .. } = reason {
            names.push(package.clone());
        }
    }
    let mut seen = BTreeSet::new();
    names.retain(|name| seen.insert(name.clone()));
    names
}

/// Names that no index has, each replaced by the nearest one that an index has; names that have
/// no release to take, and are known to be written for another, replaced by that one.
fn renamed(editor: &Fixer<'_, '_>, cores: &[Core]) -> Result<Vec<Fix>, SolveError> {
    let mut request = editor.request.clone();
    let mut edits = Vec::new();
    let mut names = Vec::new();
    for core in cores {
        let missing = core
            .conflict
            .reasons
            .iter()
            .find_map(|reason| match reason {
                Reason::NotFound { package, .. } => Some(package),
                Reason::NoRelease { package, .. } | Reason::SetAside { package, .. } => {
                    meant(package.as_ref()).map(|_| package)
                }
                _ => None,
            });
        let Some(missing) = missing else {
            continue;
        };
        for line in &core.lines {
            let Some(old) = line.of(editor.request).filter(|old| old.name == *missing) else {
                continue;
            };
            let Some(name) = known_near(editor, missing)? else {
                return Ok(Vec::new());
            };
            let new = with_name(old, &name);
            edits.push(Edit {
                line: *line,
                place: old.place.clone(),
                was: old.text.clone(),
                now: Some(new.text.clone()),
            });
            names.push(name);
            if let Some(place) = line.of_mut(&mut request) {
                *place = new;
            }
        }
    }
    if edits.is_empty() {
        return Ok(Vec::new());
    }
    let Attempt::Solved(solution) = editor.study.attempt(&request) else {
        return Ok(Vec::new());
    };
    edits.sort_by_key(|edit| edit.line);
    Ok(vec![Fix {
        cost: (edits.len(), 0, 0, 0),
        edits,
        adds: Vec::new(),
        options: Vec::new(),
        gives: editor.gives(names.iter(), &solution),
        changes: None,
    }])
}

/// Builds that no index has (`==2.5.1+cu124`), each replaced by its release (`==2.5.1`).
fn without_builds(editor: &Fixer<'_, '_>, cores: &[Core]) -> Option<Fix> {
    let mut edited: BTreeMap<UserLine, Option<Line>> = BTreeMap::new();
    for core in cores {
        let missing = |line: &Line| {
            core.conflict.reasons.iter().any(|reason| {
                matches!(reason, Reason::NoRelease { package, rejected }
                    if *package == line.name && rejected.is_empty())
            })
        };
        for place in &core.lines {
            let Some(line) = place.of(editor.request).filter(|line| missing(line)) else {
                continue;
            };
            let LineSource::Specifiers(specifiers) = &line.source else {
                continue;
            };
            if !specifiers.iter().any(|one| one.version().is_local()) {
                continue;
            }
            let public: Vec<VersionSpecifier> = specifiers
                .iter()
                .map(|one| {
                    let version = one.version().clone().without_local();
                    VersionSpecifier::from_version(*one.operator(), version)
                })
                .collect::<Result<_, _>>()
                .ok()?;
            let public = VersionSpecifiers::from_iter(public);
            edited.insert(*place, Some(with_specifiers(line, &public)));
        }
    }
    if edited.is_empty() {
        return None;
    }
    let cost = (edited.len(), 0, 0, 0);
    editor.verified(&edited, cost)
}

/// The nearest name to one that no index has, that an index has.
fn known_near(
    editor: &Fixer<'_, '_>,
    missing: &PackageName,
) -> Result<Option<PackageName>, SolveError> {
    for name in near(missing.as_ref(), editor.request, editor.study.rules) {
        if let Ok(name) = name.parse::<PackageName>()
            && editor.study.page(&name)?.is_some()
        {
            return Ok(Some(name));
        }
    }
    Ok(None)
}

/// The line with another name; the rest as the user wrote it.
fn with_name(old: &Line, name: &PackageName) -> Line {
    let rest = old
        .text
        .find(['[', '<', '>', '=', '!', '~', ';', '@', '(', ' '])
        .and_then(|at| old.text.get(at..))
        .unwrap_or_default();
    let mut new = old.clone();
    new.name = name.clone();
    new.text = format!("{name}{rest}");
    new
}

/// Options that admit what the policy keeps away: pre-releases, and files after the cut-off.
fn by_options(editor: &Fixer<'_, '_>, cores: &[Core]) -> Result<Vec<Fix>, SolveError> {
    let mut fixes = Vec::new();
    let mut prereleases = false;
    let mut too_new: Vec<(&PackageName, &Version)> = Vec::new();
    for reason in cores.iter().flat_map(|core| &core.conflict.reasons) {
        if let Reason::NoRelease { package, rejected } = reason {
            for (version, why) in rejected {
                match why {
                    Unusable::PreRelease => prereleases = true,
                    Unusable::TooNew => too_new.push((package, version)),
                    _ => {}
                }
            }
        }
    }
    if prereleases {
        let mut request = editor.request.clone();
        request.policy.prereleases = true;
        fixes.extend(optional(editor, &request, "--pre".to_owned()));
    }
    for (package, version) in too_new.into_iter().take(2) {
        let Some(page) = editor.study.page(package)? else {
            continue;
        };
        let listed = page.files.some(&page.files.of_version(version));
        let uploaded = listed
            .unwrap_or_default()
            .into_iter()
            .filter_map(|file| file.upload_time)
            .max();
        let Some(uploaded) = uploaded else {
            continue;
        };
        // A date admits its whole day (UTC).
        let date = uploaded.to_string();
        let date = date.split('T').next().unwrap_or_default().to_owned();
        let Ok(end) = format!("{date}T23:59:59.999999999Z").parse() else {
            continue;
        };
        let mut request = editor.request.clone();
        request.policy.exclude_newer = Some(end);
        let fix = optional(editor, &request, format!("--exclude-newer {date}"));
        if fix.is_some() {
            fixes.extend(fix);
            break;
        }
    }
    Ok(fixes)
}

fn optional(editor: &Fixer<'_, '_>, request: &Request, option: String) -> Option<Fix> {
    // Another policy makes other universes: nothing is shared with the study's.
    let Attempt::Solved(solution) = editor.study.attempt_anew(request) else {
        return None;
    };
    Some(Fix {
        edits: Vec::new(),
        adds: Vec::new(),
        options: vec![option],
        gives: editor.gives(
            editor
                .request
                .requirements
                .iter()
                .map(|line| &line.name)
                .take(2),
            &solution,
        ),
        changes: None,
        cost: (1, 0, 1, 0),
    })
}

/// The rules that constrain nothing, of distributions that are there, and whose claim would
/// keep away every release that is demanded: claims that evidence shows to be false.
pub(super) fn refuted<'a>(
    study: &'a Study<'_>,
    solution: &Solution,
    demand: &Line,
    known: &[Version],
) -> Vec<&'a crate::rules::Rule> {
    let LineSource::Specifiers(wanted) = &demand.source else {
        return Vec::new();
    };
    let meant: Vec<&Version> = known
        .iter()
        .filter(|version| crate::versions::contains(wanted, version))
        .collect();
    if meant.is_empty() {
        return Vec::new();
    }
    study
        .rules
        .iter()
        .filter(|rule| match &rule.kind {
            RuleKind::Refuted {
                when,
                package,
                versions,
            } => {
                *package == demand.name
                    && solution
                        .packages
                        .get(&when.package)
                        .is_some_and(|chosen| when.applies(&chosen.version, &study.target.markers))
                    && !meant.iter().any(|version| versions.contains(version))
            }
            _ => false,
        })
        .map(AsRef::as_ref)
        .collect()
}
