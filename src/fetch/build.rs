//! Metadata that only a project's own build can tell.
//!
//! The build runs in an isolated environment that pip makes (PEP 517, PEP 518): pip is
//! where Python is, and its `--dry-run --report` gives the metadata without installing.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::process::{self, Finished};
use super::records::Records;
use crate::solve::{FactError, Unusable};

/// How long a build may take where nothing else is said.
pub const BUILD_LIMIT: Duration = Duration::from_mins(15);

/// How long a question to the interpreter may take.
const PROBE_LIMIT: Duration = Duration::from_mins(1);

/// The oldest pip that can tell metadata without installing.
const OLDEST_PIP: (u32, u32) = (22, 2);

/// Shorter passwords than this are hidden in URLs only: they may be parts of words.
const SHORTEST_SECRET: usize = 6;

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

/// Variables that would change what pip is asked to do.
const MEDDLING: [&str; 24] = [
    "PIP_ABI",
    "PIP_DRY_RUN",
    "PIP_EDITABLE",
    "PIP_IMPLEMENTATION",
    "PIP_LOG",
    "PIP_NO_BINARY",
    "PIP_NO_BUILD_ISOLATION",
    "PIP_NO_USE_PEP517",
    "PIP_ONLY_BINARY",
    "PIP_PLATFORM",
    "PIP_PREFIX",
    "PIP_PYTHON",
    "PIP_PYTHON_VERSION",
    "PIP_QUIET",
    "PIP_REPORT",
    "PIP_REQUIRE_HASHES",
    "PIP_REQUIREMENT",
    "PIP_ROOT",
    "PIP_SRC",
    "PIP_TARGET",
    "PIP_UPGRADE",
    "PIP_USER",
    "PIP_VERBOSE",
    "PYTHONHOME",
];

/// Where builds find what they need to build with.
#[derive(Debug, Clone, Default)]
pub struct BuildIndexes {
    /// The index, credentials included; `None` for pip's own setting.
    pub index_url: Option<String>,
    /// Further indexes, credentials included.
    pub extra_index_urls: Vec<String>,
    /// Folders and pages of links.
    pub find_links: Vec<String>,
    /// Whether no index may be asked (`--no-index`, `--offline`).
    pub no_index: bool,
}

/// Runs projects' builds with one interpreter, and remembers what they said.
pub struct Builder {
    python: Option<PathBuf>,
    indexes: BuildIndexes,
    limit: Duration,
    records: Records,
    front_end: OnceLock<Result<FrontEnd, FactError>>,
}

/// What is to be built.
#[derive(Debug, Clone, Copy)]
pub struct Project<'a> {
    /// The folder inside what is to be built.
    pub subdirectory: Option<&'a str>,
    /// What identifies the contents for good (a sha256, a commit id); `None` for a folder
    /// whose contents may change, which is built anew each time.
    pub identity: Option<&'a str>,
}

/// What is to be built, at hand.
#[derive(Debug)]
pub struct Source {
    /// An archive, or a folder that the build may write to.
    pub path: PathBuf,
    /// The temporary folder that it lies in, kept until the build is done.
    pub keep: Option<tempfile::TempDir>,
}

/// What a build said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Built {
    /// Core metadata, as in a METADATA file.
    pub metadata: String,
    /// Where the build ran. For a target unlike it, the metadata may not be right.
    pub host: Host,
}

/// The interpreter that a build ran on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Host {
    /// `cpython`, `pypy`.
    pub implementation: String,
    /// The Python version: `3.11.7`.
    pub version: String,
    /// The platform, as `sysconfig` spells it: `linux-x86_64`.
    pub platform: String,
}

impl std::fmt::Display for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (implementation, version) = (&self.implementation, &self.version);
        write!(f, "{implementation} {version} on {}", self.platform)
    }
}

/// An interpreter with a pip that is good enough.
struct FrontEnd {
    python: PathBuf,
    host: Host,
    /// The environment that was made because the interpreter has no such pip.
    _environment: Option<tempfile::TempDir>,
}

#[derive(Deserialize)]
struct Probe {
    #[serde(flatten)]
    host: Host,
    pip: Option<String>,
}

impl Builder {
    /// Builds with this interpreter; with `None` every build fails, and says what to install.
    pub fn new(python: Option<PathBuf>, indexes: BuildIndexes, records: Records) -> Self {
        Self {
            python,
            indexes,
            limit: BUILD_LIMIT,
            records,
            front_end: OnceLock::new(),
        }
    }

    /// With another time limit for one build.
    #[must_use]
    pub fn with_limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// The metadata that the project's build gives. The source is asked for only where the
    /// answer is not known from an earlier run.
    ///
    /// # Errors
    ///
    /// [`Unusable::BuildFailed`] where the build fails or takes too long;
    /// [`FactError::Failed`] where there is nothing to build with.
    pub fn metadata(
        &self,
        project: Project<'_>,
        source: impl FnOnce() -> Result<Source, FactError>,
    ) -> Result<Built, FactError> {
        let front_end = self
            .front_end
            .get_or_init(|| self.find_front_end())
            .as_ref()
            .map_err(Clone::clone)?;
        let host = &front_end.host;
        let key = project.identity.map(|identity| {
            let subdirectory = project.subdirectory.unwrap_or_default();
            format!("{identity} {subdirectory} {host}")
        });
        if let Some(built) = key.as_ref().and_then(|key| self.records.get("built", key)) {
            return Ok(built);
        }
        let source = source()?;
        let metadata = self.run(front_end, &source.path, project.subdirectory)?;
        let host = host.clone();
        let built = Built { metadata, host };
        if let Some(key) = &key {
            self.records.put("built", key, &built);
        }
        Ok(built)
    }

    fn run(
        &self,
        front_end: &FrontEnd,
        path: &Path,
        subdirectory: Option<&str>,
    ) -> Result<String, FactError> {
        let work = tempfile::tempdir().map_err(|error| no_temporary(&error))?;
        let report = work.path().join("report.json");
        let mut command = self.pip(front_end, work.path())?;
        command
            .args(["install", "--dry-run", "--no-deps", "--ignore-installed"])
            .args(["--ignore-requires-python", "--use-pep517", "--report"])
            .arg(&report)
            .arg(requirement(path, subdirectory)?);
        log::debug!("running the build of `{}`", path.display());
        let mut finished =
            process::run(&mut command, self.limit).map_err(|error| FactError::Failed {
                message: format!("could not run `{}`: {error}", front_end.python.display()),
                hint: None,
            })?;
        let said = format!("{}\n{}", finished.stdout(), finished.stderr());
        let said = self.without_secrets(&said);
        log::debug!("the build said: {said}");
        let read = finished
            .succeeded()
            .then(|| std::fs::read(&report).ok())
            .flatten();
        let metadata = read.as_deref().and_then(report_metadata);
        metadata.ok_or_else(|| {
            let detail = self.failure(&finished, &said);
            FactError::Unusable(Unusable::BuildFailed { detail })
        })
    }

    /// pip, with nothing of its surroundings in its way. Indexes go in through the
    /// environment: arguments, which may hold credentials, are seen by all users.
    fn pip(&self, front_end: &FrontEnd, work: &Path) -> Result<Command, FactError> {
        // `python -m` looks into the working folder first, so that is an empty one.
        let (empty, temporary) = (work.join("empty"), work.join("tmp"));
        for folder in [&empty, &temporary] {
            std::fs::create_dir_all(folder).map_err(|error| no_temporary(&error))?;
        }
        let mut command = Command::new(&front_end.python);
        command
            .args(["-m", "pip", "--no-input", "--no-color"])
            .arg("--disable-pip-version-check")
            .current_dir(empty);
        for name in MEDDLING {
            command.env_remove(name);
        }
        for name in ["TMPDIR", "TEMP", "TMP"] {
            command.env(name, &temporary);
        }
        command
            .env("PIP_REQUIRE_VIRTUALENV", "0")
            .env("PIP_PROGRESS_BAR", "off")
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("PYTHONIOENCODING", "utf-8")
            .env("GIT_TERMINAL_PROMPT", "0")
            // A copy of a folder shares the repository of its original.
            .env("GIT_OPTIONAL_LOCKS", "0");
        match self.records.root() {
            Some(root) => command.env("PIP_CACHE_DIR", root.join("pip")),
            None => command.env("PIP_NO_CACHE_DIR", "1"),
        };
        if std::env::var_os("PIP_CERT").is_none()
            && let Some(file) = std::env::var_os("SSL_CERT_FILE")
        {
            command.env("PIP_CERT", file);
        }
        self.add_indexes(&mut command);
        Ok(command)
    }

    fn add_indexes(&self, command: &mut Command) {
        let indexes = &self.indexes;
        if let Some(url) = &indexes.index_url {
            command.env("PIP_INDEX_URL", url);
        }
        if !indexes.extra_index_urls.is_empty() {
            command.env("PIP_EXTRA_INDEX_URL", indexes.extra_index_urls.join(" "));
        }
        if !indexes.find_links.is_empty() {
            command.env("PIP_FIND_LINKS", indexes.find_links.join(" "));
        }
        if indexes.no_index {
            command.env("PIP_NO_INDEX", "1");
        }
    }

    /// What went wrong, in a line or a few.
    fn failure(&self, finished: &Finished, said: &str) -> String {
        if finished.status.is_none() {
            let minutes = self.limit.as_secs() / 60;
            return match minutes {
                0 => format!("it took longer than {} seconds", self.limit.as_secs()),
                _ => format!("it took longer than {minutes} minutes"),
            };
        }
        last_useful_lines(said)
    }

    /// The text without the credentials of the index URLs. pip hides them itself; what a
    /// build prints is another matter.
    fn without_secrets(&self, text: &str) -> String {
        let indexes = &self.indexes;
        let urls = indexes.index_url.iter();
        let urls = urls.chain(&indexes.extra_index_urls);
        let mut text = text.to_owned();
        for url in urls.chain(&indexes.find_links) {
            let userinfo = url
                .split_once("://")
                .and_then(|(_, rest)| rest.split('/').next())
                .and_then(|authority| authority.rsplit_once('@'))
                .map(|(userinfo, _)| userinfo)
                .unwrap_or_default();
            let secret = match userinfo.split_once(':') {
                Some((_, password)) => password,
                None => userinfo,
            };
            if !userinfo.is_empty() {
                text = text.replace(&format!("{userinfo}@"), "****@");
            }
            if secret.len() >= SHORTEST_SECRET {
                text = text.replace(secret, "****");
            }
        }
        text
    }

    fn find_front_end(&self) -> Result<FrontEnd, FactError> {
        let Some(python) = &self.python else {
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
                python: python.clone(),
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

fn is_new_enough(pip: &str) -> bool {
    let mut parts = pip.split('.').map(|part| {
        let digits = part.bytes().take_while(u8::is_ascii_digit).count();
        part.get(..digits).and_then(|digits| digits.parse().ok())
    });
    let major: Option<u32> = parts.next().flatten();
    let minor: Option<u32> = parts.next().flatten();
    major.is_some_and(|major| (major, minor.unwrap_or(0)) >= OLDEST_PIP)
}

fn no_temporary(error: &std::io::Error) -> FactError {
    FactError::Failed {
        message: format!("could not make a temporary folder: {error}"),
        hint: Some("set `TMPDIR` to a folder that can be written to".to_owned()),
    }
}

/// What pip is told to build.
fn requirement(path: &Path, subdirectory: Option<&str>) -> Result<String, FactError> {
    let invalid = || FactError::Failed {
        message: format!("`{}` is not a path to build", path.display()),
        hint: None,
    };
    if path.is_dir() {
        let folder = match subdirectory {
            Some(subdirectory) => path.join(subdirectory),
            None => path.to_path_buf(),
        };
        return folder.to_str().map(str::to_owned).ok_or_else(invalid);
    }
    let mut url = url::Url::from_file_path(path).map_err(|()| invalid())?;
    if let Some(subdirectory) = subdirectory {
        url.set_fragment(Some(&format!("subdirectory={subdirectory}")));
    }
    Ok(url.into())
}

/// The metadata in pip's installation report, as the lines of a METADATA file.
fn report_metadata(report: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Report {
        install: Vec<Install>,
    }
    #[derive(Deserialize)]
    struct Install {
        metadata: Fields,
    }
    #[derive(Deserialize)]
    struct Fields {
        metadata_version: Option<String>,
        name: String,
        version: String,
        requires_python: Option<String>,
        #[serde(default)]
        requires_dist: Vec<String>,
        #[serde(default)]
        provides_extra: Vec<String>,
    }
    let report: Report = serde_json::from_slice(report).ok()?;
    let [install] = report.install.as_slice() else {
        return None;
    };
    let fields = &install.metadata;
    let mut lines = Vec::new();
    let mut line = |name: &str, value: &str| {
        let value = value.split_whitespace().collect::<Vec<_>>().join(" ");
        lines.push(format!("{name}: {value}\n"));
    };
    line(
        "Metadata-Version",
        fields.metadata_version.as_deref().unwrap_or("2.1"),
    );
    line("Name", &fields.name);
    line("Version", &fields.version);
    if let Some(requires_python) = &fields.requires_python {
        line("Requires-Python", requires_python);
    }
    for extra in &fields.provides_extra {
        line("Provides-Extra", extra);
    }
    for requirement in &fields.requires_dist {
        line("Requires-Dist", requirement);
    }
    Some(lines.concat())
}

/// The lines of pip's output that say why a build failed.
///
/// pip frames what the build said with "[n lines of output]" and "[end of output]"; the
/// last line in there is most often the exception. Where there is no frame (a build
/// requirement that cannot be had), pip's own `ERROR:` lines say it.
fn last_useful_lines(said: &str) -> String {
    const SHOWN: usize = 3;
    let mut step = None;
    let mut framed: Vec<&str> = Vec::new();
    let mut inside = false;
    for line in said.lines() {
        let bare = line.trim_start_matches([' ', '│', '╰', '─', '>', '|', '+', '-']);
        if bare.ends_with("lines of output]") || bare.ends_with("line of output]") {
            framed.clear();
            inside = true;
        } else if bare == "[end of output]" {
            inside = false;
        } else if inside {
            framed.push(line.trim_end());
        } else if let Some(failed) = bare
            .trim_start_matches(['×', 'x', ' '])
            .strip_suffix("did not run successfully.")
        {
            step = Some(failed.trim());
        }
    }
    let framed: Vec<&str> = framed
        .into_iter()
        .filter(|line| !line.trim().is_empty())
        .collect();
    let useful: Vec<&str> = if framed.is_empty() {
        let errors = said
            .lines()
            .filter_map(|line| line.trim().strip_prefix("ERROR:"));
        errors.map(str::trim).collect()
    } else {
        match framed.iter().rposition(|line| is_exception(line.trim())) {
            Some(index) => framed.get(index..).unwrap_or_default().to_vec(),
            None => framed,
        }
    };
    let kept = match useful.first() {
        // An exception's first line says the most, a log's last one.
        Some(first) if is_exception(first.trim()) => useful.iter().take(SHOWN).collect(),
        _ => useful
            .iter()
            .skip(useful.len().saturating_sub(SHOWN))
            .collect::<Vec<_>>(),
    };
    let kept: Vec<&str> = kept.into_iter().map(|line| line.trim()).collect();
    match (step, kept.is_empty()) {
        (_, true) => "pip gave no reason".to_owned(),
        (Some(step), false) => format!("{}: {}", step.to_lowercase(), kept.join("\n")),
        (None, false) => kept.join("\n"),
    }
}

/// Whether a line is the last of a Python traceback: `package.SomeError: message`.
fn is_exception(line: &str) -> bool {
    let name = line.split(':').next().unwrap_or_default();
    let known = ["Error", "Exception", "Exit", "Interrupt", "Failed"];
    let is_name = |character: char| character.is_alphanumeric() || "._".contains(character);
    known.iter().any(|ending| name.ends_with(ending)) && name.chars().all(is_name)
}

#[cfg(test)]
pub(super) mod tests;
