//! The name of the project in a folder, where its files say it without running anything.

use std::sync::Arc;

use pep508_rs::PackageName;
use toml::de::DeTable;

use super::Sources;
use super::direct::join;
use super::text::SourceText;
use super::{ini, names};

/// The name by `[project]` of pyproject.toml or `[metadata]` of setup.cfg.
///
/// Nothing is an error here: where the files cannot be read, the name is unknown, and
/// whoever builds the project says what is wrong with it.
pub(super) fn folder_name(folder: &str, sources: &dyn Sources) -> Option<PackageName> {
    let read = |file: &str| {
        let bytes = sources.read(&join(folder, Some(file))).ok()?;
        SourceText::decode_utf8(&Arc::from(file), &bytes).ok()
    };
    let from_pyproject = read("pyproject.toml").and_then(|text| {
        let table = DeTable::parse(text.text()).ok()?;
        let project = table.get_ref().get("project")?.get_ref().as_table()?;
        let name = project.get("name")?.get_ref().as_str()?;
        names::package(name)
    });
    from_pyproject.or_else(|| {
        let text = read("setup.cfg")?;
        let file = ini::parse(&text).ok()?;
        let name = file.get("metadata", "name")?;
        names::package(name.text().trim())
    })
}
