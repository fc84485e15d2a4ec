//! Lists of a line a distribution: requirements files, and what `pip freeze` prints.

use super::wanted;
use crate::check::{Entry, Subject, Wanted};
use crate::request::{Base, Line, LineSource};

/// What requirement lines hold; `file` is the one that was named.
pub fn requirements(lines: &[Line], file: &str) -> Subject {
    let entries: Vec<Entry> = lines
        .iter()
        .map(|line| {
            let wanted = match &line.source {
                LineSource::Specifiers(specifiers) => wanted(specifiers),
                LineSource::Direct(url) => match line.version_in_url(&url.url) {
                    Some(version) => Wanted::Exactly(version),
                    None => Wanted::Unknown,
                },
            };
            let mut entry = Entry::new(line.name.clone(), wanted);
            entry.marker = line.marker.clone();
            entry.line = Some(line.place.line);
            entry.file = Some(line.place.file.clone());
            entry.indexed = matches!(line.source, LineSource::Specifiers(_));
            let hashes = line.hashes.iter();
            let hashes = hashes.map(|(algorithm, hash)| format!("{algorithm}:{hash}"));
            entry.hashes = entry.indexed.then(|| hashes.collect());
            entry
        })
        .collect();
    Subject {
        changed: Vec::new(),
        name: file.to_owned(),
        format: "requirements",
        // A list in which everything is pinned is what an installer makes of a lock.
        complete: false,
        entries,
        requires_python: None,
    }
}

/// What a base, or the output of `pip freeze`, holds.
pub fn base(base: &Base, format: &'static str) -> Subject {
    let entries = base
        .packages
        .iter()
        .map(|(name, package)| {
            let wanted = match &package.version {
                Some(version) => Wanted::Exactly(version.clone()),
                None => Wanted::Unknown,
            };
            let mut entry = Entry::new(name.clone(), wanted);
            entry.line = Some(package.place.line);
            entry.file = Some(package.place.file.clone());
            entry.indexed = package.url.is_none();
            entry.metadata.clone_from(&package.metadata);
            entry
        })
        .collect();
    Subject {
        changed: Vec::new(),
        name: base.name.clone(),
        format,
        entries,
        requires_python: None,
        complete: true,
    }
}
