//! The rules that come with the program: `resolver-rules/`, collected by `build.rs`.

/// A rule that comes with the program.
pub(super) struct EmbeddedRule {
    pub(super) id: &'static str,
    /// What it speaks of; `None` where that must be read first.
    pub(super) head: Option<EmbeddedHead>,
    pub(super) text: &'static str,
}

/// What a rule speaks of.
pub(super) struct EmbeddedHead {
    pub(super) kind: &'static str,
    pub(super) triggers: &'static [&'static str],
    pub(super) limits: Option<&'static str>,
    pub(super) extended_by: &'static [&'static str],
}

/// Every embedded rule, sorted by id.
pub(super) static EMBEDDED: &[EmbeddedRule] =
    include!(concat!(env!("OUT_DIR"), "/embedded_rules.rs"));
