//! What the user hears of a solution, beside the lock.

use pep440_rs::Version;
use pep508_rs::{ExtraName, PackageName};

use super::super::session::Session;
use super::super::{accelerator, migration, rule_folders, say};
use crate::metadata::FileKind;
use crate::solve::{ChosenOrigin, Solution, Warning, eligible_builds};

/// All that the user should hear.
pub(super) fn all(session: &Session, solution: &Solution) -> Vec<String> {
    let mut told = warnings(session, solution);
    told.extend(sources(session, solution));
    told.extend(packed(solution));
    told.extend(nothing(session, solution));
    told.extend(migration::moved(session, solution));
    told.extend(migration::misnamed(session));
    told.extend(builds(session, solution));
    told.extend(variants(solution));
    told
}

/// Which builds were taken where several would do, and why none of the newer ones.
fn builds(session: &Session, solution: &Solution) -> Vec<String> {
    let mut told = Vec::new();
    for builds in eligible_builds(&session.rules, &session.target) {
        if let Some(taken) = solution.builds.get(&builds.family)
            && builds.labels.len() + builds.refused.len() > 1
        {
            told.push(accelerator::told(&builds, taken, &session.target));
        }
    }
    told
}

/// Releases that must be built to be installed.
fn sources(session: &Session, solution: &Solution) -> Option<String> {
    let wheels = &session.request.policy.wheels;
    let built: Vec<String> = solution
        .packages
        .iter()
        .filter(|(name, chosen)| {
            // Where wheels are refused, this is what was asked for.
            wheels.allows(name)
                && matches!(chosen.origin, ChosenOrigin::Index(_))
                && chosen
                    .file
                    .as_ref()
                    .is_some_and(|file| matches!(file.kind, FileKind::Sdist(_)))
        })
        .map(|(name, chosen)| format!("{name} {}", chosen.version))
        .collect();
    (!built.is_empty()).then(|| {
        format!(
            "warning: no wheel suits the target, and installing means building: {} \
             (`--only-binary :all:` takes releases with wheels only)",
            built.join(", ")
        )
    })
}

/// Releases whose requirements are those of the machine that packed them.
fn packed(solution: &Solution) -> Option<String> {
    let packages = solution.packages.iter();
    let packed: Vec<String> = packages
        .filter(|(_, chosen)| chosen.metadata.may_differ)
        .map(|(name, chosen)| format!("{name} {}", chosen.version))
        .collect();
    (!packed.is_empty()).then(|| {
        format!(
            "warning: what these require was read from what their source distributions were packed \
             with, and their builds may ask for other things on another machine: {} (`--override` \
             says what they require)",
            packed.join(", ")
        )
    })
}

/// A lock of nothing is rarely what is meant: a sync from it uninstalls everything.
fn nothing(session: &Session, solution: &Solution) -> Option<String> {
    let is_nothing = session.request.requirements.is_empty()
        && solution.packages.is_empty()
        && session.request.base.packages.is_empty();
    is_nothing.then(|| {
        format!(
            "warning: nothing is asked for in {}: the lock is empty",
            session.inputs.join(", ")
        )
    })
}

/// Which wheel variants were taken, and who can install them.
fn variants(solution: &Solution) -> Vec<String> {
    let mut told = Vec::new();
    let mut labelled = Vec::new();
    for (name, chosen) in &solution.packages {
        let Some(variant) = &chosen.variant else {
            continue;
        };
        match &variant.label {
            Some(label) => labelled.push(format!("{name} {} ({label})", chosen.version)),
            None => {
                for (label, reason) in &variant.refused {
                    told.push(format!("{name}: the wheel variant {label} {reason}"));
                }
            }
        }
    }
    if !labelled.is_empty() {
        told.push(format!(
            "warning: wheel variants were taken: {}. pip cannot install them; uv does from a \
             requirements file, with `--preview-features wheel-variants`",
            labelled.join(", ")
        ));
    }
    told
}

fn warnings(session: &Session, solution: &Solution) -> Vec<String> {
    let warnings = solution.warnings.iter();
    warnings
        .map(|warning| format!("warning: {}", warning_text(session, solution, warning)))
        .collect()
}

/// Members of a slot at one version, and how to have one of them. None is offered in place of
/// another that a line of the user's names.
fn shared(session: &Session, import: &str, members: &[PackageName]) -> String {
    let lines = &session.request.requirements;
    let is_asked = |name: &&PackageName| lines.iter().any(|line| line.name == **name);
    let asked: Vec<&PackageName> = members.iter().filter(is_asked).collect();
    let last = members.last();
    let hint = match (asked.as_slice(), last.as_ref()) {
        ([one], _) | ([], Some(one)) => {
            format!("`--provider {import}={one}` meets every demand with one of them")
        }
        _ => {
            let lines: Vec<String> = asked.iter().map(|name| format!("`{name}`")).collect();
            format!("keep one of the lines {}", lines.join(", "))
        }
    };
    let names: Vec<&str> = members.iter().map(AsRef::as_ref).collect();
    format!(
        "{} all install into `{import}`; they were taken at one version\nhint: {hint}",
        names.join(", ")
    )
}

/// An extra that the release has not: who asks for it, and what else may be meant.
fn unknown_extra(
    session: &Session,
    solution: &Solution,
    (name, version): (&PackageName, &Version),
    extra: &ExtraName,
    newer: Option<&Version>,
) -> String {
    let mut lines = session.request.requirements.iter();
    let line = lines.find(|line| line.name == *name && line.extras.contains(extra));
    let place = line.map_or_else(String::new, |line| format!("{}: ", line.place));
    let known = solution.packages.get(name);
    let known: Vec<String> = known
        .into_iter()
        .flat_map(|chosen| chosen.metadata.provides_extras.iter())
        .map(ToString::to_string)
        .collect();
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    let near = rule_folders::near(extra.as_ref(), &known);
    let hint = match newer {
        Some(newer) => {
            format!("\nhint: {name} {newer} has it; `{name}` without it is the same here")
        }
        None if near.is_empty() => String::new(),
        None => format!("\nhint: did you mean {near}?"),
    };
    format!("{place}{name} {version} has no extra `{extra}`{hint}")
}

fn warning_text(session: &Session, solution: &Solution, warning: &Warning) -> String {
    match warning {
        Warning::SharedSlot { import, members } => shared(session, import, members),
        Warning::UnknownExtra {
            newer,
            name,
            version,
            extra,
        } => unknown_extra(session, solution, (name, version), extra, newer.as_ref()),
        Warning::Yanked {
            name,
            version,
            reason,
        } => {
            let reason = reason
                .as_ref()
                .map_or_else(String::new, |reason| format!(" ({reason})"));
            format!(
                "{name} {version} was yanked{reason}; it is locked because a line or the lock pins it"
            )
        }
        Warning::OldDriver {
            label,
            driver,
            toolkit,
        } => format!(
            "the driver {driver} runs the build {label} by minor-version compatibility; its own \
             toolkit came with {toolkit}, and code that is compiled at run time from PTX needs that"
        ),
        Warning::SideBySide { package, brought } => {
            let brought: Vec<String> = brought
                .iter()
                .map(|(who, version)| format!("{version} (from {who})"))
                .collect();
            format!(
                "{package} is there in several versions, since what is locked demands them: {}",
                brought.join(", ")
            )
        }
        Warning::Built { name, version } => format!(
            "what {name} {version} requires was learned by building it here: no wheel suits the \
             target, and its source distribution does not say"
        ),
    }
}

/// Each decision, and each repair of metadata.
pub(super) fn narrate(solution: &Solution) {
    for decision in &solution.decisions {
        say(&format!("decided: {decision}"));
    }
    for (name, chosen) in &solution.packages {
        for repair in &chosen.metadata.repairs {
            say(&format!(
                "repaired: {name} {}: {} (`{}` read as `{}`)",
                chosen.version, repair.what, repair.before, repair.after
            ));
        }
    }
    for change in &solution.changed {
        let from = change
            .from
            .as_ref()
            .map_or_else(|| "a line of yours".to_owned(), ToString::to_string);
        let now = change.now.as_deref().unwrap_or("nothing");
        say(&format!(
            "changed: {from} asks for {}{}, taken as {now} ({})",
            change.to, change.was, change.by
        ));
    }
}
