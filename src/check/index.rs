//! Findings from the pages of an index.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use pep440_rs::Version;
use pep508_rs::PackageName;

use super::repair::Installer;
use super::{Entry, Finding, Severity, Subject};
use crate::explain::near_names;
use crate::metadata::{File, FileId, Page};
use crate::request::Request;
use crate::{RuleSet, Target};

/// What an index says of the pins: yanked releases, releases and files that are not there.
///
/// `pages` has `None` for a distribution that no index has.
pub fn judge_index(
    subject: &Subject,
    target: &Target,
    pages: &BTreeMap<PackageName, Option<Arc<Page>>>,
) -> Vec<Finding> {
    let home = home(subject);
    let mut findings = Vec::new();
    for entry in &subject.entries {
        let (Some(version), Some(page)) = (entry.version(), pages.get(&entry.name)) else {
            continue;
        };
        if !entry.indexed || !entry.marker.evaluate(&target.markers, &[]) {
            continue;
        }
        let pin = Pin {
            subject,
            entry,
            version,
        };
        let Some(page) = page else {
            findings.push(pin.unknown());
            continue;
        };
        let files = page.files.of_version(version);
        if files.is_empty() {
            findings.extend(pin.no_release(page));
            continue;
        }
        findings.extend(pin.yanked(page, &files));
        let suiting = suiting(page, &files, target);
        if suiting.is_empty() {
            let message = format!("{} has no file that suits {}", pin.who(), target.describe());
            findings.push(pin.finding("no-file", Severity::Error, message));
        } else if entry.index.is_none() || entry.index.as_deref() == home {
            findings.extend(pin.hashes(page, &files, &suiting, target));
        }
    }
    findings
}

/// The files that the target can use.
fn suiting(page: &Page, files: &[FileId], target: &Target) -> Vec<FileId> {
    let suits = |id: &FileId| {
        page.files.row(*id).is_some_and(|row| match row.wheel() {
            Some(wheel) => target.wheel_priority(&wheel).is_some(),
            None => row.is_sdist(),
        })
    };
    files.iter().copied().filter(suits).collect()
}

/// A pin of a subject.
#[derive(Clone, Copy)]
struct Pin<'s> {
    subject: &'s Subject,
    entry: &'s Entry,
    version: &'s Version,
}

impl Pin<'_> {
    fn who(self) -> String {
        format!("{} {}", self.entry.name, self.version)
    }

    fn finding(self, code: &'static str, severity: Severity, message: String) -> Finding {
        let finding = Finding::new(code, severity, message);
        let mut finding = finding.about(&self.entry.name, Some(self.version));
        finding.place = self.subject.place(self.entry);
        finding
    }

    /// No index has the distribution.
    fn unknown(self) -> Finding {
        let name = self.entry.name.as_ref();
        let message = format!("no index has {name}");
        let finding = self.finding("not-found", Severity::Error, message);
        let meant = near_names(name, &Request::default(), &RuleSet::default());
        if meant.is_empty() {
            return finding;
        }
        let meant: Vec<String> = meant.iter().map(|name| format!("`{name}`")).collect();
        finding.advice(format!("did you mean {}?", meant.join(" or ")))
    }

    /// The index has no such release. A local version comes from another index as a rule.
    fn no_release(self, page: &Page) -> Option<Finding> {
        if !self.version.local().is_empty() {
            return None;
        }
        let message = format!("the index has no {}", self.who());
        let finding = self.finding("not-found", Severity::Error, message);
        let Some(nearest) = nearest(page, self.version) else {
            return Some(finding);
        };
        let pin = format!("{}=={nearest}", self.entry.name);
        Some(finding.wants(pin, Installer::of_subject(self.subject)))
    }

    fn yanked(self, page: &Page, files: &[FileId]) -> Option<Finding> {
        let yanked = files.iter().find_map(|id| page.files.yanked(*id))?;
        let reason = yanked.reason.filter(|reason| !reason.is_empty());
        let because = reason.map_or_else(String::new, |reason| format!(": {reason}"));
        let message = format!("{} was yanked{because}", self.who());
        Some(self.finding("yanked", Severity::Warning, message))
    }

    /// What is wrong with its hashes, given its release's files and those for the target.
    fn hashes(
        self,
        page: &Page,
        files: &[FileId],
        suiting: &[FileId],
        target: &Target,
    ) -> Option<Finding> {
        let (listed, who) = (listed(self.entry)?, self.who());
        let found = |ids: &[FileId]| has_listed(&page.files.some(ids).ok()?, &listed);
        let count = match listed.len() {
            1 => "the one hash that is".to_owned(),
            count => format!("any of the {count} hashes that are"),
        };
        if found(files) == Some(false) {
            let message = format!(
                "no file of {who} has {count} listed: installers refuse what {} serves",
                page.index
            );
            let mut finding = self.finding("hash-mismatch", Severity::Error, message);
            finding.reason = Some(
                "the files were changed after they were locked, the lock was, or they come from \
                 another index"
                    .to_owned(),
            );
            return Some(finding.advice("find out which, and lock again"));
        }
        (found(suiting) == Some(false)).then(|| {
            let target = target.describe();
            let message = format!("no file of {who} that suits {target} has {count} listed");
            self.finding("no-file", Severity::Error, message)
        })
    }
}

/// The index that most packages name: that which is asked stands for it. What is named beside
/// it serves files of its own.
fn home(subject: &Subject) -> Option<&str> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for index in subject
        .entries
        .iter()
        .filter_map(|entry| entry.index.as_deref())
    {
        *counts.entry(index).or_default() += 1;
    }
    let most = counts.into_iter().max_by_key(|(_, count)| *count);
    most.map(|(index, _)| index)
}

/// The hashes of an entry, where it has some and all are sha256.
fn listed(entry: &Entry) -> Option<BTreeSet<&str>> {
    let hashes = entry.hashes.as_ref().filter(|hashes| !hashes.is_empty())?;
    let digests = hashes.iter().map(|hash| hash.strip_prefix("sha256:"));
    digests.collect()
}

/// Whether one of these files has a hash that is listed; `None` where that of one is not known.
fn has_listed(files: &[File], listed: &BTreeSet<&str>) -> Option<bool> {
    let known: Option<Vec<&str>> = files.iter().map(File::sha256).collect();
    Some(known?.iter().any(|hash| listed.contains(hash)))
}

/// The release on a page that is nearest to one that is not there: the newest before it, else
/// the oldest after it.
fn nearest(page: &Page, version: &Version) -> Option<Version> {
    let stable = page.files.releases().filter_map(|release| {
        let usable = release
            .files()
            .any(|id| page.files.row(id).is_some_and(|row| !row.is_yanked));
        let other: Version = release.version.parse().ok()?;
        (usable && !release.is_prerelease).then_some(other)
    });
    let (before, after): (Vec<_>, Vec<_>) = stable.partition(|other| other < version);
    before.into_iter().max().or(after.into_iter().min())
}
