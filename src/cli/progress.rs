//! The live progress line: what is resolved, fetched and waited for.

use std::io::IsTerminal as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::fetch::Progress;

/// How often the line is drawn anew.
const TICK: Duration = Duration::from_millis(100);

/// The line; it goes when this is dropped.
pub(crate) struct Shown {
    done: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

/// Shows a progress line on standard error where that is a terminal; nothing when piped.
pub(crate) fn show(progress: &Arc<Progress>) -> Shown {
    let done = Arc::new(AtomicBool::new(false));
    if !std::io::stderr().is_terminal() {
        return Shown { done, thread: None };
    }
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template("{msg}") {
        bar.set_style(style);
    }
    let (progress, ended) = (Arc::clone(progress), Arc::clone(&done));
    let thread = std::thread::spawn(move || {
        while !ended.load(Ordering::Relaxed) {
            let counts = progress.counts();
            let waiting = progress
                .waiting_for()
                .map_or_else(String::new, |what| format!(", waiting for {what}"));
            bar.set_message(format!(
                "resolved {}, fetched {}, in flight {}{waiting}",
                counts.resolved, counts.fetched, counts.waiting
            ));
            bar.tick();
            std::thread::park_timeout(TICK);
        }
        bar.finish_and_clear();
    });
    Shown {
        done,
        thread: Some(thread),
    }
}

/// Says that something is about to be built, whether a terminal looks on or not: it may take
/// minutes.
pub(crate) fn building(what: &str) {
    // The progress line stands where this is written, and is drawn again below.
    let is_shown = std::io::stderr().is_terminal();
    let clear = if is_shown { "\r\x1b[2K" } else { "" };
    super::say(&format!(
        "{clear}note: building {what} to learn what it requires (`--no-build` refuses)"
    ));
}

impl Drop for Shown {
    fn drop(&mut self) {
        self.done.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // The thread only draws: how it ended changes nothing.
            let _ = thread.join();
        }
    }
}
