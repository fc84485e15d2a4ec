//! Curated facts about what binaries imply, each with its evidence.
//!
//! One TOML file under `resolver-rules/` is one rule; its path is its id. The rules that
//! come with the program are embedded in it ([`RuleSet::embedded`]); a folder of the
//! user's can add to them ([`RuleSet::with_folder`]). `resolver-rules/README.md` says how
//! to write one, and [`keys`] names every key that the parser knows.

mod case;
mod decode;
mod embedded;
mod entry;
mod error;
mod extension;
mod family;
mod interval;
pub mod keys;
#[cfg(test)]
mod layout;
mod lint;
mod model;
mod parse;
mod set;
mod violation;

pub use case::{Case, CasePlatform};
pub use error::{RuleError, RuleErrorKind, RuleErrors, RulePlace};
pub use extension::{BuiltFor, FamilyExtension, LocalScheme};
pub use family::{Architecture, FamilyBinary, FamilyLabel, Runs, label_of};
pub use model::{
    Evidence, Grounds, LazyGrounds, Rule, RuleId, RuleKind, RuleOrigin, Severity, Sharing,
    VersionRange, When,
};
pub use set::{FolderTrust, RuleSet, RuleSource};
pub use violation::Violation;
