//! Every key that a rule's file may have: the parser, its hints and the tests of
//! `resolver-rules/rule.schema.json` read these tables.

/// The kinds.
pub const KINDS: &[&str] = &[
    "constrain",
    "requires",
    "drop",
    "slot",
    "needs",
    "provides",
    "family",
    "broken",
    "refuted",
];

/// The keys that every kind has.
pub const COMMON: &[&str] = &[
    "kind", "severity", "reason", "error", "advice", "sources", "checked", "evidence", "hit",
    "miss",
];

/// The keys that must be there, whatever the kind. One of `sources` and `evidence` must be too.
pub const REQUIRED: &[&str] = &["kind", "severity", "reason", "checked", "hit", "miss"];

/// The keys of `when`: which releases, on which targets.
pub const WHEN: &[&str] = &["package", "version", "marker"];

/// The keys of `then`: where another distribution must be.
pub const THEN: &[&str] = &["package", "version"];

/// The keys of `drop`: which requirement is wrong, and what stands for it.
pub const DROP: &[&str] = &["package", "replacement"];

/// The keys of an `[[evidence]]`.
pub const EVIDENCE: &[&str] = &["file", "sha256", "finding"];

/// The keys of a `[[hit]]` or a `[[miss]]`.
pub const CASE: &[&str] = &["have", "python", "platform"];

/// The keys of a family's `[[label]]`.
pub const LABEL: &[&str] = &[
    "name",
    "accelerator",
    "index",
    "marker",
    "needs",
    "provides",
    "toolkit-driver",
];

/// The keys of a family's `[[binary]]`.
pub const BINARY: &[&str] = &[
    "package",
    "version",
    "labels",
    "marker",
    "architectures",
    "provides",
    "cxx11-abi",
];

/// The keys of a family's `[[extension]]`.
pub const EXTENSION: &[&str] = &["packages", "built-for", "local"];

/// The values of a label's `accelerator`.
pub const ACCELERATORS: &[&str] = &["cpu", "cuda", "rocm", "xpu"];

/// The values of `severity`.
pub const SEVERITIES: &[&str] = &["corrupts", "degrades"];

/// The values of a slot's `sharing`.
pub const SHARINGS: &[&str] = &[
    "same-version",
    "identical-at-one-version",
    "identical",
    "never",
];

/// The values of a case's `platform`.
pub const PLATFORMS: &[&str] = &["linux", "linux-aarch64", "macos", "macos-x86_64", "windows"];

/// The virtual packages that rules can name (design: words).
pub const VIRTUAL_PACKAGES: &[&str] = &["cuda", "cudnn", "driver", "glibc", "gpu", "python"];

/// The keys of a kind beyond [`COMMON`], those that it must have first; and how many those are.
/// `None` where there is no such kind.
pub fn of_kind(kind: &str) -> Option<(&'static [&'static str], usize)> {
    Some(match kind {
        "constrain" => (&["when", "then", "inherited"], 2),
        "requires" | "refuted" => (&["when", "then"], 2),
        "drop" => (&["when", "drop"], 2),
        "slot" => (&["slot", "members", "sharing"], 3),
        "needs" => (&["when", "needs"], 2),
        "provides" => (&["when", "provides"], 2),
        "family" => (&["family", "members", "label", "binary", "extension"], 3),
        "broken" => (&["when"], 1),
        _ => return None,
    })
}
