//! Writing the files of a page as columns.

use std::collections::BTreeMap;

use flate2::Crc;
use serde::{Deserialize, Serialize};

use super::super::digests::bytes_of;
use super::super::{File, FileKind};
use super::head::{NO_TIME, PRERELEASE, is_wheel};

/// What a block has of each file before the details: upload time (8 bytes), place in page
/// order (4), end of the detail among the release's details (4).
const OWN: usize = 16;

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

/// A table of distinct texts, in the order in which they were met.
#[derive(Default)]
struct Texts<'t> {
    numbers: BTreeMap<&'t str, u32>,
    texts: Vec<&'t str>,
}

impl<'t> Texts<'t> {
    fn number(&mut self, text: &'t str) -> u32 {
        let next = u32::try_from(self.texts.len()).unwrap_or(u32::MAX);
        let number = *self.numbers.entry(text).or_insert(next);
        if number == next {
            self.texts.push(text);
        }
        number
    }
}

/// The tables of a page, as they are filled.
#[derive(Default)]
struct Tables<'t> {
    shapes: Texts<'t>,
    pythons: Texts<'t>,
    yanks: Texts<'t>,
    origins: Texts<'t>,
    /// The rows of each class, and its number.
    classes: BTreeMap<Vec<[u32; 3]>, u32>,
}

/// The head and the details of files.
pub(super) fn pack(files: &[File]) -> (Vec<u8>, Vec<u8>) {
    let mut order: Vec<Placed<'_>> = (0..)
        .zip(files)
        .filter_map(|(place, file)| Some((place, file, split(file)?)))
        .collect();
    order.sort_by(|(place, file, _), (other_place, other, _)| {
        (&file.version, place).cmp(&(&other.version, other_place))
    });
    let mut tables = Tables::default();
    let (mut versions, mut releases) = (Vec::new(), Vec::<u8>::new());
    let (mut details, mut rows) = (Vec::new(), 0_u32);
    for files in order.chunk_by(|(_, one, _), (_, other, _)| one.version == other.version) {
        let Some((_, first, _)) = files.first() else {
            continue;
        };
        versions.push(first.version.to_string());
        append(&mut details, files, &mut tables.origins);
        rows = rows.saturating_add(count(files.len())).min(PRERELEASE - 1);
        let flag = if first.version.any_prerelease() {
            PRERELEASE
        } else {
            0
        };
        releases.extend((details.len() as u64).to_le_bytes());
        let (earliest, latest) = uploads(files);
        releases.extend(earliest.to_le_bytes());
        releases.extend(latest.to_le_bytes());
        releases.extend((rows | flag).to_le_bytes());
        releases.extend(tables.class(files).to_le_bytes());
    }
    (tables.head(rows, &versions, &releases), details)
}

/// A file with its place in page order, its stem and its shape.
type Placed<'f> = (u32, &'f File, (&'f str, &'f str));

impl<'t> Tables<'t> {
    /// The number of the class of a release with these files.
    fn class(&mut self, files: &[Placed<'t>]) -> u32 {
        let rows = files.iter().map(|(_, file, (_, shape))| {
            let python = file.requires_python.as_deref();
            let python = python.map_or(0, |text| self.pythons.number(text).saturating_add(1));
            let yanked = match &file.yanked {
                None => 0,
                Some(yanked) => match &yanked.reason {
                    None => 1,
                    Some(reason) => self.yanks.number(reason).saturating_add(2),
                },
            };
            [self.shapes.number(shape), python, yanked]
        });
        let rows = rows.collect();
        let next = count(self.classes.len());
        *self.classes.entry(rows).or_insert(next)
    }

    fn head(self, rows: u32, versions: &[String], releases: &[u8]) -> Vec<u8> {
        let versions: Vec<&str> = versions.iter().map(String::as_str).collect();
        let tables = [
            versions,
            self.shapes.texts,
            self.pythons.texts,
            self.yanks.texts,
            self.origins.texts,
        ];
        let mut classes: Vec<(u32, Vec<[u32; 3]>)> = self
            .classes
            .into_iter()
            .map(|(rows, number)| (number, rows))
            .collect();
        classes.sort_unstable();
        let mut head = Vec::new();
        head.extend(rows.to_le_bytes());
        for table in &tables {
            head.extend(count(table.len()).to_le_bytes());
        }
        head.extend(count(classes.len()).to_le_bytes());
        for table in &tables {
            let mut end = 0;
            for text in table {
                end += text.len();
                head.extend(count(end).to_le_bytes());
            }
            for text in table {
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

/// When a file was uploaded, as it is kept.
fn uploaded(file: &File) -> i64 {
    file.upload_time.map_or(NO_TIME, |time| {
        let limit = i128::from(NO_TIME) + 1;
        i64::try_from(time.as_nanosecond().max(limit)).unwrap_or(i64::MAX)
    })
}

/// The earliest and the latest upload of a release; no earliest where a file has none.
fn uploads(files: &[Placed<'_>]) -> (i64, i64) {
    let times = || files.iter().map(|(_, file, _)| uploaded(file));
    (
        times().min().unwrap_or(NO_TIME),
        times().max().unwrap_or(NO_TIME),
    )
}

/// The file name up to its shape, and its shape.
fn split(file: &File) -> Option<(&str, &str)> {
    let shape = match &file.kind {
        FileKind::Wheel(_) => {
            let mut hyphens = file.filename.match_indices('-');
            let shape = hyphens.nth(1).map(|(place, _)| place + 1)?;
            file.filename.get(shape..)?
        }
        FileKind::Variants(_) => {
            let start = file.filename.rfind('-').map(|place| place + 1)?;
            file.filename.get(start..)?
        }
        FileKind::Sdist(sdist) => {
            let start = file.filename.len().checked_sub(sdist.extension.len())?;
            file.filename.get(start..)?
        }
    };
    let fits = is_wheel(shape) == matches!(file.kind, FileKind::Wheel(_));
    fits.then_some((file.filename.strip_suffix(shape)?, shape))
}

/// Writes the block of a release.
fn append<'f>(blocks: &mut Vec<u8>, files: &[Placed<'f>], origins: &mut Texts<'f>) {
    let (mut own, mut details) = (Vec::with_capacity(files.len() * OWN), Vec::new());
    for (place, file, (stem, _)) in files {
        append_detail(&mut details, file, stem, origins);
        own.extend(uploaded(file).to_le_bytes());
        own.extend(place.to_le_bytes());
        own.extend(count(details.len()).to_le_bytes());
    }
    own.append(&mut details);
    blocks.extend(checksum_of(&own));
    blocks.append(&mut own);
}

fn append_detail<'f>(
    details: &mut Vec<u8>,
    file: &'f File,
    stem: &'f str,
    origins: &mut Texts<'f>,
) {
    let version = file.version.to_string();
    let (origin, path) = file.url.split_at(origin_length(&file.url));
    let named = path.strip_suffix(file.filename.as_str());
    let sha256: Option<[u8; 32]> = file.sha256().and_then(bytes_of);
    let others = file
        .hashes
        .pairs()
        .filter(|(algorithm, _)| sha256.is_none() || *algorithm != "sha256");
    let sidecar = file.sidecar.as_ref().map(|sidecar| {
        let text = sidecar.sha256.as_deref();
        (text, text.and_then(bytes_of::<32>))
    });
    let detail = Detail {
        stem,
        version: &version,
        origin: origins.number(origin),
        path: named.unwrap_or(path),
        path_ends_in_name: named.is_some(),
        sha256: sha256.as_ref().map(|digest| &digest[..]),
        hashes: others.collect(),
        size: file.size,
        sidecar: match &sidecar {
            None => Sidecar::None,
            Some((None, _)) => Sidecar::Unhashed,
            Some((Some(_), Some(digest))) => Sidecar::Hashed(digest),
            Some((Some(text), None)) => Sidecar::Text(text),
        },
    };
    // Writing to a vector does not fail.
    if let Ok(bytes) = postcard::to_allocvec(&detail) {
        details.extend(bytes);
    }
}

fn checksum_of(bytes: &[u8]) -> [u8; 4] {
    let mut crc = Crc::new();
    crc.update(bytes);
    crc.sum().to_le_bytes()
}

/// The length of scheme, host and the slash after it.
fn origin_length(url: &str) -> usize {
    let host = url.find("://").map_or(0, |position| position + 3);
    let rest = url.get(host..).unwrap_or_default();
    rest.find('/').map_or(0, |slash| host + slash + 1)
}
