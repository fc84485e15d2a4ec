//! Which release is taken first, and what its metadata says.

use std::sync::Arc;

use pep508_rs::ExtraName;

use super::super::base::indexed_metadata;
use super::super::facts::{FactError, Facts, Unusable};
use super::super::node::NameId;
use super::super::outcome::SolveError;
use super::super::sources::Look;
use super::super::universe::{Source, Universe};
use super::{Failure, World, fatal, set_of, unread};
use crate::metadata::{File, Metadata, Page, Requires};
use crate::request::BuildPolicy;
use crate::versions::{Rank, RankSet};

/// How many source distributions are looked into for static metadata before one is built.
const STATIC_LOOKS: usize = 8;

impl<F: Facts> World<'_, F> {
    /// The release that is chosen first among those of `range`.
    pub(crate) fn choice(
        &self,
        id: NameId,
        universe: &Universe,
        range: &RankSet,
    ) -> Result<Option<Rank>, SolveError> {
        let build = self.request().policy.build;
        let pin = self.pin(&universe.name);
        let first = universe.first_choice(range, pin, build == BuildPolicy::Freely);
        let Some(rank) = first else {
            return Ok(None);
        };
        if universe.needs_no_build(rank) || build == BuildPolicy::Freely {
            return Ok(Some(rank));
        }
        // No wheel will do: a source distribution whose metadata is static comes before
        // one that must be built for it.
        for candidate in range.ranks_below(universe.len()).rev().take(STATIC_LOOKS) {
            if self.sources.look(universe, candidate, build) != Look::Allowed
                || self.was_built(id, candidate)
            {
                return Ok(Some(candidate));
            }
            match self.read(universe, candidate, BuildPolicy::Never) {
                Ok(_) => return Ok(Some(candidate)),
                Err(Failure::Unusable(_)) => {}
                Err(Failure::Fatal(error)) => return Err(error),
            }
        }
        Ok(Some(rank))
    }

    /// Whether a release's metadata was had by running its build.
    pub(crate) fn was_built(&self, id: NameId, rank: Rank) -> bool {
        self.built.borrow().contains(&(id, rank))
    }

    /// A release's metadata, checked against the target.
    pub(crate) fn metadata(
        &self,
        id: NameId,
        universe: &Universe,
        rank: Rank,
    ) -> Result<Arc<Metadata>, Failure> {
        if universe.is_installed(rank) {
            return Ok(self.installed_metadata(universe, rank)?);
        }
        if let Some(known) = self.known.borrow().get(&(id, rank)) {
            return Ok(Arc::clone(known));
        }
        let build = self.request().policy.build;
        let look = self.sources.look(universe, rank, build);
        if look == Look::PassedOver {
            return Err(Failure::Unusable(Unusable::SourceOnly));
        }
        let said = match look {
            Look::Static => match self.last_look(universe, rank) {
                Err(Failure::Unusable(Unusable::NeedsBuild)) => {
                    Err(Failure::Unusable(Unusable::SourceOnly))
                }
                other => other,
            },
            _ => self.read(universe, rank, BuildPolicy::Never),
        };
        let metadata = match said {
            Err(Failure::Unusable(Unusable::NeedsBuild))
                if self.sources.may_build(universe, rank, build) =>
            {
                let metadata = self.read(universe, rank, BuildPolicy::Freely)?;
                self.built.borrow_mut().insert((id, rank));
                metadata
            }
            other => other?,
        };
        match &metadata.requires_python {
            Some(requires) if !self.target().admits_python(requires) => {
                Err(Failure::Unusable(Unusable::Python {
                    requires: crate::versions::display(requires),
                }))
            }
            _ => {
                let known = Arc::clone(&metadata);
                self.known.borrow_mut().insert((id, rank), known);
                Ok(metadata)
            }
        }
    }

    /// A release's metadata, where this solve has read it and the release can be used.
    pub(crate) fn read_already(&self, id: NameId, rank: Rank) -> Option<Arc<Metadata>> {
        self.known.borrow().get(&(id, rank)).map(Arc::clone)
    }

    /// The metadata of a package of the base: its own, or what the index has of its release.
    /// Where neither has it, it asks for nothing and has no extras.
    fn installed_metadata(
        &self,
        universe: &Universe,
        rank: Rank,
    ) -> Result<Arc<Metadata>, SolveError> {
        let name = &universe.name;
        let base = &self.request().base;
        if let Some(metadata) = base
            .packages
            .get(name)
            .and_then(|package| package.metadata.clone())
        {
            return Ok(metadata);
        }
        let version = &universe.versions[rank as usize];
        let unknown = || {
            Arc::new(Metadata {
                name: name.clone(),
                version: version.clone(),
                requires_python: None,
                requires_dist: Requires::new(),
                provides_extras: crate::metadata::Extras::default(),
                repairs: Vec::new(),
                may_differ: false,
            })
        };
        let found = indexed_metadata(name, version, self.target(), self.facts)?;
        Ok(found.unwrap_or_else(unknown))
    }

    /// Whether a release lacks an extra that a line of the user's asks for, and the newest
    /// release which the line admits has it. To fall back to a release that never heard of an
    /// extra meets the line in its letters only.
    pub(crate) fn lacks(
        &self,
        id: NameId,
        universe: &Universe,
        rank: Rank,
        (metadata, extra): (&Metadata, &ExtraName),
    ) -> bool {
        if metadata.provides_extras.binary_search(extra).is_ok() {
            return false;
        }
        let lines = 0..self.request().requirements.len();
        lines
            .flat_map(|index| self.requirements.of_line(index).requirements)
            .filter(|asked| asked.to == universe.name && asked.extras.contains(extra))
            .map(|asked| set_of(universe, &asked.range))
            .any(|set| set.contains(rank) && self.newest_with(id, universe, &set, extra).is_some())
    }

    /// The newest release of a set for which nothing has to be built, if it has an extra.
    pub(crate) fn newest_with(
        &self,
        id: NameId,
        universe: &Universe,
        set: &RankSet,
        extra: &ExtraName,
    ) -> Option<Rank> {
        let newest = universe.first_choice(set, None, false)?;
        let metadata = universe
            .needs_no_build(newest)
            .then(|| self.metadata(id, universe, newest))?
            .ok()?;
        let has = metadata.provides_extras.binary_search(extra).is_ok();
        has.then_some(newest)
    }

    fn read(
        &self,
        universe: &Universe,
        rank: Rank,
        build: BuildPolicy,
    ) -> Result<Arc<Metadata>, Failure> {
        Self::read_by(universe, rank, |page, file| {
            self.facts.metadata(page, file, build)
        })
    }

    fn last_look(&self, universe: &Universe, rank: Rank) -> Result<Arc<Metadata>, Failure> {
        Self::read_by(universe, rank, |page, file| {
            self.facts.last_look(page, file)
        })
    }

    fn read_by(
        universe: &Universe,
        rank: Rank,
        read: impl FnOnce(&Page, &File) -> Result<Arc<Metadata>, FactError>,
    ) -> Result<Arc<Metadata>, Failure> {
        match &universe.source {
            Source::Direct(_, facts) => Ok(Arc::new(facts.metadata.clone())),
            Source::Missing(_) | Source::NoBuild(_) | Source::Installed(_) => {
                Err(Failure::Unusable(Unusable::NoSuitableFile {
                    found: Vec::new(),
                }))
            }
            Source::Index(_) => {
                let (Some(file), Some(page)) =
                    (universe.metadata_file(rank), universe.page_of(rank, None))
                else {
                    return Err(Failure::Unusable(Unusable::NoSuitableFile {
                        found: Vec::new(),
                    }));
                };
                let file = file.map_err(|error| unread(&universe.name, error))?;
                let metadata = read(page, &file).map_err(|error| match error {
                    FactError::Unusable(reason) => Failure::Unusable(reason),
                    other => Failure::Fatal(fatal(&other)),
                })?;
                let variant = universe.variant(rank);
                let metadata = match variant.map(|variant| (&variant.label, variant)) {
                    Some((Some(label), variant)) => {
                        Arc::new(metadata.of_variant(label, &variant.properties))
                    }
                    _ => metadata,
                };
                Ok(match universe.built_against(rank) {
                    Some(dependency) => {
                        let mut with = (*metadata).clone();
                        with.requires_dist.add(dependency.clone());
                        Arc::new(with)
                    }
                    None => metadata,
                })
            }
        }
    }
}
