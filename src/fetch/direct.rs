//! Direct references: archives at a URL or a path, folders, repositories.

mod folder;
mod git;
mod reference;

use std::collections::BTreeMap;
use std::io::Seek;
use std::path::Path;
use std::str::FromStr;

use pep508_rs::PackageName;
use serde::{Deserialize, Serialize};

use self::git::Repository;
use self::reference::{
    Fragment, by_algorithm, checked_subdirectory, extension, filename, is_wheel, not_understood,
    refused_scheme, wheel_name,
};
use super::archive;
use super::build::{Project, Source};
use super::download::{self, Digested, Expected, check_hashes, file_path, without_credentials};
use super::sdist::{Learned, Looked, Sources, Told, decides, not_kept, unusable};
use crate::metadata::{File, FileKind, Metadata, SdistName};
use crate::request::{BuildPolicy, DirectUrl};
use crate::solve::{DirectFacts, FactError, Unusable};

/// What an archive at a URL was found to be, as it is remembered.
#[derive(Serialize, Deserialize)]
struct Remembered {
    digested: Digested,
    contents: Contents,
}

/// What an archive says.
#[derive(Clone, Serialize, Deserialize)]
enum Contents {
    /// A wheel's METADATA.
    Wheel(String),
    /// A source distribution.
    Sdist(Looked),
}

impl Sources<'_> {
    /// What is found at a direct reference.
    ///
    /// `hashes` are those that stand on the user's line, `(algorithm, hexadecimal)`; an
    /// archive must have one of each algorithm, and those in the URL's fragment.
    ///
    /// # Errors
    ///
    /// As [`Sources::sdist_metadata`]; [`FactError::Failed`] also for a reference that
    /// cannot be understood, a hash that differs, a revision that does not exist.
    pub fn direct(
        &self,
        reference: &DirectUrl,
        hashes: &[(String, String)],
        build: BuildPolicy,
    ) -> Result<Learned<DirectFacts>, FactError> {
        let url = reference.url.as_str();
        let fragment = Fragment::parse(url);
        let subdirectory = reference
            .subdirectory
            .clone()
            .or_else(|| fragment.subdirectory.clone());
        let subdirectory = checked_subdirectory(reference, subdirectory)?;
        let subdirectory = subdirectory.as_deref();
        let scheme = url.split_once(':').map_or("", |(scheme, _)| scheme);
        match scheme {
            "https" | "http" => self.direct_archive(url, subdirectory, hashes, build),
            "file" => {
                let path = file_path(url).ok_or_else(|| not_understood(reference))?;
                if path.is_dir() {
                    self.direct_folder(&path, subdirectory, build)
                } else {
                    self.direct_archive(url, subdirectory, hashes, build)
                }
            }
            git if git == "git" || git.starts_with("git+") => {
                self.direct_repository(url, subdirectory, build)
            }
            other => Err(refused_scheme(reference, other)),
        }
    }

    /// The name of the project in a folder, for a line that does not give it.
    ///
    /// # Errors
    ///
    /// As [`Sources::direct`], where only a build can tell the name.
    pub fn project_name(
        &self,
        folder: &Path,
        build: BuildPolicy,
    ) -> Result<PackageName, FactError> {
        if let Some(name) = folder::told(folder)?.static_name() {
            return Ok(name);
        }
        let setup_cfg = folder::read(&folder.join("setup.cfg"))?;
        if let Some(name) = setup_cfg.as_deref().and_then(setup_cfg_name) {
            return Ok(name);
        }
        let learned = self.direct_folder(folder, None, build)?;
        Ok(learned.value.metadata.name)
    }

    fn direct_folder(
        &self,
        path: &Path,
        subdirectory: Option<&str>,
        build: BuildPolicy,
    ) -> Result<Learned<DirectFacts>, FactError> {
        let path = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
        let project_path = match subdirectory {
            Some(subdirectory) => path.join(subdirectory),
            None => path.clone(),
        };
        let told = folder::told(&project_path)?;
        if !told.is_project {
            return Err(FactError::Failed {
                message: format!(
                    "`{}` is no Python project: it has neither `pyproject.toml` nor `setup.py`",
                    project_path.display()
                ),
                hint: None,
            });
        }
        let learned = match told.metadata_of_tree()? {
            Some(value) => Learned { value, built: None },
            None if build == BuildPolicy::Never => return Err(needs_build()),
            None => {
                let project = Project {
                    what: &path.to_string_lossy(),
                    subdirectory,
                    identity: None,
                };
                self.built(project, || folder::copy(&path), None)?
            }
        };
        Ok(facts(learned, None, None))
    }

    fn direct_repository(
        &self,
        url: &str,
        subdirectory: Option<&str>,
        build: BuildPolicy,
    ) -> Result<Learned<DirectFacts>, FactError> {
        let repository = Repository::parse(url)?;
        let (told, commit) = self.repository_told(&repository, subdirectory)?;
        let learned = match told.metadata_of_tree()? {
            Some(value) => Learned { value, built: None },
            None if build == BuildPolicy::Never => return Err(needs_build()),
            None => {
                let identity = format!("{} {commit}", repository.url);
                let project = Project {
                    what: &without_credentials(url),
                    subdirectory,
                    identity: Some(&identity),
                };
                let source = || {
                    let keep = repository.fetch(Some(&commit))?.check_out()?;
                    Ok(Source {
                        path: keep.path().to_path_buf(),
                        keep: Some(keep),
                    })
                };
                self.built(project, source, None)?
            }
        };
        Ok(facts(learned, None, Some(commit)))
    }

    /// What the project in a repository says, and the commit that says it. What a commit
    /// says never changes, so it is remembered; what a branch points to is asked each time.
    fn repository_told(
        &self,
        repository: &Repository,
        subdirectory: Option<&str>,
    ) -> Result<(Told, String), FactError> {
        let inside = subdirectory.unwrap_or_default();
        let revision = repository.revision.as_deref().unwrap_or("HEAD");
        let pointer = format!("{} {revision}", repository.url);
        let commit = if self.download.offline() && !git::is_commit(revision) {
            let seen = self.records.get::<String>("revision", &pointer);
            Some(seen.ok_or_else(|| offline(&repository.url))?)
        } else {
            repository.commit()?
        };
        if let Some(commit) = &commit {
            let key = format!("{} {commit} {inside}", repository.url);
            if let Some(told) = self.records.get("commit", &key) {
                self.records.put("revision", &pointer, commit);
                return Ok((told, commit.clone()));
            }
        }
        if self.download.offline() {
            return Err(offline(&repository.url));
        }
        let clone = repository.fetch(commit.as_deref())?;
        let told = clone.told(subdirectory)?;
        let commit = clone.commit().to_owned();
        if !told.is_project {
            return Err(FactError::Failed {
                message: format!(
                    "`{}` at {commit} is no Python project: it has neither `pyproject.toml` \
                     nor `setup.py`",
                    repository.url
                ),
                hint: Some("name the project's folder with `#subdirectory=`".to_owned()),
            });
        }
        let key = format!("{} {commit} {inside}", repository.url);
        self.records.put("commit", &key, &told);
        self.records.put("revision", &pointer, &commit);
        Ok((told, commit))
    }

    fn direct_archive(
        &self,
        url: &str,
        subdirectory: Option<&str>,
        hashes: &[(String, String)],
        build: BuildPolicy,
    ) -> Result<Learned<DirectFacts>, FactError> {
        let shown = without_credentials(url);
        let filename = filename(&shown);
        let (in_fragment, on_line) = (Fragment::parse(url).hashes, by_algorithm(hashes));
        let expected = [&in_fragment, &on_line];
        let Remembered { digested, contents } =
            self.read_archive(url, &filename, subdirectory, &expected)?;
        let file = |metadata: &Metadata, kind: FileKind| File {
            filename: filename.clone(),
            url: shown.clone(),
            hashes: [("sha256".to_owned(), digested.sha256.clone())].into(),
            size: Some(digested.size),
            upload_time: None,
            requires_python: None,
            yanked: None,
            sidecar: None,
            version: metadata.version.clone(),
            kind,
        };
        match contents {
            Contents::Wheel(text) => {
                let wheel = wheel_name(&filename)?;
                let expected = Some((&wheel.name, &wheel.version));
                let metadata =
                    Metadata::parse(text.as_bytes(), expected).map_err(|error| unusable(&error))?;
                let file = file(&metadata, FileKind::Wheel(wheel));
                let value = metadata;
                Ok(facts(Learned { value, built: None }, Some(file), None))
            }
            Contents::Sdist(looked) => {
                let learned = match looked.told.metadata(None)? {
                    Some(value) => Learned { value, built: None },
                    None if !looked.may_be_built(build)? => return Err(needs_build()),
                    None => {
                        let identity = Some(digested.sha256.as_str());
                        let project = Project {
                            what: &filename,
                            subdirectory,
                            identity,
                        };
                        let source = || self.archive(url, &filename, identity, &expected);
                        self.built(project, source, None)?
                    }
                };
                let kind = FileKind::Sdist(SdistName {
                    name: learned.value.name.clone(),
                    version: learned.value.version.clone(),
                    extension: extension(&filename).to_owned(),
                });
                let file = file(&learned.value, kind);
                Ok(facts(learned, Some(file), None))
            }
        }
    }

    /// Reads an archive, or remembers what it said: where its hash is given, where the
    /// server says that it is the same still, and where the network may not be used.
    fn read_archive(
        &self,
        url: &str,
        filename: &str,
        subdirectory: Option<&str>,
        expected: &[&Expected],
    ) -> Result<Remembered, FactError> {
        let is_local = file_path(url).is_some();
        let key = format!(
            "{} {}",
            without_credentials(url),
            subdirectory.unwrap_or_default()
        );
        let known = self
            .records
            .get::<Remembered>("direct", &key)
            .filter(|_| !is_local);
        if let Some(known) = known {
            let sha256 = &known.digested.sha256;
            let is_pinned = expected
                .iter()
                .filter_map(|hashes| hashes.get("sha256"))
                .any(|wanted| {
                    wanted
                        .split(' ')
                        .any(|wanted| wanted.eq_ignore_ascii_case(sha256))
                });
            let is_same = || {
                let etag = known.digested.etag.as_ref()?;
                let body = self.download.open(url).ok()?;
                (body.etag.as_ref() == Some(etag)).then_some(())
            };
            if is_pinned || self.download.offline() || is_same().is_some() {
                let found = BTreeMap::from([("sha256".to_owned(), sha256.clone())]);
                for hashes in expected {
                    check_hashes(url, hashes, &found)?;
                }
                return Ok(known);
            }
        }
        let read = self.read_archive_anew(url, filename, subdirectory, expected)?;
        if !is_local {
            self.records.put("direct", &key, &read);
        }
        Ok(read)
    }

    fn read_archive_anew(
        &self,
        url: &str,
        filename: &str,
        subdirectory: Option<&str>,
        expected: &[&Expected],
    ) -> Result<Remembered, FactError> {
        let mut kept = self.temporary_file()?;
        let digested = download::save(self.download, url, expected, kept.as_file_mut())?;
        let contents = if is_wheel(filename) {
            let wheel = wheel_name(filename)?;
            kept.as_file_mut()
                .rewind()
                .map_err(|error| not_kept(&error))?;
            let bytes = archive::wheel_metadata(kept.as_file_mut(), &wheel)
                .map_err(|error| unusable(&format!("`{filename}` cannot be used: {error}")))?;
            Contents::Wheel(String::from_utf8_lossy(&bytes).into_owned())
        } else {
            let decided = |members: &archive::Members| decides(members, None);
            let scanned = archive::scan(kept.as_file_mut(), subdirectory, &decided);
            let looked = Looked::whole(&scanned, digested.sha256.clone());
            if file_path(url).is_none() {
                self.keep_for_a_build(kept, &looked, filename, None);
            }
            Contents::Sdist(looked)
        };
        Ok(Remembered { digested, contents })
    }
}

impl Told {
    /// The name, where it is written down; unlike other metadata it is never dynamic.
    fn static_name(&self) -> Option<PackageName> {
        let table = self.pyproject.as_deref()?.parse::<toml::Table>().ok()?;
        let project = table.get("project").and_then(|table| table.get("name"));
        let poetry = || table.get("tool")?.get("poetry")?.get("name");
        let name = project.or_else(poetry)?.as_str()?;
        PackageName::from_str(name).ok()
    }
}

/// The name in setup.cfg's `[metadata]`; `None` also where it is computed (`attr:`).
fn setup_cfg_name(text: &str) -> Option<PackageName> {
    let mut lines = text.lines();
    lines.find(|line| line.trim() == "[metadata]")?;
    let value = lines
        .take_while(|line| !line.starts_with('['))
        .filter_map(|line| line.split_once(['=', ':']))
        .find(|(key, _)| key.trim() == "name")?
        .1;
    PackageName::from_str(value.trim()).ok()
}

fn facts(
    learned: Learned<Metadata>,
    file: Option<File>,
    commit: Option<String>,
) -> Learned<DirectFacts> {
    let Learned { value, built } = learned;
    let value = DirectFacts {
        metadata: value,
        file,
        commit,
    };
    Learned { value, built }
}

fn needs_build() -> FactError {
    FactError::Unusable(Unusable::NeedsBuild)
}

fn offline(url: &str) -> FactError {
    FactError::Failed {
        message: format!("what `{url}` holds is not in the cache, and `--offline` forbids to ask"),
        hint: Some("run once without `--offline`".to_owned()),
    }
}

#[cfg(test)]
mod tests;
