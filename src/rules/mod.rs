//! Curated facts about what binaries imply, each with its evidence.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use pep440_rs::{Version, VersionSpecifiers};
use pep508_rs::{MarkerTree, PackageName};

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
#[derive(Debug, Clone)]
pub struct Rule {
    /// The rule's id.
    pub id: RuleId,
    /// What it does to the graph.
    pub kind: RuleKind,
    /// How bad it is where it is broken.
    pub severity: Severity,
    /// One sentence for people.
    pub reason: String,
    /// The error text that users meet where the rule is broken.
    pub error: Option<String>,
    /// Where it is documented (URLs).
    pub sources: Vec<String>,
    /// What the files themselves show.
    pub evidence: Vec<Evidence>,
    /// The date it was last checked (ISO 8601).
    pub checked: String,
    /// sha256 of what the rule says (not of its prose), hexadecimal.
    pub digest: String,
    /// Whether it came with the program or from a folder of the user's.
    pub origin: RuleOrigin,
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
    /// `when` needs a virtual package in a range.
    Needs {
        /// What triggers it.
        when: When,
        /// The virtual package, without `@`: `cuda`, `cudnn`, `driver`, `glibc`.
        package: String,
        /// Where it must be.
        versions: VersionRange,
    },
    /// `when` brings a virtual package.
    Provides {
        /// What triggers it.
        when: When,
        /// The virtual package, without `@`.
        package: String,
        /// The version it brings; `None` means the distribution's own version.
        version: Option<Version>,
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
    /// Their files are identical: nothing is forbidden.
    Identical,
    /// Never: two of them corrupt each other at any version.
    Never,
}

/// All rules in force, and what can be asked of them.
#[derive(Debug, Clone, Default)]
pub struct RuleSet {
    rules: Vec<Arc<Rule>>,
    on: BTreeMap<PackageName, Vec<Arc<Rule>>>,
    limited: std::collections::BTreeSet<PackageName>,
}

impl RuleSet {
    /// The set of the given rules, sorted by id.
    pub fn new(mut rules: Vec<Arc<Rule>>) -> Self {
        rules.sort_by(|a, b| a.id.cmp(&b.id));
        let mut set = Self::default();
        for rule in &rules {
            for name in rule.triggers() {
                set.on
                    .entry(name.clone())
                    .or_default()
                    .push(Arc::clone(rule));
            }
            if let RuleKind::Constrain { package, .. } = &rule.kind {
                set.limited.insert(package.clone());
            }
        }
        set.rules = rules;
        set
    }

    /// Every rule, sorted by id.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Rule>> {
        self.rules.iter()
    }

    /// The rule with this id.
    pub fn get(&self, id: &str) -> Option<&Arc<Rule>> {
        self.rules.iter().find(|rule| &*rule.id.0 == id)
    }

    /// The rules that a distribution triggers, sorted by id; slots that it is a member of included.
    pub fn on(&self, name: &PackageName) -> &[Arc<Rule>] {
        self.on.get(name).map_or(&[], Vec::as_slice)
    }

    /// Whether some rule limits the distribution where it is present.
    pub fn limits(&self, name: &PackageName) -> bool {
        self.limited.contains(name)
    }

    /// The same rules without those named: `--ignore-rule`.
    pub fn without(&self, ignored: &[RuleId]) -> Self {
        Self::new(
            self.rules
                .iter()
                .filter(|rule| !ignored.contains(&rule.id))
                .map(Arc::clone)
                .collect(),
        )
    }
}

impl Rule {
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
        match &self.kind {
            RuleKind::Constrain { when, .. }
            | RuleKind::Requires { when, .. }
            | RuleKind::Drop { when, .. }
            | RuleKind::Needs { when, .. }
            | RuleKind::Provides { when, .. }
            | RuleKind::Broken { when }
            | RuleKind::Refuted { when, .. } => vec![&when.package],
            RuleKind::Slot { members, .. } => members.iter().collect(),
        }
    }
}
