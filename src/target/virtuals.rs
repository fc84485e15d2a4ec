//! Virtual packages that a target states.

use pep440_rs::Version;

use super::Target;

impl Target {
    /// The version of a virtual package that the target states: `python`, `glibc`.
    ///
    /// `None` where it states none, which constrains nothing.
    pub fn virtual_version(&self, name: &str) -> Option<Version> {
        match name {
            "python" => Some(self.python.clone()),
            "glibc" => {
                let (major, minor) = self.platform.glibc()?;
                Some(Version::new([u64::from(major), u64::from(minor)]))
            }
            _ => None,
        }
    }
}
