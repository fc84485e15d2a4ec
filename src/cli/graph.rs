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
        _ => match session::steadily(|one| solved(&why::open(&args.resolve, one)?, args))? {
            Ok(graph) => graph,
            Err(exit) => return Ok(exit),
        },
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

/// What the inputs give; an exit code where there is no solution, which is explained.
fn solved(session: &Session, args: &GraphArgs) -> Result<Result<Graph, Exit>, CliError> {
    let study = Study::new(&session.target, &session.rules, session.facts.facts());
    if let Outcome::Solved(solution) = study.solve(&session.request)? {
        let graph = Graph::of_solution(&solution, &session.request, Some(&study))?;
        return Ok(Ok(graph));
    }
    let format = match args.format {
        GraphFormat::Json => Format::Json,
        _ => Format::Text,
    };
    conflict::unsolvable(session, format).map(Err)
}
