//! Stand-ins for interpreters: shell scripts that answer as one would.

#![expect(clippy::unwrap_used, reason = "a failed step fails the test")]

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use super::{Environment, Interpreter, InterpreterError, Search, TIMEOUT, find, query};

/// What CPython of the version says, at a path.
fn answer(executable: &Path, version: &str) -> String {
    let minor: Vec<&str> = version.split('.').collect();
    let minor = minor[..2].join(".");
    let executable = executable.display();
    format!(
        r#"mlresolve-interpreter:{{"interpreter": {{"executable": "{executable}",
        "purelib": "/lib/p", "platlib": "/lib/p", "site_packages": ["/lib/p"],
        "facts": {{"markers": {{"implementation_name": "cpython",
        "implementation_version": "{version}", "os_name": "posix",
        "platform_machine": "x86_64", "platform_python_implementation": "CPython",
        "platform_release": "6.1.0", "platform_system": "Linux", "platform_version": "1",
        "python_full_version": "{version}", "python_version": "{minor}",
        "sys_platform": "linux"}}, "free_threaded": false,
        "system": {{"platform": "linux-x86_64", "machine": "x86_64", "pointer_bits": 64,
        "glibc": [2, 36], "musl": null, "macos": null}}}}}}}}"#
    )
    .replace('\n', "")
}

/// Writes a program. A shell does it: were the file open in this process, a test beside this
/// one that starts a process at that moment would make it busy.
fn program(path: &Path, script: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut shell = Command::new("/bin/sh")
        .args(["-c", r#"cat > "$1" && chmod +x "$1""#, "sh"])
        .arg(path)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = shell.stdin.take().unwrap();
    stdin.write_all(script.as_bytes()).unwrap();
    drop(stdin);
    assert!(shell.wait().unwrap().success());
}

/// A folder with stand-ins for interpreters.
struct World(TempDir);

impl World {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, relative: &str) -> PathBuf {
        self.0.path().join(relative)
    }

    /// An interpreter that answers, and counts how often.
    fn python(&self, relative: &str, version: &str) {
        let path = self.path(relative);
        let (answer, count) = (answer(&path, version), self.path("count"));
        let script = format!(
            "#!/bin/sh\necho ran >> '{}'\necho '{answer}'\n",
            count.display()
        );
        program(&path, &script);
    }

    fn times_run(&self) -> usize {
        fs::read_to_string(self.path("count"))
            .unwrap_or_default()
            .lines()
            .count()
    }

    /// A search from `work/inner`, with `first` and `second` on the path.
    fn search(&self) -> Search {
        fs::create_dir_all(self.path("work/inner")).unwrap();
        Search {
            python: None,
            folder: self.path("work/inner"),
            environment: Environment {
                virtual_env: None,
                conda_prefix: None,
                path: std::env::join_paths([self.path("first"), self.path("second")]).unwrap(),
            },
            cache: None,
            timeout: TIMEOUT,
        }
    }

    fn found(&self, search: &Search) -> String {
        let interpreter = find(search).unwrap();
        let found = interpreter.executable.strip_prefix(self.0.path()).unwrap();
        found.display().to_string()
    }
}

#[test]
fn nearer_environments_come_first() {
    let world = World::new();
    let mut search = world.search();
    assert!(matches!(find(&search), Err(InterpreterError::NotFound)));
    world.python("second/python", "3.9.1");
    assert_eq!(world.found(&search), "second/python");
    world.python("second/python3", "3.9.2");
    assert_eq!(world.found(&search), "second/python3");
    world.python("first/python3", "3.9.3");
    assert_eq!(world.found(&search), "first/python3");
    search.environment.conda_prefix = Some(world.path("conda"));
    assert_eq!(world.found(&search), "first/python3");
    world.python("conda/bin/python", "3.10.1");
    assert_eq!(world.found(&search), "conda/bin/python");
    world.python(".venv/bin/python", "3.11.1");
    assert_eq!(world.found(&search), ".venv/bin/python");
    world.python("work/.venv/bin/python", "3.11.2");
    assert_eq!(world.found(&search), "work/.venv/bin/python");
    world.python("active/bin/python", "3.12.1");
    search.environment.virtual_env = Some(world.path("active"));
    assert_eq!(world.found(&search), "active/bin/python");
    search.python = Some(String::from("../../second/python"));
    assert!(find(&search).is_ok());
    let error = {
        search.python = None;
        search.environment.virtual_env = Some(world.path("gone"));
        find(&search).unwrap_err()
    };
    assert!(matches!(error, InterpreterError::BrokenEnvironment { .. }));
}

#[test]
fn on_the_path_the_first_that_answers_is_taken() {
    let world = World::new();
    program(&world.path("first/python3"), "#!/bin/sh\nexit 127\n");
    let search = world.search();
    assert!(matches!(
        find(&search),
        Err(InterpreterError::Failed { .. })
    ));
    world.python("second/python3", "3.11.2");
    assert_eq!(world.found(&search), "second/python3");
}

#[test]
fn an_interpreter_is_named_by_path_folder_version_or_name() {
    let world = World::new();
    world.python("first/python3", "3.10.4");
    world.python("first/python3.11", "3.11.4");
    world.python("second/python3.11", "3.11.9");
    world.python("second/python3", "3.12.1");
    world.python("work/inner/env/bin/python", "3.13.1");
    world.python("second/mypython", "3.9.1");
    let mut search = world.search();
    for (given, found) in [
        ("env", "work/inner/env/bin/python"),
        ("./env/bin/python", "work/inner/./env/bin/python"),
        ("3.10", "first/python3"),
        ("3.11", "first/python3.11"),
        ("python3.11", "first/python3.11"),
        ("3.11.9", "second/python3.11"),
        ("3.12", "second/python3"),
        ("mypython", "second/mypython"),
    ] {
        search.python = Some(given.to_owned());
        let expected = found.replace("/./", "/");
        assert_eq!(
            world.found(&search).replace("/./", "/"),
            expected,
            "{given}"
        );
    }
    for (given, message) in [
        (
            "3.14",
            "no CPython 3.14 was found on `PATH`; `first/python3` is CPython 3.10.4, \
             `second/python3` is CPython 3.12.1",
        ),
        (
            "env/bin",
            "there is no Python interpreter `env/bin`: the folder is no environment of a Python",
        ),
        (
            "env/nothing",
            "there is no Python interpreter `env/nothing`",
        ),
        (
            "nothing",
            "there is no Python interpreter `nothing`, neither here nor on `PATH`",
        ),
    ] {
        search.python = Some(given.to_owned());
        let root = format!("{}/", world.0.path().display());
        let error = find(&search).unwrap_err().to_string();
        assert_eq!(error.replace(&root, ""), message, "{given}");
    }
}

#[test]
fn what_is_no_python_is_told_so() {
    let world = World::new();
    let path = world.path("python3");
    for (script, message) in [
        (
            "echo hello",
            "`P` is not a Python interpreter: it ran, but gave no answer",
        ),
        (
            "echo 'mlresolve-interpreter:{}'",
            "`P` is not a Python interpreter: its answer cannot be understood: expected value at line 1 column 2",
        ),
        (
            "echo 'mlresolve-interpreter:{\"too_old\": \"3.4.2\"}'",
            "`P` is Python 3.4.2; Python 3.6 is the oldest that is supported",
        ),
        (
            "echo 'Unknown option: -I' >&2; exit 2",
            "`P` is Python 2; Python 3.6 is the oldest that is supported",
        ),
        (
            "echo one >&2; echo two >&2; exit 3",
            "`P` failed (exit status: 3) when asked for its version:\none\ntwo",
        ),
        (
            "kill -KILL $$",
            "`P` failed (signal: 9 (SIGKILL)) when asked for its version",
        ),
    ] {
        program(&path, &format!("#!/bin/sh\n{script}\n"));
        let error = query(&path, TIMEOUT).unwrap_err().to_string();
        let shown = path.display().to_string();
        assert_eq!(error.replace(&shown, "P"), message, "{script}");
    }
    fs::write(&path, "no program").unwrap();
    assert!(matches!(
        query(&path, TIMEOUT),
        Err(InterpreterError::Start { .. })
    ));
}

#[test]
fn one_that_does_not_answer_is_given_up() {
    let world = World::new();
    let path = world.path("python3");
    program(&path, "#!/bin/sh\nexec tail -f /dev/null\n");
    let error = query(&path, Duration::from_millis(50)).unwrap_err();
    assert!(matches!(error, InterpreterError::TimedOut { .. }));
}

#[test]
fn an_answer_is_remembered_until_something_changes() {
    let world = World::new();
    world.python("first/python3", "3.11.4");
    let mut search = world.search();
    search.cache = Some(world.path("cache"));
    let first = find(&search).unwrap();
    assert_eq!(find(&search).unwrap(), first);
    assert_eq!(world.times_run(), 1);

    // Another interpreter in its place: the size differs.
    world.python("first/python3", "3.11.10");
    assert_ne!(find(&search).unwrap(), first);
    assert_eq!(world.times_run(), 2);

    // A record that is damaged, or of another version, is as good as none.
    let records = fs::read_dir(world.path("cache/interpreters")).unwrap();
    let records: Vec<PathBuf> = records.map(|entry| entry.unwrap().path()).collect();
    assert_eq!(records.len(), 1);
    let whole = fs::read_to_string(&records[0]).unwrap();
    for damaged in [
        &whole[..whole.len() / 2],
        &whole.replacen("\"version\":1", "\"version\":0", 1),
    ] {
        assert_ne!(damaged, whole);
        fs::write(&records[0], damaged).unwrap();
        find(&search).unwrap();
    }
    assert_eq!(world.times_run(), 4);
    find(&search).unwrap();
    assert_eq!(world.times_run(), 4);
}

#[test]
fn what_a_stand_in_says_of_another_is_not_remembered() {
    let world = World::new();
    world.python("versions/python3", "3.11.4");
    let real = world.path("versions/python3");
    let script = format!("#!/bin/sh\nexec '{}' \"$@\"\n", real.display());
    program(&world.path("first/python3"), &script);
    let mut search = world.search();
    search.cache = Some(world.path("cache"));
    assert_eq!(world.found(&search), "versions/python3");
    assert_eq!(world.found(&search), "versions/python3");
    assert_eq!(world.times_run(), 2);
}

/// The script itself, in a true interpreter: these tests need a `python3` on the path.
#[test]
fn a_true_interpreter_is_understood() {
    let folder = tempfile::tempdir().unwrap();
    let mut search = Search::from_folder(folder.path().to_owned());
    search.environment.virtual_env = None;
    search.environment.conda_prefix = None;
    let interpreter = find(&search).unwrap();
    let target = interpreter.target().unwrap();
    assert_eq!(
        interpreter.facts.markers.python_full_version().version,
        target.python_word().full_version()
    );
    assert_eq!(target.words().target().unwrap().markers, target.markers);
    assert!(interpreter.site_packages.contains(&interpreter.purelib));
}

#[test]
fn installed_distributions_are_listed() {
    let world = World::new();
    for file in [
        "site/b-1.0.dist-info/METADATA",
        "site/a-1.0.dist-info/METADATA",
        "site/c-1.0.dist-info/RECORD",
        "site/d-1.0.egg-info/PKG-INFO",
        "site/d/METADATA",
        "dist/e-1.0.dist-info/METADATA",
    ] {
        let file = world.path(file);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, "").unwrap();
    }
    fs::write(world.path("dist/f-1.0.egg-info"), "").unwrap();
    world.python("python3", "3.11.4");
    let interpreter = Interpreter {
        site_packages: ["site", "gone", "dist"]
            .map(|folder| world.path(folder))
            .to_vec(),
        ..query(&world.path("python3"), TIMEOUT).unwrap()
    };
    let found = interpreter.installed_metadata().unwrap();
    let found: Vec<&Path> = found
        .iter()
        .map(|file| file.strip_prefix(world.0.path()).unwrap())
        .collect();
    assert_eq!(
        found,
        [
            "site/a-1.0.dist-info/METADATA",
            "site/b-1.0.dist-info/METADATA",
            "site/d-1.0.egg-info/PKG-INFO",
            "dist/e-1.0.dist-info/METADATA",
            "dist/f-1.0.egg-info",
        ]
        .map(Path::new)
    );
}
