//! The smallest part of a request that has no solution: what a reader must know, and no more.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use pep508_rs::PackageName;

use super::limited::Kept;
use super::study::{Attempt, MetadataEdge, Study, UserLine, lines_of, only};
use crate::request::Request;
use crate::rules::RuleId;
use crate::solve::{Conflict, Reason};

/// How many other proofs are looked for, each without the part of the last one that lies
/// farthest from the user's lines.
const MAX_OTHERS: usize = 8;

/// How many rules that are no part of a core may have to be kept out to try one part of it.
const MAX_FOREIGN: usize = 8;

/// How often metadata may be read to try the parts of one core: a chain of thousands of requirements is
/// told as it was found, not tried link by link.
const MAX_READS: u64 = 50_000;

/// A minimal conflict: lines of the user's, rules and requirements of metadata that cannot
/// hold together, and can when any one of them is left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Core {
    /// The lines of the user's, sorted.
    pub lines: BTreeSet<UserLine>,
    /// Everything that takes part, the lines too.
    pub conflict: Conflict,
}

impl Core {
    /// The rules that take part.
    pub fn rules(&self) -> BTreeSet<&RuleId> {
        self.conflict
            .reasons
            .iter()
            .filter_map(|reason| match reason {
                Reason::Rule { id, .. } | Reason::Slot { id, .. } => Some(id),
                _ => None,
            })
            .collect()
    }

    /// The requirements of metadata that take part: who asks, and for what.
    pub fn requirements(&self) -> BTreeSet<(&PackageName, &PackageName)> {
        self.conflict
            .reasons
            .iter()
            .filter_map(|reason| match reason {
                Reason::Requires { package, to, .. } => Some((package, to)),
                _ => None,
            })
            .collect()
    }
}

/// A minimal core of a request that has no solution; `None` where too much work was needed
/// to know that there is none.
///
/// Of several, one with few steps from the user's lines: a direct requirement is told rather
/// than a detour that says the same.
pub(super) fn core(study: &Study<'_>, request: &Request, conflict: &Conflict) -> Option<Core> {
    let mut search = Search {
        study,
        request,
        lines: lines_of(conflict),
        until: u64::MAX,
    };
    let nothing = Parts::default();
    let mut found = search.without(&search.lines, &nothing);
    if found.is_none() {
        // The derivation leaned on more than it named: start from everything.
        search.lines = UserLine::all(request).into_iter().collect();
        found = search.without(&search.lines, &nothing);
    }
    let mut found = found?;
    for line in search.lines.clone() {
        let mut fewer = search.lines.clone();
        fewer.remove(&line);
        if let Some(conflict) = search.without(&fewer, &nothing) {
            search.lines = fewer;
            found = conflict;
        }
    }
    search.until = study.reads().saturating_add(MAX_READS);
    let smallest = search.shrunk(found, &nothing);
    let conflict = search.nearer(smallest);
    Some(Core {
        lines: search.lines,
        conflict,
    })
}

/// What takes part in a conflict beside lines, and can be left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Parts {
    rules: BTreeSet<RuleId>,
    requirements: BTreeSet<MetadataEdge>,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Requirement(MetadataEdge),
    Rule(RuleId),
}

impl Parts {
    fn of(conflict: &Conflict) -> Self {
        let mut parts = Self::default();
        for reason in &conflict.reasons {
            match reason {
                Reason::Rule { id, .. } | Reason::Slot { id, .. } => {
                    parts.rules.insert(id.clone());
                }
                Reason::Requires { package, to, .. } => {
                    parts.requirements.insert((package.clone(), to.clone()));
                }
                _ => {}
            }
        }
        parts
    }

    fn contains(&self, part: &Part) -> bool {
        match part {
            Part::Requirement(edge) => self.requirements.contains(edge),
            Part::Rule(id) => self.rules.contains(id),
        }
    }

    fn remove(&mut self, part: &Part) -> bool {
        match part {
            Part::Requirement(edge) => self.requirements.remove(edge),
            Part::Rule(id) => self.rules.remove(id),
        }
    }

    fn insert(&mut self, part: Part) {
        match part {
            Part::Requirement(edge) => self.requirements.insert(edge),
            Part::Rule(id) => self.rules.insert(id),
        };
    }
}

struct Search<'a, 'b> {
    study: &'a Study<'b>,
    request: &'a Request,
    /// The lines of the core.
    lines: BTreeSet<UserLine>,
    /// After how many reads of the study's no further part is tried.
    until: u64,
}

impl Search<'_, '_> {
    fn spent(&self) -> bool {
        self.study.reads() > self.until
    }

    /// The conflict of these lines without some parts, where there is one.
    fn without(&self, lines: &BTreeSet<UserLine>, parts: &Parts) -> Option<Conflict> {
        let kept = Kept::AllBut(parts.requirements.clone());
        self.conflict(lines, &parts.rules, &kept)
    }

    fn conflict(
        &self,
        lines: &BTreeSet<UserLine>,
        without: &BTreeSet<RuleId>,
        kept: &Kept,
    ) -> Option<Conflict> {
        let part = only(self.request, lines);
        let without: Vec<RuleId> = without.iter().cloned().collect();
        let rules = self.study.rules.without(&without);
        match self.study.attempt_with(&part, &rules, kept) {
            Attempt::Unsolvable(conflict) => Some(*conflict),
            _ => None,
        }
    }

    /// The conflict of the core's lines with these parts only, where there is one.
    fn within(&self, parts: &Parts, gone: &BTreeSet<RuleId>) -> Option<Conflict> {
        let kept = Kept::Only(parts.requirements.clone());
        let mut gone = gone.clone();
        for _ in 0..MAX_FOREIGN {
            let conflict = self.conflict(&self.lines, &gone, &kept)?;
            let found = Parts::of(&conflict);
            let foreign: Vec<RuleId> = found.rules.difference(&parts.rules).cloned().collect();
            if foreign.is_empty() {
                return Some(conflict);
            }
            gone.extend(foreign);
        }
        None
    }

    /// A conflict none of whose parts can be left out, of those that `conflict` has; `gone`
    /// are parts that were left out to find it.
    fn shrunk(&self, conflict: Conflict, gone: &Parts) -> Conflict {
        let Some(mut smallest) = self.within(&Parts::of(&conflict), &gone.rules) else {
            // The derivation leaned on requirements that it does not name.
            return self.shrunk_from_all(conflict, gone);
        };
        let mut needed: BTreeSet<Part> = BTreeSet::new();
        while let Some(part) = self.farthest(&smallest, &needed) {
            if self.spent() {
                break;
            }
            let mut fewer = Parts::of(&smallest);
            fewer.remove(&part);
            let mut gone = gone.rules.clone();
            if let Part::Rule(id) = &part {
                gone.insert(id.clone());
            }
            match self.within(&fewer, &gone) {
                Some(conflict) if !Parts::of(&conflict).contains(&part) => smallest = conflict,
                _ => {
                    needed.insert(part);
                }
            }
        }
        smallest
    }

    /// The same, with all that the conflict does not name in force: each proof may lean on
    /// other parts than the one before it, and all that the last one names were tried.
    fn shrunk_from_all(&self, conflict: Conflict, gone: &Parts) -> Conflict {
        let (mut smallest, mut gone) = (conflict, gone.clone());
        let mut needed: BTreeSet<Part> = BTreeSet::new();
        while let Some(part) = self.farthest(&smallest, &needed) {
            if self.spent() {
                break;
            }
            gone.insert(part.clone());
            match self.without(&self.lines, &gone) {
                Some(conflict) if !Parts::of(&conflict).contains(&part) => smallest = conflict,
                _ => {
                    gone.remove(&part);
                    needed.insert(part);
                }
            }
        }
        smallest
    }

    /// The nearest conflict to the user's lines that is found by leaving out, again and again,
    /// what lies farthest from them.
    fn nearer(&self, conflict: Conflict) -> Conflict {
        let mut best = conflict.clone();
        let mut last = conflict;
        let mut gone = Parts::default();
        let mut needed: BTreeSet<Part> = BTreeSet::new();
        for _ in 0..MAX_OTHERS {
            // One step cannot be fewer.
            if steps(&last).0 <= 1 || self.spent() {
                break;
            }
            let Some(part) = self.farthest(&last, &needed) else {
                break;
            };
            gone.insert(part.clone());
            let Some(other) = self.without(&self.lines, &gone) else {
                gone.remove(&part);
                needed.insert(part);
                continue;
            };
            if Parts::of(&other).contains(&part) {
                break;
            }
            last = self.shrunk(other, &gone);
            if steps(&last) < steps(&best) {
                best = last.clone();
            }
        }
        best
    }

    /// The part that lies farthest from the user's lines, beside some.
    fn farthest(&self, conflict: &Conflict, beside: &BTreeSet<Part>) -> Option<Part> {
        let depths = self.depths(conflict);
        let depth = |name: &PackageName| depths.get(name).copied().unwrap_or(usize::MAX);
        let mut farthest: Option<(usize, Part)> = None;
        for reason in &conflict.reasons {
            let (part, depth) = match reason {
                Reason::Requires { package, to, .. } => {
                    let edge = (package.clone(), to.clone());
                    (Part::Requirement(edge), depth(package))
                }
                Reason::Rule { id, package, .. } | Reason::Slot { id, package, .. } => {
                    (Part::Rule(id.clone()), depth(package))
                }
                _ => continue,
            };
            let is_farther = farthest
                .as_ref()
                .is_none_or(|(known, other)| depth > *known || depth == *known && part < *other);
            if is_farther && !beside.contains(&part) {
                farthest = Some((depth, part));
            }
        }
        farthest.map(|(_, part)| part)
    }

    /// How many requirements lie between the user's lines and a distribution.
    fn depths<'c>(&self, conflict: &'c Conflict) -> BTreeMap<&'c PackageName, usize> {
        let mut asked: BTreeMap<&PackageName, Vec<&PackageName>> = BTreeMap::new();
        for reason in &conflict.reasons {
            if let Reason::Requires { package, to, .. } = reason {
                asked.entry(package).or_default().push(to);
            }
        }
        let named: BTreeSet<&PackageName> = self
            .lines
            .iter()
            .filter_map(|line| Some(&line.of(self.request)?.name))
            .collect();
        let mut depths: BTreeMap<&PackageName, usize> = BTreeMap::new();
        let mut waiting: VecDeque<(&PackageName, usize)> = VecDeque::new();
        for reason in &conflict.reasons {
            if let Reason::Requires { package, .. }
            | Reason::Rule { package, .. }
            | Reason::Slot { package, .. } = reason
                && named.contains(package)
            {
                waiting.push_back((package, 0));
            }
        }
        while let Some((name, depth)) = waiting.pop_front() {
            if depths.contains_key(name) {
                continue;
            }
            depths.insert(name, depth);
            for to in asked.get(name).into_iter().flatten() {
                waiting.push_back((to, depth + 1));
            }
        }
        depths
    }
}

/// How many things there are to tell beside the lines, and how many of them are rules, which
/// take more words.
fn steps(conflict: &Conflict) -> (usize, usize) {
    let parts = Parts::of(conflict);
    let others = conflict.reasons.iter().filter(|reason| {
        !matches!(
            reason,
            Reason::Line(_)
                | Reason::Constraint(_)
                | Reason::Requires { .. }
                | Reason::Rule { .. }
                | Reason::Slot { .. }
        )
    });
    let rules = parts.rules.len();
    (parts.requirements.len() + rules + others.count(), rules)
}
