//! From what was read, member by member, to findings.

use std::collections::BTreeSet;

use super::binary::BinaryFormat;
use super::findings::{
    Binary, Cost, FileDigest, Findings, NameVersion, Problem, Unread, WheelTags,
};
use super::inspect::Inspected;
use super::numpy::{self, NumpyAbi, NumpyUse};
use super::plan::{Role, role};
use super::{Limits, ScanError, Scope, imports, libraries, platform};

/// What has been read so far.
#[derive(Debug)]
pub(super) struct Gathered {
    source: String,
    wheel: Option<WheelTags>,
    scope: Scope,
    /// How many more bytes of description may be kept.
    room: usize,
    uses: Vec<NumpyUse>,
    binaries: Vec<Binary>,
    unread: Vec<Unread>,
    undecided: Vec<String>,
    pub(super) metadata: Option<NameVersion>,
    pub(super) problems: Vec<Problem>,
    pub(super) files: Vec<FileDigest>,
    pub(super) cost: Cost,
}

impl Gathered {
    /// Nothing yet.
    pub(super) fn new(source: &str, wheel: Option<WheelTags>, limits: &Limits) -> Self {
        Self {
            source: source.to_owned(),
            wheel,
            scope: limits.scope,
            room: limits.max_description_bytes,
            uses: Vec::new(),
            binaries: Vec::new(),
            unread: Vec::new(),
            undecided: Vec::new(),
            metadata: None,
            problems: Vec::new(),
            files: Vec::new(),
            cost: Cost::default(),
        }
    }

    /// Whether no further binary can change what was asked for.
    pub(super) fn is_settled(&self) -> bool {
        self.scope == Scope::NumpyAbi
            && self
                .uses
                .iter()
                .any(|found| found.abi == NumpyAbi::Numpy1Only)
    }

    /// Adds a binary that was read; fails once hostile binaries describe themselves at
    /// such length that keeping it would take too much memory.
    pub(super) fn add(&mut self, size: u64, inspected: Inspected) -> Result<(), ScanError> {
        self.cost.bytes_inflated = self.cost.bytes_inflated.saturating_add(size);
        self.cost.binaries_read += 1;
        let Some(room) = self.room.checked_sub(inspected.weight()) else {
            return Err(ScanError::TooMuchDetail);
        };
        self.room = room;
        // NumPy's own extension modules provide the ABI, and always suit each other.
        self.uses.extend(inspected.uses.into_iter().filter(|found| {
            let installed = imports::installed_path(&found.module);
            !installed.is_some_and(|path| path.starts_with("numpy/"))
        }));
        self.binaries.extend(inspected.binary);
        self.problems.extend(inspected.problem);
        Ok(())
    }

    /// Notes a binary that was not read.
    pub(super) fn leave(&mut self, path: &str, size: u64, role: Role, reason: &str) {
        if !self.is_settled() && matches!(role, Role::Bridge | Role::Extension) {
            self.undecided.push(path.to_owned());
        }
        self.unread.push(Unread {
            path: path.to_owned(),
            size,
            reason: reason.to_owned(),
        });
    }

    /// Draws the conclusions.
    pub(super) fn finish(mut self) -> Findings {
        let libraries = || {
            let paths = self.files.iter().map(|file| &*file.path);
            paths.filter(|path| role(path).is_some())
        };
        let own = libraries::own_names(libraries(), &self.binaries);
        let openmp = libraries::openmp(libraries());
        let needed = libraries::needed(&self.binaries, &own);
        let brings_libstdcxx = own.keys().any(|name| name.starts_with("libstdc++"));
        let floors = platform::floors(&self.binaries, self.wheel.as_ref(), brings_libstdcxx);
        self.problems.extend(platform::broken_promises(&floors));
        self.check_names();
        let binary_paths: Vec<&str> = self.binaries.iter().map(|binary| &*binary.path).collect();
        if let Some(wheel) = &self.wheel {
            let wrong = platform::wrong_interpreters(wheel, &binary_paths);
            self.problems.extend(wrong);
        }
        self.problems.sort();
        Findings {
            numpy: numpy::judge(self.uses, &self.undecided),
            cuda: libraries::cuda(&needed, &own, &self.binaries),
            torch: libraries::torch(&needed, &self.binaries),
            floors,
            python: interpreters(&self.binaries),
            openmp,
            imports: imports::imports(&self.files),
            needed,
            source: self.source,
            wheel: self.wheel,
            metadata: self.metadata,
            binaries: self.binaries,
            unread: self.unread,
            problems: self.problems,
            files: self.files,
            cost: self.cost,
        }
    }

    /// Compares the name and version inside with those of the file name.
    fn check_names(&mut self) {
        let (Some(wheel), Some(inside)) = (&self.wheel, &self.metadata) else {
            return;
        };
        if alike(&wheel.name, &inside.name) && alike(&wheel.version, &inside.version) {
            return;
        }
        self.problems.push(Problem {
            path: self.source.clone(),
            detail: format!("its metadata is for `{} {}`", inside.name, inside.version),
        });
    }
}

/// Whether two names or versions are alike but for case and separators: file names
/// escape what metadata spells out (PEP 427, PEP 503).
fn alike(a: &str, b: &str) -> bool {
    let plain = |text: &str| {
        let mut plain = text.to_ascii_lowercase();
        plain.retain(|c| !matches!(c, '-' | '_' | '.' | '+' | '!'));
        plain
    };
    plain(a) == plain(b)
}

/// What the extension modules' names say, and the Python libraries that they need.
fn interpreters(binaries: &[Binary]) -> BTreeSet<String> {
    let by_name = binaries
        .iter()
        .filter_map(|binary| platform::module_tag(&binary.path));
    let by_library = binaries
        .iter()
        .filter(|binary| binary.format == BinaryFormat::Pe)
        .flat_map(|binary| &binary.needed)
        .filter_map(|name| {
            let lower = name.to_ascii_lowercase();
            let version = lower.strip_prefix("python")?.strip_suffix(".dll")?;
            Some(match version {
                "3" | "3t" => "abi3".to_owned(),
                _ => format!("cp{version}"),
            })
        });
    by_name.chain(by_library).collect()
}
