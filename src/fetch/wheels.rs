//! The core metadata of wheels: from the cache, a sidecar, the wheel itself.

use std::sync::Arc;

use pep440_rs::Version;
use pep508_rs::PackageName;
use url::Url;

use super::body::AnswerBody;
use super::cache::{Cache, RecordKind, hashed_key};
use super::client::{Ask, Client};
use super::digest::sha256;
use super::error::FetchError;
use super::metadata_record::MetadataRecord;
use super::pack::Pack;
use super::pack::readings::Readings;
use super::remote_zip::RemoteSource;
use super::tasks::blocking;
use super::wheel_metadata::{METADATA_LIMIT, WheelError, wheel_metadata};
use crate::metadata::{CoreMetadataSidecar, File, Metadata, WheelName};
use crate::solve::{FactError, Unusable};

/// Where the metadata of wheels comes from.
#[derive(Debug, Clone)]
pub struct Wheels {
    /// Asks the servers that hold the files.
    pub client: Client,
    /// Keeps what was learned.
    pub cache: Cache,
    /// What was known before.
    pub pack: Option<Arc<Pack>>,
    /// What was read of that.
    pub(super) readings: Arc<Readings>,
}

impl Wheels {
    /// The metadata of one wheel.
    ///
    /// # Errors
    ///
    /// [`FactError::Unusable`] where the wheel cannot serve, [`FactError::Failed`] where it
    /// could not be asked.
    pub async fn metadata(
        &self,
        file: &File,
        wheel: &WheelName,
    ) -> Result<Arc<Metadata>, FactError> {
        let url = Url::parse(&file.url).map_err(|error| {
            FactError::from(FetchError::Setup(format!(
                "`{}` has an unreadable address: {error}",
                file.filename
            )))
        })?;
        let bytes = self.fetch(&url, file, wheel).await?;
        let headers = headers_of(bytes);
        let wheel = wheel.clone();
        let (headers, metadata) = blocking(move || {
            let metadata = parse(&headers, &wheel.name, &wheel.version);
            (headers, metadata)
        })
        .await;
        if !is_local(file) {
            let read = metadata.clone().ok();
            self.cache
                .write_parts_later(RecordKind::Metadata, key(file), move || {
                    MetadataRecord::parts(headers, read.as_deref())
                });
        }
        metadata
    }

    /// What the pack says of the file, by its sha256 alone. It has no record of its own: a later
    /// run has the pack again, and hundreds of small files cost more to write than to do without.
    /// Where what was read is copied into one file, it is copied too.
    pub(super) fn in_pack(&self, file: &File, wheel: &WheelName) -> Option<Arc<Metadata>> {
        let (pack, sha256) = (self.pack.as_ref()?, file.sha256()?);
        let (name, version) = (&wheel.name, &wheel.version);
        if let Some(read) = self.readings.get(&self.cache, sha256, name, version) {
            self.client.progress().cache_hit();
            return Some(Arc::new(read));
        }
        let metadata = pack.of_wheel(sha256)?;
        // Where it is another's, the wheel is asked itself, and says so.
        if metadata.name != *name || metadata.version != *version {
            return None;
        }
        self.readings.note(sha256, &metadata);
        self.client.progress().cache_hit();
        if !is_local(file) {
            let (pack, sha256, read) = (Arc::clone(pack), sha256.to_owned(), Arc::clone(&metadata));
            let parts = move || MetadataRecord::parts(pack.headers(&sha256)?, Some(&read));
            self.cache
                .copy_made(RecordKind::Metadata, key(file), Box::new(parts));
        }
        Some(metadata)
    }

    /// Whether the pack has it, so that there is nothing to fetch ahead.
    pub(super) fn is_packed(&self, file: &File) -> bool {
        let pack = self.pack.as_ref();
        pack.is_some_and(|pack| file.sha256().is_some_and(|sha256| pack.knows(sha256)))
    }

    /// What the cache has.
    pub(super) fn at_hand(
        &self,
        file: &File,
        wheel: &WheelName,
    ) -> Option<Result<Arc<Metadata>, FactError>> {
        let key = key(file);
        // What a sha256 names never changes, so a copy of what was read of it will do.
        if file.sha256().is_some() && !is_local(file) {
            let copied = self.cache.read_bundled(RecordKind::Metadata, &key);
            let copied = copied.and_then(MetadataRecord::of);
            if let Some(metadata) = copied.and_then(|it| it.metadata(&wheel.name, &wheel.version)) {
                self.client.progress().cache_hit();
                return Some(Ok(Arc::new(metadata)));
            }
        }
        let record = self.record(&key, file)?;
        self.client.progress().cache_hit();
        if let Some(metadata) = record.metadata(&wheel.name, &wheel.version) {
            return Some(Ok(Arc::new(metadata)));
        }
        let headers = record.headers()?;
        Some(parse(&headers, &wheel.name, &wheel.version))
    }

    /// The headers of a wheel's METADATA that the cache has.
    pub(super) fn kept_headers(&self, file: &File) -> Option<Vec<u8>> {
        self.kept(&key(file), file)
    }

    /// What the cache has under a key, as it was fetched.
    pub(super) fn kept(&self, key: &str, file: &File) -> Option<Vec<u8>> {
        self.record(key, file)?.headers()
    }

    /// The record under a key. A file whose index gives no hash may be replaced by another of
    /// the same name, so what was read of it grows stale.
    fn record(&self, key: &str, file: &File) -> Option<MetadataRecord> {
        if is_local(file) {
            return None;
        }
        let record = self.cache.read_parts(RecordKind::Metadata, key);
        let record = record.and_then(MetadataRecord::of)?;
        let usable =
            file.sha256().is_some() || record.freshness.is_fresh() || self.client.offline();
        usable.then_some(record)
    }

    async fn fetch(&self, url: &Url, file: &File, wheel: &WheelName) -> Result<Vec<u8>, FactError> {
        if let Some(sidecar) = &file.sidecar {
            match self.sidecar(url, sidecar).await {
                Ok(Some(bytes)) => return Ok(bytes),
                Ok(None) => {}
                // The same within the wheel makes the release unusable too.
                Err(FetchError::TooLarge { limit, .. }) => {
                    return Err(FactError::Unusable(Unusable::Metadata {
                        detail: format!("its metadata is larger than {limit} bytes"),
                    }));
                }
                Err(error) => return Err(error.into()),
            }
        }
        let source = RemoteSource {
            url: url.clone(),
            size: file.size,
            sha256: file.sha256().map(str::to_owned),
            temporary: self.cache.temporary_folder(),
        };
        wheel_metadata(&self.client, source, wheel)
            .await
            .map_err(|error| match error {
                WheelError::Fetch(error) => error.into(),
                WheelError::Malformed(detail) => FactError::Unusable(Unusable::Metadata {
                    detail: format!("its wheel `{}` cannot be read: {detail}", file.filename),
                }),
            })
    }

    /// The sidecar (PEP 658); `None` where the index offers one and has none.
    async fn sidecar(
        &self,
        url: &Url,
        sidecar: &CoreMetadataSidecar,
    ) -> Result<Option<Vec<u8>>, FetchError> {
        let mut url = url.clone();
        let path = format!("{}.metadata", url.path());
        url.set_path(&path);
        let answer = match self
            .client
            .get(&Ask::new(url.clone(), METADATA_LIMIT))
            .await
        {
            Ok(answer) => answer,
            Err(error) if matches!(error.status(), Some(403 | 404 | 410)) => {
                log::debug!("{error}, though its index offers it: reading the wheel");
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        let AnswerBody::Whole(bytes) = answer.body else {
            return Ok(None);
        };
        let found = sha256(&bytes);
        match &sidecar.sha256 {
            Some(expected) if *expected != found => Err(FetchError::Hash {
                url: (&url).into(),
                expected: expected.clone(),
                found,
            }),
            _ => Ok(Some(bytes)),
        }
    }
}

/// The hash alone would let one index answer for another's file.
fn key(file: &File) -> String {
    hashed_key(&file.url, file.sha256().unwrap_or_default())
}

/// Whether a file lies on this machine: what is read of it is not kept.
pub(super) fn is_local(file: &File) -> bool {
    file.url.starts_with("file:")
}

fn parse(
    headers: &[u8],
    name: &PackageName,
    version: &Version,
) -> Result<Arc<Metadata>, FactError> {
    Metadata::parse(headers, Some((name, version)))
        .map(Arc::new)
        .map_err(|error| {
            FactError::Unusable(Unusable::Metadata {
                detail: error.to_string(),
            })
        })
}

/// The headers of a METADATA file, without the description after the first empty line.
fn headers_of(mut bytes: Vec<u8>) -> Vec<u8> {
    let mut line_start = 0;
    let end = loop {
        let rest = bytes.get(line_start..).unwrap_or_default();
        let Some(length) = rest.iter().position(|byte| *byte == b'\n') else {
            break bytes.len();
        };
        if matches!(rest.get(..length), Some([] | [b'\r'])) {
            break line_start;
        }
        line_start += length + 1;
    };
    bytes.truncate(end);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_description_is_not_kept() {
        for (whole, kept) in [
            (
                "Name: a\nVersion: 1\n\nA text\n\nmore",
                "Name: a\nVersion: 1\n",
            ),
            (
                "Name: a\r\nVersion: 1\r\n\r\nA text",
                "Name: a\r\nVersion: 1\r\n",
            ),
            ("Name: a\nVersion: 1", "Name: a\nVersion: 1"),
            ("\nName: a", ""),
            ("", ""),
        ] {
            assert_eq!(headers_of(whole.into()), kept.as_bytes(), "{whole:?}");
        }
    }
}
