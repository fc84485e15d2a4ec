//! Snapshots: index facts recorded at an instant, from which a lock can be made with no
//! network.
//!
//! A snapshot is one file: a header that says what it is and where the facts of each
//! distribution lie, then these, each compressed by itself, so that a solve unpacks only
//! what it asks for. Pages are kept whole as to what a solver looks at, which release suits
//! and whether it may be taken. Hashes, sizes and addresses, which do not compress, are kept
//! for the releases whose metadata was asked for: no other can be in a lock.
//!
//! The same facts give the same bytes.

mod format;
mod metadata_text;
mod record;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use jiff::Timestamp;
use pep508_rs::PackageName;
use serde::{Deserialize, Serialize};
use url::Url;

pub use record::{Hosts, Recorder, Recording};

use self::format::{
    BuildSection, DirectSection, Header, MetadataKey, RecordedMetadata, Section, SectionPage,
};
use super::error::{FetchError, without_credentials};
use crate::metadata::{File, Metadata, Page, UnreadableFiles};
use crate::request::{BuildPolicy, DirectUrl};
use crate::solve::{DirectFacts, FactError, Facts};
use crate::variants::VariantsJson;

/// What a snapshot says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// When the facts were recorded.
    pub recorded: Timestamp,
    /// What they were recorded for.
    pub purpose: String,
    /// The program that recorded them, with its version.
    pub program: String,
}

/// Why a snapshot cannot be read or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SnapshotError {
    /// The file cannot be read.
    #[error(transparent)]
    Io(#[from] FetchError),
    /// The file is no snapshot, or damaged.
    #[error("it is no snapshot of mlresolve, or it is damaged")]
    Damaged,
    /// The file has a layout that this version does not read.
    #[error("it has layout {found}, and this version of mlresolve reads layout {known}")]
    Layout {
        /// The layout of the file.
        found: u32,
        /// The layout that is read.
        known: u32,
    },
    /// A fact does not survive being written and read.
    #[error("the metadata of `{name}` {version} cannot be recorded faithfully")]
    Unfaithful {
        /// The distribution.
        name: PackageName,
        /// The release.
        version: String,
    },
    /// The bytes could not be made.
    #[error("the snapshot could not be encoded: {0}")]
    Encode(String),
}

/// One snapshot, at hand.
#[derive(Debug)]
pub struct Snapshot {
    header: Header,
    bytes: Vec<u8>,
    /// Where the sections begin.
    body: usize,
    /// The pages of families' builds, unpacked when one is asked for.
    builds: OnceLock<Result<BuildSection, SnapshotError>>,
}

/// Several snapshots as one source of facts. What an earlier one says counts before what a
/// later one says.
#[derive(Debug)]
pub struct SnapshotFacts {
    snapshots: Vec<Snapshot>,
    /// The default index, under whose name pages of the recorded default are given.
    default_index: String,
    known: Mutex<BTreeMap<PackageName, Arc<Joined>>>,
}

/// What all snapshots together say of one distribution.
#[derive(Debug, Default)]
struct Joined {
    page: Option<Arc<Page>>,
    /// The indexes that were asked, where none has it.
    not_found: Option<Vec<String>>,
    metadata: BTreeMap<MetadataKey, Result<Arc<Metadata>, FactError>>,
    variants: BTreeMap<MetadataKey, Result<Arc<VariantsJson>, FactError>>,
}

impl Snapshot {
    /// Reads a snapshot's bytes; what it holds is unpacked when it is asked for.
    ///
    /// # Errors
    ///
    /// [`SnapshotError::Damaged`] and [`SnapshotError::Layout`].
    pub fn read(bytes: Vec<u8>) -> Result<Self, SnapshotError> {
        let (header, body) = format::read_header(&bytes)?;
        Ok(Self {
            header,
            bytes,
            body,
            builds: OnceLock::new(),
        })
    }

    /// Reads a snapshot file.
    ///
    /// # Errors
    ///
    /// [`SnapshotError`].
    pub fn open(path: &Path) -> Result<Self, SnapshotError> {
        let bytes = std::fs::read(path).map_err(|error| FetchError::io(path, &error))?;
        Self::read(bytes)
    }

    /// What the snapshot says of itself.
    pub fn about(&self) -> &About {
        &self.header.about
    }

    /// The distributions of which it knows something.
    pub fn names(&self) -> impl Iterator<Item = &PackageName> {
        self.header.places.keys()
    }

    /// How many files' metadata it holds.
    pub fn metadata_count(&self) -> u64 {
        self.header.metadata_count
    }

    /// Its size in bytes.
    pub fn size(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn section(&self, name: &PackageName) -> Result<Option<Section>, SnapshotError> {
        match self.header.places.get(name) {
            Some(place) => self.unpack(*place).map(Some),
            None => Ok(None),
        }
    }

    fn directs(&self) -> Result<DirectSection, SnapshotError> {
        self.unpack(self.header.directs)
    }

    /// What was recorded of a distribution's page on the index of a build. What was written
    /// by a version that kept none ends with the direct references.
    fn build(&self, key: &(PackageName, String)) -> Result<Option<SectionPage>, SnapshotError> {
        let builds = self.builds.get_or_init(|| {
            let (offset, length) = self.header.directs;
            let from = offset.checked_add(length).ok_or(SnapshotError::Damaged)?;
            let end = (self.bytes.len() - self.body) as u64;
            match end.checked_sub(from) {
                Some(length) if length > 0 => self.unpack((from, length)),
                _ => Ok(BuildSection::new()),
            }
        });
        let builds = builds.as_ref().map_err(Clone::clone)?;
        Ok(builds.get(key).cloned())
    }

    fn unpack<T: serde::de::DeserializeOwned>(
        &self,
        (offset, length): (u64, u64),
    ) -> Result<T, SnapshotError> {
        let from = usize::try_from(offset)
            .ok()
            .and_then(|offset| offset.checked_add(self.body))
            .ok_or(SnapshotError::Damaged)?;
        let to = usize::try_from(length)
            .ok()
            .and_then(|length| length.checked_add(from))
            .ok_or(SnapshotError::Damaged)?;
        format::unpack(self.bytes.get(from..to).ok_or(SnapshotError::Damaged)?)
    }
}

impl SnapshotFacts {
    /// Facts from snapshots alone. `default_index` is the index that the user's options
    /// make the default; what was recorded of a default index counts as this one's.
    pub fn new(snapshots: Vec<Snapshot>, default_index: &Url) -> Self {
        Self {
            snapshots,
            default_index: without_credentials(default_index).into(),
            known: Mutex::default(),
        }
    }

    /// The snapshots.
    pub fn snapshots(&self) -> &[Snapshot] {
        &self.snapshots
    }

    fn joined(&self, name: &PackageName) -> Result<Arc<Joined>, FactError> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(joined) = known.get(name) {
            return Ok(Arc::clone(joined));
        }
        let mut joined = Joined::default();
        for snapshot in &self.snapshots {
            let section = snapshot
                .section(name)
                .map_err(|error| failed(name, &error))?;
            if let Some(section) = section {
                joined
                    .add(name, section, &self.default_index)
                    .map_err(|error| failed(name, &error))?;
            }
        }
        let joined = Arc::new(joined);
        known.insert(name.clone(), Arc::clone(&joined));
        Ok(joined)
    }
}

impl Joined {
    fn add(
        &mut self,
        name: &PackageName,
        section: Section,
        default_index: &str,
    ) -> Result<(), SnapshotError> {
        match section.page {
            Some(SectionPage::Found(recorded)) => {
                let read = recorded
                    .page(name, default_index)
                    .ok_or(SnapshotError::Damaged)?;
                let page = match &self.page {
                    None => read,
                    Some(page) => add_details(page, &read).map_err(|_| SnapshotError::Damaged)?,
                };
                self.page = Some(Arc::new(page));
            }
            Some(SectionPage::NotFound(asked)) => {
                let named = |index: Option<String>| index.unwrap_or_else(|| default_index.into());
                self.not_found
                    .get_or_insert_with(|| asked.into_iter().map(named).collect());
            }
            None => {}
        }
        for (key, recorded) in section.metadata {
            if key.is_of_variants() {
                let read = || read_variants(recorded);
                self.variants.entry(key).or_insert_with(read);
                continue;
            }
            self.metadata
                .entry(key)
                .or_insert_with(|| metadata_text::read(recorded).map(Arc::new));
        }
        Ok(())
    }
}

/// What labels stand for, as it was recorded.
fn read_variants(recorded: RecordedMetadata) -> Result<Arc<VariantsJson>, FactError> {
    let text = recorded.map_err(FactError::Unusable)?;
    VariantsJson::parse(text.as_bytes())
        .map(Arc::new)
        .map_err(|error| FactError::Failed {
            message: format!("a snapshot cannot be read: {error}"),
            hint: None,
        })
}

/// Fills in the hashes, sizes and addresses that another snapshot has.
fn add_details(page: &Page, other: &Page) -> Result<Page, UnreadableFiles> {
    let mut detailed: BTreeMap<String, File> = other
        .files
        .all()?
        .into_iter()
        .filter(|file| !file.hashes.is_empty() || file.size.is_some())
        .map(|file| (file.filename.clone(), file))
        .collect();
    let mut files = page.files.all()?;
    for file in &mut files {
        if file.hashes.is_empty()
            && let Some(other) = detailed.remove(&file.filename)
        {
            *file = other;
        }
    }
    let (name, index) = (page.name.clone(), page.index.clone());
    Ok(Page::new(name, index, &files, page.skipped))
}

impl Facts for SnapshotFacts {
    fn page(&self, name: &PackageName) -> Result<Arc<Page>, FactError> {
        let joined = self.joined(name)?;
        match (&joined.page, &joined.not_found) {
            (Some(page), _) => Ok(Arc::clone(page)),
            (None, Some(asked)) => Err(FactError::NotFound {
                name: name.clone(),
                asked: asked.clone(),
            }),
            (None, None) => Err(missing(&format!("the page of `{name}`"))),
        }
    }

    fn page_at(&self, name: &PackageName, index: &str) -> Result<Arc<Page>, FactError> {
        let key = (name.clone(), index.to_owned());
        for snapshot in &self.snapshots {
            match snapshot.build(&key).map_err(|error| failed(name, &error))? {
                Some(SectionPage::Found(recorded)) => {
                    let page = recorded.page(name, &self.default_index);
                    let page = page.ok_or_else(|| failed(name, &SnapshotError::Damaged))?;
                    return Ok(Arc::new(page));
                }
                Some(SectionPage::NotFound(asked)) => {
                    let named =
                        |index: Option<String>| index.unwrap_or_else(|| self.default_index.clone());
                    return Err(FactError::NotFound {
                        name: name.clone(),
                        asked: asked.into_iter().map(named).collect(),
                    });
                }
                None => {}
            }
        }
        Err(missing(&format!("the page of `{name}` on `{index}`")))
    }

    fn metadata(
        &self,
        page: &Page,
        file: &File,
        build: BuildPolicy,
    ) -> Result<Arc<Metadata>, FactError> {
        let joined = self.joined(&page.name)?;
        joined
            .metadata
            .get(&MetadataKey::of(file, build))
            .cloned()
            .unwrap_or_else(|| Err(missing(&format!("the metadata of `{}`", file.filename))))
    }

    fn variants(&self, page: &Page, wheels: &[&File]) -> Result<Arc<VariantsJson>, FactError> {
        let joined = self.joined(&page.name)?;
        MetadataKey::of_variants(wheels)
            .and_then(|key| joined.variants.get(&key).cloned())
            .unwrap_or_else(|| Err(missing(&format!("the wheel variants of `{}`", page.name))))
    }

    fn direct(&self, url: &DirectUrl) -> Result<Arc<DirectFacts>, FactError> {
        let key = record::direct_key(url);
        for snapshot in &self.snapshots {
            let mut directs = snapshot.directs().map_err(|error| FactError::Failed {
                message: format!("a snapshot cannot be read: {error}"),
                hint: None,
            })?;
            if let Some(direct) = directs.remove(&key) {
                return direct.facts().map(Arc::new);
            }
        }
        Err(missing(&format!("`{}`", url.given)))
    }
}

fn failed(name: &PackageName, error: &SnapshotError) -> FactError {
    FactError::Failed {
        message: format!("what a snapshot holds of `{name}` cannot be read: {error}"),
        hint: Some("record it anew with `mlresolve snapshot record`".to_owned()),
    }
}

fn missing(what: &str) -> FactError {
    FactError::Failed {
        message: format!("the snapshot does not hold {what}"),
        hint: Some(
            "record a snapshot for this request with `mlresolve snapshot record`, or lock \
             without `--snapshot`"
                .to_owned(),
        ),
    }
}

#[cfg(test)]
mod tests;
