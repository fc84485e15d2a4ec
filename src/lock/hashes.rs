//! Which files and hashes a lock lists (design: hashes).
//!
//! An unchanged pin keeps its recorded hashes; a new pin lists the files of the release.
//! A hash that no index gives must be computed by download where the file suits the
//! target. A file that does not suit it is left out, and the lock says so.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

use pep508_rs::PackageName;

use super::credentials::without_credentials;
use super::from_solution::{HashListing, LockContext};
use super::{LockError, LockedFile, MissingHash};
use crate::metadata::{File, FileHash, FileKind};
use crate::request::Request;
use crate::solve::Chosen;

/// What is listed for one chosen release.
#[derive(Debug, Default)]
pub(super) struct Listing {
    pub(super) files: Vec<LockedFile>,
    pub(super) hashes: BTreeSet<FileHash>,
    pub(super) left_out: BTreeSet<String>,
    pub(super) missing: Vec<MissingHash>,
}

/// What to list for a release from an index.
pub(super) fn list(
    name: &PackageName,
    chosen: &Chosen,
    request: &Request,
    context: &LockContext<'_>,
) -> Result<Listing, LockError> {
    let given = given(name, request);
    let by_user = !given.is_empty();
    let recorded = if by_user {
        given
    } else {
        recorded(name, chosen, request)
    };
    // As a rule the index gives every hash, and there is nothing to ask of the files.
    if context.hashes == HashListing::Hashes
        && let Some(hashes) = chosen.files.sha256()
        && !hashes.is_empty()
    {
        let hashes: BTreeSet<FileHash> = hashes.iter().cloned().collect();
        if recorded.is_empty() || recorded == hashes {
            return Ok(Listing {
                hashes,
                ..Listing::default()
            });
        }
    }
    let files = chosen.files.all();
    if recorded.is_empty() || context.hashes == HashListing::None {
        return Ok(list_anew(name, files.iter(), context));
    }
    let kept: Vec<&File> = files
        .iter()
        .filter(|file| all_hashes(file, context).any(|hash| recorded.contains(&hash)))
        .collect();
    let wanted = wanted(files.iter(), context);
    let serves = kept.iter().any(|file| wanted.contains(&file.filename));
    // An index that gives no such hashes cannot contradict a record, and the record came
    // from a download: it stands, as long as only hashes are to be listed.
    let comparable = files
        .iter()
        .filter(|file| wanted.contains(&file.filename))
        .flat_map(|file| all_hashes(file, context))
        .any(|hash| {
            recorded
                .iter()
                .any(|known| known.algorithm() == hash.algorithm())
        });
    let stands = serves || (!comparable && context.hashes == HashListing::Hashes);
    if !stands && by_user && comparable {
        let name = name.clone();
        return Err(match kept.first() {
            Some(file) => LockError::HashElsewhere {
                file: file.filename.clone(),
                name,
            },
            None => LockError::HashMismatch {
                version: chosen.version.clone(),
                name,
            },
        });
    }
    if !stands {
        // None of the recorded files can be installed on this target: the record is of
        // no use to it, and the release is listed like a new pin.
        return Ok(list_anew(name, files.iter(), context));
    }
    let mut listing = list_anew(name, kept, context);
    listing.hashes = recorded;
    Ok(listing)
}

/// What to list for an archive at a direct reference.
pub(super) fn list_archive(
    name: &PackageName,
    chosen: &Chosen,
    file: &File,
    request: &Request,
    context: &LockContext<'_>,
) -> Result<Listing, LockError> {
    let given = given(name, request);
    let mut found = all_hashes(file, context).peekable();
    if !given.is_empty() && found.peek().is_some() && !found.any(|hash| given.contains(&hash)) {
        return Err(LockError::HashMismatch {
            name: name.clone(),
            version: chosen.version.clone(),
        });
    }
    Ok(list_anew(name, [file], context))
}

/// Lists all of the files, as a new pin does.
fn list_anew<'a>(
    name: &PackageName,
    files: impl IntoIterator<Item = &'a File>,
    context: &LockContext<'_>,
) -> Listing {
    let mut files: Vec<&File> = files.into_iter().collect();
    // Where a release has several source distributions, a `.tar.gz` is the one of PEP 625.
    files.sort_by_key(|file| {
        (
            file.filename.strip_suffix(".tar.gz").is_none(),
            &file.filename,
        )
    });
    // Only where a hash is missing does it matter what is wanted.
    let wanted_names = OnceCell::new();
    let is_wanted = |file: &File| {
        let names = wanted_names.get_or_init(|| wanted(files.iter().copied(), context));
        names.contains(&file.filename)
    };
    let mut listing = Listing::default();
    for file in files.iter().copied() {
        if context.hashes == HashListing::Files && is_second_sdist(file, &listing) {
            listing.left_out.insert(file.filename.clone());
            continue;
        }
        let Some(sha256) = sha256(file, context) else {
            if context.hashes == HashListing::None {
                listing.files.push(locked(file, BTreeMap::new(), context));
            } else if is_wanted(file) {
                listing.missing.push(MissingHash {
                    name: name.clone(),
                    filename: file.filename.clone(),
                    url: without_credentials(&file.url),
                });
            } else {
                listing.left_out.insert(file.filename.clone());
            }
            continue;
        };
        if context.hashes != HashListing::None {
            listing.hashes.insert(FileHash::new("sha256", &sha256));
        }
        let hashes = BTreeMap::from([("sha256".to_owned(), sha256)]);
        listing.files.push(locked(file, hashes, context));
    }
    listing
        .files
        .sort_by(|a, b| (&a.filename, &a.location).cmp(&(&b.filename, &b.location)));
    listing
}

/// Whether a source distribution is listed already: pylock.toml has one to a release.
fn is_second_sdist(file: &File, listing: &Listing) -> bool {
    let is_wheel = |filename: &str| filename.strip_suffix(".whl").is_some();
    !is_wheel(&file.filename)
        && listing
            .files
            .iter()
            .any(|listed| !is_wheel(&listed.filename))
}

/// The hashes that the user's lines give.
fn given(name: &PackageName, request: &Request) -> BTreeSet<FileHash> {
    request
        .requirements
        .iter()
        .filter(|line| &line.name == name)
        .flat_map(|line| line.hashes.iter().cloned())
        .map(FileHash::from)
        .collect()
}

/// The hashes that the existing lock recorded for the same version; none where it has
/// no sha256, which every file is pinned by.
fn recorded(name: &PackageName, chosen: &Chosen, request: &Request) -> BTreeSet<FileHash> {
    request
        .pins
        .get(name)
        .filter(|pin| pin.version == chosen.version)
        .filter(|pin| pin.hashes.iter().any(|hash| hash.algorithm() == "sha256"))
        .map(|pin| pin.hashes.iter().cloned().collect())
        .unwrap_or_default()
}

/// The files that an installer on the target would take: wheels that suit it, and source
/// distributions where no wheel does.
fn wanted<'a>(
    files: impl IntoIterator<Item = &'a File>,
    context: &LockContext<'_>,
) -> BTreeSet<String> {
    let (mut wheels, mut sdists) = (BTreeSet::new(), BTreeSet::new());
    for file in files {
        match &file.kind {
            FileKind::Wheel(wheel) if (context.suits)(wheel) => {
                wheels.insert(file.filename.clone());
            }
            FileKind::Wheel(_) | FileKind::Variants(_) => {}
            FileKind::Sdist(_) => {
                sdists.insert(file.filename.clone());
            }
        }
    }
    if wheels.is_empty() { sdists } else { wheels }
}

fn all_hashes<'a>(
    file: &'a File,
    context: &'a LockContext<'_>,
) -> impl Iterator<Item = FileHash> + 'a {
    let computed = context
        .computed_hashes
        .get(&file.url)
        .map(|digest| FileHash::new("sha256", digest));
    file.hashes
        .pairs()
        .map(|(algorithm, digest)| FileHash::new(algorithm, digest))
        .chain(computed)
}

fn sha256(file: &File, context: &LockContext<'_>) -> Option<String> {
    file.sha256()
        .map(ToOwned::to_owned)
        .or_else(|| context.computed_hashes.get(&file.url).cloned())
}

fn locked(file: &File, hashes: BTreeMap<String, String>, context: &LockContext<'_>) -> LockedFile {
    LockedFile {
        filename: file.filename.clone(),
        location: relative(&without_credentials(&file.url), context.folder.as_deref()),
        hashes,
        size: file.size,
        upload_time: file.upload_time,
    }
}

/// A file below the lock's own folder is named by its relative path, so that the lock
/// means the same in another checkout.
fn relative(url: &str, folder: Option<&str>) -> String {
    folder
        .filter(|folder| folder.starts_with("file:"))
        .and_then(|folder| url.strip_prefix(folder.trim_end_matches('/')))
        .and_then(|path| path.strip_prefix('/'))
        .filter(|path| !path.is_empty())
        .map_or_else(|| url.to_owned(), |path| format!("./{path}"))
}
