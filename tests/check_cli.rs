//! `mlresolve check` with the real binary: files, exit codes, an environment on the disk.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests run the program, write its files and read them"
)]

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

fn check(folder: &Path, words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_mlresolve"))
        .current_dir(folder)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("HOME", folder)
        .arg("check")
        .args(words)
        .args(["--rules-only", "--no-config"])
        .output()
        .unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

#[test]
fn exit_codes_follow_the_worst_finding() {
    let folder = folder(&[
        ("broken.txt", "torch==2.1.2\nnumpy==2.1.0\n"),
        ("open.txt", "torch==2.1.2\nnumpy\n"),
        ("good.txt", "torch==2.1.2\nnumpy==1.26.4\n"),
        ("wrong.txt", "torch=2\n"),
    ]);
    for (words, code) in [
        (&["broken.txt"][..], 1),
        (&["broken.txt", "--fail-on", "never"], 0),
        (&["open.txt"], 1),
        (&["open.txt", "--fail-on", "error"], 0),
        (&["good.txt"], 0),
        (&["good.txt", "broken.txt"], 1),
        (&["broken.txt", "--ignore-rule", "torch/numpy1-abi"], 0),
        (&["wrong.txt"], 2),
        (&["nothing.txt"], 2),
        (&["."], 2),
    ] {
        let output = check(folder.path(), words);
        assert_eq!(
            output.status.code(),
            Some(code),
            "{words:?}\n{}",
            out(&output)
        );
    }
    let output = check(folder.path(), &["broken.txt", "--format", "github"]);
    let text = out(&output);
    assert!(
        text.starts_with("::error file=broken.txt,line=1,title=rule/torch/numpy1-abi::"),
        "{text}"
    );
}

#[test]
fn a_folder_is_judged_by_its_locks_and_other_files_by_their_names() {
    let folder = folder(&[
        ("project/requirements.txt", "torch==2.1.2\nnumpy==2.1.0\n"),
        (
            "project/Pipfile.lock",
            "{\"_meta\": {\"pipfile-spec\": 6}, \"default\": {\"numpy\": {\"version\": \"==2.1.0\"}}}",
        ),
        (
            "environment.yml",
            "dependencies:\n  - pip:\n    - torch==2.1.2\n    - -r project/requirements.txt\n",
        ),
        (
            "Dockerfile",
            "FROM scratch\nRUN pip install torch==2.1.2 && pip install 'numpy==2.1.0'\n",
        ),
        (
            "freeze.txt",
            "numpy==2.1.0\n-e /gone/tool#egg=tool\ntorch @ https://files.example/torch-2.1.2%2Bcu121-cp311-cp311-linux_x86_64.whl\n",
        ),
    ]);
    let text = out(&check(folder.path(), &["project"]));
    assert!(
        text.contains("requirements.txt: 1 error in 2 packages"),
        "{text}"
    );
    assert!(
        text.contains("Pipfile.lock: nothing found in 1 packages"),
        "{text}"
    );
    for file in ["environment.yml", "Dockerfile", "freeze.txt"] {
        let text = out(&check(folder.path(), &[file]));
        assert!(text.contains("torch 2.1.2"), "{file}: {text}");
        assert!(text.contains("works with numpy<2 only"), "{file}: {text}");
    }
}

/// An environment: a true interpreter, and distributions written by hand.
#[cfg(unix)]
#[test]
fn an_environment_gets_its_findings_and_none_after_repair() {
    let folder = tempfile::tempdir().unwrap();
    let made = Command::new("python3")
        .args(["-m", "venv", "--without-pip", "env"])
        .current_dir(folder.path())
        .status()
        .unwrap();
    assert!(made.success());
    let lib = folder.path().join("env/lib");
    let python = fs::read_dir(lib).unwrap().next().unwrap().unwrap().path();
    let site = python.join("site-packages");
    let install = |name: &str, version: &str, requires: &str, files: &[(&str, &str)]| {
        let info = format!("{name}-{version}.dist-info");
        let metadata =
            format!("Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{requires}\n");
        let mut record = format!("{info}/METADATA,,\n");
        for (path, text) in files {
            fs::create_dir_all(site.join(path).parent().unwrap()).unwrap();
            fs::write(site.join(path), text).unwrap();
            writeln!(record, "{path},,{}", text.len()).unwrap();
        }
        fs::create_dir_all(site.join(&info)).unwrap();
        fs::write(site.join(&info).join("METADATA"), metadata).unwrap();
        fs::write(site.join(&info).join("RECORD"), record).unwrap();
    };
    let findings = || {
        let output = check(folder.path(), &["env", "--format", "json"]);
        let json: serde_json::Value = serde_json::from_str(&out(&output)).unwrap();
        let found = json["subjects"][0]["findings"].as_array().unwrap().clone();
        let messages: Vec<String> = found
            .iter()
            .map(|finding| finding["message"].as_str().unwrap().to_owned())
            .collect();
        (output.status.code(), messages)
    };
    let files = [
        ("numpy/version.py", "version = \"1.26.4\"\n"),
        ("numpy/a.py", "a = 1\n"),
    ];
    install("numpy", "1.26.4", "", &files);
    install(
        "torch",
        "2.1.2",
        "Requires-Dist: numpy",
        &[("torch/a.py", "")],
    );
    assert_eq!(findings(), (Some(0), Vec::new()));

    // Half replaced: the files of another version, the metadata of this one.
    fs::write(
        site.join("numpy/version.py"),
        "version = \"2.0.2\"  # newer\n",
    )
    .unwrap();
    fs::write(site.join("numpy/added.py"), "").unwrap();
    fs::remove_file(site.join("numpy/a.py")).unwrap();
    let half = "numpy is 1.26.4 by its metadata and 2.0.2 by its own files";
    assert_eq!(findings(), (Some(1), vec![half.to_owned()]));

    // Replaced for good, by one that torch cannot work with, and the old metadata left there.
    let files = [
        ("numpy/version.py", "version = \"2.0.2\"\n"),
        ("numpy/a.py", "a = 2\n"),
    ];
    install("numpy", "2.0.2", "", &files);
    let (code, messages) = findings();
    assert_eq!(code, Some(1));
    assert!(
        messages.contains(&"numpy is installed more than once: 1.26.4 and 2.0.2".to_owned()),
        "{messages:?}"
    );
    fs::remove_dir_all(site.join("numpy-1.26.4.dist-info")).unwrap();
    let rule = "torch 2.1.2 works with numpy<2 only, and numpy is 2.0.2";
    assert_eq!(findings(), (Some(1), vec![rule.to_owned()]));

    fs::remove_dir_all(site.join("torch-2.1.2.dist-info")).unwrap();
    assert_eq!(findings(), (Some(0), Vec::new()));
}
