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

    /// What a broken-off installation or removal left: metadata folders without metadata, and
    /// what pip puts aside under a name with `~`; sorted.
    pub fn left_behind(&self) -> Vec<PathBuf> {
        let entries = self
            .site_packages
            .iter()
            .filter_map(|folder| fs::read_dir(folder).ok());
        let mut found: Vec<PathBuf> = entries
            .flatten()
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| {
                let is_aside = path
                    .file_name()
                    .is_some_and(|name| name.to_string_lossy().starts_with('~'));
                let is_metadata = path.extension().is_some_and(|ending| ending == "dist-info");
                is_aside || is_metadata && path.is_dir() && metadata_file(path).is_none()
            })
            .collect();
        found.sort();
        found
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
