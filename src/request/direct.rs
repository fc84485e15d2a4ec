//! Lines that say where to take a distribution from: URLs, paths, version control.
//!
//! What is taken for a path or URL, and what for a name, follows pip: a text with a
//! known scheme is a URL; a text with a path separator, or with a leading dot, that is a
//! folder is that folder; a text that ends as an archive does is that file; everything
//! else is a requirement by name.

use std::ops::Range;

use pep508_rs::{ExtraName, MarkerTree, PackageName};
use url::Url;

use super::archive::{file_name_name, is_archive, is_wheel};
use super::fault::{Fault, Problem, Trouble};
use super::folder_name::folder_name;
use super::fragment;
use super::specifier::{Parsed, ParsedSource};
use super::{DirectUrl, LineSource, Sources, marker, specifier, url_text};

/// A requirement as read, before it has a place.
#[derive(Debug, Clone)]
pub(super) struct Reading {
    /// The distribution, where it is known without fetching anything.
    pub(super) name: Option<PackageName>,
    /// Its extras, sorted, without repetition.
    pub(super) extras: Vec<ExtraName>,
    /// Which releases, or from where.
    pub(super) source: ReadSource,
    /// When it is required.
    pub(super) marker: MarkerTree,
    /// Hashes in the URL's fragment.
    pub(super) hashes: Vec<(String, String)>,
}

/// Which releases, or from where.
#[derive(Debug, Clone)]
pub(super) enum ReadSource {
    /// `LineSource::Specifiers`
    Specifiers(pep440_rs::VersionSpecifiers),
    /// A direct reference.
    Direct {
        /// The absolute URL.
        url: String,
        /// The reference as written, in bytes of the text.
        given: Range<usize>,
        /// `#subdirectory=`
        subdirectory: Option<String>,
    },
}

impl ReadSource {
    /// The same as the public type has it; `given_text` looks up what was written.
    pub(super) fn into_line_source(
        self,
        editable: bool,
        given_text: impl FnOnce(Range<usize>) -> String,
    ) -> LineSource {
        match self {
            Self::Specifiers(specifiers) => LineSource::Specifiers(specifiers),
            Self::Direct {
                url,
                given,
                subdirectory,
            } => LineSource::Direct(DirectUrl {
                url,
                given: given_text(given),
                subdirectory,
                editable,
            }),
        }
    }
}

pub(super) const VERSION_CONTROL: &[&str] = &[
    "git+http",
    "git+https",
    "git+ssh",
    "git+git",
    "git+file",
    "hg+http",
    "hg+https",
    "hg+ssh",
    "hg+static-http",
    "hg+file",
    "svn+http",
    "svn+https",
    "svn+ssh",
    "svn+svn",
    "svn+file",
    "bzr+http",
    "bzr+https",
    "bzr+ssh",
    "bzr+sftp",
    "bzr+ftp",
    "bzr+lp",
    "bzr+file",
];

/// Reads one requirement of a requirements file.
pub(super) fn read(text: &str, sources: &dyn Sources) -> Result<Reading, Fault> {
    let is_url = scheme(text).is_some();
    let (head, marker) = split_marker(text, is_url)?;
    let (head, start) = trimmed(head);
    let end = start + head.len();
    let mut reading = if is_url {
        direct(text, start..end, sources)?
    } else if let Some(path) = as_path(text, start..end, sources)? {
        path
    } else {
        by_name(text, start..end, sources)?
    };
    reading.marker = marker;
    Ok(reading)
}

/// Reads the value of `-e`.
pub(super) fn read_editable(text: &str, sources: &dyn Sources) -> Result<Reading, Fault> {
    let (path, extras_start) = split_extras(text);
    if sources.is_dir(path) {
        return folder(text, 0..text.len(), extras_start, sources);
    }
    // pip takes `git://…` here for `git+git://…`; it writes its own name in front.
    let whole = 0..text.len();
    match scheme(text) {
        Some("file") => {
            let reading = direct(text, whole.clone(), sources)?;
            let is_archive = matches!(&reading.source, ReadSource::Direct { url, .. }
                if is_archive(url));
            if is_archive {
                return Err(not_editable(whole, "it is an archive"));
            }
            Ok(reading)
        }
        Some(scheme) if VERSION_CONTROL.contains(&scheme) => {
            let reading = direct(text, whole.clone(), sources)?;
            if reading.name.is_none() {
                return Err(Fault {
                    range: whole,
                    problem: Problem::NotEditable(Trouble::new(
                        "the distribution's name is missing",
                        "add `#egg=NAME` to the URL, or write `-e NAME @ URL`",
                    )),
                });
            }
            Ok(reading)
        }
        Some(_) => Err(not_editable(whole, "it is an archive's URL")),
        None if text.contains('@') && text.contains("://") => {
            let reading = by_name(text, 0..text.len(), sources)?;
            match &reading.source {
                ReadSource::Direct { url, .. } if is_editable_url(url) => Ok(reading),
                _ => Err(not_editable(whole, "it is an archive's URL")),
            }
        }
        None if looks_like_path(path) => Err(Fault {
            range: whole,
            problem: Problem::NoSuchPath {
                path: path.to_owned(),
            },
        }),
        None => Err(not_editable(whole, "there is no such folder")),
    }
}

fn is_editable_url(url: &str) -> bool {
    url.split_once(':').is_some_and(|(scheme, _)| {
        VERSION_CONTROL.contains(&scheme) || (scheme == "file" && !is_archive(url))
    })
}

fn not_editable(range: Range<usize>, why: &str) -> Fault {
    Fault {
        range,
        problem: Problem::NotEditable(Trouble::new(
            why,
            "name a project's folder or a version control URL (`git+https://…#egg=NAME`), \
             or take `-e` away",
        )),
    }
}

/// The scheme of a text that is a URL, in lower case; `None` for anything else.
fn scheme(text: &str) -> Option<&'static str> {
    let (before, _) = text.trim_start().split_once(':')?;
    let before = before.to_ascii_lowercase();
    ["http", "https", "file", "ftp"]
        .iter()
        .chain(VERSION_CONTROL)
        .find(|scheme| **scheme == before)
        .copied()
}

/// Splits the marker off. Behind a URL the semicolon needs whitespace beside it; else
/// the first one counts, as for pip.
fn split_marker(text: &str, is_url: bool) -> Result<(&str, MarkerTree), Fault> {
    let position = if is_url {
        text.match_indices(';')
            .map(|(position, _)| position)
            .find(|position| {
                let (before, after) = text.split_at(*position);
                before.ends_with(char::is_whitespace)
                    || after.starts_with("; ")
                    || after.starts_with(";\t")
            })
    } else {
        text.find(';')
    };
    let Some(position) = position else {
        return Ok((text, MarkerTree::TRUE));
    };
    let (head, rest) = text.split_at(position);
    let written = rest.strip_prefix(';').unwrap_or(rest);
    if written.trim().is_empty() {
        return Ok((head, MarkerTree::TRUE));
    }
    let marker = marker::parse(written).map_err(|fault| fault.shifted(position + 1))?;
    Ok((head, marker))
}

fn trimmed(text: &str) -> (&str, usize) {
    let start = text.len() - text.trim_start().len();
    (text.trim(), start)
}

/// Reads a requirement as PEP 508 has it: a name, then versions or `@ URL`.
pub(super) fn read_pep508(text: &str, sources: &dyn Sources) -> Result<Reading, Fault> {
    finish(specifier::parse(text)?, text, 0, sources)
}

/// A requirement by name in a requirements file, where a path is likely to be meant by
/// what is none.
fn by_name(text: &str, range: Range<usize>, sources: &dyn Sources) -> Result<Reading, Fault> {
    let head = text.get(range.clone()).unwrap_or_default();
    let parsed = specifier::parse(head).map_err(|fault| {
        if head.ends_with('\\') {
            return Fault::requirement(
                range.end - 1..range.end,
                "`\\` continues a line only where it is its last character",
                "take away the spaces behind it",
            );
        }
        if let Some(url_like) = unknown_scheme(head) {
            return url_like.shifted(range.start);
        }
        let first = head.split(char::is_whitespace).next().unwrap_or_default();
        if looks_like_path(first) && !head.contains('@') {
            return Fault {
                range: range.clone(),
                problem: Problem::NoSuchPath {
                    path: head.to_owned(),
                },
            };
        }
        fault.shifted(range.start)
    })?;
    finish(parsed, text, range.start, sources)
}

/// Follows the URL of a parsed requirement, which stands at `start` of the text.
fn finish(
    parsed: Parsed,
    text: &str,
    start: usize,
    sources: &dyn Sources,
) -> Result<Reading, Fault> {
    let url = match parsed.what {
        ParsedSource::Specifiers(specifiers) => {
            return Ok(Reading {
                name: Some(parsed.name),
                extras: parsed.extras,
                source: ReadSource::Specifiers(specifiers),
                marker: parsed.marker,
                hashes: Vec::new(),
            });
        }
        ParsedSource::Url(url) => url.start + start..url.end + start,
    };
    let mut reading = direct(text, url.clone(), sources)?;
    // What a wheel or a project is called is sure; an archive may have any file name.
    let sure = matches!(&reading.source, ReadSource::Direct { url, .. }
        if is_wheel(url) || !is_archive(url));
    if let Some(found) = reading.name.filter(|found| sure && *found != parsed.name) {
        return Err(Fault::url(
            url,
            format!("the URL is for `{found}`, the line for `{}`", parsed.name),
            "make the two agree",
        ));
    }
    reading.name = Some(parsed.name);
    reading.extras.extend(parsed.extras);
    reading.extras.sort();
    reading.extras.dedup();
    reading.marker = parsed.marker;
    Ok(reading)
}

/// `git://…`, `git+git@host:…`: nearly a URL that is read.
fn unknown_scheme(head: &str) -> Option<Fault> {
    let whole = 0..head.len();
    if let Some((before, _)) = head.split_once("://") {
        let valid = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
        if before.is_empty() || !before.chars().all(valid) {
            return None;
        }
        let advice = match before {
            "git" | "ssh" => format!("write `git+{before}://…`"),
            _ => "the schemes are `https`, `http`, `file`, and `git+https`, `git+ssh` and \
                  their like for version control"
                .to_owned(),
        };
        return Some(Fault::url(
            0..before.len(),
            format!("`{before}` is no scheme that is read"),
            advice,
        ));
    }
    head.starts_with("git+").then(|| {
        Fault::url(
            whole,
            "it has no `://`",
            "write `git+ssh://git@HOST/OWNER/REPOSITORY.git`",
        )
    })
}

/// What is found at a URL.
fn direct(text: &str, range: Range<usize>, sources: &dyn Sources) -> Result<Reading, Fault> {
    let given = text.get(range.clone()).unwrap_or_default();
    if let Some(space) = given.find(char::is_whitespace) {
        return Err(Fault::url(
            range.start + space..range.end,
            "a URL ends at whitespace, and something follows",
            "write a space as `%20`; put ` ;` before a marker",
        ));
    }
    let Some(scheme) = scheme(given) else {
        return Err(unknown_scheme(given)
            .unwrap_or_else(|| {
                Fault::url(
                    0..given.len(),
                    "expected a URL",
                    "write a path alone on its line (`./folder`), or as `file:///…`",
                )
            })
            .shifted(range.start));
    };
    let (before_fragment, fragment) = given.split_once('#').unwrap_or((given, ""));
    // `file:///folder[extra]`
    let (bare, extras_start) = split_extras(before_fragment);
    let mut extras =
        extras_of(before_fragment, extras_start).map_err(|fault| fault.shifted(range.start))?;
    let fragment = fragment::read(fragment)
        .map_err(|fault| fault.shifted(range.start + before_fragment.len() + 1))?;
    let local = (scheme == "file")
        .then(|| local_path(bare, sources))
        .transpose()
        .map_err(|fault| fault.shifted(range.start))?;
    let url = match &local {
        Some(path) => url_text::from_path(path),
        None => Url::parse(bare)
            .ok()
            .filter(Url::has_host)
            .filter(|_| !bare.contains(":///"))
            .map(String::from),
    };
    let url = url.ok_or_else(|| {
        Fault::url(
            range.clone(),
            "it is not a URL that can be followed",
            "write it as `https://HOST/PATH`; for version control `git+ssh://git@HOST/PATH`",
        )
    })?;
    let (mut name, egg_extras) = fragment.egg.unzip();
    extras.extend(egg_extras.unwrap_or_default());
    extras.sort();
    extras.dedup();
    if let Some(found) = file_name_name(&url).map_err(|fault| Fault {
        range: range.clone(),
        ..fault
    })? {
        name = name.or(Some(found));
    }
    if let Some(path) = local.filter(|path| name.is_none() && sources.is_dir(path)) {
        name = folder_name(&join(&path, fragment.subdirectory.as_deref()), sources);
    }
    Ok(Reading {
        name,
        extras,
        source: ReadSource::Direct {
            url,
            given: range.start..range.start + given.len(),
            subdirectory: fragment.subdirectory,
        },
        marker: MarkerTree::TRUE,
        hashes: fragment.hashes,
    })
}

/// The absolute path of a `file:` URL. Relative ones count from where the program runs.
fn local_path(url: &str, sources: &dyn Sources) -> Result<String, Fault> {
    let path = url_text::to_path(url).ok_or_else(|| {
        Fault::url(
            0..url.len(),
            "a `file:` URL that names another machine",
            "write `file:///PATH` with three slashes",
        )
    })?;
    Ok(sources.absolute(&path))
}

/// A path: a folder, or a file that ends as an archive does.
fn as_path(
    text: &str,
    range: Range<usize>,
    sources: &dyn Sources,
) -> Result<Option<Reading>, Fault> {
    let given = text.get(range.clone()).unwrap_or_default();
    let (path, extras_start) = split_extras(given);
    if looks_like_path(given) && sources.is_dir(path) {
        return folder(text, range, extras_start, sources).map(Some);
    }
    if !is_archive(path) {
        return Ok(None);
    }
    if !sources.is_file(path)
        && let Some((before, _)) = given.split_once('@')
        && !looks_like_path(before)
    {
        // `name @ https://…/file.whl`
        return Ok(None);
    }
    let extras = extras_of(given, extras_start).map_err(|fault| fault.shifted(range.start))?;
    let url = url_text::from_path(&sources.absolute(path)).ok_or_else(|| Fault {
        range: range.clone(),
        problem: Problem::NoSuchPath {
            path: path.to_owned(),
        },
    })?;
    let name = file_name_name(&url).map_err(|fault| Fault {
        range: range.clone(),
        ..fault
    })?;
    Ok(Some(Reading {
        name,
        extras,
        source: ReadSource::Direct {
            url,
            given: range.start..range.start + path.len(),
            subdirectory: None,
        },
        marker: MarkerTree::TRUE,
        hashes: Vec::new(),
    }))
}

/// A project's folder.
fn folder(
    text: &str,
    range: Range<usize>,
    extras_start: Option<usize>,
    sources: &dyn Sources,
) -> Result<Reading, Fault> {
    let given = text.get(range.clone()).unwrap_or_default();
    let path = given
        .get(..extras_start.unwrap_or(given.len()))
        .unwrap_or_default();
    let is_project = ["pyproject.toml", "setup.py", "setup.cfg"]
        .iter()
        .any(|file| sources.is_file(&join(path, Some(file))));
    let fault = |problem| Fault {
        range: range.clone(),
        problem,
    };
    if !is_project {
        return Err(fault(Problem::NotInstallable {
            path: path.to_owned(),
        }));
    }
    let extras = extras_of(given, extras_start).map_err(|fault| fault.shifted(range.start))?;
    let url = url_text::from_path(&sources.absolute(path)).ok_or_else(|| {
        fault(Problem::NoSuchPath {
            path: path.to_owned(),
        })
    })?;
    Ok(Reading {
        name: folder_name(path, sources),
        extras,
        source: ReadSource::Direct {
            url,
            given: range.start..range.start + path.len(),
            subdirectory: None,
        },
        marker: MarkerTree::TRUE,
        hashes: Vec::new(),
    })
}

/// A path inside a folder.
pub(super) fn join(folder: &str, inner: Option<&str>) -> String {
    match inner {
        None => folder.to_owned(),
        Some(inner) if folder.is_empty() => inner.to_owned(),
        Some(inner) => format!("{}/{inner}", folder.trim_end_matches('/')),
    }
}

fn looks_like_path(text: &str) -> bool {
    text.contains(['/', '\\']) || text.starts_with('.')
}

/// Splits `path[extra]`; gives where the bracket stands.
fn split_extras(text: &str) -> (&str, Option<usize>) {
    let found = text
        .strip_suffix(']')
        .and_then(|inner| {
            inner
                .rfind('[')
                .filter(|open| *open > 0 && *open + 1 < inner.len())
        })
        .and_then(|open| Some((text.get(..open)?.trim_end(), open)));
    match found {
        Some((path, open))
            if !text
                .get(open..text.len() - 1)
                .unwrap_or_default()
                .contains(']') =>
        {
            (path, Some(open))
        }
        _ => (text, None),
    }
}

fn extras_of(text: &str, start: Option<usize>) -> Result<Vec<ExtraName>, Fault> {
    let Some(start) = start else {
        return Ok(Vec::new());
    };
    specifier::parse_extras(text.get(start..).unwrap_or_default())
        .map_err(|fault| fault.shifted(start))
}
