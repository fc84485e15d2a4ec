//! What single binaries say of themselves, in each format.

use std::collections::BTreeSet;

use super::objects::{Library, elf, fatbin, mach_o, pe, universal};
use super::support::{scan, scan_with, wheel};
use crate::scan::{Binary, BinaryFormat, Findings, Limits};

/// Scans a wheel with nothing but this binary.
fn findings(path: &str, bytes: &[u8]) -> Findings {
    scan(&wheel(&[(path, bytes)])).unwrap()
}

fn only(findings: &Findings) -> &Binary {
    assert_eq!(findings.problems, [], "nothing is wrong with it");
    findings.binaries.first().unwrap()
}

#[test]
fn elf_headers_are_read() {
    let bytes = elf(&Library {
        soname: Some("libdemo.so.1"),
        needed: &["libcudart.so.12", "libc.so.6"],
        versions: &["GLIBC_2.2.5", "GLIBC_2.14", "GLIBC_2.9", "GLIBC_PRIVATE"],
        symbols: &["PyInit__core", "PyModule_Create2"],
        run_path: Some("$ORIGIN/../lib:$ORIGIN"),
        ..Library::default()
    });
    let found = findings("demo/_core.cpython-311-x86_64-linux-gnu.so", &bytes);
    let binary = only(&found);
    assert_eq!(binary.format, BinaryFormat::Elf);
    assert_eq!(binary.architectures, ["x86_64"]);
    assert_eq!(binary.soname.as_deref(), Some("libdemo.so.1"));
    assert_eq!(binary.needed, ["libcudart.so.12", "libc.so.6"]);
    assert_eq!(binary.run_paths, ["$ORIGIN/../lib", "$ORIGIN"]);
    assert_eq!(binary.modules, ["_core"]);
    assert_eq!(binary.symbol_versions["GLIBC"], "2.14");
}

#[test]
fn mach_o_load_commands_are_read_for_every_architecture() {
    let library = Library {
        soname: Some("@rpath/libdemo.dylib"),
        needed: &["@rpath/libc10.dylib", "/usr/lib/libSystem.B.dylib"],
        symbols: &["PyInit__core"],
        run_path: Some("@loader_path/../lib"),
        ..Library::default()
    };
    let intel = mach_o(&library, false, (10, 9));
    let arm = mach_o(&library, true, (11, 0));
    let bytes = universal(&[&intel, &arm]);
    let found = findings("demo/_core.cpython-311-darwin.so", &bytes);
    let binary = only(&found);
    assert_eq!(binary.format, BinaryFormat::MachO);
    assert_eq!(binary.architectures, ["arm64", "x86_64"]);
    assert_eq!(binary.soname.as_deref(), Some("@rpath/libdemo.dylib"));
    assert_eq!(binary.needed, library.needed);
    assert_eq!(binary.run_paths, ["@loader_path/../lib"]);
    assert_eq!(binary.modules, ["_core"]);
    // It runs on what its less demanding half runs on.
    assert_eq!(binary.macos.as_deref(), Some("10.9"));
    let found = findings("demo/_core.cpython-311-darwin.so", &arm);
    assert_eq!(only(&found).macos.as_deref(), Some("11.0"));
}

#[test]
fn windows_imports_and_exports_are_read() {
    let bytes = pe(&Library {
        needed: &["python311.dll", "KERNEL32.dll", "cudart64_12.dll"],
        symbols: &["PyInit__core"],
        ..Library::default()
    });
    let found = findings("demo/_core.cp311-win_amd64.pyd", &bytes);
    let binary = only(&found);
    assert_eq!(binary.format, BinaryFormat::Pe);
    assert_eq!(binary.architectures, ["amd64"]);
    assert_eq!(
        binary.needed,
        ["python311.dll", "KERNEL32.dll", "cudart64_12.dll"]
    );
    assert_eq!(binary.modules, ["_core"]);
    assert_eq!(found.python, BTreeSet::from(["cp311".to_owned()]));
}

#[test]
fn the_middle_of_a_large_binary_is_not_kept_but_for_its_dynamic_segment() {
    // The dynamic segment stands behind the content and before the padding, in the
    // part that neither head nor tail holds.
    let library = Library {
        needed: &["libc.so.6"],
        content: &vec![0; 200_000],
        ..Library::default()
    };
    let mut bytes = elf(&library);
    bytes.resize(bytes.len() + 400_000, 0);
    let bytes = wheel(&[("demo/_core.abi3.so", &bytes)]);
    let limits = Limits {
        head_bytes: 100_000,
        tail_bytes: 100_000,
        ..Limits::default()
    };
    let found = scan_with(&bytes, &limits).unwrap();
    assert_eq!(only(&found).needed, ["libc.so.6"]);
}

#[test]
fn what_is_no_library_is_a_problem_and_not_an_error() {
    for bytes in [
        b"GROUP ( libdemo.so.1 )".as_slice(),
        b"",
        b"\x7fELF",
        &elf(&Library::default())[..150],
    ] {
        let found = findings("demo/libdemo.so", bytes);
        assert!(found.binaries.is_empty());
        assert_eq!(found.problems.len(), 1, "{bytes:?}");
    }
}

#[test]
fn a_name_that_does_not_end_is_a_problem() {
    let long = "x".repeat(5000);
    let bytes = elf(&Library {
        needed: &[&long],
        ..Library::default()
    });
    let found = findings("demo/libdemo.so", &bytes);
    assert!(found.problems[0].detail.contains("does not end"));
}

#[test]
fn gpu_code_is_recognised_wherever_it_stands() {
    let one = fatbin(&[(false, 80), (false, 90), (true, 90)]);
    let other = fatbin(&[(false, 120)]);
    for shift in [0, 8, 131_072 - 40, 131_072 - 20, 131_072 - 3] {
        let content = [&vec![0; shift], &one, [0; 24].as_slice(), &other].concat();
        let bytes = elf(&Library {
            content: &content,
            ..Library::default()
        });
        let found = findings("demo/_core.abi3.so", &bytes);
        assert_eq!(
            only(&found).gpu_architectures,
            ["compute_90", "sm_120", "sm_80", "sm_90"],
            "{shift}"
        );
    }
}

#[test]
fn bytes_that_only_begin_like_gpu_code_are_passed_over() {
    let mut broken = fatbin(&[(false, 80)]);
    broken[16 + 8] = 0xff;
    let content = [
        &broken[..],
        &[0x50, 0xed, 0x55, 0xba],
        &fatbin(&[(false, 75)]),
    ]
    .concat();
    let bytes = elf(&Library {
        content: &content,
        ..Library::default()
    });
    let found = findings("demo/_core.abi3.so", &bytes);
    assert_eq!(only(&found).gpu_architectures, ["sm_75"]);
}

#[test]
fn targets_of_amd_are_recognised_by_name() {
    let content = b"__CLANG_OFFLOAD_BUNDLE__hipv4-amdgcn-amd-amdhsa--gfx90a\0\0hipv4-amdgcn-amd-amdhsa--gfx1100\0";
    let bytes = elf(&Library {
        content,
        ..Library::default()
    });
    let found = findings("demo/_core.abi3.so", &bytes);
    assert_eq!(only(&found).gpu_architectures, ["gfx1100", "gfx90a"]);
}

#[test]
fn the_abi_of_strings_shows_in_the_symbols_of_pytorch() {
    let abi = |symbol: &str| {
        let bytes = elf(&Library {
            needed: &["libc10.so", "libtorch.so"],
            symbols: &[symbol],
            ..Library::default()
        });
        findings("demo/_C.so", &bytes).torch.unwrap().cxx11_abi
    };
    let new = "_ZN3c106detail14torchCheckFailEPKcS2_jRKNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEE";
    assert_eq!(abi(new), Some(true));
    assert_eq!(
        abi("_ZN3c106detail14torchCheckFailEPKcS2_jRKSs"),
        Some(false)
    );
    assert_eq!(abi("_ZN2at5emptyEv"), None);
    // Strings of other libraries say nothing of PyTorch's.
    assert_eq!(abi("_ZN4demo4openERKSs"), None);
}
