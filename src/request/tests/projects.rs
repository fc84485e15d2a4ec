//! pyproject.toml, setup.cfg and setup.py.

use super::{Wanted, check_files, check_wanted, wanted};

const PROJECT: &str = r#"
[project]
name = "My_Project"
version = "1.0"
requires-python = ">=3.10"
dependencies = [
    "torch>=2.1,<2.2",  # why
    'numpy [a] ; python_version < "3.13"',
    "caf\u00e9-escape; extra == 'x'", # not verbatim
]

[project.optional-dependencies]
GPU = ["cupy-cuda12x"]
all = ["my-project[gpu,Test_1] ; sys_platform == 'linux'", "tqdm"]
test_1 = ["pytest", "my.project[all]"]

[dependency-groups]
Dev_tools = ["ruff", {include-group = "test"}]
test = ["pytest>=7", "my-project[gpu]"]
"#;

#[track_caller]
fn check_project(wanted: &Wanted, expected: &str) {
    let project = PROJECT.replace("caf\\u00e9-escape", "escap\\u0065d");
    check_wanted(&[("sub/pyproject.toml", &project)], wanted, expected);
}

const ALWAYS: &str = r#"
require sub/pyproject.toml:7:6 `torch>=2.1,<2.2`: torch >=2.1, <2.2
require sub/pyproject.toml:8:6 `numpy [a] ; python_version < "3.13"`: numpy[a] ; python_full_version < '3.13'
require sub/pyproject.toml:9:6 `escaped; extra == 'x'`: escaped ; extra == 'x'
"#;
const END: &str = "
python sub/pyproject.toml:5:20 >=3.10
project sub/pyproject.toml my-project";

#[test]
fn dependencies() {
    check_project(&wanted(&[], &[]), &[ALWAYS.trim_end(), END].concat());
}

#[test]
fn extras_that_name_their_own_project() {
    check_project(
        &wanted(&["all"], &[]),
        &[
            ALWAYS.trim_end(),
            "
            require sub/pyproject.toml:13:9 `cupy-cuda12x`: cupy-cuda12x ; sys_platform == 'linux'
            require sub/pyproject.toml:15:12 `pytest`: pytest ; sys_platform == 'linux'
            require sub/pyproject.toml:14:61 `tqdm`: tqdm ; sys_platform == 'linux'
            require sub/pyproject.toml:14:61 `tqdm`: tqdm",
            END,
        ]
        .concat(),
    );
    check_project(
        &wanted(&["gpu"], &[]),
        &[
            ALWAYS.trim_end(),
            "\nrequire sub/pyproject.toml:13:9 `cupy-cuda12x`: cupy-cuda12x",
            END,
        ]
        .concat(),
    );
}

#[test]
fn groups_that_include_groups() {
    check_project(
        &wanted(&[], &["dev-TOOLS", "test"]),
        &[
            ALWAYS.trim_end(),
            "
            require sub/pyproject.toml:18:15 `ruff`: ruff
            require sub/pyproject.toml:19:10 `pytest>=7`: pytest >=7
            require sub/pyproject.toml:13:9 `cupy-cuda12x`: cupy-cuda12x",
            END,
        ]
        .concat(),
    );
}

#[test]
fn groups_without_a_project() {
    check_wanted(
        &[(
            "pyproject.toml",
            "[dependency-groups]\na = ['numpy']\nb = [1]\n",
        )],
        &wanted(&[], &["a"]),
        "require pyproject.toml:2:7 `numpy`: numpy",
    );
}

#[test]
fn strings_of_every_kind() {
    check_files(
        &[(
            "pyproject.toml",
            "[project]\r\nname = 'x'\r\ndependencies = ['''a''', \"\"\"\r\n  b>1\"\"\", '  c']\r\n",
        )],
        "require pyproject.toml:3:20 `a`: a
         require pyproject.toml:4:3 `b>1`: b >1
         require pyproject.toml:4:14 `c`: c
         project pyproject.toml x",
    );
}

#[test]
fn what_setuptools_takes_from_files() {
    let project = "[project]
name = 'x'
dynamic = ['dependencies', 'optional-dependencies']
[tool.setuptools.dynamic]
dependencies = { file = ['reqs/main.in'] }
optional-dependencies.gpu = { file = 'reqs/gpu.in' }
optional-dependencies.dev = { file = 'reqs/none.in' }
";
    let files = [
        ("sub/pyproject.toml", project),
        ("sub/reqs/main.in", "# why\nnumpy>=1 ; os_name == 'x'\n"),
        ("sub/reqs/gpu.in", "cupy"),
    ];
    check_wanted(
        &files,
        &wanted(&["gpu"], &[]),
        "require sub/reqs/main.in:2:1 `numpy>=1 ; os_name == 'x'`: numpy >=1 ; os_name == 'x'
         require sub/reqs/gpu.in:1:1 `cupy`: cupy
         project sub/pyproject.toml x",
    );
    check_wanted(
        &files,
        &wanted(&["dev"], &[]),
        "error: cannot read `sub/reqs/none.in` (named at sub/pyproject.toml:7): there is no such file
         code: mlresolve::request::unreadable
         at: sub/pyproject.toml:7:39 `reqs/none.in`
         help: paths in a file count from the folder of that file",
    );
    // Another build backend does not know the table.
    let other = format!("[build-system]\nbuild-backend = 'hatchling.build'\n{project}");
    check_files(
        &[("pyproject.toml", &other)],
        "project pyproject.toml x
         build . (pyproject.toml): its pyproject.toml calls `dependencies` dynamic",
    );
}

#[test]
fn what_only_a_build_tells() {
    check_files(
        &[(
            "lib/pyproject.toml",
            "[project]\nname = 'x'\ndynamic = ['version', 'dependencies', 'optional-dependencies']\n",
        )],
        "project lib/pyproject.toml x
         build lib (lib/pyproject.toml): its pyproject.toml calls `dependencies` dynamic",
    );
    check_wanted(
        &[(
            "pyproject.toml",
            "[project]\nname = 'x'\ndependencies=['numpy']\ndynamic = ['optional-dependencies']\n",
        )],
        &wanted(&["gpu"], &[]),
        "require pyproject.toml:3:16 `numpy`: numpy
         project pyproject.toml x
         build . (pyproject.toml): its pyproject.toml calls `optional-dependencies` dynamic",
    );
    check_files(
        &[("pyproject.toml", "[build-system]\nrequires = []\n")],
        "build . (pyproject.toml): its pyproject.toml has no `[project]` table",
    );
    check_files(
        &[("lib/setup.py", "setup()")],
        "build lib (lib/setup.py): its setup.py computes them",
    );
}

const SETUP_CFG: &str = "\
[metadata]
name = My_Lib
[options]
python_requires = >=3.9
install-requires =
    # a comment
    numpy>=1.21 ; python_version < '3.13'

    scipy
[options.extras_require]
gpu: cupy; cudf>=1
docs = file: docs.txt, more/docs.txt
";

#[test]
fn setup_cfg() {
    let files = [
        ("sub/setup.cfg", SETUP_CFG),
        ("sub/docs.txt", "# sphinx\nsphinx\n"),
        ("sub/more/docs.txt", "furo"),
        ("sub/setup.py", "from setuptools import setup\nsetup()\n"),
    ];
    let always = "
        require sub/setup.cfg:7:5 `numpy>=1.21 ; python_version < '3.13'`: numpy >=1.21 ; python_full_version < '3.13'
        require sub/setup.cfg:9:5 `scipy`: scipy";
    let end = "
        python sub/setup.cfg:4:19 >=3.9
        project sub/setup.cfg my-lib";
    check_files(&files, &[always, end].concat());
    let extras = "
        require sub/docs.txt:2:1 `sphinx`: sphinx
        require sub/more/docs.txt:1:1 `furo`: furo
        require sub/setup.cfg:11:6 `cupy`: cupy
        require sub/setup.cfg:11:12 `cudf>=1`: cudf >=1";
    check_wanted(
        &files,
        &wanted(&["*"], &[]),
        &[always, extras, end].concat(),
    );
}

#[test]
fn setup_cfg_that_setup_py_adds_to() {
    check_files(
        &[
            ("setup.cfg", SETUP_CFG),
            ("setup.py", "setup(install_requires=more())"),
        ],
        "project setup.cfg my-lib
         build . (setup.cfg): its setup.py computes them",
    );
}

#[test]
fn what_other_tools_tables_say_is_told_to_be_unread() {
    let project = "[project]\nname = \"p\"\ndependencies = [\"torch\"]\n\
                   [tool.uv]\noverride-dependencies = [\"numpy<2\"]\npackage = false\n\
                   [tool.uv.sources]\ntorch = { index = \"pytorch\" }\n";
    check_files(
        &[("pyproject.toml", project)],
        "
        require pyproject.toml:3:18 `torch`: torch
        project pyproject.toml p
        warning pyproject.toml:7: `sources` in `[tool.uv]` is not read; `[tool.mlresolve.sources]` says it here
        warning pyproject.toml:5: `override-dependencies` in `[tool.uv]` is not read; a file for `--override` says it here
        ",
    );
    // Who has settings here has seen to it.
    let settled = format!("{project}[tool.mlresolve]\npre = false\n");
    check_files(
        &[("pyproject.toml", &settled)],
        "
        require pyproject.toml:3:18 `torch`: torch
        project pyproject.toml p
        ",
    );
}

#[test]
fn extras_and_groups_that_name_one_another_without_end() {
    use std::fmt::Write as _;

    let mut extras = "[project]\nname = \"p\"\n[project.optional-dependencies]\n".to_owned();
    let mut groups = "[dependency-groups]\n".to_owned();
    for number in 0..20_000 {
        let next = number + 1;
        writeln!(extras, "e{number} = [\"p[e{next}]\"]").expect("a text");
        writeln!(groups, "g{number} = [{{ include-group = \"g{next}\" }}]").expect("a text");
    }
    extras.push_str("e20000 = []\n");
    groups.push_str("g20000 = []\n");
    for (text, wanted, expected) in [
        (
            extras,
            wanted(&["e0"], &[]),
            "more than 64 extras name one another",
        ),
        (
            groups,
            wanted(&[], &["g0"]),
            "more than 64 groups name one another",
        ),
    ] {
        let error = super::read(&[("pyproject.toml", &text)], &wanted)
            .expect_err("no reader follows so many");
        assert!(error.to_string().contains(expected), "{error}");
    }
}
