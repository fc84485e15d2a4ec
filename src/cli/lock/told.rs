//! What the user hears of a solution, beside the lock.

use pep508_rs::PackageName;

use super::super::session::Session;
use super::super::{accelerator, migration, say};
use super::extras;
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

/// Members of a slot at one version, and how to have one of them.
fn shared(session: &Session, import: &str, members: &[PackageName]) -> String {
    let lines = &session.request.requirements;
    let is_asked = |name: &&PackageName| lines.iter().any(|line| line.name == **name);
    let asked: Vec<&PackageName> = members.iter().filter(is_asked).collect();
    let names: Vec<&str> = members.iter().map(AsRef::as_ref).collect();
    format!(
        "{} all install into `{import}`; they were taken at one version\nhint: {}",
        names.join(", "),
        one_of(import, members, &asked)
    )
}

/// How to have one of several members; none is offered in place of another that a line asks for.
fn one_of(import: &str, members: &[PackageName], asked: &[&PackageName]) -> String {
    let last = members.last();
    match (asked, last.as_ref()) {
        ([one], _) | ([], Some(one)) => {
            format!("`--provider {import}={one}` meets every demand with one of them")
        }
        _ => {
            let lines: Vec<String> = asked.iter().map(|name| format!("`{name}`")).collect();
            format!("keep one of the lines {}", lines.join(", "))
        }
    }
}

fn warning_text(session: &Session, solution: &Solution, warning: &Warning) -> String {
    match warning {
        Warning::SharedSlot { import, members } => shared(session, import, members),
        Warning::UnknownExtra {
            name,
            version,
            extra,
            newer,
        } => {
            let told = format!("{name} {version} has no extra `{extra}`");
            told + &extras::advice(session, solution, name, extra, newer.as_ref())
        }
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
        Warning::ForgotBound { .. } => forgot_bound(warning),
        Warning::NotLookedInto { detail } => {
            format!(
                "a better set of releases was looked for, and what it needs is missing: {detail}"
            )
        }
        Warning::Built { name, version } => format!(
            "what {name} {version} requires was learned by building it here: no wheel suits the \
             target, and its source distribution does not say"
        ),
    }
}

/// What is said of an old release that admits what newer ones do not.
fn forgot_bound(warning: &Warning) -> String {
    let Warning::ForgotBound {
        name,
        version,
        newer,
        by: (by, by_version),
        to,
        range,
        locked,
    } = warning
    else {
        return String::new();
    };
    let brings = if by == name {
        String::new()
    } else {
        format!("brings {by} {by_version}, which ")
    };
    format!(
        "{name} {version} is locked only because it does not keep {to} {locked} away as newer \
         releases do: {name} {newer} {brings}requires {to}{range}; the older one need not work \
         with it\nhint: `mlresolve why '{name}=={newer}'` tells what stands against it"
    )
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_member_is_offered_in_place_of_one_that_a_line_asks_for() {
        let name = |text: &str| text.parse::<PackageName>().expect("a name");
        let members = [name("cv"), name("cv-headless")];
        let hint = |asked: &[&PackageName]| one_of("cv2", &members, asked);
        assert!(hint(&[]).contains("--provider cv2=cv-headless"));
        assert!(hint(&[&members[0]]).contains("--provider cv2=cv`"));
        assert_eq!(
            hint(&[&members[0], &members[1]]),
            "keep one of the lines `cv`, `cv-headless`"
        );
    }
}
