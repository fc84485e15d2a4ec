//! Edits to the user's own lines; each set of them is solved before it is named.

use std::collections::{BTreeMap, BTreeSet};

use pep440_rs::{Version, VersionSpecifiers};
use pep508_rs::PackageName;

use super::bounds::{at_least, below, exactly, with_specifiers};
use super::relax::{Level, Relaxation, relaxed};
use super::study::{Attempt, Study, UserLine};
use crate::request::{Line, LineSource, Place, Request};
use crate::solve::{Solution, SolveError};
use crate::versions;

/// What a set of edits, solved, would give.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fix {
    /// The lines to change, in their order.
    pub edits: Vec<Edit>,
    /// Lines to add, so that what is wanted is also what is locked.
    pub adds: Vec<String>,
    /// Options to give, as they are written.
    pub options: Vec<String>,
    /// The versions that would then be locked, of the distributions that it is about.
    pub gives: Vec<(PackageName, Version)>,
    /// How many distributions would differ from what is locked; `None` where nothing is.
    pub changes: Option<usize>,
    /// What comes first: the least goes first.
    pub(super) cost: Cost,
}

/// How far a fix goes: lines changed, lines left out, releases passed over, lines moved
/// down.
pub(super) type Cost = (usize, usize, u32, usize);

/// One changed line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// The line.
    pub line: UserLine,
    /// Where it stands.
    pub place: Place,
    /// The line as it is.
    pub was: String,
    /// What it would be; `None` where it is left out.
    pub now: Option<String>,
}

/// What is asked beside the user's lines.
#[derive(Debug, Clone)]
pub(super) struct Demand {
    /// Its index among the requirements of the request it was added to.
    pub(super) index: usize,
    pub(super) line: Line,
}

impl Demand {
    /// Adds a demand to a request.
    pub(super) fn add(request: &Request, line: Line) -> (Request, Self) {
        let mut demanding = request.clone();
        let index = demanding.requirements.len();
        demanding.requirements.push(line.clone());
        (demanding, Self { index, line })
    }

    pub(super) fn fixed(&self) -> BTreeSet<UserLine> {
        BTreeSet::from([UserLine::Requirement(self.index)])
    }

    /// Whether a solution meets it, its extras too.
    pub(super) fn met(&self, solution: &Solution) -> bool {
        let LineSource::Specifiers(specifiers) = &self.line.source else {
            return false;
        };
        solution
            .packages
            .get(&self.line.name)
            .is_some_and(|chosen| {
                let mut extras = self.line.extras.iter();
                versions::contains(specifiers, &chosen.version)
                    && extras.all(|extra| chosen.extras.contains(extra))
            })
    }
}

/// What turns relaxations into fixes.
pub(super) struct Fixer<'a, 'b> {
    pub(super) study: &'a Study<'b>,
    /// The user's request.
    pub(super) request: &'a Request,
    pub(super) demand: Option<&'a Demand>,
    /// What is locked now.
    pub(super) baseline: Option<&'a Solution>,
    /// The distributions that a reader wants to hear of, in order.
    pub(super) about: &'a [PackageName],
}

impl Fixer<'_, '_> {
    /// The edits that a relaxation comes down to; `None` where they cannot be written down
    /// or do not solve it after all.
    pub(super) fn fix(
        &self,
        relaxation: &Relaxation,
        solution: &Solution,
    ) -> Result<Option<Fix>, SolveError> {
        let mut current = match self.demand {
            Some(demand) => Demand::add(self.request, demand.line.clone()).0,
            None => self.request.clone(),
        };
        current = relaxed(&current, relaxation);
        let mut cost = (relaxation.len(), 0, 0, 0);
        let mut edited: BTreeMap<UserLine, Option<Line>> = BTreeMap::new();
        for (line, level) in relaxation {
            let Some(old) = line.of(self.request) else {
                return Ok(None);
            };
            let chosen = solution.packages.get(&old.name);
            let (Level::Freed, Some(chosen)) = (level, chosen) else {
                cost.1 += 1;
                edited.insert(*line, None);
                continue;
            };
            let Some(moved) = self.nearest(&current, *line, old, &chosen.version)? else {
                return Ok(None);
            };
            cost.2 += moved.passed;
            cost.3 += usize::from(moved.down);
            let new = with_specifiers(old, &moved.specifiers);
            if let Some(place) = line.of_mut(&mut current) {
                place.source.clone_from(&new.source);
            }
            edited.insert(*line, Some(new));
        }
        Ok(self.verified(&edited, cost))
    }

    /// The release nearest to a line's bounds with which there is a solution, and the bound
    /// that admits it. `chosen` is one with which there is.
    fn nearest(
        &self,
        current: &Request,
        line: UserLine,
        old: &Line,
        chosen: &Version,
    ) -> Result<Option<Moved>, SolveError> {
        let candidates = self.study.candidates(&old.name, self.request)?;
        let known = candidates.versions.as_slice();
        // A short bound must not seem to speak of releases that cannot be chosen.
        let mut all: Vec<Version> = known.to_vec();
        all.extend(
            candidates
                .rejected
                .iter()
                .map(|(version, _)| version.clone()),
        );
        all.sort();
        let Ok(works) = known.binary_search(chosen) else {
            return Ok(None);
        };
        let (low, high) = gap(old, known);
        if works >= high {
            let first = self.first_working(current, line, known, high, works);
            return Ok(Some(Moved {
                specifiers: at_least(&known[first], &all),
                passed: count(first.abs_diff(high)),
                down: false,
            }));
        }
        let Some(low) = low.filter(|low| works <= *low) else {
            return Ok(None);
        };
        let last = self.last_working(current, line, known, works, low);
        // Where no later one suits the target, the next that exists bounds it.
        let later = || {
            all.iter()
                .find(|version| **version > known[last] && !version.any_prerelease())
        };
        let specifiers = match known.get(last + 1).or_else(later) {
            Some(next) => below(next, &all),
            None => at_least(&known[last], &all),
        };
        Ok(Some(Moved {
            specifiers,
            passed: count(last.abs_diff(low)),
            down: true,
        }))
    }

    fn works(&self, current: &Request, line: UserLine, at: &Version) -> bool {
        let mut tried = current.clone();
        if let Some(place) = line.of_mut(&mut tried) {
            place.source = LineSource::Specifiers(exactly(at));
        }
        matches!(self.study.attempt(&tried), Attempt::Solved(_))
    }

    /// The first release from `from` on with which there is a solution, if those that work
    /// follow those that do not; else some release that works and whose forerunner does not.
    fn first_working(
        &self,
        current: &Request,
        line: UserLine,
        known: &[Version],
        from: usize,
        works: usize,
    ) -> usize {
        let (mut low, mut high) = (from, works);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.works(current, line, &known[middle]) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        high
    }

    /// The mirror image: the last release up to `to`.
    fn last_working(
        &self,
        current: &Request,
        line: UserLine,
        known: &[Version],
        works: usize,
        to: usize,
    ) -> usize {
        let (mut low, mut high) = (works, to);
        while low < high {
            let middle = high - (high - low) / 2;
            if self.works(current, line, &known[middle]) {
                low = middle;
            } else {
                high = middle - 1;
            }
        }
        low
    }

    /// Solves the request as edited, without the demand, as the user would.
    pub(super) fn verified(
        &self,
        edited: &BTreeMap<UserLine, Option<Line>>,
        cost: Cost,
    ) -> Option<Fix> {
        let mut request = self.request.clone();
        if let Some(demand) = self.demand {
            request.pins.remove(&demand.line.name);
        }
        for (line, new) in edited {
            if let (Some(place), Some(new)) = (line.of_mut(&mut request), new) {
                *place = new.clone();
            }
        }
        remove(&mut request, edited);
        let mut adds = Vec::new();
        let Attempt::Solved(mut solution) = self.study.attempt(&request) else {
            return None;
        };
        if let Some(demand) = self.demand
            && !demand.met(&solution)
        {
            // It would be there for the demand's sake alone: that is another wish.
            let name = &demand.line.name;
            let is_needed = solution.packages.contains_key(name);
            if !is_needed
                && self
                    .baseline
                    .is_some_and(|now| now.packages.contains_key(name))
            {
                return None;
            }
            adds.push(demand.line.text.clone());
            request.requirements.push(demand.line.clone());
            let Attempt::Solved(added) = self.study.attempt(&request) else {
                return None;
            };
            solution = added;
        }
        let edits: Vec<Edit> = edited
            .iter()
            .filter_map(|(line, new)| {
                let old = line.of(self.request)?;
                Some(Edit {
                    line: *line,
                    place: old.place.clone(),
                    was: old.text.clone(),
                    now: new.as_ref().map(|new| new.text.clone()),
                })
            })
            .collect();
        let names = edited
            .keys()
            .filter_map(|line| Some(&line.of(self.request)?.name));
        Some(Fix {
            gives: self.gives(names, &solution),
            changes: self.baseline.map(|baseline| changes(baseline, &solution)),
            edits,
            adds,
            options: Vec::new(),
            cost,
        })
    }

    /// What a solution gives for the names that matter.
    pub(super) fn gives<'n>(
        &'n self,
        names: impl Iterator<Item = &'n PackageName>,
        solution: &Solution,
    ) -> Vec<(PackageName, Version)> {
        let mut told: Vec<(PackageName, Version)> = Vec::new();
        for name in names.chain(self.about.iter()) {
            if told.iter().any(|(known, _)| known == name) {
                continue;
            }
            if let Some(chosen) = solution.packages.get(name) {
                told.push((name.clone(), chosen.version.clone()));
            }
        }
        told.truncate(6);
        told
    }
}

/// A line's new bounds, and how far they are from the old ones.
struct Moved {
    specifiers: VersionSpecifiers,
    passed: u32,
    down: bool,
}

/// The last known release below a line's range, and the first above it.
fn gap(line: &Line, known: &[Version]) -> (Option<usize>, usize) {
    let LineSource::Specifiers(specifiers) = &line.source else {
        return (known.len().checked_sub(1), known.len());
    };
    let inside: Vec<usize> = known
        .iter()
        .enumerate()
        .filter(|(_, version)| versions::contains(specifiers, version))
        .map(|(index, _)| index)
        .collect();
    if let (Some(first), Some(last)) = (inside.first(), inside.last()) {
        return (first.checked_sub(1), last + 1);
    }
    // Nothing is in the range: it lies at its least bound.
    let least = specifiers
        .iter()
        .map(pep440_rs::VersionSpecifier::version)
        .min();
    let at = least.map_or(0, |least| known.partition_point(|version| version < least));
    (at.checked_sub(1), at)
}

fn count(releases: usize) -> u32 {
    u32::try_from(releases).unwrap_or(u32::MAX)
}

/// Removes the lines that are left out, from the end so that the numbers hold.
fn remove(request: &mut Request, edited: &BTreeMap<UserLine, Option<Line>>) {
    for (line, new) in edited.iter().rev() {
        if new.is_some() {
            continue;
        }
        match line {
            UserLine::Requirement(index) if *index < request.requirements.len() => {
                request.requirements.remove(*index);
            }
            UserLine::Constraint(index) if *index < request.constraints.len() => {
                request.constraints.remove(*index);
            }
            _ => {}
        }
    }
}

/// How many distributions differ between two solutions.
pub(super) fn changes(before: &Solution, after: &Solution) -> usize {
    let names: BTreeSet<&PackageName> = before
        .packages
        .keys()
        .chain(after.packages.keys())
        .collect();
    names
        .into_iter()
        .filter(|name| {
            let version = |solution: &Solution| {
                solution
                    .packages
                    .get(*name)
                    .map(|chosen| chosen.version.clone())
            };
            version(before) != version(after)
        })
        .count()
}
