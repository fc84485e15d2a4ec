//! What is told of a base: what breaks in it already, what stands in the way of a request.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::error::{CliError, Exit};
use super::session::Session;
use super::{loaded, say};
use crate::explain::{self, BaseRemedy, Study};
use crate::request::Base;
use crate::rules::{RuleKind, Sharing};
use crate::solve::{Facts, Solution};
use crate::{RuleSet, Target};

/// Says what is wrong between packages of the base: it is not enforced, and it is not ours.
pub(crate) fn warn(base: &Base, rules: &RuleSet, target: &Target) {
    if base.packages.is_empty() {
        return;
    }
    let releases = base.releases();
    for violation in rules.violations(&releases, &target.markers) {
        say(&format!(
            "warning: in the base: {violation}; it is left as it is\n  {}",
            violation.rule.reason
        ));
    }
    for rule in rules.slots() {
        let RuleKind::Slot {
            import,
            members,
            sharing: Sharing::SameVersion,
        } = &rule.kind
        else {
            continue;
        };
        let present: Vec<String> = releases
            .iter()
            .filter(|(name, _)| members.contains(name))
            .map(|(name, version)| format!("{name} {version}"))
            .collect();
        let versions: BTreeSet<&str> = present
            .iter()
            .filter_map(|text| Some(text.split_once(' ')?.1))
            .collect();
        if present.len() > 1 && versions.len() == 1 {
            say(&format!(
                "warning: in the base: {} share the files of `{import}` (rule {})",
                present.join(", "),
                rule.id
            ));
        }
    }
    let unknown: Vec<&str> = base
        .packages
        .iter()
        .filter(|(_, package)| package.version.is_none())
        .map(|(name, _)| name.as_ref())
        .collect();
    if !unknown.is_empty() {
        say(&format!(
            "warning: the base does not tell the version of {}; requirements on them are taken \
             to be met",
            unknown.join(", ")
        ));
    }
}

/// Says what it would take of the base to meet the request.
pub(crate) fn remedy(session: &Session, facts: &dyn Facts) -> Result<String, CliError> {
    let study = Study::new(&session.target, &session.rules, facts);
    Ok(match explain::base_remedy(&study, &session.request)? {
        Some(remedy) => remedy_text(&remedy),
        None => "\nhint: letting packages of the base change does not help".to_owned(),
    })
}

fn remedy_text(remedy: &BaseRemedy) -> String {
    let names: Vec<&str> = remedy.allow.iter().map(AsRef::as_ref).collect();
    let mut text = format!(
        "\nhint: to meet all lines as they are takes a change of the base (it was tried):\n  \
         --allow-change {}",
        names.join(",")
    );
    if !remedy.hold.is_empty() {
        // Writing to a string cannot fail.
        let _ = write!(text, "\n  and these lines: {}", remedy.hold.join(", "));
    }
    for (name, change) in &remedy.replaced {
        let was = change
            .was
            .as_ref()
            .map_or_else(|| "unknown".to_owned(), ToString::to_string);
        let because = match change.because.first() {
            Some(because) => format!(": {because}"),
            None => String::new(),
        };
        // Writing to a string cannot fail.
        let _ = write!(text, "\n  - {name} {was} -> {}{because}", change.now);
    }
    text
}

/// Refuses to replace what a running kernel has loaded.
pub(crate) fn refuse_loaded(session: &Session, solution: &Solution) -> Result<(), CliError> {
    let replaced: BTreeSet<_> = solution.replaced.keys().cloned().collect();
    if replaced.is_empty() {
        return Ok(());
    }
    let holders = loaded::holders(&replaced, &session.base_folders);
    let Some((name, holder)) = holders.iter().next() else {
        return Ok(());
    };
    let was = solution.replaced.get(name).and_then(Option::as_ref);
    let now = solution.packages.get(name).map(|chosen| &chosen.version);
    let text = |version: Option<&pep440_rs::Version>| {
        version.map_or_else(String::new, |version| format!(" {version}"))
    };
    let names: Vec<&str> = holders.keys().map(AsRef::as_ref).collect();
    Err(CliError::new(
        Exit::Unsolvable,
        format!(
            "restart needed: {name}{} would be replaced with{}, and process {} (`{}`) has it \
             loaded (`{}`). Its modules already in memory would be mixed with the new files: \
             imports fail, or crash",
            text(was),
            text(now),
            holder.process,
            holder.command,
            holder.file
        ),
    )
    .hint(format!(
        "leave {} unchanged, or stop the kernel, install, and start it anew: say so with \
         `--allow-restart`",
        names.join(", ")
    )))
}
