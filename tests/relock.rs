//! Locks that are made again, with the real binary: what is kept of the lock that is there,
//! and what is said of it.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test fails loudly, runs the program and reads its files"
)]

#[path = "support/wheel_server.rs"]
mod wheel_server;

use std::fs;
use std::process::Output;

use tempfile::TempDir;
use wheel_server::{Indexes, Wheel, mlresolve, told};

/// A project and its index.
struct Project {
    indexes: Indexes,
    folder: TempDir,
}

impl Project {
    fn new() -> Self {
        let indexes = Indexes::with(&[
            ("app", "1.0", &["lib>=1", "more; extra == 'test'"]),
            ("lib", "1.0", &[]),
            ("lib", "2.0", &[]),
            ("more", "1.0", &[]),
        ]);
        let folder = tempfile::tempdir().unwrap();
        let project = Self { indexes, folder };
        project.write("app.in", "app\n");
        project
    }

    fn write(&self, file: &str, text: &str) {
        fs::write(self.folder.path().join(file), text).unwrap();
    }

    fn read(&self, file: &str) -> String {
        fs::read_to_string(self.folder.path().join(file)).unwrap()
    }

    fn run(&self, words: &[&str]) -> Output {
        let mut all = vec!["lock"];
        all.extend(words);
        mlresolve(&self.indexes, self.folder.path(), &all)
    }

    /// Locks, and gives what was told.
    fn lock(&self, words: &[&str]) -> String {
        let done = self.run(words);
        assert!(done.status.success(), "{}", told(&done));
        told(&done)
    }
}

#[test]
fn the_cut_off_of_the_lock_is_kept() {
    for output in ["app.txt", "pylock.toml"] {
        let project = Project::new();
        let exempted = format!("{}=off", project.indexes.url("/simple/"));
        let made = [
            "app.in",
            "-o",
            output,
            "--exclude-newer=2026-06-01",
            "--exclude-newer-index",
            &exempted,
        ];
        project.lock(&made);
        let first = project.read(output);
        assert!(first.contains("2026-06-02T00:00:00Z"), "{first}");
        // The same lock follows from fewer words.
        let same = format!("locked 2 packages: {output} is as it was\n");
        assert_eq!(project.lock(&["app.in", "-o", output]), same);
        assert_eq!(project.read(output), first);
        let said = project.lock(&["app.in", "-o", output, "-U"]);
        assert!(
            said.contains("stays that of the lock, 2026-06-01"),
            "{said}"
        );
        assert_eq!(project.read(output), first);
        let mut other = made;
        other[3] = "--exclude-newer=2026-07-01";
        project.lock(&other);
        assert!(project.read(output).contains("2026-07-02T00:00:00Z"));
        // What lifts it leaves nothing behind.
        let said = project.lock(&["app.in", "-o", output, "--exclude-newer=off"]);
        assert_eq!(said, format!("locked 2 packages: {output}\n"));
        let free = project.read(output);
        assert!(!free.contains("exclude-newer="), "{free}");
        assert!(!free.contains("2026-07"), "{free}");
    }
}

#[test]
fn a_cut_off_that_settings_named_goes_with_them() {
    let project = Project::new();
    let exempted = format!("{}=off", project.indexes.url("/simple/"));
    project.write(
        "mlresolve.toml",
        &format!("exclude-newer = 2026-06-01\nexclude-newer-index = [\"{exempted}\"]\n"),
    );
    project.lock(&["app.in"]);
    assert!(project.read("app.txt").contains("2026-06-02T00:00:00Z"));
    project.write("mlresolve.toml", "");
    project.lock(&["app.in"]);
    assert!(!project.read("app.txt").contains("2026-06"));
}

#[test]
fn a_check_by_another_command_is_told_so() {
    let project = Project::new();
    project.write("app.in", "app[test]\n");
    project.write("also.in", "more\n");
    for output in ["app.txt", "pylock.toml"] {
        project.lock(&["app.in", "also.in", "-o", output, "--strip-extras"]);
        let all = ["app.in", "also.in", "-o", output, "--strip-extras"];
        assert_eq!(project.lock(&[&all[..], &["--check"]].concat()), "");
        // The same is locked, whatever the command.
        let fewer = ["app.in", "-o", output, "--strip-extras", "--check"];
        assert_eq!(project.lock(&fewer), "");
        project.write("app.in", "app\n");
        let done = project.run(&fewer);
        assert_eq!(done.status.code(), Some(4), "{}", told(&done));
        let hint = "hint: it was made by another command; check it with that one's options: \
                    `mlresolve lock --";
        assert!(told(&done).contains(hint), "{}", told(&done));
        assert!(told(&done).contains(" app.in also.in`"), "{}", told(&done));
        // By its own command it is told what changed alone.
        project.write("also.in", "");
        let done = project.run(&[&all[..], &["--check"]].concat());
        assert_eq!(done.status.code(), Some(4), "{}", told(&done));
        assert!(!told(&done).contains("another command"), "{}", told(&done));
        project.write("app.in", "app[test]\n");
        project.write("also.in", "more\n");
    }
}

#[test]
fn a_lock_that_was_written_is_told() {
    let project = Project::new();
    assert_eq!(project.lock(&["app.in"]), "locked 2 packages: app.txt\n");
    let said = project.lock(&["app.in"]);
    assert_eq!(said, "locked 2 packages: app.txt is as it was\n");
    for silent in ["--quiet", "--check", "--output-file=-"] {
        assert_eq!(project.lock(&["app.in", silent]), "", "{silent}");
    }
}

#[test]
fn what_moved_a_pin_is_told() {
    let project = Project::new();
    project.lock(&["app.in"]);
    project.write("app.in", "app\nlib<2\n");
    let said = project.lock(&["app.in"]);
    let moved = "note: lib 2.0 could not be kept and is 1.0 now: your line `lib<2` (app.in:2)\n";
    assert!(said.contains(moved), "{said}");
}

#[test]
fn a_name_that_is_written_for_another_is_told() {
    let mut project = Project::new();
    let stand_in = Wheel::new("sklearn", "0.0", "py3-none-any", &[]);
    project.indexes.add("/simple/", &stand_in);
    project.write("app.in", "app\nsklearn\n");
    let said = project.lock(&["app.in"]);
    let meant = "warning: `sklearn` (app.in:2): the distribution that is commonly meant is \
                 `scikit-learn` (https://";
    assert!(said.contains(meant), "{said}");
    assert_eq!(project.lock(&["app.in", "-q"]), "");
}

#[test]
fn an_extra_that_there_is_not_is_told_with_its_line() {
    let project = Project::new();
    project.write("app.in", "app[tets]\n");
    let said = project.lock(&["app.in"]);
    let told = "warning: app 1.0 has no extra `tets`, which `app[tets]` (app.in:1) asks for\n\
                hint: did you mean `test`?\n";
    assert!(said.contains(told), "{said}");
    project.write("app.in", "app[benchmarks]\nlib[x]\n");
    let said = project.lock(&["app.in"]);
    assert!(
        said.contains("(app.in:1) asks for\nhint: it has test\n"),
        "{said}"
    );
    assert!(
        said.contains("hint: it has none; write `lib` without\n"),
        "{said}"
    );
}
