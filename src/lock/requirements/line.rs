//! One requirement of a requirements file, as text and back.

use std::collections::BTreeSet;

use pep440_rs::Version;
use pep508_rs::{ExtraName, PackageName};

use crate::lock::model::is_path;
use crate::lock::{LockedPackage, Source};
use crate::metadata::{FileHash, bytes_of};

/// Whether Python's `str.splitlines`, which pip reads requirements files with, ends a
/// line at this character.
pub(super) fn ends_line(letter: char) -> bool {
    matches!(
        letter,
        '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{1c}'..='\u{1e}' | '\u{85}' | '\u{2028}' | '\u{2029}'
    )
}

/// The requirement that pins the package, without hashes.
pub(super) fn write(package: &LockedPackage, strip_extras: bool) -> String {
    let extras = if strip_extras || package.extras.is_empty() {
        String::new()
    } else {
        let names: Vec<&str> = package.extras.iter().map(AsRef::as_ref).collect();
        format!("[{}]", names.join(","))
    };
    let mut line = located(package, &extras);
    if let Some(marker) = &package.marker {
        line.push_str(" ; ");
        line.push_str(marker);
    }
    line.replace(ends_line, " ")
}

fn located(package: &LockedPackage, extras: &str) -> String {
    let name = &package.name;
    match &package.source {
        Source::Index(_) => match &package.version {
            Some(version) => format!("{name}{extras}=={version}"),
            None => format!("{name}{extras}"),
        },
        Source::Archive {
            given,
            subdirectory,
            ..
        } => {
            let (base, fragment) = given.split_once('#').unwrap_or((given, ""));
            let hash = fragment.split('&').find(|part| is_hash(part));
            let fragment = fragment_of(&[
                named("subdirectory", subdirectory.as_deref()),
                hash.map(ToOwned::to_owned),
            ]);
            reference(package, extras, base, &fragment)
        }
        Source::Directory {
            given,
            editable,
            subdirectory,
        } => {
            let fragment = fragment_of(&[named("subdirectory", subdirectory.as_deref())]);
            if *editable {
                format!("-e {given}{extras}{fragment}")
            } else {
                reference(package, extras, given, &fragment)
            }
        }
        Source::Vcs {
            kind,
            url,
            commit,
            subdirectory,
            editable,
            ..
        } => {
            let subdirectory = named("subdirectory", subdirectory.as_deref());
            if *editable {
                let egg = named("egg", Some(&format!("{name}{extras}")));
                let fragment = fragment_of(&[egg, subdirectory]);
                format!("-e {kind}+{url}@{commit}{fragment}")
            } else {
                let fragment = fragment_of(&[subdirectory]);
                format!("{name}{extras} @ {kind}+{url}@{commit}{fragment}")
            }
        }
    }
}

/// `name @ url`, or a path alone, since pip takes no relative path behind a name.
fn reference(package: &LockedPackage, extras: &str, base: &str, fragment: &str) -> String {
    if is_path(base) {
        return format!("{base}{extras}{fragment}");
    }
    // A space would end the URL.
    let base = base.replace(' ', "%20");
    format!("{}{extras} @ {base}{fragment}", package.name)
}

fn named(key: &str, value: Option<&str>) -> Option<String> {
    value.map(|value| format!("{key}={value}"))
}

fn fragment_of(parts: &[Option<String>]) -> String {
    let parts: Vec<&str> = parts.iter().flatten().map(String::as_str).collect();
    if parts.is_empty() {
        String::new()
    } else {
        format!("#{}", parts.join("&"))
    }
}

fn is_hash(part: &str) -> bool {
    part.split_once('=')
        .is_some_and(|(algorithm, digest)| valid_hash(algorithm, digest).is_some())
}

/// Reads one requirement; the reason where it pins nothing that this program can keep.
pub(super) fn read(text: &str) -> Result<LockedPackage, String> {
    let (requirement, options) = match text.find(" --") {
        Some(at) => text.split_at(at),
        None => (text, ""),
    };
    let requirement = requirement.trim();
    let mut package = match requirement
        .strip_prefix("-e ")
        .or_else(|| requirement.strip_prefix("--editable "))
        .or_else(|| requirement.strip_prefix("--editable="))
    {
        Some(reference) => read_editable(reference.trim())?,
        None => read_named(requirement)?,
    };
    package.hashes = read_hashes(options)?;
    Ok(package)
}

fn read_named(text: &str) -> Result<LockedPackage, String> {
    let name_end = text
        .find(|letter: char| !(letter.is_ascii_alphanumeric() || "-_.".contains(letter)))
        .unwrap_or(text.len());
    let (name, mut rest) = text.split_at(name_end);
    let unnamed = || "it does not say which distribution it is".to_owned();
    if name.is_empty() || name.starts_with('.') || rest.starts_with(['/', '\\', ':']) {
        return Err(unnamed());
    }
    let name: PackageName = name.parse().map_err(|_| unnamed())?;
    rest = rest.trim_start();
    let mut extras = BTreeSet::new();
    if let Some(after) = rest.strip_prefix('[') {
        let (list, after) = after
            .split_once(']')
            .ok_or_else(|| "its extras have no closing `]`".to_owned())?;
        extras = read_extras(list)?;
        rest = after.trim_start();
    }
    let mut package = if let Some(reference) = rest.strip_prefix('@') {
        let (reference, marker) = match reference.split_once(" ;") {
            Some((reference, marker)) => (reference, Some(marker)),
            None => (reference, None),
        };
        let mut package = LockedPackage::new(name, read_reference(reference.trim(), false)?);
        package.marker = read_marker(marker);
        package
    } else {
        let (specifier, marker) = match rest.split_once(';') {
            Some((specifier, marker)) => (specifier, Some(marker)),
            None => (rest, None),
        };
        let mut package = LockedPackage::new(name, Source::Index(None));
        package.version = Some(read_pin(specifier.trim())?);
        package.marker = read_marker(marker);
        package
    };
    package.extras = extras;
    Ok(package)
}

fn read_extras(list: &str) -> Result<BTreeSet<ExtraName>, String> {
    list.split(',')
        .map(str::trim)
        .filter(|extra| !extra.is_empty())
        .map(|extra| {
            extra
                .parse()
                .map_err(|_| format!("`{extra}` is no name of an extra"))
        })
        .collect()
}

fn read_marker(marker: Option<&str>) -> Option<String> {
    marker
        .map(str::trim)
        .filter(|marker| !marker.is_empty())
        .map(ToOwned::to_owned)
}

fn read_pin(specifier: &str) -> Result<Version, String> {
    let version = specifier
        .strip_prefix("==")
        .map(|version| version.strip_prefix('=').unwrap_or(version).trim())
        .ok_or_else(|| "it is not pinned with `==`".to_owned())?;
    version
        .parse()
        .map_err(|_| format!("`{version}` is no single version"))
}

fn read_editable(reference: &str) -> Result<LockedPackage, String> {
    let (reference, marker) = match reference.split_once(" ;") {
        Some((reference, marker)) => (reference.trim_end(), Some(marker)),
        None => (reference, None),
    };
    let fragment = reference.split_once('#').map_or("", |(_, rest)| rest);
    let egg = fragment
        .split('&')
        .find_map(|part| part.strip_prefix("egg="))
        .ok_or_else(|| "it does not say which distribution it is".to_owned())?;
    let (name, extras) = match egg.split_once('[') {
        Some((name, extras)) => (name, read_extras(extras.trim_end_matches(']'))?),
        None => (egg, BTreeSet::new()),
    };
    // An empty name is one to `PackageName`.
    let name = name
        .parse()
        .ok()
        .filter(|_| !name.is_empty())
        .ok_or_else(|| format!("`{name}` is no name of a distribution"))?;
    let mut package = LockedPackage::new(name, read_reference(reference, true)?);
    package.extras = extras;
    package.marker = read_marker(marker);
    Ok(package)
}

fn read_reference(reference: &str, editable: bool) -> Result<Source, String> {
    if reference.is_empty() {
        return Err("it has no URL behind the `@`".to_owned());
    }
    let (base, fragment) = reference.split_once('#').unwrap_or((reference, ""));
    let subdirectory = fragment
        .split('&')
        .find_map(|part| part.strip_prefix("subdirectory="))
        .map(ToOwned::to_owned);
    let kinds = ["git", "hg", "svn", "bzr"];
    if let Some((kind, repository)) = base
        .split_once('+')
        .filter(|(kind, _)| kinds.contains(kind))
    {
        let (url, commit) = repository
            .rsplit_once('@')
            .filter(|(_, commit)| !commit.is_empty() && !commit.contains('/'))
            .ok_or_else(|| "it names no commit".to_owned())?;
        return Ok(Source::Vcs {
            kind: kind.to_owned(),
            url: url.to_owned(),
            requested_revision: None,
            commit: commit.to_owned(),
            subdirectory,
            editable,
        });
    }
    if editable {
        return Ok(Source::Directory {
            given: base.to_owned(),
            editable,
            subdirectory,
        });
    }
    let given = match fragment.split('&').find(|part| is_hash(part)) {
        Some(hash) => format!("{base}#{hash}"),
        None => base.to_owned(),
    };
    Ok(Source::Archive {
        url: base.to_owned(),
        given,
        subdirectory,
    })
}

fn read_hashes(options: &str) -> Result<BTreeSet<FileHash>, String> {
    let mut hashes = BTreeSet::new();
    let mut rest = options;
    while let Some((hash, after)) = first_hash(rest) {
        hashes.insert(hash);
        rest = after;
    }
    let mut words = rest.split_whitespace();
    while let Some(word) = words.next() {
        let value = match word.strip_prefix("--hash") {
            Some("") => words.next().unwrap_or_default(),
            Some(rest) => rest.strip_prefix('=').unwrap_or_default(),
            // Options that belong to a build (`--config-settings=…`) are not kept.
            None => continue,
        };
        let hash = value
            .split_once(':')
            .and_then(|(algorithm, digest)| valid_hash(algorithm, digest))
            .ok_or_else(|| format!("`{word}` is no hash"))?;
        hashes.insert(hash);
    }
    Ok(hashes)
}

/// The sha256 at the start, where one is written as locks write it, and what follows.
fn first_hash(options: &str) -> Option<(FileHash, &str)> {
    let options = options.strip_prefix(" --hash=sha256:")?;
    let (digest, after) = options.split_at_checked(64)?;
    let ends = after.is_empty() || after.starts_with(' ');
    ends.then(|| Some((FileHash::sha256(bytes_of(digest)?), after)))?
}

/// The hash, where the algorithm is one that pip knows and the digest has its length.
pub(crate) fn valid_hash(algorithm: &str, digest: &str) -> Option<FileHash> {
    if algorithm == "sha256"
        && let Some(bytes) = bytes_of(digest)
    {
        return Some(FileHash::sha256(bytes));
    }
    let length = match algorithm {
        "md5" => 32,
        "sha1" => 40,
        "sha224" => 56,
        "sha256" => 64,
        "sha384" => 96,
        "sha512" => 128,
        _ => return None,
    };
    let valid = digest.len() == length && digest.bytes().all(|byte| byte.is_ascii_hexdigit());
    valid.then(|| FileHash::new(algorithm, &digest.to_ascii_lowercase()))
}
