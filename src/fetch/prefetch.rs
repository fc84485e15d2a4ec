//! Fetching what the solver will likely ask for before it asks.
//!
//! Without this each release costs two round trips one after the other: its page and its
//! metadata. What is fetched here fills the same maps that answer the solver, so a wrong
//! guess costs a request and changes nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use pep440_rs::{VersionSpecifier, VersionSpecifiers};
use pep508_rs::PackageName;

use super::pack::walk::Wish;
use super::registry::World;
use super::tasks::lock;
use crate::ExtraName;
use crate::metadata::{DependencySource, FileId, Metadata, Page};

/// How many releases of one distribution are fetched on guesses from dependencies.
const GUESSES: usize = 4;

/// How many older releases are fetched when the solver goes back for the first time.
const FIRST_OLDER: usize = 2;

/// How many older releases are fetched at once at most.
const MOST_OLDER: usize = 64;

/// What was fetched on guesses so far, and what guesses are made from.
#[derive(Debug, Default)]
pub(super) struct Prefetched {
    /// Hints that were followed: name, range, extras.
    hints: BTreeSet<(PackageName, String, Vec<ExtraName>)>,
    /// What the solver said of a name.
    said: BTreeMap<PackageName, VersionSpecifiers>,
    /// What releases that were guessed demand of it, together with what the solver said.
    likely: BTreeMap<PackageName, VersionSpecifiers>,
    /// How many guesses were made for a name.
    guesses: BTreeMap<PackageName, usize>,
    /// How many older releases are fetched next.
    older: BTreeMap<PackageName, usize>,
    /// What the solver said and the pack was not asked about yet.
    wishes: Vec<Wish>,
}

/// The ranges to guess in: the first in which there is a release that suits.
struct Ranges(Vec<VersionSpecifiers>);

impl Prefetched {
    /// Notes a hint; `None` where it was followed already, or after enough guesses.
    ///
    /// What a guessed release demands is narrowed by what the solver said, most often that
    /// the user pinned the distribution: without that, the newest release would be fetched
    /// for each of its dependents. What other guesses demand narrows it further, but may be
    /// wrong.
    fn ranges(
        &mut self,
        name: &PackageName,
        range: &VersionSpecifiers,
        extras: &[ExtraName],
        by_solver: bool,
    ) -> Option<Ranges> {
        let hint = (name.clone(), range.to_string(), extras.to_vec());
        if !self.hints.insert(hint) {
            return None;
        }
        let made = self.guesses.entry(name.clone()).or_default();
        *made += 1;
        if *made > GUESSES {
            return None;
        }
        let narrowed = both(self.said.get(name), range);
        if by_solver {
            self.said.insert(name.clone(), narrowed.clone());
            return Some(Ranges(vec![narrowed]));
        }
        let likely = both(self.likely.get(name), &narrowed);
        self.likely.insert(name.clone(), likely.clone());
        Some(Ranges(vec![likely, narrowed]))
    }
}

pub(super) fn both(
    left: Option<&VersionSpecifiers>,
    right: &VersionSpecifiers,
) -> VersionSpecifiers {
    let mut all: Vec<VersionSpecifier> = right.iter().cloned().collect();
    for specifier in left.into_iter().flat_map(|left| left.iter()) {
        if !all.contains(specifier) {
            all.push(specifier.clone());
        }
    }
    all.into_iter().collect()
}

impl World {
    /// Follows a hint of the solver's.
    pub(super) fn hint(self: &Arc<Self>, name: &PackageName, range: &VersionSpecifiers) {
        self.follow(name, range, &[], true);
    }

    /// Begins to fetch the page, the release that the solver would take first, and what
    /// that release depends on.
    fn follow(
        self: &Arc<Self>,
        name: &PackageName,
        range: &VersionSpecifiers,
        extras: &[ExtraName],
        by_solver: bool,
    ) {
        let Some(guesses) = &self.guesses else {
            return;
        };
        if guesses.base.frozen(name).is_some() {
            return;
        }
        let page = self.page(name);
        // As long as everything is at hand there is nothing to begin early.
        if !self.is_cold() {
            return;
        }
        let mut prefetched = lock(&self.prefetched);
        if by_solver && self.likely.is_some() {
            prefetched.wishes.push(Wish {
                name: name.clone(),
                range: range.clone(),
                extras: extras.to_vec(),
            });
        }
        let ranges = prefetched.ranges(name, range, extras, by_solver);
        drop(prefetched);
        let Some(Ranges(ranges)) = ranges else {
            return;
        };
        let (world, extras) = (Arc::clone(self), extras.to_vec());
        self.spawn(async move {
            // Why a page cannot be had is told when the solver asks for it.
            let Ok(page) = page.wait().await else {
                return;
            };
            let guess = world.guesses.as_ref().and_then(|guesses| {
                ranges
                    .iter()
                    .find_map(|range| guesses.first_wheel(&page, range))
            });
            let file = guess.and_then(|id| page.files.file(id).ok());
            let Some(answer) = file.and_then(|file| world.metadata(&file)) else {
                return;
            };
            if let Ok(metadata) = answer.wait().await {
                world.follow_dependencies(&metadata, &extras);
            }
        });
    }

    /// Asks for the pages that will likely be wanted after those that the solver named; to be
    /// called when it has said all that it knows and would wait.
    pub(super) fn look_ahead(self: &Arc<Self>) {
        let (Some(pack), Some(guesses)) = (&self.likely, &self.guesses) else {
            return;
        };
        if !self.is_cold() {
            return;
        }
        let wishes = std::mem::take(&mut lock(&self.prefetched).wishes);
        if wishes.is_empty() {
            return;
        }
        lock(&self.walk).follow(pack, guesses, wishes, &mut |name| {
            // It goes on by itself.
            drop(self.page(name));
        });
    }

    fn follow_dependencies(self: &Arc<Self>, metadata: &Metadata, extras: &[ExtraName]) {
        let Some(guesses) = &self.guesses else {
            return;
        };
        for dependency in &metadata.requires_dist {
            if guesses.counts(dependency, extras)
                && let DependencySource::Specifiers(range) = &dependency.source
            {
                self.follow(&dependency.name, range, &dependency.extras, false);
            }
        }
    }

    /// Begins to fetch the releases that the solver would try next: twice as many each
    /// time it comes back for the same distribution.
    pub(super) fn hint_older(self: &Arc<Self>, page: &Page, older: &[FileId]) {
        if !self.is_cold() {
            return;
        }
        let mut prefetched = lock(&self.prefetched);
        let next = prefetched
            .older
            .entry(page.name.clone())
            .or_insert(FIRST_OLDER);
        let count = *next;
        *next = (count * 2).min(MOST_OLDER);
        drop(prefetched);
        for id in older.iter().take(count) {
            if let Ok(file) = page.files.file(*id)
                && !self.wheels.is_packed(&file)
            {
                // It goes on by itself.
                drop(self.metadata(&file));
            }
        }
    }
}
