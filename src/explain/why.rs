//! Why a distribution is there, at this version and not a newer one.

use std::fmt::Write as _;
use std::str::FromStr;

use pep440_rs::{Version, VersionSpecifier, VersionSpecifiers};
use pep508_rs::{MarkerTree, PackageName};

use super::{conflict, explain_conflict, text};
use crate::request::{Line, LineSource, Place, Request};
use crate::solve::{
    Edge, EdgeCause, Facts, Outcome, Solution, SolveError, Unusable, candidates, solve,
};
use crate::{RuleSet, Target};

/// Columns that text is wrapped at.
const COLUMNS: usize = 80;

/// Why a distribution is there at its version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Why {
    /// The distribution.
    pub name: PackageName,
    /// The chosen version.
    pub version: Version,
    /// The file that its metadata came from.
    pub file: Option<String>,
    /// Who asked for it, a sentence each.
    pub asked: Vec<String>,
    /// The newest release that could be chosen on this target.
    pub newest: Option<Version>,
    /// What keeps a newer release away.
    pub blockers: Vec<Blocker>,
    /// Releases newer than the newest that could be chosen, with the reason against each.
    pub unusable: Vec<(Version, Unusable)>,
}

/// One thing that keeps a newer release away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blocker {
    /// What it is, as a sentence.
    pub sentence: String,
}

/// Answers `why NAME` for a solution; `None` where the solution has no such distribution.
///
/// # Errors
///
/// [`SolveError`] where facts could not be had.
pub fn why(
    name: &PackageName,
    solution: &Solution,
    request: &Request,
    target: &Target,
    rules: &RuleSet,
    facts: &impl Facts,
) -> Result<Option<Why>, SolveError> {
    let Some(chosen) = solution.packages.get(name) else {
        return Ok(None);
    };
    let known = candidates(name, request, target, rules, facts)?;
    let newest = known.versions.last().cloned();
    let edges: Vec<&Edge> = solution
        .edges
        .iter()
        .filter(|edge| edge.to == *name)
        .collect();
    let mut answer = Why {
        name: name.clone(),
        version: chosen.version.clone(),
        file: chosen.file.as_ref().map(|file| file.filename.clone()),
        asked: edges
            .iter()
            .map(|edge| asker(edge, solution, request, rules))
            .collect(),
        newest: newest.clone(),
        blockers: Vec::new(),
        unusable: Vec::new(),
    };
    if let Some(newest) = newest {
        answer.unusable = known
            .rejected
            .into_iter()
            .filter(|(version, _)| *version > newest)
            .collect();
        if newest > chosen.version {
            let blocking: Vec<&&Edge> =
                edges.iter().filter(|edge| !admits(edge, &newest)).collect();
            answer.blockers = blocking
                .iter()
                .map(|edge| Blocker {
                    sentence: asker(edge, solution, request, rules),
                })
                .collect();
            if answer.blockers.is_empty() {
                answer.blockers = counterfactual(name, &newest, request, target, rules, facts)?;
            }
        }
    }
    Ok(Some(answer))
}

/// What happens when the newest release is demanded: nothing that was chosen forbids it,
/// so its own requirements do, or a choice that came before it.
fn counterfactual(
    name: &PackageName,
    version: &Version,
    request: &Request,
    target: &Target,
    rules: &RuleSet,
    facts: &impl Facts,
) -> Result<Vec<Blocker>, SolveError> {
    let mut demanding = request.clone();
    demanding.requirements.push(Line {
        name: name.clone(),
        extras: Vec::new(),
        source: LineSource::Specifiers(VersionSpecifiers::from(VersionSpecifier::equals_version(
            version.clone(),
        ))),
        marker: MarkerTree::TRUE,
        text: format!("{name}=={version}"),
        hashes: Vec::new(),
        place: Place {
            file: "the question".into(),
            line: 1,
            column: 1,
        },
    });
    let sentences = match solve(&demanding, target, rules, facts)? {
        Outcome::Solved(_) => vec![format!(
            "{name} {version} is possible, at the price of older releases of what was decided before it"
        )],
        Outcome::Unsolvable(conflict) => {
            explain_conflict(&conflict, &demanding, rules, &[]).reasons
        }
    };
    Ok(sentences
        .into_iter()
        .map(|sentence| Blocker { sentence })
        .collect())
}

/// Whether an edge's range contains a version.
fn admits(edge: &Edge, version: &Version) -> bool {
    edge.range.split(" or ").any(|range| {
        VersionSpecifiers::from_str(range)
            .is_ok_and(|specifiers| crate::versions::contains(&specifiers, version))
    })
}

fn asker(edge: &Edge, solution: &Solution, request: &Request, rules: &RuleSet) -> String {
    let wanted = text::requirement(&edge.to, &edge.range);
    let versioned = |name: &PackageName| match solution.packages.get(name) {
        Some(chosen) => format!("{name} {}", chosen.version),
        None => name.to_string(),
    };
    match &edge.cause {
        EdgeCause::Line(index) => {
            let line = &request.requirements[*index];
            format!("your line `{}` ({})", line.text, line.place)
        }
        EdgeCause::Constraint(index) => {
            let line = &request.constraints[*index];
            format!("your constraint `{}` ({})", line.text, line.place)
        }
        EdgeCause::Package { name, extra, .. } => {
            let with = extra
                .as_ref()
                .map_or_else(String::new, |extra| format!("[{extra}]"));
            format!("{}{with} requires {wanted}", versioned(name))
        }
        EdgeCause::Rule { id, name } => rules.get(&id.0).map_or_else(
            || format!("rule {id} limits it to {wanted}"),
            |rule| conflict::rule_sentence(rule, &versioned(name)),
        ),
    }
}

impl Why {
    /// The answer as text of at most 80 columns, colourless.
    pub fn render(&self) -> String {
        let mut out = format!("{} {}", self.name, self.version);
        if let Some(file) = &self.file {
            let _ = write!(out, " ({file})");
        }
        out.push_str("\n\nIt is there because of\n");
        for sentence in &self.asked {
            out.push_str(&text::wrap(sentence, "- ", "  ", COLUMNS));
        }
        match &self.newest {
            Some(newest) if *newest > self.version => {
                let _ = writeln!(
                    out,
                    "\nThe newest release for this target is {newest}. It is kept away by"
                );
                for blocker in &self.blockers {
                    out.push_str(&text::wrap(&blocker.sentence, "- ", "  ", COLUMNS));
                }
            }
            Some(_) => out.push_str("\nIt is the newest release for this target.\n"),
            None => {}
        }
        if let Some((version, reason)) = self.unusable.last() {
            let sentence = format!("There is also {version}, which {reason}.");
            out.push_str(&text::wrap(&sentence, "", "", COLUMNS));
        }
        out
    }
}
