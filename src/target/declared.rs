//! Targets, declared by their words, and what they admit.

use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, OnceLock};

use pep440_rs::{Operator, Version, VersionSpecifier, VersionSpecifiers};
use pep508_rs::{MarkerEnvironment, MarkerEnvironmentBuilder};

use super::tags::TagTable;
use super::{
    Accelerator, Implementation, Os, Platform, PythonWord, TagPriority, TargetError, WheelOrder,
};
use crate::metadata::WheelName;
use crate::versions;

/// The environment a lock is for.
///
/// `Display` writes its canonical name, Python and platform with a space between
/// (`3.11 x86_64-manylinux_2_28`), which `FromStr` reads back. A target read off an
/// interpreter may have further marker values: [`Target::words`] has them all.
#[derive(Debug, Clone)]
pub struct Target {
    /// The Python version with its patch number (`3.11` is taken as `3.11.0`).
    pub python: Version,
    /// The platform.
    pub platform: Platform,
    /// The values of the environment markers (PEP 508).
    pub markers: MarkerEnvironment,
    /// The accelerator, as far as anything is stated of it.
    pub accelerator: Accelerator,
    word: PythonWord,
    /// Made when a wheel is judged first; clones share it.
    tags: Arc<OnceLock<TagTable>>,
}

impl Target {
    /// A target from the words of `--python-version` and `--python-platform`: `3.11`,
    /// `x86_64-manylinux_2_28`. See [`PythonWord`] and [`Platform::parse`] for the words.
    pub fn declared(python: &str, platform: &str) -> Result<Self, TargetError> {
        let word: PythonWord = python.parse()?;
        let platform = Platform::parse(platform)?;
        let markers = markers(&word, &platform)?;
        Ok(Self::new(word, platform, markers))
    }

    pub(super) fn new(word: PythonWord, platform: Platform, markers: MarkerEnvironment) -> Self {
        Self {
            python: word.version(),
            tags: Arc::default(),
            platform,
            markers,
            accelerator: Accelerator::default(),
            word,
        }
    }

    /// The word for the Python: implementation, version as far as it was given, free-threaded.
    pub fn python_word(&self) -> &PythonWord {
        &self.word
    }

    /// The words for people: `CPython 3.11 on Linux x86_64 with glibc 2.28`.
    pub fn describe(&self) -> String {
        let machine = format!("{} on {}", self.word.describe(), self.platform.describe());
        if self.accelerator.is_stated() {
            format!("{machine} with {}", self.accelerator)
        } else {
            machine
        }
    }

    /// How well the wheel suits this target; `None` where it does not.
    ///
    /// A wheel of a labelled variant (PEP 825, draft) suits only a target that takes variants,
    /// and is judged here by its tags alone. Two wheels of one release and label that tie here
    /// differ in their build tag: compare [`Target::wheel_order`].
    ///
    /// Sources: PEP 425 (tags), PEP 600 (manylinux), PEP 656 (musllinux),
    /// PEP 703 (free-threaded builds).
    pub fn wheel_priority(&self, wheel: &WheelName) -> Option<TagPriority> {
        match wheel.variant {
            Some(_) if self.accelerator.variants.is_none() => None,
            _ => self.tag_table().priority(wheel),
        }
    }

    /// As [`Target::wheel_priority`], for the compressed tags of a wheel without a variant, as
    /// `cp311`, `cp311` and `manylinux_2_17_x86_64.manylinux2014_x86_64`.
    pub fn tags_priority(&self, python: &str, abi: &str, platform: &str) -> Option<TagPriority> {
        let (python, abi, platform) = (python.split('.'), abi.split('.'), platform.split('.'));
        self.tag_table().priority_of(python, &abi, platform)
    }

    /// The wheel's place among the wheels of its release; `None` where it does not suit.
    pub fn wheel_order<'w>(&self, wheel: &'w WheelName) -> Option<WheelOrder<'w>> {
        Some(WheelOrder {
            priority: self.wheel_priority(wheel)?,
            build: wheel
                .build
                .as_ref()
                .map(|(number, rest)| (*number, rest.as_str())),
        })
    }

    /// All tags of wheels that suit, as Python, ABI and platform tag, the most specific first.
    pub fn tags(&self) -> impl Iterator<Item = (&str, &str, &str)> {
        self.tag_table().tags()
    }

    pub(super) fn tag_table(&self) -> &TagTable {
        let make = || TagTable::new(&self.word, &self.platform);
        self.tags.get_or_init(make)
    }

    /// Whether a Requires-Python admits this target's Python.
    ///
    /// `3.11` is asked as 3.11.0: `>=3.11.4` does not admit it, nor does an upper bound that
    /// excludes 3.11.0 (uv ignores upper bounds here). That later patch releases are taken to
    /// be compatible shows where single ones are excluded: `!=3.11.0` admits `3.11`, since it
    /// does not exclude what one would run; it does not admit `3.11.0`. uv does likewise.
    ///
    /// A pre-release counts as the release it leads to: 3.15.0b1 is admitted by `>=3.15`, as
    /// in pip.
    pub fn admits_python(&self, requires: &VersionSpecifiers) -> bool {
        if self.word.is_exact() {
            return versions::contains(requires, &self.python);
        }
        let open = |specifier: &VersionSpecifier| {
            *specifier.operator() == Operator::NotEqual
                && minor_of(specifier.version()) == minor_of(&self.python)
        };
        if requires.iter().any(open) {
            let asked = requires.iter().filter(|specifier| !open(specifier));
            let asked: VersionSpecifiers = asked.cloned().collect();
            versions::contains(&asked, &self.python)
        } else {
            versions::contains(requires, &self.python)
        }
    }
}

fn minor_of(version: &Version) -> (Option<u64>, u64) {
    let mut release = version.release().iter().copied();
    (release.next(), release.next().unwrap_or(0))
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.word, self.platform)
    }
}

impl FromStr for Target {
    type Err = TargetError;

    fn from_str(name: &str) -> Result<Self, TargetError> {
        let (python, platform) = name.trim().split_once(' ').unwrap_or((name, ""));
        Self::declared(python, platform)
    }
}

/// The marker values that the words imply. What only a running system knows is empty.
pub(super) fn markers(
    word: &PythonWord,
    platform: &Platform,
) -> Result<MarkerEnvironment, TargetError> {
    let full_version = word.full_version().to_string();
    let python_version = format!("3.{}", word.minor());
    let (name, title, implementation_version) = match word.implementation() {
        Implementation::CPython { .. } => ("cpython", "CPython", full_version.clone()),
        Implementation::PyPy { .. } => {
            let own = word.pypy_version().unwrap_or_else(|| word.version());
            ("pypy", "PyPy", three_numbers(&own))
        }
    };
    let (os_name, sys_platform, system) = match platform.os {
        Os::Manylinux { .. } | Os::Musllinux { .. } => ("posix", "linux", "Linux"),
        Os::Macos { .. } => ("posix", "darwin", "Darwin"),
        Os::Windows => ("nt", "win32", "Windows"),
    };
    let machine = match (platform.os, platform.arch.as_str()) {
        (Os::Windows, "amd64") => "AMD64",
        (Os::Windows, "arm64") => "ARM64",
        (_, arch) => arch,
    };
    MarkerEnvironment::try_from(MarkerEnvironmentBuilder {
        implementation_name: name,
        implementation_version: &implementation_version,
        os_name,
        platform_machine: machine,
        platform_python_implementation: title,
        platform_release: "",
        platform_system: system,
        platform_version: "",
        python_full_version: &full_version,
        python_version: &python_version,
        sys_platform,
    })
    .map_err(|_| TargetError::Marker {
        marker: String::from("python_full_version"),
        value: full_version,
    })
}

/// `7.3` as `7.3.0`: an implementation's version always has three numbers.
fn three_numbers(version: &Version) -> String {
    let mut release = version.release().to_vec();
    release.resize(release.len().max(3), 0);
    version.clone().with_release(release).to_string()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed parse fails the test")]

    use proptest::prelude::*;

    use super::*;
    use crate::target::recorded::wheel;

    fn target(name: &str) -> Target {
        name.parse().unwrap()
    }

    /// A target; whether `platform_machine` and the like have the values given.
    #[test]
    fn declared_targets_have_all_markers() {
        for (name, markers) in [
            (
                "3.11 linux",
                "cpython 3.11.0 posix x86_64 CPython  Linux  3.11.0 3.11 linux",
            ),
            (
                "3.9.7 aarch64-unknown-linux-musl",
                "cpython 3.9.7 posix aarch64 CPython  Linux  3.9.7 3.9 linux",
            ),
            (
                "3.15.0b1 macos",
                "cpython 3.15.0b1 posix arm64 CPython  Darwin  3.15.0b1 3.15 darwin",
            ),
            (
                "3.13t windows",
                "cpython 3.13.0 nt AMD64 CPython  Windows  3.13.0 3.13 win32",
            ),
            (
                "3.12 win_arm64",
                "cpython 3.12.0 nt ARM64 CPython  Windows  3.12.0 3.12 win32",
            ),
            (
                "3.12 win32",
                "cpython 3.12.0 nt x86 CPython  Windows  3.12.0 3.12 win32",
            ),
            (
                "pypy3.10 linux",
                "pypy 7.3.0 posix x86_64 PyPy  Linux  3.10.0 3.10 linux",
            ),
            (
                "pypy3.10.14-7.3.17 linux",
                "pypy 7.3.17 posix x86_64 PyPy  Linux  3.10.14 3.10 linux",
            ),
        ] {
            let m = target(name).markers;
            let found = [
                m.implementation_name(),
                &m.implementation_version().string,
                m.os_name(),
                m.platform_machine(),
                m.platform_python_implementation(),
                m.platform_release(),
                m.platform_system(),
                m.platform_version(),
                &m.python_full_version().string,
                &m.python_version().string,
                m.sys_platform(),
            ]
            .join(" ");
            assert_eq!(found, markers, "{name}");
        }
    }

    #[test]
    fn names_are_canonical() {
        for (given, name, described) in [
            (
                "3.11 linux",
                "3.11 x86_64-manylinux_2_28",
                "CPython 3.11 on Linux x86_64 with glibc 2.28",
            ),
            (
                "cp313t macos",
                "3.13t macosx_13_0_arm64",
                "CPython 3.13 (free-threaded) on macOS 13.0 arm64",
            ),
            (
                "pp310 musllinux_1_1_aarch64",
                "pypy3.10 aarch64-musllinux_1_1",
                "PyPy 3.10 on Linux aarch64 with musl 1.1",
            ),
        ] {
            let target = target(given);
            assert_eq!(target.to_string(), name);
            assert_eq!(target.describe(), described);
            assert_eq!(name.parse::<Target>().unwrap().to_string(), name);
        }
        assert!("3.11".parse::<Target>().is_err());
    }

    /// A target's Python; a Requires-Python; whether it admits it.
    const ADMITTED: &[(&str, &str, bool)] = &[
        ("3.11", "", true),
        ("3.11", ">=3.8", true),
        ("3.11", ">=3.11", true),
        ("3.11", ">=3.12", false),
        ("3.11", ">=3.11.4", false),
        ("3.11.4", ">=3.11.4", true),
        ("3.11.3", ">=3.11.4", false),
        ("3.11", "~=3.11.2", false),
        ("3.11", ">3.11", false),
        ("3.11.1", ">3.11", true),
        ("3.11", "<=3.11", true),
        ("3.11", "<3.11", false),
        ("3.11", "<3.12,>=3.9", true),
        ("3.11", "<3.11.4", true),
        ("3.11", "==3.11.*", true),
        ("3.11", "!=3.11.*", false),
        ("3.11", "==3.11.5", false),
        ("3.11", "!=3.11.0", true),
        ("3.11.0", "!=3.11.0", false),
        ("3.9", ">=3.8,!=3.9.0,!=3.9.1", true),
        ("3.9.1", ">=3.8,!=3.9.0,!=3.9.1", false),
        ("3.9.2", ">=3.8,!=3.9.0,!=3.9.1", true),
        ("3.15.0b1", ">=3.15", true),
    ];

    #[test]
    fn requires_python_admits() {
        for (python, requires, admitted) in ADMITTED {
            let target = Target::declared(python, "linux").unwrap();
            let requires: VersionSpecifiers = requires.parse().unwrap();
            assert_eq!(
                target.admits_python(&requires),
                *admitted,
                "{python} {requires}"
            );
        }
    }

    /// A target; wheel names without name and version; the best first, unsuitable ones left out.
    #[test]
    fn the_most_specific_wheel_wins() {
        for (name, wheels) in [
            (
                "3.11 linux",
                &[
                    "7-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64",
                    "2b-cp311-cp311-manylinux_2_17_x86_64",
                    "2-cp311-cp311-manylinux2014_x86_64.manylinux_2_17_x86_64",
                    "cp311-cp311-manylinux_2_17_x86_64",
                    "cp311-cp311-manylinux1_x86_64",
                    "cp311-abi3-manylinux_2_28_x86_64",
                    "cp38-abi3-manylinux_2_28_x86_64",
                    "py2.py3-none-manylinux1_x86_64",
                    "cp311-none-any",
                    "py3-none-any",
                ][..],
            ),
            (
                "3.11 macos",
                &[
                    "cp311-cp311-macosx_13_0_arm64",
                    "cp311-cp311-macosx_11_0_arm64",
                    "CP311-CP311-MacOSX_11_0_Universal2",
                    "cp311-cp311-macosx_10_9_universal2",
                    "py2.py3-none-any",
                ][..],
            ),
        ] {
            let target = target(name);
            let wheels: Vec<WheelName> = wheels.iter().map(|tags| wheel(tags)).collect();
            for pair in wheels.windows(2) {
                let order = |index: usize| target.wheel_order(&pair[index]).unwrap();
                assert!(order(0) > order(1), "{pair:?}");
            }
        }
    }

    #[test]
    fn what_is_built_for_another_target_does_not_suit() {
        for (name, tags) in [
            ("3.11 linux", "cp311-cp311-manylinux_2_29_x86_64"),
            ("3.11 linux", "cp311-cp311-manylinux_2_17_aarch64"),
            ("3.11 linux", "cp311-cp311-musllinux_1_1_x86_64"),
            ("3.11 linux", "cp311-cp311-any"),
            ("3.11 linux", "cp310-cp310-manylinux_2_17_x86_64"),
            ("3.11 linux", "cp310-none-any"),
            ("3.11 linux", "cp312-abi3-manylinux_2_17_x86_64"),
            ("3.11 linux", "py312-none-any"),
            ("3.11 linux", "py2-none-any"),
            ("3.11 linux", "py3-abi3-any"),
            ("3.13t linux", "cp313-cp313-manylinux_2_17_x86_64"),
            ("3.13t linux", "cp38-abi3-manylinux_2_17_x86_64"),
            ("3.13 linux", "cp313-cp313t-manylinux_2_17_x86_64"),
            ("3.13 linux", "cp313-abi3t-manylinux_2_17_x86_64"),
            ("pypy3.10 linux", "cp310-cp310-manylinux_2_17_x86_64"),
            ("3.11 windows", "cp311-cp311-win32"),
            ("3.11 macos", "cp311-cp311-macosx_14_0_arm64"),
            ("3.11 macos", "cp311-cp311-macosx_11_0_x86_64"),
        ] {
            assert_eq!(
                target(name).wheel_priority(&wheel(tags)),
                None,
                "{name} {tags}"
            );
        }
        let mut labelled = wheel("cp311-cp311-manylinux_2_17_x86_64");
        assert!(target("3.11 linux").wheel_priority(&labelled).is_some());
        labelled.variant = Some(String::from("x86_64_v3"));
        assert_eq!(target("3.11 linux").wheel_priority(&labelled), None);
    }

    fn tag() -> impl Strategy<Value = String> {
        prop_oneof![
            "\\PC{0,12}",
            "(cp|py|pp)3?[0-9]{0,3}t?",
            "(manylinux|musllinux|macosx|win)(_[0-9]{0,6}){0,2}_(x86_64|arm64|universal2)",
            Just(String::from("any")),
            Just(String::from("none")),
        ]
    }

    proptest! {
        #[test]
        fn any_tags_can_be_asked(
            python in prop::collection::vec(tag(), 0..4),
            abi in prop::collection::vec(tag(), 0..4),
            platform in prop::collection::vec(tag(), 0..4),
        ) {
            let asked = WheelName { python, abi, platform, ..wheel("py3-none-any") };
            for name in ["3.11 linux", "3.13t macosx_14_0_x86_64", "pypy3.10 windows"] {
                let target = target(name);
                let suits = target.tags().any(|(python, abi, platform)| {
                    let has = |tags: &[String], tag: &str| {
                        tags.iter().any(|other| other.eq_ignore_ascii_case(tag))
                    };
                    has(&asked.python, python) && has(&asked.abi, abi) && has(&asked.platform, platform)
                });
                prop_assert_eq!(target.wheel_priority(&asked).is_some(), suits);
                prop_assert_eq!(target.why_not(&asked).is_none(), suits);
            }
        }
    }
}
