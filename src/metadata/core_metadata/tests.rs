use std::fmt::Write as _;

use proptest::prelude::*;

use super::*;

fn package(name: &str) -> PackageName {
    PackageName::from_str(name).expect("a distribution name")
}

fn version(version: &str) -> Version {
    Version::from_str(version).expect("a version")
}

/// Metadata as lines: what it is of, then one line per dependency and repair.
pub(in crate::metadata) fn told(metadata: Result<Metadata, MetadataError>) -> String {
    let metadata = match metadata {
        Ok(metadata) => metadata,
        Err(error) => return error.to_string(),
    };
    let mut told = format!("{} {}", metadata.name, metadata.version);
    if let Some(python) = &metadata.requires_python {
        let _ = write!(told, " python {python}");
    }
    for extra in &metadata.provides_extras {
        let _ = write!(told, " [{extra}]");
    }
    for dependency in &metadata.requires_dist {
        let _ = write!(told, "\n{}", dependency.name);
        for extra in &dependency.extras {
            let _ = write!(told, "[{extra}]");
        }
        match &dependency.source {
            DependencySource::Specifiers(specifiers) => {
                let _ = write!(told, " {specifiers}");
            }
            DependencySource::Url(url) => {
                let _ = write!(told, " @ {url}");
            }
        }
        if let Some(marker) = dependency.marker.try_to_string() {
            let _ = write!(told, " ; {marker}");
        }
    }
    for repair in &metadata.repairs {
        let _ = write!(
            told,
            "\nrepaired {}: {} -> {}",
            repair.what, repair.before, repair.after
        );
    }
    told
}

fn parse(text: &str) -> String {
    told(Metadata::parse(text.as_bytes(), None))
}

/// The one dependency of otherwise empty metadata.
fn dependency(text: &str) -> String {
    let told = parse(&format!("Name: a\nVersion: 1\nRequires-Dist: {text}\n"));
    told.strip_prefix("a 1")
        .map_or(told.clone(), |rest| rest.trim_start().to_owned())
}

#[test]
fn the_fields_that_matter_are_read() {
    let text = "\u{feff}Metadata-Version: 2.1\r
NAME: Foo.Bar\r
Version: 1.0.0RC1\r
Summary: a: b\r
\tand more\r
Requires-Python: >=3.8,<4\r
Provides-Extra: Some_Extra\r
Provides-Extra: not a name\r
Requires: legacy (>=1)\r
Requires-Dist: numpy (>=1.21.2,\r
    <2) ; extra == 'some.extra'\r
requires-dist: scipy\r
Version: 2\r
\r
Requires-Dist: not-this\r
";
    assert_eq!(
        parse(text),
        "foo-bar 1.0.0rc1 python >=3.8, <4 [some-extra]\n\
         numpy >=1.21.2, <2 ; extra == 'some-extra'\n\
         scipy "
    );
}

#[test]
fn bytes_that_are_not_utf8_do_no_harm() {
    let metadata = Metadata::parse(
        b"Name: a\nAuthor: Ren\xe9\nVersion: 1\nRequires-Dist: b",
        None,
    );
    assert_eq!(told(metadata), "a 1\nb ");
}

#[test]
fn the_first_line_that_is_no_field_ends_the_fields() {
    assert_eq!(
        parse("Name: a\nVersion: 1\nno field\nRequires-Dist: b\n"),
        "a 1"
    );
    assert_eq!(parse(" folded\nName: a\nVersion: 1\n"), "a 1");
}

#[test]
fn dependencies_are_read_as_pep_508_has_them() {
    for (text, told) in [
        ("numpy", "numpy"),
        ("NumPy>=1.21 , <2", "numpy >=1.21, <2"),
        ("numpy()", "numpy"),
        (
            "torch [opt, Extra_One] == 2.3.1+cu121",
            "torch[extra-one][opt] ==2.3.1+cu121",
        ),
        (
            "a[]~=1.4.5a4;os_name=='nt'",
            "a ~=1.4.5a4 ; os_name == 'nt'",
        ),
        (
            "a @ https://files.example/a;b.zip#egg=a ; python_version<'3.9'",
            "a @ https://files.example/a;b.zip#egg=a ; python_full_version < '3.9'",
        ),
        (
            "a; (os_name=='nt')and(sys.platform==\"win32\")and extra=='X_y'",
            "a  ; os_name == 'nt' and sys_platform == 'win32' and extra == 'x-y'",
        ),
        ("a; extra == 'not a name'", "a  ; extra == 'not a name'"),
    ] {
        let dependency = dependency(text);
        let dependency = dependency
            .split_once('\n')
            .map_or(dependency.as_str(), |(_, rest)| rest);
        assert_eq!(dependency.trim_end(), told, "{text}");
    }
}

#[test]
fn extras_that_only_a_marker_names_are_provided() {
    assert_eq!(
        parse("Name: a\nVersion: 1\nRequires-Dist: b; 'Dev_Tools' == extra and os_name == 'nt'"),
        "a 1 [dev-tools]\nb  ; os_name == 'nt' and extra == 'dev-tools'"
    );
}

#[test]
fn repairs_are_told_with_the_whole_value() {
    for (text, repaired) in [
        ("b (>=1.0,)", "a comma at the end: b (>=1.0,) -> b (>=1.0)"),
        (
            "b>=1.0.; os_name=='nt'",
            "a dot at the end of a version: b>=1.0.; os_name=='nt' -> b>=1.0; os_name=='nt'",
        ),
        (
            "b (<=1.0.*)",
            "`.*` after an ordered operator: b (<=1.0.*) -> b (<=1.0)",
        ),
        (
            "b; python_version >= \"3.6.*\"",
            "`.*` after an ordered operator: python_version >= \"3.6.*\" -> python_version >= \"3.6\"",
        ),
        (
            "b; python_version == '3.'",
            "a dot at the end of a version: python_version == '3.' -> python_version == '3'",
        ),
    ] {
        let dependency = dependency(text);
        let (_, told) = dependency.split_once("repaired ").expect("a repair");
        assert_eq!(told, repaired);
    }
    assert_eq!(
        dependency("b (>=1.0.*,)"),
        "b >=1.0\n\
         repaired a comma at the end: b (>=1.0.*,) -> b (>=1.0.*)\n\
         repaired `.*` after an ordered operator: b (>=1.0.*) -> b (>=1.0)"
    );
    assert_eq!(
        parse("Name: a\nVersion: 1\nRequires-Python: >=3.6.*"),
        "a 1 python >=3.6\nrepaired `.*` after an ordered operator: >=3.6.* -> >=3.6"
    );
}

#[test]
fn metadata_that_cannot_be_used_says_why() {
    for (text, message) in [
        ("", "its metadata has no `Name`"),
        ("Name: a", "its metadata has no `Version`"),
        (
            "Name: a b\nVersion: 1",
            "its metadata has an unreadable `Name`: `a b`: it is not the name of a distribution",
        ),
        (
            "Metadata-Version: 3.0\nName: a\nVersion: 1",
            "its metadata has an unreadable `Metadata-Version`: `3.0`: only versions 1 and 2 can be read",
        ),
        (
            "Name: a\nVersion: 1\nRequires-Python: 3.6",
            "its metadata has an unreadable `Requires-Python`: `3.6`: `3.6` is not a version specifier: \
             Unexpected end of version specifier, expected operator",
        ),
    ] {
        assert_eq!(parse(text), message);
    }
    for (text, detail) in [
        ("", "expected the name of a distribution at the start"),
        ("b- >1", "`b-` is not the name of a distribution"),
        ("b[x", "expected `]` after the extras"),
        ("b[x-]", "`x-` is not the name of an extra"),
        ("b (>1", "expected `)` after the version specifiers"),
        ("b (>1) x", "expected the end or `;` at `x`"),
        (
            "b @ ../b",
            "`../b` is not a URL: relative URL without a base",
        ),
        ("b >1,,<2", "a specifier between the commas is missing"),
        (
            "b; python_version > 'three'",
            "the marker `python_version > 'three'` cannot be evaluated: it compares a version with what \
             is none",
        ),
    ] {
        let told = dependency(text);
        assert_eq!(
            told,
            format!("its metadata has an unreadable `Requires-Dist`: `{text}`: {detail}")
        );
    }
}

#[test]
fn name_and_version_must_be_those_of_the_file_name() {
    let text = "Name: Foo_Bar\nVersion: 1.0+Ubuntu-1\n";
    for (name, release, message) in [
        ("foo-bar", "1.0.0+ubuntu.1", "foo-bar 1.0+ubuntu.1"),
        (
            "foo",
            "1.0+ubuntu.1",
            "its metadata is for `foo-bar 1.0+ubuntu.1`, its file name for `foo 1.0+ubuntu.1`",
        ),
        (
            "foo-bar",
            "1.0",
            "its metadata is for `foo-bar 1.0+ubuntu.1`, its file name for `foo-bar 1.0`",
        ),
    ] {
        let expected = (&package(name), &version(release));
        assert_eq!(
            told(Metadata::parse(text.as_bytes(), Some(expected))),
            message
        );
    }
}

#[test]
fn pkg_info_counts_where_it_is_static() {
    for (head, is_static) in [
        ("Metadata-Version: 2.2", true),
        ("Metadata-Version: 2.10\nDynamic: License", true),
        ("Metadata-Version: 2.1", false),
        ("Metadata-Version: x", false),
        ("Keywords: none", false),
        (
            "Metadata-Version: 2.2\nDynamic: Summary\nDynamic: REQUIRES-DIST",
            false,
        ),
        ("Metadata-Version: 2.4\nDynamic: Requires-Python", false),
        ("Metadata-Version: 2.4\nDynamic: Provides-Extra", false),
    ] {
        let text = format!("{head}\nName: a\nVersion: 1\n");
        let found = Metadata::parse_static_pkg_info(text.as_bytes(), None).expect("metadata");
        assert_eq!(found.is_some(), is_static, "{head}");
    }
}

proptest! {
    #[test]
    fn no_bytes_make_the_parser_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = Metadata::parse(&bytes, None);
        let _ = Metadata::parse(&[b"Name: a\nVersion: 1\nRequires-Dist: ", bytes.as_slice()].concat(), None);
    }

    #[test]
    fn no_dependency_makes_the_parser_panic(
        words in proptest::collection::vec(
            prop_oneof![
                Just("numpy"), Just("["), Just("]"), Just("x-"), Just("("), Just(")"), Just(">="),
                Just("=="), Just("1.0"), Just(".*"), Just(","), Just("."), Just(";"), Just("@"),
                Just("https://files.example/a"), Just("extra"), Just("'x'"), Just("\"3.8\""),
                Just("python_version"), Just("os_name"), Just("in"), Just("not"), Just("and"),
                Just("or"), Just("'"), Just("é"), Just("~="), Just("==="), Just("'3.*'"), Just("+l"),
            ],
            0..14,
        ),
        separator in prop_oneof![Just(""), Just(" ")],
    ) {
        let text = format!("Name: a\nVersion: 1\nRequires-Dist: numpy {}", words.join(separator));
        let _ = Metadata::parse(text.as_bytes(), None);
        let text = format!("Name: a\nVersion: 1\nRequires-Dist: b; {}", words.join(separator));
        let _ = Metadata::parse(text.as_bytes(), None);
    }
}

#[test]
fn the_conditions_of_all_requirements_are_bounded_together() {
    let line = |at: usize| {
        let extras: Vec<String> = (0..400).map(|extra| format!("extra=='e{extra}'")).collect();
        format!("Requires-Dist: b{at}; {}\n", extras.join(" or "))
    };
    let text = |lines: usize| {
        let lines: String = (0..lines).map(line).collect();
        format!("Metadata-Version: 2.1\nName: a\nVersion: 1\n{lines}")
    };
    let read = Metadata::parse(text(4).as_bytes(), None).expect("it is small");
    assert_eq!(read.requires_dist.len(), 4);
    let error = Metadata::parse(text(100).as_bytes(), None).expect_err("it is too much");
    let message = error.to_string();
    assert!(
        message.ends_with("…`: with it, the metadata has too many conditions"),
        "{message}"
    );
    assert!(message.len() < 1200, "{}", message.len());
}

#[test]
fn a_url_with_control_characters_is_refused() {
    for text in [
        "b @ https://files.example/\u{1b}[31mb.whl",
        "b @ https://files.example/\u{7f}",
    ] {
        let error = Dependency::parse(text).expect_err("it would be written into locks");
        assert_eq!(error, "a URL has no control characters");
    }
    let metadata = format!("Name: a\nVersion: 1\nRequires-Dist: b {}\n", "\u{1b}[31m");
    let error = Metadata::parse(metadata.as_bytes(), None).expect_err("no specifier");
    assert!(error.to_string().contains("`b \\u001b[31m`"), "{error}");
}
