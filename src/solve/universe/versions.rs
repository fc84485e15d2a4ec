//! The versions of a universe, each read when it is asked for first.

use std::cell::OnceCell;
use std::ops::Index;

use pep440_rs::Version;

use crate::metadata::Files;

/// The versions of the releases that can be chosen, ascending.
///
/// Most of them are never compared with anything: the page has them in order.
#[derive(Debug, Default)]
pub(crate) struct Versions {
    /// Where those lie that are not read yet.
    files: Option<Files>,
    entries: Vec<Entry>,
}

#[derive(Debug)]
pub(super) struct Entry {
    /// The release's place on the page; none where it is not from one.
    place: Option<u32>,
    version: OnceCell<Version>,
}

impl Versions {
    /// Those of a page, at most so many; none yet.
    pub(super) fn of_page(files: &Files, most: usize) -> Self {
        Self {
            files: Some(files.clone()),
            entries: Vec::with_capacity(most),
        }
    }

    /// One version, that is not from a page.
    pub(super) fn one(version: Version) -> Self {
        Self {
            files: None,
            entries: vec![Entry::of(version)],
        }
    }

    /// Adds the version of the page's release at a place.
    pub(super) fn push_place(&mut self, place: u32) {
        self.entries.push(Entry {
            place: Some(place),
            version: OnceCell::new(),
        });
    }

    /// Adds one among the others that is not from the page.
    pub(super) fn insert(&mut self, index: usize, version: Version) {
        self.entries.insert(index, Entry::of(version));
    }

    /// Takes the entries out, to be given back in part with [`Versions::keep`].
    pub(super) fn take(&mut self) -> Vec<Entry> {
        std::mem::take(&mut self.entries)
    }

    /// Gives one back, at the end.
    pub(super) fn keep(&mut self, entry: Entry) {
        self.entries.push(entry);
    }

    /// The place on the page of the release of this rank.
    pub(super) fn place(&self, index: usize) -> Option<u32> {
        self.entries.get(index)?.place
    }

    pub(super) fn read<'e>(&self, entry: &'e Entry) -> &'e Version {
        entry.version.get_or_init(|| {
            let rows = self.files.as_ref().zip(entry.place);
            let rows = rows.and_then(|(files, place)| files.release(place)?.version.parse().ok());
            // What is written on a page was read before it was written.
            rows.unwrap_or_else(|| Version::new([0_u64]))
        })
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn get(&self, index: usize) -> Option<&Version> {
        self.entries.get(index).map(|entry| self.read(entry))
    }

    pub(crate) fn first(&self) -> Option<&Version> {
        self.get(0)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Version> {
        self.entries.iter().map(|entry| self.read(entry))
    }

    /// The place of a version, or where it would stand.
    pub(super) fn find(&self, version: &Version) -> Result<usize, usize> {
        let compared = |entry: &Entry| self.read(entry).cmp(version);
        self.entries.binary_search_by(compared)
    }
}

impl Index<usize> for Versions {
    type Output = Version;

    fn index(&self, index: usize) -> &Version {
        self.read(&self.entries[index])
    }
}

impl Entry {
    /// The release's place on the page.
    pub(super) fn place(&self) -> Option<u32> {
        self.place
    }

    fn of(version: Version) -> Self {
        Self {
            place: None,
            version: OnceCell::from(version),
        }
    }
}
