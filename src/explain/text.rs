//! Words for versions, places and lists; wrapping at 80 columns.

use pep440_rs::{Version, VersionSpecifiers};
use pep508_rs::PackageName;

use crate::request::{Place, Request};
use crate::rules::VersionRange;
use crate::solve::Span;

/// Columns that text is wrapped at.
pub const COLUMNS: usize = 80;

/// Releases of a distribution, in words, and whether a verb after them is in the plural:
/// `torch 2.2.2`, `every scipy before 1.13.0`, `pandas 2.0.0 to 2.1.4`.
pub(super) fn all_releases(package: &PackageName, spans: &[&Span]) -> (String, bool) {
    let mut distinct: Vec<&Span> = Vec::new();
    for span in spans {
        if !distinct.contains(span) {
            distinct.push(span);
        }
    }
    match distinct.as_slice() {
        [Span::Every] => (format!("every {package}"), false),
        [Span::One(version)] => (format!("{package} {version}"), false),
        [Span::Before(version)] => (format!("every {package} before {version}"), false),
        [Span::From(version)] => (format!("{package} {version} and all later"), true),
        [Span::Between(first, last)] => (format!("{package} {first} to {last}"), true),
        [Span::Several(first, last, count)] => (
            format!("{count} releases of {package} from {first} to {last}"),
            true,
        ),
        [Span::None] | [] => (format!("no {package}"), false),
        many => across(package, many),
    }
}

/// That releases were not built, as a sentence without its stop; `None` where there is none.
pub(super) fn unbuilt(releases: &[(PackageName, Version)]) -> Option<String> {
    let names: Vec<String> = releases
        .iter()
        .take(3)
        .map(|(name, version)| format!("`{name} {version}`"))
        .collect();
    let (verb, was) = match releases.len() {
        0 => return None,
        1 => ("has only a source distribution", "was"),
        _ => ("have only source distributions", "were"),
    };
    let more = releases.len().saturating_sub(names.len());
    let who = match more {
        0 => list(&names),
        more => format!("{} and {more} more", names.join(", ")),
    };
    Some(format!("{who} {verb}, which {was} not built to try this"))
}

/// Several spans, by their ends.
fn across(package: &PackageName, spans: &[&Span]) -> (String, bool) {
    let mut least: Option<&Version> = None;
    let mut most: Option<&Version> = None;
    let (mut open_below, mut open_above) = (false, false);
    for span in spans {
        let (low, high) = match span {
            Span::Every => return (format!("every {package}"), false),
            Span::None => continue,
            Span::One(version) => (Some(version), Some(version)),
            Span::Before(version) => {
                open_below = true;
                (None, Some(version))
            }
            Span::From(version) => {
                open_above = true;
                (Some(version), None)
            }
            Span::Between(low, high) | Span::Several(low, high, _) => (Some(low), Some(high)),
        };
        if let Some(low) = low {
            least = Some(least.map_or(low, |known| Ord::min(known, low)));
        }
        if let Some(high) = high {
            most = Some(most.map_or(high, |known| Ord::max(known, high)));
        }
    }
    match (open_below, open_above, least, most) {
        (true, true, ..) => (format!("every {package}"), false),
        (true, false, _, Some(most)) => (format!("{package} up to {most}"), true),
        (false, true, Some(least), _) => (format!("{package} {least} and later"), true),
        (_, _, Some(least), Some(most)) => (format!("{package} {least} to {most}"), true),
        _ => (format!("no {package}"), false),
    }
}

/// A requirement: `numpy`, `numpy<2`, `foo @ https://…`.
pub(super) fn requirement(name: &PackageName, range: &str) -> String {
    if range.contains("://") || range.starts_with('.') || range.starts_with('/') {
        format!("{name} @ {range}")
    } else {
        format!("{name}{}", range_in_words(range))
    }
}

/// A range as sentences have it; builds that are listed one by one are told by an example.
pub(super) fn range_in_words(range: &str) -> String {
    let pieces: Option<Vec<VersionSpecifiers>> = range
        .split(" or ")
        .map(|piece| piece.parse().ok())
        .collect();
    match pieces {
        Some(pieces) if pieces.len() > 1 => VersionRange(pieces).in_words(),
        _ => range.to_owned(),
    }
}

/// A list in words: `a`, `a and b`, `a, b and c`.
pub(super) fn list(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

/// `1 package`, `3 packages`.
pub(super) fn counted(count: usize, one: &str) -> String {
    if count == 1 {
        format!("1 {one}")
    } else {
        format!("{count} {one}s")
    }
}

/// A place in a sentence: its line where the file goes without saying, else both.
pub(super) fn place(place: &Place, file: Option<&str>) -> String {
    if file == Some(&place.file) {
        format!("line {}", place.line)
    } else {
        place.to_string()
    }
}

/// The one file that all requirements of a request stand in.
pub(super) fn only_file(request: &Request) -> Option<String> {
    let mut places = request
        .requirements
        .iter()
        .chain(&request.constraints)
        .map(|line| &line.place);
    let first = places.next()?;
    places
        .all(|place| place.file == first.file)
        .then(|| first.file.to_string())
}

/// A sentence in which places of one file, which a heading names, are lines alone.
pub(super) fn shortened(sentence: &str, file: Option<&str>) -> String {
    match file {
        Some(file) => sentence.replace(&format!("({file}:"), "(line "),
        None => sentence.to_owned(),
    }
}

/// A sentence of someone's, without its full stop.
pub(super) fn unstopped(sentence: &str) -> &str {
    sentence.trim().trim_end_matches('.')
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

/// Whether words go on after the name of a release.
pub(super) fn says_what_it_does(words: &str) -> bool {
    let verb = words.split(' ').next().unwrap_or_default();
    [
        "has", "is", "was", "needs", "asks", "requires", "cannot", "could",
    ]
    .contains(&verb)
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
        assert_eq!(counted(1, "package"), "1 package");
        assert_eq!(counted(3, "package"), "3 packages");
    }

    #[test]
    fn releases_are_named_by_what_exists() {
        let version = |text: &str| text.parse::<Version>().expect("a version");
        let scipy: PackageName = "scipy".parse().expect("a name");
        let before = Span::Before(version("1.13.0"));
        let one = Span::One(version("1.14.0"));
        assert_eq!(
            all_releases(&scipy, &[&before]).0,
            "every scipy before 1.13.0"
        );
        assert_eq!(
            all_releases(&scipy, &[&before, &one]).0,
            "scipy up to 1.14.0"
        );
    }

    #[test]
    fn a_release_is_followed_by_a_verb() {
        for (words, expected) in [
            ("its metadata has an unreadable `Requires-Dist`", false),
            ("the wheel says it is 1.2 of another", false),
            (
                "has a source distribution that is no use: it is empty",
                true,
            ),
            (
                "requires `a @ https://files.example/a.whl`, which only a line of your own may",
                true,
            ),
        ] {
            assert_eq!(says_what_it_does(words), expected, "{words}");
        }
    }
}
