//! The smallest part of a request that has no solution: what a reader must know, and no more.

use std::collections::BTreeSet;

use super::study::{Attempt, MetadataEdge, Study, UserLine, lines_of, only};
use crate::RuleSet;
use crate::request::Request;
use crate::rules::RuleId;
use crate::solve::{Conflict, Reason};

/// A minimal conflict: lines of the user's, rules and requirements of metadata that cannot
/// hold together, and can when any one of them is left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Core {
    /// The lines of the user's, sorted.
    pub lines: BTreeSet<UserLine>,
    /// Everything that takes part, the lines too.
    pub conflict: Conflict,
}

impl Core {
    /// The rules that take part.
    pub fn rules(&self) -> BTreeSet<&RuleId> {
        self.conflict
            .reasons
            .iter()
            .filter_map(|reason| match reason {
                Reason::Rule { id, .. } | Reason::Slot { id, .. } => Some(id),
                _ => None,
            })
            .collect()
    }

    /// The requirements of metadata that take part: who asks, and for what.
    pub fn requirements(&self) -> BTreeSet<(&pep508_rs::PackageName, &pep508_rs::PackageName)> {
        self.conflict
            .reasons
            .iter()
            .filter_map(|reason| match reason {
                Reason::Requires { package, to, .. } => Some((package, to)),
                _ => None,
            })
            .collect()
    }
}

/// A minimal core of a request that has no solution; `None` where too much work was needed
/// to know that there is none.
pub(super) fn core(study: &Study<'_>, request: &Request, conflict: &Conflict) -> Option<Core> {
    let mut search = Search {
        study,
        request,
        rules: study.rules.clone(),
        without: BTreeSet::new(),
        needed_rules: BTreeSet::new(),
        needed_requirements: BTreeSet::new(),
        core: Core {
            lines: lines_of(conflict),
            conflict: conflict.clone(),
        },
    };
    let named = search.core.lines.clone();
    if !search.holds(&named) {
        // The derivation leaned on more than it named: start from everything.
        let all: BTreeSet<UserLine> = UserLine::all(request).into_iter().collect();
        if !search.holds(&all) {
            return None;
        }
    }
    search.fewer_lines();
    // Each proof may lean on other rules and requirements than the one before it: all that the
    // last one names were tried.
    while search.has_untried() {
        search.fewer_rules();
        search.fewer_requirements();
    }
    Some(search.core)
}

struct Search<'a, 'b> {
    study: &'a Study<'b>,
    request: &'a Request,
    rules: RuleSet,
    without: BTreeSet<MetadataEdge>,
    /// Those without which there is a solution.
    needed_rules: BTreeSet<RuleId>,
    needed_requirements: BTreeSet<MetadataEdge>,
    core: Core,
}

impl Search<'_, '_> {
    /// Takes these lines as the core if they have no solution.
    fn holds(&mut self, lines: &BTreeSet<UserLine>) -> bool {
        let part = only(self.request, lines);
        let attempt = self.study.attempt_with(&part, &self.rules, &self.without);
        let Attempt::Unsolvable(conflict) = attempt else {
            return false;
        };
        self.core = Core {
            lines: lines.clone(),
            conflict: *conflict,
        };
        true
    }

    fn fewer_lines(&mut self) {
        for line in self.core.lines.clone() {
            let mut fewer = self.core.lines.clone();
            fewer.remove(&line);
            self.holds(&fewer);
        }
    }

    fn has_untried(&self) -> bool {
        self.untried_rule().is_some() || self.untried_requirement().is_some()
    }

    fn untried_rule(&self) -> Option<RuleId> {
        let mut rules = self.core.rules().into_iter();
        let untried = rules.find(|id| !self.needed_rules.contains(*id));
        untried.cloned()
    }

    fn untried_requirement(&self) -> Option<MetadataEdge> {
        let requirements = self.core.requirements().into_iter();
        requirements
            .map(|(from, to)| (from.clone(), to.clone()))
            .find(|edge| !self.needed_requirements.contains(edge))
    }

    /// A rule without which there is still no solution is not told.
    fn fewer_rules(&mut self) {
        while let Some(next) = self.untried_rule() {
            let all = self.rules.clone();
            self.rules = all.without(std::slice::from_ref(&next));
            let lines = self.core.lines.clone();
            if !self.holds(&lines) {
                self.rules = all;
                self.needed_rules.insert(next);
            }
        }
    }

    /// Nor is a requirement of metadata.
    fn fewer_requirements(&mut self) {
        while let Some(next) = self.untried_requirement() {
            self.without.insert(next.clone());
            let lines = self.core.lines.clone();
            if !self.holds(&lines) {
                self.without.remove(&next);
                self.needed_requirements.insert(next);
            }
        }
    }
}
