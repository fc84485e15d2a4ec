//! What a wheel's binaries were built for: bytes in, findings out.
//!
//! [`scan_wheel`] reads a wheel through any [`Read`](std::io::Read) +
//! [`Seek`](std::io::Seek): the central directory first, then the binaries that
//! matter, in an order that settles questions early. Nothing is unpacked; each
//! binary streams past byte-pattern searches, and only its head and tail are kept
//! for parsing.

mod archive;
mod assemble;
mod binary;
mod bytes;
mod error;
mod findings;
mod gpu;
mod imports;
mod inspect;
mod libraries;
mod limits;
mod markers;
mod names;
mod numpy;
mod overlap;
mod plan;
mod platform;
pub mod render;
#[cfg(test)]
pub(crate) mod tests;
mod wheel;
mod window;

pub use binary::BinaryFormat;
pub use error::ScanError;
pub use findings::{Binary, Cost, FileDigest, Findings, NameVersion, Problem, Unread, WheelTags};
pub use libraries::{CudaFinding, CudaLibraries, NeededLibrary, TorchFinding};
pub use limits::{Limits, Scope};
pub use numpy::{NumpyAbi, NumpyFinding, NumpyMechanism, NumpyUse};
pub use overlap::{Overlap, overlap};
pub use platform::Floor;
pub use wheel::{list_files, scan_installed, scan_installed_files, scan_member, scan_wheel};
