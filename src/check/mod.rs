//! Judging what exists: locks, requirements, environments.
//!
//! A [`Subject`] is what a file or an environment holds; [`judge`] finds what is wrong with it
//! by rules and by metadata, [`judge_files`] by the files on disk. Reading is pure: the readers
//! in [`read`] take text, and the environment's files come in as [`Distribution`]s.

mod changed;
mod files;
mod fix;
mod index;
mod judge;
mod merge;
mod model;
pub mod read;
mod record;
pub mod render;
mod repair;
mod twice;
mod unbounded;

pub use changed::Changed;
pub use files::{Distribution, FileState, judge_files, judge_left_behind};
pub use fix::{Fixed, fix};
pub use index::judge_index;
pub use judge::judge;
pub use merge::merge;
pub use model::{Entry, Finding, Severity, Subject, Wanted};
pub use record::{RecordedFile, read_record};
