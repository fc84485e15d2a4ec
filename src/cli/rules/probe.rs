//! What one wheel shows about NumPy, read once.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use serde::Serialize;

use super::super::error::CliError;
use super::super::scan::wheel::RemoteWheel;
use super::boundary::Release;
use crate::fetch::Registry;
use crate::metadata::{DependencySource, Page};
use crate::request::BuildPolicy;
use crate::scan::{Limits, NumpyAbi};
use crate::solve::Facts as _;

/// What a wheel showed.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Shown {
    pub(super) file: String,
    pub(super) sha256: Option<String>,
    pub(super) abi: NumpyAbi,
    pub(super) finding: String,
    /// Whether there are binaries in it at all.
    pub(super) binaries: bool,
}

/// Scans wheels, each once.
pub(super) struct Probe<'a> {
    pub(super) registry: &'a Registry,
    known: Mutex<BTreeMap<String, Shown>>,
}

impl<'a> Probe<'a> {
    pub(super) fn new(registry: &'a Registry) -> Self {
        Self {
            registry,
            known: Mutex::default(),
        }
    }

    /// Which NumPy C-ABI the release's wheel was built for.
    pub(super) fn numpy(&self, release: &Release<'_>) -> Result<Shown, CliError> {
        let file = release.file;
        let known = || self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(shown) = known().get(&file.filename) {
            return Ok(shown.clone());
        }
        let scanned = RemoteWheel::of(file)?.scan(self.registry, &Limits::numpy_abi())?;
        let findings = scanned.findings;
        let numpy = findings.numpy;
        // What follows the first clause says what the verdict means, as the verdict does.
        let reason = numpy.reason.split(';').next().unwrap_or_default();
        let shown = Shown {
            file: file.filename.clone(),
            sha256: scanned.sha256,
            abi: numpy.abi,
            finding: format!("{}: {reason}", verdict(numpy.abi)),
            binaries: findings.cost.binaries_read > 0 || !findings.unread.is_empty(),
        };
        known().insert(file.filename.clone(), shown.clone());
        Ok(shown)
    }

    /// Whether the release's own metadata excludes NumPy 2.
    pub(super) fn declares_numpy1(&self, page: &Page, release: &Release<'_>) -> bool {
        let Ok(metadata) = self
            .registry
            .metadata(page, release.file, BuildPolicy::Never)
        else {
            return false;
        };
        let numpy2 = pep440_rs::Version::new([2, 0, 0]);
        metadata.requires_dist.iter().any(|dependency| {
            let DependencySource::Specifiers(specifiers) = &dependency.source else {
                return false;
            };
            dependency.name.as_ref() == "numpy"
                && dependency.marker.evaluate(&release.target.markers, &[])
                && !crate::versions::contains(specifiers, &numpy2)
        })
    }
}

/// A verdict in the words that rules record.
pub(super) fn verdict(abi: NumpyAbi) -> &'static str {
    match abi {
        NumpyAbi::None => "no NumPy C-ABI",
        NumpyAbi::Numpy2Capable => "NumPy 2 capable",
        NumpyAbi::Undecided => "undecided",
        NumpyAbi::Numpy1Layout => "NumPy 1 layout",
        NumpyAbi::Numpy1Only => "NumPy 1 only",
    }
}
