//! What is scanned is what the library reads.

use std::fmt::Write as _;

use proptest::prelude::*;
use url::Url;

use super::super::read;
use super::*;

/// The links of a page, as text, and what it says of itself.
type Told = (Vec<Option<String>>, Option<String>);

fn told_by<'p>(
    body: &'p [u8],
    reader: impl FnOnce(Addresses<'_>, &'p [u8], &mut dyn FnMut(Option<Link<'p>>)) -> Option<Meta<'p>>,
) -> Option<Told> {
    let page = Url::parse("https://index.example/simple/foo/").expect("a URL");
    let mut links = Vec::new();
    let mut each = |link: Option<Link<'p>>| {
        links.push(link.map(|link| {
            let mut told = format!("{} {:?} {:?}", link.filename, link.url, link.size);
            let _ = write!(told, " {:?} {:?}", link.uploaded, link.requires_python);
            let _ = write!(told, " {:?} {:?}", link.yanked, link.sidecar);
            let _ = write!(told, " {:?} {:?}", link.hashes.sha256, link.hashes.others);
            told
        }));
    };
    let meta = reader(Addresses::new(&page, body.len()), body, &mut each)?;
    let version = meta.api_version.text().map(str::to_owned);
    Some((links, version))
}

fn scanned(body: &[u8]) -> Option<Told> {
    told_by(body, links)
}

fn by_the_library(body: &[u8]) -> Option<Told> {
    told_by(body, |addresses, body, each| {
        read(addresses, body, each).ok()
    })
}

#[test]
fn a_usual_page_is_scanned() {
    let digest = "0f".repeat(32);
    let body = format!(
        r#" {{"meta":{{"api-version":"1.1","_last-serial":7}},"name":"foo", "versions" : ["1","2"],
        "files":[{{"filename":"foo-1-py3-none-any.whl","url":"https://files.example/foo-1-py3-none-any.whl",
        "hashes":{{"sha256":"{digest}"}},"requires-python":">=3.8","size":12,"yanked":false,
        "upload-time":"2026-01-02T03:04:05.678901Z","core-metadata":{{"sha256":"{digest}"}},
        "data-dist-info-metadata":{{"sha256":"{digest}"}},"provenance":null}},
        {{"filename":"foo-1.zip","url":"/foo-1.zip","hashes":{{}},"yanked":"it \"broke\"","core-metadata":true}}
        ] }} "#
    );
    let (links, version) = scanned(body.as_bytes()).expect("it is usual");
    assert_eq!((links.len(), version.as_deref()), (2, Some("1.1")));
    assert!(links.iter().all(Option::is_some));
    assert_eq!(Some((links, version)), by_the_library(body.as_bytes()));
}

#[test]
fn what_is_not_usual_is_left_to_the_library() {
    for body in [
        r#"{"files": []} x"#,
        r#"{"files": [], "files": []}"#,
        r#"{"files": [], "meta": {}, "meta": {}}"#,
        r#"{"meta": {}}"#,
        r#"{"files": [{}, ]}"#,
        r#"{"files": [{"size": -1}]}"#,
        r#"{"files": [{"size": 1.5}]}"#,
        r#"{"files": [{"size": 007}]}"#,
        r#"{"files": [{"size": 99999999999999999999}]}"#,
        r#"{"files": [{"size": 1, "size": 1}]}"#,
        r#"{"files": [{"url": "\ud800"}]}"#,
        r#"{"files": [{"url": "\x"}]}"#,
        r#"{"files": [{"hashes": {"sha256": 1}}]}"#,
        r#"{"files": [["foo-1.zip", "foo-1.zip"]]}"#,
        r#"{"files": [nul]}"#,
        "{\"files\": [{\"url\": \"a\tb\"}]}",
        "{\"files\": [{\"url\": \"\\",
    ] {
        assert_eq!(scanned(body.as_bytes()), None, "{body}");
    }
    let deep = |depth: usize| {
        let (open, close) = ("[".repeat(depth), "]".repeat(depth));
        format!(r#"{{"files": [], "more": {open}{close}}}"#)
    };
    assert!(scanned(deep(16).as_bytes()).is_some());
    assert!(scanned(deep(17).as_bytes()).is_none());
    assert!(by_the_library(deep(17).as_bytes()).is_some());
    assert_eq!(scanned(b"{\"files\": [{\"url\": \"\xff\"}]}"), None);
}

fn value() -> impl Strategy<Value = String> {
    let text = prop_oneof![
        "[a-z0-9.-]{0,20}",
        "[ -~]{0,8}",
        Just(r"a\u0041\n\\\/\ud83d\ude00é".to_owned()),
        Just(r"\ud800".to_owned()),
        Just("2026-01-02T03:04:05Z".to_owned()),
        Just("0F".repeat(32)),
    ];
    let text = text.prop_map(|text| format!("\"{text}\""));
    let simple = prop_oneof![
        text.clone(),
        text.clone(),
        text,
        Just("null".to_owned()),
        Just("true".to_owned()),
        Just("false".to_owned()),
        Just("-1".to_owned()),
        Just("1e3".to_owned()),
        (0..2000_u64).prop_map(|number| number.to_string()),
    ];
    simple.prop_recursive(2, 8, 3, |inner| {
        let key = prop::sample::select(vec!["sha256", "SHA256", "md5", "a"]);
        let entry = (key, inner.clone()).prop_map(|(key, value)| format!("\"{key}\": {value}"));
        prop_oneof![
            proptest::collection::vec(inner, 0..3).prop_map(|of| format!("[{}]", of.join(", "))),
            proptest::collection::vec(entry, 0..3).prop_map(|of| format!("{{{}}}", of.join(","))),
        ]
    })
}

fn file() -> impl Strategy<Value = String> {
    let keys = [
        "filename",
        "url",
        "hashes",
        "size",
        "upload-time",
        "requires-python",
        "yanked",
        "core-metadata",
        "dist-info-metadata",
        "more",
        r"\u0075rl",
    ];
    let key = prop::sample::select(keys.to_vec());
    let entry = (key, value()).prop_map(|(key, value)| format!("\"{key}\":{value}"));
    proptest::collection::vec(entry, 0..7)
        .prop_map(|entries| format!(r#"{{"url": "foo", {}}}"#, entries.join(" , ")))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]
    #[test]
    fn what_is_scanned_is_what_the_library_reads(
        files in proptest::collection::vec(file(), 0..4),
        (key, value) in (prop::sample::select(vec!["meta", "name", "files"]), value()),
        cut in any::<prop::sample::Index>(),
        damage in any::<u8>(),
    ) {
        let files = files.join(",").replace(", }", "}");
        let body = format!(r#"{{"{key}": {value}, "files": [{files}]}}"#);
        let mut damaged = body.clone().into_bytes();
        let place = cut.index(damaged.len());
        damaged[place] = damage;
        for body in [body.as_bytes(), &damaged, &body.as_bytes()[..place]] {
            if let Some(scanned) = scanned(body) {
                let body = String::from_utf8_lossy(body);
                prop_assert_eq!(Some(scanned), by_the_library(body.as_bytes()), "{}", body);
            }
        }
    }

    #[test]
    fn texts_end_where_they_end(text in "[a-zé \"\\\\\n]{0,70}") {
        let expected = text.bytes().position(|byte| matches!(byte, b'"' | b'\\' | b'\n'));
        prop_assert_eq!(usual(text.as_bytes()), expected.unwrap_or(text.len()));
    }
}
