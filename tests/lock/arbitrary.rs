//! Laws that hold for every lock.

use std::collections::BTreeSet;

use jiff::Timestamp;
use mlresolve::Lock;
use mlresolve::lock::{
    Annotations, Format, Header, InstallerOptions, LockedFile, LockedPackage, Newline, Provenance,
    RenderOptions, Source, TargetRecord, UnsafePackages, Via, read_pylock, read_requirements,
    render,
};
use mlresolve::metadata::FileHash;
use proptest::collection::{btree_map, btree_set, vec};
use proptest::prelude::*;

fn digest() -> impl Strategy<Value = String> {
    "[0-9a-f]{64}"
}

/// Any text, line ends and quotes included.
fn text() -> impl Strategy<Value = String> {
    "\\PC{0,12}|[\\x00-\\x7f\"'\\\\\n]{0,8}"
}

/// Text as a header can hold it.
fn words() -> impl Strategy<Value = String> {
    "[a-z0-9/:=.`<>-]{1,8}( [a-z0-9/:=.`<>-]{1,8}){0,3}"
}

fn name() -> impl Strategy<Value = String> {
    "[a-z][a-z0-9]{0,3}(-[a-z0-9]{1,3})?|pip|setuptools"
}

fn file(filename: String) -> impl Strategy<Value = LockedFile> {
    (
        prop_oneof![Just("https://files.example/"), Just("./wheels/")],
        btree_map("sha256|sha512", digest(), 1..3),
        proptest::option::of(0..u64::try_from(i64::MAX).unwrap()),
        proptest::option::of(0..253_402_207_200_i64),
    )
        .prop_map(move |(folder, mut hashes, size, seconds)| {
            hashes.retain(|algorithm, _| algorithm == "sha256");
            if hashes.is_empty() {
                hashes.insert("sha256".to_owned(), "0".repeat(64));
            }
            LockedFile {
                location: format!("{folder}{filename}"),
                filename: filename.clone(),
                hashes,
                size,
                upload_time: seconds.map(|seconds| Timestamp::new(seconds, 120_000).unwrap()),
            }
        })
}

fn via() -> impl Strategy<Value = Via> {
    prop_oneof![
        "[a-z/.-]{0,6}[a-z]\\.in".prop_map(Via::File),
        "[a-z/.-]{0,6}[a-z]\\.txt".prop_map(Via::Constraint),
        "[a-z/.-]{0,6}[a-z]\\.txt".prop_map(Via::Override),
        "[a-z]{1,6} \\(pyproject.toml\\)".prop_map(Via::Project),
        "[a-z]{1,6}/[a-z]{1,6}".prop_map(Via::Rule),
        name().prop_map(|name| Via::Package(name.parse().unwrap())),
    ]
}

fn index_package(name: String) -> impl Strategy<Value = LockedPackage> {
    let stem = name.replace('-', "_");
    let files = (
        file(format!("{stem}-1.0+cu121-py3-none-any.whl")),
        proptest::option::of(file(format!("{stem}-1.0+cu121.tar.gz"))),
    );
    (
        files,
        proptest::option::of("https://[a-z]{1,4}\\.example/"),
        btree_set(digest(), 0..2),
    )
        .prop_map(move |((wheel, sdist), index, further)| {
            let mut package = LockedPackage::new(name.parse().unwrap(), Source::Index(index));
            package.version = Some("1.0+cu121".parse().unwrap());
            package.files = std::iter::once(wheel).chain(sdist).collect();
            package
                .files
                .sort_by(|a, b| (&a.filename, &a.location).cmp(&(&b.filename, &b.location)));
            package.hashes = package
                .files
                .iter()
                .flat_map(|file| file.hashes.clone())
                .chain(further.into_iter().map(|hash| ("sha256".to_owned(), hash)))
                .map(FileHash::from)
                .collect();
            package
        })
}

fn direct_package(name: String) -> impl Strategy<Value = LockedPackage> {
    let subdirectory = || proptest::option::of("[a-z]{1,4}");
    let archive_name = name.clone();
    let archive = (file(format!("{name}.zip")), subdirectory(), any::<bool>()).prop_map(
        move |(mut file, subdirectory, variable)| {
            let url = format!("https://files.example/{archive_name}.zip");
            file.location.clone_from(&url);
            let given = if variable {
                url.replace("://", "://${TOKEN}@")
            } else {
                url.clone()
            };
            let source = Source::Archive {
                url,
                given,
                subdirectory,
            };
            let mut package = LockedPackage::new(archive_name.parse().unwrap(), source);
            package.hashes = file
                .hashes
                .clone()
                .into_iter()
                .map(FileHash::from)
                .collect();
            package.files = vec![file];
            package
        },
    );
    let vcs = (
        "[0-9a-f]{40}",
        proptest::option::of("[a-z]{1,4}"),
        subdirectory(),
        any::<bool>(),
    )
        .prop_map(
            move |(commit, requested_revision, subdirectory, editable)| {
                let source = Source::Vcs {
                    kind: "git".to_owned(),
                    url: "ssh://git@git.example/x".to_owned(),
                    requested_revision,
                    commit,
                    subdirectory,
                    editable,
                };
                LockedPackage::new(name.parse().unwrap(), source)
            },
        );
    prop_oneof![archive, vcs]
}

fn package(name: String) -> impl Strategy<Value = LockedPackage> {
    let from =
        prop_oneof![4 => index_package(name.clone()).boxed(), 1 => direct_package(name).boxed()];
    (
        from,
        btree_set("[a-z][a-z0-9]{0,4}", 0..3),
        proptest::option::of(Just(
            "python_version >= \"3.7\" and os_name == \"posix\"".to_owned(),
        )),
        proptest::option::of(Just(">=3.8,<4".to_owned())),
        btree_set(via(), 0..4),
        btree_set(text(), 0..2),
        btree_set(name_of_other(), 0..3),
    )
        .prop_map(
            |(mut package, extras, marker, requires_python, via, left_out, dependencies)| {
                package.extras = extras.iter().map(|extra| extra.parse().unwrap()).collect();
                package.marker = marker;
                package.requires_python = requires_python;
                package.rules = via
                    .iter()
                    .filter_map(|via| match via {
                        Via::Rule(id) => Some(id.clone()),
                        _ => None,
                    })
                    .collect();
                package.via = via;
                package.left_out = left_out;
                package.dependencies = dependencies
                    .iter()
                    .map(|name| name.parse().unwrap())
                    .collect();
                package.dependencies.sort();
                package
            },
        )
}

fn name_of_other() -> impl Strategy<Value = String> {
    name()
}

fn target() -> impl Strategy<Value = TargetRecord> {
    (
        "3\\.(8|11|13t|12\\.4)|pypy3\\.10",
        "[a-z0-9_]{1,6}-[a-z0-9_]{1,6}",
        btree_map("[a-z_]{1,8}", "[a-z0-9.]{1,8}", 0..2),
        btree_map("cuda|driver|gpu", "[0-9.]{1,5}", 0..3),
        vec(("[a-z_]{1,8}", "[^\"']{0,5}"), 0..3),
    )
        .prop_map(
            |(python, platform, detected, accelerator, markers)| TargetRecord {
                python,
                platform,
                detected,
                accelerator,
                // A marker that is no marker would not be read.
                markers: if markers.is_empty() {
                    Vec::new()
                } else {
                    vec![("os_name".to_owned(), markers[0].1.clone())]
                },
            },
        )
}

fn options() -> impl Strategy<Value = InstallerOptions> {
    let url = || "https://[a-z]{1,4}\\.example/[a-z]{0,3}";
    let names = || btree_set(prop_oneof![Just(":all:".to_owned()), name()], 0..3);
    (
        proptest::option::of(url()),
        vec(url(), 0..2),
        vec(url(), 0..2),
        vec("[a-z]{1,5}", 0..2),
        names(),
        names(),
    )
        .prop_map(
            |(index_url, extra_index_urls, find_links, trusted_hosts, no_binary, only_binary)| {
                InstallerOptions {
                    index_url,
                    extra_index_urls,
                    find_links,
                    trusted_hosts,
                    no_binary,
                    only_binary,
                }
            },
        )
}

/// A lock whose provenance holds what `texts` gives.
fn lock(texts: &BoxedStrategy<String>) -> impl Strategy<Value = Lock> {
    let packages = btree_set(name(), 0..5)
        .prop_flat_map(|names| names.into_iter().map(package).collect::<Vec<_>>());
    let provenance = (
        (words(), texts.clone(), proptest::option::of(words())),
        btree_map("[a-z]{1,4}/[a-z]{1,4}", "[0-9a-f]{12}", 0..3),
        btree_set("[a-z]{1,4}/[a-z]{1,4}", 0..3),
        btree_set(texts.clone(), 0..3),
    )
        .prop_map(
            |((version, command, exclude_newer), rules, ignored, changed)| Provenance {
                version,
                command,
                exclude_newer,
                rules: rules.into_iter().collect(),
                ignored_rules: ignored.into_iter().collect(),
                base: None,
                changed_edges: changed.into_iter().collect(),
                indexes: Vec::new(),
            },
        );
    (packages, provenance, target(), options()).prop_map(
        |(mut packages, provenance, target, options)| {
            packages.sort_by(|a, b| a.name.cmp(&b.name));
            Lock {
                packages,
                target,
                provenance,
                options,
            }
        },
    )
}

fn manner() -> impl Strategy<Value = RenderOptions> {
    (
        prop_oneof![
            Just(Header::Full),
            Just(Header::Command),
            Just(Header::None)
        ],
        prop_oneof![
            Just(Annotations::Split),
            Just(Annotations::Line),
            Just(Annotations::None)
        ],
        any::<(bool, bool, bool)>(),
    )
        .prop_map(
            |(header, annotations, (hashes, strip_extras, crlf))| RenderOptions {
                header,
                annotations,
                hashes,
                strip_extras,
                newline: if crlf { Newline::CrLf } else { Newline::Lf },
                unsafe_packages: UnsafePackages::default(),
                ..RenderOptions::default()
            },
        )
}

fn pylock() -> RenderOptions {
    RenderOptions {
        format: Format::Pylock,
        ..RenderOptions::default()
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(128) })]

    #[test]
    fn pylock_loses_nothing(lock in lock(&text().boxed())) {
        let written = render(&lock, &pylock());
        let read = read_pylock(&written, "pylock.toml").unwrap();
        prop_assert_eq!(&read, &lock, "{}", written);
        prop_assert_eq!(render(&read, &pylock()), written);
    }

    #[test]
    fn requirements_read_and_written_again_are_the_same(
        lock in lock(&words().boxed()),
        manner in manner(),
    ) {
        let written = render(&lock, &manner);
        let read = read_requirements(&written);
        prop_assert_eq!(&read.unread, &Vec::new(), "{}", written);
        prop_assert_eq!(render(&read.lock, &manner), written);
    }

    #[test]
    fn requirements_lose_no_pin(lock in lock(&text().boxed()), manner in manner()) {
        let read = read_requirements(&render(&lock, &manner));
        let mut pins = lock.pins();
        if !manner.hashes {
            for pin in pins.values_mut() {
                pin.hashes.clear();
            }
        }
        prop_assert_eq!(read.lock.pins(), pins);
        let names: BTreeSet<_> = lock.packages.iter().map(|package| &package.name).collect();
        let read_names: BTreeSet<_> = read.lock.packages.iter().map(|package| &package.name).collect();
        prop_assert_eq!(read_names, names);
    }

    #[test]
    fn a_lock_differs_only_from_others(a in lock(&words().boxed()), b in lock(&words().boxed())) {
        prop_assert!(a.same_consequences(&a));
        prop_assert_eq!(a.same_consequences(&b), b.same_consequences(&a));
        if a.packages.len() != b.packages.len() {
            prop_assert!(!a.same_consequences(&b));
        }
    }
}
