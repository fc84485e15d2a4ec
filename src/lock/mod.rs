//! The lock: one model, a reader and a writer per format (requirements.txt, pylock.toml).

use std::collections::BTreeSet;

use pep440_rs::Version;
use pep508_rs::{ExtraName, PackageName};

use crate::metadata::File;

/// A fully pinned set of distributions for one target.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Lock {
    /// What was locked, sorted by name.
    pub packages: Vec<LockedPackage>,
    /// The environment it is for.
    pub target: TargetRecord,
    /// How it came to be: program, options, rules.
    pub provenance: Provenance,
}

/// One locked distribution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockedPackage {
    /// The distribution.
    pub name: PackageName,
    /// The version, with its local part; `None` for a folder whose version is dynamic.
    pub version: Option<Version>,
    /// The extras that something asked for.
    pub extras: BTreeSet<ExtraName>,
    /// Where it comes from.
    pub source: Source,
    /// `Requires-Python` of its metadata, as written.
    pub requires_python: Option<String>,
    /// The files that may be installed, sorted by name. Every file from an index has a sha256.
    pub files: Vec<File>,
    /// What it requires, by name, among the locked packages.
    pub dependencies: Vec<PackageName>,
    /// Who asked for it, sorted.
    pub via: BTreeSet<Via>,
    /// The rules that limited it, for the trail.
    pub rules: BTreeSet<String>,
}

/// Where a locked distribution comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// An index, by URL without credentials.
    Index(String),
    /// An archive at a URL or local path, as the user wrote it.
    Archive {
        /// The absolute URL, without credentials.
        url: String,
        /// As written.
        given: String,
        /// The folder inside it.
        subdirectory: Option<String>,
    },
    /// A local folder, as the user wrote it.
    Directory {
        /// The path as written.
        given: String,
        /// Whether it is to be installed in editable mode.
        editable: bool,
        /// The folder inside it.
        subdirectory: Option<String>,
    },
    /// Version control.
    Vcs {
        /// `git` and the like.
        kind: String,
        /// The repository's URL, without credentials.
        url: String,
        /// The branch or tag that was asked for.
        requested_revision: Option<String>,
        /// The full commit id.
        commit: String,
        /// The folder inside it.
        subdirectory: Option<String>,
        /// Whether it is to be installed in editable mode.
        editable: bool,
    },
}

/// Who asked for a locked distribution, as annotations tell it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Via {
    /// A requirements file (`-r requirements.in`), or `project (pyproject.toml)`.
    File(String),
    /// A constraints file (`-c constraints.txt`).
    Constraint(String),
    /// Another locked distribution.
    Package(PackageName),
    /// A rule that limited it or pulled it in (`rule torch/numpy1-abi`).
    Rule(String),
    /// An override.
    Override(String),
}

/// The environment a lock was made for, as it is written down.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TargetRecord {
    /// The Python version: `3.11`, or with its patch number where one was given.
    pub python: String,
    /// The platform, as `--python-platform` takes it: `x86_64-manylinux_2_28`.
    pub platform: String,
    /// The values of the environment markers, for pylock's `environments`.
    pub markers: Vec<(String, String)>,
}

/// How a lock came to be.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Provenance {
    /// The program's version.
    pub version: String,
    /// The command that makes the lock again, without one-off options.
    pub command: String,
    /// The cut-off, as an RFC 3339 instant.
    pub exclude_newer: Option<String>,
    /// The rules that shaped the lock: id and digest, sorted.
    pub rules: Vec<(String, String)>,
    /// The rules that were ignored on the command line, sorted.
    pub ignored_rules: Vec<String>,
    /// The requirements that a rule or option removed or replaced, in words, sorted.
    pub changed_edges: Vec<String>,
    /// The indexes that were used, without credentials, in order; the first is the default one.
    pub indexes: Vec<String>,
}
