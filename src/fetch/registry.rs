//! The facts, as the network, the disk and the cache have them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt, Shared};
use pep440_rs::VersionSpecifiers;
use pep508_rs::PackageName;

use super::auth::Auth;
use super::cache::Cache;
use super::client::Client;
use super::client_options::ClientOptions;
use super::find_links::{LinkPlace, SeenPlace};
use super::freshness::Refresh;
use super::guess::Guesses;
use super::indexes::{Index, IndexStrategy, Indexes};
use super::merged::{Linked, merged};
use super::pack::Pack;
use super::pack::walk::Walk;
use super::pages::{IsNewFile, Pages};
use super::prefetch::Prefetched;
use super::progress::Progress;
use super::seen::{AllSeen, SeenPage};
use super::tasks::{Pending, lock};
use super::threads::Threads;
use super::variants::Told;
use super::wheels::Wheels;
use crate::metadata::{File, FileId, FileKind, Metadata, Page};
use crate::request::{BuildPolicy, DirectUrl};
use crate::solve::{DirectFacts, FactError, Facts, Unusable};
use crate::variants::VariantsJson;

/// What a registry is made of.
#[derive(Debug)]
pub struct RegistryOptions {
    /// How the client behaves.
    pub client: ClientOptions,
    /// Credentials beside those of the indexes.
    pub auth: Auth,
    /// Where files are looked for.
    pub indexes: Indexes,
    /// What is kept between runs.
    pub cache: Cache,
    /// What comes with the program; without it, all metadata is asked for.
    pub pack: Option<Arc<Pack>>,
    /// What likely releases require, to ask for pages early; its metadata is no answer.
    pub likely: Option<Arc<Pack>>,
    /// Which fresh answers are asked for again.
    pub refresh: Refresh,
    /// What guesses are made from; without it, hints are not taken.
    pub guesses: Option<Guesses>,
}

/// Facts from indexes, through the cache. Its methods block; requests run on threads of its
/// own, so it must not be used on another runtime's threads. What the cache has is read on
/// the thread that asks, and none is started for it.
#[derive(Debug)]
pub struct Registry {
    world: Arc<World>,
}

/// An answer that several may wait for.
pub(super) enum Answer<T> {
    /// It was at hand.
    Ready(Result<Arc<T>, FactError>),
    /// It is being fetched.
    Coming(Coming<T>),
}

/// Of more than this part of the pages the cache has other files than were known: to look those up
/// costs more than to note them.
const NEW_FILES: usize = 8;

/// Whether what was seen notes the files that the cache has, but for a few.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IsNoted(pub bool);

type Coming<T> = Shared<BoxFuture<'static, Result<Arc<T>, FactError>>>;

impl<T> Clone for Answer<T> {
    fn clone(&self) -> Self {
        match self {
            Self::Ready(result) => Self::Ready(result.clone()),
            Self::Coming(answer) => Self::Coming(answer.clone()),
        }
    }
}

impl<T> Answer<T> {
    /// Waits for it.
    pub(super) async fn wait(self) -> Result<Arc<T>, FactError> {
        match self {
            Self::Ready(result) => result,
            Self::Coming(answer) => answer.await,
        }
    }
}

/// What the tasks share.
pub(super) struct World {
    pub(super) pages: Pages,
    pub(super) wheels: Wheels,
    pub(super) indexes: Indexes,
    pub(super) link_places: Vec<LinkPlace>,
    pub(super) guesses: Option<Guesses>,
    /// What likely releases require.
    pub(super) likely: Option<Arc<Pack>>,
    pub(super) progress: Arc<Progress>,
    pub(super) prefetched: Mutex<Prefetched>,
    pub(super) walk: Mutex<Walk>,
    threads: Threads,
    /// Whether something was not at hand in this run.
    cold: AtomicBool,
    working: Pending,
    known_pages: Mutex<BTreeMap<PackageName, Answer<Page>>>,
    /// By name and index: the pages of families' builds.
    known_builds: Mutex<BTreeMap<(PackageName, String), Answer<Page>>>,
    known_metadata: Mutex<BTreeMap<String, Answer<Metadata>>>,
    /// By the address of the first labelled wheel.
    known_variants: Mutex<BTreeMap<String, Answer<VariantsJson>>>,
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("World")
            .field("indexes", &self.indexes)
            .finish_non_exhaustive()
    }
}

impl Registry {
    /// A registry; nothing is asked yet.
    pub fn new(options: RegistryOptions) -> Self {
        let progress = Arc::new(Progress::default());
        let mut auth = options.auth;
        options.indexes.lend_credentials(&mut auth);
        let client = Client::new(options.client, auth, Arc::clone(&progress));
        let places = options.indexes.find_links.iter().cloned();
        let link_places = places.map(LinkPlace::new).collect();
        let world = World {
            pages: Pages {
                client: client.clone(),
                cache: options.cache.clone(),
                refresh: options.refresh,
                seen: Arc::default(),
            },
            wheels: Wheels {
                client,
                cache: options.cache,
                pack: options.pack,
            },
            indexes: options.indexes,
            link_places,
            guesses: options.guesses,
            likely: options.likely,
            progress,
            prefetched: Mutex::default(),
            walk: Mutex::default(),
            threads: Threads::default(),
            cold: AtomicBool::new(false),
            working: Pending::default(),
            known_pages: Mutex::default(),
            known_builds: Mutex::default(),
            known_metadata: Mutex::default(),
            known_variants: Mutex::default(),
        };
        Self {
            world: Arc::new(world),
        }
    }

    /// The client, to fetch other things with the same bounds and credentials.
    pub fn client(&self) -> &Client {
        &self.world.pages.client
    }

    /// The cache.
    pub fn cache(&self) -> &Cache {
        &self.world.pages.cache
    }

    /// The threads that drive the client's requests, for code that blocks.
    pub fn threads(&self) -> &Threads {
        &self.world.threads
    }

    /// The counters, to be shown while the solver runs.
    pub fn progress(&self) -> &Arc<Progress> {
        &self.world.progress
    }

    /// The pages that the solver's answer was made from; `None` where something else went into
    /// it that may be otherwise in a later run: an index that is a folder, what could not be had.
    pub fn seen(&self) -> Option<AllSeen<'static>> {
        let pages = self.world.pages.seen.settled()?;
        let places = self.places_seen(&pages)?;
        Some(AllSeen { pages, places })
    }

    /// What the places with links have of the distributions that pages are of.
    fn places_seen(&self, pages: &[SeenPage<'_>]) -> Option<Vec<SeenPlace>> {
        let places = &self.world.link_places;
        if places.is_empty() {
            return Some(Vec::new());
        }
        let names = pages.iter().map(|page| page.name.parse().ok());
        let names: BTreeSet<PackageName> = names.collect::<Option<_>>()?;
        let seen = places
            .iter()
            .map(|place| place.seen(&self.world.pages, names.iter()));
        seen.collect()
    }

    /// Whether the cache says, and this run may take it for the truth, that pages are what they
    /// were when they were seen; and whether what lies in folders is. If so, gives whether much
    /// of it had to be read: for that the cache has other files than were known, which are noted
    /// now, so that the next look is quicker.
    pub fn still_holds(&self, seen: &mut AllSeen<'_>) -> Option<IsNoted> {
        let mut new = 0;
        for page in &mut seen.pages {
            let IsNewFile(is_new) = self.world.pages.still_holds(page)?;
            new += usize::from(is_new);
        }
        let are_the_same = self.places_seen(&seen.pages)? == seen.places;
        are_the_same.then_some(IsNoted(new * NEW_FILES <= seen.pages.len()))
    }

    /// Whether a file without a hash is told apart from what it may be later.
    pub(super) fn vouches_for(&self, file: &File) -> bool {
        let mut places = self.world.link_places.iter();
        places.any(|place| place.vouches_for(file))
    }

    /// Something was given that a later run may see otherwise, with the same pages.
    pub(super) fn unsettle(&self) {
        self.world.pages.seen.unsettle();
    }

    /// Leaves what was learned to the system, which takes it back at once when the process
    /// ends: to give it back page by page takes longer than to read it.
    pub fn leave(&self) {
        let world = &self.world;
        std::mem::forget(std::mem::take(&mut *lock(&world.known_pages)));
        std::mem::forget(std::mem::take(&mut *lock(&world.known_builds)));
        std::mem::forget(std::mem::take(&mut *lock(&world.known_metadata)));
        std::mem::forget(std::mem::take(&mut *lock(&world.known_variants)));
    }

    /// Waits until everything is at hand that was begun to be fetched.
    #[cfg(test)]
    pub(super) fn wait_until_idle(&self) {
        self.world.working.wait(Duration::from_mins(1));
    }

    /// What the tasks share.
    pub(super) fn world(&self) -> &Arc<World> {
        &self.world
    }

    /// Waits for an answer, and tells who looks on what is waited for.
    pub(super) fn wait<T>(&self, what: &str, answer: Answer<T>) -> Result<Arc<T>, FactError> {
        let progress = &self.world.progress;
        let result = match answer {
            Answer::Ready(result) => result,
            Answer::Coming(answer) => {
                if let Some(result) = answer.peek() {
                    result.clone()
                } else {
                    let runtime = self.world.threads.handle()?;
                    progress.set_waiting_for(Some(what.to_owned()));
                    let result = runtime.block_on(answer);
                    progress.set_waiting_for(None);
                    result
                }
            }
        };
        progress.resolved();
        if matches!(result, Err(FactError::Failed { .. })) {
            self.unsettle();
        }
        result
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let cache = &self.world.pages.cache;
        cache.flush();
        cache.keep_bundle();
        if self.world.is_cold() {
            // A run that fetched something made the cache grow.
            cache.tidy();
        }
        // A folder for one run goes with the last that holds it, which no thread may outlive.
        let last_writes = cache.is_temporary().then_some(LAST_WRITES);
        self.world.threads.end(last_writes);
    }
}

/// How long a folder that is for one run waits for what is being written to it.
const LAST_WRITES: Duration = Duration::from_secs(5);

impl Facts for Registry {
    fn page(&self, name: &PackageName) -> Result<Arc<Page>, FactError> {
        let answer = self.world.page(name);
        self.world.look_ahead();
        self.world.pages.seen.gave(name);
        self.wait(name.as_ref(), answer)
    }

    fn page_at(&self, name: &PackageName, index: &str) -> Result<Arc<Page>, FactError> {
        self.world.pages.seen.gave(name);
        self.wait(name.as_ref(), self.world.page_at(name, index))
    }

    fn hint_at(&self, name: &PackageName, index: &str) {
        // It goes on by itself.
        drop(self.world.page_at(name, index));
    }

    fn metadata(
        &self,
        _page: &Page,
        file: &File,
        _build: BuildPolicy,
    ) -> Result<Arc<Metadata>, FactError> {
        if file.hashes.is_empty() && !self.vouches_for(file) {
            // Its page does not say what is in it.
            self.unsettle();
        }
        match self.world.metadata(file) {
            Some(answer) => self.wait(&file.filename, answer),
            None => Err(FactError::Unusable(Unusable::NeedsBuild)),
        }
    }

    fn variants(&self, page: &Page, wheels: &[&File]) -> Result<Arc<VariantsJson>, FactError> {
        // What a document says is not told by its page.
        self.unsettle();
        let what = format!("the wheel variants of {}", page.name);
        self.wait(&what, self.world.variants(page, wheels))
    }

    fn hint_variants(&self, page: &Page, wheels: &[&File]) {
        // It goes on by itself.
        drop(self.world.variants(page, wheels));
    }

    fn direct(&self, url: &DirectUrl) -> Result<Arc<DirectFacts>, FactError> {
        Err(FactError::Failed {
            message: format!(
                "`{}` is a direct reference, which cannot be read yet",
                url.given
            ),
            hint: None,
        })
    }

    fn hint(&self, name: &PackageName, range: &VersionSpecifiers) {
        self.world.hint(name, range);
    }

    fn hint_older(&self, page: &Page, older: &[FileId]) {
        self.world.hint_older(page, older);
    }
}

impl World {
    /// The distribution's page, asked for once.
    pub(super) fn page(self: &Arc<Self>, name: &PackageName) -> Answer<Page> {
        let mut known = lock(&self.known_pages);
        if let Some(answer) = known.get(name) {
            return answer.clone();
        }
        let answer = if let Some(result) = self.page_at_hand(name) {
            self.at_hand(result)
        } else {
            let (world, asked) = (Arc::clone(self), name.clone());
            self.begin(async move { world.load_page(&asked).await })
        };
        known.insert(name.clone(), answer.clone());
        answer
    }

    /// The distribution's page, where the cache has all that it is made of.
    fn page_at_hand(&self, name: &PackageName) -> Option<Result<Arc<Page>, FactError>> {
        let indexes = self.indexes.for_name(name);
        let mut found: Vec<Arc<Page>> = Vec::new();
        for index in &indexes {
            found.extend(self.pages.at_hand(index, name)?.page);
            if !found.is_empty() && self.indexes.strategy == IndexStrategy::First {
                break;
            }
        }
        let mut linked = Linked::default();
        for place in self.places_for(name) {
            match place.at_hand(&self.pages, name)? {
                Ok(files) => linked.extend(place, files),
                Err(error) => return Some(Err(error.into())),
            }
        }
        Some(self.page_of(name, &indexes, linked, found))
    }

    /// The places with links that count for a distribution: none where the user pinned it to an
    /// index.
    fn places_for(&self, name: &PackageName) -> &[LinkPlace] {
        if self.indexes.pins.contains_key(name) {
            return &[];
        }
        &self.link_places
    }

    /// One page of what was found.
    fn page_of(
        &self,
        name: &PackageName,
        indexes: &[&Index],
        linked: Linked,
        found: Vec<Arc<Page>>,
    ) -> Result<Arc<Page>, FactError> {
        let page = merged(name, linked.files, linked.from, found);
        let page = page.map_err(|error| FactError::unreadable(name, error))?;
        page.ok_or_else(|| {
            let indexes = indexes.iter().map(|index| index.url.to_string());
            let places = self.places_for(name).iter().map(LinkPlace::address);
            FactError::NotFound {
                name: name.clone(),
                asked: indexes.chain(places).collect(),
            }
        })
    }

    fn at_hand<T>(&self, result: Result<Arc<T>, FactError>) -> Answer<T> {
        self.progress.started();
        self.progress.finished();
        Answer::Ready(result)
    }

    /// Whether something was not at hand in this run, so that it pays to look ahead.
    pub(super) fn is_cold(&self) -> bool {
        self.cold.load(Ordering::Relaxed)
    }

    /// The distribution's page on one index, asked for once; on the index that the user
    /// pinned it to, where there is one.
    pub(super) fn page_at(self: &Arc<Self>, name: &PackageName, index: &str) -> Answer<Page> {
        let index = self.indexes.at(name, index);
        let address = index
            .as_ref()
            .map_or_else(|_| String::new(), |index| index.url.to_string());
        let mut known = lock(&self.known_builds);
        let key = (name.clone(), address);
        if let Some(answer) = known.get(&key) {
            return answer.clone();
        }
        let at_hand = index
            .as_ref()
            .ok()
            .and_then(|index| Some((index, self.pages.at_hand(index, name)?)));
        if let Some((index, kept)) = at_hand {
            let page = kept.page.ok_or_else(|| FactError::NotFound {
                asked: vec![index.url.to_string()],
                name: name.clone(),
            });
            let answer = self.at_hand(page);
            known.insert(key, answer.clone());
            return answer;
        }
        let (world, asked) = (Arc::clone(self), name.clone());
        let answer = self.begin(async move {
            let index = index?;
            world
                .pages
                .page(&index, &asked)
                .await?
                .ok_or_else(|| FactError::NotFound {
                    asked: vec![index.url.to_string()],
                    name: asked,
                })
        });
        known.insert(key, answer.clone());
        answer
    }

    /// The metadata of a wheel, asked for once; `None` for a source distribution.
    pub(super) fn metadata(self: &Arc<Self>, file: &File) -> Option<Answer<Metadata>> {
        let FileKind::Wheel(wheel) = &file.kind else {
            return None;
        };
        let mut known = lock(&self.known_metadata);
        if let Some(answer) = known.get(&file.url) {
            return Some(answer.clone());
        }
        let answer = if let Some(result) = self.wheels.at_hand(file, wheel) {
            self.at_hand(result)
        } else if let Some(metadata) = self.wheels.in_pack(file, wheel) {
            self.at_hand(Ok(metadata))
        } else {
            let (world, asked, wheel) = (Arc::clone(self), file.clone(), wheel.clone());
            self.begin(async move { world.wheels.metadata(&asked, &wheel).await })
        };
        known.insert(file.url.clone(), answer.clone());
        Some(answer)
    }

    /// What the labels of a release's wheels stand for, asked for once.
    fn variants(self: &Arc<Self>, page: &Page, wheels: &[&File]) -> Answer<VariantsJson> {
        let key = wheels
            .first()
            .map_or_else(String::new, |file| file.url.clone());
        let mut known = lock(&self.known_variants);
        if let Some(answer) = known.get(&key) {
            return answer.clone();
        }
        let version = wheels.first().map(|file| &file.version);
        let of_release = version.map_or_else(Vec::new, |version| page.files.of_version(version));
        let linked = of_release
            .into_iter()
            .find(|id| page.files.row(*id).is_some_and(|row| row.is_document()));
        let told = Told {
            linked: linked.and_then(|id| page.files.file(id).ok()),
            wheels: wheels.iter().map(|file| (*file).clone()).collect(),
        };
        let answer = if let Some(result) = self.wheels.variants_at_hand(&told) {
            self.at_hand(result)
        } else {
            let world = Arc::clone(self);
            self.begin(async move { world.wheels.variants(told).await })
        };
        known.insert(key, answer.clone());
        answer
    }

    /// Begins work on an answer; it goes on whether somebody waits for it or not.
    fn begin<T: Send + Sync + 'static>(
        self: &Arc<Self>,
        work: impl Future<Output = Result<Arc<T>, FactError>> + Send + 'static,
    ) -> Answer<T> {
        let runtime = match self.threads.handle() {
            Ok(runtime) => runtime,
            Err(error) => return Answer::Ready(Err(error.into())),
        };
        self.cold.store(true, Ordering::Relaxed);
        self.progress.started();
        let (progress, working) = (Arc::clone(&self.progress), self.working.begin());
        let task = runtime.spawn(async move {
            let result = work.await;
            progress.finished();
            drop(working);
            result
        });
        let result = async move {
            match task.await {
                Ok(result) => result,
                Err(error) => match error.try_into_panic() {
                    Ok(panic) => std::panic::resume_unwind(panic),
                    Err(error) => Err(FactError::Failed {
                        message: format!("fetching was cancelled: {error}"),
                        hint: None,
                    }),
                },
            }
        };
        Answer::Coming(result.boxed().shared())
    }

    /// Runs something that nobody waits for.
    pub(super) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        let Ok(runtime) = self.threads.handle() else {
            return;
        };
        let working = self.working.begin();
        drop(runtime.spawn(async move {
            work.await;
            drop(working);
        }));
    }

    async fn load_page(&self, name: &PackageName) -> Result<Arc<Page>, FactError> {
        let indexes = self.indexes.for_name(name);
        let mut found: Vec<Arc<Page>> = Vec::new();
        for index in &indexes {
            found.extend(self.pages.page(index, name).await?);
            if !found.is_empty() && self.indexes.strategy == IndexStrategy::First {
                break;
            }
        }
        let mut linked = Linked::default();
        for place in self.places_for(name) {
            linked.extend(place, place.files(&self.pages, name).await?);
        }
        self.page_of(name, &indexes, linked, found)
    }
}
