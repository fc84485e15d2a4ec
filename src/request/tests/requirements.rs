//! Requirements files: lines, options, includes. What pip 23.2 makes of each was tried
//! with pip itself.

use super::super::FormatOption::{NoBinary, OnlyBinary};
use super::super::{FormatControl, FormatOption, Selection};
use super::{Memory, Role, check, check_files, compare, show, wanted};
use crate::request::{Input, read_inputs};

const HASH: &str = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

#[test]
fn lines_have_places() {
    check(
        "# stack\n\ntorch>=2.1,<2.2\n  numpy [a , B]  ; python_version < '3.13'  # why\n",
        "require a.in:3:1 `torch>=2.1,<2.2`: torch >=2.1, <2.2
         require a.in:4:3 `numpy [a , B]  ; python_version < '3.13'`: numpy[a,b] ; python_full_version < '3.13'",
    );
}

#[test]
fn continuations_keep_the_first_line() {
    check(
        "foo>=1, \\\n   <2 # c\nbar",
        "require a.in:1:1 `foo>=1,    <2`: foo >=1, <2
         require a.in:3:1 `bar`: bar",
    );
    // The requirement's first character may stand on the second line.
    check("\\\n  foo", "require a.in:2:3 `foo`: foo");
    check("foo\\", "require a.in:1:1 `foo`: foo");
    check("\\foo\\\nbar", "require a.in:1:2 `foobar`: foobar");
}

#[test]
fn comments_end_continuations() {
    check(
        "foo \\\n# comment \\\nbar",
        "require a.in:1:1 `foo`: foo
         require a.in:3:1 `bar`: bar",
    );
    // A comment takes the lines that continue it with it.
    check(
        "foo # c \\\nbar\nbaz",
        "require a.in:1:1 `foo`: foo
         require a.in:3:1 `baz`: baz",
    );
    check("foo #not\n#\n   # x", "require a.in:1:1 `foo`: foo");
}

#[test]
fn line_ends_of_every_kind() {
    check(
        "a\r\nb\rc\n\n\x0bd\u{2028}e",
        "require a.in:1:1 `a`: a
         require a.in:2:1 `b`: b
         require a.in:3:1 `c`: c
         require a.in:5:2 `d`: d
         require a.in:5:4 `e`: e",
    );
}

#[test]
fn columns_count_characters() {
    check(
        "\u{a0}\u{3000}foo ; 'é' in platform_version",
        "require a.in:1:3 `foo ; 'é' in platform_version`: foo ; 'é' in platform_version",
    );
}

#[test]
fn byte_order_marks_and_coding_lines() {
    let read = |bytes: &[u8]| {
        let mut memory = Memory::new(&[]);
        memory.files.insert("/w/a.in".to_owned(), bytes.to_vec());
        let input = Input {
            role: Role::Requirements,
            path: "a.in".to_owned(),
        };
        match read_inputs(&[input], &wanted(&[], &[]), &memory) {
            Ok(inputs) => show(&inputs),
            Err(error) => super::show_error(&error),
        }
    };
    let one = "require a.in:1:1 `foo`: foo";
    compare(&read(b"\xef\xbb\xbffoo\n"), one);
    compare(&read(b"\xff\xfef\0o\0o\0\r\0\n\0"), one);
    compare(&read(b"\xfe\xff\0f\0o\0o"), one);
    compare(
        &read(b"# -*- coding: latin-1 -*-\nfoo # caf\xe9"),
        "require a.in:2:1 `foo`: foo",
    );
    compare(
        &read(b"# coding: utf-8\nfoo # caf\xe9"),
        "error: a.in:2: expected text in UTF-8, found the byte 0xe9, which is not UTF-8
         code: mlresolve::request::not_text
         help: save the file as UTF-8",
    );
    compare(
        &read(b"foo\n# vim: set fileencoding=koi8-r :\n"),
        "error: a.in:2: expected text in UTF-8, found the encoding `koi8-r`, which is not read here
         code: mlresolve::request::not_text
         help: save the file as UTF-8",
    );
    compare(
        &read(b"foo\nbar==1.0\0\n"),
        "error: a.in:2: expected text in UTF-8, found a NUL byte
         code: mlresolve::request::not_text
         help: save the file as UTF-8",
    );
    compare(
        &read(b"\xff\xfef\0o\0o"),
        "error: a.in:1: expected text in UTF-8, found bytes that are not UTF-16, which the file's byte order mark announces
         code: mlresolve::request::not_text
         help: save the file as UTF-8",
    );
}

#[test]
fn variables_in_capitals() {
    check(
        "foo==${VERSION}${EMPTY} ; platform_version != '${UNSET}${version}$VERSION'",
        "error: a.in:1: `foo==${VERSION}${EMPTY} ; platform_version != '${UNSET}${version}$VERSION'` is not a requirement: after parsing `1.5`, found `${EMPTY}`, which is not part of a valid version
         code: mlresolve::request::malformed_requirement
         at: a.in:1:4 `==${VERSION}${EMPTY}`
         help: versions follow PEP 440, as in `1.2`, `2.0rc1` or `2.1.0+cpu`",
    );
    check(
        "foo==${VERSION} ; platform_version != '${UNSET}${version}$VERSION'",
        "require a.in:1:1 `foo==${VERSION} ; platform_version != '${UNSET}${version}$VERSION'`: foo ==1.5 ; platform_version != '${UNSET}${version}$VERSION'",
    );
    // What a lock repeats is what was written: no token gets into it.
    check(
        "-i https://user:${TOKEN}@index.example/simple/\nfoo @ https://${TOKEN}@files.example/foo-1.0.zip",
        "require a.in:2:1 `foo @ https://${TOKEN}@files.example/foo-1.0.zip`: foo @ https://s3cret@files.example/foo-1.0.zip (`https://${TOKEN}@files.example/foo-1.0.zip`)
         index a.in:1:4 https://user:s3cret@index.example/simple/ (https://user:${TOKEN}@index.example/simple/)",
    );
}

#[test]
fn hashes_over_continuations() {
    let other = "0".repeat(128);
    check(
        &format!(
            "foo==1.0 --hash={HASH} \\\n    --hash sha512:{other} \\\n    --hash={HASH}\nbar\n"
        ),
        "require a.in:1:1 `foo==1.0`: foo ==1.0 #sha256:0123… #sha512:0000…
         require a.in:5:1 `bar`: bar"
            .replace(":5:", ":4:")
            .as_str(),
    );
}

#[test]
fn what_has_no_effect_is_said() {
    check(
        &format!(
            "--pre foo\nfoo2 --pre\nfoo3 --config-settings a=b -C c=d --global-option=x -- y\n--hash={HASH}\n"
        ),
        "require a.in:2:1 `foo2`: foo2
         require a.in:3:1 `foo3`: foo3
         pre
         warning a.in:1: `foo` has no effect behind an option, as for pip
         warning a.in:2: `--pre` has no effect on the line of a requirement, as for pip
         warning a.in:3: `--config-settings` has no effect on a lock
         warning a.in:3: `--config-settings` has no effect on a lock
         warning a.in:3: `--global-option` has no effect on a lock
         warning a.in:3: `y` has no effect behind an option, as for pip
         warning a.in:4: `--hash` has no effect without a requirement, as for pip",
    );
}

#[test]
fn formats_count_on_every_line() {
    check_files(
        &[
            (
                "a.in",
                "foo --no-binary foo\n-r b.txt --only-binary=x\n--no-binary :all:",
            ),
            ("b.txt", ""),
        ],
        "require a.in:1:1 `foo`: foo
         NoBinary a.in:1:17 foo (foo)
         OnlyBinary a.in:2:24 x (x)
         NoBinary a.in:3:13 :all: (:all:)",
    );
}

#[test]
fn index_options() {
    check(
        "--extra-index-url https://a.example/\n-i https://b.example/\n--extra-index-url=https://c.example/ --trusted-host c.example\n--use-feature fast-deps --require-hashes\n--prefer-binary",
        "index a.in:2:4 https://b.example/ (https://b.example/)
         extra-index a.in:3:19 https://c.example/ (https://c.example/)
         trusted a.in:3:53 c.example (c.example)
         feature a.in:4:15 fast-deps (fast-deps)
         prefer-binary
         require-hashes
         warning a.in:1: this `--extra-index-url` has no effect, as for pip: the `--index-url` at a.in:2 comes after it and replaces it",
    );
    check(
        "-i https://b.example/\n--no-index\n--extra-index-url https://a.example/",
        "no-index
         warning a.in:3: this `--extra-index-url` has no effect beside `--no-index`, as for pip",
    );
}

#[test]
fn options_cut_short_and_joined() {
    check_files(
        &[
            (
                "a.in",
                "-rsub/m.txt\n-ihttps://b.example/\n--requirem=c.txt\n--extra \"https://a.example/\"",
            ),
            ("sub/m.txt", "deep"),
            ("c.txt", "near"),
        ],
        "require sub/m.txt:1:1 `deep`: deep
         require c.txt:1:1 `near`: near
         index a.in:2:3 https://b.example/ (https://b.example/)
         extra-index a.in:4:9 https://a.example/ (\"https://a.example/\")",
    );
}

#[test]
fn find_links_beside_the_file() {
    check_files(
        &[
            (
                "reqs/a.in",
                "-f wheels\n-f elsewhere -f third\n-f https://files.example/list.html",
            ),
            ("reqs/wheels/x.whl", ""),
        ],
        "find-links reqs/a.in:1:4 reqs/wheels (wheels)
         find-links reqs/a.in:2:4 elsewhere (elsewhere)
         find-links reqs/a.in:3:4 https://files.example/list.html (https://files.example/list.html)
         warning reqs/a.in:2: only the first `--find-links` of a line has an effect, as for pip",
    );
}

#[test]
fn includes_are_relative_to_the_file() {
    check_files(
        &[
            ("reqs/a.in", "-r more/b.txt\n-c ../c.txt\nlast"),
            ("reqs/more/b.txt", "-r ../d.txt\nfrom-b"),
            ("reqs/d.txt", "from-d"),
            ("c.txt", "numpy<2"),
        ],
        "require reqs/d.txt:1:1 `from-d`: from-d
         require reqs/more/b.txt:2:1 `from-b`: from-b
         require reqs/a.in:3:1 `last`: last
         constrain c.txt:1:1 `numpy<2`: numpy <2",
    );
    check_files(
        &[
            ("./a.in", "-r ./b.txt\n-r /etc/c.txt"),
            ("b.txt", "b"),
            ("/etc/c.txt", "c"),
        ],
        "require ./b.txt:1:1 `b`: b
         require /etc/c.txt:1:1 `c`: c",
    );
    check_files(
        &[
            (
                "a.in",
                "-r https://user:pw@h.example/r/b.txt\n-r file:///w/sub/d.txt",
            ),
            ("https://user:pw@h.example/r/b.txt", "-r ../c.txt"),
            ("https://user:pw@h.example/c.txt", "remote"),
            ("sub/d.txt", "-r e.txt"),
            ("sub/e.txt", "local"),
        ],
        "require https://user:**@h.example/c.txt:1:1 `remote`: remote
         require file:///w/sub/e.txt:1:1 `local`: local",
    );
}

#[test]
fn a_file_is_read_once() {
    check_files(
        &[
            ("a.in", "-r b.txt\n-r c.txt\n-c ./b.txt"),
            ("b.txt", "-r c.txt\nb"),
            ("c.txt", "c"),
        ],
        "require c.txt:1:1 `c`: c
         require b.txt:2:1 `b`: b
         constrain b.txt:2:1 `b`: b
         warning b.txt:1: `-r` in a constraints file requires what the file lists, as it does for pip; `-c` would constrain it",
    );
}

#[test]
fn one_include_a_line() {
    check_files(
        &[
            ("a.in", "-r b.txt -r c.txt --pre\n-c b.txt -r c.txt"),
            ("b.txt", "b"),
            ("c.txt", "c"),
        ],
        "require b.txt:1:1 `b`: b
         require c.txt:1:1 `c`: c
         warning a.in:1: `--requirement` has no effect beside another include, as for pip
         warning a.in:1: `--pre` has no effect beside another include, as for pip
         warning a.in:2: `--constraint` has no effect beside another include, as for pip",
    );
}

#[test]
fn roles_come_from_the_inputs() {
    let memory = Memory::new(&[
        ("a.in", "numpy"),
        ("c.txt", "numpy<2"),
        ("o.txt", "-r p.txt\nscipy[x]==1.0"),
        ("p.txt", "pandas @ https://files.example/pandas-2.0.zip"),
    ]);
    let inputs = [
        (Role::Requirements, "a.in"),
        (Role::Constraints, "c.txt"),
        (Role::Overrides, "o.txt"),
    ]
    .map(|(role, path)| Input {
        role,
        path: path.to_owned(),
    });
    let inputs = read_inputs(&inputs, &wanted(&[], &[]), &memory).expect("all is well formed");
    compare(
        &show(&inputs),
        "require a.in:1:1 `numpy`: numpy
         constrain c.txt:1:1 `numpy<2`: numpy <2
         override p.txt:1:1 `pandas @ https://files.example/pandas-2.0.zip`: pandas @ https://files.example/pandas-2.0.zip (`https://files.example/pandas-2.0.zip`)
         override o.txt:2:1 `scipy[x]==1.0`: scipy[x] ==1.0",
    );
}

#[test]
fn specifiers_as_people_write_them() {
    check(
        "foo (>=1.0)\nfoo(>=1.0,<2)\nfoo[]\nfoo==1.0;\nFoo.Bar_x\nfoo == 1.* , != 1.4\nfoo;python_version in \"2.7, 3.5\"\nfoo ; os.name == 'x' and(extra=='y'or '3.9'<=python_version)\nfoo===1.0+cu118",
        "require a.in:1:1 `foo (>=1.0)`: foo >=1.0
         require a.in:2:1 `foo(>=1.0,<2)`: foo >=1.0, <2
         require a.in:3:1 `foo[]`: foo
         require a.in:4:1 `foo==1.0;`: foo ==1.0
         require a.in:5:1 `Foo.Bar_x`: foo-bar-x
         require a.in:6:1 `foo == 1.* , != 1.4`: foo ==1.*, !=1.4
         require a.in:7:1 `foo;python_version in \"2.7, 3.5\"`: foo ; python_full_version == '2.7.*' or python_full_version == '3.5.*'
         require a.in:8:1 `foo ; os.name == 'x' and(extra=='y'or '3.9'<=python_version)`: foo ; (os_name == 'x' and extra == 'y') or (python_full_version >= '3.9' and os_name == 'x')
         require a.in:9:1 `foo===1.0+cu118`: foo ===1.0+cu118",
    );
}

#[test]
fn formats_add_up_as_for_pip() {
    let after = |values: &[(FormatOption, &str)]| {
        let mut control = FormatControl::default();
        for (option, value) in values {
            control.take(*option, value).expect("well formed");
        }
        (control.wheels(), control.sdists())
    };
    let selection = |all: bool, except: &[&str]| Selection {
        all,
        except: except
            .iter()
            .map(|name| name.parse().expect("a name"))
            .collect(),
    };
    assert_eq!(after(&[]), (selection(true, &[]), selection(true, &[])));
    assert_eq!(
        after(&[(NoBinary, ":all:"), (OnlyBinary, "numpy,Sci_Py")]),
        (
            selection(false, &["numpy", "sci-py"]),
            selection(true, &["numpy", "sci-py"])
        ),
    );
    assert_eq!(
        after(&[(OnlyBinary, ":all:"), (NoBinary, "foo")]),
        (selection(true, &["foo"]), selection(false, &["foo"])),
    );
    assert_eq!(
        after(&[(NoBinary, "foo,bar"), (OnlyBinary, "foo")]),
        (selection(true, &["bar"]), selection(true, &["foo"])),
    );
    // `:none:` takes back what came before it, `:all:` what came in the other option.
    assert_eq!(
        after(&[(NoBinary, "foo"), (NoBinary, ":all:,:none:,bar")]),
        (selection(true, &["bar"]), selection(true, &[])),
    );
    assert_eq!(
        after(&[(NoBinary, "foo"), (OnlyBinary, ":all:")]),
        (selection(true, &[]), selection(false, &[])),
    );
    assert_eq!(
        FormatControl::default().take(NoBinary, "foo, b@r"),
        Err("b@r".to_owned()),
    );
}
