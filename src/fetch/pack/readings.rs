//! What was read of the pack, kept between runs.
//!
//! To unpack a text and to read it takes some sixty microseconds; to take what was read from it
//! (`Metadata::unpack`), a tenth of that. A record for each would be hundreds of small files, which
//! cost a cold run more than they save a later one; so all lie in one, which a run writes anew
//! where it has read something more. The pack stands behind it: what is not here, or is damaged, is
//! read from there.
//!
//! The number of entries; for each the key of the wheel, and the end of what was read among all
//! that; all that. Entries are sorted by key; numbers are little-endian.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use pep440_rs::Version;
use pep508_rs::PackageName;

use super::super::cache::{Cache, Parts, RecordKind};
use super::super::metadata_record::reading;
use super::parts::{self, KEY, Key};
use crate::metadata::Metadata;

/// Its key in the cache.
const RECORD: &str = "pack/readings";

/// Key and end.
const ROW: usize = KEY + 4;

/// Where more than so much was read, in bytes, it begins anew with what the last run read.
const LIMIT: usize = 8 << 20;

/// What was read of the pack in earlier runs, and in this one.
#[derive(Debug, Default)]
pub(in super::super) struct Readings {
    kept: OnceLock<Kept>,
    noted: Mutex<BTreeMap<Key, Arc<Metadata>>>,
}

impl Readings {
    /// What was read of the wheel with this sha256 (hexadecimal), and of this name and version.
    pub(in super::super) fn get(
        &self,
        cache: &Cache,
        sha256: &str,
        name: &PackageName,
        version: &Version,
    ) -> Option<Metadata> {
        let kept = self.kept.get_or_init(|| Kept::of(cache));
        Metadata::unpack(kept.get(&parts::key(sha256)?)?, name, version)
    }

    /// Notes what was read of a wheel whose name and version its metadata has.
    pub(in super::super) fn note(&self, sha256: &str, metadata: &Arc<Metadata>) {
        if let Some(key) = parts::key(sha256) {
            self.noted().insert(key, Arc::clone(metadata));
        }
    }

    /// Writes what this run has read.
    pub(in super::super) fn write(&self, cache: &Cache) {
        let new = std::mem::take(&mut *self.noted());
        if new.is_empty() {
            return;
        }
        let kept = self.kept.get_or_init(|| Kept::of(cache));
        let mut all: BTreeMap<Key, Vec<u8>> = if kept.bytes.len() > LIMIT {
            BTreeMap::new()
        } else {
            let known = kept.keys().iter().filter_map(|row| {
                let (key, _) = row.split_first_chunk()?;
                Some((*key, kept.get(key)?.to_vec()))
            });
            known.collect()
        };
        all.extend(
            new.into_iter()
                .filter_map(|(key, read)| Some((key, read.pack()?))),
        );
        if let Some(head) = written(&all) {
            let parts = Parts {
                about: reading().into_bytes(),
                head,
                details: Vec::new(),
            };
            cache.write_parts(RecordKind::Metadata, RECORD, &parts);
        }
    }

    fn noted(&self) -> MutexGuard<'_, BTreeMap<Key, Arc<Metadata>>> {
        // A panic elsewhere leaves the map whole.
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What was read in earlier runs.
#[derive(Debug, Default)]
struct Kept {
    bytes: Vec<u8>,
}

impl Kept {
    fn of(cache: &Cache) -> Self {
        let record = cache.read_parts(RecordKind::Metadata, RECORD);
        // What another version of the program read, it may have read otherwise.
        let ours = record.filter(|record| record.about == reading().as_bytes());
        Self {
            bytes: ours.map(|record| record.head).unwrap_or_default(),
        }
    }

    /// The rows; none where there is less than they need.
    fn keys(&self) -> &[[u8; ROW]] {
        let rows = || {
            let (count, rest) = self.bytes.split_first_chunk()?;
            let count = usize::try_from(u32::from_le_bytes(*count)).ok()?;
            rest.as_chunks().0.get(..count)
        };
        rows().unwrap_or_default()
    }

    fn get(&self, key: &Key) -> Option<&[u8]> {
        let rows = self.keys();
        let place = rows
            .binary_search_by(|row| row.get(..KEY).cmp(&Some(&key[..])))
            .ok()?;
        let end = |place: usize| {
            let end = rows.get(place)?.last_chunk()?;
            usize::try_from(u32::from_le_bytes(*end)).ok()
        };
        let start = place.checked_sub(1).map_or(Some(0), end)?;
        let all = self.bytes.get(4 + rows.len() * ROW..)?;
        all.get(start..end(place)?)
    }
}

fn written(all: &BTreeMap<Key, Vec<u8>>) -> Option<Vec<u8>> {
    let mut bytes = u32::try_from(all.len()).ok()?.to_le_bytes().to_vec();
    let mut end = 0_usize;
    for (key, read) in all {
        end = end.checked_add(read.len())?;
        bytes.extend(key);
        bytes.extend(u32::try_from(end).ok()?.to_le_bytes());
    }
    for read in all.values() {
        bytes.extend_from_slice(read);
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metadata(version: u32) -> Arc<Metadata> {
        let text = format!("Name: demo\nVersion: {version}\nRequires-Dist: numpy<{version}\n");
        Arc::new(Metadata::parse(text.as_bytes(), None).expect("it is metadata"))
    }

    fn sha256(seed: u32) -> String {
        super::super::super::digest::sha256(&seed.to_le_bytes())
    }

    fn get(cache: &Cache, seed: u32) -> Option<Metadata> {
        let expected = metadata(seed);
        Readings::default().get(cache, &sha256(seed), &expected.name, &expected.version)
    }

    #[test]
    fn what_several_runs_read_is_kept_together() {
        let cache = Cache::temporary().expect("a temporary folder");
        assert_eq!(get(&cache, 0), None);
        for run in 0..4 {
            let readings = Readings::default();
            // What is not asked for is not lost either.
            if run != 2 {
                readings.get(&cache, &sha256(0), &metadata(0).name, &metadata(0).version);
            }
            for seed in run * 10..run * 10 + 10 {
                readings.note(&sha256(seed), &metadata(seed));
            }
            readings.write(&cache);
        }
        for seed in 0..40 {
            assert_eq!(get(&cache, seed).as_ref(), Some(&*metadata(seed)), "{seed}");
        }
        assert_eq!(get(&cache, 40), None);
        let before = std::fs::metadata(cache.path(RecordKind::Metadata, RECORD));
        Readings::default().write(&cache);
        let after = std::fs::metadata(cache.path(RecordKind::Metadata, RECORD));
        let modified =
            |it: std::io::Result<std::fs::Metadata>| it.and_then(|it| it.modified()).ok();
        assert_eq!(modified(before), modified(after), "nothing was read");
    }

    #[test]
    fn what_is_damaged_or_read_by_another_version_is_none() {
        let cache = Cache::temporary().expect("a temporary folder");
        let readings = Readings::default();
        readings.note(&sha256(7), &metadata(7));
        readings.write(&cache);
        let path = cache.path(RecordKind::Metadata, RECORD);
        let whole = std::fs::read(&path).expect("it was written");
        for place in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[place] ^= 1;
            std::fs::write(&path, damaged).expect("it can be written");
            assert_eq!(get(&cache, 7), None, "byte {place}");
        }
        let kept = cache.read_parts(RecordKind::Metadata, RECORD);
        assert!(kept.is_none());
        std::fs::write(&path, &whole).expect("it can be written");
        assert!(get(&cache, 7).is_some());
        let head = cache.read_parts(RecordKind::Metadata, RECORD);
        let other = Parts {
            about: b"another".to_vec(),
            head: head.expect("it is whole").head,
            details: Vec::new(),
        };
        cache.write_parts(RecordKind::Metadata, RECORD, &other);
        assert_eq!(get(&cache, 7), None);
    }

    #[test]
    fn no_bytes_make_it_panic() {
        for bytes in [
            Vec::new(),
            vec![0xff; 3],
            vec![0xff; 4],
            vec![0xff; 100],
            [&[1, 0, 0, 0][..], &[0xff; ROW]].concat(),
        ] {
            let kept = Kept { bytes };
            assert_eq!(kept.get(&[0xff; KEY]), None);
        }
    }
}
