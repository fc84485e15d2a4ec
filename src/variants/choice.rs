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
    for label in labels {
        match properties(document, label, support) {
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
    support: &Support,
) -> Result<(Vec<Key>, Vec<VariantProperty>), String> {
    let Some(asked) = document.variants.get(label) else {
        if label == NULL {
            return Ok((Vec::new(), Vec::new()));
        }
        return Err("is told of nowhere".to_owned());
    };
    let mut found: BTreeMap<Key, Vec<VariantProperty>> = BTreeMap::new();
    for (name, features) in asked {
        let place = document
            .default_priorities
            .namespace
            .iter()
            .position(|known| known == name)
            .unwrap_or(usize::MAX);
        let none = Namespace::default();
        let namespace = support.namespaces.get(name).unwrap_or(&none);
        let order = feature_order(document, name, namespace);
        for (feature, values) in features {
            let supported = namespace
                .features
                .iter()
                .find(|known| known.name == *feature)
                .and_then(|known| supported(document, name, known, values));
            let Some(supported) = supported else {
                return Err(format!(
                    "needs {name} :: {feature} :: {}, and {}",
                    values.join(" or "),
                    namespace.because
                ));
            };
            let best = supported.first().map_or(usize::MAX, |(place, _)| *place);
            let of_feature = order
                .iter()
                .position(|known| known == feature)
                .unwrap_or(usize::MAX);
            let properties = supported.into_iter().map(|(_, value)| VariantProperty {
                namespace: name.clone(),
                feature: feature.clone(),
                value,
            });
            found
                .entry((place, of_feature, best))
                .or_default()
                .extend(properties);
        }
    }
    let keys = found.keys().copied().collect();
    Ok((keys, found.into_values().flatten().collect()))
}

/// The features of a namespace: those that the file puts first, then the provider's order.
fn feature_order(document: &VariantsJson, name: &str, namespace: &Namespace) -> Vec<String> {
    let first = document.default_priorities.feature.get(name);
    let rest = namespace.features.iter().map(|feature| &feature.name);
    in_order(first, rest)
}

fn in_order<'a>(
    first: Option<&Vec<String>>,
    rest: impl Iterator<Item = &'a String>,
) -> Vec<String> {
    let mut order = first.cloned().unwrap_or_default();
    for name in rest {
        if !order.contains(name) {
            order.push(name.clone());
        }
    }
    order
}

/// The supported ones of the values that a label lists, each with its place, the best first;
/// `None` where none is supported.
fn supported(
    document: &VariantsJson,
    namespace: &str,
    feature: &Feature,
    values: &[String],
) -> Option<Vec<(usize, String)>> {
    let everywhere = feature
        .also
        .iter()
        .all(|other| values.iter().any(|value| other.contains(value)));
    let first = document
        .default_priorities
        .property
        .get(namespace)
        .and_then(|features| features.get(&feature.name));
    let order = in_order(first, feature.values.iter());
    let mut found: Vec<(usize, String)> = values
        .iter()
        .filter(|value| feature.values.contains(value))
        .filter_map(|value| {
            let place = order.iter().position(|known| known == value)?;
            Some((place, value.clone()))
        })
        .collect();
    found.sort();
    (everywhere && !found.is_empty()).then_some(found)
}

#[cfg(test)]
mod tests;
