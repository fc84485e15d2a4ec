//! METADATA, or what tells of its variant, out of a wheel that lies elsewhere, by as few bytes as
//! its layout allows.

use pep440_rs::Version;
use pep508_rs::PackageName;

use super::client::Client;
use super::error::FetchError;
use super::remote_zip::{RemoteFile, RemoteSource};
use super::zip_directory::{
    self, DirectoryPlace, End, Entry, LOCAL_SIZE, ZipError, find_directory,
};
use crate::metadata::WheelName;

/// How much of a wheel's end the first request takes.
///
/// Over 101 wheels that the stacks of ML users name, this held METADATA in 85 cases (32 KiB:
/// 70, 128 KiB: 93), and the place of METADATA in all but those where it is written first.
const TAIL: u64 = 64 << 10;

/// How much of a large directory's beginning is looked at before all of it.
const HEAD: u64 = 32 << 10;

/// No METADATA is larger than this, in bytes.
pub(super) const METADATA_LIMIT: u64 = 10 << 20;

/// No central directory is larger than this, in bytes.
const DIRECTORY_LIMIT: u64 = 64 << 20;

/// How much longer a local header's extra field may be than zero without a second request.
const EXTRA_ALLOWANCE: u64 = 128;

/// Why a wheel gave no METADATA.
#[derive(Debug)]
pub enum WheelError {
    /// It could not be fetched.
    Fetch(FetchError),
    /// It was fetched, checked where that was possible, and is not readable as a wheel.
    Malformed(String),
}

impl From<FetchError> for WheelError {
    fn from(error: FetchError) -> Self {
        Self::Fetch(error)
    }
}

impl From<ZipError> for WheelError {
    fn from(error: ZipError) -> Self {
        Self::Malformed(error.to_string())
    }
}

/// Which file of a wheel's `.dist-info` folder is read.
#[derive(Debug, Clone, Copy)]
struct Wanted<'w> {
    wheel: &'w WheelName,
    name: &'static str,
}

/// Reads the METADATA of a wheel.
///
/// # Errors
///
/// [`WheelError`].
pub async fn wheel_metadata(
    client: &Client,
    source: RemoteSource,
    wheel: &WheelName,
) -> Result<Vec<u8>, WheelError> {
    let name = "METADATA";
    read_of_wheel(client, source, Wanted { wheel, name }).await
}

/// Reads what a labelled wheel says of its variant (PEP 825, draft).
///
/// # Errors
///
/// [`WheelError`].
pub async fn wheel_variant(
    client: &Client,
    source: RemoteSource,
    wheel: &WheelName,
) -> Result<Vec<u8>, WheelError> {
    let name = "variant.json";
    read_of_wheel(client, source, Wanted { wheel, name }).await
}

async fn read_of_wheel(
    client: &Client,
    source: RemoteSource,
    wanted: Wanted<'_>,
) -> Result<Vec<u8>, WheelError> {
    let mut file = RemoteFile::open(client, source, TAIL).await?;
    match read_wanted(&mut file, wanted).await {
        // The parts may have been garbled on the way; the whole has a hash to check it by.
        Err(WheelError::Malformed(detail)) if !file.is_whole() => {
            log::debug!("read by ranges, {detail}: reading all of it");
            file.fetch_whole().await?;
            read_wanted(&mut file, wanted).await
        }
        other => other,
    }
}

async fn read_wanted(file: &mut RemoteFile, wanted: Wanted<'_>) -> Result<Vec<u8>, WheelError> {
    let place = loop {
        let start = file
            .length()
            .saturating_sub(TAIL.max(file.tail().0.len() as u64));
        file.extend_tail(start).await?;
        let (tail, tail_start) = file.tail();
        match find_directory(tail, tail_start)? {
            End::Directory(place) => break place,
            End::NeedsFrom(from) => file.extend_tail(from).await?,
        }
    };
    let (tail, tail_start) = file.tail();
    let within = slice(tail, tail_start, place.start.max(tail_start), place.end);
    let entry = if place.start >= tail_start {
        find_wanted(zip_directory::entries(within)?, wanted)
    } else {
        // Most wheels are written with `.dist-info` last, and those that were packed anew
        // with it first: of a directory of a megabyte either end is enough.
        match exact(zip_directory::last_entries(within), wanted) {
            Some(entry) => Some(entry),
            None => find_in_large_directory(file, place, tail_start, wanted).await?,
        }
    };
    let entry = entry
        .ok_or_else(|| WheelError::Malformed(format!("it has no `.dist-info/{}`", wanted.name)))?;
    read_entry(file, place, &entry, wanted.name).await
}

async fn find_in_large_directory(
    file: &mut RemoteFile,
    place: DirectoryPlace,
    tail_start: u64,
    wanted: Wanted<'_>,
) -> Result<Option<Entry>, WheelError> {
    let head_end = place.start.saturating_add(HEAD).min(tail_start);
    let head = file.read(place.start, head_end).await?;
    if let Some(entry) = exact(zip_directory::first_entries(&head), wanted) {
        return Ok(Some(entry));
    }
    if place.end - place.start > DIRECTORY_LIMIT {
        return Err(WheelError::Malformed(format!(
            "its central directory is larger than {DIRECTORY_LIMIT} bytes"
        )));
    }
    let mut directory = head;
    directory.extend(file.read(head_end, place.end).await?);
    Ok(find_wanted(zip_directory::entries(&directory)?, wanted))
}

async fn read_entry(
    file: &mut RemoteFile,
    place: DirectoryPlace,
    entry: &Entry,
    name: &str,
) -> Result<Vec<u8>, WheelError> {
    if entry.compressed > METADATA_LIMIT {
        return Err(WheelError::Malformed(format!(
            "its {name} is larger than {METADATA_LIMIT} bytes"
        )));
    }
    let start = entry.offset.saturating_add(place.shift);
    let header = LOCAL_SIZE + entry.name.len() as u64;
    let end =
        |extra: u64| (start.saturating_add(header + extra + entry.compressed)).min(place.start);
    let mut bytes = file
        .read(start.min(place.start), end(EXTRA_ALLOWANCE))
        .await?;
    let content = zip_directory::content_start(&bytes, entry)?;
    let needed = content + entry.compressed;
    if (bytes.len() as u64) < needed {
        let more = file
            .read(
                start + bytes.len() as u64,
                (start + needed).min(place.start),
            )
            .await?;
        bytes.extend(more);
    }
    let content = slice(&bytes, 0, content, needed);
    Ok(zip_directory::unpack(content, entry, METADATA_LIMIT)?)
}

/// The file out of a whole directory: the wheel's own by name and version, else the only
/// one there is, whose content then tells whether it is for the wheel. Of several entries
/// with one name the last counts, as for Python's `zipfile`.
fn find_wanted(entries: Vec<Entry>, wanted: Wanted<'_>) -> Option<Entry> {
    let all: Vec<Entry> = entries
        .into_iter()
        .filter(|entry| distribution(entry, wanted.name).is_some())
        .collect();
    let last = all.last()?.clone();
    let only = all.iter().all(|entry| entry.name == last.name);
    exact(all, wanted).or_else(|| only.then_some(last))
}

/// The last one that is by its path the wheel's own.
fn exact(entries: Vec<Entry>, wanted: Wanted<'_>) -> Option<Entry> {
    entries
        .into_iter()
        .rev()
        .find(|entry| is_exact(entry, wanted))
}

fn is_exact(entry: &Entry, Wanted { wheel, name }: Wanted<'_>) -> bool {
    let Some((name, version)) = distribution(entry, name).and_then(|stem| stem.split_once('-'))
    else {
        return false;
    };
    name.parse::<PackageName>()
        .is_ok_and(|name| name == wheel.name)
        && version
            .parse::<Version>()
            .is_ok_and(|version| version == wheel.version)
}

/// `name-version` of `name-version.dist-info/METADATA` at the archive's top.
fn distribution<'e>(entry: &'e Entry, wanted: &str) -> Option<&'e str> {
    std::str::from_utf8(&entry.name)
        .ok()?
        .strip_suffix(wanted)?
        .strip_suffix(".dist-info/")
        .filter(|stem| !stem.contains('/'))
}

/// The part of `bytes`, which begin at the offset `start`, between two offsets.
fn slice(bytes: &[u8], start: u64, from: u64, to: u64) -> &[u8] {
    let position =
        |offset: u64| usize::try_from(offset.saturating_sub(start)).unwrap_or(usize::MAX);
    bytes.get(position(from)..position(to)).unwrap_or_default()
}
