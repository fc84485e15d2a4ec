//! What single wheels say of a rule, on both sides of its bounds.

use pep440_rs::Version;
use serde::Serialize;

use super::boundary::{self, Platform, Release};
use super::probe::{Probe, Shown};
use super::runs;
use super::verify::Report;
use crate::RuleSet;
use crate::metadata::{File, Page};
use crate::rules::{Rule, RuleKind, When};
use crate::scan::NumpyAbi;

/// What the wheels say of a rule; the greater outweighs the lesser.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Verdict {
    Agree,
    /// Its binaries are NumPy 1 only, and its metadata or another rule keeps it from NumPy 2.
    BoundElsewhere,
    NotDecidable,
    Disagree,
}

/// What one wheel says of a rule.
#[derive(Debug, Serialize)]
pub(super) struct Check {
    pub(super) platform: &'static str,
    pub(super) version: String,
    /// Whether the rule speaks of it.
    pub(super) affected: bool,
    pub(super) verdict: Verdict,
    /// Whether a later release, which nothing keeps from NumPy 2, was looked at in its place.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) followed: bool,
    #[serde(flatten)]
    pub(super) shown: Shown,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) note: Option<&'static str>,
}

/// Holds the wheels on both sides of a rule's bounds against it, platform by platform.
pub(super) struct Checks<'a> {
    pub(super) rule: &'a Rule,
    pub(super) when: &'a When,
    pub(super) set: &'a RuleSet,
    pub(super) page: &'a Page,
    pub(super) probe: &'a Probe<'a>,
}

impl Checks<'_> {
    pub(super) fn all(&self, files: &[File], platforms: &[Platform], report: &mut Report) {
        for platform in platforms {
            let releases = boundary::releases(files, platform, &self.when.marker);
            for (release, affected) in boundary::sides(&releases, &self.when.versions) {
                let check = self.one(platform, &release, affected, report);
                let Some(mut check) = check else { continue };
                let after = (check.verdict == Verdict::BoundElsewhere)
                    .then(|| self.first_free(&releases, &release))
                    .flatten();
                // It may end another of the rule's ranges, and is looked at then anyway.
                let next = after.and_then(|after| self.one(platform, after, false, report));
                check.followed = next.is_some();
                report.checks.push(check);
                if let Some(next) = next
                    && !report.checks.iter().any(|check| check.is_of(&next))
                {
                    report.checks.push(next);
                }
            }
        }
    }

    fn one(
        &self,
        platform: &Platform,
        release: &Release<'_>,
        affected: bool,
        report: &mut Report,
    ) -> Option<Check> {
        let shown = self
            .probe
            .numpy(release)
            .map_err(|error| report.fail(&release.file.filename, &error))
            .ok()?;
        let (verdict, note) = judge(&shown, affected, || {
            if let Some(words) = runs::show(self.rule, release, affected) {
                Some((Verdict::Agree, words))
            } else if affected {
                None
            } else {
                let why = self.bound_elsewhere(release)?;
                Some((Verdict::BoundElsewhere, why))
            }
        });
        Some(Check {
            platform: platform.name,
            version: release.version.to_string(),
            affected,
            verdict,
            followed: false,
            shown,
            note,
        })
    }

    /// What keeps the release from NumPy 2 besides the rule; `None` where nothing does.
    fn bound_elsewhere(&self, release: &Release<'_>) -> Option<&'static str> {
        if is_bound_by_others(self.set, self.when, release) {
            Some("another rule speaks of it")
        } else {
            self.probe
                .declares_numpy1(self.page, release)
                .then_some("its metadata bounds NumPy itself")
        }
    }

    /// The first release after this one that the rule does not speak of and that nothing keeps
    /// from NumPy 2.
    fn first_free<'r, 'f>(
        &self,
        releases: &'r [Release<'f>],
        release: &Release<'_>,
    ) -> Option<&'r Release<'f>> {
        releases
            .iter()
            .filter(|later| later.version > release.version)
            .find(|later| {
                !self.when.versions.contains(later.version) && self.bound_elsewhere(later).is_none()
            })
    }
}

impl Check {
    /// Whether both are of one wheel on one platform.
    fn is_of(&self, other: &Self) -> bool {
        self.platform == other.platform && self.shown.file == other.shown.file
    }
}

/// Whether another rule keeps the release from NumPy 2, whatever its own bound is.
fn is_bound_by_others(set: &RuleSet, when: &When, release: &Release<'_>) -> bool {
    set.on(&when.package).iter().any(|rule| match &rule.kind {
        RuleKind::Constrain {
            when,
            package,
            versions,
            ..
        } => {
            package.as_ref() == "numpy"
                && !versions.contains(&Version::new([2, 0, 0]))
                && when.applies(release.version, &release.target.markers)
        }
        _ => false,
    })
}

/// What a wheel says of a rule. `else_known` says what is known otherwise, and what that makes of
/// it: a run's outcome, or what else keeps an unaffected release from NumPy 2.
fn judge(
    shown: &Shown,
    affected: bool,
    else_known: impl FnOnce() -> Option<(Verdict, &'static str)>,
) -> (Verdict, Option<&'static str>) {
    match (shown.abi, affected) {
        (NumpyAbi::Numpy1Only, true) | (NumpyAbi::Numpy2Capable | NumpyAbi::None, false) => {
            (Verdict::Agree, None)
        }
        (NumpyAbi::None, true) if !shown.binaries => {
            (Verdict::NotDecidable, Some("it has no binaries"))
        }
        (NumpyAbi::Numpy2Capable | NumpyAbi::None, true) => (Verdict::Disagree, None),
        (NumpyAbi::Undecided, _) => (Verdict::NotDecidable, None),
        (NumpyAbi::Numpy1Layout, _) | (NumpyAbi::Numpy1Only, false) => match else_known() {
            Some((verdict, note)) => (verdict, Some(note)),
            None if shown.abi == NumpyAbi::Numpy1Only => (Verdict::Disagree, None),
            None => (Verdict::NotDecidable, Some("only a run can tell")),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(abi: NumpyAbi, affected: bool, binaries: bool, bound: bool) -> Verdict {
        let shown = Shown {
            file: "demo-1.whl".to_owned(),
            sha256: None,
            abi,
            finding: String::new(),
            binaries,
        };
        let else_known = || bound.then_some((Verdict::BoundElsewhere, "bound"));
        judge(&shown, affected, else_known).0
    }

    #[test]
    fn wheels_on_the_right_side_agree() {
        use NumpyAbi::{None, Numpy1Layout, Numpy1Only, Numpy2Capable, Undecided};
        for (abi, affected, bound, verdict) in [
            (Numpy1Only, true, false, Verdict::Agree),
            (Numpy2Capable, false, false, Verdict::Agree),
            (None, false, false, Verdict::Agree),
            (Numpy2Capable, true, false, Verdict::Disagree),
            (None, true, false, Verdict::Disagree),
            (Numpy1Only, false, false, Verdict::Disagree),
            // Its metadata or another rule keeps it from NumPy 2.
            (Numpy1Only, false, true, Verdict::BoundElsewhere),
            (Numpy1Layout, false, true, Verdict::BoundElsewhere),
            (Numpy1Layout, false, false, Verdict::NotDecidable),
            (Numpy1Layout, true, false, Verdict::NotDecidable),
            (Numpy1Layout, true, true, Verdict::BoundElsewhere),
            (Undecided, true, false, Verdict::NotDecidable),
            (Undecided, false, false, Verdict::NotDecidable),
        ] {
            assert_eq!(
                judged(abi, affected, true, bound),
                verdict,
                "{abi:?} {affected}"
            );
        }
        assert_eq!(judged(None, true, false, false), Verdict::NotDecidable);
    }
}
