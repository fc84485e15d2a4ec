//! Why wheels do not suit a target.

use std::cmp::Reverse;
use std::fmt;

use super::platform::macos_runs;
use super::platform_name::parse_tag;
use super::{Os, Platform, Target};
use crate::metadata::WheelName;

/// Why a wheel, or none of several, suits a target.
///
/// `Display` writes the end of a sentence that begins with the wheel: "is built for …".
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mismatch {
    /// All but the version of the system suits: it is too old for the wheel.
    TooOld {
        /// What is too old.
        system: System,
        /// The version needed, the oldest where several would do.
        needs: (u16, u16),
        /// The version of the target.
        has: (u16, u16),
    },
    /// Python and platform suit, but not the ABI: a debug build, the other kind of threading.
    Abi {
        /// What it is built for, in words: `CPython 3.13 (free-threaded)`.
        built_for: Vec<String>,
        /// The target's Python, in words.
        target: String,
    },
    /// It is built for other Pythons.
    Python {
        /// What it is built for, in words: `CPython 3.10`.
        built_for: Vec<String>,
        /// The target's Python, in words.
        target: String,
    },
    /// It is built for other platforms.
    Platform {
        /// What it is built for, in words: `Windows amd64`.
        built_for: Vec<String>,
        /// The target's platform, in words.
        target: String,
    },
    /// It is of a labelled variant (PEP 825, draft), and the target takes none.
    Variant {
        /// The labels.
        labels: Vec<String>,
    },
}

/// A part of a platform that has a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum System {
    /// The GNU C library.
    Glibc,
    /// The musl C library.
    Musl,
    /// macOS.
    Macos,
}

impl Target {
    /// Why a wheel does not suit this target; `None` where it suits.
    pub fn why_not(&self, wheel: &WheelName) -> Option<Mismatch> {
        if self.wheel_priority(wheel).is_some() {
            return None;
        }
        let table = self.tag_table();
        if let Some(label) = wheel
            .variant
            .as_ref()
            .filter(|_| self.accelerator.variants.is_none())
        {
            return Some(Mismatch::Variant {
                labels: vec![label.clone()],
            });
        }
        if table.suits_platform(&wheel.platform) {
            return Some(self.python_mismatch(wheel));
        }
        let too_old = wheel
            .platform
            .iter()
            .filter_map(|tag| self.platform.too_old_for(tag))
            .min();
        match (too_old, versioned(self.platform.os)) {
            (Some(needs), Some((system, has))) if table.suits_python(wheel) => {
                return Some(Mismatch::TooOld { system, needs, has });
            }
            (Some(_), _) => return Some(self.python_mismatch(wheel)),
            (None, _) => {}
        }
        Some(Mismatch::Platform {
            built_for: words(wheel.platform.iter().map(|tag| describe_platform(tag))),
            target: self.platform.describe(),
        })
    }

    /// Why none of these wheels suits: the reason of those that come closest, taken together.
    /// `None` where one suits, or where there is none.
    ///
    /// A system that is too old comes closest, then another ABI, another Python, another
    /// platform; a wheel that fails in two ways is named by the one that comes later here.
    pub fn why_none<'w>(
        &self,
        wheels: impl IntoIterator<Item = &'w WheelName>,
    ) -> Option<Mismatch> {
        let mut closest: Option<Mismatch> = None;
        for wheel in wheels {
            let mismatch = self.why_not(wheel)?;
            closest = Some(match closest {
                None => mismatch,
                Some(other) => other.closer(mismatch),
            });
        }
        closest
    }

    /// The mismatch of a wheel whose platform would do.
    fn python_mismatch(&self, wheel: &WheelName) -> Mismatch {
        let (own_python, _) = self.tag_table().native();
        let same_python = wheel
            .python
            .iter()
            .any(|tag| tag.eq_ignore_ascii_case(own_python));
        let pairs = wheel.python.iter().flat_map(|python| {
            wheel
                .abi
                .iter()
                .map(move |abi| describe_python(python, abi))
        });
        let (built_for, target) = (words(pairs), self.python_word().describe());
        if same_python {
            Mismatch::Abi { built_for, target }
        } else {
            Mismatch::Python { built_for, target }
        }
    }
}

impl Platform {
    /// The version of our system that the tag needs, where it is later than ours.
    fn too_old_for(&self, tag: &str) -> Option<(u16, u16)> {
        let asked = parse_tag(&tag.to_ascii_lowercase())?;
        let same_arch = match self.os {
            Os::Macos { .. } => macos_runs(&self.arch, &asked.arch),
            _ => self.arch == asked.arch,
        };
        let (system, needs) = versioned(asked.os)?;
        let (our_system, has) = versioned(self.os)?;
        (same_arch && system == our_system && needs > has).then_some(needs)
    }
}

/// What of an operating system has a version, and the version.
fn versioned(os: Os) -> Option<(System, (u16, u16))> {
    match os {
        Os::Manylinux { major, minor } => Some((System::Glibc, (major, minor))),
        Os::Musllinux { major, minor } => Some((System::Musl, (major, minor))),
        Os::Macos { major, minor } => Some((System::Macos, (major, minor))),
        Os::Windows => None,
    }
}

impl Mismatch {
    /// How far from suiting: the less, the closer.
    fn distance(&self) -> u8 {
        match self {
            Self::TooOld { .. } => 0,
            Self::Abi { .. } => 1,
            Self::Python { .. } => 2,
            Self::Platform { .. } => 3,
            Self::Variant { .. } => 4,
        }
    }

    /// The closer of two; of the same kind, both taken together.
    fn closer(self, other: Self) -> Self {
        match (self, other) {
            (
                Self::TooOld { system, needs, has },
                Self::TooOld {
                    needs: other_needs, ..
                },
            ) => Self::TooOld {
                system,
                needs: needs.min(other_needs),
                has,
            },
            (
                Self::Abi { built_for, target },
                Self::Abi {
                    built_for: more, ..
                },
            ) => Self::Abi {
                built_for: words(built_for.into_iter().chain(more)),
                target,
            },
            (
                Self::Python { built_for, target },
                Self::Python {
                    built_for: more, ..
                },
            ) => Self::Python {
                built_for: words(built_for.into_iter().chain(more)),
                target,
            },
            (
                Self::Platform { built_for, target },
                Self::Platform {
                    built_for: more, ..
                },
            ) => Self::Platform {
                built_for: words(built_for.into_iter().chain(more)),
                target,
            },
            (Self::Variant { labels }, Self::Variant { labels: more }) => Self::Variant {
                labels: words(labels.into_iter().chain(more)),
            },
            (one, other) if other.distance() < one.distance() => other,
            (one, _) => one,
        }
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooOld { system, needs, has } => write!(
                f,
                "needs {system} {}.{}, the target has {system} {}.{}",
                needs.0, needs.1, has.0, has.1
            ),
            Self::Abi { built_for, target }
            | Self::Python { built_for, target }
            | Self::Platform { built_for, target } => {
                write!(f, "is built for {}, not for {target}", listed(built_for))
            }
            Self::Variant { labels } => {
                let (several, are) = match labels.len() {
                    1 => ("", "is"),
                    _ => ("s", "are"),
                };
                let labels: Vec<String> = labels.iter().map(|label| format!("`{label}`")).collect();
                write!(
                    f,
                    "is of the wheel variant{several} {}, which {are} taken with `--wheel-variants` only",
                    listed(&labels)
                )
            }
        }
    }
}

impl fmt::Display for System {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Glibc => "glibc",
            Self::Musl => "musl",
            Self::Macos => "macOS",
        })
    }
}

/// Each once, in the order of people: `CPython 3.9` before `CPython 3.10`.
fn words(words: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut words: Vec<String> = words.into_iter().collect();
    words.sort_by_cached_key(|word| (natural(word), Reverse(word.len()), word.clone()));
    words.dedup();
    words
}

/// A text cut into what is between digits and the numbers.
fn natural(text: &str) -> Vec<(String, u64)> {
    let mut key: Vec<(String, u64)> = Vec::new();
    let mut between = String::new();
    let mut digits = String::new();
    for character in text.chars().chain([' ']) {
        if character.is_ascii_digit() {
            digits.push(character);
            continue;
        }
        if !digits.is_empty() {
            let number = digits.parse().unwrap_or(u64::MAX);
            key.push((std::mem::take(&mut between), number));
            digits.clear();
        }
        between.push(character);
    }
    key.push((between, 0));
    key
}

fn listed(words: &[String]) -> String {
    match words {
        [] => String::from("nothing"),
        [only] => only.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// `cp310` with its ABI in words; tags of unknown kinds as they are.
fn describe_python(python: &str, abi: &str) -> String {
    let digits = python.find(|c: char| c.is_ascii_digit());
    let (kind, digits) = python.split_at(digits.unwrap_or(python.len()));
    let name = match kind.to_ascii_lowercase().as_str() {
        "cp" => "CPython",
        "pp" => "PyPy",
        "py" => "Python",
        _ => return format!("`{python}-{abi}`"),
    };
    let version = match (digits.get(..1), digits.get(1..)) {
        (Some(major), Some("")) => major.to_owned(),
        (Some(major), Some(minor)) if minor.bytes().all(|b| b.is_ascii_digit()) => {
            format!("{major}.{minor}")
        }
        _ => return format!("`{python}-{abi}`"),
    };
    let abi = abi.to_ascii_lowercase();
    let flags = abi
        .strip_prefix("cp")
        .and_then(|abi| abi.strip_prefix(digits));
    let remark = match (abi.as_str(), flags) {
        ("abi3", _) => " or later",
        ("abi3t", _) => " or later (free-threaded)",
        ("none", _) | (_, Some("" | "m")) => "",
        (_, Some("t")) => " (free-threaded)",
        (_, Some("d" | "dm")) => " (debug build)",
        _ if name == "PyPy" => "",
        _ => return format!("{name} {version} with the ABI `{abi}`"),
    };
    format!("{name} {version}{remark}")
}

/// A platform tag in words; tags of unknown kinds as they are.
fn describe_platform(tag: &str) -> String {
    match parse_tag(&tag.to_ascii_lowercase()) {
        Some(platform) => platform.describe(),
        None => match tag.strip_prefix("linux_") {
            Some(arch) => format!("Linux {arch}"),
            None => format!("`{tag}`"),
        },
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed parse fails the test")]

    use super::*;
    use crate::target::recorded::wheel;

    /// A target; wheels that do not suit it; why not.
    const REASONS: &[(&str, &[&str], &str)] = &[
        (
            "3.11 linux",
            &["cp311-cp311-manylinux_2_34_x86_64"],
            "needs glibc 2.34, the target has glibc 2.28",
        ),
        (
            "3.11 linux",
            &[
                "cp311-cp311-win_amd64",
                "cp311-cp311-manylinux_2_35_x86_64",
                "cp38-abi3-manylinux_2_34_x86_64",
                "cp310-cp310-manylinux_2_17_x86_64",
            ],
            "needs glibc 2.34, the target has glibc 2.28",
        ),
        (
            "3.12 linux",
            &[
                "cp310-cp310-manylinux_2_17_x86_64",
                "cp39-cp39-manylinux_2_17_x86_64",
                "cp39-cp39-win_amd64",
                "pp39-pypy39_pp73-manylinux_2_17_x86_64",
            ],
            "is built for CPython 3.9, CPython 3.10 and PyPy 3.9, not for CPython 3.12",
        ),
        (
            "3.12 linux",
            &["cp310-cp310-manylinux_2_34_x86_64", "cp312-cp312-win_amd64"],
            "is built for CPython 3.10, not for CPython 3.12",
        ),
        (
            "3.11 windows",
            &[
                "cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64",
                "cp311-cp311-macosx_11_0_arm64",
                "cp311-cp311-linux_x86_64",
                "cp310-cp310-musllinux_1_1_x86_64",
            ],
            "is built for Linux x86_64, Linux x86_64 with glibc 2.17, Linux x86_64 with musl 1.1 \
             and macOS 11.0 arm64, not for Windows amd64",
        ),
        (
            "3.11 linux",
            &["cp311-cp311-musllinux_1_1_x86_64"],
            "is built for Linux x86_64 with musl 1.1, not for Linux x86_64 with glibc 2.28",
        ),
        (
            "3.11 x86_64-musllinux_1_1",
            &["cp311-cp311-musllinux_1_2_x86_64"],
            "needs musl 1.2, the target has musl 1.1",
        ),
        (
            "3.11 macos",
            &["cp311-cp311-macosx_15_0_universal2"],
            "needs macOS 15.0, the target has macOS 13.0",
        ),
        (
            "3.11 macos",
            &["cp311-cp311-macosx_10_9_x86_64"],
            "is built for macOS 10.9 x86_64, not for macOS 13.0 arm64",
        ),
        (
            "3.13 linux",
            &["cp313-cp313t-manylinux_2_17_x86_64"],
            "is built for CPython 3.13 (free-threaded), not for CPython 3.13",
        ),
        (
            "3.13t linux",
            &["cp313-cp313-manylinux_2_17_x86_64"],
            "is built for CPython 3.13, not for CPython 3.13 (free-threaded)",
        ),
        (
            "3.11 linux",
            &["cp311-cp311d-manylinux_2_17_x86_64"],
            "is built for CPython 3.11 (debug build), not for CPython 3.11",
        ),
        (
            "3.11 linux",
            &["cp312-abi3-manylinux_2_17_x86_64"],
            "is built for CPython 3.12 or later, not for CPython 3.11",
        ),
        (
            "3.11 linux",
            &["py2-none-any", "py312-none-any", "jy27-none-any"],
            "is built for Python 2, Python 3.12 and `jy27-none`, not for CPython 3.11",
        ),
    ];

    #[test]
    fn the_closest_reason_is_given() {
        for (name, tags, reason) in REASONS {
            let target: Target = name.parse().unwrap();
            let mut wheels: Vec<WheelName> = tags.iter().map(|tags| wheel(tags)).collect();
            for _ in 0..2 {
                let why = target.why_none(&wheels).unwrap();
                assert_eq!(why.to_string(), *reason, "{name}: {tags:?}");
                wheels.reverse();
            }
        }
    }

    #[test]
    fn a_variant_is_named() {
        let target: Target = "3.11 linux".parse().unwrap();
        let mut labelled = wheel("py3-none-any");
        labelled.variant = Some(String::from("cu126"));
        assert_eq!(
            target.why_not(&labelled).unwrap().to_string(),
            "is of the wheel variant `cu126`, which is taken with `--wheel-variants` only"
        );
    }

    #[test]
    fn where_a_wheel_suits_there_is_no_reason() {
        let target: Target = "3.11 linux".parse().unwrap();
        let wheels = [wheel("cp310-cp310-win32"), wheel("py3-none-any")];
        assert_eq!(target.why_none(&wheels), None);
        assert_eq!(target.why_none([]), None);
    }
}
