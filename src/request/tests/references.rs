//! Direct references: URLs, paths, version control.

use super::{check, check_files};

const FILES: &[(&str, &str)] = &[
    ("pkg/pyproject.toml", "[project]\nname = 'Pk.G'\n"),
    ("old/setup.py", "setup()"),
    ("cfg/setup.cfg", "[metadata]\nname = from_cfg\n"),
    ("empty/readme", ""),
    ("mono/part/pyproject.toml", "[project]\nname = 'part'\n"),
];

#[track_caller]
fn check_beside(content: &str, expected: &str) {
    let mut files = vec![("a.in", content)];
    files.extend(FILES);
    check_files(&files, expected);
}

#[test]
fn folders() {
    check_beside(
        "./pkg\n./pkg[b, A] ; python_version > '3'\npkg\nempty/../pkg/\n./cfg\n./old\n",
        "require a.in:1:1 `./pkg`: pk-g @ file:///w/pkg (`./pkg`)
         require a.in:2:1 `./pkg[b, A] ; python_version > '3'`: pk-g[a,b] @ file:///w/pkg (`./pkg`) ; python_full_version >= '3.1'
         require a.in:3:1 `pkg`: pkg
         require a.in:4:1 `empty/../pkg/`: pk-g @ file:///w/pkg (`empty/../pkg/`)
         require a.in:5:1 `./cfg`: from-cfg @ file:///w/cfg (`./cfg`)
         require a.in:6:1 `./old`: unnamed @ file:///w/old (`./old`)",
    );
}

#[test]
fn editables() {
    check_beside(
        "-e ./pkg\n--editable=./pkg[x]\n-e pkg\n-e \"./pkg\"\n-e file:./mono#subdirectory=part\n-e git+ssh://git@github.com/o/r.git@v1#egg=nm[a]&subdirectory=q\n-e nm @ git+https://github.com/o/r\n-e 'nm2 @ git+https://github.com/o/r'\n",
        "error: a.in:7: `nm` cannot be installed in editable mode: there is no such folder
         code: mlresolve::request::not_editable
         at: a.in:7:4 `nm`
         help: name a project's folder or a version control URL (`git+https://…#egg=NAME`), or take `-e` away",
    );
    check_beside(
        "-e ./pkg\n--editable=./pkg[x]\n-e pkg\n-e \"./pkg\"\n-e file:./mono#subdirectory=part\n-e git+ssh://git@github.com/o/r.git@v1#egg=nm[a]&subdirectory=q\n-e 'nm2 @ git+https://github.com/o/r'\n",
        "require a.in:1:4 `./pkg`: pk-g @ editable file:///w/pkg (`./pkg`)
         require a.in:2:12 `./pkg[x]`: pk-g[x] @ editable file:///w/pkg (`./pkg`)
         require a.in:3:4 `pkg`: pk-g @ editable file:///w/pkg (`pkg`)
         require a.in:4:4 `\"./pkg\"`: pk-g @ editable file:///w/pkg (`./pkg`)
         require a.in:5:4 `file:./mono#subdirectory=part`: part @ editable file:///w/mono (`file:./mono#subdirectory=part`) in part
         require a.in:6:4 `git+ssh://git@github.com/o/r.git@v1#egg=nm[a]&subdirectory=q`: nm[a] @ editable git+ssh://git@github.com/o/r.git@v1 (`git+ssh://git@github.com/o/r.git@v1#egg=nm[a]&subdirectory=q`) in q
         require a.in:7:4 `'nm2 @ git+https://github.com/o/r'`: nm2 @ editable git+https://github.com/o/r (`git+https://github.com/o/r`)",
    );
    check_beside(
        "-e 'nm @ git+https://${TOKEN}@github.com/o/r'",
        "require a.in:1:4 `'nm @ git+https://${TOKEN}@github.com/o/r'`: nm @ editable git+https://s3cret@github.com/o/r (`nm @ git+https://${TOKEN}@github.com/o/r`)",
    );
    check_beside(
        "-e ./pkg ; python_version>\"3\"",
        "require a.in:1:4 `./pkg`: pk-g @ editable file:///w/pkg (`./pkg`)
         warning a.in:1: `; python_version>\"3\"` has no effect behind an option, as for pip",
    );
}

#[test]
fn archives() {
    check(
        "./x-1.0-py3-none-any.whl\nX_y-1.0-1-py3-none-any.whl ; python_version > \"3\"\nsub/x-1.0.tar.gz[e]\n../odd.zip\n../my x/x-1.0.zip",
        "require a.in:1:1 `./x-1.0-py3-none-any.whl`: x @ file:///w/x-1.0-py3-none-any.whl (`./x-1.0-py3-none-any.whl`)
         require a.in:2:1 `X_y-1.0-1-py3-none-any.whl ; python_version > \"3\"`: x-y @ file:///w/X_y-1.0-1-py3-none-any.whl (`X_y-1.0-1-py3-none-any.whl`) ; python_full_version >= '3.1'
         require a.in:3:1 `sub/x-1.0.tar.gz[e]`: x[e] @ file:///w/sub/x-1.0.tar.gz (`sub/x-1.0.tar.gz`)
         require a.in:5:1 `../my x/x-1.0.zip`: x @ file:///my%20x/x-1.0.zip (`../my x/x-1.0.zip`)
         require a.in:4:1 `../odd.zip`: unnamed @ file:///odd.zip (`../odd.zip`)",
    );
}

#[test]
fn windows_paths() {
    check(
        "C:\\wheels\\x-1.0-py3-none-any.whl\n\\\\server\\share\\y-1.0.tar.gz\n",
        "require a.in:1:1 `C:\\wheels\\x-1.0-py3-none-any.whl`: x @ file:///C:/wheels/x-1.0-py3-none-any.whl (`C:\\wheels\\x-1.0-py3-none-any.whl`)
         require a.in:2:1 `\\\\server\\share\\y-1.0.tar.gz`: y @ file://server/share/y-1.0.tar.gz (`\\\\server\\share\\y-1.0.tar.gz`)",
    );
}

#[test]
fn urls_alone() {
    let hash = "0123456789abcdef".repeat(4);
    check(
        &format!(
            "https://files.example/a-1.0%2Bcu118-py3-none-any.whl#sha256={hash}\nhttps://files.example/a-1.0.tar.gz?x=y#egg=nam[ex] ; python_version>\"3\"\nhttps://files.example/a.zip;x\nfile:///tmp/b-2.0.zip\nfile:../b-2.0.zip\ngit+https://github.com/o/r.git@v1#egg=nm&subdirectory=q\nhttps://github.com/o/r/archive/r-1.0.tar.gz\nhttps://files.example/a-1.0-1.tar.gz\n"
        ),
        "require a.in:1:1 `https://files.example/a-1.0%2Bcu118-py3-none-any.whl#sha256=HASH`: a @ https://files.example/a-1.0%2Bcu118-py3-none-any.whl (`https://files.example/a-1.0%2Bcu118-py3-none-any.whl#sha256=HASH`) #sha256:0123…
         require a.in:2:1 `https://files.example/a-1.0.tar.gz?x=y#egg=nam[ex] ; python_version>\"3\"`: nam[ex] @ https://files.example/a-1.0.tar.gz?x=y (`https://files.example/a-1.0.tar.gz?x=y#egg=nam[ex]`) ; python_full_version >= '3.1'
         require a.in:4:1 `file:///tmp/b-2.0.zip`: b @ file:///tmp/b-2.0.zip (`file:///tmp/b-2.0.zip`)
         require a.in:5:1 `file:../b-2.0.zip`: b @ file:///b-2.0.zip (`file:../b-2.0.zip`)
         require a.in:6:1 `git+https://github.com/o/r.git@v1#egg=nm&subdirectory=q`: nm @ git+https://github.com/o/r.git@v1 (`git+https://github.com/o/r.git@v1#egg=nm&subdirectory=q`) in q
         require a.in:3:1 `https://files.example/a.zip;x`: unnamed @ https://files.example/a.zip;x (`https://files.example/a.zip;x`)
         require a.in:7:1 `https://github.com/o/r/archive/r-1.0.tar.gz`: unnamed @ https://github.com/o/r/archive/r-1.0.tar.gz (`https://github.com/o/r/archive/r-1.0.tar.gz`)
         require a.in:8:1 `https://files.example/a-1.0-1.tar.gz`: unnamed @ https://files.example/a-1.0-1.tar.gz (`https://files.example/a-1.0-1.tar.gz`)"
            .replace("HASH", &hash)
            .as_str(),
    );
}

#[test]
fn arguments() {
    let memory = super::Memory::new(&[]);
    let line = crate::request::read_argument(" numpy[x]<2 ; os_name == 'x'", &memory)
        .expect("it is a requirement");
    super::compare(
        &super::show_line(&line),
        "command line:1:2 `numpy[x]<2 ; os_name == 'x'`: numpy[x] <2 ; os_name == 'x'",
    );
    let error = crate::request::read_argument("numpy<two", &memory).expect_err("it is none");
    assert_eq!(
        error.place().map(ToString::to_string).as_deref(),
        Some("command line:1")
    );
}

#[test]
fn variables_in_paths_stay_hidden() {
    check(
        "./${TOKEN}/x ; os_name == 'x'",
        "error: a.in:1: there is nothing at `./${TOKEN}/x`
         code: mlresolve::request::no_such_path
         at: a.in:1:1 `./${TOKEN}/x`
         help: relative paths count from where the program runs; to require a distribution, write its name without a path",
    );
}

#[test]
fn urls_behind_names() {
    check(
        "name @ https://h.example/a.zip\nname @ https://h.example/a.zip;python_version>\"3\"\nname[e]@https://h.example/a.zip#egg=name[f] ; python_version>\"3\"\nname @ file:///tmp/pkg\nname @ git+https://github.com/o/r@deadbeef\nname @ https://h.example/release-1.0.tar.gz",
        "require a.in:1:1 `name @ https://h.example/a.zip`: name @ https://h.example/a.zip (`https://h.example/a.zip`)
         require a.in:2:1 `name @ https://h.example/a.zip;python_version>\"3\"`: name @ https://h.example/a.zip (`https://h.example/a.zip`) ; python_full_version >= '3.1'
         require a.in:3:1 `name[e]@https://h.example/a.zip#egg=name[f] ; python_version>\"3\"`: name[e,f] @ https://h.example/a.zip (`https://h.example/a.zip#egg=name[f]`) ; python_full_version >= '3.1'
         require a.in:4:1 `name @ file:///tmp/pkg`: name @ file:///tmp/pkg (`file:///tmp/pkg`)
         require a.in:5:1 `name @ git+https://github.com/o/r@deadbeef`: name @ git+https://github.com/o/r@deadbeef (`git+https://github.com/o/r@deadbeef`)
         require a.in:6:1 `name @ https://h.example/release-1.0.tar.gz`: name @ https://h.example/release-1.0.tar.gz (`https://h.example/release-1.0.tar.gz`)",
    );
}
