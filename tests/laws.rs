//! Laws that hold for every world, tried on small random ones and against brute force.

mod support;

use std::collections::BTreeMap;

use mlresolve::solve::{Outcome, Solution, solve};
use pep440_rs::Version;
use proptest::prelude::*;
use support::worlds::{NAMES, Wish, World, world};
use support::{specifiers, target};

fn outcome(world: &World) -> Outcome {
    solve(&world.request(), &target(), &world.rule_set(), &world.toy())
        .expect("toy facts never fail")
}

fn versions(solution: &Solution) -> BTreeMap<String, Version> {
    solution
        .packages
        .iter()
        .map(|(name, chosen)| (name.to_string(), chosen.version.clone()))
        .collect()
}

fn within(found: &BTreeMap<String, Version>, wish: Wish) -> bool {
    found.get(NAMES[wish.0]).is_some_and(|found| {
        mlresolve::versions::contains(&specifiers(&format!(">={},<={}", wish.1, wish.2)), found)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_solution_exists_exactly_where_brute_force_finds_one(world in world()) {
        let solved = matches!(outcome(&world), Outcome::Solved(_));
        prop_assert_eq!(solved, world.solvable());
    }

    #[test]
    fn a_solution_meets_every_requirement_and_breaks_no_rule(world in world()) {
        if let Outcome::Solved(solution) = outcome(&world) {
            let found = versions(&solution);
            for line in &world.lines {
                prop_assert!(within(&found, *line));
            }
            for (package, version) in &found {
                let index = NAMES.iter().position(|name| name == package).expect("a known name");
                let number = usize::try_from(version.release()[0]).expect("a small number");
                for wish in &world.releases[index][number - 1] {
                    prop_assert!(wish.0 == index || within(&found, *wish));
                }
            }
            for (when, then) in world.kept_rules() {
                let triggered = found.contains_key(NAMES[when.0]) && within(&found, when);
                prop_assert!(!triggered || !found.contains_key(NAMES[then.0]) || within(&found, then));
            }
        }
    }

    #[test]
    fn the_order_of_lines_changes_nothing(world in world(), seed in any::<u64>()) {
        let mut shuffled = world.clone();
        let mut state = seed | 1;
        for index in (1..shuffled.lines.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            shuffled.lines.swap(index, usize::try_from(state >> 33).expect("32 bits") % (index + 1));
        }
        match (outcome(&world), outcome(&shuffled)) {
            (Outcome::Solved(a), Outcome::Solved(b)) => prop_assert_eq!(versions(&a), versions(&b)),
            (Outcome::Unsolvable(_), Outcome::Unsolvable(_)) => {}
            _ => prop_assert!(false, "one order solves and the other does not"),
        }
    }

    #[test]
    fn dropping_a_line_cannot_unsolve(world in world()) {
        if matches!(outcome(&world), Outcome::Solved(_)) {
            for index in 0..world.lines.len() {
                let mut fewer = world.clone();
                fewer.lines.remove(index);
                prop_assert!(matches!(outcome(&fewer), Outcome::Solved(_)));
            }
        }
    }

    #[test]
    fn locking_again_with_the_pins_gives_the_same(world in world()) {
        if let Outcome::Solved(first) = outcome(&world) {
            let mut again = world.request();
            for (package, chosen) in &first.packages {
                let pin = mlresolve::request::Pin { version: chosen.version.clone(), hashes: Vec::new() };
                again.pins.insert(package.clone(), pin);
            }
            let second = solve(&again, &target(), &world.rule_set(), &world.toy()).expect("toy facts never fail");
            match second {
                Outcome::Solved(second) => prop_assert_eq!(versions(&first), versions(&second)),
                Outcome::Unsolvable(_) => prop_assert!(false, "pins unsolved it"),
            }
        }
    }
}

#[test]
fn the_oracle_tells_worlds_apart() {
    let solvable = World {
        releases: vec![
            vec![vec![(1, 1, 1)]],
            vec![vec![]],
            vec![vec![]],
            vec![vec![]],
            vec![vec![]],
        ],
        rules: vec![],
        lines: vec![(0, 1, 1)],
    };
    assert!(solvable.solvable());
    let mut ruled = solvable;
    ruled.rules = vec![((0, 1, 1), (1, 2, 2))];
    assert!(!ruled.solvable());
}
