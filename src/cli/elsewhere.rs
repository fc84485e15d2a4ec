//! Options of other tools that are none here, and what serves instead.

use clap::error::{ContextKind, ContextValue, ErrorKind};

/// Options with what to use instead (`docs/migrate.md`).
const OPTIONS: &[(&[&str], &str)] = &[
    (
        &["--platform"],
        "`--python-platform` names the platform to lock for",
    ),
    (
        &["--implementation", "--abi"],
        "`--python-version` and `--python-platform` name the target, its tags follow from them",
    ),
    (
        &["--universal", "--environment", "--required-environment"],
        "a lock is for one target; a table of outputs with `target` in the settings makes one for \
         each (docs/ci.md)",
    ),
    (
        &["--resolution"],
        "the newest releases that fit are taken; lower ones can be held with `-c FILE`",
    ),
    (
        &["--prerelease", "--pre-release", "--allow-prereleases"],
        "`--pre` takes pre-releases; a requirement that names one takes those of its distribution",
    ),
    (
        &["--no-emit-package"],
        "`--unsafe-package NAME --no-allow-unsafe` names a package in a comment",
    ),
    (
        &["--format"],
        "the output's name tells its format: `-o pylock.toml`, `-o requirements.txt`",
    ),
    (
        &["--system"],
        "`--python PATH` locks for an interpreter; nothing is installed",
    ),
    (
        &["--no-sources", "--no-sources-package"],
        "`[tool.uv.sources]` is never read",
    ),
    (
        &["--upgrade-group"],
        "`-P NAME` upgrades a package, `-U` all of them",
    ),
    (
        &["--dev", "--without", "--only", "--with"],
        "`--group NAME` adds a dependency group, `--extra NAME` an extra",
    ),
];

/// A mistake on the command line, with a hint where another tool has the option.
pub(super) fn explained(mut error: clap::Error) -> (clap::Error, Option<&'static str>) {
    if error.kind() != ErrorKind::UnknownArgument {
        return (error, None);
    }
    let hint = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(given)) => {
            let name = given.split('=').next().unwrap_or_default();
            let mut known = OPTIONS.iter();
            known.find(|(names, _)| names.contains(&name))
        }
        _ => None,
    };
    let Some((_, hint)) = hint else {
        return (error, None);
    };
    // What is spelled like it is not what was meant.
    error.remove(ContextKind::SuggestedArg);
    error.remove(ContextKind::Suggested);
    error.remove(ContextKind::Usage);
    (error, Some(hint))
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, Parser as _};

    use super::super::args::Cli;
    use super::{OPTIONS, explained};

    #[test]
    fn what_serves_instead_is_told() {
        let error = Cli::try_parse_from(["mlresolve", "lock", "a.in", "--universal"]);
        let (error, hint) = explained(error.expect_err("there is no such option"));
        assert!(!error.to_string().contains("--driver"), "{error}");
        assert!(hint.is_some_and(|hint| hint.contains("table of outputs")));
        let error = Cli::try_parse_from(["mlresolve", "lock", "a.in", "--upgrad"]);
        let (error, hint) = explained(error.expect_err("there is no such option"));
        assert!(error.to_string().contains("--upgrade"), "{error}");
        assert_eq!(hint, None);
    }

    #[test]
    fn no_option_of_lock_is_told_to_be_none() {
        let command = Cli::command();
        let lock = command.find_subcommand("lock").expect("it is a command");
        let own: Vec<&str> = lock
            .get_arguments()
            .filter_map(clap::Arg::get_long)
            .collect();
        assert!(own.contains(&"upgrade"));
        for (names, _) in OPTIONS {
            for name in *names {
                assert!(!own.contains(&name.trim_start_matches('-')), "{name}");
            }
        }
    }
}
