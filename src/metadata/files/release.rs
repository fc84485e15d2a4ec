//! The files of one release, read.

use std::fmt;
use std::ops::Range;

use jiff::Timestamp;
use pep440_rs::Version;

use super::super::digests::hexadecimal;
use super::super::{CoreMetadataSidecar, Digests, File, FileHash, FileKind};
use super::head::{FileId, Head, ReleaseRows};
use super::pack::{Block, Detail, Sidecar};
use super::{Files, Listing, UnreadableFiles};

/// What is each file's own in one release: when it was uploaded, its place on the page, and
/// what a lock needs of it. It is kept as it was read; a [`File`] is made of it on demand.
#[derive(Clone)]
pub struct ReleaseFiles {
    files: Files,
    /// The row of the first file.
    first: u32,
    count: usize,
    /// Whole, as far as its checksum tells.
    block: Box<[u8]>,
}

impl ReleaseFiles {
    pub(super) fn read(files: &Files, place: u32) -> Result<Self, UnreadableFiles> {
        let listing = &files.0;
        let rows = listing.head.rows_of(place).ok_or(UnreadableFiles)?;
        let range = listing.head.block_of(place).ok_or(UnreadableFiles)?;
        let block: Box<[u8]> = listing.bytes(range)?.into();
        let count = rows.len();
        if Block::read(&block, count).is_none() {
            return Err(listing.forgotten());
        }
        Ok(Self {
            files: files.clone(),
            first: rows.start,
            count,
            block,
        })
    }

    fn block(&self) -> Result<Block<'_>, UnreadableFiles> {
        Block::whole(&self.block, self.count).ok_or(UnreadableFiles)
    }

    fn place(&self, id: FileId) -> Result<usize, UnreadableFiles> {
        let place = id.0.checked_sub(self.first);
        place
            .and_then(|place| usize::try_from(place).ok())
            .ok_or(UnreadableFiles)
    }

    /// When a file of the release was uploaded, in nanoseconds since 1970, where the index
    /// says it.
    ///
    /// # Errors
    ///
    /// [`UnreadableFiles`] where the file is none of the release.
    pub fn uploaded(&self, id: FileId) -> Result<Option<i64>, UnreadableFiles> {
        let own = self.block()?.own(self.place(id)?);
        own.map(|own| own.uploaded).ok_or(UnreadableFiles)
    }

    /// The place in page order of a file of the release.
    ///
    /// # Errors
    ///
    /// [`UnreadableFiles`] where the file is none of the release.
    pub fn place_on_page(&self, id: FileId) -> Result<usize, UnreadableFiles> {
        let own = self.block()?.own(self.place(id)?);
        own.and_then(|own| usize::try_from(own.place).ok())
            .ok_or(UnreadableFiles)
    }

    /// The sha256 of a file of the release, where the index gives it.
    ///
    /// # Errors
    ///
    /// [`UnreadableFiles`] where the file cannot be made.
    pub fn sha256(&self, id: FileId) -> Result<Option<FileHash>, UnreadableFiles> {
        let detail = self.block()?.detail(self.place(id)?);
        let detail = detail.ok_or(UnreadableFiles)?;
        let head = &self.files.0.head;
        head.origin(detail.origin).ok_or(UnreadableFiles)?;
        let kept = detail.sha256.and_then(|digest| digest.try_into().ok());
        Ok(kept.map(FileHash::sha256).or_else(|| {
            let mut hashes = detail.hashes.iter();
            let (algorithm, digest) = hashes.find(|(algorithm, _)| *algorithm == "sha256")?;
            Some(FileHash::new(algorithm, digest))
        }))
    }

    /// A file of the release.
    ///
    /// # Errors
    ///
    /// [`UnreadableFiles`] where the file is none of the release.
    pub fn file(&self, id: FileId) -> Result<File, UnreadableFiles> {
        let (block, place) = (self.block()?, self.place(id)?);
        let file = self.files.0.file(id, block, place);
        file.ok_or_else(|| self.files.0.forgotten())
    }
}

/// The releases of a page, in ascending order of their versions.
pub struct Releases<'p> {
    pub(super) head: &'p Head,
    /// Those that are yet to come.
    pub(super) places: Range<u32>,
    /// Where the rows of the first of them begin.
    pub(super) start: u32,
}

impl<'p> Iterator for Releases<'p> {
    type Item = ReleaseRows<'p>;

    fn next(&mut self) -> Option<ReleaseRows<'p>> {
        let release = self.head.release_from(self.places.next()?, self.start)?;
        self.start = release.end();
        Some(release)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let most = usize::try_from(self.places.end.saturating_sub(self.places.start)).ok();
        (0, most)
    }
}

impl DoubleEndedIterator for Releases<'_> {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.head.release(self.places.next_back()?)
    }
}

impl fmt::Debug for ReleaseFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReleaseFiles")
            .field("first", &self.first)
            .field("count", &self.count)
            .finish_non_exhaustive()
    }
}

impl Listing {
    /// The file with a row, at a place of its release's block.
    pub(super) fn file(&self, id: FileId, block: Block<'_>, place: usize) -> Option<File> {
        let (row, own) = (self.head.row(id)?, block.own(place)?);
        let detail: Detail<'_> = block.detail(place)?;
        let shape = self.head.shape(row.shape);
        let filename = [detail.stem, shape].concat();
        let version: Version = detail.version.parse().ok()?;
        let kind = FileKind::of_shape(shape, &self.name, &version)?;
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
            upload_time: own.uploaded.and_then(instant),
            requires_python: row
                .python
                .checked_sub(1)
                .map(|number| self.head.python(number).to_owned()),
            yanked: self.head.yanked(row),
            sidecar: match detail.sidecar {
                Sidecar::None => None,
                Sidecar::Unhashed => Some(CoreMetadataSidecar { sha256: None }),
                Sidecar::Hashed(digest) => Some(CoreMetadataSidecar {
                    sha256: Some(hexadecimal(digest)),
                }),
                Sidecar::Text(digest) => Some(CoreMetadataSidecar {
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
