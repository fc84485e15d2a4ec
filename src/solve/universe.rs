//! The known releases of one distribution for one target: what can be chosen, and why not the rest.

mod admission;
mod judge;
mod noted;
mod release;
mod sight;
mod verdicts;
mod versions;

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::str::FromStr;
use std::sync::Arc;

use pep440_rs::{Version, VersionSpecifiers};
use pep508_rs::PackageName;

use self::judge::Why;
use self::noted::Noted;
use self::release::{NO_FILE, Release, Special};
use self::versions::Versions;
use super::chosen_files::ChosenFiles;
use super::facts::{DirectFacts, Unusable};
use super::labels::{self, Family, MemberBuilds, Merged};
use super::outcome::ChosenVariant;
use crate::metadata::{Dependency, File, FileId, Page, ReleaseFiles, UnreadableFiles, Yanked};
use crate::request::{BasePackage, DirectUrl};
use crate::rules::{FamilyExtension, Rule};
use crate::target::Target;
use crate::versions::{Rank, RankSet, rank_set_of};

pub(crate) use self::admission::{Admission, AdmissionKey};
pub(crate) use self::judge::Judge;
pub(crate) use self::noted::NoteKey;
pub(crate) use self::verdicts::Verdicts;

/// The releases of one distribution that can be chosen, oldest first; a release's place
/// is its rank.
#[derive(Debug)]
pub(crate) struct Universe {
    /// The distribution.
    pub(crate) name: PackageName,
    /// The versions, ascending, one for each release.
    pub(crate) versions: Versions,
    /// The releases, in the same order.
    releases: Vec<Release>,
    /// The releases of the page that cannot be chosen.
    dismissed: Vec<(u32, Why)>,
    /// What they follow from, where the universe was noted with its page.
    noted: Option<Noted>,
    /// The releases of other builds than those that suit, with the reason.
    set_aside: Vec<(Version, Unusable)>,
    /// Both, when somebody asks.
    rejected: OnceCell<Vec<(Version, Unusable)>>,
    /// What judged the page.
    judge: Option<Judge>,
    /// The files of releases that were asked for, by the place on the page.
    read: RefCell<BTreeMap<u32, Arc<ReleaseFiles>>>,
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

impl Universe {
    /// Whether pre-releases of a page can be chosen.
    ///
    /// # Errors
    ///
    /// [`UnreadableFiles`] where the cut-off hangs on what cannot be read any more.
    pub(crate) fn prereleases(
        page: &Page,
        admission: &Admission<'_>,
        judge: &Judge,
    ) -> Result<bool, UnreadableFiles> {
        let files = &page.files;
        for (place, rows) in (0..).zip(files.releases()) {
            if !rows.is_prerelease && judge.is_there(files, place, &rows)? {
                return Ok(admission.admits_prereleases(true));
            }
        }
        Ok(admission.admits_prereleases(false))
    }

    /// The releases of a page that can be chosen.
    ///
    /// # Errors
    ///
    /// [`UnreadableFiles`] where the cut-off hangs on what cannot be read any more.
    pub(crate) fn of_page(
        page: &Arc<Page>,
        admission: &Admission<'_>,
        judge: Judge,
        prereleases: bool,
    ) -> Result<Self, UnreadableFiles> {
        let files = &page.files;
        let broken = admission.broken(&page.name);

        let mut universe = Self::empty(&page.name, Source::Index(Arc::clone(page)));
        let most = files.releases().size_hint().1.unwrap_or_default();
        universe.versions = Versions::of_page(files, most);
        universe.releases = Vec::with_capacity(most);
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
            let grouped = || {
                let some = !admission.variants.is_empty();
                some.then(version)
                    .flatten()
                    .and_then(|it| admission.variants.get(it))
            };
            if rows.is_prerelease && !prereleases {
                universe.dismissed.push((place, Why::PreRelease));
                continue;
            }
            if let Some((_, rule)) = broken_by() {
                let why = Why::Broken(rule.as_str().into());
                universe.dismissed.push((place, why));
                continue;
            }
            let sight = judge.sight(files, place, &rows)?;
            let verdict = if let Some(grouped) = grouped() {
                let best = judge.best_variant(files, &rows, &sight, grouped, yanked);
                best.map(|(number, choice)| {
                    let group = grouped.groups.get(number).cloned();
                    (choice, group.map(Rc::new))
                })
            } else {
                let choice = judge.choice(files, &rows, &sight, yanked);
                choice
                    .map(|choice| (choice, None))
                    .ok_or_else(|| judge.dismissed(files, &rows, &sight, yanked()))
            };
            match verdict {
                Ok((choice, variant)) => {
                    universe.versions.push_place(place);
                    let yanked_admitted = choice.yanked_admitted;
                    let is_special = yanked_admitted || variant.is_some();
                    universe.releases.push(Release {
                        wheel: choice.wheel.unwrap_or(NO_FILE),
                        sdist: choice.sdist.unwrap_or(NO_FILE),
                        special: is_special.then(|| {
                            Box::new(Special {
                                yanked_admitted,
                                variant,
                            })
                        }),
                    });
                }
                Err(why) => universe.dismissed.push((place, why)),
            }
        }
        universe.judge = Some(judge);
        Ok(universe)
    }

    fn empty(name: &PackageName, source: Source) -> Self {
        Self {
            name: name.clone(),
            versions: Versions::default(),
            releases: Vec::new(),
            dismissed: Vec::new(),
            noted: None,
            set_aside: Vec::new(),
            rejected: OnceCell::new(),
            judge: None,
            read: RefCell::default(),
            source,
            installed: None,
            builds: None,
        }
    }

    /// The one release of a direct reference.
    pub(crate) fn of_direct(url: &DirectUrl, facts: Arc<DirectFacts>) -> Self {
        let name = facts.metadata.name.clone();
        Self {
            versions: Versions::one(facts.metadata.version.clone()),
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
            versions: Versions::one(
                package
                    .version
                    .clone()
                    .unwrap_or_else(|| Version::new([0_u64])),
            ),
            releases: vec![Release::default()],
            installed: Some(0),
            ..Self::empty(name, Source::Installed(package.clone()))
        }
    }

    /// The same universe, where this release is installed already and may be changed.
    pub(crate) fn with_installed(mut self, version: &Version) -> Self {
        let index = match self.versions.find(version) {
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
            None => (BTreeMap::new(), BTreeMap::new()),
        };
        let name = self.name.clone();
        let labels = self.sort_out(|version, release, file| {
            // A wheel variant says by itself what it needs.
            let is_labelled = release.label().is_some();
            let own = labels::named(family, version)
                .or_else(|| files.get(&file.filter(|_| !is_labelled)?).cloned());
            own.map(|own| labels::running(family, &name, version, &own, target))
                .transpose()
        });
        self.builds = Some(MemberBuilds {
            rule: Arc::clone(rule),
            labels,
            pages,
            built_against: BTreeMap::new(),
        });
        self
    }

    /// Says what the releases are built against whose local versions tell it. Those of which
    /// the family has no build on the target are set aside.
    pub(crate) fn with_extension(
        mut self,
        (rule, family, extension): (&Arc<Rule>, Family<'_>, &FamilyExtension),
        target: &Target,
    ) -> Self {
        let mut built_against = BTreeMap::new();
        let labels = self.sort_out(|version, _, _| {
            let found = labels::extended(family, extension, version, target)?;
            Ok(found.map(|(labels, dependency)| {
                if let Some(dependency) = dependency {
                    built_against.insert(version.clone(), dependency);
                }
                labels
            }))
        });
        self.builds = Some(MemberBuilds {
            rule: Arc::clone(rule),
            labels,
            pages: BTreeMap::new(),
            built_against,
        });
        self
    }

    /// What is found of each release; those against which a reason is found are set aside.
    fn sort_out<T>(
        &mut self,
        mut find: impl FnMut(&Version, &Release, Option<FileId>) -> Result<T, Unusable>,
    ) -> Vec<T> {
        let versions = self.versions.take();
        let releases = std::mem::take(&mut self.releases);
        let mut kept = Vec::with_capacity(versions.len());
        for (entry, release) in versions.into_iter().zip(releases) {
            let version = self.versions.read(&entry);
            let file = self.file_of(entry.place(), &release);
            match find(version, &release, file) {
                Ok(found) => {
                    kept.push(found);
                    self.versions.keep(entry);
                    self.releases.push(release);
                }
                Err(reason) => {
                    let version = version.clone();
                    self.set_aside.push((version, reason));
                }
            }
        }
        kept
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
        rank_set_of(specifiers, self.versions.len(), |place| {
            &self.versions[place]
        })
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
        let index = self.versions.find(version).ok()?;
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
        let id = self.metadata_row(rank)?;
        let read = |place| self.read_release(page, place)?.file(id);
        Some(match self.versions.place(rank as usize) {
            Some(place) => read(place),
            None => page.files.file(id),
        })
    }

    /// The row of that file.
    pub(crate) fn metadata_row(&self, rank: Rank) -> Option<FileId> {
        let release = self.releases.get(rank as usize)?;
        self.file_of(self.versions.place(rank as usize), release)
    }

    /// The file that stands for a release, at a place on the page: its wheel, else its source
    /// distribution.
    fn file_of(&self, place: Option<u32>, release: &Release) -> Option<FileId> {
        let Source::Index(page) = &self.source else {
            return None;
        };
        let file = [release.wheel, release.sdist];
        let file = file.into_iter().find(|file| *file != NO_FILE)?;
        Some(page.files.release(place?)?.file(file))
    }

    /// The files of the release at a place on the page, read once.
    fn read_release(&self, page: &Page, place: u32) -> Result<Arc<ReleaseFiles>, UnreadableFiles> {
        if let Some(known) = self.read.borrow().get(&place) {
            return Ok(Arc::clone(known));
        }
        let read = Arc::new(page.files.read_release(place)?);
        self.read.borrow_mut().insert(place, Arc::clone(&read));
        Ok(read)
    }

    /// Every file of a release that the policy admits, whatever its target.
    pub(crate) fn files(&self, rank: Rank) -> Result<ChosenFiles, UnreadableFiles> {
        let (Source::Index(page), Some(place)) = (&self.source, self.versions.place(rank as usize))
        else {
            return Ok(Vec::new().into());
        };
        let release = self.read_release(page, place)?;
        let rows = self.rows(rank, page)?;
        ChosenFiles::of_release(release, rows)
    }

    fn rows(&self, rank: Rank, page: &Page) -> Result<Vec<FileId>, UnreadableFiles> {
        let (Some(judge), Some(release), Some(place)) = (
            &self.judge,
            self.releases.get(rank as usize),
            self.versions.place(rank as usize),
        ) else {
            return Ok(Vec::new());
        };
        let files = &page.files;
        let rows = files.release(place).ok_or(UnreadableFiles)?;
        let sight = judge.sight(files, place, &rows)?;
        let only = release.variant().map(|variant| variant.1.as_slice());
        let yanked = release.yanked_admitted();
        Ok(judge.files(files, &rows, &sight, only, yanked))
    }

    /// The release is yanked, and was admitted because a pin demands it.
    pub(crate) fn yanked(&self, rank: Rank) -> Option<Yanked> {
        let Source::Index(page) = &self.source else {
            return None;
        };
        if !self.releases.get(rank as usize)?.yanked_admitted() {
            return None;
        }
        let rows = self.rows(rank, page).ok()?;
        rows.iter().rev().find_map(|id| page.files.yanked(*id))
    }

    /// The wheel variant that a release is taken in.
    pub(crate) fn variant(&self, rank: Rank) -> Option<&ChosenVariant> {
        let variant = self.releases.get(rank as usize)?.variant()?;
        Some(&variant.0)
    }

    /// The releases that cannot be chosen, ascending, with the reason.
    pub(crate) fn rejected(&self) -> &[(Version, Unusable)] {
        self.rejected.get_or_init(|| {
            let noted = match (&self.noted, &self.source) {
                (Some(noted), Source::Index(page)) => noted.dismissed(&page.files),
                _ => Vec::new(),
            };
            let dismissed = self.dismissed.iter().chain(&noted);
            let dismissed = dismissed.filter_map(|(place, why)| {
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
                        judge.reason_of_all(&page.files, &rows, *yanked_admitted)
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

#[cfg(test)]
mod tests;
