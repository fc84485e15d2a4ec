//! The parts of a conflict as sentences about real packages.

use std::collections::{BTreeMap, BTreeSet};

use pep440_rs::Version;
use pep508_rs::{ExtraName, PackageName};

use super::beside;
use super::core::Core;
use super::names::near;
use super::no_release::{Away, wheels_for};
use super::ranges::{either, some_of, together};
use super::study::Study;
use super::text;
use crate::request::{Line, LineSource, Request};
use crate::rules::{Rule, RuleKind};
use crate::solve::{Reason, SolveError, Span, Unusable};

/// One thing that takes part in a conflict, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sentence {
    /// What kind of thing it is: a stable id (`requires`, `rule`, `no-release`, …).
    pub kind: &'static str,
    /// The distribution that it is about.
    pub package: Option<PackageName>,
    /// The rule, where it is one.
    pub rule: Option<String>,
    /// The whole sentence, without a full stop.
    pub text: String,
    /// The same in a few words, to stand beside a line.
    pub short: String,
}

/// What turns reasons into sentences.
pub(super) struct Speaker<'a, 'b> {
    pub(super) study: &'a Study<'b>,
    pub(super) request: &'a Request,
}

type Asked<'r> = (&'r PackageName, &'r PackageName, Option<&'r ExtraName>);

impl Speaker<'_, '_> {
    /// The sentences of a core, from the user's lines on.
    pub(super) fn sentences(&self, core: &Core) -> Result<Vec<Sentence>, SolveError> {
        let reasons = &core.conflict.reasons;
        let mut found: Vec<(Sentence, Option<&PackageName>)> =
            requirements(reasons, &self.request.overrides)
                .into_iter()
                .map(|(sentence, to)| (sentence, Some(to)))
                .collect();
        let lines = core.lines.iter().filter_map(|line| line.of(self.request));
        found.extend(lines.filter_map(|line| self.replaced(line).map(|one| (one, None))));
        found.extend(self.rules(reasons).into_iter().map(|one| (one, None)));
        found.extend(self.slots(reasons).into_iter().map(|one| (one, None)));
        found.extend(self.set_aside(reasons).into_iter().map(|one| (one, None)));
        for reason in reasons {
            if let Some(sentence) = self.other(reason)? {
                found.push((sentence, None));
            }
        }
        let names: Vec<&PackageName> = core
            .lines
            .iter()
            .filter_map(|line| Some(&line.of(self.request)?.name))
            .collect();
        Ok(ordered(found, &names))
    }

    /// That an override stands in the place of a line.
    fn replaced(&self, line: &Line) -> Option<Sentence> {
        let other = overriding(&self.request.overrides, &line.name)?;
        let text = format!(
            "your override `{}` ({}) stands in the place of `{}` ({})",
            other.text, other.place, line.text, line.place
        );
        Some(Sentence {
            kind: "override",
            package: Some(line.name.clone()),
            rule: None,
            short: text.clone(),
            text,
        })
    }

    /// The rules: one sentence for each, however many releases trigger it.
    fn rules(&self, reasons: &[Reason]) -> Vec<Sentence> {
        let mut triggered: BTreeMap<(&str, &PackageName), Vec<&Span>> = BTreeMap::new();
        for reason in reasons {
            if let Reason::Rule {
                id,
                package,
                releases,
            } = reason
            {
                triggered
                    .entry((&id.0, package))
                    .or_default()
                    .push(releases);
            }
        }
        triggered
            .into_iter()
            .filter_map(|((id, package), spans)| {
                let rule = self.study.rules.get(id)?;
                let (who, plural) = text::all_releases(package, &spans);
                let short = rule_effect(rule, &who, plural);
                Some(Sentence {
                    kind: "rule",
                    package: Some(package.clone()),
                    rule: Some(id.to_owned()),
                    text: format!("{short}: {}", text::unstopped(&rule.reason)),
                    short,
                })
            })
            .collect()
    }

    /// The slots: one sentence for all that install into one.
    fn slots(&self, reasons: &[Reason]) -> Vec<Sentence> {
        let mut filled: BTreeMap<&str, BTreeMap<&PackageName, Vec<&Span>>> = BTreeMap::new();
        for reason in reasons {
            if let Reason::Slot {
                id,
                package,
                releases,
            } = reason
            {
                let members = filled.entry(&id.0).or_default();
                members.entry(package).or_default().push(releases);
            }
        }
        filled
            .into_iter()
            .filter_map(|(id, members)| {
                let rule = self.study.rules.get(id)?;
                let who: Vec<(String, bool)> = members
                    .iter()
                    .map(|(package, spans)| text::all_releases(package, spans))
                    .collect();
                let short = match (who.as_slice(), &rule.kind) {
                    ([_, _, ..], RuleKind::Slot { import, .. }) => {
                        let who: Vec<String> = who.into_iter().map(|(who, _)| who).collect();
                        format!("{} install into `{import}` (rule {id})", text::list(&who))
                    }
                    ([(who, plural)], _) => rule_effect(rule, who, *plural),
                    _ => return None,
                };
                Some(Sentence {
                    kind: "rule",
                    package: members
                        .keys()
                        .next()
                        .filter(|_| members.len() == 1)
                        .map(|package| (*package).clone()),
                    rule: Some(id.to_owned()),
                    text: format!("{short}: {}", text::unstopped(&rule.reason)),
                    short,
                })
            })
            .collect()
    }

    /// Releases that were set aside: one sentence for each distribution and reason.
    fn set_aside(&self, reasons: &[Reason]) -> Vec<Sentence> {
        let mut aside: BTreeMap<(&PackageName, &Unusable), Vec<&Span>> = BTreeMap::new();
        for reason in reasons {
            if let Reason::SetAside {
                package,
                releases,
                reason,
            } = reason
            {
                aside.entry((package, reason)).or_default().push(releases);
            }
        }
        aside
            .into_iter()
            .map(|((package, reason), spans)| {
                let (who, plural) = text::all_releases(package, &spans);
                let text = format!("{who} {}", self.unusable(reason, plural));
                Sentence {
                    kind: "set-aside",
                    package: Some(package.clone()),
                    rule: None,
                    short: text.clone(),
                    text,
                }
            })
            .collect()
    }

    fn other(&self, reason: &Reason) -> Result<Option<Sentence>, SolveError> {
        let (kind, package, text) = match reason {
            Reason::Line(_)
            | Reason::Constraint(_)
            | Reason::Requires { .. }
            | Reason::Rule { .. }
            | Reason::Slot { .. }
            | Reason::SetAside { .. } => return Ok(None),
            Reason::Build { .. } | Reason::NoBuild { .. } | Reason::Brings { .. } => {
                return Ok(of_builds(reason));
            }
            Reason::NoRelease { package, rejected } => (
                "no-release",
                Some(package),
                self.no_release(package, rejected)?,
            ),
            Reason::NotFound { package, asked } => {
                let near: Vec<String> = near(package.as_ref(), self.request, self.study.rules)
                    .iter()
                    .map(|name| format!("`{name}`"))
                    .collect();
                let hint = if near.is_empty() {
                    String::new()
                } else {
                    format!("; near to it: {}", text::list(&near))
                };
                let asked = asked.join(", ");
                (
                    "not-found",
                    Some(package),
                    if asked.is_empty() {
                        format!(
                            "`{package}` is nowhere: `--no-index` is set, and no place has it{hint}"
                        )
                    } else {
                        format!("no index has `{package}` (asked: {asked}){hint}")
                    },
                )
            }
            Reason::Installed { package, version } => (
                "installed",
                Some(package),
                match version {
                    Some(version) => {
                        format!("the base has {package} {version}, which stays as it is")
                    }
                    None => format!("the base has {package}, which stays as it is"),
                },
            ),
            Reason::Virtual { package, stated } => (
                "environment",
                None,
                match stated {
                    Some(version) => format!("the target has {package} {version}"),
                    None => format!("one environment has one version of {package}"),
                },
            ),
        };
        Ok(Some(Sentence {
            kind,
            package: package.cloned(),
            rule: None,
            short: text.clone(),
            text,
        }))
    }

    /// None of the releases in a range can be chosen.
    fn no_release(
        &self,
        package: &PackageName,
        rejected: &[(Version, Unusable)],
    ) -> Result<String, SolveError> {
        let python = self.study.target.words().python;
        let known = self.study.candidates(package, self.request)?;
        let mut away = Away::new(package, rejected);
        away.all = known.versions.is_empty() && known.rejected.len() == rejected.len();
        if let Some(told) = away.sentence(&python, |reason| self.unusable(reason, false)) {
            return Ok(told);
        }
        if let Some(build) = self.build_asked_for(package) {
            return Ok(build);
        }
        let lines = self.request.requirements.iter();
        let lines = lines.chain(&self.request.constraints);
        if let Some(told) = beside::sentence(package, lines, &known.versions) {
            return Ok(told);
        }
        Ok(match (known.versions.first(), known.versions.last()) {
            (Some(first), Some(last)) => format!(
                "there is no {package} in that range: its releases for this target go from {first} to {last}"
            ),
            _ => format!("there is no {package} in that range"),
        })
    }

    /// That a line asks for a build by its local version, which the default index does not have.
    fn build_asked_for(&self, package: &PackageName) -> Option<String> {
        let local = self
            .request
            .requirements
            .iter()
            .filter(|line| line.name == *package)
            .find_map(|line| match &line.source {
                LineSource::Specifiers(specifiers) => specifiers
                    .iter()
                    .find(|one| one.version().is_local())
                    .map(|one| one.version().to_string()),
                LineSource::Direct(_) => None,
            })?;
        let (_, local) = local.split_once('+')?;
        let is_known = self.study.rules.on(package).iter().any(|rule| {
            matches!(&rule.kind, RuleKind::Family { labels, .. }
                if labels.iter().any(|label| label.name == local))
        });
        Some(if is_known {
            format!(
                "`+{local}` names a build of {package}, which has an index of its own: ask for it \
                 with `--torch-backend {local}`"
            )
        } else {
            format!(
                "no index that was asked has a {package} with the local version `+{local}`: such \
                 builds have indexes of their own (`--index`)"
            )
        })
    }

    /// Why releases cannot be chosen, with what the reader needs to know of the target.
    pub(super) fn unusable(&self, reason: &Unusable, plural: bool) -> String {
        let words = self.study.target.words();
        let verb = |one: &'static str, many: &'static str| if plural { many } else { one };
        match reason {
            Unusable::NoSuitableFile { found } if found.is_empty() => format!(
                "{} no file for Python {} on {}",
                verb("has", "have"),
                words.python,
                words.platform
            ),
            Unusable::NoSuitableFile { found } => format!(
                "{} no wheel for Python {} on {} and no source distribution ({})",
                verb("has", "have"),
                words.python,
                words.platform,
                wheels_for(found, &self.study.target.python)
            ),
            Unusable::Python { requires } => format!(
                "{} Python {requires}, and the target has {}",
                verb("needs", "need"),
                words.python
            ),
            Unusable::TooNew => {
                let cutoff = self
                    .request
                    .policy
                    .exclude_newer
                    .map_or_else(String::new, |cutoff| format!(" {cutoff}"));
                format!(
                    "{} uploaded after the cut-off{cutoff} (`--exclude-newer`)",
                    verb("was", "were")
                )
            }
            Unusable::Yanked { .. } => {
                let text = reason.to_string();
                let text = text.strip_prefix("was ").unwrap_or(&text);
                format!(
                    "{} {text}; only `==` in a line of yours takes a yanked release",
                    verb("was", "were")
                )
            }
            Unusable::PreRelease => format!(
                "{}, which only `--pre` or a line that names one admits",
                verb("is a pre-release", "are pre-releases")
            ),
            Unusable::SdistRefused => format!(
                "{} only a source distribution, which `--only-binary` refuses",
                verb("has", "have")
            ),
            Unusable::WheelRefused => format!(
                "{} only wheels, which `--no-binary` refuses",
                verb("has", "have")
            ),
            Unusable::NeedsBuild => format!(
                "{} no wheel for this target, and what the source distribution requires is not known without building it",
                verb("has", "have")
            ),
            Unusable::SourceOnly => format!(
                "{} no wheel for this target; a source distribution is tried only where a requirement leaves nothing else, or with `--build :all:`",
                verb("has", "have")
            ),
            Unusable::NoExtra { extra } => {
                format!("{} no extra `{extra}`", verb("has", "have"))
            }
            Unusable::Broken { rule } => {
                let told = self.study.rules.get(rule).map_or_else(String::new, |rule| {
                    let advice = rule.advice.as_ref();
                    let advice = advice.map_or_else(String::new, |advice| format!("; {advice}"));
                    format!(": {}{advice}", text::unstopped(&rule.reason))
                });
                format!("{} broken (rule {rule}){told}", verb("is", "are"))
            }
            Unusable::Metadata { detail } if !text::says_what_it_does(detail) => {
                format!("cannot be used: {detail}")
            }
            other => other.to_string(),
        }
    }
}

/// What metadata asks for: one sentence for each distribution that asks and each that
/// is asked for, however many releases take part.
fn requirements<'r>(reasons: &'r [Reason], overrides: &[Line]) -> Vec<(Sentence, &'r PackageName)> {
    let mut asked: BTreeMap<Asked<'_>, (Vec<&Span>, Vec<String>)> = BTreeMap::new();
    // The others have ranges of their own.
    let mut partly: BTreeSet<Asked<'_>> = BTreeSet::new();
    for reason in reasons {
        if let Reason::Requires {
            package,
            releases,
            extra,
            to,
            ranges,
            all,
        } = reason
        {
            let entry = asked.entry((package, to, extra.as_ref())).or_default();
            entry.0.push(releases);
            entry.1.push(together(ranges));
            if !all {
                partly.insert((package, to, extra.as_ref()));
            }
        }
    }
    asked
        .into_iter()
        .map(|((package, to, extra), (spans, ranges))| {
            let (who, plural) = text::all_releases(package, &spans);
            let with = extra.map_or_else(String::new, |extra| format!(" with `[{extra}]`"));
            let verb = if plural { "require" } else { "requires" };
            let wanted = if ranges.iter().any(|range| range.contains("://")) {
                text::requirement(to, &ranges.join(" or "))
            } else if partly.contains(&(package, to, extra)) {
                some_of(to.as_ref(), &ranges)
            } else {
                either(to.as_ref(), &ranges)
            };
            let by = overriding(overrides, to).map_or_else(String::new, |line| {
                format!(", as your override `{}` ({}) has it", line.text, line.place)
            });
            let sentence = Sentence {
                kind: "requires",
                package: Some(package.clone()),
                rule: None,
                text: format!("{who}{with} {verb} {wanted}{by}"),
                short: format!("{who}{with} {verb} {wanted}"),
            };
            (sentence, to)
        })
        .collect()
}

/// The override of a distribution.
fn overriding<'o>(overrides: &'o [Line], name: &PackageName) -> Option<&'o Line> {
    overrides.iter().find(|line| line.name == *name)
}

/// From the user's lines on: who is named by a line first, then what those ask for.
fn ordered(
    mut waiting: Vec<(Sentence, Option<&PackageName>)>,
    lines: &[&PackageName],
) -> Vec<Sentence> {
    let mut told = Vec::with_capacity(waiting.len());
    let mut names: Vec<&PackageName> = lines.to_vec();
    let mut next = 0;
    while let Some(name) = names.get(next).copied() {
        next += 1;
        let (now, later): (Vec<_>, Vec<_>) = waiting
            .into_iter()
            .partition(|(sentence, _)| sentence.package.as_ref() == Some(name));
        waiting = later;
        for (sentence, to) in now {
            if let Some(to) = to
                && !names.contains(&to)
            {
                names.push(to);
            }
            told.push(sentence);
        }
    }
    told.extend(waiting.into_iter().map(|(sentence, _)| sentence));
    told
}

/// What a rule does to those who trigger it, in a few words that end in its id.
pub(super) fn rule_effect(rule: &Rule, who: &str, plural: bool) -> String {
    let verb = |one: &'static str, many: &'static str| if plural { many } else { one };
    let effect = match &rule.kind {
        RuleKind::Constrain {
            package, versions, ..
        } => format!(
            "{} only with {package}{}",
            verb("works", "work"),
            versions.in_words()
        ),
        RuleKind::Requires {
            package, versions, ..
        } => format!("{} {package}{}", verb("needs", "need"), versions.in_words()),
        RuleKind::Needs { packages, .. } => {
            let needs: Vec<String> = packages
                .iter()
                .map(|(package, versions)| format!("{package} {versions}"))
                .collect();
            format!("{} {}", verb("needs", "need"), text::list(&needs))
        }
        RuleKind::Provides { packages, .. } => {
            let brings: Vec<String> = packages
                .iter()
                .map(|(package, version)| match version {
                    Some(version) => format!("{package} {version}"),
                    None => package.clone(),
                })
                .collect();
            format!("{} {}", verb("brings", "bring"), text::list(&brings))
        }
        RuleKind::Slot { import, .. } => format!(
            "{} into `{import}`, which another distribution at another version fills too",
            verb("installs", "install")
        ),
        _ => format!("{} limited", verb("is", "are")),
    };
    format!("{who} {effect} (rule {})", rule.id)
}

/// What stands between builds of a family, and between what they bring.
fn of_builds(reason: &Reason) -> Option<Sentence> {
    let (kind, package, text) = match reason {
        Reason::Build {
            family,
            package,
            releases,
            labels,
        } => {
            let (who, plural) = text::all_releases(package, &[releases]);
            let verb = if plural { "are" } else { "is" };
            let labels = text::list(labels);
            let text = format!(
                "{who} {verb} built for {labels}, and an environment has one build of {family}"
            );
            ("build", Some(package.clone()), text)
        }
        Reason::NoBuild { package, because } => (
            "no-build",
            Some(package.clone()),
            format!("{package}: {because}"),
        ),
        Reason::Brings {
            who,
            releases,
            package,
            versions,
        } => {
            let versions: Vec<String> = versions.iter().map(ToString::to_string).collect();
            let name: Option<PackageName> = who.parse().ok();
            let (who, plural) = match (releases, &name) {
                (Some(span), Some(name)) => text::all_releases(name, &[span]),
                _ => (who.clone(), false),
            };
            let verb = if plural { "bring" } else { "brings" };
            let versions = text::list(&versions);
            ("brings", name, format!("{who} {verb} {package} {versions}"))
        }
        _ => return None,
    };
    Some(Sentence {
        kind,
        package,
        rule: None,
        short: text.clone(),
        text,
    })
}
