//! Wheel variants (PEP 825 and PEP 850, drafts): what the labels of a release's wheels stand
//! for, which of them suit a target, and in which order.

mod choice;
mod document;
mod support;

pub use choice::{Judged, Suitable, judge};
pub use document::{Priorities, Properties, Provider, VariantsError, VariantsJson};
pub use support::{DriverCuda, Support};

/// The label of the variant without properties, which suits everywhere.
pub const NULL: &str = "null";
