//! A proposed rule, as the file that it would be.

use std::fmt::Write as _;

use pep508_rs::PackageName;
use serde::Serialize;

use super::super::boundary::{Platform, Release};
use super::super::evidence::today;
use super::super::probe::Shown;
use super::Bound;

/// A proposed rule.
#[derive(Debug, Serialize)]
pub(in crate::cli::rules) struct Proposal {
    pub(in crate::cli::rules) id: String,
    pub(super) severity: &'static str,
    pub(super) reason: String,
    pub(super) package: String,
    pub(super) version: String,
    pub(super) marker: Option<&'static str>,
    /// The distribution that is limited, and where it must be.
    pub(super) then: (String, String),
    pub(super) inherited: bool,
    pub(super) evidence: Vec<Evidence>,
    pub(super) hits: Vec<Case>,
    pub(super) misses: Vec<Case>,
}

/// What a file shows.
#[derive(Debug, Serialize)]
pub(super) struct Evidence {
    pub(super) file: String,
    pub(super) sha256: Option<String>,
    pub(super) finding: String,
}

/// A pair of releases, and the platform that it is about where that matters.
#[derive(Debug, Serialize)]
pub(super) struct Case {
    pub(super) have: [String; 2],
    pub(super) platform: Option<&'static str>,
}

/// The rule that says what the bounds show; they must all be at the same release.
pub(super) fn of_bounds(
    name: &PackageName,
    bounds: &[&Bound<'_>],
    platform: Option<&Platform>,
) -> Option<Proposal> {
    let newest = bounds.iter().max_by_key(|bound| bound.last.0.version)?;
    let (last, _) = &newest.last;
    let (version, reason) = match &newest.next {
        Some((next, _)) => (
            format!("<{}", next.version),
            format!("The binaries of {name} before {} were", next.version),
        ),
        None => (
            format!("<={}", last.version),
            format!("The binaries of {name} up to {} were", last.version),
        ),
    };
    let case = |release: &Release<'_>, numpy: &str| Case {
        have: [
            format!("{name}=={}", release.version),
            format!("numpy=={numpy}"),
        ],
        platform: platform.map(|platform| platform.name),
    };
    let mut misses = vec![case(last, "1.26.4")];
    misses.extend(newest.next.as_ref().map(|(next, _)| case(next, "2.0.0")));
    let wheels = bounds
        .iter()
        .flat_map(|bound| std::iter::once(&bound.last).chain(&bound.next));
    let abi = platform.map_or_else(String::new, |platform| format!("-{}", platform.name));
    Some(Proposal {
        id: format!("{name}/numpy1-abi{abi}"),
        severity: "corrupts",
        reason: format!(
            "{reason} compiled for the NumPy 1.x C-ABI and do not work beside NumPy 2."
        ),
        package: name.to_string(),
        version,
        marker: platform.map(|platform| platform.marker),
        then: ("numpy".to_owned(), "<2".to_owned()),
        inherited: false,
        evidence: wheels.map(|(_, shown)| Evidence::of(shown)).collect(),
        hits: vec![case(last, "2.0.0")],
        misses,
    })
}

impl Evidence {
    fn of(shown: &Shown) -> Self {
        Self {
            file: shown.file.clone(),
            sha256: shown.sha256.clone(),
            finding: shown.finding.clone(),
        }
    }
}

impl Proposal {
    /// The rule's file.
    pub(in crate::cli::rules) fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a `String` does not fail.
        let _ = self.write(&mut text);
        text
    }

    fn write(&self, out: &mut String) -> std::fmt::Result {
        writeln!(out, "# {}.toml", self.id)?;
        writeln!(out, "kind = \"constrain\"")?;
        writeln!(out, "severity = {}", quoted(self.severity))?;
        writeln!(out, "reason = {}", quoted(&self.reason))?;
        writeln!(out, "checked = {}", quoted(&today()))?;
        if self.inherited {
            writeln!(out, "inherited = true")?;
        }
        let marker = self.marker.map_or_else(String::new, |marker| {
            format!(", marker = {}", quoted(marker))
        });
        writeln!(
            out,
            "when = {{ package = {}, version = {}{marker} }}",
            quoted(&self.package),
            quoted(&self.version)
        )?;
        let (then, range) = &self.then;
        writeln!(
            out,
            "then = {{ package = {}, version = {} }}",
            quoted(then),
            quoted(range)
        )?;
        for evidence in &self.evidence {
            writeln!(out, "\n[[evidence]]\nfile = {}", quoted(&evidence.file))?;
            if let Some(sha256) = &evidence.sha256 {
                writeln!(out, "sha256 = {}", quoted(sha256))?;
            }
            writeln!(out, "finding = {}", quoted(&evidence.finding))?;
        }
        for (key, cases) in [("hit", &self.hits), ("miss", &self.misses)] {
            for case in cases {
                let [a, b] = &case.have;
                writeln!(out, "\n[[{key}]]\nhave = [{}, {}]", quoted(a), quoted(b))?;
                if let Some(platform) = case.platform {
                    writeln!(out, "platform = {}", quoted(platform))?;
                }
            }
        }
        Ok(())
    }
}

/// A TOML basic string.
fn quoted(text: &str) -> String {
    toml_edit::Value::from(text).to_string()
}
