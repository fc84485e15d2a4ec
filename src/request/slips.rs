//! Words for the mistakes that people make in requirements.

use std::ops::Range;

use super::fault::Fault;

/// What to do where a distribution's name should begin.
pub(super) fn in_place_of_a_name(text: &str) -> &'static str {
    let text = text.trim_start();
    if text.starts_with(['!', '%']) && text.contains("pip install") {
        LEAVE_OUT
    } else if text.starts_with(['"', '\'']) {
        "take the quotation marks away"
    } else {
        "begin with the name of a distribution, as in `numpy>=1.0`"
    }
}

const LEAVE_OUT: &str = "leave the command out, and write what follows `install`";

const ONE_A_LINE: &str = "put one requirement on a line";

/// What to do where a version should stand beside a comma.
pub(super) fn beside_a_comma(text: &str) -> &'static str {
    let is_name = |clause: &str| clause.trim().starts_with(|c: char| c.is_ascii_alphabetic());
    if text.split(',').any(is_name) {
        ONE_A_LINE
    } else {
        "take the extra comma away"
    }
}

/// A range in the words of Poetry, npm or Ruby, in those of PEP 440: `^1.26` is `>=1.26,<2`.
fn elsewhere(clause: &str) -> Option<String> {
    let operator = ["~>", "^", "~"]
        .into_iter()
        .find(|operator| clause.starts_with(operator))?;
    let version = clause.strip_prefix(operator)?.trim();
    let numbers: Vec<u64> = version
        .split('.')
        .map(|number| number.parse().ok())
        .collect::<Option<_>>()?;
    // Which number counts on for the first version that is not meant.
    let counted = match operator {
        "^" => {
            let first = numbers.iter().position(|number| *number > 0);
            first.unwrap_or(numbers.len() - 1)
        }
        "~" => (numbers.len() - 1).min(1),
        _ => return (numbers.len() > 1).then(|| format!("~={version}")),
    };
    let mut end: Vec<String> = numbers
        .iter()
        .take(counted)
        .map(ToString::to_string)
        .collect();
    end.push(numbers.get(counted)?.checked_add(1)?.to_string());
    Some(format!(">={version},<{}", end.join(".")))
}

/// What a clause with a wrong operator was meant to be.
fn meant(version: &str) -> String {
    let version = version.trim_matches(['"', '\'']).trim();
    if let Some(range) = elsewhere(version) {
        format!("did you mean `{range}`?")
    } else if version == "*" {
        "for any version, write the name alone".to_owned()
    } else if version.starts_with(['<', '>', '=', '!', '~']) {
        format!("did you mean `{version}`?")
    } else {
        format!("did you mean `=={version}`?")
    }
}

/// Whether a version is followed by the name of another distribution.
fn goes_on_with_a_name(version: &str) -> bool {
    let mut words = version.split_whitespace().skip(1);
    words.next().is_some_and(|word| {
        word.starts_with(|c: char| c.is_ascii_alphabetic()) && !["and", "or"].contains(&word)
    })
}

/// What is wrong with a clause of a requirement, and what to do.
pub(super) fn clause_fault(clause: &str, range: Range<usize>, library: &str) -> Fault {
    let is_operator = |c: char| matches!(c, '<' | '>' | '=' | '!' | '~');
    let end = clause.find(|c| !is_operator(c)).unwrap_or(clause.len());
    let (operator, version) = clause.split_at(end);
    let version = version.trim();
    let at_operator = range.start..range.start + operator.len();
    match operator {
        "" => {
            let advice = if let Some(range) = elsewhere(clause) {
                format!("did you mean `{range}`?")
            } else if clause.starts_with("install ") {
                LEAVE_OUT.to_owned()
            } else if clause.starts_with('#') {
                "put a space before `#` to begin a comment".to_owned()
            } else if clause.starts_with('-') {
                "put a space, not a tab, before an option".to_owned()
            } else if clause.starts_with(|c: char| c.is_ascii_digit()) {
                format!("did you mean `=={clause}`?")
            } else {
                ONE_A_LINE.to_owned()
            };
            Fault::requirement(
                range,
                format!("expected an operator, found `{clause}`"),
                advice,
            )
        }
        "=" => Fault::requirement(at_operator, "`=` is no operator", meant(version)),
        "=>" | "=<" => {
            let turned: String = operator.chars().rev().collect();
            Fault::requirement(
                at_operator,
                format!("`{operator}` is no operator"),
                format!("did you mean `{turned}{version}`?"),
            )
        }
        "<" | "<=" | ">" | ">=" | "~=" if version.ends_with(".*") => {
            let plain = version.trim_end_matches(".*");
            Fault::requirement(
                range,
                format!("`.*` cannot follow `{operator}`"),
                format!("write `{operator}{plain}`"),
            )
        }
        "==" | "!=" | "<" | "<=" | ">" | ">=" | "~=" | "===" => {
            let advice = if version.contains("\t-") {
                "put a space, not a tab, before an option"
            } else if version.contains('#') {
                "put a space before `#` to begin a comment"
            } else if goes_on_with_a_name(version) {
                ONE_A_LINE
            } else if version.starts_with(['"', '\'']) {
                "take the quotation marks away"
            } else if version.contains(is_operator) {
                "separate versions with commas, as in `>=1.0,<2`"
            } else if version.ends_with(']') {
                "extras stand before the version, as in `name[extra]>=1.0`"
            } else if version.contains('+') && !matches!(operator, "==" | "!=" | "===") {
                "a local version (`+…`) goes with `==` and `!=` only"
            } else if operator == "~=" {
                "`~=` needs a version with at least two numbers, as in `~=1.4`"
            } else {
                "versions follow PEP 440, as in `1.2`, `2.0rc1` or `2.1.0+cpu`"
            };
            Fault::requirement(range, library_words(library), advice)
        }
        _ => Fault::requirement(
            at_operator,
            format!("`{operator}` is no operator"),
            match elsewhere(clause) {
                Some(range) => format!("did you mean `{range}`?"),
                None => {
                    "the operators are `==`, `!=`, `<`, `<=`, `>`, `>=`, `~=` and `===`".to_owned()
                }
            },
        ),
    }
}

/// The library's message as one of ours: lower case, on one line.
fn library_words(message: &str) -> String {
    let words: Vec<&str> = message.split_whitespace().collect();
    let message = words.join(" ");
    let mut characters = message.chars();
    characters
        .next()
        .map(|first| first.to_lowercase().chain(characters).collect())
        .unwrap_or_default()
}
