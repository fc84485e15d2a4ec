//! What an answer was made from: the pages that were looked at, so that a later run can tell
//! whether it would see the same.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use pep508_rs::PackageName;
use serde::{Deserialize, Serialize};

use super::find_links::SeenPlace;
use super::tasks::lock;

/// A page that was looked at, and what was there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SeenPage {
    /// The distribution.
    pub(super) name: PackageName,
    /// The key of the cache's record.
    pub(super) key: String,
    /// The page's address, without credentials.
    pub(super) url: String,
    /// The sha256 of the page's body as it came; `None` where the index had no such page.
    pub(super) body: Option<[u8; 32]>,
}

/// All that an answer was made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AllSeen {
    /// The pages of distributions, sorted by the keys of their records.
    pub(super) pages: Vec<SeenPage>,
    /// What the places with links have of the same distributions, in the user's order.
    pub(super) places: Vec<SeenPlace>,
}

/// What one run has seen.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// By the key of the cache's record: those that were only guessed at too.
    pages: Mutex<BTreeMap<String, SeenPage>>,
    /// The distributions whose pages were given to the solver.
    given: Mutex<BTreeSet<PackageName>>,
    /// Whether something was given that no page's body stands for.
    unsettled: AtomicBool,
}

impl Seen {
    /// A page came, from the cache or from its index.
    pub(super) fn saw(&self, page: SeenPage) {
        lock(&self.pages).insert(page.key.clone(), page);
    }

    /// The solver was given what is said of the distribution.
    pub(super) fn gave(&self, name: &PackageName) {
        let mut given = lock(&self.given);
        if !given.contains(name) {
            given.insert(name.clone());
        }
    }

    /// Something was given that a later run may see otherwise, with the same pages.
    pub(super) fn unsettle(&self) {
        self.unsettled.store(true, Ordering::Relaxed);
    }

    /// The pages that the solver was given, sorted by key; `None` where they are not all that
    /// the answer was made from.
    ///
    /// Metadata of wheels and static metadata of source distributions are not among them: a
    /// page states the hashes of its files, and what is in a file does not change.
    pub(super) fn settled(&self) -> Option<Vec<SeenPage>> {
        if self.unsettled.load(Ordering::Relaxed) {
            return None;
        }
        let given = lock(&self.given);
        let pages = lock(&self.pages);
        let seen: Vec<SeenPage> = pages
            .values()
            .filter(|page| given.contains(&page.name))
            .cloned()
            .collect();
        let names: BTreeSet<&PackageName> = seen.iter().map(|page| &page.name).collect();
        let all = given.iter().all(|name| names.contains(name));
        drop(given);
        all.then_some(seen)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(name: &str) -> SeenPage {
        SeenPage {
            name: name.parse().expect("a name"),
            key: format!("index/{name}"),
            url: format!("https://index.example/simple/{name}/"),
            body: None,
        }
    }

    #[test]
    fn what_was_only_guessed_at_does_not_count() {
        let seen = Seen::default();
        seen.saw(page("numpy"));
        seen.saw(page("guessed"));
        seen.gave(&page("numpy").name);
        assert_eq!(seen.settled(), Some(vec![page("numpy")]));
    }

    #[test]
    fn what_no_page_stands_for_settles_nothing() {
        let seen = Seen::default();
        seen.gave(&page("from-a-folder").name);
        assert_eq!(seen.settled(), None, "it has no page");
        let seen = Seen::default();
        seen.saw(page("numpy"));
        seen.gave(&page("numpy").name);
        seen.unsettle();
        assert_eq!(seen.settled(), None);
    }
}
