//! What the rule folder does: to the rules' own cases, and to the users' stacks.
#![expect(
    clippy::disallowed_methods,
    reason = "tests run the program and read its files"
)]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use mlresolve::rules::{Case, CasePlatform, Rule, RuleKind, RuleSet};
use mlresolve::solve::{Outcome, solve};
use mlresolve::{PackageName, Target};
use pep440_rs::Version;
use support::{Release, Toy, request};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn embedded() -> RuleSet {
    RuleSet::embedded().unwrap_or_else(|errors| panic!("{errors}"))
}

/// The distributions whose NumPy C-ABI the base answers for, one way or the other.
const ANSWERED: &[&str] = &[
    "array-record",
    "astropy",
    "av",
    "awkward-cpp",
    "biopython",
    "blis",
    "bottleneck",
    "box2d",
    "casadi",
    "catboost",
    "clarabel",
    "contourpy",
    "coremltools",
    "ctranslate2",
    "cvxpy",
    "dm-tree",
    "ecos",
    "embreex",
    "faiss-cpu",
    "faiss-gpu",
    "faiss-gpu-cu11",
    "faiss-gpu-cu12",
    "fastcluster",
    "faster-coco-eval",
    "fasttext",
    "fbgemm-gpu",
    "gensim",
    "glum",
    "h5py",
    "hdbscan",
    "healpy",
    "hnswlib",
    "jaxlib",
    "lightfm",
    "lightgbm",
    "matplotlib",
    "mediapipe",
    "ml-dtypes",
    "netcdf4",
    "nmslib",
    "numba",
    "numexpr",
    "onnx",
    "onnxruntime",
    "onnxruntime-gpu",
    "open3d",
    "opencv-contrib-python",
    "opencv-contrib-python-headless",
    "opencv-python",
    "opencv-python-headless",
    "osqp",
    "paddlepaddle",
    "pandas",
    "pot",
    "pyarrow",
    "pybigwig",
    "pycocotools",
    "pyemd",
    "pygame",
    "pygrib",
    "pykdtree",
    "pymeshlab",
    "pyproj",
    "pyresample",
    "pysam",
    "python-fcl",
    "pywavelets",
    "pyworld",
    "qdldl",
    "qiskit-aer",
    "quadprog",
    "rasterio",
    "rdkit",
    "ruptures",
    "samplerate",
    "scann",
    "scikit-image",
    "scikit-learn",
    "scikit-surprise",
    "scipy",
    "scs",
    "sentencepiece",
    "shapely",
    "simpleitk",
    "simplejpeg",
    "soxr",
    "spacy",
    "sparse-dot-topn",
    "spglib",
    "statsmodels",
    "stringzilla",
    "ta-lib",
    "tables",
    "tensorflow",
    "tensorflow-addons",
    "tensorflow-cpu",
    "tensorflow-decision-forests",
    "thinc",
    "tiledb",
    "torch",
    "torchao",
    "torchaudio",
    "torchcodec",
    "torchdata",
    "torchrec",
    "torchtext",
    "torchvision",
    "treelite",
    "wordcloud",
    "xformers",
    "xgboost",
];

#[test]
fn every_distribution_has_a_rule_or_a_finding() {
    let page = std::fs::read_to_string(Path::new(ROOT).join("resolver-rules/none-needed.md"))
        .expect("the page");
    let mut known: BTreeSet<String> = page
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.split(" | ").next())
        .flat_map(|names| names.split(", "))
        .map(str::to_owned)
        .collect();
    for rule in embedded().iter() {
        if rule.id.0.contains("/numpy1-abi")
            && let Some(when) = rule.kind.when()
        {
            known.insert(when.package.to_string());
        }
    }
    let missing: Vec<&&str> = ANSWERED
        .iter()
        .filter(|name| !known.contains(**name))
        .collect();
    assert!(missing.is_empty(), "neither rule nor finding: {missing:?}");
}

fn target(case: &Case) -> Target {
    let platform = match case.platform {
        CasePlatform::Linux => "x86_64-manylinux_2_39",
        CasePlatform::LinuxAarch64 => "aarch64-manylinux_2_39",
        CasePlatform::Macos => "macosx_15_0_arm64",
        CasePlatform::MacosX86 => "macosx_15_0_x86_64",
        CasePlatform::Windows => "win_amd64",
    };
    Target::declared(&case.python, platform).expect("a target")
}

/// What is locked where the rule's distribution is pinned as in the case and the limited one
/// may be any of those that the rule's cases name.
fn locked(rule: &Rule, case: &Case, rules: &RuleSet) -> Option<Version> {
    let RuleKind::Constrain { when, package, .. } = &rule.kind else {
        return None;
    };
    let mut toy = Toy::default();
    let mut line = None;
    for (name, version) in &case.packages {
        if *name == when.package {
            toy.release(name.as_ref(), &version.to_string(), &[package.as_ref()]);
            line = Some(format!("{name}=={version}"));
        }
    }
    let mut seen = BTreeSet::new();
    for (name, version) in rule
        .hits
        .iter()
        .chain(&rule.misses)
        .flat_map(|case| &case.packages)
    {
        if name == package && seen.insert(version.clone()) {
            toy.release(name.as_ref(), &version.to_string(), &[]);
        }
    }
    let line = line?;
    match solve(&request(&[&line]), &target(case), rules, &toy).expect("toy facts never fail") {
        Outcome::Solved(solution) => chosen(&solution, package),
        Outcome::Unsolvable(_) => None,
    }
}

fn chosen(solution: &mlresolve::solve::Solution, package: &PackageName) -> Option<Version> {
    solution
        .packages
        .iter()
        .find(|(name, _)| *name == package)
        .map(|(_, chosen)| chosen.version.clone())
}

/// With metadata that says nothing, the rule alone decides: without it a version that it
/// forbids is locked (or, where it asks for newer ones, may be), with it none ever is.
#[test]
fn a_hit_is_locked_without_its_rule_and_not_with_it() {
    let rules = embedded();
    let mut judged = 0;
    for rule in rules.iter() {
        let RuleKind::Constrain { when, versions, .. } = &rule.kind else {
            continue;
        };
        // What other rules say of the same pair is another test's.
        let alone = |is_in_force: bool| {
            let others: Vec<_> = rules
                .iter()
                .filter(|other| !is_in_force || other.id != rule.id)
                .map(|other| other.id.clone())
                .collect();
            rules.without(&others)
        };
        for hit in &rule.hits {
            let with = locked(rule, hit, &alone(true));
            if let Some(version) = &with {
                assert!(
                    versions.contains(version),
                    "{}: {hit} locks {version}",
                    rule.id
                );
            }
            let without = locked(rule, hit, &alone(false))
                .unwrap_or_else(|| panic!("{}: {hit} has no lock without it", rule.id));
            let caps_from_above = !versions.contains(&Version::new([1_000_000]));
            if caps_from_above {
                assert!(
                    !versions.contains(&without),
                    "{}: {hit} is safe anyway",
                    rule.id
                );
                assert_ne!(Some(&without), with.as_ref());
            }
            judged += 1;
        }
        for miss in &rule.misses {
            let [with, without] = [true, false].map(|force| locked(rule, miss, &alone(force)));
            let markers = miss.markers().expect("a version of Python");
            let affected = miss
                .packages
                .iter()
                .any(|(name, version)| *name == when.package && when.applies(version, &markers));
            if affected {
                let admitted = with.is_some_and(|version| versions.contains(&version));
                assert!(admitted, "{}: {miss} has no lock", rule.id);
            } else {
                assert_eq!(with, without, "{}: {miss}", rule.id);
            }
        }
    }
    assert!(judged > 100, "{judged} hits");
}

/// A wheel as `mlresolve rules record` wrote it.
#[derive(serde::Deserialize)]
struct Recorded {
    file: String,
    requires_python: Option<String>,
    requires: Vec<String>,
}

/// What the index said of the releases in the rules' cases.
struct Index(BTreeMap<(PackageName, Version), Vec<Recorded>>);

impl Index {
    fn read() -> Self {
        let path = Path::new(ROOT).join("tests/fixtures/rules/index.jsonl");
        let text = std::fs::read_to_string(path).expect("the recorded index");
        let mut index: BTreeMap<_, Vec<Recorded>> = BTreeMap::new();
        for line in text.lines().skip(1) {
            let recorded: Recorded = serde_json::from_str(line).expect("a recorded wheel");
            let mut parts = recorded.file.split('-');
            let name = parts.next().and_then(|name| name.parse().ok());
            let version = parts.next().and_then(|version| version.parse().ok());
            let release = (name.expect("a name"), version.expect("a version"));
            index.entry(release).or_default().push(recorded);
        }
        Self(index)
    }

    /// The lock of the pins and nothing else but what they require of each other.
    ///
    /// `None` where a release was not recorded: it has no wheel for the case's target.
    fn lock(
        &self,
        pins: &[(PackageName, Version)],
        offered: &[(PackageName, Version)],
        case: &Case,
        rules: &RuleSet,
    ) -> Option<Result<BTreeSet<PackageName>, ()>> {
        let mut toy = Toy::default();
        for (name, version) in offered {
            let Some(wheels) = self.0.get(&(name.clone(), version.clone())) else {
                if pins.contains(&(name.clone(), version.clone())) {
                    return None;
                }
                continue;
            };
            for wheel in wheels {
                let tags: Vec<&str> = wheel
                    .file
                    .trim_end_matches(".whl")
                    .rsplitn(4, '-')
                    .collect();
                toy.add(
                    name.as_ref(),
                    &version.to_string(),
                    &Release {
                        requires: wheel
                            .requires
                            .iter()
                            .filter(|text| {
                                let required = support::dependency(text).name;
                                offered.iter().any(|(name, _)| *name == required)
                            })
                            .cloned()
                            .collect(),
                        python: wheel.requires_python.clone(),
                        tags: Some(format!("{}-{}-{}", tags[2], tags[1], tags[0])),
                        ..Release::default()
                    },
                );
            }
        }
        let lines: Vec<String> = pins
            .iter()
            .map(|(name, version)| format!("{name}=={version}"))
            .collect();
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        match solve(&request(&lines), &target(case), rules, &toy).expect("toy facts never fail") {
            Outcome::Solved(solution) => Some(Ok(solution.packages.keys().cloned().collect())),
            Outcome::Unsolvable(_) => Some(Err(())),
        }
    }
}

/// The cases on what the index says of their releases: a hit's pins lock without the rule and
/// not with it, or, where the rule pulls a distribution in, without and with that one; the
/// pins of a miss lock as before. What the releases' own metadata forbids is told, since such a
/// hit shows nothing; each rule that limits has another one, or is on the approved list.
#[test]
fn the_cases_hold_on_what_the_index_recorded() {
    let rules = embedded();
    let index = Index::read();
    let none = rules.without(&rules.iter().map(|rule| rule.id.clone()).collect::<Vec<_>>());
    let mut told = String::new();
    let mut judged = 0;
    for rule in rules.iter() {
        let offered: Vec<_> = rule
            .hits
            .iter()
            .chain(&rule.misses)
            .flat_map(|case| case.packages.iter().cloned())
            .collect();
        let alone = rules.without(
            &rules
                .iter()
                .filter(|other| other.id != rule.id)
                .map(|other| other.id.clone())
                .collect::<Vec<_>>(),
        );
        let mut shown = false;
        let cases = rule.hits.iter().chain(&rule.misses).enumerate();
        for (at, case) in cases.filter(|(_, case)| case.virtual_packages.is_empty()) {
            let lock = |rules: &RuleSet| index.lock(&case.packages, &offered, case, rules);
            let (Some(without), Some(with)) = (lock(&none), lock(&alone)) else {
                continue;
            };
            judged += 1;
            if at >= rule.hits.len() {
                assert_eq!(with, without, "{}: {case}", rule.id);
                continue;
            }
            match &rule.kind {
                RuleKind::Constrain { .. } | RuleKind::Slot { .. } | RuleKind::Needs { .. } => {
                    assert!(with.is_err(), "{}: {case} locks", rule.id);
                    shown |= without.is_ok();
                }
                RuleKind::Requires { .. } => {
                    shown |= with != without;
                }
                _ => {
                    assert_eq!(with, without, "{}: {case}", rule.id);
                    shown = true;
                }
            }
        }
        if !shown {
            writeln!(told, "{}", rule.id).expect("a string");
        }
    }
    assert!(judged > 400, "{judged} cases");
    insta::with_settings!({
        snapshot_path => Path::new(ROOT).join("snapshots/approved/rules"),
        prepend_module_to_snapshot => false,
        omit_expression => true,
    }, {
        insta::assert_snapshot!("not-shown-on-recorded-facts", told);
    });
}

fn snapshot(python: &str) -> PathBuf {
    let name = format!("stacks-py{}.snapshot", python.replace('.', ""));
    Path::new(ROOT).join("snapshots/index").join(name)
}

/// The pins of a stack, or the first line of why there are none.
fn lock(python: &str, stack: &str, ignored: &[String]) -> Result<BTreeSet<String>, String> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mlresolve"));
    command
        .current_dir(Path::new(ROOT).join("tests/stacks"))
        .env_clear()
        .args(["lock", stack, "-o", "-", "--no-header", "--no-hashes"])
        .args(["--no-annotate", "--no-config", "--no-build"])
        .args(["--python-version", python])
        .args(["--python-platform", "x86_64-manylinux_2_28"])
        .args(["--exclude-newer", "2026-11-01", "--snapshot"])
        .arg(snapshot(python));
    for id in ignored {
        command.args(["--ignore-rule", id]);
    }
    let output = command.output().expect("the program runs");
    if output.status.success() {
        let text = String::from_utf8(output.stdout).expect("UTF-8");
        Ok(text
            .lines()
            .filter(|line| line.contains("=="))
            .map(str::to_owned)
            .collect())
    } else {
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        Err(text.lines().next().unwrap_or_default().to_owned())
    }
}

const STACKS: &[(&str, &str)] = &[
    ("3.11", "yolov5-torch21/requirements.in"),
    ("3.11", "yolov5-torch21/requirements-full.in"),
    ("3.11", "torch222/requirements.in"),
    ("3.11", "torch222/requirements-numpy2.in"),
    ("3.10", "docker-numpy2-upgrade/before-full.in"),
    ("3.11", "docker-numpy2-upgrade/before.in"),
    ("3.11", "docker-numpy2-upgrade/after.in"),
    ("3.11", "docker-numpy2-upgrade/rollback.in"),
    ("3.11", "embeddings-numpy2-migration/requirements.in"),
    ("3.11", "embeddings-numpy2-migration/requirements-full.in"),
    ("3.11", "embeddings-numpy2-migration/requirements-numpy2.in"),
    ("3.12", "colab-notebook/v3.0.in"),
    ("3.12", "colab-notebook/v3.2.in"),
];

/// The whole base against none of its constraints, on the recorded stacks. Where a rule
/// changes what is here, review it and approve (`INSTA_UPDATE=always cargo test --test
/// rules_effect`).
#[test]
fn the_effect_of_the_base_on_the_stacks() {
    let all: Vec<String> = embedded()
        .iter()
        .filter(|rule| !matches!(rule.kind, RuleKind::Family { .. }))
        .map(|rule| rule.id.to_string())
        .collect();
    let mut told = String::new();
    for (python, stack) in STACKS {
        writeln!(told, "{stack} (Python {python})").expect("a string");
        match (lock(python, stack, &all), lock(python, stack, &[])) {
            (Ok(without), Ok(with)) => {
                for pin in without.difference(&with) {
                    writeln!(told, "  - {pin}").expect("a string");
                }
                for pin in with.difference(&without) {
                    writeln!(told, "  + {pin}").expect("a string");
                }
            }
            (without, with) => {
                for (sign, result) in [('-', without), ('+', with)] {
                    let text = result.map_or_else(|message| message, |_| "a lock".to_owned());
                    writeln!(told, "  {sign} {text}").expect("a string");
                }
            }
        }
    }
    assert!(told.contains("+ numpy==1.26.4"), "{told}");
    insta::with_settings!({
        snapshot_path => Path::new(ROOT).join("snapshots/approved/rules"),
        prepend_module_to_snapshot => false,
        omit_expression => true,
    }, {
        insta::assert_snapshot!("effect", told);
    });
}
