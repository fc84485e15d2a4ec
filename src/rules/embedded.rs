//! The rules that come with the program: `resolver-rules/`, collected by `build.rs`.

/// Every embedded rule's id and text, sorted by id.
pub(super) static EMBEDDED: &[(&str, &str)] =
    include!(concat!(env!("OUT_DIR"), "/embedded_rules.rs"));
