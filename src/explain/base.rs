//! What it would take to meet a request that a base refuses.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use pep440_rs::Version;
use pep508_rs::PackageName;

use super::cores;
use crate::request::{Base, Request};
use crate::solve::{Conflict, Facts, Memo, Outcome, Reason, SolveError, solve_again};
use crate::{RuleSet, Target};

/// What stands between a request and a base, and what it would take.
#[derive(Debug, Clone, Default)]
pub struct BaseConflicts {
    /// The conflicts, in the order in which they were met: each with the packages of the base
    /// that the ones before it name set free.
    pub conflicts: Vec<Conflict>,
    /// What it would take; `None` where the request has no solution whatever is changed.
    pub remedy: Option<BaseRemedy>,
}

/// The packages of a base that must be allowed to change, and what becomes of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseRemedy {
    /// The packages to allow; the request was solved with exactly these, and has no solution
    /// without any one of them.
    pub allow: BTreeSet<PackageName>,
    /// What would be changed: the version that is installed, and the one in its place.
    pub replaced: BTreeMap<PackageName, (Option<Version>, Version)>,
}

/// The packages of the base that a conflict names.
fn named(conflict: &Conflict) -> BTreeSet<PackageName> {
    conflict
        .reasons
        .iter()
        .filter_map(|reason| match reason {
            Reason::Installed { package, .. } => Some(package.clone()),
            _ => None,
        })
        .collect()
}

/// Finds what stands between a request and its base, and what it would take.
///
/// # Errors
///
/// [`SolveError`] where facts could not be had.
pub fn base_conflicts(
    conflict: &Conflict,
    request: &Request,
    target: &Target,
    rules: &RuleSet,
    facts: &impl Facts,
    memo: &Memo,
) -> Result<BaseConflicts, SolveError> {
    let mut found = BaseConflicts::default();
    let mut request = request.clone();
    let given = request.base.changeable.clone();
    let mut waiting = Some(conflict.clone());
    while let Some(conflict) = waiting.take() {
        let core = cores(&conflict, &request, target, rules, facts, memo)?;
        let mut freed = named(&conflict);
        freed.extend(core.iter().flat_map(named));
        found.conflicts.extend(core);
        if freed.is_empty() {
            // Nothing that the base has is in the way of this one.
            return Ok(found);
        }
        allow(&mut request, |base| base.changeable.extend(freed));
        if let Outcome::Unsolvable(next) = solve_again(&request, target, rules, facts, memo)? {
            waiting = Some(*next);
        }
    }
    let mut needed = request.base.changeable.clone();
    for name in request.base.changeable.difference(&given) {
        let mut fewer = needed.clone();
        fewer.remove(name);
        let mut tried = request.clone();
        allow(&mut tried, |base| base.changeable.clone_from(&fewer));
        if let Outcome::Solved(_) = solve_again(&tried, target, rules, facts, memo)? {
            needed = fewer;
        }
    }
    allow(&mut request, |base| base.changeable.clone_from(&needed));
    if let Outcome::Solved(solution) = solve_again(&request, target, rules, facts, memo)? {
        found.remedy = Some(BaseRemedy {
            allow: needed.difference(&given).cloned().collect(),
            replaced: solution
                .replaced
                .iter()
                .filter_map(|(name, was)| {
                    let now = solution.packages.get(name)?.version.clone();
                    Some((name.clone(), (was.clone(), now)))
                })
                .collect(),
        });
    }
    Ok(found)
}

fn allow(request: &mut Request, change: impl FnOnce(&mut Base)) {
    change(Arc::make_mut(&mut request.base));
}
