//! Scanning a wheel, or what was installed from one.

use std::io::{Read, Seek};

use super::archive::{Archive, Member};
use super::assemble::Gathered;
use super::findings::{FileDigest, Findings, NameVersion, Problem, WheelTags};
use super::inspect::Inspection;
use super::plan::{plan, role, unread};
use super::{Limits, ScanError, Scope};

/// No METADATA needs more than this to say name and version.
const METADATA_BYTES: usize = 64 << 10;

/// Finds out what a wheel's binaries were built for.
///
/// Only the central directory and the members that matter are read, so the reader
/// may well be a remote file behind HTTP byte ranges. Memory stays bounded
/// whatever the archive claims (see [`Limits`]).
pub fn scan_wheel<R: Read + Seek>(
    reader: R,
    filename: &str,
    limits: &Limits,
) -> Result<Findings, ScanError> {
    let wheel = WheelTags::from_filename(filename).ok_or_else(|| ScanError::Filename {
        filename: filename.to_owned(),
    })?;
    let mut archive = Archive::open(reader, limits)?;
    let members = std::mem::take(&mut archive.members);
    let mut gathered = Gathered::new(filename, Some(wheel), limits);
    for path in std::mem::take(&mut archive.duplicates) {
        gathered.problems.push(Problem {
            path,
            detail: "the archive has several members with this path".to_owned(),
        });
    }
    for step in plan(&members, limits) {
        let Member { path, size, .. } = step.member;
        if gathered.is_settled() {
            gathered.leave(path, *size, step.role, "the question was settled before");
        } else if let Some(reason) = step.unread {
            gathered.leave(path, *size, step.role, reason);
        } else {
            let mut inspection = Inspection::new(path, *size, limits);
            archive.inflate(step.member, |piece| inspection.push(piece))?;
            gathered.add(*size, inspection.finish())?;
        }
    }
    if limits.scope == Scope::Everything {
        gathered.metadata = read_metadata(&mut archive, &members)?;
        gathered.files = digests(members);
    }
    gathered.cost.bytes_read = archive.bytes_read;
    Ok(gathered.finish())
}

/// The files of a wheel, in archive order: its central directory alone is read.
pub fn list_files<R: Read + Seek>(
    reader: R,
    limits: &Limits,
) -> Result<Vec<FileDigest>, ScanError> {
    Ok(digests(Archive::open(reader, limits)?.members))
}

fn digests(members: Vec<Member>) -> Vec<FileDigest> {
    members
        .into_iter()
        .map(|member| FileDigest {
            path: member.path,
            size: member.size,
            crc32: member.crc32,
        })
        .collect()
}

/// Finds out what the binaries of an installed distribution were built for.
///
/// `source` names it in the findings; `files` are the paths relative to
/// `site-packages` with their bytes, or with none where the file is no binary.
pub fn scan_installed<Bytes: AsRef<[u8]>>(
    source: &str,
    files: impl IntoIterator<Item = (String, Bytes)>,
    limits: &Limits,
) -> Result<Findings, ScanError> {
    let mut gathered = Gathered::new(source, None, limits);
    for (path, bytes) in files {
        let bytes = bytes.as_ref();
        gathered.read_installed(path, bytes.len() as u64, bytes, limits)?;
    }
    Ok(gathered.finish())
}

/// As [`scan_installed`], for files that are too large to hold: each is a path, its size in
/// bytes and what reads it.
///
/// [`Scope::NumpyAbi`] reads no plain library that it would leave alone in a wheel.
pub fn scan_installed_files<R: Read>(
    source: &str,
    files: impl IntoIterator<Item = (String, u64, R)>,
    limits: &Limits,
) -> Result<Findings, ScanError> {
    let mut gathered = Gathered::new(source, None, limits);
    for (path, size, reader) in files {
        gathered.read_installed(path, size, reader, limits)?;
    }
    Ok(gathered.finish())
}

impl Gathered {
    fn read_installed(
        &mut self,
        path: String,
        size: u64,
        mut reader: impl Read,
        limits: &Limits,
    ) -> Result<(), ScanError> {
        let everything = limits.scope == Scope::Everything;
        let role = role(&path);
        let unread = role.and_then(|role| unread(role, size, size, limits));
        if let (Some(role), Some(reason)) = (role, unread) {
            self.leave(&path, size, role, reason);
        }
        let is_binary = role.is_some() && unread.is_none() && !self.is_settled();
        if !is_binary && !everything {
            return Ok(());
        }
        let mut inspection = is_binary.then(|| Inspection::new(&path, size, limits));
        let mut crc = flate2::Crc::new();
        let mut buffer = vec![0; 128 << 10];
        loop {
            let count = match reader.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(source) => return Err(ScanError::Read { source }),
            };
            let piece = buffer.get(..count).unwrap_or_default();
            crc.update(piece);
            if let Some(inspection) = &mut inspection {
                inspection.push(piece);
            }
        }
        if let Some(inspection) = inspection {
            self.cost.bytes_read = self.cost.bytes_read.saturating_add(size);
            self.add(size, inspection.finish())?;
        }
        if everything {
            self.files.push(FileDigest {
                path,
                size,
                crc32: crc.sum(),
            });
        }
        Ok(())
    }
}

/// Finds out what a single binary was built for; `None` where the path is no binary's.
pub fn scan_member(
    path: &str,
    bytes: &[u8],
    limits: &Limits,
) -> Result<Option<Findings>, ScanError> {
    if role(path).is_none() {
        return Ok(None);
    }
    scan_installed(path, [(path.to_owned(), bytes)], limits).map(Some)
}

/// Name and version by the wheel's METADATA; `None` where there is none to be found.
fn read_metadata<R: Read + Seek>(
    archive: &mut Archive<R>,
    members: &[Member],
) -> Result<Option<NameVersion>, ScanError> {
    let metadata = members.iter().find(|member| {
        member
            .path
            .strip_suffix("/METADATA")
            .is_some_and(|folder| !folder.contains('/') && folder.ends_with(".dist-info"))
    });
    let Some(member) = metadata else {
        return Ok(None);
    };
    let mut head = Vec::new();
    archive.inflate(member, |piece| {
        let room = METADATA_BYTES.saturating_sub(head.len());
        head.extend_from_slice(piece.get(..room).unwrap_or(piece));
    })?;
    let text = String::from_utf8_lossy(&head);
    // The header ends at the first empty line; a description may follow.
    let field = |name: &str| {
        text.lines()
            .take_while(|line| !line.is_empty())
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
            .map(|value| value.trim().to_owned())
    };
    Ok(field("Name")
        .zip(field("Version"))
        .map(|(name, version)| NameVersion { name, version }))
}
