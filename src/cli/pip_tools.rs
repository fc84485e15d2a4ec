//! pip-tools' settings: `[tool.pip-tools]` of pyproject.toml, or .pip-tools.toml. They are
//! read as words of the command line that stand before the user's own.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::parser::ValueSource;
use clap::{ArgMatches, Args as _, CommandFactory as _, Parser as _};
use toml::Value;

use super::args::{Cli, Command, LockArgs};
use super::error::CliError;
use super::say;

/// The arguments with what pip-tools' settings say where the command line says nothing;
/// `None` where there are no such settings.
///
/// # Errors
///
/// Where a setting is not understood.
pub(crate) fn merged(given: &LockArgs) -> Result<Option<LockArgs>, CliError> {
    if given.resolve.no_config {
        return Ok(None);
    }
    let files = match &given.compat.config {
        Some(file) => vec![file.clone()],
        None => vec![
            PathBuf::from(".pip-tools.toml"),
            PathBuf::from("pyproject.toml"),
        ],
    };
    for file in files {
        let text = match std::fs::read_to_string(&file) {
            Ok(text) => text,
            Err(error) if given.compat.config.is_some() => {
                return Err(
                    CliError::usage(format!("cannot read `{}`: {error}", file.display()))
                        .hint("`--config` names a TOML file"),
                );
            }
            Err(_) => continue,
        };
        let Some(table) = table(&file, &text)? else {
            continue;
        };
        let words: Vec<OsString> = std::env::args_os().collect();
        let args = with(&table, &file, &words)?;
        if !args.resolve.quiet {
            say(&format!(
                "note: `[tool.pip-tools]` of `{}` holds here\n\
                 hint: `[tool.mlresolve]` has settings of the same names; once it is there, \
                 those of pip-tools are not read",
                file.display()
            ));
        }
        return Ok(Some(args));
    }
    Ok(None)
}

/// Whether a file that `--config` names holds pip-tools' settings and no others.
pub(crate) fn is_theirs(file: &Path) -> bool {
    !file.ends_with("pyproject.toml")
        && std::fs::read_to_string(file).is_ok_and(|text| text.contains("[tool.pip-tools"))
}

/// The settings for compiling; `None` where the file has none.
fn table(file: &Path, text: &str) -> Result<Option<toml::Table>, CliError> {
    let Ok(document) = text.parse::<toml::Table>() else {
        // A pyproject.toml that is an input is reported with the place of its fault.
        if file.ends_with("pyproject.toml") {
            return Ok(None);
        }
        return Err(CliError::usage(format!("`{}` is not TOML", file.display()))
            .hint("correct it, or give `--no-config`"));
    };
    let Some(Value::Table(own)) = document.get("tool").and_then(|tool| tool.get("pip-tools"))
    else {
        return Ok(None);
    };
    let mut settings = toml::Table::new();
    let mut take = |table: &toml::Table| {
        for (key, value) in table {
            if key != "compile" && key != "sync" {
                settings.insert(key.replace('_', "-"), value.clone());
            }
        }
    };
    take(own);
    if let Some(Value::Table(compile)) = own.get("compile") {
        take(compile);
    }
    Ok((!settings.is_empty()).then_some(settings))
}

/// The arguments that settings and command line make together.
fn with(settings: &toml::Table, file: &Path, line: &[OsString]) -> Result<LockArgs, CliError> {
    let given = Cli::command()
        .try_get_matches_from(line)
        .map_err(|error| CliError::usage(error.to_string()))?;
    let given = given
        .subcommand_matches("lock")
        .ok_or_else(|| CliError::usage("pip-tools' settings are read for `lock` alone"))?;
    let mut words: Vec<OsString> = vec!["mlresolve".into(), "lock".into()];
    let mut inputs = Vec::new();
    for (key, value) in settings {
        if key == "src-files" {
            if !is_given(given, "inputs") {
                inputs.extend(texts(value).ok_or_else(|| wrong(file, key))?);
            }
            continue;
        }
        words.extend(
            option(key, value, given)
                .ok_or_else(|| wrong(file, key))?
                .into_iter()
                .map(OsString::from),
        );
    }
    // The user's words without `mlresolve` and `lock`.
    let mut seen_lock = false;
    words.extend(
        line.iter()
            .skip(1)
            .filter(|word| {
                let is_lock = !seen_lock && *word == "lock";
                seen_lock |= is_lock;
                !is_lock
            })
            .cloned(),
    );
    if !inputs.is_empty() {
        words.push("--".into());
        words.extend(inputs.into_iter().map(OsString::from));
    }
    let cli = Cli::try_parse_from(words).map_err(|error| {
        let text = error.to_string();
        let first = text.lines().next().unwrap_or_default();
        let first = first.strip_prefix("error: ").unwrap_or(first);
        CliError::usage(format!(
            "`[tool.pip-tools]` of `{}`: {first}",
            file.display()
        ))
        .hint("correct it, or give `--no-config`")
    })?;
    match cli.command {
        Command::Lock(args) => Ok(*args),
        _ => Err(wrong(file, "tool.pip-tools")),
    }
}

fn wrong(file: &Path, key: &str) -> CliError {
    CliError::usage(format!(
        "`{key}` in `[tool.pip-tools]` of `{}` is not understood",
        file.display()
    ))
    .hint("settings have the names of pip-compile's options; `--no-config` reads none")
}

fn is_given(matches: &ArgMatches, id: &str) -> bool {
    matches.value_source(id) == Some(ValueSource::CommandLine)
}

/// The words for one setting; none where the command line says otherwise or it is what
/// holds anyhow, `None` where it is not understood.
fn option(key: &str, value: &Value, given: &ArgMatches) -> Option<Vec<String>> {
    let lock = LockArgs::augment_args(clap::Command::new("lock"));
    let find = |name: &str| {
        lock.get_arguments().find(|argument| {
            argument.get_long() == Some(name)
                || argument
                    .get_all_aliases()
                    .is_some_and(|aliases| aliases.contains(&name))
        })
    };
    let negated = key
        .strip_prefix("no-")
        .map_or_else(|| format!("no-{key}"), ToOwned::to_owned);
    if let Value::Boolean(on) = value {
        let id_given = |name: &str| {
            find(name).is_some_and(|argument| is_given(given, argument.get_id().as_str()))
        };
        if id_given(key) || id_given(&negated) {
            return Some(Vec::new());
        }
        return match (on, key) {
            (true, _) => Some(vec![format!("--{key}")]),
            // pip-compile writes hashes only where it is told to.
            (false, "generate-hashes") if !id_given("no-hashes") => {
                Some(vec!["--no-hashes".to_owned()])
            }
            (false, _) if find(&negated).is_some() => Some(vec![format!("--{negated}")]),
            (false, _) => find(key).map(|_| Vec::new()),
        };
    }
    let argument = find(key)?;
    if is_given(given, argument.get_id().as_str()) {
        return Some(Vec::new());
    }
    let values = texts(value)?;
    Some(
        values
            .into_iter()
            .map(|value| format!("--{key}={value}"))
            .collect(),
    )
}

fn texts(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::String(text) => Some(vec![text.clone()]),
        Value::Integer(number) => Some(vec![number.to_string()]),
        Value::Datetime(date) => Some(vec![date.to_string()]),
        Value::Array(array) => array
            .iter()
            .map(|value| texts(value).filter(|texts| texts.len() == 1))
            .collect::<Option<Vec<_>>>()
            .map(|texts| texts.concat()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str, line: &[&str]) -> Result<LockArgs, CliError> {
        let file = Path::new("pyproject.toml");
        let settings = table(file, text)?.expect("settings");
        let line: Vec<OsString> = ["mlresolve", "lock"]
            .iter()
            .chain(line)
            .map(OsString::from)
            .collect();
        with(&settings, file, &line)
    }

    #[test]
    fn settings_are_words_that_the_command_line_overrides() {
        let text = "[tool.pip-tools]\ngenerate-hashes = false\nstrip_extras = true\n\
                    extra = ['a', 'b']\nindex-url = 'https://i.example/'\nheader = false\n\
                    pre = false\nallow-unsafe = false\n[tool.pip-tools.compile]\n\
                    annotation-style = 'line'\n[tool.pip-tools.sync]\nask = true\n";
        let args = parsed(text, &["--header", "-i", "https://j.example/", "x.in"])
            .expect("it is understood");
        assert!(args.no_hashes && args.strip_extras && !args.no_header);
        assert!(args.compat.no_allow_unsafe && !args.resolve.pre);
        assert_eq!(args.resolve.extra, ["a", "b"]);
        assert_eq!(args.resolve.inputs, ["x.in"]);
        assert_eq!(
            args.resolve.index_url.as_deref(),
            Some("https://j.example/")
        );
        let args = parsed(text, &["--extra", "c"]).expect("understood");
        assert_eq!(args.resolve.extra, ["c"]);
        assert!(args.no_header);
    }

    #[test]
    fn inputs_come_from_settings_where_none_is_given() {
        let text = "[tool.pip-tools]\nsrc-files = ['a.in', 'b.in']\noutput-file = 'c.txt'\n";
        let args = parsed(text, &[]).expect("understood");
        assert_eq!(args.resolve.inputs, ["a.in", "b.in"]);
        assert_eq!(args.output.as_deref(), Some("c.txt"));
        let args = parsed(text, &["d.in"]).expect("understood");
        assert_eq!(args.resolve.inputs, ["d.in"]);
    }

    #[test]
    fn what_is_not_understood_is_told() {
        for text in [
            "[tool.pip-tools]\nhashes = 'maybe'\n",
            "[tool.pip-tools]\nextra = {}\n",
            "[tool.pip-tools]\nunknown = true\n",
            "[tool.pip-tools]\nannotation-style = 'round'\n",
        ] {
            assert!(parsed(text, &[]).is_err(), "{text}");
        }
    }
}
