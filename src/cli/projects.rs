//! Projects whose dependencies only their build can tell (setup.py, dynamic metadata).

use super::error::CliError;
use crate::fetch::edge::Edge;
use crate::metadata::DependencySource;
use crate::request::{BuildNeeded, BuildReason, DirectUrl, Line, LineSource, Place};
use crate::solve::Facts as _;

/// The dependencies of a project, by its build.
pub(crate) fn dependencies(
    edge: Option<&Edge>,
    needed: &BuildNeeded,
) -> Result<Vec<Line>, CliError> {
    let why = format!(
        "the dependencies of `{}` cannot be read: {}",
        needed.file, needed.reason
    );
    let Some(edge) = edge else {
        return Err(CliError::usage(why).hint("a snapshot runs no builds"));
    };
    if matches!(needed.reason, BuildReason::NoProjectTable) && !can_be_built(&needed.folder) {
        return Err(CliError::usage(format!(
            "`{}` names no project: it has neither `[project]` nor `[build-system]`",
            needed.file
        ))
        .hint(
            "write `[project]` with `dependencies`, or ask for one of its groups with `--group`; \
             Poetry's `[tool.poetry.dependencies]` is read by its build: \
             `[build-system] requires = [\"poetry-core\"], build-backend = \"poetry.core.masonry.api\"`",
        ));
    }
    let folder = std::path::absolute(&needed.folder)
        .map_err(|error| CliError::usage(format!("cannot find `{}`: {error}", needed.folder)))?;
    let url = url::Url::from_directory_path(&folder)
        .map_err(|()| CliError::usage(format!("`{}` is no folder", needed.folder)))?;
    let direct = DirectUrl {
        url: url.to_string(),
        given: needed.folder.clone(),
        subdirectory: None,
        editable: false,
    };
    let facts = edge
        .direct(&direct)
        .map_err(|error| CliError::from_fact(&error))?;
    Ok((1..)
        .zip(&facts.metadata.requires_dist)
        .map(|(_, dependency): (u32, _)| {
            let source = match &dependency.source {
                DependencySource::Specifiers(specifiers) => {
                    LineSource::Specifiers(specifiers.clone())
                }
                DependencySource::Url(url) => LineSource::Direct(DirectUrl {
                    url: url.clone(),
                    given: url.clone(),
                    subdirectory: None,
                    editable: false,
                }),
            };
            let range = match &source {
                LineSource::Specifiers(specifiers) => crate::versions::display(specifiers),
                LineSource::Direct(url) => format!(" @ {}", url.given),
            };
            Line {
                name: dependency.name.clone(),
                extras: dependency.extras.clone(),
                source,
                marker: dependency.marker.clone(),
                text: format!("{}{range}", dependency.name),
                hashes: Vec::new(),
                place: Place {
                    file: needed.file.clone(),
                    line: 1,
                    column: 1,
                },
            }
        })
        .collect())
}

/// Whether a build could tell anything of a project without `[project]`.
fn can_be_built(folder: &str) -> bool {
    let folder = std::path::Path::new(folder);
    let has_system = std::fs::read_to_string(folder.join("pyproject.toml"))
        .ok()
        .and_then(|text| toml::from_str::<toml::Table>(&text).ok())
        .is_some_and(|table| table.contains_key("build-system"));
    has_system || folder.join("setup.py").is_file() || folder.join("setup.cfg").is_file()
}
