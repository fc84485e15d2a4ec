//! The graph as a text tree, for Graphviz and for Mermaid.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use pep508_rs::PackageName;

use super::graph::{From, Graph, GraphEdge};

impl Graph {
    /// An indented tree from the user's lines on; a distribution's needs are shown where it
    /// is met first.
    pub fn tree(&self) -> String {
        let mut out = String::new();
        let mut seen = BTreeSet::new();
        for root in self.roots() {
            let lines: Vec<&str> = self
                .askers(root)
                .filter_map(|edge| match &edge.from {
                    From::User(place) if edge.pulls_in => Some(place.as_str()),
                    _ => None,
                })
                .collect();
            let _ = writeln!(out, "{} ({})", self.versioned(root), lines.join(", "));
            self.below(root, "", &mut seen, &mut out);
        }
        // A lock of another tool may not say what asks for what; those that ask for one another
        // come last.
        for may_be_asked_for in [false, true] {
            for name in self.nodes.keys() {
                let asked_for = self.askers(name).any(|edge| edge.pulls_in);
                if !seen.contains(name) && (may_be_asked_for || !asked_for) {
                    let _ = writeln!(out, "{}", self.versioned(name));
                    self.below(name, "", &mut seen, &mut out);
                }
            }
        }
        out
    }

    fn below<'a>(
        &'a self,
        name: &'a PackageName,
        indent: &str,
        seen: &mut BTreeSet<&'a PackageName>,
        out: &mut String,
    ) {
        if !seen.insert(name) {
            return;
        }
        let mut needs: BTreeMap<(&PackageName, Option<&str>), Vec<&str>> = BTreeMap::new();
        for edge in self.needs(name) {
            let ranges = needs.entry((&edge.to, edge.rule.as_deref())).or_default();
            if !edge.range.is_empty() {
                ranges.push(&edge.range);
            }
        }
        let count = needs.len();
        for (position, ((to, rule), ranges)) in needs.into_iter().enumerate() {
            let last = position + 1 == count;
            let branch = if last { "`-- " } else { "|-- " };
            let ranges: Vec<String> = ranges.into_iter().map(str::to_owned).collect();
            let wanted = super::ranges::together(&ranges);
            let mut text = self.versioned(to);
            if !wanted.is_empty() {
                let _ = write!(text, " ({wanted})");
            }
            if let Some(rule) = rule {
                let _ = writeln!(out, "{indent}{branch}limits {text} by rule {rule}");
                continue;
            }
            let repeated = seen.contains(to) && self.needs(to).next().is_some();
            let mark = if repeated { " ..." } else { "" };
            let _ = writeln!(out, "{indent}{branch}{text}{mark}");
            let deeper = format!("{indent}{}", if last { "    " } else { "|   " });
            self.below(to, &deeper, seen, out);
        }
    }

    /// Graphviz's language.
    pub fn dot(&self) -> String {
        let mut out = String::from("digraph lock {\n  rankdir=LR;\n  node [shape=box];\n");
        for user in self.users() {
            let _ = writeln!(out, "  {} [shape=ellipse];", quoted(user));
        }
        for (name, node) in &self.nodes {
            let label = format!("{name}\n{}", node.version);
            let _ = writeln!(
                out,
                "  {} [label={}];",
                quoted(name.as_ref()),
                quoted(&label)
            );
        }
        for edge in self.drawn() {
            let mut attributes = Vec::new();
            let label = label(edge);
            if !label.is_empty() {
                attributes.push(format!("label={}", quoted(&label)));
            }
            if edge.rule.is_some() {
                attributes.push("style=dashed".to_owned());
            }
            if edge.blocks {
                attributes.push("penwidth=3".to_owned());
            }
            let attributes = if attributes.is_empty() {
                String::new()
            } else {
                format!(" [{}]", attributes.join(", "))
            };
            let _ = writeln!(
                out,
                "  {} -> {}{attributes};",
                quoted(from(edge)),
                quoted(edge.to.as_ref())
            );
        }
        out.push_str("}\n");
        out
    }

    /// Mermaid's language.
    pub fn mermaid(&self) -> String {
        let mut out = String::from("graph LR\n");
        let users: BTreeMap<&str, usize> = self.users().into_iter().zip(0..).collect();
        let names: BTreeMap<&PackageName, usize> = self.nodes.keys().zip(0..).collect();
        for (user, number) in &users {
            let _ = writeln!(out, "  u{number}([\"{}\"])", entity(user));
        }
        for (name, number) in &names {
            let _ = writeln!(out, "  p{number}[\"{}\"]", entity(&self.versioned(name)));
        }
        for edge in self.drawn() {
            let from = match &edge.from {
                From::User(user) => users.get(user.as_str()).map(|number| format!("u{number}")),
                From::Package(name) => names.get(name).map(|number| format!("p{number}")),
            };
            let (Some(from), Some(to)) = (from, names.get(&edge.to)) else {
                continue;
            };
            let label = label(edge);
            let arrow = if edge.rule.is_some() { "-.->" } else { "-->" };
            if label.is_empty() {
                let _ = writeln!(out, "  {from} {arrow} p{to}");
            } else {
                let _ = writeln!(out, "  {from} {arrow}|\"{}\"| p{to}", entity(&label));
            }
        }
        out
    }

    fn users(&self) -> BTreeSet<&str> {
        self.edges
            .iter()
            .filter_map(|edge| match &edge.from {
                From::User(user) => Some(user.as_str()),
                From::Package(_) => None,
            })
            .collect()
    }

    /// The edges, several ranges between the same two as one.
    fn drawn(&self) -> impl Iterator<Item = &GraphEdge> {
        let mut last: Option<(&From, &PackageName, Option<&str>)> = None;
        self.edges.iter().filter(move |edge| {
            let key = (&edge.from, &edge.to, edge.rule.as_deref());
            let new = last != Some(key);
            last = Some(key);
            new
        })
    }
}

fn from(edge: &GraphEdge) -> &str {
    match &edge.from {
        From::User(user) => user,
        From::Package(name) => name.as_ref(),
    }
}

fn label(edge: &GraphEdge) -> String {
    match (&edge.rule, edge.range.is_empty()) {
        (Some(rule), _) => format!("{} rule {rule}", edge.range).trim().to_owned(),
        (None, false) => edge.range.clone(),
        (None, true) => String::new(),
    }
}

/// A string of Graphviz's.
fn quoted(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{}\"", escaped.replace('\n', "\\n"))
}

/// A text inside a quoted label of Mermaid's.
fn entity(text: &str) -> String {
    text.replace('&', "#amp;")
        .replace('"', "#quot;")
        .replace('<', "#lt;")
        .replace('>', "#gt;")
}
