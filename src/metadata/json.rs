//! JSON index pages (PEP 691, PEP 700).

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{
    DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use url::Url;

use super::Digests;
use super::page::{self, Addresses, CoreMetadataSidecar, Link, Yanked};

/// Gives the links of a JSON page, in page order, one by one; `None` stands for one that cannot
/// be understood.
///
/// # Errors
///
/// What is wrong with the page, in words.
pub(super) fn links(
    page_url: &Url,
    body: &[u8],
    each: &mut dyn FnMut(Option<Link>),
) -> Result<(), String> {
    let mut page = serde_json::Deserializer::from_slice(body);
    let reader = Project {
        addresses: Addresses::new(page_url, body.len()),
        each,
    };
    let meta = page
        .deserialize_map(reader)
        .and_then(|meta| page.end().map(|()| meta))
        .map_err(|error| error.to_string())?;
    match meta.api_version.text() {
        Some(version) => page::check_api_version(version),
        None => Ok(()),
    }
}

/// Reads a page.
struct Project<'p> {
    addresses: Addresses<'p>,
    each: &'p mut dyn FnMut(Option<Link>),
}

impl<'de> Visitor<'de> for Project<'_> {
    type Value = Meta<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with the key `files`")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<Self::Value, A::Error> {
        let (mut meta, mut has_files) = (Meta::default(), false);
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            match &*key {
                "files" if has_files => return Err(A::Error::duplicate_field("files")),
                "files" => {
                    map.next_value_seed(Listed(&mut self))?;
                    has_files = true;
                }
                "meta" => meta = map.next_value()?,
                _ => _ = map.next_value::<IgnoredAny>()?,
            }
        }
        if has_files {
            Ok(meta)
        } else {
            Err(A::Error::missing_field("files"))
        }
    }
}

/// Reads the files of a page, none of which is kept.
struct Listed<'r, 'p>(&'r mut Project<'p>);

impl<'de> DeserializeSeed<'de> for Listed<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Listed<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of files")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let Project { addresses, each } = self.0;
        let mut count = 0_usize;
        while let Some(file) = seq.next_element::<ProjectFile>()? {
            count += 1;
            if count > page::MOST_LINKS {
                return Err(A::Error::custom(page::too_many_links()));
            }
            each(file.into_link(addresses));
        }
        Ok(())
    }
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

/// How much is kept of an object: more than there are algorithms of hashes.
const MOST_ENTRIES: usize = 32;

/// Any JSON value; of lists nothing is kept. Text is borrowed from the page.
#[derive(Default)]
enum Loose<'a> {
    /// The key is not there, or its value is `null`.
    #[default]
    Absent,
    Bool(bool),
    Number(u64),
    Text(Cow<'a, str>),
    /// What it says in words.
    Map(Vec<(Cow<'a, str>, Cow<'a, str>)>),
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
                .map(|(algorithm, digest)| (algorithm.as_ref(), digest.as_ref())),
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
            if let Loose::Text(value) = value
                && entries.len() < MOST_ENTRIES
            {
                entries.push((key, value));
            }
        }
        Ok(Loose::Map(entries))
    }
}
