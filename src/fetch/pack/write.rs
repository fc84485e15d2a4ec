//! Makes a pack.

use std::collections::BTreeMap;

use pep440_rs::Version;
use pep508_rs::PackageName;
use zstd::bulk::Compressor;

use super::super::cache::checksum;
use super::PackError;
use super::parts::{BLOCK_LIMIT, BlockRow, DICTIONARY_LIMIT, Header, Key, Named, Release};
use super::parts::{block, key};

/// How long a block is before it is packed, in bytes: a lookup unpacks one, and longer ones
/// pack better.
const BLOCK: usize = 16 << 10;

/// How long the dictionary is, in bytes.
const DICTIONARY: usize = 64 << 10;

const LEVEL: i32 = 19;

/// A wheel to put into a pack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackedWheel {
    /// The wheel's sha256, hexadecimal.
    pub sha256: String,
    /// Its distribution.
    pub name: PackageName,
    /// Its version.
    pub version: Version,
    /// When it was uploaded, in days since 1970; 0 where no page said.
    pub uploaded: u32,
    /// The headers of its METADATA that matter.
    pub headers: Vec<u8>,
}

/// What is written of one release.
#[derive(Default)]
struct Written {
    uploaded: u32,
    /// The number of each text.
    texts: BTreeMap<Vec<u8>, u32>,
}

/// Writes a pack; the same wheels in any order give the same bytes.
///
/// # Errors
///
/// [`PackError::TooLarge`].
pub fn write(wheels: &[PackedWheel]) -> Result<Vec<u8>, PackError> {
    let mut names: BTreeMap<&PackageName, BTreeMap<&Version, Written>> = BTreeMap::new();
    for wheel in wheels {
        let releases = names.entry(&wheel.name).or_default();
        let release = releases.entry(&wheel.version).or_default();
        release.texts.insert(wheel.headers.clone(), 0);
        if release.uploaded == 0 || wheel.uploaded < release.uploaded {
            release.uploaded = wheel.uploaded;
        }
    }
    let mut texts: Vec<&[u8]> = Vec::new();
    let mut firsts = Vec::new();
    for releases in names.values_mut() {
        firsts.push(texts.len());
        for release in releases.values_mut() {
            for (text, number) in &mut release.texts {
                *number = count(texts.len())?;
                texts.push(text);
            }
        }
    }
    let dictionary = dictionary(&texts);
    let (rows, data) = blocks(&texts, &firsts, &dictionary)?;
    drop(texts);
    let (keys, places) = keys(wheels, &names)?;
    let listed: Vec<Named> = names
        .iter()
        .map(|(name, releases)| Named {
            name: name.to_string(),
            releases: releases
                .iter()
                .map(|(version, release)| Release {
                    version: version.to_string(),
                    uploaded: release.uploaded,
                    text: release.texts.values().copied().min().unwrap_or_default(),
                })
                .collect(),
        })
        .collect();
    let too_large = |what| move |_| PackError::TooLarge { what };
    let listed = postcard::to_stdvec(&listed).map_err(|_| PackError::TooLarge { what: "names" })?;
    let listed = zstd::bulk::compress(&listed, LEVEL).map_err(too_large("names"))?;
    let dictionary = zstd::bulk::compress(&dictionary, LEVEL).map_err(too_large("words"))?;
    let parts: [&[u8]; 6] = [&keys, &places, &rows, &dictionary, &listed, &data];
    let mut bytes = Header::of(parts)?.write();
    for part in parts {
        bytes.extend(part);
    }
    Ok(bytes)
}

fn count(number: usize) -> Result<u32, PackError> {
    u32::try_from(number).map_err(|_| PackError::TooLarge { what: "texts" })
}

/// The sorted keys, and the number of each one's text.
fn keys(
    wheels: &[PackedWheel],
    names: &BTreeMap<&PackageName, BTreeMap<&Version, Written>>,
) -> Result<(Vec<u8>, Vec<u8>), PackError> {
    let mut known: BTreeMap<Key, u32> = BTreeMap::new();
    for wheel in wheels {
        let releases = names.get(&wheel.name);
        let release = releases.and_then(|releases| releases.get(&wheel.version));
        let text = release.and_then(|release| release.texts.get(&wheel.headers));
        if let (Some(key), Some(text)) = (key(&wheel.sha256), text) {
            known.insert(key, *text);
        }
    }
    count(known.len())?;
    let keys = known.keys().flatten().copied().collect();
    let places = known.values().flat_map(|text| text.to_le_bytes()).collect();
    Ok((keys, places))
}

/// The table of the blocks, and the blocks. A distribution begins a new block unless the one
/// before is short, so that what is wanted together lies together.
fn blocks(
    texts: &[&[u8]],
    firsts: &[usize],
    dictionary: &[u8],
) -> Result<(Vec<u8>, Vec<u8>), PackError> {
    let too_large = |what| PackError::TooLarge { what };
    let mut compressor =
        Compressor::with_dictionary(LEVEL, dictionary).map_err(|_| too_large("words"))?;
    let (mut rows, mut data) = (Vec::new(), Vec::new());
    let mut first = 0;
    while first < texts.len() {
        let mut end = first;
        let mut length = 0;
        while let Some(text) = texts.get(end) {
            let begins_another = firsts.binary_search(&end).is_ok();
            let is_full = length + text.len() > BLOCK || begins_another && length > BLOCK / 2;
            if end > first && is_full {
                break;
            }
            length += text.len();
            end += 1;
        }
        let within = texts.get(first..end).unwrap_or_default();
        let whole = block(within).ok_or(too_large("text in one file"))?;
        debug_assert!(whole.len() <= BLOCK_LIMIT);
        let packed = compressor
            .compress(&whole)
            .map_err(|_| too_large("bytes"))?;
        let row = BlockRow {
            first_text: count(first)?,
            start: count(data.len())?,
            length: count(packed.len())?,
            raw: count(whole.len())?,
            checksum: checksum(&packed),
        };
        rows.extend(row.write());
        data.extend(packed);
        first = end;
    }
    Ok((rows, data))
}

/// What stands in many texts: the lines that most texts have, the most frequent ones last, where
/// Zstandard finds them cheapest.
fn dictionary(texts: &[&[u8]]) -> Vec<u8> {
    let mut lines: BTreeMap<&[u8], usize> = BTreeMap::new();
    for text in texts {
        for line in text.split_inclusive(|byte| *byte == b'\n') {
            *lines.entry(line).or_default() += line.len();
        }
    }
    let mut lines: Vec<(usize, &[u8])> = lines
        .into_iter()
        .filter(|(line, weight)| *weight > 2 * line.len())
        .map(|(line, weight)| (weight, line))
        .collect();
    lines.sort_unstable_by(|a, b| b.cmp(a));
    let mut length = 0;
    let kept = lines.iter().take_while(|(_, line)| {
        length += line.len();
        length <= DICTIONARY.min(DICTIONARY_LIMIT)
    });
    let kept: Vec<&[u8]> = kept.map(|(_, line)| *line).collect();
    kept.into_iter().rev().flatten().copied().collect()
}
