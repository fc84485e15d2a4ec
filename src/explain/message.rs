//! A conflict as a message: the user's lines with carets, what stands between them, fixes.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::ops::Range;

use super::bounds::bounds_span;
use super::core::Core;
use super::diagnosis::Diagnosis;
use super::fix::Fix;
use super::sentence::{Sentence, Speaker};
use super::study::{Study, UserLine};
use super::text::{self, COLUMNS};
use crate::request::{Place, Request};
use crate::solve::SolveError;

/// How many sentences one conflict is told in: more fill a screen.
const MAX_SENTENCES: usize = 15;

/// Why there is no solution, ready to be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The conflicts, each on its own.
    pub conflicts: Vec<Told>,
    /// Edits that were solved before being named, a sentence each, best first.
    pub fixes: Vec<String>,
    /// Whether the search for conflicts and fixes came to its end.
    pub complete: bool,
    /// Why a fact that a fix may need could not be had, where one could not.
    pub missed: Option<String>,
    /// What a further fix would hang on and was not built, as a sentence.
    pub unbuilt: Option<String>,
}

/// One conflict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// The user's lines that take part, in the order of their places.
    pub lines: Vec<Shown>,
    /// What stands between them, beside what the lines' labels say.
    pub sentences: Vec<Sentence>,
}

/// A line of the user's, with the piece that matters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// The line.
    pub line: UserLine,
    /// Where it stands.
    pub place: Place,
    /// Its text.
    pub text: String,
    /// The piece that matters, in bytes of the text.
    pub span: Range<usize>,
    /// What is said beside it.
    pub label: Option<Sentence>,
}

impl Message {
    /// The message of a diagnosis.
    ///
    /// # Errors
    ///
    /// [`SolveError`] where facts could not be had.
    pub fn new(
        diagnosis: &Diagnosis,
        study: &Study<'_>,
        request: &Request,
    ) -> Result<Self, SolveError> {
        let speaker = Speaker { study, request };
        let conflicts = diagnosis
            .conflicts
            .iter()
            .map(|cores| told(cores, &speaker))
            .collect::<Result<Vec<_>, _>>()?;
        let file = only_file(&conflicts);
        Ok(Self {
            fixes: diagnosis
                .fixes
                .iter()
                .map(|fix| fix.sentence(file.as_deref()))
                .collect(),
            conflicts,
            complete: diagnosis.complete,
            missed: study.missed(),
            unbuilt: text::unbuilt(&diagnosis.unbuilt),
        })
    }

    /// The first line: what is wrong.
    pub fn title(&self) -> String {
        let base = "no set of releases meets these requirements";
        match self.conflicts.len() {
            0 | 1 => base.to_owned(),
            count => format!("{base}: {count} independent conflicts"),
        }
    }

    /// What to do, as a paragraph for each fix; empty where no fix is known.
    pub fn help(&self) -> String {
        let mut out = String::new();
        match self.fixes.as_slice() {
            [] if !self.complete => {
                let hint = match (&self.missed, &self.unbuilt) {
                    (Some(missed), _) => {
                        format!(
                            "no fix was found with the facts at hand; one may need more: {missed}"
                        )
                    }
                    (None, Some(unbuilt)) => format!("no fix was found, but {unbuilt}"),
                    (None, None) => "no fix was found before the search was ended".to_owned(),
                };
                out.push_str(&text::wrap(&hint, "hint: ", "  ", COLUMNS));
            }
            [] => {}
            [one] => {
                let sentence = format!("this solves it (it was tried): {one}");
                out.push_str(&text::wrap(&sentence, "hint: ", "  ", COLUMNS));
            }
            many => {
                out.push_str("hint: any one of these solves it (each was tried):\n");
                for fix in many {
                    out.push_str(&text::wrap(fix, "  - ", "    ", COLUMNS));
                }
            }
        }
        if let Some(unbuilt) = self.unbuilt.as_ref().filter(|_| !self.fixes.is_empty()) {
            let sentence = format!("there may be another: {unbuilt}");
            out.push_str(&text::wrap(&sentence, "  ", "  ", COLUMNS));
        }
        out
    }

    /// The message as text of at most 80 columns, colourless, without `error:`.
    pub fn render(&self) -> String {
        let mut out = self.title();
        out.push('\n');
        for told in &self.conflicts {
            out.push('\n');
            told.render(&mut out);
        }
        let help = self.help();
        if !help.is_empty() {
            out.push('\n');
            out.push_str(&help);
        }
        out
    }
}

/// The one file that all lines stand in.
fn only_file(conflicts: &[Told]) -> Option<String> {
    let files: BTreeSet<&str> = conflicts
        .iter()
        .flat_map(|told| &told.lines)
        .map(|shown| &*shown.place.file)
        .collect();
    match files.into_iter().collect::<Vec<_>>().as_slice() {
        [one] => Some((*one).to_owned()),
        _ => None,
    }
}

fn told(cores: &[Core], speaker: &Speaker<'_, '_>) -> Result<Told, SolveError> {
    let lines: BTreeSet<UserLine> = cores
        .iter()
        .flat_map(|core| core.lines.iter().copied())
        .collect();
    let mut shown: Vec<Shown> = lines
        .iter()
        .filter_map(|line| {
            let known = line.of(speaker.request)?;
            Some(Shown {
                line: *line,
                place: known.place.clone(),
                text: known.text.clone(),
                span: bounds_span(known),
                label: None,
            })
        })
        .collect();
    shown.sort_by(|a, b| (&a.place, a.line).cmp(&(&b.place, b.line)));
    let mut sentences: Vec<Sentence> = Vec::new();
    for core in cores {
        for sentence in speaker.sentences(core)? {
            if !sentences.contains(&sentence) {
                sentences.push(sentence);
            }
        }
    }
    // Where several lines each conflict with one, what each does stands beside it.
    if cores.len() > 1 {
        sentences.retain(|sentence| {
            let mut own = shown.iter_mut().filter(|shown| {
                shown.line.of(speaker.request).map(|line| &line.name) == sentence.package.as_ref()
            });
            match (own.next(), own.next()) {
                (Some(shown), None) if shown.label.is_none() => {
                    shown.label = Some(sentence.clone());
                    false
                }
                _ => true,
            }
        });
    }
    Ok(Told {
        lines: shown,
        sentences,
    })
}

impl Told {
    fn render(&self, out: &mut String) {
        let width = self
            .lines
            .iter()
            .map(|shown| shown.place.line.to_string().len())
            .max()
            .unwrap_or(1);
        let mut file: Option<&str> = None;
        for shown in &self.lines {
            if file != Some(&*shown.place.file) {
                // Writing to a string cannot fail.
                let _ = writeln!(out, "{}:", shown.place.file);
                file = Some(&shown.place.file);
            }
            shown.render(width, out);
        }
        if !self.sentences.is_empty() && !self.lines.is_empty() {
            out.push('\n');
        }
        let several = self.sentences.len() > 1;
        for sentence in self.in_short() {
            let (first, further) = if several { ("- ", "  ") } else { ("", "") };
            out.push_str(&text::wrap(&sentence, first, further, COLUMNS));
        }
    }

    /// What is said beside the lines, as sentences with their stops; of very many, the first
    /// and the last, with the number of those between.
    pub fn in_short(&self) -> Vec<String> {
        let said = |sentence: &Sentence| format!("{}.", sentence.text);
        let count = self.sentences.len();
        if count <= MAX_SENTENCES {
            return self.sentences.iter().map(said).collect();
        }
        let ends = (MAX_SENTENCES - 1) / 2;
        let first = self.sentences.iter().take(ends).map(said);
        let last = self.sentences.iter().skip(count - ends).map(said);
        let between = format!(
            "… {} more between them, all of which `mlresolve why NAME --format json` lists …",
            count - 2 * ends
        );
        first.chain([between]).chain(last).collect()
    }
}

impl Shown {
    fn render(&self, width: usize, out: &mut String) {
        let number = self.place.line;
        let _ = writeln!(out, "  {number:>width$} | {}", self.text);
        let before = self
            .text
            .get(..self.span.start)
            .map_or(0, |text| text.chars().count());
        let marked = self
            .text
            .get(self.span.clone())
            .map_or(1, |text| text.chars().count().max(1));
        let gutter = format!("  {:width$} | ", "");
        let carets = format!("{gutter}{}{}", " ".repeat(before), "^".repeat(marked));
        let Some(label) = &self.label else {
            out.push_str(&carets);
            out.push('\n');
            return;
        };
        let beside = format!("{carets} {}", label.short);
        if beside.chars().count() <= COLUMNS {
            out.push_str(&beside);
            out.push('\n');
        } else {
            out.push_str(&carets);
            out.push('\n');
            let indent = format!("{gutter}  ");
            out.push_str(&text::wrap(&label.short, &indent, &indent, COLUMNS));
        }
    }
}

impl Fix {
    /// The fix in words; lines of `file` are named by their number alone.
    pub fn sentence(&self, file: Option<&str>) -> String {
        let mut parts: Vec<String> = Vec::new();
        for edit in &self.edits {
            let place = text::place(&edit.place, file);
            let on = if place.starts_with("line ") {
                "on"
            } else {
                "at"
            };
            parts.push(match &edit.now {
                Some(now) if self.edits.len() == 1 => {
                    format!("`{now}` instead of `{}` ({place})", edit.was)
                }
                // Of several lines, what each would be is enough.
                Some(now) => format!("`{now}` {on} {place}"),
                None => format!("without `{}` ({place})", edit.was),
            });
        }
        parts.extend(self.adds.iter().map(|line| format!("`{line}` added")));
        parts.extend(self.options.iter().map(|option| format!("with `{option}`")));
        let gives: Vec<String> = self
            .gives
            .iter()
            .map(|(name, version)| format!("{name} {version}"))
            .collect();
        let mut sentence = text::list(&parts);
        if !gives.is_empty() {
            let _ = write!(sentence, ": {}", gives.join(", "));
        }
        if let Some(changes) = self.changes {
            let change = if changes == 1 { "changes" } else { "change" };
            let _ = write!(sentence, "; {} {change}", text::counted(changes, "package"));
        }
        sentence
    }
}
