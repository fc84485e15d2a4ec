//! Families: distributions that are built together, once for each accelerator.

use std::collections::BTreeMap;
use std::fmt;

use pep440_rs::Version;
use pep508_rs::{MarkerEnvironment, MarkerTree, PackageName};

use super::VersionRange;
use super::model::{marker_text, write_needs};

/// One build of a family, on some targets.
#[derive(Debug, Clone)]
pub struct FamilyLabel {
    /// The label, as it stands in a local version: `cu124` in `2.5.1+cu124`.
    pub name: String,
    /// The kind of accelerator that it is for: `cuda`, `rocm`, `xpu`, `cpu`.
    pub accelerator: String,
    /// The index that serves the build (URL).
    pub index: String,
    /// The targets (PEP 508 marker) that it is built for.
    pub marker: MarkerTree,
    /// By virtual package, without `@`: where it must be for the build to run.
    pub needs: BTreeMap<String, VersionRange>,
    /// By virtual package, without `@`: what the build brings. `12.4` stands for any 12.4.x.
    pub provides: BTreeMap<String, Version>,
    /// The driver that the build's toolkit came with. An older one that meets `needs` runs
    /// the build, but compiles no PTX of it (minor-version compatibility).
    pub toolkit_driver: Option<Version>,
}

/// What is known of the binaries of one distribution in some builds.
#[derive(Debug, Clone)]
pub struct FamilyBinary {
    /// The distribution.
    pub package: PackageName,
    /// Its releases.
    pub versions: VersionRange,
    /// The builds.
    pub labels: Vec<String>,
    /// The targets.
    pub marker: MarkerTree,
    /// The GPU architectures that the binaries carry code for; empty where none is said.
    pub architectures: Vec<Architecture>,
    /// By virtual package, without `@`: what the binaries bring.
    pub provides: BTreeMap<String, Version>,
    /// Whether they were built with GCC's newer C++ ABI (`_GLIBCXX_USE_CXX11_ABI`).
    pub cxx11_abi: Option<bool>,
}

/// A GPU architecture that a binary carries code for: `9.0`, `12.0+PTX`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Architecture {
    /// The compute capability.
    pub capability: Version,
    /// Whether there is PTX of it, which a driver compiles for any later capability.
    pub ptx: bool,
}

/// How a binary runs on a GPU.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Runs {
    /// By code for the GPU's own generation.
    Native,
    /// By PTX that the driver compiles.
    Compiled,
}

impl Architecture {
    /// Reads `9.0` or `12.0+PTX`.
    pub fn parse(text: &str) -> Option<Self> {
        let (number, ptx) = match text.strip_suffix("+PTX") {
            Some(number) => (number, true),
            None => (text, false),
        };
        let (major, minor) = number.split_once('.')?;
        let capability = Version::new([major.parse::<u64>().ok()?, minor.parse::<u64>().ok()?]);
        Some(Self { capability, ptx })
    }

    /// How the code runs on a GPU: that of a capability runs on the same major number and a
    /// minor one at least as great; its PTX on any capability from there on.
    pub fn runs_on(&self, gpu: &Version) -> Option<Runs> {
        if *gpu < self.capability {
            return None;
        }
        if gpu.release().first() == self.capability.release().first() {
            return Some(Runs::Native);
        }
        self.ptx.then_some(Runs::Compiled)
    }
}

impl FamilyBinary {
    /// Whether this speaks of a release in a build on a target.
    pub fn applies(
        &self,
        package: &PackageName,
        version: &Version,
        label: &str,
        markers: &MarkerEnvironment,
    ) -> bool {
        self.package == *package
            && self.labels.iter().any(|name| name == label)
            && self.versions.contains(&version.clone().without_local())
            && self.marker.evaluate(markers, &[])
    }

    /// How the binaries run on a GPU.
    pub fn runs_on(&self, gpu: &Version) -> Option<Runs> {
        self.architectures
            .iter()
            .filter_map(|architecture| architecture.runs_on(gpu))
            .min()
    }
}

/// The version's local part as a label: `cu124` of `2.5.1+cu124`.
pub fn label_of(version: &Version) -> String {
    let parts: Vec<String> = version.local().iter().map(ToString::to_string).collect();
    parts.join(".")
}

impl fmt::Display for Architecture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ptx = if self.ptx { "+PTX" } else { "" };
        write!(f, "{}{ptx}", self.capability)
    }
}

// One form that does not depend on how the file is laid out, for the rule's digest.
impl fmt::Display for FamilyLabel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let driver = self.toolkit_driver.as_ref();
        writeln!(
            f,
            "label {} {} {} ; {} toolkit-driver {}",
            self.name,
            self.accelerator,
            self.index,
            marker_text(&self.marker),
            driver.map_or_else(String::new, ToString::to_string),
        )?;
        write_needs(f, &self.needs)?;
        write_provides(f, &self.provides)
    }
}

impl fmt::Display for FamilyBinary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let architectures: Vec<String> =
            self.architectures.iter().map(ToString::to_string).collect();
        writeln!(
            f,
            "binary {} {} {} ; {} {}",
            self.package,
            self.versions,
            self.labels.join(","),
            marker_text(&self.marker),
            architectures.join(","),
        )?;
        if let Some(new) = self.cxx11_abi {
            writeln!(f, "cxx11-abi {new}")?;
        }
        write_provides(f, &self.provides)
    }
}

fn write_provides(f: &mut fmt::Formatter<'_>, provides: &BTreeMap<String, Version>) -> fmt::Result {
    provides
        .iter()
        .try_for_each(|(name, version)| writeln!(f, "provides {name} {version}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_runs_on_its_own_major_and_ptx_on_what_comes_later() {
        let runs = |carried: &str, gpu: [u64; 2]| {
            Architecture::parse(carried)
                .expect("an architecture")
                .runs_on(&Version::new(gpu))
        };
        assert_eq!(runs("8.6", [8, 9]), Some(Runs::Native));
        assert_eq!(runs("8.6", [8, 0]), None);
        assert_eq!(runs("9.0", [12, 0]), None);
        assert_eq!(runs("9.0+PTX", [12, 0]), Some(Runs::Compiled));
        assert_eq!(runs("12.0+PTX", [12, 1]), Some(Runs::Native));
        assert_eq!(Architecture::parse("sm_90"), None);
    }
}
