//! Index pages: PEP 503 HTML and PEP 691 JSON, with yanked files (PEP 592),
//! metadata sidecars (PEP 658, PEP 714), sizes and upload times (PEP 700).

mod address;

use jiff::Timestamp;
use pep440_rs::Version;
use pep508_rs::PackageName;
use serde::{Deserialize, Serialize};
use url::Url;

pub(super) use self::address::{Address, Addresses};
use super::core_metadata::Shortened;
use super::filename::FileNames;
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
        let mut files = Vec::new();
        let mut names = FileNames::new(name);
        let mut skipped = 0_u32;
        let mut each =
            |link: Option<Link>| match link.and_then(|link| link.into_file(&mut names, page_url)) {
                Some(file) => files.push(file),
                None => skipped = skipped.saturating_add(1),
            };
        match format {
            Format::Html => html::links(page_url, body, &mut each),
            Format::Json => json::links(page_url, body, &mut each),
        }
        .map_err(|detail| PageError::Malformed {
            name: name.clone(),
            expected: format.name(),
            detail,
        })?;
        // In the order in which the public index lists them, so that a page says the same in
        // whatever order another has them.
        files.sort_by(|one: &File, other| {
            let names = || (&one.filename, &one.url).cmp(&(&other.filename, &other.url));
            one.version.cmp(&other.version).then_with(names)
        });
        let skipped = match listing {
            Listing::Project => skipped,
            Listing::Flat => 0,
        };
        let index = without_credentials(index);
        Ok(Self::new(name.clone(), index, &files, skipped))
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
pub(super) struct Link {
    pub(super) filename: String,
    pub(super) url: Address,
    pub(super) hashes: Digests,
    pub(super) size: Option<u64>,
    pub(super) upload_time: Option<Timestamp>,
    pub(super) requires_python: Option<String>,
    pub(super) yanked: Option<Yanked>,
    pub(super) sidecar: Option<CoreMetadataSidecar>,
}

impl Link {
    fn into_file(self, names: &mut FileNames<'_>, page_url: &Url) -> Option<File> {
        let url = match self.url {
            Address::Plain(url) => url,
            Address::Parsed(url) => {
                // A page from the network has no say over what is read from the disk.
                let scheme = url.scheme();
                if !matches!(scheme, "http" | "https") && scheme != page_url.scheme() {
                    return None;
                }
                bare(url)
            }
        };
        // A file name becomes part of paths and of lines elsewhere.
        let has_no_place = |it: char| matches!(it, '/' | '\\') || it.is_control();
        if self.filename.contains(has_no_place) {
            return None;
        }
        let kind = names.kind(&self.filename)?;
        Some(File {
            version: kind.version().clone(),
            kind,
            filename: self.filename,
            url,
            hashes: self.hashes,
            size: self.size,
            upload_time: self.upload_time,
            requires_python: self
                .requires_python
                .filter(|text| !text.trim().is_empty())
                .map(on_one_line),
            yanked: self.yanked.map(|yanked| Yanked {
                reason: yanked.reason.map(on_one_line),
            }),
            sidecar: self.sidecar,
        })
    }
}

/// The text with spaces for its line ends: it is told within lines.
fn on_one_line(text: String) -> String {
    if text.contains(|it: char| it.is_whitespace() && it.is_control()) {
        let words: Vec<&str> = text.split_whitespace().collect();
        return words.join(" ");
    }
    text
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

/// A hash as a page gives it: a known algorithm, and a digest of its length in hexadecimal.
pub(super) fn hash(algorithm: &str, digest: &str) -> Option<(&'static str, String)> {
    // The first is the one that nearly every file has.
    const DIGITS: [(&str, usize); 6] = [
        ("sha256", 64),
        ("md5", 32),
        ("sha1", 40),
        ("sha224", 56),
        ("sha384", 96),
        ("sha512", 128),
    ];
    let (algorithm, digits) = DIGITS
        .into_iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(algorithm))?;
    let is_digest = digest.len() == digits && digest.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_digest.then(|| (algorithm, digest.to_ascii_lowercase()))
}

/// Hashes as a page gives them; of several of one algorithm the last counts.
pub(super) fn hashes<'h>(pairs: impl Iterator<Item = (&'h str, &'h str)>) -> Digests {
    let mut digests = Digests::new();
    for (algorithm, digest) in pairs {
        if let Some((algorithm, digest)) = hash(algorithm, digest) {
            digests.insert(algorithm, digest);
        }
    }
    digests
}

/// An upload time (PEP 700); one without an offset is taken as UTC.
pub(super) fn upload_time(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    text.parse().or_else(|_| format!("{text}Z").parse()).ok()
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
fn bare(mut url: Url) -> String {
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
