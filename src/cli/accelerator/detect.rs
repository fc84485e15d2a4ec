//! What this machine's accelerator is: from the system's files, and from its tools.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use pep440_rs::Version;

use crate::fetch::process;
use crate::target::{Accelerator, Build, sm};

/// How long a tool may take to answer.
const TIMEOUT: Duration = Duration::from_secs(20);

/// The PCI vendor id of Intel.
const INTEL: &str = "0x8086";

/// What was found, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Detected {
    pub(super) build: Build,
    pub(super) driver: Option<Version>,
    pub(super) gpus: Vec<Version>,
    /// What was read where, for people.
    pub(super) read: Vec<String>,
}

/// Where a machine is read: its files lie below a folder, its tools are run.
pub(super) struct Machine {
    root: PathBuf,
    run: fn(&str, &[&str]) -> Option<String>,
}

impl Machine {
    /// This machine.
    pub(super) fn this() -> Self {
        Self {
            root: PathBuf::from("/"),
            run,
        }
    }

    fn text(&self, path: &str) -> Option<String> {
        std::fs::read_to_string(self.root.join(path.trim_start_matches('/'))).ok()
    }
}

/// Runs a tool; nothing where it is not there, fails or takes too long.
fn run(program: &str, arguments: &[&str]) -> Option<String> {
    let mut finished = process::run(Command::new(program).args(arguments), TIMEOUT).ok()?;
    finished.succeeded().then(|| finished.stdout())
}

/// Reads the machine: NVIDIA first, then AMD, then Intel.
pub(super) fn detect(machine: &Machine) -> Detected {
    let mut read = Vec::new();
    if let Some((driver, gpus)) = nvidia(machine, &mut read) {
        return Detected {
            build: Build::Kind("cuda".to_owned()),
            driver: Some(driver),
            gpus,
            read,
        };
    }
    let other = amd(machine, &mut read).or_else(|| intel(machine, &mut read));
    let build = other.unwrap_or_else(|| {
        read.push("no NVIDIA, AMD or Intel accelerator was found".to_owned());
        Build::Label("cpu".to_owned())
    });
    Detected {
        build,
        driver: None,
        gpus: Vec::new(),
        read,
    }
}

fn nvidia(machine: &Machine, read: &mut Vec<String>) -> Option<(Version, Vec<Version>)> {
    let mut driver = None;
    for path in ["/sys/module/nvidia/version", "/proc/driver/nvidia/version"] {
        let Some(text) = machine.text(path) else {
            continue;
        };
        driver = module_version(&text);
        match &driver {
            Some(version) => {
                read.push(format!("NVIDIA driver {version} ({path})"));
                break;
            }
            None => read.push(format!("`{path}` names no driver version")),
        }
    }
    let query = [
        "--query-gpu=driver_version,compute_cap,name",
        "--format=csv,noheader",
    ];
    let Some(text) = (machine.run)("nvidia-smi", &query) else {
        if driver.is_some() {
            read.push("nvidia-smi does not answer: the GPUs are not known".to_owned());
        }
        return driver.map(|driver| (driver, Vec::new()));
    };
    let mut gpus = Vec::new();
    for line in text.lines() {
        let mut fields = line.split(',').map(str::trim);
        let (said, capability) = (fields.next()?, fields.next().unwrap_or_default());
        if driver.is_none() {
            driver = Accelerator::driver(said).ok();
            if let Some(version) = &driver {
                read.push(format!("NVIDIA driver {version} (nvidia-smi)"));
            }
        }
        if let Ok(gpu) = Accelerator::gpu(capability) {
            let name = fields.next().unwrap_or("a GPU");
            read.push(format!("{name}, {} (nvidia-smi)", sm(&gpu)));
            gpus.push(gpu);
        }
    }
    gpus.sort();
    gpus.dedup();
    driver.map(|driver| (driver, gpus))
}

/// The version in what the kernel module says of itself: alone on a line, or after
/// `Kernel Module` (`NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.14  Thu …`;
/// the open module says `for x86_64` before the version).
fn module_version(text: &str) -> Option<Version> {
    let line = text.lines().find(|line| !line.trim().is_empty())?;
    line.split_whitespace()
        .filter(|word| {
            word.contains('.')
                && word
                    .bytes()
                    .all(|byte| byte.is_ascii_digit() || byte == b'.')
        })
        .find_map(|word| Accelerator::driver(word).ok())
}

fn amd(machine: &Machine, read: &mut Vec<String>) -> Option<Build> {
    let module = machine.text("/sys/module/amdgpu/initstate")?;
    if module.trim() != "live" {
        return None;
    }
    // The compute nodes of the kernel driver; a processor's own node has no SIMD units.
    let nodes = machine.root.join("sys/class/kfd/kfd/topology/nodes");
    let has_gpu = folders(&nodes).iter().any(|node| {
        std::fs::read_to_string(node.join("properties")).is_ok_and(|text| {
            text.lines().any(|line| {
                line.strip_prefix("simd_count ")
                    .is_some_and(|count| count.trim() != "0")
            })
        })
    });
    if !has_gpu {
        read.push("an AMD graphics driver is loaded, with no compute node".to_owned());
        return None;
    }
    let rocm = machine.text("/opt/rocm/.info/version");
    let rocm = rocm.as_deref().map_or("not installed", str::trim);
    read.push(format!("AMD GPU (kernel driver amdgpu; ROCm {rocm})"));
    Some(Build::Kind("rocm".to_owned()))
}

fn intel(machine: &Machine, read: &mut Vec<String>) -> Option<Build> {
    let devices = machine.root.join("sys/bus/pci/devices");
    let is_gpu = |device: &Path| {
        let text = |name: &str| std::fs::read_to_string(device.join(name)).unwrap_or_default();
        // Class 0x03: display controllers. Integrated ones run no such builds; the driver
        // `xe` serves those that do.
        let driver = std::fs::read_link(device.join("driver")).unwrap_or_default();
        text("vendor").trim() == INTEL
            && text("class").starts_with("0x03")
            && driver.file_name().is_some_and(|name| name == "xe")
    };
    let device = folders(&devices)
        .into_iter()
        .find(|device| is_gpu(device))?;
    let name = device.file_name().unwrap_or_default().to_string_lossy();
    read.push(format!("Intel GPU (PCI device {name}, kernel driver xe)"));
    Some(Build::Kind("xpu".to_owned()))
}

/// The entries of a folder, sorted; none where it cannot be read.
fn folders(path: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    #![expect(
        clippy::unwrap_used,
        reason = "a test that cannot build its machine fails"
    )]

    use super::*;

    fn machine(
        files: &[(&str, &str)],
        run: fn(&str, &[&str]) -> Option<String>,
    ) -> (tempfile::TempDir, Machine) {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let root = folder.path().to_owned();
        (folder, Machine { root, run })
    }

    fn no_tool(_: &str, _: &[&str]) -> Option<String> {
        None
    }

    fn two_gpus(program: &str, _: &[&str]) -> Option<String> {
        (program == "nvidia-smi").then(|| {
            "550.54.14, 8.6, NVIDIA RTX A6000\n550.54.14, 9.0, NVIDIA H100 80GB HBM3\n".to_owned()
        })
    }

    #[test]
    fn the_kernel_module_tells_the_driver_in_each_of_its_forms() {
        let version = |text: &str| module_version(text).map(|version| version.to_string());
        assert_eq!(version("535.104.05\n").as_deref(), Some("535.104.5"));
        assert_eq!(
            version(
                "NVRM version: NVIDIA UNIX x86_64 Kernel Module  470.256.02  Thu May  2\n\
                 GCC version:  gcc version 11.4.0"
            )
            .as_deref(),
            Some("470.256.2")
        );
        assert_eq!(
            version(
                "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.65.06  Release Build"
            )
            .as_deref(),
            Some("580.65.6")
        );
        assert_eq!(version("NVRM version: unknown"), None);
        assert_eq!(version(""), None);
    }

    #[test]
    fn files_tell_the_driver_and_the_tool_the_gpus() {
        let files = [("sys/module/nvidia/version", "550.54.14\n")];
        let (_folder, both) = machine(&files, two_gpus);
        let found = detect(&both);
        assert_eq!(found.driver.unwrap().to_string(), "550.54.14");
        let gpus: Vec<String> = found.gpus.iter().map(sm).collect();
        assert_eq!(gpus, ["sm_86", "sm_90"]);
        assert_eq!(found.read.len(), 3);

        let (_folder, alone) = machine(&files, no_tool);
        let found = detect(&alone);
        assert_eq!(found.build, Build::Kind("cuda".to_owned()));
        assert!(found.gpus.is_empty());
        assert!(found.read[1].contains("nvidia-smi does not answer"));
    }

    #[test]
    fn other_vendors_and_none() {
        let (_folder, amd) = machine(
            &[
                ("sys/module/amdgpu/initstate", "live\n"),
                (
                    "sys/class/kfd/kfd/topology/nodes/0/properties",
                    "simd_count 0\n",
                ),
                (
                    "sys/class/kfd/kfd/topology/nodes/1/properties",
                    "simd_count 440\n",
                ),
            ],
            no_tool,
        );
        assert_eq!(detect(&amd).build, Build::Kind("rocm".to_owned()));
        let (_folder, none) = machine(&[], no_tool);
        let found = detect(&none);
        assert_eq!(found.build, Build::Label("cpu".to_owned()));
        assert_eq!(found.driver, None);
    }
}
