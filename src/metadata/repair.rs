//! The published list of repairs to old metadata.
//!
//! Metadata written before its tools checked it holds a few mistakes whose meaning is beyond
//! doubt. These are read as they were meant, and each repair is recorded:
//!
//! | what | as written | as read |
//! | --- | --- | --- |
//! | a comma at the end | `>=1.0,` | `>=1.0` |
//! | a dot at the end of a version | `>=1.0.,<2` | `>=1.0,<2` |
//! | `.*` after an ordered operator | `>=1.0.*` | `>=1.0` |
//!
//! Nothing else is repaired: what cannot be read otherwise makes the release unusable.

use std::str::FromStr;

use pep440_rs::{VersionSpecifier, VersionSpecifiers};

pub(super) const COMMA: &str = "a comma at the end";
pub(super) const DOT: &str = "a dot at the end of a version";
pub(super) const STAR: &str = "`.*` after an ordered operator";

/// All kinds of repairs.
pub(super) const KINDS: [&str; 3] = [COMMA, DOT, STAR];

/// One repair that was made to a file's metadata.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repair {
    /// The value as written.
    pub before: String,
    /// The value as it was read.
    pub after: String,
    /// What was repaired, in words.
    pub what: &'static str,
}

/// Reads version specifiers (PEP 440), repairing what the published list allows.
///
/// Empty text gives empty specifiers, which contain every version.
///
/// # Errors
///
/// What is wrong with the specifiers, in words.
///
/// ```
/// use mlresolve::metadata::parse_specifiers;
///
/// let (specifiers, repairs) = parse_specifiers(">=3.6.*,").unwrap();
/// assert_eq!(specifiers.to_string(), ">=3.6");
/// assert_eq!(repairs[0].what, "a comma at the end");
/// assert_eq!(repairs[1].what, "`.*` after an ordered operator");
/// assert!(parse_specifiers("=>3.6").is_err());
/// ```
pub fn parse_specifiers(text: &str) -> Result<(VersionSpecifiers, Vec<Repair>), String> {
    let text = text.trim();
    let error = match parse_strictly(text) {
        Ok(specifiers) => return Ok((specifiers, Vec::new())),
        Err(error) => error,
    };
    let mut repaired = text.to_owned();
    let mut repairs = Vec::new();
    let steps: [(&'static str, Step); 3] = [
        (COMMA, |text| match text.strip_suffix(',') {
            Some(before) if !before.is_empty() => before.trim_end().to_owned(),
            _ => text.to_owned(),
        }),
        (DOT, |text| {
            each_part(text, |part| part.strip_suffix('.').unwrap_or(part))
        }),
        (STAR, |text| each_part(text, without_star)),
    ];
    for (what, step) in steps {
        let after = step(&repaired);
        if after != repaired {
            repairs.push(Repair {
                before: std::mem::replace(&mut repaired, after.clone()),
                after,
                what,
            });
        }
    }
    match parse_strictly(&repaired) {
        Ok(specifiers) => Ok((specifiers, repairs)),
        Err(_) => Err(error),
    }
}

type Step = fn(&str) -> String;

/// The specifier without a `.*` that its operator cannot have.
fn without_star(specifier: &str) -> &str {
    let is_ordered = specifier.starts_with(['<', '>']);
    match specifier.strip_suffix(".*") {
        Some(bare) if is_ordered => bare,
        _ => specifier,
    }
}

fn each_part(text: &str, repair: impl Fn(&str) -> &str) -> String {
    text.split(',')
        .map(|part| repair(part.trim()))
        .collect::<Vec<_>>()
        .join(",")
}

fn parse_strictly(text: &str) -> Result<VersionSpecifiers, String> {
    if text.is_empty() {
        return Ok(VersionSpecifiers::empty());
    }
    text.split(',')
        .map(|part| {
            let part = part.trim();
            if part.is_empty() {
                return Err("a specifier between the commas is missing".to_owned());
            }
            VersionSpecifier::from_str(part)
                .map_err(|error| format!("`{part}` is not a version specifier: {error}"))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    fn read(text: &str) -> String {
        match parse_specifiers(text) {
            Ok((specifiers, repairs)) => {
                let mut told = specifiers.to_string();
                for repair in repairs {
                    let _ = write!(
                        told,
                        " | {} -> {}: {}",
                        repair.before, repair.after, repair.what
                    );
                }
                told
            }
            Err(error) => error,
        }
    }

    #[test]
    fn what_is_right_is_not_repaired() {
        for (text, specifiers) in [
            ("", ""),
            (" >= 1.0 , <2", ">=1.0, <2"),
            ("==1.*,!=1.5.*", "==1.*, !=1.5.*"),
            ("~=1.0", "~=1.0"),
        ] {
            assert_eq!(read(text), specifiers);
        }
    }

    #[test]
    fn the_published_repairs_are_made_and_told() {
        for (text, told) in [
            (">=1.0,", ">=1.0 | >=1.0, -> >=1.0: a comma at the end"),
            (
                ">=1.0., <2",
                ">=1.0, <2 | >=1.0., <2 -> >=1.0,<2: a dot at the end of a version",
            ),
            (
                ">=2.7,!=3.0.*,<=3.9.*",
                ">=2.7, !=3.0.*, <=3.9 | >=2.7,!=3.0.*,<=3.9.* -> >=2.7,!=3.0.*,<=3.9: `.*` after an \
                 ordered operator",
            ),
        ] {
            assert_eq!(read(text), told);
        }
    }

    #[test]
    fn what_no_repair_helps_is_refused() {
        for text in [
            "1.0",
            "=>1.0",
            ">=1.0 <2",
            ">=1.0,,<2",
            "~=1.0.*",
            ">=1.0.*.*",
            ",",
            ">=1..0",
        ] {
            let read = read(text);
            assert!(
                read.contains("is not a version specifier") || read.contains("is missing"),
                "{text}: {read}"
            );
        }
    }
}
