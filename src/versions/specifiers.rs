//! Whether a specifier contains a version, as PEP 440 and Python's `packaging` have it.
//!
//! Every operator but `===` asks whether a version lies within one interval of the order of
//! versions (`!=`: outside of it). The ends of these intervals lie *between* versions: `==1.0`
//! contains `1.0+cu124` but not `1.0.post1.dev0`, so its interval ends after all local versions
//! of 1.0. An [`Edge`] is such a point.

use std::cmp::Ordering;

use pep440_rs::{Operator, Version, VersionSpecifier, VersionSpecifiers};

use super::{Rank, RankSet};

/// Whether `specifiers` contain `version`, pre-releases admitted like any other.
///
/// Which pre-releases are candidates at all is decided elsewhere, before solving.
///
/// `===` compares the normalised text of both sides: of what a user wrote after it, only that
/// is kept. So `===1.0` does not contain `1.0.0`, but `===1.0-1` contains
/// `1.0.post1`.
///
/// ```
/// use mlresolve::versions::contains;
/// # let (specifiers, version) = (|text: &str| text.parse().unwrap(), |text: &str| text.parse().unwrap());
///
/// assert!(contains(&specifiers("==2.5.1"), &version("2.5.1+cu124")));
/// assert!(contains(&specifiers("<2.5.1.post1"), &version("2.5.1")));
/// assert!(!contains(&specifiers("<2.5.1"), &version("2.5.1rc1")));
/// ```
pub fn contains(specifiers: &VersionSpecifiers, version: &Version) -> bool {
    specifiers
        .iter()
        .all(|specifier| Test::of(specifier).passes(version))
}

/// The ranks of those of `versions` that `specifiers` contain.
///
/// `versions` must be sorted in ascending order, without repetition.
pub fn rank_set(specifiers: &VersionSpecifiers, versions: &[Version]) -> RankSet {
    rank_set_of(specifiers, versions.len(), |place| &versions[place])
}

/// As [`rank_set`], where so many versions are looked at one by one: only those are asked for
/// that have to be compared.
pub fn rank_set_of<'v>(
    specifiers: &VersionSpecifiers,
    count: usize,
    version: impl Fn(usize) -> &'v Version,
) -> RankSet {
    let all = RankSet::interval(0, rank(count));
    specifiers
        .iter()
        .map(|specifier| Test::of(specifier).rank_set(count, &version))
        .fold(all, |set, other| set.intersection(&other))
}

/// The specifiers as users write them: `>=1,<2`; nothing where all versions are contained.
///
/// They are in the order of their versions.
///
/// ```
/// assert_eq!(mlresolve::versions::display(&"< 2, >= 1".parse().unwrap()), ">=1,<2");
/// ```
pub fn display(specifiers: &VersionSpecifiers) -> String {
    specifiers
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(",")
}

/// What one specifier asks of a version.
enum Test {
    /// It lies between the two edges; no edge means no limit on that side.
    Inside(Option<Edge>, Option<Edge>),
    /// It does not.
    Outside(Edge, Edge),
    /// Its normalised text is this.
    Text(Version),
}

/// A point between versions in their order.
enum Edge {
    /// Just below a version.
    Before(Version),
    /// Just above a version, below other local versions of it.
    After(Version),
    /// Above a version and all its local versions, below its post-releases.
    AfterLocals(Version),
    /// Above a version, its local versions and its post-releases, with the local versions and
    /// development releases of those.
    AfterPosts(Version),
    /// Below every version that has this release in its epoch, development releases included.
    BeforeRelease { epoch: u64, release: Vec<u64> },
    /// Above every version.
    End,
}

impl Test {
    /// The sections are those of PEP 440; the boundary cases are those of `packaging` 26.
    fn of(specifier: &VersionSpecifier) -> Self {
        let version = specifier.version();
        let edge = |edge: fn(Version) -> Edge| Some(edge(version.clone()));
        match specifier.operator() {
            // Version matching: where the specifier has no local part, that of the version is
            // ignored.
            Operator::Equal => Self::Inside(edge(Edge::Before), Some(after(version))),
            Operator::NotEqual => Self::Outside(Edge::Before(version.clone()), after(version)),
            // Prefix matching.
            Operator::EqualStar => {
                let (start, end) = prefix(version, version.release());
                Self::Inside(Some(start), Some(end))
            }
            Operator::NotEqualStar => {
                let (start, end) = prefix(version, version.release());
                Self::Outside(start, end)
            }
            // Compatible release: `~=1.4.5` is `>=1.4.5` and `==1.4.*`.
            Operator::TildeEqual => {
                let (_, parts) = version.release().split_last().unwrap_or((&0, &[]));
                let (_, end) = prefix(version, parts);
                Self::Inside(edge(Edge::Before), Some(end))
            }
            // Inclusive ordered comparison.
            Operator::GreaterThanEqual => Self::Inside(edge(Edge::Before), None),
            Operator::LessThanEqual => Self::Inside(None, edge(Edge::AfterLocals)),
            // Exclusive ordered comparison: `>1.0` has no post-release of 1.0 unless 1.0 is one
            // itself, and no local version; `<1.0` no pre-release of 1.0 unless 1.0 is one itself.
            Operator::GreaterThan if version.is_dev() || version.is_post() => {
                Self::Inside(edge(Edge::AfterLocals), None)
            }
            Operator::GreaterThan => Self::Inside(edge(Edge::AfterPosts), None),
            Operator::LessThan if version.any_prerelease() => {
                Self::Inside(None, edge(Edge::Before))
            }
            Operator::LessThan => {
                let first = version.clone().without_local().with_dev(Some(0));
                Self::Inside(None, Some(Edge::Before(first)))
            }
            Operator::ExactEqual => Self::Text(version.clone()),
        }
    }

    fn passes(&self, version: &Version) -> bool {
        let is_inside = |start: Option<&Edge>, end: Option<&Edge>| {
            start.is_none_or(|edge| edge.is_below(version))
                && end.is_none_or(|edge| !edge.is_below(version))
        };
        match self {
            Self::Inside(start, end) => is_inside(start.as_ref(), end.as_ref()),
            Self::Outside(start, end) => !is_inside(Some(start), Some(end)),
            Self::Text(text) => has_text(version, text),
        }
    }

    fn rank_set<'v>(&self, count: usize, version: &impl Fn(usize) -> &'v Version) -> RankSet {
        let first_above = |edge: &Edge| {
            rank(partition_point(count, |place| {
                !edge.is_below(version(place))
            }))
        };
        let len = rank(count);
        match self {
            Self::Inside(start, end) => RankSet::interval(
                start.as_ref().map_or(0, first_above),
                end.as_ref().map_or(len, first_above),
            ),
            Self::Outside(start, end) => RankSet::interval(0, first_above(start))
                .union(&RankSet::interval(first_above(end), len)),
            // What has the same text is an equal version.
            Self::Text(text) => {
                let start = partition_point(count, |place| version(place) < text);
                let members = (start..count)
                    .map(|place| (version(place), rank(place)))
                    .take_while(|(version, _)| *version == text);
                RankSet::from_ranks(
                    members
                        .filter(|(version, _)| has_text(version, text))
                        .map(|(_, rank)| rank),
                )
            }
        }
    }
}

/// The first place that is not `before`, where all that are come first.
fn partition_point(count: usize, before: impl Fn(usize) -> bool) -> usize {
    let (mut low, mut high) = (0, count);
    while low < high {
        let middle = low + (high - low) / 2;
        if before(middle) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}

impl Edge {
    /// Whether the edge is below the version.
    fn is_below(&self, version: &Version) -> bool {
        match self {
            Self::Before(edge) => edge <= version,
            Self::After(edge) => edge < version,
            Self::AfterLocals(edge) => {
                edge < version && !(version.is_local() && version.clone().without_local() == *edge)
            }
            Self::AfterPosts(edge) => {
                edge < version
                    && !(edge.epoch() == version.epoch()
                        && edge.pre() == version.pre()
                        && compare_releases(edge.release(), version.release()).is_eq())
            }
            Self::BeforeRelease { epoch, release } => version
                .epoch()
                .cmp(epoch)
                .then_with(|| compare_releases(version.release(), release))
                .is_ge(),
            Self::End => false,
        }
    }
}

/// The end of what equals a version.
fn after(version: &Version) -> Edge {
    if version.is_local() {
        Edge::After(version.clone())
    } else {
        Edge::AfterLocals(version.clone())
    }
}

/// The edges around the versions of an epoch whose release starts with these numbers.
fn prefix(version: &Version, parts: &[u64]) -> (Edge, Edge) {
    let epoch = version.epoch();
    let start = Edge::BeforeRelease {
        epoch,
        release: parts.to_vec(),
    };
    let mut release = parts.to_vec();
    // Where a number cannot be counted up, the one before it is, as in 1.99 and 2.0.
    while let Some(last) = release.pop() {
        if let Some(next) = last.checked_add(1) {
            release.push(next);
            return (start, Edge::BeforeRelease { epoch, release });
        }
    }
    let end = epoch
        .checked_add(1)
        .map_or(Edge::End, |epoch| Edge::BeforeRelease {
            epoch,
            release: vec![0],
        });
    (start, end)
}

/// Compares release numbers; missing ones are zero.
fn compare_releases(left: &[u64], right: &[u64]) -> Ordering {
    let len = left.len().max(right.len());
    let part = |release: &[u64], place: usize| release.get(place).copied().unwrap_or(0);
    (0..len)
        .map(|place| part(left, place).cmp(&part(right, place)))
        .find(|order| order.is_ne())
        .unwrap_or(Ordering::Equal)
}

fn has_text(version: &Version, text: &Version) -> bool {
    version == text && version.release().len() == text.release().len()
}

/// A place in a list of versions; there are never more than ranks.
fn rank(place: usize) -> Rank {
    Rank::try_from(place).unwrap_or(Rank::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn version() -> impl Strategy<Value = String> {
        (
            prop_oneof![4 => Just(""), 1 => Just("1!")],
            prop_oneof![
                Just("0"),
                Just("1"),
                Just("1.0"),
                Just("1.0.0"),
                Just("1.0.1"),
                Just("1.1"),
                Just("2"),
                Just("18446744073709551615"),
                Just("1.18446744073709551615"),
            ],
            prop_oneof![3 => Just(""), 1 => Just("a1"), 1 => Just("rc1"), 1 => Just("rc2")],
            prop_oneof![3 => Just(""), 1 => Just(".post0"), 1 => Just(".post1")],
            prop_oneof![3 => Just(""), 1 => Just(".dev0"), 1 => Just(".dev18446744073709551615")],
        )
            .prop_map(|(epoch, release, pre, post, dev)| {
                format!("{epoch}{release}{pre}{post}{dev}")
            })
    }

    fn local_version() -> impl Strategy<Value = Version> {
        (
            version(),
            prop_oneof![2 => Just(""), 1 => Just("+1"), 1 => Just("+cu124")],
        )
            .prop_map(|(public, local)| format!("{public}{local}").parse().expect("a version"))
    }

    fn specifiers() -> impl Strategy<Value = VersionSpecifiers> {
        let operator = prop_oneof![
            Just("=="),
            Just("!="),
            Just("<"),
            Just("<="),
            Just(">"),
            Just(">="),
            Just("~="),
            Just("==="),
        ];
        let star = prop_oneof![2 => Just(""), 1 => Just(".*"), 1 => Just("+cu124")];
        proptest::collection::vec((operator, version(), star), 0..4).prop_map(|parts| {
            parts
                .iter()
                .filter_map(|(operator, version, star)| {
                    format!("{operator}{version}{star}")
                        .parse::<VersionSpecifier>()
                        .ok()
                })
                .collect()
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn a_rank_set_has_the_versions_that_are_contained(
            specifiers in specifiers(),
            mut versions in proptest::collection::vec(local_version(), 0..40),
        ) {
            versions.sort();
            versions.dedup();
            let members = versions.iter().map(|version| contains(&specifiers, version));
            prop_assert_eq!(
                rank_set(&specifiers, &versions),
                RankSet::from_members(members),
                "{} of {:?}", specifiers, versions
            );
        }

        #[test]
        fn what_is_displayed_reads_back(specifiers in specifiers()) {
            prop_assert_eq!(display(&specifiers).parse::<VersionSpecifiers>(), Ok(specifiers));
        }
    }
}
