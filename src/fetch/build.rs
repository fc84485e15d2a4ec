//! Metadata that only a project's own build can tell.
//!
//! The build runs in an isolated environment that pip makes (PEP 517, PEP 518): pip is
//! where Python is, and its `--dry-run --report` gives the metadata without installing.

mod front_end;
mod report;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use self::front_end::FrontEnd;
use self::report::{last_useful_lines, report_metadata};
use super::process::{self, Finished};
use super::records::Records;
use crate::solve::{FactError, Unusable};

/// How long a build may take where nothing else is said.
pub const BUILD_LIMIT: Duration = Duration::from_mins(15);

/// Shorter passwords than this are hidden in URLs only: they may be parts of words.
const SHORTEST_SECRET: usize = 6;

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
    /// Looks for an interpreter where none is named.
    look: Option<Look>,
    indexes: BuildIndexes,
    limit: Duration,
    records: Records,
    front_end: OnceLock<Result<FrontEnd, FactError>>,
    /// What was built in this run, by key: a build that fails is not run again either.
    known: Mutex<BTreeMap<String, Result<Built, FactError>>>,
    notice: Option<Notice>,
    /// What was said to be built: a folder is built anew each time, and said once.
    told: Mutex<BTreeSet<String>>,
}

/// Looks for an interpreter.
type Look = Box<dyn Fn() -> Option<PathBuf> + Send + Sync>;

/// Is told what is about to be built.
type Notice = Box<dyn Fn(&str) + Send + Sync>;

/// What is to be built.
#[derive(Debug, Clone, Copy)]
pub struct Project<'a> {
    /// What a user knows it as: a name and a version, a path, an address.
    pub what: &'a str,
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

/// It is called from another folder. A bare name is looked up on PATH.
fn absolute(python: PathBuf) -> PathBuf {
    if python.components().count() == 1 {
        python
    } else {
        std::path::absolute(&python).unwrap_or(python)
    }
}

impl Builder {
    /// Builds with this interpreter; with `None` every build fails, and says what to install.
    pub fn new(python: Option<PathBuf>, indexes: BuildIndexes, records: Records) -> Self {
        Self {
            python: python.map(absolute),
            look: None,
            indexes,
            limit: BUILD_LIMIT,
            records,
            front_end: OnceLock::new(),
            known: Mutex::default(),
            notice: None,
            told: Mutex::default(),
        }
    }

    /// With one that is looked for when something is to be built, where none is named.
    #[must_use]
    pub fn or_with(mut self, look: impl Fn() -> Option<PathBuf> + Send + Sync + 'static) -> Self {
        self.look = Some(Box::new(look));
        self
    }

    fn front_end(&self) -> Result<FrontEnd, FactError> {
        let look = || self.look.as_ref().and_then(|look| look());
        let python = self.python.clone().or_else(|| look().map(absolute));
        FrontEnd::find(python.as_deref())
    }

    /// With someone to be told what is built before it is: a build may take minutes.
    #[must_use]
    pub fn with_notice(mut self, notice: impl Fn(&str) + Send + Sync + 'static) -> Self {
        self.notice = Some(Box::new(notice));
        self
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
            .get_or_init(|| self.front_end())
            .as_ref()
            .map_err(Clone::clone)?;
        let host = &front_end.host;
        let key = project.identity.map(|identity| {
            let subdirectory = project.subdirectory.unwrap_or_default();
            format!("{identity} {subdirectory} {host}")
        });
        let Some(key) = key else {
            return self.build(front_end, project, source);
        };
        // Builds with one key wait for each other here, and so do all others: a build may
        // take all processors.
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(answer) = known.get(&key) {
            return answer.clone();
        }
        if let Some(built) = self.records.get("built", &key) {
            return Ok(built);
        }
        let answer = self.build(front_end, project, source);
        if let Ok(built) = &answer {
            self.records.put("built", &key, built);
        }
        known.insert(key, answer.clone());
        answer
    }

    fn build(
        &self,
        front_end: &FrontEnd,
        project: Project<'_>,
        source: impl FnOnce() -> Result<Source, FactError>,
    ) -> Result<Built, FactError> {
        let source = source()?;
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let is_new = told.insert(project.what.to_owned());
        drop(told);
        if is_new && let Some(notice) = &self.notice {
            notice(project.what);
        }
        let metadata = self.run(front_end, &source.path, project.subdirectory)?;
        let host = front_end.host.clone();
        Ok(Built { metadata, host })
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
        // Where it ran is of no use, and another place each time.
        let said = said.replace(&*work.path().to_string_lossy(), "…");
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

#[cfg(test)]
pub(super) mod tests;
