//! How often the solver runs for one answer, and which of the answers stands.

use std::collections::BTreeSet;

use pep508_rs::PackageName;
use pubgrub::{NoSolutionError, PubGrubError, SelectedDependencies};

use super::facts::Facts;
use super::forgotten::{self, Floors, Forgotten};
use super::node::Node;
use super::outcome::{Outcome, Solution, SolveError, Warning};
use super::provider::{Provider, Stop};
use super::sides::{self, Sides};
use super::sources::Sources;
use super::world::{Memo, World};
use super::{conflict, extract};
use crate::versions::Rank;
use crate::{Request, RuleSet, Target};

/// How often the solver runs again for what forgot a bound.
const MOST_RUNS: usize = 3;

/// How many times the steps of the first run each of these may take before it is given up: what
/// they cost together is bounded by what the first did. Where they find something they mostly
/// take as many as the first, and three times as many where hundreds of releases are raised.
const MOST_STEPS: u64 = 4;

/// The steps that each may take however short the first run was.
const LEAST_STEPS: u64 = 1_024;

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
    let with = |sides| {
        let problem = Problem {
            request,
            target,
            rules,
            facts,
            memo,
            sides,
        };
        problem.answer()
    };
    let strict = with(Sides::One)?;
    let Outcome::Unsolvable(conflict) = &strict else {
        return Ok(strict);
    };
    if !sides::meet(conflict) {
        return Ok(strict);
    }
    // Distributions whose own metadata brings two of one virtual package in: each finds the
    // libraries that it depends on. What only a rule tells of must still find its own.
    if let Outcome::Solved(mut solution) = with(Sides::Several)?
        && sides::needs_met(&mut solution, target, rules)
    {
        return Ok(Outcome::Solved(solution));
    }
    Ok(strict)
}

/// What is to be solved, in one view of its virtual packages.
struct Problem<'a, F: Facts> {
    request: &'a Request,
    target: &'a Target,
    rules: &'a RuleSet,
    facts: &'a F,
    memo: &'a Memo,
    sides: Sides,
}

impl<'a, F: Facts> Problem<'a, F> {
    fn provider(&self, looks: Sources) -> Provider<'a, F> {
        let (request, target, rules) = (self.request, self.target, self.rules);
        let world = World::new(request, target, rules, self.facts, self.memo)
            .with_sides(self.sides)
            .with_sources(looks);
        Provider::new(world)
    }

    /// The first run that ends well, and the better one above what forgot a bound in it.
    fn answer(&self) -> Result<Outcome, SolveError> {
        let mut looks = Sources::default();
        let first = loop {
            let provider = self.provider(looks);
            match run(&provider).map_err(Stop::told)? {
                Run::Solved(selected) => break Found::new(provider, selected)?,
                Run::Unsolvable(tree) => {
                    let conflict = conflict::conflict(&provider, &tree)?;
                    match provider.world.sources.after(&conflict, self.rules) {
                        Some(more) => looks = more,
                        None => return Ok(Outcome::Unsolvable(Box::new(conflict))),
                    }
                }
            }
        };
        let best = self.above_forgotten(first)?;
        Ok(Outcome::Solved(best.solution()?))
    }

    /// The answer that holds the least back, of this one and those above the releases that
    /// forgot a bound: above all of them at once for as long as that goes, else one by one.
    fn above_forgotten(&self, first: Found<'a, F>) -> Result<Found<'a, F>, SolveError> {
        let most_steps = first.provider.steps().saturating_mul(MOST_STEPS);
        let most_steps = most_steps.max(LEAST_STEPS);
        let mut suspects = first.forgotten.clone();
        let mut best = first;
        let (mut floors, mut stuck) = (Floors::default(), BTreeSet::<PackageName>::new());
        let mut at_once = usize::MAX;
        let mut missing = BTreeSet::new();
        for _ in 0..MOST_RUNS {
            let open = suspects.iter().filter(|it| !stuck.contains(&it.package));
            let above: Vec<&Forgotten> = open.take(at_once).collect();
            if above.is_empty() {
                break;
            }
            let raised = floors.above(&above);
            // What is above a floor may hang on source distributions: none is looked into for it.
            let provider = self.provider(best.provider.world.sources.again());
            let provider = provider.above(raised.clone(), most_steps);
            match run(&provider) {
                Ok(Run::Solved(selected)) => {
                    let found = Found::new(provider, selected)?;
                    suspects.clone_from(&found.forgotten);
                    if found.held_back < best.held_back {
                        best = found;
                    }
                    floors = raised;
                }
                stopped => {
                    // There is an answer: what only a better one needs does not take it away.
                    if let Err(Stop::Failed(SolveError::Facts { message, .. })) = stopped {
                        missing.insert(message);
                    }
                    at_once = 1;
                    if let [only] = &above[..] {
                        stuck.insert(only.package.clone());
                    }
                }
            }
        }
        best.missing = missing;
        Ok(best)
    }
}

/// A run that found an answer, and what speaks against it.
struct Found<'a, F: Facts> {
    provider: Provider<'a, F>,
    selected: SelectedDependencies<Node, Rank>,
    forgotten: Vec<Forgotten>,
    held_back: u64,
    /// What could not be had that a better answer needs.
    missing: BTreeSet<String>,
}

impl<'a, F: Facts> Found<'a, F> {
    fn new(
        provider: Provider<'a, F>,
        selected: SelectedDependencies<Node, Rank>,
    ) -> Result<Self, SolveError> {
        Ok(Self {
            forgotten: forgotten::forgotten(&provider, &selected)?,
            held_back: forgotten::held_back(&provider, &selected)?,
            missing: BTreeSet::new(),
            provider,
            selected,
        })
    }

    /// The solution, which says what forgot a bound in it.
    fn solution(self) -> Result<Box<Solution>, SolveError> {
        let mut solution = extract::solution(&self.provider, &self.selected)?;
        let warnings = self.forgotten.into_iter().map(Forgotten::warning);
        solution.warnings.extend(warnings);
        let missing = self.missing.into_iter();
        let missing = missing.map(|detail| Warning::NotLookedInto { detail });
        solution.warnings.extend(missing);
        solution.warnings.sort();
        Ok(Box::new(solution))
    }
}

/// How one run of the solver ended.
enum Run<'a, F: Facts> {
    Solved(SelectedDependencies<Node, Rank>),
    Unsolvable(NoSolutionError<Provider<'a, F>>),
}

fn run<'a, F: Facts>(provider: &Provider<'a, F>) -> Result<Run<'a, F>, Stop> {
    provider.meet_lines();
    match pubgrub::resolve(provider, Node::Root, 0_u32) {
        Ok(selected) => Ok(Run::Solved(selected)),
        Err(PubGrubError::NoSolution(tree)) => Ok(Run::Unsolvable(tree)),
        Err(
            PubGrubError::ErrorRetrievingDependencies { source, .. }
            | PubGrubError::ErrorChoosingVersion { source, .. }
            | PubGrubError::ErrorInShouldCancel(source),
        ) => Err(source),
    }
}
