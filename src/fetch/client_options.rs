//! How the HTTP client behaves, and where that is said.

use std::path::PathBuf;
use std::time::Duration;

use super::auth::Environment;
use super::certificates::CertificateSource;
use super::error::FetchError;
use super::retry::RetryPolicy;

/// How the client behaves.
#[derive(Debug, Clone)]
pub struct ClientOptions {
    /// Which certificate authorities are trusted.
    pub certificates: CertificateSource,
    /// How long a connection may take to come up.
    pub connect_timeout: Duration,
    /// How long a server may be silent in the midst of an answer.
    pub read_timeout: Duration,
    /// How many requests may be under way at once.
    pub concurrency: usize,
    /// When a failed request is tried again.
    pub retry: RetryPolicy,
    /// Whether the proxies that the environment names are used.
    pub proxies_from_environment: bool,
    /// Whether the network may not be used at all (`--offline`).
    pub offline: bool,
}

impl Default for ClientOptions {
    fn default() -> Self {
        Self {
            certificates: CertificateSource::default(),
            connect_timeout: Duration::from_secs(10),
            read_timeout: Duration::from_secs(30),
            concurrency: 50,
            retry: RetryPolicy::default(),
            proxies_from_environment: true,
            offline: false,
        }
    }
}

impl ClientOptions {
    /// The options that the environment gives: `MLRESOLVE_HTTP_TIMEOUT` (seconds that a
    /// silent server is waited for), `MLRESOLVE_CONCURRENT_REQUESTS`,
    /// `MLRESOLVE_HTTP_RETRIES`, each also under uv's name; and the certificates, of which
    /// `certificate`, from `--cert`, goes first.
    ///
    /// # Errors
    ///
    /// [`FetchError::Setup`] for a value that is no whole number.
    pub fn from_environment(
        certificate: Option<PathBuf>,
        environment: Environment<'_>,
    ) -> Result<Self, FetchError> {
        let mut options = Self {
            certificates: CertificateSource::new(certificate, environment),
            ..Self::default()
        };
        if let Some(seconds) = number(environment, ["MLRESOLVE_HTTP_TIMEOUT", "UV_HTTP_TIMEOUT"])? {
            options.read_timeout = Duration::from_secs(seconds.into());
        }
        let names = ["MLRESOLVE_CONCURRENT_REQUESTS", "UV_CONCURRENT_DOWNLOADS"];
        if let Some(requests) = number(environment, names)? {
            options.concurrency = usize::try_from(requests).unwrap_or(usize::MAX);
        }
        if let Some(retries) = number(environment, ["MLRESOLVE_HTTP_RETRIES", "UV_HTTP_RETRIES"])? {
            options.retry.retries = retries;
        }
        Ok(options)
    }
}

/// The number that the first of the variables gives which is set.
fn number(
    environment: Environment<'_>,
    names: [&'static str; 2],
) -> Result<Option<u32>, FetchError> {
    let set = |name: &'static str| {
        environment(name)
            .filter(|it| !it.is_empty())
            .map(|it| (name, it))
    };
    let Some((name, value)) = names.into_iter().find_map(set) else {
        return Ok(None);
    };
    let number = value.to_str().and_then(|value| value.trim().parse().ok());
    number.map(Some).ok_or_else(|| {
        FetchError::Setup(format!(
            "`{name}` is `{}`, and must be a whole number",
            value.display()
        ))
    })
}
