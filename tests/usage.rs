//! What is said of a command line that cannot be understood, with the real binary.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test fails loudly, runs the program and reads its files"
)]

use std::fs;
use std::process::Command;

/// What is told of a wrong command line for a target, in one line.
fn told(words: &[&str]) -> String {
    let target = ["--python-version", "3.11", "--python-platform", "linux"];
    let rest = ["--cache-dir", "cache", "--offline"];
    said(&[words, &target, &rest].concat())
}

/// What is told of a wrong command line, in one line.
fn said(words: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.in"), "torch\n").unwrap();
    fs::create_dir(folder.path().join("app")).unwrap();
    fs::write(folder.path().join("app/pyproject.toml"), "").unwrap();
    let done = Command::new(env!("CARGO_BIN_EXE_mlresolve"))
        .current_dir(folder.path())
        .env_clear()
        .env("HOME", folder.path())
        .args(words)
        .output()
        .unwrap();
    assert_eq!(done.status.code(), Some(2), "{words:?}");
    let text = String::from_utf8(done.stderr).unwrap();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn a_requirement_in_place_of_a_file() {
    for wrong in ["numpy", "numpy==1.26"] {
        let told = told(&["lock", wrong]);
        assert!(
            told.contains(&format!("there is no file `{wrong}`")),
            "{told}"
        );
        assert!(told.contains("`echo numpy | mlresolve lock - -o"), "{told}");
    }
    let told_of = told(&["lock", "app"]);
    assert!(told_of.contains("`app` is a folder"), "{told_of}");
    assert!(told_of.contains("`app/pyproject.toml`"), "{told_of}");
    let told_of = told(&["lock", "none.in"]);
    assert!(told_of.contains("cannot read `none.in`"), "{told_of}");
}

#[test]
fn an_accelerator_that_is_none_names_its_option() {
    for (option, word, hint) in [
        ("--driver", "abc", ""),
        ("--gpu", "H100", ""),
        ("--torch-backend", "CU124", ""),
        (
            "--cuda",
            "12",
            "hint: for CUDA 12 there are `--cuda 12.1`, `--cuda 12.4`",
        ),
        (
            "--torch-backend",
            "13",
            "hint: for CUDA 13 there are `--torch-backend 13.0`",
        ),
    ] {
        let told = told(&["lock", "a.in", option, word]);
        let named = format!("error: `{option}`: `{word}` is not ");
        assert!(told.starts_with(&named), "{told}");
        assert!(told.contains(hint), "{told}");
    }
}

#[test]
fn a_distribution_in_place_of_a_rule() {
    let text = said(&["rules", "show", "numpy"]);
    assert!(
        text.contains("hint: `mlresolve rules list numpy` names the rules"),
        "{text}"
    );
    let text = said(&["rules", "show", "torch/numpy1"]);
    assert!(
        text.contains("hint: did you mean `torch/numpy1-abi`"),
        "{text}"
    );
}

#[cfg(unix)]
#[test]
fn a_lock_is_told_by_what_is_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let pylock = "lock-version = \"1.0\"\ncreated-by = \"x\"\n\n[[packages]]\nname = \"six\"\n\
                  version = \"1.16.0\"\nwheels = [{ url = \
                  \"https://files.example/six-1.16.0-py2.py3-none-any.whl\", hashes = { sha256 = \
                  \"ab\" } }]\n";
    fs::write(folder.path().join("pylock.toml"), pylock).unwrap();
    fs::write(folder.path().join("old.lock"), pylock).unwrap();
    fs::write(folder.path().join("other.txt"), "root:x:0:0\n").unwrap();
    let run = |line: &str| {
        let program = env!("CARGO_BIN_EXE_mlresolve");
        let done = Command::new("/bin/sh")
            .current_dir(folder.path())
            .env("HOME", folder.path())
            .args(["-c", &line.replace("mlresolve", program)])
            .output()
            .unwrap();
        let text = [done.stdout, done.stderr].concat();
        (done.status.code(), String::from_utf8(text).unwrap())
    };
    let same = (Some(0), "Both lock the same versions.\n".to_owned());
    assert_eq!(run("mlresolve diff old.lock pylock.toml"), same);
    assert_eq!(
        run("cat old.lock | mlresolve diff /dev/stdin pylock.toml"),
        same
    );
    assert_eq!(run("mlresolve graph old.lock").1, "six 1.16.0\n");
    let (code, told) = run("mlresolve diff other.txt pylock.toml");
    assert_eq!(code, Some(2), "{told}");
    assert!(
        told.contains("`other.txt` is there and is no lock"),
        "{told}"
    );
    // A disk that is full.
    if std::path::Path::new("/dev/full").exists() {
        let (code, told) = run("mlresolve graph old.lock > /dev/full");
        assert_eq!(code, Some(2), "{told}");
        assert!(told.contains("cannot write to standard output"), "{told}");
    }
}

#[test]
fn a_line_for_another_target_is_named() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(
        folder.path().join("a.in"),
        "pywin32; sys_platform == 'win32'\n",
    )
    .unwrap();
    let why = |name: &str| {
        let done = Command::new(env!("CARGO_BIN_EXE_mlresolve"))
            .current_dir(folder.path())
            .env_clear()
            .env("HOME", folder.path())
            .args(["why", name, "a.in", "--no-index", "--offline"])
            .args(["--python-version", "3.11", "--python-platform", "linux"])
            .output()
            .unwrap();
        assert_eq!(done.status.code(), Some(1));
        String::from_utf8(done.stderr).unwrap()
    };
    let told = why("pywin32");
    assert!(told.contains("(a.in:1) is not for this target"), "{told}");
    assert!(told.contains("Linux x86_64"), "{told}");
    let told = why("numpy");
    assert!(told.contains("nothing asks for `numpy`"), "{told}");
}
