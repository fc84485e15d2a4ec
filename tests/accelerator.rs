//! Builds for CUDA and others, chosen with everything else, on builds of torch that indexes have.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test fails loudly, and reads its fixtures from the disk"
)]

mod support;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use mlresolve::explain::{self, Message, Study, diagnose};
use mlresolve::solve::{Outcome, Solution, Warning, eligible_builds, solve};
use mlresolve::target::{Accelerator, sm};
use mlresolve::{RuleSet, Target};
use support::{Release, Toy, name, request};

type Builds = BTreeMap<String, BTreeMap<String, Vec<String>>>;

fn index(label: &str) -> String {
    format!("https://download.pytorch.org/whl/{label}")
}

/// The rules that the program has; read once, since each cell of the table asks for them.
fn rules() -> &'static RuleSet {
    static RULES: LazyLock<RuleSet> =
        LazyLock::new(|| RuleSet::embedded().unwrap_or_else(|errors| panic!("{errors}")));
    &RULES
}

fn target(platform: &str, options: &[(&str, &str)]) -> Target {
    let words = options
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect();
    let mut target = Target::declared("3.11", platform).unwrap();
    target.accelerator = Accelerator::from_words(&words).unwrap();
    target
}

fn release(tags: &str, requires: &[&str]) -> Release {
    Release {
        tags: Some(tags.to_owned()),
        requires: requires.iter().map(|text| (*text).to_owned()).collect(),
        ..Release::default()
    }
}

/// The builds of torch that the indexes have.
fn torch() -> Toy {
    let text = std::fs::read_to_string("tests/fixtures/cuda/builds.json").unwrap();
    let builds: Builds = serde_json::from_str(&text).unwrap();
    let mut toy = Toy::default();
    for (label, versions) in builds {
        for (version, platforms) in versions {
            for platform in platforms {
                let tags = format!("cp311-cp311-{platform}");
                toy.add_at(&index(&label), "torch", &version, &release(&tags, &[]));
            }
        }
    }
    toy
}

const LINUX: &str = "cp311-cp311-linux_x86_64";

/// torch 2.3.1 to 2.5.1 with what goes with them, as the indexes and their metadata have it.
fn stack() -> Toy {
    let mut toy = Toy::default();
    for (torch, vision, cudnn, labels) in [
        (
            "2.3.1",
            "0.18.1",
            "8.9.2.26",
            &["cpu", "cu118", "cu121"][..],
        ),
        (
            "2.4.0",
            "0.19.0",
            "9.1.0.70",
            &["cpu", "cu118", "cu121", "cu124"],
        ),
        (
            "2.5.1",
            "0.20.1",
            "9.1.0.70",
            &["cpu", "cu118", "cu121", "cu124"],
        ),
    ] {
        let of_torch = format!("torch=={torch}");
        for label in labels {
            let mut requires = vec!["numpy".to_owned()];
            if let Some(cuda) = label.strip_prefix("cu12") {
                requires.push(format!("nvidia-cuda-runtime-cu12==12.{cuda}.105"));
                requires.push(format!("nvidia-cudnn-cu12=={cudnn}"));
            }
            let requires: Vec<&str> = requires.iter().map(String::as_str).collect();
            let local = |version: &str| format!("{version}+{label}");
            toy.add_at(
                &index(label),
                "torch",
                &local(torch),
                &release(LINUX, &requires),
            );
            let vision = local(vision);
            toy.add_at(
                &index(label),
                "torchvision",
                &vision,
                &release(LINUX, &[&of_torch]),
            );
            // Third-party files that vendors' indexes carry along.
            toy.add_at(&index(label), "numpy", "1.24.1", &release(LINUX, &[]));
        }
        toy.release(
            "torch",
            torch,
            &["numpy", &format!("nvidia-cudnn-cu12=={cudnn}")],
        );
        toy.release("torchvision", vision, &[&of_torch]);
    }
    for cuda in ["12.1.105", "12.4.105"] {
        toy.release("nvidia-cuda-runtime-cu12", cuda, &[]);
    }
    toy.release("nvidia-cuda-runtime-cu11", "11.8.89", &[]);
    for cudnn in ["8.9.2.26", "9.1.0.70"] {
        toy.release("nvidia-cudnn-cu12", cudnn, &[]);
    }
    toy.release("nvidia-cudnn-cu11", "8.9.6.50", &[]);
    toy.release("onnxruntime-gpu", "1.18.1", &[]);
    toy.release("onnxruntime-gpu", "1.20.0", &[]);
    toy.release("numpy", "1.26.4", &[]);
    toy.release("numpy", "2.1.0", &[]);
    toy
}

fn solved(toy: &Toy, lines: &[&str], target: &Target) -> Solution {
    match solve(&request(lines), target, rules(), toy).unwrap() {
        Outcome::Solved(solution) => *solution,
        Outcome::Unsolvable(_) => panic!("{}", explained(toy, lines, target)),
    }
}

/// Why there is no solution, on one line.
fn explained(toy: &Toy, lines: &[&str], target: &Target) -> String {
    let (rules, request) = (rules(), request(lines));
    let study = Study::new(target, rules, toy);
    let diagnosis = diagnose(&study, &request).unwrap();
    let diagnosis = diagnosis.unwrap_or_else(|| panic!("{lines:?} has a solution"));
    let text = Message::new(&diagnosis, &study, &request).unwrap().render();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn version_of(solution: &Solution, package: &str) -> String {
    solution.packages[&name(package)].version.to_string()
}

fn index_of(solution: &Solution, package: &str) -> String {
    match &solution.packages[&name(package)].origin {
        mlresolve::solve::ChosenOrigin::Index(page) => page.index.clone(),
        mlresolve::solve::ChosenOrigin::Direct { .. } => String::new(),
    }
}

/// What is told of a cell's build, on one line: by `why torch`, or why there is none.
fn told_of(toy: &Toy, target: &Target, solution: Option<&Solution>) -> String {
    let Some(solution) = solution else {
        return explained(toy, &["torch"], target);
    };
    let (rules, request) = (rules(), request(&["torch"]));
    let study = Study::new(target, rules, toy);
    let torch = name("torch");
    let why = explain::why(&torch, &study, &request, solution).unwrap();
    let builds = explain::builds(&torch, &study, &request, solution).unwrap();
    format!("{} {}", why.unwrap().render(), builds.join(" "))
}

/// What the explanation of a cell must name: the driver and the GPU that are stated, and the
/// build that was taken; where none is, what the driver or the GPU does not do.
fn check_explained(place: &str, target: &Target, taken: Option<&Solution>, text: &str) {
    let accelerator = &target.accelerator;
    let driver = accelerator.driver.as_ref().unwrap();
    let gpu = accelerator.gpus.first().map(sm);
    let Some(solution) = taken else {
        let by_driver = text.contains("needs driver") && text.contains(&driver.to_string());
        let by_gpu = gpu.is_some_and(|gpu| text.contains(&gpu));
        let by_platform = text.contains("is not built for");
        assert!(by_driver || by_gpu || by_platform, "{place}: {text}");
        return;
    };
    let build = &solution.builds["pytorch"];
    let gpu = gpu.map_or_else(String::new, |gpu| format!(", {gpu}"));
    let sentence = format!("The build {build} of pytorch was taken for driver {driver}{gpu}.");
    assert!(text.contains(&sentence), "{place}: {text}");
    // Whatever is newer than the driver is told with what it needs.
    for (label, reason) in refused(target) {
        assert!(
            text.contains(&format!("{label} {reason}")),
            "{place}: {text}"
        );
        assert!(
            reason.contains(&format!("and the target has {driver}"))
                || reason.contains("is not built for"),
            "{place}: {reason}"
        );
    }
}

/// The builds of torch that a target does not admit, with the reasons.
fn refused(target: &Target) -> Vec<(String, String)> {
    eligible_builds(rules(), target)
        .into_iter()
        .find(|builds| builds.family == "pytorch")
        .unwrap()
        .refused
}

/// The table was computed without the solver, from the same facts.
#[test]
fn every_cell_of_the_table_is_what_is_solved_and_explained() {
    let toy = torch();
    let table = std::fs::read_to_string("docs/accelerators.md").unwrap();
    let mut platform = "";
    let mut drivers: Vec<&str> = Vec::new();
    let mut cells = 0;
    for line in table.lines() {
        if let Some(title) = line.strip_prefix("## ") {
            platform = match title {
                "Linux x86_64" => "x86_64-manylinux_2_28",
                "Linux aarch64" => "aarch64-manylinux_2_28",
                "Windows" => "windows",
                other => &*other.to_lowercase().leak(),
            };
        }
        let fields: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        if fields[0] == "GPU" {
            drivers = fields[1..].to_vec();
        } else if line.starts_with("| ") && !fields[0].starts_with('-') {
            for (driver, expected) in drivers.iter().zip(&fields[1..]) {
                let driver = driver.strip_prefix("driver ").unwrap();
                let mut options = vec![("driver", driver)];
                if fields[0] != "any" {
                    options.push(("gpu", fields[0]));
                }
                let target = target(platform, &options);
                let place = format!("{platform}, {} with {driver}", fields[0]);
                let solution = (*expected != "none").then(|| solved(&toy, &["torch"], &target));
                if let Some(solution) = &solution {
                    assert_eq!(version_of(solution, "torch"), *expected, "{place}");
                }
                let text = told_of(&toy, &target, solution.as_ref());
                check_explained(&place, &target, solution.as_ref(), &text);
                cells += 1;
            }
        }
    }
    assert_eq!(cells, 4 * 5 * 6);
}

#[test]
fn a_familys_members_come_from_its_index_and_nothing_else_does() {
    let target = target("x86_64-manylinux_2_28", &[("cuda", "12.1")]);
    let solution = solved(
        &stack(),
        &["torch==2.3.1", "torchvision", "numpy<2"],
        &target,
    );
    assert_eq!(version_of(&solution, "torch"), "2.3.1+cu121");
    assert_eq!(version_of(&solution, "torchvision"), "0.18.1+cu121");
    assert_eq!(index_of(&solution, "torchvision"), index("cu121"));
    assert_eq!(version_of(&solution, "numpy"), "1.26.4");
    assert_eq!(
        index_of(&solution, "numpy"),
        "https://index.example/simple/"
    );
    assert_eq!(solution.builds["pytorch"], "cu121");
    // Metadata is each file's own: this build depends on CUDA 12.1.
    assert_eq!(
        version_of(&solution, "nvidia-cuda-runtime-cu12"),
        "12.1.105"
    );
}

#[test]
fn nothing_stated_leaves_the_default_index() {
    let target = target("x86_64-manylinux_2_28", &[]);
    let solution = solved(&stack(), &["torch", "torchvision"], &target);
    assert_eq!(version_of(&solution, "torch"), "2.5.1");
    assert_eq!(
        index_of(&solution, "torch"),
        "https://index.example/simple/"
    );
    assert!(solution.builds.is_empty());
}

#[test]
fn without_cuda_the_builds_for_the_processor_are_taken() {
    let target = target("x86_64-manylinux_2_28", &[("torch-backend", "cpu")]);
    let solution = solved(&stack(), &["torch", "torchvision"], &target);
    assert_eq!(version_of(&solution, "torchvision"), "0.20.1+cpu");
    assert!(!solution.packages.contains_key(&name("nvidia-cudnn-cu12")));
}

#[test]
fn an_old_driver_says_what_it_costs() {
    let target = target("x86_64-manylinux_2_28", &[("driver", "535.54.03")]);
    let solution = solved(&stack(), &["torch"], &target);
    assert_eq!(version_of(&solution, "torch"), "2.5.1+cu124");
    assert!(solution.warnings.iter().any(|warning| matches!(
        warning,
        Warning::OldDriver { label, toolkit, .. } if label == "cu124" && toolkit.to_string() == "550.54.14"
    )));
}

#[test]
fn one_environment_has_one_build() {
    // As users have it who name the vendor's index beside the default one.
    let mut toy = Toy::default();
    toy.release("torch", "2.5.1+cu124", &[]);
    toy.release("torchvision", "0.20.1+cpu", &["torch==2.5.1"]);
    let target = target("x86_64-manylinux_2_28", &[]);
    let text = explained(&toy, &["torch", "torchvision"], &target);
    assert!(
        text.contains("every torchvision is built for cpu"),
        "{text}"
    );
    assert!(
        text.contains("an environment has one build of pytorch"),
        "{text}"
    );
}

#[test]
fn cudnn_8_beside_what_needs_9_is_another_choice_or_a_conflict() {
    let toy = stack();
    for options in [&[("cuda", "12.1")][..], &[]] {
        let target = target("x86_64-manylinux_2_28", options);
        let solution = solved(&toy, &["torch", "onnxruntime-gpu>=1.19"], &target);
        assert!(version_of(&solution, "torch").starts_with("2.5.1"));
        let text = explained(&toy, &["torch==2.3.1", "onnxruntime-gpu>=1.19"], &target);
        assert!(
            text.contains("needs cuda >=12,<13 and cudnn >=9,<10"),
            "{text}"
        );
        assert!(text.contains("cudnn 8"), "{text}");
    }
}

#[test]
fn cuda_11_beside_what_needs_12_is_refused() {
    let target = target("x86_64-manylinux_2_28", &[("cuda", "11.8")]);
    let text = explained(&stack(), &["torch", "onnxruntime-gpu==1.20.0"], &target);
    assert!(text.contains("needs cuda >=12,<13"), "{text}");
}

#[test]
fn two_majors_stay_where_metadata_demands_both() {
    let mut toy = stack();
    toy.release("old", "1.0", &["nvidia-cudnn-cu11==8.9.6.50"]);
    let target = target("x86_64-manylinux_2_28", &[]);
    let solution = solved(&toy, &["torch==2.5.1", "old"], &target);
    assert!(solution.warnings.iter().any(|warning| {
        matches!(warning, Warning::SideBySide { package, .. } if package == "cudnn")
    }));
    // What a rule tells of finds the one that it needs; where none is it, there is no lock.
    solved(
        &toy,
        &["torch==2.5.1", "old", "onnxruntime-gpu==1.20.0"],
        &target,
    );
    toy.release("older", "1.0", &["nvidia-cudnn-cu12==8.9.2.26"]);
    explained(&toy, &["older", "old", "onnxruntime-gpu==1.20.0"], &target);
}

#[test]
fn a_file_that_several_builds_share_follows_the_build() {
    let mut toy = stack();
    for label in ["cu118", "cu121", "cu124"] {
        toy.add_at(&index(label), "triton", "3.1.0", &release(LINUX, &[]));
    }
    let target = target("x86_64-manylinux_2_28", &[("driver", "550.54.14")]);
    let solution = solved(&toy, &["torch<2.4", "triton"], &target);
    assert_eq!(version_of(&solution, "torch"), "2.3.1+cu121");
    assert_eq!(index_of(&solution, "triton"), index("cu121"));
}

/// torch 2.5.1 and 2.6.0 with libraries that are built against one of them.
fn extended() -> Toy {
    let mut toy = stack();
    for label in ["cpu", "cu118", "cu124", "cu126"] {
        let version = format!("2.6.0+{label}");
        toy.add_at(&index(label), "torch", &version, &release(LINUX, &[]));
    }
    let requires = [
        "nvidia-cuda-runtime-cu12==12.4.105",
        "nvidia-cudnn-cu12==9.1.0.70",
    ];
    toy.release("torch", "2.6.0", &requires);
    for (release, cudas, abis) in [
        ("2.5", &[11, 12][..], &["FALSE"][..]),
        ("2.6", &[11, 12], &["FALSE", "TRUE"]),
        ("2.7", &[12], &["TRUE"]),
        ("2.9", &[12, 13], &["TRUE"]),
    ] {
        for (cuda, abi) in cudas
            .iter()
            .flat_map(|cuda| abis.iter().map(move |abi| (cuda, abi)))
        {
            let version = format!("2.8.3+cu{cuda}torch{release}cxx11abi{abi}");
            toy.release("flash-attn", &version, &["torch"]);
        }
    }
    for label in ["cpu", "cu118", "cu124"] {
        toy.release("torch-scatter", &format!("2.1.2+pt25{label}"), &[]);
    }
    toy
}

#[test]
fn what_is_built_against_one_torch_takes_that_torch() {
    let toy = extended();
    for (options, torch, flash) in [
        (
            &[("cuda", "12.4")][..],
            "2.6.0+cu124",
            "cu12torch2.6cxx11abifalse",
        ),
        // The same CUDA and the same torch, built with the other C++ ABI.
        (
            &[("cuda", "12.6")],
            "2.6.0+cu126",
            "cu12torch2.6cxx11abitrue",
        ),
        (
            &[("cuda", "11.8")],
            "2.6.0+cu118",
            "cu11torch2.6cxx11abifalse",
        ),
        (
            &[("cuda", "12.1")],
            "2.5.1+cu121",
            "cu12torch2.5cxx11abifalse",
        ),
        (
            &[("driver", "470.82")],
            "2.6.0+cu118",
            "cu11torch2.6cxx11abifalse",
        ),
        // The default index has the build for CUDA 12.4, by what it depends on.
        (&[], "2.6.0", "cu12torch2.6cxx11abifalse"),
    ] {
        let target = target("x86_64-manylinux_2_28", options);
        let solution = solved(&toy, &["flash-attn", "torch"], &target);
        assert_eq!(version_of(&solution, "torch"), torch, "{options:?}");
        let flash = format!("2.8.3+{flash}");
        assert_eq!(version_of(&solution, "flash-attn"), flash, "{options:?}");
    }
    let target = target("x86_64-manylinux_2_28", &[("cuda", "12.4")]);
    let solution = solved(&toy, &["torch-scatter"], &target);
    assert_eq!(version_of(&solution, "torch-scatter"), "2.1.2+pt25cu124");
    assert_eq!(version_of(&solution, "torch"), "2.5.1+cu124");
}

/// The wheels of the default index need CUDA 12, then 13; others name their build.
#[test]
fn vllm_is_held_to_its_cuda() {
    let mut toy = stack();
    for label in ["cu128", "cu129", "cu130"] {
        let version = format!("2.8.0+{label}");
        toy.add_at(&index(label), "torch", &version, &release(LINUX, &[]));
    }
    for version in ["0.11.0", "0.20.0"] {
        toy.release("vllm", version, &["torch==2.8.0"]);
    }
    let with = |cuda: &str| target("x86_64-manylinux_2_28", &[("cuda", cuda)]);
    for (cuda, vllm) in [("12.8", "0.11.0"), ("12.9", "0.11.0"), ("13.0", "0.20.0")] {
        let solution = solved(&toy, &["vllm"], &with(cuda));
        assert_eq!(version_of(&solution, "vllm"), vllm, "{cuda}");
    }
    let text = explained(&toy, &["vllm==0.20.0"], &with("12.9"));
    assert!(text.contains("needs cuda >=13,<14"), "{text}");
    toy.release("vllm", "0.20.0+cu129", &["torch==2.8.0"]);
    let solution = solved(&toy, &["vllm"], &with("12.9"));
    assert_eq!(version_of(&solution, "vllm"), "0.20.0+cu129");
    // It is for that build alone, also beside the same major release of CUDA.
    let text = explained(&toy, &["vllm==0.20.0+cu129"], &with("12.8"));
    assert!(
        text.contains("an environment has one build of pytorch"),
        "{text}"
    );
}

#[test]
fn what_is_built_against_another_torch_is_refused_with_the_reason() {
    let toy = extended();
    let cuda = target("x86_64-manylinux_2_28", &[("cuda", "12.4")]);
    let line = "flash-attn==2.8.3+cu12torch2.6cxx11abiFALSE";
    let text = explained(&toy, &[line, "torch==2.4.0"], &cuda);
    assert!(text.contains("requires torch==2.6.*"), "{text}");
    // One build has the other C++ ABI, another is for another CUDA.
    for line in [
        "flash-attn==2.8.3+cu12torch2.6cxx11abiTRUE",
        "flash-attn==2.8.3+cu11torch2.6cxx11abiFALSE",
    ] {
        let text = explained(&toy, &[line, "torch"], &cuda);
        assert!(
            text.contains("an environment has one build of pytorch"),
            "{text}"
        );
    }
    let cpu = target("x86_64-manylinux_2_28", &[("torch-backend", "cpu")]);
    let text = explained(&toy, &["flash-attn"], &cpu);
    assert!(
        text.contains("an environment has one build of pytorch"),
        "{text}"
    );
    let windows = target("windows", &[("cuda", "11.7")]);
    let line = "flash-attn==2.8.3+cu11torch2.6cxx11abiFALSE";
    let text = explained(&toy, &[line], &windows);
    assert!(text.contains("torch"), "{text}");
}

#[test]
fn other_platforms_get_their_builds_or_a_reason() {
    let toy = torch();
    let text = explained(&toy, &["torch"], &target("macos", &[("cuda", "12.4")]));
    assert!(text.contains("cu124 is not built for macOS"), "{text}");
    let text = explained(&toy, &["torch"], &target("windows", &[("cuda", "12.2")]));
    assert!(
        text.contains("pytorch has no build for CUDA 12.2; it has cpu, cu117"),
        "{text}"
    );
    let on_macos = target("macos", &[("torch-backend", "cpu")]);
    assert_eq!(
        version_of(&solved(&toy, &["torch"], &on_macos), "torch"),
        "2.13.0"
    );
    let on_arm = target("aarch64-manylinux_2_28", &[("cuda", "13.0")]);
    assert_eq!(
        version_of(&solved(&toy, &["torch"], &on_arm), "torch"),
        "2.14.1+cu130"
    );
}

/// A new CUDA release is a change of data.
#[test]
fn cuda_13_4_is_two_tables_more() {
    let rules = rules();
    let mut toy = torch();
    toy.add_at(
        &index("cu134"),
        "torch",
        "2.16.0+cu134",
        &release(LINUX, &[]),
    );
    let text = std::fs::read_to_string("resolver-rules/torch/builds.toml").unwrap()
        + r#"
[[label]]
name = "cu134"
accelerator = "cuda"
index = "https://download.pytorch.org/whl/cu134"
marker = "sys_platform == 'linux'"
needs = { driver = ">=580" }
provides = { cuda = "13.4" }
toolkit-driver = "600.1"

[[binary]]
package = "torch"
version = ">=2.16,<2.17"
labels = ["cu134"]
architectures = ["9.0", "12.0+PTX"]
"#;
    let source = mlresolve::rules::RuleSource {
        id: "torch/builds",
        origin: mlresolve::rules::RuleOrigin::Embedded,
        text: &text,
    };
    let extended = RuleSet::load([source]).unwrap_or_else(|errors| panic!("{errors}"));
    for options in [
        &[("cuda", "13.4")][..],
        &[("driver", "600.1"), ("gpu", "sm_120")],
    ] {
        let target = target("x86_64-manylinux_2_28", options);
        let outcome = solve(&request(&["torch"]), &target, &extended, &toy).unwrap();
        let Outcome::Solved(solution) = outcome else {
            panic!("no build for {options:?}");
        };
        assert_eq!(version_of(&solution, "torch"), "2.16.0+cu134");
    }
    assert!(rules.get("torch/builds").is_some());
}
