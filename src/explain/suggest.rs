//! Edits to the user's own lines that solve a conflict; each is solved before it is named.

use pep440_rs::{Version, VersionSpecifiers};
use pep508_rs::PackageName;

use crate::request::{Line, LineSource, Request};
use crate::solve::{Conflict, Facts, Memo, Outcome, Reason, Solution, SolveError, solve_again};
use crate::{RuleSet, Target};

/// One edit, and what comes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suggestion {
    /// The line to change, by its index in `Request::requirements`.
    pub line: usize,
    /// The line's place.
    pub place: String,
    /// The line as it is.
    pub was: String,
    /// What it would be.
    pub now: String,
    /// The versions that would then be locked, of the distributions that the conflict names.
    pub gives: Vec<(PackageName, Version)>,
}

impl Suggestion {
    /// The suggestion in words.
    pub fn sentence(&self) -> String {
        let gives: Vec<String> = self
            .gives
            .iter()
            .map(|(name, version)| format!("{name} {version}"))
            .collect();
        format!(
            "`{}` instead of `{}` ({}): {}",
            self.now,
            self.was,
            self.place,
            super::text::list(&gives)
        )
    }
}

/// Edits of one line each that solve the conflict, in the order of the lines.
///
/// A line's bounds are taken away, the request is solved, and the bound is named that the
/// release found then needs.
///
/// # Errors
///
/// [`SolveError`] where facts could not be had.
pub fn suggest(
    conflict: &Conflict,
    request: &Request,
    target: &Target,
    rules: &RuleSet,
    facts: &impl Facts,
    memo: &Memo,
) -> Result<Vec<Suggestion>, SolveError> {
    let mut suggestions = Vec::new();
    for reason in &conflict.reasons {
        let Reason::Line(index) = reason else {
            continue;
        };
        let Some(line) = request.requirements.get(*index) else {
            continue;
        };
        let LineSource::Specifiers(specifiers) = &line.source else {
            continue;
        };
        if specifiers.is_empty() {
            continue;
        }
        let mut freed = request.clone();
        freed.requirements[*index].source = LineSource::Specifiers(VersionSpecifiers::empty());
        freed.pins.remove(&line.name);
        let Outcome::Solved(solution) = solve_again(&freed, target, rules, facts, memo)? else {
            continue;
        };
        let Some(chosen) = solution.packages.get(&line.name) else {
            continue;
        };
        suggestions.push(Suggestion {
            line: *index,
            place: line.place.to_string(),
            was: line.text.clone(),
            now: edited(line, specifiers, &chosen.version),
            gives: given(conflict, request, &solution, &line.name),
        });
    }
    suggestions.sort_by_key(|suggestion| suggestion.line);
    suggestions.dedup();
    Ok(suggestions)
}

/// The line with the bound that admits the release: above it a lower bound, below it an upper one.
fn edited(line: &Line, specifiers: &VersionSpecifiers, version: &Version) -> String {
    let extras = if line.extras.is_empty() {
        String::new()
    } else {
        let names: Vec<&str> = line.extras.iter().map(AsRef::as_ref).collect();
        format!("[{}]", names.join(","))
    };
    let marker = line
        .marker
        .try_to_string()
        .map_or_else(String::new, |marker| format!(" ; {marker}"));
    let newer = specifiers
        .iter()
        .all(|specifier| version.cmp(specifier.version()).is_ge());
    let operator = if newer { ">=" } else { "<=" };
    format!("{}{extras}{operator}{version}{marker}", line.name)
}

/// What the solution gives for the distributions that the conflict names; the edited one first.
fn given(
    conflict: &Conflict,
    request: &Request,
    solution: &Solution,
    edited: &PackageName,
) -> Vec<(PackageName, Version)> {
    let mut names: Vec<PackageName> = conflict
        .reasons
        .iter()
        .filter_map(|reason| match reason {
            Reason::Line(index) => request
                .requirements
                .get(*index)
                .map(|line| line.name.clone()),
            Reason::Requires { to, .. } => Some(to.clone()),
            _ => None,
        })
        .filter(|name| name != edited)
        .collect();
    names.sort();
    names.dedup();
    std::iter::once(edited.clone())
        .chain(names)
        .filter_map(|name| {
            let version = solution.packages.get(&name)?.version.clone();
            Some((name, version))
        })
        .take(5)
        .collect()
}
