//! The central directory of a zip archive, read from the archive's end.
//!
//! Source: APPNOTE.TXT 6.3.10, sections 4.3.7 to 4.3.16 and 4.5.3. All sizes come from
//! outside and are checked before use.

use std::io::Read;

use flate2::Crc;
use flate2::read::DeflateDecoder;

/// Why an archive cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ZipError(String);

/// Where the central directory lies; offsets count from the start of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DirectoryPlace {
    /// Its first byte.
    pub start: u64,
    /// The first byte after it.
    pub end: u64,
    /// What must be added to the recorded offsets, for archives with something before them.
    pub shift: u64,
}

/// What reading the end of an archive gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The place of the central directory.
    Directory(DirectoryPlace),
    /// The bytes from this offset on are needed first.
    NeedsFrom(u64),
}

/// One entry of the central directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The name, as its bytes are.
    pub name: Vec<u8>,
    /// The compression method: 0 stored, 8 deflated.
    pub method: u16,
    /// Whether the entry is encrypted.
    pub encrypted: bool,
    /// The CRC-32 of the content.
    pub crc: u32,
    /// The compressed size in bytes.
    pub compressed: u64,
    /// The size in bytes.
    pub size: u64,
    /// Where its local header was recorded to be; see [`DirectoryPlace::shift`].
    pub offset: u64,
}

const END_SIGNATURE: &[u8] = b"PK\x05\x06";
const END_SIZE: usize = 22;
const LOCATOR_SIGNATURE: &[u8] = b"PK\x06\x07";
const LOCATOR_SIZE: usize = 20;
const END64_SIGNATURE: &[u8] = b"PK\x06\x06";
const END64_SIZE: usize = 56;
const ENTRY_SIGNATURE: &[u8] = b"PK\x01\x02";
const ENTRY_SIZE: usize = 46;
const LOCAL_SIGNATURE: &[u8] = b"PK\x03\x04";

/// The size of a local header, without name and extra field.
pub const LOCAL_SIZE: u64 = 30;

impl ZipError {
    fn new(detail: impl Into<String>) -> Self {
        Self(detail.into())
    }
}

/// Finds the central directory, given the file's last bytes, which start at `tail_start`.
///
/// # Errors
///
/// [`ZipError`] where the file does not end as a zip archive does.
pub fn find_directory(tail: &[u8], tail_start: u64) -> Result<End, ZipError> {
    let position =
        find_end(tail).ok_or_else(|| ZipError::new("it does not end as a zip archive does"))?;
    let field = |offset, width| number(tail, position + offset, width);
    let (mut size, mut recorded) = (field(12, 4)?, field(16, 4)?);
    let mut end = tail_start + position as u64;
    if field(8, 2)? == 0xFFFF || size == 0xFFFF_FFFF || recorded == 0xFFFF_FFFF {
        let Some(locator) = position.checked_sub(LOCATOR_SIZE) else {
            return needs_more(tail_start, LOCATOR_SIZE + END64_SIZE);
        };
        if tail.get(locator..locator + 4) == Some(LOCATOR_SIGNATURE) {
            // The record lies right before the locator, whatever offset is recorded.
            let Some(record) = locator.checked_sub(END64_SIZE) else {
                return needs_more(tail_start, END64_SIZE);
            };
            if tail.get(record..record + 4) != Some(END64_SIGNATURE) {
                return Err(ZipError::new(
                    "its zip64 end record is not where it must be",
                ));
            }
            size = number(tail, record + 40, 8)?;
            recorded = number(tail, record + 48, 8)?;
            end = tail_start + record as u64;
        }
    }
    let start = end
        .checked_sub(size)
        .ok_or_else(|| ZipError::new("its central directory is larger than the file"))?;
    let shift = start
        .checked_sub(recorded)
        .ok_or_else(|| ZipError::new("its central directory is recorded behind its place"))?;
    Ok(End::Directory(DirectoryPlace { start, end, shift }))
}

fn needs_more(tail_start: u64, bytes: usize) -> Result<End, ZipError> {
    if tail_start == 0 {
        return Err(ZipError::new(
            "it is too short for the zip64 archive it says it is",
        ));
    }
    Ok(End::NeedsFrom(tail_start.saturating_sub(bytes as u64)))
}

/// The position of the end record: the last whose comment ends with the file.
fn find_end(tail: &[u8]) -> Option<usize> {
    let last = tail.len().checked_sub(END_SIZE)?;
    let first = last.saturating_sub(usize::from(u16::MAX));
    (first..=last).rev().find(|position| {
        tail.get(*position..*position + 4) == Some(END_SIGNATURE)
            && number(tail, position + 20, 2).is_ok_and(|comment| {
                *position as u64 + END_SIZE as u64 + comment == tail.len() as u64
            })
    })
}

/// Reads all entries of a central directory.
///
/// # Errors
///
/// [`ZipError`] where the bytes are not a chain of entries from the first to the last.
pub fn entries(directory: &[u8]) -> Result<Vec<Entry>, ZipError> {
    let mut entries = Vec::new();
    let mut position = 0;
    while position < directory.len() {
        let (entry, next) = entry_at(directory, position)?;
        entries.push(entry);
        position = next;
    }
    Ok(entries)
}

/// Reads the first entries of a central directory of which only the beginning is at hand.
pub fn first_entries(beginning_of_directory: &[u8]) -> Vec<Entry> {
    let mut entries = Vec::new();
    let mut position = 0;
    while let Ok((entry, next)) = entry_at(beginning_of_directory, position) {
        entries.push(entry);
        position = next;
    }
    entries
}

/// Reads the last entries of a central directory of which only the end is at hand.
///
/// Nothing marks where an entry begins but four bytes that may also stand in a name. A
/// beginning is believed when the entries from there on end exactly with the directory.
pub fn last_entries(end_of_directory: &[u8]) -> Vec<Entry> {
    let mut search = 0;
    while let Some(rest) = end_of_directory.get(search..) {
        let Some(found) = find(rest, ENTRY_SIGNATURE) else {
            break;
        };
        if let Ok(entries) = entries(rest.get(found..).unwrap_or_default()) {
            return entries;
        }
        search += found + 1;
    }
    Vec::new()
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack
        .windows(needle.len())
        .position(|window| window == needle)
}

fn entry_at(directory: &[u8], position: usize) -> Result<(Entry, usize), ZipError> {
    if directory.get(position..position + 4) != Some(ENTRY_SIGNATURE) {
        return Err(ZipError::new("its central directory is malformed"));
    }
    let field = |offset, width| number(directory, position + offset, width);
    let length =
        |offset| field(offset, 2).map(|value| usize::try_from(value).unwrap_or(usize::MAX));
    let name_end = position + ENTRY_SIZE + length(28)?;
    let extra_end = name_end + length(30)?;
    let end = extra_end + length(32)?;
    let cut = || ZipError::new("its central directory breaks off");
    let name = directory
        .get(position + ENTRY_SIZE..name_end)
        .ok_or_else(cut)?;
    let extra = directory.get(name_end..extra_end).ok_or_else(cut)?;
    directory.get(extra_end..end).ok_or_else(cut)?;
    let mut entry = Entry {
        name: name.to_vec(),
        method: u16::try_from(field(10, 2)?).unwrap_or(u16::MAX),
        encrypted: field(8, 2)? & 1 == 1,
        crc: u32::try_from(field(16, 4)?).unwrap_or(u32::MAX),
        compressed: field(20, 4)?,
        size: field(24, 4)?,
        offset: field(42, 4)?,
    };
    widen(&mut entry, extra)?;
    Ok((entry, end))
}

/// Takes those sizes from the zip64 extra field that do not fit into four bytes.
fn widen(entry: &mut Entry, mut extra: &[u8]) -> Result<(), ZipError> {
    let mut wide = [&mut entry.size, &mut entry.compressed, &mut entry.offset]
        .into_iter()
        .filter(|value| **value == 0xFFFF_FFFF)
        .peekable();
    if wide.peek().is_none() {
        return Ok(());
    }
    while extra.len() >= 4 {
        let length = usize::try_from(number(extra, 2, 2)?).unwrap_or(usize::MAX);
        let Some(field) = extra.get(4..4 + length) else {
            break;
        };
        if number(extra, 0, 2)? == 1 {
            for (index, value) in wide.enumerate() {
                *value = number(field, index * 8, 8)?;
            }
            return Ok(());
        }
        extra = extra.get(4 + length..).unwrap_or_default();
    }
    Err(ZipError::new("an entry lacks its zip64 sizes"))
}

/// Where the content of an entry begins, counted from its local header's first byte.
///
/// # Errors
///
/// [`ZipError`] where the bytes are no local header, or that of another entry.
pub fn content_start(header: &[u8], entry: &Entry) -> Result<u64, ZipError> {
    let name_length = number(header, 26, 2)?;
    let after_fields = header.split_at_checked(30).map(|(_, rest)| rest);
    if header.get(..4) != Some(LOCAL_SIGNATURE)
        || name_length != entry.name.len() as u64
        || !after_fields.is_some_and(|rest| rest.starts_with(&entry.name))
    {
        return Err(ZipError::new(
            "an entry is not where the central directory says",
        ));
    }
    Ok(LOCAL_SIZE + name_length + number(header, 28, 2)?)
}

/// Unpacks an entry's content, which must not be larger than `limit` bytes.
///
/// # Errors
///
/// [`ZipError`] where it is too large, damaged, encrypted or compressed in a way that
/// wheels are not.
pub fn unpack(content: &[u8], entry: &Entry, limit: u64) -> Result<Vec<u8>, ZipError> {
    if entry.encrypted {
        return Err(ZipError::new("an entry is encrypted"));
    }
    if entry.size > limit {
        return Err(ZipError::new(format!(
            "an entry has {} bytes, which is more than the {limit} that are read of it",
            entry.size
        )));
    }
    let mut unpacked = Vec::new();
    let read = match entry.method {
        0 => content.take(limit).read_to_end(&mut unpacked),
        8 => DeflateDecoder::new(content)
            .take(entry.size.saturating_add(1))
            .read_to_end(&mut unpacked),
        other => {
            return Err(ZipError::new(format!(
                "an entry is compressed by method {other}, where wheels use 0 and 8"
            )));
        }
    };
    read.map_err(|error| ZipError::new(format!("an entry cannot be unpacked: {error}")))?;
    let mut crc = Crc::new();
    crc.update(&unpacked);
    if unpacked.len() as u64 != entry.size || crc.sum() != entry.crc {
        return Err(ZipError::new(
            "an entry is damaged: its checksum does not fit",
        ));
    }
    Ok(unpacked)
}

/// A little-endian number of `width` bytes, at most 8.
fn number(bytes: &[u8], offset: usize, width: usize) -> Result<u64, ZipError> {
    let field = offset
        .checked_add(width)
        .and_then(|end| bytes.get(offset..end))
        .ok_or_else(|| ZipError::new("a record of it breaks off"))?;
    Ok(field
        .iter()
        .rev()
        .fold(0, |number, byte| number << 8 | u64::from(*byte)))
}

#[cfg(test)]
#[expect(
    clippy::cast_possible_truncation,
    reason = "the archives of these tests have some hundred bytes"
)]
mod tests {
    use std::io::{Cursor, Write};

    use proptest::prelude::*;
    use zip::CompressionMethod;
    use zip::write::SimpleFileOptions;

    use super::*;

    fn archive(files: &[(&str, &str)], comment: &str, large: bool) -> Vec<u8> {
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        writer.set_comment(comment).expect("the comment is short");
        for (index, (name, content)) in files.iter().enumerate() {
            let method = [CompressionMethod::Stored, CompressionMethod::Deflated][index % 2];
            let options = SimpleFileOptions::default()
                .compression_method(method)
                .large_file(large);
            writer
                .start_file(*name, options)
                .expect("the name is valid");
            writer
                .write_all(content.as_bytes())
                .expect("memory can be written");
        }
        writer
            .finish()
            .expect("the archive is complete")
            .into_inner()
    }

    fn read(archive: &[u8], name: &str) -> Result<String, ZipError> {
        let End::Directory(place) = find_directory(archive, 0)? else {
            return Err(ZipError::new("needs more"));
        };
        let range = |from: u64, to: u64| &archive[from as usize..to as usize];
        let entry = entries(range(place.start, place.end))?
            .into_iter()
            .find(|entry| entry.name == name.as_bytes())
            .ok_or_else(|| ZipError::new("not there"))?;
        let header = &archive[(entry.offset + place.shift) as usize..];
        let start = content_start(header, &entry)? as usize;
        let content = &header[start..start + entry.compressed as usize];
        Ok(String::from_utf8(unpack(content, &entry, 1 << 20)?).expect("text"))
    }

    #[test]
    fn entries_are_found_behind_comments_and_prefixes() {
        let files = [("a", "stored"), ("b/c", "deflated deflated deflated")];
        for (comment, large) in [
            ("", false),
            ("PK\u{5}\u{6} in a comment", false),
            ("", true),
        ] {
            let mut bytes = b"#! a prefix".to_vec();
            bytes.extend(archive(&files, comment, large));
            for (name, content) in files {
                assert_eq!(
                    read(&bytes, name).as_deref(),
                    Ok(content),
                    "{comment} {large}"
                );
            }
        }
    }

    #[test]
    fn the_last_entries_are_found_in_a_part_of_the_directory() {
        let bytes = archive(&[("PK\u{1}\u{2}", "x"), ("b", "y"), ("c", "z")], "", false);
        let Ok(End::Directory(place)) = find_directory(&bytes, 0) else {
            panic!("the archive is whole");
        };
        let directory = &bytes[place.start as usize..place.end as usize];
        assert_eq!(
            last_entries(directory),
            entries(directory).expect("it is whole")
        );
        let names: Vec<Vec<u8>> = last_entries(&directory[1..])
            .into_iter()
            .map(|entry| entry.name)
            .collect();
        assert_eq!(names, [b"b", b"c"]);
        assert_eq!(last_entries(&directory[..directory.len() - 1]), []);
        let names: Vec<Vec<u8>> = first_entries(&directory[..directory.len() - 1])
            .into_iter()
            .map(|entry| entry.name)
            .collect();
        assert_eq!(names, [&b"PK\x01\x02"[..], b"b"]);
    }

    #[test]
    fn damage_is_found() {
        let mut bytes = archive(&[("a", "content")], "", false);
        let position = find(&bytes, b"content").expect("it is stored");
        bytes[position] ^= 1;
        let error = read(&bytes, "a").expect_err("it was changed");
        assert_eq!(
            error.to_string(),
            "an entry is damaged: its checksum does not fit"
        );
        let error = find_directory(b"<html>not an archive</html>", 0).expect_err("no archive");
        assert_eq!(error.to_string(), "it does not end as a zip archive does");
    }

    proptest! {
        /// Whatever the bytes are, they are read or refused.
        #[test]
        fn any_bytes_are_survived(mut change in proptest::collection::vec((0..400_usize, any::<u8>()), 0..8)) {
            let mut bytes = archive(&[("a", "stored"), ("b", "deflated")], "", true);
            for (position, byte) in change.drain(..) {
                let position = position % bytes.len();
                bytes[position] = byte;
            }
            if let Ok(End::Directory(place)) = find_directory(&bytes, 0) {
                prop_assert!(place.start <= place.end && place.end <= bytes.len() as u64);
                let directory = &bytes[place.start as usize..place.end as usize];
                for entry in last_entries(directory) {
                    let _ = unpack(&bytes, &entry, 1 << 16);
                    let _ = content_start(&bytes, &entry);
                }
            }
        }
    }
}
