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
pub(super) const RUN: &str = "run: ";
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

/// Whether a recorded run of the release showed that it is affected, or that it is not. A run
/// stands for the release's wheels on all platforms.
pub(super) fn show(rule: &Rule, release: &Release<'_>, affected: bool) -> bool {
    let outcomes: &[&str] = if affected { &AFFECTED } else { &UNAFFECTED };
    rule.evidence.iter().any(|evidence| {
        let outcome = evidence.finding.strip_prefix(RUN);
        outcome.is_some_and(|outcome| outcomes.iter().any(|word| outcome.starts_with(word)))
            && version_of(&evidence.file).as_ref() == Some(release.version)
    })
}

/// The version in a wheel's file name.
fn version_of(file: &str) -> Option<Version> {
    Version::from_str(file.split('-').nth(1)?).ok()
}
