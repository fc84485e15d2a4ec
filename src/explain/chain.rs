//! Who asked for a distribution, from the user's line on.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use pep440_rs::{Version, VersionSpecifiers};
use pep508_rs::PackageName;

use super::ranges::together;
use super::text;
use crate::request::Request;
use crate::solve::{Edge, EdgeCause, Solution};

/// One step of a chain: who asks, and for what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The distribution that asks, with its version; `None` for the user.
    pub from: Option<String>,
    /// What is asked for: a requirement.
    pub wants: String,
    /// The user's line and its place, or the rule, where it is one of those.
    pub by: Option<String>,
}

/// The shortest chain of requirements from a line of the user's to a distribution.
pub(super) fn chain(name: &PackageName, solution: &Solution, request: &Request) -> Vec<Link> {
    // Backwards from the distribution; edges are sorted, so that ties fall the same way.
    let mut after: BTreeMap<&PackageName, &Edge> = BTreeMap::new();
    let mut seen = BTreeSet::from([name]);
    let mut waiting = VecDeque::from([name]);
    while let Some(current) = waiting.pop_front() {
        let askers = || {
            solution
                .edges
                .iter()
                .filter(move |edge| edge.to == *current && edge.pulls_in)
        };
        if let Some(first) = askers().find(|edge| matches!(edge.cause, EdgeCause::Line(_))) {
            return forwards(first, name, &after, solution, request);
        }
        for edge in askers() {
            if let Some(from) = asker(&edge.cause)
                && seen.insert(from)
            {
                after.insert(from, edge);
                waiting.push_back(from);
            }
        }
    }
    Vec::new()
}

/// The distribution that asks.
pub(super) fn asker(cause: &EdgeCause) -> Option<&PackageName> {
    match cause {
        EdgeCause::Package { name, .. } | EdgeCause::Rule { name, .. } => Some(name),
        EdgeCause::Line(_) | EdgeCause::Constraint(_) => None,
    }
}

fn forwards(
    first: &Edge,
    name: &PackageName,
    after: &BTreeMap<&PackageName, &Edge>,
    solution: &Solution,
    request: &Request,
) -> Vec<Link> {
    let mut links = vec![link(first, solution, request)];
    let mut at = &first.to;
    while at != name {
        let Some(edge) = after.get(at) else {
            break;
        };
        links.push(link(edge, solution, request));
        at = &edge.to;
    }
    links
}

/// One edge of a solution as a link.
pub(super) fn link(edge: &Edge, solution: &Solution, request: &Request) -> Link {
    let from = asker(&edge.cause).map(|name| versioned(name, solution));
    // Metadata may ask for the same distribution several times.
    let ranges: Vec<String> = solution
        .edges
        .iter()
        .filter(|other| other.to == edge.to && other.cause == edge.cause)
        .map(|other| other.range.clone())
        .collect();
    let range = together(&ranges);
    let mut wants = text::requirement(&edge.to, &range);
    if !edge.extras.is_empty() {
        let extras: Vec<&str> = edge.extras.iter().map(AsRef::as_ref).collect();
        wants = format!(
            "{}[{}]{}",
            edge.to,
            extras.join(","),
            text::range_in_words(&range)
        );
    }
    let mine = |line: Option<&crate::request::Line>| {
        line.map(|line| format!("`{}` ({})", line.text, line.place))
    };
    let by = match &edge.cause {
        EdgeCause::Line(index) => mine(request.requirements.get(*index)),
        EdgeCause::Constraint(index) => mine(request.constraints.get(*index)),
        EdgeCause::Rule { id, .. } => Some(format!("rule {id}")),
        EdgeCause::Package {
            overridden: Some(index),
            ..
        } => mine(request.overrides.get(*index)).map(|line| format!("your override {line}")),
        EdgeCause::Package { extra, .. } => {
            extra.as_ref().map(|extra| format!("its extra `{extra}`"))
        }
    };
    Link { from, wants, by }
}

/// What does not admit a release of a distribution in a solution: a line of the user's before
/// what others require. `None` where nothing does.
pub fn against(
    name: &PackageName,
    version: &Version,
    solution: &Solution,
    request: &Request,
) -> Option<String> {
    let mut edges: Vec<&Edge> = solution
        .edges
        .iter()
        .filter(|edge| edge.to == *name && !admits(&edge.range, version))
        .collect();
    edges.sort_by_key(|edge| asker(&edge.cause).is_some());
    let link = link(edges.first()?, solution, request);
    Some(in_words(std::slice::from_ref(&link)))
}

/// Whether a range, as edges write it, contains a version.
pub(super) fn admits(range: &str, version: &Version) -> bool {
    range.contains("://")
        || range.split(" or ").any(|range| {
            range
                .parse::<VersionSpecifiers>()
                .is_ok_and(|specifiers| crate::versions::contains(&specifiers, version))
        })
}

/// `torch 2.1.2`.
pub(super) fn versioned(name: &PackageName, solution: &Solution) -> String {
    match solution.packages.get(name) {
        Some(chosen) => format!("{name} {}", chosen.version),
        None => name.to_string(),
    }
}

/// A chain in one line: `` `opencv-python` (requirements.in:4) -> opencv-python 4.11 -> numpy>=1.23 ``.
pub(super) fn in_words(links: &[Link]) -> String {
    let mut words: Vec<String> = Vec::new();
    for link in links {
        match (&link.from, &link.by) {
            (None, Some(by)) => words.push(format!("your line {by}")),
            (None, None) => words.push(format!("your line `{}`", link.wants)),
            (Some(from), Some(by)) => {
                words.push(format!("{from} requires {} ({by})", link.wants));
            }
            (Some(from), None) => words.push(format!("{from} requires {}", link.wants)),
        }
    }
    words.join(" -> ")
}
