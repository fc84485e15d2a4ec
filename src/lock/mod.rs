//! The lock: one model, a reader and a writer per format (requirements.txt, pylock.toml).
//!
//! A [`Solution`](crate::solve::Solution) becomes a [`Lock`] by [`Lock::from_solution`];
//! [`render`] writes it; [`read_requirements`] and [`read_pylock`] read what was written,
//! by this program or by others. Nothing here touches a disk: writing a file in one
//! step, so that it is whole or untouched, is the edge's work.

mod compare;
mod credentials;
mod direct;
mod error;
mod from_solution;
mod hashes;
mod marker_text;
mod model;
mod pylock;
mod render;
mod requirements;

pub use compare::{Difference, diff};
pub use error::{LockError, MissingHash};
pub use from_solution::{HashListing, LockContext};
pub use model::{
    InstallerOptions, Lock, LockedFile, LockedPackage, LockedVariant, Provenance, Source,
    TargetRecord, Via,
};
pub use pylock::{plain_marker, read as read_pylock};
pub use render::{
    Annotations, Emit, Format, Header, Newline, RenderOptions, UnsafePackages, render,
};
pub use requirements::{ReadRequirements, Unread, Writer, read as read_requirements};
