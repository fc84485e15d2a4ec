//! Lines of one file that ask for different releases of a distribution: no installer takes it.

use std::collections::BTreeMap;

use pep440_rs::Version;
use pep508_rs::PackageName;

use super::{Entry, Finding, Severity, Subject, Wanted};
use crate::versions::{contains, display};

/// The distributions of which two lines that count for the target exclude each other.
///
/// Only files of requirements are looked at: of formats for many environments the entries that
/// share a name may belong to different ones.
pub(super) fn findings(subject: &Subject, present: &[&Entry]) -> Vec<Finding> {
    if subject.format != "requirements" {
        return Vec::new();
    }
    let mut lines: BTreeMap<&PackageName, Vec<&Entry>> = BTreeMap::new();
    for entry in present {
        lines.entry(&entry.name).or_default().push(entry);
    }
    let found = lines.values().filter_map(|lines| {
        let pairs = lines.iter().enumerate().flat_map(|(place, one)| {
            let rest = lines.get(place + 1..).unwrap_or_default();
            rest.iter().map(move |other| (*one, *other))
        });
        let mut apart = pairs.filter(|(one, other)| exclude(&one.wanted, &other.wanted));
        apart
            .next()
            .map(|(one, other)| finding(subject, one, other))
    });
    found.collect()
}

/// Whether no release is what both ask for. Two ranges are left to whoever installs.
fn exclude(one: &Wanted, other: &Wanted) -> bool {
    match (one, other) {
        // `==2.1.2` takes `2.1.2+cu118` too (version specifiers of PyPA, local versions).
        (Wanted::Exactly(one), Wanted::Exactly(other)) => {
            let takes = |one: &Version, other: &Version| {
                one == other || !one.is_local() && *one == other.clone().without_local()
            };
            !takes(one, other) && !takes(other, one)
        }
        (Wanted::Exactly(version), Wanted::Range(range))
        | (Wanted::Range(range), Wanted::Exactly(version)) => !contains(range, version),
        _ => false,
    }
}

fn finding(subject: &Subject, one: &Entry, other: &Entry) -> Finding {
    let text = |entry: &Entry| {
        let wanted = match &entry.wanted {
            Wanted::Exactly(version) => format!("=={version}"),
            Wanted::Range(range) => display(range),
            Wanted::Unknown => String::new(),
        };
        let line = entry.line.map_or_else(String::new, |line| {
            let file = entry.file.as_deref().unwrap_or(&subject.name);
            format!(" ({file}:{line})")
        });
        format!("`{}{wanted}`{line}", entry.name)
    };
    let message = format!("{} and {} cannot both be installed", text(one), text(other));
    let mut finding =
        Finding::new("twice", Severity::Error, message).about(&one.name, one.version());
    finding.place = subject.place(other);
    finding.advice("leave one of the lines out")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(format: &'static str, lines: &[&str]) -> Vec<String> {
        let entry = |(number, line): (u32, &&str)| {
            let at = line.find(['=', '<', '>']).unwrap_or(line.len());
            let (name, wanted) = line.split_at(at);
            let name = name.parse().expect("a name");
            let wanted = match wanted.strip_prefix("==") {
                Some(version) => Wanted::Exactly(version.parse().expect("a version")),
                None => Wanted::Range(wanted.parse().expect("a range")),
            };
            let mut entry = Entry::new(name, wanted);
            entry.line = Some(number);
            entry
        };
        let subject = Subject {
            name: "all.txt".to_owned(),
            format,
            entries: (1..).zip(lines).map(entry).collect(),
            ..Subject::default()
        };
        let present: Vec<&Entry> = subject.entries.iter().collect();
        let found = findings(&subject, &present);
        found.into_iter().map(|finding| finding.message).collect()
    }

    #[test]
    fn two_pins_of_one_distribution_exclude_each_other() {
        let lines = ["scipy==1.12.0", "numpy==1.26.4", "scipy==1.13.0"];
        assert_eq!(
            told("requirements", &lines),
            [
                "`scipy==1.12.0` (all.txt:1) and `scipy==1.13.0` (all.txt:3) cannot both be installed"
            ]
        );
        assert!(told("uv.lock", &lines).is_empty());
    }

    #[test]
    fn so_do_a_pin_and_a_range_without_it() {
        let lines = ["numpy==1.26.4", "numpy<1.20"];
        assert_eq!(told("requirements", &lines).len(), 1);
        for lines in [
            ["numpy==1.26.4", "numpy<2"],
            ["numpy==1.26.4", "numpy==1.26.4"],
            ["torch==2.1.2", "torch==2.1.2+cu118"],
            ["numpy<2", "numpy>=2"],
        ] {
            assert!(told("requirements", &lines).is_empty(), "{lines:?}");
        }
    }

    #[test]
    fn markers_keep_lines_apart() {
        let entry = |version: &str, marker: &str| {
            let version = version.parse().expect("a version");
            let name = "numpy".parse().expect("a name");
            let mut entry = Entry::new(name, Wanted::Exactly(version));
            entry.marker = marker.parse().expect("a marker");
            entry
        };
        let subject = Subject {
            format: "requirements",
            entries: vec![
                entry("1.26.4", "python_version < '3.12'"),
                entry("2.1.0", "python_version >= '3.12'"),
            ],
            ..Subject::default()
        };
        let target = crate::Target::declared("3.11", "linux").expect("a target");
        let found = crate::check::judge(&subject, &target, &crate::RuleSet::default());
        assert!(
            found.iter().all(|finding| finding.code != "twice"),
            "{found:?}"
        );
    }
}
