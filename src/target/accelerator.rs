//! What a target states of its accelerator: which build was asked for, the driver, the GPUs.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr as _;

use pep440_rs::Version;

use super::TargetError;
use crate::metadata::VariantProperty;

/// What a target states of its accelerator. Nothing stated constrains nothing: the default
/// index serves its own builds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Accelerator {
    /// The build that was asked for.
    pub build: Build,
    /// The version of NVIDIA's driver.
    pub driver: Option<Version>,
    /// The compute capabilities of the GPUs (`9.0` for `sm_90`), ascending.
    pub gpus: Vec<Version>,
    /// Whether wheel variants are taken (PEP 825, draft): `None` where they are not, else the
    /// properties that are stated of the target, the best first.
    pub variants: Option<Vec<VariantProperty>>,
}

/// Which builds of a family may be chosen.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Build {
    /// Nothing was said: the default index serves.
    #[default]
    Unstated,
    /// The build with this label: `cpu`, `cu124`, `rocm6.3`, `xpu`.
    Label(String),
    /// The build for this version of CUDA: `12.4`.
    Cuda(Version),
    /// Any build for this kind of accelerator (`cuda`, `rocm`, `xpu`) that the target runs.
    Kind(String),
}

impl Accelerator {
    /// What `--cuda` and `--torch-backend` ask for: `12.4`, `cu124`, `none`, `cpu`,
    /// `rocm6.3`, `xpu`; `cuda`, `rocm`: the newest build of that kind that runs.
    ///
    /// # Errors
    ///
    /// [`TargetError::Accelerator`] where the word is none of these.
    pub fn build(word: &str) -> Result<Build, TargetError> {
        let refused = || TargetError::Accelerator {
            what: "a build",
            value: word.to_owned(),
            expected: "`12.4`, `cu124`, `cpu`, `none`, `rocm6.3`, `xpu` or `auto`",
        };
        let word = word.trim();
        if word == "none" {
            return Ok(Build::Label("cpu".to_owned()));
        }
        if word.starts_with(|first: char| first.is_ascii_digit()) {
            return match Version::from_str(word) {
                Ok(version) if version.release().len() >= 2 => {
                    let release = version.release().iter().copied().take(2);
                    Ok(Build::Cuda(Version::new(release)))
                }
                _ => Err(refused()),
            };
        }
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'.';
        if word.is_empty() || !word.bytes().all(plain) {
            return Err(refused());
        }
        let versioned = word.bytes().any(|byte| byte.is_ascii_digit());
        Ok(match word {
            "cpu" | "xpu" => Build::Label(word.to_owned()),
            _ if versioned => Build::Label(word.to_owned()),
            "cuda" | "rocm" => Build::Kind(word.to_owned()),
            _ => return Err(refused()),
        })
    }

    /// The version of a driver, as `--driver` takes it: `550.54.14`, `550`.
    ///
    /// # Errors
    ///
    /// [`TargetError::Accelerator`] where it is no version.
    pub fn driver(word: &str) -> Result<Version, TargetError> {
        let refused = || TargetError::Accelerator {
            what: "a driver",
            value: word.to_owned(),
            expected: "a version such as `550.54.14`",
        };
        let version = Version::from_str(word.trim()).map_err(|_| refused())?;
        if version.any_prerelease() || version.is_local() || version.epoch() != 0 {
            return Err(refused());
        }
        Ok(version)
    }

    /// A compute capability, as `--gpu` takes it: `sm_90`, `9.0`, `90`.
    ///
    /// # Errors
    ///
    /// [`TargetError::Accelerator`] where it is none.
    pub fn gpu(word: &str) -> Result<Version, TargetError> {
        let refused = || TargetError::Accelerator {
            what: "a GPU",
            value: word.to_owned(),
            expected: "a compute capability such as `sm_90` or `9.0`",
        };
        let text = word.trim();
        let text = text
            .strip_prefix("sm_")
            .or_else(|| text.strip_prefix("compute_"))
            .unwrap_or(text);
        // `sm_90a` is code for one chip only; the chip itself is 9.0.
        let text = text.trim_end_matches(['a', 'f']);
        let (major, minor) = match text.split_once('.') {
            Some(parts) => parts,
            None if text.is_ascii() && text.len() >= 2 => text.split_at(text.len() - 1),
            None => return Err(refused()),
        };
        let number = |text: &str| text.parse::<u64>().ok().filter(|number| *number < 100);
        match (number(major), number(minor)) {
            (Some(major), Some(minor)) => Ok(Version::new([major, minor])),
            _ => Err(refused()),
        }
    }

    /// The properties that a lock records: `on` where none is stated.
    fn properties(words: &str) -> Result<Vec<VariantProperty>, TargetError> {
        if words == "on" {
            return Ok(Vec::new());
        }
        words.split(',').map(Self::property).collect()
    }

    /// A property that is stated of the target, as `--variant-property` takes it:
    /// `x86_64 :: level :: v3`.
    ///
    /// # Errors
    ///
    /// [`TargetError::Accelerator`] where it is none.
    pub fn property(word: &str) -> Result<VariantProperty, TargetError> {
        word.parse().map_err(|_| TargetError::Accelerator {
            what: "a property of a wheel variant",
            value: word.to_owned(),
            expected: "`namespace :: feature :: value`, such as `x86_64 :: level :: v3`",
        })
    }

    /// Whether anything is stated, so that a family's own indexes serve.
    pub fn is_stated(&self) -> bool {
        self.build != Build::Unstated || self.driver.is_some() || !self.gpus.is_empty()
    }

    /// Which builds may be chosen: with a driver or a GPU and nothing else, those for CUDA.
    pub fn wanted(&self) -> Build {
        match &self.build {
            Build::Unstated if self.is_stated() => Build::Kind("cuda".to_owned()),
            build => build.clone(),
        }
    }

    /// What a lock records, by the names of the options; [`Accelerator::from_words`] reads it.
    pub fn words(&self) -> BTreeMap<String, String> {
        let mut words = BTreeMap::new();
        let mut put = |key: &str, value: String| words.insert(key.to_owned(), value);
        match &self.build {
            Build::Unstated => {}
            Build::Cuda(version) => drop(put("cuda", version.to_string())),
            Build::Label(word) | Build::Kind(word) => drop(put("torch-backend", word.clone())),
        }
        if let Some(driver) = &self.driver {
            put("driver", driver.to_string());
        }
        if !self.gpus.is_empty() {
            let gpus: Vec<String> = self.gpus.iter().map(sm).collect();
            put("gpu", gpus.join(","));
        }
        if let Some(stated) = &self.variants {
            let stated: Vec<String> = stated
                .iter()
                .map(|property| property.to_string().replace(' ', ""))
                .collect();
            let on = stated.is_empty().then(|| "on".to_owned());
            put("wheel-variants", on.unwrap_or_else(|| stated.join(",")));
        }
        words
    }

    /// What a lock recorded.
    ///
    /// # Errors
    ///
    /// [`TargetError::Accelerator`] where a value is not understood.
    pub fn from_words(words: &BTreeMap<String, String>) -> Result<Self, TargetError> {
        let build = words.get("cuda").or_else(|| words.get("torch-backend"));
        let gpus = words.get("gpu").map_or("", String::as_str);
        let mut made = Self {
            build: build.map_or(Ok(Build::Unstated), |word| Self::build(word))?,
            driver: words
                .get("driver")
                .map(|word| Self::driver(word))
                .transpose()?,
            gpus: gpus
                .split(',')
                .filter(|word| !word.trim().is_empty())
                .map(Self::gpu)
                .collect::<Result<_, _>>()?,
            variants: words
                .get("wheel-variants")
                .map(|words| Self::properties(words))
                .transpose()?,
        };
        made.gpus.sort();
        made.gpus.dedup();
        Ok(made)
    }
}

impl Accelerator {
    /// The driver and the GPUs that are stated, in words: `driver 550.54, sm_90`; empty where
    /// neither is.
    pub fn hardware(&self) -> String {
        let driver = self.driver.iter().map(|driver| format!("driver {driver}"));
        let parts: Vec<String> = driver.chain(self.gpus.iter().map(sm)).collect();
        parts.join(", ")
    }
}

/// A compute capability as compilers write it: `sm_90`.
pub fn sm(capability: &Version) -> String {
    let mut numbers = capability.release().iter();
    let major = numbers.next().copied().unwrap_or(0);
    let minor = numbers.next().copied().unwrap_or(0);
    format!("sm_{major}{minor}")
}

impl fmt::Display for Accelerator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        match &self.build {
            Build::Unstated => {}
            Build::Label(label) => parts.push(label.clone()),
            Build::Cuda(version) => parts.push(format!("CUDA {version}")),
            Build::Kind(kind) => parts.push(kind.clone()),
        }
        parts.extend(self.driver.iter().map(|driver| format!("driver {driver}")));
        parts.extend(self.gpus.iter().map(sm));
        f.write_str(&parts.join(", "))
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed parse fails the test")]

    use super::*;

    #[test]
    fn builds_are_asked_for_by_version_label_or_kind() {
        let version = |text: &str| Version::from_str(text).unwrap();
        assert_eq!(
            Accelerator::build("12.4").unwrap(),
            Build::Cuda(version("12.4"))
        );
        assert_eq!(
            Accelerator::build("12.4.1").unwrap(),
            Build::Cuda(version("12.4"))
        );
        let label = |word: &str| Build::Label(word.to_owned());
        for (word, expected) in [
            ("cu124", label("cu124")),
            ("none", label("cpu")),
            ("cpu", label("cpu")),
            ("rocm6.2.4", label("rocm6.2.4")),
            ("xpu", label("xpu")),
            ("rocm", Build::Kind("rocm".to_owned())),
        ] {
            assert_eq!(Accelerator::build(word).unwrap(), expected);
        }
        for wrong in ["", "12", "CU124", "../cu124", "gpu", "cu124/"] {
            assert!(Accelerator::build(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn gpus_are_compute_capabilities() {
        for (word, expected) in [
            ("sm_90", "9.0"),
            ("90", "9.0"),
            ("12.0", "12.0"),
            ("sm_120", "12.0"),
            ("sm_90a", "9.0"),
        ] {
            assert_eq!(Accelerator::gpu(word).unwrap().to_string(), expected);
        }
        for wrong in ["", "9", "sm_", "H100", "9.x", "é0"] {
            assert!(Accelerator::gpu(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_lock_records_what_was_stated() {
        let stated = Accelerator {
            build: Accelerator::build("12.4").unwrap(),
            driver: Some(Accelerator::driver("550.54.14").unwrap()),
            gpus: vec![
                Accelerator::gpu("8.6").unwrap(),
                Accelerator::gpu("sm_90").unwrap(),
            ],
            variants: None,
        };
        let words = stated.words();
        assert_eq!(words["cuda"], "12.4");
        assert_eq!(words["gpu"], "sm_86,sm_90");
        assert_eq!(Accelerator::from_words(&words).unwrap(), stated);
        assert!(Accelerator::default().words().is_empty());
        for (stated, word) in [
            (vec![], "on"),
            (
                vec![
                    Accelerator::property("x86_64 :: level :: v3").unwrap(),
                    Accelerator::property("blas::library::mkl").unwrap(),
                ],
                "x86_64::level::v3,blas::library::mkl",
            ),
        ] {
            let variants = Accelerator {
                variants: Some(stated),
                ..Accelerator::default()
            };
            // They are asked of the default index as anything else is.
            assert!(!variants.is_stated());
            assert_eq!(variants.words()["wheel-variants"], word);
            assert_eq!(
                Accelerator::from_words(&variants.words()).unwrap(),
                variants
            );
        }
    }
}
