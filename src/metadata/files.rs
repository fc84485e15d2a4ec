//! The files of a page, column by column.
//!
//! A large distribution's page lists thousands of files, of which a lock takes one release's.
//! What a solver asks of all of them (which release, for which machines, for which Python,
//! uploaded when) stands in a *head*: tables of what is distinct, a few numbers for each
//! release, and the *classes*, which are the lists of files that releases repeat. What is each
//! file's own (upload time, place in page order), and what only a lock needs (address, hashes,
//! size), stands in *details*, one block for each release. Reading a page is reading its head;
//! nothing is made for a file that nobody asks for.
//!
//! Rows are in the order of versions, and within one release in page order, so that the files
//! of a release lie side by side.

mod distinct;
mod head;
mod pack;
mod release;
mod rows;

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use pep440_rs::Version;
use pep508_rs::PackageName;

use self::head::Head;
use self::pack::{Block, PageOrder};
use super::{File, Yanked};

pub use self::head::{FileId, FileRow, ReleaseRows, Uploads, wheel as wheel_of_shape};
pub use self::release::{ReleaseFiles, Releases};
pub(super) use self::rows::{Rows, Sidecar, Yank, nanoseconds};

/// The files of one distribution's page, in page order.
#[derive(Clone)]
pub struct Files(Arc<Listing>);

struct Listing {
    name: PackageName,
    head: Head,
    details: Details,
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

    /// What was noted with the page, where it is kept and this page is still the same.
    fn note(&self) -> Option<Vec<u8>> {
        None
    }

    /// Whether what is noted can be kept.
    fn keeps_notes(&self) -> bool {
        false
    }

    /// Keeps what is found of the page, for whoever reads the same page later.
    fn keep_note(&self, _note: Vec<u8>) {}
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
        let (rows, places) = Rows::of(files);
        Self::packed(name, &rows, PageOrder::Given(&places))
    }

    /// These files of a distribution, by version and then by name: in the order in which the
    /// public index lists them, so that a page says the same in whatever order another has them.
    pub(super) fn by_name(name: &PackageName, rows: &Rows<'_>) -> Self {
        Self::packed(name, rows, PageOrder::ByName)
    }

    fn packed(name: &PackageName, rows: &Rows<'_>, order: PageOrder<'_>) -> Self {
        let (head, details) = pack::pack(rows, order);
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
        let bytes = self.0.bytes(0..self.0.head.details_length())?;
        Ok(bytes.into_owned())
    }

    /// What was noted with the page.
    pub(crate) fn note(&self) -> Option<Vec<u8>> {
        self.source()?.note()
    }

    /// Whether what is noted can be kept.
    pub(crate) fn keeps_notes(&self) -> bool {
        self.source().is_some_and(DetailSource::keeps_notes)
    }

    /// Notes something with the page.
    pub(crate) fn keep_note(&self, note: Vec<u8>) {
        if let Some(source) = self.source() {
            source.keep_note(note);
        }
    }

    fn source(&self) -> Option<&dyn DetailSource> {
        match &self.0.details {
            Details::Here(_) => None,
            Details::Elsewhere(source) => Some(&**source),
        }
    }

    /// How many files there are.
    pub fn len(&self) -> usize {
        usize::try_from(self.0.head.rows()).unwrap_or(usize::MAX)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The file at a place in page order; `None` where there is none, or where it cannot be
    /// read any more.
    pub fn get(&self, place: usize) -> Option<File> {
        let id = *self.in_page_order().ok()?.get(place)?;
        self.file(id).ok()
    }

    /// All files, in page order.
    ///
    /// # Errors
    ///
    /// [`UnreadableFiles`] where they cannot be read any more.
    pub fn all(&self) -> Result<Vec<File>, UnreadableFiles> {
        let mut files = Vec::new();
        self.each_block(|rows, block| {
            for (place, id) in rows.files().enumerate() {
                let own = block.own(place)?;
                files.push((own.place, self.0.file(id, block, place)?));
            }
            Some(())
        })?;
        files.sort_by_key(|(place, _)| *place);
        Ok(files.into_iter().map(|(_, file)| file).collect())
    }

    /// The rows, in page order.
    ///
    /// # Errors
    ///
    /// [`UnreadableFiles`] where it cannot be read any more.
    pub fn in_page_order(&self) -> Result<Vec<FileId>, UnreadableFiles> {
        let mut order = Vec::new();
        self.each_block(|rows, block| {
            for (place, id) in rows.files().enumerate() {
                order.push((block.own(place)?.place, id));
            }
            Some(())
        })?;
        order.sort_unstable();
        Ok(order.into_iter().map(|(_, id)| id).collect())
    }

    /// The releases, in ascending order of their versions.
    pub fn releases(&self) -> Releases<'_> {
        Releases {
            head: &self.0.head,
            places: 0..self.0.head.releases(),
            start: 0,
        }
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
        Some(self.0.head.shown(row))
    }

    /// What a solver asks of the files of a class, in the order of a release's files.
    pub fn class(&self, number: u32) -> impl Iterator<Item = FileRow<'_>> {
        let rows = self.0.head.class(number).into_iter().flatten();
        rows.map(|row| self.0.head.shown(row))
    }

    /// How many classes there are.
    pub fn classes(&self) -> usize {
        self.0.head.classes()
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
        self.0.head.yanked(row)
    }

    /// One file.
    ///
    /// # Errors
    ///
    /// [`UnreadableFiles`] where it cannot be read any more.
    pub fn file(&self, id: FileId) -> Result<File, UnreadableFiles> {
        let place = self.0.head.release_with(id).ok_or(UnreadableFiles)?;
        self.read_release(place)?.file(id)
    }

    /// Some files, in the order in which they are named.
    ///
    /// # Errors
    ///
    /// [`UnreadableFiles`] where one of them cannot be read any more.
    pub fn some(&self, ids: &[FileId]) -> Result<Vec<File>, UnreadableFiles> {
        let files = self.placed(ids)?;
        Ok(files.into_iter().map(|(_, file)| file).collect())
    }

    /// Some files, in page order.
    ///
    /// # Errors
    ///
    /// [`UnreadableFiles`] where one of them cannot be read any more.
    pub fn on_page(&self, ids: &[FileId]) -> Result<Vec<File>, UnreadableFiles> {
        let mut files = self.placed(ids)?;
        files.sort_by_key(|(place, _)| *place);
        Ok(files.into_iter().map(|(_, file)| file).collect())
    }

    /// Some files with their places in page order.
    fn placed(&self, ids: &[FileId]) -> Result<Vec<(usize, File)>, UnreadableFiles> {
        let mut releases: BTreeMap<u32, ReleaseFiles> = BTreeMap::new();
        ids.iter()
            .map(|id| {
                let place = self.0.head.release_with(*id).ok_or(UnreadableFiles)?;
                let release = match releases.entry(place) {
                    Entry::Occupied(known) => known.into_mut(),
                    Entry::Vacant(new) => new.insert(self.read_release(place)?),
                };
                Ok((release.place_on_page(*id)?, release.file(*id)?))
            })
            .collect()
    }

    /// What is each file's own in the release at a place in the order of versions.
    ///
    /// # Errors
    ///
    /// [`UnreadableFiles`] where it cannot be read any more.
    pub fn read_release(&self, place: u32) -> Result<ReleaseFiles, UnreadableFiles> {
        ReleaseFiles::read(self, place)
    }

    /// Gives each release's block, in the order of versions.
    fn each_block(
        &self,
        mut take: impl FnMut(&ReleaseRows<'_>, Block<'_>) -> Option<()>,
    ) -> Result<(), UnreadableFiles> {
        let head = &self.0.head;
        let bytes = self.0.bytes(0..head.details_length())?;
        let mut each = |place, rows: &ReleaseRows<'_>| {
            let range = head.block_of(place)?;
            let start = usize::try_from(range.start).ok()?;
            let bytes = bytes.get(start..usize::try_from(range.end).ok()?)?;
            take(rows, Block::read(bytes, rows.files().count())?)
        };
        for (place, rows) in (0..).zip(self.releases()) {
            each(place, &rows).ok_or_else(|| self.0.forgotten())?;
        }
        Ok(())
    }
}

impl Listing {
    fn bytes(&self, range: Range<u64>) -> Result<Cow<'_, [u8]>, UnreadableFiles> {
        match &self.details {
            Details::Here(bytes) => {
                let start = usize::try_from(range.start).ok();
                let end = usize::try_from(range.end).ok();
                let part = start.zip(end).and_then(|(from, to)| bytes.get(from..to));
                part.map(Cow::Borrowed).ok_or(UnreadableFiles)
            }
            Details::Elsewhere(source) => source.read(range).map(Cow::Owned).ok_or(UnreadableFiles),
        }
    }

    /// The error for what is damaged, which is not to be found again.
    fn forgotten(&self) -> UnreadableFiles {
        if let Details::Elsewhere(source) = &self.details {
            source.forget();
        }
        UnreadableFiles
    }
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
