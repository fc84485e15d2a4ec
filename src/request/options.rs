//! The options that may stand in a requirements file.
//!
//! The set and the way they are read are those of pip 23.2, whose parser is Python's
//! `optparse`: long names may be cut short while they stay clear, a value may follow
//! after `=`, after a space or, for a single letter, directly.

use std::ops::Range;

use super::RequestError;
use super::nearest::nearest;
use super::text::Excerpt;
use super::words::Word;

/// What an option means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Meaning {
    IndexUrl,
    ExtraIndexUrl,
    NoIndex,
    Constraint,
    Requirement,
    Editable,
    FindLinks,
    NoBinary,
    OnlyBinary,
    PreferBinary,
    RequireHashes,
    Pre,
    TrustedHost,
    UseFeature,
    GlobalOption,
    Hash,
    ConfigSettings,
}

struct Definition {
    meaning: Meaning,
    short: Option<char>,
    long: &'static [&'static str],
    takes_value: bool,
}

const fn definition(
    meaning: Meaning,
    short: Option<char>,
    long: &'static [&'static str],
    takes_value: bool,
) -> Definition {
    Definition {
        meaning,
        short,
        long,
        takes_value,
    }
}

const DEFINITIONS: &[Definition] = &[
    definition(
        Meaning::IndexUrl,
        Some('i'),
        &["--index-url", "--pypi-url"],
        true,
    ),
    definition(Meaning::ExtraIndexUrl, None, &["--extra-index-url"], true),
    definition(Meaning::NoIndex, None, &["--no-index"], false),
    definition(Meaning::Constraint, Some('c'), &["--constraint"], true),
    definition(Meaning::Requirement, Some('r'), &["--requirement"], true),
    definition(Meaning::Editable, Some('e'), &["--editable"], true),
    definition(Meaning::FindLinks, Some('f'), &["--find-links"], true),
    definition(Meaning::NoBinary, None, &["--no-binary"], true),
    definition(Meaning::OnlyBinary, None, &["--only-binary"], true),
    definition(Meaning::PreferBinary, None, &["--prefer-binary"], false),
    definition(Meaning::RequireHashes, None, &["--require-hashes"], false),
    definition(Meaning::Pre, None, &["--pre"], false),
    definition(Meaning::TrustedHost, None, &["--trusted-host"], true),
    definition(Meaning::UseFeature, None, &["--use-feature"], true),
    definition(Meaning::GlobalOption, None, &["--global-option"], true),
    definition(Meaning::Hash, None, &["--hash"], true),
    definition(
        Meaning::ConfigSettings,
        Some('C'),
        &["--config-settings"],
        true,
    ),
];

/// One option as given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Given {
    /// What it means.
    pub(super) meaning: Meaning,
    /// The option as a user would name it.
    pub(super) name: &'static str,
    /// Its value; empty where it takes none.
    pub(super) value: String,
    /// Where the option begins and its value ends.
    pub(super) range: Range<usize>,
    /// Where the value stands.
    pub(super) value_range: Range<usize>,
}

/// A line's options and the words beside them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Options {
    /// The options, in order.
    pub(super) given: Vec<Given>,
    /// Words that are neither options nor values.
    pub(super) loose: Vec<Word>,
}

/// What is wrong with an option.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum OptionFault {
    /// There is none of that name.
    Unknown {
        /// As written, without its value.
        option: String,
        /// The nearest that there is.
        nearest: Option<&'static str>,
    },
    /// It is cut too short.
    Ambiguous {
        /// As written, without its value.
        option: String,
        /// What it may mean.
        candidates: Vec<&'static str>,
    },
    /// It needs a value.
    MissingValue {
        /// Its name.
        option: &'static str,
    },
    /// It takes no value.
    ExtraValue {
        /// Its name.
        option: &'static str,
    },
}

impl OptionFault {
    /// The error for this fault at its place.
    pub(super) fn into_error(self, at: Excerpt) -> RequestError {
        match self {
            Self::Unknown { option, nearest } => RequestError::UnsupportedOption {
                at,
                option,
                nearest: nearest.map(str::to_owned),
            },
            Self::Ambiguous { option, candidates } => RequestError::OptionValue {
                at,
                option,
                detail: format!("may mean `{}`", candidates.join("` or `")),
                advice: "write the whole name".to_owned(),
            },
            Self::MissingValue { option } => RequestError::OptionValue {
                at,
                option: option.to_owned(),
                detail: "needs a value".to_owned(),
                advice: format!("write `{option} VALUE` or `{option}=VALUE`"),
            },
            Self::ExtraValue { option } => RequestError::OptionValue {
                at,
                option: option.to_owned(),
                detail: "takes no value".to_owned(),
                advice: format!("write `{option}` alone"),
            },
        }
    }
}

/// Reads a line's words.
pub(super) fn read(words: Vec<Word>) -> Result<Options, (Range<usize>, OptionFault)> {
    let mut options = Options::default();
    let mut words = words.into_iter();
    while let Some(word) = words.next() {
        if word.value == "--" {
            options.loose.extend(words);
            break;
        }
        let (definition, name, attached) = if word.value.starts_with("--") {
            long(&word)?
        } else if word.value.starts_with('-') && word.value.len() > 1 {
            short(&word)?
        } else {
            options.loose.push(word);
            continue;
        };
        let end = word.range.end;
        let (value, value_range) = match (definition.takes_value, attached) {
            (false, None) => (String::new(), end..end),
            (false, Some(_)) => {
                let fault = OptionFault::ExtraValue { option: name };
                return Err((word.range, fault));
            }
            (true, Some((value, range))) => (value, range),
            (true, None) => match words.next() {
                Some(next) => (next.value, next.range),
                None => {
                    return Err((word.range, OptionFault::MissingValue { option: name }));
                }
            },
        };
        options.given.push(Given {
            meaning: definition.meaning,
            name,
            range: word.range.start..value_range.end,
            value,
            value_range,
        });
    }
    Ok(options)
}

type Found = (
    &'static Definition,
    &'static str,
    Option<(String, Range<usize>)>,
);

/// `--name`, `--name=value`, and the beginnings of names.
fn long(word: &Word) -> Result<Found, (Range<usize>, OptionFault)> {
    let (name, attached) = match word.value.split_once('=') {
        Some((name, value)) => (name, Some((value.to_owned(), word.from(name.len() + 1)))),
        None => (word.value.as_str(), None),
    };
    let names = || {
        DEFINITIONS
            .iter()
            .flat_map(|definition| definition.long.iter().map(move |name| (definition, *name)))
    };
    if let Some((definition, found)) = names().find(|(_, candidate)| *candidate == name) {
        return Ok((definition, found, attached));
    }
    let begun: Vec<_> = names()
        .filter(|(_, candidate)| candidate.starts_with(name))
        .collect();
    let range = word.piece(0..name.len());
    match begun.as_slice() {
        [(definition, found)] => Ok((*definition, *found, attached)),
        [] => Err((
            range,
            OptionFault::Unknown {
                option: name.to_owned(),
                nearest: nearest(name, names().map(|(_, candidate)| candidate)),
            },
        )),
        several => Err((
            range,
            OptionFault::Ambiguous {
                option: name.to_owned(),
                candidates: several.iter().map(|(_, candidate)| *candidate).collect(),
            },
        )),
    }
}

/// `-r value` and `-rvalue`.
fn short(word: &Word) -> Result<Found, (Range<usize>, OptionFault)> {
    let letter = word.value.chars().nth(1).unwrap_or('-');
    let definition = DEFINITIONS
        .iter()
        .find(|definition| definition.short == Some(letter));
    let length = 1 + letter.len_utf8();
    let Some((definition, name)) =
        definition.and_then(|definition| Some((definition, *definition.long.first()?)))
    else {
        // `-no-index` has more likely lost a dash than it means an option `-n`.
        let with_dash = format!("-{}", word.value);
        let written = with_dash.split('=').next().unwrap_or_default();
        let names = DEFINITIONS
            .iter()
            .flat_map(|definition| definition.long.iter().copied());
        return Err((
            word.piece(0..length),
            OptionFault::Unknown {
                option: word.value.chars().take(2).collect(),
                nearest: nearest(written, names),
            },
        ));
    };
    let attached = word
        .value
        .get(length..)
        .filter(|rest| !rest.is_empty())
        .map(|rest| (rest.to_owned(), word.from(length)));
    Ok((definition, name, attached))
}
