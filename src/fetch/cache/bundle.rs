//! What a run has read of the cache, copied into one file.
//!
//! A large stack is some 700 records: a page for each distribution, a record for each file's
//! metadata. To open them one by one is most of what a warm solve costs. So a run that had to
//! open many leaves a *bundle*, which the next one for the same inputs reads at once. It is a
//! copy and decides nothing:
//!
//! - A page's record can be replaced at any moment, by `--refresh` or by another process. Its
//!   copy counts only while the record's file is the one that was copied, told by inode, time
//!   and length, as git tells whether a file has changed. That asks the system once for each
//!   page (a microsecond; to open and read it are ten), and in return nothing has to be kept in
//!   step: there is no counter that a killed process could leave behind the records, and what
//!   was pruned, cleaned or replaced is not found here either. How long a page is fresh stands
//!   in its copy as in its record.
//! - Metadata is copied where its key has the file's sha256. What that names never changes, so
//!   its copy counts by itself.
//! - What the solver found of a page is noted with its copy, and counts as long as that does,
//!   for the build of the program that wrote it.
//! - What is not here is read from its record. The table of a bundle, each head and each part of
//!   details have checksums: what is torn, truncated or damaged is as good as not there.
//!
//! Weighed against it: in LMDB (heed) or redb the records themselves would lie in one file.
//! That would need a lock or a single writer, a compactor, and trust that a page table survives
//! a kill on any file system, for what a copy gives that may be thrown away at any time. A file
//! that is only appended to would grow with each refresh and need its index read anyway.
//!
//! Only the table is read at once; heads and details are read where they are wanted, straight
//! into the place where they are used. (To read all at once would cost a page fault for every
//! 4 KiB of what is copied from there anyway.)
//!
//! All numbers are little-endian. Magic, layout, length and checksum of the table, what tells the
//! program that wrote it; the table:
//! number of rows, the rows by kind and key, and for each its key, first part, and the ranges of
//! the details that were copied; then for each its head, its note, and those details.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fs::{File, Metadata};
use std::io::Read as _;
use std::ops::Range;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::SystemTime;

use sha2::{Digest as _, Sha256};

use super::held::Whole;
use super::parts::{HEADER_SIZE, Header, Opened, Rest, RestBytes};
use super::{Cache, LAYOUT, PartedRecord, Parts, RecordKind, checksum};

/// So many bundles are kept at most; one that falls on the same place replaces the older, which
/// loses nothing but time.
const PLACES: u8 = 64;

const MAGIC: [u8; 4] = *b"MLRB";

/// Magic, layout, length and checksum of the table, the program's stamp.
const START: usize = 16 + STAMP;

const STAMP: usize = 16;

/// Kind, where its key lies in the table, its length, number of ranges, where its head lies
/// behind the table, length and checksum of its note, state (24), header of the record.
const ROW: usize = NUMBERS * 4 + STATE + HEADER_SIZE;

const NUMBERS: usize = 7;

const STATE: usize = 24;

/// Start and end of a range of the details, and the checksum of what is there.
const RANGE: usize = 20;

/// No bundle is longer, in bytes.
const LIMIT: usize = 64 << 20;

/// No longer part of the details is copied, in bytes: whoever asks for more asks for all files.
const RANGE_LIMIT: u64 = 64 << 10;

/// A bundle is written anew where more than this part of what a run reads is not in it: to write
/// it costs as much as to open some hundred records.
const MISSING: usize = 16;

/// What tells one build of the program from others.
type Stamp = [u8; STAMP];

/// The bundle of a run, and what the run has read.
pub(super) struct Bundles {
    place: String,
    stamp: Option<Stamp>,
    bundle: OnceLock<Option<Arc<Bundle>>>,
    used: Mutex<Vec<Used>>,
}

impl std::fmt::Debug for Bundles {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bundles")
            .field("place", &self.place)
            .finish_non_exhaustive()
    }
}

/// A record that was used.
struct Used {
    kind: RecordKind,
    key: String,
    /// Its row, where it was in the bundle.
    row: Option<usize>,
    /// Its details, where it was read.
    rest: Option<Arc<Rest>>,
    /// What makes it, where it is no record.
    made: Option<Make>,
}

/// Makes what is copied.
pub(in super::super) type Make = Box<dyn Fn() -> Option<Parts> + Send + Sync>;

/// What tells that a file is the same one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct State([u8; STATE]);

impl State {
    /// That of a file. A record is never written in place, so another content is another inode,
    /// unless two runs replace it within one tick of the file system's clock, the second gets
    /// the first one's inode, and the lengths are the same.
    pub(super) fn of(file: &Metadata) -> Option<Self> {
        #[cfg(unix)]
        let inode = std::os::unix::fs::MetadataExt::ino(file);
        #[cfg(not(unix))]
        let inode = 0;
        let modified = file.modified().ok()?;
        let since = modified.duration_since(SystemTime::UNIX_EPOCH).ok()?;
        let since = u64::try_from(since.as_nanos()).ok()?;
        let mut state = [0; STATE];
        let numbers = [inode, since, file.len()];
        let bytes = numbers.into_iter().flat_map(u64::to_le_bytes);
        for (place, byte) in state.iter_mut().zip(bytes) {
            *place = byte;
        }
        Some(Self(state))
    }
}

/// A bundle, opened.
pub(super) struct Bundle {
    file: Whole,
    /// Whether its notes are this program's.
    is_ours: bool,
    table: Vec<u8>,
    rows: usize,
}

/// What is said of an entry.
struct Row<'b> {
    state: State,
    header: Header,
    about: &'b [u8],
    ranges: &'b [[u8; RANGE]],
    /// Where its head lies in the file.
    head: u64,
    head_length: usize,
    note_length: usize,
    note_checksum: u32,
}

impl Row<'_> {
    /// Where its note lies in the file.
    fn note(&self) -> u64 {
        self.head.saturating_add(self.head_length as u64)
    }

    /// The parts of its details that were copied.
    fn details(&self) -> impl Iterator<Item = Part> {
        let mut place = self.note().saturating_add(self.note_length as u64);
        self.ranges.iter().filter_map(move |bytes| {
            let (start, rest) = bytes.split_first_chunk()?;
            let (end, sum) = rest.split_first_chunk()?;
            let range = u64::from_le_bytes(*start)..u64::from_le_bytes(*end);
            let part = Part {
                checksum: u32::from_le_bytes(*sum.first_chunk()?),
                place,
                range,
            };
            place = place.saturating_add(part.length());
            Some(part)
        })
    }
}

/// A part of an entry's details.
struct Part {
    range: Range<u64>,
    checksum: u32,
    /// Where it lies in the file.
    place: u64,
}

impl Part {
    fn length(&self) -> u64 {
        self.range.end.saturating_sub(self.range.start)
    }
}

impl Bundle {
    fn open(path: &Path, stamp: Option<Stamp>) -> Option<Self> {
        let mut file = File::open(path).ok()?;
        let mut start = [0; START];
        file.read_exact(&mut start).ok()?;
        let (numbers, found) = start.strip_prefix(&MAGIC)?.split_last_chunk::<STAMP>()?;
        let [layout, length, sum] = *numbers.as_chunks::<4>().0 else {
            return None;
        };
        let length = usize::try_from(u32::from_le_bytes(length)).ok()?;
        if u32::from_le_bytes(layout) != LAYOUT || length > LIMIT {
            return None;
        }
        let mut table = Vec::new();
        let read = (&mut file)
            .take(length as u64)
            .read_to_end(&mut table)
            .ok()?;
        if read != length || checksum(&table) != u32::from_le_bytes(sum) {
            return None;
        }
        let is_ours = stamp == Some(*found);
        Self::of(Whole::new(file).ok()?, is_ours, table)
    }

    fn of(file: Whole, is_ours: bool, table: Vec<u8>) -> Option<Self> {
        let rows = usize::try_from(number(&table, 0)?).ok()?;
        table.get(4..)?.get(..rows.checked_mul(ROW)?)?;
        Some(Self {
            file,
            is_ours,
            table,
            rows,
        })
    }

    fn row_bytes(&self, row: usize) -> Option<&[u8]> {
        let start = row.checked_mul(ROW)?.checked_add(4)?;
        self.table.get(start..start.checked_add(ROW)?)
    }

    fn row(&self, row: usize) -> Option<Row<'_>> {
        let bytes = self.row_bytes(row)?;
        let word = |place: usize| usize::try_from(number(bytes, place * 4)?).ok();
        let (state, header) = bytes.get(NUMBERS * 4..)?.split_first_chunk()?;
        let header = Header::read(header)?;
        let (about, head_length) = header.first_parts()?;
        let start = word(1)?.checked_add(word(2)?)?;
        let (about, rest) = self.table.get(start..)?.split_at_checked(about)?;
        let ranges = rest.as_chunks().0.get(..word(3)?)?;
        let behind = u64::from(number(bytes, 16)?);
        Some(Row {
            state: State(*state),
            header,
            about,
            ranges,
            head: (START as u64 + self.table.len() as u64).checked_add(behind)?,
            head_length,
            note_length: word(5)?,
            note_checksum: number(bytes, 24)?,
        })
    }

    /// The kind and the key of a row.
    fn name(&self, row: usize) -> Option<(u32, &[u8])> {
        let bytes = self.row_bytes(row)?;
        let start = usize::try_from(number(bytes, 4)?).ok()?;
        let length = usize::try_from(number(bytes, 8)?).ok()?;
        let key = self.table.get(start..start.checked_add(length)?)?;
        Some((number(bytes, 0)?, key))
    }

    fn find(&self, kind: RecordKind, key: &str) -> Option<usize> {
        let wanted = (kind.number(), key.as_bytes());
        let (mut low, mut high) = (0, self.rows);
        while low < high {
            let middle = low + (high - low) / 2;
            match self.name(middle)?.cmp(&wanted) {
                Ordering::Less => low = middle + 1,
                Ordering::Equal => return Some(middle),
                Ordering::Greater => high = middle,
            }
        }
        None
    }

    /// The head of an entry; `None` where it is not what was copied.
    fn head(&self, row: &Row<'_>) -> Option<Vec<u8>> {
        let head = self.file.read(row.head, row.head_length)?;
        row.header.is_head(&head).then_some(head)
    }

    /// What was noted with an entry, where this program did it.
    pub(super) fn note(&self, row: usize) -> Option<Vec<u8>> {
        let row = self.row(row)?;
        if row.note_length == 0 || row.note_length > LIMIT || !self.is_ours {
            return None;
        }
        let note = self.file.read(row.note(), row.note_length)?;
        (checksum(&note) == row.note_checksum).then_some(note)
    }

    /// The bytes of an entry's details in this range, where they were copied.
    pub(super) fn details(&self, row: usize, range: &Range<u64>) -> Option<Vec<u8>> {
        let row = self.row(row)?;
        let part = row.details().find(|part| part.range == *range)?;
        self.part(&part)
    }

    fn part(&self, part: &Part) -> Option<Vec<u8>> {
        let length = Some(part.length()).filter(|length| *length <= RANGE_LIMIT)?;
        let bytes = self.file.read(part.place, usize::try_from(length).ok()?)?;
        (checksum(&bytes) == part.checksum).then_some(bytes)
    }

    /// An entry as it was copied.
    fn entry(&self, number: usize) -> Option<Entry> {
        let row = self.row(number)?;
        let mut entry = Entry {
            opened: Opened {
                state: row.state,
                header: row.header,
                about: row.about.to_vec(),
                head: self.head(&row)?,
            },
            note: self.note(number).unwrap_or_default(),
            ranges: BTreeMap::new(),
        };
        for part in row.details() {
            let range = (part.range.start, part.range.end);
            entry.ranges.insert(range, self.part(&part)?);
        }
        Some(entry)
    }
}

/// A record as it is copied.
struct Entry {
    opened: Opened,
    /// Empty where there is none.
    note: Vec<u8>,
    ranges: BTreeMap<(u64, u64), Vec<u8>>,
}

impl Bundles {
    fn new(words: &str, program: Option<&str>) -> Self {
        let digest = |text: &str| -> [u8; 32] { Sha256::digest(text).into() };
        let stamp = program.and_then(|program| digest(program).first_chunk().copied());
        // What lies at the place of another run's words is a copy of the same cache.
        let [number, ..] = digest(words);
        Self {
            place: format!("{:02x}", number % PLACES),
            stamp,
            bundle: OnceLock::new(),
            used: Mutex::default(),
        }
    }

    fn used(&self) -> MutexGuard<'_, Vec<Used>> {
        // A panic elsewhere leaves the list whole.
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Cache {
    /// The same cache, where what runs for the same words have read lies together. Where it is
    /// known what tells this build of the program from others, notes are kept too.
    #[must_use]
    pub fn with_bundle(self, words: &str, program: Option<&str>) -> Self {
        if self.is_temporary() {
            return self;
        }
        Self {
            bundles: Some(Arc::new(Bundles::new(words, program))),
            ..self
        }
    }

    /// Whether what is found of a record can be noted with its copy.
    pub(super) fn keeps_notes(&self) -> bool {
        let bundles = self.bundles.as_ref();
        bundles.is_some_and(|bundles| bundles.stamp.is_some())
    }

    fn bundle(&self) -> Option<&Arc<Bundle>> {
        let bundles = self.bundles.as_ref()?;
        let read = || {
            let path = self.path(RecordKind::Bundle, &bundles.place);
            Bundle::open(&path, bundles.stamp).map(Arc::new)
        };
        bundles.bundle.get_or_init(read).as_ref()
    }

    /// The record under a key as far as its first two parts, from the bundle where that has it.
    ///
    /// Of a kind other than a page only where the key names the content, so that the record can
    /// never be another.
    pub(in super::super) fn read_bundled(
        &self,
        kind: RecordKind,
        key: &str,
    ) -> Option<PartedRecord> {
        self.read_copy(kind, key).or_else(|| {
            let (record, rest) = self.read_rest(kind, key)?;
            self.note(kind, key, None, Some(rest));
            Some(record)
        })
    }

    fn read_copy(&self, kind: RecordKind, key: &str) -> Option<PartedRecord> {
        let bundle = self.bundle()?;
        let number = bundle.find(kind, key)?;
        let row = bundle.row(number)?;
        let path = self.path(kind, key);
        if kind == RecordKind::Page && state_at(&path)? != row.state {
            return None;
        }
        let head = bundle.head(&row)?;
        let rest = Arc::new(Rest::new(
            path,
            row.header,
            RestBytes::Bundled(Arc::clone(bundle), number),
            self,
        ));
        let record = PartedRecord {
            about: row.about.to_vec(),
            head,
            details: Arc::clone(&rest) as _,
        };
        self.note(kind, key, Some(number), Some(rest));
        Some(record)
    }

    /// Notes that a record was read or written.
    pub(super) fn note(
        &self,
        kind: RecordKind,
        key: &str,
        row: Option<usize>,
        rest: Option<Arc<Rest>>,
    ) {
        if let Some(bundles) = &self.bundles
            && matches!(kind, RecordKind::Page | RecordKind::Metadata)
        {
            bundles.used().push(Used {
                kind,
                key: key.to_owned(),
                row,
                rest,
                made: None,
            });
        }
    }

    /// Has something copied that is no record, under a key that names its content. Its details
    /// are not copied.
    pub(in super::super) fn copy_made(&self, kind: RecordKind, key: String, make: Make) {
        if let Some(bundles) = &self.bundles {
            bundles.used().push(Used {
                kind,
                key,
                row: None,
                rest: None,
                made: Some(make),
            });
        }
    }

    /// Writes what was read into one file, where much of it was not in the one that is there.
    pub(in super::super) fn keep_bundle(&self) {
        let Some(bundles) = &self.bundles else {
            return;
        };
        let used = std::mem::take(&mut *bundles.used());
        let is_missing = |used: &&Used| {
            let is_new = |rest: &Arc<Rest>| !rest.ranges().is_empty() || rest.new_note().is_some();
            used.row.is_none() || used.rest.as_ref().is_some_and(is_new)
        };
        let missing = used.iter().filter(is_missing).count();
        if missing * MISSING <= used.len() {
            return;
        }
        let mut entries = BTreeMap::new();
        // What was written after it was read counts as it was written.
        for one in used.iter().rev() {
            let entry = entries
                .entry((one.kind.number(), one.key.as_str()))
                .or_insert_with(|| self.copied(one));
            if let (Some(entry), Some(rest)) = (entry, &one.rest)
                && *rest.header() == entry.opened.header
            {
                for range in rest.ranges() {
                    let bytes = rest.try_read(&range).unwrap_or_default();
                    entry.ranges.insert((range.start, range.end), bytes);
                }
                if let Some(note) = rest.new_note() {
                    entry.note = note;
                }
            }
        }
        if let Some(parts) = content(&entries, bundles.stamp) {
            let path = self.path(RecordKind::Bundle, &bundles.place);
            self.write_all(&path, &parts.each_ref().map(Vec::as_slice));
        }
    }

    /// The record as it was copied before, as it is made, or as it is.
    fn copied(&self, used: &Used) -> Option<Entry> {
        if let Some(copied) = used.row.and_then(|row| self.bundle()?.entry(row)) {
            return Some(copied);
        }
        let opened = match &used.made {
            Some(make) => {
                let parts = make()?;
                Opened {
                    // No file of a record has it.
                    state: State([0; STATE]),
                    header: Header::of(&parts)?,
                    about: parts.about,
                    head: parts.head,
                }
            }
            None => self.open_parts(used.kind, &used.key)?.0,
        };
        Some(Entry {
            opened,
            note: Vec::new(),
            ranges: BTreeMap::new(),
        })
    }
}

/// Whether the details in this range are worth a copy.
pub(super) fn is_copied(range: &Range<u64>) -> bool {
    range.end.saturating_sub(range.start) <= RANGE_LIMIT
}

fn state_at(path: &Path) -> Option<State> {
    State::of(&std::fs::metadata(path).ok()?)
}

/// The start of a bundle, its table, and what is behind it.
fn content(
    entries: &BTreeMap<(u32, &str), Option<Entry>>,
    stamp: Option<Stamp>,
) -> Option<[Vec<u8>; 3]> {
    let entries = || {
        let entries = entries.iter();
        entries.filter_map(|(name, entry)| Some((*name, entry.as_ref()?)))
    };
    let count = entries().count();
    let behind_rows = ROW.checked_mul(count)?.checked_add(4)?;
    let mut rows = u32::try_from(count).ok()?.to_le_bytes().to_vec();
    let (mut said, mut bytes) = (Vec::new(), Vec::new());
    for ((kind, key), entry) in entries() {
        let Entry {
            opened,
            note,
            ranges,
        } = entry;
        // A range that could not be read has no bytes, and is not copied.
        let ranges = || {
            let ranges = ranges.iter();
            ranges.filter(|((start, end), part)| end.checked_sub(*start) == Some(part.len() as u64))
        };
        let numbers = [
            usize::try_from(kind).ok()?,
            behind_rows.checked_add(said.len())?,
            key.len(),
            ranges().count(),
            bytes.len(),
            note.len(),
        ];
        for number in numbers {
            rows.extend(u32::try_from(number).ok()?.to_le_bytes());
        }
        rows.extend(checksum(note).to_le_bytes());
        rows.extend(opened.state.0);
        rows.extend(opened.header.write());
        said.extend(key.as_bytes());
        said.extend(&opened.about);
        bytes.extend(&opened.head);
        bytes.extend(note);
        for ((start, end), part) in ranges() {
            said.extend(start.to_le_bytes());
            said.extend(end.to_le_bytes());
            said.extend(checksum(part).to_le_bytes());
            bytes.extend(part);
        }
    }
    rows.append(&mut said);
    if rows.len().max(bytes.len()) > LIMIT {
        return None;
    }
    let mut start = MAGIC.to_vec();
    for number in [LAYOUT, u32::try_from(rows.len()).ok()?, checksum(&rows)] {
        start.extend(number.to_le_bytes());
    }
    start.extend(stamp.unwrap_or_default());
    Some([start, rows, bytes])
}

fn number(bytes: &[u8], place: usize) -> Option<u32> {
    let number = bytes.get(place..)?.first_chunk()?;
    Some(u32::from_le_bytes(*number))
}

#[cfg(test)]
mod tests;
