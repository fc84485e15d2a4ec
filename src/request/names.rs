//! Names of distributions, extras and groups.
//!
//! The library takes an empty text for a name; here there is none without a character.

use std::str::FromStr;

use pep508_rs::{ExtraName, PackageName};

/// The distribution of this name.
pub(super) fn package(text: &str) -> Option<PackageName> {
    PackageName::from_str(text)
        .ok()
        .filter(|_| !text.is_empty())
}

/// The extra of this name.
pub(super) fn extra(text: &str) -> Option<ExtraName> {
    ExtraName::from_str(text).ok().filter(|_| !text.is_empty())
}

/// A name as PEP 503 normalises it; names of groups are compared so (PEP 735), and names of
/// distributions within those of files.
pub(crate) fn normal(name: &str) -> String {
    let mut normal = String::with_capacity(name.len());
    for character in name.chars() {
        match character {
            '-' | '_' | '.' if normal.ends_with('-') => {}
            '-' | '_' | '.' => normal.push('-'),
            other => normal.extend(other.to_lowercase()),
        }
    }
    normal
}
