//! Which builds of a family suit the target, and what each release of a member is built for.

use std::collections::BTreeMap;
use std::sync::Arc;

use pep440_rs::{Version, VersionSpecifier, VersionSpecifiers};
use pep508_rs::{MarkerTree, PackageName};

use super::facts::Unusable;
use crate::metadata::{Dependency, DependencySource, File, FileId, Page, UnreadableFiles};
use crate::rules::{
    BuiltFor, FamilyBinary, FamilyExtension, FamilyLabel, Rule, RuleKind, RuleSet, Runs, label_of,
};
use crate::target::{Accelerator, Build, Target, sm};
use crate::versions::{Rank, RankSet};

/// A family as the solver sees it: its labels have numbers, in the order of the file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Family<'a> {
    pub(crate) name: &'a str,
    pub(crate) labels: &'a [FamilyLabel],
    binaries: &'a [FamilyBinary],
    extensions: &'a [FamilyExtension],
}

/// The builds of a family that may be chosen on a target.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EligibleBuilds {
    /// The family.
    pub family: String,
    /// The labels that may be chosen, in order of preference, the best last.
    pub labels: Vec<String>,
    /// The labels that may not, each with the reason.
    pub refused: Vec<(String, String)>,
}

/// The builds of every family that may be chosen on a target which states an accelerator.
///
/// Empty where the target states none: the default index serves then.
pub fn eligible_builds(rules: &RuleSet, target: &Target) -> Vec<EligibleBuilds> {
    if !target.accelerator.is_stated() {
        return Vec::new();
    }
    rules
        .iter()
        .filter_map(|rule| Family::of(rule))
        .map(|family| family.eligible(target).1)
        .collect()
}

/// The builds of all families.
pub(crate) fn of_all_families(rules: &RuleSet) -> impl Iterator<Item = &FamilyLabel> {
    rules
        .families()
        .filter_map(|rule| Family::of(rule))
        .flat_map(|family| family.labels)
}

impl<'a> Family<'a> {
    /// The family that a rule tells of.
    pub(crate) fn of(rule: &'a Rule) -> Option<Self> {
        match &rule.kind {
            RuleKind::Family {
                name,
                labels,
                binaries,
                extensions,
                ..
            } => Some(Self {
                name,
                labels,
                binaries,
                extensions,
            }),
            _ => None,
        }
    }

    /// The family that a distribution is a member of.
    pub(crate) fn with_member(
        rules: &'a RuleSet,
        name: &PackageName,
    ) -> Option<(&'a Arc<Rule>, Self)> {
        rules
            .on(name)
            .iter()
            .find_map(|rule| Some((rule, Self::of(rule)?)))
    }

    /// The family that a distribution is built against, whose local versions say against which
    /// of its builds.
    pub(crate) fn with_extension(
        rules: &'a RuleSet,
        name: &PackageName,
    ) -> Option<(&'a Arc<Rule>, Self, &'a FamilyExtension)> {
        rules.extending(name).find_map(|rule| {
            let family = Self::of(rule)?;
            let mut extensions = family.extensions.iter();
            let extension = extensions.find(|extension| extension.packages.contains(name))?;
            Some((rule, family, extension))
        })
    }

    /// The builds of the family on a target that something was built for.
    fn built_for(&self, asked: &BuiltFor, extension: &FamilyExtension, target: &Target) -> RankSet {
        let release = asked.version();
        let suits = self.labels.iter().filter(|label| {
            let of_release = release.iter().flat_map(|version| {
                self.binaries(&extension.built_for, version, &label.name, target)
            });
            label.marker.evaluate(&target.markers, &[]) && asked.suits(label, of_release)
        });
        RankSet::from_ranks(suits.filter_map(|label| self.number(&label.name)))
    }

    /// The number of a label: the place of its first table.
    pub(crate) fn number(&self, label: &str) -> Option<Rank> {
        let place = self.labels.iter().position(|known| known.name == label)?;
        Rank::try_from(place).ok()
    }

    /// The label with a number.
    pub(crate) fn label(&self, number: Rank) -> Option<&'a FamilyLabel> {
        self.labels.get(number as usize)
    }

    /// The labels that the target admits, in the order of the file.
    pub(crate) fn eligible(&self, target: &Target) -> (Vec<&'a FamilyLabel>, EligibleBuilds) {
        let mut told = EligibleBuilds {
            family: self.name.to_owned(),
            ..EligibleBuilds::default()
        };
        let wanted = target.accelerator.wanted();
        let mut eligible: Vec<&FamilyLabel> = Vec::new();
        let mut refused: BTreeMap<Rank, (String, String)> = BTreeMap::new();
        for label in self.labels.iter().filter(|label| is_wanted(label, &wanted)) {
            let number = self.number(&label.name).unwrap_or_default();
            match refusal(label, target) {
                None => {
                    refused.remove(&number);
                    told.labels.push(label.name.clone());
                    eligible.push(label);
                }
                Some(_) if told.labels.contains(&label.name) => {}
                // Of several tables of a label, what suits the platform tells most.
                Some(reason) => {
                    let on_platform = label.marker.evaluate(&target.markers, &[]);
                    if on_platform || !refused.contains_key(&number) {
                        refused.insert(number, (label.name.clone(), reason));
                    }
                }
            }
        }
        told.refused = refused.into_values().collect();
        (eligible, told)
    }

    /// Why none of the builds may be chosen, in words.
    pub(crate) fn none_because(&self, target: &Target, told: &EligibleBuilds) -> String {
        let asked = match target.accelerator.wanted() {
            Build::Label(label) => format!("`{label}`"),
            Build::Cuda(version) => format!("CUDA {version}"),
            Build::Kind(kind) => format!("`{kind}`"),
            Build::Unstated => "this target".to_owned(),
        };
        if told.refused.is_empty() {
            let mut known: Vec<&str> = Vec::new();
            for label in self.labels {
                if !known.contains(&label.name.as_str()) {
                    known.push(&label.name);
                }
            }
            return format!(
                "{} has no build for {asked}; it has {}",
                self.name,
                known.join(", ")
            );
        }
        let reasons: Vec<String> = told
            .refused
            .iter()
            .map(|(label, reason)| format!("{label} {reason}"))
            .collect();
        format!(
            "no build of {} for {asked} suits: {}",
            self.name,
            reasons.join("; ")
        )
    }

    /// What is known of the binaries of a release in a build.
    pub(crate) fn binaries(
        &self,
        package: &PackageName,
        version: &Version,
        label: &str,
        target: &Target,
    ) -> impl Iterator<Item = &'a FamilyBinary> {
        self.binaries
            .iter()
            .filter(|binary| binary.applies(package, version, label, &target.markers))
    }

    /// Why the binaries of a release in a build do not run on the target's GPUs.
    fn gpu_refusal(
        &self,
        package: &PackageName,
        version: &Version,
        label: &FamilyLabel,
        target: &Target,
    ) -> Option<Unusable> {
        let Accelerator { driver, gpus, .. } = &target.accelerator;
        let is_told = self
            .binaries
            .iter()
            .any(|binary| binary.package == *package && !binary.architectures.is_empty());
        if gpus.is_empty() || label.accelerator != "cuda" || !is_told {
            return None;
        }
        let carries: Vec<&FamilyBinary> = self
            .binaries(package, version, &label.name, target)
            .filter(|binary| !binary.architectures.is_empty())
            .collect();
        for gpu in gpus {
            let runs = carries
                .iter()
                .filter_map(|binary| binary.runs_on(gpu))
                .min();
            let detail = match (runs, &label.toolkit_driver, driver) {
                (Some(Runs::Compiled), Some(toolkit), Some(driver)) if driver < toolkit => format!(
                    "runs on {} only by PTX, which the driver {driver} cannot compile (needs {toolkit})",
                    sm(gpu)
                ),
                (Some(_), ..) => continue,
                (None, ..) if carries.is_empty() => {
                    format!("is not known to run on {}", sm(gpu))
                }
                (None, ..) => {
                    let all: Vec<String> = carries
                        .iter()
                        .flat_map(|binary| &binary.architectures)
                        .map(|architecture| {
                            let ptx = if architecture.ptx { "+PTX" } else { "" };
                            format!("{}{ptx}", sm(&architecture.capability))
                        })
                        .collect();
                    format!("has no code for {} (it has {})", sm(gpu), all.join(", "))
                }
            };
            return Some(Unusable::Accelerator { detail });
        }
        None
    }
}

fn is_wanted(label: &FamilyLabel, wanted: &Build) -> bool {
    match wanted {
        Build::Unstated => false,
        Build::Label(name) => label.name == *name,
        Build::Kind(kind) => label.accelerator == *kind,
        Build::Cuda(version) => {
            label.accelerator == "cuda"
                && label.provides.get("cuda").is_some_and(|brought| {
                    brought
                        .release()
                        .iter()
                        .take(2)
                        .eq(version.release().iter().take(2))
                })
        }
    }
}

/// Why the target does not admit a build at all.
fn refusal(label: &FamilyLabel, target: &Target) -> Option<String> {
    if !label.marker.evaluate(&target.markers, &[]) {
        return Some(format!("is not built for {}", target.platform.describe()));
    }
    label.needs.iter().find_map(|(package, range)| {
        let stated = target.virtual_version(package)?;
        (!range.contains(&stated))
            .then(|| format!("needs {package} {range}, and the target has {stated}"))
    })
}

/// What the releases of a member are built for, and where each of its files is listed.
#[derive(Debug)]
pub(crate) struct MemberBuilds {
    /// The rule that tells of the family.
    pub(crate) rule: Arc<Rule>,
    /// By rank: the numbers of the labels that the release is built for; `None` where
    /// nothing says for which.
    pub(crate) labels: Vec<Option<RankSet>>,
    /// By the number of a label: the page on its index; empty where there is one page.
    pub(crate) pages: BTreeMap<Rank, Arc<Page>>,
    /// What releases were built against whose versions say so.
    pub(crate) built_against: BTreeMap<Version, Dependency>,
}

/// The files of several builds' pages, as one page.
pub(crate) struct Merged {
    pub(crate) page: Arc<Page>,
    /// The labels on whose pages each file stands.
    pub(crate) labels: BTreeMap<FileId, RankSet>,
    /// By the number of a label: its page.
    pub(crate) pages: BTreeMap<Rank, Arc<Page>>,
    /// Releases on the pages that are other builds than those admitted.
    pub(crate) strays: Vec<(Version, Unusable)>,
}

impl Merged {
    /// Merges the pages of the labels with these numbers, the preferred first.
    ///
    /// A file that stands on several pages counts once; one of the same name with other
    /// contents is left to the preferred build.
    ///
    /// # Errors
    ///
    /// [`UnreadableFiles`] where a page cannot be read any more.
    pub(crate) fn new(
        name: &PackageName,
        family: Family<'_>,
        found: &[(Rank, Arc<Page>)],
    ) -> Result<Self, UnreadableFiles> {
        let (mut files, mut labels, mut strays) = (Vec::<File>::new(), Vec::new(), Vec::new());
        let mut places: BTreeMap<String, usize> = BTreeMap::new();
        let mut skipped = 0_u32;
        for (number, page) in found {
            skipped = skipped.saturating_add(page.skipped);
            for file in page.files.all()? {
                let own = family.number(&label_of(&file.version));
                if own.is_some_and(|own| !found.iter().any(|(known, _)| *known == own)) {
                    let detail = format!("is the build `{}`", label_of(&file.version));
                    strays.push((file.version, Unusable::Accelerator { detail }));
                    continue;
                }
                match places.get(&file.filename) {
                    Some(place) if same_file(&files[*place], &file) => {
                        if own.is_none() {
                            let known: &mut RankSet = &mut labels[*place];
                            *known = known.union(&RankSet::singleton(*number));
                        }
                    }
                    Some(_) => {}
                    None => {
                        places.insert(file.filename.clone(), files.len());
                        files.push(file);
                        labels.push(RankSet::singleton(own.unwrap_or(*number)));
                    }
                }
            }
        }
        strays.sort();
        strays.dedup();
        let index = found
            .first()
            .map_or_else(String::new, |(_, page)| page.index.clone());
        let page = Arc::new(Page::new(name.clone(), index, &files, skipped));
        let labels = page.files.in_page_order()?.into_iter().zip(labels);
        Ok(Self {
            labels: labels.collect(),
            page,
            pages: found.iter().cloned().collect(),
            strays,
        })
    }
}

fn same_file(one: &File, other: &File) -> bool {
    match (one.hashes.get("sha256"), other.hashes.get("sha256")) {
        (Some(one), Some(other)) => one == other,
        _ => one.url == other.url,
    }
}

/// What the local version of a release says that it was built for: builds of the family, and
/// the member's release where it names one.
///
/// # Errors
///
/// The reason, where the family has no such build on the target.
pub(crate) fn extended(
    family: Family<'_>,
    extension: &FamilyExtension,
    version: &Version,
    target: &Target,
) -> Result<Option<(RankSet, Option<Dependency>)>, Unusable> {
    let Some(asked) = extension.built_for(version, family.labels) else {
        return Ok(None);
    };
    let labels = family.built_for(&asked, extension, target);
    if labels.is_empty() {
        let detail = format!(
            "is built for {asked}, and {} has no such build for {}",
            family.name,
            target.platform.describe()
        );
        return Err(Unusable::Accelerator { detail });
    }
    let dependency = asked.version().map(|version| Dependency {
        name: extension.built_for.clone(),
        extras: Vec::new(),
        source: DependencySource::Specifiers(VersionSpecifiers::from(
            VersionSpecifier::equals_star_version(version),
        )),
        marker: MarkerTree::TRUE,
    });
    Ok(Some((labels, dependency)))
}

/// The labels of a release whose version names one.
pub(crate) fn named(family: Family<'_>, version: &Version) -> Option<RankSet> {
    if !version.is_local() {
        return None;
    }
    family.number(&label_of(version)).map(RankSet::singleton)
}

/// Which of the labels a release can be taken in, given the target's GPUs.
///
/// # Errors
///
/// The reason against the preferred label, where none is left.
pub(crate) fn running(
    family: Family<'_>,
    package: &PackageName,
    version: &Version,
    labels: &RankSet,
    target: &Target,
) -> Result<RankSet, Unusable> {
    let mut left = RankSet::empty();
    let mut refusal = None;
    let count = Rank::try_from(family.labels.len()).unwrap_or(Rank::MAX);
    for number in labels.ranks_below(count) {
        let Some(label) = family.label(number) else {
            continue;
        };
        match family.gpu_refusal(package, version, label, target) {
            None => left = left.union(&RankSet::singleton(number)),
            Some(reason) => refusal = Some(reason),
        }
    }
    match refusal {
        Some(reason) if left.is_empty() => Err(reason),
        _ => Ok(left),
    }
}
