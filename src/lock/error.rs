//! What can go wrong with a lock.

use pep440_rs::Version;
use pep508_rs::PackageName;

/// Why a lock cannot be made or read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, miette::Diagnostic)]
pub enum LockError {
    /// Files whose sha256 no index gives, and which must not be left out in silence.
    #[error("{}", missing_hashes(.files))]
    #[diagnostic(
        code(mlresolve::lock::missing_hashes),
        help("let the hashes be computed by download, or write the lock without hashes")
    )]
    MissingHashes {
        /// The files, sorted by distribution and file name.
        files: Vec<MissingHash>,
    },
    /// The hashes that the user's line gives fit none of the files.
    #[error("the hashes given for `{name}` fit no file of `{name} {version}`")]
    #[diagnostic(
        code(mlresolve::lock::hash_mismatch),
        help("check the `--hash` options of its line against the index")
    )]
    HashMismatch {
        /// The distribution.
        name: PackageName,
        /// The release.
        version: Version,
    },
    /// The hashes that the user's line gives fit only files for other targets.
    #[error("the hashes given for `{name}` are of `{file}`, which is not for this target")]
    #[diagnostic(
        code(mlresolve::lock::hash_elsewhere),
        help("add the `--hash` of a file for this target to its line, or leave them out")
    )]
    HashElsewhere {
        /// The distribution.
        name: PackageName,
        /// A file that they fit.
        file: String,
    },
    /// A repository whose commit is not known cannot be locked.
    #[error("`{name}` comes from version control, and its commit id is not known")]
    #[diagnostic(
        code(mlresolve::lock::no_commit),
        help("name a commit in its line: `{name} @ git+https://…@COMMIT`")
    )]
    NoCommit {
        /// The distribution.
        name: PackageName,
    },
    /// A release without any file that could be listed.
    #[error("`{name} {version}` has no file to list")]
    #[diagnostic(
        code(mlresolve::lock::no_files),
        help("pin another release of `{name}`, or admit its source distribution")
    )]
    NoFiles {
        /// The distribution.
        name: PackageName,
        /// The release.
        version: Version,
    },
    /// A lock file is not TOML.
    #[error("{file}:{line}:{column}: not valid TOML: {detail}")]
    #[diagnostic(
        code(mlresolve::lock::toml),
        help("restore the file, or remove it and lock again")
    )]
    Toml {
        /// The file, as the user named it.
        file: String,
        /// Line, counted from 1.
        line: u32,
        /// Column, counted from 1, in characters.
        column: u32,
        /// What is wrong.
        detail: String,
    },
    /// A lock file is TOML, but not what PEP 751 says a lock is.
    #[error("{file}:{line}:{column}: `{key}`: {detail}")]
    #[diagnostic(
        code(mlresolve::lock::malformed),
        help("restore the file, or remove it and lock again")
    )]
    Malformed {
        /// The file, as the user named it.
        file: String,
        /// Line, counted from 1.
        line: u32,
        /// Column, counted from 1, in characters.
        column: u32,
        /// The key at fault: `packages[3].wheels[0].url`.
        key: String,
        /// What was expected and what was found.
        detail: String,
    },
    /// A lock file of a version that this program does not know.
    #[error("{file}:{line}:{column}: lock-version `{version}` is not supported, only 1.x is")]
    #[diagnostic(
        code(mlresolve::lock::version),
        help("use a newer mlresolve, or remove the file and lock again")
    )]
    Version {
        /// The file, as the user named it.
        file: String,
        /// Line, counted from 1.
        line: u32,
        /// Column, counted from 1, in characters.
        column: u32,
        /// The version found.
        version: String,
    },
}

/// A file whose sha256 must be computed before it can be locked.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct MissingHash {
    /// The distribution.
    pub name: PackageName,
    /// The file name.
    pub filename: String,
    /// Where it can be downloaded, without credentials.
    pub url: String,
}

/// How many files a message names before it only counts them.
const NAMED: usize = 3;

fn missing_hashes(files: &[MissingHash]) -> String {
    let mut names: Vec<String> = files
        .iter()
        .take(NAMED)
        .map(|file| format!("`{}`", file.filename))
        .collect();
    if files.len() > NAMED {
        names.push(format!("{} more", files.len() - NAMED));
    }
    format!("no index gives a sha256 for {}", names.join(", "))
}
