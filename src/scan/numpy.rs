//! Which NumPy C-ABI a binary was built for.
//!
//! What the markers mean was established by running the wheels (CPython 3.11,
//! NumPy 2.2.6 and 1.26.4, Linux x86_64):
//!
//! - Headers of NumPy 1 import `numpy.core._multiarray_umath` (since 1.16) or
//!   `numpy.core.multiarray` (before), and compare an ABI number. Under NumPy 2
//!   the import of the extension fails, or, where the extension catches that, its
//!   NumPy bridge is lost (torch 2.2.2: "Numpy is not available").
//! - Headers of NumPy 2 try `numpy._core._multiarray_umath` first, then the old
//!   name: one build serves both. They also name the oldest NumPy that they suit.
//!   Those of NumPy 2's development before its C-ABI changed have the new module's
//!   name and not that text: what was built with them fails under NumPy 2
//!   (pykdtree 1.3.11: "Expected 96 from C header, got 88 from PyObject").
//! - Cython modules that never call the C-API still check the size of
//!   `numpy.dtype`, which NumPy 2 changed: they fail at import, and give
//!   themselves away only by the text that NumPy 1's declarations put into them
//!   (h5py 3.10: 18 of 24 modules).
//! - pybind11 before 2.12 and rust-numpy before 0.22 look `_ARRAY_API` up in
//!   `numpy.core.multiarray`, which NumPy 2 still offers. They load without a
//!   word, but read dtypes by NumPy 1's layout. contourpy 1.2.0 then returns
//!   arrays of stride 0, that is wrong contours; tokenizers 0.20.0 panics on arrays
//!   of `str` and works on all else; scipy 1.12.0's pypocketfft, polars 0.20.31 and
//!   mediapipe 0.10.14 were right in all that was tried. Which of these happens depends
//!   on what the extension does, so this is a verdict of its own.

use serde::{Deserialize, Serialize};

use super::binary::version_key;
use super::markers::{Marker, Markers};

/// Which NumPy C-ABI a binary was built for; the greater, the worse under NumPy 2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NumpyAbi {
    /// It does not use NumPy's C-ABI.
    None,
    /// It works with NumPy 2 (and with a NumPy 1 that is not too old).
    #[serde(rename = "numpy2-capable")]
    Numpy2Capable,
    /// What was read does not tell.
    Undecided,
    /// It loads under NumPy 2, but reads dtypes by NumPy 1's layout: wrong results
    /// or crashes, depending on what it does with them. Only a run can tell.
    #[serde(rename = "numpy1-layout")]
    Numpy1Layout,
    /// Under NumPy 2 its import fails, or it loses its NumPy bridge.
    #[serde(rename = "numpy1-only")]
    Numpy1Only,
}

/// By which means a binary reaches NumPy's C-ABI.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NumpyMechanism {
    /// NumPy's C headers, used directly, through f2py, SWIG or Pythran.
    Headers,
    /// NumPy's C headers, used through Cython.
    Cython,
    /// Cython's declarations of NumPy's types, without a call of the C-API.
    CythonTypes,
    /// pybind11's own table of the C-API.
    Pybind11,
    /// The Rust crate `numpy`.
    RustNumpy,
    /// Some table of the C-API that is looked up at run time.
    Lookup,
}

/// One binary's use of NumPy's C-ABI, with what shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NumpyUse {
    /// The binary's path in the wheel.
    pub module: String,
    /// Which ABI it was built for.
    pub abi: NumpyAbi,
    /// By which means it reaches it.
    pub mechanism: NumpyMechanism,
    /// The oldest NumPy that it says it works with (`1.20`), where it says so.
    pub at_least: Option<String>,
    /// The strings in it that show this.
    pub evidence: Vec<String>,
}

/// A wheel's use of NumPy's C-ABI: the worst of its binaries'.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NumpyFinding {
    /// Which ABI it was built for.
    pub abi: NumpyAbi,
    /// The oldest NumPy that all its binaries say they work with, where one says so.
    pub at_least: Option<String>,
    /// One sentence that says why.
    pub reason: String,
    /// Each use, the worst first, then by path.
    pub uses: Vec<NumpyUse>,
}

/// What a binary's markers say of its use of NumPy; a binary may have several uses.
pub(super) fn uses(module: &str, markers: &Markers) -> Vec<NumpyUse> {
    let has = |marker| markers.has(marker);
    let mut uses = Vec::new();
    let mut add = |abi, mechanism, shown_by: &[Marker]| {
        uses.push(NumpyUse {
            module: module.to_owned(),
            abi,
            mechanism,
            at_least: markers
                .numpy_floor()
                .map(|(major, minor)| format!("{major}.{minor}")),
            evidence: shown_by
                .iter()
                .filter(|marker| has(**marker))
                .map(|marker| Markers::text(*marker))
                .collect(),
        });
    };
    let headers = if has(Marker::CythonTypeSize) {
        NumpyMechanism::Cython
    } else {
        NumpyMechanism::Headers
    };
    let before_the_change = has(Marker::AbiCheck) && markers.numpy_floor().is_none();
    if has(Marker::NewUmath) && before_the_change {
        let shown_by = [Marker::NewUmath, Marker::AbiCheck, Marker::NewCythonText];
        add(NumpyAbi::Numpy1Only, headers, &shown_by);
    } else if has(Marker::NewUmath) {
        let shown_by = [Marker::NewUmath, Marker::OldUmath, Marker::NewCythonText];
        add(NumpyAbi::Numpy2Capable, headers, &shown_by);
    } else if has(Marker::OldUmath) || has(Marker::AbiCheck) {
        let shown_by = [
            Marker::OldUmath,
            Marker::OldMultiarray,
            Marker::AbiCheck,
            Marker::OldCythonText,
        ];
        add(NumpyAbi::Numpy1Only, headers, &shown_by);
    } else if has(Marker::CythonTypeSize) && has(Marker::OldCythonText) {
        let shown_by = [Marker::OldCythonText, Marker::CythonTypeSize];
        add(NumpyAbi::Numpy1Only, NumpyMechanism::CythonTypes, &shown_by);
    } else if has(Marker::CythonTypeSize) && has(Marker::NewCythonText) {
        let shown_by = [Marker::NewCythonText, Marker::CythonTypeSize];
        add(
            NumpyAbi::Numpy2Capable,
            NumpyMechanism::CythonTypes,
            &shown_by,
        );
    }

    let lookup = if has(Marker::Pybind11) {
        NumpyMechanism::Pybind11
    } else if has(Marker::Pyo3) {
        NumpyMechanism::RustNumpy
    } else {
        NumpyMechanism::Lookup
    };
    // Headers before NumPy 1.16 name the same module; they are told by their check.
    if has(Marker::ArrayApi) && has(Marker::NumpyVersion) {
        let shown_by = [Marker::NumpyVersion, Marker::ArrayApi];
        add(NumpyAbi::Numpy2Capable, lookup, &shown_by);
    } else if has(Marker::ArrayApi) && has(Marker::OldMultiarray) && !old_headers(markers) {
        let shown_by = [Marker::OldMultiarray, Marker::ArrayApi];
        add(NumpyAbi::Numpy1Layout, lookup, &shown_by);
    }
    uses
}

fn old_headers(markers: &Markers) -> bool {
    markers.has(Marker::AbiCheck)
        && !markers.has(Marker::OldUmath)
        && !markers.has(Marker::NewUmath)
}

/// The wheel's verdict from its binaries' uses.
///
/// `undecided` names the binaries that might use NumPy and were not read.
pub(super) fn judge(mut uses: Vec<NumpyUse>, undecided: &[String]) -> NumpyFinding {
    uses.sort_by(|a, b| {
        b.abi
            .cmp(&a.abi)
            .then_with(|| a.module.cmp(&b.module))
            .then_with(|| a.mechanism.cmp(&b.mechanism))
    });
    let worst = uses.first().map_or(NumpyAbi::None, |first| first.abi);
    let at_least = uses
        .iter()
        .filter_map(|found| found.at_least.as_deref())
        .max_by_key(|version| version_key(version))
        .map(str::to_owned);
    if worst < NumpyAbi::Undecided
        && let Some(first) = undecided.first()
    {
        let others = undecided.len() - 1;
        return NumpyFinding {
            abi: NumpyAbi::Undecided,
            at_least,
            reason: match others {
                0 => format!("`{first}` was not read and may use NumPy"),
                _ => format!("`{first}` and {others} more were not read and may use NumPy"),
            },
            uses,
        };
    }
    let reason = uses.first().map_or_else(
        || "no binary in it uses NumPy's C-ABI".to_owned(),
        |first| explain(first, &uses),
    );
    NumpyFinding {
        abi: worst,
        at_least,
        reason,
        uses,
    }
}

fn explain(first: &NumpyUse, uses: &[NumpyUse]) -> String {
    let module = &first.module;
    let means = match first.mechanism {
        NumpyMechanism::Headers => "uses NumPy's C headers",
        NumpyMechanism::Cython => "uses NumPy's C headers through Cython",
        NumpyMechanism::CythonTypes => "uses NumPy's types through Cython",
        NumpyMechanism::Pybind11 => "uses NumPy through pybind11",
        NumpyMechanism::RustNumpy => "uses NumPy through the Rust crate numpy",
        NumpyMechanism::Lookup => "looks NumPy's C-API up at run time",
    };
    let built = match first.abi {
        NumpyAbi::Numpy1Only => {
            "was built for NumPy 1: under NumPy 2 its import fails or its NumPy bridge is lost"
        }
        NumpyAbi::Numpy1Layout => {
            "loads under NumPy 2 but reads dtypes by NumPy 1's layout; only a run can tell what breaks"
        }
        NumpyAbi::Numpy2Capable => "was built for NumPy 2",
        NumpyAbi::None | NumpyAbi::Undecided => "cannot be judged",
    };
    let alike: std::collections::BTreeSet<&str> = uses
        .iter()
        .filter(|other| other.abi == first.abi && other.module != *module)
        .map(|other| &*other.module)
        .collect();
    match alike.len() {
        0 => format!("`{module}` {means}; it {built}"),
        others => format!("`{module}` (and {others} more) {means}; it {built}"),
    }
}
