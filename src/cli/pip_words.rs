//! `--pip-args`: the words of pip's command line that concern what is locked.

use super::args::ResolveArgs;
use super::error::CliError;
use super::say;

/// What becomes of an option of pip's.
enum Fate {
    /// A value is taken.
    Value(fn(&mut ResolveArgs, String)),
    /// It is switched on.
    Switch(fn(&mut ResolveArgs)),
    /// It has no bearing on a lock; whether a value follows.
    Idle(bool),
    /// It is refused, with what to use instead.
    Refused(&'static str),
}

/// Takes the options of `--pip-args`.
///
/// # Errors
///
/// Where a word is not known, or cannot be meant here.
pub(crate) fn take(text: &str, args: &mut ResolveArgs) -> Result<(), CliError> {
    let mut words = split(text)
        .map_err(|detail| {
            CliError::usage(format!("`--pip-args` is not understood: {detail}"))
                .hint("quote it as a shell would: `--pip-args='--find-links \"a folder\"'`")
        })?
        .into_iter();
    while let Some(word) = words.next() {
        let (name, mut value) = match word.split_once('=') {
            Some((name, value)) if name.starts_with("--") => {
                (name.to_owned(), Some(value.to_owned()))
            }
            _ => (word.clone(), None),
        };
        let fate = fate(&name).ok_or_else(|| {
            CliError::usage(format!("`--pip-args` has `{word}`, which is not taken"))
                .hint("`mlresolve lock --help` lists what can be said instead")
        })?;
        if value.is_none() && matches!(fate, Fate::Value(_) | Fate::Idle(true)) {
            value = Some(words.next().ok_or_else(|| {
                CliError::usage(format!("`{name}` in `--pip-args` needs a value"))
                    .hint(format!("write `--pip-args='{name} VALUE'`"))
            })?);
        }
        match fate {
            Fate::Value(set) => set(args, value.unwrap_or_default()),
            Fate::Switch(set) => set(args),
            Fate::Idle(_) => {
                if !args.quiet {
                    say(&format!(
                        "note: `{name}` in `--pip-args` has no bearing on a lock"
                    ));
                }
            }
            Fate::Refused(hint) => {
                return Err(
                    CliError::usage(format!("`{name}` in `--pip-args` is not taken")).hint(hint),
                );
            }
        }
    }
    Ok(())
}

fn fate(name: &str) -> Option<Fate> {
    Some(match name {
        "-i" | "--index-url" | "--pypi-url" => {
            Fate::Value(|args, value| args.index_url = Some(value))
        }
        "--extra-index-url" => Fate::Value(|args, value| args.extra_index_url.push(value)),
        "-f" | "--find-links" => Fate::Value(|args, value| args.find_links.push(value)),
        "--no-index" => Fate::Switch(|args| args.no_index = true),
        "--trusted-host" => Fate::Value(|args, value| args.trusted_host.push(value)),
        "--cert" => Fate::Value(|args, value| args.cert = Some(value.into())),
        "--keyring-provider" => Fate::Value(|args, value| args.keyring_provider = Some(value)),
        "--pre" => Fate::Switch(|args| args.pre = true),
        "--no-binary" => Fate::Value(|args, value| args.no_binary.push(value)),
        "--only-binary" => Fate::Value(|args, value| args.only_binary.push(value)),
        "--uploaded-prior-to" => Fate::Value(|args, value| args.exclude_newer = Some(value)),
        "-c" | "--constraint" => Fate::Value(|args, value| args.constraint.push(value)),
        "--no-cache-dir" => Fate::Switch(|args| args.no_cache = true),
        // A wheel comes before a source distribution anyhow.
        "--prefer-binary"
        | "--disable-pip-version-check"
        | "--no-input"
        | "--no-color"
        | "-q"
        | "--quiet"
        | "-v"
        | "--verbose"
        | "--no-deps"
        | "--require-virtualenv" => Fate::Idle(false),
        "--timeout" | "--retries" | "--progress-bar" | "--cache-dir" | "--exists-action"
        | "--log" => Fate::Idle(true),
        "--proxy" => Fate::Refused("set HTTPS_PROXY and HTTP_PROXY"),
        "--client-cert" => Fate::Refused("client certificates are not supported"),
        "--platform" => Fate::Refused("name the platform with `--python-platform`"),
        "--python-version" | "--implementation" | "--abi" => {
            Fate::Refused("name the Python with `--python-version`")
        }
        "--no-build-isolation" => {
            Fate::Refused("leave it out: a build runs in an environment of its own")
        }
        "--use-deprecated" => Fate::Refused("leave it out: there is one resolver"),
        "--isolated" => Fate::Refused(
            "set PIP_CONFIG_FILE to the null device and unset PIP_* to read none of pip's settings",
        ),
        _ => return None,
    })
}

/// The words of a text, split as a POSIX shell would without expanding anything.
pub(crate) fn split(text: &str) -> Result<Vec<String>, &'static str> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\'' | '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match letters.next() {
                        None => return Err("a quotation mark is not closed"),
                        Some(end) if end == letter => break,
                        Some('\\') if letter == '"' => match letters.next() {
                            Some(next @ ('"' | '\\' | '$' | '`')) => word.push(next),
                            Some(next) => {
                                word.push('\\');
                                word.push(next);
                            }
                            None => return Err("a quotation mark is not closed"),
                        },
                        Some(inside) => word.push(inside),
                    }
                }
            }
            '\\' => match letters.next() {
                Some(next) => word.get_or_insert_default().push(next),
                None => return Err("it ends with a backslash"),
            },
            space if space.is_ascii_whitespace() => words.extend(word.take()),
            letter => word.get_or_insert_default().push(letter),
        }
    }
    words.extend(word);
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_as_a_shell_has_them() {
        for (text, expected) in [
            ("", &[][..]),
            ("  a  b ", &["a", "b"]),
            ("--x='a b' \"c\\\"d\"", &["--x=a b", "c\"d"]),
            ("a\\ b ''", &["a b", ""]),
        ] {
            assert_eq!(
                split(text).as_deref(),
                Ok(&*expected.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>()),
                "{text}"
            );
        }
        assert!(split("'a").is_err());
        assert!(split("a\\").is_err());
    }

    #[test]
    fn options_are_taken_or_refused_by_name() {
        let mut args = ResolveArgs {
            quiet: true,
            ..ResolveArgs::default()
        };
        let words = "--retries 10 -i https://index.example/simple/ --pre --find-links=wheels";
        assert!(take(words, &mut args).is_ok());
        assert_eq!(
            args.index_url.as_deref(),
            Some("https://index.example/simple/")
        );
        assert_eq!(args.find_links, ["wheels"]);
        assert!(args.pre);
        for refused in ["--platform linux", "--root /x", "-i", "six"] {
            assert!(take(refused, &mut args).is_err(), "{refused}");
        }
    }
}
