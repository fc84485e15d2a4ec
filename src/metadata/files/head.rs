//! The head of a page: tables of what is distinct, and a row of numbers for each file.
//!
//! All numbers are little-endian. The head is read where it lies: nothing is made of it but
//! the places of its parts, and every access checks its bounds.

use std::ops::Range;

use super::super::{WheelName, Yanked, is_document};

/// The tables, in the order in which they are written.
const TABLES: usize = 5;
const VERSIONS: usize = 0;
const SHAPES: usize = 1;
const PYTHONS: usize = 2;
const YANKS: usize = 3;
const ORIGINS: usize = 4;

/// The number of rows, and the number of entries of each table.
const COUNTS: usize = 1 + TABLES;

/// A row: end of its detail (8 bytes), upload time (8), place (4), shape (4),
/// `Requires-Python` (4), yank (4).
pub(super) const ROW: usize = 32;

/// No upload time.
pub(super) const NO_TIME: i64 = i64::MIN;

/// Names a file of one page: the number of its row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(pub(super) u32);

/// One release's rows.
#[derive(Debug, Clone)]
pub struct ReleaseRows<'p> {
    /// The version as its first file in page order has it, normalised.
    pub version: &'p str,
    /// Whether it is a pre-release or a development release.
    pub is_prerelease: bool,
    rows: Range<u32>,
}

impl ReleaseRows<'_> {
    /// Its files, in page order.
    pub fn files(&self) -> impl DoubleEndedIterator<Item = FileId> + use<> {
        self.rows.clone().map(FileId)
    }
}

/// What a solver asks of one file.
#[derive(Clone, Copy)]
pub struct FileRow<'p> {
    /// Its place in page order.
    pub place: u32,
    /// The number of its shape.
    pub shape: u32,
    /// The number of its `Requires-Python`, where it has one.
    pub python: Option<u32>,
    /// Whether it was yanked.
    pub is_yanked: bool,
    /// When it was uploaded, in nanoseconds since 1970 (held at the ends of 64 bits), where
    /// the index says it.
    pub uploaded: Option<i64>,
    pub(super) files: &'p Head,
}

impl FileRow<'_> {
    /// A wheel with this file's tags, where it is one; name and version are not its own.
    pub fn wheel(&self) -> Option<WheelName> {
        wheel(self.files.shape(self.shape))
    }

    /// Whether the file is a wheel.
    pub fn is_wheel(&self) -> bool {
        is_wheel(self.files.shape(self.shape))
    }

    /// Whether the file tells of its release's wheel variants.
    pub fn is_document(&self) -> bool {
        is_document(self.files.shape(self.shape))
    }

    /// Whether the file is a source distribution.
    pub fn is_sdist(&self) -> bool {
        let shape = self.files.shape(self.shape);
        !is_wheel(shape) && !is_document(shape)
    }
}

/// A wheel with the tags of a shape; name and version are not its own.
pub fn wheel(shape: &str) -> Option<WheelName> {
    is_wheel(shape).then(|| WheelName::parse(&format!("a-0-{shape}")).ok())?
}

pub(super) fn is_wheel(shape: &str) -> bool {
    shape.strip_suffix(".whl").is_some()
}

pub(super) struct Row {
    pub(super) place: u32,
    pub(super) shape: u32,
    pub(super) python: u32,
    pub(super) yanked: u32,
    pub(super) uploaded: Option<i64>,
    detail_end: u64,
}

/// The places of a table's parts.
#[derive(Default, Clone)]
struct Table {
    /// The ends of the texts, 4 bytes each.
    ends: Range<usize>,
    text: Range<usize>,
}

/// The head of a page.
#[derive(Default)]
pub(super) struct Head {
    bytes: Vec<u8>,
    tables: [Table; TABLES],
    /// The ends of the releases' rows, 4 bytes each; the highest bit says pre-release.
    releases: Range<usize>,
    rows: Range<usize>,
}

/// The bit of a release's end that says that it is a pre-release.
pub(super) const PRERELEASE: u32 = 1 << 31;

impl Head {
    /// Finds the parts of a head; `None` where they do not fill the bytes.
    pub(super) fn read(bytes: Vec<u8>) -> Option<Self> {
        let mut end = 0_usize;
        let mut take = |length: usize| {
            let start = end;
            end = end.checked_add(length).filter(|end| *end <= bytes.len())?;
            Some(start..end)
        };
        let mut counts = [0; COUNTS];
        for count in &mut counts {
            *count = usize::try_from(number(&bytes, &take(4)?, 0)?).ok()?;
        }
        let [rows, counts @ ..] = counts;
        let mut tables = <[Table; TABLES]>::default();
        for (table, count) in tables.iter_mut().zip(counts) {
            let ends = take(count.checked_mul(4)?)?;
            let length = match count.checked_sub(1) {
                Some(last) => usize::try_from(number(&bytes, &ends, last)?).ok()?,
                None => 0,
            };
            let text = take(length)?;
            std::str::from_utf8(bytes.get(text.clone())?).ok()?;
            *table = Table { ends, text };
        }
        let releases = take(tables[VERSIONS].ends.len())?;
        let rows = take(rows.checked_mul(ROW)?)?;
        (end == bytes.len()).then_some(Self {
            bytes,
            tables,
            releases,
            rows,
        })
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(super) fn rows(&self) -> usize {
        self.rows.len() / ROW
    }

    pub(super) fn count(&self) -> u32 {
        u32::try_from(self.rows()).unwrap_or(u32::MAX)
    }

    pub(super) fn releases(&self) -> u32 {
        u32::try_from(self.releases.len() / 4).unwrap_or(u32::MAX)
    }

    pub(super) fn release(&self, place: u32) -> Option<ReleaseRows<'_>> {
        let place = usize::try_from(place).ok()?;
        let end = number(&self.bytes, &self.releases, place)?;
        let start = match place.checked_sub(1) {
            Some(before) => number(&self.bytes, &self.releases, before)? & !PRERELEASE,
            None => 0,
        };
        Some(ReleaseRows {
            version: self.text(VERSIONS, place)?,
            is_prerelease: end & PRERELEASE != 0,
            rows: start..(end & !PRERELEASE).min(self.count()),
        })
    }

    pub(super) fn row(&self, id: FileId) -> Option<Row> {
        let start = usize::try_from(id.0).ok()?.checked_mul(ROW)?;
        let row: &[u8; ROW] = self
            .bytes
            .get(self.rows.clone())?
            .get(start..)?
            .first_chunk()?;
        let words = row.as_chunks::<4>().0;
        let word = |place: usize| words.get(place).map(|word| u32::from_le_bytes(*word));
        let long = |place: usize| {
            let (low, high) = (u64::from(word(place)?), u64::from(word(place + 1)?));
            Some(low | high << 32)
        };
        let uploaded = long(2)?.cast_signed();
        Some(Row {
            detail_end: long(0)?,
            uploaded: (uploaded != NO_TIME).then_some(uploaded),
            place: word(4)?,
            shape: word(5)?,
            python: word(6)?,
            yanked: word(7)?,
        })
    }

    /// Where a file's detail lies.
    pub(super) fn detail(&self, id: FileId) -> Option<Range<u64>> {
        let end = self.row(id)?.detail_end;
        let start = match id.0.checked_sub(1) {
            Some(before) => self.row(FileId(before))?.detail_end,
            None => 0,
        };
        (start <= end).then_some(start..end)
    }

    pub(super) fn details_length(&self) -> u64 {
        let last = self.count().checked_sub(1);
        last.and_then(|last| self.row(FileId(last)))
            .map_or(0, |row| row.detail_end)
    }

    pub(super) fn shapes(&self) -> impl Iterator<Item = &str> {
        self.texts(SHAPES)
    }

    pub(super) fn shape(&self, number: u32) -> &str {
        self.numbered(SHAPES, number)
    }

    pub(super) fn pythons(&self) -> impl Iterator<Item = &str> {
        self.texts(PYTHONS)
    }

    pub(super) fn python(&self, number: u32) -> &str {
        self.numbered(PYTHONS, number)
    }

    pub(super) fn origin(&self, number: u32) -> Option<&str> {
        self.text(ORIGINS, usize::try_from(number).ok()?)
    }

    /// 0 is not yanked, 1 yanked without a reason, and the reasons follow.
    pub(super) fn yanked(&self, row: &Row) -> Option<Yanked> {
        row.yanked.checked_sub(1)?;
        let reason = row.yanked.checked_sub(2);
        Some(Yanked {
            reason: reason.map(|number| self.numbered(YANKS, number).to_owned()),
        })
    }

    fn texts(&self, table: usize) -> impl Iterator<Item = &str> {
        let count = self.tables.get(table).map_or(0, |it| it.ends.len() / 4);
        (0..count).map(move |place| self.text(table, place).unwrap_or_default())
    }

    fn numbered(&self, table: usize, number: u32) -> &str {
        let place = usize::try_from(number).ok();
        let text = place.and_then(|place| self.text(table, place));
        text.unwrap_or_default()
    }

    fn text(&self, table: usize, place: usize) -> Option<&str> {
        let table = self.tables.get(table)?;
        let end = usize::try_from(number(&self.bytes, &table.ends, place)?).ok()?;
        let start = match place.checked_sub(1) {
            Some(before) => usize::try_from(number(&self.bytes, &table.ends, before)?).ok()?,
            None => 0,
        };
        let bytes = self.bytes.get(table.text.clone())?.get(start..end)?;
        std::str::from_utf8(bytes).ok()
    }
}

/// The number at a place of a column.
fn number(bytes: &[u8], column: &Range<usize>, place: usize) -> Option<u32> {
    let start = place.checked_mul(4)?;
    let number = bytes.get(column.clone())?.get(start..)?.first_chunk()?;
    Some(u32::from_le_bytes(*number))
}
