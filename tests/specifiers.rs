//! The specifier evaluator against a table recorded from Python's `packaging`.
//!
//! How the table was made: `tests/fixtures/specifiers/record.py`.

use std::io::Read as _;

use flate2::read::GzDecoder;
use mlresolve::metadata::parse_specifiers;
use mlresolve::versions::{RankSet, contains, rank_set};
use pep440_rs::{Version, VersionSpecifiers};

#[derive(serde::Deserialize)]
struct Table {
    packaging: String,
    versions: Vec<String>,
    specifiers: Vec<(String, String)>,
    refused: Vec<String>,
}

impl Table {
    fn read() -> Self {
        let mut text = String::new();
        GzDecoder::new(include_bytes!("fixtures/specifiers/packaging.json.gz").as_slice())
            .read_to_string(&mut text)
            .expect("the table is compressed text");
        serde_json::from_str(&text).expect("the table is JSON of this form")
    }

    fn versions(&self) -> Vec<Version> {
        self.versions
            .iter()
            .map(|text| text.parse().expect("a version"))
            .collect()
    }
}

/// Whether the bit for a version is set in a hexadecimal number; the first version's is lowest.
fn bit(number: &str, place: usize) -> bool {
    let digits = number.as_bytes();
    let digit = digits
        .len()
        .checked_sub(1 + place / 4)
        .and_then(|position| char::from(digits[position]).to_digit(16));
    digit.is_some_and(|digit| digit >> (place % 4) & 1 == 1)
}

#[test]
fn every_verdict_is_that_of_packaging() {
    let table = Table::read();
    let versions = table.versions();
    let pairs = table.specifiers.len() * versions.len();
    assert!(pairs >= 50_000, "the table has only {pairs} pairs");
    let mut disagreements = Vec::new();
    for (text, verdicts) in &table.specifiers {
        let (specifiers, repairs) = parse_specifiers(text).expect("specifiers");
        assert_eq!(repairs, [], "{text}");
        for (place, version) in versions.iter().enumerate() {
            let expected = bit(verdicts, place);
            if contains(&specifiers, version) != expected {
                disagreements.push(format!("`{text}`, `{version}`: {expected}"));
            }
        }
    }
    assert!(
        disagreements.is_empty(),
        "{} of {pairs} verdicts are not those of packaging {}:\n{}",
        disagreements.len(),
        table.packaging,
        disagreements[..disagreements.len().min(20)].join("\n")
    );
}

#[test]
fn every_rank_set_has_what_packaging_has() {
    let table = Table::read();
    let all = table.versions();
    // In the table, versions that are equal are there as each is written (1, 1.0); among
    // releases they are one.
    let mut versions: Vec<Version> = Vec::new();
    let mut places = Vec::new();
    for (place, version) in all.iter().enumerate() {
        if versions.last() != Some(version) {
            assert!(
                versions.last().is_none_or(|last| last < version),
                "{version}"
            );
            versions.push(version.clone());
            places.push(place);
        }
    }
    for (text, verdicts) in &table.specifiers {
        let specifiers: VersionSpecifiers = text.parse().expect("specifiers");
        let expected = RankSet::from_members(places.iter().map(|place| bit(verdicts, *place)));
        assert_eq!(rank_set(&specifiers, &versions), expected, "{text}");
    }
}

#[test]
fn what_packaging_refuses_is_refused() {
    let table = Table::read();
    assert!(!table.refused.is_empty());
    for text in &table.refused {
        assert!(text.parse::<VersionSpecifiers>().is_err(), "{text}");
    }
}
