//! What the labels of a release's wheels stand for (PEP 825, draft): from the file that the index
//! links, else from one wheel of each label.

use std::sync::Arc;

use url::Url;

use super::body::AnswerBody;
use super::cache::hashed_key;
use super::client::Ask;
use super::digest::sha256;
use super::error::FetchError;
use super::remote_zip::RemoteSource;
use super::wheel_metadata::{METADATA_LIMIT, WheelError, wheel_variant};
use super::wheels::Wheels;
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
    /// What the labels stand for.
    pub(super) async fn variants(&self, told: Told) -> Result<Arc<VariantsJson>, FactError> {
        if let Some(file) = &told.linked
            && let Some(bytes) = self.linked(file).await?
        {
            let document = VariantsJson::parse(&bytes)
                .map_err(|error| unusable(format!("`{}`: {error}", file.filename)))?;
            return Ok(Arc::new(document));
        }
        let mut whole: Option<VariantsJson> = None;
        for file in &told.wheels {
            let FileKind::Wheel(wheel) = &file.kind else {
                continue;
            };
            let label = wheel.variant.as_deref().unwrap_or_default();
            let bytes = self.of_wheel(file, wheel).await?;
            let of_wheel = VariantsJson::parse_of_wheel(&bytes, label);
            let document = of_wheel
                .and_then(|document| match whole.take() {
                    Some(mut known) => known.merge(document).map(|()| known),
                    None => Ok(document),
                })
                .map_err(|error| {
                    unusable(format!("`variant.json` of `{}`: {error}", file.filename))
                })?;
            whole = Some(document);
        }
        whole
            .map(Arc::new)
            .ok_or_else(|| unusable("it has no labelled wheel".to_owned()))
    }

    /// The index's file; `None` where the link leads nowhere. It may change as long as wheels
    /// are added, so that without a hash it is asked for again when it has grown stale.
    async fn linked(&self, file: &File) -> Result<Option<Vec<u8>>, FactError> {
        let url = address(file)?;
        if let Ok(path) = url.to_file_path()
            && url.scheme() == "file"
        {
            return Ok(std::fs::read(path).ok());
        }
        let key = hashed_key(url.as_str(), file.sha256().unwrap_or_default());
        let fetched = self.kept_or(key, file, async {
            let answer = self
                .client
                .get(&Ask::new(url.clone(), METADATA_LIMIT))
                .await?;
            let AnswerBody::Whole(bytes) = answer.body else {
                return Err(FetchError::Nonsense {
                    url: (&url).into(),
                    detail: "it is too large".to_owned(),
                });
            };
            let found = sha256(&bytes);
            match file.sha256() {
                Some(expected) if expected != found => Err(FetchError::Hash {
                    url: (&url).into(),
                    expected: expected.to_owned(),
                    found,
                }),
                _ => Ok(bytes),
            }
        });
        match fetched.await {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if matches!(error.status(), Some(403 | 404 | 410)) => {
                log::debug!("{error}, though its index links it: reading the wheels");
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn of_wheel(&self, file: &File, wheel: &WheelName) -> Result<Vec<u8>, FactError> {
        let url = address(file)?;
        let key = hashed_key(
            &format!("{url}#variant.json"),
            file.sha256().unwrap_or_default(),
        );
        let source = RemoteSource {
            url,
            size: file.size,
            sha256: file.sha256().map(str::to_owned),
            temporary: self.cache.temporary_folder(),
        };
        let fetched = self.kept_or(key, file, wheel_variant(&self.client, source, wheel));
        fetched.await.map_err(|error| match error {
            WheelError::Fetch(error) => error.into(),
            WheelError::Malformed(detail) => unusable(format!(
                "its wheel `{}` cannot be read: {detail}",
                file.filename
            )),
        })
    }
}
