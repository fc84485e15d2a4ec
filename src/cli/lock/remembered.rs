//! What earlier runs answered. A lock is a function of the question and of the pages that it
//! was made from; where neither has changed, the answer has not.
//!
//! Everything that could change a byte of the answer is in the question, or is a page or the
//! files of a folder with links, which are looked up again. Where that cannot be said of a run,
//! its answer is not kept: where it was made from an index that is a folder, a build, a direct
//! reference, a base, a document about wheel variants, or a file on a page that gives no hash.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{Opened, Writing};
use crate::cli::args::LockArgs;
use crate::cli::program::program;
use crate::cli::session::Session;
use crate::fetch::AllSeen;
use crate::fetch::cache::RecordKind;
use crate::fetch::edge::Edge;
use crate::fetch::registry::{IsNoted, Registry};
use crate::request::Request;

/// So many answers are kept at most; one that falls on the same place replaces the older.
const PLACES: u8 = 64;

/// What a run gives: what the user is told, and the lock.
pub(in crate::cli) struct Answer {
    pub(super) told: Vec<String>,
    pub(super) text: String,
}

/// All that an answer follows from, beside the pages.
pub(super) struct Question {
    digest: [u8; 32],
    /// Answers are not to be taken from earlier runs.
    ask_again: bool,
}

impl Question {
    /// The question that a lock answers; `None` where an answer would not be kept.
    pub(super) fn of(opened: &Opened, writing: &Writing) -> Option<Self> {
        let Opened {
            given: _,
            args,
            to,
            recorded,
            session,
            freed: _,
            from_settings: _,
        } = opened;
        session.facts.edge()?;
        let resolve = &args.resolve;
        if resolve.verbose > 0 || resolve.no_cache || !session.request.base.packages.is_empty() {
            return None;
        }
        // It is hashed at once: it comes in words of a few bytes.
        let mut said = String::new();
        // A buffer in memory takes everything.
        let _ = write!(said, "{:?}", program()?);
        let _ = write!(said, "{to:?}{writing:?}{:?}", as_to_the_answer(args));
        let _ = write!(said, "{:?}{:?}", recorded.path, recorded.text.is_some());
        session.say_all(&mut said)?;
        Some(Self {
            digest: Sha256::new()
                .chain_update(said)
                .chain_update(Sha256::digest(recorded.text.as_deref().unwrap_or_default()))
                .finalize()
                .into(),
            ask_again: resolve.refresh || args.solve_anew,
        })
    }

    /// Gives the answer of an earlier run, what the user is told and the lock, where all that it
    /// was made from is as it was.
    pub(super) fn answered<T>(
        &self,
        session: &Session,
        give: impl FnOnce(&[&str], &str) -> T,
    ) -> Option<T> {
        if self.ask_again {
            return None;
        }
        let registry = session.facts.edge()?.registry();
        let record = registry.cache().read(RecordKind::Answer, &self.place())?;
        let mut kept = Kept::read(&record).filter(|kept| kept.question == self.digest)?;
        let is_noted = registry.still_holds(&mut kept.seen)?;
        let given = give(&kept.told, kept.text);
        if is_noted == IsNoted(false) {
            self.write(registry, &kept);
        }
        // To give it back takes longer than the process has left.
        std::mem::forget(kept);
        std::mem::forget(record);
        Some(given)
    }

    /// Keeps the answer for later runs, where it may be kept.
    pub(super) fn keep(&self, session: &Session, answer: &Answer) {
        let Some(registry) = session.facts.edge().map(Edge::registry) else {
            return;
        };
        let Some(seen) = registry.seen() else {
            return;
        };
        let kept = Kept {
            question: self.digest,
            seen,
            told: answer.told.iter().map(String::as_str).collect(),
            text: &answer.text,
        };
        self.write(registry, &kept);
    }

    fn write(&self, registry: &Registry, kept: &Kept<'_>) {
        if let Ok(content) = postcard::to_stdvec(kept) {
            let place = self.place();
            registry.cache().write(RecordKind::Answer, &place, &content);
        }
    }

    fn place(&self) -> String {
        let [first, ..] = self.digest;
        format!("{:02x}", first % PLACES)
    }
}

/// A record of the cache.
#[derive(Serialize, Deserialize)]
struct Kept<'r> {
    question: [u8; 32],
    #[serde(borrow)]
    seen: AllSeen<'r>,
    #[serde(borrow)]
    told: Vec<&'r str>,
    text: &'r str,
}

impl<'r> Kept<'r> {
    fn read(record: &'r [u8]) -> Option<Self> {
        postcard::from_bytes(record).ok()
    }
}

/// The arguments without those that only say what is done with the answer.
fn as_to_the_answer(args: &LockArgs) -> LockArgs {
    let mut args = args.clone();
    args.check = false;
    args.dry_run = false;
    args.solve_anew = false;
    args.resolve.refresh = false;
    // What could not be had offline is never part of an answer that is kept.
    args.resolve.offline = false;
    args
}

impl Session {
    /// Says all that a solve and its lock are made from, beside facts; `None` where that
    /// cannot be said.
    fn say_all(&self, said: &mut String) -> Option<()> {
        // Nothing is passed over unseen: a further field has to be thought of here.
        let Self {
            request,
            target,
            all_rules: _,
            rules: _,
            own_rules,
            ignored,
            facts: _,
            inputs,
            read,
            sources,
            places,
            base_folders: _,
            suits: _,
        } = self;
        let Request {
            requirements,
            constraints,
            overrides,
            // They are those of the lock that is there.
            pins: _,
            base: _,
            policy,
        } = request;
        let words = (target.words(), &target.markers, &target.accelerator);
        write!(said, "{requirements:?}{constraints:?}{overrides:?}").ok()?;
        write!(said, "{policy:?}{words:?}{own_rules:?}{ignored:?}").ok()?;
        write!(said, "{inputs:?}{read:?}{sources:?}{places:?}").ok()
    }
}
