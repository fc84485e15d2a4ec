//! One solve's view of its facts: names, universes, and requirements as sets of ranks.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;

use indexmap::IndexSet;
use pep440_rs::{Version, VersionSpecifiers};
use pep508_rs::PackageName;

use super::Sides;
use super::base::BaseLimits;
use super::edges::{Range, Requirement, Requirements, VirtualEdge, VirtualRange};
use super::facts::{DirectFacts, FactError, Facts, Unusable};
use super::labels::{Family, Merged};
use super::node::{ABSENT, NameId, Names, Node};
use super::outcome::SolveError;
use super::sources::{Look, Sources};
use super::universe::{Admission, AdmissionKey, Source, Universe};
use super::virtuals;
use crate::metadata::{File, Metadata, Page};
use crate::request::{BuildPolicy, DirectUrl, LineSource, Request};
use crate::rules::{Rule, RuleId, RuleKind, RuleSet, Sharing};
use crate::target::Target;
use crate::versions::{Rank, RankSet};

/// How many source distributions are looked into for static metadata before one is built.
const STATIC_LOOKS: usize = 8;

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
    slots: RefCell<BTreeMap<u32, BTreeMap<SlotKey, Rank>>>,
    rule_indexes: BTreeMap<RuleId, u32>,
    virtuals: RefCell<IndexSet<String>>,
    built: RefCell<BTreeSet<(NameId, Rank)>>,
    sides: Sides,
    pub(crate) sources: Sources,
}

/// What tells the contents of a slot apart: a version where members share it at one
/// version, a member where they cannot share it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum SlotKey {
    Version(Version),
    Member(PackageName),
}

/// What several solves over the same facts, target and policy can share.
///
/// Counterfactuals ("what if this line were not there?") differ in a line; the universes
/// of the distributions stay the same.
#[derive(Debug, Default)]
pub struct Memo {
    universes: RefCell<BTreeMap<AdmissionKey, Rc<Universe>>>,
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
                .zip(rules.iter())
                .map(|(index, rule)| (rule.id.clone(), index))
                .collect(),
            virtuals: RefCell::default(),
            built: RefCell::default(),
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
        let mut merged = Merged::new(name, family, &found);
        let page = Page {
            files: std::mem::take(&mut merged.page.files),
            ..merged.page.clone()
        };
        let universe = self.of_page(&Arc::new(page), admission)?;
        Ok(universe.with_builds(rule, family, target, Some(merged)))
    }

    fn of_page(
        &self,
        page: &Arc<Page>,
        admission: &mut Admission<'_>,
    ) -> Result<Universe, SolveError> {
        let (target, rules) = (self.target(), self.rules());
        admission.variants = super::variants::grouped(page, target, rules, self.facts)
            .map_err(|error| fatal(&error))?;
        Universe::of_page(page, admission).map_err(|error| fatal(&error))
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
        let universe = self.universe(id)?;
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

    /// The builds of a member's family that the base has.
    pub(crate) fn builds_in_base(&self, universe: &Universe, out: &mut Vec<(Node, RankSet)>) {
        // What may be changed may be changed to another build.
        let builds = self.rules().on(&universe.name).iter().filter_map(|rule| {
            let labels = self.base_limits.builds(&rule.id)?;
            Some((Node::Label(self.rule_index(&rule.id)), labels.clone()))
        });
        out.extend(builds);
    }

    /// The slot contents that the base, and a member's own installed release, stand for.
    pub(crate) fn slots_in_base(&self, universe: &Universe, out: &mut Vec<(Node, RankSet)>) {
        for (slot, sharing) in self.slots_of(&universe.name) {
            let Some(rule) = self.rules().iter().nth(slot as usize) else {
                continue;
            };
            let members = self.base_limits.fills(&rule.id);
            if members.is_empty() {
                continue;
            }
            let installed = universe.installed.map(|rank| {
                let version = universe.versions[rank as usize].clone();
                (universe.name.clone(), version)
            });
            let mut slots = self.slots.borrow_mut();
            let keys = slots.entry(slot).or_default();
            let set =
                RankSet::from_ranks(members.iter().chain(&installed).map(|(name, version)| {
                    let key = match sharing {
                        Sharing::Never => SlotKey::Member(name.clone()),
                        _ => SlotKey::Version(version.clone()),
                    };
                    let next = Rank::try_from(keys.len()).unwrap_or(ABSENT - 1);
                    *keys.entry(key).or_insert(next)
                }));
            out.push((Node::Slot(slot), set));
        }
    }

    /// The slots that a distribution installs into and that forbid something.
    fn slots_of(&self, name: &PackageName) -> impl Iterator<Item = (u32, Sharing)> + '_ {
        self.rules()
            .on(name)
            .iter()
            .filter_map(|rule| match &rule.kind {
                RuleKind::Slot { sharing, .. } if *sharing != Sharing::Identical => {
                    Some((self.rule_index(&rule.id), *sharing))
                }
                _ => None,
            })
    }

    /// The slot contents that a set of a member's releases stands for.
    fn slot_set(&self, slot: u32, sharing: Sharing, universe: &Universe, set: &RankSet) -> RankSet {
        let mut slots = self.slots.borrow_mut();
        let keys = slots.entry(slot).or_default();
        let mut number = |key: SlotKey| {
            let next = Rank::try_from(keys.len()).unwrap_or(ABSENT - 1);
            *keys.entry(key).or_insert(next)
        };
        if sharing == Sharing::Never {
            return RankSet::singleton(number(SlotKey::Member(universe.name.clone())));
        }
        // Every version gets its number at first sight, so that a set met later is made
        // of the same numbers.
        let numbers: Vec<Rank> = universe
            .versions
            .iter()
            .map(|version| number(SlotKey::Version(version.clone())))
            .collect();
        RankSet::from_ranks(
            set.ranks_below(universe.len())
                .map(|rank| numbers[rank as usize]),
        )
    }

    /// What a release occupies: its own shadow, and its slots.
    pub(crate) fn occupies(
        &self,
        id: NameId,
        universe: &Universe,
        rank: Rank,
        out: &mut Vec<(Node, RankSet)>,
    ) {
        let own = RankSet::singleton(rank);
        for (slot, sharing) in self.slots_of(&universe.name) {
            out.push((
                Node::Slot(slot),
                self.slot_set(slot, sharing, universe, &own),
            ));
        }
        if self.has_shadow(&universe.name) {
            out.push((Node::Shadow(id), own));
        }
        if let Some((rule, labels)) = universe.labels(rank) {
            out.push((Node::Label(self.rule_index(&rule.id)), labels.clone()));
            self.brings(universe, rank, out);
        }
    }

    /// What the binaries of a release in its build bring.
    fn brings(&self, universe: &Universe, rank: Rank, out: &mut Vec<(Node, RankSet)>) {
        for (package, version) in self.brought_by(universe, rank) {
            let range = VirtualRange::Provides(version);
            out.push(self.lower_virtual(&VirtualEdge { package, range }));
        }
    }

    /// The virtual packages that the binaries of a release in its one build bring.
    pub(crate) fn brought_by(&self, universe: &Universe, rank: Rank) -> Vec<(String, Version)> {
        let Some((rule, labels)) = universe.labels(rank) else {
            return Vec::new();
        };
        let family = Family::of(rule);
        let label = labels.single().and_then(|number| family?.label(number));
        let (Some(family), Some(label)) = (family, label) else {
            return Vec::new();
        };
        let version = &universe.versions[rank as usize];
        family
            .binaries(&universe.name, version, &label.name, self.target())
            .flat_map(|binary| &binary.provides)
            .map(|(package, version)| (package.clone(), version.clone()))
            .collect()
    }

    /// What a build of a family brings, as solver terms.
    pub(crate) fn label_terms(&self, rule: u32, label: Rank) -> Vec<(Node, RankSet)> {
        let rule = self.rules().iter().nth(rule as usize);
        let label = rule.and_then(|rule| Family::of(rule)?.label(label));
        let provides = label.into_iter().flat_map(|label| &label.provides);
        provides
            .map(|(package, version)| {
                self.lower_virtual(&VirtualEdge {
                    package: package.clone(),
                    range: VirtualRange::Provides(version.clone()),
                })
            })
            .collect()
    }

    /// The number of a rule in this solve.
    pub(crate) fn rule_index(&self, id: &RuleId) -> u32 {
        self.rule_indexes.get(id).copied().unwrap_or(u32::MAX)
    }

    /// A virtual package as a solver term.
    pub(crate) fn lower_virtual(&self, edge: &VirtualEdge) -> (Node, RankSet) {
        let (index, _) = self.virtuals.borrow_mut().insert_full(edge.package.clone());
        let set = match &edge.range {
            VirtualRange::Needs(range) => virtuals::ordinals(range),
            VirtualRange::Provides(_) if self.sides == Sides::Several => RankSet::full(),
            VirtualRange::Provides(version) => virtuals::brought(version),
        };
        (Node::Virtual(u32::try_from(index).unwrap_or(u32::MAX)), set)
    }

    /// The name of a virtual package.
    pub(crate) fn virtual_name(&self, index: u32) -> String {
        self.virtuals
            .borrow()
            .get_index(index as usize)
            .cloned()
            .unwrap_or_default()
    }

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
                || self.is_built(id, candidate)
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

    fn is_built(&self, id: NameId, rank: Rank) -> bool {
        self.built.borrow().contains(&(id, rank))
    }

    /// Whether a release's metadata was had by running its build.
    pub(crate) fn was_built(&self, id: NameId, rank: Rank) -> bool {
        self.is_built(id, rank)
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
            Err(Failure::Unusable(Unusable::NeedsBuild)) if build != BuildPolicy::Never => {
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
            _ => Ok(metadata),
        }
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
                requires_dist: Vec::new(),
                provides_extras: Vec::new(),
                repairs: Vec::new(),
            })
        };
        let found = super::base::indexed_metadata(name, version, self.target(), self.facts)?;
        Ok(found.unwrap_or_else(unknown))
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
                let metadata = read(page, file).map_err(|error| match error {
                    FactError::Unusable(reason) => Failure::Unusable(reason),
                    other => Failure::Fatal(fatal(&other)),
                })?;
                let variant = universe.releases[rank as usize].variant.as_ref();
                let metadata = match variant.map(|variant| (&variant.label, variant)) {
                    Some((Some(label), variant)) => {
                        Arc::new(metadata.of_variant(label, &variant.properties))
                    }
                    _ => metadata,
                };
                Ok(match universe.built_against(rank) {
                    Some(dependency) => {
                        let mut with = (*metadata).clone();
                        with.requires_dist.push(dependency.clone());
                        Arc::new(with)
                    }
                    None => metadata,
                })
            }
        }
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
