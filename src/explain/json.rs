//! Answers for programs; `schemas/` describes them.

use pep440_rs::Version;
use pep508_rs::PackageName;
use serde_json::{Value, json};

use super::chain::Link;
use super::changes::{Cause, Changes};
use super::core::Core;
use super::diagnosis::Diagnosis;
use super::fix::Fix;
use super::message::Message;
use super::sentence::Sentence;
use super::study::UserLine;
use super::why::{Barrier, Why};
use super::why_not::{Answer, Blocker, WhyNot};
use crate::request::{Place, Request};
use crate::solve::Reason;

/// Why there is no solution: `schemas/conflict.schema.json`.
pub fn conflict_json(diagnosis: &Diagnosis, message: &Message, request: &Request) -> Value {
    let conflicts: Vec<Value> = diagnosis
        .conflicts
        .iter()
        .zip(&message.conflicts)
        .map(|(cores, told)| {
            let mut sentences: Vec<&Sentence> = told
                .lines
                .iter()
                .filter_map(|shown| shown.label.as_ref())
                .collect();
            sentences.extend(&told.sentences);
            json!({
                "lines": told.lines.iter().map(|shown| json!({
                    "id": line_id(shown.line),
                    "text": shown.text,
                    "place": place(&shown.place),
                })).collect::<Vec<_>>(),
                "sentences": sentences.into_iter().map(sentence).collect::<Vec<_>>(),
                "cores": cores.iter().map(|core| parts(core, request)).collect::<Vec<_>>(),
            })
        })
        .collect();
    json!({
        "schema": "mlresolve/conflict/1",
        "message": message.title(),
        "conflicts": conflicts,
        "fixes": fixes(&diagnosis.fixes),
        "complete": diagnosis.complete,
        "unbuilt": releases(&diagnosis.unbuilt),
    })
}

fn releases(releases: &[(PackageName, Version)]) -> Vec<String> {
    releases
        .iter()
        .map(|(name, version)| format!("{name}=={version}"))
        .collect()
}

/// The answer to `why NAME`: `schemas/why.schema.json`.
pub fn why_json(why: &Why) -> Value {
    json!({
        "schema": "mlresolve/why/1",
        "name": why.name.as_ref(),
        "version": why.version.to_string(),
        "file": why.file,
        "chain": links(&why.chain),
        "askers": links(&why.askers),
        "newest": why.newest.as_ref().map(ToString::to_string),
        "barriers": why.barriers.iter().map(barrier).collect::<Vec<_>>(),
        "possible_with_changes": why.possible.as_ref().map(|possible| possible.changes),
        "pinned": why.pinned,
        "upgrade": why.upgrade.as_ref().map(|upgrade| json!({
            "to": upgrade.to.to_string(),
            "changes": upgrade.otherwise.changes,
        })),
        "beyond": why.beyond,
        "fixes": fixes(&why.fixes),
    })
}

/// The answer to `why REQUIREMENT`: `schemas/why-not.schema.json`.
pub fn why_not_json(answer: &WhyNot) -> Value {
    let mut unbuilt = Vec::new();
    let (state, blockers, changes, proposed, complete) = match &answer.answer {
        Answer::Met => ("met", Vec::new(), Vec::new(), Vec::new(), true),
        Answer::Free(changes) => {
            let changes = changes
                .iter()
                .map(|change| {
                    json!({
                        "name": change.name.as_ref(),
                        "before": change.before.as_ref().map(ToString::to_string),
                        "after": change.after.as_ref().map(ToString::to_string),
                    })
                })
                .collect();
            ("free", Vec::new(), changes, Vec::new(), true)
        }
        Answer::Blocked {
            blockers,
            fixes: found,
            complete,
            unbuilt: not_built,
        } => {
            unbuilt = releases(not_built);
            let blockers = blockers.iter().map(blocker).collect();
            ("blocked", blockers, Vec::new(), fixes(found), *complete)
        }
    };
    json!({
        "schema": "mlresolve/why-not/1",
        "demand": answer.demand,
        "name": answer.name.as_ref(),
        "now": answer.now.as_ref().map(ToString::to_string),
        "state": state,
        "blockers": blockers,
        "changes": changes,
        "fixes": proposed,
        "complete": complete,
        "unbuilt": unbuilt,
        "do_not_block": answer.clear,
        "refuted": answer.refuted.iter().map(|claim| json!({
            "rule": claim.rule,
            "reason": claim.reason,
            "source": claim.source,
        })).collect::<Vec<_>>(),
    })
}

/// What differs between two locks: `schemas/diff.schema.json`.
pub fn changes_json(changes: &Changes) -> Value {
    let list: Vec<Value> = changes
        .changes
        .iter()
        .map(|change| {
            let (kind, by, rule, detail) = match &change.cause {
                Cause::Rule { id, by } => ("rule", Some(by), Some(id), None),
                Cause::RuleGone { id, by } => ("rule-gone", Some(by), Some(id), None),
                Cause::Asked { by, range } => ("asked", Some(by), None, Some(range)),
                Cause::NotAsked { by } => ("not-asked", Some(by), None, None),
                Cause::Line(place) => ("line", None, None, Some(place)),
                Cause::LineGone(place) => ("line-gone", None, None, Some(place)),
                Cause::Free => ("free", None, None, None),
            };
            json!({
                "name": change.name.as_ref(),
                "before": change.before,
                "after": change.after,
                "cause": {
                    "kind": kind,
                    "by": by.map(AsRef::as_ref),
                    "rule": rule,
                    "detail": detail,
                },
                "depth": change.depth,
            })
        })
        .collect();
    json!({"schema": "mlresolve/diff/1", "changes": list})
}

fn line_id(line: UserLine) -> String {
    match line {
        UserLine::Requirement(index) => format!("requirement:{index}"),
        UserLine::Constraint(index) => format!("constraint:{index}"),
    }
}

fn place(place: &Place) -> Value {
    json!({"file": &*place.file, "line": place.line, "column": place.column})
}

fn sentence(sentence: &Sentence) -> Value {
    json!({
        "kind": sentence.kind,
        "package": sentence.package.as_ref().map(AsRef::as_ref),
        "rule": sentence.rule,
        "text": sentence.text,
    })
}

/// What a core is made of, by ids that stay the same as long as the inputs do.
fn parts(core: &Core, request: &Request) -> Value {
    let mut ids: Vec<String> = core
        .lines
        .iter()
        .filter(|line| line.of(request).is_some())
        .map(|line| line_id(*line))
        .collect();
    for reason in &core.conflict.reasons {
        let id = match reason {
            Reason::Line(_) | Reason::Constraint(_) => continue,
            Reason::Requires { package, to, .. } => format!("requires:{package}:{to}"),
            Reason::Rule { id, package, .. } | Reason::Slot { id, package, .. } => {
                format!("rule:{id}:{package}")
            }
            Reason::NoRelease { package, .. } => format!("no-release:{package}"),
            Reason::NotFound { package, .. } => format!("not-found:{package}"),
            Reason::SetAside { package, .. } => format!("set-aside:{package}"),
            Reason::Build {
                family, package, ..
            } => format!("build:{family}:{package}"),
            Reason::NoBuild { package, .. } => format!("no-build:{package}"),
            Reason::Brings { who, package, .. } => format!("brings:{who}:{package}"),
            Reason::Installed { package, .. } => format!("installed:{package}"),
            Reason::Virtual { package, .. } => format!("environment:{package}"),
        };
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    json!(ids)
}

fn fixes(fixes: &[Fix]) -> Vec<Value> {
    fixes
        .iter()
        .map(|fix| {
            json!({
                "edits": fix.edits.iter().map(|edit| json!({
                    "line": line_id(edit.line),
                    "place": place(&edit.place),
                    "was": edit.was,
                    "now": edit.now,
                })).collect::<Vec<_>>(),
                "adds": fix.adds,
                "options": fix.options,
                "gives": fix.gives.iter().map(|(name, version)| json!({
                    "name": name.as_ref(),
                    "version": version.to_string(),
                })).collect::<Vec<_>>(),
                "changes": fix.changes,
            })
        })
        .collect()
}

fn links(links: &[Link]) -> Vec<Value> {
    links
        .iter()
        .map(|link| json!({"from": link.from, "wants": link.wants, "by": link.by}))
        .collect()
}

fn barrier(barrier: &Barrier) -> Value {
    json!({
        "kind": barrier.kind,
        "sentence": barrier.sentence,
        "admits": barrier.admits.as_ref().map(ToString::to_string),
        "rule": barrier.rule,
        "grounds": barrier.grounds,
        "held_by": barrier.held_by,
    })
}

fn blocker(blocker: &Blocker) -> Value {
    json!({
        "package": blocker.package.as_ref(),
        "steps": blocker.steps.iter().map(sentence).collect::<Vec<_>>(),
        "lines": blocker.lines.iter().map(|(text, place)| json!({
            "text": text,
            "place": place,
        })).collect::<Vec<_>>(),
        "first_free": blocker.first_free.as_ref().map(ToString::to_string),
        "held_by": blocker.held_by,
    })
}
