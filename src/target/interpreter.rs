//! Targets from what an interpreter says of itself.

use pep440_rs::Version;
use pep508_rs::MarkerEnvironment;
use serde::{Deserialize, Serialize};

use super::{Implementation, Os, Platform, PythonWord, Target, TargetError};

/// What an interpreter says of itself, as far as a target needs it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InterpreterFacts {
    /// The values of the environment markers.
    pub markers: MarkerEnvironment,
    /// Whether it is a build without the global interpreter lock (PEP 703).
    pub free_threaded: bool,
    /// The system it runs on.
    pub system: SystemFacts,
}

/// What an interpreter says of the system it runs on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SystemFacts {
    /// `sysconfig.get_platform()`: `linux-x86_64`, `macosx-11.0-arm64`, `win-amd64`.
    pub platform: String,
    /// The processor that the process sees: `platform.machine()`.
    pub machine: String,
    /// How many bits a pointer has.
    pub pointer_bits: u8,
    /// The version of glibc, where it is linked to one.
    pub glibc: Option<(u16, u16)>,
    /// The version of musl, where it is linked to one.
    pub musl: Option<(u16, u16)>,
    /// The version of macOS, where it runs on one.
    pub macos: Option<(u16, u16)>,
}

impl Target {
    /// The target that an interpreter is: its exact version, its markers, its system.
    pub fn from_interpreter(facts: InterpreterFacts) -> Result<Self, TargetError> {
        let markers = &facts.markers;
        let implementation = match markers.implementation_name() {
            "cpython" => Implementation::CPython {
                free_threaded: facts.free_threaded,
            },
            "pypy" => Implementation::PyPy {
                version: Some(release(&markers.implementation_version().version)),
            },
            other => {
                return Err(TargetError::Python {
                    given: other.to_owned(),
                    detail: String::from("only CPython and PyPy are supported"),
                });
            }
        };
        let full_version = &markers.python_full_version().version;
        // A build from a source tree calls itself `3.15.0b1+`.
        let full_version = full_version.clone().without_local();
        let word = PythonWord::new(implementation, &full_version)?;
        let platform = facts.system.target_platform()?;
        Ok(Self::new(word, platform, facts.markers))
    }
}

fn release(version: &Version) -> Version {
    Version::new(version.release().iter().copied())
}

impl SystemFacts {
    /// The platform whose wheels suit.
    fn target_platform(&self) -> Result<Platform, TargetError> {
        let unsupported = |detail: &str| TargetError::UnsupportedPlatform {
            given: self.platform.clone(),
            detail: detail.to_owned(),
        };
        let platform = if let Some((major, minor)) = self.macos {
            Platform {
                os: Os::Macos { major, minor },
                arch: self.machine.clone(),
            }
        } else if let Some(arch) = self.platform.strip_prefix("linux-") {
            let os = match (self.glibc, self.musl) {
                (Some((major, minor)), _) => Os::Manylinux { major, minor },
                (None, Some((major, minor))) => Os::Musllinux { major, minor },
                (None, None) => {
                    return Err(unsupported(
                        "the interpreter tells neither the version of glibc nor of musl; \
                         declare one with `--python-platform`",
                    ));
                }
            };
            let arch = match (arch, self.pointer_bits) {
                // A 32-bit Python on a 64-bit system.
                ("x86_64", 32) => "i686",
                ("aarch64", 32) => "armv8l",
                _ => arch,
            };
            Platform {
                os,
                arch: arch.to_owned(),
            }
        } else {
            match self.platform.as_str() {
                "win-amd64" | "win-arm64" | "win32" => {
                    Platform::parse(&self.platform.replace('-', "_"))?
                }
                _ => return Err(unsupported("Linux, macOS and Windows are supported")),
            }
        };
        // The canonical name must be one that is read back.
        Platform::parse(&platform.to_string())
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed parse fails the test")]

    use super::*;

    /// Facts of CPython 3.11.7, or whatever the words say, on a system.
    fn facts(declared: &str, platform: &str, machine: &str, bits: u8) -> InterpreterFacts {
        let declared: Target = declared.parse().unwrap();
        let free_threaded = declared.python_word().is_free_threaded();
        InterpreterFacts {
            markers: declared
                .markers
                .with_platform_release("6.1.0")
                .with_platform_machine(machine),
            free_threaded,
            system: SystemFacts {
                platform: platform.to_owned(),
                machine: machine.to_owned(),
                pointer_bits: bits,
                glibc: None,
                musl: None,
                macos: None,
            },
        }
    }

    #[test]
    fn an_interpreter_is_a_target() {
        let linux = |glibc| {
            let mut facts = facts("3.11.7 linux", "linux-x86_64", "x86_64", 64);
            facts.system.glibc = glibc;
            facts
        };
        let mut musl = facts("3.11.7 linux", "linux-aarch64", "aarch64", 64);
        musl.system.musl = Some((1, 2));
        let mut narrow = facts("3.11.7 linux", "linux-x86_64", "x86_64", 32);
        narrow.system.glibc = Some((2, 36));
        let mut arm = facts("3.11.7 linux", "linux-aarch64", "aarch64", 32);
        arm.system.glibc = Some((2, 36));
        let mut macos = facts("3.13.1t macos", "macosx-11.0-arm64", "arm64", 64);
        macos.system.macos = Some((14, 2));
        let windows = facts("3.12.3 windows", "win-amd64", "AMD64", 64);
        let pypy = {
            let mut facts = facts("pypy3.10.14-7.3.17 linux", "linux-x86_64", "x86_64", 64);
            facts.system.glibc = Some((2, 36));
            facts
        };
        for (facts, name, best) in [
            (
                linux(Some((2, 36))),
                "3.11.7 x86_64-manylinux_2_36",
                "cp311-cp311-linux_x86_64",
            ),
            (
                musl,
                "3.11.7 aarch64-musllinux_1_2",
                "cp311-cp311-linux_aarch64",
            ),
            (
                narrow,
                "3.11.7 i686-manylinux_2_36",
                "cp311-cp311-linux_i686",
            ),
            (
                arm,
                "3.11.7 armv8l-manylinux_2_36",
                "cp311-cp311-linux_armv8l",
            ),
            (
                macos,
                "3.13.1t macosx_14_2_arm64",
                "cp313-cp313t-macosx_14_0_arm64",
            ),
            (
                windows,
                "3.12.3 x86_64-pc-windows-msvc",
                "cp312-cp312-win_amd64",
            ),
            (
                pypy,
                "pypy3.10.14-7.3.17 x86_64-manylinux_2_36",
                "pp310-pypy310_pp73-linux_x86_64",
            ),
        ] {
            let markers = facts.markers.clone();
            let target = Target::from_interpreter(facts).unwrap();
            assert_eq!(target.to_string(), name);
            let (python, abi, platform) = target.tags().next().unwrap();
            assert_eq!(format!("{python}-{abi}-{platform}"), best);
            // What the lock records is the same target, down to the kernel's release.
            let again = target.words().target().unwrap();
            assert_eq!(again.markers, markers);
            assert_eq!(again.to_string(), name);
        }
    }

    #[test]
    fn what_no_lock_can_be_for_is_refused() {
        let unknown_libc = facts("3.11.7 linux", "linux-x86_64", "x86_64", 64);
        let bsd = facts("3.11.7 linux", "freebsd-14.0-amd64", "amd64", 64);
        let mut graal = facts("3.11.7 windows", "win-amd64", "AMD64", 64);
        graal.markers = graal.markers.with_implementation_name("graalpy");
        let mut old = facts("3.11.7 linux", "linux-aarch64", "aarch64", 64);
        old.system.glibc = Some((2, 12));
        for (facts, message) in [
            (unknown_libc, "neither the version of glibc nor of musl"),
            (
                bsd,
                "`freebsd-14.0-amd64`: Linux, macOS and Windows are supported",
            ),
            (graal, "only CPython and PyPy are supported"),
            (old, "wheels for aarch64 begin with glibc 2.17"),
        ] {
            let error = Target::from_interpreter(facts).unwrap_err().to_string();
            assert!(error.contains(message), "{error}");
        }
    }
}
