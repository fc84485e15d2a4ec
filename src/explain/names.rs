//! Names near to one that no index has.

use crate::RuleSet;
use crate::request::Request;

/// Well-known distributions, and the import names that are not theirs: `import distribution`.
const KNOWN: &str = include_str!("names.txt");

fn listed() -> impl Iterator<Item = &'static str> {
    KNOWN
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
}

/// The distribution that a name is well known to be written for.
pub(crate) fn meant(name: &str) -> Option<&'static str> {
    listed()
        .map(|line| line.split_whitespace())
        .find_map(|mut words| (words.next()? == name).then(|| words.next())?)
}

/// The distribution that is commonly meant by a name under which an index has a stand-in or an
/// older one, and where that is told.
pub fn stand_in(name: &str) -> Option<(&'static str, &'static str)> {
    let mut lines = listed().map(|line| line.split_whitespace());
    lines.find_map(|mut words| {
        let is_it = words.next()? == name;
        let meant = words.next()?;
        let source = words.next()?;
        is_it.then_some((meant, source))
    })
}

/// At most three names that the user may have meant, nearest first.
pub(crate) fn near(name: &str, request: &Request, rules: &RuleSet) -> Vec<String> {
    let mut found: Vec<String> = meant(name).map(str::to_owned).into_iter().collect();
    let mut known: Vec<&str> = request
        .requirements
        .iter()
        .chain(&request.constraints)
        .map(|line| line.name.as_ref())
        .chain(
            rules
                .iter()
                .flat_map(|rule| rule.names())
                .map(AsRef::as_ref),
        )
        .chain(
            listed()
                .filter(|line| !line.contains(' '))
                .map(|line| -> &str { line }),
        )
        .filter(|other| *other != name)
        .collect();
    known.sort_unstable();
    known.dedup();
    let mut near: Vec<(usize, &str)> = known
        .into_iter()
        .map(|other| (strsim::damerau_levenshtein(name, other), other))
        .filter(|(distance, other)| distance * 4 <= name.len().max(other.len()))
        .collect();
    near.sort_unstable();
    found.extend(near.into_iter().map(|(_, other)| other.to_owned()));
    found.dedup();
    found.truncate(3);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str) -> Vec<String> {
        near(name, &Request::default(), &RuleSet::default())
    }

    #[test]
    fn slips_and_import_names_are_understood() {
        assert_eq!(of("pandsa"), ["pandas"]);
        assert_eq!(of("sklearn"), ["scikit-learn"]);
        assert_eq!(of("cv2"), ["opencv-python"]);
        assert!(of("a-name-like-no-other").is_empty());
    }
}
