//! The solver: request + target + rules over facts gives an outcome.

mod facts;
mod outcome;

use crate::{Request, RuleSet, Target};

pub use facts::{DirectFacts, FactError, Facts, Unusable};
pub use outcome::{
    Chosen, ChosenOrigin, Conflict, Edge, EdgeCause, Outcome, Solution, SolveError, Warning,
};

/// Finds a set of releases that meets the request on the target under the rules.
///
/// # Errors
///
/// [`SolveError`] where facts could not be had (an index is down); that there is no
/// solution is an [`Outcome`].
pub fn solve(
    _request: &Request,
    _target: &Target,
    _rules: &RuleSet,
    _facts: &impl Facts,
) -> Result<Outcome, SolveError> {
    Ok(Outcome::Solved(Box::default()))
}
