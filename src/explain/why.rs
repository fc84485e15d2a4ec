//! Why a distribution is there, at this version and not a newer one.

use std::collections::BTreeSet;

use pep440_rs::{Version, VersionSpecifiers};
use pep508_rs::{MarkerTree, PackageName};

use super::bounds::exactly;
use super::chain::{self, Link, admits, chain, versioned};
use super::core::Core;
use super::diagnosis::{Diagnosis, diagnose_demand};
use super::fix::Fix;
use super::no_release::Away;
use super::sentence::{Speaker, rule_effect};
use super::study::{Attempt, Study};
use super::text;
use super::why_not::{Change, changed};
use crate::request::{Line, LineSource, Place, Request};
use crate::rules::Rule;
use crate::solve::{Edge, EdgeCause, Solution, SolveError};

/// How many things that keep a release away are told.
const MAX_BARRIERS: usize = 4;

/// Why a distribution is there at its version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Why {
    /// The distribution.
    pub name: PackageName,
    /// The chosen version.
    pub version: Version,
    /// The one file that all lines of the request stand in.
    pub lines_in: Option<String>,
    /// The file that its metadata came from.
    pub file: Option<String>,
    /// The chain from a line of the user's to it.
    pub chain: Vec<Link>,
    /// Everybody else who asks for it.
    pub askers: Vec<Link>,
    /// The newest release that could be chosen on this target.
    pub newest: Option<Version>,
    /// What keeps the newest release away, the binding constraint first.
    pub barriers: Vec<Barrier>,
    /// The newest release could be had as things are: what would then be otherwise.
    pub possible: Option<Otherwise>,
    /// The lock that is there pins this version, and a pin is kept as long as nothing forbids it.
    pub pinned: bool,
    /// What giving up that pin and no other gives, where it gives a newer release.
    pub upgrade: Option<Upgrade>,
    /// The newest release there is, where it cannot be chosen: the reason, as a sentence.
    pub beyond: Option<String>,
    /// What to change to get the newest release; each was solved.
    pub fixes: Vec<Fix>,
}

/// What would be otherwise under another choice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Otherwise {
    /// How many distributions would change, the one in question included.
    pub changes: usize,
    /// Those that would be older than now.
    pub older: Vec<Change>,
}

/// What `mlresolve lock -P NAME` gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upgrade {
    /// The release of the distribution.
    pub to: Version,
    /// What else would be otherwise.
    pub otherwise: Otherwise,
}

/// One thing that keeps a newer release away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Barrier {
    /// What kind of thing it is: `line`, `constraint`, `requires`, `rule`, `conflict`.
    pub kind: &'static str,
    /// What it is.
    pub sentence: String,
    /// The newest release that it admits.
    pub admits: Option<Version>,
    /// The rule behind it.
    pub rule: Option<String>,
    /// Why the rule says so, what was found in a file, what a user would see without it, and
    /// what the rule advises.
    pub grounds: Vec<String>,
    /// Why the distribution that asks is there at its version: the user's line.
    pub held_by: Option<String>,
}

/// Answers `why NAME` for a solution; `None` where the solution has no such distribution.
///
/// # Errors
///
/// [`SolveError`] where facts could not be had.
pub fn why(
    name: &PackageName,
    study: &Study<'_>,
    request: &Request,
    solution: &Solution,
) -> Result<Option<Why>, SolveError> {
    let Some(chosen) = solution.packages.get(name) else {
        return Ok(None);
    };
    let known = study.candidates(name, request)?;
    let newest = known.versions.last().cloned();
    let chain = chain(name, solution, request);
    let edges: Vec<&Edge> = solution
        .edges
        .iter()
        .filter(|edge| edge.to == *name)
        .collect();
    let mut answer = Why {
        name: name.clone(),
        version: chosen.version.clone(),
        lines_in: text::only_file(request),
        file: chosen.file.as_ref().map(|file| file.filename.clone()),
        askers: askers(&edges, &chain, solution, request),
        chain,
        newest: newest.clone(),
        barriers: Vec::new(),
        possible: None,
        pinned: false,
        upgrade: None,
        beyond: None,
        fixes: Vec::new(),
    };
    let speaker = Speaker { study, request };
    let beyond: Vec<_> = known
        .rejected
        .iter()
        .filter(|(version, _)| newest.as_ref().is_none_or(|newest| version > newest))
        .cloned()
        .collect();
    if let Some((version, reason, _)) = Away::new(name, &beyond).telling() {
        answer.beyond = Some(format!(
            "There is also {name} {version}, which {}",
            speaker.unusable(reason, false)
        ));
    }
    let Some(newest) = newest.filter(|newest| *newest > chosen.version) else {
        return Ok(Some(answer));
    };
    answer.pinned = request
        .pins
        .get(name)
        .is_some_and(|pin| pin.version == answer.version);
    if answer.pinned {
        answer.upgrade = upgrade(name, study, request, solution);
    }
    answer.barriers = barriers(&edges, &known.versions, &speaker, solution);
    let demand = demand(name, &newest);
    if let Some(diagnosis) = diagnose_demand(study, request, Some(&demand), Some(solution))? {
        behind(&mut answer.barriers, &diagnosis, &speaker, &demand)?;
        answer.fixes = diagnosis.fixes;
    } else {
        answer.possible = price(study, request, &demand, solution);
        limiting_first(&mut answer.possible, &edges, &newest);
    }
    answer.barriers.truncate(MAX_BARRIERS);
    Ok(Some(answer))
}

/// What would be older, those first that limit the distribution now.
fn limiting_first(otherwise: &mut Option<Otherwise>, edges: &[&Edge], newest: &Version) {
    let limits = |name: &PackageName| {
        let mut limiting = edges.iter().filter(|edge| !admits(&edge.range, newest));
        limiting.any(|edge| chain::asker(&edge.cause) == Some(name))
    };
    if let Some(otherwise) = otherwise {
        otherwise.older.sort_by_key(|change| !limits(&change.name));
    }
}

/// The wish for one release, as a line.
fn demand(name: &PackageName, version: &Version) -> Line {
    let whole = version.clone().without_local();
    question(name, exactly(version), format!("{name}=={whole}"))
}

/// A line that no file has.
pub(super) fn question(name: &PackageName, specifiers: VersionSpecifiers, text: String) -> Line {
    Line {
        name: name.clone(),
        extras: Vec::new(),
        source: LineSource::Specifiers(specifiers),
        marker: MarkerTree::TRUE,
        text,
        hashes: Vec::new(),
        place: Place {
            file: "the question".into(),
            line: 1,
            column: 1,
        },
    }
}

/// Who asks for it beside the chain that was told: one link for each.
fn askers(edges: &[&Edge], told: &[Link], solution: &Solution, request: &Request) -> Vec<Link> {
    let mut links: Vec<Link> = Vec::new();
    let mut seen = BTreeSet::new();
    for edge in edges.iter().filter(|edge| edge.pulls_in) {
        let link = chain::link(edge, solution, request);
        let known = told
            .last()
            .is_some_and(|last| last.from == link.from && last.by == link.by);
        if !known && seen.insert((link.from.clone(), link.by.clone())) {
            links.push(link);
        }
    }
    links
}

/// What does not admit the newest release, tightest first.
fn barriers(
    edges: &[&Edge],
    known: &[Version],
    speaker: &Speaker<'_, '_>,
    solution: &Solution,
) -> Vec<Barrier> {
    let Some(newest) = known.last() else {
        return Vec::new();
    };
    let mut found: Vec<Barrier> = edges
        .iter()
        .filter(|edge| !admits(&edge.range, newest))
        .map(|edge| barrier(edge, known, speaker, solution))
        .collect();
    found.sort_by(|a, b| (&a.admits, a.rule.is_some()).cmp(&(&b.admits, b.rule.is_some())));
    found.dedup_by(|a, b| a.sentence == b.sentence);
    found
}

fn barrier(
    edge: &Edge,
    known: &[Version],
    speaker: &Speaker<'_, '_>,
    solution: &Solution,
) -> Barrier {
    let request = speaker.request;
    let admits = known
        .iter()
        .rev()
        .find(|version| admits(&edge.range, version))
        .cloned();
    let wants = text::requirement(&edge.to, &edge.range);
    let mut barrier = Barrier {
        kind: "line",
        sentence: wants.clone(),
        admits,
        rule: None,
        grounds: Vec::new(),
        held_by: None,
    };
    match &edge.cause {
        EdgeCause::Line(index) => {
            if let Some(line) = request.requirements.get(*index) {
                barrier.sentence = format!("your line `{}` ({})", line.text, line.place);
            }
        }
        EdgeCause::Constraint(index) => {
            barrier.kind = "constraint";
            if let Some(line) = request.constraints.get(*index) {
                barrier.sentence = format!("your constraint `{}` ({})", line.text, line.place);
            }
        }
        EdgeCause::Package { name, .. } => {
            barrier.kind = "requires";
            barrier.sentence = format!("{} requires {wants}", versioned(name, solution));
            barrier.held_by = Some(chain::in_words(&chain(name, solution, request)));
        }
        EdgeCause::Rule { id, name } => {
            barrier.kind = "rule";
            barrier.rule = Some(id.to_string());
            if let Some(rule) = speaker.study.rules.get(&id.0) {
                barrier.sentence = rule_effect(rule, &versioned(name, solution), false);
                barrier.grounds = grounds(rule);
            }
            barrier.held_by = Some(chain::in_words(&chain(name, solution, request)));
        }
    }
    barrier
}

/// Why a rule says what it says: its reason, one finding, the error without it, its advice.
fn grounds(rule: &Rule) -> Vec<String> {
    let mut grounds = vec![format!("{}.", text::unstopped(&rule.reason))];
    if let Some(evidence) = rule.evidence.first() {
        grounds.push(format!(
            "Evidence: {}: {}.",
            evidence.file,
            text::unstopped(&evidence.finding)
        ));
    }
    if let Some(error) = &rule.error {
        grounds.push(format!("What you would see: \"{}\"", error.trim()));
    }
    if let Some(advice) = &rule.advice {
        grounds.push(format!("What to do: {}.", text::unstopped(advice)));
    }
    grounds
}

/// What stands behind the first barrier: parts of conflicts that no barrier tells yet.
fn behind(
    barriers: &mut Vec<Barrier>,
    diagnosis: &Diagnosis,
    speaker: &Speaker<'_, '_>,
    demand: &Line,
) -> Result<(), SolveError> {
    let (demanding, _) = super::fix::Demand::add(speaker.request, demand.clone());
    let speaker = Speaker {
        study: speaker.study,
        request: &demanding,
    };
    for core in diagnosis.conflicts.iter().flatten() {
        let sentences = speaker.sentences(core)?;
        let fresh: Vec<String> = sentences
            .iter()
            .filter(|sentence| {
                !barriers.iter().any(|barrier| {
                    barrier.rule.is_some() && barrier.rule == sentence.rule
                        || sentence.kind == "requires" && {
                            let package = sentence.package.as_ref().map(ToString::to_string);
                            let about = barrier.sentence.split(' ').next();
                            barrier.kind == "requires" && package.as_deref() == about
                        }
                })
            })
            .map(|sentence| sentence.short.clone())
            .collect();
        if fresh.is_empty() {
            continue;
        }
        barriers.push(Barrier {
            kind: "conflict",
            sentence: text::list(&fresh),
            admits: None,
            rule: None,
            grounds: Vec::new(),
            held_by: own_lines(core, &demanding, demand),
        });
    }
    Ok(())
}

/// The user's lines of a core, in words.
pub(super) fn own_lines(core: &Core, request: &Request, demand: &Line) -> Option<String> {
    let lines: Vec<String> = core
        .lines
        .iter()
        .filter_map(|line| line.of(request))
        .filter(|line| line.place != demand.place)
        .map(|line| format!("`{}` ({})", line.text, line.place))
        .collect();
    let word = if lines.len() == 1 { "line" } else { "lines" };
    (!lines.is_empty()).then(|| format!("your {word} {}", text::list(&lines)))
}

/// What would be otherwise where the newest release is demanded.
fn price(
    study: &Study<'_>,
    request: &Request,
    demand: &Line,
    solution: &Solution,
) -> Option<Otherwise> {
    let (demanding, _) = super::fix::Demand::add(request, demand.clone());
    match study.attempt(&demanding) {
        Attempt::Solved(other) => Some(otherwise(solution, &other)),
        _ => None,
    }
}

/// What giving up a distribution's pin gives, where that is a newer release.
fn upgrade(
    name: &PackageName,
    study: &Study<'_>,
    request: &Request,
    solution: &Solution,
) -> Option<Upgrade> {
    let mut unpinned = request.clone();
    unpinned.pins.remove(name)?;
    let Attempt::Solved(other) = study.attempt(&unpinned) else {
        return None;
    };
    let to = other.packages.get(name)?.version.clone();
    let now = solution.packages.get(name)?;
    (to > now.version).then(|| Upgrade {
        to,
        otherwise: otherwise(solution, &other),
    })
}

fn otherwise(now: &Solution, then: &Solution) -> Otherwise {
    let mut changes = changed(now, then);
    Otherwise {
        changes: changes.len(),
        older: {
            changes.retain(|change| {
                matches!((&change.before, &change.after), (Some(before), Some(after)) if after < before)
            });
            changes
        },
    }
}
