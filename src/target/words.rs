//! What a lock records of a target, and the target made of it again.

use std::collections::BTreeMap;

use pep508_rs::{MarkerEnvironment, StringVersion};
use serde::{Deserialize, Serialize};

use super::declared::markers;
use super::{Accelerator, Platform, PythonWord, Target, TargetError};

/// A target as a lock records it: everything that could change an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TargetWords {
    /// The word for the Python: `3.11`, `3.11.4`, `3.13t`, `pypy3.10`.
    pub python: String,
    /// The canonical name of the platform: `x86_64-manylinux_2_28`.
    pub platform: String,
    /// The markers that differ from what the words imply, with their values: those that a
    /// target has which was read off an interpreter (`platform_release`).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub markers: BTreeMap<String, String>,
    /// What is stated of the accelerator ([`Accelerator::words`]).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub accelerator: BTreeMap<String, String>,
}

impl Target {
    /// What a lock records of the target; [`TargetWords::target`] makes the same of it.
    pub fn words(&self) -> TargetWords {
        let implied = markers(self.python_word(), &self.platform).ok();
        let implied = implied.as_ref().map(values);
        let differing = values(&self.markers)
            .into_iter()
            .filter(|pair| implied.is_none_or(|implied| !implied.contains(pair)))
            .map(|(marker, value)| (marker.to_owned(), value.to_owned()))
            .collect();
        TargetWords {
            python: self.python_word().to_string(),
            platform: self.platform.to_string(),
            markers: differing,
            accelerator: self.accelerator.words(),
        }
    }
}

impl TargetWords {
    /// The target that was recorded.
    pub fn target(&self) -> Result<Target, TargetError> {
        let word: PythonWord = self.python.parse()?;
        let platform = Platform::parse(&self.platform)?;
        let mut environment = markers(&word, &platform)?;
        for (marker, value) in &self.markers {
            environment = with(environment, marker, value)?;
        }
        let mut target = Target::new(word, platform, environment);
        target.accelerator = Accelerator::from_words(&self.accelerator)?;
        Ok(target)
    }
}

/// All markers with their values.
fn values(environment: &MarkerEnvironment) -> [(&'static str, &str); 11] {
    [
        ("implementation_name", environment.implementation_name()),
        (
            "implementation_version",
            &environment.implementation_version().string,
        ),
        ("os_name", environment.os_name()),
        ("platform_machine", environment.platform_machine()),
        (
            "platform_python_implementation",
            environment.platform_python_implementation(),
        ),
        ("platform_release", environment.platform_release()),
        ("platform_system", environment.platform_system()),
        ("platform_version", environment.platform_version()),
        (
            "python_full_version",
            &environment.python_full_version().string,
        ),
        ("python_version", &environment.python_version().string),
        ("sys_platform", environment.sys_platform()),
    ]
}

fn with(
    environment: MarkerEnvironment,
    marker: &str,
    value: &str,
) -> Result<MarkerEnvironment, TargetError> {
    let refused = || TargetError::Marker {
        marker: marker.to_owned(),
        value: value.to_owned(),
    };
    let version = || value.parse::<StringVersion>().map_err(|_| refused());
    Ok(match marker {
        "implementation_name" => environment.with_implementation_name(value),
        "implementation_version" => environment.with_implementation_version(version()?),
        "os_name" => environment.with_os_name(value),
        "platform_machine" => environment.with_platform_machine(value),
        "platform_python_implementation" => environment.with_platform_python_implementation(value),
        "platform_release" => environment.with_platform_release(value),
        "platform_system" => environment.with_platform_system(value),
        "platform_version" => environment.with_platform_version(value),
        "python_full_version" => environment.with_python_full_version(version()?),
        "python_version" => environment.with_python_version(version()?),
        "sys_platform" => environment.with_sys_platform(value),
        _ => return Err(refused()),
    })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed parse fails the test")]

    use super::*;

    #[test]
    fn a_declared_target_is_two_words() {
        let words = Target::declared("cp311", "linux").unwrap().words();
        assert_eq!(
            serde_json::to_string(&words).unwrap(),
            r#"{"python":"3.11","platform":"x86_64-manylinux_2_28"}"#
        );
        assert_eq!(words.target().unwrap().words(), words);
    }

    #[test]
    fn other_markers_are_recorded() {
        let mut target = Target::declared("3.11.7", "macos").unwrap();
        target.markers = target
            .markers
            .with_platform_release("22.1.0")
            .with_python_full_version("3.11.7".parse::<StringVersion>().unwrap());
        let words = target.words();
        assert_eq!(
            words.markers,
            BTreeMap::from([("platform_release".to_owned(), "22.1.0".to_owned())])
        );
        assert_eq!(words.target().unwrap().markers, target.markers);
    }

    #[test]
    fn what_is_no_marker_is_refused() {
        let mut words = Target::declared("3.11", "linux").unwrap().words();
        for (marker, value) in [("platform", "x"), ("python_version", "three")] {
            words.markers = BTreeMap::from([(marker.to_owned(), value.to_owned())]);
            assert_eq!(
                words.target().unwrap_err().to_string(),
                format!("the marker `{marker}` cannot have the value `{value}`")
            );
        }
    }
}
