//! What pip says: its installation report, and why a build failed.

use serde::Deserialize;

/// The metadata in pip's installation report, as the lines of a METADATA file.
pub(super) fn report_metadata(report: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Report {
        install: Vec<Install>,
    }
    #[derive(Deserialize)]
    struct Install {
        metadata: Fields,
    }
    #[derive(Deserialize)]
    struct Fields {
        metadata_version: Option<String>,
        name: String,
        version: String,
        requires_python: Option<String>,
        #[serde(default)]
        requires_dist: Vec<String>,
        #[serde(default)]
        provides_extra: Vec<String>,
    }
    let report: Report = serde_json::from_slice(report).ok()?;
    let [install] = report.install.as_slice() else {
        return None;
    };
    let fields = &install.metadata;
    let mut lines = Vec::new();
    let mut line = |name: &str, value: &str| {
        let value = value.split_whitespace().collect::<Vec<_>>().join(" ");
        lines.push(format!("{name}: {value}\n"));
    };
    line(
        "Metadata-Version",
        fields.metadata_version.as_deref().unwrap_or("2.1"),
    );
    line("Name", &fields.name);
    line("Version", &fields.version);
    if let Some(requires_python) = &fields.requires_python {
        line("Requires-Python", requires_python);
    }
    for extra in &fields.provides_extra {
        line("Provides-Extra", extra);
    }
    for requirement in &fields.requires_dist {
        line("Requires-Dist", requirement);
    }
    Some(lines.concat())
}

/// The lines of pip's output that say why a build failed.
///
/// pip frames what the build said with "[n lines of output]" and "[end of output]"; the
/// last line in there is most often the exception. Where there is no frame (a build
/// requirement that cannot be had), pip's own `ERROR:` lines say it.
pub(super) fn last_useful_lines(said: &str) -> String {
    const SHOWN: usize = 3;
    let mut step = None;
    let mut framed: Vec<&str> = Vec::new();
    let mut inside = false;
    for line in said.lines() {
        let bare = line.trim_start_matches([' ', '│', '╰', '─', '>', '|', '+', '-']);
        if bare.ends_with("lines of output]") || bare.ends_with("line of output]") {
            framed.clear();
            inside = true;
        } else if bare == "[end of output]" {
            inside = false;
        } else if inside {
            framed.push(line.trim_end());
        } else if let Some(failed) = bare
            .trim_start_matches(['×', 'x', ' '])
            .strip_suffix("did not run successfully.")
        {
            step = Some(failed.trim());
        }
    }
    let framed: Vec<&str> = framed
        .into_iter()
        .filter(|line| !line.trim().is_empty())
        .collect();
    let mut kept: Vec<&str> = match exception(&framed) {
        Some(lines) => lines.iter().copied().take(SHOWN).collect(),
        None if framed.is_empty() => said
            .lines()
            .filter_map(|line| line.trim().strip_prefix("ERROR:"))
            .collect(),
        None => framed,
    };
    let superfluous = kept.len().saturating_sub(SHOWN);
    let kept: Vec<&str> = kept.drain(superfluous..).map(str::trim).collect();
    match (step, kept.is_empty()) {
        (_, true) => "pip gave no reason".to_owned(),
        (Some(step), false) => format!("{}: {}", step.to_lowercase(), kept.join("\n")),
        (None, false) => kept.join("\n"),
    }
}

/// What stands under the last Python traceback: the exception. Its lines are indented as
/// the traceback's heading is, the traceback's own lines are indented further.
fn exception<'a, 'b>(lines: &'b [&'a str]) -> Option<&'b [&'a str]> {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let heading = lines
        .iter()
        .rposition(|line| line.trim() == "Traceback (most recent call last):")?;
    let depth = indent(lines.get(heading)?);
    let below = lines.get(heading + 1..)?;
    let start = below.iter().position(|line| indent(line) <= depth)?;
    below.get(start..)
}
