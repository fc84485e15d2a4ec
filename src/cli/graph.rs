//! `mlresolve graph`.

use super::args::{Format, GraphArgs, GraphFormat};
use super::error::{CliError, Exit};
use super::session::{self, Session};
use super::{conflict, diff, output, rule_folders, tell, why};
use crate::explain::{Graph, Study};
use crate::solve::Outcome;

/// Shows who needs whom, from a lock or from inputs.
pub(crate) fn run(args: &GraphArgs) -> Result<Exit, CliError> {
    let graph = match args.resolve.inputs.as_slice() {
        [one] if diff::is_lock(one) => {
            let rules = rule_folders::rules(&args.resolve.rules, &args.resolve.rules_in_settings)?;
            Graph::of_lock(&diff::read(one)?, &rules)
        }
        _ => {
            let format = match args.format {
                GraphFormat::Json => Format::Json,
                _ => Format::Text,
            };
            let graph = session::steadily(|one| {
                let session = why::open(&args.resolve, one)?;
                solved(&session, Newest::Told, format)
            });
            match graph? {
                Ok(graph) => graph,
                Err(exit) => return Ok(exit),
            }
        }
    };
    let text = match args.format {
        GraphFormat::Text => graph.tree(),
        GraphFormat::Dot => graph.dot(),
        GraphFormat::Mermaid => graph.mermaid(),
        GraphFormat::Html => graph.html(),
        GraphFormat::Json => format!("{:#}\n", graph.json()),
    };
    match &args.output {
        Some(path) => output::write_atomically(path, text.as_bytes())?,
        None => tell(&text),
    }
    Ok(Exit::Done)
}

/// Whether a graph has the newest releases, and what keeps them away.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Newest {
    Told,
    Untold,
}

/// What the inputs give; an exit code where there is no solution, which is explained.
pub(crate) fn solved(
    session: &Session,
    newest: Newest,
    format: Format,
) -> Result<Result<Graph, Exit>, CliError> {
    let study = Study::new(&session.target, &session.rules, session.facts.facts());
    if let Outcome::Solved(solution) = study.solve(&session.request)? {
        let newest = (newest == Newest::Told).then_some(&study);
        let graph = Graph::of_solution(&solution, &session.request, newest)?;
        return Ok(Ok(graph));
    }
    conflict::unsolvable(session, format).map(Err)
}
