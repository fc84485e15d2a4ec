//! Who needs whom: a lock or a solution as a graph.

use std::collections::{BTreeMap, BTreeSet};

use pep440_rs::VersionSpecifiers;
use pep508_rs::PackageName;

use super::study::Study;
use crate::RuleSet;
use crate::lock::{Lock, Via};
use crate::request::Request;
use crate::rules::RuleKind;
use crate::solve::{EdgeCause, Solution, SolveError};
use crate::versions;

/// A lock or a solution as a graph.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Graph {
    /// The distributions.
    pub nodes: BTreeMap<PackageName, Node>,
    /// Who asks for whom, or limits whom, sorted.
    pub edges: Vec<GraphEdge>,
}

/// One distribution.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Node {
    /// Its version; empty where the lock does not say it.
    pub version: String,
    /// The newest release for the target, where it is known.
    pub newest: Option<String>,
}

/// One edge.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct GraphEdge {
    /// Who asks.
    pub from: From,
    /// The distribution that is asked for or limited.
    pub to: PackageName,
    /// The range, where it is known.
    pub range: String,
    /// The rule, where one asks.
    pub rule: Option<String>,
    /// Whether it pulls the distribution in; a limit does not.
    pub pulls_in: bool,
    /// Whether it keeps the newest release away.
    pub blocks: bool,
}

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum From {
    /// The user: a line with its place, or a file.
    User(String),
    /// A distribution.
    Package(PackageName),
}

impl Graph {
    /// The graph of a solution; with a study, the newest releases and what keeps them away.
    ///
    /// # Errors
    ///
    /// [`SolveError`] where facts could not be had.
    pub fn of_solution(
        solution: &Solution,
        request: &Request,
        study: Option<&Study<'_>>,
    ) -> Result<Self, SolveError> {
        let mut graph = Self::default();
        for (name, chosen) in &solution.packages {
            let newest = match study {
                Some(study) => study
                    .candidates(name, request)?
                    .versions
                    .last()
                    .map(ToString::to_string),
                None => None,
            };
            graph.nodes.insert(
                name.clone(),
                Node {
                    version: chosen.version.to_string(),
                    newest,
                },
            );
        }
        for edge in &solution.edges {
            let user = |line: Option<&crate::request::Line>| {
                From::User(line.map_or_else(String::new, |line| line.place.to_string()))
            };
            let (from, rule) = match &edge.cause {
                EdgeCause::Line(index) => (user(request.requirements.get(*index)), None),
                EdgeCause::Constraint(index) => (user(request.constraints.get(*index)), None),
                EdgeCause::Package { name, .. } => (From::Package(name.clone()), None),
                EdgeCause::Rule { id, name } => (From::Package(name.clone()), Some(id.to_string())),
            };
            let newest = graph
                .nodes
                .get(&edge.to)
                .and_then(|node| node.newest.as_ref());
            let blocks = newest.is_some_and(|newest| !admits(&edge.range, newest));
            graph.edges.push(GraphEdge {
                from,
                to: edge.to.clone(),
                range: edge.range.clone(),
                rule,
                pulls_in: edge.pulls_in,
                blocks,
            });
        }
        graph.tidy();
        Ok(graph)
    }

    /// The graph that a lock's own words give: ranges are not part of a lock.
    pub fn of_lock(lock: &Lock, rules: &RuleSet) -> Self {
        let mut graph = Self::default();
        for package in &lock.packages {
            let version = package.version.as_ref().map(ToString::to_string);
            graph.nodes.insert(
                package.name.clone(),
                Node {
                    version: version.unwrap_or_default(),
                    newest: None,
                },
            );
        }
        let edge = |from: From, to: &PackageName, rule: Option<String>| GraphEdge {
            from,
            to: to.clone(),
            range: String::new(),
            pulls_in: rule.is_none(),
            rule,
            blocks: false,
        };
        for package in &lock.packages {
            for dependency in &package.dependencies {
                let from = From::Package(package.name.clone());
                graph.edges.push(edge(from, dependency, None));
            }
            let mut limits: BTreeSet<&str> = package.rules.iter().map(String::as_str).collect();
            for via in &package.via {
                match via {
                    Via::Package(name) => {
                        let from = From::Package(name.clone());
                        graph.edges.push(edge(from, &package.name, None));
                    }
                    Via::Rule(id) => {
                        limits.insert(id);
                    }
                    other => {
                        let from = From::User(other.to_string());
                        graph.edges.push(edge(from, &package.name, None));
                    }
                }
            }
            for id in limits {
                for trigger in triggers(rules, id, lock) {
                    let mut edge = edge(From::Package(trigger), &package.name, Some(id.to_owned()));
                    edge.range = range_of(rules, id);
                    edge.pulls_in = pulls_in(rules, id);
                    graph.edges.push(edge);
                }
            }
        }
        graph.tidy();
        graph
    }

    fn tidy(&mut self) {
        let nodes = &self.nodes;
        self.edges.retain(|edge| {
            nodes.contains_key(&edge.to)
                && match &edge.from {
                    From::Package(name) => nodes.contains_key(name) && *name != edge.to,
                    From::User(_) => true,
                }
        });
        self.edges.sort();
        self.edges.dedup();
    }

    /// The edges to a distribution.
    pub fn askers<'a>(&'a self, name: &'a PackageName) -> impl Iterator<Item = &'a GraphEdge> {
        self.edges.iter().filter(move |edge| edge.to == *name)
    }

    /// The edges from a distribution.
    pub fn needs<'a>(&'a self, name: &'a PackageName) -> impl Iterator<Item = &'a GraphEdge> {
        self.edges
            .iter()
            .filter(move |edge| matches!(&edge.from, From::Package(from) if from == name))
    }

    /// The distributions that the user asks for, by name.
    pub fn roots(&self) -> BTreeSet<&PackageName> {
        self.edges
            .iter()
            .filter(|edge| edge.pulls_in && matches!(edge.from, From::User(_)))
            .map(|edge| &edge.to)
            .collect()
    }

    /// `torch 2.1.2`.
    pub(super) fn versioned(&self, name: &PackageName) -> String {
        match self.nodes.get(name) {
            Some(node) if !node.version.is_empty() => format!("{name} {}", node.version),
            _ => name.to_string(),
        }
    }
}

/// Whether a range contains a version, both as text; a range of no specifiers is not judged.
pub(super) fn admits(range: &str, version: &str) -> bool {
    let Ok(version) = version.parse() else {
        return true;
    };
    range.split(" or ").any(|piece| {
        piece
            .parse::<VersionSpecifiers>()
            .map_or(true, |specifiers| versions::contains(&specifiers, &version))
    })
}

/// The locked distributions that trigger a rule.
fn triggers(rules: &RuleSet, id: &str, lock: &Lock) -> Vec<PackageName> {
    let Some(rule) = rules.get(id) else {
        return Vec::new();
    };
    rule.triggers()
        .into_iter()
        .filter(|name| lock.package(name).is_some())
        .cloned()
        .collect()
}

/// Whether a rule asks for what it limits.
fn pulls_in(rules: &RuleSet, id: &str) -> bool {
    rules
        .get(id)
        .is_some_and(|rule| matches!(rule.kind, RuleKind::Requires { .. }))
}

fn range_of(rules: &RuleSet, id: &str) -> String {
    match rules.get(id).map(|rule| &rule.kind) {
        Some(RuleKind::Constrain { versions, .. } | RuleKind::Requires { versions, .. }) => {
            versions.to_string()
        }
        _ => String::new(),
    }
}
