//! `[tool.mlresolve]` and mlresolve.toml: what the command line leaves open.

use std::path::{Path, PathBuf};

use super::accelerator;
use super::args::{Annotations, IndexStrategy, LockArgs, ResolveArgs};
use super::error::{CliError, Exit};
use super::files::Files;
use crate::request::{AnnotationStyle, IndexStrategy as SettingsStrategy, Located, Settings};

/// The settings of the folder that the program runs in.
///
/// `file` is read in their place where one is named.
pub(crate) fn settings(
    args: &ResolveArgs,
    file: Option<&Path>,
) -> Result<Option<Settings>, CliError> {
    if args.no_config {
        return Ok(None);
    }
    let files = Files::new(&|_| Err("settings are read from the disk only".to_owned()));
    let found = match file {
        // A file of pip-tools' is read where its settings are.
        Some(file) if super::pip_tools::is_theirs(file) => Ok(None),
        Some(file) => Settings::read(&file.to_string_lossy(), &files),
        None => Settings::find(".", &files),
    };
    found.map_err(|error| CliError::diagnostic(Exit::Usage, error))
}

fn values(list: &[Located<String>]) -> Vec<String> {
    list.iter().map(|located| located.value.clone()).collect()
}

fn text(option: Option<&Located<String>>) -> Option<String> {
    option.map(|located| located.value.clone())
}

fn on(flag: &mut bool, setting: Option<&Located<bool>>) {
    *flag = *flag || setting.is_some_and(|located| located.value);
}

fn fill(list: &mut Vec<String>, setting: &[Located<String>]) {
    if list.is_empty() {
        *list = values(setting);
    }
}

/// The arguments, with what the settings say where the command line says nothing.
pub(crate) fn resolve(args: &ResolveArgs, settings: &Settings) -> ResolveArgs {
    let mut args = args.clone();
    let or = |known: &mut Option<String>, setting: Option<&Located<String>>| {
        if known.is_none() {
            *known = text(setting);
        }
    };
    let target_is_named =
        args.python_version.is_some() || args.python_platform.is_some() || args.python.is_some();
    if !target_is_named {
        or(
            &mut args.python_version,
            settings.target.python_version.as_ref(),
        );
        or(
            &mut args.python_platform,
            settings.target.python_platform.as_ref(),
        );
    }
    if accelerator::Asked::of(&args) == accelerator::Asked::default() {
        or(&mut args.cuda, settings.target.cuda.as_ref());
        or(
            &mut args.torch_backend,
            settings.target.torch_backend.as_ref(),
        );
        or(&mut args.driver, settings.target.driver.as_ref());
        fill(&mut args.gpu, &settings.target.gpu);
    }
    or(&mut args.exclude_newer, settings.exclude_newer.as_ref());
    or(&mut args.index_url, settings.index_url.as_ref());
    fill(&mut args.exclude_newer_index, &settings.exclude_newer_index);
    fill(&mut args.extra_index_url, &settings.extra_index_url);
    indexes(&mut args, settings);
    variants(&mut args, settings);
    fill(&mut args.mirror, &settings.mirror);
    fill(&mut args.find_links, &settings.find_links);
    fill(&mut args.no_binary, &settings.no_binary);
    fill(&mut args.only_binary, &settings.only_binary);
    fill(&mut args.constraint, &settings.constraint);
    fill(&mut args.overrides, &settings.overrides);
    fill(&mut args.group, &settings.group);
    on(&mut args.no_index, settings.no_index.as_ref());
    on(&mut args.pre, settings.pre.as_ref());
    on(&mut args.all_extras, settings.all_extras.as_ref());
    if args.build.is_none() {
        on(&mut args.no_build, settings.no_build.as_ref());
    }
    if args.build.is_none() && !args.no_build {
        args.build = settings.build.first().map(|located| located.value.clone());
    }
    if args.extra.is_empty() {
        args.extra = settings
            .extra
            .iter()
            .map(|located| located.value.to_string())
            .collect();
    }
    if args.provider.is_empty() {
        args.provider = settings
            .provider
            .iter()
            .map(|(slot, located)| format!("{slot}={}", located.value))
            .collect();
    }
    if args.index_strategy.is_none() {
        args.index_strategy = settings
            .index_strategy
            .as_ref()
            .map(|located| match located.value {
                SettingsStrategy::FirstIndex => IndexStrategy::FirstIndex,
                SettingsStrategy::UnsafeBestMatch => IndexStrategy::UnsafeBestMatch,
            });
    }
    if args.cache_dir.is_none() {
        args.cache_dir = text(settings.cache_dir.as_ref()).map(PathBuf::from);
    }
    if args.snapshot.is_empty() {
        args.snapshot = text(settings.snapshot.as_ref())
            .map(PathBuf::from)
            .into_iter()
            .collect();
    }
    args.rules_in_settings = values(&settings.rules)
        .into_iter()
        .map(PathBuf::from)
        .collect();
    args
}

/// The indexes with names, and what comes from one alone.
fn indexes(args: &mut ResolveArgs, settings: &Settings) {
    // Those that are not explicit are further indexes, after those that are named as such.
    for index in settings.index.iter().filter(|index| !index.explicit) {
        if !args.extra_index_url.contains(&index.url.value) {
            args.extra_index_url.push(index.url.value.clone());
        }
    }
    args.named_indexes = settings
        .index
        .iter()
        .map(|index| (index.name.value.clone(), index.url.value.clone()))
        .collect();
    args.sources = settings
        .sources
        .iter()
        .map(|(name, located)| (name.clone(), located.value.clone()))
        .collect();
}

fn variants(args: &mut ResolveArgs, settings: &Settings) {
    fill(
        &mut args.variant_property,
        &settings.target.variant_property,
    );
    if args.wheel_variants.is_none() {
        args.wheel_variants = settings.wheel_variants.as_ref().map(|on| on.value);
    }
}

/// As [`resolve`], for the arguments that only `lock` has.
pub(crate) fn lock(args: &LockArgs, settings: &Settings) -> LockArgs {
    let mut args = args.clone();
    args.resolve = resolve(&args.resolve, settings);
    if !args.generate_hashes {
        on(&mut args.no_hashes, settings.no_hashes.as_ref());
    }
    on(&mut args.no_annotate, settings.no_annotate.as_ref());
    on(&mut args.no_header, settings.no_header.as_ref());
    if args.annotation_style.is_none() {
        args.annotation_style =
            settings
                .annotation_style
                .as_ref()
                .map(|located| match located.value {
                    AnnotationStyle::Split => Annotations::Split,
                    AnnotationStyle::Line => Annotations::Line,
                });
    }
    args
}
