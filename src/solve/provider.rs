//! What PubGrub asks: which version, with which requirements, in which order.

use std::cell::{Cell, RefCell};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use pep508_rs::PackageName;
use pubgrub::{Dependencies, DependencyProvider, PackageResolutionStatistics};

use super::edges::Requirements;
use super::facts::{Facts, Unusable};
use super::forgotten::Floors;
use super::node::{ABSENT, NameId, Node};
use super::order::{Class, Order, Priority, Tier};
use super::outcome::SolveError;
use super::universe::Universe;
use super::world::{Failure, World, set_of};
use crate::rules::RuleKind;
use crate::versions::{Rank, RankSet};

/// The most releases that are named to the edge at once when a distribution is walked down.
const LADDER_MAX: usize = 32;

/// Why a release was set aside, as PubGrub carries it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SetAside(pub(crate) Unusable);

impl fmt::Display for SetAside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Why a run ended before it had an answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Stop {
    #[error(transparent)]
    Failed(#[from] SolveError),
    #[error("the run took more steps than it was given")]
    Steps,
}

impl Stop {
    /// As it is told.
    pub(crate) fn told(self) -> SolveError {
        match self {
            Self::Failed(error) => error,
            Self::Steps => SolveError::Facts {
                message: self.to_string(),
                hint: None,
            },
        }
    }
}

/// The problem as PubGrub sees it.
pub(crate) struct Provider<'a, F: Facts> {
    pub(crate) world: World<'a, F>,
    order: Order,
    floors: Floors,
    /// How many steps the run took, and may take.
    steps: Cell<u64>,
    most_steps: u64,
    /// The rank last chosen for a node, which the nodes that follow it take.
    chosen: RefCell<BTreeMap<Node, Rank>>,
    /// The releases of a distribution that were tried, for the ladder of older ones.
    tried: RefCell<BTreeMap<NameId, BTreeSet<Rank>>>,
    /// The decisions in order, for `-v`.
    pub(crate) log: RefCell<Vec<(Node, Rank)>>,
}

type Terms = Vec<(Node, RankSet)>;

impl<'a, F: Facts> Provider<'a, F> {
    pub(crate) fn new(world: World<'a, F>) -> Self {
        let order = Order::new(world.request(), world.rules());
        Self {
            world,
            order,
            floors: Floors::default(),
            steps: Cell::new(0),
            most_steps: u64::MAX,
            chosen: RefCell::default(),
            tried: RefCell::default(),
            log: RefCell::default(),
        }
    }

    /// The same above floors, in so many steps at most.
    pub(crate) fn above(self, floors: Floors, most_steps: u64) -> Self {
        Self {
            floors,
            most_steps,
            ..self
        }
    }

    /// How many steps the run took: decisions, and attempts at one.
    pub(crate) fn steps(&self) -> u64 {
        self.steps.get()
    }

    /// Who asks for a distribution.
    pub(crate) fn class(&self, name: &PackageName) -> Class {
        self.order.class(name)
    }

    /// The releases of a distribution that were tried in a range, the newest first.
    pub(crate) fn tried(&self, id: NameId, range: &RankSet) -> Vec<Rank> {
        let tried = self.tried.borrow();
        let ranks = tried.get(&id).into_iter().flatten().rev().copied();
        ranks.filter(|rank| range.contains(*rank)).collect()
    }

    /// The lines of the user's that ask for something on this target, in the order of names.
    ///
    /// Sorted, so that shuffling the input changes nothing.
    fn line_order(&self) -> Vec<u32> {
        let lines = &self.world.request().requirements;
        let mut order: Vec<u32> = (0..).take(lines.len()).collect();
        order.sort_by_key(|index| {
            let line = &lines[*index as usize];
            (&line.name, &line.extras, &line.text)
        });
        order
    }

    fn root(&self) -> Terms {
        let lines = self
            .line_order()
            .into_iter()
            .map(|index| (Node::Line(index), RankSet::singleton(0)));
        // What may be changed is there, whether anything asks for it or not.
        let base = &self.world.request().base;
        let changeable = base
            .changeable
            .iter()
            .filter(|name| base.packages.contains_key(name))
            .flat_map(|name| {
                let (id, _) = self.world.names.package(name);
                let concerns = self.world.base_concerns(name);
                let constrained = self.world.is_constrained(name);
                [
                    Some((Node::Package(id), RankSet::interval(0, ABSENT))),
                    concerns.then(|| (Node::Base(id), RankSet::singleton(0))),
                    constrained.then(|| (Node::Constraint(id), RankSet::singleton(0))),
                ]
            });
        lines.chain(changeable.flatten()).collect()
    }

    fn line(&self, index: u32) -> Result<Terms, SolveError> {
        let found = self.world.requirements.of_line(index as usize);
        self.lower_all(&found.requirements)
    }

    fn lower_all(&self, requirements: &[super::edges::Requirement]) -> Result<Terms, SolveError> {
        self.world.hint_all(requirements);
        let mut terms = Vec::new();
        for requirement in requirements {
            self.world.lower(requirement, &mut terms)?;
        }
        Ok(terms)
    }

    /// Names of all the lines are met, and hinted at, before any of their pages is asked for.
    pub(crate) fn meet_lines(&self) {
        let requirements: Vec<_> = self
            .line_order()
            .into_iter()
            .flat_map(|index| self.world.requirements.of_line(index as usize).requirements)
            .collect();
        self.world.hint_all(&requirements);
    }

    fn constraint(&self, id: NameId) -> Result<Terms, SolveError> {
        let name = self.world.names.package_name(id);
        let universe = self.world.universe(id)?;
        let set = self
            .world
            .requirements
            .constraints(&name)
            .iter()
            .map(|constraint| set_of(&universe, &constraint.range))
            .fold(RankSet::full(), |all, next| all.intersection(&next));
        self.world.sources.ask(&universe, &set);
        if self.world.is_frozen(&name) {
            return Ok(vec![(Node::Package(id), set)]);
        }
        let set = set.union(&RankSet::singleton(ABSENT));
        Ok(vec![(Node::Shadow(id), set)])
    }

    /// What the base asks of a distribution that is added to it, or changed.
    fn base(&self, id: NameId) -> Result<Terms, SolveError> {
        let name = self.world.names.package_name(id);
        let universe = self.world.universe(id)?;
        let mut terms = Vec::new();
        for limit in self.world.base_limits.on(&name) {
            terms.push((Node::Shadow(id), limited(&universe, &limit.range)));
        }
        self.world.slots_in_base(&universe, &mut terms);
        self.world.builds_in_base(&universe, &mut terms);
        Ok(terms)
    }

    /// What a package of the base that may be changed asks for as long as it is not: nothing
    /// of what stays as it is, and limits on the rest.
    fn installed(&self, id: NameId, universe: &Universe, rank: Rank) -> Terms {
        let mut terms = Vec::new();
        if self.world.is_frozen(&universe.name) {
            return terms;
        }
        let base = &self.world.request().base;
        for limit in super::base::asked(&self.world.requirements, base, &universe.name) {
            if self.world.is_frozen(&limit.to) || limit.to == universe.name {
                continue;
            }
            let (to, _) = self.world.names.package(&limit.to);
            // As in `lower`: a limit on what nothing asks for needs none of its releases.
            let set = match self.world.universe(to) {
                Ok(other) => limited(&other, &limit.range),
                Err(_) => RankSet::singleton(ABSENT),
            };
            terms.push((Node::Shadow(to), set));
        }
        self.world.occupies(id, universe, rank, &mut terms);
        terms
    }

    fn package(&self, id: NameId, rank: Rank) -> Result<Terms, Failure> {
        let universe = self.world.universe(id)?;
        if universe.is_installed(rank) {
            return Ok(self.installed(id, &universe, rank));
        }
        let metadata = self.world.metadata(id, &universe, rank)?;
        let found = self.world.requirements.of_metadata(&metadata, None)?;
        let mut terms = self.lower_all(&found.requirements)?;
        self.world.occupies(id, &universe, rank, &mut terms);
        self.rules(&universe, rank, &mut terms);
        without_itself(Node::Package(id), rank, terms)
    }

    /// The rules that a release triggers, each a node of its own so that it can be told.
    fn rules(&self, universe: &Universe, rank: Rank, terms: &mut Terms) {
        let version = &universe.versions[rank as usize];
        for rule in self.world.requirements.applying(&universe.name, version) {
            match &rule.kind {
                RuleKind::Provides { .. } => {
                    for edge in Requirements::virtuals_of_rule(rule, version) {
                        terms.push(self.world.lower_virtual(&edge));
                    }
                }
                RuleKind::Drop { .. } => {}
                _ => terms.push((
                    Node::Rule(self.world.rule_index(&rule.id)),
                    RankSet::singleton(0),
                )),
            }
        }
    }

    fn rule(&self, index: u32) -> Result<Terms, SolveError> {
        let Some(rule) = self.world.rules().nth(index as usize) else {
            return Ok(Vec::new());
        };
        let Some(name) = rule.triggers().first().copied().cloned() else {
            return Ok(Vec::new());
        };
        if let Some(requirement) = Requirements::of_rule(rule, &name) {
            return self.lower_all(&[requirement]);
        }
        let unversioned = pep440_rs::Version::new([0]);
        Ok(Requirements::virtuals_of_rule(rule, &unversioned)
            .iter()
            .map(|edge| self.world.lower_virtual(edge))
            .collect())
    }

    fn extra(&self, id: NameId, extra: u32, rank: Rank) -> Result<Terms, Failure> {
        let universe = self.world.universe(id)?;
        let metadata = self.world.metadata(id, &universe, rank)?;
        let extra_name = self.world.names.extra_name(extra);
        if self
            .world
            .lacks(id, &universe, rank, (&metadata, &extra_name))
        {
            return Err(Failure::Unusable(Unusable::NoExtra {
                extra: extra_name.to_string(),
            }));
        }
        let found = self
            .world
            .requirements
            .of_metadata(&metadata, Some(&extra_name))?;
        let mut terms = self.lower_all(&found.requirements)?;
        terms.push((Node::Package(id), RankSet::singleton(rank)));
        without_itself(Node::Extra(id, extra), rank, terms)
    }

    fn terms(&self, node: Node, rank: Rank) -> Result<Terms, Failure> {
        Ok(match node {
            Node::Root => self.root(),
            Node::Line(index) => self.line(index)?,
            Node::Constraint(id) => self.constraint(id)?,
            Node::Base(id) => self.base(id)?,
            Node::Rule(index) => self.rule(index)?,
            Node::Package(id) => self.package(id, rank)?,
            Node::Extra(id, extra) => self.extra(id, extra, rank)?,
            Node::Label(rule) => self.world.label_terms(rule, rank),
            // Present means present at this release: without it, a release that fails is
            // followed by a walk over all others beside the same shadow. What the release asks
            // for is asked for here: where it fails, it fails at once, and nothing that was
            // decided in between is decided again for the next.
            Node::Shadow(id) if rank != ABSENT => {
                let mut terms = self.package(id, rank)?;
                terms.push((Node::Package(id), RankSet::singleton(rank)));
                without_itself(node, rank, terms)?
            }
            Node::Shadow(_) | Node::Slot(_) | Node::Virtual(_) => Vec::new(),
        })
    }

    /// The rank that a node this one follows was given, if it will do here.
    fn followed(&self, leader: Node, range: &RankSet) -> Option<Rank> {
        let rank = self.chosen.borrow().get(&leader).copied()?;
        range.contains(rank).then_some(rank)
    }

    fn choose(&self, node: Node, range: &RankSet) -> Result<Option<Rank>, SolveError> {
        let rank = match node {
            Node::Root | Node::Line(_) | Node::Constraint(_) | Node::Base(_) | Node::Rule(_) => {
                range.contains(0).then_some(0)
            }
            Node::Shadow(_) if range.contains(ABSENT) => Some(ABSENT),
            Node::Shadow(id) => self.choose_release(id, range)?,
            Node::Package(id) => match self.followed(Node::Shadow(id), range) {
                Some(rank) => Some(rank),
                None => self.choose_release(id, range)?,
            },
            Node::Extra(id, _) => match self.followed(Node::Package(id), range) {
                Some(rank) => Some(rank),
                None => self.choose_release(id, range)?,
            },
            Node::Slot(_) => range.intervals().next().map(|(start, _)| start),
            // The later of several builds that all members have is preferred.
            Node::Label(_) => range.intervals().next_back().map(|(_, end)| end - 1),
            Node::Virtual(index) => self.choose_virtual(index, range),
        };
        if let Some(rank) = rank {
            self.chosen.borrow_mut().insert(node, rank);
            self.log.borrow_mut().push((node, rank));
        }
        Ok(rank)
    }

    fn choose_virtual(&self, index: u32, range: &RankSet) -> Option<Rank> {
        let name = self.world.virtual_name(index);
        if let Some(version) = self.world.target().virtual_version(&name) {
            let stated = super::virtuals::ordinal(&version);
            return range.contains(stated).then_some(stated);
        }
        if let Some(brought) = self.world.base_limits.brings(&name) {
            return brought
                .iter()
                .rev()
                .map(|version| super::virtuals::brought(version).intersection(range))
                .find_map(|set| set.intervals().next().map(|(start, _)| start));
        }
        range.intervals().next_back().map(
            |(start, end)| {
                if end == Rank::MAX { start } else { end - 1 }
            },
        )
    }

    fn choose_release(&self, id: NameId, range: &RankSet) -> Result<Option<Rank>, SolveError> {
        let universe = self.world.universe(id)?;
        let range = self.floors.admitted(&universe.name, range);
        let rank = self.world.choice(id, &universe, &range)?;
        if let Some(rank) = rank {
            self.climb_down(id, &universe, &range, rank);
        }
        Ok(rank)
    }

    /// Names the next older releases to the edge when a further one had to be taken:
    /// 2, 4, 8 …, since a walk rarely ends after one step.
    fn climb_down(&self, id: NameId, universe: &Universe, range: &RankSet, rank: Rank) {
        let mut tried = self.tried.borrow_mut();
        let ranks = tried.entry(id).or_default();
        if !ranks.insert(rank) || ranks.len() < 2 {
            return;
        }
        let super::universe::Source::Index(page) = &universe.source else {
            return;
        };
        let count = 1_usize
            .checked_shl(u32::try_from(ranks.len() - 1).unwrap_or(u32::MAX))
            .unwrap_or(LADDER_MAX)
            .min(LADDER_MAX);
        let older: Vec<_> = range
            .ranks_below(rank)
            .rev()
            .filter(|older| universe.needs_no_build(*older))
            .filter_map(|older| universe.metadata_row(older))
            .take(count)
            .collect();
        self.world.facts.hint_older(page, &older);
    }

    fn priority(&self, node: Node, range: &RankSet, conflicts: u32) -> Priority {
        let forced = (
            Tier::Forced,
            0,
            Class::Transitive,
            Reverse(0),
            Reverse(0),
            0,
        );
        let Some(id) = node.distribution() else {
            return match node {
                Node::Slot(_) | Node::Label(_) | Node::Virtual(_) => (
                    Tier::Following,
                    0,
                    Class::Transitive,
                    Reverse(0),
                    Reverse(0),
                    0,
                ),
                _ => forced,
            };
        };
        let name = self.world.names.package_name(id);
        let kind = match node {
            Node::Shadow(_) => 2,
            Node::Package(_) => 1,
            _ => 0,
        };
        if matches!(node, Node::Shadow(_)) && range.contains(ABSENT) {
            return (
                Tier::Following,
                0,
                Class::Transitive,
                Reverse(0),
                Reverse(id),
                1,
            );
        }
        let raised = if self.floors.concern(&name) {
            u32::MAX
        } else {
            self.order.raise(node, id, conflicts)
        };
        let class = self.order.class(&name);
        let level = self.order.level(&name);
        let few = self
            .world
            .universe(id)
            .is_ok_and(|universe| range.count_below(universe.len()) <= 1);
        let tier = match (few, level) {
            (true, _) => Tier::Forced,
            (false, Some(_)) => Tier::Limited,
            (false, None) => Tier::Ordinary,
        };
        (
            tier,
            raised,
            class,
            Reverse(level.unwrap_or(0)),
            Reverse(id),
            kind,
        )
    }
}

/// The releases that a package of the base admits, the installed one included: what stands
/// between two packages of a base is reported, and not enforced.
fn limited(universe: &Universe, range: &super::edges::Range) -> RankSet {
    let mut set = set_of(universe, range).union(&RankSet::singleton(ABSENT));
    if let Some(installed) = universe.installed {
        set = set.union(&RankSet::singleton(installed));
    }
    set
}

/// A release may name itself (through an extra): that is met, or the release is unusable.
fn without_itself(node: Node, rank: Rank, terms: Terms) -> Result<Terms, Failure> {
    let mut kept = Vec::with_capacity(terms.len());
    for (to, set) in terms {
        if to != node {
            kept.push((to, set));
        } else if !set.contains(rank) {
            return Err(Failure::Unusable(Unusable::Metadata {
                detail: "its metadata requires another version of itself".to_owned(),
            }));
        }
    }
    Ok(merged(kept))
}

/// One term for each node: several requirements on it hold together.
fn merged(terms: Terms) -> Terms {
    let mut sets: indexmap::IndexMap<Node, RankSet> =
        indexmap::IndexMap::with_capacity(terms.len());
    for (node, set) in terms {
        match sets.entry(node) {
            indexmap::map::Entry::Occupied(mut known) => {
                let both = known.get().intersection(&set);
                known.insert(both);
            }
            indexmap::map::Entry::Vacant(place) => {
                place.insert(set);
            }
        }
    }
    sets.into_iter().collect()
}

impl<F: Facts> DependencyProvider for Provider<'_, F> {
    type P = Node;
    type V = Rank;
    type VS = RankSet;
    type M = SetAside;
    type Priority = Priority;
    type Err = Stop;

    fn prioritize(
        &self,
        node: &Node,
        range: &RankSet,
        statistics: &PackageResolutionStatistics,
    ) -> Priority {
        self.priority(*node, range, statistics.conflict_count())
    }

    fn choose_version(&self, node: &Node, range: &RankSet) -> Result<Option<Rank>, Stop> {
        Ok(self.choose(*node, range)?)
    }

    fn get_dependencies(
        &self,
        node: &Node,
        rank: &Rank,
    ) -> Result<Dependencies<Node, RankSet, SetAside>, Stop> {
        match self.terms(*node, *rank) {
            Ok(terms) => Ok(Dependencies::Available(merged(terms).into_iter().collect())),
            Err(Failure::Unusable(reason)) => Ok(Dependencies::Unavailable(SetAside(reason))),
            Err(Failure::Fatal(error)) => Err(Stop::Failed(error)),
        }
    }

    /// Steps are counted, not timed: a run ends at the same one on every machine.
    fn should_cancel(&self) -> Result<(), Stop> {
        let steps = self.steps.get() + 1;
        self.steps.set(steps);
        if steps > self.most_steps {
            return Err(Stop::Steps);
        }
        Ok(())
    }
}
