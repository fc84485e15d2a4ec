//! The rules that come with the program, and what is said of rules that are wrong.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test fails loudly, and reads the rules' schema from the disk"
)]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::str::FromStr;

use mlresolve::rules::{
    Case, CasePlatform, FolderTrust, Grounds, Rule, RuleErrorKind, RuleErrors, RuleKind,
    RuleOrigin, RuleSet, RuleSource, keys,
};
use mlresolve::{PackageName, RuleId};
use pep440_rs::Version;

fn embedded() -> RuleSet {
    RuleSet::embedded().unwrap_or_else(|errors| panic!("{errors}"))
}

fn load(files: &[(&str, &str)]) -> Result<RuleSet, RuleErrors> {
    RuleSet::load(files.iter().map(|(id, text)| RuleSource {
        id,
        origin: RuleOrigin::Embedded,
        text,
    }))
}

fn case(have: &[&str], platform: CasePlatform) -> Case {
    Case {
        packages: have
            .iter()
            .map(|pin| {
                let (name, version) = pin.split_once("==").unwrap();
                (
                    PackageName::from_str(name).unwrap(),
                    Version::from_str(version).unwrap(),
                )
            })
            .collect(),
        virtual_packages: [].into(),
        python: "3.11".to_owned(),
        platform,
    }
}

/// The ids of the rules that the releases break on Linux.
fn broken_by(rules: &RuleSet, have: &[&str]) -> Vec<String> {
    broken_on(rules, have, CasePlatform::Linux)
}

fn broken_on(rules: &RuleSet, have: &[&str], platform: CasePlatform) -> Vec<String> {
    let case = case(have, platform);
    rules
        .violations(&case.packages, &case.markers().unwrap())
        .iter()
        .map(|violation| violation.rule.id.to_string())
        .collect()
}

#[test]
fn the_embedded_rules_are_clean() {
    let errors = RuleSet::lint_embedded();
    assert!(errors.is_empty(), "{}", RuleErrors(errors));
    assert!(!embedded().is_empty());
}

/// What a solve reads of the rules, one by one, is what they say.
#[test]
fn rules_that_are_read_on_demand_are_the_same() {
    let on_demand = RuleSet::embedded_on_demand();
    let whole = embedded();
    let ids = |set: &RuleSet| set.ids().cloned().collect::<Vec<_>>();
    assert_eq!(ids(&on_demand), ids(&whole));
    for rule in whole.iter() {
        let again = on_demand.get(&rule.id.0).unwrap();
        let says = |rule: &Rule| {
            let grounds: &Grounds = rule;
            let terms = (&rule.kind, rule.severity, &rule.origin);
            format!("{terms:?}{grounds:?}")
        };
        assert_eq!(says(again), says(rule));
        for name in rule.names() {
            assert_eq!(on_demand.limits(name), whole.limits(name), "{name}");
            assert_eq!(on_demand.on(name).len(), whole.on(name).len(), "{name}");
        }
    }
}

/// The lint evaluates one rule alone; here a hit must show, and a miss must not, when all
/// rules are in force, through the function that `check` uses.
#[test]
fn every_hit_is_a_violation_and_no_miss() {
    let rules = embedded();
    for rule in rules.iter() {
        let forbids = match &rule.kind {
            RuleKind::Refuted { .. } | RuleKind::Drop { .. } | RuleKind::Provides { .. } => false,
            RuleKind::Slot { sharing, .. } => *sharing != mlresolve::rules::Sharing::Identical,
            _ => true,
        };
        let shows = |case: &Case| {
            rules
                .violations(&case.packages, &case.markers().unwrap())
                .iter()
                .any(|violation| violation.rule.id == rule.id)
        };
        for hit in rule
            .hits
            .iter()
            .filter(|hit| hit.virtual_packages.is_empty())
        {
            assert_eq!(shows(hit), forbids, "hit of {}: {hit}", rule.id);
        }
        for miss in &rule.misses {
            assert!(!shows(miss), "miss of {}: {miss}", rule.id);
        }
    }
}

/// What users' reports are about (`stacks`), both ways: what is broken, and what is not.
#[test]
fn the_reports_are_judged_as_their_binaries_are() {
    let rules = embedded();
    for (have, broken) in [
        (["torch==2.1.2", "numpy==2.2.6"], "torch/numpy1-abi"),
        (["torch==2.2.2", "numpy==2.0.0"], "torch/numpy1-abi"),
        (["torch==2.2.2+cu121", "numpy==2.0.0"], "torch/numpy1-abi"),
        (["scipy==1.12.0", "numpy==2.0.0"], "scipy/numpy1-abi"),
        (["pandas==2.1.4", "numpy==2.0.0"], "pandas/numpy1-abi"),
        (
            ["opencv-python==4.9.0.80", "numpy==2.0.0"],
            "opencv-python/numpy1-abi",
        ),
        (
            ["scikit-image==0.22.0", "numpy==2.0.0"],
            "scikit-image/numpy1-abi",
        ),
    ] {
        assert_eq!(broken_by(&rules, &have), [broken], "{have:?}");
    }
    for sound in [
        ["torch==2.3.1", "numpy==2.0.0"],
        ["torch==2.6.0", "numpy==2.2.6"],
        ["torch==2.2.2", "numpy==1.26.4"],
        ["onnxruntime==1.23.2", "numpy==2.2.6"],
        ["scipy==1.13.0", "numpy==2.0.0"],
        ["pandas==2.2.2", "numpy==2.0.0"],
        ["opencv-python==4.10.0.84", "numpy==2.0.0"],
        ["scikit-image==0.24.0", "numpy==2.0.0"],
        ["transformers==4.51.0", "numpy==2.2.6"],
        ["tokenizers==0.21.4", "numpy==2.2.6"],
        ["bitsandbytes==0.48.2", "numpy==2.2.6"],
        ["torchvision==0.16.2", "numpy==2.0.0"],
    ] {
        assert_eq!(broken_by(&rules, &sound), [""; 0], "{sound:?}");
    }
}

#[test]
fn the_windows_binaries_of_torch_were_later() {
    let rules = embedded();
    let have = ["torch==2.4.0", "numpy==2.0.0"];
    assert_eq!(
        broken_on(&rules, &have, CasePlatform::Windows),
        ["torch/numpy1-abi-windows"]
    );
    assert_eq!(broken_on(&rules, &have, CasePlatform::Linux), [""; 0]);
    assert_eq!(broken_on(&rules, &have, CasePlatform::Macos), [""; 0]);
}

/// The boundary of every ABI rule was read from wheels, on both sides; where no later release
/// was built otherwise, the range ends with what was read (`<=`).
#[test]
fn every_abi_rule_has_evidence_of_both_sides() {
    for rule in embedded().iter() {
        let Some(when) = rule.kind.when() else {
            continue;
        };
        if !rule.id.0.contains("numpy1-abi") {
            continue;
        }
        let shows = |finding: &str| {
            rule.evidence
                .iter()
                .any(|evidence| evidence.finding.starts_with(finding) && evidence.sha256.is_some())
        };
        assert!(
            shows("NumPy 1 only") || (shows("NumPy 1 layout") && shows("run: ")),
            "{} shows no affected wheel",
            rule.id
        );
        assert!(
            shows("NumPy 2 capable")
                || shows("no NumPy C-ABI")
                || (shows("NumPy 1 layout") && shows("run: works"))
                || when.versions.to_string().starts_with("<="),
            "{} shows no unaffected wheel",
            rule.id
        );
    }
}

#[test]
fn what_a_rule_says_has_a_digest_that_its_prose_has_no_part_in() {
    let rewritten = GOOD.replace("was compiled for", "speaks");
    let laid_out = GOOD.replace(
        "when = { package = \"torch\", version = \"<2.3\" }",
        "when.package = 'torch'\nwhen.version = [\"< 2.3\"]",
    );
    let tightened = GOOD.replace("<2.3", "<2.4").replace("2.3.0", "2.4.0");
    let digest = |text: &str| {
        let rules = load(&[("torch/numpy1-abi", text)]).unwrap_or_else(|errors| panic!("{errors}"));
        rules.get("torch/numpy1-abi").unwrap().digest()
    };
    assert_ne!(GOOD, rewritten);
    assert_ne!(GOOD, laid_out);
    assert_eq!(digest(GOOD).len(), 64);
    assert_eq!(digest(GOOD), digest(&rewritten));
    assert_eq!(digest(GOOD), digest(&laid_out));
    assert_ne!(digest(GOOD), digest(&tightened));
}

#[test]
fn a_folder_tightens_and_does_not_loosen() {
    let rules = load(&[("torch/numpy1-abi", GOOD)]).unwrap();
    let folder = |id, text, trust| {
        rules.with_folder(
            [RuleSource {
                id,
                origin: RuleOrigin::Folder("rules/".to_owned()),
                text,
            }],
            trust,
        )
    };
    // It overlaps the embedded rule, and says more: that is what a folder is for.
    let tighter = GOOD
        .replace("<2.3", "<2.4")
        .replace("2.3.0", "2.4.0")
        .replace(
            "then = { package = \"numpy\", version = \"<2\" }",
            "then = { package = \"numpy\", version = \"<1.25\" }",
        );
    let more = folder("torch/ours", &tighter, FolderTrust::Repository).unwrap();
    assert_eq!(
        broken_by(&more, &["torch==2.3.1", "numpy==1.26.4"]),
        ["torch/ours"]
    );

    let error = folder("torch/loose", DROP, FolderTrust::Repository).unwrap_err();
    assert_eq!(
        error.to_string(),
        "rules/torch/loose.toml:1:1: a repository's own rules may not loosen: kind `drop`"
    );
    assert!(folder("torch/loose", DROP, FolderTrust::CommandLine).is_ok());

    let error = folder("torch/numpy1-abi", GOOD, FolderTrust::CommandLine).unwrap_err();
    assert_eq!(
        error.to_string(),
        "rules/torch/numpy1-abi.toml:1:1: the id `torch/numpy1-abi` is used twice"
    );
}

#[test]
fn an_ignored_rule_is_gone() {
    let rules = embedded().without(&[RuleId("torch/numpy1-abi".into())]);
    assert!(rules.get("torch/numpy1-abi").is_none());
    assert_eq!(
        broken_by(&rules, &["torch==2.2.2", "numpy==2.0.0"]),
        [""; 0]
    );
}

#[test]
fn slots_needs_and_broken_releases_are_judged() {
    let slot = r#"
        kind = "slot"
        severity = "corrupts"
        reason = "Both install cv2."
        sources = ["https://example.org/"]
        checked = "2026-11-21"
        slot = "cv2"
        members = ["opencv-python", "opencv-python-headless"]
        sharing = "same-version"
        hit = [{ have = ["opencv-python==4.9.0.80", "opencv-python-headless==4.10.0.84"] }]
        miss = [{ have = ["opencv-python==4.9.0.80", "opencv-python-headless==4.9.0.80"] }]
    "#;
    let provides = r#"
        kind = "provides"
        severity = "degrades"
        reason = "The wheel is cuDNN."
        sources = ["https://example.org/"]
        checked = "2026-11-21"
        when = { package = "nvidia-cudnn-cu12" }
        provides = { cudnn = "version" }
        hit = [{ have = ["nvidia-cudnn-cu12==8.9.2.26"] }]
        miss = [{ have = ["numpy==1.26.4"] }]
    "#;
    let needs = r#"
        kind = "needs"
        severity = "degrades"
        reason = "Linked with cuDNN 9."
        sources = ["https://example.org/"]
        checked = "2026-11-21"
        when = { package = "onnxruntime-gpu", version = ">=1.19,<1.24" }
        needs = { cudnn = ">=9,<10" }
        hit = [{ have = ["onnxruntime-gpu==1.19.0", "@cudnn==8.9.2.26"] }]
        miss = [{ have = ["onnxruntime-gpu==1.19.0", "@cudnn==9.1.0.70"] }]
    "#;
    let rules = load(&[
        ("opencv-python/cv2-slot", slot),
        ("nvidia-cudnn-cu12/provides", provides),
        ("onnxruntime-gpu/cudnn", needs),
    ])
    .unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!(
        broken_by(
            &rules,
            &["onnxruntime-gpu==1.19.0", "nvidia-cudnn-cu12==8.9.2.26"]
        ),
        ["onnxruntime-gpu/cudnn"]
    );
    assert_eq!(
        broken_by(
            &rules,
            &["onnxruntime-gpu==1.19.0", "nvidia-cudnn-cu12==9.1.0.70"]
        ),
        [""; 0]
    );
    // What nothing brings is not known to be wrong.
    assert_eq!(broken_by(&rules, &["onnxruntime-gpu==1.19.0"]), [""; 0]);
    let case = case(
        &[
            "opencv-python-headless==4.9.0.80",
            "opencv-python==4.10.0.84",
        ],
        CasePlatform::Linux,
    );
    let violations = rules.violations(&case.packages, &case.markers().unwrap());
    let told: Vec<String> = violations.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "`opencv-python-headless` 4.9.0.80 with `opencv-python` 4.10.0.84 \
          (rule opencv-python/cv2-slot)"
        ]
    );
}

/// The schema that editors read knows the keys that the parser knows, kind by kind.
#[test]
fn the_schema_knows_the_parsers_keys() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/resolver-rules/rule.schema.json"
    );
    let schema: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let names = |value: &serde_json::Value| -> BTreeSet<String> {
        value
            .as_object()
            .unwrap_or_else(|| panic!("no properties in {value}"))
            .keys()
            .cloned()
            .collect()
    };
    let list = |value: &serde_json::Value| -> BTreeSet<String> {
        serde_json::from_value(value.clone()).unwrap()
    };
    let known =
        |keys: &[&str]| -> BTreeSet<String> { keys.iter().map(|key| (*key).to_owned()).collect() };

    let own: BTreeSet<String> = keys::KINDS
        .iter()
        .flat_map(|kind| keys::of_kind(kind).unwrap().0)
        .chain(keys::COMMON)
        .map(|key| (*key).to_owned())
        .collect();
    assert_eq!(names(&schema["properties"]), own);
    assert_eq!(list(&schema["required"]), known(keys::REQUIRED));
    assert_eq!(
        list(&schema["properties"]["kind"]["enum"]),
        known(keys::KINDS)
    );
    assert_eq!(
        list(&schema["properties"]["severity"]["enum"]),
        known(keys::SEVERITIES)
    );
    assert_eq!(
        list(&schema["properties"]["sharing"]["enum"]),
        known(keys::SHARINGS)
    );
    for (definition, expected) in [
        ("when", keys::WHEN),
        ("then", keys::THEN),
        ("drop", keys::DROP),
        ("evidence", keys::EVIDENCE),
        ("case", keys::CASE),
        ("label", keys::LABEL),
        ("binary", keys::BINARY),
        ("extension", keys::EXTENSION),
        ("virtual", keys::VIRTUAL_PACKAGES),
    ] {
        let properties = &schema["$defs"][definition]["properties"];
        assert_eq!(names(properties), known(expected), "{definition}");
    }
    let platform = &schema["$defs"]["case"]["properties"]["platform"]["enum"];
    assert_eq!(list(platform), known(keys::PLATFORMS));
    // Each kind: what it must have, and that it has nothing of another kind's.
    let kinds = schema["allOf"].as_array().unwrap();
    assert_eq!(kinds.len(), keys::KINDS.len());
    for (kind, then) in keys::KINDS.iter().zip(kinds) {
        assert_eq!(then["if"]["properties"]["kind"]["const"], **kind);
        let (own_keys, required) = keys::of_kind(kind).unwrap();
        assert_eq!(
            list(&then["then"]["required"]),
            known(&own_keys[..required]),
            "{kind}"
        );
        let allowed = list(&then["then"]["propertyNames"]["enum"]);
        assert_eq!(allowed, known(&[keys::COMMON, own_keys].concat()), "{kind}");
    }
}

const GOOD: &str = r#"kind = "constrain"
severity = "corrupts"
reason = "torch before 2.3 was compiled for the NumPy 1.x C-ABI."
sources = ["https://github.com/pytorch/pytorch/issues/107302"]
checked = "2026-11-21"
when = { package = "torch", version = "<2.3" }
then = { package = "numpy", version = "<2" }

[[hit]]
have = ["torch==2.2.2", "numpy==2.0.0"]

[[miss]]
have = ["torch==2.3.0", "numpy==1.26.4"]
"#;

const DROP: &str = r#"kind = "drop"
severity = "degrades"
reason = "The upper bound is false."
sources = ["https://example.org/"]
checked = "2026-11-21"
when = { package = "torch", version = "==2.1.0" }
drop = { package = "numpy" }
hit = [{ have = ["torch==2.1.0"] }]
miss = [{ have = ["torch==2.1.1"] }]
"#;

/// One mistake for each code, made in a rule that is otherwise right: the code, the
/// message, the help and the text under the caret.
#[test]
fn every_mistake_is_told_with_its_place() {
    let mut told = String::new();
    let mut codes = BTreeSet::new();
    for (before, after) in MISTAKES {
        let text = GOOD.replace(before, after);
        assert_ne!(GOOD, text, "`{before}` is not in the rule");
        tell(
            &mut told,
            &mut codes,
            &text,
            load(&[("torch/numpy1-abi", &text)]),
        );
    }
    let misplaced = load(&[("pytorch/numpy1-abi", GOOD)]);
    tell(&mut told, &mut codes, GOOD, misplaced);
    let twice = load(&[("torch/numpy1-abi", GOOD), ("torch/numpy1-abi", GOOD)]);
    tell(&mut told, &mut codes, GOOD, twice);
    let other = GOOD.replace("\"<2\"", "\"<1.20\"").replace(
        "torch==2.3.0\", \"numpy==1.26.4",
        "torch==2.3.0\", \"numpy==1.19.5",
    );
    let overlap = load(&[("torch/numpy1-abi", GOOD), ("torch/old", &other)]);
    tell(&mut told, &mut codes, &other, overlap);
    let loosens = RuleSet::default().with_folder(
        [RuleSource {
            id: "torch/loose",
            origin: RuleOrigin::Folder("rules".to_owned()),
            text: DROP,
        }],
        FolderTrust::Repository,
    );
    tell(&mut told, &mut codes, DROP, loosens);

    insta::assert_snapshot!(told);
    let all: BTreeSet<&str> = RuleErrorKind::CODES.iter().copied().collect();
    assert_eq!(codes, all, "a code that no mistake here leads to");
    assert_eq!(all.len(), RuleErrorKind::CODES.len());
}

fn tell(
    told: &mut String,
    codes: &mut BTreeSet<&'static str>,
    text: &str,
    result: Result<RuleSet, RuleErrors>,
) {
    let errors = result
        .map(|_| text)
        .expect_err("a rule with a mistake does not load");
    for error in errors.0 {
        codes.insert(error.kind.code());
        writeln!(told, "{}\n  {error}", error.kind.code()).unwrap();
        let span = error.place().span.clone();
        writeln!(
            told,
            "  at: {}",
            text.get(span).unwrap().lines().next().unwrap_or("")
        )
        .unwrap();
        if let Some(help) = &error.help {
            writeln!(told, "  help: {help}").unwrap();
        }
    }
}

const MISTAKES: &[(&str, &str)] = &[
    ("kind = ", "kind == "),
    ("severity = \"corrupts\"", "sevrity = \"corrupts\""),
    ("then = { package", "then = { pakage"),
    ("checked", "members = []\nchecked"),
    ("severity = \"corrupts\"\n", ""),
    (", version = \"<2\" }", " }"),
    ("\"<2.3\"", "2.3"),
    ("kind = \"constrain\"", "kind = \"constraint\""),
    ("severity = \"corrupts\"", "severity = \"fatal\""),
    (
        "reason = \"torch before 2.3 was compiled for the NumPy 1.x C-ABI.\"",
        "reason = \" \"",
    ),
    ("package = \"numpy\"", "package = \"num py\""),
    ("\"<2.3\"", "\"<2.3.x\""),
    ("\"torch==2.2.2\"", "\"torch==two\""),
    (
        "\"<2.3\" }",
        "\"<2.3\", marker = \"sys_platform = 'win32'\" }",
    ),
    ("\"<2.3\" }", "\"<2.3\", marker = \"extra == 'gpu'\" }"),
    ("2026-11-21", "21.11.2026"),
    (
        "\n[[hit]]",
        "\n[[evidence]]\nfile = \"a.whl\"\nsha256 = \"12ab\"\nfinding = \"x\"\n\n[[hit]]",
    ),
    (
        "https://github.com/pytorch/pytorch/issues/107302",
        "pytorch issue 107302",
    ),
    ("\"torch==2.2.2\"", "\"torch>=2.2.2\""),
    ("\"torch==2.2.2\"", "\"@cude==12.4\""),
    (
        "sources = [\"https://github.com/pytorch/pytorch/issues/107302\"]\n",
        "",
    ),
    (
        "[[miss]]\nhave = [\"torch==2.3.0\", \"numpy==1.26.4\"]\n",
        "",
    ),
    ("\"torch==2.2.2\"", "\"torch==2.3.0\""),
    (
        "\"torch==2.3.0\", \"numpy==1.26.4\"",
        "\"torch==2.1.0\", \"numpy==2.1.0\"",
    ),
    ("\"<2.3\"", "\">=2.3,<2\""),
    ("\"<2.3\"", "\">=2.0\""),
    (
        "package = \"numpy\", version",
        "package = \"torch\", version",
    ),
];
