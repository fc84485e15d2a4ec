//! JSON index pages (PEP 691, PEP 700).

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use url::Url;

use super::Digests;
use super::page::{self, Addresses, CoreMetadataSidecar, Link, Yanked};

/// The links of a JSON page, in page order; `None` stands for one that cannot be understood.
///
/// # Errors
///
/// What is wrong with the page, in words.
pub(super) fn links(page_url: &Url, body: &[u8]) -> Result<Vec<Option<Link>>, String> {
    let page: Project = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    if let Some(version) = page.meta.api_version.text() {
        page::check_api_version(version)?;
    }
    let mut addresses = Addresses::new(page_url);
    Ok(page
        .files
        .into_iter()
        .map(|file| file.into_link(&mut addresses))
        .collect())
}

#[derive(Deserialize)]
struct Project<'a> {
    #[serde(default, borrow)]
    meta: Meta<'a>,
    #[serde(borrow)]
    files: Vec<ProjectFile<'a>>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
struct Meta<'a> {
    #[serde(default, borrow)]
    api_version: Loose<'a>,
}

/// One file. Whatever a server gets wrong in one field costs that field, not the page.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct ProjectFile<'a> {
    #[serde(default, borrow)]
    filename: Loose<'a>,
    #[serde(default, borrow)]
    url: Loose<'a>,
    #[serde(default, borrow)]
    hashes: Loose<'a>,
    #[serde(default, borrow)]
    size: Loose<'a>,
    #[serde(default, borrow)]
    upload_time: Loose<'a>,
    #[serde(default, borrow)]
    requires_python: Loose<'a>,
    #[serde(default, borrow)]
    yanked: Loose<'a>,
    #[serde(default, borrow)]
    core_metadata: Loose<'a>,
    #[serde(default, borrow)]
    dist_info_metadata: Loose<'a>,
}

impl ProjectFile<'_> {
    fn into_link(self, addresses: &mut Addresses<'_>) -> Option<Link> {
        let url = addresses.of(self.url.text()?)?;
        let filename = self.filename.text()?.to_owned();
        // PEP 714: the older key counts only where the newer one is absent.
        let core_metadata = match self.core_metadata {
            Loose::Absent => self.dist_info_metadata,
            present => present,
        };
        Some(Link {
            filename,
            hashes: self.hashes.hashes(),
            size: match self.size {
                Loose::Number(size) => Some(size),
                _ => None,
            },
            upload_time: self.upload_time.text().and_then(page::upload_time),
            requires_python: self.requires_python.text().map(str::to_owned),
            yanked: match self.yanked {
                Loose::Bool(true) => Some(Yanked { reason: None }),
                Loose::Text(reason) if !reason.is_empty() => Some(Yanked {
                    reason: Some(reason.into_owned()),
                }),
                _ => None,
            },
            sidecar: match core_metadata {
                Loose::Bool(true) => Some(CoreMetadataSidecar { sha256: None }),
                Loose::Map(_) => Some(CoreMetadataSidecar {
                    sha256: core_metadata.hashes().remove("sha256"),
                }),
                _ => None,
            },
            url,
        })
    }
}

/// Any JSON value; of lists nothing is kept. Text is borrowed from the page.
#[derive(Default)]
enum Loose<'a> {
    /// The key is not there, or its value is `null`.
    #[default]
    Absent,
    Bool(bool),
    Number(u64),
    Text(Cow<'a, str>),
    Map(Vec<(Cow<'a, str>, Loose<'a>)>),
    Other,
}

impl Loose<'_> {
    fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    fn hashes(&self) -> Digests {
        let Self::Map(entries) = self else {
            return Digests::new();
        };
        page::hashes(
            entries
                .iter()
                .filter_map(|(algorithm, digest)| Some((algorithm.as_ref(), digest.text()?))),
        )
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Loose<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(LooseVisitor)
    }
}

struct LooseVisitor;

impl<'de> Visitor<'de> for LooseVisitor {
    type Value = Loose<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Loose::Absent)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Loose::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok(Loose::Number(value))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(Loose::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Loose::Other)
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Self::Value, E> {
        Ok(Loose::Text(Cow::Borrowed(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Self::Value, E> {
        Ok(Loose::Text(Cow::Owned(value.to_owned())))
    }

    fn visit_string<E>(self, value: String) -> Result<Self::Value, E> {
        Ok(Loose::Text(Cow::Owned(value)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Loose::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut entries = Vec::new();
        while let Some((Loose::Text(key), value)) = map.next_entry::<Loose, Loose>()? {
            entries.push((key, value));
        }
        Ok(Loose::Map(entries))
    }
}
