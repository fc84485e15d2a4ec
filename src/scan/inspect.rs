//! One binary, streamed past every search at once.

use std::collections::BTreeSet;

use super::binary::{self, Headers};
use super::findings::{Binary, Problem};
use super::gpu::GpuSearch;
use super::markers::MarkerSearch;
use super::names::NameSearch;
use super::numpy::{self, NumpyUse};
use super::window::Window;
use super::{Limits, Scope};

/// Enough to see a whole pattern, and what follows it, across two pieces.
const OVERLAP: usize = 64;

/// Enough of a binary's start to know where its tables are.
const HEADER_BYTES: u64 = 64 << 10;

/// What one binary turned out to be.
#[derive(Debug)]
pub(super) struct Inspected {
    pub(super) uses: Vec<NumpyUse>,
    /// `None` where only the NumPy C-ABI was asked for, or it is no shared library.
    pub(super) binary: Option<Binary>,
    pub(super) problem: Option<Problem>,
}

impl Inspected {
    /// About how many bytes of memory this takes.
    pub(super) fn weight(&self) -> usize {
        let text = |texts: &[String]| texts.iter().map(|text| text.len() + 24).sum::<usize>();
        let uses: usize = self
            .uses
            .iter()
            .map(|found| 96 + found.module.len() + text(&found.evidence))
            .sum();
        let binary = self.binary.as_ref().map_or(0, |binary| {
            let versions = &binary.symbol_versions;
            512 + binary.path.len()
                + text(&binary.architectures)
                + text(&binary.needed)
                + text(&binary.opens)
                + text(&binary.run_paths)
                + text(&binary.modules)
                + text(&binary.gpu_architectures)
                + versions
                    .iter()
                    .map(|(family, version)| family.len() + version.len() + 64)
                    .sum::<usize>()
        });
        let problem = self
            .problem
            .as_ref()
            .map_or(0, |problem| 48 + problem.path.len() + problem.detail.len());
        uses + binary + problem
    }
}

/// A binary that is being read.
#[derive(Debug)]
pub(super) struct Inspection {
    path: String,
    /// The last piece with the end of the one before it.
    stretch: Vec<u8>,
    markers: MarkerSearch,
    /// What goes beyond the NumPy C-ABI.
    rest: Option<(Window, NameSearch, GpuSearch)>,
}

impl Inspection {
    /// Starts on a binary of a known size.
    pub(super) fn new(path: &str, size: u64, limits: &Limits) -> Self {
        let rest = (limits.scope == Scope::Everything).then(|| {
            (
                Window::new(size, limits.head_bytes, limits.tail_bytes),
                NameSearch::new(),
                GpuSearch::new(),
            )
        });
        Self {
            path: path.to_owned(),
            stretch: Vec::new(),
            markers: MarkerSearch::new(),
            rest,
        }
    }

    /// Takes the next piece.
    pub(super) fn push(&mut self, piece: &[u8]) {
        let keep = self.stretch.len().saturating_sub(OVERLAP);
        self.stretch.drain(..keep);
        self.stretch.extend_from_slice(piece);
        self.look(false);
        if let Some((window, _, gpu)) = &mut self.rest {
            let before = window.seen();
            window.push(piece);
            gpu.push(piece);
            if before < HEADER_BYTES && window.seen() >= HEADER_BYTES && !window.is_whole() {
                binary::keep_tables(window);
            }
        }
    }

    /// What it is, once the last piece was taken.
    pub(super) fn finish(mut self) -> Inspected {
        self.look(true);
        let uses = numpy::uses(&self.path, &self.markers.finish());
        let Some((window, names, gpu)) = self.rest else {
            return Inspected {
                uses,
                binary: None,
                problem: None,
            };
        };
        match binary::parse(&window) {
            Ok(headers) => Inspected {
                uses,
                binary: Some(describe(self.path, headers, names.finish(), gpu.finish())),
                problem: None,
            },
            Err(error) => Inspected {
                uses,
                binary: None,
                problem: Some(Problem {
                    path: self.path,
                    detail: error.to_string(),
                }),
            },
        }
    }

    fn look(&mut self, last: bool) {
        self.markers.look(&self.stretch, last);
        if let Some((_, names, _)) = &mut self.rest {
            names.look(&self.stretch, last);
        }
    }
}

fn describe(
    path: String,
    headers: Headers,
    named: BTreeSet<String>,
    gpu_architectures: BTreeSet<String>,
) -> Binary {
    let opens = named
        .into_iter()
        .filter(|name| {
            !headers
                .needed
                .iter()
                .any(|needed| needed.eq_ignore_ascii_case(name))
        })
        .filter(|name| headers.soname.as_ref() != Some(name))
        .collect();
    let newest = binary::newest_by_family(headers.symbol_versions.iter().map(String::as_str));
    Binary {
        path,
        format: headers.format,
        architectures: headers.architectures.into_iter().collect(),
        soname: headers.soname,
        needed: headers.needed,
        opens,
        run_paths: headers.run_paths,
        symbol_versions: newest,
        macos: headers
            .macos
            .map(|(major, minor)| format!("{major}.{minor}")),
        modules: headers.modules.into_iter().collect(),
        cxx11_abi: headers.cxx11_abi,
        gpu_architectures: gpu_architectures.into_iter().collect(),
    }
}
