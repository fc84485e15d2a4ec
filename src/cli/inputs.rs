//! Which inputs are read where none is named, and which output they make.

use std::path::Path;

use super::error::CliError;

/// The inputs that are looked for where none is named, in order.
const DEFAULTS: [&str; 4] = ["requirements.in", "pyproject.toml", "setup.cfg", "setup.py"];

/// The inputs: those named, or the first default one that is there.
pub(crate) fn inputs(named: &[String]) -> Result<Vec<String>, CliError> {
    if !named.is_empty() {
        return Ok(named.to_vec());
    }
    DEFAULTS
        .iter()
        .find(|name| Path::new(name).is_file())
        .map(|name| vec![(*name).to_owned()])
        .ok_or_else(|| {
            CliError::usage("no input is named, and none is here").hint(format!(
                "name one, or run where one of {} is",
                DEFAULTS.map(|name| format!("`{name}`")).join(", ")
            ))
        })
}

/// Whether an input is a project file rather than a requirements file.
pub(crate) fn is_project(input: &str) -> bool {
    matches!(
        Path::new(input).file_name().and_then(|name| name.to_str()),
        Some("pyproject.toml" | "setup.cfg" | "setup.py")
    )
}

/// Where the lock goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Output {
    /// Standard output.
    Standard,
    /// A file.
    File(String),
}

/// The output: the one named, or the one that follows from the input.
pub(crate) fn output(named: Option<&str>, inputs: &[String]) -> Result<Output, CliError> {
    let output = match (named, inputs) {
        (Some("-"), _) => return Ok(Output::Standard),
        (Some(path), _) => path.to_owned(),
        (None, [input]) if input == "-" => {
            return Err(
                CliError::usage("requirements from standard input need `-o`").hint(
                    "name the lock with `-o requirements.txt`, or `-o -` for standard output",
                ),
            );
        }
        (None, [input]) => beside(input).ok_or_else(|| {
            if let Some(error) = no_file(input) {
                return error;
            }
            CliError::usage(format!("no output follows from `{input}`"))
                .hint("name the lock with `-o requirements.txt` or `-o pylock.toml`")
        })?,
        (None, _) => {
            return Err(CliError::usage("several inputs need `-o`")
                .hint("name the lock with `-o requirements.txt` or `-o pylock.toml`"));
        }
    };
    refuse_source(&output, inputs)?;
    Ok(Output::File(output))
}

/// What is wrong with an input that is a folder, or a requirement in place of a file.
fn no_file(input: &str) -> Option<CliError> {
    let path = Path::new(input);
    if path.is_dir() {
        let inside = DEFAULTS.iter().find(|name| path.join(name).is_file());
        let error = CliError::usage(format!("`{input}` is a folder"));
        return Some(match inside {
            Some(name) => error.hint(format!(
                "name the file in it, `{}`",
                path.join(name).display()
            )),
            None => error.hint("name a file: a requirements file or a pyproject.toml"),
        });
    }
    // What is written like a file's name is a file that is not there.
    let like_file = input.contains("://")
        || path
            .extension()
            .and_then(|extension| extension.to_str())
            .is_some_and(|extension| ["in", "txt", "toml", "cfg", "py"].contains(&extension));
    (!like_file && !path.exists()).then(|| {
        CliError::usage(format!("there is no file `{input}`")).hint(
            "a requirement goes into a file, or to standard input: `echo numpy | mlresolve lock - \
             -o requirements.txt`",
        )
    })
}

/// Refuses an output that is one of the files that it is made from.
pub(crate) fn refuse_source<'a>(
    output: &str,
    sources: impl IntoIterator<Item = &'a String>,
) -> Result<(), CliError> {
    match sources.into_iter().find(|source| same_file(source, output)) {
        None => Ok(()),
        Some(_) => Err(
            CliError::usage(format!("`{output}` is read and would be overwritten"))
                .hint("name another file with `-o`"),
        ),
    }
}

/// `X.in` gives `X.txt`; a project file gives the `pylock.toml` that is beside it, or
/// `requirements.txt`.
fn beside(input: &str) -> Option<String> {
    let path = Path::new(input);
    if is_project(input) {
        let pylock = path.with_file_name("pylock.toml");
        let output = if pylock.is_file() {
            pylock
        } else {
            path.with_file_name("requirements.txt")
        };
        return Some(output.to_string_lossy().into_owned());
    }
    let is_in = path.extension().is_some_and(|extension| extension == "in");
    is_in.then(|| path.with_extension("txt").to_string_lossy().into_owned())
}

fn same_file(a: &str, b: &str) -> bool {
    // Two questions to the system where the way along each path would be one for each folder.
    if let (Ok(a), Ok(b)) = (identity(a), identity(b))
        && a != b
    {
        return false;
    }
    let absolute = |path: &str| {
        std::fs::canonicalize(path)
            .or_else(|_| std::path::absolute(path))
            .unwrap_or_else(|_| path.into())
    };
    a == b || absolute(a) == absolute(b)
}

/// What no two files have in common; `None` where there is no file.
#[cfg(unix)]
fn identity(path: &str) -> std::io::Result<Option<(u64, u64)>> {
    use std::os::unix::fs::MetadataExt as _;

    match std::fs::metadata(path) {
        Ok(file) => Ok(Some((file.dev(), file.ino()))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Elsewhere nothing is known but the path.
#[cfg(not(unix))]
fn identity(_path: &str) -> std::io::Result<Option<(u64, u64)>> {
    Ok(None)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn an_output_that_leads_to_an_input_is_refused_however_it_is_written() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
        let input = path("a.in");
        std::fs::write(&input, "numpy\n").expect("it is writable");
        std::fs::write(path("b.txt"), "numpy\n").expect("it is writable");
        std::fs::hard_link(&input, path("hard.txt")).expect("it is writable");
        std::os::unix::fs::symlink("a.in", path("link.txt")).expect("it is writable");
        std::os::unix::fs::symlink("nowhere", path("dangling.txt")).expect("it is writable");
        let is_refused = |output: &str| refuse_source(output, [&input]).is_err();
        assert!(is_refused(&input));
        assert!(is_refused(&path("./a.in")));
        assert!(is_refused(&path("link.txt")));
        for other in ["b.txt", "new.txt", "dangling.txt"] {
            assert!(!is_refused(&path(other)), "{other}");
        }
        // It is replaced, and the input stays.
        assert!(!is_refused(&path("hard.txt")));
        // What is not there is its path.
        let gone = [path("gone.in")];
        assert!(refuse_source(&path("./gone.in"), &gone).is_err());
    }
}
