//! Wheel and source distribution file names.

use pep440_rs::Version;
use pep508_rs::PackageName;
use serde::{Deserialize, Serialize};

/// What a file name says a file is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum FileKind {
    /// A wheel, with its tags.
    Wheel(WheelName),
    /// A source distribution.
    Sdist(SdistName),
}

/// A wheel's name, taken apart (binary distribution format, PEP 427; PEP 825 for the label).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WheelName {
    /// The normalised distribution name.
    pub name: PackageName,
    /// The version.
    pub version: Version,
    /// The build tag: its leading number and the rest.
    pub build: Option<(u64, String)>,
    /// Python tags, split at the dots.
    pub python: Vec<String>,
    /// ABI tags, split at the dots.
    pub abi: Vec<String>,
    /// Platform tags, split at the dots.
    pub platform: Vec<String>,
    /// The wheel-variant label (PEP 825, draft), where there is one.
    pub variant: Option<String>,
}

/// A source distribution's name, taken apart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SdistName {
    /// The normalised distribution name.
    pub name: PackageName,
    /// The version.
    pub version: Version,
    /// The archive's extension, without the leading dot: `tar.gz`, `zip`.
    pub extension: String,
}

/// Why a file name cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FilenameError {
    /// Neither a wheel nor a source distribution (an egg, an installer).
    #[error("`{filename}` is neither a wheel nor a source distribution")]
    Kind {
        /// The file name.
        filename: String,
    },
    /// The name has not the parts that its kind has.
    #[error("`{filename}`: {detail}")]
    Malformed {
        /// The file name.
        filename: String,
        /// What is wrong with it.
        detail: String,
    },
}
