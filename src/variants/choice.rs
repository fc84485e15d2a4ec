//! Which labels suit, and in which order.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use super::support::{Feature, Namespace};
use super::{NULL, Support, VariantsJson};
use crate::metadata::VariantProperty;

/// The labels of a release, judged.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Judged {
    /// Those that suit, the best first; the one without properties last.
    pub suitable: Vec<Suitable>,
    /// Those that do not, each with the reason, as the end of a sentence that begins with it.
    pub refused: Vec<(String, String)>,
}

/// A label that suits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suitable {
    /// The label.
    pub label: String,
    /// Those of its properties that the target supports, in the order of their importance.
    pub properties: Vec<VariantProperty>,
}

/// Places in the orders of namespaces, features and values: the less, the better.
type Key = (usize, usize, usize);

/// Judges the labels of a release's wheels (PEP 825, variant ordering).
pub fn judge(document: &VariantsJson, labels: &BTreeSet<&str>, support: &Support) -> Judged {
    let mut judged = Judged::default();
    let mut found: Vec<(Vec<Key>, Suitable)> = Vec::new();
    let orders = Orders::new(document, support);
    for label in labels {
        match properties(document, label, &orders) {
            Ok((keys, properties)) => {
                let label = (*label).to_owned();
                found.push((keys, Suitable { label, properties }));
            }
            Err(reason) => judged.refused.push(((*label).to_owned(), reason)),
        }
    }
    found.sort_by(|(keys, one), (others, other)| {
        let of_null = |suitable: &Suitable| suitable.label == NULL;
        of_null(one)
            .cmp(&of_null(other))
            .then_with(|| compare(keys, others))
            .then_with(|| one.label.cmp(&other.label))
    });
    judged.suitable = found.into_iter().map(|(_, suitable)| suitable).collect();
    judged
}

/// The first difference counts; where one is the beginning of the other, the longer one is
/// better.
fn compare(keys: &[Key], others: &[Key]) -> Ordering {
    let differing = keys.iter().zip(others).map(|(key, other)| key.cmp(other));
    differing
        .into_iter()
        .find(|ordering| ordering.is_ne())
        .unwrap_or_else(|| others.len().cmp(&keys.len()))
}

/// The keys of a label, sorted, and its supported properties in the same order.
fn properties(
    document: &VariantsJson,
    label: &str,
    orders: &Orders<'_>,
) -> Result<(Vec<Key>, Vec<VariantProperty>), String> {
    let Some(asked) = document.variants.get(label) else {
        if label == NULL {
            return Ok((Vec::new(), Vec::new()));
        }
        return Err("is told of nowhere".to_owned());
    };
    let mut found: BTreeMap<Key, Vec<VariantProperty>> = BTreeMap::new();
    for (name, features) in asked {
        let namespace = orders.namespaces.get(name.as_str());
        let place = orders.places.get(name.as_str());
        for (feature, values) in features {
            let supported = namespace
                .and_then(|namespace| namespace.features.get(feature.as_str()))
                .and_then(|known| known.supported(values));
            let Some(supported) = supported else {
                return Err(format!(
                    "needs {name} :: {feature} :: {}, and {}",
                    values.join(" or "),
                    namespace.map_or("", |namespace| namespace.because)
                ));
            };
            let best = supported.first().map_or(usize::MAX, |(place, _)| *place);
            let of_feature = namespace.and_then(|it| it.places.get(feature.as_str()));
            let properties = supported.into_iter().map(|(_, value)| VariantProperty {
                namespace: name.clone(),
                feature: feature.clone(),
                value: value.to_owned(),
            });
            let or_last = |place: Option<&usize>| place.copied().unwrap_or(usize::MAX);
            found
                .entry((or_last(place), or_last(of_feature), best))
                .or_default()
                .extend(properties);
        }
    }
    let keys = found.keys().copied().collect();
    Ok((keys, found.into_values().flatten().collect()))
}

/// The places of what a document names, worked out once for all of its labels.
struct Orders<'d> {
    /// Of the namespaces.
    places: BTreeMap<&'d str, usize>,
    /// What is supported of each of them.
    namespaces: BTreeMap<&'d str, OfNamespace<'d>>,
}

struct OfNamespace<'d> {
    /// The places of its features: those that the file puts first, then the provider's order.
    places: BTreeMap<&'d str, usize>,
    /// Those of which a value is supported.
    features: BTreeMap<&'d str, OfFeature<'d>>,
    because: &'d str,
}

struct OfFeature<'d> {
    /// The places of the supported values, in the same way.
    supported: BTreeMap<&'d str, usize>,
    also: Vec<BTreeSet<&'d str>>,
}

impl<'d> Orders<'d> {
    fn new(document: &'d VariantsJson, support: &'d Support) -> Self {
        let priorities = &document.default_priorities;
        let of_namespace = |(name, namespace): (&'d String, &'d Namespace)| {
            let first = priorities.feature.get(name);
            let values_first = priorities.property.get(name);
            let of_feature = |feature: &'d Feature| {
                let first = values_first.and_then(|features| features.get(&feature.name));
                (feature.name.as_str(), OfFeature::new(feature, first))
            };
            let of_namespace = OfNamespace {
                places: places(
                    first,
                    namespace.features.iter().map(|feature| &feature.name),
                ),
                features: namespace.features.iter().rev().map(of_feature).collect(),
                because: &namespace.because,
            };
            (name.as_str(), of_namespace)
        };
        Self {
            places: places(None, priorities.namespace.iter()),
            namespaces: support.namespaces.iter().map(of_namespace).collect(),
        }
    }
}

impl<'d> OfFeature<'d> {
    fn new(feature: &'d Feature, first: Option<&'d Vec<String>>) -> Self {
        let all = places(first, feature.values.iter());
        let place = |value: &'d String| Some((value.as_str(), *all.get(value.as_str())?));
        Self {
            supported: feature.values.iter().filter_map(place).collect(),
            also: feature
                .also
                .iter()
                .map(|values| values.iter().map(String::as_str).collect())
                .collect(),
        }
    }

    /// The supported ones of the values that a label lists, each with its place, the best
    /// first; `None` where none is supported.
    fn supported(&self, values: &[String]) -> Option<Vec<(usize, &'d str)>> {
        let everywhere = self
            .also
            .iter()
            .all(|other| values.iter().any(|value| other.contains(value.as_str())));
        let mut found: Vec<(usize, &'d str)> = values
            .iter()
            .filter_map(|value| self.supported.get_key_value(value.as_str()))
            .map(|(value, place)| (*place, *value))
            .collect();
        found.sort_unstable();
        (everywhere && !found.is_empty()).then_some(found)
    }
}

/// The places of names in an order: those that come `first`, then the others.
fn places<'d>(
    first: Option<&'d Vec<String>>,
    rest: impl Iterator<Item = &'d String>,
) -> BTreeMap<&'d str, usize> {
    let mut places = BTreeMap::new();
    for (place, name) in first.into_iter().flatten().chain(rest).enumerate() {
        places.entry(name.as_str()).or_insert(place);
    }
    places
}

#[cfg(test)]
mod tests;
