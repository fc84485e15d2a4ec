//! The answer to `why REQUIREMENT` as text.

use std::fmt::Write as _;

use super::fix::Fix;
use super::text::{self, COLUMNS, wrap};
use super::why_not::{Answer, Blocker, Change, WhyNot};

/// How many changes are listed.
const MAX_CHANGES: usize = 20;

impl WhyNot {
    /// The answer as text of at most 80 columns, colourless.
    pub fn render(&self) -> String {
        let mut out = String::new();
        if let Some(file) = &self.file {
            let _ = writeln!(out, "{file}:");
        }
        match &self.answer {
            Answer::Met => self.met(&mut out),
            Answer::Free(changes) => self.free(changes, &mut out),
            Answer::Blocked {
                blockers,
                fixes,
                complete,
                unbuilt,
            } => {
                // What was not built is told with the fixes: it says why there may be more.
                let ended = !complete && unbuilt.is_empty();
                self.blocked(blockers, fixes, ended, &mut out);
                if let Some(unbuilt) = text::unbuilt(unbuilt) {
                    let sentence =
                        format!("There may be another change that admits it: {unbuilt}.");
                    out.push_str(&wrap(&sentence, "", "", COLUMNS));
                }
            }
        }
        if !self.clear.is_empty() {
            let verb = if self.clear.len() == 1 { "does" } else { "do" };
            let sentence = format!("{} {verb} not block it.", text::list(&self.clear));
            out.push('\n');
            out.push_str(&wrap(&sentence, "", "", COLUMNS));
        }
        for claim in &self.refuted {
            let source = claim
                .source
                .as_ref()
                .map_or_else(String::new, |source| format!(" See {source}"));
            let sentence = format!(
                "It is often said otherwise, and that is wrong (rule {}): {}.{source}",
                claim.rule,
                text::unstopped(&claim.reason)
            );
            out.push_str(&wrap(&sentence, "", "", COLUMNS));
        }
        if let Answer::Blocked { fixes, .. } = &self.answer {
            self.advice(fixes, &mut out);
        }
        out
    }

    fn met(&self, out: &mut String) {
        let version = self
            .now
            .as_ref()
            .map_or_else(String::new, ToString::to_string);
        let sentence = format!(
            "Nothing blocks {}: your lines give {} {version}.",
            self.demand, self.name
        );
        out.push_str(&wrap(&sentence, "", "", COLUMNS));
    }

    fn free(&self, changes: &[Change], out: &mut String) {
        let now = match &self.now {
            Some(version) => format!("{} {version} is only what is locked now", self.name),
            None => format!("nothing asks for {}", self.name),
        };
        let sentence = format!("Nothing blocks {}: {now}.", self.demand);
        out.push_str(&wrap(&sentence, "", "", COLUMNS));
        if changes.is_empty() {
            return;
        }
        let _ = writeln!(
            out,
            "With it, {} would change:",
            text::counted(changes.len(), "package")
        );
        for change in changes.iter().take(MAX_CHANGES) {
            let _ = writeln!(out, "  {}", change.words());
        }
        if changes.len() > MAX_CHANGES {
            let _ = writeln!(out, "  and {} more", changes.len() - MAX_CHANGES);
        }
    }

    fn blocked(&self, blockers: &[Blocker], fixes: &[Fix], ended: bool, out: &mut String) {
        let count = match blockers.len() {
            1 => "one thing blocks it".to_owned(),
            many => format!("{many} things block it"),
        };
        let _ = writeln!(out, "{} cannot be had: {count}\n", self.demand);
        for (position, blocker) in blockers.iter().enumerate() {
            blocker.render(position + 1, self, out);
        }
        if ended {
            out.push_str("There may be more: the search was ended after a while.\n");
        }
        if fixes.is_empty() {
            out.push_str("No change of your own lines was found that admits it.\n");
        }
    }

    fn advice(&self, fixes: &[Fix], out: &mut String) {
        if fixes.is_empty() {
            return;
        }
        out.push_str("\nhint: what admits it (each was tried):\n");
        for fix in fixes {
            let sentence = fix.sentence(self.file.as_deref());
            out.push_str(&wrap(&sentence, "  - ", "    ", COLUMNS));
        }
    }
}

impl Change {
    /// `numpy 1.26.4 -> 2.4.6`.
    pub fn words(&self) -> String {
        match (&self.before, &self.after) {
            (Some(before), Some(after)) => {
                format!("{} {before} -> {after}{}", self.name, self.without_bound())
            }
            (Some(before), None) => format!("{} {before} would go", self.name),
            (None, Some(after)) => format!("{} {after} would be new", self.name),
            (None, None) => self.name.to_string(),
        }
    }

    /// That the release is one that forgot a bound; empty where it is not.
    pub(super) fn without_bound(&self) -> String {
        let to = self.forgets.as_ref();
        to.map_or_else(String::new, |to| {
            format!(", which lacks the bound on {to} that newer releases state")
        })
    }
}

impl Blocker {
    fn render(&self, number: usize, answer: &WhyNot, out: &mut String) {
        let first = format!("{number}. ");
        let mut lead = first.as_str();
        let lines: Vec<String> = self
            .lines
            .iter()
            .map(|(text, place)| format!("`{text}` ({place})"))
            .collect();
        if self.package == answer.name && self.steps.is_empty() {
            let sentence = format!("your line {}", text::list(&lines));
            let sentence = text::shortened(&sentence, answer.file.as_deref());
            out.push_str(&wrap(&sentence, lead, "   ", COLUMNS));
            return;
        }
        for step in &self.steps {
            out.push_str(&wrap(&step.short, lead, "   ", COLUMNS));
            lead = "   ";
        }
        if !lines.is_empty() {
            let word = if lines.len() == 1 { "line" } else { "lines" };
            let sentence = format!("because of your {word} {}", text::list(&lines));
            let sentence = text::shortened(&sentence, answer.file.as_deref());
            out.push_str(&wrap(&sentence, lead, "   ", COLUMNS));
        }
        if self.package == answer.name {
            return;
        }
        let sentence = match (&self.first_free, &self.held_by) {
            (None, _) => format!("no release of {} goes with it yet", self.package),
            (Some(free), None) => format!(
                "{} {free} is the first that does not block, and your lines admit it",
                self.package
            ),
            (Some(free), Some(held_by)) if *held_by == text::list(&lines) => format!(
                "{} {free} is the first that does not block; that line keeps it away",
                self.package
            ),
            (Some(free), Some(held_by)) => format!(
                "{} {free} is the first that does not block; {held_by} keeps it away",
                self.package
            ),
        };
        let sentence = text::shortened(&sentence, answer.file.as_deref());
        out.push_str(&wrap(&sentence, "   ", "   ", COLUMNS));
    }
}
