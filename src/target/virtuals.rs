//! Virtual packages that a target states.

use pep440_rs::Version;

use super::{Build, Target};

impl Target {
    /// The version of a virtual package that the target states: `python`, `glibc`,
    /// `driver`, `cuda`, and `gpu` where it has GPUs of one kind.
    ///
    /// `None` where it states none, which constrains nothing.
    pub fn virtual_version(&self, name: &str) -> Option<Version> {
        match name {
            "python" => Some(self.python.clone()),
            "glibc" => {
                let (major, minor) = self.platform.glibc()?;
                Some(Version::new([u64::from(major), u64::from(minor)]))
            }
            "driver" => self.accelerator.driver.clone(),
            "gpu" => match self.accelerator.gpus.as_slice() {
                [one] => Some(one.clone()),
                _ => None,
            },
            "cuda" => match &self.accelerator.build {
                Build::Cuda(version) => Some(version.clone()),
                _ => None,
            },
            _ => None,
        }
    }
}
