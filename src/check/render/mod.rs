//! Findings as text, JSON, SARIF, JUnit and GitHub annotations.

mod github;
mod json;
mod junit;
mod sarif;
mod text;

use super::Finding;

pub use github::github;
pub use json::json;
pub use junit::junit;
pub use sarif::sarif;
pub use text::text;

/// What was found in one subject.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// The subject: a path, an interpreter.
    pub subject: String,
    /// Its format in words.
    pub format: &'static str,
    /// How many distributions it holds for the target.
    pub packages: usize,
    /// The target in words.
    pub target: String,
    /// What was found, the worst first.
    pub findings: Vec<Finding>,
}

impl Report {
    /// Sorts the findings: the worst first, then by place and by what they say.
    pub fn sort(&mut self) {
        self.findings.sort_by(|a, b| {
            b.severity
                .cmp(&a.severity)
                .then_with(|| a.place.cmp(&b.place))
                .then_with(|| a.message.cmp(&b.message))
        });
        self.findings.dedup();
    }

    /// How many findings there are of a severity.
    pub fn count(&self, severity: super::Severity) -> usize {
        self.findings
            .iter()
            .filter(|finding| finding.severity == severity)
            .count()
    }
}
