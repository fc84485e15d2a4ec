//! Requirements files: what is written, and what is read of what others wrote.

use std::collections::BTreeSet;

use mlresolve::Lock;
use mlresolve::lock::{
    Annotations, Header, Newline, RenderOptions, Source, UnsafePackages, Via, Writer,
    read_requirements, render,
};

use crate::{approve, sample};

#[test]
fn one_of_everything() {
    let lock = sample::lock();
    approve("requirements", &render(&lock, &RenderOptions::default()));
    let options = RenderOptions {
        annotations: Annotations::Line,
        hashes: false,
        strip_extras: true,
        header: Header::Command,
        emit: BTreeSet::new(),
        unsafe_packages: UnsafePackages::Commented(UnsafePackages::known()),
        ..RenderOptions::default()
    };
    approve("requirements-line", &render(&lock, &options));
}

#[test]
fn lines_end_as_asked() {
    let lock = sample::lock();
    let lf = render(&lock, &RenderOptions::default());
    let options = RenderOptions {
        newline: Newline::CrLf,
        ..RenderOptions::default()
    };
    let crlf = render(&lock, &options);
    assert_eq!(crlf.replace("\r\n", "\n"), lf);
    assert!(!crlf.replace("\r\n", "").contains('\n'));
    assert_eq!(read_requirements(&crlf), read_requirements(&lf));
}

#[test]
fn what_was_written_is_read() {
    let lock = sample::lock();
    let read = read_requirements(&render(&lock, &RenderOptions::default()));
    assert_eq!(read.writer, Writer::Mlresolve);
    // A folder's line does not say which distribution it is.
    assert_eq!(read.unread.len(), 1, "{:?}", read.unread);
    assert_eq!(read.unread[0].text, "-e ./folder");

    assert_eq!(read.lock.options, lock.options);
    let provenance = &read.lock.provenance;
    assert_eq!(provenance.version, lock.provenance.version);
    assert_eq!(provenance.command, lock.provenance.command);
    assert_eq!(provenance.exclude_newer, lock.provenance.exclude_newer);
    assert_eq!(provenance.ignored_rules, lock.provenance.ignored_rules);
    assert_eq!(provenance.changed_edges, lock.provenance.changed_edges);
    assert_eq!(provenance.indexes, lock.provenance.indexes);
    assert_eq!(
        provenance.rules[1],
        ("torch/numpy1-abi".to_owned(), "b".repeat(12))
    );
    assert_eq!(read.lock.target.words(), lock.target.words());
    assert_eq!(read.lock.target.accelerator, lock.target.accelerator);

    for package in &lock.packages {
        let Some(found) = read.lock.package(&package.name) else {
            assert_eq!(package.name.as_ref(), "folder");
            continue;
        };
        assert_eq!(found.extras, package.extras, "{}", package.name);
        assert_eq!(found.hashes, package.hashes, "{}", package.name);
        assert_eq!(found.marker, package.marker, "{}", package.name);
        assert_eq!(found.via, package.via, "{}", package.name);
        assert_eq!(found.rules, package.rules, "{}", package.name);
        if matches!(package.source, Source::Index(_)) {
            assert_eq!(found.version, package.version, "{}", package.name);
            assert_eq!(found.dependencies, package.dependencies, "{}", package.name);
        }
    }
}

#[test]
fn pins_are_those_of_indexes() {
    let lock = sample::lock();
    let read = read_requirements(&render(&lock, &RenderOptions::default()));
    assert_eq!(read.lock.pins(), lock.pins());
    let names: Vec<String> = lock.pins().keys().map(ToString::to_string).collect();
    assert_eq!(names, ["numpy", "opencv-python", "setuptools", "torch"]);
}

#[test]
fn without_a_header_nothing_stands_above() {
    let options = RenderOptions {
        header: Header::None,
        ..RenderOptions::default()
    };
    assert_eq!(render(&Lock::default(), &options), "\n");
    let lock = sample::lock();
    assert!(render(&lock, &options).starts_with("--index-url "));
}

#[test]
fn a_line_cannot_be_smuggled_in() {
    let mut lock = sample::lock();
    lock.packages.truncate(1);
    lock.options = mlresolve::lock::InstallerOptions::default();
    let pin = |end: char| format!("x{end}evil==6.6.6");
    for end in [
        '\n', '\r', '\u{b}', '\u{c}', '\u{1c}', '\u{85}', '\u{2028}', '\u{2029}',
    ] {
        lock.provenance.command = pin(end);
        lock.provenance.changed_edges = vec![pin(end)];
        lock.provenance.ignored_rules = vec![pin(end)];
        lock.target.platform = pin(end);
        lock.options.find_links = vec![pin(end)];
        lock.packages[0].marker = Some(format!("os_name == \"{}\"", pin(end)));
        lock.packages[0].via = BTreeSet::from([Via::File(pin(end)), Via::Rule(pin(end))]);
        if let Source::Archive { given, .. } = &mut lock.packages[0].source {
            *given = format!("https://files.example/{}", pin(end));
        }
        for annotations in [Annotations::Split, Annotations::Line] {
            let options = RenderOptions {
                annotations,
                ..RenderOptions::default()
            };
            let text = render(&lock, &options);
            let lines = text.split([
                '\n', '\r', '\u{b}', '\u{c}', '\u{1c}', '\u{85}', '\u{2028}', '\u{2029}',
            ]);
            for line in lines {
                assert!(!line.trim_start().starts_with("evil"), "{end:?}: {text}");
            }
        }
    }
}

#[test]
fn what_cannot_be_read_is_told() {
    let text = "\
\u{feff}# by hand
numpy==1.26.4  # why not
pandas>=2
scipy
-r other.txt
--frobnicate yes
torch==2.*
./wheels/x-1.0-py3-none-any.whl
C:\\wheels\\x
-e .
six==1.17.0 --hash=sha256:abc
idna==3.20 \\
    --hash sha256:0123456789012345678901234567890123456789012345678901234567890123 \\
    --hash=md5:01234567890123456789012345678901
requests [socks,security] == 2.34.2 ; python_version > '3'
-i https://user:secret@index.example/simple
a @ git+https://git.example/a
b @ https://user:secret@files.example/b.zip # via -r x.in
é==1
--index-url=https://index.example/simple
==1
@ x
c[==1
";
    let read = read_requirements(text);
    let unread: Vec<String> = read
        .unread
        .iter()
        .map(|unread| format!("{}: {}: {}", unread.line, unread.text, unread.reason))
        .collect();
    approve("requirements-unread", &unread.join("\n"));
    assert_eq!(read.writer, Writer::Unknown);
    let pins: Vec<String> = read
        .lock
        .pins()
        .iter()
        .map(|(name, pin)| format!("{name} {} {}", pin.version, pin.hashes.len()))
        .collect();
    assert_eq!(pins, ["idna 3.20 2", "numpy 1.26.4 0", "requests 2.34.2 0"]);
    assert_eq!(
        read.lock.options.index_url.as_deref(),
        Some("https://index.example/simple")
    );
}

#[test]
fn a_comment_of_ones_own_is_no_annotation() {
    let read = read_requirements("a==1\n    # via b\n#   c\nd==1\n#   e\n# via f\n");
    let via = |name: &str| {
        let package = read.lock.package(&name.parse().unwrap()).unwrap();
        package
            .via
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
    };
    assert_eq!(via("a"), ["b", "c"]);
    assert!(via("d").is_empty());
}
