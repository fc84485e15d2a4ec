//! What is read, and what comes of it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use pep440_rs::VersionSpecifiers;
use pep508_rs::{ExtraName, MarkerTree, PackageName};

use super::format_control::FormatOption;
use super::{DirectUrl, Line, LineSource, Place};

/// A file that the user names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    /// What its lines are.
    pub role: Role,
    /// Its path or URL, as the user wrote it. Its name says what it is: pyproject.toml,
    /// setup.cfg, setup.py; any other is a requirements file.
    pub path: String,
}

/// What the lines of a file are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// What must be in the environment.
    Requirements,
    /// What a distribution must meet where it is present (`-c`).
    Constraints,
    /// What replaces every requirement on a distribution (`--override`).
    Overrides,
}

/// Which parts of a project are asked for beside its dependencies.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Extras (`--extra`).
    pub extras: Vec<ExtraName>,
    /// All extras (`--all-extras`).
    pub all_extras: bool,
    /// Dependency groups (`--group`, PEP 735), compared normalised.
    pub groups: Vec<String>,
}

/// Everything that was read.
#[derive(Debug, Clone, Default)]
pub struct Inputs {
    /// What must be in the environment, in reading order.
    pub requirements: Vec<Line>,
    /// What a distribution must meet where it is present.
    pub constraints: Vec<Line>,
    /// What replaces every requirement on a distribution.
    pub overrides: Vec<Line>,
    /// Requirements whose distribution only the archive or repository itself can name.
    pub unnamed: Vec<UnnamedLine>,
    /// The options that stood in requirements files.
    pub options: FileOptions,
    /// The Python versions that the projects are for; each must hold.
    pub requires_python: Vec<RequiresPython>,
    /// The names of the projects that were read, by file.
    pub projects: BTreeMap<Arc<str>, PackageName>,
    /// Projects whose dependencies only a build can tell.
    pub builds: Vec<BuildNeeded>,
    /// What the user should know: what was read but has no effect, as for pip.
    pub warnings: Vec<Warning>,
}

/// A direct reference whose distribution is not known yet.
#[derive(Debug, Clone)]
pub struct UnnamedLine {
    /// The extras asked of it, sorted, without repetition.
    pub extras: Vec<ExtraName>,
    /// Where it is.
    pub url: DirectUrl,
    /// When it is required.
    pub marker: MarkerTree,
    /// The requirement as written, without comment and options.
    pub text: String,
    /// Hashes given with the line: `(algorithm, hexadecimal)`.
    pub hashes: Vec<(String, String)>,
    /// Where it stands.
    pub place: Place,
}

impl UnnamedLine {
    /// The line, now that the distribution is known.
    pub fn named(self, name: PackageName) -> Line {
        Line {
            name,
            extras: self.extras,
            source: LineSource::Direct(self.url),
            marker: self.marker,
            text: self.text,
            hashes: self.hashes,
            place: self.place,
        }
    }
}

/// The options that stood in requirements files, later ones after earlier ones.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is one switch of the file format"
)]
pub struct FileOptions {
    /// `--index-url`: the last one.
    pub index_url: Option<FileOption>,
    /// `--extra-index-url`. As for pip, those before an `--index-url` do not count.
    pub extra_index_urls: Vec<FileOption>,
    /// `--no-index`
    pub no_index: bool,
    /// `--find-links`. The value is resolved: a path beside the requirements file wins.
    pub find_links: Vec<FileOption>,
    /// `--no-binary` and `--only-binary`, in order, for [`super::FormatControl::take`].
    pub formats: Vec<(FormatOption, FileOption)>,
    /// `--prefer-binary`
    pub prefer_binary: bool,
    /// `--require-hashes`
    pub require_hashes: bool,
    /// `--pre`
    pub pre: bool,
    /// `--trusted-host`
    pub trusted_hosts: Vec<FileOption>,
    /// `--use-feature`
    pub features: Vec<FileOption>,
}

/// An option's value in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileOption {
    /// The value, variables filled in: it may hold credentials.
    pub value: String,
    /// The value as written.
    pub written: String,
    /// Where the value stands.
    pub place: Place,
}

/// The Python versions that a project is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequiresPython {
    /// The versions.
    pub specifiers: VersionSpecifiers,
    /// Where it is said.
    pub place: Place,
}

/// A project whose dependencies only a build can tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildNeeded {
    /// The project's folder, as it follows from what the user named (`.` for here).
    pub folder: String,
    /// The file that says so.
    pub file: Arc<str>,
    /// What the lines are.
    pub role: Role,
    /// Why.
    pub reason: BuildReason,
}

/// Why only a build can tell a project's dependencies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BuildReason {
    /// A setup.py computes them.
    SetupPy,
    /// `[project]` lists these fields as dynamic.
    Dynamic(Vec<String>),
    /// pyproject.toml has no `[project]` table.
    NoProjectTable,
}

impl fmt::Display for BuildReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SetupPy => f.write_str("its setup.py computes them"),
            Self::Dynamic(fields) => {
                write!(
                    f,
                    "its pyproject.toml calls {} dynamic",
                    fields.join(" and ")
                )
            }
            Self::NoProjectTable => f.write_str("its pyproject.toml has no `[project]` table"),
        }
    }
}

/// Something that was read and has no effect, or one that surprises.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// Where it stands.
    pub place: Place,
    /// What the user should know.
    pub message: String,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.message)
    }
}
