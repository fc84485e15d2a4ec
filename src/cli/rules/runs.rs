//! What a rule's evidence is: binaries, or runs (`run: fails beside numpy 2.0.2: …`).

use std::str::FromStr as _;

use pep440_rs::Version;

use super::boundary::Release;
use super::probe;
use crate::rules::Rule;
use crate::scan::NumpyAbi;

/// What a finding about binaries begins with.
const VERDICTS: [NumpyAbi; 5] = [
    NumpyAbi::None,
    NumpyAbi::Numpy2Capable,
    NumpyAbi::Undecided,
    NumpyAbi::Numpy1Layout,
    NumpyAbi::Numpy1Only,
];
/// How a finding begins that was made by running releases, and not by reading binaries.
const RUN: &str = "run: ";
/// The same, of a release for another platform whose binaries were built alike: it stands in for
/// wheels of a platform that could not be run on.
const RUN_ALIKE: &str = "run alike: ";
/// What follows where the run showed that the release is affected.
const AFFECTED: [&str; 2] = ["fails", "wrong"];
/// What follows where it showed that it is not.
const UNAFFECTED: [&str; 1] = ["works"];

/// Whether the rule's evidence is of another kind than what binaries were built for: runs, or
/// names in its sources. Of such a rule binaries say nothing.
pub(super) fn not_of_binaries(rule: &Rule) -> bool {
    let of_binaries = |finding: &str| {
        VERDICTS
            .iter()
            .any(|abi| finding.starts_with(probe::verdict(*abi)))
    };
    !rule.evidence.is_empty()
        && !rule
            .evidence
            .iter()
            .any(|evidence| of_binaries(&evidence.finding))
}

/// Whether a finding was made by running something.
pub(super) fn is_run(finding: &str) -> bool {
    outcome(finding).is_some()
}

/// What a run came to, and in which words a check tells of it.
fn outcome(finding: &str) -> Option<(&str, &'static str)> {
    let run = finding
        .strip_prefix(RUN)
        .map(|rest| (rest, "a run showed it"));
    run.or_else(|| {
        let rest = finding.strip_prefix(RUN_ALIKE)?;
        Some((rest, "a run of a wheel built alike showed it"))
    })
}

/// In which words a recorded run of the release showed that it is affected, or that it is not;
/// `None` where none did. A run stands for the release's wheels on all platforms.
pub(super) fn show(rule: &Rule, release: &Release<'_>, affected: bool) -> Option<&'static str> {
    let outcomes: &[&str] = if affected { &AFFECTED } else { &UNAFFECTED };
    rule.evidence.iter().find_map(|evidence| {
        let (outcome, words) = outcome(&evidence.finding)?;
        let told = outcomes.iter().any(|word| outcome.starts_with(word))
            && version_of(&evidence.file).as_ref() == Some(release.version);
        told.then_some(words)
    })
}

/// The version in a wheel's file name.
fn version_of(file: &str) -> Option<Version> {
    Version::from_str(file.split('-').nth(1)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_told_from_readings() {
        let of = |finding| outcome(finding).map(|(outcome, _)| outcome);
        assert_eq!(
            of("run: fails beside numpy 2"),
            Some("fails beside numpy 2")
        );
        assert_eq!(of("run alike: wrong"), Some("wrong"));
        assert_ne!(outcome("run: wrong"), outcome("run alike: wrong"));
        assert_eq!(of("running out"), None);
        assert!(is_run("run alike: wrong") && !is_run("NumPy 1 layout: x"));
    }
}
