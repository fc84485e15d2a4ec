//! What is said and advised where a name, a number or a build was not meant as written.

mod support;

use mlresolve::explain::{Changes, Graph, Message, Study, diagnose, wanted, why, why_not};
use mlresolve::lock::read_requirements;
use mlresolve::request::Request;
use mlresolve::rules::{Grounds, RuleKind, VersionRange};
use mlresolve::solve::{Outcome, Solution};
use mlresolve::target::Accelerator;
use mlresolve::{RuleSet, Target};
use support::{
    Release, Toy, broken, constrain, dependency, line, request, rules, specifiers, target,
};

/// The message of a request without a solution, in one line.
fn conflict(toy: &Toy, lines: &[&str], rules: &RuleSet) -> String {
    conflict_on(&target(), toy, lines, rules)
}

fn conflict_on(target: &Target, toy: &Toy, lines: &[&str], rules: &RuleSet) -> String {
    let request = request(lines);
    let study = Study::new(target, rules, toy);
    let diagnosis = diagnose(&study, &request)
        .expect("toy facts never fail")
        .expect("there is no solution");
    let message = Message::new(&diagnosis, &study, &request).expect("toy facts never fail");
    in_one_line(&message.render())
}

fn in_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn solved(study: &Study<'_>, request: &Request) -> Box<Solution> {
    match study.solve(request).expect("toy facts never fail") {
        Outcome::Solved(solution) => solution,
        Outcome::Unsolvable(conflict) => panic!("{conflict:?}"),
    }
}

/// The answer to a question, in one line.
fn asked(toy: &Toy, lines: &[&str], rules: &RuleSet, question: &str) -> String {
    let (target, request) = (target(), request(lines));
    let study = Study::new(&target, rules, toy);
    let solution = solved(&study, &request);
    let text = if let Ok(package) = question.parse() {
        why(&package, &study, &request, &solution)
            .expect("toy facts never fail")
            .expect("it is locked")
            .render()
    } else {
        let line = wanted(&dependency(question), question).expect("it can be asked about");
        why_not(&line, &study, &request, &solution)
            .expect("toy facts never fail")
            .render()
    };
    in_one_line(&text)
}

fn numpy() -> Toy {
    let mut toy = Toy::default();
    for release in ["1.25.2", "1.26.4", "2.0.0", "2.4.6"] {
        toy.release("numpy", release, &[]);
    }
    toy
}

#[test]
fn a_release_that_there_is_not() {
    let none = RuleSet::default();
    let told = conflict(&numpy(), &["numpy==1.26.5"], &none);
    let there = "there is no numpy 1.26.5: the releases for this target beside it are 1.26.4 and \
                 2.0.0.";
    assert!(told.contains(there), "{told}");
    let (lower, upper) = (
        told.find("`numpy==1.26.4` instead of `numpy==1.26.5`"),
        told.find("`numpy==2.0.0` instead of `numpy==1.26.5`"),
    );
    assert!(lower.is_some() && lower < upper, "{told}");
    // One that does not go with the rest is no advice.
    let told = conflict(&numpy(), &["numpy==1.26.5", "numpy<2"], &none);
    assert!(told.contains("`numpy==1.26.4`"), "{told}");
    assert!(!told.contains("`numpy==2.0.0`"), "{told}");
    let told = conflict(&numpy(), &["numpy==3.1"], &none);
    assert!(
        told.contains("there is no numpy 3.1: the newest release for this target is 2.4.6."),
        "{told}"
    );
    let told = conflict(&numpy(), &["numpy==1.0"], &none);
    assert!(
        told.contains("there is no numpy 1.0: the oldest release for this target is 1.25.2."),
        "{told}"
    );
}

#[test]
fn a_name_that_is_written_for_another() {
    let mut toy = numpy();
    toy.release("pytorch", "0.1.2", &[])
        .release("pytorch", "1.0.2", &[])
        .release("torch", "2.2.2", &[]);
    let rules = rules(vec![broken("pytorch", "<=1.0.2")]);
    let told = conflict(&toy, &["numpy", "pytorch"], &rules);
    assert!(
        told.contains("(it was tried): `torch` instead of `pytorch` (line 2): torch 2.2.2"),
        "{told}"
    );
    assert!(
        told.contains("each of the 2 releases of pytorch is broken"),
        "{told}"
    );
    // What does not solve it is no advice.
    let told = conflict(&toy, &["numpy", "pytorch==1.0.2"], &rules);
    assert!(!told.contains("`torch==1.0.2`"), "{told}");
}

/// What limits a release now is told, though there is a way round it.
#[test]
fn what_limits_where_there_is_a_way_round() {
    let mut toy = numpy();
    toy.release("asks", "1.0", &[])
        .release("asks", "2.0", &["numpy"])
        .release("zeal", "1.0", &[]);
    let mut rule = (*constrain("asks", "==2.0", "numpy", "<2")).clone();
    let mut grounds = Grounds::clone(&rule);
    grounds.advice = Some("take asks 1.0".to_owned());
    rule.grounds = grounds.into();
    let rules = rules(vec![rule.into()]);
    let told = asked(&toy, &["asks", "numpy"], &rules, "numpy");
    assert!(told.contains("What to do: take asks 1.0."), "{told}");
    let barrier = "It is kept away by 1. asks 2.0 works only with numpy<2 (rule asks/numpy); it \
                   admits up to 1.26.4";
    assert!(told.contains(barrier), "{told}");
    let way = "No line of yours forbids it: with 2.4.6, 2 packages would change; asks 2.0 would \
               go back to 1.0.";
    assert!(told.contains(way), "{told}");
}

/// To get a newer release of what nothing would need any more is no advice.
#[test]
fn what_is_no_longer_needed_is_not_advised() {
    let mut toy = numpy();
    toy.release("tool", "1.0", &[])
        .release("tool", "2.0", &["lib<2"])
        .release("lib", "1.0", &[])
        .release("lib", "2.0", &[]);
    let told = asked(&toy, &["tool==2.0"], &RuleSet::default(), "lib");
    assert!(
        told.contains("The newest release for this target is 2.0."),
        "{told}"
    );
    assert!(!told.contains("hint:"), "{told}");
    toy.release("tool", "3.0", &["lib>=2"]);
    let told = asked(&toy, &["tool==2.0"], &RuleSet::default(), "lib");
    assert!(told.contains("`tool>=3` instead of `tool==2.0`"), "{told}");
}

/// A false claim is told where it is what would keep a wish from being met.
#[test]
fn a_false_claim_where_it_belongs() {
    let mut toy = numpy();
    toy.release("torch", "2.6.0", &[])
        .release("scipy", "1.0", &["numpy<2.1"]);
    let claim = constrain("torch", ">=2.3", "numpy", "<2");
    let mut rule = (*claim).clone();
    if let RuleKind::Constrain {
        when,
        package,
        versions,
        ..
    } = rule.kind
    {
        rule.kind = RuleKind::Refuted {
            when,
            package,
            versions,
        };
    }
    let rules = rules(vec![rule.into()]);
    let ask = |lines: &[&str], question: &str| asked(&toy, lines, &rules, question);
    let said = "It is often said otherwise";
    assert!(ask(&["torch", "numpy"], "numpy>=2").contains(said));
    assert!(!ask(&["torch", "numpy"], "numpy<1.26").contains(said));
    assert!(!ask(&["torch", "numpy"], "numpy>=2.5").contains(said));
    // Beside what blocks: what does not.
    let told = ask(&["torch", "scipy", "numpy"], "numpy>=2.4");
    assert!(
        told.contains("cannot be had") && told.contains(said),
        "{told}"
    );
}

/// Indexes have dozens of builds of a release: two will do.
#[test]
fn builds_are_told_by_an_example() {
    let mut toy = Toy::default();
    toy.release("xformers", "0.0.35", &[])
        .release("torch", "2.12.0", &[]);
    let works = "<2.11 or ==2.11.0+cpu or ==2.11.0+cu126 or ==2.11.0+cu130";
    let rule = constrain("xformers", "==0.0.35", "torch", "<2.11");
    let mut rule = (*rule).clone();
    if let RuleKind::Constrain { versions, .. } = &mut rule.kind {
        *versions = VersionRange(works.split(" or ").map(specifiers).collect());
    }
    let told = conflict(
        &toy,
        &["torch==2.12.0", "xformers"],
        &rules(vec![rule.into()]),
    );
    let all = "every xformers works only with torch<2.11 or a build such as 2.11.0+cpu or \
               2.11.0+cu130 (rule";
    assert!(told.contains(all), "{told}");
    assert!(!told.contains("cu126"), "{told}");
}

/// A build that there is not is answered with those beside it that run.
#[test]
fn a_build_that_there_is_not() {
    let ours = RuleSet::embedded().expect("the rules that come with the program");
    let mut toy = numpy();
    let wheel = Release {
        tags: Some("cp311-cp311-linux_x86_64".to_owned()),
        ..Release::default()
    };
    for label in ["cpu", "cu124", "cu126"] {
        let index = format!("https://download.pytorch.org/whl/{label}");
        toy.add_at(&index, "torch", &format!("2.6.0+{label}"), &wheel);
    }
    for (stated, offered, not_offered) in [
        (
            &[("cuda", "12.5")][..],
            &["--cuda 12.4", "--cuda 12.6"][..],
            "--cuda cpu",
        ),
        (
            &[("cuda", "cu125")],
            &["--cuda 12.4", "--cuda 12.6"],
            "--cuda cpu",
        ),
        (
            &[("cuda", "12.6"), ("driver", "400.0")],
            &["--cuda cpu"],
            "--cuda 12.4",
        ),
    ] {
        let words = stated
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect();
        let mut target = target();
        target.accelerator = Accelerator::from_words(&words).expect("an accelerator");
        let told = conflict_on(&target, &toy, &["torch"], &ours);
        for option in offered {
            assert!(
                told.contains(&format!("with `{option}`: torch 2.6.0+c")),
                "{told}"
            );
        }
        assert!(!told.contains(not_offered), "{told}");
        assert!(!told.contains("without `torch`"), "{told}");
    }
}

/// Locks do not say ranges: no more is told than follows from who asks.
#[test]
fn what_changed_between_locks() {
    let ours = RuleSet::embedded().expect("the rules that come with the program");
    let graph = |text: &str| Graph::of_lock(&read_requirements(text).lock, &ours);
    let before = graph(
        "torch==2.5.1\n    # via -r a.in\nnumpy==2.4.6\n    # via\n    #   -r a.in\n    #   torch\n\
         triton==3.1.0\n    # via torch\n",
    );
    let after = graph(
        "torch==2.6.0\n    # via\n    #   -r a.in\n    #   lightning\nnumpy==2.2.6\n    # via\n\
         \x20   #   -r a.in\n    #   lightning\ntriton==3.2.0\n    # via torch\n\
         lightning==2.3.3\n    # via -r a.in\nsetuptools==81.0.0\n\
         \x20   # via rule lightning/setuptools-pkg-resources\n",
    );
    let told = Changes::between(&before, &after).render();
    let lines: Vec<&str> = told.lines().skip(2).collect();
    assert_eq!(
        lines,
        [
            "lightning 2.3.3 added: asked for by -r a.in",
            "  setuptools 81.0.0 added: lightning 2.3.3 was added and requires setuptools<82",
            "numpy 2.4.6 -> 2.2.6",
            "torch 2.5.1 -> 2.6.0",
            "  triton 3.1.0 -> 3.2.0: torch went from 2.5.1 to 2.6.0",
        ]
    );
}

/// What an extra asks for and the target has not.
#[test]
fn an_extra_that_nothing_serves() {
    let mut toy = numpy();
    let elsewhere = Release {
        tags: Some("cp311-cp311-win_amd64".to_owned()),
        ..Release::default()
    };
    for release in ["1", "2", "3", "4", "5", "6"] {
        let plugin = format!("plugin>={release},<={release}; extra == 'gpu'");
        toy.release(
            "jax",
            release,
            &["numpy", &plugin, "numpy; extra == 'more'"],
        )
        .add("plugin", release, &elsewhere);
    }
    let none = RuleSet::default();
    let told = conflict(&toy, &["jax[gpu,more]>=1"], &none);
    assert!(
        told.contains("(it was tried): `jax[more]>=1` instead of `jax[gpu,more]>=1`"),
        "{told}"
    );
    let each = "every jax with `[gpu]` requires plugin at one version each, from 1 to 6.";
    assert!(told.contains(each), "{told}");
    let told = asked(&toy, &["jax"], &none, "jax[gpu]>=2");
    assert!(told.contains("cannot be had"), "{told}");
    let told = asked(&toy, &["jax"], &none, "jax[more]>=2");
    assert!(told.contains("Nothing blocks"), "{told}");
}

/// What an override says is not told as what a release says.
#[test]
fn an_override_is_named_where_it_binds() {
    let mut toy = Toy::default();
    toy.release("numpy", "1.26", &[])
        .release("numpy", "2.1", &[])
        .release("scipy", "1.12", &["numpy>=1.22,<1.29"])
        .release("other", "1", &["numpy<2"]);
    let mut request = request(&["scipy", "other", "numpy<3"]);
    request.overrides = vec![line("numpy>=3", 1)];
    let (target, none) = (target(), RuleSet::default());
    let study = Study::new(&target, &none, &toy);
    let diagnosis = diagnose(&study, &request)
        .expect("toy facts never fail")
        .expect("there is no solution");
    let message = Message::new(&diagnosis, &study, &request).expect("toy facts never fail");
    let told = in_one_line(&message.render());
    let place = &request.overrides[0].place;
    assert!(
        told.contains(&format!("your override `numpy>=3` ({place})")),
        "{told}"
    );
}
