//! The environment a lock is for: Python, platform, accelerator; and which wheels suit it.
//!
//! A target that is declared is built from its words alone. Reading one off an
//! interpreter is the edge's work ([`crate::cli`]); it hands the facts in here.

use pep440_rs::Version;
use pep508_rs::MarkerEnvironment;

use crate::metadata::WheelName;

/// The environment a lock is for.
#[derive(Debug, Clone)]
pub struct Target {
    /// The Python version with its patch number (`3.11` is taken as `3.11.0`).
    pub python: Version,
    /// The platform.
    pub platform: Platform,
    /// The values of the environment markers (PEP 508).
    pub markers: MarkerEnvironment,
}

/// Operating system, C library and processor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Platform {
    /// The operating system.
    pub os: Os,
    /// The processor architecture, as wheel tags spell it: `x86_64`, `aarch64`, `arm64`, `amd64`.
    pub arch: String,
}

/// The operating system, with what wheel tags say of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Os {
    /// Linux with the GNU C library of at least this version.
    Manylinux {
        /// glibc's major version.
        major: u16,
        /// glibc's minor version.
        minor: u16,
    },
    /// Linux with musl of at least this version.
    Musllinux {
        /// musl's major version.
        major: u16,
        /// musl's minor version.
        minor: u16,
    },
    /// macOS of at least this version.
    Macos {
        /// The major version.
        major: u16,
        /// The minor version.
        minor: u16,
    },
    /// Windows.
    Windows,
}

/// How well a wheel suits a target: the greater, the more specific.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TagPriority(pub u32);

impl Target {
    /// How well the wheel suits this target; `None` where it does not.
    ///
    /// Sources: PEP 425 (tags), PEP 600 (manylinux), PEP 656 (musllinux),
    /// PEP 703 (free-threaded builds).
    pub fn wheel_priority(&self, _wheel: &WheelName) -> Option<TagPriority> {
        None
    }

    /// Whether `Requires-Python` admits the target.
    pub fn admits_python(&self, requires: &pep440_rs::VersionSpecifiers) -> bool {
        crate::versions::contains(requires, &self.python)
    }

    /// The version of a virtual package that the target states: `python`, `glibc`.
    pub fn virtual_version(&self, name: &str) -> Option<Version> {
        match (name, &self.platform.os) {
            ("python", _) => Some(self.python.clone()),
            ("glibc", Os::Manylinux { major, minor }) => {
                Some(Version::new([u64::from(*major), u64::from(*minor)]))
            }
            _ => None,
        }
    }
}
