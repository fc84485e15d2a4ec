//! Byte patterns that tell how a binary was built, looked for while it streams past.

use std::collections::BTreeSet;

use memchr::memmem::Finder;

/// What a byte pattern in a binary tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Marker {
    /// Headers of NumPy 1.16 or later import the C-API from here.
    OldUmath,
    /// Headers of NumPy 2 try this first.
    NewUmath,
    /// Looked up by name at run time: pybind11 before 2.12, rust-numpy before
    /// 0.22, headers before NumPy 1.16.
    OldMultiarray,
    /// Cython's own text where it was given the declarations of NumPy 1.
    OldCythonText,
    /// Cython's own text where it was given the declarations of NumPy 2.
    NewCythonText,
    /// The capsule that holds the C-API.
    ArrayApi,
    /// Every NumPy header's complaint about another ABI.
    AbiCheck,
    /// The run-time check by which pybind11 2.12 and rust-numpy 0.22 choose a path.
    NumpyVersion,
    /// Cython's complaint about an extension type whose size changed.
    CythonTypeSize,
    /// pybind11's record of its internals.
    Pybind11,
    /// nanobind's texts.
    Nanobind,
    /// The Rust crate `pyo3`.
    Pyo3,
    /// SWIG's run-time table.
    Swig,
}

const PATTERNS: [(Marker, &[u8]); 13] = [
    (Marker::OldUmath, b"numpy.core._multiarray_umath"),
    (Marker::NewUmath, b"numpy._core._multiarray_umath"),
    (Marker::OldMultiarray, OLD_MULTIARRAY),
    (
        Marker::OldCythonText,
        b"numpy.core.multiarray failed to import",
    ),
    (
        Marker::NewCythonText,
        b"numpy._core.multiarray failed to import",
    ),
    (Marker::ArrayApi, b"_ARRAY_API"),
    (
        Marker::AbiCheck,
        b"compiled against ABI version 0x%x but this version of numpy",
    ),
    (Marker::NumpyVersion, b"NumpyVersion"),
    (Marker::CythonTypeSize, b"size changed, may indicate"),
    (Marker::Pybind11, b"pybind11"),
    (Marker::Nanobind, b"nanobind"),
    (Marker::Pyo3, b"pyo3"),
    (Marker::Swig, b"swig_runtime_data"),
];

const OLD_MULTIARRAY: &[u8] = b"numpy.core.multiarray";
/// What follows [`OLD_MULTIARRAY`] where it is a text and not a module's name.
const TEXT_CONTINUES: &[u8] = b" failed to import";
/// Headers of NumPy 2 name the oldest NumPy that they were told to suit.
const FLOOR_TEXT: &[u8] = b"NumPy C-API version 0x%x (NumPy ";
/// No version of NumPy is longer, with what closes it.
const LONGEST_FLOOR: usize = 8;

/// The markers that a binary holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Markers {
    found: BTreeSet<Marker>,
    /// The oldest NumPy that the headers were told to suit: major, minor.
    numpy_floor: Option<(u32, u32)>,
}

impl Markers {
    /// Whether the binary holds the marker.
    pub(super) fn has(&self, marker: Marker) -> bool {
        self.found.contains(&marker)
    }

    /// The oldest NumPy that the headers were told to suit, where they are NumPy 2's.
    pub(super) fn numpy_floor(&self) -> Option<(u32, u32)> {
        self.numpy_floor
    }

    /// The pattern that stands for a marker, as text.
    pub(super) fn text(marker: Marker) -> String {
        PATTERNS
            .iter()
            .find(|(known, _)| *known == marker)
            .map(|(_, pattern)| String::from_utf8_lossy(pattern).into_owned())
            .unwrap_or_default()
    }
}

/// Looks for every pattern at once in overlapping stretches of a binary.
#[derive(Debug)]
pub(super) struct MarkerSearch {
    wanted: Vec<(Marker, Finder<'static>)>,
    floor: Finder<'static>,
    markers: Markers,
}

impl MarkerSearch {
    /// A search that has seen nothing yet.
    pub(super) fn new() -> Self {
        let wanted = PATTERNS
            .iter()
            .map(|&(marker, pattern)| (marker, Finder::new(pattern)))
            .collect();
        Self {
            wanted,
            floor: Finder::new(FLOOR_TEXT),
            markers: Markers::default(),
        }
    }

    /// Looks at a stretch; `last` says that nothing follows it.
    pub(super) fn look(&mut self, stretch: &[u8], last: bool) {
        let Self {
            wanted,
            floor,
            markers,
        } = self;
        for at in floor.find_iter(stretch) {
            let rest = stretch.get(at + FLOOR_TEXT.len()..).unwrap_or_default();
            markers.numpy_floor = markers.numpy_floor.max(floor_version(rest));
        }
        wanted.retain(|(marker, finder)| {
            let found = if *marker == Marker::OldMultiarray {
                has_module_name(stretch, finder, last)
            } else {
                finder.find(stretch).is_some()
            };
            if found {
                markers.found.insert(*marker);
            }
            !found
        });
    }

    /// What was found.
    pub(super) fn finish(self) -> Markers {
        self.markers
    }
}

/// The version up to the closing parenthesis; `None` where it is cut off, so that the
/// next stretch shows it whole.
fn floor_version(rest: &[u8]) -> Option<(u32, u32)> {
    let rest = rest.get(..LONGEST_FLOOR).unwrap_or(rest);
    let end = rest.iter().position(|byte| *byte == b')')?;
    let version = std::str::from_utf8(rest.get(..end)?).ok()?;
    let (major, minor) = version.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

/// Whether the module's name occurs other than at the start of Cython's text.
fn has_module_name(stretch: &[u8], finder: &Finder<'_>, last: bool) -> bool {
    finder.find_iter(stretch).any(|at| {
        let rest = stretch.get(at + OLD_MULTIARRAY.len()..).unwrap_or_default();
        // Too near the end to tell: it is looked at again with the next stretch.
        let complete = last || rest.len() >= TEXT_CONTINUES.len();
        complete && !rest.starts_with(TEXT_CONTINUES)
    })
}
