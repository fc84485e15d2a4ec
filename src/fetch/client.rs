//! The HTTP client: redirects, credentials, retries, bounds.

use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

use reqwest::header::{
    ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, HeaderMap, HeaderName, HeaderValue, LOCATION, RANGE,
    RETRY_AFTER,
};
use reqwest::redirect;
use tokio::sync::{Semaphore, SemaphorePermit};
use url::Url;

use super::auth::{Auth, Credentials};
use super::body::{AnswerBody, BodyStream, unpacked};
use super::client_options::ClientOptions;
use super::error::{FetchError, TransportKind, without_credentials};
use super::failure::{Failure, failure, innermost, with_attempts};
use super::lookups::Lookups;
use super::progress::Progress;
use super::remote_zip::RangeSupports;
use super::retry;
use super::tasks::blocking;

/// How many addresses one request may be led through.
const MAX_REDIRECTS: usize = 10;

/// How bodies may be compressed for the way: gzip is undone here, the others by the library.
const ENCODINGS: &str = "gzip, br, zstd, deflate";

/// How many files are downloaded whole at once: they may have gigabytes.
const WHOLE_DOWNLOADS: usize = 4;

/// One thing to ask for.
#[derive(Debug, Clone)]
pub struct Ask {
    url: Url,
    headers: HeaderMap,
    limit: u64,
    ranged: bool,
    /// Whether a body that was compressed for the way may be left so.
    packed: bool,
}

/// What was answered; the status is 2xx or 304.
#[derive(Debug)]
pub struct Answer {
    /// Where the answer came from after all redirects, without credentials.
    pub url: Url,
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, as far as it was read.
    pub body: AnswerBody,
}

/// The HTTP client; clones share connections, bounds and credentials.
#[derive(Debug, Clone)]
pub struct Client(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    options: ClientOptions,
    auth: Auth,
    progress: Arc<Progress>,
    permits: Semaphore,
    /// Bounds how many files are downloaded whole at once.
    downloads: Semaphore,
    range_supports: RangeSupports,
    // Reading the certificates takes milliseconds that a warm run does not need.
    http: OnceLock<Result<reqwest::Client, FetchError>>,
    /// For addresses that need no certificates.
    plain: OnceLock<Result<reqwest::Client, FetchError>>,
}

impl Ask {
    /// Asks for all of a URL, whose body shall not be larger than `limit` bytes.
    ///
    /// Credentials may stand in the URL.
    pub fn new(url: Url, limit: u64) -> Self {
        Self {
            url,
            headers: HeaderMap::new(),
            limit,
            ranged: false,
            packed: false,
        }
    }

    /// A body may be given as it came, compressed for the way: whoever reads it unpacks it where
    /// that holds nobody up.
    pub(super) fn packed(mut self) -> Self {
        self.packed = true;
        self
    }

    /// Adds `Accept`.
    pub fn accept(self, accept: &'static str) -> Self {
        self.header(ACCEPT, accept)
    }

    /// Adds a header; a value that no header can have is left out.
    pub fn header(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(name, value);
        }
        self
    }

    /// Asks for the file's own bytes, not compressed for the way.
    pub fn verbatim(self) -> Self {
        self.header(ACCEPT_ENCODING, "identity")
    }

    /// Asks for a range of the file's own bytes (RFC 9110, 14.2), such as `bytes=0-99`.
    pub fn range(mut self, range: &str) -> Self {
        self.ranged = true;
        self.verbatim().header(RANGE, range)
    }
}

impl Client {
    /// A client; nothing is opened before the first request.
    pub fn new(options: ClientOptions, auth: Auth, progress: Arc<Progress>) -> Self {
        let permits = Semaphore::new(options.concurrency.clamp(1, Semaphore::MAX_PERMITS));
        Self(Arc::new(Inner {
            options,
            auth,
            progress,
            permits,
            downloads: Semaphore::new(WHOLE_DOWNLOADS),
            range_supports: RangeSupports::default(),
            http: OnceLock::new(),
            plain: OnceLock::new(),
        }))
    }

    /// Whether the network may not be used.
    pub fn offline(&self) -> bool {
        self.0.options.offline
    }

    /// The counters that this client keeps.
    pub fn progress(&self) -> &Arc<Progress> {
        &self.0.progress
    }

    /// Waits for a turn to download a whole file.
    pub(super) async fn download_turn(&self) -> Option<SemaphorePermit<'_>> {
        // The semaphore is never closed.
        self.0.downloads.acquire().await.ok()
    }

    pub(super) fn range_supports(&self) -> &RangeSupports {
        &self.0.range_supports
    }

    /// Sends the request and reads the body, again where an attempt fails in passing.
    ///
    /// # Errors
    ///
    /// [`FetchError`]; a status that is neither 2xx nor 304 is one.
    pub async fn get(&self, ask: &Ask) -> Result<Answer, FetchError> {
        self.send(ask, true).await
    }

    /// As [`Client::get`], but the body is left to the caller to read.
    pub async fn open(&self, ask: &Ask) -> Result<Answer, FetchError> {
        self.send(ask, false).await
    }

    async fn send(&self, ask: &Ask, read: bool) -> Result<Answer, FetchError> {
        if self.offline() {
            return Err(FetchError::Offline {
                url: (&ask.url).into(),
            });
        }
        let mut attempts = 0;
        loop {
            attempts += 1;
            let failure = match self.attempt(ask, read).await {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            let wait = failure
                .transient
                .then(|| self.0.options.retry.wait(attempts, failure.retry_after))
                .flatten();
            let Some(wait) = wait else {
                return Err(with_attempts(failure.error, attempts));
            };
            log::debug!("{}; again in {wait:?}", failure.error);
            self.0.progress.retried();
            tokio::time::sleep(wait).await;
        }
    }

    /// One attempt, through all redirects.
    async fn attempt(&self, ask: &Ask, read: bool) -> Result<Answer, Failure> {
        // The semaphore is never closed.
        let _permit = self.0.permits.acquire().await;
        let mut url = ask.url.clone();
        for _ in 0..=MAX_REDIRECTS {
            let response = self.hop(ask, &url).await?;
            let status = response.status();
            if status.is_redirection() && status.as_u16() != 304 {
                url = redirected(&url, &response)?;
                continue;
            }
            if !(status.is_success() || status.as_u16() == 304) {
                return Err(Failure {
                    transient: retry::is_transient(status.as_u16()),
                    retry_after: header(response.headers(), &RETRY_AFTER)
                        .and_then(|value| retry::retry_after(value, SystemTime::now())),
                    error: FetchError::Status {
                        url: (&url).into(),
                        status: status.as_u16(),
                        attempts: 1,
                    },
                });
            }
            return self.answer(ask, response, &url, read).await;
        }
        Err(Failure::lasting(FetchError::Transport {
            url: (&ask.url).into(),
            detail: format!("it was redirected more than {MAX_REDIRECTS} times"),
            attempts: 1,
            kind: TransportKind::Redirect,
        }))
    }

    /// One request and the head of its answer, with credentials where they are needed.
    async fn hop(&self, ask: &Ask, url: &Url) -> Result<reqwest::Response, Failure> {
        let http = self.http(url).map_err(Failure::lasting)?;
        let credentials = self.0.auth.unasked(url);
        let response = self.request(http, ask, url, credentials.as_ref()).await?;
        if response.status().as_u16() != 401 {
            return Ok(response);
        }
        match self.0.auth.when_refused(url).await {
            Some(other) if Some(&other) != credentials.as_ref() => {
                let response = self.request(http, ask, url, Some(&other)).await?;
                if response.status().as_u16() != 401 {
                    self.0.auth.accept(url, other);
                }
                Ok(response)
            }
            _ => Ok(response),
        }
    }

    async fn request(
        &self,
        http: &reqwest::Client,
        ask: &Ask,
        url: &Url,
        credentials: Option<&Credentials>,
    ) -> Result<reqwest::Response, Failure> {
        self.0.progress.sent_request();
        let mut request = http
            .get(without_credentials(url))
            .headers(ask.headers.clone());
        if !ask.headers.contains_key(ACCEPT_ENCODING) {
            request = request.header(ACCEPT_ENCODING, ENCODINGS);
        }
        if let Some(credentials) = credentials {
            request = request.basic_auth(credentials.user(), credentials.password());
        }
        request.send().await.map_err(|error| failure(url, &error))
    }

    async fn answer(
        &self,
        ask: &Ask,
        response: reqwest::Response,
        url: &Url,
        read: bool,
    ) -> Result<Answer, Failure> {
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let stream = BodyStream::new(
            response,
            without_credentials(url),
            Arc::clone(&self.0.progress),
            self.0.options.read_timeout,
        );
        let whole_despite_range = ask.ranged
            && status == 200
            && stream.expected().is_none_or(|length| length > ask.limit);
        let body = if read && !whole_despite_range {
            let is_packed = header(&headers, &CONTENT_ENCODING)
                .is_some_and(|coding| matches!(coding.trim(), "gzip" | "x-gzip"));
            let bytes = stream.read_whole(ask.limit).await?;
            // An answer without a body, such as 304, may say how it would be compressed.
            if !is_packed || bytes.is_empty() {
                AnswerBody::Whole(bytes)
            } else if ask.packed {
                AnswerBody::Packed(bytes)
            } else {
                let (limit, from) = (ask.limit, without_credentials(url));
                let whole = blocking(move || unpacked(&bytes, limit, &from)).await;
                AnswerBody::Whole(whole.map_err(|error| Failure {
                    transient: matches!(error, FetchError::Transport { .. }),
                    retry_after: None,
                    error,
                })?)
            }
        } else {
            AnswerBody::Unread(Box::new(stream))
        };
        Ok(Answer {
            url: without_credentials(url),
            status,
            headers,
            body,
        })
    }

    /// What sends a request to this address. Certificates are read for the first address that
    /// needs them, or a proxy may.
    fn http(&self, url: &Url) -> Result<&reqwest::Client, FetchError> {
        let options = &self.0.options;
        let is_plain = url.scheme() == "http" && !may_have_proxy(options);
        let client = if is_plain {
            &self.0.plain
        } else {
            &self.0.http
        };
        client
            .get_or_init(|| build(options, !is_plain))
            .as_ref()
            .map_err(Clone::clone)
    }
}

impl Answer {
    /// A header's value, where it is there and is text.
    pub fn header(&self, name: &HeaderName) -> Option<&str> {
        header(&self.headers, name)
    }
}

/// Where a redirection leads. From `https` it may lead to `https` only: what was asked
/// for in private is not to be answered in public.
fn redirected(from: &Url, response: &reqwest::Response) -> Result<Url, Failure> {
    let wrong = |detail: String| {
        Failure::lasting(FetchError::Transport {
            url: from.into(),
            detail,
            attempts: 1,
            kind: TransportKind::Redirect,
        })
    };
    let location = header(response.headers(), &LOCATION)
        .ok_or_else(|| wrong("it redirects without saying where to".to_owned()))?;
    let to = from
        .join(location)
        .map_err(|error| wrong(format!("it redirects to an unreadable address: {error}")))?;
    match (from.scheme(), to.scheme()) {
        (_, "https") | ("http", "http") => Ok(to),
        _ => Err(wrong(format!(
            "it redirects to an address that is not `https`: `{}`",
            super::error::ShownUrl::from(&to)
        ))),
    }
}

/// A header's value, where it is there and is text.
pub(super) fn header<'map>(headers: &'map HeaderMap, name: &HeaderName) -> Option<&'map str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// Whether requests may go through a proxy, which may ask for certificates.
fn may_have_proxy(options: &ClientOptions) -> bool {
    let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    // Elsewhere the system may name one.
    options.proxies_from_environment
        && (cfg!(any(windows, target_os = "macos"))
            || ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"]
                .into_iter()
                .any(is_set))
}

fn build(options: &ClientOptions, certificates: bool) -> Result<reqwest::Client, FetchError> {
    // Fails only where a provider is installed already, which then serves.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut builder = reqwest::Client::builder()
        .user_agent(concat!("mlresolve/", env!("CARGO_PKG_VERSION")))
        // Redirects are followed above, where each host gets its own credentials.
        .redirect(redirect::Policy::none())
        .dns_resolver(Arc::new(Lookups::default()))
        .referer(false)
        // Pages are unpacked where they are read, at once into the room that they need.
        .no_gzip()
        .connect_timeout(options.connect_timeout)
        .read_timeout(options.read_timeout)
        // HTTP/2's own 64 KiB would make a page of a megabyte wait twenty times.
        .http2_initial_stream_window_size(4 << 20)
        .http2_initial_connection_window_size(16 << 20);
    if !options.proxies_from_environment {
        builder = builder.no_proxy();
    }
    if !certificates {
        builder = builder.tls_certs_only([]);
    } else if !options.certificates.is_platform() {
        builder = builder.tls_certs_only(options.certificates.load()?);
    }
    builder.build().map_err(|error| {
        FetchError::Setup(format!(
            "the HTTP client could not be set up: {}",
            innermost(&error)
        ))
    })
}
