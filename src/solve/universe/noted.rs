//! What was found of a page, noted with it: which releases can be chosen, and of which files
//! each is made. A later solve for the same target and policy takes it from there, instead of
//! looking at every release.
//!
//! A note is an abbreviation of judging, never another answer. It is written where the releases
//! that can be chosen follow from page, target and policy alone, and read where nothing that the
//! user says of the distribution (a pin on what was yanked, `==`) could change that. A law in the
//! tests holds it to judging. Whoever keeps notes must give back those of the same page only, and
//! only those that the same build of the program wrote.

use std::sync::Arc;

use pep440_rs::Version;
use sha2::{Digest as _, Sha256};

use super::judge::Why;
use super::{Admission, Judge, Release, Universe};
use crate::metadata::{Files, Page};
use crate::request::Policy;
use crate::target::Target;

/// What a note hangs on beside its page, told apart by its hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NoteKey([u8; KEY]);

const KEY: usize = 32;

/// Place on the page, place of the wheel and of the source distribution among its files.
const ROW: usize = 12;

/// The bit of a place that says that some of the release's files were yanked.
const PARTLY_YANKED: u32 = 1 << 31;

/// The bits of the number behind the key.
const PRERELEASES: u32 = 1;
const ANY_YANKED: u32 = 2;

impl NoteKey {
    /// The key for a target and a policy; `None` where the target takes wheel variants, for which
    /// pages alone do not tell.
    pub(crate) fn of(target: &Target, policy: &Policy) -> Option<Self> {
        if target.accelerator.variants.is_some() {
            return None;
        }
        let (words, markers) = (target.words(), &target.markers);
        // A field more in either of them is in the key by itself.
        let text = format!("{words:?}{markers:?}{:?}{policy:?}", target.accelerator);
        Some(Self(Sha256::digest(text).into()))
    }

    /// The same for one distribution.
    fn with(self, admission: &Admission<'_>) -> Self {
        let mut digest = Sha256::new();
        digest.update(self.0);
        let prereleases = admission.admits_prereleases(true);
        digest.update([u8::from(prereleases), u8::from(admission.of_builds)]);
        Self(digest.finalize().into())
    }
}

/// A note, read.
#[derive(Debug)]
pub(super) struct Noted {
    bytes: Vec<u8>,
    flags: u32,
}

impl Noted {
    fn read(bytes: Vec<u8>, key: NoteKey) -> Option<Self> {
        let (found, rest) = bytes.split_first_chunk::<KEY>()?;
        let (flags, rows) = rest.split_first_chunk()?;
        let flags = u32::from_le_bytes(*flags);
        let is_whole = *found == key.0 && rows.len().is_multiple_of(ROW);
        is_whole.then_some(Self { bytes, flags })
    }

    fn rows(&self) -> impl ExactSizeIterator<Item = [u32; 3]> {
        let (rows, _) = self.bytes.get(KEY + 4..).unwrap_or_default().as_chunks();
        rows.iter().map(|row: &[u8; ROW]| {
            let mut numbers = [0; 3];
            for (number, bytes) in numbers.iter_mut().zip(row.as_chunks::<4>().0) {
                *number = u32::from_le_bytes(*bytes);
            }
            numbers
        })
    }

    /// The releases of the page that cannot be chosen.
    pub(super) fn dismissed(&self, files: &Files) -> Vec<(u32, Why)> {
        let mut chosen = self
            .rows()
            .map(|[place, ..]| place & !PARTLY_YANKED)
            .peekable();
        let mut dismissed = Vec::new();
        for (place, rows) in (0..).zip(files.releases()) {
            if chosen.next_if_eq(&place).is_some() {
                continue;
            }
            let is_left_out = rows.is_prerelease && self.flags & PRERELEASES == 0;
            dismissed.push((
                place,
                if is_left_out {
                    Why::PreRelease
                } else {
                    Why::Files {
                        yanked_admitted: false,
                    }
                },
            ));
        }
        dismissed
    }
}

impl Universe {
    /// The universe that was noted with a page, where it is that of this admission.
    pub(crate) fn noted(page: &Arc<Page>, admission: &Admission<'_>, key: NoteKey) -> Option<Self> {
        let noted = Self::note_of(page, admission, key)?;
        let mut universe = Self::empty(&page.name, super::Source::Index(Arc::clone(page)));
        universe.versions = super::Versions::of_page(&page.files, noted.rows().len());
        universe.releases = Vec::with_capacity(noted.rows().len());
        for [place, wheel, sdist] in noted.rows() {
            universe.versions.push_place(place & !PARTLY_YANKED);
            universe.releases.push(Release {
                wheel,
                sdist,
                special: None,
            });
        }
        if noted.flags & ANY_YANKED != 0
            && let Some(pin) = admission.pin
            && !universe.is_untouched_by(pin, &noted)
        {
            return None;
        }
        universe.noted = Some(noted);
        Some(universe)
    }

    /// The same universe, and what judges its page where somebody asks for more.
    pub(crate) fn judged_by(self, judge: Judge) -> Self {
        Self {
            judge: Some(judge),
            ..self
        }
    }

    fn note_of(page: &Page, admission: &Admission<'_>, key: NoteKey) -> Option<Noted> {
        if !admission.variants.is_empty() || !admission.broken(&page.name).is_empty() {
            return None;
        }
        let noted = Noted::read(page.files.note()?, key.with(admission))?;
        let can_hang_on_yanked = noted.flags & ANY_YANKED != 0;
        (!can_hang_on_yanked || !admission.has_exact()).then_some(noted)
    }

    /// Whether a pin, which admits what was yanked of its release, admits nothing here.
    fn is_untouched_by(&self, pin: &Version, noted: &Noted) -> bool {
        let row = self.versions.find(pin).ok();
        let row = row.and_then(|index| noted.rows().nth(index));
        row.is_some_and(|[place, ..]| place & PARTLY_YANKED == 0)
    }

    /// Notes with the page what was found of it, where that is all.
    pub(crate) fn note(&self, admission: &Admission<'_>, key: NoteKey, prereleases: bool) {
        let super::Source::Index(page) = &self.source else {
            return;
        };
        let plain = |why: &(u32, Why)| {
            matches!(
                why.1,
                Why::PreRelease
                    | Why::Files {
                        yanked_admitted: false
                    }
            )
        };
        let releases = &self.releases;
        if !page.files.keeps_notes()
            || !admission.variants.is_empty()
            || !admission.broken(&page.name).is_empty()
            || !self.dismissed.iter().all(plain)
            || releases.iter().any(|release| release.special.is_some())
        {
            return;
        }
        let files = &page.files;
        let mut flags = if prereleases { PRERELEASES } else { 0 };
        let classes = (0..).take(files.classes());
        let yanked: Vec<bool> = classes
            .map(|class| files.class(class).any(|row| row.is_yanked))
            .collect();
        if yanked.contains(&true) {
            flags |= ANY_YANKED;
        }
        let mut bytes = key.with(admission).0.to_vec();
        bytes.extend(flags.to_le_bytes());
        for (index, release) in releases.iter().enumerate() {
            let Some(place) = self.versions.place(index) else {
                return;
            };
            let class = files.release(place).map(|rows| rows.class);
            let class = class.and_then(|class| usize::try_from(class).ok());
            let partly = class.and_then(|class| yanked.get(class).copied());
            let bit = if partly.unwrap_or(true) {
                PARTLY_YANKED
            } else {
                0
            };
            for number in [place | bit, release.wheel, release.sdist] {
                bytes.extend(number.to_le_bytes());
            }
        }
        // Where what the user says keeps it from being read, it is there all the same.
        if page.files.note().as_ref() != Some(&bytes) {
            page.files.keep_note(bytes);
        }
    }
}
