//! The recorded world of `benches`, served on loopback in every way that it can be.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "tests run programs, and say what they leave out"
)]

use std::path::Path;
use std::process::Command;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

#[test]
fn locks_are_the_same_cold_warm_offline_and_by_ranges() {
    let python = Command::new("python3")
        .args([
            "-c",
            "import lzma, sys; sys.exit(sys.version_info < (3, 11))",
        ])
        .output();
    if !python.is_ok_and(|output| output.status.success()) {
        eprintln!("NOT TESTED: there is no Python 3.11 or later with lzma here");
        return;
    }
    let output = Command::new("python3")
        .arg(Path::new(ROOT).join("benches/compare"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .args(["--alone", "--inputs", "small", "--runs", "1", "--dry-run"])
        .args(["--mlresolve", env!("CARGO_BIN_EXE_mlresolve")])
        .output()
        .expect("it runs");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}\n{told}");
    assert!(said.contains("Every answer was complete."), "{said}");
    for case in [
        "warm",
        "offline",
        "offline-anew",
        "no-headers",
        "stale",
        "cold-0",
        "cold-ranges",
    ] {
        assert!(
            said.contains(&format!("(`{case}`)")),
            "no {case} in\n{said}"
        );
    }
    // Within ten minutes an index that says nothing of caching is not asked again.
    let section = said.split("(`no-headers`)").nth(1).expect("the case");
    let row = section.lines().find(|line| line.starts_with("| mlresolve"));
    assert!(
        row.is_some_and(|row| row.contains("| 0 | 0.00 |")),
        "{said}"
    );
}
