//! A loopback server for tests: what it answers is a function of what is asked.
#![expect(
    clippy::unwrap_used,
    reason = "a test server that cannot run fails its test"
)]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection};
use url::Url;

use super::{Auth, Client, ClientOptions, Progress, RetryPolicy};

/// One request, as it reached the server.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    /// The path with its query.
    pub(crate) path: String,
    /// The headers; names in lower case.
    pub(crate) headers: BTreeMap<String, String>,
}

/// What the server answers.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    /// Announces the whole body and sends only so much of it.
    cut: Option<usize>,
}

impl Reply {
    pub(crate) fn new(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Vec::new(),
            cut: None,
        }
    }

    pub(crate) fn ok(content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        let mut reply = Self::new(200).header("content-type", content_type);
        reply.body = body.into();
        reply
    }

    pub(crate) fn html(body: impl Into<Vec<u8>>) -> Self {
        Self::ok("text/html", body)
    }

    pub(crate) fn body(&self) -> &[u8] {
        &self.body
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn cut_after(mut self, bytes: usize) -> Self {
        self.cut = Some(bytes);
        self
    }

    /// The part of `file` that was asked for, as a server that knows ranges gives it.
    pub(crate) fn ranges_of(file: &[u8], asked: &Asked) -> Self {
        let length = file.len();
        let Some(range) = asked.headers.get("range") else {
            return Self::ok("application/octet-stream", file).header("accept-ranges", "bytes");
        };
        let (from, to) = range
            .strip_prefix("bytes=")
            .unwrap()
            .split_once('-')
            .unwrap();
        let (from, to): (usize, usize) = match (from, to) {
            ("", last) => (length.saturating_sub(last.parse().unwrap()), length),
            (from, "") => (from.parse().unwrap(), length),
            (from, to) => (
                from.parse().unwrap(),
                length.min(to.parse::<usize>().unwrap() + 1),
            ),
        };
        Self::partial(
            &file[from..to],
            &format!("bytes {from}-{}/{length}", to - 1),
        )
    }

    pub(crate) fn partial(body: &[u8], content_range: &str) -> Self {
        let mut reply = Self::new(206).header("content-range", content_range);
        reply.body = body.to_vec();
        reply
    }
}

/// The certificate of [`Server::start_tls`], in PEM form; it expires in 2126.
pub(crate) const CERTIFICATE: &str = include_str!("tests/tls/certificate.pem");

/// A server on a port of its own; it ends when it is dropped.
pub(crate) struct Server {
    scheme: &'static str,
    address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
    end: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    pub(crate) fn start(answer: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Self {
        Self::listen(None, answer)
    }

    /// A server that speaks TLS, with a certificate of its own for 127.0.0.1.
    pub(crate) fn start_tls(answer: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Self {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let certificate = CertificateDer::from_pem_slice(CERTIFICATE.as_bytes()).unwrap();
        let key = include_str!("tests/tls/key.pem");
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![certificate],
                PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap(),
            )
            .unwrap();
        Self::listen(Some(Arc::new(config)), answer)
    }

    fn listen(
        tls: Option<Arc<ServerConfig>>,
        answer: impl Fn(&Asked) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let end = Arc::new(AtomicBool::new(false));
        let (log, ended) = (Arc::clone(&asked), Arc::clone(&end));
        let answer = Arc::new(answer);
        let scheme = if tls.is_some() { "https" } else { "http" };
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if ended.load(Ordering::SeqCst) {
                    return;
                }
                let (log, answer, tls) = (Arc::clone(&log), Arc::clone(&answer), tls.clone());
                std::thread::spawn(move || {
                    let mut stream = stream.unwrap();
                    match tls {
                        None => serve(&mut stream, &log, &*answer),
                        Some(config) => {
                            let connection = ServerConnection::new(config).unwrap();
                            let mut stream = rustls::StreamOwned::new(connection, stream);
                            serve(&mut stream, &log, &*answer);
                            // A client that does not trust us has gone already.
                            stream.conn.send_close_notify();
                            let _ = stream.flush();
                        }
                    }
                });
            }
        });
        Self {
            scheme,
            address,
            asked,
            end,
            thread: Some(thread),
        }
    }

    /// The URL of a path, which begins with `/`.
    pub(crate) fn url(&self, path: &str) -> Url {
        Url::parse(&format!("{}://{}{path}", self.scheme, self.address)).unwrap()
    }

    /// What was asked so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

impl Server {
    /// The paths that were asked so far, sorted.
    pub(crate) fn paths(&self) -> Vec<String> {
        let mut paths: Vec<String> = self.asked().into_iter().map(|asked| asked.path).collect();
        paths.sort();
        paths
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end.store(true, Ordering::SeqCst);
        // Wakes the thread that waits for a connection.
        drop(TcpStream::connect(self.address));
        self.thread.take().unwrap().join().unwrap();
    }
}

fn serve(
    stream: &mut (impl Read + Write),
    log: &Mutex<Vec<Asked>>,
    answer: &dyn Fn(&Asked) -> Reply,
) {
    let mut lines = BufReader::new(&mut *stream).lines();
    let Some(Ok(first)) = lines.next() else {
        return;
    };
    let asked = Asked {
        path: first.split(' ').nth(1).unwrap().to_owned(),
        headers: lines
            .map_while(Result::ok)
            .take_while(|line| !line.is_empty())
            .map(|line| {
                let (name, value) = line.split_once(": ").unwrap();
                (name.to_ascii_lowercase(), value.to_owned())
            })
            .collect(),
    };
    log.lock().unwrap().push(asked.clone());
    let reply = answer(&asked);
    let mut bytes = Vec::new();
    write!(
        bytes,
        "HTTP/1.1 {} Told\r\nconnection: close\r\n",
        reply.status
    )
    .unwrap();
    for (name, value) in &reply.headers {
        write!(bytes, "{name}: {value}\r\n").unwrap();
    }
    write!(bytes, "content-length: {}\r\n\r\n", reply.body.len()).unwrap();
    // A client that went away is the client's affair.
    let _ = stream.write_all(&bytes);
    let _ = stream.write_all(&reply.body[..reply.cut.unwrap_or(reply.body.len())]);
}

/// A client that does not wait between attempts.
pub(crate) fn client(auth: Auth) -> Client {
    Client::new(client_options(), auth, Arc::new(Progress::default()))
}

/// The options of such a client.
pub(crate) fn client_options() -> ClientOptions {
    ClientOptions {
        retry: RetryPolicy::immediate(),
        proxies_from_environment: false,
        ..ClientOptions::default()
    }
}

/// Runs what is asynchronous.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}

/// A body as it comes compressed for the way by gzip.
pub(crate) fn packed(body: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(body).unwrap();
    packer.finish().unwrap()
}

/// A wheel with `entries` files beside its metadata, and its METADATA last but one, as
/// build back-ends write it. `METADATA` names `name` and `version` and then `more`.
pub(crate) fn wheel(name: &str, version: &str, more: &str, entries: usize) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let stored =
        zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for entry in 0..entries {
        writer
            .start_file(format!("{name}/module_{entry:06}.py"), stored)
            .unwrap();
        writer.write_all(b"pass # some content").unwrap();
    }
    let metadata = format!("Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{more}\n");
    let deflated = stored.compression_method(zip::CompressionMethod::Deflated);
    writer
        .start_file(format!("{name}-{version}.dist-info/METADATA"), deflated)
        .unwrap();
    writer.write_all(metadata.as_bytes()).unwrap();
    writer
        .start_file(format!("{name}-{version}.dist-info/RECORD"), stored)
        .unwrap();
    writer.write_all(&vec![b'r'; entries * 50]).unwrap();
    writer.finish().unwrap().into_inner()
}
