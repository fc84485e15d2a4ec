//! The known releases of one distribution for one target: what can be chosen, and why not the rest.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::Arc;

use pep440_rs::{Operator, Version, VersionSpecifiers};
use pep508_rs::PackageName;

use super::facts::{DirectFacts, FactError, Unusable};
use super::labels::{self, Family, MemberBuilds, Merged};
use super::outcome::ChosenVariant;
use super::variants::Grouped;
use crate::metadata::{Dependency, File, FileKind, Page, Yanked};
use crate::request::{BasePackage, DirectUrl, Line, LineSource, Policy, Request};
use crate::rules::{FamilyExtension, Rule, RuleKind, RuleSet};
use crate::target::Target;
use crate::versions::{self, Rank, RankSet};

/// The releases of one distribution that can be chosen, oldest first; a release's place
/// is its rank.
#[derive(Debug)]
pub(crate) struct Universe {
    /// The distribution.
    pub(crate) name: PackageName,
    /// The versions, ascending, one for each release.
    pub(crate) versions: Vec<Version>,
    /// The releases, in the same order.
    pub(crate) releases: Vec<Release>,
    /// The releases that cannot be chosen, ascending, with the reason.
    pub(crate) rejected: Vec<(Version, Unusable)>,
    /// Where they come from.
    pub(crate) source: Source,
    /// The release that is installed already.
    pub(crate) installed: Option<Rank>,
    /// What they are built for, where the distribution is a family's member.
    pub(crate) builds: Option<MemberBuilds>,
}

/// Where a universe's releases come from.
#[derive(Debug)]
pub(crate) enum Source {
    /// A page of an index; for a family's member, the pages of its builds as one.
    Index(Arc<Page>),
    /// A direct reference: the universe has one release.
    Direct(DirectUrl, Arc<DirectFacts>),
    /// No index has the distribution.
    Missing(Vec<String>),
    /// A base has it, and it stays as it is.
    Installed(BasePackage),
    /// No build of the distribution's family suits the target; why, in words.
    NoBuild(String),
}

/// One release that can be chosen: its files, as indexes into the page's.
#[derive(Debug, Default)]
pub(crate) struct Release {
    /// The wheel that suits the target best.
    pub(crate) wheel: Option<usize>,
    /// The source distribution.
    pub(crate) sdist: Option<usize>,
    /// Every file that the policy admits, whatever its target, in page order.
    pub(crate) files: Vec<usize>,
    /// The release is yanked, and was admitted because a pin demands it.
    pub(crate) yanked: Option<Yanked>,
    /// The wheel variant that it is taken in, where it has some and the target takes them.
    pub(crate) variant: Option<ChosenVariant>,
}

/// What decides which releases of a distribution can be chosen.
pub(crate) struct Admission<'a> {
    pub(crate) target: &'a Target,
    pub(crate) rules: &'a RuleSet,
    policy: &'a Policy,
    /// The user's lines that name the distribution.
    lines: Vec<&'a Line>,
    pin: Option<&'a Version>,
    /// Its releases come from the indexes of a family's builds, which give no upload times.
    pub(crate) of_builds: bool,
    /// The release that a base has of it, and that may be changed.
    pub(crate) installed: Option<&'a Version>,
    /// The releases that have wheel variants, where the target takes them.
    pub(crate) variants: BTreeMap<Version, Grouped>,
}

/// What a universe hangs on beside page, target and policy.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct AdmissionKey {
    name: PackageName,
    prereleases: bool,
    exact: Vec<String>,
    pin: Option<Version>,
    broken: Vec<String>,
    installed: Option<Version>,
}

impl<'a> Admission<'a> {
    pub(crate) fn new(
        request: &'a Request,
        target: &'a Target,
        rules: &'a RuleSet,
        name: &PackageName,
    ) -> Self {
        let lines = request
            .requirements
            .iter()
            .chain(&request.constraints)
            .chain(&request.overrides)
            .filter(|line| line.name == *name)
            .collect();
        Self {
            target,
            rules,
            policy: &request.policy,
            lines,
            pin: request.pins.get(name).map(|pin| &pin.version),
            of_builds: false,
            installed: request
                .base
                .changeable(name)
                .and_then(|package| package.version.as_ref()),
            variants: BTreeMap::new(),
        }
    }

    /// What the admission hangs on beside page, target and policy: two admissions with the
    /// same key make the same universe of a page.
    pub(crate) fn key(&self, name: &PackageName) -> AdmissionKey {
        let mut exact: Vec<String> = self
            .specifiers()
            .flat_map(|specifiers| specifiers.iter())
            .filter(|specifier| {
                matches!(specifier.operator(), Operator::Equal | Operator::ExactEqual)
            })
            .map(ToString::to_string)
            .collect();
        exact.sort();
        exact.dedup();
        AdmissionKey {
            name: name.clone(),
            prereleases: self.admits_prereleases(true),
            exact,
            pin: self.pin.cloned(),
            installed: self.installed.cloned(),
            broken: self
                .rules
                .on(name)
                .iter()
                .filter(|rule| matches!(rule.kind, RuleKind::Broken { .. }))
                .map(|rule| rule.id.to_string())
                .collect(),
        }
    }

    fn specifiers(&self) -> impl Iterator<Item = &VersionSpecifiers> {
        self.lines.iter().filter_map(|line| match &line.source {
            LineSource::Specifiers(specifiers) => Some(specifiers),
            LineSource::Direct(_) => None,
        })
    }

    /// Pre-releases: with `--pre`, when a user line names one, or when there is no final
    /// release before the cut-off.
    fn admits_prereleases(&self, finals: bool) -> bool {
        self.policy.prereleases
            || !finals
            || self
                .specifiers()
                .flat_map(|specifiers| specifiers.iter())
                .any(|specifier| specifier.version().any_prerelease())
            || self.pin.is_some_and(Version::any_prerelease)
    }

    /// Yanked releases: only by the user's `==` or `===`, or by an existing pin.
    fn admits_yanked(&self, version: &Version) -> bool {
        self.pin == Some(version)
            || self.specifiers().any(|specifiers| {
                specifiers.iter().any(|specifier| {
                    matches!(specifier.operator(), Operator::Equal | Operator::ExactEqual)
                }) && versions::contains(specifiers, version)
            })
    }

    fn broken_by(&self, name: &PackageName, version: &Version) -> Option<Unusable> {
        self.rules
            .on(name)
            .iter()
            .find_map(|rule| match &rule.kind {
                RuleKind::Broken { when }
                    if when.versions.contains(version)
                        && when.marker.evaluate(&self.target.markers, &[]) =>
                {
                    Some(Unusable::Broken {
                        rule: rule.id.to_string(),
                    })
                }
                _ => None,
            })
    }
}

impl Universe {
    /// The releases of a page that can be chosen.
    ///
    /// # Errors
    ///
    /// [`FactError::Failed`] where there is a cut-off and the page gives no upload times.
    pub(crate) fn of_page(page: &Arc<Page>, admission: &Admission<'_>) -> Result<Self, FactError> {
        let cutoff = cutoff(page, admission)?;
        let mut by_version: BTreeMap<&Version, Vec<usize>> = BTreeMap::new();
        for (index, file) in page.files.iter().enumerate() {
            by_version.entry(&file.version).or_default().push(index);
        }
        let visible = |index: &usize| cutoff.sees(&page.files[*index]).is_ok();
        let finals = by_version
            .iter()
            .any(|(version, files)| !version.any_prerelease() && files.iter().any(visible));
        let prereleases = admission.admits_prereleases(finals);

        let mut universe = Self {
            name: page.name.clone(),
            versions: Vec::with_capacity(by_version.len()),
            releases: Vec::with_capacity(by_version.len()),
            rejected: Vec::new(),
            source: Source::Index(Arc::clone(page)),
            installed: None,
            builds: None,
        };
        let mut judge = Judge::new(page, admission, &cutoff);
        for (version, files) in by_version {
            let verdict = if version.any_prerelease() && !prereleases {
                Err(Unusable::PreRelease)
            } else if let Some(broken) = admission.broken_by(&page.name, version) {
                Err(broken)
            } else if let Some(grouped) = admission.variants.get(version) {
                judge.best_variant(version, grouped)
            } else {
                judge.release(version, &files)
            };
            match verdict {
                Ok(release) => {
                    universe.versions.push(version.clone());
                    universe.releases.push(release);
                }
                Err(reason) => universe.rejected.push((version.clone(), reason)),
            }
        }
        Ok(universe)
    }

    /// The one release of a direct reference.
    pub(crate) fn of_direct(url: &DirectUrl, facts: Arc<DirectFacts>) -> Self {
        Self {
            name: facts.metadata.name.clone(),
            versions: vec![facts.metadata.version.clone()],
            releases: vec![Release::default()],
            rejected: Vec::new(),
            source: Source::Direct(url.clone(), facts),
            installed: None,
            builds: None,
        }
    }

    /// A distribution that no index has.
    pub(crate) fn missing(name: &PackageName, asked: Vec<String>) -> Self {
        Self {
            name: name.clone(),
            versions: Vec::new(),
            releases: Vec::new(),
            rejected: Vec::new(),
            source: Source::Missing(asked),
            installed: None,
            builds: None,
        }
    }

    /// A package of a base that stays as it is.
    pub(crate) fn of_base(name: &PackageName, package: &BasePackage) -> Self {
        Self {
            name: name.clone(),
            // Where the version is not known nobody compares it.
            versions: vec![
                package
                    .version
                    .clone()
                    .unwrap_or_else(|| Version::new([0_u64])),
            ],
            releases: vec![Release::default()],
            rejected: Vec::new(),
            source: Source::Installed(package.clone()),
            installed: Some(0),
            builds: None,
        }
    }

    /// The same universe, where this release is installed already and may be changed.
    pub(crate) fn with_installed(mut self, version: &Version) -> Self {
        let index = match self.versions.binary_search(version) {
            Ok(index) => index,
            Err(index) => {
                self.versions.insert(index, version.clone());
                self.releases.insert(index, Release::default());
                if let Some(builds) = &mut self.builds {
                    builds.labels.insert(index, None);
                }
                self.rejected.retain(|(rejected, _)| rejected != version);
                index
            }
        };
        self.installed = Rank::try_from(index).ok();
        self
    }

    /// Whether a release is there already, so that nothing has to be installed for it.
    pub(crate) fn is_installed(&self, rank: Rank) -> bool {
        self.installed == Some(rank)
    }

    /// Whether requirements on the distribution cannot be judged, since a base does not tell
    /// its version.
    pub(crate) fn is_unversioned(&self) -> bool {
        matches!(&self.source, Source::Installed(package) if package.version.is_none())
    }

    /// A member of a family of which no build suits the target.
    pub(crate) fn no_build(name: &PackageName, because: String) -> Self {
        Self {
            source: Source::NoBuild(because),
            ..Self::missing(name, Vec::new())
        }
    }

    /// Says what the releases of a family's member are built for: by the local version, else
    /// by `listed`, the labels on whose pages each file stands. Releases that the target's
    /// GPUs do not run are set aside.
    pub(crate) fn with_builds(
        mut self,
        rule: &Arc<Rule>,
        family: Family<'_>,
        target: &Target,
        listed: Option<Merged>,
    ) -> Self {
        let (files, pages) = match listed {
            Some(merged) => {
                self.rejected.extend(merged.strays);
                (merged.labels, merged.pages)
            }
            None => (Vec::new(), BTreeMap::new()),
        };
        let mut builds = MemberBuilds {
            rule: Arc::clone(rule),
            labels: Vec::with_capacity(self.versions.len()),
            pages,
            built_against: BTreeMap::new(),
        };
        let versions = std::mem::take(&mut self.versions);
        let releases = std::mem::take(&mut self.releases);
        for (version, release) in versions.into_iter().zip(releases) {
            let is_labelled = release
                .variant
                .as_ref()
                .is_some_and(|variant| variant.label.is_some());
            // A wheel variant says by itself what it needs.
            let own = labels::named(family, &version).or_else(|| {
                let file = release.wheel.or(release.sdist).filter(|_| !is_labelled)?;
                files.get(file).cloned()
            });
            let running =
                own.map(|own| labels::running(family, &self.name, &version, &own, target));
            match running.transpose() {
                Ok(own) => {
                    builds.labels.push(own);
                    self.versions.push(version);
                    self.releases.push(release);
                }
                Err(reason) => self.rejected.push((version, reason)),
            }
        }
        self.rejected.sort_by(|one, other| one.0.cmp(&other.0));
        self.builds = Some(builds);
        self
    }

    /// Says what the releases are built against whose local versions tell it. Those of which
    /// the family has no build on the target are set aside.
    pub(crate) fn with_extension(
        mut self,
        (rule, family, extension): (&Arc<Rule>, Family<'_>, &FamilyExtension),
        target: &Target,
    ) -> Self {
        let mut builds = MemberBuilds {
            rule: Arc::clone(rule),
            labels: Vec::with_capacity(self.versions.len()),
            pages: BTreeMap::new(),
            built_against: BTreeMap::new(),
        };
        let versions = std::mem::take(&mut self.versions);
        let releases = std::mem::take(&mut self.releases);
        for (version, release) in versions.into_iter().zip(releases) {
            match labels::extended(family, extension, &version, target) {
                Ok(found) => {
                    let (labels, dependency) = found
                        .map_or((None, None), |(labels, dependency)| {
                            (Some(labels), dependency)
                        });
                    if let Some(dependency) = dependency {
                        builds.built_against.insert(version.clone(), dependency);
                    }
                    builds.labels.push(labels);
                    self.versions.push(version);
                    self.releases.push(release);
                }
                Err(reason) => self.rejected.push((version, reason)),
            }
        }
        self.rejected.sort_by(|one, other| one.0.cmp(&other.0));
        self.builds = Some(builds);
        self
    }

    /// The release that another one was built against, where its version says so.
    pub(crate) fn built_against(&self, rank: Rank) -> Option<&Dependency> {
        let version = self.versions.get(rank as usize)?;
        self.builds.as_ref()?.built_against.get(version)
    }

    /// The labels that a release is built for, where it is known.
    pub(crate) fn labels(&self, rank: Rank) -> Option<(&Arc<Rule>, &RankSet)> {
        let builds = self.builds.as_ref()?;
        let labels = builds.labels.get(rank as usize)?.as_ref()?;
        Some((&builds.rule, labels))
    }

    /// The page that lists a release in a build: any of its builds' where none is named.
    pub(crate) fn page_of(&self, rank: Rank, label: Option<Rank>) -> Option<&Arc<Page>> {
        let Source::Index(page) = &self.source else {
            return None;
        };
        let listed = self.builds.as_ref().and_then(|builds| {
            let labels = builds.labels.get(rank as usize)?.as_ref()?;
            let on = |number: Rank| builds.pages.get(&number);
            label
                .filter(|label| labels.contains(*label))
                .and_then(on)
                .or_else(|| on(labels.intervals().next_back()?.1 - 1))
        });
        Some(listed.unwrap_or(page))
    }

    /// How many releases can be chosen.
    pub(crate) fn len(&self) -> Rank {
        Rank::try_from(self.versions.len()).unwrap_or(Rank::MAX)
    }

    /// The releases that specifiers contain.
    pub(crate) fn set(&self, specifiers: &VersionSpecifiers) -> RankSet {
        if specifiers.is_empty() || self.is_unversioned() {
            return RankSet::interval(0, self.len());
        }
        versions::rank_set(specifiers, &self.versions)
    }

    /// The release that is chosen first among those of `range`: the pin if it is there,
    /// else the newest with a suitable wheel, else the newest.
    pub(crate) fn first_choice(
        &self,
        range: &RankSet,
        pin: Option<&Version>,
        freely: bool,
    ) -> Option<Rank> {
        if let Some(rank) = pin
            .and_then(|pin| self.rank(pin).or_else(|| self.same_release(pin, range)))
            .filter(|rank| range.contains(*rank))
        {
            return Some(rank);
        }
        let newest = range.ranks_below(self.len()).next_back()?;
        if freely {
            return Some(newest);
        }
        range
            .ranks_below(self.len())
            .rev()
            .find(|rank| self.needs_no_build(*rank))
            .or(Some(newest))
    }

    /// The newest build in a range of the release that a pin names, where the pin is to
    /// another build.
    fn same_release(&self, pin: &Version, range: &RankSet) -> Option<Rank> {
        self.builds.as_ref()?;
        let public = pin.clone().without_local();
        range
            .ranks_below(self.len())
            .rev()
            .find(|rank| self.versions[*rank as usize].clone().without_local() == public)
    }

    /// The rank of a version.
    pub(crate) fn rank(&self, version: &Version) -> Option<Rank> {
        let index = self.versions.binary_search(version).ok()?;
        Rank::try_from(index).ok()
    }

    /// Whether a release is there, or has a wheel that suits.
    pub(crate) fn needs_no_build(&self, rank: Rank) -> bool {
        self.is_installed(rank)
            || self
                .releases
                .get(rank as usize)
                .is_some_and(|release| release.has_wheel(&self.source))
    }

    /// The file that a release's metadata is read from.
    pub(crate) fn metadata_file(&self, rank: Rank) -> Option<&File> {
        let release = self.releases.get(rank as usize)?;
        let Source::Index(page) = &self.source else {
            return None;
        };
        page.files.get(release.wheel.or(release.sdist)?)
    }
}

impl Release {
    /// Whether nothing needs to be built for the release.
    fn has_wheel(&self, source: &Source) -> bool {
        self.wheel.is_some() || matches!(source, Source::Direct(..))
    }
}

/// The cut-off as it holds for one page.
enum Cutoff {
    Off,
    Before(jiff::Timestamp),
}

impl Cutoff {
    fn sees(&self, file: &File) -> Result<(), Unusable> {
        match self {
            Self::Off => Ok(()),
            Self::Before(instant) => match file.upload_time {
                Some(time) if time < *instant => Ok(()),
                Some(_) => Err(Unusable::TooNew),
                None => Err(Unusable::NoUploadTime),
            },
        }
    }
}

fn cutoff(page: &Page, admission: &Admission<'_>) -> Result<Cutoff, FactError> {
    let policy = admission.policy;
    let Some(instant) = policy.exclude_newer else {
        return Ok(Cutoff::Off);
    };
    if policy.exclude_newer_off.contains(&page.index) {
        return Ok(Cutoff::Off);
    }
    if page.files.is_empty() || page.files.iter().any(|file| file.upload_time.is_some()) {
        return Ok(Cutoff::Before(instant));
    }
    if admission.of_builds {
        return Ok(Cutoff::Off);
    }
    Err(FactError::Failed {
        message: format!(
            "there is a cut-off (`--exclude-newer`), but the index `{}` gives no upload times for `{}`",
            page.index, page.name
        ),
        hint: Some(format!(
            "take everything on that index, whatever its age, with `--exclude-newer-index {}=off`",
            page.index
        )),
    })
}

/// Judges the files of one page.
struct Judge<'a> {
    page: &'a Page,
    admission: &'a Admission<'a>,
    cutoff: &'a Cutoff,
    wheels: bool,
    sdists: bool,
    /// Verdicts on `Requires-Python` strings: a page repeats a few of them thousands of times.
    pythons: BTreeMap<&'a str, bool>,
}

impl<'a> Judge<'a> {
    fn new(page: &'a Page, admission: &'a Admission<'a>, cutoff: &'a Cutoff) -> Self {
        Self {
            page,
            admission,
            cutoff,
            wheels: admission.policy.wheels.allows(&page.name),
            sdists: admission.policy.sdists.allows(&page.name),
            pythons: BTreeMap::new(),
        }
    }

    /// The release made of the best group of files that has one.
    fn best_variant(&mut self, version: &Version, grouped: &Grouped) -> Result<Release, Unusable> {
        let mut last = None;
        for (variant, files) in &grouped.groups {
            match self.release(version, files) {
                Ok(release) => {
                    let variant = Some(variant.clone());
                    return Ok(Release { variant, ..release });
                }
                Err(reason) => last = Some(reason),
            }
        }
        Err(match (grouped.none_because(), last) {
            (Some(detail), _) => Unusable::Accelerator { detail },
            (None, Some(reason)) => reason,
            (None, None) => Unusable::NoSuitableFile { found: Vec::new() },
        })
    }

    /// The release made of these files, or the reason that comes closest to a use of it.
    fn release(&mut self, version: &Version, files: &[usize]) -> Result<Release, Unusable> {
        let mut release = Release::default();
        let mut best = None;
        let mut reasons: Vec<Unusable> = Vec::new();
        let mut tags: Vec<String> = Vec::new();
        let yanked_admitted = self.admission.admits_yanked(version);
        for &index in files {
            let file = &self.page.files[index];
            // It is no part of the release that anybody installs.
            if matches!(file.kind, FileKind::Variants(_)) {
                continue;
            }
            if let Err(reason) = self.visible(file, yanked_admitted) {
                reasons.push(reason);
                continue;
            }
            // Installers that know no variants cannot even read such a name.
            if let Some(label) = file.kind.variant()
                && self.admission.target.accelerator.variants.is_none()
            {
                tags.push(format!("the wheel variant {label}"));
                continue;
            }
            release.files.push(index);
            if let Some(yanked) = &file.yanked {
                release.yanked = Some(yanked.clone());
            }
            match &file.kind {
                FileKind::Wheel(wheel) => {
                    let order = self.admission.target.wheel_order(wheel);
                    match (order, self.admits_python(file)) {
                        (Some(key), Ok(())) => {
                            if best.as_ref().is_none_or(|(known, _)| *known < key) {
                                best = Some((key, index));
                            }
                        }
                        (_, Err(reason)) => reasons.push(reason),
                        (None, Ok(())) => {
                            tags.push(format!(
                                "{}-{}-{}",
                                wheel.python.join("."),
                                wheel.abi.join("."),
                                wheel.platform.join(".")
                            ));
                        }
                    }
                }
                FileKind::Sdist(_) => match self.admits_python(file) {
                    Ok(()) => release.sdist = Some(better_sdist(self.page, release.sdist, index)),
                    Err(reason) => reasons.push(reason),
                },
                FileKind::Variants(_) => {}
            }
        }
        release.wheel = best.map(|(_, index)| index);
        if release.wheel.is_some() || release.sdist.is_some() {
            return Ok(release);
        }
        Err(closest(reasons, tags))
    }

    fn visible(&self, file: &File, yanked_admitted: bool) -> Result<(), Unusable> {
        self.cutoff.sees(file)?;
        match &file.kind {
            FileKind::Wheel(_) if !self.wheels => return Err(Unusable::WheelRefused),
            FileKind::Sdist(_) if !self.sdists => return Err(Unusable::SdistRefused),
            _ => {}
        }
        match &file.yanked {
            Some(yanked) if !yanked_admitted => Err(Unusable::Yanked {
                reason: yanked.reason.clone(),
            }),
            _ => Ok(()),
        }
    }

    fn admits_python(&mut self, file: &'a File) -> Result<(), Unusable> {
        let Some(requires) = file.requires_python.as_deref() else {
            return Ok(());
        };
        let target = self.admission.target;
        let admitted = *self.pythons.entry(requires).or_insert_with(|| {
            // What a page says and nobody can read is left to the file's own metadata.
            VersionSpecifiers::from_str(requires)
                .map_or(true, |specifiers| target.admits_python(&specifiers))
        });
        if admitted {
            Ok(())
        } else {
            Err(Unusable::Python {
                requires: requires.to_owned(),
            })
        }
    }
}

/// Of several source distributions, `tar.gz` first (PEP 625), then the later in page order.
fn better_sdist(page: &Page, known: Option<usize>, new: usize) -> usize {
    let is_tar_gz = |index: usize| matches!(&page.files[index].kind, FileKind::Sdist(name) if name.extension == "tar.gz");
    match known {
        Some(known) if is_tar_gz(known) && !is_tar_gz(new) => known,
        _ => new,
    }
}

/// Of the reasons against a release's files, the one nearest to a use of it.
fn closest(mut reasons: Vec<Unusable>, mut tags: Vec<String>) -> Unusable {
    let distance = |reason: &Unusable| match reason {
        Unusable::Python { .. } => 0,
        Unusable::Yanked { .. } => 1,
        Unusable::WheelRefused | Unusable::SdistRefused => 2,
        Unusable::NoUploadTime => 4,
        Unusable::TooNew => 5,
        _ => 3,
    };
    tags.sort();
    tags.dedup();
    tags.truncate(4);
    if !tags.is_empty() || reasons.is_empty() {
        reasons.push(Unusable::NoSuitableFile { found: tags });
    }
    reasons.sort_by_key(|reason| (distance(reason), reason.clone()));
    reasons.swap_remove(0)
}
