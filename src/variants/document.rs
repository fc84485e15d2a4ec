//! The files that tell what labels stand for: `{name}-{version}-variants.json` of an index, and
//! `variant.json` of a wheel.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::NULL;
use crate::metadata::{is_variant_name, is_variant_value};

/// Values by feature, by namespace.
pub type Properties = BTreeMap<String, BTreeMap<String, Vec<String>>>;

/// What the labels of one release's wheels stand for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct VariantsJson {
    /// The address of the format's schema, which ends in its version.
    #[serde(rename = "$schema", default)]
    pub schema: String,
    /// What comes first where several variants suit.
    pub default_priorities: Priorities,
    /// How what a target supports is learned, by namespace (PEP 850).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub providers: BTreeMap<String, Provider>,
    /// The properties of each label.
    pub variants: BTreeMap<String, Properties>,
}

/// What comes first where several variants suit, the best first.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Priorities {
    /// All namespaces that are used.
    pub namespace: Vec<String>,
    /// Features that come before the others of their namespace; only in early drafts.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub feature: BTreeMap<String, Vec<String>>,
    /// Values that come before the others of their feature; only in early drafts.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub property: Properties,
}

/// How what a target supports is learned, for one namespace.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Provider {
    /// Whether it counts only for those who ask for it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub optional: bool,
    /// The requirements of a plugin that tells it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub requires: Vec<String>,
    /// What of the plugin is called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plugin_api: Option<String>,
    /// The name of a provider that installers have of their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub builtin: Option<String>,
    /// What every target supports: values by feature, the best first.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub static_properties: BTreeMap<String, Vec<String>>,
    /// The features of `static_properties`, the best first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub feature_order: Vec<String>,
}

/// Why such a file cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VariantsError {
    /// It is no such JSON.
    #[error("it is no variant metadata (PEP 825): {0}")]
    Json(String),
    /// It is of a format that is not known.
    #[error("it has the format `{0}`, which this version of mlresolve does not read")]
    Format(String),
    /// What it says makes no sense.
    #[error("{0}")]
    Malformed(String),
    /// Two wheels of a release disagree.
    #[error("the wheels of the release disagree: {0}")]
    Disagreement(String),
}

/// The drafts of the format that are read, as the ends of the schema's address begin.
const FORMATS: [&str; 3] = ["v0.0.", "v0.1.", "v0.2."];

/// How large a file may be, in bytes. Those of real releases have a few thousand.
const SIZE_LIMIT: usize = 1 << 20;

fn malformed(detail: String) -> VariantsError {
    VariantsError::Malformed(detail)
}

impl VariantsJson {
    /// Reads an index's file.
    ///
    /// # Errors
    ///
    /// [`VariantsError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, VariantsError> {
        if bytes.len() > SIZE_LIMIT {
            return Err(malformed(format!(
                "it has {} bytes, and more than {SIZE_LIMIT} cannot be meant",
                bytes.len()
            )));
        }
        let document: Self = serde_json::from_slice(bytes)
            .map_err(|error| VariantsError::Json(error.to_string()))?;
        let format = document.schema.rsplit('/').next().unwrap_or_default();
        if !FORMATS.iter().any(|known| format.starts_with(known)) {
            return Err(VariantsError::Format(document.schema));
        }
        document.check()?;
        Ok(document)
    }

    /// Reads the file of a wheel with a label, which tells of this label alone.
    ///
    /// # Errors
    ///
    /// [`VariantsError`].
    pub fn parse_of_wheel(bytes: &[u8], label: &str) -> Result<Self, VariantsError> {
        let document = Self::parse(bytes)?;
        if document.variants.keys().eq([label]) {
            return Ok(document);
        }
        let found: Vec<&str> = document.variants.keys().map(String::as_str).collect();
        Err(malformed(format!(
            "it should tell of the label `{label}` alone, and tells of {}",
            quoted(&found)
        )))
    }

    /// Takes what another wheel of the release says.
    ///
    /// # Errors
    ///
    /// [`VariantsError::Disagreement`] where both cannot hold. That is so whichever of the two
    /// takes the other.
    pub fn merge(&mut self, other: Self) -> Result<(), VariantsError> {
        let disagree = |what: String| Err(VariantsError::Disagreement(what));
        let (own, theirs) = (
            &mut self.default_priorities,
            other.default_priorities.clone(),
        );
        if theirs.namespace.starts_with(&own.namespace) {
            own.namespace = theirs.namespace;
        } else if !own.namespace.starts_with(&theirs.namespace) {
            return disagree(format!(
                "the order of namespaces is {} in one, and {} in another",
                own.namespace.join(", "),
                theirs.namespace.join(", ")
            ));
        }
        if own.feature != theirs.feature || own.property != theirs.property {
            return disagree("the order of features or values differs".to_owned());
        }
        for (label, properties) in other.variants {
            match self.variants.get(&label) {
                Some(known) if *known != properties => {
                    return disagree(format!("the label `{label}` stands for different things"));
                }
                Some(_) => {}
                None => drop(self.variants.insert(label, properties)),
            }
        }
        for (namespace, provider) in other.providers {
            match self.providers.get(&namespace) {
                Some(known) if *known != provider => {
                    return disagree(format!("`{namespace}` has different providers"));
                }
                Some(_) => {}
                None => drop(self.providers.insert(namespace, provider)),
            }
        }
        Ok(())
    }

    fn check(&self) -> Result<(), VariantsError> {
        let namespaces = &self.default_priorities.namespace;
        let known: BTreeSet<&str> = namespaces.iter().map(String::as_str).collect();
        if known.len() != namespaces.len() {
            return Err(malformed(
                "`default-priorities.namespace` names one twice".to_owned(),
            ));
        }
        for (label, properties) in &self.variants {
            if !is_variant_value(label) {
                return Err(malformed(format!("`{label}` is not a variant label")));
            }
            if label == NULL && properties.values().any(|features| !features.is_empty()) {
                return Err(malformed(format!(
                    "`{NULL}` has properties, and stands for none"
                )));
            }
            for (namespace, features) in properties {
                if !known.contains(namespace.as_str()) {
                    return Err(malformed(format!(
                        "`{label}` has properties of `{namespace}`, which \
                         `default-priorities.namespace` does not name"
                    )));
                }
                check_features(namespace, features)?;
            }
        }
        for (namespace, provider) in &self.providers {
            check_features(namespace, &provider.static_properties)?;
            check_provider(namespace, provider)?;
        }
        Ok(())
    }
}

fn check_features(
    namespace: &str,
    features: &BTreeMap<String, Vec<String>>,
) -> Result<(), VariantsError> {
    for (feature, values) in features {
        let distinct: BTreeSet<&String> = values.iter().collect();
        let reads = is_variant_name(namespace)
            && is_variant_name(feature)
            && values.iter().all(|value| is_variant_value(value));
        if !reads || values.is_empty() || distinct.len() != values.len() {
            return Err(malformed(format!(
                "`{namespace} :: {feature}` needs values, each once, of `a-z`, `0-9`, `_` and `.`"
            )));
        }
    }
    Ok(())
}

fn check_provider(namespace: &str, provider: &Provider) -> Result<(), VariantsError> {
    let order: BTreeSet<&String> = provider.feature_order.iter().collect();
    let told = provider.static_properties.keys();
    let is_ordered = provider.feature_order.len() == order.len() && order.into_iter().eq(told);
    let needs_order = provider.static_properties.len() > 1;
    if is_ordered || (provider.feature_order.is_empty() && !needs_order) {
        return Ok(());
    }
    Err(malformed(format!(
        "the provider of `{namespace}` needs a `feature-order` of all its features"
    )))
}

fn quoted(words: &[&str]) -> String {
    if words.is_empty() {
        return "none".to_owned();
    }
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    quoted.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCHEMA: &str = "https://variants-schema.wheelnext.dev/peps/825/v0.1.1.json";

    fn document(namespaces: &str, variants: &str, more: &str) -> Vec<u8> {
        format!(
            r#"{{"$schema": "{SCHEMA}", "default-priorities": {{"namespace": {namespaces}}},
                "variants": {variants}{more}}}"#
        )
        .into_bytes()
    }

    fn parsed(namespaces: &str, variants: &str) -> VariantsJson {
        VariantsJson::parse(&document(namespaces, variants, "")).expect("a document")
    }

    #[test]
    fn what_is_read_is_written_again() {
        let bytes = document(
            r#"["nvidia", "blas"]"#,
            r#"{"cu126": {"nvidia": {"sm_arch": ["90_real", "80_real"]}}, "null": {}}"#,
            r#", "providers": {
                "nvidia": {"requires": ["nvidia-variant-provider"], "plugin-api": "a:B"},
                "blas": {"static-properties": {"library": ["mkl"]}, "optional": true}}"#,
        );
        let read = VariantsJson::parse(&bytes).expect("a document");
        assert_eq!(
            read.variants["cu126"]["nvidia"]["sm_arch"],
            ["90_real", "80_real"]
        );
        assert!(read.providers["blas"].optional);
        let again = serde_json::to_vec(&read).expect("JSON");
        assert_eq!(VariantsJson::parse(&again).expect("a document"), read);
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for (namespaces, variants, more, message) in [
            ("[", "{}", "", "it is no variant metadata"),
            (r#"["a", "a"]"#, "{}", "", "names one twice"),
            (
                r#"["a"]"#,
                r#"{"x": {"b": {"c": ["d"]}}}"#,
                "",
                "`x` has properties of `b`, which `default-priorities.namespace` does not name",
            ),
            (
                r#"["a"]"#,
                r#"{"x": {"a": {"c": []}}}"#,
                "",
                "`a :: c` needs values",
            ),
            (
                r#"["a"]"#,
                r#"{"x": {"a": {"c": ["d", "d"]}}}"#,
                "",
                "each once",
            ),
            (
                r#"["a"]"#,
                r#"{"x": {"a": {"C": ["d"]}}}"#,
                "",
                "`a :: C` needs values",
            ),
            (
                r#"["a"]"#,
                r#"{"null": {"a": {"c": ["d"]}}}"#,
                "",
                "`null` has properties, and stands for none",
            ),
            (r#"["a"]"#, r#"{"X": {}}"#, "", "`X` is not a variant label"),
            (
                r#"["a"]"#,
                "{}",
                r#", "providers": {"a": {"static-properties": {"b": ["1"], "c": ["2"]}}}"#,
                "the provider of `a` needs a `feature-order`",
            ),
        ] {
            let error = VariantsJson::parse(&document(namespaces, variants, more))
                .expect_err(message)
                .to_string();
            assert!(error.contains(message), "{message}: {error}");
        }
        for schema in ["", "https://packaging.example/v1.0.0.json"] {
            let text = format!(
                r#"{{"$schema": "{schema}", "default-priorities": {{"namespace": []}}, "variants": {{}}}}"#
            );
            assert_eq!(
                VariantsJson::parse(text.as_bytes()),
                Err(VariantsError::Format(schema.to_owned()))
            );
        }
    }

    #[test]
    fn a_wheels_own_file_tells_of_its_label_alone() {
        let bytes = document(r#"["a"]"#, r#"{"x": {"a": {"b": ["1"]}}}"#, "");
        assert!(VariantsJson::parse_of_wheel(&bytes, "x").is_ok());
        let error = VariantsJson::parse_of_wheel(&bytes, "y").expect_err("another label");
        assert_eq!(
            error.to_string(),
            "it should tell of the label `y` alone, and tells of `x`"
        );
    }

    #[test]
    fn the_files_of_wheels_are_put_together_in_any_order() {
        let long = parsed(r#"["a", "b"]"#, r#"{"x": {"b": {"c": ["1"]}}}"#);
        let short = parsed(r#"["a"]"#, r#"{"y": {"a": {"c": ["1"]}}}"#);
        let mut one = long.clone();
        one.merge(short.clone()).expect("they agree");
        let mut other = short.clone();
        other.merge(long.clone()).expect("they agree");
        assert_eq!(one, other);
        assert_eq!(one.default_priorities.namespace, ["a", "b"]);
        assert_eq!(one.variants.len(), 2);
        for disagreeing in [
            parsed(r#"["b"]"#, "{}"),
            parsed(r#"["a"]"#, r#"{"x": {"a": {"c": ["1"]}}}"#),
        ] {
            for (one, other) in [
                (long.clone(), disagreeing.clone()),
                (disagreeing, long.clone()),
            ] {
                let mut one = one;
                let error = one.merge(other).expect_err("they disagree");
                assert!(matches!(error, VariantsError::Disagreement(_)), "{error}");
            }
        }
    }
}
