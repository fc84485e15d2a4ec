//! `mlresolve doctor`: what to paste into a bug report.

use std::fmt::Write as _;
use std::path::PathBuf;

use pep508_rs::PackageName;

use super::args::{CheckArgs, CheckFormat};
use super::error::{CliError, Exit};
use super::interpreter::{self, Search};
use super::{accelerator, check, rule_folders, session, settings, tell};
use crate::check::Severity;
use crate::check::render;
use crate::rules::RuleSet;
use crate::solve::FactError;

/// A distribution that every index of Python packages has.
const PROBE: &str = "pip";

/// How many tags are shown.
const TAGS: usize = 3;

/// Says what the environment is, what can be reached, and what is wrong. The exit code is 0
/// unless the environment itself cannot be read, or `check` finds errors in it.
pub(crate) fn run(given: &CheckArgs) -> Result<Exit, CliError> {
    let with_settings = settings::settings(&given.resolve, None)?
        .map(|settings| settings::resolve(&given.resolve, &settings));
    let args = CheckArgs {
        resolve: with_settings.unwrap_or_else(|| given.resolve.clone()),
        ..given.clone()
    };
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
        lines.push(("index", told_of_index(&args)));
    }
    let mut report = check::environment(&args, named.as_deref(), &rules)?;
    if args.format == CheckFormat::Json {
        let facts: serde_json::Map<String, serde_json::Value> = lines
            .into_iter()
            .map(|(key, value)| (key.replace(' ', "_"), value.into()))
            .collect();
        let all = serde_json::json!({
            "schema": 1,
            "environment": facts,
            "findings": report.findings,
        });
        tell(&format!("{all:#}\n"));
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
        tell(&text);
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
                Ok(found) if found.permissions().readonly() => ", which cannot be written to",
                Ok(_) => "",
                Err(_) => ", which is not there yet",
            };
            format!("{}{state}", root.display())
        }
        Err(_) => "none can be made".to_owned(),
    }
}

fn told_of_index(args: &CheckArgs) -> String {
    let Ok(target) = crate::Target::declared("3.12", "linux") else {
        return "not asked".to_owned();
    };
    let Ok(session) = check::online(args, &target) else {
        return "not asked: the options for it are wrong".to_owned();
    };
    let Ok(name) = PROBE.parse::<PackageName>() else {
        return "not asked".to_owned();
    };
    match session.facts.facts().page(&name) {
        Ok(page) => format!("{} answers", page.index),
        Err(FactError::NotFound { asked, .. }) => {
            format!("{} answers, and has no `{PROBE}`", asked.join(", "))
        }
        Err(error) => error.to_string(),
    }
}
