//! The answer to `why NAME` as text.

use std::fmt::Write as _;

use pep440_rs::Version;

use super::chain::{self, Link};
use super::text::{self, COLUMNS, wrap};
use super::why::{Barrier, Otherwise, Upgrade, Why};

/// How many of those who ask are named.
const MAX_ASKERS: usize = 8;

/// How many releases that would be older are named.
const MAX_OLDER: usize = 3;

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
        if let Some(possible) = self.possible.as_ref().filter(|_| self.barriers.is_empty()) {
            let sentence = format!(
                "The newest release for this target is {newest}. {}.",
                self.forbidden_by_nothing(newest, possible)
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
        if let Some(possible) = &self.possible {
            let sentence = format!(
                "No line of yours forbids it: with {newest}, {}.",
                possible.in_words()
            );
            out.push_str(&wrap(&sentence, "", "", COLUMNS));
        }
        if let Some(upgrade) = &self.upgrade {
            let sentence = format!(
                "The lock pins {}; {}.",
                self.version,
                self.unpinned(upgrade)
            );
            out.push_str(&wrap(&sentence, "", "", COLUMNS));
        }
    }

    /// Why the newest release is not there although it could be.
    fn forbidden_by_nothing(&self, newest: &Version, possible: &Otherwise) -> String {
        let pinned = format!("Nothing forbids it: the lock pins {}", self.version);
        match &self.upgrade {
            Some(upgrade) if upgrade.to == *newest => {
                format!("{pinned}, and {}", self.unpinned(upgrade))
            }
            Some(upgrade) => format!(
                "{pinned}, and {}; {newest} itself would mean that {}",
                self.unpinned(upgrade),
                possible.in_words()
            ),
            None if self.pinned => format!("{pinned}. With {newest}, {}", possible.in_words()),
            None => format!("Nothing forbids it, but with it {}", possible.in_words()),
        }
    }

    fn unpinned(&self, upgrade: &Upgrade) -> String {
        let rest = match upgrade.otherwise.changes {
            0 | 1 => "nothing else changes".to_owned(),
            _ => upgrade.otherwise.in_words(),
        };
        format!(
            "`mlresolve lock -P {}` gives {}: {rest}",
            self.name, upgrade.to
        )
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

impl Otherwise {
    /// `3 packages would change; numpy 2.1.0 would go back to 1.26.4`.
    fn in_words(&self) -> String {
        let mut back: Vec<String> = self
            .older
            .iter()
            .take(MAX_OLDER)
            .filter_map(|change| {
                let (before, after) = (change.before.as_ref()?, change.after.as_ref()?);
                let rest = change.without_bound();
                Some(format!(
                    "{} {before} would go back to {after}{rest}",
                    change.name
                ))
            })
            .collect();
        let more = self.older.len().saturating_sub(back.len());
        if more > 0 {
            back.push(format!(
                "{} more would be older",
                text::counted(more, "package")
            ));
        }
        let changes = format!("{} would change", text::counted(self.changes, "package"));
        if back.is_empty() {
            changes
        } else {
            format!("{changes}; {}", text::list(&back))
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
