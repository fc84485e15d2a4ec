//! What is advised where a release has not the extra that is asked for.

use pep440_rs::Version;
use pep508_rs::{ExtraName, PackageName};

use crate::cli::rule_folders::near;
use crate::cli::session::Session;
use crate::solve::Solution;

/// The line that asks for an extra that there is not, and what it may have meant; empty where
/// metadata asks. `newer` is a release that has it.
pub(super) fn advice(
    session: &Session,
    solution: &Solution,
    name: &PackageName,
    extra: &ExtraName,
    newer: Option<&Version>,
) -> String {
    let mut lines = session.request.requirements.iter();
    let Some(line) = lines.find(|line| line.name == *name && line.extras.contains(extra)) else {
        return String::new();
    };
    let asked = format!(", which `{}` ({}) asks for", line.text, line.place);
    if let Some(newer) = newer {
        return format!(
            "{asked}\nhint: {name} {newer} has it; `{name}` without it is the same here"
        );
    }
    let Some(chosen) = solution.packages.get(name) else {
        return asked;
    };
    let known: Vec<&str> = chosen
        .metadata
        .provides_extras
        .iter()
        .map(AsRef::as_ref)
        .collect();
    let near = near(extra.as_ref(), &known);
    match (near.is_empty(), known.is_empty()) {
        (false, _) => format!("{asked}\nhint: did you mean {near}?"),
        (true, true) => format!("{asked}\nhint: it has none; write `{name}` without"),
        (true, false) => format!("{asked}\nhint: it has {}", few(&known)),
    }
}

/// Some of many names.
fn few(names: &[&str]) -> String {
    const SHOWN: usize = 8;
    let shown = names.get(..SHOWN).unwrap_or(names).join(", ");
    match names.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
