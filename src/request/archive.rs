//! Archives: what is one, and what its file name says of the distribution.

use std::str::FromStr;

use pep440_rs::Version;
use pep508_rs::PackageName;

use super::direct::VERSION_CONTROL;
use super::fault::Fault;
use super::{names, url_text};

/// The endings that pip takes for archives.
const ARCHIVES: &[&str] = &[
    ".whl",
    ".zip",
    ".tar.gz",
    ".tgz",
    ".tar",
    ".tar.bz2",
    ".tbz",
    ".tar.xz",
    ".txz",
    ".tlz",
    ".tar.lz",
    ".tar.lzma",
];

/// Whether a path or URL ends as an archive does.
pub(super) fn is_archive(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    ARCHIVES.iter().any(|ending| text.ends_with(ending))
}

/// Whether a path or URL ends as a wheel does.
pub(super) fn is_wheel(text: &str) -> bool {
    text.to_ascii_lowercase().ends_with(".whl")
}

/// The distribution's name as the file name of an archive's URL gives it.
///
/// A wheel's always does; a source distribution's where it has the form of PEP 625,
/// which archives that code hosts make of branches and tags do not.
pub(super) fn file_name_name(url: &str) -> Result<Option<PackageName>, Fault> {
    if VERSION_CONTROL.iter().any(|scheme| {
        url.strip_prefix(scheme)
            .is_some_and(|rest| rest.starts_with(':'))
    }) {
        return Ok(None);
    }
    let path = url.split(['?', '#']).next().unwrap_or_default();
    let file = url_text::percent_decode(path.rsplit('/').next().unwrap_or_default());
    if let Some(stem) = file.strip_suffix(".whl") {
        return wheel_name(stem).map(Some).ok_or_else(|| {
            Fault::url(
                0..url.len(),
                format!("`{file}` is not the name of a wheel"),
                "a wheel is named NAME-VERSION-PYTHON-ABI-PLATFORM.whl; do not rename it",
            )
        });
    }
    let stem = file.strip_suffix(".tar.gz").or(file.strip_suffix(".zip"));
    let Some(stem) = stem.filter(|_| !path.contains("/archive/") && !path.contains("/zipball/"))
    else {
        return Ok(None);
    };
    Ok(stem
        .split_once('-')
        .filter(|(_, version)| !version.contains('-') && Version::from_str(version).is_ok())
        .and_then(|(name, _)| names::package(name)))
}

fn wheel_name(stem: &str) -> Option<PackageName> {
    let parts: Vec<&str> = stem.split('-').collect();
    let [name, version, ..] = parts.as_slice() else {
        return None;
    };
    // Name, version, build tag (optional), three tags, variant label (PEP 825, optional).
    let fits = (5..=7).contains(&parts.len());
    // Old wheels write `_` for the `-` and `+` of a version.
    let version = Version::from_str(&version.replace('_', "-"));
    (fits && version.is_ok())
        .then(|| names::package(name))
        .flatten()
}
