//! What can be wrong with a request.

use std::fmt;

use miette::{Diagnostic, LabeledSpan, SourceCode};

use super::fault::{Fault, Problem};
use super::text::Excerpt;
use super::{Place, SourceError};

/// Why a request cannot be read. Every message names the file and, where there is one,
/// the line; `help` says what to do.
#[derive(Debug, Clone, thiserror::Error)]
#[expect(
    missing_docs,
    reason = "the fields are named in the variants' messages"
)]
pub enum RequestError {
    /// A file that the user or another file names cannot be read.
    #[error("cannot read `{file}`{}: {error}", from(by.as_ref()))]
    Unreadable {
        file: String,
        error: SourceError,
        by: Option<Excerpt>,
    },
    /// A file is not text in an encoding that is read.
    #[error("{place}: expected text in UTF-8, found {detail}")]
    NotText { place: Place, detail: String },
    /// A requirements file includes itself, directly or through others.
    #[error("{}: `{file}` includes itself: {chain}", .at.place)]
    IncludeLoop {
        at: Excerpt,
        file: String,
        chain: String,
    },
    /// Requirements files include one another too deeply.
    #[error("{}: more than {limit} files include one another", .at.place)]
    IncludeDepth { at: Excerpt, limit: usize },
    /// A project's extras or groups name one another too deeply.
    #[error("{}: more than {limit} {what} name one another", .at.place)]
    NameDepth {
        at: Excerpt,
        what: &'static str,
        limit: usize,
    },
    /// A line is not a requirement.
    #[error("{}: `{text}` is not a requirement: {detail}", .at.place)]
    MalformedRequirement {
        at: Excerpt,
        text: String,
        detail: String,
        advice: String,
    },
    /// A requirement's marker is not one.
    #[error("{}: the marker of `{text}` cannot be understood: {detail}", .at.place)]
    MalformedMarker {
        at: Excerpt,
        text: String,
        detail: String,
        advice: String,
    },
    /// A requirement's URL cannot be used.
    #[error("{}: the URL of `{text}` cannot be used: {detail}", .at.place)]
    MalformedUrl {
        at: Excerpt,
        text: String,
        detail: String,
        advice: String,
    },
    /// A path at which nothing is.
    #[error("{}: there is nothing at `{path}`", .at.place)]
    NoSuchPath { at: Excerpt, path: String },
    /// A folder without a project.
    #[error("{}: the folder `{path}` holds no project", .at.place)]
    NotInstallable { at: Excerpt, path: String },
    /// `-e` with something that cannot be installed so.
    #[error("{}: `{text}` cannot be installed in editable mode: {detail}", .at.place)]
    NotEditable {
        at: Excerpt,
        text: String,
        detail: String,
        advice: String,
    },
    /// A constraint or override of a form that can constrain nothing.
    #[error("{}: `{text}` cannot be {role}: {detail}", .at.place)]
    Constraint {
        at: Excerpt,
        text: String,
        role: &'static str,
        detail: &'static str,
    },
    /// An option that may not stand in a requirements file, or that there is not.
    #[error("{}: `{option}` is not an option of requirements files", .at.place)]
    UnsupportedOption {
        at: Excerpt,
        option: String,
        nearest: Option<String>,
    },
    /// An option without its value, with a wrong one, or cut too short.
    #[error("{}: `{option}` {detail}", .at.place)]
    OptionValue {
        at: Excerpt,
        option: String,
        detail: String,
        advice: String,
    },
    /// A quote or an escape among the options that does not end.
    #[error("{}: `{opening}` is not closed on this line", .at.place)]
    Unfinished { at: Excerpt, opening: char },
    /// A file that should be TOML is none.
    #[error("{}: this is not TOML: {detail}", .at.place)]
    MalformedToml { at: Excerpt, detail: String },
    /// A setup.cfg that cannot be read.
    #[error("{}: expected {expected}", .at.place)]
    MalformedConfig { at: Excerpt, expected: String },
    /// A value of the wrong type or form.
    #[error("{}: `{key}` must be {expected}, found {found}", .at.place)]
    WrongValue {
        at: Excerpt,
        key: String,
        expected: String,
        found: String,
    },
    /// A key that there is not.
    #[error("{}: there is no setting `{key}`", .at.place)]
    UnknownKey {
        at: Excerpt,
        key: String,
        nearest: Option<String>,
    },
    /// A setting that must be an option on the command line.
    #[error("{}: `{key}` cannot be set in a file", .at.place)]
    CommandLineOnly {
        at: Excerpt,
        key: String,
        reason: &'static str,
    },
    /// A dependency group (PEP 735) that there is not.
    #[error("{}: there is no dependency group `{group}`", where_asked(at.as_ref(), file))]
    NoSuchGroup {
        at: Option<Excerpt>,
        file: String,
        group: String,
        nearest: Option<String>,
    },
    /// An extra that there is not.
    #[error("{}: there is no extra `{extra}`", where_asked(at.as_ref(), file))]
    NoSuchExtra {
        at: Option<Excerpt>,
        file: String,
        extra: String,
        nearest: Option<String>,
    },
    /// Groups or extras are asked for, and no input can have any.
    #[error("{what} `{name}` is asked for, and no input is a pyproject.toml that could have it")]
    NoProject { what: &'static str, name: String },
    /// Dependency groups that include one another in a circle.
    #[error("{}: the dependency group `{group}` includes itself: {chain}", .at.place)]
    GroupLoop {
        at: Excerpt,
        group: String,
        chain: String,
    },
    /// Two names that are the same when normalised.
    #[error("{}: `{name}` and `{other}` are one name", .at.place)]
    SameName {
        at: Excerpt,
        name: String,
        other: String,
    },
}

fn from(by: Option<&Excerpt>) -> String {
    by.map(|by| format!(" (named at {})", by.place))
        .unwrap_or_default()
}

fn where_asked(at: Option<&Excerpt>, file: &str) -> String {
    at.map_or_else(|| file.to_owned(), |at| at.place.to_string())
}

impl RequestError {
    /// The error for a fault in the text at `at`; `text` is the requirement as written.
    pub(super) fn from_fault(fault: Fault, at: Excerpt, text: &str) -> Self {
        let text = super::url_text::blot(text);
        match fault.problem {
            Problem::Requirement(trouble) => Self::MalformedRequirement {
                at,
                text,
                detail: trouble.detail,
                advice: trouble.advice,
            },
            Problem::Marker(trouble) => Self::MalformedMarker {
                at,
                text,
                detail: trouble.detail,
                advice: trouble.advice,
            },
            Problem::Url(trouble) => Self::MalformedUrl {
                at,
                text,
                detail: trouble.detail,
                advice: trouble.advice,
            },
            Problem::NotEditable(trouble) => Self::NotEditable {
                at,
                text,
                detail: trouble.detail,
                advice: trouble.advice,
            },
            // A variable's value may be a secret: what was written is shown instead.
            Problem::NoSuchPath { .. } if text.contains("${") => {
                let path = text.split(';').next().unwrap_or_default();
                Self::NoSuchPath {
                    at,
                    path: path.trim_end().to_owned(),
                }
            }
            Problem::NoSuchPath { path } => Self::NoSuchPath { at, path },
            Problem::NotInstallable { path } => Self::NotInstallable { at, path },
        }
    }

    /// Where the user should look, where that is a place in a file.
    pub fn place(&self) -> Option<&Place> {
        match self {
            Self::NotText { place, .. } => Some(place),
            _ => self.excerpt().map(|at| &at.place),
        }
    }

    fn excerpt(&self) -> Option<&Excerpt> {
        match self {
            Self::Unreadable { by: at, .. }
            | Self::NoSuchGroup { at, .. }
            | Self::NoSuchExtra { at, .. } => at.as_ref(),
            Self::NotText { .. } | Self::NoProject { .. } => None,
            Self::IncludeLoop { at, .. }
            | Self::IncludeDepth { at, .. }
            | Self::NameDepth { at, .. }
            | Self::MalformedRequirement { at, .. }
            | Self::MalformedMarker { at, .. }
            | Self::MalformedUrl { at, .. }
            | Self::NoSuchPath { at, .. }
            | Self::NotInstallable { at, .. }
            | Self::NotEditable { at, .. }
            | Self::Constraint { at, .. }
            | Self::UnsupportedOption { at, .. }
            | Self::OptionValue { at, .. }
            | Self::Unfinished { at, .. }
            | Self::MalformedToml { at, .. }
            | Self::MalformedConfig { at, .. }
            | Self::WrongValue { at, .. }
            | Self::UnknownKey { at, .. }
            | Self::CommandLineOnly { at, .. }
            | Self::GroupLoop { at, .. }
            | Self::SameName { at, .. } => Some(at),
        }
    }

    fn code_name(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "unreadable",
            Self::NotText { .. } => "not_text",
            Self::IncludeLoop { .. } => "include_loop",
            Self::IncludeDepth { .. } => "include_depth",
            Self::NameDepth { .. } => "name_depth",
            Self::MalformedRequirement { .. } => "malformed_requirement",
            Self::MalformedMarker { .. } => "malformed_marker",
            Self::MalformedUrl { .. } => "malformed_url",
            Self::NoSuchPath { .. } => "no_such_path",
            Self::NotInstallable { .. } => "not_installable",
            Self::NotEditable { .. } => "not_editable",
            Self::Constraint { .. } => "constraint",
            Self::UnsupportedOption { .. } => "unsupported_option",
            Self::OptionValue { .. } => "option_value",
            Self::Unfinished { .. } => "unfinished",
            Self::MalformedToml { .. } => "malformed_toml",
            Self::MalformedConfig { .. } => "malformed_config",
            Self::WrongValue { .. } => "wrong_value",
            Self::UnknownKey { .. } => "unknown_key",
            Self::CommandLineOnly { .. } => "command_line_only",
            Self::NoSuchGroup { .. } => "no_such_group",
            Self::NoSuchExtra { .. } => "no_such_extra",
            Self::NoProject { .. } => "no_project",
            Self::GroupLoop { .. } => "group_loop",
            Self::SameName { .. } => "same_name",
        }
    }

    fn advice(&self) -> String {
        let did_you_mean = |nearest: &Option<String>, otherwise: &str| match nearest {
            Some(nearest) => format!("did you mean `{nearest}`?"),
            None => otherwise.to_owned(),
        };
        match self {
            Self::MalformedRequirement { advice, .. }
            | Self::MalformedMarker { advice, .. }
            | Self::MalformedUrl { advice, .. }
            | Self::NotEditable { advice, .. }
            | Self::OptionValue { advice, .. } => advice.clone(),
            Self::Unreadable { error, by, .. } => match (error, by) {
                (SourceError::NotFound, Some(_)) => {
                    "paths in a file count from the folder of that file"
                }
                (SourceError::Folder, _) => "name a file inside it",
                (SourceError::Unreached(_), _) => "check the address and the network",
                _ => "check the name and that the file may be read",
            }
            .to_owned(),
            Self::NotText { .. } => "save the file as UTF-8".to_owned(),
            Self::NameDepth { what, .. } => {
                format!("list what they hold, or have fewer {what} in a row")
            }
            Self::IncludeLoop { .. } | Self::IncludeDepth { .. } => {
                "take away one of the `-r` or `-c` lines".to_owned()
            }
            Self::NoSuchPath { .. } => "relative paths count from where the program runs; \
                 to require a distribution, write its name without a path"
                .to_owned(),
            Self::NotInstallable { .. } => {
                "a project's folder holds a pyproject.toml or a setup.py".to_owned()
            }
            Self::Constraint { .. } => {
                "write it as `name` with versions, as in `numpy<2`".to_owned()
            }
            Self::UnsupportedOption { nearest, .. } => did_you_mean(
                nearest,
                "requirements files take the options that pip documents for them; \
                 others go on the command line",
            ),
            Self::Unfinished { .. } => "close it, or take it away".to_owned(),
            Self::MalformedToml { .. } => "correct the file as https://toml.io says".to_owned(),
            Self::MalformedConfig { .. } => {
                "values that go over several lines are indented".to_owned()
            }
            Self::WrongValue { expected, .. } => format!("write {expected}"),
            Self::UnknownKey { nearest, .. } => did_you_mean(
                nearest,
                "the settings have the names of the options of `mlresolve lock`",
            ),
            Self::CommandLineOnly { reason, .. } => (*reason).to_owned(),
            Self::NoSuchGroup { nearest, .. } => {
                did_you_mean(nearest, "groups stand in the table `[dependency-groups]`")
            }
            Self::NoSuchExtra { nearest, .. } => did_you_mean(
                nearest,
                "extras stand in the table `[project.optional-dependencies]`",
            ),
            Self::NoProject { .. } => "name the project's pyproject.toml as an input".to_owned(),
            Self::GroupLoop { .. } => "take away one of the `include-group` entries".to_owned(),
            Self::SameName { .. } => "rename one of the two".to_owned(),
        }
    }
}

impl Diagnostic for RequestError {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(format!(
            "mlresolve::request::{}",
            self.code_name()
        )))
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(self.advice()))
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.excerpt().map(|at| &*at.source as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let at = self.excerpt()?;
        let label = LabeledSpan::new_with_span(None, at.span);
        Some(Box::new(std::iter::once(label)))
    }
}
