//! From outcomes to sentences: why there is no solution, and why a version was chosen.

mod conflict;
mod suggest;
mod text;
mod why;

pub use conflict::{Explanation, explain_conflict};
pub use suggest::{Suggestion, suggest};
pub use text::wrap;
pub use why::{Blocker, Why, why};
