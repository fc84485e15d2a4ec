//! A small lock with one of everything.

use std::collections::{BTreeMap, BTreeSet};

use mlresolve::lock::{
    InstallerOptions, Lock, LockedFile, LockedPackage, Provenance, Source, TargetRecord, Via,
};

/// A digest that is as long as a sha256 and easy to tell apart.
pub(crate) fn digest(seed: char) -> String {
    seed.to_string().repeat(64)
}

pub(crate) fn file(filename: &str, seed: char) -> LockedFile {
    LockedFile {
        filename: filename.to_owned(),
        location: format!("https://files.example/{filename}"),
        hashes: BTreeMap::from([("sha256".to_owned(), digest(seed))]),
        size: Some(12_345),
        upload_time: Some("2024-02-05T23:37:12.123456Z".parse().unwrap()),
    }
}

pub(crate) fn package(name: &str, source: Source, via: &[&str]) -> LockedPackage {
    let mut package = LockedPackage::new(name.parse().unwrap(), source);
    package.via = via.iter().map(|text| Via::parse(text)).collect();
    package.rules = package
        .via
        .iter()
        .filter_map(|via| match via {
            Via::Rule(id) => Some(id.clone()),
            _ => None,
        })
        .collect();
    package
}

pub(crate) fn released(
    name: &str,
    version: &str,
    files: Vec<LockedFile>,
    via: &[&str],
) -> LockedPackage {
    let index = "https://index.example/simple/".to_owned();
    let mut package = package(name, Source::Index(Some(index)), via);
    package.version = Some(version.parse().unwrap());
    package.hashes = files
        .iter()
        .flat_map(|file| file.hashes.clone())
        .map(mlresolve::metadata::FileHash::from)
        .collect();
    package.files = files;
    package
}

fn packages() -> Vec<LockedPackage> {
    let mut numpy = released(
        "numpy",
        "1.26.4",
        vec![
            file(
                "numpy-1.26.4-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
                '1',
            ),
            file("numpy-1.26.4.tar.gz", '2'),
        ],
        &[
            "-c constraints.txt",
            "opencv-python",
            "torch",
            "rule torch/numpy1-abi",
        ],
    );
    numpy.requires_python = Some(">=3.9".to_owned());

    let mut opencv = released(
        "opencv-python",
        "4.9.0.80",
        vec![file(
            "opencv_python-4.9.0.80-cp37-abi3-manylinux_2_17_x86_64.whl",
            '3',
        )],
        &["-r requirements.in", "rule opencv-python/numpy1-abi"],
    );
    opencv.marker = Some("sys_platform == \"linux\"".to_owned());
    opencv.dependencies = vec!["numpy".parse().unwrap()];

    let mut torch = released(
        "torch",
        "2.1.2+cu121",
        vec![file("torch-2.1.2+cu121-cp311-cp311-linux_x86_64.whl", '4')],
        &["-r requirements.in", "project (pyproject.toml)"],
    );
    torch.source = Source::Index(Some("https://download.pytorch.org/whl/cu121".to_owned()));
    torch.extras = BTreeSet::from(["opt-einsum".parse().unwrap()]);
    torch.dependencies = vec!["numpy".parse().unwrap(), "setuptools".parse().unwrap()];
    torch.left_out = BTreeSet::from(["torch-2.1.2+cu121-cp39-cp39-win_amd64.whl".to_owned()]);

    let setuptools = released(
        "setuptools",
        "69.5.1",
        vec![file("setuptools-69.5.1-py3-none-any.whl", '5')],
        &["--override overrides.txt", "torch"],
    );

    vec![numpy, opencv, setuptools, torch]
}

fn direct_packages() -> Vec<LockedPackage> {
    let mut archive = package(
        "archived",
        Source::Archive {
            url: "https://files.example/archived-1.0.zip".to_owned(),
            given: "https://${TOKEN}@files.example/archived-1.0.zip".to_owned(),
            subdirectory: Some("python".to_owned()),
        },
        &["-r requirements.in"],
    );
    archive.version = Some("1.0".parse().unwrap());
    archive.files = vec![file("archived-1.0.zip", '6')];
    archive.hashes = BTreeSet::from([mlresolve::metadata::FileHash::new("sha256", &digest('6'))]);

    let vcs = |editable: bool| Source::Vcs {
        kind: "git".to_owned(),
        url: "https://git.example/repository.git".to_owned(),
        requested_revision: Some("main".to_owned()),
        commit: "0123456789abcdef0123456789abcdef01234567".to_owned(),
        subdirectory: editable.then(|| "python".to_owned()),
        editable,
    };
    let editable = package("zz-editable", vcs(true), &["-r requirements.in"]);
    let repository = package("repository", vcs(false), &["zz-editable"]);
    let folder = package(
        "folder",
        Source::Directory {
            given: "./folder".to_owned(),
            editable: true,
            subdirectory: None,
        },
        &["-r requirements.in"],
    );

    vec![archive, folder, repository, editable]
}

/// A lock with one of everything; the packages are sorted by name.
pub(crate) fn lock() -> Lock {
    let mut packages = packages();
    packages.extend(direct_packages());
    packages.sort_by(|a, b| a.name.cmp(&b.name));
    Lock {
        packages,
        target: TargetRecord {
            python: "3.11".to_owned(),
            platform: "x86_64-manylinux_2_28".to_owned(),
            detected: BTreeMap::from([("platform_release".to_owned(), "6.8.0".to_owned())]),
            accelerator: BTreeMap::from([
                ("cuda".to_owned(), "12.1".to_owned()),
                ("driver".to_owned(), "535.104".to_owned()),
            ]),
            markers: vec![
                ("python_version".to_owned(), "3.11".to_owned()),
                ("sys_platform".to_owned(), "linux".to_owned()),
            ],
        },
        provenance: Provenance {
            version: "0.1.0".to_owned(),
            command: "mlresolve lock requirements.in".to_owned(),
            exclude_newer: Some("2026-11-01T00:00:00Z".to_owned()),
            rules: vec![
                ("opencv-python/numpy1-abi".to_owned(), digest('a')),
                ("torch/numpy1-abi".to_owned(), digest('b')),
            ],
            base: None,
            ignored_rules: vec!["scipy/numpy2-abi".to_owned()],
            changed_edges: vec![
                "docstrange 1.1.8 requires `numpy<2`; override has `numpy` in its place".to_owned(),
            ],
            indexes: vec![
                "https://index.example/simple/".to_owned(),
                "https://download.pytorch.org/whl/cu121".to_owned(),
            ],
        },
        options: InstallerOptions {
            index_url: Some("https://index.example/simple/".to_owned()),
            extra_index_urls: vec!["https://download.pytorch.org/whl/cu121".to_owned()],
            find_links: vec!["./wheels".to_owned()],
            trusted_hosts: vec!["index.example".to_owned()],
            no_binary: BTreeSet::from(["archived".to_owned()]),
            only_binary: BTreeSet::from([":all:".to_owned(), "torch".to_owned()]),
        },
    }
}
