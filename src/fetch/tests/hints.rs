//! Hints: what is fetched ahead, and that it changes nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::super::Guesses;
use super::super::testing::{Reply, Server, wheel};
use super::registry::{build, cache, first, name, options, plain, registry};
use crate::Target;
use crate::request::{BuildPolicy, Policy};
use crate::solve::{FactError, Facts};

#[test]
fn hints_fetch_ahead_what_the_solver_will_ask_for() {
    let server = Server::start(|asked| match asked.path.as_str() {
        "/simple/demo/" => Reply::html(
            "<a href='/files/demo-2.0-py3-none-win_amd64.whl'></a>\
             <a href='/files/demo-1.0-py3-none-any.whl'></a>\
             <a href='/files/demo-0.9-py3-none-any.whl'></a>",
        ),
        "/simple/numpy/" => Reply::html(
            "<a href='/files/numpy-2.0-py3-none-any.whl'></a>\
             <a href='/files/numpy-1.9-py3-none-any.whl'></a>",
        ),
        "/files/numpy-1.9-py3-none-any.whl" => Reply::ranges_of(
            &wheel("numpy", "1.9", "Requires-Dist: x; extra == 'y'", 1),
            asked,
        ),
        _ => plain(asked),
    });
    let mut options = options(&server, &cache());
    options.guesses = Some(Guesses {
        target: Target::declared("3.11", "x86_64-manylinux_2_28").expect("a target"),
        policy: Policy::default(),
        base: Arc::default(),
    });
    let registry = build(options);
    registry.hint(&name("demo"), &">=0.9".parse().expect("a specifier"));
    registry.wait_until_idle();
    let fetched = [
        "/files/demo-1.0-py3-none-any.whl",
        "/files/numpy-1.9-py3-none-any.whl",
        "/simple/demo/",
        "/simple/numpy/",
    ];
    assert_eq!(server.paths(), fetched);
    let page = registry.page(&name("numpy")).expect("it is there");
    registry
        .metadata(
            &page,
            &page.files.get(0).expect("it is listed"),
            BuildPolicy::Never,
        )
        .expect("it is there");
    assert_eq!(server.paths(), fetched, "the answers were at hand");
}

#[test]
fn each_further_release_fetches_twice_as_many_older_ones() {
    let server = Server::start(|asked| {
        if let Some(file) = asked.path.strip_prefix("/files/") {
            let version = file.split('-').nth(1).expect("a wheel's name");
            return Reply::ranges_of(&wheel("demo", version, "", 1), asked);
        }
        let link = |minor| format!("<a href='/files/demo-1.{minor}-py3-none-any.whl'></a>");
        let links: Vec<String> = (0..9).map(link).collect();
        Reply::html(links.concat())
    });
    let registry = registry(&server);
    let page = registry.page(&name("demo")).expect("it is there");
    let mut older = page.files.in_page_order().expect("they can be read");
    older.reverse();
    let mut fetched = Vec::new();
    for start in [0, 2, 6] {
        registry.hint_older(&page, &older[start..]);
        registry.wait_until_idle();
        fetched.push(server.asked().len() - 1);
    }
    assert_eq!(fetched, [2, 6, 9]);
}

#[test]
fn hints_of_what_cannot_be_had_change_nothing() {
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    let server = Server::start(move |asked| {
        counted.fetch_add(1, Ordering::SeqCst);
        plain(asked)
    });
    let registry = registry(&server);
    registry.hint(&name("nothing"), &">=1".parse().expect("a specifier"));
    registry.hint(&name("demo"), &">=1".parse().expect("a specifier"));
    first(&registry, "demo").expect("it is there");
    let error = registry
        .page(&name("nothing"))
        .expect_err("it is not there");
    assert!(matches!(error, FactError::NotFound { .. }));
    assert_eq!(count.load(Ordering::SeqCst), 3);
}

#[test]
fn a_folder_for_one_run_goes_with_it() {
    let server = Server::start(plain);
    for _ in 0..20 {
        let cache = cache();
        let root = cache.root().to_path_buf();
        let registry = build(options(&server, &cache));
        drop(cache);
        // Nobody waits for these.
        for asked in ["demo", "nothing", "more"] {
            registry.hint(&name(asked), &">=1".parse().expect("a specifier"));
        }
        first(&registry, "demo").expect("it is there");
        assert!(root.exists());
        drop(registry);
        assert!(!root.exists());
    }
}
