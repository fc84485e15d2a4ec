//! The interpreter that builds run with, and its pip.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde::Deserialize;

use super::super::process;
use super::{Host, no_temporary};
use crate::solve::FactError;

/// How long a question to the interpreter may take.
const PROBE_LIMIT: Duration = Duration::from_mins(1);

/// The oldest pip that can tell metadata without installing.
const OLDEST_PIP: (u32, u32) = (22, 2);

/// What the interpreter is asked.
const PROBE: &str = "\
import json, platform, sys, sysconfig
try:
    import pip
    found = pip.__version__
except ImportError:
    found = None
print(json.dumps({
    'implementation': sys.implementation.name,
    'version': platform.python_version(),
    'platform': sysconfig.get_platform(),
    'pip': found,
}))
";

/// An interpreter with a pip that is good enough.
pub(super) struct FrontEnd {
    /// How it is called.
    pub(super) python: PathBuf,
    /// What it is.
    pub(super) host: Host,
    /// The environment that was made because the interpreter has no such pip.
    pub(super) _environment: Option<tempfile::TempDir>,
}

#[derive(Deserialize)]
struct Probe {
    #[serde(flatten)]
    host: Host,
    pip: Option<String>,
}

impl FrontEnd {
    /// Finds pip: the interpreter's own, or one in an environment made for it.
    pub(super) fn find(python: Option<&Path>) -> Result<Self, FactError> {
        let Some(python) = python else {
            return Err(FactError::Failed {
                message: "a project's build must be run, and there is no Python to run it with"
                    .to_owned(),
                hint: Some(
                    "install Python 3 with pip, or refuse builds with `--no-build`".to_owned(),
                ),
            });
        };
        let found = probe(python)?;
        if found.pip.as_deref().is_some_and(is_new_enough) {
            return Ok(FrontEnd {
                python: python.to_path_buf(),
                host: found.host,
                _environment: None,
            });
        }
        log::debug!("`{}` has no pip to build with", python.display());
        own_environment(python).map_err(|detail| {
            let (major, minor) = OLDEST_PIP;
            let has = match &found.pip {
                Some(version) => format!("pip {version}"),
                None => "no pip".to_owned(),
            };
            FactError::Failed {
                message: format!(
                    "a project's build must be run, which takes pip {major}.{minor} or later; \
                     `{}` has {has}, and {detail}",
                    python.display()
                ),
                hint: Some(format!(
                    "run `{} -m ensurepip --upgrade` or install pip for it, \
                     or refuse builds with `--no-build`",
                    python.display()
                )),
            }
        })
    }
}

/// Makes an environment with the pip that the interpreter carries for such cases.
fn own_environment(python: &Path) -> Result<FrontEnd, String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let mut command = Command::new(python);
    command.args(["-m", "venv"]).arg(folder.path());
    command.current_dir(folder.path());
    let made = process::run(&mut command, PROBE_LIMIT).map_err(|error| error.to_string())?;
    let inside = if cfg!(windows) {
        folder.path().join("Scripts").join("python.exe")
    } else {
        folder.path().join("bin").join("python")
    };
    if !made.succeeded() || !inside.exists() {
        return Err("no environment with one could be made with `-m venv`".to_owned());
    }
    let found = probe(&inside).map_err(|error| error.to_string())?;
    if !found.pip.as_deref().is_some_and(is_new_enough) {
        return Err("the one that `-m venv` brings is older".to_owned());
    }
    Ok(FrontEnd {
        python: inside,
        host: found.host,
        _environment: Some(folder),
    })
}

fn probe(python: &Path) -> Result<Probe, FactError> {
    let failed = |detail: String| FactError::Failed {
        message: format!(
            "`{}` could not be asked what it is: {detail}",
            python.display()
        ),
        hint: Some("name another interpreter, or refuse builds with `--no-build`".to_owned()),
    };
    let empty = tempfile::tempdir().map_err(|error| no_temporary(&error))?;
    let mut command = Command::new(python);
    command.args(["-c", PROBE]).current_dir(empty.path());
    let mut finished =
        process::run(&mut command, PROBE_LIMIT).map_err(|error| failed(error.to_string()))?;
    let said = finished.stdout();
    // A wrapper script may say something of its own first.
    let line = said.lines().last().unwrap_or_default();
    serde_json::from_str(line).map_err(|_| {
        let said = finished.stderr();
        failed(said.lines().last().unwrap_or_default().trim().to_owned())
    })
}

pub(super) fn is_new_enough(pip: &str) -> bool {
    let mut parts = pip.split('.').map(|part| {
        let digits = part.bytes().take_while(u8::is_ascii_digit).count();
        part.get(..digits).and_then(|digits| digits.parse().ok())
    });
    let major: Option<u32> = parts.next().flatten();
    let minor: Option<u32> = parts.next().flatten();
    major.is_some_and(|major| (major, minor.unwrap_or(0)) >= OLDEST_PIP)
}
