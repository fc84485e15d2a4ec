//! What explanations say is true, tried on small random worlds.

mod support;

use std::collections::BTreeSet;

use mlresolve::explain::{Answer, Core, Diagnosis, Study, UserLine, diagnose, wanted, why_not};
use mlresolve::request::Request;
use mlresolve::rules::RuleId;
use mlresolve::solve::{Facts, Outcome, Reason, solve};
use mlresolve::{PackageName, RuleSet};
use proptest::prelude::*;
use support::worlds::{NAMES, World, text, wish, world};
use support::{Toy, line, target};

/// What takes part in a core and can be left out.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Line(usize),
    Rule(RuleId),
    Requirement(PackageName, PackageName),
}

fn parts(core: &Core) -> BTreeSet<Part> {
    let lines = core.lines.iter().filter_map(|line| match line {
        UserLine::Requirement(index) => Some(Part::Line(*index)),
        UserLine::Constraint(_) => None,
    });
    lines
        .chain(core.rules().into_iter().cloned().map(Part::Rule))
        .chain(
            core.requirements()
                .into_iter()
                .map(|(from, to)| Part::Requirement(from.clone(), to.clone())),
        )
        .collect()
}

/// Whether the world, reduced to these parts, has a solution.
fn solvable(world: &World, kept: &BTreeSet<Part>) -> bool {
    let mut request = world.request();
    let mut index = 0;
    request.requirements.retain(|_| {
        index += 1;
        kept.contains(&Part::Line(index - 1))
    });
    let all = world.rule_set();
    let left_out: Vec<RuleId> = all
        .iter()
        .map(|rule| rule.id.clone())
        .filter(|id| !kept.contains(&Part::Rule(id.clone())))
        .collect();
    let toy = world.toy_with(|from, to| {
        let (from, to) = (support::name(from), support::name(to));
        kept.contains(&Part::Requirement(from, to))
    });
    solves(&request, &all.without(&left_out), &toy)
}

fn solves(request: &Request, rules: &RuleSet, toy: &Toy) -> bool {
    matches!(
        solve(request, &target(), rules, toy).expect("toy facts never fail"),
        Outcome::Solved(_)
    )
}

fn diagnosis(world: &World) -> Option<Diagnosis> {
    let (target, rules, toy) = (target(), world.rule_set(), world.toy());
    let facts: &dyn Facts = &toy;
    let study = Study::new(&target, &rules, facts);
    diagnose(&study, &world.request()).expect("toy facts never fail")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_conflict_is_told_exactly_where_there_is_no_solution(world in world()) {
        prop_assert_eq!(diagnosis(&world).is_none(), world.solvable());
    }

    #[test]
    fn a_core_has_no_solution_and_has_one_without_any_part(world in world()) {
        let Some(found) = diagnosis(&world) else { return Ok(()) };
        prop_assert!(!found.conflicts.is_empty());
        for core in found.conflicts.iter().flatten() {
            let all = parts(core);
            prop_assert!(!solvable(&world, &all), "{all:?} has a solution");
            for part in &all {
                let mut fewer = all.clone();
                fewer.remove(part);
                prop_assert!(solvable(&world, &fewer), "{all:?} does not need {part:?}");
            }
        }
    }

    #[test]
    fn every_fix_solves(world in world()) {
        let Some(found) = diagnosis(&world) else { return Ok(()) };
        for fix in &found.fixes {
            let mut request = world.request();
            for edit in fix.edits.iter().rev() {
                let UserLine::Requirement(index) = edit.line else { continue };
                match &edit.now {
                    Some(now) => request.requirements[index] = line(now, 1),
                    None => { request.requirements.remove(index); }
                }
            }
            prop_assert!(fix.options.is_empty() && fix.adds.is_empty());
            prop_assert!(!fix.edits.is_empty());
            prop_assert!(solves(&request, &world.rule_set(), &world.toy()), "{fix:?}");
        }
    }

    #[test]
    fn conflicts_without_a_line_in_common_are_all_told(world in world()) {
        let Some(found) = diagnosis(&world) else { return Ok(()) };
        if found.complete {
            // Without the lines of every conflict that is told, none is left.
            let told: BTreeSet<usize> = found.conflicts.iter().flatten().flat_map(|core| &core.lines)
                .filter_map(|line| match line { UserLine::Requirement(index) => Some(*index), UserLine::Constraint(_) => None })
                .collect();
            let mut request = world.request();
            let mut index = 0;
            request.requirements.retain(|_| { index += 1; !told.contains(&(index - 1)) });
            prop_assert!(solves(&request, &world.rule_set(), &world.toy()));
        }
    }

    #[test]
    fn what_is_said_to_block_does(world in world(), wish in wish()) {
        let (target, rules, toy) = (target(), world.rule_set(), world.toy());
        let facts: &dyn Facts = &toy;
        let study = Study::new(&target, &rules, facts);
        let request = world.request();
        let Outcome::Solved(solution) = study.solve(&request).expect("toy facts never fail") else { return Ok(()) };
        let asked = text(wish);
        let demand = wanted(&support::dependency(&asked), &asked).expect("no direct reference");
        let answer = why_not(&demand, &study, &request, &solution).expect("toy facts never fail");
        let mut demanding = request.clone();
        demanding.requirements.push(line(&asked, 9));
        let possible = solves(&demanding, &rules, &toy);
        match &answer.answer {
            Answer::Met | Answer::Free(_) => prop_assert!(possible),
            Answer::Blocked { blockers, fixes, .. } => {
                prop_assert!(!possible);
                prop_assert!(!blockers.is_empty());
                for blocker in blockers {
                    // Its lines alone keep away what is asked for.
                    let lines: Vec<&str> = blocker.lines.iter().map(|(text, _)| text.as_str()).chain([asked.as_str()]).collect();
                    prop_assert!(!solves(&support::request(&lines), &rules, &toy), "{blocker:?}");
                    if let Some(free) = &blocker.first_free {
                        let release = format!("{}=={free}", blocker.package);
                        let together = support::request(&[asked.as_str(), release.as_str()]);
                        prop_assert!(solves(&together, &rules, &toy), "{release} blocks {asked}");
                    }
                }
                for fix in fixes {
                    let mut request = request.clone();
                    for edit in fix.edits.iter().rev() {
                        let UserLine::Requirement(index) = edit.line else { continue };
                        match &edit.now {
                            Some(now) => request.requirements[index] = line(now, 1),
                            None => { request.requirements.remove(index); }
                        }
                    }
                    request.requirements.extend(fix.adds.iter().map(|added| line(added, 9)));
                    match solve(&request, &target, &rules, &toy).expect("toy facts never fail") {
                        Outcome::Solved(found) => {
                            let chosen = found.packages.get(&support::name(NAMES[wish.0]));
                            let version = chosen.map(|chosen| chosen.version.clone());
                            prop_assert!(
                                version.is_some_and(|version| (wish.1..=wish.2).any(|number| version.to_string() == number.to_string())),
                                "{fix:?} does not give {asked}"
                            );
                        }
                        Outcome::Unsolvable(_) => prop_assert!(false, "{fix:?} does not solve"),
                    }
                }
            }
        }
    }
}

#[test]
fn a_core_names_the_requirements_that_matter() {
    let mut toy = Toy::default();
    toy.release("a", "1", &["b<2", "c"])
        .release("b", "1", &[])
        .release("b", "2", &[])
        .release("c", "1", &[]);
    let (target, rules) = (target(), RuleSet::default());
    let study = Study::new(&target, &rules, &toy);
    let request = support::request(&["a", "b>=2", "c"]);
    let found = diagnose(&study, &request)
        .expect("toy facts never fail")
        .expect("there is no solution");
    let core = &found.conflicts[0][0];
    assert_eq!(core.lines.len(), 2);
    assert!(core.conflict.reasons.iter().any(|reason| matches!(
        reason,
        Reason::Requires { package, to, .. } if package.as_ref() == "a" && to.as_ref() == "b"
    )));
}
