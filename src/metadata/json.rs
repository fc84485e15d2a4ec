//! JSON index pages (PEP 691, PEP 700).

mod scan;

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{
    DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use url::Url;

use super::files::{Sidecar, Yank};
use super::page::{self, Addresses, Hashes, Link, Links};

/// Gives the links of a JSON page, in page order, one by one.
///
/// A page that is written as indexes write them is scanned; any other is read by the library,
/// which also says what is wrong with it.
///
/// # Errors
///
/// What is wrong with the page, in words.
pub(super) fn links<'p>(
    page_url: &Url,
    body: &'p [u8],
    links: &mut Links<'_, 'p>,
) -> Result<(), String> {
    let each = &mut |link| links.take(link);
    if let Some(meta) = scan::links(Addresses::new(page_url, body.len()), body, each) {
        return check(&meta);
    }
    links.clear();
    let each = &mut |link| links.take(link);
    check(&read(Addresses::new(page_url, body.len()), body, each)?)
}

/// Reads a page with the library; `None` stands for a link that cannot be understood.
fn read<'p>(
    addresses: Addresses<'_>,
    body: &'p [u8],
    each: &mut dyn FnMut(Option<Link<'p>>),
) -> Result<Meta<'p>, String> {
    let mut page = serde_json::Deserializer::from_slice(body);
    page.deserialize_map(Project { addresses, each })
        .and_then(|meta| page.end().map(|()| meta))
        .map_err(|error| error.to_string())
}

fn check(meta: &Meta<'_>) -> Result<(), String> {
    match meta.api_version.text() {
        Some(version) => page::check_api_version(version),
        None => Ok(()),
    }
}

/// Reads a page.
struct Project<'r, 'de> {
    addresses: Addresses<'r>,
    each: &'r mut dyn FnMut(Option<Link<'de>>),
}

impl<'de> Visitor<'de> for Project<'_, 'de> {
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
struct Listed<'l, 'r, 'de>(&'l mut Project<'r, 'de>);

impl<'de> DeserializeSeed<'de> for Listed<'_, '_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Listed<'_, '_, 'de> {
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
    api_version: Value<'a>,
}

/// One file. Whatever a server gets wrong in one field costs that field, not the page.
#[derive(Deserialize, Default)]
#[serde(rename_all = "kebab-case", default)]
struct ProjectFile<'p> {
    #[serde(borrow)]
    filename: Value<'p>,
    #[serde(borrow)]
    url: Value<'p>,
    #[serde(borrow)]
    hashes: Value<'p>,
    #[serde(borrow)]
    size: Value<'p>,
    #[serde(borrow)]
    upload_time: Value<'p>,
    #[serde(borrow)]
    requires_python: Value<'p>,
    #[serde(borrow)]
    yanked: Value<'p>,
    #[serde(borrow)]
    core_metadata: Value<'p>,
    #[serde(borrow)]
    dist_info_metadata: Value<'p>,
}

impl<'p> ProjectFile<'p> {
    fn into_link(self, addresses: &mut Addresses<'_>) -> Option<Link<'p>> {
        let url = addresses.of(self.url.into_text()?)?;
        // PEP 714: the older key counts only where the newer one is absent.
        let core_metadata = match self.core_metadata {
            Value::None | Value::Null => self.dist_info_metadata,
            present => present,
        };
        Some(Link {
            filename: self.filename.into_text()?,
            url,
            hashes: match self.hashes {
                Value::Hashes(hashes) => hashes,
                _ => Hashes::default(),
            },
            size: match self.size {
                Value::Number(size) => Some(size),
                _ => None,
            },
            uploaded: self.upload_time.text().and_then(page::uploaded),
            requires_python: self.requires_python.into_text(),
            yanked: match self.yanked {
                Value::Bool(true) => Yank::Unsaid,
                Value::Text(reason) if !reason.is_empty() => Yank::Because(reason),
                _ => Yank::No,
            },
            sidecar: match core_metadata {
                Value::Bool(true) => Sidecar::Unhashed,
                Value::Hashes(hashes) => hashes.of_sidecar(),
                _ => Sidecar::None,
            },
        })
    }
}

/// How much is kept of an object: more than there are algorithms of hashes.
const MOST_ENTRIES: usize = 32;

/// The value of a key; of lists nothing is kept. Text is borrowed from the page.
#[derive(Default)]
enum Value<'p> {
    /// The key is not there.
    #[default]
    None,
    Null,
    Bool(bool),
    Number(u64),
    Text(Cow<'p, str>),
    /// The hashes of an object, and nothing else of it.
    Hashes(Hashes),
    Other,
}

impl<'p> Value<'p> {
    fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    fn into_text(self) -> Option<Cow<'p, str>> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }
}

impl<'de: 'p, 'p> Deserialize<'de> for Value<'p> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue)
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = Value<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok(Value::Number(value))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(Value::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Value::Other)
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Self::Value, E> {
        Ok(Value::Text(Cow::Borrowed(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Self::Value, E> {
        Ok(Value::Text(Cow::Owned(value.to_owned())))
    }

    fn visit_string<E>(self, value: String) -> Result<Self::Value, E> {
        Ok(Value::Text(Cow::Owned(value)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Value::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let (mut hashes, mut count) = (Hashes::default(), 0);
        while let Some((key, value)) = map.next_entry::<Cow<'de, str>, Value>()? {
            if let Value::Text(digest) = value
                && count < MOST_ENTRIES
            {
                hashes.add(&key, &digest);
                count += 1;
            }
        }
        Ok(Value::Hashes(hashes))
    }
}
