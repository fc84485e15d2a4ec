//! What a base means for a solve: facts about what is there, and limits on what is added.
//!
//! A package of the base has one release, the installed one, which asks for nothing: its own
//! requirements were met, or not, when the image was made. What it asks of a distribution that
//! is *added* beside it counts, as a limit. A package that may be changed keeps its installed
//! release as the first choice and is an ordinary distribution otherwise.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use pep440_rs::Version;
use pep508_rs::PackageName;

use super::edges::{Requirement, Requirements, VirtualRange};
use super::facts::{FactError, Facts};
use super::labels::{self, Family};
use super::outcome::SolveError;
use super::world::fatal;
use crate::Target;
use crate::metadata::{FileKind, Metadata};
use crate::request::{Base, BuildPolicy};
use crate::rules::{RuleId, RuleKind, Sharing};
use crate::versions::RankSet;

/// What the base asks of distributions that are not part of it, or may be changed.
#[derive(Debug, Default)]
pub(crate) struct BaseLimits {
    /// By distribution: what packages of the base ask of it, if it is added.
    limits: BTreeMap<PackageName, Vec<Requirement>>,
    /// Everything that a package of the base limits, those that may be changed included.
    limited: BTreeSet<PackageName>,
    /// By slot: what fills it, of what stays as it is.
    slots: BTreeMap<RuleId, Vec<(PackageName, Version)>>,
    /// By family: the builds that members of it, in the base, are of.
    labels: BTreeMap<RuleId, RankSet>,
    /// By virtual package, without `@`: the versions that the base brings.
    brought: BTreeMap<String, BTreeSet<Version>>,
}

impl BaseLimits {
    pub(crate) fn new(requirements: &Requirements<'_>) -> Self {
        let base = &*requirements.request.base;
        let mut found = Self::default();
        for (name, package) in &base.packages {
            let frozen = base.frozen(name).is_some();
            for requirement in asked(requirements, base, name) {
                if base.frozen(&requirement.to).is_some() || requirement.to == *name {
                    continue;
                }
                found.limited.insert(requirement.to.clone());
                if frozen {
                    let limits = found.limits.entry(requirement.to.clone()).or_default();
                    limits.push(requirement);
                }
            }
            if let (true, Some(version)) = (frozen, &package.version) {
                found.occupy(requirements, name, version);
            }
        }
        found
    }

    fn occupy(&mut self, requirements: &Requirements<'_>, name: &PackageName, version: &Version) {
        for rule in requirements.rules.on(name) {
            if let RuleKind::Slot { sharing, .. } = &rule.kind
                && *sharing != Sharing::Identical
            {
                let members = self.slots.entry(rule.id.clone()).or_default();
                members.push((name.clone(), version.clone()));
            }
        }
        if let Some((rule, family)) = Family::with_member(requirements.rules, name)
            && let Some(labels) = labels::named(family, version)
        {
            let target = requirements.target;
            let label = labels.single().and_then(|number| family.label(number));
            let binaries = label.into_iter().flat_map(|label| {
                let binaries = family.binaries(name, version, &label.name, target);
                binaries
                    .flat_map(|binary| &binary.provides)
                    .chain(&label.provides)
            });
            for (package, version) in binaries {
                let versions = self.brought.entry(package.clone()).or_default();
                versions.insert(version.clone());
            }
            let known = self.labels.entry(rule.id.clone()).or_default();
            *known = known.union(&labels);
        }
        for rule in requirements.applying(name, version) {
            for edge in Requirements::virtuals_of_rule(rule, version) {
                if let VirtualRange::Provides(version) = edge.range {
                    self.brought
                        .entry(edge.package)
                        .or_default()
                        .insert(version);
                }
            }
        }
    }

    /// What the base asks of a distribution, if it is added.
    pub(crate) fn on(&self, name: &PackageName) -> &[Requirement] {
        self.limits.get(name).map_or(&[], Vec::as_slice)
    }

    /// Whether a package of the base limits the distribution.
    pub(crate) fn limits(&self, name: &PackageName) -> bool {
        self.limited.contains(name)
    }

    /// What of the base fills a slot.
    pub(crate) fn fills(&self, slot: &RuleId) -> &[(PackageName, Version)] {
        self.slots.get(slot).map_or(&[], Vec::as_slice)
    }

    /// The builds of a family that the base has.
    pub(crate) fn builds(&self, family: &RuleId) -> Option<&RankSet> {
        self.labels.get(family)
    }

    /// The versions of a virtual package that the base brings.
    pub(crate) fn brings(&self, package: &str) -> Option<&BTreeSet<Version>> {
        self.brought.get(package)
    }
}

/// What a package of the base asks for, by its metadata and by rules, each as a limit.
pub(crate) fn asked(
    requirements: &Requirements<'_>,
    base: &Base,
    name: &PackageName,
) -> Vec<Requirement> {
    let Some(package) = base.packages.get(name) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    if let Some(metadata) = &package.metadata {
        // Metadata that asks for what cannot be asked for limits nothing.
        if let Ok(metadata) = requirements.of_metadata(metadata, None) {
            found = metadata.requirements;
        }
    }
    if let Some(version) = &package.version {
        found.extend(
            requirements
                .applying(name, version)
                .into_iter()
                .filter_map(|rule| Requirements::of_rule(rule, name)),
        );
    }
    for requirement in &mut found {
        requirement.pulls_in = false;
    }
    found
}

/// The metadata that an index has of a release; `None` where it has none that can be read
/// without running code. A local version stands for the public one where only that is there.
///
/// # Errors
///
/// [`SolveError`] where facts could not be had.
pub fn indexed_metadata(
    name: &PackageName,
    version: &Version,
    target: &Target,
    facts: &impl Facts,
) -> Result<Option<Arc<Metadata>>, SolveError> {
    let page = match facts.page(name) {
        Ok(page) => page,
        Err(FactError::NotFound { .. } | FactError::Unusable(_)) => return Ok(None),
        Err(error) => return Err(fatal(&error)),
    };
    let public = version.clone().without_local();
    let mut rows = page.files.of_version(version);
    if public != *version {
        rows.extend(page.files.of_version(&public));
    }
    // Of files that are equally good the last in page order counts.
    let files = page
        .files
        .on_page(&rows)
        .map_err(|error| super::world::unread(name, error))?;
    let file = files
        .iter()
        .filter(|file| !matches!(file.kind, FileKind::Variants(_)))
        .max_by_key(|file| {
            let (is_wheel, order) = match &file.kind {
                FileKind::Wheel(wheel) => (true, target.wheel_order(wheel)),
                _ => (false, None),
            };
            (file.version == *version, is_wheel, order)
        });
    let Some(file) = file else {
        return Ok(None);
    };
    match facts.metadata(&page, file, BuildPolicy::Never) {
        Ok(metadata) => Ok(Some(metadata)),
        Err(FactError::NotFound { .. } | FactError::Unusable(_)) => Ok(None),
        Err(error) => Err(fatal(&error)),
    }
}
