//! Which files of a page can be used: what is distinct is judged once, not file by file.

use std::cell::RefCell;
use std::rc::Rc;
use std::str::FromStr;

use indexmap::IndexMap;
use pep440_rs::VersionSpecifiers;

use super::super::facts::{FactError, Unusable};
use super::super::variants::Grouped;
use super::{Admission, Release};
use crate::metadata::{FileId, FileRow, Files, Page, is_document, wheel_of_shape};
use crate::target::{TagPriority, Target};

/// Verdicts on what the pages of all distributions repeat, for one target.
#[derive(Debug, Default)]
pub(crate) struct Verdicts {
    shapes: RefCell<IndexMap<String, Shape>>,
    /// Whether a `Requires-Python` admits the target's Python.
    pythons: RefCell<IndexMap<String, bool>>,
}

/// A wheel's place among the wheels of its release, as [`crate::target::WheelOrder`].
type Order = (TagPriority, Option<(u64, String)>);

/// The verdict on a shape.
#[derive(Debug, Clone)]
enum Shape {
    /// A source distribution's.
    Sdist { is_tar_gz: bool },
    /// A wheel's; `None` where it does not suit.
    Wheel(Option<Rc<Order>>),
    /// That of a labelled wheel, where the target takes no wheel variants: installers that know
    /// none cannot even read such a name.
    Labelled,
    /// That of the file that tells of a release's wheel variants. It is no part of the release
    /// that anybody installs.
    Document,
}

impl Verdicts {
    fn shape(&self, shape: &str, target: &Target) -> Shape {
        if let Some(known) = self.shapes.borrow().get(shape) {
            return known.clone();
        }
        let takes_variants = target.accelerator.variants.is_some();
        let is_labelled = || wheel_of_shape(shape).is_some_and(|wheel| wheel.variant.is_some());
        let verdict = match shape.strip_suffix(".whl") {
            Some(_) if !takes_variants && is_labelled() => Shape::Labelled,
            Some(tags) => Shape::Wheel(order(shape, tags, target).map(Rc::new)),
            None if is_document(shape) => Shape::Document,
            None => Shape::Sdist {
                is_tar_gz: shape == "tar.gz",
            },
        };
        let mut shapes = self.shapes.borrow_mut();
        shapes.insert(shape.to_owned(), verdict.clone());
        verdict
    }

    fn python(&self, requires: &str, target: &Target) -> bool {
        if let Some(known) = self.pythons.borrow().get(requires) {
            return *known;
        }
        // What a page says and nobody can read is left to the file's own metadata.
        let admits = VersionSpecifiers::from_str(requires)
            .map_or(true, |specifiers| target.admits_python(&specifiers));
        let mut pythons = self.pythons.borrow_mut();
        pythons.insert(requires.to_owned(), admits);
        admits
    }
}

/// The order of a wheel with these tags.
fn order(shape: &str, tags: &str, target: &Target) -> Option<Order> {
    let mut parts = tags.split('-');
    let plain = (parts.next(), parts.next(), parts.next(), parts.next());
    if let (Some(python), Some(abi), Some(platform), None) = plain {
        let is_whole = |tags: &str| tags.split('.').all(|tag| !tag.is_empty());
        if ![python, abi, platform].into_iter().all(is_whole) {
            return None;
        }
        return Some((target.tags_priority(python, abi, platform)?, None));
    }
    let wheel = wheel_of_shape(shape)?;
    let order = target.wheel_order(&wheel)?;
    let build = order.build.map(|(number, rest)| (number, rest.to_owned()));
    Some((order.priority, build))
}

/// Judges the files of one page.
#[derive(Debug)]
pub(crate) struct Judge {
    /// In nanoseconds since 1970.
    cutoff: Option<i64>,
    wheels: bool,
    sdists: bool,
    /// Whether the values of `Requires-Python` admit the target's Python.
    pythons: Vec<bool>,
    shapes: Vec<Shape>,
}

/// Why a release cannot be chosen, as far as its files do not tell it.
#[derive(Debug, Clone)]
pub(super) enum Why {
    PreRelease,
    Broken(Rc<str>),
    /// None of its files can be used; whether yanked ones were admitted.
    Files {
        yanked_admitted: bool,
    },
    /// What was found out of its wheel variants.
    Said(Unusable),
}

/// Why a file is not looked at.
enum Unseen {
    TooNew,
    NoUploadTime,
    Refused,
    Yanked,
}

impl Judge {
    /// # Errors
    ///
    /// [`FactError::Failed`] where there is a cut-off and the page gives no upload times.
    pub(crate) fn new(
        page: &Page,
        admission: &Admission<'_>,
        verdicts: &Verdicts,
    ) -> Result<Self, FactError> {
        let target = admission.target;
        let admits = |requires: &str| verdicts.python(requires, target);
        Ok(Self {
            cutoff: cutoff(page, admission)?,
            wheels: admission.policy.wheels.allows(&page.name),
            sdists: admission.policy.sdists.allows(&page.name),
            pythons: page.files.pythons().map(admits).collect(),
            shapes: page
                .files
                .shapes()
                .map(|shape| verdicts.shape(shape, target))
                .collect(),
        })
    }

    /// Whether a file may be taken, if its tags suit.
    pub(crate) fn admits(&self, row: &FileRow<'_>, yanked: impl FnOnce() -> bool) -> bool {
        self.admits_python(row) && self.visible(row, yanked).is_ok()
    }

    /// Whether the cut-off lets a file be seen.
    pub(super) fn sees(&self, row: &FileRow<'_>) -> bool {
        self.seen(row).is_ok()
    }

    fn seen(&self, row: &FileRow<'_>) -> Result<(), Unseen> {
        match (self.cutoff, row.uploaded) {
            (None, _) => Ok(()),
            (Some(instant), Some(time)) if time < instant => Ok(()),
            (Some(_), Some(_)) => Err(Unseen::TooNew),
            (Some(_), None) => Err(Unseen::NoUploadTime),
        }
    }

    /// Whether a file may be looked at.
    fn visible(&self, row: &FileRow<'_>, yanked: impl FnOnce() -> bool) -> Result<(), Unseen> {
        self.seen(row)?;
        match self.shape(row) {
            Shape::Wheel(_) | Shape::Labelled if !self.wheels => return Err(Unseen::Refused),
            Shape::Sdist { .. } if !self.sdists => return Err(Unseen::Refused),
            _ => {}
        }
        if row.is_yanked && !yanked() {
            return Err(Unseen::Yanked);
        }
        Ok(())
    }

    fn shape(&self, row: &FileRow<'_>) -> &Shape {
        let shape = usize::try_from(row.shape).ok();
        shape
            .and_then(|shape| self.shapes.get(shape))
            .unwrap_or(&Shape::Wheel(None))
    }

    fn admits_python(&self, row: &FileRow<'_>) -> bool {
        let python = row.python.and_then(|number| usize::try_from(number).ok());
        python
            .and_then(|number| self.pythons.get(number))
            .is_none_or(|admits| *admits)
    }

    /// The release made of its files; `None` where none of them can be used.
    pub(super) fn release(
        &self,
        files: &Files,
        place: u32,
        ids: impl Iterator<Item = FileId>,
        yanked: impl Fn() -> bool,
    ) -> Option<Release> {
        let mut release = Release {
            place: Some(place),
            ..Release::default()
        };
        let mut best: Option<&Order> = None;
        let mut sdist_is_tar_gz = false;
        let mut has_yanked = false;
        for id in ids {
            let Some(row) = files.row(id) else { continue };
            has_yanked |= row.is_yanked;
            if !self.admits_python(&row) {
                continue;
            }
            match self.shape(&row) {
                Shape::Wheel(Some(order)) => {
                    if best.is_none_or(|known| *known < **order)
                        && self.visible(&row, &yanked).is_ok()
                    {
                        best = Some(order);
                        release.wheel = Some(id);
                    }
                }
                // Of several source distributions, `tar.gz` first (PEP 625), then the later.
                Shape::Sdist { is_tar_gz } => {
                    if (*is_tar_gz || !sdist_is_tar_gz) && self.visible(&row, &yanked).is_ok() {
                        sdist_is_tar_gz = *is_tar_gz;
                        release.sdist = Some(id);
                    }
                }
                Shape::Wheel(None) | Shape::Labelled | Shape::Document => {}
            }
        }
        release.yanked_admitted = has_yanked && yanked();
        (release.wheel.is_some() || release.sdist.is_some()).then_some(release)
    }

    /// The release made of the best group of files that has one.
    pub(super) fn best_variant(
        &self,
        files: &Files,
        place: u32,
        grouped: &Grouped,
        yanked: impl Fn() -> bool,
    ) -> Result<Release, Why> {
        for (variant, ids) in &grouped.groups {
            if let Some(release) = self.release(files, place, ids.iter().copied(), &yanked) {
                return Ok(Release {
                    variant: Some(Rc::new((variant.clone(), ids.clone()))),
                    ..release
                });
            }
        }
        let all = grouped.groups.iter().flat_map(|(_, ids)| ids.iter());
        Err(Why::Said(match grouped.none_because() {
            Some(detail) => Unusable::Accelerator { detail },
            None => self.reason(files, all.copied(), yanked()),
        }))
    }

    /// Every file of a release that the policy admits, whatever its target, in page order.
    pub(super) fn files(
        &self,
        files: &Files,
        ids: impl Iterator<Item = FileId>,
        yanked_admitted: bool,
    ) -> Vec<FileId> {
        let visible = |id: &FileId| {
            files.row(*id).is_some_and(|row| {
                !matches!(self.shape(&row), Shape::Labelled | Shape::Document)
                    && self.visible(&row, || yanked_admitted).is_ok()
            })
        };
        ids.filter(visible).collect()
    }

    /// Why none of a release's files can be used: the reason that comes closest to a use of it.
    pub(super) fn reason(
        &self,
        files: &Files,
        ids: impl Iterator<Item = FileId>,
        yanked_admitted: bool,
    ) -> Unusable {
        let mut reasons: Vec<Unusable> = Vec::new();
        let mut tags: Vec<String> = Vec::new();
        for id in ids {
            let Some(row) = files.row(id) else { continue };
            if matches!(self.shape(&row), Shape::Document) {
                continue;
            }
            if let Err(unseen) = self.visible(&row, || yanked_admitted) {
                reasons.push(match unseen {
                    Unseen::TooNew => Unusable::TooNew,
                    Unseen::NoUploadTime => Unusable::NoUploadTime,
                    Unseen::Refused if row.is_wheel() => Unusable::WheelRefused,
                    Unseen::Refused => Unusable::SdistRefused,
                    Unseen::Yanked => Unusable::Yanked {
                        reason: files.yanked(id).and_then(|yanked| yanked.reason),
                    },
                });
            } else if matches!(self.shape(&row), Shape::Labelled) {
                let label = row.wheel().and_then(|wheel| wheel.variant);
                tags.push(format!("the wheel variant {}", label.unwrap_or_default()));
            } else if !self.admits_python(&row) {
                let requires = row.python.map_or("", |number| files.python(number));
                reasons.push(Unusable::Python {
                    requires: requires.to_owned(),
                });
            } else if let Some(wheel) = row.wheel() {
                tags.push(format!(
                    "{}-{}-{}",
                    wheel.python.join("."),
                    wheel.abi.join("."),
                    wheel.platform.join(".")
                ));
            }
        }
        closest(reasons, tags)
    }
}

/// The cut-off as it holds for one page.
fn cutoff(page: &Page, admission: &Admission<'_>) -> Result<Option<i64>, FactError> {
    let policy = admission.policy;
    let Some(instant) = policy.exclude_newer else {
        return Ok(None);
    };
    if policy.exclude_newer_off.contains(&page.index) {
        return Ok(None);
    }
    let mut rows = page.files.releases().flat_map(|release| release.files());
    let has_time = |id| page.files.row(id).is_some_and(|row| row.uploaded.is_some());
    if page.files.is_empty() || rows.any(has_time) {
        let nanoseconds = instant.as_nanosecond();
        let limit = if nanoseconds < 0 { i64::MIN } else { i64::MAX };
        return Ok(Some(i64::try_from(nanoseconds).unwrap_or(limit)));
    }
    if admission.of_builds {
        return Ok(None);
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
    if !tags.is_empty() || reasons.is_empty() {
        reasons.push(Unusable::NoSuitableFile { found: tags });
    }
    reasons.sort_by_key(|reason| (distance(reason), reason.clone()));
    reasons.swap_remove(0)
}
