//! What tells of wheel variants, kept between runs.

use super::super::testing::{Asked, Reply, Server};
use super::super::{Cache, Index};
use super::registry::{build, cache, name, options};
use crate::metadata::{File, FileKind};
use crate::solve::Facts;

const DOCUMENT: &str = r#"{"$schema": "https://variants-schema.wheelnext.dev/peps/850/v0.2.0.json",
    "default-priorities": {"namespace": ["x86_64"]},
    "providers": {"x86_64": {"builtin": "x86-64-variant-provider"}},
    "variants": {"v3": {"x86_64": {"level": ["v3"]}}}}"#;

const WHEEL: &str = "demo-1.0-py3-none-any-v3.whl";

/// A labelled wheel that tells of its own label.
fn labelled() -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let stored = zip::write::SimpleFileOptions::default();
    let stored = stored.compression_method(zip::CompressionMethod::Stored);
    let mut add = |file: &str, text: &str| {
        let path = format!("demo-1.0.dist-info/{file}");
        writer.start_file(path, stored).expect("it takes a file");
        std::io::Write::write_all(&mut writer, text.as_bytes()).expect("it is in memory");
    };
    add(
        "METADATA",
        "Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n",
    );
    add("variant.json", DOCUMENT);
    writer.finish().expect("it is whole").into_inner()
}

/// An index with the wheel, and where `linked` says so with the file that tells of its label.
fn index(linked: Option<u16>) -> impl Fn(&Asked) -> Reply {
    move |asked| match asked.path.as_str() {
        "/simple/demo/" => {
            let hash = super::super::digest::sha256(&labelled());
            let mut page = format!("<html><a href='/files/{WHEEL}#sha256={hash}'>{WHEEL}</a>");
            if linked.is_some() {
                page += "<a href='/files/demo-1.0-variants.json'>demo-1.0-variants.json</a>";
            }
            Reply::html(page + "</html>").header("cache-control", "max-age=600")
        }
        "/files/demo-1.0-variants.json" => match linked {
            Some(200) => Reply::ok("application/json", DOCUMENT),
            other => Reply::new(other.unwrap_or(404)),
        },
        path if path == format!("/files/{WHEEL}") => Reply::ranges_of(&labelled(), asked),
        _ => Reply::new(404),
    }
}

/// The labels that a release of `demo` is said to have, and whether threads were started.
fn labels(options: super::super::RegistryOptions) -> (Result<Vec<String>, String>, bool) {
    let registry = build(options);
    let page = registry.page(&name("demo")).expect("it is there");
    let files = page.files.all().expect("they can be read");
    let is_wheel = |file: &&File| matches!(file.kind, FileKind::Wheel(_));
    let wheels: Vec<&File> = files.iter().filter(is_wheel).collect();
    let told = registry.variants(&page, &wheels);
    let labels = told.map(|told| told.variants.keys().cloned().collect());
    let labels = labels.map_err(|error| format!("{error:?}"));
    (labels, registry.threads().are_started())
}

#[test]
fn a_second_run_asks_for_nothing_and_starts_no_thread() {
    for linked in [Some(200), Some(404), None] {
        let server = Server::start(index(linked));
        let cache = cache();
        let run = || labels(options(&server, &cache));
        assert_eq!(run(), (Ok(vec!["v3".to_owned()]), true));
        let before = server.asked().len();
        assert_eq!(run(), (Ok(vec!["v3".to_owned()]), false));
        assert_eq!(server.asked().len(), before, "{linked:?}");
    }
}

#[test]
fn a_damaged_document_is_asked_for_again() {
    let server = Server::start(index(Some(200)));
    let cache = cache();
    assert!(labels(options(&server, &cache)).0.is_ok());
    let before = server.asked().len();
    for_each_kept(&cache, &mut |path| {
        let mut bytes = std::fs::read(path).expect("it was written");
        let last = bytes.len() - 20;
        bytes[last] ^= 1;
        std::fs::write(path, bytes).expect("it can be written");
    });
    let (labels, started) = labels(options(&server, &cache));
    assert_eq!(labels, Ok(vec!["v3".to_owned()]));
    assert!(started);
    assert_eq!(server.asked().len(), before + 1);
}

#[test]
fn what_lies_on_this_machine_is_not_kept() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let demo = folder.path().join("demo");
    std::fs::create_dir(&demo).expect("writable");
    std::fs::write(demo.join(WHEEL), labelled()).expect("writable");
    let server = Server::start(|_| Reply::new(404));
    let cache = cache();
    for linked in [false, true] {
        if linked {
            std::fs::write(demo.join("demo-1.0-variants.json"), DOCUMENT).expect("writable");
        }
        let mut options = options(&server, &cache);
        let place = folder.path().to_str().expect("the path is text");
        options.indexes.default = Index::new(place).expect("a path");
        assert_eq!(labels(options).0, Ok(vec!["v3".to_owned()]));
    }
    for_each_kept(&cache, &mut |path| panic!("`{}` was kept", path.display()));
    assert!(server.asked().is_empty());
}

#[test]
fn a_document_on_this_machine_is_read_up_to_a_bound() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let demo = folder.path().join("demo");
    std::fs::create_dir(&demo).expect("writable");
    std::fs::write(demo.join(WHEEL), labelled()).expect("writable");
    let endless = std::fs::File::create(demo.join("demo-1.0-variants.json")).expect("writable");
    endless.set_len(1 << 40).expect("it takes no room");
    let server = Server::start(|_| Reply::new(404));
    let mut options = options(&server, &cache());
    let place = folder.path().to_str().expect("the path is text");
    options.indexes.default = Index::new(place).expect("a path");
    let error = labels(options).0.expect_err("it is too large");
    assert!(error.contains("is larger than"), "{error}");
}

/// Calls with each record of metadata and of variants.
fn for_each_kept(cache: &Cache, look: &mut dyn FnMut(&std::path::Path)) {
    let folders = std::fs::read_dir(cache.root())
        .into_iter()
        .flatten()
        .flatten();
    let metadata = folders.filter(|folder| {
        let name = folder.file_name();
        name.to_string_lossy().starts_with("metadata")
    });
    for folder in metadata.flat_map(|folder| std::fs::read_dir(folder.path()).expect("a folder")) {
        let folder = folder.expect("it can be read").path();
        for file in std::fs::read_dir(folder).expect("a folder") {
            look(&file.expect("it can be read").path());
        }
    }
}
