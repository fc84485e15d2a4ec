//! conda environment files: the list below `pip:`, as requirement lines.
//!
//! No YAML is read beyond what these files are made of: block lists of plain or quoted words.
//! What is written in another way is an error with its line.

use super::ReadError;

/// The requirement lines below `- pip:` of an environment file, each with its line.
///
/// # Errors
///
/// [`ReadError`] where the list is written in a way that is not understood.
pub fn conda(text: &str, file: &str) -> Result<Vec<(u32, String)>, ReadError> {
    let wrong = |line: u32, detail: &str| ReadError {
        file: file.to_owned(),
        line,
        detail: detail.to_owned(),
    };
    let mut found = Vec::new();
    let mut in_dependencies = false;
    let mut has_dependencies = false;
    // The column of `- pip:`, once it was met.
    let mut pip: Option<usize> = None;
    for (number, raw) in (1_u32..).zip(text.lines()) {
        let line = without_comment(raw);
        let trimmed = line.trim();
        if trimmed.is_empty() || trimmed == "---" {
            continue;
        }
        if line.contains('\t') && line.trim_start().len() != line.trim_start_matches(' ').len() {
            return Err(wrong(number, "a tab indents this line, which YAML forbids"));
        }
        let column = line.len() - line.trim_start().len();
        if column == 0 && !trimmed.starts_with('-') {
            in_dependencies = trimmed == "dependencies:";
            has_dependencies |= trimmed.starts_with("dependencies:");
            if trimmed.starts_with("dependencies:") && !in_dependencies {
                return Err(wrong(
                    number,
                    "expected a list, an item a line, below `dependencies:`",
                ));
            }
            pip = None;
            continue;
        }
        if !in_dependencies {
            continue;
        }
        let Some(item) = trimmed.strip_prefix('-').map(str::trim) else {
            return Err(wrong(number, "expected an item of a list: `- NAME`"));
        };
        match pip {
            Some(outer) if column > outer => found.push((number, unquoted(item).to_owned())),
            _ => {
                pip = None;
                if item == "pip:" {
                    pip = Some(column);
                } else if item.starts_with("pip:") {
                    return Err(wrong(
                        number,
                        "expected a list, an item a line, below `pip:`",
                    ));
                }
            }
        }
    }
    if !has_dependencies {
        let last = u32::try_from(text.lines().count())
            .unwrap_or(u32::MAX)
            .max(1);
        return Err(wrong(
            last,
            "there is no `dependencies:`: this is no whole conda environment file",
        ));
    }
    Ok(found)
}

fn without_comment(line: &str) -> &str {
    match line.find(" #") {
        Some(at) => line.get(..at).unwrap_or(line),
        None if line.trim_start().starts_with('#') => "",
        None => line,
    }
}

fn unquoted(text: &str) -> &str {
    for quote in ['"', '\''] {
        if let Some(inner) = text
            .strip_prefix(quote)
            .and_then(|rest| rest.strip_suffix(quote))
        {
            return inner;
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_below_pip_is_read() {
        let text = "name: x\nchannels:\n  - conda-forge\ndependencies:\n  - python=3.11\n  - pip\n  - pip:\n    - torch==2.1.2  # old\n    - \"numpy>=1.24\"\n    # - scipy\n    - -r more.txt\n  - cudatoolkit=11.8\nprefix: /opt\n";
        let found = conda(text, "environment.yml").expect("an environment");
        assert_eq!(
            found,
            [
                (8, "torch==2.1.2".to_owned()),
                (9, "numpy>=1.24".to_owned()),
                (11, "-r more.txt".to_owned()),
            ]
        );
    }

    #[test]
    fn what_is_not_understood_has_its_line() {
        for (text, message) in [
            ("name: x\n", "e.yml:1: there is no `dependencies:`"),
            ("dependencies: [pip]\n", "e.yml:1: expected a list"),
            ("dependencies:\n  - pip: [a]\n", "e.yml:2: expected a list"),
            ("dependencies:\n  what\n", "e.yml:2: expected an item"),
        ] {
            let error = conda(text, "e.yml").expect_err("an error").to_string();
            assert!(error.starts_with(message), "{error}");
        }
    }
}
