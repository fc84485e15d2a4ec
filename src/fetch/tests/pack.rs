//! A pack in front of an index.

use std::sync::Arc;

use super::super::digest::sha256;
use super::super::pack::{Pack, PackedWheel, write};
use super::super::testing::{Asked, Reply, Server, wheel};
use super::super::{Guesses, RegistryOptions};
use super::registry::{build, cache, first, name, options};
use crate::metadata::Metadata;
use crate::request::{BuildPolicy, Policy};
use crate::solve::Facts;
use crate::{PackageName, Target};

/// Name, version, and what METADATA says beside.
const WHEELS: [(&str, &str, &str); 5] = [
    (
        "demo",
        "1.0",
        "Requires-Dist: middle<2\nRequires-Dist: never; os_name == 'nt'\n",
    ),
    (
        "demo",
        "2.0",
        "Requires-Python: >=3.99\nRequires-Dist: wrong\n",
    ),
    (
        "middle",
        "1.5",
        "Requires-Dist: end[more]\nRequires-Dist: extra; extra == 'unasked'\n",
    ),
    ("middle", "2.5", "Requires-Dist: wrong\n"),
    ("end", "1.0", "Requires-Dist: last; extra == 'more'\n"),
];

fn bytes((name, version, more): (&str, &str, &str)) -> Vec<u8> {
    wheel(name, version, more.trim_end(), 1)
}

fn pack() -> Arc<Pack> {
    let packed = WHEELS.map(|it| PackedWheel {
        sha256: sha256(&bytes(it)),
        name: name(it.0),
        version: it.1.parse().expect("a version"),
        uploaded: 20_000,
        headers: format!(
            "Metadata-Version: 2.1\nName: {}\nVersion: {}\n{}",
            it.0, it.1, it.2
        )
        .into_bytes(),
    });
    let bytes = write(&packed).expect("it is small");
    Arc::new(Pack::open(bytes).expect("it was just written"))
}

/// An index that has these wheels and one that the pack does not have.
fn index(asked: &Asked) -> Reply {
    let new = ("last", "1.0", "");
    let all = WHEELS.iter().copied().chain([new]);
    if let Some(page) = asked.path.strip_prefix("/simple/") {
        let links = all
            .filter(|it| page.trim_end_matches('/') == it.0)
            .map(|it| {
                let file = format!("{}-{}-py3-none-any.whl", it.0, it.1);
                let python = it.2.strip_prefix("Requires-Python: ");
                let python = python.and_then(|rest| rest.lines().next()).unwrap_or(">=3");
                let python = python.replace('>', "&gt;");
                let hash = sha256(&bytes(it));
                format!(
                    "<a href='/files/{file}#sha256={hash}' data-requires-python='{python}'></a>"
                )
            });
        let links: String = links.collect();
        return if links.is_empty() {
            Reply::new(404)
        } else {
            Reply::html(links).header("cache-control", "max-age=600")
        };
    }
    let file = asked.path.trim_start_matches("/files/");
    let mut all = all.filter(|it| file == format!("{}-{}-py3-none-any.whl", it.0, it.1));
    all.next()
        .map_or_else(|| Reply::new(404), |it| Reply::ranges_of(&bytes(it), asked))
}

fn with_pack(options: RegistryOptions) -> RegistryOptions {
    RegistryOptions {
        pack: Some(pack()),
        likely: Some(pack()),
        ..options
    }
}

#[test]
fn what_the_pack_has_is_not_asked_for() {
    let server = Server::start(index);
    let read = |options, text: &str| -> Arc<Metadata> {
        first(&build(options), text).expect("it is there").1
    };
    for text in ["demo", "middle", "end"] {
        let fetched = read(options(&server, &cache()), text);
        let before = server.asked().len();
        let packed = read(with_pack(options(&server, &cache())), text);
        assert_eq!(packed, fetched);
        assert_eq!(server.asked().len(), before + 1, "the page alone");
    }
    // What it does not have is asked for as ever.
    let before = server.asked().len();
    read(with_pack(options(&server, &cache())), "last");
    assert_eq!(server.asked().len(), before + 2);
}

#[test]
fn what_the_pack_has_makes_no_records_of_its_own() {
    let server = Server::start(index);
    let cache = cache();
    let packed = first(&build(with_pack(options(&server, &cache))), "middle");
    let packed = packed.expect("it is there").1;
    let folders = std::fs::read_dir(cache.root()).expect("it was made");
    let folders = folders.flatten().map(|folder| folder.path());
    let mut metadata = folders.filter(|it| it.display().to_string().contains("/metadata-v"));
    let metadata = std::fs::read_dir(metadata.next().expect("what was read of the pack"));
    let kept = metadata.expect("it is a folder").flatten();
    let kept: Vec<_> = kept.map(|it| it.file_name()).collect();
    assert_eq!(kept, ["pack"], "what was read of all of it");
    let before = server.asked().len();
    let again = first(&build(with_pack(options(&server, &cache))), "middle");
    assert_eq!(again.expect("it is there").1, packed);
    assert_eq!(server.asked().len(), before, "the page was kept");
}

#[test]
fn metadata_of_another_release_is_not_taken() {
    let server = Server::start(index);
    let wrong = PackedWheel {
        sha256: sha256(&bytes(WHEELS[0])),
        name: name("demo"),
        version: "1.0".parse().expect("a version"),
        uploaded: 0,
        headers: b"Metadata-Version: 2.1\nName: demo\nVersion: 7.0\n".to_vec(),
    };
    let bytes = write(&[wrong]).expect("it is small");
    let mut options = options(&server, &cache());
    options.pack = Some(Arc::new(Pack::open(bytes).expect("it was just written")));
    let (_, metadata) = first(&build(options), "demo").expect("the wheel says it");
    assert_eq!(metadata.version.to_string(), "1.0");
}

fn guessing(options: RegistryOptions) -> RegistryOptions {
    RegistryOptions {
        guesses: Some(Guesses {
            target: Target::declared("3.11", "x86_64-manylinux_2_28").expect("a target"),
            policy: Policy::default(),
            base: Arc::default(),
        }),
        ..options
    }
}

#[test]
fn all_pages_of_the_likely_graph_are_asked_for_at_once() {
    // No page answers before all have been asked for: one after the other they would never come.
    let likely = ["demo", "middle", "end", "last"];
    let (count, all) = (std::sync::Mutex::new(0), std::sync::Condvar::new());
    let server = Server::start(move |asked| {
        if asked.path.starts_with("/simple/") {
            let mut count = count.lock().expect("no thread panics");
            *count += 1;
            all.notify_all();
            let wait = std::time::Duration::from_secs(20);
            let waited = all.wait_timeout_while(count, wait, |count| *count < likely.len());
            if waited.is_ok_and(|(_, waited)| waited.timed_out()) {
                return Reply::new(404);
            }
        }
        index(asked)
    });
    let registry = build(guessing(with_pack(options(&server, &cache()))));
    registry.hint(&name("demo"), &">=1.0".parse().expect("a specifier"));
    registry.page(&name("demo")).expect("it is there");
    registry.wait_until_idle();
    let asked = server.asked();
    let mut pages: Vec<&str> = asked.iter().map(|asked| asked.path.as_str()).collect();
    pages.retain(|path| path.starts_with("/simple/"));
    pages.sort_unstable();
    assert_eq!(
        pages,
        [
            "/simple/demo/",
            "/simple/end/",
            "/simple/last/",
            "/simple/middle/"
        ]
    );
}

#[test]
fn what_is_in_the_base_is_not_asked_for() {
    let server = Server::start(index);
    let mut options = guessing(with_pack(options(&server, &cache())));
    let guesses = options.guesses.as_mut().expect("it was just given");
    let mut base = crate::request::Base::default();
    let package = crate::request::BasePackage {
        version: Some("1.5".parse().expect("a version")),
        metadata: None,
        url: None,
        place: crate::request::Place {
            file: "base.txt".into(),
            line: 1,
            column: 1,
        },
    };
    base.packages.insert(name("middle"), package);
    guesses.base = Arc::new(base);
    let registry = build(options);
    registry.hint(&name("demo"), &">=1.0".parse().expect("a specifier"));
    registry.page(&name("demo")).expect("it is there");
    registry.wait_until_idle();
    assert_eq!(server.paths(), ["/simple/demo/"]);
}

#[test]
fn a_wrong_guess_changes_no_answer() {
    let server = Server::start(index);
    let registry = build(guessing(with_pack(options(&server, &cache()))));
    for text in ["demo", "nothing"] {
        registry.hint(&name(text), &">=1.0".parse().expect("a specifier"));
    }
    let ask = |text: &str| -> PackageName {
        let page = registry.page(&name(text)).expect("it is there");
        let file = page.files.get(0).expect("it lists one");
        let metadata = registry.metadata(&page, &file, BuildPolicy::Never);
        metadata.expect("it is there").name.clone()
    };
    assert_eq!(ask("middle"), name("middle"));
    assert!(registry.page(&name("nothing")).is_err());
    assert!(registry.page(&name("wrong")).is_err());
}
