//! Folders of the user's rules, read from the disk.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::error::{CliError, Exit};
use crate::RuleSet;
use crate::rules::{FolderTrust, Rule, RuleId, RuleOrigin, RuleSource};

/// Rules, and what tells those of the user's folders from others.
pub(crate) struct Rules {
    pub(crate) rules: RuleSet,
    /// The sha256 of what the user's folders hold.
    pub(crate) own: [u8; 32],
}

/// The rules in force: those that come with the program, and those of the folders named on
/// the command line and in the settings.
pub(crate) fn rules(named: &[PathBuf], in_settings: &[PathBuf]) -> Result<RuleSet, CliError> {
    read(named, in_settings).map(|read| read.rules)
}

/// The same, and what tells them from others.
pub(crate) fn read(named: &[PathBuf], in_settings: &[PathBuf]) -> Result<Rules, CliError> {
    let mut own = Sha256::new();
    let mut rules = RuleSet::embedded_on_demand();
    for (folders, trust) in [
        (named, FolderTrust::CommandLine),
        (in_settings, FolderTrust::Repository),
    ] {
        for folder in folders {
            let files = files(folder)?;
            own.update(format!("{trust:?}{files:?}"));
            let sources = files.iter().map(|(id, text)| RuleSource {
                id,
                origin: RuleOrigin::Folder(folder.display().to_string()),
                text,
            });
            rules = rules
                .with_folder(sources, trust)
                .map_err(|error| CliError::diagnostic(Exit::Usage, error))?;
        }
    }
    Ok(Rules {
        rules,
        own: own.finalize().into(),
    })
}

/// The ids of `--ignore-rule`, each of which must exist.
pub(crate) fn ignored(rules: &RuleSet, ids: &[String]) -> Result<Vec<RuleId>, CliError> {
    ids.iter()
        .map(|id| {
            rules.get(id).map(|rule| rule.id.clone()).ok_or_else(|| {
                let known: Vec<&str> = rules.ids().map(|id| &*id.0).collect();
                let near = near(id, &known);
                let error = CliError::usage(format!("there is no rule `{id}`"));
                let is_named =
                    |rule: &Arc<Rule>| rule.names().iter().any(|name| name.as_ref() == id);
                error.hint(if rules.iter().any(is_named) {
                    format!("`mlresolve rules list {id}` names the rules that speak of {id}")
                } else if near.is_empty() {
                    "`mlresolve rules list` names them all".to_owned()
                } else {
                    format!("did you mean {near}? `mlresolve rules list` names them all")
                })
            })
        })
        .collect()
}

/// The nearest of some known words, in words; empty where none is near.
pub(crate) fn near(word: &str, known: &[&str]) -> String {
    let mut near: Vec<(f64, &str)> = known
        .iter()
        .map(|other| (strsim::jaro_winkler(word, other), *other))
        .filter(|(score, _)| *score > 0.8)
        .collect();
    near.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    let names: Vec<String> = near
        .iter()
        .take(2)
        .map(|(_, other)| format!("`{other}`"))
        .collect();
    names.join(" or ")
}

/// Every rule file below a folder: id and text, sorted by id.
pub(crate) fn files(folder: &Path) -> Result<Vec<(String, String)>, CliError> {
    let mut found = Vec::new();
    collect(folder, folder, &mut found)?;
    found.sort();
    Ok(found)
}

fn collect(root: &Path, folder: &Path, found: &mut Vec<(String, String)>) -> Result<(), CliError> {
    let failed = |path: &Path, error: &std::io::Error| {
        CliError::usage(format!("cannot read `{}`: {error}", path.display()))
            .hint("`--rules` takes a folder of `<package>/<rule>.toml` files")
    };
    let entries = std::fs::read_dir(folder).map_err(|error| failed(folder, &error))?;
    for entry in entries {
        let path = entry.map_err(|error| failed(folder, &error))?.path();
        if path.is_dir() {
            collect(root, &path, found)?;
        } else if path
            .extension()
            .is_some_and(|extension| extension == "toml")
        {
            let text = std::fs::read_to_string(&path).map_err(|error| failed(&path, &error))?;
            let inside = path.strip_prefix(root).unwrap_or(&path).with_extension("");
            let id: Vec<String> = inside
                .components()
                .map(|part| part.as_os_str().to_string_lossy().into_owned())
                .collect();
            found.push((id.join("/"), text));
        }
    }
    Ok(())
}
