//! A marker's text (PEP 508), before `pep508_rs` reads it.

use std::str::FromStr;

use pep508_rs::ExtraName;

use super::repair::{self, Repair};

/// How deeply parentheses may be nested; the parser behind this recurses.
const DEEPEST: usize = 32;

/// A marker's text with one space between its tokens, repaired as the published list allows.
pub(super) struct MarkerText {
    pub(super) text: String,
    pub(super) repairs: Vec<Repair>,
    tokens: Vec<String>,
}

impl MarkerText {
    /// Splits a marker into its tokens.
    ///
    /// # Errors
    ///
    /// What is wrong with it, in words.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let mut tokens = tokens(text)?;
        let mut depth = 0_usize;
        for token in &tokens {
            match token.as_str() {
                "(" => depth += 1,
                ")" => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth > DEEPEST {
                return Err(format!(
                    "a marker has more than {DEEPEST} nested parentheses"
                ));
            }
        }
        let mut repairs = Vec::new();
        for position in 0..tokens.len() {
            if let Some(what) = repair_value(&mut tokens, position) {
                repairs.push(Repair {
                    before: text.to_owned(),
                    after: tokens.join(" "),
                    what,
                });
            }
        }
        Ok(Self {
            text: tokens.join(" "),
            repairs,
            tokens,
        })
    }

    /// The extras that the marker names.
    pub(super) fn extras(&self) -> Vec<ExtraName> {
        let is_text = |token: &str| token.starts_with(['"', '\'']);
        self.tokens
            .windows(3)
            .filter_map(|window| match window {
                [left, _, right] if left == "extra" && is_text(right) => Some(right),
                [left, _, right] if right == "extra" && is_text(left) => Some(left),
                _ => None,
            })
            .filter_map(|value| ExtraName::from_str(value.trim_matches(['"', '\''])).ok())
            .collect()
    }
}

/// Repairs the token at `position` where it is a version compared with a variable.
fn repair_value(tokens: &mut [String], position: usize) -> Option<&'static str> {
    let (before, after) = tokens.split_at_mut_checked(position)?;
    let value = after.first_mut()?;
    let is_version = |variable: &str| {
        matches!(
            variable,
            "python_version" | "python_full_version" | "implementation_version"
        )
    };
    match before {
        // By PEP 508 this asks whether one text is within the other, so that any separator
        // does; `pep508_rs` reads a list of versions separated by spaces.
        [.., variable, operator] | [.., variable, _, operator]
            if operator == "in" && is_version(variable) =>
        {
            *value = value.replace(',', " ");
            None
        }
        [.., variable, operator] if is_version(variable) => {
            let quote = value
                .chars()
                .next()
                .filter(|first| matches!(first, '"' | '\''))?;
            let inner = value.trim_matches(quote);
            let is_ordered = matches!(operator.as_str(), "<" | "<=" | ">" | ">=");
            let (bare, what) = match (inner.strip_suffix(".*"), inner.strip_suffix('.')) {
                (Some(bare), _) if is_ordered => (bare, repair::STAR),
                (_, Some(bare)) => (bare, repair::DOT),
                _ => return None,
            };
            *value = format!("{quote}{bare}{quote}");
            Some(what)
        }
        _ => None,
    }
}

fn tokens(text: &str) -> Result<Vec<String>, String> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '(' | ')' => 1,
            '"' | '\'' => {
                rest.get(1..)
                    .and_then(|after| after.find(first))
                    .ok_or_else(|| format!("expected {first} at the end of the marker `{text}`"))?
                    + 2
            }
            '<' | '>' | '=' | '!' | '~' => end_of(rest, |character| {
                matches!(character, '<' | '>' | '=' | '!' | '~')
            }),
            _ => end_of(rest, |character| {
                character.is_ascii_alphanumeric() || matches!(character, '_' | '.')
            }),
        };
        if length == 0 {
            return Err(format!("unexpected `{first}` in the marker `{text}`"));
        }
        let (token, after) = rest.split_at(length);
        tokens.push(token.to_owned());
        rest = after.trim_start();
    }
    Ok(tokens)
}

fn end_of(text: &str, is_part: impl Fn(char) -> bool) -> usize {
    text.find(|character| !is_part(character))
        .unwrap_or(text.len())
}
