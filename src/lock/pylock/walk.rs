//! Walking a TOML document with the place of every value at hand.

use std::borrow::Cow;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::lock::LockError;

/// The document that is read, for places in messages.
#[derive(Clone, Copy)]
pub(super) struct Document<'a> {
    /// The text.
    pub(super) text: &'a str,
    /// The file, as the user named it.
    pub(super) file: &'a str,
}

/// A value, where it stands, and the keys that lead to it.
#[derive(Clone)]
pub(super) struct Node<'a> {
    document: Document<'a>,
    value: &'a DeValue<'a>,
    span: Range<usize>,
    key: String,
}

/// A table, where it stands, and the keys that lead to it.
#[derive(Clone)]
pub(super) struct Fields<'a> {
    document: Document<'a>,
    table: &'a DeTable<'a>,
    span: Range<usize>,
    key: String,
}

impl<'a> Document<'a> {
    /// Line and column of a byte, counted from 1; the column in characters.
    fn position(self, offset: usize) -> (u32, u32) {
        let mut end = offset.min(self.text.len());
        while !self.text.is_char_boundary(end) {
            end -= 1;
        }
        let before = self.text.get(..end).unwrap_or_default();
        let line = before.matches('\n').count();
        let column = before
            .rsplit('\n')
            .next()
            .map_or(0, |start| start.chars().count());
        let from_one = |count: usize| u32::try_from(count).unwrap_or(u32::MAX).saturating_add(1);
        (from_one(line), from_one(column))
    }

    /// The error for a text that is no TOML.
    pub(super) fn not_toml(self, error: &toml::de::Error) -> LockError {
        let (line, column) = self.position(error.span().map_or(0, |span| span.start));
        LockError::Toml {
            file: self.file.to_owned(),
            line,
            column,
            detail: error.message().to_owned(),
        }
    }

    /// The fields of the document itself.
    pub(super) fn fields(self, root: &'a Spanned<DeTable<'a>>) -> Fields<'a> {
        Fields {
            document: self,
            table: root.get_ref(),
            span: 0..0,
            key: String::new(),
        }
    }
}

impl<'a> Node<'a> {
    /// The error for this value.
    pub(super) fn error(&self, detail: impl Into<String>) -> LockError {
        malformed(self.document, &self.span, &self.key, detail.into())
    }

    /// The error for a `lock-version` that is not supported.
    pub(super) fn unsupported_version(&self, version: &str) -> LockError {
        let (line, column) = self.document.position(self.span.start);
        LockError::Version {
            file: self.document.file.to_owned(),
            line,
            column,
            version: version.to_owned(),
        }
    }

    fn expected(&self, what: &str) -> LockError {
        let found = match self.value {
            DeValue::String(_) => "a string",
            DeValue::Integer(_) => "an integer",
            DeValue::Float(_) => "a float",
            DeValue::Boolean(_) => "a boolean",
            DeValue::Datetime(_) => "a date-time",
            DeValue::Array(_) => "an array",
            DeValue::Table(_) => "a table",
        };
        self.error(format!("expected {what}, found {found}"))
    }

    /// The string.
    pub(super) fn string(&self) -> Result<&'a str, LockError> {
        match self.value {
            DeValue::String(text) => Ok(text),
            _ => Err(self.expected("a string")),
        }
    }

    /// The string as another type; `what` names it (`a version`).
    pub(super) fn parse<T: std::str::FromStr>(&self, what: &str) -> Result<T, LockError> {
        let text = self.string()?;
        text.parse()
            .map_err(|_| self.error(format!("`{text}` is not {what}")))
    }

    /// The boolean.
    pub(super) fn boolean(&self) -> Result<bool, LockError> {
        match self.value {
            DeValue::Boolean(value) => Ok(*value),
            _ => Err(self.expected("a boolean")),
        }
    }

    /// The integer, which must not be negative.
    pub(super) fn unsigned(&self) -> Result<u64, LockError> {
        match self.value {
            DeValue::Integer(value) => u64::from_str_radix(value.as_str(), value.radix())
                .ok()
                .filter(|value| i64::try_from(*value).is_ok())
                .ok_or_else(|| self.error("expected a number from 0 to 2^63 - 1")),
            _ => Err(self.expected("an integer")),
        }
    }

    /// The instant; one without an offset is in UTC, as the specification demands.
    pub(super) fn instant(&self) -> Result<jiff::Timestamp, LockError> {
        let DeValue::Datetime(value) = self.value else {
            return Err(self.expected("a date-time"));
        };
        let mut text = value.to_string();
        if value.offset.is_none() {
            text.push('Z');
        }
        text.parse()
            .map_err(|_| self.error(format!("`{value}` is not an instant in UTC")))
    }

    /// The value as JSON; numbers and date-times as texts.
    pub(super) fn json(&self) -> serde_json::Value {
        json(self.value)
    }

    /// The members of the array.
    pub(super) fn items(&self) -> Result<Vec<Node<'a>>, LockError> {
        let DeValue::Array(items) = self.value else {
            return Err(self.expected("an array"));
        };
        let nodes = items.iter().enumerate().map(|(index, item)| Node {
            document: self.document,
            value: item.get_ref(),
            span: item.span(),
            key: format!("{}[{index}]", self.key),
        });
        Ok(nodes.collect())
    }

    /// The strings of the array.
    pub(super) fn strings(&self) -> Result<Vec<String>, LockError> {
        self.items()?
            .iter()
            .map(|item| item.string().map(ToOwned::to_owned))
            .collect()
    }

    /// The fields of the table.
    pub(super) fn fields(&self) -> Result<Fields<'a>, LockError> {
        match self.value {
            DeValue::Table(table) => Ok(Fields {
                document: self.document,
                table,
                span: self.span.clone(),
                key: self.key.clone(),
            }),
            _ => Err(self.expected("a table")),
        }
    }
}

impl<'a> Fields<'a> {
    /// The error for this table.
    pub(super) fn error(&self, detail: impl Into<String>) -> LockError {
        malformed(self.document, &self.span, &self.key, detail.into())
    }

    /// The value of a key, where it is there.
    pub(super) fn get(&self, name: &str) -> Option<Node<'a>> {
        let value = self.table.get(name)?;
        Some(Node {
            document: self.document,
            value: value.get_ref(),
            span: value.span(),
            key: self.join(name),
        })
    }

    /// The value of a key that must be there.
    pub(super) fn required(&self, name: &str) -> Result<Node<'a>, LockError> {
        self.get(name)
            .ok_or_else(|| self.error(format!("it has no `{name}`, which it must have")))
    }

    /// The string of a key, where it is there.
    pub(super) fn string(&self, name: &str) -> Result<Option<String>, LockError> {
        self.get(name)
            .map(|node| node.string().map(ToOwned::to_owned))
            .transpose()
    }

    /// The strings of a key; none where it is not there.
    pub(super) fn strings(&self, name: &str) -> Result<Vec<String>, LockError> {
        self.get(name)
            .map_or_else(|| Ok(Vec::new()), |node| node.strings())
    }

    /// The fields of a table in this one, where it is there.
    pub(super) fn table(&self, name: &str) -> Result<Option<Fields<'a>>, LockError> {
        self.get(name).map(|node| node.fields()).transpose()
    }

    /// Every key with its value, in the document's order.
    pub(super) fn pairs(&self) -> Vec<(&'a str, Node<'a>)> {
        let pairs = self.table.iter().map(|(name, value)| {
            let name: &'a Cow<'a, str> = name.get_ref();
            let node = Node {
                document: self.document,
                value: value.get_ref(),
                span: value.span(),
                key: self.join(name),
            };
            (&**name, node)
        });
        pairs.collect()
    }

    fn join(&self, name: &str) -> String {
        if self.key.is_empty() {
            name.to_owned()
        } else {
            format!("{}.{name}", self.key)
        }
    }
}

fn json(value: &DeValue<'_>) -> serde_json::Value {
    match value {
        DeValue::String(text) => text.as_ref().into(),
        DeValue::Integer(value) => value.as_str().into(),
        DeValue::Float(value) => value.as_str().into(),
        DeValue::Boolean(value) => (*value).into(),
        DeValue::Datetime(value) => value.to_string().into(),
        DeValue::Array(items) => items.iter().map(|item| json(item.get_ref())).collect(),
        DeValue::Table(table) => table
            .iter()
            .map(|(name, value)| (name.get_ref().to_string(), json(value.get_ref())))
            .collect(),
    }
}

fn malformed(document: Document<'_>, span: &Range<usize>, key: &str, detail: String) -> LockError {
    let (line, column) = document.position(span.start);
    LockError::Malformed {
        file: document.file.to_owned(),
        line,
        column,
        key: if key.is_empty() { "the lock" } else { key }.to_owned(),
        detail,
    }
}
