//! Splits the options of a line into words, as a POSIX shell does.
//!
//! pip splits them with Python's `shlex.split`: single quotes keep everything, double
//! quotes let a backslash escape themselves and the backslash, elsewhere a backslash
//! takes the next character as it is.

use std::ops::Range;

/// One word, without its quotes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word {
    /// The word's value.
    pub(super) value: String,
    /// Where it stands in the text, quotes included.
    pub(super) range: Range<usize>,
    /// For each byte of the value, its byte in the text.
    at: Vec<usize>,
}

impl Word {
    /// Where the value from this byte on stands in the text.
    pub(super) fn from(&self, byte: usize) -> Range<usize> {
        let start = self.at.get(byte).copied().unwrap_or(self.range.end);
        start..self.range.end
    }

    /// Where this piece of the value stands in the text.
    pub(super) fn piece(&self, piece: Range<usize>) -> Range<usize> {
        let start = self.from(piece.start).start;
        let end = piece
            .end
            .checked_sub(1)
            .and_then(|last| self.at.get(last))
            .map_or(start, |last| last + 1);
        start..end.max(start)
    }

    fn push(&mut self, character: char, position: usize) {
        self.value.push(character);
        self.at
            .extend(position..position.saturating_add(character.len_utf8()));
    }
}

/// A quote or an escape that does not end, from where it begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unfinished {
    /// The character that begins it.
    pub(super) opening: char,
    /// Where it stands.
    pub(super) range: Range<usize>,
}

/// Splits `text` from the byte `start` on; ranges count from the beginning of `text`.
pub(super) fn split(text: &str, start: usize) -> Result<Vec<Word>, Unfinished> {
    let mut words = Vec::new();
    let mut word: Option<Word> = None;
    let rest = text.get(start..).unwrap_or_default();
    let mut characters = rest.char_indices().map(|(at, c)| (at + start, c));
    while let Some((position, character)) = characters.next() {
        if matches!(character, ' ' | '\t' | '\r' | '\n') {
            words.extend(word.take());
            continue;
        }
        let current = word.get_or_insert_with(|| Word {
            value: String::new(),
            range: position..position,
            at: Vec::new(),
        });
        let unfinished = Unfinished {
            opening: character,
            range: position..text.len(),
        };
        match character {
            '\\' => {
                let (at, escaped) = characters.next().ok_or(unfinished)?;
                current.push(escaped, at);
                current.range.end = at + escaped.len_utf8();
            }
            '"' | '\'' => {
                current.range.end =
                    quoted(&mut characters, character, current).ok_or(unfinished)? + 1;
            }
            other => {
                current.push(other, position);
                current.range.end = position + other.len_utf8();
            }
        }
    }
    words.extend(word);
    Ok(words)
}

/// Reads up to the closing quote and gives its position.
fn quoted(
    characters: &mut impl Iterator<Item = (usize, char)>,
    quote: char,
    word: &mut Word,
) -> Option<usize> {
    while let Some((position, character)) = characters.next() {
        if character == quote {
            return Some(position);
        }
        if character == '\\' && quote == '"' {
            let (at, escaped) = characters.next()?;
            if !matches!(escaped, '"' | '\\') {
                word.push('\\', position);
            }
            word.push(escaped, at);
        } else {
            word.push(character, position);
        }
    }
    None
}
