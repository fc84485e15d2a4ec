//! Which build of the program this is.

use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::SystemTime;

/// What tells this build of the program from others.
#[derive(Debug)]
#[expect(dead_code, reason = "its fields are written out as a whole")]
pub(crate) struct Program {
    version: &'static str,
    /// A digest of the rules and of the metadata pack that it brings.
    data: &'static str,
    file: PathBuf,
    length: u64,
    modified: SystemTime,
}

/// The program, its rules and its pack, and the file that they are in: one that was built anew
/// may answer otherwise. Where files have no times of their own, as in a store of packages, the
/// version and the place tell.
pub(crate) fn program() -> Option<&'static Program> {
    static PROGRAM: OnceLock<Option<Program>> = OnceLock::new();
    let of_file = || {
        let file = std::env::current_exe().ok()?;
        let about = file.metadata().ok()?;
        Some(Program {
            version: env!("CARGO_PKG_VERSION"),
            data: env!("MLRESOLVE_DATA"),
            length: about.len(),
            modified: about.modified().ok()?,
            file,
        })
    };
    PROGRAM.get_or_init(of_file).as_ref()
}
