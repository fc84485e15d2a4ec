//! Locks as requirements files, in pip-compile's layout.
//!
//! Apart from our name in the header, what we write beyond pip-compile's lines is
//! further lines: the provenance in the header, and the rules below an annotation.

mod header;
mod line;
mod read;
mod write;

pub use header::Writer;
pub use read::{ReadRequirements, Unread, read};

pub(super) use write::write;
