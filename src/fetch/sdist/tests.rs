#![expect(clippy::unwrap_used, reason = "tests")]

use super::*;
use crate::fetch::fixtures::{Served, listed, no_python, noise, pkg_info, sources, tar_gz, zip};

const URL: &str = "https://files.example/demo-1.0.tar.gz";
const STATIC: &str = "Requires-Dist: numpy<2\n";

fn name() -> PackageName {
    "demo".parse().unwrap()
}

/// What a source distribution of these files says, with builds refused.
fn told(files: &[(&str, &[u8])]) -> Result<Metadata, FactError> {
    let body = tar_gz(files);
    let served = Served::default().with(URL, &body);
    let (records, builder) = (Records::default(), no_python());
    sources(&served, &records, &builder)
        .sdist_metadata(&name(), &listed(URL, &body), BuildPolicy::Never)
        .map(|learned| learned.value)
}

fn requires(metadata: &Metadata) -> Vec<String> {
    let names = metadata.requires_dist.iter();
    names
        .map(|dependency| dependency.name.to_string())
        .collect()
}

fn needs_build(answer: &Result<Metadata, FactError>) -> bool {
    matches!(answer, Err(FactError::Unusable(Unusable::NeedsBuild)))
}

#[test]
fn static_pkg_info_is_enough() {
    let info = pkg_info("2.2", STATIC);
    let metadata = told(&[("demo-1.0/PKG-INFO", &info), ("demo-1.0/setup.py", b"")]).unwrap();
    assert_eq!(requires(&metadata), ["numpy"]);
}

#[test]
fn old_pkg_info_leaves_it_to_a_static_pyproject() {
    let info = pkg_info("2.1", "Requires-Dist: other\n");
    let pyproject = b"[project]\nname = 'demo'\nversion = '1.0'\ndependencies = ['numpy<2']\n";
    let metadata = told(&[
        ("demo-1.0/PKG-INFO", &info),
        ("demo-1.0/pyproject.toml", pyproject),
    ])
    .unwrap();
    assert_eq!(requires(&metadata), ["numpy"]);
}

#[test]
fn what_is_dynamic_needs_a_build() {
    let old = pkg_info("2.1", STATIC);
    assert!(needs_build(&told(&[
        ("demo-1.0/PKG-INFO", &old),
        ("demo-1.0/setup.py", b""),
    ])));
    let dynamic = pkg_info("2.2", "Dynamic: Requires-Dist\n");
    let pyproject = b"[project]\nname = 'demo'\nversion = '1.0'\ndynamic = ['dependencies']\n";
    assert!(needs_build(&told(&[
        ("demo-1.0/PKG-INFO", &dynamic),
        ("demo-1.0/pyproject.toml", pyproject),
    ])));
    assert!(needs_build(&told(&[(
        "demo-1.0/pyproject.toml",
        b"not = [toml"
    )])));
}

#[test]
fn what_setuptools_packed_is_read_where_pkg_info_leaves_it_open() {
    let packed = |version: &str, more: &str| {
        let info = pkg_info(version, more);
        told(&[
            ("demo-1.0/PKG-INFO", &info),
            ("demo-1.0/demo.egg-info/requires.txt", b"numpy<2\n"),
            ("demo-1.0/setup.py", b""),
        ])
    };
    for (version, more, may_differ) in [
        ("2.1", "", false),
        (
            "2.4",
            "Requires-Dist: numpy<2\nDynamic: requires-dist\n",
            true,
        ),
    ] {
        let metadata = packed(version, more).unwrap();
        assert_eq!(requires(&metadata), ["numpy"]);
        assert_eq!(metadata.may_differ, may_differ);
    }
    assert!(needs_build(&packed("2.4", "Dynamic: version\n")));
}

#[test]
fn another_name_or_version_is_refused() {
    let info = b"Metadata-Version: 2.2\nName: demo\nVersion: 2.0\n";
    let error = told(&[("demo-1.0/PKG-INFO", info)]).unwrap_err();
    assert!(error.to_string().contains("demo 2.0"), "{error}");
}

#[test]
fn no_project_at_all_is_refused_whatever_the_policy() {
    let body = tar_gz(&[("demo-1.0/README", b"hello")]);
    let served = Served::default().with(URL, &body);
    let (records, builder) = (Records::default(), no_python());
    for build in [BuildPolicy::Never, BuildPolicy::Freely] {
        let error = sources(&served, &records, &builder)
            .sdist_metadata(&name(), &listed(URL, &body), build)
            .unwrap_err();
        assert!(matches!(
            error,
            FactError::Unusable(Unusable::Metadata { .. })
        ));
    }
}

#[test]
fn damaged_archives_are_unusable_not_fatal() {
    let mut body = tar_gz(&[("demo-1.0/README", &noise(100_000))]);
    body.truncate(body.len() / 2);
    let served = Served::default().with(URL, &body);
    let (records, builder) = (Records::default(), no_python());
    let error = sources(&served, &records, &builder)
        .sdist_metadata(&name(), &listed(URL, &body), BuildPolicy::LastResort)
        .unwrap_err();
    assert!(
        matches!(error, FactError::Unusable(Unusable::Metadata { .. })),
        "{error}"
    );
}

#[test]
fn another_hash_than_the_index_gives_ends_the_run() {
    let info = pkg_info("2.2", STATIC);
    let body = tar_gz(&[("demo-1.0/PKG-INFO", &info)]);
    let served = Served::default().with(URL, &body);
    let (records, builder) = (Records::default(), no_python());
    let error = sources(&served, &records, &builder)
        .sdist_metadata(&name(), &listed(URL, b"other"), BuildPolicy::Never)
        .unwrap_err();
    assert!(matches!(error, FactError::Failed { .. }), "{error}");
    assert!(error.to_string().contains("sha256"), "{error}");
}

#[test]
fn a_large_archive_is_read_as_far_as_it_must() {
    let info = pkg_info("2.2", STATIC);
    let size = usize::try_from(READ_WHOLE).unwrap() + 1_000_000;
    let body = tar_gz(&[("demo-1.0/PKG-INFO", &info), ("demo-1.0/jar", &noise(size))]);
    let served = Served::default().with(URL, &body);
    let (records, builder) = (Records::default(), no_python());
    let learned = sources(&served, &records, &builder)
        .sdist_metadata(&name(), &listed(URL, &body), BuildPolicy::Never)
        .unwrap();
    assert_eq!(requires(&learned.value), ["numpy"]);
    assert!(served.read() < 1_000_000, "{} bytes", served.read());
}

#[test]
fn what_was_learned_is_remembered() {
    let info = pkg_info("2.1", "");
    let files: [(&str, &[u8]); 2] = [("demo-1.0/PKG-INFO", &info), ("demo-1.0/setup.py", b"")];
    let url = "https://files.example/demo-1.0.zip";
    let body = zip(&files);
    let file = listed(url, &body);
    let folder = tempfile::tempdir().unwrap();
    let records = Records::in_folder(folder.path().to_path_buf());
    let builder = no_python();

    let served = Served::default().with(url, &body);
    for _ in 0..2 {
        let answer =
            sources(&served, &records, &builder).sdist_metadata(&name(), &file, BuildPolicy::Never);
        assert!(matches!(
            answer,
            Err(FactError::Unusable(Unusable::NeedsBuild))
        ));
    }
    assert_eq!(served.asked(), 1);
    let kept = records.archive_path(file.sha256().unwrap(), &file.filename);
    assert_eq!(
        std::fs::read(kept.unwrap()).unwrap(),
        body,
        "a build will need it"
    );
}

#[test]
fn what_has_no_published_hash_is_remembered_as_long_as_the_server_has_the_same() {
    let archive = |more: &str| tar_gz(&[("demo-1.0/PKG-INFO", &pkg_info("2.2", more))]);
    let (old, new) = (archive(STATIC), archive("Requires-Dist: scipy\n"));
    let file = File {
        hashes: [].into(),
        ..listed(URL, &old)
    };
    let folder = tempfile::tempdir().unwrap();
    let records = Records::in_folder(folder.path().to_path_buf());
    let builder = no_python();
    let told = |served: &Served| {
        let learned =
            sources(served, &records, &builder).sdist_metadata(&name(), &file, BuildPolicy::Never);
        requires(&learned.unwrap().value)
    };
    let replaced = |etag: Option<&str>| {
        let served = Served::default();
        match etag {
            Some(etag) => served.with_etag(URL, &new, etag),
            None => served.with(URL, &new),
        }
    };
    assert_eq!(
        told(&Served::default().with_etag(URL, &old, "one")),
        ["numpy"]
    );
    assert_eq!(told(&replaced(Some("one"))), ["numpy"], "it says the same");
    assert_eq!(told(&Served::offline()), ["numpy"]);
    assert_eq!(told(&replaced(Some("two"))), ["scipy"]);
    assert_eq!(told(&Served::offline()), ["scipy"]);
    // Servers that have no name for it are asked for all of it.
    assert_eq!(told(&Served::default().with(URL, &old)), ["numpy"]);
    assert_eq!(told(&replaced(None)), ["scipy"]);
    let served = replaced(Some("three"));
    assert_eq!(told(&served), ["scipy"]);
    assert_eq!(served.asked(), 1);
}

#[test]
fn a_file_of_this_machine_is_read_each_time() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("demo-1.0.tar.gz");
    let url = url::Url::from_file_path(&path).unwrap();
    let file = File {
        hashes: [].into(),
        ..listed(url.as_str(), b"")
    };
    let records = Records::in_folder(folder.path().join("records"));
    let (served, builder) = (Served::offline(), no_python());
    for (more, expected) in [(STATIC, "numpy"), ("Requires-Dist: scipy\n", "scipy")] {
        let body = tar_gz(&[("demo-1.0/PKG-INFO", &pkg_info("2.2", more))]);
        std::fs::write(&path, body).unwrap();
        let learned =
            sources(&served, &records, &builder).sdist_metadata(&name(), &file, BuildPolicy::Never);
        assert_eq!(requires(&learned.unwrap().value), [expected]);
    }
}

#[test]
fn without_python_a_build_says_what_to_install() {
    let info = pkg_info("2.1", "");
    let body = tar_gz(&[("demo-1.0/PKG-INFO", &info), ("demo-1.0/setup.py", b"")]);
    let served = Served::default().with(URL, &body);
    let (records, builder) = (Records::default(), no_python());
    let error = sources(&served, &records, &builder)
        .sdist_metadata(&name(), &listed(URL, &body), BuildPolicy::LastResort)
        .unwrap_err();
    let FactError::Failed { hint, .. } = error else {
        panic!("{error}");
    };
    assert!(hint.unwrap().contains("install Python"));
}
