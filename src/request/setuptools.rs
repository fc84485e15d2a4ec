//! `[tool.setuptools.dynamic]`: dependencies that setuptools takes from files, which
//! can be read without running anything.

use std::sync::Arc;

use pep508_rs::ExtraName;
use toml::de::{DeTable, DeValue};

use super::inputs::Role;
use super::paths::FilePath;
use super::requirements_file::Reader;
use super::text::SourceText;
use super::toml_text::{self, TomlString, Value};
use super::{RequestError, names, setup_cfg};

/// The table, where setuptools builds the project (it does where nothing else is named).
pub(super) fn dynamic<'v, 'i>(document: &'v DeTable<'i>) -> Option<&'v DeTable<'i>> {
    let backend = document
        .get("build-system")
        .and_then(|system| system.get_ref().as_table()?.get("build-backend"))
        .and_then(|backend| backend.get_ref().as_str());
    if backend.is_some_and(|backend| !backend.starts_with("setuptools")) {
        return None;
    }
    let inner = |table: &'v DeTable<'i>, key: &str| table.get(key)?.get_ref().as_table();
    inner(inner(inner(document, "tool")?, "setuptools")?, "dynamic")
}

/// The extras that files list, with what lists them.
pub(super) fn extras<'v, 'i>(
    dynamic: &'v DeTable<'i>,
) -> Option<Vec<(ExtraName, String, &'v Value<'i>)>> {
    let table = dynamic.get("optional-dependencies")?.get_ref().as_table()?;
    let extras = table.iter().filter_map(|(key, value)| {
        let written = key.get_ref();
        Some((names::extra(written)?, written.clone().into_owned(), value))
    });
    Some(extras.collect())
}

/// Reads the requirements of `{ file = "requirements.in" }`, or of several files.
pub(super) fn read(
    reader: &mut Reader<'_>,
    source: &SourceText,
    path: &FilePath,
    role: Role,
    value: &Value<'_>,
) -> Result<(), RequestError> {
    const KEY: &str = "tool.setuptools.dynamic";
    let expected = "`{ file = \"NAME\" }`";
    let table = toml_text::table(source, value, KEY)?;
    let file = table
        .get("file")
        .ok_or_else(|| toml_text::wrong(source, value, KEY, expected))?;
    let files: Vec<TomlString<'_>> = match file.get_ref() {
        DeValue::Array(files) => files
            .iter()
            .map(|file| toml_text::string(source, file, KEY))
            .collect::<Result<_, _>>()?,
        _ => vec![toml_text::string(source, file, KEY)?],
    };
    for file in files {
        let named = path.include(file.value.trim());
        let by = source.excerpt(file.range);
        let bytes = reader.bytes(&named, Some(&by))?;
        let text = SourceText::decode_utf8(&Arc::from(named.shown.as_str()), &bytes)?;
        setup_cfg::listed(reader, &text, role)?;
    }
    Ok(())
}
