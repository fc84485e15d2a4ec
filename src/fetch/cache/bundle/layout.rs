//! How a bundle is laid out in its file.
//!
//! All numbers are little-endian. Magic, layout, length and checksum of the table, what tells the
//! program that wrote it; the table: number of rows, the rows by kind and key, and for each its key, first part, and the ranges of
//! the details that were copied; then for each its head, its note, and those details.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fs::{File, Metadata};
use std::io::Read as _;
use std::ops::Range;
use std::path::Path;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::super::held::Whole;
use super::super::parts::{HEADER_SIZE, Header, Opened};
use super::super::{LAYOUT, RecordKind, checksum};

const MAGIC: [u8; 4] = *b"MLRB";

/// Magic, layout, length and checksum of the table, the program's stamp.
const START: usize = 16 + STAMP;

pub(super) const STAMP: usize = 16;

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

/// What tells one build of the program from others.
pub(super) type Stamp = [u8; STAMP];

/// What tells that a file is the same one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(in super::super::super) struct State([u8; STATE]);

impl State {
    /// That of a file. A record is never written in place, so another content is another inode,
    /// unless two runs replace it within one tick of the file system's clock, the second gets
    /// the first one's inode, and the lengths are the same.
    pub(in super::super) fn of(file: &Metadata) -> Option<Self> {
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

    /// The same, where it is that of a file.
    pub(in super::super::super) fn of_file(self) -> Option<Self> {
        (self != Self::default()).then_some(self)
    }
}

/// A bundle, opened.
pub(in super::super) struct Bundle {
    file: Whole,
    /// Whether its notes are this program's.
    is_ours: bool,
    pub(super) table: Vec<u8>,
    rows: usize,
}

/// What is said of an entry.
pub(super) struct Row<'b> {
    pub(super) state: State,
    pub(super) header: Header,
    pub(super) about: &'b [u8],
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
    pub(super) fn open(path: &Path, stamp: Option<Stamp>) -> Option<Self> {
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
        // What is not there is not touched: a length that is damaged costs no memory.
        let mut table = Vec::with_capacity(length);
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

    pub(super) fn of(file: Whole, is_ours: bool, table: Vec<u8>) -> Option<Self> {
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

    pub(super) fn row(&self, row: usize) -> Option<Row<'_>> {
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

    pub(super) fn find(&self, kind: RecordKind, key: &str) -> Option<usize> {
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
    pub(super) fn head(&self, row: &Row<'_>) -> Option<Vec<u8>> {
        let head = self.file.read(row.head, row.head_length)?;
        row.header.is_head(&head).then_some(head)
    }

    /// What was noted with an entry, where this program did it.
    pub(in super::super) fn note(&self, row: usize) -> Option<Vec<u8>> {
        let row = self.row(row)?;
        if row.note_length == 0 || row.note_length > LIMIT || !self.is_ours {
            return None;
        }
        let note = self.file.read(row.note(), row.note_length)?;
        (checksum(&note) == row.note_checksum).then_some(note)
    }

    /// The bytes of an entry's details in this range, where they were copied.
    pub(in super::super) fn details(&self, row: usize, range: &Range<u64>) -> Option<Vec<u8>> {
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
    pub(super) fn entry(&self, number: usize) -> Option<Entry> {
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
pub(super) struct Entry {
    pub(super) opened: Opened,
    /// Empty where there is none.
    pub(super) note: Vec<u8>,
    pub(super) ranges: BTreeMap<(u64, u64), Vec<u8>>,
}

/// Whether the details in this range are worth a copy.
pub(in super::super) fn is_copied(range: &Range<u64>) -> bool {
    range.end.saturating_sub(range.start) <= RANGE_LIMIT
}

pub(in super::super) fn state_at(path: &Path) -> Option<State> {
    State::of(&std::fs::metadata(path).ok()?)
}

/// The start of a bundle, its table, and what is behind it.
pub(super) fn content(
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
