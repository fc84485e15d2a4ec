//! An environment as `check` judges it: its metadata, its files, its binaries.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use pep440_rs::Version;
use sha2::{Digest as _, Sha256};

use super::args::CheckArgs;
use super::error::CliError;
use super::interpreter::{self, Interpreter, Search};
use super::{accelerator, base};
use crate::Target;
use crate::check::{Distribution, FileState, RecordedFile, Subject, read as readers, read_record};
use crate::metadata::Metadata;
use crate::scan::{Limits, scan_installed};

/// Modules that are hashed where not everything is: those at most this many folders deep.
const HASHED_DEPTH: usize = 2;

/// The largest binary that is looked into, in bytes.
const MAX_BINARY: u64 = 64 << 20;

/// How many binaries of a distribution are looked into.
const MAX_BINARIES: usize = 400;

/// An environment.
pub(crate) struct Environment {
    pub(crate) subject: Subject,
    pub(crate) target: Target,
    pub(crate) distributions: Vec<Distribution>,
    /// What broken-off installations left, by path.
    pub(crate) left_behind: Vec<String>,
}

/// Reads an environment: the one named, or the one in use.
pub(crate) fn read(args: &CheckArgs, given: Option<&str>) -> Result<Environment, CliError> {
    let mut search = Search::from_folder(PathBuf::from("."));
    search.python = given
        .map(str::to_owned)
        .or_else(|| args.resolve.python.clone());
    let interpreter =
        interpreter::find(&search).map_err(|error| CliError::usage(error.to_string()))?;
    let mut target = interpreter
        .target()
        .map_err(|error| CliError::usage(error.to_string()))?;
    let (driver, gpus, _) = accelerator::here();
    target.accelerator.driver = driver;
    target.accelerator.gpus = gpus;
    let name = given.map_or_else(
        || interpreter.executable.display().to_string(),
        str::to_owned,
    );
    let installed = base::installed(&interpreter, &name)?;
    let mut subject = readers::base(&installed, "environment");
    for entry in &mut subject.entries {
        // Metadata files have no line worth naming.
        entry.line = None;
    }
    let distributions = distributions(&interpreter, args)?;
    let left_behind = interpreter.left_behind();
    Ok(Environment {
        subject,
        target,
        distributions,
        left_behind: left_behind
            .iter()
            .map(|path| path.display().to_string())
            .collect(),
    })
}

fn distributions(
    interpreter: &Interpreter,
    args: &CheckArgs,
) -> Result<Vec<Distribution>, CliError> {
    let files = interpreter.installed_metadata().map_err(|error| {
        CliError::usage(format!(
            "cannot list what `{}` has installed: {error}",
            interpreter.executable.display()
        ))
    })?;
    let mut found: Vec<(PathBuf, Distribution)> = files
        .iter()
        .filter_map(|path| distribution(path, args.verify))
        .collect();
    let owned: BTreeSet<PathBuf> = found
        .iter()
        .flat_map(|(site, one)| one.files.iter().map(|file| site.join(&file.path)))
        .collect();
    let numpy_is_new = found.iter().any(|(_, one)| {
        one.name.as_ref() == "numpy"
            && one
                .version
                .release()
                .first()
                .is_some_and(|major| *major >= 2)
    });
    // `311`, `313t`: the ABI of the best tag.
    let abi = interpreter.target().ok().and_then(|target| {
        let (_, abi, _) = target.tags().next()?;
        Some(abi.trim_start_matches("cp").to_owned())
    });
    let python = abi.unwrap_or_default();
    for (site, one) in &mut found {
        let has_binaries = one.files.iter().any(|file| is_extension(&file.path));
        if !one.wrong.is_empty() || has_binaries {
            one.own_version = own_version(site, one);
            one.unowned = unowned(site, one, &owned);
            one.shadowed = shadowed(one, &python);
            one.folder = own_folder(site, one, &owned);
        }
        if numpy_is_new && one.name.as_ref() != "numpy" {
            one.numpy = numpy(site, one);
        }
    }
    Ok(found.into_iter().map(|(_, one)| one).collect())
}

/// A distribution by its metadata file, and the folder that holds it.
fn distribution(metadata: &Path, verify: bool) -> Option<(PathBuf, Distribution)> {
    let folder = metadata.parent()?;
    let site = folder.parent()?.to_owned();
    let parsed = Metadata::parse(&fs::read(metadata).ok()?, None).ok()?;
    let record = fs::read_to_string(folder.join("RECORD")).unwrap_or_default();
    let installer = fs::read_to_string(folder.join("INSTALLER")).unwrap_or_default();
    let files = read_record(&record);
    let wrong = files
        .iter()
        .filter_map(|file| Some((file.path.clone(), state(&site, file, verify)?)))
        .collect();
    let distribution = Distribution {
        name: parsed.name,
        version: parsed.version,
        metadata_folder: folder.display().to_string(),
        managed: is_managed(&site, installer.trim()),
        files,
        wrong,
        unowned: Vec::new(),
        shadowed: Vec::new(),
        folder: None,
        own_version: None,
        numpy: None,
    };
    Some((site, distribution))
}

/// Whether the system's package manager looks after what is in a folder: Debian's has a folder
/// of its own, into which pip installs nothing but with its word; Fedora's says its name.
fn is_managed(site: &Path, installer: &str) -> bool {
    let is_debian = site.file_name().is_some_and(|name| name == "dist-packages")
        && !site.starts_with("/usr/local");
    installer == "rpm" || installer == "debian" || is_debian && installer.is_empty()
}

/// How a file is not as RECORD says; sizes always, contents for the modules that matter or,
/// where it is asked for, all.
fn state(folder: &Path, file: &RecordedFile, verify: bool) -> Option<FileState> {
    let size = file.size?;
    let path = folder.join(&file.path);
    let Ok(found) = fs::metadata(&path) else {
        return Some(FileState::Missing);
    };
    if found.len() != size {
        return Some(FileState::Changed);
    }
    let is_module = Path::new(&file.path)
        .extension()
        .is_some_and(|extension| extension == "py");
    let is_near = file.path.matches('/').count() <= HASHED_DEPTH && !file.path.starts_with("..");
    let sha256 = file.sha256.as_ref()?;
    if !(verify || is_module && is_near) {
        return None;
    }
    let bytes = fs::read(&path).ok()?;
    (base64_url(&Sha256::digest(&bytes)) != *sha256).then_some(FileState::Changed)
}

/// URL-safe base64 without padding (RFC 4648), as RECORD has digests.
fn base64_url(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let part = |index: usize| u32::from(chunk.get(index).copied().unwrap_or_default());
        let word = (part(0) << 16) | (part(1) << 8) | part(2);
        for position in 0..=chunk.len() {
            let index = (word >> (18 - 6 * position)) & 63;
            text.push(char::from(LETTERS[index as usize]));
        }
    }
    text
}

/// The folder that a distribution's modules are in, where it is named like it.
fn main_folder(one: &Distribution) -> Option<String> {
    let name = one.name.as_ref().replace('-', "_");
    one.files
        .iter()
        .filter_map(|file| file.path.split_once('/'))
        .map(|(top, _)| top)
        .find(|top| top.eq_ignore_ascii_case(&name))
        .map(str::to_owned)
}

/// The version in `version.py`, where that file is not the one that was installed.
fn own_version(site: &Path, one: &Distribution) -> Option<Version> {
    let folder = main_folder(one)?;
    ["version.py", "_version.py"].iter().find_map(|file| {
        let path = format!("{folder}/{file}");
        if !one.wrong.contains_key(&path) {
            return None;
        }
        let text = fs::read_to_string(site.join(&path)).ok()?;
        text.lines().find_map(|line| {
            let (key, value) = line.split_once('=')?;
            let key = key.split(':').next()?.trim();
            if !["version", "__version__", "full_version"].contains(&key) {
                return None;
            }
            let value = value.split('#').next()?.rsplit('=').next()?.trim();
            value.trim_matches(['"', '\'']).parse().ok()
        })
    })
}

/// Modules in the distribution's folder that nobody says are theirs.
fn unowned(site: &Path, one: &Distribution, owned: &BTreeSet<PathBuf>) -> Vec<String> {
    let Some(folder) = main_folder(one) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    let mut waiting = vec![site.join(folder)];
    while let Some(folder) = waiting.pop() {
        let Ok(entries) = fs::read_dir(&folder) else {
            continue;
        };
        for entry in entries.flatten() {
            let path = entry.path();
            let is_module = path.extension().is_some_and(|extension| {
                extension == "py" || extension == "so" || extension == "pyd"
            });
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                waiting.push(path);
            } else if is_module && !owned.contains(&path) {
                found.push(
                    path.strip_prefix(site)
                        .unwrap_or(&path)
                        .display()
                        .to_string(),
                );
            }
        }
    }
    found.sort();
    found
}

/// The module that a path is imported as, and how early Python's import looks for that kind:
/// packages, then extension modules, then sources.
fn imported(path: &str, python: &str) -> Option<(String, u8)> {
    let (folder, file) = path.rsplit_once('/').unwrap_or(("", path));
    let (stem, ending) = file.split_once('.')?;
    let order = match ending {
        "py" if stem == "__init__" => 0,
        "py" => 2,
        _ if is_extension(path) => {
            // Those of other Pythons are not looked at: `x.cpython-310-….so`, `x.cp310-….pyd`.
            let tag = ending.split('-').take(2).collect::<Vec<_>>();
            let is_ours = match tag.as_slice() {
                ["cpython", version] => *version == python,
                [first, ..] if first.starts_with("cp3") => first[2..] == *python,
                _ => true,
            };
            if !is_ours {
                return None;
            }
            1
        }
        _ => return None,
    };
    let module = if stem == "__init__" {
        folder.to_owned()
    } else {
        format!("{folder}/{stem}")
    };
    Some((module, order))
}

/// Modules of a distribution in whose place unowned ones are imported.
fn shadowed(one: &Distribution, python: &str) -> Vec<(String, String)> {
    let own: BTreeMap<String, (u8, &str)> = one
        .files
        .iter()
        .filter_map(|file| {
            let (module, order) = imported(&file.path, python)?;
            Some((module, (order, file.path.as_str())))
        })
        .collect();
    one.unowned
        .iter()
        .filter_map(|other| {
            let (module, order) = imported(other, python)?;
            let (known, path) = own.get(&module)?;
            (order < *known).then(|| ((*path).to_owned(), other.clone()))
        })
        .collect()
}

/// The folder of a distribution's modules, if nobody else has files in it.
fn own_folder(site: &Path, one: &Distribution, owned: &BTreeSet<PathBuf>) -> Option<String> {
    let folder = site.join(main_folder(one)?);
    let own: BTreeSet<PathBuf> = one.files.iter().map(|file| site.join(&file.path)).collect();
    let is_own = owned
        .range(folder.clone()..)
        .take_while(|path| path.starts_with(&folder))
        .all(|path| own.contains(path));
    is_own.then(|| folder.display().to_string())
}

/// Whether a path is an extension module's.
fn is_extension(path: &str) -> bool {
    Path::new(path)
        .extension()
        .is_some_and(|extension| extension == "so" || extension == "pyd")
}

/// What the distribution's binaries were built for; `None` where it has none.
fn numpy(site: &Path, one: &Distribution) -> Option<crate::scan::NumpyFinding> {
    let binaries: BTreeMap<&str, PathBuf> = one
        .files
        .iter()
        .filter(|file| is_extension(&file.path) && file.size.is_none_or(|size| size <= MAX_BINARY))
        .take(MAX_BINARIES)
        .map(|file| (file.path.as_str(), site.join(&file.path)))
        .collect();
    if binaries.is_empty() {
        return None;
    }
    let files = binaries
        .into_iter()
        .map(|(path, file)| (path.to_owned(), fs::read(file).unwrap_or_default()));
    scan_installed(one.name.as_ref(), files, &Limits::numpy_abi())
        .ok()
        .map(|findings| findings.numpy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_extension_module_of_this_python_is_imported_before_a_source() {
        let file = |path: &str| RecordedFile {
            path: path.to_owned(),
            sha256: None,
            size: None,
        };
        let shadowed = |unowned: &[&str]| {
            let one = Distribution {
                name: "numpy".parse().expect("a name"),
                version: "1.26.4".parse().expect("a version"),
                metadata_folder: String::new(),
                managed: false,
                files: vec![file("numpy/_core/umath.py"), file("numpy/core/a.py")],
                wrong: BTreeMap::new(),
                unowned: unowned.iter().map(|path| (*path).to_owned()).collect(),
                shadowed: Vec::new(),
                folder: None,
                own_version: None,
                numpy: None,
            };
            shadowed(&one, "311")
        };
        let so = "numpy/_core/umath.cpython-311-x86_64-linux-gnu.so";
        assert_eq!(
            shadowed(&[so]),
            [("numpy/_core/umath.py".to_owned(), so.to_owned())]
        );
        for other in [
            "numpy/_core/umath.cpython-310-x86_64-linux-gnu.so",
            "numpy/_core/umath.cp310-win_amd64.pyd",
            "numpy/_core/other.cpython-311-x86_64-linux-gnu.so",
            "numpy/core/b.py",
        ] {
            assert_eq!(shadowed(&[other]), [], "{other}");
        }
        assert_eq!(shadowed(&["numpy/core/a/__init__.py"]).len(), 1);
        assert_eq!(shadowed(&["numpy/_core/umath.abi3.so"]).len(), 1);
        assert_eq!(shadowed(&["numpy/core/a.cp311-win_amd64.pyd"]).len(), 1);
    }

    #[test]
    fn what_the_system_looks_after() {
        let managed = |site: &str, installer: &str| is_managed(Path::new(site), installer);
        assert!(managed("/usr/lib/python3/dist-packages", ""));
        assert!(managed("/usr/lib/python3.13/site-packages", "rpm"));
        assert!(!managed("/usr/local/lib/python3.11/dist-packages", ""));
        assert!(!managed("/usr/lib/python3/dist-packages", "pip"));
        assert!(!managed("/venv/lib/python3.11/site-packages", ""));
    }

    #[test]
    fn digests_are_written_as_record_has_them() {
        assert_eq!(base64_url(b""), "");
        assert_eq!(base64_url(b"f"), "Zg");
        assert_eq!(base64_url(b"fo"), "Zm8");
        assert_eq!(base64_url(b"foobar"), "Zm9vYmFy");
        assert_eq!(base64_url(&[0xfb, 0xff]), "-_8");
    }
}
