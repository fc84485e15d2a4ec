//! Writing the files of a page as columns.

use std::collections::BTreeMap;

use flate2::Crc;
use pep440_rs::Version;
use serde::{Deserialize, Serialize};

use super::super::digests::bytes_of;
use super::super::{File, FileKind};
use super::head::{NO_TIME, PRERELEASE, ROW, is_wheel};

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

impl<'r> Detail<'r> {
    /// Reads a detail, which begins with its checksum.
    pub(super) fn read(bytes: &'r [u8]) -> Option<Self> {
        let (checksum, detail) = bytes.split_first_chunk()?;
        (*checksum == checksum_of(detail)).then(|| postcard::from_bytes(detail).ok())?
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

/// The head and the details of files.
pub(super) fn pack(files: &[File]) -> (Vec<u8>, Vec<u8>) {
    let mut order: Vec<(u32, &File, (&str, &str))> = (0..)
        .zip(files)
        .filter_map(|(place, file)| Some((place, file, split(file)?)))
        .collect();
    order.sort_by(|(place, file, _), (other_place, other, _)| {
        (&file.version, place).cmp(&(&other.version, other_place))
    });
    let (mut shapes, mut pythons, mut yanks, mut origins) =
        <(Texts, Texts, Texts, Texts)>::default();
    let mut details = Vec::new();
    let mut rows: Vec<u8> = Vec::with_capacity(order.len() * ROW);
    for (place, file, (stem, shape)) in &order {
        append(&mut details, file, stem, &mut origins);
        let uploaded = file.upload_time.map_or(NO_TIME, |time| {
            let limit = i128::from(NO_TIME) + 1;
            i64::try_from(time.as_nanosecond().max(limit)).unwrap_or(i64::MAX)
        });
        rows.extend((details.len() as u64).to_le_bytes());
        rows.extend(uploaded.to_le_bytes());
        rows.extend(place.to_le_bytes());
        rows.extend(shapes.number(shape).to_le_bytes());
        let python = file.requires_python.as_deref();
        let python = python.map_or(0, |text| pythons.number(text).saturating_add(1));
        rows.extend(python.to_le_bytes());
        let yanked = match &file.yanked {
            None => 0,
            Some(yanked) => match &yanked.reason {
                None => 1,
                Some(reason) => yanks.number(reason).saturating_add(2),
            },
        };
        rows.extend(yanked.to_le_bytes());
    }
    let (versions, releases) = releases(order.iter().map(|(_, file, _)| &file.version));
    let versions: Vec<&str> = versions.iter().map(String::as_str).collect();
    let tables = [
        versions,
        shapes.texts,
        pythons.texts,
        yanks.texts,
        origins.texts,
    ];
    let mut head = Vec::new();
    let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX).to_le_bytes();
    head.extend(count(order.len()));
    for table in &tables {
        head.extend(count(table.len()));
    }
    for table in &tables {
        let mut end = 0;
        for text in table {
            end += text.len();
            head.extend(count(end));
        }
        for text in table {
            head.extend(text.as_bytes());
        }
    }
    head.extend(releases.into_iter().flat_map(u32::to_le_bytes));
    head.extend(rows);
    (head, details)
}

/// The distinct versions of rows in the order of versions, and where the rows of each end.
fn releases<'v>(rows: impl Iterator<Item = &'v Version>) -> (Vec<String>, Vec<u32>) {
    let (mut texts, mut ends): (Vec<String>, Vec<u32>) = (Vec::new(), Vec::new());
    let mut last: Option<&Version> = None;
    for (end, version) in (1..PRERELEASE).zip(rows) {
        if last != Some(version) {
            texts.push(version.to_string());
            ends.push(0);
            last = Some(version);
        }
        let flag = if version.any_prerelease() {
            PRERELEASE
        } else {
            0
        };
        if let Some(place) = ends.last_mut() {
            *place = end | flag;
        }
    }
    (texts, ends)
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

fn append<'f>(details: &mut Vec<u8>, file: &'f File, stem: &'f str, origins: &mut Texts<'f>) {
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
        details.extend(checksum_of(&bytes));
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
