//! Wheel and source distribution file names.

use std::ops::Range;
use std::str::FromStr;

use pep440_rs::Version;
use pep508_rs::PackageName;
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

/// What a file name says a file is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum FileKind {
    /// A wheel, with its tags.
    Wheel(WheelName),
    /// A source distribution.
    Sdist(SdistName),
    /// What the labels of a release's wheel variants stand for (PEP 825, draft).
    Variants(VariantsName),
}

/// A wheel's name, taken apart (binary distribution format, PEP 427; PEP 825 for the label).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WheelName {
    /// The normalised distribution name.
    pub name: PackageName,
    /// The version.
    pub version: Version,
    /// The build tag: its leading number and the rest.
    pub build: Option<(u64, String)>,
    /// Python tags, split at the dots.
    pub python: Vec<String>,
    /// ABI tags, split at the dots.
    pub abi: Vec<String>,
    /// Platform tags, split at the dots.
    pub platform: Vec<String>,
    /// The wheel-variant label (PEP 825, draft), where there is one.
    pub variant: Option<String>,
}

/// A source distribution's name, taken apart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SdistName {
    /// The normalised distribution name.
    pub name: PackageName,
    /// The version.
    pub version: Version,
    /// The archive's extension, without the leading dot: `tar.gz`, `zip`.
    pub extension: String,
}

/// The name of the file that tells of a release's wheel variants, taken apart (PEP 825, draft).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VariantsName {
    /// The normalised distribution name.
    pub name: PackageName,
    /// The version.
    pub version: Version,
}

/// Why a file name cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FilenameError {
    /// Neither a wheel nor a source distribution (an egg, an installer).
    #[error("`{filename}` is neither a wheel nor a source distribution")]
    Kind {
        /// The file name.
        filename: String,
    },
    /// The name has not the parts that its kind has.
    #[error("`{filename}`: {detail}")]
    Malformed {
        /// The file name.
        filename: String,
        /// What is wrong with it.
        detail: String,
    },
}

/// The archive extensions of source distributions, as pip knows them; longer ones first.
///
/// PEP 625 leaves only `tar.gz` for new files, but old releases have all of these.
const SDIST_EXTENSIONS: [&str; 11] = [
    "tar.lzma", "tar.bz2", "tar.gz", "tar.xz", "tar.lz", "tgz", "tbz", "txz", "tlz", "tar", "zip",
];

/// How the name of the file ends that tells of a release's wheel variants.
const VARIANTS: &str = "-variants.json";

impl FileKind {
    /// Takes a file name of the distribution `name` apart.
    ///
    /// # Errors
    ///
    /// [`FilenameError`] where the file is of another kind or another distribution, or where
    /// its version is not one that PEP 440 knows.
    pub fn parse(filename: &str, name: &PackageName) -> Result<Self, FilenameError> {
        let kind = if filename.strip_suffix(".whl").is_some() {
            Self::Wheel(WheelName::parse(filename)?)
        } else if let Some(stem) = filename.strip_suffix(VARIANTS) {
            Self::Variants(VariantsName::parse(filename, stem)?)
        } else {
            return SdistName::parse(filename, name).map(Self::Sdist);
        };
        let found = match &kind {
            Self::Wheel(wheel) => &wheel.name,
            Self::Variants(variants) => &variants.name,
            Self::Sdist(sdist) => &sdist.name,
        };
        if found == name {
            return Ok(kind);
        }
        Err(malformed(
            filename,
            format!("is a file of `{found}`, not of `{name}`"),
        ))
    }

    /// The kind of a file of the distribution `name`, of which `version` is known, from its
    /// shape: what the file name says after the version.
    pub(super) fn of_shape(shape: &str, name: &PackageName, version: &Version) -> Option<Self> {
        let Some(stem) = shape.strip_suffix(".whl") else {
            if is_document(shape) {
                return Some(Self::Variants(VariantsName {
                    name: name.clone(),
                    version: version.clone(),
                }));
            }
            return Some(Self::Sdist(SdistName {
                name: name.clone(),
                version: version.clone(),
                extension: shape.to_owned(),
            }));
        };
        let tags = Tags::parse(shape, stem.split('-')).ok()?;
        Some(Self::Wheel(tags.of(name.clone(), version.clone())))
    }

    /// The version that the file name gives.
    pub fn version(&self) -> &Version {
        match self {
            Self::Wheel(wheel) => &wheel.version,
            Self::Sdist(sdist) => &sdist.version,
            Self::Variants(variants) => &variants.version,
        }
    }

    /// The wheel-variant label of a wheel that has one.
    pub fn variant(&self) -> Option<&str> {
        match self {
            Self::Wheel(wheel) => wheel.variant.as_deref(),
            Self::Sdist(_) | Self::Variants(_) => None,
        }
    }
}

/// Takes the file names of one page apart. They differ in little: the distribution's name is
/// read once for each of its spellings that follow one another.
pub(super) struct FileNames<'n> {
    name: &'n PackageName,
    /// How the last file spelled the name.
    spelled: String,
}

/// Where the parts of a file name lie that is one of the page's distribution. Neither the
/// version nor the shape was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NameParts {
    /// The version.
    pub(super) version: Range<usize>,
    /// Where the shape begins: what is said after the version.
    pub(super) shape: usize,
}

impl<'n> FileNames<'n> {
    pub(super) fn new(name: &'n PackageName) -> Self {
        Self {
            name,
            spelled: String::new(),
        }
    }

    /// The parts of a file name; `None` where it is none of the distribution's.
    ///
    /// Where the version can be read, and the shape too ([`is_readable_shape`]), so can the file
    /// name ([`FileKind::parse`]), and otherwise not.
    pub(super) fn parts(&mut self, filename: &str) -> Option<NameParts> {
        if filename.strip_suffix(".whl").is_some() {
            let name = memchr::memchr(b'-', filename.as_bytes())?;
            let start = name + 1;
            let version = memchr::memchr(b'-', filename.as_bytes().get(start..)?)?;
            self.is_own(filename.get(..name)?).then_some(())?;
            let end = start + version;
            return Some(NameParts {
                version: start..end,
                shape: end + 1,
            });
        }
        if let Some(stem) = filename.strip_suffix(VARIANTS) {
            let (name, _) = stem.split_once('-')?;
            return self.is_own(name).then_some(NameParts {
                version: name.len() + 1..stem.len(),
                shape: stem.len() + 1,
            });
        }
        let (stem, extension) = archive(filename)?;
        let version = after_name(stem, self.name)?;
        Some(NameParts {
            version: stem.len().checked_sub(version.len())?..stem.len(),
            shape: filename.len().checked_sub(extension.len())?,
        })
    }

    /// Whether a spelling is one of the distribution's name.
    fn is_own(&mut self, spelled: &str) -> bool {
        if spelled.is_empty() {
            return false;
        }
        if self.spelled != spelled {
            if spelled.parse::<PackageName>().as_ref() != Ok(self.name) {
                return false;
            }
            spelled.clone_into(&mut self.spelled);
        }
        true
    }
}

/// Whether what a file name says after the version can be read: the tags of a wheel.
pub(super) fn is_readable_shape(shape: &str) -> bool {
    shape
        .strip_suffix(".whl")
        .is_none_or(|stem| Tags::parse(shape, stem.split('-')).is_ok())
}

/// Whether a shape, what a file name says after the version, is that of the file that tells of a
/// release's wheel variants.
pub fn is_document(shape: &str) -> bool {
    VARIANTS.strip_prefix('-') == Some(shape)
}

impl VariantsName {
    /// Takes what is before `-variants.json` apart, which is written as in a wheel's name.
    fn parse(filename: &str, stem: &str) -> Result<Self, FilenameError> {
        let (name, version) = stem
            .split_once('-')
            .ok_or_else(|| malformed(filename, "has no version".to_owned()))?;
        Ok(Self {
            name: parse_name(filename, name)?,
            version: parse_version(filename, version)?,
        })
    }
}

impl WheelName {
    /// Takes a wheel's file name apart:
    /// `{name}-{version}(-{build})?-{python}-{abi}-{platform}(-{variant})?.whl`.
    ///
    /// Names, tags and versions of old wheels are normalised, as pip does. Of the two
    /// optional parts the build tag is the one that starts with a digit, which no Python tag
    /// beside a label does (PEP 825).
    ///
    /// # Errors
    ///
    /// [`FilenameError`] where the file is no wheel, or a part is missing or unreadable.
    pub fn parse(filename: &str) -> Result<Self, FilenameError> {
        let Some(stem) = filename.strip_suffix(".whl") else {
            return Err(FilenameError::Kind {
                filename: filename.to_owned(),
            });
        };
        let mut parts = stem.split('-');
        let (Some(name), Some(version)) = (parts.next(), parts.next()) else {
            return Err(malformed(filename, "has no version".to_owned()));
        };
        let tags = Tags::parse(filename, parts)?;
        Ok(tags.of(
            parse_name(filename, name)?,
            parse_version(filename, version)?,
        ))
    }
}

/// What a wheel's file name says after its version.
struct Tags {
    build: Option<(u64, String)>,
    python: Vec<String>,
    abi: Vec<String>,
    platform: Vec<String>,
    variant: Option<String>,
}

impl Tags {
    fn parse<'n>(
        filename: &str,
        parts: impl Iterator<Item = &'n str>,
    ) -> Result<Self, FilenameError> {
        let rest: SmallVec<[&str; 5]> = parts.collect();
        let (build, tags, variant) = match rest.as_slice() {
            [python, abi, platform] => (None, [python, abi, platform], None),
            [build, python, abi, platform] if starts_with_digit(build) => {
                (Some(*build), [python, abi, platform], None)
            }
            [python, abi, platform, variant] if !starts_with_digit(python) => {
                (None, [python, abi, platform], Some(*variant))
            }
            [build, python, abi, platform, variant]
                if starts_with_digit(build) && !starts_with_digit(python) =>
            {
                (Some(*build), [python, abi, platform], Some(*variant))
            }
            _ => {
                return Err(malformed(
                    filename,
                    format!(
                        "has {} parts after the version, where a wheel has its Python, ABI and \
                         platform tags, and perhaps a build number or a variant",
                        rest.len()
                    ),
                ));
            }
        };
        let build = build.map(|tag| parse_build(filename, tag)).transpose()?;
        let variant = variant
            .map(|label| parse_variant(filename, label))
            .transpose()?;
        let [python, abi, platform] = tags;
        Ok(Self {
            build,
            python: parse_tags(filename, python)?,
            abi: parse_tags(filename, abi)?,
            platform: parse_tags(filename, platform)?,
            variant,
        })
    }

    fn of(self, name: PackageName, version: Version) -> WheelName {
        WheelName {
            name,
            version,
            build: self.build,
            python: self.python,
            abi: self.abi,
            platform: self.platform,
            variant: self.variant,
        }
    }
}

impl SdistName {
    /// Takes the file name of a source distribution of `name` apart.
    ///
    /// Before PEP 625 both name and version could hold hyphens (`foo-bar-1.0-beta1.zip`), so
    /// a file name says where its version starts only to one who knows the name.
    ///
    /// # Errors
    ///
    /// [`FilenameError`] where the file is no source distribution of `name`, or its version
    /// is not one that PEP 440 knows.
    pub fn parse(filename: &str, name: &PackageName) -> Result<Self, FilenameError> {
        let Some((stem, extension)) = archive(filename) else {
            return Err(FilenameError::Kind {
                filename: filename.to_owned(),
            });
        };
        let Some(version) = after_name(stem, name) else {
            return Err(malformed(filename, format!("is not a file of `{name}`")));
        };
        Ok(Self {
            name: name.clone(),
            version: parse_version(filename, version)?,
            extension: extension.to_owned(),
        })
    }
}

/// The name of an archive without its extension, and the extension.
fn archive(filename: &str) -> Option<(&str, &'static str)> {
    SDIST_EXTENSIONS.iter().find_map(|extension| {
        let stem = filename.strip_suffix(extension)?.strip_suffix('.')?;
        Some((stem, *extension))
    })
}

/// What follows `name`, in any of its spellings, and a hyphen.
fn after_name<'a>(stem: &'a str, name: &PackageName) -> Option<&'a str> {
    let is_separator = |character: char| matches!(character, '-' | '_' | '.');
    let mut rest = stem;
    for expected in name.as_ref().chars() {
        if expected == '-' {
            rest = rest
                .strip_prefix(is_separator)?
                .trim_start_matches(is_separator);
        } else {
            rest = rest.strip_prefix(|found: char| found.to_ascii_lowercase() == expected)?;
        }
    }
    rest.strip_prefix('-')
}

fn starts_with_digit(part: &str) -> bool {
    part.starts_with(|character: char| character.is_ascii_digit())
}

fn parse_name(filename: &str, name: &str) -> Result<PackageName, FilenameError> {
    if name.is_empty() {
        return Err(malformed(filename, "has no name".to_owned()));
    }
    PackageName::from_str(name)
        .map_err(|_| malformed(filename, format!("`{name}` is not a distribution name")))
}

fn parse_version(filename: &str, version: &str) -> Result<Version, FilenameError> {
    Version::from_str(version)
        .map_err(|_| malformed(filename, format!("`{version}` is not a PEP 440 version")))
}

fn parse_build(filename: &str, tag: &str) -> Result<(u64, String), FilenameError> {
    let digits = tag
        .find(|character: char| !character.is_ascii_digit())
        .unwrap_or(tag.len());
    let (number, rest) = tag.split_at(digits);
    let number = number
        .parse()
        .map_err(|_| malformed(filename, format!("`{tag}` is not a build number")))?;
    Ok((number, rest.to_owned()))
}

fn parse_variant(filename: &str, label: &str) -> Result<String, FilenameError> {
    let is_allowed = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'z' | b'_' | b'.');
    if !label.is_empty() && label.bytes().all(is_allowed) {
        Ok(label.to_owned())
    } else {
        Err(malformed(
            filename,
            format!("`{label}` is not a variant label"),
        ))
    }
}

fn parse_tags(filename: &str, tags: &str) -> Result<Vec<String>, FilenameError> {
    tags.split('.')
        .map(|tag| {
            if tag.is_empty() {
                Err(malformed(filename, format!("`{tags}` has an empty tag")))
            } else {
                Ok(tag.to_ascii_lowercase())
            }
        })
        .collect()
}

fn malformed(filename: &str, detail: String) -> FilenameError {
    FilenameError::Malformed {
        filename: filename.to_owned(),
        detail,
    }
}

#[cfg(test)]
mod tests;
