//! The layout is pip-compile's: what it wrote, read and written again, is the same but
//! for the program's name. The files were recorded by `tests/fixtures/pip-compile/record.py`.

use std::collections::BTreeSet;

use mlresolve::lock::{
    Annotations, Header, RenderOptions, Source, UnsafePackages, Writer, read_requirements, render,
};

use crate::sample;

macro_rules! recorded {
    ($name:literal) => {
        include_str!(concat!("../fixtures/pip-compile/", $name, ".txt"))
    };
}

fn check(recorded: &str, options: RenderOptions) {
    let read = read_requirements(recorded);
    assert_eq!(read.unread, []);
    let ours = recorded.replace("by pip-compile with", "by mlresolve with");
    let options = RenderOptions {
        header: match options.header {
            Header::Full => Header::Command,
            other => other,
        },
        ..options
    };
    assert_eq!(render(&read.lock, &options), ours);
}

/// As the recorded locks have it: setuptools named in a comment.
fn with_setuptools(recorded: &str, options: RenderOptions) {
    let mut read = read_requirements(recorded);
    assert_eq!(read.unread, []);
    assert!(read.lock.package(&"setuptools".parse().unwrap()).is_none());
    read.lock.packages.push(sample::released(
        "setuptools",
        "1",
        Vec::new(),
        &["-r requirements.in"],
    ));
    let options = RenderOptions {
        header: match options.header {
            Header::Full => Header::Command,
            other => other,
        },
        unsafe_packages: UnsafePackages::Commented(UnsafePackages::known()),
        ..options
    };
    let ours = recorded.replace("by pip-compile with", "by mlresolve with");
    assert_eq!(render(&read.lock, &options), ours);
}

#[test]
fn annotations_split() {
    with_setuptools(recorded!("split"), RenderOptions::default());
    with_setuptools(recorded!("split-hashes"), RenderOptions::default());
}

#[test]
fn annotations_in_one_line() {
    let options = RenderOptions {
        annotations: Annotations::Line,
        ..RenderOptions::default()
    };
    with_setuptools(recorded!("line"), options.clone());
    with_setuptools(recorded!("line-hashes"), options);
}

#[test]
fn neither_annotations_nor_header() {
    let options = RenderOptions {
        annotations: Annotations::None,
        header: Header::None,
        ..RenderOptions::default()
    };
    with_setuptools(recorded!("bare"), options);
}

#[test]
fn unsafe_packages_pinned() {
    let options = RenderOptions {
        strip_extras: true,
        ..RenderOptions::default()
    };
    check(recorded!("strip-unsafe"), options.clone());
    check(recorded!("strip-unsafe-hashes"), options);
}

#[test]
fn options_above() {
    check(recorded!("options"), RenderOptions::default());
    let options = RenderOptions {
        header: Header::None,
        ..RenderOptions::default()
    };
    check(recorded!("options-without-header"), options);
}

#[test]
fn nothing_at_all() {
    check(recorded!("empty"), RenderOptions::default());
    let options = RenderOptions {
        header: Header::None,
        ..RenderOptions::default()
    };
    check(recorded!("empty-bare"), options);
}

/// Repositories and editable installs cannot be recorded without a network; these lines
/// are what pip-compile 7.6.2 wrote for such inputs, with other hosts and names.
#[test]
fn direct_references() {
    let commit = "0123456789abcdef0123456789abcdef01234567";
    let vcs = |editable| Source::Vcs {
        kind: "git".to_owned(),
        url: "https://git.example/repository.git".to_owned(),
        requested_revision: None,
        commit: commit.to_owned(),
        subdirectory: None,
        editable,
    };
    let url = "https://files.example/six-1.17.0-py2.py3-none-any.whl".to_owned();
    let mut six = sample::package(
        "six",
        Source::Archive {
            given: url.clone(),
            url,
            subdirectory: None,
        },
        &["-r r.in"],
    );
    six.hashes = BTreeSet::from([mlresolve::metadata::FileHash::new(
        "sha256",
        &sample::digest('7'),
    )]);
    let mut repository = sample::package("a-repository", vcs(false), &["-r r.in"]);
    repository.extras = BTreeSet::from(["dev".parse().unwrap()]);
    repository.marker = Some("python_version >= \"3.7\"".to_owned());
    let editable = sample::package("editable", vcs(true), &["-r r.in"]);
    let mut lock = sample::lock();
    lock.options = mlresolve::lock::InstallerOptions::default();
    lock.packages = vec![repository, editable, six];
    let options = RenderOptions {
        header: Header::None,
        ..RenderOptions::default()
    };
    let digest = sample::digest('7');
    let expected = format!(
        "\
# WARNING: pip install will require the following package to be hashed.
# Consider using a hashable URL like https://github.com/jazzband/pip-tools/archive/SOMECOMMIT.zip
-e git+https://git.example/repository.git@{commit}#egg=editable
    # via -r r.in
# WARNING: pip install will require the following package to be hashed.
# Consider using a hashable URL like https://github.com/jazzband/pip-tools/archive/SOMECOMMIT.zip
a-repository[dev] @ git+https://git.example/repository.git@{commit} ; python_version >= \"3.7\"
    # via -r r.in
six @ https://files.example/six-1.17.0-py2.py3-none-any.whl \\
    --hash=sha256:{digest}
    # via -r r.in
"
    );
    assert_eq!(render(&lock, &options), expected);
}

#[test]
fn what_uv_wrote_is_read_alike() {
    let ours = read_requirements(recorded!("split-hashes"));
    let uvs = read_requirements(recorded!("uv"));
    assert_eq!(ours.writer, Writer::PipCompile);
    assert_eq!(uvs.writer, Writer::Uv);
    assert_eq!(uvs.unread, []);
    assert_eq!(
        uvs.lock.provenance.command,
        "uv pip compile --python-version=3.11 --generate-hashes requirements.in"
    );
    let mut pins = uvs.lock.pins();
    // uv pins it, pip-compile names it in a comment.
    assert!(pins.remove(&"setuptools".parse().unwrap()).is_some());
    assert_eq!(pins, ours.lock.pins());
    for package in &ours.lock.packages {
        let uvs = uvs.lock.package(&package.name).unwrap();
        assert_eq!(uvs.via, package.via, "{}", package.name);
        assert_eq!(uvs.dependencies, package.dependencies, "{}", package.name);
    }
}
