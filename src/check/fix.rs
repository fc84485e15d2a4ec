//! Fixes that were tried: another version of one distribution, and everything else as it is.

use std::collections::BTreeSet;

use pep440_rs::Version;
use pep508_rs::PackageName;

use super::model::{Named, Remedy};
use super::repair::Installer;
use super::{Finding, Severity, Subject, Wanted, judge};
use crate::request::Request;
use crate::solve::{Facts, Memo, SolveError, candidates, indexed_metadata};
use crate::{RuleSet, Target};

/// How many versions of a distribution are tried, newest first.
const TRIED: usize = 60;

/// How many findings of a subject are given a fix.
const MAX_FIXED: usize = 12;

/// A change that was tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fixed {
    /// The distribution.
    pub name: PackageName,
    /// The version that it takes.
    pub version: Version,
}

/// Gives findings about two releases a fix that was tried: the newest version of one of them
/// that ends the finding and starts no other.
///
/// # Errors
///
/// [`SolveError`] where facts could not be had.
pub fn fix(
    findings: &mut [Finding],
    subject: &Subject,
    target: &Target,
    rules: &RuleSet,
    facts: &impl Facts,
) -> Result<(), SolveError> {
    let before = judge(subject, target, rules);
    let mut fixed = 0;
    for finding in findings {
        let is_fixable = matches!(finding.code, "rule" | "conflict" | "numpy-abi")
            && finding.severity > Severity::Note
            && before.iter().any(|known| known.message == finding.message);
        if !is_fixable || fixed == MAX_FIXED {
            continue;
        }
        fixed += 1;
        let mut found = Vec::new();
        // The side that was compiled keeps its release where it can; the other gives way.
        let order: Vec<&Named> = if finding.code == "conflict" {
            finding.packages.iter().collect()
        } else {
            finding.packages.iter().rev().collect()
        };
        for named in order.into_iter().take(2) {
            let Ok(name) = named.name.parse::<PackageName>() else {
                continue;
            };
            let change = Change {
                subject,
                target,
                rules,
                before: &before,
                finding,
            };
            found.extend(change.of(&name, facts)?);
        }
        if !found.is_empty() {
            let installer = Installer::of_subject(subject);
            let texts: Vec<String> = found
                .iter()
                .map(|fixed| format!("{}=={}", fixed.name, fixed.version))
                .map(|pin| installer.map_or_else(|| pin.clone(), |one| one.install(&pin)))
                .collect();
            finding.fix = Some(Remedy {
                text: texts.join(", or "),
                command: texts.into_iter().next().filter(|_| installer.is_some()),
                verified: true,
            });
        }
    }
    Ok(())
}

struct Change<'a> {
    subject: &'a Subject,
    target: &'a Target,
    rules: &'a RuleSet,
    before: &'a [Finding],
    finding: &'a Finding,
}

impl Change<'_> {
    /// The newest version of the distribution that ends the finding and starts no other, and
    /// for which nothing has to be built.
    fn of(&self, name: &PackageName, facts: &impl Facts) -> Result<Option<Fixed>, SolveError> {
        let request = Request::default();
        let memo = Memo::default();
        let known = candidates(name, &request, self.target, self.rules, facts, &memo)?;
        let messages: BTreeSet<&str> = self
            .before
            .iter()
            .filter(|finding| finding.severity > Severity::Note)
            .map(|finding| finding.message.as_str())
            .collect();
        let has_wheel = |version: &&Version| known.source_only.binary_search(version).is_err();
        for version in known.versions.iter().rev().filter(has_wheel).take(TRIED) {
            let mut changed = self.subject.clone();
            for entry in &mut changed.entries {
                if entry.name == *name {
                    entry.wanted = Wanted::Exactly(version.clone());
                    entry.metadata = None;
                }
            }
            // Rules first: they cost nothing.
            if !self.is_better(&changed, &messages) {
                continue;
            }
            let metadata = indexed_metadata(name, version, self.target, facts)?;
            for entry in &mut changed.entries {
                if entry.name == *name {
                    entry.metadata.clone_from(&metadata);
                }
            }
            if self.is_better(&changed, &messages) {
                return Ok(Some(Fixed {
                    name: name.clone(),
                    version: version.clone(),
                }));
            }
        }
        Ok(None)
    }

    fn is_better(&self, changed: &Subject, before: &BTreeSet<&str>) -> bool {
        judge(changed, self.target, self.rules)
            .iter()
            .filter(|finding| finding.severity > Severity::Note)
            .all(|finding| {
                finding.message != self.finding.message && before.contains(finding.message.as_str())
            })
    }
}
