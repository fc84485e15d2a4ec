//! From outcomes to sentences: why there is no solution, and why a version was chosen.

mod base;
mod conflict;
mod core;
mod suggest;
mod text;
mod why;

pub use base::{BaseConflicts, BaseRemedy, base_conflicts};
pub use conflict::{Explanation, explain_conflict};
pub use core::cores;
pub use suggest::{Suggestion, suggest};
pub use text::wrap;
pub use why::{Blocker, Why, why};
