//! A folder with files of many distributions, side by side.

use std::collections::BTreeMap;
use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, SystemTime};

use pep508_rs::PackageName;
use sha2::{Digest as _, Sha256};
use url::Url;

use super::super::error::FetchError;
use super::super::pages::file_of_folder;
use super::super::tasks::lock;
use crate::metadata::File;
use crate::request::names::normal;

/// A file that was written so shortly before it was looked at may be written again without a
/// later time: some file systems count in steps of two seconds.
const STEP: Duration = Duration::from_secs(2);

/// A folder that is listed once in a run.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    /// Its address, with a slash at the end.
    url: String,
    names: OnceLock<Result<Vec<Named>, FetchError>>,
    /// What was found of each distribution that was asked for; `None` where it cannot be told
    /// whether it stays.
    states: Mutex<BTreeMap<PackageName, Option<State>>>,
}

/// What tells files of a distribution apart from what they were: their names, sizes and times.
pub(super) type State = [u8; 32];

/// The name of a file, and as it is compared: in lower case, with `-` for each run of `-`, `_`
/// and `.` (PEP 503).
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Named {
    folded: String,
    name: String,
}

impl Folder {
    pub(super) fn new(path: PathBuf) -> Self {
        let url = Url::from_directory_path(&path);
        Self {
            url: url.map_or_else(|()| path.display().to_string(), String::from),
            path,
            names: OnceLock::new(),
            states: Mutex::default(),
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether a file with this address lies in the folder itself.
    pub(super) fn holds(&self, url: &str) -> bool {
        let inside = url.strip_prefix(&self.url);
        inside.is_some_and(|name| !name.contains('/'))
    }

    /// The files of a distribution, by name.
    ///
    /// # Errors
    ///
    /// [`FetchError::Io`] where the folder cannot be listed.
    pub(super) fn files(&self, name: &PackageName) -> Result<Vec<File>, FetchError> {
        let mut found: Vec<(&str, File, Option<Metadata>)> = Vec::new();
        for named in self.named(name)? {
            let path = self.path.join(&named.name);
            let about = path.metadata().ok();
            let size = about.as_ref().map(Metadata::len);
            if let Some(file) = file_of_folder(&path, name, size) {
                found.push((&named.name, file, about));
            }
        }
        found.sort_by_key(|(name, _, _)| *name);
        let about = found.iter().map(|(name, _, about)| (*name, about.as_ref()));
        let state = state(about, SystemTime::now());
        // What has changed since it was first given is known for neither.
        let mut states = lock(&self.states);
        let known = states.entry(name.clone()).or_insert(state);
        if *known != state {
            *known = None;
        }
        drop(states);
        Ok(found.into_iter().map(|(_, file, _)| file).collect())
    }

    /// What was found of a distribution, listed for that where it was not asked for yet;
    /// `None` where it cannot be told whether it stays.
    pub(super) fn state(&self, name: &PackageName) -> Option<State> {
        if let Some(known) = lock(&self.states).get(name) {
            return *known;
        }
        self.files(name).ok()?;
        lock(&self.states).get(name).copied().flatten()
    }

    /// The files whose names may begin with the distribution's.
    fn named(&self, name: &PackageName) -> Result<&[Named], FetchError> {
        let names = self.names.get_or_init(|| list(&self.path)).as_ref();
        let names = names.map_err(Clone::clone)?;
        let prefix = format!("{name}-");
        let start = names.partition_point(|it| it.folded < prefix);
        let rest = names.get(start..).unwrap_or_default();
        let count = rest.partition_point(|it| it.folded.starts_with(&prefix));
        Ok(rest.get(..count).unwrap_or_default())
    }
}

fn list(folder: &Path) -> Result<Vec<Named>, FetchError> {
    let entries = std::fs::read_dir(folder).map_err(|error| FetchError::io(folder, &error))?;
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|error| FetchError::io(folder, &error))?;
        // A name that is no Unicode is no file's of a distribution.
        if let Ok(name) = entry.file_name().into_string() {
            names.push(Named {
                folded: normal(&name),
                name,
            });
        }
    }
    names.sort_unstable();
    Ok(names)
}

/// What tells these files apart from what they may be later.
fn state<'f>(
    files: impl Iterator<Item = (&'f str, Option<&'f Metadata>)>,
    now: SystemTime,
) -> Option<State> {
    let mut said = Sha256::new();
    for (name, about) in files {
        let about = about?;
        let modified = about.modified().ok()?;
        let since = modified.duration_since(SystemTime::UNIX_EPOCH).ok()?;
        if now.duration_since(modified).ok()? < STEP {
            return None;
        }
        said.update(name.as_bytes());
        said.update([0]);
        said.update(about.len().to_le_bytes());
        said.update(since.as_nanos().to_le_bytes());
        said.update(replaced(about));
    }
    Some(said.finalize().into())
}

/// What changes where another file takes the place of one, whatever times it was given.
#[cfg(unix)]
fn replaced(about: &Metadata) -> [u8; 32] {
    use std::os::unix::fs::MetadataExt;
    let mut all = [0; 32];
    let numbers = [about.ino(), about.dev()];
    let times = [about.ctime(), about.ctime_nsec()];
    let numbers = numbers.map(u64::to_le_bytes).into_iter();
    let times = times.map(i64::to_le_bytes).into_iter();
    for (place, bytes) in all.chunks_mut(8).zip(numbers.chain(times)) {
        place.copy_from_slice(&bytes);
    }
    all
}

#[cfg(not(unix))]
fn replaced(_: &Metadata) -> [u8; 32] {
    [0; 32]
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn name(name: &str) -> PackageName {
        name.parse().expect("a name")
    }

    #[test]
    fn a_distribution_has_what_is_named_after_it() {
        let folder = tempfile::tempdir().expect("a folder");
        for file in [
            "Foo_Bar-1.0-py3-none-any.whl",
            "foo.bar-1.1.tar.gz",
            "foo-2.0-py3-none-any.whl",
            "foo_bar_baz-3.0-py3-none-any.whl",
            "foo--bar-4.0.zip",
            "notes.txt",
        ] {
            fs::write(folder.path().join(file), file).expect("a file");
        }
        let listed = Folder::new(folder.path().to_path_buf());
        let files = |of: &str| -> Vec<String> {
            let files = listed.files(&name(of)).expect("it can be listed");
            assert!(files.iter().all(|file| listed.holds(&file.url)));
            files.into_iter().map(|file| file.filename).collect()
        };
        let same = |of: &str| -> Vec<String> {
            let files = super::super::super::pages::files_of_folder(folder.path(), &name(of));
            let files = files.expect("it can be listed").into_iter();
            files.map(|file| file.filename).collect()
        };
        assert_eq!(files("foo"), ["foo-2.0-py3-none-any.whl"]);
        assert_eq!(files("foo-bar-baz"), ["foo_bar_baz-3.0-py3-none-any.whl"]);
        for of in ["foo", "foo-bar", "foo-bar-baz", "bar", "notes", "fo"] {
            assert_eq!(files(of), same(of), "{of}");
        }
        assert!(!listed.holds("https://files.example/foo-2.0-py3-none-any.whl"));
    }

    #[test]
    fn a_folder_that_cannot_be_listed_is_an_error() {
        let folder = tempfile::tempdir().expect("a folder");
        let gone = Folder::new(folder.path().join("gone"));
        assert!(gone.files(&name("foo")).is_err());
        assert_eq!(gone.state(&name("foo")), None);
    }
}
