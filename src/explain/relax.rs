//! Which lines stand in the way: all minimal cores within reach, and the smallest sets of
//! lines without whose bounds there is a solution.
//!
//! Cores and repairs are found together, by Reiter's hitting-set tree: a node is a set of
//! lines whose bounds are taken away; where there is still no solution a core of it gives
//! its children. Nodes are visited by size, so that the smallest repairs come first.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::core::{Core, core};
use super::study::{Attempt, Study, Unbuilt, UserLine, free, is_bounded, leave_out};
use crate::request::Request;
use crate::solve::{Conflict, Solution};

/// The most nodes that are visited.
const MAX_NODES: usize = 48;

/// The most repairs that are looked for.
const MAX_REPAIRS: usize = 5;

/// The most lines that a repair changes.
const MAX_LINES: usize = 7;

/// What is done to a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    /// Its bounds are taken away.
    Freed,
    /// It is left out.
    LeftOut,
}

/// What is done to which lines.
pub(super) type Relaxation = BTreeMap<UserLine, Level>;

/// What the search found.
#[derive(Debug, Default)]
pub(super) struct Findings {
    /// Minimal cores of the request itself, in the order in which they were met.
    pub(super) cores: Vec<Core>,
    /// Relaxations under which there is a solution, fewest lines first; no one contains
    /// another.
    pub(super) repairs: Vec<(Relaxation, Box<Solution>)>,
    /// Whether every minimal core and repair was found.
    pub(super) complete: bool,
    /// What the smallest repair that could not be tried would need, and how many lines that
    /// repair changes.
    pub(super) unbuilt: Option<(usize, Unbuilt)>,
}

/// A core, and what was done to its lines where it was found.
struct Known {
    core: Core,
    under: Relaxation,
}

/// Looks for the cores and repairs of a request that has no solution. Lines in `fixed`
/// stay as they are.
pub(super) fn search(study: &Study<'_>, request: &Request, fixed: &BTreeSet<UserLine>) -> Findings {
    let mut found = Findings {
        complete: true,
        ..Findings::default()
    };
    let mut known: Vec<Known> = Vec::new();
    let mut waiting = VecDeque::from([Relaxation::new()]);
    let mut seen: BTreeSet<Relaxation> = BTreeSet::new();
    let mut nodes = 0;
    while let Some(node) = waiting.pop_front() {
        if found
            .repairs
            .iter()
            .any(|(repair, _)| contains(&node, repair))
        {
            continue;
        }
        nodes += 1;
        if nodes > MAX_NODES || found.repairs.len() >= MAX_REPAIRS || study.exhausted() {
            found.complete = false;
            break;
        }
        let reused = known.iter().find(|known| known.holds(&node));
        let lines = if let Some(known) = reused {
            known.core.lines.clone()
        } else {
            let changed = relaxed(request, &node);
            match study.attempt(&changed) {
                Attempt::Solved(solution) => {
                    found.repairs.push((node, solution));
                    continue;
                }
                Attempt::Unsolvable(conflict) => {
                    let Some(core) = own_core(study, request, &changed, &conflict) else {
                        found.complete = false;
                        continue;
                    };
                    let lines = core.lines.clone();
                    known.push(Known {
                        under: node
                            .iter()
                            .filter(|(line, _)| core.lines.contains(*line))
                            .map(|(line, level)| (*line, *level))
                            .collect(),
                        core,
                    });
                    lines
                }
                Attempt::Unbuilt(releases) => {
                    found.complete = false;
                    // Nodes come by size: the first is the smallest.
                    found.unbuilt.get_or_insert((node.len(), releases));
                    continue;
                }
                Attempt::GaveUp => {
                    found.complete = false;
                    continue;
                }
            }
        };
        for line in lines.into_iter().filter(|line| !fixed.contains(line)) {
            let Some(level) = next_level(request, line, node.get(&line).copied()) else {
                continue;
            };
            let mut child = node.clone();
            child.insert(line, level);
            if child.len() > MAX_LINES {
                found.complete = false;
            } else if seen.insert(child.clone()) {
                waiting.push_back(child);
            }
        }
    }
    let whole = known.iter().any(|known| known.under.is_empty());
    found.cores = known
        .into_iter()
        .filter(|known| known.under.is_empty() || !whole)
        .map(|known| known.core)
        .collect();
    found
}

/// The core of a relaxed request. Lines that only keep a freed line's say on pre-releases
/// are no lines of the user's.
fn own_core(
    study: &Study<'_>,
    request: &Request,
    changed: &Request,
    conflict: &Conflict,
) -> Option<Core> {
    let mut core = core(study, changed, conflict)?;
    core.lines.retain(|line| line.of(request).is_some());
    Some(core)
}

fn next_level(request: &Request, line: UserLine, now: Option<Level>) -> Option<Level> {
    let bounded = line.of(request).is_some_and(is_bounded);
    match (now, line) {
        (None, _) if bounded => Some(Level::Freed),
        // A constraint without bounds says nothing: there is nothing left to leave out.
        (None | Some(Level::Freed), UserLine::Requirement(_)) => Some(Level::LeftOut),
        _ => None,
    }
}

impl Known {
    /// Whether the core is one of the request under this relaxation too.
    fn holds(&self, node: &Relaxation) -> bool {
        self.core
            .lines
            .iter()
            .all(|line| node.get(line) == self.under.get(line))
    }
}

/// Whether a relaxation does all that another does.
fn contains(node: &Relaxation, other: &Relaxation) -> bool {
    other
        .iter()
        .all(|(line, level)| node.get(line).is_some_and(|known| known >= level))
}

/// The request with lines relaxed; the numbers of its own lines stay the same.
pub(super) fn relaxed(request: &Request, relaxation: &Relaxation) -> Request {
    let mut changed = request.clone();
    for (line, level) in relaxation {
        match level {
            Level::Freed => free(&mut changed, *line),
            Level::LeftOut => leave_out(&mut changed, *line),
        }
    }
    changed
}
