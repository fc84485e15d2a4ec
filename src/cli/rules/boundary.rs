//! The releases on both sides of a rule's bounds, platform by platform.

use std::collections::BTreeMap;

use pep440_rs::Version;
use pep508_rs::MarkerTree;

use super::super::error::CliError;
use super::super::scan::wheel::best;
use super::super::session::declared;
use crate::metadata::{File, FileKind, Page};
use crate::rules::VersionRange;
use crate::solve::FactError;
use crate::target::Target;

/// The Pythons whose wheels are looked at, the preferred one first. NumPy 2 begins with 3.9.
const PYTHONS: [&str; 6] = ["3.11", "3.10", "3.12", "3.9", "3.13", "3.14"];

/// A platform whose wheels are looked at.
#[derive(Debug)]
pub(super) struct Platform {
    /// As the cases of rules name it.
    pub(super) name: &'static str,
    /// What a rule that speaks of it alone has as its marker.
    pub(super) marker: &'static str,
    /// One for each Python, the preferred one first.
    targets: Vec<Target>,
}

impl Platform {
    /// The platforms that a rule is checked on.
    pub(super) fn all() -> Result<Vec<Self>, CliError> {
        [
            (
                "linux",
                "x86_64-manylinux_2_39",
                "sys_platform == 'linux' and platform_machine == 'x86_64'",
            ),
            (
                "macos",
                "macosx_15_0_arm64",
                "sys_platform == 'darwin' and platform_machine == 'arm64'",
            ),
            ("windows", "win_amd64", "sys_platform == 'win32'"),
        ]
        .into_iter()
        .map(|(name, platform, marker)| {
            Ok(Self {
                name,
                marker,
                targets: PYTHONS
                    .iter()
                    .map(|python| declared(python, platform))
                    .collect::<Result<_, _>>()?,
            })
        })
        .collect()
    }
}

/// A release, by the one wheel that stands for it on a platform.
#[derive(Debug, Clone, Copy)]
pub(super) struct Release<'a> {
    pub(super) version: &'a Version,
    pub(super) file: &'a File,
    /// The target that the wheel was chosen for.
    pub(super) target: &'a Target,
}

/// The files of a page.
pub(super) fn files(page: &Page) -> Result<Vec<File>, CliError> {
    let unreadable = |error| CliError::from_fact(&FactError::unreadable(&page.name, error));
    page.files.all().map_err(unreadable)
}

/// The final releases that have a wheel on the platform for a Python that the marker admits,
/// the oldest first.
pub(super) fn releases<'a>(
    listed: &'a [File],
    platform: &'a Platform,
    marker: &MarkerTree,
) -> Vec<Release<'a>> {
    let mut files: BTreeMap<&Version, Vec<&File>> = BTreeMap::new();
    for file in listed {
        let is_wheel = matches!(file.kind, FileKind::Wheel(_));
        if is_wheel && file.yanked.is_none() && !file.version.any_prerelease() {
            files.entry(&file.version).or_default().push(file);
        }
    }
    let targets: Vec<&Target> = platform
        .targets
        .iter()
        .filter(|target| marker.evaluate(&target.markers, &[]))
        .collect();
    files
        .into_iter()
        .filter_map(|(version, files)| {
            targets.iter().find_map(|target| {
                Some(Release {
                    version,
                    file: best(&files, target)?,
                    target,
                })
            })
        })
        .collect()
}

/// Each release beside which the range begins or ends, and whether the range contains it;
/// the newest affected one where the range never ends.
pub(super) fn sides<'a>(
    releases: &[Release<'a>],
    affected: &VersionRange,
) -> Vec<(Release<'a>, bool)> {
    let flagged: Vec<(Release<'a>, bool)> = releases
        .iter()
        .map(|release| (*release, affected.contains(release.version)))
        .collect();
    let mut sides: Vec<(Release<'a>, bool)> = Vec::new();
    for (position, (release, is_affected)) in flagged.iter().enumerate() {
        let differs = |other: Option<&(Release<'a>, bool)>| {
            other.is_some_and(|(_, other)| other != is_affected)
        };
        let before = position.checked_sub(1).and_then(|at| flagged.get(at));
        let after = flagged.get(position + 1);
        let last = after.is_none() && *is_affected;
        if differs(before) || differs(after) || last {
            sides.push((*release, *is_affected));
        }
    }
    sides
}
