//! pyproject.toml: `[project]` (PEP 621) and `[dependency-groups]` (PEP 735).

use std::collections::BTreeMap;
use std::sync::Arc;

use pep508_rs::{ExtraName, MarkerTree, PackageName};
use toml::de::DeTable;

use super::direct;
use super::inputs::{BuildNeeded, BuildReason, RequiresPython, Role, Wanted, Warning};
use super::names::normal;
use super::nearest::nearest;
use super::paths::FilePath;
use super::requirements_file::{DEEPEST, Found, Reader};
use super::text::SourceText;
use super::toml_text::{self, TomlString, Value};
use super::{RequestError, names, setuptools, specifier};

/// What a project offers, for the names that none of the inputs has.
#[derive(Debug, Default)]
pub(super) struct Offered {
    /// Its extras, as written.
    pub(super) extras: Vec<String>,
    /// Its dependency groups, as written.
    pub(super) groups: Vec<String>,
    /// Whether only a build tells its extras.
    pub(super) extras_unknown: bool,
}

/// Reads a pyproject.toml.
pub(super) fn read(
    reader: &mut Reader<'_>,
    path: &FilePath,
    role: Role,
    wanted: &Wanted,
) -> Result<Offered, RequestError> {
    let bytes = reader.bytes(path, None)?;
    let file: Arc<str> = path.shown.as_str().into();
    let source = SourceText::decode_utf8(&file, &bytes)?;
    let document = toml_text::parse(&source)?;
    let document = document.get_ref();
    let mut offered = Offered::default();
    let mut project = Project {
        reader,
        source: &source,
        role,
        name: None,
        extras: BTreeMap::new(),
        groups: BTreeMap::new(),
        expanded: Vec::new(),
        included: Vec::new(),
        depth: 0,
    };
    project.collect_groups(document)?;
    offered.groups = project
        .groups
        .values()
        .map(|(key, _)| key.clone())
        .collect();
    project.warn_of_other_tools(document);
    let folder = path.folder();
    match document.get("project") {
        Some(value) => {
            let table = toml_text::table(&source, value, "project")?;
            let dynamic = project.dynamic(table)?;
            project.project(table, &dynamic, wanted)?;
            offered.extras = project
                .extras
                .values()
                .map(|(key, _)| key.clone())
                .collect();
            let built = project.dynamic_fields(document, path, &dynamic, wanted, &mut offered)?;
            if !built.is_empty() {
                project.reader.inputs.builds.push(build(
                    &folder,
                    &file,
                    role,
                    BuildReason::Dynamic(built),
                ));
            }
        }
        // A file of groups alone is complete without a project.
        None if wanted.groups.is_empty() => {
            offered.extras_unknown = true;
            let needed = build(&folder, &file, role, BuildReason::NoProjectTable);
            project.reader.inputs.builds.push(needed);
        }
        None => {}
    }
    for group in &wanted.groups {
        let name = normal(group);
        if project.groups.contains_key(&name) {
            project.group(&name, &mut Vec::new())?;
        }
    }
    Ok(offered)
}

fn build(folder: &str, file: &Arc<str>, role: Role, reason: BuildReason) -> BuildNeeded {
    BuildNeeded {
        folder: folder.to_owned(),
        file: Arc::clone(file),
        role,
        reason,
    }
}

/// What other tools' tables say of the packages to choose, and what says it here.
const OTHER_TOOLS: &[(&str, &str, &str)] = &[
    ("uv", "sources", "`[tool.mlresolve.sources]`"),
    ("uv", "index", "`[[tool.mlresolve.index]]`"),
    ("uv", "index-url", "`index-url` in `[tool.mlresolve]`"),
    (
        "uv",
        "extra-index-url",
        "`extra-index-url` in `[tool.mlresolve]`",
    ),
    ("uv", "find-links", "`find-links` in `[tool.mlresolve]`"),
    ("uv", "constraint-dependencies", "a file for `-c`"),
    ("uv", "override-dependencies", "a file for `--override`"),
    (
        "uv",
        "exclude-newer",
        "`exclude-newer` in `[tool.mlresolve]`",
    ),
    ("uv", "prerelease", "`pre` in `[tool.mlresolve]`"),
    (
        "uv",
        "dev-dependencies",
        "`[dependency-groups]` and `--group`",
    ),
    (
        "poetry",
        "source",
        "`[[tool.mlresolve.index]]` and `[tool.mlresolve.sources]`",
    ),
    ("poetry", "group", "`[dependency-groups]` and `--group`"),
    (
        "pdm",
        "source",
        "`[[tool.mlresolve.index]]` and `[tool.mlresolve.sources]`",
    ),
    (
        "pdm",
        "dev-dependencies",
        "`[dependency-groups]` and `--group`",
    ),
    ("pdm", "resolution", "a file for `--override`"),
];

type Named<'v, 'i, K> = BTreeMap<K, (String, &'v Value<'i>)>;

struct Project<'r, 's, 'v, 'i> {
    reader: &'r mut Reader<'s>,
    source: &'v SourceText,
    role: Role,
    name: Option<PackageName>,
    extras: Named<'v, 'i, ExtraName>,
    groups: Named<'v, 'i, String>,
    /// The extras that were read, each with the marker it was read under.
    expanded: Vec<(ExtraName, MarkerTree)>,
    /// The groups that were read.
    included: Vec<String>,
    /// How many extras are being read, each named by the one before.
    depth: usize,
}

impl<'v, 'i> Project<'_, '_, 'v, 'i> {
    /// Tells what stands in other tools' tables and is not read, since the lock may come out
    /// otherwise than theirs. Who has settings of ours has seen to it.
    fn warn_of_other_tools(&mut self, document: &DeTable<'_>) {
        let Some(tools) = document.get("tool").and_then(|it| it.get_ref().as_table()) else {
            return;
        };
        if tools.get("mlresolve").is_some() {
            return;
        }
        for (tool, key, here) in OTHER_TOOLS {
            let table = tools.get(*tool).and_then(|it| it.get_ref().as_table());
            let Some((name, _)) = table.and_then(|table| table.get_key_value(*key)) else {
                continue;
            };
            self.reader.inputs.warnings.push(Warning {
                place: self.source.place(name.span().start),
                message: format!("`{key}` in `[tool.{tool}]` is not read; {here} says it here"),
            });
        }
    }

    /// The fields that `dynamic` lists.
    fn dynamic(&self, table: &'v DeTable<'i>) -> Result<Vec<String>, RequestError> {
        let Some(value) = table.get("dynamic") else {
            return Ok(Vec::new());
        };
        toml_text::array(self.source, value, "project.dynamic")?
            .iter()
            .map(|field| toml_text::string(self.source, field, "project.dynamic"))
            .map(|field| field.map(|field| field.value.to_owned()))
            .collect()
    }

    /// Reads the dynamic fields that files hold. Gives those that only a build tells and
    /// that are asked for.
    fn dynamic_fields(
        &mut self,
        document: &DeTable<'_>,
        path: &FilePath,
        dynamic: &[String],
        wanted: &Wanted,
        offered: &mut Offered,
    ) -> Result<Vec<String>, RequestError> {
        let table = setuptools::dynamic(document);
        let is_dynamic = |field: &str| dynamic.iter().any(|name| name == field);
        let mut built = Vec::new();
        if is_dynamic("dependencies") {
            match table.and_then(|table| table.get("dependencies")) {
                Some(value) => {
                    setuptools::read(self.reader, self.source, path, self.role, value)?;
                }
                None => built.push("`dependencies`".to_owned()),
            }
        }
        if is_dynamic("optional-dependencies") {
            let Some(extras) = table.and_then(setuptools::extras) else {
                offered.extras_unknown = true;
                if wanted.all_extras || !wanted.extras.is_empty() {
                    built.push("`optional-dependencies`".to_owned());
                }
                return Ok(built);
            };
            for (extra, written, value) in extras {
                offered.extras.push(written);
                if wanted.all_extras || wanted.extras.contains(&extra) {
                    setuptools::read(self.reader, self.source, path, self.role, value)?;
                }
            }
        }
        Ok(built)
    }

    fn project(
        &mut self,
        table: &'v DeTable<'i>,
        dynamic: &[String],
        wanted: &Wanted,
    ) -> Result<(), RequestError> {
        if let Some(value) = table.get("name") {
            let name = toml_text::string(self.source, value, "project.name")?;
            let parsed = names::package(name.value).ok_or_else(|| {
                toml_text::wrong(self.source, value, "project.name", "a distribution's name")
            })?;
            let file = Arc::clone(self.source.file());
            self.reader.inputs.projects.insert(file, parsed.clone());
            self.name = Some(parsed);
        }
        if let Some(value) = table.get("requires-python") {
            let text = toml_text::string(self.source, value, "project.requires-python")?;
            let specifiers = specifier::parse_specifiers(text.value).map_err(|fault| {
                let at = self.source.excerpt(text.piece(fault.range.clone()));
                RequestError::from_fault(fault, at, text.value)
            })?;
            self.reader.inputs.requires_python.push(RequiresPython {
                specifiers,
                place: self.source.place(text.range.start),
            });
        }
        self.collect_extras(table)?;
        if let Some(value) = table.get("dependencies")
            && !dynamic.iter().any(|field| field == "dependencies")
        {
            self.requirements(value, "project.dependencies", &MarkerTree::TRUE)?;
        }
        let asked: Vec<ExtraName> = if wanted.all_extras {
            self.extras.keys().cloned().collect()
        } else {
            let known = |extra: &&ExtraName| self.extras.contains_key(*extra);
            wanted.extras.iter().filter(known).cloned().collect()
        };
        for extra in asked {
            self.extra(&extra, &MarkerTree::TRUE)?;
        }
        Ok(())
    }

    fn collect_extras(&mut self, table: &'v DeTable<'i>) -> Result<(), RequestError> {
        let Some(value) = table.get("optional-dependencies") else {
            return Ok(());
        };
        let table = toml_text::table(self.source, value, "project.optional-dependencies")?;
        for (key, value) in table {
            let written = key.get_ref();
            let extra = names::extra(written).ok_or_else(|| RequestError::WrongValue {
                at: self.source.excerpt(key.span()),
                key: "project.optional-dependencies".to_owned(),
                expected: "a table whose keys are names of extras".to_owned(),
                found: format!("`{written}`"),
            })?;
            let entry = (written.clone().into_owned(), value);
            if let Some((other, _)) = self.extras.insert(extra, entry) {
                return Err(RequestError::SameName {
                    at: self.source.excerpt(key.span()),
                    name: written.clone().into_owned(),
                    other,
                });
            }
        }
        Ok(())
    }

    fn collect_groups(&mut self, document: &'v DeTable<'i>) -> Result<(), RequestError> {
        let Some(value) = document.get("dependency-groups") else {
            return Ok(());
        };
        let table = toml_text::table(self.source, value, "dependency-groups")?;
        for (key, value) in table {
            let written = key.get_ref().clone().into_owned();
            let entry = (written.clone(), value);
            if let Some((other, _)) = self.groups.insert(normal(&written), entry) {
                return Err(RequestError::SameName {
                    at: self.source.excerpt(key.span()),
                    name: written,
                    other,
                });
            }
        }
        Ok(())
    }

    /// Reads an array of requirements; each counts only where `under` holds as well.
    fn requirements(
        &mut self,
        value: &'v Value<'i>,
        key: &str,
        under: &MarkerTree,
    ) -> Result<(), RequestError> {
        for element in toml_text::array(self.source, value, key)? {
            let text = toml_text::string(self.source, element, key)?;
            self.requirement(&text, under.clone())?;
        }
        Ok(())
    }

    fn requirement(
        &mut self,
        text: &TomlString<'v>,
        under: MarkerTree,
    ) -> Result<(), RequestError> {
        let reading = direct::read_pep508(text.value, self.reader.sources).map_err(|fault| {
            let at = self.source.excerpt(text.piece(fault.range.clone()));
            RequestError::from_fault(fault, at, text.value.trim())
        })?;
        let lead = text.value.len() - text.value.trim_start().len();
        let trimmed = text.value.trim();
        let at = self.source.excerpt(text.piece(lead..lead + trimmed.len()));
        let given = |given| {
            let given: std::ops::Range<usize> = given;
            text.value.get(given).unwrap_or_default().to_owned()
        };
        let mut found = Found::new(reading_under(reading, under), false, given, trimmed);
        // `name[extra]` inside the project `name` means that extra of its own.
        let own = found.name.is_some() && found.name == self.name;
        if own && matches!(found.source, super::LineSource::Specifiers(_)) {
            for extra in std::mem::take(&mut found.extras) {
                if !self.extras.contains_key(&extra) {
                    return Err(RequestError::NoSuchExtra {
                        nearest: nearest(extra.as_ref(), self.extras.keys().map(AsRef::as_ref))
                            .map(str::to_owned),
                        at: Some(at),
                        file: self.source.file().to_string(),
                        extra: extra.to_string(),
                    });
                }
                if self.depth >= DEEPEST {
                    return Err(RequestError::NameDepth {
                        at,
                        what: "extras",
                        limit: DEEPEST,
                    });
                }
                self.depth += 1;
                self.extra(&extra, &found.marker)?;
                self.depth -= 1;
            }
            return Ok(());
        }
        self.reader.add(found, self.role, at)
    }

    /// Reads an extra, once for each marker it is asked under.
    fn extra(&mut self, extra: &ExtraName, under: &MarkerTree) -> Result<(), RequestError> {
        let asked = (extra.clone(), under.clone());
        if self.expanded.contains(&asked) {
            return Ok(());
        }
        self.expanded.push(asked);
        match self.extras.get(extra) {
            Some((_, value)) => self.requirements(value, "project.optional-dependencies", under),
            None => Ok(()),
        }
    }

    /// Reads a group and those it includes; `open` holds those being read.
    fn group(&mut self, name: &str, open: &mut Vec<String>) -> Result<(), RequestError> {
        if self.included.iter().any(|known| known == name) {
            return Ok(());
        }
        let Some((written, value)) = self
            .groups
            .get(name)
            .map(|(key, value)| (key.clone(), *value))
        else {
            return Ok(());
        };
        open.push(written);
        let key = format!("dependency-groups.{name}");
        for element in toml_text::array(self.source, value, &key)? {
            if element.get_ref().is_str() {
                let text = toml_text::string(self.source, element, &key)?;
                self.requirement(&text, MarkerTree::TRUE)?;
                continue;
            }
            let included = self.include_of(element, &key)?;
            self.check_include(&included, open)?;
            if open.len() >= DEEPEST {
                return Err(RequestError::NameDepth {
                    at: self.source.excerpt(included.range.clone()),
                    what: "groups",
                    limit: DEEPEST,
                });
            }
            self.group(&normal(included.value), open)?;
        }
        open.pop();
        self.included.push(name.to_owned());
        Ok(())
    }

    /// The group that `{ include-group = "name" }` names.
    fn include_of(
        &self,
        element: &'v Value<'i>,
        key: &str,
    ) -> Result<TomlString<'v>, RequestError> {
        let expected = "a requirement in quotes or `{ include-group = \"NAME\" }`";
        let included = element
            .get_ref()
            .as_table()
            .filter(|table| table.len() == 1)
            .and_then(|table| table.get("include-group"))
            .ok_or_else(|| toml_text::wrong(self.source, element, key, expected))?;
        toml_text::string(self.source, included, "include-group")
    }

    fn check_include(
        &self,
        included: &TomlString<'_>,
        open: &[String],
    ) -> Result<(), RequestError> {
        let name = normal(included.value);
        if let Some(first) = open.iter().position(|group| normal(group) == name) {
            let chain = open.iter().skip(first).map(String::as_str);
            let chain: Vec<&str> = chain.chain([included.value]).collect();
            return Err(RequestError::GroupLoop {
                at: self.source.excerpt(included.range.clone()),
                group: included.value.to_owned(),
                chain: format!("`{}`", chain.join("` includes `")),
            });
        }
        if self.groups.contains_key(&name) {
            return Ok(());
        }
        let known = self.groups.values().map(|(key, _)| key.as_str());
        Err(RequestError::NoSuchGroup {
            nearest: nearest(included.value, known).map(str::to_owned),
            at: Some(self.source.excerpt(included.range.clone())),
            file: self.source.file().to_string(),
            group: included.value.to_owned(),
        })
    }
}

/// The same requirement, only where a marker holds as well.
fn reading_under(mut reading: direct::Reading, under: MarkerTree) -> direct::Reading {
    reading.marker.and(under);
    reading
}
