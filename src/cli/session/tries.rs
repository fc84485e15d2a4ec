//! Beginning again where the cache lost what it had.
//!
//! Another run may replace or remove a record while this one reads it, and what is damaged is
//! found where it is wanted, in the middle. The facts of such a run are of no use any more; a
//! further try asks anew for what is gone, and tells nothing that was told before.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use super::Session;
use crate::cli::args::ResolveArgs;
use crate::cli::error::CliError;
use crate::cli::recorded::Recorded;
use crate::fetch::cache::Cache;

/// So many tries may fail without one of them finding a damaged record that no earlier one has
/// found. As there are only so many records, there is an end to it.
const TRIES: usize = 8;

/// How often what was told.
type Counts = BTreeMap<String, usize>;

/// What the tries at one piece of work have told on standard error.
#[derive(Default)]
struct Told {
    /// At most in one of the earlier tries.
    before: Counts,
    /// In this one.
    now: Counts,
}

thread_local! {
    static TOLD: RefCell<Option<Told>> = const { RefCell::new(None) };
}

/// Whether it is to be told: a further try comes past the same notes as the one before it.
pub(in crate::cli) fn is_news(text: &str) -> bool {
    TOLD.with_borrow_mut(|told| {
        let Some(told) = told else {
            return true;
        };
        let times = told.now.entry(text.to_owned()).or_default();
        *times += 1;
        told.before.get(text).is_none_or(|before| *times > *before)
    })
}

/// Begins a try: what was told until now was told before.
fn begin() {
    TOLD.with_borrow_mut(|told| {
        let Told { mut before, now } = told.take().unwrap_or_default();
        for (text, times) in now {
            let most = before.entry(text).or_default();
            *most = times.max(*most);
        }
        let now = Counts::new();
        *told = Some(Told { before, now });
    });
}

/// One of several tries at the same work.
pub(crate) struct Try {
    /// The caches of the sessions that were opened.
    caches: Vec<Cache>,
    /// Whether standard input was read, which can be done once.
    took_input: bool,
}

impl Try {
    /// Opens a session.
    pub(crate) fn open(
        &mut self,
        args: &ResolveArgs,
        recorded: &Recorded,
    ) -> Result<Session, CliError> {
        let session = Session::open(args, recorded)?;
        self.took_input |= session.sources.contains("-");
        let edge = session.facts.edge();
        self.caches
            .extend(edge.map(|edge| edge.registry().cache().clone()));
        Ok(session)
    }
}

/// Works, again where that failed and the cache has lost something meanwhile.
pub(crate) fn steadily<T>(work: impl Fn(&mut Try) -> Result<T, CliError>) -> Result<T, CliError> {
    let done = try_often(work);
    TOLD.set(None);
    done
}

fn try_often<T>(work: impl Fn(&mut Try) -> Result<T, CliError>) -> Result<T, CliError> {
    let mut forgotten = BTreeSet::new();
    let mut vain = 0;
    loop {
        begin();
        let mut one = Try {
            caches: Vec::new(),
            took_input: false,
        };
        let done = work(&mut one);
        if done.is_ok() || one.took_input || !one.caches.iter().any(Cache::has_lost) {
            return done;
        }
        let known = forgotten.len();
        forgotten.extend(one.caches.iter().flat_map(Cache::forgotten));
        if forgotten.len() == known {
            vain += 1;
        }
        if vain >= TRIES {
            return done;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_further_try_tells_what_no_earlier_one_has_told() {
        let news = |texts: &[&'static str]| -> Vec<&str> {
            begin();
            let texts = texts.iter().copied();
            texts.filter(|text| is_news(text)).collect()
        };
        assert_eq!(news(&["a", "b", "b"]), ["a", "b", "b"]);
        assert_eq!(news(&["a", "c"]), ["c"]);
        assert_eq!(news(&["a", "b", "b", "b", "c", "d"]), ["b", "d"]);
        TOLD.set(None);
        assert!(is_news("a"));
    }
}
