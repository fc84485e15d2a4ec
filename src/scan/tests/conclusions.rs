//! What follows for the wheel as a whole.

use std::collections::BTreeSet;
use std::io::Cursor;

use super::objects::{Library, elf, mach_o, pe};
use super::support::{scan, wheel};
use crate::scan::{Findings, Limits, overlap, scan_installed, scan_member, scan_wheel};

fn needing(needed: &[&str]) -> Vec<u8> {
    elf(&Library {
        needed,
        ..Library::default()
    })
}

fn scan_as(filename: &str, members: &[(&str, &[u8])]) -> Findings {
    scan_wheel(Cursor::new(wheel(members)), filename, &Limits::default()).unwrap()
}

fn set<T: Ord + Clone>(values: &[T]) -> BTreeSet<T> {
    values.iter().cloned().collect()
}

#[test]
fn cuda_and_cudnn_follow_from_the_names_of_libraries() {
    for (name, cuda, cudnn) in [
        ("libcudart.so.12", Some(12), None),
        ("libcudart.so.11.0", Some(11), None),
        ("libcublasLt.so.13", Some(13), None),
        ("libcufft.so.11", Some(12), None),
        ("libcusolver.so.11", None, None),
        ("libcudart.7ec1eba6.so.12", Some(12), None),
        ("libcudnn.so.9", None, Some(9)),
        ("libcudnn_ops_infer.so.8", None, Some(8)),
        ("cudart64_12.dll", Some(12), None),
        ("cudart64_110.dll", Some(11), None),
        ("cudart64_101.dll", Some(10), None),
        ("nvrtc64_112_0.dll", Some(11), None),
        ("nvJitLink_120_0.dll", Some(12), None),
        ("cudnn_ops64_9.dll", None, Some(9)),
    ] {
        let found = scan(&wheel(&[("demo/_C.so", &needing(&[name]))])).unwrap();
        let needs = found.cuda.expect(name).needs;
        assert_eq!(needs.cuda, cuda.into_iter().collect(), "{name}");
        assert_eq!(needs.cudnn, cudnn.into_iter().collect(), "{name}");
        assert_eq!(needs.libraries, set(&[name.to_owned()]));
    }
    for name in [
        "libcudf.so",
        "libcurl.so.4",
        "libfoo.so.12",
        "cudart_header.h",
    ] {
        let found = scan(&wheel(&[("demo/_C.so", &needing(&[name]))])).unwrap();
        assert_eq!(found.cuda, None, "{name}");
    }
}

#[test]
fn what_the_wheel_brings_is_told_from_what_it_needs() {
    let runtime = elf(&Library {
        soname: Some("libcudart-a7b20f20.so.12.1.105"),
        ..Library::default()
    });
    let bytes = wheel(&[
        (
            "demo/_C.so",
            &needing(&[
                "libcudart-a7b20f20.so.12.1.105",
                "libcudnn.so.9",
                "libc10.so",
            ]),
        ),
        ("demo.libs/libcudart-a7b20f20.so.12.1.105", &runtime),
        ("demo.libs/libgomp-a34b3233.so.1.0.0", &needing(&[])),
        ("demo.libs/libcublasLt.so.12", &needing(&[])),
        ("demo/cudnn.h", b""),
        ("demo/cudnn.cpython-311-x86_64-linux-gnu.so", &needing(&[])),
    ]);
    let found = scan(&bytes).unwrap();
    let cuda = found.cuda.unwrap();
    assert_eq!(cuda.brings.cuda, set(&[12]));
    assert!(cuda.brings.libraries.contains("libcublasLt.so.12"));
    assert_eq!(cuda.brings.cudnn, set(&[]));
    assert_eq!(cuda.brings.cuda_version.as_deref(), Some("12.1.105"));
    assert_eq!(cuda.needs.cuda, set(&[]));
    assert_eq!(cuda.needs.cudnn, set(&[9]));
    assert_eq!(found.openmp, set(&["libgomp-a34b3233.so.1.0.0".to_owned()]));
    assert_eq!(
        found.torch.unwrap().libraries,
        set(&["libc10.so".to_owned()])
    );
    let bundled: Vec<&str> = found
        .needed
        .iter()
        .filter(|library| library.bundled)
        .map(|library| &*library.name)
        .collect();
    assert_eq!(bundled, ["libcudart-a7b20f20.so.12.1.105"]);
}

#[test]
fn libraries_that_are_opened_at_run_time_are_told_apart() {
    let bytes = elf(&Library {
        needed: &["libcudart.so.12"],
        content: b"\0libcudnn.so.9\0libcublas.so.%d\0libcudart.so.12\0",
        ..Library::default()
    });
    let found = scan(&wheel(&[("demo/_C.so", &bytes)])).unwrap();
    let cuda = found.cuda.unwrap();
    assert_eq!(cuda.opens.cudnn, set(&[9]));
    assert_eq!(cuda.opens.libraries, set(&["libcudnn.so.9".to_owned()]));
}

#[test]
fn a_tag_that_promises_too_much_is_a_problem() {
    let bytes = elf(&Library {
        versions: &["GLIBC_2.28", "GLIBCXX_3.4.24", "CXXABI_1.3.7"],
        ..Library::default()
    });
    let details = |platform: &str| -> Vec<String> {
        let found = scan_as(
            &format!("demo-1.0-cp311-cp311-{platform}.whl"),
            &[("demo/_C.so", &bytes)],
        );
        found
            .problems
            .into_iter()
            .map(|found| found.detail)
            .collect()
    };
    let glibc = "it needs GLIBC 2.28; the wheel's tag promises 2.17";
    let glibcxx = "it needs GLIBCXX 3.4.24; the wheel's tag promises 3.4.19";
    assert_eq!(details("manylinux2014_x86_64"), [glibc, glibcxx]);
    // The least of several tags is what counts.
    let both = "manylinux_2_17_x86_64.manylinux_2_28_x86_64";
    assert_eq!(details(both), [glibc, glibcxx]);
    assert!(details("manylinux_2_28_x86_64").is_empty());
    assert!(details("linux_x86_64").is_empty());

    let bytes = mach_o(&Library::default(), true, (12, 3));
    let found = scan_as(
        "demo-1.0-cp311-cp311-macosx_11_0_arm64.whl",
        &[("demo/_C.so", &bytes)],
    );
    let detail = "it needs macOS 12.3; the wheel's tag promises 11.0";
    assert_eq!(found.problems[0].detail, detail);
}

#[test]
fn a_libstdcxx_in_the_wheel_keeps_its_promise() {
    let bytes = elf(&Library {
        versions: &["GLIBCXX_3.4.30"],
        ..Library::default()
    });
    let found = scan_as(
        "demo-1.0-cp311-cp311-manylinux2014_x86_64.whl",
        &[
            ("demo/_C.so", &bytes),
            ("demo.libs/libstdc++-77ab8ee6.so.6", &needing(&[])),
        ],
    );
    assert_eq!(found.problems, []);
}

#[test]
fn a_module_for_another_interpreter_is_a_problem() {
    let problems =
        |filename: &str, module: &str| scan_as(filename, &[(module, &needing(&[]))]).problems.len();
    let wheel = "demo-1.0-cp311-cp311-linux_x86_64.whl";
    assert_eq!(
        problems(wheel, "demo/_C.cpython-310-x86_64-linux-gnu.so"),
        1
    );
    assert_eq!(
        problems(wheel, "demo/_C.cpython-311-x86_64-linux-gnu.so"),
        0
    );
    assert_eq!(problems(wheel, "demo/_C.abi3.so"), 0);
    let stable = "demo-1.0-cp39-abi3-linux_x86_64.whl";
    assert_eq!(
        problems(stable, "demo/_C.cpython-39-x86_64-linux-gnu.so"),
        1
    );
    assert_eq!(problems(stable, "demo/_C.abi3.so"), 0);
    let threads = "demo-1.0-cp313-cp313t-linux_x86_64.whl";
    assert_eq!(
        problems(threads, "demo/_C.cpython-313-x86_64-linux-gnu.so"),
        1
    );
    assert_eq!(
        problems(threads, "demo/_C.cpython-313t-x86_64-linux-gnu.so"),
        0
    );
    let any = "demo-1.0-py3-none-linux_x86_64.whl";
    assert_eq!(problems(any, "demo/_C.cpython-310-x86_64-linux-gnu.so"), 0);
}

#[test]
fn windows_modules_tell_their_interpreter_by_its_library() {
    let module = |dll| {
        pe(&Library {
            needed: &[dll],
            ..Library::default()
        })
    };
    for (dll, expected) in [("python312.dll", "cp312"), ("PYTHON3.DLL", "abi3")] {
        let found = scan(&wheel(&[("demo/_C.pyd", &module(dll))])).unwrap();
        assert_eq!(found.python, set(&[expected.to_owned()]));
    }
}

#[test]
fn metadata_that_is_for_something_else_is_a_problem() {
    let scan_metadata = |text: &str| {
        scan_as(
            "Demo_Pkg-1.0+cu121-py3-none-any.whl",
            &[("demo_pkg-1.0.dist-info/METADATA", text.as_bytes())],
        )
    };
    let found =
        scan_metadata("Metadata-Version: 2.1\nName: demo-pkg\nVersion: 1.0+cu121\n\nName: x\n");
    assert_eq!(found.metadata.unwrap().version, "1.0+cu121");
    assert_eq!(found.problems, []);
    let found = scan_metadata("Name: demo-pkg\nVersion: 2.0\n");
    assert_eq!(
        found.problems[0].detail,
        "its metadata is for `demo-pkg 2.0`"
    );
}

#[test]
fn imports_follow_from_the_files() {
    let found = scan(&wheel(&[
        ("cv2/__init__.py", b"x"),
        ("cv2/cv2.abi3.so", &needing(&[])),
        ("cv2/gapi/__init__.py", b"x"),
        ("six.py", b"x"),
        ("_demo.cpython-311-x86_64-linux-gnu.so", &needing(&[])),
        ("nvidia/__init__.py", b""),
        ("nvidia/cudnn/__init__.py", b""),
        ("nvidia/cudnn/lib/libcudnn.so.9", &needing(&[])),
        ("google/protobuf/__init__.py", b"x"),
        ("demo.libs/libgomp.so.1", &needing(&[])),
        ("demo-1.0.dist-info/RECORD", b""),
        ("demo-1.0.data/purelib/pure/__init__.py", b"x"),
        ("demo-1.0.data/scripts/tool.py", b"x"),
        ("LICENSE.txt", b"x"),
    ]))
    .unwrap();
    assert_eq!(
        found.imports,
        [
            "_demo",
            "cv2",
            "google.protobuf",
            "nvidia.cudnn",
            "pure",
            "six"
        ]
    );
}

#[test]
fn wheels_that_share_files_are_compared_by_content() {
    let one = scan(&wheel(&[
        ("cv2/__init__.py", b"same"),
        ("cv2/cv2.abi3.so", &needing(&["libGL.so.1"])),
        ("cv2/only_here.py", b"x"),
        ("a-1.0.dist-info/RECORD", b"one"),
    ]))
    .unwrap();
    let other = scan(&wheel(&[
        ("a-1.0.data/platlib/cv2/__init__.py", b"same"),
        ("cv2/cv2.abi3.so", &needing(&[])),
        ("a-1.0.dist-info/RECORD", b"other"),
    ]))
    .unwrap();
    let found = overlap(&one.files, &other.files);
    assert_eq!(found.identical, ["cv2/__init__.py"]);
    assert_eq!(found.different, ["cv2/cv2.abi3.so"]);
}

#[test]
fn an_installed_distribution_is_scanned_like_its_wheel() {
    let module = needing(&["libcudart.so.12"]);
    let files: [(&str, &[u8]); 2] = [("demo/_C.abi3.so", &module), ("demo/__init__.py", b"x")];
    let wheel = scan(&wheel(&files)).unwrap();
    let files = files.map(|(path, bytes)| (path.to_owned(), bytes));
    let installed = scan_installed("demo 1.0", files, &Limits::default()).unwrap();
    assert_eq!(installed.source, "demo 1.0");
    assert_eq!(installed.wheel, None);
    assert_eq!(installed.binaries, wheel.binaries);
    assert_eq!(installed.files, wheel.files);
    assert_eq!(installed.cuda, wheel.cuda);
    let limits = Limits::default();
    let member = scan_member("demo/_C.abi3.so", &module, &limits).unwrap();
    assert_eq!(member.unwrap().cuda, wheel.cuda);
    assert_eq!(
        scan_member("demo/__init__.py", b"x", &limits).unwrap(),
        None
    );
}

#[test]
fn findings_survive_json_in_one_line() {
    let bytes = wheel(&[("demo/_C.abi3.so", &needing(&["libcudnn.so.9"]))]);
    let found = scan(&bytes).unwrap();
    let line = serde_json::to_string(&found).unwrap();
    assert!(!line.contains('\n'));
    assert!(line.contains(r#""abi":"none""#), "{line}");
    assert_eq!(serde_json::from_str::<Findings>(&line).unwrap(), found);
}
