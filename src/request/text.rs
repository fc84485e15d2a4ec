//! A file's text, decoded, with what it takes to say where something stands in it.

use std::ops::Range;
use std::sync::Arc;

use miette::{NamedSource, SourceSpan};

use super::{Place, RequestError, url_text};

/// A decoded file.
#[derive(Debug, Clone)]
pub(super) struct SourceText {
    /// The file as the user named it.
    file: Arc<str>,
    text: Arc<str>,
    /// The same for messages: passwords in URLs blotted out.
    shown: Arc<NamedSource<Arc<str>>>,
    /// The byte at which each line starts.
    starts: Arc<[usize]>,
}

/// A piece of a file, for a message that points at it.
#[derive(Debug, Clone)]
pub struct Excerpt {
    /// Where the piece begins.
    pub place: Place,
    /// The file's name and text, passwords in URLs blotted out.
    pub(super) source: Arc<NamedSource<Arc<str>>>,
    /// The piece, in bytes of the text.
    pub(super) span: SourceSpan,
}

impl SourceText {
    /// Takes a text that is already decoded.
    pub(super) fn new(file: Arc<str>, text: &str) -> Self {
        let starts = line_starts(text);
        let shown = url_text::blot(text).into();
        Self {
            shown: Arc::new(NamedSource::new(&file, shown)),
            file,
            text: text.into(),
            starts: starts.into(),
        }
    }

    /// Decodes a file as pip does: by its byte order mark, else by a coding line
    /// (PEP 263) among its first two, else as UTF-8.
    ///
    /// pip's last resort is the encoding of the locale; the same file must mean the
    /// same everywhere, so here it is UTF-8.
    pub(super) fn decode(file: &Arc<str>, bytes: &[u8]) -> Result<Self, RequestError> {
        let text = if let Some(rest) = bytes.strip_prefix(b"\xef\xbb\xbf") {
            utf8(file, rest)?
        } else if let Some(rest) = bytes.strip_prefix(b"\xff\xfe") {
            utf16(file, rest, u16::from_le_bytes)?
        } else if let Some(rest) = bytes.strip_prefix(b"\xfe\xff") {
            utf16(file, rest, u16::from_be_bytes)?
        } else {
            match coding_line(bytes) {
                None => utf8(file, bytes)?,
                Some((line, name)) => by_name(file, bytes, line, &name)?,
            }
        };
        Self::checked(file, &text)
    }

    /// Decodes a file that must be UTF-8 (TOML).
    pub(super) fn decode_utf8(file: &Arc<str>, bytes: &[u8]) -> Result<Self, RequestError> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        Self::checked(file, &utf8(file, bytes)?)
    }

    fn checked(file: &Arc<str>, text: &str) -> Result<Self, RequestError> {
        let source = Self::new(Arc::clone(file), text);
        match text.find('\0') {
            None => Ok(source),
            Some(offset) => Err(RequestError::NotText {
                place: source.place(offset),
                detail: "a NUL byte".to_owned(),
            }),
        }
    }

    /// The text.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The file as the user named it.
    pub(super) fn file(&self) -> &Arc<str> {
        &self.file
    }

    /// The place of a byte of the text.
    pub(super) fn place(&self, offset: usize) -> Place {
        let line = self.starts.partition_point(|start| *start <= offset);
        let start = self
            .starts
            .get(line.saturating_sub(1))
            .copied()
            .unwrap_or(0);
        let column = self
            .text
            .get(start..offset)
            .map_or(0, |before| before.chars().count());
        Place {
            file: Arc::clone(&self.file),
            line: u32::try_from(line.max(1)).unwrap_or(u32::MAX),
            column: u32::try_from(column.saturating_add(1)).unwrap_or(u32::MAX),
        }
    }

    /// The piece of this many bytes at a place of this file, for a message.
    pub(super) fn excerpt_at(&self, place: &Place, length: usize) -> Excerpt {
        let line = usize::try_from(place.line.saturating_sub(1)).unwrap_or(usize::MAX);
        let column = usize::try_from(place.column.saturating_sub(1)).unwrap_or(usize::MAX);
        let start = self.starts.get(line).copied().unwrap_or_default();
        let line = self.text.get(start..).unwrap_or_default();
        let lead = line.char_indices().nth(column).map_or(0, |(byte, _)| byte);
        self.excerpt(start + lead..start + lead + length)
    }

    /// The piece at these bytes, for a message.
    pub(super) fn excerpt(&self, range: Range<usize>) -> Excerpt {
        let start = self.text.floor_char_boundary(range.start);
        let end = self.text.ceil_char_boundary(range.end).max(start);
        Excerpt {
            place: self.place(start),
            source: Arc::clone(&self.shown),
            span: (start, end - start).into(),
        }
    }
}

/// Lines end at LF, CRLF or CR, as editors count them.
fn line_starts(text: &str) -> Vec<usize> {
    let bytes = text.as_bytes();
    let mut starts = vec![0];
    for (position, byte) in bytes.iter().enumerate() {
        let ends = match byte {
            b'\n' => true,
            b'\r' => bytes.get(position + 1) != Some(&b'\n'),
            _ => false,
        };
        if ends {
            starts.push(position + 1);
        }
    }
    starts
}

fn utf8(file: &Arc<str>, bytes: &[u8]) -> Result<String, RequestError> {
    std::str::from_utf8(bytes)
        .map(str::to_owned)
        .map_err(|error| {
            let good = bytes.get(..error.valid_up_to()).unwrap_or_default();
            let good = String::from_utf8_lossy(good);
            let byte = bytes.get(error.valid_up_to()).copied().unwrap_or_default();
            RequestError::NotText {
                place: SourceText::new(Arc::clone(file), &good).place(good.len()),
                detail: format!("the byte 0x{byte:02x}, which is not UTF-8"),
            }
        })
}

fn utf16(file: &Arc<str>, bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<String, RequestError> {
    let mut text = String::with_capacity(bytes.len() / 2);
    let (pairs, rest) = bytes.as_chunks::<2>();
    let units = pairs.iter().map(|pair| unit(*pair));
    let mut whole = rest.is_empty();
    for decoded in char::decode_utf16(units) {
        let Ok(character) = decoded else {
            whole = false;
            break;
        };
        text.push(character);
    }
    if whole {
        return Ok(text);
    }
    Err(RequestError::NotText {
        place: SourceText::new(Arc::clone(file), &text).place(text.len()),
        detail: "bytes that are not UTF-16, which the file's byte order mark announces".to_owned(),
    })
}

/// The encoding that one of the first two lines names, with that line's number from 1.
///
/// The line must begin with `#` and hold `coding:` or `coding=` (PEP 263).
fn coding_line(bytes: &[u8]) -> Option<(usize, String)> {
    let lines = bytes.split(|byte| *byte == b'\n').take(2).enumerate();
    for (position, line) in lines {
        if line.first() != Some(&b'#') {
            continue;
        }
        let line = String::from_utf8_lossy(line);
        for (at, word) in line.match_indices("coding") {
            let Some(rest) = line
                .get(at + word.len()..)
                .and_then(|rest| rest.strip_prefix([':', '=']))
            else {
                continue;
            };
            let name: String = rest
                .trim_start()
                .chars()
                .take_while(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.'))
                .collect();
            if !name.is_empty() {
                return Some((position + 1, name));
            }
        }
    }
    None
}

fn by_name(file: &Arc<str>, bytes: &[u8], line: usize, name: &str) -> Result<String, RequestError> {
    let normal = name.to_ascii_lowercase().replace('_', "-");
    match normal.as_str() {
        "utf-8" | "utf8" | "utf-8-sig" | "ascii" | "us-ascii" => utf8(file, bytes),
        // Each byte of Latin-1 is the character with its number.
        "latin-1" | "latin1" | "iso-8859-1" | "iso8859-1" | "l1" => {
            Ok(bytes.iter().copied().map(char::from).collect())
        }
        _ => Err(RequestError::NotText {
            place: Place {
                file: Arc::clone(file),
                line: u32::try_from(line).unwrap_or(u32::MAX),
                column: 1,
            },
            detail: format!("the encoding `{name}`, which is not read here"),
        }),
    }
}
