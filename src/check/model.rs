//! What is judged, and what is found.

use std::sync::Arc;

use pep440_rs::{Version, VersionSpecifiers};
use pep508_rs::{MarkerTree, PackageName};
use serde::Serialize;

use super::Changed;
use super::repair::Installer;
use crate::metadata::Metadata;

/// What a file or an environment holds.
#[derive(Debug, Clone, Default)]
pub struct Subject {
    /// What it is called: a path, an interpreter.
    pub name: String,
    /// The format in words: `uv.lock`, `requirements`, `environment`.
    pub format: &'static str,
    /// What it holds, in its own order.
    pub entries: Vec<Entry>,
    /// The Pythons that it says it is for.
    pub requires_python: Option<VersionSpecifiers>,
    /// Whether it is meant to be complete: a lock, an environment. A file of requirements is
    /// completed by whoever installs it.
    pub complete: bool,
    /// What options of the run that made it changed in what its releases require.
    pub changed: Vec<Changed>,
}

/// One distribution of a subject.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The distribution.
    pub name: PackageName,
    /// Which release.
    pub wanted: Wanted,
    /// When it is part of the subject.
    pub marker: MarkerTree,
    /// The line that names it, counted from 1.
    pub line: Option<u32>,
    /// The file with that line, where it is not the subject itself (`-r other.txt`).
    pub file: Option<Arc<str>>,
    /// Its hashes, as `sha256:…`; `None` where its format has none, or it needs none (a folder).
    pub hashes: Option<Vec<String>>,
    /// The index that it names, as its format writes it.
    pub index: Option<String>,
    /// Whether it comes from an index.
    pub indexed: bool,
    /// What it requires, where that is known.
    pub metadata: Option<Arc<Metadata>>,
}

/// Which release of a distribution an entry stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// This one.
    Exactly(Version),
    /// Any of these.
    Range(VersionSpecifiers),
    /// It is not known (a folder, a repository).
    Unknown,
}

impl Entry {
    /// An entry with nothing but name and release.
    pub fn new(name: PackageName, wanted: Wanted) -> Self {
        Self {
            name,
            wanted,
            marker: MarkerTree::TRUE,
            line: None,
            file: None,
            hashes: None,
            index: None,
            indexed: true,
            metadata: None,
        }
    }

    /// Its version, where it has one.
    pub fn version(&self) -> Option<&Version> {
        match &self.wanted {
            Wanted::Exactly(version) => Some(version),
            Wanted::Range(_) | Wanted::Unknown => None,
        }
    }
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// A feature is lost, or luck decides.
    Warning,
    /// It crashes, gives wrong results, or does not install.
    Error,
}

impl Severity {
    /// The severity in one word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What kind of thing: `rule`, `conflict`, `half-replaced` …
    pub code: &'static str,
    /// The rule, where one is broken.
    pub rule: Option<String>,
    /// How bad it is.
    pub severity: Severity,
    /// The distributions that it is about, the one to look at first.
    pub packages: Vec<Named>,
    /// What is wrong, in one sentence without a full stop.
    pub message: String,
    /// Why that is wrong.
    pub reason: Option<String>,
    /// What shows it.
    pub evidence: Vec<String>,
    /// The error text that users meet.
    pub error: Option<String>,
    /// What to do.
    pub fix: Option<Remedy>,
    /// The file that names the first distribution, and the line in it, counted from 1.
    pub place: Option<Location>,
}

/// A distribution in a finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Named {
    /// The name.
    pub name: String,
    /// The version, where it is known.
    pub version: Option<String>,
}

/// What to do about a finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Remedy {
    /// The change, as something to type where that is possible.
    pub text: String,
    /// The commands of it alone, for a shell in the environment; the first choice where there
    /// are several.
    pub command: Option<String>,
    /// Whether the change was tried against the rules and what is known of requirements.
    pub verified: bool,
}

/// A place in a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Location {
    /// The file.
    pub file: String,
    /// The line, counted from 1.
    pub line: u32,
}

impl Finding {
    /// A finding with nothing but its sentence.
    pub(crate) fn new(code: &'static str, severity: Severity, message: String) -> Self {
        Self {
            code,
            rule: None,
            severity,
            packages: Vec::new(),
            message,
            reason: None,
            evidence: Vec::new(),
            error: None,
            fix: None,
            place: None,
        }
    }

    /// A finding that is only worth knowing.
    pub fn note(code: &'static str, message: String) -> Self {
        Self::new(code, Severity::Note, message)
    }

    /// Names a distribution that it is about.
    pub(crate) fn about(mut self, name: &PackageName, version: Option<&Version>) -> Self {
        self.packages.push(Named {
            name: name.to_string(),
            version: version.map(ToString::to_string),
        });
        self
    }

    /// Says what to do, untried.
    pub(crate) fn advice(mut self, text: impl Into<String>) -> Self {
        self.fix = Some(Remedy {
            text: text.into(),
            command: None,
            verified: false,
        });
        self
    }

    /// Says what to have installed, untried: as a command where that is an environment.
    pub(super) fn wants(self, requirement: String, installer: Option<Installer>) -> Self {
        let Some(installer) = installer else {
            return self.advice(requirement);
        };
        let command = installer.install(&requirement);
        self.repair(Remedy {
            text: command.clone(),
            command: Some(command),
            verified: false,
        })
    }

    /// Says what to do.
    pub(super) fn repair(mut self, remedy: Remedy) -> Self {
        self.fix = Some(remedy);
        self
    }

    /// The code with the rule: what tells findings of one kind apart.
    pub fn id(&self) -> String {
        match &self.rule {
            Some(rule) => format!("rule/{rule}"),
            None => self.code.to_owned(),
        }
    }
}

impl Subject {
    /// Whether it is what an interpreter has installed.
    pub(crate) fn is_installed(&self) -> bool {
        self.format == "environment"
    }

    /// Where an entry stands.
    pub(crate) fn place(&self, entry: &Entry) -> Option<Location> {
        Some(Location {
            file: entry
                .file
                .as_ref()
                .map_or_else(|| self.name.clone(), ToString::to_string),
            line: entry.line?,
        })
    }
}
