//! Requirements as PEP 508 writes them: name, extras, versions or URL, marker.
//!
//! The head of a requirement is read here and not by `pep508_rs::Requirement`, which
//! reads the process's environment when it words an error and panics on names such as
//! `foo->=1`. Markers and single version clauses go through the libraries.

use std::ops::Range;
use std::str::FromStr;

use pep440_rs::{VersionSpecifier, VersionSpecifiers};
use pep508_rs::{ExtraName, MarkerTree, PackageName};

use super::fault::Fault;
use super::slips::clause_fault;
use super::{marker, names, slips};

/// A requirement's parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Parsed {
    /// The distribution.
    pub(super) name: PackageName,
    /// Its extras, sorted, without repetition.
    pub(super) extras: Vec<ExtraName>,
    /// Which releases, or from where.
    pub(super) what: ParsedSource,
    /// When it is required.
    pub(super) marker: MarkerTree,
}

/// What follows name and extras.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ParsedSource {
    /// Versions; none named means any.
    Specifiers(VersionSpecifiers),
    /// A URL, at these bytes.
    Url(Range<usize>),
}

/// Reads a whole requirement.
pub(super) fn parse(text: &str) -> Result<Parsed, Fault> {
    let mut reader = Reader::new(text);
    let (name, extras) = reader.name_and_extras()?;
    let what = if reader.take('@') {
        let url = reader.url()?;
        reader.skip_space();
        ParsedSource::Url(url)
    } else {
        ParsedSource::Specifiers(reader.specifiers()?)
    };
    let marker = if reader.take(';') {
        let rest = reader.rest();
        if rest.trim().is_empty() {
            // pip reads `foo==1.0;` as `foo==1.0`.
            MarkerTree::TRUE
        } else {
            marker::parse(rest).map_err(|fault| fault.shifted(reader.position))?
        }
    } else if reader.rest().is_empty() {
        MarkerTree::TRUE
    } else {
        return Err(Fault::requirement(
            reader.position..text.len(),
            "expected `;` with a marker, or the end",
            "put one requirement on a line",
        ));
    };
    Ok(Parsed {
        name,
        extras,
        what,
        marker,
    })
}

/// Reads a name with extras and nothing else (`name[extra]`).
pub(super) fn parse_name(text: &str) -> Result<(PackageName, Vec<ExtraName>), Fault> {
    let mut reader = Reader::new(text);
    let found = reader.name_and_extras()?;
    if reader.rest().is_empty() {
        return Ok(found);
    }
    Err(Fault::requirement(
        reader.position..text.len(),
        "expected a distribution's name, with extras or without, and nothing more",
        "take away what follows the name",
    ))
}

/// Reads extras with their brackets (`[a,b]`).
pub(super) fn parse_extras(text: &str) -> Result<Vec<ExtraName>, Fault> {
    let mut reader = Reader::new(text);
    let extras = reader.extras()?;
    if reader.rest().is_empty() {
        return Ok(extras);
    }
    Err(Fault::requirement(
        reader.position..text.len(),
        "expected nothing after the extras",
        "take away what follows `]`",
    ))
}

/// Reads version specifiers alone (`>=1.0,<2`); ranges count from `text`.
pub(super) fn parse_specifiers(text: &str) -> Result<VersionSpecifiers, Fault> {
    clauses(text)
}

struct Reader<'a> {
    text: &'a str,
    position: usize,
}

impl<'a> Reader<'a> {
    fn new(text: &'a str) -> Self {
        let mut reader = Self { text, position: 0 };
        reader.skip_space();
        reader
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.position..).unwrap_or_default()
    }

    fn skip_space(&mut self) {
        let rest = self.rest();
        self.position += rest.len() - rest.trim_start().len();
    }

    /// Takes the character and the whitespace after it.
    fn take(&mut self, character: char) -> bool {
        let found = self.rest().starts_with(character);
        if found {
            self.position += character.len_utf8();
            self.skip_space();
        }
        found
    }

    /// Takes a run of the characters of names, and the whitespace after it.
    fn identifier(&mut self) -> (&'a str, Range<usize>) {
        let rest = self.rest();
        let belongs = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        let end = rest.find(|c| !belongs(c)).unwrap_or(rest.len());
        let range = self.position..self.position + end;
        self.position += end;
        self.skip_space();
        (rest.get(..end).unwrap_or_default(), range)
    }

    fn name_and_extras(&mut self) -> Result<(PackageName, Vec<ExtraName>), Fault> {
        let (name, range) = self.identifier();
        if !name.starts_with(|c: char| c.is_ascii_alphanumeric()) {
            return Err(Fault::requirement(
                range.start..self.text.len(),
                "expected the name of a distribution",
                slips::in_place_of_a_name(self.text),
            ));
        }
        let name = names::package(name).ok_or_else(|| {
            Fault::requirement(
                range,
                format!("`{name}` is not a distribution's name"),
                "a name begins and ends with a letter or digit",
            )
        })?;
        Ok((name, self.extras()?))
    }

    fn extras(&mut self) -> Result<Vec<ExtraName>, Fault> {
        let opening = self.position;
        let mut extras = Vec::new();
        if !self.take('[') {
            return Ok(extras);
        }
        while !self.take(']') {
            if !extras.is_empty() && !self.take(',') {
                let advice = "write extras as in `name[first,second]`";
                return Err(if self.rest().is_empty() {
                    Fault::requirement(opening..self.text.len(), "expected a closing `]`", advice)
                } else {
                    let end = self.rest().chars().next().map_or(0, char::len_utf8);
                    let range = self.position..self.position + end;
                    Fault::requirement(range, "expected `,` or `]` after an extra", advice)
                });
            }
            let (extra, mut range) = self.identifier();
            if extra.is_empty() {
                range.end += self.rest().chars().next().map_or(0, char::len_utf8);
            }
            let extra = names::extra(extra).ok_or_else(|| {
                Fault::requirement(
                    range,
                    "expected the name of an extra",
                    "a name begins and ends with a letter or digit",
                )
            })?;
            extras.push(extra);
        }
        extras.sort();
        extras.dedup();
        Ok(extras)
    }

    /// A URL ends at whitespace.
    fn url(&mut self) -> Result<Range<usize>, Fault> {
        let rest = self.rest();
        let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
        if end == 0 {
            return Err(Fault::requirement(
                self.position..self.text.len(),
                "expected a URL after `@`",
                "write `name @ https://…`",
            ));
        }
        let range = self.position..self.position + end;
        self.position += end;
        Ok(range)
    }

    fn specifiers(&mut self) -> Result<VersionSpecifiers, Fault> {
        let start = self.position;
        if self.take('(') {
            let inner_start = self.position;
            let Some(end) = self.rest().find(')') else {
                return Err(Fault::requirement(
                    start..self.text.len(),
                    "expected a closing `)`",
                    "close the parenthesis, or write the versions without",
                ));
            };
            let inner = self.rest().get(..end).unwrap_or_default();
            let found = clauses(inner).map_err(|fault| fault.shifted(inner_start))?;
            self.position += end + 1;
            self.skip_space();
            return Ok(found);
        }
        let rest = self.rest();
        let end = rest.find(';').unwrap_or(rest.len());
        let versions = rest.get(..end).unwrap_or_default();
        let found = clauses(versions).map_err(|fault| fault.shifted(start))?;
        self.position += end;
        Ok(found)
    }
}

fn clauses(text: &str) -> Result<VersionSpecifiers, Fault> {
    let mut found = Vec::new();
    if text.trim().is_empty() {
        return Ok(VersionSpecifiers::empty());
    }
    let mut start = 0;
    for clause in text.split(',') {
        let trimmed = clause.trim();
        let lead = clause.len() - clause.trim_start().len();
        let range = start + lead..start + lead + trimmed.len();
        start += clause.len() + 1;
        if trimmed.is_empty() {
            return Err(Fault::requirement(
                range,
                "expected a version after `,`",
                slips::beside_a_comma(text),
            ));
        }
        let specifier = VersionSpecifier::from_str(trimmed)
            .map_err(|error| clause_fault(trimmed, range, &error.to_string()))?;
        found.push(specifier);
    }
    Ok(found.into_iter().collect())
}
