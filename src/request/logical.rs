//! The logical lines of a requirements file: joined, without comments, variables filled in.
//!
//! The rules are those of pip's documentation ("Requirements File Format") with the
//! details that pip 23.2 shows when tried: backslashes are taken off both ends of a
//! line that continues, a comment line ends a continuation, and `${NAME}` is filled in
//! after comments are gone, only where the variable is set and not empty.

use std::ops::Range;

/// One logical line. Every byte of it knows where it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LogicalLine {
    /// The line as written, joined and without its comment.
    raw: String,
    /// For each byte of `raw`, its byte in the file.
    raw_at: Vec<u32>,
    /// The line with variables filled in.
    text: String,
    /// For each byte of `text`, the bytes of `raw` it stands for; `None` where the two
    /// are the same.
    text_at: Option<Vec<(u32, u32)>>,
}

impl LogicalLine {
    /// The line with variables filled in.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// What was written for these bytes of the text.
    pub(super) fn raw(&self, range: Range<usize>) -> &str {
        self.raw.get(self.raw_range(range)).unwrap_or_default()
    }

    /// Where in the file these bytes of the text stand.
    pub(super) fn source_range(&self, range: Range<usize>) -> Range<usize> {
        let raw = self.raw_range(range);
        let at = |position: usize| self.raw_at.get(position).map_or(0, |byte| *byte as usize);
        let Some(last) = raw.end.checked_sub(1).filter(|last| *last >= raw.start) else {
            // An empty piece: just before its byte, or just after the line's last one.
            let start = match raw.start.checked_sub(1) {
                Some(before) if raw.start >= self.raw.len() => at(before) + 1,
                _ => at(raw.start),
            };
            return start..start;
        };
        at(raw.start)..at(last) + 1
    }

    fn raw_range(&self, range: Range<usize>) -> Range<usize> {
        let Some(text_at) = &self.text_at else {
            return range;
        };
        let end_of_raw = self.raw.len();
        let start = text_at
            .get(range.start)
            .map_or(end_of_raw, |piece| piece.0 as usize);
        let end = match range.end.checked_sub(1) {
            Some(last) if range.end > range.start => text_at
                .get(last)
                .map_or(end_of_raw, |piece| piece.1 as usize),
            _ => start,
        };
        start..end
    }
}

/// Splits a file into its logical lines; empty ones are left out.
pub(super) fn logical_lines(
    source: &str,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Vec<LogicalLine> {
    let mut lines = Vec::new();
    let mut joined = Joined::default();
    for range in physical_lines(source) {
        let line = source.get(range.clone()).unwrap_or_default();
        let comment = is_comment_line(line);
        if line.ends_with('\\') && !comment {
            let kept = line.trim_end_matches('\\');
            let end = range.start + kept.len();
            let kept = kept.trim_start_matches('\\');
            joined.push(kept, end - kept.len());
            continue;
        }
        if comment {
            // So that the comment is seen as one, whatever stands before it.
            joined.push(" ", range.start);
        }
        joined.push(line, range.start);
        lines.extend(std::mem::take(&mut joined).finish(variable));
    }
    lines.extend(joined.finish(variable));
    lines
}

/// The ranges of the lines as Python's `str.splitlines` finds them, without their ends.
fn physical_lines(source: &str) -> Vec<Range<usize>> {
    let mut lines = Vec::new();
    let mut start = 0;
    let mut characters = source.char_indices().peekable();
    while let Some((position, character)) = characters.next() {
        let ends = matches!(
            character,
            '\n' | '\r' | '\x0b' | '\x0c' | '\x1c'..='\x1e' | '\u{85}' | '\u{2028}' | '\u{2029}'
        );
        if !ends {
            continue;
        }
        lines.push(start..position);
        start = position + character.len_utf8();
        if character == '\r' && characters.next_if(|next| next.1 == '\n').is_some() {
            start += 1;
        }
    }
    if start < source.len() {
        lines.push(start..source.len());
    }
    lines
}

/// What Python calls whitespace: Unicode's, and the four separators of ASCII.
pub(super) fn is_space(character: char) -> bool {
    character.is_whitespace() || matches!(character, '\x1c'..='\x1f')
}

fn is_comment_line(line: &str) -> bool {
    line.trim_start_matches(is_space).starts_with('#')
}

/// A line under construction.
#[derive(Debug, Default)]
struct Joined {
    raw: String,
    raw_at: Vec<u32>,
}

impl Joined {
    /// Adds a piece that stands at `start` in the file.
    fn push(&mut self, piece: &str, start: usize) {
        self.raw.push_str(piece);
        let bytes = start..start.saturating_add(piece.len());
        self.raw_at
            .extend(bytes.map(|byte| u32::try_from(byte).unwrap_or(u32::MAX)));
    }

    fn finish(self, variable: &dyn Fn(&str) -> Option<String>) -> Option<LogicalLine> {
        let end = comment_start(&self.raw).unwrap_or(self.raw.len());
        let content = self.raw.get(..end)?.trim_end_matches(is_space);
        let end = content.len();
        let content = content.trim_start_matches(is_space);
        if content.is_empty() {
            return None;
        }
        let raw_at = self.raw_at.get(end - content.len()..end)?.to_vec();
        let (text, text_at) = fill_in(content, variable);
        Some(LogicalLine {
            raw: content.to_owned(),
            raw_at,
            text,
            text_at,
        })
    }
}

/// Where the comment begins, the whitespace before it included: `#` counts at the start
/// of a line or after whitespace.
fn comment_start(line: &str) -> Option<usize> {
    let mut space_start = Some(0);
    for (position, character) in line.char_indices() {
        match (character, space_start) {
            ('#', Some(start)) => return Some(start),
            (other, Some(_)) if is_space(other) => {}
            (other, None) if is_space(other) => space_start = Some(position),
            _ => space_start = None,
        }
    }
    None
}

/// Fills in `${NAME}` (capital letters, digits, underscores) where the variable has a value.
fn fill_in(
    raw: &str,
    variable: &dyn Fn(&str) -> Option<String>,
) -> (String, Option<Vec<(u32, u32)>>) {
    let mut text = String::with_capacity(raw.len());
    let mut at = Vec::new();
    let mut filled = false;
    let mut position = 0;
    let number = |byte: usize| u32::try_from(byte).unwrap_or(u32::MAX);
    while let Some(rest) = raw.get(position..).filter(|rest| !rest.is_empty()) {
        let found = variable_name(rest).and_then(|name| {
            let value = variable(name).filter(|value| !value.is_empty())?;
            Some((name.len() + 3, value))
        });
        if let Some((length, value)) = found {
            let piece = (number(position), number(position + length));
            at.extend(std::iter::repeat_n(piece, value.len()));
            text.push_str(&value);
            position += length;
            filled = true;
        } else if let Some(character) = rest.chars().next() {
            text.push(character);
            for byte in position..position + character.len_utf8() {
                at.push((number(byte), number(byte + 1)));
            }
            position += character.len_utf8();
        }
    }
    (text, filled.then_some(at))
}

/// The variable's name, where the text begins with `${NAME}`.
fn variable_name(text: &str) -> Option<&str> {
    let (name, _) = text.strip_prefix("${")?.split_once('}')?;
    let capital = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    (!name.is_empty() && name.bytes().all(capital)).then_some(name)
}
