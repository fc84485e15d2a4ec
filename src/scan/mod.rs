//! What a wheel's binaries were built for: bytes in, findings out.
//!
//! [`scan_wheel`] reads a wheel through any [`Read`](std::io::Read) +
//! [`Seek`](std::io::Seek): the central directory first, then the binaries that
//! matter, in an order that settles questions early. Nothing is unpacked; each
//! binary streams past byte-pattern searches, and only its head and tail are kept
//! for parsing.

mod archive;
mod bytes;
mod error;
mod findings;
mod limits;
mod markers;
mod numpy;
mod plan;
#[cfg(test)]
mod tests;
mod wheel;

pub use error::ScanError;
pub use findings::{Cost, Findings, Problem, Unread, WheelTags};
pub use limits::{Limits, Scope};
pub use numpy::{NumpyAbi, NumpyFinding, NumpyMechanism, NumpyUse};
pub use wheel::scan_wheel;
