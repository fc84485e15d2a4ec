//! The head and the tail of a binary that streams past, as something to parse.
//!
//! What describes a shared library stands at its two ends: headers, symbols and
//! strings in front, string tables moved there by packaging tools behind. The
//! middle of a large one (code, constants, GPU code) is let go.

use std::ops::Range;

use object::ReadRef;

/// What is kept of one binary.
#[derive(Debug)]
pub(super) struct Window {
    size: u64,
    seen: u64,
    /// Head, tail and what was asked for in between; they may overlap.
    kept: Vec<Kept>,
}

/// A range of the binary, and as much of it as was seen.
#[derive(Debug)]
struct Kept {
    start: u64,
    end: u64,
    bytes: Vec<u8>,
}

impl Window {
    /// A window on a binary of a known size; all of it where it is small enough.
    pub(super) fn new(size: u64, head_bytes: usize, tail_bytes: usize) -> Self {
        let mut window = Self {
            size,
            seen: 0,
            kept: Vec::new(),
        };
        let (head, tail) = (head_bytes as u64, tail_bytes as u64);
        if size <= head.saturating_add(tail) {
            window.keep(0, size);
        } else {
            window.keep(0, head);
            window.keep(size - tail, size);
        }
        window
    }

    /// Keeps one more range, which must not have begun to stream past; one that is
    /// kept already, or has, is passed over.
    pub(super) fn keep(&mut self, start: u64, end: u64) {
        let known = self
            .kept
            .iter()
            .any(|kept| kept.start <= start && end <= kept.end);
        if start >= self.seen && start <= end && end <= self.size && !known {
            self.kept.push(Kept {
                start,
                end,
                bytes: Vec::new(),
            });
        }
    }

    /// Takes the next piece.
    pub(super) fn push(&mut self, piece: &[u8]) {
        let seen = self.seen;
        // How much of the piece lies before an offset of the binary.
        let before = |offset: u64| {
            let length = offset.saturating_sub(seen).min(piece.len() as u64);
            usize::try_from(length).unwrap_or(piece.len())
        };
        for kept in &mut self.kept {
            let part = piece.get(before(kept.start)..before(kept.end));
            let part = part.unwrap_or_default();
            if kept.bytes.capacity() == 0 && !part.is_empty() {
                // Once, without the doubling that would take up to twice the memory.
                let length = usize::try_from(kept.end - kept.start).unwrap_or(part.len());
                kept.bytes.reserve_exact(length);
            }
            kept.bytes.extend_from_slice(part);
        }
        self.seen += piece.len() as u64;
    }

    /// How much has streamed past.
    pub(super) fn seen(&self) -> u64 {
        self.seen
    }

    /// Whether nothing is let go.
    pub(super) fn is_whole(&self) -> bool {
        self.kept.len() == 1
    }

    /// All bytes that are kept from an offset on, as far as they go together.
    fn from(&self, offset: u64) -> &[u8] {
        self.kept
            .iter()
            .filter_map(|kept| {
                let at = usize::try_from(offset.checked_sub(kept.start)?).ok()?;
                kept.bytes.get(at..)
            })
            .max_by_key(|bytes| bytes.len())
            .unwrap_or_default()
    }
}

impl<'a> ReadRef<'a> for &'a Window {
    fn len(self) -> Result<u64, ()> {
        Ok(self.size)
    }

    fn read_bytes_at(self, offset: u64, size: u64) -> Result<&'a [u8], ()> {
        let size = usize::try_from(size).map_err(|_| ())?;
        self.from(offset).get(..size).ok_or(())
    }

    fn read_bytes_at_until(self, range: Range<u64>, delimiter: u8) -> Result<&'a [u8], ()> {
        let length = range.end.checked_sub(range.start).ok_or(())?;
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let bytes = self.from(range.start);
        let bytes = bytes.get(..length).unwrap_or(bytes);
        let end = memchr::memchr(delimiter, bytes).ok_or(())?;
        bytes.get(..end).ok_or(())
    }
}
