#![expect(clippy::unwrap_used, reason = "tests")]

use std::sync::atomic::AtomicU32;

use super::*;
use crate::fetch::Auth;
use crate::fetch::testing::{Reply, Server, client};

/// Serves one body; the first `broken` answers break off in the middle.
struct Served {
    body: &'static [u8],
    etag: Option<&'static str>,
    broken: u32,
    asked: AtomicU32,
}

impl Served {
    fn new(body: &'static [u8], etag: Option<&'static str>, broken: u32) -> Self {
        Self {
            body,
            etag,
            broken,
            asked: AtomicU32::new(0),
        }
    }

    fn asked(&self) -> u32 {
        self.asked.load(Ordering::Relaxed)
    }
}

struct BreaksOff;

impl Read for BreaksOff {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::ErrorKind::UnexpectedEof.into())
    }
}

impl Download for Served {
    fn open(&self, _: &str) -> Result<Body, FactError> {
        let asked = self.asked.fetch_add(1, Ordering::Relaxed);
        let reader: Box<dyn Read + Send> = if asked < self.broken {
            Box::new(self.body.take(3).chain(BreaksOff))
        } else {
            Box::new(self.body)
        };
        Ok(Body {
            reader,
            size: None,
            etag: self.etag.map(str::to_owned),
        })
    }
}

const URL: &str = "https://files.example/demo-1.0.tar.gz";
const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

#[test]
fn a_body_that_breaks_off_is_read_again_from_its_start() {
    let served = Served::new(b"abc", None, 2);
    let mut file = tempfile::tempfile().unwrap();
    let expected = BTreeMap::from([("sha256".to_owned(), ABC.to_owned())]);
    let digested = save(&served, URL, &[&expected], &mut file).unwrap();
    assert_eq!((digested.sha256.as_str(), digested.size), (ABC, 3));
    let mut text = String::new();
    file.rewind().unwrap();
    file.read_to_string(&mut text).unwrap();
    assert_eq!(text, "abc");
    assert_eq!(served.asked(), 3);
}

#[test]
fn a_body_that_always_breaks_off_is_an_error_without_credentials() {
    let served = Served::new(b"abc", None, 9);
    let url = "https://user:secret@files.example/demo-1.0.tar.gz";
    let mut file = tempfile::tempfile().unwrap();
    let error = save(&served, url, &[], &mut file).unwrap_err();
    let message = error.to_string();
    assert!(message.contains("https://files.example/demo-1.0.tar.gz"));
    assert!(!message.contains("secret"), "{message}");
}

#[test]
fn another_hash_is_an_error_and_any_of_several_is_enough() {
    let served = Served::new(b"abc", None, 0);
    let check = |wanted: &str| {
        let expected = BTreeMap::from([("sha256".to_owned(), wanted.to_owned())]);
        save(
            &served,
            URL,
            &[&expected],
            &mut tempfile::tempfile().unwrap(),
        )
    };
    let other = "0".repeat(64);
    assert!(check(&other).unwrap_err().to_string().contains(ABC));
    check(&format!("{other} {}", ABC.to_uppercase())).unwrap();
}

#[test]
fn a_hash_is_remembered_by_size_or_etag() {
    let folder = tempfile::tempdir().unwrap();
    let records = Records::in_folder(folder.path().to_path_buf());
    let first = Served::new(b"abc", Some("\"1\""), 0);
    assert_eq!(hash_file(&first, &records, URL, None).unwrap(), ABC);

    let again = Served::new(b"other", Some("\"1\""), 0);
    assert_eq!(hash_file(&again, &records, URL, Some(3)).unwrap(), ABC);
    assert_eq!(again.asked(), 0, "the size is enough");
    assert_eq!(hash_file(&again, &records, URL, None).unwrap(), ABC);
    assert_eq!(again.asked(), 1, "the ETag is enough");

    let changed = Served::new(b"other", Some("\"2\""), 0);
    assert_ne!(hash_file(&changed, &records, URL, None).unwrap(), ABC);
}

#[test]
fn credentials_do_not_stay() {
    for (url, expected) in [
        ("https://u:p@h.example/a#sha256=1", "https://h.example/a"),
        (
            "git+https://t@h.example/a.git",
            "git+https://h.example/a.git",
        ),
        ("ssh://git@h.example/a", "ssh://git@h.example/a"),
        ("git+ssh://git:p@h.example/a", "git+ssh://git@h.example/a"),
        ("u:p@h.example:a", "h.example:a"),
    ] {
        assert_eq!(without_credentials(url), expected);
    }
}

fn served(server: &Server, path: &str) -> Result<Digested, FactError> {
    let download = ClientDownload::new(client(Auth::none()), Threads::default());
    let mut file = tempfile::tempfile().unwrap();
    save(&download, server.url(path).as_str(), &[], &mut file)
}

#[test]
fn the_index_client_downloads_whole_files_with_their_etag() {
    let server =
        Server::start(|_| Reply::ok("application/octet-stream", "abc").header("etag", "\"1\""));
    let digested = served(&server, "/demo-1.0.tar.gz").unwrap();
    assert_eq!((digested.sha256.as_str(), digested.size), (ABC, 3));
    assert_eq!(digested.etag.as_deref(), Some("\"1\""));
    let asked = server.asked();
    assert_eq!(asked.len(), 1);
    // A body packed for the way would be hashed unpacked, which is another file.
    let encoding = asked[0].headers.get("accept-encoding");
    assert_eq!(encoding.map(String::as_str), Some("identity"));
}

#[test]
fn what_a_server_refuses_or_never_finishes_is_an_error() {
    let server = Server::start(|asked| match asked.path.as_str() {
        "/missing" => Reply::new(404),
        _ => Reply::ok("application/octet-stream", "abc").cut_after(2),
    });
    let error = served(&server, "/missing").unwrap_err();
    assert!(error.to_string().contains("404"), "{error}");
    let error = served(&server, "/cut").unwrap_err();
    assert!(error.to_string().contains("in 3 attempts"), "{error}");
    assert_eq!(server.asked().len(), 1 + 3);
}
