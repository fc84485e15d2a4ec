//! Snapshots: what goes in comes out.

use std::cell::RefCell;

use super::*;
use crate::metadata::{FileKind, Yanked};
use crate::solve::Unusable;

/// Facts in memory, and note of what was asked.
#[derive(Default)]
struct Fixed {
    pages: BTreeMap<PackageName, Arc<Page>>,
    metadata: BTreeMap<String, Result<Arc<Metadata>, FactError>>,
    asked: RefCell<Vec<String>>,
}

impl Facts for Fixed {
    fn page(&self, name: &PackageName) -> Result<Arc<Page>, FactError> {
        self.asked.borrow_mut().push(name.to_string());
        self.pages
            .get(name)
            .cloned()
            .ok_or_else(|| FactError::NotFound {
                name: name.clone(),
                asked: vec![INDEX.to_owned(), "https://extra.example/".to_owned()],
            })
    }

    fn metadata(&self, _: &Page, file: &File, _: BuildPolicy) -> Result<Arc<Metadata>, FactError> {
        self.asked.borrow_mut().push(file.filename.clone());
        self.metadata[&file.filename].clone()
    }

    fn direct(&self, url: &DirectUrl) -> Result<Arc<DirectFacts>, FactError> {
        Ok(Arc::new(DirectFacts {
            metadata: metadata("tool", "3.0", "Requires-Dist: numpy"),
            file: None,
            commit: Some(format!("commit of {}", url.given)),
        }))
    }
}

const INDEX: &str = "https://index.example/simple/";

fn name(text: &str) -> PackageName {
    text.parse().expect("a name")
}

fn metadata(name: &str, version: &str, more: &str) -> Metadata {
    let text = format!("Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{more}\n");
    Metadata::parse(text.as_bytes(), None).expect("the test's metadata is valid")
}

fn file(filename: &str, name: &PackageName) -> File {
    let kind = FileKind::parse(filename, name).expect("a file name");
    File {
        filename: filename.to_owned(),
        url: format!("https://files.index.example/packages/ab/cd/{filename}"),
        hashes: [("sha256".to_owned(), "0123456789abcdef".repeat(4))].into(),
        size: Some(1234),
        upload_time: Some("2024-05-06T07:08:09.123456Z".parse().expect("an instant")),
        requires_python: Some(">=3.8".to_owned()),
        yanked: None,
        sidecar: None,
        version: kind.version().clone(),
        kind,
    }
}

const REQUIRES: &str = "Requires-Python: >=3.9,!=3.10.0\n\
    Provides-Extra: all\n\
    Requires-Dist: numpy (<2,>=1.21.2); python_version < '3.13' and extra == 'all'\n\
    Requires-Dist: cupy[cuda]; (os_name == 'nt' or sys_platform == 'linux') and extra != 'all'\n\
    Requires-Dist: local===1.0+cu121\n\
    Requires-Dist: direct @ https://files.example/direct.zip ; python_version >= '3'\n";

fn facts() -> Fixed {
    let demo = name("demo");
    let mut old = file("demo-0.9-py3-none-any.whl", &demo);
    old.yanked = Some(Yanked {
        reason: Some("broken".to_owned()),
    });
    old.requires_python = None;
    let files = vec![
        old,
        file("demo-1.0-py3-none-any.whl", &demo),
        file("demo-1.0-cp311-cp311-win_amd64.whl", &demo),
        file("demo-1.1.tar.gz", &demo),
    ];
    let page = Page::new(demo.clone(), INDEX.to_owned(), &files, 3);
    Fixed {
        pages: [(demo, Arc::new(page))].into(),
        metadata: [
            (
                "demo-1.0-py3-none-any.whl".to_owned(),
                Ok(Arc::new(metadata("demo", "1.0", REQUIRES))),
            ),
            (
                "demo-1.1.tar.gz".to_owned(),
                Err(FactError::Unusable(Unusable::NeedsBuild)),
            ),
        ]
        .into(),
        asked: RefCell::default(),
    }
}

fn about() -> About {
    About {
        recorded: "2026-11-21T00:00:00Z".parse().expect("an instant"),
        purpose: "tests".to_owned(),
        program: "mlresolve 0.1.0".to_owned(),
    }
}

fn direct_url() -> DirectUrl {
    DirectUrl {
        url: "git+https://ada:secret@code.example/tool.git".to_owned(),
        given: "tool @ git+https://code.example/tool.git".to_owned(),
        subdirectory: None,
        editable: false,
    }
}

/// Asks for everything that [`facts`] has.
fn record(hosts: &Hosts) -> Vec<u8> {
    let facts = facts();
    let recording = Recording::default();
    let recorder = recording.of(&facts);
    let page = recorder.page(&name("demo")).expect("it is there");
    for file in &page.files.all().expect("they can be read") {
        if facts.metadata.contains_key(&file.filename) {
            let _ = recorder.metadata(&page, file, BuildPolicy::Never);
        }
    }
    recorder
        .page(&name("nothing"))
        .expect_err("it is not there");
    recorder.direct(&direct_url()).expect("it is there");
    assert_eq!(facts.asked.borrow().len(), 4);
    recording.write(about(), hosts).expect("it can be written")
}

fn read(bytes: Vec<u8>) -> SnapshotFacts {
    let default = Url::parse("https://mine.example/simple/").expect("a URL");
    SnapshotFacts::new(
        vec![Snapshot::read(bytes).expect("it can be read")],
        &default,
    )
}

#[test]
fn what_was_asked_for_is_answered_again() {
    let facts = facts();
    let snapshot = read(record(&Hosts::AsRecorded));
    let page = snapshot.page(&name("demo")).expect("it was recorded");
    let expected = &facts.pages[&name("demo")];
    assert_eq!(
        (&page.name, &page.index, page.skipped),
        (&expected.name, &expected.index, 3)
    );
    assert_eq!(
        page.files.all().expect("they can be read")[1..],
        expected.files.all().expect("they can be read")[1..],
        "of releases that were asked for: all"
    );
    let (old, was) = (
        &page.files.get(0).expect("it is listed"),
        &expected.files.get(0).expect("it is listed"),
    );
    assert_eq!(old.yanked, was.yanked);
    let second = |file: &File| file.upload_time.map(Timestamp::as_second);
    assert_eq!((second(old), &old.requires_python), (second(was), &None));
    assert!(old.hashes.is_empty(), "of others: what a solver looks at");

    let metadata = |index: usize| {
        snapshot.metadata(
            &page,
            &page.files.get(index).expect("it is listed"),
            BuildPolicy::Never,
        )
    };
    assert_eq!(
        metadata(1).expect("it was recorded"),
        facts.metadata["demo-1.0-py3-none-any.whl"]
            .clone()
            .expect("it has metadata")
    );
    assert!(matches!(
        metadata(3),
        Err(FactError::Unusable(Unusable::NeedsBuild))
    ));
    let error = snapshot
        .page(&name("nothing"))
        .expect_err("it is not there");
    assert!(matches!(error, FactError::NotFound { asked, .. } if asked[0] == INDEX));
    let direct = snapshot.direct(&direct_url()).expect("it was recorded");
    assert_eq!(direct.metadata.requires_dist.len(), 1);
    assert!(direct.commit.is_some());
}

#[test]
fn what_was_not_asked_for_is_a_failure_that_says_so() {
    let snapshot = read(record(&Hosts::AsRecorded));
    let page = snapshot.page(&name("demo")).expect("it was recorded");
    let failures = [
        snapshot
            .page(&name("other"))
            .expect_err("it was not recorded"),
        snapshot
            .metadata(
                &page,
                &page.files.get(0).expect("it is listed"),
                BuildPolicy::Never,
            )
            .expect_err("it was not recorded"),
        // With a build allowed, the answer may have been another.
        snapshot
            .metadata(
                &page,
                &page.files.get(3).expect("it is listed"),
                BuildPolicy::LastResort,
            )
            .expect_err("it was not recorded"),
    ];
    let messages: Vec<String> = failures.iter().map(ToString::to_string).collect();
    assert_eq!(
        messages,
        [
            "the snapshot does not hold the page of `other`",
            "the snapshot does not hold the metadata of `demo-0.9-py3-none-any.whl`",
            "the snapshot does not hold the metadata of `demo-1.1.tar.gz`",
        ]
    );
}

#[test]
fn the_same_facts_give_the_same_bytes_and_no_host_where_none_is_wanted() {
    let example = Hosts::Example(Url::parse(INDEX).expect("a URL"));
    assert_eq!(record(&example), record(&example));
    let snapshot = read(record(&example));
    let page = snapshot.page(&name("demo")).expect("it was recorded");
    assert_eq!(page.index, "https://mine.example/simple/");
    assert_eq!(
        page.files.get(1).expect("it is listed").url,
        "https://files.example/packages/ab/cd/demo-1.0-py3-none-any.whl"
    );
    let error = snapshot
        .page(&name("nothing"))
        .expect_err("it is not there");
    assert!(
        matches!(&error, FactError::NotFound { asked, .. }
            if asked == &["https://mine.example/simple/", "https://extra.example/"]),
        "{error:?}"
    );
}

#[test]
fn snapshots_can_be_joined() {
    let facts = facts();
    let part = |filename: &str| {
        let recording = Recording::default();
        let recorder = recording.of(&facts);
        let page = recorder.page(&name("demo")).expect("it is there");
        let files = page.files.all().expect("they can be read");
        let file = files.iter().find(|file| file.filename == filename);
        let _ = recorder.metadata(&page, file.expect("it is listed"), BuildPolicy::Never);
        let bytes = recording
            .write(about(), &Hosts::AsRecorded)
            .expect("it can be written");
        Snapshot::read(bytes).expect("it can be read")
    };
    let parts = vec![part("demo-1.1.tar.gz"), part("demo-1.0-py3-none-any.whl")];
    let joined = SnapshotFacts::new(parts, &Url::parse(INDEX).expect("a URL"));
    let page = joined.page(&name("demo")).expect("both have it");
    assert_eq!(
        page.files.all().expect("they can be read")[1..],
        facts.pages[&name("demo")]
            .files
            .all()
            .expect("they can be read")[1..]
    );
    joined
        .metadata(
            &page,
            &page.files.get(1).expect("it is listed"),
            BuildPolicy::Never,
        )
        .expect("the second has it");
}

#[test]
fn a_snapshot_says_what_it_is() {
    let snapshot = Snapshot::read(record(&Hosts::AsRecorded)).expect("it can be read");
    assert_eq!(snapshot.about(), &about());
    let names: Vec<String> = snapshot.names().map(ToString::to_string).collect();
    assert_eq!(names, ["demo", "nothing"]);
    assert_eq!(snapshot.metadata_count(), 2);
}

#[test]
fn damage_is_noticed_and_credentials_are_not_kept() {
    let bytes = record(&Hosts::AsRecorded);
    let ask_all = |bytes: Vec<u8>| {
        let snapshot = Snapshot::read(bytes).ok()?;
        assert!(!format!("{:?}", snapshot.directs()).contains("secret"));
        let facts = SnapshotFacts::new(vec![snapshot], &Url::parse(INDEX).ok()?);
        let (page, direct) = (
            facts.page(&name("demo")).ok()?,
            facts.direct(&direct_url()).ok()?,
        );
        match facts.page(&name("nothing")) {
            Err(FactError::NotFound { asked, .. }) => Some((page, direct, asked)),
            _ => None,
        }
    };
    let whole = ask_all(bytes.clone());
    assert!(whole.is_some());
    let mut noticed = 0;
    for position in 0..bytes.len() {
        assert_eq!(
            ask_all(bytes[..position].to_vec()),
            None,
            "cut at {position}"
        );
        let mut damaged = bytes.clone();
        damaged[position] ^= 0x10;
        // Some bits of a compressed frame mean nothing.
        let answer = ask_all(damaged);
        assert!(answer.is_none() || answer == whole, "byte {position}");
        noticed += usize::from(answer.is_none());
    }
    assert!(
        noticed > bytes.len() * 9 / 10,
        "{noticed} of {}",
        bytes.len()
    );
    let mut later = bytes;
    later[8] = 99;
    let error = Snapshot::read(later).expect_err("it is of a later version");
    assert_eq!(
        error,
        SnapshotError::Layout {
            found: 99,
            known: 2
        }
    );
}
