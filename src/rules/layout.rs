//! How the rules that come with the program are laid out: what a solve reads of them, found line
//! by line. `build.rs` has this module too, and reads with it what it embeds.

/// A line that is not laid out as the other rules' are: its number, from 1, and what is wrong.
pub(crate) type Misplaced = (usize, String);

/// The keys whose values a solve does not read.
const PROSE: [&str; 5] = ["reason", "error", "advice", "sources", "checked"];

/// The tables that a solve does not read.
const GROUNDS: [&str; 3] = ["[[evidence]]", "[[hit]]", "[[miss]]"];

/// What a rule does, a tenth of its file: without its sentences, its evidence and its cases. A
/// list of sources may go on on further lines, and is left in then.
///
/// # Errors
///
/// The first line at which it cannot be told where a value ends, or what table it is in.
pub(crate) fn terms_of(text: &str) -> Result<String, Misplaced> {
    let mut terms = String::new();
    let mut is_skipped = false;
    for (line, number) in text.lines().zip(1..) {
        let wrong = |detail: &str| Err((number, detail.to_owned()));
        if line.starts_with('#') || line.is_empty() {
            continue;
        }
        if ["\"\"\"", "'''"].iter().any(|quotes| line.contains(quotes)) {
            return wrong("a text of several lines: write it on one, between `\"`");
        }
        if line.starts_with('[') {
            let line = line.trim_end();
            if !line.ends_with(']') || line.contains(['"', '\'', ',']) {
                return wrong("a line that starts with `[` and is no table's: indent it");
            }
            is_skipped = GROUNDS.contains(&line);
        }
        let prose = line.split_once(" = ");
        let prose = prose.filter(|(key, _)| PROSE.contains(key));
        let is_whole = prose.is_some_and(|(_, value)| {
            let ends_as =
                |start, end| value.len() > 1 && value.starts_with(start) && value.ends_with(end);
            ends_as('"', '"') || ends_as('[', ']')
        });
        if let Some((key, value)) = prose
            && !is_whole
            && !value.starts_with('[')
        {
            return wrong(&format!("`{key}` is not one text between `\"` on one line"));
        }
        if !is_skipped && !is_whole {
            terms.push_str(line);
            terms.push('\n');
        }
    }
    Ok(terms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_rule_does_is_left() {
        let rule = "# A comment.\nkind = \"slot\"\nreason = \"They say [so].\"\nsources = [\n  \
                    \"a\",\n]\nmembers = [\n  \"a\",\n]\n\n[[hit]]\nhave = [\n  \"a==1\",\n]\n\n\
                    [then]\npackage = \"b\"\nerror = \"\"\n";
        let terms = "kind = \"slot\"\nsources = [\n  \"a\",\n]\nmembers = [\n  \"a\",\n]\n[then]\n\
                     package = \"b\"\n";
        assert_eq!(terms_of(rule).as_deref(), Ok(terms));
    }

    #[test]
    fn what_cannot_be_laid_out_is_refused_with_its_line() {
        for (line, detail) in [
            ("reason = \"\"\"The first", "several lines"),
            ("reason = '''The first", "several lines"),
            ("[[hit]]\nhave = \"\"\"a==1", "several lines"),
            ("error = \"An end\" # of it", "`error` is not one text"),
            ("advice = \"", "`advice` is not one text"),
            ("checked = 2026-11-21", "`checked` is not one text"),
            ("[\"a\", \"b\"],", "no table's"),
            ("[then] # a comment,", "no table's"),
        ] {
            let rule = format!("kind = \"broken\"\n\n# `\"\"\"`\n{line}\n\"\"\"\n");
            let (number, said) = terms_of(&rule).expect_err(line);
            assert!(said.contains(detail), "{line}: {said}");
            let last = 3 + line.lines().count();
            assert_eq!(number, last, "{line}");
        }
    }
}
