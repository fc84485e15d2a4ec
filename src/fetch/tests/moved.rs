//! Pages that are led elsewhere.

use std::sync::{Arc, Mutex};

use super::super::testing::{Reply, Server};
use super::super::{FindLinks, Refresh};
use super::registry::{build, cache, message, name, options};
use crate::solve::{FactError, Facts as _};

const DEMO: &str = "demo-1.0-py3-none-any.whl";

/// An index that leads its pages elsewhere, where they are the same to the byte; what it leads
/// to, and the type of its pages, can be changed. It answers a validator with 304 where `etags`.
fn leading_elsewhere(etags: bool) -> (Server, Arc<Mutex<(&'static str, &'static str)>>) {
    let told = Arc::new(Mutex::new(("/a", "text/html")));
    let now = Arc::clone(&told);
    let server = Server::start(move |asked| {
        let (folder, content_type) = *now.lock().expect("no test panics with it");
        if asked.path == "/simple/demo/" {
            return Reply::new(302).header("location", &format!("{folder}/demo/?signed=anew"));
        }
        if asked.path != format!("{folder}/demo/?signed=anew") {
            return Reply::new(404);
        }
        if asked.headers.contains_key("if-none-match") {
            return Reply::new(304);
        }
        let page = Reply::ok(content_type, format!("<a href='{DEMO}'></a>"));
        if etags {
            page.header("etag", "\"one\"")
        } else {
            page
        }
    });
    (server, told)
}

#[test]
fn a_page_that_is_led_elsewhere_has_its_files_there() {
    for etags in [false, true] {
        let (server, told) = leading_elsewhere(etags);
        let cache = cache();
        let ask = || -> Result<_, FactError> {
            let mut options = options(&server, &cache);
            options.refresh = Refresh::All;
            let registry = build(options);
            let page = registry.page(&name("demo"))?;
            let file = page.files.get(0).expect("it is listed");
            let parsed = registry.progress().counts().parsed_pages;
            Ok((file.url.clone(), parsed, registry.seen()))
        };
        let at = |folder: &str| server.url(&format!("{folder}/demo/{DEMO}")).to_string();
        let (url, parsed, seen) = ask().expect("it is there");
        assert_eq!((url, parsed), (at("/a"), 1));
        let (url, parsed, again) = ask().expect("it is there");
        assert_eq!((url, parsed), (at("/a"), 0), "it is the same");
        assert_eq!(again, seen);

        told.lock().expect("no test panics with it").0 = "/b";
        let (url, parsed, moved) = ask().expect("it is there");
        assert_eq!((url, parsed), (at("/b"), 1));
        assert_ne!(moved, seen);
        let holds = |seen: Option<_>| {
            let mut seen = seen.expect("a page stands for it");
            let registry = build(options(&server, &cache));
            registry.still_holds(&mut seen).is_some()
        };
        assert!(holds(moved));
        assert!(!holds(seen));
    }
}

#[test]
fn a_page_that_came_as_another_type_is_read_as_that() {
    let (server, told) = leading_elsewhere(false);
    let cache = cache();
    let mut again = options(&server, &cache);
    again.refresh = Refresh::All;
    let page = build(options(&server, &cache)).page(&name("demo"));
    page.expect("it is there");
    told.lock().expect("no test panics with it").1 = "image/png";
    let error = build(again).page(&name("demo")).expect_err("it is no page");
    assert!(message(&error).0.contains("image/png"), "{error:?}");
}

#[test]
fn a_page_of_links_that_is_led_elsewhere_has_its_files_there() {
    let folder = Arc::new(Mutex::new("/a"));
    let now = Arc::clone(&folder);
    let server = Server::start(move |asked| {
        let place = format!("{}/links.html", now.lock().expect("no test panics with it"));
        match asked.path.as_str() {
            "/links.html" => Reply::new(302).header("location", &place),
            path if path != place => Reply::new(404),
            _ if asked.headers.contains_key("if-none-match") => {
                Reply::new(304).header("content-encoding", "gzip")
            }
            _ => Reply::html(format!("<a href='{DEMO}'></a>")).header("etag", "\"one\""),
        }
    });
    let cache = cache();
    let url = || {
        let mut options = options(&server, &cache);
        options.refresh = Refresh::All;
        let place = FindLinks::new(server.url("/links.html").as_str());
        options.indexes.find_links = vec![place.expect("a place")];
        let page = build(options).page(&name("demo")).expect("it is there");
        page.files.get(0).expect("it is listed").url.clone()
    };
    let at = |folder: &str| server.url(&format!("{folder}/{DEMO}")).to_string();
    assert_eq!([url(), url()], [at("/a"), at("/a")]);
    *folder.lock().expect("no test panics with it") = "/b";
    assert_eq!([url(), url()], [at("/b"), at("/b")]);
}
