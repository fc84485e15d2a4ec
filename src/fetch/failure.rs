//! What went wrong with one attempt, and whether another may help.

use std::time::Duration;

use url::Url;

use super::error::{FetchError, TransportKind};

/// Why one attempt failed.
pub(super) struct Failure {
    pub(super) error: FetchError,
    pub(super) transient: bool,
    pub(super) retry_after: Option<Duration>,
}

impl Failure {
    pub(super) fn lasting(error: FetchError) -> Self {
        Self {
            error,
            transient: false,
            retry_after: None,
        }
    }
}

/// Notes in the error how many attempts were made.
pub(super) fn with_attempts(error: FetchError, made: u32) -> FetchError {
    match error {
        FetchError::Status { url, status, .. } => FetchError::Status {
            url,
            status,
            attempts: made,
        },
        FetchError::Transport {
            url, detail, kind, ..
        } => FetchError::Transport {
            url,
            detail,
            attempts: made,
            kind,
        },
        other => other,
    }
}

/// Classifies what went wrong below HTTP.
pub(super) fn failure(url: &Url, error: &reqwest::Error) -> Failure {
    let kind = if is_certificate(error) {
        TransportKind::Certificate
    } else if error.is_connect() {
        TransportKind::Connect
    } else if error.is_timeout() {
        TransportKind::TimedOut
    } else {
        TransportKind::Broken
    };
    Failure {
        transient: kind != TransportKind::Certificate && !error.is_builder(),
        retry_after: None,
        error: FetchError::Transport {
            url: url.into(),
            detail: innermost(error),
            attempts: 1,
            kind,
        },
    }
}

/// The innermost cause says what happened; the outer ones say that it did.
pub(super) fn innermost(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return if error.is_connect() {
            "no connection came up in time".to_owned()
        } else {
            "the server fell silent".to_owned()
        };
    }
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

fn is_certificate(error: &(dyn std::error::Error + 'static)) -> bool {
    if let Some(tls) = error.downcast_ref::<rustls::Error>() {
        return matches!(tls, rustls::Error::InvalidCertificate(_));
    }
    // The source of an I/O error is its content's source, which passes over the content.
    let content = error
        .downcast_ref::<std::io::Error>()
        .and_then(std::io::Error::get_ref);
    match content {
        Some(content) => is_certificate(content),
        None => error.source().is_some_and(is_certificate),
    }
}
