//! Bodies of answers.

use std::io::{self, Read};
use std::sync::Arc;
use std::time::{Duration, Instant};

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
    use super::*;

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
