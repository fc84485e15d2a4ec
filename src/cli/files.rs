//! The request's door to the world: files from the disk and the network, the environment.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::io::{ErrorKind, Read as _};
use std::path::Path;

use crate::request::{SourceError, Sources};

/// Reads what the user names; `-` is standard input, which is read once.
pub(crate) struct Files<'a> {
    /// Reads a URL: `-r https://…`.
    download: &'a dyn Fn(&str) -> Result<Vec<u8>, String>,
    standard_input: RefCell<Option<Vec<u8>>>,
    /// The files that were read, and `-`: an output must be none of them.
    read: RefCell<BTreeSet<String>>,
}

impl<'a> Files<'a> {
    pub(crate) fn new(download: &'a dyn Fn(&str) -> Result<Vec<u8>, String>) -> Self {
        Self {
            download,
            standard_input: RefCell::new(None),
            read: RefCell::default(),
        }
    }

    /// The files of this machine that were read; `-` where standard input was.
    pub(crate) fn into_read(self) -> BTreeSet<String> {
        self.read.into_inner()
    }
}

/// So many bytes are read of a file of requirements at most. Those of whole organisations have
/// some megabytes; a device (`/dev/zero`) never ends.
const MOST: u64 = 64 << 20;

pub(crate) fn read_bounded(path: &str) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path)?;
    file.take(MOST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MOST {
        let what = format!("it has more than {} MiB", MOST >> 20);
        return Err(std::io::Error::other(what));
    }
    Ok(bytes)
}

impl Sources for Files<'_> {
    fn read(&self, path: &str) -> Result<Vec<u8>, SourceError> {
        if path == "-" {
            let mut known = self.standard_input.borrow_mut();
            if known.is_none() {
                let mut bytes = Vec::new();
                std::io::stdin()
                    .read_to_end(&mut bytes)
                    .map_err(|error| SourceError::Refused(error.to_string()))?;
                *known = Some(bytes);
            }
            self.read.borrow_mut().insert(path.to_owned());
            return Ok(known.clone().unwrap_or_default());
        }
        if path.starts_with("https://") || path.starts_with("http://") {
            return (self.download)(path).map_err(SourceError::Unreached);
        }
        let path = path.strip_prefix("file://").unwrap_or(path);
        if Path::new(path).is_dir() {
            return Err(SourceError::Folder);
        }
        self.read.borrow_mut().insert(path.to_owned());
        read_bounded(path).map_err(|error| match error.kind() {
            ErrorKind::NotFound => SourceError::NotFound,
            _ => SourceError::Refused(error.to_string()),
        })
    }

    fn variable(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }

    fn is_dir(&self, path: &str) -> bool {
        Path::new(path).is_dir()
    }

    fn is_file(&self, path: &str) -> bool {
        Path::new(path).is_file()
    }

    fn absolute(&self, path: &str) -> String {
        std::path::absolute(path).map_or_else(
            |_| path.to_owned(),
            |path| path.to_string_lossy().into_owned(),
        )
    }
}
