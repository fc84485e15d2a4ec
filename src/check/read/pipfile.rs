//! `Pipfile.lock`.

use std::collections::BTreeMap;
use std::str::FromStr as _;

use pep440_rs::{Operator, VersionSpecifiers};
use pep508_rs::PackageName;
use serde::Deserialize;

use super::ReadError;
use super::error::line_of;
use crate::check::{Entry, Subject, Wanted};
use crate::metadata::parse_marker;

#[derive(Deserialize)]
struct File {
    #[serde(rename = "_meta")]
    meta: Meta,
    #[serde(flatten)]
    sections: BTreeMap<String, BTreeMap<String, Package>>,
}

#[derive(Deserialize)]
struct Meta {
    #[serde(rename = "pipfile-spec")]
    spec: u32,
}

#[derive(Deserialize)]
struct Package {
    version: Option<String>,
    markers: Option<String>,
    hashes: Option<Vec<String>>,
}

/// Reads `Pipfile.lock`, all its categories.
///
/// # Errors
///
/// [`ReadError`] where the file is not one that pipenv writes.
pub fn pipfile(text: &str, file: &str) -> Result<Subject, ReadError> {
    let parsed: File = serde_json::from_str(text).map_err(|error| ReadError {
        file: file.to_owned(),
        line: u32::try_from(error.line()).unwrap_or(u32::MAX).max(1),
        detail: error.to_string(),
    })?;
    if parsed.meta.spec != 6 {
        return Err(ReadError::at(
            file,
            text,
            0,
            format!("`pipfile-spec` {} is not known; 6 is", parsed.meta.spec),
        ));
    }
    let mut entries = Vec::new();
    for (section, packages) in &parsed.sections {
        let start = text.find(&format!("\"{section}\"")).unwrap_or_default();
        for (name, package) in packages {
            let at = text
                .get(start..)
                .and_then(|rest| rest.find(&format!("\"{name}\"")))
                .map_or(start, |at| start + at);
            entries.push(entry(name, package, text, file, at)?);
        }
    }
    Ok(Subject {
        changed: Vec::new(),
        name: file.to_owned(),
        format: "Pipfile.lock",
        entries,
        requires_python: None,
        complete: true,
    })
}

fn entry(
    name: &str,
    package: &Package,
    text: &str,
    file: &str,
    at: usize,
) -> Result<Entry, ReadError> {
    let wrong = |detail: String| ReadError::at(file, text, at, detail);
    let parsed = PackageName::from_str(name)
        .ok()
        .filter(|_| !name.is_empty())
        .ok_or_else(|| wrong(format!("`{name}` is no name of a distribution")))?;
    let wanted = match &package.version {
        None => Wanted::Unknown,
        Some(version) if version == "*" => Wanted::Range(VersionSpecifiers::empty()),
        Some(version) => {
            let specifiers = VersionSpecifiers::from_str(version)
                .map_err(|_| wrong(format!("`{version}` is no version of `{name}`")))?;
            wanted(&specifiers)
        }
    };
    let mut entry = Entry::new(parsed, wanted);
    entry.line = Some(line_of(text, at));
    entry.indexed = package.version.is_some();
    entry.hashes = entry
        .indexed
        .then(|| package.hashes.clone().unwrap_or_default());
    if let Some(marker) = &package.markers {
        entry.marker = parse_marker(marker)
            .map(|(tree, _)| tree)
            .map_err(|detail| wrong(format!("`{marker}` is no marker: {detail}")))?;
    }
    Ok(entry)
}

/// What specifiers stand for: one version where they pin it.
pub fn wanted(specifiers: &VersionSpecifiers) -> Wanted {
    exactly(specifiers).unwrap_or_else(|| Wanted::Range(specifiers.clone()))
}

/// The one version of `==1.0` and `===1.0`.
fn exactly(specifiers: &VersionSpecifiers) -> Option<Wanted> {
    let mut all = specifiers.iter();
    match (all.next(), all.next()) {
        (Some(one), None) if matches!(one.operator(), Operator::Equal | Operator::ExactEqual) => {
            Some(Wanted::Exactly(one.version().clone()))
        }
        _ => None,
    }
}
