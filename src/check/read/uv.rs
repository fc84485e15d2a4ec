//! `uv.lock`: every package of a workspace, for every environment at once.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr as _;

use pep440_rs::VersionSpecifiers;
use pep508_rs::{MarkerEnvironment, PackageName};
use serde::Deserialize;
use toml::Spanned;

use super::ReadError;
use super::toml_text::Source;
use crate::check::{Entry, Subject, Wanted};

#[derive(Deserialize)]
struct File {
    version: u32,
    #[serde(rename = "requires-python")]
    requires_python: Option<String>,
    #[serde(default)]
    package: Vec<Package>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Package {
    name: Spanned<String>,
    version: Option<Spanned<String>>,
    #[serde(default)]
    source: BTreeMap<String, toml::Value>,
    #[serde(default)]
    resolution_markers: Vec<Spanned<String>>,
    #[serde(default)]
    dependencies: Vec<Dependency>,
    #[serde(default)]
    optional_dependencies: BTreeMap<String, Vec<Dependency>>,
    #[serde(default)]
    dev_dependencies: BTreeMap<String, Vec<Dependency>>,
    sdist: Option<Artifact>,
    #[serde(default)]
    wheels: Vec<Artifact>,
}

#[derive(Deserialize)]
struct Dependency {
    name: Spanned<String>,
    version: Option<String>,
    #[serde(default)]
    extra: Vec<String>,
    marker: Option<Spanned<String>>,
}

#[derive(Deserialize)]
struct Artifact {
    hash: Option<String>,
}

impl Package {
    fn is_own(&self) -> bool {
        ["editable", "virtual", "directory"]
            .iter()
            .any(|kind| self.source.contains_key(*kind))
    }
}

/// Reads `uv.lock`: the packages that an environment reaches from the workspace's own, all
/// their extras and groups included.
///
/// # Errors
///
/// [`ReadError`] where the file is not one that uv writes.
pub fn uv(text: &str, file: &str, markers: &MarkerEnvironment) -> Result<Subject, ReadError> {
    let source = Source { file, text };
    let parsed: File = source.parse()?;
    if parsed.version != 1 {
        return Err(ReadError::at(
            file,
            text,
            0,
            format!(
                "version {} of the format is not known; version 1 is",
                parsed.version
            ),
        ));
    }
    let reached = reached(source, &parsed.package, markers)?;
    let mut entries = Vec::new();
    for (index, package) in parsed.package.iter().enumerate() {
        let name = source.name(&package.name)?;
        let mut active = package.resolution_markers.is_empty();
        for marker in &package.resolution_markers {
            active |= source.marker(marker)?.evaluate(markers, &[]);
        }
        let version = match &package.version {
            Some(version) => Wanted::Exactly(source.version(version)?),
            None => Wanted::Unknown,
        };
        if package.is_own() || !active || !reached.contains(&index) {
            continue;
        }
        let mut entry = Entry::new(name, version);
        entry.line = Some(source.line(package.name.span()));
        entry.indexed = package.source.contains_key("registry");
        let hashed = package.wheels.iter().chain(&package.sdist);
        entry.hashes = entry.indexed.then(|| {
            hashed
                .filter_map(|artifact| artifact.hash.clone())
                .collect()
        });
        entry.index = package
            .source
            .get("registry")
            .and_then(|index| index.as_str().map(str::to_owned));
        entries.push(entry);
    }
    Ok(Subject {
        changed: Vec::new(),
        name: file.to_owned(),
        format: "uv.lock",
        entries,
        requires_python: parsed
            .requires_python
            .and_then(|text| VersionSpecifiers::from_str(&text).ok()),
        complete: true,
    })
}

/// The packages that the workspace's own reach; all, where it has none.
fn reached(
    source: Source<'_>,
    packages: &[Package],
    markers: &MarkerEnvironment,
) -> Result<BTreeSet<usize>, ReadError> {
    let mut by_name: BTreeMap<PackageName, Vec<usize>> = BTreeMap::new();
    for (index, package) in packages.iter().enumerate() {
        by_name
            .entry(source.name(&package.name)?)
            .or_default()
            .push(index);
    }
    let own: Vec<usize> = (0..packages.len())
        .filter(|index| packages[*index].is_own())
        .collect();
    if own.is_empty() {
        return Ok((0..packages.len()).collect());
    }
    let mut reached: BTreeSet<usize> = own.iter().copied().collect();
    // What is waiting: a package, and whether all its extras are wanted.
    let mut waiting: Vec<(usize, Option<String>)> =
        own.iter().map(|index| (*index, None)).collect();
    let mut extras: BTreeSet<(usize, String)> = BTreeSet::new();
    while let Some((index, extra)) = waiting.pop() {
        let package = &packages[index];
        let edges: Vec<&Dependency> = match &extra {
            Some(extra) => package
                .optional_dependencies
                .get(extra)
                .into_iter()
                .flatten()
                .collect(),
            None if package.is_own() => package
                .dependencies
                .iter()
                .chain(package.optional_dependencies.values().flatten())
                .chain(package.dev_dependencies.values().flatten())
                .collect(),
            None => package.dependencies.iter().collect(),
        };
        for edge in edges {
            if let Some(marker) = &edge.marker
                && !source.marker(marker)?.evaluate(markers, &[])
            {
                continue;
            }
            let name = source.name(&edge.name)?;
            for to in by_name.get(&name).into_iter().flatten() {
                let there = packages[*to].version.as_ref().map(Spanned::get_ref);
                if edge.version.is_some() && edge.version.as_ref() != there {
                    continue;
                }
                if reached.insert(*to) {
                    waiting.push((*to, None));
                }
                for extra in &edge.extra {
                    if extras.insert((*to, extra.clone())) {
                        waiting.push((*to, Some(extra.clone())));
                    }
                }
            }
        }
    }
    Ok(reached)
}
