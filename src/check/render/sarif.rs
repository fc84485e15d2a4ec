//! SARIF 2.1.0, which code scanning services read.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::Report;
use crate::check::{Finding, Severity};

/// The reports as a SARIF log.
pub fn sarif(reports: &[Report], version: &str) -> String {
    let mut rules: BTreeMap<String, Value> = BTreeMap::new();
    let mut results = Vec::new();
    for report in reports {
        for finding in &report.findings {
            rules.entry(finding.id()).or_insert_with(|| {
                let text = finding.reason.as_ref().unwrap_or(&finding.message);
                json!({
                    "id": finding.id(),
                    "shortDescription": { "text": finding.code },
                    "fullDescription": { "text": text },
                })
            });
            results.push(result(report, finding));
        }
    }
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "mlresolve",
                "version": version,
                "rules": rules.into_values().collect::<Vec<_>>(),
            }},
            "results": results,
        }],
    });
    format!("{log:#}\n")
}

fn result(report: &Report, finding: &Finding) -> Value {
    let level = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    };
    let file = finding
        .place
        .as_ref()
        .map_or(&report.subject, |place| &place.file);
    let line = finding.place.as_ref().map_or(1, |place| place.line);
    json!({
        "ruleId": finding.id(),
        "level": level,
        "message": { "text": sentence(finding) },
        "locations": [{ "physicalLocation": {
            "artifactLocation": { "uri": file.replace('\\', "/") },
            "region": { "startLine": line },
        }}],
    })
}

/// The finding in one paragraph.
pub(super) fn sentence(finding: &Finding) -> String {
    let mut text = format!("{}.", finding.message);
    if let Some(reason) = &finding.reason {
        text.push(' ');
        text.push_str(reason.trim_end_matches('.'));
        text.push('.');
    }
    if let Some(fix) = &finding.fix {
        text.push_str(" Fix: ");
        text.push_str(&fix.text);
        text.push('.');
    }
    text
}
