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
        &["--prefer-binary"],
        "a release with a wheel for the target always comes before one that must be built; \
         `--only-binary :all:` takes no others",
    ),
    (
        &["--no-deps"],
        "a lock has all that its packages require; `pip install --no-deps -r requirements.txt` \
         installs it as it is",
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

/// Commands of other tools, with what to use instead.
const COMMANDS: &[(&[&str], &str)] = &[
    (
        &["compile", "pip-compile", "resolve", "pip"],
        "`mlresolve lock requirements.in` does what `pip-compile` and `uv pip compile` do \
         (docs/migrate.md)",
    ),
    (
        &["install", "sync", "run"],
        "`mlresolve` installs nothing: lock with `mlresolve lock`, install with `pip install -r \
         requirements.txt` or `uv pip sync`",
    ),
    (
        &["add", "remove", "upgrade", "update"],
        "write the requirement into its file, then run `mlresolve lock`; `-P NAME` upgrades one \
         package, `-U` all",
    ),
    (&["tree"], "`mlresolve graph` draws who needs whom"),
    (
        &["audit", "verify"],
        "`mlresolve check` judges files and environments",
    ),
];

/// A mistake on the command line, with a hint where another tool has the option or command.
pub(super) fn explained(mut error: clap::Error) -> (clap::Error, Option<&'static str>) {
    let (table, kind) = match error.kind() {
        ErrorKind::UnknownArgument => (OPTIONS, ContextKind::InvalidArg),
        ErrorKind::InvalidSubcommand => (COMMANDS, ContextKind::InvalidSubcommand),
        _ => return (error, None),
    };
    let hint = match error.get(kind) {
        Some(ContextValue::String(given)) => {
            let name = given.split('=').next().unwrap_or_default();
            let mut known = table.iter();
            known.find(|(names, _)| names.contains(&name))
        }
        _ => None,
    };
    let Some((_, hint)) = hint else {
        return (error, None);
    };
    // What is spelled like it is not what was meant.
    error.remove(ContextKind::SuggestedArg);
    error.remove(ContextKind::SuggestedSubcommand);
    error.remove(ContextKind::Suggested);
    error.remove(ContextKind::Usage);
    (error, Some(hint))
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, Parser as _};

    use super::super::args::Cli;
    use super::{COMMANDS, OPTIONS, explained};

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
        for (words, other, told) in [
            (["lock", "--prefer-binary"], "--pre'", "--only-binary"),
            (["lock", "--no-deps"], "--no-index", "pip install --no-deps"),
            (["compile", "a.in"], "completions", "mlresolve lock"),
        ] {
            let error = Cli::try_parse_from(["mlresolve"].into_iter().chain(words));
            let (error, hint) = explained(error.expect_err("it is another tool's"));
            assert!(!error.to_string().contains(other), "{error}");
            assert!(hint.is_some_and(|hint| hint.contains(told)), "{words:?}");
        }
        let error = Cli::try_parse_from(["mlresolve", "lok"]);
        let (error, hint) = explained(error.expect_err("there is no such command"));
        assert!(error.to_string().contains("'lock'"), "{error}");
        assert_eq!(hint, None);
    }

    #[test]
    fn no_command_is_told_to_be_none() {
        let command = Cli::command();
        for (names, _) in COMMANDS {
            for name in *names {
                assert!(command.find_subcommand(name).is_none(), "{name}");
            }
        }
    }

    #[test]
    fn no_option_of_lock_is_told_to_be_none() {
        let mut command = Cli::command();
        command.build();
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
