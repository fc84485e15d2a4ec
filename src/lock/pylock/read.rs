//! Reading pylock.toml, whoever wrote it.
//!
//! Everything that PEP 751 says of a file's shape is checked, with the place in the
//! message. Keys that are not known are passed over, as the specification wants.

use pep440_rs::{Version, VersionSpecifiers};
use toml::de::DeTable;

use super::environment;
use super::package::{marker, read_package};
use super::walk::{Document, Fields};
use crate::lock::{InstallerOptions, Lock, LockError, Provenance, TargetRecord};

/// Reads a lock; `file` is its name in messages.
///
/// # Errors
///
/// [`LockError::Toml`], [`LockError::Malformed`] and [`LockError::Version`], each with
/// file, line and column.
pub fn read(text: &str, file: &str) -> Result<Lock, LockError> {
    let document = Document { text, file };
    let root = DeTable::parse(text).map_err(|error| document.not_toml(&error))?;
    let top = document.fields(&root);

    lock_version(&top)?;
    top.required("created-by")?.string()?;
    let mut lock = Lock::default();
    target(&top, &mut lock.target)?;
    unused(&top)?;
    for package in top.required("packages")?.items()? {
        lock.packages.push(read_package(&package.fields()?)?);
    }
    lock.packages.sort_by(|a, b| a.name.cmp(&b.name));
    if let Some(tool) = tool(&top)? {
        provenance(&tool, &mut lock.provenance)?;
        options(&tool, &mut lock.options)?;
        if let Some(recorded) = tool.table("target")? {
            lock.target.python = recorded.string("python")?.unwrap_or_default();
            lock.target.platform = recorded.string("platform")?.unwrap_or_default();
            for (name, values) in [
                ("markers", &mut lock.target.detected),
                ("accelerator", &mut lock.target.accelerator),
            ] {
                if let Some(table) = recorded.table(name)? {
                    values.extend(table_of_strings(&table)?);
                }
            }
        }
    }
    Ok(lock)
}

fn lock_version(top: &Fields<'_>) -> Result<(), LockError> {
    let node = top.required("lock-version")?;
    let version: Version = node.parse("a version")?;
    // A higher minor version only adds keys (PEP 751).
    if version.release().first() == Some(&1) && version.epoch() == 0 {
        Ok(())
    } else {
        Err(node.unsupported_version(&version.to_string()))
    }
}

fn target(top: &Fields<'_>, target: &mut TargetRecord) -> Result<(), LockError> {
    if let Some(node) = top.get("requires-python") {
        node.parse::<VersionSpecifiers>("a set of version specifiers")?;
    }
    let Some(node) = top.get("environments") else {
        return Ok(());
    };
    let environments = node.items()?;
    for environment in &environments {
        marker(environment)?;
    }
    if let [only] = environments.as_slice() {
        target.markers = environment::values(only.string()?).unwrap_or_default();
    }
    Ok(())
}

/// Keys that concern choices at installation, which a lock for one target has none of.
fn unused(top: &Fields<'_>) -> Result<(), LockError> {
    for name in ["extras", "dependency-groups", "default-groups"] {
        top.strings(name)?;
    }
    Ok(())
}

/// The fields under `tool.mlresolve`, where there are any.
pub(super) fn tool<'a>(table: &Fields<'a>) -> Result<Option<Fields<'a>>, LockError> {
    match table.table("tool")? {
        Some(tool) => tool.table("mlresolve"),
        None => Ok(None),
    }
}

fn provenance(tool: &Fields<'_>, provenance: &mut Provenance) -> Result<(), LockError> {
    provenance.version = tool.string("version")?.unwrap_or_default();
    provenance.command = tool.string("command")?.unwrap_or_default();
    provenance.exclude_newer = tool.string("exclude-newer")?;
    provenance.indexes = tool.strings("indexes")?;
    provenance.ignored_rules = tool.strings("ignored-rules")?;
    provenance.base = tool.string("base")?;
    provenance.changed_edges = tool.strings("changed-edges")?;
    if let Some(rules) = tool.table("rules")? {
        provenance.rules = table_of_strings(&rules)?;
    }
    Ok(())
}

fn options(tool: &Fields<'_>, options: &mut InstallerOptions) -> Result<(), LockError> {
    let Some(table) = tool.table("options")? else {
        return Ok(());
    };
    options.index_url = table.string("index-url")?;
    options.extra_index_urls = table.strings("extra-index-urls")?;
    options.find_links = table.strings("find-links")?;
    options.trusted_hosts = table.strings("trusted-hosts")?;
    options.no_binary = table.strings("no-binary")?.into_iter().collect();
    options.only_binary = table.strings("only-binary")?.into_iter().collect();
    Ok(())
}

/// Every key with its string, sorted by key.
pub(super) fn table_of_strings(table: &Fields<'_>) -> Result<Vec<(String, String)>, LockError> {
    let mut pairs = Vec::new();
    for (name, node) in table.pairs() {
        pairs.push((name.to_owned(), node.string()?.to_owned()));
    }
    pairs.sort();
    Ok(pairs)
}
