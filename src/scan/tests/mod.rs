//! Wheels made on the spot, and what a scan says of them.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

mod archive;
mod binaries;
mod conclusions;
mod numpy;
mod objects;
mod plan;
mod render;
pub(crate) mod support;
