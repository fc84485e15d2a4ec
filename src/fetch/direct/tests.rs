#![expect(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use super::*;
use crate::fetch::build::Builder;
use crate::fetch::build::tests::{builder, project};
use crate::fetch::fixtures::{Served, no_python, pkg_info, sha256, sources, tar_gz, zip};
use crate::fetch::records::Records;

const STATIC: &[u8] = b"[project]\nname = 'demo'\nversion = '1.0'\ndependencies = ['numpy<2']\n";
const WHEEL: &str = "https://files.example/a/demo-1.0-py3-none-any.whl";

fn reference(url: &str) -> DirectUrl {
    DirectUrl {
        url: url.to_owned(),
        given: url.to_owned(),
        subdirectory: None,
        editable: false,
    }
}

fn wheel() -> Vec<u8> {
    let info = pkg_info("2.1", "Requires-Dist: numpy<2\n");
    zip(&[("demo-1.0.dist-info/METADATA", &info)])
}

fn direct(
    served: &Served,
    records: &Records,
    url: &str,
    hashes: &[(String, String)],
) -> Result<DirectFacts, FactError> {
    let builder = no_python();
    sources(served, records, &builder)
        .direct(&reference(url), hashes, BuildPolicy::Never)
        .map(|learned| learned.value)
}

fn file_url(path: &Path) -> String {
    url::Url::from_file_path(path).unwrap().into()
}

#[test]
fn a_wheel_at_a_url_is_hashed_and_read() {
    let served = Served::default().with(WHEEL, &wheel());
    let facts = direct(&served, &Records::default(), WHEEL, &[]).unwrap();
    assert_eq!(facts.metadata.requires_dist.len(), 1);
    let file = facts.file.unwrap();
    assert_eq!(file.filename, "demo-1.0-py3-none-any.whl");
    assert_eq!(file.url, WHEEL);
    assert_eq!(file.sha256(), Some(sha256(&wheel()).as_str()));
    assert_eq!(facts.commit, None);
}

#[test]
fn hashes_of_the_fragment_and_of_the_line_both_count() {
    let right = sha256(&wheel());
    let wrong = sha256(b"another file");
    let line = |hash: &str| vec![("sha256".to_owned(), hash.to_owned())];
    for (fragment, line, good) in [
        (&right, line(&right), true),
        (&right, vec![], true),
        (&right, line(&wrong), false),
        (&wrong, line(&right), false),
        (&wrong, vec![], false),
    ] {
        let url = format!("{WHEEL}#sha256={fragment}");
        let served = Served::default().with(&url, &wheel());
        let answer = direct(&served, &Records::default(), &url, &line);
        assert_eq!(answer.is_ok(), good, "{answer:?}");
    }
}

#[test]
fn an_archive_is_downloaded_again_only_if_it_may_have_changed() {
    let folder = tempfile::tempdir().unwrap();
    let records = Records::in_folder(folder.path().to_path_buf());
    let first = Served::default().with_etag(WHEEL, &wheel(), "\"1\"");
    let facts = direct(&first, &records, WHEEL, &[]).unwrap();

    let same = Served::default().with_etag(WHEEL, b"never read", "\"1\"");
    assert_eq!(direct(&same, &records, WHEEL, &[]).unwrap(), facts);
    assert_eq!((same.asked(), same.read()), (1, 0));

    let pinned = vec![("sha256".to_owned(), sha256(&wheel()))];
    let silent = Served::default();
    assert_eq!(direct(&silent, &records, WHEEL, &pinned).unwrap(), facts);
    assert_eq!(silent.asked(), 0);

    let offline = Served::offline();
    assert_eq!(direct(&offline, &records, WHEEL, &[]).unwrap(), facts);

    let changed = Served::default().with_etag(WHEEL, b"no wheel", "\"2\"");
    assert!(direct(&changed, &records, WHEEL, &[]).is_err());
}

#[test]
fn credentials_in_a_url_are_used_and_not_kept() {
    let folder = tempfile::tempdir().unwrap();
    let records = Records::in_folder(folder.path().to_path_buf());
    let url = WHEEL.replace("https://", "https://user:hunter22@");
    let served = Served::default().with(&url, &wheel());
    let facts = direct(&served, &records, &url, &[]).unwrap();
    assert_eq!(facts.file.unwrap().url, WHEEL);
    for entry in fs::read_dir(folder.path().join("direct")).unwrap() {
        let text = fs::read_to_string(entry.unwrap().path()).unwrap();
        assert!(!text.contains("hunter22"), "{text}");
    }
    let missing = direct(
        &Served::default(),
        &Records::default(),
        "hg+https://u:hunter22@h.example/x",
        &[],
    );
    assert!(!missing.unwrap_err().to_string().contains("hunter22"));
}

#[test]
fn an_archive_of_a_repository_has_a_subdirectory_and_no_version_in_its_name() {
    let url = "https://h.example/a/repo/archive/main.tar.gz#subdirectory=python";
    let body = tar_gz(&[
        ("repo-main/README", b""),
        ("repo-main/python/pyproject.toml", STATIC),
    ]);
    let served = Served::default().with(url, &body);
    let file = direct(&served, &Records::default(), url, &[]).unwrap().file;
    let file = file.unwrap();
    assert_eq!(file.filename, "main.tar.gz");
    assert_eq!(file.version.to_string(), "1.0");
    let FileKind::Sdist(sdist) = file.kind else {
        panic!("{:?}", file.kind);
    };
    assert_eq!(sdist.extension, "tar.gz");
}

#[test]
fn local_files_are_read_anew_each_time() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("demo-1.0-py3-none-any.whl");
    let records = Records::in_folder(folder.path().join("records"));
    let url = file_url(&path);
    fs::write(&path, wheel()).unwrap();
    direct(&Served::default(), &records, &url, &[]).unwrap();
    fs::write(&path, b"no wheel any more").unwrap();
    direct(&Served::default(), &records, &url, &[]).unwrap_err();
    fs::remove_file(&path).unwrap();
    let error = direct(&Served::default(), &records, &url, &[]).unwrap_err();
    assert!(
        error.to_string().contains("demo-1.0-py3-none-any.whl"),
        "{error}"
    );
}

#[test]
fn a_folder_with_static_metadata_runs_nothing() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("pyproject.toml"), STATIC).unwrap();
    let url = file_url(folder.path());
    let facts = direct(&Served::default(), &Records::default(), &url, &[]).unwrap();
    assert_eq!(facts.metadata.version.to_string(), "1.0");
    assert_eq!((facts.file, facts.commit), (None, None));
}

#[test]
fn a_folder_that_must_be_built_stays_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    project(folder.path(), "pass");
    let before: Vec<PathBuf> = listing(folder.path());
    let url = file_url(folder.path());
    let (served, records) = (Served::default(), Records::default());

    let refused = direct(&served, &records, &url, &[]).unwrap_err();
    assert!(matches!(refused, FactError::Unusable(Unusable::NeedsBuild)));
    let builder = builder(&records);
    let learned = sources(&served, &records, &builder)
        .direct(&reference(&url), &[], BuildPolicy::LastResort)
        .unwrap();
    assert_eq!(learned.value.metadata.version.to_string(), "1.5");
    assert!(learned.built.is_some());
    assert_eq!(listing(folder.path()), before);
}

fn listing(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap();
    let mut found: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    found.sort();
    found
}

#[test]
fn a_folder_that_is_no_project_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let url = file_url(folder.path());
    let error = direct(&Served::default(), &Records::default(), &url, &[]).unwrap_err();
    assert!(error.to_string().contains("no Python project"), "{error}");
}

#[test]
fn references_that_are_not_supported_say_what_is() {
    for (url, expected) in [
        ("hg+https://h.example/x", "`hg`"),
        ("svn+https://h.example/x", "`svn`"),
        ("bzr+https://h.example/x", "`bzr`"),
        ("ftp://h.example/x.zip", "`ftp`"),
    ] {
        let error = direct(&Served::default(), &Records::default(), url, &[]).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    }
    let url = format!("{WHEEL}#subdirectory=../elsewhere");
    let error = direct(&Served::default(), &Records::default(), &url, &[]).unwrap_err();
    assert!(error.to_string().contains("leads out"), "{error}");
}

#[test]
fn names_of_projects() {
    let folder = tempfile::tempdir().unwrap();
    let (served, records, builder) = (Served::default(), Records::default(), no_python());
    let name = |file: &str, text: &str| {
        let path = folder.path().join(file);
        fs::write(&path, text).unwrap();
        let name = sources(&served, &records, &builder)
            .project_name(folder.path(), BuildPolicy::Never)
            .map(|name| name.to_string());
        fs::remove_file(&path).unwrap();
        name
    };
    let dynamic = "[project]\nname = 'My.Demo'\ndynamic = ['version']\n";
    assert_eq!(name("pyproject.toml", dynamic).unwrap(), "my-demo");
    let poetry = "[tool.poetry]\nname = 'demo'\n";
    assert_eq!(name("pyproject.toml", poetry).unwrap(), "demo");
    let cfg = "[options]\nname = wrong\n[metadata]\nversion = 1\nname = demo\n[x]\n";
    assert_eq!(name("setup.cfg", cfg).unwrap(), "demo");
    assert!(name("setup.cfg", "[metadata]\nname = attr: x.y\n").is_err());
    assert!(name("setup.py", "from setuptools import setup").is_err());
}

/// A repository with a branch, tags and two commits; the first says version 1.0, the
/// second has the project in a folder.
struct Origin {
    folder: tempfile::TempDir,
    commits: Vec<String>,
}

impl Origin {
    fn new() -> Self {
        let mut origin = Self {
            folder: tempfile::tempdir().unwrap(),
            commits: Vec::new(),
        };
        origin.git(&["init", "--quiet", "--initial-branch=main"]);
        fs::write(origin.path().join("pyproject.toml"), STATIC).unwrap();
        origin.commit();
        origin.git(&["tag", "v1.0"]);
        origin.git(&["tag", "--annotate", "--message=one", "v1.0-annotated"]);
        fs::create_dir(origin.path().join("python")).unwrap();
        let second = String::from_utf8_lossy(STATIC).replace("1.0", "2.0");
        fs::write(origin.path().join("python/pyproject.toml"), second).unwrap();
        origin.commit();
        origin.git(&["branch", "feature/x", "v1.0"]);
        origin
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn git(&self, arguments: &[&str]) -> String {
        let mut command = Command::new("git");
        for (name, value) in [
            ("GIT_CONFIG_GLOBAL", "/dev/null"),
            ("GIT_CONFIG_SYSTEM", "/dev/null"),
            ("GIT_AUTHOR_NAME", "Test"),
            ("GIT_AUTHOR_EMAIL", "test@h.example"),
            ("GIT_COMMITTER_NAME", "Test"),
            ("GIT_COMMITTER_EMAIL", "test@h.example"),
        ] {
            command.env(name, value);
        }
        for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"] {
            command.env_remove(name);
        }
        let output = command.arg("-C").arg(self.path()).args(arguments).output();
        let output = output.unwrap();
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    fn commit(&mut self) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message=change"]);
        let commit = self.git(&["rev-parse", "HEAD"]);
        self.commits.push(commit);
    }

    fn url(&self, rest: &str) -> String {
        format!("git+{}{rest}", file_url(self.path()))
    }
}

#[test]
fn branches_tags_and_commits_are_found() {
    let origin = Origin::new();
    let [first, second] = origin.commits.as_slice() else {
        panic!("two commits");
    };
    let short = &first[..10];
    for (rest, version, commit) in [
        ("", "1.0", second),
        ("@main", "1.0", second),
        ("@v1.0", "1.0", first),
        ("@v1.0-annotated", "1.0", first),
        ("@feature/x", "1.0", first),
        ("@refs/heads/main", "1.0", second),
        (&format!("@{first}"), "1.0", first),
        (&format!("@{short}"), "1.0", first),
        ("#subdirectory=python", "2.0", second),
    ] {
        let url = origin.url(rest);
        let facts = direct(&Served::default(), &Records::default(), &url, &[]);
        let facts = facts.unwrap_or_else(|error| panic!("{rest}: {error}"));
        assert_eq!(facts.metadata.version.to_string(), version, "{rest}");
        assert_eq!(facts.commit.as_ref(), Some(commit), "{rest}");
        assert_eq!(facts.file, None);
    }
}

#[test]
fn what_does_not_exist_in_a_repository_is_named() {
    let origin = Origin::new();
    let missing = "0".repeat(40);
    for (rest, expected) in [
        (
            "@no-such-branch",
            "no branch, tag or commit `no-such-branch`",
        ),
        ("@abcdef0", "no branch, tag or commit `abcdef0`"),
        (&format!("@{missing}"), missing.as_str()),
        ("@v1.0#subdirectory=python", "no folder `python`"),
    ] {
        let url = origin.url(rest);
        let error = direct(&Served::default(), &Records::default(), &url, &[]).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    }
    let url = "git+file:///no/such/repository";
    let error = direct(&Served::default(), &Records::default(), url, &[]).unwrap_err();
    assert!(error.to_string().contains("could not read"), "{error}");
}

#[test]
fn a_commit_is_remembered_and_a_branch_is_asked() {
    let mut origin = Origin::new();
    let folder = tempfile::tempdir().unwrap();
    let records = Records::in_folder(folder.path().to_path_buf());
    let branch = origin.url("@main");
    let pinned = origin.url(&format!("@{}", origin.commits[1]));
    let before = direct(&Served::default(), &records, &branch, &[]).unwrap();

    let changed = String::from_utf8_lossy(STATIC).replace("1.0", "3.0");
    fs::write(origin.path().join("pyproject.toml"), changed).unwrap();
    origin.commit();
    let offline = Served::offline();
    assert_eq!(direct(&offline, &records, &branch, &[]).unwrap(), before);
    let after = direct(&Served::default(), &records, &branch, &[]).unwrap();
    assert_eq!(after.metadata.version.to_string(), "3.0");

    fs::remove_dir_all(origin.path().join(".git")).unwrap();
    let known = direct(&Served::default(), &records, &pinned, &[]).unwrap();
    assert_eq!(known.commit.as_ref(), Some(&origin.commits[1]));
    assert!(direct(&Served::default(), &records, &branch, &[]).is_err());
}

#[test]
fn a_build_of_a_commit_sees_tags_and_runs_once() {
    let mut origin = Origin::new();
    let describe = "assert os.popen('git describe --tags').read().startswith('v1.0-1-g') or 1/0";
    project(origin.path(), "pass");
    origin.commit();
    origin.git(&["tag", "--force", "v1.0", "HEAD~1"]);
    project(origin.path(), describe);
    origin.git(&["commit", "--quiet", "--amend", "--all", "--no-edit"]);
    let url = origin.url("@main");

    let folder = tempfile::tempdir().unwrap();
    let records = Records::in_folder(folder.path().to_path_buf());
    let served = Served::default();
    let build = |builder: &Builder| {
        sources(&served, &records, builder).direct(&reference(&url), &[], BuildPolicy::LastResort)
    };
    let first = build(&builder(&records)).unwrap();
    assert_eq!(first.value.metadata.version.to_string(), "1.5");
    assert_eq!(build(&builder(&records)).unwrap(), first);
    assert!(first.built.is_some());
}
