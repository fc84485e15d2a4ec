//! The files of a page on their way into columns.
//!
//! A page lists thousands of files that differ in little. Nothing is made of one but a row,
//! which borrows from the page; what files have in common is read once and numbered.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::ops::Range;

use pep440_rs::Version;
use url::Url;

use super::super::filename::{FileNames, NameParts, is_readable_shape};
use super::super::page::{Address, CoreMetadataSidecar, Link};
use super::super::{Digests, File, FileKind, Yanked};
use super::distinct::Distinct;
use super::head::{NO_TIME, is_wheel};

/// Files of one distribution, in the order in which they were given.
#[derive(Default)]
pub(in super::super) struct Rows<'p> {
    pub(super) files: Vec<Row<'p>>,
    /// What the versions' texts say, by their numbers.
    pub(super) versions: Vec<Option<Spelled>>,
    version_texts: Distinct<'p>,
    pub(super) shapes: Distinct<'p>,
    /// Whether shapes can be read, by their numbers.
    readable: Vec<bool>,
    pub(super) pythons: Distinct<'p>,
    pub(super) yanks: Distinct<'p>,
    pub(super) origins: Distinct<'p>,
}

/// A version, and its normalised text.
pub(super) struct Spelled {
    pub(super) version: Version,
    pub(super) text: String,
}

/// One file.
pub(super) struct Row<'p> {
    pub(super) filename: Cow<'p, str>,
    /// Where the shape begins in the file name.
    pub(super) shape_start: usize,
    pub(super) shape: u32,
    pub(super) version: u32,
    pub(super) origin: u32,
    /// The address after its origin.
    pub(super) path: Cow<'p, str>,
    pub(super) sha256: Option<[u8; 32]>,
    /// The other hashes.
    pub(super) hashes: Digests,
    pub(super) size: Option<u64>,
    /// When it was uploaded, in nanoseconds since 1970.
    pub(super) uploaded: i64,
    /// 0 is none, and the numbers follow.
    pub(super) python: u32,
    /// 0 is not yanked, 1 yanked without a reason, and the reasons follow.
    pub(super) yanked: u32,
    pub(super) sidecar: Sidecar,
}

/// Whether a file was yanked.
#[derive(Debug, Default)]
pub(in super::super) enum Yank<'p> {
    #[default]
    No,
    /// Without a reason.
    Unsaid,
    Because(Cow<'p, str>),
}

/// What is said of a file's metadata sidecar.
#[derive(Debug, Default)]
pub(in super::super) enum Sidecar {
    #[default]
    None,
    Unhashed,
    Hashed([u8; 32]),
    /// A digest that is no sha256.
    Text(String),
}

impl Row<'_> {
    /// In the order of file names, and of addresses where these are the same.
    pub(super) fn by_name(&self, other: &Self, origins: &Distinct<'_>) -> Ordering {
        self.filename.cmp(&other.filename).then_with(|| {
            let url =
                |row: &Self| [origins.get(row.origin).unwrap_or_default(), &row.path].concat();
            url(self).cmp(&url(other))
        })
    }
}

impl<'p> Rows<'p> {
    /// Takes a link of the page at this address; `None` where it names no file of the
    /// distribution.
    pub(in super::super) fn take(
        &mut self,
        link: Link<'p>,
        names: &mut FileNames<'_>,
        page_url: &Url,
    ) -> Option<()> {
        if !can_be_written(&link.filename) {
            return None;
        }
        let (origin, path) = self.address(link.url, page_url)?;
        let NameParts { version, shape } = names.parts(&link.filename)?;
        let version = part(&link.filename, version);
        let version = self.version(&version, || version.clone())?;
        let shape_start = shape;
        let shape = part(&link.filename, shape..link.filename.len());
        let shape = self.shape(&shape, || shape.clone())?;
        let python = link
            .requires_python
            .filter(|text| !text.trim().is_empty())
            .map(on_one_line);
        let python = python.map_or(0, |text| self.python(&text, || text.clone()));
        let yanked = match link.yanked {
            Yank::Because(reason) => Yank::Because(on_one_line(reason)),
            other => other,
        };
        let yanked = self.yank(yanked);
        self.files.push(Row {
            shape_start,
            shape,
            version,
            origin,
            path,
            sha256: link.hashes.sha256,
            hashes: link.hashes.others,
            size: link.size,
            uploaded: link.uploaded.unwrap_or(NO_TIME),
            python,
            yanked,
            sidecar: link.sidecar,
            filename: link.filename,
        });
        Some(())
    }

    /// Rows of these files, and the place of each among them: those whose names have no shape
    /// are left out.
    pub(super) fn of(files: &'p [File]) -> (Self, Vec<u32>) {
        let (mut rows, mut places) = (Self::default(), Vec::with_capacity(files.len()));
        for (place, file) in (0..).zip(files) {
            if rows.take_file(file).is_some() {
                places.push(place);
            }
        }
        (rows, places)
    }

    fn take_file(&mut self, file: &'p File) -> Option<()> {
        let shape_start = shape_of(file)?;
        let shape = file.filename.get(shape_start..)?;
        let (shape, _) = self.shapes.number(shape, || Cow::Borrowed(shape));
        let (origin, path) = file.url.split_at(origin_length(&file.url));
        let (origin, _) = self.origins.number(origin, || Cow::Borrowed(origin));
        let text = file.version.to_string();
        let keep = || Cow::Owned(text.clone());
        let (version, is_new) = self.version_texts.number(&text, keep);
        if is_new {
            let version = file.version.clone();
            self.versions.push(Some(Spelled { version, text }));
        }
        let sha256 = file.sha256().and_then(super::super::bytes_of);
        let mut hashes = file.hashes.clone();
        if sha256.is_some() {
            hashes.remove("sha256");
        }
        let python = file.requires_python.as_deref();
        let python = python.map_or(0, |text| self.python(text, || Cow::Borrowed(text)));
        let yanked = self.yank(match &file.yanked {
            None => Yank::No,
            Some(Yanked { reason: None }) => Yank::Unsaid,
            Some(Yanked {
                reason: Some(reason),
            }) => Yank::Because(Cow::Borrowed(reason)),
        });
        self.files.push(Row {
            filename: Cow::Borrowed(&file.filename),
            shape_start,
            shape,
            version,
            origin,
            path: Cow::Borrowed(path),
            sha256,
            hashes,
            size: file.size,
            uploaded: file.upload_time.map_or(NO_TIME, nanoseconds),
            python,
            yanked,
            sidecar: match &file.sidecar {
                None => Sidecar::None,
                Some(CoreMetadataSidecar { sha256: None }) => Sidecar::Unhashed,
                Some(CoreMetadataSidecar { sha256: Some(text) }) => {
                    match super::super::bytes_of(text) {
                        Some(digest) => Sidecar::Hashed(digest),
                        None => Sidecar::Text(text.clone()),
                    }
                }
            },
        });
        Some(())
    }

    fn address(&mut self, address: Address<'p>, page_url: &Url) -> Option<(u32, Cow<'p, str>)> {
        match address {
            Address::Plain { origin, path } => {
                let keep = || Cow::Owned(origin.to_string());
                Some((self.origins.number(&origin, keep).0, path))
            }
            Address::Parsed(url) => {
                // A page from the network has no say over what is read from the disk.
                let scheme = url.scheme();
                if !matches!(scheme, "http" | "https") && scheme != page_url.scheme() {
                    return None;
                }
                let url = super::super::page::bare(url);
                let (origin, path) = url.split_at(origin_length(&url));
                let keep = || Cow::Owned(origin.to_owned());
                let (origin, _) = self.origins.number(origin, keep);
                Some((origin, Cow::Owned(path.to_owned())))
            }
        }
    }

    fn version(&mut self, text: &str, keep: impl FnOnce() -> Cow<'p, str>) -> Option<u32> {
        let (number, is_new) = self.version_texts.number(text, keep);
        if is_new {
            let version = text.parse::<Version>().ok();
            self.versions.push(version.map(|version| Spelled {
                text: version.to_string(),
                version,
            }));
        }
        self.spelled(number).map(|_| number)
    }

    pub(super) fn spelled(&self, number: u32) -> Option<&Spelled> {
        let version = self.versions.get(usize::try_from(number).ok()?)?;
        version.as_ref()
    }

    fn shape(&mut self, text: &str, keep: impl FnOnce() -> Cow<'p, str>) -> Option<u32> {
        let (number, is_new) = self.shapes.number(text, keep);
        if is_new {
            self.readable.push(is_readable_shape(text));
        }
        let is_readable = self.readable.get(usize::try_from(number).ok()?)?;
        is_readable.then_some(number)
    }

    fn python(&mut self, text: &str, keep: impl FnOnce() -> Cow<'p, str>) -> u32 {
        self.pythons.number(text, keep).0.saturating_add(1)
    }

    fn yank(&mut self, yanked: Yank<'p>) -> u32 {
        match yanked {
            Yank::No => 0,
            Yank::Unsaid => 1,
            Yank::Because(reason) => {
                let (number, _) = self.yanks.number(&reason, || reason.clone());
                number.saturating_add(2)
            }
        }
    }
}

/// A part of a text, borrowed where the text is.
fn part<'p>(text: &Cow<'p, str>, range: Range<usize>) -> Cow<'p, str> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.get(range).unwrap_or_default()),
        Cow::Owned(text) => Cow::Owned(text.get(range).unwrap_or_default().to_owned()),
    }
}

/// Whether a file name may become part of paths and of lines elsewhere.
fn can_be_written(filename: &str) -> bool {
    let is_usual = |byte: u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'/' | b'\\');
    let has_no_place = |it: char| matches!(it, '/' | '\\') || it.is_control();
    filename.bytes().all(is_usual) || !filename.contains(has_no_place)
}

/// The text with spaces for its line ends: it is told within lines.
fn on_one_line(text: Cow<'_, str>) -> Cow<'_, str> {
    let is_usual = |byte: u8| matches!(byte, b' '..=b'~');
    if !text.bytes().all(is_usual)
        && text.contains(|it: char| it.is_whitespace() && it.is_control())
    {
        let words: Vec<&str> = text.split_whitespace().collect();
        return Cow::Owned(words.join(" "));
    }
    text
}

/// An upload time as it is kept.
pub(in super::super) fn nanoseconds(time: jiff::Timestamp) -> i64 {
    let limit = i128::from(NO_TIME) + 1;
    i64::try_from(time.as_nanosecond().max(limit)).unwrap_or(i64::MAX)
}

/// Where the shape begins in a file's name.
fn shape_of(file: &File) -> Option<usize> {
    let name = &file.filename;
    let start = match &file.kind {
        FileKind::Wheel(_) => name.match_indices('-').nth(1).map(|(place, _)| place + 1)?,
        FileKind::Variants(_) => name.rfind('-').map(|place| place + 1)?,
        FileKind::Sdist(sdist) => name.len().checked_sub(sdist.extension.len())?,
    };
    let fits = is_wheel(name.get(start..)?) == matches!(file.kind, FileKind::Wheel(_));
    fits.then_some(start)
}

/// The length of scheme, host and the slash after it.
fn origin_length(url: &str) -> usize {
    let host = url.find("://").map_or(0, |position| position + 3);
    let rest = url.get(host..).unwrap_or_default();
    rest.find('/').map_or(0, |slash| host + slash + 1)
}
