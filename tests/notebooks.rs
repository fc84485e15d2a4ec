//! The notebooks' requests on the images that they run in, from recorded index facts with the
//! real binary: nothing that is there is touched, what stands in the way is named, and what is
//! suggested works.
#![expect(
    clippy::disallowed_methods,
    reason = "tests run the program and read its files"
)]

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Output};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// An image, and the facts that were recorded for it.
struct Image {
    name: &'static str,
    python: &'static str,
    facts: &'static str,
}

const OLDER: Image = Image {
    name: "colab-2025-11-py312",
    python: "3.12",
    facts: "notebook-py312.snapshot",
};

const NEWER: Image = Image {
    name: "colab-2026-08-py313",
    python: "3.13",
    facts: "notebook-py313.snapshot",
};

impl Image {
    fn lock(&self, folder: &Path, input: &str, more: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_mlresolve"))
            .current_dir(folder)
            .env_clear()
            .args(["lock", input, "-o", "-", "--no-header", "--no-config"])
            .args(["--base", self.name, "--python-version", self.python])
            .args(["--python-platform", "x86_64-manylinux_2_28"])
            .args(["--exclude-newer", "2026-11-01", "--snapshot"])
            .arg(Path::new(ROOT).join("snapshots/index").join(self.facts))
            .args(more)
            .output()
            .expect("the program runs")
    }

    /// A lock that must succeed: its names.
    fn locked(&self, folder: &Path, input: &str, more: &[&str]) -> BTreeSet<String> {
        let output = self.lock(folder, input, more);
        let message = text(&output.stderr);
        assert!(output.status.success(), "{}: {message}", self.name);
        names(&text(&output.stdout))
    }

    /// The names of what the image has.
    fn has(&self) -> BTreeSet<String> {
        let file = format!("base-images/{}.txt", self.name);
        let text = std::fs::read_to_string(Path::new(ROOT).join(file)).expect("the image");
        names(&text.replace(" @ ", "=="))
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

/// The names of pinned lines.
fn names(text: &str) -> BTreeSet<String> {
    text.lines()
        .filter(|line| !line.starts_with([' ', '#']))
        .filter_map(|line| line.split_once("=="))
        .map(|(name, _)| name.split('[').next().unwrap_or_default())
        .map(|name| name.to_lowercase().replace(['_', '.'], "-"))
        .collect()
}

fn stacks() -> std::path::PathBuf {
    Path::new(ROOT).join("tests/stacks/colab-notebook")
}

#[test]
fn what_can_be_met_touches_nothing_that_is_there() {
    for image in [OLDER, NEWER] {
        let added = image.locked(&stacks(), "later.in", &[]);
        let has = image.has();
        assert!(has.contains("numpy") && has.contains("torch") && has.len() > 600);
        assert!(added.contains("pytorch-lightning") && added.contains("optuna"));
        let both: Vec<&String> = added.intersection(&has).collect();
        assert!(both.is_empty(), "{}: {both:?}", image.name);
    }
}

#[test]
fn what_cannot_is_named_and_what_is_suggested_works_on_the_older_image() {
    for stack in ["v3.0", "v3.1", "v3.2"] {
        refused(&OLDER, stack);
    }
}

#[test]
fn what_cannot_is_named_and_what_is_suggested_works_on_the_newer_image() {
    for stack in ["v3.0", "v3.1", "v3.2"] {
        refused(&NEWER, stack);
    }
}

fn refused(image: &Image, stack: &str) {
    let input = format!("{stack}.in");
    let output = image.lock(&stacks(), &input, &["-q"]);
    let message = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{message}");
    let name = format!("{}_{}", image.name, stack.replace('.', "_"));
    approve(&name, &message);
    without_the_lines_named(image, &input, &message);
    with_the_changes_named(image, &input, &message);
}

/// The first hint leaves lines out: then nothing of the image changes.
fn without_the_lines_named(image: &Image, input: &str, message: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    let given = std::fs::read_to_string(stacks().join(input)).expect("the stack");
    let hint = &message[message.find("hint: this solves it").expect("a hint")..];
    let hint = &hint[..hint.find("\n\n").expect("another hint")];
    let kept: Vec<&str> = given
        .lines()
        .filter(|line| !hint.contains(&format!("`{line}`")))
        .collect();
    assert!(kept.len() < given.lines().count(), "{message}");
    std::fs::write(folder.path().join(input), kept.join("\n")).expect("written");
    let added = image.locked(folder.path(), input, &[]);
    assert!(added.is_disjoint(&image.has()), "{added:?}");
}

/// The second hint lets packages of the image change: those, and no others, do.
fn with_the_changes_named(image: &Image, input: &str, message: &str) {
    let allow = message
        .lines()
        .find_map(|line| line.trim().strip_prefix("--allow-change "))
        .expect("what to allow");
    let named: BTreeSet<String> = allow.split(',').map(str::to_owned).collect();
    let told = |name: &String| message.contains(&format!("\n  - {name} "));
    assert!(named.iter().all(told), "{message}");
    let added = image.locked(&stacks(), input, &["--allow-change", allow]);
    let changed: BTreeSet<String> = added.intersection(&image.has()).cloned().collect();
    assert_eq!(changed, named, "{}: {input}", image.name);
    assert!(!named.contains("numpy") && !named.contains("torch"));
}

fn approve(name: &str, content: &str) {
    insta::with_settings!({
        snapshot_path => Path::new(ROOT).join("snapshots/approved/notebooks"),
        prepend_module_to_snapshot => false,
        omit_expression => true,
    }, {
        insta::assert_snapshot!(name, content);
    });
}
