//! `requires.txt` of an egg-info folder: what setuptools found a project to require when its
//! source distribution was packed.
//!
//! The format is setuptools' own: requirements, one a line, below headings `[extra]`,
//! `[:marker]` or `[extra:marker]` for those that hold under a condition.

/// What a `requires.txt` says, as core metadata has it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct EggRequires {
    /// Requirements with their conditions as markers (`Requires-Dist`).
    pub(super) requires_dist: Vec<String>,
    /// The extras (`Provides-Extra`).
    pub(super) extras: Vec<String>,
}

/// How many bytes of requirements are made of one file, headings repeated on each of their
/// lines. Real files come to a few thousand.
const MADE_LIMIT: usize = 4 << 20;

impl EggRequires {
    /// `None` where so much would be made of the text that it cannot be meant.
    pub(super) fn read(text: &str) -> Option<Self> {
        let mut found = Self::default();
        let mut made = 0_usize;
        let mut conditions: Vec<String> = Vec::new();
        for line in text.lines().map(str::trim) {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            if let Some(heading) = line
                .strip_prefix('[')
                .and_then(|line| line.strip_suffix(']'))
            {
                let (extra, marker) = heading.split_once(':').unwrap_or((heading, ""));
                conditions.clear();
                if !marker.trim().is_empty() {
                    conditions.push(format!("({})", marker.trim()));
                }
                if !extra.trim().is_empty() {
                    found.extras.push(extra.trim().to_owned());
                    conditions.push(format!("extra == '{}'", extra.trim()));
                }
                continue;
            }
            let (requirement, own) = match line.split_once(';') {
                Some((requirement, marker)) => (requirement.trim(), Some(marker.trim())),
                None => (line, None),
            };
            made = made.saturating_add(line.len());
            made = conditions
                .iter()
                .fold(made, |made, condition| made.saturating_add(condition.len()));
            if made > MADE_LIMIT {
                return None;
            }
            let all: Vec<String> = own
                .map(|marker| format!("({marker})"))
                .into_iter()
                .chain(conditions.iter().cloned())
                .collect();
            // A URL ends at white space.
            found.requires_dist.push(if all.is_empty() {
                requirement.to_owned()
            } else {
                format!("{requirement} ; {}", all.join(" and "))
            });
        }
        Some(found)
    }
}

#[cfg(test)]
mod tests {
    use super::EggRequires;

    #[test]
    fn headings_become_markers() {
        let text = "numpy>=1.13.3\npytz; python_version > \"3\"\n\n[:python_version < \"3\"]\n\
                    futures\n\n[test]\npytest>=4.0.2\n\n[test:sys_platform == \"win32\"]\ncolorama\n";
        let found = EggRequires::read(text).expect("it is small");
        assert_eq!(
            found.requires_dist,
            [
                "numpy>=1.13.3",
                "pytz ; (python_version > \"3\")",
                "futures ; (python_version < \"3\")",
                "pytest>=4.0.2 ; extra == 'test'",
                "colorama ; (sys_platform == \"win32\") and extra == 'test'",
            ]
        );
        assert_eq!(found.extras, ["test", "test"]);
    }

    #[test]
    fn a_heading_that_many_lines_repeat_makes_no_bomb() {
        // A few kilobytes when packed: a megabyte of heading over a hundred thousand lines.
        let text = format!("[x:{}]\n{}", "y".repeat(1 << 20), "a\n".repeat(100_000));
        assert_eq!(EggRequires::read(&text), None);
        let many_lines = "numpy\n".repeat(100_000);
        let found = EggRequires::read(&many_lines).expect("nothing is repeated");
        assert_eq!(found.requires_dist.len(), 100_000);
    }
}
