//! Indexes of single builds, served as the vendor's own do it: links relative to the host,
//! `%2B`, files behind a redirect to another host, some without hashes, old copies of what
//! others make, and other metadata in each build of one release.

use std::sync::Arc;

use super::super::digest::sha256;
use super::super::indexes::Mirror;
use super::super::testing::{Asked, Reply, Server, client_options, wheel};
use super::super::{Auth, Cache, Index, Indexes, Refresh, Registry, RegistryOptions};
use crate::PackageName;
use crate::request::BuildPolicy;
use crate::solve::{FactError, Facts};

const VENDOR: &str = "https://download.pytorch.org/whl/";

fn torch(label: &str) -> Vec<u8> {
    let cudnn = if label == "cpu" {
        String::new()
    } else {
        "Requires-Dist: nvidia-cudnn-cu12==8.9.2.26".to_owned()
    };
    wheel("torch", &format!("2.3.1+{label}"), &cudnn, 2)
}

/// The host of the pages.
fn pages(asked: &Asked, files: &Server) -> Reply {
    let parts: Vec<&str> = asked.path.trim_matches('/').split('/').collect();
    match parts.as_slice() {
        ["whl", label, "torch"] => {
            let hash = sha256(&torch(label));
            Reply::html(format!(
                "<!DOCTYPE html><html><body>\
                 <a href=\"/whl/{label}/torch-2.3.1%2B{label}-cp310-cp310-linux_x86_64.whl#sha256={hash}\">\
                 torch-2.3.1+{label}-cp310-cp310-linux_x86_64.whl</a><br/>\
                 <a href=\"/whl/{label}/torch-2.3.0%2B{label}-cp310-cp310-linux_x86_64.whl\">\
                 torch-2.3.0+{label}-cp310-cp310-linux_x86_64.whl</a><br/></body></html>"
            ))
        }
        ["whl", _, "numpy"] => Reply::html(
            "<html><a href=\"/whl/numpy-1.24.1-cp310-cp310-linux_x86_64.whl\">\
             numpy-1.24.1-cp310-cp310-linux_x86_64.whl</a></html>",
        ),
        ["whl", label, file] if file.starts_with("torch-2.3.") => {
            Reply::new(302).header("location", files.url(&format!("/{label}/{file}")).as_str())
        }
        _ => Reply::new(404),
    }
}

/// The host of the files.
fn file(asked: &Asked) -> Reply {
    match asked.path.trim_matches('/').split('/').next() {
        Some(label @ ("cpu" | "cu121")) => Reply::ranges_of(&torch(label), asked),
        _ => Reply::new(404),
    }
}

fn vendor() -> Server {
    let files = Arc::new(Server::start(file));
    Server::start(move |asked| pages(asked, &files))
}

fn registry(indexes: Indexes) -> Registry {
    let cache = Cache::temporary().expect("a temporary folder");
    Registry::new(RegistryOptions {
        client: client_options(),
        auth: Auth::none(),
        indexes,
        cache,
        pack: None,
        likely: None,
        refresh: Refresh::None,
        guesses: None,
    })
}

/// Indexes of which the vendor's are mirrored on a server.
fn mirrored(server: &Server, default: &Server) -> Indexes {
    Indexes {
        default: Index::new(default.url("/simple/").as_str()).expect("a URL"),
        mirrors: vec![Mirror::new(&format!("{VENDOR}={}", server.url("/whl/"))).expect("a mirror")],
        ..Indexes::default()
    }
}

fn name(text: &str) -> PackageName {
    text.parse().expect("a name")
}

#[test]
fn each_build_has_its_own_files_and_metadata() {
    let (server, default) = (vendor(), Server::start(|_| Reply::new(404)));
    let registry = registry(mirrored(&server, &default));
    for (label, dependencies) in [("cu121", 1), ("cpu", 0)] {
        let page = registry
            .page_at(&name("torch"), &format!("{VENDOR}{label}"))
            .expect("the build is served");
        assert_eq!(page.index, server.url(&format!("/whl/{label}/")).as_str());
        let file = &page.files.get(1).expect("it is listed");
        assert_eq!(file.version.to_string(), format!("2.3.1+{label}"));
        assert_eq!(
            file.url,
            server
                .url(&format!(
                    "/whl/{label}/torch-2.3.1%2B{label}-cp310-cp310-linux_x86_64.whl"
                ))
                .as_str()
        );
        assert_eq!(file.sha256(), Some(&*sha256(&torch(label))));
        assert!(page.files.get(0).expect("it is listed").hashes.is_empty());
        let metadata = registry
            .metadata(&page, file, BuildPolicy::Never)
            .expect("it lies behind the redirect");
        assert_eq!(metadata.requires_dist.len(), dependencies);
    }
    assert!(default.asked().is_empty());
}

#[test]
fn a_build_that_is_not_there_is_looked_for_nowhere_else() {
    let (server, default) = (vendor(), Server::start(|_| Reply::new(404)));
    let registry = registry(mirrored(&server, &default));
    let answer = registry.page_at(&name("xformers"), &format!("{VENDOR}cpu"));
    let Err(FactError::NotFound { asked, .. }) = answer else {
        panic!("not an answer of its index: {answer:?}");
    };
    assert_eq!(asked, [server.url("/whl/cpu/").as_str()]);
    assert!(default.asked().is_empty());
}

#[test]
fn what_a_vendor_carries_along_is_not_asked_for() {
    let server = vendor();
    let default = Server::start(|asked| match asked.path.as_str() {
        "/simple/numpy/" => Reply::html(
            "<html><a href='/numpy-2.1.0-cp310-cp310-linux_x86_64.whl'>\
             numpy-2.1.0-cp310-cp310-linux_x86_64.whl</a></html>",
        ),
        _ => Reply::new(404),
    });
    let registry = registry(mirrored(&server, &default));
    let page = registry
        .page(&name("numpy"))
        .expect("the default index has it");
    assert_eq!(
        page.files.get(0).expect("it is listed").version.to_string(),
        "2.1.0"
    );
    assert!(server.asked().is_empty());
}

#[test]
fn a_pin_stands_for_every_build() {
    let (server, own) = (vendor(), vendor());
    let mut indexes = mirrored(&server, &server);
    let pinned = Index::new(own.url("/whl/cu121/").as_str()).expect("a URL");
    indexes.pins.insert(name("torch"), pinned);
    let registry = registry(indexes);
    for label in ["cpu", "cu121"] {
        let page = registry
            .page_at(&name("torch"), &format!("{VENDOR}{label}"))
            .expect("the pinned index has it");
        assert_eq!(page.index, own.url("/whl/cu121/").as_str());
    }
    assert!(server.asked().is_empty());
    assert_eq!(own.paths(), ["/whl/cu121/torch/"]);
}

#[test]
fn a_mirror_is_two_addresses() {
    let mirror = Mirror::new(&format!(
        "{VENDOR}=https://ada:secret@index.example/pytorch/"
    ))
    .expect("a mirror");
    let indexes = Indexes {
        mirrors: vec![mirror],
        ..Indexes::default()
    };
    let index = indexes
        .at(&name("torch"), &format!("{VENDOR}cu121"))
        .expect("an index");
    assert_eq!(index.url.as_str(), "https://index.example/pytorch/cu121/");
    assert!(!format!("{indexes:?}").contains("secret"));
    assert!(Mirror::new("https://download.pytorch.org/whl/").is_err());
}
