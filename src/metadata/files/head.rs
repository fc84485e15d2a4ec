//! The head of a page: tables of what is distinct, what is said of each release, and classes.
//!
//! Most releases of a distribution are made of the same kinds of files: the same shapes, the
//! same `Requires-Python`. Such a list is a *class*; a release names its class, and the rows of
//! its files follow from it. What is each file's own stands in the release's block of details.
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

/// The number of rows, of entries of each table, and of classes.
const COUNTS: usize = 2 + TABLES;

/// A release: end of its block (8 bytes), earliest (8) and latest upload time (8), end of its
/// rows (4), class (4).
pub(super) const RELEASE: usize = 32;

/// A file of a class: shape (4), `Requires-Python` (4), yank (4).
const ENTRY: usize = 12;

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
    /// The number of its class: releases of one class have the same rows, file by file.
    pub class: u32,
    /// When its files were uploaded.
    pub uploads: Uploads,
    rows: Range<u32>,
}

/// When the files of a release were uploaded, in nanoseconds since 1970 (held at the ends of
/// 64 bits).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Uploads {
    /// The index says it of no file.
    Unknown,
    /// It says it of some files, and not of others.
    Partly,
    /// The first and the last of them.
    Between(i64, i64),
}

impl ReleaseRows<'_> {
    /// Where the rows of the next release begin.
    pub(super) fn end(&self) -> u32 {
        self.rows.end
    }

    /// Its files, in page order.
    pub fn files(&self) -> impl DoubleEndedIterator<Item = FileId> + use<> {
        self.rows.clone().map(FileId)
    }

    /// The file at a place among them.
    pub fn file(&self, place: u32) -> FileId {
        FileId(self.rows.start.saturating_add(place))
    }
}

/// What a solver asks of one file.
#[derive(Clone, Copy)]
pub struct FileRow<'p> {
    /// The number of its shape.
    pub shape: u32,
    /// The number of its `Requires-Python`, where it has one.
    pub python: Option<u32>,
    /// Whether it was yanked.
    pub is_yanked: bool,
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

/// A file of a class.
#[derive(Clone, Copy)]
pub(super) struct Row {
    pub(super) shape: u32,
    pub(super) python: u32,
    pub(super) yanked: u32,
}

/// The places of a table's parts.
#[derive(Default, Clone)]
struct Table {
    /// The ends of the texts, 4 bytes each.
    ends: Range<usize>,
    /// The texts, one after the other.
    texts: Range<usize>,
}

/// The head of a page.
#[derive(Default)]
pub(super) struct Head {
    bytes: Vec<u8>,
    tables: [Table; TABLES],
    rows: u32,
    releases: Range<usize>,
    /// The ends of the classes among the entries, 4 bytes each.
    classes: Range<usize>,
    entries: Range<usize>,
}

/// The bit of the end of a release's rows that says that it is a pre-release.
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
            *count = number(&bytes, &take(4)?, 0)?;
        }
        let [rows, counts @ .., classes] = counts;
        let mut tables = <[Table; TABLES]>::default();
        for (table, count) in tables.iter_mut().zip(counts) {
            let ends = take(usize::try_from(count).ok()?.checked_mul(4)?)?;
            let texts = take(last(&bytes, &ends)?)?;
            *table = Table { ends, texts };
        }
        let releases = (tables[VERSIONS].ends.len() / 4).checked_mul(RELEASE)?;
        let releases = take(releases)?;
        let classes = take(usize::try_from(classes).ok()?.checked_mul(4)?)?;
        let entries = take(last(&bytes, &classes)?.checked_mul(ENTRY)?)?;
        (end == bytes.len()).then_some(Self {
            bytes,
            tables,
            rows,
            releases,
            classes,
            entries,
        })
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(super) fn rows(&self) -> u32 {
        self.rows
    }

    pub(super) fn releases(&self) -> u32 {
        u32::try_from(self.releases.len() / RELEASE).unwrap_or(u32::MAX)
    }

    pub(super) fn classes(&self) -> usize {
        self.classes.len() / 4
    }

    pub(super) fn release(&self, place: u32) -> Option<ReleaseRows<'_>> {
        let start = self.rows_before(place)?;
        self.release_from(place, start)
    }

    /// The release at a place, whose rows begin there.
    pub(super) fn release_from(&self, place: u32, start: u32) -> Option<ReleaseRows<'_>> {
        let words = self.of_release(place)?;
        let (earliest, latest) = (words.earliest, words.latest);
        Some(ReleaseRows {
            version: self.text(VERSIONS, usize::try_from(place).ok()?)?,
            is_prerelease: words.rows_end & PRERELEASE != 0,
            class: words.class,
            uploads: match (earliest, latest) {
                (NO_TIME, NO_TIME) => Uploads::Unknown,
                (NO_TIME, _) => Uploads::Partly,
                _ => Uploads::Between(earliest, latest),
            },
            rows: self.rows_from(&words, start)?,
        })
    }

    /// The rows of the release at a place.
    pub(super) fn rows_of(&self, place: u32) -> Option<Range<u32>> {
        self.rows_from(&self.of_release(place)?, self.rows_before(place)?)
    }

    /// Where the rows of the release at a place begin.
    fn rows_before(&self, place: u32) -> Option<u32> {
        match place.checked_sub(1) {
            Some(before) => Some(self.of_release(before)?.rows_end & !PRERELEASE),
            None => Some(0),
        }
    }

    fn rows_from(&self, release: &ReleaseWords, start: u32) -> Option<Range<u32>> {
        let end = release.rows_end & !PRERELEASE;
        let length = usize::try_from(end.checked_sub(start)?).ok()?;
        (length == self.entries_of(release.class)?.len()).then_some(start..end)
    }

    /// Where the block of the release at a place lies.
    pub(super) fn block_of(&self, place: u32) -> Option<Range<u64>> {
        let end = self.of_release(place)?.block_end;
        let start = match place.checked_sub(1) {
            Some(before) => self.of_release(before)?.block_end,
            None => 0,
        };
        (start <= end).then_some(start..end)
    }

    /// The place of the release that has a row.
    pub(super) fn release_with(&self, id: FileId) -> Option<u32> {
        let (mut low, mut high) = (0, self.releases());
        while low < high {
            let middle = low + (high - low) / 2;
            if self.of_release(middle)?.rows_end & !PRERELEASE <= id.0 {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        (low < self.releases()).then_some(low)
    }

    pub(super) fn row(&self, id: FileId) -> Option<Row> {
        let place = self.release_with(id)?;
        let first = self.rows_of(place)?.start;
        let class = self.of_release(place)?.class;
        self.class_row(class, id.0.checked_sub(first)?)
    }

    /// The row at a place of a class.
    fn class_row(&self, class: u32, place: u32) -> Option<Row> {
        let place = usize::try_from(place).ok()?;
        self.class(class)?.nth(place)
    }

    /// The rows of a class.
    pub(super) fn class(&self, class: u32) -> Option<impl Iterator<Item = Row> + use<'_>> {
        Some(self.entries_of(class)?.iter().map(|entry| {
            let [shape, python, yanked] = words(entry);
            Row {
                shape,
                python,
                yanked,
            }
        }))
    }

    fn entries_of(&self, class: u32) -> Option<&[[u8; ENTRY]]> {
        let class = usize::try_from(class).ok()?;
        let bound = |place| usize::try_from(number(&self.bytes, &self.classes, place)?).ok();
        let start = class.checked_sub(1).map_or(Some(0), bound)?;
        let entries = self.bytes.get(self.entries.clone())?.as_chunks().0;
        entries.get(start..bound(class)?)
    }

    fn of_release(&self, place: u32) -> Option<ReleaseWords> {
        let start = usize::try_from(place).ok()?.checked_mul(RELEASE)?;
        let bytes = self.bytes.get(self.releases.clone())?.get(start..)?;
        let words: [u32; RELEASE / 4] = words(bytes.first_chunk::<RELEASE>()?);
        let [
            low,
            high,
            early_low,
            early_high,
            late_low,
            late_high,
            rows_end,
            class,
        ] = words;
        let long = |low, high| u64::from(low) | u64::from(high) << 32;
        Some(ReleaseWords {
            block_end: long(low, high),
            earliest: long(early_low, early_high).cast_signed(),
            latest: long(late_low, late_high).cast_signed(),
            rows_end,
            class,
        })
    }

    pub(super) fn details_length(&self) -> u64 {
        let last = self.releases().checked_sub(1);
        last.and_then(|last| self.of_release(last))
            .map_or(0, |release| release.block_end)
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

    pub(super) fn shown(&self, row: Row) -> FileRow<'_> {
        FileRow {
            shape: row.shape,
            python: row.python.checked_sub(1),
            is_yanked: row.yanked > 0,
            files: self,
        }
    }

    /// 0 is not yanked, 1 yanked without a reason, and the reasons follow.
    pub(super) fn yanked(&self, row: Row) -> Option<Yanked> {
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
        let text = self.bytes.get(table.texts.clone())?.get(start..end)?;
        std::str::from_utf8(text).ok()
    }
}

/// What is said of a release.
struct ReleaseWords {
    block_end: u64,
    earliest: i64,
    latest: i64,
    rows_end: u32,
    class: u32,
}

fn words<const BYTES: usize, const WORDS: usize>(bytes: &[u8; BYTES]) -> [u32; WORDS] {
    let mut words = [0; WORDS];
    for (word, bytes) in words.iter_mut().zip(bytes.as_chunks::<4>().0) {
        *word = u32::from_le_bytes(*bytes);
    }
    words
}

/// The last number of a column; 0 where it is empty.
fn last(bytes: &[u8], column: &Range<usize>) -> Option<usize> {
    match (column.len() / 4).checked_sub(1) {
        Some(last) => usize::try_from(number(bytes, column, last)?).ok(),
        None => Some(0),
    }
}

/// The number at a place of a column.
fn number(bytes: &[u8], column: &Range<usize>, place: usize) -> Option<u32> {
    let start = place.checked_mul(4)?;
    let number = bytes.get(column.clone())?.get(start..)?.first_chunk()?;
    Some(u32::from_le_bytes(*number))
}
