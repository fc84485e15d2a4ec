//! Extras that nothing serves, left out of the lines that ask for them.

use std::collections::{BTreeMap, BTreeSet};

use pep508_rs::{ExtraName, PackageName};

use super::core::Core;
use super::fix::{Fix, Fixer};
use super::study::UserLine;
use crate::request::Line;
use crate::solve::Reason;

/// The lines of conflicts without the extras that take part; solved before it is told.
pub(super) fn left_out(editor: &Fixer<'_, '_>, cores: &[Core]) -> Option<Fix> {
    let mut edited: BTreeMap<UserLine, Option<Line>> = BTreeMap::new();
    for core in cores {
        let asking: BTreeSet<(&PackageName, &ExtraName)> = core
            .conflict
            .reasons
            .iter()
            .filter_map(|reason| match reason {
                Reason::Requires {
                    package,
                    extra: Some(extra),
                    ..
                } => Some((package, extra)),
                _ => None,
            })
            .collect();
        for place in &core.lines {
            let Some(line) = place.of(editor.request) else {
                continue;
            };
            let takes_part = |extra: &ExtraName| asking.contains(&(&line.name, extra));
            if line.extras.iter().any(takes_part) {
                let kept = line.extras.iter().filter(|extra| !takes_part(extra));
                edited.insert(*place, Some(with_extras(line, kept.cloned().collect())?));
            }
        }
    }
    if edited.is_empty() {
        return None;
    }
    // An edit that keeps all that is asked for comes first.
    let cost = (edited.len(), 0, u32::MAX, 0);
    editor.verified(&edited, cost)
}

/// The line with other extras; the rest as the user wrote it.
fn with_extras(old: &Line, extras: Vec<ExtraName>) -> Option<Line> {
    let (name, rest) = old.text.split_once('[')?;
    let (_, rest) = rest.split_once(']')?;
    let mut new = old.clone();
    new.text = if extras.is_empty() {
        format!("{}{rest}", name.trim_end())
    } else {
        let extras: Vec<&str> = extras.iter().map(AsRef::as_ref).collect();
        format!("{name}[{}]{rest}", extras.join(","))
    };
    new.extras = extras;
    Some(new)
}
