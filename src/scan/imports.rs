//! The import paths that a wheel installs, from its file list.

use std::collections::{BTreeMap, BTreeSet};

use super::findings::FileDigest;
use super::plan::{Role, role};

/// A folder of the file list.
#[derive(Debug, Default)]
struct Folder<'a> {
    folders: BTreeMap<&'a str, Folder<'a>>,
    modules: BTreeSet<&'a str>,
    /// It has an `__init__` that makes it one distribution's own package.
    regular: bool,
    holds_files: bool,
}

/// The import paths that the files make up, sorted.
///
/// A package is named by itself (`cv2`); a namespace package by the packages in it
/// (`nvidia.cudnn`). A top-level package with an empty `__init__.py` and no module
/// beside it counts as a namespace: several distributions install that file alike.
pub(super) fn imports(files: &[FileDigest]) -> Vec<String> {
    let mut root = Folder::default();
    for file in files {
        if let Some(path) = installed_path(&file.path) {
            insert(&mut root, path, file.size);
        }
    }
    let mut found: Vec<String> = root.modules.iter().map(ToString::to_string).collect();
    for (name, folder) in &root.folders {
        name_packages("", name, folder, &mut found);
    }
    found.sort();
    found.dedup();
    found
}

/// Where a member is put under `site-packages`; `None` where it is put elsewhere or
/// belongs to one distribution by its name (PEP 427, `.data` and `.dist-info` folders).
pub(super) fn installed_path(path: &str) -> Option<&str> {
    let (top, rest) = path.split_once('/').unwrap_or((path, ""));
    match top.rsplit_once('.') {
        Some((_, "dist-info")) => None,
        Some((_, "data")) => rest
            .strip_prefix("purelib/")
            .or_else(|| rest.strip_prefix("platlib/")),
        _ => Some(path),
    }
}

fn insert<'a>(root: &mut Folder<'a>, path: &'a str, size: u64) {
    let mut folder = root;
    let is_top = path.matches('/').count() == 1;
    let mut parts = path.split('/').peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_some() {
            folder = folder.folders.entry(part).or_default();
            continue;
        }
        folder.holds_files = true;
        let Some(module) = module_name(part) else {
            continue;
        };
        if module == "__init__" {
            folder.regular |= size > 0 || !is_top;
        } else {
            folder.modules.insert(module);
        }
    }
}

fn name_packages(parent: &str, name: &str, folder: &Folder<'_>, found: &mut Vec<String>) {
    if !is_identifier(name) {
        return;
    }
    let path = match parent {
        "" => name.to_owned(),
        _ => format!("{parent}.{name}"),
    };
    let before = found.len();
    if !folder.regular && folder.modules.is_empty() {
        for (child, inner) in &folder.folders {
            name_packages(&path, child, inner, found);
        }
    }
    // Data beside no module at all can still be found through the folder's name.
    if found.len() == before && (folder.holds_files || folder.regular) {
        found.push(path);
    }
}

/// The name under which a file is imported; `None` where it is no module.
fn module_name(file: &str) -> Option<&str> {
    let (module, ending) = file.split_once('.')?;
    let python = matches!(ending, "py" | "pyc");
    let native = role(file) == Some(Role::Extension);
    (is_identifier(module) && (python || native)).then_some(module)
}

fn is_identifier(text: &str) -> bool {
    !text.starts_with(|first: char| first.is_ascii_digit())
        && !text.is_empty()
        && text.chars().all(|c| c.is_alphanumeric() || c == '_')
}
