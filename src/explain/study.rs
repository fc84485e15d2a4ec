//! A request under study: what would come of it if a line, a rule or a fact were otherwise.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;

use pep440_rs::VersionSpecifiers;
use pep508_rs::{MarkerTree, PackageName};

use crate::metadata::{File, FileId, FileKind, Metadata, Page, Requires};
use crate::request::{BuildPolicy, DirectUrl, Line, LineSource, Request};
use crate::solve::{
    Candidates, Conflict, DirectFacts, FactError, Facts, Memo, Outcome, Reason, Solution,
    SolveError, Unusable, candidates, solve_again,
};
use crate::variants::VariantsJson;
use crate::{RuleSet, Target};

/// How often a solve may read metadata before it is given up. A solve of 300 distributions
/// reads each a few times; only one that walks back and forth comes near to this.
const MAX_READS: u32 = 60_000;

/// How many files a solve may read that none before it has read: each may be a download
/// of a few kilobytes. A stack of 170 distributions has been seen to need 1,700.
const MAX_NEW_FILES: u32 = 4_000;

/// How many solves one explanation may take.
const MAX_SOLVES: u32 = 600;

/// A line of the user's that takes part in a solve.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum UserLine {
    /// By its index in `Request::requirements`.
    Requirement(usize),
    /// By its index in `Request::constraints`.
    Constraint(usize),
}

impl UserLine {
    /// The line itself.
    pub fn of(self, request: &Request) -> Option<&Line> {
        match self {
            Self::Requirement(index) => request.requirements.get(index),
            Self::Constraint(index) => request.constraints.get(index),
        }
    }

    pub(super) fn of_mut(self, request: &mut Request) -> Option<&mut Line> {
        match self {
            Self::Requirement(index) => request.requirements.get_mut(index),
            Self::Constraint(index) => request.constraints.get_mut(index),
        }
    }

    /// Every line of a request, requirements first.
    pub(super) fn all(request: &Request) -> Vec<Self> {
        (0..request.requirements.len())
            .map(Self::Requirement)
            .chain((0..request.constraints.len()).map(Self::Constraint))
            .collect()
    }
}

/// The lines of the user's that a conflict names, sorted.
pub(super) fn lines_of(conflict: &Conflict) -> BTreeSet<UserLine> {
    conflict
        .reasons
        .iter()
        .filter_map(|reason| match reason {
            Reason::Line(index) => Some(UserLine::Requirement(*index)),
            Reason::Constraint(index) => Some(UserLine::Constraint(*index)),
            _ => None,
        })
        .collect()
}

/// What several questions about the same target, rules and facts share.
///
/// It answers like a fresh solve each time; it saves work only, and gives up on solves
/// that take too much of it.
pub struct Study<'a> {
    pub(super) target: &'a Target,
    pub(super) rules: &'a RuleSet,
    facts: &'a dyn Facts,
    memo: Memo,
    seen: RefCell<BTreeSet<String>>,
    /// The source distributions that the user's own solve looked into.
    sources: RefCell<BTreeSet<String>>,
    solves: Cell<u32>,
    /// The first fact that an answer needed and that could not be had.
    missed: RefCell<Option<String>>,
    known: RefCell<BTreeMap<PackageName, Rc<Candidates>>>,
}

/// What came of a counterfactual.
#[derive(Debug)]
pub(super) enum Attempt {
    Solved(Box<Solution>),
    Unsolvable(Box<Conflict>),
    /// It took too much work: nothing is known.
    GaveUp,
}

impl<'a> Study<'a> {
    /// A study over facts.
    pub fn new(target: &'a Target, rules: &'a RuleSet, facts: &'a dyn Facts) -> Self {
        Self {
            target,
            rules,
            facts,
            memo: Memo::default(),
            seen: RefCell::default(),
            sources: RefCell::default(),
            solves: Cell::new(0),
            missed: RefCell::default(),
            known: RefCell::default(),
        }
    }

    /// Solves a request as [`crate::solve::solve`] does.
    ///
    /// # Errors
    ///
    /// [`SolveError`] where facts could not be had.
    pub fn solve(&self, request: &Request) -> Result<Outcome, SolveError> {
        let nothing = BTreeSet::new();
        let facts = Limited::new(self, &nothing, Sources::Read);
        solve_again(request, self.target, self.rules, &facts, &self.memo)
    }

    /// Solves a changed request, with a bound on the work.
    pub(super) fn attempt(&self, request: &Request) -> Attempt {
        self.attempt_with(request, self.rules, &BTreeSet::new())
    }

    /// As [`Self::attempt`], under other rules and without some requirements of metadata.
    ///
    /// No source distribution is downloaded or built to answer a question. One that nobody
    /// looked into is first taken to require nothing: where there is no solution even so,
    /// there is none. A solution that leans on it is looked for again without it; where that
    /// finds nothing, nothing is known.
    pub(super) fn attempt_with(
        &self,
        request: &Request,
        rules: &RuleSet,
        without: &BTreeSet<MetadataEdge>,
    ) -> Attempt {
        let facts = Limited::new(self, without, Sources::Undemanding);
        let attempt = self.once(request, rules, &facts);
        let Attempt::Solved(solution) = attempt else {
            return attempt;
        };
        let guessed = facts.guessed.borrow();
        let leans = solution
            .packages
            .values()
            .filter_map(|chosen| chosen.file.as_ref())
            .any(|file| guessed.contains(&file.filename));
        if leans {
            let facts = Limited::new(self, without, Sources::Unusable);
            match self.once(request, rules, &facts) {
                Attempt::Unsolvable(_) => Attempt::GaveUp,
                other => other,
            }
        } else {
            Attempt::Solved(solution)
        }
    }

    fn once(&self, request: &Request, rules: &RuleSet, facts: &Limited<'_, '_>) -> Attempt {
        if self.exhausted() {
            return Attempt::GaveUp;
        }
        self.solves.set(self.solves.get() + 1);
        // A fact that a counterfactual alone needs may be out of reach (a snapshot has only
        // what was recorded): then nothing is known of it, and the rest can still be told.
        match solve_again(request, self.target, rules, facts, &self.memo) {
            Ok(_) if facts.spent() => Attempt::GaveUp,
            Ok(Outcome::Solved(solution)) => Attempt::Solved(solution),
            Ok(Outcome::Unsolvable(conflict)) => Attempt::Unsolvable(conflict),
            Err(error) => {
                if !facts.spent() {
                    let mut missed = self.missed.borrow_mut();
                    missed.get_or_insert_with(|| error.to_string());
                }
                Attempt::GaveUp
            }
        }
    }

    /// The facts, without a bound on the work.
    pub(super) fn facts(&self) -> &'a dyn Facts {
        self.facts
    }

    /// Why a fact that an answer needed could not be had, where one could not.
    pub(super) fn missed(&self) -> Option<String> {
        self.missed.borrow().clone()
    }

    /// Whether no further solve is made.
    pub(super) fn exhausted(&self) -> bool {
        self.solves.get() >= MAX_SOLVES
    }

    /// The releases of a distribution that a solve of the request chooses from.
    pub(crate) fn candidates(
        &self,
        name: &PackageName,
        request: &Request,
    ) -> Result<Rc<Candidates>, SolveError> {
        if let Some(known) = self.known.borrow().get(name) {
            return Ok(Rc::clone(known));
        }
        let found = candidates(
            name,
            request,
            self.target,
            self.rules,
            &self.facts,
            &self.memo,
        )?;
        let found = Rc::new(found);
        self.known
            .borrow_mut()
            .insert(name.clone(), Rc::clone(&found));
        Ok(found)
    }

    /// The page of a distribution, where an index has it.
    pub(super) fn page(&self, name: &PackageName) -> Result<Option<Arc<Page>>, SolveError> {
        match self.facts.page(name) {
            Ok(page) => Ok(Some(page)),
            Err(FactError::NotFound { .. } | FactError::Unusable(_)) => Ok(None),
            Err(FactError::Failed { message, hint }) => Err(SolveError::Facts { message, hint }),
        }
    }
}

/// What the metadata of every release of the first asks of the second.
pub(super) type MetadataEdge = (PackageName, PackageName);

/// The facts of a study, without some requirements, and only so many of them.
struct Limited<'a, 'b> {
    study: &'a Study<'b>,
    without: &'a BTreeSet<MetadataEdge>,
    sources: Sources,
    /// The source distributions that were taken to require nothing.
    guessed: RefCell<BTreeSet<String>>,
    reads: Cell<u32>,
    new_files: Cell<u32>,
}

/// What is made of source distributions that the user's own solve did not look into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sources {
    /// They are looked into: this is the user's own solve.
    Read,
    /// They are taken to require nothing.
    Undemanding,
    /// They cannot be used.
    Unusable,
}

impl<'a, 'b> Limited<'a, 'b> {
    fn new(study: &'a Study<'b>, without: &'a BTreeSet<MetadataEdge>, sources: Sources) -> Self {
        Self {
            study,
            without,
            sources,
            guessed: RefCell::default(),
            reads: Cell::new(0),
            new_files: Cell::new(0),
        }
    }
}

impl Limited<'_, '_> {
    /// What is said of a source distribution without looking into it; `None` where it is
    /// looked into.
    fn unread(&self, page: &Page, file: &File) -> Option<Result<Arc<Metadata>, FactError>> {
        if !matches!(file.kind, FileKind::Sdist(_))
            || self.study.sources.borrow().contains(&file.filename)
        {
            return None;
        }
        match self.sources {
            Sources::Read => {
                let mut sources = self.study.sources.borrow_mut();
                sources.insert(file.filename.clone());
                None
            }
            Sources::Undemanding => {
                self.guessed.borrow_mut().insert(file.filename.clone());
                Some(Ok(Arc::new(Metadata {
                    name: page.name.clone(),
                    version: file.version.clone(),
                    requires_python: None,
                    requires_dist: Requires::new(),
                    provides_extras: crate::metadata::Extras::default(),
                    repairs: Vec::new(),
                })))
            }
            Sources::Unusable => Some(Err(FactError::Unusable(Unusable::NeedsBuild))),
        }
    }

    fn spent(&self) -> bool {
        self.sources != Sources::Read && self.over()
    }

    fn over(&self) -> bool {
        self.reads.get() > MAX_READS || self.new_files.get() > MAX_NEW_FILES
    }

    fn reduced(&self, metadata: Arc<Metadata>) -> Arc<Metadata> {
        let dropped = |to: &PackageName| {
            self.without
                .iter()
                .any(|(from, other)| *from == metadata.name && other == to)
        };
        if self.without.is_empty()
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
        if !self.study.seen.borrow().contains(&file.filename) {
            self.new_files.set(self.new_files.get() + 1);
            self.study.seen.borrow_mut().insert(file.filename.clone());
        }
        if self.spent() {
            return Err(FactError::Failed {
                message: "the search for an explanation was given up".to_owned(),
                hint: None,
            });
        }
        if let Some(answer) = self.unread(page, file) {
            return answer;
        }
        let metadata = self.study.facts.metadata(page, file, build)?;
        Ok(self.reduced(metadata))
    }

    fn last_look(&self, page: &Page, file: &File) -> Result<Arc<Metadata>, FactError> {
        let looked = self.study.sources.borrow().contains(&file.filename);
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
        self.study.facts.direct(url)
    }

    fn hint(&self, name: &PackageName, range: &VersionSpecifiers) {
        self.study.facts.hint(name, range);
    }

    fn hint_older(&self, page: &Page, older: &[FileId]) {
        self.study.facts.hint_older(page, older);
    }
}

/// A line is left out by a marker that never holds: what it says of pre-releases and
/// yanked releases still counts, so that leaving it out can only make a problem easier.
pub(super) fn leave_out(request: &mut Request, line: UserLine) {
    if let Some(line) = line.of_mut(request) {
        line.marker = MarkerTree::FALSE;
    }
}

/// The request with these lines only.
pub(super) fn only(request: &Request, lines: &BTreeSet<UserLine>) -> Request {
    let mut part = request.clone();
    for line in UserLine::all(request) {
        if !lines.contains(&line) {
            leave_out(&mut part, line);
        }
    }
    part
}

/// Takes a line's bounds away; what it says of pre-releases still counts.
pub(super) fn free(request: &mut Request, line: UserLine) {
    let Some(known) = line.of_mut(request) else {
        return;
    };
    let mut ghost = known.clone();
    ghost.marker = MarkerTree::FALSE;
    known.source = LineSource::Specifiers(VersionSpecifiers::empty());
    match line {
        UserLine::Requirement(_) => request.requirements.push(ghost),
        UserLine::Constraint(_) => request.constraints.push(ghost),
    }
}

/// Whether a line has bounds that can be taken away.
pub(super) fn is_bounded(line: &Line) -> bool {
    match &line.source {
        LineSource::Specifiers(specifiers) => !specifiers.is_empty(),
        LineSource::Direct(_) => true,
    }
}
