//! Tests as data: files in memory, what is asked of them, and the reading as text.
#![expect(clippy::expect_used, reason = "a test stops where it cannot go on")]

mod errors;
mod laws;
mod projects;
mod references;
mod requirements;
mod settings;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use miette::Diagnostic;
use pep508_rs::MarkerTree;

use super::{
    FileOption, Input, Inputs, Line, LineSource, RequestError, Role, SourceError, Sources, Wanted,
    read_inputs,
};

/// A disk, a network and an environment in memory. The program runs in `/w`.
#[derive(Debug, Default, Clone)]
pub(super) struct Memory {
    pub(super) files: BTreeMap<String, Vec<u8>>,
    pub(super) variables: BTreeMap<String, String>,
}

impl Memory {
    /// Files by path (from `/w`) or URL.
    pub(super) fn new(files: &[(&str, &str)]) -> Self {
        let mut memory = Self::default();
        for (path, content) in files {
            let path = memory.absolute(path);
            memory.files.insert(path, content.as_bytes().to_vec());
        }
        for (name, value) in [("TOKEN", "s3cret"), ("VERSION", "1.5"), ("EMPTY", "")] {
            memory.variables.insert(name.to_owned(), value.to_owned());
        }
        memory
    }
}

impl Sources for Memory {
    fn read(&self, path: &str) -> Result<Vec<u8>, SourceError> {
        let path = self.absolute(path);
        self.files.get(&path).cloned().ok_or(SourceError::NotFound)
    }

    fn variable(&self, name: &str) -> Option<String> {
        self.variables.get(name).cloned()
    }

    fn is_dir(&self, path: &str) -> bool {
        let folder = format!("{}/", self.absolute(path).trim_end_matches('/'));
        self.files.keys().any(|file| file.starts_with(&folder))
    }

    fn is_file(&self, path: &str) -> bool {
        self.files.contains_key(&self.absolute(path))
    }

    fn absolute(&self, path: &str) -> String {
        if path.contains("://") || super::url_text::is_windows(path) {
            return path.to_owned();
        }
        let joined = if path.starts_with('/') {
            path.to_owned()
        } else {
            format!("/w/{path}")
        };
        super::paths::tidy(&joined)
    }
}

/// Reads `files`, of which the first is the input; further inputs carry `-c ` or `-o `
/// (constraints, overrides) in their name, which is taken off.
fn read(files: &[(&str, &str)], wanted: &Wanted) -> Result<Inputs, RequestError> {
    let (first, _) = files.first().expect("a case has a file");
    let inputs = [Input {
        role: Role::Requirements,
        path: (*first).to_owned(),
    }];
    read_inputs(&inputs, wanted, &Memory::new(files))
}

/// Reads one requirements file and compares the reading with what is expected.
#[track_caller]
fn check(content: &str, expected: &str) {
    check_files(&[("a.in", content)], expected);
}

/// Reads the first of several files and compares the reading with what is expected.
#[track_caller]
fn check_files(files: &[(&str, &str)], expected: &str) {
    check_wanted(files, &Wanted::default(), expected);
}

/// The same with extras and groups.
#[track_caller]
fn check_wanted(files: &[(&str, &str)], wanted: &Wanted, expected: &str) {
    let found = match read(files, wanted) {
        Ok(inputs) => show(&inputs),
        Err(error) => show_error(&error),
    };
    compare(&found, expected);
}

#[track_caller]
pub(super) fn compare(found: &str, expected: &str) {
    let expected: Vec<&str> = expected.trim().lines().map(str::trim).collect();
    let found: Vec<&str> = found.trim().lines().map(str::trim_end).collect();
    assert!(
        found
            .iter()
            .map(|line| line.trim())
            .eq(expected.iter().copied()),
        "found:\n{}\n\nexpected:\n{}\n",
        found.join("\n"),
        expected.join("\n"),
    );
}

/// Extras and groups by name; `*` asks for all extras.
fn wanted(extras: &[&str], groups: &[&str]) -> Wanted {
    Wanted {
        all_extras: extras.contains(&"*"),
        extras: extras
            .iter()
            .filter(|extra| **extra != "*")
            .map(|extra| extra.parse().expect("an extra's name"))
            .collect(),
        groups: groups.iter().map(|group| (*group).to_owned()).collect(),
    }
}

/// An error as a user meets it, without colours: message, code, the piece of the file
/// that it points at, and the help.
pub(super) fn show_error(error: &RequestError) -> String {
    let mut shown = format!("error: {error}\n");
    if let Some(code) = error.code() {
        let _ = writeln!(shown, "code: {code}");
    }
    if let (Some(source), Some(labels)) = (error.source_code(), error.labels()) {
        for label in labels {
            let contents = source
                .read_span(label.inner(), 0, 0)
                .expect("the span lies in the file");
            let piece = String::from_utf8_lossy(contents.data());
            let _ = writeln!(
                shown,
                "at: {}:{}:{} `{}`",
                contents.name().unwrap_or("?"),
                contents.line() + 1,
                contents.column() + 1,
                piece.escape_debug(),
            );
        }
    }
    if let Some(help) = error.help() {
        let _ = writeln!(shown, "help: {help}");
    }
    shown
}

/// A reading, one thing a line.
fn show(inputs: &Inputs) -> String {
    let mut shown = String::new();
    for (role, lines) in [
        ("require", &inputs.requirements),
        ("constrain", &inputs.constraints),
        ("override", &inputs.overrides),
    ] {
        for line in lines {
            let _ = writeln!(shown, "{role} {}", show_line(line));
        }
    }
    for line in &inputs.unnamed {
        let _ = writeln!(
            shown,
            "require {}",
            show_line(&line.clone().named(unnamed()))
        );
    }
    let options = &inputs.options;
    let one = |shown: &mut String, name: &str, option: &FileOption| {
        let place = &option.place;
        let _ = writeln!(
            shown,
            "{name} {}:{} {} ({})",
            place, place.column, option.value, option.written
        );
    };
    for (name, list) in [
        ("index", options.index_url.as_slice()),
        ("extra-index", &options.extra_index_urls),
        ("find-links", &options.find_links),
        ("trusted", &options.trusted_hosts),
        ("feature", &options.features),
    ] {
        for option in list {
            one(&mut shown, name, option);
        }
    }
    for (kind, option) in &options.formats {
        one(&mut shown, &format!("{kind:?}"), option);
    }
    for (name, set) in [
        ("no-index", options.no_index),
        ("pre", options.pre),
        ("prefer-binary", options.prefer_binary),
        ("require-hashes", options.require_hashes),
    ] {
        if set {
            let _ = writeln!(shown, "{name}");
        }
    }
    for python in &inputs.requires_python {
        let place = &python.place;
        let _ = writeln!(
            shown,
            "python {place}:{} {}",
            place.column, python.specifiers
        );
    }
    for (file, name) in &inputs.projects {
        let _ = writeln!(shown, "project {file} {name}");
    }
    for build in &inputs.builds {
        let _ = writeln!(
            shown,
            "build {} ({}): {}",
            build.folder, build.file, build.reason
        );
    }
    for warning in &inputs.warnings {
        let _ = writeln!(shown, "warning {warning}");
    }
    shown
}

fn unnamed() -> pep508_rs::PackageName {
    "unnamed".parse().expect("a name")
}

fn show_line(line: &Line) -> String {
    let mut shown = format!(
        "{}:{} `{}`: {}",
        line.place, line.place.column, line.text, line.name
    );
    if !line.extras.is_empty() {
        let extras: Vec<&str> = line.extras.iter().map(AsRef::as_ref).collect();
        let _ = write!(shown, "[{}]", extras.join(","));
    }
    match &line.source {
        LineSource::Specifiers(specifiers) if specifiers.is_empty() => {}
        LineSource::Specifiers(specifiers) => {
            let _ = write!(shown, " {specifiers}");
        }
        LineSource::Direct(direct) => {
            let editable = if direct.editable { "editable " } else { "" };
            let _ = write!(shown, " @ {editable}{} (`{}`)", direct.url, direct.given);
            if let Some(subdirectory) = &direct.subdirectory {
                let _ = write!(shown, " in {subdirectory}");
            }
        }
    }
    if line.marker != MarkerTree::TRUE {
        let marker = line.marker.try_to_string().unwrap_or_default();
        let _ = write!(shown, " ; {marker}");
    }
    for (algorithm, value) in &line.hashes {
        let start: String = value.chars().take(4).collect();
        let _ = write!(shown, " #{algorithm}:{start}…");
    }
    shown
}
