//! A release of a universe.

use std::rc::Rc;

use super::super::outcome::ChosenVariant;
use super::Source;
use crate::metadata::FileId;

/// One release that can be chosen. There are tens of thousands of them, so they are small.
#[derive(Debug, Clone)]
pub(super) struct Release {
    /// The place among its files of the wheel that suits the target best; [`NO_FILE`] where
    /// there is none.
    pub(super) wheel: u32,
    /// The same of the source distribution.
    pub(super) sdist: u32,
    /// What few releases have.
    pub(super) special: Option<Box<Special>>,
}

/// No file of a release.
pub(super) const NO_FILE: u32 = u32::MAX;

/// What few releases have.
#[derive(Debug, Clone)]
pub(super) struct Special {
    /// Whether files of it that were yanked may be taken.
    pub(super) yanked_admitted: bool,
    /// The wheel variant that it is taken in, where it has some and the target takes them, with
    /// the files of that variant.
    pub(super) variant: Option<Rc<(ChosenVariant, Vec<FileId>)>>,
}

impl Default for Release {
    fn default() -> Self {
        Self {
            wheel: NO_FILE,
            sdist: NO_FILE,
            special: None,
        }
    }
}

impl Release {
    /// The label of the wheel variant that it is taken in.
    pub(super) fn label(&self) -> Option<&str> {
        self.variant()?.0.label.as_deref()
    }

    pub(super) fn variant(&self) -> Option<&(ChosenVariant, Vec<FileId>)> {
        self.special.as_ref()?.variant.as_deref()
    }

    pub(super) fn yanked_admitted(&self) -> bool {
        let special = self.special.as_ref();
        special.is_some_and(|special| special.yanked_admitted)
    }

    /// Whether nothing needs to be built for the release.
    pub(super) fn has_wheel(&self, source: &Source) -> bool {
        self.wheel != NO_FILE || matches!(source, Source::Direct(..))
    }
}
