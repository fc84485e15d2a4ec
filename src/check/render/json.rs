//! For programs.

use serde_json::{Value, json as object};

use super::Report;

/// The reports as one JSON object, version 1 of its schema.
pub fn json(reports: &[Report]) -> String {
    let subjects: Vec<Value> = reports
        .iter()
        .map(|report| {
            object!({
                "subject": report.subject,
                "format": report.format,
                "packages": report.packages,
                "target": report.target,
                "findings": report.findings,
            })
        })
        .collect();
    let all = object!({ "schema": 1, "subjects": subjects });
    format!("{all:#}\n")
}
