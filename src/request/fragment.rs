//! What stands behind the `#` of a direct reference.

use pep508_rs::{ExtraName, PackageName};

use super::fault::{Fault, Problem};
use super::{hash, specifier, url_text};

/// What a fragment says.
#[derive(Debug, Default)]
pub(super) struct Fragment {
    /// The distribution's name with its extras.
    pub(super) egg: Option<(PackageName, Vec<ExtraName>)>,
    /// The folder inside the archive or repository.
    pub(super) subdirectory: Option<String>,
    /// What the archive must hash to.
    pub(super) hashes: Vec<(String, String)>,
}

/// Reads `egg=NAME[EXTRA]&subdirectory=FOLDER&sha256=HEX`.
pub(super) fn read(text: &str) -> Result<Fragment, Fault> {
    let mut fragment = Fragment::default();
    let mut start = 0;
    for part in text.split('&') {
        let at = start;
        start += part.len() + 1;
        let Some((key, value)) = part.split_once('=') else {
            continue;
        };
        let value_at = at + key.len() + 1;
        match key {
            "egg" if fragment.egg.is_none() && !value.is_empty() => {
                let decoded = url_text::percent_decode(value);
                let found = specifier::parse_name(&decoded).map_err(|fault| Fault {
                    range: value_at..value_at + value.len(),
                    problem: match fault.problem {
                        Problem::Requirement(trouble) => Problem::Url(trouble),
                        other => other,
                    },
                })?;
                fragment.egg = Some(found);
            }
            "subdirectory" if fragment.subdirectory.is_none() && !value.is_empty() => {
                fragment.subdirectory = Some(url_text::percent_decode(value));
            }
            "sha256" | "sha384" | "sha512" => {
                let hash = hash::parse(key, value).map_err(|trouble| Fault {
                    range: value_at..value_at + value.len(),
                    problem: Problem::Url(trouble),
                })?;
                fragment.hashes.push(hash);
            }
            _ => {}
        }
    }
    Ok(fragment)
}
