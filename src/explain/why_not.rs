//! What blocks a requirement that the lock does not meet, and what to change to meet it.

use std::collections::BTreeSet;

use pep440_rs::Version;
use pep508_rs::PackageName;

use super::bounds::{at_least, exactly};
use super::chain::versioned;
use super::core::{Core, core};
use super::diagnosis::{Diagnosis, diagnose_demand, refuted};
use super::fix::{Demand, Fix};
use super::sentence::{Sentence, Speaker};
use super::study::{Attempt, Study, UserLine, leave_out};
use super::text;
use super::why::question;
use crate::request::{Line, LineSource, Request};
use crate::rules::{Rule, RuleKind};
use crate::solve::{EdgeCause, Reason, Solution, SolveError, Warning};

/// How many distributions are named that do not block.
const MAX_CLEAR: usize = 8;

/// The answer to `why REQUIREMENT`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WhyNot {
    /// What was asked.
    pub demand: String,
    /// The one file that all lines of the request stand in.
    pub file: Option<String>,
    /// The distribution.
    pub name: PackageName,
    /// The version that the user's lines give now.
    pub now: Option<Version>,
    /// The answer.
    pub answer: Answer,
    /// Distributions that have to do with it and do not block, at their versions.
    pub clear: Vec<String>,
    /// Claims that evidence shows to be false, and that would have a reader believe
    /// otherwise.
    pub refuted: Vec<Claim>,
}

/// What the answer is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// What is locked meets it.
    Met,
    /// Nothing blocks it: what would change.
    Free(Vec<Change>),
    /// It is blocked.
    Blocked {
        /// By what; each was found by solving without it.
        blockers: Vec<Blocker>,
        /// What to change; each was solved.
        fixes: Vec<Fix>,
        /// Whether the search came to its end.
        complete: bool,
        /// As [`Diagnosis::unbuilt`].
        unbuilt: Vec<(PackageName, Version)>,
    },
}

/// A claim that is false.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The rule that refutes it.
    pub rule: String,
    /// Why it is false.
    pub reason: String,
    /// Where this is documented.
    pub source: Option<String>,
}

/// One thing that blocks a requirement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blocker {
    /// The distribution that blocks; the wanted one itself where a line of the user's does.
    pub package: PackageName,
    /// How it blocks, from the user's line on: a sentence for each step.
    pub steps: Vec<Sentence>,
    /// The user's lines that take part: text and place.
    pub lines: Vec<(String, String)>,
    /// The first release of it that does not block.
    pub first_free: Option<Version>,
    /// Whether the user's lines admit that release: where they do not, the line that
    /// stands against it, as `text (place)`.
    pub held_by: Option<String>,
}

/// One distribution that would be locked otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The distribution.
    pub name: PackageName,
    /// The version now; `None` where it would be new.
    pub before: Option<Version>,
    /// The version then; `None` where it would be gone.
    pub after: Option<Version>,
    /// The distribution on which that release states no bound, though newer ones state one that
    /// would not be kept.
    pub forgets: Option<PackageName>,
}

/// Answers `why REQUIREMENT`. `solution` is what the request gives now.
///
/// # Errors
///
/// [`SolveError`] where facts could not be had.
pub fn why_not(
    wanted: &Line,
    study: &Study<'_>,
    request: &Request,
    solution: &Solution,
) -> Result<WhyNot, SolveError> {
    let (demanding, demand) = Demand::add(request, wanted.clone());
    let now = solution
        .packages
        .get(&wanted.name)
        .map(|chosen| chosen.version.clone());
    let mut blocking: BTreeSet<PackageName> = BTreeSet::new();
    let answer = if demand.met(solution) {
        Answer::Met
    } else {
        match diagnose_demand(study, request, Some(wanted), Some(solution))? {
            None => Answer::Free(without_more(study, request, wanted, solution)),
            Some(diagnosis) => {
                let asking = Asking {
                    study,
                    request: &demanding,
                    demand: &demand,
                    solution,
                };
                let blockers = asking.blockers(&diagnosis)?;
                blocking.extend(blockers.iter().map(|blocker| blocker.package.clone()));
                Answer::Blocked {
                    blockers,
                    fixes: diagnosis.fixes,
                    complete: diagnosis.complete,
                    unbuilt: diagnosis.unbuilt,
                }
            }
        }
    };
    Ok(WhyNot {
        demand: wanted.text.clone(),
        file: text::only_file(request),
        name: wanted.name.clone(),
        now,
        clear: clear(study, request, solution, wanted, &blocking),
        refuted: claims(study, request, solution, wanted, &blocking)?,
        answer,
    })
}

/// The claims that speak against what is wanted, and are false: of distributions that do not
/// block it.
fn claims(
    study: &Study<'_>,
    request: &Request,
    solution: &Solution,
    wanted: &Line,
    blocking: &BTreeSet<PackageName>,
) -> Result<Vec<Claim>, SolveError> {
    let known = study.candidates(&wanted.name, request)?;
    Ok(refuted(study, solution, wanted, &known.versions)
        .into_iter()
        .filter(|rule| !rule.triggers().iter().any(|name| blocking.contains(*name)))
        .map(|rule| Claim {
            rule: rule.id.to_string(),
            reason: rule.reason.clone(),
            source: rule.sources.first().cloned(),
        })
        .collect())
}

/// What would change where the requirement is added, and no more than must.
fn without_more(
    study: &Study<'_>,
    request: &Request,
    wanted: &Line,
    solution: &Solution,
) -> Vec<Change> {
    let (mut asked, _) = Demand::add(request, wanted.clone());
    for (name, chosen) in &solution.packages {
        asked
            .pins
            .entry(name.clone())
            .or_insert_with(|| crate::request::Pin {
                version: chosen.version.clone(),
                hashes: Vec::new(),
            });
    }
    asked.pins.remove(&wanted.name);
    match study.attempt(&asked) {
        Attempt::Solved(other) => changed(solution, &other),
        _ => Vec::new(),
    }
}

/// What differs between two solutions, by name.
pub(super) fn changed(now: &Solution, then: &Solution) -> Vec<Change> {
    let names: BTreeSet<&PackageName> = now.packages.keys().chain(then.packages.keys()).collect();
    names
        .into_iter()
        .filter_map(|name| {
            let version = |solution: &Solution| {
                solution
                    .packages
                    .get(name)
                    .map(|chosen| chosen.version.clone())
            };
            let (before, after) = (version(now), version(then));
            (before != after).then(|| Change {
                name: name.clone(),
                before,
                after,
                forgets: forgets(name, then),
            })
        })
        .collect()
}

/// The distribution on which a release in a solution forgot a bound.
fn forgets(name: &PackageName, solution: &Solution) -> Option<PackageName> {
    solution.warnings.iter().find_map(|warning| match warning {
        Warning::ForgotBound { name: of, to, .. } if of == name => Some(to.clone()),
        _ => None,
    })
}

/// Distributions that have to do with the wanted one and do not block it: those whose
/// releases could be locked beside it, the user's own lines first.
fn clear(
    study: &Study<'_>,
    request: &Request,
    solution: &Solution,
    wanted: &Line,
    blocking: &BTreeSet<PackageName>,
) -> Vec<String> {
    let own: BTreeSet<&PackageName> = request.requirements.iter().map(|line| &line.name).collect();
    let mut related: Vec<&PackageName> = solution
        .packages
        .keys()
        .filter(|name| **name != wanted.name && !blocking.contains(*name))
        .filter(|name| concerns(study, solution, name, &wanted.name))
        .collect();
    related.sort_by_key(|name| (!own.contains(*name), (*name).clone()));
    let mut found = Vec::new();
    for name in related {
        if found.len() == MAX_CLEAR {
            break;
        }
        if let Some(chosen) = solution.packages.get(name)
            && goes_together(study, request, name, &chosen.version, wanted)
        {
            found.push(versioned(name, solution));
        }
    }
    found
}

/// Whether a distribution's metadata or a rule speaks of another one.
fn concerns(
    study: &Study<'_>,
    solution: &Solution,
    name: &PackageName,
    other: &PackageName,
) -> bool {
    let asks = solution.edges.iter().any(|edge| {
        edge.to == *other
            && matches!(&edge.cause, EdgeCause::Package { name: from, .. } if from == name)
    });
    asks || study.rules.iter().any(|rule| match &rule.kind {
        RuleKind::Constrain { when, package, .. }
        | RuleKind::Requires { when, package, .. }
        | RuleKind::Refuted { when, package, .. } => package == other && when.package == *name,
        _ => false,
    })
}

/// Whether one release of a distribution can be locked beside what is wanted, all else free.
fn goes_together(
    study: &Study<'_>,
    request: &Request,
    name: &PackageName,
    version: &Version,
    wanted: &Line,
) -> bool {
    let mut alone = request.clone();
    alone.pins.clear();
    for line in UserLine::all(request) {
        leave_out(&mut alone, line);
    }
    alone.requirements.push(wanted.clone());
    alone.requirements.push(question(
        name,
        exactly(version),
        format!("{name}=={version}"),
    ));
    matches!(study.attempt(&alone), Attempt::Solved(_))
}

/// One question about a request that has no solution.
struct Asking<'a, 'b> {
    study: &'a Study<'b>,
    /// The request with the demand.
    request: &'a Request,
    demand: &'a Demand,
    solution: &'a Solution,
}

impl Asking<'_, '_> {
    fn blockers(&self, diagnosis: &Diagnosis) -> Result<Vec<Blocker>, SolveError> {
        let speaker = Speaker {
            study: self.study,
            request: self.request,
        };
        let mut blockers: Vec<Blocker> = Vec::new();
        for core in diagnosis.conflicts.iter().flatten() {
            let package = self.blocker(core);
            let steps = speaker.sentences(core)?;
            let lines = self.lines(core);
            let mut blocker = Blocker {
                package: package.clone(),
                steps,
                lines,
                first_free: None,
                held_by: None,
            };
            if package != self.demand.line.name {
                blocker.first_free = self.first_free(&package)?;
                if let Some(free) = &blocker.first_free {
                    blocker.held_by = self.held_by(&package, free)?;
                }
            }
            if !blockers.contains(&blocker) {
                blockers.push(blocker);
            }
        }
        Ok(blockers)
    }

    /// Which distribution of a core blocks: that of the user's one line in it; where several
    /// lines or none take part, the one that limits what is wanted.
    fn blocker(&self, core: &Core) -> PackageName {
        let wanted = &self.demand.line.name;
        let mut own = core
            .lines
            .iter()
            .filter(|line| **line != UserLine::Requirement(self.demand.index))
            .filter_map(|line| line.of(self.request));
        if let (Some(line), None) = (own.next(), own.next()) {
            return line.name.clone();
        }
        let limits = |reason: &Reason| match reason {
            Reason::Requires { package, to, .. } if to == wanted => Some(package.clone()),
            Reason::Rule { id, package, .. } => {
                let rule: &Rule = self.study.rules.get(&id.0)?;
                match &rule.kind {
                    RuleKind::Constrain { package: to, .. }
                    | RuleKind::Requires { package: to, .. }
                        if to == wanted =>
                    {
                        Some(package.clone())
                    }
                    _ => None,
                }
            }
            _ => None,
        };
        core.conflict
            .reasons
            .iter()
            .find_map(limits)
            .unwrap_or_else(|| wanted.clone())
    }

    fn lines(&self, core: &Core) -> Vec<(String, String)> {
        core.lines
            .iter()
            .filter(|line| **line != UserLine::Requirement(self.demand.index))
            .filter_map(|line| line.of(self.request))
            .map(|line| (line.text.clone(), line.place.to_string()))
            .collect()
    }

    /// The first release of a blocker, above the one that is there, that can be locked
    /// beside what is wanted.
    fn first_free(&self, package: &PackageName) -> Result<Option<Version>, SolveError> {
        let known = self.study.candidates(package, self.request)?;
        let known = &known.versions;
        let from = match self.solution.packages.get(package) {
            Some(chosen) => known.partition_point(|version| *version <= chosen.version),
            None => 0,
        };
        let works = |index: usize| match known.get(index) {
            Some(version) => goes_together(
                self.study,
                self.request,
                package,
                version,
                &self.demand.line,
            ),
            None => false,
        };
        let Some(last) = known.len().checked_sub(1) else {
            return Ok(None);
        };
        if from > last || !works(last) {
            return Ok(None);
        }
        let (mut low, mut high) = (from, last);
        while low < high {
            let middle = low + (high - low) / 2;
            if works(middle) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        Ok(known.get(high).cloned())
    }

    /// The line of the user's that does not admit a release of a distribution or a later
    /// one; `None` where all do.
    fn held_by(&self, package: &PackageName, free: &Version) -> Result<Option<String>, SolveError> {
        let known = self.study.candidates(package, self.request)?;
        let mut request = self.request.clone();
        leave_out(&mut request, UserLine::Requirement(self.demand.index));
        let specifiers = at_least(free, &known.versions);
        let text = format!("{package}>={free}");
        let (raised, raise) = Demand::add(&request, question(package, specifiers, text));
        let Attempt::Unsolvable(conflict) = self.study.attempt(&raised) else {
            return Ok(None);
        };
        let Some(core) = core(self.study, &raised, &conflict) else {
            return Ok(None);
        };
        let lines: Vec<String> = core
            .lines
            .iter()
            .filter(|line| **line != UserLine::Requirement(raise.index))
            .filter_map(|line| line.of(&raised))
            .map(|line| format!("`{}` ({})", line.text, line.place))
            .collect();
        Ok((!lines.is_empty()).then(|| text::list(&lines)))
    }
}

/// The requirement as a line, from a PEP 508 text; `None` where it is a direct reference.
pub fn wanted(dependency: &crate::metadata::Dependency, text: &str) -> Option<Line> {
    let crate::metadata::DependencySource::Specifiers(specifiers) = &dependency.source else {
        return None;
    };
    let mut line = question(&dependency.name, specifiers.clone(), text.to_owned());
    line.extras.clone_from(&dependency.extras);
    line.marker.clone_from(&dependency.marker);
    debug_assert!(matches!(line.source, LineSource::Specifiers(_)));
    Some(line)
}
