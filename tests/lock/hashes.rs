//! Which files and hashes a lock lists.

use std::collections::{BTreeMap, BTreeSet};

use mlresolve::Lock;
use mlresolve::lock::{HashListing, LockContext, LockError};
use mlresolve::metadata::FileHash;
use mlresolve::request::Pin;
use mlresolve::rules::RuleSet;

use crate::sample;
use crate::solution::{alone, chosen, context, file, name, request};

fn hashes(lock: &Lock) -> Vec<String> {
    lock.packages[0]
        .hashes
        .iter()
        .map(|hash| format!("{}:{}", hash.algorithm(), &hash.digest()[..1]))
        .collect()
}

fn pin(version: &str, hashes: &[(&str, char)]) -> Pin {
    Pin {
        version: version.parse().unwrap(),
        hashes: hashes
            .iter()
            .map(|(algorithm, seed)| FileHash::new(algorithm, &sample::digest(*seed)))
            .collect(),
    }
}

#[test]
fn a_new_pin_lists_its_files() {
    let files = || {
        vec![
            file("a-1-py3-none-any.whl", Some('1')),
            file("a-1-cp311-cp311-win_amd64.whl", Some('2')),
            file("a-1.tar.gz", Some('3')),
            file("a-1.zip", Some('4')),
        ]
    };
    let rules = RuleSet::default();
    let lock = |hashes| {
        let context = LockContext {
            hashes,
            ..context(&rules)
        };
        Lock::from_solution(&alone(chosen("a", "1", files())), &request(&["a"]), context).unwrap()
    };
    let listed = lock(HashListing::Hashes);
    assert_eq!(
        hashes(&listed),
        ["sha256:1", "sha256:2", "sha256:3", "sha256:4"]
    );
    // pylock.toml has one source distribution to a release.
    let listed = lock(HashListing::Files);
    assert_eq!(hashes(&listed), ["sha256:1", "sha256:2", "sha256:3"]);
    assert_eq!(
        listed.packages[0].left_out,
        BTreeSet::from(["a-1.zip".to_owned()])
    );
    let listed = lock(HashListing::None);
    assert!(hashes(&listed).is_empty());
    assert_eq!(
        listed.packages[0].requires_python.as_deref(),
        Some(">=3.8,<4")
    );
}

#[test]
fn an_unchanged_pin_keeps_its_hashes() {
    let files = || {
        vec![
            file("a-1-cp311-cp311-linux_x86_64.whl", Some('1')),
            file("a-1-cp312-cp312-linux_x86_64.whl", Some('2')),
            file("a-1-cp311-cp311-win_amd64.whl", Some('3')),
        ]
    };
    let rules = RuleSet::default();
    let lock = |pin: Pin, mode: HashListing| {
        let mut request = request(&["a"]);
        request.pins.insert(name("a"), pin);
        let context = LockContext {
            hashes: mode,
            ..context(&rules)
        };
        Lock::from_solution(&alone(chosen("a", "1", files())), &request, context).unwrap()
    };
    let all = ["sha256:1", "sha256:2", "sha256:3"];
    // The file with `9` is gone from the index, that with `2` is new.
    let kept = lock(
        pin("1", &[("sha256", '1'), ("sha256", '9')]),
        HashListing::Hashes,
    );
    assert_eq!(hashes(&kept), ["sha256:1", "sha256:9"]);
    assert_eq!(kept.packages[0].files.len(), 1);
    // Another version's record is of no use, nor one without a sha256, nor one that
    // leaves nothing to install here.
    for pin in [
        pin("2", &[("sha256", '1')]),
        pin("1", &[("md5", '1')]),
        pin("1", &[("sha256", '3')]),
        pin("1", &[("sha256", '9')]),
        pin("1", &[]),
    ] {
        assert_eq!(
            hashes(&lock(pin.clone(), HashListing::Hashes)),
            all,
            "{pin:?}"
        );
        assert_eq!(hashes(&lock(pin, HashListing::Files)), all);
    }
}

#[test]
fn a_missing_hash_is_asked_for() {
    let files = || {
        vec![
            file("a-1-cp311-cp311-linux_x86_64.whl", None),
            file("a-1-cp311-cp311-win_amd64.whl", None),
            file("a-1.tar.gz", None),
        ]
    };
    let rules = RuleSet::default();
    let solution = alone(chosen("a", "1", files()));
    let error = Lock::from_solution(&solution, &request(&["a"]), context(&rules)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "no index gives a sha256 for `a-1-cp311-cp311-linux_x86_64.whl`"
    );
    let LockError::MissingHashes { files } = error else {
        panic!("{error:?}");
    };
    let computed_hashes: BTreeMap<String, String> = files
        .into_iter()
        .map(|file| (file.url, sample::digest('7')))
        .collect();
    let with = LockContext {
        computed_hashes,
        ..context(&rules)
    };
    let lock = Lock::from_solution(&solution, &request(&["a"]), with).unwrap();
    assert_eq!(hashes(&lock), ["sha256:7"]);
    assert_eq!(
        lock.packages[0].left_out,
        BTreeSet::from([
            "a-1-cp311-cp311-win_amd64.whl".to_owned(),
            "a-1.tar.gz".to_owned()
        ])
    );

    // A record stands where the index cannot contradict it; files need a hash each.
    let mut again = request(&["a"]);
    again.pins.insert(name("a"), pin("1", &[("sha256", '7')]));
    let lock = Lock::from_solution(&solution, &again, context(&rules)).unwrap();
    assert_eq!(hashes(&lock), ["sha256:7"]);
    let files = LockContext {
        hashes: HashListing::Files,
        ..context(&rules)
    };
    assert!(Lock::from_solution(&solution, &again, files).is_err());

    // Without hashes nothing is asked for.
    let none = LockContext {
        hashes: HashListing::None,
        ..context(&rules)
    };
    assert!(Lock::from_solution(&solution, &request(&["a"]), none).is_ok());
}

#[test]
fn the_users_own_hashes_count_first() {
    let files = || {
        vec![
            file("a-1-cp311-cp311-linux_x86_64.whl", Some('1')),
            file("a-1.tar.gz", Some('2')),
        ]
    };
    let rules = RuleSet::default();
    let lock = |algorithm: &str, seed: char| {
        let mut request = request(&["a"]);
        request
            .pins
            .insert(name("a"), pin("1", &[("sha256", '1'), ("sha256", '2')]));
        request.requirements[0].hashes = vec![(algorithm.to_owned(), sample::digest(seed))];
        Lock::from_solution(&alone(chosen("a", "1", files())), &request, context(&rules))
    };
    assert_eq!(hashes(&lock("sha256", '1').unwrap()), ["sha256:1"]);
    let error = lock("sha256", '8').unwrap_err();
    assert_eq!(
        error.to_string(),
        "the hashes given for `a` fit no file of `a 1`"
    );
    // A file for another target has them.
    let mut elsewhere = files();
    elsewhere.push(file("a-1-cp311-cp311-win_amd64.whl", Some('3')));
    let mut other = request(&["a"]);
    other.requirements[0].hashes = vec![("sha256".to_owned(), sample::digest('3'))];
    let solution = alone(chosen("a", "1", elsewhere));
    let error = Lock::from_solution(&solution, &other, context(&rules)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the hashes given for `a` are of `a-1-cp311-cp311-win_amd64.whl`, which is not for this target"
    );
    // The index gives none of this kind: the installer will check it.
    assert_eq!(hashes(&lock("sha512", '8').unwrap()), ["sha512:8"]);
}
