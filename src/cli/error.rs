//! What ends a command early: a message, what to do about it, and the exit code.

use std::borrow::Cow;
use std::process::ExitCode;

use miette::Diagnostic;

use super::plain;

use crate::solve::{FactError, SolveError};

/// Exit codes, as the README documents them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done.
    Done,
    /// There is no solution, or a check found something.
    Unsolvable,
    /// Wrong usage or unreadable input.
    Usage,
    /// An index or the network failed.
    Network,
    /// The lock is out of date.
    OutOfDate,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::Unsolvable => 1,
            Exit::Usage => 2,
            Exit::Network => 3,
            Exit::OutOfDate => 4,
        })
    }
}

/// What ends a command early.
#[derive(Debug)]
pub(crate) struct CliError {
    pub(crate) exit: Exit,
    pub(crate) report: Report,
}

/// What is told of it.
#[derive(Debug)]
pub(crate) enum Report {
    /// A message and what to do about it.
    Message {
        message: String,
        hint: Option<String>,
    },
    /// A diagnostic with its place in a file.
    Diagnostic(miette::Report),
}

impl CliError {
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self {
            exit,
            report: Report::Message {
                message: message.into(),
                hint: None,
            },
        }
    }

    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message)
    }

    pub(crate) fn hint(mut self, text: impl Into<String>) -> Self {
        if let Report::Message { hint, .. } = &mut self.report {
            *hint = Some(text.into());
        }
        self
    }

    pub(crate) fn diagnostic(exit: Exit, error: impl Diagnostic + Send + Sync + 'static) -> Self {
        Self {
            exit,
            report: Report::Diagnostic(miette::Report::new(error)),
        }
    }

    /// A fact that could not be had.
    pub(crate) fn from_fact(error: &FactError) -> Self {
        let (exit, hint) = match error {
            FactError::Failed { hint, .. } => (Exit::Network, hint.clone()),
            FactError::NotFound { .. } | FactError::Unusable(_) => (Exit::Unsolvable, None),
        };
        Self {
            exit,
            report: Report::Message {
                message: error.to_string(),
                hint,
            },
        }
    }

    /// The message alone.
    pub(crate) fn message(&self) -> String {
        match &self.report {
            Report::Message { message, .. } => message.clone(),
            Report::Diagnostic(report) => report.to_string(),
        }
    }

    /// Prints the error, and what it is about, on standard error.
    pub(crate) fn print_about(&self, what: &str) {
        match &self.report {
            Report::Message { message, hint } if !message.contains(what) => Self {
                exit: self.exit,
                report: Report::Message {
                    message: format!("`{what}`: {message}"),
                    hint: hint.clone(),
                },
            }
            .print(),
            _ => self.print(),
        }
    }

    /// Prints the error on standard error.
    pub(crate) fn print(&self) {
        match &self.report {
            Report::Message { message, hint } => {
                super::say(&format!("error: {message}"));
                if let Some(hint) = hint {
                    super::say(&format!("\nhint: {hint}"));
                }
            }
            Report::Diagnostic(report) => {
                let text = plain::text(report.as_ref());
                // The decoration cannot be told from what would forge it.
                if plain::is_wanted() || matches!(plain::shown(&text), Cow::Owned(_)) {
                    super::say(text.trim_end());
                } else {
                    super::say_as_it_is(&format!("{report:?}"));
                }
            }
        }
    }
}

impl From<SolveError> for CliError {
    fn from(error: SolveError) -> Self {
        let SolveError::Facts { message, hint } = error;
        Self {
            exit: Exit::Network,
            report: Report::Message { message, hint },
        }
    }
}
