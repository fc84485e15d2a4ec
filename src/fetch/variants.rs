//! What the labels of a release's wheels stand for (PEP 825, draft): from the file that the index
//! links, else from one wheel of each label.

use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

use url::Url;

use super::body::AnswerBody;
use super::cache::{RecordKind, hashed_key};
use super::client::Ask;
use super::digest::sha256;
use super::error::FetchError;
use super::metadata_record::MetadataRecord;
use super::remote_zip::RemoteSource;
use super::tasks::blocking;
use super::wheel_metadata::{METADATA_LIMIT, WheelError, wheel_variant};
use super::wheels::{Wheels, is_local};
use crate::metadata::{File, FileKind, WheelName};
use crate::solve::{FactError, Unusable};
use crate::variants::VariantsJson;

/// What a release offers to tell its labels by.
#[derive(Debug, Clone)]
pub(super) struct Told {
    /// The file that the index links.
    pub(super) linked: Option<File>,
    /// One wheel of each label.
    pub(super) wheels: Vec<File>,
}

fn unusable(detail: String) -> FactError {
    FactError::Unusable(Unusable::Metadata { detail })
}

fn address(file: &File) -> Result<Url, FactError> {
    Url::parse(&file.url).map_err(|error| {
        FactError::from(FetchError::Setup(format!(
            "`{}` has an unreadable address: {error}",
            file.filename
        )))
    })
}

impl Wheels {
    /// What the labels stand for, where the cache has all that tells of it.
    pub(super) fn variants_at_hand(
        &self,
        told: &Told,
    ) -> Option<Result<Arc<VariantsJson>, FactError>> {
        if let Some(file) = &told.linked {
            let bytes = self.kept(&linked_key(file), file)?;
            if !bytes.is_empty() {
                self.client.progress().cache_hit();
                return Some(of_linked(file, &bytes));
            }
        }
        let wheels = told.wheels.iter().filter(|file| is_wheel(file));
        let documents = wheels
            .map(|file| Some((file, self.kept(&own_key(file), file)?)))
            .collect::<Option<Vec<_>>>()?;
        for _ in &documents {
            self.client.progress().cache_hit();
        }
        Some(of_wheels(documents))
    }

    /// What the labels stand for.
    pub(super) async fn variants(&self, told: Told) -> Result<Arc<VariantsJson>, FactError> {
        if let Some(file) = &told.linked {
            let bytes = self
                .document(linked_key(file), file, self.linked(file))
                .await?;
            if !bytes.is_empty() {
                return of_linked(file, &bytes);
            }
        }
        let mut documents = Vec::new();
        for file in &told.wheels {
            if let FileKind::Wheel(wheel) = &file.kind {
                let fetched = self.of_wheel(file, wheel);
                let bytes = self.document(own_key(file), file, fetched).await?;
                documents.push((file, bytes));
            }
        }
        of_wheels(documents)
    }

    /// What the cache has, else what `fetch` gives, which is kept as metadata is.
    async fn document(
        &self,
        key: String,
        file: &File,
        fetch: impl Future<Output = Result<Vec<u8>, FactError>>,
    ) -> Result<Vec<u8>, FactError> {
        let (wheels, asked, of) = (self.clone(), key.clone(), file.clone());
        if let Some(bytes) = blocking(move || wheels.kept(&asked, &of)).await {
            self.client.progress().cache_hit();
            return Ok(bytes);
        }
        let bytes = fetch.await?;
        if !is_local(file) {
            let content = bytes.clone();
            self.cache
                .write_parts_later(RecordKind::Metadata, key, move || {
                    MetadataRecord::parts(content, None)
                });
        }
        Ok(bytes)
    }

    /// The index's file; nothing where the link leads nowhere. It may change as long as wheels
    /// are added, so that without a hash it is asked for again when it has grown stale.
    async fn linked(&self, file: &File) -> Result<Vec<u8>, FactError> {
        let url = address(file)?;
        if let Ok(path) = url.to_file_path()
            && url.scheme() == "file"
        {
            return blocking(move || read_bounded(&path)).await;
        }
        let answer = match self
            .client
            .get(&Ask::new(url.clone(), METADATA_LIMIT))
            .await
        {
            Ok(answer) => answer,
            Err(error) if matches!(error.status(), Some(403 | 404 | 410)) => {
                log::debug!("{error}, though its index links it: reading the wheels");
                return Ok(Vec::new());
            }
            Err(error) => return Err(error.into()),
        };
        let AnswerBody::Whole(bytes) = answer.body else {
            return Err(too_large(&url).into());
        };
        let found = sha256(&bytes);
        match file.sha256() {
            Some(expected) if expected != found => Err(FetchError::Hash {
                url: (&url).into(),
                expected: expected.to_owned(),
                found,
            }
            .into()),
            _ => Ok(bytes),
        }
    }

    async fn of_wheel(&self, file: &File, wheel: &WheelName) -> Result<Vec<u8>, FactError> {
        let source = RemoteSource {
            url: address(file)?,
            size: file.size,
            sha256: file.sha256().map(str::to_owned),
            temporary: self.cache.temporary_folder(),
        };
        let fetched = wheel_variant(&self.client, source, wheel).await;
        fetched.map_err(|error| match error {
            WheelError::Fetch(error) => error.into(),
            WheelError::Malformed(detail) => unusable(format!(
                "its wheel `{}` cannot be read: {detail}",
                file.filename
            )),
        })
    }
}

/// Where the index's file is kept.
fn linked_key(file: &File) -> String {
    hashed_key(&file.url, file.sha256().unwrap_or_default())
}

/// Where a wheel's own document is kept.
fn own_key(file: &File) -> String {
    let url = format!("{}#variant.json", file.url);
    hashed_key(&url, file.sha256().unwrap_or_default())
}

fn is_wheel(file: &File) -> bool {
    matches!(file.kind, FileKind::Wheel(_))
}

fn too_large(url: &Url) -> FetchError {
    FetchError::Nonsense {
        url: url.into(),
        detail: format!("it is larger than {METADATA_LIMIT} bytes"),
    }
}

/// A file of this machine; nothing where there is none.
fn read_bounded(path: &Path) -> Result<Vec<u8>, FactError> {
    let Ok(file) = std::fs::File::open(path) else {
        return Ok(Vec::new());
    };
    let mut bytes = Vec::new();
    let read = file.take(METADATA_LIMIT + 1).read_to_end(&mut bytes);
    let length = read.map_err(|error| FetchError::io(path, &error))?;
    if length as u64 > METADATA_LIMIT {
        return Err(unusable(format!(
            "`{}` is larger than {METADATA_LIMIT} bytes",
            path.display()
        )));
    }
    Ok(bytes)
}

fn of_linked(file: &File, bytes: &[u8]) -> Result<Arc<VariantsJson>, FactError> {
    VariantsJson::parse(bytes)
        .map(Arc::new)
        .map_err(|error| unusable(format!("`{}`: {error}", file.filename)))
}

/// What the documents of single wheels say together.
fn of_wheels(documents: Vec<(&File, Vec<u8>)>) -> Result<Arc<VariantsJson>, FactError> {
    let mut whole: Option<VariantsJson> = None;
    for (file, bytes) in documents {
        let FileKind::Wheel(wheel) = &file.kind else {
            continue;
        };
        let label = wheel.variant.as_deref().unwrap_or_default();
        let document = VariantsJson::parse_of_wheel(&bytes, label)
            .and_then(|document| match whole.take() {
                Some(mut known) => known.merge(document).map(|()| known),
                None => Ok(document),
            })
            .map_err(|error| unusable(format!("`variant.json` of `{}`: {error}", file.filename)))?;
        whole = Some(document);
    }
    whole
        .map(Arc::new)
        .ok_or_else(|| unusable("it has no labelled wheel".to_owned()))
}
