//! Source distributions: their metadata without running them where that can be, and by
//! their build where it must be.

use std::fs::File as DiskFile;
use std::path::{Path, PathBuf};

use pep440_rs::Version;
use pep508_rs::PackageName;
use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

use super::archive::{self, ArchiveError, Members};
use super::build::{Builder, Host, Project, Source};
use super::download::{
    self, ATTEMPTS, Body, Download, Expected, Tee, check_hashes, file_path, without_credentials,
};
use super::records::Records;
use crate::metadata::{File, Metadata, SdistPart};
use crate::request::BuildPolicy;
use crate::solve::{FactError, Unusable};

/// An archive larger than this is not read to its end where its beginning decides.
///
/// Then its hash stays unchecked, as it does where a wheel's metadata is read by ranges;
/// the lock records the hash that the index gives, and the installer checks it.
const READ_WHOLE: u64 = 8 * 1024 * 1024;

/// Where metadata comes from that no index page or wheel gives: archives, folders,
/// repositories, builds.
#[derive(Clone, Copy)]
pub struct Sources<'a> {
    /// The network.
    pub download: &'a dyn Download,
    /// What earlier runs learned.
    pub records: &'a Records,
    /// What runs builds.
    pub builder: &'a Builder,
}

/// What was learned, and whether a build had to say it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Learned<T> {
    /// What was learned.
    pub value: T,
    /// Where the build ran that said it; `None` where it was static.
    pub built: Option<Host>,
}

/// What a project says of itself without being run, as far as it matters.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Told {
    /// The contents of `PKG-INFO`.
    pub(super) pkg_info: Option<String>,
    /// The contents of `pyproject.toml`.
    pub(super) pyproject: Option<String>,
    /// The contents of the egg-info's `requires.txt`, in a packed source distribution.
    pub(super) egg_requires: Option<String>,
    /// Whether there is anything that a build could start from.
    pub(super) is_project: bool,
}

/// What reading an archive gave, as it is remembered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Looked {
    pub(super) told: Told,
    /// The sha256; `None` where the archive was not read to its end.
    sha256: Option<String>,
    /// Why its members could not be read.
    unreadable: Option<Unreadable>,
}

/// What reading an archive gave that has no published hash.
#[derive(Serialize, Deserialize)]
struct Seen {
    looked: Looked,
    /// What it was served with.
    etag: Option<String>,
}

/// Why the members of an archive could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Unreadable {
    /// What is wrong with it.
    pub(super) detail: String,
    /// Whether a build's front end may have more luck.
    pub(super) build_may_read: bool,
}

impl From<&ArchiveError> for Unreadable {
    fn from(error: &ArchiveError) -> Self {
        Self {
            detail: error.to_string(),
            build_may_read: matches!(error, ArchiveError::Kind(_) | ArchiveError::TwoTops(..)),
        }
    }
}

impl Told {
    pub(super) fn of(members: &Members) -> Self {
        let text = |part| {
            let bytes = members.part(part)?;
            Some(String::from_utf8_lossy(bytes).into_owned())
        };
        Self {
            pkg_info: text(SdistPart::PkgInfo),
            pyproject: text(SdistPart::Pyproject),
            egg_requires: text(SdistPart::EggRequires),
            is_project: members
                .parts
                .keys()
                .any(|part| !matches!(part, SdistPart::PkgInfo | SdistPart::EggRequires)),
        }
    }

    /// The metadata of a source tree, where it can be had without running anything.
    ///
    /// What its author writes comes first: a PKG-INFO in it may be left from an older build.
    pub(super) fn metadata_of_tree(&self) -> Result<Option<Metadata>, FactError> {
        let written = Self {
            pkg_info: None,
            egg_requires: None,
            ..self.clone()
        };
        let packed = Self {
            egg_requires: None,
            ..self.clone()
        };
        match written.metadata(None)? {
            None => packed.metadata(None),
            known => Ok(known),
        }
    }

    /// The metadata, where it can be had without running anything.
    ///
    /// PKG-INFO comes first: a build wrote it. A pyproject.toml that is no TOML is left
    /// for the build to judge. What setuptools wrote into the egg-info comes last.
    pub(super) fn metadata(
        &self,
        expected: Option<(&PackageName, &Version)>,
    ) -> Result<Option<Metadata>, FactError> {
        if let Some(text) = &self.pkg_info
            && let Some(found) = Metadata::parse_static_pkg_info(text.as_bytes(), expected)
                .map_err(|error| unusable(&error))?
        {
            return Ok(Some(found));
        }
        if let Some(text) = &self.pyproject
            && toml::from_str::<toml::Table>(text).is_ok()
            && let Some(found) = Metadata::parse_static_pyproject(text, expected)
                .map_err(|error| unusable(&error))?
        {
            return Ok(Some(found));
        }
        match (&self.pkg_info, &self.egg_requires) {
            (Some(info), Some(requires)) => {
                Metadata::parse_egg_info(info.as_bytes(), requires, expected)
                    .map_err(|error| unusable(&error))
            }
            _ => Ok(None),
        }
    }
}

/// Whether what was found decides: the metadata is known without a build, or is no use.
pub(super) fn decides(members: &Members, expected: Option<(&PackageName, &Version)>) -> bool {
    !matches!(Told::of(members).metadata(expected), Ok(None))
}

impl Sources<'_> {
    /// The metadata of a source distribution that an index lists.
    ///
    /// # Errors
    ///
    /// [`Unusable::NeedsBuild`] where only a build could tell and `build` is
    /// [`BuildPolicy::Never`]; [`Unusable::BuildFailed`] and [`Unusable::Metadata`] where the
    /// distribution is at fault; [`FactError::Failed`] where it could not be had.
    pub fn sdist_metadata(
        &self,
        name: &PackageName,
        file: &File,
        build: BuildPolicy,
    ) -> Result<Learned<Metadata>, FactError> {
        let expected = Some((name, &file.version));
        let looked = match file.sha256() {
            Some(published) => self.look_once(name, file, published)?,
            None => self.look_again(name, file)?,
        };
        if let Some(value) = looked.told.metadata(expected)? {
            return Ok(Learned { value, built: None });
        }
        if !looked.may_be_built(build)? {
            return Err(FactError::Unusable(Unusable::NeedsBuild));
        }
        let identity = looked.sha256.as_deref();
        let what = format!("{name} {}", file.version);
        let project = Project {
            what: &what,
            subdirectory: None,
            identity,
        };
        let hashes = file.hashes.to_map();
        let source = || self.archive(&file.url, &file.filename, identity, &[&hashes]);
        self.built(project, source, expected)
    }

    /// The metadata that a build gives.
    pub(super) fn built(
        &self,
        project: Project<'_>,
        source: impl FnOnce() -> Result<Source, FactError>,
        expected: Option<(&PackageName, &Version)>,
    ) -> Result<Learned<Metadata>, FactError> {
        let built = self.builder.metadata(project, source)?;
        let value = Metadata::parse(built.metadata.as_bytes(), expected)
            .map_err(|error| unusable(&error))?;
        let built = Some(built.host);
        Ok(Learned { value, built })
    }

    /// What an archive says that has the hash which its index publishes.
    fn look_once(
        &self,
        name: &PackageName,
        file: &File,
        published: &str,
    ) -> Result<Looked, FactError> {
        let key = format!("{} {published}", without_credentials(&file.url));
        if let Some(looked) = self.records.get("sdist-2", &key) {
            return Ok(looked);
        }
        let (looked, _) = self.look_into(name, file, None)?;
        self.records.put("sdist-2", &key, &looked);
        Ok(looked)
    }

    /// What an archive says whose index publishes no sha256, so that another may take its place:
    /// it is remembered where the server says that it is the same still, and where the network
    /// may not be used.
    fn look_again(&self, name: &PackageName, file: &File) -> Result<Looked, FactError> {
        let key = without_credentials(&file.url);
        let known = self.records.get::<Seen>("sdist-seen", &key);
        if self.download.offline()
            && let Some(known) = known
        {
            return Ok(known.looked);
        }
        let body = download::open(self.download, &file.url)?;
        if let Some(known) = known
            && known.etag.is_some()
            && known.etag == body.etag
        {
            return Ok(known.looked);
        }
        let (looked, etag) = self.look_into(name, file, Some(body))?;
        let seen = Seen { looked, etag };
        if file_path(&file.url).is_none() {
            self.records.put("sdist-seen", &key, &seen);
        }
        Ok(seen.looked)
    }

    /// Downloads an archive as far as it takes to know what it says, from an answer that came
    /// where there is one; gives the `ETag` beside it. One that a build will be needed for is
    /// kept.
    fn look_into(
        &self,
        name: &PackageName,
        file: &File,
        mut came: Option<Body>,
    ) -> Result<(Looked, Option<String>), FactError> {
        let expected = Some((name, &file.version));
        let hashes = file.hashes.to_map();
        let mut attempt = 1;
        loop {
            let mut kept = self.temporary_file()?;
            let body = match came.take() {
                Some(body) => body,
                None => download::open(self.download, &file.url)?,
            };
            let etag = body.etag;
            let is_large = body
                .size
                .or(file.size)
                .is_some_and(|size| size > READ_WHOLE);
            let copy = kept.reopen().map_err(|error| not_kept(&error))?;
            let mut tee = Tee::new(body.reader, Some(copy), &[&hashes]);
            let enough = |members: &Members| decides(members, expected);
            let scanned = archive::scan_stream(&mut tee, None, &enough);
            if is_large && let Some(Ok(members)) = &scanned {
                let told = Told::of(members);
                if matches!(told.metadata(expected), Ok(Some(_))) {
                    return Ok((Looked::in_part(told), etag));
                }
            }
            let digests = match tee.finish() {
                Ok((digests, _)) => digests,
                Err(error) if attempt == ATTEMPTS => {
                    return Err(download::broke_off(&file.url, &error));
                }
                Err(error) => {
                    log::debug!("`{}` broke off: {error}", file.filename);
                    attempt += 1;
                    continue;
                }
            };
            check_hashes(&file.url, &hashes, &digests)?;
            let scanned =
                scanned.unwrap_or_else(|| archive::scan(kept.as_file_mut(), None, &enough));
            let sha256 = digests.get("sha256").cloned().unwrap_or_default();
            let looked = Looked::whole(&scanned, sha256);
            self.keep_for_a_build(kept, &looked, &file.filename, expected);
            return Ok((looked, etag));
        }
    }

    /// The archive for a build: as kept when it was looked into, or downloaded again.
    pub(super) fn archive(
        &self,
        url: &str,
        filename: &str,
        sha256: Option<&str>,
        expected: &[&Expected],
    ) -> Result<Source, FactError> {
        let kept = sha256.and_then(|sha256| self.records.archive_path(sha256, filename));
        if let Some(path) = kept.filter(|path| path.is_file()) {
            return Ok(Source { path, keep: None });
        }
        let folder = tempfile::tempdir().map_err(|error| not_kept(&error))?;
        let (path, mut saved) = named_file(folder.path(), filename)?;
        download::save(self.download, url, expected, &mut saved)?;
        Ok(Source {
            path,
            keep: Some(folder),
        })
    }

    /// A temporary file where the records are, so that it can become one of them.
    pub(super) fn temporary_file(&self) -> Result<NamedTempFile, FactError> {
        let made = match self.records.root() {
            Some(root) => std::fs::create_dir_all(root).and_then(|()| NamedTempFile::new_in(root)),
            None => NamedTempFile::new(),
        };
        made.map_err(|error| not_kept(&error))
    }

    /// Keeps an archive that a build will be needed for.
    pub(super) fn keep_for_a_build(
        &self,
        file: NamedTempFile,
        looked: &Looked,
        filename: &str,
        expected: Option<(&PackageName, &Version)>,
    ) {
        let is_static = matches!(looked.told.metadata(expected), Ok(Some(_)));
        if is_static || !looked.is_buildable() {
            return;
        }
        let sha256 = looked.sha256.as_deref().unwrap_or_default();
        let Some(path) = self.records.archive_path(sha256, filename) else {
            return;
        };
        let folder = path.parent().map_or(Ok(()), std::fs::create_dir_all);
        let kept = folder.and_then(|()| file.persist(&path).map_err(|error| error.error));
        if let Err(error) = kept {
            log::debug!("`{filename}` could not be kept: {error}");
        }
    }
}

impl Looked {
    fn in_part(told: Told) -> Self {
        Self {
            told,
            sha256: None,
            unreadable: None,
        }
    }

    pub(super) fn whole(scanned: &Result<Members, ArchiveError>, sha256: String) -> Self {
        Self {
            told: scanned.as_ref().map(Told::of).unwrap_or_default(),
            sha256: Some(sha256),
            unreadable: scanned.as_ref().err().map(Unreadable::from),
        }
    }

    /// Whether a build has something to start from, and may be run.
    ///
    /// # Errors
    ///
    /// Where a build would not help, or where reading the archive is what it is needed for.
    pub(super) fn may_be_built(&self, build: BuildPolicy) -> Result<bool, FactError> {
        let may_run = build != BuildPolicy::Never;
        let detail = match &self.unreadable {
            Some(unreadable) if !(unreadable.build_may_read && may_run) => &unreadable.detail,
            None if !self.told.is_project => "it has neither `pyproject.toml` nor `setup.py`",
            _ => return Ok(may_run),
        };
        let detail = format!("has a source distribution that is no use: {detail}");
        Err(FactError::Unusable(Unusable::Metadata { detail }))
    }

    fn is_buildable(&self) -> bool {
        match &self.unreadable {
            Some(unreadable) => unreadable.build_may_read,
            None => self.told.is_project,
        }
    }
}

/// An empty file under an archive's own name, by which pip tells its kind.
fn named_file(folder: &Path, filename: &str) -> Result<(PathBuf, DiskFile), FactError> {
    let plain = filename.rsplit(['/', '\\']).next().unwrap_or_default();
    let path = folder.join(plain);
    let file = DiskFile::options()
        .read(true)
        .write(true)
        .create_new(true)
        .open(&path);
    file.map(|file| (path, file))
        .map_err(|error| not_kept(&error))
}

/// Metadata that cannot be used, with the reason.
pub(super) fn unusable(reason: &impl ToString) -> FactError {
    let detail = reason.to_string();
    FactError::Unusable(Unusable::Metadata { detail })
}

/// A temporary file or folder that could not be made.
pub(super) fn not_kept(error: &std::io::Error) -> FactError {
    FactError::Failed {
        message: format!("could not write a temporary file: {error}"),
        hint: Some("make room, or set `TMPDIR` to a folder that can be written to".to_owned()),
    }
}

#[cfg(test)]
mod tests;
