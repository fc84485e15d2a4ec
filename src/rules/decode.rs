//! Reads TOML tables by their known keys, with the place of everything that is wrong.
//!
//! Written on the parsed document instead of serde's derive, so that an error keeps the
//! span of its key or value and can name the nearest key that exists for the rule's kind.

use std::ops::Range;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeArray, DeString, DeTable, DeValue};

use super::{RuleError, RuleErrorKind, RulePlace};

/// One rule's file.
#[derive(Debug, Clone)]
pub(super) struct SourceFile {
    /// As messages name it.
    pub(super) name: Arc<str>,
    /// Its text.
    pub(super) text: Arc<str>,
}

impl SourceFile {
    /// An error at these bytes of the file.
    pub(super) fn error(&self, kind: RuleErrorKind, span: Range<usize>) -> RuleError {
        let place = RulePlace::new(Arc::clone(&self.name), Arc::clone(&self.text), span);
        RuleError::new(kind, place)
    }
}

/// A value with its key and its place.
#[derive(Debug, Clone)]
pub(super) struct Entry<'a, T> {
    pub(super) key: &'a str,
    pub(super) value: T,
    pub(super) span: Range<usize>,
}

impl<'a, T> Entry<'a, T> {
    fn with<U>(&self, value: U) -> Entry<'a, U> {
        Entry {
            key: self.key,
            value,
            span: self.span.clone(),
        }
    }
}

type Raw<'a> = Entry<'a, &'a DeValue<'a>>;

/// A table, whose keys have been checked.
pub(super) struct Table<'a> {
    source: &'a SourceFile,
    /// As messages name it: "the rule", "`when`".
    name: String,
    values: &'a DeTable<'a>,
    pub(super) span: Range<usize>,
}

impl<'a> Table<'a> {
    /// The table of these values, if all their keys are among those of `allowed`.
    pub(super) fn new(
        source: &'a SourceFile,
        name: String,
        values: &'a DeTable<'a>,
        span: Range<usize>,
        allowed: &[&[&str]],
    ) -> Result<Self, RuleError> {
        for key in values.keys() {
            let known = || allowed.iter().copied().flatten().copied();
            if !known().any(|name| name == key.get_ref()) {
                let kind = RuleErrorKind::UnknownKey {
                    key: key.get_ref().to_string(),
                    table: name,
                };
                return Err(source
                    .error(kind, key.span())
                    .with_help(nearest(key.get_ref(), known())));
            }
        }
        Ok(Self {
            source,
            name,
            values,
            span,
        })
    }

    /// The value of a key, where it is there.
    pub(super) fn get(&self, key: &'static str) -> Option<Raw<'a>> {
        self.values.get(key).map(|value| Entry {
            key,
            value: value.get_ref(),
            span: value.span(),
        })
    }

    /// The value of a key that must be there.
    pub(super) fn require(&self, key: &'static str) -> Result<Raw<'a>, RuleError> {
        self.get(key).ok_or_else(|| {
            let kind = RuleErrorKind::MissingKey {
                key: key.to_owned(),
                table: self.name.clone(),
            };
            self.source
                .error(kind, self.span.clone())
                .with_help(format!("add `{key} = …`"))
        })
    }

    /// The text of a key that must be there.
    pub(super) fn require_text(&self, key: &'static str) -> Result<Entry<'a, &'a str>, RuleError> {
        self.text(&self.require(key)?)
    }

    /// The text of a key, where it is there.
    pub(super) fn get_text(
        &self,
        key: &'static str,
    ) -> Result<Option<Entry<'a, &'a str>>, RuleError> {
        self.get(key).map(|raw| self.text(&raw)).transpose()
    }

    /// The value as text: one line, not empty.
    pub(super) fn text(&self, raw: &Raw<'a>) -> Result<Entry<'a, &'a str>, RuleError> {
        let text = raw
            .value
            .as_str()
            .ok_or_else(|| self.wrong_type(raw, "a string"))?;
        if text.trim().is_empty() || text.contains('\n') {
            let kind = RuleErrorKind::Text {
                key: raw.key.to_owned(),
            };
            return Err(self.source.error(kind, raw.span.clone()));
        }
        Ok(raw.with(text))
    }

    /// The truth value of a key; false where it is not there.
    pub(super) fn flag(&self, key: &'static str) -> Result<bool, RuleError> {
        self.get(key).map_or(Ok(false), |raw| {
            raw.value
                .as_bool()
                .ok_or_else(|| self.wrong_type(&raw, "true or false"))
        })
    }

    /// The texts of a key: an array of strings, or one string.
    pub(super) fn texts(&self, raw: &Raw<'a>) -> Result<Vec<Entry<'a, &'a str>>, RuleError> {
        match raw.value {
            DeValue::String(_) => Ok(vec![self.text(raw)?]),
            DeValue::Array(array) => array
                .iter()
                .map(|item| self.text(&element(raw.key, item)))
                .collect(),
            _ => Err(self.wrong_type(raw, "a string or an array of strings")),
        }
    }

    /// The table under a key that must be there.
    pub(super) fn require_table(
        &self,
        key: &'static str,
        allowed: &[&[&str]],
    ) -> Result<Table<'a>, RuleError> {
        let raw = self.require(key)?;
        let table = raw
            .value
            .as_table()
            .ok_or_else(|| self.wrong_type(&raw, "a table"))?;
        Table::new(self.source, format!("`{key}`"), table, raw.span, allowed)
    }

    /// The tables under a key: `[[key]]`, any number of times.
    pub(super) fn tables(
        &self,
        key: &'static str,
        allowed: &[&[&str]],
    ) -> Result<Vec<Table<'a>>, RuleError> {
        let Some(raw) = self.get(key) else {
            return Ok(Vec::new());
        };
        let expected = "an array of tables";
        let array: &'a DeArray<'a> = raw
            .value
            .as_array()
            .ok_or_else(|| self.wrong_type(&raw, expected))?;
        array
            .iter()
            .map(|item| {
                let table = item
                    .get_ref()
                    .as_table()
                    .ok_or_else(|| self.wrong_type(&element(key, item), expected))?;
                let name = format!("`[[{key}]]`");
                Table::new(self.source, name, table, item.span(), allowed)
            })
            .collect()
    }

    /// Every key of the table with its value.
    pub(super) fn entries(&self) -> impl Iterator<Item = Raw<'a>> + use<'a> {
        self.values.iter().map(|(key, value)| Entry {
            key: key.get_ref() as &DeString<'a>,
            value: value.get_ref(),
            span: value.span(),
        })
    }

    /// That a value has another type than expected.
    pub(super) fn wrong_type(&self, raw: &Raw<'_>, expected: &'static str) -> RuleError {
        let kind = RuleErrorKind::WrongType {
            key: raw.key.to_owned(),
            expected,
            found: raw.value.type_str(),
        };
        self.source.error(kind, raw.span.clone())
    }

    /// One of a few words; which one, by its place in `words`.
    pub(super) fn word(
        &self,
        entry: &Entry<'_, &str>,
        what: &'static str,
        words: &'static [&'static str],
    ) -> Result<&'static str, RuleError> {
        words
            .iter()
            .find(|word| **word == entry.value)
            .copied()
            .ok_or_else(|| {
                let kind = RuleErrorKind::UnknownValue {
                    what,
                    value: entry.value.to_owned(),
                };
                self.source
                    .error(kind, entry.span.clone())
                    .with_help(nearest(entry.value, words.iter().copied()))
            })
    }

    /// An error at an entry.
    pub(super) fn error<T>(&self, kind: RuleErrorKind, entry: &Entry<'_, T>) -> RuleError {
        self.source.error(kind, entry.span.clone())
    }
}

fn element<'a>(key: &'a str, item: &'a Spanned<DeValue<'a>>) -> Raw<'a> {
    Entry {
        key,
        value: item.get_ref(),
        span: item.span(),
    }
}

/// What to write instead of `word`: the nearest of those known, or all of them.
pub(super) fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.collect();
    let best = known
        .iter()
        .map(|name| (strsim::osa_distance(word, name), *name))
        .min();
    match best {
        Some((distance, name)) if distance <= 1 + word.len() / 3 => {
            format!("did you mean `{name}`?")
        }
        _ => format!("known are: {}", known.join(", ")),
    }
}
