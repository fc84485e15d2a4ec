//! What a wheel's platform tags promise, and what its binaries ask for.

use serde::{Deserialize, Serialize};

use super::binary::version_key;
use super::findings::{Binary, Problem, WheelTags};
use super::plan::{Role, role};

/// The newest version of something outside the wheel that its binaries ask for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Floor {
    /// What is asked for: `GLIBC`, `GLIBCXX`, `CXXABI` or `macOS`.
    pub what: String,
    /// The version, dotted.
    pub version: String,
    /// The first binary that asks for it, by path.
    pub by: String,
    /// The version that the wheel's tags promise to do with, where they do.
    pub promised: Option<String>,
}

/// The symbol versions of libstdc++ that each manylinux policy allows, the older
/// first: glibc, `GLIBCXX`, `CXXABI` (auditwheel's `manylinux-policy.json`, x86_64).
const POLICIES: [((u32, u32), &str, &str); 13] = [
    ((2, 5), "3.4.8", "1.3.1"),
    ((2, 12), "3.4.13", "1.3.3"),
    ((2, 17), "3.4.19", "1.3.7"),
    ((2, 24), "3.4.22", "1.3.10"),
    ((2, 27), "3.4.24", "1.3.11"),
    ((2, 28), "3.4.24", "1.3.11"),
    ((2, 31), "3.4.28", "1.3.12"),
    ((2, 34), "3.4.29", "1.3.13"),
    ((2, 35), "3.4.30", "1.3.13"),
    ((2, 36), "3.4.30", "1.3.13"),
    ((2, 37), "3.4.31", "1.3.14"),
    ((2, 38), "3.4.32", "1.3.14"),
    ((2, 39), "3.4.32", "1.3.15"),
];

/// What the tags promise to do with.
#[derive(Debug, Default)]
struct Promise {
    glibc: Option<(u32, u32)>,
    macos: Option<(u32, u32)>,
}

impl Promise {
    /// Where several tags are given, the wheel says that it suits the least of them.
    fn of(tags: &WheelTags) -> Self {
        let mut promise = Self::default();
        for tag in &tags.platform {
            let known = match tag.split('_').next() {
                Some("manylinux1") => Some((2, 5)),
                Some("manylinux2010") => Some((2, 12)),
                Some("manylinux2014") => Some((2, 17)),
                _ => None,
            };
            let numbered = |prefix| tag.strip_prefix(prefix).and_then(two_numbers);
            if let Some(glibc) = known.or_else(|| numbered("manylinux_")) {
                promise.glibc = Some(promise.glibc.map_or(glibc, |least| least.min(glibc)));
            }
            if let Some(macos) = numbered("macosx_") {
                promise.macos = Some(promise.macos.map_or(macos, |least| least.min(macos)));
            }
        }
        promise
    }

    fn version(&self, what: &str) -> Option<String> {
        let dotted = |(major, minor): (u32, u32)| format!("{major}.{minor}");
        match what {
            "GLIBC" => self.glibc.map(dotted),
            "macOS" => self.macos.map(dotted),
            "GLIBCXX" | "CXXABI" => {
                let glibc = self.glibc?;
                let (_, glibcxx, cxxabi) =
                    POLICIES.iter().rev().find(|policy| policy.0 <= glibc)?;
                let version = if what == "GLIBCXX" { glibcxx } else { cxxabi };
                Some((*version).to_owned())
            }
            _ => None,
        }
    }
}

/// What the binaries ask for at most, in a fixed order.
pub(super) fn floors(
    binaries: &[Binary],
    tags: Option<&WheelTags>,
    brings_libstdcxx: bool,
) -> Vec<Floor> {
    let promise = tags.map(Promise::of).unwrap_or_default();
    let mut floors = Vec::new();
    for what in ["GLIBC", "GLIBCXX", "CXXABI", "macOS"] {
        if brings_libstdcxx && matches!(what, "GLIBCXX" | "CXXABI") {
            continue;
        }
        let mut newest: Option<(&str, &Binary)> = None;
        for binary in binaries {
            let version = match what {
                "macOS" => binary.macos.as_deref(),
                _ => binary.symbol_versions.get(what).map(String::as_str),
            };
            let Some(version) = version else { continue };
            if newest.is_none_or(|(known, _)| version_key(version) > version_key(known)) {
                newest = Some((version, binary));
            }
        }
        floors.extend(newest.map(|(version, binary)| Floor {
            what: what.to_owned(),
            version: version.to_owned(),
            by: binary.path.clone(),
            promised: promise.version(what),
        }));
    }
    floors
}

/// Floors that the tags' promise does not keep.
pub(super) fn broken_promises(floors: &[Floor]) -> impl Iterator<Item = Problem> {
    floors.iter().filter_map(|floor| {
        let promised = floor.promised.as_deref()?;
        let (what, version) = (&floor.what, &floor.version);
        (version_key(version) > version_key(promised)).then(|| Problem {
            path: floor.by.clone(),
            detail: format!("it needs {what} {version}; the wheel's tag promises {promised}"),
        })
    })
}

/// Extension modules that the interpreters of the wheel's tags would not import.
pub(super) fn wrong_interpreters(tags: &WheelTags, paths: &[&str]) -> Vec<Problem> {
    // Wheels without an ABI in their tag may bring modules for several interpreters.
    if !tags
        .abi
        .iter()
        .all(|abi| abi.starts_with("cp") || abi == "abi3")
    {
        return Vec::new();
    }
    let stable = tags.abi.iter().any(|abi| abi == "abi3");
    paths
        .iter()
        .filter(|path| role(path) == Some(Role::Extension))
        .filter_map(|path| {
            let built_for = module_tag(path)?;
            let suits = if stable {
                built_for == "abi3"
            } else {
                built_for == "abi3" || tags.abi.contains(&built_for)
            };
            (!suits).then(|| Problem {
                path: (*path).to_owned(),
                detail: format!(
                    "it is built for `{built_for}`; the wheel's tag says `{}`",
                    tags.abi.join(".")
                ),
            })
        })
        .collect()
}

/// The interpreter that an extension module's file name is for (PEP 3149):
/// `cp311`, `cp313t`, `abi3`; `None` where it does not say.
pub(super) fn module_tag(path: &str) -> Option<String> {
    let name = path.rsplit('/').next()?;
    let mut parts = name.split('.').skip(1);
    parts.find_map(|part| {
        if part == "abi3" {
            return Some("abi3".to_owned());
        }
        let rest = part
            .strip_prefix("cpython-")
            .or_else(|| part.strip_prefix("cp"))?;
        let version = rest.split('-').next()?;
        version.starts_with('3').then(|| format!("cp{version}"))
    })
}

fn two_numbers(text: &str) -> Option<(u32, u32)> {
    let mut parts = text.split('_');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}
