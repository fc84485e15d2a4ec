//! What a shared library says of itself: formats, needs, versions.

mod elf;
mod macho;
mod pe;

use std::collections::{BTreeMap, BTreeSet};

use memchr::memmem::Finder;
use object::FileKind;
use object::elf::{FileHeader32, FileHeader64};
use object::macho::{FatArch32, FatArch64};
use object::pe::{ImageNtHeaders32, ImageNtHeaders64};
use serde::{Deserialize, Serialize};

use super::window::Window;

/// The format of a binary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BinaryFormat {
    /// ELF: Linux.
    Elf,
    /// Mach-O: macOS.
    MachO,
    /// Portable Executable: Windows.
    Pe,
}

/// What a binary's headers say, taken over all its architectures.
#[derive(Debug)]
pub(super) struct Headers {
    pub(super) format: BinaryFormat,
    /// Processor architectures as wheel tags spell them.
    pub(super) architectures: BTreeSet<String>,
    /// The name under which others need it.
    pub(super) soname: Option<String>,
    /// The libraries it needs, in its own order.
    pub(super) needed: Vec<String>,
    /// Where it tells the loader to look for them.
    pub(super) run_paths: Vec<String>,
    /// Names of symbol versions (`GLIBC_2.17`) that it needs.
    pub(super) symbol_versions: BTreeSet<String>,
    /// The oldest macOS that it accepts.
    pub(super) macos: Option<(u16, u16)>,
    /// The names of the modules that it initialises (`PyInit_NAME`).
    pub(super) modules: BTreeSet<String>,
    /// Whether its symbols from PyTorch use the C++11 ABI of libstdc++.
    pub(super) cxx11_abi: Option<bool>,
}

impl Headers {
    fn new(format: BinaryFormat) -> Self {
        Self {
            format,
            architectures: BTreeSet::new(),
            soname: None,
            needed: Vec::new(),
            run_paths: Vec::new(),
            symbol_versions: BTreeSet::new(),
            macos: None,
            modules: BTreeSet::new(),
            cxx11_abi: None,
        }
    }
}

/// Why a binary's headers could not be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum HeaderError {
    /// The format is none of a shared library's.
    #[error("it is no shared library")]
    NoLibrary,
    /// The parser gave up.
    #[error("its headers are damaged: {0}")]
    Damaged(#[from] object::Error),
    /// A table lies where nothing is, or in a middle that was let go.
    #[error("its headers point at something that is not there or was not kept")]
    OutOfReach,
    /// A name goes on for longer than any name does.
    #[error("its headers hold a name that does not end")]
    TooLong,
}

/// Reads one format's headers.
type Parser = fn(&Window, &mut Headers) -> Result<(), HeaderError>;

/// Reads a binary's headers.
pub(super) fn parse(window: &Window) -> Result<Headers, HeaderError> {
    let kind = FileKind::parse(window).map_err(|_| HeaderError::NoLibrary)?;
    let (format, parse): (_, Parser) = match kind {
        FileKind::Elf32 => (BinaryFormat::Elf, elf::parse::<FileHeader32<_>>),
        FileKind::Elf64 => (BinaryFormat::Elf, elf::parse::<FileHeader64<_>>),
        FileKind::MachO32 | FileKind::MachO64 => (BinaryFormat::MachO, macho::parse_thin),
        FileKind::MachOFat32 => (BinaryFormat::MachO, macho::parse_fat::<FatArch32>),
        FileKind::MachOFat64 => (BinaryFormat::MachO, macho::parse_fat::<FatArch64>),
        FileKind::Pe32 => (BinaryFormat::Pe, pe::parse::<ImageNtHeaders32>),
        FileKind::Pe64 => (BinaryFormat::Pe, pe::parse::<ImageNtHeaders64>),
        _ => return Err(HeaderError::NoLibrary),
    };
    let mut headers = Headers::new(format);
    parse(window, &mut headers)?;
    Ok(headers)
}

/// Asks for the tables in the middle of a large binary, once its start was seen.
pub(super) fn keep_tables(window: &mut Window) {
    let range = match FileKind::parse(&*window) {
        Ok(FileKind::Elf64) => elf::dynamic_range::<FileHeader64<_>>(window),
        Ok(FileKind::Elf32) => elf::dynamic_range::<FileHeader32<_>>(window),
        _ => None,
    };
    if let Some((start, length)) = range
        && length <= LARGEST_DYNAMIC
    {
        window.keep(start, start.saturating_add(length));
    }
}

/// No dynamic segment is larger, in bytes; a hostile one may claim to be.
const LARGEST_DYNAMIC: u64 = 1 << 20;
/// No library needs so many others, run paths or versions; a hostile one may claim to.
const MOST: usize = 256;
/// No name in a library's headers is longer; run paths are the longest.
const LONGEST: usize = 1024;

/// A name from a binary; what is no UTF-8 is replaced.
fn name(bytes: &[u8]) -> Result<String, HeaderError> {
    if bytes.len() <= LONGEST {
        Ok(String::from_utf8_lossy(bytes).into_owned())
    } else {
        Err(HeaderError::TooLong)
    }
}

/// Adds a name to a list that holds no name twice and not too many.
fn add(list: &mut Vec<String>, name: String) {
    if list.len() < MOST && !list.contains(&name) {
        list.push(name);
    }
}

/// Takes from a table of symbol names what matters.
fn note_symbols(strings: &[u8], headers: &mut Headers) {
    let string = Finder::new(b"7__cxx1112basic_string");
    let mut old_abi = false;
    let mut new_abi = false;
    for name in strings.split(|byte| *byte == 0) {
        // Mach-O puts an underscore before every C name.
        let name = name
            .strip_prefix(b"_")
            .filter(|rest| rest.starts_with(b"PyInit_"))
            .unwrap_or(name);
        if let Some(module) = name.strip_prefix(b"PyInit_") {
            if !module.is_empty() && headers.modules.len() < MOST {
                headers.modules.extend(self::name(module));
            }
        } else if is_torch_symbol(name) {
            new_abi |= string.find(name).is_some();
            // `std::string` of the old ABI is mangled as `Ss`, most often as `RKSs`.
            old_abi |= name.ends_with(b"RKSs") || name.ends_with(b"ESs");
        }
    }
    headers.cxx11_abi = match (old_abi, new_abi) {
        (_, true) => Some(true),
        (true, false) => Some(false),
        (false, false) => headers.cxx11_abi,
    };
}

/// Whether a mangled C++ name belongs to `c10`, `at` or `torch`.
fn is_torch_symbol(name: &[u8]) -> bool {
    let rest = name
        .strip_prefix(b"_ZNK")
        .or_else(|| name.strip_prefix(b"_ZN"))
        .unwrap_or_default();
    [b"3c10".as_slice(), b"2at", b"5torch"]
        .iter()
        .any(|namespace| rest.starts_with(namespace))
}

/// The newest version of each family among names such as `GLIBC_2.17` and `GLIBCXX_3.4.19`.
pub(super) fn newest_by_family<'a>(
    names: impl IntoIterator<Item = &'a str>,
) -> BTreeMap<String, String> {
    let mut newest: BTreeMap<String, String> = BTreeMap::new();
    for name in names {
        let Some((family, version)) = name.split_once('_') else {
            continue;
        };
        // `GLIBC_PRIVATE`, `CXXABI_FLOAT128` and their like are no versions.
        if !version.starts_with(|first: char| first.is_ascii_digit()) {
            continue;
        }
        let entry = newest.entry(family.to_owned()).or_default();
        if version_key(version) > version_key(entry) {
            version.clone_into(entry);
        }
    }
    newest
}

/// A dotted version as numbers, for comparison; what is no number counts as 0.
pub(super) fn version_key(version: &str) -> Vec<u64> {
    version
        .split('.')
        .filter(|part| !part.is_empty())
        .map(|part| part.parse().unwrap_or(0))
        .collect()
}
