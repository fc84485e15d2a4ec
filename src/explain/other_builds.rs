//! Builds that there are, where the one that is asked for is none of them.

use std::collections::BTreeSet;

use pep440_rs::Version;

use super::core::Core;
use super::fix::{Fix, Fixer};
use super::study::{Attempt, Study};
use crate::rules::{FamilyLabel, RuleKind};
use crate::solve::{Reason, eligible_builds};
use crate::target::{Accelerator, Build};

/// Options that ask for the builds nearest to the one that is asked for and is not there, or
/// does not suit; each was solved. Where there is none, the build for the processor.
pub(super) fn fixes(editor: &Fixer<'_, '_>, cores: &[Core]) -> Vec<Fix> {
    let is_asked = cores
        .iter()
        .flat_map(|core| &core.conflict.reasons)
        .any(|reason| matches!(reason, Reason::NoBuild { .. }));
    let accelerator = &editor.study.target.accelerator;
    let asked = match &accelerator.build {
        _ if !is_asked => None,
        Build::Cuda(version) => Some(version.clone()),
        Build::Label(label) => of_label(label),
        Build::Kind(_) | Build::Unstated => None,
    };
    let Some(asked) = asked else {
        return Vec::new();
    };
    let known = known(editor);
    let below = known.iter().rev().filter(|cuda| **cuda < asked);
    let above = known.iter().filter(|cuda| **cuda > asked);
    let nearest = [first_suiting(editor, below), first_suiting(editor, above)];
    let mut fixes: Vec<Fix> = nearest.into_iter().flatten().collect();
    if fixes.is_empty() {
        let processor = Build::Label("cpu".to_owned());
        fixes.extend(with(editor, processor, "--cuda cpu"));
    }
    fixes
}

/// The CUDA that a label is written for: `12.4` for `cu124`.
fn of_label(label: &str) -> Option<Version> {
    let digits = label.strip_prefix("cu")?;
    let (major, minor) = digits.split_at_checked(digits.len().checked_sub(1)?)?;
    let (major, minor): (u64, u64) = (major.parse().ok()?, minor.parse().ok()?);
    Some(Version::new([major, minor]))
}

/// The CUDA versions that builds are for.
fn known(editor: &Fixer<'_, '_>) -> BTreeSet<Version> {
    let families = editor.study.rules.families();
    families
        .filter_map(|rule| match &rule.kind {
            RuleKind::Family { labels, .. } => Some(labels),
            _ => None,
        })
        .flatten()
        .filter(|label: &&FamilyLabel| label.accelerator == "cuda")
        .filter_map(|label| label.provides.get("cuda").cloned())
        .collect()
}

fn first_suiting<'v>(
    editor: &Fixer<'_, '_>,
    mut versions: impl Iterator<Item = &'v Version>,
) -> Option<Fix> {
    let suits = |cuda: &&Version| {
        let trial = Build::Cuda((*cuda).clone());
        let mut target = editor.study.target.clone();
        target.accelerator.build = trial;
        let builds = eligible_builds(editor.study.rules, &target);
        builds.iter().any(|builds| !builds.labels.is_empty())
    };
    let cuda = versions.find(suits)?;
    with(editor, Build::Cuda(cuda.clone()), &format!("--cuda {cuda}"))
}

/// What another build gives, where that is a solution.
fn with(editor: &Fixer<'_, '_>, build: Build, option: &str) -> Option<Fix> {
    let mut target = editor.study.target.clone();
    target.accelerator = Accelerator {
        build,
        ..target.accelerator.clone()
    };
    // Another target makes other universes: nothing is shared with the study's.
    let study = Study::new(&target, editor.study.rules, editor.study.facts);
    let Attempt::Solved(solution) = study.attempt(editor.request) else {
        return None;
    };
    let lines = editor.request.requirements.iter();
    Some(Fix {
        edits: Vec::new(),
        adds: Vec::new(),
        options: vec![option.to_owned()],
        gives: editor.gives(lines.map(|line| &line.name).take(2), &solution),
        changes: None,
        cost: (1, 0, 1, 0),
    })
}
