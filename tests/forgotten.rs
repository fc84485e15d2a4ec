//! Old releases that admit, in their letters, what newer ones know not to work with.

mod support;

use mlresolve::request::Pin;
use mlresolve::solve::{Solution, Warning};
use mlresolve::{Outcome, Request, RuleSet, solve};
use support::{Toy, name, request, target, version};

/// A client that moves on, and a file system that says which clients it works with: its own
/// releases do not, but those of the helper that they need. The oldest needs no helper.
fn clients() -> Toy {
    let mut toy = Toy::default();
    for number in 0..20 {
        toy.release("client", &format!("1.{number}"), &[]);
    }
    for number in 1..9 {
        let bound = format!("client>={number},<1.{}", number + 5);
        let bound = bound.replace(">=", ">=1.");
        toy.release("helper", &format!("2.{number}"), &[&bound]);
        toy.release("files", &format!("2025.{number}"), &["helper>=2.1,<3"]);
    }
    toy.release("files", "0.4", &["client>=1.0"]);
    toy
}

fn solved(request: &Request, toy: &Toy) -> Solution {
    match solve(request, &target(), &RuleSet::default(), toy) {
        Ok(Outcome::Solved(solution)) => *solution,
        other => unreachable!("no answer: {other:?}"),
    }
}

fn pins(solution: &Solution) -> Vec<String> {
    let packages = solution.packages.iter();
    packages
        .map(|(name, chosen)| format!("{name}=={}", chosen.version))
        .collect()
}

#[test]
fn what_a_newer_release_is_too_old_for_gives_way() {
    let solution = solved(&request(&["client", "files"]), &clients());
    assert_eq!(
        pins(&solution),
        ["client==1.12", "files==2025.8", "helper==2.8"]
    );
    assert_eq!(solution.warnings, []);
}

#[test]
fn what_a_better_answer_lacks_takes_no_answer_away() {
    let mut toy = clients();
    toy.gone.insert((name("client"), version("1.12")));
    let solution = solved(&request(&["client", "files"]), &toy);
    assert_eq!(pins(&solution), ["client==1.19", "files==0.4"]);
    let missing = Warning::NotLookedInto {
        detail: "the metadata of client 1.12 cannot be had".to_owned(),
    };
    let [Warning::ForgotBound { name: of, .. }, other] = &solution.warnings[..] else {
        panic!("{:?}", solution.warnings);
    };
    assert_eq!((of.as_ref(), other), ("files", &missing));
}

#[test]
fn where_nothing_can_give_way_the_old_release_stays_and_is_told_of() {
    let solution = solved(&request(&["client>=1.15", "files"]), &clients());
    assert_eq!(pins(&solution), ["client==1.19", "files==0.4"]);
    assert_eq!(
        solution.warnings,
        [Warning::ForgotBound {
            name: name("files"),
            version: version("0.4"),
            newer: version("2025.8"),
            by: (name("helper"), version("2.8")),
            to: name("client"),
            range: ">=1.8,<1.13".to_owned(),
            locked: version("1.19"),
        }]
    );
}

#[test]
fn a_release_that_needs_something_newer_than_there_is_says_nothing_about_bounds() {
    let mut toy = Toy::default();
    for number in 0..9 {
        toy.release("client", &format!("1.{number}"), &[]);
        toy.release("other", &format!("3.{number}"), &[]);
    }
    // The newer one wants a newer client than the user's line admits, and an older `other`.
    toy.release("files", "2.0", &["client>=1.6", "other<3.2"]);
    toy.release("files", "1.0", &["client"]);
    let solution = solved(&request(&["client<1.4", "files", "other"]), &toy);
    assert_eq!(pins(&solution), ["client==1.3", "files==1.0", "other==3.8"]);
    assert_eq!(solution.warnings, []);
}

#[test]
fn a_release_that_would_hold_more_back_is_not_taken_for_it() {
    let mut toy = Toy::default();
    for number in 0..20 {
        toy.release("client", &format!("1.{number}"), &[]);
        toy.release("files", &format!("1.{number}"), &["client"]);
    }
    // The newest wants the oldest client: an accident, and the release before it does not.
    toy.release("files", "1.20", &["client<1.1"]);
    let solution = solved(&request(&["client", "files"]), &toy);
    assert_eq!(pins(&solution), ["client==1.19", "files==1.19"]);
    assert_eq!(solution.warnings.len(), 1);
}

#[test]
fn a_lock_that_pins_the_old_release_is_left_alone() {
    let mut asked = request(&["client", "files"]);
    for (package, release) in [("client", "1.19"), ("files", "0.4")] {
        let pin = Pin {
            version: version(release),
            hashes: Vec::new(),
        };
        asked.pins.insert(name(package), pin);
    }
    let solution = solved(&asked, &clients());
    assert_eq!(pins(&solution), ["client==1.19", "files==0.4"]);
}

#[test]
fn a_pinned_client_gives_way_to_a_new_wish_by_as_little_as_it_can() {
    let mut asked = request(&["client", "files"]);
    let pin = Pin {
        version: version("1.14"),
        hashes: Vec::new(),
    };
    asked.pins.insert(name("client"), pin);
    let solution = solved(&asked, &clients());
    assert_eq!(
        pins(&solution),
        ["client==1.12", "files==2025.8", "helper==2.8"]
    );
}

#[test]
fn several_that_forgot_a_bound_are_each_brought_back() {
    let mut toy = clients();
    for number in 1..9 {
        let bound = format!("client<1.{}", number + 6);
        toy.release("queue", &format!("5.{number}"), &[&bound]);
    }
    toy.release("queue", "0.1", &[]);
    let solution = solved(&request(&["client", "files", "queue"]), &toy);
    assert_eq!(
        pins(&solution),
        ["client==1.12", "files==2025.8", "helper==2.8", "queue==5.8"]
    );
}

#[test]
fn a_release_that_states_a_window_of_its_own_forgot_none() {
    let mut toy = Toy::default();
    for number in 0..20 {
        toy.release("client", &format!("1.{number}"), &[]);
    }
    for number in 1..9 {
        toy.release("files", &format!("2.{number}"), &["client<1.13"]);
    }
    // Not with the newest client, but with newer ones than the newer releases.
    toy.release("files", "0.5", &["client<1.18"]);
    let solution = solved(&request(&["client", "files"]), &toy);
    assert_eq!(pins(&solution), ["client==1.17", "files==0.5"]);
    assert_eq!(solution.warnings, []);
}

#[test]
fn one_that_cannot_be_brought_back_keeps_no_other_from_it() {
    let mut toy = clients();
    for number in 1..9 {
        toy.release("anchor", &format!("3.{number}"), &["client<1.6"]);
    }
    toy.release("anchor", "0.1", &[]);
    let solution = solved(&request(&["client>=1.10", "anchor", "files"]), &toy);
    assert_eq!(
        pins(&solution),
        [
            "anchor==0.1",
            "client==1.12",
            "files==2025.8",
            "helper==2.8"
        ]
    );
    let [Warning::ForgotBound { name: of, .. }] = &solution.warnings[..] else {
        unreachable!("`anchor` is told of: {:?}", solution.warnings);
    };
    assert_eq!(*of, name("anchor"));
}

#[test]
fn a_walk_above_an_old_release_is_given_up() {
    let mut toy = Toy::default();
    for number in 0..20 {
        let requires: &[&str] = if number < 13 { &["steps"] } else { &[] };
        toy.release("client", &format!("1.{number}"), requires);
    }
    for number in 1..9 {
        toy.release("files", &format!("2.{number}"), &["client<1.13"]);
    }
    toy.release("files", "0.4", &[]);
    // An older client leads to a long walk, at the end of which there is nothing.
    let releases = 3_000;
    for number in 0..releases {
        let step = format!("landing==1.{number}");
        toy.release("steps", &format!("1.{number}"), &[&step]);
        toy.release("landing", &format!("1.{number}"), &["nowhere"]);
    }
    let solution = solved(&request(&["client", "files"]), &toy);
    assert_eq!(pins(&solution), ["client==1.19", "files==0.4"]);
    assert_eq!(solution.warnings.len(), 1);
    assert!(toy.looks() < releases, "{} looks", toy.looks());
}

#[test]
fn nothing_more_is_built_for_a_better_answer() {
    let mut toy = Toy::default();
    for number in 0..20 {
        let requires: &[&str] = if number < 13 { &["core"] } else { &[] };
        toy.release("client", &format!("1.{number}"), requires);
    }
    for number in 1..9 {
        toy.release("files", &format!("2.{number}"), &["client<1.13"]);
    }
    toy.release("files", "0.4", &[]);
    toy.source("core", "1.0", &[]);
    let solution = solved(&request(&["client", "files"]), &toy);
    assert_eq!(pins(&solution), ["client==1.19", "files==0.4"]);
    // What was built for the first answer may stand in the better one.
    let solution = solved(&request(&["client", "files", "core"]), &toy);
    assert_eq!(pins(&solution), ["client==1.12", "core==1.0", "files==2.8"]);
}
