//! The files of a page, column by column.
//!
//! A large distribution's page lists thousands of files, of which a lock takes one release's.
//! What a solver asks of all of them (which release, for which machines, for which Python,
//! uploaded when) stands in a *head*, as tables of what is distinct and one row of numbers for
//! each file; what only a lock needs (address, hashes, size) in *details*, one after the other
//! in the order of the rows. Reading a page is reading its head; nothing is made for a file
//! that nobody asks for.
//!
//! Rows are in the order of versions, and within one release in page order, so that the files
//! of a release lie side by side.

mod head;
mod pack;

use std::cmp::Ordering;
use std::fmt;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use jiff::Timestamp;
use pep440_rs::Version;
use pep508_rs::PackageName;

use self::head::{Head, Row};
use super::digests::hexadecimal;
use super::{CoreMetadataSidecar, Digests, File, FileKind, Yanked};

pub use self::head::{FileId, FileRow, ReleaseRows, wheel as wheel_of_shape};

/// The files of one distribution's page, in page order.
#[derive(Clone)]
pub struct Files(Arc<Listing>);

struct Listing {
    name: PackageName,
    head: Head,
    details: Details,
    /// The rows in page order.
    order: OnceLock<Vec<FileId>>,
}

/// Where details lie.
#[derive(Clone)]
enum Details {
    Here(Vec<u8>),
    Elsewhere(Arc<dyn DetailSource>),
}

/// Where the details of a page's files lie that were not read with its head.
pub trait DetailSource: Send + Sync {
    /// The bytes in this range; `None` where they cannot be had any more.
    fn read(&self, range: Range<u64>) -> Option<Vec<u8>>;

    /// What was read is not what was written: it should not be found again.
    fn forget(&self) {}
}

/// What was kept of a page cannot be read any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("what the cache holds of its page is damaged, or another run replaced it")]
pub struct UnreadableFiles;

impl Files {
    /// These files of a distribution, in this order.
    ///
    /// A file's version and kind are those that its name gives; a file whose name is not one of
    /// the distribution's is left out.
    pub fn new(name: &PackageName, files: &[File]) -> Self {
        let (head, details) = pack::pack(files);
        // What was just written reads back; if not, it is as good as nothing.
        let head = Head::read(head).unwrap_or_default();
        Self::of(name, head, Details::Here(details))
    }

    /// Files that were written earlier: their head, and where the details lie.
    ///
    /// `None` where the head is none. The bytes are checked as to their bounds and no further:
    /// whoever keeps them must see to it that they are those that were written.
    pub fn read(name: &PackageName, head: Vec<u8>, details: Arc<dyn DetailSource>) -> Option<Self> {
        let head = Head::read(head)?;
        Some(Self::of(name, head, Details::Elsewhere(details)))
    }

    fn of(name: &PackageName, head: Head, details: Details) -> Self {
        Self(Arc::new(Listing {
            name: name.clone(),
            head,
            details,
            order: OnceLock::new(),
        }))
    }

    /// The head's bytes.
    pub fn head(&self) -> &[u8] {
        self.0.head.bytes()
    }

    /// The details' bytes.
    ///
    /// # Errors
    ///
    /// [`UnreadableFiles`] where they cannot be had any more.
    pub fn details(&self) -> Result<Vec<u8>, UnreadableFiles> {
        self.0.bytes(0..self.0.head.details_length())
    }

    /// How many files there are.
    pub fn len(&self) -> usize {
        self.0.head.rows()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The file at a place in page order; `None` where there is none, or where it cannot be
    /// read any more.
    pub fn get(&self, place: usize) -> Option<File> {
        let id = *self.in_page_order().get(place)?;
        self.file(id).ok()
    }

    /// All files, in page order.
    ///
    /// # Errors
    ///
    /// [`UnreadableFiles`] where they cannot be read any more.
    pub fn all(&self) -> Result<Vec<File>, UnreadableFiles> {
        self.some(self.in_page_order())
    }

    /// The rows, in page order.
    pub fn in_page_order(&self) -> &[FileId] {
        self.0.order.get_or_init(|| {
            let rows = (0..self.0.head.count()).map(FileId);
            let mut order: Vec<FileId> = rows.collect();
            order.sort_by_key(|id| self.0.head.row(*id).map_or(u32::MAX, |row| row.place));
            order
        })
    }

    /// The releases, in ascending order of their versions.
    pub fn releases(&self) -> impl DoubleEndedIterator<Item = ReleaseRows<'_>> {
        (0..self.0.head.releases()).filter_map(|place| self.release(place))
    }

    /// The release at a place in the order of versions.
    pub fn release(&self, place: u32) -> Option<ReleaseRows<'_>> {
        self.0.head.release(place)
    }

    /// The files of one release, in page order.
    pub fn of_version(&self, version: &Version) -> Vec<FileId> {
        let order = |place: u32| {
            let found = self.release(place)?.version.parse::<Version>().ok()?;
            Some(found.cmp(version))
        };
        let (mut low, mut high) = (0, self.0.head.releases());
        while low < high {
            let middle = low + (high - low) / 2;
            match order(middle) {
                Some(Ordering::Less) => low = middle + 1,
                Some(Ordering::Equal) => {
                    let rows = self
                        .release(middle)
                        .map(|release| release.files().collect());
                    return rows.unwrap_or_default();
                }
                Some(Ordering::Greater) | None => high = middle,
            }
        }
        Vec::new()
    }

    /// What a solver asks of one file.
    pub fn row(&self, id: FileId) -> Option<FileRow<'_>> {
        let row = self.0.head.row(id)?;
        Some(FileRow {
            place: row.place,
            shape: row.shape,
            python: row.python.checked_sub(1),
            is_yanked: row.yanked > 0,
            uploaded: row.uploaded,
            files: &self.0.head,
        })
    }

    /// The distinct shapes: what a file's name says after its version, without the point or
    /// hyphen between them, such as `py3-none-any.whl` and `tar.gz`.
    pub fn shapes(&self) -> impl Iterator<Item = &str> {
        self.0.head.shapes()
    }

    /// The shape with this number.
    pub fn shape(&self, number: u32) -> &str {
        self.0.head.shape(number)
    }

    /// The distinct values of `Requires-Python`.
    pub fn pythons(&self) -> impl Iterator<Item = &str> {
        self.0.head.pythons()
    }

    /// The value of `Requires-Python` with this number.
    pub fn python(&self, number: u32) -> &str {
        self.0.head.python(number)
    }

    /// Whether a file was yanked, and why.
    pub fn yanked(&self, id: FileId) -> Option<Yanked> {
        let row = self.0.head.row(id)?;
        self.0.head.yanked(&row)
    }

    /// One file.
    ///
    /// # Errors
    ///
    /// [`UnreadableFiles`] where it cannot be read any more.
    pub fn file(&self, id: FileId) -> Result<File, UnreadableFiles> {
        let files = self.some(&[id])?;
        files.into_iter().next().ok_or(UnreadableFiles)
    }

    /// Some files, in the order in which they are named.
    ///
    /// # Errors
    ///
    /// [`UnreadableFiles`] where one of them cannot be read any more.
    pub fn some(&self, ids: &[FileId]) -> Result<Vec<File>, UnreadableFiles> {
        let head = &self.0.head;
        let ranges: Option<Vec<Range<u64>>> = ids.iter().map(|id| head.detail(*id)).collect();
        let ranges = ranges.ok_or(UnreadableFiles)?;
        let (Some(from), Some(to)) = (
            ranges.iter().map(|range| range.start).min(),
            ranges.iter().map(|range| range.end).max(),
        ) else {
            return Ok(Vec::new());
        };
        // The rows of a release lie side by side.
        let bytes = self.0.bytes(from..to)?;
        let within = |range: &Range<u64>| {
            let start = usize::try_from(range.start.checked_sub(from)?).ok()?;
            let end = usize::try_from(range.end.checked_sub(from)?).ok()?;
            bytes.get(start..end)
        };
        let mut last: Option<(&str, Version)> = None;
        ids.iter()
            .zip(&ranges)
            .map(|(id, range)| {
                let row = head.row(*id)?;
                let detail = pack::Detail::read(within(range)?)?;
                // Files of a release have one version, as a rule in one spelling.
                let version = match &last {
                    Some((text, version)) if *text == detail.version => version.clone(),
                    _ => detail.version.parse().ok()?,
                };
                let file = self.0.file(&row, &detail, &version);
                last = Some((detail.version, version));
                file
            })
            .collect::<Option<_>>()
            .ok_or_else(|| {
                if let Details::Elsewhere(source) = &self.0.details {
                    source.forget();
                }
                UnreadableFiles
            })
    }
}

impl Listing {
    fn bytes(&self, range: Range<u64>) -> Result<Vec<u8>, UnreadableFiles> {
        match &self.details {
            Details::Here(bytes) => {
                let start = usize::try_from(range.start).ok();
                let end = usize::try_from(range.end).ok();
                let part = start.zip(end).and_then(|(from, to)| bytes.get(from..to));
                part.map(<[u8]>::to_vec).ok_or(UnreadableFiles)
            }
            Details::Elsewhere(source) => source.read(range).ok_or(UnreadableFiles),
        }
    }

    fn file(&self, row: &Row, detail: &pack::Detail<'_>, version: &Version) -> Option<File> {
        let shape = self.head.shape(row.shape);
        let filename = [detail.stem, shape].concat();
        let kind = FileKind::of_shape(shape, &self.name, version)?;
        let origin = self.head.origin(detail.origin)?;
        let length = origin.len() + detail.path.len() + filename.len();
        let mut url = String::with_capacity(length);
        url.push_str(origin);
        url.push_str(detail.path);
        if detail.path_ends_in_name {
            url.push_str(&filename);
        }
        let mut hashes = Digests::new();
        for (algorithm, digest) in &detail.hashes {
            hashes.insert(algorithm, (*digest).to_owned());
        }
        if let Some(digest) = detail.sha256 {
            hashes.insert("sha256", hexadecimal(digest));
        }
        Some(File {
            filename,
            url,
            hashes,
            size: detail.size,
            upload_time: row.uploaded.and_then(instant),
            requires_python: row
                .python
                .checked_sub(1)
                .map(|number| self.head.python(number).to_owned()),
            yanked: self.head.yanked(row),
            sidecar: match detail.sidecar {
                pack::Sidecar::None => None,
                pack::Sidecar::Unhashed => Some(CoreMetadataSidecar { sha256: None }),
                pack::Sidecar::Hashed(digest) => Some(CoreMetadataSidecar {
                    sha256: Some(hexadecimal(digest)),
                }),
                pack::Sidecar::Text(digest) => Some(CoreMetadataSidecar {
                    sha256: Some(digest.to_owned()),
                }),
            },
            version: kind.version().clone(),
            kind,
        })
    }
}

/// The instant of so many nanoseconds since 1970.
fn instant(nanoseconds: i64) -> Option<Timestamp> {
    Timestamp::from_nanosecond(nanoseconds.into()).ok()
}

impl fmt::Debug for Files {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.all() {
            Ok(files) => f.debug_list().entries(files).finish(),
            Err(error) => f.debug_tuple("Files").field(&error).finish(),
        }
    }
}

impl PartialEq for Files {
    fn eq(&self, other: &Self) -> bool {
        match (self.all(), other.all()) {
            (Ok(one), Ok(other)) => one == other,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests;
