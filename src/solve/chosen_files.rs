//! The files of a chosen release, made where somebody looks at them.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use crate::metadata::{File, FileHash, FileId, ReleaseFiles, UnreadableFiles};

/// Every file of a chosen release that the index lists and the policy admits.
#[derive(Clone)]
pub struct ChosenFiles(Kept);

#[derive(Clone)]
enum Kept {
    /// Sorted by name.
    Made(Vec<File>),
    /// As they were read; each of them can be made.
    Read {
        release: Arc<ReleaseFiles>,
        ids: Vec<FileId>,
        /// The sha256 of each; `None` where the index does not give it of all.
        sha256: Option<Vec<FileHash>>,
    },
}

impl ChosenFiles {
    /// Some files of a release.
    ///
    /// # Errors
    ///
    /// [`UnreadableFiles`] where one of them cannot be made.
    pub(super) fn of_release(
        release: Arc<ReleaseFiles>,
        ids: Vec<FileId>,
    ) -> Result<Self, UnreadableFiles> {
        let hashes = ids.iter().map(|id| release.sha256(*id));
        let hashes: Vec<Option<FileHash>> = hashes.collect::<Result<_, _>>()?;
        Ok(Self(Kept::Read {
            release,
            ids,
            sha256: hashes.into_iter().collect(),
        }))
    }

    /// The files, sorted by name.
    pub fn all(&self) -> Cow<'_, [File]> {
        match &self.0 {
            Kept::Made(files) => Cow::Borrowed(files),
            Kept::Read { release, ids, .. } => {
                let files = ids.iter().filter_map(|id| release.file(*id).ok());
                let mut files: Vec<File> = files.collect();
                files.sort_by(|one, other| one.filename.cmp(&other.filename));
                Cow::Owned(files)
            }
        }
    }

    /// The sha256 of every file; `None` where the index does not give it of all.
    pub fn sha256(&self) -> Option<Cow<'_, [FileHash]>> {
        match &self.0 {
            Kept::Made(files) => {
                let digests = files
                    .iter()
                    .map(|file| Some(FileHash::new("sha256", file.sha256()?)));
                digests.collect::<Option<Vec<_>>>().map(Cow::Owned)
            }
            Kept::Read { sha256, .. } => sha256.as_deref().map(Cow::Borrowed),
        }
    }
}

impl From<Vec<File>> for ChosenFiles {
    fn from(mut files: Vec<File>) -> Self {
        files.sort_by(|one, other| one.filename.cmp(&other.filename));
        Self(Kept::Made(files))
    }
}

impl fmt::Debug for ChosenFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.all().iter()).finish()
    }
}
