//! Releases judged by their classes are those judged file by file.

use std::sync::Arc;

use jiff::Timestamp;
use pep440_rs::VersionSpecifiers;
use pep508_rs::PackageName;
use proptest::prelude::*;

use super::*;
use crate::metadata::{Digests, FileKind};
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
        let judge = Judge::new(&page, &admission, &Verdicts::default());
        let has_times = files.is_empty() || files.iter().any(|file| file.upload_time.is_some());
        if request.policy.exclude_newer.is_some() && !has_times {
            prop_assert!(judge.is_err(), "a cut-off needs times");
            return Ok(());
        }
        let judge = judge.expect("there are times");
        let universe = Universe::of_page(&page, &admission, judge).expect("it is at hand");

        let before_cut_off = |file: &File| {
            request.policy.exclude_newer.is_none_or(|cut_off| {
                file.upload_time.is_some_and(|time| time < cut_off)
            })
        };
        let pinned = request.pins.values().next().map(|pin| pin.version.clone());
        let prereleases = request.policy.prereleases
            || pinned.is_some_and(|pin| pin.any_prerelease())
            || !files.iter().any(|file| !file.version.any_prerelease() && before_cut_off(file));
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

        let named = |id: Option<FileId>| id.map(|id| page.files.file(id).expect("it").filename);
        let found: Vec<(String, Made)> = (0..universe.len())
            .map(|rank| {
                let release = &universe.releases[rank as usize];
                let all = universe.files(rank).expect("they are at hand");
                let all = all.all().iter().map(|file| file.filename.clone()).collect();
                let version = universe.versions[rank as usize].to_string();
                (version, (named(release.wheel), named(release.sdist), all))
            })
            .collect();
        prop_assert_eq!(&found, &expected);
        let listed: Vec<&Version> = universe.versions.iter().collect();
        prop_assert!(listed.is_sorted());
        let rejected = universe.rejected();
        let releases = page.files.releases().count();
        prop_assert_eq!(rejected.len() + found.len(), releases, "{:?}", rejected);
    }
}
