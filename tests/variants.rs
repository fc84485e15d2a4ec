//! Wheel variants (PEP 825 and PEP 850, drafts) with the real binary, on a loopback index.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test fails loudly, runs the program and reads its files"
)]

#[path = "support/wheel_server.rs"]
mod wheel_server;

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;
use wheel_server::{Indexes, Wheel, mlresolve, told};

const ANY: &str = "py3-none-any";

/// The labels of `demo` with what they stand for.
const LABELS: [(&str, &str); 4] = [
    (
        "cu126",
        r#"{"nvidia": {"cuda_version_lower_bound": ["12.6"]}}"#,
    ),
    (
        "cu128",
        r#"{"nvidia": {"cuda_version_lower_bound": ["12.8"], "sm_arch": ["90_real"]}}"#,
    ),
    ("v3", r#"{"x86_64": {"level": ["v3"]}}"#),
    ("null", "{}"),
];

/// What a file tells that tells of these labels.
fn document(labels: &[(&str, &str)]) -> String {
    let variants: Vec<String> = labels
        .iter()
        .map(|(label, properties)| format!("\"{label}\": {properties}"))
        .collect();
    format!(
        r#"{{"$schema": "https://variants-schema.wheelnext.dev/peps/850/v0.2.0.json",
            "default-priorities": {{"namespace": ["nvidia", "x86_64"]}},
            "providers": {{
                "nvidia": {{"requires": ["nvidia-variant-provider"],
                            "plugin-api": "nvidia_variant_provider.plugin:NvidiaVariantPlugin"}},
                "x86_64": {{"builtin": "x86-64-variant-provider"}}}},
            "variants": {{{}}}}}"#,
        variants.join(", ")
    )
}

const REQUIRES: [&str; 4] = [
    "runtime; variant_label == 'cu128'",
    "driver; 'nvidia' in variant_namespaces",
    "plain; variant_label == ''",
    "fast; 'x86_64 :: level :: v3' in variant_properties",
];

/// An index with `demo` in its variants, with the file that tells of them where it is linked.
fn indexes(linked: bool) -> Indexes {
    let mut indexes = Indexes::start();
    for name in ["runtime", "driver", "plain", "fast"] {
        indexes.add("/simple/", &Wheel::new(name, "1.0", ANY, &[]));
    }
    for label in LABELS {
        let own = document(&[label]);
        let wheel = Wheel::variant(("demo", "1.0", ANY), &REQUIRES, (label.0, &own));
        indexes.add("/simple/", &wheel);
    }
    indexes.add("/simple/", &Wheel::new("demo", "1.0", ANY, &REQUIRES));
    if linked {
        let file = Wheel::other_file("demo", "demo-1.0-variants.json", &document(&LABELS));
        indexes.add("/simple/", &file);
    }
    indexes
}

fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("requirements.in"), "demo\n").unwrap();
    folder
}

fn locked(indexes: &Indexes, folder: &TempDir, output: &str, words: &[&str]) -> String {
    let mut all = vec!["lock", "requirements.in", "-o", output];
    all.extend(words);
    let done = mlresolve(indexes, folder.path(), &all);
    assert!(done.status.success(), "{}", told(&done));
    fs::read_to_string(folder.path().join(output)).unwrap()
}

/// What is said where there is no solution, on one line.
fn conflict(indexes: &Indexes, folder: &TempDir, words: &[&str]) -> String {
    let mut all = vec!["lock", "requirements.in", "--wheel-variants"];
    all.extend(["--no-config", "-o", "-"]);
    all.extend(words);
    let done = mlresolve(indexes, folder.path(), &all);
    assert_eq!(done.status.code(), Some(1));
    told(&done).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The names of a lock's packages, and the wheels that it lists of `demo`.
fn contents(lock: &str) -> (Vec<String>, Vec<String>) {
    let lock: toml::Table = lock.parse().unwrap();
    let packages = lock["packages"].as_array().unwrap();
    let text = |value: &toml::Value, key: &str| value[key].as_str().unwrap().to_owned();
    let names = packages.iter().map(|package| text(package, "name"));
    let wheels = packages
        .iter()
        .filter(|package| text(package, "name") == "demo")
        .flat_map(|package| package["wheels"].as_array().unwrap())
        .map(|wheel| text(wheel, "name"));
    (names.collect(), wheels.collect())
}

#[test]
fn without_the_setting_variants_suit_nothing() {
    let (indexes, folder) = (indexes(true), folder());
    let lock = locked(&indexes, &folder, "pylock.toml", &["--driver", "570.86.10"]);
    let (names, wheels) = contents(&lock);
    assert_eq!(names, ["demo", "plain"]);
    // pip cannot read a lock with other names of wheels.
    assert_eq!(wheels, ["demo-1.0-py3-none-any.whl"]);
    assert!(!lock.contains("variants-json"), "{lock}");
}

#[test]
fn the_targets_properties_choose_the_wheel() {
    for linked in [true, false] {
        let indexes = indexes(linked);
        for (options, label, names) in [
            (
                &["--driver", "570.86.10", "--gpu", "sm_90"][..],
                "cu128",
                &["demo", "driver", "runtime"][..],
            ),
            (&["--driver", "570.86.10"], "cu126", &["demo", "driver"]),
            (&["--driver", "560.35"], "cu126", &["demo", "driver"]),
            (
                &["--cuda", "12.8", "--gpu", "sm_90"],
                "cu128",
                &["demo", "driver", "runtime"],
            ),
            (&["--driver", "550.54.14"], "null", &["demo"]),
            (&[], "null", &["demo"]),
            (
                &["--variant-property", "x86_64 :: level :: v4"],
                "v3",
                &["demo", "fast"],
            ),
        ] {
            let folder = folder();
            let words = [&["--wheel-variants", "--no-config"], options].concat();
            let lock = locked(&indexes, &folder, "pylock.toml", &words);
            let (found, wheels) = contents(&lock);
            assert_eq!(found, names, "{options:?}");
            assert_eq!(wheels, [format!("demo-1.0-py3-none-any-{label}.whl")]);
            let parsed: toml::Table = lock.parse().unwrap();
            let demo = &parsed["packages"][0];
            assert_eq!(
                demo["tool"]["mlresolve"]["variant"].as_str(),
                Some(label),
                "{lock}"
            );
            let told = &demo["variants-json"]["variants"];
            assert_eq!(
                told["cu128"]["nvidia"]["sm_arch"][0].as_str(),
                Some("90_real")
            );
        }
    }
}

#[test]
fn a_lock_of_variants_is_made_again() {
    let (indexes, folder) = (indexes(true), folder());
    let settings = "wheel-variants = true\nvariant-property = [\"x86_64::level::v3\"]\n";
    fs::write(folder.path().join("mlresolve.toml"), settings).unwrap();
    for output in ["pylock.toml", "requirements.txt"] {
        let first = locked(&indexes, &folder, output, &["--driver", "570.86.10"]);
        assert!(
            first.contains("x86_64::level::v3"),
            "what was stated is recorded: {first}"
        );
        // Settings and options are gone; what was recorded holds.
        let again = locked(&indexes, &folder, output, &["--no-config", "--check"]);
        assert_eq!(again, first);
    }
    let lock = fs::read_to_string(folder.path().join("requirements.txt")).unwrap();
    let sha256 = indexes.sha256("demo-1.0-py3-none-any-cu126.whl");
    let hashes: Vec<&str> = lock
        .lines()
        .skip_while(|line| !line.starts_with("demo=="))
        .skip(1)
        .take_while(|line| line.contains("--hash"))
        .collect();
    assert_eq!(hashes, [format!("    --hash=sha256:{sha256}")]);
    assert!(lock.contains("# wheel-variant: demo cu126"), "{lock}");
    let off = locked(
        &indexes,
        &folder,
        "requirements.txt",
        &["--no-config", "--wheel-variants=false"],
    );
    assert!(!off.contains("# wheel-variant"), "{off}");
    assert!(off.contains("plain==1.0"), "{off}");
}

#[test]
fn why_tells_the_variant_and_what_kept_the_others_away() {
    let (indexes, folder) = (indexes(true), folder());
    let words = [
        "why",
        "demo",
        "requirements.in",
        "--wheel-variants",
        "--driver",
        "560.35",
        "--no-config",
    ];
    let done = mlresolve(&indexes, folder.path(), &words);
    assert!(done.status.success(), "{}", told(&done));
    let text = String::from_utf8(done.stdout).unwrap();
    for part in [
        "The wheel variant cu126 was taken, which is for nvidia :: cuda_version_lower_bound :: 12.6.",
        "cu128 needs nvidia :: cuda_version_lower_bound :: 12.8, and the target's driver is for CUDA 12.6",
        "v3 needs x86_64 :: level :: v3, and of the target's processor only x86_64 is known",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
}

#[test]
fn a_release_of_which_no_variant_suits_is_not_taken() {
    let mut indexes = indexes(true);
    let label = ("rocm", r#"{"rocm": {"gfx_arch": ["gfx1100"]}}"#);
    let text = document(&[label]).replace("\"x86_64\"]", "\"x86_64\", \"rocm\"]");
    let wheel = Wheel::variant(("demo", "2.0", ANY), &[], (label.0, &text));
    indexes.add("/simple/", &wheel);
    let folder = folder();
    let lock = locked(
        &indexes,
        &folder,
        "requirements.txt",
        &["--wheel-variants", "--no-config"],
    );
    assert!(lock.contains("demo==1.0"), "{lock}");
    fs::write(folder.path().join("requirements.in"), "demo>=2\n").unwrap();
    let message = conflict(&indexes, &folder, &[]);
    assert!(
        message.contains(
            "has no wheel variant that suits: `rocm` needs rocm :: gfx_arch :: gfx1100, and \
             `rocm` is not known here"
        ),
        "{message}"
    );
}

#[test]
fn where_a_label_suits_the_files_tell_why_they_do_not() {
    let mut indexes = indexes(true);
    let label = ("cu128", LABELS[0].1);
    let text = document(&[label]);
    let windows = "py3-none-win_amd64";
    let wheel = Wheel::variant(("demo", "2.0", windows), &[], (label.0, &text));
    indexes.add("/simple/", &wheel);
    let folder = folder();
    fs::write(folder.path().join("requirements.in"), "demo>=2\n").unwrap();
    let message = conflict(&indexes, &folder, &["--driver", "580.65.06"]);
    assert!(message.contains("are for win_amd64"), "{message}");
    assert!(
        !message.contains("no wheel variant that suits"),
        "{message}"
    );
}

#[test]
fn nobody_asks_what_the_labels_of_refused_wheels_stand_for() {
    let mut indexes = indexes(false);
    let label = ("cu128", LABELS[0].1);
    let text = document(&[label]);
    indexes.add(
        "/simple/",
        &Wheel::variant(("demo", "2.0", ANY), &[], (label.0, &text)),
    );
    // Its document could only be read from it.
    indexes.remove("demo-2.0-py3-none-any-cu128.whl");
    let folder = folder();
    let words = ["lock", "requirements.in", "--wheel-variants", "-o", "-"];
    let asked = mlresolve(&indexes, folder.path(), &words);
    assert_eq!(asked.status.code(), Some(3), "{}", told(&asked));
    let refused = conflict(&indexes, &folder, &["--no-binary", "demo"]);
    assert!(!refused.contains("404"), "{refused}");
}

#[test]
fn a_file_that_cannot_be_understood_leaves_the_ordinary_wheel() {
    let mut indexes = Indexes::start();
    let broken = Wheel::other_file("demo", "demo-1.0-variants.json", "{\"$schema\": 1}");
    indexes.add("/simple/", &broken);
    let wheel = Wheel::variant(("demo", "1.0", ANY), &[], ("cu126", "{}"));
    indexes.add("/simple/", &wheel);
    indexes.add("/simple/", &Wheel::new("demo", "1.0", ANY, &[]));
    let folder = folder();
    let words = [
        "lock",
        "requirements.in",
        "--wheel-variants",
        "--no-config",
        "-o",
        "pylock.toml",
    ];
    let done = mlresolve(&indexes, folder.path(), &words);
    assert!(done.status.success(), "{}", told(&done));
    assert!(
        told(&done).contains("the wheel variant cu126 cannot be judged"),
        "{}",
        told(&done)
    );
    let lock = fs::read_to_string(folder.path().join("pylock.toml")).unwrap();
    assert_eq!(contents(&lock).1, ["demo-1.0-py3-none-any.whl"]);
}

#[test]
fn a_changed_file_is_seen_and_a_snapshot_keeps_it() {
    let folder = folder();
    let words = ["--wheel-variants", "--no-config", "--driver", "570.86.10"];
    let (first, index) = {
        let indexes = indexes(true);
        let first = locked(
            &indexes,
            &folder,
            "first.txt",
            &[&words[..], &["--no-header"]].concat(),
        );
        let record = [
            &["snapshot", "record", "requirements.in"],
            &words[..],
            &["-o", "facts"],
        ]
        .concat();
        let done = mlresolve(&indexes, folder.path(), &record);
        assert!(done.status.success(), "{}", told(&done));
        // The index tells otherwise now, under another hash.
        let labels = [(
            "cu126",
            r#"{"nvidia": {"cuda_version_lower_bound": ["13.0"]}}"#,
        )];
        indexes.replace("demo-1.0-variants.json", document(&labels).as_bytes());
        let now = locked(
            &indexes,
            &folder,
            "now.txt",
            &[&words[..], &["--no-header", "--refresh"]].concat(),
        );
        assert_ne!(now, first);
        (first, indexes.url("/simple/"))
    };
    // The server is gone.
    let done = Command::new(env!("CARGO_BIN_EXE_mlresolve"))
        .current_dir(folder.path())
        .env_clear()
        .args(["lock", "requirements.in", "--no-header", "-o", "-"])
        .args(["--python-version", "3.11"])
        .args(["--python-platform", "x86_64-manylinux_2_28"])
        .args(["--index-url", &index, "--snapshot", "facts"])
        .args(words)
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", told(&done));
    assert_eq!(String::from_utf8(done.stdout).unwrap(), first);
}

/// The vendor's own index of variants, named for torch alone.
#[test]
fn a_familys_member_is_taken_as_a_variant_where_the_settings_say_so() {
    let mut indexes = indexes(true);
    let linux = "cp311-cp311-linux_x86_64";
    let labels = [
        (
            "cu126",
            r#"{"nvidia": {"cuda_version_lower_bound": ["12.6"]}}"#,
        ),
        (
            "cu130",
            r#"{"nvidia": {"cuda_version_lower_bound": ["13.0"]}}"#,
        ),
        ("null", "{}"),
    ];
    for label in labels {
        let own = document(&[label]);
        let requires = ["driver; 'nvidia' in variant_namespaces"];
        indexes.add(
            "/whl/variant/",
            &Wheel::variant(("torch", "2.9.0", linux), &requires, (label.0, &own)),
        );
    }
    let file = Wheel::other_file("torch", "torch-2.9.0-variants.json", &document(&labels));
    indexes.add("/whl/variant/", &file);
    let plain = Wheel::new("torch", "2.8.0+cu126", linux, &[]);
    indexes.add("/whl/cu126/", &plain);
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("requirements.in"), "torch\n").unwrap();
    let settings = format!(
        "wheel-variants = true\n[[index]]\nname = \"variants\"\nexplicit = true\nurl = \"{}\"\n\
         [sources]\ntorch = \"variants\"\n",
        indexes.url("/whl/variant/")
    );
    fs::write(folder.path().join("mlresolve.toml"), settings).unwrap();
    for (driver, label, names) in [
        ("570.86.10", "cu126", &["driver", "torch"][..]),
        ("580.65.06", "cu130", &["driver", "torch"]),
        ("535.54.03", "null", &["torch"]),
    ] {
        let _ = fs::remove_file(folder.path().join("pylock.toml"));
        let lock = locked(&indexes, &folder, "pylock.toml", &["--driver", driver]);
        assert_eq!(contents(&lock).0, names, "{driver}");
        let wheel = format!("torch-2.9.0-{linux}-{label}.whl");
        assert!(lock.contains(&wheel), "{driver}: {lock}");
    }
    // Without the settings the family's own indexes serve.
    let lock = locked(
        &indexes,
        &folder,
        "other.txt",
        &["--driver", "570.86.10", "--no-config"],
    );
    assert!(lock.contains("torch==2.8.0+cu126"), "{lock}");
}

/// What uv makes of a lock: run it with `MLRESOLVE_PEERS` naming the folder that has it.
#[test]
#[ignore = "needs uv"]
fn uv_takes_the_variant_that_was_locked() {
    let programs = std::env::var("MLRESOLVE_PEERS").expect("a folder with uv");
    let mut indexes = Indexes::start();
    for label in LABELS {
        let own = document(&[label]);
        // uv does not read the markers yet.
        indexes.add(
            "/simple/",
            &Wheel::variant(("demo", "1.0", ANY), &[], (label.0, &own)),
        );
    }
    indexes.add("/simple/", &Wheel::new("demo", "1.0", ANY, &[]));
    let file = Wheel::other_file("demo", "demo-1.0-variants.json", &document(&LABELS));
    indexes.add("/simple/", &file);
    for (cuda, gpu) in [("12.8", "9.0"), ("12.8", "8.0"), ("12.6", "9.0")] {
        let folder = folder();
        let lock = [
            "--wheel-variants",
            "--no-config",
            "--cuda",
            cuda,
            "--gpu",
            gpu,
        ];
        locked(&indexes, &folder, "requirements.txt", &lock);
        let done = Command::new(Path::new(&programs).join("uv"))
            .current_dir(folder.path())
            .args(["pip", "install", "--preview-features", "wheel-variants"])
            .args(["--require-hashes", "--target", "new", "--no-cache"])
            .args(["-r", "requirements.txt"])
            .env("UV_NO_CONFIG", "1")
            .env("NV_VARIANT_PROVIDER_FORCE_CUDA_DRIVER_VERSION", cuda)
            .env("NV_VARIANT_PROVIDER_FORCE_SM_ARCH", gpu)
            .output()
            .unwrap();
        assert!(done.status.success(), "{cuda} {gpu}: {}", told(&done));
    }
}
