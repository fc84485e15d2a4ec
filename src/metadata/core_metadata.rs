//! Core metadata: the METADATA file of a wheel, the PKG-INFO of a source distribution.

use std::fmt::Write as _;
use std::str::FromStr;

use pep440_rs::{Version, VersionSpecifiers};
use pep508_rs::{ExtraName, MarkerTree, PackageName};

use super::egg_info::EggRequires;
use super::requirement::Parsed;
use super::{Extras, Repair, Requires, repair, requirement};

/// What one file's core metadata says that matters for resolving.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metadata {
    /// The normalised name.
    pub name: PackageName,
    /// The version.
    pub version: Version,
    /// `Requires-Python`.
    pub requires_python: Option<VersionSpecifiers>,
    /// `Requires-Dist`, in file order.
    pub requires_dist: Requires,
    /// `Provides-Extra`, normalised, sorted, without repetition.
    pub provides_extras: Extras,
    /// What was repaired in it, so that `-v` can tell.
    pub repairs: Vec<Repair>,
    /// Its source distribution marks the requirements dynamic: these are those that it was
    /// packed with, and its build may find others on another machine (PEP 643).
    pub may_differ: bool,
}

/// One `Requires-Dist` of a file's metadata.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dependency {
    /// The distribution that is required.
    pub name: PackageName,
    /// The extras asked of it, sorted.
    pub extras: Vec<ExtraName>,
    /// Which of its releases, or from where.
    pub source: DependencySource,
    /// When it is required; `extra` terms included.
    pub marker: MarkerTree,
}

/// Which releases a dependency accepts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DependencySource {
    /// Any release that the specifiers contain; empty specifiers contain all.
    Specifiers(VersionSpecifiers),
    /// What is found at a URL (PEP 508 `name @ url`), as written.
    Url(String),
}

/// Why one file's metadata makes it unusable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MetadataError {
    /// A field that must be there is not.
    #[error("its metadata has no `{field}`")]
    Missing {
        /// The field's name.
        field: &'static str,
    },
    /// A field's value cannot be understood, even after the published repairs.
    #[error(
        "its metadata has an unreadable `{field}`: `{}`: {}",
        Shortened(value),
        Shortened(detail)
    )]
    Malformed {
        /// The field's name.
        field: &'static str,
        /// The value as written.
        value: String,
        /// What is wrong with it.
        detail: String,
    },
    /// Name or version differ from the file name's.
    #[error("its metadata is for `{found}`, its file name for `{expected}`")]
    Mismatch {
        /// Name and version by the file name.
        expected: String,
        /// Name and version by the metadata.
        found: String,
    },
}

/// A text of somebody else's, in a message: on one line, and as much of it as tells what it is.
pub(super) struct Shortened<'t>(pub(super) &'t str);

impl Shortened<'_> {
    /// How many characters are shown. A requirement that somebody wrote has fewer.
    const SHOWN: usize = 1000;
}

impl std::fmt::Display for Shortened<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut characters = self.0.chars();
        for character in characters.by_ref().take(Self::SHOWN) {
            if character.is_control() {
                write!(f, "\\u{:04x}", u32::from(character))?;
            } else {
                f.write_char(character)?;
            }
        }
        match characters.next() {
            Some(_) => f.write_char('…'),
            None => Ok(()),
        }
    }
}

impl Metadata {
    /// Reads a wheel's METADATA, or the sidecar that an index serves in its place.
    ///
    /// Where the name and version that the file name gives are passed as `expected`, the
    /// metadata must agree.
    ///
    /// # Errors
    ///
    /// [`MetadataError`] where the release cannot be used.
    pub fn parse(
        bytes: &[u8],
        expected: Option<(&PackageName, &Version)>,
    ) -> Result<Self, MetadataError> {
        Self::from_headers(Headers::read(bytes), expected)
    }

    /// The header fields that [`Metadata::parse`] reads, as they are written.
    pub fn telling_headers(bytes: &[u8]) -> Vec<u8> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let (mut kept, mut tells) = (Vec::new(), false);
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            if !line.starts_with(b" ") && !line.starts_with(b"\t") {
                let colon = line.iter().position(|byte| *byte == b':');
                let name = colon.and_then(|colon| line.get(..colon));
                let Some(name) = name.and_then(|name| str::from_utf8(name).ok()) else {
                    break;
                };
                if !is_field_name(name) {
                    break;
                }
                tells = TELLING.contains(&&*name.to_ascii_lowercase());
            }
            if tells {
                kept.extend_from_slice(line);
            }
        }
        kept
    }

    /// Reads a source distribution's PKG-INFO, where it says what every build would say.
    ///
    /// `None` where it does not: its metadata version is older than 2.2, or a field that
    /// matters for resolving is marked dynamic (PEP 643).
    ///
    /// # Errors
    ///
    /// [`MetadataError`] where the release cannot be used.
    pub fn parse_static_pkg_info(
        bytes: &[u8],
        expected: Option<(&PackageName, &Version)>,
    ) -> Result<Option<Self>, MetadataError> {
        let headers = Headers::read(bytes);
        if headers.is_static() {
            Self::from_headers(headers, expected).map(Some)
        } else {
            Ok(None)
        }
    }

    /// Reads a source distribution's PKG-INFO with the `requires.txt` of its egg-info, for one
    /// whose PKG-INFO does not settle it: it was packed before it could (metadata versions
    /// before 2.2), or marks the requirements dynamic, as setuptools does with all that a
    /// setup.py says.
    ///
    /// It is what setuptools found when the distribution was packed; a setup.py that decides
    /// by the Python or the machine that runs it may say other things elsewhere. `None` where
    /// the PKG-INFO is static, leaves the name or the version to the build, or a requirement is
    /// not understood.
    ///
    /// # Errors
    ///
    /// [`MetadataError`] where the release cannot be used.
    pub fn parse_egg_info(
        pkg_info: &[u8],
        requires: &str,
        expected: Option<(&PackageName, &Version)>,
    ) -> Result<Option<Self>, MetadataError> {
        let mut headers = Headers::read(pkg_info);
        let renamed = |field: &String| matches!(field.as_str(), "name" | "version");
        if headers.is_static() || headers.dynamic.iter().any(renamed) {
            return Ok(None);
        }
        let Some(found) = EggRequires::read(requires) else {
            return Ok(None);
        };
        let mut work = Work::default();
        let understood = |line: &String| {
            let parsed = requirement::parse(line);
            parsed.and_then(|parsed| work.add(parsed)).is_ok()
        };
        if !found.requires_dist.iter().all(understood) {
            return Ok(None);
        }
        headers.requires_dist = found.requires_dist;
        headers.provides_extra.extend(found.extras);
        let may_differ = headers.dynamic.iter().any(|field| field == "requires-dist");
        let read = Self::from_headers(headers, expected)?;
        Ok(Some(Self { may_differ, ..read }))
    }

    fn from_headers(
        headers: Headers,
        expected: Option<(&PackageName, &Version)>,
    ) -> Result<Self, MetadataError> {
        headers.check_metadata_version()?;
        let name = headers
            .name
            .ok_or(MetadataError::Missing { field: "Name" })?;
        let name = PackageName::from_str(&name).map_err(|_| MetadataError::Malformed {
            field: "Name",
            value: name,
            detail: "it is not the name of a distribution".to_owned(),
        })?;
        let version = headers
            .version
            .ok_or(MetadataError::Missing { field: "Version" })?;
        let version = Version::from_str(&version).map_err(|error| MetadataError::Malformed {
            field: "Version",
            value: version,
            detail: error.to_string(),
        })?;
        let mut metadata = Self {
            name,
            version,
            requires_python: None,
            requires_dist: Requires::new(),
            provides_extras: Extras::default(),
            repairs: Vec::new(),
            may_differ: false,
        };
        metadata.check_is_for(expected)?;
        if let Some(value) = headers.requires_python {
            metadata.read_requires_python("Requires-Python", value)?;
        }
        // An extra whose name is not one can never be asked for.
        let names = headers.provides_extra.iter();
        let mut extras: Vec<ExtraName> = names
            .filter_map(|extra| ExtraName::from_str(extra).ok())
            .collect();
        let mut work = Work::default();
        for value in headers.requires_dist {
            let line = metadata.read_requires_dist("Requires-Dist", value, None, &mut work)?;
            extras.extend(line);
        }
        metadata.provides_extras = extras.into_iter().collect();
        Ok(metadata)
    }

    pub(super) fn check_is_for(
        &self,
        expected: Option<(&PackageName, &Version)>,
    ) -> Result<(), MetadataError> {
        match expected {
            Some((name, version)) if *name != self.name || *version != self.version => {
                Err(MetadataError::Mismatch {
                    expected: format!("{name} {version}"),
                    found: format!("{} {}", self.name, self.version),
                })
            }
            _ => Ok(()),
        }
    }

    pub(super) fn read_requires_python(
        &mut self,
        field: &'static str,
        value: String,
    ) -> Result<(), MetadataError> {
        match repair::parse_specifiers(&value) {
            Ok((specifiers, repairs)) => {
                self.requires_python = Some(specifiers).filter(|some| !some.is_empty());
                self.repairs.extend(repairs);
                Ok(())
            }
            Err(detail) => Err(MetadataError::Malformed {
                field,
                value,
                detail,
            }),
        }
    }

    /// Adds one dependency, under the extra that it belongs to where there is one; gives the
    /// extras that its marker names.
    pub(super) fn read_requires_dist(
        &mut self,
        field: &'static str,
        value: String,
        extra: Option<&ExtraName>,
        work: &mut Work,
    ) -> Result<Vec<ExtraName>, MetadataError> {
        let parsed = requirement::parse(&value).and_then(|parsed| work.add(parsed));
        match parsed {
            Ok(mut parsed) => {
                let named = parsed.extras_named.clone();
                self.repairs.append(&mut parsed.repairs);
                match extra {
                    // The line does not tell its extra.
                    Some(extra) => {
                        parsed.dependency.marker.and(requirement::is_extra(extra));
                        self.requires_dist.add(parsed.dependency);
                    }
                    None => self.requires_dist.push(parsed, value),
                }
                Ok(named)
            }
            Err(detail) => Err(MetadataError::Malformed {
                field,
                value,
                detail,
            }),
        }
    }
}

/// What the markers of one file's metadata cost together.
#[derive(Default)]
pub(super) struct Work(usize);

impl Work {
    /// How much they may cost. The most that real metadata was seen to cost is 6,364.
    const MOST: usize = 200_000;

    fn add(&mut self, parsed: Parsed) -> Result<Parsed, String> {
        self.0 = self.0.saturating_add(parsed.work);
        if self.0 > Self::MOST {
            return Err("with it, the metadata has too many conditions".to_owned());
        }
        Ok(parsed)
    }
}

/// The names of the fields that are read of a wheel's METADATA.
const TELLING: [&str; 6] = [
    "metadata-version",
    "name",
    "version",
    "requires-python",
    "requires-dist",
    "provides-extra",
];

/// The header fields that matter, as written.
#[derive(Default)]
struct Headers {
    metadata_version: Option<String>,
    name: Option<String>,
    version: Option<String>,
    requires_python: Option<String>,
    requires_dist: Vec<String>,
    provides_extra: Vec<String>,
    dynamic: Vec<String>,
}

impl Headers {
    /// Reads the header fields as Python's `email` does, which is what wrote them: folded
    /// lines are joined, and the first line that is neither a field nor folded ends them.
    fn read(bytes: &[u8]) -> Self {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let mut headers = Self::default();
        let mut field: Option<(String, String)> = None;
        for line in bytes.split(|byte| *byte == b'\n') {
            let line = String::from_utf8_lossy(line);
            let line = line.trim_end_matches('\r');
            if line.starts_with([' ', '\t']) {
                // A file that starts with a folded line has nothing to join it to.
                if let Some((_, value)) = &mut field {
                    value.push(' ');
                    value.push_str(line.trim());
                }
                continue;
            }
            if let Some((name, value)) = field.take() {
                headers.set(&name, value);
            }
            match line.split_once(':') {
                Some((name, value)) if is_field_name(name) => {
                    field = Some((name.to_ascii_lowercase(), value.trim().to_owned()));
                }
                _ => break,
            }
        }
        if let Some((name, value)) = field {
            headers.set(&name, value);
        }
        headers
    }

    fn set(&mut self, name: &str, value: String) {
        // Of a field that may stand once, the first counts.
        match name {
            "metadata-version" => _ = self.metadata_version.get_or_insert(value),
            "name" => _ = self.name.get_or_insert(value),
            "version" => _ = self.version.get_or_insert(value),
            "requires-python" => _ = self.requires_python.get_or_insert(value),
            "requires-dist" => self.requires_dist.push(value),
            "provides-extra" => self.provides_extra.push(value),
            "dynamic" => self.dynamic.push(value.to_ascii_lowercase()),
            _ => {}
        }
    }

    /// The two parts of the metadata version, where it has them.
    fn metadata_version(&self) -> Option<(u32, u32)> {
        let (major, minor) = self.metadata_version.as_deref()?.split_once('.')?;
        Some((major.parse().ok()?, minor.parse().ok()?))
    }

    /// Metadata of a later major version must not be guessed at.
    fn check_metadata_version(&self) -> Result<(), MetadataError> {
        match (self.metadata_version(), &self.metadata_version) {
            (Some((3.., _)), Some(value)) => Err(MetadataError::Malformed {
                field: "Metadata-Version",
                value: value.clone(),
                detail: "only versions 1 and 2 can be read".to_owned(),
            }),
            _ => Ok(()),
        }
    }

    /// PEP 643: since metadata 2.2, what is not marked dynamic is the same in every build.
    fn is_static(&self) -> bool {
        let matters = |field: &String| {
            matches!(
                field.as_str(),
                "name" | "version" | "requires-dist" | "requires-python" | "provides-extra"
            )
        };
        self.metadata_version() >= Some((2, 2)) && !self.dynamic.iter().any(matters)
    }
}

/// RFC 5322: printable ASCII without space and colon.
fn is_field_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
pub(super) mod tests;
