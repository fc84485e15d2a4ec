#![expect(clippy::unwrap_used, reason = "tests")]

use std::fs;

use super::front_end::is_new_enough;
use super::*;

/// A build backend that needs nothing but itself. It leaves traces in its folder, as
/// setuptools does.
const BACKEND: &str = r#"
import os, sys

def prepare_metadata_for_build_wheel(directory, settings=None):
    print("preparing")
    open("trace", "a").write("x")
    {before}
    folder = os.path.join(directory, "demo-1.5.dist-info")
    os.mkdir(folder)
    with open(os.path.join(folder, "METADATA"), "w") as file:
        file.write("Metadata-Version: 2.1\nName: Demo\nVersion: 1.5\n")
        file.write("Requires-Python: >=3.99\n")
        file.write("Requires-Dist: numpy (<2,>=1.17)\n")
        file.write("Provides-Extra: all\n")
        file.write("Requires-Dist: scipy ; extra == 'all'\n\nLong description\n")
    return os.path.basename(folder)

def build_wheel(*arguments):
    raise SystemExit("a wheel is not needed")
"#;

const PYPROJECT: &str = "\
[build-system]
requires = []
build-backend = 'backend'
backend-path = ['.']
";

/// A project whose backend first runs a line of Python.
pub(in crate::fetch) fn project(folder: &Path, before: &str) {
    fs::create_dir_all(folder).unwrap();
    fs::write(folder.join("pyproject.toml"), PYPROJECT).unwrap();
    fs::write(
        folder.join("backend.py"),
        BACKEND.replace("{before}", before),
    )
    .unwrap();
}

/// A builder with the Python on PATH, which must have pip: these tests are not skipped.
pub(in crate::fetch) fn builder(records: &Records) -> Builder {
    let python = if cfg!(windows) { "python" } else { "python3" };
    let indexes = BuildIndexes {
        no_index: true,
        ..BuildIndexes::default()
    };
    Builder::new(Some(PathBuf::from(python)), indexes, records.clone())
}

fn source(path: &Path) -> Source {
    Source {
        path: path.to_path_buf(),
        keep: None,
    }
}

fn anew() -> Project<'static> {
    Project {
        what: "demo",
        subdirectory: None,
        identity: None,
    }
}

#[test]
fn a_build_tells_the_metadata_for_any_python() {
    let folder = tempfile::tempdir().unwrap();
    project(folder.path(), "pass");
    let builder = builder(&Records::default());
    let built = builder.metadata(anew(), || Ok(source(folder.path())));
    let built = built.unwrap();
    assert_eq!(
        built.metadata,
        "Metadata-Version: 2.1\nName: Demo\nVersion: 1.5\nRequires-Python: >=3.99\n\
         Provides-Extra: all\nRequires-Dist: numpy (<2,>=1.17)\n\
         Requires-Dist: scipy ; extra == 'all'\n"
    );
    assert!(built.host.version.starts_with("3."), "{}", built.host);
}

#[test]
fn what_is_identified_is_built_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("project");
    project(&path, "pass");
    let records = Records::in_folder(folder.path().join("records"));
    let identified = Project {
        what: "demo",
        subdirectory: None,
        identity: Some("1234"),
    };
    let first = builder(&records)
        .metadata(identified, || Ok(source(&path)))
        .unwrap();
    let again = builder(&records)
        .metadata(identified, || panic!("it is known"))
        .unwrap();
    assert_eq!(first, again);
    assert_eq!(fs::read(path.join("trace")).unwrap(), b"x");
}

#[test]
fn a_build_is_told_once_and_before_it_is_run() {
    let folder = tempfile::tempdir().unwrap();
    project(folder.path(), "pass");
    let path = folder.path().to_path_buf();
    let (told, heard) = std::sync::mpsc::channel();
    let notice = move |what: &str| {
        assert!(!path.join("trace").exists(), "it was run before");
        told.send(what.to_owned()).unwrap();
    };
    let builder = builder(&Records::default()).with_notice(notice);
    for _ in 0..2 {
        builder
            .metadata(anew(), || Ok(source(folder.path())))
            .unwrap();
    }
    assert_eq!(heard.try_iter().collect::<Vec<_>>(), ["demo"]);
}

#[test]
fn a_failure_gives_the_line_that_matters() {
    let folder = tempfile::tempdir().unwrap();
    project(folder.path(), "import torch_that_is_not_there");
    let answer = builder(&Records::default()).metadata(anew(), || Ok(source(folder.path())));
    let Err(FactError::Unusable(Unusable::BuildFailed { detail })) = answer else {
        panic!("{answer:?}");
    };
    assert_eq!(
        detail,
        "preparing metadata (pyproject.toml): \
         ModuleNotFoundError: No module named 'torch_that_is_not_there'"
    );
}

#[test]
fn a_build_that_failed_is_not_run_again_in_the_same_run() {
    let folder = tempfile::tempdir().unwrap();
    project(folder.path(), "raise RuntimeError('no')");
    let identified = Project {
        what: "demo",
        subdirectory: None,
        identity: Some("1234"),
    };
    let builder = builder(&Records::default());
    let first = builder.metadata(identified, || Ok(source(folder.path())));
    let again = builder.metadata(identified, || panic!("it is known"));
    assert_eq!(
        first.unwrap_err().to_string(),
        again.unwrap_err().to_string()
    );
}

#[test]
fn a_build_that_hangs_is_stopped() {
    let folder = tempfile::tempdir().unwrap();
    project(folder.path(), "__import__('threading').Event().wait()");
    let builder = builder(&Records::default()).with_limit(Duration::from_secs(1));
    let answer = builder.metadata(anew(), || Ok(source(folder.path())));
    let Err(FactError::Unusable(Unusable::BuildFailed { detail })) = answer else {
        panic!("{answer:?}");
    };
    assert_eq!(detail, "it took longer than 1 seconds");
}

#[test]
fn indexes_and_their_passwords_stay_out_of_arguments_and_messages() {
    let indexes = BuildIndexes {
        index_url: Some("https://user:hunter22@index.example/simple/".to_owned()),
        ..BuildIndexes::default()
    };
    let builder = Builder::new(None, indexes, Records::default());
    let front_end = FrontEnd {
        python: PathBuf::from("python3"),
        host: Host {
            implementation: "cpython".to_owned(),
            version: "3.11.0".to_owned(),
            platform: "linux-x86_64".to_owned(),
        },
        _environment: None,
    };
    let folder = tempfile::tempdir().unwrap();
    let command = builder.pip(&front_end, folder.path()).unwrap();
    let arguments: Vec<_> = command.get_args().collect();
    assert!(!format!("{arguments:?}").contains("hunter22"));
    let index = command
        .get_envs()
        .find(|(name, _)| *name == "PIP_INDEX_URL");
    assert!(
        index
            .unwrap()
            .1
            .unwrap()
            .to_string_lossy()
            .contains("hunter22")
    );
    let said = "at https://user:hunter22@index.example/ with hunter22";
    assert_eq!(
        builder.without_secrets(said),
        "at https://****@index.example/ with ****"
    );
}

#[test]
fn an_interpreter_that_is_none_is_an_error_with_a_hint() {
    let python = Some(PathBuf::from("no-such-python"));
    let builder = Builder::new(python, BuildIndexes::default(), Records::default());
    let answer = builder.metadata(anew(), || panic!("nothing to build with"));
    let Err(FactError::Failed { message, hint }) = answer else {
        panic!("{answer:?}");
    };
    assert!(message.contains("`no-such-python`"), "{message}");
    assert!(hint.unwrap().contains("--no-build"));
}

#[test]
fn pip_versions_compare() {
    for (version, enough) in [
        ("22.2", true),
        ("22.2.1", true),
        ("23.0.dev0", true),
        ("26.1rc1", true),
        ("100", true),
        ("22.1.2", false),
        ("22", false),
        ("9.0.1", false),
        ("", false),
        ("x.y", false),
    ] {
        assert_eq!(is_new_enough(version), enough, "{version}");
    }
}

#[test]
fn useful_lines_are_found() {
    let no_torch = "\
Processing /x
  Getting requirements to build wheel: finished with status 'error'
  error: subprocess-exited-with-error

  × Getting requirements to build wheel did not run successfully.
  │ exit code: 1
  ╰─> [3 lines of output]
      Traceback (most recent call last):
        File \"<string>\", line 2, in <module>
      ModuleNotFoundError: No module named 'torch'
      [end of output]

  note: This error originates from a subprocess, and is likely not a problem with pip.
";
    let no_match = "\
  error: subprocess-exited-with-error
  × pip subprocess to install build dependencies did not run successfully.
  ╰─> [2 lines of output]
      ERROR: Could not find a version that satisfies the requirement numpy==1.0 (from versions: 1.1)
      ERROR: No matching distribution found for numpy==1.0
      [end of output]
";
    let other_name = "
      Traceback (most recent call last):
        File \"setup.py\", line 2, in <module>
          raise InvalidVersion(version)
      packaging.version.InvalidVersion: Invalid version: '1_2'
";
    let other_name = format!("  ╰─> [4 lines of output]\n{other_name}      [end of output]\n");
    for (said, expected) in [
        (
            other_name.as_str(),
            "packaging.version.InvalidVersion: Invalid version: '1_2'",
        ),
        (
            no_torch,
            "getting requirements to build wheel: ModuleNotFoundError: No module named 'torch'",
        ),
        (
            no_match,
            "pip subprocess to install build dependencies: ERROR: Could not find a version that \
             satisfies the requirement numpy==1.0 (from versions: 1.1)\n\
             ERROR: No matching distribution found for numpy==1.0",
        ),
        (
            "ERROR: No space left on device\n",
            "No space left on device",
        ),
        ("", "pip gave no reason"),
    ] {
        assert_eq!(last_useful_lines(said), expected);
    }
}
