//! Small private records on disk: what was learned of archives, builds and commits.
//!
//! A record is one JSON file, written whole or not at all, so that processes may share a
//! folder and be killed at any moment. A record that cannot be read, or that another
//! version of the program wrote, is as good as none.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::digest;

/// The layout of every record; one more when any of them changes.
const VERSION: u32 = 1;

/// A folder of records; without one, nothing is remembered.
#[derive(Debug, Clone, Default)]
pub struct Records {
    root: Option<PathBuf>,
}

/// One record. Its key is in its file name only, hashed: a URL may hold a signature.
#[derive(Serialize, Deserialize)]
struct Envelope<V> {
    version: u32,
    value: V,
}

impl Records {
    /// Records in a folder, which is made when the first is written.
    pub fn in_folder(root: PathBuf) -> Self {
        Self { root: Some(root) }
    }

    /// The folder, where there is one.
    pub fn root(&self) -> Option<&Path> {
        self.root.as_deref()
    }

    /// The record of a kind under a key.
    pub fn get<V: DeserializeOwned>(&self, kind: &str, key: &str) -> Option<V> {
        let bytes = fs::read(self.path(kind, key)?).ok()?;
        let envelope: Envelope<V> = serde_json::from_slice(&bytes).ok()?;
        (envelope.version == VERSION).then_some(envelope.value)
    }

    /// Writes a record. That it could not be written is told in the log only: the answer
    /// is at hand, and the next run asks again.
    pub fn put<V: Serialize>(&self, kind: &str, key: &str, value: &V) {
        let Some(path) = self.path(kind, key) else {
            return;
        };
        let envelope = Envelope {
            version: VERSION,
            value,
        };
        let written = serde_json::to_vec(&envelope)
            .map_err(std::io::Error::other)
            .and_then(|bytes| write_whole(&path, &bytes));
        if let Err(error) = written {
            log::debug!("could not write the record `{}`: {error}", path.display());
        }
    }

    /// Where a file with this sha256 is kept, under its own name; `None` where nothing is kept.
    pub fn archive_path(&self, sha256: &str, filename: &str) -> Option<PathBuf> {
        let plain = !filename.is_empty()
            && !filename.starts_with('.')
            && !filename.contains(['/', '\\', '\0', ':']);
        let hexadecimal = sha256.len() == 64 && sha256.bytes().all(|byte| byte.is_ascii_hexdigit());
        (plain && hexadecimal).then_some(())?;
        let folder = self.root.as_ref()?.join("archives").join(sha256);
        Some(folder.join(filename))
    }

    fn path(&self, kind: &str, key: &str) -> Option<PathBuf> {
        let name = digest::sha256(key.as_bytes());
        let folder = self.root.as_ref()?.join(kind);
        Some(folder.join(format!("{name}.json")))
    }
}

fn write_whole(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(bytes)?;
    file.persist(path)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn gives_back_what_was_put_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let records = Records::in_folder(folder.path().join("records"));
        assert_eq!(records.get::<u32>("kind", "a"), None);
        records.put("kind", "a", &7_u32);
        assert_eq!(records.get::<u32>("kind", "a"), Some(7));
        assert_eq!(records.get::<u32>("kind", "b"), None);
        assert_eq!(records.get::<u32>("other", "a"), None);
        assert_eq!(records.get::<String>("kind", "a"), None);
    }

    #[test]
    fn a_spoiled_record_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let records = Records::in_folder(folder.path().to_path_buf());
        records.put("kind", "a", &7_u32);
        let path = records.path("kind", "a").unwrap();
        fs::write(&path, b"{\"version\":1,").unwrap();
        assert_eq!(records.get::<u32>("kind", "a"), None);
        fs::write(&path, b"{\"version\":0,\"value\":7}").unwrap();
        assert_eq!(records.get::<u32>("kind", "a"), None);
    }

    #[test]
    fn archives_are_kept_under_plain_names_only() {
        let records = Records::in_folder(PathBuf::from("cache"));
        let sha256 = "a".repeat(64);
        assert!(records.archive_path(&sha256, "demo-1.0.tar.gz").is_some());
        for name in ["", "..", "../demo", "a/b", "a\\b", "c:d"] {
            assert_eq!(records.archive_path(&sha256, name), None, "{name}");
        }
        assert_eq!(records.archive_path("../../x", "demo-1.0.tar.gz"), None);
        assert_eq!(Records::default().archive_path(&sha256, "demo"), None);
    }
}
