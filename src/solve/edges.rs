//! The requirements of a release: its metadata's, as rules and overrides leave them, and the rules' own.

use std::sync::Arc;

use pep440_rs::{Version, VersionSpecifiers};
use pep508_rs::{ExtraName, MarkerEnvironment, PackageName};

use super::facts::Unusable;
use super::outcome::{ChangedEdge, EdgeCause};
use crate::metadata::{DependencySource, Metadata};
use crate::request::{Line, LineSource, Request};
use crate::rules::{Rule, RuleKind, RuleSet, VersionRange, When};
use crate::target::Target;
use crate::versions;

/// One requirement, with who asks and why.
#[derive(Debug, Clone)]
pub(crate) struct Requirement {
    pub(crate) cause: EdgeCause,
    pub(crate) to: PackageName,
    pub(crate) extras: Vec<ExtraName>,
    pub(crate) range: Range,
    /// Whether it pulls the distribution in, or only limits it where it is present.
    pub(crate) pulls_in: bool,
}

/// Which releases a requirement accepts.
#[derive(Debug, Clone)]
pub(crate) enum Range {
    Specifiers(VersionSpecifiers),
    /// A rule's range.
    Rule(VersionRange),
    /// The one release of a direct reference.
    Direct(String),
}

impl Range {
    /// The range as people write it; empty for any release.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Specifiers(specifiers) => versions::display(specifiers),
            Self::Rule(range) => range.to_string(),
            Self::Direct(url) => url.clone(),
        }
    }
}

/// A virtual package that a release needs or brings.
#[derive(Debug, Clone)]
pub(crate) struct VirtualEdge {
    /// The virtual package, without `@`.
    pub(crate) package: String,
    pub(crate) range: VirtualRange,
}

/// Where a virtual package must be.
#[derive(Debug, Clone)]
pub(crate) enum VirtualRange {
    Needs(VersionRange),
    Provides(Version),
}

/// What turns facts into requirements.
pub(crate) struct Requirements<'a> {
    pub(crate) request: &'a Request,
    pub(crate) target: &'a Target,
    pub(crate) rules: &'a RuleSet,
}

/// The requirements of a release, and what rules and options changed in them.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) requirements: Vec<Requirement>,
    pub(crate) changed: Vec<ChangedEdge>,
}

impl Requirements<'_> {
    fn markers(&self) -> &MarkerEnvironment {
        &self.target.markers
    }

    /// What a line of the user's asks for, if it holds on the target.
    pub(crate) fn of_line(&self, index: usize) -> Found {
        let mut found = Found::default();
        let line = &self.request.requirements[index];
        if line.marker.evaluate(self.markers(), &[]) {
            let requirement = Requirement {
                cause: EdgeCause::Line(index),
                to: line.name.clone(),
                extras: line.extras.clone(),
                range: line_range(line),
                pulls_in: true,
            };
            self.with_options(requirement, None, &mut found);
        }
        found
    }

    /// The constraints on a distribution that hold on the target.
    pub(crate) fn constraints(&self, name: &PackageName) -> Vec<Requirement> {
        self.request
            .constraints
            .iter()
            .enumerate()
            .filter(|(_, line)| line.name == *name && line.marker.evaluate(self.markers(), &[]))
            .map(|(index, line)| Requirement {
                cause: EdgeCause::Constraint(index),
                to: line.name.clone(),
                extras: Vec::new(),
                range: line_range(line),
                pulls_in: false,
            })
            .collect()
    }

    /// What a release's metadata asks for: its own requirements, or those of one extra.
    ///
    /// # Errors
    ///
    /// [`Unusable`] where it asks for a direct reference that no line of the user's names.
    pub(crate) fn of_metadata(
        &self,
        metadata: &Metadata,
        extra: Option<&ExtraName>,
    ) -> Result<Found, Unusable> {
        let mut found = Found::default();
        let extras: &[ExtraName] = extra.map_or(&[], std::slice::from_ref);
        for dependency in metadata.requires_dist.candidates(extra) {
            if !dependency.marker.evaluate(self.markers(), extras)
                || (extra.is_some() && dependency.marker.evaluate(self.markers(), &[]))
            {
                continue;
            }
            let range = match &dependency.source {
                DependencySource::Specifiers(specifiers) => Range::Specifiers(specifiers.clone()),
                DependencySource::Url(url) => {
                    if !self.names_direct(&dependency.name) {
                        return Err(Unusable::Metadata {
                            detail: format!(
                                "requires `{} @ {url}`, which only a line of your own may ask for",
                                dependency.name
                            ),
                        });
                    }
                    Range::Direct(url.clone())
                }
            };
            let requirement = Requirement {
                cause: EdgeCause::Package {
                    name: metadata.name.clone(),
                    extra: extra.cloned(),
                    overridden: None,
                },
                to: dependency.name.clone(),
                extras: dependency.extras.clone(),
                range,
                pulls_in: true,
            };
            self.with_rules(requirement, metadata, &mut found);
        }
        Ok(found)
    }

    fn names_direct(&self, name: &PackageName) -> bool {
        self.request
            .requirements
            .iter()
            .chain(&self.request.constraints)
            .chain(&self.request.overrides)
            .any(|line| line.name == *name && matches!(line.source, LineSource::Direct(_)))
    }

    /// Applies `drop` rules, then what the options say.
    fn with_rules(&self, mut requirement: Requirement, metadata: &Metadata, found: &mut Found) {
        for rule in self.applying(&metadata.name, &metadata.version) {
            let RuleKind::Drop {
                package,
                replacement,
                ..
            } = &rule.kind
            else {
                continue;
            };
            if *package != requirement.to {
                continue;
            }
            let was = requirement.range.text();
            let now = replacement
                .as_ref()
                .map(|specifiers| format!("{package}{}", versions::display(specifiers)));
            found.changed.push(ChangedEdge {
                from: Some(metadata.name.clone()),
                to: package.clone(),
                was,
                now,
                by: format!("rule {}", rule.id),
            });
            match replacement {
                Some(specifiers) => requirement.range = Range::Specifiers(specifiers.clone()),
                None => return,
            }
        }
        let from = Some(metadata.name.clone());
        self.with_options(requirement, from.as_ref(), found);
    }

    /// Applies overrides and `--provider`.
    fn with_options(
        &self,
        requirement: Requirement,
        from: Option<&PackageName>,
        found: &mut Found,
    ) {
        let overrides: Vec<(usize, &Line)> = self
            .request
            .overrides
            .iter()
            .enumerate()
            .filter(|(_, line)| line.name == requirement.to)
            .collect();
        if overrides.is_empty() {
            self.with_provider(requirement, from, found);
            return;
        }
        let active: Vec<(usize, &Line)> = overrides
            .into_iter()
            .filter(|(_, line)| line.marker.evaluate(self.markers(), &[]))
            .collect();
        let changed = |now: Option<String>, by: String| ChangedEdge {
            from: from.cloned(),
            to: requirement.to.clone(),
            was: requirement.range.text(),
            now,
            by,
        };
        if active.is_empty() {
            found.changed.push(changed(None, "override".to_owned()));
        }
        for (index, line) in active {
            let mut replaced = requirement.clone();
            replaced.range = line_range(line);
            replaced.extras.extend(line.extras.iter().cloned());
            replaced.extras.sort();
            replaced.extras.dedup();
            if let EdgeCause::Package { overridden, .. } = &mut replaced.cause {
                *overridden = Some(index);
            }
            found.changed.push(changed(
                Some(line.text.clone()),
                format!("override {}", line.place),
            ));
            self.with_provider(replaced, from, found);
        }
    }

    fn with_provider(
        &self,
        mut requirement: Requirement,
        from: Option<&PackageName>,
        found: &mut Found,
    ) {
        for rule in self.rules.on(&requirement.to) {
            let RuleKind::Slot { import, .. } = &rule.kind else {
                continue;
            };
            if let Some(provider) = self.request.policy.providers.get(import)
                && *provider != requirement.to
            {
                found.changed.push(ChangedEdge {
                    from: from.cloned(),
                    to: requirement.to.clone(),
                    was: requirement.range.text(),
                    now: Some(format!("{provider}{}", requirement.range.text())),
                    by: format!("--provider {import}={provider}"),
                });
                requirement.to = provider.clone();
                break;
            }
        }
        found.requirements.push(requirement);
    }

    /// The rules that a release triggers on the target, sorted by id.
    pub(crate) fn applying(&self, name: &PackageName, version: &Version) -> Vec<&Arc<Rule>> {
        self.rules
            .on(name)
            .iter()
            .filter(|rule| match &rule.kind {
                RuleKind::Constrain { when, .. }
                | RuleKind::Requires { when, .. }
                | RuleKind::Drop { when, .. }
                | RuleKind::Provides { when, .. } => self.holds(when, version),
                RuleKind::Needs { when, .. } => {
                    self.holds(when, version) && !self.rules.names_its_build(name, version)
                }
                RuleKind::Slot { .. }
                | RuleKind::Family { .. }
                | RuleKind::Broken { .. }
                | RuleKind::Refuted { .. } => false,
            })
            .collect()
    }

    fn holds(&self, when: &When, version: &Version) -> bool {
        when.versions.contains(version) && when.marker.evaluate(self.markers(), &[])
    }

    /// What a rule that applies to `name` asks for of another distribution.
    pub(crate) fn of_rule(rule: &Rule, name: &PackageName) -> Option<Requirement> {
        let (package, versions, pulls_in) = match &rule.kind {
            RuleKind::Constrain {
                package, versions, ..
            } => (package, versions, false),
            RuleKind::Requires {
                package, versions, ..
            } => (package, versions, true),
            _ => return None,
        };
        Some(Requirement {
            cause: EdgeCause::Rule {
                id: rule.id.clone(),
                name: name.clone(),
            },
            to: package.clone(),
            extras: Vec::new(),
            range: Range::Rule(versions.clone()),
            pulls_in,
        })
    }

    /// What a rule that applies asks for, or brings, of virtual packages.
    pub(crate) fn virtuals_of_rule(rule: &Rule, version: &Version) -> Vec<VirtualEdge> {
        match &rule.kind {
            RuleKind::Needs { packages, .. } => packages
                .iter()
                .map(|(package, range)| VirtualEdge {
                    package: package.clone(),
                    range: VirtualRange::Needs(range.clone()),
                })
                .collect(),
            RuleKind::Provides { packages, .. } => packages
                .iter()
                .map(|(package, fixed)| VirtualEdge {
                    package: package.clone(),
                    range: VirtualRange::Provides(fixed.clone().unwrap_or_else(|| version.clone())),
                })
                .collect(),
            _ => Vec::new(),
        }
    }
}

/// The range of a line of the user's.
pub(crate) fn line_range(line: &Line) -> Range {
    match &line.source {
        LineSource::Specifiers(specifiers) => Range::Specifiers(specifiers.clone()),
        LineSource::Direct(url) => Range::Direct(url.given.clone()),
    }
}
