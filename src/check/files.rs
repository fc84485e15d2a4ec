//! Findings from the files of an environment: owned twice, half replaced, built for another
//! NumPy.

use std::collections::{BTreeMap, BTreeSet};

use pep440_rs::Version;
use pep508_rs::PackageName;

use super::judge::list;
use super::repair::Installer;
use super::{Finding, RecordedFile, Severity};
use crate::scan::{NumpyAbi, NumpyFinding};

/// How many files a finding names.
const NAMED: usize = 4;

/// An installed distribution with its files.
#[derive(Debug, Clone)]
pub struct Distribution {
    /// The distribution.
    pub name: PackageName,
    /// The version by its metadata.
    pub version: Version,
    /// The folder of its metadata: `numpy-2.0.2.dist-info`.
    pub metadata_folder: String,
    /// The system's package manager put it there (Debian's, Fedora's), which looks after its
    /// files itself and does not keep RECORD true.
    pub managed: bool,
    /// Its files as RECORD has them, in the folder that holds the distribution; empty where
    /// there is no RECORD.
    pub files: Vec<RecordedFile>,
    /// The state of those files that are not as RECORD says.
    pub wrong: BTreeMap<String, FileState>,
    /// Modules and binaries in its folders that no RECORD has.
    pub unowned: Vec<String>,
    /// Modules of its own in whose place others are imported that no RECORD has, each with the
    /// one that is.
    pub shadowed: Vec<(String, String)>,
    /// The folder of its modules, where nobody else has files in it.
    pub folder: Option<String>,
    /// The version that the package itself gives (`numpy/version.py`), where that was read.
    pub own_version: Option<Version>,
    /// What its binaries were built for, where they were looked into.
    pub numpy: Option<NumpyFinding>,
}

/// How a file is not as RECORD says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FileState {
    /// It is not there.
    Missing,
    /// It has another content.
    Changed,
}

/// What is wrong with the files of an environment.
pub fn judge_files(distributions: &[Distribution]) -> Vec<Finding> {
    let installer = Installer::of(distributions.iter().map(|one| &one.name));
    let mut findings = twice(distributions, installer);
    findings.extend(overlaps(distributions, installer));
    let shared = shared_files(distributions);
    findings.extend(
        distributions
            .iter()
            .filter(|distribution| !distribution.managed)
            .filter_map(|distribution| half_replaced(distribution, &shared, installer)),
    );
    findings.extend(abi(distributions, installer));
    findings
}

/// What a broken-off installation or removal left in an environment.
pub fn judge_left_behind(paths: &[String]) -> Vec<Finding> {
    let finding = |path: &String| {
        let message = format!("`{path}` is what an installation or a removal left");
        let mut finding = Finding::new("left-behind", Severity::Warning, message);
        finding.reason = Some(
            "it was broken off: modules beside it may be old, or half there, and installers do \
             not see them"
                .to_owned(),
        );
        finding.advice("remove it, and install what it belonged to once more")
    };
    paths.iter().map(finding).collect()
}

/// A distribution whose metadata is there more than once. In another folder it only hides the
/// one there, as an environment does that sees the system's packages.
fn twice(distributions: &[Distribution], installer: Installer) -> Vec<Finding> {
    let mut by_name: BTreeMap<(&PackageName, &str), Vec<&Distribution>> = BTreeMap::new();
    for distribution in distributions.iter().filter(|one| !one.managed) {
        let metadata = distribution.metadata_folder.as_str();
        let (site, _) = metadata.rsplit_once(['/', '\\']).unwrap_or_default();
        let here = by_name.entry((&distribution.name, site)).or_default();
        here.push(distribution);
    }
    by_name
        .into_iter()
        .filter(|(_, all)| all.len() > 1)
        .map(|((name, _), all)| {
            let versions: Vec<String> = all.iter().map(|one| one.version.to_string()).collect();
            let mut finding = Finding::new(
                "installed-twice",
                Severity::Error,
                format!("{name} is installed more than once: {}", list(&versions)),
            );
            for one in &all {
                finding = finding.about(name, Some(&one.version));
            }
            finding.evidence = all.iter().map(|one| one.metadata_folder.clone()).collect();
            finding.reason = Some(
                "an installation was broken off, or two installers do not know of each other"
                    .to_owned(),
            );
            // What is imported is one of them; the newest is likely to have come last.
            let newest = all.iter().map(|one| &one.version).max();
            let folder = all.iter().find_map(|one| one.folder.as_deref());
            match newest {
                Some(version) => {
                    finding.repair(installer.put_back(name, version, all.len(), folder))
                }
                None => finding,
            }
        })
        .collect()
}

/// Whether a path is one that belongs to nobody in particular.
fn is_common(path: &str) -> bool {
    ending(path) == Some("pyc") || path.contains("__pycache__")
}

type Owners<'a> = BTreeMap<&'a str, Vec<(&'a Distribution, &'a RecordedFile)>>;

fn owners(distributions: &[Distribution]) -> Owners<'_> {
    let mut owners: Owners<'_> = BTreeMap::new();
    for distribution in distributions {
        let mut seen = BTreeSet::new();
        for file in &distribution.files {
            if !is_common(&file.path) && seen.insert(&file.path) {
                owners
                    .entry(&file.path)
                    .or_default()
                    .push((distribution, file));
            }
        }
    }
    owners.retain(|_, all| {
        all.iter()
            .any(|(one, _)| Some(&one.name) != all.first().map(|(first, _)| &first.name))
    });
    owners
}

fn shared_files(distributions: &[Distribution]) -> BTreeSet<String> {
    owners(distributions)
        .into_keys()
        .map(str::to_owned)
        .collect()
}

/// The files that the same distributions say are theirs.
#[derive(Default)]
struct Shared<'a> {
    /// Those that are the same in all of them.
    same: Vec<&'a str>,
    /// Those that are not.
    different: Vec<&'a str>,
}

/// Files that several distributions say are theirs.
fn overlaps(distributions: &[Distribution], installer: Installer) -> Vec<Finding> {
    let mut groups: BTreeMap<Vec<(&PackageName, &Version)>, Shared<'_>> = BTreeMap::new();
    for (path, all) in owners(distributions) {
        let key = all
            .iter()
            .map(|(one, _)| (&one.name, &one.version))
            .collect();
        let hashes: BTreeSet<_> = all.iter().map(|(_, file)| &file.sha256).collect();
        let shared = groups.entry(key).or_default();
        if hashes.len() == 1 {
            shared.same.push(path);
        } else {
            shared.different.push(path);
        }
    }
    groups
        .into_iter()
        // Files that are the same byte for byte harm only on removal; namespace packages and
        // licences are full of them.
        .filter(|(_, shared)| !shared.different.is_empty() || shared.same.len() > NAMED)
        .map(|(owners, Shared { same, different })| {
            let names: Vec<String> = owners
                .iter()
                .map(|(name, version)| format!("{name} {version}"))
                .collect();
            let binaries = different.iter().any(|path| is_module(path));
            let severity = match (different.is_empty(), binaries) {
                (true, _) => Severity::Note,
                (false, false) => Severity::Warning,
                (false, true) => Severity::Error,
            };
            let mut finding = Finding::new(
                "files-owned-twice",
                severity,
                format!(
                    "{} own the same {} files, of which {} differ",
                    list(&names),
                    same.len() + different.len(),
                    different.len()
                ),
            );
            for (name, version) in &owners {
                finding = finding.about(name, Some(version));
            }
            finding.evidence = different
                .iter()
                .chain(&same)
                .take(NAMED)
                .map(|path| (*path).to_owned())
                .collect();
            finding.reason = Some(
                "the one installed last has overwritten the other's files; to remove one of \
                 them takes the files from both"
                    .to_owned(),
            );
            if different.is_empty() {
                // Nothing is broken, and one may require the other.
                return finding;
            }
            finding.repair(installer.keep_one(&owners, |_| false))
        })
        .collect()
}

/// Whether a path is a module that can be imported.
fn is_module(path: &str) -> bool {
    ending(path).is_some_and(|ending| ["py", "so", "pyd", "dylib"].contains(&ending))
}

fn ending(path: &str) -> Option<&str> {
    path.rsplit_once('.').map(|(_, ending)| ending)
}

/// A distribution whose files and metadata disagree.
fn half_replaced(
    distribution: &Distribution,
    shared: &BTreeSet<String>,
    installer: Installer,
) -> Option<Finding> {
    let of = |state: FileState| -> Vec<&str> {
        distribution
            .wrong
            .iter()
            .filter(|(path, known)| **known == state && is_module(path) && !shared.contains(*path))
            .map(|(path, _)| path.as_str())
            .collect()
    };
    let (missing, changed) = (of(FileState::Missing), of(FileState::Changed));
    let (name, version) = (&distribution.name, &distribution.version);
    let other = distribution
        .own_version
        .as_ref()
        .filter(|own| Version::clone(own).without_local() != version.clone().without_local());
    let is_whole = missing.is_empty() && changed.is_empty() && other.is_none();
    if is_whole {
        return left_over(distribution, installer);
    }
    let total = distribution
        .files
        .iter()
        .filter(|file| is_module(&file.path))
        .count();
    // One module that somebody edited is no mixture.
    let edited = missing.is_empty() && other.is_none() && changed.len() == 1;
    let message = match other {
        Some(own) => format!("{name} is {version} by its metadata and {own} by its own files"),
        None if edited => format!("{name} {version} has a module that was changed"),
        None if changed.is_empty() => format!(
            "of the {total} modules of {name} {version} {} are missing",
            missing.len()
        ),
        None => format!(
            "{name} {version} is not what was installed: of {total} modules {} are missing and \
             {} changed",
            missing.len(),
            changed.len()
        ),
    };
    let severity = if edited {
        Severity::Note
    } else {
        Severity::Error
    };
    let mut finding = Finding::new("half-replaced", severity, message).about(name, Some(version));
    let told = [("missing", &missing), ("changed", &changed)];
    for (word, paths) in told {
        finding.evidence.extend(
            paths
                .iter()
                .take(NAMED)
                .map(|path| format!("{word}: {path}")),
        );
    }
    finding.evidence.extend(
        distribution
            .unowned
            .iter()
            .take(NAMED / 2)
            .map(|path| format!("of another version: {path}")),
    );
    let removed = changed.is_empty() && other.is_none() && distribution.unowned.is_empty();
    let reason = if removed {
        "its files were removed and its metadata was not: a distribution that had the same files \
         was uninstalled, or a removal was broken off"
    } else {
        "modules of two versions are mixed: it was replaced while it was loaded, or the \
         replacement was broken off; start the interpreter anew after the repair"
    };
    finding.reason = (!edited).then(|| reason.to_owned());
    Some(put_back(finding, distribution, installer))
}

/// A distribution that is whole, with modules of another version beside its own that are
/// imported in their place.
fn left_over(distribution: &Distribution, installer: Installer) -> Option<Finding> {
    let (own, other) = distribution.shadowed.first()?;
    let (name, version) = (&distribution.name, &distribution.version);
    let message = format!("modules of another version lie among those of {name} {version}");
    let mut finding =
        Finding::new("half-replaced", Severity::Error, message).about(name, Some(version));
    finding.reason = Some(format!(
        "`{other}` is imported in the place of `{own}`; start the interpreter anew after the \
         repair"
    ));
    finding.evidence = distribution
        .unowned
        .iter()
        .take(NAMED)
        .map(|path| format!("of another version: {path}"))
        .collect();
    Some(put_back(finding, distribution, installer))
}

fn put_back(finding: Finding, distribution: &Distribution, installer: Installer) -> Finding {
    // Only what RECORD names is removed: modules of another version stay without this.
    let rest = distribution.folder.as_deref();
    let rest = rest.filter(|_| !distribution.unowned.is_empty());
    let (name, version) = (&distribution.name, &distribution.version);
    finding.repair(installer.put_back(name, version, 1, rest))
}

/// Binaries that were built for another NumPy than the one that is there.
fn abi(distributions: &[Distribution], installer: Installer) -> Vec<Finding> {
    let numpy = distributions
        .iter()
        .find(|distribution| distribution.name.as_ref() == "numpy");
    let Some(numpy) = numpy else {
        return Vec::new();
    };
    let major = numpy.version.release().first().copied().unwrap_or_default();
    distributions
        .iter()
        .filter_map(|distribution| {
            let found = distribution.numpy.as_ref()?;
            let severity = match found.abi {
                NumpyAbi::Numpy1Only => Severity::Error,
                NumpyAbi::Numpy1Layout => Severity::Warning,
                _ => return None,
            };
            if major < 2 {
                return None;
            }
            let (name, version) = (&distribution.name, &distribution.version);
            let mut finding = Finding::new(
                "numpy-abi",
                severity,
                format!(
                    "the binaries of {name} {version} were built for NumPy 1, and numpy is {}",
                    numpy.version
                ),
            )
            .about(name, Some(version))
            .about(&numpy.name, Some(&numpy.version));
            finding.reason = Some(found.reason.clone());
            finding.evidence = found
                .uses
                .iter()
                .filter(|one| one.abi == found.abi)
                .take(NAMED)
                .map(|one| format!("{}: {}", one.module, one.evidence.join(", ")))
                .collect();
            Some(finding.wants("numpy<2".to_owned(), Some(installer)))
        })
        .collect()
}
