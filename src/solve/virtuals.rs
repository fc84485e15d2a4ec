//! Virtual packages: their versions as ordinals, so that ranges of them are rank sets.

use pep440_rs::{Operator, Version, VersionSpecifier, VersionSpecifiers};

use crate::rules::VersionRange;
use crate::versions::{Rank, RankSet};

/// Bits of an ordinal for the minor and for the patch number.
const PART: u32 = 11;
const PART_MAX: u64 = (1 << PART) - 1;
const MAJOR_MAX: u64 = (1 << (31 - 2 * PART)) - 1 + (1 << (31 - 2 * PART));

/// The ordinal of a version: its first three numbers, each bounded (major 1023, others 2047).
///
/// CUDA, cuDNN, driver, glibc and Python versions all fit; a fourth number (cuDNN's
/// build) is not told apart, since no ABI hangs on it.
pub(crate) fn ordinal(version: &Version) -> Rank {
    let mut parts = version
        .release()
        .iter()
        .copied()
        .chain(std::iter::repeat(0));
    let major = parts.next().unwrap_or(0).min(MAJOR_MAX);
    let minor = parts.next().unwrap_or(0).min(PART_MAX);
    let patch = parts.next().unwrap_or(0).min(PART_MAX);
    let packed = (major << (2 * PART)) | (minor << PART) | patch;
    Rank::try_from(packed).map_or(super::node::ABSENT - 1, |rank| {
        rank.min(super::node::ABSENT - 1)
    })
}

#[cfg(test)]
/// The version that an ordinal stands for, as people write it.
pub(crate) fn display(ordinal: Rank) -> String {
    let mask = (1 << PART) - 1;
    let (major, minor, patch) = (
        ordinal >> (2 * PART),
        (ordinal >> PART) & mask,
        ordinal & mask,
    );
    if patch == 0 {
        format!("{major}.{minor}")
    } else {
        format!("{major}.{minor}.{patch}")
    }
}

/// The ordinals that a range contains.
pub(crate) fn ordinals(range: &VersionRange) -> RankSet {
    range
        .0
        .iter()
        .map(all_of)
        .fold(RankSet::empty(), |set, next| set.union(&next))
}

/// The ordinals that a version which is brought stands for: those with its first two
/// numbers, since no ABI hangs on a third; `9` stands for every 9.x.
pub(crate) fn brought(version: &Version) -> RankSet {
    prefix(version, version.release().len().min(2))
}

fn all_of(specifiers: &VersionSpecifiers) -> RankSet {
    specifiers
        .iter()
        .map(one)
        .fold(RankSet::full(), |set, next| set.intersection(&next))
}

fn one(specifier: &VersionSpecifier) -> RankSet {
    let version = specifier.version();
    let at = ordinal(version);
    match specifier.operator() {
        Operator::GreaterThanEqual => RankSet::interval(at, Rank::MAX),
        Operator::GreaterThan => RankSet::interval(at + 1, Rank::MAX),
        Operator::LessThan => RankSet::interval(0, at),
        Operator::LessThanEqual => RankSet::interval(0, at + 1),
        Operator::Equal | Operator::ExactEqual => RankSet::singleton(at),
        Operator::NotEqual => RankSet::singleton(at).complement(),
        Operator::EqualStar => prefix(version, version.release().len()),
        Operator::NotEqualStar => prefix(version, version.release().len()).complement(),
        Operator::TildeEqual => RankSet::interval(at, Rank::MAX)
            .intersection(&prefix(version, version.release().len().saturating_sub(1))),
    }
}

/// The ordinals whose first `parts` numbers are those of `version`.
fn prefix(version: &Version, parts: usize) -> RankSet {
    let free = match parts {
        0 => return RankSet::full(),
        1 => 2 * PART,
        2 => PART,
        _ => 0,
    };
    let start = (ordinal(version) >> free) << free;
    RankSet::interval(start, start.saturating_add(1 << free))
}

#[cfg(test)]
mod tests {
    use std::str::FromStr;

    use super::*;

    fn has(range: &str, version: &str) -> bool {
        let specifiers = VersionSpecifiers::from_str(range).expect("a range");
        let version = Version::from_str(version).expect("a version");
        ordinals(&VersionRange(vec![specifiers])).contains(ordinal(&version))
    }

    #[test]
    fn ranges_contain_what_they_say() {
        assert!(has(">=12,<13", "12.4"));
        assert!(has(">=12,<13", "12.9.86"));
        assert!(!has(">=12,<13", "13.0"));
        assert!(has("==9.*", "9.1.0.70"));
        assert!(!has("==9.*", "8.9.2"));
        assert!(has("~=12.4", "12.8"));
        assert!(!has("~=12.4.1", "12.5"));
        assert!(has(">=525.60.13", "550.54"));
        assert!(!has(">=525.60.13", "525.60"));
        assert!(has("!=12.1", "12.2"));
    }

    #[test]
    fn ordinals_keep_the_order_and_can_be_shown() {
        let at = |text: &str| ordinal(&Version::from_str(text).expect("a version"));
        assert!(at("470.82") < at("525.60.13"));
        assert!(at("12.10") > at("12.9.86"));
        assert_eq!(display(at("525.60.13")), "525.60.13");
        assert_eq!(display(at("12.4")), "12.4");
    }
}
