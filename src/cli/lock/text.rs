//! From a solution to what its lock says.

use std::collections::{BTreeMap, BTreeSet};

use pep508_rs::PackageName;

use super::Writing;
use crate::cli::args::{Annotations as Style, LockArgs};
use crate::cli::error::{CliError, Exit};
use crate::cli::session::Session;
use crate::cli::{base, compat};
use crate::fetch::download::hash_files;
use crate::lock::{
    Annotations, Format, HashListing, Header, InstallerOptions, Lock, LockContext, LockError,
    MissingHash, RenderOptions, TargetRecord,
};
use crate::metadata::File;
use crate::rules::RuleKind;
use crate::solve::{ChosenOrigin, Solution};

/// The lock that a solution makes.
pub(super) fn locked(
    args: &LockArgs,
    writing: &Writing,
    session: &Session,
    solution: &Solution,
) -> Result<Lock, CliError> {
    let mut computed = BTreeMap::new();
    loop {
        let context = context(args, writing, session, solution, computed.clone());
        match Lock::from_solution(solution, &session.request, context) {
            Ok(lock) => return Ok(lock),
            Err(LockError::MissingHashes { files }) if computed.is_empty() => {
                computed = hashes(session, solution, &files)?;
            }
            Err(error) => return Err(CliError::diagnostic(Exit::Usage, error)),
        }
    }
}

/// Computes the sha256 of files whose index gives none, by downloading them.
fn hashes(
    session: &Session,
    solution: &Solution,
    files: &[MissingHash],
) -> Result<BTreeMap<String, String>, CliError> {
    let Some(edge) = session.facts.edge() else {
        return Err(CliError::new(
            Exit::Network,
            format!("the snapshot has no hash of `{}`", files[0].filename),
        )
        .hint("record it again, or lock with `--no-hashes`"));
    };
    let all: Vec<_> = solution
        .packages
        .values()
        .map(|chosen| chosen.files.all())
        .collect();
    let wanted: Vec<&File> = all
        .iter()
        .flat_map(|files| files.iter())
        .filter(|file| files.iter().any(|missing| missing.url == file.url))
        .collect();
    let mut computed = BTreeMap::new();
    let found = hash_files(edge.download(), edge.records(), &wanted);
    for (file, sha256) in wanted.into_iter().zip(found) {
        let sha256 = sha256.map_err(|error| CliError::from_fact(&error))?;
        computed.insert(file.url.clone(), sha256);
    }
    Ok(computed)
}

/// The indexes of the builds that were taken.
fn build_indexes(session: &Session, solution: &Solution) -> BTreeSet<String> {
    let is_member = |name: &PackageName| {
        let rules = session.rules.on(name);
        rules
            .iter()
            .any(|rule| matches!(rule.kind, RuleKind::Family { .. }))
    };
    if !session.target.accelerator.is_stated() {
        return BTreeSet::new();
    }
    solution
        .packages
        .iter()
        .filter(|(name, _)| is_member(name))
        .filter_map(|(_, chosen)| match &chosen.origin {
            ChosenOrigin::Index(page) => Some(page.index.clone()),
            ChosenOrigin::Direct { .. } => None,
        })
        .collect()
}

/// The indexes of what the settings take from one index alone. A folder of this machine is
/// nobody else's index.
fn pinned_indexes(session: &Session, solution: &Solution) -> BTreeSet<String> {
    let pinned = session.places.pinned.iter();
    pinned
        .filter_map(|name| match &solution.packages.get(name)?.origin {
            ChosenOrigin::Index(page) => Some(page.index.clone()),
            ChosenOrigin::Direct { .. } => None,
        })
        .filter(|index| index.starts_with("http"))
        .collect()
}

fn context<'a>(
    args: &LockArgs,
    writing: &Writing,
    session: &'a Session,
    solution: &Solution,
    computed_hashes: BTreeMap<String, String>,
) -> LockContext<'a> {
    let places = &session.places;
    let standard = crate::fetch::indexes::Index::standard().url.to_string();
    let default = places.index.clone().unwrap_or_else(|| standard.clone());
    let mut indexes = vec![default];
    indexes.extend(places.extra.iter().cloned());
    indexes.extend(build_indexes(session, solution));
    indexes.extend(pinned_indexes(session, solution));
    let mut options = InstallerOptions::format_control(&session.request.policy);
    options.find_links.clone_from(&places.find_links);
    options.trusted_hosts.clone_from(&places.trusted_hosts);
    LockContext {
        suits: &session.suits,
        target: TargetRecord::of(&session.target),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        command: writing.command.clone(),
        indexes,
        public_index: Some(standard),
        options,
        rules: &session.all_rules,
        ignored_rules: session.ignored.clone(),
        base: base::record(&session.request.base),
        hashes: match (writing.format, args.no_hashes) {
            (Format::Pylock, _) => HashListing::Files,
            (Format::Requirements, true) => HashListing::None,
            (Format::Requirements, false) => HashListing::Hashes,
        },
        computed_hashes,
        projects: session
            .read
            .projects
            .iter()
            .map(|(file, name)| (file.to_string(), name.to_string()))
            .collect(),
        folder: writing.folder.clone(),
    }
}

/// How it is laid out.
pub(super) fn render_options(args: &LockArgs, format: Format) -> Result<RenderOptions, CliError> {
    Ok(RenderOptions {
        format,
        header: if args.no_header {
            Header::None
        } else {
            Header::Full
        },
        annotations: match (args.no_annotate, args.annotation_style.unwrap_or_default()) {
            (true, _) => Annotations::None,
            (false, Style::Split) => Annotations::Split,
            (false, Style::Line) => Annotations::Line,
        },
        hashes: !args.no_hashes,
        strip_extras: args.strip_extras,
        emit: compat::emitted(args),
        unsafe_packages: compat::unsafe_packages(args)?,
        ..RenderOptions::default()
    })
}
