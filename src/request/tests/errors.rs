//! Every error: its message, its code, the piece of the file that it points at, its help.

use miette::Diagnostic;

use super::{check, check_files, check_wanted, wanted};

#[test]
fn unreadable_files() {
    check_files(
        &[("a.in", "-r sub/none.txt")],
        "error: cannot read `sub/none.txt` (named at a.in:1): there is no such file
         code: mlresolve::request::unreadable
         at: a.in:1:4 `sub/none.txt`
         help: paths in a file count from the folder of that file",
    );
    check_files(
        &[("a.in", "-c sub"), ("sub/x", "")],
        "error: cannot read `sub` (named at a.in:1): it is a folder
         code: mlresolve::request::unreadable
         at: a.in:1:4 `sub`
         help: name a file inside it",
    );
    check_files(
        &[("sub", ""), ("sub/x", "")],
        "error: cannot read `sub`: it is a folder
         code: mlresolve::request::unreadable
         help: name a file inside it",
    );
}

#[test]
fn include_loops() {
    check_files(
        &[("a.in", "\n-r sub/b.txt"), ("sub/b.txt", "x\n-c ../a.in")],
        "error: sub/b.txt:2: `a.in` includes itself: a.in:2 includes `sub/b.txt`, sub/b.txt:2 includes `a.in`
         code: mlresolve::request::include_loop
         at: sub/b.txt:2:4 `../a.in`
         help: take away one of the `-r` or `-c` lines",
    );
    check_files(
        &[("a.in", "-r b.txt"), ("b.txt", "-r ./b.txt")],
        "error: b.txt:1: `b.txt` includes itself: b.txt:1 includes `b.txt`
         code: mlresolve::request::include_loop
         at: b.txt:1:4 `./b.txt`
         help: take away one of the `-r` or `-c` lines",
    );
}

#[test]
fn includes_too_deep() {
    let files: Vec<(String, String)> = (0..70)
        .map(|number| (format!("{number}.in"), format!("-r {}.in", number + 1)))
        .collect();
    let files: Vec<(&str, &str)> = files
        .iter()
        .map(|(path, content)| (path.as_str(), content.as_str()))
        .collect();
    check_files(
        &files,
        "error: 63.in:1: more than 64 files include one another
         code: mlresolve::request::include_depth
         at: 63.in:1:4 `64.in`
         help: take away one of the `-r` or `-c` lines",
    );
}

/// A requirement that is none: what is wrong, the piece at fault, what to do.
#[track_caller]
fn malformed(text: &str, kind: &str, detail: &str, piece: &str, help: &str) {
    let (message, code) = match kind {
        "requirement" => (format!("`{text}` is not a requirement"), "requirement"),
        "marker" => (
            format!("the marker of `{text}` cannot be understood"),
            "marker",
        ),
        _ => (format!("the URL of `{text}` cannot be used"), "url"),
    };
    // The piece is marked with ‹› in the text.
    let (before, _) = piece.split_once('‹').expect("a piece is marked");
    let inner = piece
        .split(['‹', '›'])
        .nth(1)
        .expect("a piece is marked")
        .escape_debug();
    check(
        &format!("# first\n  {text}  # why\n"),
        &format!(
            "error: a.in:2: {message}: {detail}
             code: mlresolve::request::malformed_{code}
             at: a.in:2:{} `{inner}`
             help: {help}",
            before.chars().count() + 3,
        ),
    );
}

/// A table of such requirements: text | what is wrong | the piece at fault | what to do.
#[track_caller]
fn malformed_table(kind: &str, table: &str) {
    for row in table.lines().filter(|row| !row.trim().is_empty()) {
        let row = row.replace("\\t", "\t");
        let cells: Vec<&str> = row.split(" | ").map(str::trim).collect();
        let [text, detail, piece, help] = cells.as_slice() else {
            panic!("a row has four cells: {row}");
        };
        malformed(text, kind, detail, piece, help);
    }
}

#[test]
fn malformed_specifiers() {
    malformed_table(
        "requirement",
        r#"
        foo>=1.0.* | `.*` cannot follow `>=` | foo‹>=1.0.*› | write `>=1.0`
        foo>=1.0, | expected a version after `,` | foo>=1.0,‹› | take the extra comma away
        foo (>=1,,<2) | expected a version after `,` | foo (>=1,‹›, | take the extra comma away
        foo = 1.0 | `=` is no operator | foo ‹=› 1.0 | did you mean `==1.0`?
        foo=>1 | `=>` is no operator | foo‹=>›1 | did you mean `>=1`?
        foo><1 | `><` is no operator | foo‹><›1 | the operators are `==`, `!=`, `<`, `<=`, `>`, `>=`, `~=` and `===`
        foo 1.0 | expected an operator, found `1.0` | foo ‹1.0› | did you mean `==1.0`?
        foo^1.26 | expected an operator, found `^1.26` | foo‹^1.26› | did you mean `>=1.26,<2`?
        foo ^0.3.2 | expected an operator, found `^0.3.2` | foo ‹^0.3.2› | did you mean `>=0.3.2,<0.4`?
        foo^0.0 | expected an operator, found `^0.0` | foo‹^0.0› | did you mean `>=0.0,<0.1`?
        foo~1.2.3 | `~` is no operator | foo‹~›1.2.3 | did you mean `>=1.2.3,<1.3`?
        foo ~> 1.2 | `~>` is no operator | foo ‹~>› 1.2 | did you mean `~=1.2`?
        foo^1.x | expected an operator, found `^1.x` | foo‹^1.x› | put one requirement on a line
        foo = "^1.26" | `=` is no operator | foo ‹=› "^1.26" | did you mean `>=1.26,<2`?
        foo = "1.26" | `=` is no operator | foo ‹=› "1.26" | did you mean `==1.26`?
        foo = "*" | `=` is no operator | foo ‹=› "*" | for any version, write the name alone
        foo = ">=1" | `=` is no operator | foo ‹=› ">=1" | did you mean `>=1`?
        foo=="1.26" | expected version to start with a number, but no leading ASCII digits were found | foo‹=="1.26"› | take the quotation marks away
        foo==1.2 bar | trailing `bar` is not allowed | foo‹==1.2 bar› | put one requirement on a line
        foo>=1 and <2 | trailing `and <2` is not allowed | foo‹>=1 and <2› | separate versions with commas, as in `>=1.0,<2`
        foo, bar | expected a version after `,` | foo‹›, bar | put one requirement on a line
        foo>=1rc1, | expected a version after `,` | foo>=1rc1,‹› | take the extra comma away
        pip install foo | expected an operator, found `install foo` | pip ‹install foo› | leave the command out, and write what follows `install`
        !pip install foo | expected the name of a distribution | ‹!pip install foo› | leave the command out, and write what follows `install`
        "foo==1" | expected the name of a distribution | ‹"foo==1"› | take the quotation marks away
        foo bar | expected an operator, found `bar` | foo ‹bar› | put one requirement on a line
        foo#x | expected an operator, found `#x` | foo‹#x› | put a space before `#` to begin a comment
        foo (>=1 | expected a closing `)` | foo ‹(>=1› | close the parenthesis, or write the versions without
        foo (>=1) <2 | expected `;` with a marker, or the end | foo (>=1) ‹<2› | put one requirement on a line
        foo[a | expected a closing `]` | foo‹[a› | write extras as in `name[first,second]`
        foo[a b] | expected `,` or `]` after an extra | foo[a ‹b›] | write extras as in `name[first,second]`
        foo[a,] | expected the name of an extra | foo[a,‹]› | a name begins and ends with a letter or digit
        foo[a-] | expected the name of an extra | foo[‹a-›] | a name begins and ends with a letter or digit
        foo- | `foo-` is not a distribution's name | ‹foo-› | a name begins and ends with a letter or digit
        foo->=1 | `foo-` is not a distribution's name | ‹foo-›>=1 | a name begins and ends with a letter or digit
        (foo) | expected the name of a distribution | ‹(foo)› | begin with the name of a distribution, as in `numpy>=1.0`
        foo @ | expected a URL after `@` | foo @‹› | write `name @ https://…`
        foo~=1 | the ~= operator requires at least two segments in the release version | foo‹~=1› | `~=` needs a version with at least two numbers, as in `~=1.4`
        foo>=1 <2 | trailing `<2` is not allowed | foo‹>=1 <2› | separate versions with commas, as in `>=1.0,<2`
        foo<2,>=1.0[x] | after parsing `1.0`, found `[x]`, which is not part of a valid version | foo<2,‹>=1.0[x]› | extras stand before the version, as in `name[extra]>=1.0`
        foo>=1.0+cpu | operator >= is incompatible with versions containing non-empty local segments (`+cpu`) | foo‹>=1.0+cpu› | a local version (`+…`) goes with `==` and `!=` only
        foo==1.0\t--pre | trailing `--pre` is not allowed | foo‹==1.0\t--pre› | put a space, not a tab, before an option
        foo===weird | expected version to start with a number, but no leading ASCII digits were found | foo‹===weird› | versions follow PEP 440, as in `1.2`, `2.0rc1` or `2.1.0+cpu`
"#,
    );
}

#[test]
fn a_backslash_before_a_space() {
    check(
        "foo==1.0 \\ \n  --pre",
        "error: a.in:1: `foo==1.0 \\` is not a requirement: `\\` continues a line only where it is its last character
         code: mlresolve::request::malformed_requirement
         at: a.in:1:10 `\\\\`
         help: take away the spaces behind it",
    );
}

#[test]
fn malformed_markers() {
    malformed_table(
        "marker",
        r#"
        foo; pyton_version>'3' | `pyton_version` is no variable of markers | foo; ‹pyton_version›>'3' | did you mean `python_version`?
        foo; python_version>3 | `3` is no variable of markers | foo; python_version>‹3› | values are quoted; the variables are those of PEP 508
        foo; python_version>'3 | expected a closing `'` | foo; python_version>‹'3› | close the quoted value
        foo; python_version => '3' | `=>` is no operator of markers | foo; python_version ‹=>› '3' | the operators are `==`, `!=`, `<`, `<=`, `>`, `>=`, `~=`, `in` and `not in`
        foo; python_version | expected an operator | foo; python_version‹› | the operators are `==`, `!=`, `<`, `<=`, `>`, `>=`, `~=`, `in` and `not in`
        foo; python_version < | expected a variable or a quoted value | foo; python_version <‹› | write a marker as in `python_version >= "3.10"`
        foo; (os_name=='x' | expected a closing `)` | foo; ‹(›os_name=='x' | close the parenthesis
        foo; os_name=='x' os_name=='y' | expected `and`, `or` or the end of the marker | foo; os_name=='x' ‹os_name› | join comparisons with `and` or `or`
        foo; os_name=='x' && os_name=='y' | expected a variable, a quoted value or an operator, found `&` | foo; os_name=='x' ‹&›& | write a marker as in `python_version >= "3.10"`
        foo; 'a' ~= os_name | `~=` compares versions, and `os_name` is none | foo; 'a' ‹~=› os_name | use `==` or `in`
        foo; os_name == sys_platform | a comparison needs a variable on one side and a quoted value on the other | foo; ‹os_name == sys_platform› | compare a variable with a quoted value, as in `python_version >= "3.10"`
        foo; 'a' == 'a' | a comparison needs a variable on one side and a quoted value on the other | foo; ‹'a' == 'a'› | compare a variable with a quoted value, as in `python_version >= "3.10"`
        foo; os_name=='x' or python_version >= 'three' | expected PEP 440 version to compare with python_version, found three: expected version to start with a number, but no leading ASCII digits were found | foo; os_name=='x' or ‹python_version >= 'three'› | compare a variable with a quoted value, as in `python_version >= "3.10"`
"#,
    );
}

#[test]
fn markers_too_large() {
    let deep = format!("foo; {}os_name=='x'{}", "(".repeat(33), ")".repeat(33));
    let piece = format!("foo; {}‹(›", "(".repeat(32));
    malformed(
        &deep,
        "marker",
        "more than 32 parentheses inside one another",
        &piece,
        "take away the parentheses that change nothing",
    );
    let wide = format!("foo; {}os_name=='y'", "os_name=='x' or ".repeat(128));
    let piece = format!("foo; {}‹os_name=='y'›", "os_name=='x' or ".repeat(128));
    malformed(
        &wide,
        "marker",
        "more than 128 comparisons in one marker",
        &piece,
        "split the requirement into several lines",
    );
    let pairs: Vec<String> = (0..20)
        .map(|at| format!("(extra == 'a{at:02}' and extra == 'b{at:02}')"))
        .collect();
    let pairs = pairs.join(" or ");
    malformed(
        &format!("foo; {pairs}"),
        "marker",
        "the marker joins too many different conditions",
        &format!("foo;‹ {pairs}›"),
        "split the requirement into several lines",
    );
}

#[test]
fn malformed_urls() {
    malformed_table(
        "url",
        r"
        https:///x.whl | it is not a URL that can be followed | ‹https:///x.whl› | write it as `https://HOST/PATH`; for version control `git+ssh://git@HOST/PATH`
        https://h.example/a-b-1.0-py3-none-any.whl | `a-b-1.0-py3-none-any.whl` is not the name of a wheel | ‹https://h.example/a-b-1.0-py3-none-any.whl› | a wheel is named NAME-VERSION-PYTHON-ABI-PLATFORM.whl; do not rename it
        https://h.example/a b.zip | a URL ends at whitespace, and something follows | https://h.example/a‹ b.zip› | write a space as `%20`; put ` ;` before a marker
        https://h.example/a.zip#sha256=abc | expected 64 hexadecimal digits for sha256 | https://h.example/a.zip#sha256=‹abc› | copy the whole hash
        https://h.example/a.zip#egg=b==1 | expected a distribution's name, with extras or without, and nothing more | https://h.example/a.zip#egg=‹b==1› | take away what follows the name
        git+git@github.com:o/r.git | it has no `://` | ‹git+git@github.com:o/r.git› | write `git+ssh://git@HOST/OWNER/REPOSITORY.git`
        git+ssh://git@github.com:o/r.git | it is not a URL that can be followed | ‹git+ssh://git@github.com:o/r.git› | write it as `https://HOST/PATH`; for version control `git+ssh://git@HOST/PATH`
        git://h.example/r | `git` is no scheme that is read | ‹git›://h | write `git+git://…`
        name @ s3://h.example/r | `s3` is no scheme that is read | name @ ‹s3›://h | the schemes are `https`, `http`, `file`, and `git+https`, `git+ssh` and their like for version control
        name @ ./folder | expected a URL | name @ ‹./folder› | write a path alone on its line (`./folder`), or as `file:///…`
        name @ https://h.example/x-1.0-py3-none-any.whl | the URL is for `x`, the line for `name` | name @ ‹https://h.example/x-1.0-py3-none-any.whl› | make the two agree
        file://h.example/x.zip | a `file:` URL that names another machine | ‹file://h.example/x.zip› | write `file:///PATH` with three slashes
",
    );
}

#[test]
fn passwords_are_not_shown() {
    check(
        "https://user:pa55@h.example/a b\n",
        "error: a.in:1: the URL of `https://user:****@h.example/a b` cannot be used: a URL ends at whitespace, and something follows
         code: mlresolve::request::malformed_url
         at: a.in:1:30 ` b`
         help: write a space as `%20`; put ` ;` before a marker",
    );
    // The whole line, as a report shows it.
    let error = super::read(
        &[("a.in", "--bogus -i https://t0ken@h.example/ # git@host")],
        &wanted(&[], &[]),
    )
    .expect_err("there is no such option");
    let source = error.source_code().expect("it points at a file");
    let contents = source
        .read_span(&(0, 46).into(), 0, 0)
        .expect("the file has a line");
    assert_eq!(
        String::from_utf8_lossy(contents.data()),
        "--bogus -i https://*****@h.example/ # git@host"
    );
}

#[test]
fn paths_at_which_nothing_is() {
    let help = "help: relative paths count from where the program runs; to require a distribution, write its name without a path";
    for path in ["./none", "..\\none", "sub/none", "C:\\none"] {
        check(
            &format!("{path} ; os_name == 'nt'"),
            &format!(
                "error: a.in:1: there is nothing at `{path}`
                 code: mlresolve::request::no_such_path
                 at: a.in:1:1 `{}`
                 {help}",
                path.escape_debug()
            ),
        );
    }
    check_files(
        &[("a.in", "./empty"), ("empty/x", "")],
        "error: a.in:1: the folder `./empty` holds no project
         code: mlresolve::request::not_installable
         at: a.in:1:1 `./empty`
         help: a project's folder holds a pyproject.toml or a setup.py",
    );
}

#[test]
fn what_cannot_be_editable() {
    let help = "help: name a project's folder or a version control URL (`git+https://…#egg=NAME`), or take `-e` away";
    for (text, why) in [
        ("foo", "there is no such folder"),
        ("https://h.example/x.zip", "it is an archive's URL"),
        ("file:///tmp/x.zip", "it is an archive"),
    ] {
        check(
            &format!("-e {text}"),
            &format!(
                "error: a.in:1: `{text}` cannot be installed in editable mode: {why}
                 code: mlresolve::request::not_editable
                 at: a.in:1:4 `{text}`
                 {help}"
            ),
        );
    }
    check(
        "-e git+https://h.example/r",
        "error: a.in:1: `git+https://h.example/r` cannot be installed in editable mode: the distribution's name is missing
         code: mlresolve::request::not_editable
         at: a.in:1:4 `git+https://h.example/r`
         help: add `#egg=NAME` to the URL, or write `-e NAME @ URL`",
    );
}

#[test]
fn constraints_that_cannot_be() {
    for (text, shown, column, why) in [
        ("numpy[x]<2", "numpy[x]<2", 1, "it has extras"),
        ("-e ./pkg", "./pkg", 4, "it is editable"),
        ("./x.zip", "./x.zip", 1, "it does not name its distribution"),
    ] {
        check_files(
            &[
                ("a.in", "-c c.txt"),
                ("c.txt", text),
                ("pkg/pyproject.toml", "[project]\nname='pkg'"),
            ],
            &format!(
                "error: c.txt:1: `{shown}` cannot be a constraint: {why}
                 code: mlresolve::request::constraint
                 at: c.txt:1:{column} `{shown}`
                 help: write it as `name` with versions, as in `numpy<2`"
            ),
        );
    }
}

#[test]
fn unsupported_options() {
    for (line, option, help) in [
        (
            "--extra-indx-url=https://x",
            "--extra-indx-url",
            "did you mean `--extra-index-url`?",
        ),
        ("foo --hahs sha256:00", "--hahs", "did you mean `--hash`?"),
        ("-no-index", "-n", "did you mean `--no-index`?"),
        (
            "--upgrade",
            "--upgrade",
            "requirements files take the options that pip documents for them; others go on the command line",
        ),
    ] {
        let column = line.find('-').unwrap_or_default() + 1;
        check(
            line,
            &format!(
                "error: a.in:1: `{option}` is not an option of requirements files
                 code: mlresolve::request::unsupported_option
                 at: a.in:1:{column} `{option}`
                 help: {help}"
            ),
        );
    }
}

#[test]
fn options_with_wrong_values() {
    for (line, option, detail, column, piece, help) in [
        (
            "--re x",
            "--re",
            "may mean `--requirement` or `--require-hashes`",
            1,
            "--re",
            "write the whole name",
        ),
        (
            "-r",
            "--requirement",
            "needs a value",
            1,
            "-r",
            "write `--requirement VALUE` or `--requirement=VALUE`",
        ),
        (
            "--pre=yes",
            "--pre",
            "takes no value",
            1,
            "--pre=yes",
            "write `--pre` alone",
        ),
        (
            "--only-binary -x",
            "--only-binary",
            "needs a value",
            15,
            "-x",
            "name distributions, `:all:` or `:none:`",
        ),
        (
            "--no-binary a,b@",
            "--no-binary",
            "takes distributions, `:all:` or `:none:`, and `b@` is none",
            13,
            "a,b@",
            "separate names with commas",
        ),
        (
            "foo --hash=md5:00",
            "--hash",
            "has a value that is no hash: `md5` is no algorithm that is accepted",
            12,
            "md5:00",
            "use sha256, sha384 or sha512",
        ),
        (
            "foo --hash=00",
            "--hash",
            "has a value that is no hash: expected an algorithm and a value",
            12,
            "00",
            "write `--hash=sha256:HEX`",
        ),
        (
            "foo --hash=sha256:0g",
            "--hash",
            "has a value that is no hash: expected 64 hexadecimal digits for sha256",
            12,
            "sha256:0g",
            "copy the whole hash",
        ),
    ] {
        check(
            line,
            &format!(
                "error: a.in:1: `{option}` {detail}
                 code: mlresolve::request::option_value
                 at: a.in:1:{column} `{piece}`
                 help: {help}"
            ),
        );
    }
    check(
        "-e \"./pkg",
        "error: a.in:1: `\"` is not closed on this line
         code: mlresolve::request::unfinished
         at: a.in:1:4 `\\\"./pkg`
         help: close it, or take it away",
    );
}

#[test]
fn projects_that_cannot_be_read() {
    let project =
        |content: &str, expected: &str| check_files(&[("pyproject.toml", content)], expected);
    project(
        "[project]\nname = x\n",
        "error: pyproject.toml:2: this is not TOML: string values must be quoted, expected literal string
         code: mlresolve::request::malformed_toml
         at: pyproject.toml:2:8 `x`
         help: correct the file as https://toml.io says",
    );
    project(
        "[project]\ndependencies = 'numpy'\n",
        "error: pyproject.toml:2: `project.dependencies` must be an array, found `numpy`
         code: mlresolve::request::wrong_value
         at: pyproject.toml:2:16 `\\'numpy\\'`
         help: write an array",
    );
    project(
        "[project]\ndependencies = ['numpy',\n  'scipy >= 1 2']\n",
        "error: pyproject.toml:3: `scipy >= 1 2` is not a requirement: trailing `2` is not allowed
         code: mlresolve::request::malformed_requirement
         at: pyproject.toml:3:10 `>= 1 2`
         help: versions follow PEP 440, as in `1.2`, `2.0rc1` or `2.1.0+cpu`",
    );
    project(
        "[project]\ndependencies = ['./folder']\n",
        "error: pyproject.toml:2: `./folder` is not a requirement: expected the name of a distribution
         code: mlresolve::request::malformed_requirement
         at: pyproject.toml:2:18 `./folder`
         help: begin with the name of a distribution, as in `numpy>=1.0`",
    );
    project(
        "[project]\nrequires-python = '3.10'\n",
        "error: pyproject.toml:2: `3.10` is not a requirement: expected an operator, found `3.10`
         code: mlresolve::request::malformed_requirement
         at: pyproject.toml:2:20 `3.10`
         help: did you mean `==3.10`?",
    );
    project(
        "[project.optional-dependencies]\na_b = []\n'A.B' = []\n",
        "error: pyproject.toml:3: `A.B` and `a_b` are one name
         code: mlresolve::request::same_name
         at: pyproject.toml:3:1 `\\'A.B\\'`
         help: rename one of the two",
    );
    check_files(
        &[("setup.cfg", "[options]\ninstall_requires\n")],
        "error: setup.cfg:2: expected a section `[name]`, or `key = value` inside one
         code: mlresolve::request::malformed_config
         at: setup.cfg:2:1 `install_requires`
         help: values that go over several lines are indented",
    );
}

const GROUPS: &str = "[project]
name = 'x'
[project.optional-dependencies]
gpu = ['x[gpus]']
[dependency-groups]
dev = [{include-group = 'test'}]
test = ['a', {include-group = 'Dev'}]
lint = [{include-group = 'tests'}]
bad = [{include = 'test'}]
";

#[test]
fn groups_and_extras_that_are_none() {
    let asked = |extras: &[&str], groups: &[&str], expected: &str| {
        check_wanted(
            &[("pyproject.toml", GROUPS)],
            &wanted(extras, groups),
            expected,
        );
    };
    asked(
        &[],
        &["tset"],
        "error: pyproject.toml: there is no dependency group `tset`
         code: mlresolve::request::no_such_group
         help: did you mean `test`?",
    );
    asked(
        &[],
        &["unlike"],
        "error: pyproject.toml: there is no dependency group `unlike`
         code: mlresolve::request::no_such_group
         help: groups stand in the table `[dependency-groups]`",
    );
    asked(
        &["gpux"],
        &[],
        "error: pyproject.toml: there is no extra `gpux`
         code: mlresolve::request::no_such_extra
         help: did you mean `gpu`?",
    );
    asked(
        &["gpu"],
        &[],
        "error: pyproject.toml:4: there is no extra `gpus`
         code: mlresolve::request::no_such_extra
         at: pyproject.toml:4:9 `x[gpus]`
         help: did you mean `gpu`?",
    );
    asked(
        &[],
        &["dev"],
        "error: pyproject.toml:7: the dependency group `Dev` includes itself: `dev` includes `test` includes `Dev`
         code: mlresolve::request::group_loop
         at: pyproject.toml:7:32 `Dev`
         help: take away one of the `include-group` entries",
    );
    asked(
        &[],
        &["lint"],
        "error: pyproject.toml:8: there is no dependency group `tests`
         code: mlresolve::request::no_such_group
         at: pyproject.toml:8:27 `tests`
         help: did you mean `test`?",
    );
    asked(
        &[],
        &["bad"],
        "error: pyproject.toml:9: `dependency-groups.bad` must be a requirement in quotes or `{ include-group = \"NAME\" }`, found a table
         code: mlresolve::request::wrong_value
         at: pyproject.toml:9:8 `{include = \\'test\\'}`
         help: write a requirement in quotes or `{ include-group = \"NAME\" }`",
    );
    check_wanted(
        &[("a.in", "numpy")],
        &wanted(&[], &["dev"]),
        "error: the dependency group `dev` is asked for, and no input is a pyproject.toml that could have it
         code: mlresolve::request::no_project
         help: name the project's pyproject.toml as an input",
    );
}
