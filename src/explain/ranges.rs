//! Ranges as sentences have them: several requirements on one distribution as one.

use pep440_rs::{Operator, Version, VersionSpecifier, VersionSpecifiers};

use crate::versions;

/// How many releases a range is told to leave out.
const MAX_EXCLUDED: usize = 2;

/// Ranges that all hold, as one range: the highest lower bound, the lowest upper bound, and
/// whatever is neither.
pub(super) fn together(ranges: &[String]) -> String {
    let mut parsed: Vec<VersionSpecifier> = Vec::new();
    for range in ranges {
        match range.parse::<VersionSpecifiers>() {
            Ok(specifiers) => parsed.extend(specifiers.iter().cloned()),
            // A rule's range of several pieces, or a URL: it cannot be simplified.
            Err(_) if !range.is_empty() => return ranges.join(" and "),
            Err(_) => {}
        }
    }
    let is_lower = |one: &VersionSpecifier| {
        matches!(
            one.operator(),
            Operator::GreaterThan | Operator::GreaterThanEqual
        )
    };
    let is_upper = |one: &VersionSpecifier| {
        matches!(one.operator(), Operator::LessThan | Operator::LessThanEqual)
    };
    let lower = parsed
        .iter()
        .filter(|one| is_lower(one))
        .max_by_key(|one| (one.version(), *one.operator() == Operator::GreaterThan));
    let upper = parsed
        .iter()
        .filter(|one| is_upper(one))
        .min_by_key(|one| (one.version(), *one.operator() == Operator::LessThanEqual));
    let mut kept: Vec<VersionSpecifier> = lower.into_iter().chain(upper).cloned().collect();
    let excluded = parsed
        .iter()
        .filter(|one| matches!(one.operator(), Operator::NotEqual | Operator::NotEqualStar))
        .count();
    for one in &parsed {
        // Long lists of single releases that are left out hide the range they are left out of.
        let exclusion = matches!(one.operator(), Operator::NotEqual | Operator::NotEqualStar);
        if exclusion && excluded > MAX_EXCLUDED && !kept.is_empty() {
            continue;
        }
        if !is_lower(one) && !is_upper(one) && !kept.contains(one) {
            kept.push(one.clone());
        }
    }
    versions::display(&kept.into_iter().collect())
}

/// Ranges of which each release has one, for a sentence about all of them: two are named,
/// more by what they have in common.
pub(super) fn either(name: &str, ranges: &[String]) -> String {
    let mut unique: Vec<&String> = Vec::new();
    for range in ranges {
        if !unique.contains(&range) {
            unique.push(range);
        }
    }
    match unique.as_slice() {
        [] => name.to_owned(),
        [one] => format!("{name}{one}"),
        [one, two] => format!("{name}{one} or {name}{two}"),
        _ => common(name, &unique),
    }
}

/// Ranges of some releases, newest first, for a sentence about more of them.
pub(super) fn some_of(name: &str, ranges: &[String]) -> String {
    let is_pin = |range: &String| {
        let specifiers = range.parse::<VersionSpecifiers>();
        specifiers.is_ok_and(|specifiers| pinned(&specifiers).is_some())
    };
    match ranges.first() {
        Some(_) if ranges.iter().all(is_pin) => format!("{name} at one version each"),
        Some(newest) if ranges.iter().any(|range| range != newest) => {
            format!("{name} in a range of its own each, such as {name}{newest}")
        }
        _ => either(name, ranges),
    }
}

/// The one version that is admitted: `==1.2`, or `>=1.2,<=1.2`.
fn pinned(specifiers: &VersionSpecifiers) -> Option<&Version> {
    match &**specifiers {
        [one] if *one.operator() == Operator::Equal => Some(one.version()),
        [low, high]
            if low.version() == high.version()
                && *low.operator() == Operator::GreaterThanEqual
                && *high.operator() == Operator::LessThanEqual =>
        {
            Some(low.version())
        }
        _ => None,
    }
}

/// The loosest bounds that every range has: lower, upper, or both.
fn common(name: &str, ranges: &[&String]) -> String {
    let parsed: Vec<VersionSpecifiers> = ranges
        .iter()
        .filter_map(|range| range.parse().ok())
        .collect();
    let all = parsed.len() == ranges.len();
    let pins: Option<Vec<&Version>> = parsed.iter().map(pinned).collect();
    if all
        && let Some(pins) = pins
        && let (Some(least), Some(most)) = (pins.iter().min(), pins.iter().max())
    {
        return format!("{name} at one version each, from {least} to {most}");
    }
    let bound = |upper: bool| -> Option<Vec<VersionSpecifier>> {
        parsed
            .iter()
            .map(|specifiers| {
                specifiers
                    .iter()
                    .find(|one| match one.operator() {
                        Operator::LessThan | Operator::LessThanEqual => upper,
                        Operator::GreaterThan | Operator::GreaterThanEqual => !upper,
                        Operator::Equal | Operator::EqualStar | Operator::TildeEqual => true,
                        _ => false,
                    })
                    .cloned()
            })
            .collect()
    };
    if all && let Some(bounds) = bound(true) {
        let most = bounds.iter().max_by_key(|one| one.version());
        let is_series = |one: &VersionSpecifier| *one.operator() == Operator::EqualStar;
        if bounds.iter().all(is_series)
            && let (Some(least), Some(most)) = (bounds.iter().min_by_key(|one| one.version()), most)
        {
            return format!(
                "{name} of one series each, from {} to {}",
                least.version(),
                most.version()
            );
        }
        let ends = |one: &VersionSpecifier| {
            matches!(one.operator(), Operator::LessThan | Operator::LessThanEqual)
        };
        if let Some(most) = most
            && bounds.iter().all(ends)
            && let Some(starts) = bound(false)
            && let Some(least) = starts.iter().min_by_key(|one| one.version())
            && !matches!(least.operator(), Operator::Equal | Operator::EqualStar)
        {
            return format!("{name} within {least},{most}");
        }
        if let Some(most) = most {
            return match most.operator() {
                Operator::LessThan | Operator::LessThanEqual => format!("{name}{most} or less"),
                _ => format!("{name} {} or earlier", most.version()),
            };
        }
    }
    if all
        && let Some(bounds) = bound(false)
        && let Some(least) = bounds.iter().min_by_key(|one| one.version())
    {
        return match least.operator() {
            Operator::GreaterThan | Operator::GreaterThanEqual => {
                format!("at least {name}{least}")
            }
            _ => format!("{name} {} or later", least.version()),
        };
    }
    let shown: Vec<String> = ranges
        .iter()
        .take(2)
        .map(|range| format!("{name}{range}"))
        .collect();
    format!(
        "{} or one of {} other ranges",
        shown.join(", "),
        ranges.len() - 2
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(ranges: &[&str]) -> Vec<String> {
        ranges.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn the_tightest_bounds_are_told() {
        assert_eq!(
            together(&texts(&[">=1.17.0", ">=1.23.5", "<3", ">=1.19"])),
            ">=1.23.5,<3"
        );
        assert_eq!(together(&texts(&[">=1.20", "!=1.24.0"])), ">=1.20,!=1.24.0");
        assert_eq!(together(&texts(&["", "<2"])), "<2");
        assert_eq!(together(&texts(&["<2 or >=3", ">=1"])), "<2 or >=3 and >=1");
    }

    #[test]
    fn of_some_ranges_no_ends_are_told() {
        assert_eq!(
            some_of("a", &texts(&[">=0.10.2,<=0.10.2", "==0.10.1"])),
            "a at one version each"
        );
        assert_eq!(
            some_of("a", &texts(&[">=2,<3", ">=1,<2"])),
            "a in a range of its own each, such as a>=2,<3"
        );
        assert_eq!(some_of("a", &texts(&["<2", "<2"])), "a<2");
    }

    #[test]
    fn many_ranges_are_told_by_what_they_share() {
        assert_eq!(
            either("torch", &texts(&["==2.6.*", "==2.10.*", "==2.5.*"])),
            "torch of one series each, from 2.5 to 2.10"
        );
        assert_eq!(either("numpy", &texts(&["<2"])), "numpy<2");
        assert_eq!(
            either("numpy", &texts(&["<1.25,>=1.2", "<1.26", "<1.29"])),
            "numpy<1.29 or less"
        );
        assert_eq!(
            either("torch", &texts(&["==2.1.0", "==2.1.1", "==2.1.2"])),
            "torch at one version each, from 2.1.0 to 2.1.2"
        );
        assert_eq!(either("a", &texts(&[">=1", ">=2", ">=3"])), "at least a>=1");
        // Either end may be what stands in the way.
        assert_eq!(
            either(
                "a",
                &texts(&["<1.0,>=0.16.4", ">=0.16.5,<2.0", "<3.0,>=0.20"])
            ),
            "a within >=0.16.4,<3.0"
        );
    }
}
