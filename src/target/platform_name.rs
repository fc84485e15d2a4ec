//! The names of platforms: triples, manylinux names, and wheel tags.

use super::platform::oldest_glibc_minor;
use super::{Os, Platform, TargetError};

/// The glibc of `linux` and of triples without a version: that of RHEL 8 and all later systems.
const DEFAULT_GLIBC: (u16, u16) = (2, 28);
/// The musl of triples without a version: that of Alpine 3.13 and all later systems.
const DEFAULT_MUSL: (u16, u16) = (1, 2);
/// The macOS of triples without a version.
const DEFAULT_MACOS: (u16, u16) = (13, 0);
/// Ladders of tags are made down from a version; nothing real comes near this one.
const GREATEST_NUMBER: u16 = 99;
/// How alike a name must be (Jaro-Winkler) to be offered for an unknown one.
const ALIKE: f64 = 0.8;

/// The Linux architectures: what wheel tags call them, and how triples may spell them.
const LINUX_ARCHS: &[(&str, &[&str])] = &[
    ("x86_64", &["x86_64", "amd64"]),
    ("aarch64", &["aarch64", "arm64"]),
    ("i686", &["i686", "i386"]),
    ("armv7l", &["armv7l", "armv7"]),
    ("armv8l", &["armv8l"]),
    ("ppc64le", &["ppc64le", "powerpc64le"]),
    ("ppc64", &["ppc64", "powerpc64"]),
    ("s390x", &["s390x"]),
    ("riscv64", &["riscv64", "riscv64gc"]),
    ("loongarch64", &["loongarch64"]),
];
const MACOS_ARCHS: &[(&str, &[&str])] =
    &[("arm64", &["arm64", "aarch64"]), ("x86_64", &["x86_64"])];
const WINDOWS_ARCHS: &[(&str, &[&str])] = &[
    ("amd64", &["x86_64", "amd64"]),
    ("x86", &["i686", "i386"]),
    ("arm64", &["aarch64", "arm64"]),
];

/// The names offered for one that is not known.
const KNOWN: &[&str] = &[
    "linux",
    "macos",
    "windows",
    "x86_64-unknown-linux-gnu",
    "aarch64-unknown-linux-gnu",
    "x86_64-unknown-linux-musl",
    "aarch64-unknown-linux-musl",
    "riscv64-unknown-linux",
    "x86_64-apple-darwin",
    "aarch64-apple-darwin",
    "x86_64-pc-windows-msvc",
    "i686-pc-windows-msvc",
    "aarch64-pc-windows-msvc",
    "x86_64-manylinux2014",
    "x86_64-manylinux_2_17",
    "x86_64-manylinux_2_28",
    "aarch64-manylinux2014",
    "aarch64-manylinux_2_17",
    "aarch64-manylinux_2_28",
    "x86_64-musllinux_1_2",
    "aarch64-musllinux_1_2",
    "manylinux2014_x86_64",
    "manylinux_2_28_x86_64",
    "manylinux_2_28_aarch64",
    "musllinux_1_2_x86_64",
    "macosx_14_0_arm64",
    "macosx_13_0_x86_64",
    "win_amd64",
    "win_arm64",
    "win32",
];

impl Platform {
    /// The platform of a name, in uv's spelling (`linux`, `x86_64-unknown-linux-gnu`,
    /// `aarch64-manylinux_2_28`) or pip's, which is the one of wheel tags
    /// (`manylinux2014_x86_64`, `macosx_14_0_arm64`, `win_amd64`).
    ///
    /// Without a version, Linux has glibc 2.28 (or musl 1.2) and macOS is 13.0.
    pub fn parse(given: &str) -> Result<Self, TargetError> {
        let name = given.trim().to_ascii_lowercase();
        let platform = match name.as_str() {
            "linux" => Some(linux("x86_64")),
            "macos" => Some(macos("arm64", DEFAULT_MACOS)),
            "windows" => Some(windows("amd64")),
            _ => triple(&name).or_else(|| from_tag(&name)),
        };
        match platform {
            Some(platform) => platform.checked(given),
            None => Err(unknown(given, &name)),
        }
    }

    /// The platform itself, if tags can be made for its version.
    fn checked(self, given: &str) -> Result<Self, TargetError> {
        let refuse = |detail: String| {
            Err(TargetError::UnsupportedPlatform {
                given: given.to_owned(),
                detail,
            })
        };
        let (name, version, oldest) = match self.os {
            Os::Manylinux { major, minor } => {
                ("glibc", (major, minor), (2, oldest_glibc_minor(&self.arch)))
            }
            Os::Musllinux { major, minor } => ("musl", (major, minor), (1, 0)),
            Os::Macos { major, minor } if self.arch == "x86_64" => {
                ("macOS", (major, minor), (10, 4))
            }
            Os::Macos { major, minor } => ("macOS", (major, minor), (11, 0)),
            Os::Windows => return Ok(self),
        };
        if version < oldest {
            return refuse(format!(
                "wheels for {} begin with {name} {}.{}",
                self.arch, oldest.0, oldest.1
            ));
        }
        if version.0.max(version.1) > GREATEST_NUMBER {
            return refuse(format!("there is no {name} {}.{}", version.0, version.1));
        }
        Ok(self)
    }
}

fn linux(arch: &str) -> Platform {
    // Tags for these processors begin with a later glibc.
    let (major, minor) = match arch {
        "riscv64" => (2, 39),
        "loongarch64" => (2, 36),
        _ => DEFAULT_GLIBC,
    };
    Platform {
        os: Os::Manylinux { major, minor },
        arch: arch.to_owned(),
    }
}

fn macos(arch: &str, (major, minor): (u16, u16)) -> Platform {
    Platform {
        os: Os::Macos { major, minor },
        arch: arch.to_owned(),
    }
}

fn windows(arch: &str) -> Platform {
    Platform {
        os: Os::Windows,
        arch: arch.to_owned(),
    }
}

fn musl(arch: &str, (major, minor): (u16, u16)) -> Platform {
    Platform {
        os: Os::Musllinux { major, minor },
        arch: arch.to_owned(),
    }
}

/// What wheel tags call an architecture.
fn arch_in(archs: &[(&'static str, &[&str])], spelled: &str) -> Option<&'static str> {
    archs
        .iter()
        .find(|(_, spellings)| spellings.contains(&spelled))
        .map(|(tag, _)| *tag)
}

/// Names that begin with the architecture: `x86_64-unknown-linux-gnu`, `x86_64-manylinux_2_28`.
fn triple(name: &str) -> Option<Platform> {
    let (arch, rest) = name.split_once('-')?;
    match rest {
        "unknown-linux-gnu" | "unknown-linux" | "unknown-linux-gnueabihf" => {
            Some(linux(arch_in(LINUX_ARCHS, arch)?))
        }
        "unknown-linux-musl" | "unknown-linux-musleabihf" => {
            Some(musl(arch_in(LINUX_ARCHS, arch)?, DEFAULT_MUSL))
        }
        "apple-darwin" => Some(macos(arch_in(MACOS_ARCHS, arch)?, DEFAULT_MACOS)),
        "pc-windows-msvc" => Some(windows(arch_in(WINDOWS_ARCHS, arch)?)),
        // The rest is the beginning of a wheel tag.
        _ => from_tag(&format!("{rest}_{}", arch_in(LINUX_ARCHS, arch)?))
            .filter(|platform| matches!(platform.os, Os::Manylinux { .. } | Os::Musllinux { .. })),
    }
}

/// The platform of a wheel tag; of a native `linux_*` tag, the one with the default glibc.
fn from_tag(tag: &str) -> Option<Platform> {
    let platform = match tag.strip_prefix("linux_") {
        Some(arch) => linux(arch),
        None => parse_tag(tag)?,
    };
    let archs = match platform.os {
        Os::Manylinux { .. } | Os::Musllinux { .. } => LINUX_ARCHS,
        Os::Macos { .. } => MACOS_ARCHS,
        Os::Windows => WINDOWS_ARCHS,
    };
    archs
        .iter()
        .any(|(arch, _)| *arch == platform.arch)
        .then_some(platform)
}

/// What a platform tag of a wheel asks for; its architecture may be a binary format
/// (`universal2`). Nothing for `any`, native `linux_*` tags and other systems.
pub(super) fn parse_tag(tag: &str) -> Option<Platform> {
    for (alias, minor) in [
        ("manylinux1_", 5),
        ("manylinux2010_", 12),
        ("manylinux2014_", 17),
    ] {
        if let Some(arch) = tag.strip_prefix(alias) {
            return Some(Platform {
                os: Os::Manylinux { major: 2, minor },
                arch: arch.to_owned(),
            });
        }
    }
    if tag == "win32" {
        return Some(windows("x86"));
    }
    let (family, rest) = tag.split_once('_')?;
    if family == "win" {
        return Some(windows(rest));
    }
    let mut parts = rest.splitn(3, '_');
    let (major, minor, arch) = (
        number(parts.next()?)?,
        number(parts.next()?)?,
        parts.next()?,
    );
    Some(Platform {
        os: match family {
            "manylinux" => Os::Manylinux { major, minor },
            "musllinux" => Os::Musllinux { major, minor },
            "macosx" => Os::Macos { major, minor },
            _ => return None,
        },
        arch: arch.to_owned(),
    })
}

fn number(digits: &str) -> Option<u16> {
    digits
        .bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| digits.parse().ok())?
}

fn unknown(given: &str, name: &str) -> TargetError {
    for (part, system) in [
        ("android", "Android"),
        ("ios", "iOS"),
        ("pyodide", "Pyodide"),
    ] {
        if name.contains(part) {
            return TargetError::UnsupportedPlatform {
                given: given.to_owned(),
                detail: format!("{system} is not supported; Linux, macOS and Windows are"),
            };
        }
    }
    if name.starts_with("macosx_") && name.contains("_universal") {
        return TargetError::UnsupportedPlatform {
            given: given.to_owned(),
            detail: String::from(
                "it names two processors; end it with `_arm64` or `_x86_64`, \
                 `universal2` wheels suit both",
            ),
        };
    }
    let mut alike: Vec<(f64, &str)> = KNOWN
        .iter()
        .map(|known| (strsim::jaro_winkler(name, known), *known))
        .filter(|(likeness, _)| *likeness >= ALIKE)
        .collect();
    alike.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    TargetError::UnknownPlatform {
        given: given.to_owned(),
        nearest: alike
            .into_iter()
            .take(3)
            .map(|(_, known)| known.to_owned())
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed parse fails the test")]

    use super::*;

    /// A name; the canonical name; the words for people.
    const NAMES: &[(&str, &str, &str)] = &[
        (
            "linux",
            "x86_64-manylinux_2_28",
            "Linux x86_64 with glibc 2.28",
        ),
        (
            "Linux ",
            "x86_64-manylinux_2_28",
            "Linux x86_64 with glibc 2.28",
        ),
        ("macos", "macosx_13_0_arm64", "macOS 13.0 arm64"),
        ("windows", "x86_64-pc-windows-msvc", "Windows amd64"),
        (
            "x86_64-unknown-linux-gnu",
            "x86_64-manylinux_2_28",
            "Linux x86_64 with glibc 2.28",
        ),
        (
            "x86_64-manylinux2014",
            "x86_64-manylinux_2_17",
            "Linux x86_64 with glibc 2.17",
        ),
        (
            "x86_64-manylinux_2_17",
            "x86_64-manylinux_2_17",
            "Linux x86_64 with glibc 2.17",
        ),
        (
            "x86_64-manylinux_2_41",
            "x86_64-manylinux_2_41",
            "Linux x86_64 with glibc 2.41",
        ),
        (
            "aarch64-manylinux_2_28",
            "aarch64-manylinux_2_28",
            "Linux aarch64 with glibc 2.28",
        ),
        (
            "aarch64-unknown-linux-gnu",
            "aarch64-manylinux_2_28",
            "Linux aarch64 with glibc 2.28",
        ),
        (
            "arm64-manylinux_2_31",
            "aarch64-manylinux_2_31",
            "Linux aarch64 with glibc 2.31",
        ),
        (
            "x86_64-unknown-linux-musl",
            "x86_64-musllinux_1_2",
            "Linux x86_64 with musl 1.2",
        ),
        (
            "aarch64-unknown-linux-musl",
            "aarch64-musllinux_1_2",
            "Linux aarch64 with musl 1.2",
        ),
        (
            "aarch64-musllinux_1_1",
            "aarch64-musllinux_1_1",
            "Linux aarch64 with musl 1.1",
        ),
        (
            "riscv64-unknown-linux",
            "riscv64-manylinux_2_39",
            "Linux riscv64 with glibc 2.39",
        ),
        (
            "powerpc64le-unknown-linux-gnu",
            "ppc64le-manylinux_2_28",
            "Linux ppc64le with glibc 2.28",
        ),
        (
            "s390x-unknown-linux-gnu",
            "s390x-manylinux_2_28",
            "Linux s390x with glibc 2.28",
        ),
        (
            "armv7-unknown-linux-gnueabihf",
            "armv7l-manylinux_2_28",
            "Linux armv7l with glibc 2.28",
        ),
        (
            "i686-unknown-linux-gnu",
            "i686-manylinux_2_28",
            "Linux i686 with glibc 2.28",
        ),
        (
            "aarch64-apple-darwin",
            "macosx_13_0_arm64",
            "macOS 13.0 arm64",
        ),
        (
            "x86_64-apple-darwin",
            "macosx_13_0_x86_64",
            "macOS 13.0 x86_64",
        ),
        (
            "x86_64-pc-windows-msvc",
            "x86_64-pc-windows-msvc",
            "Windows amd64",
        ),
        (
            "i686-pc-windows-msvc",
            "i686-pc-windows-msvc",
            "Windows x86",
        ),
        (
            "aarch64-pc-windows-msvc",
            "aarch64-pc-windows-msvc",
            "Windows arm64",
        ),
        (
            "manylinux_2_28_x86_64",
            "x86_64-manylinux_2_28",
            "Linux x86_64 with glibc 2.28",
        ),
        (
            "manylinux1_i686",
            "i686-manylinux_2_5",
            "Linux i686 with glibc 2.5",
        ),
        (
            "manylinux2010_x86_64",
            "x86_64-manylinux_2_12",
            "Linux x86_64 with glibc 2.12",
        ),
        (
            "manylinux2014_aarch64",
            "aarch64-manylinux_2_17",
            "Linux aarch64 with glibc 2.17",
        ),
        (
            "musllinux_1_2_x86_64",
            "x86_64-musllinux_1_2",
            "Linux x86_64 with musl 1.2",
        ),
        (
            "linux_x86_64",
            "x86_64-manylinux_2_28",
            "Linux x86_64 with glibc 2.28",
        ),
        ("macosx_14_0_arm64", "macosx_14_0_arm64", "macOS 14.0 arm64"),
        (
            "macosx_10_9_x86_64",
            "macosx_10_9_x86_64",
            "macOS 10.9 x86_64",
        ),
        ("win_amd64", "x86_64-pc-windows-msvc", "Windows amd64"),
        ("win32", "i686-pc-windows-msvc", "Windows x86"),
        ("win_arm64", "aarch64-pc-windows-msvc", "Windows arm64"),
    ];

    #[test]
    fn names_are_read_and_written() {
        for (given, canonical, described) in NAMES {
            let platform = Platform::parse(given).unwrap();
            assert_eq!(platform.to_string(), *canonical, "{given}");
            assert_eq!(platform.describe(), *described, "{given}");
            assert_eq!(Platform::parse(canonical).unwrap(), platform, "{given}");
        }
    }

    #[test]
    fn every_name_that_is_offered_is_known() {
        for name in KNOWN {
            Platform::parse(name).unwrap();
        }
    }

    #[test]
    fn other_names_are_refused() {
        for (given, message) in [
            (
                "linus",
                "unknown platform `linus`\n\nhint: did you mean `linux`?",
            ),
            (
                "x86_64-manylinux_228",
                "unknown platform `x86_64-manylinux_228`\n\nhint: did you mean \
                 `x86_64-manylinux_2_28` or `x86_64-manylinux_2_17` or `x86_64-manylinux2014`?",
            ),
            (
                "amiga",
                "unknown platform `amiga`\n\nhint: the platforms are `linux`, `macos`, `windows`, \
                 names such as `x86_64-manylinux_2_28` and wheel tags such as `macosx_14_0_arm64`",
            ),
            (
                "macosx_10_15_arm64",
                "no lock can be made for the platform `macosx_10_15_arm64`: wheels for arm64 \
                 begin with macOS 11.0",
            ),
            (
                "aarch64-manylinux_2_5",
                "no lock can be made for the platform `aarch64-manylinux_2_5`: wheels for aarch64 \
                 begin with glibc 2.17",
            ),
            (
                "x86_64-manylinux_2_60000",
                "no lock can be made for the platform `x86_64-manylinux_2_60000`: there is no \
                 glibc 2.60000",
            ),
            (
                "macosx_11_0_universal2",
                "no lock can be made for the platform `macosx_11_0_universal2`: it names two \
                 processors; end it with `_arm64` or `_x86_64`, `universal2` wheels suit both",
            ),
            (
                "aarch64-linux-android",
                "no lock can be made for the platform `aarch64-linux-android`: Android is not \
                 supported; Linux, macOS and Windows are",
            ),
        ] {
            assert_eq!(Platform::parse(given).unwrap_err().to_string(), message);
        }
        for given in [
            "",
            "-",
            "_",
            "x86_64-",
            "win_",
            "macosx_13_arm64",
            "manylinux_+2_28_x86_64",
        ] {
            assert!(Platform::parse(given).is_err(), "{given}");
        }
    }
}
