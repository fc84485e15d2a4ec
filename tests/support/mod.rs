//! A toy index for tests: a few lines make a world.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test file uses a part of it"
)]
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot build its world should stop"
)]

pub mod ladders;
pub mod worlds;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;
use std::sync::Arc;

use mlresolve::metadata::{
    Dependency, DependencySource, File, FileKind, Metadata, Page, Requires, SdistName, WheelName,
    Yanked,
};
use mlresolve::request::{BuildPolicy, DirectUrl, Line, LineSource, Place, Request};
use mlresolve::rules::{
    Grounds, LazyGrounds, Rule, RuleId, RuleKind, RuleOrigin, RuleSet, Severity, Sharing,
    VersionRange, When,
};
use mlresolve::solve::{DirectFacts, FactError, Facts, Unusable};
use mlresolve::{PackageName, Target};
use pep440_rs::{Version, VersionSpecifiers};
use pep508_rs::{MarkerTree, Requirement, VersionOrUrl};
use url::Url;

/// One release of a toy distribution.
#[derive(Debug, Clone, Default)]
pub struct Release {
    /// `Requires-Dist` lines.
    pub requires: Vec<String>,
    /// `Requires-Python`.
    pub python: Option<String>,
    /// Tags instead of `py3-none-any`.
    pub tags: Option<String>,
    /// Whether it is yanked.
    pub yanked: bool,
    /// When it was uploaded.
    pub uploaded: Option<String>,
}

/// A toy index.
#[derive(Debug, Clone, Default)]
pub struct Toy {
    /// The distributions whose pages cannot be had.
    pub failing: BTreeSet<PackageName>,
    /// Releases whose metadata cannot be had.
    pub gone: BTreeSet<(PackageName, Version)>,
    pages: RefCell<BTreeMap<PackageName, Arc<Page>>>,
    /// Files that are yet to be put on their page, which takes as long for one as for many.
    waiting: RefCell<BTreeMap<PackageName, Vec<File>>>,
    metadata: BTreeMap<String, Arc<Metadata>>,
    /// By distribution and index: the pages of single builds.
    builds: BTreeMap<(PackageName, String), Arc<Page>>,
    /// The releases whose metadata was asked for.
    looked: RefCell<BTreeSet<(PackageName, Version)>>,
    /// The source distributions whose metadata can be had without a build.
    stated: BTreeSet<String>,
    /// Those that were built.
    built: RefCell<BTreeSet<String>>,
    /// Those whose build fails.
    unbuildable: BTreeSet<String>,
}

pub fn name(text: &str) -> PackageName {
    PackageName::from_str(text).unwrap()
}

pub fn version(text: &str) -> Version {
    Version::from_str(text).unwrap()
}

pub fn specifiers(text: &str) -> VersionSpecifiers {
    VersionSpecifiers::from_str(text).unwrap()
}

/// The target that toy worlds are solved for.
pub fn target() -> Target {
    Target::declared("3.11", "x86_64-manylinux_2_28").unwrap()
}

pub fn dependency(text: &str) -> Dependency {
    let requirement = Requirement::<Url>::from_str(text).unwrap();
    let mut extras = requirement.extras;
    extras.sort();
    Dependency {
        name: requirement.name,
        extras,
        source: match requirement.version_or_url {
            None => DependencySource::Specifiers(VersionSpecifiers::empty()),
            Some(VersionOrUrl::VersionSpecifier(specifiers)) => {
                DependencySource::Specifiers(specifiers)
            }
            Some(VersionOrUrl::Url(url)) => DependencySource::Url(url.to_string()),
        },
        marker: requirement.marker,
    }
}

/// The n-th line of a toy request.
pub fn line(text: &str, number: u32) -> Line {
    let dependency = dependency(text);
    Line {
        name: dependency.name,
        extras: dependency.extras,
        source: match dependency.source {
            DependencySource::Specifiers(specifiers) => LineSource::Specifiers(specifiers),
            DependencySource::Url(url) => LineSource::Direct(DirectUrl {
                url: url.clone(),
                given: url,
                subdirectory: None,
                editable: false,
            }),
        },
        marker: dependency.marker,
        text: text.to_owned(),
        hashes: Vec::new(),
        place: Place {
            file: "requirements.in".into(),
            line: number,
            column: 1,
        },
    }
}

/// A request made of requirement lines.
pub fn request(lines: &[&str]) -> Request {
    Request {
        requirements: (1..)
            .zip(lines)
            .map(|(number, text)| line(text, number))
            .collect(),
        ..Request::default()
    }
}

impl Toy {
    /// Adds a release.
    pub fn add(&mut self, package: &str, release: &str, content: &Release) -> &mut Self {
        let package = name(package);
        let release = version(release);
        let tags = content.tags.as_deref().unwrap_or("py3-none-any");
        let stem = package.as_ref().replace('-', "_");
        let filename = format!("{stem}-{release}-{tags}.whl");
        let mut parts = tags
            .split('-')
            .map(|part| part.split('.').map(str::to_owned).collect());
        let file = File {
            url: format!("https://files.example/{filename}"),
            hashes: [("sha256".to_owned(), format!("{:064x}", filename.len()))].into(),
            size: Some(1000),
            upload_time: content.uploaded.as_ref().map(|text| text.parse().unwrap()),
            requires_python: content.python.clone(),
            yanked: content.yanked.then_some(Yanked { reason: None }),
            sidecar: None,
            version: release.clone(),
            kind: FileKind::Wheel(WheelName {
                name: package.clone(),
                version: release.clone(),
                build: None,
                python: parts.next().unwrap(),
                abi: parts.next().unwrap(),
                platform: parts.next().unwrap(),
                variant: None,
            }),
            filename: filename.clone(),
        };
        let requires_dist: Requires = content
            .requires
            .iter()
            .map(|text| dependency(text))
            .collect();
        let mut provides_extras: Vec<_> = Vec::new();
        for text in &content.requires {
            if let Some((_, rest)) = text.split_once("extra == '") {
                let extra = rest.split('\'').next().unwrap();
                provides_extras.push(mlresolve::ExtraName::from_str(extra).unwrap());
            }
        }
        provides_extras.sort();
        provides_extras.dedup();
        self.metadata.insert(
            filename,
            Arc::new(Metadata {
                name: package.clone(),
                version: release,
                requires_python: None,
                requires_dist,
                provides_extras: provides_extras.into_iter().collect(),
                repairs: Vec::new(),
                may_differ: false,
            }),
        );
        self.waiting
            .get_mut()
            .entry(package)
            .or_default()
            .push(file);
        self
    }

    /// Adds a release to the index of a build.
    pub fn add_at(
        &mut self,
        index: &str,
        package: &str,
        release: &str,
        content: &Release,
    ) -> &mut Self {
        let mut alone = Self::default();
        alone.add(package, release, content);
        self.metadata.append(&mut alone.metadata);
        let added = alone.waiting.get_mut().remove(&name(package)).unwrap();
        let page = self
            .builds
            .entry((name(package), index.to_owned()))
            .or_insert_with(|| empty(name(package), index));
        extend(page, added);
        self
    }

    /// Adds a release with nothing but requirements.
    pub fn release(&mut self, package: &str, release: &str, requires: &[&str]) -> &mut Self {
        let content = Release {
            requires: requires.iter().map(|text| (*text).to_owned()).collect(),
            ..Release::default()
        };
        self.add(package, release, &content)
    }
}

impl Toy {
    /// Adds a release that has a source distribution only, which must be built to be known.
    pub fn source(&mut self, package: &str, release: &str, requires: &[&str]) -> &mut Self {
        self.release(package, release, requires);
        self.put();
        let page = self.pages.get_mut().get_mut(&name(package)).unwrap();
        let mut files = page.files.all().unwrap();
        let mut file = files.pop().unwrap();
        let metadata = self.metadata.remove(&file.filename).unwrap();
        file.filename = format!("{}-{release}.tar.gz", package.replace('-', "_"));
        file.url = format!("https://files.example/{}", file.filename);
        file.kind = FileKind::Sdist(SdistName {
            name: name(package),
            version: file.version.clone(),
            extension: "tar.gz".to_owned(),
        });
        self.metadata.insert(file.filename.clone(), metadata);
        files.push(file);
        *page = Arc::new(Page::new(name(package), page.index.clone(), &files, 0));
        self
    }

    /// Adds a release that has a source distribution only, which says what it requires.
    pub fn static_source(&mut self, package: &str, release: &str, requires: &[&str]) -> &mut Self {
        let filename = format!("{}-{release}.tar.gz", package.replace('-', "_"));
        self.stated.insert(filename);
        self.source(package, release, requires)
    }

    /// Adds a release that has a source distribution only, whose build fails.
    pub fn failing_source(&mut self, package: &str, release: &str) -> &mut Self {
        let filename = format!("{}-{release}.tar.gz", package.replace('-', "_"));
        self.unbuildable.insert(filename);
        self.source(package, release, &[])
    }

    /// As [`Self::static_source`], with an archive of this many bytes.
    pub fn sized_source(
        &mut self,
        package: &str,
        release: &str,
        requires: &[&str],
        size: u64,
    ) -> &mut Self {
        self.static_source(package, release, requires);
        let page = self.pages.get_mut().get_mut(&name(package)).unwrap();
        let mut files = page.files.all().unwrap();
        for file in &mut files {
            if file.version == version(release) {
                file.size = Some(size);
            }
        }
        *page = Arc::new(Page::new(name(package), page.index.clone(), &files, 0));
        self
    }

    /// The source distributions that were built.
    pub fn built(&self) -> BTreeSet<String> {
        self.built.borrow().clone()
    }

    /// The releases of a distribution whose metadata was asked for, ascending.
    pub fn looked(&self, package: &str) -> Vec<String> {
        let package = name(package);
        self.looked
            .borrow()
            .iter()
            .filter(|(looked, _)| *looked == package)
            .map(|(_, version)| version.to_string())
            .collect()
    }
}

fn empty(name: PackageName, index: &str) -> Arc<Page> {
    Arc::new(Page::new(name, index.to_owned(), &[], 0))
}

fn extend(page: &mut Arc<Page>, more: Vec<File>) {
    let mut files = page.files.all().unwrap();
    files.extend(more);
    let (name, index) = (page.name.clone(), page.index.clone());
    *page = Arc::new(Page::new(name, index, &files, page.skipped));
}

impl Toy {
    /// Puts the files that are waiting on their pages.
    fn put(&self) {
        for (package, files) in self.waiting.take() {
            let mut pages = self.pages.borrow_mut();
            let page = pages
                .entry(package.clone())
                .or_insert_with(|| empty(package, "https://index.example/simple/"));
            extend(page, files);
        }
    }

    /// How many releases' metadata was asked for.
    pub fn looks(&self) -> usize {
        self.looked.borrow().len()
    }
}

impl Facts for Toy {
    fn page(&self, name: &PackageName) -> Result<Arc<Page>, FactError> {
        self.put();
        if self.failing.contains(name) {
            return Err(FactError::Failed {
                message: format!("the page of `{name}` cannot be had"),
                hint: None,
            });
        }
        self.pages
            .borrow()
            .get(name)
            .cloned()
            .ok_or_else(|| FactError::NotFound {
                name: name.clone(),
                asked: vec!["https://index.example/simple/".to_owned()],
            })
    }

    fn page_at(&self, name: &PackageName, index: &str) -> Result<Arc<Page>, FactError> {
        self.builds
            .get(&(name.clone(), index.to_owned()))
            .cloned()
            .ok_or_else(|| FactError::NotFound {
                name: name.clone(),
                asked: vec![index.to_owned()],
            })
    }

    fn metadata(
        &self,
        page: &Page,
        file: &File,
        build: BuildPolicy,
    ) -> Result<Arc<Metadata>, FactError> {
        let mut looked = self.looked.borrow_mut();
        let release = (page.name.clone(), file.version.clone());
        if self.gone.contains(&release) {
            return Err(FactError::Failed {
                message: format!("the metadata of {} {} cannot be had", release.0, release.1),
                hint: None,
            });
        }
        looked.insert(release);
        if matches!(file.kind, FileKind::Sdist(_)) && !self.stated.contains(&file.filename) {
            if build == BuildPolicy::Never {
                return Err(FactError::Unusable(Unusable::NeedsBuild));
            }
            self.built.borrow_mut().insert(file.filename.clone());
            if self.unbuildable.contains(&file.filename) {
                return Err(FactError::Unusable(Unusable::BuildFailed {
                    detail: "no compiler".to_owned(),
                }));
            }
        }
        Ok(Arc::clone(&self.metadata[&file.filename]))
    }

    fn direct(&self, url: &DirectUrl) -> Result<Arc<DirectFacts>, FactError> {
        Err(FactError::Failed {
            message: format!("a toy index has no `{}`", url.given),
            hint: None,
        })
    }
}

fn rule(id: &str, kind: RuleKind) -> Arc<Rule> {
    Arc::new(Rule {
        id: RuleId(id.into()),
        kind,
        severity: Severity::Corrupts,
        origin: RuleOrigin::Embedded,
        grounds: LazyGrounds::from(Grounds {
            reason: format!("what {id} says"),
            sources: vec!["https://example.org/".to_owned()],
            checked: "2026-11-01".to_owned(),
            ..Grounds::default()
        }),
    })
}

fn range(text: &str) -> VersionRange {
    VersionRange(vec![specifiers(text)])
}

fn when(package: &str, versions: &str) -> When {
    When {
        package: name(package),
        versions: range(versions),
        marker: MarkerTree::TRUE,
    }
}

/// `constrain`: when `package` is in `versions` and `limited` is there, it must be in `to`.
pub fn constrain(package: &str, versions: &str, limited: &str, to: &str) -> Arc<Rule> {
    rule(
        &format!("{package}/{limited}"),
        RuleKind::Constrain {
            when: when(package, versions),
            package: name(limited),
            versions: range(to),
            inherited: false,
        },
    )
}

/// `requires`: `package` in `versions` pulls in `pulled` in `to`.
pub fn requires(package: &str, versions: &str, pulled: &str, to: &str) -> Arc<Rule> {
    rule(
        &format!("{package}/needs-{pulled}"),
        RuleKind::Requires {
            when: when(package, versions),
            package: name(pulled),
            versions: range(to),
        },
    )
}

/// `drop`: the requirement of `package` on `dropped` is removed or replaced.
pub fn drop_rule(package: &str, versions: &str, dropped: &str, to: Option<&str>) -> Arc<Rule> {
    rule(
        &format!("{package}/drop-{dropped}"),
        RuleKind::Drop {
            when: when(package, versions),
            package: name(dropped),
            replacement: to.map(specifiers),
        },
    )
}

/// `slot`: distributions that install into one import path.
pub fn slot(import: &str, members: &[&str], sharing: Sharing) -> Arc<Rule> {
    rule(
        &format!("{import}/slot"),
        RuleKind::Slot {
            import: import.to_owned(),
            members: members.iter().map(|member| name(member)).collect(),
            sharing,
        },
    )
}

/// `broken`: releases that must not be chosen.
pub fn broken(package: &str, versions: &str) -> Arc<Rule> {
    rule(
        &format!("{package}/broken"),
        RuleKind::Broken {
            when: when(package, versions),
        },
    )
}

/// `needs`: `package` in `versions` needs a virtual package in `to`.
pub fn needs(package: &str, versions: &str, virtual_package: &str, to: &str) -> Arc<Rule> {
    rule(
        &format!("{package}/needs-{virtual_package}-{versions}"),
        RuleKind::Needs {
            when: when(package, versions),
            packages: BTreeMap::from([(virtual_package.to_owned(), range(to))]),
        },
    )
}

/// `provides`: `package` in `versions` brings a virtual package at a version, or its own.
pub fn provides(package: &str, virtual_package: &str, at: Option<&str>) -> Arc<Rule> {
    rule(
        &format!("{package}/provides-{virtual_package}"),
        RuleKind::Provides {
            when: when(package, ">=0"),
            packages: BTreeMap::from([(virtual_package.to_owned(), at.map(version))]),
        },
    )
}

/// A rule set.
pub fn rules(rules: Vec<Arc<Rule>>) -> RuleSet {
    RuleSet::new(rules)
}
