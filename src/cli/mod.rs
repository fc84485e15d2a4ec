//! Arguments, commands, rendering, exit codes.

#![expect(
    clippy::disallowed_methods,
    reason = "the edge reads files, the environment and the clock, and starts processes"
)]

pub mod interpreter;

use std::process::ExitCode;

/// Runs the program and gives its exit code.
pub fn main() -> ExitCode {
    ExitCode::SUCCESS
}
