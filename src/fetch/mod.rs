//! The edge that brings facts: index client, cache, snapshots, prefetching.
#![expect(
    clippy::disallowed_methods,
    reason = "this is the edge: it reads the disk, the environment and the clock"
)]

/// Placeholder: the machine's temporary folder.
pub fn temporary() -> Option<std::ffi::OsString> {
    std::env::var_os("TMPDIR")
}
