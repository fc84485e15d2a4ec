//! A lock on top of the environment of a running kernel: what it has loaded is not replaced
//! under it.
#![cfg(target_os = "linux")]
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests run programs, write their files and read them"
)]

#[path = "support/venv.rs"]
mod venv;

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use tempfile::TempDir;

/// An environment with numpy, as far as its metadata and a file go.
fn environment() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let packages = venv::make(folder.path());
    let info = packages.join("numpy-2.0.2.dist-info");
    fs::create_dir_all(&info).unwrap();
    let metadata = "Metadata-Version: 2.1\nName: numpy\nVersion: 2.0.2\n";
    fs::write(info.join("METADATA"), metadata).unwrap();
    fs::create_dir_all(packages.join("numpy/_core")).unwrap();
    fs::write(packages.join("numpy/_core/umath.so"), vec![0; 8192]).unwrap();
    fs::write(folder.path().join("extra.in"), "numpy<2\n").unwrap();
    (folder, packages)
}

/// A process that has the file mapped, as Python has the extension modules that it imported.
fn kernel(folder: &Path, packages: &Path) -> Child {
    let program = "import mmap, sys\n\
                   file = open(sys.argv[1], 'rb')\n\
                   held = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)\n\
                   print('ready', flush=True)\n\
                   sys.stdin.read()\n";
    let mut child = Command::new(folder.join("env/bin/python"))
        .args(["-c", program])
        .arg(packages.join("numpy/_core/umath.so"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let mut told = BufReader::new(child.stdout.as_mut().unwrap());
    told.read_line(&mut line).unwrap();
    assert_eq!(line, "ready\n");
    child
}

fn lock(folder: &Path, words: &[&str]) -> Output {
    let facts = Path::new(env!("CARGO_MANIFEST_DIR")).join("snapshots/index/stacks-py311.snapshot");
    Command::new(env!("CARGO_BIN_EXE_mlresolve"))
        .current_dir(folder)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("HOME", folder)
        .args([
            "lock",
            "extra.in",
            "-o",
            "-",
            "--no-config",
            "--base",
            "env",
        ])
        .args(["--python-version", "3.11", "--python-platform", "linux"])
        .args(["--exclude-newer", "2026-11-01", "--snapshot"])
        .arg(facts)
        .args(words)
        .output()
        .unwrap()
}

#[test]
fn what_a_kernel_has_loaded_is_replaced_only_with_its_restart() {
    let (folder, packages) = environment();
    let folder = folder.path();
    let said = |output: &Output| String::from_utf8(output.stderr.clone()).unwrap();

    // Nothing may change: the base stands in the way, and what it would take is said.
    let output = lock(folder, &[]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(said(&output).contains("the base has numpy 2.0.2"));
    assert!(said(&output).contains("--allow-change numpy"));

    let mut running = kernel(folder, &packages);
    let output = lock(folder, &["--allow-change", "numpy"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let message = said(&output);
    for word in [
        "restart needed: numpy 2.0.2 would be replaced with 1.26.4",
        &format!("process {}", running.id()),
        "umath.so",
        "--allow-restart",
    ] {
        assert!(message.contains(word), "no {word:?} in {message}");
    }
    assert!(output.stdout.is_empty(), "{output:?}");
    let output = lock(folder, &["--allow-change", "numpy", "--allow-restart"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");

    // Its input ends, and so does it.
    drop(running.stdin.take());
    running.wait().unwrap();
    let output = lock(folder, &["--allow-change", "numpy"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let lock = String::from_utf8(output.stdout).unwrap();
    assert!(lock.contains("numpy==1.26.4"), "{lock}");
}
