//! `--base`: reading what is installed already from a list, an interpreter or an image.

use std::fmt::Write as _;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::str::FromStr as _;
use std::sync::Arc;

use pep440_rs::{Version, VersionSpecifier, VersionSpecifiers};
use pep508_rs::PackageName;
use sha2::{Digest as _, Sha256};

use super::args::ResolveArgs;
use super::base_images;
use super::error::{CliError, Exit};
use super::interpreter::{self, Interpreter, Search};
use super::session::is_pylock;
use crate::Target;
use crate::lock::read_pylock;
use crate::metadata::Metadata;
use crate::request::{Base, BasePackage, Place};
use crate::solve::{Facts, indexed_metadata};

/// A base, and the environment that it is.
#[derive(Debug, Default)]
pub(crate) struct Opened {
    pub(crate) base: Base,
    pub(crate) target: Option<Target>,
    /// Where the packages are, where it is an environment of this machine.
    pub(crate) folders: Vec<String>,
}

/// What `--base` names, with what `--allow-change` lets change; nothing without it.
pub(crate) fn open(args: &ResolveArgs) -> Result<Opened, CliError> {
    let Some(given) = &args.base else {
        return Ok(Opened::default());
    };
    let mut opened = read(given)?;
    for text in &args.allow_change {
        let name = PackageName::from_str(text.trim()).map_err(|_| {
            CliError::usage(format!(
                "`--allow-change {text}` is no name of a distribution"
            ))
        })?;
        if !opened.base.packages.contains_key(&name) {
            return Err(CliError::usage(format!(
                "`--allow-change {name}`: the base `{given}` has no `{name}`"
            ))
            .hint("what the base does not have can be added without this option"));
        }
        opened.base.changeable.insert(name);
    }
    Ok(opened)
}

/// Reads a base: a file, else an image of that name, else an interpreter.
pub(crate) fn read(given: &str) -> Result<Opened, CliError> {
    let path = Path::new(given);
    let bytes = match std::fs::read(path) {
        Ok(bytes) if !is_program(&bytes) => bytes,
        Ok(_) => return of_interpreter(given),
        Err(error) if path.is_dir() || error.kind() == ErrorKind::NotFound => {
            if let Some(text) = base_images::image(given) {
                return of_text(given, text);
            }
            return of_interpreter(given).map_err(|error| {
                let names: Vec<String> = base_images::names()
                    .map(|name| format!("`{name}`"))
                    .collect();
                error.hint(format!(
                    "`--base` takes a list as `pip freeze` prints it, an interpreter or \
                     environment, or one of the images {}",
                    names.join(", ")
                ))
            });
        }
        Err(error) => {
            return Err(CliError::usage(format!("cannot read `{given}`: {error}")));
        }
    };
    let text = String::from_utf8(bytes)
        .map_err(|_| CliError::usage(format!("`{given}` is not UTF-8 text")))?;
    if is_pylock(given) {
        return of_pylock(given, &text);
    }
    of_text(given, &text)
}

/// A binary or a script: an interpreter rather than a list.
pub(crate) fn is_program(bytes: &[u8]) -> bool {
    let starts = |magic: &[u8]| bytes.starts_with(magic);
    starts(b"\x7fELF")
        || starts(b"MZ")
        || starts(b"#!")
        || starts(b"\xcf\xfa\xed\xfe")
        || starts(b"\xca\xfe\xba\xbe")
}

fn of_text(given: &str, text: &str) -> Result<Opened, CliError> {
    let base = Base::read(text, given)
        .map_err(|error| CliError::usage(error.to_string()).hint(error.advice()))?;
    let target = match (&base.python, &base.platform) {
        (Some(python), Some(platform)) => {
            Some(Target::declared(python, platform).map_err(|error| {
                CliError::usage(format!("`{given}` says what it is for, but {error}"))
            })?)
        }
        _ => None,
    };
    Ok(Opened {
        base,
        target,
        folders: Vec::new(),
    })
}

fn of_pylock(given: &str, text: &str) -> Result<Opened, CliError> {
    let lock =
        read_pylock(text, given).map_err(|error| CliError::diagnostic(Exit::Usage, error))?;
    let file: Arc<str> = Arc::from(given);
    let packages = lock.packages.iter().map(|package| {
        let place = Place {
            file: Arc::clone(&file),
            line: 1,
            column: 1,
        };
        let package_of_base = BasePackage {
            version: package.version.clone(),
            metadata: None,
            url: None,
            place,
        };
        (package.name.clone(), package_of_base)
    });
    Ok(Opened {
        base: Base {
            name: given.to_owned(),
            packages: packages.collect(),
            ..Base::default()
        },
        target: lock.target.words().and_then(|words| words.target().ok()),
        folders: Vec::new(),
    })
}

/// `mlresolve base`: what an environment has, as [`Base::read`] reads it.
pub(crate) fn write(python: Option<&str>, output: Option<&Path>) -> Result<Exit, CliError> {
    let opened = of_search(python, python.unwrap_or("this environment"))?;
    let text = opened.base.write();
    match output {
        Some(path) => super::output::write_atomically(path, text.as_bytes())?,
        None => super::tell(&text),
    }
    Ok(Exit::Done)
}

fn of_interpreter(given: &str) -> Result<Opened, CliError> {
    of_search(Some(given), given)
}

fn of_search(python: Option<&str>, name: &str) -> Result<Opened, CliError> {
    let mut search = Search::from_folder(PathBuf::from("."));
    search.python = python.map(str::to_owned);
    let interpreter =
        interpreter::find(&search).map_err(|error| CliError::usage(error.to_string()))?;
    let target = interpreter
        .target()
        .map_err(|error| CliError::usage(error.to_string()))?;
    let words = target.words();
    let mut base = installed(&interpreter, name)?;
    base.python = Some(words.python);
    base.platform = Some(words.platform);
    Ok(Opened {
        base,
        target: Some(target),
        folders: interpreter
            .site_packages
            .iter()
            .map(|folder| folder.display().to_string())
            .collect(),
    })
}

/// What an interpreter's environment has. Of a distribution that is there twice, the one that
/// is imported counts.
pub(crate) fn installed(interpreter: &Interpreter, given: &str) -> Result<Base, CliError> {
    let files = interpreter.installed_metadata().map_err(|error| {
        CliError::usage(format!(
            "cannot list what `{}` has installed: {error}",
            interpreter.executable.display()
        ))
    })?;
    let mut base = Base {
        name: given.to_owned(),
        ..Base::default()
    };
    for path in files {
        let Ok(bytes) = std::fs::read(&path) else {
            continue;
        };
        let place = Place {
            file: Arc::from(path.display().to_string()),
            line: 1,
            column: 1,
        };
        let folder = path.parent().unwrap_or(Path::new(""));
        let (name, version, metadata) = match Metadata::parse(&bytes, None) {
            Ok(metadata) => (
                metadata.name.clone(),
                Some(metadata.version.clone()),
                Some(Arc::new(metadata)),
            ),
            // Distributors' packages have versions that PEP 440 does not know.
            Err(_) => match name_of(folder) {
                Some(name) => (name, None, None),
                None => continue,
            },
        };
        base.packages.entry(name).or_insert_with(|| BasePackage {
            version,
            metadata,
            url: direct_url(folder),
            place,
        });
    }
    Ok(base)
}

/// The name in `NAME-VERSION.dist-info`.
fn name_of(folder: &Path) -> Option<PackageName> {
    let stem = folder.file_stem()?.to_str()?;
    let name = stem.split('-').next()?;
    PackageName::from_str(name)
        .ok()
        .filter(|_| !name.is_empty())
}

/// The URL in `direct_url.json` (PEP 610).
fn direct_url(folder: &Path) -> Option<String> {
    let text = std::fs::read_to_string(folder.join("direct_url.json")).ok()?;
    let value: serde_json::Value = serde_json::from_str(&text).ok()?;
    value.get("url")?.as_str().map(str::to_owned)
}

/// Learns from the index what the packages of a base ask for, where the base does not tell.
///
/// Only where packages of it may change: who needs them then counts. Says for how many nothing
/// could be had; without metadata they ask for nothing.
pub(crate) fn learn(base: &mut Base, target: &Target, facts: &dyn Facts) -> Vec<PackageName> {
    let waiting: Vec<(PackageName, Version)> = base
        .packages
        .iter()
        .filter(|(_, package)| package.metadata.is_none())
        .filter_map(|(name, package)| Some((name.clone(), package.version.clone()?)))
        .collect();
    for (name, version) in &waiting {
        let exactly = VersionSpecifier::equals_version(version.clone());
        facts.hint(name, &VersionSpecifiers::from(exactly));
    }
    let mut unknown = Vec::new();
    for (name, version) in waiting {
        // What cannot be had, for whatever reason, is told as not known.
        let metadata = indexed_metadata(&name, &version, target, &facts).unwrap_or_default();
        match (metadata, base.packages.get_mut(&name)) {
            (Some(metadata), Some(package)) => package.metadata = Some(metadata),
            _ => unknown.push(name),
        }
    }
    unknown
}

/// The base as a lock names it: its name, how much it has, and a digest of it.
pub(crate) fn record(base: &Base) -> Option<String> {
    if base.packages.is_empty() {
        return None;
    }
    let mut digest = Sha256::new();
    for (name, package) in &base.packages {
        let version = package.version.as_ref().map(ToString::to_string);
        digest.update(format!("{name}=={}\n", version.unwrap_or_default()));
    }
    let mut hex = String::new();
    for byte in digest.finalize().iter().take(6) {
        // Writing to a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
    }
    let changed = if base.changeable.is_empty() {
        String::new()
    } else {
        let names: Vec<&str> = base.changeable.iter().map(AsRef::as_ref).collect();
        format!("; may change: {}", names.join(" "))
    };
    Some(format!(
        "{} ({} packages, {hex}), install with --no-deps{changed}",
        base.name,
        base.packages.len()
    ))
}
