//! Whole files: downloaded once, hashed on the way.

use std::collections::BTreeMap;
use std::fs::File as DiskFile;
use std::io::{self, Read, Seek, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256, Sha384, Sha512};
use url::Url;

use super::body::{AnswerBody, BodyReader};
use super::client::{Ask, Client};
use super::digest::hexadecimal;
use super::records::Records;
use super::threads::Threads;
use crate::metadata::File;
use crate::solve::FactError;

/// How often a download whose body broke off is tried.
pub(super) const ATTEMPTS: u32 = 3;

/// How many files are hashed at once.
const AT_ONCE: usize = 8;

/// The one thing that direct references and source distributions need of the network.
pub trait Download: Sync {
    /// Asks for a URL and gives its body to read.
    ///
    /// The URL may hold credentials. What the URL answers with instead of a body (refused,
    /// not found, no connection after the client's retries) is the error.
    fn open(&self, url: &str) -> Result<Body, FactError>;

    /// Whether the network may not be used (`--offline`); then `open` always fails.
    fn offline(&self) -> bool {
        false
    }
}

/// The answer to a request for a file.
pub struct Body {
    /// The bytes.
    pub reader: Box<dyn Read + Send>,
    /// How many there are, where the server says.
    pub size: Option<u64>,
    /// The server's name for exactly these bytes (`ETag`), where it gives one.
    pub etag: Option<String>,
}

/// Downloads with the index client: its credentials, certificates, retries and bounds.
#[derive(Debug, Clone)]
pub struct ClientDownload {
    client: Client,
    threads: Threads,
}

impl ClientDownload {
    /// Downloads that these threads drive; they are read on others.
    pub fn new(client: Client, threads: Threads) -> Self {
        Self { client, threads }
    }
}

impl Download for ClientDownload {
    fn open(&self, url: &str) -> Result<Body, FactError> {
        let parsed = Url::parse(url).map_err(|error| FactError::Failed {
            message: format!("`{}` is no URL: {error}", without_credentials(url)),
            hint: None,
        })?;
        // The body is not read into memory, so that no bound is needed.
        let ask = Ask::new(parsed, u64::MAX).verbatim();
        let runtime = self.threads.handle()?;
        let answer = runtime.block_on(self.client.open(&ask))?;
        let etag = answer.header(&reqwest::header::ETAG).map(str::to_owned);
        let (reader, size): (Box<dyn Read + Send>, _) = match answer.body {
            AnswerBody::Unread(stream) => {
                let size = stream.expected();
                let reader = BodyReader::new(*stream, runtime.clone());
                (Box::new(reader), size)
            }
            AnswerBody::Whole(bytes) | AnswerBody::Packed(bytes) => {
                let size = Some(bytes.len() as u64);
                (Box::new(io::Cursor::new(bytes)), size)
            }
        };
        Ok(Body { reader, size, etag })
    }

    fn offline(&self) -> bool {
        self.client.offline()
    }
}

/// What was learned of a file by reading all of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digested {
    /// The sha256, hexadecimal.
    pub sha256: String,
    /// The size in bytes.
    pub size: u64,
    /// The `ETag` that the file was served with.
    pub etag: Option<String>,
}

/// The hashes that a file may have, by algorithm: hexadecimal, several between spaces.
pub(super) type Expected = BTreeMap<String, String>;

/// A reader that hashes what passes through it and copies it to a file.
pub(super) struct Tee<R> {
    inner: R,
    copy: Option<DiskFile>,
    hashes: Hashes,
    size: u64,
    broken: bool,
}

/// The digests that a reference may be checked against.
#[derive(Default)]
struct Hashes {
    sha256: Sha256,
    longer: Option<(Sha384, Sha512)>,
}

impl<R: Read> Tee<R> {
    /// Hashes with sha256; with the longer digests of the family where `expected` names one.
    pub(super) fn new(inner: R, copy: Option<DiskFile>, expected: &[&Expected]) -> Self {
        let longer = expected
            .iter()
            .any(|hashes| hashes.contains_key("sha384") || hashes.contains_key("sha512"));
        let hashes = Hashes {
            sha256: Sha256::default(),
            longer: longer.then(Default::default),
        };
        Self {
            inner,
            copy,
            hashes,
            size: 0,
            broken: false,
        }
    }

    /// Reads the rest, and gives the hashes by algorithm and the size.
    pub(super) fn finish(mut self) -> io::Result<(BTreeMap<String, String>, u64)> {
        io::copy(&mut self, &mut io::sink())?;
        if let Some(copy) = &mut self.copy {
            copy.flush()?;
        }
        let mut found = BTreeMap::new();
        let sha256 = hexadecimal(&self.hashes.sha256.finalize());
        found.insert("sha256".to_owned(), sha256);
        if let Some((sha384, sha512)) = self.hashes.longer {
            found.insert("sha384".to_owned(), hexadecimal(&sha384.finalize()));
            found.insert("sha512".to_owned(), hexadecimal(&sha512.finalize()));
        }
        Ok((found, self.size))
    }
}

impl<R: Read> Read for Tee<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.broken {
            // What comes after a failure is not what follows in the file.
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let read = self.inner.read(buffer);
        self.broken = matches!(&read, Err(error) if error.kind() != io::ErrorKind::Interrupted);
        let count = read?;
        let bytes = buffer.get(..count).unwrap_or_default();
        self.hashes.sha256.update(bytes);
        if let Some((sha384, sha512)) = &mut self.hashes.longer {
            sha384.update(bytes);
            sha512.update(bytes);
        }
        if let Some(copy) = &mut self.copy {
            copy.write_all(bytes)?;
        }
        self.size += count as u64;
        Ok(count)
    }
}

/// Opens a URL, on disk or on the network.
pub(super) fn open(download: &dyn Download, url: &str) -> Result<Body, FactError> {
    let Some(path) = file_path(url) else {
        return download.open(url);
    };
    let opened = DiskFile::open(&path).and_then(|file| {
        let size = file.metadata()?.len();
        Ok((file, size))
    });
    let (file, size) = opened.map_err(|error| FactError::Failed {
        message: format!("could not read `{}`: {error}", path.display()),
        hint: None,
    })?;
    Ok(Body {
        reader: Box::new(file),
        size: Some(size),
        etag: None,
    })
}

/// Downloads a URL into a file that is empty, and checks it against the hashes.
pub(super) fn save(
    download: &dyn Download,
    url: &str,
    expected: &[&Expected],
    into: &mut DiskFile,
) -> Result<Digested, FactError> {
    let mut attempt = 1;
    loop {
        let body = open(download, url)?;
        let etag = body.etag;
        let read = into
            .rewind()
            .and_then(|()| into.set_len(0))
            .and_then(|()| into.try_clone())
            .and_then(|copy| Tee::new(body.reader, Some(copy), expected).finish());
        match read {
            Ok((found, size)) => {
                for expected in expected {
                    check_hashes(url, expected, &found)?;
                }
                let sha256 = found.get("sha256").cloned().unwrap_or_default();
                return Ok(Digested { sha256, size, etag });
            }
            Err(error) if attempt < ATTEMPTS => {
                log::debug!("`{}` broke off: {error}", without_credentials(url));
                attempt += 1;
            }
            Err(error) => return Err(broke_off(url, &error)),
        }
    }
}

/// A download whose body could not be read to its end.
pub(super) fn broke_off(url: &str, error: &io::Error) -> FactError {
    FactError::Failed {
        message: format!(
            "could not download `{}` in {ATTEMPTS} attempts: {error}",
            without_credentials(url)
        ),
        hint: Some("check the network and try again".to_owned()),
    }
}

/// Compares hashes that were found with those that were expected.
///
/// One match is enough, as pip has it: a line may list the hashes of several files.
/// Algorithms other than the sha2 family say nothing.
pub(super) fn check_hashes(
    url: &str,
    expected: &Expected,
    found: &BTreeMap<String, String>,
) -> Result<(), FactError> {
    for (algorithm, wanted) in expected {
        let Some(got) = found.get(algorithm) else {
            continue;
        };
        if !wanted
            .split(' ')
            .any(|wanted| wanted.eq_ignore_ascii_case(got))
        {
            return Err(FactError::Failed {
                message: format!(
                    "`{}` has {algorithm} `{got}`, but `{wanted}` was expected",
                    without_credentials(url)
                ),
                hint: Some(
                    "the file changed, or is not the one that was meant: \
                     check where it comes from before you change the hash"
                        .to_owned(),
                ),
            });
        }
    }
    Ok(())
}

/// The sha256 of files that their index publishes none for, in the order of the files.
///
/// Each is downloaded once; a later run knows it again by its URL and size, or its `ETag`.
pub fn hash_files(
    download: &dyn Download,
    records: &Records,
    files: &[&File],
) -> Vec<Result<String, FactError>> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(BTreeMap::new());
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE.min(files.len()) {
            scope.spawn(|| {
                while let Some((index, file)) = take(&next, files) {
                    let hash = hash_file(download, records, &file.url, file.size);
                    done.lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .insert(index, hash);
                }
            });
        }
    });
    let done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.into_values().collect()
}

fn take<'a>(next: &AtomicUsize, files: &[&'a File]) -> Option<(usize, &'a File)> {
    let index = next.fetch_add(1, Ordering::Relaxed);
    files.get(index).map(|file| (index, *file))
}

/// The sha256 of one file, which is read through but not kept.
///
/// `size` is what the index says; where it and the record agree, nothing is asked.
pub fn hash_file(
    download: &dyn Download,
    records: &Records,
    url: &str,
    size: Option<u64>,
) -> Result<String, FactError> {
    let key = without_credentials(url);
    let known = records.get::<Digested>("hash", &key);
    if let Some(known) = &known
        && (size == Some(known.size) || download.offline())
    {
        return Ok(known.sha256.clone());
    }
    let mut attempt = 1;
    loop {
        let body = open(download, url)?;
        if let Some(known) = &known
            && known.etag.is_some()
            && known.etag == body.etag
        {
            return Ok(known.sha256.clone());
        }
        let etag = body.etag;
        match Tee::new(body.reader, None, &[]).finish() {
            Ok((found, size)) => {
                let sha256 = found.get("sha256").cloned().unwrap_or_default();
                let digested = Digested { sha256, size, etag };
                if file_path(url).is_none() {
                    records.put("hash", &key, &digested);
                }
                return Ok(digested.sha256);
            }
            Err(error) if attempt == ATTEMPTS => return Err(broke_off(url, &error)),
            Err(_) => attempt += 1,
        }
    }
}

/// The path that a `file:` URL stands for.
pub(super) fn file_path(url: &str) -> Option<std::path::PathBuf> {
    let url = Url::parse(url).ok()?;
    (url.scheme() == "file").then(|| url.to_file_path().ok())?
}

/// A URL for records, locks and messages: no user, no password, no fragment.
///
/// The user of an `ssh` URL stays: it is part of the address (`git@`), not a secret.
pub(super) fn without_credentials(url: &str) -> String {
    let parsed = Url::parse(url).ok().filter(|url| !url.cannot_be_a_base());
    let Some(mut parsed) = parsed else {
        // What is no such URL may still hold `user:password@`.
        return url.rsplit('@').next().unwrap_or_default().to_owned();
    };
    if !parsed.scheme().ends_with("ssh") {
        // Both fail only for URLs that cannot have them.
        let _ = parsed.set_username("");
    }
    let _ = parsed.set_password(None);
    parsed.set_fragment(None);
    parsed.into()
}

#[cfg(test)]
mod tests;
