//! What it would take to meet a request that a base refuses.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr as _;
use std::sync::Arc;

use pep440_rs::{Version, VersionSpecifiers};
use pep508_rs::PackageName;

use super::Study;
use super::text;
use crate::metadata::DependencySource;
use crate::request::Request;
use crate::rules::RuleKind;
use crate::solve::{Edge, EdgeCause, Outcome, Reason, Solution, SolveError};

/// The packages of a base that must be allowed to change, and what becomes of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseRemedy {
    /// The packages to allow: the request was solved with exactly these, and has no solution
    /// where any one of them stays as it is.
    pub allow: BTreeSet<PackageName>,
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
        needed.extend(
            conflict
                .reasons
                .into_iter()
                .filter_map(|reason| match reason {
                    Reason::Installed { package, .. } => Some(package),
                    _ => None,
                }),
        );
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
    let allow: BTreeSet<PackageName> = needed.difference(given).cloned().collect();
    let asked = allowing(request, &needed);
    match study.solve(&asked)? {
        Outcome::Solved(solution) if !allow.is_empty() => Ok(Some(BaseRemedy {
            allow,
            replaced: replaced(study, &solution, &asked),
        })),
        _ => Ok(None),
    }
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
        dependencies
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
