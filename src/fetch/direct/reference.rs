//! What a direct reference says by itself: scheme, hashes, subdirectory, file name.

use std::path::Path;

use super::super::download::{Expected, without_credentials};
use super::super::sdist::unusable;
use super::git;
use crate::metadata::WheelName;
use crate::request::DirectUrl;
use crate::solve::FactError;

/// What the fragment of a URL says: `#sha256=…&subdirectory=…`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Fragment {
    pub(super) hashes: Expected,
    pub(super) subdirectory: Option<String>,
}

impl Fragment {
    pub(super) fn parse(url: &str) -> Self {
        let mut fragment = Self::default();
        let text = url.split_once('#').map_or("", |(_, text)| text);
        for part in text.split('&') {
            match part.split_once('=') {
                Some(("subdirectory", folder)) => {
                    fragment.subdirectory = Some(git::decode(folder));
                }
                Some((name @ ("sha256" | "sha384" | "sha512"), hash)) => {
                    fragment.hashes.insert(name.to_owned(), hash.to_lowercase());
                }
                _ => {}
            }
        }
        fragment
    }
}

/// Hashes of a line, by algorithm.
pub(super) fn by_algorithm(hashes: &[(String, String)]) -> Expected {
    let mut found = Expected::new();
    for (algorithm, hash) in hashes {
        let several = found.entry(algorithm.to_lowercase()).or_default();
        if !several.is_empty() {
            several.push(' ');
        }
        several.push_str(&hash.to_lowercase());
    }
    found
}

/// The last part of a URL's path.
pub(super) fn filename(url: &str) -> String {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    git::decode(path.rsplit('/').next().unwrap_or_default())
}

pub(super) fn is_wheel(filename: &str) -> bool {
    Path::new(filename)
        .extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("whl"))
}

pub(super) fn wheel_name(filename: &str) -> Result<WheelName, FactError> {
    WheelName::parse(filename).map_err(|error| unusable(&error))
}

/// An archive's extension without its leading dot: `tar.gz`, `zip`.
pub(super) fn extension(filename: &str) -> &str {
    let mut dots = filename.rmatch_indices('.').map(|(position, _)| position);
    let last = dots.next().unwrap_or(filename.len());
    let start = dots
        .next()
        .filter(|start| filename.get(*start..last) == Some(".tar"))
        .unwrap_or(last);
    filename.get(start + 1..).unwrap_or_default()
}

/// A folder inside an archive or repository, which must not lead out of it.
pub(super) fn checked_subdirectory(
    reference: &DirectUrl,
    subdirectory: Option<String>,
) -> Result<Option<String>, FactError> {
    let Some(subdirectory) = subdirectory else {
        return Ok(None);
    };
    let leads_out = subdirectory.starts_with('/')
        || subdirectory.contains(['\\', ':', '\0'])
        || subdirectory.split('/').any(|part| part == "..");
    if leads_out {
        return Err(FactError::Failed {
            message: format!(
                "`{}` has the subdirectory `{subdirectory}`, which leads out of it",
                without_credentials(&reference.url)
            ),
            hint: None,
        });
    }
    let plain: Vec<&str> = subdirectory
        .split('/')
        .filter(|part| !part.is_empty() && *part != ".")
        .collect();
    Ok(Some(plain.join("/")).filter(|plain| !plain.is_empty()))
}

pub(super) fn not_understood(reference: &DirectUrl) -> FactError {
    FactError::Failed {
        message: format!("`{}` is no path of this machine", reference.given),
        hint: None,
    }
}

pub(super) fn refused_scheme(reference: &DirectUrl, scheme: &str) -> FactError {
    let url = without_credentials(&reference.url);
    let kind = scheme.split('+').next().unwrap_or_default();
    match kind {
        "hg" | "svn" | "bzr" => FactError::Failed {
            message: format!("`{url}` takes `{kind}`, and mlresolve reads git repositories only"),
            hint: Some(
                "use an archive of that revision (`https://…/name.tar.gz`) or a local folder"
                    .to_owned(),
            ),
        },
        _ => FactError::Failed {
            message: format!("`{url}` has the scheme `{scheme}`, which is not supported"),
            hint: Some("use `https`, `file` or `git+https`".to_owned()),
        },
    }
}
