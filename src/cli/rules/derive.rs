//! `mlresolve rules derive`: rules proposed from a distribution's own releases.

pub(super) mod inherited;
pub(super) mod proposal;

use std::str::FromStr as _;

use pep440_rs::Version;
use pep508_rs::{MarkerTree, PackageName};

use super::super::args::{DeriveArgs, Format};
use super::super::error::{CliError, Exit};
use super::super::session::WheelSession;
use super::super::tell;
use super::boundary::{Platform, Release, files, releases};
use super::probe::{Probe, Shown};
use crate::metadata::Page;
use crate::scan::NumpyAbi;
use crate::solve::Facts as _;
use proposal::Proposal;

/// Of releases that do not tell by the oldest and newest of them, so many are looked at.
const SAMPLES: usize = 8;

/// Proposes rules; a person reviews them.
pub(super) fn run(args: &DeriveArgs) -> Result<Exit, CliError> {
    let name = PackageName::from_str(&args.name)
        .map_err(|_| CliError::usage(format!("`{}` is no name of a distribution", args.name)))?;
    let session = WheelSession::open(&args.wheels)?;
    let probe = Probe::new(session.registry()?);
    let page = probe
        .registry
        .page(&name)
        .map_err(|error| CliError::from_fact(&error))?;
    let platforms = Platform::all()?;
    let proposals = if args.inherited {
        inherited::proposals(&page, &platforms, probe.registry)?
    } else {
        numpy_abi(&page, &platforms, &probe)?
    };
    match args.format {
        Format::Text => {
            let mut texts: Vec<String> = proposals.iter().map(Proposal::text).collect();
            if texts.is_empty() {
                texts.push(format!(
                    "# {name}: no rule is needed by what was looked at\n"
                ));
            }
            if !args.inherited {
                texts.extend(undecided(&page, &platforms, &probe)?);
            }
            tell(&texts.join("\n"));
        }
        Format::Json => {
            for proposal in &proposals {
                let line = serde_json::to_string(proposal)
                    .map_err(|error| CliError::usage(error.to_string()))?;
                tell(&format!("{line}\n"));
            }
        }
    }
    Ok(Exit::Done)
}

/// The last release whose binaries are NumPy 1 only, and the one after it.
struct Bound<'a> {
    platform: &'a Platform,
    last: (Release<'a>, Shown),
    next: Option<(Release<'a>, Shown)>,
}

/// A rule for each bound: one without a marker where all platforms have the same.
pub(super) fn numpy_abi(
    page: &Page,
    platforms: &[Platform],
    probe: &Probe<'_>,
) -> Result<Vec<Proposal>, CliError> {
    let files = files(page)?;
    let mut bounds = Vec::new();
    let mut oldest_elsewhere = Vec::new();
    for platform in platforms {
        let releases = releases(&files, platform, &MarkerTree::TRUE);
        match bisect(platform, &releases, probe, is_numpy1_only)? {
            Some(bound) => bounds.push(bound),
            None => oldest_elsewhere.extend(releases.first().map(|release| release.version)),
        }
    }
    let version = |bound: &Bound<'_>| bound.next.as_ref().map(|(next, _)| next.version.clone());
    let alike = bounds
        .iter()
        .all(|bound| bounds.first().map(version) == Some(version(bound)));
    // A platform whose wheels all came later is not spoken of, and needs no exception.
    let is_later = |oldest: &&Version| bounds.iter().all(|bound| bound.last.0.version < *oldest);
    if alike && oldest_elsewhere.iter().all(is_later) {
        let all: Vec<&Bound<'_>> = bounds.iter().collect();
        return Ok(proposal::of_bounds(&page.name, &all, None)
            .into_iter()
            .collect());
    }
    Ok(bounds
        .iter()
        .filter_map(|bound| proposal::of_bounds(&page.name, &[bound], Some(bound.platform)))
        .collect())
}

/// A sentence for each platform whose binaries load beside NumPy 2 and read dtypes as NumPy 1
/// laid them out, up to a release that no rule proposed here reaches: what that breaks, only a
/// run can tell.
fn undecided(
    page: &Page,
    platforms: &[Platform],
    probe: &Probe<'_>,
) -> Result<Vec<String>, CliError> {
    let files = files(page)?;
    let mut told = Vec::new();
    for platform in platforms {
        let releases = releases(&files, platform, &MarkerTree::TRUE);
        let Some(Bound { last, next, .. }) = bisect(platform, &releases, probe, is_unfit)? else {
            continue;
        };
        if is_numpy1_only(last.1.abi) {
            continue;
        }
        let until = next.map_or_else(String::new, |(next, shown)| {
            format!("; {} is: {}", next.version, shown.finding)
        });
        told.push(format!(
            "# {} {} on {}: {}; run it beside NumPy 2{until}\n",
            page.name, last.0.version, platform.name, last.1.finding
        ));
    }
    Ok(told)
}

fn is_numpy1_only(abi: NumpyAbi) -> bool {
    abi == NumpyAbi::Numpy1Only
}

fn is_unfit(abi: NumpyAbi) -> bool {
    matches!(abi, NumpyAbi::Numpy1Only | NumpyAbi::Numpy1Layout)
}

/// Bisects the releases, in their order, by whether their binaries are as `unfit` says;
/// `None` where none was found to be.
fn bisect<'a>(
    platform: &'a Platform,
    releases: &[Release<'a>],
    probe: &Probe<'_>,
    unfit: fn(NumpyAbi) -> bool,
) -> Result<Option<Bound<'a>>, CliError> {
    let probed = |at: usize| -> Result<Option<(Release<'a>, Shown)>, CliError> {
        match releases.get(at) {
            Some(release) => Ok(Some((*release, probe.numpy(release)?))),
            None => Ok(None),
        }
    };
    let is_old = |probed: &Option<(Release<'a>, Shown)>| {
        probed.as_ref().is_some_and(|(_, shown)| unfit(shown.abi))
    };
    let Some(newest) = releases.len().checked_sub(1) else {
        return Ok(None);
    };
    let at_newest = probed(newest)?;
    if let (true, Some(last)) = (is_old(&at_newest), at_newest) {
        return Ok(Some(Bound {
            platform,
            last,
            next: None,
        }));
    }
    let mut affected = None;
    for sample in 0..SAMPLES {
        let at = newest * sample / SAMPLES;
        if is_old(&probed(at)?) {
            affected = Some(at);
            break;
        }
    }
    let Some(mut affected) = affected else {
        return Ok(None);
    };
    let mut unaffected = newest;
    while unaffected - affected > 1 {
        let middle = affected + (unaffected - affected) / 2;
        if is_old(&probed(middle)?) {
            affected = middle;
        } else {
            unaffected = middle;
        }
    }
    Ok(probed(affected)?.map(|last| Bound {
        platform,
        last,
        next: probed(unaffected).ok().flatten(),
    }))
}
