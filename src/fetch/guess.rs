//! Which release the solver will likely take first, so that it can be fetched beforehand.
//!
//! A guess decides what is asked for early, and never what is answered.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use pep440_rs::{Version, VersionSpecifier, VersionSpecifiers};

use crate::metadata::{Dependency, FileId, FileRow, Files, Page, WheelName, wheel_of_shape};
use crate::request::{Base, Policy};
use crate::target::WheelOrder;
use crate::{ExtraName, Target, versions};

/// What guesses are made from.
#[derive(Debug, Clone)]
pub struct Guesses {
    /// What the lock is for.
    pub target: Target,
    /// What the user decided.
    pub policy: Policy,
    /// What stays as it is, and is not asked for.
    pub base: Arc<Base>,
}

impl Guesses {
    /// The wheel that stands for the newest release in range.
    pub fn first_wheel(&self, page: &Page, range: &VersionSpecifiers) -> Option<FileId> {
        self.wheels(page, range).next()
    }

    /// The wheel that stands for each release in range, newest first.
    pub fn wheels<'g>(
        &'g self,
        page: &'g Page,
        range: &'g VersionSpecifiers,
    ) -> impl Iterator<Item = FileId> + 'g {
        let files = &page.files;
        let allowed = self.policy.wheels.allows(&page.name);
        let prereleases = self.admits_prereleases(page, range);
        // Most often the newest release serves, and its shapes are all that are looked at.
        let shapes: RefCell<BTreeMap<u32, Option<WheelName>>> = RefCell::default();
        files
            .releases()
            .rev()
            .filter(move |release| allowed && (prereleases || !release.is_prerelease))
            .filter(|release| {
                let version = release.version.parse::<Version>();
                version.is_ok_and(|version| versions::contains(range, &version))
            })
            .filter_map(move |release| {
                let mut shapes = shapes.borrow_mut();
                for row in release.files().filter_map(|id| files.row(id)) {
                    let wheel = || wheel_of_shape(files.shape(row.shape));
                    shapes.entry(row.shape).or_insert_with(wheel);
                }
                let mut best: Option<(WheelOrder<'_>, FileId)> = None;
                for id in release.files() {
                    let Some(row) = files.row(id) else { continue };
                    let wheel = shapes.get(&row.shape).and_then(Option::as_ref);
                    let order = wheel.and_then(|wheel| self.target.wheel_order(wheel));
                    if let Some(order) = order
                        && best.as_ref().is_none_or(|(least, _)| order > *least)
                        && self.sees(page, &row)
                        && self.admits_python(files, &row)
                    {
                        best = Some((order, id));
                    }
                }
                best.map(|(_, id)| id)
            })
    }

    /// Whether a dependency counts on the target, for one who asked for these extras.
    pub fn counts(&self, dependency: &Dependency, extras: &[ExtraName]) -> bool {
        dependency.marker.evaluate(&self.target.markers, extras)
    }

    fn sees(&self, page: &Page, row: &FileRow<'_>) -> bool {
        let too_new = self.policy.exclude_newer.is_some_and(|cut_off| {
            let uploaded = row.uploaded.map(i128::from);
            uploaded.is_some_and(|uploaded| uploaded >= cut_off.as_nanosecond())
        }) && !self.policy.exclude_newer_off.contains(&page.index);
        !too_new && !row.is_yanked
    }

    fn admits_python(&self, files: &Files, row: &FileRow<'_>) -> bool {
        row.python
            .and_then(|number| files.python(number).parse::<VersionSpecifiers>().ok())
            .is_none_or(|requires| self.target.admits_python(&requires))
    }

    fn admits_prereleases(&self, page: &Page, range: &VersionSpecifiers) -> bool {
        self.policy.prereleases
            || range.iter().any(VersionSpecifier::any_prerelease)
            || page.files.releases().all(|release| release.is_prerelease)
    }
}
