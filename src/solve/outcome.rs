//! What a solve gives: a solution with the cause of every edge, or a conflict.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use pep440_rs::Version;
use pep508_rs::{ExtraName, PackageName};

use super::chosen_files::ChosenFiles;
use super::facts::Unusable;
use crate::metadata::{File, Metadata, Page, VariantProperty};
use crate::request::DirectUrl;
use crate::rules::RuleId;
use crate::variants::VariantsJson;

/// What a solve gives.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// A set of releases that meets everything.
    Solved(Box<Solution>),
    /// There is none.
    Unsolvable(Box<Conflict>),
}

/// A set of releases that meets everything.
#[derive(Debug, Clone, Default)]
pub struct Solution {
    /// What was chosen, by name; without what a base has and what stays as it is.
    pub packages: BTreeMap<PackageName, Chosen>,
    /// The packages of the base that something in the solution asks for, and that stay as they
    /// are; `None` where the base does not tell their version.
    pub installed: BTreeMap<PackageName, Option<Version>>,
    /// The packages of the base that are changed, with the version that is installed.
    pub replaced: BTreeMap<PackageName, Option<Version>>,
    /// Every requirement between them, and from the user's lines, sorted.
    pub edges: Vec<Edge>,
    /// The rules that held in the solution: something in it triggered them.
    pub rules: BTreeSet<RuleId>,
    /// The requirements of metadata that a rule or an option removed or replaced.
    pub changed: BTreeSet<ChangedEdge>,
    /// The build that was taken of each family in it, by the family's name.
    pub builds: BTreeMap<String, String>,
    /// What the user should hear about it, sorted.
    pub warnings: Vec<Warning>,
    /// The decisions in the order they were made, for `-v`: `name version`.
    pub decisions: Vec<String>,
}

/// One chosen release.
#[derive(Debug, Clone)]
pub struct Chosen {
    /// The version, with its local part.
    pub version: Version,
    /// The extras that something asked for.
    pub extras: BTreeSet<ExtraName>,
    /// The metadata that its requirements were read from.
    pub metadata: Arc<Metadata>,
    /// The file that the metadata came from; `None` for a folder or repository.
    pub file: Option<File>,
    /// Where it comes from.
    pub origin: ChosenOrigin,
    /// Every file of the release that the index lists and the policy admits; where a wheel
    /// variant was taken, those with its label.
    pub files: ChosenFiles,
    /// The wheel variant that was taken, where the release has some and the target takes them.
    pub variant: Option<ChosenVariant>,
}

/// Which of a release's wheel variants was taken (PEP 825, draft).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ChosenVariant {
    /// The label; `None` where an ordinary wheel was taken, or a source distribution, though
    /// the release has labelled wheels.
    pub label: Option<String>,
    /// The properties of the label that the target supports, the most important first.
    pub properties: Vec<VariantProperty>,
    /// What the release's labels stand for; `None` where nothing tells.
    pub document: Option<Arc<VariantsJson>>,
    /// The labels that do not suit, each with the reason.
    pub refused: Vec<(String, String)>,
}

/// Where a chosen release comes from.
#[derive(Debug, Clone)]
pub enum ChosenOrigin {
    /// An index; its page.
    Index(Arc<Page>),
    /// A direct reference, with the commit id where it is to version control.
    Direct {
        /// The reference.
        url: DirectUrl,
        /// The commit id.
        commit: Option<String>,
    },
}

/// One requirement that the solution meets.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edge {
    /// Who asked.
    pub cause: EdgeCause,
    /// The distribution that was asked for.
    pub to: PackageName,
    /// The extras that were asked of it.
    pub extras: Vec<ExtraName>,
    /// The range, as the asker wrote it (`>=1.17,<2`; empty for any; a URL for a direct reference).
    pub range: String,
    /// Whether the edge pulls the distribution in; a limit ("if present") does not.
    pub pulls_in: bool,
}

/// Who asked for an edge.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum EdgeCause {
    /// A line of the user's, by its index in `Request::requirements`.
    Line(usize),
    /// A constraint of the user's, by its index in `Request::constraints`.
    Constraint(usize),
    /// The metadata of a chosen distribution, and the extra of it that brought the requirement.
    Package {
        /// The distribution.
        name: PackageName,
        /// The extra, where one brought it.
        extra: Option<ExtraName>,
        /// The requirement was replaced by this override, by its index in `Request::overrides`.
        overridden: Option<usize>,
    },
    /// A rule that a chosen distribution triggered.
    Rule {
        /// The rule.
        id: RuleId,
        /// The distribution.
        name: PackageName,
    },
}

/// A requirement of a file's metadata that a rule or an option removed or replaced.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ChangedEdge {
    /// The distribution whose metadata has the requirement; `None` for a line of the user's.
    pub from: Option<PackageName>,
    /// The distribution that was required.
    pub to: PackageName,
    /// The range as written.
    pub was: String,
    /// What stands in its place, as a requirement; `None` where it was removed.
    pub now: Option<String>,
    /// What changed it: `rule …`, `override …`, `--provider …`.
    pub by: String,
}

/// Something the user should hear about a solution.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Warning {
    /// Several members of a slot were taken, at one version.
    SharedSlot {
        /// The import path.
        import: String,
        /// The members in the solution.
        members: Vec<PackageName>,
    },
    /// A requested extra does not exist in the chosen release.
    UnknownExtra {
        /// The newest release, where that has it.
        newer: Option<Version>,
        /// The distribution.
        name: PackageName,
        /// The version.
        version: Version,
        /// The extra.
        extra: ExtraName,
    },
    /// A yanked release was taken, because a pin demands it.
    Yanked {
        /// The distribution.
        name: PackageName,
        /// The version.
        version: Version,
        /// The reason that was given.
        reason: Option<String>,
    },
    /// The driver runs a build by minor-version compatibility only: it is older than the one
    /// that the build's toolkit came with.
    OldDriver {
        /// The build.
        label: String,
        /// The driver that the target states.
        driver: Version,
        /// The driver that the toolkit came with.
        toolkit: Version,
    },
    /// Two versions of a virtual package are in the environment side by side: the metadata
    /// of distributions in it demands both.
    SideBySide {
        /// The virtual package, without `@`.
        package: String,
        /// Who brings it, and which version.
        brought: Vec<(String, Version)>,
    },
    /// An old release was taken that states no bound, though a newer one states one that what
    /// is locked does not keep; nothing else holds less back.
    ForgotBound {
        /// The distribution.
        name: PackageName,
        /// The release that was taken.
        version: Version,
        /// The newest release of it that the bound keeps away.
        newer: Version,
        /// Who states the bound: that release, or one that it brings in.
        by: (PackageName, Version),
        /// On which distribution.
        to: PackageName,
        /// The bound, as written.
        range: String,
        /// The release of it that was taken.
        locked: Version,
    },
    /// An answer that may hold less back was looked for, and what it needs could not be had.
    NotLookedInto {
        /// What failed.
        detail: String,
    },
    /// Metadata was had by running the distribution's build.
    Built {
        /// The distribution.
        name: PackageName,
        /// The version.
        version: Version,
    },
}

/// Why there is no solution. [`crate::explain`] turns it into sentences.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Conflict {
    /// What cannot hold together, in the order in which it was derived, without repetition.
    pub reasons: Vec<Reason>,
}

/// One of the things that cannot hold together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// A line of the user's, by its index in `Request::requirements`.
    Line(usize),
    /// A constraint of the user's, by its index in `Request::constraints`.
    Constraint(usize),
    /// What releases of a distribution ask for, by their metadata.
    Requires {
        /// The distribution.
        package: PackageName,
        /// Those of its releases.
        releases: Span,
        /// The extra that brings the requirement.
        extra: Option<ExtraName>,
        /// The distribution that is asked for.
        to: PackageName,
        /// The ranges, as written, without repetition.
        ranges: Vec<String>,
        /// Whether the conflict has such a reason for each range that one of the releases asks
        /// for: of very many, only the newest are looked at.
        all: bool,
    },
    /// A rule that releases of a distribution trigger.
    Rule {
        /// The rule.
        id: RuleId,
        /// The distribution that triggers it.
        package: PackageName,
        /// Those of its releases.
        releases: Span,
    },
    /// None of a distribution's releases in a range can be chosen.
    NoRelease {
        /// The distribution.
        package: PackageName,
        /// The releases that exist in the range, each with the reason against it, ascending;
        /// all of them where no range is known.
        rejected: Vec<(Version, Unusable)>,
    },
    /// No index has the distribution.
    NotFound {
        /// The distribution.
        package: PackageName,
        /// The indexes that were asked.
        asked: Vec<String>,
    },
    /// Releases were set aside when their metadata was read.
    SetAside {
        /// The distribution.
        package: PackageName,
        /// Those of its releases.
        releases: Span,
        /// The reason.
        reason: Unusable,
    },
    /// Releases of a distribution install into an import path that another fills.
    Slot {
        /// The rule.
        id: RuleId,
        /// The distribution.
        package: PackageName,
        /// Those of its releases.
        releases: Span,
    },
    /// The base has a release of a distribution, and it stays as it is.
    Installed {
        /// The distribution.
        package: PackageName,
        /// The release; `None` where the base does not tell it.
        version: Option<Version>,
    },
    /// Releases of a distribution are one build of a family; an environment has one.
    Build {
        /// The family.
        family: String,
        /// The distribution.
        package: PackageName,
        /// Those of its releases.
        releases: Span,
        /// The builds that they are, in order.
        labels: Vec<String>,
    },
    /// No build of a distribution's family suits the target.
    NoBuild {
        /// The distribution.
        package: PackageName,
        /// Why, in words.
        because: String,
    },
    /// Releases of a distribution, or a build, bring a virtual package.
    Brings {
        /// Who: a distribution, or a family.
        who: String,
        /// Those of its releases; `None` for a build.
        releases: Option<Span>,
        /// The virtual package, without `@`.
        package: String,
        /// The versions that they bring, ascending.
        versions: Vec<Version>,
    },
    /// A virtual package is not what is needed.
    Virtual {
        /// The virtual package, without `@`.
        package: String,
        /// What the target states, where it states it.
        stated: Option<String>,
    },
}

/// Releases of one distribution, named by what exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Span {
    /// Every release that can be chosen.
    Every,
    /// One release.
    One(Version),
    /// Every release before this one.
    Before(Version),
    /// This release and every later one.
    From(Version),
    /// Every release from the first to the second, both included.
    Between(Version, Version),
    /// Releases that do not lie together: the oldest, the newest, and how many.
    Several(Version, Version, u32),
    /// None that can be chosen.
    None,
}

/// A solve that could not be carried through.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SolveError {
    /// A fact could not be had.
    #[error("{message}")]
    Facts {
        /// What failed and what was tried.
        message: String,
        /// What to do about it.
        hint: Option<String>,
    },
}
