//! Which pages a run will likely want, told from the pack.
//!
//! From what is asked for, to the newest release in range that the pack has, to what that
//! requires on the target, and so on: all of it is known before the first page comes, so that
//! all pages can be asked for at once. A wrong guess costs a request and changes nothing.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use pep440_rs::{Version, VersionSpecifiers};
use pep508_rs::PackageName;

use super::{Pack, Release};
use crate::fetch::guess::Guesses;
use crate::fetch::prefetch::both;
use crate::metadata::{DependencySource, Metadata};
use crate::{ExtraName, versions};

/// Not more pages are asked for on such guesses in one run.
const MOST: usize = 1500;

/// A day, in nanoseconds.
const DAY: i128 = 86_400_000_000_000;

/// What is asked for of a distribution.
#[derive(Debug, Clone)]
pub struct Wish {
    /// The distribution.
    pub name: PackageName,
    /// Which of its releases.
    pub range: VersionSpecifiers,
    /// With which extras.
    pub extras: Vec<ExtraName>,
}

/// How far the guesses have gone.
#[derive(Debug, Default)]
pub struct Walk {
    /// What was demanded of a name so far.
    ranges: BTreeMap<PackageName, VersionSpecifiers>,
    /// The releases, by the number of their text, that were followed with these extras.
    followed: BTreeSet<(u32, Vec<ExtraName>)>,
    names: BTreeSet<PackageName>,
}

impl Walk {
    /// Follows wishes, and calls with each name that is new, in the order of its distance.
    pub fn follow(
        &mut self,
        pack: &Pack,
        guesses: &Guesses,
        wishes: Vec<Wish>,
        ask: &mut dyn FnMut(&PackageName),
    ) {
        // What the user wants narrows what others may take: it is noted first.
        for wish in &wishes {
            self.narrow(wish);
        }
        let mut waiting = VecDeque::from(wishes);
        while let Some(wish) = waiting.pop_front() {
            if self.names.len() >= MOST {
                return;
            }
            if guesses.base.frozen(&wish.name).is_some() {
                continue;
            }
            if self.names.insert(wish.name.clone()) {
                ask(&wish.name);
            }
            let range = self.narrow(&wish);
            let found = newest(pack, guesses, &wish.name, &range);
            // What was demanded before may be wrong.
            let found = found.or_else(|| newest(pack, guesses, &wish.name, &wish.range));
            let Some((text, metadata)) = found else {
                continue;
            };
            if !self.followed.insert((text, wish.extras.clone())) {
                continue;
            }
            for dependency in &metadata.requires_dist {
                if let DependencySource::Specifiers(range) = &dependency.source
                    && guesses.counts(dependency, &wish.extras)
                {
                    waiting.push_back(Wish {
                        name: dependency.name.clone(),
                        range: range.clone(),
                        extras: dependency.extras.clone(),
                    });
                }
            }
        }
    }

    /// Notes what is demanded; gives it with all that was demanded before.
    fn narrow(&mut self, wish: &Wish) -> VersionSpecifiers {
        let range = both(self.ranges.get(&wish.name), &wish.range);
        self.ranges.insert(wish.name.clone(), range.clone());
        range
    }
}

/// The newest release in range that suits, as far as the pack can tell.
fn newest(
    pack: &Pack,
    guesses: &Guesses,
    name: &PackageName,
    range: &VersionSpecifiers,
) -> Option<(u32, Arc<Metadata>)> {
    let releases = pack.releases(name.as_ref());
    let versions = || {
        let parsed = |release: &Release| release.version.parse::<Version>().ok();
        releases
            .iter()
            .rev()
            .filter_map(move |it| Some((it, parsed(it)?)))
    };
    let all_early = || versions().all(|(_, version)| version.any_prerelease());
    let prereleases = guesses.policy.prereleases
        || range
            .iter()
            .any(pep440_rs::VersionSpecifier::any_prerelease)
        || all_early();
    let is_early_enough = |release: &Release| {
        let cut_off = guesses.policy.exclude_newer;
        cut_off.is_none_or(|cut_off| i128::from(release.uploaded) * DAY < cut_off.as_nanosecond())
    };
    versions()
        .filter(|(release, version)| {
            (prereleases || !version.any_prerelease())
                && is_early_enough(release)
                && versions::contains(range, version)
        })
        .find_map(|(release, _)| {
            let metadata = pack.metadata(release.text)?;
            let python = metadata.requires_python.as_ref();
            python
                .is_none_or(|python| guesses.target.admits_python(python))
                .then_some((release.text, metadata))
        })
}
