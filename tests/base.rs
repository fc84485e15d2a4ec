//! Locks on top of what is installed already: the base stays as it is.
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot build its world should stop"
)]

mod support;

use std::sync::Arc;

use mlresolve::explain::{Study, base_remedy};
use mlresolve::request::{Base, Request};
use mlresolve::rules::Sharing;
use mlresolve::solve::{Conflict, Reason, Solution, indexed_metadata};
use mlresolve::{Outcome, RuleSet, solve};
use support::{
    Toy, constrain, name, needs, provides, request, requires, rules, slot, target, version,
};

fn base(text: &str) -> Base {
    Base::read(text, "base.txt").unwrap()
}

/// The base, with what its packages ask for.
fn with_metadata(text: &str, toy: &Toy) -> Base {
    let mut base = base(text);
    for (name, package) in &mut base.packages {
        let version = package.version.clone().unwrap();
        package.metadata = indexed_metadata(name, &version, &target(), toy).unwrap();
    }
    base
}

fn on(lines: &[&str], base: Base) -> Request {
    Request {
        base: Arc::new(base),
        ..request(lines)
    }
}

fn solved(request: &Request, rules: &RuleSet, toy: &Toy) -> Solution {
    match solve(request, &target(), rules, toy).unwrap() {
        Outcome::Solved(solution) => *solution,
        Outcome::Unsolvable(conflict) => panic!("no solution: {conflict:?}"),
    }
}

fn unsolvable(request: &Request, rules: &RuleSet, toy: &Toy) -> Conflict {
    match solve(request, &target(), rules, toy).unwrap() {
        Outcome::Solved(solution) => panic!("solved: {}", chosen(&solution)),
        Outcome::Unsolvable(conflict) => *conflict,
    }
}

fn chosen(solution: &Solution) -> String {
    let chosen: Vec<String> = solution
        .packages
        .iter()
        .map(|(name, chosen)| format!("{name} {}", chosen.version))
        .collect();
    chosen.join(", ")
}

fn installed(conflict: &Conflict) -> Vec<String> {
    conflict
        .reasons
        .iter()
        .filter_map(|reason| match reason {
            Reason::Installed { package, version } => {
                Some(format!("{package} {}", version.as_ref().unwrap()))
            }
            _ => None,
        })
        .collect()
}

#[test]
fn only_what_is_missing_is_added_and_nothing_of_the_base_is_asked_for() {
    let mut toy = Toy::default();
    // The index has no page of torch, and the base's scipy asks for another numpy.
    toy.release("lightning", "2.5", &["torch>=2.1", "numpy", "metrics>=0.7"])
        .release("metrics", "0.7", &["numpy<2"])
        .release("metrics", "1.0", &["numpy>=1.20"]);
    let base = base("numpy==2.0.2\ntorch==2.9.0+cu126\nscipy==1.10\n");
    let request = on(&["lightning", "numpy>=1.24"], base);
    let solution = solved(&request, &rules(Vec::new()), &toy);
    assert_eq!(chosen(&solution), "lightning 2.5, metrics 1.0");
    let there: Vec<&str> = solution.installed.keys().map(AsRef::as_ref).collect();
    assert_eq!(there, ["numpy", "torch"]);
    assert!(solution.replaced.is_empty());
}

#[test]
fn a_limit_of_what_may_be_changed_needs_no_page_of_what_nothing_asks_for() {
    let mut toy = Toy::default();
    toy.release("tool", "1.0", &[])
        .release("vision", "4.9", &["numpy>=1.2"]);
    let mut base = with_metadata("vision==4.9\n", &toy);
    base.changeable.insert(name("vision"));
    toy.failing.insert(name("numpy"));
    let solution = solved(&on(&["tool"], base), &rules(Vec::new()), &toy);
    assert_eq!(chosen(&solution), "tool 1.0");
}

#[test]
fn an_unmet_request_names_the_package_of_the_base_and_what_it_would_take() {
    let mut toy = Toy::default();
    toy.release("datasets", "2.21", &["fsspec<=2024.6"])
        .release("datasets", "4.0", &["fsspec<=2025.3"])
        .release("fsspec", "2024.6", &[])
        .release("fsspec", "2025.3", &[])
        .release("gcsfs", "2024.6", &["fsspec==2024.6"])
        .release("gcsfs", "2025.3", &["fsspec==2025.3"])
        .release("numpy", "2.1", &[]);
    let text = "datasets==4.0\nfsspec==2025.3\ngcsfs==2025.3\nnumpy==2.0\n";
    let request = on(&["datasets<3", "numpy"], with_metadata(text, &toy));
    let rules = rules(Vec::new());
    let conflict = unsolvable(&request, &rules, &toy);
    assert_eq!(installed(&conflict), ["datasets 4.0"]);

    let target = target();
    let study = Study::new(&target, &rules, &toy);
    let remedy = base_remedy(&study, &request).unwrap().unwrap();
    let allow: Vec<&str> = remedy.allow.iter().map(AsRef::as_ref).collect();
    assert_eq!(allow, ["datasets", "fsspec", "gcsfs"]);

    assert_eq!(
        remedy.replaced[&name("fsspec")].because,
        [
            "datasets 2.21 requires fsspec<=2024.6",
            "gcsfs 2024.6 requires fsspec==2024.6"
        ]
    );

    let mut changed = with_metadata(text, &toy);
    changed.changeable = remedy.allow;
    let solution = solved(&on(&["datasets<3", "numpy"], changed), &rules, &toy);
    assert_eq!(
        chosen(&solution),
        "datasets 2.21, fsspec 2024.6, gcsfs 2024.6"
    );
    assert_eq!(solution.replaced[&name("fsspec")], Some(version("2025.3")));
}

#[test]
fn a_constraint_holds_for_what_may_change() {
    let mut toy = Toy::default();
    toy.release("numpy", "1.26", &[])
        .release("numpy", "2.0", &[])
        .release("numpy", "2.1", &[]);
    let mut there = base("numpy==2.0\n");
    there.changeable.insert(name("numpy"));
    let mut request = on(&[], there);
    request.constraints = vec![support::line("numpy<2", 1)];
    let solution = solved(&request, &rules(Vec::new()), &toy);
    assert_eq!(chosen(&solution), "numpy 1.26");
}

#[test]
fn a_companion_changes_rather_than_a_package_falling_back_for_years() {
    let mut toy = Toy::default();
    toy.release("hub", "0.36", &[])
        .release("hub", "1.2", &[])
        .release("gradio", "3.18", &[])
        .release("gradio", "5.0", &["client==2.7", "hub"])
        .release("gradio", "6.24", &["client==2.6", "hub>=1"])
        .release("client", "1.0", &[])
        .release("client", "2.5", &[])
        .release("client", "2.6", &[])
        .release("client", "2.7", &[]);
    // To a companion that is older, the solver goes by itself.
    let mut older = toy.clone();
    older.release("gradio", "6.17", &["client==2.5", "hub"]);
    toy.release("gradio", "6.17", &["client==2.7", "hub"]);
    let text = "gradio==6.24\nhub==1.2\nclient==2.6\n";
    let request = on(&["hub<1"], with_metadata(text, &toy));
    let (rules, target) = (rules(Vec::new()), target());
    for (toy, hold) in [(&toy, &["gradio>=6.0"][..]), (&older, &[])] {
        let study = Study::new(&target, &rules, toy);
        let remedy = base_remedy(&study, &request).unwrap().unwrap();
        let allow: Vec<&str> = remedy.allow.iter().map(AsRef::as_ref).collect();
        assert_eq!(allow, ["client", "gradio", "hub"]);
        assert_eq!(remedy.replaced[&name("gradio")].now, version("6.17"));
        assert_eq!(remedy.hold, hold);
    }

    // Not where the companion would fall back for it.
    toy.release("client", "3.0", &[])
        .release("gradio", "6.25", &["client==3.0", "hub>=1"]);
    let text = "gradio==6.25\nhub==1.2\nclient==3.0\n";
    let request = on(&["hub<1"], with_metadata(text, &toy));
    let study = Study::new(&target, &rules, &toy);
    let remedy = base_remedy(&study, &request).unwrap().unwrap();
    let allow: Vec<&str> = remedy.allow.iter().map(AsRef::as_ref).collect();
    assert_eq!(allow, ["gradio", "hub"]);
    assert_eq!(remedy.replaced[&name("gradio")].now, version("3.18"));
    assert!(remedy.hold.is_empty());
}

#[test]
fn what_may_change_stays_where_it_can() {
    let mut toy = Toy::default();
    toy.release("numpy", "1.26", &[])
        .release("numpy", "2.0", &[])
        .release("numpy", "2.1", &[])
        .release("tool", "1.0", &["numpy"]);
    let mut there = base("numpy==2.0\npandas==2.2\n");
    there.changeable.insert(name("numpy"));
    let solution = solved(&on(&["tool"], there.clone()), &rules(Vec::new()), &toy);
    assert_eq!(chosen(&solution), "tool 1.0");

    // A rule on what is added limits what is there, even where nothing asks for it.
    let limiting = rules(vec![constrain("tool", "<2", "numpy", "<2")]);
    toy.release("tool", "1.1", &[]);
    let solution = solved(&on(&["tool"], there), &limiting, &toy);
    assert_eq!(chosen(&solution), "numpy 1.26, tool 1.1");
}

#[test]
fn rules_hold_between_what_is_there_and_what_is_added_only() {
    let mut toy = Toy::default();
    toy.release("extension", "1.0", &[])
        .release("extension", "2.0", &[])
        .release("hub", "1.0", &[])
        .release("hub", "2.0", &[]);
    let there = || base("numpy==2.0\nold==1.0\nhub-user==1.0\n");
    let rules = rules(vec![
        // Broken already, and not ours to mend.
        constrain("old", "<2", "numpy", "<2"),
        requires("old", "<2", "missing", ">=1"),
        // What is added must fit what is there, and the reverse.
        constrain("extension", ">=2", "numpy", "<2"),
        constrain("hub-user", "<2", "hub", "<2"),
    ]);
    let solution = solved(&on(&["extension", "hub"], there()), &rules, &toy);
    assert_eq!(chosen(&solution), "extension 1.0, hub 1.0");
    let applied: Vec<String> = solution.rules.iter().map(ToString::to_string).collect();
    assert_eq!(applied, ["hub-user/hub"]);

    let conflict = unsolvable(&on(&["extension>=2"], there()), &rules, &toy);
    assert_eq!(installed(&conflict), ["numpy 2.0"]);
    let conflict = unsolvable(&on(&["hub>=2"], there()), &rules, &toy);
    assert_eq!(installed(&conflict), ["hub-user 1.0"]);
}

#[test]
fn a_slot_that_the_base_fills_takes_its_versions_only() {
    let mut toy = Toy::default();
    toy.release("cv-headless", "4.10", &[])
        .release("cv-headless", "4.12", &[])
        .release("cv-headless", "4.13", &[]);
    let members = ["cv", "cv-contrib", "cv-headless"];
    let same = rules(vec![slot("cv2", &members, Sharing::SameVersion)]);
    let there = "cv==4.12\ncv-contrib==4.12\n";
    let solution = solved(&on(&["cv-headless"], base(there)), &same, &toy);
    assert_eq!(chosen(&solution), "cv-headless 4.12");
    // Two versions are there already: that is how the base is.
    let mixed = "cv==4.12\ncv-contrib==4.10\n";
    let solution = solved(&on(&["cv-headless<4.12"], base(mixed)), &same, &toy);
    assert_eq!(chosen(&solution), "cv-headless 4.10");
    let never = rules(vec![slot("cv2", &members, Sharing::Never)]);
    let conflict = unsolvable(&on(&["cv-headless"], base(there)), &never, &toy);
    assert_eq!(installed(&conflict), ["cv 4.12", "cv-contrib 4.12"]);
}

#[test]
fn what_the_base_brings_is_what_there_is() {
    let mut toy = Toy::default();
    toy.release("runtime", "1.0", &[])
        .release("runtime", "2.0", &[]);
    let rules = rules(vec![
        provides("torch", "cuda", Some("12.6")),
        needs("runtime", ">=2", "cuda", ">=13"),
        needs("runtime", "<2", "cuda", ">=12,<13"),
        // The base's own needs are its own matter.
        needs("torch", ">=0", "driver", ">=999"),
    ]);
    let solution = solved(&on(&["runtime"], base("torch==2.9\n")), &rules, &toy);
    assert_eq!(chosen(&solution), "runtime 1.0");
}

#[test]
fn extras_of_what_is_there_bring_what_they_ask_for() {
    let mut toy = Toy::default();
    toy.release("tool", "1.0", &["plain", "deep ; extra == 'more'"])
        .release("deep", "3.0", &[])
        .release("plain", "1.0", &[]);
    let solution = solved(
        &on(&["tool[more]"], base("tool==1.0\n")),
        &rules(Vec::new()),
        &toy,
    );
    assert_eq!(chosen(&solution), "deep 3.0");
}

#[test]
fn a_version_that_the_base_does_not_tell_meets_everything() {
    let mut toy = Toy::default();
    toy.release("tool", "1.0", &["gateway>=7"]);
    let there = base("gateway @ git+https://github.com/example/gateway@b134e99\n");
    let solution = solved(&on(&["tool", "gateway<2"], there), &rules(Vec::new()), &toy);
    assert_eq!(chosen(&solution), "tool 1.0");
    assert_eq!(solution.installed[&name("gateway")], None);
}
