//! Properties of wheel variants, and dependency markers that ask for them (PEP 825, draft).

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use pep508_rs::{ExtraName, MarkerTree};
use serde::{Deserialize, Serialize};

use super::{Dependency, Metadata};

/// One property: `nvidia :: sm_arch :: 90_real`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct VariantProperty {
    /// Who governs the features: `nvidia`, `x86_64`.
    pub namespace: String,
    /// What the value is of: `sm_arch`, `level`.
    pub feature: String,
    /// The value: `90_real`, `v3`.
    pub value: String,
}

/// What a text lacks to be a property.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no property: expected `namespace :: feature :: value`, such as `x86_64 :: level :: v3`"
)]
pub struct PropertyError(String);

impl FromStr for VariantProperty {
    type Err = PropertyError;

    fn from_str(text: &str) -> Result<Self, PropertyError> {
        let parts: Vec<&str> = text.split("::").map(str::trim).collect();
        match parts.as_slice() {
            [namespace, feature, value]
                if is_name(namespace) && is_name(feature) && is_value(value) =>
            {
                Ok(Self {
                    namespace: (*namespace).to_owned(),
                    feature: (*feature).to_owned(),
                    value: (*value).to_owned(),
                })
            }
            _ => Err(PropertyError(text.to_owned())),
        }
    }
}

impl fmt::Display for VariantProperty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} :: {} :: {}",
            self.namespace, self.feature, self.value
        )
    }
}

/// Whether a text can be a namespace or a feature.
pub(crate) fn is_name(text: &str) -> bool {
    let allowed = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'z' | b'_');
    !text.is_empty() && text.bytes().all(allowed)
}

/// Whether a text can be a value, or a label.
pub(crate) fn is_value(text: &str) -> bool {
    let allowed = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'z' | b'_' | b'.');
    !text.is_empty() && text.bytes().all(allowed)
}

/// The marker variables that ask for the variant of the wheel that is installed.
const VARIABLES: [&str; 4] = [
    "variant_label",
    "variant_namespaces",
    "variant_features",
    "variant_properties",
];

/// How the extras begin that stand for what a variant is.
///
/// `pep508_rs` knows no such variables. An extra is a truth value that nothing else in a marker
/// speaks of, so each question for a variant is kept as one. An ordinary wheel answers no to all
/// of them, as if no extra were asked for.
const PREFIX: &str = "mlresolve-wheel-variant";

/// The extra that every labelled wheel has.
fn labelled() -> String {
    format!("{PREFIX}-labelled")
}

/// The extra that stands for one answer of a variable; hexadecimal, since the name of an extra
/// has no `_`, `.` or `:`.
fn answer(variable: &str, value: &str) -> String {
    use fmt::Write as _;
    let mut name = format!("{PREFIX}-{}-", variable.replace('_', "-"));
    for byte in value.bytes() {
        // Writing to a string cannot fail.
        let _ = write!(name, "{byte:02x}");
    }
    name
}

/// The value without white space about its `::`.
fn tidy(value: &str) -> String {
    value
        .split("::")
        .map(str::trim)
        .collect::<Vec<_>>()
        .join("::")
}

pub(super) fn is_variable(token: &str) -> bool {
    VARIABLES.contains(&token)
}

/// The comparison of a marker with such a variable in it, in words that `pep508_rs` reads;
/// `None` where there is no such variable.
///
/// # Errors
///
/// Why it cannot be evaluated, in words.
pub(super) fn comparison(
    left: &str,
    operator: &str,
    right: &str,
) -> Option<Result<String, String>> {
    let (variable, value, variable_is_left) = match (is_variable(left), is_variable(right)) {
        (true, false) => (left, right, true),
        (false, true) => (right, left, false),
        (false, false) => return None,
        (true, true) => {
            return Some(Err(format!(
                "`{left} {operator} {right}` compares two variables"
            )));
        }
    };
    let Some(text) = value
        .strip_prefix(['"', '\''])
        .and_then(|rest| rest.strip_suffix(['"', '\'']))
    else {
        return Some(Err(format!(
            "`{left} {operator} {right}` compares `{variable}` with what is no text"
        )));
    };
    let equal = match (variable, operator, variable_is_left) {
        ("variant_label", "==" | "===", _) => true,
        ("variant_label", "!=", _) => false,
        (_, "in", false) if variable != "variant_label" => true,
        (_, "not in", false) if variable != "variant_label" => false,
        ("variant_label", ..) => {
            return Some(Err(format!(
                "`{left} {operator} {right}`: `variant_label` is compared by `==` and `!=`"
            )));
        }
        _ => {
            return Some(Err(format!(
                "`{left} {operator} {right}`: `{variable}` stands on the right of `in` and `not in`"
            )));
        }
    };
    // No label: the wheel is an ordinary one.
    let (name, equal) = match (variable, text) {
        ("variant_label", "") => (labelled(), !equal),
        _ => (answer(variable, &tidy(text)), equal),
    };
    let operator = if equal { "==" } else { "!=" };
    Some(Ok(format!("extra {operator} '{name}'")))
}

/// Whether an extra stands for what a variant is.
pub(super) fn is_stand_in(extra: &ExtraName) -> bool {
    let name: &str = extra.as_ref();
    name.starts_with(PREFIX)
}

/// What a labelled wheel answers to the questions of markers.
fn answers(label: &str, properties: &[VariantProperty]) -> BTreeSet<String> {
    let mut answers = BTreeSet::from([labelled(), answer("variant_label", label)]);
    for property in properties {
        let VariantProperty {
            namespace,
            feature,
            value,
        } = property;
        answers.insert(answer("variant_namespaces", namespace));
        answers.insert(answer(
            "variant_features",
            &format!("{namespace}::{feature}"),
        ));
        answers.insert(answer(
            "variant_properties",
            &format!("{namespace}::{feature}::{value}"),
        ));
    }
    answers
}

impl Metadata {
    /// The metadata as it reads in the wheel with a label, whose properties that the target
    /// supports are these.
    #[must_use]
    pub fn of_variant(&self, label: &str, properties: &[VariantProperty]) -> Self {
        let holds = answers(label, properties);
        let is_held = |extra: &ExtraName| holds.contains(extra.as_ref() as &str);
        let simplified = |marker: MarkerTree| marker.simplify_extras_with(is_held);
        let requires_dist = self.requires_dist.iter().map(|dependency| Dependency {
            marker: simplified(dependency.marker.clone()),
            ..dependency.clone()
        });
        Self {
            requires_dist: requires_dist.collect(),
            ..self.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;
    use crate::Target;

    fn metadata(markers: &[&str]) -> Metadata {
        let mut text = "Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n".to_owned();
        for (number, marker) in markers.iter().enumerate() {
            let _ = writeln!(text, "Requires-Dist: dep{number}; {marker}");
        }
        Metadata::parse(text.as_bytes(), None).expect("metadata")
    }

    fn required(metadata: &Metadata, extras: &[&str]) -> Vec<String> {
        let target: Target = "3.11 linux".parse().expect("a target");
        let extras: Vec<ExtraName> = extras
            .iter()
            .map(|extra| extra.parse().expect("an extra"))
            .collect();
        metadata
            .requires_dist
            .iter()
            .filter(|dependency| dependency.marker.evaluate(&target.markers, &extras))
            .map(|dependency| dependency.name.to_string())
            .collect()
    }

    fn property(text: &str) -> VariantProperty {
        text.parse().expect("a property")
    }

    #[test]
    fn properties_are_read_with_and_without_spaces() {
        let found = property("nvidia::sm_arch :: 90_real");
        assert_eq!(found.to_string(), "nvidia :: sm_arch :: 90_real");
        for wrong in [
            "",
            "nvidia",
            "nvidia :: sm_arch",
            "NVIDIA :: a :: b",
            "a :: b :: c :: d",
            "a :: b.c :: d",
            "a :: b :: c d",
            "a :: b :: ",
        ] {
            assert!(wrong.parse::<VariantProperty>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn markers_ask_for_the_variant_of_the_wheel() {
        let metadata = metadata(&[
            "variant_label == 'cu126'",
            "variant_label != 'null'",
            "'' == variant_label",
            "variant_label != ''",
            "'nvidia' in variant_namespaces",
            "'nvidia::sm_arch' in variant_features",
            "'nvidia :: sm_arch ::90_real' in variant_properties",
            "'nvidia :: sm_arch :: 80_real' not in variant_properties",
            "'nvidia' in variant_namespaces and sys_platform == 'win32'",
            "'x86_64' in variant_namespaces or extra == 'all'",
        ]);
        assert!(
            metadata
                .provides_extras
                .iter()
                .all(|extra| extra.as_ref() as &str == "all")
        );
        assert_eq!(required(&metadata, &[]), ["dep1", "dep2", "dep7"]);
        let cuda = metadata.of_variant(
            "cu126",
            &[
                property("nvidia :: cuda_version_lower_bound :: 12.6"),
                property("nvidia :: sm_arch :: 90_real"),
            ],
        );
        assert_eq!(
            required(&cuda, &[]),
            ["dep0", "dep1", "dep3", "dep4", "dep5", "dep6", "dep7"]
        );
        assert_eq!(
            required(&cuda, &["all"]),
            [
                "dep0", "dep1", "dep3", "dep4", "dep5", "dep6", "dep7", "dep9"
            ]
        );
        let null = metadata.of_variant("null", &[]);
        assert_eq!(required(&null, &[]), ["dep3", "dep7"]);
    }

    #[test]
    fn markers_without_meaning_are_refused() {
        for (marker, part) in [
            ("variant_label in 'cu126 cu128'", "by `==` and `!=`"),
            ("variant_label < 'cu126'", "by `==` and `!=`"),
            ("variant_namespaces == 'nvidia'", "on the right of `in`"),
            ("variant_features in 'a'", "on the right of `in`"),
            (
                "variant_label == variant_features",
                "compares two variables",
            ),
            ("variant_label == sys_platform", "with what is no text"),
        ] {
            let error = super::super::parse_marker(marker).expect_err(marker);
            assert!(error.contains(part), "{marker}: {error}");
        }
    }
}
