//! Fetching what the solver will likely ask for before it asks.
//!
//! Without this each release costs two round trips one after the other: its page and its
//! metadata. What is fetched here fills the same maps that answer the solver, so a wrong
//! guess costs a request and changes nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use pep440_rs::VersionSpecifiers;
use pep508_rs::PackageName;

use super::registry::{World, lock};
use crate::ExtraName;
use crate::metadata::{Dependency, DependencySource, File, Metadata, Page};

/// How many releases of one distribution are fetched on guesses from dependencies.
const GUESSES: usize = 4;

/// How many older releases are fetched when the solver goes back for the first time.
const FIRST_OLDER: usize = 2;

/// How many older releases are fetched at once at most.
const MOST_OLDER: usize = 64;

/// What was fetched on guesses so far.
#[derive(Debug, Default)]
pub(super) struct Prefetched {
    /// Hints that were followed: name, range, extras.
    hints: BTreeSet<(PackageName, String, Vec<ExtraName>)>,
    /// How many guesses were made for a name.
    guesses: BTreeMap<PackageName, usize>,
    /// How many older releases are fetched next.
    older: BTreeMap<PackageName, usize>,
}

impl World {
    /// Begins to fetch the page, the release that the solver would take first, and what
    /// that release depends on.
    pub(super) fn hint(
        self: &Arc<Self>,
        name: &PackageName,
        range: &VersionSpecifiers,
        extras: &[ExtraName],
    ) {
        let mut prefetched = lock(&self.prefetched);
        if !prefetched
            .hints
            .insert((name.clone(), range.to_string(), extras.to_vec()))
        {
            return;
        }
        let made = prefetched.guesses.entry(name.clone()).or_default();
        *made += 1;
        let within = *made <= GUESSES;
        drop(prefetched);
        let page = self.page(name);
        if self.guesses.is_none() || !within {
            return;
        }
        let (world, range, extras) = (Arc::clone(self), range.clone(), extras.to_vec());
        self.spawn(async move {
            // Why a page cannot be had is told when the solver asks for it.
            let Ok(page) = page.await else { return };
            let guess = world
                .guesses
                .as_ref()
                .and_then(|guesses| guesses.first_wheel(&page, &range));
            let Some(answer) = guess.and_then(|file| world.metadata(file)) else {
                return;
            };
            if let Ok(metadata) = answer.await {
                world.hint_dependencies(&metadata, &extras);
            }
        });
    }

    fn hint_dependencies(self: &Arc<Self>, metadata: &Metadata, extras: &[ExtraName]) {
        let Some(guesses) = &self.guesses else {
            return;
        };
        for Dependency {
            name,
            extras: asked,
            source,
            ..
        } in metadata
            .requires_dist
            .iter()
            .filter(|dependency| guesses.counts(dependency, extras))
        {
            if let DependencySource::Specifiers(range) = source {
                self.hint(name, range, asked);
            }
        }
    }

    /// Begins to fetch the releases that the solver would try next: twice as many each
    /// time it comes back for the same distribution.
    pub(super) fn hint_older(self: &Arc<Self>, page: &Page, older: &[&File]) {
        let mut prefetched = lock(&self.prefetched);
        let next = prefetched
            .older
            .entry(page.name.clone())
            .or_insert(FIRST_OLDER);
        let count = *next;
        *next = (count * 2).min(MOST_OLDER);
        drop(prefetched);
        for file in older.iter().take(count) {
            // It goes on by itself.
            drop(self.metadata(file));
        }
    }
}
