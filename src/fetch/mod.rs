//! The edge that brings facts: index client, cache, snapshots, prefetching.
#![expect(
    clippy::disallowed_methods,
    reason = "this is the edge: it reads the disk, the environment and the clock"
)]

mod archive;
pub mod build;
pub mod direct;
pub mod download;
#[cfg(test)]
mod fixtures;
mod process;
pub mod records;
pub mod sdist;

/// Placeholder: the machine's temporary folder.
pub fn temporary() -> Option<std::ffi::OsString> {
    std::env::var_os("TMPDIR")
}
