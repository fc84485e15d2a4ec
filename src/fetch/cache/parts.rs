//! Records in parts: what is always wanted is read at once, the rest on demand.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use super::super::tasks::lock;
use super::bundle::{self, Bundle, State};
use super::{Cache, LAYOUT, RecordKind, checksum, held};
use crate::metadata::DetailSource;

const MAGIC: [u8; 4] = *b"MLRP";

/// Magic, layout, lengths of the parts, checksums of the first two.
pub(super) const HEADER_SIZE: usize = 32;

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
    /// What tells its file from others; that of no file where its time does not tell.
    pub(in super::super) state: State,
}

/// A page's record of at most so many bytes is read as a whole.
const WHOLE: u64 = 16 << 10;

/// A record as far as its first two parts.
pub(super) struct Opened {
    /// What tells its file from others; that of no file where its time does not tell.
    pub(super) state: State,
    pub(super) header: Header,
    pub(super) about: Vec<u8>,
    pub(super) head: Vec<u8>,
}

/// The third part of a record.
pub(super) struct Rest {
    path: PathBuf,
    header: Header,
    bytes: RestBytes,
    /// That it could not be read is noted here.
    lost: Arc<Lost>,
    /// What was read of it, and lies in no bundle.
    read: Mutex<Vec<Range<u64>>>,
    /// What was found of the record, where that can be kept.
    note: Option<Mutex<Option<Vec<u8>>>>,
}

/// What was there a moment ago and could not be read.
#[derive(Debug, Default)]
pub(super) struct Lost {
    any: AtomicBool,
    /// The files of records that were damaged and are removed.
    forgotten: Mutex<BTreeSet<PathBuf>>,
}

impl Lost {
    fn note(&self) {
        self.any.store(true, Ordering::Relaxed);
    }
}

/// Where the third part of a record is read.
pub(super) enum RestBytes {
    /// In a row of a bundle, as far as it was copied.
    Bundled(Arc<Bundle>, usize),
    /// It was read.
    Here(Vec<u8>),
    /// In the file, which stays what it was whatever another run does with the record.
    Open(held::Held),
    /// In the file, if it is still there.
    Closed,
}

impl Rest {
    pub(super) fn new(path: PathBuf, header: Header, bytes: RestBytes, cache: &Cache) -> Self {
        Self {
            path,
            header,
            bytes,
            lost: Arc::clone(&cache.lost),
            read: Mutex::default(),
            note: cache.keeps_notes().then(Mutex::default),
        }
    }

    pub(super) fn header(&self) -> &Header {
        &self.header
    }

    /// What was read of it, and lies in no bundle.
    pub(super) fn ranges(&self) -> Vec<Range<u64>> {
        lock(&self.read).clone()
    }

    /// What was found of the record in this run.
    pub(super) fn new_note(&self) -> Option<Vec<u8>> {
        lock(self.note.as_ref()?).clone()
    }

    /// What lies there in the record.
    pub(super) fn try_read(&self, range: &Range<u64>) -> Option<Vec<u8>> {
        if range.end > self.header.details_length {
            return None;
        }
        let length = usize::try_from(range.end.checked_sub(range.start)?).ok()?;
        let start = self.header.details().checked_add(range.start)?;
        match &self.bytes {
            RestBytes::Here(bytes) => {
                let start = usize::try_from(range.start).ok()?;
                bytes
                    .get(start..start.checked_add(length)?)
                    .map(<[u8]>::to_vec)
            }
            RestBytes::Open(file) => {
                let mut bytes = vec![0; length];
                file.read_exact_at(&mut bytes, start).ok()?;
                Some(bytes)
            }
            RestBytes::Bundled(..) | RestBytes::Closed => self.read_closed(start, length),
        }
    }

    fn read_closed(&self, start: u64, length: usize) -> Option<Vec<u8>> {
        let mut file = File::open(&self.path).ok()?;
        let mut header = [0; HEADER_SIZE];
        file.read_exact(&mut header).ok()?;
        // Another one is another record's.
        if Header::read(&header)? != self.header {
            return None;
        }
        file.seek(SeekFrom::Start(start)).ok()?;
        let mut bytes = vec![0; length];
        file.read_exact(&mut bytes).ok()?;
        Some(bytes)
    }

    fn bundled(&self, range: &Range<u64>) -> Option<Vec<u8>> {
        match &self.bytes {
            RestBytes::Bundled(bundle, row) => bundle.details(*row, range),
            _ => None,
        }
    }
}

impl DetailSource for Rest {
    fn read(&self, range: Range<u64>) -> Option<Vec<u8>> {
        if let Some(copied) = self.bundled(&range) {
            return Some(copied);
        }
        let read = self.try_read(&range);
        if read.is_none() {
            self.lost.note();
        } else if bundle::is_copied(&range) {
            lock(&self.read).push(range);
        }
        read
    }

    fn forget(&self) {
        self.lost.note();
        // The next run asks for it as for one that was never there.
        if std::fs::remove_file(&self.path).is_ok() {
            lock(&self.lost.forgotten).insert(self.path.clone());
        }
    }

    fn note(&self) -> Option<Vec<u8>> {
        match (&self.note, &self.bytes) {
            (Some(_), RestBytes::Bundled(bundle, row)) => bundle.note(*row),
            _ => None,
        }
    }

    fn keeps_notes(&self) -> bool {
        self.note.is_some()
    }

    fn keep_note(&self, note: Vec<u8>) {
        if let Some(place) = &self.note {
            *lock(place) = Some(note);
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    about_length: u32,
    head_length: u32,
    about_checksum: u32,
    head_checksum: u32,
    details_length: u64,
}

impl Header {
    pub(super) fn of(parts: &Parts) -> Option<Self> {
        Some(Self {
            about_length: u32::try_from(parts.about.len()).ok()?,
            head_length: u32::try_from(parts.head.len()).ok()?,
            about_checksum: checksum(&parts.about),
            head_checksum: checksum(&parts.head),
            details_length: parts.details.len() as u64,
        })
    }

    pub(super) fn write(self) -> Vec<u8> {
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

    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
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

    /// How long the first two parts are, in bytes; `None` where they are too long.
    pub(super) fn first_parts(self) -> Option<(usize, usize)> {
        let [about, head] = [self.about_length, self.head_length].map(|length| {
            let length = usize::try_from(length).ok();
            length.filter(|length| *length <= PART_LIMIT)
        });
        Some((about?, head?))
    }

    /// Whether this is the second part.
    pub(super) fn is_head(self, bytes: &[u8]) -> bool {
        checksum(bytes) == self.head_checksum
    }

    /// How long the record is, in bytes.
    fn whole(self) -> Option<u64> {
        self.details().checked_add(self.details_length)
    }

    /// Where the third part begins.
    fn details(self) -> u64 {
        HEADER_SIZE as u64 + u64::from(self.about_length) + u64::from(self.head_length)
    }
}

impl Cache {
    /// The first part of the record under a key, as far as it was read at once; the rest of
    /// the record is not looked at. Beside it, what tells the record's file from others, where its
    /// time tells.
    pub(in super::super) fn read_about(
        &self,
        kind: RecordKind,
        key: &str,
    ) -> Option<(Vec<u8>, Option<State>)> {
        let mut file = File::open(self.path(kind, key)).ok()?;
        let mut first = [0; FIRST_READ];
        let length = read_some(&mut file, &mut first)?;
        let first = first.get(..length)?;
        let header = Header::read(first)?;
        let end = usize::try_from(header.about_length)
            .ok()?
            .checked_add(HEADER_SIZE)?;
        let about = first.get(HEADER_SIZE..end)?;
        if checksum(about) != header.about_checksum {
            return None;
        }
        Some((about.to_vec(), State::of(&file.metadata().ok()?)))
    }

    /// What tells the file of the record under a key from others; `None` where there is none, or
    /// where its time does not tell.
    pub(in super::super) fn state(&self, kind: RecordKind, key: &str) -> Option<State> {
        bundle::state_at(&self.path(kind, key))
    }

    /// The record under a key, as far as its first two parts.
    pub fn read_parts(&self, kind: RecordKind, key: &str) -> Option<PartedRecord> {
        self.read_rest(kind, key).map(|(record, _)| record)
    }

    pub(super) fn read_rest(
        &self,
        kind: RecordKind,
        key: &str,
    ) -> Option<(PartedRecord, Arc<Rest>)> {
        let (opened, mut file, here) = self.open_parts(kind, key)?;
        let bytes = match kind {
            RecordKind::Page if opened.header.whole()? <= WHOLE => {
                RestBytes::Here(read_to_end(&mut file, here)?)
            }
            RecordKind::Page => held::Held::new(file).map_or(RestBytes::Closed, RestBytes::Open),
            // What was read from the headers is wanted, seldom they themselves.
            _ => RestBytes::Closed,
        };
        let path = self.path(kind, key);
        let rest = Rest::new(path, opened.header, bytes, self);
        let rest = Arc::new(rest);
        let record = PartedRecord {
            about: opened.about,
            head: opened.head,
            details: Arc::clone(&rest) as _,
            state: opened.state,
        };
        Some((record, rest))
    }

    /// Reads the first two parts of a record; beside them its file, and what was read of the
    /// third part with them.
    pub(super) fn open_parts(
        &self,
        kind: RecordKind,
        key: &str,
    ) -> Option<(Opened, File, Vec<u8>)> {
        let mut file = File::open(self.path(kind, key)).ok()?;
        let mut first = [0; FIRST_READ];
        let length = read_some(&mut file, &mut first)?;
        let mut first = first.get(..length)?;
        let header = Header::read(first)?;
        let metadata = file.metadata().ok()?;
        if header.whole()? != metadata.len() {
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
        let here = first.to_vec();
        let opened = Opened {
            // Without one its copy in a bundle counts for nothing, and it is read itself.
            state: State::of(&metadata).unwrap_or_default(),
            header,
            about,
            head,
        };
        whole.then_some((opened, file, here))
    }

    /// Whether a part of a record could not be read when it was wanted: another run replaced
    /// it, or it is damaged.
    pub fn has_lost(&self) -> bool {
        self.lost.any.load(Ordering::Relaxed)
    }

    /// The files of records that were found damaged and are removed: a run that begins now asks
    /// for them anew.
    pub fn forgotten(&self) -> BTreeSet<PathBuf> {
        lock(&self.lost.forgotten).clone()
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
        self.note(kind, key, None, None);
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

/// Reads what is left of a file that is known to be small.
fn read_to_end(file: &mut File, mut bytes: Vec<u8>) -> Option<Vec<u8>> {
    file.take(WHOLE).read_to_end(&mut bytes).ok()?;
    Some(bytes)
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
        assert_eq!(record.details.read(4..8).as_deref(), Some(&b"rest"[..]));
        assert!(cache.forgotten().is_empty());
        read().expect("it was written").details.forget();
        assert!(read().is_none() && cache.has_lost());
        assert_eq!(cache.forgotten(), [path].into());
    }

    #[test]
    fn a_file_without_a_time_of_its_own_is_read() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let cache = || {
            let cache = Cache::new(Some(folder.path().to_owned()), &|_| None);
            cache.expect("a cache").with_bundle("words", None)
        };
        let path = cache().path(RecordKind::Page, "a/b");
        for word in [b"old", b"new"] {
            let parts = Parts {
                about: word.to_vec(),
                head: word.to_vec(),
                details: word.to_vec(),
            };
            cache().write_parts(RecordKind::Page, "a/b", &parts);
            // Of the same length, at the same time, and maybe at the same place.
            let before_1970 = std::time::UNIX_EPOCH - std::time::Duration::from_hours(24);
            let file = File::options().write(true).open(&path);
            let set = file.and_then(|file| file.set_modified(before_1970));
            set.expect("the file system has such times");
            for _ in 0..2 {
                let run = cache();
                let record = run.read_bundled(RecordKind::Page, "a/b");
                let record = record.expect("it was written");
                assert_eq!((&record.about, &record.head), (&parts.about, &parts.head));
                assert_eq!(record.details.read(0..3), Some(word.to_vec()));
                run.keep_bundle();
            }
        }
    }

    #[test]
    fn a_record_that_another_run_replaces_is_read_to_its_end_or_noted_as_lost() {
        let parts = |word: &[u8]| Parts {
            about: word.to_vec(),
            head: word.to_vec(),
            details: word.repeat(usize::try_from(WHOLE).expect("it is small")),
        };
        let read_through = |kind| {
            let cache = Cache::temporary().expect("a temporary folder");
            cache.write_parts(kind, "a/b", &parts(b"old"));
            let record = cache.read_parts(kind, "a/b").expect("it was written");
            assert_eq!(record.details.read(3..6).as_deref(), Some(&b"old"[..]));
            cache.write_parts(kind, "a/b", &parts(b"new"));
            let replaced = record.details.read(3..6);
            cache.clean().expect("it is a cache");
            (replaced, record.details.read(3..6), cache.has_lost())
        };
        assert_eq!(
            read_through(RecordKind::Metadata),
            (None, None, true),
            "it is read where its path leads"
        );
        if cfg!(unix) {
            let old = Some(b"old".to_vec());
            assert_eq!(read_through(RecordKind::Page), (old.clone(), old, false));
        }
    }
}
