//! From PubGrub's derivation tree to the things that cannot hold together.
//!
//! The tree's leaves are the facts; everything between them is inference that a reader
//! can redo. Nodes that only pass a wish on are folded into what they stand for.

use pubgrub::{DerivationTree, External};

use super::edges::{Requirement, Requirements, VirtualRange};
use super::facts::{Facts, Unusable};
use super::labels::Family;
use super::node::{ABSENT, NameId, Node};
use super::outcome::{Conflict, EdgeCause, Reason, SolveError, Span};
use super::provider::{Provider, SetAside};
use super::universe::{Source, Universe};
use super::world::{Failure, World, set_of};
use crate::rules::RuleKind;
use crate::versions::{Rank, RankSet};

/// How many releases that ask for the same distribution are looked at, newest first: each is
/// read again, and an explanation compares hundreds of conflicts.
const LOOKED_AT: usize = 32;

type Tree = DerivationTree<Node, RankSet, SetAside>;

/// The reasons that a derivation tree's leaves stand for.
pub(crate) fn conflict<F: Facts>(
    provider: &Provider<'_, F>,
    tree: &Tree,
) -> Result<Conflict, SolveError> {
    let mut folding = Folding {
        world: &provider.world,
        conflict: Conflict::default(),
    };
    // An explicit stack: derivations of large problems are deep.
    let mut waiting = vec![tree];
    let mut seen = std::collections::BTreeSet::new();
    while let Some(tree) = waiting.pop() {
        match tree {
            DerivationTree::External(external) => folding.leaf(external)?,
            DerivationTree::Derived(derived) => {
                if derived.shared_id.is_none_or(|id| seen.insert(id)) {
                    waiting.push(&derived.cause2);
                    waiting.push(&derived.cause1);
                }
            }
        }
    }
    Ok(folding.conflict)
}

struct Folding<'a, 'b, F: Facts> {
    world: &'a World<'b, F>,
    conflict: Conflict,
}

impl<F: Facts> Folding<'_, '_, F> {
    fn leaf(&mut self, external: &External<Node, RankSet, SetAside>) -> Result<(), SolveError> {
        match external {
            External::NotRoot(..) => {}
            External::FromDependencyOf(from, ranks, to, _) => self.edge(*from, ranks, *to)?,
            External::NoVersions(node, range) => self.no_versions(*node, range)?,
            External::Custom(node, ranks, SetAside(reason)) => {
                if let Some(id) = node.distribution() {
                    let universe = self.world.universe(id)?;
                    // What was tried of one release is not said of every one.
                    let only = universe.versions.first();
                    let releases = match only.filter(|_| universe.len() == 1) {
                        Some(only) if ranks.contains(0) && !universe.is_unversioned() => {
                            Span::One(only.clone())
                        }
                        _ => span(&universe, ranks),
                    };
                    self.add(Reason::SetAside {
                        package: universe.name.clone(),
                        releases,
                        reason: reason.clone(),
                    });
                }
            }
        }
        Ok(())
    }

    fn add(&mut self, reason: Reason) {
        if !self.conflict.reasons.contains(&reason) {
            self.conflict.reasons.push(reason);
        }
    }

    fn edge(&mut self, from: Node, ranks: &RankSet, to: Node) -> Result<(), SolveError> {
        // What a release asks for, its shadow asks for.
        let from = match from {
            Node::Shadow(id) => Node::Package(id),
            other => other,
        };
        match (from, to) {
            (Node::Line(index), to) => {
                if let Node::Slot(slot) = to {
                    let asked = self.world.requirements.of_line(index as usize).requirements;
                    self.fills(&asked, slot)?;
                }
                self.add(Reason::Line(index as usize));
                // A name that no index has, and a range that nothing meets, show here
                // only: PubGrub never asks for their versions.
                if let Node::Package(id) | Node::Extra(id, _) = to {
                    self.empty_line(index as usize, id)?;
                }
            }
            (Node::Constraint(id), _) => {
                let name = self.world.names.package_name(id);
                for constraint in self.world.requirements.constraints(&name) {
                    if let EdgeCause::Constraint(index) = constraint.cause {
                        self.add(Reason::Constraint(index));
                    }
                }
                self.installed(id)?;
            }
            (Node::Base(id), to) => self.base(id, to)?,
            (Node::Rule(_), Node::Package(id)) => {
                self.installed(id)?;
            }
            (Node::Package(id), Node::Rule(index)) => self.rule(id, ranks, index)?,
            (Node::Package(id) | Node::Extra(id, _), Node::Slot(index)) => {
                self.slot(from, id, ranks, index)?;
            }
            (Node::Package(id), Node::Label(index)) => self.build(id, ranks, index)?,
            (Node::Package(id), Node::Virtual(index)) => self.brings(id, ranks, index)?,
            (Node::Label(rule), Node::Virtual(index)) => self.label_brings(rule, ranks, index),
            (Node::Package(id) | Node::Extra(id, _), to)
                if to.distribution().is_some_and(|other| other != id) =>
            {
                self.requires(from, id, ranks, to)?;
            }
            _ => {}
        }
        Ok(())
    }

    /// The distribution is there already and stays as it is.
    fn installed(&mut self, id: NameId) -> Result<bool, SolveError> {
        let universe = self.world.universe(id)?;
        let Source::Installed(package) = &universe.source else {
            return Ok(false);
        };
        self.add(Reason::Installed {
            package: universe.name.clone(),
            version: package.version.clone(),
        });
        Ok(true)
    }

    /// What packages of the base ask of a distribution.
    fn base(&mut self, id: NameId, to: Node) -> Result<(), SolveError> {
        let world = self.world;
        let name = world.names.package_name(id);
        if let Node::Slot(index) = to {
            if let Some(rule) = world.rules().nth(index as usize) {
                for (member, version) in world.base_limits.fills(&rule.id) {
                    self.add(Reason::Slot {
                        id: rule.id.clone(),
                        package: member.clone(),
                        releases: Span::One(version.clone()),
                    });
                    self.installed(world.names.package(member).0)?;
                }
            }
            return Ok(());
        }
        let universe = world.universe(id)?;
        let all = |limits: &[(RankSet, &Requirement)]| {
            limits
                .iter()
                .fold(RankSet::interval(0, universe.len()), |all, (set, _)| {
                    all.intersection(set)
                })
        };
        let mut limits: Vec<(RankSet, &Requirement)> = world
            .base_limits
            .on(&name)
            .iter()
            .map(|limit| (set_of(&universe, &limit.range), limit))
            .collect();
        // Those that exclude nothing beyond what the others do need not be told.
        let admitted = all(&limits);
        let mut index = 0;
        while index < limits.len() {
            let limit = limits.remove(index);
            if all(&limits) != admitted {
                limits.insert(index, limit);
                index += 1;
            }
        }
        for (_, limit) in limits {
            self.limit(limit)?;
        }
        Ok(())
    }

    fn limit(&mut self, limit: &Requirement) -> Result<(), SolveError> {
        let (EdgeCause::Package { name, .. } | EdgeCause::Rule { name, .. }) = &limit.cause else {
            return Ok(());
        };
        let (id, _) = self.world.names.package(name);
        let universe = self.world.universe(id)?;
        let releases = span(&universe, &RankSet::interval(0, universe.len()));
        let releases = match universe.versions.first() {
            Some(version) if !universe.is_unversioned() => Span::One(version.clone()),
            _ => releases,
        };
        self.add(match &limit.cause {
            EdgeCause::Rule { id, .. } => Reason::Rule {
                id: id.clone(),
                package: name.clone(),
                releases,
            },
            _ => Reason::Requires {
                package: name.clone(),
                releases,
                extra: None,
                to: limit.to.clone(),
                ranges: vec![limit.range.text()],
                all: true,
            },
        });
        self.installed(id)?;
        Ok(())
    }

    fn rule(&mut self, id: NameId, ranks: &RankSet, index: u32) -> Result<(), SolveError> {
        let universe = self.world.universe(id)?;
        if let Some(rule) = self.world.rules().nth(index as usize) {
            self.add(Reason::Rule {
                id: rule.id.clone(),
                package: universe.name.clone(),
                releases: span(&universe, ranks),
            });
        }
        Ok(())
    }

    fn build(&mut self, id: NameId, ranks: &RankSet, index: u32) -> Result<(), SolveError> {
        let universe = self.world.universe(id)?;
        let rule = self.world.rules().nth(index as usize);
        let Some(family) = rule.and_then(|rule| Family::of(rule)) else {
            return Ok(());
        };
        let numbers = ranks
            .ranks_below(universe.len())
            .filter_map(|rank| universe.labels(rank))
            .fold(RankSet::empty(), |all, (_, labels)| all.union(labels));
        let labels = numbers
            .ranks_below(ABSENT)
            .filter_map(|number| family.label(number))
            .map(|label| label.name.clone())
            .collect();
        self.add(Reason::Build {
            family: family.name.to_owned(),
            package: universe.name.clone(),
            releases: span(&universe, ranks),
            labels,
        });
        Ok(())
    }

    fn brings(&mut self, id: NameId, ranks: &RankSet, index: u32) -> Result<(), SolveError> {
        let universe = self.world.universe(id)?;
        let package = self.world.virtual_name(index);
        let mut versions = Vec::new();
        for rank in ranks.ranks_below(universe.len()) {
            let version = &universe.versions[rank as usize];
            let of_rules = self
                .world
                .requirements
                .applying(&universe.name, version)
                .into_iter()
                .filter(|rule| matches!(rule.kind, RuleKind::Provides { .. }))
                .flat_map(|rule| Requirements::virtuals_of_rule(rule, version))
                .filter_map(|edge| match edge.range {
                    VirtualRange::Provides(version) => Some((edge.package, version)),
                    VirtualRange::Needs(_) => None,
                });
            let all = of_rules.chain(self.world.brought_by(&universe, rank));
            versions.extend(all.filter(|(name, _)| *name == package).map(|pair| pair.1));
        }
        versions.sort();
        versions.dedup();
        self.add(Reason::Brings {
            who: universe.name.to_string(),
            releases: Some(span(&universe, ranks)),
            package,
            versions,
        });
        Ok(())
    }

    fn label_brings(&mut self, rule: u32, numbers: &RankSet, index: u32) {
        let package = self.world.virtual_name(index);
        let rule = self.world.rules().nth(rule as usize);
        let Some(family) = rule.and_then(|rule| Family::of(rule)) else {
            return;
        };
        let count = Rank::try_from(family.labels.len()).unwrap_or(Rank::MAX);
        for label in numbers
            .ranks_below(count)
            .filter_map(|number| family.label(number))
        {
            self.add(Reason::Brings {
                who: format!("the build {} of {}", label.name, family.name),
                releases: None,
                package: package.clone(),
                versions: label.provides.get(&package).cloned().into_iter().collect(),
            });
        }
    }

    /// What each of the newest of some releases asks for, and whether those are all; where an
    /// edge of the derivation says that it is the same, the words may still differ.
    fn asked(
        &self,
        from: Node,
        id: NameId,
        ranks: &RankSet,
    ) -> Result<(Vec<Vec<Requirement>>, bool), SolveError> {
        let universe = self.world.universe(id)?;
        let extra = match from {
            Node::Extra(_, extra) => Some(self.world.names.extra_name(extra)),
            _ => None,
        };
        let mut asked = Vec::new();
        let mut newest = ranks.ranks_below(universe.len()).rev();
        for rank in newest.by_ref().take(LOOKED_AT) {
            let metadata = match self.world.metadata(id, &universe, rank) {
                Ok(metadata) => metadata,
                Err(Failure::Unusable(_)) => continue,
                Err(Failure::Fatal(error)) => return Err(error),
            };
            if let Ok(found) = self
                .world
                .requirements
                .of_metadata(&metadata, extra.as_ref())
            {
                asked.push(found.requirements);
            }
        }
        Ok((asked, newest.next().is_none()))
    }

    /// Releases that install into a slot, or ask for a distribution that does.
    fn slot(
        &mut self,
        from: Node,
        id: NameId,
        ranks: &RankSet,
        slot: u32,
    ) -> Result<(), SolveError> {
        let universe = self.world.universe(id)?;
        let Some(rule) = self.world.rules().nth(slot as usize) else {
            return Ok(());
        };
        if rule.kind.members().contains(&universe.name) {
            self.add(Reason::Slot {
                id: rule.id.clone(),
                package: universe.name.clone(),
                releases: span(&universe, ranks),
            });
            return Ok(());
        }
        let asked = self.asked(from, id, ranks)?.0.concat();
        for requirement in &asked {
            if rule.kind.members().contains(&requirement.to) {
                let (to, _) = self.world.names.package(&requirement.to);
                self.requires(from, id, ranks, Node::Package(to))?;
            }
        }
        self.fills(&asked, slot)
    }

    /// The members of a slot that requirements pull in.
    fn fills(&mut self, asked: &[Requirement], slot: u32) -> Result<(), SolveError> {
        let Some(rule) = self.world.rules().nth(slot as usize) else {
            return Ok(());
        };
        for requirement in asked {
            if !requirement.pulls_in || !rule.kind.members().contains(&requirement.to) {
                continue;
            }
            let (id, _) = self.world.names.package(&requirement.to);
            let universe = self.world.universe(id)?;
            self.add(Reason::Slot {
                id: rule.id.clone(),
                package: universe.name.clone(),
                releases: span(&universe, &set_of(&universe, &requirement.range)),
            });
        }
        Ok(())
    }

    /// A requirement of metadata: the texts are read again from the releases it is true of.
    fn requires(
        &mut self,
        from: Node,
        id: NameId,
        ranks: &RankSet,
        to: Node,
    ) -> Result<(), SolveError> {
        let Some(other) = to.distribution() else {
            return Ok(());
        };
        let universe = self.world.universe(id)?;
        let target = self.world.names.package_name(other);
        let extra = match from {
            Node::Extra(_, extra) => Some(self.world.names.extra_name(extra)),
            _ => None,
        };
        let other_universe = self.world.universe(other)?;
        let mut each: Vec<Vec<String>> = Vec::new();
        let mut empty = None;
        let (asked, all) = self.asked(from, id, ranks)?;
        for release in asked {
            let mut ranges: Vec<String> = Vec::new();
            for requirement in release {
                let text = requirement.range.text();
                if requirement.to != target || ranges.contains(&text) {
                    continue;
                }
                ranges.push(text);
                if set_of(&other_universe, &requirement.range).is_empty() {
                    empty = Some(rejected_in(&other_universe, &requirement.range));
                }
            }
            if !ranges.is_empty() && !each.contains(&ranges) {
                each.push(ranges);
            }
        }
        if each.is_empty() {
            each.push(Vec::new());
        }
        for ranges in each {
            self.add(Reason::Requires {
                package: universe.name.clone(),
                releases: span(&universe, ranks),
                extra: extra.clone(),
                to: target.clone(),
                ranges,
                all,
            });
        }
        if matches!(
            other_universe.source,
            Source::Missing(_) | Source::NoBuild(_)
        ) {
            return self.missing(other);
        }
        if self.installed(other)? {
            return Ok(());
        }
        if let Some(rejected) = empty {
            self.add(Reason::NoRelease {
                package: target,
                rejected,
            });
        }
        Ok(())
    }

    fn missing(&mut self, id: NameId) -> Result<(), SolveError> {
        let universe = self.world.universe(id)?;
        match &universe.source {
            Source::Missing(asked) => self.add(Reason::NotFound {
                package: universe.name.clone(),
                asked: asked.clone(),
            }),
            Source::NoBuild(because) => self.add(Reason::NoBuild {
                package: universe.name.clone(),
                because: because.clone(),
            }),
            _ => {}
        }
        Ok(())
    }

    /// A line whose range has no release that can be chosen.
    fn empty_line(&mut self, index: usize, id: NameId) -> Result<(), SolveError> {
        self.missing(id)?;
        let universe = self.world.universe(id)?;
        if matches!(universe.source, Source::Missing(_) | Source::NoBuild(_))
            || self.installed(id)?
        {
            return Ok(());
        }
        for requirement in self.world.requirements.of_line(index).requirements {
            if set_of(&universe, &requirement.range).is_empty() {
                self.add(Reason::NoRelease {
                    package: universe.name.clone(),
                    rejected: rejected_in(&universe, &requirement.range),
                });
            }
        }
        Ok(())
    }

    fn no_versions(&mut self, node: Node, range: &RankSet) -> Result<(), SolveError> {
        if let Node::Virtual(index) = node {
            let package = self.world.virtual_name(index);
            let stated = self
                .world
                .target()
                .virtual_version(&package)
                .or_else(|| {
                    let brought = self.world.base_limits.brings(&package)?;
                    brought.last().cloned()
                })
                .map(|version| version.to_string());
            self.add(Reason::Virtual { package, stated });
            return Ok(());
        }
        let Some(id) = node.distribution() else {
            return Ok(());
        };
        self.missing(id)?;
        let universe = self.world.universe(id)?;
        // A set that excludes releases that could be chosen is an inference; only where
        // nothing at all is left does the reader need to hear why.
        if universe.len() == 0 && !range.contains(ABSENT) {
            self.add(Reason::NoRelease {
                package: universe.name.clone(),
                rejected: universe.rejected().to_vec(),
            });
        }
        Ok(())
    }
}

/// The releases in a range that exist and cannot be chosen.
fn rejected_in(
    universe: &Universe,
    range: &super::edges::Range,
) -> Vec<(pep440_rs::Version, Unusable)> {
    let contains = |version: &pep440_rs::Version| match range {
        super::edges::Range::Specifiers(specifiers) => {
            crate::versions::contains(specifiers, version)
        }
        super::edges::Range::Rule(range) => range.contains(version),
        super::edges::Range::Direct(_) => true,
    };
    universe
        .rejected()
        .iter()
        .filter(|(version, _)| contains(version))
        .cloned()
        .collect()
}

/// A set of ranks, named by what exists.
pub(crate) fn span(universe: &Universe, ranks: &RankSet) -> Span {
    let len = universe.len();
    let within = ranks.intersection(&RankSet::interval(0, len));
    let version = |rank: Rank| universe.versions[rank as usize].clone();
    let intervals: Vec<(Rank, Rank)> = within.intervals().collect();
    match intervals.as_slice() {
        [] => Span::None,
        [(0, end)] if *end == len => Span::Every,
        [(start, end)] if end - start == 1 => Span::One(version(*start)),
        [(0, end)] => Span::Before(version(*end)),
        [(start, end)] if *end == len => Span::From(version(*start)),
        [(start, end)] => Span::Between(version(*start), version(end - 1)),
        [(start, _), .., (_, end)] => {
            Span::Several(version(*start), version(end - 1), within.count_below(len))
        }
    }
}
