//! Names of NVIDIA's libraries in a binary's strings: what it may open at run time.

use std::collections::BTreeSet;

use memchr::memmem::Finder;

/// What such names start with; a version follows.
const STARTS: [&str; 12] = [
    "libcudart.so.",
    "libcudnn.so.",
    "libcublas.so.",
    "libnvrtc.so.",
    "libcufft.so.",
    "libcusolver.so.",
    "libcusparse.so.",
    "libnccl.so.",
    "libnvinfer.so.",
    "cudart64_",
    "cudnn64_",
    "cublas64_",
];
/// No version in such a name is longer.
const LONGEST_VERSION: usize = 16;

/// No binary names so many; a hostile one may.
const MOST: usize = 256;

/// Looks for library names in overlapping stretches of a binary.
#[derive(Debug)]
pub(super) struct NameSearch {
    finders: Vec<(&'static str, Finder<'static>)>,
    found: BTreeSet<String>,
}

impl NameSearch {
    /// A search that has seen nothing yet.
    pub(super) fn new() -> Self {
        let finders = STARTS
            .iter()
            .map(|start| (*start, Finder::new(start)))
            .collect();
        Self {
            finders,
            found: BTreeSet::new(),
        }
    }

    /// Looks at a stretch; `last` says that nothing follows it.
    pub(super) fn look(&mut self, stretch: &[u8], last: bool) {
        for (start, finder) in &self.finders {
            for at in finder.find_iter(stretch) {
                let rest = stretch.get(at + start.len()..).unwrap_or_default();
                if let Some(version) = version(rest, last)
                    && self.found.len() < MOST
                {
                    let ending = if start.ends_with('_') { ".dll" } else { "" };
                    self.found.insert(format!("{start}{version}{ending}"));
                }
            }
        }
    }

    /// The names, sorted.
    pub(super) fn finish(self) -> BTreeSet<String> {
        self.found
    }
}

/// The version that a name goes on with; `None` where there is none, or where it is cut
/// off and the next stretch will show it whole.
fn version(rest: &[u8], last: bool) -> Option<&str> {
    let length = rest
        .iter()
        .position(|byte| !byte.is_ascii_digit() && *byte != b'.')
        .or(last.then_some(rest.len()))?;
    let version = std::str::from_utf8(rest.get(..length)?).ok()?;
    let version = version.trim_end_matches('.');
    (!version.is_empty() && version.len() <= LONGEST_VERSION).then_some(version)
}
