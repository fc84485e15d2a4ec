//! What the cache keeps of a file's metadata: its headers, and what was read from them.

use std::sync::Arc;

use pep440_rs::Version;
use pep508_rs::PackageName;
use serde::{Deserialize, Serialize};

use super::cache::{PartedRecord, Parts};
use super::freshness::Freshness;
use crate::metadata::{DetailSource, Metadata};

/// The version of the program that read the headers: another may read them otherwise.
const READER: &str = env!("CARGO_PKG_VERSION");

/// How reading has changed within a version; one more with each change of what is read.
const READING: u32 = 2;

/// What is kept about a file's metadata.
#[derive(Serialize, Deserialize)]
struct About<'r> {
    freshness: Freshness,
    reader: &'r str,
    reading: u32,
    /// How long the headers are, in bytes.
    headers: u64,
}

/// A record of the cache.
pub(super) struct MetadataRecord {
    pub(super) freshness: Freshness,
    /// What this version of the program read; empty where it was another, or could not.
    packed: Vec<u8>,
    headers: Arc<dyn DetailSource>,
    length: u64,
}

impl MetadataRecord {
    /// The record of headers that just came, and of what was read from them.
    pub(super) fn parts(headers: Vec<u8>, metadata: Option<&Metadata>) -> Option<Parts> {
        let about = About {
            freshness: Freshness::unsaid(),
            reader: READER,
            reading: READING,
            headers: headers.len() as u64,
        };
        Some(Parts {
            about: postcard::to_stdvec(&about).ok()?,
            head: metadata.and_then(Metadata::pack).unwrap_or_default(),
            details: headers,
        })
    }

    pub(super) fn of(record: PartedRecord) -> Option<Self> {
        let about: About<'_> = postcard::from_bytes(&record.about).ok()?;
        let is_ours = about.reader == READER && about.reading == READING;
        Some(Self {
            freshness: about.freshness,
            packed: if is_ours { record.head } else { Vec::new() },
            headers: record.details,
            length: about.headers,
        })
    }

    /// What was read from the headers, where this version did it.
    pub(super) fn metadata(&self, name: &PackageName, version: &Version) -> Option<Metadata> {
        if self.packed.is_empty() {
            return None;
        }
        Metadata::unpack(&self.packed, name, version)
    }

    /// The headers.
    pub(super) fn headers(&self) -> Option<Vec<u8>> {
        self.headers.read(0..self.length)
    }
}
