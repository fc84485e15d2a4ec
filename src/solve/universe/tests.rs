//! Releases judged by their classes are those judged file by file.

use std::rc::Rc;
use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use pep440_rs::VersionSpecifiers;
use pep508_rs::PackageName;
use proptest::prelude::*;

use super::*;
use crate::metadata::{DetailSource, Digests, FileKind, Files};
use crate::request::{Pin, Policy, Request};
use crate::rules::RuleSet;

const VERSIONS: [&str; 5] = ["1.0", "1.1", "2.0rc1", "2.0", "3.0.dev1"];
const SHAPES: [&str; 9] = [
    "py3-none-any.whl",
    "py2.py3-none-any.whl",
    "1-py3-none-any.whl",
    "cp311-cp311-manylinux_2_17_x86_64.whl",
    "cp310-cp310-manylinux_2_17_x86_64.whl",
    "cp311-cp311-win_amd64.whl",
    "py3-none-any-x86_64_v3.whl",
    "tar.gz",
    "zip",
];
const PYTHONS: [Option<&str>; 3] = [None, Some(">=3.8"), Some(">=3.12")];

fn name() -> PackageName {
    "demo".parse().expect("a name")
}

fn target() -> Target {
    Target::declared("3.11", "x86_64-manylinux_2_28").expect("a target")
}

fn second(time: i64) -> Timestamp {
    Timestamp::from_second(time).expect("a time")
}

/// A file, as it comes on a page.
fn file() -> impl Strategy<Value = File> {
    let time = prop_oneof![4 => (1..5_i64).prop_map(Some), 1 => Just(None)];
    let yanked = prop_oneof![4 => Just(false), 1 => Just(true)];
    let numbers = (0..VERSIONS.len(), 0..SHAPES.len(), 0..PYTHONS.len());
    (numbers, time, yanked).prop_map(|((version, shape, python), time, yanked)| {
        let (version, shape) = (VERSIONS[version], SHAPES[shape]);
        let separator = if shape.contains("whl") { '-' } else { '.' };
        let filename = format!("demo-{version}{separator}{shape}");
        let kind = FileKind::parse(&filename, &name()).expect("a file of it");
        File {
            url: format!("https://files.example/{filename}"),
            hashes: Digests::new(),
            size: None,
            upload_time: time.map(second),
            requires_python: PYTHONS[python].map(str::to_owned),
            yanked: yanked.then_some(Yanked { reason: None }),
            sidecar: None,
            version: kind.version().clone(),
            filename,
            kind,
        }
    })
}

/// What the user decided, and the version that is pinned.
fn request() -> impl Strategy<Value = Request> {
    let control = || prop_oneof![3 => Just(true), 1 => Just(false)];
    let pin = proptest::option::of(0..VERSIONS.len());
    let cut_off = proptest::option::of(1..6_i64);
    (any::<bool>(), cut_off, control(), control(), pin).prop_map(
        |(prereleases, cut_off, wheels, sdists, pin)| {
            let mut policy = Policy {
                prereleases,
                exclude_newer: cut_off.map(second),
                ..Policy::default()
            };
            policy.wheels.all = wheels;
            policy.sdists.all = sdists;
            let pin = pin.map(|pin| Pin {
                version: VERSIONS[pin].parse().expect("a version"),
                hashes: Vec::new(),
            });
            Request {
                pins: pin.into_iter().map(|pin| (name(), pin)).collect(),
                policy,
                ..Request::default()
            }
        },
    )
}

/// What a release is made of: wheel, source distribution, all files that the policy admits.
type Made = (Option<String>, Option<String>, Vec<String>);

/// The release, file by file.
fn made(files: &[&File], version: &Version, request: &Request, target: &Target) -> Made {
    let policy = &request.policy;
    let pinned = request.pins.values().any(|pin| pin.version == *version);
    let visible = |file: &&&File| {
        let seen = policy
            .exclude_newer
            .is_none_or(|cut_off| file.upload_time.is_some_and(|time| time < cut_off));
        let allowed = match &file.kind {
            FileKind::Wheel(wheel) => policy.wheels.all && wheel.variant.is_none(),
            _ => policy.sdists.all,
        };
        seen && allowed && (file.yanked.is_none() || pinned)
    };
    let suits = |file: &&&File| {
        let requires = file.requires_python.as_deref();
        let requires = requires.map(|text| text.parse::<VersionSpecifiers>().expect("specifiers"));
        requires.is_none_or(|requires| target.admits_python(&requires))
    };
    let usable: Vec<&&File> = files.iter().filter(visible).filter(suits).collect();
    let mut wheel = None;
    for file in &usable {
        if let FileKind::Wheel(tags) = &file.kind
            && let Some(order) = target.wheel_order(tags)
            && wheel.is_none_or(|(best, _)| order > best)
        {
            wheel = Some((order, &file.filename));
        }
    }
    let sdists: Vec<&String> = usable
        .iter()
        .map(|file| &file.filename)
        .filter(|name| !name.contains(".whl"))
        .collect();
    let is_tar_gz = |name: &&&String| name.contains(".tar.gz");
    let sdist = sdists.iter().rfind(is_tar_gz).or(sdists.last());
    let mut all: Vec<String> = files
        .iter()
        .filter(visible)
        .map(|file| file.filename.clone())
        .collect();
    all.sort();
    (
        wheel.map(|(_, name)| name.clone()),
        sdist.map(|name| (*name).clone()),
        all,
    )
}

/// The universe of a page that is at hand.
fn universe(page: &Arc<Page>, admission: &Admission<'_>, judge: Judge) -> Universe {
    let prereleases = Universe::prereleases(page, admission, &judge).expect("it is at hand");
    Universe::of_page(page, admission, judge, prereleases).expect("it is at hand")
}

/// What the releases of a universe are made of, by their versions.
fn shown(universe: &Universe) -> Vec<(String, Made)> {
    let Source::Index(page) = &universe.source else {
        panic!("it is of no page");
    };
    let shown = (0..universe.len()).map(|rank| {
        let release = &universe.releases[rank as usize];
        let version = &universe.versions[rank as usize];
        let of_version = page.files.of_version(version);
        let named = |place: u32| {
            let id = of_version.get(usize::try_from(place).ok()?)?;
            Some(page.files.file(*id).expect("it is there").filename)
        };
        let all = universe.files(rank).expect("they are at hand");
        let all = all.all().iter().map(|file| file.filename.clone()).collect();
        (
            version.to_string(),
            (named(release.wheel), named(release.sdist), all),
        )
    });
    shown.collect()
}

/// The details of a page, and what is noted with it.
#[derive(Default)]
struct Notebook {
    details: Vec<u8>,
    note: Mutex<Option<Vec<u8>>>,
}

impl DetailSource for Notebook {
    fn read(&self, range: std::ops::Range<u64>) -> Option<Vec<u8>> {
        let place = |at: u64| usize::try_from(at).ok();
        let part = self.details.get(place(range.start)?..place(range.end)?)?;
        Some(part.to_vec())
    }

    fn note(&self) -> Option<Vec<u8>> {
        self.note.lock().expect("it is whole").clone()
    }

    fn keeps_notes(&self) -> bool {
        true
    }

    fn keep_note(&self, note: Vec<u8>) {
        *self.note.lock().expect("it is whole") = Some(note);
    }
}

/// A page of these files as a cache keeps it, and where its notes go.
fn kept(files: &[File]) -> (Arc<Page>, Arc<Notebook>) {
    let read = Page::new(name(), "https://index.example/".to_owned(), files, 0);
    let notebook = Arc::new(Notebook {
        details: read.files.details().expect("they are at hand"),
        note: Mutex::default(),
    });
    let head = read.files.head().to_vec();
    let files = Files::read(&name(), head, Arc::clone(&notebook) as _).expect("it is a page");
    (Arc::new(Page { files, ..read }), notebook)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Whatever one solve noted, another one finds what it would find without.
    #[test]
    fn what_is_noted_is_what_would_be_found(
        files in proptest::collection::vec(file(), 0..24),
        first in request(),
        second in request(),
        same in any::<bool>(),
        pythons in prop_oneof![4 => Just(["3.11", "3.11"]), 1 => Just(["3.11", "3.12"])],
    ) {
        let rules = RuleSet::default();
        let (page, notebook) = kept(&files);
        let second = if same {
            // The lock is there now, and nothing else has changed.
            Request { policy: first.policy.clone(), ..second }
        } else {
            second
        };
        let [one, other] = pythons.map(|python| {
            Target::declared(python, "x86_64-manylinux_2_28").expect("a target")
        });
        let judged = |request: &Request, target: &Target, noted: bool| {
            let admission = Admission::new(request, target, &rules, &name());
            let known = (&Rc::new(target.clone()), &Rc::default());
            let judge = Judge::new(&page, &admission, known).ok()?;
            let key = NoteKey::of(target, &request.policy).expect("it takes no variants");
            if let Some(universe) = Universe::noted(&page, &admission, key).filter(|_| noted) {
                return Some(universe.judged_by(judge));
            }
            let prereleases = Universe::prereleases(&page, &admission, &judge);
            let universe = universe(&page, &admission, judge);
            universe.note(&admission, key, prereleases.expect("it is at hand"));
            Some(universe)
        };
        judged(&first, &one, false);
        let found = judged(&second, &other, true);
        *notebook.note.lock().expect("it is whole") = None;
        let expected = judged(&second, &other, true);
        prop_assert_eq!(found.is_some(), expected.is_some());
        if let (Some(found), Some(expected)) = (found, expected) {
            prop_assert_eq!(shown(&found), shown(&expected));
            prop_assert_eq!(found.rejected(), expected.rejected());
            let row = |universe: &Universe| (0..universe.len())
                .map(|rank| (universe.metadata_row(rank), universe.yanked(rank)))
                .collect::<Vec<_>>();
            prop_assert_eq!(row(&found), row(&expected));
        }
    }
}

#[test]
fn what_was_noted_is_found_without_judging() {
    let file = |version: &str, shape: &str, yanked: bool| {
        let filename = format!("demo-{version}-{shape}");
        let kind = FileKind::parse(&filename, &name()).expect("a file of it");
        File {
            url: format!("https://files.example/{filename}"),
            hashes: Digests::new(),
            size: None,
            upload_time: None,
            requires_python: None,
            yanked: yanked.then_some(Yanked { reason: None }),
            sidecar: None,
            version: kind.version().clone(),
            filename,
            kind,
        }
    };
    let wheel = "py3-none-any.whl";
    let files = [
        file("1.0", wheel, false),
        file("1.1", wheel, true),
        file("2.0", "cp310-cp310-win_amd64.whl", false),
        file("2.1", wheel, false),
    ];
    let (page, _) = kept(&files);
    let (target, rules) = (target(), RuleSet::default());
    let is_noted = |pin: Option<&str>| {
        let pin = pin.map(|pin| Pin {
            version: pin.parse().expect("a version"),
            hashes: Vec::new(),
        });
        let request = Request {
            pins: pin.into_iter().map(|pin| (name(), pin)).collect(),
            ..Request::default()
        };
        let admission = Admission::new(&request, &target, &rules, &name());
        let known = (&Rc::new(target.clone()), &Rc::default());
        let judge = Judge::new(&page, &admission, known).expect("there is no cut-off");
        let key = NoteKey::of(&target, &request.policy).expect("it takes no variants");
        if Universe::noted(&page, &admission, key).is_some() {
            return true;
        }
        let universe = universe(&page, &admission, judge);
        universe.note(&admission, key, false);
        false
    };
    assert!(!is_noted(None));
    assert!(is_noted(None));
    assert!(is_noted(Some("2.1")), "the pin of a lock changes nothing");
    assert!(!is_noted(Some("1.1")), "what was yanked is admitted");
    assert!(!is_noted(Some("0.9")), "it may have been yanked");
    assert!(is_noted(Some("1.0")));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn classes_are_judged_as_their_files_are(
        files in proptest::collection::vec(file(), 0..24),
        request in request(),
    ) {
        let target = target();
        let rules = RuleSet::default();
        let page = Arc::new(Page::new(name(), "https://index.example/".to_owned(), &files, 0));
        let admission = Admission::new(&request, &target, &rules, &name());
        let known = (&Rc::new(target.clone()), &Rc::default());
        let judge = Judge::new(&page, &admission, known);
        let has_times = files.is_empty() || files.iter().any(|file| file.upload_time.is_some());
        if request.policy.exclude_newer.is_some() && !has_times {
            prop_assert!(judge.is_err(), "a cut-off needs times");
            return Ok(());
        }
        let judge = judge.expect("there are times");
        let universe = universe(&page, &admission, judge);

        let before_cut_off = |file: &File| {
            request.policy.exclude_newer.is_none_or(|cut_off| {
                file.upload_time.is_some_and(|time| time < cut_off)
            })
        };
        let is_final = |file: &File| {
            !file.version.any_prerelease() && file.yanked.is_none() && before_cut_off(file)
        };
        let pinned = request.pins.values().next().map(|pin| pin.version.clone());
        let prereleases = request.policy.prereleases
            || pinned.is_some_and(|pin| pin.any_prerelease())
            || !files.iter().any(is_final);
        let mut expected: Vec<(String, Made)> = Vec::new();
        let mut versions: Vec<Version> = files.iter().map(|file| file.version.clone()).collect();
        versions.sort();
        versions.dedup();
        for version in versions {
            let own: Vec<&File> = files.iter().filter(|file| file.version == version).collect();
            let made = made(&own, &version, &request, &target);
            let usable = made.0.is_some() || made.1.is_some();
            if usable && (prereleases || !version.any_prerelease()) {
                expected.push((version.to_string(), made));
            }
        }

        let found = shown(&universe);
        prop_assert_eq!(&found, &expected);
        let listed: Vec<&Version> = universe.versions.iter().collect();
        prop_assert!(listed.is_sorted());
        let rejected = universe.rejected();
        let releases = page.files.releases().count();
        prop_assert_eq!(rejected.len() + found.len(), releases, "{:?}", rejected);
    }
}
