//! Which release the solver will likely take first, so that it can be fetched beforehand.
//!
//! A guess decides what is asked for early, and never what is answered.

use pep440_rs::{Version, VersionSpecifier, VersionSpecifiers};

use crate::metadata::{
    Dependency, FileId, FileRow, Files, Page, ReleaseRows, Uploads, WheelName, wheel_of_shape,
};
use crate::request::Policy;
use crate::target::WheelOrder;
use crate::{ExtraName, Target, versions};

/// What guesses are made from.
#[derive(Debug, Clone)]
pub struct Guesses {
    /// What the lock is for.
    pub target: Target,
    /// What the user decided.
    pub policy: Policy,
}

impl Guesses {
    /// The wheel that stands for the newest release in range.
    pub fn first_wheel(&self, page: &Page, range: &VersionSpecifiers) -> Option<FileId> {
        let files = &page.files;
        if !self.policy.wheels.allows(&page.name) {
            return None;
        }
        let prereleases = self.admits_prereleases(page, range);
        let wheels: Vec<Option<WheelName>> = files.shapes().map(wheel_of_shape).collect();
        files
            .releases()
            .rev()
            .filter(|release| prereleases || !release.is_prerelease)
            .filter(|release| self.sees(page, release))
            .filter(|release| {
                let version = release.version.parse::<Version>();
                version.is_ok_and(|version| versions::contains(range, &version))
            })
            .find_map(|release| {
                let mut best: Option<(WheelOrder<'_>, FileId)> = None;
                for (id, row) in release.files().zip(files.class(release.class)) {
                    let wheel = usize::try_from(row.shape).ok();
                    let wheel = wheel.and_then(|shape| wheels.get(shape)?.as_ref());
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
