//! Bounds as people would write them, and lines with other bounds.

use std::ops::Range;

use pep440_rs::{Operator, Version, VersionSpecifier, VersionSpecifiers};

use crate::request::{Line, LineSource};
use crate::versions;

/// `>=2.3` for 2.3.0: the shortest lower bound that admits the known releases from this
/// one on, and no others.
pub(super) fn at_least(version: &Version, known: &[Version]) -> VersionSpecifiers {
    shortest(Operator::GreaterThanEqual, version, known)
}

/// `<2` for 2.0.0: the shortest upper bound that admits the known releases before this
/// one, and no others.
pub(super) fn below(version: &Version, known: &[Version]) -> VersionSpecifiers {
    shortest(Operator::LessThan, version, known)
}

fn shortest(operator: Operator, version: &Version, known: &[Version]) -> VersionSpecifiers {
    let whole = version.clone().without_local();
    let bound = |version: Version| {
        VersionSpecifier::from_version(operator, version)
            .ok()
            .map(VersionSpecifiers::from)
    };
    let Some(full) = bound(whole.clone()) else {
        return VersionSpecifiers::empty();
    };
    let wanted = versions::rank_set(&full, known);
    (1..whole.release().len())
        .filter_map(|parts| {
            let release = whole.release().iter().take(parts).copied();
            bound(Version::new(release).with_epoch(whole.epoch()))
        })
        .find(|shorter| versions::rank_set(shorter, known) == wanted)
        .unwrap_or(full)
}

/// Exactly this version, without an `==`: that operator would admit yanked releases.
pub(super) fn exactly(version: &Version) -> VersionSpecifiers {
    let whole = version.clone().without_local();
    [Operator::GreaterThanEqual, Operator::LessThanEqual]
        .into_iter()
        .filter_map(|operator| VersionSpecifier::from_version(operator, whole.clone()).ok())
        .collect()
}

/// The piece of a line that holds its bounds, in bytes of its text; its name where it has
/// none.
pub(super) fn bounds_span(line: &Line) -> Range<usize> {
    let text = line.text.as_str();
    let end = requirement_end(line);
    let requirement = text.get(..end).unwrap_or_default();
    let start = requirement
        .find(['<', '>', '=', '!', '~', '@', '('])
        .or_else(|| matches!(line.source, LineSource::Direct(_)).then_some(0));
    match start {
        Some(start) => start..requirement.trim_end().len().max(start),
        None => 0..requirement.trim_end().len(),
    }
}

/// Where a line's marker begins, or its end.
fn requirement_end(line: &Line) -> usize {
    let text = line.text.as_str();
    match &line.source {
        LineSource::Specifiers(_) => text.find(';').unwrap_or(text.len()),
        // A URL may hold a semicolon; a marker behind one stands after a space (PEP 508).
        LineSource::Direct(_) => text.find(" ;").unwrap_or(text.len()),
    }
}

/// The line with other specifiers; name, extras and marker as the user wrote them.
pub(super) fn with_specifiers(line: &Line, specifiers: &VersionSpecifiers) -> Line {
    let end = requirement_end(line);
    let span = bounds_span(line);
    let marker = line.text.get(end..).unwrap_or_default().trim();
    let bounded = line
        .text
        .get(span.clone())
        .is_some_and(|piece| piece.starts_with(['<', '>', '=', '!', '~', '@', '(']));
    let head = if bounded {
        line.text.get(..span.start).unwrap_or_default().trim_end()
    } else {
        line.text.get(..end).unwrap_or_default().trim_end()
    };
    let mut text = if head.is_empty() {
        format!("{}{}", line.name, versions::display(specifiers))
    } else {
        format!("{head}{}", versions::display(specifiers))
    };
    if !marker.is_empty() {
        text.push(' ');
        text.push_str(marker);
    }
    let mut edited = line.clone();
    edited.source = LineSource::Specifiers(specifiers.clone());
    edited.text = text;
    edited
}

#[cfg(test)]
#[expect(
    clippy::unwrap_used,
    reason = "a test that cannot build its input should stop"
)]
mod tests {
    use super::*;
    use crate::request::Place;

    fn known(texts: &[&str]) -> Vec<Version> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    fn line(text: &str) -> Line {
        let (dependency, _) = crate::metadata::Dependency::parse(text).unwrap();
        let crate::metadata::DependencySource::Specifiers(specifiers) = dependency.source else {
            panic!("a direct reference");
        };
        Line {
            name: dependency.name,
            extras: dependency.extras,
            source: LineSource::Specifiers(specifiers),
            marker: dependency.marker,
            text: text.to_owned(),
            hashes: Vec::new(),
            place: Place {
                file: "requirements.in".into(),
                line: 1,
                column: 1,
            },
        }
    }

    #[test]
    fn bounds_are_as_short_as_the_known_releases_allow() {
        let torch = known(&["2.1.0", "2.2.2", "2.3.0", "2.3.1"]);
        assert_eq!(versions::display(&at_least(&torch[2], &torch)), ">=2.3");
        assert_eq!(versions::display(&at_least(&torch[1], &torch)), ">=2.2");
        assert_eq!(versions::display(&at_least(&torch[3], &torch)), ">=2.3.1");
        let numpy = known(&["1.26.4", "2.0.0"]);
        assert_eq!(versions::display(&below(&numpy[1], &numpy)), "<2");
        let opencv = known(&["4.9.0.80", "4.10.0.82", "4.10.0.84"]);
        assert_eq!(
            versions::display(&at_least(&opencv[2], &opencv)),
            ">=4.10.0.84"
        );
    }

    #[test]
    fn a_line_keeps_its_name_extras_and_marker() {
        let cases = [
            ("PyYAML>=5.3.1", "PyYAML<2"),
            ("uvicorn[standard] >=0.24, <0.32", "uvicorn[standard]<2"),
            (
                "urllib3>=2.5.0 ; python_version > \"3.8\"",
                "urllib3<2 ; python_version > \"3.8\"",
            ),
            ("numpy", "numpy<2"),
            ("numpy (>=1)", "numpy<2"),
        ];
        for (was, now) in cases {
            let two = "<2".parse().unwrap();
            assert_eq!(with_specifiers(&line(was), &two).text, now);
        }
    }

    #[test]
    fn the_bounds_of_a_line_are_found() {
        let pieces = [
            ("torch>=2.1,<2.2", ">=2.1,<2.2"),
            ("torch >=2.1 ; sys_platform == 'linux'", ">=2.1"),
            ("torch", "torch"),
        ];
        for (text, piece) in pieces {
            assert_eq!(&text[bounds_span(&line(text))], piece);
        }
    }
}
