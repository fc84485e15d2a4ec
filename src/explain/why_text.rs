//! The answer to `why NAME` as text.

use std::fmt::Write as _;

use super::chain::{self, Link};
use super::text::{self, COLUMNS, wrap};
use super::why::{Barrier, Why};

/// How many of those who ask are named.
const MAX_ASKERS: usize = 8;

impl Why {
    /// The answer as text of at most 80 columns, colourless.
    pub fn render(&self) -> String {
        let mut out = String::new();
        if let Some(file) = &self.lines_in {
            let _ = writeln!(out, "{file}:");
        }
        let _ = write!(out, "{} {}", self.name, self.version);
        if let Some(file) = &self.file {
            let _ = write!(out, " ({file})");
        }
        out.push_str("\n\n");
        self.asked(&mut out);
        out.push('\n');
        self.newer(&mut out);
        if let Some(beyond) = &self.beyond {
            out.push_str(&wrap(&format!("{beyond}."), "", "", COLUMNS));
        }
        self.advice(&mut out);
        out
    }

    fn asked(&self, out: &mut String) {
        out.push_str("It is asked for by\n");
        for (depth, link) in self.chain.iter().enumerate() {
            let indent = " ".repeat(2 + 2 * depth);
            let further = format!("{indent}  ");
            let step = self.short(&step(link));
            out.push_str(&wrap(&step, &indent, &further, COLUMNS));
        }
        if self.askers.is_empty() {
            return;
        }
        let named: Vec<String> = self
            .askers
            .iter()
            .take(MAX_ASKERS)
            .map(|link| match (&link.from, &link.by) {
                (Some(from), _) => {
                    let name = from.split(' ').next().unwrap_or_default();
                    let range = link.wants.strip_prefix(self.name.as_ref());
                    match range.filter(|range| !range.is_empty()) {
                        Some(range) => format!("{name} ({range})"),
                        None => name.to_owned(),
                    }
                }
                (None, Some(by)) => format!("your line {by}"),
                (None, None) => link.wants.clone(),
            })
            .collect();
        let more = self.askers.len().saturating_sub(MAX_ASKERS);
        let mut sentence = format!("and by {}", text::list(&named));
        if more > 0 {
            sentence = format!("and by {} and {more} more", named.join(", "));
        }
        out.push_str(&wrap(&self.short(&sentence), "", "  ", COLUMNS));
    }

    /// Places of the one file as lines alone.
    fn short(&self, sentence: &str) -> String {
        text::shortened(sentence, self.lines_in.as_deref())
    }

    fn newer(&self, out: &mut String) {
        let Some(newest) = self
            .newest
            .as_ref()
            .filter(|newest| **newest > self.version)
        else {
            out.push_str("It is the newest release for this target.\n");
            return;
        };
        if let Some(changes) = self.possible {
            let sentence = format!(
                "The newest release for this target is {newest}. Nothing forbids it, but it would \
                 have {} other than now: something else would have to be older.",
                text::counted(changes, "package")
            );
            out.push_str(&wrap(&sentence, "", "", COLUMNS));
            return;
        }
        if self.barriers.is_empty() {
            let _ = writeln!(out, "The newest release for this target is {newest}.");
            return;
        }
        let _ = writeln!(
            out,
            "The newest release for this target is {newest}. It is kept away by"
        );
        for (position, barrier) in self.barriers.iter().enumerate() {
            barrier.render(position + 1, self, out);
        }
    }

    fn advice(&self, out: &mut String) {
        let Some(newest) = self
            .newest
            .as_ref()
            .filter(|newest| **newest > self.version)
        else {
            return;
        };
        if self.fixes.is_empty() {
            return;
        }
        let _ = writeln!(
            out,
            "\nhint: to get {} {newest} (each was tried):",
            self.name
        );
        for fix in &self.fixes {
            let sentence = fix.sentence(self.lines_in.as_deref());
            out.push_str(&wrap(&sentence, "  - ", "    ", COLUMNS));
        }
    }
}

fn step(link: &Link) -> String {
    match (&link.from, &link.by) {
        (None, Some(by)) => format!("your line {by}"),
        _ => chain::in_words(std::slice::from_ref(link)),
    }
}

impl Barrier {
    fn render(&self, number: usize, answer: &Why, out: &mut String) {
        let upto = self
            .admits
            .as_ref()
            .map_or_else(String::new, |admits| format!("; it admits up to {admits}"));
        let first = format!("  {number}. ");
        let sentence = answer.short(&format!("{}{upto}", self.sentence));
        out.push_str(&wrap(&sentence, &first, "     ", COLUMNS));
        for ground in &self.grounds {
            out.push_str(&wrap(ground, "     ", "     ", COLUMNS));
        }
        if let Some(held_by) = self.held_by.as_ref().filter(|text| !text.is_empty()) {
            out.push_str(&wrap(
                &answer.short(&format!("Because of {held_by}.")),
                "     ",
                "     ",
                COLUMNS,
            ));
        }
    }
}
