//! What the user asks for: requirements files, pyproject.toml, options; with places for messages.
//!
//! Reading is a pure function of what [`Sources`] answers: [`read_inputs`] for files of
//! requirements, [`Settings`] for what a project sets once and for all.

mod archive;
mod base;
mod base_text;
mod direct;
mod error;
mod fault;
mod file_options;
mod folder_name;
mod format_control;
mod fragment;
mod hash;
mod ini;
mod inputs;
mod logical;
mod marker;
pub(crate) mod names;
mod nearest;
mod options;
mod paths;
mod policy;
mod pyproject;
mod read;
mod requirements_file;
mod settings;
mod settings_keys;
mod setup_cfg;
mod setuptools;
mod slips;
mod sources;
mod specifier;
#[cfg(test)]
mod tests;
mod text;
mod toml_text;
mod types;
mod url_text;
mod words;

pub use base::{Base, BasePackage};
pub use base_text::BaseError;
pub use error::RequestError;
pub use format_control::{FormatControl, FormatOption};
pub use inputs::{
    BuildNeeded, BuildReason, FileOption, FileOptions, Input, Inputs, RequiresPython, Role,
    UnnamedLine, Wanted, Warning,
};
pub use policy::{BuildPolicy, Policy, Selection};
pub use read::{read_argument, read_inputs};
pub use settings::{
    AnnotationStyle, IndexSettings, IndexStrategy, Located, OutputSettings, Settings,
    TargetSettings,
};
pub use sources::{SourceError, Sources};
pub use text::Excerpt;
pub use types::{DirectUrl, Line, LineSource, Pin, Place, Request};
