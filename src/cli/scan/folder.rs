//! Scanning what is installed in an environment.

use std::fs::File;
use std::path::{Path, PathBuf};

use super::super::error::CliError;
use super::wheel::{Scanned, from_scan};
use crate::scan::{Limits, NameVersion, scan_installed_files};

/// An installed distribution.
#[derive(Debug)]
pub(super) struct Distribution {
    site: PathBuf,
    name: NameVersion,
    /// Its files by RECORD, relative to the folder that it is installed in.
    files: Vec<String>,
}

/// The distributions in an environment's folder, or in a `site-packages`, by name.
pub(super) fn distributions(folder: &Path) -> Result<Vec<Distribution>, CliError> {
    let mut found = Vec::new();
    for site in sites(folder) {
        for entry in entries(&site)? {
            let info = entry.file_name().unwrap_or_default().to_string_lossy();
            let Some(name) = name_of(&info) else {
                continue;
            };
            // What an editable install or another installer leaves out has no binaries here.
            let record = std::fs::read_to_string(entry.join("RECORD")).unwrap_or_default();
            found.push(Distribution {
                files: record.lines().filter_map(path_of).collect(),
                site: site.clone(),
                name,
            });
        }
    }
    if found.is_empty() {
        return Err(
            CliError::usage(format!("nothing is installed in `{}`", folder.display()))
                .hint("name an environment's folder, or a `site-packages`"),
        );
    }
    found.sort_by(|a, b| (&a.name.name, &a.site).cmp(&(&b.name.name, &b.site)));
    Ok(found)
}

/// Where distributions are installed: as a virtual environment has it on Linux, macOS and
/// Windows, or the folder itself.
fn sites(folder: &Path) -> Vec<PathBuf> {
    let mut sites = vec![
        folder.to_path_buf(),
        folder.join("Lib").join("site-packages"),
    ];
    for lib in ["lib", "lib64"] {
        // lib64 is a link to lib in most environments.
        let lib = folder.join(lib);
        if lib.is_symlink() {
            continue;
        }
        let mut pythons = entries(&lib).unwrap_or_default();
        pythons.retain(|python| {
            let name = python.file_name().unwrap_or_default().to_string_lossy();
            name.starts_with("python")
        });
        sites.extend(pythons.iter().map(|python| python.join("site-packages")));
    }
    sites.retain(|site| site.is_dir());
    sites
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, CliError> {
    let failed = |error: std::io::Error| {
        CliError::usage(format!("cannot read `{}`: {error}", folder.display()))
    };
    let mut entries = std::fs::read_dir(folder)
        .map_err(failed)?
        .map(|entry| entry.map(|entry| entry.path()).map_err(failed))
        .collect::<Result<Vec<_>, _>>()?;
    entries.sort();
    Ok(entries)
}

/// `NAME-VERSION.dist-info`.
fn name_of(info: &str) -> Option<NameVersion> {
    let (name, version) = info.strip_suffix(".dist-info")?.split_once('-')?;
    Some(NameVersion {
        name: name.to_owned(),
        version: version.to_owned(),
    })
}

/// The path of a line of RECORD, `PATH,HASH,SIZE` as CSV; `None` where it leads out of the
/// folder (scripts) or is quoted in a way that no binary's is.
fn path_of(line: &str) -> Option<String> {
    let path = match line.strip_prefix('"') {
        Some(rest) => rest.split('"').next()?,
        None => line.split(',').next()?,
    };
    let inside = Path::new(path)
        .components()
        .all(|part| matches!(part, std::path::Component::Normal(_)));
    (inside && !path.is_empty()).then(|| path.to_owned())
}

impl Distribution {
    /// Its name for people.
    pub(super) fn source(&self) -> String {
        format!(
            "{} {} in {}",
            self.name.name,
            self.name.version,
            self.site.display()
        )
    }

    /// Scans its files.
    pub(super) fn scan(&self, limits: &Limits) -> Result<Scanned, CliError> {
        let files = self.files.iter().filter_map(|path| {
            let file = File::open(self.site.join(path)).ok()?;
            let size = file.metadata().ok()?.len();
            Some((path.clone(), size, file))
        });
        let mut findings = scan_installed_files(&self.source(), files, limits)
            .map_err(|error| from_scan(&error))?;
        findings.metadata = Some(self.name.clone());
        Ok(Scanned::local(findings))
    }
}
