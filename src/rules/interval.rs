//! Version ranges as intervals, for lints, which must know whether anything at all can be
//! in a range, and not only whether a known release is.

use std::ops::Bound;

use pep440_rs::Version;
use pubgrub::Ranges;

use super::VersionRange;

impl VersionRange {
    /// The range as intervals on PEP 440's order.
    ///
    /// Near a bound the intervals of pep440_rs differ from PEP 440 in single versions
    /// (`==2.5.1` is to contain `2.5.1+cu124`), so they serve for questions about ranges
    /// and never for a version.
    pub(super) fn intervals(&self) -> Ranges<Version> {
        self.0
            .iter()
            .map(|alternative| Ranges::from(alternative.clone()))
            .fold(Ranges::empty(), |all, some| all.union(&some))
    }

    /// Whether nothing can be in the range, or in one of its alternatives.
    pub(super) fn is_unreachable(&self) -> bool {
        self.0.is_empty()
            || self
                .0
                .iter()
                .any(|alternative| Ranges::from(alternative.clone()).is_empty())
    }

    /// Whether the range has an upper bound.
    pub(super) fn is_bounded_above(&self) -> bool {
        self.intervals()
            .bounding_range()
            .is_none_or(|(_, upper)| upper != Bound::Unbounded)
    }

    /// Whether some version is in both ranges.
    pub(super) fn intersects(&self, other: &Self) -> bool {
        !self.intervals().is_disjoint(&other.intervals())
    }
}
