//! The word for a Python: `3.11`, `3.11.4`, `3.13t`, `pypy3.10`.

use std::fmt;
use std::str::FromStr;

use pep440_rs::{Prerelease, PrereleaseKind, Version};

use super::TargetError;

/// The oldest minor version of Python 3 that a lock can be for.
const OLDEST_MINOR: u8 = 6;
/// No Python 3 will have more minor versions; tags are made for each of them.
const GREATEST_MINOR: u64 = 99;
/// The PyPy release line whose ABI a PyPy has that is declared without its own version.
const PYPY_DEFAULT: [u64; 2] = [7, 3];

/// An implementation of Python, with what wheel tags say of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Implementation {
    /// CPython.
    CPython {
        /// Whether it is a build without the global interpreter lock (PEP 703).
        free_threaded: bool,
    },
    /// PyPy.
    PyPy {
        /// PyPy's own version (`7.3.17`), where it is known.
        version: Option<Version>,
    },
}

/// A Python as one word says it. Parsing what `Display` writes gives the same word.
///
/// The patch number may be left open: then it is the first release of its minor
/// version, and later ones are taken to be compatible.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PythonWord {
    implementation: Implementation,
    minor: u8,
    patch: Option<u64>,
    pre: Option<Prerelease>,
}

impl PythonWord {
    /// A Python of the given implementation and version (`3.11`, `3.11.4`, `3.15.0b2`).
    pub fn new(implementation: Implementation, version: &Version) -> Result<Self, TargetError> {
        Self::checked(implementation, version).map_err(|detail| TargetError::Python {
            given: version.to_string(),
            detail,
        })
    }

    fn checked(implementation: Implementation, version: &Version) -> Result<Self, String> {
        if version.epoch() != 0
            || version.is_post()
            || version.is_dev()
            || version.is_local()
            || version.release().len() > 3
        {
            return Err(String::from("no Python has such a version"));
        }
        let (minor, patch) = match *version.release() {
            [3, minor] => (minor, None),
            [3, minor, patch] => (minor, Some(patch)),
            [3] => return Err(String::from("its minor version is missing")),
            _ => return Err(String::from("only Python 3 is supported")),
        };
        let minor = u8::try_from(minor)
            .ok()
            .filter(|minor| u64::from(*minor) <= GREATEST_MINOR)
            .ok_or_else(|| String::from("there is no such minor version"))?;
        if minor < OLDEST_MINOR {
            return Err(format!(
                "Python 3.{OLDEST_MINOR} is the oldest that is supported"
            ));
        }
        if let Implementation::CPython {
            free_threaded: true,
        } = implementation
            && minor < 13
        {
            return Err(String::from("free-threaded builds begin with Python 3.13"));
        }
        Ok(Self {
            implementation,
            minor,
            // A pre-release is one exact release: `3.15b1` is `3.15.0b1`.
            patch: patch.or(version.pre().map(|_| 0)),
            pre: version.pre(),
        })
    }

    /// The implementation.
    pub fn implementation(&self) -> &Implementation {
        &self.implementation
    }

    /// The minor version: 11 in `3.11.4`.
    pub fn minor(&self) -> u8 {
        self.minor
    }

    /// Whether the word names one release, and not a minor version.
    pub fn is_exact(&self) -> bool {
        self.patch.is_some()
    }

    /// Whether it is a free-threaded build (PEP 703).
    pub fn is_free_threaded(&self) -> bool {
        matches!(
            self.implementation,
            Implementation::CPython {
                free_threaded: true
            }
        )
    }

    /// Whether it is a PyPy.
    pub fn is_pypy(&self) -> bool {
        matches!(self.implementation, Implementation::PyPy { .. })
    }

    /// Major, minor and patch number; the patch number is 0 where it was left open.
    pub fn version(&self) -> Version {
        Version::new([3, u64::from(self.minor), self.patch.unwrap_or(0)])
    }

    /// The same with its pre-release label: the marker `python_full_version`.
    pub fn full_version(&self) -> Version {
        self.version().with_pre(self.pre)
    }

    /// PyPy's own version, as far as it is known; nothing for CPython.
    pub(super) fn pypy_version(&self) -> Option<Version> {
        match &self.implementation {
            Implementation::CPython { .. } => None,
            Implementation::PyPy { version } => Some(
                version
                    .clone()
                    .unwrap_or_else(|| Version::new(PYPY_DEFAULT)),
            ),
        }
    }

    /// Whether the Python `found` is what this word asks for.
    pub fn accepts(&self, found: &Self) -> bool {
        let implementation = match (&self.implementation, &found.implementation) {
            (Implementation::PyPy { version: None }, Implementation::PyPy { .. }) => true,
            (asked, found) => asked == found,
        };
        implementation
            && self.minor == found.minor
            && self
                .patch
                .is_none_or(|patch| found.patch == Some(patch) && found.pre == self.pre)
    }

    /// The words for people: `CPython 3.11`, `CPython 3.13 (free-threaded)`, `PyPy 3.10`.
    pub fn describe(&self) -> String {
        let (name, suffix) = match self.implementation {
            Implementation::CPython {
                free_threaded: false,
            } => ("CPython", ""),
            Implementation::CPython {
                free_threaded: true,
            } => ("CPython", " (free-threaded)"),
            Implementation::PyPy { .. } => ("PyPy", ""),
        };
        format!("{name} {}{suffix}", self.numbers())
    }

    /// The version as far as it was given: `3.11`, `3.11.4`, `3.15.0b2`.
    fn numbers(&self) -> String {
        match (self.patch, self.pre) {
            (None, _) => format!("3.{}", self.minor),
            (Some(patch), None) => format!("3.{}.{patch}", self.minor),
            (Some(patch), Some(pre)) => {
                let kind = match pre.kind {
                    PrereleaseKind::Alpha => "a",
                    PrereleaseKind::Beta => "b",
                    PrereleaseKind::Rc => "rc",
                };
                format!("3.{}.{patch}{kind}{}", self.minor, pre.number)
            }
        }
    }
}

impl fmt::Display for PythonWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let numbers = self.numbers();
        match &self.implementation {
            Implementation::CPython {
                free_threaded: false,
            } => write!(f, "{numbers}"),
            Implementation::CPython {
                free_threaded: true,
            } => write!(f, "{numbers}t"),
            Implementation::PyPy { version: None } => write!(f, "pypy{numbers}"),
            Implementation::PyPy {
                version: Some(version),
            } => write!(f, "pypy{numbers}-{version}"),
        }
    }
}

impl FromStr for PythonWord {
    type Err = TargetError;

    /// Reads `3.11`, `3.11.4`, `311`, `cp311`, `python3.11`, `cpython-3.11`, `3.13t`,
    /// `3.13+freethreaded`, `pypy3.10`, `pp310`, `pypy3.10-7.3.17`.
    fn from_str(given: &str) -> Result<Self, TargetError> {
        parse(&given.trim().to_ascii_lowercase()).map_err(|detail| TargetError::Python {
            given: given.to_owned(),
            detail,
        })
    }
}

fn parse(word: &str) -> Result<PythonWord, String> {
    let letters = word
        .find(|c: char| !c.is_ascii_alphabetic())
        .unwrap_or(word.len());
    let (name, rest) = word.split_at(letters);
    let rest = rest
        .strip_prefix('-')
        .filter(|_| !name.is_empty())
        .unwrap_or(rest);
    let not_a_version = || String::from("it is not a version");
    if name == "pypy" || name == "pp" {
        let (numbers, own) = match rest.split_once('-') {
            Some((numbers, own)) => {
                let own = own.strip_prefix('v').unwrap_or(own);
                (
                    numbers,
                    Some(own.parse::<Version>().map_err(|_| not_a_version())?),
                )
            }
            None => (rest, None),
        };
        if own.as_ref().is_some_and(|own| own.release().len() < 2) {
            return Err(String::from(
                "PyPy's own version needs two numbers at least",
            ));
        }
        let version = dotted(numbers).parse().map_err(|_| not_a_version())?;
        return PythonWord::checked(Implementation::PyPy { version: own }, &version);
    }
    if !matches!(name, "" | "python" | "cpython" | "cp" | "py") {
        return Err(format!("the implementation `{name}` is not known"));
    }
    let (numbers, free_threaded) = match rest
        .strip_suffix("+freethreaded")
        .or_else(|| rest.strip_suffix('t'))
    {
        Some(numbers) => (numbers, true),
        None => (rest, false),
    };
    let version = dotted(numbers).parse().map_err(|_| not_a_version())?;
    PythonWord::checked(Implementation::CPython { free_threaded }, &version)
}

/// `311` as `3.11`, as wheel tags and pip write it; anything else as it is.
fn dotted(numbers: &str) -> String {
    match numbers.strip_prefix('3') {
        Some(minor) if !minor.is_empty() && minor.bytes().all(|b| b.is_ascii_digit()) => {
            format!("3.{minor}")
        }
        _ => numbers.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed parse fails the test")]

    use super::*;

    #[test]
    fn words_are_read_and_written() {
        for (given, written, full, described) in [
            ("3.11", "3.11", "3.11.0", "CPython 3.11"),
            ("3.11.4", "3.11.4", "3.11.4", "CPython 3.11.4"),
            ("311", "3.11", "3.11.0", "CPython 3.11"),
            ("39", "3.9", "3.9.0", "CPython 3.9"),
            ("cp310", "3.10", "3.10.0", "CPython 3.10"),
            (" Python3.12 ", "3.12", "3.12.0", "CPython 3.12"),
            ("cpython-3.12.1", "3.12.1", "3.12.1", "CPython 3.12.1"),
            ("3.13t", "3.13t", "3.13.0", "CPython 3.13 (free-threaded)"),
            ("cp314t", "3.14t", "3.14.0", "CPython 3.14 (free-threaded)"),
            (
                "3.13.2+freethreaded",
                "3.13.2t",
                "3.13.2",
                "CPython 3.13.2 (free-threaded)",
            ),
            ("3.15.0b2", "3.15.0b2", "3.15.0b2", "CPython 3.15.0b2"),
            (
                "3.15rc1t",
                "3.15.0rc1t",
                "3.15.0rc1",
                "CPython 3.15.0rc1 (free-threaded)",
            ),
            ("pypy3.10", "pypy3.10", "3.10.0", "PyPy 3.10"),
            ("pp310", "pypy3.10", "3.10.0", "PyPy 3.10"),
            (
                "pypy3.10.14-v7.3.17",
                "pypy3.10.14-7.3.17",
                "3.10.14",
                "PyPy 3.10.14",
            ),
        ] {
            let word: PythonWord = given.parse().unwrap();
            assert_eq!(word.to_string(), written, "{given}");
            assert_eq!(word.full_version().to_string(), full, "{given}");
            assert_eq!(word.describe(), described, "{given}");
            assert_eq!(written.parse::<PythonWord>().unwrap(), word, "{given}");
        }
    }

    #[test]
    fn other_words_are_refused_with_the_reason() {
        for (given, reason) in [
            ("", "it is not a version"),
            ("3", "its minor version is missing"),
            ("2.7", "only Python 3 is supported"),
            ("4.0", "only Python 3 is supported"),
            ("27", "only Python 3 is supported"),
            ("3.5", "Python 3.6 is the oldest that is supported"),
            ("3.12t", "free-threaded builds begin with Python 3.13"),
            ("3.100", "there is no such minor version"),
            ("3.99999999999", "there is no such minor version"),
            ("3.11.4.1", "no Python has such a version"),
            ("1!3.11", "no Python has such a version"),
            ("3.11.dev1", "no Python has such a version"),
            ("3.x", "it is not a version"),
            ("3.11é", "it is not a version"),
            ("graalpy3.11", "the implementation `graalpy` is not known"),
            (
                "pypy3.10-7",
                "PyPy's own version needs two numbers at least",
            ),
        ] {
            let error = given.parse::<PythonWord>().unwrap_err();
            assert!(
                matches!(&error, TargetError::Python { detail, .. } if detail == reason),
                "{given}: {error}"
            );
        }
    }

    #[test]
    fn a_word_accepts_the_releases_it_leaves_open() {
        for (asked, found, accepted) in [
            ("3.11", "3.11.7", true),
            ("3.11.7", "3.11.7", true),
            ("3.11.4", "3.11.7", false),
            ("3.13", "3.13.1t", false),
            ("3.13t", "3.13.1t", true),
            ("3.15.0", "3.15.0b1", false),
            ("pypy3.10", "pypy3.10.14-7.3.17", true),
            ("3.10", "pypy3.10.14-7.3.17", false),
        ] {
            let (asked, found): (PythonWord, PythonWord) =
                (asked.parse().unwrap(), found.parse().unwrap());
            assert_eq!(asked.accepts(&found), accepted, "{asked} {found}");
        }
    }
}
