//! What a run has read of the cache, copied into one file.
//!
//! A large stack is some 700 records: a page for each distribution, a record for each file's
//! metadata. To open them one by one is most of what a warm solve costs. So a run that had to
//! open many leaves a *bundle*, which the next one for the same inputs reads at once. It is a
//! copy and decides nothing:
//!
//! - A page's record can be replaced at any moment, by `--refresh` or by another process. Its
//!   copy counts only while the record's file is the one that was copied, told by inode, time
//!   and length, as git tells whether a file has changed. That asks the system once for each
//!   page (a microsecond; to open and read it are ten), and in return nothing has to be kept in
//!   step: there is no counter that a killed process could leave behind the records, and what
//!   was pruned, cleaned or replaced is not found here either. How long a page is fresh stands
//!   in its copy as in its record.
//! - Metadata is copied where its key has the file's sha256. What that names never changes, so
//!   its copy counts by itself.
//! - What the solver found of a page is noted with its copy, and counts as long as that does,
//!   for the build of the program that wrote it.
//! - What is not here is read from its record. The table of a bundle, each head and each part of
//!   details have checksums: what is torn, truncated or damaged is as good as not there.
//!
//! Weighed against it: in LMDB (heed) or redb the records themselves would lie in one file.
//! That would need a lock or a single writer, a compactor, and trust that a page table survives
//! a kill on any file system, for what a copy gives that may be thrown away at any time. A file
//! that is only appended to would grow with each refresh and need its index read anyway.
//!
//! Only the table is read at once; heads and details are read where they are wanted, straight
//! into the place where they are used. (To read all at once would cost a page fault for every
//! 4 KiB of what is copied from there anyway.)

mod layout;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use sha2::{Digest as _, Sha256};

use self::layout::{Entry, Stamp, content};
use super::parts::{Header, Opened, Rest, RestBytes};
use super::{Cache, PartedRecord, Parts, RecordKind};

pub(in super::super) use self::layout::State;
pub(super) use self::layout::{Bundle, is_copied, state_at};

/// So many bundles are kept at most; one that falls on the same place replaces the older, which
/// loses nothing but time.
const PLACES: u8 = 64;

/// A bundle is written anew where more than this part of what a run reads is not in it: to write
/// it costs as much as to open some hundred records.
const MISSING: usize = 16;

/// The bundle of a run, and what the run has read.
pub(super) struct Bundles {
    place: String,
    stamp: Option<Stamp>,
    bundle: OnceLock<Option<Arc<Bundle>>>,
    used: Mutex<Vec<Used>>,
}

impl std::fmt::Debug for Bundles {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bundles")
            .field("place", &self.place)
            .finish_non_exhaustive()
    }
}

/// A record that was used.
struct Used {
    kind: RecordKind,
    key: String,
    /// Its row, where it was in the bundle.
    row: Option<usize>,
    /// Its details, where it was read.
    rest: Option<Arc<Rest>>,
    /// What makes it, where it is no record.
    made: Option<Make>,
}

/// Makes what is copied.
pub(in super::super) type Make = Box<dyn Fn() -> Option<Parts> + Send + Sync>;

impl Bundles {
    fn new(words: &str, program: Option<&str>) -> Self {
        let digest = |text: &str| -> [u8; 32] { Sha256::digest(text).into() };
        let stamp = program.and_then(|program| digest(program).first_chunk().copied());
        // What lies at the place of another run's words is a copy of the same cache.
        let [number, ..] = digest(words);
        Self {
            place: format!("{:02x}", number % PLACES),
            stamp,
            bundle: OnceLock::new(),
            used: Mutex::default(),
        }
    }

    fn used(&self) -> MutexGuard<'_, Vec<Used>> {
        // A panic elsewhere leaves the list whole.
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Cache {
    /// The same cache, where what runs for the same words have read lies together. Where it is
    /// known what tells this build of the program from others, notes are kept too.
    #[must_use]
    pub fn with_bundle(self, words: &str, program: Option<&str>) -> Self {
        if self.is_temporary() {
            return self;
        }
        Self {
            bundles: Some(Arc::new(Bundles::new(words, program))),
            ..self
        }
    }

    /// Whether what is found of a record can be noted with its copy.
    pub(super) fn keeps_notes(&self) -> bool {
        let bundles = self.bundles.as_ref();
        bundles.is_some_and(|bundles| bundles.stamp.is_some())
    }

    fn bundle(&self) -> Option<&Arc<Bundle>> {
        let bundles = self.bundles.as_ref()?;
        let read = || {
            let path = self.path(RecordKind::Bundle, &bundles.place);
            Bundle::open(&path, bundles.stamp).map(Arc::new)
        };
        bundles.bundle.get_or_init(read).as_ref()
    }

    /// The record under a key as far as its first two parts, from the bundle where that has it.
    ///
    /// Of a kind other than a page only where the key names the content, so that the record can
    /// never be another.
    pub(in super::super) fn read_bundled(
        &self,
        kind: RecordKind,
        key: &str,
    ) -> Option<PartedRecord> {
        self.read_copy(kind, key).or_else(|| {
            let (record, rest) = self.read_rest(kind, key)?;
            self.note(kind, key, None, Some(rest));
            Some(record)
        })
    }

    fn read_copy(&self, kind: RecordKind, key: &str) -> Option<PartedRecord> {
        let bundle = self.bundle()?;
        let number = bundle.find(kind, key)?;
        let row = bundle.row(number)?;
        let path = self.path(kind, key);
        if kind == RecordKind::Page && state_at(&path)? != row.state {
            return None;
        }
        let state = row.state;
        let head = bundle.head(&row)?;
        let rest = Arc::new(Rest::new(
            path,
            row.header,
            RestBytes::Bundled(Arc::clone(bundle), number),
            self,
        ));
        let record = PartedRecord {
            about: row.about.to_vec(),
            head,
            details: Arc::clone(&rest) as _,
            state,
        };
        self.note(kind, key, Some(number), Some(rest));
        Some(record)
    }

    /// Notes that a record was read or written.
    pub(super) fn note(
        &self,
        kind: RecordKind,
        key: &str,
        row: Option<usize>,
        rest: Option<Arc<Rest>>,
    ) {
        if let Some(bundles) = &self.bundles
            && matches!(kind, RecordKind::Page | RecordKind::Metadata)
        {
            bundles.used().push(Used {
                kind,
                key: key.to_owned(),
                row,
                rest,
                made: None,
            });
        }
    }

    /// Has something copied that is no record, under a key that names its content. Its details
    /// are not copied.
    pub(in super::super) fn copy_made(&self, kind: RecordKind, key: String, make: Make) {
        if let Some(bundles) = &self.bundles {
            bundles.used().push(Used {
                kind,
                key,
                row: None,
                rest: None,
                made: Some(make),
            });
        }
    }

    /// Writes what was read into one file, where much of it was not in the one that is there.
    pub(in super::super) fn keep_bundle(&self) {
        let Some(bundles) = &self.bundles else {
            return;
        };
        let used = std::mem::take(&mut *bundles.used());
        let is_missing = |used: &&Used| {
            let is_new = |rest: &Arc<Rest>| !rest.ranges().is_empty() || rest.new_note().is_some();
            used.row.is_none() || used.rest.as_ref().is_some_and(is_new)
        };
        let missing = used.iter().filter(is_missing).count();
        if missing * MISSING <= used.len() {
            return;
        }
        let mut entries = BTreeMap::new();
        // What was written after it was read counts as it was written.
        for one in used.iter().rev() {
            let entry = entries
                .entry((one.kind.number(), one.key.as_str()))
                .or_insert_with(|| self.copied(one));
            if let (Some(entry), Some(rest)) = (entry, &one.rest)
                && *rest.header() == entry.opened.header
            {
                for range in rest.ranges() {
                    let bytes = rest.try_read(&range).unwrap_or_default();
                    entry.ranges.insert((range.start, range.end), bytes);
                }
                if let Some(note) = rest.new_note() {
                    entry.note = note;
                }
            }
        }
        if let Some(parts) = content(&entries, bundles.stamp) {
            let path = self.path(RecordKind::Bundle, &bundles.place);
            self.write_all(&path, &parts.each_ref().map(Vec::as_slice));
        }
    }

    /// The record as it was copied before, as it is made, or as it is.
    fn copied(&self, used: &Used) -> Option<Entry> {
        if let Some(copied) = used.row.and_then(|row| self.bundle()?.entry(row)) {
            return Some(copied);
        }
        let opened = match &used.made {
            Some(make) => {
                let parts = make()?;
                Opened {
                    // No file of a record has it.
                    state: State::default(),
                    header: Header::of(&parts)?,
                    about: parts.about,
                    head: parts.head,
                }
            }
            None => self.open_parts(used.kind, &used.key)?.0,
        };
        Some(Entry {
            opened,
            note: Vec::new(),
            ranges: BTreeMap::new(),
        })
    }
}

#[cfg(test)]
mod tests;
