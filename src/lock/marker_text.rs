//! A marker as a lock writes it: the user's own terms in their order, evenly spaced.
//!
//! pip-compile repeats the marker of the user's line, with double quotes, one space
//! between words and no needless parentheses. A parsed marker would come back
//! rearranged, which a reviewer would see as a change.

/// Deeper nesting is given back as it was written.
const MAX_DEPTH: usize = 32;

/// The marker, evenly written; as it was (trimmed) where it is no marker.
pub(super) fn tidy(marker: &str) -> String {
    let trimmed = marker.trim();
    tokens(trimmed)
        .and_then(|tokens| {
            let mut parser = Parser {
                tokens: &tokens,
                at: 0,
            };
            let node = parser.sequence(0)?;
            (parser.at == tokens.len()).then(|| node.text(true))
        })
        .unwrap_or_else(|| trimmed.to_owned())
}

/// The marker of a requirement as written, where it has one: what follows the `;`.
///
/// Behind a URL the `;` must follow a space, since URLs may hold one (PEP 508).
pub(super) fn of_requirement(text: &str) -> Option<&str> {
    let (_, marker) = if text.contains('@') {
        text.split_once(" ;")?
    } else {
        text.split_once(';')?
    };
    let marker = marker.trim();
    (!marker.is_empty()).then_some(marker)
}

enum Token {
    Open,
    Close,
    Word(String),
}

enum Node {
    Comparison(String),
    /// Terms, and the `and` or `or` between them.
    Sequence(Vec<Node>, Vec<String>),
}

impl Node {
    fn text(&self, outermost: bool) -> String {
        match self {
            Self::Comparison(text) => text.clone(),
            Self::Sequence(terms, joints) => {
                let mut text = String::new();
                for (position, term) in terms.iter().enumerate() {
                    if let Some(joint) = position.checked_sub(1).and_then(|at| joints.get(at)) {
                        text.push(' ');
                        text.push_str(joint);
                        text.push(' ');
                    }
                    text.push_str(&term.text(false));
                }
                if outermost { text } else { format!("({text})") }
            }
        }
    }
}

struct Parser<'a> {
    tokens: &'a [Token],
    at: usize,
}

impl Parser<'_> {
    fn sequence(&mut self, depth: usize) -> Option<Node> {
        if depth > MAX_DEPTH {
            return None;
        }
        let mut terms = vec![self.term(depth)?];
        let mut joints = Vec::new();
        while let Some(joint @ ("and" | "or")) = self.peek() {
            joints.push(joint.to_owned());
            self.at += 1;
            terms.push(self.term(depth)?);
        }
        if terms.len() == 1 {
            return terms.pop();
        }
        Some(Node::Sequence(terms, joints))
    }

    fn term(&mut self, depth: usize) -> Option<Node> {
        if matches!(self.tokens.get(self.at), Some(Token::Open)) {
            self.at += 1;
            let inner = self.sequence(depth + 1)?;
            let closed = matches!(self.tokens.get(self.at), Some(Token::Close));
            self.at += 1;
            return closed.then_some(inner);
        }
        let left = self.word()?;
        let mut operator = self.word()?;
        if operator == "not" {
            operator = format!("not {}", self.word()?);
        }
        let right = self.word()?;
        Some(Node::Comparison(format!("{left} {operator} {right}")))
    }

    fn peek(&self) -> Option<&str> {
        match self.tokens.get(self.at) {
            Some(Token::Word(word)) => Some(word),
            _ => None,
        }
    }

    fn word(&mut self) -> Option<String> {
        let word = self.peek()?.to_owned();
        self.at += 1;
        Some(word)
    }
}

fn tokens(marker: &str) -> Option<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut rest = marker.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '(' | ')' => {
                tokens.push(if first == '(' {
                    Token::Open
                } else {
                    Token::Close
                });
                1
            }
            '\'' | '"' => {
                let value = rest.get(1..)?.split_once(first)?.0;
                let quote = if value.contains('"') { '\'' } else { '"' };
                tokens.push(Token::Word(format!("{quote}{value}{quote}")));
                value.len() + 2
            }
            '<' | '>' | '=' | '!' | '~' => {
                let end = rest
                    .find(|letter: char| !"<>=!~".contains(letter))
                    .unwrap_or(rest.len());
                tokens.push(Token::Word(rest.get(..end)?.to_owned()));
                end
            }
            letter if letter.is_ascii_alphanumeric() || letter == '_' => {
                let end = rest
                    .find(|letter: char| !(letter.is_ascii_alphanumeric() || "_.".contains(letter)))
                    .unwrap_or(rest.len());
                tokens.push(Token::Word(variable(rest.get(..end)?).to_owned()));
                end
            }
            _ => return None,
        };
        rest = rest.get(length..)?.trim_start();
    }
    Some(tokens)
}

/// The present names of the variables that early setuptools spelled otherwise (PEP 508).
fn variable(name: &str) -> &str {
    match name {
        "os.name" => "os_name",
        "sys.platform" => "sys_platform",
        "platform.version" => "platform_version",
        "platform.machine" => "platform_machine",
        "platform.python_implementation" | "python_implementation" => {
            "platform_python_implementation"
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::{of_requirement, tidy};

    #[test]
    fn written_as_pip_compile_writes_them() {
        for (marker, expected) in [
            ("python_version>'3'", "python_version > \"3\""),
            ("(python_version>'3')", "python_version > \"3\""),
            (
                "python_version>='3.7' and (os_name=='posix' or sys_platform=='linux')",
                "python_version >= \"3.7\" and (os_name == \"posix\" or sys_platform == \"linux\")",
            ),
            (
                "((os_name=='posix') and (sys_platform=='linux'))",
                "os_name == \"posix\" and sys_platform == \"linux\"",
            ),
            ("'linux'  in sys_platform", "\"linux\" in sys_platform"),
            (
                "sys_platform not  in 'win32'",
                "sys_platform not in \"win32\"",
            ),
            ("os_name=='a\"b'", "os_name == 'a\"b'"),
            (
                "os_name=='a' or os_name=='b' and sys_platform == 'c'",
                "os_name == \"a\" or os_name == \"b\" and sys_platform == \"c\"",
            ),
            (
                "python_implementation=='CPython'",
                "platform_python_implementation == \"CPython\"",
            ),
            ("os.name == 'posix'", "os_name == \"posix\""),
            // No markers: given back as they are.
            (" os_name == 'a ", "os_name == 'a"),
            ("(os_name == 'a'", "(os_name == 'a'"),
            ("os_name", "os_name"),
            ("é == 'a'", "é == 'a'"),
        ] {
            assert_eq!(tidy(marker), expected, "{marker}");
        }
    }

    #[test]
    fn deep_nesting_is_left_alone() {
        let deep = format!("{}os_name == 'a'{}", "(".repeat(5000), ")".repeat(5000));
        assert_eq!(tidy(&deep), deep);
    }

    #[test]
    fn found_behind_the_semicolon() {
        assert_eq!(
            of_requirement("a>1; os_name == 'a'"),
            Some("os_name == 'a'")
        );
        assert_eq!(of_requirement("a>1"), None);
        assert_eq!(of_requirement("a @ https://files.example/a;b.whl"), None);
        assert_eq!(
            of_requirement("a @ https://files.example/a;b.whl ; os_name == 'a'"),
            Some("os_name == 'a'")
        );
    }
}
