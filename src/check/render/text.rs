//! For people.

use std::fmt::Write as _;

use super::Report;
use crate::check::{Finding, Severity};
use crate::explain::wrap;

const COLUMNS: usize = 88;

/// The reports as text.
pub fn text(reports: &[Report]) -> String {
    let mut out = String::new();
    for report in reports {
        for finding in &report.findings {
            one(finding, &mut out);
            out.push('\n');
        }
        summary(report, &mut out);
    }
    out
}

fn one(finding: &Finding, out: &mut String) {
    let rule = finding.rule.as_ref().map_or_else(
        || format!(" ({})", finding.code),
        |rule| format!(" (rule {rule})"),
    );
    let head = format!("{}: {}{rule}", finding.severity.word(), finding.message);
    out.push_str(&wrap(&head, "", "  ", COLUMNS));
    if let Some(place) = &finding.place {
        // Writing to a string cannot fail.
        let _ = writeln!(out, "  at {}:{}", place.file, place.line);
    }
    if let Some(reason) = &finding.reason {
        out.push_str(&wrap(reason, "  ", "  ", COLUMNS));
    }
    if let Some(error) = &finding.error {
        out.push_str(&wrap(error, "  users see: ", "    ", COLUMNS));
    }
    for evidence in finding.evidence.iter().take(6) {
        out.push_str(&wrap(evidence, "  - ", "    ", COLUMNS));
    }
    if let Some(fix) = &finding.fix {
        let word = if fix.verified {
            "  fix (it was tried): "
        } else {
            "  fix: "
        };
        if fix.command.is_some() {
            // Commands are copied: each stays on a line of its own.
            let lines = fix.text.replace(", or ", "\n  or: ");
            let _ = writeln!(out, "{word}{lines}");
        } else {
            out.push_str(&wrap(&fix.text, word, "    ", COLUMNS));
        }
    }
}

fn summary(report: &Report, out: &mut String) {
    let count = |severity, word: &str| match report.count(severity) {
        0 => None,
        1 => Some(format!("1 {word}")),
        several => Some(format!("{several} {word}s")),
    };
    let counts: Vec<String> = [
        count(Severity::Error, "error"),
        count(Severity::Warning, "warning"),
        count(Severity::Note, "note"),
    ]
    .into_iter()
    .flatten()
    .collect();
    let found = if counts.is_empty() {
        "nothing found".to_owned()
    } else {
        counts.join(", ")
    };
    let _ = writeln!(
        out,
        "{}: {found} in {} {}, for {}",
        report.subject,
        report.packages,
        if report.packages == 1 {
            "package"
        } else {
            "packages"
        },
        report.target
    );
}
