//! pip-compile's flags: taken with their meaning, or refused by name with what to use
//! instead. None is ignored in silence.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::str::FromStr as _;

use clap::{Args, ValueEnum};
use pep508_rs::PackageName;

use super::args::LockArgs;
use super::error::CliError;
use super::{pip_words, say};
use crate::lock::{Emit, Newline, UnsafePackages};

/// How the lines of a lock end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum LineEnds {
    /// `\n`
    Lf,
    /// `\r\n`
    Crlf,
    /// As this system has them
    Native,
    /// As in the lock that is there, else in the input, else as this system has them
    #[default]
    Preserve,
}

/// pip-compile's resolvers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Resolver {
    /// What is meant today
    Backtracking,
    /// pip's before 20.3
    Legacy,
}

// Options that pip-compile has and `lock` takes for its sake.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the command line"
)]
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct CompatArgs {
    /// Write the header (the default)
    #[arg(long, overrides_with = "no_header", hide = true)]
    header: bool,
    /// Write `# via` annotations (the default)
    #[arg(long, overrides_with = "no_annotate", hide = true)]
    annotate: bool,
    /// Name unsafe packages in comments instead of pinning them, as pip-compile does by itself
    #[arg(long, overrides_with = "allow_unsafe", help_heading = "Output")]
    pub(crate) no_allow_unsafe: bool,
    /// The packages held unsafe, in place of distribute, pip and setuptools
    #[arg(long, value_name = "NAME", help_heading = "Output")]
    pub(crate) unsafe_package: Vec<String>,
    /// Keep extras on pinned names (the default)
    #[arg(long, overrides_with = "strip_extras", hide = true)]
    no_strip_extras: bool,
    /// Write index lines (the default)
    #[arg(long, overrides_with = "no_emit_index_url", hide = true)]
    emit_index_url: bool,
    /// Write `--find-links` lines (the default)
    #[arg(long, overrides_with = "no_emit_find_links", hide = true)]
    emit_find_links: bool,
    /// Write no `--find-links` lines
    #[arg(long, help_heading = "Output")]
    pub(crate) no_emit_find_links: bool,
    /// Write `--trusted-host` lines (the default)
    #[arg(long, overrides_with = "no_emit_trusted_host", hide = true)]
    emit_trusted_host: bool,
    /// Write no `--trusted-host` lines
    #[arg(long, help_heading = "Output")]
    pub(crate) no_emit_trusted_host: bool,
    /// Write option lines (the default)
    #[arg(long, overrides_with = "no_emit_options", hide = true)]
    emit_options: bool,
    /// Write no option lines at all
    #[arg(long, help_heading = "Output")]
    pub(crate) no_emit_options: bool,
    /// How lines end
    #[arg(long, value_enum, value_name = "STYLE", help_heading = "Output")]
    pub(crate) newline: Option<LineEnds>,
    /// Keep the recorded hashes of pins that stay (the default)
    #[arg(long, overrides_with = "no_reuse_hashes", hide = true)]
    reuse_hashes: bool,
    /// List the hashes of all pins anew
    #[arg(long, help_heading = "Choice")]
    pub(crate) no_reuse_hashes: bool,
    /// Keep the pins of the existing lock (the default)
    #[arg(long, overrides_with = "upgrade", hide = true)]
    no_upgrade: bool,
    /// Ask again for all that the cache holds; the same as `--refresh`
    #[arg(short, long, hide = true)]
    pub(crate) rebuild: bool,
    /// Build in environments of their own (the default, and the only way)
    #[arg(long, hide = true)]
    build_isolation: bool,
    #[arg(long, hide = true)]
    no_build_isolation: bool,
    /// Options of pip's: those about indexes, files and pre-releases are taken
    #[arg(
        long,
        value_name = "WORDS",
        allow_hyphen_values = true,
        help_heading = "Index"
    )]
    pub(crate) pip_args: Option<String>,
    #[arg(long, hide = true)]
    client_cert: Option<PathBuf>,
    #[arg(long, hide = true)]
    max_rounds: Option<u64>,
    #[arg(long, value_enum, hide = true)]
    resolver: Option<Resolver>,
    #[arg(long, hide = true)]
    build_deps_for: Vec<String>,
    #[arg(long, hide = true)]
    all_build_deps: bool,
    #[arg(long, hide = true)]
    only_build_deps: bool,
    /// Read settings from this file: mlresolve's, or pip-tools'
    #[arg(
        long,
        value_name = "FILE",
        overrides_with = "no_config",
        help_heading = "Input"
    )]
    pub(crate) config: Option<PathBuf>,
    /// Colour messages
    #[arg(long, overrides_with = "no_color", hide = true)]
    color: bool,
    /// Do not colour messages
    #[arg(long, help_heading = "Output")]
    no_color: bool,
}

/// The arguments with pip-compile's words turned into ours.
///
/// # Errors
///
/// Where a word cannot be meant here.
pub(crate) fn settled(given: &LockArgs) -> Result<LockArgs, CliError> {
    refuse(&given.compat)?;
    let mut args = given.clone();
    let compat = &given.compat;
    if compat.color || compat.no_color {
        let colored = compat.color;
        // It fails only where a handler is there already, which then keeps its colours.
        let _ = miette::set_hook(Box::new(move |_| {
            Box::new(miette::MietteHandlerOpts::new().color(colored).build())
        }));
    }
    if compat.max_rounds.is_some() && !args.resolve.quiet {
        say("note: `--max-rounds` bounds nothing here: there is one round; leave it out");
    }
    args.resolve.refresh |= compat.rebuild;
    if let Some(words) = &compat.pip_args {
        pip_words::take(words, &mut args.resolve)?;
    }
    Ok(args)
}

/// Refuses what cannot be done, by name.
fn refuse(compat: &CompatArgs) -> Result<(), CliError> {
    let no = |message: &str, hint: &str| Err(CliError::usage(message).hint(hint));
    if compat.resolver == Some(Resolver::Legacy) {
        return no(
            "`--resolver legacy` is not taken: there is one resolver, and it is complete",
            "leave `--resolver` out",
        );
    }
    if compat.no_build_isolation {
        return no(
            "`--no-build-isolation` is not taken: a build runs in an environment of its own",
            "leave it out; `--no-build` runs no build at all",
        );
    }
    if compat.client_cert.is_some() {
        return no(
            "`--client-cert` is not taken: client certificates are not supported",
            "ask a proxy that presents the certificate, and name it with `--index-url`",
        );
    }
    if !compat.build_deps_for.is_empty() || compat.all_build_deps || compat.only_build_deps {
        return no(
            "`--build-deps-for`, `--all-build-deps` and `--only-build-deps` are not taken: what \
             a build needs is not part of what is installed",
            "copy `build-system.requires` into an input of its own, such as build.in, and lock that",
        );
    }
    Ok(())
}

/// Which option lines a lock repeats.
pub(crate) fn emitted(args: &LockArgs) -> BTreeSet<Emit> {
    let compat = &args.compat;
    if compat.no_emit_options {
        return BTreeSet::new();
    }
    let wanted = [
        (Emit::Indexes, !args.no_emit_index_url),
        (Emit::FindLinks, !compat.no_emit_find_links),
        (Emit::TrustedHosts, !compat.no_emit_trusted_host),
        (Emit::FormatControl, true),
    ];
    wanted
        .into_iter()
        .filter_map(|(emit, wanted)| wanted.then_some(emit))
        .collect()
}

/// What becomes of packages that are held unsafe to pin. They are pinned unless
/// `--no-allow-unsafe` is given: a lock holds all that its packages require.
pub(crate) fn unsafe_packages(args: &LockArgs) -> Result<UnsafePackages, CliError> {
    let names = if args.compat.unsafe_package.is_empty() {
        UnsafePackages::known()
    } else {
        args.compat
            .unsafe_package
            .iter()
            .map(|text| {
                PackageName::from_str(text.trim()).map_err(|_| {
                    CliError::usage(format!(
                        "`--unsafe-package {text}` is no name of a distribution"
                    ))
                    .hint("names have letters, digits, `-`, `_` and `.`")
                })
            })
            .collect::<Result<_, _>>()?
    };
    Ok(if args.compat.no_allow_unsafe {
        UnsafePackages::Commented(names)
    } else {
        UnsafePackages::Pinned(names)
    })
}

/// How the lock's lines end.
pub(crate) fn newline(args: &LockArgs, known: Option<&str>, inputs: &[String]) -> Newline {
    let native = if cfg!(windows) {
        Newline::CrLf
    } else {
        Newline::Lf
    };
    match args.compat.newline.unwrap_or_default() {
        LineEnds::Lf => Newline::Lf,
        LineEnds::Crlf => Newline::CrLf,
        LineEnds::Native => native,
        LineEnds::Preserve => known
            .and_then(first_end)
            .or_else(|| {
                inputs
                    .iter()
                    .filter_map(|input| std::fs::read_to_string(input).ok())
                    .find_map(|text| first_end(&text))
            })
            .unwrap_or(native),
    }
}

/// How the first line of a text ends; `None` where it has no end.
fn first_end(text: &str) -> Option<Newline> {
    let (line, _) = text.split_once('\n')?;
    Some(if line.ends_with('\r') {
        Newline::CrLf
    } else {
        Newline::Lf
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_ends_are_kept() {
        for (text, expected) in [
            ("", None),
            ("six", None),
            ("six\n", Some(Newline::Lf)),
            ("six\r\nx\n", Some(Newline::CrLf)),
        ] {
            assert_eq!(first_end(text), expected, "{text:?}");
        }
    }
}
