//! Library names: what they stand for, and at which version.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::findings::Binary;
use super::plan::{Role, role};

/// A library that binaries of a wheel need.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NeededLibrary {
    /// Its name as the binaries spell it.
    pub name: String,
    /// Whether the wheel brings it.
    pub bundled: bool,
    /// The first binary that needs it, by path.
    pub by: String,
    /// How many binaries need it.
    pub count: usize,
}

/// What names of NVIDIA's libraries say of CUDA and cuDNN.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CudaLibraries {
    /// CUDA's major versions.
    pub cuda: BTreeSet<u32>,
    /// CUDA's version as far as a bundled file's name gives it (`12.1.105`).
    pub cuda_version: Option<String>,
    /// cuDNN's major versions.
    pub cudnn: BTreeSet<u32>,
    /// The names, sorted.
    pub libraries: BTreeSet<String>,
}

/// A wheel's relation to CUDA.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CudaFinding {
    /// What the loader must find outside of the wheel.
    pub needs: CudaLibraries,
    /// What the wheel brings.
    pub brings: CudaLibraries,
    /// What its binaries name and may open at run time; best effort.
    pub opens: CudaLibraries,
    /// GPU architectures that it has code for: `sm_80`, `compute_90` (PTX),
    /// `gfx90a`; best effort.
    pub gpu_architectures: BTreeSet<String>,
}

/// A wheel's relation to PyTorch's libraries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TorchFinding {
    /// The libraries of PyTorch that it needs.
    pub libraries: BTreeSet<String>,
    /// Whether it was built with the C++11 ABI of libstdc++
    /// (`_GLIBCXX_USE_CXX11_ABI`); `None` where no symbol tells.
    pub cxx11_abi: Option<bool>,
}

/// Every library that the binaries need, sorted by name.
pub(super) fn needed(binaries: &[Binary], own: &OwnNames) -> Vec<NeededLibrary> {
    let mut found: BTreeMap<String, NeededLibrary> = BTreeMap::new();
    for binary in binaries {
        for name in &binary.needed {
            found
                .entry(name.clone())
                .or_insert_with(|| NeededLibrary {
                    name: name.clone(),
                    bundled: own.contains_key(&file_name(name).to_ascii_lowercase()),
                    by: binary.path.clone(),
                    count: 0,
                })
                .count += 1;
        }
    }
    found.into_values().collect()
}

/// The names under which a wheel's own libraries can be found, by themselves in lower case.
pub(super) type OwnNames = BTreeMap<String, String>;

/// The names under which a wheel's own libraries can be found.
pub(super) fn own_names<'a>(
    paths: impl Iterator<Item = &'a str>,
    binaries: &'a [Binary],
) -> OwnNames {
    let sonames = binaries
        .iter()
        .filter_map(|binary| binary.soname.as_deref());
    paths
        .chain(sonames)
        .map(file_name)
        .map(|name| (name.to_ascii_lowercase(), name.to_owned()))
        .collect()
}

/// What the wheel needs, brings and may open of CUDA; `None` where that is nothing.
pub(super) fn cuda(
    needed: &[NeededLibrary],
    own: &OwnNames,
    binaries: &[Binary],
) -> Option<CudaFinding> {
    let outside = needed.iter().filter(|library| !library.bundled);
    let finding = CudaFinding {
        needs: collect(outside.map(|library| &*library.name)),
        // An extension module may be called like a library: `cudnn.cpython-311.so`.
        brings: collect(
            own.values()
                .map(String::as_str)
                .filter(|name| role(name) != Some(Role::Extension)),
        ),
        opens: collect(
            binaries
                .iter()
                .flat_map(|binary| &binary.opens)
                .map(String::as_str),
        ),
        gpu_architectures: binaries
            .iter()
            .flat_map(|binary| binary.gpu_architectures.iter().cloned())
            .collect(),
    };
    (finding != CudaFinding::default()).then_some(finding)
}

/// What the wheel needs of PyTorch; `None` where that is nothing.
pub(super) fn torch(needed: &[NeededLibrary], binaries: &[Binary]) -> Option<TorchFinding> {
    let libraries: BTreeSet<String> = needed
        .iter()
        .filter(|library| !library.bundled && is_torch(&library.name))
        .map(|library| file_name(&library.name).to_owned())
        .collect();
    let cxx11_abi = binaries.iter().find_map(|binary| binary.cxx11_abi);
    (!libraries.is_empty()).then_some(TorchFinding {
        libraries,
        cxx11_abi,
    })
}

/// The OpenMP run-time libraries among names.
pub(super) fn openmp<'a>(names: impl Iterator<Item = &'a str>) -> BTreeSet<String> {
    names
        .map(file_name)
        .filter(|name| {
            let (base, _) = base_and_version(name);
            matches!(
                &*base,
                "libgomp" | "libomp" | "libomp5" | "libiomp5" | "libiomp5md" | "vcomp"
            ) || base.starts_with("libomp140")
                || base.starts_with("vcomp1")
        })
        .map(str::to_owned)
        .collect()
}

fn collect<'a>(names: impl Iterator<Item = &'a str>) -> CudaLibraries {
    let mut found = CudaLibraries::default();
    for name in names {
        let (base, version) = base_and_version(file_name(name));
        let Some(library) = NvidiaLibrary::of(&base) else {
            continue;
        };
        found.libraries.insert(file_name(name).to_owned());
        let Some(major) = version.first().copied() else {
            continue;
        };
        match library {
            NvidiaLibrary::Runtime => {
                found.cuda.insert(major);
                // A name for the loader ends after one number or, for CUDA 11, two.
                if version.len() > 2 {
                    let text: Vec<String> = version.iter().map(u32::to_string).collect();
                    found.cuda_version = found.cuda_version.max(Some(text.join(".")));
                }
            }
            NvidiaLibrary::SameMajor => {
                found.cuda.insert(major);
            }
            // cuFFT is one major behind CUDA.
            NvidiaLibrary::Fft => {
                found.cuda.insert(major + 1);
            }
            NvidiaLibrary::Cudnn => {
                found.cudnn.insert(major);
            }
            NvidiaLibrary::Other => {}
        }
    }
    found
}

/// What a library of NVIDIA's says by its version.
enum NvidiaLibrary {
    /// `libcudart`: CUDA's own version.
    Runtime,
    /// Has CUDA's major version.
    SameMajor,
    /// Has the major version before CUDA's.
    Fft,
    /// Any part of cuDNN.
    Cudnn,
    /// Its version does not tell CUDA's.
    Other,
}

impl NvidiaLibrary {
    fn of(base: &str) -> Option<Self> {
        let name = base.strip_prefix("lib").unwrap_or(base);
        Some(match name {
            "cudart" => Self::Runtime,
            "cublas" | "cublaslt" | "nvrtc" | "nvjitlink" | "nvrtc-builtins" => Self::SameMajor,
            "cufft" | "cufftw" => Self::Fft,
            "cuda" | "nvcuda" | "curand" | "cusolver" | "cusolvermg" | "cusparse" | "nccl"
            | "nvtoolsext" | "cupti" | "cufile" | "nvshmem_host" | "cusparselt" | "nvinfer"
            | "nvonnxparser" => Self::Other,
            _ if name.starts_with("cudnn") => Self::Cudnn,
            _ => return None,
        })
    }
}

fn is_torch(name: &str) -> bool {
    let (base, _) = base_and_version(file_name(name));
    let base = base.strip_prefix("lib").unwrap_or(&base);
    base == "c10" || base.starts_with("c10_") || base == "torch" || base.starts_with("torch_")
}

/// The last part of a path with `/` or `\`.
fn file_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

/// A library's base name in lower case and its version:
/// `libcudart-a7b20f20.so.11.2.152` is (`libcudart`, 11.2.152),
/// `cudart64_110.dll` is (`cudart`, 11.0), `libomp.5.dylib` is (`libomp`, 5).
fn base_and_version(name: &str) -> (String, Vec<u32>) {
    let lower = name.to_ascii_lowercase();
    if let Some(stem) = lower.strip_suffix(".dll") {
        return windows_name(without_hash(stem));
    }
    let (stem, version) = lower.split_once(".so").unwrap_or_else(|| {
        let stem = lower.strip_suffix(".dylib").unwrap_or(&lower);
        stem.split_at(stem.find('.').unwrap_or(stem.len()))
    });
    (without_hash(stem).to_owned(), numbers(version, '.'))
}

/// `cudart64_12`, `cudart64_110`, `nvrtc64_120_0`, `cudnn_ops64_9`, `nvjitlink_120_0`:
/// three digits are major and minor, a number after that is no version.
fn windows_name(stem: &str) -> (String, Vec<u32>) {
    let (base, version) = match stem.find("64_") {
        Some(at) => (stem.get(..at), stem.get(at + 3..)),
        None => match stem.split_once('_') {
            Some((base, rest)) if rest.starts_with(|first: char| first.is_ascii_digit()) => {
                (Some(base), Some(rest))
            }
            _ => (Some(stem), None),
        },
    };
    let version = numbers(version.unwrap_or_default(), '_');
    let version = match version.first() {
        Some(&packed) if packed >= 100 => vec![packed / 10, packed % 10],
        Some(&major) => vec![major],
        None => Vec::new(),
    };
    (base.unwrap_or(stem).to_owned(), version)
}

/// A name without what auditwheel (8 digits; its like in PyTorch's builds puts a dot before
/// them) or delvewheel (32) appended.
fn without_hash(stem: &str) -> &str {
    match stem.rsplit_once(['-', '.']) {
        Some((base, hash))
            if matches!(hash.len(), 8 | 32) && hash.bytes().all(|b| b.is_ascii_hexdigit()) =>
        {
            base
        }
        _ => stem,
    }
}

fn numbers(text: &str, separator: char) -> Vec<u32> {
    text.split(separator)
        .filter(|part| !part.is_empty())
        .map_while(|part| part.parse().ok())
        .collect()
}
