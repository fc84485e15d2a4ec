//! Which members of a source distribution tell its metadata without running it.

/// A member that matters for a source distribution's metadata.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SdistPart {
    /// `PKG-INFO`: core metadata, static from metadata version 2.2 on (PEP 643).
    PkgInfo,
    /// `pyproject.toml` (PEP 517, PEP 621).
    Pyproject,
    /// `requires.txt` in the egg-info folder that setuptools packs along.
    EggRequires,
    /// `setup.cfg`.
    SetupCfg,
    /// `setup.py`.
    SetupPy,
}

/// A member's path, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SdistPath<'a> {
    /// The archive's top folder, which every member of a source distribution shares.
    pub top: &'a str,
    /// What the member is, where it matters.
    pub part: Option<SdistPart>,
}

/// Takes the path of an archive's member apart: `name-1.0/PKG-INFO`.
///
/// With a `subdirectory` the project is that folder inside the top folder. `None` for a
/// path that no honest archive has (absolute, with `..` or a backslash), for AppleDouble
/// companions (`._name`), and for a file beside the top folder.
pub fn sdist_path<'a>(path: &'a str, subdirectory: Option<&str>) -> Option<SdistPath<'a>> {
    let path = path.strip_prefix("./").unwrap_or(path);
    if path.starts_with('/') || path.contains(['\\', '\0', ':']) {
        return None;
    }
    let is_folder = path.ends_with('/');
    let mut parts = path.split('/').filter(|part| !part.is_empty());
    let top = parts.next()?;
    let rest: Vec<&str> = parts.collect();
    let suspicious = |part: &str| part == "." || part == "..";
    if suspicious(top) || rest.iter().any(|part| suspicious(part)) {
        return None;
    }
    if top.starts_with("._") || (rest.is_empty() && !is_folder) {
        return None;
    }
    let part = (!is_folder)
        .then(|| part_of(top, &rest, subdirectory))
        .flatten();
    Some(SdistPath { top, part })
}

fn part_of(top: &str, rest: &[&str], subdirectory: Option<&str>) -> Option<SdistPart> {
    let (file, folder) = rest.split_last()?;
    if subdirectory.is_none() && *file == "requires.txt" && is_egg_info(top, folder) {
        return Some(SdistPart::EggRequires);
    }
    let wanted = subdirectory
        .unwrap_or_default()
        .split('/')
        .filter(|part| !part.is_empty() && *part != ".");
    if !folder.iter().copied().eq(wanted) {
        return None;
    }
    match *file {
        "PKG-INFO" => Some(SdistPart::PkgInfo),
        "pyproject.toml" => Some(SdistPart::Pyproject),
        "setup.cfg" => Some(SdistPart::SetupCfg),
        "setup.py" => Some(SdistPart::SetupPy),
        _ => None,
    }
}

/// Whether a folder is the egg-info of the distribution itself, at the top or one below
/// (`src/`): one that is packed along for another purpose has another name.
fn is_egg_info(top: &str, folder: &[&str]) -> bool {
    let ([egg] | [_, egg]) = folder else {
        return false;
    };
    let plain = |name: &str| name.to_lowercase().replace(['-', '.'], "_");
    egg.strip_suffix(".egg-info").is_some_and(|name| {
        plain(top)
            .strip_prefix(&plain(name))
            .is_some_and(|rest| rest.starts_with('_'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, subdirectory: Option<&str>, expected: Option<(&str, Option<SdistPart>)>) {
        let found = sdist_path(path, subdirectory).map(|path| (path.top, path.part));
        assert_eq!(found, expected, "{path}");
    }

    #[test]
    fn finds_the_parts_of_the_top_folder_only() {
        check(
            "demo-1.0/PKG-INFO",
            None,
            Some(("demo-1.0", Some(SdistPart::PkgInfo))),
        );
        check(
            "./demo-1.0/pyproject.toml",
            None,
            Some(("demo-1.0", Some(SdistPart::Pyproject))),
        );
        check(
            "demo-1.0/setup.py",
            None,
            Some(("demo-1.0", Some(SdistPart::SetupPy))),
        );
        check(
            "demo-1.0/src/demo.egg-info/PKG-INFO",
            None,
            Some(("demo-1.0", None)),
        );
        for (path, is_ours) in [
            ("demo-1.0/src/demo.egg-info/requires.txt", true),
            ("demo-1.0/demo.egg-info/requires.txt", true),
            ("demo-1.0/vendor/other.egg-info/requires.txt", false),
            ("demo-1.0/a/b/demo.egg-info/requires.txt", false),
            ("demo-1.0/requires.txt", false),
        ] {
            let part = is_ours.then_some(SdistPart::EggRequires);
            check(path, None, Some(("demo-1.0", part)));
        }
        check("demo-1.0/", None, Some(("demo-1.0", None)));
        check("demo-1.0/PKG-INFO/", None, Some(("demo-1.0", None)));
    }

    #[test]
    fn finds_the_parts_of_a_subdirectory() {
        let python = Some(SdistPart::Pyproject);
        check(
            "r-1/python/pyproject.toml",
            Some("python"),
            Some(("r-1", python)),
        );
        check(
            "r-1/a/b/pyproject.toml",
            Some("./a/b/"),
            Some(("r-1", python)),
        );
        check("r-1/pyproject.toml", Some("python"), Some(("r-1", None)));
    }

    #[test]
    fn refuses_paths_that_lead_elsewhere() {
        for path in [
            "/etc/PKG-INFO",
            "../PKG-INFO",
            "demo-1.0/../PKG-INFO",
            "demo-1.0/./PKG-INFO",
            "C:/demo/PKG-INFO",
            "demo\\PKG-INFO",
            "._demo-1.0/PKG-INFO",
            "PKG-INFO",
            "",
        ] {
            check(path, None, None);
        }
    }
}
