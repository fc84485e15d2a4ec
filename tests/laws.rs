//! Laws that hold for every world, tried on small random ones and against brute force.

mod support;

use std::collections::BTreeMap;

use mlresolve::RuleSet;
use mlresolve::request::Request;
use mlresolve::solve::{Outcome, Solution, solve};
use pep440_rs::Version;
use proptest::prelude::*;
use support::{Toy, constrain, request, rules, specifiers, target};

const NAMES: [&str; 5] = ["a", "b", "c", "d", "e"];

/// A requirement: which distribution, and the lowest and highest version that will do.
type Wish = (usize, u8, u8);

/// A small world: for each distribution, for each of its versions (1, 2, …), its wishes;
/// rules, each "a in this range limits b to that one"; and the request.
#[derive(Debug, Clone)]
struct World {
    releases: Vec<Vec<Vec<Wish>>>,
    rules: Vec<(Wish, Wish)>,
    lines: Vec<Wish>,
}

fn wish() -> impl Strategy<Value = Wish> {
    (0..NAMES.len(), 1..=4_u8, 0..=3_u8).prop_map(|(to, low, more)| (to, low, low + more))
}

fn world() -> impl Strategy<Value = World> {
    let release = proptest::collection::vec(wish(), 0..3);
    let distribution = proptest::collection::vec(release, 1..=4);
    (
        proptest::collection::vec(distribution, NAMES.len()),
        proptest::collection::vec((wish(), wish()), 0..4),
        proptest::collection::vec(wish(), 1..4),
    )
        .prop_map(|(releases, rules, lines)| World {
            releases,
            rules,
            lines,
        })
}

fn text((to, low, high): Wish) -> String {
    format!("{}>={low},<={high}", NAMES[to])
}

impl World {
    fn toy(&self) -> Toy {
        let mut toy = Toy::default();
        for (package, releases) in NAMES.iter().zip(&self.releases) {
            for (number, wishes) in (1..).zip(releases) {
                // A wish on itself is no requirement that an index would carry.
                let requires: Vec<String> = wishes
                    .iter()
                    .filter(|wish| NAMES[wish.0] != *package)
                    .map(|wish| text(*wish))
                    .collect();
                let requires: Vec<&str> = requires.iter().map(String::as_str).collect();
                toy.release(package, &format!("{number}"), &requires);
            }
        }
        toy
    }

    fn rule_set(&self) -> RuleSet {
        let mut unique = BTreeMap::new();
        for (when, then) in &self.rules {
            if when.0 != then.0 {
                unique.insert((when.0, then.0), (*when, *then));
            }
        }
        rules(
            unique
                .values()
                .map(|(when, then)| {
                    constrain(
                        NAMES[when.0],
                        &format!(">={},<={}", when.1, when.2),
                        NAMES[then.0],
                        &format!(">={},<={}", then.1, then.2),
                    )
                })
                .collect(),
        )
    }

    fn request(&self) -> Request {
        let lines: Vec<String> = self.lines.iter().map(|wish| text(*wish)).collect();
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        request(&lines)
    }

    /// The rules as brute force reads them: the same ones that `rule_set` keeps.
    fn kept_rules(&self) -> Vec<(Wish, Wish)> {
        let mut unique = BTreeMap::new();
        for (when, then) in &self.rules {
            if when.0 != then.0 {
                unique.insert((when.0, then.0), (*when, *then));
            }
        }
        unique.into_values().collect()
    }

    /// Whether some choice of a version, or of absence, for each distribution meets all.
    fn solvable(&self) -> bool {
        let mut choice = [0_u8; NAMES.len()];
        self.search(&mut choice, 0)
    }

    fn search(&self, choice: &mut [u8; NAMES.len()], next: usize) -> bool {
        if next == NAMES.len() {
            return self.meets(*choice);
        }
        let newest = u8::try_from(self.releases[next].len()).expect("few releases");
        (0..=newest).any(|version| {
            choice[next] = version;
            self.search(choice, next + 1)
        })
    }

    fn meets(&self, choice: [u8; NAMES.len()]) -> bool {
        let holds = |wish: &Wish| (wish.1..=wish.2).contains(&choice[wish.0]);
        let limited = |wish: &Wish| choice[wish.0] == 0 || holds(wish);
        self.lines.iter().all(holds)
            && choice.iter().enumerate().all(|(package, version)| {
                *version == 0
                    || self.releases[package][usize::from(*version) - 1]
                        .iter()
                        .all(|wish| wish.0 == package || holds(wish))
            })
            && self
                .kept_rules()
                .iter()
                .all(|(when, then)| !(choice[when.0] != 0 && holds(when)) || limited(then))
    }
}

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
