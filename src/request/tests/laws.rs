//! What holds for any input.

use proptest::prelude::*;

use super::super::{Input, Settings, read_inputs};
use super::{Memory, Role, show, show_error, wanted};

/// Pieces that mean something in one of the formats.
const PIECES: &[&str] = &[
    "foo",
    "numpy>=1,<2",
    "torch==2.1.*",
    " ",
    "  ",
    "\t",
    "\\\n",
    "\\",
    "\n",
    "\n",
    "\r\n",
    "\r",
    "#",
    " # why",
    ";",
    " ; ",
    "python_version",
    "os_name",
    "extra",
    "<",
    ">=",
    "==",
    "~=",
    "===",
    "=",
    "'3.10'",
    "\"x\"",
    "'",
    "\"",
    "[",
    "a",
    "]",
    ",",
    "@",
    " @ ",
    "https://h.example/a-1.zip",
    "git+https://h.example/r",
    "file:./pkg",
    "#egg=b",
    "&subdirectory=s",
    "./pkg",
    "../x-1.tar.gz",
    "x-1-py3-none-any.whl",
    "-r ",
    "-c b.txt",
    "-e ",
    "--hash=",
    "sha256:",
    "--pre",
    "-i ",
    "-f .",
    "--no-binary ",
    ":all:",
    "${TOKEN}",
    "${",
    "}",
    "é",
    "\u{2028}",
    "\x0b",
    "\u{feff}",
    "-",
    ".",
    "(",
    ")",
    "1.0",
    ".*",
    " and ",
    " or ",
    "not in",
    "in",
    "+cpu",
    "!",
    "1!2",
    "C:\\x",
    "\0",
    "[project]\n",
    "name = 'foo'\n",
    "dependencies = ['foo[a]>1', \"b\"]\n",
    "dynamic = ",
    "[project.optional-dependencies]\n",
    "[dependency-groups]\n",
    "a = ['x', {include-group='b'}]\n",
    "requires-python = '>=3'\n",
    "[options]\n",
    "install_requires = \n  foo\n",
    "targets.",
    "pre = ",
    "{",
    "true",
    "cuda = '1'\n",
    "sources.foo = ",
    "\"\"\"",
    "\\u0041",
];

/// Texts made of such pieces.
fn texts() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(PIECES), 0..24).prop_map(|pieces| pieces.concat())
}

/// Every reader over one content. Gives what it said, so that nothing is optimised away.
fn read_as_everything(content: &[u8]) -> usize {
    let mut said = 0;
    let asked = wanted(&["a", "*"], &["a", "b"]);
    for path in ["a.in", "pyproject.toml", "setup.cfg"] {
        let mut memory = Memory::new(&[
            ("b.txt", "scipy<2"),
            ("pkg/pyproject.toml", "[project]\nname = 'pkg'\n"),
        ]);
        memory.files.insert(format!("/w/{path}"), content.to_vec());
        for role in [Role::Requirements, Role::Constraints, Role::Overrides] {
            let path = path.to_owned();
            said += match read_inputs(&[Input { role, path }], &asked, &memory) {
                Ok(inputs) => show(&inputs).len(),
                Err(error) => show_error(&error).len(),
            };
        }
        memory
            .files
            .insert("/w/mlresolve.toml".to_owned(), content.to_vec());
        said += match Settings::find(".", &memory) {
            Ok(settings) => usize::from(settings.is_some()),
            Err(error) => show_error(&error).len(),
        };
    }
    said
}

/// Whether a requirement's place points at its text in the file. Where the requirement
/// goes on on another line, only its first line can be compared, which has something of it; that
/// ends at any of the characters that end a line for pip, though editors count by fewer.
fn points_at(source: &str, line: u32, column: u32, text: &str) -> bool {
    let lines = source.replace("\r\n", "\n").replace('\r', "\n");
    let found: Option<String> = lines
        .split('\n')
        .nth(line as usize - 1)
        .map(|line| line.chars().skip(column as usize - 1).collect());
    found.is_some_and(|found| {
        let ends = |it| {
            matches!(
                it,
                '\x0b' | '\x0c' | '\x1c'..='\x1e' | '\u{85}' | '\u{2028}' | '\u{2029}'
            )
        };
        let first_line = found.split(ends).next().unwrap_or_default();
        let first_line = first_line.trim_end_matches('\\');
        let continues = !first_line.is_empty() && text.starts_with(first_line);
        !text.is_empty() && (found.starts_with(text) || continues)
    })
}

#[test]
fn a_place_where_nothing_is_points_at_nothing() {
    for source in ["\u{c}foo", "\\\nfoo", "\nfoo"] {
        assert!(!points_at(source, 1, 1, "foo"), "{source:?}");
    }
    assert!(points_at("foo\u{c}", 1, 1, "foo"));
    assert!(points_at("foo\\\n==1", 1, 1, "foo==1"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        read_as_everything(&bytes);
    }

    #[test]
    fn likely_texts_never_panic(text in texts()) {
        read_as_everything(text.as_bytes());
    }

    #[test]
    fn places_point_at_the_text(text in texts()) {
        // Lines apart, so that one that is wrong does not hide the others.
        for start in 0..=text.len() {
            let Some(content) = text.get(start..).filter(|_| start == 0 || text.as_bytes()[start - 1] == b'\n') else {
                continue;
            };
            let memory = Memory::new(&[("a.in", content), ("b.txt", "scipy"), ("pkg/setup.py", "")]);
            let input = Input { role: Role::Requirements, path: "a.in".to_owned() };
            let Ok(inputs) = read_inputs(&[input], &wanted(&[], &[]), &memory) else {
                continue;
            };
            let content = content.strip_prefix('\u{feff}').unwrap_or(content);
            for line in inputs.requirements.iter().filter(|line| &*line.place.file == "a.in") {
                prop_assert!(
                    points_at(content, line.place.line, line.place.column, &line.text),
                    "{:?} is not at {}:{} of {content:?}", line.text, line.place, line.place.column,
                );
            }
        }
    }

    #[test]
    fn markers_never_panic(text in "(python_version|os_name|extra|'[a-z0-9.*]{0,6}'|[<>=!~]{1,3}| in | not in | and | or |\\(|\\)| ){1,14}") {
        let content = format!("foo ; {text}");
        read_as_everything(content.as_bytes());
    }

    #[test]
    fn reading_twice_says_the_same(text in texts()) {
        let read = || {
            let memory = Memory::new(&[("a.in", &text), ("b.txt", "scipy")]);
            let input = Input { role: Role::Requirements, path: "a.in".to_owned() };
            match read_inputs(&[input], &wanted(&[], &[]), &memory) {
                Ok(inputs) => show(&inputs),
                Err(error) => show_error(&error),
            }
        };
        prop_assert_eq!(read(), read());
    }
}
