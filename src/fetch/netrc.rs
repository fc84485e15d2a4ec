//! The netrc file: user names and passwords by host.

use std::iter::Peekable;
use std::str::Chars;

use super::auth::Credentials;

/// What a netrc file says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Netrc {
    machines: Vec<(String, Credentials)>,
    default: Option<Credentials>,
}

impl Netrc {
    /// Reads the text of a netrc file, as Python's `netrc` module understands it: words
    /// between white space, `"` quotes with `\` escapes, comments from `#` where a
    /// keyword could stand, macros up to an empty line.
    ///
    /// # Errors
    ///
    /// A sentence about the first thing that cannot be understood.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut netrc = Self::default();
        let mut words = Words::new(text);
        while let Some(word) = words.keyword() {
            match word.as_str() {
                "machine" => {
                    let host = words.value().ok_or("`machine` without a name")?;
                    if let Some(credentials) = entry(&mut words)? {
                        netrc
                            .machines
                            .push((host.to_ascii_lowercase(), credentials));
                    }
                }
                "default" => {
                    if let Some(credentials) = entry(&mut words)? {
                        netrc.default.get_or_insert(credentials);
                    }
                }
                "macdef" => words.skip_macro(),
                other => return Err(format!("`{other}` where `machine` was expected")),
            }
        }
        Ok(netrc)
    }

    /// What the file says of the host by name.
    pub fn machine(&self, host: &str) -> Option<&Credentials> {
        self.machines
            .iter()
            .find(|(machine, _)| machine.eq_ignore_ascii_case(host))
            .map(|(_, credentials)| credentials)
    }

    /// What the file says of all hosts that it does not name.
    pub fn default_entry(&self) -> Option<&Credentials> {
        self.default.as_ref()
    }
}

/// Reads `login`, `password` and `account` up to the next entry.
fn entry(words: &mut Words<'_>) -> Result<Option<Credentials>, String> {
    let (mut user, mut password) = (None, None);
    while let Some(word) = words.peek_keyword() {
        match word.as_str() {
            "machine" | "default" | "macdef" => break,
            "login" | "user" | "password" | "account" => {
                words.keyword();
                let value = words
                    .value()
                    .ok_or_else(|| format!("`{word}` without a value"))?;
                match word.as_str() {
                    "password" => password = Some(value),
                    "account" => {}
                    _ => user = Some(value),
                }
            }
            other => {
                return Err(format!(
                    "`{other}` where `login` or `password` was expected"
                ));
            }
        }
    }
    if user.is_none() && password.is_none() {
        return Ok(None);
    }
    Ok(Some(Credentials::new(user.unwrap_or_default(), password)))
}

struct Words<'text> {
    rest: Peekable<Chars<'text>>,
    peeked: Option<String>,
}

impl<'text> Words<'text> {
    fn new(text: &'text str) -> Self {
        Self {
            rest: text
                .strip_prefix('\u{feff}')
                .unwrap_or(text)
                .chars()
                .peekable(),
            peeked: None,
        }
    }

    /// The next word where a keyword may stand; comments are passed over.
    fn keyword(&mut self) -> Option<String> {
        if let Some(word) = self.peeked.take() {
            return Some(word);
        }
        loop {
            self.skip_white_space();
            if self.rest.peek() != Some(&'#') {
                return self.word();
            }
            while self.rest.next_if(|character| *character != '\n').is_some() {}
        }
    }

    fn peek_keyword(&mut self) -> Option<String> {
        let word = self.keyword()?;
        self.peeked = Some(word.clone());
        Some(word)
    }

    /// The next word where a value stands; it may begin with `#`.
    fn value(&mut self) -> Option<String> {
        self.skip_white_space();
        self.word()
    }

    fn skip_white_space(&mut self) {
        while self
            .rest
            .next_if(|character| character.is_whitespace())
            .is_some()
        {}
    }

    fn word(&mut self) -> Option<String> {
        let quoted = self.rest.next_if_eq(&'"').is_some();
        let mut word = String::new();
        while let Some(&character) = self.rest.peek() {
            match character {
                '"' if quoted => {
                    self.rest.next();
                    return Some(word);
                }
                '\\' => {
                    self.rest.next();
                    word.extend(self.rest.next());
                }
                other if !quoted && other.is_whitespace() => break,
                other => {
                    self.rest.next();
                    word.push(other);
                }
            }
        }
        (quoted || !word.is_empty()).then_some(word)
    }

    /// A macro ends at the first empty line.
    fn skip_macro(&mut self) {
        let mut line_is_empty = false;
        for character in self.rest.by_ref() {
            match character {
                '\n' if line_is_empty => return,
                '\n' => line_is_empty = true,
                other if other.is_whitespace() => {}
                _ => line_is_empty = false,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some(user: &str, password: &str) -> Credentials {
        Credentials::new(user.to_owned(), Some(password.to_owned()))
    }

    #[test]
    fn entries_comments_quotes_and_macros() {
        let netrc = Netrc::parse(
            "# a comment\nmachine Index.example login ada password #secret # more\n\
             macdef init\nmachine not.example login x password y\n\n\
             machine files.example\n\tlogin \"a b\"\n\tpassword \"c\\\"d\"\n\
             default login anonymous password guest\n",
        )
        .expect("the text is well formed");
        assert_eq!(
            netrc.machine("index.example"),
            Some(&some("ada", "#secret"))
        );
        assert_eq!(netrc.machine("files.example"), Some(&some("a b", "c\"d")));
        assert_eq!(netrc.machine("not.example"), None);
        assert_eq!(netrc.default_entry(), Some(&some("anonymous", "guest")));
    }

    #[test]
    fn what_cannot_be_understood_is_said() {
        for (text, said) in [
            ("machine", "`machine` without a name"),
            ("machine a login", "`login` without a value"),
            (
                "machine a token b",
                "`token` where `login` or `password` was expected",
            ),
            ("password b", "`password` where `machine` was expected"),
        ] {
            assert_eq!(Netrc::parse(text), Err(said.to_owned()), "{text}");
        }
    }
}
