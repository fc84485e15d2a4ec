//! Inputs on which resolvers walk: how many releases are looked into, held to a bound.
//!
//! Counts are the same on every machine. Where one rises above its bound the solver walks;
//! where it falls below, lower the bound. None ends at an ancient release that merely forgot a
//! bound while another answer holds less back.

mod support;

use mlresolve::{Outcome, RuleSet, solve};
use support::ladders::{Ladder, all};
use support::{name, request, target};

/// By ladder: at most so many releases are looked into.
const KNOWN: [(&str, usize); 8] = [
    ("boto3 beside s3fs", 102),
    ("boto3 beside an old awscli", 386),
    ("boto3 beside urllib3 2", 5),
    ("numba beside numpy", 5),
    ("an ancient numba without a bound", 65),
    ("transformers with an old hub", 205),
    ("airflow with wide constraints", 176),
    ("autogluon beside an older torch", 46),
];

/// The looks, and how the answer differs from what it should be.
fn climb(ladder: &Ladder) -> (usize, Vec<String>) {
    let outcome = solve(
        &request(&ladder.lines),
        &target(),
        &RuleSet::default(),
        &ladder.toy,
    );
    let looks = ladder.toy.looks();
    let solution = match outcome {
        Ok(Outcome::Solved(solution)) => solution,
        other => return (looks, vec![format!("no answer: {other:?}")]),
    };
    let wrong = ladder.pins.iter().filter_map(|(package, version)| {
        let chosen = solution.packages.get(&name(package));
        let found = chosen.map(|chosen| chosen.version.to_string());
        (found.as_ref() != Some(version)).then(|| format!("{package} is {found:?}, not {version}"))
    });
    (looks, wrong.collect())
}

#[test]
fn ladders_are_climbed_within_their_bounds() {
    let mut told = Vec::new();
    for ladder in all() {
        let (_, bound) = KNOWN
            .into_iter()
            .find(|(name, _)| *name == ladder.name)
            .expect("each ladder is known");
        let (looks, wrong) = climb(&ladder);
        if looks > bound {
            told.push(format!(
                "{}: looked into {looks} of {} releases, at most {bound} are known",
                ladder.name, ladder.releases
            ));
        }
        told.extend(
            wrong
                .iter()
                .map(|wrong| format!("{}: {wrong}", ladder.name)),
        );
    }
    assert!(told.is_empty(), "{}", told.join("\n"));
}
