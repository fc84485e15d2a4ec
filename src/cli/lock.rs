//! `mlresolve lock`.

mod extras;
mod remembered;
mod text;
mod told;
mod written;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use pep508_rs::PackageName;

use super::args::LockArgs;
use super::error::{CliError, Exit};
use super::inputs::{self, Output};
use super::outputs::{self, Job};
use super::recorded::{self, Recorded};
use super::session::{self, Session, Try, is_pylock};
use super::{
    base_report, command_line, compat, conflict, lock_check, migration, output, progress, say,
    targets, tell,
};
use crate::lock::{Format, Newline, render};
use crate::request::Pin;
use crate::solve::{Memo, Outcome, Solution, solve_again};

use remembered::Question;

pub(super) use remembered::Answer;

/// Makes the lock that is asked for, or all that the settings name. A failure ends it; a
/// check goes on, so that all that is out of date is told.
pub(crate) fn run(given: &LockArgs) -> Result<Exit, CliError> {
    if !given.target.is_empty() {
        return targets::run(given);
    }
    let mut worst = Exit::Done;
    for job in outputs::jobs(given)? {
        match one(given, &job)? {
            Exit::Done => {}
            Exit::OutOfDate => worst = Exit::OutOfDate,
            exit => return Ok(exit),
        }
    }
    Ok(worst)
}

/// Locks, and writes, shows or checks what was locked.
fn one(given: &LockArgs, job: &Job) -> Result<Exit, CliError> {
    let args = &job.args;
    let named = inputs::inputs(&args.resolve.inputs)?;
    let to = inputs::output(args.output.as_deref(), &named)?;
    session::steadily(|one| {
        let mut opened = Opened::new(given, args.clone(), to.clone(), job.from_settings, one)?;
        let done = opened.lock()?;
        opened.leave();
        Ok(done)
    })
}

/// A lock that has its solution and is yet to be written.
pub(crate) struct Prepared {
    opened: Opened,
    pub(crate) solution: Box<Solution>,
}

/// Reads, and solves; an exit code where there is no solution, which is explained.
pub(crate) fn prepare(
    given: &LockArgs,
    args: &LockArgs,
    to: &Output,
    one: &mut Try,
) -> Result<Result<Prepared, Exit>, CliError> {
    let mut opened = Opened::new(given, args.clone(), to.clone(), false, one)?;
    let solved = opened.solve()?;
    Ok(solved.map(|solution| Prepared { opened, solution }))
}

impl Prepared {
    /// Solves again, with releases to prefer where they suit; what was found stays where
    /// that gives nothing.
    pub(crate) fn prefer(&mut self, pins: &BTreeMap<PackageName, Pin>) -> Result<(), CliError> {
        let Opened { args, session, .. } = &mut self.opened;
        session.request.pins.extend(pins.clone());
        if let Some(solution) = solve_shown(session, args.resolve.quiet)? {
            self.solution = solution;
        }
        Ok(())
    }

    /// What is to be told of the solution, and its lock.
    pub(super) fn answer(&self) -> Result<Answer, CliError> {
        self.opened.answer(&self.opened.writing(), &self.solution)
    }

    /// Writes, shows or checks the lock.
    pub(super) fn finish(&self, answer: &Answer) -> Result<Exit, CliError> {
        self.opened.finish(answer, &self.solution)
    }
}

/// A lock whose question is known.
struct Opened {
    given: LockArgs,
    args: LockArgs,
    to: Output,
    recorded: Recorded,
    session: Session,
    /// What `-P` frees.
    freed: BTreeSet<PackageName>,
    /// The settings name the inputs, not the command line.
    from_settings: bool,
}

/// What a lock says of where and how it is written.
#[derive(Debug)]
struct Writing {
    format: Format,
    /// The command of the header.
    command: String,
    newline: Newline,
    /// The folder that addresses of files are told from, as an address.
    folder: Option<String>,
}

impl Opened {
    /// Reads what the question is made of.
    fn new(
        given: &LockArgs,
        mut args: LockArgs,
        to: Output,
        from_settings: bool,
        one: &mut Try,
    ) -> Result<Self, CliError> {
        let mut given = given.clone();
        let recorded = match &to {
            Output::File(path) => {
                refuse_extension(path)?;
                recorded::to_replace(path)?
            }
            Output::Standard => Recorded::default(),
        };
        migration::keep_cut_off(&mut given, &mut args, &recorded);
        let mut session = one.open(&args.resolve, &recorded)?;
        if let Output::File(path) = &to {
            let mut sources = session.sources.clone();
            sources.extend(args.resolve.base.clone());
            let config = args.compat.config.as_ref();
            sources.extend(config.map(|file| file.to_string_lossy().into_owned()));
            inputs::refuse_source(path, &sources)?;
        }
        let freed = freed(&args, &recorded, &mut session)?;
        if !args.resolve.quiet {
            migration::tell_merging(&args, &recorded, &session);
            base_report::warn(&session.request.base, &session.rules, &session.target);
        }
        Ok(Self {
            given,
            args,
            to,
            recorded,
            session,
            freed,
            from_settings,
        })
    }

    /// Locks, and writes, shows or checks what was locked.
    fn lock(&mut self) -> Result<Exit, CliError> {
        let writing = self.writing();
        let question = Question::of(self, &writing);
        let give = |told: &[&str], text: &str| {
            for line in told {
                say(line);
            }
            finish(&self.args, &self.to, &self.recorded, text)
        };
        let remembered = question.as_ref();
        if let Some(done) = remembered.and_then(|it| it.answered(&self.session, give)) {
            return done;
        }
        let solution = match self.solve()? {
            Ok(solution) => solution,
            Err(exit) => return Ok(exit),
        };
        let answer = self.answer(&writing, &solution)?;
        let exit = self.finish(&answer, &solution)?;
        if let Some(question) = question {
            question.keep(&self.session, &answer);
        }
        // As for what was learned for it.
        std::mem::forget(solution);
        Ok(exit)
    }

    /// Solves; an exit code where there is no solution, which is explained.
    fn solve(&mut self) -> Result<Result<Box<Solution>, Exit>, CliError> {
        let (session, resolve) = (&mut self.session, &self.args.resolve);
        session.request.pins = pins(&self.args, &self.recorded, &self.freed);
        if !session.request.base.changeable.is_empty() {
            session.learn_base(resolve.quiet);
        }
        let Some(solution) = solve_shown(session, resolve.quiet)? else {
            if !session.request.base.packages.is_empty() {
                session.learn_base(resolve.quiet);
            }
            let exit = conflict::unsolvable(session, super::args::Format::Text)?;
            if !session.request.base.packages.is_empty() {
                say(&base_report::remedy(session, session.facts.facts())?);
            }
            return Ok(Err(exit));
        };
        if !resolve.allow_restart {
            base_report::refuse_loaded(session, &solution)?;
        }
        Ok(Ok(solution))
    }

    /// Leaves what was learned to the system, which takes it back at once: to give back a large
    /// stack file by file takes as long as to solve it.
    fn leave(self) {
        if let Some(edge) = self.session.facts.edge() {
            edge.registry().leave();
        }
        // The facts end in order: they wait for what is being written, and remove folders.
        let Session {
            request,
            read,
            rules,
            all_rules,
            ..
        } = self.session;
        std::mem::forget((self.recorded, request, read, rules, all_rules));
    }

    /// What is to be told of the solution, and its lock.
    fn answer(&self, writing: &Writing, solution: &Solution) -> Result<Answer, CliError> {
        let (args, session) = (&self.args, &self.session);
        let told = if args.resolve.quiet {
            Vec::new()
        } else {
            told::all(session, solution)
        };
        let mut lock = text::locked(args, writing, session, solution)?;
        command_line::forget_upgrades(&mut lock);
        let mut options = text::render_options(args, writing.format)?;
        options.newline = writing.newline;
        let text = render(&lock, &options);
        // As for the solution.
        std::mem::forget(lock);
        Ok(Answer { told, text })
    }

    /// Tells what is to be told of the solution, and writes, shows or checks the lock.
    fn finish(&self, answer: &Answer, solution: &Solution) -> Result<Exit, CliError> {
        for line in &answer.told {
            say(line);
        }
        if self.args.resolve.verbose > 0 {
            told::narrate(solution);
        }
        finish(&self.args, &self.to, &self.recorded, &answer.text)
    }

    /// What the lock says of where and how it is written.
    fn writing(&self) -> Writing {
        let (args, session) = (&self.args, &self.session);
        let path = match &self.to {
            Output::File(path) => Some(path.as_str()),
            Output::Standard => None,
        };
        let format = if path.is_some_and(is_pylock) {
            Format::Pylock
        } else {
            Format::Requirements
        };
        // Settings name their inputs; the command does not repeat them.
        let named = if self.from_settings {
            &[][..]
        } else {
            &session.inputs
        };
        // Where the target stays that of the lock, so does what its command says of it.
        let mut given = self.given.clone();
        let resolve = &mut given.resolve;
        if resolve.python.is_none() && self.recorded.target.is_some() {
            let said = |option| self.recorded.option_of_command(option);
            resolve.python_version = resolve
                .python_version
                .take()
                .or_else(|| said("python-version"));
            resolve.python_platform = resolve
                .python_platform
                .take()
                .or_else(|| said("python-platform"));
        }
        Writing {
            format,
            command: command_line::command(&given, named),
            newline: compat::newline(args, self.recorded.text.as_deref(), &session.inputs),
            folder: path
                .and_then(|path| std::path::absolute(path).ok())
                .and_then(|path| url::Url::from_directory_path(path.parent()?).ok())
                .map(|url| url.to_string()),
        }
    }
}

/// A name that promises another format is refused before anything is written.
fn refuse_extension(path: &str) -> Result<(), CliError> {
    let extension = Path::new(path)
        .extension()
        .and_then(|extension| extension.to_str())
        .filter(|extension| ["toml", "json", "lock", "yml", "yaml"].contains(extension));
    match extension {
        None => Ok(()),
        Some(_) if is_pylock(path) => Ok(()),
        Some(extension) => Err(CliError::usage(format!(
            "`{path}`: a `.{extension}` file is no requirements file"
        ))
        .hint(
            "name it `pylock.toml` or `pylock.NAME.toml` for PEP 751, or `NAME.txt` for a \
             requirements file",
        )),
    }
}

/// The pins to keep: those of the lock that is there, without those given up.
fn pins(
    args: &LockArgs,
    recorded: &Recorded,
    freed: &BTreeSet<PackageName>,
) -> BTreeMap<PackageName, Pin> {
    if args.upgrade {
        return BTreeMap::new();
    }
    let mut pins = recorded.pins().clone();
    pins.retain(|name, _| !freed.contains(name));
    if args.compat.no_reuse_hashes {
        for pin in pins.values_mut() {
            pin.hashes.clear();
        }
    }
    pins
}

/// The pins that `-P` gives up; what it says of them is asked for beside the rest.
fn freed(
    args: &LockArgs,
    recorded: &Recorded,
    session: &mut Session,
) -> Result<BTreeSet<PackageName>, CliError> {
    let mut freed = BTreeSet::new();
    if !args.resolve.quiet {
        migration::tell_empty(args, recorded);
    }
    for wanted in &args.upgrade_package {
        let (name, constraint) = command_line::upgrade(wanted)?;
        let known = recorded.pins().is_empty() || recorded.pins().contains_key(&name);
        if !known && !args.resolve.quiet {
            say(&format!(
                "note: the lock has no {name}: `-P {wanted}` frees nothing"
            ));
        }
        session.request.constraints.extend(constraint);
        freed.insert(name);
    }
    Ok(freed)
}

/// Solves, with a progress line where a terminal looks on.
fn solve_shown(session: &Session, quiet: bool) -> Result<Option<Box<Solution>>, CliError> {
    let shown = (!quiet)
        .then(|| session.facts.edge())
        .flatten()
        .map(|edge| progress::show(edge.registry().progress()));
    let outcome = solve_again(
        &session.request,
        &session.target,
        &session.rules,
        &session.facts.facts(),
        &Memo::default(),
    );
    drop(shown);
    Ok(match outcome? {
        Outcome::Solved(solution) => Some(solution),
        Outcome::Unsolvable(_) => None,
    })
}

/// Writes, shows or checks the lock.
fn finish(args: &LockArgs, to: &Output, recorded: &Recorded, text: &str) -> Result<Exit, CliError> {
    match to {
        Output::Standard => {
            tell(text);
            Ok(Exit::Done)
        }
        Output::File(path) if args.check => lock_check::check(path, recorded.text.as_deref(), text),
        Output::File(path) if args.dry_run => {
            tell(text);
            if !args.resolve.quiet {
                say(&format!("dry run: `{path}` was not written"));
            }
            Ok(Exit::Done)
        }
        Output::File(path) => {
            let is_new = recorded.text.as_deref() != Some(text);
            if is_new {
                output::write_atomically(Path::new(path), text.as_bytes())?;
            }
            if !args.resolve.quiet {
                say(&written::sentence(path, text, is_new));
            }
            Ok(Exit::Done)
        }
    }
}
