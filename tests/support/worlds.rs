//! Small random worlds, and brute force to check answers by.

use std::collections::BTreeMap;

use mlresolve::RuleSet;
use mlresolve::request::Request;
use proptest::prelude::*;

use super::{Toy, constrain, request, rules};

/// The distributions of a small world.
pub const NAMES: [&str; 5] = ["a", "b", "c", "d", "e"];

/// A requirement: which distribution, and the lowest and highest version that will do.
pub type Wish = (usize, u8, u8);

/// A small world: for each distribution, for each of its versions (1, 2, …), its wishes;
/// rules, each "a in this range limits b to that one"; and the request.
#[derive(Debug, Clone)]
pub struct World {
    pub releases: Vec<Vec<Vec<Wish>>>,
    pub rules: Vec<(Wish, Wish)>,
    pub lines: Vec<Wish>,
}

/// A random requirement.
pub fn wish() -> impl Strategy<Value = Wish> {
    (0..NAMES.len(), 1..=4_u8, 0..=3_u8).prop_map(|(to, low, more)| (to, low, low + more))
}

/// A random small world.
pub fn world() -> impl Strategy<Value = World> {
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

/// A requirement as text.
pub fn text((to, low, high): Wish) -> String {
    format!("{}>={low},<={high}", NAMES[to])
}

impl World {
    pub fn toy(&self) -> Toy {
        self.toy_with(|_, _| true)
    }

    /// The index, with only those requirements of which `kept` says so.
    pub fn toy_with(&self, kept: impl Fn(&str, &str) -> bool) -> Toy {
        let mut toy = Toy::default();
        for (package, releases) in NAMES.iter().zip(&self.releases) {
            for (number, wishes) in (1..).zip(releases) {
                // A wish on itself is no requirement that an index would carry.
                let requires: Vec<String> = wishes
                    .iter()
                    .filter(|wish| NAMES[wish.0] != *package && kept(package, NAMES[wish.0]))
                    .map(|wish| text(*wish))
                    .collect();
                let requires: Vec<&str> = requires.iter().map(String::as_str).collect();
                toy.release(package, &format!("{number}"), &requires);
            }
        }
        toy
    }

    pub fn rule_set(&self) -> RuleSet {
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

    pub fn request(&self) -> Request {
        let lines: Vec<String> = self.lines.iter().map(|wish| text(*wish)).collect();
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        request(&lines)
    }

    /// The rules as brute force reads them: the same ones that `rule_set` keeps.
    pub fn kept_rules(&self) -> Vec<(Wish, Wish)> {
        let mut unique = BTreeMap::new();
        for (when, then) in &self.rules {
            if when.0 != then.0 {
                unique.insert((when.0, then.0), (*when, *then));
            }
        }
        unique.into_values().collect()
    }

    /// Whether some choice of a version, or of absence, for each distribution meets all.
    pub fn solvable(&self) -> bool {
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
