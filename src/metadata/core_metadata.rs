//! Core metadata: the METADATA file of a wheel, the PKG-INFO of a source distribution.

use pep440_rs::{Version, VersionSpecifiers};
use pep508_rs::{ExtraName, MarkerTree, PackageName};

use super::Repair;

/// What one file's core metadata says that matters for resolving.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metadata {
    /// The normalised name.
    pub name: PackageName,
    /// The version.
    pub version: Version,
    /// `Requires-Python`.
    pub requires_python: Option<VersionSpecifiers>,
    /// `Requires-Dist`, in file order.
    pub requires_dist: Vec<Dependency>,
    /// `Provides-Extra`, normalised, sorted, without repetition.
    pub provides_extras: Vec<ExtraName>,
    /// What was repaired in it, so that `-v` can tell.
    pub repairs: Vec<Repair>,
}

/// One `Requires-Dist` of a file's metadata.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dependency {
    /// The distribution that is required.
    pub name: PackageName,
    /// The extras asked of it, sorted.
    pub extras: Vec<ExtraName>,
    /// Which of its releases, or from where.
    pub source: DependencySource,
    /// When it is required; `extra` terms included.
    pub marker: MarkerTree,
}

/// Which releases a dependency accepts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DependencySource {
    /// Any release that the specifiers contain; empty specifiers contain all.
    Specifiers(VersionSpecifiers),
    /// What is found at a URL (PEP 508 `name @ url`), as written.
    Url(String),
}

/// Why one file's metadata makes it unusable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MetadataError {
    /// A field that must be there is not.
    #[error("its metadata has no `{field}`")]
    Missing {
        /// The field's name.
        field: &'static str,
    },
    /// A field's value cannot be understood, even after the published repairs.
    #[error("its metadata has an unreadable `{field}`: `{value}`: {detail}")]
    Malformed {
        /// The field's name.
        field: &'static str,
        /// The value as written.
        value: String,
        /// What is wrong with it.
        detail: String,
    },
    /// Name or version differ from the file name's.
    #[error("its metadata is for `{found}`, its file name for `{expected}`")]
    Mismatch {
        /// Name and version by the file name.
        expected: String,
        /// Name and version by the metadata.
        found: String,
    },
}
