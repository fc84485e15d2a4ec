//! What the user decided of what the specifications leave open.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use pep508_rs::PackageName;

/// What the user decided of what the specifications leave open (design: policies).
#[derive(Debug, Clone, Default)]
pub struct Policy {
    /// Whether pre-releases of every distribution are candidates (`--pre`).
    pub prereleases: bool,
    /// Only files uploaded before this instant are seen (`--exclude-newer`).
    pub exclude_newer: Option<Timestamp>,
    /// Indexes (by URL) for which the cut-off is off (`--exclude-newer-index NAME=off`).
    pub exclude_newer_off: BTreeSet<String>,
    /// Whether wheels may be used (`--no-binary`).
    pub wheels: Selection,
    /// Whether source distributions may be used (`--only-binary`).
    pub sdists: Selection,
    /// Whether code may be run to learn metadata (`--no-build`, `--build :all:`).
    pub build: BuildPolicy,
    /// Which distribution stands for a slot (`--provider cv2=opencv-python-headless`).
    pub providers: BTreeMap<String, PackageName>,
}

/// A choice for all distributions, with exceptions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    /// The choice for all that are not excepted.
    pub all: bool,
    /// The distributions for which the opposite holds.
    pub except: BTreeSet<PackageName>,
}

impl Default for Selection {
    fn default() -> Self {
        Self {
            all: true,
            except: BTreeSet::new(),
        }
    }
}

impl Selection {
    /// The choice for one distribution.
    pub fn allows(&self, name: &PackageName) -> bool {
        self.all != self.except.contains(name)
    }
}

/// Whether code may be run to learn a source distribution's metadata.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BuildPolicy {
    /// Only when no release in range will do otherwise, and it is said.
    #[default]
    LastResort,
    /// Never (`--no-build`).
    Never,
    /// A source distribution is as good as a wheel (`--build :all:`, pip's way).
    Freely,
}
