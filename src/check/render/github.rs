//! Workflow commands, which GitHub shows beside the lines of a pull request.

use super::Report;
use super::sarif::sentence;
use crate::check::Severity;

/// The reports as GitHub annotations.
pub fn github(reports: &[Report]) -> String {
    let mut out = String::new();
    for report in reports {
        for finding in &report.findings {
            let command = match finding.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
                Severity::Note => "notice",
            };
            let file = finding
                .place
                .as_ref()
                .map_or(&report.subject, |place| &place.file);
            let line = finding.place.as_ref().map_or(1, |place| place.line);
            out.push_str(&format_args_line(
                command,
                &property(file),
                line,
                &property(&finding.id()),
                &data(&sentence(finding)),
            ));
        }
    }
    out
}

fn format_args_line(command: &str, file: &str, line: u32, title: &str, text: &str) -> String {
    format!("::{command} file={file},line={line},title={title}::{text}\n")
}

/// Text after the second `::`.
fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// A value between commas.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
