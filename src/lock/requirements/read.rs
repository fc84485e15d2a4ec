//! Reading a requirements file that pins, whoever wrote it.

use std::collections::{BTreeMap, BTreeSet};

use pep508_rs::PackageName;

use super::header::{HeaderReader, Writer};
use super::line;
use crate::lock::credentials::without_credentials;
use crate::lock::{InstallerOptions, Lock, Via};

/// What was read of a requirements file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReadRequirements {
    /// The pins, with what the comments say of them. Files are not known.
    pub lock: Lock,
    /// The program that wrote it.
    pub writer: Writer,
    /// What could not be taken over, in order.
    pub unread: Vec<Unread>,
}

/// A line that was not taken over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread {
    /// Line, counted from 1.
    pub line: u32,
    /// The line as it is, without comment.
    pub text: String,
    /// Why, in a few words: `it is not pinned with ==`.
    pub reason: String,
}

/// Reads the pins of a requirements file.
///
/// A file is never refused: what pins nothing is listed in [`ReadRequirements::unread`].
pub fn read(text: &str) -> ReadRequirements {
    let mut reader = Reader {
        above_pins: true,
        ..Reader::default()
    };
    // Python's own notion of lines, without a mark of the byte order.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    for (number, physical) in physical_lines(text) {
        reader.take(number, physical);
    }
    reader.finish()
}

fn physical_lines(text: &str) -> impl Iterator<Item = (u32, &str)> {
    text.split('\n').enumerate().map(|(index, line)| {
        let number = u32::try_from(index).unwrap_or(u32::MAX).saturating_add(1);
        (number, line.strip_suffix('\r').unwrap_or(line))
    })
}

#[derive(Default)]
struct Reader {
    read: ReadRequirements,
    header: HeaderReader,
    /// No pin and no option was met yet: comments are the header's.
    above_pins: bool,
    /// The logical line so far, and the number of its first line.
    pending: Option<(u32, String)>,
    annotating: Annotating,
}

/// Whether a comment line can belong to the last pin's annotation.
#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum Annotating {
    #[default]
    No,
    /// The pin was just read.
    Begins,
    /// `# via` was just read, or a line below it.
    Continues,
}

impl Reader {
    fn take(&mut self, number: u32, physical: &str) {
        let trimmed = physical.trim();
        if let Some(comment) = trimmed.strip_prefix('#') {
            // A comment ends a logical line, as in pip.
            self.end_line(None);
            if self.above_pins {
                self.header.take(comment, &mut self.read.lock);
            } else {
                self.annotation_line(comment);
            }
            return;
        }
        let (code, comment) = split_comment(physical);
        let (code, continues) = match code.trim_end().strip_suffix('\\') {
            Some(code) if comment.is_none() => (code, true),
            _ => (code, false),
        };
        let (_, line) = self.pending.get_or_insert_with(|| (number, String::new()));
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(code.trim());
        if !continues {
            self.end_line(comment);
        }
    }

    fn end_line(&mut self, comment: Option<&str>) {
        let Some((number, text)) = self.pending.take() else {
            return;
        };
        let text = text.trim();
        self.annotating = Annotating::No;
        if text.is_empty() {
            return;
        }
        self.above_pins = false;
        let outcome = if text.starts_with('-') && !is_editable(text) {
            option(text, &mut self.read.lock.options)
        } else {
            line::read(text).map(|package| {
                self.read.lock.packages.push(package);
                self.annotating = Annotating::Begins;
            })
        };
        if let Err(reason) = outcome {
            self.read.unread.push(Unread {
                line: number,
                text: without_credentials_in(text),
                reason,
            });
        }
        if let Some(comment) = comment {
            self.annotation_line(comment);
            self.annotating = Annotating::No;
        }
    }

    /// Takes a comment below or behind a pin, without its `#`.
    fn annotation_line(&mut self, comment: &str) {
        let Some(package) = self
            .read
            .lock
            .packages
            .last_mut()
            .filter(|_| self.annotating != Annotating::No)
        else {
            return;
        };
        let words = comment.trim();
        let listed = if words == "via" {
            ""
        } else if let Some(listed) = words.strip_prefix("via ") {
            listed
        } else if self.annotating == Annotating::Continues
            && comment.starts_with("   ")
            && !words.is_empty()
        {
            words
        } else {
            self.annotating = Annotating::No;
            return;
        };
        self.annotating = Annotating::Continues;
        for item in listed.split(", ").filter(|item| !item.is_empty()) {
            let via = Via::parse(item);
            if let Via::Rule(id) = &via {
                package.rules.insert(id.clone());
            }
            package.via.insert(via);
        }
    }

    fn finish(mut self) -> ReadRequirements {
        self.end_line(None);
        let lock = &mut self.read.lock;
        lock.provenance.indexes = lock
            .options
            .index_url
            .iter()
            .chain(&lock.options.extra_index_urls)
            .cloned()
            .collect();
        lock.packages.sort_by(|a, b| a.name.cmp(&b.name));
        depend(lock);
        self.read.writer = self.header.writer;
        self.read
    }
}

/// Whoever is named in an annotation depends on what it annotates.
fn depend(lock: &mut Lock) {
    let mut dependencies: BTreeMap<PackageName, BTreeSet<PackageName>> = BTreeMap::new();
    for package in &lock.packages {
        for via in &package.via {
            if let Via::Package(by) = via {
                dependencies
                    .entry(by.clone())
                    .or_default()
                    .insert(package.name.clone());
            }
        }
    }
    for package in &mut lock.packages {
        if let Some(names) = dependencies.get(&package.name) {
            package.dependencies = names.iter().cloned().collect();
        }
    }
}

fn is_editable(text: &str) -> bool {
    text.starts_with("-e ") || text.starts_with("--editable")
}

/// A comment begins at a `#` that starts the line or follows a space.
fn split_comment(line: &str) -> (&str, Option<&str>) {
    // Nearly all lines of a lock are hashes.
    if !line.as_bytes().contains(&b'#') {
        return (line, None);
    }
    let mut before = ' ';
    for (at, letter) in line.char_indices() {
        if letter == '#' && before.is_whitespace() {
            let (code, comment) = line.split_at(at);
            return (code, comment.strip_prefix('#'));
        }
        before = letter;
    }
    (line, None)
}

/// Takes an option line; the reason where it is none of those that a lock repeats.
fn option(text: &str, options: &mut InstallerOptions) -> Result<(), String> {
    let (name, value) = match text.split_once(['=', ' ']) {
        Some((name, value)) => (name, value.trim_start_matches('=').trim()),
        None => (text, ""),
    };
    let url = || without_credentials(value);
    match name {
        "-i" | "--index-url" => options.index_url = Some(url()),
        "--extra-index-url" => options.extra_index_urls.push(url()),
        "-f" | "--find-links" => options.find_links.push(url()),
        "--trusted-host" => options.trusted_hosts.push(value.to_owned()),
        "--no-binary" => format_control(value, &mut options.no_binary),
        "--only-binary" => format_control(value, &mut options.only_binary),
        // These change nothing in what is pinned.
        "--no-index" | "--pre" | "--prefer-binary" | "--require-hashes" | "--use-feature" => {}
        "-r" | "--requirement" | "-c" | "--constraint" => {
            return Err("it names another file".to_owned());
        }
        _ => return Err("it is an option that a lock does not have".to_owned()),
    }
    Ok(())
}

/// `:none:` empties what was said before, as in pip.
fn format_control(value: &str, names: &mut BTreeSet<String>) {
    for name in value.split(',').map(str::trim) {
        if name == ":none:" {
            names.clear();
        } else if name == ":all:" {
            names.insert(name.to_owned());
        } else if let Ok(name) = name.parse::<PackageName>() {
            names.insert(name.to_string());
        }
    }
}

fn without_credentials_in(text: &str) -> String {
    let words: Vec<String> = text.split(' ').map(without_credentials).collect();
    words.join(" ")
}
