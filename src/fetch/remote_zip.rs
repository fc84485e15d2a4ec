//! Files that are read piece by piece where they lie.
//!
//! A wheel of a gigabyte says what it depends on in a few kilobytes near its end.
//! [`RemoteFile`] fetches the end with the first request and further ranges as they are
//! asked for. It takes servers as they are: some know no suffix ranges, some no ranges
//! at all, some answer another range than they were asked for.

use std::collections::BTreeMap;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use reqwest::header::{CONTENT_RANGE, CONTENT_TYPE};
use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;
use url::Url;

use super::body::{AnswerBody, BodyStream};
use super::client::{Answer, Ask, Client};
use super::digest::hexadecimal;
use super::error::FetchError;

/// A file that comes whole where a part was asked for is taken up to this size, in bytes.
const ALWAYS_TAKEN: u64 = 1 << 20;

/// How often a download that breaks off is begun.
const DOWNLOAD_ATTEMPTS: u32 = 3;

/// What is asked for, and what is known of it.
#[derive(Debug, Clone)]
pub struct RemoteSource {
    /// The file's address: `http`, `https` or `file`.
    pub url: Url,
    /// Its size in bytes, where the index gives it.
    pub size: Option<u64>,
    /// Its sha256, hexadecimal, where the index gives it; it is checked where the whole
    /// file has to be downloaded.
    pub sha256: Option<String>,
    /// Where a whole file may be laid for as long as it is read.
    pub temporary: PathBuf,
}

/// A file that is read piece by piece.
#[derive(Debug)]
pub struct RemoteFile {
    client: Client,
    source: RemoteSource,
    length: u64,
    /// The file's last bytes.
    tail: Vec<u8>,
    /// The whole file, where it had to be downloaded or lies here.
    whole: Option<std::fs::File>,
    /// Keeps a downloaded file for as long as it is read.
    downloaded: Option<NamedTempFile>,
    moved: u64,
}

/// What is known of how a server takes ranges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum RangeSupport {
    /// All kinds, for all that is known.
    #[default]
    All,
    /// With both ends given.
    Explicit,
    /// None.
    Refused,
}

/// What is known of how servers take ranges, by origin.
#[derive(Debug, Default)]
pub(super) struct RangeSupports(Mutex<BTreeMap<String, RangeSupport>>);

impl RangeSupports {
    fn of(&self, url: &Url) -> RangeSupport {
        let origin = url.origin().ascii_serialization();
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(&origin).copied().unwrap_or_default()
    }

    fn learn(&self, url: &Url, support: RangeSupport) {
        let origin = url.origin().ascii_serialization();
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(origin, support);
    }
}

/// How a request for a range ended.
enum Ranged {
    /// With bytes of the file, from an offset, and the file's length.
    Bytes {
        start: u64,
        length: u64,
        bytes: Vec<u8>,
    },
    /// With all of the file.
    All(Vec<u8>),
    /// With the beginning of all of the file, which is large.
    Stream(Box<BodyStream>),
    /// With something that is no answer to the question.
    Useless,
}

impl RemoteFile {
    /// Opens the file and fetches its last `tail` bytes.
    ///
    /// # Errors
    ///
    /// [`FetchError`], also where the whole had to be downloaded and its hash differs.
    pub async fn open(
        client: &Client,
        source: RemoteSource,
        tail: u64,
    ) -> Result<Self, FetchError> {
        let mut file = Self {
            client: client.clone(),
            source,
            length: 0,
            tail: Vec::new(),
            whole: None,
            downloaded: None,
            moved: 0,
        };
        if file.source.url.scheme() == "file" {
            file.open_local()?;
            return Ok(file);
        }
        match client.range_supports().of(&file.source.url) {
            RangeSupport::All => file.open_by_suffix(tail).await?,
            RangeSupport::Explicit => file.open_by_range(file.source.size, tail).await?,
            RangeSupport::Refused => file.download(None).await?,
        }
        Ok(file)
    }

    /// The file's length in bytes.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// How many of the file's bytes were moved over the network so far.
    pub fn moved(&self) -> u64 {
        self.moved
    }

    /// Whether all of the file is here.
    pub fn is_whole(&self) -> bool {
        self.whole.is_some() || self.tail.len() as u64 == self.length
    }

    /// The bytes from `from` up to, and without, `to`.
    ///
    /// # Errors
    ///
    /// [`FetchError`]; a range that reaches beyond the file is [`FetchError::Nonsense`].
    pub async fn read(&mut self, from: u64, to: u64) -> Result<Vec<u8>, FetchError> {
        if from > to || to > self.length {
            return Err(self.nonsense(format!(
                "it refers to bytes {from} to {to}, and has {}",
                self.length
            )));
        }
        if self.whole.is_some() {
            return self.read_whole(from, to);
        }
        let tail_start = self.length - self.tail.len() as u64;
        let mut bytes = Vec::new();
        if from < tail_start {
            let end = to.min(tail_start);
            match self
                .range(&format!("bytes={from}-{}", end - 1), end - from)
                .await?
            {
                Ranged::Bytes {
                    start,
                    length,
                    bytes: found,
                } if start == from && length == self.length && found.len() as u64 == end - from => {
                    bytes = found;
                }
                Ranged::Stream(stream) => {
                    self.do_without_ranges(Some(stream)).await?;
                    return self.read_whole(from, to);
                }
                Ranged::All(found) => {
                    self.keep_all(found)?;
                    return Ok(self.of_tail(from, to));
                }
                Ranged::Bytes { .. } | Ranged::Useless => {
                    self.do_without_ranges(None).await?;
                    return self.read_whole(from, to);
                }
            }
        }
        if to > tail_start {
            bytes.extend(self.of_tail(from.max(tail_start), to));
        }
        Ok(bytes)
    }

    /// Downloads the rest, where the parts made no sense: the whole can be checked.
    pub async fn fetch_whole(&mut self) -> Result<(), FetchError> {
        if self.is_whole() {
            return Ok(());
        }
        self.download(None).await
    }

    /// The last bytes that are at hand and where they start.
    pub fn tail(&self) -> (&[u8], u64) {
        (&self.tail, self.length - self.tail.len() as u64)
    }

    /// Makes the tail begin at `from` or before.
    pub async fn extend_tail(&mut self, from: u64) -> Result<(), FetchError> {
        let tail_start = self.length - self.tail.len() as u64;
        if from < tail_start {
            self.tail = self.read(from, self.length).await?;
        }
        Ok(())
    }

    fn of_tail(&self, from: u64, to: u64) -> Vec<u8> {
        let tail_start = self.length - self.tail.len() as u64;
        let position = |offset: u64| usize::try_from(offset.saturating_sub(tail_start));
        match (position(from), position(to)) {
            (Ok(from), Ok(to)) => self.tail.get(from..to).unwrap_or_default().to_vec(),
            _ => Vec::new(),
        }
    }

    async fn open_by_suffix(&mut self, tail: u64) -> Result<(), FetchError> {
        let wanted = tail.max(ALWAYS_TAKEN);
        let answer = self.range(&format!("bytes=-{tail}"), wanted).await;
        let length = match answer {
            Ok(Ranged::Bytes {
                start,
                length,
                bytes,
            }) if start + bytes.len() as u64 == length => {
                self.length = length;
                self.tail = bytes;
                return Ok(());
            }
            Ok(Ranged::All(bytes)) => return self.keep_all(bytes),
            // It took `-100` for `0-100`.
            Ok(Ranged::Bytes { length, .. }) => Some(length),
            Ok(Ranged::Stream(stream)) => stream.expected(),
            Ok(Ranged::Useless) => self.source.size,
            Err(error) if refuses_ranges(&error) => self.source.size,
            Err(error) => return Err(error),
        };
        self.client
            .range_supports()
            .learn(&self.source.url, RangeSupport::Explicit);
        self.open_by_range(length, tail).await
    }

    async fn open_by_range(&mut self, length: Option<u64>, tail: u64) -> Result<(), FetchError> {
        let length = match length {
            Some(length) => length,
            None => match self.range("bytes=0-0", ALWAYS_TAKEN).await {
                Ok(Ranged::Bytes { length, .. }) => length,
                Ok(Ranged::All(bytes)) => return self.keep_all(bytes),
                Ok(Ranged::Stream(stream)) => return self.do_without_ranges(Some(stream)).await,
                Ok(Ranged::Useless) => return self.do_without_ranges(None).await,
                Err(error) if refuses_ranges(&error) => return self.do_without_ranges(None).await,
                Err(error) => return Err(error),
            },
        };
        let from = length.saturating_sub(tail);
        let last = length.saturating_sub(1);
        match self
            .range(&format!("bytes={from}-{last}"), tail.max(ALWAYS_TAKEN))
            .await
        {
            Ok(Ranged::Bytes {
                start,
                length,
                bytes,
            }) if start + bytes.len() as u64 == length => {
                self.length = length;
                self.tail = bytes;
                Ok(())
            }
            Ok(Ranged::All(bytes)) => self.keep_all(bytes),
            Ok(Ranged::Stream(stream)) => self.do_without_ranges(Some(stream)).await,
            Ok(Ranged::Bytes { .. } | Ranged::Useless) => self.do_without_ranges(None).await,
            Err(error) if refuses_ranges(&error) => self.do_without_ranges(None).await,
            Err(error) => Err(error),
        }
    }

    async fn range(&mut self, range: &str, limit: u64) -> Result<Ranged, FetchError> {
        let ask = Ask::new(self.source.url.clone(), limit.max(ALWAYS_TAKEN)).range(range);
        let answer = self.client.get(&ask).await?;
        let status = answer.status;
        let place = content_range(&answer);
        let ranged = match (status, answer.body) {
            (200, AnswerBody::Whole(bytes)) => Ranged::All(bytes),
            (200, AnswerBody::Unread(stream)) => Ranged::Stream(stream),
            (206, AnswerBody::Whole(bytes)) => match place {
                Some((start, end, length)) if end - start == bytes.len() as u64 => Ranged::Bytes {
                    start,
                    length,
                    bytes,
                },
                _ => Ranged::Useless,
            },
            _ => Ranged::Useless,
        };
        if let Ranged::Bytes { bytes, .. } | Ranged::All(bytes) = &ranged {
            self.moved += bytes.len() as u64;
        }
        Ok(ranged)
    }

    /// All of the file came where a part was asked for.
    fn keep_all(&mut self, bytes: Vec<u8>) -> Result<(), FetchError> {
        self.check_hash(&Sha256::digest(&bytes))?;
        self.length = bytes.len() as u64;
        self.tail = bytes;
        Ok(())
    }

    fn open_local(&mut self) -> Result<(), FetchError> {
        let path = self.source.url.to_file_path().map_err(|()| {
            FetchError::Setup(format!("`{}` is not the path of a file", self.source.url))
        })?;
        let opened = std::fs::File::open(&path).and_then(|file| Ok((file.metadata()?.len(), file)));
        let (length, file) = opened.map_err(|error| FetchError::io(&path, &error))?;
        self.length = length;
        self.whole = Some(file);
        Ok(())
    }

    fn read_whole(&mut self, from: u64, to: u64) -> Result<Vec<u8>, FetchError> {
        let mut bytes = Vec::new();
        if let Some(file) = &mut self.whole {
            file.seek(SeekFrom::Start(from))
                .and_then(|_| file.take(to.saturating_sub(from)).read_to_end(&mut bytes))
                .map_err(|error| FetchError::io(&self.source.temporary, &error))?;
        }
        if bytes.len() as u64 == to.saturating_sub(from) {
            return Ok(bytes);
        }
        Err(self.nonsense(format!(
            "it has {} bytes where it had more before",
            self.length
        )))
    }

    /// Downloads the whole file, and remembers that this server leaves no other way.
    async fn do_without_ranges(
        &mut self,
        stream: Option<Box<BodyStream>>,
    ) -> Result<(), FetchError> {
        self.client
            .range_supports()
            .learn(&self.source.url, RangeSupport::Refused);
        self.download(stream).await
    }

    /// Downloads the whole file, from the stream where there is one.
    async fn download(&mut self, stream: Option<Box<BodyStream>>) -> Result<(), FetchError> {
        let client = self.client.clone();
        let _turn = client.download_turn().await;
        let mut stream = stream;
        let mut attempts = 0;
        let (file, digest) = loop {
            attempts += 1;
            let begun = match stream.take() {
                Some(stream) => stream,
                None => self.open_stream().await?,
            };
            match self.save(begun).await {
                Ok(saved) => break saved,
                Err(error @ FetchError::Transport { .. }) if attempts < DOWNLOAD_ATTEMPTS => {
                    log::debug!("{error}; again");
                }
                Err(error) => return Err(error),
            }
        };
        self.check_hash(&digest)?;
        let reopened = file
            .reopen()
            .and_then(|open| Ok((open.metadata()?.len(), open)));
        let (length, open) = reopened.map_err(|error| FetchError::io(file.path(), &error))?;
        self.length = length;
        self.tail = Vec::new();
        self.whole = Some(open);
        self.downloaded = Some(file);
        Ok(())
    }

    async fn open_stream(&self) -> Result<Box<BodyStream>, FetchError> {
        let ask = Ask::new(self.source.url.clone(), u64::MAX).verbatim();
        match self.client.open(&ask).await?.body {
            AnswerBody::Unread(stream) => Ok(stream),
            AnswerBody::Whole(_) | AnswerBody::Packed(_) => {
                Err(self.nonsense("it has no body".to_owned()))
            }
        }
    }

    async fn save(
        &mut self,
        mut stream: Box<BodyStream>,
    ) -> Result<(NamedTempFile, [u8; 32]), FetchError> {
        let folder = &self.source.temporary;
        let mut file = std::fs::create_dir_all(folder)
            .and_then(|()| NamedTempFile::new_in(folder))
            .map_err(|error| FetchError::io(folder, &error))?;
        let mut hash = Sha256::new();
        while let Some(chunk) = stream.chunk().await? {
            hash.update(&chunk);
            if let Err(error) = file.write_all(&chunk) {
                return Err(FetchError::io(file.path(), &error));
            }
            self.moved += chunk.len() as u64;
        }
        Ok((file, hash.finalize().into()))
    }

    fn check_hash(&self, digest: &[u8]) -> Result<(), FetchError> {
        let found = hexadecimal(digest);
        match &self.source.sha256 {
            Some(expected) if *expected != found => Err(FetchError::Hash {
                url: (&self.source.url).into(),
                expected: expected.clone(),
                found,
            }),
            _ => Ok(()),
        }
    }

    fn nonsense(&self, detail: String) -> FetchError {
        FetchError::Nonsense {
            url: (&self.source.url).into(),
            detail,
        }
    }
}

/// Start, end (the first byte after it) and the whole length by `Content-Range`
/// (RFC 9110, 14.4); `None` where there is none, or several in a multipart body.
fn content_range(answer: &Answer) -> Option<(u64, u64, u64)> {
    let multipart = answer
        .header(&CONTENT_TYPE)
        .is_some_and(|kind| kind.starts_with("multipart/"));
    if multipart {
        return None;
    }
    let (range, length) = answer
        .header(&CONTENT_RANGE)?
        .strip_prefix("bytes ")?
        .split_once('/')?;
    let (first, last) = range.split_once('-')?;
    let (first, last): (u64, u64) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
    let length: u64 = length.trim().parse().ok()?;
    (first <= last && last < length).then_some((first, last + 1, length))
}

/// Whether the server refuses the range, and not the file.
fn refuses_ranges(error: &FetchError) -> bool {
    matches!(error.status(), Some(400 | 405 | 406 | 416 | 501))
}
