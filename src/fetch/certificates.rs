//! Which certificate authorities are trusted.

use std::path::{Path, PathBuf};

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::auth::Environment;
use super::error::FetchError;

/// Where the trusted authorities come from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CertificateSource {
    /// PEM files, each with what named it; a variable may name a folder of them too.
    files: Vec<(PathBuf, &'static str)>,
    /// Folders of PEM files.
    folders: Vec<PathBuf>,
}

/// The variables that name a bundle, the first that is set wins: OpenSSL's, that of
/// Python's requests, curl's, pip's.
const FILE_VARIABLES: [&str; 4] = [
    "SSL_CERT_FILE",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "PIP_CERT",
];

/// The option that names a bundle.
const OPTION: &str = "--cert";

impl CertificateSource {
    /// From `--cert`, else from the environment; where neither names anything, the
    /// platform's own authorities are used.
    pub fn new(option: Option<PathBuf>, environment: Environment<'_>) -> Self {
        if let Some(path) = option {
            return Self {
                files: vec![(path, OPTION)],
                folders: Vec::new(),
            };
        }
        let set = |name| environment(name).filter(|value| !value.is_empty());
        let mut source = Self::default();
        for name in FILE_VARIABLES {
            if let Some(path) = set(name).map(PathBuf::from) {
                source.files.push((path, name));
                break;
            }
        }
        if let Some(folders) = set("SSL_CERT_DIR") {
            source.folders.extend(
                std::env::split_paths(&folders).filter(|folder| !folder.as_os_str().is_empty()),
            );
        }
        source
    }

    /// Whether the platform's own authorities are used.
    pub fn is_platform(&self) -> bool {
        self.files.is_empty() && self.folders.is_empty()
    }

    /// Reads the authorities. What is no usable certificate in a folder is passed over.
    ///
    /// # Errors
    ///
    /// A file that was named and cannot be read or holds no certificate.
    pub fn load(&self) -> Result<Vec<reqwest::Certificate>, FetchError> {
        let mut found: Vec<CertificateDer<'static>> = Vec::new();
        for (path, named_by) in &self.files {
            // requests and curl accept a folder under the same name.
            if *named_by != OPTION && path.is_dir() {
                found.extend(read_folder(path));
                continue;
            }
            let certificates = read_bundle(path).map_err(|detail| {
                FetchError::Setup(format!(
                    "`{}`, named by `{named_by}`: {detail}",
                    path.display()
                ))
            })?;
            found.extend(certificates);
        }
        for folder in &self.folders {
            found.extend(read_folder(folder));
        }
        found.sort_unstable_by(|left, right| left.as_ref().cmp(right.as_ref()));
        found.dedup();
        let usable = found.into_iter().filter(|certificate| {
            // One strange certificate in a bundle must not make the others useless.
            rustls::RootCertStore::empty()
                .add(certificate.clone())
                .is_ok()
        });
        usable
            .map(|certificate| {
                reqwest::Certificate::from_der(&certificate)
                    .map_err(|error| FetchError::Setup(error.to_string()))
            })
            .collect()
    }
}

fn read_bundle(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let bytes = std::fs::read(path).map_err(|error| error.to_string())?;
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(&bytes)
        .filter_map(Result::ok)
        .collect();
    if certificates.is_empty() {
        return Err("holds no certificate in PEM form".to_owned());
    }
    Ok(certificates)
}

fn read_folder(folder: &Path) -> Vec<CertificateDer<'static>> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        log::warn!(
            "`{}`, named by `SSL_CERT_DIR`, cannot be read",
            folder.display()
        );
        return Vec::new();
    };
    let mut paths: Vec<PathBuf> = entries
        .flatten()
        // `openssl rehash` makes links beside the files: the same certificate twice.
        .filter_map(|entry| entry.path().canonicalize().ok())
        .filter(|path| path.is_file())
        .collect();
    paths.sort_unstable();
    paths.dedup();
    paths
        .iter()
        .filter_map(|path| read_bundle(path).ok())
        .flatten()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_option_comes_first_and_the_variables_in_order() {
        let environment = |name: &str| match name {
            "PIP_CERT" | "REQUESTS_CA_BUNDLE" => Some(format!("/{name}.pem").into()),
            _ => None,
        };
        let source = CertificateSource::new(None, &environment);
        assert_eq!(
            source.files,
            [(
                PathBuf::from("/REQUESTS_CA_BUNDLE.pem"),
                "REQUESTS_CA_BUNDLE"
            )]
        );
        let option = CertificateSource::new(Some("/mine.pem".into()), &environment);
        assert_eq!(option.files, [(PathBuf::from("/mine.pem"), "--cert")]);
        assert!(CertificateSource::new(None, &|_| None).is_platform());
    }

    #[test]
    fn a_bundle_that_cannot_be_used_is_named_with_what_named_it() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("empty.pem");
        std::fs::write(&path, "nothing").expect("the folder is writable");
        let named = path.clone();
        let environment =
            move |name: &str| (name == "SSL_CERT_FILE").then(|| named.clone().into_os_string());
        let error = CertificateSource::new(None, &environment)
            .load()
            .expect_err("the file holds no certificate");
        let expected = format!(
            "`{}`, named by `SSL_CERT_FILE`: holds no certificate in PEM form",
            path.display()
        );
        assert_eq!(error.to_string(), expected);
    }
}
