//! pylock.toml: what is written, and what is refused with which words.

use mlresolve::Lock;
use mlresolve::lock::{Format, LockError, RenderOptions, Source, read_pylock, render};

use crate::{approve, sample};

fn write(lock: &Lock) -> String {
    let options = RenderOptions {
        format: Format::Pylock,
        ..RenderOptions::default()
    };
    render(lock, &options)
}

#[test]
fn one_of_everything() {
    let mut lock = sample::lock();
    let written = write(&lock);
    approve("pylock", &written);
    // The order of files in a release is that of their names, archives' locations are
    // their URLs.
    for package in &mut lock.packages {
        package.files.sort_by(|a, b| a.filename.cmp(&b.filename));
    }
    assert_eq!(read_pylock(&written, "pylock.toml").unwrap(), lock);
}

#[test]
fn an_empty_lock_is_a_lock() {
    let written = write(&Lock::default());
    approve("pylock-empty", &written);
    assert_eq!(
        read_pylock(&written, "pylock.toml").unwrap(),
        Lock::default()
    );
}

#[test]
fn python_versions_served() {
    for (word, expected) in [
        ("3.11", Some("==3.11.*")),
        ("3.11.4", Some(">=3.11.4,==3.11.*")),
        ("3.13t", Some("==3.13.*")),
        ("pypy3.10", Some("==3.10.*")),
        ("", None),
    ] {
        let mut lock = Lock::default();
        lock.target.python = word.to_owned();
        let written = write(&lock);
        let found = written
            .lines()
            .find_map(|line| line.strip_prefix("requires-python = "))
            .map(|value| value.trim_matches('"'));
        assert_eq!(found, expected, "{word}");
    }
}

/// A lock as another program writes it: several entries for one distribution, files
/// without names, hashes of other kinds, times without offset, keys that are not known.
#[test]
fn what_others_write_is_read() {
    let text = r#"
lock-version = "1.7"
environments = ["sys_platform == 'win32'", "sys_platform == 'linux'"]
requires-python = ">=3.8"
extras = ["test"]
dependency-groups = ["docs"]
default-groups = []
created-by = "another"
future = { key = 1 }

[[packages]]
name = "numpy"
version = "2.0.0"
marker = "python_version >= '3.9'"
wheels = [{ url = "https://files.example/a/numpy-2.0.0-cp311-cp311-win_amd64.whl?x=1", upload-time = 2024-06-16T12:00:00, hashes = { sha512 = "ab" } }]
attestation-identities = [{ kind = "GitHub", repository = "numpy/numpy" }]
[packages.sdist]
path = "wheels\\numpy-2.0.0.tar.gz"
size = 0x10
hashes.sha256 = "cd"

[[packages]]
name = "numpy"
version = "1.26.4"
marker = "python_version < '3.9'"
sdist = { path = "./wheels/numpy-1.26.4.zip", hashes = { sha256 = "ef" } }

[[packages]]
name = "here"
directory = { path = "." }

[tool.another]
key = [1, 2]
"#;
    let lock = read_pylock(text, "pylock.toml").unwrap();
    let names: Vec<&str> = lock
        .packages
        .iter()
        .map(|package| package.name.as_ref())
        .collect();
    assert_eq!(names, ["here", "numpy", "numpy"]);
    let numpy = &lock.packages[1];
    assert_eq!(
        numpy.files[0].filename,
        "numpy-2.0.0-cp311-cp311-win_amd64.whl"
    );
    assert_eq!(
        numpy.files[0].upload_time.unwrap().to_string(),
        "2024-06-16T12:00:00Z"
    );
    assert_eq!(numpy.files[1].filename, "numpy-2.0.0.tar.gz");
    assert_eq!(numpy.files[1].size, Some(16));
    assert_eq!(numpy.source, Source::Index(None));
    // Which of the two a new lock should keep cannot be said.
    assert!(lock.pins().is_empty());
    assert_eq!(read_pylock(&write(&lock), "pylock.toml").unwrap(), lock);
}

#[test]
fn what_is_refused() {
    let good = "lock-version = \"1.0\"\ncreated-by = \"x\"\n";
    let package =
        |rest: &str| format!("{good}[[packages]]\nname = \"a\"\nversion = \"1\"\n{rest}\n");
    let wheel = |rest: &str| package(&format!("wheels = [{{ {rest} }}]"));
    let cases = [
        "lock-version = ".to_owned(),
        String::new(),
        "lock-version = 1.0".to_owned(),
        "lock-version = \"2.0\"\ncreated-by = \"x\"".to_owned(),
        "lock-version = \"one\"".to_owned(),
        "lock-version = \"1.0\"".to_owned(),
        good.to_owned(),
        format!("{good}packages = {{}}"),
        format!("{good}packages = [1]"),
        format!("{good}packages = []\nrequires-python = \"3\""),
        format!("{good}packages = []\nenvironments = [\"os_name\"]"),
        format!("{good}packages = []\nextras = \"a\""),
        format!("{good}packages = []\ntool = 1"),
        format!("{good}[[packages]]\nversion = \"1\""),
        format!("{good}[[packages]]\nname = \"A_b\""),
        format!("{good}[[packages]]\nname = \"-\""),
        format!("{good}[[packages]]\nname = \"\""),
        format!("{good}[[packages]]\nname = \"é\"; x"),
        package(""),
        package("version = \"2\""),
        package("marker = \"os_name\""),
        package("index = \"i\""),
        package("wheels = []"),
        package("vcs = { type = \"git\", url = \"u\" }"),
        package("vcs = { type = \"git\", commit-id = \"c\" }"),
        package("directory = { path = 1 }"),
        package("directory = { path = \".\", editable = \"yes\" }"),
        package("archive = { url = \"u\" }"),
        package("archive = { url = \"u\", hashes = {} }"),
        package(
            "directory = { path = \".\" }\narchive = { url = \"u\", hashes = { md5 = \"0\" } }",
        ),
        package(
            "directory = { path = \".\" }\nsdist = { url = \"a-1.zip\", hashes = { md5 = \"0\" } }",
        ),
        package("dependencies = [\"b\"]\ndirectory = { path = \".\" }"),
        wheel("name = \"a-1-py3-none-any.whl\""),
        wheel("name = \"a-1-py3-none-any.whl\", url = \"u\""),
        wheel("name = \"b-1-py3-none-any.whl\", url = \"u\", hashes = { md5 = \"0\" }"),
        wheel("name = \"a-2-py3-none-any.whl\", url = \"u\", hashes = { md5 = \"0\" }"),
        wheel("url = \"https://files.example/a-1.tar.gz\", hashes = { md5 = \"0\" }"),
        wheel("url = \"a-1-py3-none-any.whl\", hashes = { md5 = 0 }"),
        wheel("url = \"a-1-py3-none-any.whl\", hashes = { md5 = \"0\" }, size = -1"),
        wheel("url = \"a-1-py3-none-any.whl\", hashes = { md5 = \"0\" }, size = \"1\""),
        wheel("url = \"a-1-py3-none-any.whl\", hashes = { md5 = \"0\" }, upload-time = \"now\""),
        wheel("url = \"a-1-py3-none-any.whl\", hashes = { md5 = \"0\" }, upload-time = 2024-01-01"),
        package("attestation-identities = [{}]\ndirectory = { path = \".\" }"),
        package("directory = { path = \".\" }\ntool.mlresolve.via = 1"),
        format!("{good}packages = []\ntool.mlresolve.rules = [1]"),
    ];
    let messages: Vec<String> = cases
        .iter()
        .map(|text| {
            let error = read_pylock(text, "pylock.toml").unwrap_err();
            let code = miette::Diagnostic::code(&error).unwrap().to_string();
            let last = text.lines().last().unwrap_or_default();
            format!(
                "{last}\n    {code}\n    {}",
                error.to_string().replace('\n', "\n    ")
            )
        })
        .collect();
    approve("pylock-refused", &messages.join("\n"));
}

#[test]
fn the_place_counts_characters() {
    let text =
        "lock-version = \"1.0\"\ncreated-by = \"x\"\npackages = [ { name = \"é\", version = 1 } ]";
    let error = read_pylock(text, "a b/pylock.toml").unwrap_err();
    let LockError::Malformed {
        file,
        line,
        column,
        key,
        ..
    } = error
    else {
        panic!("{error:?}");
    };
    assert_eq!(
        (file.as_str(), line, column, key.as_str()),
        ("a b/pylock.toml", 3, 23, "packages[0].name")
    );
}
