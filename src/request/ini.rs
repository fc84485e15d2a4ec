//! setup.cfg's format, as Python's `configparser` reads it for setuptools: sections,
//! `key = value` or `key: value`, deeper indented lines continue a value, `#` and `;`
//! begin comment lines, nothing is interpolated.

use std::collections::BTreeMap;

use super::RequestError;
use super::text::SourceText;

/// A file's sections.
#[derive(Debug, Default)]
pub(super) struct Ini {
    sections: BTreeMap<String, BTreeMap<String, Value>>,
}

/// A value: its lines, each with the byte at which it stands.
#[derive(Debug, Default, Clone)]
pub(super) struct Value {
    lines: Vec<(String, usize)>,
    on_key_line: bool,
}

impl Value {
    /// The lines, trimmed, each with the byte at which it stands.
    pub(super) fn lines(&self) -> impl Iterator<Item = (&str, usize)> {
        self.lines.iter().map(|(line, at)| (line.as_str(), *at))
    }

    /// Whether the value begins on the line of its key.
    pub(super) fn starts_on_key_line(&self) -> bool {
        self.on_key_line
    }

    /// The whole value.
    pub(super) fn text(&self) -> String {
        let lines: Vec<&str> = self.lines().map(|(line, _)| line).collect();
        lines.join("\n")
    }
}

impl Ini {
    /// The value of a key.
    pub(super) fn get(&self, section: &str, key: &str) -> Option<&Value> {
        self.sections.get(section)?.get(key)
    }

    /// The keys of a section with their values, sorted.
    pub(super) fn section(&self, section: &str) -> impl Iterator<Item = (&str, &Value)> {
        self.sections
            .get(section)
            .into_iter()
            .flatten()
            .map(|(key, value)| (key.as_str(), value))
    }
}

/// Reads a file.
pub(super) fn parse(source: &SourceText) -> Result<Ini, RequestError> {
    let mut ini = Ini::default();
    let mut section: Option<String> = None;
    let mut key: Option<String> = None;
    let mut indent = 0;
    let mut start = 0;
    for line in source.text().split_inclusive('\n') {
        let at = start;
        start += line.len();
        let trimmed = line.trim();
        let own_indent = line.len() - line.trim_start().len();
        let range = at + own_indent..at + own_indent + trimmed.len();
        if trimmed.is_empty() || trimmed.starts_with(['#', ';']) {
            continue;
        }
        if let (Some(section), Some(key)) = (&section, &key)
            && own_indent > indent
        {
            let keys = ini.sections.entry(section.clone()).or_default();
            let value = keys.entry(key.clone()).or_default();
            value.lines.push((trimmed.to_owned(), range.start));
            continue;
        }
        indent = own_indent;
        if let Some(header) = trimmed.strip_prefix('[') {
            let name = header.split_once(']').map(|(name, _)| name.to_owned());
            let Some(name) = name else {
                return Err(RequestError::MalformedConfig {
                    at: source.excerpt(range),
                    expected: "a closing `]`".to_owned(),
                });
            };
            ini.sections.entry(name.clone()).or_default();
            section = Some(name);
            key = None;
            continue;
        }
        let (Some(section), Some((name, value))) = (&section, trimmed.split_once(['=', ':']))
        else {
            return Err(RequestError::MalformedConfig {
                at: source.excerpt(range),
                expected: "a section `[name]`, or `key = value` inside one".to_owned(),
            });
        };
        let value_at = range.end - value.trim_start().len();
        let value = value.trim();
        // setuptools takes `install-requires` for `install_requires`.
        let name = name.trim().to_lowercase().replace('-', "_");
        let mut lines = Vec::new();
        if !value.is_empty() {
            lines.push((value.to_owned(), value_at));
        }
        let keys = ini.sections.entry(section.clone()).or_default();
        let on_key_line = !lines.is_empty();
        keys.insert(name.clone(), Value { lines, on_key_line });
        key = Some(name);
    }
    Ok(ini)
}
