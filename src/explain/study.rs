//! A request under study: what would come of it if a line, a rule or a fact were otherwise.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;

use pep440_rs::{Version, VersionSpecifiers};
use pep508_rs::{MarkerTree, PackageName};

use super::limited::{Kept, Known, Limited, Sources};
use crate::metadata::Page;
use crate::request::{Line, LineSource, Request};
use crate::solve::{
    Candidates, Conflict, FactError, Facts, Memo, Outcome, Reason, Solution, SolveError, Warning,
    candidates, solve_again,
};
use crate::{RuleSet, Target};

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
    pub(super) facts: &'a dyn Facts,
    memo: Memo,
    /// What was read of files.
    pub(super) read: Known,
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
    /// It hangs on source distributions that were not built to try it: nothing is known.
    Unbuilt(Unbuilt),
    /// It took too much work: nothing is known.
    GaveUp,
}

/// Releases that have only a source distribution, which was not built.
pub(super) type Unbuilt = BTreeSet<(PackageName, Version)>;

impl<'a> Study<'a> {
    /// A study over facts.
    pub fn new(target: &'a Target, rules: &'a RuleSet, facts: &'a dyn Facts) -> Self {
        Self {
            target,
            rules,
            facts,
            memo: Memo::default(),
            read: Known::default(),
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
        let kept = Kept::ALL;
        let facts = Limited::new(self, &kept, Sources::Read);
        solve_again(request, self.target, self.rules, &facts, &self.memo)
    }

    /// Solves a changed request, with a bound on the work.
    pub(super) fn attempt(&self, request: &Request) -> Attempt {
        self.attempt_with(request, self.rules, &Kept::ALL)
    }

    /// As [`Self::attempt`], under another policy, with which nothing else is shared.
    pub(super) fn attempt_anew(&self, request: &Request) -> Attempt {
        self.bounded(request, self.rules, &Kept::ALL, &Memo::default())
    }

    /// As [`Self::attempt`], under other rules and with some requirements of metadata only.
    ///
    /// No source distribution is built to answer a question. One that nobody looked into is
    /// first taken to require nothing: where there is no solution even so, there is none. A
    /// solution that leans on it is looked for again with what it says without being built;
    /// where that finds nothing and one would have had to be built, nothing is known.
    pub(super) fn attempt_with(&self, request: &Request, rules: &RuleSet, kept: &Kept) -> Attempt {
        self.bounded(request, rules, kept, &self.memo)
    }

    fn bounded(&self, request: &Request, rules: &RuleSet, kept: &Kept, memo: &Memo) -> Attempt {
        let facts = Limited::new(self, kept, Sources::Undemanding);
        let attempt = self.once(request, rules, &facts, memo);
        let Attempt::Solved(solution) = attempt else {
            return attempt;
        };
        if !facts.carries(&solution) {
            return Attempt::Solved(solution);
        }
        let facts = Limited::new(self, kept, Sources::Static);
        match self.once(request, rules, &facts, memo) {
            Attempt::Unsolvable(conflict) => match facts.unbuilt(&solution) {
                unbuilt if unbuilt.is_empty() => Attempt::Unsolvable(conflict),
                unbuilt => Attempt::Unbuilt(unbuilt),
            },
            other => other,
        }
    }

    fn once(
        &self,
        request: &Request,
        rules: &RuleSet,
        facts: &Limited<'_, '_>,
        memo: &Memo,
    ) -> Attempt {
        if self.exhausted() {
            return Attempt::GaveUp;
        }
        self.solves.set(self.solves.get() + 1);
        // A fact that a counterfactual alone needs may be out of reach (a snapshot has only
        // what was recorded): then nothing is known of it, and the rest can still be told.
        match solve_again(request, self.target, rules, facts, memo) {
            Ok(_) if facts.spent() => Attempt::GaveUp,
            // A release that lacks an extra that is asked for is no way out.
            Ok(Outcome::Solved(solution)) if lacks_an_extra(&solution) => Attempt::GaveUp,
            Ok(Outcome::Solved(solution)) => Attempt::Solved(solution),
            Ok(Outcome::Unsolvable(conflict)) => Attempt::Unsolvable(conflict),
            Err(error) => {
                if !facts.spent() {
                    self.miss(&error.to_string());
                }
                Attempt::GaveUp
            }
        }
    }

    /// Notes that a fact that an answer needed could not be had.
    pub(super) fn miss(&self, why: &str) {
        let mut missed = self.missed.borrow_mut();
        missed.get_or_insert_with(|| why.to_owned());
    }

    /// Why a fact that an answer needed could not be had, where one could not.
    pub(super) fn missed(&self) -> Option<String> {
        self.missed.borrow().clone()
    }

    /// How often metadata was read in all.
    pub(super) fn reads(&self) -> u64 {
        self.read.reads()
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

/// Whether a release lacks an extra that is asked for and that newer ones have.
fn lacks_an_extra(solution: &Solution) -> bool {
    let newer = |warning: &Warning| matches!(warning, Warning::UnknownExtra { newer: Some(_), .. });
    solution.warnings.iter().any(newer)
}
