//! The layout of a pack.

use serde::{Deserialize, Serialize};

use super::super::cache::checksum;
use super::PackError;

const MAGIC: [u8; 4] = *b"MLRM";

/// A change of it makes older packs unreadable.
const LAYOUT: u32 = 1;

/// Magic, layout, length and checksum of each part, checksum of all that.
const HEADER: usize = 4 + 4 + PARTS.len() * 8 + 4;

/// So much of a wheel's sha256 names it, in bytes.
pub(super) const KEY: usize = 16;

pub(super) type Key = [u8; KEY];

/// The length of a row in the table of the blocks, in bytes.
pub(super) const BLOCK_ROW: usize = 20;

/// No block is longer when it is unpacked, in bytes.
pub(super) const BLOCK_LIMIT: usize = 4 << 20;

/// No dictionary is longer, in bytes.
pub(super) const DICTIONARY_LIMIT: usize = 1 << 20;

/// The names are not longer when they are unpacked, in bytes.
pub(super) const NAMES_LIMIT: usize = 64 << 20;

/// A part, in the order of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Keys,
    Places,
    Blocks,
    Dictionary,
    Names,
    Data,
}

const PARTS: [Part; 6] = [
    Part::Keys,
    Part::Places,
    Part::Blocks,
    Part::Dictionary,
    Part::Names,
    Part::Data,
];

impl Part {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Keys => "list of wheels",
            Self::Places => "list of texts",
            Self::Blocks => "table of blocks",
            Self::Dictionary => "dictionary",
            Self::Names => "list of names",
            Self::Data => "text",
        }
    }
}

/// A distribution of the pack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    /// Its normalised name.
    pub name: String,
    /// Its releases, oldest first.
    pub releases: Vec<Release>,
}

/// A release of which the pack has a wheel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// The version, normalised.
    pub version: String,
    /// When its first wheel of the pack was uploaded, in days since 1970; 0 where no page said.
    pub uploaded: u32,
    /// The number of what one of its wheels says.
    pub(in super::super) text: u32,
}

/// Where the parts lie.
#[derive(Debug, Clone, Copy)]
pub(super) struct Header {
    /// Length and checksum.
    parts: [(u32, u32); PARTS.len()],
}

impl Header {
    /// The header of these parts.
    pub(super) fn of(parts: [&[u8]; PARTS.len()]) -> Result<Self, PackError> {
        let mut header = Self {
            parts: [(0, 0); PARTS.len()],
        };
        for (place, part) in header.parts.iter_mut().zip(parts) {
            let length = u32::try_from(part.len());
            let length = length.map_err(|_| PackError::TooLarge { what: "bytes" })?;
            *place = (length, checksum(part));
        }
        Ok(header)
    }

    pub(super) fn write(self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend(LAYOUT.to_le_bytes());
        for (length, checksum) in self.parts {
            bytes.extend(length.to_le_bytes());
            bytes.extend(checksum.to_le_bytes());
        }
        bytes.extend(checksum(&bytes).to_le_bytes());
        bytes
    }

    /// Reads a header and holds it against the length of the file.
    pub(super) fn read(file: &[u8]) -> Result<Self, PackError> {
        let bytes = file.get(..HEADER).ok_or(PackError::Foreign)?;
        let (head, sum) = bytes.split_last_chunk().ok_or(PackError::Foreign)?;
        let numbers = head
            .strip_prefix(&MAGIC)
            .and_then(|rest| rest.strip_prefix(&LAYOUT.to_le_bytes()))
            .ok_or(PackError::Foreign)?;
        let damaged = PackError::Damaged { part: "header" };
        if u32::from_le_bytes(*sum) != checksum(head) {
            return Err(damaged);
        }
        let mut header = Self {
            parts: [(0, 0); PARTS.len()],
        };
        let (numbers, _) = numbers.as_chunks::<4>();
        let (rows, _) = numbers.as_chunks::<2>();
        for (place, [length, checksum]) in header.parts.iter_mut().zip(rows) {
            *place = (u32::from_le_bytes(*length), u32::from_le_bytes(*checksum));
        }
        let lengths = header.parts.iter().map(|(length, _)| u64::from(*length));
        if lengths.sum::<u64>() + HEADER as u64 != file.len() as u64 {
            return Err(damaged);
        }
        Ok(header)
    }

    /// The bytes of a part.
    pub(super) fn bytes(self, file: &[u8], part: Part) -> Option<&[u8]> {
        let mut start = HEADER;
        for (other, (length, _)) in PARTS.into_iter().zip(self.parts) {
            let end = start.checked_add(usize::try_from(length).ok()?)?;
            if other == part {
                return file.get(start..end);
            }
            start = end;
        }
        None
    }

    /// The bytes of a part, with their checksum compared.
    pub(super) fn checked(self, file: &[u8], part: Part) -> Result<&[u8], PackError> {
        let place = PARTS.into_iter().position(|other| other == part);
        let expected = place.and_then(|place| self.parts.get(place));
        self.bytes(file, part)
            .filter(|bytes| expected.is_some_and(|(_, sum)| *sum == checksum(bytes)))
            .ok_or(PackError::Damaged { part: part.name() })
    }
}

/// Where a block lies, and what is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BlockRow {
    /// The number of its first text.
    pub(super) first_text: u32,
    /// Where it begins in the data.
    pub(super) start: u32,
    /// How long it is as it lies there.
    pub(super) length: u32,
    /// How long it is when it is unpacked.
    pub(super) raw: u32,
    /// The checksum of what lies there.
    pub(super) checksum: u32,
}

impl BlockRow {
    pub(super) fn write(self) -> [u8; BLOCK_ROW] {
        let mut bytes = [0; BLOCK_ROW];
        let numbers = [
            self.first_text,
            self.start,
            self.length,
            self.raw,
            self.checksum,
        ];
        let (places, _) = bytes.as_chunks_mut::<4>();
        for (place, number) in places.iter_mut().zip(numbers) {
            *place = number.to_le_bytes();
        }
        bytes
    }

    pub(super) fn read(bytes: [u8; BLOCK_ROW]) -> Self {
        let mut numbers = [0; BLOCK_ROW / 4];
        for (number, bytes) in numbers.iter_mut().zip(bytes.as_chunks::<4>().0) {
            *number = u32::from_le_bytes(*bytes);
        }
        let [first_text, start, length, raw, checksum] = numbers;
        Self {
            first_text,
            start,
            length,
            raw,
            checksum,
        }
    }

    /// How much room it needs.
    pub(super) fn unpacked(self) -> Option<usize> {
        let length = usize::try_from(self.raw).ok()?;
        (length <= BLOCK_LIMIT).then_some(length)
    }
}

/// Texts as one block: their number, their lengths, themselves.
pub(super) fn block(texts: &[&[u8]]) -> Option<Vec<u8>> {
    let mut bytes = u32::try_from(texts.len()).ok()?.to_le_bytes().to_vec();
    for text in texts {
        bytes.extend(u32::try_from(text.len()).ok()?.to_le_bytes());
    }
    for text in texts {
        bytes.extend(*text);
    }
    (bytes.len() <= BLOCK_LIMIT).then_some(bytes)
}

/// The texts of a block.
pub(super) fn texts(block: &[u8]) -> Option<Vec<Vec<u8>>> {
    let (count, rest) = block.split_first_chunk::<4>()?;
    let count = usize::try_from(u32::from_le_bytes(*count)).ok()?;
    let (lengths, mut rest) = rest.split_at_checked(count.checked_mul(4)?)?;
    let mut texts = Vec::with_capacity(count);
    for length in lengths.as_chunks::<4>().0 {
        let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
        let (text, after) = rest.split_at_checked(length)?;
        texts.push(text.to_vec());
        rest = after;
    }
    rest.is_empty().then_some(texts)
}

/// The key of a wheel by its sha256, hexadecimal.
pub(super) fn key(sha256: &str) -> Option<Key> {
    if sha256.len() != 64 {
        return None;
    }
    let mut key = [0; KEY];
    for (byte, digits) in key.iter_mut().zip(sha256.as_bytes().as_chunks::<2>().0) {
        let [high, low] = digits.map(|digit| char::from(digit).to_digit(16));
        *byte = u8::try_from(high? << 4 | low?).ok()?;
    }
    Some(key)
}
