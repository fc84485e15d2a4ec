//! How well a wheel suits.

/// How well a wheel suits a target: the greater, the more specific. Never 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TagPriority(pub u32);

/// The order among the suitable wheels of one release: the greatest is the one to take.
///
/// The tags count first; within the same tag the greater build number wins, and a wheel
/// without a build tag comes before all that have one (PEP 427).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct WheelOrder<'w> {
    /// How specific the best of its tags is.
    pub priority: TagPriority,
    /// Its build tag: the number, then the rest.
    pub build: Option<(u64, &'w str)>,
}
