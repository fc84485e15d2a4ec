//! Locks as pylock.toml (PEP 751).
//!
//! What the specification has no place for stands under `[tool.mlresolve]`, and for each
//! package under `[packages.tool.mlresolve]`, so that reading what was written gives the
//! same lock.

mod environment;
mod package;
mod read;
mod selection;
mod toml_text;
mod walk;
mod write;

pub use read::read;
pub use selection::plain_marker;

pub(super) use write::write;
