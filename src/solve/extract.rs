//! From PubGrub's selection to a solution whose every edge has its cause.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use pep508_rs::{ExtraName, PackageName};
use pubgrub::SelectedDependencies;

use super::FactError;
use super::edges::{Found, Requirement, Requirements};
use super::facts::Facts;
use super::labels::Family;
use super::node::{NameId, Node};
use super::outcome::{Chosen, ChosenOrigin, Edge, EdgeCause, Solution, SolveError, Warning};
use super::provider::Provider;
use super::universe::{Source, Universe};
use super::world::{Failure, World, fatal, unread};
use crate::metadata::{File, Page, UnreadableFiles};
use crate::rules::{RuleKind, Sharing};
use crate::versions::{Rank, RankSet};

/// The solution that a selection stands for: what the user's lines reach, nothing else.
pub(crate) fn solution<F: Facts>(
    provider: &Provider<'_, F>,
    selected: &SelectedDependencies<Node, Rank>,
) -> Result<Solution, SolveError> {
    let mut extraction = Extraction {
        world: &provider.world,
        labels: selected
            .iter()
            .filter_map(|(node, number)| match node {
                Node::Label(rule) => Some((*rule, *number)),
                _ => None,
            })
            .collect(),
        ranks: selected
            .iter()
            .filter_map(|(node, rank)| match node {
                Node::Package(id) => Some((provider.world.names.package_name(*id), *rank)),
                _ => None,
            })
            .collect(),
        solution: Solution::default(),
        edges: BTreeSet::new(),
        waiting: Vec::new(),
        visited: BTreeSet::new(),
    };
    extraction.lines();
    let changeable = &provider.world.request().base.changeable;
    for name in changeable {
        extraction.wait(name.clone(), None);
    }
    while let Some((name, extra)) = extraction.waiting.pop() {
        extraction.visit(&name, extra.as_ref())?;
    }
    extraction.limits();
    extraction.slots();
    extraction.builds();
    let Extraction {
        mut solution,
        edges,
        ..
    } = extraction;
    solution.edges = edges.into_iter().collect();
    solution.warnings.sort();
    solution.decisions = decisions(provider);
    Ok(solution)
}

struct Extraction<'a, 'b, F: Facts> {
    world: &'a World<'b, F>,
    ranks: BTreeMap<PackageName, Rank>,
    /// The build that was taken, by its family's rule.
    labels: BTreeMap<u32, Rank>,
    solution: Solution,
    edges: BTreeSet<Edge>,
    waiting: Vec<(PackageName, Option<ExtraName>)>,
    visited: BTreeSet<(PackageName, Option<ExtraName>)>,
}

impl<F: Facts> Extraction<'_, '_, F> {
    fn lines(&mut self) {
        for index in 0..self.world.request().requirements.len() {
            let found = self.world.requirements.of_line(index);
            self.take(found);
        }
    }

    fn take(&mut self, found: Found) {
        self.solution.changed.extend(found.changed);
        for requirement in found.requirements {
            self.follow(&requirement);
        }
    }

    fn follow(&mut self, requirement: &Requirement) {
        self.edges.insert(Edge {
            cause: requirement.cause.clone(),
            to: requirement.to.clone(),
            extras: requirement.extras.clone(),
            range: requirement.range.text(),
            pulls_in: requirement.pulls_in,
        });
        if !requirement.pulls_in {
            return;
        }
        self.wait(requirement.to.clone(), None);
        for extra in &requirement.extras {
            self.wait(requirement.to.clone(), Some(extra.clone()));
        }
    }

    fn wait(&mut self, name: PackageName, extra: Option<ExtraName>) {
        if self.visited.insert((name.clone(), extra.clone())) {
            self.waiting.push((name, extra));
        }
    }

    fn visit(&mut self, name: &PackageName, extra: Option<&ExtraName>) -> Result<(), SolveError> {
        let Some(rank) = self.ranks.get(name).copied() else {
            return Ok(());
        };
        let (id, _) = self.world.names.package(name);
        let universe = self.world.universe(id)?;
        if universe.is_installed(rank) {
            let known = !universe.is_unversioned();
            let version = known.then(|| universe.versions[rank as usize].clone());
            self.solution.installed.insert(name.clone(), version);
            if extra.is_none() {
                return Ok(());
            }
        }
        let metadata = self
            .world
            .metadata(id, &universe, rank)
            .map_err(unexpected)?;
        if !universe.is_installed(rank) && !self.solution.packages.contains_key(name) {
            let label = universe
                .labels(rank)
                .and_then(|(rule, _)| self.labels.get(&self.world.rule_index(&rule.id)));
            let chosen = chosen(&universe, rank, label.copied(), Arc::clone(&metadata))
                .map_err(|error| unread(name, error))?;
            if self.world.was_built(id, rank) {
                self.solution.warnings.push(Warning::Built {
                    name: name.clone(),
                    version: chosen.version.clone(),
                });
            }
            if let Some(yanked) = universe.yanked(rank) {
                self.solution.warnings.push(Warning::Yanked {
                    name: name.clone(),
                    version: chosen.version.clone(),
                    reason: yanked.reason,
                });
            }
            self.solution.packages.insert(name.clone(), chosen);
            if let Some(installed) = self.world.request().base.packages.get(name) {
                let version = installed.version.clone();
                self.solution.replaced.insert(name.clone(), version);
            }
            self.rules(name, &universe.versions[rank as usize]);
        }
        if let Some(extra) = extra {
            if let Some(chosen) = self.solution.packages.get_mut(name) {
                chosen.extras.insert(extra.clone());
            }
            if metadata.provides_extras.binary_search(extra).is_err() {
                let all = RankSet::interval(0, universe.len());
                let newest = self.world.newest_with(id, &universe, &all, extra);
                self.solution.warnings.push(Warning::UnknownExtra {
                    newer: newest.map(|rank| universe.versions[rank as usize].clone()),
                    name: name.clone(),
                    version: metadata.version.clone(),
                    extra: extra.clone(),
                });
            }
        }
        let found = self
            .world
            .requirements
            .of_metadata(&metadata, extra)
            .map_err(|reason| unexpected(Failure::Unusable(reason)))?;
        self.take(found);
        Ok(())
    }

    fn rules(&mut self, name: &PackageName, version: &pep440_rs::Version) {
        let world = self.world;
        for rule in world.requirements.applying(name, version) {
            self.solution.rules.insert(rule.id.clone());
            if let Some(requirement) = Requirements::of_rule(rule, name) {
                self.follow(&requirement);
            }
        }
    }

    /// Constraints of the user's, and rules, limit only what is there.
    fn limits(&mut self) {
        let world = self.world;
        for name in self.solution.packages.keys() {
            for constraint in world.requirements.constraints(name) {
                self.edges.insert(Edge {
                    cause: constraint.cause.clone(),
                    to: constraint.to.clone(),
                    extras: Vec::new(),
                    range: constraint.range.text(),
                    pulls_in: false,
                });
            }
            for limit in world.base_limits.on(name) {
                if let EdgeCause::Rule { id, .. } = &limit.cause {
                    self.solution.rules.insert(id.clone());
                }
                self.edges.insert(Edge {
                    cause: limit.cause.clone(),
                    to: limit.to.clone(),
                    extras: Vec::new(),
                    range: limit.range.text(),
                    pulls_in: false,
                });
            }
        }
        let installed = &self.solution.installed;
        let packages = &self.solution.packages;
        self.edges.retain(|edge| {
            edge.pulls_in || packages.contains_key(&edge.to) || installed.contains_key(&edge.to)
        });
        // A rule that limits only what is absent, and changes nothing else, did not shape
        // the lock.
        let edges = &self.edges;
        let changed = &self.solution.changed;
        self.solution.rules.retain(|id| {
            let by = format!("rule {id}");
            let is_virtual = world.rules().get(&id.0).is_some_and(|rule| {
                matches!(
                    rule.kind,
                    RuleKind::Needs { .. } | RuleKind::Provides { .. }
                )
            });
            is_virtual
                || changed.iter().any(|edge| edge.by == by)
                || edges.iter().any(
                    |edge| matches!(&edge.cause, EdgeCause::Rule { id: known, .. } if known == id),
                )
        });
    }

    /// The builds that were taken, of the families that have a member in the solution.
    fn builds(&mut self) {
        for (index, number) in &self.labels {
            let rule = self.world.rules().nth(*index as usize);
            let Some((rule, family)) = rule.and_then(|rule| Some((rule, Family::of(rule)?))) else {
                continue;
            };
            let packages = &self.solution.packages;
            let present = rule
                .kind
                .members()
                .iter()
                .any(|member| packages.contains_key(member));
            let Some(label) = family.label(*number).filter(|_| present) else {
                continue;
            };
            self.solution.rules.insert(rule.id.clone());
            self.solution
                .builds
                .insert(family.name.to_owned(), label.name.clone());
            let driver = &self.world.target().accelerator.driver;
            if let (Some(driver), Some(toolkit)) = (driver, &label.toolkit_driver)
                && driver < toolkit
            {
                self.solution.warnings.push(Warning::OldDriver {
                    label: label.name.clone(),
                    driver: driver.clone(),
                    toolkit: toolkit.clone(),
                });
            }
        }
    }

    fn slots(&mut self) {
        for rule in self.world.rules().slots() {
            let RuleKind::Slot {
                import,
                members,
                sharing: Sharing::SameVersion,
            } = &rule.kind
            else {
                continue;
            };
            let base = &self.world.request().base;
            let is_new = |member: &&PackageName| self.solution.packages.contains_key(*member);
            let present: Vec<PackageName> = members
                .iter()
                .filter(|member| is_new(member) || base.packages.contains_key(*member))
                .cloned()
                .collect();
            // A stub that requires the member that it stands for is meant to be beside it.
            let is_meant = self.edges.iter().any(|edge| {
                let of_member = matches!(&edge.cause, EdgeCause::Package { name, extra: None, .. }
                    if present.contains(name));
                of_member && edge.pulls_in && present.contains(&edge.to)
            });
            // What only the base has is told of the base.
            if !is_meant && present.len() > 1 && members.iter().any(|member| is_new(&member)) {
                self.solution.rules.insert(rule.id.clone());
                self.solution.warnings.push(Warning::SharedSlot {
                    import: import.clone(),
                    members: present,
                });
            }
        }
    }
}

fn chosen(
    universe: &Universe,
    rank: Rank,
    label: Option<Rank>,
    metadata: Arc<crate::metadata::Metadata>,
) -> Result<Chosen, UnreadableFiles> {
    let (origin, file, files) = match &universe.source {
        Source::Index(page) => {
            let listing = universe.page_of(rank, label).unwrap_or(page);
            let mut files = universe.files(rank)?;
            let mut file = universe.metadata_file(rank).transpose()?;
            if !Arc::ptr_eq(listing, page) {
                let mut listed = files.all().into_owned();
                as_listed(&mut listed, listing, &universe.versions[rank as usize])?;
                file = file.map(|file| {
                    let listed = listed.iter().find(|it| it.filename == file.filename);
                    listed.cloned().unwrap_or(file)
                });
                files = listed.into();
            }
            (ChosenOrigin::Index(Arc::clone(listing)), file, files)
        }
        Source::Direct(url, facts) => (
            ChosenOrigin::Direct {
                url: url.clone(),
                commit: facts.commit.clone(),
            },
            facts.file.clone(),
            facts.file.iter().cloned().collect::<Vec<File>>().into(),
        ),
        Source::Missing(_) | Source::NoBuild(_) | Source::Installed(_) => unreachable_source(),
    };
    Ok(Chosen {
        version: universe.versions[rank as usize].clone(),
        extras: BTreeSet::new(),
        metadata,
        file,
        origin,
        files,
        variant: universe.variant(rank).cloned(),
    })
}

/// A file that several builds share is told by the page of the one that was taken.
fn as_listed(
    files: &mut [File],
    listing: &Page,
    version: &pep440_rs::Version,
) -> Result<(), UnreadableFiles> {
    let listed = listing.files.of_version(version);
    let listed = listing.files.some(&listed)?;
    for file in files {
        if let Some(other) = listed.iter().find(|it| it.filename == file.filename) {
            *file = other.clone();
        }
    }
    Ok(())
}

/// A distribution that no index has offers no release, so none can have been chosen.
fn unreachable_source() -> ! {
    unreachable!("a release was chosen of a distribution that has none")
}

fn unexpected(failure: Failure) -> SolveError {
    match failure {
        Failure::Fatal(error) => error,
        Failure::Unusable(reason) => fatal(&FactError::Failed {
            message: format!("a chosen release turned out to be unusable: it {reason}"),
            hint: Some("the index or the cache changed during the run: run it again".to_owned()),
        }),
    }
}

fn decisions<F: Facts>(provider: &Provider<'_, F>) -> Vec<String> {
    let world = &provider.world;
    // A walk decides the same releases again and again.
    let mut known: BTreeMap<(NameId, Rank), String> = BTreeMap::new();
    let log = provider.log.borrow();
    let decided = log.iter().filter_map(|(node, rank)| match node {
        Node::Package(id) => {
            if let Some(text) = known.get(&(*id, *rank)) {
                return Some(text.clone());
            }
            let universe = world.universe(*id).ok()?;
            let version = universe.versions.get(*rank as usize)?;
            let text = format!("{} {version}", universe.name);
            known.insert((*id, *rank), text.clone());
            Some(text)
        }
        _ => None,
    });
    decided.collect()
}
