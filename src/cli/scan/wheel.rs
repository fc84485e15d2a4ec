//! Scanning wheels where they lie: on the disk, or behind HTTP byte ranges.

use std::fs::File as DiskFile;
use std::io::BufReader;
use std::path::Path;

use pep440_rs::Version;
use pep508_rs::PackageName;
use serde::Serialize;
use url::Url;

use super::super::error::{CliError, Exit};
use crate::fetch::{FetchError, Registry, RemoteFile, RemoteReader, RemoteSource};
use crate::metadata::{File, FileKind, Page};
use crate::scan::{FileDigest, Findings, Limits, ScanError, list_files, scan_wheel};
use crate::solve::FactError;
use crate::solve::Facts as _;
use crate::target::Target;

/// How much of a wheel's end is fetched at first: most central directories fit.
const TAIL: u64 = 128 << 10;

/// A wheel at an address.
#[derive(Debug, Clone)]
pub(in crate::cli) struct RemoteWheel {
    /// Its file name.
    pub(in crate::cli) filename: String,
    /// Its address.
    pub(in crate::cli) url: Url,
    /// Its size in bytes, where the index gives it.
    pub(in crate::cli) size: Option<u64>,
    /// Its sha256, hexadecimal, where the index gives it.
    pub(in crate::cli) sha256: Option<String>,
}

/// What a scan found, and how it came by it.
#[derive(Debug, Serialize)]
pub(in crate::cli) struct Scanned {
    #[serde(flatten)]
    pub(in crate::cli) findings: Findings,
    /// The wheel's address, without credentials.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::cli) url: Option<String>,
    /// The sha256 that its index gives; a scan by ranges does not check it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::cli) sha256: Option<String>,
    /// How many bytes of it were moved over the network.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::cli) moved: Option<u64>,
}

impl Scanned {
    pub(super) fn local(findings: Findings) -> Self {
        Self {
            findings,
            url: None,
            sha256: None,
            moved: None,
        }
    }
}

impl RemoteWheel {
    /// The wheel that an index lists.
    pub(in crate::cli) fn of(file: &File) -> Result<Self, CliError> {
        let url = Url::parse(&file.url).map_err(|error| {
            CliError::usage(format!(
                "`{}` has an unreadable address: {error}",
                file.filename
            ))
        })?;
        Ok(Self {
            filename: file.filename.clone(),
            url,
            size: file.size,
            sha256: file.sha256().map(str::to_owned),
        })
    }

    /// Scans it, moving only the ranges that the limits ask for.
    pub(in crate::cli) fn scan(
        &self,
        registry: &Registry,
        limits: &Limits,
    ) -> Result<Scanned, CliError> {
        let mut reader = self.open(registry)?;
        let findings = scan_wheel(&mut reader, &self.filename, limits);
        let moved = reader.moved();
        Ok(Scanned {
            findings: findings.map_err(|error| from_scan(&error))?,
            url: Some(crate::fetch::error::without_credentials(&self.url).to_string()),
            sha256: self.sha256.clone(),
            moved: Some(moved),
        })
    }
}

impl RemoteWheel {
    /// Its files; of its bytes, the central directory alone is moved.
    pub(super) fn files(&self, registry: &Registry) -> Result<Vec<FileDigest>, CliError> {
        list_files(self.open(registry)?, &Limits::remote()).map_err(|error| from_scan(&error))
    }

    fn open(&self, registry: &Registry) -> Result<RemoteReader, CliError> {
        let source = RemoteSource {
            url: self.url.clone(),
            size: self.size,
            sha256: self.sha256.clone(),
            temporary: registry.cache().temporary_folder(),
        };
        let opened = RemoteFile::open(registry.client(), source, TAIL);
        let runtime = registry
            .threads()
            .handle()
            .map_err(|error| from_fetch(&error))?;
        let file = runtime
            .block_on(opened)
            .map_err(|error| from_fetch(&error))?;
        Ok(RemoteReader::new(file, runtime.clone()))
    }
}

/// The files of a wheel on the disk.
pub(super) fn files_of(path: &Path) -> Result<Vec<FileDigest>, CliError> {
    list_files(on_disk(path)?, &Limits::default()).map_err(|error| from_scan(&error))
}

/// Scans a wheel on the disk.
pub(super) fn scan_file(path: &Path, limits: &Limits) -> Result<Scanned, CliError> {
    let file = on_disk(path)?;
    let filename = path.file_name().unwrap_or_default().to_string_lossy();
    scan_wheel(file, &filename, limits)
        .map(Scanned::local)
        .map_err(|error| from_scan(&error))
}

fn on_disk(path: &Path) -> Result<BufReader<DiskFile>, CliError> {
    DiskFile::open(path)
        .map(BufReader::new)
        .map_err(|error| CliError::usage(format!("cannot read `{}`: {error}", path.display())))
}

/// The wheels of a release that suit the targets best, each once.
pub(super) fn of_release(
    registry: &Registry,
    name: &PackageName,
    version: &Version,
    targets: &[Target],
) -> Result<Vec<RemoteWheel>, CliError> {
    let page = registry.page(name).map_err(|error| {
        let mut error = CliError::from_fact(&error);
        if error.exit == Exit::Unsolvable {
            error.exit = Exit::Usage;
        }
        error
    })?;
    let listed = page.files.some(&page.files.of_version(version));
    let listed =
        listed.map_err(|error| CliError::from_fact(&FactError::unreadable(&page.name, error)))?;
    let files: Vec<&File> = listed
        .iter()
        .filter(|file| matches!(file.kind, FileKind::Wheel(_)))
        .collect();
    if files.is_empty() {
        return Err(no_wheels(&page, version));
    }
    let mut chosen: Vec<&File> = Vec::new();
    for target in targets {
        if let Some(file) = best(&files, target)
            && !chosen.iter().any(|other| other.filename == file.filename)
        {
            chosen.push(file);
        }
    }
    if chosen.is_empty() {
        let wheels = files.iter().filter_map(|file| match &file.kind {
            FileKind::Wheel(wheel) => Some(wheel),
            FileKind::Sdist(_) | FileKind::Variants(_) => None,
        });
        let why = targets
            .first()
            .and_then(|target| target.why_none(wheels))
            .map_or_else(String::new, |mismatch| format!(": {mismatch}"));
        return Err(
            CliError::usage(format!("no wheel of {name} {version} suits{why}"))
                .hint("name another target with `--python-version` and `--python-platform`"),
        );
    }
    chosen.into_iter().map(RemoteWheel::of).collect()
}

/// The file that suits the target best; `None` where none does.
pub(in crate::cli) fn best<'f>(files: &[&'f File], target: &Target) -> Option<&'f File> {
    files
        .iter()
        .filter_map(|file| match &file.kind {
            FileKind::Wheel(wheel) => Some((target.wheel_order(wheel)?, *file)),
            FileKind::Sdist(_) | FileKind::Variants(_) => None,
        })
        .max_by(|(a, _), (b, _)| a.cmp(b))
        .map(|(_, file)| file)
}

fn no_wheels(page: &Page, version: &Version) -> CliError {
    let name = &page.name;
    if !page.files.of_version(version).is_empty() {
        return CliError::usage(format!("{name} {version} has no wheels"))
            .hint("a source distribution has no binaries to scan");
    }
    let newest = page.files.releases().next_back();
    let error = CliError::usage(format!("there is no {name} {version}"));
    match newest {
        Some(newest) => error.hint(format!("the newest is {}", newest.version)),
        None => error,
    }
}

/// What could not be fetched.
pub(in crate::cli) fn from_fetch(error: &FetchError) -> CliError {
    let exit = match error {
        FetchError::Setup(_) | FetchError::Io { .. } => Exit::Usage,
        _ => Exit::Network,
    };
    let told = CliError::new(exit, error.to_string());
    match error.hint() {
        Some(hint) => told.hint(hint),
        None => told,
    }
}

/// What could not be scanned; the network is at fault where reading failed by it.
pub(super) fn from_scan(error: &ScanError) -> CliError {
    let ScanError::Read { source } = error else {
        return CliError::usage(error.to_string());
    };
    let fetched = source
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<FetchError>());
    match fetched {
        Some(fetched) => from_fetch(fetched),
        None => CliError::usage(format!("{error}: {source}")),
    }
}
