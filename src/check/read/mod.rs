//! Readers: the text of a lock or a list becomes a [`Subject`](super::Subject).
//!
//! Each reads what its own program writes and refuses the rest with a line.

mod conda;
mod container;
mod error;
mod lines;
mod pdm_poetry;
mod pipfile;
mod pylock;
mod python;
mod toml_text;
mod uv;

pub use conda::conda;
pub use container::containerfile;
pub use error::ReadError;
pub use lines::{base, requirements};
pub use pdm_poetry::{pdm, poetry};
pub use pipfile::{pipfile, wanted};
pub use pylock::pylock;
pub use python::{python_of_conda, python_of_containerfile};
pub use uv::uv;
