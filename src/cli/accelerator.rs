//! The accelerator of a target: asked for, recorded in a lock, or read off this machine.

mod detect;

use std::collections::BTreeSet;

use pep440_rs::Version;

use super::args::ResolveArgs;
use super::error::CliError;
use super::say;
use crate::metadata::VariantProperty;
use crate::request::Base;
use crate::rules::{RuleKind, label_of};
use crate::solve::{EligibleBuilds, eligible_builds};
use crate::target::{Accelerator, Build, Os, TargetError};
use crate::{RuleSet, Target};

/// What the options and the settings say of the accelerator.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Asked {
    /// `--cuda`, or `--torch-backend`.
    pub(crate) build: Option<String>,
    /// It was `--cuda`.
    is_cuda: bool,
    pub(crate) driver: Option<String>,
    pub(crate) gpus: Vec<String>,
}

impl Asked {
    pub(crate) fn of(args: &ResolveArgs) -> Self {
        Self {
            build: args.cuda.clone().or_else(|| args.torch_backend.clone()),
            is_cuda: args.cuda.is_some(),
            driver: args.driver.clone(),
            gpus: args.gpu.clone(),
        }
    }

    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// The accelerator of a target: what is asked for, else what the lock that is there records.
pub(crate) fn of(
    asked: &Asked,
    recorded: Option<&Accelerator>,
    target: &Target,
    rules: &RuleSet,
    quiet: bool,
) -> Result<Accelerator, CliError> {
    if asked.is_empty() {
        return Ok(recorded.cloned().unwrap_or_default());
    }
    let wrong = |option: &'static str| {
        move |error: TargetError| CliError::usage(format!("`{option}`: {error}"))
    };
    let mut gpus = asked
        .gpus
        .iter()
        .map(|word| Accelerator::gpu(word))
        .collect::<Result<Vec<_>, _>>()
        .map_err(wrong("--gpu"))?;
    gpus.sort();
    gpus.dedup();
    let driver = asked
        .driver
        .as_deref()
        .map(Accelerator::driver)
        .transpose()
        .map_err(wrong("--driver"))?;
    let is_auto = asked.build.as_deref() == Some("auto");
    let build = match asked.build.as_deref() {
        None | Some("auto") => Build::Unstated,
        Some(word) => Accelerator::build(word).map_err(|error| {
            let option = if asked.is_cuda {
                "--cuda"
            } else {
                "--torch-backend"
            };
            let error = wrong(option)(error);
            match of_major(word, option, rules) {
                Some(hint) => error.hint(hint),
                None => error,
            }
        })?,
    };
    let stated = Accelerator {
        build: as_cuda(build, rules),
        driver,
        gpus,
        variants: None,
    };
    if is_auto {
        return auto(stated, target, rules, quiet);
    }
    Ok(stated)
}

/// The builds of a CUDA of which only the first number was given.
fn of_major(word: &str, option: &str, rules: &RuleSet) -> Option<String> {
    let major: u64 = word.trim().parse().ok()?;
    let labels = rules.families().filter_map(|rule| match &rule.kind {
        RuleKind::Family { labels, .. } => Some(labels),
        _ => None,
    });
    let cudas: BTreeSet<&Version> = labels
        .flatten()
        .filter(|label| label.accelerator == "cuda")
        .filter_map(|label| label.provides.get("cuda"))
        .filter(|cuda| cuda.release().first() == Some(&major))
        .collect();
    let words: Vec<String> = cudas
        .iter()
        .map(|cuda| format!("`{option} {cuda}`"))
        .collect();
    (!words.is_empty()).then(|| format!("for CUDA {major} there are {}", words.join(", ")))
}

/// Whether wheel variants are taken, and what is stated of them: by the options, else by the lock
/// that is there.
pub(crate) fn variants(
    args: &ResolveArgs,
    recorded: Option<&Accelerator>,
) -> Result<Option<Vec<VariantProperty>>, CliError> {
    let stated = args
        .variant_property
        .iter()
        .map(|word| Accelerator::property(word))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| CliError::usage(error.to_string()))?;
    let known = recorded.and_then(|recorded| recorded.variants.clone());
    match args.wheel_variants {
        Some(false) => Ok(None),
        Some(true) if stated.is_empty() => Ok(Some(known.unwrap_or_default())),
        Some(true) => Ok(Some(stated)),
        None if stated.is_empty() => Ok(known),
        None if known.is_some() => Ok(Some(stated)),
        None => Err(CliError::usage(
            "`--variant-property` speaks of wheel variants, which are not taken",
        )
        .hint("add `--wheel-variants`")),
    }
}

/// The accelerator of what a base has installed: the build of a family's member there that
/// names one, so that what is added comes from the same build.
pub(crate) fn of_base(base: &Base, rules: &RuleSet, quiet: bool) -> Accelerator {
    for (name, version) in base.releases() {
        if !version.is_local() || base.frozen(&name).is_none() {
            continue;
        }
        let label = label_of(&version);
        let known = rules.on(&name).iter().any(|rule| match &rule.kind {
            RuleKind::Family { labels, .. } => labels.iter().any(|known| known.name == label),
            _ => false,
        });
        if known {
            if !quiet {
                say(&format!(
                    "accelerator: the base has {name} {version}, so what is added to it is \
                     taken in the build {label}"
                ));
            }
            return Accelerator {
                build: as_cuda(Build::Label(label), rules),
                ..Accelerator::default()
            };
        }
    }
    Accelerator::default()
}

/// A label that brings a CUDA stands for that CUDA, so that everything else is held to it.
fn as_cuda(build: Build, rules: &RuleSet) -> Build {
    let Build::Label(name) = &build else {
        return build;
    };
    let cuda = rules.families().find_map(|rule| match &rule.kind {
        RuleKind::Family { labels, .. } => labels
            .iter()
            .find(|label| label.name == *name && label.accelerator == "cuda")
            .and_then(|label| label.provides.get("cuda").cloned()),
        _ => None,
    });
    cuda.map_or(build, Build::Cuda)
}

/// The driver and the GPUs of this machine, and what was read to know them.
pub(crate) fn here() -> (Option<Version>, Vec<Version>, Vec<String>) {
    let found = detect::detect(&detect::Machine::this());
    (found.driver, found.gpus, found.read)
}

/// Reads the machine, and says what it read.
fn auto(
    stated: Accelerator,
    target: &Target,
    rules: &RuleSet,
    quiet: bool,
) -> Result<Accelerator, CliError> {
    let here = match target.platform.os {
        Os::Manylinux { .. } | Os::Musllinux { .. } => "linux",
        Os::Macos { .. } => "macos",
        Os::Windows => "windows",
    };
    if here != std::env::consts::OS {
        return Err(CliError::usage(format!(
            "`auto` reads this machine, and the target is {}",
            target.platform.describe()
        ))
        .hint("name the build with `--cuda 12.4`, or the machine's driver with `--driver`"));
    }
    let found = detect::detect(&detect::Machine::this());
    let tell = |text: &str| {
        if !quiet {
            say(text);
        }
    };
    for line in &found.read {
        tell(&format!("accelerator: {line}"));
    }
    let mut accelerator = Accelerator {
        build: found.build,
        driver: stated.driver.or(found.driver),
        gpus: if stated.gpus.is_empty() {
            found.gpus
        } else {
            stated.gpus
        },
        variants: None,
    };
    let mut trial = target.clone();
    trial.accelerator = accelerator.clone();
    let builds = eligible_builds(rules, &trial);
    if builds.iter().any(|builds| !builds.labels.is_empty()) || builds.is_empty() {
        return Ok(accelerator);
    }
    for builds in &builds {
        for (label, reason) in &builds.refused {
            tell(&format!(
                "accelerator: {label} of {} {reason}",
                builds.family
            ));
        }
    }
    tell("accelerator: none of the builds runs here, so those for the processor are taken");
    accelerator = Accelerator {
        build: Build::Label("cpu".to_owned()),
        ..Accelerator::default()
    };
    Ok(accelerator)
}

/// Why a build was taken that is not simply the newest, for people.
pub(crate) fn told(builds: &EligibleBuilds, taken: &str, target: &Target) -> String {
    let accelerator = &target.accelerator;
    let stated = Some(accelerator.hardware()).filter(|stated| !stated.is_empty());
    let stated = stated.unwrap_or_else(|| accelerator.to_string());
    let mut text = format!(
        "{}: the build {taken} was taken for {stated}",
        builds.family
    );
    for (label, reason) in builds.refused.iter().rev().take(1) {
        text.push_str("; ");
        text.push_str(label);
        text.push(' ');
        text.push_str(reason);
    }
    text
}
