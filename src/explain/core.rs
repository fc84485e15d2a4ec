//! The smallest part of a request that has no solution: what a reader must know, and no more.

use std::collections::BTreeSet;

use crate::request::Request;
use crate::rules::RuleId;
use crate::solve::{Conflict, Facts, Memo, Outcome, Reason, SolveError, solve_again};
use crate::{RuleSet, Target};

/// How many independent conflicts are told at most.
const MAX_CORES: usize = 3;

/// The minimal conflicts of a request that has no solution: each is a set of the user's
/// lines and of rules that has no solution, and has one when any of them is left out.
/// Several where they share no line. Line numbers are those of `request`.
///
/// # Errors
///
/// [`SolveError`] where facts could not be had.
pub fn cores(
    conflict: &Conflict,
    request: &Request,
    target: &Target,
    rules: &RuleSet,
    facts: &impl Facts,
    memo: &Memo,
) -> Result<Vec<Conflict>, SolveError> {
    let search = Search {
        request,
        target,
        facts,
        memo,
    };
    let mut found = Vec::new();
    let mut spent: BTreeSet<usize> = BTreeSet::new();
    let mut next = Some(conflict.clone());
    while let Some(conflict) = next.take() {
        let core = search.core(&conflict, &spent, rules)?;
        let lines = lines_of(&core);
        found.push(core);
        spent.extend(lines.iter().copied());
        if lines.is_empty() || found.len() == MAX_CORES {
            break;
        }
        let rest: Vec<usize> = search.all_but(&spent);
        next = search.unsolvable(&rest, rules)?;
    }
    Ok(found)
}

/// The lines of the user's that a conflict names.
fn lines_of(conflict: &Conflict) -> Vec<usize> {
    conflict
        .reasons
        .iter()
        .filter_map(|reason| match reason {
            Reason::Line(index) => Some(*index),
            _ => None,
        })
        .collect()
}

struct Search<'a, F: Facts> {
    request: &'a Request,
    target: &'a Target,
    facts: &'a F,
    memo: &'a Memo,
}

impl<F: Facts> Search<'_, F> {
    fn all_but(&self, spent: &BTreeSet<usize>) -> Vec<usize> {
        (0..self.request.requirements.len())
            .filter(|index| !spent.contains(index))
            .collect()
    }

    /// The conflict of these lines under these rules; `None` where they have a solution.
    fn unsolvable(&self, lines: &[usize], rules: &RuleSet) -> Result<Option<Conflict>, SolveError> {
        let mut part = self.request.clone();
        part.requirements = lines
            .iter()
            .map(|index| self.request.requirements[*index].clone())
            .collect();
        match solve_again(&part, self.target, rules, self.facts, self.memo)? {
            Outcome::Solved(_) => Ok(None),
            Outcome::Unsolvable(mut conflict) => {
                for reason in &mut conflict.reasons {
                    if let Reason::Line(index) = reason {
                        *index = lines[*index];
                    }
                }
                Ok(Some(*conflict))
            }
        }
    }

    /// Leaves out one line after the other, then one rule after the other, as long as no
    /// solution appears.
    fn core(
        &self,
        conflict: &Conflict,
        spent: &BTreeSet<usize>,
        rules: &RuleSet,
    ) -> Result<Conflict, SolveError> {
        let mut lines = lines_of(conflict);
        lines.sort_unstable();
        lines.dedup();
        let mut core = if let Some(core) = self.unsolvable(&lines, rules)? {
            core
        } else {
            // The derivation leaned on more than it named: start from everything.
            lines = self.all_but(spent);
            conflict.clone()
        };
        let mut position = 0;
        while position < lines.len() {
            let mut fewer = lines.clone();
            fewer.remove(position);
            if let Some(smaller) = self.unsolvable(&fewer, rules)? {
                lines = fewer;
                core = smaller;
            } else {
                position += 1;
            }
        }
        self.without_rules(core, &lines, rules)
    }

    /// A rule without which there is still no solution is not told.
    fn without_rules(
        &self,
        mut core: Conflict,
        lines: &[usize],
        rules: &RuleSet,
    ) -> Result<Conflict, SolveError> {
        let mut ignored: Vec<RuleId> = Vec::new();
        let mut kept: BTreeSet<RuleId> = BTreeSet::new();
        loop {
            let candidate = core.reasons.iter().find_map(|reason| match reason {
                Reason::Rule { id, .. } | Reason::Slot { id, .. } if !kept.contains(id) => {
                    Some(id.clone())
                }
                _ => None,
            });
            let Some(candidate) = candidate else {
                return Ok(core);
            };
            let mut more = ignored.clone();
            more.push(candidate.clone());
            if let Some(smaller) = self.unsolvable(lines, &rules.without(&more))? {
                ignored = more;
                core = smaller;
            } else {
                kept.insert(candidate);
            }
        }
    }
}
