//! Which rules a set of releases breaks.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use pep440_rs::Version;
use pep508_rs::{MarkerEnvironment, PackageName};

use super::{FamilyLabel, Rule, RuleKind, RuleSet, Sharing, VersionRange, label_of};

/// A rule that a set of releases breaks.
#[derive(Debug, Clone)]
pub struct Violation {
    /// The rule.
    pub rule: Arc<Rule>,
    /// The releases that break it together: the one that triggers the rule first, or all
    /// the members of a slot that are there.
    pub packages: Vec<(PackageName, Version)>,
    /// The virtual packages, without `@`, that are not where the rule needs them.
    pub virtual_packages: Vec<(String, Version)>,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let releases: Vec<String> = self
            .packages
            .iter()
            .map(|(name, version)| format!("`{name}` {version}"))
            .chain(
                self.virtual_packages
                    .iter()
                    .map(|(name, version)| format!("`@{name}` {version}")),
            )
            .collect();
        let releases = match &self.rule.kind {
            RuleKind::Constrain {
                package, versions, ..
            } => format!(
                "{}: `{package}` must be {versions}",
                releases.join(" with ")
            ),
            RuleKind::Requires {
                package, versions, ..
            } => format!("{}: needs `{package}` {versions}", releases.join(" with ")),
            _ => releases.join(" with "),
        };
        write!(f, "{releases} (rule {})", self.rule.id)
    }
}

impl RuleSet {
    /// The rules that these releases break together on a target, sorted by rule.
    ///
    /// `degrades` counts as `corrupts` does; who relaxes a rule knows it by its severity.
    /// A virtual package is where the releases' `provides` rules put it; a need for one that
    /// none of them brings is met.
    pub fn violations(
        &self,
        packages: &[(PackageName, Version)],
        markers: &MarkerEnvironment,
    ) -> Vec<Violation> {
        let mut present = Present::new(packages, &BTreeMap::new(), markers);
        let mut rules: BTreeMap<&str, &Arc<Rule>> = BTreeMap::new();
        for (name, version) in packages {
            for rule in self.on(name) {
                present.provide(&rule.kind, name, version);
                if matches!(rule.kind, RuleKind::Needs { .. })
                    && self.names_its_build(name, version)
                {
                    continue;
                }
                rules.insert(&rule.id.0, rule);
            }
        }
        rules
            .into_values()
            .filter_map(|rule| {
                let involved = broken_by(&rule.kind, &present)?;
                Some(Violation {
                    rule: Arc::clone(rule),
                    packages: involved.packages,
                    virtual_packages: involved.virtual_packages,
                })
            })
            .collect()
    }
}

/// What is there: releases, virtual packages, the target.
pub(super) struct Present<'a> {
    packages: &'a [(PackageName, Version)],
    virtual_packages: BTreeMap<String, BTreeSet<Version>>,
    markers: &'a MarkerEnvironment,
}

/// What breaks a rule.
#[derive(Default)]
struct Involved {
    packages: Vec<(PackageName, Version)>,
    virtual_packages: Vec<(String, Version)>,
}

impl<'a> Present<'a> {
    pub(super) fn new(
        packages: &'a [(PackageName, Version)],
        virtual_packages: &BTreeMap<String, Version>,
        markers: &'a MarkerEnvironment,
    ) -> Self {
        let virtual_packages = virtual_packages
            .iter()
            .map(|(name, version)| (name.clone(), BTreeSet::from([version.clone()])))
            .collect();
        Self {
            packages,
            virtual_packages,
            markers,
        }
    }

    /// Adds what a release brings by a `provides` rule or as one of a family's builds.
    fn provide(&mut self, kind: &RuleKind, name: &PackageName, version: &Version) {
        if let RuleKind::Family {
            labels, binaries, ..
        } = kind
            && version.is_local()
        {
            let label = label_of(version);
            let of_label = labels.iter().filter(|known| known.name == label);
            let of_binary = binaries
                .iter()
                .filter(|binary| binary.applies(name, version, &label, self.markers));
            for (virtual_name, brought) in of_label
                .take(1)
                .flat_map(|label| &label.provides)
                .chain(of_binary.flat_map(|binary| &binary.provides))
            {
                self.virtual_packages
                    .entry(virtual_name.clone())
                    .or_default()
                    .insert(brought.clone());
            }
        }
        let RuleKind::Provides { when, packages } = kind else {
            return;
        };
        if when.package == *name && when.applies(version, self.markers) {
            for (virtual_name, brought) in packages {
                self.virtual_packages
                    .entry(virtual_name.clone())
                    .or_default()
                    .insert(brought.as_ref().unwrap_or(version).clone());
            }
        }
    }

    fn releases<'b>(
        &'b self,
        name: &'b PackageName,
    ) -> impl Iterator<Item = &'b (PackageName, Version)> {
        self.packages.iter().filter(move |(there, _)| there == name)
    }

    /// The first release that triggers the rule.
    fn trigger<'b>(&'b self, kind: &'b RuleKind) -> Option<&'b (PackageName, Version)> {
        let when = kind.when()?;
        self.releases(&when.package)
            .find(|(_, version)| when.applies(version, self.markers))
    }

    /// The first release of `name` that is not in the range.
    fn outside<'b>(
        &'b self,
        name: &'b PackageName,
        versions: &VersionRange,
    ) -> Option<&'b (PackageName, Version)> {
        self.releases(name)
            .find(|(_, version)| !versions.contains(version))
    }
}

/// Whether a rule's `hit` is one: the rule is broken, or, where a rule of its kind forbids
/// nothing, it speaks of what is there.
pub(super) fn speaks_of(kind: &RuleKind, present: &Present<'_>) -> bool {
    match kind {
        RuleKind::Refuted {
            package, versions, ..
        } => present.trigger(kind).is_some() && present.outside(package, versions).is_some(),
        RuleKind::Drop { .. } | RuleKind::Provides { .. } => present.trigger(kind).is_some(),
        RuleKind::Slot {
            members,
            sharing: Sharing::Identical,
            ..
        } => releases_of(members, present).len() > 1,
        _ => broken_by(kind, present).is_some(),
    }
}

/// What breaks the rule, if anything does.
fn broken_by(kind: &RuleKind, present: &Present<'_>) -> Option<Involved> {
    match kind {
        RuleKind::Constrain {
            package, versions, ..
        } => {
            let trigger = present.trigger(kind)?;
            let outside = present.outside(package, versions)?;
            Some(Involved::releases(&[trigger, outside]))
        }
        RuleKind::Requires {
            package, versions, ..
        } => {
            let trigger = present.trigger(kind)?;
            match present.outside(package, versions) {
                Some(outside) => Some(Involved::releases(&[trigger, outside])),
                None if present.releases(package).next().is_none() => {
                    Some(Involved::releases(&[trigger]))
                }
                None => None,
            }
        }
        RuleKind::Broken { .. } => Some(Involved::releases(&[present.trigger(kind)?])),
        RuleKind::Needs { packages, .. } => needs_unmet(kind, packages, present),
        RuleKind::Slot {
            members, sharing, ..
        } => {
            let there = releases_of(members, present);
            let versions: BTreeSet<&Version> = there.iter().map(|(_, version)| version).collect();
            let broken = match sharing {
                Sharing::SameVersion | Sharing::IdenticalAtOneVersion => versions.len() > 1,
                Sharing::Never => there.len() > 1,
                Sharing::Identical => false,
            };
            broken.then(|| Involved::releases(&there))
        }
        RuleKind::Family { members, .. } => {
            if let Some(apart) = apart(kind, present) {
                return Some(apart);
            }
            let there = releases_of(members, present);
            let labels: BTreeSet<String> = there
                .iter()
                .filter(|(_, version)| version.is_local())
                .map(|(_, version)| label_of(version))
                .collect();
            (labels.len() > 1).then(|| Involved::releases(&there))
        }
        RuleKind::Drop { .. } | RuleKind::Provides { .. } | RuleKind::Refuted { .. } => None,
    }
}

/// A distribution that was built for another release or build of a family's member than the
/// one that is there.
fn apart(kind: &RuleKind, present: &Present<'_>) -> Option<Involved> {
    let RuleKind::Family {
        labels,
        binaries,
        extensions,
        ..
    } = kind
    else {
        return None;
    };
    for extension in extensions {
        for built in releases_of(&extension.packages, present) {
            let Some(asked) = extension.built_for(&built.1, labels) else {
                continue;
            };
            for member in present.releases(&extension.built_for) {
                let release = asked.release.is_none_or(|(major, minor)| {
                    member.1.release().iter().take(2).eq([major, minor].iter())
                });
                let name = label_of(&member.1);
                let of_build = |label: &FamilyLabel| {
                    let of_member = binaries.iter().filter(|binary| {
                        binary.applies(&member.0, &member.1, &label.name, present.markers)
                    });
                    asked.suits(label, of_member)
                };
                // A version without a label does not say which build it is.
                let mut known = labels.iter().filter(|label| label.name == name).peekable();
                let build = known.peek().is_none() || known.any(of_build);
                if !release || !build {
                    return Some(Involved::releases(&[built, member]));
                }
            }
        }
    }
    None
}

fn needs_unmet(
    kind: &RuleKind,
    packages: &BTreeMap<String, VersionRange>,
    present: &Present<'_>,
) -> Option<Involved> {
    let trigger = present.trigger(kind)?;
    let mut unmet = Involved::releases(&[trigger]);
    for (name, versions) in packages {
        let brought = present.virtual_packages.get(name);
        // Several versions side by side: the need is met where one of them meets it.
        if let Some(brought) = brought
            && !brought.iter().any(|version| versions.contains(version))
        {
            let all = brought
                .iter()
                .map(|version| (name.clone(), version.clone()));
            unmet.virtual_packages.extend(all);
        }
    }
    (!unmet.virtual_packages.is_empty()).then_some(unmet)
}

fn releases_of<'a>(
    members: &[PackageName],
    present: &'a Present<'_>,
) -> Vec<&'a (PackageName, Version)> {
    present
        .packages
        .iter()
        .filter(|(name, _)| members.contains(name))
        .collect()
}

impl Involved {
    fn releases(releases: &[&(PackageName, Version)]) -> Self {
        Self {
            packages: releases.iter().map(|release| (*release).clone()).collect(),
            virtual_packages: Vec::new(),
        }
    }
}
