//! Which files of a page can be used: what is distinct is judged once, not file by file.

use std::cell::{OnceCell, RefCell};
use std::rc::Rc;

use super::super::facts::{FactError, Unusable};
use super::super::variants::Grouped;
use super::Admission;
use super::sight::{Sight, Unseen, cutoff, each};
use super::verdicts::{Order, Shape, Verdicts};
use crate::metadata::{
    FileId, FileRow, Files, Page, ReleaseRows, UnreadableFiles, Uploads, is_document,
};
use crate::target::Target;

/// Judges the files of one page.
#[derive(Debug)]
pub(crate) struct Judge {
    /// In nanoseconds since 1970.
    cutoff: Option<i64>,
    wheels: bool,
    sdists: bool,
    files: Files,
    target: Rc<Target>,
    verdicts: Rc<Verdicts>,
    tables: OnceCell<Tables>,
    /// By class: what a release is made of whose files are all seen, those left out that were
    /// yanked.
    classes: RefCell<Vec<Option<Choice>>>,
}

/// The verdicts on what the page repeats.
#[derive(Debug)]
struct Tables {
    /// Whether the values of `Requires-Python` admit the target's Python.
    pythons: Vec<bool>,
    shapes: Vec<Shape>,
}

/// What kind of file a shape is of, as far as no target is asked.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Wheel,
    Sdist,
    Labelled,
    Document,
}

/// The files that a release is made of, by their places among its files.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Choice {
    pub(super) wheel: Option<u32>,
    pub(super) sdist: Option<u32>,
    /// Whether some were yanked.
    has_yanked: bool,
    /// Whether some were, and may be taken.
    pub(super) yanked_admitted: bool,
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

impl Judge {
    /// # Errors
    ///
    /// [`FactError::Failed`] where there is a cut-off and the page gives no upload times.
    pub(crate) fn new(
        page: &Page,
        admission: &Admission<'_>,
        (target, verdicts): (&Rc<Target>, &Rc<Verdicts>),
    ) -> Result<Self, FactError> {
        Ok(Self {
            cutoff: cutoff(page, admission)?,
            wheels: admission.policy.wheels.allows(&page.name),
            sdists: admission.policy.sdists.allows(&page.name),
            files: page.files.clone(),
            target: Rc::clone(target),
            verdicts: Rc::clone(verdicts),
            tables: OnceCell::new(),
            classes: RefCell::default(),
        })
    }

    fn tables(&self) -> &Tables {
        self.tables.get_or_init(|| {
            let (files, target) = (&self.files, &*self.target);
            let admits = |requires: &str| self.verdicts.python(requires, target);
            let verdict = |shape: &str| self.verdicts.shape(shape, target);
            Tables {
                pythons: files.pythons().map(admits).collect(),
                shapes: files.shapes().map(verdict).collect(),
            }
        })
    }

    /// Whether a file of the release at a place may be taken, if its tags suit.
    ///
    /// # Errors
    ///
    /// [`UnreadableFiles`] where the cut-off hangs on what cannot be read any more.
    pub(crate) fn admits(
        &self,
        files: &Files,
        (place, rows): (u32, &ReleaseRows<'_>),
        id: FileId,
        yanked: bool,
    ) -> Result<bool, UnreadableFiles> {
        let sight = self.sight(files, place, rows)?;
        let only = [id];
        let mut file = each(files, rows, &sight, Some(&only));
        Ok(file.any(|(_, row, unseen)| {
            unseen.is_none() && self.admits_python(&row) && self.visible(&row, yanked).is_ok()
        }))
    }

    /// Which files of the release at a place the cut-off lets be seen.
    ///
    /// # Errors
    ///
    /// [`UnreadableFiles`] where their times cannot be read any more.
    pub(super) fn sight(
        &self,
        files: &Files,
        place: u32,
        rows: &ReleaseRows<'_>,
    ) -> Result<Sight, UnreadableFiles> {
        if let Some(sight) = self.sight_of_all(rows) {
            return Ok(sight);
        }
        let own = files.read_release(place)?;
        let hidden = rows.files().map(|id| {
            Ok(match (own.uploaded(id)?, self.cutoff) {
                (Some(time), Some(instant)) if time >= instant => Some(Unseen::TooNew),
                (None, Some(_)) => Some(Unseen::NoUploadTime),
                _ => None,
            })
        });
        Ok(Sight::Each(hidden.collect::<Result<_, _>>()?))
    }

    /// Whether a release counts as being there at all: the cut-off lets a file of it be seen
    /// that was not yanked.
    ///
    /// # Errors
    ///
    /// As [`Self::sight`].
    pub(super) fn is_there(
        &self,
        files: &Files,
        place: u32,
        rows: &ReleaseRows<'_>,
    ) -> Result<bool, UnreadableFiles> {
        let sight = self.sight(files, place, rows)?;
        let mut seen = each(files, rows, &sight, None);
        Ok(seen.any(|(_, row, unseen)| unseen.is_none() && !row.is_yanked))
    }

    /// The same, where all files of the release share it.
    fn sight_of_all(&self, rows: &ReleaseRows<'_>) -> Option<Sight> {
        let Some(instant) = self.cutoff else {
            return Some(Sight::All);
        };
        match rows.uploads {
            Uploads::Unknown => Some(Sight::None(Unseen::NoUploadTime)),
            Uploads::Between(_, latest) if latest < instant => Some(Sight::All),
            Uploads::Between(earliest, _) if earliest >= instant => {
                Some(Sight::None(Unseen::TooNew))
            }
            Uploads::Partly | Uploads::Between(..) => None,
        }
    }

    /// Whether a file may be looked at that the cut-off lets be seen.
    fn visible(&self, row: &FileRow<'_>, yanked: bool) -> Result<(), Unseen> {
        self.visible_as(self.kind(row), row, yanked)
    }

    /// The same, where its kind is known.
    fn visible_as(&self, kind: Kind, row: &FileRow<'_>, yanked: bool) -> Result<(), Unseen> {
        match kind {
            Kind::Wheel | Kind::Labelled if !self.wheels => Err(Unseen::Refused),
            Kind::Sdist if !self.sdists => Err(Unseen::Refused),
            _ if row.is_yanked && !yanked => Err(Unseen::Yanked),
            _ => Ok(()),
        }
    }

    fn shape(&self, row: &FileRow<'_>) -> &Shape {
        let shape = usize::try_from(row.shape).ok();
        shape
            .and_then(|shape| self.tables().shapes.get(shape))
            .unwrap_or(&Shape::Wheel(None))
    }

    /// The kind of a file. Whether it suits the target is not found out for that.
    fn kind(&self, row: &FileRow<'_>) -> Kind {
        let text = self.files.shape(row.shape);
        let Some(tags) = text.strip_suffix(".whl") else {
            return if is_document(text) {
                Kind::Document
            } else {
                Kind::Sdist
            };
        };
        // With three tags there is neither a build number nor a label.
        if tags.bytes().filter(|byte| *byte == b'-').count() == 2 {
            return Kind::Wheel;
        }
        match self.shape(row) {
            Shape::Labelled => Kind::Labelled,
            _ => Kind::Wheel,
        }
    }

    fn admits_python(&self, row: &FileRow<'_>) -> bool {
        let python = row.python.and_then(|number| usize::try_from(number).ok());
        python
            .and_then(|number| self.tables().pythons.get(number))
            .is_none_or(|admits| *admits)
    }

    /// The files that a release is made of; `None` where none of them can be used.
    pub(super) fn choice(
        &self,
        files: &Files,
        rows: &ReleaseRows<'_>,
        sight: &Sight,
        yanked: impl Fn() -> bool,
    ) -> Option<Choice> {
        let class = || (0..).zip(files.class(rows.class));
        let made = match sight {
            Sight::None(_) => return None,
            Sight::Each(_) => {
                let seen = class().filter(|(place, _)| sight.hides(*place).is_none());
                let yanked = class().any(|(_, row)| row.is_yanked) && yanked();
                self.made_of(seen, yanked)
            }
            Sight::All => {
                let number = usize::try_from(rows.class).ok()?;
                let known = {
                    let mut classes = self.classes.borrow_mut();
                    if classes.is_empty() {
                        classes.resize(files.classes(), None);
                    }
                    classes.get(number).copied()?
                };
                let plain = known.unwrap_or_else(|| {
                    let plain = self.made_of(class(), false);
                    if let Some(known) = self.classes.borrow_mut().get_mut(number) {
                        *known = Some(plain);
                    }
                    plain
                });
                if plain.has_yanked && yanked() {
                    self.made_of(class(), true)
                } else {
                    plain
                }
            }
        };
        (made.wheel.is_some() || made.sdist.is_some()).then_some(made)
    }

    /// The best of some files of a release, with their places in it.
    fn made_of<'p>(&self, files: impl Iterator<Item = (u32, FileRow<'p>)>, yanked: bool) -> Choice {
        let mut choice = Choice::default();
        let mut best: Option<&Order> = None;
        let mut sdist_is_tar_gz = false;
        for (place, row) in files {
            choice.has_yanked |= row.is_yanked;
            choice.yanked_admitted |= row.is_yanked && yanked;
            if !self.admits_python(&row) {
                continue;
            }
            let shape = self.shape(&row);
            let kind = match shape {
                Shape::Wheel(_) => Kind::Wheel,
                Shape::Labelled => Kind::Labelled,
                Shape::Sdist { .. } => Kind::Sdist,
                Shape::Document => Kind::Document,
            };
            if self.visible_as(kind, &row, yanked).is_err() {
                continue;
            }
            match shape {
                Shape::Wheel(Some(order)) => {
                    if best.is_none_or(|known| *known < **order) {
                        best = Some(order);
                        choice.wheel = Some(place);
                    }
                }
                // Of several source distributions, `tar.gz` first (PEP 625), then the later.
                Shape::Sdist { is_tar_gz } => {
                    if *is_tar_gz || !sdist_is_tar_gz {
                        sdist_is_tar_gz = *is_tar_gz;
                        choice.sdist = Some(place);
                    }
                }
                Shape::Wheel(None) | Shape::Labelled | Shape::Document => {}
            }
        }
        choice
    }

    /// The files that a release is made of, of the best group that has one, and the number of
    /// the group.
    pub(super) fn best_variant(
        &self,
        files: &Files,
        rows: &ReleaseRows<'_>,
        sight: &Sight,
        grouped: &Grouped,
        yanked: impl Fn() -> bool,
    ) -> Result<(usize, Choice), Why> {
        let yanked = yanked();
        for (number, (_, ids)) in grouped.groups.iter().enumerate() {
            let seen = rows
                .files()
                .zip(files.class(rows.class))
                .zip(0..)
                .filter(|((id, _), place)| ids.contains(id) && sight.hides(*place).is_none())
                .map(|((_, row), place)| (place, row));
            let choice = self.made_of(seen, yanked);
            if choice.wheel.is_some() || choice.sdist.is_some() {
                return Ok((number, choice));
            }
        }
        let all: Vec<FileId> = grouped
            .groups
            .iter()
            .flat_map(|(_, ids)| ids.iter().copied())
            .collect();
        Err(Why::Said(match grouped.none_because() {
            Some(detail) => Unusable::Accelerator { detail },
            None => self.reason(files, rows, sight, Some(&all), yanked),
        }))
    }

    /// Every file of a release that the policy admits, whatever its target, in page order;
    /// where only some of them count, of those.
    pub(super) fn files(
        &self,
        files: &Files,
        rows: &ReleaseRows<'_>,
        sight: &Sight,
        only: Option<&[FileId]>,
        yanked_admitted: bool,
    ) -> Vec<FileId> {
        each(files, rows, sight, only)
            .filter(|(_, row, unseen)| {
                unseen.is_none()
                    && !matches!(self.kind(row), Kind::Labelled | Kind::Document)
                    && self.visible(row, yanked_admitted).is_ok()
            })
            .map(|(id, _, _)| id)
            .collect()
    }

    /// Why a release cannot be chosen of whose files none can be used: at once where that
    /// hangs on the times of its files, else when somebody asks.
    pub(super) fn dismissed(
        &self,
        files: &Files,
        rows: &ReleaseRows<'_>,
        sight: &Sight,
        yanked_admitted: bool,
    ) -> Why {
        match sight {
            Sight::Each(_) => Why::Said(self.reason(files, rows, sight, None, yanked_admitted)),
            Sight::All | Sight::None(_) => Why::Files { yanked_admitted },
        }
    }

    /// The reason against a release whose files are all seen, or none of them.
    pub(super) fn reason_of_all(
        &self,
        files: &Files,
        rows: &ReleaseRows<'_>,
        yanked_admitted: bool,
    ) -> Unusable {
        let sight = self.sight_of_all(rows).unwrap_or(Sight::All);
        self.reason(files, rows, &sight, None, yanked_admitted)
    }

    /// Why none of a release's files can be used: the reason that comes closest to a use of
    /// it. Where only some of them count, of those.
    pub(super) fn reason(
        &self,
        files: &Files,
        rows: &ReleaseRows<'_>,
        sight: &Sight,
        only: Option<&[FileId]>,
        yanked_admitted: bool,
    ) -> Unusable {
        let mut reasons: Vec<Unusable> = Vec::new();
        let mut tags: Vec<String> = Vec::new();
        for (id, row, unseen) in each(files, rows, sight, only) {
            if matches!(self.shape(&row), Shape::Document) {
                continue;
            }
            let unseen = unseen.map_or_else(|| self.visible(&row, yanked_admitted), Err);
            if let Err(unseen) = unseen {
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
