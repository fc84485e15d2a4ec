//! Redirects, credentials, retries and bounds of the HTTP client.

use std::io::Write as _;
use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::super::testing::{CERTIFICATE, Reply, Server, block_on, client, client_options};
use super::super::{
    AnswerBody, Ask, Auth, CertificateSource, Client, ClientOptions, Credentials, FetchError,
    KeyringProvider, RetryPolicy, TransportKind,
};

const LIMIT: u64 = 1000;

fn get(client: &Client, url: url::Url) -> Result<String, FetchError> {
    let answer = block_on(client.get(&Ask::new(url, LIMIT)))?;
    match answer.body {
        AnswerBody::Whole(body) => Ok(String::from_utf8(body).expect("the test sends text")),
        AnswerBody::Unread(_) | AnswerBody::Packed(_) => panic!("a body was left unread"),
    }
}

/// `ada:secret`, as HTTP's basic scheme encodes it.
const ADA: &str = "Basic YWRhOnNlY3JldA==";

#[test]
fn a_server_in_trouble_is_asked_again() {
    let asked = AtomicUsize::new(0);
    let server = Server::start(move |_| match asked.fetch_add(1, Ordering::SeqCst) {
        0 => Reply::new(503).header("retry-after", "0"),
        1 => Reply::html("a page that breaks off").cut_after(5),
        2 => Reply::new(429),
        _ => Reply::html("whole"),
    });
    let client = client(Auth::none());
    assert_eq!(get(&client, server.url("/simple/")), Ok("whole".to_owned()));
    assert_eq!(server.asked().len(), 4);
}

pub(super) fn packed(body: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(body).expect("it is written to memory");
    packer.finish().expect("it is written to memory")
}

#[test]
fn a_body_that_was_compressed_for_the_way_is_unpacked_and_asked_for_again_where_it_is_damaged() {
    let asked = AtomicUsize::new(0);
    let server = Server::start(move |asking| {
        let codings = asking.headers.get("accept-encoding").map(String::as_str);
        assert_eq!(codings, Some("gzip, br, zstd, deflate"));
        let mut body = packed("whole ".repeat(10).as_bytes());
        if asked.fetch_add(1, Ordering::SeqCst) == 0 {
            let place = body.len() - 6;
            body[place] ^= 1;
        }
        Reply::html(body).header("content-encoding", "gzip")
    });
    let client = client(Auth::none());
    assert_eq!(
        get(&client, server.url("/simple/")),
        Ok("whole ".repeat(10))
    );
    assert_eq!(server.asked().len(), 2);
    let url = server.url("/simple/");
    let ask = Ask::new(url.clone(), LIMIT).packed();
    let answer = block_on(client.get(&ask)).expect("it is there");
    assert!(matches!(answer.body, AnswerBody::Packed(_)));

    let server = Server::start(|_| {
        Reply::html(packed("x".repeat(1001).as_bytes())).header("content-encoding", "gzip")
    });
    assert!(matches!(
        get(&client, server.url("/simple/")),
        Err(FetchError::TooLarge { limit: LIMIT, .. })
    ));
    assert_eq!(server.asked().len(), 1);
}

#[test]
fn an_answer_without_a_body_has_nothing_to_unpack() {
    let server = Server::start(|asking| {
        let status = if asking.path == "/empty" { 200 } else { 304 };
        Reply::new(status).header("content-encoding", "gzip")
    });
    let client = client(Auth::none());
    for path in ["/empty", "/unchanged"] {
        assert_eq!(get(&client, server.url(path)), Ok(String::new()), "{path}");
        let ask = Ask::new(server.url(path), LIMIT).packed();
        let answer = block_on(client.get(&ask)).expect("it is there");
        assert!(matches!(answer.body, AnswerBody::Whole(_)), "{path}");
    }
    assert_eq!(server.asked().len(), 4);
}

#[test]
fn an_answer_that_trickles_in_ends() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("it is bound");
    let (gone, is_gone) = std::sync::mpsc::channel::<()>();
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("the client connects");
        let asked = std::io::Read::read(&mut stream, &mut [0; 4096]);
        assert!(asked.expect("it asks") > 0);
        let head = b"HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n";
        let mut sent = stream.write_all(head);
        while sent.is_ok() && is_gone.recv_timeout(Duration::from_millis(20)).is_err() {
            sent = stream.write_all(b"x");
        }
    });
    let options = ClientOptions {
        retry: RetryPolicy {
            retries: 0,
            ..RetryPolicy::immediate()
        },
        read_timeout: Duration::from_millis(50),
        ..client_options()
    };
    let client = Client::new(options, Auth::none(), std::sync::Arc::default());
    let url = url::Url::parse(&format!("http://{address}/")).expect("a URL");
    let error = get(&client, url).expect_err("it never ends");
    gone.send(()).expect("the server waits for it");
    server.join().expect("it served");
    let FetchError::Transport { kind, detail, .. } = error else {
        panic!("{error}");
    };
    // A machine that is busy may see the server as silent.
    assert_eq!(kind, TransportKind::TimedOut, "{detail}");
}

#[test]
fn what_fails_for_good_is_said_with_the_number_of_attempts() {
    let server = Server::start(|_| Reply::new(502));
    let client = client(Auth::none());
    let error = get(&client, server.url("/simple/?token=abc")).expect_err("it never answers");
    let expected = format!("`{}` answered 502 (tried 4 times)", server.url("/simple/"));
    assert_eq!(error.to_string(), expected);
    assert_eq!(server.asked().len(), 4);
}

#[test]
fn a_long_retry_after_is_not_waited_for() {
    let server = Server::start(|_| Reply::new(429).header("retry-after", "86400"));
    let error = get(&client(Auth::none()), server.url("/")).expect_err("it refuses");
    assert_eq!(error.status(), Some(429));
    assert_eq!(server.asked().len(), 1);
}

#[test]
fn what_is_not_there_is_asked_once() {
    let server = Server::start(|_| Reply::new(404));
    let error = get(&client(Auth::none()), server.url("/simple/no/")).expect_err("it is not there");
    assert_eq!(error.status(), Some(404));
    assert_eq!(server.asked().len(), 1);
}

#[test]
fn a_server_that_is_down_is_an_error_with_a_hint() {
    let gone = Server::start(|_| Reply::new(200)).url("/simple/");
    let error = get(&client(Auth::none()), gone).expect_err("nobody listens");
    assert!(
        matches!(
            error,
            FetchError::Transport {
                kind: TransportKind::Connect,
                attempts: 4,
                ..
            }
        ),
        "{error:?}"
    );
    assert!(
        error
            .hint()
            .is_some_and(|hint| hint.contains("can be reached"))
    );
}

#[test]
fn a_body_over_the_limit_is_refused() {
    let server = Server::start(|_| Reply::html(vec![b'x'; 1001]));
    let error = get(&client(Auth::none()), server.url("/")).expect_err("it is too large");
    assert!(
        matches!(error, FetchError::TooLarge { limit: LIMIT, .. }),
        "{error:?}"
    );
}

#[test]
fn a_body_that_stays_cut_is_an_error() {
    let server = Server::start(|_| Reply::html("a page").cut_after(3));
    let error = get(&client(Auth::none()), server.url("/")).expect_err("it breaks off");
    assert!(
        matches!(
            error,
            FetchError::Transport {
                kind: TransportKind::Broken,
                attempts: 4,
                ..
            }
        ),
        "{error:?}"
    );
}

#[test]
fn redirects_are_followed_and_bounded() {
    let server = Server::start(|asked| match asked.path.as_str() {
        "/there" => Reply::html("here"),
        "/here" => Reply::new(302).header("location", "there"),
        _ => Reply::new(301).header("location", "/round"),
    });
    let client = client(Auth::none());
    let answer = block_on(client.get(&Ask::new(server.url("/here"), LIMIT))).expect("it is there");
    assert_eq!(answer.url, server.url("/there"));
    let error = get(&client, server.url("/round")).expect_err("it has no end");
    assert!(
        error
            .to_string()
            .ends_with("it was redirected more than 10 times"),
        "{error}"
    );
}

#[test]
fn credentials_do_not_follow_a_redirect_to_another_host() {
    let files = Server::start(|asked| match asked.headers.get("authorization") {
        None => Reply::html("public"),
        Some(_) => Reply::new(500),
    });
    let location = files.url("/file").to_string();
    let index = Server::start(move |asked| match asked.headers.get("authorization") {
        Some(given) if given == ADA => Reply::new(302).header("location", &location),
        _ => Reply::new(401),
    });
    let mut url = index.url("/simple/");
    url.set_username("ada")
        .expect("an http URL can have a user");
    url.set_password(Some("secret"))
        .expect("an http URL can have a password");
    assert_eq!(get(&client(Auth::none()), url), Ok("public".to_owned()));
    assert_eq!(
        get(&client(Auth::none()), index.url("/")).map_err(|it| it.status()),
        Err(Some(401))
    );
}

#[test]
fn credentials_of_an_index_serve_its_files() {
    let server = Server::start(|asked| match asked.headers.get("authorization") {
        Some(given) if given == ADA => Reply::html("private"),
        _ => Reply::new(401),
    });
    let mut auth = Auth::none();
    let ada = Credentials::new("ada".to_owned(), Some("secret".to_owned()));
    auth.add(server.url("/simple/"), ada);
    let client = client(auth);
    assert_eq!(
        get(&client, server.url("/files/a.whl")),
        Ok("private".to_owned())
    );
}

#[test]
fn errors_and_debugging_text_hold_no_credentials() {
    let server = Server::start(|_| Reply::new(403));
    let mut url = server.url("/simple/");
    url.set_username("ada")
        .expect("an http URL can have a user");
    url.set_password(Some("secret"))
        .expect("an http URL can have a password");
    let mut auth = Auth::none();
    auth.add(
        url.clone(),
        Credentials::of_url(&url).expect("it has credentials"),
    );
    let client = client(auth);
    let error = get(&client, url).expect_err("it is refused");
    let shown = format!("{error} {error:?} {:?}", error.hint());
    assert!(!shown.contains("secret"), "{shown}");
}

#[test]
fn offline_asks_nothing() {
    let server = Server::start(|_| Reply::html("page"));
    let mut options = client_options();
    options.offline = true;
    let client = Client::new(options, Auth::none(), std::sync::Arc::default());
    let error = get(&client, server.url("/")).expect_err("it may not ask");
    assert!(matches!(error, FetchError::Offline { .. }), "{error:?}");
    assert!(server.asked().is_empty());
}

#[test]
fn the_environment_sets_bounds() {
    let environment = |name: &str| match name {
        "MLRESOLVE_HTTP_TIMEOUT" => Some("7".into()),
        "UV_HTTP_TIMEOUT" => Some("8".into()),
        "UV_HTTP_RETRIES" => Some("0".into()),
        _ => None,
    };
    let options = ClientOptions::from_environment(None, &environment).expect("numbers");
    assert_eq!(options.read_timeout.as_secs(), 7);
    assert_eq!(options.retry.retries, 0);
    assert_eq!(options.concurrency, ClientOptions::default().concurrency);
    let environment = |name: &str| (name == "MLRESOLVE_HTTP_RETRIES").then(|| "many".into());
    let error = ClientOptions::from_environment(None, &environment).expect_err("no number");
    let expected = "`MLRESOLVE_HTTP_RETRIES` is `many`, and must be a whole number";
    assert_eq!(error.to_string(), expected);
}

/// A keyring that knows one password, and notes what it was asked.
#[cfg(unix)]
#[test]
fn the_keyring_is_asked_once_when_the_server_refuses() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (program, log) = (folder.path().join("keyring"), folder.path().join("log"));
    let script = format!(
        "#!/bin/sh\necho \"$*\" >> '{}'\ncase \"$2\" in http*) exit 1;; esac\necho secret\n",
        log.display()
    );
    // Written by a process of its own: were the file open for writing here while another
    // test starts a process, it could not be run.
    let mut writer = std::process::Command::new("sh")
        .args(["-c", "cat > \"$0\" && chmod +x \"$0\""])
        .arg(&program)
        .stdin(std::process::Stdio::piped())
        .spawn()
        .expect("there is a shell");
    let mut input = writer.stdin.take().expect("it is piped");
    std::io::Write::write_all(&mut input, script.as_bytes()).expect("it reads");
    drop(input);
    assert!(writer.wait().expect("it ends").success());
    let server = Server::start(|asked| match asked.headers.get("authorization") {
        Some(given) if given == ADA => Reply::html("private"),
        _ => Reply::new(401),
    });
    let keyring = KeyringProvider::Subprocess { program };
    let mut auth = Auth::from_environment(&|_| None, keyring).expect("nothing is read");
    auth.add(
        server.url("/simple/"),
        Credentials::new("ada".to_owned(), None),
    );
    let client = client(auth);
    for file in ["/simple/a/", "/simple/b/"] {
        assert_eq!(get(&client, server.url(file)), Ok("private".to_owned()));
    }
    assert_eq!(
        server.asked().len(),
        3,
        "refused, accepted, accepted at once"
    );
    let asked = std::fs::read_to_string(&log).expect("it was asked");
    assert_eq!(
        asked,
        format!("get {} ada\nget 127.0.0.1 ada\n", server.url("/simple/a/"))
    );
}

#[test]
fn certificates_are_trusted_when_they_are_named_and_not_else() {
    let server = Server::start_tls(|_| Reply::html("over TLS"));
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("authorities.pem");
    // What else is in a bundle must not hinder.
    let bundle = format!(
        "a comment\n{CERTIFICATE}\n-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
    );
    std::fs::write(&file, bundle).expect("the folder is writable");
    let with = |variable: &'static str, value: std::ffi::OsString| {
        let environment = |name: &str| (name == variable).then(|| value.clone());
        let options = ClientOptions {
            certificates: CertificateSource::new(None, &environment),
            ..client_options()
        };
        get(
            &Client::new(options, Auth::none(), std::sync::Arc::default()),
            server.url("/"),
        )
    };
    assert_eq!(
        with("SSL_CERT_FILE", file.clone().into()),
        Ok("over TLS".to_owned())
    );
    assert_eq!(with("PIP_CERT", file.into()), Ok("over TLS".to_owned()));
    assert_eq!(
        with("SSL_CERT_DIR", folder.path().into()),
        Ok("over TLS".to_owned())
    );

    let nobody = tempfile::tempdir().expect("a temporary folder");
    let error = with("SSL_CERT_DIR", nobody.path().into()).expect_err("nobody vouches for it");
    assert!(
        matches!(
            error,
            FetchError::Transport {
                kind: TransportKind::Certificate,
                attempts: 1,
                ..
            }
        ),
        "{error:?}"
    );
    assert!(
        error
            .hint()
            .is_some_and(|hint| hint.contains("SSL_CERT_FILE"))
    );
}
