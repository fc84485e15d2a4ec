//! Releases that forgot a bound.
//!
//! A release from before a limit was known admits, in its letters, all that came after it. A
//! solver that takes a newer client first walks down the file system that needs it, past every
//! release that says which clients it works with, to one of years ago that says nothing, and
//! calls that a solution. So a release is suspicious where a newer one of the same distribution
//! was tried, and stands beside the rest of the solution but for bounds from above: the older
//! one admits what the newer one is too old for, and would admit whatever came after it. One
//! that states a limit of its own, if a higher one, forgot none. Nor is a release suspicious that
//! lies a step or two behind: it is not from before a limit was known. What is done about one is
//! in `runs.rs`; where there is no better answer, the release stays, and the solution says so.

use std::collections::{BTreeMap, BTreeSet};

use pep440_rs::Version;
use pep508_rs::{ExtraName, PackageName};
use pubgrub::SelectedDependencies;

use super::edges::Requirement;
use super::facts::Facts;
use super::node::{NameId, Node};
use super::order::Class;
use super::outcome::{SolveError, Warning};
use super::provider::Provider;
use super::universe::{Source, Universe};
use super::world::set_of;
use crate::versions::{Rank, RankSet};

/// A release that lies less than this part of its distribution's releases behind the newer one
/// that was tried is no old release; where a line of the user's asks for it, a quarter of that.
const OLD: u64 = 8;

/// What a distribution counts for that is as far back as can be.
const WHOLE: u64 = 1_000_000;

/// How many times as much one counts for that a line of the user's asks for.
const OF_A_LINE: u64 = 4;

/// By distribution: only releases above this one are taken, and they are decided first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Floors(BTreeMap<PackageName, Rank>);

impl Floors {
    /// These, and none of the releases up to some.
    pub(crate) fn above(&self, releases: &[&Forgotten]) -> Self {
        let mut more = self.clone();
        for release in releases {
            more.0.insert(release.package.clone(), release.rank);
        }
        more
    }

    /// Whether a distribution has one: it is decided before the rest of its tier.
    pub(crate) fn concern(&self, name: &PackageName) -> bool {
        self.0.contains_key(name)
    }

    /// What may be taken of a range.
    pub(crate) fn admitted(&self, name: &PackageName, range: &RankSet) -> RankSet {
        match self.0.get(name) {
            Some(floor) => range.intersection(&RankSet::interval(floor + 1, Rank::MAX)),
            None => range.clone(),
        }
    }
}

/// A release in a solution that admits what a newer one says it does not work with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Forgotten {
    pub(crate) package: PackageName,
    pub(crate) rank: Rank,
    version: Version,
    newer: Version,
    bound: Bound,
}

impl Forgotten {
    pub(crate) fn warning(self) -> Warning {
        Warning::ForgotBound {
            name: self.package,
            version: self.version,
            newer: self.newer,
            by: self.bound.by,
            to: self.bound.to,
            range: self.bound.range,
            locked: self.bound.taken,
        }
    }
}

/// A bound from above that a solution does not keep.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Bound {
    /// The release that states it.
    by: (PackageName, Version),
    /// On which distribution.
    to: PackageName,
    range: String,
    /// The release that is in the solution.
    taken: Version,
}

/// How much a solution holds back: for each distribution, which part of its releases lies
/// between the one taken and the newest, or the one that a lock pins or that is installed; more
/// for what the user's own lines ask for.
pub(crate) fn held_back<F: Facts>(
    provider: &Provider<'_, F>,
    selected: &SelectedDependencies<Node, Rank>,
) -> Result<u64, SolveError> {
    let world = &provider.world;
    let mut sum = 0_u64;
    for (node, rank) in selected.iter() {
        let Node::Package(id) = node else { continue };
        let universe = world.universe(*id)?;
        if !matches!(universe.source, Source::Index(_)) {
            continue;
        }
        let pin = world.pin(&universe.name).and_then(|pin| universe.rank(pin));
        let place = pin.unwrap_or_else(|| universe.len().saturating_sub(1));
        let all = u64::from(universe.len()).max(1);
        let weight = weight(provider.class(&universe.name));
        let part = u64::from(place.abs_diff(*rank)) * WHOLE * weight / all;
        sum = sum.saturating_add(part);
    }
    Ok(sum)
}

/// How much a distribution counts for.
fn weight(class: Class) -> u64 {
    match class {
        Class::Transitive => 1,
        Class::Line | Class::BoundedLine => OF_A_LINE,
    }
}

/// The releases of a selection that forgot a bound, by name.
pub(crate) fn forgotten<F: Facts>(
    provider: &Provider<'_, F>,
    selected: &SelectedDependencies<Node, Rank>,
) -> Result<Vec<Forgotten>, SolveError> {
    let mut ranks = BTreeMap::new();
    let mut extras: BTreeMap<NameId, BTreeSet<ExtraName>> = BTreeMap::new();
    for (node, rank) in selected.iter() {
        match node {
            Node::Package(id) => {
                ranks.insert(*id, *rank);
            }
            Node::Extra(id, extra) => {
                let extra = provider.world.names.extra_name(*extra);
                extras.entry(*id).or_default().insert(extra);
            }
            _ => {}
        }
    }
    let beside = Beside { provider, ranks };
    let mut found = Vec::new();
    for (id, rank) in &beside.ranks {
        let extras: Vec<ExtraName> = extras.remove(id).into_iter().flatten().collect();
        found.extend(beside.newer_with_bound(*id, *rank, &extras)?);
    }
    found.sort_by(|one, other| one.package.cmp(&other.package));
    Ok(found)
}

/// How a release that was tried stands to a solution.
enum Stand {
    /// Nothing speaks against it.
    Fits,
    /// Only that something in the solution is newer than what it admits.
    TooOld(Bound),
    /// Something else.
    Otherwise,
}

/// A solution, and what was tried on the way to it.
struct Beside<'a, 'b, F: Facts> {
    provider: &'a Provider<'b, F>,
    ranks: BTreeMap<NameId, Rank>,
}

impl<F: Facts> Beside<'_, '_, F> {
    fn newer_with_bound(
        &self,
        id: NameId,
        rank: Rank,
        extras: &[ExtraName],
    ) -> Result<Option<Forgotten>, SolveError> {
        let tried = self
            .provider
            .tried(id, &RankSet::interval(rank + 1, Rank::MAX));
        if tried.is_empty() {
            return Ok(None);
        }
        let universe = self.provider.world.universe(id)?;
        let weight = weight(self.provider.class(&universe.name));
        let is_old =
            |newer: &Rank| u64::from(newer - rank) * OLD * weight >= u64::from(universe.len());
        for newer in tried.into_iter().filter(is_old) {
            let mut seen = BTreeSet::from([id]);
            let stand = self.stand(id, newer, extras, &mut seen)?;
            if let Stand::TooOld(bound) = stand
                && !self.is_bounded((id, rank), extras, &bound.to)?
            {
                return Ok(Some(Forgotten {
                    package: universe.name.clone(),
                    rank,
                    version: universe.versions[rank as usize].clone(),
                    newer: universe.versions[newer as usize].clone(),
                    bound,
                }));
            }
        }
        Ok(None)
    }

    /// Whether a release in the solution itself does without the newest of another distribution:
    /// it states a limit, if not the same one.
    fn is_bounded(
        &self,
        (id, rank): (NameId, Rank),
        extras: &[ExtraName],
        to: &PackageName,
    ) -> Result<bool, SolveError> {
        let world = &self.provider.world;
        let other = world.universe(world.names.package(to).0)?;
        let (Some(metadata), Some(newest)) =
            (world.read_already(id, rank), other.len().checked_sub(1))
        else {
            return Ok(false);
        };
        let mut asked = std::iter::once(None)
            .chain(extras.iter().map(Some))
            .filter_map(|extra| world.requirements.of_metadata(&metadata, extra).ok())
            .flat_map(|found| found.requirements);
        Ok(asked.any(|it| it.to == *to && !set_of(&other, &it.range).contains(newest)))
    }

    /// How a release stands to the solution: by itself, and by what it would bring in.
    fn stand(
        &self,
        id: NameId,
        rank: Rank,
        extras: &[ExtraName],
        seen: &mut BTreeSet<NameId>,
    ) -> Result<Stand, SolveError> {
        let world = &self.provider.world;
        let universe = world.universe(id)?;
        let Some(metadata) = world.read_already(id, rank) else {
            return Ok(Stand::Otherwise);
        };
        let mut bound = None;
        for extra in std::iter::once(None).chain(extras.iter().map(Some)) {
            let Ok(found) = world.requirements.of_metadata(&metadata, extra) else {
                return Ok(Stand::Otherwise);
            };
            for requirement in &found.requirements {
                match self.requirement((&universe, rank), requirement, seen)? {
                    Stand::Fits => {}
                    Stand::TooOld(found) => bound = bound.or(Some(found)),
                    Stand::Otherwise => return Ok(Stand::Otherwise),
                }
            }
        }
        Ok(bound.map_or(Stand::Fits, Stand::TooOld))
    }

    fn requirement(
        &self,
        (universe, rank): (&Universe, Rank),
        requirement: &Requirement,
        seen: &mut BTreeSet<NameId>,
    ) -> Result<Stand, SolveError> {
        let world = &self.provider.world;
        let (to, _) = world.names.package(&requirement.to);
        let other = world.universe(to)?;
        let set = set_of(&other, &requirement.range);
        let Some(taken) = self.ranks.get(&to).copied() else {
            // What it would bring in: as it was tried.
            let tried = self.provider.tried(to, &set);
            let Some(newest) = tried.first().filter(|_| seen.insert(to)) else {
                return Ok(Stand::Fits);
            };
            return self.stand(to, *newest, &requirement.extras, seen);
        };
        if set.contains(taken) {
            return Ok(Stand::Fits);
        }
        let newest = set.ranks_below(other.len()).next_back();
        if newest.is_none_or(|newest| newest > taken) {
            return Ok(Stand::Otherwise);
        }
        Ok(Stand::TooOld(Bound {
            by: (
                universe.name.clone(),
                universe.versions[rank as usize].clone(),
            ),
            to: requirement.to.clone(),
            range: requirement.range.text(),
            taken: other.versions[taken as usize].clone(),
        }))
    }
}
