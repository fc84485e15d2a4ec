//! Upper bounds that later releases declare and earlier ones forgot.

use std::collections::BTreeMap;
use std::sync::Arc;

use pep440_rs::{Operator, Version, VersionSpecifiers};
use pep508_rs::{MarkerTree, PackageName};

use super::super::super::error::CliError;
use super::super::boundary::{Platform, Release, files, releases};
use super::proposal::{Case, Evidence, Proposal};
use crate::fetch::Registry;
use crate::metadata::{Dependency, DependencySource, Metadata, Page};
use crate::request::BuildPolicy;
use crate::solve::Facts as _;

/// So many of the newest releases are looked at.
const NEWEST: usize = 80;

/// A rule for each distribution that the releases up to one require without an upper bound,
/// and the next one with.
pub(in crate::cli::rules) fn proposals(
    page: &Page,
    platforms: &[Platform],
    registry: &Registry,
) -> Result<Vec<Proposal>, CliError> {
    let Some(platform) = platforms.first() else {
        return Ok(Vec::new());
    };
    let files = files(page)?;
    let all = releases(&files, platform, &MarkerTree::TRUE);
    let newest = all.len().saturating_sub(NEWEST);
    let mut found = BTreeMap::new();
    let mut before: Option<(Release<'_>, Arc<Metadata>)> = None;
    for release in all.into_iter().skip(newest) {
        let metadata = registry
            .metadata(page, release.file, BuildPolicy::Never)
            .map_err(|error| CliError::from_fact(&error))?;
        if let Some((old, old_metadata)) = &before {
            let required = required(old_metadata, old);
            for (name, bounds) in required_bounds(&metadata, &release) {
                let forgot = required
                    .iter()
                    .any(|(other, specifiers)| *other == name && upper(specifiers).is_none());
                if forgot {
                    // A later one that forgets it again has the last word.
                    found.insert(name.clone(), proposal(page, old, &release, name, &bounds));
                }
            }
        }
        before = Some((release, metadata));
    }
    Ok(found.into_values().collect())
}

/// What a release requires on the target without being asked for an extra.
fn required<'m>(
    metadata: &'m Metadata,
    release: &Release<'_>,
) -> Vec<(&'m PackageName, &'m VersionSpecifiers)> {
    let on_target =
        |dependency: &&Dependency| dependency.marker.evaluate(&release.target.markers, &[]);
    metadata
        .requires_dist
        .iter()
        .filter(on_target)
        .filter_map(|dependency| match &dependency.source {
            DependencySource::Specifiers(specifiers) => Some((&dependency.name, specifiers)),
            DependencySource::Url(_) => None,
        })
        .collect()
}

fn required_bounds<'m>(
    metadata: &'m Metadata,
    release: &Release<'_>,
) -> Vec<(&'m PackageName, Bound)> {
    required(metadata, release)
        .into_iter()
        .filter_map(|(name, specifiers)| Some((name, upper(specifiers)?)))
        .collect()
}

/// An upper bound, as written, and a version that is beyond it.
struct Bound {
    text: String,
    beyond: Version,
}

/// The upper bound; an exact pin is none that others could inherit.
fn upper(specifiers: &VersionSpecifiers) -> Option<Bound> {
    specifiers.iter().find_map(|specifier| {
        let version = specifier.version();
        let next = || {
            let mut release = version.release().to_vec();
            if let Some(last) = release.last_mut() {
                *last = last.saturating_add(1);
            }
            Version::new(release)
        };
        let beyond = match specifier.operator() {
            Operator::LessThan => version.clone(),
            Operator::LessThanEqual => next(),
            _ => return None,
        };
        Some(Bound {
            text: specifier.to_string(),
            beyond,
        })
    })
}

fn proposal(
    page: &Page,
    old: &Release<'_>,
    new: &Release<'_>,
    name: &PackageName,
    bound: &Bound,
) -> Proposal {
    let evidence = |release: &Release<'_>, finding: String| Evidence {
        file: release.file.filename.clone(),
        sha256: release.file.sha256().map(str::to_owned),
        finding,
    };
    let Bound { text, beyond } = bound;
    let case = |release: &Release<'_>| Case {
        have: [
            format!("{}=={}", page.name, release.version),
            format!("{name}=={beyond}"),
        ],
        platform: None,
    };
    Proposal {
        id: format!("{}/inherited-{name}", page.name),
        severity: "degrades",
        reason: format!(
            "{} {} declares `{name}{text}`; earlier releases forgot the bound.",
            page.name, new.version
        ),
        package: page.name.to_string(),
        version: format!("<{}", new.version),
        marker: None,
        then: (name.to_string(), text.clone()),
        inherited: true,
        evidence: vec![
            evidence(
                old,
                format!("METADATA requires `{name}` without an upper bound"),
            ),
            evidence(new, format!("METADATA requires `{name}{text}`")),
        ],
        hits: vec![case(old)],
        misses: vec![case(new)],
    }
}
