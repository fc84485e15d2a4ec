//! A rule's own cases: small sets of releases that it speaks of, or does not.

use std::collections::BTreeMap;
use std::fmt;

use pep440_rs::Version;
use pep508_rs::{MarkerEnvironment, MarkerEnvironmentBuilder, PackageName};

/// A small set of releases on a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// The releases that are there.
    pub packages: Vec<(PackageName, Version)>,
    /// The virtual packages, without `@`, that are there.
    pub virtual_packages: BTreeMap<String, Version>,
    /// The Python version, with two numbers; 3.11 where the file does not say.
    pub python: String,
    /// The platform; Linux on x86-64 where the file does not say.
    pub platform: CasePlatform,
}

/// The platforms that a case can be about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum CasePlatform {
    /// Linux on x86-64.
    #[default]
    Linux,
    /// Linux on 64-bit ARM.
    LinuxAarch64,
    /// macOS on 64-bit ARM.
    Macos,
    /// macOS on x86-64.
    MacosX86,
    /// Windows on x86-64.
    Windows,
}

impl CasePlatform {
    /// The platform of that name ([`super::keys::PLATFORMS`]).
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "linux" => Self::Linux,
            "linux-aarch64" => Self::LinuxAarch64,
            "macos" => Self::Macos,
            "macos-x86_64" => Self::MacosX86,
            "windows" => Self::Windows,
            _ => return None,
        })
    }

    /// `os_name`, `sys_platform`, `platform_system`, `platform_machine`.
    fn markers(self) -> [&'static str; 4] {
        match self {
            Self::Linux => ["posix", "linux", "Linux", "x86_64"],
            Self::LinuxAarch64 => ["posix", "linux", "Linux", "aarch64"],
            Self::Macos => ["posix", "darwin", "Darwin", "arm64"],
            Self::MacosX86 => ["posix", "darwin", "Darwin", "x86_64"],
            Self::Windows => ["nt", "win32", "Windows", "AMD64"],
        }
    }
}

impl Case {
    /// The target's markers (PEP 508); `None` where `python` is not a version.
    pub fn markers(&self) -> Option<MarkerEnvironment> {
        let [os_name, sys_platform, platform_system, platform_machine] = self.platform.markers();
        let full = format!("{}.0", self.python);
        MarkerEnvironment::try_from(MarkerEnvironmentBuilder {
            implementation_name: "cpython",
            implementation_version: &full,
            os_name,
            platform_machine,
            platform_python_implementation: "CPython",
            platform_release: "",
            platform_system,
            platform_version: "",
            python_full_version: &full,
            python_version: &self.python,
            sys_platform,
        })
        .ok()
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let packages = self
            .packages
            .iter()
            .map(|(name, version)| format!("{name}=={version}"));
        let virtual_packages = self
            .virtual_packages
            .iter()
            .map(|(name, version)| format!("@{name}=={version}"));
        let all: Vec<String> = packages.chain(virtual_packages).collect();
        f.write_str(&all.join(", "))
    }
}
