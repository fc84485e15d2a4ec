//! Arguments, commands, rendering, exit codes.
#![expect(
    clippy::disallowed_methods,
    reason = "this is the edge: it reads the disk, the environment and the clock"
)]

mod accelerator;
mod args;
mod base;
mod base_images;
mod base_report;
mod check;
mod check_environment;
mod check_files;
mod command_line;
mod compat;
mod conflict;
mod diff;
mod doctor;
mod elsewhere;
mod error;
mod files;
mod graph;
mod inputs;
pub mod interpreter;
mod loaded;
mod lock;
mod lock_check;
mod migration;
mod output;
mod outputs;
mod pip_settings;
mod pip_tools;
mod pip_words;
mod plain;
mod probe;
mod program;
mod progress;
mod projects;
mod recorded;
mod rule_folders;
mod rules;
mod scan;
mod session;
mod settings;
mod snapshot;
mod snapshot_pack;
mod targets;
mod when;
mod why;

use std::io::{ErrorKind, Write as _};
use std::process::ExitCode;
use std::sync::OnceLock;

use clap::CommandFactory as _;

use args::{CacheCommand, Cli, Command, SnapshotCommand};
use error::{CliError, Exit};

use crate::fetch::cache::Bounds;

/// Prints a message on standard error.
fn say(text: &str) {
    say_as_it_is(&plain::shown(text));
}

/// Prints what this program made itself, with its colours.
fn say_as_it_is(text: &str) {
    if !session::is_news(text) {
        return;
    }
    // Where standard error is closed nobody can be told so.
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// Why an answer did not reach standard output whole.
static UNTOLD: OnceLock<String> = OnceLock::new();

/// Prints an answer on standard output. Where that fails, [`main`] says so in the end, and the
/// program does not end well.
fn tell(text: &str) {
    let text = plain::shown(text);
    let mut out = std::io::stdout().lock();
    if let Err(error) = out.write_all(text.as_bytes()).and_then(|()| out.flush())
        // A reader that went away (`| head`) has seen what it wanted.
        && error.kind() != ErrorKind::BrokenPipe
    {
        UNTOLD.get_or_init(|| error.to_string());
    }
}

/// Runs the program and gives its exit code.
pub fn main() -> ExitCode {
    let cli = match Cli::given() {
        Ok(cli) => cli,
        Err(error) => {
            let (error, hint) = elsewhere::explained(error);
            // Help and version are answers, not errors; clap knows which stream they go to.
            let _ = error.print();
            if let Some(hint) = hint {
                say(&format!("\nhint: {hint}"));
            }
            let exit = if error.use_stderr() {
                Exit::Usage
            } else {
                Exit::Done
            };
            return exit.into();
        }
    };
    let done = run(&cli.command);
    let done = match UNTOLD.get() {
        Some(why) => done.and_then(|_| {
            let what = format!("cannot write to standard output: {why}");
            Err(CliError::usage(what).hint("what was printed is not all of the answer"))
        }),
        None => done,
    };
    match done {
        Ok(exit) => exit.into(),
        Err(error) => {
            error.print();
            error.exit.into()
        }
    }
}

fn run(command: &Command) -> Result<Exit, CliError> {
    match command {
        Command::Lock(args) => lock::run(args),
        Command::Why(args) => why::run(args),
        Command::Diff(args) => diff::run(args),
        Command::Graph(args) => graph::run(args),
        Command::Snapshot(SnapshotCommand::Record(args)) => snapshot::record(args),
        Command::Snapshot(SnapshotCommand::Pack(args)) => snapshot_pack::record(args),
        Command::Snapshot(SnapshotCommand::Info { file, format }) => snapshot::info(file, *format),
        Command::Scan(args) => scan::run(args),
        Command::Base { python, output } => base::write(python.as_deref(), output.as_deref()),
        Command::Check(args) => check::run(args),
        Command::Doctor(args) => doctor::run(&args.check),
        Command::Rules(command) => rules::run(command),
        Command::Cache(command) => cache(command),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut Cli::command(), "mlresolve", &mut script);
            tell(&String::from_utf8_lossy(&script));
            Ok(Exit::Done)
        }
    }
}

fn cache(command: &CacheCommand) -> Result<Exit, CliError> {
    let (CacheCommand::Dir { cache_dir }
    | CacheCommand::Prune { cache_dir, .. }
    | CacheCommand::Clean { cache_dir }) = command;
    let args = args::ResolveArgs {
        cache_dir: cache_dir.clone(),
        ..args::ResolveArgs::default()
    };
    let cache = session::cache(&args)?;
    let gone = match command {
        CacheCommand::Dir { .. } => {
            tell(&format!("{}\n", cache.root().display()));
            return Ok(Exit::Done);
        }
        CacheCommand::Prune {
            older_than,
            max_size,
            ..
        } => {
            let before = when::instant("--older-than", older_than, jiff::Timestamp::now())?;
            cache.prune(Bounds {
                before: Some(before.into()),
                bytes: max_size.map(|mib| mib.saturating_mul(1 << 20)),
            })
        }
        CacheCommand::Clean { .. } => cache.clean(),
    };
    let (files, bytes) = gone.map_err(|error| CliError::usage(error.to_string()))?;
    tell(&format!("removed {files} files, {bytes} bytes\n"));
    Ok(Exit::Done)
}
