//! Which files `check` judges, and reading them by their names.

use std::path::Path;
use std::sync::Arc;

use super::base_images;
use super::error::{CliError, Exit};
use super::files::Files;
use super::session::is_pylock;
use crate::Target;
use crate::check::{Changed, Entry, Subject, Wanted, read as readers};
use crate::lock::{Lock, Writer, read_pylock, read_requirements};
use crate::metadata::{Dependency, DependencySource};
use crate::request::{Base, FileOptions, Input, Role, Sources as _, read_inputs};

/// What `check` was given, or found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Found {
    /// A file, by its path; `-` is standard input.
    File(String),
    /// An environment: as it was named, or the one in use.
    Environment(Option<String>),
}

/// What a file holds, and the target that it records.
#[derive(Debug, Default)]
pub(crate) struct Read {
    pub(crate) subject: Subject,
    pub(crate) target: Option<Target>,
    /// The options that stand in it: the indexes that its pins come from.
    pub(crate) options: FileOptions,
    /// The rules that a lock was made without, as it says.
    pub(crate) ignored: Vec<String>,
}

/// The locks that are looked for in a folder, all of them.
const LOCKS: [&str; 6] = [
    "pylock.toml",
    "uv.lock",
    "poetry.lock",
    "pdm.lock",
    "Pipfile.lock",
    "requirements.txt",
];

/// What is looked for in a folder without a lock.
const OTHERS: [&str; 4] = [
    "environment.yml",
    "environment.yaml",
    "Dockerfile",
    "Containerfile",
];

/// What is named; else the locks that are here, those that the project's settings name
/// (`outputs`) among them; else the environment in use.
pub(crate) fn find<'o>(
    named: &[String],
    outputs: impl Iterator<Item = &'o String>,
) -> Result<Vec<Found>, CliError> {
    if named.is_empty() {
        let mut here = in_folder(Path::new("."));
        for output in outputs {
            let known = |found: &Found| matches!(found, Found::File(path) if path == output);
            if Path::new(output).is_file() && !here.iter().any(known) {
                here.push(Found::File(output.clone()));
            }
        }
        return Ok(if here.is_empty() {
            vec![Found::Environment(None)]
        } else {
            here
        });
    }
    let mut found = Vec::new();
    for given in named {
        let path = Path::new(given);
        if path.is_dir() {
            let is_environment = [
                "pyvenv.cfg",
                "bin/python3",
                "bin/python",
                "conda-meta",
                "python.exe",
            ]
            .iter()
            .any(|name| path.join(name).exists());
            let locks = if is_environment {
                Vec::new()
            } else {
                in_folder(path)
            };
            if is_environment {
                found.push(Found::Environment(Some(given.clone())));
            } else if locks.is_empty() {
                return Err(CliError::usage(format!(
                    "`{given}` is no environment of a Python, and no lock is in it"
                ))
                .hint(format!(
                    "these are looked for: {}, pylock.NAME.toml, and text files with \
                     `requirements` in their names",
                    LOCKS.join(", ")
                )));
            } else {
                found.extend(locks);
            }
        } else if given == "-" || is_list(path) || base_images::image(given).is_some() {
            found.push(Found::File(given.clone()));
        } else if looks_like_file(given) && !path.exists() {
            return Err(CliError::usage(format!("there is no `{given}`")));
        } else {
            found.push(Found::Environment(Some(given.clone())));
        }
    }
    Ok(found)
}

/// Whether a name is a file's rather than an interpreter's.
fn looks_like_file(given: &str) -> bool {
    [".txt", ".in", ".lock", ".toml", ".yml", ".yaml"]
        .iter()
        .any(|ending| given.ends_with(ending))
        || ["Dockerfile", "Containerfile", "Pipfile"]
            .iter()
            .any(|name| given.rsplit('/').next() == Some(name))
}

/// A file that is no program.
fn is_list(path: &Path) -> bool {
    use std::io::Read as _;

    let mut head = [0_u8; 4];
    let Ok(mut file) = std::fs::File::open(path) else {
        return false;
    };
    let read = file.read(&mut head).unwrap_or_default();
    let head = head.get(..read).unwrap_or_default();
    path.is_file() && !super::base::is_program(head)
}

/// The files of a folder that are named as further locks are: `pylock.NAME.toml` (PEP 751),
/// `requirements-NAME.txt`, `NAME-requirements.txt`; sorted.
fn names_of_locks(folder: &Path) -> Vec<String> {
    let is_lock = |name: &String| {
        let pylock = name.strip_prefix("pylock.");
        let pylock = pylock.and_then(|rest| rest.strip_suffix(".toml"));
        let text = name.strip_suffix(".txt");
        pylock.is_some_and(|name| !name.is_empty())
            || text.is_some_and(|name| name.contains("requirements"))
    };
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    let known = |name: &String| !LOCKS.contains(&name.as_str());
    let mut names: Vec<String> = names.filter(is_lock).filter(known).collect();
    names.sort();
    names
}

fn in_folder(folder: &Path) -> Vec<Found> {
    let there = |names: &[&str]| -> Vec<Found> {
        names
            .iter()
            .map(|name| match folder.to_str() {
                Some(".") => (*name).to_owned(),
                _ => folder.join(name).to_string_lossy().into_owned(),
            })
            .filter(|path| Path::new(path).is_file())
            .map(Found::File)
            .collect()
    };
    let others = names_of_locks(folder);
    let names: Vec<&str> = LOCKS
        .into_iter()
        .chain(others.iter().map(String::as_str))
        .collect();
    let locks = there(&names);
    if locks.is_empty() {
        there(&OTHERS)
    } else {
        locks
    }
}

/// Reads a file by its name. What a lock for several environments holds is read for a target.
pub(crate) fn read(path: &str, target: &Target) -> Result<Read, CliError> {
    let files = Files::new(&|_| Err("`check` reads files of this machine only".to_owned()));
    let text = match base_images::image(path).filter(|_| !Path::new(path).exists()) {
        Some(text) => text.to_owned(),
        None => text_of(path, &files)?,
    };
    let name = Path::new(path)
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or(path);
    let lower = name.to_ascii_lowercase();
    let wrong = |error: readers::ReadError| CliError::usage(error.to_string());
    let subject = if is_pylock(path) {
        return pylock(&text, path);
    } else if lower.ends_with("uv.lock") {
        readers::uv(&text, path, &target.markers).map_err(wrong)?
    } else if lower.ends_with("poetry.lock") {
        readers::poetry(&text, path).map_err(wrong)?
    } else if lower.ends_with("pdm.lock") {
        readers::pdm(&text, path).map_err(wrong)?
    } else if lower.ends_with("pipfile.lock") {
        readers::pipfile(&text, path).map_err(wrong)?
    } else if matches!(lower.rsplit_once('.'), Some((_, "yml" | "yaml"))) {
        let lines = readers::conda(&text, path).map_err(wrong)?;
        let subject = listed(lines, path, "conda environment", &files)?;
        Subject {
            requires_python: readers::python_of_conda(&text),
            ..subject
        }
    } else if ["dockerfile", "containerfile"]
        .iter()
        .any(|word| lower.contains(word))
    {
        let subject = listed(readers::containerfile(&text), path, "Dockerfile", &files)?;
        Subject {
            requires_python: readers::python_of_containerfile(&text),
            ..subject
        }
    } else {
        return requirements(&text, path, &files);
    };
    Ok(Read {
        subject,
        ..Read::default()
    })
}

fn text_of(path: &str, files: &Files<'_>) -> Result<String, CliError> {
    let bytes = files
        .read(path)
        .map_err(|error| CliError::usage(format!("cannot read `{path}`: {error}")))?;
    String::from_utf8(bytes).map_err(|_| CliError::usage(format!("`{path}` is not UTF-8 text")))
}

fn pylock(text: &str, path: &str) -> Result<Read, CliError> {
    let wrong = |error| CliError::diagnostic(Exit::Usage, error);
    let lock = read_pylock(text, path).map_err(wrong)?;
    let mut subject = readers::pylock(text, path).map_err(wrong)?;
    subject.complete = lock.provenance.base.is_none();
    subject.changed = changed(&lock);
    Ok(Read {
        subject,
        target: lock.target.words().and_then(|words| words.target().ok()),
        options: FileOptions::default(),
        ignored: lock.provenance.ignored_rules,
    })
}

fn changed(lock: &Lock) -> Vec<Changed> {
    let told = lock.provenance.changed_edges.iter();
    told.filter_map(|text| Changed::read(text)).collect()
}

/// A file of requirements, pinned or not; else what `pip freeze` printed on another machine.
fn requirements(text: &str, path: &str, files: &Files<'_>) -> Result<Read, CliError> {
    let input = Input {
        role: Role::Requirements,
        path: path.to_owned(),
    };
    let header = read_requirements(text);
    let recorded = header
        .lock
        .target
        .words()
        .and_then(|words| words.target().ok());
    let is_image = base_images::image(path).is_some() && !Path::new(path).exists();
    let inputs = if is_image {
        None
    } else {
        Some(read_inputs(
            &[input],
            &crate::request::Wanted::default(),
            files,
        ))
    };
    match inputs {
        Some(Ok(inputs)) => {
            let mut lines = inputs.requirements;
            lines.sort_by(|a, b| a.place.cmp(&b.place));
            let mut subject = readers::requirements(&lines, path);
            let is_locked = header.writer != Writer::Unknown
                || lines.iter().any(|line| !line.hashes.is_empty());
            subject.complete = is_locked && header.lock.provenance.base.is_none();
            subject.changed = changed(&header.lock);
            Ok(Read {
                subject,
                target: recorded,
                options: inputs.options,
                ignored: header.lock.provenance.ignored_rules,
            })
        }
        // A list from another machine names folders that are not here.
        other => match (Base::read(text, path), other) {
            (Ok(base), _) => Ok(Read {
                target: match (&base.python, &base.platform) {
                    (Some(python), Some(platform)) => Target::declared(python, platform).ok(),
                    _ => None,
                },
                subject: readers::base(&base, "pip freeze"),
                options: FileOptions::default(),
                ignored: Vec::new(),
            }),
            (Err(_), Some(Err(error))) => Err(CliError::diagnostic(Exit::Usage, error)),
            (Err(error), _) => Err(CliError::usage(error.to_string())),
        },
    }
}

/// Requirement lines that stand in a file of another kind.
fn listed(
    lines: Vec<(u32, String)>,
    path: &str,
    format: &'static str,
    files: &Files<'_>,
) -> Result<Subject, CliError> {
    let mut subject = Subject {
        name: path.to_owned(),
        format,
        ..Subject::default()
    };
    let folder = Path::new(path).parent().unwrap_or(Path::new(""));
    for (line, text) in lines {
        if let Some(file) = text.strip_prefix("-r ") {
            let file = folder.join(file.trim()).to_string_lossy().into_owned();
            // A file that the build copies from elsewhere is not here.
            if files.is_file(&file) {
                let text = text_of(&file, files)?;
                let read = requirements(&text, &file, files)?;
                subject.entries.extend(read.subject.entries);
            }
            continue;
        }
        if text.starts_with('-') || text.contains("://") && !text.contains(" @ ") {
            continue;
        }
        let (dependency, _) = Dependency::parse(&text)
            .map_err(|detail| CliError::usage(format!("{path}:{line}: `{text}`: {detail}")))?;
        let wanted = match &dependency.source {
            DependencySource::Specifiers(specifiers) => readers::wanted(specifiers),
            DependencySource::Url(_) => Wanted::Unknown,
        };
        // A later command installs over an earlier one's.
        subject
            .entries
            .retain(|entry| entry.name != dependency.name);
        let mut entry = Entry::new(dependency.name, wanted);
        entry.marker = dependency.marker;
        entry.line = Some(line);
        entry.file = Some(Arc::from(path));
        entry.indexed = matches!(dependency.source, DependencySource::Specifiers(_));
        subject.entries.push(entry);
    }
    Ok(subject)
}
