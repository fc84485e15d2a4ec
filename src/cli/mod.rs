//! Arguments, commands, rendering, exit codes.

use std::process::ExitCode;

/// Runs the program and gives its exit code.
pub fn main() -> ExitCode {
    ExitCode::SUCCESS
}
