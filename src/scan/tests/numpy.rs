//! Which NumPy C-ABI: the strings of each tool chain, as real wheels hold them.

use super::support::{binary, noise, scan, scan_with, wheel};
use crate::scan::{Limits, NumpyAbi, NumpyMechanism};

const HEADERS_1: &[&str] = &[
    "numpy.core._multiarray_umath",
    "_ARRAY_API not found",
    "module compiled against ABI version 0x%x but this version of numpy is 0x%x",
    "numpy.core.multiarray failed to import",
];
const HEADERS_2: &[&str] = &[
    "numpy._core._multiarray_umath",
    "numpy.core._multiarray_umath",
    "_ARRAY_API not found",
    "module compiled against ABI version 0x%x but this version of numpy is 0x%x",
    "module was compiled against NumPy C-API version 0x%x (NumPy 1.20) but the running NumPy has C-API version 0x%x.",
    "numpy._core.multiarray failed to import",
];
/// Headers of NumPy 2's development before its C-ABI changed, as in pykdtree 1.3.11.
const HEADERS_2_EARLY: &[&str] = &[
    "numpy._core._multiarray_umath",
    "numpy.core._multiarray_umath",
    "_ARRAY_API not found",
    "module compiled against ABI version 0x%x but this version of numpy is 0x%x",
    "module compiled against API version 0x%x but this version of numpy is 0x%x .",
    "numpy._core.multiarray failed to import",
];
/// Headers before NumPy 1.16, as in opencv-python 4.5.5.64 (`cp36-abi3`).
const HEADERS_1_13: &[&str] = &[
    "numpy.core.multiarray",
    "_ARRAY_API not found",
    "module compiled against ABI version 0x%x but this version of numpy is 0x%x",
];
const CYTHON: &str = "%.200s.%.200s size changed, may indicate binary incompatibility.";
const PYBIND11: &str = "__pybind11_internals_v4_gcc_libstdcpp_cxxabi1011__";

fn check(strings: &[&str], abi: NumpyAbi, mechanism: Option<NumpyMechanism>) {
    let bytes = wheel(&[(
        "demo/_core.cpython-311-x86_64-linux-gnu.so",
        &binary(strings),
    )]);
    let found = scan(&bytes).unwrap().numpy;
    assert_eq!(found.abi, abi, "{strings:?}: {}", found.reason);
    assert_eq!(
        found.uses.first().map(|first| first.mechanism),
        mechanism,
        "{strings:?}"
    );
}

#[test]
fn headers_tell_by_the_module_that_they_import() {
    let headers = Some(NumpyMechanism::Headers);
    check(HEADERS_1, NumpyAbi::Numpy1Only, headers);
    check(HEADERS_2, NumpyAbi::Numpy2Capable, headers);
    check(HEADERS_2_EARLY, NumpyAbi::Numpy1Only, headers);
    check(HEADERS_1_13, NumpyAbi::Numpy1Only, headers);
    check(&["hello"], NumpyAbi::None, None);
}

#[test]
fn cython_tells_by_its_texts_even_without_the_headers_code() {
    let with = |strings: &[&'static str]| [strings, &[CYTHON]].concat();
    let cython = Some(NumpyMechanism::Cython);
    let types = Some(NumpyMechanism::CythonTypes);
    check(&with(HEADERS_1), NumpyAbi::Numpy1Only, cython);
    check(&with(HEADERS_2), NumpyAbi::Numpy2Capable, cython);
    let old = "numpy.core.multiarray failed to import";
    check(&[old, CYTHON], NumpyAbi::Numpy1Only, types);
    let new = "numpy._core.multiarray failed to import";
    check(&[new, CYTHON], NumpyAbi::Numpy2Capable, types);
    check(&[CYTHON], NumpyAbi::None, None);
    // Cython before 3.1 writes the old name into a module built for NumPy 2, too.
    let automatic =
        "numpy.core.multiarray failed to import (auto-generated because you didn't call";
    let both = [HEADERS_2, &[CYTHON, automatic]].concat();
    check(&both, NumpyAbi::Numpy2Capable, cython);
}

#[test]
fn lookups_at_run_time_tell_by_whether_they_ask_for_the_version() {
    let pybind11 = Some(NumpyMechanism::Pybind11);
    let old = ["numpy.core.multiarray", "_ARRAY_API", PYBIND11];
    check(&old, NumpyAbi::Numpy1Layout, pybind11);
    let new = [
        "numpy.lib",
        "NumpyVersion",
        "numpy._core",
        "numpy.core",
        "_ARRAY_API",
        PYBIND11,
    ];
    check(&new, NumpyAbi::Numpy2Capable, pybind11);
    // Rust puts its strings next to each other, without an end.
    let rust = Some(NumpyMechanism::RustNumpy);
    let old = "core/src/lib.rsnumpy.core.multiarray_ARRAY_APIpyo3-0.20.0/src";
    check(&[old], NumpyAbi::Numpy1Layout, rust);
    let new =
        "numpy__version__numpy.libNumpyVersionmajornumpy.corenumpy._core.multiarray_ARRAY_APIpyo3";
    check(&[new], NumpyAbi::Numpy2Capable, rust);
}

#[test]
fn nanobind_and_plain_mentions_are_no_use_of_the_abi() {
    check(
        &["nanobind::detail::ndarray", "__dlpack__"],
        NumpyAbi::None,
        None,
    );
    check(&["numpy.core.multiarray"], NumpyAbi::None, None);
}

#[test]
fn the_headers_outweigh_what_pybind11_would_do() {
    let mixed = [HEADERS_1, &["NumpyVersion", "numpy._core", PYBIND11]].concat();
    check(&mixed, NumpyAbi::Numpy1Only, Some(NumpyMechanism::Headers));
}

#[test]
fn the_worst_binary_decides_and_is_named() {
    let bytes = wheel(&[
        (
            "demo/_a.cpython-311-x86_64-linux-gnu.so",
            &binary(HEADERS_2),
        ),
        (
            "demo/_b.cpython-311-x86_64-linux-gnu.so",
            &binary(HEADERS_1),
        ),
        ("demo/__init__.py", b"'numpy.core._multiarray_umath'"),
    ]);
    let found = scan(&bytes).unwrap().numpy;
    assert_eq!(found.abi, NumpyAbi::Numpy1Only);
    assert!(found.reason.contains("demo/_b.cpython"), "{}", found.reason);
    assert_eq!(found.uses.len(), 2);
}

#[test]
fn the_oldest_numpy_is_the_newest_that_any_binary_asks_for() {
    let older: Vec<String> = HEADERS_2
        .iter()
        .map(|text| text.replace("1.20", "1.9"))
        .collect();
    let older: Vec<&str> = older.iter().map(String::as_str).collect();
    let bytes = wheel(&[
        ("demo/_a.abi3.so", &binary(&older)),
        ("demo/_b.abi3.so", &binary(HEADERS_2)),
    ]);
    let found = scan(&bytes).unwrap().numpy;
    assert_eq!(found.at_least.as_deref(), Some("1.20"));
    assert_eq!(found.uses[0].at_least.as_deref(), Some("1.9"));
}

#[test]
fn a_pattern_across_two_pieces_is_found() {
    // Pieces are 128 KiB: each start puts the pattern elsewhere across the seam.
    for shift in 0..40 {
        let mut bytes = vec![0_u8; (128 << 10) - shift];
        bytes.extend_from_slice(b"numpy.core._multiarray_umath\0_ARRAY_API\0");
        let bytes = wheel(&[("demo/_core.abi3.so", &bytes)]);
        assert_eq!(
            scan(&bytes).unwrap().numpy.abi,
            NumpyAbi::Numpy1Only,
            "{shift}"
        );
    }
}

#[test]
fn the_narrow_scope_stops_once_the_answer_is_settled() {
    let large = vec![7_u8; 1 << 20];
    let bytes = wheel(&[
        ("demo/lib/libdemo_python.so", &binary(HEADERS_1)),
        ("demo/_a.cpython-311-x86_64-linux-gnu.so", &large),
    ]);
    let found = scan_with(&bytes, &Limits::numpy_abi()).unwrap();
    assert_eq!(found.numpy.abi, NumpyAbi::Numpy1Only);
    assert_eq!(found.cost.binaries_read, 1);
    assert_eq!(found.unread.len(), 1);
}

#[test]
fn an_extension_that_was_not_read_leaves_it_undecided() {
    let noise = noise(160_000);
    let bytes = wheel(&[
        (
            "demo/_a.cpython-311-x86_64-linux-gnu.so",
            &binary(HEADERS_2),
        ),
        ("demo/_b.cpython-311-x86_64-linux-gnu.so", &noise),
        ("demo/libplain.so", &noise),
    ]);
    let mut limits = Limits {
        max_read_bytes: 10_000,
        ..Limits::default()
    };
    let found = scan_with(&bytes, &limits).unwrap();
    assert_eq!(found.numpy.abi, NumpyAbi::Undecided);
    assert!(
        found.numpy.reason.contains("_b.cpython"),
        "{}",
        found.numpy.reason
    );
    // A plain library is not where NumPy is used: leaving it out decides nothing.
    limits.max_read_bytes = 200_000;
    let found = scan_with(&bytes, &limits).unwrap();
    assert_eq!(found.numpy.abi, NumpyAbi::Numpy2Capable);
    assert_eq!(found.unread.len(), 1);
}

#[test]
fn numpy_itself_is_not_judged_by_its_own_modules() {
    let bytes = wheel(&[(
        "numpy/random/mtrand.cpython-311-x86_64-linux-gnu.so",
        &binary(HEADERS_1),
    )]);
    let name = "numpy-1.26.4-cp311-cp311-manylinux_2_17_x86_64.whl";
    let found =
        crate::scan::scan_wheel(std::io::Cursor::new(bytes), name, &Limits::default()).unwrap();
    assert_eq!(found.numpy.abi, NumpyAbi::None);
}
