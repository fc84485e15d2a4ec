//! What is installed already in an image or notebook, and stays as it is (`--base`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use pep440_rs::Version;
use pep508_rs::PackageName;

use super::Place;
use crate::metadata::Metadata;

/// The packages of an image or notebook, which a lock leaves as they are.
///
/// They are facts: requirements and rules between two of them are never enforced, since
/// real images break their own metadata.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Base {
    /// What the base is called in messages and in the lock: a file, a preset, an interpreter.
    pub name: String,
    /// What is installed.
    pub packages: BTreeMap<PackageName, BasePackage>,
    /// What may be changed all the same (`--allow-change`).
    pub changeable: BTreeSet<PackageName>,
    /// The word for the Python that the base says it is for (`3.12`), where it does.
    pub python: Option<String>,
    /// The platform that the base says it is for, where it does.
    pub platform: Option<String>,
}

/// One package that is installed already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BasePackage {
    /// Its version; `None` where the base does not tell it (a folder, a repository): every
    /// requirement on it is then taken to be met.
    pub version: Option<Version>,
    /// Its metadata, where it is at hand. Without it no requirements of its own are assumed.
    pub metadata: Option<Arc<Metadata>>,
    /// Where it was installed from, when that was not an index.
    pub url: Option<String>,
    /// Where the base names it.
    pub place: Place,
}

impl Base {
    /// The package of this name that stays as it is.
    pub fn frozen(&self, name: &PackageName) -> Option<&BasePackage> {
        if self.changeable.contains(name) {
            return None;
        }
        self.packages.get(name)
    }

    /// The package of this name that may be changed.
    pub fn changeable(&self, name: &PackageName) -> Option<&BasePackage> {
        self.changeable
            .contains(name)
            .then(|| self.packages.get(name))
            .flatten()
    }

    /// Every package whose version is known, sorted by name.
    pub fn releases(&self) -> Vec<(PackageName, Version)> {
        self.packages
            .iter()
            .filter_map(|(name, package)| Some((name.clone(), package.version.clone()?)))
            .collect()
    }
}
