//! What someone who comes from pip-compile is told.

use super::args::{LockArgs, ResolveArgs};
use super::recorded::Recorded;
use super::session::Session;
use super::{pip_settings, say, when};
use crate::explain;
use crate::lock::Writer;
use crate::solve::Solution;

/// Where several indexes are asked for a lock that this program has not made before, says that
/// their releases are not merged, as pip merges them.
pub(crate) fn tell_merging(args: &LockArgs, recorded: &Recorded, session: &Session) {
    let is_ours = recorded.text.is_some() && recorded.writer == Writer::Mlresolve;
    if !is_ours && args.resolve.index_strategy.is_none() && !session.places.extra.is_empty() {
        say(
            "note: each distribution comes from the first index that has it, extra indexes \
             first; pip takes the best version of all\n\
             hint: `--index-strategy unsafe-best-match` is pip's way, which lets anyone who can \
             upload to one index replace what is in another",
        );
    }
}

/// Keeps the cut-off that the command of the lock names, as its target is kept: an upgrade says
/// so.
pub(crate) fn keep_cut_off(given: &mut LockArgs, args: &mut LockArgs, recorded: &Recorded) {
    let Some(cut_off) = kept_cut_off(&mut args.resolve, recorded) else {
        return;
    };
    if (args.upgrade || !args.upgrade_package.is_empty()) && !args.resolve.quiet {
        say(&format!(
            "note: the cut-off stays that of the lock, {cut_off}; `--exclude-newer DATE` names \
             another, `--exclude-newer {}` lifts it",
            when::NO_CUTOFF
        ));
    }
    kept_cut_off(&mut given.resolve, recorded);
}

/// Takes the cut-off that the command of a lock names, and what is exempt from it, where nothing
/// else names one. What settings or variables said is theirs to say again.
pub(crate) fn kept_cut_off(args: &mut ResolveArgs, recorded: &Recorded) -> Option<String> {
    if args.exclude_newer.is_some() {
        return None;
    }
    let cut_off = recorded.option_of_command("exclude-newer")?;
    if pip_settings::cut_off().is_some() {
        return None;
    }
    args.exclude_newer = Some(cut_off.clone());
    if args.exclude_newer_index.is_empty() {
        args.exclude_newer_index = recorded.options_of_command("exclude-newer-index");
    }
    Some(cut_off)
}

/// An empty lock has no pins to keep, which is seldom what `-P` is given for.
pub(crate) fn tell_empty(args: &LockArgs, recorded: &Recorded) {
    let is_empty = recorded.text.as_ref().is_some_and(String::is_empty);
    if is_empty && !args.upgrade && !args.upgrade_package.is_empty() {
        say(&format!(
            "warning: `{}` is empty, so that `-P` has no other pins to keep; a shell that \
             redirects standard output to it has emptied it\n\
             hint: restore it and name it with `-o`",
            recorded.path
        ));
    }
}

/// Says which pins could not be kept.
pub(crate) fn moved(session: &Session, solution: &Solution) -> Vec<String> {
    let pins = session.request.pins.iter();
    pins.filter_map(|(name, pin)| {
        let chosen = solution.packages.get(name)?;
        (chosen.version != pin.version).then(|| {
            let against = explain::against(name, &pin.version, solution, &session.request);
            let because = against.map_or_else(String::new, |against| format!(": {against}"));
            format!(
                "note: {name} {} could not be kept and is {} now{because}",
                pin.version, chosen.version
            )
        })
    })
    .collect()
}

/// Warns of lines whose name is commonly written for another distribution.
pub(crate) fn misnamed(session: &Session) -> Vec<String> {
    let lines = session.request.requirements.iter();
    lines
        .filter(|line| line.marker.evaluate(&session.target.markers, &[]))
        .filter_map(|line| {
            let (meant, source) = explain::stand_in(line.name.as_ref())?;
            Some(format!(
                "warning: `{}` ({}): the distribution that is commonly meant is `{meant}` ({source})",
                line.name, line.place
            ))
        })
        .collect()
}
