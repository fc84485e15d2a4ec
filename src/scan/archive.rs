//! A wheel's zip archive, read with bounded memory.
//!
//! Written here, and not left to the `zip` crate, for three reasons: that crate
//! sizes its tables by what the archive claims, forgets duplicate names, and
//! reads the directory in small steps, each of which may be an HTTP request.
//! Layout: PKWARE APPNOTE 6.3.10, sections 4.3.7 (local header), 4.3.12 (central
//! directory), 4.3.14 to 4.3.16 (its end, ZIP64).

use std::io::{BufReader, Read, Seek, SeekFrom};

use flate2::Crc;
use flate2::bufread::DeflateDecoder;

use super::bytes::{u16_at, u32_at, u64_at};
use super::{Limits, ScanError};

const END_LENGTH: usize = 22;
const END_SIGNATURE: u32 = 0x0605_4b50;
const ZIP64_LOCATOR_LENGTH: usize = 20;
const ZIP64_LOCATOR_SIGNATURE: u32 = 0x0706_4b50;
const ZIP64_END_LENGTH: usize = 56;
const ZIP64_END_SIGNATURE: u32 = 0x0606_4b50;
const ENTRY_LENGTH: usize = 46;
const ENTRY_SIGNATURE: u32 = 0x0201_4b50;
const LOCAL_LENGTH: usize = 30;
const LOCAL_SIGNATURE: u32 = 0x0403_4b50;
const MAX_COMMENT: u64 = 0xffff;
const STORED: u16 = 0;
const DEFLATED: u16 = 8;
/// Deflate cannot do better than this (RFC 1951: 258 bytes out of two bits).
const MAX_DEFLATE_RATIO: u64 = 1032;
/// No wheel packs so well; archives made to explode do.
const BOMB_RATIO: u64 = 250;
const BOMB_BYTES: u64 = 256 << 20;

/// A member as the central directory describes it.
#[derive(Debug, Clone)]
pub(super) struct Member {
    /// The path, with `/`.
    pub(super) path: String,
    /// CRC-32 of the inflated bytes.
    pub(super) crc32: u32,
    /// Inflated size in bytes.
    pub(super) size: u64,
    /// Size in the archive in bytes.
    pub(super) compressed: u64,
    name_length: usize,
    header_start: u64,
    method: u16,
    encrypted: bool,
}

/// An open archive: its reader and its members in directory order.
#[derive(Debug)]
pub(super) struct Archive<R> {
    reader: R,
    /// How many bytes were asked of the reader.
    pub(super) bytes_read: u64,
    /// The members, folders left out.
    pub(super) members: Vec<Member>,
    /// Paths that occur more than once.
    pub(super) duplicates: Vec<String>,
}

/// Where the central directory is.
struct Directory {
    start: u64,
    size: u64,
    entries: u64,
    /// What stands before the archive proper; every offset is counted from its end.
    prefix: u64,
}

impl<R: Read + Seek> Archive<R> {
    /// Opens an archive: its end and its central directory are read, no member is.
    pub(super) fn open(mut reader: R, limits: &Limits) -> Result<Self, ScanError> {
        let length = reader.seek(SeekFrom::End(0)).map_err(read_error)?;
        let mut archive = Self {
            reader,
            bytes_read: 0,
            members: Vec::new(),
            duplicates: Vec::new(),
        };
        let directory = archive.find_directory(length)?;
        within(
            "a central directory",
            directory.size,
            limits.max_directory_bytes,
        )?;
        within(
            "a number of members",
            directory.entries,
            limits.max_members as u64,
        )?;
        let bytes = archive.read_at(directory.start, directory.size)?;
        archive.members = parse_directory(&bytes, &directory)?;
        drop(bytes);
        archive.duplicates = check_members(&archive.members, directory.start, limits)?;
        archive.members.retain(|member| !member.path.ends_with('/'));
        Ok(archive)
    }

    /// Inflates a member, handing it over piece by piece, and checks its length and CRC-32.
    pub(super) fn inflate(
        &mut self,
        member: &Member,
        mut sink: impl FnMut(&[u8]),
    ) -> Result<(), ScanError> {
        let start = self.content_start(member)?;
        self.reader
            .seek(SeekFrom::Start(start))
            .map_err(read_error)?;
        let mut source = Metered {
            inner: (&mut self.reader).take(member.compressed),
            read: 0,
            failure: None,
        };
        let outcome = if member.method == STORED {
            drain(&mut source, member, &mut sink)
        } else {
            let buffered = BufReader::with_capacity(64 << 10, &mut source);
            drain(&mut DeflateDecoder::new(buffered), member, &mut sink)
        };
        self.bytes_read += source.read;
        if let Some(source) = source.failure {
            return Err(ScanError::Read { source });
        }
        outcome
    }

    fn content_start(&mut self, member: &Member) -> Result<u64, ScanError> {
        if member.encrypted {
            return Err(corrupt(member, "it is encrypted"));
        }
        if member.method != STORED && member.method != DEFLATED {
            let method = member.method;
            return Err(corrupt(
                member,
                &format!("its compression method {method} is not one that wheels use"),
            ));
        }
        let local = self.read_at(member.header_start, LOCAL_LENGTH as u64)?;
        if u32_at(&local, 0) != Some(LOCAL_SIGNATURE) {
            return Err(corrupt(member, "its local header is not one"));
        }
        let name = u64::from(u16_at(&local, 26).unwrap_or(0));
        let extra = u64::from(u16_at(&local, 28).unwrap_or(0));
        // Local names that differ from the directory's are how two readers are
        // made to see two archives.
        let local_name = self.read_at(member.header_start + LOCAL_LENGTH as u64, name)?;
        if String::from_utf8_lossy(&local_name) != member.path {
            return Err(corrupt(member, "its local header has another name"));
        }
        Ok(member.header_start + LOCAL_LENGTH as u64 + name + extra)
    }

    fn find_directory(&mut self, length: u64) -> Result<Directory, ScanError> {
        let tail_length = length.min(MAX_COMMENT + END_LENGTH as u64);
        let tail_start = length - tail_length;
        let tail = self.read_at(tail_start, tail_length)?;
        let end = (0..tail.len().saturating_sub(END_LENGTH - 1))
            .rev()
            .find(|&at| {
                u32_at(&tail, at) == Some(END_SIGNATURE)
                    && u16_at(&tail, at + 20)
                        .is_some_and(|comment| at + END_LENGTH + usize::from(comment) == tail.len())
            })
            .ok_or_else(|| archive_error("its end record is missing; is it cut off?"))?;
        let field = |at: usize| u64::from(u32_at(&tail, end + at).unwrap_or(0));
        let mut directory = Directory {
            entries: u64::from(u16_at(&tail, end + 10).unwrap_or(0)),
            size: field(12),
            start: field(16),
            prefix: 0,
        };
        let mut directory_end = tail_start + end as u64;
        let locator = end.checked_sub(ZIP64_LOCATOR_LENGTH);
        if let Some(locator) = locator
            && u32_at(&tail, locator) == Some(ZIP64_LOCATOR_SIGNATURE)
        {
            let at = u64_at(&tail, locator + 8).unwrap_or(u64::MAX);
            let record = self.read_at(at, ZIP64_END_LENGTH as u64)?;
            if u32_at(&record, 0) != Some(ZIP64_END_SIGNATURE) {
                return Err(archive_error("its ZIP64 end record is not one"));
            }
            directory.entries = u64_at(&record, 32).unwrap_or(0);
            directory.size = u64_at(&record, 40).unwrap_or(0);
            directory.start = u64_at(&record, 48).unwrap_or(0);
            directory_end = at;
        }
        let start = directory_end
            .checked_sub(directory.size)
            .filter(|&start| start >= directory.start)
            .ok_or_else(|| archive_error("its directory does not fit where it should be"))?;
        directory.prefix = start - directory.start;
        directory.start = start;
        Ok(directory)
    }

    fn read_at(&mut self, start: u64, length: u64) -> Result<Vec<u8>, ScanError> {
        self.reader
            .seek(SeekFrom::Start(start))
            .map_err(read_error)?;
        let mut bytes = Vec::new();
        (&mut self.reader)
            .take(length)
            .read_to_end(&mut bytes)
            .map_err(read_error)?;
        self.bytes_read += bytes.len() as u64;
        if bytes.len() as u64 == length {
            Ok(bytes)
        } else {
            Err(archive_error("it ends too early"))
        }
    }
}

fn parse_directory(bytes: &[u8], directory: &Directory) -> Result<Vec<Member>, ScanError> {
    let mut members = Vec::new();
    let mut at = 0;
    while members.len() as u64 != directory.entries {
        let number = members.len() + 1;
        let (member, length) = bytes
            .get(at..)
            .and_then(|rest| parse_entry(rest, directory.prefix))
            .ok_or_else(|| archive_error(&format!("entry {number} of its directory is damaged")))?;
        members.push(member);
        at += length;
    }
    if at == bytes.len() {
        Ok(members)
    } else {
        Err(archive_error("its directory holds more than its entries"))
    }
}

fn parse_entry(bytes: &[u8], prefix: u64) -> Option<(Member, usize)> {
    if u32_at(bytes, 0)? != ENTRY_SIGNATURE {
        return None;
    }
    let name_length = usize::from(u16_at(bytes, 28)?);
    let extra_length = usize::from(u16_at(bytes, 30)?);
    let comment_length = usize::from(u16_at(bytes, 32)?);
    let extra_start = ENTRY_LENGTH + name_length;
    let name = bytes.get(ENTRY_LENGTH..extra_start)?;
    let extra = bytes.get(extra_start..extra_start + extra_length)?;
    let end = extra_start + extra_length + comment_length;
    bytes.get(..end)?;
    let mut member = Member {
        path: String::from_utf8_lossy(name).into_owned(),
        crc32: u32_at(bytes, 16)?,
        compressed: u64::from(u32_at(bytes, 20)?),
        size: u64::from(u32_at(bytes, 24)?),
        name_length,
        header_start: u64::from(u32_at(bytes, 42)?),
        method: u16_at(bytes, 10)?,
        encrypted: u16_at(bytes, 8)? & 1 != 0,
    };
    apply_zip64(&mut member, extra)?;
    member.header_start = member.header_start.checked_add(prefix)?;
    Some((member, end))
}

/// Values too large for their 32-bit fields, in the order that APPNOTE 4.5.3 fixes.
fn apply_zip64(member: &mut Member, extra: &[u8]) -> Option<()> {
    const ZIP64: u16 = 1;
    const ELSEWHERE: u64 = 0xffff_ffff;
    let wanted = [
        &mut member.size,
        &mut member.compressed,
        &mut member.header_start,
    ];
    let mut wanted = wanted
        .into_iter()
        .filter(|field| **field == ELSEWHERE)
        .peekable();
    if wanted.peek().is_none() {
        return Some(());
    }
    let mut at = 0;
    loop {
        let length = usize::from(u16_at(extra, at + 2)?);
        if u16_at(extra, at)? == ZIP64 {
            let field = extra.get(at + 4..at + 4 + length)?;
            for (position, value) in wanted.enumerate() {
                *value = u64_at(field, position * 8)?;
            }
            return Some(());
        }
        at += 4 + length;
    }
}

/// Refuses members that are hostile by their directory entries alone; returns the duplicates.
fn check_members(
    members: &[Member],
    directory_start: u64,
    limits: &Limits,
) -> Result<Vec<String>, ScanError> {
    let mut total = 0_u64;
    for member in members {
        if is_unsafe(&member.path) {
            return Err(ScanError::UnsafePath {
                member: member.path.escape_debug().to_string(),
            });
        }
        total = total.saturating_add(member.size);
        let possible = match member.method {
            STORED => member.compressed,
            _ => member.compressed.saturating_mul(MAX_DEFLATE_RATIO),
        };
        if member.size > possible {
            return Err(corrupt(member, "it claims more bytes than it can hold"));
        }
    }
    within("a total size", total, limits.max_total_bytes)?;
    if total > BOMB_BYTES && total / BOMB_RATIO > directory_start {
        return Err(archive_error(
            "it inflates as only archives made to explode do",
        ));
    }

    let mut by_start: Vec<&Member> = members.iter().collect();
    by_start.sort_by_key(|member| member.header_start);
    for (position, member) in by_start.iter().enumerate() {
        let next = by_start.get(position + 1);
        let limit = next.map_or(directory_start, |next| next.header_start);
        let end = member
            .header_start
            .checked_add(LOCAL_LENGTH as u64)
            .and_then(|end| end.checked_add(member.name_length as u64))
            .and_then(|end| end.checked_add(member.compressed));
        if end.is_none_or(|end| end > limit) {
            return Err(match next {
                Some(next) => ScanError::Overlap {
                    first: member.path.clone(),
                    second: next.path.clone(),
                },
                None => corrupt(member, "it runs into the directory"),
            });
        }
    }

    let mut paths: Vec<&str> = members.iter().map(|member| &*member.path).collect();
    paths.sort_unstable();
    let mut duplicates: Vec<String> = paths
        .windows(2)
        .filter(|pair| pair.first() == pair.last())
        .filter_map(|pair| pair.first().map(ToString::to_string))
        .collect();
    duplicates.dedup();
    Ok(duplicates)
}

fn is_unsafe(path: &str) -> bool {
    path.is_empty()
        || path.starts_with('/')
        || path.contains(['\\', '\0'])
        || path.as_bytes().get(1) == Some(&b':')
        || path.split('/').any(|part| part == "..")
}

fn drain(
    source: &mut impl Read,
    member: &Member,
    sink: &mut impl FnMut(&[u8]),
) -> Result<(), ScanError> {
    let mut buffer = vec![0_u8; 128 << 10];
    let mut crc = Crc::new();
    let mut total = 0_u64;
    loop {
        let count = match source.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(corrupt(member, &error.to_string())),
        };
        let piece = buffer.get(..count).unwrap_or(&buffer);
        total += count as u64;
        if total > member.size {
            return Err(corrupt(member, "it inflates to more than it claims"));
        }
        crc.update(piece);
        sink(piece);
    }
    if total != member.size {
        return Err(corrupt(member, "it inflates to less than it claims"));
    }
    if crc.sum() != member.crc32 {
        return Err(corrupt(member, "its checksum is wrong"));
    }
    Ok(())
}

/// Counts what is read, and keeps the reader's own failure apart from the decoder's.
struct Metered<R> {
    inner: R,
    read: u64,
    failure: Option<std::io::Error>,
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        match self.inner.read(buffer) {
            Ok(count) => {
                self.read += count as u64;
                Ok(count)
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => Err(error),
            Err(error) => {
                let kind = error.kind();
                self.failure = Some(error);
                Err(kind.into())
            }
        }
    }
}

fn within(what: &'static str, found: u64, allowed: u64) -> Result<(), ScanError> {
    if found <= allowed {
        Ok(())
    } else {
        Err(ScanError::TooLarge {
            what,
            found,
            allowed,
        })
    }
}

fn read_error(source: std::io::Error) -> ScanError {
    ScanError::Read { source }
}

fn archive_error(detail: &str) -> ScanError {
    ScanError::Archive {
        detail: detail.to_owned(),
    }
}

fn corrupt(member: &Member, detail: &str) -> ScanError {
    ScanError::Member {
        member: member.path.clone(),
        detail: detail.to_owned(),
    }
}
