//! From a solution to a lock: who asked, what it needs, which hashes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use mlresolve::Lock;
use mlresolve::lock::{
    HashListing, InstallerOptions, LockContext, LockError, RenderOptions, Source, TargetRecord,
    render,
};
use mlresolve::metadata::{File, FileKind, Metadata, Page, Requires, WheelName};
use mlresolve::request::{DirectUrl, Line, LineSource, Place, Request};
use mlresolve::rules::{RuleId, RuleSet};
use mlresolve::solve::{ChangedEdge, Chosen, ChosenOrigin, Edge, EdgeCause, Solution};
use mlresolve::{PackageName, Target};
use pep508_rs::MarkerTree;

use crate::{approve, sample};

const INDEX: &str = "https://user:secret@index.example/simple/";

pub(crate) fn name(text: &str) -> PackageName {
    text.parse().unwrap()
}

/// A file of an index; without a seed, one whose hash the index does not give.
pub(crate) fn file(filename: &str, seed: Option<char>) -> File {
    let package = filename.split('-').next().unwrap().parse().unwrap();
    let kind = FileKind::parse(filename, &package).unwrap();
    File {
        filename: filename.to_owned(),
        url: format!("https://files.example/{filename}"),
        hashes: seed
            .map(|seed| ("sha256".to_owned(), sample::digest(seed)))
            .into_iter()
            .collect(),
        size: Some(10),
        upload_time: None,
        requires_python: None,
        yanked: None,
        sidecar: None,
        version: kind.version().clone(),
        kind,
    }
}

pub(crate) fn chosen(package: &str, version: &str, files: Vec<File>) -> Chosen {
    let metadata = Metadata {
        name: name(package),
        version: version.parse().unwrap(),
        requires_python: Some(">=3.8, <4".parse().unwrap()),
        requires_dist: Requires::new(),
        provides_extras: mlresolve::metadata::Extras::default(),
        repairs: Vec::new(),
        may_differ: false,
    };
    let page = Page::new(name(package), INDEX.to_owned(), &files, 0);
    Chosen {
        version: version.parse().unwrap(),
        extras: BTreeSet::new(),
        metadata: Arc::new(metadata),
        file: files.first().cloned(),
        origin: ChosenOrigin::Index(Arc::new(page)),
        files: files.into(),
        variant: None,
    }
}

fn line(text: &str, file: &str) -> Line {
    let name_end = text
        .find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '-')
        .unwrap_or(text.len());
    let marker = text
        .split_once(';')
        .map_or(MarkerTree::TRUE, |(_, marker)| {
            MarkerTree::parse_str::<url::Url>(marker).unwrap()
        });
    Line {
        name: name(&text[..name_end]),
        extras: Vec::new(),
        source: LineSource::Specifiers("".parse().unwrap()),
        marker,
        text: text.to_owned(),
        hashes: Vec::new(),
        place: Place {
            file: file.into(),
            line: 1,
            column: 1,
        },
    }
}

fn edge(cause: EdgeCause, to: &str, range: &str, pulls_in: bool) -> Edge {
    Edge {
        cause,
        to: name(to),
        extras: Vec::new(),
        range: range.to_owned(),
        pulls_in,
    }
}

fn by(package: &str) -> EdgeCause {
    EdgeCause::Package {
        name: name(package),
        extra: None,
        overridden: None,
    }
}

fn suits(wheel: &WheelName) -> bool {
    wheel
        .platform
        .iter()
        .any(|tag| tag == "any" || tag.contains("linux"))
}

pub(crate) fn context(rules: &RuleSet) -> LockContext<'_> {
    LockContext {
        suits: &suits,
        target: TargetRecord::of(&Target::declared("3.11", "x86_64-manylinux_2_28").unwrap()),
        version: "0.1.0".to_owned(),
        command: "mlresolve lock requirements.in".to_owned(),
        indexes: vec![INDEX.to_owned(), INDEX.to_owned()],
        public_index: Some("https://index.example/simple".to_owned()),
        options: InstallerOptions::default(),
        rules,
        base: None,
        ignored_rules: vec![RuleId("scipy/numpy2-abi".into())],
        hashes: HashListing::Hashes,
        computed_hashes: BTreeMap::new(),
        projects: BTreeMap::from([("pyproject.toml".to_owned(), "project".to_owned())]),
        folder: Some("file:///home/user/repository/".to_owned()),
    }
}

fn solution(packages: Vec<Chosen>, edges: Vec<Edge>) -> Solution {
    Solution {
        packages: packages
            .into_iter()
            .map(|chosen| (chosen.metadata.name.clone(), chosen))
            .collect(),
        edges,
        ..Solution::default()
    }
}

/// One package that one line asks for.
pub(crate) fn alone(chosen: Chosen) -> Solution {
    let to = chosen.metadata.name.to_string();
    solution(vec![chosen], vec![edge(EdgeCause::Line(0), &to, "", true)])
}

pub(crate) fn request(lines: &[&str]) -> Request {
    Request {
        requirements: lines
            .iter()
            .map(|text| line(text, "requirements.in"))
            .collect(),
        ..Request::default()
    }
}

fn changed() -> BTreeSet<ChangedEdge> {
    [
        (
            Some("torch"),
            "sympy",
            "",
            Some("sympy<1.13"),
            "override overrides.txt:1",
        ),
        (Some("torch"), "triton", "==2.1", None, "rule torch/triton"),
        (Some("orphan"), "numpy", "", None, "rule orphan/numpy"),
        (None, "cv2", ">1", Some("cv3>1"), "--provider cv2=cv3"),
    ]
    .into_iter()
    .map(|(from, to, was, now, by)| ChangedEdge {
        from: from.map(name),
        to: name(to),
        was: was.to_owned(),
        now: now.map(ToOwned::to_owned),
        by: by.to_owned(),
    })
    .collect()
}

#[test]
fn everyone_who_asked_is_named() {
    let rule = |id: &str, on: &str| EdgeCause::Rule {
        id: RuleId(id.into()),
        name: name(on),
    };
    let mut overridden = by("torch");
    if let EdgeCause::Package { overridden, .. } = &mut overridden {
        *overridden = Some(0);
    }
    let mut solution = solution(
        vec![
            chosen(
                "torch",
                "2.1.2",
                vec![file("torch-2.1.2-cp311-cp311-linux_x86_64.whl", Some('1'))],
            ),
            chosen(
                "numpy",
                "1.26.4",
                vec![file("numpy-1.26.4-cp311-cp311-linux_x86_64.whl", Some('2'))],
            ),
            chosen(
                "sympy",
                "1.12",
                vec![file("sympy-1.12-py3-none-any.whl", Some('3'))],
            ),
            chosen(
                "helper",
                "1.0",
                vec![file("helper-1.0-py3-none-any.whl", Some('4'))],
            ),
            chosen(
                "orphan",
                "1.0",
                vec![file("orphan-1.0-py3-none-any.whl", Some('5'))],
            ),
            chosen(
                "behind",
                "1.0",
                vec![file("behind-1.0-py3-none-any.whl", Some('6'))],
            ),
        ],
        vec![
            edge(EdgeCause::Line(0), "torch", ">=2.1", true),
            edge(EdgeCause::Line(1), "numpy", "", true),
            edge(EdgeCause::Line(2), "torch", "", true),
            edge(EdgeCause::Constraint(0), "numpy", "<3", false),
            // A constraint is none of those who pull in.
            edge(EdgeCause::Constraint(0), "orphan", "", true),
            edge(by("torch"), "torch", "", true),
            edge(by("torch"), "numpy", "", true),
            edge(overridden, "sympy", "", true),
            edge(rule("torch/numpy1-abi", "torch"), "numpy", "<2", false),
            edge(rule("torch/helper", "torch"), "helper", ">=1", true),
            // A rule on something that is not part of the lock.
            edge(rule("orphan/numpy", "orphan"), "numpy", "<9", false),
            edge(by("orphan"), "behind", "", true),
            edge(by("orphan"), "numpy", "", true),
        ],
    );
    solution.rules = ["torch/helper", "torch/numpy1-abi"]
        .into_iter()
        .map(|id| RuleId(id.into()))
        .collect();
    solution.changed = changed();
    let mut request = request(&["torch>=2.1 ; python_version>'3'", "numpy"]);
    request
        .requirements
        .push(line("torch", "pyproject.toml (project.dependencies)"));
    request.requirements[1].marker = MarkerTree::TRUE;
    request.constraints = vec![line("numpy<3", "constraints.txt")];
    request.overrides = vec![line("sympy<1.13", "overrides.txt")];
    request.policy.exclude_newer = Some("2026-11-01T00:00:00Z".parse().unwrap());

    let rules = RuleSet::default();
    let lock = Lock::from_solution(&solution, &request, context(&rules)).unwrap();
    let names: Vec<&str> = lock
        .packages
        .iter()
        .map(|package| package.name.as_ref())
        .collect();
    assert_eq!(names, ["helper", "numpy", "sympy", "torch"]);
    assert_eq!(
        lock.package(&name("torch")).unwrap().dependencies,
        [name("helper"), name("numpy"), name("sympy")]
    );
    let text = render(&lock, &RenderOptions::default());
    assert!(!text.contains("secret"), "{text}");
    approve("from-solution", &text);
    assert_eq!(lock.provenance.indexes, ["https://index.example/simple/"]);
    assert!(lock.options.is_empty(), "the public index needs no line");
}

#[test]
fn a_marker_is_the_users() {
    let rules = RuleSet::default();
    let lock = |lines: &[&str]| {
        let mut solution = alone(chosen(
            "a",
            "1",
            vec![file("a-1-py3-none-any.whl", Some('1'))],
        ));
        for index in 1..lines.len() {
            solution
                .edges
                .push(edge(EdgeCause::Line(index), "a", "", true));
        }
        let lock = Lock::from_solution(&solution, &request(lines), context(&rules)).unwrap();
        lock.packages[0].marker.clone()
    };
    let marker = "python_version > \"3\"".to_owned();
    assert_eq!(lock(&["a"]), None);
    assert_eq!(lock(&["a;python_version>'3'"]), Some(marker.clone()));
    assert_eq!(
        lock(&["a;python_version>'3'", "a ; python_version > '3'"]),
        Some(marker)
    );
    assert_eq!(lock(&["a;python_version>'3'", "a"]), None);
}

fn direct(
    url: &str,
    given: &str,
    commit: Option<&str>,
    archive: Option<File>,
) -> Result<Lock, LockError> {
    let rules = RuleSet::default();
    let mut chosen = chosen("a", "1", Vec::new());
    chosen.file = archive;
    chosen.origin = ChosenOrigin::Direct {
        url: DirectUrl {
            url: url.to_owned(),
            given: given.to_owned(),
            subdirectory: None,
            editable: false,
        },
        commit: commit.map(ToOwned::to_owned),
    };
    Lock::from_solution(&alone(chosen), &request(&["a"]), context(&rules))
}

#[test]
fn repositories_are_pinned_to_a_commit() {
    for (url, expected, revision) in [
        (
            "git+https://u:p@git.example/r.git@v1#egg=a",
            "https://git.example/r.git",
            Some("v1"),
        ),
        (
            "git+https://git.example/r.git",
            "https://git.example/r.git",
            None,
        ),
        (
            "git+ssh://git@git.example/r@a/b@v1",
            "ssh://git@git.example/r@a/b",
            Some("v1"),
        ),
        ("git+ssh://git@git.example", "ssh://git@git.example", None),
        ("git+file:///r@v1", "file:///r", Some("v1")),
    ] {
        let lock = direct(url, url, Some("c0ffee"), None).unwrap();
        let Source::Vcs {
            url: found,
            requested_revision,
            commit,
            ..
        } = &lock.packages[0].source
        else {
            panic!("{url}");
        };
        assert_eq!(found, expected);
        assert_eq!(requested_revision.as_deref(), revision);
        assert_eq!(commit, "c0ffee");
    }
    let error = direct("git+https://git.example/r.git", "", None, None).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`a` comes from version control, and its commit id is not known"
    );
}

#[test]
fn local_things_keep_the_users_path() {
    let wheel = || {
        let mut wheel = file("a-1-py3-none-any.whl", Some('1'));
        wheel.url = "file:///home/user/repository/wheels/a-1-py3-none-any.whl".to_owned();
        Some(wheel)
    };
    let lock = direct(
        "file:///home/user/repository/wheels/a-1-py3-none-any.whl",
        "./wheels/a-1-py3-none-any.whl",
        None,
        wheel(),
    )
    .unwrap();
    assert_eq!(
        lock.packages[0].source,
        Source::Archive {
            url: "./wheels/a-1-py3-none-any.whl".to_owned(),
            given: "./wheels/a-1-py3-none-any.whl".to_owned(),
            subdirectory: None,
        }
    );
    assert_eq!(
        lock.packages[0].files[0].location,
        "./wheels/a-1-py3-none-any.whl"
    );
    let lock = direct("file:///home/user/repository/a", "./a", None, None).unwrap();
    assert_eq!(
        lock.packages[0].source,
        Source::Directory {
            given: "./a".to_owned(),
            editable: false,
            subdirectory: None
        }
    );
    let lock = direct(
        "https://u:p@files.example/a-1-py3-none-any.whl",
        "https://u:p@files.example/a-1-py3-none-any.whl",
        None,
        Some(file("a-1-py3-none-any.whl", Some('1'))),
    )
    .unwrap();
    assert!(!render(&lock, &RenderOptions::default()).contains("u:p"));
}

#[test]
fn a_release_without_files_is_refused() {
    let rules = RuleSet::default();
    let error = Lock::from_solution(
        &alone(chosen("a", "1", Vec::new())),
        &request(&["a"]),
        context(&rules),
    )
    .unwrap_err();
    assert_eq!(error.to_string(), "`a 1` has no file to list");
}

#[test]
fn the_target_can_be_made_again() {
    let target = Target::declared("3.11", "x86_64-manylinux_2_28").unwrap();
    let record = TargetRecord::of(&target);
    assert_eq!(record.words().unwrap(), target.words());
    let markers: Vec<String> = record
        .markers
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    assert_eq!(
        markers,
        [
            "implementation_name=cpython",
            "platform_machine=x86_64",
            "python_version=3.11",
            "sys_platform=linux"
        ]
    );
    assert_eq!(TargetRecord::default().words(), None);
}
