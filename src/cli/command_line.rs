//! Words of the command line: `-P`, and the command that a lock's header repeats.

use std::str::FromStr as _;

use pep508_rs::PackageName;

use super::args::{Annotations, IndexStrategy, LockArgs};
use super::compat::LineEnds;
use super::error::CliError;
use super::when;
use crate::lock::{Lock, Via};
use crate::metadata::{Dependency, DependencySource};
use crate::request::{Line, LineSource, Place};

/// Where a line stands that `-P` gives.
const UPGRADE: &str = "-P on the command line";

/// Takes this run's `-P` out of the annotations: the next run gives the same lock without it.
pub(crate) fn forget_upgrades(lock: &mut Lock) {
    let upgrade = Via::Constraint(UPGRADE.to_owned());
    for package in &mut lock.packages {
        package.via.remove(&upgrade);
    }
}

/// `-P numpy` frees a pin; `-P 'numpy<2'` frees it and says where it must be.
pub(crate) fn upgrade(text: &str) -> Result<(PackageName, Option<Line>), CliError> {
    if let Ok(name) = PackageName::from_str(text.trim()) {
        return Ok((name, None));
    }
    let wrong = |detail: String| {
        CliError::usage(format!("`-P {text}` is not understood: {detail}"))
            .hint("write `-P numpy` or `-P 'numpy<2'`")
    };
    let (dependency, _) = Dependency::parse(text).map_err(wrong)?;
    let DependencySource::Specifiers(specifiers) = dependency.source else {
        return Err(wrong("a direct reference cannot be upgraded to".to_owned()));
    };
    let line = Line {
        name: dependency.name.clone(),
        extras: Vec::new(),
        source: LineSource::Specifiers(specifiers),
        marker: dependency.marker,
        text: text.trim().to_owned(),
        hashes: Vec::new(),
        place: Place {
            file: UPGRADE.into(),
            line: 1,
            column: 1,
        },
    };
    Ok((dependency.name, Some(line)))
}

/// The command that makes the lock again: what is asked, not how it was asked this once.
pub(crate) fn command(args: &LockArgs, inputs: &[String]) -> String {
    if let Ok(custom) = std::env::var("CUSTOM_COMPILE_COMMAND") {
        return custom;
    }
    let resolve = &args.resolve;
    let mut words: Vec<String> = Vec::new();
    let mut flag = |name: &str, given: bool| {
        if given {
            words.push(format!("--{name}"));
        }
    };
    flag("all-extras", resolve.all_extras);
    flag("no-allow-unsafe", args.compat.no_allow_unsafe);
    flag("no-annotate", args.no_annotate);
    flag("no-build", resolve.no_build);
    flag("no-config", resolve.no_config);
    flag("no-emit-find-links", args.compat.no_emit_find_links);
    flag("no-emit-index-url", args.no_emit_index_url);
    flag("no-emit-options", args.compat.no_emit_options);
    flag("no-emit-trusted-host", args.compat.no_emit_trusted_host);
    flag("no-hashes", args.no_hashes);
    flag("no-header", args.no_header);
    flag("no-index", resolve.no_index);
    flag("pre", resolve.pre);
    flag("strip-extras", args.strip_extras);
    flag("wheel-variants", resolve.wheel_variants == Some(true));
    flag(
        "wheel-variants=false",
        resolve.wheel_variants == Some(false),
    );
    let mut value = |name: &str, values: &[String]| {
        for value in values {
            words.push(format!("--{name}={}", quoted(&redacted(value))));
        }
    };
    let one = |option: &Option<String>| option.iter().cloned().collect::<Vec<_>>();
    value("allow-change", &resolve.allow_change);
    value("base", &one(&resolve.base));
    value("build", &one(&resolve.build));
    let unless = |option: &Option<String>, word: &str| -> Vec<String> {
        option.iter().filter(|it| *it != word).cloned().collect()
    };
    // What `auto` read is recorded with the target, and holds for the next run.
    value("cuda", &unless(&resolve.cuda, "auto"));
    value("torch-backend", &unless(&resolve.torch_backend, "auto"));
    value("driver", &one(&resolve.driver));
    value("gpu", &resolve.gpu);
    value("variant-property", &resolve.variant_property);
    let mirrors: Vec<String> = resolve
        .mirror
        .iter()
        .filter_map(|text| text.split_once("=http"))
        .map(|(from, to)| format!("{from}={}", redacted(&format!("http{to}"))))
        .collect();
    value("mirror", &mirrors);
    let config = args.compat.config.as_ref();
    value(
        "config",
        &one(&config.map(|file| file.display().to_string())),
    );
    value("constraint", &resolve.constraint);
    // What lifts the cut-off of the lock that was there is said once.
    value(
        "exclude-newer",
        &unless(&resolve.exclude_newer, when::NO_CUTOFF),
    );
    value("exclude-newer-index", &resolve.exclude_newer_index);
    value("extra", &resolve.extra);
    value("extra-index-url", &resolve.extra_index_url);
    value("find-links", &resolve.find_links);
    value("group", &resolve.group);
    value("ignore-rule", &resolve.ignore_rule);
    value("index-url", &one(&resolve.index_url));
    for (name, word) in words_of_choices(args) {
        value(name, &[word.to_owned()]);
    }
    value("no-binary", &resolve.no_binary);
    value("only-binary", &resolve.only_binary);
    value("output-file", &one(&args.output));
    value("override", &resolve.overrides);
    value(
        "pip-args",
        &one(&args.compat.pip_args.as_deref().map(without_secrets)),
    );
    value("provider", &resolve.provider);
    value("python-platform", &one(&resolve.python_platform));
    value("python-version", &one(&resolve.python_version));
    let rules: Vec<String> = resolve
        .rules
        .iter()
        .map(|folder| folder.display().to_string())
        .collect();
    value("rules", &rules);
    value("target", &args.target);
    value("trusted-host", &resolve.trusted_host);
    value("unsafe-package", &args.compat.unsafe_package);
    words.sort();
    words.extend(inputs.iter().map(|input| quoted(input)));
    words.insert(0, "mlresolve lock".to_owned());
    words.join(" ")
}

/// The options with words to choose from, where they are not what holds anyhow.
fn words_of_choices(args: &LockArgs) -> Vec<(&'static str, &'static str)> {
    let mut words = Vec::new();
    if args.annotation_style == Some(Annotations::Line) {
        words.push(("annotation-style", "line"));
    }
    if args.resolve.index_strategy == Some(IndexStrategy::UnsafeBestMatch) {
        words.push(("index-strategy", "unsafe-best-match"));
    }
    match args.compat.newline {
        Some(LineEnds::Lf) => words.push(("newline", "lf")),
        Some(LineEnds::Crlf) => words.push(("newline", "crlf")),
        Some(LineEnds::Native) => words.push(("newline", "native")),
        Some(LineEnds::Preserve) | None => {}
    }
    words
}

/// The words of `--pip-args`, each without its credentials.
fn without_secrets(text: &str) -> String {
    let words = super::pip_words::split(text).unwrap_or_default();
    let clean: Vec<String> = words
        .iter()
        .map(|word| match word.split_once('=') {
            Some((option, value)) if option.starts_with("--") => {
                quoted(&format!("{option}={}", redacted(value)))
            }
            _ => quoted(&redacted(word)),
        })
        .collect();
    clean.join(" ")
}

/// A URL without its credentials.
fn redacted(value: &str) -> String {
    match url::Url::parse(value) {
        Ok(mut url) if !url.username().is_empty() || url.password().is_some() => {
            // Both fail only for URLs that cannot have credentials, which have none.
            let _ = url.set_username("");
            let _ = url.set_password(None);
            url.to_string()
        }
        _ => value.to_owned(),
    }
}

/// A word as a POSIX shell takes it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@+%[]".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}
