//! Records in parts: what is always wanted is read at once, the rest on demand.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use super::{Cache, LAYOUT, RecordKind, checksum};
use crate::metadata::DetailSource;

const MAGIC: [u8; 4] = *b"MLRP";

/// Magic, layout, lengths of the parts, checksums of the first two.
const HEADER_SIZE: usize = 32;

/// So much is read at once: it holds the header and the first part of nearly all records.
const FIRST_READ: usize = 512;

/// No first part and no head is longer, in bytes.
const PART_LIMIT: usize = 256 << 20;

/// A record to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parts {
    /// What is said about the rest.
    pub about: Vec<u8>,
    /// What is read at once.
    pub head: Vec<u8>,
    /// What is read on demand.
    pub details: Vec<u8>,
}

/// A record that was read.
pub struct PartedRecord {
    /// What is said about the rest.
    pub about: Vec<u8>,
    /// What is read at once.
    pub head: Vec<u8>,
    /// Where the rest lies.
    pub details: Arc<dyn DetailSource>,
}

/// The third part of a record.
struct Rest {
    path: PathBuf,
    /// What the record's header says of its head: another is another record's.
    head: [u8; 8],
}

impl DetailSource for Rest {
    fn read(&self, range: Range<u64>) -> Option<Vec<u8>> {
        let mut file = File::open(&self.path).ok()?;
        let mut header = [0; HEADER_SIZE];
        file.read_exact(&mut header).ok()?;
        let header = Header::read(&header)?;
        if header.identity() != self.head {
            return None;
        }
        let start = header.details().checked_add(range.start)?;
        let length = usize::try_from(range.end.checked_sub(range.start)?).ok()?;
        if range.end > header.details_length {
            return None;
        }
        file.seek(SeekFrom::Start(start)).ok()?;
        let mut bytes = vec![0; length];
        file.read_exact(&mut bytes).ok()?;
        Some(bytes)
    }

    fn forget(&self) {
        // The next run asks for it as for one that was never there.
        let _ = std::fs::remove_file(&self.path);
    }
}

#[derive(Clone, Copy)]
struct Header {
    about_length: u32,
    head_length: u32,
    about_checksum: u32,
    head_checksum: u32,
    details_length: u64,
}

impl Header {
    fn of(parts: &Parts) -> Option<Self> {
        Some(Self {
            about_length: u32::try_from(parts.about.len()).ok()?,
            head_length: u32::try_from(parts.head.len()).ok()?,
            about_checksum: checksum(&parts.about),
            head_checksum: checksum(&parts.head),
            details_length: parts.details.len() as u64,
        })
    }

    fn write(self) -> Vec<u8> {
        let numbers = [
            LAYOUT,
            self.about_length,
            self.head_length,
            self.about_checksum,
            self.head_checksum,
        ];
        let mut bytes = MAGIC.to_vec();
        bytes.extend(numbers.into_iter().flat_map(u32::to_le_bytes));
        bytes.extend(self.details_length.to_le_bytes());
        bytes
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let bytes = bytes.get(..HEADER_SIZE)?.strip_prefix(&MAGIC)?;
        let (bytes, details_length) = bytes.split_last_chunk()?;
        let [
            layout,
            about_length,
            head_length,
            about_checksum,
            head_checksum,
        ] = *bytes.as_chunks::<4>().0
        else {
            return None;
        };
        (u32::from_le_bytes(layout) == LAYOUT).then_some(Self {
            about_length: u32::from_le_bytes(about_length),
            head_length: u32::from_le_bytes(head_length),
            about_checksum: u32::from_le_bytes(about_checksum),
            head_checksum: u32::from_le_bytes(head_checksum),
            details_length: u64::from_le_bytes(*details_length),
        })
    }

    /// Where the third part begins.
    fn details(self) -> u64 {
        HEADER_SIZE as u64 + u64::from(self.about_length) + u64::from(self.head_length)
    }

    fn identity(self) -> [u8; 8] {
        (u64::from(self.head_length) << 32 | u64::from(self.head_checksum)).to_le_bytes()
    }
}

impl Cache {
    /// The first part of the record under a key, as far as it was read at once; the rest of
    /// the record is not looked at.
    pub(in super::super) fn read_about(&self, kind: RecordKind, key: &str) -> Option<Vec<u8>> {
        let mut file = File::open(self.path(kind, key)).ok()?;
        let mut first = [0; FIRST_READ];
        let length = read_some(&mut file, &mut first)?;
        let first = first.get(..length)?;
        let header = Header::read(first)?;
        let end = usize::try_from(header.about_length)
            .ok()?
            .checked_add(HEADER_SIZE)?;
        let about = first.get(HEADER_SIZE..end)?;
        (checksum(about) == header.about_checksum).then(|| about.to_vec())
    }

    /// The record under a key, as far as its first two parts.
    pub fn read_parts(&self, kind: RecordKind, key: &str) -> Option<PartedRecord> {
        let path = self.path(kind, key);
        let mut file = File::open(&path).ok()?;
        let mut first = [0; FIRST_READ];
        let length = read_some(&mut file, &mut first)?;
        let mut first = first.get(..length)?;
        let header = Header::read(first)?;
        let whole = header.details().checked_add(header.details_length);
        if whole != Some(file.metadata().ok()?.len()) {
            return None;
        }
        first = first.get(HEADER_SIZE..)?;
        let mut take = |length: u32| {
            let length = usize::try_from(length)
                .ok()
                .filter(|it| *it <= PART_LIMIT)?;
            let (here, after) = first.split_at(length.min(first.len()));
            first = after;
            let mut part = Vec::with_capacity(length);
            part.extend_from_slice(here);
            let missing = (length - part.len()) as u64;
            (&mut file).take(missing).read_to_end(&mut part).ok()?;
            (part.len() == length).then_some(part)
        };
        let about = take(header.about_length)?;
        let head = take(header.head_length)?;
        let whole =
            checksum(&about) == header.about_checksum && checksum(&head) == header.head_checksum;
        whole.then(|| PartedRecord {
            about,
            head,
            details: Arc::new(Rest {
                path,
                head: header.identity(),
            }),
        })
    }

    /// Writes the record under a key. That it could not be written is no reason to stop.
    pub fn write_parts(&self, kind: RecordKind, key: &str, parts: &Parts) {
        let Some(header) = Header::of(parts) else {
            return;
        };
        let path = self.path(kind, key);
        self.write_all(
            &path,
            &[&header.write(), &parts.about, &parts.head, &parts.details],
        );
    }

    /// Makes and writes the record on another thread; [`Cache::flush`] waits for it. To be
    /// called on the runtime.
    pub(in super::super) fn write_parts_later(
        &self,
        kind: RecordKind,
        key: String,
        encode: impl FnOnce() -> Option<Parts> + Send + 'static,
    ) {
        let (cache, writing) = (self.clone(), self.pending.begin());
        drop(tokio::task::spawn_blocking(move || {
            if let Some(parts) = encode() {
                cache.write_parts(kind, &key, &parts);
            }
            drop(writing);
        }));
    }
}

/// Reads until the buffer is full or the file ends.
fn read_some(file: &mut File, buffer: &mut [u8]) -> Option<usize> {
    let mut length = 0;
    while let Some(rest) = buffer.get_mut(length..).filter(|rest| !rest.is_empty()) {
        match file.read(rest) {
            Ok(0) => break,
            Ok(more) => length += more,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(_) => return None,
        }
    }
    Some(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_parts_are_read_at_once_and_damage_to_them_is_a_miss() {
        let cache = Cache::temporary().expect("a temporary folder");
        let parts = Parts {
            about: b"about".to_vec(),
            head: (0..200).collect(),
            details: b"the rest of it".to_vec(),
        };
        let read = || cache.read_parts(RecordKind::Page, "a/b");
        assert!(read().is_none());
        cache.write_parts(RecordKind::Page, "a/b", &parts);
        let record = read().expect("it was written");
        assert_eq!((&record.about, &record.head), (&parts.about, &parts.head));
        assert_eq!(record.details.read(4..8).as_deref(), Some(&b"rest"[..]));
        assert_eq!(record.details.read(4..15), None);

        let path = cache.path(RecordKind::Page, "a/b");
        let whole = std::fs::read(&path).expect("it was written");
        let details = whole.len() - parts.details.len();
        for place in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[place] ^= 1;
            std::fs::write(&path, damaged).expect("it can be written");
            assert_eq!(read().is_some(), place >= details, "byte {place}");
            std::fs::write(&path, &whole[..place]).expect("it can be written");
            assert!(read().is_none(), "cut at {place}");
        }

        let other = Parts {
            head: b"another".to_vec(),
            ..parts
        };
        cache.write_parts(RecordKind::Page, "a/b", &other);
        assert_eq!(record.details.read(4..8), None, "it is another record's");
        read().expect("it was written").details.forget();
        assert!(read().is_none());
    }
}
