//! Remembering what an interpreter said, for as long as neither it nor its system changes.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::InterpreterError;
use super::query::{Interpreter, SCRIPT};

/// The version of the records; one of another version is not read.
const VERSION: u32 = 1;

/// Files that change when the C library or the system is upgraded, which an interpreter's
/// answer depends on while its own file stays as it is.
const SYSTEM_FILES: &[&str] = &[
    "/etc/ld.so.cache",
    "/proc/sys/kernel/osrelease",
    "/proc/sys/kernel/version",
    "/System/Library/CoreServices/SystemVersion.plist",
];

/// A private record: an answer, and what must be unchanged for it to hold.
#[derive(Serialize, Deserialize)]
struct Record {
    version: u32,
    stamps: Vec<Stamp>,
    interpreter: Interpreter,
}

/// What tells one state of a file from another.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Stamp {
    path: PathBuf,
    /// Size in bytes and time of change in nanoseconds since 1970, where the file exists.
    state: Option<(u64, u128)>,
    /// The text of a file that the kernel makes up; its size and time say nothing.
    text: Option<String>,
}

/// The answer remembered in the folder, or else the one that `query` gives, remembered then.
///
/// A cache that cannot be read or written changes nothing but the time it takes.
pub(super) fn remembered(
    folder: &Path,
    executable: &Path,
    query: impl FnOnce() -> Result<Interpreter, InterpreterError>,
) -> Result<Interpreter, InterpreterError> {
    let executable = std::path::absolute(executable).unwrap_or_else(|_| executable.to_owned());
    let folder = folder.join("interpreters");
    let file = folder.join(format!("{}.json", key(&executable)));
    // Taken before the query: a change in between makes the record useless, not wrong.
    let stamps = stamps(&executable);
    if let Some(interpreter) = read(&file, &stamps) {
        return Ok(interpreter);
    }
    let interpreter = query()?;
    // A version manager's stand-in answers for whatever it runs today.
    let is_itself = matches!(
        (fs::canonicalize(&executable), fs::canonicalize(&interpreter.executable)),
        (Ok(asked), Ok(answered)) if asked == answered
    );
    if !is_itself {
        return Ok(interpreter);
    }
    let record = Record {
        version: VERSION,
        stamps,
        interpreter,
    };
    if let Err(error) = write(&folder, &file, &record) {
        log::debug!(
            "cannot remember an interpreter in `{}`: {error}",
            file.display()
        );
    }
    Ok(record.interpreter)
}

/// The record's name: of the path, and of what is asked.
fn key(executable: &Path) -> String {
    let digest = Sha256::new()
        .chain_update(SCRIPT)
        .chain_update([0])
        .chain_update(executable.as_os_str().as_encoded_bytes())
        .finalize();
    digest
        .iter()
        .take(16)
        .fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

fn read(file: &Path, stamps: &[Stamp]) -> Option<Interpreter> {
    let record: Record = serde_json::from_slice(&fs::read(file).ok()?).ok()?;
    (record.version == VERSION && record.stamps == stamps).then_some(record.interpreter)
}

/// Written beside its place and moved there, so that no reader sees half a record.
fn write(folder: &Path, file: &Path, record: &Record) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let mut temporary = tempfile::NamedTempFile::new_in(folder)?;
    temporary.write_all(&serde_json::to_vec(record)?)?;
    temporary.persist(file)?;
    Ok(())
}

fn stamps(executable: &Path) -> Vec<Stamp> {
    // A virtual environment made anew for another Python may keep its links.
    let settings = executable
        .parent()
        .and_then(Path::parent)
        .map(|prefix| prefix.join("pyvenv.cfg"));
    [executable.to_owned()]
        .into_iter()
        .chain(settings)
        .chain(SYSTEM_FILES.iter().map(PathBuf::from))
        .map(stamp)
        .collect()
}

fn stamp(path: PathBuf) -> Stamp {
    if path.starts_with("/proc") {
        return Stamp {
            text: fs::read_to_string(&path).ok(),
            state: None,
            path,
        };
    }
    // Follows links: the interpreter of a virtual environment is one.
    let state = fs::metadata(&path).ok().map(|metadata| {
        let changed = metadata
            .modified()
            .ok()
            .and_then(|time| time.duration_since(UNIX_EPOCH).ok())
            .map_or(0, |time| time.as_nanos());
        (metadata.len(), changed)
    });
    Stamp {
        path,
        state,
        text: None,
    }
}
