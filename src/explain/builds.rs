//! Which build of a distribution was taken, and why none of the others.

use pep508_rs::PackageName;

use super::study::Study;
use crate::request::Request;
use crate::rules::RuleKind;
use crate::solve::{
    ChosenVariant, EligibleBuilds, Solution, SolveError, Unusable, eligible_builds,
};
use crate::target::Accelerator;

/// Which build of a distribution was taken for the target's accelerator, and why none of the
/// others: the first sentence, then a line for each of the others. Empty for what is the
/// member of no family and has no wheel variants.
///
/// # Errors
///
/// [`SolveError`] where facts could not be had.
pub fn builds(
    name: &PackageName,
    study: &Study<'_>,
    request: &Request,
    solution: &Solution,
) -> Result<Vec<String>, SolveError> {
    let mut lines = Vec::new();
    for builds in eligible_builds(study.rules, study.target) {
        let is_member = study.rules.on(name).iter().any(
            |rule| matches!(&rule.kind, RuleKind::Family { name, .. } if *name == builds.family),
        );
        let Some(taken) = solution.builds.get(&builds.family).filter(|_| is_member) else {
            continue;
        };
        lines.push(taken_for(&builds, taken, &study.target.accelerator));
        for (label, reason) in &builds.refused {
            lines.push(format!("  {label} {reason}"));
        }
        let known = study.candidates(name, request)?;
        let not_running = known
            .rejected
            .iter()
            .rfind(|(_, reason)| matches!(reason, Unusable::Accelerator { .. }));
        if let Some((version, reason)) = not_running {
            lines.push(format!("  {name} {version} {reason}"));
        }
    }
    let chosen = solution.packages.get(name);
    if let Some(variant) = chosen.and_then(|chosen| chosen.variant.as_ref()) {
        lines.extend(of_variant(variant));
    }
    Ok(lines)
}

fn taken_for(builds: &EligibleBuilds, taken: &str, accelerator: &Accelerator) -> String {
    let stated = accelerator.hardware();
    if stated.is_empty() {
        format!("The build {taken} of {} was taken.", builds.family)
    } else {
        format!(
            "The build {taken} of {} was taken for {stated}.",
            builds.family
        )
    }
}

fn of_variant(variant: &ChosenVariant) -> Vec<String> {
    let first = match &variant.label {
        None => "An ordinary wheel was taken, since no wheel variant suits.".to_owned(),
        Some(label) if variant.properties.is_empty() => {
            format!("The wheel variant {label} was taken, which asks for nothing.")
        }
        Some(label) => {
            let properties = variant.properties.iter().map(ToString::to_string);
            let properties: Vec<String> = properties.collect();
            format!(
                "The wheel variant {label} was taken, which is for {}.",
                properties.join(", ")
            )
        }
    };
    let refused = variant.refused.iter();
    let refused = refused.map(|(label, reason)| format!("  {label} {reason}"));
    std::iter::once(first).chain(refused).collect()
}
