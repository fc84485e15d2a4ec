//! `mlresolve lock --target NAME…`: a lock for each named target, as alike as can be.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use pep440_rs::Version;
use pep508_rs::PackageName;

use super::args::LockArgs;
use super::error::{CliError, Exit};
use super::inputs::{self, Output};
use super::lock::{self, Prepared};
use super::session::{self, Try};
use super::{say, settings};
use crate::request::{Pin, Settings, TargetSettings};

/// Locks for every target that is named.
pub(crate) fn run(given: &LockArgs) -> Result<Exit, CliError> {
    session::steadily(|one| lock_all(given, one))
}

fn lock_all(given: &LockArgs, one: &mut Try) -> Result<Exit, CliError> {
    let known = settings::settings(&given.resolve, None)?.unwrap_or_default();
    let mut prepared = Vec::new();
    for name in &given.target {
        let target = known
            .targets
            .get(name)
            .ok_or_else(|| unknown(name, &known))?;
        let args = settings::lock(&with_target(given, target), &known);
        let named = inputs::inputs(&args.resolve.inputs)?;
        let to = match inputs::output(args.output.as_deref(), &named)? {
            Output::File(path) => Output::File(for_target(&path, name)),
            Output::Standard => {
                return Err(
                    CliError::usage("`--target` writes files, not standard output")
                        .hint("name the locks with `-o requirements.txt` or `-o pylock.toml`"),
                );
            }
        };
        if !args.resolve.quiet {
            say(&format!("target {name}:"));
        }
        match lock::prepare(given, &args, &to, one)? {
            Ok(ready) => prepared.push(ready),
            Err(exit) => return Ok(exit),
        }
    }
    let solutions: Vec<BTreeMap<&PackageName, &Version>> = prepared
        .iter()
        .map(|ready| {
            let packages = ready.solution.packages.iter();
            packages
                .map(|(name, chosen)| (name, &chosen.version))
                .collect()
        })
        .collect();
    let pins = shared(&solutions);
    if !pins.is_empty() {
        for ready in &mut prepared {
            ready.prefer(&pins)?;
        }
    }
    // All before the first is written.
    let answers = prepared.iter().map(Prepared::answer);
    let answers = answers.collect::<Result<Vec<_>, _>>()?;
    let mut worst = Exit::Done;
    for (ready, answer) in prepared.iter().zip(&answers) {
        let exit = ready.finish(answer)?;
        if exit != Exit::Done {
            worst = exit;
        }
    }
    Ok(worst)
}

/// The releases that all targets should prefer: where they differ, the oldest that one of
/// them has, since a newer one was not to be had there.
fn shared(solutions: &[BTreeMap<&PackageName, &Version>]) -> BTreeMap<PackageName, Pin> {
    let mut versions: BTreeMap<&PackageName, BTreeSet<Version>> = BTreeMap::new();
    for (name, version) in solutions.iter().flatten() {
        let public = (*version).clone().without_local();
        versions.entry(name).or_default().insert(public);
    }
    versions
        .into_iter()
        .filter(|(_, versions)| versions.len() > 1)
        .filter_map(|(name, mut versions)| {
            let pin = Pin {
                version: versions.pop_first()?,
                hashes: Vec::new(),
            };
            Some((name.clone(), pin))
        })
        .collect()
}

/// The arguments with what a named target says, where the command line says nothing.
fn with_target(given: &LockArgs, target: &TargetSettings) -> LockArgs {
    let mut args = given.clone();
    let resolve = &mut args.resolve;
    let values = |located: &Option<crate::request::Located<String>>| {
        located.as_ref().map(|located| located.value.clone())
    };
    let or = |known: &mut Option<String>, setting| {
        if known.is_none() {
            *known = values(setting);
        }
    };
    or(&mut resolve.python_version, &target.python_version);
    or(&mut resolve.python_platform, &target.python_platform);
    or(&mut resolve.cuda, &target.cuda);
    or(&mut resolve.torch_backend, &target.torch_backend);
    or(&mut resolve.driver, &target.driver);
    if resolve.gpu.is_empty() {
        resolve.gpu = target.gpu.iter().map(|gpu| gpu.value.clone()).collect();
    }
    if resolve.variant_property.is_empty() {
        let stated = target.variant_property.iter();
        resolve.variant_property = stated.map(|property| property.value.clone()).collect();
    }
    args
}

/// `pylock.toml` for the target `cpu` is `pylock.cpu.toml`.
fn for_target(path: &str, target: &str) -> String {
    let path = Path::new(path);
    let extension = path.extension().unwrap_or_default().to_string_lossy();
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let name = format!("{stem}.{target}.{extension}");
    path.with_file_name(name.trim_end_matches('.'))
        .to_string_lossy()
        .into_owned()
}

fn unknown(name: &str, settings: &Settings) -> CliError {
    let known: Vec<&str> = settings.targets.keys().map(String::as_str).collect();
    let error = CliError::usage(format!("the settings have no target `{name}`"));
    if known.is_empty() {
        error.hint("write `[tool.mlresolve.targets.cpu]` with `torch-backend = \"cpu\"`")
    } else {
        error.hint(format!("the targets are {}", known.join(", ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_targets_lock_is_named_after_it() {
        assert_eq!(for_target("pylock.toml", "cu126"), "pylock.cu126.toml");
        assert_eq!(
            for_target("a/requirements.txt", "cpu"),
            "a/requirements.cpu.txt"
        );
    }

    #[test]
    fn where_targets_differ_the_oldest_is_preferred() {
        let name = |text: &str| text.parse::<PackageName>().expect("a name");
        let version = |text: &str| text.parse::<Version>().expect("a version");
        let (torch, numpy) = (name("torch"), name("numpy"));
        let (cpu, cuda, same) = (version("2.9.0+cpu"), version("2.8.0+cu126"), version("2.1"));
        let pins = shared(&[
            BTreeMap::from([(&torch, &cpu), (&numpy, &same)]),
            BTreeMap::from([(&torch, &cuda), (&numpy, &same)]),
        ]);
        assert_eq!(pins.len(), 1);
        assert_eq!(pins[&torch].version, version("2.8.0"));
    }
}
