//! Keeping the cache small.

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::super::error::FetchError;
use super::{Cache, LAYOUT, RecordKind};

/// How often the cache is tidied.
const SELDOM: Duration = Duration::from_hours(24);

/// What may stay where nobody asks for less: what was written in half a year, and 4 GiB of it.
const KEPT: Duration = Duration::from_hours(24 * 180);
const MOST: u64 = 4 << 30;

/// The file whose age tells when the cache was tidied.
const TIDIED: &str = "tidied";

/// What may stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Records that were written before this are removed.
    pub before: Option<SystemTime>,
    /// So many bytes may stay: the records that were written first go first.
    pub bytes: Option<u64>,
}

/// A record's file.
struct Kept {
    written: SystemTime,
    path: PathBuf,
    bytes: u64,
}

impl Cache {
    /// Once a day, removes what runs that were killed have left, and what is old or too much.
    /// A cache that is for one run only, or that cannot be tidied, is left as it is.
    pub fn tidy(&self) {
        if self.is_temporary() || !self.is_due() {
            return;
        }
        self.remove_stale();
        let pruned = self.prune(Bounds {
            before: SystemTime::now().checked_sub(KEPT),
            bytes: Some(MOST),
        });
        if let Err(error) = pruned {
            log::debug!("the cache is not tidied: {error}");
        }
    }

    /// Whether it was long ago that the cache was tidied; notes that it is now.
    fn is_due(&self) -> bool {
        let path = self.root.join(TIDIED);
        let age = |metadata: std::fs::Metadata| metadata.modified().ok()?.elapsed().ok();
        let known = std::fs::metadata(&path);
        let is_new = known.is_err();
        // What was written in the future was written with a wrong clock.
        let is_recent = known.is_ok_and(|file| age(file).is_some_and(|age| age < SELDOM));
        // A cache that has just begun has nothing old.
        !is_recent && std::fs::write(&path, "").is_ok() && !is_new
    }

    /// Removes records that other versions of the program wrote, then what the bounds say;
    /// gives the number of files and of bytes that are gone. What is removed is fetched again
    /// when it is wanted; a process that has begun to read a page's record reads it to its end,
    /// or asks for the page again.
    ///
    /// # Errors
    ///
    /// [`FetchError`] where something cannot be listed or removed, or where the folder has not
    /// the mark of such a cache.
    pub fn prune(&self, bounds: Bounds) -> Result<(u64, u64), FetchError> {
        let mut gone = (0, 0);
        let Some(entries) = self.entries()? else {
            return Ok(gone);
        };
        let mut kept = Vec::new();
        for folder in entries {
            let name = folder.file_name().and_then(|name| name.to_str());
            let Some((kind, layout)) = name.and_then(|name| name.rsplit_once("-v")) else {
                continue;
            };
            let is_ours = RecordKind::ALL.iter().any(|ours| ours.folder() == kind);
            let is_number = layout.bytes().all(|byte| byte.is_ascii_digit());
            if !is_ours || !is_number || !folder.is_dir() {
                continue;
            }
            let wrong = |error: io::Error| FetchError::io(&*folder, &error);
            if layout == LAYOUT.to_string() {
                list(&folder, &mut kept).map_err(wrong)?;
            } else {
                super::count(&folder, &mut gone).map_err(wrong)?;
                std::fs::remove_dir_all(&folder).map_err(wrong)?;
            }
        }
        let archives = self.root.join("records").join("archives");
        if archives.is_dir() {
            list(&archives, &mut kept).map_err(|error| FetchError::io(&archives, &error))?;
        }
        kept.sort_unstable_by(|one, other| {
            (one.written, &one.path).cmp(&(other.written, &other.path))
        });
        let mut left: u64 = kept.iter().map(|record| record.bytes).sum();
        for record in kept {
            let is_old = bounds.before.is_some_and(|before| record.written < before);
            let is_over = bounds.bytes.is_some_and(|bytes| left > bytes);
            if !is_old && !is_over {
                continue;
            }
            match std::fs::remove_file(&record.path) {
                Ok(()) => gone = (gone.0 + 1, gone.1 + record.bytes),
                // Another process was faster.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(FetchError::io(&*record.path, &error)),
            }
            left = left.saturating_sub(record.bytes);
        }
        Ok(gone)
    }
}

/// Lists the files below a folder.
fn list(folder: &Path, kept: &mut Vec<Kept>) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let metadata = match entry.metadata() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            other => other?,
        };
        if metadata.is_dir() {
            list(&entry.path(), kept)?;
        } else {
            kept.push(Kept {
                // Where the file system does not say when, it is taken for the oldest.
                written: metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH),
                path: entry.path(),
                bytes: metadata.len(),
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes a record as if it had been written so many days ago.
    fn written(cache: &Cache, key: &str, days: u64) -> PathBuf {
        cache.write(RecordKind::Metadata, key, &[7; 88]);
        let path = cache.path(RecordKind::Metadata, key);
        let file = std::fs::File::options().append(true).open(&path);
        let age = Duration::from_hours(24 * days);
        let then = SystemTime::now().checked_sub(age).expect("a time");
        let file = file.expect("it was written");
        file.set_modified(then).expect("it can be set");
        path
    }

    #[test]
    fn a_cache_is_tidied_once_a_day() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let cache = Cache::new(Some(folder.path().to_owned()), &|_| None).expect("a cache");
        let old = written(&cache, "ab/old", 200);
        let young = written(&cache, "ab/young", 100);
        cache.tidy();
        assert!(old.exists(), "it has just begun");
        let stamp = std::fs::File::options()
            .append(true)
            .open(folder.path().join(TIDIED))
            .expect("it was written");
        let then = SystemTime::now().checked_sub(SELDOM).expect("a time");
        stamp.set_modified(then).expect("it can be set");
        cache.tidy();
        assert!(!old.exists() && young.exists());
        let old = written(&cache, "ab/old", 200);
        cache.tidy();
        assert!(old.exists(), "it was tidied a moment ago");
    }

    #[test]
    fn old_records_go_first_and_those_of_other_versions_always() {
        let cache = Cache::temporary().expect("a temporary folder");
        let nothing = Bounds {
            before: None,
            bytes: None,
        };
        assert_eq!(cache.prune(nothing), Ok((0, 0)));
        let paths = [40, 30, 20, 10].map(|days| written(&cache, &format!("ab/{days}"), days));
        let other = cache.root().join("pages-v1/x");
        std::fs::create_dir(other.parent().expect("a folder")).expect("writable");
        std::fs::write(&other, [0; 50]).expect("writable");
        let own = cache.root().join("records-of-mine");
        std::fs::write(&own, "years of work").expect("writable");
        assert_eq!(cache.prune(nothing), Ok((1, 50)));
        let left = || paths.iter().filter(|path| path.exists()).count();
        assert_eq!(left(), 4);

        let age = Duration::from_hours(24 * 35);
        let before = SystemTime::now().checked_sub(age);
        assert_eq!(
            cache.prune(Bounds {
                before,
                bytes: None
            }),
            Ok((1, 100))
        );
        assert!(!paths[0].exists());
        let bytes = Some(250);
        assert_eq!(cache.prune(Bounds { before, bytes }), Ok((1, 100)));
        assert!(!paths[1].exists() && paths[2].exists() && paths[3].exists());
        assert_eq!(cache.prune(Bounds { before, bytes }), Ok((0, 0)));
        assert!(own.is_file());

        std::fs::remove_file(cache.root().join("CACHEDIR.TAG")).expect("it is there");
        assert!(cache.prune(nothing).is_err());
        assert_eq!(left(), 2);
    }
}
