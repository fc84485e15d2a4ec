//! Answers of earlier runs, with the real binary: they hold as long as everything does that
//! they were made from, and no longer.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test fails loudly, runs the program and reads its files"
)]

#[path = "support/wheel_server.rs"]
mod wheel_server;

use std::fmt::Write as _;
use std::fs::{self, FileTimes};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use tempfile::TempDir;
use wheel_server::{Indexes, Wheel, mlresolve, told};

/// A project, its index and its cache.
struct Project {
    indexes: Indexes,
    folder: TempDir,
}

impl Project {
    fn new(lines: &str) -> Self {
        let indexes = Indexes::with(&[
            ("app", "1.0", &["lib>=1"]),
            ("lib", "1.0", &[]),
            ("lib", "2.0", &[]),
        ]);
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("app.in"), lines).unwrap();
        Self { indexes, folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Locks; gives the lock and what was told.
    fn lock(&self, words: &[&str]) -> (String, String) {
        let mut all = vec!["lock", "app.in", "-o", "app.txt"];
        all.extend(words);
        let done = mlresolve(&self.indexes, self.folder.path(), &all);
        assert!(done.status.success(), "{}", told(&done));
        let lock = fs::read_to_string(self.path("app.txt")).unwrap();
        // Whether the file was written is not part of the answer.
        let told = told(&done);
        let of_answer = told.lines().filter(|line| !line.starts_with("locked "));
        (lock, of_answer.collect::<Vec<_>>().join("\n"))
    }

    /// Whether a run answers without looking at metadata, which is hidden from it: no solve
    /// gets along without.
    fn is_remembered(&self, words: &[&str]) -> bool {
        // The copies of it first.
        if let Some(copies) = self.kept("bundles") {
            fs::remove_dir_all(copies).unwrap();
        }
        let metadata = self.cached("metadata");
        let hidden = [&metadata, &metadata.with_file_name("hidden")];
        fs::rename(hidden[0], hidden[1]).unwrap();
        let mut all = vec!["lock", "app.in", "-o", "app.txt"];
        all.extend(words);
        let done = mlresolve(&self.indexes, self.folder.path(), &all);
        let was_asked_for = hidden[0].exists();
        if was_asked_for {
            fs::remove_dir_all(hidden[0]).unwrap();
        }
        fs::rename(hidden[1], hidden[0]).unwrap();
        done.status.success() && !was_asked_for
    }

    /// The folder of the cache for one kind of record.
    fn cached(&self, kind: &str) -> PathBuf {
        self.kept(kind).unwrap()
    }

    /// The same, where there is one.
    fn kept(&self, kind: &str) -> Option<PathBuf> {
        let folders = fs::read_dir(self.path("cache")).unwrap().flatten();
        let mut paths = folders.map(|entry| entry.path());
        let is_kind = |path: &PathBuf| {
            let name = path.file_name().unwrap().to_str().unwrap();
            name.starts_with(&format!("{kind}-v"))
        };
        paths.find(is_kind)
    }
}

const OFFLINE: [&str; 1] = ["--offline"];

/// A rule of the user's.
const BROKEN: &str = r#"
kind = "broken"
severity = "corrupts"
reason = "lib 2.0 cannot be imported."
error = "ImportError: lib"
checked = "2026-11-21"
when = { package = "lib", version = "==2.0" }

[[evidence]]
file = "lib-2.0-py3-none-any.whl"
sha256 = "a6915d372c085a02eceebf59d16cbcc18a2693ac3487a53e3cc8be31fee65079"
finding = "it has no modules"

[[hit]]
have = ["lib==2.0"]

[[miss]]
have = ["lib==1.0"]
"#;

/// Locks twice, so that the lock that is there is that of the question.
fn settled(lines: &str) -> Project {
    let project = Project::new(lines);
    project.lock(&[]);
    let first = project.lock(&OFFLINE);
    assert_eq!(project.lock(&OFFLINE), first);
    assert!(project.is_remembered(&OFFLINE));
    project
}

#[test]
fn an_answer_holds_while_nothing_changes() {
    let project = settled("app\n");
    let (lock, _) = project.lock(&OFFLINE);
    assert!(lock.contains("lib==2.0"), "{lock}");
    // What is done with an answer is not part of the question.
    assert!(project.is_remembered(&["--offline", "--check"]));
    assert!(project.is_remembered(&["--offline", "--dry-run"]));
    assert!(!project.is_remembered(&["--offline", "--solve-anew"]));
    assert_eq!(project.lock(&["--offline", "--solve-anew"]).0, lock);
}

#[test]
fn another_question_is_answered_anew() {
    let project = settled("app\n");
    for words in [
        &["--offline", "--no-hashes"][..],
        &["--offline", "--pre"],
        &["--offline", "-P", "lib"],
        &["--offline", "--upgrade"],
        &["--offline", "--exclude-newer", "2026-01-01"],
        &["--offline", "-v"],
    ] {
        assert!(!project.is_remembered(words), "{words:?}");
    }
    fs::write(project.path("app.in"), "app\n# and why\nlib<2\n").unwrap();
    assert!(!project.is_remembered(&OFFLINE));
    assert!(project.lock(&[]).0.contains("lib==1.0"));
    // The lock that is there says what to keep.
    let project = settled("app\n");
    let lock = fs::read_to_string(project.path("app.txt")).unwrap();
    fs::write(
        project.path("app.txt"),
        lock.replace("lib==2.0", "lib==1.0"),
    )
    .unwrap();
    assert!(!project.is_remembered(&OFFLINE));
}

#[test]
fn rules_of_the_users_are_part_of_the_question() {
    let project = settled("app\n");
    let folder = project.path("rules/lib");
    fs::create_dir_all(&folder).unwrap();
    let words = ["--offline", "--rules", "rules"];
    assert!(!project.is_remembered(&words));
    for _ in 0..2 {
        assert!(project.lock(&words).0.contains("lib==2.0"));
    }
    assert!(project.is_remembered(&words));
    fs::write(folder.join("broken.toml"), BROKEN).unwrap();
    let online = ["--rules", "rules"];
    assert!(project.lock(&online).0.contains("lib==1.0"));
    fs::remove_file(folder.join("broken.toml")).unwrap();
    fs::remove_file(project.path("app.txt")).unwrap();
    assert!(project.lock(&online).0.contains("lib==2.0"));
}

#[test]
fn a_page_that_changed_ends_it() {
    let mut project = settled("app\n");
    project.lock(&[]);
    project.lock(&[]);
    assert!(project.is_remembered(&[]));
    let newer = Wheel::new("lib", "3.0", "py3-none-any", &[]);
    project.indexes.add("/simple/", &newer);
    // Fresh for ten minutes, as the index says nothing of it.
    assert!(project.lock(&[]).0.contains("lib==2.0"));
    let (lock, _) = project.lock(&["--refresh", "--upgrade"]);
    assert!(lock.contains("lib==3.0"), "{lock}");
    // The page in the cache is another now.
    fs::remove_file(project.path("app.txt")).unwrap();
    assert!(project.lock(&OFFLINE).0.contains("lib==3.0"));
}

#[test]
fn a_record_that_was_written_anew_is_read_and_noted() {
    let project = settled("app\n");
    let answers = || contents(&project.cached("answers"));
    let noted = answers();
    project.lock(&OFFLINE);
    assert_eq!(answers(), noted, "nothing is new");
    // The same page in another file, as an index leaves it that was asked again.
    let folder = files(&project.cached("pages")).remove(0);
    for page in files(&folder) {
        let copy = page.with_extension("copy");
        fs::copy(&page, &copy).unwrap();
        fs::rename(&copy, &page).unwrap();
    }
    assert!(project.is_remembered(&OFFLINE));
    let renewed = answers();
    assert_ne!(renewed, noted, "the new files are noted");
    assert!(project.is_remembered(&OFFLINE));
    assert_eq!(answers(), renewed, "nothing is new");
    // What is not there holds nothing.
    fs::remove_file(files(&folder).remove(0)).unwrap();
    assert!(!project.is_remembered(&OFFLINE));
}

/// Gives a file a time of its own.
fn written(path: &Path, seconds: u64) {
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
    let file = fs::File::options().write(true).open(path).unwrap();
    file.set_times(FileTimes::new().set_modified(time)).unwrap();
}

/// Long ago, and long after this was written.
const TIMES: [u64; 2] = [1_600_000_000, 16_000_000_000];

/// A project with a folder of wheels, and what puts one in.
fn with_folder() -> (Project, impl Fn(&str, &str, &[&str], u64)) {
    let project = Project::new("app\nlocal\n");
    let links = project.path("links");
    fs::create_dir(&links).unwrap();
    let write = move |name: &str, version: &str, requires: &[&str], time: u64| {
        Wheel::new(name, version, "py3-none-any", requires).write_to(&links);
        written(
            &links.join(format!("{name}-{version}-py3-none-any.whl")),
            time,
        );
    };
    (project, write)
}

const LINKS: [&str; 2] = ["--find-links", "links"];

#[test]
fn what_lies_in_a_folder_holds_as_long_as_it_lies_there() {
    let (project, write) = with_folder();
    let lock = || {
        for _ in 0..2 {
            project.lock(&LINKS);
        }
        assert!(project.is_remembered(&LINKS));
        let (lock, _) = project.lock(&LINKS);
        fs::remove_file(project.path("app.txt")).unwrap();
        lock
    };
    write("local", "1.0", &["lib<2"], TIMES[0]);
    let first = lock();
    assert!(
        first.contains("local==1.0") && first.contains("lib==1.0"),
        "{first}"
    );
    write("another", "1.0", &[], TIMES[0]);
    project.lock(&LINKS);
    assert!(project.is_remembered(&LINKS), "nothing asks for it");
    fs::remove_file(project.path("app.txt")).unwrap();
    // As large as it was, and as old.
    write("local", "1.0", &["lib>1"], TIMES[0]);
    let replaced = lock();
    assert!(
        replaced.contains("local==1.0") && replaced.contains("lib==2.0"),
        "{replaced}"
    );
    write("local", "2.0", &[], TIMES[0]);
    assert!(lock().contains("local==2.0"));
    fs::remove_file(project.path("links/local-2.0-py3-none-any.whl")).unwrap();
    assert!(lock().contains("local==1.0"));
}

#[test]
fn a_folder_that_has_nothing_of_it_changes_nothing() {
    let project = Project::new("app\n");
    fs::create_dir(project.path("links")).unwrap();
    for _ in 0..2 {
        assert!(project.lock(&LINKS).0.contains("lib==2.0"));
    }
    assert!(project.is_remembered(&LINKS));
    // It has now.
    let wheel = Wheel::new("lib", "3.0", "py3-none-any", &[]);
    wheel.write_to(&project.path("links"));
    fs::remove_file(project.path("app.txt")).unwrap();
    assert!(project.lock(&LINKS).0.contains("lib==3.0"));
    // A folder that is not there any more is told.
    fs::remove_dir_all(project.path("links")).unwrap();
    let words = ["lock", "app.in", "-o", "app.txt", LINKS[0], LINKS[1]];
    let done = mlresolve(&project.indexes, project.folder.path(), &words);
    assert!(!done.status.success(), "{}", told(&done));
}

#[test]
fn a_page_of_links_holds_while_it_says_the_same() {
    let mut project = Project::new("app\nlocal\n");
    let page = project.path("links.html");
    let mut body = String::new();
    let mut offer = |project: &mut Project, version: &str| {
        let wheel = Wheel::new("local", version, "py3-none-any", &[]);
        wheel.write_to(project.folder.path());
        project.indexes.add("/elsewhere/", &wheel);
        let filename = format!("local-{version}-py3-none-any.whl");
        let hash = project.indexes.sha256(&filename);
        writeln!(body, "<a href=\"{filename}#sha256={hash}\">{filename}</a>").unwrap();
        fs::write(&page, &body).unwrap();
    };
    offer(&mut project, "1.0");
    let url = url::Url::from_file_path(&page).unwrap();
    let words = ["--find-links", url.as_str()];
    for _ in 0..2 {
        assert!(project.lock(&words).0.contains("local==1.0"));
    }
    assert!(project.is_remembered(&words));
    offer(&mut project, "2.0");
    fs::remove_file(project.path("app.txt")).unwrap();
    assert!(project.lock(&words).0.contains("local==2.0"));
}

#[test]
fn what_may_be_written_again_without_a_later_time_is_never_remembered() {
    let (project, write) = with_folder();
    write("local", "1.0", &[], TIMES[1]);
    for _ in 0..3 {
        assert!(project.lock(&LINKS).0.contains("local==1.0"));
    }
    assert!(!project.is_remembered(&LINKS));
}

#[test]
fn neither_is_what_a_direct_reference_leads_to() {
    let project = Project::new("app\n./local-1.0-py3-none-any.whl\n");
    let write = |requires: &[&str]| {
        let wheel = Wheel::new("local", "1.0", "py3-none-any", requires);
        wheel.write_to(project.folder.path());
    };
    write(&[]);
    for _ in 0..3 {
        assert!(project.lock(&[]).0.contains("lib==2.0"));
    }
    write(&["lib<2"]);
    fs::remove_file(project.path("app.txt")).unwrap();
    assert!(project.lock(&[]).0.contains("lib==1.0"));
}

#[test]
fn what_was_told_is_told_again() {
    let project = Project::new("app\nlib[nothing]\n");
    let warned = |told: &str| {
        let lines = told.lines();
        let warnings = lines.filter(|line| line.starts_with("warning"));
        warnings.map(str::to_owned).collect::<Vec<_>>()
    };
    let (lock, told) = project.lock(&[]);
    let first = warned(&told);
    assert!(first.len() == 1 && told.contains("nothing"), "{told}");
    for _ in 0..2 {
        let (again, told) = project.lock(&[]);
        assert_eq!((again, warned(&told)), (lock.clone(), first.clone()));
    }
    assert!(project.is_remembered(&[]));
}

#[test]
fn a_damaged_answer_is_none() {
    let project = settled("app\n");
    let lock = project.lock(&OFFLINE);
    let answers = files(&project.cached("answers"));
    assert!(!answers.is_empty());
    for path in &answers {
        let mut bytes = fs::read(path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(path, bytes).unwrap();
    }
    assert!(!project.is_remembered(&OFFLINE));
    assert_eq!(project.lock(&OFFLINE), lock);
    for path in &answers {
        fs::write(path, b"").unwrap();
    }
    assert_eq!(project.lock(&OFFLINE), lock);
}

#[test]
fn a_page_that_is_damaged_in_the_cache_is_asked_for_again() {
    let project = settled("app\n");
    let lock = project.lock(&["--solve-anew"]);
    let folder = files(&project.cached("pages")).remove(0);
    let damage = || {
        let pages = files(&folder);
        assert!(pages.len() >= 2);
        for path in &pages {
            let mut bytes = fs::read(path).unwrap();
            *bytes.last_mut().unwrap() ^= 1;
            fs::write(path, bytes).unwrap();
        }
    };
    damage();
    assert_eq!(project.lock(&["--solve-anew"]), lock);
    assert_eq!(project.lock(&["--solve-anew", "--offline"]).0, lock.0);
    for words in [
        &["why", "lib", "app.in"][..],
        &["why", "lib<2", "app.in"],
        &["graph", "app.in"],
        &["diff", "app.txt", "app.in"],
    ] {
        let run = || mlresolve(&project.indexes, project.folder.path(), words);
        let before = run();
        damage();
        let after = run();
        assert!(after.status.success(), "{words:?}: {}", told(&after));
        assert_eq!(after.stdout, before.stdout, "{words:?}");
    }
}

/// Damages what is read of each page in the middle of a solve.
fn damage_pages(project: &Project) -> usize {
    let folders = files(&project.cached("pages"));
    let pages: Vec<PathBuf> = folders.iter().flat_map(|folder| files(folder)).collect();
    for path in &pages {
        let mut bytes = fs::read(path).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        fs::write(path, bytes).unwrap();
    }
    pages.len()
}

#[test]
fn however_many_pages_are_damaged_they_are_asked_for_again_and_notes_are_told_once() {
    let mut project = Project::new("app\nmore-0\n");
    for number in 0..20 {
        let next = format!("more-{}", number + 1);
        let requires = if number < 19 { &[&*next][..] } else { &[] };
        let wheel = Wheel::new(&format!("more-{number}"), "1.0", "py3-none-any", requires);
        project.indexes.add("/simple/", &wheel);
    }
    project.lock(&[]);
    let words = ["--solve-anew", "-P", "nothing"];
    let whole = project.lock(&words);
    assert_eq!(whole.1.matches("`-P nothing` frees nothing").count(), 1);
    assert!(damage_pages(&project) >= 22);
    assert_eq!(project.lock(&words), whole);

    let settings = "[targets.one]\ntorch-backend = \"cpu\"\n\n[targets.two]\ncuda = \"12.1\"\n";
    fs::write(project.path("mlresolve.toml"), settings).unwrap();
    let both = || {
        let words = [
            &["lock", "app.in", "-o", "app.txt"][..],
            &["--target", "one", "--target", "two"],
        ];
        mlresolve(&project.indexes, project.folder.path(), &words.concat())
    };
    assert!(both().status.success());
    let whole = both();
    assert!(damage_pages(&project) >= 22);
    let again = both();
    assert_eq!(told(&again), told(&whole));
    assert!(again.status.success() && told(&again).contains("target two:"));
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    paths
}

/// The folder of the cache for one kind of record, with what lies in it.
fn contents(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let entries = fs::read_dir(folder).unwrap().flatten();
    let paths = entries.map(|entry| entry.path());
    paths
        .map(|path| (path.clone(), fs::read(path).unwrap()))
        .collect()
}

#[test]
fn copies_of_what_was_read_change_no_lock() {
    let project = settled("app\n");
    let anew = |words: &[&str]| {
        fs::remove_file(project.path("app.txt")).unwrap();
        project.lock(&[words, &["--solve-anew"]].concat())
    };
    let with_copies = anew(&OFFLINE);
    let copies = project.cached("bundles");
    fs::remove_dir_all(&copies).unwrap();
    let without = anew(&OFFLINE);
    assert_eq!(with_copies, without);
    let written = contents(&copies);
    assert!(!written.is_empty());
    // Damaged, cut off, another's.
    for (path, bytes) in &written {
        for place in (0..bytes.len()).step_by(bytes.len() / 8) {
            let mut damaged = bytes.clone();
            damaged[place] ^= 4;
            fs::write(path, &damaged).unwrap();
            assert_eq!(anew(&OFFLINE), without, "byte {place}");
            fs::write(path, &bytes[..place]).unwrap();
            assert_eq!(anew(&OFFLINE), without, "cut at {place}");
        }
    }
    assert_eq!(contents(&copies), written, "they were written again");
    // They are all that is needed of metadata, whose records were pruned.
    fs::remove_dir_all(project.cached("metadata")).unwrap();
    assert_eq!(anew(&OFFLINE), without);
}

#[test]
fn a_page_that_was_replaced_is_not_read_from_its_copy() {
    let mut project = settled("app\n");
    let newer = Wheel::new("lib", "3.0", "py3-none-any", &[]);
    project.indexes.add("/simple/", &newer);
    let again = |words: &[&str]| {
        fs::remove_file(project.path("app.txt")).unwrap();
        project.lock(&[words, &["--solve-anew"]].concat()).0
    };
    // Fresh for ten minutes, with its copy.
    assert!(again(&[]).contains("lib==2.0"));
    let (_, copied) = contents(&project.cached("bundles")).remove(0);
    assert!(again(&["--refresh"]).contains("lib==3.0"));
    // The copy from before comes back, as if a slower run had written it.
    let (path, _) = contents(&project.cached("bundles")).remove(0);
    for words in [&[][..], &OFFLINE] {
        fs::write(&path, &copied).unwrap();
        assert!(again(words).contains("lib==3.0"), "{words:?}");
    }
    // A page that was pruned is asked for, or not there.
    fs::write(&path, &copied).unwrap();
    fs::remove_dir_all(project.cached("pages")).unwrap();
    let words = "lock app.in -o app.txt --solve-anew --offline";
    let words: Vec<&str> = words.split(' ').collect();
    let done = mlresolve(&project.indexes, project.folder.path(), &words);
    assert!(!done.status.success(), "{}", told(&done));
    assert!(again(&[]).contains("lib==3.0"));
}
