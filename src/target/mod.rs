//! The environment a lock is for: Python, platform, accelerator; and which wheels suit it.
//!
//! A target that is declared is built from its words alone. Reading one off an
//! interpreter is the edge's work ([`crate::cli`]); it hands the facts in here.

mod accelerator;
mod declared;
mod error;
mod interpreter;
mod mismatch;
mod platform;
mod platform_name;
mod python;
mod tags;
mod virtuals;
mod wheel;
mod words;

#[cfg(test)]
mod recorded;

pub use accelerator::{Accelerator, Build, sm};
pub use declared::Target;
pub use error::TargetError;
pub use interpreter::{InterpreterFacts, SystemFacts};
pub use mismatch::{Mismatch, System};
pub use platform::{Os, Platform};
pub use python::{Implementation, PythonWord};
pub use wheel::{TagPriority, WheelOrder};
pub use words::TargetWords;
