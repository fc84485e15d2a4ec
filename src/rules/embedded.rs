//! The rules that come with the program: `resolver-rules/`, collected by `build.rs`.

/// A rule that comes with the program.
pub(super) struct EmbeddedRule {
    pub(super) id: &'static str,
    /// Its kind, what triggers it and what it limits; `None` where that must be read first.
    pub(super) head: Option<(&'static str, &'static [&'static str], Option<&'static str>)>,
    pub(super) text: &'static str,
}

/// Every embedded rule, sorted by id.
pub(super) static EMBEDDED: &[EmbeddedRule] =
    include!(concat!(env!("OUT_DIR"), "/embedded_rules.rs"));
