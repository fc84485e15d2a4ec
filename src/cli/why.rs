//! `mlresolve why`.

use std::str::FromStr as _;

use pep508_rs::PackageName;

use super::args::{Format, ResolveArgs, WhyArgs};
use super::conflict::{self, tell_json};
use super::error::{CliError, Exit};
use super::recorded::{self, Recorded};
use super::session::{self, Session, Try};
use super::{inputs, settings, tell};
use crate::explain::{self, Study, Why, WhyNot};
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

/// An answer.
pub(crate) enum Answer {
    /// Why a distribution is locked at its version.
    Why(Box<Why>),
    /// What blocks a requirement.
    WhyNot(Box<WhyNot>),
}

/// Says why a distribution is locked at its version, or what blocks a requirement.
pub(crate) fn run(args: &WhyArgs) -> Result<Exit, CliError> {
    // What cannot be understood is said before anything is fetched.
    question(&args.name)?;
    session::steadily(|one| told(&open(&args.resolve, one)?, args))
}

fn told(session: &Session, args: &WhyArgs) -> Result<Exit, CliError> {
    match answer(session, session.facts.facts(), &args.name)? {
        None => return conflict::unsolvable(session, args.format),
        Some((Answer::Why(answer), builds)) => match args.format {
            Format::Text => tell(&(answer.render() + &builds)),
            Format::Json => tell_json(&explain::why_json(&answer)),
        },
        Some((Answer::WhyNot(answer), builds)) => match args.format {
            Format::Text => tell(&(answer.render() + &builds)),
            Format::Json => tell_json(&explain::why_not_json(&answer)),
        },
    }
    Ok(Exit::Done)
}

/// Which build of a distribution was taken, and why none of the others; empty where there is
/// but one.
fn build(
    name: &PackageName,
    study: &Study<'_>,
    session: &Session,
    solution: &Solution,
) -> Result<String, CliError> {
    let lines = explain::builds(name, study, &session.request, solution)?;
    if lines.is_empty() {
        return Ok(String::new());
    }
    Ok(format!("\n{}\n", lines.join("\n")))
}

/// Answers a question about a session's request, and says which build was taken; `None`
/// where that has no solution.
pub(crate) fn answer(
    session: &Session,
    facts: &dyn Facts,
    text: &str,
) -> Result<Option<(Answer, String)>, CliError> {
    let study = Study::new(&session.target, &session.rules, facts);
    let request = &session.request;
    let Outcome::Solved(solution) = study.solve(request)? else {
        return Ok(None);
    };
    Ok(Some(match question(text)? {
        Question::Name(name) => {
            let answer = explain::why(&name, &study, request, &solution)?
                .ok_or_else(|| unknown(&name, session, &solution))?;
            let builds = build(&name, &study, session, &solution)?;
            (Answer::Why(Box::new(answer)), builds)
        }
        Question::Wanted(line) => {
            let answer = explain::why_not(&line, &study, request, &solution)?;
            let builds = build(&line.name, &study, session, &solution)?;
            (Answer::WhyNot(Box::new(answer)), builds)
        }
    }))
}

/// The session of inputs, with the pins of the lock that is there.
pub(crate) fn open(given: &ResolveArgs, one: &mut Try) -> Result<Session, CliError> {
    let with_settings =
        settings::settings(given, None)?.map(|settings| settings::resolve(given, &settings));
    let mut args = with_settings.unwrap_or_else(|| given.clone());
    let named = inputs::inputs(&args.inputs)?;
    let recorded = match inputs::output(None, &named) {
        Ok(inputs::Output::File(path)) => recorded::read(&path)?,
        _ => Recorded::default(),
    };
    // The question is about the lock that is there: what was uploaded after its cut-off could
    // not be in it.
    if args.exclude_newer.is_none() {
        args.exclude_newer.clone_from(&recorded.exclude_newer);
    }
    let mut session = one.open(&args, &recorded)?;
    session.request.pins.clone_from(recorded.pins());
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

fn unknown(name: &PackageName, session: &Session, solution: &Solution) -> CliError {
    let target = &session.target;
    let mut lines = session.request.requirements.iter();
    if let Some(line) = lines.find(|line| line.name == *name) {
        let (text, place) = (&line.text, &line.place);
        let error = format!("`{text}` ({place}) is not for this target, so `{name}` is not locked");
        return CliError::new(Exit::Unsolvable, error)
            .hint(format!("the target is {}", target.describe()));
    }
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
