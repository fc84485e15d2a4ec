//! Static metadata from a pyproject.toml (PEP 621).

use std::collections::BTreeMap;
use std::str::FromStr;

use pep440_rs::Version;
use pep508_rs::{ExtraName, PackageName};
use serde::Deserialize;

use super::core_metadata::Work;
use super::{Extras, Metadata, MetadataError, Requires};

#[derive(Deserialize)]
struct PyProject {
    project: Option<Project>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Project {
    name: Option<String>,
    version: Option<String>,
    requires_python: Option<String>,
    #[serde(default)]
    dependencies: Vec<String>,
    #[serde(default)]
    optional_dependencies: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    dynamic: Vec<String>,
}

impl Metadata {
    /// Reads the `[project]` table of a pyproject.toml, where it says what every build would say.
    ///
    /// `None` where it does not: there is no such table, or a field that matters for resolving
    /// is dynamic. A dynamic version is no hindrance where `expected` gives it: the file name of
    /// a source distribution carries the version that its build will have.
    ///
    /// # Errors
    ///
    /// [`MetadataError`] where the release cannot be used.
    pub fn parse_static_pyproject(
        text: &str,
        expected: Option<(&PackageName, &Version)>,
    ) -> Result<Option<Self>, MetadataError> {
        let pyproject: PyProject =
            toml::from_str(text).map_err(|error| MetadataError::Malformed {
                field: "pyproject.toml",
                value: error
                    .span()
                    .and_then(|span| text.get(span))
                    .unwrap_or_default()
                    .to_owned(),
                detail: error.message().to_owned(),
            })?;
        let Some(project) = pyproject.project else {
            return Ok(None);
        };
        let matters = |field: &String| {
            matches!(
                field.as_str(),
                "name" | "dependencies" | "optional-dependencies" | "requires-python"
            )
        };
        let has_version = project.version.is_some() || expected.is_some();
        if project.dynamic.iter().any(matters) || !has_version {
            return Ok(None);
        }
        project.into_metadata(expected).map(Some)
    }
}

impl Project {
    fn into_metadata(
        self,
        expected: Option<(&PackageName, &Version)>,
    ) -> Result<Metadata, MetadataError> {
        let name = self.name.ok_or(MetadataError::Missing {
            field: "project.name",
        })?;
        let name = PackageName::from_str(&name).map_err(|_| MetadataError::Malformed {
            field: "project.name",
            value: name,
            detail: "it is not the name of a distribution".to_owned(),
        })?;
        let version = match (self.version, expected) {
            (Some(version), _) => {
                Version::from_str(&version).map_err(|error| MetadataError::Malformed {
                    field: "project.version",
                    value: version,
                    detail: error.to_string(),
                })?
            }
            (None, Some((_, version))) => version.clone(),
            (None, None) => {
                return Err(MetadataError::Missing {
                    field: "project.version",
                });
            }
        };
        let mut metadata = Metadata {
            name,
            version,
            requires_python: None,
            requires_dist: Requires::new(),
            provides_extras: Extras::default(),
            repairs: Vec::new(),
            may_differ: false,
        };
        metadata.check_is_for(expected)?;
        if let Some(value) = self.requires_python {
            metadata.read_requires_python("project.requires-python", value)?;
        }
        let mut extras = Vec::new();
        let mut work = Work::default();
        for value in self.dependencies {
            let named =
                metadata.read_requires_dist("project.dependencies", value, None, &mut work)?;
            extras.extend(named);
        }
        for (extra, dependencies) in self.optional_dependencies {
            let extra = ExtraName::from_str(&extra).map_err(|_| MetadataError::Malformed {
                field: "project.optional-dependencies",
                value: extra,
                detail: "it is not the name of an extra".to_owned(),
            })?;
            for value in dependencies {
                extras.extend(metadata.read_requires_dist(
                    "project.optional-dependencies",
                    value,
                    Some(&extra),
                    &mut work,
                )?);
            }
            extras.push(extra);
        }
        metadata.provides_extras = extras.into_iter().collect();
        Ok(metadata)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::core_metadata::tests::told;

    fn parse(text: &str, expected: Option<(&str, &str)>) -> String {
        let expected = expected.map(|(name, version)| {
            (
                PackageName::from_str(name).expect("a distribution name"),
                Version::from_str(version).expect("a version"),
            )
        });
        let expected = expected.as_ref().map(|(name, version)| (name, version));
        match Metadata::parse_static_pyproject(text, expected) {
            Ok(None) => "not static".to_owned(),
            Ok(Some(metadata)) => told(Ok(metadata)),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn the_project_table_is_read() {
        let text = r#"
            [build-system]
            requires = ["hatchling"]
            [project]
            name = "Foo.Bar"
            version = "1.0"
            requires-python = ">=3.8.*"
            dependencies = ["numpy>=1.21; os_name == 'nt'"]
            dynamic = ["readme"]
            [project.optional-dependencies]
            Dev_Tools = ["pytest", "ruff; python_version >= '3.9' or os_name == 'nt'"]
            none = []
            [tool.other]
            anything = 1
        "#;
        assert_eq!(
            parse(text, None),
            "foo-bar 1.0 python >=3.8 [dev-tools] [none]\n\
             numpy >=1.21 ; os_name == 'nt'\n\
             pytest  ; extra == 'dev-tools'\n\
             ruff  ; (os_name == 'nt' and extra == 'dev-tools') or (python_full_version >= '3.9' and \
             extra == 'dev-tools')\n\
             repaired `.*` after an ordered operator: >=3.8.* -> >=3.8"
        );
    }

    #[test]
    fn what_a_build_may_change_is_not_static() {
        let named = "[project]\nname = 'a'\n";
        for text in [
            "[tool.poetry]\nname = 'a'".to_owned(),
            format!("{named}dynamic = ['version']"),
            format!("{named}version = '1'\ndynamic = ['dependencies']"),
            format!("{named}version = '1'\ndynamic = ['optional-dependencies']"),
            format!("{named}version = '1'\ndynamic = ['requires-python']"),
        ] {
            assert_eq!(parse(&text, None), "not static", "{text}");
        }
    }

    #[test]
    fn the_file_name_gives_a_dynamic_version() {
        let text = "[project]\nname = 'a'\ndynamic = ['version']\ndependencies = ['b']";
        assert_eq!(parse(text, Some(("a", "1.2"))), "a 1.2\nb ");
    }

    #[test]
    fn what_cannot_be_used_says_why() {
        for (text, message) in [
            (
                "[project]\nversion = '1'",
                "its metadata has no `project.name`",
            ),
            (
                "[project]\nname = 'a'\nversion = '2'",
                "its metadata is for `a 2`, its file name for `a 1`",
            ),
            (
                "[project]\nname = 'a'\nversion = '1'\ndependencies = ['b >']",
                "its metadata has an unreadable `project.dependencies`: `b >`: `>` is not a version \
                 specifier: Unexpected end of version specifier, expected version",
            ),
            (
                "[project]\nname = 'a'\nname = 'b'",
                "its metadata has an unreadable `pyproject.toml`: `name`: duplicate key",
            ),
        ] {
            assert_eq!(parse(text, Some(("a", "1"))), message);
        }
    }
}
