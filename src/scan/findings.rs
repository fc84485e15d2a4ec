//! What a scan found: the types that `mlresolve scan --format json` writes, one object a line.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::binary::BinaryFormat;
use super::libraries::{CudaFinding, NeededLibrary, TorchFinding};
use super::numpy::NumpyFinding;
use super::platform::Floor;

/// What a wheel's binaries were built for.
///
/// Beyond `numpy`, `unread`, `problems` and `cost` everything is empty where only the NumPy C-ABI was
/// asked for ([`Scope::NumpyAbi`](super::Scope::NumpyAbi)).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Findings {
    /// The wheel's file name, or the name of what was scanned in its place.
    pub source: String,
    /// What the file name says, where it is a wheel's.
    pub wheel: Option<WheelTags>,
    /// Name and version by the metadata inside.
    pub metadata: Option<NameVersion>,
    /// Which NumPy C-ABI it was built for.
    pub numpy: NumpyFinding,
    /// What it needs, brings and may open of CUDA; `None` where that is nothing.
    pub cuda: Option<CudaFinding>,
    /// What it needs of PyTorch's libraries; `None` where that is nothing.
    pub torch: Option<TorchFinding>,
    /// The newest versions of glibc, libstdc++ and macOS that it asks for.
    pub floors: Vec<Floor>,
    /// The interpreters that its extension modules are for: `cp311`, `abi3`.
    pub python: BTreeSet<String>,
    /// OpenMP run-time libraries that it brings.
    pub openmp: BTreeSet<String>,
    /// The import paths that it installs.
    pub imports: Vec<String>,
    /// Every library that its binaries need.
    pub needed: Vec<NeededLibrary>,
    /// Each binary that was read, in reading order.
    pub binaries: Vec<Binary>,
    /// Binaries that were not read, in reading order.
    pub unread: Vec<Unread>,
    /// What is wrong with it without making it unreadable.
    pub problems: Vec<Problem>,
    /// Every file, in archive order.
    pub files: Vec<FileDigest>,
    /// What the scan took.
    pub cost: Cost,
}

/// A name and a version, as written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NameVersion {
    /// The name.
    pub name: String,
    /// The version.
    pub version: String,
}

/// What one binary says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Binary {
    /// Its path in the wheel.
    pub path: String,
    /// Its format.
    pub format: BinaryFormat,
    /// Processor architectures, as wheel tags spell them.
    pub architectures: Vec<String>,
    /// The name under which others need it.
    pub soname: Option<String>,
    /// The libraries that the loader must find for it (`DT_NEEDED`, load commands,
    /// import tables), in its own order.
    pub needed: Vec<String>,
    /// Libraries of NVIDIA's that it names beyond those, and may open at run time;
    /// best effort.
    pub opens: Vec<String>,
    /// Where it tells the loader to look (`RPATH`, `RUNPATH`, `LC_RPATH`).
    pub run_paths: Vec<String>,
    /// The newest version that it needs of each family of symbol versions: `GLIBC` 2.17.
    pub symbol_versions: BTreeMap<String, String>,
    /// The oldest macOS that it runs on.
    pub macos: Option<String>,
    /// The Python modules that it initialises (`PyInit_NAME`).
    pub modules: Vec<String>,
    /// Whether its symbols from PyTorch use the C++11 ABI of libstdc++.
    pub cxx11_abi: Option<bool>,
    /// GPU architectures that it has code for; best effort.
    pub gpu_architectures: Vec<String>,
}

/// A file of a wheel, so that two wheels can be compared without unpacking them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileDigest {
    /// Its path in the wheel.
    pub path: String,
    /// Its size in bytes.
    pub size: u64,
    /// CRC-32 of its content: enough to compare, not to trust.
    pub crc32: u32,
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
