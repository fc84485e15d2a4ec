//! One rule of a set, read when somebody asks what it says.
//!
//! A solve meets a fifth of the rules that come with the program. Which distributions a rule
//! speaks of is known without reading it.

use std::sync::{Arc, OnceLock};

use pep508_rs::PackageName;

use super::embedded::{EmbeddedHead, EmbeddedRule};
use super::parse::parse;
use super::{Rule, RuleErrors, RuleId, RuleKind, RuleOrigin, RuleSource};

/// A rule, and what is known of it without reading it.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) id: RuleId,
    pub(super) head: Head,
    /// Empty for one that was read from elsewhere.
    text: &'static str,
    rule: OnceLock<Option<Arc<Rule>>>,
}

/// What a rule speaks of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Head {
    /// The kind ([`super::keys::KINDS`]).
    pub(super) kind: &'static str,
    /// The distributions whose releases trigger it.
    pub(super) triggers: Vec<PackageName>,
    /// The distribution that it limits where it is present.
    pub(super) limits: Option<PackageName>,
    /// The distributions that are built against a family's members.
    pub(super) extended_by: Vec<PackageName>,
}

impl Head {
    pub(super) fn of(rule: &Rule) -> Self {
        Self {
            kind: rule.kind.name(),
            triggers: rule.triggers().into_iter().cloned().collect(),
            limits: match &rule.kind {
                RuleKind::Constrain { package, .. } => Some(package.clone()),
                _ => None,
            },
            extended_by: match &rule.kind {
                RuleKind::Family { extensions, .. } => {
                    let packages = extensions.iter().flat_map(|extension| &extension.packages);
                    packages.cloned().collect()
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
            text: "",
            rule: OnceLock::from(Some(rule)),
        }
    }

    /// A rule that comes with the program.
    ///
    /// # Errors
    ///
    /// Where it must be read at once and cannot.
    pub(super) fn embedded(embedded: &EmbeddedRule) -> Result<Self, RuleErrors> {
        let name = |name: &&str| name.parse().ok();
        let head = embedded.head.as_ref().and_then(|head| {
            let EmbeddedHead {
                kind,
                triggers,
                limits,
                extended_by,
            } = *head;
            let names = |names: &[&str]| names.iter().map(name).collect::<Option<Vec<_>>>();
            Some(Head {
                kind,
                triggers: names(triggers)?,
                extended_by: names(extended_by)?,
                limits: match limits {
                    Some(limits) => Some(name(&limits)?),
                    None => None,
                },
            })
        });
        let Some(head) = head else {
            return read(embedded.id, embedded.text).map(|rule| Self::read(Arc::new(rule)));
        };
        Ok(Self {
            id: RuleId(Arc::from(embedded.id)),
            head,
            text: embedded.text,
            rule: OnceLock::new(),
        })
    }

    /// The rule. The project's tests read all that come with the program, so that there is none
    /// that cannot be read.
    pub(super) fn rule(&self) -> Option<&Arc<Rule>> {
        let rule = self
            .rule
            .get_or_init(|| read(&self.id.0, self.text).ok().map(Arc::new));
        rule.as_ref()
    }
}

fn read(id: &str, text: &str) -> Result<Rule, RuleErrors> {
    let source = RuleSource {
        id,
        origin: RuleOrigin::Embedded,
        text,
    };
    parse(&source)
        .map(|parsed| parsed.rule)
        .map_err(|error| RuleErrors(vec![error]))
}

#[cfg(test)]
mod tests {
    use super::super::embedded::EMBEDDED;
    use super::*;

    #[test]
    fn what_the_build_found_out_is_what_the_rules_say() {
        for embedded in EMBEDDED {
            let entry = Entry::embedded(embedded).expect("it can be read");
            let rule = entry.rule().expect("it can be read");
            assert_eq!(entry.head, Head::of(rule), "{}", embedded.id);
            assert!(
                embedded.head.is_some(),
                "{} is read at every start",
                embedded.id
            );
        }
    }
}
