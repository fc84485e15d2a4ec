//! PEP 440 specifiers as sets of ranks over the known releases.
//!
//! There is one evaluator, tested against a table recorded from Python's
//! `packaging`. In the solver a version is its rank among a distribution's known
//! releases, so that a set of versions is a few integers.

mod rank_set;
mod specifiers;

pub use rank_set::{Rank, RankSet};
pub use specifiers::{contains, display, rank_set, rank_set_of};
