//! The request: requirements with their places.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use pep440_rs::VersionSpecifiers;
use pep508_rs::{ExtraName, MarkerTree, PackageName};

use super::{Base, Policy};

/// Everything the user asks for, for one solve.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// What must be in the environment.
    pub requirements: Vec<Line>,
    /// What a distribution must meet where it is present (`-c`).
    pub constraints: Vec<Line>,
    /// What replaces every requirement on a distribution (`--override`).
    pub overrides: Vec<Line>,
    /// The pins to keep where they still serve: those of an existing lock.
    pub pins: BTreeMap<PackageName, Pin>,
    /// What is installed already and stays as it is (`--base`); empty where there is none.
    pub base: Arc<Base>,
    /// What the user decided of what the specifications leave open.
    pub policy: Policy,
}

/// One requirement of the user's, with its place.
#[derive(Debug, Clone)]
pub struct Line {
    /// The distribution that is required.
    pub name: PackageName,
    /// The extras asked of it, sorted, without repetition.
    pub extras: Vec<ExtraName>,
    /// Which of its releases, or from where.
    pub source: LineSource,
    /// When it is required.
    pub marker: MarkerTree,
    /// The requirement as written, without comment and options, for messages.
    pub text: String,
    /// Hashes given with the line (`--hash=sha256:…`): `(algorithm, hexadecimal)`.
    pub hashes: Vec<(String, String)>,
    /// Where it stands.
    pub place: Place,
}

/// Which releases a line accepts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LineSource {
    /// Any release that the specifiers contain; empty specifiers contain all.
    Specifiers(VersionSpecifiers),
    /// What is found at a URL, a local path or in version control.
    Direct(DirectUrl),
}

/// A direct reference: a URL (PEP 508), a local path, or version control.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DirectUrl {
    /// The absolute URL (`https`, `file`, `git+https`, …), with `${VAR}` filled in.
    pub url: String,
    /// The reference as written, which is what a lock repeats where it may.
    pub given: String,
    /// The folder inside the archive or repository (`#subdirectory=`).
    pub subdirectory: Option<String>,
    /// Whether it is to be installed in editable mode (`-e`).
    pub editable: bool,
}

/// Where a requirement stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The file as the user named it (relative to where the program runs), or what
    /// stands for it: `pyproject.toml (project.dependencies)`, `command line`.
    pub file: Arc<str>,
    /// Line, counted from 1.
    pub line: u32,
    /// Column, counted from 1, in characters.
    pub column: u32,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// A pin of an existing lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pin {
    /// The version that was locked.
    pub version: pep440_rs::Version,
    /// The hashes that were recorded.
    pub hashes: Vec<crate::metadata::FileHash>,
}
