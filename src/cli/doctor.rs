//! `mlresolve doctor`: what to paste into a bug report.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::args::{CheckArgs, CheckFormat};
use super::error::{CliError, Exit};
use super::interpreter::{self, Search};
use super::{accelerator, check, output, probe, rule_folders, session, tell};
use crate::check::Severity;
use crate::check::render;
use crate::request::FileOptions;
use crate::rules::RuleSet;

/// How many tags are shown.
const TAGS: usize = 3;

/// Says what the environment is, what can be reached, and what is wrong. The exit code is 0
/// unless the environment itself cannot be read, or `check` finds errors in it.
pub(crate) fn run(given: &CheckArgs) -> Result<Exit, CliError> {
    let args = check::with_settings(given)?;
    let rules = rule_folders::rules(&args.resolve.rules, &args.resolve.rules_in_settings)?;
    let named = args.resolve.inputs.first().cloned();
    let mut lines = vec![
        ("mlresolve", env!("CARGO_PKG_VERSION").to_owned()),
        ("rules", told_of_rules(&rules)),
    ];
    lines.extend(interpreter(
        named.clone().or_else(|| args.resolve.python.clone()),
    ));
    lines.extend(machine());
    lines.push(("cache", told_of_cache(&args)));
    if !args.rules_only {
        let told = told_of_indexes(&args);
        lines.extend(told.into_iter().map(|told| ("index", told)));
    }
    let mut report = check::environment(&args, named.as_deref(), &rules)?;
    let text = if args.format == CheckFormat::Json {
        let (indexes, lines): (Vec<_>, Vec<_>) =
            lines.into_iter().partition(|(key, _)| *key == "index");
        let indexes: Vec<String> = indexes.into_iter().map(|(_, told)| told).collect();
        let facts: serde_json::Map<String, serde_json::Value> = lines
            .into_iter()
            .map(|(key, value)| (key.replace(' ', "_"), value.into()))
            .chain([("indexes".to_owned(), indexes.into())])
            .collect();
        let all = serde_json::json!({
            "schema": 1,
            "environment": facts,
            "findings": report.findings,
        });
        format!("{all:#}\n")
    } else {
        let width = lines.iter().map(|(key, _)| key.len()).max().unwrap_or(0);
        let mut text = String::new();
        for (key, value) in &lines {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{key:width$}  {value}");
        }
        text.push('\n');
        report.sort();
        text.push_str(&render::text(std::slice::from_ref(&report)));
        text
    };
    match &args.output {
        Some(path) => output::write_atomically(path, text.as_bytes())?,
        None => tell(&text),
    }
    Ok(if report.count(Severity::Error) > 0 {
        Exit::Unsolvable
    } else {
        Exit::Done
    })
}

fn told_of_rules(rules: &RuleSet) -> String {
    let newest = rules.iter().map(|rule| rule.checked.as_str()).max();
    let newest = newest.unwrap_or("never");
    format!("{}, the newest checked on {newest}", rules.len())
}

fn interpreter(named: Option<String>) -> Vec<(&'static str, String)> {
    let mut search = Search::from_folder(PathBuf::from("."));
    search.python = named;
    let found = match interpreter::find(&search) {
        Ok(found) => found,
        Err(error) => return vec![("interpreter", error.to_string())],
    };
    let mut lines = vec![("interpreter", found.executable.display().to_string())];
    match found.target() {
        Ok(target) => {
            lines.push(("python", target.describe()));
            let words = target.words();
            lines.push(("platform", words.platform));
            let tags: Vec<String> = target
                .tags()
                .take(TAGS)
                .map(|(python, abi, platform)| format!("{python}-{abi}-{platform}"))
                .collect();
            lines.push(("best tags", tags.join(", ")));
        }
        Err(error) => lines.push(("python", error.to_string())),
    }
    let folders: Vec<String> = found
        .site_packages
        .iter()
        .map(|folder| folder.display().to_string())
        .collect();
    lines.push(("site-packages", folders.join(", ")));
    lines
}

fn machine() -> Vec<(&'static str, String)> {
    let (driver, gpus, read) = accelerator::here();
    let gpus: Vec<String> = gpus.iter().map(crate::target::sm).collect();
    vec![
        (
            "driver",
            driver.map_or_else(|| "none found".to_owned(), |driver| driver.to_string()),
        ),
        (
            "gpu",
            if gpus.is_empty() {
                "none found".to_owned()
            } else {
                gpus.join(", ")
            },
        ),
        ("read from", read.join("; ")),
    ]
}

fn told_of_cache(args: &CheckArgs) -> String {
    match session::cache(&args.resolve) {
        Ok(cache) => {
            let root = cache.root();
            let state = match std::fs::metadata(root) {
                Ok(found) if found.permissions().readonly() => {
                    "which cannot be written to".to_owned()
                }
                Ok(_) => {
                    let names = cache.known_names();
                    let (files, bytes) = size(root);
                    format!(
                        "{files} files of {} MiB, pages of {} distributions",
                        bytes >> 20,
                        names.len()
                    )
                }
                Err(_) => "which is not there yet".to_owned(),
            };
            format!("{}, {state}", root.display())
        }
        Err(_) => "none can be made".to_owned(),
    }
}

/// How many files a folder holds, and how many bytes; what cannot be read is left out.
fn size(folder: &Path) -> (u64, u64) {
    let mut found = (0, 0);
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => {
                let (files, bytes) = size(&entry.path());
                found = (found.0 + files, found.1 + bytes);
            }
            Ok(metadata) => found = (found.0 + 1, found.1 + metadata.len()),
            Err(_) => {}
        }
    }
    found
}

fn told_of_indexes(args: &CheckArgs) -> Vec<String> {
    let session = crate::Target::declared("3.12", "linux")
        .map_err(|error| CliError::usage(error.to_string()))
        .and_then(|target| check::online(args, &target, &FileOptions::default()));
    match session {
        Ok(session) => probe::told(&args.resolve, &session.places),
        Err(error) => vec![format!("not asked: {}", error.message())],
    }
}
