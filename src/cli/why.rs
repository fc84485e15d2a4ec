//! `mlresolve why`.

use std::str::FromStr as _;

use pep508_rs::PackageName;

use super::args::WhyArgs;
use super::error::{CliError, Exit};
use super::recorded::{self, Recorded};
use super::session::Session;
use super::{inputs, settings, tell};
use crate::explain;
use crate::solve::{Memo, Outcome, solve_again};

/// Says why a distribution is locked at its version.
pub(crate) fn run(args: &WhyArgs) -> Result<Exit, CliError> {
    let name = PackageName::from_str(args.name.trim()).map_err(|_| {
        CliError::usage(format!("`{}` is no name of a distribution", args.name))
            .hint("write `mlresolve why numpy`")
    })?;
    let resolve = match settings::settings(&args.resolve)? {
        Some(settings) => settings::resolve(&args.resolve, &settings),
        None => args.resolve.clone(),
    };
    let named = inputs::inputs(&resolve.inputs)?;
    let recorded = match inputs::output(None, &named) {
        Ok(inputs::Output::File(path)) => recorded::read(&path)?,
        _ => Recorded::default(),
    };
    let mut session = Session::open(&resolve, &recorded)?;
    session.request.pins.clone_from(&recorded.pins);
    let facts = session.facts.facts();
    let (request, target, rules) = (&session.request, &session.target, &session.rules);
    let solution = match solve_again(request, target, rules, &facts, &Memo::default())? {
        Outcome::Solved(solution) => solution,
        Outcome::Unsolvable(conflict) => return super::lock::unsolvable(&session, &conflict),
    };
    let Some(answer) = explain::why(&name, &solution, request, target, rules, &facts)? else {
        let known: Vec<&str> = solution.packages.keys().map(AsRef::as_ref).collect();
        let near = super::rule_folders::near(name.as_ref(), &known);
        let error = CliError::new(
            Exit::Unsolvable,
            format!("nothing asks for `{name}`, so it is not locked"),
        );
        return Err(if near.is_empty() {
            error
        } else {
            error.hint(format!("did you mean {near}?"))
        });
    };
    tell(&answer.render());
    Ok(Exit::Done)
}
