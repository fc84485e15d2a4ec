//! When a release that has only a source distribution is looked into.
//!
//! A look may cost a download or a build, and a solver in conflict would walk through every old
//! release that was never built for the target, each of which would have to be built to learn
//! that it does not help either. So such a release is looked into only where a requirement by
//! itself leaves nothing else: then it is demanded, whatever else there is. All others are
//! passed over, and the conflict says so.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use pep508_rs::PackageName;

use super::facts::Unusable;
use super::outcome::{Conflict, Reason};
use super::universe::{Source, Universe};
use crate::request::BuildPolicy;
use crate::rules::{RuleSet, Severity};
use crate::versions::{Rank, RankSet};

/// How many releases that nothing demands are looked into, of each distribution and only for
/// what is said without running anything, before it is said that there is no solution.
const LAST_LOOKS: usize = 2;

/// The same where archives are small, and cost little to read.
const SMALL_LAST_LOOKS: usize = 8;

/// How large a small archive is, in bytes.
const SMALL: u64 = 1024 * 1024;

/// How many releases of one distribution are built: what keeps the newest from being built, or
/// from being taken, mostly keeps the older ones too, and each may take many minutes. Where a
/// requirement names one release, there is one to build.
const MOST_BUILDS: usize = 2;

/// How far a release may be looked into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Look {
    /// As far as the request's policy goes.
    Allowed,
    /// Without running anything.
    Static,
    /// Not at all.
    PassedOver,
}

/// The releases that may be looked into, in one run of the solver.
#[derive(Debug, Default)]
pub(crate) struct Sources {
    /// Those that a requirement asks for and leaves nothing else.
    demanded: RefCell<BTreeMap<PackageName, RankSet>>,
    passed_over: RefCell<BTreeMap<PackageName, RankSet>>,
    /// Those that were built.
    built: RefCell<BTreeMap<PackageName, BTreeSet<Rank>>>,
    /// Those that a rule of severity `degrades` keeps a release of away.
    degraded: BTreeSet<PackageName>,
    /// In a last run: those that were looked into although nothing demands them.
    last_looks: Option<RefCell<BTreeMap<PackageName, BTreeSet<Rank>>>>,
    /// Those that were looked into, and how far.
    looked: RefCell<BTreeMap<(PackageName, Rank), Look>>,
    /// In a run after one that has an answer: those that were looked into for it. No others
    /// are.
    only: Option<BTreeMap<(PackageName, Rank), Look>>,
}

impl Sources {
    /// Notes what one requirement asks for.
    pub(crate) fn ask(&self, universe: &Universe, set: &RankSet) {
        if !matches!(universe.source, Source::Index(_)) {
            return;
        }
        let mut ranks = set.ranks_below(universe.len()).rev().peekable();
        if ranks.peek().is_none() || ranks.any(|rank| universe.needs_no_build(rank)) {
            return;
        }
        let mut demanded = self.demanded.borrow_mut();
        let known = demanded
            .entry(universe.name.clone())
            .or_insert_with(RankSet::empty);
        *known = known.union(&set.intersection(&RankSet::interval(0, universe.len())));
    }

    /// How far a release may be looked into.
    pub(crate) fn look(&self, universe: &Universe, rank: Rank, policy: BuildPolicy) -> Look {
        if policy == BuildPolicy::Freely
            || universe.needs_no_build(rank)
            || !matches!(universe.source, Source::Index(_))
        {
            return Look::Allowed;
        }
        let release = (universe.name.clone(), rank);
        let look = match &self.only {
            Some(only) => only.get(&release).copied(),
            None if contains(&self.demanded, &universe.name, rank) => Some(Look::Allowed),
            None => self.is_last_look(universe, rank).then_some(Look::Static),
        };
        if let Some(look) = look {
            self.looked.borrow_mut().insert(release, look);
            return look;
        }
        let mut passed = self.passed_over.borrow_mut();
        let known = passed
            .entry(universe.name.clone())
            .or_insert_with(RankSet::empty);
        *known = known.union(&RankSet::singleton(rank));
        Look::PassedOver
    }

    /// Whether a release that nothing demands is among the few that are looked into all the
    /// same.
    fn is_last_look(&self, universe: &Universe, rank: Rank) -> bool {
        let Some(looks) = &self.last_looks else {
            return false;
        };
        if self.degraded.contains(&universe.name) {
            return false;
        }
        let is_small = || {
            let file = universe.metadata_file(rank).and_then(Result::ok);
            file.is_some_and(|file| file.size.is_some_and(|size| size <= SMALL))
        };
        let mut looks = looks.borrow_mut();
        let looked = looks.entry(universe.name.clone()).or_default();
        let left = looked.len() < LAST_LOOKS || looked.len() < SMALL_LAST_LOOKS && is_small();
        looked.contains(&rank) || left && looked.insert(rank)
    }

    /// Whether a release may be built, as one of the few of its distribution.
    pub(crate) fn may_build(&self, universe: &Universe, rank: Rank, policy: BuildPolicy) -> bool {
        match policy {
            BuildPolicy::Never => false,
            BuildPolicy::Freely => true,
            BuildPolicy::LastResort => {
                let mut all = self.built.borrow_mut();
                let built = all.entry(universe.name.clone()).or_default();
                built.contains(&rank) || built.len() < MOST_BUILDS && built.insert(rank)
            }
        }
    }

    /// What another run may look into after one that has an answer: nothing that was not looked
    /// into for that.
    pub(crate) fn again(&self) -> Self {
        Self {
            built: self.built.clone(),
            only: Some(self.looked.borrow().clone()),
            ..Self::default()
        }
    }

    /// What another run should look into after one that ended in this conflict; `None` where
    /// it would end in the same.
    ///
    /// A rule whose releases work, if not in full, is no reason to go back to one that has to
    /// be built: mostly an old one, of which the rule merely does not speak.
    pub(crate) fn after(mut self, conflict: &Conflict, rules: &RuleSet) -> Option<Self> {
        for reason in &conflict.reasons {
            if let Reason::Rule { id, package, .. } = reason
                && let Some(rule) = rules.get(&id.0)
                && rule.severity == Severity::Degrades
            {
                self.degraded.insert(package.clone());
            }
        }
        let took_part = |reason: &Reason| match reason {
            Reason::SetAside {
                reason: Unusable::SourceOnly,
                package,
                ..
            } => !self.degraded.contains(package),
            _ => false,
        };
        if !conflict.reasons.iter().any(took_part) {
            return None;
        }
        let late = self.passed_over.borrow().iter().any(|(name, passed)| {
            let demanded = self.demanded.borrow();
            demanded
                .get(name)
                .is_some_and(|demanded| !demanded.intersection(passed).is_empty())
        });
        let last_looks = match self.last_looks {
            // The demand came after the release had been passed over.
            looks if late => looks.map(|_| RefCell::default()),
            None => Some(RefCell::default()),
            Some(_) => return None,
        };
        Some(Self {
            demanded: self.demanded,
            passed_over: RefCell::default(),
            built: self.built,
            degraded: self.degraded,
            last_looks,
            looked: RefCell::default(),
            only: None,
        })
    }
}

fn contains(
    sets: &RefCell<BTreeMap<PackageName, RankSet>>,
    name: &PackageName,
    rank: Rank,
) -> bool {
    sets.borrow()
        .get(name)
        .is_some_and(|set| set.contains(rank))
}
