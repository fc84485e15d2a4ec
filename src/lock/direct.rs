//! What a lock says of a direct reference: an archive, a folder, a repository.

use pep508_rs::PackageName;

use super::credentials::without_credentials;
use super::from_solution::LockContext;
use super::hashes::{self, Listing};
use super::model::is_path;
use super::{LockError, Source};
use crate::request::{DirectUrl, Request};
use crate::solve::Chosen;

/// Where a direct reference leads, and what is listed for it.
pub(super) fn pin(
    name: &PackageName,
    chosen: &Chosen,
    (direct, commit): (&DirectUrl, Option<&str>),
    request: &Request,
    context: &LockContext<'_>,
) -> Result<(Source, Listing), LockError> {
    let subdirectory = direct.subdirectory.clone();
    let url = without_credentials(&direct.url);
    let given = without_credentials(&direct.given);
    if let Some((kind, repository)) = version_control(&url) {
        let Some(commit) = commit else {
            return Err(LockError::NoCommit { name: name.clone() });
        };
        let (repository, requested_revision) = revision(repository);
        let source = Source::Vcs {
            kind: kind.to_owned(),
            url: repository.to_owned(),
            requested_revision: requested_revision.map(ToOwned::to_owned),
            commit: commit.to_owned(),
            subdirectory,
            editable: direct.editable,
        };
        return Ok((source, Listing::default()));
    }
    let Some(file) = &chosen.file else {
        let source = Source::Directory {
            given,
            editable: direct.editable,
            subdirectory,
        };
        return Ok((source, Listing::default()));
    };
    let listing = hashes::list_archive(name, chosen, file, request, context)?;
    // The absolute form of a local path is this machine's own.
    let url = if is_path(&given) {
        given.clone()
    } else {
        url.split('#').next().unwrap_or_default().to_owned()
    };
    let source = Source::Archive {
        url,
        given,
        subdirectory,
    };
    Ok((source, listing))
}

/// `git` and the repository, of a version-control URL without its fragment.
fn version_control(url: &str) -> Option<(&str, &str)> {
    let url = url.split('#').next()?;
    let (kind, repository) = url.split_once('+')?;
    let known = ["git", "hg", "svn", "bzr"].contains(&kind);
    known.then_some((kind, repository))
}

/// Splits `…/repository.git@revision`. An `@` before the path belongs to the user's name.
fn revision(repository: &str) -> (&str, Option<&str>) {
    let authority = repository.find("://").map_or(0, |at| at + 3);
    let path = repository
        .get(authority..)
        .and_then(|rest| rest.find('/'))
        .map_or(repository.len(), |slash| authority + slash);
    let (before, path) = repository.split_at(path);
    match path.rsplit_once('@') {
        Some((path, revision)) => (
            repository
                .get(..before.len() + path.len())
                .unwrap_or(repository),
            Some(revision).filter(|revision| !revision.is_empty()),
        ),
        None => (repository, None),
    }
}
