//! Scans of tiny wheels: on the disk, behind a loopback server, installed.

#![expect(clippy::unwrap_used, reason = "a failed step fails the test")]

use std::fs;

use clap::Parser as _;

use super::folder;
use super::overlap;
use super::what::What;
use super::wheel::{RemoteWheel, of_release, scan_file};
use crate::Target;
use crate::cli::args::{Cli, Command};
use crate::cli::error::Exit;
use crate::cli::session::WheelSession;
use crate::fetch::testing::{Asked, Reply, Server, client_options};
use crate::fetch::{Auth, Cache, Index, Indexes, Refresh, Registry, RegistryOptions};
use crate::scan::tests::support::{binary, wheel};
use crate::scan::{Limits, NumpyAbi};

const OLD: &[&str] = &[
    "numpy.core._multiarray_umath",
    "_ARRAY_API not found",
    "module compiled against ABI version 0x%x but this version of numpy is 0x%x",
    "numpy.core.multiarray failed to import",
];
const LINUX: &str = "demo-1.0-cp311-cp311-manylinux_2_17_x86_64.whl";
const WINDOWS: &str = "demo-1.0-cp311-cp311-win_amd64.whl";
const MODULE: &str = "demo/_core.cpython-311-x86_64-linux-gnu.so";

fn old_wheel() -> Vec<u8> {
    // What is not read would be seen to move.
    let ballast: Vec<u8> = (0_u32..)
        .map(|at| at.wrapping_mul(0x9e37_79b9).to_le_bytes()[3])
        .take(3 << 20)
        .collect();
    wheel(&[("demo/data.bin", &ballast), (MODULE, &binary(OLD))])
}

fn answer(asked: &Asked) -> Reply {
    match asked.path.as_str() {
        "/simple/demo/" => Reply::html(format!(
            "<a href='/f/{LINUX}'>{LINUX}</a><a href='/f/{WINDOWS}'>{WINDOWS}</a>"
        )),
        path if path.starts_with("/f/demo-1.0") => Reply::ranges_of(&old_wheel(), asked),
        "/f/broken-1.0-py3-none-any.whl" => Reply::ranges_of(b"no archive", asked),
        _ => Reply::new(404),
    }
}

fn registry(server: &Server) -> Registry {
    Registry::new(RegistryOptions {
        client: client_options(),
        auth: Auth::none(),
        indexes: Indexes {
            default: Index::new(server.url("/simple/").as_str()).unwrap(),
            ..Indexes::default()
        },
        cache: Cache::temporary().unwrap(),
        pack: None,
        likely: None,
        refresh: Refresh::None,
        guesses: None,
    })
}

fn at(server: &Server, path: &str) -> RemoteWheel {
    match What::of(server.url(path).as_str()).unwrap() {
        What::Url(wheel) => wheel,
        other => panic!("not an address: {other:?}"),
    }
}

#[test]
fn a_release_is_scanned_by_the_wheel_that_suits() {
    let server = Server::start(answer);
    let registry = registry(&server);
    let target = |platform| Target::declared("3.11", platform).unwrap();
    let (name, version) = ("demo".parse().unwrap(), "1.0".parse().unwrap());
    let targets = [
        target("linux"),
        target("windows"),
        target("x86_64-manylinux_2_39"),
    ];
    let wheels = of_release(&registry, &name, &version, &targets).unwrap();
    let names: Vec<&str> = wheels.iter().map(|wheel| &*wheel.filename).collect();
    assert_eq!(names, [LINUX, WINDOWS]);
    let scanned = wheels[0].scan(&registry, &Limits::numpy_abi()).unwrap();
    assert_eq!(scanned.findings.numpy.abi, NumpyAbi::Numpy1Only);
    assert!(scanned.moved.unwrap() < 1 << 20, "{:?}", scanned.moved);
    let none = of_release(&registry, &name, &version, &[target("macos")]).unwrap_err();
    assert!(
        none.message().contains("no wheel of demo 1.0 suits"),
        "{}",
        none.message()
    );
    let missing = of_release(&registry, &name, &"2.0".parse().unwrap(), &targets).unwrap_err();
    assert_eq!(
        (missing.exit, missing.message()),
        (Exit::Usage, "there is no demo 2.0".to_owned())
    );
}

#[test]
fn failures_of_the_network_and_of_the_file_differ() {
    let server = Server::start(answer);
    let registry = registry(&server);
    let limits = Limits::numpy_abi();
    let exit = |path| at(&server, path).scan(&registry, &limits).unwrap_err().exit;
    assert_eq!(exit("/f/broken-1.0-py3-none-any.whl"), Exit::Usage);
    assert_eq!(exit("/f/gone-1.0-py3-none-any.whl"), Exit::Network);
    assert_eq!(exit("/f/demo-1.0.tar.gz.html"), Exit::Usage);
}

#[test]
fn installed_distributions_are_found_by_their_records() {
    let folder = tempfile::tempdir().unwrap();
    let site = folder.path().join("lib/python3.11/site-packages");
    fs::create_dir_all(site.join("demo")).unwrap();
    fs::create_dir_all(site.join("demo-1.0.dist-info")).unwrap();
    fs::write(site.join(MODULE), binary(OLD)).unwrap();
    let record = format!("{MODULE},sha256=x,1\n../../../bin/demo,,\n/etc/passwd,,\n");
    fs::write(site.join("demo-1.0.dist-info/RECORD"), record).unwrap();
    let found = folder::distributions(folder.path()).unwrap();
    let [demo] = &*found else {
        panic!("not one distribution: {found:?}");
    };
    let scanned = demo.scan(&Limits::default()).unwrap();
    assert_eq!(scanned.findings.numpy.abi, NumpyAbi::Numpy1Only);
    let paths: Vec<&str> = scanned
        .findings
        .files
        .iter()
        .map(|file| &*file.path)
        .collect();
    assert_eq!(paths, [MODULE]);
    assert!(folder::distributions(&site.join("demo")).is_err());
}

#[test]
fn words_are_taken_for_what_they_look_like() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(LINUX);
    fs::write(&path, old_wheel()).unwrap();
    let path = path.to_str().unwrap();
    assert!(matches!(What::of(path), Ok(What::Wheel(_))));
    assert_eq!(
        scan_file(path.as_ref(), &Limits::default())
            .unwrap()
            .findings
            .source,
        LINUX
    );
    assert!(matches!(
        What::of(folder.path().to_str().unwrap()),
        Ok(What::Folder(_))
    ));
    assert!(
        matches!(What::of("Demo == 1.0"), Ok(What::Release(name, _)) if name.as_ref() == "demo")
    );
    for wrong in ["demo", "demo>=1", "de mo==1", "demo==one"] {
        assert_eq!(What::of(wrong).unwrap_err().exit, Exit::Usage, "{wrong}");
    }
    match What::of("https://files.example/a%2Bb/demo-1.0%2Bcpu-py3-none-any.whl#sha256=AB") {
        Ok(What::Url(wheel)) => {
            assert_eq!(wheel.filename, "demo-1.0+cpu-py3-none-any.whl");
            assert_eq!(wheel.sha256.as_deref(), Some("ab"));
        }
        other => panic!("{other:?}"),
    }
}

/// What `scan --overlap` prints, or the error's message.
fn overlap_of(words: &[&str]) -> Result<String, String> {
    let words = [
        "mlresolve",
        "scan",
        "--overlap",
        "--no-cache",
        "--no-config",
    ]
    .iter()
    .chain(words);
    let Command::Scan(args) = Cli::try_parse_from(words).unwrap().command else {
        panic!("no scan");
    };
    let session = WheelSession::open(&args.wheels).unwrap();
    overlap::told(&args, &session).map_err(|error| error.message())
}

#[test]
fn wheels_are_compared_by_what_they_install() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, files: &[(&str, &[u8])]| {
        let path = folder.path().join(name);
        fs::write(&path, wheel(files)).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let gpu = write(
        "gpu-1.0-py3-none-any.whl",
        &[("demo/__init__.py", b"same"), ("demo/core.so", b"cuda")],
    );
    let space = write(
        "space-1.0-py3-none-any.whl",
        &[("demo/__init__.py", b"same"), ("demo/other.py", b"x")],
    );
    let server = Server::start(|asked| match asked.path.as_str() {
        "/simple/cpu/" => Reply::html(
            "<a href='/f/cpu-1.0-py3-none-any.whl'>cpu-1.0-py3-none-any.whl</a>".to_owned(),
        ),
        "/f/cpu-1.0-py3-none-any.whl" => Reply::ranges_of(
            &wheel(&[("demo/__init__.py", b"same"), ("demo/core.so", b"cpu")]),
            asked,
        ),
        _ => Reply::new(404),
    });
    let index = server.url("/simple/");
    let told = overlap_of(&["-i", index.as_str(), "cpu==1.0", &gpu, &space]).unwrap();
    assert_eq!(
        told,
        "cpu-1.0-py3-none-any.whl and gpu-1.0-py3-none-any.whl install 2 files at the same paths\n  \
           1 file of other content: what is installed last breaks the other\n    \
             demo/core.so\n\
         cpu-1.0-py3-none-any.whl and space-1.0-py3-none-any.whl install 1 file at the same paths\n  \
           all of the same content: neither breaks the other\n\
         gpu-1.0-py3-none-any.whl and space-1.0-py3-none-any.whl install 1 file at the same paths\n  \
           all of the same content: neither breaks the other\n"
    );
    assert_eq!(
        overlap_of(&["--format", "json", &gpu, &space]).unwrap(),
        "{\"wheels\":[\"gpu-1.0-py3-none-any.whl\",\"space-1.0-py3-none-any.whl\"],\
          \"identical\":[\"demo/__init__.py\"],\"different\":[]}\n"
    );
    let alone = overlap_of(&[&gpu]).unwrap_err();
    assert!(alone.contains("two or more"), "{alone}");
    let environment = overlap_of(&[&gpu, folder.path().to_str().unwrap()]).unwrap_err();
    assert!(environment.contains("is a folder"), "{environment}");
}
