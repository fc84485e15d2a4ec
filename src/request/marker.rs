//! Environment markers (PEP 508), checked before they are handed on.
//!
//! `pep508_rs` turns a comparison it does not understand into "true" with a warning,
//! and some it does not foresee into a panic. A requirement must not lose its marker in
//! silence, so the grammar is checked here first and every such comparison is refused.

use std::iter::Peekable;
use std::ops::Range;

use pep508_rs::{MarkerTree, MarkerWarningKind};

use super::fault::Fault;
use super::nearest::nearest;
use crate::metadata::long_marker;

/// More comparisons than anyone writes; the decision diagram behind a marker can grow
/// exponentially with them.
const MOST_COMPARISONS: usize = 128;
/// More parentheses inside one another than anyone writes.
const DEEPEST: usize = 32;

const VERSIONS: &[&str] = &[
    "python_version",
    "python_full_version",
    "implementation_version",
];
const STRINGS: &[&str] = &[
    "os_name",
    "sys_platform",
    "platform_machine",
    "platform_python_implementation",
    "platform_release",
    "platform_system",
    "platform_version",
    "implementation_name",
];
/// Names from before PEP 508, which `packaging` still reads.
const OLD_STRINGS: &[&str] = &[
    "os.name",
    "sys.platform",
    "platform.version",
    "platform.machine",
    "platform.python_implementation",
    "python_implementation",
];

/// Reads a marker: what follows the semicolon of a requirement.
pub(super) fn parse(text: &str) -> Result<MarkerTree, Fault> {
    let tokens = tokens(text)?;
    let mut checker = Checker {
        tokens: tokens.into_iter().peekable(),
        text,
        rewritten: String::with_capacity(text.len()),
        comparisons: 0,
    };
    checker.either(0)?;
    if let Some((_, range)) = checker.tokens.next() {
        return Err(Fault::marker(
            range,
            "expected `and`, `or` or the end of the marker",
            "join comparisons with `and` or `or`",
        ));
    }
    if let Some(tree) = long_marker(&checker.rewritten) {
        let advice = "split the requirement into several lines";
        return tree.map_err(|detail| Fault::marker(0..text.len(), detail, advice));
    }
    let mut complaint = None;
    let tree = MarkerTree::parse_reporter(
        &checker.rewritten,
        &mut |_: MarkerWarningKind, message: String| {
            complaint.get_or_insert(message);
        },
    );
    match (tree, complaint) {
        (Ok(tree), None) => Ok(tree),
        (Ok(_), Some(message)) => Err(not_understood(0..text.len(), &message)),
        (Err(error), _) => Err(not_understood(0..text.len(), &error.message.to_string())),
    }
}

fn not_understood(range: Range<usize>, message: &str) -> Fault {
    // The library's words begin with a capital, hold line breaks, and end in what it
    // would do, which is not what is done here.
    let words: Vec<&str> = message.split_whitespace().collect();
    let message = words.join(" ").replace(", will be ignored", "");
    let mut characters = message.chars();
    let lower: String = characters
        .next()
        .map(|first| first.to_lowercase().chain(characters).collect())
        .unwrap_or_default();
    Fault::marker(
        range,
        lower,
        "compare a variable with a quoted value, as in `python_version >= \"3.10\"`",
    )
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token<'a> {
    Open,
    Close,
    And,
    Or,
    Operator(&'a str),
    Quoted(&'a str),
    Name(&'a str),
}

fn tokens(text: &str) -> Result<Vec<(Token<'_>, Range<usize>)>, Fault> {
    let mut tokens = Vec::new();
    let mut position = 0;
    while let Some(rest) = text.get(position..).filter(|rest| !rest.is_empty()) {
        let trimmed = rest.trim_start();
        position += rest.len() - trimmed.len();
        let Some(first) = trimmed.chars().next() else {
            break;
        };
        let (token, length) = token(trimmed, first).map_err(|fault| fault.shifted(position))?;
        tokens.push((token, position..position + length));
        position += length;
    }
    Ok(tokens)
}

fn token(text: &str, first: char) -> Result<(Token<'_>, usize), Fault> {
    let run = |belongs: fn(char) -> bool| {
        let end = text.find(|c| !belongs(c)).unwrap_or(text.len());
        text.get(..end).unwrap_or_default()
    };
    Ok(match first {
        '(' => (Token::Open, 1),
        ')' => (Token::Close, 1),
        '"' | '\'' => {
            let inner = text.get(1..).unwrap_or_default();
            let Some(end) = inner.find(first) else {
                return Err(Fault::marker(
                    0..text.len(),
                    format!("expected a closing `{first}`"),
                    "close the quoted value",
                ));
            };
            (Token::Quoted(inner.get(..end).unwrap_or_default()), end + 2)
        }
        '<' | '>' | '=' | '!' | '~' => {
            let operator = run(|c| matches!(c, '<' | '>' | '=' | '!' | '~'));
            if !matches!(operator, "<" | "<=" | ">" | ">=" | "==" | "!=" | "~=") {
                return Err(Fault::marker(
                    0..operator.len(),
                    format!("`{operator}` is no operator of markers"),
                    "the operators are `==`, `!=`, `<`, `<=`, `>`, `>=`, `~=`, `in` and `not in`",
                ));
            }
            (Token::Operator(operator), operator.len())
        }
        first if first.is_ascii_alphanumeric() || first == '_' => {
            let word = run(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.'));
            word_token(text, word)
        }
        other => {
            return Err(Fault::marker(
                0..other.len_utf8(),
                format!("expected a variable, a quoted value or an operator, found `{other}`"),
                "write a marker as in `python_version >= \"3.10\"`",
            ));
        }
    })
}

fn word_token<'a>(text: &'a str, word: &'a str) -> (Token<'a>, usize) {
    match word {
        "and" => (Token::And, 3),
        "or" => (Token::Or, 2),
        "in" => (Token::Operator("in"), 2),
        "not" => {
            let rest = text.get(3..).unwrap_or_default();
            let after = rest.trim_start();
            let is_in = after
                .strip_prefix("in")
                .is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_alphanumeric()));
            if is_in && after.len() < rest.len() {
                (Token::Operator("not in"), text.len() - after.len() + 2)
            } else {
                (Token::Name(word), 3)
            }
        }
        _ => (Token::Name(word), word.len()),
    }
}

/// Checks the grammar while it writes the marker anew.
struct Checker<'a, I: Iterator<Item = (Token<'a>, Range<usize>)>> {
    tokens: Peekable<I>,
    text: &'a str,
    rewritten: String,
    comparisons: usize,
}

impl<'a, I: Iterator<Item = (Token<'a>, Range<usize>)>> Checker<'a, I> {
    fn either(&mut self, depth: usize) -> Result<(), Fault> {
        self.both(depth)?;
        while self.take(Token::Or).is_some() {
            self.rewritten.push_str(" or ");
            self.both(depth)?;
        }
        Ok(())
    }

    fn both(&mut self, depth: usize) -> Result<(), Fault> {
        self.one(depth)?;
        while self.take(Token::And).is_some() {
            self.rewritten.push_str(" and ");
            self.one(depth)?;
        }
        Ok(())
    }

    fn one(&mut self, depth: usize) -> Result<(), Fault> {
        let Some(range) = self.take(Token::Open) else {
            return self.comparison();
        };
        if depth >= DEEPEST {
            return Err(Fault::marker(
                range,
                format!("more than {DEEPEST} parentheses inside one another"),
                "take away the parentheses that change nothing",
            ));
        }
        self.rewritten.push('(');
        self.either(depth + 1)?;
        self.rewritten.push(')');
        if self.take(Token::Close).is_some() {
            return Ok(());
        }
        Err(Fault::marker(
            range,
            "expected a closing `)`",
            "close the parenthesis",
        ))
    }

    fn comparison(&mut self) -> Result<(), Fault> {
        let (left, left_range) = self.value()?;
        let (operator, operator_range) = match self.tokens.next() {
            Some((Token::Operator(operator), range)) => (operator, range),
            other => {
                let end = self.text.len();
                return Err(Fault::marker(
                    other.map_or(end..end, |(_, range)| range),
                    "expected an operator",
                    "the operators are `==`, `!=`, `<`, `<=`, `>`, `>=`, `~=`, `in` and `not in`",
                ));
            }
        };
        let (right, right_range) = self.value()?;
        let whole = left_range.start..right_range.end;
        self.comparisons += 1;
        if self.comparisons > MOST_COMPARISONS {
            return Err(Fault::marker(
                whole,
                format!("more than {MOST_COMPARISONS} comparisons in one marker"),
                "split the requirement into several lines",
            ));
        }
        let written = check_comparison(left, operator, right, &whole, &operator_range)?;
        self.rewritten.push_str(&written);
        Ok(())
    }

    fn value(&mut self) -> Result<(Token<'a>, Range<usize>), Fault> {
        match self.tokens.next() {
            Some((token @ Token::Quoted(_), range)) => Ok((token, range)),
            Some((Token::Name(name), range)) => {
                let known = [VERSIONS, STRINGS, OLD_STRINGS].concat();
                if name == "extra" || known.contains(&name) {
                    return Ok((Token::Name(name), range));
                }
                let advice = match nearest(name, known.into_iter().chain(["extra"])) {
                    Some(nearest) => format!("did you mean `{nearest}`?"),
                    None => "values are quoted; the variables are those of PEP 508".to_owned(),
                };
                Err(Fault::marker(
                    range,
                    format!("`{name}` is no variable of markers"),
                    advice,
                ))
            }
            other => {
                let end = self.text.len();
                Err(Fault::marker(
                    other.map_or(end..end, |(_, range)| range),
                    "expected a variable or a quoted value",
                    "write a marker as in `python_version >= \"3.10\"`",
                ))
            }
        }
    }

    fn take(&mut self, token: Token<'a>) -> Option<Range<usize>> {
        self.tokens
            .next_if(|next| next.0 == token)
            .map(|(_, range)| range)
    }
}

/// Checks one comparison and writes it as `pep508_rs` wants it.
fn check_comparison(
    left: Token<'_>,
    operator: &str,
    right: Token<'_>,
    whole: &Range<usize>,
    operator_range: &Range<usize>,
) -> Result<String, Fault> {
    let ((Token::Name(name), Token::Quoted(value)) | (Token::Quoted(value), Token::Name(name))) =
        (left, right)
    else {
        return Err(Fault::marker(
            whole.clone(),
            "a comparison needs a variable on one side and a quoted value on the other",
            "compare a variable with a quoted value, as in `python_version >= \"3.10\"`",
        ));
    };
    let is_version = VERSIONS.contains(&name);
    if operator == "~=" && !is_version {
        return Err(Fault::marker(
            operator_range.clone(),
            format!("`~=` compares versions, and `{name}` is none"),
            "use `==` or `in`",
        ));
    }
    // `python_version in "3.9, 3.10"` is common; `packaging` looks for a substring, and
    // `pep508_rs` for a list without commas.
    let is_list = is_version && operator.ends_with("in");
    let value = if is_list {
        value.replace(',', " ")
    } else {
        value.to_owned()
    };
    let quote = if value.contains('"') { '\'' } else { '"' };
    let quoted = format!("{quote}{value}{quote}");
    let written = match left {
        Token::Quoted(_) => format!("{quoted} {operator} {name}"),
        _ => format!("{name} {operator} {quoted}"),
    };
    let mut complaint = None;
    let alone =
        MarkerTree::parse_reporter(&written, &mut |_: MarkerWarningKind, message: String| {
            complaint.get_or_insert(message);
        });
    match (alone, complaint) {
        (Ok(_), None) => Ok(written),
        (Ok(_), Some(message)) => Err(not_understood(whole.clone(), &message)),
        (Err(error), _) => Err(not_understood(whole.clone(), &error.message.to_string())),
    }
}
