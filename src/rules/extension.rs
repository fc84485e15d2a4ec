//! Distributions built against one release of a family, whose local versions say against which:
//! `flash-attn 2.8.3+cu12torch2.6cxx11abiTRUE`.

use std::fmt;

use pep440_rs::Version;
use pep508_rs::PackageName;

use super::{FamilyBinary, FamilyLabel, label_of};

/// Distributions whose local versions name the builds that they are for.
#[derive(Debug, Clone)]
pub struct FamilyExtension {
    /// The distributions.
    pub packages: Vec<PackageName>,
    /// The member whose release they name.
    pub built_for: PackageName,
    /// How the local versions read; the first that fits counts.
    pub local: Vec<LocalScheme>,
}

/// How a local version reads: `cu{cuda}torch{release}cxx11abi{abi}`.
///
/// | word | stands for |
/// | --- | --- |
/// | `{cuda}` | the major release of CUDA: `12`, and `128` for 12.8 |
/// | `{label}` | a label of the family: `cu128`, `cpu` |
/// | `{release}` | the first two numbers of the member's version: `2.6` |
/// | `{digits}` | the same without the dot: `26`, `213` for 2.13 |
/// | `{abi}` | whether it was built with GCC's newer C++ ABI: `true`, `false` |
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalScheme {
    text: String,
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Literal(String),
    Cuda,
    Label,
    Release,
    Digits,
    Abi,
}

/// What a local version says that it was built for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BuiltFor {
    /// The major release of CUDA.
    pub cuda: Option<u64>,
    /// The label of the family.
    pub label: Option<String>,
    /// The first two numbers of the member's version.
    pub release: Option<(u64, u64)>,
    /// Whether it was built with GCC's newer C++ ABI.
    pub cxx11_abi: Option<bool>,
}

impl LocalScheme {
    /// Reads a scheme; `None` where a word in braces is not known.
    pub fn parse(text: &str) -> Option<Self> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            let (literal, after) = rest.split_once('{').unwrap_or((rest, ""));
            if !literal.is_empty() {
                pieces.push(Piece::Literal(literal.to_ascii_lowercase()));
            }
            if after.is_empty() {
                // A brace that nothing follows is no word.
                if literal.len() != rest.len() {
                    return None;
                }
                break;
            }
            let (word, after) = after.split_once('}')?;
            pieces.push(match word {
                "cuda" => Piece::Cuda,
                "label" => Piece::Label,
                "release" => Piece::Release,
                "digits" => Piece::Digits,
                "abi" => Piece::Abi,
                _ => return None,
            });
            rest = after;
        }
        let text = text.to_owned();
        (!pieces.is_empty()).then_some(Self { text, pieces })
    }

    fn read(&self, local: &str, labels: &[FamilyLabel]) -> Option<BuiltFor> {
        let mut found = BuiltFor::default();
        let mut rest = local;
        for piece in &self.pieces {
            rest = match piece {
                Piece::Literal(literal) => rest.strip_prefix(literal.as_str())?,
                Piece::Cuda => {
                    let (digits, rest) = digits(rest);
                    found.cuda = Some(digits.get(..2)?.parse().ok()?);
                    rest
                }
                Piece::Label => {
                    let known = labels.iter().map(|label| label.name.as_str());
                    let label = known
                        .filter(|label| rest.starts_with(label))
                        .max_by_key(|label| label.len())?;
                    found.label = Some(label.to_owned());
                    rest.strip_prefix(label)?
                }
                Piece::Release => {
                    let (major, rest) = digits(rest);
                    let (minor, rest) = digits(rest.strip_prefix('.')?);
                    found.release = Some((major.parse().ok()?, minor.parse().ok()?));
                    rest
                }
                Piece::Digits => {
                    let (digits, rest) = digits(rest);
                    let (major, minor) = (digits.get(..1)?, digits.get(1..)?);
                    found.release = Some((major.parse().ok()?, minor.parse().ok()?));
                    rest
                }
                Piece::Abi => {
                    let told = ["true", "false"]
                        .into_iter()
                        .find(|told| rest.starts_with(told))?;
                    found.cxx11_abi = Some(told == "true");
                    rest.strip_prefix(told)?
                }
            };
        }
        rest.is_empty().then_some(found)
    }
}

fn digits(text: &str) -> (&str, &str) {
    let end = text.find(|letter: char| !letter.is_ascii_digit());
    text.split_at(end.unwrap_or(text.len()))
}

impl FamilyExtension {
    /// What a release of one of the distributions was built for; `None` where its version
    /// does not say.
    pub fn built_for(&self, version: &Version, labels: &[FamilyLabel]) -> Option<BuiltFor> {
        if !version.is_local() {
            return None;
        }
        let local = label_of(version);
        self.local
            .iter()
            .find_map(|scheme| scheme.read(&local, labels))
    }
}

impl BuiltFor {
    /// Whether a build of the family is one that it was built for. `binaries` are those of the
    /// member in that build and release.
    pub fn suits<'b>(
        &self,
        label: &FamilyLabel,
        mut binaries: impl Iterator<Item = &'b FamilyBinary>,
    ) -> bool {
        let of_label = self
            .label
            .as_ref()
            .is_none_or(|wanted| *wanted == label.name);
        let of_cuda = self.cuda.is_none_or(|wanted| {
            label
                .provides
                .get("cuda")
                .is_some_and(|cuda| cuda.release().first() == Some(&wanted))
        });
        let of_abi = self.cxx11_abi.is_none_or(|wanted| {
            binaries.all(|binary| binary.cxx11_abi.is_none_or(|has| has == wanted))
        });
        of_label && of_cuda && of_abi
    }

    /// The member's release that it names, as a version of two numbers.
    pub fn version(&self) -> Option<Version> {
        self.release
            .map(|(major, minor)| Version::new([major, minor]))
    }
}

impl fmt::Display for BuiltFor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        parts.extend(self.label.clone());
        parts.extend(self.cuda.map(|cuda| format!("CUDA {cuda}")));
        parts.extend(self.cxx11_abi.map(|new| {
            let which = if new { "newer" } else { "older" };
            format!("the {which} C++ ABI")
        }));
        f.write_str(&parts.join(" and "))
    }
}

// One form that does not depend on how the file is laid out, for the rule's digest.
impl fmt::Display for FamilyExtension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut packages: Vec<&str> = self.packages.iter().map(AsRef::as_ref).collect();
        packages.sort_unstable();
        let local: Vec<&str> = self.local.iter().map(|scheme| &*scheme.text).collect();
        writeln!(
            f,
            "extension {} of {} {}",
            packages.join(","),
            self.built_for,
            local.join(" ")
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::{RuleKind, RuleSet};

    #[test]
    fn local_versions_say_what_they_were_built_for() {
        let rules = RuleSet::embedded().expect("they are well formed");
        let torch = rules.get("torch/builds").expect("the family of torch");
        let RuleKind::Family {
            labels, extensions, ..
        } = &torch.kind
        else {
            panic!("it is a family");
        };
        let read = |package: &str, version: &str| {
            let package: PackageName = package.parse().expect("a name");
            let version: Version = version.parse().expect("a version");
            let extension = extensions
                .iter()
                .find(|extension| extension.packages.contains(&package));
            extension?.built_for(&version, labels).map(|found| {
                let release = found.version().map(|version| version.to_string());
                format!("{} {found}", release.unwrap_or_default())
            })
        };
        for (package, version, expected) in [
            (
                "flash-attn",
                "2.8.3+cu12torch2.6cxx11abiTRUE",
                Some("2.6 CUDA 12 and the newer C++ ABI"),
            ),
            (
                "flash-attn",
                "2.5.8+cu122torch2.3cxx11abiFALSE",
                Some("2.3 CUDA 12 and the older C++ ABI"),
            ),
            (
                "mamba-ssm",
                "2.2.4+cu13torch2.10cxx11abiTRUE",
                Some("2.10 CUDA 13 and the newer C++ ABI"),
            ),
            ("flash-attn", "2.8.3+cu128torch2.9", Some("2.9 CUDA 12")),
            (
                "flash-attn",
                "2.7.0+rocm6.2torch2.5cxx11abiFALSE",
                Some("2.5 rocm6.2 and the older C++ ABI"),
            ),
            ("torch-scatter", "2.1.2+pt26cu124", Some("2.6 cu124")),
            ("pyg-lib", "0.5.0+pt213cpu", Some("2.13 cpu")),
            ("flash-attn", "2.8.3", None),
            ("flash-attn", "2.8.3+local", None),
            ("flash-attn", "2.8.3+cu1torch2.6", None),
            ("torch-scatter", "2.1.2+pt26cu999", None),
        ] {
            let found = read(package, version);
            assert_eq!(found.as_deref(), expected, "{package} {version}");
        }
        for wrong in ["", "cu{", "cu{cuda", "{cudas}"] {
            assert_eq!(LocalScheme::parse(wrong), None, "{wrong}");
        }
    }
}
