//! CUDA builds with the real binary, on loopback indexes that behave like PyTorch's.
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

const STACK: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/tests/stacks/docker-numpy2-upgrade"
);

/// The default index of the stack, and the builds of its torch.
fn indexes() -> Indexes {
    let mut indexes = Indexes::start();
    let text = include_str!("fixtures/cuda/docker.json");
    let recorded: serde_json::Value = serde_json::from_str(text).unwrap();
    for (name, versions) in recorded.as_object().unwrap() {
        for (version, told) in versions.as_object().unwrap() {
            let requires: Vec<&str> = told["requires"]
                .as_array()
                .unwrap()
                .iter()
                .map(|line| line.as_str().unwrap())
                .collect();
            let tags = told["tags"].as_str().unwrap();
            indexes.add("/simple/", &Wheel::new(name, version, tags, &requires));
            let (named, built) = (name.as_str(), format!("{version}+cu121"));
            let linux = "cp311-cp311-linux_x86_64";
            match named {
                "torch" | "torchvision" | "torchaudio" => {
                    indexes.add("/whl/cu121/", &Wheel::new(name, &built, linux, &requires));
                    let plain: Vec<&str> = requires
                        .iter()
                        .copied()
                        .filter(|line| !line.starts_with("nvidia-") && !line.starts_with("triton"))
                        .collect();
                    let cpu = format!("{version}+cpu");
                    indexes.add("/whl/cpu/", &Wheel::new(name, &cpu, linux, &plain));
                }
                "triton" => {
                    indexes.add("/whl/cu121/", &Wheel::new(name, version, tags, &requires));
                }
                _ => {}
            }
        }
    }
    // Old copies of other people's files, as the vendor's index has them.
    for (name, version) in [("numpy", "1.24.1"), ("pillow", "99.0"), ("sympy", "99.0")] {
        indexes.add(
            "/whl/cu121/",
            &Wheel::new(name, version, "py3-none-any", &[]),
        );
    }
    indexes
}

/// Locks, and gives what was written.
fn locked(indexes: &Indexes, folder: &TempDir, output: &str, words: &[&str]) -> String {
    let mut all = vec!["lock"];
    all.extend(words);
    all.extend(["-o", output]);
    let done = mlresolve(indexes, folder.path(), &all);
    assert!(done.status.success(), "{}", told(&done));
    fs::read_to_string(folder.path().join(output)).unwrap()
}

/// The indexes of the packages of a pylock.toml, by name.
fn origins(lock: &str) -> Vec<(String, String, String)> {
    let lock: toml::Table = lock.parse().unwrap();
    let packages = lock["packages"].as_array().unwrap();
    let text = |value: &toml::Value, key: &str| value[key].as_str().unwrap().to_owned();
    packages
        .iter()
        .map(|package| {
            (
                text(package, "name"),
                text(package, "version"),
                text(package, "index"),
            )
        })
        .collect()
}

#[test]
fn the_docker_stack_takes_torch_from_its_index_and_nothing_else() {
    let indexes = indexes();
    for stack in ["before", "after", "rollback"] {
        let folder = tempfile::tempdir().unwrap();
        let input = format!("{STACK}/{stack}.in");
        let words = [input.as_str(), "--cuda", "12.1", "--no-config"];
        let pylock = locked(&indexes, &folder, "pylock.toml", &words);
        let origins = origins(&pylock);
        assert!(origins.len() > 20, "{origins:?}");
        for (name, version, index) in &origins {
            let family = ["torch", "torchvision", "torchaudio", "triton"];
            let expected = if family.contains(&name.as_str()) {
                indexes.url("/whl/cu121/")
            } else {
                indexes.url("/simple/")
            };
            assert_eq!(index, &expected, "{stack}: {name} {version}");
        }
        for (name, version) in [
            ("torch", "2.3.1+cu121"),
            ("torchvision", "0.18.1+cu121"),
            ("torchaudio", "2.3.1+cu121"),
        ] {
            let found = origins.iter().find(|(known, ..)| known == name).unwrap();
            assert_eq!(found.1, version);
        }
        // The index gives no hash of this file: it was downloaded to be hashed.
        let torchaudio = indexes.sha256("torchaudio-2.3.1+cu121-cp311-cp311-linux_x86_64.whl");
        assert!(pylock.contains(&torchaudio), "{pylock}");

        let requirements = locked(&indexes, &folder, "requirements.txt", &words);
        for line in ["torch==2.3.1+cu121 \\", "torchvision==0.18.1+cu121 \\"] {
            assert!(requirements.lines().any(|known| known == line), "{line}");
        }
        let index = format!("--extra-index-url {}", indexes.url("/whl/cu121/"));
        assert!(requirements.contains(&index), "{requirements}");
        assert!(requirements.contains(&torchaudio));
    }
}

#[test]
fn the_whole_docker_stack_does_too() {
    let indexes = indexes();
    let folder = tempfile::tempdir().unwrap();
    let input = format!("{STACK}/before-full.in");
    let words = [input.as_str(), "--cuda", "12.1", "--no-config"];
    let origins = origins(&locked(&indexes, &folder, "pylock.toml", &words));
    assert!(origins.len() > 130, "{}", origins.len());
    let mut of_family = Vec::new();
    for (name, version, index) in &origins {
        if *index == indexes.url("/whl/cu121/") {
            of_family.push(format!("{name}=={version}"));
        } else {
            assert_eq!(index, &indexes.url("/simple/"), "{name}");
        }
    }
    assert_eq!(
        of_family,
        [
            "torch==2.3.1+cu121",
            "torchaudio==2.3.1+cu121",
            "torchvision==0.18.1+cu121",
            "triton==2.3.1"
        ]
    );

    // After the upgrade it has no solution, with CUDA or without: docstrange holds NumPy back.
    let input = fs::read_to_string(format!("{STACK}/after-full.in")).unwrap();
    let path = folder.path().join("after.in");
    fs::write(&path, &input).unwrap();
    let words = [
        "lock",
        "after.in",
        "-o",
        "-",
        "--cuda",
        "12.1",
        "--no-config",
    ];
    let done = mlresolve(&indexes, folder.path(), &words);
    assert_eq!(done.status.code(), Some(1), "{}", told(&done));
    let message = told(&done);
    for part in [
        "every docstrange requires numpy>=1.21.0,<2.0.0",
        "`numpy<2` instead of `numpy>=2.0.0,<3.0.0`",
    ] {
        assert!(message.contains(part), "{part}\n{message}");
    }
    // What is advised gives the build that was asked for.
    fs::write(&path, input.replace("numpy>=2.0.0,<3.0.0", "numpy<2")).unwrap();
    let done = mlresolve(&indexes, folder.path(), &words);
    assert!(done.status.success(), "{}", told(&done));
    let lock = String::from_utf8(done.stdout).unwrap();
    for pin in [
        "torch==2.3.1+cu121",
        "torchvision==0.18.1+cu121",
        "numpy==1.26.4",
    ] {
        assert!(lock.contains(pin), "{lock}");
    }
}

/// On a machine without a GPU the builds for the processor are taken, and it is said.
#[test]
#[cfg(target_os = "linux")]
fn auto_reads_this_machine_and_says_what_it_read() {
    let mut indexes = indexes();
    let linux = "cp311-cp311-linux_x86_64";
    for label in ["cu118", "cu128", "cu130"] {
        let version = format!("2.3.1+{label}");
        let wheel = Wheel::new("torch", &version, linux, &[]);
        indexes.add(&format!("/whl/{label}/"), &wheel);
    }
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("requirements.in"), "torch\n").unwrap();
    let words = ["lock", "requirements.in", "-o", "auto.txt", "--no-config"];
    let words = [&words[..], &["--cuda", "auto"]].concat();
    let done = mlresolve(&indexes, folder.path(), &words);
    assert!(done.status.success(), "{}", told(&done));
    let lock = fs::read_to_string(folder.path().join("auto.txt")).unwrap();
    let message = told(&done);
    let nvidia = ["/sys/module/nvidia/version", "/proc/driver/nvidia/version"];
    if nvidia.iter().any(|path| Path::new(path).exists()) {
        assert!(message.contains("accelerator: NVIDIA driver"), "{message}");
        assert!(lock.contains("torch==2.3.1+cu"), "{lock}");
        return;
    }
    assert!(
        message.contains("accelerator: no NVIDIA, AMD or Intel accelerator was found"),
        "{message}"
    );
    assert!(lock.contains("torch==2.3.1+cpu"), "{lock}");
    // What was read is recorded, and holds without the machine.
    assert!(lock.contains("torch-backend cpu"), "{lock}");
    let again = ["lock", "requirements.in", "-o", "auto.txt", "--no-config"];
    let again = [&again[..], &["--check"]].concat();
    let done = mlresolve(&indexes, folder.path(), &again);
    assert!(done.status.success(), "{}", told(&done));
}

#[test]
fn a_file_without_a_hash_is_never_locked_unhashed() {
    let indexes = indexes();
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("requirements.in"), "torchaudio\n").unwrap();
    let words = ["requirements.in", "--cuda", "12.1", "--no-config"];
    // Everything but the whole file is in the cache after this.
    let mut first = vec!["lock"];
    first.extend(words);
    first.extend(["-o", "first.txt", "--no-hashes"]);
    let done = mlresolve(&indexes, folder.path(), &first);
    assert!(done.status.success(), "{}", told(&done));
    let mut offline = vec!["lock"];
    offline.extend(words);
    offline.extend(["-o", "offline.txt", "--offline"]);
    let done = mlresolve(&indexes, folder.path(), &offline);
    assert_eq!(done.status.code(), Some(3), "{}", told(&done));
    let message = told(&done);
    assert!(message.contains("torchaudio-2.3.1"), "{message}");
    assert!(!folder.path().join("offline.txt").exists());
}

#[test]
fn several_targets_are_locked_in_one_run_and_share_what_they_can() {
    let mut indexes = indexes();
    // The build for the processor has a release more, which would part the two locks.
    let newer = Wheel::new("torch", "2.4.0+cpu", "cp311-cp311-linux_x86_64", &["numpy"]);
    indexes.add("/whl/cpu/", &newer);
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("requirements.in"), "torch\nnumpy<2\n").unwrap();
    let settings = "[targets.cpu]\ntorch-backend = \"cpu\"\n\n[targets.cu121]\ncuda = \"12.1\"\n";
    fs::write(folder.path().join("mlresolve.toml"), settings).unwrap();
    let words = ["lock", "requirements.in", "-o", "pylock.toml"];
    let targets = ["--target", "cpu", "--target", "cu121"];
    let done = mlresolve(
        &indexes,
        folder.path(),
        &[&words[..], &targets[..]].concat(),
    );
    assert!(done.status.success(), "{}", told(&done));
    let read = |name: &str| origins(&fs::read_to_string(folder.path().join(name)).unwrap());
    let (cpu, cuda) = (read("pylock.cpu.toml"), read("pylock.cu121.toml"));
    assert!(!folder.path().join("pylock.toml").exists());
    let version = |lock: &[(String, String, String)], name: &str| {
        let found = lock.iter().find(|(known, ..)| known == name);
        found.map(|(_, version, _)| version.clone())
    };
    assert_eq!(version(&cpu, "torch").unwrap(), "2.3.1+cpu");
    assert_eq!(version(&cuda, "torch").unwrap(), "2.3.1+cu121");
    for (name, of_cpu, _) in cpu.iter().filter(|(name, ..)| name != "torch") {
        assert_eq!(version(&cuda, name).as_ref(), Some(of_cpu), "{name}");
    }
    assert!(version(&cuda, "nvidia-cudnn-cu12").is_some());
    assert!(version(&cpu, "nvidia-cudnn-cu12").is_none());
}

#[test]
fn a_pinned_distribution_comes_from_its_index_alone() {
    let mut indexes = indexes();
    indexes.add(
        "/own/",
        &Wheel::new(
            "torchaudio",
            "2.3.1+cu121",
            "py3-none-any",
            &["torch==2.3.1"],
        ),
    );
    indexes.add("/own/", &Wheel::new("numpy", "99.0", "py3-none-any", &[]));
    let folder = tempfile::tempdir().unwrap();
    let settings = format!("[sources]\ntorchaudio = \"{}\"\n", indexes.url("/own/"));
    fs::write(folder.path().join("mlresolve.toml"), settings).unwrap();
    fs::write(
        folder.path().join("requirements.in"),
        "torchaudio\nnumpy<2\n",
    )
    .unwrap();
    let words = ["requirements.in", "--cuda", "12.1"];
    let lock = origins(&locked(&indexes, &folder, "pylock.toml", &words));
    let index = |name: &str| &lock.iter().find(|(known, ..)| known == name).unwrap().2;
    assert_eq!(index("torchaudio"), &indexes.url("/own/"));
    assert_eq!(index("torch"), &indexes.url("/whl/cu121/"));
    assert_eq!(index("numpy"), &indexes.url("/simple/"));
}

#[test]
fn an_explicit_index_serves_what_is_taken_from_it_and_nothing_else() {
    let mut indexes = indexes();
    for (index, name, version) in [
        ("/own/", "secret", "1.0"),
        // Someone has put other files under these names.
        ("/own/", "numpy", "99.0"),
        ("/simple/", "secret", "99.0"),
        ("/own/", "hidden", "1.0"),
        ("/team/", "tool", "1.0"),
        ("/simple/", "tool", "99.0"),
    ] {
        let requires: &[&str] = if name == "secret" { &["numpy<2"] } else { &[] };
        indexes.add(index, &Wheel::new(name, version, "py3-none-any", requires));
    }
    let folder = tempfile::tempdir().unwrap();
    let settings = format!(
        "[[tool.mlresolve.index]]\nname = \"own\"\nurl = \"{}\"\nexplicit = true\n\n\
         [[tool.mlresolve.index]]\nname = \"team\"\nurl = \"{}\"\n\n\
         [tool.mlresolve.sources]\nsecret = \"own\"\n",
        indexes.url("/own/"),
        indexes.url("/team/"),
    );
    fs::write(folder.path().join("pyproject.toml"), settings).unwrap();
    fs::write(folder.path().join("requirements.in"), "secret\ntool\n").unwrap();
    let lock = origins(&locked(
        &indexes,
        &folder,
        "pylock.toml",
        &["requirements.in"],
    ));
    let expected = [
        ("numpy", "1.26.4", "/simple/"),
        ("secret", "1.0", "/own/"),
        ("tool", "1.0", "/team/"),
    ];
    let expected = expected
        .map(|(name, version, index)| (name.to_owned(), version.to_owned(), indexes.url(index)));
    assert_eq!(lock, expected);
    // An installer must be told where the files are.
    let requirements = locked(&indexes, &folder, "requirements.txt", &["requirements.in"]);
    for index in ["/team/", "/own/"] {
        let line = format!("--extra-index-url {}", indexes.url(index));
        assert!(requirements.contains(&line), "{requirements}");
    }
    fs::write(folder.path().join("requirements.in"), "hidden\n").unwrap();
    let done = mlresolve(
        &indexes,
        folder.path(),
        &["lock", "requirements.in", "-o", "-"],
    );
    assert_eq!(done.status.code(), Some(1), "{}", told(&done));
    let message = told(&done);
    assert!(message.contains("hidden"), "{message}");
    assert!(!message.contains("/own/"), "{message}");
}

/// A new CUDA release is data: the program that is there takes it from a folder of rules.
#[test]
fn cuda_13_4_is_a_folder_of_rules() {
    let mut indexes = indexes();
    let linux = "cp311-cp311-linux_x86_64";
    for label in ["cu130", "cu134"] {
        let wheel = Wheel::new("torch", &format!("2.16.0+{label}"), linux, &[]);
        indexes.add(&format!("/whl/{label}/"), &wheel);
    }
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("requirements.in"), "torch\n").unwrap();
    let known = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/resolver-rules/torch/builds.toml"
    );
    let more = r#"
[[label]]
name = "cu134"
accelerator = "cuda"
index = "https://download.pytorch.org/whl/cu134"
marker = "sys_platform == 'linux'"
needs = { driver = ">=580" }
provides = { cuda = "13.4" }
toolkit-driver = "600.1"

[[binary]]
package = "torch"
version = ">=2.16,<2.17"
labels = ["cu134"]
architectures = ["9.0", "12.0+PTX"]
"#;
    let rules = folder.path().join("rules/torch");
    fs::create_dir_all(&rules).unwrap();
    let text = fs::read_to_string(known).unwrap() + more;
    fs::write(rules.join("builds-13-4.toml"), text).unwrap();
    let words = ["lock", "requirements.in", "-o", "-", "--no-config"];
    let unknown = mlresolve(
        &indexes,
        folder.path(),
        &[&words[..], &["--cuda", "13.4"]].concat(),
    );
    assert_eq!(unknown.status.code(), Some(1), "{}", told(&unknown));
    assert!(
        told(&unknown).contains("no build for CUDA 13.4"),
        "{}",
        told(&unknown)
    );
    let rules = ["--rules", "rules", "--ignore-rule", "torch/builds"];
    for target in [
        &["--cuda", "13.4"][..],
        &["--torch-backend", "cu134"],
        &["--driver", "600.1", "--gpu", "sm_120"],
    ] {
        let words = [&words[..], &rules, target].concat();
        let done = mlresolve(&indexes, folder.path(), &words);
        assert!(done.status.success(), "{}", told(&done));
        let lock = String::from_utf8(done.stdout).unwrap();
        assert!(lock.contains("torch==2.16.0+cu134"), "{target:?}: {lock}");
    }
}

#[test]
fn an_old_driver_takes_a_build_for_cuda_11_or_says_why_not() {
    let mut indexes = indexes();
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("requirements.in"), "torch\n").unwrap();
    let words = ["lock", "requirements.in", "-o", "-", "--no-config"];
    let words = [&words[..], &["--driver", "470.82"]].concat();
    let done = mlresolve(&indexes, folder.path(), &words);
    assert_eq!(done.status.code(), Some(1), "{}", told(&done));
    assert!(done.stdout.is_empty());

    // With a build for CUDA 11 that one is taken, and it is said why.
    let linux = "cp311-cp311-linux_x86_64";
    indexes.add(
        "/whl/cu118/",
        &Wheel::new("torch", "2.3.1+cu118", linux, &[]),
    );
    let words = [&words[..], &["--no-cache"]].concat();
    let done = mlresolve(&indexes, folder.path(), &words);
    assert!(done.status.success(), "{}", told(&done));
    assert!(String::from_utf8_lossy(&done.stdout).contains("torch==2.3.1+cu118"));
    let message = told(&done);
    assert!(
        message.contains("the build cu118 was taken for driver 470.82"),
        "{message}"
    );
    assert!(message.contains("needs driver"), "{message}");

    let why = [
        "why",
        "torch",
        "requirements.in",
        "--no-config",
        "--no-cache",
    ];
    let why = [&why[..], &["--driver", "470.82"]].concat();
    let done = mlresolve(&indexes, folder.path(), &why);
    assert!(done.status.success(), "{}", told(&done));
    let text = String::from_utf8(done.stdout).unwrap();
    assert!(text.contains("2.3.1+cu118"), "{text}");
}

#[test]
fn what_is_added_to_a_base_is_of_its_build() {
    let indexes = indexes();
    let folder = tempfile::tempdir().unwrap();
    let base = "torch==2.3.1+cu121\nnumpy==1.26.4\npillow==13.0.0\n";
    fs::write(folder.path().join("base.txt"), base).unwrap();
    fs::write(folder.path().join("requirements.in"), "torchvision\n").unwrap();
    let words = ["requirements.in", "--no-config", "--base", "base.txt"];
    let words = [&words[..], &["--no-header"]].concat();
    let stated = [&words[..], &["--driver", "550.54.14"]].concat();
    let lock = locked(&indexes, &folder, "stated.txt", &stated);
    assert!(lock.contains("torchvision==0.18.1+cu121"), "{lock}");
    let other = [&["lock"], &words[..], &["--cuda", "none", "-o", "-"]].concat();
    let done = mlresolve(&indexes, folder.path(), &other);
    assert_eq!(done.status.code(), Some(1), "{}", told(&done));
    let lock = locked(&indexes, &folder, "unstated.txt", &words);
    assert!(lock.contains("torchvision==0.18.1+cu121"), "{lock}");
}

#[test]
fn a_lock_of_a_build_is_made_again_from_a_snapshot() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("requirements.in"), "torch\nnumpy<2\n").unwrap();
    let words = ["requirements.in", "--cuda", "12.1", "--no-config"];
    let (first, index) = {
        let indexes = indexes();
        let first = locked(
            &indexes,
            &folder,
            "first.txt",
            &[&words[..], &["--no-header"]].concat(),
        );
        let record = [&["snapshot", "record"], &words[..], &["-o", "facts"]].concat();
        let done = mlresolve(&indexes, folder.path(), &record);
        assert!(done.status.success(), "{}", told(&done));
        (first, indexes.url("/simple/"))
    };
    // The servers are gone.
    let again = |more: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_mlresolve"))
            .current_dir(folder.path())
            .env_clear()
            .args([
                "lock",
                "requirements.in",
                "--no-config",
                "--no-header",
                "-o",
                "-",
            ])
            .args(["--python-version", "3.11"])
            .args(["--python-platform", "x86_64-manylinux_2_28"])
            .args(["--index-url", &index, "--snapshot", "facts"])
            .args(more)
            .output()
            .unwrap()
    };
    let done = again(&["--cuda", "12.1"]);
    assert!(done.status.success(), "{}", told(&done));
    assert_eq!(String::from_utf8(done.stdout).unwrap(), first);
    let done = again(&["--cuda", "12.4"]);
    assert_eq!(done.status.code(), Some(3), "{}", told(&done));
    assert!(told(&done).contains("whl/cu124"), "{}", told(&done));
}

/// What pip and uv make of the locks: run it with `MLRESOLVE_PEERS` naming the folder that
/// has both programs, on Linux for x86-64 with Python 3.11.
#[test]
#[ignore = "needs pip and uv"]
fn pip_and_uv_accept_the_locks() {
    let programs = std::env::var("MLRESOLVE_PEERS").expect("a folder with pip and uv");
    let indexes = indexes();
    let folder = tempfile::tempdir().unwrap();
    for (stack, name) in ["before", "before-full"]
        .into_iter()
        .flat_map(|stack| ["pylock.toml", "requirements.txt"].map(|name| (stack, name)))
    {
        let input = format!("{STACK}/{stack}.in");
        let words = [input.as_str(), "--cuda", "12.1", "--no-config"];
        let _ = fs::remove_file(folder.path().join(name));
        locked(&indexes, &folder, name, &words);
        for (program, words) in [
            ("pip", &["install", "--dry-run", "--ignore-installed"][..]),
            (
                "uv",
                &[
                    "pip",
                    "install",
                    "--dry-run",
                    "--target",
                    "new",
                    "--no-cache",
                ],
            ),
        ] {
            // By itself uv looks for numpy on the vendor's index alone, where old copies lie;
            // the hashes say which files are meant.
            let lenient = (program, name) == ("uv", "requirements.txt");
            let strategy = ["--index-strategy", "unsafe-best-match"];
            let done = Command::new(Path::new(&programs).join(program))
                .args(words)
                .args(["-r", name])
                .args(strategy.iter().filter(|_| lenient))
                .current_dir(folder.path())
                .env("PIP_CONFIG_FILE", "/dev/null")
                .env("UV_NO_CONFIG", "1")
                .output()
                .unwrap();
            let out = String::from_utf8_lossy(&done.stdout).into_owned() + &told(&done);
            assert!(done.status.success(), "{program} {stack} {name}\n{out}");
            assert!(
                out.contains("2.3.1+cu121"),
                "{program} {stack} {name}\n{out}"
            );
        }
    }
}
