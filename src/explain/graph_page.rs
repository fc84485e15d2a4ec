//! The graph as one page that needs nothing else: no network, no library.

use serde_json::{Value, json};

use super::graph::{From, Graph};

/// The page; its one gap takes the graph.
const PAGE: &str = include_str!("graph_page.html");

/// Where the graph goes in the page.
const GAP: &str = "/*GRAPH*/null";

impl Graph {
    /// The graph for programs: nodes and edges.
    pub fn json(&self) -> Value {
        let nodes: Vec<Value> = self
            .nodes
            .iter()
            .map(|(name, node)| {
                json!({
                    "id": name.as_ref(),
                    "version": node.version,
                    "newest": node.newest,
                })
            })
            .collect();
        let edges: Vec<Value> = self
            .edges
            .iter()
            .map(|edge| {
                let (kind, from) = match &edge.from {
                    From::User(place) => ("line", place.as_str()),
                    From::Package(name) if edge.rule.is_some() => ("rule", name.as_ref()),
                    From::Package(name) => ("requires", name.as_ref()),
                };
                json!({
                    "kind": kind,
                    "from": from,
                    "to": edge.to.as_ref(),
                    "range": edge.range,
                    "rule": edge.rule,
                    "pulls_in": edge.pulls_in,
                    "blocks": edge.blocks,
                })
            })
            .collect();
        json!({"schema": "mlresolve/graph/1", "nodes": nodes, "edges": edges})
    }

    /// A self-contained page.
    pub fn html(&self) -> String {
        // Inside a script element only `<` could end it.
        let data = self.json().to_string().replace('<', "\\u003c");
        PAGE.replacen(GAP, &data, 1)
    }
}
