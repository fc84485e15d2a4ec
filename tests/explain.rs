//! Every kind of message, as approved.
#![expect(
    clippy::disallowed_methods,
    reason = "these tests read schemas and may run a browser"
)]

mod support;

use std::path::Path;

use mlresolve::RuleSet;
use mlresolve::explain::{
    Changes, Graph, Message, Study, changes_json, conflict_json, diagnose, wanted, why, why_json,
    why_not, why_not_json,
};
use mlresolve::request::{BuildPolicy, Pin, Request};
use mlresolve::rules::Sharing;
use mlresolve::solve::{Outcome, Solution};
use serde_json::Value;
use support::{Release, Toy, constrain, name, request, rules, slot, target};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn approve(name: &str, content: &str) {
    for line in content.lines() {
        assert!(line.chars().count() <= 80 || !line.contains(' '), "{line}");
    }
    insta::with_settings!({
        snapshot_path => Path::new(ROOT).join("snapshots/approved/explain"),
        prepend_module_to_snapshot => false,
        omit_expression => true,
    }, {
        insta::assert_snapshot!(name, content);
    });
}

/// The message of a request without a solution, and the same as JSON.
fn conflict(name: &str, toy: &Toy, request: &Request, rules: &RuleSet) {
    let target = target();
    let study = Study::new(&target, rules, toy);
    let diagnosis = diagnose(&study, request)
        .expect("toy facts never fail")
        .expect("there is no solution");
    let message = Message::new(&diagnosis, &study, request).expect("toy facts never fail");
    check("conflict", &conflict_json(&diagnosis, &message, request));
    approve(name, &message.render());
}

/// Releases of NumPy and what was compiled against it.
fn numpy() -> Toy {
    let mut toy = Toy::default();
    toy.release("numpy", "1.25.0", &[])
        .release("numpy", "1.26.4", &[])
        .release("numpy", "2.0.0", &[])
        .release("numpy", "2.4.6", &[])
        .release("torch", "2.1.2", &[])
        .release("torch", "2.2.2", &[])
        .release("torch", "2.3.0", &[])
        .release("torch", "2.3.1", &[])
        .release("torchvision", "0.17.2", &["torch==2.2.2", "numpy"])
        .release("torchvision", "0.18.1", &["torch==2.3.1", "numpy"])
        .release("scipy", "1.12.0", &["numpy>=1.22.4,<1.29.0"])
        .release("scipy", "1.13.1", &["numpy>=1.22.4,<2.3"])
        .release("scipy", "1.17.1", &["numpy>=1.26.4"])
        .release("pandas", "2.1.4", &["numpy>=1.22.4"])
        .release("pandas", "2.2.2", &["numpy>=1.22.4"]);
    toy
}

fn numpy_rules() -> RuleSet {
    rules(vec![
        constrain("torch", "<2.3.0", "numpy", "<2"),
        constrain("pandas", "<2.2.2", "numpy", "<2"),
    ])
}

fn solved(study: &Study<'_>, request: &Request) -> Box<Solution> {
    match study.solve(request).expect("toy facts never fail") {
        Outcome::Solved(solution) => solution,
        Outcome::Unsolvable(conflict) => panic!("{conflict:?}"),
    }
}

#[test]
fn a_rule_between_two_lines() {
    let lines = request(&["torch==2.2.2", "numpy>=2.0"]);
    conflict("rule", &numpy(), &lines, &numpy_rules());
}

#[test]
fn several_blockers_of_one_line() {
    let lines = request(&["torch<2.3", "pandas<2.2", "scipy<1.13", "numpy>=2"]);
    conflict("several-blockers", &numpy(), &lines, &numpy_rules());
}

#[test]
fn independent_conflicts() {
    let mut toy = numpy();
    toy.release("a", "1", &["b<2"])
        .release("b", "1", &[])
        .release("b", "2", &[]);
    let lines = request(&["torch==2.2.2", "a", "numpy>=2", "b>=2"]);
    conflict("independent", &toy, &lines, &numpy_rules());
}

#[test]
fn metadata_along_a_chain() {
    let lines = request(&["torchvision==0.17.2", "torch>=2.3"]);
    conflict("metadata", &numpy(), &lines, &RuleSet::default());
}

/// What a line's own distribution requires is told, not a detour that comes to the same.
#[test]
fn a_direct_requirement_beside_detours() {
    let mut toy = numpy();
    toy.release("attention", "1.0", &["torch==2.2.2"])
        .release(
            "serve",
            "1.0",
            &["attention==1.0", "torch==2.2.2", "xkernels"],
        )
        .release("xkernels", "1.0", &["ylayers"])
        .release("ylayers", "1.0", &["torch==2.2.2"]);
    let lines = request(&["serve==1.0", "torch>=2.3"]);
    conflict("direct", &toy, &lines, &RuleSet::default());

    toy.release("dtypes", "1.0", &[])
        .release("flow", "1.0", &["dtypes==1.0", "numpy<2"]);
    let rules = rules(vec![constrain("dtypes", "<2", "numpy", "<2")]);
    conflict(
        "direct-beside-a-rule",
        &toy,
        &request(&["flow", "numpy>=2"]),
        &rules,
    );
}

#[test]
fn a_constraint_takes_part() {
    let mut lines = request(&["torchvision==0.18.1"]);
    lines.constraints = vec![support::line("torch<2.3", 1)];
    lines.constraints[0].place.file = "constraints.txt".into();
    conflict("constraint", &numpy(), &lines, &RuleSet::default());
}

/// Several distributions that install the same files: lines for them, or who asks for them.
#[test]
fn one_import_path_filled_twice() {
    let members = ["opencv-python", "opencv-python-headless"];
    let rules = rules(vec![slot("cv2", &members, Sharing::SameVersion)]);
    let mut toy = numpy();
    for member in members {
        toy.release(member, "4.9.0.80", &[])
            .release(member, "4.10.0.84", &[]);
    }
    toy.release("augment", "1.0", &["opencv-python-headless>=4.10"]);
    let lines = request(&["opencv-python<4.10", "opencv-python-headless==4.10.0.84"]);
    conflict("slot-lines", &toy, &lines, &rules);
    let lines = request(&["opencv-python<4.10", "augment"]);
    conflict("slot-asked", &toy, &lines, &rules);
}

/// The newest release that suits bounds the edit from above, by what does not suit.
#[test]
fn an_older_release_for_an_older_python() {
    let mut toy = Toy::default();
    let newer = Release {
        python: Some(">=3.99".to_owned()),
        ..Release::default()
    };
    toy.release("tool", "1.12", &[])
        .release("tool", "1.13", &[])
        .add("tool", "1.14", &newer)
        .add("tool", "1.17", &newer);
    let lines = request(&["tool==1.17"]);
    conflict("older-python", &toy, &lines, &RuleSet::default());
}

/// What is not known of a source distribution is no reason: the conflict is elsewhere.
#[test]
fn a_source_that_nobody_looked_into() {
    let mut toy = numpy();
    toy.source("charts", "0.9", &[])
        .release("flow", "1.0", &["torch<2.3", "charts"]);
    let lines = request(&["flow", "torch>=2.3"]);
    conflict("source-unread", &toy, &lines, &RuleSet::default());
}

/// What a fix needs of a source distribution is read, as long as nothing has to be built.
#[test]
fn a_fix_that_needs_a_source() {
    let lines = request(&["config", "numpy>=2", "torch==2.2.2"]);
    let mut stated = numpy();
    stated
        .static_source("parser", "4.9", &[])
        .release("config", "1.3", &["parser==4.9"]);
    conflict("source-stated", &stated, &lines, &numpy_rules());
    assert_eq!(stated.looked("parser"), ["4.9"]);

    let mut unknown = numpy();
    unknown
        .source("parser", "4.9", &[])
        .release("config", "1.3", &["parser==4.9"]);
    conflict("source-unbuilt", &unknown, &lines, &numpy_rules());
    assert!(unknown.built().is_empty(), "{:?}", unknown.built());
}

/// A fix that was not tried to its end is told beside those that were.
#[test]
fn a_source_that_another_fix_needs() {
    let mut toy = numpy();
    toy.source("parser", "4.9", &[])
        .release("config", "1.0", &["parser==4.9", "numpy<2"])
        .release("config", "2.0", &[]);
    let lines = request(&["config==1.0", "numpy>=2"]);
    conflict("source-unbuilt-beside", &toy, &lines, &RuleSet::default());
    assert!(toy.built().is_empty(), "{:?}", toy.built());
}

/// Releases that would have to be built are passed over, and that is said.
#[test]
fn a_source_that_was_passed_over() {
    let mut toy = numpy();
    toy.source("flow", "0.8", &["torch<2.3"])
        .source("flow", "0.9", &["torch<2.3"])
        .release("flow", "1.0", &["torch<2.3"]);
    let lines = request(&["flow", "torch>=2.3"]);
    conflict("source-passed-over", &toy, &lines, &RuleSet::default());
}

#[test]
fn an_unknown_name() {
    let lines = request(&["scipyy", "torch"]);
    conflict("unknown-name", &numpy(), &lines, &RuleSet::default());
}

#[test]
fn a_range_without_a_release() {
    let lines = request(&["numpy>=9"]);
    conflict("no-release", &numpy(), &lines, &RuleSet::default());
}

/// A distribution of which one release can be chosen, and one cannot.
fn limited(content: &Release) -> Toy {
    let mut toy = Toy::default();
    toy.release("tool", "1.0", &[]).add("tool", "2.0", content);
    toy
}

#[test]
fn another_python() {
    let toy = limited(&Release {
        python: Some(">=3.12".to_owned()),
        ..Release::default()
    });
    conflict("python", &toy, &request(&["tool>=2"]), &RuleSet::default());
}

/// What is said of each release is true of each.
#[test]
fn several_pythons_and_platforms() {
    let mut toy = Toy::default();
    let mut add = |release: &str, python: Option<&str>, tags: Option<&str>| {
        let content = Release {
            python: python.map(str::to_owned),
            tags: tags.map(str::to_owned),
            ..Release::default()
        };
        toy.add("tool", release, &content);
    };
    add("1.0", None, None);
    add("2.0", Some(">=3.12"), None);
    add("2.1", Some(">=3.12"), None);
    add("2.2", Some(">=3.13"), None);
    add("3.0", None, Some("cp312-cp312-win_amd64"));
    add("3.1", None, Some("cp313-cp313-win_amd64"));
    let rules = RuleSet::default();
    conflict("pythons", &toy, &request(&["tool>=2,<3"]), &rules);
    conflict("platforms", &toy, &request(&["tool>=3"]), &rules);
}

/// What a policy of the user's keeps away may not suit the target either: what is known not to
/// is told.
#[test]
fn a_policy_beside_other_reasons() {
    let mut toy = Toy::default();
    let mut add = |release: &str, python: Option<&str>, uploaded: &str| {
        let content = Release {
            python: python.map(str::to_owned),
            uploaded: Some(format!("{uploaded}T10:00:00Z")),
            ..Release::default()
        };
        toy.add("tool", release, &content);
    };
    add("1.0", None, "2026-01-01");
    add("2.0", Some(">=3.12"), "2026-02-01");
    add("2.1", Some(">=3.12"), "2026-03-01");
    add("2.2rc1", Some(">=3.12"), "2026-04-01");
    add("2.3", Some(">=3.12"), "2026-11-05");
    let mut lines = request(&["tool>=2"]);
    lines.policy.exclude_newer = Some("2026-11-02T00:00:00Z".parse().expect("an instant"));
    conflict("mixed-reasons", &toy, &lines, &RuleSet::default());
}

/// One release that was tried is not every release.
#[test]
fn the_only_release_that_could_be_built() {
    let mut toy = limited(&Release {
        tags: Some("cp311-cp311-win_amd64".to_owned()),
        ..Release::default()
    });
    toy.source("build-me", "2.12", &[]);
    let mut lines = request(&["build-me==2.12"]);
    lines.policy.build = BuildPolicy::Never;
    conflict("only-source", &toy, &lines, &RuleSet::default());
}

/// A long chain is told by its ends.
#[test]
fn a_long_chain() {
    let mut toy = numpy();
    let name = |place: usize| format!("link{place:02}");
    for place in 0..40 {
        let next = if place == 39 {
            "numpy<2".to_owned()
        } else {
            name(place + 1)
        };
        toy.release(&name(place), "1.0", &[&next]);
    }
    let lines = request(&["link00", "numpy>=2"]);
    conflict("long-chain", &toy, &lines, &RuleSet::default());
}

#[test]
fn another_platform() {
    let toy = limited(&Release {
        tags: Some("cp311-cp311-win_amd64".to_owned()),
        ..Release::default()
    });
    conflict(
        "platform",
        &toy,
        &request(&["tool>=2"]),
        &RuleSet::default(),
    );
}

#[test]
fn a_yanked_release() {
    let toy = limited(&Release {
        yanked: true,
        ..Release::default()
    });
    conflict("yanked", &toy, &request(&["tool>=2"]), &RuleSet::default());
}

#[test]
fn a_release_after_the_cut_off() {
    let mut toy = Toy::default();
    for (release, uploaded) in [("1.0", "2026-01-01"), ("2.0", "2026-11-05")] {
        let content = Release {
            uploaded: Some(format!("{uploaded}T10:00:00Z")),
            ..Release::default()
        };
        toy.add("tool", release, &content);
    }
    let mut lines = request(&["tool>=2"]);
    lines.policy.exclude_newer = Some("2026-11-02T00:00:00Z".parse().expect("an instant"));
    conflict("too-new", &toy, &lines, &RuleSet::default());
}

#[test]
fn a_pre_release() {
    let mut toy = Toy::default();
    toy.release("tool", "1.0", &[])
        .release("tool", "2.0rc1", &[])
        .release("user", "1.0", &["tool>=1.5"]);
    conflict(
        "pre-release",
        &toy,
        &request(&["user"]),
        &RuleSet::default(),
    );
}

#[test]
fn why_a_version() {
    let (target, rules, toy) = (target(), numpy_rules(), numpy());
    let study = Study::new(&target, &rules, &toy);
    let lines = request(&["torch<2.3", "torchvision", "pandas"]);
    let solution = solved(&study, &lines);
    let answer = why(&name("numpy"), &study, &lines, &solution)
        .expect("toy facts never fail")
        .expect("it is locked");
    check("why", &why_json(&answer));
    approve("why", &answer.render());
}

#[test]
fn why_the_newest() {
    let (target, rules, toy) = (target(), numpy_rules(), numpy());
    let study = Study::new(&target, &rules, &toy);
    let lines = request(&["pandas"]);
    let solution = solved(&study, &lines);
    let answer = why(&name("numpy"), &study, &lines, &solution)
        .expect("toy facts never fail")
        .expect("it is locked");
    approve("why-newest", &answer.render());
}

/// The answer to `why PACKAGE` beside a lock with these pins.
fn why_pinned(snapshot: &str, toy: &Toy, lines: &[&str], pins: &[(&str, &str)], package: &str) {
    let (target, rules) = (target(), numpy_rules());
    let study = Study::new(&target, &rules, toy);
    let mut lines = request(lines);
    for (pinned, at) in pins {
        let pin = Pin {
            version: support::version(at),
            hashes: Vec::new(),
        };
        lines.pins.insert(name(pinned), pin);
    }
    let solution = solved(&study, &lines);
    let answer = why(&name(package), &study, &lines, &solution)
        .expect("toy facts never fail")
        .expect("it is locked");
    check("why", &why_json(&answer));
    approve(snapshot, &answer.render());
}

/// What only a pin keeps is not said to be kept by anything else.
#[test]
fn why_an_old_pin() {
    let old = [("numpy", "1.25.0"), ("pandas", "2.1.4")];
    why_pinned("why-pinned", &numpy(), &["pandas"], &old, "pandas");
    let lines = ["torch==2.2.2", "numpy"];
    why_pinned("why-pinned-below-a-rule", &numpy(), &lines, &old, "numpy");
    // Without the pin alone, another pin still keeps the newest away.
    let mut toy = numpy();
    toy.release("tables", "1.0", &["numpy<2"])
        .release("tables", "2.0", &["numpy>=2"]);
    let old = [("numpy", "1.26.4"), ("tables", "1.0")];
    why_pinned("why-pinned-by-another", &toy, &["tables"], &old, "numpy");
}

/// Two that cannot both be the newest: what would be older is named.
#[test]
fn why_not_the_newest_of_two() {
    let mut toy = Toy::default();
    toy.release("a", "1", &[])
        .release("a", "2", &["b<2"])
        .release("b", "1", &[])
        .release("b", "2", &["a<2"]);
    why_pinned("why-preferred", &toy, &["a", "b"], &[], "b");
}

/// The newest can be had, at the cost of an old release that merely forgot a bound.
#[test]
fn why_not_the_newest_beside_a_forgotten_bound() {
    let mut toy = Toy::default();
    for number in 0..9 {
        toy.release("client", &format!("1.{number}"), &[]);
    }
    for number in 1..5 {
        let bound = format!("client<1.{}", number + 3);
        toy.release("files", &format!("3.{number}"), &[&bound]);
    }
    toy.release("files", "0.1", &["client"]);
    let lines = ["client", "files"];
    why_pinned("why-forgot-a-bound", &toy, &lines, &[], "client");
}

fn ask(name: &str, lines: &[&str], demand: &str) {
    let (target, rules, toy) = (target(), numpy_rules(), numpy());
    let study = Study::new(&target, &rules, &toy);
    let lines = request(lines);
    let solution = solved(&study, &lines);
    let line = wanted(&support::dependency(demand), demand).expect("no direct reference");
    let answer = why_not(&line, &study, &lines, &solution).expect("toy facts never fail");
    check("why-not", &why_not_json(&answer));
    approve(name, &answer.render());
}

#[test]
fn what_blocks() {
    let lines = ["torch<2.3", "torchvision", "pandas<2.2", "numpy<2", "scipy"];
    ask("why-not-blocked", &lines, "numpy>=2");
}

#[test]
fn nothing_blocks() {
    ask("why-not-free", &["pandas", "scipy"], "numpy<2.4");
    ask("why-not-met", &["pandas", "scipy"], "numpy>=2");
}

#[test]
fn what_changed() {
    let (target, rules, toy) = (target(), numpy_rules(), numpy());
    let study = Study::new(&target, &rules, &toy);
    let graph = |lines: &[&str]| {
        let lines = request(lines);
        Graph::of_solution(&solved(&study, &lines), &lines, Some(&study))
            .expect("toy facts never fail")
    };
    let (before, after) = (graph(&["scipy", "pandas"]), graph(&["pandas", "torch<2.3"]));
    let changes = Changes::between(&before, &after);
    check("diff", &changes_json(&changes));
    approve("diff", &changes.render());
    approve("diff-none", &Changes::between(&after, &after).render());
    check("graph", &after.json());
    approve("graph-tree", &after.tree());
    approve("graph-dot", &after.dot());
    approve("graph-mermaid", &after.mermaid());
    page(&after);
}

/// The page is whole, asks for nothing, and shows the graph in a browser where one is there.
fn page(graph: &Graph) {
    let html = graph.html();
    assert!(!html.contains("/*GRAPH*/null"), "the graph is not in it");
    for word in ["<link", "src=", "url(", "import(", "fetch("] {
        assert!(!html.contains(word), "{word} would load something");
    }
    assert!(html.contains("default-src 'none'"));
    let Some(browser) = ["/usr/bin/chromium", "/usr/bin/chromium-browser"]
        .into_iter()
        .find(|path| Path::new(path).is_file())
    else {
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("graph.html");
    std::fs::write(&file, html).expect("the page is written");
    let output = std::process::Command::new(browser)
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
        ])
        .args(["--no-first-run", "--disable-background-networking"])
        .args(["--disable-component-update", "--disable-sync", "--dump-dom"])
        .arg(format!(
            "--user-data-dir={}",
            folder.path().join("profile").display()
        ))
        .arg(format!("file://{}#numpy", file.display()))
        .output()
        .expect("the browser runs");
    let shown = String::from_utf8_lossy(&output.stdout);
    for words in [
        "<h1>numpy 1.26.4</h1>",
        "■ blocks",
        "3 of 3 distributions",
        "rule torch/numpy",
    ] {
        assert!(shown.contains(words), "no {words:?} in\n{shown}");
    }
}

/// Checks a document against its schema: the parts of JSON Schema that ours use.
fn check(schema: &str, document: &Value) {
    let path = Path::new(ROOT).join(format!("schemas/{schema}.schema.json"));
    let text = std::fs::read_to_string(path).expect("the schema is there");
    let schema: Value = serde_json::from_str(&text).expect("the schema is JSON");
    valid(&schema, document, "$");
}

fn valid(schema: &Value, value: &Value, at: &str) {
    if let Some(choices) = schema["enum"].as_array() {
        assert!(
            choices.contains(value),
            "{at}: {value} is none of {choices:?}"
        );
    }
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    match &schema["type"] {
        Value::String(wanted) => assert_eq!(wanted, kind, "{at}"),
        Value::Array(wanted) => assert!(wanted.contains(&Value::from(kind)), "{at}: {kind}"),
        _ => assert!(schema["enum"].is_array(), "{at}: the schema says nothing"),
    }
    if let Value::Array(items) = value {
        for (index, item) in items.iter().enumerate() {
            valid(&schema["items"], item, &format!("{at}[{index}]"));
        }
    }
    if let Value::Object(fields) = value {
        for (name, field) in fields {
            valid(&schema["properties"][name], field, &format!("{at}.{name}"));
        }
        for required in schema["required"].as_array().into_iter().flatten() {
            let name = required.as_str().expect("a name");
            assert!(fields.contains_key(name), "{at} lacks {name}");
        }
    }
}

/// Releases that each pin their own companion do not pin them all at once.
#[test]
fn companions_that_move_together() {
    let mut toy = Toy::default();
    for release in ["5.0", "6.0", "6.1"] {
        let pin = format!("client=={release}");
        toy.release("ui", release, &[pin.as_str()]);
    }
    toy.release("client", "1.0", &[]);
    let lines = request(&["ui>=5", "client"]);
    conflict("companions", &toy, &lines, &RuleSet::default());
}

/// A build that is asked for by its local version is on an index of its own.
#[test]
fn a_build_by_its_local_version() {
    let ours = RuleSet::embedded().expect("the rules that come with the program");
    let lines = request(&["torch==2.2.2+cu121"]);
    conflict("local-version", &numpy(), &lines, &ours);
    let lines = request(&["torchvision==0.17.2+mine"]);
    conflict("local-version-unknown", &numpy(), &lines, &ours);
}
