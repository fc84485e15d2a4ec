//! RECORD: what an installed distribution says are its files (PEP 376, the wheel format).

/// One file of a RECORD.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedFile {
    /// Its path, relative to the folder that holds the distribution, with `/`.
    pub path: String,
    /// The sha256 as RECORD has it: URL-safe base64 without padding.
    pub sha256: Option<String>,
    /// Its size in bytes.
    pub size: Option<u64>,
}

/// Reads a RECORD. A line that is none is skipped: installers write them, not people.
pub fn read_record(text: &str) -> Vec<RecordedFile> {
    text.lines().filter_map(line).collect()
}

fn line(text: &str) -> Option<RecordedFile> {
    let (path, rest) = field(text)?;
    let (hash, rest) = field(rest).unwrap_or_default();
    let (size, _) = field(rest).unwrap_or_default();
    if path.is_empty() {
        return None;
    }
    Some(RecordedFile {
        path: path.replace('\\', "/"),
        sha256: hash.strip_prefix("sha256=").map(str::to_owned),
        size: size.parse().ok(),
    })
}

/// One field of a comma-separated line, and what follows it.
fn field(text: &str) -> Option<(String, &str)> {
    if text.is_empty() {
        return None;
    }
    let Some(quoted) = text.strip_prefix('"') else {
        let (field, rest) = text.split_once(',').unwrap_or((text, ""));
        return Some((field.to_owned(), rest));
    };
    let mut value = String::new();
    let mut rest = quoted;
    loop {
        let (before, after) = rest.split_once('"')?;
        value.push_str(before);
        match after.strip_prefix('"') {
            // A quote in a field is written twice.
            Some(more) => {
                value.push('"');
                rest = more;
            }
            None => return Some((value, after.strip_prefix(',').unwrap_or(after))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_may_be_quoted_and_empty() {
        let files = read_record(
            "numpy/version.py,sha256=abc,12\n\"odd,\"\"name\"\".py\",sha256=d,3\nnumpy-1.dist-info/RECORD,,\nlone.pyc\n\n",
        );
        let shown: Vec<String> = files
            .iter()
            .map(|file| format!("{} {:?} {:?}", file.path, file.sha256, file.size))
            .collect();
        assert_eq!(
            shown,
            [
                "numpy/version.py Some(\"abc\") Some(12)",
                "odd,\"name\".py Some(\"d\") Some(3)",
                "numpy-1.dist-info/RECORD None None",
                "lone.pyc None None",
            ]
        );
    }
}
