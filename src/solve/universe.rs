//! The known releases of one distribution for one target: what can be chosen, and why not the rest.

mod admission;
mod judge;

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::str::FromStr;
use std::sync::Arc;

use pep440_rs::{Version, VersionSpecifiers};
use pep508_rs::PackageName;

use self::judge::Why;
use super::facts::{DirectFacts, Unusable};
use super::labels::{self, Family, MemberBuilds, Merged};
use super::outcome::ChosenVariant;
use crate::metadata::{Dependency, File, FileId, Page, UnreadableFiles, Yanked};
use crate::request::{BasePackage, DirectUrl};
use crate::rules::{FamilyExtension, Rule};
use crate::target::Target;
use crate::versions::{self, Rank, RankSet};

pub(crate) use self::admission::{Admission, AdmissionKey};
pub(crate) use self::judge::{Judge, Verdicts};

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
    /// The releases of the page that cannot be chosen.
    dismissed: Vec<(u32, Why)>,
    /// The releases of other builds than those that suit, with the reason.
    set_aside: Vec<(Version, Unusable)>,
    /// Both, when somebody asks.
    rejected: OnceCell<Vec<(Version, Unusable)>>,
    /// What judged the page.
    judge: Option<Judge>,
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

/// One release that can be chosen.
#[derive(Debug, Clone, Default)]
pub(crate) struct Release {
    /// The wheel that suits the target best.
    pub(crate) wheel: Option<FileId>,
    /// The source distribution.
    pub(crate) sdist: Option<FileId>,
    /// Its place among the releases of the page.
    place: Option<u32>,
    /// Whether files of it that were yanked may be taken.
    yanked_admitted: bool,
    /// The wheel variant that it is taken in, where it has some and the target takes them, with
    /// the files of that variant.
    variant: Option<Rc<(ChosenVariant, Vec<FileId>)>>,
}

impl Universe {
    /// The releases of a page that can be chosen.
    pub(crate) fn of_page(page: &Arc<Page>, admission: &Admission<'_>, judge: Judge) -> Self {
        let files = &page.files;
        let visible = |id| files.row(id).is_some_and(|row| judge.sees(&row));
        let finals = files
            .releases()
            .any(|release| !release.is_prerelease && release.files().any(visible));
        let prereleases = admission.admits_prereleases(finals);
        let broken = admission.broken(&page.name);

        let mut universe = Self::empty(&page.name, Source::Index(Arc::clone(page)));
        for (place, rows) in (0..).zip(files.releases()) {
            let version = OnceCell::new();
            let version = || {
                version
                    .get_or_init(|| Version::from_str(rows.version).ok())
                    .as_ref()
            };
            let yanked = || version().is_some_and(|version| admission.admits_yanked(version));
            let broken_by = || {
                let mut rules = broken.iter();
                rules.find(|(when, _)| version().is_some_and(|it| when.versions.contains(it)))
            };
            let verdict = if rows.is_prerelease && !prereleases {
                Err(Why::PreRelease)
            } else if let Some((_, rule)) = broken_by() {
                Err(Why::Broken(rule.as_str().into()))
            } else if let Some(grouped) = version().and_then(|it| admission.variants.get(it)) {
                judge.best_variant(files, place, grouped, yanked)
            } else {
                judge
                    .release(files, place, rows.files(), yanked)
                    .ok_or_else(|| Why::Files {
                        yanked_admitted: yanked(),
                    })
            };
            match (verdict, version()) {
                (Ok(release), Some(version)) => {
                    universe.versions.push(version.clone());
                    universe.releases.push(release);
                }
                (Err(why), _) => universe.dismissed.push((place, why)),
                // Every version of a page was read before it was written.
                (Ok(_), None) => {}
            }
        }
        universe.judge = Some(judge);
        universe
    }

    fn empty(name: &PackageName, source: Source) -> Self {
        Self {
            name: name.clone(),
            versions: Vec::new(),
            releases: Vec::new(),
            dismissed: Vec::new(),
            set_aside: Vec::new(),
            rejected: OnceCell::new(),
            judge: None,
            source,
            installed: None,
            builds: None,
        }
    }

    /// The one release of a direct reference.
    pub(crate) fn of_direct(url: &DirectUrl, facts: Arc<DirectFacts>) -> Self {
        let name = facts.metadata.name.clone();
        Self {
            versions: vec![facts.metadata.version.clone()],
            releases: vec![Release::default()],
            ..Self::empty(&name, Source::Direct(url.clone(), facts))
        }
    }

    /// A distribution that no index has.
    pub(crate) fn missing(name: &PackageName, asked: Vec<String>) -> Self {
        Self::empty(name, Source::Missing(asked))
    }

    /// A package of a base that stays as it is.
    pub(crate) fn of_base(name: &PackageName, package: &BasePackage) -> Self {
        Self {
            // Where the version is not known nobody compares it.
            versions: vec![
                package
                    .version
                    .clone()
                    .unwrap_or_else(|| Version::new([0_u64])),
            ],
            releases: vec![Release::default()],
            installed: Some(0),
            ..Self::empty(name, Source::Installed(package.clone()))
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
        Self::empty(name, Source::NoBuild(because))
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
                self.set_aside.extend(merged.strays);
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
            // A wheel variant says by itself what it needs.
            let is_labelled = release.label().is_some();
            let own = labels::named(family, &version).or_else(|| {
                let file = self.place_of(&release).filter(|_| !is_labelled)?;
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
                Err(reason) => self.set_aside.push((version, reason)),
            }
        }
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
                Err(reason) => self.set_aside.push((version, reason)),
            }
        }
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
    pub(crate) fn metadata_file(&self, rank: Rank) -> Option<Result<File, UnreadableFiles>> {
        let Source::Index(page) = &self.source else {
            return None;
        };
        self.metadata_row(rank).map(|id| page.files.file(id))
    }

    /// The row of that file.
    pub(crate) fn metadata_row(&self, rank: Rank) -> Option<FileId> {
        let release = self.releases.get(rank as usize)?;
        release.wheel.or(release.sdist)
    }

    /// Every file of a release that the policy admits, whatever its target, in page order.
    pub(crate) fn files(&self, rank: Rank) -> Result<Vec<File>, UnreadableFiles> {
        let Source::Index(page) = &self.source else {
            return Ok(Vec::new());
        };
        page.files.some(&self.rows(rank, page))
    }

    fn rows(&self, rank: Rank, page: &Page) -> Vec<FileId> {
        let Some((judge, release)) = self.judge.as_ref().zip(self.releases.get(rank as usize))
        else {
            return Vec::new();
        };
        if let Some(variant) = &release.variant {
            let files = variant.1.iter().copied();
            return judge.files(&page.files, files, release.yanked_admitted);
        }
        let rows = release.place.and_then(|place| page.files.release(place));
        rows.map_or_else(Vec::new, |rows| {
            judge.files(&page.files, rows.files(), release.yanked_admitted)
        })
    }

    /// The release is yanked, and was admitted because a pin demands it.
    pub(crate) fn yanked(&self, rank: Rank) -> Option<Yanked> {
        let Source::Index(page) = &self.source else {
            return None;
        };
        let rows = self.rows(rank, page);
        rows.iter().rev().find_map(|id| page.files.yanked(*id))
    }

    /// The wheel variant that a release is taken in.
    pub(crate) fn variant(&self, rank: Rank) -> Option<&ChosenVariant> {
        let variant = self.releases.get(rank as usize)?.variant.as_ref()?;
        Some(&variant.0)
    }

    /// The place in page order of the file that stands for a release.
    fn place_of(&self, release: &Release) -> Option<usize> {
        let Source::Index(page) = &self.source else {
            return None;
        };
        let row = page.files.row(release.wheel.or(release.sdist)?)?;
        usize::try_from(row.place).ok()
    }

    /// The releases that cannot be chosen, ascending, with the reason.
    pub(crate) fn rejected(&self) -> &[(Version, Unusable)] {
        self.rejected.get_or_init(|| {
            let dismissed = self.dismissed.iter().filter_map(|(place, why)| {
                let (Source::Index(page), Some(judge)) = (&self.source, &self.judge) else {
                    return None;
                };
                let rows = page.files.release(*place)?;
                let reason = match why {
                    Why::PreRelease => Unusable::PreRelease,
                    Why::Broken(rule) => Unusable::Broken {
                        rule: rule.to_string(),
                    },
                    Why::Files { yanked_admitted } => {
                        judge.reason(&page.files, rows.files(), *yanked_admitted)
                    }
                    Why::Said(reason) => reason.clone(),
                };
                Some((Version::from_str(rows.version).ok()?, reason))
            });
            let installed = self
                .installed
                .and_then(|rank| self.versions.get(rank as usize));
            let mut rejected: Vec<(Version, Unusable)> = dismissed
                .chain(self.set_aside.iter().cloned())
                .filter(|(version, _)| Some(version) != installed)
                .collect();
            rejected.sort_by(|one, other| one.0.cmp(&other.0));
            rejected
        })
    }
}

impl Release {
    /// The label of the wheel variant that it is taken in.
    fn label(&self) -> Option<&str> {
        self.variant.as_ref()?.0.label.as_deref()
    }

    /// Whether nothing needs to be built for the release.
    fn has_wheel(&self, source: &Source) -> bool {
        self.wheel.is_some() || matches!(source, Source::Direct(..))
    }
}
