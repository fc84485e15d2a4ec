//! Requirements that a lock says the options of its run removed or replaced.

use pep440_rs::VersionSpecifiers;
use pep508_rs::PackageName;

use crate::metadata::{Dependency, DependencySource};

/// One requirement of a release, as an option had it when the lock was made: `--provider`, an
/// override.
///
/// What rules change is not among them: the rules that are judged by say it themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// The release whose metadata has the requirement: `name version`.
    release: String,
    /// The distribution that it requires.
    to: PackageName,
    /// What stands in its place; `None` where it was removed.
    now: Option<(PackageName, VersionSpecifiers)>,
}

impl Changed {
    /// Reads what a lock says was changed: `a 1.0 requires `b>=2`; --provider x=c has `c>=2` in
    /// its place`. `None` where an option did not do it, or it cannot be read.
    pub fn read(text: &str) -> Option<Self> {
        let (release, rest) = text.split_once(" requires `")?;
        let (was, rest) = rest.split_once("`; ")?;
        if rest.starts_with("rule ") {
            return None;
        }
        let now = match rest.strip_suffix("` in its place") {
            Some(rest) => {
                let (_, now) = rest.rsplit_once(" has `")?;
                let (now, _) = Dependency::parse(now).ok()?;
                let DependencySource::Specifiers(specifiers) = now.source else {
                    return None;
                };
                Some((now.name, specifiers))
            }
            None if rest.ends_with(" removed it") => None,
            None => return None,
        };
        let (was, _) = Dependency::parse(was).ok()?;
        Some(Self {
            release: release.to_owned(),
            to: was.name,
            now,
        })
    }

    /// Whether it is this requirement of a release that was changed.
    pub(super) fn is_of(&self, release: &str, to: &PackageName) -> bool {
        self.release == release && self.to == *to
    }

    /// What stands in its place; `None` where it was removed.
    pub(super) fn now(&self) -> Option<(&PackageName, &VersionSpecifiers)> {
        self.now.as_ref().map(|(name, range)| (name, range))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_options_changed_is_read_and_what_rules_changed_is_not() {
        let read = |text| Changed::read(text).map(|changed| changed.now);
        let now = read("a 1.0 requires `b>=2`; --provider x=c-d has `c-d>=2` in its place");
        let (name, range) = now.flatten().expect("it was replaced");
        assert_eq!((name.as_ref(), &*range.to_string()), ("c-d", ">=2"));
        let removed = read("a 1.0 requires `b`; override `b ; extra == 'no'` removed it");
        assert_eq!(removed, Some(None));
        for other in [
            "a 1.0 requires `b<1`; rule a/b removed it",
            "a 1.0 requires `b`; rule a/b added it",
            "a 1.0 requires `b`; something else",
            "anything",
        ] {
            assert_eq!(read(other), None, "{other}");
        }
    }
}
