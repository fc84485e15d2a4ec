//! Which release the solver will likely take first, so that it can be fetched beforehand.
//!
//! A guess decides what is asked for early, and never what is answered.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use pep440_rs::{Version, VersionSpecifier, VersionSpecifiers};

use crate::metadata::{
    Dependency, FileId, FileRow, Files, Page, ReleaseRows, Uploads, WheelName, wheel_of_shape,
};
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
            .filter(|release| self.sees(page, release))
            .filter(|release| {
                let version = release.version.parse::<Version>();
                version.is_ok_and(|version| versions::contains(range, &version))
            })
            .filter_map(move |release| {
                let mut shapes = shapes.borrow_mut();
                for row in files.class(release.class) {
                    let wheel = || wheel_of_shape(files.shape(row.shape));
                    shapes.entry(row.shape).or_insert_with(wheel);
                }
                let mut best: Option<(WheelOrder<'_>, FileId)> = None;
                for (id, row) in release.files().zip(files.class(release.class)) {
                    let wheel = shapes.get(&row.shape).and_then(Option::as_ref);
                    let order = wheel.and_then(|wheel| self.target.wheel_order(wheel));
                    if let Some(order) = order
                        && best.as_ref().is_none_or(|(least, _)| order > *least)
                        && !row.is_yanked
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

    /// Whether the cut-off lets some file of a release be seen, or may do so.
    fn sees(&self, page: &Page, release: &ReleaseRows<'_>) -> bool {
        let Some(cut_off) = self.policy.exclude_newer else {
            return true;
        };
        let is_too_new = match release.uploads {
            Uploads::Between(earliest, _) => i128::from(earliest) >= cut_off.as_nanosecond(),
            Uploads::Unknown | Uploads::Partly => false,
        };
        !is_too_new || self.policy.exclude_newer_off.contains(&page.index)
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
