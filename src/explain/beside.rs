//! A release that there is not, and those beside it.

use std::collections::BTreeMap;

use pep440_rs::{Operator, Version, VersionSpecifier, VersionSpecifiers};
use pep508_rs::PackageName;

use super::bounds::with_specifiers;
use super::core::Core;
use super::fix::{Fix, Fixer};
use super::study::UserLine;
use crate::request::{Line, LineSource};
use crate::solve::{Reason, SolveError};
use crate::versions;

/// The last release below where a line's range lies, and the first above it; `None` where
/// releases are in the range.
pub(super) fn beside<'k>(
    line: &Line,
    known: &'k [Version],
) -> Option<(Option<&'k Version>, Option<&'k Version>)> {
    let LineSource::Specifiers(specifiers) = &line.source else {
        return None;
    };
    if known
        .iter()
        .any(|version| versions::contains(specifiers, version))
    {
        return None;
    }
    let least = specifiers.iter().map(VersionSpecifier::version).min()?;
    let at = known.partition_point(|version| version < least);
    let below = at.checked_sub(1).and_then(|below| known.get(below));
    Some((below, known.get(at)))
}

/// The one version that a line asks for, where it asks for no more: `1.26.5` of `==1.26.5`.
pub(super) fn pinned(line: &Line) -> Option<&Version> {
    match &line.source {
        LineSource::Specifiers(specifiers) => match &**specifiers {
            [one] if *one.operator() == Operator::Equal => Some(one.version()),
            _ => None,
        },
        LineSource::Direct(_) => None,
    }
}

/// That there is no release where a line asks for one, and which are beside it; `None` where
/// no line asks for what there is not.
pub(super) fn sentence<'l>(
    package: &PackageName,
    lines: impl Iterator<Item = &'l Line>,
    known: &[Version],
) -> Option<String> {
    let (line, (below, above)) = lines
        .filter(|line| line.name == *package)
        .find_map(|line| Some((line, beside(line, known)?)))?;
    let what = match pinned(line) {
        Some(version) => format!("there is no {package} {version}"),
        None => format!("there is no {package} in that range"),
    };
    let beside = match (below, above) {
        (Some(below), Some(above)) => {
            format!("the releases for this target beside it are {below} and {above}")
        }
        (Some(newest), None) => format!("the newest release for this target is {newest}"),
        (None, Some(oldest)) => format!("the oldest release for this target is {oldest}"),
        (None, None) => return None,
    };
    Some(format!("{what}: {beside}"))
}

/// Releases that there are not (`==1.26.5`), each replaced by the one below it, and by the one
/// above it.
pub(super) fn fixes(editor: &Fixer<'_, '_>, cores: &[Core]) -> Result<Vec<Fix>, SolveError> {
    let mut lower: BTreeMap<UserLine, Option<Line>> = BTreeMap::new();
    let mut upper: BTreeMap<UserLine, Option<Line>> = BTreeMap::new();
    for core in cores {
        let is_missing = |line: &Line| {
            core.conflict.reasons.iter().any(|reason| {
                matches!(reason, Reason::NoRelease { package, rejected }
                    if *package == line.name && rejected.is_empty())
            })
        };
        for place in &core.lines {
            let Some(line) = place.of(editor.request).filter(|line| is_missing(line)) else {
                continue;
            };
            if pinned(line).is_none_or(Version::is_local) {
                continue;
            }
            let known = editor.study.candidates(&line.name, editor.request)?;
            let (below, above) = beside(line, &known.versions).unwrap_or_default();
            for (edits, version) in [(&mut lower, below), (&mut upper, above)] {
                if let Some(version) = version {
                    edits.insert(*place, Some(at(line, version)));
                }
            }
        }
    }
    Ok([lower, upper]
        .into_iter()
        .filter(|edits| !edits.is_empty())
        .filter_map(|edits| editor.verified(&edits, (edits.len(), 0, 0, 0)))
        .collect())
}

fn at(line: &Line, version: &Version) -> Line {
    let exact = VersionSpecifier::equals_version(version.clone());
    with_specifiers(line, &VersionSpecifiers::from(exact))
}
