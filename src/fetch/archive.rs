//! Looks into archives without unpacking them: a source distribution's metadata files, a
//! wheel's METADATA. Whatever the archive says, only a bounded number of bytes is read.

use std::collections::BTreeMap;
use std::io::{self, BufReader, Read, Seek};

use flate2::read::MultiGzDecoder;
use tar::PaxExtensions;

use crate::metadata::{SdistPart, WheelName, sdist_path};

/// The largest metadata file that is read.
pub(super) const LARGEST_MEMBER: u64 = 16 * 1024 * 1024;

/// How much of an archive is unpacked at most in search of its metadata.
const LARGEST_ARCHIVE: u64 = 4 * 1024 * 1024 * 1024;

/// The largest tar header extension that is read; longer paths are no metadata file's.
const LARGEST_EXTENSION: u64 = 64 * 1024;

/// How many bytes tell an archive's kind.
const TELLING: u64 = 6;

/// How many members are looked at.
const MOST_MEMBERS: usize = 1_000_000;

/// The metadata files of a source distribution.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Members {
    /// The archive's top folder.
    pub(super) top: Option<String>,
    /// The contents of what was found. `setup.py` is never read: its contents are empty.
    pub(super) parts: BTreeMap<SdistPart, Vec<u8>>,
}

/// Why an archive cannot be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum ArchiveError {
    /// It ends early, or is not what it seems.
    #[error("it cannot be unpacked: {0}")]
    Broken(#[from] io::Error),
    /// It is a zip file that cannot be read.
    #[error("it cannot be unpacked: {0}")]
    Zip(#[from] zip::result::ZipError),
    /// Its kind is not read here.
    #[error("it is {0}, which only a build could read")]
    Kind(&'static str),
    /// It unpacks to more than is reasonable.
    #[error("it unpacks to more than {} MiB", LARGEST_ARCHIVE >> 20)]
    TooLarge,
    /// A metadata file of it is larger than is reasonable.
    #[error("its `{path}` is larger than {} MiB", LARGEST_MEMBER >> 20)]
    MemberTooLarge {
        /// The member's path.
        path: String,
    },
    /// It is not packed the way source distributions are.
    #[error("its members do not share one top folder: `{0}` and `{1}`")]
    TwoTops(String, String),
    /// A wheel without metadata, or with that of several distributions.
    #[error("{0}")]
    Wheel(String),
}

/// What kind of archive the first bytes show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A tar file compressed with gzip.
    TarGz,
    /// A zip file.
    Zip,
    /// Another kind, in words.
    Other(&'static str),
}

impl Kind {
    /// Tells the kind by the first bytes, of which it takes six to be sure.
    pub(super) fn of(first: &[u8]) -> Self {
        match first {
            [0x1f, 0x8b, ..] => Self::TarGz,
            [b'P', b'K', ..] => Self::Zip,
            [b'B', b'Z', b'h', ..] => Self::Other("a tar file compressed with bzip2"),
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Self::Other("a tar file compressed with xz"),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Self::Other("a tar file compressed with zstd"),
            [0x1f, 0x9d, ..] => Self::Other("a tar file compressed with compress"),
            _ => Self::Other("no archive of a kind that is known"),
        }
    }
}

/// Reads an archive as it comes in; `None` where its kind can only be read from a file.
///
/// Either way a few bytes are read, which tell the kind.
pub(super) fn scan_stream(
    reader: &mut impl Read,
    subdirectory: Option<&str>,
    enough: &dyn Fn(&Members) -> bool,
) -> Option<Result<Members, ArchiveError>> {
    let mut first = Vec::new();
    if let Err(error) = reader.take(TELLING).read_to_end(&mut first) {
        return Some(Err(error.into()));
    }
    match Kind::of(&first) {
        Kind::TarGz => {
            let whole = first.as_slice().chain(reader);
            Some(scan_tar_gz(whole, subdirectory, enough))
        }
        Kind::Zip => None,
        Kind::Other(what) => Some(Err(ArchiveError::Kind(what))),
    }
}

/// Reads an archive that is at hand.
pub(super) fn scan(
    file: &mut (impl Read + Seek),
    subdirectory: Option<&str>,
    enough: &dyn Fn(&Members) -> bool,
) -> Result<Members, ArchiveError> {
    file.rewind()?;
    match scan_stream(file, subdirectory, enough) {
        Some(scanned) => scanned,
        None => scan_zip(file, subdirectory),
    }
}

/// Reads a tar.gz until `enough` says that what was found decides, or to its end.
pub(super) fn scan_tar_gz(
    reader: impl Read,
    subdirectory: Option<&str>,
    enough: &dyn Fn(&Members) -> bool,
) -> Result<Members, ArchiveError> {
    let unpacked = MultiGzDecoder::new(BufReader::new(reader)).take(LARGEST_ARCHIVE);
    let mut archive = tar::Archive::new(unpacked);
    let mut members = Members::default();
    let mut long_path: Option<Vec<u8>> = None;
    // Raw entries: header extensions come one by one, so that their size can be bounded.
    for (count, entry) in archive.entries()?.raw(true).enumerate() {
        if count >= MOST_MEMBERS {
            return Err(ArchiveError::TooLarge);
        }
        let mut entry = entry?;
        let kind = entry.header().entry_type();
        if kind.is_gnu_longname() {
            long_path = extension(&mut entry)?.map(|mut path| {
                path.truncate(
                    path.iter()
                        .position(|byte| *byte == 0)
                        .unwrap_or(path.len()),
                );
                path
            });
            continue;
        }
        if kind.is_pax_local_extensions() {
            long_path = extension(&mut entry)?.and_then(|pax| pax_path(&pax));
            continue;
        }
        if kind.is_gnu_longlink() || kind.is_pax_global_extensions() {
            continue;
        }
        let path = long_path
            .take()
            .unwrap_or_else(|| entry.path_bytes().into_owned());
        let Ok(mut path) = String::from_utf8(path) else {
            continue;
        };
        if kind.is_dir() && !path.ends_with('/') {
            path.push('/');
        }
        if !kind.is_dir() && !kind.is_file() && !kind.is_contiguous() {
            // A link or device: what it stands for is not read.
            continue;
        }
        if members.add(&path, subdirectory, &mut entry)? && enough(&members) {
            return Ok(members);
        }
    }
    if archive.into_inner().limit() == 0 {
        return Err(ArchiveError::TooLarge);
    }
    Ok(members)
}

fn extension(entry: &mut impl Read) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    entry.take(LARGEST_EXTENSION + 1).read_to_end(&mut bytes)?;
    Ok((bytes.len() as u64 <= LARGEST_EXTENSION).then_some(bytes))
}

fn pax_path(pax: &[u8]) -> Option<Vec<u8>> {
    PaxExtensions::new(pax)
        .filter_map(Result::ok)
        .filter(|extension| extension.key_bytes() == b"path")
        .last()
        .map(|extension| extension.value_bytes().to_vec())
}

/// Looks the metadata files up in a zip file's directory.
pub(super) fn scan_zip(
    reader: impl Read + Seek,
    subdirectory: Option<&str>,
) -> Result<Members, ArchiveError> {
    let mut archive = zip::ZipArchive::new(reader)?;
    let mut members = Members::default();
    let names: Vec<Option<String>> = archive
        .file_names()
        .map(|name| Some(name.ok()?.into_owned()))
        .collect();
    for (index, path) in names.into_iter().enumerate() {
        let Some(path) = path else { continue };
        let is_wanted = sdist_path(&path, subdirectory).is_some_and(|path| path.part.is_some());
        if is_wanted {
            let mut file = archive.by_index(index)?;
            if !file.is_symlink() {
                members.add(&path, subdirectory, &mut file)?;
            }
        } else {
            members.add(&path, subdirectory, &mut io::empty())?;
        }
    }
    Ok(members)
}

impl Members {
    /// The text of a part, where it was found.
    pub(super) fn part(&self, part: SdistPart) -> Option<&[u8]> {
        self.parts.get(&part).map(Vec::as_slice)
    }

    /// Adds a member where it matters; whether it does.
    fn add(
        &mut self,
        path: &str,
        subdirectory: Option<&str>,
        contents: &mut impl Read,
    ) -> Result<bool, ArchiveError> {
        let Some(found) = sdist_path(path, subdirectory) else {
            return Ok(false);
        };
        match &self.top {
            None => self.top = Some(found.top.to_owned()),
            Some(top) if top == found.top => {}
            Some(top) => return Err(ArchiveError::TwoTops(top.clone(), found.top.to_owned())),
        }
        let Some(part) = found.part else {
            return Ok(false);
        };
        let bytes = match part {
            SdistPart::SetupPy => Vec::new(),
            _ => bounded(contents, path)?,
        };
        self.parts.insert(part, bytes);
        Ok(true)
    }
}

fn bounded(contents: &mut impl Read, path: &str) -> Result<Vec<u8>, ArchiveError> {
    let mut bytes = Vec::new();
    contents.take(LARGEST_MEMBER + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST_MEMBER {
        return Err(ArchiveError::MemberTooLarge {
            path: path.to_owned(),
        });
    }
    Ok(bytes)
}

/// The METADATA of a wheel that is at hand.
pub(super) fn wheel_metadata(
    reader: impl Read + Seek,
    wheel: &WheelName,
) -> Result<Vec<u8>, ArchiveError> {
    let mut archive = zip::ZipArchive::new(reader)?;
    let mut found: Vec<String> = archive
        .file_names()
        .filter_map(Result::ok)
        .filter(|path| {
            path.strip_suffix(".dist-info/METADATA")
                .is_some_and(|folder| !folder.is_empty() && !folder.contains('/'))
        })
        .map(std::borrow::Cow::into_owned)
        .collect();
    found.sort_unstable();
    match found.as_slice() {
        [path] => bounded(&mut archive.by_name(path)?, path),
        [] => Err(ArchiveError::Wheel(format!(
            "the wheel of `{}` has no `.dist-info/METADATA`",
            wheel.name
        ))),
        several => Err(ArchiveError::Wheel(format!(
            "the wheel of `{}` has several `.dist-info` folders: `{}`",
            wheel.name,
            several.join("`, `")
        ))),
    }
}

#[cfg(test)]
mod tests;
