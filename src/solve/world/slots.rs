//! What releases occupy and bring: slots, builds, virtual packages.

use std::collections::BTreeMap;

use pep440_rs::Version;
use pep508_rs::PackageName;

use super::super::edges::{VirtualEdge, VirtualRange};
use super::super::facts::Facts;
use super::super::labels::Family;
use super::super::node::{ABSENT, NameId, Node};
use super::super::sides::Sides;
use super::super::universe::Universe;
use super::super::virtuals;
use super::World;
use crate::rules::{RuleId, RuleKind, Sharing};
use crate::versions::{Rank, RankSet};

/// What tells the contents of a slot apart: a version where members share it at one
/// version, a member where they cannot share it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum SlotKey {
    Version(Version),
    Member(PackageName),
}

/// The numbers of a slot's contents, as they are met.
pub(super) type Slots = BTreeMap<u32, BTreeMap<SlotKey, Rank>>;

/// The number of a content: its own, or the next one where it is met for the first time.
fn number(known: &mut BTreeMap<SlotKey, Rank>, key: SlotKey) -> Rank {
    let next = Rank::try_from(known.len()).unwrap_or(ABSENT - 1);
    *known.entry(key).or_insert(next)
}

impl<F: Facts> World<'_, F> {
    /// The builds of a member's family that the base has.
    pub(crate) fn builds_in_base(&self, universe: &Universe, out: &mut Vec<(Node, RankSet)>) {
        // What may be changed may be changed to another build.
        let builds = self.rules().on(&universe.name).iter().filter_map(|rule| {
            let labels = self.base_limits.builds(&rule.id)?;
            Some((Node::Label(self.rule_index(&rule.id)), labels.clone()))
        });
        out.extend(builds);
    }

    /// The slot contents that the base, and a member's own installed release, stand for.
    pub(crate) fn slots_in_base(&self, universe: &Universe, out: &mut Vec<(Node, RankSet)>) {
        for (slot, sharing) in self.slots_of(&universe.name) {
            let Some(rule) = self.rules().nth(slot as usize) else {
                continue;
            };
            let members = self.base_limits.fills(&rule.id);
            if members.is_empty() {
                continue;
            }
            let installed = universe.installed.map(|rank| {
                let version = universe.versions[rank as usize].clone();
                (universe.name.clone(), version)
            });
            let mut slots = self.slots.borrow_mut();
            let keys = slots.entry(slot).or_default();
            let set =
                RankSet::from_ranks(members.iter().chain(&installed).map(|(name, version)| {
                    let key = match sharing {
                        Sharing::Never => SlotKey::Member(name.clone()),
                        _ => SlotKey::Version(version.clone()),
                    };
                    number(keys, key)
                }));
            out.push((Node::Slot(slot), set));
        }
    }

    /// The slots that a distribution installs into and that forbid something.
    pub(super) fn slots_of(&self, name: &PackageName) -> impl Iterator<Item = (u32, Sharing)> + '_ {
        self.rules()
            .on(name)
            .iter()
            .filter_map(|rule| match &rule.kind {
                RuleKind::Slot { sharing, .. } if *sharing != Sharing::Identical => {
                    Some((self.rule_index(&rule.id), *sharing))
                }
                _ => None,
            })
    }

    /// The slot contents that a set of a member's releases stands for.
    pub(super) fn slot_set(
        &self,
        slot: u32,
        sharing: Sharing,
        universe: &Universe,
        set: &RankSet,
    ) -> RankSet {
        let mut slots = self.slots.borrow_mut();
        let keys = slots.entry(slot).or_default();
        if sharing == Sharing::Never {
            let key = SlotKey::Member(universe.name.clone());
            return RankSet::singleton(number(keys, key));
        }
        // Every version gets its number at first sight, so that a set met later is made
        // of the same numbers.
        let numbers: Vec<Rank> = universe
            .versions
            .iter()
            .map(|version| number(keys, SlotKey::Version(version.clone())))
            .collect();
        RankSet::from_ranks(
            set.ranks_below(universe.len())
                .map(|rank| numbers[rank as usize]),
        )
    }

    /// What a release occupies: its own shadow, and its slots.
    pub(crate) fn occupies(
        &self,
        id: NameId,
        universe: &Universe,
        rank: Rank,
        out: &mut Vec<(Node, RankSet)>,
    ) {
        let own = RankSet::singleton(rank);
        for (slot, sharing) in self.slots_of(&universe.name) {
            out.push((
                Node::Slot(slot),
                self.slot_set(slot, sharing, universe, &own),
            ));
        }
        if self.has_shadow(&universe.name) {
            out.push((Node::Shadow(id), own));
        }
        if let Some((rule, labels)) = universe.labels(rank) {
            out.push((Node::Label(self.rule_index(&rule.id)), labels.clone()));
            self.brings(universe, rank, out);
        }
    }

    /// What the binaries of a release in its build bring.
    fn brings(&self, universe: &Universe, rank: Rank, out: &mut Vec<(Node, RankSet)>) {
        for (package, version) in self.brought_by(universe, rank) {
            let range = VirtualRange::Provides(version);
            out.push(self.lower_virtual(&VirtualEdge { package, range }));
        }
    }

    /// The virtual packages that the binaries of a release in its one build bring.
    pub(crate) fn brought_by(&self, universe: &Universe, rank: Rank) -> Vec<(String, Version)> {
        let Some((rule, labels)) = universe.labels(rank) else {
            return Vec::new();
        };
        let family = Family::of(rule);
        let label = labels.single().and_then(|number| family?.label(number));
        let (Some(family), Some(label)) = (family, label) else {
            return Vec::new();
        };
        let version = &universe.versions[rank as usize];
        family
            .binaries(&universe.name, version, &label.name, self.target())
            .flat_map(|binary| &binary.provides)
            .map(|(package, version)| (package.clone(), version.clone()))
            .collect()
    }

    /// What a build of a family brings, as solver terms.
    pub(crate) fn label_terms(&self, rule: u32, label: Rank) -> Vec<(Node, RankSet)> {
        let rule = self.rules().nth(rule as usize);
        let label = rule.and_then(|rule| Family::of(rule)?.label(label));
        let provides = label.into_iter().flat_map(|label| &label.provides);
        provides
            .map(|(package, version)| {
                self.lower_virtual(&VirtualEdge {
                    package: package.clone(),
                    range: VirtualRange::Provides(version.clone()),
                })
            })
            .collect()
    }

    /// The number of a rule in this solve.
    pub(crate) fn rule_index(&self, id: &RuleId) -> u32 {
        self.rule_indexes.get(id).copied().unwrap_or(u32::MAX)
    }

    /// A virtual package as a solver term.
    pub(crate) fn lower_virtual(&self, edge: &VirtualEdge) -> (Node, RankSet) {
        let (index, _) = self.virtuals.borrow_mut().insert_full(edge.package.clone());
        let set = match &edge.range {
            VirtualRange::Needs(range) => virtuals::ordinals(range),
            VirtualRange::Provides(_) if self.sides == Sides::Several => RankSet::full(),
            VirtualRange::Provides(version) => virtuals::brought(version),
        };
        (Node::Virtual(u32::try_from(index).unwrap_or(u32::MAX)), set)
    }

    /// The name of a virtual package.
    pub(crate) fn virtual_name(&self, index: u32) -> String {
        self.virtuals
            .borrow()
            .get_index(index as usize)
            .cloned()
            .unwrap_or_default()
    }
}
