use std::fmt::Write as _;
use std::str::FromStr;

use proptest::prelude::*;

use super::*;

const HTML: &str = "text/html; charset=utf-8";
const JSON: &str = "application/vnd.pypi.simple.v1+json";
const SHA256: &str = "5f0b1bd4a8d4b1a7f3f2b7f3e6a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3";

fn package(name: &str) -> PackageName {
    PackageName::from_str(name).expect("a distribution name")
}

fn page_url() -> Url {
    Url::parse("https://user:secret@index.example/simple/foo/").expect("a URL")
}

fn parse(content_type: &str, body: &str) -> Result<Page, PageError> {
    Page::parse(
        &package("foo"),
        "https://user:secret@index.example/simple/",
        &page_url(),
        content_type,
        body.as_bytes(),
    )
}

fn joined(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<String>>().concat()
}

/// A page as lines: one per file with what is known of it, then what was skipped.
fn told(page: Result<Page, PageError>) -> String {
    let page = match page {
        Ok(page) => page,
        Err(error) => return error.to_string(),
    };
    let mut told = String::new();
    for file in &page.files.all().expect("they can be read") {
        let _ = write!(told, "{} {} {}", file.filename, file.version, file.url);
        for (algorithm, digest) in file.hashes.pairs() {
            let _ = write!(told, " {algorithm}={}", &digest[..4]);
        }
        if let Some(size) = file.size {
            let _ = write!(told, " size={size}");
        }
        if let Some(time) = file.upload_time {
            let _ = write!(told, " time={time}");
        }
        if let Some(python) = &file.requires_python {
            let _ = write!(told, " python={python}");
        }
        if let Some(yanked) = &file.yanked {
            let _ = write!(told, " yanked={:?}", yanked.reason);
        }
        if let Some(sidecar) = &file.sidecar {
            let _ = write!(
                told,
                " sidecar={}",
                sidecar.sha256.as_deref().map_or("?", |digest| &digest[..4])
            );
        }
        told.push('\n');
    }
    let _ = write!(told, "skipped {}", page.skipped);
    told
}

#[test]
fn html_links_carry_all_that_the_index_says() {
    let body = format!(
        r#"<!DOCTYPE html>
<html><head><title>Links for <a href="no-1.0.tar.gz"></title>
<script>"<a href='foo-0.1.tar.gz'>"</script></head><body>
<!-- <a href="foo-0.2.tar.gz">foo</a> -->
<a href="../../packages/foo-1.0-py3-none-any.whl#sha256={upper}"
   data-requires-python="&gt;=3.8,&lt;4" data-yanked data-core-metadata="sha256={SHA256}"
   data-dist-info-metadata="false" data-upload-time="2024-01-02T03:04:05.678Z" data-size="123">text</a><br/>
<a DATA-YANKED="broken &amp; bad" HREF="https://files.example/foo-1.1%2Bcu121.tar.gz?x=1#md5=00">x</a>
<a href=foo-1.2.tar.gz data-dist-info-metadata=true>
<a href="foo-1.3.tar.gz" data-dist-info-metadata="false" data-requires-python=""></a>
<a name="here">no link</a><a href="">self</a><a href="foo-9.tar.gz/">folder</a>
<a href="bar-1.0.tar.gz"></a><a href="foo-1.0.exe"></a><a href="foo-2004d.tar.gz"></a>
<a href="foo-1.0%2F..%2F..%2F.tar.gz"></a><a href="https://[/foo-1.0.tar.gz"></a>
<a href="file:///foo-1.0.tar.gz"></a><a href="javascript:foo-1.0.tar.gz"></a>
"#,
        upper = SHA256.to_uppercase(),
    );
    assert_eq!(
        told(parse(HTML, &body)),
        "\
foo-1.0-py3-none-any.whl 1.0 https://index.example/packages/foo-1.0-py3-none-any.whl sha256=5f0b size=123 time=2024-01-02T03:04:05.678Z python=>=3.8,<4 yanked=None sidecar=5f0b
foo-1.1+cu121.tar.gz 1.1+cu121 https://files.example/foo-1.1%2Bcu121.tar.gz?x=1 yanked=Some(\"broken & bad\")
foo-1.2.tar.gz 1.2 https://index.example/simple/foo/foo-1.2.tar.gz sidecar=?
foo-1.3.tar.gz 1.3 https://index.example/simple/foo/foo-1.3.tar.gz
skipped 9"
    );
}

#[test]
fn the_first_base_element_counts() {
    let body = r#"<base href="/whl/cu121/"><base href="/other/"><a href="foo-1.0.tar.gz">"#;
    assert_eq!(
        told(parse(HTML, body)),
        "foo-1.0.tar.gz 1.0 https://index.example/whl/cu121/foo-1.0.tar.gz\nskipped 0"
    );
}

#[test]
fn json_files_carry_all_that_the_index_says() {
    let body = format!(
        r#"{{"meta": {{"api-version": "1.4", "_last-serial": 7}}, "name": "foo", "versions": ["1.0"],
"project-status": {{"status": "archived"}}, "files": [
{{"filename": "foo-1.0-py3-none-any.whl", "url": "../../packages/foo-1.0-py3-none-any.whl",
  "hashes": {{"sha256": "{SHA256}", "sha512": 3, "strange": "00"}}, "requires-python": ">=3.8",
  "size": 123, "upload-time": "2024-01-02T03:04:05.678901Z", "yanked": false,
  "core-metadata": {{"sha256": "{SHA256}"}}, "dist-info-metadata": true, "provenance": null}},
{{"filename": "foo-1.1+cu121.tar.gz", "url": "https://a:b@files.example/foo-1.1%2Bcu121.tar.gz#x",
  "hashes": {{}}, "requires-python": null, "yanked": "bad \"build\"", "core-metadata": false,
  "dist-info-metadata": true, "upload-time": "2024-01-02T03:04:05"}},
{{"filename": "foo-1.2.tar.gz", "url": "foo-1.2.tar.gz", "hashes": [], "yanked": true,
  "dist-info-metadata": true, "size": -1, "upload-time": 5, "requires-python": ["x"]}},
{{"filename": "foo-1.3.tar.gz", "url": "foo-1.3.tar.gz", "yanked": ""}},
{{"filename": "foo-1.4.tar.gz"}}, {{"url": "foo-1.5.tar.gz"}},
{{"filename": "foo-1.0.rpm", "url": "foo-1.0.rpm"}}]}}"#
    );
    assert_eq!(
        told(parse(JSON, &body)),
        "\
foo-1.0-py3-none-any.whl 1.0 https://index.example/packages/foo-1.0-py3-none-any.whl sha256=5f0b size=123 time=2024-01-02T03:04:05.678901Z python=>=3.8 sidecar=5f0b
foo-1.1+cu121.tar.gz 1.1+cu121 https://files.example/foo-1.1%2Bcu121.tar.gz time=2024-01-02T03:04:05Z yanked=Some(\"bad \\\"build\\\"\")
foo-1.2.tar.gz 1.2 https://index.example/simple/foo/foo-1.2.tar.gz yanked=None sidecar=?
foo-1.3.tar.gz 1.3 https://index.example/simple/foo/foo-1.3.tar.gz
skipped 3"
    );
}

#[test]
fn what_a_page_says_stays_on_its_line() {
    let body = r#"{"files": [
        {"filename": "foo-1.0.tar.gz", "url": "foo-1.0.tar.gz", "requires-python": ">=3\n,<4",
         "yanked": "gone\n::error::\u001b[31m "},
        {"filename": "foo-1.0-py3-none-any\n.whl", "url": "foo-1.0-py3-none-any.whl"},
        {"filename": "foo-1.0-py3-none-any\u001b.whl", "url": "foo-1.0-py3-none-any.whl"}]}"#;
    assert_eq!(
        told(parse(JSON, body)),
        "foo-1.0.tar.gz 1.0 https://index.example/simple/foo/foo-1.0.tar.gz python=>=3 ,<4 \
         yanked=Some(\"gone ::error::\\u{1b}[31m\")\nskipped 2"
    );
    let body = r#"{"meta": {"api-version": "9\n::error::"}, "files": []}"#;
    assert!(told(parse(JSON, body)).contains(r"`9\u000a::error::`"));
}

#[test]
fn the_order_of_a_page_says_nothing() {
    let names = [
        "foo-1.0.tar.gz",
        "foo-1.0.0-py3-none-any.whl",
        "Foo-1.0-py3-none-any.whl",
        "foo-1.0-py3-none-any.whl",
        "foo-0.9.zip",
        "foo-1.0.zip",
    ];
    let page = |names: &mut dyn Iterator<Item = &&str>| {
        let links = names.map(|name| format!("<a href='{name}'>"));
        parse(HTML, &joined(links)).expect("it can be read")
    };
    let read = page(&mut names.iter());
    assert_eq!(read, page(&mut names.iter().rev()));
    assert_eq!(read, page(&mut names[3..].iter().chain(&names[..3])));
    let versions: Vec<&str> = read
        .files
        .releases()
        .map(|release| release.version)
        .collect();
    assert_eq!(versions, ["0.9", "1.0"]);
}

#[test]
fn tags_with_too_many_attributes_are_refused() {
    let link = r#"<a href="foo-1.0.tar.gz">"#;
    let with = |attributes: String| format!("{link}<a{attributes} href='foo-2.0.tar.gz'>");
    let named = |count: usize| joined((0..count).map(|at| format!(" a{at}")));
    let quoted = |count: usize| joined((0..count).map(|at| format!("a{at}=''")));
    for body in [
        with(named(14_000)),
        with(format!(" {}", quoted(9_000))),
        with(format!(" a='>'{}", named(14_000).replace(' ', "/"))),
        // What is wrong in a tag is no sign that it ended.
        with(named(10).repeat(2000)),
        with(named(3000)).repeat(50),
    ] {
        let message = parse(HTML, &body)
            .expect_err("a tag is too long")
            .to_string();
        assert!(
            message.ends_with("it has a tag with more attributes than any page has"),
            "{message}"
        );
    }
    // One image in the page, and one long text.
    let image = format!(
        "<img src='data:image/png;base64,{}'>",
        "iVBORw0K".repeat(60_000)
    );
    let text = "a < b and ".repeat(30_000);
    for body in [
        format!("{image}{link}"),
        format!("{link}{text}"),
        with(named(1000)),
    ] {
        let page = parse(HTML, &body).expect("it can be read");
        assert!(!page.files.is_empty());
    }
}

#[test]
fn a_page_lists_a_bounded_number_of_files() {
    let html = "<a href=x>".repeat(500_001);
    let json = format!(r#"{{"files": [{}{{}}]}}"#, "{},".repeat(500_000));
    for (content_type, body) in [(HTML, html), (JSON, json)] {
        let message = parse(content_type, &body)
            .expect_err("too many")
            .to_string();
        assert!(
            message.contains("it lists more than 500000 files"),
            "{message}"
        );
    }
}

#[test]
fn a_long_base_element_does_not_multiply() {
    let links = joined((0..300).map(|at| format!("<a href='foo-{at}.tar.gz'>")));
    let body = |length: usize| {
        format!(
            "<base href='https://a.example/{}/'>{links}",
            "x".repeat(length)
        )
    };
    let page = parse(HTML, &body(2000)).expect("it can be read");
    assert_eq!((page.files.len(), page.skipped), (300, 0));
    let page = parse(HTML, &body(8000)).expect("it can be read");
    assert!(
        page.files.len() < 200 && page.skipped > 100,
        "{}",
        page.files.len()
    );
    // One that no address can begin with is none.
    let page = parse(HTML, &body(80_000)).expect("it can be read");
    let files = page.files.all().expect("they can be read");
    assert_eq!(
        files[0].url,
        "https://index.example/simple/foo/foo-0.tar.gz"
    );
}

#[test]
fn pages_that_cannot_be_read_say_why() {
    for (content_type, body, message) in [
        (
            "image/png",
            "",
            "the page of `foo` has content type `image/png`",
        ),
        (
            JSON,
            r#"{"meta": {"api-version": "2.0"}, "files": []}"#,
            "the page of `foo` is not a JSON index page (PEP 691): it has API version `2.0`, and only \
             version 1 can be read",
        ),
        (
            JSON,
            r#"{"meta": {"api-version": "1.0"}, "files": ["#,
            "the page of `foo` is not a JSON index page (PEP 691): EOF while parsing a list at line 1 \
             column 43",
        ),
        (
            "",
            r#" {"message": "no such thing"}"#,
            "the page of `foo` is not a JSON index page (PEP 691): missing field `files` at line 1 \
             column 29",
        ),
        (
            HTML,
            " \n",
            "the page of `foo` is not an HTML index page (PEP 503): it is empty",
        ),
        (
            HTML,
            "upstream timed out",
            "the page of `foo` is not an HTML index page (PEP 503): it has neither links nor any other \
             HTML element",
        ),
        (
            HTML,
            "<html><a href=\"foo-1.0.tar.gz\">foo</a><a href=\"foo-1.1.ta",
            "the page of `foo` is not an HTML index page (PEP 503): it ends inside a tag, a comment or a \
             script; is it cut off?",
        ),
        (
            HTML,
            "<meta name=\"pypi:repository-version\" content=\"2.0\"><a href=\"foo-1.0.tar.gz\">",
            "the page of `foo` is not an HTML index page (PEP 503): it has API version `2.0`, and only \
             version 1 can be read",
        ),
    ] {
        assert_eq!(told(parse(content_type, body)), message);
    }
}

#[test]
fn a_page_without_files_is_a_page() {
    let body = "<!DOCTYPE html><html><body><h1>Links for foo</h1></body></html>";
    assert_eq!(told(parse(HTML, body)), "skipped 0");
}

#[test]
fn credentials_are_not_kept() {
    let page = parse(HTML, "<a href=foo-1.0.tar.gz>").expect("a page");
    assert_eq!(page.index, "https://index.example/simple/");
    let written = format!("{page:?}");
    assert!(!written.contains("secret"), "{written}");
}

#[test]
fn a_flat_page_gives_the_files_of_one_distribution() {
    let body = r#"<a href="cpu/foo-1.0.tar.gz">foo</a><a href="bar-1.0.tar.gz">bar</a>
        <a href="cu121/foo-1.0.tar.gz">foo</a>"#;
    let url = Url::parse("https://download.pytorch.org/whl/torch_stable.html").expect("a URL");
    let page = Page::parse_find_links(&package("foo"), url.as_str(), &url, HTML, body.as_bytes());
    assert_eq!(
        told(page),
        "\
foo-1.0.tar.gz 1.0 https://download.pytorch.org/whl/cpu/foo-1.0.tar.gz
foo-1.0.tar.gz 1.0 https://download.pytorch.org/whl/cu121/foo-1.0.tar.gz
skipped 0"
    );
}

proptest! {
    #[test]
    fn no_bytes_make_the_parsers_panic(body in proptest::collection::vec(any::<u8>(), 0..200)) {
        for content_type in [HTML, JSON, ""] {
            let _ = Page::parse(&package("foo"), "", &page_url(), content_type, &body);
        }
    }

    #[test]
    fn no_links_make_the_html_parser_panic(
        hrefs in proptest::collection::vec(r#"[-a-z0-9.%/:#=&;\[\]@?+_"> é]{0,30}"#, 0..8),
        cut in 0..400_usize,
    ) {
        let mut body = String::new();
        for href in &hrefs {
            let _ = write!(body, "<a href=\"foo-{href}.tar.gz\" data-requires-python='{href}'>");
        }
        let end = body.floor_char_boundary(cut);
        let _ = parse(HTML, &body[..end]);
    }
}
