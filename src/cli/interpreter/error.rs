//! Why no interpreter answers.

use std::io;
use std::path::PathBuf;

use crate::target::TargetError;

/// Why no interpreter was found, or why the one found does not answer.
#[derive(Debug, thiserror::Error)]
pub enum InterpreterError {
    /// None of the usual places has one.
    #[error(
        "no Python interpreter was found in `VIRTUAL_ENV`, a `.venv` folder, `CONDA_PREFIX` or \
         on `PATH`\n\nhint: name one with `--python`, or declare the target with \
         `--python-version` and `--python-platform`, which needs none"
    )]
    NotFound,
    /// What was named is not there.
    #[error("there is no Python interpreter `{given}`{}", .detail)]
    NoSuch {
        /// What was named.
        given: String,
        /// Where it was looked for, after a comma; or nothing.
        detail: String,
    },
    /// None of those on the path is of the version that was named.
    #[error("no {asked} was found on `PATH`{}", others(.found))]
    NoneOfVersion {
        /// The version, in words.
        asked: String,
        /// The interpreters that were found, with what they are, in words.
        found: Vec<(PathBuf, String)>,
    },
    /// The virtual environment that is active has no interpreter.
    #[error(
        "`{variable}` names `{}`, which has no Python interpreter\n\n\
         hint: unset `{variable}`, or name an interpreter with `--python`",
        .folder.display()
    )]
    BrokenEnvironment {
        /// The environment variable.
        variable: &'static str,
        /// Its value.
        folder: PathBuf,
    },
    /// It cannot be started.
    #[error("`{}` cannot be started: {source}", .executable.display())]
    Start {
        /// The interpreter.
        executable: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It did not answer in time.
    #[error(
        "`{}` did not answer within {seconds} s; expected a Python interpreter",
        .executable.display()
    )]
    TimedOut {
        /// The interpreter.
        executable: PathBuf,
        /// How long it had, in seconds.
        seconds: u64,
    },
    /// It ended with an error.
    #[error(
        "`{}` failed ({status}) when asked for its version{}",
        .executable.display(), said(.stderr)
    )]
    Failed {
        /// The interpreter.
        executable: PathBuf,
        /// How it ended, in words.
        status: String,
        /// The end of what it wrote on standard error.
        stderr: String,
    },
    /// It ended well, but what it said is not what a Python would say.
    #[error("`{}` is not a Python interpreter: {detail}", .executable.display())]
    NotPython {
        /// The program.
        executable: PathBuf,
        /// What was wrong with its answer.
        detail: String,
    },
    /// It is a Python from before those that are supported.
    #[error(
        "`{}` is Python {version}; Python 3.6 is the oldest that is supported",
        .executable.display()
    )]
    TooOld {
        /// The interpreter.
        executable: PathBuf,
        /// Its version, as far as known.
        version: String,
    },
    /// No target can be made of what it says.
    #[error("`{}`: {source}", .executable.display())]
    Target {
        /// The interpreter.
        executable: PathBuf,
        /// Why not.
        source: TargetError,
    },
}

fn others(found: &[(PathBuf, String)]) -> String {
    if found.is_empty() {
        return String::from("; nor any other Python");
    }
    let found: Vec<String> = found
        .iter()
        .map(|(path, words)| format!("`{}` is {words}", path.display()))
        .collect();
    format!("; {}", found.join(", "))
}

fn said(stderr: &str) -> String {
    if stderr.is_empty() {
        String::new()
    } else {
        format!(":\n{stderr}")
    }
}
