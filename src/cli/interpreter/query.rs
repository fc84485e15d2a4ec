//! Asking an interpreter what it is.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncReadExt};

use super::InterpreterError;
use crate::target::{InterpreterFacts, Target};

/// How long an interpreter may take to answer, unless said otherwise.
pub const TIMEOUT: Duration = Duration::from_secs(20);

/// What is run in the interpreter.
pub(super) const SCRIPT: &str = include_str!("facts.py");
/// What precedes the answer on its line.
const MARK: &str = "mlresolve-interpreter:";
/// Far more than an answer has, in bytes.
const GREATEST_ANSWER: u64 = 1 << 20;
/// How many lines of standard error a message repeats.
const LINES_SHOWN: usize = 5;

/// What an interpreter says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interpreter {
    /// Its path, as it knows it.
    pub executable: PathBuf,
    /// Where it keeps distributions without binaries.
    pub purelib: PathBuf,
    /// Where it keeps distributions with binaries; mostly the same folder.
    pub platlib: PathBuf,
    /// All folders with installed distributions that it sees, `purelib` and `platlib` first.
    pub site_packages: Vec<PathBuf>,
    /// What a target is made of.
    pub facts: InterpreterFacts,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Answer {
    TooOld(String),
    Interpreter(Box<Interpreter>),
}

impl Interpreter {
    /// The target that it is.
    pub fn target(&self) -> Result<Target, InterpreterError> {
        Target::from_interpreter(self.facts.clone()).map_err(|source| InterpreterError::Target {
            executable: self.executable.clone(),
            source,
        })
    }
}

/// Runs the interpreter once, isolated from the user's settings, and reads its answer.
pub fn query(executable: &Path, timeout: Duration) -> Result<Interpreter, InterpreterError> {
    let executable = std::path::absolute(executable).unwrap_or_else(|_| executable.to_owned());
    let failure = |source: io::Error| InterpreterError::Start {
        executable: executable.clone(),
        source,
    };
    let ran = on_own_thread(&executable, timeout).map_err(failure)?;
    let Some((status, stdout, stderr)) = ran else {
        return Err(InterpreterError::TimedOut {
            executable,
            seconds: timeout.as_secs(),
        });
    };
    let answer = stdout
        .lines()
        .rev()
        .find_map(|line| line.strip_prefix(MARK));
    let not_python = |detail: String| {
        Err(InterpreterError::NotPython {
            executable: executable.clone(),
            detail,
        })
    };
    match answer.map(serde_json::from_str::<Answer>) {
        Some(Ok(Answer::Interpreter(interpreter))) => Ok(*interpreter),
        Some(Ok(Answer::TooOld(version))) => Err(InterpreterError::TooOld {
            executable,
            version,
        }),
        Some(Err(error)) => not_python(format!("its answer cannot be understood: {error}")),
        // Python 2 does not know isolated mode.
        None if stderr.contains("Unknown option: -I") => Err(InterpreterError::TooOld {
            executable,
            version: String::from("2"),
        }),
        None if status.success() => not_python(String::from("it ran, but gave no answer")),
        None => Err(InterpreterError::Failed {
            executable,
            status: status.to_string(),
            stderr: last_lines(&stderr),
        }),
    }
}

fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text.trim_end().lines().collect();
    let from = lines.len().saturating_sub(LINES_SHOWN);
    lines.get(from..).unwrap_or_default().join("\n")
}

type Ran = (ExitStatus, String, String);

/// The run has a thread, since a runtime cannot be started on one that already has another.
fn on_own_thread(executable: &Path, timeout: Duration) -> io::Result<Option<Ran>> {
    std::thread::scope(|scope| {
        let run = || {
            tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?
                .block_on(async { tokio::time::timeout(timeout, run(executable)).await })
                .map_or(Ok(None), |ran| ran.map(Some))
        };
        scope
            .spawn(run)
            .join()
            .unwrap_or_else(|_| Err(io::Error::other("the thread that waits for it ended early")))
    })
}

async fn run(executable: &Path) -> io::Result<Ran> {
    let mut child = tokio::process::Command::new(executable)
        .args(["-I", "-c", SCRIPT])
        // Without this, an older build would be told that macOS 11 and later are 10.16.
        .env("SYSTEM_VERSION_COMPAT", "0")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let (stdout, stderr) = tokio::join!(read(child.stdout.take()), read(child.stderr.take()));
    Ok((child.wait().await?, stdout?, stderr?))
}

async fn read(stream: Option<impl AsyncRead + Unpin>) -> io::Result<String> {
    let mut bytes = Vec::new();
    if let Some(stream) = stream {
        stream.take(GREATEST_ANSWER).read_to_end(&mut bytes).await?;
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
