//! What the options of requirements files add up to.

use std::ops::Range;

use super::direct::join;
use super::format_control::{FormatControl, FormatOption};
use super::inputs::{FileOption, FileOptions, Warning};
use super::options::{Given, Meaning, Options};
use super::url_text::{has_drive, is_windows};
use super::{Place, Sources};

/// An option whose value is wrong: what is wrong, and what to do.
pub(super) type Refused<'a> = (&'a Given, String, String);

/// Adds the options of one line. Gives what surprises in their effect.
///
/// The order within a line is pip's own, whatever order they stand in: `--no-index`,
/// `--index-url`, `--extra-index-url`, then the others.
pub(super) fn apply(
    all: &mut FileOptions,
    line: &Options,
    folder: &str,
    sources: &dyn Sources,
    place_of: &dyn Fn(Range<usize>) -> (Place, String),
) -> Vec<Warning> {
    let mut surprises = Vec::new();
    let option = |given: &Given| {
        let (place, written) = place_of(given.value_range.clone());
        FileOption {
            value: given.value.clone(),
            written,
            place,
        }
    };
    let of = |meaning: Meaning| {
        line.given
            .iter()
            .filter(move |given| given.meaning == meaning)
    };
    if of(Meaning::NoIndex).next().is_some() {
        all.no_index = true;
    }
    if all.no_index {
        all.index_url = None;
        all.extra_index_urls.clear();
    }
    // Of several on one line, `optparse` keeps the last.
    if let Some(given) = of(Meaning::IndexUrl).next_back() {
        let index = option(given);
        if all.no_index {
            surprises.push(no_effect(&index, "--index-url"));
        } else {
            surprises.extend(all.extra_index_urls.drain(..).map(|lost| Warning {
                message: format!(
                    "this `--extra-index-url` has no effect, as for pip: the `--index-url` at {} \
                     comes after it and replaces it",
                    index.place
                ),
                place: lost.place,
            }));
            all.index_url = Some(index);
        }
    }
    for given in of(Meaning::ExtraIndexUrl) {
        let index = option(given);
        if all.no_index {
            surprises.push(no_effect(&index, "--extra-index-url"));
        } else {
            all.extra_index_urls.push(index);
        }
    }
    for (position, given) in of(Meaning::FindLinks).enumerate() {
        let mut links = option(given);
        if position > 0 {
            surprises.push(Warning {
                message: "only the first `--find-links` of a line has an effect, as for pip"
                    .to_owned(),
                place: links.place,
            });
            continue;
        }
        links.value = find_links(&links.value, folder, sources);
        all.find_links.push(links);
    }
    all.pre |= of(Meaning::Pre).next().is_some();
    all.prefer_binary |= of(Meaning::PreferBinary).next().is_some();
    all.require_hashes |= of(Meaning::RequireHashes).next().is_some();
    all.trusted_hosts
        .extend(of(Meaning::TrustedHost).map(&option));
    all.features.extend(of(Meaning::UseFeature).map(&option));
    surprises
}

/// Adds `--no-binary` and `--only-binary`, which pip heeds wherever they stand, on the
/// line of a requirement too.
pub(super) fn formats<'a>(
    all: &mut FileOptions,
    line: &'a Options,
    place_of: &dyn Fn(Range<usize>) -> (Place, String),
) -> Result<(), Refused<'a>> {
    for given in &line.given {
        let kind = match given.meaning {
            Meaning::NoBinary => FormatOption::NoBinary,
            Meaning::OnlyBinary => FormatOption::OnlyBinary,
            _ => continue,
        };
        if given.value.starts_with('-') {
            return Err((
                given,
                "needs a value".to_owned(),
                "name distributions, `:all:` or `:none:`".to_owned(),
            ));
        }
        FormatControl::default()
            .take(kind, &given.value)
            .map_err(|part| {
                (
                    given,
                    format!("takes distributions, `:all:` or `:none:`, and `{part}` is none"),
                    "separate names with commas".to_owned(),
                )
            })?;
        let (place, written) = place_of(given.value_range.clone());
        all.formats.push((
            kind,
            FileOption {
                value: given.value.clone(),
                written,
                place,
            },
        ));
    }
    Ok(())
}

fn no_effect(index: &FileOption, name: &str) -> Warning {
    Warning {
        place: index.place.clone(),
        message: format!("this `{name}` has no effect beside `--no-index`, as for pip"),
    }
}

/// A path beside the requirements file wins, where something is there.
fn find_links(value: &str, folder: &str, sources: &dyn Sources) -> String {
    if value.contains("://") || value.starts_with('/') || has_drive(value) || is_windows(value) {
        return value.to_owned();
    }
    if folder == "." {
        return value.to_owned();
    }
    let beside = join(folder, Some(value));
    if sources.is_dir(&beside) || sources.is_file(&beside) {
        beside
    } else {
        value.to_owned()
    }
}
