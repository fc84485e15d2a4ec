//! Rules against the tiny wheels of a loopback index.

#![expect(clippy::unwrap_used, reason = "a failed step fails the test")]

use super::boundary::Platform;
use super::checks::Verdict;
use super::derive::{inherited, numpy_abi};
use super::probe::Probe;
use super::verify::verify;
use crate::RuleSet;
use crate::fetch::testing::{Asked, Reply, Server, client_options};
use crate::fetch::{Auth, Cache, Index, Indexes, Refresh, Registry, RegistryOptions};
use crate::rules::{RuleOrigin, RuleSource};
use crate::scan::tests::support::{binary, wheel};
use crate::solve::Facts as _;

const OLD: &[&str] = &[
    "numpy.core._multiarray_umath",
    "_ARRAY_API not found",
    "module compiled against ABI version 0x%x but this version of numpy is 0x%x",
    "numpy.core.multiarray failed to import",
];
const NEW: &[&str] = &[
    "numpy._core._multiarray_umath",
    "numpy.core._multiarray_umath",
    "_ARRAY_API not found",
    "module compiled against ABI version 0x%x but this version of numpy is 0x%x",
    "module was compiled against NumPy C-API version 0x%x (NumPy 1.20) but the running NumPy has C-API version 0x%x.",
    "numpy._core.multiarray failed to import",
];
const VERSIONS: [&str; 6] = ["1.0", "1.1", "1.2", "1.3", "2.0", "2.1"];
const TAGS: [&str; 2] = ["cp311-cp311-manylinux_2_17_x86_64", "cp311-cp311-win_amd64"];

/// `demo` moves to NumPy 2 with 1.3 on Linux and with 2.0 on Windows; 2.0 bounds `helper`.
fn answer(asked: &Asked) -> Reply {
    if asked.path == "/simple/demo/" {
        let links = VERSIONS
            .iter()
            .flat_map(|version| TAGS.map(|tag| format!("demo-{version}-{tag}.whl")));
        let links: Vec<String> = links
            .map(|file| format!("<a href='/f/{file}'>{file}</a>"))
            .collect();
        return Reply::html(links.concat());
    }
    let Some(version) = asked.path.strip_prefix("/f/demo-") else {
        return Reply::new(404);
    };
    let version = version.split('-').next().unwrap();
    let new_from = if asked.path.contains("win_amd64") {
        "2.0"
    } else {
        "1.3"
    };
    let strings = if version >= new_from { NEW } else { OLD };
    let bound = if version >= "2.0" { "<5,>=1" } else { "" };
    let metadata = format!(
        "Metadata-Version: 2.1\nName: demo\nVersion: {version}\nRequires-Dist: helper{bound}\n"
    );
    let bytes = wheel(&[
        ("demo/_core.so", &binary(strings)),
        (
            &format!("demo-{version}.dist-info/METADATA"),
            metadata.as_bytes(),
        ),
    ]);
    Reply::ranges_of(&bytes, asked)
}

/// `capped` bounds NumPy itself from 1.1 to 1.3, and moves to NumPy 2 with 2.0; with 2.1 where
/// the path says so.
fn capped(asked: &Asked, new_from: &str) -> Reply {
    let file = |version| format!("capped-{version}-{}.whl", TAGS[0]);
    if asked.path == "/simple/capped/" {
        let links = VERSIONS.map(|version| format!("<a href='/f/{0}'>{0}</a>", file(version)));
        return Reply::html(links.concat());
    }
    let Some(version) = VERSIONS
        .iter()
        .find(|version| asked.path.contains(**version))
    else {
        return Reply::new(404);
    };
    let strings = if *version >= new_from { NEW } else { OLD };
    let bound = if ("1.1".."2.0").contains(version) {
        "<2"
    } else {
        ""
    };
    let metadata = format!(
        "Metadata-Version: 2.1\nName: capped\nVersion: {version}\nRequires-Dist: numpy{bound}\n"
    );
    let bytes = wheel(&[
        ("capped/_core.so", &binary(strings)),
        (
            &format!("capped-{version}.dist-info/METADATA"),
            metadata.as_bytes(),
        ),
    ]);
    Reply::ranges_of(&bytes, asked)
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

fn loaded(files: &[(String, String)]) -> RuleSet {
    RuleSet::load(files.iter().map(|(id, text)| RuleSource {
        id,
        origin: RuleOrigin::Folder("rules".to_owned()),
        text,
    }))
    .unwrap()
}

#[test]
fn derived_rules_are_sound_and_agree_with_the_wheels() {
    let server = Server::start(answer);
    let registry = registry(&server);
    let probe = Probe::new(&registry);
    let platforms = Platform::all().unwrap();
    let page = registry.page(&"demo".parse().unwrap()).unwrap();
    let proposals = numpy_abi(&page, &platforms, &probe).unwrap();
    let files: Vec<(String, String)> = proposals
        .iter()
        .map(|proposal| (proposal.id.clone(), proposal.text()))
        .collect();
    let set = loaded(&files);
    let says: Vec<(String, String)> = set
        .iter()
        .map(|rule| {
            let when = rule.kind.when().unwrap();
            (rule.id.to_string(), when.versions.to_string())
        })
        .collect();
    let expected = [
        ("demo/numpy1-abi-linux", "<1.3"),
        ("demo/numpy1-abi-windows", "<2.0"),
    ];
    assert_eq!(
        says,
        expected.map(|(id, range)| (id.to_owned(), range.to_owned()))
    );
    for rule in set.iter() {
        let report = verify(rule, &set, &probe, &platforms);
        assert_eq!(report.verdict, Verdict::Agree, "{report:?}");
        assert_eq!(report.checks.len(), 2, "{report:?}");
    }
}

#[test]
fn a_bound_at_the_wrong_release_disagrees() {
    let server = Server::start(answer);
    let registry = registry(&server);
    let probe = Probe::new(&registry);
    let platforms = Platform::all().unwrap();
    let page = registry.page(&"demo".parse().unwrap()).unwrap();
    let proposals = numpy_abi(&page, &platforms, &probe).unwrap();
    let linux = proposals[0].text();
    for (bound, verdict) in [
        ("<1.3", Verdict::Agree),
        ("<1.2", Verdict::Disagree),
        ("<2.0", Verdict::Disagree),
    ] {
        let text = linux
            .replace("\"<1.3\"", &format!("\"{bound}\""))
            .replace("demo==1.2", "demo==1.1")
            .replace("demo==1.3", "demo==2.1");
        let set = loaded(&[("demo/numpy1-abi".to_owned(), text)]);
        let report = verify(
            set.get("demo/numpy1-abi").unwrap(),
            &set,
            &probe,
            &platforms,
        );
        assert_eq!(report.verdict, verdict, "{bound}: {report:?}");
    }
}

#[test]
fn forgotten_bounds_are_inherited() {
    let server = Server::start(answer);
    let registry = registry(&server);
    let platforms = Platform::all().unwrap();
    let page = registry.page(&"demo".parse().unwrap()).unwrap();
    let proposals = inherited::proposals(&page, &platforms, &registry).unwrap();
    let files: Vec<(String, String)> = proposals
        .iter()
        .map(|proposal| (proposal.id.clone(), proposal.text()))
        .collect();
    let set = loaded(&files);
    let rule = set.get("demo/inherited-helper").unwrap();
    assert_eq!(rule.kind.when().unwrap().versions.to_string(), "<2.0");
    assert!(
        files[0]
            .1
            .contains("then = { package = \"helper\", version = \"<5\" }"),
        "{}",
        files[0].1
    );
}

#[test]
fn where_metadata_takes_over_the_next_free_release_decides() {
    const RULE: &str = r#"
        kind = "constrain"
        severity = "corrupts"
        reason = "It was built for NumPy 1."
        checked = "2026-11-21"
        sources = ["https://example.com/"]
        when = { package = "capped", version = "<1.1" }
        then = { package = "numpy", version = "<2" }
        [[hit]]
        have = ["capped==1.0", "numpy==2.0.0"]
        [[miss]]
        have = ["capped==1.1", "numpy==2.0.0"]
    "#;
    let looked_at = |new_from: &'static str| {
        let server = Server::start(move |asked| capped(asked, new_from));
        let registry = registry(&server);
        let probe = Probe::new(&registry);
        let platforms = Platform::all().unwrap();
        let set = loaded(&[("capped/numpy1-abi".to_owned(), RULE.to_owned())]);
        let rule = set.get("capped/numpy1-abi").unwrap();
        let report = verify(rule, &set, &probe, &platforms);
        let checks: Vec<(String, Verdict)> = report
            .checks
            .iter()
            .map(|check| (check.version.clone(), check.verdict))
            .collect();
        (report.verdict, checks)
    };
    let check = |version: &str, verdict| (version.to_owned(), verdict);
    let until = [
        check("1.0", Verdict::Agree),
        check("1.1", Verdict::BoundElsewhere),
    ];
    let (verdict, checks) = looked_at("2.0");
    assert_eq!(verdict, Verdict::Agree);
    assert_eq!(checks[..2], until);
    assert_eq!(checks[2..], [check("2.0", Verdict::Agree)]);
    // 2.0 is NumPy 1 only, says nothing of it, and the rule misses it.
    let (verdict, checks) = looked_at("2.1");
    assert_eq!(verdict, Verdict::Disagree);
    assert_eq!(checks[2..], [check("2.0", Verdict::Disagree)]);
}
