//! What is told of a lock that was written.

use crate::cli::session::is_pylock;

/// `locked 30 packages: requirements.txt`.
pub(super) fn sentence(path: &str, text: &str, is_new: bool) -> String {
    let count = count(path, text);
    let packages = if count == 1 { "package" } else { "packages" };
    let unchanged = if is_new { "" } else { " is as it was" };
    format!("locked {count} {packages}: {path}{unchanged}")
}

/// How many packages a lock has, by its lines: reading it whole would take longer than a warm
/// run should.
fn count(path: &str, text: &str) -> usize {
    let is_package = |line: &&str| {
        if is_pylock(path) {
            *line == "[[packages]]"
        } else {
            !line.starts_with([' ', '\t', '#', '-']) && !line.trim().is_empty()
        }
    };
    // An editable one is an option line.
    let is_editable = |line: &&str| line.starts_with("-e ");
    text.lines()
        .filter(|line| is_package(line) || is_editable(line))
        .count()
}

#[cfg(test)]
mod tests {
    use super::sentence;

    #[test]
    fn packages_are_counted() {
        let text = "# numpy==1\n--index-url https://index.example/\n\na==1 \\\n    --hash=sha256:0\n    \
                    # via b\n-e ./here\nb @ https://files.example/b.zip\n";
        assert_eq!(sentence("a.txt", text, true), "locked 3 packages: a.txt");
        let text = "lock-version = \"1.0\"\n\n[[packages]]\nname = \"a\"\n\n[[packages.wheels]]\n";
        assert_eq!(
            sentence("pylock.toml", text, false),
            "locked 1 package: pylock.toml is as it was"
        );
    }
}
