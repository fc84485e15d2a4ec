//! Findings from rules, metadata, hashes and the index.

use std::collections::BTreeSet;
use std::sync::Arc;

use pep440_rs::{Version, VersionSpecifiers};
use pep508_rs::PackageName;

use super::repair::Installer;
use super::twice;
use super::unbounded;
use super::{Entry, Finding, Severity, Subject};
use crate::metadata::{DependencySource, Metadata};
use crate::rules::{self, RuleKind, Sharing, Violation};
use crate::versions::{contains, display};
use crate::{RuleSet, Target};

/// How much of a rule's evidence a finding repeats; `mlresolve rules show` has all of it.
const EVIDENCE: usize = 2;

/// What is wrong with a subject by itself: nothing is asked of an index.
pub fn judge(subject: &Subject, target: &Target, rules: &RuleSet) -> Vec<Finding> {
    let judge = Judge {
        subject,
        target,
        rules,
        present: subject
            .entries
            .iter()
            .filter(|entry| entry.marker.evaluate(&target.markers, &[]))
            .collect(),
    };
    let mut findings = judge.rules();
    findings.extend(judge.slots());
    findings.extend(judge.virtuals());
    findings.extend(judge.metadata());
    findings.extend(judge.hashes());
    findings.extend(twice::findings(subject, &judge.present));
    findings.extend(judge.unpinned());
    for finding in &mut findings {
        finding.place = finding.place.take().or_else(|| judge.place(finding));
    }
    findings
}

struct Judge<'a> {
    subject: &'a Subject,
    target: &'a Target,
    rules: &'a RuleSet,
    present: Vec<&'a Entry>,
}

impl Judge<'_> {
    fn releases(&self) -> Vec<(PackageName, Version)> {
        let mut releases: Vec<_> = self
            .present
            .iter()
            .filter_map(|entry| Some((entry.name.clone(), entry.version()?.clone())))
            .collect();
        releases.sort();
        releases.dedup();
        releases
    }

    fn named(&self, name: &PackageName) -> Option<&Entry> {
        self.present
            .iter()
            .copied()
            .find(|entry| entry.name == *name)
    }

    fn place(&self, finding: &Finding) -> Option<super::model::Location> {
        let first = finding.packages.first()?;
        let entry = self
            .present
            .iter()
            .find(|entry| entry.name.as_ref() == first.name)?;
        self.subject.place(entry)
    }

    fn rules(&self) -> Vec<Finding> {
        self.rules
            .violations(&self.releases(), &self.target.markers)
            .iter()
            // What is missing from a file of requirements may be brought by another.
            .filter(|violation| {
                self.subject.complete
                    || violation.packages.len() > 1
                    || !matches!(violation.rule.kind, RuleKind::Requires { .. })
            })
            .map(|violation| self.violation(violation))
            .collect()
    }

    fn violation(&self, violation: &Violation) -> Finding {
        let rule = &violation.rule;
        let severity = match rule.severity {
            rules::Severity::Corrupts => Severity::Error,
            rules::Severity::Degrades => Severity::Warning,
        };
        let mut finding = Finding::new("rule", severity, sentence(violation));
        for (name, version) in &violation.packages {
            finding = finding.about(name, Some(version));
        }
        finding.rule = Some(rule.id.to_string());
        finding.reason = Some(match (&rule.kind, &rule.advice) {
            // What others of the kind advise is their fix.
            (RuleKind::Constrain { .. } | RuleKind::Requires { .. }, Some(advice)) => {
                format!("{} Advice: {advice}", rule.reason)
            }
            _ => rule.reason.clone(),
        });
        finding.error.clone_from(&rule.error);
        finding.evidence = rule
            .evidence
            .iter()
            .take(EVIDENCE)
            .map(|evidence| format!("{}: {}", evidence.file, evidence.finding))
            .collect();
        match (&rule.kind, &rule.advice) {
            (
                RuleKind::Constrain {
                    package, versions, ..
                }
                | RuleKind::Requires {
                    package, versions, ..
                },
                _,
            ) => match (self.installer(), versions.0.first()) {
                // A command takes no alternatives.
                (Some(installer), Some(first)) => {
                    finding.wants(format!("{package}{}", display(first)), Some(installer))
                }
                _ => finding.wants(format!("{package}{}", versions.in_words()), None),
            },
            // All of them may be there, at one version: none is to be dropped for another.
            (
                RuleKind::Slot {
                    sharing: Sharing::IdenticalAtOneVersion,
                    ..
                },
                Some(advice),
            ) => finding.advice(advice.clone()),
            (RuleKind::Slot { import, .. }, _) => {
                let owners = violation.packages.iter();
                let owners: Vec<_> = owners.map(|(name, version)| (name, version)).collect();
                if let Some(installer) = self.installer() {
                    let kept = installer.keep_one(&owners, |name| self.is_required(name));
                    return finding.repair(kept);
                }
                let names: Vec<&str> = owners.iter().map(|(name, _)| name.as_ref()).collect();
                let required = owners.iter().find(|(name, _)| self.is_required(name));
                let kept = required.or(owners.first());
                let kept = kept.map_or("NAME", |(name, _)| name.as_ref());
                finding.advice(format!(
                    "keep one of {}; where others require both, `mlresolve lock --provider \
                     {import}={kept}` takes one for all",
                    list(&names)
                ))
            }
            (_, Some(advice)) => finding.advice(advice.clone()),
            _ => finding,
        }
    }

    fn installer(&self) -> Option<Installer> {
        Installer::of_subject(self.subject)
    }

    /// Whether something that is there requires the distribution.
    fn is_required(&self, name: &PackageName) -> bool {
        self.present.iter().any(|entry| self.asks(entry, name))
    }

    /// Whether a release's metadata asks for a distribution.
    fn asks(&self, entry: &Entry, name: &PackageName) -> bool {
        let metadata = entry.metadata.as_ref();
        metadata.is_some_and(|metadata| {
            metadata.requires_dist.iter().any(|dependency| {
                dependency.name == *name && dependency.marker.evaluate(&self.target.markers, &[])
            })
        })
    }

    /// Members of a slot at one version share files: nothing breaks until one is removed.
    fn slots(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        for rule in self.rules.iter() {
            let RuleKind::Slot {
                import,
                members,
                sharing: Sharing::SameVersion,
            } = &rule.kind
            else {
                continue;
            };
            let there: Vec<&Entry> = members
                .iter()
                .filter_map(|member| self.named(member))
                .filter(|entry| entry.version().is_some())
                .collect();
            let versions: BTreeSet<_> = there.iter().map(|entry| entry.version()).collect();
            // A stub that requires the member that it stands for is meant to be beside it.
            let is_meant = there.iter().any(|entry| {
                members
                    .iter()
                    .any(|to| *to != entry.name && self.asks(entry, to))
            });
            if there.len() < 2 || versions.len() != 1 || is_meant {
                continue;
            }
            let names: Vec<&str> = there.iter().map(|entry| entry.name.as_ref()).collect();
            let mut finding = Finding::new(
                "shared-import",
                Severity::Warning,
                format!("{} install the same files under `{import}`", list(&names)),
            );
            for entry in &there {
                finding = finding.about(&entry.name, entry.version());
            }
            finding.rule = Some(rule.id.to_string());
            finding.reason = Some(rule.reason.clone());
            if let Some(installer) = self.installer() {
                let owners: Vec<_> = there
                    .iter()
                    .filter_map(|entry| Some((&entry.name, entry.version()?)))
                    .collect();
                finding =
                    finding.repair(installer.keep_one(&owners, |name| self.is_required(name)));
            }
            findings.push(finding);
        }
        findings
    }

    /// What builds need of the driver and of the GPU, where the target states them.
    fn virtuals(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        for entry in &self.present {
            let Some(version) = entry.version() else {
                continue;
            };
            for rule in self.rules.on(&entry.name) {
                let needs = match &rule.kind {
                    RuleKind::Needs { when, packages }
                        if when.applies(version, &self.target.markers) =>
                    {
                        packages
                    }
                    RuleKind::Family { labels, .. } => {
                        let local: Vec<String> =
                            version.local().iter().map(ToString::to_string).collect();
                        let local = local.join(".");
                        match labels.iter().find(|label| label.name == local) {
                            Some(label) => &label.needs,
                            None => continue,
                        }
                    }
                    _ => continue,
                };
                for (package, range) in needs {
                    if let Some(stated) = self.target.virtual_version(package)
                        && !range.contains(&stated)
                    {
                        let mut finding = Finding::new(
                            "environment",
                            Severity::Error,
                            format!(
                                "{} {version} needs {package} {range}, and this is {stated}",
                                entry.name
                            ),
                        )
                        .about(&entry.name, Some(version));
                        finding.rule = Some(rule.id.to_string());
                        finding.reason = Some(rule.reason.clone());
                        findings.push(finding);
                    }
                }
            }
        }
        findings
    }

    /// What metadata asks for and is not there, or is there in another version.
    fn metadata(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        for entry in &self.present {
            let Some(metadata) = &entry.metadata else {
                continue;
            };
            if let Some(requires) = &metadata.requires_python
                && !self.target.admits_python(requires)
            {
                findings.push(
                    Finding::new(
                        "python",
                        Severity::Error,
                        format!(
                            "{} {} needs Python {}, and this is {}",
                            entry.name,
                            metadata.version,
                            display(requires),
                            self.target.markers.python_full_version()
                        ),
                    )
                    .about(&entry.name, Some(&metadata.version)),
                );
            }
            findings.extend(self.requirements(entry, metadata));
        }
        findings
    }

    fn requirements(&self, entry: &Entry, metadata: &Arc<Metadata>) -> Vec<Finding> {
        let mut findings = Vec::new();
        for dependency in &metadata.requires_dist {
            if !dependency.marker.evaluate(&self.target.markers, &[]) {
                continue;
            }
            let DependencySource::Specifiers(specifiers) = &dependency.source else {
                continue;
            };
            let version = &metadata.version;
            let who = format!("{} {version}", entry.name);
            let mut changed = self.subject.changed.iter();
            let changed = changed.find(|changed| changed.is_of(&who, &dependency.name));
            let asked = match changed {
                Some(changed) => changed.now(),
                None => self
                    .as_rules_have_it(entry, version, &dependency.name, specifiers)
                    .map(|range| (&dependency.name, range)),
            };
            let Some((to, range)) = asked else {
                continue;
            };
            let wanted = format!("{to}{}", display(range));
            let others: Vec<&&Entry> = self
                .present
                .iter()
                .filter(|other| other.name == *to)
                .collect();
            if others.is_empty() {
                if self.subject.complete {
                    let finding = Finding::new(
                        "missing",
                        Severity::Error,
                        format!("{who} requires `{wanted}`, which is not there"),
                    )
                    .about(&entry.name, Some(&metadata.version));
                    findings.push(match self.installer() {
                        None => finding.advice(format!("add `{wanted}`")),
                        installer => finding.wants(wanted, installer),
                    });
                }
                continue;
            }
            let outside: Vec<&Version> = others
                .iter()
                .filter_map(|other| other.version())
                .filter(|version| !contains(range, version))
                .collect();
            if outside.len() == others.len()
                && let Some(version) = outside.first()
            {
                findings.push(
                    Finding::new(
                        "conflict",
                        Severity::Warning,
                        format!("{who} requires `{wanted}`, and {to} is {version}"),
                    )
                    .about(to, Some(version))
                    .about(&entry.name, Some(&metadata.version))
                    .wants(wanted, self.installer()),
                );
            }
        }
        findings
    }

    /// A requirement as `drop` rules leave it: `None` where they remove it.
    fn as_rules_have_it<'b>(
        &'b self,
        entry: &Entry,
        version: &Version,
        to: &PackageName,
        written: &'b VersionSpecifiers,
    ) -> Option<&'b VersionSpecifiers> {
        for rule in self.rules.on(&entry.name) {
            if let RuleKind::Drop {
                when,
                package,
                replacement,
            } = &rule.kind
                && package == to
                && when.applies(version, &self.target.markers)
            {
                return replacement.as_ref();
            }
        }
        Some(written)
    }

    /// Installers refuse a file in which some lines have hashes and others have none.
    fn hashes(&self) -> Vec<Finding> {
        let hashed = |entry: &&Entry| entry.hashes.as_ref().is_some_and(|all| !all.is_empty());
        if !self.subject.entries.iter().any(|entry| hashed(&entry)) {
            return Vec::new();
        }
        self.subject
            .entries
            .iter()
            .filter(|entry| entry.hashes.as_ref().is_some_and(Vec::is_empty))
            .map(|entry| {
                let mut finding = Finding::new(
                    "missing-hash",
                    Severity::Error,
                    format!("{} has no hash, and others have", entry.name),
                )
                .about(&entry.name, entry.version());
                finding.reason = Some(
                    "installers demand a hash of every file as soon as one is given".to_owned(),
                );
                finding.place = self.subject.place(entry);
                finding.advice("lock again, so that every file has its hash")
            })
            .collect()
    }

    /// What is not pinned, and above all what rules would bound and nothing does.
    fn unpinned(&self) -> Vec<Finding> {
        let mut findings = unbounded::findings(&self.present, self.target, self.rules);
        let unpinned: Vec<&str> = self
            .present
            .iter()
            .filter(|entry| matches!(entry.wanted, super::Wanted::Range(_)))
            .map(|entry| entry.name.as_ref())
            .collect();
        if !unpinned.is_empty() {
            findings.push(
                Finding::new(
                    "unpinned",
                    Severity::Note,
                    format!(
                        "{} of {} not pinned: what they become is known when they are locked",
                        unpinned.len(),
                        if self.present.len() == 1 {
                            "1 line is".to_owned()
                        } else {
                            format!("{} lines are", self.present.len())
                        }
                    ),
                )
                .advice(lock_command(&self.subject.name)),
            );
        }
        findings
    }
}

/// The command that locks a file: which lock it makes follows from some names only.
fn lock_command(name: &str) -> String {
    let file = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let is_in = file.rsplit_once('.').is_some_and(|(_, end)| end == "in");
    if is_in || ["pyproject.toml", "setup.cfg", "setup.py"].contains(&file) {
        format!("mlresolve lock {name}")
    } else {
        format!("mlresolve lock {name} -o locked.txt")
    }
}

/// What a rule's break is, in one sentence.
fn sentence(violation: &Violation) -> String {
    let text = |(name, version): &(PackageName, Version)| format!("{name} {version}");
    let all: Vec<String> = violation.packages.iter().map(text).collect();
    match (&violation.rule.kind, violation.packages.as_slice()) {
        (
            RuleKind::Constrain {
                package, versions, ..
            },
            [trigger, outside, ..],
        ) => format!(
            "{} works with {package}{} only, and {package} is {}",
            text(trigger),
            versions.in_words(),
            outside.1
        ),
        (
            RuleKind::Requires {
                package, versions, ..
            },
            [trigger, rest @ ..],
        ) => match rest {
            [outside, ..] => format!(
                "{} needs {package}{}, and {package} is {}",
                text(trigger),
                versions.in_words(),
                outside.1
            ),
            [] => format!(
                "{} needs {package}{}, which is not there",
                text(trigger),
                versions.in_words()
            ),
        },
        (RuleKind::Slot { import, .. }, _) => {
            format!(
                "{} overwrite each other's files under `{import}`",
                list(&all)
            )
        }
        (RuleKind::Family { name, .. }, _) => {
            format!("{} are not one build of {name}", list(&all))
        }
        (RuleKind::Broken { .. }, [one, ..]) => format!("{} is a broken release", text(one)),
        (RuleKind::Needs { packages, .. }, [one, ..]) => {
            let needs: Vec<String> = packages
                .iter()
                .filter(|(name, _)| {
                    violation
                        .virtual_packages
                        .iter()
                        .any(|(other, _)| other == *name)
                })
                .map(|(name, range)| format!("{name} {range}"))
                .collect();
            let there: Vec<String> = violation
                .virtual_packages
                .iter()
                .map(|(name, version)| format!("{name} {version}"))
                .collect();
            format!(
                "{} needs {}, and what is there brings {}",
                text(one),
                list(&needs),
                list(&there)
            )
        }
        _ => violation.to_string(),
    }
}

/// A list in words.
pub(crate) fn list<T: AsRef<str>>(items: &[T]) -> String {
    match items {
        [] => String::new(),
        [one] => one.as_ref().to_owned(),
        [most @ .., last] => {
            let most: Vec<&str> = most.iter().map(AsRef::as_ref).collect();
            format!("{} and {}", most.join(", "), last.as_ref())
        }
    }
}
