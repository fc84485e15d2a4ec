//! `mlresolve check` with the real binary: files, exit codes, an environment on the disk.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests run the program, write its files and read them"
)]

#[path = "support/venv.rs"]
mod venv;

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
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
        (&["Dockerfile"], 2),
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
        text.contains("Pipfile.lock: nothing found in 1 package,"),
        "{text}"
    );
    for file in ["environment.yml", "Dockerfile", "freeze.txt"] {
        let text = out(&check(folder.path(), &[file]));
        assert!(text.contains("torch 2.1.2"), "{file}: {text}");
        assert!(text.contains("works with numpy<2 only"), "{file}: {text}");
    }
}

#[test]
fn locks_by_other_names_are_found_too() {
    let broken = "torch==2.1.2\nnumpy==2.1.0\n";
    let folder = folder(&[
        ("requirements-gpu.txt", broken),
        ("dev-requirements.txt", broken),
        ("made/lock.txt", broken),
        (
            "pylock.cpu.toml",
            "lock-version = \"1.0\"\ncreated-by = \"x\"\npackages = []\n",
        ),
        ("notes.txt", "this is no lock\n"),
        (
            "mlresolve.toml",
            "[outputs.\"made/lock.txt\"]\ninputs = [\"a.in\"]\n",
        ),
    ]);
    let done = Command::new(env!("CARGO_BIN_EXE_mlresolve"))
        .current_dir(folder.path())
        .env_clear()
        .env("HOME", folder.path())
        .args(["check", "--rules-only"])
        .output()
        .unwrap();
    let text = out(&done);
    assert_eq!(done.status.code(), Some(1), "{text}");
    for file in [
        "requirements-gpu.txt",
        "dev-requirements.txt",
        "made/lock.txt",
    ] {
        assert!(text.contains(&format!("{file}: 1 error")), "{file}: {text}");
    }
    assert!(text.contains("pylock.cpu.toml: nothing found"), "{text}");
    assert!(!text.contains("notes.txt"), "{text}");
}

#[test]
fn a_lock_is_not_judged_by_the_rules_that_it_was_made_without() {
    let pins = "torch==2.1.2\nnumpy==2.1.0\n";
    let lock = format!(
        "#\n# This file is autogenerated by mlresolve with Python 3.11\n# by the following \
         command:\n#\n#    mlresolve lock a.in\n#\n# mlresolve: 0.1.0\n# target: python 3.11, \
         platform x86_64-manylinux_2_28\n# ignored-rule: torch/numpy1-abi\n#\n{pins}"
    );
    let folder = folder(&[("with.txt", &lock), ("without.txt", pins)]);
    let with = check(folder.path(), &["with.txt"]);
    let text = out(&with);
    assert_eq!(with.status.code(), Some(0), "{text}");
    assert!(
        text.contains("it was locked without the rule torch/numpy1-abi"),
        "{text}"
    );
    let without = check(folder.path(), &["without.txt"]);
    assert_eq!(without.status.code(), Some(1), "{}", out(&without));
}

/// An index on this machine that has no distribution; it gives its URL.
fn empty_index() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut read = BufReader::new(stream.try_clone().unwrap());
            let mut line = String::new();
            while read.read_line(&mut line).is_ok_and(|length| length > 2) {
                line.clear();
            }
            let answer = "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    format!("http://{address}/simple/")
}

/// An index where nothing listens.
fn no_index() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}/simple/", listener.local_addr().unwrap())
}

#[test]
fn pips_settings_say_which_index_is_asked() {
    let folder = folder(&[("requirements.txt", "left-pad==1.0\n")]);
    let run = |index: &str| {
        let output = Command::new(env!("CARGO_BIN_EXE_mlresolve"))
            .current_dir(folder.path())
            .env_clear()
            .env("HOME", folder.path())
            .env("PIP_INDEX_URL", index)
            .args(["check", "requirements.txt", "--no-cache"])
            .output()
            .unwrap();
        out(&output)
    };
    let index = empty_index();
    let text = run(&index);
    assert!(text.contains("left-pad"), "{text}");
    assert!(!text.contains("without an index"), "{text}");
    let index = no_index();
    let text = run(&index);
    assert!(text.contains("judged without an index"), "{text}");
    assert!(text.contains(&index), "{text}");
}

#[test]
fn a_file_that_names_no_python_is_judged_for_one_that_its_pins_have_files_for() {
    let folder = folder(&[
        ("old.txt", "torch==2.1.2\nnumpy==1.26.4\n"),
        ("new.txt", "numpy==2.1.0\n"),
    ]);
    let facts = Path::new(env!("CARGO_MANIFEST_DIR")).join("snapshots/index/stacks-py311.snapshot");
    let run = |words: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_mlresolve"))
            .current_dir(folder.path())
            .env_clear()
            .env("HOME", folder.path())
            .args(["check", "--no-config", "--snapshot"])
            .arg(&facts)
            .args(words)
            .output()
            .unwrap();
        out(&output)
    };
    let text = run(&["old.txt"]);
    assert!(text.contains("(python-guessed)"), "{text}");
    assert!(text.contains("for CPython 3.11 on Linux"), "{text}");
    let text = run(&["new.txt"]);
    assert!(!text.contains("python-guessed"), "{text}");
    assert!(text.contains("for CPython 3.12 on Linux"), "{text}");
    let text = run(&["old.txt", "--python-version", "3.12"]);
    assert!(
        text.contains("torch 2.1.2 has no file that suits CPython 3.12"),
        "{text}"
    );
}

#[test]
fn doctor_says_which_indexes_answer_and_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    venv::make(folder.path());
    let doctor = |words: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_mlresolve"))
            .current_dir(folder.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("HOME", folder.path())
            .args(["doctor", "env", "--no-config"])
            .args(words)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        out(&output)
    };
    let (there, gone) = (empty_index(), no_index());
    let text = doctor(&["-i", &there, "--extra-index-url", &gone]);
    assert!(
        text.contains(&format!("{there} answers, and has no `pip`")),
        "{text}"
    );
    assert!(
        text.contains(&format!("`{gone}pip/` could not be fetched")),
        "{text}"
    );
    assert!(text.contains("the newest checked on 20"), "{text}");
    assert!(text.contains("which is not there yet"), "{text}");
    assert!(text.contains("nothing found in 0 packages"), "{text}");

    let text = doctor(&["-i", &there, "--offline"]);
    assert!(text.contains("not asked (`--offline`)"), "{text}");
    let json = doctor(&["--offline", "--format", "json", "-o", "report.json"]);
    assert_eq!(json, "");
    let text = fs::read_to_string(folder.path().join("report.json")).unwrap();
    let report: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        report["environment"]["indexes"][0],
        "not asked (`--offline`)"
    );
}

/// An environment: a true interpreter, and distributions written by hand.
#[cfg(unix)]
#[test]
fn an_environment_gets_its_findings_and_none_after_repair() {
    let folder = tempfile::tempdir().unwrap();
    let packages = venv::make(folder.path());
    let install = |name: &str, version: &str, requires: &str, files: &[(&str, &str)]| {
        let info = format!("{name}-{version}.dist-info");
        let metadata =
            format!("Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{requires}\n");
        let mut record = format!("{info}/METADATA,,\n");
        for (path, text) in files {
            fs::create_dir_all(packages.join(path).parent().unwrap()).unwrap();
            fs::write(packages.join(path), text).unwrap();
            let size = text.len().to_string();
            record.extend([*path, ",,", &size, "\n"]);
        }
        fs::create_dir_all(packages.join(&info)).unwrap();
        fs::write(packages.join(&info).join("METADATA"), metadata).unwrap();
        fs::write(packages.join(&info).join("RECORD"), record).unwrap();
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
        packages.join("numpy/version.py"),
        "version = \"2.0.2\"  # newer\n",
    )
    .unwrap();
    fs::write(packages.join("numpy/added.py"), "").unwrap();
    fs::remove_file(packages.join("numpy/a.py")).unwrap();
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
    fs::remove_dir_all(packages.join("numpy-1.26.4.dist-info")).unwrap();
    let rule = "torch 2.1.2 works with numpy<2 only, and numpy is 2.0.2";
    assert_eq!(findings(), (Some(1), vec![rule.to_owned()]));

    // A removal that was broken off.
    fs::remove_file(packages.join("torch-2.1.2.dist-info/METADATA")).unwrap();
    let (code, messages) = findings();
    assert_eq!((code, messages.len()), (Some(1), 1), "{messages:?}");
    assert!(messages[0].contains("torch-2.1.2.dist-info` is what an installation"));
    fs::remove_dir_all(packages.join("torch-2.1.2.dist-info")).unwrap();
    assert_eq!(findings(), (Some(0), Vec::new()));
}
