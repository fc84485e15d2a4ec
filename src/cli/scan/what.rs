//! What a word on the command line names.

use std::path::{Path, PathBuf};
use std::str::FromStr as _;

use pep440_rs::Version;
use pep508_rs::PackageName;
use url::Url;

use super::super::error::CliError;
use super::wheel::RemoteWheel;

/// What is to be scanned.
#[derive(Debug)]
pub(super) enum What {
    /// A wheel on the disk.
    Wheel(PathBuf),
    /// The folder of an environment, or its `site-packages`.
    Folder(PathBuf),
    /// A wheel at an address.
    Url(RemoteWheel),
    /// A release on an index.
    Release(PackageName, Version),
}

impl What {
    /// Takes a word for what it looks like; what lies on the disk comes first.
    pub(super) fn of(word: &str) -> Result<Self, CliError> {
        let path = Path::new(word);
        if path.is_dir() {
            return Ok(Self::Folder(path.to_path_buf()));
        }
        if ["http://", "https://", "file://"]
            .iter()
            .any(|scheme| word.starts_with(scheme))
        {
            return url(word);
        }
        if path.is_file() || word.strip_suffix(".whl").is_some() {
            return Ok(Self::Wheel(path.to_path_buf()));
        }
        release(word)
    }
}

fn url(word: &str) -> Result<What, CliError> {
    let mut url = Url::parse(word)
        .map_err(|error| CliError::usage(format!("`{word}` is not an address: {error}")))?;
    let sha256 = url
        .fragment()
        .and_then(|fragment| fragment.strip_prefix("sha256="))
        .map(str::to_ascii_lowercase);
    url.set_fragment(None);
    let last = url.path().rsplit('/').next().unwrap_or_default();
    let filename = percent_encoding::percent_decode_str(last)
        .decode_utf8_lossy()
        .into_owned();
    Ok(What::Url(RemoteWheel {
        filename,
        url,
        size: None,
        sha256,
    }))
}

fn release(word: &str) -> Result<What, CliError> {
    let wrong = |detail: String| {
        CliError::usage(detail).hint(
            "name a wheel, the address of one, a release (`scipy==1.12.0`), or the folder of an \
             environment",
        )
    };
    let Some((name, version)) = word.split_once("==") else {
        return Err(wrong(format!(
            "`{word}` is neither a file, a folder, an address nor `NAME==VERSION`"
        )));
    };
    let name = PackageName::from_str(name.trim())
        .map_err(|_| wrong(format!("`{name}` is no name of a distribution")))?;
    let version = Version::from_str(version.trim())
        .map_err(|_| wrong(format!("`{version}` is no version (PEP 440)")))?;
    Ok(What::Release(name, version))
}
