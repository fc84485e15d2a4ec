//! Writing the files of a page as columns.

use std::collections::BTreeMap;

use flate2::Crc;
use pep440_rs::Version;
use serde::{Deserialize, Serialize};

use super::distinct::{Distinct, Renumbered};
use super::head::{NO_TIME, PRERELEASE, RELEASE};
use super::rows::{self, Row, Rows};

/// What a block has of each file before the details: upload time (8 bytes), place in page
/// order (4), end of the detail among the release's details (4).
const OWN: usize = 16;

/// What a file usually takes in its block, in bytes.
const USUAL_DETAIL: usize = 256;

/// What only a lock needs of a file; it borrows from what was read.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Detail<'r> {
    /// The file name up to its shape, with the point or hyphen between them.
    pub(super) stem: &'r str,
    /// The version as the file has it, normalised.
    pub(super) version: &'r str,
    /// The number of the address's origin, as `https://files.example/`.
    pub(super) origin: u32,
    /// The address after the origin, without the file name where it ends in it.
    pub(super) path: &'r str,
    pub(super) path_ends_in_name: bool,
    pub(super) sha256: Option<&'r [u8]>,
    /// The other hashes, hexadecimal.
    #[serde(borrow)]
    pub(super) hashes: Vec<(&'r str, &'r str)>,
    pub(super) size: Option<u64>,
    pub(super) sidecar: Sidecar<'r>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Sidecar<'r> {
    None,
    Unhashed,
    Hashed(&'r [u8]),
    /// A digest that is no sha256.
    Text(&'r str),
}

/// What is each file's own in one release, and what only a lock needs of it.
///
/// It begins with its checksum.
#[derive(Clone, Copy)]
pub(super) struct Block<'r> {
    own: &'r [[u8; OWN]],
    details: &'r [u8],
}

/// What is one file's own.
#[derive(Debug, Clone, Copy)]
pub(super) struct Own {
    pub(super) uploaded: Option<i64>,
    /// The place in page order.
    pub(super) place: u32,
    end: u32,
}

impl<'r> Block<'r> {
    /// Reads the block of so many files; `None` where it is damaged.
    pub(super) fn read(bytes: &'r [u8], files: usize) -> Option<Self> {
        let (checksum, bytes) = bytes.split_first_chunk()?;
        (*checksum == checksum_of(bytes)).then_some(())?;
        Self::parts(bytes, files)
    }

    /// Reads a block that was found whole before.
    pub(super) fn whole(bytes: &'r [u8], files: usize) -> Option<Self> {
        let (_, bytes) = bytes.split_first_chunk::<4>()?;
        Self::parts(bytes, files)
    }

    fn parts(bytes: &'r [u8], files: usize) -> Option<Self> {
        let (own, details) = bytes.split_at_checked(files.checked_mul(OWN)?)?;
        let own = own.as_chunks().0;
        Some(Self { own, details })
    }

    pub(super) fn own(&self, file: usize) -> Option<Own> {
        let own = self.own.get(file)?;
        let (uploaded, rest) = own.split_first_chunk()?;
        let (place, end) = rest.split_first_chunk()?;
        let uploaded = i64::from_le_bytes(*uploaded);
        Some(Own {
            uploaded: (uploaded != NO_TIME).then_some(uploaded),
            place: u32::from_le_bytes(*place),
            end: u32::from_le_bytes(*end.first_chunk()?),
        })
    }

    pub(super) fn detail(&self, file: usize) -> Option<Detail<'r>> {
        let end = usize::try_from(self.own(file)?.end).ok()?;
        let start = match file.checked_sub(1) {
            Some(before) => usize::try_from(self.own(before)?.end).ok()?,
            None => 0,
        };
        postcard::from_bytes(self.details.get(start..end)?).ok()
    }
}

/// The order of the rows on their page.
#[derive(Clone, Copy)]
pub(in super::super) enum PageOrder<'a> {
    /// By version, then by name.
    ByName,
    /// As they were given; each has this place.
    Given(&'a [u32]),
}

/// The tables of a page, as they are filled.
struct Tables {
    shapes: Renumbered,
    pythons: Renumbered,
    yanks: Renumbered,
    origins: Renumbered,
    /// The rows of each class, and its number.
    classes: BTreeMap<Vec<[u32; 3]>, u32>,
    /// The rows of the release at hand, and of the last one with its class.
    class: Vec<[u32; 3]>,
    last_class: (Vec<[u32; 3]>, u32),
}

/// The head and the details of files.
pub(in super::super) fn pack(rows: &Rows<'_>, order: PageOrder<'_>) -> (Vec<u8>, Vec<u8>) {
    let releases = releases(rows, order);
    let mut tables = Tables {
        shapes: Renumbered::of(&rows.shapes),
        pythons: Renumbered::of(&rows.pythons),
        yanks: Renumbered::of(&rows.yanks),
        origins: Renumbered::of(&rows.origins),
        classes: BTreeMap::new(),
        class: Vec::new(),
        last_class: (Vec::new(), u32::MAX),
    };
    let mut versions = Vec::with_capacity(releases.len());
    let mut columns = Vec::<u8>::with_capacity(releases.len() * RELEASE);
    let mut blocks = Blocks {
        details: Vec::new(),
        bytes: Vec::with_capacity(rows.files.len() * USUAL_DETAIL),
    };
    let mut count_of_rows = 0_u32;
    for files in &releases {
        let Some(first) = files.first().and_then(|(_, row)| rows.spelled(row.version)) else {
            continue;
        };
        versions.push(first.text.as_str());
        blocks.append(files, rows, &mut tables.origins);
        count_of_rows = count_of_rows.saturating_add(count(files.len()));
        count_of_rows = count_of_rows.min(PRERELEASE - 1);
        let flag = if first.version.any_prerelease() {
            PRERELEASE
        } else {
            0
        };
        let (earliest, latest) = uploads(files);
        columns.extend((blocks.bytes.len() as u64).to_le_bytes());
        columns.extend(earliest.to_le_bytes());
        columns.extend(latest.to_le_bytes());
        columns.extend((count_of_rows | flag).to_le_bytes());
        columns.extend(tables.class(files).to_le_bytes());
    }
    let head = tables.head(rows, count_of_rows, &versions, &columns);
    (head, blocks.bytes)
}

/// A file with its place in page order.
type Placed<'r, 'p> = (u32, &'r Row<'p>);

/// The files of each release, in the order of versions, and within one in page order.
fn releases<'r, 'p>(rows: &'r Rows<'p>, order: PageOrder<'_>) -> Vec<Vec<Placed<'r, 'p>>> {
    let mut sorted: Vec<(&Version, usize)> = rows
        .versions
        .iter()
        .enumerate()
        .filter_map(|(number, known)| Some((&known.as_ref()?.version, number)))
        .collect();
    sorted.sort();
    // Versions that are written otherwise may be the same.
    let mut ranks = vec![0; rows.versions.len()];
    let mut next = 0_usize;
    for same in sorted.chunk_by(|(one, _), (other, _)| one == other) {
        for (_, number) in same {
            if let Some(rank) = ranks.get_mut(*number) {
                *rank = next;
            }
        }
        next += 1;
    }
    let mut releases: Vec<Vec<Placed<'_, '_>>> = vec![Vec::new(); next];
    for (given, row) in rows.files.iter().enumerate() {
        let place = match order {
            PageOrder::ByName => 0,
            PageOrder::Given(places) => places.get(given).copied().unwrap_or(u32::MAX),
        };
        let rank = usize::try_from(row.version).ok();
        let rank = rank.and_then(|version| ranks.get(version));
        if let Some(release) = rank.and_then(|rank| releases.get_mut(*rank)) {
            release.push((place, row));
        }
    }
    if let PageOrder::ByName = order {
        let mut place = 0_u32;
        for release in &mut releases {
            let by_name = |(_, one): &Placed<'_, '_>, (_, other): &Placed<'_, '_>| {
                one.by_name(other, &rows.origins)
            };
            release.sort_by(by_name);
            for (placed, _) in release {
                *placed = place;
                place = place.saturating_add(1);
            }
        }
    }
    releases
}

impl Tables {
    /// The number of the class of a release with these files.
    fn class(&mut self, files: &[Placed<'_, '_>]) -> u32 {
        self.class.clear();
        for (_, row) in files {
            let python = row.python.checked_sub(1);
            let reason = row.yanked.checked_sub(2);
            self.class.push([
                self.shapes.number(row.shape),
                python.map_or(0, |python| self.pythons.number(python).saturating_add(1)),
                reason.map_or(row.yanked, |reason| {
                    self.yanks.number(reason).saturating_add(2)
                }),
            ]);
        }
        if self.last_class.0 != self.class {
            let known = self.classes.get(&self.class).copied();
            let number = known.unwrap_or_else(|| {
                let number = count(self.classes.len());
                self.classes.insert(self.class.clone(), number);
                number
            });
            self.last_class.0.clone_from(&self.class);
            self.last_class.1 = number;
        }
        self.last_class.1
    }

    fn head(
        self,
        rows: &Rows<'_>,
        count_of_rows: u32,
        versions: &[&str],
        releases: &[u8],
    ) -> Vec<u8> {
        fn texts<'r>(table: &'r Distinct<'_>, used: &Renumbered) -> Vec<&'r str> {
            let text = |old: &u32| table.get(*old).unwrap_or_default();
            used.old.iter().map(text).collect()
        }
        let tables = [
            versions,
            &texts(&rows.shapes, &self.shapes),
            &texts(&rows.pythons, &self.pythons),
            &texts(&rows.yanks, &self.yanks),
            &texts(&rows.origins, &self.origins),
        ];
        let mut classes: Vec<(u32, Vec<[u32; 3]>)> = self
            .classes
            .into_iter()
            .map(|(rows, number)| (number, rows))
            .collect();
        classes.sort_unstable();
        let mut head = Vec::new();
        head.extend(count_of_rows.to_le_bytes());
        for table in &tables {
            head.extend(count(table.len()).to_le_bytes());
        }
        head.extend(count(classes.len()).to_le_bytes());
        for table in &tables {
            let mut end = 0;
            for text in *table {
                end += text.len();
                head.extend(count(end).to_le_bytes());
            }
            for text in *table {
                head.extend(text.as_bytes());
            }
        }
        head.extend(releases);
        let mut end = 0;
        for (_, rows) in &classes {
            end += rows.len();
            head.extend(count(end).to_le_bytes());
        }
        let numbers = classes.iter().flat_map(|(_, rows)| rows).flatten();
        head.extend(numbers.flat_map(|number| number.to_le_bytes()));
        head
    }
}

fn count(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// The earliest and the latest upload of a release; no earliest where a file has none.
fn uploads(files: &[Placed<'_, '_>]) -> (i64, i64) {
    let times = || files.iter().map(|(_, row)| row.uploaded);
    (
        times().min().unwrap_or(NO_TIME),
        times().max().unwrap_or(NO_TIME),
    )
}

/// The blocks of releases, as they are written.
struct Blocks {
    bytes: Vec<u8>,
    /// The details of the release at hand.
    details: Vec<u8>,
}

impl Blocks {
    /// Writes the block of a release.
    fn append(&mut self, files: &[Placed<'_, '_>], rows: &Rows<'_>, origins: &mut Renumbered) {
        let start = self.bytes.len();
        self.bytes.extend([0; 4]);
        self.details.clear();
        for (place, row) in files {
            let version = rows.spelled(row.version).map_or("", |it| it.text.as_str());
            write_detail(&mut self.details, row, version, origins.number(row.origin));
            let end = count(self.details.len());
            self.bytes.extend(row.uploaded.to_le_bytes());
            self.bytes.extend(place.to_le_bytes());
            self.bytes.extend(end.to_le_bytes());
        }
        self.bytes.extend_from_slice(&self.details);
        if let Some((checksum, block)) = self
            .bytes
            .get_mut(start..)
            .and_then(<[u8]>::split_first_chunk_mut)
        {
            *checksum = checksum_of(block);
        }
    }
}

/// Writes a [`Detail`] as `postcard` does: it is written for each file of a page, and made for
/// hardly any.
fn write_detail(bytes: &mut Vec<u8>, row: &Row<'_>, version: &str, origin: u32) {
    let path = row.path.strip_suffix(&*row.filename);
    let stem = row.filename.get(..row.shape_start).unwrap_or_default();
    write_bytes(bytes, stem.as_bytes());
    write_bytes(bytes, version.as_bytes());
    write_number(bytes, origin.into());
    write_bytes(bytes, path.unwrap_or(&row.path).as_bytes());
    bytes.push(path.is_some().into());
    match &row.sha256 {
        None => bytes.push(0),
        Some(digest) => {
            bytes.push(1);
            write_bytes(bytes, digest);
        }
    }
    write_number(bytes, row.hashes.pairs().count() as u64);
    for (algorithm, digest) in row.hashes.pairs() {
        write_bytes(bytes, algorithm.as_bytes());
        write_bytes(bytes, digest.as_bytes());
    }
    match row.size {
        None => bytes.push(0),
        Some(size) => {
            bytes.push(1);
            write_number(bytes, size);
        }
    }
    match &row.sidecar {
        rows::Sidecar::None => bytes.push(0),
        rows::Sidecar::Unhashed => bytes.push(1),
        rows::Sidecar::Hashed(digest) => {
            bytes.push(2);
            write_bytes(bytes, digest);
        }
        rows::Sidecar::Text(text) => {
            bytes.push(3);
            write_bytes(bytes, text.as_bytes());
        }
    }
}

fn write_bytes(bytes: &mut Vec<u8>, written: &[u8]) {
    write_number(bytes, written.len() as u64);
    bytes.extend_from_slice(written);
}

/// Seven bits a byte, the lowest first; all but the last have the highest bit set.
fn write_number(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(u8::try_from(number & 0x7f).unwrap_or(0) | 0x80);
        number >>= 7;
    }
    bytes.push(u8::try_from(number).unwrap_or(0));
}

fn checksum_of(bytes: &[u8]) -> [u8; 4] {
    let mut crc = Crc::new();
    crc.update(bytes);
    crc.sum().to_le_bytes()
}
