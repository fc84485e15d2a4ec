//! Other programs: run to an end or a time limit, their output kept in a file.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// How much of a program's output is read back as text: its end.
const TAIL: u64 = 256 * 1024;

/// The longest pause between two looks at a running program.
const LONGEST_PAUSE: Duration = Duration::from_millis(50);

/// How a program ended, and what it said.
pub(crate) struct Finished {
    /// How it ended; `None` when it was stopped at the time limit.
    pub(crate) status: Option<ExitStatus>,
    stdout: File,
    stderr: File,
}

impl Finished {
    /// The end of standard output.
    pub(crate) fn stdout(&mut self) -> String {
        tail(&mut self.stdout).unwrap_or_default()
    }

    /// The end of standard error.
    pub(crate) fn stderr(&mut self) -> String {
        tail(&mut self.stderr).unwrap_or_default()
    }

    /// Standard output as it is; `None` if it is larger than `largest` bytes.
    pub(crate) fn bytes(&mut self, largest: u64) -> io::Result<Option<Vec<u8>>> {
        self.stdout.rewind()?;
        let mut bytes = Vec::new();
        let mut bounded = (&self.stdout).take(largest.saturating_add(1));
        bounded.read_to_end(&mut bytes)?;
        Ok((bytes.len() as u64 <= largest).then_some(bytes))
    }

    /// Whether it ended by itself and said that all went well.
    pub(crate) fn succeeded(&self) -> bool {
        self.status.is_some_and(|status| status.success())
    }
}

/// Runs a program with no standard input. Its output goes to files, so that a descendant
/// that outlives it cannot hold a pipe open and us with it.
pub(crate) fn run(command: &mut Command, limit: Duration) -> io::Result<Finished> {
    let (stdout, stderr) = (tempfile::tempfile()?, tempfile::tempfile()?);
    let mut child = command
        .stdin(Stdio::null())
        .stdout(stdout.try_clone()?)
        .stderr(stderr.try_clone()?)
        .spawn()?;
    let status = wait(&mut child, limit)?;
    if status.is_none() {
        stop_with_descendants(&mut child);
    }
    Ok(Finished {
        status,
        stdout,
        stderr,
    })
}

fn wait(child: &mut Child, limit: Duration) -> io::Result<Option<ExitStatus>> {
    let start = Instant::now();
    let mut pause = Duration::from_millis(1);
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        let Some(left) = limit.checked_sub(start.elapsed()) else {
            return Ok(None);
        };
        thread::sleep(pause.min(left));
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Stops a program and what it started.
///
/// It shares our process group, so that Ctrl-C reaches all of it; hence the descendants
/// are looked up one by one. Whatever cannot be found or stopped is left.
fn stop_with_descendants(child: &mut Child) {
    let id = child.id();
    let stopped = if cfg!(windows) {
        let id = id.to_string();
        quiet(Command::new("taskkill").args(["/T", "/F", "/PID", &id]))
    } else {
        let mut family = descendants(id);
        family.push(id);
        let ids = family.iter().map(u32::to_string);
        quiet(Command::new("kill").arg("-9").args(ids))
    };
    if let Err(error) = stopped {
        log::debug!("could not stop the descendants of process {id}: {error}");
    }
    // It may have ended meanwhile; then there is nothing to stop.
    let _ = child.kill();
    let _ = child.wait();
}

fn quiet(command: &mut Command) -> io::Result<ExitStatus> {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
}

/// The descendants of a process, by `ps`.
fn descendants(id: u32) -> Vec<u32> {
    let listed = Command::new("ps")
        .args(["-A", "-o", "pid=", "-o", "ppid="])
        .output();
    let Ok(listed) = listed else {
        return Vec::new();
    };
    let text = String::from_utf8_lossy(&listed.stdout);
    let pairs: Vec<(u32, u32)> = text
        .lines()
        .filter_map(|line| {
            let (pid, parent) = line.trim().split_once(char::is_whitespace)?;
            Some((pid.parse().ok()?, parent.trim().parse().ok()?))
        })
        .collect();
    family(id, &pairs)
}

/// The descendants of `id` in a list of `(process, parent)`.
fn family(id: u32, pairs: &[(u32, u32)]) -> Vec<u32> {
    let mut found = vec![id];
    let mut next = 0;
    while let Some(&parent) = found.get(next) {
        for &(pid, its_parent) in pairs {
            if its_parent == parent && !found.contains(&pid) {
                found.push(pid);
            }
        }
        next += 1;
    }
    found.split_off(1)
}

fn tail(file: &mut File) -> io::Result<String> {
    let size = file.seek(SeekFrom::End(0))?;
    file.seek(SeekFrom::Start(size.saturating_sub(TAIL)))?;
    let mut bytes = Vec::new();
    file.take(TAIL).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn finds_descendants_of_descendants_and_no_others() {
        let pairs = [(2, 1), (3, 2), (4, 3), (5, 1), (6, 4), (0, 0)];
        assert_eq!(family(3, &pairs), [4, 6]);
        assert_eq!(family(9, &pairs), [0_u32; 0]);
        assert_eq!(family(0, &pairs), [0_u32; 0]);
    }

    #[cfg(unix)]
    #[test]
    fn keeps_both_outputs_and_the_status() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo out; echo err >&2; exit 3"]);
        let mut finished = run(&mut command, Duration::from_mins(1)).unwrap();
        assert_eq!(finished.stdout(), "out\n");
        assert_eq!(finished.stderr(), "err\n");
        assert_eq!(finished.bytes(4).unwrap().unwrap(), b"out\n");
        assert_eq!(finished.bytes(3).unwrap(), None);
        assert_eq!(finished.status.unwrap().code(), Some(3));
        assert!(!finished.succeeded());
    }

    #[cfg(unix)]
    fn never_written(folder: &std::path::Path) -> std::path::PathBuf {
        let path = folder.join("never");
        assert!(
            Command::new("mkfifo")
                .arg(&path)
                .status()
                .unwrap()
                .success()
        );
        path
    }

    #[cfg(unix)]
    #[test]
    fn stops_at_the_limit() {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", "echo begun; read line < \"$1\"", "sh"]);
        command.arg(never_written(folder.path()));
        let finished = run(&mut command, Duration::from_millis(50)).unwrap();
        assert!(finished.status.is_none());
        assert!(!finished.succeeded());
    }

    #[cfg(unix)]
    #[test]
    fn stops_what_was_started_by_what_was_started() {
        let folder = tempfile::tempdir().unwrap();
        // The inner shell holds the pipe open for as long as it lives.
        let mut child = Command::new("sh")
            .args([
                "-c",
                "sh -c 'echo begun; read line < \"$0\"' \"$1\" & wait",
                "sh",
            ])
            .arg(never_written(folder.path()))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut output = child.stdout.take().unwrap();
        let mut begun = [0; 6];
        output.read_exact(&mut begun).unwrap();
        stop_with_descendants(&mut child);

        let (sender, receiver) = std::sync::mpsc::channel();
        thread::spawn(move || {
            let mut rest = Vec::new();
            sender.send(output.read_to_end(&mut rest).map(|_| rest))
        });
        let rest = receiver
            .recv_timeout(Duration::from_mins(1))
            .expect("nothing holds the pipe any more");
        assert_eq!(rest.unwrap(), b"");
    }
}
