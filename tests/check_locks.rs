//! Locks that the tools themselves wrote (`tests/fixtures/locks`): whole, cut off, and damaged.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests run the program and read its files"
)]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use mlresolve::check::read;
use mlresolve::request::Base;

/// The files, what each is as `check` calls it, and the Python that it is judged for: its own, or
/// the default where it names none.
const FILES: [(&str, &str, &str); 8] = [
    ("uv.lock", "uv.lock", "3.11"),
    ("pylock.toml", "pylock.toml", "3.11"),
    ("poetry.lock", "poetry.lock", "3.11"),
    ("Pipfile.lock", "Pipfile.lock", "3.12"),
    ("requirements.txt", "requirements", "3.12"),
    ("freeze.txt", "requirements", "3.12"),
    ("environment.yml", "conda environment", "3.11"),
    ("Dockerfile", "Dockerfile", "3.11"),
];

/// Those that one reader of the library reads whole, and pdm's own locks.
const LOCKS: [&str; 6] = [
    "uv.lock",
    "pylock.toml",
    "poetry.lock",
    "Pipfile.lock",
    "pdm/pdm.lock",
    "pdm/pylock.toml",
];

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/locks")
        .join(name)
}

fn text(name: &str) -> String {
    fs::read_to_string(fixture(name)).unwrap()
}

fn check(folder: &Path, words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_mlresolve"))
        .current_dir(folder)
        .env_clear()
        .env("HOME", folder)
        .arg("check")
        .args(words)
        .args(["--rules-only", "--no-config", "--format", "json"])
        .output()
        .unwrap()
}

#[test]
fn each_tool_s_file_of_one_request_gets_the_same_finding() {
    for (name, format, python) in FILES {
        let output = check(&fixture(""), &[name]);
        let told = String::from_utf8(output.stdout).unwrap();
        let json: serde_json::Value = serde_json::from_str(&told).unwrap();
        let subject = &json["subjects"][0];
        assert_eq!(subject["format"], format, "{name}");
        let target = subject["target"].as_str().unwrap();
        assert!(
            target.starts_with(&format!("CPython {python} ")),
            "{name}: {target}"
        );
        // colorama is for Windows only; the Dockerfile brings pip up to date besides.
        let count = if name == "Dockerfile" { 6 } else { 5 };
        assert_eq!(subject["packages"], count, "{name}: {told}");
        let mut findings = subject["findings"].as_array().unwrap().clone();
        findings.retain(|finding| finding["code"] != "unpinned");
        assert_eq!(findings.len(), 1, "{name}: {told}");
        assert_eq!(
            findings[0]["message"],
            "opencv-python 4.9.0.80 works with numpy<2 only, and numpy is 2.0.2",
            "{name}"
        );
        let line = findings[0]["place"]["line"].as_u64().unwrap();
        let line = usize::try_from(line).unwrap();
        let whole = text(name);
        // Continued lines of a Dockerfile are known by their command.
        let shown: Vec<&str> = whole.lines().skip(line - 1).take(4).collect();
        assert!(shown.join("\n").contains("opencv-python"), "{name}:{line}");
        assert_eq!(output.status.code(), Some(1), "{name}");
    }
}

/// One request of pdm's own tests, as pdm itself locked it: with an extra that is not installed
/// where nothing asks for it, groups, and markers that only pylock.toml has.
#[test]
fn pdms_locks_are_read_with_their_groups_and_markers() {
    for (name, packages) in [("pdm/pdm.lock", 8), ("pdm/pylock.toml", 1)] {
        let output = check(&fixture(""), &[name]);
        let told = String::from_utf8(output.stdout).unwrap();
        let json: serde_json::Value = serde_json::from_str(&told).unwrap();
        assert_eq!(json["subjects"][0]["packages"], packages, "{name}: {told}");
        assert_eq!(output.status.code(), Some(0), "{name}: {told}");
    }
}

/// The line of the error of one reader; `None` where the text is still a lock.
fn refused(name: &str, text: &str) -> Option<(u32, String)> {
    let markers = &support::target().markers;
    let told = match name {
        "uv.lock" => read::uv(text, name, markers).err()?.to_string(),
        "poetry.lock" => read::poetry(text, name).err()?.to_string(),
        "Pipfile.lock" => read::pipfile(text, name).err()?.to_string(),
        "pylock.toml" | "pdm/pylock.toml" => read::pylock(text, name).err()?.to_string(),
        "pdm/pdm.lock" => read::pdm(text, name).err()?.to_string(),
        _ => Base::read(text, name).err()?.to_string(),
    };
    let line = told.split_once(&format!("{name}:")).and_then(|(_, rest)| {
        rest.split(|c: char| !c.is_ascii_digit())
            .next()?
            .parse()
            .ok()
    });
    Some((line.unwrap_or_default(), told))
}

#[test]
fn a_lock_cut_off_anywhere_is_read_or_refused_with_its_line() {
    for name in LOCKS {
        let whole = text(name);
        assert_eq!(refused(name, &whole), None, "{name}");
        let mut errors = 0;
        for end in (0..whole.len()).step_by(97) {
            let Some(cut) = whole.get(..end) else {
                continue;
            };
            let Some((line, told)) = refused(name, cut) else {
                continue;
            };
            errors += 1;
            let last = cut.matches('\n').count() + 1;
            let line = usize::try_from(line).unwrap();
            assert!((1..=last).contains(&line), "{name} cut at {end}: {told}");
        }
        assert!(errors > 20, "{name}: {errors}");
    }
}

#[test]
fn a_lock_damaged_anywhere_is_read_or_refused_with_its_line() {
    for name in LOCKS {
        let whole = text(name);
        let mut errors = 0;
        for at in (0..whole.len()).step_by(211) {
            for put in ["\"", "[[", "\0", "\u{e9}", "=", "\n"] {
                let (Some(before), Some(after)) = (whole.get(..at), whole.get(at + 1..)) else {
                    continue;
                };
                let Some((line, told)) = refused(name, &format!("{before}{put}{after}")) else {
                    continue;
                };
                errors += 1;
                assert!(line >= 1, "{name}, `{put:?}` at {at}: {told}");
            }
        }
        assert!(errors > 20, "{name}: {errors}");
    }
}

#[test]
fn a_list_or_a_recipe_cut_off_anywhere_never_stops_the_program() {
    for name in [
        "freeze.txt",
        "environment.yml",
        "Dockerfile",
        "requirements.txt",
    ] {
        let whole = text(name);
        for end in 0..whole.len() {
            let cut = whole.get(..end).unwrap();
            match name {
                "environment.yml" => drop(read::conda(cut, name)),
                "Dockerfile" => drop(read::containerfile(cut)),
                _ => drop(Base::read(cut, name)),
            }
        }
    }
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("uv.lock"), &text("uv.lock")[..700]).unwrap();
    let output = check(folder.path(), &["uv.lock"]);
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(told.contains("uv.lock:"), "{told}");
}
