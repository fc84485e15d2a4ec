//! What the cache keeps of a file's metadata: its headers, and what was read from them. What
//! tells of a file's variant is kept in the same way, and nothing is read from it.

use std::sync::Arc;

use pep440_rs::Version;
use pep508_rs::PackageName;
use serde::{Deserialize, Serialize};

use super::cache::{PartedRecord, Parts, checksum};
use super::freshness::Freshness;
use crate::metadata::{DetailSource, Metadata};

/// The version of the program that read the headers: another may read them otherwise.
const READER: &str = env!("CARGO_PKG_VERSION");

/// How reading has changed within a version; one more with each change of what is read.
const READING: u32 = 3;

/// Which version of the program reads headers, and how.
pub(super) fn reading() -> String {
    format!("{READER} {READING}")
}

/// What is kept about a file's metadata.
#[derive(Serialize, Deserialize)]
struct About<'r> {
    freshness: Freshness,
    reader: &'r str,
    reading: u32,
    /// How long the headers are, in bytes.
    headers: u64,
    /// The checksum of the headers.
    checksum: u32,
}

/// A record of the cache.
pub(super) struct MetadataRecord {
    pub(super) freshness: Freshness,
    /// What this version of the program read; empty where it was another, or could not.
    packed: Vec<u8>,
    headers: Arc<dyn DetailSource>,
    length: u64,
    checksum: u32,
}

impl MetadataRecord {
    /// The record of headers that just came, and of what was read from them.
    pub(super) fn parts(headers: Vec<u8>, metadata: Option<&Metadata>) -> Option<Parts> {
        let about = About {
            freshness: Freshness::unsaid(),
            reader: READER,
            reading: READING,
            headers: headers.len() as u64,
            checksum: checksum(&headers),
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
            checksum: about.checksum,
        })
    }

    /// What was read from the headers, where this version did it.
    pub(super) fn metadata(&self, name: &PackageName, version: &Version) -> Option<Metadata> {
        if self.packed.is_empty() {
            return None;
        }
        Metadata::unpack(&self.packed, name, version)
    }

    /// The headers; where they are damaged the record is forgotten.
    pub(super) fn headers(&self) -> Option<Vec<u8>> {
        let headers = self.headers.read(0..self.length)?;
        if checksum(&headers) == self.checksum {
            return Some(headers);
        }
        self.headers.forget();
        None
    }
}

#[cfg(test)]
mod tests {
    use super::super::cache::{Cache, RecordKind};
    use super::*;

    #[test]
    fn damaged_headers_are_a_miss_and_forgotten() {
        let cache = Cache::temporary().expect("a temporary folder");
        let headers = b"Name: demo\nVersion: 1\nRequires-Dist: numpy<2\n";
        let write = || {
            let parts = MetadataRecord::parts(headers.to_vec(), None).expect("it can be kept");
            cache.write_parts(RecordKind::Metadata, "a/b", &parts);
        };
        let read = || MetadataRecord::of(cache.read_parts(RecordKind::Metadata, "a/b")?);
        write();
        assert_eq!(
            read().and_then(|it| it.headers()).as_deref(),
            Some(&headers[..])
        );
        let path = cache.path(RecordKind::Metadata, "a/b");
        let whole = std::fs::read(&path).expect("it was written");
        for place in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[place] ^= 1;
            std::fs::write(&path, damaged).expect("it can be written");
            assert_eq!(read().and_then(|it| it.headers()), None, "byte {place}");
            if place >= whole.len() - headers.len() {
                assert!(!path.exists(), "byte {place} is damaged for ever");
            }
        }
        write();
        assert!(read().and_then(|it| it.headers()).is_some());
    }
}
