//! The order of decisions: fixed, and blind to what happens to be loaded.
//!
//! What has one version left; the user's lines with an upper bound; the user's other
//! lines; transitive distributions as they are met; distributions that rules limit,
//! compiled sides before the hubs they were compiled against; ties by name. Conflicts
//! raise a distribution within its tier, in steps, so that a few do not overturn the
//! order and many do.

use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::BTreeMap;

use pep440_rs::Operator;
use pep508_rs::PackageName;

use super::node::{NameId, Node};
use crate::request::{LineSource, Request};
use crate::rules::RuleSet;

/// Conflicts it takes for the first step up.
const FIRST_STEP: u32 = 8;

/// A decision's priority: the greater goes first.
pub(crate) type Priority = (Tier, u32, Class, Reverse<u32>, Reverse<NameId>, u8);

/// What is decided before everything of the next tier, whatever the conflicts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Tier {
    /// Shadows of distributions that nothing asks for, slots, virtual packages: they follow.
    Following,
    /// Distributions that rules limit.
    Limited,
    /// The other distributions.
    Ordinary,
    /// What has one version left, and nodes that only pass a wish on.
    Forced,
}

/// Who asked for a distribution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Class {
    /// Other distributions only.
    Transitive,
    /// A line of the user's.
    Line,
    /// A line of the user's with an upper bound, or a direct reference.
    BoundedLine,
}

/// What the order of decisions hangs on.
#[derive(Debug)]
pub(crate) struct Order {
    classes: BTreeMap<PackageName, Class>,
    levels: BTreeMap<PackageName, u32>,
    conflicts: RefCell<BTreeMap<Node, u32>>,
    totals: RefCell<BTreeMap<NameId, u32>>,
}

impl Order {
    pub(crate) fn new(request: &Request, rules: &RuleSet) -> Self {
        let mut classes: BTreeMap<PackageName, Class> = BTreeMap::new();
        for line in &request.requirements {
            let class = match &line.source {
                LineSource::Direct(_) => Class::BoundedLine,
                LineSource::Specifiers(specifiers) => {
                    if specifiers
                        .iter()
                        .any(|specifier| is_upper(*specifier.operator()))
                    {
                        Class::BoundedLine
                    } else {
                        Class::Line
                    }
                }
            };
            let known = classes.entry(line.name.clone()).or_insert(class);
            *known = class.max(*known);
        }
        Self {
            classes,
            levels: levels(rules),
            conflicts: RefCell::default(),
            totals: RefCell::default(),
        }
    }

    /// The level of a distribution that rules limit: those it was compiled against have a
    /// higher one, and are decided later.
    pub(crate) fn level(&self, name: &PackageName) -> Option<u32> {
        self.levels.get(name).copied()
    }

    pub(crate) fn class(&self, name: &PackageName) -> Class {
        self.classes.get(name).copied().unwrap_or(Class::Transitive)
    }

    /// The steps by which a distribution's conflicts raise it; `conflicts` are the node's.
    pub(crate) fn raise(&self, node: Node, name: NameId, conflicts: u32) -> u32 {
        let mut nodes = self.conflicts.borrow_mut();
        let mut totals = self.totals.borrow_mut();
        let known = nodes.entry(node).or_default();
        let total = totals.entry(name).or_default();
        *total += conflicts.saturating_sub(*known);
        *known = conflicts.max(*known);
        if *total < FIRST_STEP {
            0
        } else {
            (*total / FIRST_STEP).ilog2() + 1
        }
    }
}

fn is_upper(operator: Operator) -> bool {
    matches!(
        operator,
        Operator::Equal
            | Operator::EqualStar
            | Operator::ExactEqual
            | Operator::TildeEqual
            | Operator::LessThan
            | Operator::LessThanEqual
    )
}

/// For each distribution that a rule limits, the longest chain of limited distributions
/// whose rules lead to it. Cycles are cut where they close.
fn levels(rules: &RuleSet) -> BTreeMap<PackageName, u32> {
    let edges: Vec<(&PackageName, &PackageName)> = rules
        .limits_of_all()
        .filter(|(from, to)| from != to)
        .collect();
    let mut levels: BTreeMap<PackageName, u32> =
        edges.iter().map(|(_, to)| ((*to).clone(), 0)).collect();
    let limit = u32::try_from(levels.len()).unwrap_or(u32::MAX);
    for _ in 0..levels.len() {
        let mut changed = false;
        for (from, to) in &edges {
            let Some(level) = levels.get(*from).map(|level| level + 1) else {
                continue;
            };
            if let Some(known) = levels.get_mut(*to)
                && *known < level
                && level < limit
            {
                *known = level;
                changed = true;
            }
        }
        if !changed {
            break;
        }
    }
    levels
}
