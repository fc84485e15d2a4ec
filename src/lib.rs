//! A lockfile resolver for Python ML stacks that knows what the binaries need.
//!
//! The data goes in one direction:
//!
//! ```text
//!  target  ─┐
//!  request ─┼─► solve ─► outcome ─┬─► lock      pylock.toml, requirements.txt
//!  rules   ─┘     ▲               └─► explain   why not, or why this one
//!              facts (trait)
//!                 ▲
//!               fetch            memory, cache, snapshot, network
//! ```
//!
//! Invariants, each kept by a machine where one can keep it:
//!
//! - The core (everything but [`fetch`] and [`cli`]) is a pure function of its
//!   facts: no I/O, clock, environment or async. `clippy.toml` refuses them and
//!   `cargo check --no-default-features --lib` builds the core without them.
//! - The core asks through one trait, [`solve::Facts`]. What is already loaded
//!   never influences an answer.
//! - Rules add, tighten or drop edges; the solver knows no particular rule.
//! - Sorted maps wherever order can reach output.

pub mod check;
pub mod explain;
pub mod lock;
pub mod metadata;
pub mod request;
pub mod rules;
pub mod scan;
pub mod solve;
pub mod target;
pub mod variants;
pub mod versions;

#[cfg(feature = "cli")]
pub mod cli;
#[cfg(feature = "cli")]
pub mod fetch;

pub use lock::Lock;
pub use pep508_rs::{ExtraName, PackageName};
pub use request::Request;
pub use rules::{RuleId, RuleSet};
pub use solve::{Facts, Outcome, solve};
pub use target::Target;
