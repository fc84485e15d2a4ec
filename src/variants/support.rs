//! Which properties a target supports, the best first.

use std::collections::BTreeMap;

use super::{Provider, VariantsJson};
use crate::Target;
use crate::metadata::VariantProperty;
use crate::target::sm;

/// The CUDA that the target's driver is for, as far as it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct DriverCuda {
    /// It is this one or a later one.
    pub at_least: (u64, u64),
    /// It is before this one.
    pub before: (u64, u64),
}

impl DriverCuda {
    /// One that is known exactly.
    pub fn exactly(major: u64, minor: u64) -> Self {
        Self {
            at_least: (major, minor),
            before: (major, minor.saturating_add(1)),
        }
    }
}

/// What a target supports of the namespaces of one release.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Support {
    pub(super) namespaces: BTreeMap<String, Namespace>,
}

/// What is supported of one namespace.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Namespace {
    /// The features, the best first.
    pub(super) features: Vec<Feature>,
    /// Why it has no others, in words.
    pub(super) because: String,
}

/// What is supported of one feature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Feature {
    pub(super) name: String,
    /// The values that are supported, the best first.
    pub(super) values: Vec<String>,
    /// Of each of these, too, there must be one: several GPUs run a wheel only together.
    pub(super) also: Vec<Vec<String>>,
}

impl Feature {
    fn new(name: &str, values: Vec<String>) -> Self {
        Self {
            name: name.to_owned(),
            values,
            also: Vec::new(),
        }
    }
}

/// The providers whose rules are known here, and what they are called.
const PROVIDERS: [(Known, &[&str]); 3] = [
    (Known::Nvidia, &["nvidia-variant-provider"]),
    (
        Known::X8664,
        &["x86-64-variant-provider", "provider-variant-x86-64"],
    ),
    (
        Known::Aarch64,
        &["aarch64-variant-provider", "provider-variant-aarch64"],
    ),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Known {
    Nvidia,
    X8664,
    Aarch64,
}

impl Known {
    /// The provider of a namespace where the file names none (PEP 825 alone).
    fn of_namespace(namespace: &str) -> Option<Self> {
        match namespace {
            "nvidia" => Some(Self::Nvidia),
            "x86_64" => Some(Self::X8664),
            "aarch64" => Some(Self::Aarch64),
            _ => None,
        }
    }

    fn called(name: &str) -> Option<Self> {
        let (known, _) = PROVIDERS.iter().find(|(_, names)| names.contains(&name))?;
        Some(*known)
    }
}

impl Support {
    /// What a target supports of the namespaces that a release's file names.
    ///
    /// `cuda` is the CUDA of the target's driver. What the user states of a feature counts
    /// in place of what would be concluded.
    pub fn of(document: &VariantsJson, target: &Target, cuda: Option<DriverCuda>) -> Self {
        let stated = target.accelerator.variants.as_deref().unwrap_or_default();
        let namespaces = document.default_priorities.namespace.iter();
        let namespaces = namespaces.map(|name| {
            let mut namespace = match document.providers.get(name) {
                Some(provider) => provided(name, provider, target, cuda),
                None => match Known::of_namespace(name) {
                    Some(known) => concluded(known, target, cuda),
                    None => unknown(format!("`{name}` is not known here")),
                },
            };
            state(name, &mut namespace, stated);
            (name.clone(), namespace)
        });
        Self {
            namespaces: namespaces.collect(),
        }
    }
}

fn unknown(because: String) -> Namespace {
    Namespace {
        features: Vec::new(),
        because,
    }
}

/// What a provider that the file names tells.
fn provided(
    namespace: &str,
    provider: &Provider,
    target: &Target,
    cuda: Option<DriverCuda>,
) -> Namespace {
    if provider.optional {
        return unknown(format!("`{namespace}` is optional, and nothing states it"));
    }
    if !provider.static_properties.is_empty() {
        let order: Vec<&String> = if provider.feature_order.is_empty() {
            provider.static_properties.keys().collect()
        } else {
            provider.feature_order.iter().collect()
        };
        let features = order.into_iter().filter_map(|name| {
            let values = provider.static_properties.get(name)?;
            Some(Feature::new(name, values.clone()))
        });
        return Namespace {
            features: features.collect(),
            because: format!("the release lists what is supported of `{namespace}`"),
        };
    }
    let name = provider.builtin.as_deref().or_else(|| {
        let requirement = provider.requires.first()?;
        let end = requirement.find(|letter: char| {
            !(letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.'))
        });
        requirement.get(..end.unwrap_or(requirement.len()))
    });
    match (name, name.and_then(Known::called)) {
        (_, Some(known)) => concluded(known, target, cuda),
        (Some(name), None) => unknown(format!(
            "the provider `{name}` of `{namespace}` is not known here"
        )),
        (None, None) => unknown(format!("`{namespace}` has no provider that is known here")),
    }
}

/// What is concluded from the target by the rules of a provider.
fn concluded(known: Known, target: &Target, cuda: Option<DriverCuda>) -> Namespace {
    match known {
        Known::Nvidia => nvidia(target, cuda),
        Known::X8664 => processor(target, &["x86_64", "amd64"], "level", "v1"),
        Known::Aarch64 => processor(target, &["aarch64", "arm64"], "version", "8a"),
    }
}

/// The oldest processors of an architecture, where nothing is stated.
fn processor(target: &Target, names: &[&str], feature: &str, oldest: &str) -> Namespace {
    let arch = target.platform.arch.as_str();
    if !names.contains(&arch) {
        return unknown(format!("the target's processor is {arch}"));
    }
    Namespace {
        features: vec![Feature::new(feature, vec![oldest.to_owned()])],
        because: format!(
            "of the target's processor only {arch} is known; `--variant-property` states more"
        ),
    }
}

/// The majors of CUDA, and the last minor, that NVIDIA's provider speaks of.
const FIRST_MAJOR: u64 = 11;
const LAST_MAJOR: u64 = 15;
const LAST_MINOR: u64 = 20;

/// The rules of NVIDIA's provider (`nvidia-variant-provider` 0.0.1).
fn nvidia(target: &Target, cuda: Option<DriverCuda>) -> Namespace {
    let Some(cuda) = cuda else {
        return unknown("no driver of NVIDIA's is stated of the target".to_owned());
    };
    let (major, minor) = cuda.at_least;
    if !(FIRST_MAJOR..=LAST_MAJOR).contains(&major) {
        return unknown(format!(
            "the target's driver is for CUDA {major}.{minor}, and variants speak of CUDA \
             {FIRST_MAJOR} to {LAST_MAJOR}"
        ));
    }
    let mut features = vec![
        Feature::new("cuda_version_lower_bound", lower_bounds(cuda.at_least)),
        Feature::new("cuda_version_upper_bound", upper_bounds(cuda.before)),
    ];
    let mut gpus: Vec<Vec<String>> = target
        .accelerator
        .gpus
        .iter()
        .rev()
        .map(|gpu| {
            let mut numbers = gpu.release().iter().copied();
            let (major, minor) = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
            let mut values: Vec<String> = (0..=minor)
                .rev()
                .map(|minor| format!("{major}{minor}_real"))
                .collect();
            values.push(format!("{major}0_virtual"));
            values
        })
        .collect();
    if !gpus.is_empty() {
        let newest = gpus.remove(0);
        features.push(Feature {
            name: "sm_arch".to_owned(),
            values: newest,
            also: gpus,
        });
    }
    let gpus: Vec<String> = target.accelerator.gpus.iter().map(sm).collect();
    Namespace {
        features,
        because: format!(
            "the target's driver is for CUDA {major}.{minor}, and its GPU is {}",
            if gpus.is_empty() {
                "not stated".to_owned()
            } else {
                gpus.join(", ")
            }
        ),
    }
}

/// The versions up to one, the latest first: `12.7` … `12.0`, `12`, `11.20` … `11`.
fn lower_bounds((major, minor): (u64, u64)) -> Vec<String> {
    (FIRST_MAJOR..=major)
        .rev()
        .flat_map(|each| {
            let last = if each == major {
                minor.min(LAST_MINOR)
            } else {
                LAST_MINOR
            };
            let minors = (0..=last).rev().map(move |minor| format!("{each}.{minor}"));
            minors.chain([each.to_string()])
        })
        .collect()
}

/// The versions from one on, the latest first: `15.20` … `15`, … `12.9`, `12.8`.
fn upper_bounds((major, minor): (u64, u64)) -> Vec<String> {
    (major..=LAST_MAJOR)
        .rev()
        .flat_map(|each| {
            let first = if each == major { minor } else { 0 };
            let minors = (first..=LAST_MINOR)
                .rev()
                .map(move |minor| format!("{each}.{minor}"));
            minors.chain((first == 0).then(|| each.to_string()))
        })
        .collect()
}

/// Takes what the user states of a namespace's features.
fn state(name: &str, namespace: &mut Namespace, stated: &[VariantProperty]) {
    let mut features: Vec<Feature> = Vec::new();
    for property in stated.iter().filter(|property| property.namespace == name) {
        let values = implied(property);
        match features
            .iter_mut()
            .find(|feature| feature.name == property.feature)
        {
            Some(feature) => feature.values.extend(values),
            None => features.push(Feature::new(&property.feature, values)),
        }
    }
    if features.is_empty() {
        return;
    }
    let is_stated = |feature: &Feature| features.iter().any(|known| known.name == feature.name);
    namespace.features.retain(|feature| !is_stated(feature));
    namespace.features.splice(0..0, features);
    namespace.because = format!("`--variant-property` states what is supported of `{name}`");
}

/// The values that one implies: a processor of level `v3` runs what is built for `v2`.
fn implied(property: &VariantProperty) -> Vec<String> {
    let VariantProperty {
        namespace,
        feature,
        value,
    } = property;
    let numbers = |text: &str| text.parse::<u64>().ok().filter(|number| *number < 100);
    match (namespace.as_str(), feature.as_str()) {
        ("x86_64", "level") => match value.strip_prefix('v').and_then(numbers) {
            Some(level) if level > 0 => {
                (1..=level).rev().map(|level| format!("v{level}")).collect()
            }
            _ => vec![value.clone()],
        },
        ("aarch64", "version") => {
            let text = value.strip_suffix('a').unwrap_or(value);
            let (major, minor) = text.split_once('.').unwrap_or((text, "0"));
            match (numbers(major), numbers(minor)) {
                // Armv9.N has what Armv8.(N+5) has.
                (Some(9), Some(minor)) => (0..=minor)
                    .rev()
                    .map(|minor| format!("9.{minor}a"))
                    .chain(armv8(minor + 5))
                    .collect(),
                (Some(8), Some(minor)) => armv8(minor).collect(),
                _ => vec![value.clone()],
            }
        }
        _ => vec![value.clone()],
    }
}

fn armv8(minor: u64) -> impl Iterator<Item = String> {
    (0..=minor).rev().map(|minor| match minor {
        0 => "8a".to_owned(),
        _ => format!("8.{minor}a"),
    })
}
