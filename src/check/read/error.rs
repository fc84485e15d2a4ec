//! What keeps a file from being read.

/// A file that is not what its name says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {detail}")]
pub struct ReadError {
    /// The file.
    pub file: String,
    /// The line at fault, counted from 1.
    pub line: u32,
    /// What is wrong, and what was expected.
    pub detail: String,
}

impl ReadError {
    /// An error at a byte of the text.
    pub(super) fn at(file: &str, text: &str, byte: usize, detail: impl Into<String>) -> Self {
        Self {
            file: file.to_owned(),
            line: line_of(text, byte),
            detail: detail.into(),
        }
    }
}

/// The line of a byte, counted from 1.
pub(super) fn line_of(text: &str, byte: usize) -> u32 {
    let before = text.as_bytes().iter().take(byte);
    let lines = before.filter(|letter| **letter == b'\n').count();
    u32::try_from(lines).unwrap_or(u32::MAX).saturating_add(1)
}
