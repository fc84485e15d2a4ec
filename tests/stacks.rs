//! The users' stacks, locked from recorded index facts with the real binary.
#![expect(
    clippy::disallowed_methods,
    reason = "tests run the program and read its files"
)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const CUTOFF: &str = "2026-11-01";

fn snapshot(python: &str) -> PathBuf {
    let name = format!("stacks-py{}.snapshot", python.replace('.', ""));
    Path::new(ROOT).join("snapshots/index").join(name)
}

/// Runs `mlresolve` on a stack, where the stacks are, with recorded facts alone.
fn mlresolve(python: &str, words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_mlresolve"))
        .current_dir(Path::new(ROOT).join("tests/stacks"))
        .env_clear()
        .args(words)
        .args(["--python-version", python])
        .args(["--python-platform", "x86_64-manylinux_2_28"])
        .args(["--exclude-newer", CUTOFF, "--no-config"])
        .arg("--snapshot")
        .arg(snapshot(python))
        .output()
        .expect("the program runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

/// The lock of a stack, on standard output.
fn lock(python: &str, stack: &str, more: &[&str]) -> String {
    let mut words = vec!["lock", stack, "-o", "-", "--no-header"];
    words.extend(more);
    let output = mlresolve(python, &words);
    assert!(output.status.success(), "{}", text(&output.stderr));
    text(&output.stdout)
}

fn approve(name: &str, content: &str) {
    insta::with_settings!({
        snapshot_path => Path::new(ROOT).join("snapshots/approved/stacks"),
        prepend_module_to_snapshot => false,
        omit_expression => true,
    }, {
        insta::assert_snapshot!(name, content);
    });
}

/// Locks a stack, looks for pins, and compares the whole with what was approved.
fn locks(python: &str, stack: &str, pins: &[&str]) {
    let lock = lock(python, stack, &["--no-hashes"]);
    for pin in pins {
        assert!(lock.lines().any(|line| line == *pin), "no {pin} in\n{lock}");
    }
    approve(&stack.replace(['/', '.'], "_"), &lock);
}

/// A stack without a solution: exit code 1, and the message as approved.
fn refuses(python: &str, stack: &str, named: &[&str]) {
    let output = mlresolve(python, &["lock", stack, "-o", "-"]);
    let message = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{message}");
    for word in named {
        assert!(message.contains(word), "no {word:?} in\n{message}");
    }
    approve(&stack.replace(['/', '.'], "_"), &message);
}

#[test]
fn yolov5() {
    locks(
        "3.11",
        "yolov5-torch21/requirements.in",
        &["torch==2.1.2", "numpy==1.26.4"],
    );
}

#[test]
fn yolov5_full() {
    locks(
        "3.11",
        "yolov5-torch21/requirements-full.in",
        &["torch==2.1.2", "numpy==1.26.4"],
    );
}

#[test]
fn torch222() {
    locks(
        "3.11",
        "torch222/requirements.in",
        &["torch==2.2.2", "numpy==1.26.4"],
    );
}

#[test]
fn torch222_with_numpy2() {
    refuses(
        "3.11",
        "torch222/requirements-numpy2.in",
        &[
            "torch==2.2.2",
            "numpy>=2.0",
            "torch/numpy1-abi",
            "instead of",
        ],
    );
}

#[test]
fn docker_before() {
    locks(
        "3.11",
        "docker-numpy2-upgrade/before.in",
        &["numpy==1.26.4", "scipy==1.12.0"],
    );
}

#[test]
fn docker_before_full() {
    locks(
        "3.10",
        "docker-numpy2-upgrade/before-full.in",
        &["numpy==1.26.4"],
    );
}

#[test]
fn docker_after() {
    locks(
        "3.11",
        "docker-numpy2-upgrade/after.in",
        &["numpy==2.4.6", "torch==2.3.1"],
    );
}

#[test]
fn docker_after_full() {
    refuses(
        "3.10",
        "docker-numpy2-upgrade/after-full.in",
        &["docstrange", "numpy>=2.0.0,<3.0.0"],
    );
}

#[test]
fn docker_rollback() {
    locks(
        "3.11",
        "docker-numpy2-upgrade/rollback.in",
        &["numpy==1.26.4", "torch==2.3.1", "torchvision==0.18.1"],
    );
}

#[test]
fn docker_conflict() {
    refuses(
        "3.11",
        "docker-numpy2-upgrade/conflict.in",
        &["opencv-python", "numpy>=2.0.0,<3.0.0"],
    );
}

#[test]
fn embeddings() {
    locks(
        "3.11",
        "embeddings-numpy2-migration/requirements.in",
        &["numpy==1.26.4"],
    );
}

#[test]
fn embeddings_full() {
    locks(
        "3.11",
        "embeddings-numpy2-migration/requirements-full.in",
        &["numpy==1.26.4"],
    );
}

#[test]
fn embeddings_believed_blocked() {
    locks(
        "3.11",
        "embeddings-numpy2-migration/requirements-blocked.in",
        &["numpy==2.4.6", "torch==2.6.0", "onnxruntime==1.23.2"],
    );
}

#[test]
fn embeddings_numpy2() {
    locks(
        "3.11",
        "embeddings-numpy2-migration/requirements-numpy2.in",
        &["numpy==2.4.6"],
    );
}

#[test]
fn notebooks() {
    for stack in ["v3.0.in", "v3.1.in", "v3.2.in"] {
        locks("3.12", &format!("colab-notebook/{stack}"), &[]);
    }
}

/// On the image that the notebook runs in, nothing that is there is touched.
#[test]
fn notebooks_on_their_image() {
    let base = ["--base", "colab-2025-11-py312"];
    let changes = ["datasets", "fsspec", "pytest"];
    let allow = format!("--allow-change={}", changes.join(","));
    let stack = "colab-notebook/v3.2.in";
    let lock = lock("3.12", stack, &[base[0], base[1], &allow, "--no-hashes"]);
    let there =
        std::fs::read_to_string(Path::new(ROOT).join("base-images/colab-2025-11-py312.txt"))
            .expect("the image");
    let names: Vec<&str> = there
        .lines()
        .filter_map(|line| line.split_once("=="))
        .map(|pin| pin.0)
        .collect();
    for line in lock.lines() {
        if let Some((name, _)) = line.split_once("==") {
            let name = name.split('[').next().unwrap_or_default();
            assert!(
                !names.contains(&name) || changes.contains(&name),
                "{name} is there already"
            );
        }
    }
    approve("colab-notebook_on_image", &lock);

    let words = [
        "lock",
        "colab-notebook/v3.2.in",
        "-o",
        "-",
        base[0],
        base[1],
        "--allow-change=datasets,fsspec",
    ];
    let output = mlresolve("3.12", &words);
    let message = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{message}");
    for word in [
        "opencv-contrib-python 4.12.0.88, opencv-python 4.12.0.88, opencv-python-headless 4.12.0.88 share",
        "the base has pytest 8.4.2",
        "--allow-change pytest",
        "pytest 8.4.2 -> 7.4.4: colab-notebook/v3.2.in:6 asks for pytest>=7.4.0,<8.0.0",
    ] {
        assert!(message.contains(word), "no {word:?} in\n{message}");
    }
}

#[test]
fn every_pin_has_hashes() {
    let lock = lock("3.11", "torch222/requirements.in", &[]);
    let mut pins = 0;
    for line in lock.lines().filter(|line| line.contains("==")) {
        assert!(line.ends_with(" \\"), "no hash: {line}");
        pins += 1;
    }
    assert!(pins > 20, "{lock}");
    assert!(lock.matches("--hash=sha256:").count() > pins);
}

#[test]
fn shuffled_lines_give_the_same_bytes() {
    let folder = tempfile::tempdir().expect("a folder");
    let source = Path::new(ROOT).join("tests/stacks/yolov5-torch21/requirements-full.in");
    let content = std::fs::read_to_string(source).expect("the stack");
    let mut lines: Vec<&str> = content.lines().collect();
    let mut locks = Vec::new();
    for turn in 0..4 {
        lines.rotate_left(turn * 3);
        if turn % 2 == 1 {
            lines.reverse();
        }
        let path = folder.path().join("requirements.in");
        std::fs::write(&path, lines.join("\n")).expect("a file");
        let path = path.to_str().expect("UTF-8");
        locks.push(lock("3.11", path, &["--no-annotate"]));
    }
    assert!(locks.windows(2).all(|pair| pair[0] == pair[1]));
}

#[test]
fn why_names_the_range_and_the_rule() {
    let output = mlresolve("3.11", &["why", "numpy", "yolov5-torch21/requirements.in"]);
    let answer = text(&output.stdout);
    assert!(output.status.success(), "{}", text(&output.stderr));
    for word in ["numpy 1.26.4", "torch/numpy1-abi", "torch 2.1.2", "2.4.6"] {
        assert!(answer.contains(word), "no {word:?} in\n{answer}");
    }
}
