//! Where an interpreter is looked for.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{env, fs};

use super::query::{Interpreter, TIMEOUT, query};
use super::{InterpreterError, cache};
use crate::target::PythonWord;

/// Where to look for an interpreter, and how.
#[derive(Debug, Clone)]
pub struct Search {
    /// What the user named (`--python`): an executable, an environment's folder, a version
    /// (`3.11`, `3.13t`, `pypy3.10`), or a name on the path.
    pub python: Option<String>,
    /// The folder where a `.venv` is looked for, and above which.
    pub folder: PathBuf,
    /// The environment variables that count.
    pub environment: Environment,
    /// The folder of the cache; nothing is remembered without one.
    pub cache: Option<PathBuf>,
    /// How long an interpreter may take to answer.
    pub timeout: Duration,
}

/// The environment variables that say where interpreters are.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    /// `VIRTUAL_ENV`: the active virtual environment.
    pub virtual_env: Option<PathBuf>,
    /// `CONDA_PREFIX`: the active conda environment.
    pub conda_prefix: Option<PathBuf>,
    /// `PATH`.
    pub path: OsString,
}

impl Environment {
    /// Those of this process.
    pub fn of_process() -> Self {
        let folder = |name| {
            env::var_os(name)
                .filter(|value| !value.is_empty())
                .map(PathBuf::from)
        };
        Self {
            virtual_env: folder("VIRTUAL_ENV"),
            conda_prefix: folder("CONDA_PREFIX"),
            path: env::var_os("PATH").unwrap_or_default(),
        }
    }
}

impl Search {
    /// A search from a folder, with this process's environment and the default time limit.
    pub fn from_folder(folder: PathBuf) -> Self {
        Self {
            python: None,
            folder,
            environment: Environment::of_process(),
            cache: None,
            timeout: TIMEOUT,
        }
    }

    fn query(&self, executable: &Path) -> Result<Interpreter, InterpreterError> {
        match &self.cache {
            Some(folder) => {
                cache::remembered(folder, executable, || query(executable, self.timeout))
            }
            None => query(executable, self.timeout),
        }
    }
}

/// Finds an interpreter and asks it what it is.
///
/// The one that was named; else that of the active virtual environment, of a `.venv` in the
/// folder or above, of the active conda environment, else the first on the path that answers.
pub fn find(search: &Search) -> Result<Interpreter, InterpreterError> {
    if let Some(given) = &search.python {
        return named(search, given);
    }
    if let Some(executable) = of_environment(search)? {
        return search.query(&executable);
    }
    let mut first_error = None;
    for executable in on_path(&search.environment.path, &["python3", "python"]) {
        match search.query(&executable) {
            Ok(interpreter) => return Ok(interpreter),
            // A version manager's stand-in, or a Python 2: the next one may do.
            Err(error) => first_error = first_error.or(Some(error)),
        }
    }
    Err(first_error.unwrap_or(InterpreterError::NotFound))
}

/// The interpreter of an active or a nearby environment.
fn of_environment(search: &Search) -> Result<Option<PathBuf>, InterpreterError> {
    if let Some(folder) = &search.environment.virtual_env {
        // Another interpreter instead of the active one would be a silent surprise.
        return in_prefix(folder)
            .map(Some)
            .ok_or_else(|| InterpreterError::BrokenEnvironment {
                variable: "VIRTUAL_ENV",
                folder: folder.clone(),
            });
    }
    let nearby = search
        .folder
        .ancestors()
        .find_map(|folder| in_prefix(&folder.join(".venv")));
    // A conda environment need not have a Python.
    let conda = || in_prefix(search.environment.conda_prefix.as_deref()?);
    Ok(nearby.or_else(conda))
}

fn named(search: &Search, given: &str) -> Result<Interpreter, InterpreterError> {
    let path = search.folder.join(given);
    if path.is_dir() {
        let executable = in_prefix(&path).ok_or_else(|| InterpreterError::NoSuch {
            given: given.to_owned(),
            detail: String::from(": the folder is no environment of a Python"),
        })?;
        return search.query(&executable);
    }
    if path.is_file() {
        return search.query(&path);
    }
    if let Ok(word) = given.parse::<PythonWord>() {
        return of_version(search, &word);
    }
    let is_path = given.contains(['/', '\\']);
    match on_path(&search.environment.path, &[given]).first() {
        Some(executable) if !is_path => search.query(executable),
        _ => Err(InterpreterError::NoSuch {
            given: given.to_owned(),
            detail: String::from(if is_path {
                ""
            } else {
                ", neither here nor on `PATH`"
            }),
        }),
    }
}

/// The first interpreter of the version: of the environments, then on the path.
fn of_version(search: &Search, word: &PythonWord) -> Result<Interpreter, InterpreterError> {
    let minor = word.minor();
    let names = if word.is_pypy() {
        [format!("pypy3.{minor}"), "pypy3".into(), "pypy".into()]
    } else if word.is_free_threaded() {
        [
            format!("python3.{minor}t"),
            "python3".into(),
            "python".into(),
        ]
    } else {
        [
            format!("python3.{minor}"),
            "python3".into(),
            "python".into(),
        ]
    };
    let names = names.each_ref().map(String::as_str);
    let mut candidates: Vec<PathBuf> = of_environment(search).ok().flatten().into_iter().collect();
    candidates.extend(on_path(&search.environment.path, &names));
    let mut found: Vec<(PathBuf, String)> = Vec::new();
    for executable in candidates {
        let Ok(interpreter) = search.query(&executable) else {
            continue;
        };
        let Ok(target) = interpreter.target() else {
            continue;
        };
        if word.accepts(target.python_word()) {
            return Ok(interpreter);
        }
        let words = target.python_word().describe();
        if !found.iter().any(|(_, other)| *other == words) {
            found.push((executable, words));
        }
    }
    Err(InterpreterError::NoneOfVersion {
        asked: word.describe(),
        found,
    })
}

/// The interpreter of an environment's folder.
fn in_prefix(folder: &Path) -> Option<PathBuf> {
    let places: &[&str] = if cfg!(windows) {
        &["Scripts/python.exe", "python.exe"]
    } else {
        &["bin/python3", "bin/python"]
    };
    places
        .iter()
        .map(|place| folder.join(place))
        .find(|executable| is_executable(executable))
}

/// All executables of these names on the path: those of the first name first, then in the
/// path's order.
fn on_path(path: &OsString, names: &[&str]) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = Vec::new();
    for name in names {
        for folder in env::split_paths(path).filter(|folder| folder.is_absolute()) {
            let executable = folder.join(format!("{name}{}", env::consts::EXE_SUFFIX));
            if is_executable(&executable) && !found.contains(&executable) {
                found.push(executable);
            }
        }
    }
    found
}

fn is_executable(path: &Path) -> bool {
    // A file of size 0 is what Windows has on the path to offer its shop.
    fs::metadata(path)
        .is_ok_and(|metadata| metadata.is_file() && metadata.len() > 0 && may_execute(&metadata))
}

#[cfg(unix)]
fn may_execute(metadata: &fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;

    metadata.permissions().mode() & 0o111 != 0
}

#[cfg(not(unix))]
fn may_execute(_metadata: &fs::Metadata) -> bool {
    true
}
