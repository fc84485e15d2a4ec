//! What it would take to meet a request that a base refuses.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr as _;
use std::sync::Arc;

use pep440_rs::{Version, VersionSpecifier, VersionSpecifiers};
use pep508_rs::{MarkerTree, PackageName};

use super::Study;
use super::study::Attempt;
use super::text;
use crate::metadata::{Dependency, DependencySource};
use crate::request::{Line, LineSource, Place, Request};
use crate::rules::RuleKind;
use crate::solve::{Edge, EdgeCause, Outcome, Reason, Solution, SolveError};

/// The packages of a base that must be allowed to change, and what becomes of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseRemedy {
    /// The packages to allow: the request was solved with exactly these. Where any one of them
    /// stays as it is, there is no solution, or another package falls back much further.
    pub allow: BTreeSet<PackageName>,
    /// Lines to add to the request, which keep packages from falling back much further.
    pub hold: Vec<String>,
    /// What would be changed.
    pub replaced: BTreeMap<PackageName, Replaced>,
}

/// A package of a base that would be changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replaced {
    /// The version that is installed; `None` where the base does not tell it.
    pub was: Option<Version>,
    /// The version in its place.
    pub now: Version,
    /// Who does not take the installed version: requirements, in words.
    pub because: Vec<String>,
}

/// What of a base it takes to change, for a request to have a solution; `None` where it has
/// one as it is, and where no change of the base gives it one.
///
/// # Errors
///
/// [`SolveError`] where facts could not be had.
pub fn base_remedy(study: &Study<'_>, request: &Request) -> Result<Option<BaseRemedy>, SolveError> {
    let given = &request.base.changeable;
    let mut needed = given.clone();
    // Each conflict names the packages in its way; setting them free shows the next one.
    while let Outcome::Unsolvable(conflict) = study.solve(&allowing(request, &needed))? {
        let before = needed.len();
        needed.extend(in_the_way(conflict.reasons));
        if needed.len() == before {
            return Ok(None);
        }
    }
    for name in needed.clone().difference(given) {
        let mut fewer = needed.clone();
        fewer.remove(name);
        if let Outcome::Solved(_) = study.solve(&allowing(request, &fewer))? {
            needed = fewer;
        }
    }
    if needed.len() == given.len() {
        return Ok(None);
    }
    let Outcome::Solved(solution) = study.solve(&allowing(request, &needed))? else {
        return Ok(None);
    };
    let mut found = Nearest {
        free: needed,
        request: request.clone(),
        solution,
    };
    found.look(study)?;
    let held = found.request.constraints.iter();
    Ok(Some(BaseRemedy {
        allow: found.free.difference(given).cloned().collect(),
        hold: held
            .skip(request.constraints.len())
            .map(|line| line.text.clone())
            .collect(),
        replaced: replaced(
            study,
            &found.solution,
            &allowing(&found.request, &found.free),
        ),
    }))
}

/// The most packages that are set free so that another one falls back less.
const MAX_COMPANIONS: usize = 3;

/// The most generations of a package that are tried.
const MAX_FLOORS: usize = 4;

/// What a series of releases that are meant to work alike has in common: the epoch and the
/// first number, and the second where the first is 0.
fn generation(version: &Version) -> (u64, u64, u64) {
    let number = |place: usize| version.release().get(place).copied().unwrap_or_default();
    let second = if number(0) == 0 { number(1) } else { 0 };
    (version.epoch(), number(0), second)
}

/// What it takes to meet a request, and what comes of it.
struct Nearest {
    free: BTreeSet<PackageName>,
    request: Request,
    solution: Box<Solution>,
}

impl Nearest {
    /// Sets further packages free where one that is free already then stays nearer to what is
    /// installed: changing the fewest packages may mean a release that is years older, from
    /// before it was pinned to its companion.
    fn look(&mut self, study: &Study<'_>) -> Result<(), SolveError> {
        let names: Vec<PackageName> = self.solution.replaced.keys().cloned().collect();
        for name in names {
            for floor in floors(study, &name, &self.solution)? {
                let held = above(&self.request, &name, &floor);
                let Some(free) = freed(study, &held, &self.free) else {
                    continue;
                };
                // The line is asked for only where there is no other way.
                for request in [self.request.clone(), held] {
                    if let Attempt::Solved(solution) = study.attempt(&allowing(&request, &free))
                        && is_nearer(&name, &solution, &self.solution)
                    {
                        *self = Self {
                            free,
                            request,
                            solution,
                        };
                        break;
                    }
                }
                break;
            }
        }
        Ok(())
    }
}

/// The first releases of the generations between what a package falls back to and what is
/// installed, newest first; none where it does not fall back.
fn floors(
    study: &Study<'_>,
    name: &PackageName,
    solution: &Solution,
) -> Result<Vec<Version>, SolveError> {
    let (Some(Some(was)), Some(chosen)) =
        (solution.replaced.get(name), solution.packages.get(name))
    else {
        return Ok(Vec::new());
    };
    let between = generation(&chosen.version)..=generation(was);
    let generations: BTreeSet<(u64, u64, u64)> = study
        .page(name)?
        .iter()
        .flat_map(|page| page.files.releases())
        .filter_map(|release| release.version.parse().ok())
        .map(|version| generation(&version))
        .filter(|generation| between.contains(generation) && generation != between.start())
        .collect();
    let first = |(epoch, first, second): &(u64, u64, u64)| {
        Version::new([*first, *second]).with_epoch(*epoch)
    };
    Ok(generations
        .iter()
        .rev()
        .take(MAX_FLOORS)
        .map(first)
        .collect())
}

/// The request, with a distribution held to releases from `floor` on.
fn above(request: &Request, name: &PackageName, floor: &Version) -> Request {
    let mut request = request.clone();
    let least = VersionSpecifier::greater_than_equal_version(floor.clone());
    request.constraints.push(Line {
        name: name.clone(),
        extras: Vec::new(),
        text: format!("{name}{least}"),
        source: LineSource::Specifiers(least.into()),
        marker: MarkerTree::TRUE,
        hashes: Vec::new(),
        place: Place {
            file: Arc::from("a line to add"),
            line: 1,
            column: 1,
        },
    });
    request
}

/// The smallest set with `free` in it under which the request has a solution, if few packages
/// more will do.
fn freed(
    study: &Study<'_>,
    request: &Request,
    free: &BTreeSet<PackageName>,
) -> Option<BTreeSet<PackageName>> {
    let mut wider = free.clone();
    loop {
        match study.attempt(&allowing(request, &wider)) {
            Attempt::Solved(_) => break,
            Attempt::Unbuilt(_) | Attempt::GaveUp => return None,
            Attempt::Unsolvable(conflict) => {
                let before = wider.len();
                wider.extend(in_the_way(conflict.reasons));
                if wider.len() == before {
                    return None;
                }
            }
        }
    }
    let added: Vec<PackageName> = wider.difference(free).cloned().collect();
    for name in added {
        let mut fewer = wider.clone();
        fewer.remove(&name);
        if let Attempt::Solved(_) = study.attempt(&allowing(request, &fewer)) {
            wider = fewer;
        }
    }
    (wider.len() <= free.len() + MAX_COMPANIONS).then_some(wider)
}

/// Whether a solution leaves a package in a newer generation than another one does, and no
/// package in an older one.
fn is_nearer(name: &PackageName, solution: &Solution, than: &Solution) -> bool {
    let now = |solution: &Solution, name: &PackageName| {
        let chosen = solution.packages.get(name);
        chosen.map(|chosen| generation(&chosen.version))
    };
    let was = |name: &PackageName, was: &Option<Version>| {
        now(than, name).or_else(|| was.as_ref().map(generation))
    };
    now(solution, name) > now(than, name)
        && solution
            .replaced
            .iter()
            .all(|(other, before)| now(solution, other) >= was(other, before))
}

/// The packages of the base that a conflict names.
fn in_the_way(reasons: Vec<Reason>) -> impl Iterator<Item = PackageName> {
    reasons.into_iter().filter_map(|reason| match reason {
        Reason::Installed { package, .. } => Some(package),
        _ => None,
    })
}

fn allowing(request: &Request, changeable: &BTreeSet<PackageName>) -> Request {
    let mut request = request.clone();
    Arc::make_mut(&mut request.base)
        .changeable
        .clone_from(changeable);
    request
}

fn replaced(
    study: &Study<'_>,
    solution: &Solution,
    request: &Request,
) -> BTreeMap<PackageName, Replaced> {
    let broken = |name: &PackageName| -> Vec<String> {
        // A package that nothing else asks to change cannot stay beside what does change.
        let metadata = request
            .base
            .packages
            .get(name)
            .and_then(|package| package.metadata.as_ref());
        let dependencies = metadata.into_iter().flat_map(|it| &it.requires_dist);
        // What the user's own lines move says more than what moves along with it.
        let is_asked = |dependency: &&Dependency| {
            let lines = |edge: &&Edge| matches!(edge.cause, EdgeCause::Line(_));
            let mut asked = solution.edges.iter().filter(lines);
            asked.any(|edge| edge.to == dependency.name)
        };
        let (first, then): (Vec<_>, Vec<_>) = dependencies.partition(is_asked);
        first
            .into_iter()
            .chain(then)
            .filter_map(|dependency| {
                let now = &solution.packages.get(&dependency.name)?.version;
                solution.replaced.get(&dependency.name)?;
                let DependencySource::Specifiers(specifiers) = &dependency.source else {
                    return None;
                };
                let range = crate::versions::display(specifiers);
                let wanted = text::requirement(&dependency.name, &range);
                (!crate::versions::contains(specifiers, now))
                    .then(|| format!("the installed one requires {wanted}"))
            })
            .collect()
    };
    let one = |(name, was): (&PackageName, &Option<Version>)| {
        let now = solution.packages.get(name)?.version.clone();
        let mut because: Vec<String> = was.as_ref().map_or_else(Vec::new, |was| {
            solution
                .edges
                .iter()
                .filter(|edge| edge.to == *name && refuses(edge, was))
                .filter_map(|edge| asker(edge, solution, request))
                .collect()
        });
        if because.is_empty() {
            because = broken(name);
            because.extend(was.iter().flat_map(|was| ruled(study, solution, name, was)));
        }
        let was = was.clone();
        Some((name.clone(), Replaced { was, now, because }))
    };
    solution.replaced.iter().filter_map(one).collect()
}

/// The rules by which the installed release cannot stay beside what is locked.
fn ruled(study: &Study<'_>, solution: &Solution, name: &PackageName, was: &Version) -> Vec<String> {
    let rules = study.rules.on(name).iter();
    rules
        .filter_map(|rule| {
            let RuleKind::Constrain {
                when,
                package,
                versions,
                ..
            } = &rule.kind
            else {
                return None;
            };
            let now = &solution.packages.get(package)?.version;
            (when.applies(was, &study.target.markers) && !versions.contains(now)).then(|| {
                format!(
                    "the installed one works with {package}{versions} only (rule {})",
                    rule.id
                )
            })
        })
        .collect()
}

fn refuses(edge: &Edge, version: &Version) -> bool {
    let ranges: Result<Vec<VersionSpecifiers>, _> = edge
        .range
        .split(" or ")
        .map(VersionSpecifiers::from_str)
        .collect();
    ranges.is_ok_and(|ranges| {
        !ranges
            .iter()
            .any(|range| crate::versions::contains(range, version))
    })
}

fn asker(edge: &Edge, solution: &Solution, request: &Request) -> Option<String> {
    let wanted = text::requirement(&edge.to, &edge.range);
    let release = |name: &PackageName| {
        let version = solution.packages.get(name).map(|chosen| &chosen.version);
        let version = version.or_else(|| request.base.packages.get(name)?.version.as_ref());
        version.map_or_else(|| name.to_string(), |version| format!("{name} {version}"))
    };
    Some(match &edge.cause {
        EdgeCause::Line(index) => format!(
            "{} asks for {wanted}",
            request.requirements.get(*index)?.place
        ),
        EdgeCause::Constraint(index) => {
            format!(
                "{} asks for {wanted}",
                request.constraints.get(*index)?.place
            )
        }
        EdgeCause::Package { name, .. } => format!("{} requires {wanted}", release(name)),
        EdgeCause::Rule { id, name } => format!("{} needs {wanted} (rule {id})", release(name)),
    })
}
