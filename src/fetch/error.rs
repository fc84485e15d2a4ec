//! Why something could not be fetched.

use std::fmt;
use std::path::PathBuf;

use url::Url;

use crate::solve::FactError;

/// Why something could not be fetched; every message says what was asked and what came.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// The server answered, but not with what was asked for.
    #[error("`{url}` answered {status}{}", tried(*.attempts))]
    Status {
        /// What was asked.
        url: ShownUrl,
        /// The HTTP status code.
        status: u16,
        /// How often it was tried.
        attempts: u32,
    },
    /// No complete answer came.
    #[error("`{url}` could not be fetched: {detail}{}", tried(*.attempts))]
    Transport {
        /// What was asked.
        url: ShownUrl,
        /// What went wrong.
        detail: String,
        /// How often it was tried.
        attempts: u32,
        /// What kind of failure it was.
        kind: TransportKind,
    },
    /// The answer is larger than anything of its kind should be.
    #[error(
        "`{url}` is larger than {limit} bytes, which is more than mlresolve reads of such a file"
    )]
    TooLarge {
        /// What was asked.
        url: ShownUrl,
        /// The bound, in bytes.
        limit: u64,
    },
    /// The answer came whole and is not what its index says it is.
    #[error("`{url}` has sha256 {found}, its index says {expected}")]
    Hash {
        /// What was asked.
        url: ShownUrl,
        /// The sha256 that the index gives, hexadecimal.
        expected: String,
        /// The sha256 of what came, hexadecimal.
        found: String,
    },
    /// The answer came whole and makes no sense.
    #[error("`{url}` answered nonsense: {detail}")]
    Nonsense {
        /// What was asked.
        url: ShownUrl,
        /// What is wrong with it.
        detail: String,
    },
    /// The network may not be used.
    #[error("`{url}` is not in the cache, and `--offline` forbids to fetch it")]
    Offline {
        /// What was wanted.
        url: ShownUrl,
    },
    /// A local file could not be read or written.
    #[error("`{}`: {detail}", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        detail: String,
    },
    /// An option, a variable or an address that cannot be used.
    #[error("{0}")]
    Setup(String),
}

/// What kind of failure kept an answer from coming.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransportKind {
    /// The server could not be reached.
    Connect,
    /// The server's certificate was not accepted.
    Certificate,
    /// The server fell silent.
    TimedOut,
    /// The answer broke off or could not be decoded.
    Broken,
    /// It led from one address to the next without end, or to where it may not lead.
    Redirect,
}

impl FetchError {
    /// An error of the file system.
    pub fn io(path: impl Into<PathBuf>, error: &std::io::Error) -> Self {
        Self::Io {
            path: path.into(),
            detail: error.to_string(),
        }
    }

    /// What to do about it, where something can be said.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Status {
                status: 401 | 403,
                url,
                ..
            } => format!(
                "check the credentials for `{}`: they are read from the index URL, from \
                 `MLRESOLVE_INDEX_<NAME>_USERNAME` and `_PASSWORD`, from the netrc file, \
                 and from keyring with `--keyring-provider subprocess`",
                url.host()
            ),
            Self::Status { status: 429, .. } => {
                "the server asks for fewer requests: wait, or lower \
                 `MLRESOLVE_CONCURRENT_REQUESTS`"
                    .to_owned()
            }
            Self::Status { status, url, .. } if *status >= 500 => format!(
                "`{}` has trouble of its own: try again later, or name another index with `--index-url`",
                url.host()
            ),
            Self::Transport {
                kind: TransportKind::Certificate,
                ..
            } => {
                "name the file with your certificate authority in `SSL_CERT_FILE` or with `--cert`"
                    .to_owned()
            }
            Self::Transport {
                kind: TransportKind::Connect,
                url,
                ..
            } => format!(
                "check that `{}` can be reached from here, and the variables `HTTPS_PROXY` and \
                 `NO_PROXY`; `--offline` uses what the cache holds",
                url.host()
            ),
            Self::Transport {
                kind: TransportKind::TimedOut | TransportKind::Broken,
                ..
            } => "try again; `MLRESOLVE_HTTP_TIMEOUT` sets how many seconds a silent server is \
                 waited for"
                .to_owned(),
            Self::Hash { .. } => {
                "the file was changed after the index listed it, on the server or on the way: \
                 do not use it before you know why"
                    .to_owned()
            }
            Self::Offline { .. } => {
                "run once without `--offline`, or name a snapshot with `--snapshot`".to_owned()
            }
            Self::Nonsense { .. } => {
                "check that the address is that of a Python package index (PEP 503)".to_owned()
            }
            Self::Status { .. }
            | Self::Transport { .. }
            | Self::TooLarge { .. }
            | Self::Io { .. }
            | Self::Setup(_) => return None,
        };
        Some(hint)
    }

    /// The status of an answer that came but is not what was asked for.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Status { status, .. } => Some(*status),
            _ => None,
        }
    }
}

impl From<FetchError> for FactError {
    fn from(error: FetchError) -> Self {
        Self::Failed {
            message: error.to_string(),
            hint: error.hint(),
        }
    }
}

fn tried(attempts: u32) -> String {
    match attempts {
        0 | 1 => String::new(),
        _ => format!(" (tried {attempts} times)"),
    }
}

/// How much of an address is shown, in bytes: a redirect can lead to one of megabytes.
const SHOWN: usize = 512;

/// A URL as it may be shown and stored: without credentials, query (which may hold a
/// signature) and fragment.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ShownUrl(Box<Url>);

impl ShownUrl {
    /// The host, or what stands for it.
    pub fn host(&self) -> &str {
        self.0.host_str().unwrap_or("this machine")
    }
}

impl From<&Url> for ShownUrl {
    fn from(url: &Url) -> Self {
        let mut url = without_credentials(url);
        url.set_query(None);
        url.set_fragment(None);
        Self(Box::new(url))
    }
}

impl fmt::Display for ShownUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let address = self.0.as_str();
        // All of it is ASCII.
        match address.get(..SHOWN) {
            Some(start) if address.len() > SHOWN => write!(f, "{start}…"),
            _ => f.write_str(address),
        }
    }
}

impl fmt::Debug for ShownUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The URL without user name and password.
pub fn without_credentials(url: &Url) -> Url {
    let mut url = url.clone();
    // Both fail only for URLs that cannot have credentials in the first place.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url
}
