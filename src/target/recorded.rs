//! The order of tags, compared with what Python's `packaging` gave (tests).

#![expect(clippy::unwrap_used, reason = "a broken fixture fails the test")]

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{TagPriority, Target};
use crate::metadata::WheelName;

/// Written by `tests/fixtures/tags/record.py`, which says what it holds.
const RECORDED: &str = include_str!("../../tests/fixtures/tags/recorded.json");

#[derive(Deserialize)]
struct Recorded {
    platforms: BTreeMap<String, Vec<String>>,
    targets: Vec<RecordedTarget>,
}

#[derive(Deserialize)]
struct RecordedTarget {
    target: String,
    /// How many tags `packaging` gave, so that a fixture cut short is seen.
    count: usize,
    /// Python tag, ABI tag, and `any` or the name of a list of platforms.
    order: Vec<(String, String, String)>,
}

impl Recorded {
    fn read() -> Self {
        serde_json::from_str(RECORDED).unwrap()
    }

    fn tags(&self, target: &RecordedTarget) -> Vec<String> {
        let mut tags = Vec::new();
        for (python, abi, platforms) in &target.order {
            match self.platforms.get(platforms) {
                Some(list) => {
                    tags.extend(
                        list.iter()
                            .map(|platform| format!("{python}-{abi}-{platform}")),
                    );
                }
                None => tags.push(format!("{python}-{abi}-{platforms}")),
            }
        }
        assert_eq!(tags.len(), target.count, "{}", target.target);
        tags
    }
}

/// A wheel of the tags, which a build tag may precede: `2-py3-none-any`.
pub(super) fn wheel(tags: &str) -> WheelName {
    let split = |tags: &str| tags.split('.').map(str::to_owned).collect();
    let mut parts = tags.rsplitn(4, '-');
    let platform = split(parts.next().unwrap());
    let abi = split(parts.next().unwrap());
    let python = split(parts.next().unwrap());
    let build = parts.next().map(|build| {
        let digits = build.trim_end_matches(|c: char| !c.is_ascii_digit());
        let (number, rest) = build.split_at(digits.len());
        (number.parse().unwrap(), rest.to_owned())
    });
    WheelName {
        name: "example".parse().unwrap(),
        version: "1.0".parse().unwrap(),
        build,
        python,
        abi,
        platform,
        variant: None,
    }
}

#[test]
fn tags_are_in_the_recorded_order() {
    let recorded = Recorded::read();
    assert!(recorded.targets.len() >= 12);
    for each in &recorded.targets {
        let target: Target = each.target.parse().unwrap();
        let found: Vec<String> = target
            .tags()
            .map(|(python, abi, platform)| format!("{python}-{abi}-{platform}"))
            .collect();
        let expected = recorded.tags(each);
        if let Some(index) = (0..expected.len().max(found.len()))
            .find(|index| found.get(*index) != expected.get(*index))
        {
            panic!(
                "{}: tag {index} is {:?}, recorded is {:?}",
                each.target,
                found.get(index),
                expected.get(index)
            );
        }
    }
}

#[test]
fn priorities_fall_in_the_recorded_order() {
    let recorded = Recorded::read();
    for each in &recorded.targets {
        let target: Target = each.target.parse().unwrap();
        let tags = recorded.tags(each);
        for (tags_left, tag) in (1..).zip(tags.iter().rev()) {
            assert_eq!(
                target.wheel_priority(&wheel(tag)),
                Some(TagPriority(tags_left)),
                "{}: {tag}",
                each.target
            );
        }
    }
}
