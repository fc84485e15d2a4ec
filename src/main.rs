//! The `mlresolve` program: parse, run, exit code; nothing else.

fn main() -> std::process::ExitCode {
    mlresolve::cli::main()
}
