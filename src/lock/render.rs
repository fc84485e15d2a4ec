//! A lock as text.

use std::collections::BTreeSet;

use pep508_rs::PackageName;

use super::{Lock, pylock, requirements};

/// The lock as text, in the format and manner that the options say.
///
/// The same lock and options give the same bytes.
pub fn render(lock: &Lock, options: &RenderOptions) -> String {
    let text = match options.format {
        Format::Requirements => requirements::write(lock, options),
        Format::Pylock => pylock::write(lock),
    };
    match options.newline {
        Newline::Lf => text,
        Newline::CrLf => text.replace('\n', "\r\n"),
    }
}

/// How a lock is written. All but `format` and `newline` concern requirements.txt only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RenderOptions {
    /// The format.
    pub format: Format,
    /// What stands above the pins.
    pub header: Header,
    /// Whether and how each pin says who asked for it.
    pub annotations: Annotations,
    /// Whether hashes are written (`--no-hashes`).
    pub hashes: bool,
    /// Whether extras are left off the pins (`--strip-extras`).
    pub strip_extras: bool,
    /// Which of the installer's options are repeated.
    pub emit: BTreeSet<Emit>,
    /// What becomes of packages that are "unsafe" to pin.
    pub unsafe_packages: UnsafePackages,
    /// How lines end.
    pub newline: Newline,
}

/// The format of a lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// A requirements file as pip-compile lays it out.
    #[default]
    Requirements,
    /// PEP 751.
    Pylock,
}

/// What stands above the pins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Header {
    /// Program, command and provenance.
    #[default]
    Full,
    /// Program and command alone, as pip-compile has it.
    Command,
    /// Nothing (`--no-header`).
    None,
}

/// Whether and how each pin says who asked for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Annotations {
    /// One line for each (`--annotation-style=split`).
    #[default]
    Split,
    /// All in one line (`--annotation-style=line`).
    Line,
    /// Not at all (`--no-annotate`).
    None,
}

/// An option of the installer's that a requirements file can repeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Emit {
    /// `--index-url` and `--extra-index-url`.
    Indexes,
    /// `--find-links`.
    FindLinks,
    /// `--trusted-host`.
    TrustedHosts,
    /// `--no-binary` and `--only-binary`.
    FormatControl,
}

/// What becomes of packages that pip-compile holds "unsafe" to pin, since installers
/// themselves run on them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UnsafePackages {
    /// Pinned, in a block at the end (`--allow-unsafe`).
    Pinned(BTreeSet<PackageName>),
    /// Named in comments at the end, not pinned (`--no-allow-unsafe`).
    Commented(BTreeSet<PackageName>),
}

/// How lines end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Newline {
    /// `\n`.
    #[default]
    Lf,
    /// `\r\n`.
    CrLf,
}

impl Default for RenderOptions {
    fn default() -> Self {
        Self {
            format: Format::default(),
            header: Header::default(),
            annotations: Annotations::default(),
            hashes: true,
            strip_extras: false,
            emit: BTreeSet::from([
                Emit::Indexes,
                Emit::FindLinks,
                Emit::TrustedHosts,
                Emit::FormatControl,
            ]),
            unsafe_packages: UnsafePackages::default(),
            newline: Newline::default(),
        }
    }
}

impl UnsafePackages {
    /// The names that pip-compile knows: `distribute`, `pip` and `setuptools`.
    pub fn known() -> BTreeSet<PackageName> {
        ["distribute", "pip", "setuptools"]
            .into_iter()
            .filter_map(|name| name.parse().ok())
            .collect()
    }

    /// Whether the package belongs into the block at the end.
    pub fn contains(&self, name: &PackageName) -> bool {
        match self {
            Self::Pinned(names) | Self::Commented(names) => names.contains(name),
        }
    }
}

/// Pinned: a lock must hold all that its packages require (torch 2.5 and later require
/// setuptools on Python 3.12).
impl Default for UnsafePackages {
    fn default() -> Self {
        Self::Pinned(Self::known())
    }
}
