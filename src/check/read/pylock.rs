//! `pylock.toml` (PEP 751), through the lock's own reader.

use std::str::FromStr as _;

use pep440_rs::VersionSpecifiers;
use pep508_rs::MarkerTree;

use super::error::line_of;
use super::python::python_of_pylock;
use crate::check::{Entry, Subject, Wanted};
use crate::lock::{LockError, Source, plain_marker, read_pylock};
use crate::metadata::parse_marker;

/// Reads `pylock.toml`.
///
/// # Errors
///
/// As [`read_pylock`].
pub fn pylock(text: &str, file: &str) -> Result<Subject, LockError> {
    let lock = read_pylock(text, file)?;
    // What is installed where nothing is asked for.
    let groups = default_groups(text);
    let groups: Vec<&str> = groups.iter().map(String::as_str).collect();
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
            let hashes = package.hashes.iter();
            let hashes = hashes.map(ToString::to_string);
            entry.hashes = entry.indexed.then(|| hashes.collect());
            if let Source::Index(index) = &package.source {
                entry.index.clone_from(index);
            }
            entry.marker = package
                .marker
                .as_deref()
                .and_then(|marker| parse_marker(&plain_marker(marker, &groups)).ok())
                .map_or(MarkerTree::TRUE, |(tree, _)| tree);
            entry
        })
        .collect();
    Ok(Subject {
        changed: Vec::new(),
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

/// The `default-groups` of a `pylock.toml`.
fn default_groups(text: &str) -> Vec<String> {
    let table = text.parse::<toml::Table>().unwrap_or_default();
    let groups = table.get("default-groups").and_then(toml::Value::as_array);
    groups
        .into_iter()
        .flatten()
        .filter_map(|group| Some(group.as_str()?.to_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_installed_by_default_is_judged() {
        let package = |name: &str, marker: &str| {
            format!(
                "[[packages]]\nname = \"{name}\"\nversion = \"1\"\nmarker = \"{marker}\"\n\
                 directory = {{ path = \".\" }}\n"
            )
        };
        let text = format!(
            "lock-version = \"1.0\"\ncreated-by = \"x\"\nextras = [\"e\"]\n\
             dependency-groups = [\"g\"]\ndefault-groups = [\"g\"]\n{}{}{}",
            package("a", "'e' in extras"),
            package("b", "'g' in dependency_groups or 'e' in extras"),
            package("c", "'g' not in dependency_groups"),
        );
        let subject = pylock(&text, "pylock.toml").expect("a lock");
        let there: Vec<bool> = subject
            .entries
            .iter()
            .map(|entry| entry.marker.is_true())
            .collect();
        assert_eq!(there, [false, true, false]);
        let wrong = text.replace("'e' in extras\"", "e in extras\"");
        let error = pylock(&wrong, "pylock.toml").expect_err("no marker");
        assert!(error.to_string().contains("packages[0].marker"), "{error}");
    }
}
