//! What a rule that parses can still get wrong.

use super::parse::Parsed;
use super::violation::{Present, speaks_of};
use super::{Case, RuleError, RuleErrorKind, RuleKind, VersionRange, When};

/// What is wrong with the rules, in the order of the files.
///
/// Overlaps are looked for among rules of one origin: a repository may well tighten what
/// the program's own rules say.
pub(super) fn lint(parsed: &[Parsed]) -> Vec<RuleError> {
    let mut errors: Vec<RuleError> = parsed.iter().flat_map(lint_one).collect();
    for (position, one) in parsed.iter().enumerate() {
        for other in parsed.iter().take(position) {
            errors.extend(overlap(one, other));
        }
    }
    errors
}

fn lint_one(parsed: &Parsed) -> Vec<RuleError> {
    let mut errors = Vec::new();
    errors.extend(misplaced(parsed));
    errors.extend(unreachable(parsed));
    errors.extend(unbounded(parsed));
    errors.extend(self_reference(parsed));
    errors.extend(false_cases(parsed));
    errors
}

/// The file's folder must be named after a distribution that the rule speaks of.
fn misplaced(parsed: &Parsed) -> Option<RuleError> {
    let id = &*parsed.rule.id.0;
    let triggers = parsed.rule.triggers();
    let well_placed = id.split_once('/').is_some_and(|(package, rule)| {
        !rule.is_empty()
            && !rule.contains('/')
            && triggers.iter().any(|name| name.as_ref() == package)
    });
    if well_placed {
        return None;
    }
    let names: Vec<String> = triggers.iter().map(|name| format!("`{name}`")).collect();
    let kind = RuleErrorKind::Misplaced {
        id: id.to_owned(),
        of: names.join(", "),
    };
    let first = triggers.first().map_or("<package>", |name| name.as_ref());
    Some(
        parsed
            .source
            .error(kind, parsed.spans.when.clone())
            .with_help(format!("name the file `{first}/<rule>.toml`")),
    )
}

fn unreachable(parsed: &Parsed) -> Vec<RuleError> {
    let spans = &parsed.spans;
    let mut errors = Vec::new();
    let mut report = |range: String, span: &std::ops::Range<usize>| {
        errors.push(
            parsed
                .source
                .error(RuleErrorKind::Unreachable { range }, span.clone())
                .with_help("its bounds exclude each other"),
        );
    };
    if let Some(When {
        versions, marker, ..
    }) = parsed.rule.kind.when()
    {
        if versions.is_unreachable() {
            report(versions.to_string(), &spans.when);
        }
        if marker.is_false() {
            report("marker".to_owned(), &spans.when);
        }
    }
    if let Some(versions) = required(&parsed.rule.kind)
        && versions.is_unreachable()
    {
        report(versions.to_string(), &spans.then);
    }
    if let RuleKind::Needs { packages, .. } = &parsed.rule.kind {
        for versions in packages.values().filter(|range| range.is_unreachable()) {
            report(versions.to_string(), &spans.then);
        }
    }
    errors
}

/// Where the other distribution must be.
fn required(kind: &RuleKind) -> Option<&VersionRange> {
    match kind {
        RuleKind::Constrain { versions, .. }
        | RuleKind::Requires { versions, .. }
        | RuleKind::Refuted { versions, .. } => Some(versions),
        _ => None,
    }
}

/// A range is bounded above by what was checked: a release of tomorrow is not.
fn unbounded(parsed: &Parsed) -> Option<RuleError> {
    let when = match &parsed.rule.kind {
        RuleKind::Constrain { when, .. }
        | RuleKind::Requires { when, .. }
        | RuleKind::Drop { when, .. }
        | RuleKind::Needs { when, .. }
        | RuleKind::Broken { when }
        | RuleKind::Refuted { when, .. } => when,
        RuleKind::Slot { .. } | RuleKind::Provides { .. } | RuleKind::Family { .. } => return None,
    };
    if when.versions.is_bounded_above() {
        return None;
    }
    let kind = RuleErrorKind::Unbounded {
        range: when.versions.to_string(),
    };
    Some(
        parsed
            .source
            .error(kind, parsed.spans.when.clone())
            .with_help(
                "end the range at the first release that was not checked or is not affected",
            ),
    )
}

fn self_reference(parsed: &Parsed) -> Option<RuleError> {
    let (RuleKind::Constrain { when, package, .. }
    | RuleKind::Requires { when, package, .. }
    | RuleKind::Drop { when, package, .. }
    | RuleKind::Refuted { when, package, .. }) = &parsed.rule.kind
    else {
        return None;
    };
    (when.package == *package).then(|| {
        let kind = RuleErrorKind::SelfReference {
            name: package.to_string(),
        };
        parsed
            .source
            .error(kind, parsed.spans.then.clone())
            .with_help("a release that must not be chosen is kind `broken`")
    })
}

/// Every hit must be one, and no miss.
fn false_cases(parsed: &Parsed) -> Vec<RuleError> {
    let rule = &parsed.rule;
    let hits = rule.hits.iter().zip(&parsed.spans.hits);
    let misses = rule.misses.iter().zip(&parsed.spans.misses);
    let false_hits = hits
        .filter(|(case, _)| !case_hits(&rule.kind, case))
        .map(|(case, span)| {
            let have = case.to_string();
            (RuleErrorKind::FalseHit { have }, span)
        });
    let false_misses =
        misses
            .filter(|(case, _)| case_hits(&rule.kind, case))
            .map(|(case, span)| {
                let have = case.to_string();
                (RuleErrorKind::FalseMiss { have }, span)
            });
    false_hits
        .chain(false_misses)
        .map(|(kind, span)| {
            parsed
                .source
                .error(kind, span.clone())
                .with_help("either the case or the rule's range is wrong")
        })
        .collect()
}

fn case_hits(kind: &RuleKind, case: &Case) -> bool {
    case.markers().is_some_and(|markers| {
        let present = Present::new(&case.packages, &case.virtual_packages, &markers);
        speaks_of(kind, &present)
    })
}

/// Two rules of one origin that say different things of the same releases.
fn overlap(one: &Parsed, other: &Parsed) -> Option<RuleError> {
    let RuleKind::Constrain {
        when,
        package,
        versions,
        ..
    } = &one.rule.kind
    else {
        return None;
    };
    let RuleKind::Constrain {
        when: other_when,
        package: other_package,
        versions: other_versions,
        ..
    } = &other.rule.kind
    else {
        return None;
    };
    let both = one.rule.origin == other.rule.origin
        && when.package == other_when.package
        && package == other_package
        && versions.intervals() != other_versions.intervals()
        && when.versions.intersects(&other_when.versions)
        && !when.marker.is_disjoint(&other_when.marker);
    both.then(|| {
        let kind = RuleErrorKind::Overlap {
            other: other.rule.id.to_string(),
        };
        one.source
            .error(kind, one.spans.when.clone())
            .with_help("split the ranges so that each release is spoken of once")
    })
}
