//! The one trait through which the core learns anything.

use std::sync::Arc;

use pep440_rs::VersionSpecifiers;
use pep508_rs::PackageName;

use crate::metadata::{File, FileId, Metadata, Page, UnreadableFiles};
use crate::request::{BuildPolicy, DirectUrl};
use crate::variants::VariantsJson;

/// Where facts come from: memory, the cache, a snapshot or the network; it may block.
///
/// Answers must not depend on what was asked before.
pub trait Facts {
    /// The distribution's page on the index that serves it.
    fn page(&self, name: &PackageName) -> Result<Arc<Page>, FactError>;

    /// The distribution's page on one index and no other: the index of a family's build.
    ///
    /// Only asked for where the target states an accelerator; a source that knows single
    /// pages only says so.
    fn page_at(&self, name: &PackageName, index: &str) -> Result<Arc<Page>, FactError> {
        Err(FactError::Failed {
            message: format!("these facts have no page of `{name}` on `{index}`"),
            hint: Some("record them for a target with this accelerator".to_owned()),
        })
    }

    /// The core metadata of one file of a page.
    ///
    /// For a source distribution: its static metadata (PKG-INFO of metadata version 2.2
    /// or later, or a pyproject.toml with nothing dynamic). Where there is none,
    /// [`Unusable::NeedsBuild`] if `build` is [`BuildPolicy::Never`], and the metadata
    /// that a build gives otherwise.
    fn metadata(
        &self,
        page: &Page,
        file: &File,
        build: BuildPolicy,
    ) -> Result<Arc<Metadata>, FactError>;

    /// The static metadata of a source distribution that nothing demands in particular, and
    /// that is looked into before it is said that there is no solution.
    ///
    /// [`Unusable::NeedsBuild`] where there is none, or where it is not worth the look.
    fn last_look(&self, page: &Page, file: &File) -> Result<Arc<Metadata>, FactError> {
        self.metadata(page, file, BuildPolicy::Never)
    }

    /// What the labels of one release's wheels stand for (PEP 825, draft); `wheels` has one wheel
    /// of each label.
    ///
    /// Only asked for where the target takes wheel variants.
    fn variants(&self, page: &Page, _wheels: &[&File]) -> Result<Arc<VariantsJson>, FactError> {
        Err(FactError::Unusable(Unusable::Metadata {
            detail: format!("these facts tell of no wheel variants of `{}`", page.name),
        }))
    }

    /// The solver will ask what these wheels' labels stand for.
    fn hint_variants(&self, _page: &Page, _wheels: &[&File]) {}

    /// What is found at a direct reference.
    fn direct(&self, url: &DirectUrl) -> Result<Arc<DirectFacts>, FactError>;

    /// The solver will likely ask for this distribution, in this range.
    ///
    /// A guess that costs nothing where the facts are at hand; it never changes an answer.
    fn hint(&self, _name: &PackageName, _range: &VersionSpecifiers) {}

    /// The solver will ask for this distribution on this index.
    fn hint_at(&self, _name: &PackageName, _index: &str) {}

    /// The solver has had to ask for a further release of this distribution; `older` are
    /// the files it would try next, newest first.
    fn hint_older(&self, _page: &Page, _older: &[FileId]) {}
}

/// What is found at a direct reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectFacts {
    /// The metadata.
    pub metadata: Metadata,
    /// The file, with its sha256, where the reference is to one (not a folder or repository).
    pub file: Option<File>,
    /// The full commit id, where the reference is to version control.
    pub commit: Option<String>,
}

/// Why a fact cannot be had.
#[derive(Debug, Clone, thiserror::Error)]
pub enum FactError {
    /// No index has the distribution.
    #[error("no index has `{name}`")]
    NotFound {
        /// The distribution.
        name: PackageName,
        /// The indexes that were asked, without credentials.
        asked: Vec<String>,
    },
    /// The release cannot be used; others may.
    #[error("{0}")]
    Unusable(Unusable),
    /// The fact exists but could not be had (network, index, cache); it ends the run.
    #[error("{message}")]
    Failed {
        /// What failed and what was tried, in full sentences.
        message: String,
        /// What to do about it.
        hint: Option<String>,
    },
}

impl FactError {
    /// The details of a distribution's files, which were there a moment ago, cannot be read.
    pub fn unreadable(name: &PackageName, error: UnreadableFiles) -> Self {
        Self::Failed {
            message: format!("`{name}`: {error}"),
            hint: Some(
                "run it again; `mlresolve cache clean` helps where that does not".to_owned(),
            ),
        }
    }
}

/// Why one release cannot be used.
#[derive(
    Debug,
    Clone,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    thiserror::Error,
    serde::Serialize,
    serde::Deserialize,
)]
pub enum Unusable {
    /// None of its files suits the target.
    #[error("has no wheel for this target{}", tags_found(.found))]
    NoSuitableFile {
        /// The tags that it has instead.
        found: Vec<String>,
    },
    /// It needs another Python.
    #[error("needs Python {requires}")]
    Python {
        /// `Requires-Python`.
        requires: String,
    },
    /// All its suitable files were uploaded at or after the cut-off.
    #[error("was uploaded after the cut-off")]
    TooNew,
    /// A file has no upload time, and there is a cut-off.
    #[error("has no upload time, which the cut-off needs")]
    NoUploadTime,
    /// All its suitable files were yanked.
    #[error("was yanked{}", reason_given(.reason.as_ref()))]
    Yanked {
        /// The reason that was given.
        reason: Option<String>,
    },
    /// It is a pre-release, and those are not wanted.
    #[error("is a pre-release")]
    PreRelease,
    /// It has only a source distribution, and those are refused.
    #[error("has only a source distribution, which the options refuse")]
    SdistRefused,
    /// It has wheels only, and those are refused.
    #[error("has only wheels, which the options refuse")]
    WheelRefused,
    /// Its metadata can only be had by running its code, which is refused.
    #[error("has no static metadata, and running its build is refused")]
    NeedsBuild,
    /// It has only a source distribution, and no requirement asks for it in particular.
    #[error("has only a source distribution, and was passed over")]
    SourceOnly,
    /// Its build was tried and failed.
    #[error("could not be built: {detail}")]
    BuildFailed {
        /// The last lines of what the build said.
        detail: String,
    },
    /// Its metadata cannot be understood.
    #[error("{detail}")]
    Metadata {
        /// What is wrong with it.
        detail: String,
    },
    /// It is a build that the target's accelerator does not run.
    #[error("{detail}")]
    Accelerator {
        /// Why not.
        detail: String,
    },
    /// A line asks for an extra that it has not, and that the newest release which the line
    /// admits has.
    #[error("has no extra `{extra}`")]
    NoExtra {
        /// The extra.
        extra: String,
    },
    /// A rule says that it must not be chosen.
    #[error("is broken (rule {rule})")]
    Broken {
        /// The rule's id.
        rule: String,
    },
}

fn tags_found(found: &[String]) -> String {
    if found.is_empty() {
        String::new()
    } else {
        let named: Vec<&str> = found.iter().take(4).map(String::as_str).collect();
        let more = match found.len().saturating_sub(named.len()) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        format!(" (it has {}{more})", named.join(", "))
    }
}

fn reason_given(reason: Option<&String>) -> String {
    reason
        .filter(|text| !text.is_empty())
        .map_or_else(String::new, |text| format!(" ({text})"))
}

impl<T: Facts + ?Sized> Facts for &T {
    fn page(&self, name: &PackageName) -> Result<Arc<Page>, FactError> {
        (**self).page(name)
    }

    fn page_at(&self, name: &PackageName, index: &str) -> Result<Arc<Page>, FactError> {
        (**self).page_at(name, index)
    }

    fn hint_at(&self, name: &PackageName, index: &str) {
        (**self).hint_at(name, index);
    }

    fn metadata(
        &self,
        page: &Page,
        file: &File,
        build: BuildPolicy,
    ) -> Result<Arc<Metadata>, FactError> {
        (**self).metadata(page, file, build)
    }

    fn last_look(&self, page: &Page, file: &File) -> Result<Arc<Metadata>, FactError> {
        (**self).last_look(page, file)
    }

    fn variants(&self, page: &Page, wheels: &[&File]) -> Result<Arc<VariantsJson>, FactError> {
        (**self).variants(page, wheels)
    }

    fn hint_variants(&self, page: &Page, wheels: &[&File]) {
        (**self).hint_variants(page, wheels);
    }

    fn direct(&self, url: &DirectUrl) -> Result<Arc<DirectFacts>, FactError> {
        (**self).direct(url)
    }

    fn hint(&self, name: &PackageName, range: &VersionSpecifiers) {
        (**self).hint(name, range);
    }

    fn hint_older(&self, page: &Page, older: &[FileId]) {
        (**self).hint_older(page, older);
    }
}
