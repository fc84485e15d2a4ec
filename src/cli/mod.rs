//! Arguments, commands, rendering, exit codes.
#![expect(
    clippy::disallowed_methods,
    reason = "this is the edge: it reads the disk, the environment and the clock"
)]

mod args;
mod error;
pub mod interpreter;
mod output;
mod when;

use std::process::ExitCode;

/// Prints on standard error.
#[expect(
    clippy::print_stderr,
    reason = "the one place that prints on standard error"
)]
fn say(text: &str) {
    eprintln!("{text}");
}

/// Runs the program and gives its exit code.
pub fn main() -> ExitCode {
    ExitCode::SUCCESS
}
