//! What names tell before anything is read.

use crate::scan::WheelTags;
use crate::scan::plan::{Role, role};

#[test]
fn paths_tell_what_a_binary_is() {
    for (path, expected) in [
        ("torch/lib/libtorch_python.so", Some(Role::Bridge)),
        ("torch/lib/torch_python.dll", Some(Role::Bridge)),
        ("pyarrow/libarrow_python.so.1600", Some(Role::Bridge)),
        // `import paddle.base.libpaddle`
        ("paddle/base/libpaddle.so", Some(Role::Bridge)),
        (
            "x-1.0.data/purelib/paddle/base/libpaddle.so",
            Some(Role::Bridge),
        ),
        (
            "torch/_C.cpython-311-x86_64-linux-gnu.so",
            Some(Role::Extension),
        ),
        ("jaxlib/xla_extension.so", Some(Role::Extension)),
        ("demo/libname.cpython-311-darwin.so", Some(Role::Extension)),
        ("cv2/cv2.abi3.so", Some(Role::Extension)),
        (
            "pandas/_libs/lib.cp311-win_amd64.pyd",
            Some(Role::Extension),
        ),
        ("torch/lib/libtorch_cuda.so", Some(Role::Library)),
        ("demo/libpython3.11.so.1.0", Some(Role::Library)),
        ("nvidia/cudnn/lib/libcudnn.so.9", Some(Role::Library)),
        (
            "scipy.libs/libopenblasp-r0-24bff013.3.26.dev.so",
            Some(Role::Vendored),
        ),
        ("torch/.dylibs/libomp.dylib", Some(Role::Vendored)),
        ("demo/settings.so.bak", None),
        ("demo/module.py", None),
        ("demo/so", None),
    ] {
        assert_eq!(role(path), expected, "{path}");
    }
}

#[test]
fn file_names_are_taken_apart() {
    let tags = |filename| {
        let tags = WheelTags::from_filename(filename)?;
        Some(format!(
            "{} {} {:?} {:?} {:?}",
            tags.name, tags.version, tags.python, tags.abi, tags.platform
        ))
    };
    for (filename, expected) in [
        (
            "numpy-1.26.4-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
            r#"numpy 1.26.4 ["cp311"] ["cp311"] ["manylinux_2_17_x86_64", "manylinux2014_x86_64"]"#,
        ),
        (
            "triton-2.1.0-0-cp311-cp311-linux_x86_64.whl",
            r#"triton 2.1.0 ["cp311"] ["cp311"] ["linux_x86_64"]"#,
        ),
        (
            "torch-2.8.0-cp312-cp312-linux_x86_64-cu128.whl",
            r#"torch 2.8.0 ["cp312"] ["cp312"] ["linux_x86_64"]"#,
        ),
        (
            "six-1.16.0-py2.py3-none-any.whl",
            r#"six 1.16.0 ["py2", "py3"] ["none"] ["any"]"#,
        ),
    ] {
        assert_eq!(tags(filename).as_deref(), Some(expected));
    }
    for filename in [
        "six-1.16.0-py3-none.whl",
        "a-b-c-d-e-f-g-h.whl",
        "six-1.16.0.zip",
    ] {
        assert_eq!(tags(filename), None, "{filename}");
    }
}
