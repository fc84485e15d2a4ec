//! File names of every kind, and those that are none.

use proptest::prelude::*;

use super::*;

fn package(name: &str) -> PackageName {
    PackageName::from_str(name).expect("a distribution name")
}

/// One line per part, as the file name gives it.
fn wheel(filename: &str) -> String {
    match WheelName::parse(filename) {
        Ok(wheel) => {
            let build = wheel.build.map_or_else(String::new, |(number, rest)| {
                format!(" build={number}:{rest}")
            });
            let variant = wheel
                .variant
                .map_or_else(String::new, |label| format!(" variant={label}"));
            format!(
                "{} {} {} {} {}{build}{variant}",
                wheel.name,
                wheel.version,
                wheel.python.join("|"),
                wheel.abi.join("|"),
                wheel.platform.join("|"),
            )
        }
        Err(error) => error.to_string(),
    }
}

fn sdist(filename: &str, name: &str) -> String {
    match SdistName::parse(filename, &package(name)) {
        Ok(sdist) => format!("{} {} {}", sdist.name, sdist.version, sdist.extension),
        Err(error) => error.to_string(),
    }
}

#[test]
fn wheel_names_are_taken_apart() {
    for (filename, parts) in [
        (
            "numpy-1.26.4-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
            "numpy 1.26.4 cp311 cp311 manylinux_2_17_x86_64|manylinux2014_x86_64",
        ),
        (
            "six-1.16.0-py2.py3-none-any.whl",
            "six 1.16.0 py2|py3 none any",
        ),
        (
            "torch-2.3.1+cu121-cp311-cp311-linux_x86_64.whl",
            "torch 2.3.1+cu121 cp311 cp311 linux_x86_64",
        ),
        (
            "Foo.Bar_baz-1.0RC1-1abc-PY3-None-Any.whl",
            "foo-bar-baz 1.0rc1 py3 none any build=1:abc",
        ),
        (
            "foo-1.0+Ubuntu_1-py3-none-any.whl",
            "foo 1.0+ubuntu.1 py3 none any",
        ),
        (
            "foo-1!2.0.post1.dev3-py3-none-any.whl",
            "foo 1!2.0.post1.dev3 py3 none any",
        ),
        (
            "torch-2.8.0-cp313-cp313-manylinux_2_28_x86_64-cu129.whl",
            "torch 2.8.0 cp313 cp313 manylinux_2_28_x86_64 variant=cu129",
        ),
        (
            "torch-2.9.0-2-cp313-cp313-win_amd64-cuda12.6.whl",
            "torch 2.9.0 cp313 cp313 win_amd64 build=2: variant=cuda12.6",
        ),
    ] {
        assert_eq!(wheel(filename), parts);
    }
}

#[test]
fn the_file_that_tells_of_variants_is_known_by_its_name() {
    let parsed = |filename: &str| FileKind::parse(filename, &package("foo-bar"));
    let found = parsed("foo_bar-1.0rc1-variants.json").expect("a name");
    assert!(matches!(&found, FileKind::Variants(name) if name.version == *found.version()));
    assert_eq!(found.version().to_string(), "1.0rc1");
    for (filename, message) in [
        ("foo_bar-variants.json", "has no version"),
        ("foo_bar-x-variants.json", "`x` is not a PEP 440 version"),
        (
            "foo-1.0-variants.json",
            "is a file of `foo`, not of `foo-bar`",
        ),
    ] {
        let error = parsed(filename).expect_err("no such name").to_string();
        assert_eq!(error, format!("`{filename}`: {message}"));
    }
}

#[test]
fn wheel_names_that_cannot_be_read_say_why() {
    for (filename, message) in [
        (
            "foo-1.0.exe",
            "`foo-1.0.exe` is neither a wheel nor a source distribution",
        ),
        ("foo.whl", "`foo.whl`: has no version"),
        (
            "foo-1.0-py3.whl",
            "`foo-1.0-py3.whl`: has 1 parts after the version, where a wheel has its Python, \
             ABI and platform tags, and perhaps a build number or a variant",
        ),
        (
            "foo-2004d-py3-none-any.whl",
            "`foo-2004d-py3-none-any.whl`: `2004d` is not a PEP 440 version",
        ),
        (
            "-1.0-py3-none-any.whl",
            "`-1.0-py3-none-any.whl`: has no name",
        ),
        (
            "f oo-1.0-py3-none-any.whl",
            "`f oo-1.0-py3-none-any.whl`: `f oo` is not a distribution name",
        ),
        (
            "foo-1.0-1-2py-none-any-cu12.whl",
            "`foo-1.0-1-2py-none-any-cu12.whl`: has 5 parts after the version, where a wheel \
             has its Python, ABI and platform tags, and perhaps a build number or a variant",
        ),
        (
            "foo-1.0-py3-none-any-CU12.whl",
            "`foo-1.0-py3-none-any-CU12.whl`: `CU12` is not a variant label",
        ),
        (
            "foo-1.0-py2..py3-none-any.whl",
            "`foo-1.0-py2..py3-none-any.whl`: `py2..py3` has an empty tag",
        ),
        (
            "foo-1.0-99999999999999999999-py3-none-any.whl",
            "`foo-1.0-99999999999999999999-py3-none-any.whl`: `99999999999999999999` is not a \
             build number",
        ),
    ] {
        assert_eq!(wheel(filename), message);
    }
}

#[test]
fn source_distribution_names_are_taken_apart() {
    for (filename, name, parts) in [
        ("numpy-1.26.4.tar.gz", "numpy", "numpy 1.26.4 tar.gz"),
        ("numpy-1.0b1.zip", "numpy", "numpy 1.0b1 zip"),
        (
            "Foo.Bar__Baz-1.0-beta1.tgz",
            "foo-bar-baz",
            "foo-bar-baz 1.0b1 tgz",
        ),
        (
            "foo-bar-1.0-1.tar.bz2",
            "foo-bar",
            "foo-bar 1.0.post1 tar.bz2",
        ),
        ("foo-2-1.0.tar.xz", "foo-2", "foo-2 1.0 tar.xz"),
        ("foo-1.0.tar", "foo", "foo 1.0 tar"),
    ] {
        assert_eq!(sdist(filename, name), parts);
    }
}

#[test]
fn source_distribution_names_that_cannot_be_read_say_why() {
    for (filename, name, message) in [
        (
            "foo-bar-1.0.tar.gz",
            "foo",
            "`foo-bar-1.0.tar.gz`: `bar-1.0` is not a PEP 440 version",
        ),
        (
            "bar-1.0.tar.gz",
            "foo",
            "`bar-1.0.tar.gz`: is not a file of `foo`",
        ),
        (
            "foo-1.0.linux-x86_64.tar.gz",
            "foo",
            "`foo-1.0.linux-x86_64.tar.gz`: `1.0.linux-x86_64` is not a PEP 440 version",
        ),
        (
            "foo-1.0-py2.7.egg",
            "foo",
            "`foo-1.0-py2.7.egg` is neither a wheel nor a source distribution",
        ),
    ] {
        assert_eq!(sdist(filename, name), message);
    }
}

#[test]
fn a_wheel_of_another_distribution_is_refused() {
    let error = FileKind::parse("foo_bar-1.0-py3-none-any.whl", &package("foo"))
        .expect_err("a wheel of `foo-bar`");
    assert_eq!(
        error.to_string(),
        "`foo_bar-1.0-py3-none-any.whl`: is a file of `foo-bar`, not of `foo`"
    );
}

proptest! {
    #[test]
    fn the_names_of_a_page_are_read_as_each_by_itself(
        names in prop::collection::vec(
            "(foo|foo-bar|Foo_Bar|)-(1|1\\.0|2rc1|x|)(-1)?(-py3|-cp311)?(-none)?(-any|-win32)?(-l|-variants)?\\.(whl|zip|json)",
            0..12,
        ),
    ) {
        let of = package("foo-bar");
        let mut page = FileNames::new(&of);
        for name in names {
            let parts = page.parts(&name);
            let read = parts.and_then(|NameParts { version, shape }| {
                let (version, shape) = (name[version].parse::<Version>().ok()?, &name[shape..]);
                FileKind::of_shape(shape, &of, &version).filter(|_| is_readable_shape(shape))
            });
            prop_assert_eq!(read, FileKind::parse(&name, &of).ok(), "{}", name);
        }
    }
}

proptest! {
    #[test]
    fn no_file_name_makes_the_parser_panic(
        filename in r"(\PC|[-_.a-z0-9+!]){0,40}(\.whl|\.tar\.gz|\.zip)?",
    ) {
        let _ = FileKind::parse(&filename, &package("foo-bar"));
        let _ = SdistName::parse(&format!("foo-bar-{filename}"), &package("foo-bar"));
    }
}
