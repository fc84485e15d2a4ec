//! JSON pages as indexes write them, scanned.
//!
//! A run reads pages of a hundred megabytes together. They are written by programs, so that
//! every file is an object with the same few keys, and nearly every text stands as it is meant,
//! without escapes. Such a page is scanned here: texts are found by their ends, and nothing is
//! made of what nobody asks for. Whatever is written in another way, or wrong, is left to the
//! library as a whole: what is scanned is always what the library would have read.

use std::borrow::Cow;

use super::super::page::{self, Addresses, Hashes, Link};
use super::{MOST_ENTRIES, Meta, ProjectFile, Value};

/// Values lie within at most so many others; the library reads deeper ones.
const DEEPEST: usize = 16;

/// Gives the links of a page, and what it says of itself; `None` where the page is to be read by
/// the library, which then begins anew.
pub(super) fn links<'p>(
    mut addresses: Addresses<'_>,
    body: &'p [u8],
    each: &mut dyn FnMut(Option<Link<'p>>),
) -> Option<Meta<'p>> {
    let mut scan = Scan::of(std::str::from_utf8(body).ok()?);
    let (mut meta, mut files) = (None, None);
    scan.object(&mut |scan, key| match &*key {
        "files" if files.is_none() => {
            let mut count = 0_usize;
            files = Some(());
            scan.list(&mut |scan| {
                count += 1;
                (count <= page::MOST_LINKS).then_some(())?;
                each(ProjectFile::scanned(scan)?.into_link(&mut addresses));
                Some(())
            })
        }
        "meta" if meta.is_none() => {
            scan.space();
            let start = scan.place;
            scan.skip(0)?;
            let value = scan.text.get(start..scan.place)?;
            meta = Some(serde_json::from_str(value).ok()?);
            Some(())
        }
        "files" | "meta" => None,
        _ => scan.skip(0),
    })?;
    scan.space();
    files?;
    (scan.place == body.len()).then(|| meta.unwrap_or_default())
}

impl<'p> ProjectFile<'p> {
    /// One file, as far as it is written as indexes do.
    fn scanned(scan: &mut Scan<'p>) -> Option<Self> {
        let mut listed = Self::default();
        scan.object(&mut |scan, key| {
            let value = match key.as_bytes() {
                b"filename" => &mut listed.filename,
                b"url" => &mut listed.url,
                b"hashes" => &mut listed.hashes,
                b"size" => &mut listed.size,
                b"upload-time" => &mut listed.upload_time,
                b"requires-python" => &mut listed.requires_python,
                b"yanked" => &mut listed.yanked,
                b"core-metadata" => &mut listed.core_metadata,
                b"dist-info-metadata" => &mut listed.dist_info_metadata,
                _ => return scan.skip(0),
            };
            // A key may stand there once.
            matches!(value, Value::None).then_some(())?;
            *value = scan.value()?;
            Some(())
        })?;
        Some(listed)
    }
}

/// A text, read from its beginning to its end.
struct Scan<'p> {
    text: &'p str,
    place: usize,
    /// Whether no text in it can hold an escape or a byte that is to be escaped: most pages are
    /// written on one line, and a text then ends at the next quotation mark.
    is_plain: bool,
}

impl<'p> Scan<'p> {
    fn of(text: &'p str) -> Self {
        let bytes = text.as_bytes();
        // Looked at to the end, so that the compiler takes many bytes at once.
        let least = bytes.iter().fold(u8::MAX, |least, byte| least.min(*byte));
        Self {
            text,
            place: 0,
            is_plain: least >= b' ' && memchr::memchr(b'\\', bytes).is_none(),
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.place).copied()
    }

    fn space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.place += 1;
        }
    }

    /// Whether this is the next byte that is no space, which it then goes past.
    fn goes_past(&mut self, byte: u8) -> bool {
        self.space();
        let is_next = self.peek() == Some(byte);
        self.place += usize::from(is_next);
        is_next
    }

    /// Goes past a byte.
    fn past(&mut self, byte: u8) -> Option<()> {
        self.goes_past(byte).then_some(())
    }

    fn word(&mut self, word: &str) -> Option<()> {
        let end = self.place.checked_add(word.len())?;
        (self.text.get(self.place..end)? == word).then_some(())?;
        self.place = end;
        Some(())
    }

    /// An object; `each` gets its keys, and reads their values.
    fn object(
        &mut self,
        each: &mut dyn FnMut(&mut Self, Cow<'p, str>) -> Option<()>,
    ) -> Option<()> {
        self.past(b'{')?;
        if self.goes_past(b'}') {
            return Some(());
        }
        loop {
            self.space();
            let key = self.string()?;
            self.past(b':')?;
            each(self, key)?;
            if !self.goes_past(b',') {
                return self.past(b'}');
            }
        }
    }

    /// A list; `each` reads its members.
    fn list(&mut self, each: &mut dyn FnMut(&mut Self) -> Option<()>) -> Option<()> {
        self.past(b'[')?;
        if self.goes_past(b']') {
            return Some(());
        }
        loop {
            each(self)?;
            if !self.goes_past(b',') {
                return self.past(b']');
            }
        }
    }

    /// A value of a key of a file.
    fn value(&mut self) -> Option<Value<'p>> {
        self.space();
        match self.peek()? {
            b'"' => self.string().map(Value::Text),
            b'{' => self.hashes().map(Value::Hashes),
            b'n' => self.word("null").map(|()| Value::Null),
            b't' => self.word("true").map(|()| Value::Bool(true)),
            b'f' => self.word("false").map(|()| Value::Bool(false)),
            b'0'..=b'9' => self.number().map(Value::Number),
            _ => None,
        }
    }

    /// An object of hashes.
    fn hashes(&mut self) -> Option<Hashes> {
        let (mut hashes, mut count) = (Hashes::default(), 0);
        self.object(&mut |scan, algorithm| {
            scan.space();
            hashes.add(&algorithm, &scan.string()?);
            count += 1;
            (count <= MOST_ENTRIES).then_some(())
        })?;
        Some(hashes)
    }

    /// A whole number, written in digits.
    fn number(&mut self) -> Option<u64> {
        let start = self.place;
        while let Some(b'0'..=b'9') = self.peek() {
            self.place += 1;
        }
        let digits = self.text.get(start..self.place)?;
        let is_usual = digits == "0" || !digits.starts_with('0');
        let goes_on = matches!(self.peek(), Some(b'.' | b'e' | b'E'));
        (is_usual && !goes_on).then(|| digits.parse().ok())?
    }

    /// A text.
    fn string(&mut self) -> Option<Cow<'p, str>> {
        (self.peek()? == b'"').then_some(())?;
        let quote = self.place;
        self.place += 1;
        let start = self.place;
        if self.is_plain {
            let rest = self.text.get(start..)?;
            let length = memchr::memchr(b'"', rest.as_bytes())?;
            self.place += length + 1;
            return rest.get(..length).map(Cow::Borrowed);
        }
        let mut is_escaped = false;
        loop {
            self.place += usual(self.text.as_bytes().get(self.place..)?);
            match self.peek()? {
                b'"' => break,
                b'\\' => {
                    is_escaped = true;
                    self.place += 2;
                }
                // Not to be written in this way.
                _ => return None,
            }
        }
        let end = self.place;
        self.place += 1;
        if is_escaped {
            let whole = self.text.get(quote..self.place)?;
            return serde_json::from_str(whole).ok().map(Cow::Owned);
        }
        self.text.get(start..end).map(Cow::Borrowed)
    }

    /// Goes past a value.
    fn skip(&mut self, depth: usize) -> Option<()> {
        self.space();
        match self.peek()? {
            b'"' => self.string().map(drop),
            b'{' if depth < DEEPEST => self.object(&mut |scan, _| scan.skip(depth + 1)),
            b'[' if depth < DEEPEST => self.list(&mut |scan| scan.skip(depth + 1)),
            b'n' => self.word("null"),
            b't' => self.word("true"),
            b'f' => self.word("false"),
            b'0'..=b'9' => self.number().map(drop),
            _ => None,
        }
    }
}

/// How many bytes there are before one that ends a text, begins an escape, or may not stand in it.
fn usual(bytes: &[u8]) -> usize {
    const AT_ONCE: usize = 16;
    let is_unusual = |byte: u8| matches!(byte, b'"' | b'\\' | ..b' ');
    let (chunks, rest) = bytes.as_chunks::<AT_ONCE>();
    let mut before = 0;
    for chunk in chunks {
        // Without branches, so that the compiler looks at all of them at once.
        if chunk
            .iter()
            .fold(false, |any, byte| any | is_unusual(*byte))
        {
            let within = chunk.iter().position(|byte| is_unusual(*byte));
            return before + within.unwrap_or(0);
        }
        before += AT_ONCE;
    }
    before
        + rest
            .iter()
            .position(|byte| is_unusual(*byte))
            .unwrap_or(rest.len())
}

#[cfg(test)]
mod tests;
