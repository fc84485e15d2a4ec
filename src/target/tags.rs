//! The tags of the wheels that suit a target, in order, and a table to look them up in.
//!
//! Sources: PEP 425 (tags), PEP 384 (`abi3`), PEP 703 (`cp313t`), PEP 803 (`abi3t`). The order is
//! the one of Python's `packaging`, with which the tests compare it tag by tag.

use std::fmt;

use super::{Implementation, Platform, PythonWord, TagPriority};
use crate::metadata::WheelName;

/// The first Python with a stable ABI.
const FIRST_ABI3_MINOR: u8 = 2;
/// The first Python whose ABI tag has no `m` for its memory allocator.
const FIRST_MINOR_WITHOUT_M: u8 = 8;

/// A Python tag with an ABI tag.
type Pair = (String, String);

/// The tags that suit, so that a wheel is looked up without allocating.
///
/// The order is that of `pairs`, and within one pair that of `platforms`; the tags for
/// `any` platform come after all of these. So the place of a wheel's best tag follows
/// from its best platform and its best pair, looked up on their own.
#[derive(Clone)]
pub(super) struct TagTable {
    /// The pairs that suit together with a platform of ours, the most specific first.
    pairs: Vec<Pair>,
    /// The platforms, the most specific first.
    platforms: Vec<String>,
    /// The pairs that suit on `any` platform, the most specific first.
    any: Vec<Pair>,
    /// Places in `platforms`, sorted by name, for look-ups.
    platform_places: Places,
    /// Places in `pairs`, under the Python tag and then the ABI tag.
    pair_places: Vec<(String, Places)>,
    /// Places in `any`, likewise.
    any_places: Vec<(String, Places)>,
}

/// Names with their places, sorted as [`look_up`] compares.
type Places = Vec<(String, u32)>;

impl TagTable {
    pub(super) fn new(python: &PythonWord, platform: &Platform) -> Self {
        let (pairs, any) = pairs(python);
        let platforms = platform.tags();
        let mut platform_places: Places = platforms.iter().cloned().zip(0..).collect();
        platform_places.sort_by(|a, b| order(&a.0, &b.0));
        Self {
            platform_places,
            pair_places: nested(&pairs),
            any_places: nested(&any),
            pairs,
            platforms,
            any,
        }
    }

    /// All tags that suit as Python, ABI and platform tag, the most specific first.
    pub(super) fn tags(&self) -> impl Iterator<Item = (&str, &str, &str)> {
        let specific = self.pairs.iter().flat_map(|(python, abi)| {
            let platforms = self.platforms.iter();
            platforms.map(move |platform| (python.as_str(), abi.as_str(), platform.as_str()))
        });
        let any = self.any.iter();
        specific.chain(any.map(|(python, abi)| (python.as_str(), abi.as_str(), "any")))
    }

    /// How well the best of a wheel's tags suits: the greater, the more specific, never 0.
    pub(super) fn priority(&self, wheel: &WheelName) -> Option<TagPriority> {
        self.priority_of(
            texts(&wheel.python),
            &texts(&wheel.abi),
            texts(&wheel.platform),
        )
    }

    /// The same for tags that were not taken apart into a wheel's name.
    pub(super) fn priority_of<'t>(
        &self,
        python: impl Iterator<Item = &'t str> + Clone,
        abi: &(impl Iterator<Item = &'t str> + Clone),
        mut platform: impl Iterator<Item = &'t str> + Clone,
    ) -> Option<TagPriority> {
        let best = self
            .best_platform(platform.clone())
            .and_then(|platform| {
                let pair = best_pair(&self.pair_places, python.clone(), abi)?;
                Some(pair.saturating_mul(length(&self.platforms)) + platform)
            })
            .or_else(|| {
                let any = platform.any(|tag| same(tag, "any"));
                let place = any.then(|| best_pair(&self.any_places, python, abi))??;
                Some(self.specific() + place)
            })?;
        let all = self.specific() + length(&self.any);
        Some(TagPriority(all.saturating_sub(best)))
    }

    /// Whether one of these platform tags suits, `any` among them.
    pub(super) fn suits_platform(&self, tags: &[String]) -> bool {
        self.best_platform(texts(tags)).is_some() || tags.iter().any(|tag| same(tag, "any"))
    }

    /// Whether a Python tag suits with an ABI tag on the wheel's platform.
    pub(super) fn suits_python(&self, wheel: &WheelName) -> bool {
        [&self.pair_places, &self.any_places]
            .into_iter()
            .any(|places| best_pair(places, texts(&wheel.python), &texts(&wheel.abi)).is_some())
    }

    /// The Python tag and ABI tag of a wheel built for exactly this Python: `cp311`, `cp311`.
    pub(super) fn native(&self) -> (&str, &str) {
        self.pairs
            .first()
            .map_or(("", ""), |(python, abi)| (python, abi))
    }

    fn specific(&self) -> u32 {
        length(&self.pairs).saturating_mul(length(&self.platforms))
    }

    fn best_platform<'t>(&self, tags: impl Iterator<Item = &'t str>) -> Option<u32> {
        tags.filter_map(|tag| place(&self.platform_places, tag))
            .min()
    }
}

impl fmt::Debug for TagTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (python, abi) = self.native();
        let platform = self.platforms.first().map_or("", String::as_str);
        write!(f, "{python}-{abi}-{platform} and {} more", self.specific())
    }
}

/// The best place among all pairs of a wheel's Python and ABI tags.
fn best_pair<'t>(
    places: &[(String, Places)],
    python: impl Iterator<Item = &'t str>,
    abi: &(impl Iterator<Item = &'t str> + Clone),
) -> Option<u32> {
    let abis_of_tags = python.filter_map(|tag| look_up(places, tag));
    abis_of_tags
        .filter_map(|abis| abi.clone().filter_map(|abi| place(abis, abi)).min())
        .min()
}

fn texts(tags: &[String]) -> impl Iterator<Item = &str> + Clone {
    tags.iter().map(String::as_str)
}

fn place(places: &Places, name: &str) -> Option<u32> {
    look_up(places, name).copied()
}

/// Binary search; tags are compared without regard to case, as `packaging` does.
fn look_up<'t, T>(entries: &'t [(String, T)], name: &str) -> Option<&'t T> {
    entries
        .binary_search_by(|(entry, _)| order(entry, name))
        .ok()
        .and_then(|index| entries.get(index))
        .map(|(_, value)| value)
        .or_else(|| {
            // Hardly any wheel gets here, so this may allocate.
            name.bytes()
                .any(|byte| byte.is_ascii_uppercase())
                .then(|| look_up(entries, &name.to_ascii_lowercase()))?
        })
}

/// By length first: that settles most comparisons without looking at the text.
fn order(a: &str, b: &str) -> std::cmp::Ordering {
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

fn same(a: &str, b: &str) -> bool {
    a.eq_ignore_ascii_case(b)
}

fn length<T>(items: &[T]) -> u32 {
    u32::try_from(items.len()).unwrap_or(u32::MAX)
}

/// The places of pairs, under their first halves.
fn nested(pairs: &[Pair]) -> Vec<(String, Places)> {
    let mut nested: Vec<(String, Places)> = Vec::new();
    for ((python, abi), place) in pairs.iter().zip(0..) {
        match nested.iter_mut().find(|(entry, _)| entry == python) {
            Some((_, abis)) => abis.push((abi.clone(), place)),
            None => nested.push((python.clone(), vec![(abi.clone(), place)])),
        }
    }
    for (_, abis) in &mut nested {
        abis.sort_by(|a, b| order(&a.0, &b.0));
    }
    nested.sort_by(|a, b| order(&a.0, &b.0));
    nested
}

/// The pairs for our platforms, and those for `any`, the most specific first.
fn pairs(python: &PythonWord) -> (Vec<Pair>, Vec<Pair>) {
    let minor = python.minor();
    let pair = |python: &str, abi: &str| (python.to_owned(), abi.to_owned());
    let (mut specific, on_any) = match python.implementation() {
        Implementation::CPython { free_threaded } => {
            let tag = format!("cp3{minor}");
            let (flag, stable) = match free_threaded {
                true => ("t", "abi3t"),
                false if minor < FIRST_MINOR_WITHOUT_M => ("m", "abi3"),
                false => ("", "abi3"),
            };
            let mut pairs = vec![
                pair(&tag, &format!("{tag}{flag}")),
                pair(&tag, stable),
                pair(&tag, "none"),
            ];
            pairs.extend(
                (FIRST_ABI3_MINOR..minor)
                    .rev()
                    .map(|older| pair(&format!("cp3{older}"), stable)),
            );
            (pairs, tag)
        }
        Implementation::PyPy { .. } => {
            let tag = format!("pp3{minor}");
            let own = python.pypy_version();
            let own = own.as_ref().map_or(&[][..], |own| own.release());
            let own: String = own.iter().take(2).map(u64::to_string).collect();
            let pairs = vec![
                pair(&tag, &format!("pypy3{minor}_pp{own}")),
                pair(&tag, "none"),
            ];
            (pairs, String::from("pp3"))
        }
    };
    let pure: Vec<Pair> = [format!("py3{minor}"), String::from("py3")]
        .into_iter()
        .chain((0..minor).rev().map(|older| format!("py3{older}")))
        .map(|tag| pair(&tag, "none"))
        .collect();
    specific.extend(pure.iter().cloned());
    let mut any = vec![pair(&on_any, "none")];
    any.extend(pure);
    (specific, any)
}
