//! Loopback indexes with stand-in wheels: a plain one, and one that behaves like PyTorch's.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Cursor, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Output};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use sha2::{Digest, Sha256};

/// A wheel with nothing in it but what it says of itself.
pub(crate) struct Wheel {
    name: String,
    filename: String,
    bytes: Vec<u8>,
}

impl Wheel {
    pub(crate) fn new(name: &str, version: &str, tags: &str, requires: &[&str]) -> Self {
        Self::with(name, version, tags, requires, None)
    }

    /// A wheel of a variant, which says of itself what this text says.
    #[allow(
        dead_code,
        reason = "one of the tests that share this file has variants"
    )]
    pub(crate) fn variant(
        (name, version, tags): (&str, &str, &str),
        requires: &[&str],
        (label, json): (&str, &str),
    ) -> Self {
        let mut wheel = Self::with(name, version, tags, requires, Some(json));
        wheel.filename = wheel.filename.replace(".whl", &format!("-{label}.whl"));
        wheel
    }

    /// A file that is no wheel.
    #[allow(
        dead_code,
        reason = "one of the tests that share this file has variants"
    )]
    pub(crate) fn other_file(name: &str, filename: &str, content: &str) -> Self {
        Self {
            name: name.to_owned(),
            filename: filename.to_owned(),
            bytes: content.as_bytes().to_vec(),
        }
    }

    /// Writes it into a folder.
    #[allow(
        dead_code,
        reason = "one of the tests that share this file has a folder of wheels"
    )]
    pub(crate) fn write_to(&self, folder: &Path) {
        std::fs::write(folder.join(&self.filename), &self.bytes).unwrap();
    }

    fn with(
        name: &str,
        version: &str,
        tags: &str,
        requires: &[&str],
        variant: Option<&str>,
    ) -> Self {
        let stem = name.replace('-', "_");
        let info = format!("{stem}-{version}.dist-info");
        let mut metadata = format!("Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n");
        let mut extras = std::collections::BTreeSet::new();
        for line in requires {
            writeln!(metadata, "Requires-Dist: {line}").unwrap();
            // pip takes no extra that is not announced.
            if let Some((_, rest)) = line.split_once("extra == ") {
                extras.extend(rest.split(['"', '\'']).nth(1));
            }
        }
        for extra in extras {
            writeln!(metadata, "Provides-Extra: {extra}").unwrap();
        }
        let mut wheel =
            "Wheel-Version: 1.0\nGenerator: stand-in\nRoot-Is-Purelib: false\n".to_owned();
        writeln!(wheel, "Tag: {tags}").unwrap();
        let record = format!("{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n");
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        let stored = zip::write::SimpleFileOptions::default()
            .compression_method(zip::CompressionMethod::Stored);
        for (file, text) in [
            ("METADATA", &metadata),
            ("WHEEL", &wheel),
            ("RECORD", &record),
        ] {
            writer.start_file(format!("{info}/{file}"), stored).unwrap();
            writer.write_all(text.as_bytes()).unwrap();
        }
        if let Some(text) = variant {
            let path = format!("{info}/variant.json");
            writer.start_file(path, stored).unwrap();
            writer.write_all(text.as_bytes()).unwrap();
        }
        Self {
            name: name.to_owned(),
            filename: format!("{stem}-{version}-{tags}.whl"),
            bytes: writer.finish().unwrap().into_inner(),
        }
    }
}

#[derive(Default)]
struct Content {
    /// By the path of a page: the files it lists.
    pages: BTreeMap<String, Vec<String>>,
    files: BTreeMap<String, Vec<u8>>,
}

/// The indexes, each below a path of one address; the files of vendors' lie at another.
pub(crate) struct Indexes {
    content: Arc<Mutex<Content>>,
    pages: Server,
    _files: Server,
}

struct Server {
    address: SocketAddr,
    end: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Indexes {
    pub(crate) fn start() -> Self {
        let content: Arc<Mutex<Content>> = Arc::default();
        let kept = Arc::clone(&content);
        let files = Server::start(move |path| {
            let content = kept.lock().unwrap();
            let name = path.rsplit('/').next().unwrap().replace("%2B", "+");
            content.files.get(&name).map_or_else(not_found, |bytes| {
                answer("200 OK", "binary/octet-stream", bytes)
            })
        });
        let (kept, host) = (Arc::clone(&content), files.address);
        let pages = Server::start(move |path| {
            let content = kept.lock().unwrap();
            if let Some(listed) = content.pages.get(path) {
                let page = page(path, listed, &content.files);
                return answer("200 OK", "text/html", page.as_bytes());
            }
            if path.starts_with("/whl/") && !path.ends_with('/') {
                let more = format!("location: http://{host}{path}\r\n");
                return response("302 Found", &more, b"");
            }
            let name = path.rsplit('/').next().unwrap().replace("%2B", "+");
            content.files.get(&name).map_or_else(not_found, |bytes| {
                answer("200 OK", "application/octet-stream", bytes)
            })
        });
        Self {
            content,
            pages,
            _files: files,
        }
    }

    /// A plain index with wheels for every target.
    #[allow(
        dead_code,
        reason = "one of the tests that share this file has targets of its own"
    )]
    pub(crate) fn with(wheels: &[(&str, &str, &[&str])]) -> Self {
        let mut indexes = Self::start();
        for (name, version, requires) in wheels {
            let wheel = Wheel::new(name, version, "py3-none-any", requires);
            indexes.add("/simple/", &wheel);
        }
        indexes
    }

    /// Adds a wheel to the index at a path, which begins and ends with `/`.
    pub(crate) fn add(&mut self, index: &str, wheel: &Wheel) {
        let mut content = self.content.lock().unwrap();
        let page = format!("{index}{}/", wheel.name);
        let listed = content.pages.entry(page).or_default();
        listed.push(wheel.filename.clone());
        content
            .files
            .insert(wheel.filename.clone(), wheel.bytes.clone());
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.pages.address)
    }

    /// Replaces a file's content.
    #[allow(
        dead_code,
        reason = "one of the tests that share this file has variants"
    )]
    pub(crate) fn replace(&self, filename: &str, bytes: &[u8]) {
        let mut content = self.content.lock().unwrap();
        content.files.insert(filename.to_owned(), bytes.to_vec());
    }

    /// Has a link lead nowhere.
    #[allow(
        dead_code,
        reason = "one of the tests that share this file has such a link"
    )]
    pub(crate) fn remove(&self, filename: &str) {
        self.content.lock().unwrap().files.remove(filename);
    }

    /// The sha256 of a wheel.
    #[allow(
        dead_code,
        reason = "one of the tests that share this file looks at hashes"
    )]
    pub(crate) fn sha256(&self, filename: &str) -> String {
        digest(&self.content.lock().unwrap().files[filename])
    }
}

fn digest(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in Sha256::digest(bytes) {
        write!(text, "{byte:02x}").unwrap();
    }
    text
}

/// A page: vendors' have links from the root with `%2B`, and none gives torchaudio's hashes.
fn page(path: &str, listed: &[String], files: &BTreeMap<String, Vec<u8>>) -> String {
    let vendor = path.strip_prefix("/whl/");
    let mut text = "<!DOCTYPE html><html><body>\n".to_owned();
    for filename in listed {
        let written = filename.replace('+', "%2B");
        let folder = match vendor.and_then(|rest| rest.split('/').next()) {
            Some(label) => format!("/whl/{label}/"),
            None => "../../files/".to_owned(),
        };
        let hash = match files.get(filename) {
            Some(bytes) if vendor.is_none() || !filename.starts_with("torchaudio") => {
                format!("#sha256={}", digest(bytes))
            }
            _ => String::new(),
        };
        writeln!(
            text,
            "<a href=\"{folder}{written}{hash}\">{filename}</a><br/>"
        )
        .unwrap();
    }
    text + "</body></html>\n"
}

fn answer(status: &str, kind: &str, body: &[u8]) -> Vec<u8> {
    response(status, &format!("content-type: {kind}\r\n"), body)
}

fn not_found() -> Vec<u8> {
    answer("404 Not Found", "text/plain", b"")
}

fn response(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let mut bytes = format!(
        "HTTP/1.1 {status}\r\nconnection: close\r\n{headers}content-length: {length}\r\n\r\n"
    )
    .into_bytes();
    bytes.extend(body);
    bytes
}

impl Server {
    fn start(answer: impl Fn(&str) -> Vec<u8> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let end = Arc::new(AtomicBool::new(false));
        let (ended, answer) = (Arc::clone(&end), Arc::new(answer));
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if ended.load(Ordering::SeqCst) {
                    return;
                }
                let answer = Arc::clone(&answer);
                std::thread::spawn(move || serve(stream.unwrap(), &*answer));
            }
        });
        Self {
            address,
            end,
            thread: Some(thread),
        }
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

fn serve(mut stream: TcpStream, answer: &dyn Fn(&str) -> Vec<u8>) {
    let mut lines = BufReader::new(&stream).lines();
    let Some(Ok(first)) = lines.next() else {
        return;
    };
    // The headers are read to their end, so that closing does not cut the answer off.
    let _ = lines.map_while(Result::ok).find(String::is_empty);
    let mut words = first.split(' ');
    let (method, path) = (words.next().unwrap(), words.next().unwrap());
    let mut bytes = answer(path);
    if method == "HEAD" {
        let head = bytes.windows(4).position(|four| four == b"\r\n\r\n");
        bytes.truncate(head.unwrap() + 4);
    }
    // A client that went away is the client's affair.
    let _ = stream.write_all(&bytes);
}

/// Runs the program in a folder, on the plain index and with the builds' indexes mapped here.
pub(crate) fn mlresolve(indexes: &Indexes, folder: &Path, words: &[&str]) -> Output {
    let mirror = format!("https://download.pytorch.org/whl/={}", indexes.url("/whl/"));
    Command::new(env!("CARGO_BIN_EXE_mlresolve"))
        .current_dir(folder)
        .env_clear()
        .env("HOME", folder)
        .args(words)
        .args(["--python-version", "3.11"])
        .args(["--python-platform", "x86_64-manylinux_2_28"])
        .args(["--index-url", &indexes.url("/simple/")])
        .args(["--mirror", &mirror, "--cache-dir", "cache", "--no-build"])
        .output()
        .unwrap()
}

/// What the program said on standard error.
pub(crate) fn told(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}
