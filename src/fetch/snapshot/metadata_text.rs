//! Metadata as the text of a METADATA file with the fields that matter for resolving.

use std::fmt::Write as _;

use pep508_rs::MarkerTree;

use super::format::RecordedMetadata;
use crate::metadata::{Dependency, DependencySource, Metadata};
use crate::solve::{FactError, Unusable};

/// Writes metadata; `None` where reading it would not give the same again. What was
/// repaired in it is not told a second time.
pub(super) fn write(metadata: &Metadata) -> Option<String> {
    let mut text = format!(
        "Metadata-Version: 2.1\nName: {}\nVersion: {}\n",
        metadata.name, metadata.version
    );
    // Writing to a string cannot fail.
    if let Some(requires) = &metadata.requires_python {
        let _ = writeln!(text, "Requires-Python: {requires}");
    }
    for extra in &metadata.provides_extras {
        let _ = writeln!(text, "Provides-Extra: {extra}");
    }
    for dependency in &metadata.requires_dist {
        let _ = writeln!(text, "Requires-Dist: {}", requirement(dependency));
    }
    let expected = Metadata {
        repairs: Vec::new(),
        ..metadata.clone()
    };
    (Metadata::parse(text.as_bytes(), None).ok()? == expected).then_some(text)
}

/// Reads what was recorded.
pub(super) fn read(recorded: RecordedMetadata) -> Result<Metadata, FactError> {
    let text = recorded.map_err(FactError::Unusable)?;
    Metadata::parse(text.as_bytes(), None).map_err(|error| {
        FactError::Unusable(Unusable::Metadata {
            detail: error.to_string(),
        })
    })
}

fn requirement(dependency: &Dependency) -> String {
    let mut text = dependency.name.to_string();
    if !dependency.extras.is_empty() {
        let extras: Vec<String> = dependency.extras.iter().map(ToString::to_string).collect();
        let _ = write!(text, "[{}]", extras.join(","));
    }
    match &dependency.source {
        DependencySource::Specifiers(specifiers) if specifiers.is_empty() => {}
        DependencySource::Specifiers(specifiers) => {
            let _ = write!(text, " ({specifiers})");
        }
        DependencySource::Url(url) => {
            let _ = write!(text, " @ {url} ");
        }
    }
    if dependency.marker != MarkerTree::TRUE
        && let Some(marker) = dependency.marker.try_to_string()
    {
        let _ = write!(text, "; {marker}");
    }
    text
}
