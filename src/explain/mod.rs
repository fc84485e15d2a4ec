//! From outcomes to sentences: why there is no solution, why a version was chosen, what
//! blocks another, and what to change. Everything that is advised was solved first.

mod base;
mod beside;
mod bounds;
mod builds;
mod chain;
mod changes;
mod core;
mod diagnosis;
mod extras;
mod fix;
mod graph;
mod graph_page;
mod graph_text;
mod json;
mod limited;
mod message;
mod names;
mod no_release;
mod other_builds;
mod ranges;
mod relax;
mod sentence;
mod study;
mod text;
mod why;
mod why_not;
mod why_not_text;
mod why_text;

pub use base::{BaseRemedy, Replaced, base_remedy};
pub use builds::builds;
pub use chain::{Link, against};
pub use changes::{Cause, Changed, Changes};
pub use core::Core;
pub use diagnosis::{Diagnosis, diagnose};
pub use fix::{Edit, Fix};
pub use graph::{From, Graph, GraphEdge, Node};
pub use json::{changes_json, conflict_json, why_json, why_not_json};
pub use message::{Message, Shown, Told};
pub(crate) use names::near as near_names;
pub use names::stand_in;
pub use sentence::Sentence;
pub use study::{Study, UserLine};
pub use text::{COLUMNS, wrap};
pub use why::{Barrier, Otherwise, Upgrade, Why, why};
pub use why_not::{Answer, Blocker, Change, Claim, WhyNot, wanted, why_not};
