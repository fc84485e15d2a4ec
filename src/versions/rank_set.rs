//! Sets of ranks, the solver's version sets.

use std::fmt;

use smallvec::SmallVec;

/// A release's place among its distribution's known releases, oldest first.
pub type Rank = u32;

/// A set of ranks: sorted, disjoint, non-adjacent, non-empty half-open intervals.
///
/// Ranks are integers, so unlike ranges over a dense order every set has exactly
/// one representation, and equality is structural, as PubGrub demands.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct RankSet(SmallVec<[(Rank, Rank); 2]>);

impl RankSet {
    /// The set with no rank.
    pub fn empty() -> Self {
        Self(SmallVec::new())
    }

    /// The set with every rank.
    pub fn full() -> Self {
        Self(smallvec::smallvec![(0, Rank::MAX)])
    }

    /// The set with one rank.
    pub fn singleton(rank: Rank) -> Self {
        Self(smallvec::smallvec![(rank, rank + 1)])
    }

    /// The ranks from `start` up to, and without, `end`.
    pub fn interval(start: Rank, end: Rank) -> Self {
        if start < end {
            Self(smallvec::smallvec![(start, end)])
        } else {
            Self::empty()
        }
    }

    /// The set of those ranks, counted from 0, whose item is true.
    pub fn from_members(members: impl IntoIterator<Item = bool>) -> Self {
        let mut set = Self::empty();
        let mut next = 0;
        for (rank, member) in (0..).zip(members) {
            if member {
                match set.0.last_mut() {
                    Some(last) if last.1 == rank => last.1 = rank + 1,
                    _ => set.0.push((rank, rank + 1)),
                }
            }
            next = rank + 1;
        }
        debug_assert!(next < Rank::MAX, "more releases than ranks");
        set
    }

    /// The set of the given ranks, in any order.
    pub fn from_ranks(ranks: impl IntoIterator<Item = Rank>) -> Self {
        let mut ranks: Vec<Rank> = ranks.into_iter().collect();
        ranks.sort_unstable();
        ranks.dedup();
        let mut set = Self::empty();
        for rank in ranks {
            match set.0.last_mut() {
                Some(last) if last.1 == rank => last.1 = rank + 1,
                _ => set.0.push((rank, rank + 1)),
            }
        }
        set
    }

    /// The intervals, half-open, in ascending order.
    pub fn intervals(&self) -> impl DoubleEndedIterator<Item = (Rank, Rank)> + '_ {
        self.0.iter().copied()
    }

    /// The ranks in the set that are below `len`, in ascending order.
    pub fn ranks_below(&self, len: Rank) -> impl DoubleEndedIterator<Item = Rank> + '_ {
        self.intervals()
            .flat_map(move |(start, end)| start.min(len)..end.min(len))
    }

    /// How many ranks of the set are below `len`.
    pub fn count_below(&self, len: Rank) -> u32 {
        self.intervals()
            .map(|(start, end)| end.min(len) - start.min(len))
            .sum()
    }

    /// Whether the set has no rank.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The ranks that are in both sets.
    pub fn intersection(&self, other: &Self) -> Self {
        let mut set = Self::empty();
        let (mut left, mut right) = (0, 0);
        while let (Some(a), Some(b)) = (self.0.get(left), other.0.get(right)) {
            let start = a.0.max(b.0);
            let end = a.1.min(b.1);
            if start < end {
                set.0.push((start, end));
            }
            if a.1 < b.1 {
                left += 1;
            } else {
                right += 1;
            }
        }
        set
    }

    /// The ranks that are in either set.
    pub fn union(&self, other: &Self) -> Self {
        let mut all: SmallVec<[(Rank, Rank); 4]> =
            self.0.iter().chain(other.0.iter()).copied().collect();
        all.sort_unstable();
        let mut set = Self::empty();
        for (start, end) in all {
            match set.0.last_mut() {
                Some(last) if start <= last.1 => last.1 = last.1.max(end),
                _ => set.0.push((start, end)),
            }
        }
        set
    }

    /// The ranks that are not in the set.
    pub fn complement(&self) -> Self {
        let mut set = Self::empty();
        let mut start = 0;
        for (from, to) in self.intervals() {
            if start < from {
                set.0.push((start, from));
            }
            start = to;
        }
        if start < Rank::MAX {
            set.0.push((start, Rank::MAX));
        }
        set
    }

    /// Whether the set has the rank.
    pub fn contains(&self, rank: Rank) -> bool {
        self.intervals()
            .any(|(start, end)| start <= rank && rank < end)
    }

    /// The one rank of a set that has exactly one.
    pub fn single(&self) -> Option<Rank> {
        match self.0.as_slice() {
            [(start, end)] if end - start == 1 => Some(*start),
            _ => None,
        }
    }
}

impl pubgrub::VersionSet for RankSet {
    type V = Rank;

    fn empty() -> Self {
        Self::empty()
    }

    fn singleton(rank: Rank) -> Self {
        Self::singleton(rank)
    }

    fn complement(&self) -> Self {
        self.complement()
    }

    fn intersection(&self, other: &Self) -> Self {
        self.intersection(other)
    }

    fn contains(&self, rank: &Rank) -> bool {
        self.contains(*rank)
    }

    fn full() -> Self {
        Self::full()
    }

    fn union(&self, other: &Self) -> Self {
        self.union(other)
    }

    fn is_disjoint(&self, other: &Self) -> bool {
        self.intersection(other).is_empty()
    }

    fn subset_of(&self, other: &Self) -> bool {
        self.intersection(other) == *self
    }
}

impl fmt::Debug for RankSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for RankSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{")?;
        for (position, (start, end)) in self.intervals().enumerate() {
            if position > 0 {
                f.write_str(", ")?;
            }
            match (end - start, end) {
                (1, _) => write!(f, "{start}")?,
                (_, Rank::MAX) => write!(f, "{start}..")?,
                _ => write!(f, "{start}..{end}")?,
            }
        }
        f.write_str("}")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn members() -> impl Strategy<Value = Vec<bool>> {
        proptest::collection::vec(any::<bool>(), 0..24)
    }

    fn listed(set: &RankSet) -> Vec<Rank> {
        set.ranks_below(64).collect()
    }

    proptest! {
        #[test]
        fn set_operations_agree_with_membership(a in members(), b in members()) {
            let (left, right) = (RankSet::from_members(a.clone()), RankSet::from_members(b.clone()));
            for rank in 0..64_u32 {
                let in_left = a.get(rank as usize).copied().unwrap_or(false);
                let in_right = b.get(rank as usize).copied().unwrap_or(false);
                prop_assert_eq!(left.contains(rank), in_left);
                prop_assert_eq!(left.union(&right).contains(rank), in_left || in_right);
                prop_assert_eq!(left.intersection(&right).contains(rank), in_left && in_right);
                prop_assert_eq!(left.complement().contains(rank), !in_left);
            }
            prop_assert_eq!(left.complement().complement(), left.clone());
            prop_assert_eq!(RankSet::from_ranks(listed(&left)), left.clone());
            prop_assert_eq!(left.count_below(64) as usize, listed(&left).len());
            prop_assert_eq!(left.union(&left.complement()), RankSet::full());
        }
    }
}
