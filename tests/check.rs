//! Judging what exists, on a toy rule folder: locks, requirements, environments.
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot build its world should stop"
)]

mod support;

use std::collections::BTreeMap;

use mlresolve::RuleSet;
use mlresolve::check::read;
use mlresolve::check::render::{self, Report};
use mlresolve::check::{
    Changed, Distribution, Entry, FileState, Finding, RecordedFile, Severity, Subject, Wanted, fix,
    judge, judge_files, judge_index, merge,
};
use mlresolve::rules::Sharing;
use mlresolve::solve::{Facts, indexed_metadata};
use support::{Toy, constrain, line, name, requires, rules, slot, specifiers, target, version};

fn our_rules() -> RuleSet {
    rules(vec![
        constrain("torch", "<2.3", "numpy", "<2"),
        requires("torch", "<2.3", "helper", ">=1"),
        slot("cv2", &["cv", "cv-headless"], Sharing::SameVersion),
    ])
}

fn pins(text: &str) -> Subject {
    Subject {
        changed: Vec::new(),
        name: "requirements.txt".to_owned(),
        format: "requirements",
        entries: (1..)
            .zip(text.split_whitespace())
            .map(|(number, pin)| {
                let (package, release) = pin.split_once("==").unwrap();
                let mut entry = Entry::new(name(package), Wanted::Exactly(version(release)));
                entry.line = Some(number);
                entry
            })
            .collect(),
        requires_python: None,
        complete: false,
    }
}

fn told(findings: &[Finding]) -> Vec<String> {
    findings
        .iter()
        .map(|finding| {
            let place = finding
                .place
                .as_ref()
                .map_or_else(String::new, |place| format!(" at {}", place.line));
            format!("{}{place}: {}", finding.severity.word(), finding.message)
        })
        .collect()
}

#[test]
fn a_broken_rule_is_found_where_it_stands_and_its_repair_is_silent() {
    let broken = pins("numpy==2.1 torch==2.2 cv==4.1 cv-headless==4.2");
    let found = judge(&broken, &target(), &our_rules());
    assert_eq!(
        told(&found),
        [
            "error at 3: cv 4.1 and cv-headless 4.2 overwrite each other's files under `cv2`",
            "error at 2: torch 2.2 works with numpy<2 only, and numpy is 2.1",
        ]
    );
    let repaired = pins("numpy==1.26 torch==2.2 cv==4.2");
    assert_eq!(told(&judge(&repaired, &target(), &our_rules())), [""; 0]);
    let sharing = pins("cv==4.2 cv-headless==4.2");
    assert_eq!(
        told(&judge(&sharing, &target(), &our_rules())),
        ["warning at 1: cv and cv-headless install the same files under `cv2`"]
    );
    // Where the files are the same at one version, that is how they are meant.
    let identical = rules(vec![slot(
        "cv2",
        &["cv", "cv-headless"],
        Sharing::IdenticalAtOneVersion,
    )]);
    assert_eq!(told(&judge(&sharing, &target(), &identical)), [""; 0]);
    assert_eq!(judge(&broken, &target(), &identical).len(), 1);
}

#[test]
fn what_is_left_open_where_a_rule_bounds_it_is_told() {
    let lines = [line("torch==2.2", 1), line("numpy", 2)];
    let open = read::requirements(&lines, "requirements.txt");
    let found = judge(&open, &target(), &our_rules());
    assert_eq!(
        told(&found),
        [
            "warning at 2: torch 2.2 works with numpy<2 only, and `numpy` admits 2",
            "note: 1 of 2 lines are not pinned: what they become is known when they are locked",
        ]
    );
    for bounded in ["numpy<2", "numpy>=1.24,<1.27", "numpy==1.26.4"] {
        let lines = [line("torch==2.2", 1), line(bounded, 2)];
        let found = judge(
            &read::requirements(&lines, "requirements.txt"),
            &target(),
            &our_rules(),
        );
        assert!(
            found.iter().all(|one| one.severity == Severity::Note),
            "{bounded}: {found:?}"
        );
    }
    // A range is affected where all of it is, and not where some of it would do.
    for (affected, expected) in [
        (
            "torch>=2.1,<2.2",
            Some(
                "warning at 2: whatever `torch>=2.1,<2.2` admits works with numpy<2 only, and \
                 `numpy` admits 2",
            ),
        ),
        ("torch>=2.1", None),
        ("torch", None),
    ] {
        let lines = [line(affected, 1), line("numpy", 2)];
        let found = judge(
            &read::requirements(&lines, "requirements.txt"),
            &target(),
            &our_rules(),
        );
        let warned = told(&found)
            .into_iter()
            .find(|one| one.starts_with("warning"));
        assert_eq!(warned.as_deref(), expected, "{affected}");
    }
}

#[test]
fn metadata_counts_as_rules_have_it_and_a_lock_must_be_complete() {
    let mut toy = Toy::default();
    toy.release(
        "app",
        "1.0",
        &["lib>=2", "gone", "other ; python_version < '3'"],
    )
    .release("lib", "1.0", &[]);
    let mut lock = pins("app==1.0 lib==1.0");
    lock.complete = true;
    lock.entries[0].metadata =
        indexed_metadata(&name("app"), &version("1.0"), &target(), &toy).unwrap();
    let found = judge(&lock, &target(), &our_rules());
    assert_eq!(
        told(&found),
        [
            "warning at 2: app 1.0 requires `lib>=2`, and lib is 1.0",
            "error at 1: app 1.0 requires `gone`, which is not there",
        ]
    );
    let dropping = rules(vec![
        support::drop_rule("app", "<2", "lib", None),
        support::drop_rule("app", "<2", "gone", None),
    ]);
    assert_eq!(told(&judge(&lock, &target(), &dropping)), [""; 0]);
}

#[test]
fn what_the_options_of_a_lock_changed_counts_as_they_have_it() {
    let mut toy = Toy::default();
    toy.release("vision", "1.0", &["cv>=4"])
        .release("cv-headless", "4.2", &[]);
    let mut lock = pins("vision==1.0 cv-headless==4.2");
    lock.complete = true;
    lock.entries[0].metadata =
        indexed_metadata(&name("vision"), &version("1.0"), &target(), &toy).unwrap();
    let shown = |lock: &Subject| told(&judge(lock, &target(), &our_rules()));
    assert_eq!(
        shown(&lock),
        ["error at 1: vision 1.0 requires `cv>=4`, which is not there"]
    );
    let said = |now: &str| {
        let text = format!("vision 1.0 requires `cv>=4`; --provider cv2=cv-headless {now}");
        Changed::read(&text).unwrap()
    };
    lock.changed = vec![said("has `cv-headless>=4` in its place")];
    assert_eq!(shown(&lock), [""; 0]);
    lock.changed = vec![said("has `cv-headless>=5` in its place")];
    assert_eq!(
        shown(&lock),
        ["warning at 2: vision 1.0 requires `cv-headless>=5`, and cv-headless is 4.2"]
    );
    lock.changed = vec![said("removed it")];
    assert_eq!(shown(&lock), [""; 0]);
}

#[test]
fn a_fix_is_named_only_where_it_was_tried() {
    let mut toy = Toy::default();
    toy.release("numpy", "1.25", &[])
        .release("numpy", "1.26", &[])
        .release("numpy", "2.1", &[])
        .release("pandas", "2.0", &["numpy<1.26"])
        .release("torch", "2.2", &["helper"])
        .release("torch", "2.4", &["numpy>=3"])
        .release("helper", "1.0", &[]);
    let mut subject = pins("numpy==2.1 pandas==2.0 torch==2.2 helper==1.0");
    for entry in &mut subject.entries {
        let release = entry.version().unwrap().clone();
        entry.metadata = indexed_metadata(&entry.name, &release, &target(), &toy).unwrap();
    }
    let mut found = judge(&subject, &target(), &our_rules());
    fix(&mut found, &subject, &target(), &our_rules(), &toy).unwrap();
    let fixes: Vec<String> = found
        .iter()
        .map(|finding| {
            let fix = finding.fix.as_ref().unwrap();
            format!("{} {}", fix.verified, fix.text)
        })
        .collect();
    // 1.26 would end the first finding and leave the second; torch 2.4 starts another.
    assert_eq!(fixes, ["true numpy==1.25", "true numpy==1.25"]);
}

#[test]
fn no_release_that_has_to_be_built_is_a_fix() {
    let mut toy = Toy::default();
    toy.static_source("torch", "2.4", &[])
        .release("torch", "2.2", &[])
        .release("numpy", "2.1", &[]);
    let subject = pins("numpy==2.1 torch==2.2");
    let shown = |toy: &Toy| {
        let mut found = judge(&subject, &target(), &our_rules());
        fix(&mut found, &subject, &target(), &our_rules(), toy).unwrap();
        let fix = found[0].fix.clone().unwrap();
        (fix.text, fix.verified)
    };
    assert_eq!(shown(&toy), ("numpy<2".to_owned(), false));
    toy.release("torch", "2.3", &[]);
    assert_eq!(shown(&toy), ("torch==2.3".to_owned(), true));
}

#[test]
fn the_index_tells_what_was_yanked_or_is_not_there() {
    let mut toy = Toy::default();
    let yanked = support::Release {
        yanked: true,
        ..support::Release::default()
    };
    let windows = support::Release {
        tags: Some("cp311-cp311-win_amd64".to_owned()),
        ..support::Release::default()
    };
    toy.add("old", "1.0", &yanked)
        .add("native", "1.0", &windows)
        .release("good", "1.0", &[]);
    let subject = pins("old==1.0 native==1.0 good==1.0 good==2.0 missing==1.0 requsets==2.0");
    let pages = subject
        .entries
        .iter()
        .map(|entry| (entry.name.clone(), toy.page(&entry.name).ok()))
        .collect();
    let found = judge_index(&subject, &target(), &pages);
    assert_eq!(
        told(&found),
        [
            "warning at 1: old 1.0 was yanked",
            "error at 2: native 1.0 has no file that suits CPython 3.11 on Linux x86_64 with glibc 2.28",
            "error at 4: the index has no good 2.0",
            "error at 5: no index has missing",
            "error at 6: no index has requsets",
        ]
    );
    let fixes: Vec<_> = found
        .iter()
        .map(|finding| Some(finding.fix.as_ref()?.text.as_str()))
        .collect();
    let meant = Some("did you mean `requests`?");
    assert_eq!(fixes, [None, None, Some("good==1.0"), None, meant]);
}

#[test]
fn repairs_of_an_environment_are_commands() {
    let mut subject = pins("torch==2.2 numpy==2.1");
    subject.format = "environment";
    let command = |subject: &Subject| {
        let found = judge(subject, &target(), &our_rules());
        found[0].fix.clone().unwrap().command
    };
    assert_eq!(command(&subject).unwrap(), "uv pip install 'numpy<2'");
    subject.entries.extend(pins("pip==26.3").entries);
    assert_eq!(command(&subject).unwrap(), "pip install 'numpy<2'");
    subject.format = "requirements";
    assert_eq!(command(&subject), None);
}

#[test]
fn hashes_are_all_or_none() {
    let mut subject = pins("a==1 b==1");
    subject.entries[0].hashes = Some(vec!["sha256:00".to_owned()]);
    subject.entries[1].hashes = Some(Vec::new());
    assert_eq!(
        told(&judge(&subject, &target(), &our_rules())),
        ["error at 2: b has no hash, and others have"]
    );
    subject.entries[0].hashes = Some(Vec::new());
    assert_eq!(told(&judge(&subject, &target(), &our_rules())), [""; 0]);
}

#[test]
fn hashes_are_those_of_the_index() {
    let mut toy = Toy::default();
    let on = |tags: &str| support::Release {
        tags: Some(tags.to_owned()),
        ..support::Release::default()
    };
    toy.release("a", "1", &[]).release("b", "1", &[]);
    toy.add("native", "1", &on("cp311-cp311-win_amd64")).add(
        "native",
        "1",
        &on("cp311-cp311-manylinux_2_17_x86_64"),
    );
    let pages = ["a", "b", "native"]
        .map(|package| (name(package), toy.page(&name(package)).ok()))
        .into_iter()
        .collect();
    let real = |package: &str| {
        let page = toy.page(&name(package)).unwrap();
        let files = page.files.of_version(&version("1"));
        let file = page.files.some(&files).unwrap().remove(0);
        format!("sha256:{}", file.sha256().unwrap())
    };
    let zeros = format!("sha256:{}", "0".repeat(64));
    let mut subject = pins("a==1 b==1");
    // One of several is enough for an installer.
    subject.entries[0].hashes = Some(vec![zeros.clone(), real("a")]);
    subject.entries[1].hashes = Some(vec![real("b")]);
    assert_eq!(told(&judge_index(&subject, &target(), &pages)), [""; 0]);
    subject.entries[1].hashes = Some(vec![zeros.clone(), format!("sha256:{}", "1".repeat(64))]);
    assert_eq!(
        told(&judge_index(&subject, &target(), &pages)),
        [
            "error at 2: no file of b 1 has any of the 2 hashes that are listed: installers refuse \
             what https://index.example/simple/ serves"
        ]
    );
    // A lock of another platform's files alone.
    subject.entries[1].hashes = Some(vec![real("native")]);
    subject.entries[1].name = name("native");
    assert_eq!(
        told(&judge_index(&subject, &target(), &pages)),
        [
            "error at 2: no file of native 1 that suits CPython 3.11 on Linux x86_64 with glibc 2.28 \
             has the one hash that is listed"
        ]
    );
    subject.entries[1] = pins("a==1 b==1").entries.remove(1);
    subject.entries[1].hashes = Some(vec![zeros]);
    // What comes from an index of its own is not judged by another one's files.
    for entry in &mut subject.entries {
        entry.index = Some("https://index.example/simple/".to_owned());
    }
    subject.entries.extend(pins("c==1").entries);
    subject.entries[2].index = Some("https://index.example/simple/".to_owned());
    subject.entries[1].index = Some("https://other.example/".to_owned());
    assert_eq!(told(&judge_index(&subject, &target(), &pages)), [""; 0]);
}

fn distribution(package: &str, release: &str, files: &[(&str, &str)]) -> Distribution {
    Distribution {
        name: name(package),
        version: version(release),
        metadata_folder: format!("{package}-{release}.dist-info"),
        managed: false,
        files: files
            .iter()
            .map(|(path, hash)| RecordedFile {
                path: (*path).to_owned(),
                sha256: Some((*hash).to_owned()),
                size: Some(1),
            })
            .collect(),
        wrong: BTreeMap::new(),
        unowned: Vec::new(),
        shadowed: Vec::new(),
        folder: None,
        own_version: None,
        numpy: None,
    }
}

#[test]
fn what_the_system_looks_after_is_let_be() {
    let mut old = distribution("tool", "1", &[("tool/a.py", "x"), ("tool/b.py", "x")]);
    old.wrong.insert("tool/a.py".to_owned(), FileState::Changed);
    old.wrong.insert("tool/b.py".to_owned(), FileState::Changed);
    assert_eq!(judge_files(std::slice::from_ref(&old)).len(), 1);
    old.managed = true;
    let twin = Distribution {
        version: version("2"),
        ..old.clone()
    };
    assert_eq!(told(&judge_files(&[old, twin])), [""; 0]);
    // An environment that sees the system's packages hides them.
    let in_folder = |folder: &str, release: &str| Distribution {
        metadata_folder: format!("{folder}/tool-{release}.dist-info"),
        ..distribution("tool", release, &[])
    };
    let (own, other) = (in_folder("/venv", "1"), in_folder("/usr/lib", "2"));
    assert_eq!(told(&judge_files(&[own.clone(), other])), [""; 0]);
    assert_eq!(judge_files(&[own, in_folder("/venv", "2")]).len(), 1);
}

#[test]
fn files_tell_who_overwrote_whom_and_what_was_half_replaced() {
    let first = distribution("cv", "4.1", &[("cv2/a.so", "x"), ("cv2/b.py", "same")]);
    let second = distribution(
        "cv-headless",
        "4.2",
        &[("cv2/a.so", "y"), ("cv2/b.py", "same")],
    );
    let mut numpy = distribution(
        "numpy",
        "1.26.4",
        &[("numpy/a.py", "x"), ("numpy/b.py", "x")],
    );
    numpy
        .wrong
        .insert("numpy/a.py".to_owned(), FileState::Missing);
    numpy
        .wrong
        .insert("numpy/b.py".to_owned(), FileState::Changed);
    numpy.own_version = Some(version("2.0.2"));
    let mut edited = distribution("tool", "1", &[("tool/a.py", "x"), ("tool/b.py", "x")]);
    edited
        .wrong
        .insert("tool/a.py".to_owned(), FileState::Changed);
    let twice = distribution("tool", "2", &[]);
    let mut all = vec![first, second, numpy, edited, twice];
    // What another distribution has overwritten is told of both, and not as half replaced.
    all[0]
        .wrong
        .insert("cv2/a.so".to_owned(), FileState::Changed);
    assert_eq!(
        told(&judge_files(&all)),
        [
            "error: tool is installed more than once: 1 and 2",
            "error: cv 4.1 and cv-headless 4.2 own the same 2 files, of which 1 differ",
            "error: numpy is 1.26.4 by its metadata and 2.0.2 by its own files",
            "note: tool 1 has a module that was changed",
        ]
    );
}

#[test]
fn one_cause_is_told_once() {
    let mut subject = pins("cv==4.1 cv-headless==4.2");
    subject.complete = true;
    let mut findings = judge(&subject, &target(), &our_rules());
    findings.extend(judge_files(&[
        distribution("cv", "4.1", &[("cv2/a.so", "x")]),
        distribution("cv-headless", "4.2", &[("cv2/a.so", "y")]),
    ]));
    assert_eq!(findings.len(), 2);
    let merged = merge(findings);
    assert_eq!(merged.len(), 1);
    assert_eq!(merged[0].code, "rule");
    assert!(merged[0].evidence[0].contains("own the same 1 files"));
}

#[test]
fn every_format_of_output_holds_every_finding() {
    let subject = pins("numpy==2.1 torch==2.2");
    let mut report = Report {
        subject: subject.name.clone(),
        format: subject.format,
        packages: 2,
        target: "a <target> & more".to_owned(),
        findings: judge(&subject, &target(), &our_rules()),
    };
    report.sort();
    let message = "torch 2.2 works with numpy<2 only, and numpy is 2.1";
    let reports = [report];
    insta::assert_snapshot!("check-text", render::text(&reports));
    assert_eq!(
        render::github(&reports),
        format!(
            "::error file=requirements.txt,line=2,title=rule/torch/numpy::{message}. what \
             torch/numpy says. Fix: numpy<2.\n"
        )
    );
    let json: serde_json::Value = serde_json::from_str(&render::json(&reports)).unwrap();
    assert_eq!(json["subjects"][0]["findings"][0]["message"], message);
    assert_eq!(json["subjects"][0]["findings"][0]["place"]["line"], 2);
    let sarif: serde_json::Value = serde_json::from_str(&render::sarif(&reports, "1.0")).unwrap();
    let result = &sarif["runs"][0]["results"][0];
    assert_eq!(result["ruleId"], "rule/torch/numpy");
    assert_eq!(
        result["locations"][0]["physicalLocation"]["region"]["startLine"],
        2
    );
    let junit = render::junit(&reports);
    assert!(junit.contains("failures=\"1\""), "{junit}");
    assert!(junit.contains("numpy&lt;2 only"), "{junit}");
}

fn shown(subject: &Subject) -> Vec<String> {
    subject
        .entries
        .iter()
        .map(|entry| {
            let release = match &entry.wanted {
                Wanted::Exactly(version) => version.to_string(),
                Wanted::Range(range) => range.to_string(),
                Wanted::Unknown => "?".to_owned(),
            };
            let line = entry.line.unwrap_or_default();
            let hashes = entry.hashes.as_ref().map(Vec::len);
            format!("{line} {} {release} {hashes:?}", entry.name)
        })
        .collect()
}

const UV: &str = r#"version = 1
requires-python = ">=3.10"

[[package]]
name = "app"
version = "0.1.0"
source = { editable = "." }
dependencies = [
    { name = "torch", version = "2.2", source = { registry = "https://index.example/simple" }, marker = "sys_platform == 'linux'" },
    { name = "torch", version = "2.1", source = { registry = "https://index.example/simple" }, marker = "sys_platform != 'linux'" },
]

[package.dev-dependencies]
dev = [{ name = "numpy", extra = ["fast"] }]

[[package]]
name = "numpy"
version = "2.1"
source = { registry = "https://index.example/simple" }
wheels = [
    { url = "https://files.example/numpy-2.1-py3-none-any.whl", hash = "sha256:00" },
]

[package.optional-dependencies]
fast = [{ name = "fastlib" }]

[[package]]
name = "fastlib"
version = "1.0"
source = { registry = "https://index.example/simple" }

[[package]]
name = "torch"
version = "2.1"
source = { registry = "https://index.example/simple" }
resolution-markers = ["sys_platform != 'linux'"]

[[package]]
name = "torch"
version = "2.2"
source = { registry = "https://index.example/simple" }
resolution-markers = ["sys_platform == 'linux'"]

[[package]]
name = "unreached"
version = "1.0"
source = { registry = "https://index.example/simple" }
"#;

#[test]
fn uv_lock_is_read_for_one_environment() {
    let subject = read::uv(UV, "uv.lock", &target().markers).unwrap();
    assert_eq!(
        shown(&subject),
        [
            "17 numpy 2.1 Some(1)",
            "28 fastlib 1.0 Some(0)",
            "39 torch 2.2 Some(0)",
        ]
    );
    assert_eq!(subject.requires_python, Some(specifiers(">=3.10")));
}

#[test]
fn poetry_pdm_and_pipenv_are_read() {
    let poetry = "[[package]]\nname = \"Torch\"\nversion = \"2.2\"\nfiles = [{file = \"a\", hash = \"sha256:00\"}]\nmarkers = \"sys_platform == 'win32'\"\n\n[package.dependencies]\nnumpy = \">=1\"\n\n[metadata]\nlock-version = \"2.1\"\npython-versions = \"^3.10\"\n";
    let subject = read::poetry(poetry, "poetry.lock").unwrap();
    assert_eq!(shown(&subject), ["2 torch 2.2 Some(1)"]);
    assert!(!subject.entries[0].marker.evaluate(&target().markers, &[]));

    let pdm = "[metadata]\nlock_version = \"4.5.0\"\n\n[[package]]\nname = \"torch\"\nversion = \"2.2\"\ndependencies = [\"numpy>=1\"]\nfiles = [{file = \"a\", hash = \"sha256:00\"}]\n\n[[package]]\nname = \"torch\"\nversion = \"2.2\"\nextras = [\"x\"]\ndependencies = [\"torch==2.2\"]\n";
    let subject = read::pdm(pdm, "pdm.lock").unwrap();
    assert_eq!(shown(&subject), ["5 torch 2.2 Some(1)"]);
    let metadata = subject.entries[0].metadata.as_ref().unwrap();
    assert_eq!(metadata.requires_dist[0].name, name("numpy"));

    let pipenv = "{\n \"_meta\": {\"pipfile-spec\": 6, \"hash\": {}},\n \"default\": {\n  \"torch\": {\"version\": \"==2.2\", \"hashes\": [\"sha256:00\"], \"markers\": \"python_version >= '3.8'\"},\n  \"mine\": {\"path\": \".\"}\n },\n \"develop\": {\n  \"numpy\": {\"version\": \"*\"}\n }\n}\n";
    let subject = read::pipfile(pipenv, "Pipfile.lock").unwrap();
    assert_eq!(
        shown(&subject),
        ["5 mine ? None", "4 torch 2.2 Some(1)", "8 numpy  Some(0)"]
    );
}

#[test]
fn a_truncated_or_hostile_lock_is_an_error_with_its_line() {
    let markers = target().markers;
    for (file, text, at) in [
        ("uv.lock", &UV[..UV.len() / 2], "uv.lock:"),
        ("uv.lock", "version = 9\n", "uv.lock:1: version 9"),
        (
            "uv.lock",
            "version = 1\n[[package]]\nname = \"\"\n",
            "uv.lock:3: `` is no name",
        ),
        (
            "uv.lock",
            "version = 1\n[[package]]\nname = \"a\"\nversion = \"one\"\n",
            "uv.lock:4: `one` is no version",
        ),
    ] {
        let error = read::uv(text, file, &markers).unwrap_err().to_string();
        assert!(error.starts_with(at), "{error}");
    }
    let cut = "[[package]]\nname = \"a\"\nversion = \"1\"\n";
    for error in [
        read::poetry(cut, "poetry.lock").unwrap_err(),
        read::pdm(cut, "pdm.lock").unwrap_err(),
        read::pdm("[[package]]\nname = 3\n", "pdm.lock").unwrap_err(),
    ] {
        assert!(error.line >= 1, "{error}");
        assert!(!error.detail.is_empty());
    }
    let error = read::pipfile("{\n \"_meta\": {\n", "Pipfile.lock").unwrap_err();
    assert_eq!(error.line, 3, "{error}");
    let wrong = "{\"_meta\": {\"pipfile-spec\": 6},\n\"default\": {\"a\": {\"version\": \"=!\"}}}";
    let error = read::pipfile(wrong, "Pipfile.lock")
        .unwrap_err()
        .to_string();
    assert_eq!(error, "Pipfile.lock:2: `=!` is no version of `a`");
    let deep = "[".repeat(100_000);
    assert!(read::uv(&deep, "uv.lock", &markers).is_err());
    assert!(read::pipfile(&deep, "Pipfile.lock").is_err());
}
