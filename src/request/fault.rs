//! What is wrong with a piece of text, before it is known in which file the text stands.

use std::ops::Range;

/// A fault in a text, at some of its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    /// The bytes at fault.
    pub(super) range: Range<usize>,
    /// What is wrong.
    pub(super) problem: Problem,
}

/// What can be wrong with a requirement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Problem {
    /// It is not a requirement (PEP 508).
    Requirement(Trouble),
    /// Its marker is none (PEP 508).
    Marker(Trouble),
    /// Its URL cannot be used.
    Url(Trouble),
    /// It is a path at which nothing is.
    NoSuchPath {
        /// The path as written.
        path: String,
    },
    /// It is a folder that is no project.
    NotInstallable {
        /// The path as written.
        path: String,
    },
    /// It cannot be installed in editable mode.
    NotEditable(Trouble),
}

/// What was found, in words, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Trouble {
    /// What was expected, and what was found.
    pub(super) detail: String,
    /// What to do.
    pub(super) advice: String,
}

impl Trouble {
    pub(super) fn new(detail: impl Into<String>, advice: impl Into<String>) -> Self {
        Self {
            detail: detail.into(),
            advice: advice.into(),
        }
    }
}

impl Fault {
    /// A fault in a requirement.
    pub(super) fn requirement(
        range: Range<usize>,
        detail: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self {
            range,
            problem: Problem::Requirement(Trouble::new(detail, advice)),
        }
    }

    /// A fault in a marker.
    pub(super) fn marker(
        range: Range<usize>,
        detail: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self {
            range,
            problem: Problem::Marker(Trouble::new(detail, advice)),
        }
    }

    /// A fault in a URL.
    pub(super) fn url(
        range: Range<usize>,
        detail: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self {
            range,
            problem: Problem::Url(Trouble::new(detail, advice)),
        }
    }

    /// The same fault, where the text stands this many bytes further on.
    pub(super) fn shifted(mut self, bytes: usize) -> Self {
        self.range = self.range.start + bytes..self.range.end + bytes;
        self
    }
}
