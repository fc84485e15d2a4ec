//! `mlresolve rules`.

mod boundary;
mod checks;
mod derive;
mod evidence;
mod probe;
mod record;
mod runs;
#[cfg(test)]
mod tests;
mod verify;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::args::{Format, RulesCommand};
use super::error::{CliError, Exit};
use super::{rule_folders, say, tell};
use crate::RuleSet;
use crate::explain::wrap;
use crate::rules::{Rule, RuleOrigin, RuleSource, Severity};

/// Columns that text is wrapped at.
const COLUMNS: usize = 80;

/// Lists, shows or checks rules.
pub(crate) fn run(command: &RulesCommand) -> Result<Exit, CliError> {
    match command {
        RulesCommand::List {
            name,
            rules,
            format,
        } => list(name.as_deref(), rules, *format),
        RulesCommand::Show { id, rules, format } => show(id, rules, *format),
        RulesCommand::Lint { folders } => lint(folders),
        RulesCommand::Verify(args) => verify::run(args),
        RulesCommand::Derive(args) => derive::run(args),
        RulesCommand::Record(args) => record::run(args),
    }
}

fn list(name: Option<&str>, folders: &[PathBuf], format: Format) -> Result<Exit, CliError> {
    let rules = rule_folders::rules(folders, &[])?;
    let chosen: Vec<_> = rules
        .iter()
        .filter(|rule| {
            name.is_none_or(|name| rule.names().iter().any(|other| other.as_ref() == name))
        })
        .collect();
    match format {
        Format::Json => {
            for rule in chosen {
                tell(&format!("{}\n", json(rule)));
            }
        }
        Format::Text => {
            let width = chosen.iter().map(|rule| rule.id.0.len()).max().unwrap_or(0);
            for rule in chosen {
                tell(&format!(
                    "{:width$}  {}\n",
                    rule.id.to_string(),
                    rule.kind.name()
                ));
            }
        }
    }
    Ok(Exit::Done)
}

fn json(rule: &Rule) -> serde_json::Value {
    let evidence: Vec<_> = rule
        .evidence
        .iter()
        .map(|evidence| {
            serde_json::json!({
                "file": evidence.file,
                "sha256": evidence.sha256,
                "finding": evidence.finding,
            })
        })
        .collect();
    serde_json::json!({
        "id": rule.id.to_string(),
        "kind": rule.kind.name(),
        "severity": severity(rule.severity),
        "reason": rule.reason,
        "error": rule.error,
        "advice": rule.advice,
        "sources": rule.sources,
        "evidence": evidence,
        "checked": rule.checked,
        "digest": rule.digest(),
    })
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Corrupts => "corrupts",
        Severity::Degrades => "degrades",
    }
}

fn show(id: &str, folders: &[PathBuf], format: Format) -> Result<Exit, CliError> {
    let rules = rule_folders::rules(folders, &[])?;
    let known = rule_folders::ignored(&rules, &[id.to_owned()])?;
    let Some(rule) = known.first().and_then(|id| rules.get(&id.0)) else {
        return Err(CliError::usage(format!("there is no rule `{id}`")));
    };
    if format == Format::Json {
        tell(&format!("{}\n", json(rule)));
        return Ok(Exit::Done);
    }
    let mut page = format!(
        "{} ({}, {})\n\n",
        rule.id,
        rule.kind.name(),
        severity(rule.severity)
    );
    page.push_str(&wrap(&rule.reason, "", "", COLUMNS));
    if let Some(error) = &rule.error {
        page.push_str("\nWhat it looks like\n");
        page.push_str(&wrap(error, "  ", "  ", COLUMNS));
    }
    if let Some(advice) = &rule.advice {
        page.push_str("\nWhat to do\n");
        page.push_str(&wrap(advice, "  ", "  ", COLUMNS));
    }
    if !rule.evidence.is_empty() {
        page.push_str("\nEvidence\n");
        for evidence in &rule.evidence {
            let _ = writeln!(page, "  {}", evidence.file);
            page.push_str(&wrap(&evidence.finding, "    ", "    ", COLUMNS));
        }
    }
    if !rule.sources.is_empty() {
        page.push_str("\nSources\n");
        for source in &rule.sources {
            let _ = writeln!(page, "  {source}");
        }
    }
    let _ = writeln!(page, "\nChecked {}.", rule.checked);
    tell(&page);
    Ok(Exit::Done)
}

fn lint(folders: &[PathBuf]) -> Result<Exit, CliError> {
    let mut errors = Vec::new();
    if folders.is_empty() {
        errors = RuleSet::lint_embedded();
    }
    for folder in folders {
        let folder: &Path = folder;
        let files = rule_folders::files(folder)?;
        let sources = files.iter().map(|(id, text)| RuleSource {
            id,
            origin: RuleOrigin::Folder(folder.display().to_string()),
            text,
        });
        if let Err(found) = RuleSet::load(sources) {
            errors.extend(found.0);
        }
    }
    let count = errors.len();
    for error in errors {
        CliError::diagnostic(Exit::Unsolvable, error).print();
    }
    if count > 0 {
        say(&format!("{count} mistakes in rules"));
        return Ok(Exit::Unsolvable);
    }
    tell("no mistakes in the rules\n");
    Ok(Exit::Done)
}
