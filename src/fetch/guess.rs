//! Which release the solver will likely take first, so that it can be fetched beforehand.
//!
//! A guess decides what is asked for early, and never what is answered.

use pep440_rs::{Version, VersionSpecifier, VersionSpecifiers};

use crate::metadata::{Dependency, File, FileKind, Page};
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
    pub fn first_wheel<'page>(
        &self,
        page: &'page Page,
        range: &VersionSpecifiers,
    ) -> Option<&'page File> {
        let prereleases = self.admits_prereleases(page, range);
        let mut best: Option<(&Version, WheelOrder<'_>, &File)> = None;
        for file in &page.files {
            // The cheapest questions come first: most files are of older releases.
            if best
                .as_ref()
                .is_some_and(|(version, ..)| file.version < **version)
                || file.version.any_prerelease() && !prereleases
            {
                continue;
            }
            let Some(order) = self.order(page, file) else {
                continue;
            };
            if best
                .as_ref()
                .is_none_or(|(version, least, _)| (&file.version, &order) > (*version, least))
                && versions::contains(range, &file.version)
                && self.admits_python(file)
            {
                best = Some((&file.version, order, file));
            }
        }
        best.map(|(.., file)| file)
    }

    /// Whether a dependency counts on the target, for one who asked for these extras.
    pub fn counts(&self, dependency: &Dependency, extras: &[ExtraName]) -> bool {
        dependency.marker.evaluate(&self.target.markers, extras)
    }

    fn order<'file>(&self, page: &Page, file: &'file File) -> Option<WheelOrder<'file>> {
        let FileKind::Wheel(wheel) = &file.kind else {
            return None;
        };
        let too_new =
            self.policy.exclude_newer.is_some_and(|cut_off| {
                file.upload_time.is_some_and(|uploaded| uploaded >= cut_off)
            }) && !self.policy.exclude_newer_off.contains(&page.index);
        if too_new || file.yanked.is_some() || !self.policy.wheels.allows(&page.name) {
            return None;
        }
        self.target.wheel_order(wheel)
    }

    fn admits_python(&self, file: &File) -> bool {
        file.requires_python
            .as_deref()
            .and_then(|requires| requires.parse::<VersionSpecifiers>().ok())
            .is_none_or(|requires| self.target.admits_python(&requires))
    }

    fn admits_prereleases(&self, page: &Page, range: &VersionSpecifiers) -> bool {
        self.policy.prereleases
            || range.iter().any(VersionSpecifier::any_prerelease)
            || page.files.iter().all(|file| file.version.any_prerelease())
    }
}
