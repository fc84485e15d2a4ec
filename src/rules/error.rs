//! What can be wrong with a rule's file, with the place to look at.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use miette::{Diagnostic, LabeledSpan, SourceCode, SourceOffset, SourceSpan};

/// Something is wrong with a rule's file.
#[derive(Debug, Clone)]
pub struct RuleError {
    /// What is wrong.
    pub kind: RuleErrorKind,
    /// What to do about it.
    pub help: Option<String>,
    place: Box<RulePlace>,
}

/// Where in a rule's file.
#[derive(Debug, Clone)]
pub struct RulePlace {
    /// The file, as messages name it: `resolver-rules/torch/numpy1-abi.toml`.
    pub file: Arc<str>,
    /// Line, counted from 1.
    pub line: usize,
    /// Column, counted from 1, in characters.
    pub column: usize,
    /// The bytes of the file that are meant.
    pub span: Range<usize>,
    text: Arc<str>,
}

impl RulePlace {
    pub(super) fn new(file: Arc<str>, text: Arc<str>, span: Range<usize>) -> Self {
        let before = text.get(..span.start).unwrap_or(&text);
        let line = before.matches('\n').count() + 1;
        let column = before
            .rsplit('\n')
            .next()
            .map_or(0, |rest| rest.chars().count())
            + 1;
        Self {
            file,
            line,
            column,
            span,
            text,
        }
    }
}

/// What is wrong with a rule's file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RuleErrorKind {
    /// It is not TOML.
    #[error("not TOML: {detail}")]
    Syntax {
        /// What the TOML parser says.
        detail: String,
    },
    /// A key that a rule of this kind does not have.
    #[error("unknown key `{key}` in {table}")]
    UnknownKey {
        /// The key.
        key: String,
        /// The table that it stands in.
        table: String,
    },
    /// A key that must be there is not.
    #[error("no `{key}` in {table}")]
    MissingKey {
        /// The key.
        key: String,
        /// The table that lacks it.
        table: String,
    },
    /// A value of the wrong type.
    #[error("`{key}` must be {expected}, not {found}")]
    WrongType {
        /// The key.
        key: String,
        /// What was expected, in words.
        expected: &'static str,
        /// The TOML type that was found.
        found: &'static str,
    },
    /// A value that is none of those that the key may have.
    #[error("`{value}` is no {what}")]
    UnknownValue {
        /// What the value should have been: `kind`, `severity`, …
        what: &'static str,
        /// The value.
        value: String,
    },
    /// A value that is empty, or not one line.
    #[error("`{key}` must be one line of text")]
    Text {
        /// The key.
        key: String,
    },
    /// Not a distribution's name.
    #[error("`{value}` is no distribution's name")]
    Name {
        /// The value.
        value: String,
    },
    /// Not a PEP 440 specifier set.
    #[error("`{value}` is no version specifier: {detail}")]
    Specifier {
        /// The value.
        value: String,
        /// What is wrong with it.
        detail: String,
    },
    /// Not a PEP 440 version.
    #[error("`{value}` is no version: {detail}")]
    Version {
        /// The value.
        value: String,
        /// What is wrong with it.
        detail: String,
    },
    /// Not a PEP 508 marker, or one that speaks of extras.
    #[error("`{value}` is no environment marker: {detail}")]
    Marker {
        /// The value.
        value: String,
        /// What is wrong with it.
        detail: String,
    },
    /// Not a date.
    #[error("`{value}` is no date")]
    Date {
        /// The value.
        value: String,
    },
    /// Not a sha256.
    #[error("`{value}` is no sha256")]
    Sha256 {
        /// The value.
        value: String,
    },
    /// Not an address.
    #[error("`{value}` is no URL")]
    Url {
        /// The value.
        value: String,
    },
    /// Not a pinned distribution or virtual package.
    #[error("`{value}` is no pinned release")]
    Pin {
        /// The value.
        value: String,
    },
    /// The path under the rules folder is not `<package>/<rule>`.
    #[error("the rule lies in the wrong place: `{id}` speaks of {of}")]
    Misplaced {
        /// The rule's id.
        id: String,
        /// What it speaks of.
        of: String,
    },
    /// Two rules have the same id.
    #[error("the id `{id}` is used twice")]
    DuplicateId {
        /// The id.
        id: String,
    },
    /// Neither a source nor evidence.
    #[error("the rule has neither a source nor evidence")]
    Unfounded,
    /// No `hit`, or no `miss`.
    #[error("the rule has no `{which}`")]
    NoCase {
        /// `hit` or `miss`.
        which: &'static str,
    },
    /// A hit that the rule does not speak of.
    #[error("the rule does not speak of this `hit`: {have}")]
    FalseHit {
        /// The case.
        have: String,
    },
    /// A miss that the rule speaks of.
    #[error("the rule speaks of this `miss`: {have}")]
    FalseMiss {
        /// The case.
        have: String,
    },
    /// A range or marker that nothing can be in.
    #[error("nothing can be in `{range}`")]
    Unreachable {
        /// The range or marker.
        range: String,
    },
    /// A range without an upper bound.
    #[error("`{range}` has no upper bound")]
    Unbounded {
        /// The range.
        range: String,
    },
    /// A rule that limits the distribution that triggers it.
    #[error("the rule limits `{name}` by itself")]
    SelfReference {
        /// The distribution.
        name: String,
    },
    /// Two rules that speak of the same releases and say different things.
    #[error("the rule overlaps `{other}`, which says something else")]
    Overlap {
        /// The other rule's id.
        other: String,
    },
    /// A kind that loosens, in a folder that may only tighten.
    #[error("a repository's own rules may not loosen: kind `{rule_kind}`")]
    Loosens {
        /// The kind.
        rule_kind: &'static str,
    },
}

impl RuleErrorKind {
    /// Every diagnostic code, in the order of the variants.
    pub const CODES: &[&str] = &[
        "mlresolve::rules::syntax",
        "mlresolve::rules::unknown_key",
        "mlresolve::rules::missing_key",
        "mlresolve::rules::wrong_type",
        "mlresolve::rules::unknown_value",
        "mlresolve::rules::text",
        "mlresolve::rules::name",
        "mlresolve::rules::specifier",
        "mlresolve::rules::version",
        "mlresolve::rules::marker",
        "mlresolve::rules::date",
        "mlresolve::rules::sha256",
        "mlresolve::rules::url",
        "mlresolve::rules::pin",
        "mlresolve::rules::misplaced",
        "mlresolve::rules::duplicate_id",
        "mlresolve::rules::unfounded",
        "mlresolve::rules::no_case",
        "mlresolve::rules::false_hit",
        "mlresolve::rules::false_miss",
        "mlresolve::rules::unreachable",
        "mlresolve::rules::unbounded",
        "mlresolve::rules::self_reference",
        "mlresolve::rules::overlap",
        "mlresolve::rules::loosens",
    ];

    /// The diagnostic code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Syntax { .. } => "mlresolve::rules::syntax",
            Self::UnknownKey { .. } => "mlresolve::rules::unknown_key",
            Self::MissingKey { .. } => "mlresolve::rules::missing_key",
            Self::WrongType { .. } => "mlresolve::rules::wrong_type",
            Self::UnknownValue { .. } => "mlresolve::rules::unknown_value",
            Self::Text { .. } => "mlresolve::rules::text",
            Self::Name { .. } => "mlresolve::rules::name",
            Self::Specifier { .. } => "mlresolve::rules::specifier",
            Self::Version { .. } => "mlresolve::rules::version",
            Self::Marker { .. } => "mlresolve::rules::marker",
            Self::Date { .. } => "mlresolve::rules::date",
            Self::Sha256 { .. } => "mlresolve::rules::sha256",
            Self::Url { .. } => "mlresolve::rules::url",
            Self::Pin { .. } => "mlresolve::rules::pin",
            Self::Misplaced { .. } => "mlresolve::rules::misplaced",
            Self::DuplicateId { .. } => "mlresolve::rules::duplicate_id",
            Self::Unfounded => "mlresolve::rules::unfounded",
            Self::NoCase { .. } => "mlresolve::rules::no_case",
            Self::FalseHit { .. } => "mlresolve::rules::false_hit",
            Self::FalseMiss { .. } => "mlresolve::rules::false_miss",
            Self::Unreachable { .. } => "mlresolve::rules::unreachable",
            Self::Unbounded { .. } => "mlresolve::rules::unbounded",
            Self::SelfReference { .. } => "mlresolve::rules::self_reference",
            Self::Overlap { .. } => "mlresolve::rules::overlap",
            Self::Loosens { .. } => "mlresolve::rules::loosens",
        }
    }
}

impl RuleError {
    pub(super) fn new(kind: RuleErrorKind, place: RulePlace) -> Self {
        Self {
            kind,
            help: None,
            place: Box::new(place),
        }
    }

    pub(super) fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Where it is.
    pub fn place(&self) -> &RulePlace {
        &self.place
    }
}

impl fmt::Display for RuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let RulePlace {
            file, line, column, ..
        } = &*self.place;
        write!(f, "{file}:{line}:{column}: {}", self.kind)
    }
}

impl std::error::Error for RuleError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        None
    }
}

impl Diagnostic for RuleError {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(self.kind.code()))
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help
            .as_ref()
            .map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.place.text)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let span = SourceSpan::new(
            SourceOffset::from(self.place.span.start),
            self.place.span.len(),
        );
        Some(Box::new(std::iter::once(LabeledSpan::underline(span))))
    }
}

/// Everything that is wrong with a set of rules; never empty.
#[derive(Debug, Clone)]
pub struct RuleErrors(pub Vec<RuleError>);

impl fmt::Display for RuleErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, error) in self.0.iter().enumerate() {
            if position > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{error}")?;
        }
        Ok(())
    }
}

impl std::error::Error for RuleErrors {}

impl Diagnostic for RuleErrors {
    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn Diagnostic> + 'a>> {
        Some(Box::new(
            self.0.iter().map(|error| error as &dyn Diagnostic),
        ))
    }
}
