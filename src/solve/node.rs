//! The solver's nodes, and the names behind their numbers.
//!
//! PubGrub knows packages and versions only. Everything else that can stand in a
//! conflict is a node too: a line of the user's, a rule that applies, the wish
//! that a distribution, if it is present at all, be in a range (its shadow).

use std::cell::RefCell;
use std::fmt;

use indexmap::IndexSet;
use pep508_rs::{ExtraName, PackageName};

use crate::versions::Rank;

/// A distribution's number in this solve.
pub(crate) type NameId = u32;

/// An extra's number in this solve.
pub(crate) type ExtraId = u32;

/// The rank of a shadow whose distribution is not in the environment.
///
/// Far above any release, so that no interval of releases touches it.
pub(crate) const ABSENT: Rank = Rank::MAX - 2;

/// One node of the problem that PubGrub solves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Node {
    /// The request.
    Root,
    /// A line of the user's, by its index in the request.
    Line(u32),
    /// The user's constraints on a distribution.
    Constraint(NameId),
    /// What the base asks of a distribution that is added to it, or changed.
    Base(NameId),
    /// A rule that something chosen triggered, by its index in the rule set.
    Rule(u32),
    /// "This distribution, if present": the same releases, installs nothing.
    Shadow(NameId),
    /// A distribution; its versions are ranks in its universe.
    Package(NameId),
    /// An extra of a distribution; its versions are the distribution's.
    Extra(NameId, ExtraId),
    /// An import path that several distributions install into; its versions are numbers
    /// given to the members' versions as they are met.
    Slot(u32),
    /// The build of a family, by its rule's index in the rule set; its versions are the
    /// numbers of the labels.
    Label(u32),
    /// A virtual package; its versions are ordinals (see `virtuals`).
    Virtual(u32),
}

impl fmt::Display for Node {
    // Only PubGrub's log sees this: people read the folded report.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl Node {
    /// The distribution whose conflicts this node counts towards.
    pub(crate) fn distribution(self) -> Option<NameId> {
        match self {
            Self::Shadow(name) | Self::Package(name) | Self::Extra(name, _) => Some(name),
            _ => None,
        }
    }
}

/// Numbers for names, given as they are met.
#[derive(Debug, Default)]
pub(crate) struct Names {
    packages: RefCell<IndexSet<PackageName>>,
    extras: RefCell<IndexSet<ExtraName>>,
}

impl Names {
    /// The number of a distribution, and whether it was met for the first time.
    pub(crate) fn package(&self, name: &PackageName) -> (NameId, bool) {
        if let Some(index) = self.packages.borrow().get_index_of(name) {
            return (number(index), false);
        }
        let (index, new) = self.packages.borrow_mut().insert_full(name.clone());
        (number(index), new)
    }

    /// The number of an extra.
    pub(crate) fn extra(&self, name: &ExtraName) -> ExtraId {
        if let Some(index) = self.extras.borrow().get_index_of(name) {
            return number(index);
        }
        number(self.extras.borrow_mut().insert_full(name.clone()).0)
    }

    /// The distribution with this number.
    pub(crate) fn package_name(&self, id: NameId) -> PackageName {
        self.packages.borrow()[id as usize].clone()
    }

    /// The extra with this number.
    pub(crate) fn extra_name(&self, id: ExtraId) -> ExtraName {
        self.extras.borrow()[id as usize].clone()
    }
}

fn number(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}
