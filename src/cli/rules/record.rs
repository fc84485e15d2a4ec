//! `mlresolve rules record`: what the index says of the releases in the rules' cases, so that
//! the cases can be solved again with no network.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use pep440_rs::Version;
use pep508_rs::PackageName;
use serde::Serialize;

use super::super::args::RecordCasesArgs;
use super::super::error::{CliError, Exit};
use super::super::output::write_atomically;
use super::super::scan::wheel::best;
use super::super::session::{WheelSession, declared};
use super::super::{say, tell};
use super::boundary::{Platform, files, releases};
use super::evidence::today;
use super::verify::folder_rules;
use crate::RuleSet;
use crate::fetch::Registry;
use crate::metadata::{Dependency, DependencySource};
use crate::request::BuildPolicy;
use crate::rules::{CasePlatform, Rule, RuleKind};
use crate::solve::Facts as _;

/// Of a rule's releases, so many are asked whether their metadata says what the rule says.
const MOST: usize = 40;

/// One wheel, as the index and its metadata describe it.
#[derive(Debug, Serialize)]
struct Recorded {
    file: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    requires_python: Option<String>,
    /// What it requires of the distributions that stand beside it in a case.
    requires: BTreeSet<String>,
}

/// A release on a target, and what stands beside it in some case.
type Wanted = BTreeMap<(PackageName, Version, String, &'static str), BTreeSet<PackageName>>;

/// Records; what cannot be recorded is named.
pub(super) fn run(args: &RecordCasesArgs) -> Result<Exit, CliError> {
    let rules = folder_rules(&args.rules)?;
    let wanted = wanted(&rules);
    let session = WheelSession::open(&args.wheels)?;
    let registry = session.registry()?;
    let mut files: BTreeMap<String, Recorded> = BTreeMap::new();
    let mut absent = Vec::new();
    for ((name, version, python, platform), beside) in wanted {
        match recorded(registry, &name, &version, &python, platform, &beside)? {
            Some(found) => {
                let known = files.entry(found.file.clone());
                known
                    .and_modify(|known| known.requires.extend(found.requires.iter().cloned()))
                    .or_insert(found);
            }
            None => absent.push(format!("{name}=={version} for Python {python}, {platform}")),
        }
    }
    let mut text = format!("{{\"recorded\":\"{}\"}}\n", today());
    for file in files.values() {
        let line =
            serde_json::to_string(file).map_err(|error| CliError::usage(error.to_string()))?;
        text.push_str(&line);
        text.push('\n');
    }
    write_atomically(&args.output, text.as_bytes())?;
    for what in &absent {
        say(&format!("no wheel of {what}"));
    }
    let platforms = Platform::all()?;
    for rule in rules.iter() {
        if let Some(hint) = open_hit(rule, registry, &platforms)? {
            say(&hint);
        }
    }
    tell(&format!("{} wheels recorded\n", files.len()));
    Ok(Exit::Done)
}

/// Where the metadata of the releases in a rule's hits says itself what the rule says, the
/// newest release that the rule speaks of and whose metadata does not: a better hit.
fn open_hit(
    rule: &Rule,
    registry: &Registry,
    platforms: &[Platform],
) -> Result<Option<String>, CliError> {
    let RuleKind::Constrain { when, package, .. } = &rule.kind else {
        return Ok(None);
    };
    let limited = rule.hits.iter().find_map(|hit| {
        let (_, version) = hit.packages.iter().find(|(name, _)| name == package)?;
        Some(version)
    });
    let Some(limited) = limited else {
        return Ok(None);
    };
    let page = registry
        .page(&when.package)
        .map_err(|error| CliError::from_fact(&error))?;
    let listed = files(&page)?;
    let mut seen = 0;
    for platform in platforms {
        let releases = releases(&listed, platform, &when.marker);
        let affected = releases
            .iter()
            .rev()
            .filter(|release| when.versions.contains(release.version));
        for release in affected.take(MOST) {
            let metadata = registry
                .metadata(&page, release.file, BuildPolicy::Never)
                .map_err(|error| CliError::from_fact(&error))?;
            let is_open = metadata.requires_dist.iter().all(|dependency| {
                dependency.name != *package
                    || !dependency.marker.evaluate(&release.target.markers, &[])
                    || match &dependency.source {
                        DependencySource::Specifiers(specifiers) => {
                            crate::versions::contains(specifiers, limited)
                        }
                        DependencySource::Url(_) => false,
                    }
            });
            if is_open {
                let name = &when.package;
                let python = &release.target.markers.python_version().to_string();
                let is_a_hit = rule.hits.iter().any(|hit| {
                    hit.packages
                        .iter()
                        .any(|(other, version)| other == name && version == release.version)
                });
                return Ok((seen > 0 && !is_a_hit).then(|| {
                    format!(
                        "{}: {name}=={} for Python {python}, {} leaves {package} {limited} open",
                        rule.id, release.version, platform.name
                    )
                }));
            }
            seen += 1;
        }
    }
    Ok(Some(format!(
        "{}: the metadata of the newest releases says it, too",
        rule.id
    )))
}

fn wanted(rules: &RuleSet) -> Wanted {
    let mut wanted = Wanted::new();
    for rule in rules.iter() {
        // A rule that pulls a distribution in is judged by whether that one comes.
        let spoken_of: BTreeSet<PackageName> = rule
            .hits
            .iter()
            .chain(&rule.misses)
            .flat_map(|case| case.packages.iter().map(|(name, _)| name.clone()))
            .collect();
        for case in rule.hits.iter().chain(&rule.misses) {
            for (name, version) in &case.packages {
                let key = (
                    name.clone(),
                    version.clone(),
                    case.python.clone(),
                    platform(case.platform),
                );
                wanted
                    .entry(key)
                    .or_default()
                    .extend(spoken_of.iter().cloned());
            }
        }
    }
    wanted
}

fn platform(platform: CasePlatform) -> &'static str {
    match platform {
        CasePlatform::Linux => "x86_64-manylinux_2_39",
        CasePlatform::LinuxAarch64 => "aarch64-manylinux_2_39",
        CasePlatform::Macos => "macosx_15_0_arm64",
        CasePlatform::MacosX86 => "macosx_15_0_x86_64",
        CasePlatform::Windows => "win_amd64",
    }
}

fn recorded(
    registry: &Registry,
    name: &PackageName,
    version: &Version,
    python: &str,
    platform: &str,
    beside: &BTreeSet<PackageName>,
) -> Result<Option<Recorded>, CliError> {
    let page = registry
        .page(name)
        .map_err(|error| CliError::from_fact(&error))?;
    let target = declared(python, platform)?;
    let listed = files(&page)?;
    let files: Vec<_> = listed
        .iter()
        .filter(|file| file.version == *version)
        .collect();
    let Some(file) = best(&files, &target) else {
        return Ok(None);
    };
    let metadata = registry
        .metadata(&page, file, BuildPolicy::Never)
        .map_err(|error| CliError::from_fact(&error))?;
    Ok(Some(Recorded {
        file: file.filename.clone(),
        requires_python: file.requires_python.clone(),
        requires: metadata
            .requires_dist
            .iter()
            .filter(|dependency| beside.contains(&dependency.name) && dependency.name != *name)
            .map(text)
            .collect(),
    }))
}

/// A dependency as PEP 508 writes it.
fn text(dependency: &Dependency) -> String {
    let mut text = dependency.name.to_string();
    if !dependency.extras.is_empty() {
        let extras: Vec<String> = dependency.extras.iter().map(ToString::to_string).collect();
        // Writing to a `String` does not fail.
        let _ = write!(text, "[{}]", extras.join(","));
    }
    match &dependency.source {
        DependencySource::Specifiers(specifiers) => text.push_str(&specifiers.to_string()),
        DependencySource::Url(url) => {
            let _ = write!(text, " @ {url}");
        }
    }
    if let Some(marker) = dependency.marker.contents() {
        let _ = write!(text, " ; {marker}");
    }
    text
}
