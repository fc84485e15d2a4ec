//! The registry against loopback indexes.

use std::path::Path;
use std::sync::{Arc, Barrier};

use super::super::digest::sha256;
use super::super::testing::{Asked, Reply, Server, client_options, wheel};
use super::super::{
    Auth, Cache, FindLinks, Index, IndexStrategy, Indexes, KeyringProvider, Refresh, Registry,
    RegistryOptions,
};
use crate::PackageName;
use crate::metadata::{Metadata, Page};
use crate::request::BuildPolicy;
use crate::solve::{FactError, Facts, Unusable};

const JSON: &str = "application/vnd.pypi.simple.v1+json";

pub(super) fn name(text: &str) -> PackageName {
    text.parse().expect("a name")
}

fn index(server: &Server) -> Index {
    Index::new(server.url("/simple/").as_str()).expect("a URL")
}

pub(super) fn options(server: &Server, cache: &Cache) -> RegistryOptions {
    RegistryOptions {
        client: client_options(),
        auth: Auth::none(),
        indexes: Indexes {
            default: index(server),
            ..Indexes::default()
        },
        cache: cache.clone(),
        pack: None,
        likely: None,
        refresh: Refresh::None,
        guesses: None,
    }
}

pub(super) fn cache() -> Cache {
    Cache::temporary().expect("a temporary folder")
}

pub(super) fn registry(server: &Server) -> Registry {
    build(options(server, &cache()))
}

pub(super) fn build(options: RegistryOptions) -> Registry {
    Registry::new(options)
}

/// The page and the metadata of its first file, as the solver would ask for them.
pub(super) fn first(
    registry: &Registry,
    text: &str,
) -> Result<(Arc<Page>, Arc<Metadata>), FactError> {
    let page = registry.page(&name(text))?;
    let file = &page.files.get(0).expect("the page has a file");
    let metadata = registry.metadata(&page, file, BuildPolicy::Never)?;
    Ok((page, metadata))
}

pub(super) fn message(error: &FactError) -> (String, Option<String>) {
    match error {
        FactError::Failed { message, hint } => (message.clone(), hint.clone()),
        other => panic!("not a failure: {other:?}"),
    }
}

const DEMO: &str = "demo-1.0-py3-none-any.whl";

fn demo() -> Vec<u8> {
    wheel("demo", "1.0", "Requires-Dist: numpy<2", 2)
}

/// An index with one wheel, `demo 1.0`, and its page as HTML.
pub(super) fn plain(asked: &Asked) -> Reply {
    match asked.path.as_str() {
        "/simple/demo/" => {
            let hash = sha256(&demo());
            Reply::html(format!(
                "<html><a href='../../files/{DEMO}#sha256={hash}'>{DEMO}</a></html>"
            ))
        }
        "/files/demo-1.0-py3-none-any.whl" => Reply::ranges_of(&demo(), asked),
        _ => Reply::new(404),
    }
}

fn assert_is_demo(metadata: &Metadata) {
    assert_eq!(metadata.name, name("demo"));
    assert_eq!(metadata.requires_dist[0].name, name("numpy"));
}

#[test]
fn a_page_that_came_damaged_is_asked_for_again() {
    let asked = std::sync::atomic::AtomicUsize::new(0);
    let server = Server::start(move |asking| {
        let reply = plain(asking);
        if !asking.path.starts_with("/simple/") {
            return reply;
        }
        let mut body = super::client::packed(reply.body());
        if asked.fetch_add(1, std::sync::atomic::Ordering::SeqCst) == 0 {
            body.pop();
        }
        Reply::html(body).header("content-encoding", "gzip")
    });
    let (page, _) = first(&registry(&server), "demo").expect("it is there");
    assert_eq!(page.files.len(), 1);
    let asked = server.asked();
    let pages = asked.iter().filter(|it| it.path.starts_with("/simple/"));
    assert_eq!(pages.count(), 2);
}

#[test]
fn html_page_and_metadata_by_range() {
    let server = Server::start(plain);
    let registry = registry(&server);
    let (page, metadata) = first(&registry, "Demo").expect("it is there");
    assert_eq!(page.index, server.url("/simple/").as_str());
    assert_eq!(
        page.files.get(0).expect("it is listed").url,
        server.url(&format!("/files/{DEMO}")).as_str()
    );
    assert_is_demo(&metadata);
    let counts = registry.progress().counts();
    assert_eq!(
        (
            counts.requests,
            counts.fetched,
            counts.waiting,
            counts.resolved
        ),
        (2, 2, 0, 2)
    );
    // What is known is not asked for again.
    first(&registry, "demo").expect("it is there");
    assert_eq!(server.asked().len(), 2);
}

/// An index that speaks JSON and has a sidecar for its wheel, with the hash of `told`.
fn json(told: &'static str) -> impl Fn(&Asked) -> Reply {
    move |asked| match asked.path.as_str() {
        "/simple/demo/" => {
            assert!(
                asked.headers["accept"].starts_with(JSON),
                "{:?}",
                asked.headers
            );
            let hash = sha256(told.as_bytes());
            let body = format!(
                r#"{{"meta": {{"api-version": "1.1"}}, "name": "demo", "files": [
                    {{"filename": "{DEMO}", "url": "/files/{DEMO}", "hashes": {{}},
                      "upload-time": "2026-01-02T03:04:05Z", "size": 1234,
                      "core-metadata": {{"sha256": "{hash}"}}}}]}}"#
            );
            Reply::ok(JSON, body)
        }
        "/files/demo-1.0-py3-none-any.whl.metadata" => Reply::ok("text/plain", SIDECAR),
        _ => plain(asked),
    }
}

const SIDECAR: &str = "Metadata-Version: 2.1\nName: demo\nVersion: 1.0\nRequires-Dist: numpy<2\n";

#[test]
fn json_page_and_sidecar() {
    let server = Server::start(json(SIDECAR));
    let (page, metadata) = first(&registry(&server), "demo").expect("it is there");
    assert_eq!(page.files.get(0).expect("it is listed").size, Some(1234));
    assert!(
        page.files
            .get(0)
            .expect("it is listed")
            .upload_time
            .is_some()
    );
    assert_is_demo(&metadata);
    assert_eq!(
        server.paths(),
        [
            format!("/files/{DEMO}.metadata"),
            "/simple/demo/".to_owned()
        ]
    );
}

#[test]
fn a_sidecar_with_another_hash_ends_the_run() {
    let server = Server::start(json("something else"));
    let error = first(&registry(&server), "demo").expect_err("the hash differs");
    let (message, hint) = message(&error);
    assert!(message.contains("its index says"), "{message}");
    assert!(hint.is_some());
}

#[test]
fn a_sidecar_that_is_too_large_sets_its_release_aside() {
    let told = json(SIDECAR);
    let server = Server::start(move |asked| {
        if asked.path.ends_with(".metadata") {
            let mut body = SIDECAR.as_bytes().to_vec();
            body.resize((10 << 20) + 1, b'\n');
            Reply::ok("text/plain", body)
        } else {
            told(asked)
        }
    });
    let error = first(&registry(&server), "demo").expect_err("it is too large");
    let FactError::Unusable(Unusable::Metadata { detail }) = &error else {
        panic!("{error:?}");
    };
    assert_eq!(detail, "its metadata is larger than 10485760 bytes");
}

#[test]
fn a_sidecar_that_is_not_there_is_done_without() {
    let told = json(SIDECAR);
    let server = Server::start(move |asked| {
        if asked.path.ends_with(".metadata") {
            Reply::new(404)
        } else {
            told(asked)
        }
    });
    let (_, metadata) = first(&registry(&server), "demo").expect("the wheel has it");
    assert_is_demo(&metadata);
}

#[test]
fn a_name_that_no_index_has() {
    let server = Server::start(plain);
    let extra = Server::start(|_| Reply::new(404));
    let mut options = options(&server, &cache());
    options.indexes.extra.push(index(&extra));
    let error = build(options)
        .page(&name("nothing"))
        .expect_err("nobody has it");
    let FactError::NotFound { asked, .. } = error else {
        panic!("{error:?}");
    };
    assert_eq!(
        asked,
        [
            extra.url("/simple/").as_str(),
            server.url("/simple/").as_str()
        ]
    );
}

#[test]
fn the_first_index_that_has_a_name_serves_it() {
    let server = Server::start(plain);
    let extra = Server::start(|asked| match asked.path.as_str() {
        "/simple/demo/" => Reply::html(
            "<html><a href='demo-0.9-py3-none-any.whl'></a><a href='demo-1.0-py3-none-any.whl'></a></html>",
        ),
        _ => Reply::new(404),
    });
    let versions = |strategy| {
        let mut options = options(&server, &cache());
        options.indexes.extra.push(index(&extra));
        options.indexes.strategy = strategy;
        let page = build(options).page(&name("demo")).expect("both have it");
        let files = page.files.all().expect("they can be read");
        files
            .iter()
            .map(|file| (file.version.to_string(), file.sha256().is_some()))
            .collect::<Vec<_>>()
    };
    let of_extra = [("0.9".to_owned(), false), ("1.0".to_owned(), false)];
    assert_eq!(versions(IndexStrategy::First), of_extra);
    assert!(
        server.asked().is_empty(),
        "the other index is not even asked"
    );
    assert_eq!(versions(IndexStrategy::UnsafeBestMatch), of_extra);
    assert_eq!(server.paths(), ["/simple/demo/"]);
}

#[test]
fn an_index_that_answers_nonsense_is_a_failure() {
    let answers = [
        Reply::ok(JSON, "{\"files\": 3}"),
        Reply::ok("image/png", "…"),
        Reply::html("It works!"),
        Reply::html("<html><form action='/login'><input name='user'></form></html>"),
    ];
    for answer in answers {
        let server = Server::start(move |_| answer.clone());
        let error = registry(&server)
            .page(&name("demo"))
            .expect_err("it is no index page");
        let (message, hint) = message(&error);
        assert!(
            message.contains(server.url("/simple/demo/").as_str()),
            "{message}"
        );
        assert!(hint.is_some(), "{message}");
    }
    let server = Server::start(|_| Reply::html("<!DOCTYPE html><html><body></body></html>"));
    let page = registry(&server)
        .page(&name("demo"))
        .expect("an empty page is a page");
    assert!(page.files.is_empty());
}

#[test]
fn a_remote_page_cannot_name_local_files() {
    let server = Server::start(|_| {
        Reply::html(
            "<a href='file:///x/demo-2.0-py3-none-any.whl'></a><a href='demo-1.0-py3-none-any.whl'></a>",
        )
    });
    let mut options = options(&server, &cache());
    let links = FindLinks::new(server.url("/links.html").as_str()).expect("a place");
    options.indexes.find_links.push(links);
    let page = build(options).page(&name("demo")).expect("it is there");
    let versions: Vec<String> = page
        .files
        .all()
        .expect("they can be read")
        .iter()
        .map(|file| file.version.to_string())
        .collect();
    assert_eq!((versions, page.skipped), (vec!["1.0".to_owned()], 1));
}

#[test]
fn metadata_of_another_release_is_unusable() {
    let server = Server::start(|asked| match asked.path.as_str() {
        "/files/demo-1.0-py3-none-any.whl" => Reply::ranges_of(&wheel("demo", "2.0", "", 1), asked),
        _ => plain(asked),
    });
    let error = first(&registry(&server), "demo").expect_err("it is for 2.0");
    let FactError::Unusable(Unusable::Metadata { detail }) = &error else {
        panic!("{error:?}");
    };
    assert!(detail.contains("`demo 2.0`"), "{detail}");
}

#[test]
fn a_private_index_is_read_with_credentials_from_url_and_netrc() {
    let server = Server::start(|asked| match asked.headers.get("authorization") {
        // ada:secret
        Some(given) if given == "Basic YWRhOnNlY3JldA==" => plain(asked),
        _ => Reply::new(401),
    });
    let error = registry(&server)
        .page(&name("demo"))
        .expect_err("it is private");
    let (said, hint) = message(&error);
    assert!(said.ends_with("answered 401"), "{said}");
    assert!(hint.is_some_and(|hint| hint.contains("netrc")));

    let mut with_url = options(&server, &cache());
    let url = server
        .url("/simple/")
        .to_string()
        .replace("http://", "http://ada:secret@");
    with_url.indexes.default = Index::new(&url).expect("a URL");
    let (page, _) = first(&build(with_url), "demo").expect("the credentials are right");
    let shown = format!("{page:?}");
    assert!(!shown.contains("secret"), "{shown}");

    let folder = tempfile::tempdir().expect("a temporary folder");
    let netrc = folder.path().join("netrc");
    std::fs::write(&netrc, "machine 127.0.0.1 login ada password secret").expect("writable");
    let environment = |variable: &str| (variable == "NETRC").then(|| netrc.clone().into());
    let mut with_netrc = options(&server, &cache());
    with_netrc.auth = Auth::from_environment(&environment, KeyringProvider::Disabled)
        .expect("the file can be read");
    first(&build(with_netrc), "demo").expect("the credentials are right");
}

#[test]
fn the_cache_holds_no_credentials() {
    let server = Server::start(plain);
    let cache = cache();
    let mut options = options(&server, &cache);
    let url = server
        .url("/simple/")
        .to_string()
        .replace("http://", "http://ada:secret@");
    options.indexes.default = Index::new(&url).expect("a URL");
    first(&build(options), "demo").expect("it is there");
    let mut records = 0;
    each_file(cache.root(), &mut |path, bytes| {
        records += 1;
        let text = format!("{} {}", path.display(), String::from_utf8_lossy(bytes));
        assert!(!text.contains("secret"), "{text}");
    });
    assert_eq!(records, 4, "a page, metadata, the tag, .gitignore");
}

fn each_file(folder: &Path, look: &mut dyn FnMut(&Path, &[u8])) {
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            each_file(&path, look);
        } else {
            look(&path, &std::fs::read(&path).expect("a file"));
        }
    }
}

#[test]
fn a_fresh_answer_is_not_asked_for_again_and_survives_offline() {
    let server = Server::start(plain);
    let cache = cache();
    first(&build(options(&server, &cache)), "demo").expect("it is there");
    build(options(&server, &cache))
        .page(&name("nothing"))
        .expect_err("it is not there");
    let asked = server.asked().len();
    let warm = build(options(&server, &cache));
    let (_, metadata) = first(&warm, "demo").expect("it is kept");
    assert_is_demo(&metadata);
    assert_eq!(warm.progress().counts().cache_hits, 2);
    warm.page(&name("nothing"))
        .expect_err("that it is not there is kept, too");
    assert_eq!(server.asked().len(), asked);

    let mut offline = options(&server, &cache);
    offline.client.offline = true;
    offline.refresh = Refresh::All;
    let offline = build(offline);
    first(&offline, "demo").expect("it is kept");
    let error = offline
        .page(&name("other"))
        .expect_err("it was never asked for");
    let (message, hint) = message(&error);
    assert!(message.contains("`--offline` forbids"), "{message}");
    assert!(hint.is_some());
    assert_eq!(server.asked().len(), asked);
}

#[test]
fn a_stale_page_is_asked_for_by_its_etag() {
    let server = Server::start(|asked| {
        if asked
            .headers
            .get("if-none-match")
            .is_some_and(|etag| etag == "\"one\"")
        {
            return Reply::new(304).header("cache-control", "max-age=60");
        }
        plain(asked)
            .header("etag", "\"one\"")
            .header("cache-control", "max-age=0")
    });
    let cache = cache();
    let pages: Vec<_> = (0..3)
        .map(|_| {
            let registry = build(options(&server, &cache));
            let page = registry.page(&name("demo")).expect("it is there");
            (page, registry.progress().counts())
        })
        .collect();
    assert!(pages.iter().all(|(page, _)| page == &pages[0].0));
    let counts: Vec<_> = pages
        .iter()
        .map(|(_, it)| (it.requests, it.parsed_pages))
        .collect();
    assert_eq!(
        counts,
        [(1, 1), (1, 0), (0, 0)],
        "fetched, found unchanged, fresh"
    );
}

#[test]
fn an_identical_body_is_not_parsed_again() {
    let server = Server::start(plain);
    let cache = cache();
    let first = build(options(&server, &cache))
        .page(&name("demo"))
        .expect("it is there");
    let mut refresh = options(&server, &cache);
    refresh.refresh = Refresh::Names([name("demo")].into());
    let registry = build(refresh);
    let second = registry.page(&name("demo")).expect("it is there");
    assert_eq!(first, second);
    let counts = registry.progress().counts();
    assert_eq!((counts.requests, counts.parsed_pages), (1, 0));
}

#[test]
fn a_damaged_cache_is_as_good_as_none() {
    let server = Server::start(plain);
    let cache = cache();
    first(&build(options(&server, &cache)), "demo").expect("it is there");
    each_file(cache.root(), &mut |path, bytes| {
        std::fs::write(path, &bytes[..bytes.len() / 2]).expect("writable");
    });
    first(&build(options(&server, &cache)), "demo").expect("it is there again");
    assert_eq!(server.asked().len(), 4);
}

#[test]
fn two_registries_share_one_cache_at_once() {
    let server = Server::start(plain);
    let cache = cache();
    let start = Barrier::new(4);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let registry = build(options(&server, &cache));
                start.wait();
                let (_, metadata) = first(&registry, "demo").expect("it is there");
                assert_is_demo(&metadata);
            });
        }
    });
    let before = server.asked().len();
    first(&build(options(&server, &cache)), "demo").expect("it is kept");
    assert_eq!(server.asked().len(), before);
}

#[test]
fn folders_and_pages_of_links_join_the_index() {
    let server = Server::start(|asked| match asked.path.as_str() {
        "/links.html" => Reply::html(
            "<a href='/files/demo-3.0-py3-none-any.whl'>x</a><a href='other-1.0.tar.gz'>y</a>",
        ),
        _ => plain(asked),
    });
    let folder = tempfile::tempdir().expect("a temporary folder");
    let lay = |filename: &str, bytes: &[u8]| {
        std::fs::write(folder.path().join(filename), bytes).expect("writable");
    };
    lay(
        "demo-2.0-py3-none-any.whl",
        &wheel("demo", "2.0", "Requires-Dist: scipy", 1),
    );
    lay("notes.txt", b"");
    let place = |text: &str| FindLinks::new(text).expect("a place");
    let mut options = options(&server, &cache());
    options.indexes.find_links = vec![
        place(folder.path().to_str().expect("the path is text")),
        place(server.url("/links.html").as_str()),
    ];
    let registry = build(options);
    let page = registry.page(&name("demo")).expect("it is in three places");
    let versions: Vec<String> = page
        .files
        .all()
        .expect("they can be read")
        .iter()
        .map(|file| file.version.to_string())
        .collect();
    assert_eq!(versions, ["2.0", "3.0", "1.0"]);
    assert_eq!(page.index, server.url("/simple/").as_str());
    let metadata = registry
        .metadata(
            &page,
            &page.files.get(0).expect("it is listed"),
            BuildPolicy::Never,
        )
        .expect("it lies in the folder");
    assert_eq!(metadata.requires_dist[0].name, name("scipy"));
    let other = registry
        .page(&name("other"))
        .expect("the page of links has it");
    assert_eq!(other.index, server.url("/links.html").as_str());
    let asked = server
        .paths()
        .iter()
        .filter(|path| *path == "/links.html")
        .count();
    assert_eq!(asked, 1);
}

#[test]
fn a_folder_can_be_an_index() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let demo_folder = folder.path().join("demo");
    std::fs::create_dir(&demo_folder).expect("writable");
    std::fs::write(demo_folder.join(DEMO), demo()).expect("writable");
    let server = Server::start(plain);
    let mut options = options(&server, &cache());
    options.indexes.default = Index::new(folder.path().to_str().expect("text")).expect("a path");
    let registry = build(options);
    let (_, metadata) = first(&registry, "demo").expect("it lies there");
    assert_is_demo(&metadata);
    assert!(matches!(
        registry.page(&name("other")),
        Err(FactError::NotFound { .. })
    ));
    assert!(server.asked().is_empty());
}
