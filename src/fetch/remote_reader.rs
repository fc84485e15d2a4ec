//! A remote file as something to read and seek in.

use std::io::{self, Read, Seek, SeekFrom};

use tokio::runtime::Handle;

use super::error::FetchError;
use super::remote_zip::RemoteFile;

/// A [`RemoteFile`] for code that blocks, such as the `zip` crate; not for use on the
/// runtime's own threads.
///
/// It fetches ahead, twice as far each time reading goes on where it stopped, and holds
/// one such window and the file's tail in memory.
#[derive(Debug)]
pub struct RemoteReader {
    file: RemoteFile,
    runtime: Handle,
    position: u64,
    window: Vec<u8>,
    window_start: u64,
    ahead: u64,
}

/// How far is read ahead at first, in bytes.
const AHEAD_MIN: u64 = 64 << 10;

/// How far is read ahead at most, in bytes.
const AHEAD_MAX: u64 = 8 << 20;

impl RemoteReader {
    /// Reads the file; `runtime` drives its requests.
    pub fn new(file: RemoteFile, runtime: Handle) -> Self {
        Self {
            file,
            runtime,
            position: 0,
            window: Vec::new(),
            window_start: 0,
            ahead: AHEAD_MIN,
        }
    }

    /// How many of the file's bytes were moved over the network so far.
    pub fn moved(&self) -> u64 {
        self.file.moved()
    }

    /// The file's length in bytes.
    pub fn length(&self) -> u64 {
        self.file.length()
    }

    /// Fetches the bytes from `from` on at once, where it is known that all are needed.
    ///
    /// # Errors
    ///
    /// [`FetchError`].
    pub fn prefetch(&mut self, from: u64, to: u64) -> Result<(), FetchError> {
        let to = to.min(self.file.length());
        let (_, tail_start) = self.file.tail();
        if from < to && from < tail_start {
            self.window = self.runtime.block_on(self.file.read(from, to))?;
            self.window_start = from;
        }
        Ok(())
    }

    /// The bytes at hand from the position on, fetched where there are none.
    fn at_hand(&mut self) -> io::Result<&[u8]> {
        let length = self.file.length();
        if self.position >= length {
            return Ok(&[]);
        }
        let window_end = self.window_start + self.window.len() as u64;
        let (_, tail_start) = self.file.tail();
        let in_window = (self.window_start..window_end).contains(&self.position);
        if !in_window && self.position < tail_start {
            self.ahead = if self.position == window_end {
                (self.ahead * 2).min(AHEAD_MAX)
            } else {
                AHEAD_MIN
            };
            let end = (self.position + self.ahead).min(tail_start);
            let read = self.runtime.block_on(self.file.read(self.position, end));
            self.window = read.map_err(io::Error::other)?;
            self.window_start = self.position;
        }
        let window_end = self.window_start + self.window.len() as u64;
        let (bytes, start) = if (self.window_start..window_end).contains(&self.position) {
            (self.window.as_slice(), self.window_start)
        } else {
            self.file.tail()
        };
        let offset = usize::try_from(self.position.saturating_sub(start)).unwrap_or(usize::MAX);
        Ok(bytes.get(offset..).unwrap_or_default())
    }
}

impl Read for RemoteReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        let count = self.at_hand()?.read(buffer)?;
        self.position += count as u64;
        Ok(count)
    }
}

impl Seek for RemoteReader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(offset) => Some(offset),
            SeekFrom::End(offset) => self.file.length().checked_add_signed(offset),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
        };
        self.position = position.ok_or_else(|| {
            io::Error::new(
                io::ErrorKind::InvalidInput,
                "seeking before the file's start",
            )
        })?;
        Ok(self.position)
    }
}
