//! Locks compared by what an installer would do, and as texts.

use std::collections::BTreeSet;

use mlresolve::Lock;
use mlresolve::lock::{
    Format, RenderOptions, Source, diff, read_pylock, read_requirements, render,
};

use crate::{approve, sample};

fn change(change: impl FnOnce(&mut Lock)) -> Vec<String> {
    let before = sample::lock();
    let mut after = sample::lock();
    change(&mut after);
    let differences = before.differences(&after);
    assert_eq!(differences.is_empty(), before.same_consequences(&after));
    differences.iter().map(ToString::to_string).collect()
}

#[test]
fn what_has_no_consequence_is_no_difference() {
    let differences = change(|lock| {
        lock.provenance = mlresolve::lock::Provenance::default();
        for package in &mut lock.packages {
            package.via.clear();
            package.rules.clear();
        }
    });
    assert_eq!(differences, Vec::<String>::new());
}

#[test]
fn what_has_is_told() {
    let differences = change(|lock| {
        lock.packages
            .retain(|package| package.name.as_ref() != "folder");
        lock.packages
            .push(sample::released("zipp", "4.1.2", Vec::new(), &["torch"]));
        lock.target.python = "3.12".to_owned();
        for package in &mut lock.packages {
            match package.name.as_ref() {
                "numpy" => package.version = Some("2.0.0".parse().unwrap()),
                "opencv-python" => package.marker = None,
                "setuptools" => {
                    package.source = Source::Index(Some("https://other.example".to_owned()));
                }
                "torch" => {
                    package.hashes = BTreeSet::from([mlresolve::metadata::FileHash::new(
                        "sha256",
                        &sample::digest('9'),
                    )]);
                }
                "repository" => {
                    if let Source::Vcs { commit, .. } = &mut package.source {
                        *commit = "f".repeat(40);
                    }
                }
                _ => {}
            }
        }
    });
    approve("differences", &differences.join("\n"));
}

#[test]
fn both_formats_of_a_lock_are_alike() {
    let mut lock = sample::lock();
    // A requirements file cannot say which distribution a folder is.
    lock.packages
        .retain(|package| package.name.as_ref() != "folder");
    let requirements = read_requirements(&render(&lock, &RenderOptions::default())).lock;
    let options = RenderOptions {
        format: Format::Pylock,
        ..RenderOptions::default()
    };
    let pylock = read_pylock(&render(&lock, &options), "pylock.toml").unwrap();
    // It cannot say either that credentials were left off.
    let differences: Vec<String> = requirements
        .differences(&pylock)
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(differences, ["`archived` comes from elsewhere"]);
}

#[test]
fn texts_compared() {
    let before = sample::lock();
    let mut after = sample::lock();
    after.packages[2].version = Some("1.26.3".parse().unwrap());
    let options = RenderOptions {
        hashes: false,
        ..RenderOptions::default()
    };
    let (old, new) = (render(&before, &options), render(&after, &options));
    approve(
        "diff",
        &diff(
            ("requirements.txt", &old),
            ("requirements.txt (as it would be)", &new),
        ),
    );
    assert_eq!(diff(("a", &old), ("b", &old)), "");
}
