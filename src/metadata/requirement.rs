//! One dependency as metadata writes it (PEP 508).
//!
//! The requirement parser of `pep508_rs` is not used: it looks into the environment for some
//! inputs and panics for others.

use std::str::FromStr;

use pep508_rs::{
    ExtraName, ExtraOperator, MarkerExpression, MarkerTree, MarkerValueExtra, PackageName,
};
use url::Url;

use super::marker::Marker;
use super::repair::{self, Repair};
use super::{Dependency, DependencySource};

/// A dependency, and what was met on the way to it.
pub(super) struct Parsed {
    pub(super) dependency: Dependency,
    /// The extras that its marker names.
    pub(super) extras_named: Vec<ExtraName>,
    pub(super) repairs: Vec<Repair>,
    /// What reading its marker cost, as [`Marker::work`].
    pub(super) work: usize,
}

/// Reads one dependency, repairing what the published list allows.
///
/// # Errors
///
/// What is wrong with it, in words.
pub(super) fn parse(text: &str) -> Result<Parsed, String> {
    let text = text.trim();
    let (name, rest) = parse_name(text)?;
    let (extras, rest) = parse_extras(rest.trim_start())?;
    let (source, rest, repairs) = parse_source(rest.trim_start())?;
    let mut repairs = in_context(text, repairs);

    let rest = rest.trim_start();
    let mut extras_named = Vec::new();
    let mut work = 0;
    let marker = match rest.strip_prefix(';') {
        Some(marker) => {
            let marker = Marker::parse(marker)?;
            extras_named = marker.extras;
            work = marker.work;
            repairs.extend(marker.repairs);
            marker.tree
        }
        None if rest.is_empty() => MarkerTree::TRUE,
        None => return Err(format!("expected the end or `;` at `{rest}`")),
    };
    Ok(Parsed {
        dependency: Dependency {
            name,
            extras,
            source,
            marker,
        },
        extras_named,
        repairs,
        work,
    })
}

impl Dependency {
    /// A dependency that never holds.
    pub(super) fn never() -> Self {
        Self {
            name: PackageName::from_str("none").unwrap_or_else(|_| unreachable!("it is a name")),
            extras: Vec::new(),
            source: DependencySource::Specifiers(pep440_rs::VersionSpecifiers::empty()),
            marker: MarkerTree::FALSE,
        }
    }

    /// Reads one dependency (PEP 508), repairing what the published list allows.
    ///
    /// A URL must be absolute; it is kept as written.
    ///
    /// # Errors
    ///
    /// What is wrong with it, in words.
    pub fn parse(text: &str) -> Result<(Self, Vec<Repair>), String> {
        parse(text).map(|parsed| (parsed.dependency, parsed.repairs))
    }
}

/// The marker `extra == '…'`.
pub(super) fn is_extra(extra: &ExtraName) -> MarkerTree {
    MarkerTree::expression(MarkerExpression::Extra {
        operator: ExtraOperator::Equal,
        name: MarkerValueExtra::Extra(extra.clone()),
    })
}

fn parse_name(text: &str) -> Result<(PackageName, &str), String> {
    let end = text
        .find(|character: char| {
            !(character.is_ascii_alphanumeric() || matches!(character, '-' | '_' | '.'))
        })
        .unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    if name.is_empty() {
        return Err("expected the name of a distribution at the start".to_owned());
    }
    let name = PackageName::from_str(name)
        .map_err(|_| format!("`{name}` is not the name of a distribution"))?;
    Ok((name, rest))
}

fn parse_extras(text: &str) -> Result<(Vec<ExtraName>, &str), String> {
    let Some(inner) = text.strip_prefix('[') else {
        return Ok((Vec::new(), text));
    };
    let (inner, rest) = inner
        .split_once(']')
        .ok_or_else(|| "expected `]` after the extras".to_owned())?;
    if inner.trim().is_empty() {
        return Ok((Vec::new(), rest));
    }
    let mut extras = inner
        .split(',')
        .map(|extra| {
            let extra = extra.trim();
            ExtraName::from_str(extra).map_err(|_| format!("`{extra}` is not the name of an extra"))
        })
        .collect::<Result<Vec<_>, _>>()?;
    extras.sort();
    extras.dedup();
    Ok((extras, rest))
}

fn parse_source(text: &str) -> Result<(DependencySource, &str, Vec<Repair>), String> {
    if let Some(after) = text.strip_prefix('@') {
        // A URL may hold a semicolon, so only white space ends it.
        let after = after.trim_start();
        let end = after.find(char::is_whitespace).unwrap_or(after.len());
        let (url, rest) = after.split_at(end);
        // A URL's parser drops some of them; what is kept is the text.
        if url.contains(char::is_control) {
            return Err("a URL has no control characters".to_owned());
        }
        Url::parse(url).map_err(|error| format!("`{url}` is not a URL: {error}"))?;
        return Ok((DependencySource::Url(url.to_owned()), rest, Vec::new()));
    }
    let (specifiers, rest) = match text.strip_prefix('(') {
        Some(inner) => inner
            .split_once(')')
            .ok_or_else(|| "expected `)` after the version specifiers".to_owned())?,
        None => text.split_at(text.find(';').unwrap_or(text.len())),
    };
    let (specifiers, repairs) = repair::parse_specifiers(specifiers)?;
    Ok((DependencySource::Specifiers(specifiers), rest, repairs))
}

/// The repairs, one after the other, with the whole dependency around each.
fn in_context(text: &str, repairs: Vec<Repair>) -> Vec<Repair> {
    let mut before = text.to_owned();
    repairs
        .into_iter()
        .map(|repair| {
            let after = before.replacen(&repair.before, &repair.after, 1);
            Repair {
                before: std::mem::replace(&mut before, after.clone()),
                after,
                what: repair.what,
            }
        })
        .collect()
}
