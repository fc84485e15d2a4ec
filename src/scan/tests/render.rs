//! Findings as people read them.

use super::objects::{Library, elf};
use super::support::{scan, wheel};
use crate::scan::render;

#[test]
fn text_says_what_there_is_to_say() {
    let module = elf(&Library {
        needed: &["libc10.so", "libcudart.so.12", "libcudnn.so.9", "libc.so.6"],
        versions: &["GLIBC_2.28"],
        symbols: &["_ZN3c106detail14torchCheckFailEPKcS2_jRKSs"],
        content: b"numpy.core._multiarray_umath\0_ARRAY_API\0",
        ..Library::default()
    });
    let bytes = wheel(&[
        ("demo/_C.cpython-311-x86_64-linux-gnu.so", &module),
        ("demo/__init__.py", b"x"),
    ]);
    let mut found = scan(&bytes).unwrap();
    found.cost.bytes_read = 1_234_567;
    let expected = "\
demo-1.0-cp311-cp311-manylinux_2_17_x86_64.whl
  numpy     NumPy 1 only: `demo/_C.cpython-311-x86_64-linux-gnu.so` uses NumPy's C headers; it was built for NumPy 1: under NumPy 2 its import fails or its NumPy bridge is lost
  cuda      needs CUDA 12, cuDNN 9 (libcudart.so.12, libcudnn.so.9)
  torch     needs libc10.so; strings from before C++11
  platform  GLIBC 2.28 (its tag promises 2.17)
  python    cp311
  imports   demo
  needs     libc.so.6, libc10.so, libcudart.so.12, libcudnn.so.9
  problem   `demo/_C.cpython-311-x86_64-linux-gnu.so`: it needs GLIBC 2.28; the wheel's tag promises 2.17
  read      1.2 MB, 1 of its binaries
";
    assert_eq!(render::text(&found), expected);
}

#[test]
fn long_lists_are_cut_and_counted() {
    let names: Vec<String> = (0..20).map(|number| format!("lib{number:02}.so")).collect();
    let needed: Vec<&str> = names.iter().map(String::as_str).collect();
    let module = elf(&Library {
        needed: &needed,
        ..Library::default()
    });
    let text = render::text(&scan(&wheel(&[("demo/_C.so", &module)])).unwrap());
    assert!(text.contains("lib11.so and 8 more\n"), "{text}");
    assert!(text.contains("no C-ABI"), "{text}");
}
