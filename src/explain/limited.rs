//! The facts that a trial may use: without some requirements, only so many of them, and no
//! source distribution built.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use pep440_rs::{Version, VersionSpecifiers};
use pep508_rs::PackageName;

use super::study::{MetadataEdge, Study, Unbuilt};
use crate::metadata::{File, FileId, FileKind, Metadata, Page, Requires};
use crate::request::{BuildPolicy, DirectUrl};
use crate::solve::{DirectFacts, FactError, Facts, Solution, Unusable};
use crate::variants::VariantsJson;

/// How often a solve may read metadata before it is given up. A solve of 300 distributions
/// reads each a few times; only one that walks back and forth comes near to this.
const MAX_READS: u32 = 60_000;

/// How many files a solve may read that none before it has read: each may be a download
/// of a few kilobytes. A stack of 170 distributions has been seen to need 1,700.
const MAX_NEW_FILES: u32 = 4_000;

/// How many source distributions trials look into that the user's own solve did not: each
/// may be a download.
const MAX_SOURCES: u32 = 24;

/// The largest source distribution, in bytes, that is downloaded for a trial.
const MAX_SOURCE_SIZE: u64 = 20_000_000;

/// What was read of files, by the user's own solve and by trials.
#[derive(Debug, Default)]
pub(super) struct Known {
    files: RefCell<BTreeSet<String>>,
    /// The source distributions that were looked into, and whether they were built too.
    sources: RefCell<BTreeMap<String, bool>>,
    /// How many of them for trials only.
    tried: Cell<u32>,
    reads: Cell<u64>,
}

impl Known {
    /// How often metadata was read in all.
    pub(super) fn reads(&self) -> u64 {
        self.reads.get()
    }

    fn count(&self) {
        self.reads.set(self.reads.get().saturating_add(1));
    }
}

/// What is made of source distributions that the user's own solve did not look into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sources {
    /// They are looked into and built: this is the user's own solve.
    Read,
    /// They are taken to require nothing.
    Undemanding,
    /// What they say without being built is read, of a few of them.
    Static,
}

/// Which requirements of metadata a solve sees.
#[derive(Debug, Clone)]
pub(super) enum Kept {
    /// All but these.
    AllBut(BTreeSet<MetadataEdge>),
    /// These, and what distributions ask of themselves through extras.
    Only(BTreeSet<MetadataEdge>),
}

impl Kept {
    /// All of them.
    pub(super) const ALL: Self = Self::AllBut(BTreeSet::new());

    fn keeps(&self, from: &PackageName, to: &PackageName) -> bool {
        match self {
            // Few are left out.
            Self::AllBut(edges) => !edges
                .iter()
                .any(|(known, other)| known == from && other == to),
            Self::Only(edges) => from == to || edges.contains(&(from.clone(), to.clone())),
        }
    }
}

/// The facts of a study, without some requirements, and only so many of them.
pub(super) struct Limited<'a, 'b> {
    study: &'a Study<'b>,
    kept: &'a Kept,
    sources: Sources,
    /// The source distributions that were taken to require nothing.
    guessed: RefCell<BTreeSet<String>>,
    /// Those that would have had to be built.
    refused: RefCell<BTreeMap<String, (PackageName, Version)>>,
    reads: Cell<u32>,
    new_files: Cell<u32>,
}

impl<'a, 'b> Limited<'a, 'b> {
    pub(super) fn new(study: &'a Study<'b>, kept: &'a Kept, sources: Sources) -> Self {
        Self {
            study,
            kept,
            sources,
            guessed: RefCell::default(),
            refused: RefCell::default(),
            reads: Cell::new(0),
            new_files: Cell::new(0),
        }
    }
}

impl Limited<'_, '_> {
    /// Whether a solution leans on something that was taken to require nothing.
    pub(super) fn carries(&self, solution: &Solution) -> bool {
        let guessed = self.guessed.borrow();
        files(solution).any(|file| guessed.contains(file))
    }

    /// The releases that would have had to be built: those of `hoped`, a solution that takes
    /// them to require nothing, where they are among them.
    pub(super) fn unbuilt(&self, hoped: &Solution) -> Unbuilt {
        let refused = self.refused.borrow();
        let leaned: Unbuilt = files(hoped)
            .filter_map(|file| refused.get(file).cloned())
            .collect();
        if leaned.is_empty() {
            return refused.values().cloned().collect();
        }
        leaned
    }

    /// Whether the work that one trial may take was done.
    pub(super) fn spent(&self) -> bool {
        self.sources != Sources::Read
            && (self.reads.get() > MAX_READS || self.new_files.get() > MAX_NEW_FILES)
    }

    /// A source distribution, as far as it may be looked into.
    fn source(
        &self,
        page: &Page,
        file: &File,
        build: BuildPolicy,
    ) -> Result<Arc<Metadata>, FactError> {
        let read = &self.study.read;
        let builds = build != BuildPolicy::Never;
        let known = read.sources.borrow().get(&file.filename).copied();
        if self.sources == Sources::Read {
            let mut sources = read.sources.borrow_mut();
            let is_built = sources.entry(file.filename.clone()).or_default();
            *is_built |= builds;
            drop(sources);
            return self.study.facts.metadata(page, file, build);
        }
        if known.is_some_and(|is_built| is_built || !builds) {
            return self.study.facts.metadata(page, file, build);
        }
        if self.sources == Sources::Undemanding {
            self.guessed.borrow_mut().insert(file.filename.clone());
            return Ok(Arc::new(Metadata {
                name: page.name.clone(),
                version: file.version.clone(),
                requires_python: None,
                requires_dist: Requires::new(),
                provides_extras: crate::metadata::Extras::default(),
                repairs: Vec::new(),
                may_differ: false,
            }));
        }
        let too_large = file.size.is_some_and(|size| size > MAX_SOURCE_SIZE);
        if builds || too_large || read.tried.get() >= MAX_SOURCES {
            return Err(self.refuse(page, file));
        }
        read.tried.set(read.tried.get() + 1);
        match self.study.facts.metadata(page, file, build) {
            // What cannot be had is no reason to end a trial that may do without it.
            Err(FactError::Failed { message, .. }) => {
                self.study.miss(&message);
                Err(self.refuse(page, file))
            }
            other => {
                let mut sources = read.sources.borrow_mut();
                sources.insert(file.filename.clone(), false);
                other
            }
        }
    }

    fn refuse(&self, page: &Page, file: &File) -> FactError {
        let release = (page.name.clone(), file.version.clone());
        let mut refused = self.refused.borrow_mut();
        refused.insert(file.filename.clone(), release);
        FactError::Unusable(Unusable::NeedsBuild)
    }

    fn reduced(&self, metadata: Arc<Metadata>) -> Arc<Metadata> {
        let dropped = |to: &PackageName| !self.kept.keeps(&metadata.name, to);
        if matches!(self.kept, Kept::AllBut(edges) if edges.is_empty())
            || !metadata
                .requires_dist
                .iter()
                .any(|dependency| dropped(&dependency.name))
        {
            return metadata;
        }
        let mut reduced = (*metadata).clone();
        reduced
            .requires_dist
            .retain(|dependency| !dropped(&dependency.name));
        Arc::new(reduced)
    }
}

/// The names of the files whose metadata a solution rests on.
fn files(solution: &Solution) -> impl Iterator<Item = &str> {
    solution
        .packages
        .values()
        .filter_map(|chosen| chosen.file.as_ref())
        .map(|file| file.filename.as_str())
}

impl Facts for Limited<'_, '_> {
    fn page(&self, name: &PackageName) -> Result<Arc<Page>, FactError> {
        self.study.facts.page(name)
    }

    fn page_at(&self, name: &PackageName, index: &str) -> Result<Arc<Page>, FactError> {
        self.study.facts.page_at(name, index)
    }

    fn hint_at(&self, name: &PackageName, index: &str) {
        self.study.facts.hint_at(name, index);
    }

    fn metadata(
        &self,
        page: &Page,
        file: &File,
        build: BuildPolicy,
    ) -> Result<Arc<Metadata>, FactError> {
        self.reads.set(self.reads.get() + 1);
        self.study.read.count();
        let mut files = self.study.read.files.borrow_mut();
        if !files.contains(&file.filename) {
            self.new_files.set(self.new_files.get() + 1);
            files.insert(file.filename.clone());
        }
        drop(files);
        if self.spent() {
            return Err(FactError::Failed {
                message: "the search for an explanation was given up".to_owned(),
                hint: None,
            });
        }
        let metadata = if matches!(file.kind, FileKind::Sdist(_)) {
            self.source(page, file, build)?
        } else {
            self.study.facts.metadata(page, file, build)?
        };
        Ok(self.reduced(metadata))
    }

    fn last_look(&self, page: &Page, file: &File) -> Result<Arc<Metadata>, FactError> {
        let sources = self.study.read.sources.borrow();
        let looked = sources.contains_key(&file.filename);
        drop(sources);
        if looked || self.sources == Sources::Read {
            return self.metadata(page, file, BuildPolicy::Never);
        }
        Err(FactError::Unusable(Unusable::NeedsBuild))
    }

    fn variants(&self, page: &Page, wheels: &[&File]) -> Result<Arc<VariantsJson>, FactError> {
        self.study.facts.variants(page, wheels)
    }

    fn hint_variants(&self, page: &Page, wheels: &[&File]) {
        self.study.facts.hint_variants(page, wheels);
    }

    fn direct(&self, url: &DirectUrl) -> Result<Arc<DirectFacts>, FactError> {
        let found = self.study.facts.direct(url)?;
        let metadata = Arc::new(found.metadata.clone());
        let reduced = self.reduced(Arc::clone(&metadata));
        if Arc::ptr_eq(&metadata, &reduced) {
            return Ok(found);
        }
        Ok(Arc::new(DirectFacts {
            metadata: (*reduced).clone(),
            file: found.file.clone(),
            commit: found.commit.clone(),
        }))
    }

    fn hint(&self, name: &PackageName, range: &VersionSpecifiers) {
        self.study.facts.hint(name, range);
    }

    fn hint_older(&self, page: &Page, older: &[FileId]) {
        self.study.facts.hint_older(page, older);
    }
}
