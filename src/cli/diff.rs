//! `mlresolve diff`.

use super::args::{DiffArgs, Format};
use super::conflict::{self, tell_json};
use super::error::{CliError, Exit};
use super::recorded;
use super::session::{self, Session, is_pylock};
use super::{migration, rule_folders, settings, tell};
use crate::explain::{self, Changes, Graph, Study};
use crate::lock::Lock;
use crate::solve::Outcome;

/// Says what changed between two locks, or between a lock and what would be locked now.
pub(crate) fn run(args: &DiffArgs) -> Result<Exit, CliError> {
    let old = read(&args.old)?;
    let rules = rule_folders::rules(&args.resolve.rules, &args.resolve.rules_in_settings)?;
    let before = Graph::of_lock(&old, &rules);
    let after = match args.resolve.inputs.as_slice() {
        [one] if is_lock(one) => Graph::of_lock(&read(one)?, &rules),
        _ => {
            let mut resolve = match settings::settings(&args.resolve, None)? {
                Some(settings) => settings::resolve(&args.resolve, &settings),
                None => args.resolve.clone(),
            };
            let recorded = recorded::read(&args.old)?;
            migration::kept_cut_off(&mut resolve, &recorded);
            let after = session::steadily(|one| {
                let mut session = one.open(&resolve, &recorded)?;
                if !args.upgrade {
                    session.request.pins.clone_from(recorded.pins());
                }
                solved(&session, args.format)
            });
            match after? {
                Ok(graph) => graph,
                Err(exit) => return Ok(exit),
            }
        }
    };
    let changes = Changes::between(&before, &after);
    match args.format {
        Format::Text => tell(&changes.render()),
        Format::Json => tell_json(&explain::changes_json(&changes)),
    }
    Ok(Exit::Done)
}

/// What the inputs give; an exit code where there is no solution, which is explained.
fn solved(session: &Session, format: Format) -> Result<Result<Graph, Exit>, CliError> {
    let study = Study::new(&session.target, &session.rules, session.facts.facts());
    if let Outcome::Solved(solution) = study.solve(&session.request)? {
        return Ok(Ok(Graph::of_solution(&solution, &session.request, None)?));
    }
    conflict::unsolvable(session, format).map(Err)
}

/// Whether a path names a lock rather than an input; a pipe brings one (`<(git show …)`).
pub(crate) fn is_lock(path: &str) -> bool {
    let file = std::path::Path::new(path);
    is_pylock(path)
        || file.exists() && !file.is_file() && !file.is_dir()
        || file
            .extension()
            .is_some_and(|extension| extension == "txt" || extension == "lock")
}

/// Reads a lock, which must be there.
pub(crate) fn read(path: &str) -> Result<Lock, CliError> {
    let file = std::path::Path::new(path);
    if file.is_dir() || !file.exists() {
        return Err(CliError::usage(format!("there is no file `{path}`"))
            .hint("name a lock: a requirements.txt or a pylock.toml"));
    }
    let name = file
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default();
    if ["uv.lock", "poetry.lock", "pdm.lock", "Pipfile.lock"].contains(&name) {
        return Err(CliError::usage(format!(
            "`{path}` is the lock of another tool, for many environments at once"
        ))
        .hint(
            "`mlresolve check` judges it; to compare it, let that tool write a requirements file \
             (`uv export`, `poetry export`, `pdm export`, `pipenv requirements`)",
        ));
    }
    recorded::lock(path)
}
