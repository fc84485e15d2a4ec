//! Writing a requirements file.
//!
//! The layout is pip-compile's (pip-tools 7.6), compared byte for byte; its messages in
//! comments are repeated to the letter, since people and bots look for them.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::{header, line};
use crate::lock::render::{Annotations, Emit, RenderOptions, UnsafePackages};
use crate::lock::{Lock, LockedPackage, Via};

const UNHASHED: &str = "\
# WARNING: pip install will require the following package to be hashed.
# Consider using a hashable URL like https://github.com/jazzband/pip-tools/archive/SOMECOMMIT.zip
";
const UNSAFE: &str =
    "# The following packages are considered to be unsafe in a requirements file:\n";
const UNSAFE_UNPINNED: &str = "\
# WARNING: The following packages were not pinned, but pip requires them to be
# pinned when the requirements file includes hashes and the requirement is not
# satisfied by a package already installed. Consider using the --allow-unsafe flag.
";
/// How long a line with a hash is, as a rule.
const HASH_LINE: usize = 86;

/// The column where pip-compile's annotations of one line begin, where they can.
const ANNOTATION_COLUMN: usize = 24;

/// The lock as a requirements file, with `\n` at the ends of lines.
pub(in crate::lock) fn write(lock: &Lock, options: &RenderOptions) -> String {
    let lines = lock.packages.iter().map(|package| package.hashes.len());
    let mut text = String::with_capacity(lines.sum::<usize>().saturating_mul(HASH_LINE));
    header::write(lock, options.header, &mut text);
    write_options(lock, &options.emit, &mut text);

    let mut packages: Vec<&LockedPackage> = lock.packages.iter().collect();
    packages.sort_by_key(|package| (!package.source.editable(), &package.name));
    let (apart, packages): (Vec<_>, Vec<_>) = packages
        .into_iter()
        .partition(|package| options.unsafe_packages.contains(&package.name));
    let pin_unsafe = matches!(options.unsafe_packages, UnsafePackages::Pinned(_));
    let hashed = options.hashes
        && packages
            .iter()
            .chain(apart.iter().filter(|_| pin_unsafe))
            .any(|package| !package.hashes.is_empty());

    for package in packages {
        if hashed && package.hashes.is_empty() {
            text.push_str(UNHASHED);
        }
        write_package(package, options, &mut text);
    }
    if !apart.is_empty() {
        text.push('\n');
        text.push_str(if hashed && !pin_unsafe {
            UNSAFE_UNPINNED
        } else {
            UNSAFE
        });
        for package in apart {
            if pin_unsafe {
                write_package(package, options, &mut text);
            } else {
                let _ = writeln!(text, "# {}", package.name);
            }
        }
    }
    if text.is_empty() {
        text.push('\n');
    }
    text
}

fn write_options(lock: &Lock, emit: &BTreeSet<Emit>, text: &mut String) {
    let options = &lock.options;
    let mut lines: Vec<(&str, &str)> = Vec::new();
    if emit.contains(&Emit::Indexes) {
        lines.extend(options.index_url.iter().map(|url| ("--index-url", &**url)));
        lines.extend(
            options
                .extra_index_urls
                .iter()
                .map(|url| ("--extra-index-url", &**url)),
        );
    }
    if emit.contains(&Emit::FindLinks) {
        lines.extend(
            options
                .find_links
                .iter()
                .map(|url| ("--find-links", &**url)),
        );
    }
    if emit.contains(&Emit::TrustedHosts) {
        lines.extend(
            options
                .trusted_hosts
                .iter()
                .map(|host| ("--trusted-host", &**host)),
        );
    }
    if emit.contains(&Emit::FormatControl) {
        // Names take precedence over `:all:` only when they come after it.
        let controls = [
            ("--no-binary", &options.no_binary),
            ("--only-binary", &options.only_binary),
        ];
        for all in [true, false] {
            for (option, names) in controls {
                lines.extend(
                    names
                        .iter()
                        .filter(|name| (*name == ":all:") == all)
                        .map(|name| (option, &**name)),
                );
            }
        }
    }
    for (option, value) in &lines {
        let value = value.replace(line::ends_line, " ");
        let _ = writeln!(text, "{option} {value}");
    }
    if !lines.is_empty() {
        text.push('\n');
    }
}

fn write_package(package: &LockedPackage, options: &RenderOptions, text: &mut String) {
    let mut entry = line::write(package, options.strip_extras);
    let hashed = options.hashes && !package.hashes.is_empty();
    if hashed {
        entry.reserve(package.hashes.len() * HASH_LINE);
        for hash in &package.hashes {
            entry.push_str(" \\\n    --hash=");
            hash.push_to(&mut entry);
        }
    }
    let sources = sources(package);
    match options.annotations {
        Annotations::None => {}
        _ if sources.is_empty() => {}
        Annotations::Line => {
            let joined: Vec<String> = sources.into_iter().map(|(text, _)| text).collect();
            let joined = joined.join(", ");
            if hashed {
                let _ = write!(entry, "\n    # via {joined}");
            } else {
                entry = format!("{entry:ANNOTATION_COLUMN$}  # via {joined}");
            }
        }
        Annotations::Split => annotate(&sources, &mut entry),
    }
    text.push_str(&entry);
    text.push('\n');
}

/// The annotation of several lines. The rules come last, in lines of their own, so that
/// the lines above are what pip-compile writes.
fn annotate(sources: &[(String, bool)], entry: &mut String) {
    let askers = sources.iter().filter(|(_, is_rule)| !is_rule).count();
    let mut rest = sources;
    if askers == 1 || sources.len() == 1 {
        if let Some(((only, _), others)) = sources.split_first() {
            let _ = write!(entry, "\n    # via {only}");
            rest = others;
        }
    } else {
        entry.push_str("\n    # via");
    }
    for (source, _) in rest {
        let _ = write!(entry, "\n    #   {source}");
    }
}

/// Who asked, in pip-compile's order, then the rules; and whether it is a rule.
fn sources(package: &LockedPackage) -> Vec<(String, bool)> {
    let sources: BTreeSet<(bool, String)> = package
        .via
        .iter()
        .map(|via| {
            let text = via.to_string().replace(line::ends_line, " ");
            (matches!(via, Via::Rule(_)), text)
        })
        .collect();
    sources
        .into_iter()
        .map(|(is_rule, text)| (text, is_rule))
        .collect()
}
