//! What changed between two locks, causes first.

use std::collections::{BTreeMap, BTreeSet};

use pep508_rs::PackageName;

use super::graph::{From, Graph, GraphEdge, admits};
use super::text::{COLUMNS, counted, wrap};

/// What changed between two locks.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Changes {
    /// The changes, causes before what they cause.
    pub changes: Vec<Changed>,
}

/// One distribution that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// The distribution.
    pub name: PackageName,
    /// The version before; `None` where it is new.
    pub before: Option<String>,
    /// The version after; `None` where it is gone.
    pub after: Option<String>,
    /// Why.
    pub cause: Cause,
    /// How many causes stand above it: 0 for a change that no other one explains.
    pub depth: usize,
}

/// Why a distribution differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// A rule limits it now; the distribution that triggers it.
    Rule {
        /// The rule.
        id: String,
        /// Who triggers it.
        by: PackageName,
    },
    /// A rule that limited it does so no longer; the distribution that triggered it.
    RuleGone {
        /// The rule.
        id: String,
        /// Who triggered it.
        by: PackageName,
    },
    /// A distribution asks for a range that the old version is not in, or asks for it at all.
    Asked {
        /// Who asks.
        by: PackageName,
        /// For which range; empty where the lock does not say it.
        range: String,
    },
    /// Nobody asks for it any more; who did.
    NotAsked {
        /// Who asked before.
        by: PackageName,
    },
    /// A line of the user's: its place.
    Line(String),
    /// A line of the user's that is no longer there: its place.
    LineGone(String),
    /// Nothing in the locks explains it: a newer release, or another range in a line.
    Free,
}

impl Changes {
    /// Compares two graphs.
    pub fn between(before: &Graph, after: &Graph) -> Self {
        let names: BTreeSet<&PackageName> = before.nodes.keys().chain(after.nodes.keys()).collect();
        let version = |graph: &Graph, name: &PackageName| {
            graph.nodes.get(name).map(|node| node.version.clone())
        };
        let differing: BTreeSet<&PackageName> = names
            .into_iter()
            .filter(|name| version(before, name) != version(after, name))
            .collect();
        let mut causes: BTreeMap<&PackageName, Cause> = BTreeMap::new();
        for name in &differing {
            causes.insert(name, cause(name, before, after, &differing));
        }
        let mut changes = Vec::with_capacity(differing.len());
        let mut told = BTreeSet::new();
        let tops: Vec<&PackageName> = differing
            .iter()
            .copied()
            .filter(|name| parent(&causes[name]).is_none_or(|by| !causes.contains_key(by)))
            .collect();
        let mut waiting: Vec<(&PackageName, usize)> =
            tops.into_iter().rev().map(|name| (name, 0)).collect();
        loop {
            while let Some((name, depth)) = waiting.pop() {
                if !told.insert(name) {
                    continue;
                }
                changes.push(Changed {
                    name: name.clone(),
                    before: version(before, name),
                    after: version(after, name),
                    cause: causes[name].clone(),
                    depth,
                });
                let below = causes
                    .iter()
                    .rev()
                    .filter(|(_, cause)| parent(cause) == Some(name));
                waiting.extend(below.map(|(other, _)| (*other, depth + 1)));
            }
            // Causes that go round in a circle: enter it at its first name.
            match differing.iter().find(|name| !told.contains(*name)) {
                Some(name) => waiting.push((name, 0)),
                None => return Self { changes },
            }
        }
    }

    /// The changes as text of at most 80 columns, colourless.
    pub fn render(&self) -> String {
        if self.changes.is_empty() {
            return "Both lock the same versions.\n".to_owned();
        }
        let differ = if self.changes.len() == 1 {
            "differs"
        } else {
            "differ"
        };
        let mut out = format!("{} {differ}\n\n", counted(self.changes.len(), "package"));
        for change in &self.changes {
            let indent = "  ".repeat(change.depth.min(6));
            let further = format!("{indent}    ");
            let text = format!("{}{}", change.words(), self.because(change));
            out.push_str(&wrap(&text, &indent, &further, COLUMNS));
        }
        out
    }

    fn because(&self, change: &Changed) -> String {
        let event = |name: &PackageName| self.event(name);
        match &change.cause {
            Cause::Rule { id, by } => format!(": {} (rule {id})", event(by)),
            Cause::RuleGone { id, by } => {
                format!(": {}, and rule {id} no longer limits it", event(by))
            }
            Cause::Asked { by, range } if range.is_empty() => format!(": {}", event(by)),
            Cause::Asked { by, range } => {
                format!(": {} and requires {}{range}", event(by), change.name)
            }
            Cause::NotAsked { by } => format!(": {}", event(by)),
            Cause::Line(place) => format!(": asked for by {place}"),
            Cause::LineGone(place) => format!(": no longer asked for by {place}"),
            Cause::Free => String::new(),
        }
    }

    /// What happened to a distribution that causes another's change.
    fn event(&self, name: &PackageName) -> String {
        let Some(change) = self.changes.iter().find(|change| change.name == *name) else {
            return format!("{name} limits it");
        };
        match (&change.before, &change.after) {
            (None, Some(after)) => format!("{name} {after} was added"),
            (Some(before), None) => format!("{name} {before} was removed"),
            (Some(before), Some(after)) => format!("{name} went from {before} to {after}"),
            (None, None) => name.to_string(),
        }
    }
}

impl Changed {
    /// `numpy 1.26.4 -> 2.4.6`.
    pub fn words(&self) -> String {
        match (&self.before, &self.after) {
            (Some(before), Some(after)) => format!("{} {before} -> {after}", self.name),
            (None, Some(after)) => format!("{} {after} added", self.name),
            (Some(before), None) => format!("{} {before} removed", self.name),
            (None, None) => self.name.to_string(),
        }
    }
}

/// The distribution whose change is the cause.
fn parent(cause: &Cause) -> Option<&PackageName> {
    match cause {
        Cause::Rule { by, .. }
        | Cause::RuleGone { by, .. }
        | Cause::Asked { by, .. }
        | Cause::NotAsked { by } => Some(by),
        Cause::Line(_) | Cause::LineGone(_) | Cause::Free => None,
    }
}

fn cause(
    name: &PackageName,
    before: &Graph,
    after: &Graph,
    differing: &BTreeSet<&PackageName>,
) -> Cause {
    if !after.nodes.contains_key(name) {
        return removed(name, before, after);
    }
    let old = before.nodes.get(name).map(|node| node.version.as_str());
    let rules = |graph: &Graph| -> BTreeMap<String, PackageName> {
        graph
            .askers(name)
            .filter_map(|edge| Some((edge.rule.clone()?, package(edge)?.clone())))
            .collect()
    };
    let (rules_before, rules_after) = (rules(before), rules(after));
    let fresh = rules_after
        .iter()
        .find(|(id, _)| !rules_before.contains_key(*id));
    if let (Some((id, by)), Some(_)) = (fresh, old) {
        return Cause::Rule {
            id: id.clone(),
            by: by.clone(),
        };
    }
    let stale = rules_before
        .iter()
        .find(|(id, by)| !rules_after.contains_key(*id) && differing.contains(by));
    if let (Some((id, by)), Some(_)) = (stale, old) {
        return Cause::RuleGone {
            id: id.clone(),
            by: by.clone(),
        };
    }
    if let Some(by_line) = line_cause(name, before, after, old) {
        return by_line;
    }
    let asked = |is_cause: &dyn Fn(&GraphEdge, &PackageName) -> bool| {
        let mut pulling = after.askers(name).filter(|edge| edge.pulls_in);
        pulling.find_map(|edge| {
            let by = package(edge).filter(|by| differing.contains(by) && is_cause(edge, by))?;
            Some(Cause::Asked {
                by: by.clone(),
                range: edge.range.clone(),
            })
        })
    };
    let forced = asked(&|edge, _| match old {
        None => true,
        Some(old) => !edge.range.is_empty() && !admits(&edge.range, old),
    });
    if let Some(forced) = forced {
        return forced;
    }
    // A lock does not say its ranges: then who else asks for it may be the cause, unless a line
    // of the user's may be.
    let of_user = |edge: &GraphEdge| matches!(edge.from, From::User(_));
    if after.askers(name).any(of_user) {
        return Cause::Free;
    }
    asked(&|edge, by| edge.range.is_empty() && !before.nodes.contains_key(by))
        .or_else(|| asked(&|edge, _| edge.range.is_empty()))
        .unwrap_or(Cause::Free)
}

/// The user's own line, where it is new or the old version is not in its range.
fn line_cause(
    name: &PackageName,
    before: &Graph,
    after: &Graph,
    old: Option<&str>,
) -> Option<Cause> {
    let mut lines = after.askers(name).filter_map(|edge| match &edge.from {
        From::User(place) => Some((place, edge)),
        From::Package(_) => None,
    });
    let asked_before = before
        .askers(name)
        .any(|edge| matches!(edge.from, From::User(_)));
    let found = lines.find(|(_, edge)| match old {
        None => edge.pulls_in,
        Some(old) => {
            (!edge.range.is_empty() && !admits(&edge.range, old))
                || (!asked_before && edge.range.is_empty() && edge.pulls_in)
        }
    });
    found.map(|(place, _)| Cause::Line(place.clone()))
}

fn removed(name: &PackageName, before: &Graph, after: &Graph) -> Cause {
    let mut line = None;
    for edge in before.askers(name).filter(|edge| edge.pulls_in) {
        match &edge.from {
            From::Package(by) if !after.nodes.contains_key(by) => {
                return Cause::NotAsked { by: by.clone() };
            }
            From::Package(by)
                if before.nodes.get(by).map(|node| &node.version)
                    != after.nodes.get(by).map(|node| &node.version) =>
            {
                return Cause::NotAsked { by: by.clone() };
            }
            From::User(place) => line = Some(place.clone()),
            From::Package(_) => {}
        }
    }
    line.map_or(Cause::Free, Cause::LineGone)
}

fn package(edge: &GraphEdge) -> Option<&PackageName> {
    match &edge.from {
        From::Package(name) => Some(name),
        From::User(_) => None,
    }
}
