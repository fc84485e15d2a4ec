//! The solver: request + target + rules over facts gives an outcome.

mod conflict;
mod edges;
mod extract;
mod facts;
mod node;
mod order;
mod outcome;
mod provider;
mod universe;
mod virtuals;
mod world;

use pubgrub::PubGrubError;

use crate::{Request, RuleSet, Target};

pub use facts::{DirectFacts, FactError, Facts, Unusable};
pub use outcome::{
    ChangedEdge, Chosen, ChosenOrigin, Conflict, Edge, EdgeCause, Outcome, Reason, Solution,
    SolveError, Span, Warning,
};

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
    let provider = provider::Provider::new(world::World::new(request, target, rules, facts));
    provider.meet_lines();
    match pubgrub::resolve(&provider, node::Node::Root, 0_u32) {
        Ok(selected) => {
            let solution = extract::solution(&provider, &selected)?;
            Ok(Outcome::Solved(Box::new(solution)))
        }
        Err(PubGrubError::NoSolution(tree)) => {
            let conflict = conflict::conflict(&provider, &tree)?;
            Ok(Outcome::Unsolvable(Box::new(conflict)))
        }
        Err(
            PubGrubError::ErrorRetrievingDependencies { source, .. }
            | PubGrubError::ErrorChoosingVersion { source, .. }
            | PubGrubError::ErrorInShouldCancel(source),
        ) => Err(source),
    }
}
