//! setup.cfg: what setuptools reads from it without running anything.

use std::ops::Range;
use std::sync::Arc;

use super::ini::{self, Value};
use super::inputs::{BuildNeeded, BuildReason, RequiresPython, Role, Wanted};
use super::paths::FilePath;
use super::pyproject::Offered;
use super::requirements_file::{Found, Reader};
use super::text::SourceText;
use super::{RequestError, direct, names, specifier};

/// Reads a setup.cfg.
pub(super) fn read(
    reader: &mut Reader<'_>,
    path: &FilePath,
    role: Role,
    wanted: &Wanted,
) -> Result<Offered, RequestError> {
    let bytes = reader.bytes(path, None)?;
    let file: Arc<str> = path.shown.as_str().into();
    let source = SourceText::decode_utf8(&file, &bytes)?;
    let config = ini::parse(&source)?;
    if let Some(name) = config.get("metadata", "name")
        && let Some(name) = names::package(name.text().trim())
    {
        reader.inputs.projects.insert(Arc::clone(&file), name);
    }
    let mut offered = Offered::default();
    if computed(reader, path) {
        offered.extras_unknown = true;
        reader.inputs.builds.push(BuildNeeded {
            folder: path.folder(),
            file,
            role,
            reason: BuildReason::SetupPy,
        });
        return Ok(offered);
    }
    if let Some(value) = config.get("options", "python_requires") {
        requires_python(reader, &source, value)?;
    }
    if let Some(value) = config.get("options", "install_requires") {
        requirements(reader, &source, path, role, value)?;
    }
    for (key, value) in config.section("options.extras_require") {
        offered.extras.push(key.to_owned());
        let extra = names::extra(key);
        let asked = wanted.all_extras || extra.is_some_and(|extra| wanted.extras.contains(&extra));
        if asked {
            requirements(reader, &source, path, role, value)?;
        }
    }
    Ok(offered)
}

/// Whether a setup.py beside it says something of the requirements as well: then
/// setup.cfg is not the whole truth.
fn computed(reader: &Reader<'_>, path: &FilePath) -> bool {
    let setup = path.include("setup.py").readable();
    if !reader.sources.is_file(&setup) {
        return false;
    }
    reader.sources.read(&setup).is_ok_and(|bytes| {
        let text = String::from_utf8_lossy(&bytes);
        text.contains("install_requires") || text.contains("extras_require")
    })
}

fn requires_python(
    reader: &mut Reader<'_>,
    source: &SourceText,
    value: &Value,
) -> Result<(), RequestError> {
    for (line, at) in value.lines() {
        let specifiers = specifier::parse_specifiers(line).map_err(|fault| {
            let fault = fault.shifted(at);
            let excerpt = source.excerpt(fault.range.clone());
            RequestError::from_fault(fault, excerpt, line)
        })?;
        reader.inputs.requires_python.push(RequiresPython {
            specifiers,
            place: source.place(at),
        });
    }
    Ok(())
}

/// A list of requirements: one a line, or, on a single line, separated by semicolons;
/// or `file:` with the names of files that hold them.
fn requirements(
    reader: &mut Reader<'_>,
    source: &SourceText,
    path: &FilePath,
    role: Role,
    value: &Value,
) -> Result<(), RequestError> {
    let lines: Vec<(&str, usize)> = value.lines().collect();
    if let [(only, at)] = lines.as_slice()
        && let Some(files) = only.strip_prefix("file:")
    {
        let mut start = at + only.len() - files.len();
        for name in files.split(',') {
            let lead = name.len() - name.trim_start().len();
            let range = start + lead..start + lead + name.trim().len();
            start += name.len() + 1;
            let named = path.include(name.trim());
            let by = source.excerpt(range);
            let bytes = reader.bytes(&named, Some(&by))?;
            let text = SourceText::decode_utf8(&Arc::from(named.shown.as_str()), &bytes)?;
            listed(reader, &text, role)?;
        }
        return Ok(());
    }
    // setuptools looks for a line break in the value. On one line a semicolon separates
    // requirements, so that no marker can follow there.
    let single = value.starts_on_key_line() && lines.len() == 1;
    for (line, at) in lines {
        if !single {
            one(reader, source, role, line, at)?;
            continue;
        }
        let mut start = at;
        for part in line.split(';') {
            one(reader, source, role, part, start)?;
            start += part.len() + 1;
        }
    }
    Ok(())
}

/// A file that `file:` names: requirements and comment lines, no options.
pub(super) fn listed(
    reader: &mut Reader<'_>,
    source: &SourceText,
    role: Role,
) -> Result<(), RequestError> {
    let mut start = 0;
    for line in source.text().split_inclusive('\n') {
        if !line.trim_start().starts_with('#') {
            one(reader, source, role, line, start)?;
        }
        start += line.len();
    }
    Ok(())
}

/// Adds the requirement that stands at this byte.
fn one(
    reader: &mut Reader<'_>,
    source: &SourceText,
    role: Role,
    text: &str,
    at: usize,
) -> Result<(), RequestError> {
    let at = at + text.len() - text.trim_start().len();
    let text = text.trim();
    if text.is_empty() {
        return Ok(());
    }
    let reading = direct::read_pep508(text, reader.sources).map_err(|fault| {
        let fault = fault.shifted(at);
        let excerpt = source.excerpt(fault.range.clone());
        RequestError::from_fault(fault, excerpt, text)
    })?;
    let given = |given: Range<usize>| text.get(given).unwrap_or_default().to_owned();
    let found = Found::new(reading, false, given, text);
    reader.add(found, role, source.excerpt(at..at + text.len()))
}
