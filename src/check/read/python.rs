//! The Python that a file says it is for, where it says so in passing.

use std::str::FromStr as _;

use pep440_rs::VersionSpecifiers;

/// The Python of the image that a Dockerfile starts its last stage from (`FROM python:3.11-slim`).
pub fn python_of_containerfile(text: &str) -> Option<VersionSpecifiers> {
    let image = text.lines().rev().find_map(|line| {
        let mut words = line.split_whitespace();
        let first = words.next()?;
        first.eq_ignore_ascii_case("from").then_some(())?;
        words.find(|word| !word.starts_with("--"))
    })?;
    let (repository, tag) = image.rsplit_once(':')?;
    let is_python = repository.rsplit('/').next() == Some("python");
    is_python.then(|| series(tag)).flatten()
}

/// The Python among the dependencies of a conda environment file (`- python=3.11`).
pub fn python_of_conda(text: &str) -> Option<VersionSpecifiers> {
    text.lines().find_map(|line| {
        let item = line.trim().strip_prefix("- ")?.trim();
        let item = item.trim_matches(['"', '\'']);
        series(item.strip_prefix("python")?.trim().trim_start_matches('='))
    })
}

/// The `requires-python` of a `pylock.toml`.
pub(super) fn python_of_pylock(text: &str) -> Option<VersionSpecifiers> {
    text.lines()
        .take_while(|line| !line.trim_start().starts_with("[["))
        .find_map(|line| {
            let value = line.trim().strip_prefix("requires-python")?;
            let value = value.trim().strip_prefix('=')?.trim();
            VersionSpecifiers::from_str(value.trim_matches(['"', '\''])).ok()
        })
}

/// `3.11-slim`, `3.11.4`: all of 3.11.
fn series(text: &str) -> Option<VersionSpecifiers> {
    let mut parts = text.split(|letter: char| !letter.is_ascii_digit());
    let major: u32 = parts.next()?.parse().ok()?;
    let minor: u32 = parts.next()?.parse().ok()?;
    VersionSpecifiers::from_str(&format!("=={major}.{minor}.*")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_tells_its_python() {
        let told = |found: Option<VersionSpecifiers>| {
            found.map_or_else(String::new, |found| found.to_string())
        };
        for (text, expected) in [
            ("FROM python:3.11-slim\nRUN pip install a\n", "==3.11.*"),
            (
                "FROM python:3.9 AS build\nFROM --platform=linux/amd64 docker.io/library/python:3.12.4\n",
                "==3.12.*",
            ),
            ("FROM nvidia/cuda:12.4.1-runtime\n", ""),
            ("FROM python\n", ""),
            ("FROM python:slim\n", ""),
        ] {
            assert_eq!(told(python_of_containerfile(text)), expected, "{text}");
        }
        for (text, expected) in [
            ("dependencies:\n  - python=3.10\n", "==3.10.*"),
            ("dependencies:\n  - python==3.10.4\n", "==3.10.*"),
            ("dependencies:\n  - python-dateutil=2.8\n  - pip\n", ""),
            ("dependencies:\n  - python\n", ""),
        ] {
            assert_eq!(told(python_of_conda(text)), expected, "{text}");
        }
        let lock = "lock-version = \"1.0\"\nrequires-python = \">=3.11\"\n[[packages]]\n";
        assert_eq!(told(python_of_pylock(lock)), ">=3.11");
    }
}
