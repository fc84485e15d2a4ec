//! All rules in force, and what can be asked of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use pep440_rs::Version;
use pep508_rs::PackageName;
use smallvec::SmallVec;

use super::embedded::embedded;
use super::entry::{Entry, Name};
use super::lint::lint;
use super::parse::{Parsed, parse};
use super::{Rule, RuleError, RuleErrorKind, RuleErrors, RuleId, RuleKind, RuleOrigin};

/// All rules in force, and what can be asked of them.
#[derive(Debug, Clone)]
pub struct RuleSet(Arc<Lazy>);

/// The rules of a set, and where they are found; clones of a set share it.
#[derive(Debug, Default)]
struct Lazy {
    /// Made of the rules that come with the program where it is not there when first asked for:
    /// a run whose answer is known asks for none.
    index: OnceLock<Index>,
}

#[derive(Debug)]
struct Index {
    /// Sorted by id.
    entries: Vec<Arc<Entry>>,
    /// Sorted by name.
    on: Vec<On>,
    /// Sorted.
    limited: Vec<Name>,
    limits_of_all: OnceLock<Vec<(PackageName, PackageName)>>,
}

/// The rules that a distribution triggers.
#[derive(Debug)]
struct On {
    name: Name,
    /// Places in the index, in their order.
    entries: SmallVec<[usize; 2]>,
    rules: OnceLock<Vec<Arc<Rule>>>,
}

/// One rule's file, read by the edge.
#[derive(Debug, Clone)]
pub struct RuleSource<'a> {
    /// Its path under the rules folder, with `/`, without extension.
    pub id: &'a str,
    /// Where it came from.
    pub origin: RuleOrigin,
    /// Its text.
    pub text: &'a str,
}

/// What a folder of the user's may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FolderTrust {
    /// It was named on the command line: it may loosen.
    CommandLine,
    /// It was named in a repository's settings: it may only tighten.
    Repository,
}

impl RuleSource<'_> {
    /// The file as messages name it.
    pub(super) fn file_name(&self) -> Arc<str> {
        let folder = match &self.origin {
            RuleOrigin::Embedded => "resolver-rules",
            RuleOrigin::Folder(folder) => folder.trim_end_matches('/'),
        };
        Arc::from(format!("{folder}/{}.toml", self.id))
    }
}

impl RuleSet {
    /// The set of the given rules, sorted by id.
    pub fn new(rules: Vec<Arc<Rule>>) -> Self {
        let entries = rules.into_iter().map(Entry::read).map(Arc::new);
        Self::of(entries.collect())
    }

    fn of(entries: Vec<Arc<Entry>>) -> Self {
        let index = OnceLock::from(Index::of(entries));
        Self(Arc::new(Lazy { index }))
    }

    fn index(&self) -> &Index {
        let embedded = || embedded().map(Entry::embedded).map(Arc::new);
        self.0.index.get_or_init(|| Index::of(embedded().collect()))
    }

    /// The rules that come with the program.
    ///
    /// They are parsed, and not linted: the project's tests do that. An error is therefore a
    /// mistake of whoever built the program.
    pub fn embedded() -> Result<Self, RuleErrors> {
        let parsed = parse_all(embedded_sources())?;
        Ok(Self::new(rules_of(parsed)))
    }

    /// The rules that come with the program, each read when it is asked for first.
    pub fn embedded_on_demand() -> Self {
        Self(Arc::new(Lazy::default()))
    }

    /// The rules of the given files, linted.
    pub fn load<'a>(sources: impl IntoIterator<Item = RuleSource<'a>>) -> Result<Self, RuleErrors> {
        let parsed = parse_all(sources)?;
        let mut errors = duplicates(&parsed, &Self::default());
        errors.extend(lint(&parsed));
        if errors.is_empty() {
            Ok(Self::new(rules_of(parsed)))
        } else {
            Err(RuleErrors(errors))
        }
    }

    /// These rules and those of a folder of the user's, which are linted.
    ///
    /// An id that is in both is an error: a folder adds to the rules and replaces none of
    /// them (`--ignore-rule` does that, on the command line). A file that is the same, as in a
    /// checkout of this project, adds nothing.
    pub fn with_folder<'a>(
        &self,
        sources: impl IntoIterator<Item = RuleSource<'a>>,
        trust: FolderTrust,
    ) -> Result<Self, RuleErrors> {
        let known: BTreeMap<&str, &str> = embedded().map(|rule| (rule.id, rule.text)).collect();
        let own = |source: &RuleSource<'_>| known.get(source.id) == Some(&source.text);
        let parsed = parse_all(sources.into_iter().filter(|source| !own(source)))?;
        let mut errors = duplicates(&parsed, self);
        if trust == FolderTrust::Repository {
            errors.extend(parsed.iter().filter_map(loosening));
        }
        errors.extend(lint(&parsed));
        if !errors.is_empty() {
            return Err(RuleErrors(errors));
        }
        let mut entries = self.index().entries.clone();
        let added = rules_of(parsed).into_iter().map(Entry::read);
        entries.extend(added.map(Arc::new));
        Ok(Self::of(entries))
    }

    /// Everything that is wrong with the rules that come with the program.
    pub fn lint_embedded() -> Vec<RuleError> {
        Self::load(embedded_sources()).map_or_else(|errors| errors.0, |_| Vec::new())
    }

    /// Every rule, sorted by id.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Rule>> {
        self.index().entries.iter().filter_map(|entry| entry.rule())
    }

    /// The ids of all rules, sorted.
    pub fn ids(&self) -> impl Iterator<Item = &RuleId> {
        self.index().entries.iter().map(|entry| &entry.id)
    }

    /// The rule at a place in the order of ids.
    pub fn nth(&self, place: usize) -> Option<&Arc<Rule>> {
        self.index().entries.get(place)?.rule()
    }

    /// The slots, sorted by id.
    pub fn slots(&self) -> impl Iterator<Item = &Arc<Rule>> {
        let slots = self.index().entries.iter();
        slots
            .filter(|entry| entry.head.kind == "slot")
            .filter_map(|entry| entry.rule())
    }

    /// The families, sorted by id.
    pub fn families(&self) -> impl Iterator<Item = &Arc<Rule>> {
        let families = self.index().entries.iter();
        families
            .filter(|entry| entry.head.kind == "family")
            .filter_map(|entry| entry.rule())
    }

    /// The families against whose members a distribution is built, sorted by id.
    pub fn extending(&self, name: &PackageName) -> impl Iterator<Item = &Arc<Rule>> {
        let families = self.index().entries.iter();
        families
            .filter(|entry| {
                let mut names = entry.head.extended_by.iter();
                names.any(|one| **one == *name.as_ref())
            })
            .filter_map(|entry| entry.rule())
    }

    /// For each rule that limits a distribution where it is present: what triggers it, and what
    /// it limits.
    pub fn limits_of_all(&self) -> impl Iterator<Item = (&PackageName, &PackageName)> {
        let index = self.index();
        let limits = index.limits_of_all.get_or_init(|| {
            let limits = index.entries.iter().filter_map(|entry| {
                let limited = entry.head.limits.as_ref()?;
                let trigger = entry.head.triggers.first()?;
                Some((trigger.parse().ok()?, limited.parse().ok()?))
            });
            limits.collect()
        });
        limits.iter().map(|(trigger, limited)| (trigger, limited))
    }

    /// How many rules there are.
    pub fn len(&self) -> usize {
        self.index().entries.len()
    }

    /// Whether there is no rule.
    pub fn is_empty(&self) -> bool {
        self.index().entries.is_empty()
    }

    /// The rule with this id.
    pub fn get(&self, id: &str) -> Option<&Arc<Rule>> {
        let place = self
            .index()
            .entries
            .binary_search_by(|entry| (*entry.id.0).cmp(id))
            .ok()?;
        self.nth(place)
    }

    /// The rules that a distribution triggers, sorted by id; slots that it is a member of included.
    pub fn on(&self, name: &PackageName) -> &[Arc<Rule>] {
        let index = self.index();
        let place = index
            .on
            .binary_search_by(|on| (*on.name).cmp(name.as_ref()));
        let Some(on) = place.ok().and_then(|place| index.on.get(place)) else {
            return &[];
        };
        on.rules.get_or_init(|| {
            let entries = on
                .entries
                .iter()
                .filter_map(|place| index.entries.get(*place));
            let rules = entries.filter_map(|entry| entry.rule());
            rules.cloned().collect()
        })
    }

    /// Whether some rule limits the distribution where it is present.
    pub fn limits(&self, name: &PackageName) -> bool {
        let limited = &self.index().limited;
        limited
            .binary_search_by(|one| (**one).cmp(name.as_ref()))
            .is_ok()
    }

    /// Whether a release's local version tells what it was built against (a family's
    /// `[[extension]]`): what rules say of needs is about the builds that do not.
    pub fn names_its_build(&self, name: &PackageName, version: &Version) -> bool {
        version.is_local()
            && self.extending(name).any(|rule| match &rule.kind {
                RuleKind::Family {
                    labels, extensions, ..
                } => extensions.iter().any(|extension| {
                    extension.packages.contains(name)
                        && extension.built_for(version, labels).is_some()
                }),
                _ => false,
            })
    }

    /// The same rules without those named: `--ignore-rule`.
    pub fn without(&self, ignored: &[RuleId]) -> Self {
        if ignored.is_empty() {
            return self.clone();
        }
        Self::of(
            self.index()
                .entries
                .iter()
                .filter(|entry| !ignored.contains(&entry.id))
                .map(Arc::clone)
                .collect(),
        )
    }
}

impl Default for RuleSet {
    /// No rules.
    fn default() -> Self {
        Self::of(Vec::new())
    }
}

impl Index {
    fn of(mut entries: Vec<Arc<Entry>>) -> Self {
        entries.sort_by(|a, b| a.id.cmp(&b.id));
        let mut triggers: Vec<(&Name, usize)> = Vec::with_capacity(entries.len());
        let mut limited = Vec::new();
        for (place, entry) in entries.iter().enumerate() {
            triggers.extend(entry.head.triggers.iter().map(|name| (name, place)));
            limited.extend(entry.head.limits.clone());
        }
        triggers.sort_unstable();
        limited.sort_unstable();
        limited.dedup();
        let on = triggers
            .chunk_by(|(a, _), (b, _)| a == b)
            .filter_map(|same| {
                Some(On {
                    name: same.first()?.0.clone(),
                    entries: same.iter().map(|(_, place)| *place).collect(),
                    rules: OnceLock::new(),
                })
            })
            .collect();
        Self {
            entries,
            on,
            limited,
            limits_of_all: OnceLock::new(),
        }
    }
}

fn embedded_sources() -> impl Iterator<Item = RuleSource<'static>> {
    embedded().map(|embedded| RuleSource {
        id: embedded.id,
        origin: RuleOrigin::Embedded,
        text: embedded.text,
    })
}

fn parse_all<'a>(
    sources: impl IntoIterator<Item = RuleSource<'a>>,
) -> Result<Vec<Parsed>, RuleErrors> {
    let mut parsed = Vec::new();
    let mut errors = Vec::new();
    for source in sources {
        match parse(&source) {
            Ok(rule) => parsed.push(rule),
            Err(error) => errors.push(error),
        }
    }
    if errors.is_empty() {
        Ok(parsed)
    } else {
        Err(RuleErrors(errors))
    }
}

fn rules_of(parsed: Vec<Parsed>) -> Vec<Arc<Rule>> {
    parsed
        .into_iter()
        .map(|parsed| Arc::new(parsed.rule))
        .collect()
}

fn duplicates(parsed: &[Parsed], known: &RuleSet) -> Vec<RuleError> {
    let mut seen = BTreeSet::new();
    parsed
        .iter()
        .filter(|one| !seen.insert(&one.rule.id) || known.get(&one.rule.id.0).is_some())
        .map(|one| {
            let kind = RuleErrorKind::DuplicateId {
                id: one.rule.id.to_string(),
            };
            one.source
                .error(kind, one.spans.file.clone())
                .with_help("name the file otherwise")
        })
        .collect()
}

fn loosening(parsed: &Parsed) -> Option<RuleError> {
    let kind = &parsed.rule.kind;
    kind.loosens().then(|| {
        let kind = RuleErrorKind::Loosens {
            rule_kind: kind.name(),
        };
        parsed
            .source
            .error(kind, parsed.spans.file.clone())
            .with_help("name the folder on the command line, with `--rules`")
    })
}
