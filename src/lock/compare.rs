//! Comparing locks: as texts, for people, and by what an installer would do with them.

use std::collections::BTreeMap;
use std::fmt;

use pep508_rs::PackageName;
use similar::TextDiff;

use super::{Lock, LockedPackage, Source};

/// The unified difference of two rendered locks, empty where they are equal.
///
/// `before` and `after` name them in the diff's heading.
pub fn diff((before, old): (&str, &str), (after, new): (&str, &str)) -> String {
    if old == new {
        return String::new();
    }
    TextDiff::from_lines(old, new)
        .unified_diff()
        .context_radius(3)
        .header(before, after)
        .to_string()
}

/// One way in which two locks install different things.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Difference {
    /// They are for different environments.
    Target {
        /// Python and platform of the first.
        before: String,
        /// Python and platform of the second.
        after: String,
    },
    /// Only the second has the distribution.
    Added(PackageName),
    /// Only the first has the distribution.
    Removed(PackageName),
    /// The versions differ.
    Version {
        /// The distribution.
        name: PackageName,
        /// The version in the first; empty where it has none.
        before: String,
        /// The version in the second; empty where it has none.
        after: String,
    },
    /// It comes from elsewhere.
    Source(PackageName),
    /// Other files may be installed.
    Hashes(PackageName),
    /// It is installed under another condition.
    Marker(PackageName),
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Target { before, after } => {
                write!(f, "the target was {before} and is {after}")
            }
            Self::Added(name) => write!(f, "`{name}` is new"),
            Self::Removed(name) => write!(f, "`{name}` is gone"),
            Self::Version {
                name,
                before,
                after,
            } => write!(f, "`{name}` was {before} and is {after}"),
            Self::Source(name) => write!(f, "`{name}` comes from elsewhere"),
            Self::Hashes(name) => write!(f, "other files of `{name}` may be installed"),
            Self::Marker(name) => write!(f, "`{name}` is installed under another condition"),
        }
    }
}

impl Lock {
    /// Whether an installer would do the same with both.
    pub fn same_consequences(&self, other: &Self) -> bool {
        self.differences(other).is_empty()
    }

    /// In what the consequences of `after` differ from those of this lock, sorted.
    ///
    /// Comments, commands, the program's version and the digests of rules have none.
    /// What a format does not hold (a requirements file names no index) is not compared.
    /// To compare a solution with a file, compare what is read of both as text: options
    /// may have left pins or hashes out.
    pub fn differences(&self, after: &Self) -> Vec<Difference> {
        let mut differences = Vec::new();
        let (old, new) = (grouped(self), grouped(after));
        if let Some(difference) = target(self, after) {
            differences.push(difference);
        }
        for (name, before) in &old {
            match new.get(name) {
                None => differences.push(Difference::Removed((*name).clone())),
                Some(after) => compare(name, before, after, &mut differences),
            }
        }
        let added = new.keys().filter(|name| !old.contains_key(*name));
        differences.extend(added.map(|name| Difference::Added((*name).clone())));
        differences.sort();
        differences.dedup();
        differences
    }
}

fn grouped(lock: &Lock) -> BTreeMap<&PackageName, Vec<&LockedPackage>> {
    let mut groups: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for package in &lock.packages {
        groups.entry(&package.name).or_default().push(package);
    }
    groups
}

fn target(before: &Lock, after: &Lock) -> Option<Difference> {
    let (old, new) = (&before.target, &after.target);
    let known = !old.platform.is_empty() && !new.platform.is_empty();
    let same = old.python == new.python
        && old.platform == new.platform
        && old.accelerator == new.accelerator;
    (known && !same).then(|| Difference::Target {
        before: format!("Python {} on {}", old.python, old.platform),
        after: format!("Python {} on {}", new.python, new.platform),
    })
}

fn compare(
    name: &PackageName,
    before: &[&LockedPackage],
    after: &[&LockedPackage],
    differences: &mut Vec<Difference>,
) {
    if before.len() != after.len() {
        differences.push(Difference::Marker(name.clone()));
    }
    for (old, new) in before.iter().zip(after) {
        if old.version != new.version && !direct_without_version(old, new) {
            let text = |package: &LockedPackage| {
                let version = package.version.as_ref();
                version.map(ToString::to_string).unwrap_or_default()
            };
            differences.push(Difference::Version {
                name: name.clone(),
                before: text(old),
                after: text(new),
            });
            continue;
        }
        if !same_source(&old.source, &new.source) {
            differences.push(Difference::Source(name.clone()));
        }
        if old.hashes != new.hashes {
            differences.push(Difference::Hashes(name.clone()));
        }
        if old.marker != new.marker {
            differences.push(Difference::Marker(name.clone()));
        }
    }
}

/// A requirements file does not say the version of a direct reference.
fn direct_without_version(old: &LockedPackage, new: &LockedPackage) -> bool {
    let direct = |package: &LockedPackage| !matches!(package.source, Source::Index(_));
    direct(old) && direct(new) && (old.version.is_none() || new.version.is_none())
}

fn same_source(old: &Source, new: &Source) -> bool {
    match (old, new) {
        (Source::Index(old), Source::Index(new)) => old.is_none() || new.is_none() || old == new,
        (
            Source::Archive {
                url: old,
                subdirectory: old_subdirectory,
                ..
            },
            Source::Archive {
                url: new,
                subdirectory: new_subdirectory,
                ..
            },
        ) => old == new && old_subdirectory == new_subdirectory,
        (
            Source::Vcs {
                url: old,
                commit: old_commit,
                subdirectory: old_subdirectory,
                ..
            },
            Source::Vcs {
                url: new,
                commit: new_commit,
                subdirectory: new_subdirectory,
                ..
            },
        ) => old == new && old_commit == new_commit && old_subdirectory == new_subdirectory,
        _ => old == new,
    }
}
