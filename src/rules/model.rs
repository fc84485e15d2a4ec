//! What a rule says.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, OnceLock};

use pep440_rs::{Operator, Version, VersionSpecifiers};
use pep508_rs::{MarkerEnvironment, MarkerTree, PackageName};
use sha2::{Digest as _, Sha256};

use super::parse::grounds;
use super::{Case, FamilyBinary, FamilyExtension, FamilyLabel, RuleSource};

/// A rule's id: its path under the rules folder, without extension (`torch/numpy1-abi`).
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
pub struct RuleId(pub Arc<str>);

impl fmt::Display for RuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One curated fact.
///
/// A solve reads what a rule does. What else is in its file is read when somebody asks for it:
/// it is there as if it were part of the rule (`rule.reason`).
#[derive(Debug, Clone)]
pub struct Rule {
    /// The rule's id.
    pub id: RuleId,
    /// What it does to the graph.
    pub kind: RuleKind,
    /// How bad it is where it is broken.
    pub severity: Severity,
    /// Whether it came with the program or from a folder of the user's.
    pub origin: RuleOrigin,
    /// Why it is there.
    pub grounds: LazyGrounds,
}

/// Why a rule is there: what it tells people, what shows it, and what it is tried on.
#[derive(Debug, Clone, Default)]
pub struct Grounds {
    /// One sentence for people.
    pub reason: String,
    /// The error text that users meet where the rule is broken.
    pub error: Option<String>,
    /// What to do about it, where the rule's own ranges do not say it.
    pub advice: Option<String>,
    /// Where it is documented (URLs).
    pub sources: Vec<String>,
    /// What the files themselves show.
    pub evidence: Vec<Evidence>,
    /// The date it was last checked (ISO 8601).
    pub checked: String,
    /// Sets of releases that it speaks of: forbidden ones, as a rule.
    pub hits: Vec<Case>,
    /// Near sets of releases that it does not speak of.
    pub misses: Vec<Case>,
}

/// The grounds of a rule, read when they are first asked for.
#[derive(Debug, Clone)]
pub struct LazyGrounds {
    /// The file, where it comes with the program; else they are read already.
    file: &'static str,
    read: OnceLock<Box<Grounds>>,
}

impl LazyGrounds {
    /// Those that a file of the program's tells.
    pub(super) fn of_file(file: &'static str) -> Self {
        Self {
            file,
            read: OnceLock::new(),
        }
    }
}

impl From<Grounds> for LazyGrounds {
    fn from(grounds: Grounds) -> Self {
        Self {
            file: "",
            read: OnceLock::from(Box::new(grounds)),
        }
    }
}

impl Deref for Rule {
    type Target = Grounds;

    fn deref(&self) -> &Grounds {
        let LazyGrounds { file, read } = &self.grounds;
        read.get_or_init(|| {
            let source = RuleSource {
                id: &self.id.0,
                origin: self.origin.clone(),
                text: file,
            };
            let read = grounds(&source);
            // The project's tests read all that come with the program, and so does `rules lint`.
            debug_assert!(read.is_ok(), "{}: {read:?}", self.id);
            Box::new(read.unwrap_or_default())
        })
    }
}

/// Where a rule came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RuleOrigin {
    /// Embedded in the program.
    Embedded,
    /// A folder named with `--rules` or in the settings.
    Folder(String),
}

/// What a file showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// The wheel's file name.
    pub file: String,
    /// Its sha256, hexadecimal, where it is known.
    pub sha256: Option<String>,
    /// What was found in it.
    pub finding: String,
}

/// How bad it is where a rule is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// A feature is lost; the constraint can be relaxed.
    Degrades,
    /// Crashes or wrong results.
    Corrupts,
}

/// A set of versions: any of these specifier sets contains it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct VersionRange(pub Vec<VersionSpecifiers>);

impl VersionRange {
    /// The range that contains every version.
    pub fn any() -> Self {
        Self(vec![VersionSpecifiers::empty()])
    }

    /// The range as a sentence has it: builds that are listed by their local versions are
    /// told by an example, for indexes have dozens of a release.
    pub fn in_words(&self) -> String {
        let is_build = |specifiers: &&VersionSpecifiers| {
            matches!(&***specifiers, [one]
                if *one.operator() == Operator::Equal && one.version().is_local())
        };
        let builds: Vec<String> = self
            .0
            .iter()
            .filter(is_build)
            .flat_map(|specifiers| specifiers.iter().map(|one| one.version().to_string()))
            .collect();
        let others = self.0.iter().filter(|specifiers| !is_build(specifiers));
        let others = Self(others.cloned().collect());
        match builds.as_slice() {
            [first, .., last] if !others.0.is_empty() => {
                format!("{others} or a build such as {first} or {last}")
            }
            _ => self.to_string(),
        }
    }

    /// Whether the range contains the version.
    pub fn contains(&self, version: &Version) -> bool {
        self.0
            .iter()
            .any(|specifiers| crate::versions::contains(specifiers, version))
    }
}

impl fmt::Display for VersionRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, specifiers) in self.0.iter().enumerate() {
            if position > 0 {
                f.write_str(" or ")?;
            }
            // `<2.3, >=1` reads `<2.3,>=1`, as users write it.
            write!(f, "{}", specifiers.to_string().replace(", ", ","))?;
        }
        Ok(())
    }
}

/// Which releases of a distribution a rule speaks of, and on which targets.
#[derive(Debug, Clone)]
pub struct When {
    /// The distribution.
    pub package: PackageName,
    /// Its affected releases.
    pub versions: VersionRange,
    /// The targets (PEP 508 marker); `TRUE` where the rule holds everywhere.
    pub marker: MarkerTree,
}

impl When {
    /// Whether the rule speaks of this release of the distribution on this target.
    pub fn applies(&self, version: &Version, markers: &MarkerEnvironment) -> bool {
        self.versions.contains(version) && self.marker.evaluate(markers, &[])
    }
}

/// What a rule does to the graph.
#[derive(Debug, Clone)]
pub enum RuleKind {
    /// When `when` holds and `package` is present, `package` must be in `versions`.
    Constrain {
        /// What triggers it.
        when: When,
        /// The distribution that is limited.
        package: PackageName,
        /// Where it must be.
        versions: VersionRange,
        /// The distributions' bound is inherited from a later release that declares it.
        inherited: bool,
    },
    /// `when` needs `package` in `versions`, which its metadata does not name.
    Requires {
        /// What triggers it.
        when: When,
        /// The distribution that is pulled in.
        package: PackageName,
        /// Where it must be.
        versions: VersionRange,
    },
    /// `when` names a wrong requirement on `package`: it is removed or replaced.
    Drop {
        /// What triggers it.
        when: When,
        /// The distribution whose requirement is wrong.
        package: PackageName,
        /// What it is replaced with; `None` removes it.
        replacement: Option<VersionSpecifiers>,
    },
    /// Distributions that install into one import path.
    Slot {
        /// The import path (`cv2`).
        import: String,
        /// The distributions.
        members: Vec<PackageName>,
        /// Whether they can share it.
        sharing: Sharing,
    },
    /// `when` needs virtual packages in ranges.
    Needs {
        /// What triggers it.
        when: When,
        /// By virtual package, without `@` (`cuda`, `cudnn`, `driver`, `glibc`): where it must be.
        packages: BTreeMap<String, VersionRange>,
    },
    /// `when` brings virtual packages.
    Provides {
        /// What triggers it.
        when: When,
        /// By virtual package, without `@`: the version it brings; `None` means the
        /// distribution's own version.
        packages: BTreeMap<String, Option<Version>>,
    },
    /// Distributions that are built together and chosen from the same variant.
    Family {
        /// The family's name (`pytorch`).
        name: String,
        /// The distributions.
        members: Vec<PackageName>,
        /// The builds, in the order of the file: of builds of one release the later is
        /// taken.
        labels: Vec<FamilyLabel>,
        /// What is known of the binaries of single builds.
        binaries: Vec<FamilyBinary>,
        /// Distributions whose local versions name the builds that they are for.
        extensions: Vec<FamilyExtension>,
    },
    /// A release that must not be chosen.
    Broken {
        /// The releases.
        when: When,
    },
    /// A claim that evidence shows to be false; it constrains nothing.
    Refuted {
        /// What the claim is about.
        when: When,
        /// The distribution that the claim limits.
        package: PackageName,
        /// Where the claim says it must be.
        versions: VersionRange,
    },
}

/// Whether the members of a slot can share it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sharing {
    /// At one version they can: different versions corrupt each other.
    SameVersion,
    /// At one version their files are identical, and some are meant to be there together;
    /// different versions corrupt each other.
    IdenticalAtOneVersion,
    /// Their files are identical: nothing is forbidden.
    Identical,
    /// Never: two of them corrupt each other at any version.
    Never,
}

impl Rule {
    /// sha256 of what the rule says (not of its prose), hexadecimal.
    pub fn digest(&self) -> String {
        self.kind.digest(self.severity)
    }

    /// Every distribution that the rule speaks of.
    pub fn names(&self) -> Vec<&PackageName> {
        let mut names = self.triggers();
        match &self.kind {
            RuleKind::Constrain { package, .. }
            | RuleKind::Requires { package, .. }
            | RuleKind::Drop { package, .. }
            | RuleKind::Refuted { package, .. } => names.push(package),
            _ => {}
        }
        names
    }

    /// The distributions whose releases trigger the rule.
    pub fn triggers(&self) -> Vec<&PackageName> {
        match self.kind.when() {
            Some(when) => vec![&when.package],
            None => self.kind.members().iter().collect(),
        }
    }
}

impl RuleKind {
    /// Which releases the rule speaks of; `None` for slots and families, which speak of
    /// several distributions.
    pub fn when(&self) -> Option<&When> {
        match self {
            Self::Constrain { when, .. }
            | Self::Requires { when, .. }
            | Self::Drop { when, .. }
            | Self::Needs { when, .. }
            | Self::Provides { when, .. }
            | Self::Broken { when }
            | Self::Refuted { when, .. } => Some(when),
            Self::Slot { .. } | Self::Family { .. } => None,
        }
    }

    /// The members of a slot or a family.
    pub fn members(&self) -> &[PackageName] {
        match self {
            Self::Slot { members, .. } | Self::Family { members, .. } => members,
            _ => &[],
        }
    }

    /// The kind's name, as the files have it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Constrain { .. } => "constrain",
            Self::Requires { .. } => "requires",
            Self::Drop { .. } => "drop",
            Self::Slot { .. } => "slot",
            Self::Needs { .. } => "needs",
            Self::Provides { .. } => "provides",
            Self::Family { .. } => "family",
            Self::Broken { .. } => "broken",
            Self::Refuted { .. } => "refuted",
        }
    }

    /// Whether the rule can admit what would be refused without it, or bring in another
    /// index: such rules are taken from the command line, not from a repository's settings.
    pub fn loosens(&self) -> bool {
        matches!(self, Self::Drop { .. } | Self::Family { .. })
    }

    /// sha256 of what a rule of this kind and severity says, hexadecimal.
    ///
    /// Prose, evidence and cases have no part in it: a lock made before a sentence was
    /// corrected is not out of date.
    fn digest(&self, severity: Severity) -> String {
        let says = format!("{} {severity:?}\n{}", self.name(), Canonical(self));
        let digest = Sha256::digest(says.as_bytes());
        digest
            .iter()
            .fold(String::with_capacity(64), |mut text, byte| {
                for nibble in [byte >> 4, byte & 15] {
                    text.extend(char::from_digit(u32::from(nibble), 16));
                }
                text
            })
    }
}

/// What a rule says, in one form that does not depend on how its file is laid out.
struct Canonical<'a>(&'a RuleKind);

impl fmt::Display for Canonical<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(when) = self.0.when() {
            writeln!(
                f,
                "when {} {} ; {}",
                when.package,
                when.versions,
                marker_text(&when.marker)
            )?;
        }
        match self.0 {
            RuleKind::Constrain {
                package,
                versions,
                inherited,
                ..
            } => writeln!(f, "then {package} {versions} inherited={inherited}"),
            RuleKind::Requires {
                package, versions, ..
            }
            | RuleKind::Refuted {
                package, versions, ..
            } => writeln!(f, "then {package} {versions}"),
            RuleKind::Drop {
                package,
                replacement,
                ..
            } => match replacement {
                Some(specifiers) => writeln!(f, "drop {package} replacement {specifiers}"),
                None => writeln!(f, "drop {package}"),
            },
            RuleKind::Slot {
                import,
                members,
                sharing,
            } => {
                writeln!(f, "slot {import} {sharing:?}")?;
                sorted(members)
                    .into_iter()
                    .try_for_each(|member| writeln!(f, "member {member}"))
            }
            RuleKind::Needs { packages, .. } => write_needs(f, packages),
            RuleKind::Provides { packages, .. } => {
                packages
                    .iter()
                    .try_for_each(|(name, version)| match version {
                        Some(version) => writeln!(f, "provides {name} {version}"),
                        None => writeln!(f, "provides {name} version"),
                    })
            }
            RuleKind::Family {
                name,
                members,
                labels,
                binaries,
                extensions,
            } => {
                writeln!(f, "family {name}")?;
                for member in sorted(members) {
                    writeln!(f, "member {member}")?;
                }
                labels.iter().try_for_each(|label| writeln!(f, "{label}"))?;
                binaries
                    .iter()
                    .try_for_each(|binary| writeln!(f, "{binary}"))?;
                extensions
                    .iter()
                    .try_for_each(|extension| write!(f, "{extension}"))
            }
            RuleKind::Broken { .. } => Ok(()),
        }
    }
}

pub(super) fn write_needs(
    f: &mut fmt::Formatter<'_>,
    needs: &BTreeMap<String, VersionRange>,
) -> fmt::Result {
    needs
        .iter()
        .try_for_each(|(name, versions)| writeln!(f, "needs {name} {versions}"))
}

fn sorted(members: &[PackageName]) -> Vec<&PackageName> {
    let mut members: Vec<&PackageName> = members.iter().collect();
    members.sort();
    members
}

/// The marker as text; empty where it holds everywhere.
pub(super) fn marker_text(marker: &MarkerTree) -> String {
    marker.try_to_string().unwrap_or_default()
}
