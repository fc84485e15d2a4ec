//! `pdm.lock` and `poetry.lock`, which have much in common.

use std::str::FromStr as _;
use std::sync::Arc;

use pep440_rs::VersionSpecifiers;
use pep508_rs::MarkerTree;
use serde::Deserialize;
use toml::Spanned;

use super::ReadError;
use super::toml_text::Source;
use crate::check::{Entry, Subject, Wanted};
use crate::metadata::{Dependency, Metadata};

#[derive(Deserialize)]
struct File {
    package: Option<Vec<Package>>,
    metadata: Option<Header>,
}

#[derive(Deserialize)]
struct Header {
    #[serde(rename = "python-versions")]
    python_versions: Option<String>,
    requires_python: Option<String>,
    /// pdm writes it with `_`, poetry with `-`.
    #[serde(rename = "lock-version", alias = "lock_version")]
    lock_version: Option<String>,
    /// Before version 2 poetry kept the hashes here.
    files: Option<toml::Table>,
}

#[derive(Deserialize)]
struct Package {
    name: Spanned<String>,
    version: Option<Spanned<String>>,
    /// pdm: a list of requirements; poetry: a table.
    dependencies: Option<toml::Value>,
    marker: Option<Spanned<String>>,
    markers: Option<Spanned<toml::Value>>,
    files: Option<Vec<Artifact>>,
    extras: Option<toml::Value>,
    source: Option<toml::Table>,
    git: Option<String>,
    path: Option<String>,
    url: Option<String>,
}

#[derive(Deserialize)]
struct Artifact {
    hash: Option<String>,
}

/// Reads `pdm.lock`.
///
/// # Errors
///
/// [`ReadError`] where the file is not one that pdm writes.
pub fn pdm(text: &str, file: &str) -> Result<Subject, ReadError> {
    read(text, file, "pdm.lock")
}

/// Reads `poetry.lock`.
///
/// # Errors
///
/// [`ReadError`] where the file is not one that poetry writes.
pub fn poetry(text: &str, file: &str) -> Result<Subject, ReadError> {
    read(text, file, "poetry.lock")
}

fn read(text: &str, file: &str, format: &'static str) -> Result<Subject, ReadError> {
    let source = Source { file, text };
    let parsed: File = source.parse()?;
    let (Some(header), Some(packages)) = (parsed.metadata, parsed.package) else {
        return Err(ReadError::at(
            file,
            text,
            text.len(),
            format!("`[metadata]` or `[[package]]` is missing: this is no whole {format}"),
        ));
    };
    if header.lock_version.is_none() {
        return Err(ReadError::at(
            file,
            text,
            text.len(),
            format!("`[metadata]` has no `lock_version`: this is no whole {format}"),
        ));
    }
    let mut entries = Vec::new();
    for package in &packages {
        entries.extend(entry(source, package, header.files.is_some(), format)?);
    }
    let python = header.requires_python.or(header.python_versions);
    Ok(Subject {
        changed: Vec::new(),
        name: file.to_owned(),
        format,
        entries,
        requires_python: python.and_then(|text| VersionSpecifiers::from_str(&text).ok()),
        complete: true,
    })
}

fn entry(
    source: Source<'_>,
    package: &Package,
    hashes_elsewhere: bool,
    format: &str,
) -> Result<Option<Entry>, ReadError> {
    let name = source.name(&package.name)?;
    // pdm has an entry of its own for a package with extras, beside the plain one.
    if format == "pdm.lock" && package.extras.is_some() {
        return Ok(None);
    }
    let wanted = match &package.version {
        Some(version) => Wanted::Exactly(source.version(version)?),
        None => Wanted::Unknown,
    };
    let mut entry = Entry::new(name, wanted);
    entry.line = Some(source.line(package.name.span()));
    let kind = package
        .source
        .as_ref()
        .and_then(|table| table.get("type")?.as_str());
    let place = package.source.as_ref().and_then(|table| table.get("url"));
    entry.index = place.and_then(|url| url.as_str().map(str::to_owned));
    entry.indexed = matches!(kind, None | Some("legacy"))
        && package.git.is_none()
        && package.path.is_none()
        && package.url.is_none();
    entry.marker = marker(source, package)?;
    if entry.indexed && !hashes_elsewhere {
        let files = package.files.as_deref().unwrap_or_default();
        entry.hashes = Some(files.iter().filter_map(|one| one.hash.clone()).collect());
    }
    if let (Some(toml::Value::Array(dependencies)), Some(version)) =
        (&package.dependencies, entry.version())
    {
        let requires_dist = dependencies
            .iter()
            .filter_map(|text| Some(Dependency::parse(text.as_str()?).ok()?.0))
            .collect();
        entry.metadata = Some(Arc::new(Metadata {
            name: entry.name.clone(),
            version: version.clone(),
            requires_python: None,
            requires_dist,
            provides_extras: crate::metadata::Extras::default(),
            repairs: Vec::new(),
            may_differ: false,
        }));
    }
    Ok(Some(entry))
}

/// The marker: text; or, where poetry has several groups, a table of them, any of which counts.
fn marker(source: Source<'_>, package: &Package) -> Result<MarkerTree, ReadError> {
    if let Some(marker) = &package.marker {
        return source.marker(marker);
    }
    let Some(markers) = &package.markers else {
        return Ok(MarkerTree::TRUE);
    };
    let span = markers.span();
    let texts: Vec<&str> = match markers.get_ref() {
        toml::Value::String(text) => vec![text],
        toml::Value::Table(groups) => groups.values().filter_map(toml::Value::as_str).collect(),
        _ => Vec::new(),
    };
    let mut any = MarkerTree::FALSE;
    for text in texts {
        any.or(source.marker(&Spanned::new(span.clone(), text.to_owned()))?);
    }
    Ok(any)
}
