//! The solver's stories, each on a toy index.

mod support;

use mlresolve::RuleSet;
use mlresolve::request::Request;
use mlresolve::rules::{Severity, Sharing};
use mlresolve::solve::{Outcome, Reason, Solution, Unusable, Warning, solve};
use support::{
    Release, Toy, broken, constrain, drop_rule, name, needs, provides, request, requires, rules,
    slot, target,
};

fn solved(toy: &Toy, request: &Request, rules: &RuleSet) -> Solution {
    match solve(request, &target(), rules, toy).expect("toy facts never fail") {
        Outcome::Solved(solution) => *solution,
        Outcome::Unsolvable(conflict) => panic!("no solution: {conflict:?}"),
    }
}

fn pins(solution: &Solution) -> Vec<String> {
    solution
        .packages
        .iter()
        .map(|(name, chosen)| format!("{name}=={}", chosen.version))
        .collect()
}

fn check(toy: &Toy, lines: &[&str], rules: &RuleSet, expected: &[&str]) {
    let solution = solved(toy, &request(lines), rules);
    assert_eq!(pins(&solution), expected);
}

fn reasons(toy: &Toy, lines: &[&str], rules: &RuleSet) -> Vec<Reason> {
    match solve(&request(lines), &target(), rules, toy).expect("toy facts never fail") {
        Outcome::Solved(solution) => panic!("solved: {:?}", pins(&solution)),
        Outcome::Unsolvable(conflict) => conflict.reasons,
    }
}

fn numpy_world() -> Toy {
    let mut toy = Toy::default();
    for release in ["1.25.0", "1.26.4", "2.0.0", "2.4.6"] {
        toy.release("numpy", release, &[]);
    }
    toy.release("torch", "2.1.2", &[])
        .release("torch", "2.3.1", &[])
        .release("pandas", "2.1.0", &["numpy>=1.23.2"])
        .release("pandas", "2.3.0", &["numpy>=1.23.2"])
        .release("opencv-python", "4.9.0.80", &["numpy>=1.21.2"])
        .release("opencv-python", "4.13.0.1", &["numpy>=2"])
        .release("opencv-python-headless", "4.9.0.80", &["numpy>=1.21.2"])
        .release("opencv-python-headless", "4.12.0.1", &["numpy>=1.21.2"]);
    toy
}

fn numpy_rules() -> RuleSet {
    rules(vec![
        constrain("torch", "<2.3", "numpy", "<2"),
        constrain("opencv-python", "<4.10", "numpy", "<2"),
    ])
}

#[test]
fn the_newest_of_everything_where_nothing_forbids_it() {
    check(
        &numpy_world(),
        &["torch", "pandas"],
        &numpy_rules(),
        &["numpy==2.4.6", "pandas==2.3.0", "torch==2.3.1"],
    );
}

#[test]
fn a_rule_limits_what_is_there() {
    check(
        &numpy_world(),
        &["torch<2.2", "pandas"],
        &numpy_rules(),
        &["numpy==1.26.4", "pandas==2.3.0", "torch==2.1.2"],
    );
}

#[test]
fn a_rule_never_pulls_in_what_it_limits() {
    check(
        &numpy_world(),
        &["torch<2.2"],
        &numpy_rules(),
        &["torch==2.1.2"],
    );
}

#[test]
fn the_compiled_side_keeps_its_newest_release_in_any_order_of_lines() {
    let expected = ["numpy==1.26.4", "opencv-python==4.9.0.80"];
    check(
        &numpy_world(),
        &["opencv-python<4.10", "numpy"],
        &numpy_rules(),
        &expected,
    );
    check(
        &numpy_world(),
        &["numpy", "opencv-python<4.10"],
        &numpy_rules(),
        &expected,
    );
}

#[test]
fn a_dependent_gives_way_where_a_bounded_line_and_a_rule_leave_no_room() {
    check(
        &numpy_world(),
        &["torch<2.2", "opencv-python"],
        &numpy_rules(),
        &["numpy==1.26.4", "opencv-python==4.9.0.80", "torch==2.1.2"],
    );
}

#[test]
fn two_lines_and_a_rule_that_cannot_hold_together_are_named() {
    let found = reasons(
        &numpy_world(),
        &["torch==2.1.2", "numpy>=2"],
        &numpy_rules(),
    );
    assert!(found.contains(&Reason::Line(0)), "{found:?}");
    assert!(found.contains(&Reason::Line(1)), "{found:?}");
    assert!(
        found
            .iter()
            .any(|reason| matches!(reason, Reason::Rule { id, .. } if &*id.0 == "torch/numpy")),
        "{found:?}"
    );
}

#[test]
fn what_does_not_take_part_in_a_conflict_is_not_named() {
    let found = reasons(
        &numpy_world(),
        &["pandas", "torch==2.1.2", "numpy>=2"],
        &numpy_rules(),
    );
    assert!(!found.contains(&Reason::Line(0)), "{found:?}");
}

#[test]
fn an_unsatisfiable_limit_on_something_absent_forbids_nothing() {
    let mut toy = numpy_world();
    toy.release("old", "1.0", &[]);
    let impossible = rules(vec![
        constrain("old", ">=0", "numpy", "<1"),
        constrain("torch", ">=0", "numpy", ">=3"),
    ]);
    check(
        &toy,
        &["old", "torch"],
        &impossible,
        &["old==1.0", "torch==2.3.1"],
    );
}

#[test]
fn a_limit_on_a_distribution_that_no_index_has_forbids_nothing() {
    let nothing = rules(vec![constrain("torch", ">=0", "nowhere", "<1")]);
    check(&numpy_world(), &["torch"], &nothing, &["torch==2.3.1"]);
}

#[test]
fn a_limit_on_what_nothing_asks_for_needs_no_page_of_it() {
    let mut toy = numpy_world();
    toy.release("client", "1.0", &["unseen"]);
    toy.failing.insert(name("unseen"));
    let rule = rules(vec![constrain("torch", ">=0", "unseen", "<1")]);
    check(&toy, &["torch"], &rule, &["torch==2.3.1"]);
    // What asks for it is not given up in silence.
    let asked = request(&["torch", "client"]);
    let error = solve(&asked, &target(), &rule, &toy).expect_err("it cannot be had");
    assert!(error.to_string().contains("unseen"), "{error}");
}

#[test]
fn a_required_distribution_is_pulled_in() {
    let pulls = rules(vec![requires("torch", "<2.3", "numpy", "<2")]);
    check(
        &numpy_world(),
        &["torch<2.2"],
        &pulls,
        &["numpy==1.26.4", "torch==2.1.2"],
    );
}

#[test]
fn a_false_bound_is_removed_or_replaced() {
    let mut toy = numpy_world();
    toy.release("capped", "1.0", &["numpy<1.26"]);
    let removed = rules(vec![drop_rule("capped", ">=0", "numpy", None)]);
    check(
        &toy,
        &["capped", "numpy"],
        &removed,
        &["capped==1.0", "numpy==2.4.6"],
    );
    let replaced = rules(vec![drop_rule("capped", ">=0", "numpy", Some("<2"))]);
    let solution = solved(&toy, &request(&["capped"]), &replaced);
    assert_eq!(pins(&solution), ["capped==1.0", "numpy==1.26.4"]);
    assert_eq!(solution.changed.len(), 1);
}

#[test]
fn members_of_a_slot_are_taken_at_one_version() {
    let shared = rules(vec![slot(
        "cv2",
        &["opencv-python", "opencv-python-headless"],
        Sharing::SameVersion,
    )]);
    let lines = ["opencv-python", "opencv-python-headless"];
    let solution = solved(&numpy_world(), &request(&lines), &shared);
    assert_eq!(
        pins(&solution),
        [
            "numpy==2.4.6",
            "opencv-python==4.9.0.80",
            "opencv-python-headless==4.9.0.80"
        ]
    );
    assert_eq!(solution.warnings.len(), 1);
}

#[test]
fn members_that_are_meant_to_be_there_together_are_no_warning() {
    let lines = ["opencv-python", "opencv-python-headless"];
    let same = rules(vec![slot("cv2", &lines, Sharing::IdenticalAtOneVersion)]);
    let solution = solved(&numpy_world(), &request(&lines), &same);
    let versions: Vec<_> = solution.packages.values().map(|it| &it.version).collect();
    assert_eq!(versions[1], versions[2]);
    assert_eq!(solution.warnings, []);
    // A stub requires what it stands for.
    let mut toy = Toy::default();
    toy.release("flow", "2.0", &["flow-macos==2.0"])
        .release("flow-macos", "2.0", &[]);
    let stubs = rules(vec![slot(
        "flow",
        &["flow", "flow-macos"],
        Sharing::SameVersion,
    )]);
    let solution = solved(&toy, &request(&["flow"]), &stubs);
    assert_eq!(solution.packages.len(), 2);
    assert_eq!(solution.warnings, []);
}

#[test]
fn members_of_a_slot_that_cannot_share_exclude_each_other() {
    let lines = ["opencv-python", "opencv-python-headless"];
    let never = rules(vec![slot("cv2", &lines, Sharing::Never)]);
    let found = reasons(&numpy_world(), &lines, &never);
    assert!(
        found.contains(&Reason::Line(0)) && found.contains(&Reason::Line(1)),
        "{found:?}"
    );
    let identical = rules(vec![slot("cv2", &lines, Sharing::Identical)]);
    check(
        &numpy_world(),
        &lines,
        &identical,
        &[
            "numpy==2.4.6",
            "opencv-python==4.13.0.1",
            "opencv-python-headless==4.12.0.1",
        ],
    );
}

#[test]
fn a_provider_meets_every_demand_on_a_slot() {
    let shared = rules(vec![slot(
        "cv2",
        &["opencv-python", "opencv-python-headless"],
        Sharing::SameVersion,
    )]);
    let mut toy = numpy_world();
    toy.release("vision", "1.0", &["opencv-python>=4.8"]);
    let mut asked = request(&["vision"]);
    asked
        .policy
        .providers
        .insert("cv2".to_owned(), name("opencv-python-headless"));
    let solution = solved(&toy, &asked, &shared);
    assert_eq!(
        pins(&solution),
        [
            "numpy==2.4.6",
            "opencv-python-headless==4.12.0.1",
            "vision==1.0"
        ]
    );
}

#[test]
fn a_broken_release_is_passed_over() {
    let avoided = rules(vec![broken("numpy", "==2.4.6")]);
    check(&numpy_world(), &["numpy"], &avoided, &["numpy==2.0.0"]);
}

#[test]
fn one_environment_has_one_version_of_what_is_provided_and_needed() {
    let mut toy = Toy::default();
    toy.release("cudnn", "8.9.2", &[])
        .release("cudnn", "9.1.0", &[])
        .release("torch", "2.3.1", &["cudnn==8.9.2"])
        .release("torch", "2.4.0", &["cudnn==9.1.0"])
        .release("ort", "1.18.0", &[])
        .release("ort", "1.19.0", &[]);
    let set = rules(vec![
        provides("cudnn", "cudnn", None),
        needs("ort", ">=1.19", "cudnn", ">=9,<10"),
        needs("ort", "<1.19", "cudnn", ">=8,<9"),
    ]);
    check(
        &toy,
        &["torch", "ort"],
        &set,
        &["cudnn==9.1.0", "ort==1.19.0", "torch==2.4.0"],
    );
    check(
        &toy,
        &["torch==2.3.1", "ort"],
        &set,
        &["cudnn==8.9.2", "ort==1.18.0", "torch==2.3.1"],
    );
    let found = reasons(&toy, &["torch==2.3.1", "ort==1.19.0"], &set);
    assert!(
        found.contains(&Reason::Line(0)) && found.contains(&Reason::Line(1)),
        "{found:?}"
    );
}

#[test]
fn constraints_limit_only_what_is_there() {
    let mut asked = request(&["pandas"]);
    asked.constraints = vec![
        support::line("numpy<2", 1),
        support::line("torch==2.1.2", 2),
    ];
    let solution = solved(&numpy_world(), &asked, &RuleSet::default());
    assert_eq!(pins(&solution), ["numpy==1.26.4", "pandas==2.3.0"]);
}

#[test]
fn overrides_replace_every_requirement() {
    let mut asked = request(&["opencv-python"]);
    asked.overrides = vec![support::line("numpy==1.25.0", 1)];
    let solution = solved(&numpy_world(), &asked, &RuleSet::default());
    assert_eq!(
        pins(&solution),
        ["numpy==1.25.0", "opencv-python==4.13.0.1"]
    );
    assert_eq!(solution.changed.len(), 1);
}

#[test]
fn extras_bring_their_requirements() {
    let mut toy = numpy_world();
    toy.release(
        "suite",
        "1.0",
        &[
            "suite[array] ; extra == 'all'",
            "numpy<2 ; extra == 'array'",
            "torch ; extra == 'all'",
        ],
    );
    check(&toy, &["suite"], &RuleSet::default(), &["suite==1.0"]);
    check(
        &toy,
        &["suite[all]"],
        &RuleSet::default(),
        &["numpy==1.26.4", "suite==1.0", "torch==2.3.1"],
    );
}

/// Newer releases have an extra that cannot be had here, the oldest never heard of it.
fn extras_world() -> Toy {
    let mut toy = Toy::default();
    toy.release("jax", "0.1", &[])
        .release("jax", "0.2", &["plugin==0.2 ; extra == 'cuda'"])
        .release("jax", "0.3", &["plugin==0.3 ; extra == 'cuda'"])
        .release("user", "1.0", &["jax[cuda]"]);
    for release in ["0.2", "0.3"] {
        let content = Release {
            tags: Some("cp311-cp311-win_amd64".to_owned()),
            ..Release::default()
        };
        toy.add("plugin", release, &content);
    }
    toy
}

#[test]
fn an_extra_that_suits_no_release_is_no_way_to_one_that_never_heard_of_it() {
    let none = RuleSet::default();
    let reasons = reasons(&extras_world(), &["jax[cuda]"], &none);
    let lacking = |reason: &Reason| matches!(reason, Reason::SetAside { reason: Unusable::NoExtra { extra }, .. } if extra == "cuda");
    assert!(reasons.iter().any(lacking), "{reasons:?}");
    // A line that leaves nothing else says what it wants, and so does metadata.
    for lines in [["jax[cuda]<0.2"], ["user"]] {
        let solution = solved(&extras_world(), &request(&lines), &none);
        assert_eq!(pins(&solution)[0], "jax==0.1");
        let warned = solution.warnings.first();
        let newer = Some(support::version("0.3"));
        assert!(
            matches!(warned, Some(Warning::UnknownExtra { newer: found, .. }) if *found == newer),
            "{warned:?}"
        );
    }
    // An extra that the newest has not either is an old one, or a slip.
    let solution = solved(&extras_world(), &request(&["jax[slip]"]), &none);
    assert_eq!(pins(&solution), ["jax==0.3"]);
    assert_eq!(solution.warnings.len(), 1);
}

#[test]
fn pins_are_kept_where_they_serve() {
    let mut asked = request(&["pandas"]);
    let pin = |text: &str| mlresolve::request::Pin {
        version: support::version(text),
        hashes: Vec::new(),
    };
    asked.pins.insert(name("numpy"), pin("1.26.4"));
    asked.pins.insert(name("pandas"), pin("9.9.9"));
    let solution = solved(&numpy_world(), &asked, &RuleSet::default());
    assert_eq!(pins(&solution), ["numpy==1.26.4", "pandas==2.3.0"]);
}

#[test]
fn prereleases_only_where_a_line_names_one_or_nothing_else_exists() {
    let mut toy = Toy::default();
    toy.release("a", "1.0", &["b", "c"])
        .release("b", "1.0", &[])
        .release("b", "2.0rc1", &[])
        .release("c", "0.1b1", &[])
        .release("c", "0.1b2", &[]);
    check(
        &toy,
        &["a"],
        &RuleSet::default(),
        &["a==1.0", "b==1.0", "c==0.1b2"],
    );
    check(
        &toy,
        &["a", "b>=2.0rc1"],
        &RuleSet::default(),
        &["a==1.0", "b==2.0rc1", "c==0.1b2"],
    );
    // A final release that was withdrawn is none.
    let withdrawn = Release {
        yanked: true,
        ..Release::default()
    };
    toy.add("c", "0.0.1", &withdrawn);
    let pins = ["a==1.0", "b==1.0", "c==0.1b2"];
    check(&toy, &["a"], &RuleSet::default(), &pins);
}

/// A release that fails is not followed by a look at all the others beside the same shadow:
/// each look may cost a download, or a build.
#[test]
fn a_failing_release_costs_one_look_and_not_one_for_each_release() {
    let mut toy = numpy_world();
    for minor in 0..40 {
        toy.release("pandas", &format!("1.{minor}"), &["numpy>=1.20"]);
    }
    toy.release("pandas", "3.0.0", &["numpy>=2"]);
    let rules = rules(vec![
        constrain("torch", "<2.3", "numpy", "<2"),
        constrain("pandas", "<1.1", "numpy", "<2"),
        constrain("six", "<1", "pandas", "<1"),
    ]);
    check(
        &toy,
        &["torch<2.3", "pandas", "numpy"],
        &rules,
        &["numpy==1.26.4", "pandas==2.3.0", "torch==2.1.2"],
    );
    let looked = toy.looked("pandas");
    assert_eq!(looked, ["2.3.0", "3.0.0"], "pandas was walked");
}

/// Releases of a library: wheels from 1.5 on, older ones as source only.
fn sources_world() -> Toy {
    let mut toy = Toy::default();
    for minor in 0..5 {
        toy.source("lib", &format!("1.{minor}"), &["base<2"]);
    }
    toy.release("lib", "1.5", &["base<2"])
        .release("lib", "1.6", &["base<2"])
        .release("base", "1.0", &[])
        .release("base", "2.0", &[])
        .release("old", "1.0", &["lib<1.4"]);
    toy
}

#[test]
fn a_source_that_must_be_built_is_taken_where_a_requirement_leaves_nothing_else() {
    let none = RuleSet::default();
    check(
        &sources_world(),
        &["lib<1.4"],
        &none,
        &["base==1.0", "lib==1.3"],
    );
    // The demand comes up after newer releases were found not to do.
    check(
        &sources_world(),
        &["lib>=1.2", "old"],
        &none,
        &["base==1.0", "lib==1.3", "old==1.0"],
    );
    let toy = sources_world();
    check(&toy, &["lib>=1.2"], &none, &["base==1.0", "lib==1.6"]);
    assert_eq!(toy.looked("lib"), ["1.6"]);
}

#[test]
fn a_conflict_does_not_walk_through_releases_that_must_be_built() {
    let mut toy = Toy::default();
    for minor in 10..30 {
        toy.source("lib", &format!("1.{minor}"), &["base<2"]);
    }
    toy.release("lib", "1.30", &["base<2"])
        .release("base", "1.0", &[])
        .release("base", "2.0", &[]);
    let reasons = reasons(&toy, &["lib", "base>=2"], &RuleSet::default());
    // A few small ones are looked into, for what is said without a build.
    let looked = toy.looked("lib");
    assert_eq!((looked.len(), &*looked[0]), (9, "1.22"));
    assert_eq!(toy.built().len(), 0);
    let passed_over = |reason: &Reason| {
        matches!(
            reason,
            Reason::SetAside {
                reason: Unusable::SourceOnly,
                ..
            }
        )
    };
    assert!(reasons.iter().any(passed_over), "{reasons:?}");
}

#[test]
fn small_sources_are_looked_into_further_than_large_ones() {
    let world = |size: u64| {
        let mut toy = Toy::default();
        for release in ["1", "2", "3", "4", "5", "6"] {
            let base = if release < "4" { "base" } else { "base<2" };
            toy.sized_source("lib", release, &[base], size);
        }
        toy.release("lib", "7", &["base<2"])
            .release("base", "1.0", &[])
            .release("base", "2.0", &[]);
        toy
    };
    let lines = ["lib", "base>=2"];
    let none = RuleSet::default();
    check(&world(30_000), &lines, &none, &["base==2.0", "lib==3"]);
    let large = world(30_000_000);
    assert!(!reasons(&large, &lines, &none).is_empty());
    assert_eq!(large.looked("lib"), ["5", "6", "7"]);
}

#[test]
fn a_rule_that_degrades_leads_to_no_release_that_has_to_be_built() {
    let mut toy = Toy::default();
    toy.static_source("kernels", "0.1", &["torch"])
        .release("kernels", "0.2", &["torch==2.0"])
        .release("kernels", "0.3", &["torch>=2"])
        .release("torch", "2.0", &[])
        .release("torch", "2.1", &[]);
    let with = |severity| {
        let mut rule = (*constrain("kernels", ">=0.3", "torch", "<2.1")).clone();
        rule.severity = severity;
        rules(vec![std::sync::Arc::new(rule)])
    };
    let lines = ["torch==2.1", "kernels"];
    let reasons = reasons(&toy, &lines, &with(Severity::Degrades));
    assert!(
        reasons
            .iter()
            .any(|reason| matches!(reason, Reason::Rule { .. })),
        "{reasons:?}"
    );
    // What one that corrupts keeps away is better built than broken.
    check(
        &toy,
        &lines,
        &with(Severity::Corrupts),
        &["kernels==0.1", "torch==2.1"],
    );
}

#[test]
fn of_a_distribution_without_wheels_two_releases_are_built_and_the_rest_is_read() {
    let mut toy = Toy::default();
    toy.static_source("lib", "1.0", &["base<2"])
        .release("base", "1.0", &[])
        .release("base", "2.0", &[]);
    for minor in 1..20 {
        toy.failing_source("lib", &format!("1.{minor}"));
    }
    let none = RuleSet::default();
    check(&toy, &["lib"], &none, &["base==1.0", "lib==1.0"]);
    let built = ["lib-1.18.tar.gz", "lib-1.19.tar.gz"];
    assert_eq!(toy.built().into_iter().collect::<Vec<_>>(), built);
    // Where nothing can be read either, the conflict says what was tried.
    let reasons = reasons(&toy, &["lib>1.0"], &none);
    assert_eq!(toy.built().len(), 2);
    let set_aside = |wanted: fn(&Unusable) -> bool| {
        reasons
            .iter()
            .any(|found| matches!(found, Reason::SetAside { reason, .. } if wanted(reason)))
    };
    assert!(
        set_aside(|reason| matches!(reason, Unusable::BuildFailed { .. })),
        "{reasons:?}"
    );
    assert!(
        set_aside(|reason| matches!(reason, Unusable::NeedsBuild)),
        "{reasons:?}"
    );
}
