//! `mlresolve scan`: what wheels' binaries were built for.

mod folder;
mod overlap;
#[cfg(test)]
mod tests;
mod what;
pub(super) mod wheel;

use serde::Serialize;

use super::args::{Format, Only, ScanArgs};
use super::error::{CliError, Exit};
use super::session::{self, WheelSession};
use super::{say, tell};
use crate::scan::{Limits, render};
use crate::target::Target;
use what::What;
use wheel::Scanned;

/// The platforms of `--all-platforms`.
const PLATFORMS: [&str; 5] = [
    "x86_64-manylinux_2_28",
    "aarch64-manylinux_2_28",
    "macosx_14_0_arm64",
    "macosx_13_0_x86_64",
    "windows",
];

/// Scans each thing that is named; one that fails leaves the others to be scanned.
pub(crate) fn run(args: &ScanArgs) -> Result<Exit, CliError> {
    let session = WheelSession::open(&args.wheels)?;
    if args.overlap {
        return overlap::run(args, &session);
    }
    let mut exit = Exit::Done;
    for word in &args.what {
        if let Err(error) = scan(args, &session, word, &mut exit) {
            failed(args, word, &error, &mut exit);
        }
    }
    Ok(exit)
}

/// Scans what one word names. It may name several wheels, and each of them may fail.
fn scan(
    args: &ScanArgs,
    session: &WheelSession,
    word: &str,
    exit: &mut Exit,
) -> Result<(), CliError> {
    let limits = |local: bool| match (args.only, local) {
        (Some(Only::Numpy), _) => Limits::numpy_abi(),
        (None, true) => Limits::default(),
        (None, false) => Limits::remote(),
    };
    let wheels = match What::of(word)? {
        What::Wheel(path) => {
            tell_of(args, &wheel::scan_file(&path, &limits(true))?);
            return Ok(());
        }
        What::Folder(folder) => {
            for distribution in folder::distributions(&folder)? {
                match distribution.scan(&limits(true)) {
                    Ok(scanned) => tell_of(args, &scanned),
                    Err(error) => failed(args, &distribution.source(), &error, exit),
                }
            }
            return Ok(());
        }
        What::Url(wheel) => vec![wheel],
        What::Release(name, version) => {
            let targets = targets(args, session)?;
            wheel::of_release(session.registry()?, &name, &version, &targets)?
        }
    };
    let registry = session.registry()?;
    for wheel in wheels {
        let is_local = wheel.url.scheme() == "file";
        match wheel.scan(registry, &limits(is_local)) {
            Ok(scanned) => tell_of(args, &scanned),
            Err(error) => failed(args, &wheel.filename, &error, exit),
        }
    }
    Ok(())
}

fn targets(args: &ScanArgs, session: &WheelSession) -> Result<Vec<Target>, CliError> {
    if !args.all_platforms {
        return Ok(vec![session.target()?]);
    }
    let python = match &args.wheels.python_version {
        Some(python) => python.clone(),
        None => session.target()?.words().python,
    };
    PLATFORMS
        .iter()
        .map(|platform| session::declared(&python, platform))
        .collect()
}

fn tell_of(args: &ScanArgs, scanned: &Scanned) {
    match args.format {
        Format::Text => tell(&render::text(&scanned.findings)),
        Format::Json => tell_json(scanned),
    }
    if args.wheels.verbose > 0
        && let Some(moved) = scanned.moved
    {
        say(&format!("{}: {moved} bytes moved", scanned.findings.source));
    }
}

fn tell_json(value: &impl Serialize) {
    match serde_json::to_string(value) {
        Ok(line) => tell(&format!("{line}\n")),
        Err(error) => say(&format!("error: the findings cannot be written: {error}")),
    }
}

/// Tells of a failure, and remembers it for the exit code: a network's counts most.
fn failed(args: &ScanArgs, source: &str, error: &CliError, exit: &mut Exit) {
    #[derive(Serialize)]
    struct Failed<'a> {
        source: &'a str,
        error: String,
    }
    if error.exit == Exit::Network {
        *exit = Exit::Network;
    } else if *exit == Exit::Done {
        *exit = Exit::Usage;
    }
    let message = error.message();
    if args.format == Format::Json {
        tell_json(&Failed {
            source,
            error: message,
        });
    }
    error.print_about(source);
}
