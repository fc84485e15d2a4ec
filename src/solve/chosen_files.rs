//! The files of a chosen release, made where somebody looks at them.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use crate::metadata::{File, FileHash, FileId, ReleaseFiles};

/// Every file of a chosen release that the index lists and the policy admits.
#[derive(Clone)]
pub struct ChosenFiles(Kept);

#[derive(Clone)]
enum Kept {
    /// Sorted by name.
    Made(Vec<File>),
    /// As they were read; each of them can be made.
    Read(Arc<ReleaseFiles>, Vec<FileId>),
}

impl ChosenFiles {
    /// Some files of a release; `None` where one of them cannot be made.
    pub(super) fn of_release(release: Arc<ReleaseFiles>, ids: Vec<FileId>) -> Option<Self> {
        let all = ids.iter().all(|id| release.is_whole(*id));
        all.then_some(Self(Kept::Read(release, ids)))
    }

    /// The files, sorted by name.
    pub fn all(&self) -> Cow<'_, [File]> {
        match &self.0 {
            Kept::Made(files) => Cow::Borrowed(files),
            Kept::Read(release, ids) => {
                let files = ids.iter().filter_map(|id| release.file(*id).ok());
                let mut files: Vec<File> = files.collect();
                files.sort_by(|one, other| one.filename.cmp(&other.filename));
                Cow::Owned(files)
            }
        }
    }

    /// The sha256 of every file; `None` where the index does not give it of all.
    pub fn sha256(&self) -> Option<Vec<FileHash>> {
        match &self.0 {
            Kept::Made(files) => {
                let digests = files
                    .iter()
                    .map(|file| Some(FileHash::new("sha256", file.sha256()?)));
                digests.collect()
            }
            Kept::Read(release, ids) => ids.iter().map(|id| release.sha256(*id)).collect(),
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
