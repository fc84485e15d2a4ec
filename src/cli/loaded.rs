//! What a running kernel has loaded: replacing that under it is asking for a crash.
//!
//! Linux tells in `/proc/<process>/maps` which shared objects a process has mapped. Other
//! systems tell nothing without privileges, and nothing is claimed there.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use pep508_rs::PackageName;

use crate::check::read_record;

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
    let mut owners = Owners::new(names);
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
            let Some(name) = owners.of(file) else {
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

/// Whose a mapped file is: RECORD says it, else the name of its folder below site-packages.
struct Owners<'n> {
    names: &'n BTreeSet<PackageName>,
    /// The files that the RECORDs of a site-packages folder list, by folder.
    recorded: BTreeMap<String, BTreeMap<String, PackageName>>,
}

impl<'n> Owners<'n> {
    fn new(names: &'n BTreeSet<PackageName>) -> Self {
        Self {
            names,
            recorded: BTreeMap::new(),
        }
    }

    fn of(&mut self, file: &str) -> Option<PackageName> {
        let (site, inside) = ["/site-packages/", "/dist-packages/"]
            .iter()
            .find_map(|folder| {
                let (before, inside) = file.split_once(folder)?;
                Some((format!("{before}{folder}"), inside))
            })?;
        if !self.recorded.contains_key(&site) {
            let recorded = recorded(Path::new(&site), self.names);
            self.recorded.insert(site.clone(), recorded);
        }
        if let Some(name) = self.recorded.get(&site).and_then(|files| files.get(inside)) {
            return Some(name.clone());
        }
        let top = inside.split('/').next()?.split(['.', '-']).next()?;
        let top = top.replace('_', "-");
        let mut names = self.names.iter();
        names
            .find(|name| top.eq_ignore_ascii_case(name.as_ref()))
            .cloned()
    }
}

/// The files of these distributions in a site-packages folder, by what their RECORDs say.
fn recorded(site: &Path, names: &BTreeSet<PackageName>) -> BTreeMap<String, PackageName> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(site).into_iter().flatten().flatten() {
        let folder = entry.file_name();
        let name = folder
            .to_str()
            .and_then(|folder| folder.strip_suffix(".dist-info"))
            .and_then(|stem| stem.split('-').next()?.parse::<PackageName>().ok())
            .filter(|name| names.contains(name));
        let Some(name) = name else { continue };
        let record = std::fs::read_to_string(entry.path().join("RECORD")).unwrap_or_default();
        for file in read_record(&record) {
            found.insert(file.path, name.clone());
        }
    }
    found
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
        let folder = tempfile::tempdir().expect("a folder");
        let site = folder.path().join("site-packages");
        let info = site.join("opencv_python-4.10.0.84.dist-info");
        std::fs::create_dir_all(&info).expect("it can be made");
        std::fs::write(info.join("RECORD"), "cv2/cv2.abi3.so,sha256=x,1\n").expect("a file");
        let maps = format!(
            "7f00 r-xp 00000 08:01 1 /usr/lib/libc.so.6\n\
             7f01 r-xp 00000 08:01 2 /venv/lib/python3.12/site-packages/numpy/_core/x.so\n\
             7f02 rw-p 00000 00:00 0\n\
             7f03 r-xp 00000 08:01 2 /venv/lib/python3.12/site-packages/numpy.libs/b.so\n\
             7f04 r-xp 00000 08:01 2 {site}/cv2/cv2.abi3.so\n\
             7f05 r-xp 00000 08:01 2 {site}/cv2/other.so\n\
             7f06 r-xp 00000 08:01 2 /venv/lib/site-packages/pandas/a.so\n",
            site = site.display()
        );
        let mut known = Owners::new(&names);
        let owners: Vec<String> = mapped(&maps)
            .filter_map(|file| known.of(file))
            .map(|name| name.to_string())
            .collect();
        assert_eq!(owners, ["numpy", "numpy", "opencv-python"]);
    }
}
