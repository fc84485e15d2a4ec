//! Redirects, credentials, retries and bounds of the HTTP client.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::super::testing::{Reply, Server, block_on, client};
use super::super::{AnswerBody, Ask, Auth, Client, Credentials, FetchError, TransportKind};

const LIMIT: u64 = 1000;

fn get(client: &Client, url: url::Url) -> Result<String, FetchError> {
    let answer = block_on(client.get(&Ask::new(url, LIMIT)))?;
    match answer.body {
        AnswerBody::Whole(body) => Ok(String::from_utf8(body).expect("the test sends text")),
        AnswerBody::Unread(_) => panic!("a body was left unread"),
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
    let mut options = super::super::testing::client_options();
    options.offline = true;
    let client = Client::new(options, Auth::none(), std::sync::Arc::default());
    let error = get(&client, server.url("/")).expect_err("it may not ask");
    assert!(matches!(error, FetchError::Offline { .. }), "{error:?}");
    assert!(server.asked().is_empty());
}
