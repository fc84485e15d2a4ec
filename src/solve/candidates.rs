//! What a solve would choose from.

use pep440_rs::Version;
use pep508_rs::PackageName;

use super::facts::{Facts, Unusable};
use super::outcome::SolveError;
use super::world::{Memo, World};
use crate::{Request, RuleSet, Target};

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
    let world = World::new(request, target, rules, facts, memo);
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
