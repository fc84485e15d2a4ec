//! Operating system, C library and processor, and the wheel tags that suit them.

use std::fmt;

/// Operating system, C library and processor.
///
/// `Display` writes the canonical name, which [`Platform::parse`] reads back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Platform {
    /// The operating system.
    pub os: Os,
    /// The processor architecture, as wheel tags spell it: `x86_64`, `aarch64`, `arm64`,
    /// `amd64`; `x86` for 32-bit Windows, whose tag (`win32`) does not name it.
    pub arch: String,
}

/// The operating system, with what wheel tags say of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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

/// The last minor version that is tried for a major version of glibc before the current one.
const LAST_GLIBC_MINOR: u16 = 50;
/// The last macOS 10; the tag ladder goes down from here, since builds for macOS 11
/// made with old tools say 10.16.
const LAST_MACOS_10: u16 = 16;
/// The first macOS 10 with binaries for more than one processor.
const FIRST_MACOS_10: u16 = 4;

impl Platform {
    /// The glibc version of a Linux that has it: `(2, 28)`.
    pub fn glibc(&self) -> Option<(u16, u16)> {
        match self.os {
            Os::Manylinux { major, minor } => Some((major, minor)),
            _ => None,
        }
    }

    /// The words for people: `Linux x86_64 with glibc 2.28`.
    pub fn describe(&self) -> String {
        let arch = &self.arch;
        match self.os {
            Os::Manylinux { major, minor } => format!("Linux {arch} with glibc {major}.{minor}"),
            Os::Musllinux { major, minor } => format!("Linux {arch} with musl {major}.{minor}"),
            Os::Macos { major, minor } => format!("macOS {major}.{minor} {arch}"),
            Os::Windows => format!("Windows {arch}"),
        }
    }

    /// The platform tags of wheels that suit, the most specific first.
    ///
    /// Sources: PEP 425, PEP 513, 571, 599 and 600 (manylinux), PEP 656 (musllinux); the
    /// order is the one of Python's `packaging`, which puts the native `linux_*` tag first.
    pub(super) fn tags(&self) -> Vec<String> {
        match self.os {
            Os::Manylinux { major, minor } => self.manylinux_tags(major, minor),
            Os::Musllinux { major, minor } => {
                let mut tags = self.native_linux_tags();
                for arch in self.linux_archs() {
                    tags.extend(
                        (0..=minor)
                            .rev()
                            .map(|minor| format!("musllinux_{major}_{minor}_{arch}")),
                    );
                }
                tags
            }
            Os::Macos { major, minor } => self.macos_tags(major, minor),
            Os::Windows => vec![match self.arch.as_str() {
                "x86" => String::from("win32"),
                arch => format!("win_{arch}"),
            }],
        }
    }

    /// The architectures whose Linux wheels run here, the native one first.
    fn linux_archs(&self) -> Vec<&str> {
        match self.arch.as_str() {
            // A 32-bit Python on a 64-bit ARM processor.
            "armv8l" => vec!["armv8l", "armv7l"],
            arch => vec![arch],
        }
    }

    fn native_linux_tags(&self) -> Vec<String> {
        let archs = self.linux_archs().into_iter();
        archs.map(|arch| format!("linux_{arch}")).collect()
    }

    fn manylinux_tags(&self, major: u16, minor: u16) -> Vec<String> {
        let mut tags = self.native_linux_tags();
        let oldest = oldest_glibc_minor(&self.arch);
        for arch in self.linux_archs() {
            for ladder_major in (2..=major).rev() {
                let from = if ladder_major == major {
                    minor
                } else {
                    LAST_GLIBC_MINOR
                };
                let to = if ladder_major == 2 { oldest } else { 0 };
                for minor in (to..=from).rev() {
                    tags.push(format!("manylinux_{ladder_major}_{minor}_{arch}"));
                    if let Some(alias) = manylinux_alias(ladder_major, minor) {
                        tags.push(format!("{alias}_{arch}"));
                    }
                }
            }
        }
        tags
    }

    fn macos_tags(&self, major: u16, minor: u16) -> Vec<String> {
        let arch = self.arch.as_str();
        let mut tags = Vec::new();
        for major in (11..=major).rev() {
            for format in macos_formats(arch) {
                tags.push(format!("macosx_{major}_0_{format}"));
            }
        }
        let from = if major == 10 { minor } else { LAST_MACOS_10 };
        for minor in (FIRST_MACOS_10..=from).rev() {
            // A binary for both processors may say the oldest system of the other one.
            let formats: &[&str] = if arch == "x86_64" {
                macos_formats(arch)
            } else {
                &["universal2"]
            };
            for format in formats {
                tags.push(format!("macosx_10_{minor}_{format}"));
            }
        }
        tags
    }
}

/// The minor version of the oldest glibc 2 that wheels for the architecture are tagged with:
/// manylinux1 (PEP 513) exists for Intel processors, the others begin with manylinux2014 (PEP 599).
pub(super) fn oldest_glibc_minor(arch: &str) -> u16 {
    if matches!(arch, "x86_64" | "i686") {
        5
    } else {
        17
    }
}

/// The name that a glibc version had before PEP 600.
fn manylinux_alias(major: u16, minor: u16) -> Option<&'static str> {
    match (major, minor) {
        (2, 17) => Some("manylinux2014"),
        (2, 12) => Some("manylinux2010"),
        (2, 5) => Some("manylinux1"),
        _ => None,
    }
}

/// The binary formats that a processor runs, as macOS wheel tags spell them.
fn macos_formats(arch: &str) -> &'static [&'static str] {
    match arch {
        "x86_64" => &[
            "x86_64",
            "intel",
            "fat64",
            "fat3",
            "universal2",
            "universal",
        ],
        _ => &["arm64", "universal2"],
    }
}

/// Whether a macOS binary format, as tags spell it, runs on a processor.
pub(super) fn macos_runs(arch: &str, format: &str) -> bool {
    macos_formats(arch).contains(&format)
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let arch = &self.arch;
        match self.os {
            Os::Manylinux { major, minor } => write!(f, "{arch}-manylinux_{major}_{minor}"),
            Os::Musllinux { major, minor } => write!(f, "{arch}-musllinux_{major}_{minor}"),
            // Not `aarch64-apple-darwin`: that leaves the version to a default.
            Os::Macos { major, minor } => write!(f, "macosx_{major}_{minor}_{arch}"),
            Os::Windows => write!(
                f,
                "{}-pc-windows-msvc",
                match arch.as_str() {
                    "amd64" => "x86_64",
                    "x86" => "i686",
                    "arm64" => "aarch64",
                    other => other,
                }
            ),
        }
    }
}
