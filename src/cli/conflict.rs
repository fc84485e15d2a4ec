//! Telling that there is no solution: framed where a terminal looks on, plain where it is
//! piped, as JSON where that was asked for.

use std::collections::BTreeSet;

use miette::{GraphicalReportHandler, LabeledSpan, MietteDiagnostic, NamedSource};

use super::args::Format;
use super::error::{CliError, Exit};
use super::session::Session;
use super::{say, tell};
use crate::explain::{self, Diagnosis, Message, Shown, Study};
use crate::solve::Facts;

/// Explains why a session's request has no solution.
pub(crate) fn unsolvable(session: &Session, format: Format) -> Result<Exit, CliError> {
    let Some((diagnosis, message)) = explained(session, session.facts.facts())? else {
        say("error: no set of releases meets these requirements");
        return Ok(Exit::Unsolvable);
    };
    match format {
        Format::Text => print(&message),
        Format::Json => tell_json(&explain::conflict_json(
            &diagnosis,
            &message,
            &session.request,
        )),
    }
    Ok(Exit::Unsolvable)
}

/// Why a session's request has no solution; `None` where the search found no reason.
pub(crate) fn explained(
    session: &Session,
    facts: &dyn Facts,
) -> Result<Option<(Diagnosis, Message)>, CliError> {
    let study = Study::new(&session.target, &session.rules, facts);
    let Some(diagnosis) = explain::diagnose(&study, &session.request)? else {
        return Ok(None);
    };
    let message = Message::new(&diagnosis, &study, &session.request)?;
    Ok(Some((diagnosis, message)))
}

/// Prints an answer for programs on standard output.
pub(crate) fn tell_json(answer: &serde_json::Value) {
    tell(&format!("{answer:#}\n"));
}

/// Prints a conflict on standard error.
fn print(message: &Message) {
    if !super::plain::is_wanted()
        && let Some(framed) = framed(message)
    {
        say(framed.trim_end());
        return;
    }
    say(&format!("error: {}", message.render().trim_end()));
}

/// The message with frames and colours; `None` where the files cannot be shown.
fn framed(message: &Message) -> Option<String> {
    let mut out = format!("error: {}\n", message.title());
    for told in &message.conflicts {
        let files: BTreeSet<&str> = told.lines.iter().map(|shown| &*shown.place.file).collect();
        for file in files {
            let text = std::fs::read_to_string(file).ok()?;
            let labels = told
                .lines
                .iter()
                .filter(|shown| &*shown.place.file == file)
                .map(|shown| label(shown, &text))
                .collect::<Option<Vec<_>>>()?;
            let diagnostic = MietteDiagnostic::new("these do not go together").with_labels(labels);
            let report =
                miette::Report::new(diagnostic).with_source_code(NamedSource::new(file, text));
            GraphicalReportHandler::new()
                .with_width(80)
                // With none, the first line is cut off before its label.
                .with_context_lines(1)
                .render_report(&mut out, report.as_ref())
                .ok()?;
        }
        for sentence in told.in_short() {
            out.push_str(&explain::wrap(&sentence, "  ", "  ", explain::COLUMNS));
        }
    }
    let help = message.help();
    if !help.is_empty() {
        out.push('\n');
        out.push_str(&help);
    }
    Some(out)
}

/// The piece of a file that a line's bounds stand in, with what is said of it.
fn label(shown: &Shown, text: &str) -> Option<LabeledSpan> {
    let number = usize::try_from(shown.place.line).ok()?.checked_sub(1)?;
    let column = usize::try_from(shown.place.column).ok()?.checked_sub(1)?;
    let line = text.split_inclusive('\n').nth(number)?;
    let start: usize = text.split_inclusive('\n').take(number).map(str::len).sum();
    let offset = line.char_indices().nth(column).map(|(byte, _)| byte)?;
    // The text may be continued on the next line, or be written with an escape: then only
    // its beginning can be pointed at.
    let whole = line.get(offset..)?.starts_with(&shown.text);
    let (from, length) = if whole {
        (shown.span.start, shown.span.len())
    } else {
        (0, 1)
    };
    let said = shown.label.as_ref().map(|sentence| sentence.short.clone());
    Some(LabeledSpan::new(said, start + offset + from, length))
}
