//! The index that is asked when the user names none.

/// The public Python package index, by its simple API (PEP 503, PEP 691).
///
/// No other place in the project names a registry host.
pub const DEFAULT_INDEX: &str = "https://pypi.org/simple/";
