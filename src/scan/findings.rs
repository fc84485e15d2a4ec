//! What a scan found: the types that `mlresolve scan --format json` writes, one object a line.

use serde::{Deserialize, Serialize};

use super::numpy::NumpyFinding;

/// What a wheel's binaries were built for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Findings {
    /// The wheel's file name, or the name of what was scanned in its place.
    pub source: String,
    /// What the file name says, where there is one.
    pub wheel: Option<WheelTags>,
    /// Which NumPy C-ABI it was built for.
    pub numpy: NumpyFinding,
    /// Binaries that were not read, in reading order.
    pub unread: Vec<Unread>,
    /// What is wrong with it without making it unreadable.
    pub problems: Vec<Problem>,
    /// What the scan took.
    pub cost: Cost,
}

/// What a wheel's file name says (binary distribution format, PEP 427).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WheelTags {
    /// The distribution's name as written.
    pub name: String,
    /// The version as written.
    pub version: String,
    /// Python tags.
    pub python: Vec<String>,
    /// ABI tags.
    pub abi: Vec<String>,
    /// Platform tags.
    pub platform: Vec<String>,
}

/// A binary that was not read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unread {
    /// Its path in the wheel.
    pub path: String,
    /// Its inflated size in bytes.
    pub size: u64,
    /// Why it was not read.
    pub reason: String,
}

/// Something wrong with a wheel that does not make it unreadable.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Problem {
    /// What it is about: a path in the wheel, or the wheel's own name.
    pub path: String,
    /// What is wrong, in words.
    pub detail: String,
}

/// What a scan took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cost {
    /// Bytes asked of the reader.
    pub bytes_read: u64,
    /// Bytes that they inflated to.
    pub bytes_inflated: u64,
    /// How many binaries were read.
    pub binaries_read: usize,
}

impl WheelTags {
    /// Takes a wheel's file name apart; `None` where it is not one.
    pub fn from_filename(filename: &str) -> Option<Self> {
        let parts: Vec<&str> = filename.strip_suffix(".whl")?.split('-').collect();
        let (name, version, tags) = match parts.as_slice() {
            [name, version, tags @ ..] => (*name, *version, tags),
            _ => return None,
        };
        // A build number may stand before the three tags, a variant label after them.
        let tags = match tags {
            [python, abi, platform] => [python, abi, platform],
            [build, python, abi, platform]
                if build.starts_with(|first: char| first.is_ascii_digit()) =>
            {
                [python, abi, platform]
            }
            [python, abi, platform, _variant] => [python, abi, platform],
            [_build, python, abi, platform, _variant] => [python, abi, platform],
            _ => return None,
        };
        if name.is_empty() || version.is_empty() {
            return None;
        }
        let [python, abi, platform] = tags.map(|tag| tag.split('.').map(str::to_owned).collect());
        Some(Self {
            name: name.to_owned(),
            version: version.to_owned(),
            python,
            abi,
            platform,
        })
    }
}
