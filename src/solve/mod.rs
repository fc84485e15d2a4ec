//! The solver: request + target + rules over facts gives an outcome.

mod base;
mod candidates;
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
mod runs;
mod sides;
mod sources;
mod universe;
mod variants;
mod virtuals;
mod world;

pub use base::indexed_metadata;
pub use candidates::{Candidates, candidates};
pub use chosen_files::ChosenFiles;
pub use facts::{DirectFacts, FactError, Facts, Unusable};
pub use labels::{EligibleBuilds, eligible_builds};
pub use outcome::{
    ChangedEdge, Chosen, ChosenOrigin, ChosenVariant, Conflict, Edge, EdgeCause, Outcome, Reason,
    Solution, SolveError, Span, Warning,
};
pub use runs::{solve, solve_again};
pub use world::Memo;
