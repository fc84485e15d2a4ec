//! Reading one `[[packages]]` entry of pylock.toml.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use pep440_rs::{Version, VersionSpecifiers};
use pep508_rs::PackageName;

use super::read::{table_of_strings, tool};
use super::selection::plain_marker;
use super::walk::{Fields, Node};
use crate::lock::model::{hashes_of, is_path};
use crate::lock::{LockError, LockedFile, LockedPackage, LockedVariant, Source, Via};
use crate::metadata::{FileHash, FileKind, parse_marker};
use crate::variants::VariantsJson;

/// Reads one entry.
pub(super) fn read_package(table: &Fields<'_>) -> Result<LockedPackage, LockError> {
    let node = table.required("name")?;
    let name: PackageName = node.parse("a name of a distribution")?;
    if name.as_ref().is_empty() {
        return Err(node.error("expected a name of a distribution, found nothing"));
    }
    if node.string()? != name.as_ref() {
        return Err(node.error(format!("the name must be normalised: `{name}`")));
    }
    let version: Option<Version> = table
        .get("version")
        .map(|node| node.parse("a version"))
        .transpose()?;
    let mine = tool(table)?;
    let (source, files) = read_source(table, mine.as_ref(), (&name, version.as_ref()))?;
    let mut package = LockedPackage::new(name, source);
    package.version = version;
    package.marker = table
        .get("marker")
        .map(|node| marker(&node))
        .transpose()?
        .map(ToOwned::to_owned);
    package.requires_python = requires_python(table)?;
    package.dependencies = dependencies(table)?;
    package.hashes = hashes_of(&files);
    package.files = files;
    attestations(table)?;
    let label = match &mine {
        Some(mine) => mine.string("variant")?,
        None => None,
    };
    if let Some(label) = label {
        let document = variants(table)?.map(Arc::new);
        package.variant = Some(LockedVariant { label, document });
    }
    if let Some(mine) = mine {
        trail(&mine, &mut package)?;
    }
    Ok(package)
}

fn requires_python(table: &Fields<'_>) -> Result<Option<String>, LockError> {
    let Some(node) = table.get("requires-python") else {
        return Ok(None);
    };
    node.parse::<VersionSpecifiers>("a set of version specifiers")?;
    node.string().map(|text| Some(text.to_owned()))
}

fn dependencies(table: &Fields<'_>) -> Result<Vec<PackageName>, LockError> {
    let Some(node) = table.get("dependencies") else {
        return Ok(Vec::new());
    };
    let mut names = BTreeSet::new();
    for dependency in node.items()? {
        let name = dependency.fields()?.required("name")?;
        names.insert(name.parse("a name of a distribution")?);
    }
    Ok(names.into_iter().collect())
}

/// What labels stand for; `None` where the file that tells it is only referred to.
fn variants(table: &Fields<'_>) -> Result<Option<VariantsJson>, LockError> {
    let Some(node) = table.get("variants-json") else {
        return Ok(None);
    };
    if node.fields()?.get("variants").is_none() {
        return Ok(None);
    }
    VariantsJson::parse(node.json().to_string().as_bytes())
        .map(Some)
        .map_err(|error| node.error(error.to_string()))
}

fn attestations(table: &Fields<'_>) -> Result<(), LockError> {
    if let Some(node) = table.get("attestation-identities") {
        for identity in node.items()? {
            identity.fields()?.required("kind")?.string()?;
        }
    }
    Ok(())
}

/// Where the package comes from, and its files. It has either files of an index or one
/// direct source.
fn read_source(
    table: &Fields<'_>,
    mine: Option<&Fields<'_>>,
    release: (&PackageName, Option<&Version>),
) -> Result<(Source, Vec<LockedFile>), LockError> {
    let direct = ["vcs", "directory", "archive"];
    let found: Vec<&str> = direct
        .into_iter()
        .filter(|name| table.get(name).is_some())
        .collect();
    let mut files = Vec::new();
    if let Some(node) = table.get("wheels") {
        for wheel in node.items()? {
            files.push(read_file(&wheel, Kind::Wheel, release)?);
        }
    }
    if let Some(node) = table.get("sdist") {
        files.push(read_file(&node, Kind::Sdist, release)?);
    }
    files.sort_by(|a, b| (&a.filename, &a.location).cmp(&(&b.filename, &b.location)));
    let index = table.string("index")?;
    match (found.as_slice(), files.is_empty()) {
        ([], false) => Ok((Source::Index(index), files)),
        (["vcs"], true) => Ok((read_vcs(table, mine)?, files)),
        (["directory"], true) => Ok((read_directory(table, mine)?, files)),
        (["archive"], true) => read_archive(table, mine),
        ([], true) => Err(table.error(
            "it must have `wheels` or `sdist`, or one of `vcs`, `directory` and `archive`",
        )),
        _ => Err(table.error(
            "it must have no more than one of `vcs`, `directory`, `archive`, and `wheels` with `sdist`",
        )),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Wheel,
    Sdist,
}

fn read_file(
    node: &Node<'_>,
    kind: Kind,
    (name, version): (&PackageName, Option<&Version>),
) -> Result<LockedFile, LockError> {
    let table = node.fields()?;
    let location = location(&table)?;
    let filename = match table.string("name")? {
        Some(name) => name,
        None => last_part(&location),
    };
    let fits = FileKind::parse(&filename, name).is_ok_and(|found| {
        let is_kind = match kind {
            Kind::Wheel => matches!(found, FileKind::Wheel(_)),
            Kind::Sdist => matches!(found, FileKind::Sdist(_)),
        };
        is_kind && version.is_none_or(|version| found.version() == version)
    });
    if !fits {
        let release = match version {
            Some(version) => format!("{name} {version}"),
            None => name.to_string(),
        };
        let kind = match kind {
            Kind::Wheel => "wheel",
            Kind::Sdist => "source distribution",
        };
        return Err(node.error(format!("`{filename}` is no {kind} of `{release}`")));
    }
    Ok(LockedFile {
        filename,
        location,
        hashes: read_hashes(&table)?,
        size: table.get("size").map(|node| node.unsigned()).transpose()?,
        upload_time: table
            .get("upload-time")
            .map(|node| node.instant())
            .transpose()?,
    })
}

fn read_vcs(table: &Fields<'_>, mine: Option<&Fields<'_>>) -> Result<Source, LockError> {
    let vcs = table.required("vcs")?.fields()?;
    Ok(Source::Vcs {
        kind: vcs.required("type")?.string()?.to_owned(),
        url: location(&vcs)?,
        requested_revision: vcs.string("requested-revision")?,
        commit: vcs.required("commit-id")?.string()?.to_owned(),
        subdirectory: vcs.string("subdirectory")?,
        editable: match mine.and_then(|mine| mine.get("editable")) {
            Some(node) => node.boolean()?,
            None => false,
        },
    })
}

fn read_directory(table: &Fields<'_>, mine: Option<&Fields<'_>>) -> Result<Source, LockError> {
    let directory = table.required("directory")?.fields()?;
    let path = directory.required("path")?.string()?.to_owned();
    Ok(Source::Directory {
        given: given(mine)?.unwrap_or(path),
        editable: match directory.get("editable") {
            Some(node) => node.boolean()?,
            None => false,
        },
        subdirectory: directory.string("subdirectory")?,
    })
}

fn read_archive(
    table: &Fields<'_>,
    mine: Option<&Fields<'_>>,
) -> Result<(Source, Vec<LockedFile>), LockError> {
    let archive = table.required("archive")?.fields()?;
    let url = location(&archive)?;
    let recorded = match mine {
        Some(mine) => mine.string("filename")?,
        None => None,
    };
    let file = LockedFile {
        filename: recorded.unwrap_or_else(|| last_part(&url)),
        location: url.clone(),
        hashes: read_hashes(&archive)?,
        size: archive
            .get("size")
            .map(|node| node.unsigned())
            .transpose()?,
        upload_time: archive
            .get("upload-time")
            .map(|node| node.instant())
            .transpose()?,
    };
    let source = Source::Archive {
        given: given(mine)?.unwrap_or_else(|| url.clone()),
        url,
        subdirectory: archive.string("subdirectory")?,
    };
    Ok((source, vec![file]))
}

fn given(mine: Option<&Fields<'_>>) -> Result<Option<String>, LockError> {
    mine.map_or(Ok(None), |mine| mine.string("given"))
}

/// The `url`, or the `path` where there is none.
fn location(table: &Fields<'_>) -> Result<String, LockError> {
    match (table.string("url")?, table.string("path")?) {
        (Some(url), _) => Ok(url),
        (None, Some(path)) => Ok(path),
        (None, None) => Err(table.error("it must have a `url` or a `path`")),
    }
}

fn last_part(location: &str) -> String {
    let end = location.rsplit('/').next().unwrap_or_default();
    let end = if is_path(location) {
        end.rsplit('\\').next().unwrap_or_default()
    } else {
        end.split(['?', '#']).next().unwrap_or_default()
    };
    end.to_owned()
}

fn read_hashes(table: &Fields<'_>) -> Result<BTreeMap<String, String>, LockError> {
    let node = table.required("hashes")?;
    let hashes = table_of_strings(&node.fields()?)?;
    if hashes.is_empty() {
        return Err(node.error("it must have at least one hash"));
    }
    Ok(hashes.into_iter().collect())
}

/// The marker as written, checked.
pub(super) fn marker<'a>(node: &Node<'a>) -> Result<&'a str, LockError> {
    let written = node.string()?;
    match parse_marker(&plain_marker(written, &[])) {
        Ok(_) => Ok(written),
        Err(detail) => Err(node.error(format!(
            "`{written}` is not an environment marker: {detail}"
        ))),
    }
}

/// Takes what this program writes under `packages.tool.mlresolve`.
fn trail(mine: &Fields<'_>, package: &mut LockedPackage) -> Result<(), LockError> {
    if let Some(node) = mine.get("extras") {
        for extra in node.items()? {
            package.extras.insert(extra.parse("a name of an extra")?);
        }
    }
    package.via = mine
        .strings("via")?
        .iter()
        .map(|text| Via::parse(text))
        .collect();
    package.rules = mine.strings("rules")?.into_iter().collect();
    package
        .via
        .extend(package.rules.iter().cloned().map(Via::Rule));
    package.left_out = mine.strings("left-out")?.into_iter().collect();
    if let Some(node) = mine.get("hashes") {
        package.hashes.clear();
        for hash in node.items()? {
            let (algorithm, digest) = hash
                .string()?
                .split_once(':')
                .ok_or_else(|| hash.error("expected `algorithm:digest`"))?;
            package.hashes.insert(FileHash::new(algorithm, digest));
        }
    }
    Ok(())
}
