//! `pylock.toml` (PEP 751), through the lock's own reader.

use std::str::FromStr as _;

use pep440_rs::VersionSpecifiers;
use pep508_rs::MarkerTree;

use super::error::line_of;
use super::python::python_of_pylock;
use crate::check::{Entry, Subject, Wanted};
use crate::lock::{LockError, Source, read_pylock};
use crate::metadata::parse_marker;

/// Reads `pylock.toml`.
///
/// # Errors
///
/// As [`read_pylock`].
pub fn pylock(text: &str, file: &str) -> Result<Subject, LockError> {
    let lock = read_pylock(text, file)?;
    let entries = lock
        .packages
        .iter()
        .map(|package| {
            let wanted = match &package.version {
                Some(version) => Wanted::Exactly(version.clone()),
                None => Wanted::Unknown,
            };
            let mut entry = Entry::new(package.name.clone(), wanted);
            let named = format!("name = \"{}\"", package.name);
            entry.line = text.find(&named).map(|at| line_of(text, at));
            entry.indexed = matches!(package.source, Source::Index(_));
            entry.hashes = entry.indexed.then_some(package.hashes.len());
            entry.marker = package
                .marker
                .as_deref()
                .and_then(|marker| parse_marker(marker).ok())
                .map_or(MarkerTree::TRUE, |(tree, _)| tree);
            entry
        })
        .collect();
    Ok(Subject {
        name: file.to_owned(),
        format: "pylock.toml",
        entries,
        requires_python: python_of_pylock(text).or_else(|| {
            let oldest = format!(">={}", lock.target.python);
            VersionSpecifiers::from_str(&oldest).ok()
        }),
        complete: true,
    })
}
