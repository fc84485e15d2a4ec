//! Index pages: PEP 503 HTML and PEP 691 JSON, with yanked files (PEP 592),
//! metadata sidecars (PEP 658, PEP 714), sizes and upload times (PEP 700).

use std::collections::BTreeMap;

use jiff::Timestamp;
use pep440_rs::Version;
use pep508_rs::PackageName;
use serde::{Deserialize, Serialize};

use super::FileKind;

/// One distribution's page on one index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    /// The distribution's normalised name.
    pub name: PackageName,
    /// The index the page came from, as a URL without credentials.
    pub index: String,
    /// Every file whose name could be understood, in page order.
    pub files: Vec<File>,
    /// How many links were left out because their names could not be understood
    /// or named another distribution.
    pub skipped: u32,
}

/// One file of a distribution, as its index lists it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    /// The file name, percent-decoded.
    pub filename: String,
    /// The absolute URL, without credentials and without fragment.
    pub url: String,
    /// Hashes by algorithm (`sha256`), hexadecimal, lower case.
    pub hashes: BTreeMap<String, String>,
    /// Size in bytes, where the index gives it.
    pub size: Option<u64>,
    /// When the file was uploaded, where the index gives it.
    pub upload_time: Option<Timestamp>,
    /// The raw `Requires-Python`, where the index gives it.
    pub requires_python: Option<String>,
    /// Whether the file was yanked, and why.
    pub yanked: Option<Yanked>,
    /// The metadata sidecar that the index offers for the file.
    pub sidecar: Option<CoreMetadataSidecar>,
    /// The version that the file name gives.
    pub version: Version,
    /// What the file name says: a wheel with tags, or a source distribution.
    pub kind: FileKind,
}

/// A file was yanked (PEP 592).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Yanked {
    /// The reason that was given, where one was.
    pub reason: Option<String>,
}

/// A `.metadata` file beside the wheel (PEP 658, PEP 714).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CoreMetadataSidecar {
    /// The sidecar's sha256, hexadecimal, where the index gives it.
    pub sha256: Option<String>,
}

/// A page that cannot be read at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PageError {
    /// The body is not what its content type says.
    #[error("the page of `{name}` is not {expected}: {detail}")]
    Malformed {
        /// The distribution asked for.
        name: PackageName,
        /// What was expected, such as "PEP 691 JSON".
        expected: &'static str,
        /// What is wrong with it.
        detail: String,
    },
    /// The content type is none that mlresolve reads.
    #[error("the page of `{name}` has content type `{content_type}`")]
    ContentType {
        /// The distribution asked for.
        name: PackageName,
        /// The content type as served.
        content_type: String,
    },
}

impl File {
    /// The sha256, hexadecimal, where the index gives it.
    pub fn sha256(&self) -> Option<&str> {
        self.hashes.get("sha256").map(String::as_str)
    }
}
