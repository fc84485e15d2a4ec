//! Why there is no solution, in sentences about real packages.

use std::fmt::Write as _;

use super::suggest::Suggestion;
use super::text;
use crate::request::{Line, Request};
use crate::rules::{Rule, RuleKind, RuleSet};
use crate::solve::{Conflict, Reason, Unusable};

/// Columns that text is wrapped at.
const COLUMNS: usize = 80;

/// Why there is no solution, ready to be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// The user's lines that take part: place and text.
    pub lines: Vec<(String, String)>,
    /// What stands between them, a sentence each.
    pub reasons: Vec<String>,
    /// Edits that were solved before being named.
    pub suggestions: Vec<String>,
}

/// Turns a conflict into sentences.
pub fn explain_conflict(
    conflict: &Conflict,
    request: &Request,
    rules: &RuleSet,
    suggestions: &[Suggestion],
) -> Explanation {
    let mut lines: Vec<&Line> = conflict
        .reasons
        .iter()
        .filter_map(|reason| match reason {
            Reason::Line(index) => request.requirements.get(*index),
            Reason::Constraint(index) => request.constraints.get(*index),
            _ => None,
        })
        .collect();
    lines.sort_by(|a, b| (&a.place, &a.text).cmp(&(&b.place, &b.text)));
    lines.dedup_by(|a, b| a.place == b.place && a.text == b.text);
    Explanation {
        lines: lines.into_iter().map(text::line).collect(),
        reasons: conflict
            .reasons
            .iter()
            .filter_map(|reason| sentence(reason, request, rules))
            .collect(),
        suggestions: suggestions.iter().map(Suggestion::sentence).collect(),
    }
}

impl Explanation {
    /// The explanation as text of at most 80 columns, colourless.
    pub fn render(&self) -> String {
        let mut out = String::from("no set of releases meets these requirements\n");
        if !self.lines.is_empty() {
            out.push('\n');
        }
        let width = self
            .lines
            .iter()
            .map(|(place, _)| place.chars().count())
            .max()
            .unwrap_or(0);
        for (place, text) in &self.lines {
            // Writing to a string cannot fail.
            let _ = writeln!(out, "  {place:width$}  {text}");
        }
        if !self.reasons.is_empty() {
            out.push('\n');
        }
        for reason in &self.reasons {
            out.push_str(&text::wrap(reason, "- ", "  ", COLUMNS));
        }
        if !self.suggestions.is_empty() {
            out.push_str("\nhint: any one of these solves it (each was tried):\n");
            for suggestion in &self.suggestions {
                out.push_str(&text::wrap(suggestion, "  - ", "    ", COLUMNS));
            }
        }
        out
    }
}

fn sentence(reason: &Reason, request: &Request, rules: &RuleSet) -> Option<String> {
    Some(match reason {
        Reason::Line(_) | Reason::Constraint(_) => return None,
        Reason::Requires {
            package,
            releases,
            extra,
            to,
            ranges,
        } => {
            let verb = if text::plural(releases) {
                "require"
            } else {
                "requires"
            };
            let ranges: Vec<String> = ranges
                .iter()
                .map(|range| text::requirement(to, range))
                .collect();
            let with = extra
                .as_ref()
                .map_or_else(String::new, |extra| format!(" with its extra `{extra}`"));
            format!(
                "{}{with} {verb} {}",
                text::releases(package, releases),
                text::list(&ranges)
            )
        }
        Reason::Rule {
            id,
            package,
            releases,
        } => rule_sentence(rules.get(&id.0)?, &text::releases(package, releases)),
        Reason::NoRelease { package, rejected } => no_release(package, rejected),
        Reason::NotFound { package, asked } => {
            let near = nearest(package.as_ref(), request, rules);
            let hint = if near.is_empty() {
                String::new()
            } else {
                format!("; near to it: {}", text::list(&near))
            };
            format!(
                "no index has `{package}` (asked: {}){hint}",
                asked.join(", ")
            )
        }
        Reason::SetAside {
            package,
            releases,
            reason,
        } => format!(
            "{} {}",
            text::releases(package, releases),
            text::unusable(reason)
        ),
        Reason::Slot {
            id,
            package,
            releases,
        } => match &rules.get(&id.0)?.kind {
            RuleKind::Slot { import, .. } => format!(
                "{} installs into `{import}`, which distributions at different versions overwrite (rule {id})",
                text::releases(package, releases)
            ),
            _ => return None,
        },
        Reason::Installed { package, version } => match version {
            Some(version) => format!("the base has {package} {version}, which stays as it is"),
            None => format!("the base has {package}, which stays as it is"),
        },
        Reason::Virtual { package, stated } => match stated {
            Some(version) => format!("the target has {package} {version}"),
            None => format!("one environment has one {package}"),
        },
    })
}

/// A rule that applies, with what it limits and why.
pub(crate) fn rule_sentence(rule: &Rule, who: &str) -> String {
    let effect = match &rule.kind {
        RuleKind::Constrain {
            package, versions, ..
        } => format!("works only with {package}{versions}"),
        RuleKind::Requires {
            package, versions, ..
        } => format!("needs {package}{versions}"),
        RuleKind::Needs { packages, .. } => {
            let needs: Vec<String> = packages
                .iter()
                .map(|(package, versions)| format!("{package} {versions}"))
                .collect();
            format!("needs {}", text::list(&needs))
        }
        _ => "is limited".to_owned(),
    };
    let error = rule.error.as_ref().map_or_else(String::new, |error| {
        format!(" Without it: \"{}\".", error.trim())
    });
    let reason = rule.reason.trim().trim_end_matches('.');
    format!("{who} {effect} (rule {}): {reason}.{error}", rule.id)
}

fn no_release(
    package: &pep508_rs::PackageName,
    rejected: &[(pep440_rs::Version, Unusable)],
) -> String {
    let Some((newest, reason)) = rejected.last() else {
        return format!("there is no release of {package} in that range");
    };
    let same = rejected
        .iter()
        .rev()
        .take_while(|(_, other)| std::mem::discriminant(other) == std::mem::discriminant(reason))
        .count();
    let advice = match reason {
        Unusable::PreRelease => "; `--pre` admits pre-releases",
        Unusable::TooNew => "; `--exclude-newer` sets the cut-off",
        Unusable::Yanked { .. } => "; a yanked release is taken only when `==` names it",
        Unusable::SdistRefused | Unusable::NeedsBuild => {
            "; `--build` or fewer `--only-binary` would admit it"
        }
        _ => "",
    };
    if same == rejected.len() && same > 1 {
        format!("every release of {package} in that range {reason}{advice}")
    } else {
        format!("{package} {newest} {reason}{advice}")
    }
}

/// Names near to one that no index has, among those the request and the rules know.
fn nearest(name: &str, request: &Request, rules: &RuleSet) -> Vec<String> {
    let mut known: Vec<&str> = request
        .requirements
        .iter()
        .chain(&request.constraints)
        .map(|line| line.name.as_ref())
        .chain(
            rules
                .iter()
                .flat_map(|rule| rule.names())
                .map(AsRef::as_ref),
        )
        .filter(|other| *other != name)
        .collect();
    known.sort_unstable();
    known.dedup();
    let mut near: Vec<(f64, &str)> = known
        .into_iter()
        .map(|other| (strsim::jaro_winkler(name, other), other))
        .filter(|(score, _)| *score > 0.85)
        .collect();
    near.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    near.into_iter()
        .take(3)
        .map(|(_, other)| format!("`{other}`"))
        .collect()
}
