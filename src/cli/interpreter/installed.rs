//! What is installed in an interpreter's environment.

use std::path::{Path, PathBuf};
use std::{fs, io};

use super::Interpreter;

impl Interpreter {
    /// The metadata files of the distributions installed: `METADATA` of `*.dist-info`, `PKG-INFO`
    /// of `*.egg-info` (or the `*.egg-info` file itself), in the order in which folders are
    /// searched for modules and sorted within each. A folder that does not exist has none.
    pub fn installed_metadata(&self) -> io::Result<Vec<PathBuf>> {
        let mut files = Vec::new();
        for folder in &self.site_packages {
            let mut here = match fs::read_dir(folder) {
                Ok(entries) => entries
                    .map(|entry| Ok(metadata_file(&entry?.path())))
                    .filter_map(io::Result::transpose)
                    .collect::<io::Result<Vec<PathBuf>>>()?,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(error),
            };
            here.sort();
            files.extend(here);
        }
        Ok(files)
    }
}

fn metadata_file(entry: &Path) -> Option<PathBuf> {
    let extension = entry.extension()?;
    let candidates = if extension == "dist-info" {
        [entry.join("METADATA"), PathBuf::new()]
    } else if extension == "egg-info" {
        [entry.join("PKG-INFO"), entry.to_owned()]
    } else {
        return None;
    };
    candidates.into_iter().find(|file| file.is_file())
}
