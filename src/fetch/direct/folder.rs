//! Local folders: what they say of themselves, and a copy of them for a build.
//!
//! A build writes where it runs (`build`, `*.egg-info`), and nothing may be written to a
//! folder of the user's; hence the copy.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::super::archive::LARGEST_MEMBER;
use super::super::build::Source;
use super::super::sdist::{Told, not_kept};
use crate::solve::FactError;

/// How much is copied for a build at most, in bytes.
const LARGEST_COPY: u64 = 2 * 1024 * 1024 * 1024;

/// Folders that no build reads and that may be large. Virtual environments are known by
/// their `pyvenv.cfg`.
const LEFT_OUT: [&str; 9] = [
    ".git",
    ".hg",
    ".mypy_cache",
    ".nox",
    ".pytest_cache",
    ".ruff_cache",
    ".tox",
    "__pycache__",
    "node_modules",
];

/// What a project's folder says of itself.
pub(super) fn told(folder: &Path) -> Result<Told, FactError> {
    Ok(Told {
        pkg_info: read(&folder.join("PKG-INFO"))?,
        pyproject: read(&folder.join("pyproject.toml"))?,
        egg_requires: None,
        is_project: ["pyproject.toml", "setup.py", "setup.cfg"]
            .iter()
            .any(|name| folder.join(name).is_file()),
    })
}

/// A text file; `None` where there is none.
pub(super) fn read(path: &Path) -> Result<Option<String>, FactError> {
    let opened = match fs::File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened,
    };
    let mut bytes = Vec::new();
    opened
        .and_then(|file| file.take(LARGEST_MEMBER).read_to_end(&mut bytes))
        .map_err(|error| FactError::Failed {
            message: format!("could not read `{}`: {error}", path.display()),
            hint: None,
        })?;
    Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
}

/// A copy of a folder, for a build to write to.
///
/// Where the folder is part of a git repository, the copy points to that repository, since
/// many builds take the version from its tags.
pub(super) fn copy(folder: &Path) -> Result<Source, FactError> {
    let keep = tempfile::tempdir().map_err(|error| not_kept(&error))?;
    let (root, git) = repository(folder).unwrap_or_else(|| (folder.to_path_buf(), None));
    let inside = folder.strip_prefix(&root).unwrap_or(Path::new(""));
    // Builds may take a project's name from its folder's.
    let top = keep
        .path()
        .join(root.file_name().unwrap_or("project".as_ref()));
    let path = top.join(inside);
    let mut left = LARGEST_COPY;
    let copied = fs::create_dir_all(&path)
        .and_then(|()| copy_tree(folder, &path, &mut left))
        .and_then(|()| match &git {
            Some(git) => fs::write(top.join(".git"), format!("gitdir: {}\n", git.display())),
            None => Ok(()),
        });
    copied.map_err(|error| FactError::Failed {
        message: format!(
            "could not copy `{}` to build it aside: {error}",
            folder.display()
        ),
        hint: Some(
            "give it static metadata (a `[project]` table with nothing dynamic in \
             pyproject.toml); then no build is needed"
                .to_owned(),
        ),
    })?;
    Ok(Source {
        path,
        keep: Some(keep),
    })
}

/// The work tree that a folder is part of, and where its repository is.
fn repository(folder: &Path) -> Option<(PathBuf, Option<PathBuf>)> {
    let root = folder
        .ancestors()
        .find(|ancestor| ancestor.join(".git").exists())?;
    let git = root.join(".git");
    if git.is_dir() {
        return Some((root.to_path_buf(), Some(git)));
    }
    // A linked work tree or a submodule.
    let text = fs::read_to_string(&git).ok()?;
    let points_to = text.strip_prefix("gitdir:")?.trim();
    Some((root.to_path_buf(), Some(root.join(points_to))))
}

fn copy_tree(from: &Path, to: &Path, left: &mut u64) -> io::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        let target = to.join(entry.file_name());
        if kind.is_dir() {
            let is_left_out = LEFT_OUT.iter().any(|name| entry.file_name() == *name);
            if is_left_out || entry.path().join("pyvenv.cfg").exists() {
                continue;
            }
            fs::create_dir(&target)?;
            copy_tree(&entry.path(), &target, left)?;
        } else if kind.is_file() {
            *left = left.checked_sub(entry.metadata()?.len()).ok_or_else(|| {
                io::Error::other(format!("it holds more than {} MiB", LARGEST_COPY >> 20))
            })?;
            fs::copy(entry.path(), &target)?;
        } else if kind.is_symlink() {
            copy_link(&entry.path(), &target)?;
        }
    }
    Ok(())
}

/// A link that may lead out of the folder is made absolute.
#[cfg(unix)]
fn copy_link(from: &Path, to: &Path) -> io::Result<()> {
    let points_to = fs::read_link(from)?;
    let stays = points_to.is_relative()
        && !points_to
            .components()
            .any(|part| part == std::path::Component::ParentDir);
    let absolute = fs::canonicalize(from).ok().filter(|_| !stays);
    std::os::unix::fs::symlink(absolute.unwrap_or(points_to), to)
}

#[cfg(not(unix))]
fn copy_link(from: &Path, to: &Path) -> io::Result<()> {
    if from.is_file() {
        fs::copy(from, to)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn a_copy_has_the_sources_and_not_the_rest() {
        let folder = tempfile::tempdir().unwrap();
        let repository = folder.path().join("repo");
        let project = repository.join("python");
        for inside in ["src/demo", "venv/bin", "__pycache__"] {
            fs::create_dir_all(project.join(inside)).unwrap();
        }
        for file in [
            "setup.py",
            "src/demo/__init__.py",
            "venv/pyvenv.cfg",
            "__pycache__/x",
        ] {
            fs::write(project.join(file), file).unwrap();
        }
        fs::create_dir(repository.join(".git")).unwrap();

        let source = copy(&project).unwrap();
        assert!(source.path.ends_with("repo/python"));
        let copied = fs::read_to_string(source.path.join("setup.py")).unwrap();
        assert_eq!(copied, "setup.py");
        assert!(source.path.join("src/demo/__init__.py").is_file());
        assert!(!source.path.join("venv").exists());
        assert!(!source.path.join("__pycache__").exists());
        let pointer = fs::read_to_string(source.path.join("../.git")).unwrap();
        let git = repository.join(".git");
        assert_eq!(pointer, format!("gitdir: {}\n", git.display()));
    }

    #[cfg(unix)]
    #[test]
    fn links_lead_where_they_led() {
        let folder = tempfile::tempdir().unwrap();
        let project = folder.path().join("project");
        fs::create_dir(&project).unwrap();
        fs::write(folder.path().join("outside"), "out").unwrap();
        for (points_to, name) in [("../outside", "a"), ("inside", "b")] {
            std::os::unix::fs::symlink(points_to, project.join(name)).unwrap();
        }
        let source = copy(&project).unwrap();
        let outside = fs::read_to_string(source.path.join("a")).unwrap();
        assert_eq!(outside, "out");
        let inside = fs::read_link(source.path.join("b")).unwrap();
        assert_eq!(inside, Path::new("inside"));
    }
}
