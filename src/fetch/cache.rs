//! The cache on disk: what indexes said, kept between runs and shared by processes.
//!
//! A record is written to a temporary file and renamed into place, so that a reader sees
//! all of it or nothing, and a kill leaves at most a temporary file behind. Records are
//! private to this program: what has another layout, or is damaged, counts as absent. What
//! was read from an answer says in its record how it was read, and what was read otherwise
//! counts as absent or is read anew. No key and no record holds credentials.

mod bundle;
mod held;
mod parts;
mod prune;

use std::io::{self, Write};
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use etcetera::BaseStrategy;
use flate2::Crc;
use tempfile::{NamedTempFile, TempDir};

use super::auth::Environment;
use super::digest::sha256;
use super::error::FetchError;
use super::tasks::Pending;

use self::bundle::Bundles;
pub(super) use self::bundle::State;
use self::parts::Lost;
pub use self::parts::{PartedRecord, Parts};
pub use self::prune::Bounds;

/// The layout of records; a change of any of them makes all older ones absent.
const LAYOUT: u32 = 6;

const MAGIC: [u8; 4] = *b"MLRC";

/// Magic, layout, checksum.
const HEADER_SIZE: usize = 12;

/// Temporary files that are older than this were left by a run that was killed.
const STALE: Duration = Duration::from_hours(24);

/// How long [`Cache::flush`] waits.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(10);

/// The cache; clones share the folder.
#[derive(Debug, Clone)]
pub struct Cache {
    root: Arc<Path>,
    pending: Pending,
    /// What was there a moment ago and could not be read.
    lost: Arc<Lost>,
    /// Keeps a cache that is for this run only.
    temporary: Option<Arc<TempDir>>,
    /// What runs like this one read, in one file.
    bundles: Option<Arc<Bundles>>,
}

/// A record that was read; it gives its content.
#[derive(Debug, Clone)]
pub struct Record(Vec<u8>);

impl Deref for Record {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.0.get(HEADER_SIZE..).unwrap_or_default()
    }
}

/// What a record is about; each kind has its folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordKind {
    /// A distribution's page on one index.
    Page,
    /// A page of links to files of any distribution.
    Links,
    /// One file's METADATA.
    Metadata,
    /// What a run gave, and from what.
    Answer,
    /// Copies of what a run has read.
    Bundle,
}

impl RecordKind {
    const ALL: [Self; 5] = [
        Self::Page,
        Self::Links,
        Self::Metadata,
        Self::Answer,
        Self::Bundle,
    ];

    fn number(self) -> u32 {
        match self {
            Self::Page => 0,
            Self::Links => 1,
            Self::Metadata => 2,
            Self::Answer => 3,
            Self::Bundle => 4,
        }
    }

    fn folder(self) -> &'static str {
        match self {
            Self::Page => "pages",
            Self::Links => "links",
            Self::Metadata => "metadata",
            Self::Answer => "answers",
            Self::Bundle => "bundles",
        }
    }
}

impl Cache {
    /// The cache in the given folder, else where the environment says.
    ///
    /// # Errors
    ///
    /// [`FetchError::Setup`] where the machine has no place for it.
    pub fn new(option: Option<PathBuf>, environment: Environment<'_>) -> Result<Self, FetchError> {
        let root = match option {
            Some(folder) => folder,
            None => default_folder(environment)?,
        };
        Ok(Self {
            root: root.into(),
            pending: Pending::default(),
            lost: Arc::default(),
            temporary: None,
            bundles: None,
        })
    }

    /// A cache for this run only (`--no-cache`).
    ///
    /// # Errors
    ///
    /// [`FetchError::Io`] where no temporary folder can be made.
    pub fn temporary() -> Result<Self, FetchError> {
        let folder =
            tempfile::tempdir().map_err(|error| FetchError::io(std::env::temp_dir(), &error))?;
        Ok(Self {
            root: folder.path().into(),
            pending: Pending::default(),
            lost: Arc::default(),
            temporary: Some(Arc::new(folder)),
            bundles: None,
        })
    }

    /// The folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Whether it is for this run only.
    pub(super) fn is_temporary(&self) -> bool {
        self.temporary.is_some()
    }

    /// Where files lie for as long as they are worked on. It is on the same file system as
    /// the cache, so that they can be renamed into it.
    pub fn temporary_folder(&self) -> PathBuf {
        self.root.join("tmp")
    }

    /// The record under a key.
    pub fn read(&self, kind: RecordKind, key: &str) -> Option<Record> {
        let record = Record(std::fs::read(self.path(kind, key)).ok()?);
        let content = record.0.get(HEADER_SIZE..)?;
        (record.0.get(..HEADER_SIZE) == Some(header(content).as_slice())).then_some(record)
    }

    /// Writes the record under a key. That it could not be written is no reason to stop.
    pub fn write(&self, kind: RecordKind, key: &str, content: &[u8]) {
        let path = self.path(kind, key);
        self.write_all(&path, &[&header(content), content]);
    }

    fn write_all(&self, path: &Path, parts: &[&[u8]]) {
        if let Err(error) = self.write_to(path, parts) {
            log::warn!("`{}` could not be written: {error}", path.display());
        }
    }

    /// Encodes and writes the record on another thread; [`Cache::flush`] waits for it. To
    /// be called on the runtime.
    pub(super) fn write_later(
        &self,
        kind: RecordKind,
        key: String,
        encode: impl FnOnce() -> Option<Vec<u8>> + Send + 'static,
    ) {
        let (cache, writing) = (self.clone(), self.pending.begin());
        drop(tokio::task::spawn_blocking(move || {
            if let Some(content) = encode() {
                cache.write(kind, &key, &content);
            }
            drop(writing);
        }));
    }

    /// Waits until what is being written is written, but not for ever.
    pub fn flush(&self) {
        self.pending.wait(FLUSH_TIMEOUT);
    }

    fn write_to(&self, path: &Path, parts: &[&[u8]]) -> io::Result<()> {
        let temporary = self.temporary_folder();
        let mut file = match NamedTempFile::new_in(&temporary) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.create()?;
                NamedTempFile::new_in(&temporary)
            }
            other => other,
        }?;
        for part in parts {
            file.write_all(part)?;
        }
        let folder = path.parent().unwrap_or(&self.root);
        match file.persist(path) {
            Err(error) if error.error.kind() == io::ErrorKind::NotFound => {
                std::fs::create_dir_all(folder)?;
                error.file.persist(path)?;
            }
            other => drop(other?),
        }
        Ok(())
    }

    /// Creates the folder, marked so that backup programs pass it over
    /// (<https://bford.info/cachedir/>).
    fn create(&self) -> io::Result<()> {
        std::fs::create_dir_all(self.temporary_folder())?;
        std::fs::write(
            self.root.join("CACHEDIR.TAG"),
            "Signature: 8a477f597d28d172789f06886806bc55\n# This folder is mlresolve's cache.\n",
        )?;
        std::fs::write(self.root.join(".gitignore"), "*\n")
    }

    /// Removes what runs that were killed have left.
    fn remove_stale(&self) {
        let Ok(entries) = std::fs::read_dir(self.temporary_folder()) else {
            return;
        };
        for entry in entries.flatten() {
            let age = entry
                .metadata()
                .and_then(|metadata| metadata.modified())
                .map(|modified| SystemTime::now().duration_since(modified));
            if matches!(age, Ok(Ok(age)) if age > STALE) {
                let path = entry.path();
                let _ = std::fs::remove_file(&path).or_else(|_| std::fs::remove_dir_all(&path));
            }
        }
    }

    /// Removes everything; gives the number of files and of bytes that are gone.
    ///
    /// # Errors
    ///
    /// [`FetchError`] where something cannot be removed, or where the folder has not the
    /// mark of such a cache: a folder that was named by mistake is not emptied.
    pub fn clean(&self) -> Result<(u64, u64), FetchError> {
        let mut gone = (0, 0);
        for entry in self.entries()?.unwrap_or_default() {
            count(&entry, &mut gone).map_err(|error| FetchError::io(&entry, &error))?;
            let removed = if entry.is_dir() {
                std::fs::remove_dir_all(&entry)
            } else {
                std::fs::remove_file(&entry)
            };
            removed.map_err(|error| FetchError::io(&entry, &error))?;
        }
        Ok(gone)
    }

    /// What lies in the folder; `None` where there is no folder.
    fn entries(&self) -> Result<Option<Vec<PathBuf>>, FetchError> {
        let entries = match std::fs::read_dir(&self.root) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            other => other.map_err(|error| FetchError::io(&*self.root, &error))?,
        };
        let entries: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        if !entries.is_empty() && !self.root.join("CACHEDIR.TAG").is_file() {
            return Err(FetchError::Setup(format!(
                "`{}` has no `CACHEDIR.TAG`: it is not a cache of mlresolve and is left alone",
                self.root.display()
            )));
        }
        Ok(Some(entries))
    }

    /// Names that the cache has pages of, on whatever index; sorted, without repetition.
    pub fn known_names(&self) -> Vec<String> {
        let pages = self
            .root
            .join(format!("{}-v{LAYOUT}", RecordKind::Page.folder()));
        let folders = std::fs::read_dir(pages).into_iter().flatten().flatten();
        let mut names: Vec<String> = folders
            .flat_map(|folder| {
                std::fs::read_dir(folder.path())
                    .into_iter()
                    .flatten()
                    .flatten()
            })
            .filter_map(|entry| entry.file_name().into_string().ok())
            .collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    pub(super) fn path(&self, kind: RecordKind, key: &str) -> PathBuf {
        let folder = format!("{}-v{LAYOUT}", kind.folder());
        self.root.join(folder).join(key)
    }
}

/// A key for what a URL and a further word name: hexadecimal digits, in two levels.
pub fn hashed_key(url: &str, more: &str) -> String {
    let digest = sha256(format!("{url}\n{more}").as_bytes());
    let (folder, rest) = digest.split_at(2);
    format!("{folder}/{rest}")
}

fn header(content: &[u8]) -> [u8; HEADER_SIZE] {
    let mut header = [0; HEADER_SIZE];
    let parts = MAGIC
        .into_iter()
        .chain(LAYOUT.to_le_bytes())
        .chain(checksum(content).to_le_bytes());
    for (place, byte) in header.iter_mut().zip(parts) {
        *place = byte;
    }
    header
}

pub(super) fn checksum(content: &[u8]) -> u32 {
    let mut crc = Crc::new();
    crc.update(content);
    crc.sum()
}

fn count(path: &Path, sum: &mut (u64, u64)) -> io::Result<()> {
    let metadata = std::fs::symlink_metadata(path)?;
    if metadata.is_dir() {
        for entry in std::fs::read_dir(path)? {
            count(&entry?.path(), sum)?;
        }
    } else {
        sum.0 += 1;
        sum.1 += metadata.len();
    }
    Ok(())
}

fn default_folder(environment: Environment<'_>) -> Result<PathBuf, FetchError> {
    if let Some(folder) = environment("MLRESOLVE_CACHE_DIR").filter(|folder| !folder.is_empty()) {
        return Ok(PathBuf::from(folder));
    }
    let strategy = etcetera::choose_base_strategy().map_err(|_| {
        FetchError::Setup(
            "there is no home folder to keep the cache in: name one with `--cache-dir`, or use \
             `--no-cache`"
                .to_owned(),
        )
    })?;
    Ok(strategy.cache_dir().join("mlresolve"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cache() -> Cache {
        Cache::temporary().expect("a temporary folder")
    }

    #[test]
    fn what_was_written_is_read_and_what_is_damaged_is_absent() {
        let cache = cache();
        let read = |kind| cache.read(kind, "a/b").map(|record| record.to_vec());
        assert_eq!(read(RecordKind::Page), None);
        cache.write(RecordKind::Page, "a/b", b"content");
        cache.write(RecordKind::Page, "a/b", b"content of now");
        assert_eq!(
            read(RecordKind::Page).as_deref(),
            Some(&b"content of now"[..])
        );
        assert_eq!(read(RecordKind::Metadata), None);

        let path = cache.path(RecordKind::Page, "a/b");
        let whole = std::fs::read(&path).expect("it was written");
        for position in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[position] ^= 1;
            std::fs::write(&path, damaged).expect("it can be written");
            assert_eq!(read(RecordKind::Page), None, "byte {position}");
            std::fs::write(&path, &whole[..position]).expect("it can be written");
            assert_eq!(read(RecordKind::Page), None, "cut at {position}");
        }
        let left = std::fs::read_dir(cache.temporary_folder())
            .expect("it is there")
            .count();
        assert_eq!(left, 0);
    }

    #[test]
    fn cleaning_removes_the_cache_and_nothing_else() {
        let cache = cache();
        assert_eq!(cache.clean(), Ok((0, 0)));
        cache.write(RecordKind::Metadata, "a", b"content");
        let (files, bytes) = cache.clean().expect("it is a cache");
        assert_eq!(files, 3, "the record, the tag and `.gitignore`");
        assert!(bytes > 7);
        std::fs::write(cache.root().join("thesis.tex"), "years of work").expect("it is writable");
        assert!(cache.clean().is_err());
        assert!(cache.root().join("thesis.tex").is_file());
    }

    #[test]
    fn many_writers_leave_one_whole_record() {
        let cache = cache();
        std::thread::scope(|scope| {
            for writer in 0..8_u8 {
                let cache = &cache;
                scope.spawn(move || {
                    for _ in 0..20 {
                        cache.write(RecordKind::Page, "a/b", &vec![writer; 10_000]);
                        let read = cache
                            .read(RecordKind::Page, "a/b")
                            .expect("one was written");
                        assert_eq!(read.len(), 10_000);
                        assert!(read.windows(2).all(|pair| pair[0] == pair[1]));
                    }
                });
            }
        });
    }

    #[test]
    fn the_environment_names_the_folder() {
        let environment = |name: &str| (name == "MLRESOLVE_CACHE_DIR").then(|| "/somewhere".into());
        let cache = Cache::new(None, &environment).expect("a folder was named");
        assert_eq!(cache.root(), Path::new("/somewhere"));
        let cache = Cache::new(Some("/mine".into()), &environment).expect("a folder was named");
        assert_eq!(cache.root(), Path::new("/mine"));
    }
}
