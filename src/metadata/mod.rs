//! What a registry said, parsed: index pages, core METADATA, file names.
//!
//! Bytes in, facts out; no I/O. A file or a field that cannot be understood makes
//! one file or one release unusable, with a typed reason; it does not end a run.

mod core_metadata;
mod digests;
mod egg_info;
mod filename;
mod files;
mod hash;
mod html;
mod json;
mod marker;
mod page;
mod pyproject;
mod repair;
mod requirement;
mod requires;
mod sdist;
mod variant;

pub use core_metadata::{Dependency, DependencySource, Metadata, MetadataError};
pub use digests::{Digests, bytes_of, hexadecimal};
pub use filename::{FileKind, FilenameError, SdistName, VariantsName, WheelName, is_document};
pub use files::{
    DetailSource, FileId, FileRow, Files, ReleaseFiles, ReleaseRows, Releases, UnreadableFiles,
    Uploads, wheel_of_shape,
};
pub use hash::FileHash;
pub(crate) use marker::long_marker;
pub use marker::parse_marker;
pub use page::{CoreMetadataSidecar, File, Page, PageError, Yanked};
pub use repair::{Repair, parse_specifiers};
pub use requires::{Extras, Requires};
pub use sdist::{SdistPart, SdistPath, sdist_path};
pub use variant::{PropertyError, VariantProperty};
pub(crate) use variant::{is_name as is_variant_name, is_value as is_variant_value};
