//! GPU architectures in a binary, read off NVIDIA's containers while they stream past.
//!
//! The container is not documented by NVIDIA; its layout was worked out by others
//! and checked here against what torch 2.1.2 and 2.3.0 say that they were built for. It is best effort: a container that
//! does not look as expected is passed over.
//!
//! A container starts with a header of 16 bytes (magic, version, header size, size of
//! what follows), then comes a chain of entries: kind (1 PTX, 2 machine code), header
//! size, payload size, and at byte 28 the architecture.

use std::collections::BTreeSet;

use memchr::memmem;

use super::bytes::{u16_at, u32_at, u64_at};

const MAGIC: [u8; 4] = 0xba55_ed50_u32.to_le_bytes();
const HEADER_LENGTH: u64 = 16;
/// As much of an entry's header as is looked at.
const ENTRY_LENGTH: u64 = 32;
const KIND_PTX: u16 = 1;
const KIND_CODE: u16 = 2;
/// AMD's machine code is bundled under names such as `hipv4-amdgcn-amd-amdhsa--gfx90a`.
const AMD_TARGET: &[u8] = b"amdgcn-amd-amdhsa--gfx";

/// No binary has code for so many; a hostile one may claim to.
const MOST: usize = 256;

/// What to read next, at which offset of the binary.
#[derive(Debug, Clone, Copy)]
enum Next {
    Magic,
    Header { at: u64 },
    Entry { at: u64, end: u64 },
}

/// Looks for GPU code in a stream of pieces.
#[derive(Debug)]
pub(super) struct GpuSearch {
    next: Next,
    buffer: Vec<u8>,
    /// The offset in the binary of the buffer's first byte.
    start: u64,
    /// How much of the buffer is dealt with.
    done: usize,
    found: BTreeSet<String>,
}

impl GpuSearch {
    /// A search that has seen nothing yet.
    pub(super) fn new() -> Self {
        Self {
            next: Next::Magic,
            buffer: Vec::new(),
            start: 0,
            done: 0,
            found: BTreeSet::new(),
        }
    }

    /// Looks at the next piece.
    pub(super) fn push(&mut self, piece: &[u8]) {
        self.buffer.drain(..self.done);
        self.start += self.done as u64;
        self.done = 0;
        self.buffer.extend_from_slice(piece);
        while self.step() {}
    }

    /// `sm_80` for machine code, `compute_90` for PTX, `gfx90a` for AMD; sorted.
    pub(super) fn finish(self) -> BTreeSet<String> {
        self.found
    }

    /// Deals with what is next; false where more bytes are needed.
    fn step(&mut self) -> bool {
        match self.next {
            Next::Magic => {
                let rest = self.buffer.get(self.done..).unwrap_or_default();
                if let Some(position) = memmem::find(rest, &MAGIC) {
                    let position = self.done + position;
                    self.note_amd(position);
                    let at = self.start + position as u64;
                    self.next = Next::Header { at };
                    true
                } else {
                    self.note_amd(self.buffer.len());
                    // Enough for a magic number or an AMD name across two pieces.
                    self.done = self.done.max(self.buffer.len().saturating_sub(40));
                    false
                }
            }
            Next::Header { at } => {
                let Some(header) = self.bytes_at(at, HEADER_LENGTH) else {
                    return false;
                };
                let sound = u16_at(header, 4) == Some(1)
                    && u16_at(header, 6).map(u64::from) == Some(HEADER_LENGTH);
                let size = u64_at(header, 8).unwrap_or(0);
                let end = at.saturating_add(HEADER_LENGTH).saturating_add(size);
                self.next = if sound {
                    let at = at + HEADER_LENGTH;
                    Next::Entry { at, end }
                } else {
                    self.resume(at + MAGIC.len() as u64)
                };
                true
            }
            Next::Entry { at, end } => {
                if at.saturating_add(ENTRY_LENGTH) > end {
                    self.next = self.resume(at);
                    return true;
                }
                let Some(entry) = self.bytes_at(at, ENTRY_LENGTH) else {
                    return false;
                };
                let kind = u16_at(entry, 0);
                let header_size = u32_at(entry, 4).map_or(0, u64::from);
                let payload = u64_at(entry, 8).unwrap_or(u64::MAX);
                let architecture = u32_at(entry, 28).unwrap_or(0);
                let next = at.saturating_add(header_size).saturating_add(payload);
                let plausible = header_size >= ENTRY_LENGTH
                    && next <= end
                    && (10..1000).contains(&architecture);
                let prefix = match kind {
                    Some(KIND_PTX) => Some("compute"),
                    Some(KIND_CODE) => Some("sm"),
                    _ => None,
                };
                self.next = match prefix {
                    Some(prefix) if plausible && self.found.len() < MOST => {
                        self.found.insert(format!("{prefix}_{architecture}"));
                        Next::Entry { at: next, end }
                    }
                    _ => self.resume(at),
                };
                true
            }
        }
    }

    /// Goes back to looking for containers from an offset on.
    fn resume(&mut self, at: u64) -> Next {
        self.skip_to(at);
        Next::Magic
    }

    /// Bytes at an offset once they are all there; what stands before them is done with.
    fn bytes_at(&mut self, at: u64, length: u64) -> Option<&[u8]> {
        self.skip_to(at);
        let position = usize::try_from(at.checked_sub(self.start)?).ok()?;
        let end = position.checked_add(usize::try_from(length).ok()?)?;
        self.buffer.get(position..end)
    }

    fn skip_to(&mut self, at: u64) {
        let position = usize::try_from(at.saturating_sub(self.start)).unwrap_or(usize::MAX);
        self.done = self.done.max(position.min(self.buffer.len()));
    }

    /// Notes AMD's target names in the part of the buffer before a position.
    fn note_amd(&mut self, end: usize) {
        let bytes = self.buffer.get(self.done..end).unwrap_or_default();
        for at in memmem::find_iter(bytes, AMD_TARGET) {
            let name = bytes.get(at + AMD_TARGET.len()..).unwrap_or_default();
            let length = name
                .iter()
                .position(|byte| !byte.is_ascii_alphanumeric())
                .unwrap_or(0);
            // Three to five characters: `gfx906`, `gfx90a`, `gfx1100`.
            if (3..=5).contains(&length) && self.found.len() < MOST {
                let name = String::from_utf8_lossy(name.get(..length).unwrap_or_default());
                self.found.insert(format!("gfx{name}"));
            }
        }
    }
}
