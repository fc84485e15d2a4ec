//! From a solution to a lock.

use std::collections::{BTreeMap, BTreeSet};

use pep508_rs::PackageName;

use super::credentials::without_credentials;
use super::{
    InstallerOptions, Lock, LockError, LockedPackage, LockedVariant, Provenance, Source,
    TargetRecord, Via, marker_text,
};
use super::{direct, hashes};
use crate::metadata::WheelName;
use crate::request::{Line, Request};
use crate::rules::{RuleId, RuleSet};
use crate::solve::{ChangedEdge, Chosen, ChosenOrigin, Edge, EdgeCause, Solution};

/// What a lock says beside the solution.
pub struct LockContext<'a> {
    /// Whether a wheel can be installed on the target.
    pub suits: &'a dyn Fn(&WheelName) -> bool,
    /// The environment, as it is written down.
    pub target: TargetRecord,
    /// The program's version.
    pub version: String,
    /// The command that makes the lock again, without one-off options and credentials.
    pub command: String,
    /// The indexes that are used, in order; the first is the default one.
    pub indexes: Vec<String>,
    /// The index that installers use by themselves, which needs no `--index-url` line.
    pub public_index: Option<String>,
    /// Find-links, trusted hosts and format control, for the option lines. The index
    /// lines are derived from `indexes`.
    pub options: InstallerOptions,
    /// The rules in force, for their digests.
    pub rules: &'a RuleSet,
    /// What the lock adds to, where it is made on top of a base.
    pub base: Option<String>,
    /// The rules that were ignored on the command line.
    pub ignored_rules: Vec<RuleId>,
    /// What is listed of files and hashes.
    pub hashes: HashListing,
    /// sha256, hexadecimal, of files whose index gives none, by their URL.
    pub computed_hashes: BTreeMap<String, String>,
    /// The names of the projects among the inputs, by the path of their file
    /// (`pyproject.toml`).
    pub projects: BTreeMap<String, String>,
    /// The folder of the lock as a `file:` URL: files below it are named by relative path.
    pub folder: Option<String>,
}

/// What a lock lists of files and hashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HashListing {
    /// Nothing (`--no-hashes`).
    None,
    /// Hashes (requirements.txt): those recorded for an unchanged pin suffice.
    Hashes,
    /// Every file with its own hash (pylock.toml).
    Files,
}

impl Lock {
    /// The lock of a solution.
    ///
    /// Packages that nothing pulls in are not part of it.
    ///
    /// # Errors
    ///
    /// [`LockError::MissingHashes`] names the files whose sha256 must be computed first:
    /// the caller downloads them and tries again with [`LockContext::computed_hashes`].
    /// [`LockError::NoCommit`] and [`LockError::NoFiles`] where a package cannot be pinned.
    pub fn from_solution(
        solution: &Solution,
        request: &Request,
        context: LockContext<'_>,
    ) -> Result<Self, LockError> {
        let reached = reached(solution);
        let edges = EdgesOf::new(solution);
        let mut packages = Vec::with_capacity(reached.len());
        let mut missing = Vec::new();
        for name in &reached {
            let Some(chosen) = solution.packages.get(*name) else {
                continue;
            };
            let (mut package, needed) = pinned(name, chosen, request, &context)?;
            missing.extend(needed);
            annotate(&mut package, &edges, request, &reached, &context);
            packages.push(package);
        }
        if !missing.is_empty() {
            missing.sort();
            return Err(LockError::MissingHashes { files: missing });
        }
        let changed_edges = changed_edges(solution, &reached);
        Ok(Self {
            packages,
            provenance: Provenance {
                version: context.version,
                command: context.command,
                exclude_newer: request.policy.exclude_newer.map(|time| time.to_string()),
                rules: solution
                    .rules
                    .iter()
                    .map(|id| {
                        let digest = context.rules.get(&id.0).map(|rule| rule.digest());
                        (id.to_string(), digest.unwrap_or_default())
                    })
                    .collect(),
                ignored_rules: sorted(context.ignored_rules.iter().map(ToString::to_string)),
                base: context.base,
                changed_edges,
                indexes: deduplicated(&context.indexes),
            },
            options: options(
                &context.indexes,
                context.public_index.as_deref(),
                context.options,
            ),
            target: context.target,
        })
    }
}

/// The packages that the user's lines, and what they pull in, pull in.
fn reached(solution: &Solution) -> BTreeSet<&PackageName> {
    let mut pulls: BTreeMap<&PackageName, Vec<&PackageName>> = BTreeMap::new();
    // What is changed in a base is part of the lock, whoever asked for the change.
    let mut waiting: Vec<&PackageName> = solution.replaced.keys().collect();
    for edge in solution.edges.iter().filter(|edge| edge.pulls_in) {
        match &edge.cause {
            EdgeCause::Line(_) => waiting.push(&edge.to),
            // A constraint never pulls anything in.
            EdgeCause::Constraint(_) => {}
            EdgeCause::Package { name, .. } | EdgeCause::Rule { name, .. } => {
                pulls.entry(name).or_default().push(&edge.to);
            }
        }
    }
    let mut reached = BTreeSet::new();
    while let Some(name) = waiting.pop() {
        if solution.packages.contains_key(name) && reached.insert(name) {
            waiting.extend(pulls.get(name).into_iter().flatten());
        }
    }
    reached
}

/// The package with its source and files, and the hashes that are still needed.
fn pinned(
    name: &PackageName,
    chosen: &Chosen,
    request: &Request,
    context: &LockContext<'_>,
) -> Result<(LockedPackage, Vec<super::MissingHash>), LockError> {
    let (source, listing) = match &chosen.origin {
        ChosenOrigin::Index(page) => {
            let listing = hashes::list(name, chosen, request, context)?;
            let nothing_to_install = listing.files.is_empty() && listing.hashes.is_empty();
            if nothing_to_install && listing.missing.is_empty() {
                return Err(LockError::NoFiles {
                    name: name.clone(),
                    version: chosen.version.clone(),
                });
            }
            let index = without_credentials(&page.index);
            (Source::Index(Some(index)), listing)
        }
        ChosenOrigin::Direct { url, commit } => {
            direct::pin(name, chosen, (url, commit.as_deref()), request, context)?
        }
    };
    let mut package = LockedPackage::new(name.clone(), source);
    package.version = Some(chosen.version.clone());
    package.extras.clone_from(&chosen.extras);
    package.requires_python = chosen
        .metadata
        .requires_python
        .as_ref()
        .map(|specifiers| specifiers.to_string().replace(", ", ","))
        .filter(|text| !text.is_empty());
    package.files = listing.files;
    package.hashes = listing.hashes;
    package.left_out = listing.left_out;
    package.variant = chosen.variant.as_ref().and_then(|variant| {
        Some(LockedVariant {
            label: variant.label.clone()?,
            document: variant.document.clone(),
        })
    });
    Ok((package, listing.missing))
}

/// The edges of a solution by the packages at their ends, in the solution's order.
struct EdgesOf<'s> {
    to: BTreeMap<&'s PackageName, Vec<&'s Edge>>,
    from: BTreeMap<&'s PackageName, Vec<&'s Edge>>,
}

impl<'s> EdgesOf<'s> {
    fn new(solution: &'s Solution) -> Self {
        let (mut to, mut from) = <(BTreeMap<_, Vec<_>>, BTreeMap<_, Vec<_>>)>::default();
        for edge in &solution.edges {
            to.entry(&edge.to).or_default().push(edge);
            if let EdgeCause::Package { name, .. } | EdgeCause::Rule { name, .. } = &edge.cause {
                from.entry(name).or_default().push(edge);
            }
        }
        Self { to, from }
    }
}

/// Says who asked for the package, what limits it and what it requires.
fn annotate(
    package: &mut LockedPackage,
    edges: &EdgesOf<'_>,
    request: &Request,
    reached: &BTreeSet<&PackageName>,
    context: &LockContext<'_>,
) {
    let from = edges.from.get(&package.name).into_iter().flatten();
    let dependencies: BTreeSet<PackageName> = from
        .filter(|edge| edge.pulls_in && edge.to != package.name && reached.contains(&edge.to))
        .map(|edge| edge.to.clone())
        .collect();
    let mut markers = BTreeSet::new();
    for edge in edges.to.get(&package.name).into_iter().flatten() {
        asked(package, edge, request, reached, context);
        if let EdgeCause::Line(index) = edge.cause {
            markers.insert(request.requirements.get(index).and_then(marker));
        }
    }
    package.dependencies = dependencies.into_iter().collect();
    // Lines that disagree: the package is wanted on this target either way.
    package.marker = if markers.len() == 1 {
        markers.pop_first().flatten()
    } else {
        None
    };
}

fn asked(
    package: &mut LockedPackage,
    edge: &Edge,
    request: &Request,
    reached: &BTreeSet<&PackageName>,
    context: &LockContext<'_>,
) {
    match &edge.cause {
        EdgeCause::Line(index) => {
            if let Some(line) = request.requirements.get(*index) {
                package.via.insert(input(&line.place.file, context));
            }
        }
        EdgeCause::Constraint(index) => {
            if let Some(line) = request.constraints.get(*index) {
                package
                    .via
                    .insert(Via::Constraint(line.place.file.to_string()));
            }
        }
        EdgeCause::Package {
            name, overridden, ..
        } => {
            if name == &package.name || !reached.contains(name) {
                return;
            }
            package.via.insert(Via::Package(name.clone()));
            if let Some(line) = overridden.and_then(|index| request.overrides.get(index)) {
                package
                    .via
                    .insert(Via::Override(line.place.file.to_string()));
            }
        }
        EdgeCause::Rule { id, name } => {
            if !reached.contains(name) && !request.base.packages.contains_key(name) {
                return;
            }
            package.via.insert(Via::Rule(id.to_string()));
            package.rules.insert(id.to_string());
        }
    }
}

/// How an annotation names one of the user's files.
fn input(file: &str, context: &LockContext<'_>) -> Via {
    // `pyproject.toml (project.dependencies)` is the place of a line in that file.
    let path = file.split_once(" (").map_or(file, |(path, _)| path);
    if let Some(project) = context.projects.get(path) {
        return Via::Project(format!("{project} ({path})"));
    }
    let base = path.rsplit(['/', '\\']).next().unwrap_or(path);
    if ["pyproject.toml", "setup.cfg", "setup.py"].contains(&base) || file == "command line" {
        Via::Project(path.to_owned())
    } else {
        Via::File(file.to_owned())
    }
}

fn marker(line: &Line) -> Option<String> {
    if line.marker.is_true() {
        return None;
    }
    marker_text::of_requirement(&line.text)
        .map(marker_text::tidy)
        .or_else(|| line.marker.try_to_string())
}

/// The requirements that rules and options removed, replaced or added, in words.
fn changed_edges(solution: &Solution, reached: &BTreeSet<&PackageName>) -> Vec<String> {
    let release = |name: &PackageName| match solution.packages.get(name) {
        Some(chosen) => format!("{name} {}", chosen.version),
        None => name.to_string(),
    };
    let changed = solution.changed.iter().filter_map(|edge| {
        let ChangedEdge { to, was, by, .. } = edge;
        let who = match &edge.from {
            Some(name) if reached.contains(name) => release(name),
            // It was changed in a package that is not part of the lock.
            Some(_) => return None,
            None => "the input".to_owned(),
        };
        let now = match &edge.now {
            Some(now) => format!("has `{now}` in its place"),
            None => "removed it".to_owned(),
        };
        Some(format!(
            "{who} requires `{}`; {by} {now}",
            required(to, was)
        ))
    });
    let added = solution.edges.iter().filter_map(|edge| match &edge.cause {
        EdgeCause::Rule { id, name } if edge.pulls_in && reached.contains(name) => Some(format!(
            "{} requires `{}`; rule {id} added it",
            release(name),
            required(&edge.to, &edge.range),
        )),
        _ => None,
    });
    sorted(changed.chain(added))
}

/// The requirement as it reads; its range may be a URL.
fn required(name: &PackageName, range: &str) -> String {
    let separator = if range.contains("://") { " @ " } else { "" };
    format!("{name}{separator}{range}")
}

fn options(
    indexes: &[String],
    public_index: Option<&str>,
    given: InstallerOptions,
) -> InstallerOptions {
    let indexes = deduplicated(indexes);
    let (main, extra) = match indexes.split_first() {
        Some((main, extra)) => (Some(main), extra),
        None => (None, &[][..]),
    };
    let public = public_index.map(|url| url.trim_end_matches('/'));
    let cleaned = |urls: Vec<String>| deduplicated(&urls);
    InstallerOptions {
        index_url: main
            .filter(|url| Some(url.trim_end_matches('/')) != public)
            .cloned(),
        extra_index_urls: extra.to_vec(),
        find_links: cleaned(given.find_links),
        ..given
    }
}

/// Without credentials and repetition, in order.
fn deduplicated(urls: &[String]) -> Vec<String> {
    let mut seen = BTreeSet::new();
    urls.iter()
        .map(|url| without_credentials(url))
        .filter(|url| seen.insert(url.clone()))
        .collect()
}

fn sorted(texts: impl Iterator<Item = String>) -> Vec<String> {
    texts.collect::<BTreeSet<_>>().into_iter().collect()
}
