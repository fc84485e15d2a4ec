//! Two CUDAs or cuDNNs side by side: allowed where distributions' own metadata demands both.

use std::collections::{BTreeMap, BTreeSet};

use pep440_rs::Version;

use super::edges::{Requirements, VirtualRange};
use super::labels::Family;
use super::outcome::{Conflict, Reason, Solution, Warning};
use super::virtuals;
use crate::request::Request;
use crate::rules::RuleSet;
use crate::target::Target;

/// Whether one version of a virtual package is held for the environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sides {
    /// One: everything that brings it agrees.
    One,
    /// Several, side by side.
    Several,
}

/// Whether a conflict is about a virtual package that something brings.
pub(crate) fn meet(conflict: &Conflict) -> bool {
    conflict
        .reasons
        .iter()
        .any(|reason| matches!(reason, Reason::Brings { .. }))
}

/// By virtual package: who brings it, and which version.
type Brought = BTreeMap<String, Vec<(String, Version)>>;

/// Whether every need of a chosen release is met by something that is there, or by nothing
/// that is there at all; notes what is there in several versions.
pub(crate) fn needs_met(solution: &mut Solution, target: &Target, rules: &RuleSet) -> bool {
    let request = Request::default();
    let requirements = Requirements {
        request: &request,
        target,
        rules,
    };
    let mut brought = by_builds(solution, target, rules);
    let mut needs = Vec::new();
    for (name, chosen) in &solution.packages {
        for rule in requirements.applying(name, &chosen.version) {
            for edge in Requirements::virtuals_of_rule(rule, &chosen.version) {
                match edge.range {
                    VirtualRange::Needs(range) => needs.push((edge.package, range)),
                    VirtualRange::Provides(version) => brought
                        .entry(edge.package)
                        .or_default()
                        .push((name.to_string(), version)),
                }
            }
        }
    }
    let met = needs.iter().all(|(package, range)| {
        let wanted = virtuals::ordinals(range);
        let meets =
            |version: &Version| !virtuals::brought(version).intersection(&wanted).is_empty();
        brought
            .get(package)
            .is_none_or(|there| there.iter().any(|(_, version)| meets(version)))
    });
    for (package, mut there) in brought {
        there.sort();
        there.dedup();
        let versions: BTreeSet<_> = there
            .iter()
            .map(|(_, version)| version.release().first().copied())
            .collect();
        if versions.len() > 1 {
            solution.warnings.push(Warning::SideBySide {
                package,
                brought: there,
            });
        }
    }
    solution.warnings.sort();
    met
}

/// What the builds of families bring that were taken.
fn by_builds(solution: &Solution, target: &Target, rules: &RuleSet) -> Brought {
    let mut brought = Brought::new();
    for rule in rules.families() {
        let label = Family::of(rule).and_then(|family| {
            let taken = solution.builds.get(family.name)?;
            Some((family, family.label(family.number(taken)?)?))
        });
        let Some((family, label)) = label else {
            continue;
        };
        let who = format!("the build {} of {}", label.name, family.name);
        let mut add = |package: &String, version: &Version| {
            let there = brought.entry(package.clone()).or_default();
            there.push((who.clone(), version.clone()));
        };
        for (package, version) in &label.provides {
            add(package, version);
        }
        for member in rule.kind.members() {
            let Some(chosen) = solution.packages.get(member) else {
                continue;
            };
            for binary in family.binaries(member, &chosen.version, &label.name, target) {
                for (package, version) in &binary.provides {
                    add(package, version);
                }
            }
        }
    }
    brought
}
