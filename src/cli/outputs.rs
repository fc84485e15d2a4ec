//! The locks of a project: one that the command line names, or all that the settings do.

use std::collections::BTreeSet;
use std::path::Path;

use super::args::LockArgs;
use super::error::CliError;
use super::{accelerator, compat, pip_tools, settings};
use crate::request::{Located, OutputSettings, Settings, TargetSettings};

/// One lock to make.
pub(crate) struct Job {
    /// The arguments, with all settings in them.
    pub(crate) args: LockArgs,
    /// Whether the settings say what it is made of, so that its command needs no inputs.
    pub(crate) from_settings: bool,
}

/// The locks to make, each after those it is layered on.
pub(crate) fn jobs(given: &LockArgs) -> Result<Vec<Job>, CliError> {
    let Some(settings) = settings::settings(&given.resolve, given.compat.config.as_deref())? else {
        let merged = pip_tools::merged(given)?;
        let args = compat::settled(merged.as_ref().unwrap_or(given))?;
        return Ok(vec![Job {
            args,
            from_settings: false,
        }]);
    };
    let given = compat::settled(given)?;
    let named: Vec<(&String, &OutputSettings)> = settings
        .outputs
        .iter()
        .filter(|(path, _)| given.output.as_ref().is_none_or(|output| output == *path))
        .collect();
    if named.is_empty() || !given.resolve.inputs.is_empty() {
        return Ok(vec![Job {
            args: settings::lock(&given, &settings),
            from_settings: false,
        }]);
    }
    ordered(named)
        .into_iter()
        .map(|(path, output)| {
            Ok(Job {
                args: one(&given, &settings, path, output)?,
                from_settings: true,
            })
        })
        .collect()
}

/// The arguments for one of the settings' outputs. What the command line says comes first,
/// then what the output says, then what the settings say for all.
fn one(
    given: &LockArgs,
    settings: &Settings,
    path: &str,
    output: &OutputSettings,
) -> Result<LockArgs, CliError> {
    let mut args = given.clone();
    args.output = Some(path.to_owned());
    let resolve = &mut args.resolve;
    resolve.inputs = values(&output.inputs);
    if resolve.constraint.is_empty() {
        resolve.constraint = values(&output.constraint);
        resolve.constraint.extend(values(&settings.constraint));
    }
    if resolve.extra.is_empty() {
        resolve.extra = output
            .extra
            .iter()
            .map(|extra| extra.value.to_string())
            .collect();
    }
    if resolve.group.is_empty() {
        resolve.group = values(&output.group);
    }
    if let Some(all) = &output.all_extras {
        resolve.all_extras |= all.value;
    }
    if let Some(name) = &output.target {
        let target = settings.targets.get(&name.value).ok_or_else(|| {
            CliError::usage(format!("{}: no target `{}`", name.place, name.value))
                .hint("name one of the table `targets`")
        })?;
        take_target(&mut args, target);
    }
    Ok(settings::lock(&args, settings))
}

fn take_target(args: &mut LockArgs, target: &TargetSettings) {
    let resolve = &mut args.resolve;
    let or = |known: &mut Option<String>, setting: &Option<Located<String>>| {
        if known.is_none() {
            *known = setting.as_ref().map(|located| located.value.clone());
        }
    };
    if resolve.python.is_none() {
        or(&mut resolve.python_version, &target.python_version);
        or(&mut resolve.python_platform, &target.python_platform);
    }
    if accelerator::Asked::of(resolve) == accelerator::Asked::default() {
        or(&mut resolve.cuda, &target.cuda);
        or(&mut resolve.torch_backend, &target.torch_backend);
        or(&mut resolve.driver, &target.driver);
        resolve.gpu = values(&target.gpu);
    }
    if resolve.variant_property.is_empty() {
        resolve.variant_property = values(&target.variant_property);
    }
}

fn values(list: &[Located<String>]) -> Vec<String> {
    list.iter().map(|located| located.value.clone()).collect()
}

/// Each output after those that it, or a file that it is made of, names; otherwise by path.
/// Outputs that name each other in a circle come by path.
fn ordered<'a>(
    mut waiting: Vec<(&'a String, &'a OutputSettings)>,
) -> Vec<(&'a String, &'a OutputSettings)> {
    let needs: Vec<(String, BTreeSet<String>)> = waiting
        .iter()
        .map(|(path, output)| ((*path).clone(), named_files(output)))
        .collect();
    let mut done = Vec::new();
    while !waiting.is_empty() {
        let is_free = |path: &String| {
            let named = needs.iter().find(|(other, _)| other == path);
            !waiting.iter().any(|(other, _)| {
                *other != path && named.is_some_and(|(_, named)| named.contains(&tidy(other)))
            })
        };
        let next = waiting
            .iter()
            .position(|(path, _)| is_free(path))
            .unwrap_or(0);
        done.push(waiting.remove(next));
    }
    done
}

/// The files that an output is made of, and those that its inputs name.
fn named_files(output: &OutputSettings) -> BTreeSet<String> {
    let mut named: BTreeSet<String> = BTreeSet::new();
    let mut waiting: Vec<String> = values(&output.inputs);
    waiting.extend(values(&output.constraint));
    while let Some(path) = waiting.pop() {
        if !named.insert(tidy(&path)) {
            continue;
        }
        let Ok(text) = std::fs::read_to_string(&path) else {
            continue;
        };
        let folder = Path::new(&path).parent().unwrap_or(Path::new(""));
        for line in text.lines() {
            if let Some(file) = named_by(line) {
                waiting.push(folder.join(file).to_string_lossy().into_owned());
            }
        }
    }
    named
}

/// The file that a line of a requirements file names.
fn named_by(line: &str) -> Option<&str> {
    let line = line.trim();
    let rest = ["--constraint", "--requirement", "-c", "-r"]
        .iter()
        .find_map(|option| line.strip_prefix(option))?;
    let rest = rest.trim_start_matches(['=', ' ', '\t']);
    rest.split_whitespace().next()
}

/// A path without `.` parts.
fn tidy(path: &str) -> String {
    let parts = Path::new(path)
        .components()
        .filter(|part| !matches!(part, std::path::Component::CurDir));
    parts
        .collect::<std::path::PathBuf>()
        .to_string_lossy()
        .into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_name_files() {
        for (line, expected) in [
            ("-c base.txt", Some("base.txt")),
            ("  --requirement=a/b.in  # why", Some("a/b.in")),
            ("-rbase.in", Some("base.in")),
            ("six", None),
            ("# -c base.txt", None),
        ] {
            assert_eq!(named_by(line), expected, "{line}");
        }
    }
}
