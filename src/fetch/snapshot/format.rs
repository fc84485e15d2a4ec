//! The layout of a snapshot file.

use std::collections::BTreeMap;

use jiff::Timestamp;
use pep508_rs::PackageName;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{About, SnapshotError, metadata_text};
use crate::fetch::digest::hexadecimal;
use crate::metadata::{Digests, File, FileKind, Page, Yanked};
use crate::request::BuildPolicy;
use crate::solve::{DirectFacts, FactError, Unusable};

/// The layout of all that follows the magic bytes.
const LAYOUT: u32 = 2;

const MAGIC: [u8; 8] = *b"MLRSNAP\n";

/// How hard is compressed: snapshots are written seldom and kept long.
const LEVEL: i32 = 19;

/// No part of a snapshot unpacks to more than this, in bytes.
const UNPACKED_LIMIT: usize = 256 << 20;

/// The beginning of a snapshot.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Header {
    pub(super) about: About,
    /// Offset, from the header's end, and length of each distribution's section.
    pub(super) places: BTreeMap<PackageName, (u64, u64)>,
    /// Those of the direct references.
    pub(super) directs: (u64, u64),
    pub(super) metadata_count: u64,
}

/// What is known of one distribution.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Section {
    pub(super) page: Option<SectionPage>,
    pub(super) metadata: BTreeMap<MetadataKey, RecordedMetadata>,
}

/// What became of the question for a page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum SectionPage {
    Found(RecordedPage),
    /// No index has it; those that were asked, `None` for the default.
    NotFound(Vec<Option<String>>),
}

/// Whose metadata, and what it depended on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct MetadataKey {
    filename: String,
    /// Whether a build was allowed, for a source distribution.
    build: bool,
}

/// What became of the question for metadata: the text of a METADATA file, or why not.
pub(super) type RecordedMetadata = Result<String, Unusable>;

/// What is known of direct references, by their address.
pub(super) type DirectSection = BTreeMap<String, RecordedDirect>;

/// The pages of families' builds, by the distribution and the index that was asked. It
/// follows all else, and is left out where there are none.
pub(super) type BuildSection = BTreeMap<(PackageName, String), SectionPage>;

/// What was found at a direct reference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct RecordedDirect {
    pub(super) metadata: RecordedMetadata,
    pub(super) file: Option<File>,
    pub(super) commit: Option<String>,
}

/// A page, column by column, which compresses better than file by file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct RecordedPage {
    /// The index; `None` for the default.
    pub(super) index: Option<String>,
    pub(super) skipped: u32,
    /// The file names, each ended by `/`, which no file name has.
    pub(super) filenames: String,
    /// All values of `Requires-Python`.
    pub(super) pythons: Vec<String>,
    /// For each file one more than the place of its `Requires-Python`; 0 for none.
    pub(super) python: Vec<u32>,
    /// For each file the seconds since 1970 at which it was uploaded, less those of the file
    /// before it that has them. The fractions are in [`Detail`].
    pub(super) uploaded: Vec<Option<i64>>,
    /// The files that were yanked, by their places.
    pub(super) yanked: BTreeMap<u32, Yanked>,
    /// More about the files of the releases whose metadata was asked for, by their places.
    pub(super) details: BTreeMap<u32, Detail>,
}

/// What only a lock needs of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Detail {
    pub(super) url: String,
    /// Hexadecimal digests as their bytes, which is half as long.
    pub(super) hashes: BTreeMap<String, Vec<u8>>,
    pub(super) size: Option<u64>,
    pub(super) uploaded: Option<Timestamp>,
}

impl MetadataKey {
    pub(super) fn of(file: &File, build: BuildPolicy) -> Self {
        let is_sdist = matches!(file.kind, FileKind::Sdist(_));
        Self {
            filename: file.filename.clone(),
            build: is_sdist && build != BuildPolicy::Never,
        }
    }

    /// The key of what the labels of a release's wheels stand for; its text is JSON. `None`
    /// where there is no wheel.
    pub(super) fn of_variants(wheels: &[&File]) -> Option<Self> {
        let first = wheels.first()?;
        Some(Self {
            filename: format!("{}{VARIANTS}", first.filename),
            build: false,
        })
    }

    pub(super) fn is_of_variants(&self) -> bool {
        self.filename.strip_suffix(VARIANTS).is_some()
    }
}

/// How the key of what labels stand for ends, after the name of the first labelled wheel.
const VARIANTS: &str = "#variants.json";

impl RecordedPage {
    /// The page that was recorded; `None` where its columns do not fit together. A file
    /// whose address was not recorded gets one that says no more than its name.
    pub(super) fn page(mut self, name: &PackageName, default_index: &str) -> Option<Page> {
        let mut files = Vec::with_capacity(self.python.len());
        let mut clock = 0_i64;
        let filenames = self.filenames.split_terminator('/');
        let rows = filenames.zip(&self.python).zip(&self.uploaded);
        for (place, ((filename, python), uploaded)) in (0_u32..).zip(rows) {
            let kind = FileKind::parse(filename, name).ok()?;
            let detail = self.details.remove(&place);
            let uploaded = match uploaded {
                Some(later) => {
                    clock = clock.checked_add(*later)?;
                    Some(Timestamp::from_second(clock).ok()?)
                }
                None => None,
            };
            let requires_python = match python.checked_sub(1) {
                Some(place) => Some(self.pythons.get(usize::try_from(place).ok()?)?.clone()),
                None => None,
            };
            let mut file = File {
                filename: filename.to_owned(),
                url: String::new(),
                hashes: Digests::new(),
                size: None,
                upload_time: uploaded,
                requires_python,
                yanked: self.yanked.remove(&place),
                sidecar: None,
                version: kind.version().clone(),
                kind,
            };
            match detail {
                Some(detail) => detail.complete(&mut file),
                None => file.url = format!("{EXAMPLE_FILES}{name}/{filename}"),
            }
            files.push(file);
        }
        let fits = files.len() == self.python.len() && files.len() == self.uploaded.len();
        let index = self.index.unwrap_or_else(|| default_index.to_owned());
        fits.then(|| Page::new(name.clone(), index, &files, self.skipped))
    }
}

impl Detail {
    fn complete(self, file: &mut File) {
        let hashes = self.hashes.into_iter();
        file.hashes = hashes
            .map(|(algorithm, digest)| (algorithm, hexadecimal(&digest)))
            .collect();
        file.url = self.url;
        file.size = self.size;
        file.upload_time = self.uploaded;
    }
}

impl RecordedDirect {
    pub(super) fn facts(self) -> Result<DirectFacts, FactError> {
        Ok(DirectFacts {
            metadata: metadata_text::read(self.metadata)?,
            file: self.file,
            commit: self.commit,
        })
    }
}

/// Where files lie whose address was not recorded, or shall not be told.
pub(super) const EXAMPLE_FILES: &str = "https://files.example/";

/// Writes a snapshot.
pub(super) fn write(
    about: About,
    sections: &BTreeMap<PackageName, Section>,
    directs: &DirectSection,
    builds: &BuildSection,
) -> Result<Vec<u8>, SnapshotError> {
    let mut body = Vec::new();
    let mut append = |packed: Vec<u8>| {
        let place = (body.len() as u64, packed.len() as u64);
        body.extend(packed);
        place
    };
    let mut places = BTreeMap::new();
    for (name, section) in sections {
        places.insert(name.clone(), append(pack(section)?));
    }
    let directs = append(pack(directs)?);
    if !builds.is_empty() {
        append(pack(builds)?);
    }
    let metadata = sections
        .values()
        .map(|section| section.metadata.len() as u64);
    let header = pack(&Header {
        about,
        places,
        directs,
        metadata_count: metadata.sum(),
    })?;
    let header_length =
        u32::try_from(header.len()).map_err(|_| SnapshotError::Encode("it is too large".into()))?;
    let mut bytes = MAGIC.to_vec();
    bytes.extend(LAYOUT.to_le_bytes());
    bytes.extend(header_length.to_le_bytes());
    bytes.extend(header);
    bytes.extend(body);
    Ok(bytes)
}

/// Reads the header, and tells where the sections begin.
pub(super) fn read_header(bytes: &[u8]) -> Result<(Header, usize), SnapshotError> {
    let rest = bytes.strip_prefix(&MAGIC).ok_or(SnapshotError::Damaged)?;
    let (layout, rest) = rest.split_first_chunk().ok_or(SnapshotError::Damaged)?;
    let found = u32::from_le_bytes(*layout);
    if found != LAYOUT {
        return Err(SnapshotError::Layout {
            found,
            known: LAYOUT,
        });
    }
    let (length, rest) = rest.split_first_chunk().ok_or(SnapshotError::Damaged)?;
    let length =
        usize::try_from(u32::from_le_bytes(*length)).map_err(|_| SnapshotError::Damaged)?;
    let header = unpack(rest.get(..length).ok_or(SnapshotError::Damaged)?)?;
    Ok((header, bytes.len() - rest.len() + length))
}

fn pack(value: &impl Serialize) -> Result<Vec<u8>, SnapshotError> {
    let encode = |error: &dyn std::fmt::Display| SnapshotError::Encode(error.to_string());
    let plain = postcard::to_stdvec(value).map_err(|error| encode(&error))?;
    let mut compressor = zstd::bulk::Compressor::new(LEVEL).map_err(|error| encode(&error))?;
    compressor
        .include_checksum(true)
        .and_then(|()| compressor.compress(&plain))
        .map_err(|error| encode(&error))
}

pub(super) fn unpack<T: DeserializeOwned>(packed: &[u8]) -> Result<T, SnapshotError> {
    use std::io::Read as _;
    let limit = UNPACKED_LIMIT as u64;
    let mut plain = Vec::new();
    zstd::stream::read::Decoder::with_buffer(packed)
        .and_then(|decoder| decoder.take(limit).read_to_end(&mut plain))
        .map_err(|_| SnapshotError::Damaged)?;
    postcard::from_bytes(&plain).map_err(|_| SnapshotError::Damaged)
}
