//! The questions of the users' reports, answered from recorded index facts by the real binary.
#![expect(
    clippy::disallowed_methods,
    reason = "tests run the program and read its files"
)]

use std::path::Path;
use std::process::Command;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// What `mlresolve why` says of a stack, as approved, with the words that must be in it.
fn why(question: &str, stack: &str, approved: &str, words: &[&str]) {
    let root = Path::new(ROOT);
    let output = Command::new(env!("CARGO_BIN_EXE_mlresolve"))
        .current_dir(root.join("tests/stacks"))
        .env_clear()
        .args(["why", question, stack, "--python-version", "3.11"])
        .args(["--python-platform", "x86_64-manylinux_2_28"])
        .args(["--exclude-newer", "2026-11-01", "--no-config", "--snapshot"])
        .arg(root.join("snapshots/index/stacks-py311.snapshot"))
        .output()
        .expect("the program runs");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    for word in words {
        assert!(text.contains(word), "no {word:?} in\n{text}");
    }
    insta::with_settings!({
        snapshot_path => root.join("snapshots/approved/explain"),
        prepend_module_to_snapshot => false,
        omit_expression => true,
    }, {
        insta::assert_snapshot!(approved, text);
    });
}

#[test]
fn why_numpy_1_in_yolov5() {
    why(
        "numpy",
        "yolov5-torch21/requirements.in",
        "stack-yolov5-why-numpy",
        &[
            "`torch>=2.1.0,<2.2.0`",
            "rule torch/numpy1-abi",
            "Evidence: torch-2.2.2",
            "`torch>=2.3` on line 1 and `torchvision>=0.18` on line 2",
        ],
    );
}

/// `why` asks about the lock that is there: under the cut-off that it records.
#[test]
fn why_beside_a_lock_with_a_cut_off() {
    let folder = tempfile::tempdir().expect("a folder");
    let stack = Path::new(ROOT).join("tests/stacks/torch222/requirements.in");
    std::fs::copy(stack, folder.path().join("requirements.in")).expect("the stack is there");
    let run = |args: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_mlresolve"))
            .current_dir(folder.path())
            .env_clear()
            .args(args)
            .args(["--no-config", "--snapshot"])
            .arg(Path::new(ROOT).join("snapshots/index/stacks-py311.snapshot"))
            .output()
            .expect("the program runs");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{errors}");
        String::from_utf8(output.stdout).expect("UTF-8")
    };
    let target = ["--python-version", "3.11", "--python-platform", "linux"];
    let cutoff = ["--exclude-newer", "2026-11-01"];
    run(&[&["lock", "-q"], &target[..], &cutoff[..]].concat());
    let recorded = run(&["why", "numpy"]);
    assert!(
        recorded.contains("There is also numpy 2.5.4, which needs Python >=3.12"),
        "{recorded}"
    );
    let today = run(&["why", "numpy", "--exclude-newer", "2026-11-20"]);
    assert!(
        today.contains("There is also numpy 2.5.5, which needs Python >=3.12"),
        "{today}"
    );
}

#[test]
fn what_blocks_numpy_2_in_embeddings() {
    why(
        "numpy>=2",
        "embeddings-numpy2-migration/requirements.in",
        "stack-embeddings-why-numpy2",
        &[
            "one thing blocks it",
            "torch 2.6.0",
            "onnxruntime 1.23.2",
            "do not block it",
            "rule torch/numpy2-works",
            "`numpy>=2` instead of `numpy==1.26.4`",
        ],
    );
    why(
        "numpy>=2",
        "embeddings-numpy2-migration/requirements-blocked.in",
        "stack-embeddings-blocked-why-numpy2",
        &[
            "Nothing blocks numpy>=2",
            "torch 2.6.0",
            "onnxruntime 1.23.2",
        ],
    );
}

#[test]
fn what_blocks_numpy_2_after_the_rollback() {
    why(
        "numpy>=2",
        "docker-numpy2-upgrade/rollback.in",
        "stack-docker-rollback-why-numpy2",
        &["opencv-python 4.10.0.84", "scipy 1.13.0", "pandas 2.2.2"],
    );
}
