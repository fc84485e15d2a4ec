//! Reads the keys of one table of the settings, and tells those that there are not.

use std::collections::BTreeMap;

use pep508_rs::{ExtraName, PackageName};
use toml::de::{DeTable, DeValue};

use super::format_control::{FormatControl, FormatOption};
use super::nearest::nearest;
use super::paths::FilePath;
use super::settings::{IndexSettings, Located};
use super::text::SourceText;
use super::toml_text::{self, Value};
use super::{RequestError, names, url_text};

/// Settings that a file must not make, with what to do instead.
const COMMAND_LINE_ONLY: &[(&str, &str)] = &[
    (
        "ignore-rule",
        "what loosens the rules stands on the command line, where it is seen: `--ignore-rule ID`",
    ),
    ("upgrade", ONE_RUN),
    ("upgrade-package", ONE_RUN),
    ("check", ONE_RUN),
    ("dry-run", ONE_RUN),
    ("offline", ONE_RUN),
    ("output", "name the project's locks in the table `outputs`"),
    (
        "output-file",
        "name the project's locks in the table `outputs`",
    ),
];
const ONE_RUN: &str = "give it on the command line of the run that needs it";

/// Whether a text is a URL or a path, and not a name.
fn is_place(text: &str) -> bool {
    text.contains(['/', '\\', ':'])
}

/// A table whose keys are taken one by one.
pub(super) struct Keys<'v, 'i> {
    source: &'v SourceText,
    path: &'v FilePath,
    table: &'v DeTable<'i>,
    /// The table's own name with a dot, empty for the outermost.
    prefix: String,
    /// Where the table stands.
    span: std::ops::Range<usize>,
    /// The keys that were asked for: there are no others.
    known: Vec<&'static str>,
}

impl<'v, 'i> Keys<'v, 'i> {
    pub(super) fn new(
        source: &'v SourceText,
        path: &'v FilePath,
        table: &'v DeTable<'i>,
        prefix: String,
    ) -> Self {
        Self {
            source,
            path,
            table,
            prefix,
            span: 0..0,
            known: Vec::new(),
        }
    }

    fn at(self, span: std::ops::Range<usize>) -> Self {
        Self { span, ..self }
    }

    fn take(&mut self, key: &'static str) -> Option<&'v Value<'i>> {
        self.known.push(key);
        self.table.get(key)
    }

    fn full(&self, key: &str) -> String {
        format!("{}{key}", self.prefix)
    }

    fn located<T>(&self, value: &Value<'_>, found: T) -> Located<T> {
        Located {
            value: found,
            place: self.source.place(value.span().start),
        }
    }

    fn wrong(&self, value: &Value<'_>, key: &str, expected: &str) -> RequestError {
        toml_text::wrong(self.source, value, &self.full(key), expected)
    }

    /// A text.
    pub(super) fn text(
        &mut self,
        key: &'static str,
    ) -> Result<Option<Located<String>>, RequestError> {
        self.take(key)
            .map(|value| self.one_text(value, key, "a text in quotes"))
            .transpose()
    }

    fn one_text(
        &self,
        value: &Value<'_>,
        key: &str,
        expected: &str,
    ) -> Result<Located<String>, RequestError> {
        match value.get_ref() {
            DeValue::String(text) => Ok(self.located(value, text.clone().into_owned())),
            _ => Err(self.wrong(value, key, expected)),
        }
    }

    /// A date or an instant, in quotes or as TOML has it.
    pub(super) fn date(
        &mut self,
        key: &'static str,
    ) -> Result<Option<Located<String>>, RequestError> {
        let Some(value) = self.take(key) else {
            return Ok(None);
        };
        if let DeValue::Datetime(date) = value.get_ref() {
            return Ok(Some(self.located(value, date.to_string())));
        }
        self.one_text(value, key, "a date such as `2026-11-01`, or an instant")
            .map(Some)
    }

    /// A text that must be there.
    pub(super) fn required(
        &mut self,
        key: &'static str,
        expected: &str,
    ) -> Result<Located<String>, RequestError> {
        match self.text(key)? {
            Some(text) => Ok(text),
            None => Err(RequestError::WrongValue {
                at: self.source.excerpt(self.span.clone()),
                key: self.full(key),
                expected: expected.to_owned(),
                found: "nothing".to_owned(),
            }),
        }
    }

    /// One text or an array of them.
    pub(super) fn texts(
        &mut self,
        key: &'static str,
    ) -> Result<Vec<Located<String>>, RequestError> {
        let Some(value) = self.take(key) else {
            return Ok(Vec::new());
        };
        let expected = "a text in quotes or an array of them";
        match value.get_ref() {
            DeValue::Array(array) => array
                .iter()
                .map(|element| self.one_text(element, key, expected))
                .collect(),
            _ => Ok(vec![self.one_text(value, key, expected)?]),
        }
    }

    /// A path: it counts from the folder of the settings file.
    pub(super) fn path(
        &mut self,
        key: &'static str,
    ) -> Result<Option<Located<String>>, RequestError> {
        let path = self.text(key)?;
        Ok(path.map(|path| self.resolve(path)))
    }

    /// One path or an array of them.
    pub(super) fn paths(
        &mut self,
        key: &'static str,
    ) -> Result<Vec<Located<String>>, RequestError> {
        let paths = self.texts(key)?;
        Ok(paths.into_iter().map(|path| self.resolve(path)).collect())
    }

    fn resolve(&self, path: Located<String>) -> Located<String> {
        let value = if path.value.contains("://") {
            path.value
        } else {
            self.path.include(&path.value).read
        };
        Located {
            value,
            place: path.place,
        }
    }

    /// `true` or `false`.
    pub(super) fn switch(
        &mut self,
        key: &'static str,
    ) -> Result<Option<Located<bool>>, RequestError> {
        let Some(value) = self.take(key) else {
            return Ok(None);
        };
        match value.get_ref() {
            DeValue::Boolean(on) => Ok(Some(self.located(value, *on))),
            _ => Err(self.wrong(value, key, "`true` or `false`")),
        }
    }

    /// One of a few words.
    pub(super) fn choice<T: Copy>(
        &mut self,
        key: &'static str,
        choices: &[(&str, T)],
    ) -> Result<Option<Located<T>>, RequestError> {
        let Some(value) = self.take(key) else {
            return Ok(None);
        };
        let chosen = value
            .get_ref()
            .as_str()
            .and_then(|text| choices.iter().find(|(word, _)| *word == text));
        let Some((_, choice)) = chosen else {
            let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
            let expected = format!("`{}`", words.join("` or `"));
            return Err(self.wrong(value, key, &expected));
        };
        Ok(Some(self.located(value, *choice)))
    }

    /// Names of distributions, `:all:` and `:none:`.
    pub(super) fn formats(
        &mut self,
        key: &'static str,
    ) -> Result<Vec<Located<String>>, RequestError> {
        let found = self.texts(key)?;
        for format in &found {
            if let Err(part) = FormatControl::default().take(FormatOption::NoBinary, &format.value)
            {
                return Err(self.wrong_at(key, format, "names, `:all:` or `:none:`", &part));
            }
        }
        Ok(found)
    }

    /// Names of extras.
    pub(super) fn extras(
        &mut self,
        key: &'static str,
    ) -> Result<Vec<Located<ExtraName>>, RequestError> {
        let found = self.texts(key)?;
        found
            .into_iter()
            .map(|extra| match names::extra(&extra.value) {
                Some(name) => Ok(Located {
                    value: name,
                    place: extra.place,
                }),
                None => Err(self.wrong_at(key, &extra, "the name of an extra", &extra.value)),
            })
            .collect()
    }

    /// The error for a text that was located before it was looked at.
    fn wrong_at(
        &self,
        key: &str,
        text: &Located<String>,
        expected: &str,
        found: &str,
    ) -> RequestError {
        RequestError::WrongValue {
            at: self.source.excerpt_at(&text.place, text.value.len() + 2),
            key: self.full(key),
            expected: expected.to_owned(),
            found: format!("`{}`", url_text::blot(found)),
        }
    }

    /// A table whose values are names of distributions.
    pub(super) fn names(
        &mut self,
        key: &'static str,
    ) -> Result<BTreeMap<String, Located<PackageName>>, RequestError> {
        self.entries(key)?
            .into_iter()
            .map(|(inner, value)| {
                let name = value.get_ref().as_str().and_then(names::package);
                match name {
                    Some(name) => Ok((inner, self.located(value, name))),
                    None => Err(self.wrong(
                        value,
                        &format!("{key}.{inner}"),
                        "the name of a distribution in quotes",
                    )),
                }
            })
            .collect()
    }

    /// A table of distributions with the index that each comes from: `torch = "URL"`
    /// or `torch = { index = "URL" }`, where a name may stand for the URL.
    pub(super) fn sources(
        &mut self,
        key: &'static str,
    ) -> Result<BTreeMap<PackageName, Located<String>>, RequestError> {
        let mut sources = BTreeMap::new();
        for (inner, value) in self.entries(key)? {
            let full = format!("{key}.{inner}");
            let Some(name) = names::package(&inner) else {
                let expected = "an index for a distribution, under the distribution's name";
                return Err(self.wrong(value, &full, expected));
            };
            let index = match value.get_ref() {
                DeValue::Table(table) => {
                    let prefix = format!("{}{full}.", self.prefix);
                    let mut keys = Keys::new(self.source, self.path, table, prefix);
                    let index = keys.text("index")?;
                    keys.finish()?;
                    index
                }
                DeValue::String(_) => Some(self.one_text(value, &full, "")?),
                _ => None,
            };
            let Some(index) = index else {
                return Err(self.wrong(value, &full, "`{ index = \"URL\" }`"));
            };
            sources.insert(name, index);
        }
        Ok(sources)
    }

    /// A table of tables.
    pub(super) fn tables<T>(
        &mut self,
        key: &'static str,
        read: impl Fn(Keys<'v, 'i>) -> Result<T, RequestError>,
    ) -> Result<BTreeMap<String, T>, RequestError> {
        let mut tables = BTreeMap::new();
        for (inner, value) in self.entries(key)? {
            let full = self.full(&format!("{key}.{inner}"));
            let table = toml_text::table(self.source, value, &full)?;
            let keys = Keys::new(self.source, self.path, table, format!("{full}."));
            tables.insert(inner, read(keys)?);
        }
        Ok(tables)
    }

    /// An array of tables.
    pub(super) fn array<T>(
        &mut self,
        key: &'static str,
        read: impl Fn(Keys<'v, 'i>) -> Result<T, RequestError>,
    ) -> Result<Vec<T>, RequestError> {
        let Some(value) = self.take(key) else {
            return Ok(Vec::new());
        };
        let full = self.full(key);
        let DeValue::Array(array) = value.get_ref() else {
            return Err(self.wrong(value, key, &format!("tables that begin with `[[{full}]]`")));
        };
        array
            .iter()
            .map(|element| {
                let table = toml_text::table(self.source, element, &full)?;
                let keys = Keys::new(self.source, self.path, table, format!("{full}."));
                read(keys.at(element.span()))
            })
            .collect()
    }

    /// Each named index has its own name, and each source is a URL, a path or one of them.
    pub(super) fn check_indexes<'k>(
        &self,
        indexes: &[IndexSettings],
        sources: impl Iterator<Item = &'k Located<String>>,
    ) -> Result<(), RequestError> {
        for (place, index) in indexes.iter().enumerate() {
            let name = &index.name;
            if is_place(&name.value) || name.value.is_empty() {
                let expected = "a name, which is no URL or path";
                return Err(self.wrong_at("index.name", name, expected, &name.value));
            }
            let before = indexes.get(..place).unwrap_or_default();
            if before.iter().any(|other| other.name.value == name.value) {
                let expected = "a name that no other index has";
                return Err(self.wrong_at("index.name", name, expected, &name.value));
            }
        }
        for source in sources {
            let names = || indexes.iter().map(|index| index.name.value.as_str());
            if is_place(&source.value) || names().any(|name| name == source.value) {
                continue;
            }
            let expected = match nearest(&source.value, names()) {
                Some(nearest) => format!("a URL, or the name of an index, perhaps `{nearest}`"),
                None => "a URL, or the name of one of the `[[index]]` tables".to_owned(),
            };
            return Err(self.wrong_at("sources", source, &expected, &source.value));
        }
        Ok(())
    }

    fn entries(&mut self, key: &'static str) -> Result<Vec<(String, &'v Value<'i>)>, RequestError> {
        let Some(value) = self.take(key) else {
            return Ok(Vec::new());
        };
        let table = toml_text::table(self.source, value, &self.full(key))?;
        let entries = table.iter();
        Ok(entries
            .map(|(inner, value)| (inner.get_ref().clone().into_owned(), value))
            .collect())
    }

    /// The error for a name that is none of those that are set elsewhere.
    pub(super) fn check_known<'k>(
        &self,
        key: &str,
        name: &Located<String>,
        mut known: impl Iterator<Item = &'k String> + Clone,
    ) -> Result<(), RequestError> {
        if known.clone().any(|known| *known == name.value) {
            return Ok(());
        }
        let expected = match nearest(&name.value, known.by_ref().map(String::as_str)) {
            Some(nearest) => format!("one of the table `targets`, perhaps `{nearest}`"),
            None => "one of the table `targets`".to_owned(),
        };
        Err(self.wrong_at(key, name, &expected, &name.value))
    }

    /// Tells the first key that was not asked for.
    pub(super) fn finish(&self) -> Result<(), RequestError> {
        for key in self.table.keys() {
            let written = key.get_ref().as_ref();
            if self.known.contains(&written) {
                continue;
            }
            let at = self.source.excerpt(key.span());
            let reserved = COMMAND_LINE_ONLY.iter().find(|(name, _)| *name == written);
            if let Some((_, reason)) = reserved {
                return Err(RequestError::CommandLineOnly {
                    at,
                    key: self.full(written),
                    reason,
                });
            }
            return Err(RequestError::UnknownKey {
                at,
                key: self.full(written),
                nearest: nearest(written, self.known.iter().copied()).map(str::to_owned),
            });
        }
        Ok(())
    }
}
