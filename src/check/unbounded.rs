//! Requirements that leave open what a rule would bound.
//!
//! `torch==2.1.2`, or `torch>=2.1,<2.2`, beside a bare `numpy` installs NumPy 2 today: nothing in
//! the file is wrong by its metadata, and the environment is broken.

use std::collections::BTreeSet;
use std::str::FromStr as _;

use pep440_rs::{Version, VersionSpecifiers};

use super::{Entry, Finding, Severity, Wanted};
use crate::rules::{RuleKind, VersionRange, When};
use crate::versions::{contains, display};
use crate::{RuleSet, Target};

/// The lines that admit what a rule forbids, for what else is pinned.
pub(super) fn findings(present: &[&Entry], target: &Target, rules: &RuleSet) -> Vec<Finding> {
    let mut findings = Vec::new();
    for entry in present {
        for rule in rules.on(&entry.name) {
            let RuleKind::Constrain {
                when,
                package,
                versions,
                ..
            } = &rule.kind
            else {
                continue;
            };
            let Some(what) = affected(entry, when, target) else {
                continue;
            };
            let open = present.iter().find_map(|other| match &other.wanted {
                Wanted::Range(range) if other.name == *package => {
                    admitted(range, versions).map(|admitted| (*other, range, admitted))
                }
                _ => None,
            });
            let Some((open, range, admitted)) = open else {
                continue;
            };
            let mut finding = Finding::new(
                "unbounded",
                Severity::Warning,
                format!(
                    "{what} works with {package}{} only, and `{package}{}` admits {admitted}",
                    versions.in_words(),
                    display(range)
                ),
            )
            .about(&open.name, None)
            .about(&entry.name, entry.version());
            finding.rule = Some(rule.id.to_string());
            finding.reason = Some(rule.reason.clone());
            finding.error.clone_from(&rule.error);
            findings.push(finding.advice(format!("{package}{versions}")));
        }
    }
    findings
}

/// What a rule speaks of, in words, where it speaks of every release that the entry may be.
fn affected(entry: &Entry, when: &When, target: &Target) -> Option<String> {
    match &entry.wanted {
        Wanted::Exactly(version) => when
            .applies(version, &target.markers)
            .then(|| format!("{} {version}", entry.name)),
        Wanted::Range(range) => (!range.is_empty()
            && when.marker.evaluate(&target.markers, &[])
            && admitted(range, &when.versions).is_none())
        .then(|| format!("whatever `{}{}` admits", entry.name, display(range))),
        Wanted::Unknown => None,
    }
}

/// A version that the line admits and the rule does not, among those where either begins or
/// ends.
fn admitted(line: &VersionSpecifiers, rule: &VersionRange) -> Option<Version> {
    let ends: BTreeSet<Version> = line
        .iter()
        .chain(rule.0.iter().flat_map(|specifiers| specifiers.iter()))
        .map(|specifier| specifier.version().clone())
        .flat_map(|version| {
            let next = Version::from_str(&format!("{}.9999", version.clone().without_local()));
            [Some(version), next.ok()]
        })
        .flatten()
        .collect();
    let found = ends
        .into_iter()
        .find(|version| contains(line, version) && !rule.contains(version))?;
    // `2.1.9999` stands for what follows 2.1.
    let text = found.to_string();
    Some(match text.strip_suffix(".9999") {
        Some(before) => Version::from_str(before).unwrap_or(found),
        None => found,
    })
}
