//! Index pages: PEP 503 HTML and PEP 691 JSON, with yanked files (PEP 592),
//! metadata sidecars (PEP 658, PEP 714), sizes and upload times (PEP 700).

mod address;
mod time;

use std::borrow::Cow;

use jiff::Timestamp;
use pep440_rs::Version;
use pep508_rs::PackageName;
use serde::{Deserialize, Serialize};
use url::Url;

pub(super) use self::address::{Address, Addresses};
use super::core_metadata::Shortened;
use super::digests::sha256_of;
use super::filename::FileNames;
use super::files::{Rows, Sidecar, Yank, nanoseconds};
use super::{Digests, FileKind, Files, html, json};

/// One distribution's page on one index.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// The distribution's normalised name.
    pub name: PackageName,
    /// The index the page came from, as a URL without credentials.
    pub index: String,
    /// Every file whose name could be understood; of a page that was read by version, then by
    /// name.
    pub files: Files,
    /// How many links were left out because their names could not be understood
    /// or named another distribution.
    pub skipped: u32,
}

/// One file of a distribution, as its index lists it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    /// The file name, percent-decoded.
    pub filename: String,
    /// The absolute URL, without credentials and without fragment.
    pub url: String,
    /// Hashes by algorithm (`sha256`), hexadecimal, lower case.
    pub hashes: Digests,
    /// Size in bytes, where the index gives it.
    pub size: Option<u64>,
    /// When the file was uploaded, where the index gives it.
    pub upload_time: Option<Timestamp>,
    /// The raw `Requires-Python`, where the index gives it.
    pub requires_python: Option<String>,
    /// Whether the file was yanked, and why.
    pub yanked: Option<Yanked>,
    /// The metadata sidecar that the index offers for the file.
    pub sidecar: Option<CoreMetadataSidecar>,
    /// The version that the file name gives.
    pub version: Version,
    /// What the file name says: a wheel with tags, or a source distribution.
    pub kind: FileKind,
}

/// A file was yanked (PEP 592).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Yanked {
    /// The reason that was given, where one was.
    pub reason: Option<String>,
}

/// A `.metadata` file beside the wheel (PEP 658, PEP 714).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CoreMetadataSidecar {
    /// The sidecar's sha256, hexadecimal, where the index gives it.
    pub sha256: Option<String>,
}

/// A page that cannot be read at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PageError {
    /// The body is not what its content type says.
    #[error("the page of `{name}` is not {expected}: {detail}")]
    Malformed {
        /// The distribution asked for.
        name: PackageName,
        /// What was expected, such as "PEP 691 JSON".
        expected: &'static str,
        /// What is wrong with it.
        detail: String,
    },
    /// The content type is none that mlresolve reads.
    #[error("the page of `{name}` has content type `{content_type}`")]
    ContentType {
        /// The distribution asked for.
        name: PackageName,
        /// The content type as served.
        content_type: String,
    },
}

impl Page {
    /// A page with these files.
    pub fn new(name: PackageName, index: String, files: &[File], skipped: u32) -> Self {
        Self {
            files: Files::new(&name, files),
            name,
            index,
            skipped,
        }
    }

    /// Reads the page of `name` that an index served.
    ///
    /// `page_url` is where the page was found in the end, after redirects: links are relative
    /// to it. `index` is recorded as given, without credentials. A file is left out, and
    /// counted as skipped, where its name is another distribution's, its version is not one
    /// that PEP 440 knows, or its kind is neither wheel nor source distribution.
    ///
    /// # Errors
    ///
    /// [`PageError`] where the page as a whole cannot be read.
    pub fn parse(
        name: &PackageName,
        index: &str,
        page_url: &Url,
        content_type: &str,
        body: &[u8],
    ) -> Result<Self, PageError> {
        Self::read(name, index, page_url, content_type, body, Listing::Project)
    }

    /// Reads the files of `name` off a page that lists files of many distributions
    /// (`--find-links`).
    ///
    /// Files of other distributions are not counted as skipped. The same file name may occur
    /// more than once, in different folders.
    ///
    /// # Errors
    ///
    /// [`PageError`] where the page as a whole cannot be read.
    pub fn parse_find_links(
        name: &PackageName,
        index: &str,
        page_url: &Url,
        content_type: &str,
        body: &[u8],
    ) -> Result<Self, PageError> {
        Self::read(name, index, page_url, content_type, body, Listing::Flat)
    }

    fn read(
        name: &PackageName,
        index: &str,
        page_url: &Url,
        content_type: &str,
        body: &[u8],
        listing: Listing,
    ) -> Result<Self, PageError> {
        let format = Format::of(content_type, body).ok_or_else(|| PageError::ContentType {
            name: name.clone(),
            content_type: content_type.to_owned(),
        })?;
        let mut links = Links {
            rows: Rows::default(),
            names: FileNames::new(name),
            page_url,
            skipped: 0,
        };
        match format {
            Format::Html => html::links(page_url, body, &mut |link| links.take(link)),
            Format::Json => json::links(page_url, body, &mut links),
        }
        .map_err(|detail| PageError::Malformed {
            name: name.clone(),
            expected: format.name(),
            detail,
        })?;
        Ok(Self {
            name: name.clone(),
            index: without_credentials(index),
            files: Files::by_name(name, &links.rows),
            skipped: match listing {
                Listing::Project => links.skipped,
                Listing::Flat => 0,
            },
        })
    }
}

/// The links of one page, as they are read.
pub(super) struct Links<'r, 'p> {
    rows: Rows<'p>,
    names: FileNames<'r>,
    page_url: &'r Url,
    skipped: u32,
}

impl<'p> Links<'_, 'p> {
    /// Takes a link; `None` stands for one that cannot be understood.
    pub(super) fn take(&mut self, link: Option<Link<'p>>) {
        let taken = link.and_then(|link| self.rows.take(link, &mut self.names, self.page_url));
        if taken.is_none() {
            self.skipped = self.skipped.saturating_add(1);
        }
    }

    /// Begins anew.
    pub(super) fn clear(&mut self) {
        self.rows = Rows::default();
        self.skipped = 0;
    }
}

/// No page lists more. The largest pages of the public index list some fifteen thousand files.
pub(super) const MOST_LINKS: usize = 500_000;

pub(super) fn too_many_links() -> String {
    format!("it lists more than {MOST_LINKS} files")
}

/// Whose files a page lists.
#[derive(Clone, Copy)]
enum Listing {
    /// One distribution's.
    Project,
    /// Any.
    Flat,
}

#[derive(Clone, Copy)]
enum Format {
    Html,
    Json,
}

impl Format {
    /// The format that a content type names; where there is none, the body is looked at.
    fn of(content_type: &str, body: &[u8]) -> Option<Self> {
        let media_type = content_type.split(';').next().unwrap_or_default().trim();
        match media_type.to_ascii_lowercase().as_str() {
            "application/vnd.pypi.simple.v1+json"
            | "application/vnd.pypi.simple.latest+json"
            | "application/json" => Some(Self::Json),
            "" if body.trim_ascii_start().starts_with(b"{") => Some(Self::Json),
            "application/vnd.pypi.simple.v1+html"
            | "application/vnd.pypi.simple.latest+html"
            | "application/xhtml+xml"
            | "text/html"
            | "" => Some(Self::Html),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Html => "an HTML index page (PEP 503)",
            Self::Json => "a JSON index page (PEP 691)",
        }
    }
}

/// A link to a file as a page has it, before its name is looked at.
pub(super) struct Link<'p> {
    pub(super) filename: Cow<'p, str>,
    pub(super) url: Address<'p>,
    pub(super) hashes: Hashes,
    pub(super) size: Option<u64>,
    /// When it was uploaded, in nanoseconds since 1970.
    pub(super) uploaded: Option<i64>,
    pub(super) requires_python: Option<Cow<'p, str>>,
    pub(super) yanked: Yank<'p>,
    pub(super) sidecar: Sidecar,
}

/// The hashes that a page gives: known algorithms, and digests of their lengths in hexadecimal;
/// of several of one algorithm the last counts.
#[derive(Default)]
pub(super) struct Hashes {
    /// What nearly every file has.
    pub(super) sha256: Option<[u8; 32]>,
    pub(super) others: Digests,
}

impl Hashes {
    /// The sidecar with these hashes.
    pub(super) fn of_sidecar(&self) -> Sidecar {
        self.sha256.map_or(Sidecar::Unhashed, Sidecar::Hashed)
    }

    /// Adds one, where it is such a hash.
    pub(super) fn add(&mut self, algorithm: &str, digest: &str) {
        const DIGITS: [(&str, usize); 5] = [
            ("md5", 32),
            ("sha1", 40),
            ("sha224", 56),
            ("sha384", 96),
            ("sha512", 128),
        ];
        if algorithm.eq_ignore_ascii_case("sha256") {
            self.sha256 = sha256_of(digest).or(self.sha256);
            return;
        }
        let known = |(known, _): &(&str, usize)| known.eq_ignore_ascii_case(algorithm);
        if let Some((algorithm, digits)) = DIGITS.into_iter().find(known)
            && digest.len() == digits
            && digest.bytes().all(|byte| byte.is_ascii_hexdigit())
        {
            self.others.insert(algorithm, digest.to_ascii_lowercase());
        }
    }
}

/// The last part of a URL's path, percent-decoded; `None` for a folder.
pub(super) fn filename_of(url: &Url) -> Option<String> {
    let encoded = url.path_segments()?.next_back()?;
    let mut decoded = Vec::with_capacity(encoded.len());
    let mut rest = encoded.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let escaped = match after {
            [high, low, ..] if first == b'%' => hex_digit(*high).zip(hex_digit(*low)),
            _ => None,
        };
        if let Some((high, low)) = escaped {
            decoded.push(high << 4 | low);
            rest = &after[2..];
        } else {
            decoded.push(first);
            rest = after;
        }
    }
    String::from_utf8(decoded)
        .ok()
        .filter(|name| !name.is_empty())
}

fn hex_digit(byte: u8) -> Option<u8> {
    char::from(byte)
        .to_digit(16)
        .and_then(|digit| u8::try_from(digit).ok())
}

/// An upload time (PEP 700), in nanoseconds since 1970, held at the ends of 64 bits; one without
/// an offset is taken as UTC.
pub(super) fn uploaded(text: &str) -> Option<i64> {
    time::usual(text).or_else(|| {
        let text = text.trim();
        let read = text.parse::<Timestamp>();
        let read = read.or_else(|_| format!("{text}Z").parse());
        read.ok().map(nanoseconds)
    })
}

/// PEP 629 and PEP 691: a reader of version 1 must refuse another major version.
pub(super) fn check_api_version(version: &str) -> Result<(), String> {
    let major = version.trim().split('.').next().unwrap_or_default();
    if major == "1" {
        Ok(())
    } else {
        Err(format!(
            "it has API version `{}`, and only version 1 can be read",
            Shortened(version)
        ))
    }
}

/// The URL without credentials and without fragment.
pub(super) fn bare(mut url: Url) -> String {
    url.set_fragment(None);
    strip_credentials(&mut url);
    url.into()
}

fn without_credentials(url: &str) -> String {
    match Url::parse(url) {
        Ok(mut parsed) if parsed.password().is_some() || !parsed.username().is_empty() => {
            strip_credentials(&mut parsed);
            parsed.into()
        }
        _ => url.to_owned(),
    }
}

fn strip_credentials(url: &mut Url) {
    // Setting them fails only where a URL cannot have any.
    let _ = url.set_username("");
    let _ = url.set_password(None);
}

impl File {
    /// The sha256, hexadecimal, where the index gives it.
    pub fn sha256(&self) -> Option<&str> {
        self.hashes.get("sha256")
    }
}

#[cfg(test)]
mod tests;
