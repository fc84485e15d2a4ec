//! Keeping the cache small.

use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::super::error::FetchError;
use super::{Cache, LAYOUT, RecordKind};

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
    use std::time::Duration;

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
