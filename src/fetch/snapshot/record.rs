//! Recording: facts that pass by on their way to the solver.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pep440_rs::{Version, VersionSpecifiers};
use pep508_rs::PackageName;
use url::Url;

use super::format::{
    self, BuildSection, Detail, DirectSection, EXAMPLE_FILES, MetadataKey, RecordedDirect,
    RecordedMetadata, RecordedPage, Section, SectionPage,
};
use super::{About, SnapshotError, metadata_text};
use crate::fetch::error::without_credentials;
use crate::metadata::{File, FileId, Metadata, Page, UnreadableFiles};
use crate::request::{BuildPolicy, DirectUrl};
use crate::solve::{DirectFacts, FactError, Facts};
use crate::variants::VariantsJson;

/// Which addresses a snapshot tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hosts {
    /// Those that were recorded.
    AsRecorded,
    /// Not those of the index with this address: its files lie at `https://files.example/`,
    /// and it is the default index of whoever reads the snapshot.
    Example(Url),
}

/// What was recorded so far, of one solve or of several.
#[derive(Debug, Default)]
pub struct Recording(Mutex<Recorded>);

/// A page, or the indexes that have none.
type Answer = Result<Arc<Page>, Vec<String>>;

#[derive(Debug, Default)]
struct Recorded {
    pages: BTreeMap<PackageName, Answer>,
    /// By the index that was asked.
    builds: BTreeMap<(PackageName, String), Answer>,
    metadata: BTreeMap<PackageName, BTreeMap<MetadataKey, RecordedMetadata>>,
    /// The releases whose metadata was asked for.
    releases: BTreeMap<PackageName, BTreeSet<Version>>,
    directs: DirectSection,
    unfaithful: Option<SnapshotError>,
}

/// Facts that are recorded when they are asked for.
#[derive(Debug)]
pub struct Recorder<'r, F: ?Sized> {
    recording: &'r Recording,
    facts: &'r F,
}

impl Recording {
    /// The facts, and note of those that are asked for.
    pub fn of<'r, F: Facts + ?Sized>(&'r self, facts: &'r F) -> Recorder<'r, F> {
        Recorder {
            recording: self,
            facts,
        }
    }

    /// The bytes of the snapshot.
    ///
    /// # Errors
    ///
    /// [`SnapshotError`] where something was recorded that cannot be written.
    pub fn write(&self, about: About, hosts: &Hosts) -> Result<Vec<u8>, SnapshotError> {
        let recorded = self.lock();
        if let Some(error) = &recorded.unfaithful {
            return Err(error.clone());
        }
        let none = BTreeSet::new();
        let mut sections: BTreeMap<PackageName, Section> = BTreeMap::new();
        for (name, answer) in &recorded.pages {
            let releases = recorded.releases.get(name).unwrap_or(&none);
            let page = hosts.answer(answer, releases).map_err(unreadable)?;
            sections.entry(name.clone()).or_default().page = Some(page);
        }
        let builds: BuildSection = recorded
            .builds
            .iter()
            .map(|(key, answer)| {
                let releases = recorded.releases.get(&key.0).unwrap_or(&none);
                Ok((key.clone(), hosts.answer(answer, releases)?))
            })
            .collect::<Result<_, _>>()
            .map_err(unreadable)?;
        for (name, metadata) in &recorded.metadata {
            sections.entry(name.clone()).or_default().metadata = metadata.clone();
        }
        format::write(about, &sections, &recorded.directs, &builds)
    }

    fn lock(&self) -> MutexGuard<'_, Recorded> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Recorded {
    fn note_metadata(
        &mut self,
        page: &Page,
        file: &File,
        build: BuildPolicy,
        answer: &Result<Arc<Metadata>, FactError>,
    ) {
        let Some(text) = self.text(answer.as_deref()) else {
            return;
        };
        let key = MetadataKey::of(file, build);
        self.metadata
            .entry(page.name.clone())
            .or_default()
            .insert(key, text);
        self.releases
            .entry(page.name.clone())
            .or_default()
            .insert(file.version.clone());
    }

    /// What is recorded of an answer; `None` for a failure, which is not a fact.
    fn text(&mut self, answer: Result<&Metadata, &FactError>) -> Option<RecordedMetadata> {
        match answer {
            Ok(metadata) => {
                let text = metadata_text::write(metadata);
                if text.is_none() {
                    self.unfaithful = Some(SnapshotError::Unfaithful {
                        name: metadata.name.clone(),
                        version: metadata.version.to_string(),
                    });
                }
                text.map(Ok)
            }
            Err(FactError::Unusable(why)) => Some(Err(why.clone())),
            Err(_) => None,
        }
    }
}

impl Hosts {
    fn index(&self, index: &str) -> Option<String> {
        match self {
            Self::Example(example) if without_credentials(example).as_str() == index => None,
            _ => Some(index.to_owned()),
        }
    }

    /// The address of a file of a page from `index`, where `None` stands for the one whose
    /// host is not told.
    fn file(&self, url: &str, index: Option<&str>) -> String {
        match (self, index, Url::parse(url)) {
            (Self::Example(_), None, Ok(url)) => {
                format!("{EXAMPLE_FILES}{}", url.path().trim_start_matches('/'))
            }
            _ => url.to_owned(),
        }
    }

    fn answer(
        &self,
        answer: &Answer,
        releases: &BTreeSet<Version>,
    ) -> Result<SectionPage, UnreadableFiles> {
        Ok(match answer {
            Ok(page) => SectionPage::Found(self.page(page, releases)?),
            Err(asked) => SectionPage::NotFound(asked.iter().map(|it| self.index(it)).collect()),
        })
    }

    fn page(
        &self,
        page: &Page,
        releases: &BTreeSet<Version>,
    ) -> Result<RecordedPage, UnreadableFiles> {
        let mut recorded = RecordedPage {
            index: self.index(&page.index),
            skipped: page.skipped,
            ..RecordedPage::default()
        };
        let mut clock = 0;
        for (place, file) in (0_u32..).zip(&page.files.all()?) {
            recorded.filenames.push_str(&file.filename);
            recorded.filenames.push('/');
            let python = file.requires_python.as_ref().map_or(0, |requires| {
                let known = recorded
                    .pythons
                    .iter()
                    .rposition(|python| python == requires);
                let place = known.unwrap_or_else(|| {
                    recorded.pythons.push(requires.clone());
                    recorded.pythons.len() - 1
                });
                u32::try_from(place + 1).unwrap_or(0)
            });
            recorded.python.push(python);
            recorded.uploaded.push(file.upload_time.map(|uploaded| {
                let later = uploaded.as_second() - clock;
                clock = uploaded.as_second();
                later
            }));
            if let Some(yanked) = &file.yanked {
                recorded.yanked.insert(place, yanked.clone());
            }
            if releases.contains(&file.version) {
                let detail = self.detail(file, recorded.index.as_deref());
                recorded.details.insert(place, detail);
            }
        }
        Ok(recorded)
    }

    fn detail(&self, file: &File, index: Option<&str>) -> Detail {
        let hashes = file.hashes.pairs();
        Detail {
            url: self.file(&file.url, index),
            hashes: hashes
                .map(|(algorithm, digest)| (algorithm.to_owned(), digest_bytes(digest)))
                .collect(),
            size: file.size,
            uploaded: file.upload_time,
        }
    }
}

impl<F: Facts + ?Sized> Facts for Recorder<'_, F> {
    fn page(&self, name: &PackageName) -> Result<Arc<Page>, FactError> {
        let answer = self.facts.page(name);
        if let Some(noted) = noted(&answer) {
            self.recording.lock().pages.insert(name.clone(), noted);
        }
        answer
    }

    fn page_at(&self, name: &PackageName, index: &str) -> Result<Arc<Page>, FactError> {
        let answer = self.facts.page_at(name, index);
        if let Some(noted) = noted(&answer) {
            let key = (name.clone(), index.to_owned());
            self.recording.lock().builds.insert(key, noted);
        }
        answer
    }

    fn hint_at(&self, name: &PackageName, index: &str) {
        self.facts.hint_at(name, index);
    }

    fn metadata(
        &self,
        page: &Page,
        file: &File,
        build: BuildPolicy,
    ) -> Result<Arc<Metadata>, FactError> {
        let answer = self.facts.metadata(page, file, build);
        self.recording
            .lock()
            .note_metadata(page, file, build, &answer);
        answer
    }

    fn variants(&self, page: &Page, wheels: &[&File]) -> Result<Arc<VariantsJson>, FactError> {
        let answer = self.facts.variants(page, wheels);
        if let Some(key) = MetadataKey::of_variants(wheels)
            && let Some(text) = variants_text(&answer)
        {
            self.recording
                .lock()
                .metadata
                .entry(page.name.clone())
                .or_default()
                .insert(key, text);
        }
        answer
    }

    fn hint_variants(&self, page: &Page, wheels: &[&File]) {
        self.facts.hint_variants(page, wheels);
    }

    fn direct(&self, url: &DirectUrl) -> Result<Arc<DirectFacts>, FactError> {
        let answer = self.facts.direct(url);
        let mut recorded = self.recording.lock();
        let metadata = recorded.text(answer.as_ref().map(|facts| &facts.metadata));
        if let Some(metadata) = metadata {
            let facts = answer.as_ref().ok();
            let direct = RecordedDirect {
                metadata,
                file: facts.and_then(|facts| facts.file.clone()),
                commit: facts.and_then(|facts| facts.commit.clone()),
            };
            recorded.directs.insert(direct_key(url), direct);
        }
        drop(recorded);
        answer
    }

    fn hint(&self, name: &PackageName, range: &VersionSpecifiers) {
        self.facts.hint(name, range);
    }

    fn hint_older(&self, page: &Page, older: &[FileId]) {
        self.facts.hint_older(page, older);
    }
}

fn unreadable(error: UnreadableFiles) -> SnapshotError {
    SnapshotError::Encode(error.to_string())
}

/// What is recorded of what labels stand for; `None` for a failure.
fn variants_text(answer: &Result<Arc<VariantsJson>, FactError>) -> Option<RecordedMetadata> {
    match answer {
        Ok(document) => serde_json::to_string(&**document).ok().map(Ok),
        Err(FactError::Unusable(why)) => Some(Err(why.clone())),
        Err(_) => None,
    }
}

/// What is recorded of an answer; `None` for a failure, which is not a fact.
fn noted(answer: &Result<Arc<Page>, FactError>) -> Option<Answer> {
    match answer {
        Ok(page) => Some(Ok(Arc::clone(page))),
        Err(FactError::NotFound { asked, .. }) => Some(Err(asked.clone())),
        Err(_) => None,
    }
}

/// The name under which a direct reference is kept: its address without credentials.
pub(super) fn direct_key(url: &DirectUrl) -> String {
    let address = Url::parse(&url.url)
        .map_or_else(|_| url.url.clone(), |url| without_credentials(&url).into());
    match &url.subdirectory {
        Some(folder) => format!("{address}#subdirectory={folder}"),
        None => address,
    }
}

/// The bytes of a hexadecimal digest. Pages hold no other.
fn digest_bytes(digest: &str) -> Vec<u8> {
    let digits = digest.as_bytes().chunks(2);
    digits
        .filter_map(|pair| std::str::from_utf8(pair).ok())
        .filter_map(|pair| u8::from_str_radix(pair, 16).ok())
        .collect()
}
