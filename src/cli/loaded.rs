//! What a running kernel has loaded: replacing that under it is asking for a crash.
//!
//! Linux tells in `/proc/<process>/maps` which shared objects a process has mapped. Other
//! systems tell nothing without privileges, and nothing is claimed there.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use pep508_rs::PackageName;

/// A process that has binaries of a distribution loaded.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Holder {
    pub(crate) process: u32,
    pub(crate) command: String,
    /// One of the files.
    pub(crate) file: String,
}

/// The processes among those that may concern the base which have one of the distributions
/// loaded, by distribution.
///
/// Those are the ancestors of this process (a notebook's cell runs below its kernel), and every
/// process that has mapped files below `folders`, the base's own.
pub(crate) fn holders(
    names: &BTreeSet<PackageName>,
    folders: &[String],
) -> BTreeMap<PackageName, Holder> {
    let mut found = BTreeMap::new();
    let ancestors = ancestors();
    for process in processes() {
        let Ok(maps) = std::fs::read_to_string(format!("/proc/{process}/maps")) else {
            continue;
        };
        let is_ancestor = ancestors.contains(&process);
        for file in mapped(&maps) {
            if !is_ancestor
                && !folders
                    .iter()
                    .any(|folder| file.starts_with(folder.as_str()))
            {
                continue;
            }
            let Some(name) = owner(file, names) else {
                continue;
            };
            found.entry(name).or_insert_with(|| Holder {
                process,
                command: command(process),
                file: file.to_owned(),
            });
        }
    }
    found
}

fn processes() -> Vec<u32> {
    let Ok(entries) = std::fs::read_dir("/proc") else {
        return Vec::new();
    };
    let mut processes: Vec<u32> = entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .collect();
    processes.sort_unstable();
    processes
}

fn ancestors() -> BTreeSet<u32> {
    let mut found = BTreeSet::new();
    let mut process = std::process::id();
    while process > 1 {
        let Ok(status) = std::fs::read_to_string(format!("/proc/{process}/status")) else {
            break;
        };
        let parent = status
            .lines()
            .find_map(|line| line.strip_prefix("PPid:")?.trim().parse().ok());
        match parent {
            Some(parent) if found.insert(parent) => process = parent,
            _ => break,
        }
    }
    found
}

fn command(process: u32) -> String {
    let line = std::fs::read(format!("/proc/{process}/cmdline")).unwrap_or_default();
    let words: Vec<String> = line
        .split(|byte| *byte == 0)
        .filter(|word| !word.is_empty())
        .take(4)
        .map(|word| String::from_utf8_lossy(word).into_owned())
        .collect();
    words.join(" ")
}

/// The files of a `/proc/<process>/maps`.
fn mapped(maps: &str) -> impl Iterator<Item = &str> {
    maps.lines()
        .filter_map(|line| line.find('/').and_then(|start| line.get(start..)))
}

/// Which of the distributions a mapped file belongs to, by its folder below site-packages.
fn owner(file: &str, names: &BTreeSet<PackageName>) -> Option<PackageName> {
    let (_, inside) = file
        .split_once("/site-packages/")
        .or_else(|| file.split_once("/dist-packages/"))?;
    let top = Path::new(inside).iter().next()?.to_str()?;
    let top = top.split(['.', '-']).next()?.replace('_', "-");
    names
        .iter()
        .find(|name| {
            let name = name.as_ref();
            top.eq_ignore_ascii_case(name)
                || imports(name).is_some_and(|import| import.eq_ignore_ascii_case(&top))
        })
        .cloned()
}

/// The import path of distributions whose name does not tell it.
fn imports(name: &str) -> Option<&'static str> {
    Some(match name {
        "pillow" => "PIL",
        "scikit-learn" => "sklearn",
        "scikit-image" => "skimage",
        "pyyaml" => "yaml",
        "protobuf" => "google",
        name if name.starts_with("opencv") => "cv2",
        name if name.starts_with("onnxruntime") => "onnxruntime",
        name if name.starts_with("cupy") => "cupy",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use std::str::FromStr as _;

    use super::*;

    #[test]
    fn a_mapped_file_tells_its_distribution() {
        let names: BTreeSet<PackageName> = ["numpy", "opencv-python", "scikit-learn"]
            .iter()
            .map(|name| PackageName::from_str(name).expect("a name"))
            .collect();
        let maps = "7f00 r-xp 00000 08:01 1 /usr/lib/libc.so.6\n\
                    7f01 r-xp 00000 08:01 2 /venv/lib/python3.12/site-packages/numpy/_core/x.so\n\
                    7f02 rw-p 00000 00:00 0\n\
                    7f03 r-xp 00000 08:01 2 /venv/lib/python3.12/site-packages/numpy.libs/b.so\n\
                    7f04 r-xp 00000 08:01 2 /usr/lib/python3/dist-packages/cv2/cv2.abi3.so\n\
                    7f05 r-xp 00000 08:01 2 /venv/lib/site-packages/pandas/a.so\n";
        let owners: Vec<String> = mapped(maps)
            .filter_map(|file| owner(file, &names))
            .map(|name| name.to_string())
            .collect();
        assert_eq!(owners, ["numpy", "numpy", "opencv-python"]);
    }
}
