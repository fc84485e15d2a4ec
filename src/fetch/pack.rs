//! The metadata pack: what METADATA of wheels says, by the sha256 of the wheel.
//!
//! A page states the sha256 of each of its files, and what that names never changes. So the
//! headers of METADATA that matter for resolving come with the program for the releases that ML
//! stacks commonly reach, and no request is needed for them. The pack is trusted as the program
//! is; what it does not have is fetched.
//!
//! The pack also lists which releases it has of a distribution. From these it is guessed which
//! pages a run will want ([`walk`]); a guess decides what is asked for early, and nothing else.
//!
//! Its parts, behind a header with the length and the CRC-32 of each: the first 16 bytes of the
//! sha256 of each wheel, sorted; the number of each wheel's text; the table of the blocks; a
//! dictionary; the names with their releases; the blocks. A block is a Zstandard frame with
//! texts that lie near each other (RFC 8878), so that looking one up unpacks little.

mod parts;
pub(super) mod readings;
pub mod record;
#[cfg(test)]
mod tests;
pub mod walk;
mod write;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, Mutex, OnceLock, PoisonError};

use zstd::bulk::Decompressor;
use zstd::dict::DecoderDictionary;

use super::cache::checksum;
use crate::metadata::Metadata;
use parts::{BLOCK_ROW, BlockRow, DICTIONARY_LIMIT, Header, KEY, Key, NAMES_LIMIT, Part};
pub use parts::{Named, Release};
pub use write::{PackedWheel, write};

/// The pack that comes with the program.
static EMBEDDED: &[u8] = include_bytes!("../../metadata-pack/wheels.pack");

/// Why bytes are no pack.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PackError {
    /// They are of something else, or of another version of the program.
    #[error("it is no metadata pack that this version of mlresolve can read")]
    Foreign,
    /// A part is cut off, or its checksum is another.
    #[error("the metadata pack is damaged: its {part} cannot be read")]
    Damaged {
        /// Which part.
        part: &'static str,
    },
    /// More was to be written than the layout has room for.
    #[error("the metadata pack would be too large: {what}")]
    TooLarge {
        /// What there is too much of.
        what: &'static str,
    },
}

/// A pack, opened: nothing is unpacked before it is asked for.
pub struct Pack {
    bytes: Cow<'static, [u8]>,
    header: Header,
    /// Whether keys and tables are as they were written.
    is_whole: OnceLock<bool>,
    dictionary: OnceLock<Option<DecoderDictionary<'static>>>,
    blocks: Mutex<BTreeMap<u32, Option<Arc<Block>>>>,
    /// What was read, by the number of the text.
    known: Mutex<BTreeMap<u32, Option<Arc<Metadata>>>>,
    names: OnceLock<BTreeMap<String, Vec<Release>>>,
    /// Whether it was told that a part is damaged.
    told: AtomicBool,
}

/// A block, unpacked.
struct Block {
    first: u32,
    texts: Vec<Vec<u8>>,
}

impl std::fmt::Debug for Pack {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pack")
            .field("bytes", &self.bytes.len())
            .finish_non_exhaustive()
    }
}

impl Pack {
    /// The pack that comes with the program; `None`, and a warning, where it is damaged.
    pub fn embedded() -> Option<Arc<Self>> {
        static PACK: LazyLock<Option<Arc<Pack>>> = LazyLock::new(|| match Pack::open(EMBEDDED) {
            Ok(pack) => Some(Arc::new(pack)),
            Err(error) => {
                log::warn!("{error}: going without it");
                None
            }
        });
        PACK.clone()
    }

    /// Opens a pack: its header is checked, every other part when it is used first.
    ///
    /// # Errors
    ///
    /// [`PackError`].
    pub fn open(bytes: impl Into<Cow<'static, [u8]>>) -> Result<Self, PackError> {
        let bytes = bytes.into();
        let header = Header::read(&bytes)?;
        Ok(Self {
            bytes,
            header,
            is_whole: OnceLock::new(),
            dictionary: OnceLock::new(),
            blocks: Mutex::default(),
            known: Mutex::default(),
            names: OnceLock::new(),
            told: AtomicBool::new(false),
        })
    }

    /// How many wheels it knows.
    pub fn len(&self) -> usize {
        self.part(Part::Keys).len() / KEY
    }

    /// Whether it knows none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The headers of METADATA in the wheel with this sha256 (hexadecimal), as far as they
    /// matter for resolving.
    pub fn headers(&self, sha256: &str) -> Option<Vec<u8>> {
        self.text(self.number(sha256)?)
    }

    /// What METADATA in the wheel with this sha256 (hexadecimal) says.
    pub fn of_wheel(&self, sha256: &str) -> Option<Arc<Metadata>> {
        self.metadata(self.number(sha256)?)
    }

    /// What the text with this number says, read once.
    pub(super) fn metadata(&self, number: u32) -> Option<Arc<Metadata>> {
        let known = || self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = known().get(&number) {
            return known.clone();
        }
        let read = || Metadata::parse(&self.text(number)?, None).ok();
        let metadata = read().map(Arc::new);
        known().insert(number, metadata.clone());
        metadata
    }

    /// Whether it knows the wheel with this sha256 (hexadecimal).
    pub fn knows(&self, sha256: &str) -> bool {
        self.number(sha256).is_some()
    }

    /// Whether keys and tables are as they were written: a run that needs none of it does not
    /// read half a megabyte for nothing.
    fn is_whole(&self) -> bool {
        *self.is_whole.get_or_init(|| {
            [Part::Keys, Part::Places, Part::Blocks]
                .into_iter()
                .all(|part| {
                    let is_whole = self.header.checked(&self.bytes, part).is_ok();
                    if !is_whole {
                        self.tell(part);
                    }
                    is_whole
                })
        })
    }

    /// The number of a wheel's text.
    fn number(&self, sha256: &str) -> Option<u32> {
        if !self.is_whole() {
            return None;
        }
        let key = parts::key(sha256)?;
        let (keys, _): (&[Key], _) = self.part(Part::Keys).as_chunks();
        let place = keys.binary_search(&key).ok()?;
        let (places, _) = self.part(Part::Places).as_chunks();
        Some(u32::from_le_bytes(*places.get(place)?))
    }

    /// The releases of a distribution, oldest first.
    pub fn releases(&self, name: &str) -> &[Release] {
        if !self.is_whole() {
            return &[];
        }
        let names = self.names.get_or_init(|| {
            self.unpacked_names().unwrap_or_else(|| {
                self.tell(Part::Names);
                BTreeMap::new()
            })
        });
        names.get(name).map_or(&[], Vec::as_slice)
    }

    /// A text by its number.
    fn text(&self, number: u32) -> Option<Vec<u8>> {
        let (rows, _): (&[[u8; BLOCK_ROW]], _) = self.part(Part::Blocks).as_chunks();
        let after = rows.partition_point(|row| BlockRow::read(*row).first_text <= number);
        let place = after.checked_sub(1)?;
        let block = self.block(
            u32::try_from(place).ok()?,
            BlockRow::read(*rows.get(place)?),
        )?;
        let within = usize::try_from(number.checked_sub(block.first)?).ok()?;
        block.texts.get(within).cloned()
    }

    fn block(&self, number: u32, row: BlockRow) -> Option<Arc<Block>> {
        let mut blocks = self.blocks.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = blocks.get(&number) {
            return known.clone();
        }
        let block = self.unpack(row).map(Arc::new);
        if block.is_none() {
            self.tell(Part::Data);
        }
        blocks.insert(number, block.clone());
        block
    }

    fn unpack(&self, row: BlockRow) -> Option<Block> {
        let start = usize::try_from(row.start).ok()?;
        let end = start.checked_add(usize::try_from(row.length).ok()?)?;
        let packed = self.part(Part::Data).get(start..end)?;
        if checksum(packed) != row.checksum {
            return None;
        }
        let mut unpacker = Decompressor::with_prepared_dictionary(self.dictionary()?).ok()?;
        let raw = unpacker.decompress(packed, row.unpacked()?).ok()?;
        let texts = parts::texts(&raw)?;
        Some(Block {
            first: row.first_text,
            texts,
        })
    }

    fn dictionary(&self) -> Option<&DecoderDictionary<'static>> {
        let dictionary = self.dictionary.get_or_init(|| {
            let packed = self.header.checked(&self.bytes, Part::Dictionary).ok()?;
            let raw = zstd::bulk::decompress(packed, DICTIONARY_LIMIT).ok()?;
            Some(DecoderDictionary::copy(&raw))
        });
        dictionary.as_ref()
    }

    fn unpacked_names(&self) -> Option<BTreeMap<String, Vec<Release>>> {
        let packed = self.header.checked(&self.bytes, Part::Names).ok()?;
        let raw = zstd::bulk::decompress(packed, NAMES_LIMIT).ok()?;
        let names: Vec<Named> = postcard::from_bytes(&raw).ok()?;
        Some(names.into_iter().map(|it| (it.name, it.releases)).collect())
    }

    /// The bytes of a part; the header was held against their number.
    fn part(&self, part: Part) -> &[u8] {
        self.header.bytes(&self.bytes, part).unwrap_or_default()
    }

    fn tell(&self, part: Part) {
        if !self.told.swap(true, Ordering::Relaxed) {
            let part = part.name();
            let error = PackError::Damaged { part };
            log::warn!("{error}: what it lacks is fetched");
        }
    }
}
