//! Diagnostics as plain text, for logs, pipes and those who asked for no decoration.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::IsTerminal as _;

use miette::Diagnostic;

/// Whether what goes to standard error is plain: it is no terminal, or `NO_COLOR` is set.
pub(crate) fn is_wanted() -> bool {
    !std::io::stderr().is_terminal()
        || std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
}

/// The text as a terminal or a log may have it: of control characters only line ends and tabs
/// stay, the others are written out as JSON and TOML write them. What indexes and files say
/// could else colour, hide or forge what this program says.
pub(crate) fn shown(text: &str) -> Cow<'_, str> {
    let is_line_end = |at: usize| text.get(at..).is_some_and(|rest| rest.starts_with("\r\n"));
    let is_shown = |at: usize, character: char| match character {
        '\n' | '\t' => true,
        '\r' => is_line_end(at),
        _ => !character.is_control(),
    };
    if text.char_indices().all(|(at, it)| is_shown(at, it)) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for (at, character) in text.char_indices() {
        if is_shown(at, character) {
            shown.push(character);
        } else {
            let _ = write!(shown, "\\u{:04x}", u32::from(character));
        }
    }
    Cow::Owned(shown)
}

/// What is wrong, the place with carets below it, and what to do.
pub(crate) fn text(diagnostic: &dyn Diagnostic) -> String {
    let related: Vec<&dyn Diagnostic> = diagnostic.related().into_iter().flatten().collect();
    let all: Vec<String> = related.iter().map(ToString::to_string).collect();
    // What only gathers others has nothing to say of its own.
    if !all.is_empty() && diagnostic.to_string() == all.join("\n") {
        let texts: Vec<String> = related.into_iter().map(text).collect();
        return texts.join("\n");
    }
    let mut out = format!("error: {diagnostic}\n");
    let mut cause = std::error::Error::source(diagnostic);
    while let Some(error) = cause {
        let _ = writeln!(out, "  because: {error}");
        cause = error.source();
    }
    places(diagnostic, &mut out);
    if let Some(help) = diagnostic.help() {
        let _ = write!(out, "\nhint: {help}\n");
    }
    for related in related {
        let _ = write!(out, "\n{}", text(related));
    }
    out
}

fn places(diagnostic: &dyn Diagnostic, out: &mut String) {
    let (Some(source), Some(labels)) = (diagnostic.source_code(), diagnostic.labels()) else {
        return;
    };
    let mut shown_file = None;
    for label in labels {
        // Lines are whole only with those around them.
        let Ok(found) = source.read_span(label.inner(), 1, 1) else {
            continue;
        };
        let text = String::from_utf8_lossy(found.data());
        let start = label.offset().saturating_sub(found.span().offset());
        let (Some(before), Some(rest)) = (text.get(..start), text.get(start..)) else {
            continue;
        };
        let file = found.name().unwrap_or_default().to_owned();
        if shown_file.as_ref() != Some(&file) {
            // Where the source has no name the message has it.
            let heading = if file.is_empty() { "" } else { ":\n" };
            let _ = write!(out, "\n{file}{heading}");
            shown_file = Some(file);
        }
        let number = found.line() + before.matches('\n').count() + 1;
        let before = before.rsplit('\n').next().unwrap_or_default();
        let rest = rest.lines().next().unwrap_or_default();
        let marked = rest.get(..label.len().min(rest.len())).unwrap_or(rest);
        let said = label.label().map(|said| format!(" {said}"));
        let _ = write!(
            out,
            "{number:>5} | {before}{rest}\n      | {:indent$}{}{}\n",
            "",
            "^".repeat(marked.chars().count().max(1)),
            said.unwrap_or_default(),
            indent = before.chars().count(),
        );
    }
}

#[cfg(test)]
mod tests {
    use miette::{LabeledSpan, MietteDiagnostic, NamedSource};

    use super::{shown, text};

    #[test]
    fn control_characters_are_written_out() {
        for (written, expected) in [
            ("one\n\ttwo – ö\r\n", "one\n\ttwo – ö\r\n"),
            ("\x1b[31mred\x07", "\\u001b[31mred\\u0007"),
            ("over\rwritten\r", "over\\u000dwritten\\u000d"),
            ("\u{9b}31m\u{7f}\0", "\\u009b31m\\u007f\\u0000"),
        ] {
            assert_eq!(shown(written), expected);
        }
        // An answer in JSON stays one.
        let json = serde_json::to_string("\u{9b}\u{1b}\n").expect("it is text");
        let read: String = serde_json::from_str(&shown(&json)).expect("it is JSON");
        assert_eq!(read, "\u{9b}\u{1b}\n");
    }

    #[test]
    fn the_place_has_its_line_and_carets() {
        let source = "numpy\nötorch=1  # why\n";
        let start = source.find('=').expect("it is there");
        let diagnostic = MietteDiagnostic::new("a.in:2: `=` is no operator")
            .with_help("did you mean `==1`?")
            .with_label(LabeledSpan::new(None, start, 2));
        let report =
            miette::Report::new(diagnostic).with_source_code(NamedSource::new("a.in", source));
        assert_eq!(
            text(report.as_ref()),
            "error: a.in:2: `=` is no operator\n\
             \n\
             a.in:\n    2 | ötorch=1  # why\n      |       ^^\n\
             \n\
             hint: did you mean `==1`?\n"
        );
    }
}
