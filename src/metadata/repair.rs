//! The published list of repairs to old metadata.

/// One repair that was made to a file's metadata.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repair {
    /// The value as written.
    pub before: String,
    /// The value as it was read.
    pub after: String,
    /// What was repaired, in words.
    pub what: &'static str,
}
