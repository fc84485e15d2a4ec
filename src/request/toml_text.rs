//! TOML with places: what is read keeps the bytes where it stands.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::RequestError;
use super::text::SourceText;

/// A value of a document, with its place.
pub(super) type Value<'i> = Spanned<DeValue<'i>>;

/// A string of a document.
#[derive(Debug, Clone)]
pub(super) struct TomlString<'v> {
    /// The string's value.
    pub(super) value: &'v str,
    /// The bytes of the value in the file, quotes and what the file adds left out.
    pub(super) range: Range<usize>,
    /// Whether the value stands in the file as it is, without escapes.
    pub(super) verbatim: bool,
}

impl TomlString<'_> {
    /// Where a piece of the value stands in the file; the whole of it where escapes
    /// make the two differ.
    pub(super) fn piece(&self, piece: Range<usize>) -> Range<usize> {
        if self.verbatim {
            self.range.start + piece.start..self.range.start + piece.end
        } else {
            self.range.clone()
        }
    }
}

/// Reads a document.
pub(super) fn parse(source: &SourceText) -> Result<Spanned<DeTable<'_>>, RequestError> {
    DeTable::parse(source.text()).map_err(|error| RequestError::MalformedToml {
        at: source.excerpt(error.span().unwrap_or(0..0)),
        // The library's words may come in several lines.
        detail: error.message().lines().collect::<Vec<_>>().join("; "),
    })
}

/// The error for a value that is not what a key needs.
pub(super) fn wrong(
    source: &SourceText,
    value: &Value<'_>,
    key: &str,
    expected: &str,
) -> RequestError {
    let found = match value.get_ref() {
        DeValue::String(text) if text.len() <= 40 => format!("`{text}`"),
        DeValue::String(_) => "another text".to_owned(),
        DeValue::Integer(number) => format!("the number {}", number.as_str()),
        DeValue::Float(number) => format!("the number {}", number.as_str()),
        DeValue::Boolean(value) => format!("`{value}`"),
        DeValue::Datetime(_) => "a date".to_owned(),
        DeValue::Array(_) => "an array".to_owned(),
        DeValue::Table(_) => "a table".to_owned(),
    };
    RequestError::WrongValue {
        at: source.excerpt(value.span()),
        key: key.to_owned(),
        expected: expected.to_owned(),
        found: super::url_text::blot(&found),
    }
}

/// A table.
pub(super) fn table<'v, 'i>(
    source: &SourceText,
    value: &'v Value<'i>,
    key: &str,
) -> Result<&'v DeTable<'i>, RequestError> {
    value
        .get_ref()
        .as_table()
        .ok_or_else(|| wrong(source, value, key, "a table"))
}

/// An array's elements.
pub(super) fn array<'v, 'i>(
    source: &SourceText,
    value: &'v Value<'i>,
    key: &str,
) -> Result<&'v [Value<'i>], RequestError> {
    match value.get_ref() {
        DeValue::Array(array) => Ok(array),
        _ => Err(wrong(source, value, key, "an array")),
    }
}

/// A string.
pub(super) fn string<'v>(
    source: &SourceText,
    value: &'v Value<'_>,
    key: &str,
) -> Result<TomlString<'v>, RequestError> {
    let DeValue::String(text) = value.get_ref() else {
        return Err(wrong(source, value, key, "a text in quotes"));
    };
    let span = value.span();
    let raw = source.text().get(span.clone()).unwrap_or_default();
    let opening = [
        "\"\"\"\r\n",
        "\"\"\"\n",
        "\"\"\"",
        "'''\r\n",
        "'''\n",
        "'''",
        "\"",
        "'",
    ]
    .into_iter()
    .find(|opening| raw.starts_with(opening))
    .map_or(0, str::len);
    let start = span.start + opening;
    let verbatim = source.text().get(start..start + text.len()) == Some(text);
    let range = if verbatim {
        start..start + text.len()
    } else {
        start..span.end.max(start)
    };
    Ok(TomlString {
        value: text,
        range,
        verbatim,
    })
}
