//! The solver: request + target + rules over facts gives an outcome.

mod base;
mod chosen_files;
mod conflict;
mod edges;
mod extract;
mod facts;
mod forgotten;
mod labels;
mod node;
mod order;
mod outcome;
mod provider;
mod sides;
mod sources;
mod universe;
mod variants;
mod virtuals;
mod world;

use std::collections::BTreeSet;

use pubgrub::PubGrubError;

use pep440_rs::Version;
use pep508_rs::PackageName;

use self::forgotten::{Floors, Forgotten};
use crate::{Request, RuleSet, Target};

pub use base::indexed_metadata;
pub use chosen_files::ChosenFiles;
pub use facts::{DirectFacts, FactError, Facts, Unusable};
pub use labels::{EligibleBuilds, eligible_builds};
pub use outcome::{
    ChangedEdge, Chosen, ChosenOrigin, ChosenVariant, Conflict, Edge, EdgeCause, Outcome, Reason,
    Solution, SolveError, Span, Warning,
};
pub use world::Memo;

/// Finds a set of releases that meets the request on the target under the rules.
///
/// # Errors
///
/// [`SolveError`] where facts could not be had (an index is down); that there is no
/// solution is an [`Outcome`].
pub fn solve(
    request: &Request,
    target: &Target,
    rules: &RuleSet,
    facts: &impl Facts,
) -> Result<Outcome, SolveError> {
    solve_again(request, target, rules, facts, &Memo::default())
}

/// As [`solve`], for one of several solves over the same facts, target and policy.
///
/// The answer is the one that [`solve`] gives; `memo` saves work only.
///
/// # Errors
///
/// As [`solve`].
pub fn solve_again(
    request: &Request,
    target: &Target,
    rules: &RuleSet,
    facts: &impl Facts,
    memo: &Memo,
) -> Result<Outcome, SolveError> {
    let strict = solve_with(request, target, rules, facts, memo, Sides::One)?;
    let Outcome::Unsolvable(conflict) = &strict else {
        return Ok(strict);
    };
    if !sides::meet(conflict) {
        return Ok(strict);
    }
    // Distributions whose own metadata brings two of one virtual package in: each finds the
    // libraries that it depends on. What only a rule tells of must still find its own.
    if let Outcome::Solved(mut solution) =
        solve_with(request, target, rules, facts, memo, Sides::Several)?
        && sides::needs_met(&mut solution, target, rules)
    {
        return Ok(Outcome::Solved(solution));
    }
    Ok(strict)
}

/// Whether one version of a virtual package is held for the environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sides {
    /// One: everything that brings it agrees.
    One,
    /// Several, side by side.
    Several,
}

fn solve_with(
    request: &Request,
    target: &Target,
    rules: &RuleSet,
    facts: &impl Facts,
    memo: &Memo,
    sides: Sides,
) -> Result<Outcome, SolveError> {
    let world = |looks| {
        world::World::new(request, target, rules, facts, memo)
            .with_sides(sides)
            .with_sources(looks)
    };
    let mut looks = sources::Sources::default();
    let mut best = loop {
        let floors = Floors::default();
        let provider = provider::Provider::new(world(looks), &floors);
        match run(&provider)? {
            Run::Solved(found) => break found,
            Run::Unsolvable(conflict) => match provider.world.sources.after(&conflict, rules) {
                Some(more) => looks = more,
                None => return Ok(Outcome::Unsolvable(conflict)),
            },
        }
    };
    // What is above a floor may hang on source distributions: none is looked into for it.
    let (mut floors, mut stuck) = (Floors::default(), BTreeSet::new());
    let mut suspects = best.forgotten.clone();
    for turn in 0..forgotten::MOST_RUNS {
        let open = suspects.iter().filter(|it| !stuck.contains(&it.package));
        let open: Vec<&Forgotten> = open.collect();
        let above = if turn == 0 { open.len() } else { 1 };
        let Some(above) = open.get(..above).filter(|above| !above.is_empty()) else {
            break;
        };
        let raised = floors.above(above);
        let provider = provider::Provider::new(world(sources::Sources::default()), &raised);
        match run(&provider)? {
            Run::Solved(found) => {
                suspects.clone_from(&found.forgotten);
                if found.held_back < best.held_back {
                    best = found;
                }
                floors = raised;
            }
            Run::Unsolvable(_) => {
                if let [only] = above {
                    stuck.insert(only.package.clone());
                }
            }
        }
    }
    Ok(Outcome::Solved(best.told()))
}

/// How one run of the solver ended.
enum Run {
    Solved(Found),
    Unsolvable(Box<Conflict>),
}

/// A solution, and what speaks against it.
struct Found {
    solution: Box<Solution>,
    forgotten: Vec<Forgotten>,
    held_back: u64,
}

impl Found {
    /// The solution, which says what forgot a bound in it.
    fn told(mut self) -> Box<Solution> {
        let warnings = self.forgotten.into_iter().map(Forgotten::warning);
        self.solution.warnings.extend(warnings);
        self.solution.warnings.sort();
        self.solution
    }
}

fn run<F: Facts>(provider: &provider::Provider<'_, F>) -> Result<Run, SolveError> {
    provider.meet_lines();
    match pubgrub::resolve(provider, node::Node::Root, 0_u32) {
        Ok(selected) => Ok(Run::Solved(Found {
            solution: Box::new(extract::solution(provider, &selected)?),
            forgotten: forgotten::forgotten(provider, &selected)?,
            held_back: forgotten::held_back(provider, &selected)?,
        })),
        Err(PubGrubError::NoSolution(tree)) => {
            let conflict = conflict::conflict(provider, &tree)?;
            Ok(Run::Unsolvable(Box::new(conflict)))
        }
        Err(
            PubGrubError::ErrorRetrievingDependencies { source, .. }
            | PubGrubError::ErrorChoosingVersion { source, .. }
            | PubGrubError::ErrorInShouldCancel(source),
        ) => Err(source),
    }
}

/// The releases of one distribution, as a solve would see them.
#[derive(Debug, Clone, Default)]
pub struct Candidates {
    /// The releases that can be chosen, ascending.
    pub versions: Vec<Version>,
    /// The releases that cannot, ascending, with the reason against each.
    pub rejected: Vec<(Version, Unusable)>,
    /// Those that can be chosen and have only a source distribution, ascending.
    pub source_only: Vec<Version>,
}

/// The releases of a distribution that a solve would choose from.
///
/// # Errors
///
/// [`SolveError`] where facts could not be had.
pub fn candidates(
    name: &PackageName,
    request: &Request,
    target: &Target,
    rules: &RuleSet,
    facts: &impl Facts,
    memo: &Memo,
) -> Result<Candidates, SolveError> {
    let world = world::World::new(request, target, rules, facts, memo);
    let (id, _) = world.names.package(name);
    let universe = world.universe(id)?;
    let source_only = (0..)
        .zip(universe.versions.iter())
        .filter(|(rank, _)| !universe.needs_no_build(*rank))
        .map(|(_, version)| version.clone())
        .collect();
    Ok(Candidates {
        source_only,
        versions: universe.versions.iter().cloned().collect(),
        rejected: universe.rejected().to_vec(),
    })
}
