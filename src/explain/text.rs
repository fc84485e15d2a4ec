//! Words for versions, places and lists; wrapping at 80 columns.

use pep508_rs::PackageName;

use crate::request::Line;
use crate::solve::{Span, Unusable};

/// Releases of a distribution, in words: `torch 2.2.2`, `every scipy before 1.13.0`.
pub(crate) fn releases(package: &PackageName, span: &Span) -> String {
    match span {
        Span::Every => format!("every {package}"),
        Span::One(version) => format!("{package} {version}"),
        Span::Before(version) => format!("every {package} before {version}"),
        Span::From(version) => format!("{package} {version} and every later one"),
        Span::Between(first, last) => format!("{package} {first} to {last}"),
        Span::Several(first, last, count) => {
            format!("{count} releases of {package} between {first} and {last}")
        }
        Span::None => format!("no {package}"),
    }
}

/// A verb form for the number of a span: `needs` or `need`.
pub(crate) fn plural(span: &Span) -> bool {
    matches!(span, Span::Between(..) | Span::Several(..))
}

/// A requirement: `numpy`, `numpy<2`, `foo @ https://…`.
pub(crate) fn requirement(name: &PackageName, range: &str) -> String {
    if range.contains("://") || range.starts_with('.') || range.starts_with('/') {
        format!("{name} @ {range}")
    } else {
        format!("{name}{range}")
    }
}

/// A list in words: `a`, `a and b`, `a, b and c`.
pub(crate) fn list(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

/// A line of the user's with its place, for a column of them.
pub(crate) fn line(line: &Line) -> (String, String) {
    (line.place.to_string(), line.text.clone())
}

/// Why releases cannot be chosen, for a reader who does not know the words.
pub(crate) fn unusable(reason: &Unusable) -> String {
    reason.to_string()
}

/// Wraps a paragraph at a column, with a first and a further indent.
pub fn wrap(text: &str, first: &str, further: &str, columns: usize) -> String {
    let mut out = String::new();
    let mut line = String::from(first);
    let mut empty = true;
    for word in text.split_whitespace() {
        let width = line.chars().count() + usize::from(!empty) + word.chars().count();
        if !empty && width > columns {
            out.push_str(line.trim_end());
            out.push('\n');
            line = String::from(further);
            empty = true;
        }
        if !empty {
            line.push(' ');
        }
        line.push_str(word);
        empty = false;
    }
    out.push_str(line.trim_end());
    out.push('\n');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrapping_keeps_words_and_indents() {
        let text = wrap("one two three four", "- ", "  ", 9);
        assert_eq!(text, "- one two\n  three\n  four\n");
    }

    #[test]
    fn lists_read_as_sentences() {
        let items = ["a".to_owned(), "b".to_owned(), "c".to_owned()];
        assert_eq!(list(&items), "a, b and c");
        assert_eq!(list(&items[..1]), "a");
    }
}
