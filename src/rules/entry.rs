//! One rule of a set, read when somebody asks what it says.
//!
//! A solve meets a fifth of the rules that come with the program. Which distributions a rule
//! speaks of is known without reading it.

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use smallvec::SmallVec;

use super::embedded::EmbeddedRule;
use super::model::LazyGrounds;
use super::{Rule, RuleId, RuleKind, RuleOrigin, RuleSource, parse};

/// A distribution's name, normalized.
pub(super) type Name = Cow<'static, str>;

/// A rule, and what is known of it without reading it.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) id: RuleId,
    pub(super) head: Head,
    /// What it is read from; `None` for one that was read from elsewhere.
    embedded: Option<EmbeddedRule>,
    rule: OnceLock<Option<Arc<Rule>>>,
}

/// What a rule speaks of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Head {
    /// The kind ([`super::keys::KINDS`]).
    pub(super) kind: &'static str,
    /// The distributions whose releases trigger it.
    pub(super) triggers: SmallVec<[Name; 1]>,
    /// The distribution that it limits where it is present.
    pub(super) limits: Option<Name>,
    /// The distributions that are built against a family's members.
    pub(super) extended_by: Vec<Name>,
}

impl Head {
    fn of(rule: &Rule) -> Self {
        let name = |name: &pep508_rs::PackageName| Name::Owned(name.to_string());
        Self {
            kind: rule.kind.name(),
            triggers: rule.triggers().into_iter().map(name).collect(),
            limits: match &rule.kind {
                RuleKind::Constrain { package, .. } => Some(name(package)),
                _ => None,
            },
            extended_by: match &rule.kind {
                RuleKind::Family { extensions, .. } => {
                    let packages = extensions.iter().flat_map(|extension| &extension.packages);
                    packages.map(name).collect()
                }
                _ => Vec::new(),
            },
        }
    }
}

impl Entry {
    /// A rule that was read.
    pub(super) fn read(rule: Arc<Rule>) -> Self {
        Self {
            id: rule.id.clone(),
            head: Head::of(&rule),
            embedded: None,
            rule: OnceLock::from(Some(rule)),
        }
    }

    /// A rule that comes with the program.
    pub(super) fn embedded(embedded: EmbeddedRule) -> Self {
        Self {
            id: RuleId(Arc::from(embedded.id)),
            head: Head {
                kind: embedded.kind,
                triggers: embedded.triggers().map(Name::Borrowed).collect(),
                limits: embedded.limits().map(Name::Borrowed),
                extended_by: embedded.extended_by().map(Name::Borrowed).collect(),
            },
            embedded: Some(embedded),
            rule: OnceLock::new(),
        }
    }

    /// The rule. The project's tests read all that come with the program, so that there is none
    /// that cannot be read.
    pub(super) fn rule(&self) -> Option<&Arc<Rule>> {
        let read = || {
            let EmbeddedRule { terms, text, .. } = self.embedded?;
            let source = RuleSource {
                id: &self.id.0,
                origin: RuleOrigin::Embedded,
                text: terms,
            };
            let (kind, severity) = parse::terms(&source).ok()?;
            Some(Arc::new(Rule {
                id: self.id.clone(),
                kind,
                severity,
                origin: RuleOrigin::Embedded,
                grounds: LazyGrounds::of_file(text),
            }))
        };
        self.rule.get_or_init(read).as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::super::embedded::embedded;
    use super::*;

    #[test]
    fn what_the_build_found_out_is_what_the_rules_say() {
        for embedded in embedded() {
            let entry = Entry::embedded(embedded);
            let rule = entry.rule().expect("it can be read");
            assert_eq!(entry.head, Head::of(rule), "{}", embedded.id);
        }
    }
}
