//! The way in: reads all files that the user names.

use std::ops::Range;
use std::sync::Arc;

use super::fault::Fault;
use super::inputs::{BuildNeeded, BuildReason, Input, Inputs, Role, Wanted};
use super::names::normal;
use super::nearest::nearest;
use super::paths::FilePath;
use super::pyproject::{self, Offered};
use super::requirements_file::{Found, Reader};
use super::text::SourceText;
use super::{Line, RequestError, Sources, direct, setup_cfg};

/// Reads the files that the user names, and all that they include.
///
/// # Errors
/// The first thing that cannot be read or understood, with its place.
pub fn read_inputs(
    inputs: &[Input],
    wanted: &Wanted,
    sources: &dyn Sources,
) -> Result<Inputs, RequestError> {
    let mut reader = Reader::new(sources);
    let mut projects: Vec<(String, Offered)> = Vec::new();
    for input in inputs {
        let path = FilePath::named(&input.path);
        let offered = match path.name() {
            "pyproject.toml" => pyproject::read(&mut reader, &path, input.role, wanted)?,
            "setup.cfg" => setup_cfg::read(&mut reader, &path, input.role, wanted)?,
            "setup.py" => setup_py(&mut reader, &path, input.role)?,
            _ => {
                reader.file(&path, input.role, None)?;
                continue;
            }
        };
        projects.push((path.shown, offered));
    }
    check_extras(wanted, &projects)?;
    check_groups(wanted, &projects)?;
    Ok(reader.inputs)
}

/// Reads one requirement of an argument on the command line (`numpy<2`), by name.
///
/// # Errors
/// Where it is none; paths and URLs without a name are not taken.
pub fn read_argument(text: &str, sources: &dyn Sources) -> Result<Line, RequestError> {
    let source = SourceText::new(Arc::from("command line"), text);
    let fault = |fault: Fault| {
        let at = source.excerpt(fault.range.clone());
        RequestError::from_fault(fault, at, text.trim())
    };
    let reading = direct::read_pep508(text, sources).map_err(fault)?;
    let start = text.len() - text.trim_start().len();
    let given = |given: Range<usize>| text.get(given).unwrap_or_default().to_owned();
    let found = Found::new(reading, false, given, text.trim());
    let name = found.name.ok_or_else(|| {
        let advice = "begin with the name of a distribution, as in `numpy>=1.0`";
        fault(Fault::requirement(0..text.len(), "it has no name", advice))
    })?;
    Ok(Line {
        name,
        extras: found.extras,
        source: found.source,
        marker: found.marker,
        text: found.text,
        hashes: found.hashes,
        place: source.place(start),
    })
}

/// Only running a setup.py tells what it requires; that is the edge's work.
fn setup_py(reader: &mut Reader<'_>, path: &FilePath, role: Role) -> Result<Offered, RequestError> {
    reader.bytes(path, None)?;
    reader.inputs.builds.push(BuildNeeded {
        folder: path.folder(),
        file: Arc::from(path.shown.as_str()),
        role,
        reason: BuildReason::SetupPy,
    });
    Ok(Offered {
        extras_unknown: true,
        ..Offered::default()
    })
}

fn check_extras(wanted: &Wanted, projects: &[(String, Offered)]) -> Result<(), RequestError> {
    if projects.iter().any(|(_, offered)| offered.extras_unknown) {
        return Ok(());
    }
    let known = || projects.iter().flat_map(|(_, offered)| &offered.extras);
    for extra in &wanted.extras {
        if known().any(|known| normal(known) == extra.as_ref()) {
            continue;
        }
        let Some((file, _)) = projects.first() else {
            return Err(RequestError::NoProject {
                what: "the extra",
                name: extra.to_string(),
            });
        };
        return Err(RequestError::NoSuchExtra {
            at: None,
            file: file.clone(),
            extra: extra.to_string(),
            nearest: nearest(extra.as_ref(), known().map(String::as_str)).map(str::to_owned),
        });
    }
    Ok(())
}

fn check_groups(wanted: &Wanted, projects: &[(String, Offered)]) -> Result<(), RequestError> {
    let known = || projects.iter().flat_map(|(_, offered)| &offered.groups);
    for group in &wanted.groups {
        if known().any(|known| normal(known) == normal(group)) {
            continue;
        }
        let is_project = |file: &&(String, Offered)| file.0.ends_with("pyproject.toml");
        let Some((file, _)) = projects.iter().find(is_project) else {
            return Err(RequestError::NoProject {
                what: "the dependency group",
                name: group.clone(),
            });
        };
        return Err(RequestError::NoSuchGroup {
            at: None,
            file: file.clone(),
            group: group.clone(),
            nearest: nearest(group, known().map(String::as_str)).map(str::to_owned),
        });
    }
    Ok(())
}
