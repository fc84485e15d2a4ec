//! One solve's view of its facts: names, universes, and requirements as sets of ranks.

mod reading;
mod slots;

use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;

use indexmap::IndexSet;
use pep440_rs::{Version, VersionSpecifiers};
use pep508_rs::PackageName;

use self::slots::Slots;
use super::base::BaseLimits;
use super::edges::{Range, Requirement, Requirements};
use super::facts::{DirectFacts, FactError, Facts, Unusable};
use super::labels::{Family, Merged};
use super::node::{ABSENT, NameId, Names, Node};
use super::outcome::SolveError;
use super::sides::Sides;
use super::sources::Sources;
use super::universe::{Admission, AdmissionKey, Judge, NoteKey, Source, Universe, Verdicts};
use crate::metadata::{Metadata, Page, ReleaseRows, UnreadableFiles};
use crate::request::{DirectUrl, LineSource, Request};
use crate::rules::{Rule, RuleId, RuleSet};
use crate::target::Target;
use crate::versions::{Rank, RankSet};

/// One solve's view of its facts.
pub(crate) struct World<'a, F: Facts> {
    pub(crate) requirements: Requirements<'a>,
    pub(crate) facts: &'a F,
    pub(crate) names: Names,
    universes: RefCell<Vec<Option<Rc<Universe>>>>,
    memo: &'a Memo,
    direct: BTreeMap<PackageName, DirectUrl>,
    constrained: BTreeSet<PackageName>,
    pub(crate) base_limits: BaseLimits,
    slots: RefCell<Slots>,
    rule_indexes: BTreeMap<RuleId, u32>,
    virtuals: RefCell<IndexSet<String>>,
    built: RefCell<BTreeSet<(NameId, Rank)>>,
    /// The metadata of releases that can be used, as it was read.
    known: RefCell<BTreeMap<(NameId, Rank), Arc<Metadata>>>,
    sides: Sides,
    pub(crate) sources: Sources,
}

/// What several solves over the same facts, target and policy can share.
///
/// Counterfactuals ("what if this line were not there?") differ in a line; the universes
/// of the distributions stay the same.
#[derive(Debug, Default)]
pub struct Memo {
    universes: RefCell<BTreeMap<AdmissionKey, Rc<Universe>>>,
    verdicts: Rc<Verdicts>,
    target: OnceCell<Rc<Target>>,
    note_key: OnceCell<Option<NoteKey>>,
}

impl Memo {
    fn target(&self, target: &Target) -> &Rc<Target> {
        self.target.get_or_init(|| Rc::new(target.clone()))
    }
}

/// Why a release's requirements cannot be had.
pub(crate) enum Failure {
    /// The release cannot be used.
    Unusable(Unusable),
    /// The solve cannot go on.
    Fatal(SolveError),
}

impl From<Unusable> for Failure {
    fn from(reason: Unusable) -> Self {
        Self::Unusable(reason)
    }
}

impl From<SolveError> for Failure {
    fn from(error: SolveError) -> Self {
        Self::Fatal(error)
    }
}

impl<'a, F: Facts> World<'a, F> {
    pub(crate) fn new(
        request: &'a Request,
        target: &'a Target,
        rules: &'a RuleSet,
        facts: &'a F,
        memo: &'a Memo,
    ) -> Self {
        let direct = request
            .overrides
            .iter()
            .chain(&request.requirements)
            .chain(&request.constraints)
            .rev()
            .filter(|line| line.marker.evaluate(&target.markers, &[]))
            .filter_map(|line| match &line.source {
                LineSource::Direct(url) => Some((line.name.clone(), url.clone())),
                LineSource::Specifiers(_) => None,
            })
            .collect();
        let constrained = request
            .constraints
            .iter()
            .filter(|line| line.marker.evaluate(&target.markers, &[]))
            .map(|line| line.name.clone())
            .collect();
        let requirements = Requirements {
            request,
            target,
            rules,
        };
        Self {
            base_limits: BaseLimits::new(&requirements),
            requirements,
            facts,
            names: Names::default(),
            universes: RefCell::default(),
            memo,
            direct,
            constrained,
            slots: RefCell::default(),
            rule_indexes: (0..)
                .zip(rules.ids())
                .map(|(index, id)| (id.clone(), index))
                .collect(),
            virtuals: RefCell::default(),
            built: RefCell::default(),
            known: RefCell::default(),
            sides: Sides::One,
            sources: Sources::default(),
        }
    }

    pub(crate) fn with_sides(self, sides: Sides) -> Self {
        Self { sides, ..self }
    }

    pub(crate) fn with_sources(self, sources: Sources) -> Self {
        Self { sources, ..self }
    }

    pub(crate) fn request(&self) -> &'a Request {
        self.requirements.request
    }

    pub(crate) fn rules(&self) -> &'a RuleSet {
        self.requirements.rules
    }

    pub(crate) fn target(&self) -> &'a Target {
        self.requirements.target
    }

    /// The releases of a distribution.
    pub(crate) fn universe(&self, id: NameId) -> Result<Rc<Universe>, SolveError> {
        let index = id as usize;
        if let Some(Some(universe)) = self.universes.borrow().get(index) {
            return Ok(Rc::clone(universe));
        }
        let universe = self.load(&self.names.package_name(id))?;
        let mut universes = self.universes.borrow_mut();
        if universes.len() <= index {
            universes.resize(index + 1, None);
        }
        universes[index] = Some(Rc::clone(&universe));
        Ok(universe)
    }

    fn load(&self, name: &PackageName) -> Result<Rc<Universe>, SolveError> {
        if let Some(package) = self.request().base.frozen(name) {
            return Ok(Rc::new(Universe::of_base(name, package)));
        }
        if let Some(url) = self.direct.get(name) {
            let facts = self.facts.direct(url).map_err(|error| fatal(&error))?;
            check_direct(name, url, &facts)?;
            return Ok(Rc::new(Universe::of_direct(url, facts)));
        }
        let mut admission = Admission::new(self.request(), self.target(), self.rules(), name);
        admission.of_builds = self.family_asked(name).is_some();
        let key = admission.key(name);
        if let Some(known) = self.memo.universes.borrow().get(&key) {
            return Ok(Rc::clone(known));
        }
        let universe = self.of_indexes(name, &mut admission)?;
        let universe = match admission.installed {
            Some(version) => universe.with_installed(version),
            None => universe,
        };
        let universe = Rc::new(universe);
        self.memo
            .universes
            .borrow_mut()
            .insert(key, Rc::clone(&universe));
        Ok(universe)
    }

    fn of_indexes(
        &self,
        name: &PackageName,
        admission: &mut Admission<'_>,
    ) -> Result<Universe, SolveError> {
        let target = self.target();
        let family = Family::with_member(self.rules(), name);
        if let Some((rule, family)) = family
            && admission.of_builds
        {
            return self.of_builds(name, admission, rule, family);
        }
        let universe = match self.facts.page(name) {
            Ok(page) => self.of_page(&page, admission)?,
            Err(FactError::NotFound { asked, .. }) => return Ok(Universe::missing(name, asked)),
            Err(error) => return Err(fatal(&error)),
        };
        Ok(match family {
            Some((rule, family)) => universe.with_builds(rule, family, target, None),
            None => match Family::with_extension(self.rules(), name) {
                Some(extension) => universe.with_extension(extension, target),
                None => universe,
            },
        })
    }

    /// A family's member comes from the indexes of the builds that suit the target, and from
    /// nowhere else.
    fn of_builds(
        &self,
        name: &PackageName,
        admission: &mut Admission<'_>,
        rule: &Arc<Rule>,
        family: Family<'_>,
    ) -> Result<Universe, SolveError> {
        let target = self.target();
        let (labels, told) = family.eligible(target);
        if labels.is_empty() {
            return Ok(Universe::no_build(name, family.none_because(target, &told)));
        }
        for label in &labels {
            self.facts.hint_at(name, &label.index);
        }
        let (mut found, mut asked) = (Vec::new(), Vec::new());
        for label in labels.iter().rev() {
            let number = family.number(&label.name).unwrap_or_default();
            match self.facts.page_at(name, &label.index) {
                Ok(page) => found.push((number, page)),
                Err(FactError::NotFound { asked: there, .. }) => asked.extend(there),
                Err(error) => return Err(fatal(&error)),
            }
        }
        if found.is_empty() {
            return Ok(Universe::missing(name, asked));
        }
        let merged = Merged::new(name, family, &found).map_err(|error| unread(name, error))?;
        let universe = self.of_page(&merged.page, admission)?;
        Ok(universe.with_builds(rule, family, target, Some(merged)))
    }

    fn of_page(
        &self,
        page: &Arc<Page>,
        admission: &mut Admission<'_>,
    ) -> Result<Universe, SolveError> {
        let (target, rules) = (self.target(), self.rules());
        let known = (self.memo.target(target), &self.memo.verdicts);
        let judge = Judge::new(page, admission, known);
        let judge = judge.map_err(|error| fatal(&error))?;
        // Nothing that could not be taken anyway is asked what its labels stand for.
        let admitted = |release: (u32, &ReleaseRows<'_>), id, version: &Version| {
            judge.admits(&page.files, release, id, admission.admits_yanked(version))
        };
        let variants = super::variants::grouped(page, target, rules, self.facts, admitted);
        admission.variants = variants.map_err(|error| fatal(&error))?;
        let note_key = || NoteKey::of(target, &self.request().policy);
        let key = *self.memo.note_key.get_or_init(note_key);
        if let Some(universe) = key.and_then(|key| Universe::noted(page, admission, key)) {
            return Ok(universe.judged_by(judge));
        }
        let unread = |error| unread(&page.name, error);
        let prereleases = Universe::prereleases(page, admission, &judge).map_err(unread)?;
        let universe = Universe::of_page(page, admission, judge, prereleases).map_err(unread)?;
        if let Some(key) = key {
            universe.note(admission, key, prereleases);
        }
        Ok(universe)
    }

    /// Whether a distribution has a shadow: something may limit it without pulling it in.
    pub(crate) fn has_shadow(&self, name: &PackageName) -> bool {
        self.rules().limits(name)
            || self.constrained.contains(name)
            || self.base_limits.limits(name)
    }

    pub(crate) fn is_constrained(&self, name: &PackageName) -> bool {
        self.constrained.contains(name)
    }

    /// Whether a distribution is installed already and stays as it is.
    pub(crate) fn is_frozen(&self, name: &PackageName) -> bool {
        self.request().base.frozen(name).is_some()
    }

    /// Whether the base asks something of a distribution that is added to it.
    pub(crate) fn base_concerns(&self, name: &PackageName) -> bool {
        !self.base_limits.on(name).is_empty()
            || self.rules().on(name).iter().any(|rule| {
                !self.base_limits.fills(&rule.id).is_empty()
                    || self.base_limits.builds(&rule.id).is_some()
            })
    }

    /// The release of a distribution to keep: the pin of an existing lock, or the release
    /// that is installed.
    pub(crate) fn pin(&self, name: &PackageName) -> Option<&'a Version> {
        let request = self.request();
        let pin = request.pins.get(name).map(|pin| &pin.version);
        pin.or_else(|| request.base.changeable(name)?.version.as_ref())
    }

    /// Says to the edge what will be asked for; called before anything of it is.
    pub(crate) fn hint_all(&self, requirements: &[Requirement]) {
        for requirement in requirements {
            let (_, new) = self.names.package(&requirement.to);
            if new && !self.direct.contains_key(&requirement.to) && !self.is_frozen(&requirement.to)
            {
                if let Some((_, family)) = self.family_asked(&requirement.to) {
                    for label in family.eligible(self.target()).0 {
                        self.facts.hint_at(&requirement.to, &label.index);
                    }
                    continue;
                }
                match &requirement.range {
                    Range::Specifiers(specifiers) => self.facts.hint(&requirement.to, specifiers),
                    _ => self
                        .facts
                        .hint(&requirement.to, &VersionSpecifiers::empty()),
                }
            }
        }
    }

    /// The family whose indexes serve a distribution on this target.
    fn family_asked(&self, name: &PackageName) -> Option<(&'a Arc<Rule>, Family<'a>)> {
        if !self.target().accelerator.is_stated() {
            return None;
        }
        Family::with_member(self.rules(), name)
    }

    /// A requirement as solver terms: nodes, and the ranks in which each must be.
    pub(crate) fn lower(
        &self,
        requirement: &Requirement,
        out: &mut Vec<(Node, RankSet)>,
    ) -> Result<(), SolveError> {
        let (id, _) = self.names.package(&requirement.to);
        let universe = match self.universe(id) {
            Ok(universe) => universe,
            // A limit on what nothing asks for needs none of its releases (a new rule, a snapshot
            // that is older). Whatever asks for it needs them, and ends the run here.
            Err(_) if !requirement.pulls_in && !self.is_frozen(&requirement.to) => {
                out.push((Node::Shadow(id), RankSet::singleton(ABSENT)));
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        let set = set_of(&universe, &requirement.range);
        if self.is_frozen(&requirement.to) {
            self.lower_installed(id, requirement, &universe, set, out);
            return Ok(());
        }
        self.sources.ask(&universe, &set);
        if !requirement.pulls_in {
            out.push((Node::Shadow(id), set.union(&RankSet::singleton(ABSENT))));
            return Ok(());
        }
        if self.has_shadow(&requirement.to) {
            out.push((Node::Shadow(id), set.clone()));
        }
        if self.is_constrained(&requirement.to) {
            out.push((Node::Constraint(id), RankSet::singleton(0)));
        }
        if self.base_concerns(&requirement.to) {
            out.push((Node::Base(id), RankSet::singleton(0)));
        }
        for (slot, sharing) in self.slots_of(&requirement.to) {
            out.push((
                Node::Slot(slot),
                self.slot_set(slot, sharing, &universe, &set),
            ));
        }
        for extra in &requirement.extras {
            out.push((Node::Extra(id, self.names.extra(extra)), set.clone()));
        }
        out.push((Node::Package(id), set));
        Ok(())
    }

    /// A requirement on a package that is there and stays as it is: met, or not.
    fn lower_installed(
        &self,
        id: NameId,
        requirement: &Requirement,
        universe: &Universe,
        set: RankSet,
        out: &mut Vec<(Node, RankSet)>,
    ) {
        if requirement.pulls_in {
            if self.is_constrained(&requirement.to) {
                out.push((Node::Constraint(id), RankSet::singleton(0)));
            }
            for extra in &requirement.extras {
                out.push((Node::Extra(id, self.names.extra(extra)), set.clone()));
            }
        }
        let set = if universe.is_unversioned() {
            RankSet::interval(0, universe.len())
        } else {
            set
        };
        out.push((Node::Package(id), set));
    }
}

/// The ranks that a range contains.
pub(crate) fn set_of(universe: &Universe, range: &Range) -> RankSet {
    match range {
        Range::Specifiers(specifiers) => universe.set(specifiers),
        Range::Rule(_) if universe.is_unversioned() => RankSet::interval(0, universe.len()),
        Range::Rule(range) => range
            .0
            .iter()
            .map(|specifiers| universe.set(specifiers))
            .fold(RankSet::empty(), |set, next| set.union(&next)),
        Range::Direct(given) => match &universe.source {
            Source::Direct(url, _) if url.given == *given || url.url == *given => {
                RankSet::interval(0, universe.len())
            }
            Source::Installed(package) if package.url.as_ref() == Some(given) => {
                RankSet::interval(0, universe.len())
            }
            _ => RankSet::empty(),
        },
    }
}

/// A direct reference must be to the distribution that the line names.
fn check_direct(
    name: &PackageName,
    url: &DirectUrl,
    facts: &DirectFacts,
) -> Result<(), SolveError> {
    if facts.metadata.name == *name {
        return Ok(());
    }
    Err(SolveError::Facts {
        message: format!(
            "`{}` was asked for as `{name}`, but its metadata is for `{}`",
            url.given, facts.metadata.name
        ),
        hint: Some(format!("write `{} @ {}`", facts.metadata.name, url.given)),
    })
}

pub(crate) fn unread(name: &PackageName, error: UnreadableFiles) -> SolveError {
    fatal(&FactError::unreadable(name, error))
}

pub(crate) fn fatal(error: &FactError) -> SolveError {
    let hint = match error {
        FactError::Failed { hint, .. } => hint.clone(),
        _ => None,
    };
    SolveError::Facts {
        message: error.to_string(),
        hint,
    }
}
