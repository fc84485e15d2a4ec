//! `mlresolve why`.

use std::str::FromStr as _;

use pep508_rs::PackageName;

use super::args::{ResolveArgs, WhyArgs};
use super::error::{CliError, Exit};
use super::recorded::{self, Recorded};
use super::session::Session;
use super::{inputs, settings, tell};
use crate::explain::{self, Study};
use crate::metadata::Dependency;
use crate::request::Line;
use crate::solve::{Facts, Outcome, Solution};

/// What is asked about.
enum Question {
    /// Why this distribution is locked at its version.
    Name(PackageName),
    /// Why not this.
    Wanted(Box<Line>),
}

/// Says why a distribution is locked at its version, or what blocks a requirement.
pub(crate) fn run(args: &WhyArgs) -> Result<Exit, CliError> {
    question(&args.name)?;
    let session = open(&args.resolve)?;
    let facts = session.facts.facts();
    let study = Study::new(&session.target, &session.rules, facts);
    let Outcome::Solved(solution) = study.solve(&session.request)? else {
        return super::lock::unsolvable(&session);
    };
    tell(&answer(&args.name, &session, facts, &solution)?);
    Ok(Exit::Done)
}

/// The answer to a question about a solution, as text.
pub(crate) fn answer(
    text: &str,
    session: &Session,
    facts: &dyn Facts,
    solution: &Solution,
) -> Result<String, CliError> {
    let study = Study::new(&session.target, &session.rules, facts);
    let request = &session.request;
    match question(text)? {
        Question::Name(name) => explain::why(&name, &study, request, solution)?
            .map(|answer| answer.render())
            .ok_or_else(|| unknown(&name, solution)),
        Question::Wanted(line) => Ok(explain::why_not(&line, &study, request, solution)?.render()),
    }
}

/// The session of inputs, with the pins of the lock that is there.
pub(crate) fn open(given: &ResolveArgs) -> Result<Session, CliError> {
    let args = match settings::settings(given)? {
        Some(settings) => settings::resolve(given, &settings),
        None => given.clone(),
    };
    let named = inputs::inputs(&args.inputs)?;
    let recorded = match inputs::output(None, &named) {
        Ok(inputs::Output::File(path)) => recorded::read(&path)?,
        _ => Recorded::default(),
    };
    let mut session = Session::open(&args, &recorded)?;
    session.request.pins.clone_from(&recorded.pins);
    Ok(session)
}

fn question(text: &str) -> Result<Question, CliError> {
    let text = text.trim();
    if let Ok(name) = PackageName::from_str(text) {
        return Ok(Question::Name(name));
    }
    let wrong = |detail: &str| {
        CliError::usage(format!(
            "`{text}` is neither a name nor a requirement: {detail}"
        ))
        .hint("write `mlresolve why numpy` or `mlresolve why 'numpy>=2'`")
    };
    let (dependency, _) = Dependency::parse(text).map_err(|error| wrong(&error))?;
    explain::wanted(&dependency, text)
        .map(|line| Question::Wanted(Box::new(line)))
        .ok_or_else(|| wrong("a direct reference cannot be asked about"))
}

fn unknown(name: &PackageName, solution: &Solution) -> CliError {
    let known: Vec<&str> = solution.packages.keys().map(AsRef::as_ref).collect();
    let near = super::rule_folders::near(name.as_ref(), &known);
    let error = CliError::new(
        Exit::Unsolvable,
        format!("nothing asks for `{name}`, so it is not locked"),
    );
    if near.is_empty() {
        error
    } else {
        error.hint(format!("did you mean {near}?"))
    }
}
