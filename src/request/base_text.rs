//! Reading what is installed from the output of `pip freeze`, or from pins.
//!
//! Lines are `NAME==VERSION`, `NAME @ URL` and `-e …`. The version behind a URL is the one
//! in its file name; a repository or folder tells none. Nothing is looked up: the paths and
//! URLs are those of the machine that the list was made on.

use std::fmt::Write as _;
use std::str::FromStr as _;
use std::sync::Arc;

use pep440_rs::Version;
use pep508_rs::PackageName;

use super::base::{Base, BasePackage};
use super::{Place, names, url_text};
use crate::metadata::FileKind;

/// What begins the comment in which a base says what it is for:
/// `# mlresolve-base: python 3.12, platform x86_64-manylinux_2_35`.
const HEADER: &str = "mlresolve-base:";

/// A line of a base that says nothing of what is installed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {detail}: `{text}`")]
pub struct BaseError {
    /// The file.
    pub file: String,
    /// The line, counted from 1.
    pub line: u32,
    /// The line as written, without passwords.
    pub text: String,
    /// What is wrong with it.
    pub detail: String,
}

impl BaseError {
    /// What to do about it.
    pub fn advice(&self) -> &'static str {
        "a base says what is installed, a package a line: `NAME==VERSION` or `NAME @ URL`, as \
         `pip freeze` prints it"
    }
}

impl Base {
    /// Reads what `pip freeze` printed, or another list of pins.
    ///
    /// # Errors
    ///
    /// [`BaseError`] names the first line that pins nothing.
    pub fn read(text: &str, file: &str) -> Result<Self, BaseError> {
        let mut reader = Reader {
            base: Self {
                name: file.to_owned(),
                ..Self::default()
            },
            file: Arc::from(file),
            editable: None,
        };
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut logical = String::new();
        let mut start = 1;
        for (number, physical) in (1..).zip(text.lines()) {
            if logical.is_empty() {
                start = number;
            }
            let continued = !physical.trim_start().starts_with('#');
            if let Some(part) = physical.strip_suffix('\\').filter(|_| continued) {
                logical.push_str(part);
                logical.push(' ');
                continue;
            }
            logical.push_str(physical);
            reader.line(logical.trim(), start)?;
            logical.clear();
        }
        reader.line(logical.trim(), start)?;
        Ok(reader.base)
    }

    /// The base as text that [`Base::read`] reads, sorted by name.
    pub fn write(&self) -> String {
        let mut text = String::new();
        let words: Vec<String> = [("python", &self.python), ("platform", &self.platform)]
            .into_iter()
            .filter_map(|(key, value)| Some(format!("{key} {}", value.as_ref()?)))
            .collect();
        if !words.is_empty() {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "# {HEADER} {}", words.join(", "));
        }
        for (name, package) in &self.packages {
            let version_told = package
                .url
                .as_ref()
                .is_some_and(|url| version_in(url, name) == package.version);
            let line = match (&package.url, &package.version) {
                (Some(url), _) if version_told => format!("{name} @ {}\n", url_text::blot(url)),
                (_, Some(version)) => format!("{name}=={version}\n"),
                (_, None) => format!("# {name}: its version is not known\n"),
            };
            text.push_str(&line);
        }
        text
    }
}

struct Reader {
    base: Base,
    file: Arc<str>,
    /// Name and version that a comment gives for the editable line below it.
    editable: Option<(PackageName, Option<Version>)>,
}

impl Reader {
    fn line(&mut self, text: &str, number: u32) -> Result<(), BaseError> {
        if let Some(comment) = text.strip_prefix('#') {
            self.comment(comment.trim());
            return Ok(());
        }
        let text = text.split(" #").next().unwrap_or_default().trim();
        if text.is_empty() {
            return Ok(());
        }
        let wrong = |detail: &str| BaseError {
            file: self.file.to_string(),
            line: number,
            text: url_text::blot(text),
            detail: detail.to_owned(),
        };
        let editable = text
            .strip_prefix("-e ")
            .or_else(|| text.strip_prefix("--editable "))
            .or_else(|| text.strip_prefix("--editable="));
        if let Some(reference) = editable {
            let (name, version) = match self.editable.take() {
                Some(known) => known,
                None => (
                    egg(reference).ok_or_else(|| wrong("it names no package"))?,
                    None,
                ),
            };
            self.add(name, version, Some(reference.trim().to_owned()), number);
            return Ok(());
        }
        if text.starts_with("-r") || text.starts_with("-c") || text.starts_with("--requirement") {
            return Err(wrong("it names another file"));
        }
        if text.starts_with('-') {
            return Ok(());
        }
        // Hashes and markers say nothing of what is installed.
        let text = text.split(" --").next().unwrap_or_default().trim();
        if let Some((name, url)) = text.split_once(" @ ") {
            let name = package(name).ok_or_else(|| wrong("it begins with no name"))?;
            let url = url.split(" ;").next().unwrap_or_default().trim();
            let version = version_in(url, &name);
            self.add(name, version, Some(url.to_owned()), number);
            return Ok(());
        }
        let pin = text.split(';').next().unwrap_or_default();
        let (name, version) = pin
            .split_once("===")
            .or_else(|| pin.split_once("=="))
            .ok_or_else(|| wrong("it is not pinned"))?;
        let name = package(name).ok_or_else(|| wrong("it begins with no name"))?;
        let version = version.trim();
        if version.is_empty() || version.contains([',', '*', ' ']) {
            return Err(wrong("it is not pinned to one version"));
        }
        // Distributors give packages versions that PEP 440 does not know.
        self.add(name, Version::from_str(version).ok(), None, number);
        Ok(())
    }

    fn comment(&mut self, comment: &str) {
        if let Some(words) = comment.strip_prefix(HEADER) {
            for pair in words.split(',') {
                match pair.trim().split_once(' ') {
                    Some(("python", value)) => self.base.python = Some(value.trim().to_owned()),
                    Some(("platform", value)) => {
                        self.base.platform = Some(value.trim().to_owned());
                    }
                    _ => {}
                }
            }
        }
        // `# Editable install with no version control (NAME==VERSION)`
        self.editable = comment
            .strip_prefix("Editable ")
            .and_then(|rest| rest.rsplit_once('(')?.1.strip_suffix(')'))
            .and_then(|pin| {
                let (name, version) = pin.split_once("==").unwrap_or((pin, ""));
                Some((package(name)?, Version::from_str(version).ok()))
            });
    }

    fn add(&mut self, name: PackageName, version: Option<Version>, url: Option<String>, line: u32) {
        let place = Place {
            file: Arc::clone(&self.file),
            line,
            column: 1,
        };
        self.base.packages.insert(
            name,
            BasePackage {
                version,
                metadata: None,
                url,
                place,
            },
        );
    }
}

/// A name, with extras that are of no matter here.
fn package(text: &str) -> Option<PackageName> {
    names::package(text.split('[').next().unwrap_or_default().trim())
}

/// The name in `#egg=NAME` of a reference.
fn egg(reference: &str) -> Option<PackageName> {
    let (_, fragment) = reference.split_once('#')?;
    fragment
        .split('&')
        .find_map(|part| part.strip_prefix("egg="))
        .and_then(|name| package(&url_text::percent_decode(name)))
}

impl super::Line {
    /// The version that the file name of a URL gives, where the URL is of an archive of the
    /// line's distribution.
    pub fn version_in_url(&self, url: &str) -> Option<Version> {
        version_in(url, &self.name)
    }
}

/// The version that the file name of a URL gives.
fn version_in(url: &str, name: &PackageName) -> Option<Version> {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    let file = url_text::percent_decode(path.rsplit('/').next().unwrap_or_default());
    FileKind::parse(&file, name)
        .ok()
        .map(|kind| kind.version().clone())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed parse fails the test")]

    use super::*;

    fn version(base: &Base, name: &str) -> Option<String> {
        let package = &base.packages[&PackageName::from_str(name).unwrap()];
        package.version.as_ref().map(ToString::to_string)
    }

    #[test]
    fn every_line_that_pip_freeze_prints_is_understood() {
        let base = Base::read(
            "# mlresolve-base: python 3.12, platform linux\n\
             numpy==2.0.2\n\
             torch @ https://files.example/cu126/torch-2.9.0%2Bcu126-cp312-cp312-linux_x86_64.whl\n\
             google-colab @ file:///colabtools/dist/google_colab-1.0.0.tar.gz\n\
             kernel_gateway @ git+https://github.com/example/gateway@b134e99\n\
             -e git+https://github.com/example/tool@abc#egg=My_Tool&subdirectory=x\n\
             # Editable install with no version control (local-thing==0.3)\n\
             -e /content/thing\n\
             python-apt==2.7.7+ubuntu4\n\
             system-thing==0.23ubuntu1\n\
             cryptography===41.0.7 \\\n    --hash=sha256:00 ; python_version > '3'\n",
            "base.txt",
        )
        .unwrap();
        assert_eq!(base.python.as_deref(), Some("3.12"));
        assert_eq!(base.platform.as_deref(), Some("linux"));
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(version(&base, "numpy"), some("2.0.2"));
        assert_eq!(version(&base, "torch"), some("2.9.0+cu126"));
        assert_eq!(version(&base, "google-colab"), some("1.0.0"));
        assert_eq!(version(&base, "kernel-gateway"), None);
        assert_eq!(version(&base, "my-tool"), None);
        assert_eq!(version(&base, "local-thing"), some("0.3"));
        assert_eq!(version(&base, "python-apt"), some("2.7.7+ubuntu4"));
        assert_eq!(version(&base, "system-thing"), None);
        assert_eq!(version(&base, "cryptography"), some("41.0.7"));
        assert_eq!(base.packages.len(), 9);
        let again = Base::read(&base.write(), "base.txt").unwrap();
        assert_eq!(again.releases(), base.releases());
    }

    #[test]
    fn what_pins_nothing_is_an_error_with_its_line() {
        for (text, message) in [
            (
                "numpy==2.0\npandas>=2\n",
                "base.txt:2: it is not pinned: `pandas>=2`",
            ),
            (
                "numpy==2.*\n",
                "base.txt:1: it is not pinned to one version: `numpy==2.*`",
            ),
            (
                "-r other.txt\n",
                "base.txt:1: it names another file: `-r other.txt`",
            ),
            (
                "-e /content/thing\n",
                "base.txt:1: it names no package: `-e /content/thing`",
            ),
        ] {
            assert_eq!(
                Base::read(text, "base.txt").unwrap_err().to_string(),
                message
            );
        }
    }
}
