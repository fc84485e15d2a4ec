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
    let mut findings = Vec::new();
    let home = home(subject);
    for entry in &subject.entries {
        let (Some(version), Some(page)) = (entry.version(), pages.get(&entry.name)) else {
            continue;
        };
        if !entry.indexed || !entry.marker.evaluate(&target.markers, &[]) {
            continue;
        }
        let who = format!("{} {version}", entry.name);
        let mut add = |code, severity, message: String| {
            let mut finding =
                Finding::new(code, severity, message).about(&entry.name, Some(version));
            finding.place = subject.place(entry);
            findings.push(finding);
        };
        let Some(page) = page else {
            add(
                "not-found",
                Severity::Error,
                format!("no index has {}", entry.name),
            );
            let name = entry.name.as_ref();
            let meant = near_names(name, &Request::default(), &RuleSet::default());
            if !meant.is_empty()
                && let Some(finding) = findings.pop()
            {
                let meant: Vec<String> = meant.iter().map(|name| format!("`{name}`")).collect();
                findings.push(finding.advice(format!("did you mean {}?", meant.join(" or "))));
            }
            continue;
        };
        let files = page.files.of_version(version);
        if files.is_empty() {
            // A local version comes from another index as a rule.
            if version.local().is_empty() {
                add(
                    "not-found",
                    Severity::Error,
                    format!("the index has no {who}"),
                );
                if let Some(nearest) = nearest(page, version)
                    && let Some(finding) = findings.pop()
                {
                    let pin = format!("{}=={nearest}", entry.name);
                    findings.push(finding.wants(pin, Installer::of_subject(subject)));
                }
            }
            continue;
        }
        if let Some(yanked) = files.iter().find_map(|id| page.files.yanked(*id)) {
            let because = yanked
                .reason
                .as_ref()
                .filter(|reason| !reason.is_empty())
                .map_or_else(String::new, |reason| format!(": {reason}"));
            add(
                "yanked",
                Severity::Warning,
                format!("{who} was yanked{because}"),
            );
        }
        let suits = |id: &FileId| {
            page.files.row(*id).is_some_and(|row| match row.wheel() {
                Some(wheel) => target.wheel_priority(&wheel).is_some(),
                None => row.is_sdist(),
            })
        };
        let suiting: Vec<FileId> = files.iter().copied().filter(suits).collect();
        if suiting.is_empty() {
            add(
                "no-file",
                Severity::Error,
                format!("{who} has no file that suits {}", target.describe()),
            );
        } else if entry.index.is_none() || entry.index.as_deref() == home {
            findings.extend(hashes((subject, entry), page, &suiting, target));
        }
    }
    findings
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

/// What is wrong with the hashes of a pin, given its release's files for the target.
fn hashes(
    (subject, entry): (&Subject, &Entry),
    page: &Page,
    suiting: &[FileId],
    target: &Target,
) -> Option<Finding> {
    let (listed, version) = (listed(entry)?, entry.version()?);
    let who = format!("{} {version}", entry.name);
    let found = |ids: &[FileId]| has_listed(&page.files.some(ids).ok()?, &listed);
    let count = match listed.len() {
        1 => "the one hash that is".to_owned(),
        count => format!("any of the {count} hashes that are"),
    };
    let error = |code, message| {
        let finding = Finding::new(code, Severity::Error, message);
        let mut finding = finding.about(&entry.name, Some(version));
        finding.place = subject.place(entry);
        finding
    };
    if found(&page.files.of_version(version)) == Some(false) {
        let mut finding = error(
            "hash-mismatch",
            format!(
                "no file of {who} has {count} listed: installers refuse what {} serves",
                page.index
            ),
        );
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
        error("no-file", message)
    })
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
