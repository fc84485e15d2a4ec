//! Metadata as it is kept: columns, of which nothing is made before it is asked for.
//!
//! All numbers are little-endian. First the counts of lines, of extras that lines name, of
//! names and of provided extras; for each line where its text ends and where its extras end,
//! whose highest bit says that the line can hold where no extra is asked for; the extras of the
//! lines and the provided extras, as numbers of names; where each name ends; the names; the
//! lines; the rest.

use std::ops::Range;

use pep508_rs::ExtraName;
use serde::{Deserialize, Serialize};

use super::super::{Metadata, Repair, repair};

/// The counts at the start.
const COUNTS: usize = 4;

/// Where a line's text ends (4 bytes), where its extras end (4).
const LINE: usize = 8;

/// The bit that says of a line that it can hold without extras.
const WITHOUT: u32 = 1 << 31;

/// What is read at once.
#[derive(Serialize, Deserialize)]
struct Rest<'r> {
    requires_python: Option<&'r str>,
    /// Before, after, and the place in [`repair::KINDS`].
    #[serde(borrow)]
    repairs: Vec<(&'r str, &'r str, u8)>,
}

/// The columns of one file's metadata.
#[derive(Debug)]
pub(super) struct Packed {
    bytes: Box<[u8]>,
    lines: Range<usize>,
    extras: Range<usize>,
    provided: Range<usize>,
    name_ends: Range<usize>,
    names: Range<usize>,
    texts: Range<usize>,
}

/// A line to be written.
pub(super) struct Line<'l> {
    pub(super) text: &'l str,
    pub(super) without: bool,
    pub(super) extras: &'l [ExtraName],
}

/// The columns of metadata that has these lines; `None` where it is too large for them.
pub(super) fn pack(metadata: &Metadata, lines: &[Line<'_>]) -> Option<Vec<u8>> {
    let of_lines = lines.iter().flat_map(|line| line.extras);
    let mut names: Vec<&ExtraName> = of_lines.chain(metadata.provides_extras.iter()).collect();
    names.sort_unstable();
    names.dedup();
    let mut line_column = Vec::new();
    let (mut texts, mut extras) = (String::new(), Vec::<u8>::new());
    let add = |column: &mut Vec<u8>, extra: &ExtraName| {
        let number = names.binary_search(&extra).ok()?;
        column.extend(u32::try_from(number).ok()?.to_le_bytes());
        Some(())
    };
    for line in lines {
        texts.push_str(line.text);
        for extra in line.extras {
            add(&mut extras, extra)?;
        }
        let end = u32::try_from(extras.len() / 4).ok()?;
        let end = (end < WITHOUT).then_some(end)? | if line.without { WITHOUT } else { 0 };
        line_column.extend(u32::try_from(texts.len()).ok()?.to_le_bytes());
        line_column.extend(end.to_le_bytes());
    }
    let counts = [
        lines.len(),
        extras.len() / 4,
        metadata.provides_extras.len(),
        names.len(),
    ];
    for extra in &metadata.provides_extras {
        add(&mut extras, extra)?;
    }
    let requires_python = metadata.requires_python.as_ref().map(ToString::to_string);
    let repairs = metadata.repairs.iter().map(|repair| {
        let kind = repair::KINDS.iter().position(|kind| *kind == repair.what)?;
        let kind = u8::try_from(kind).ok()?;
        Some((repair.before.as_str(), repair.after.as_str(), kind))
    });
    let rest = Rest {
        requires_python: requires_python.as_deref(),
        repairs: repairs.collect::<Option<_>>()?,
    };
    let mut bytes = Vec::new();
    for count in counts {
        bytes.extend(u32::try_from(count).ok()?.to_le_bytes());
    }
    bytes.append(&mut line_column);
    bytes.append(&mut extras);
    let mut end = 0;
    for name in &names {
        end += name.as_ref().len();
        bytes.extend(u32::try_from(end).ok()?.to_le_bytes());
    }
    for name in &names {
        bytes.extend(name.as_ref().as_bytes());
    }
    bytes.extend(texts.as_bytes());
    bytes.extend(postcard::to_allocvec(&rest).ok()?);
    Some(bytes)
}

impl Packed {
    /// Finds the columns; beside them what is read at once: `Requires-Python` and repairs.
    ///
    /// `None` where the bytes are none. Beyond their bounds they are not checked: whoever keeps
    /// them must see to it that they are those that were written.
    pub(super) fn read(bytes: &[u8]) -> Option<(Self, Option<&str>, Vec<Repair>)> {
        let mut end = 0_usize;
        let mut take = |length: usize| {
            let start = end;
            end = end.checked_add(length).filter(|end| *end <= bytes.len())?;
            Some(start..end)
        };
        let counts = take(COUNTS * 4)?;
        let count = |place| usize::try_from(number(bytes, &counts, place)?).ok();
        let lines = take(count(0)?.checked_mul(LINE)?)?;
        let extras = take(count(1)?.checked_mul(4)?)?;
        let provided = take(count(2)?.checked_mul(4)?)?;
        let name_ends = take(count(3)?.checked_mul(4)?)?;
        let last = |column: &Range<usize>, from_end: usize| match column.len() / 4 {
            0 => Some(0),
            all => usize::try_from(number(bytes, column, all.checked_sub(from_end)?)?).ok(),
        };
        let names = take(last(&name_ends, 1)?)?;
        let texts = take(last(&lines, 2)?)?;
        for text in [&names, &texts] {
            std::str::from_utf8(bytes.get(text.clone())?).ok()?;
        }
        let (rest, left) = postcard::take_from_bytes::<Rest<'_>>(bytes.get(end..)?).ok()?;
        let repairs = rest.repairs.into_iter().map(|(before, after, kind)| {
            Some(Repair {
                before: before.to_owned(),
                after: after.to_owned(),
                what: repair::KINDS.get(usize::from(kind))?,
            })
        });
        let repairs = repairs.collect::<Option<_>>()?;
        let packed = Self {
            bytes: bytes.into(),
            lines,
            extras,
            provided,
            name_ends,
            names,
            texts,
        };
        left.is_empty()
            .then_some((packed, rest.requires_python, repairs))
    }

    /// How many lines there are.
    pub(super) fn len(&self) -> usize {
        self.lines.len() / LINE
    }

    /// The text of a line.
    pub(super) fn text(&self, line: usize) -> Option<&str> {
        self.part(&self.texts, &self.lines, line, 2)
    }

    /// Whether a line can hold where no extra is asked for.
    pub(super) fn holds_without(&self, line: usize) -> bool {
        self.extras_end(line).is_none_or(|end| end & WITHOUT != 0)
    }

    /// Whether a line's marker names an extra.
    pub(super) fn names(&self, line: usize, extra: &ExtraName) -> bool {
        self.extras_of(line).into_iter().flatten().any(|place| {
            let name = self.named(&self.extras, place);
            name.is_some_and(|name| name == AsRef::<str>::as_ref(extra))
        })
    }

    /// The extras that a line's marker names.
    pub(super) fn extras(&self, line: usize) -> Vec<ExtraName> {
        let places = self.extras_of(line).into_iter().flatten();
        let names = places.filter_map(|place| self.named(&self.extras, place)?.parse().ok());
        names.collect()
    }

    /// The extras that are provided.
    pub(super) fn provided(&self) -> Vec<ExtraName> {
        let places = 0..self.provided.len() / 4;
        let names = places.filter_map(|place| self.named(&self.provided, place)?.parse().ok());
        names.collect()
    }

    fn extras_of(&self, line: usize) -> Option<Range<usize>> {
        let end = |line| usize::try_from(self.extras_end(line)? & !WITHOUT).ok();
        let start = line.checked_sub(1).map_or(Some(0), end)?;
        Some(start..end(line)?).filter(|it| it.start <= it.end)
    }

    fn extras_end(&self, line: usize) -> Option<u32> {
        number(
            &self.bytes,
            &self.lines,
            line.checked_mul(2)?.checked_add(1)?,
        )
    }

    /// The name whose number stands at a place of a column.
    fn named(&self, column: &Range<usize>, place: usize) -> Option<&str> {
        let name = usize::try_from(number(&self.bytes, column, place)?).ok()?;
        self.part(&self.names, &self.name_ends, name, 1)
    }

    /// The text at a place, whose ends stand every so many numbers of a column.
    fn part(
        &self,
        texts: &Range<usize>,
        ends: &Range<usize>,
        place: usize,
        every: usize,
    ) -> Option<&str> {
        let end = |place: usize| {
            let end = number(&self.bytes, ends, place.checked_mul(every)?)?;
            usize::try_from(end).ok()
        };
        let start = place.checked_sub(1).map_or(Some(0), end)?;
        let text = self.bytes.get(texts.clone())?.get(start..end(place)?)?;
        std::str::from_utf8(text).ok()
    }
}

/// The number at a place of a column.
fn number(bytes: &[u8], column: &Range<usize>, place: usize) -> Option<u32> {
    let start = place.checked_mul(4)?;
    let number = bytes.get(column.clone())?.get(start..)?.first_chunk()?;
    Some(u32::from_le_bytes(*number))
}
