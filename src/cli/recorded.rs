//! What the lock that is there already says: its pins, its target.

use std::cell::OnceCell;
use std::collections::BTreeMap;

use pep508_rs::PackageName;

use super::error::{CliError, Exit};
use super::files::read_bounded;
use super::pip_words;
use super::session::is_pylock;
use crate::Target;
use crate::lock::{Lock, ReadRequirements, Writer, read_pylock, read_requirements};
use crate::metadata::Dependency;
use crate::request::Pin;

/// What the lock that is there already says.
#[derive(Debug, Clone, Default)]
pub(crate) struct Recorded {
    /// Read when they are first asked for.
    pins: OnceCell<BTreeMap<PackageName, Pin>>,
    pub(crate) target: Option<Target>,
    /// The cut-off that it was made with.
    pub(crate) exclude_newer: Option<String>,
    /// The command that its header names.
    command: String,
    /// Its path, where there is one.
    pub(crate) path: String,
    /// The program that wrote it.
    pub(crate) writer: Writer,
    /// Its text, where there is one.
    pub(crate) text: Option<String>,
}

impl Recorded {
    /// No lock, but the target that one would have.
    pub(crate) fn for_target(target: Target) -> Self {
        Self {
            target: Some(target),
            ..Self::default()
        }
    }

    /// Its pins.
    pub(crate) fn pins(&self) -> &BTreeMap<PackageName, Pin> {
        let text = self.text.as_deref().unwrap_or_default();
        self.pins
            .get_or_init(|| read_requirements(text).lock.pins())
    }

    /// The value of an option in the command that the lock's header names.
    pub(crate) fn option_of_command(&self, option: &str) -> Option<String> {
        self.options_of_command(option).into_iter().next()
    }

    /// All values of an option in the command that the lock's header names.
    pub(crate) fn options_of_command(&self, option: &str) -> Vec<String> {
        let given = format!("--{option}=");
        self.words_of_command()
            .iter()
            .filter_map(|word| word.strip_prefix(&given))
            .map(str::to_owned)
            .collect()
    }

    /// The words of the command that the lock's header names; none where another command than
    /// this program's stands there.
    pub(crate) fn words_of_command(&self) -> Vec<String> {
        if !self.command.contains("mlresolve lock") {
            return Vec::new();
        }
        pip_words::split(&self.command).unwrap_or_default()
    }
}

/// Reads the lock at a path; nothing where there is none.
pub(crate) fn read(path: &str) -> Result<Recorded, CliError> {
    read_if(path, |_| Ok(()))
}

/// Reads the lock at a path that is to be replaced, and refuses what is neither a lock nor a
/// list of requirements: a README, a script.
pub(crate) fn to_replace(path: &str) -> Result<Recorded, CliError> {
    read_if(path, |read| refuse_other(path, read))
}

fn read_if(
    path: &str,
    suits: impl FnOnce(&ReadRequirements) -> Result<(), CliError>,
) -> Result<Recorded, CliError> {
    // A pipe or a device holds no lock to be read: to read one may never end.
    if std::fs::metadata(path).is_ok_and(|known| !known.is_file() && !known.is_dir()) {
        return Ok(Recorded::default());
    }
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Ok(Recorded::default());
        }
        Err(error) => {
            return Err(CliError::usage(format!("cannot read `{path}`: {error}"))
                .hint("name another file with `-o`"));
        }
    };
    let text = String::from_utf8(bytes).map_err(|_| {
        CliError::usage(format!("`{path}` is not UTF-8 text"))
            .hint("name another file with `-o`, or remove this one")
    })?;
    if is_pylock(path) && text.trim().is_empty() {
        return Ok(Recorded::default());
    }
    let (lock, writer, pins) = if is_pylock(path) {
        let lock = pylock(&text, path)?;
        let pins = OnceCell::from(lock.pins());
        (lock, Writer::Unknown, pins)
    } else {
        let head = read_requirements(head(&text));
        if head.writer == Writer::Mlresolve {
            (head.lock, head.writer, OnceCell::new())
        } else {
            let read = read_requirements(&text);
            suits(&read)?;
            let pins = OnceCell::from(read.lock.pins());
            (read.lock, read.writer, pins)
        }
    };
    Ok(Recorded {
        pins,
        target: lock.target.words().and_then(|words| words.target().ok()),
        exclude_newer: lock.provenance.exclude_newer.clone(),
        command: lock.provenance.command.clone(),
        path: path.to_owned(),
        writer,
        text: Some(text),
    })
}

/// The comments at its beginning, where a lock says what it is.
fn head(text: &str) -> &str {
    let is_head = |line: &&str| line.starts_with('#') || line.trim().is_empty();
    let lines = text.split_inclusive('\n').take_while(is_head);
    let length = lines.map(str::len).sum();
    text.get(..length).unwrap_or_default()
}

fn pylock(text: &str, path: &str) -> Result<Lock, CliError> {
    read_pylock(text, path).map_err(|error| CliError::diagnostic(Exit::Usage, error))
}

fn refuse_other(path: &str, read: &ReadRequirements) -> Result<(), CliError> {
    match no_lock(path, read) {
        None => Ok(()),
        Some(error) => Err(error.hint("name another file with `-o`, or remove this one")),
    }
}

/// What shows that a file is neither a lock nor a list of requirements.
fn no_lock(path: &str, read: &ReadRequirements) -> Option<CliError> {
    if read.writer != Writer::Unknown || !read.lock.packages.is_empty() {
        return None;
    }
    let is_other = |text: &str| !text.starts_with('-') && Dependency::parse(text).is_err();
    let line = read.unread.iter().find(|line| is_other(&line.text))?;
    Some(CliError::usage(format!(
        "`{path}` is there and is no lock: line {} is `{}`",
        line.line,
        line.text.chars().take(LINE_SHOWN).collect::<String>()
    )))
}

/// How much of a line a message repeats, in characters.
const LINE_SHOWN: usize = 60;

/// Reads a lock that must be there; from a pipe too. What it is its content tells, since locks
/// get other names (`old.lock`, `/dev/fd/63`).
pub(crate) fn lock(path: &str) -> Result<Lock, CliError> {
    const HINT: &str = "name a lock: a requirements.txt or a pylock.toml";
    let bytes = read_bounded(path)
        .map_err(|error| CliError::usage(format!("cannot read `{path}`: {error}")).hint(HINT))?;
    let text = String::from_utf8(bytes)
        .map_err(|_| CliError::usage(format!("`{path}` is not UTF-8 text")).hint(HINT))?;
    if is_pylock(path) || is_written_as_pylock(&text) {
        return pylock(&text, path);
    }
    let read = read_requirements(&text);
    if let Some(error) = no_lock(path, &read) {
        return Err(error.hint(HINT));
    }
    Ok(read.lock)
}

/// Whether a text begins as a lock of PEP 751 does: with its version.
fn is_written_as_pylock(text: &str) -> bool {
    let said = |line: &&str| !line.trim().is_empty() && !line.trim_start().starts_with('#');
    let first = text.lines().find(said);
    first.is_some_and(|line| line.trim_start().starts_with("lock-version"))
}
