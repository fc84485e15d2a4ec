//! Which build of the program this is.

use std::sync::OnceLock;
use std::time::SystemTime;

/// What tells this build of the program from others.
pub(crate) type Program = (&'static str, u64, SystemTime);

/// The program and its rules, as the file that they are in: one that was built anew may answer
/// otherwise. Where files have no times of their own, as in a store of packages, the version tells.
pub(crate) fn program() -> Option<Program> {
    static PROGRAM: OnceLock<Option<Program>> = OnceLock::new();
    let of_file = || {
        let file = std::env::current_exe().ok()?.metadata().ok()?;
        Some((env!("CARGO_PKG_VERSION"), file.len(), file.modified().ok()?))
    };
    *PROGRAM.get_or_init(of_file)
}
