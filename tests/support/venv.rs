//! A virtual environment with a true interpreter and nothing installed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Makes the environment `env` in a folder, and gives its `site-packages`.
pub(crate) fn make(folder: &Path) -> PathBuf {
    let made = Command::new("python3")
        .args(["-m", "venv", "--without-pip", "env"])
        .current_dir(folder)
        .status()
        .unwrap();
    assert!(made.success());
    let mut libraries = fs::read_dir(folder.join("env/lib")).unwrap();
    let python = libraries.next().unwrap().unwrap().path();
    python.join("site-packages")
}
