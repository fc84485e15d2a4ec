//! JUnit XML, which every CI service reads.

use std::fmt::Write as _;

use super::Report;
use super::sarif::sentence;
use crate::check::Severity;

/// The reports as JUnit XML: a suite for each subject, a case for each finding; notes pass.
pub fn junit(reports: &[Report]) -> String {
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n");
    for report in reports {
        let failed = report
            .findings
            .iter()
            .filter(|finding| finding.severity > Severity::Note)
            .count();
        // Writing to a string cannot fail.
        let _ = writeln!(
            out,
            "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{failed}\">",
            escaped(&report.subject),
            report.findings.len().max(1),
        );
        for finding in &report.findings {
            let name = escaped(&finding.message);
            let class = escaped(&finding.id());
            if finding.severity == Severity::Note {
                let _ = writeln!(out, "    <testcase classname=\"{class}\" name=\"{name}\"/>");
            } else {
                let _ = writeln!(
                    out,
                    "    <testcase classname=\"{class}\" name=\"{name}\">\n      <failure type=\"{}\" \
                     message=\"{name}\">{}</failure>\n    </testcase>",
                    finding.severity.word(),
                    escaped(&sentence(finding)),
                );
            }
        }
        if report.findings.is_empty() {
            let _ = writeln!(
                out,
                "    <testcase classname=\"check\" name=\"nothing found\"/>"
            );
        }
        out.push_str("  </testsuite>\n");
    }
    out.push_str("</testsuites>\n");
    out
}

/// Text as XML has it; what XML cannot have is a question mark.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' => out.push(letter),
            letter if letter.is_control() => out.push('?'),
            letter => out.push(letter),
        }
    }
    out
}
