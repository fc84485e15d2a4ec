//! One finding for one thing: what several looks found of the same releases is told once.

use std::collections::BTreeSet;

use super::Finding;

/// Which finding is kept where several are about the same distributions: the one that says
/// most about the cause.
fn rank(finding: &Finding) -> u8 {
    match finding.code {
        "rule" => 0,
        "environment" => 1,
        "numpy-abi" => 2,
        "files-owned-twice" => 3,
        "shared-import" => 4,
        "unbounded" => 5,
        "conflict" => 6,
        _ => 7,
    }
}

/// Merges findings about the same distributions that have one cause: a rule that is broken, and
/// the binaries, files or metadata that show it.
pub fn merge(mut findings: Vec<Finding>) -> Vec<Finding> {
    findings.sort_by_key(rank);
    let mut kept: Vec<Finding> = Vec::with_capacity(findings.len());
    for finding in findings {
        let names = |finding: &Finding| -> BTreeSet<String> {
            let packages = finding.packages.iter();
            packages.map(|named| named.name.clone()).collect()
        };
        let about = names(&finding);
        let known = kept.iter_mut().find(|known| {
            let covers = about.len() > 1 && about.is_subset(&names(known));
            covers && rank(&finding) < 7 && rank(known) < rank(&finding)
        });
        let Some(known) = known else {
            kept.push(finding);
            continue;
        };
        known.severity = if finding.code == "shared-import" {
            // The rule knows what it means that they are at one version.
            finding.severity
        } else {
            known.severity.max(finding.severity)
        };
        if finding.code == "shared-import" {
            known.fix = finding.fix.or(known.fix.take());
        }
        known.evidence.insert(0, finding.message);
        for evidence in finding.evidence {
            if !known.evidence.contains(&evidence) {
                known.evidence.push(evidence);
            }
        }
    }
    kept
}
