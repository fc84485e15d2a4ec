//! Bodies of answers.

use std::io::{self, Read};
use std::sync::Arc;
use std::time::{Duration, Instant};

use flate2::bufread::MultiGzDecoder;
use reqwest::header::CONTENT_LENGTH;
use tokio::runtime::Handle;
use url::Url;

use super::client::header;
use super::error::{FetchError, TransportKind};
use super::failure::{Failure, failure};
use super::progress::Progress;

/// The body of an answer.
#[derive(Debug)]
pub enum AnswerBody {
    /// All of it.
    Whole(Vec<u8>),
    /// All of it, compressed for the way by gzip: only where it was asked for so.
    Packed(Vec<u8>),
    /// It is left to the caller: it was asked for as a stream, or a range was asked for
    /// and the server began to send the whole file, which is over the limit.
    Unread(Box<BodyStream>),
}

/// A body that is still to be read.
#[derive(Debug)]
pub struct BodyStream {
    response: reqwest::Response,
    url: Url,
    progress: Arc<Progress>,
    expected: Option<u64>,
    read: u64,
    /// How long a part of it may take.
    patience: Duration,
    /// How long was waited for what was read.
    waited: Duration,
}

/// How slow a server may be, in bytes a second. Fifty answers at once over a line of 64 kB/s
/// are not slower.
const SLOWEST: u64 = 1024;

/// How many times the patience with a silent server is had with one that is slower.
const SLOW_START: u32 = 4;

/// Whether a body comes so slowly that it will not come.
fn is_too_slow(waited: Duration, read: u64, patience: Duration) -> bool {
    let start = patience.saturating_mul(SLOW_START);
    waited > start.saturating_add(Duration::from_secs(read / SLOWEST))
}

impl BodyStream {
    /// The body of an answer; no part of it may take longer than `patience`.
    pub(super) fn new(
        response: reqwest::Response,
        url: Url,
        progress: Arc<Progress>,
        patience: Duration,
    ) -> Self {
        // Without a body that is compressed for the way, which `reqwest` undoes together
        // with the header, this is the size of what comes.
        let expected =
            header(response.headers(), &CONTENT_LENGTH).and_then(|value| value.parse().ok());
        Self {
            response,
            url,
            progress,
            expected,
            read: 0,
            patience,
            waited: Duration::ZERO,
        }
    }

    /// The size that the server announced, in bytes.
    pub fn expected(&self) -> Option<u64> {
        self.expected
    }

    /// The next part of the body; `None` at its end.
    ///
    /// # Errors
    ///
    /// [`FetchError::Transport`] where the body breaks off, or comes too slowly.
    pub async fn chunk(&mut self) -> Result<Option<Vec<u8>>, FetchError> {
        self.next().await.map_err(|failure| failure.error)
    }

    async fn next(&mut self) -> Result<Option<Vec<u8>>, Failure> {
        // What the caller does meanwhile is no fault of the server's.
        let asked = Instant::now();
        let chunk = self
            .response
            .chunk()
            .await
            .map_err(|error| failure(&self.url, &error))?;
        if let Some(chunk) = &chunk {
            self.read += chunk.len() as u64;
            self.progress.received(chunk.len() as u64);
            self.waited += asked.elapsed();
            if is_too_slow(self.waited, self.read, self.patience) {
                return Err(self.too_slow());
            }
        }
        Ok(chunk.map(Vec::from))
    }

    fn too_slow(&self) -> Failure {
        // It was waited for long enough.
        Failure::lasting(FetchError::Transport {
            url: (&self.url).into(),
            detail: format!(
                "the server sent {} bytes in {} seconds",
                self.read,
                self.waited.as_secs()
            ),
            attempts: 1,
            kind: TransportKind::TimedOut,
        })
    }

    /// Reads all of it, if it is not larger than `limit` bytes.
    pub(super) async fn read_whole(mut self, limit: u64) -> Result<Vec<u8>, Failure> {
        let announced = self.expected.unwrap_or(0);
        // What a server announces is believed up to a bound only.
        let capacity = usize::try_from(announced.min(limit).min(16 << 20)).unwrap_or(0);
        let mut body = Vec::with_capacity(capacity);
        let mut within = announced <= limit;
        while within && let Some(chunk) = self.next().await? {
            body.extend_from_slice(&chunk);
            within = self.read <= limit;
        }
        if within {
            return Ok(body);
        }
        Err(Failure::lasting(FetchError::TooLarge {
            url: (&self.url).into(),
            limit,
        }))
    }
}

/// A body that was compressed for the way by gzip (RFC 1952), unpacked.
///
/// # Errors
///
/// [`FetchError::TooLarge`] where it is larger than `limit` bytes, [`FetchError::Transport`] where
/// it is damaged.
pub(super) fn unpacked(packed: &[u8], limit: u64, url: &Url) -> Result<Vec<u8>, FetchError> {
    let most = usize::try_from(limit).unwrap_or(usize::MAX);
    // The last four bytes say how long it is; they are believed as far as it can be true.
    let told = packed.last_chunk().map_or(0, |it| u32::from_le_bytes(*it));
    let told = usize::try_from(told).unwrap_or(usize::MAX);
    let room = told.min(most).min(packed.len().saturating_mul(MOST_PACKED));
    let mut whole = vec![0; room.saturating_add(1)];
    let mut unpacker = MultiGzDecoder::new(packed);
    let mut length = 0;
    loop {
        if length == whole.len() {
            whole.resize(length.saturating_mul(2), 0);
        }
        let rest = whole.get_mut(length..).unwrap_or_default();
        match unpacker.read(rest) {
            Ok(0) => break,
            Ok(more) => length += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => {
                return Err(FetchError::Transport {
                    url: url.into(),
                    detail: format!("its body cannot be unpacked: {error}"),
                    attempts: 1,
                    kind: TransportKind::Broken,
                });
            }
        }
        if length > most {
            let url = url.into();
            return Err(FetchError::TooLarge { url, limit });
        }
    }
    whole.truncate(length);
    Ok(whole)
}

/// No byte that was packed stands for more (DEFLATE, RFC 1951).
const MOST_PACKED: usize = 1032;

/// A body as a [`Read`], for code that blocks; not for use on the runtime's own threads.
#[derive(Debug)]
pub struct BodyReader {
    stream: BodyStream,
    runtime: Handle,
    chunk: Vec<u8>,
    position: usize,
}

impl BodyReader {
    /// Reads the rest of the stream, which `runtime` drives.
    pub fn new(stream: BodyStream, runtime: Handle) -> Self {
        Self {
            stream,
            runtime,
            chunk: Vec::new(),
            position: 0,
        }
    }
}

impl Read for BodyReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.position >= self.chunk.len() {
            match self.runtime.block_on(self.stream.chunk()) {
                Ok(Some(chunk)) => (self.chunk, self.position) = (chunk, 0),
                Ok(None) => return Ok(0),
                Err(error) => return Err(io::Error::other(error)),
            }
        }
        let rest = self.chunk.get(self.position..).unwrap_or_default();
        let count = rest.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..count), rest.get(..count)) {
            to.copy_from_slice(from);
        }
        self.position += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::packed;
    use super::*;

    #[test]
    fn what_was_packed_is_unpacked_up_to_the_limit() {
        let url = Url::parse("https://index.example/").expect("a URL");
        let body = b"a page of files, ".repeat(1000);
        let whole = packed(&body);
        assert_eq!(unpacked(&whole, 17_000, &url), Ok(body.clone()));
        assert_eq!(unpacked(&packed(b""), 0, &url), Ok(Vec::new()));
        let too_large = FetchError::TooLarge {
            url: (&url).into(),
            limit: 16_999,
        };
        assert_eq!(unpacked(&whole, 16_999, &url), Err(too_large));
        // Several one after the other are one, and only the last is told how long it is.
        let twice = [&whole[..], &packed(b"more")].concat();
        let both = [&body[..], b"more"].concat();
        assert_eq!(unpacked(&twice, 20_000, &url), Ok(both));
        // Whatever it says of its length.
        for told in [0, 1, 16_999, 17_001, u32::MAX] {
            let mut wrong = whole.clone();
            let end = wrong.len() - 4;
            wrong[end..].copy_from_slice(&told.to_le_bytes());
            assert!(unpacked(&wrong, 20_000, &url).is_err(), "{told}");
        }
        for place in 0..whole.len() {
            assert!(unpacked(&whole[..place], 20_000, &url).is_err(), "{place}");
        }
    }

    #[test]
    fn a_server_may_be_slow_and_not_endlessly_so() {
        let patience = Duration::from_secs(30);
        for (seconds, read, expected) in [
            (119, 1, false),
            (121, 1, true),
            (121, 1 << 20, false),
            (1143, 1 << 20, false),
            (1145, 1 << 20, true),
        ] {
            let waited = Duration::from_secs(seconds);
            assert_eq!(
                is_too_slow(waited, read, patience),
                expected,
                "{seconds} {read}"
            );
        }
        assert!(!is_too_slow(Duration::MAX, u64::MAX, Duration::MAX));
    }
}
