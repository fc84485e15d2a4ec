//! `mlresolve graph`.

use super::args::{Format, GraphArgs, GraphFormat};
use super::error::{CliError, Exit};
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
            let session = why::open(&args.resolve)?;
            let study = Study::new(&session.target, &session.rules, session.facts.facts());
            match study.solve(&session.request)? {
                Outcome::Solved(solution) => {
                    Graph::of_solution(&solution, &session.request, Some(&study))?
                }
                Outcome::Unsolvable(_) => {
                    let format = match args.format {
                        GraphFormat::Json => Format::Json,
                        _ => Format::Text,
                    };
                    return conflict::unsolvable(&session, format);
                }
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
