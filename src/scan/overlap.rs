//! Where two wheels install the same files.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::findings::FileDigest;
use super::imports::installed_path;

/// Where two wheels install the same files.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overlap {
    /// Paths at which both install the same content, sorted.
    pub identical: Vec<String>,
    /// Paths at which they install different content, sorted: whichever is
    /// installed last breaks the other.
    pub different: Vec<String>,
}

/// Compares what two wheels install, by size and CRC-32.
///
/// Only what goes below `site-packages` counts: scripts and data of two wheels may meet elsewhere.
pub fn overlap(a: &[FileDigest], b: &[FileDigest]) -> Overlap {
    let installed = by_path(a);
    let mut found = Overlap::default();
    for (path, file) in by_path(b) {
        let Some(other) = installed.get(path) else {
            continue;
        };
        let same = (other.size, other.crc32) == (file.size, file.crc32);
        let list = if same {
            &mut found.identical
        } else {
            &mut found.different
        };
        list.push(path.to_owned());
    }
    found
}

fn by_path(files: &[FileDigest]) -> BTreeMap<&str, &FileDigest> {
    files
        .iter()
        .filter_map(|file| Some((installed_path(&file.path)?, file)))
        .collect()
}
