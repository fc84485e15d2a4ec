//! What a lock holds, whatever the format it is written in.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use pep440_rs::Version;
use pep508_rs::{ExtraName, PackageName};

use crate::Target;
use crate::metadata::FileHash;
use crate::request::{Pin, Policy};
use crate::target::TargetWords;
use crate::variants::VariantsJson;

/// A fully pinned set of distributions for one target.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Lock {
    /// What was locked, sorted by name.
    pub packages: Vec<LockedPackage>,
    /// The environment it is for.
    pub target: TargetRecord,
    /// How it came to be: program, options, rules.
    pub provenance: Provenance,
    /// What an installer must be told beside the pins.
    pub options: InstallerOptions,
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
    /// When it is to be installed (PEP 508), where the user's line says so.
    pub marker: Option<String>,
    /// Where it comes from.
    pub source: Source,
    /// `Requires-Python` of its metadata, as valid specifiers.
    pub requires_python: Option<String>,
    /// The files that may be installed, sorted by name; empty where only their hashes are
    /// listed, or the format that was read does not list them. Every file from an index has a
    /// sha256.
    pub files: Vec<LockedFile>,
    /// The hashes that an installer may accept. Those of `files`, or those that an
    /// existing lock recorded for the same version; empty where none are wanted.
    pub hashes: BTreeSet<FileHash>,
    /// The files that are not listed. No index gives their hash and they do not suit the
    /// target, so that computing it would be a download for nothing; or they are further
    /// source distributions, of which pylock.toml lists one.
    pub left_out: BTreeSet<String>,
    /// What it requires, by name, among the locked packages; sorted.
    pub dependencies: Vec<PackageName>,
    /// Who asked for it, sorted.
    pub via: BTreeSet<Via>,
    /// The rules that limited it or pulled it in, for the trail: those in `via`.
    pub rules: BTreeSet<String>,
    /// The wheel variant that it is locked in; `files` has those with its label and no others.
    pub variant: Option<LockedVariant>,
}

/// The wheel variant that a distribution is locked in (PEP 825, draft).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockedVariant {
    /// The label.
    pub label: String,
    /// What the release's labels stand for; `None` where nothing tells, or the format that was
    /// read does not.
    pub document: Option<Arc<VariantsJson>>,
}

/// One file of a locked distribution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockedFile {
    /// The file name.
    pub filename: String,
    /// The absolute URL, without credentials, or the path relative to the lock.
    pub location: String,
    /// Hashes by algorithm (`sha256`), hexadecimal, lower case.
    pub hashes: BTreeMap<String, String>,
    /// Size in bytes, where it is known.
    pub size: Option<u64>,
    /// When the file was uploaded, where it is known.
    pub upload_time: Option<Timestamp>,
}

/// Where a locked distribution comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// An index, by URL without credentials; `None` where the format does not say which.
    Index(Option<String>),
    /// An archive at a URL or local path.
    Archive {
        /// The absolute URL, without credentials; a local path as the user wrote it.
        url: String,
        /// As written, without credentials.
        given: String,
        /// The folder inside it.
        subdirectory: Option<String>,
    },
    /// A local folder.
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
    /// A requirements file, by its path (`-r requirements.in`).
    File(String),
    /// A project's own metadata, as it reads: `project (pyproject.toml)`.
    Project(String),
    /// A constraints file, by its path (`-c constraints.txt`).
    Constraint(String),
    /// A file of overrides, by its path (`--override overrides.txt`).
    Override(String),
    /// Another locked distribution.
    Package(PackageName),
    /// A rule that limited it or pulled it in, by its id (`rule torch/numpy1-abi`).
    Rule(String),
}

/// The environment a lock was made for, as it is written down.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TargetRecord {
    /// The word for the Python: `3.11`, `3.11.4`, `3.13t`, `pypy3.10`.
    pub python: String,
    /// The platform, as `--python-platform` takes it: `x86_64-manylinux_2_28`.
    pub platform: String,
    /// The markers of a target that was read off a machine which the words above do not
    /// imply (`platform_release`).
    pub detected: BTreeMap<String, String>,
    /// What is stated of the accelerator: `cuda`, `driver`, `gpu` with their values;
    /// empty where nothing is.
    pub accelerator: BTreeMap<String, String>,
    /// The values of the environment markers that tell this environment from others,
    /// for pylock's `environments`.
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
    /// What the lock adds to, where it was made on top of a base: it is then to be installed
    /// with `--no-deps`.
    pub base: Option<String>,
    /// The requirements that a rule or option removed or replaced, in words, sorted.
    pub changed_edges: Vec<String>,
    /// The indexes that were used, without credentials, in order; the first is the default one.
    pub indexes: Vec<String>,
}

/// What an installer must be told beside the pins: the option lines of a requirements file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct InstallerOptions {
    /// The main index, where it is not the one that installers use by themselves.
    pub index_url: Option<String>,
    /// Further indexes, in order.
    pub extra_index_urls: Vec<String>,
    /// Pages and folders with links to files, in order.
    pub find_links: Vec<String>,
    /// Hosts whose certificates are not checked, in order.
    pub trusted_hosts: Vec<String>,
    /// Distributions for which no wheel is used: names, or `:all:`.
    pub no_binary: BTreeSet<String>,
    /// Distributions for which only wheels are used: names, or `:all:`.
    pub only_binary: BTreeSet<String>,
}

impl Lock {
    /// The locked distribution of this name; the first of them, where a lock made by
    /// another program holds several.
    pub fn package(&self, name: &PackageName) -> Option<&LockedPackage> {
        self.packages.iter().find(|package| &package.name == name)
    }

    /// What a new solve keeps of this lock: the pins to index releases with their hashes.
    ///
    /// A distribution that is locked several times (other programs write one entry per
    /// environment) is left out, since it has no one version to keep.
    pub fn pins(&self) -> BTreeMap<PackageName, Pin> {
        let mut pins = BTreeMap::new();
        let mut several = BTreeSet::new();
        for package in &self.packages {
            let (Source::Index(_), Some(version)) = (&package.source, &package.version) else {
                continue;
            };
            let pin = Pin {
                version: version.clone(),
                hashes: package.hashes.iter().cloned().collect(),
            };
            if pins.insert(package.name.clone(), pin).is_some() {
                several.insert(package.name.clone());
            }
        }
        pins.retain(|name, _| !several.contains(name));
        pins
    }
}

impl LockedPackage {
    /// An entry with nothing but its name and source.
    pub fn new(name: PackageName, source: Source) -> Self {
        Self {
            name,
            version: None,
            extras: BTreeSet::new(),
            marker: None,
            source,
            requires_python: None,
            files: Vec::new(),
            hashes: BTreeSet::new(),
            left_out: BTreeSet::new(),
            dependencies: Vec::new(),
            via: BTreeSet::new(),
            rules: BTreeSet::new(),
            variant: None,
        }
    }
}

impl Source {
    /// Whether it is to be installed in editable mode.
    pub fn editable(&self) -> bool {
        matches!(
            self,
            Self::Directory { editable: true, .. } | Self::Vcs { editable: true, .. }
        )
    }
}

impl Via {
    /// What an annotation's words mean.
    pub fn parse(text: &str) -> Self {
        let text = text.trim();
        if let Some(path) = text.strip_prefix("-r ") {
            Self::File(path.trim().to_owned())
        } else if let Some(path) = text.strip_prefix("-c ") {
            Self::Constraint(path.trim().to_owned())
        } else if let Some(path) = text.strip_prefix("--override ") {
            Self::Override(path.trim().to_owned())
        } else if let Some(id) = text.strip_prefix("rule ") {
            Self::Rule(id.trim().to_owned())
        } else if let Some(name) = text.parse().ok().filter(|_| !text.is_empty()) {
            Self::Package(name)
        } else {
            Self::Project(text.to_owned())
        }
    }
}

impl fmt::Display for Via {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "-r {path}"),
            Self::Project(text) => f.write_str(text),
            Self::Constraint(path) => write!(f, "-c {path}"),
            Self::Override(path) => write!(f, "--override {path}"),
            Self::Package(name) => write!(f, "{name}"),
            Self::Rule(id) => write!(f, "rule {id}"),
        }
    }
}

impl TargetRecord {
    /// What a lock records of a target.
    pub fn of(target: &Target) -> Self {
        let words = target.words();
        let markers = &target.markers;
        let python = markers.python_version().to_string();
        let telling = [
            ("implementation_name", markers.implementation_name()),
            ("platform_machine", markers.platform_machine()),
            ("python_version", &python),
            ("sys_platform", markers.sys_platform()),
        ];
        Self {
            python: words.python,
            platform: words.platform,
            detected: words.markers,
            accelerator: words.accelerator,
            markers: telling
                .into_iter()
                .filter(|(_, value)| !value.is_empty())
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
        }
    }

    /// The words that the recorded target is made of again; `None` where the lock does
    /// not say what it was made for.
    pub fn words(&self) -> Option<TargetWords> {
        (!self.python.is_empty() && !self.platform.is_empty()).then(|| TargetWords {
            python: self.python.clone(),
            platform: self.platform.clone(),
            markers: self.detected.clone(),
            accelerator: self.accelerator.clone(),
        })
    }

    /// The release numbers in the word for the Python: `[3, 11]` of `3.11`, `3.11t` and
    /// `pypy3.11`.
    pub(super) fn python_release(&self) -> Vec<u32> {
        let word = self
            .python
            .trim_start_matches(|letter: char| !letter.is_ascii_digit());
        let end = word
            .find(|letter: char| !(letter.is_ascii_digit() || letter == '.'))
            .unwrap_or(word.len());
        word.get(..end)
            .unwrap_or_default()
            .split('.')
            .map_while(|number| number.parse().ok())
            .collect()
    }
}

impl InstallerOptions {
    /// The format control (`--no-binary`, `--only-binary`) that a policy amounts to.
    pub fn format_control(policy: &Policy) -> Self {
        let mut options = Self::default();
        let names = |except: &BTreeSet<PackageName>| -> Vec<String> {
            except.iter().map(ToString::to_string).collect()
        };
        let (wheels, sdists) = (&policy.wheels, &policy.sdists);
        if wheels.all {
            options.no_binary.extend(names(&wheels.except));
        } else {
            options.no_binary.insert(":all:".to_owned());
            options.only_binary.extend(names(&wheels.except));
        }
        if sdists.all {
            options.only_binary.extend(names(&sdists.except));
        } else {
            options.only_binary.insert(":all:".to_owned());
            options.no_binary.extend(names(&sdists.except));
        }
        options
    }

    /// Whether nothing has to be told.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Whether a reference is a path and not a URL.
pub(super) fn is_path(reference: &str) -> bool {
    !reference.contains("://") && !reference.starts_with("file:")
}

/// A local folder as a path, where it was given as a `file:` URL.
pub(super) fn directory_path(given: &str) -> &str {
    given
        .strip_prefix("file://")
        .or_else(|| given.strip_prefix("file:"))
        .unwrap_or(given)
}

/// Every hash of the files.
pub(super) fn hashes_of(files: &[LockedFile]) -> BTreeSet<FileHash> {
    files
        .iter()
        .flat_map(|file| &file.hashes)
        .map(|(algorithm, digest)| FileHash::new(algorithm, digest))
        .collect()
}
