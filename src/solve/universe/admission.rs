//! What decides which releases of a distribution can be chosen.

use std::collections::BTreeMap;

use pep440_rs::{Operator, Version, VersionSpecifiers};
use pep508_rs::PackageName;

use super::super::variants::Grouped;
use crate::request::{Line, LineSource, Policy, Request};
use crate::rules::{RuleKind, RuleSet, When};
use crate::target::Target;
use crate::versions;

/// What decides which releases of a distribution can be chosen.
pub(crate) struct Admission<'a> {
    pub(crate) target: &'a Target,
    pub(crate) rules: &'a RuleSet,
    pub(super) policy: &'a Policy,
    /// The user's lines that name the distribution.
    lines: Vec<&'a Line>,
    pub(super) pin: Option<&'a Version>,
    /// Its releases come from the indexes of a family's builds, which give no upload times.
    pub(crate) of_builds: bool,
    /// The release that a base has of it, and that may be changed.
    pub(crate) installed: Option<&'a Version>,
    /// The releases that have wheel variants, where the target takes them.
    pub(crate) variants: BTreeMap<Version, Grouped>,
}

/// What a universe hangs on beside page, target and policy.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct AdmissionKey {
    name: PackageName,
    prereleases: bool,
    exact: Vec<String>,
    pin: Option<Version>,
    broken: Vec<String>,
    installed: Option<Version>,
}

impl<'a> Admission<'a> {
    pub(crate) fn new(
        request: &'a Request,
        target: &'a Target,
        rules: &'a RuleSet,
        name: &PackageName,
    ) -> Self {
        let lines = request
            .requirements
            .iter()
            .chain(&request.constraints)
            .chain(&request.overrides)
            .filter(|line| line.name == *name)
            .collect();
        Self {
            target,
            rules,
            policy: &request.policy,
            lines,
            pin: request.pins.get(name).map(|pin| &pin.version),
            of_builds: false,
            installed: request
                .base
                .changeable(name)
                .and_then(|package| package.version.as_ref()),
            variants: BTreeMap::new(),
        }
    }

    /// What the admission hangs on beside page, target and policy: two admissions with the
    /// same key make the same universe of a page.
    pub(crate) fn key(&self, name: &PackageName) -> AdmissionKey {
        let mut exact: Vec<String> = self
            .specifiers()
            .flat_map(|specifiers| specifiers.iter())
            .filter(|specifier| {
                matches!(specifier.operator(), Operator::Equal | Operator::ExactEqual)
            })
            .map(ToString::to_string)
            .collect();
        exact.sort();
        exact.dedup();
        AdmissionKey {
            name: name.clone(),
            prereleases: self.admits_prereleases(true),
            exact,
            pin: self.pin.cloned(),
            installed: self.installed.cloned(),
            broken: self
                .rules
                .on(name)
                .iter()
                .filter(|rule| matches!(rule.kind, RuleKind::Broken { .. }))
                .map(|rule| rule.id.to_string())
                .collect(),
        }
    }

    fn specifiers(&self) -> impl Iterator<Item = &VersionSpecifiers> {
        self.lines.iter().filter_map(|line| match &line.source {
            LineSource::Specifiers(specifiers) => Some(specifiers),
            LineSource::Direct(_) => None,
        })
    }

    /// Whether a user's line names a version with `==` or `===`.
    pub(super) fn has_exact(&self) -> bool {
        self.specifiers().any(|specifiers| {
            specifiers.iter().any(|specifier| {
                matches!(specifier.operator(), Operator::Equal | Operator::ExactEqual)
            })
        })
    }

    /// Pre-releases: with `--pre`, when a user line names one, or when there is no final
    /// release before the cut-off that was not yanked.
    pub(super) fn admits_prereleases(&self, finals: bool) -> bool {
        self.policy.prereleases
            || !finals
            || self
                .specifiers()
                .flat_map(|specifiers| specifiers.iter())
                .any(|specifier| specifier.version().any_prerelease())
            || self.pin.is_some_and(Version::any_prerelease)
    }

    /// Yanked releases: only by the user's `==` or `===`, or by an existing pin.
    pub(crate) fn admits_yanked(&self, version: &Version) -> bool {
        self.pin == Some(version)
            || self.specifiers().any(|specifiers| {
                specifiers.iter().any(|specifier| {
                    matches!(specifier.operator(), Operator::Equal | Operator::ExactEqual)
                }) && versions::contains(specifiers, version)
            })
    }

    /// The rules that hold on the target and say that releases of the distribution are broken.
    pub(super) fn broken(&self, name: &PackageName) -> Vec<(&'a When, String)> {
        self.rules
            .on(name)
            .iter()
            .filter_map(|rule| match &rule.kind {
                RuleKind::Broken { when } if when.marker.evaluate(&self.target.markers, &[]) => {
                    Some((when, rule.id.to_string()))
                }
                _ => None,
            })
            .collect()
    }
}
