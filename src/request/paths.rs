//! The paths of files that other files name.

use url::Url;

use super::url_text;

/// A file to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FilePath {
    /// What to read.
    pub(super) read: String,
    /// What to show: relative as the user's own paths are, without passwords.
    pub(super) shown: String,
}

impl FilePath {
    /// A file that the user named.
    pub(super) fn named(path: &str) -> Self {
        Self {
            read: path.to_owned(),
            shown: url_text::blot(path),
        }
    }

    /// A file that this one names: relative paths count from this one's folder.
    pub(super) fn include(&self, given: &str) -> Self {
        if is_url(&self.read)
            && let Some(joined) = Url::parse(&self.read)
                .ok()
                .and_then(|url| url.join(given).ok())
        {
            return Self::named(joined.as_str());
        }
        if is_url(given) || is_absolute(given) {
            return Self::named(given);
        }
        Self {
            read: beside(&self.read, given),
            shown: tidy(&beside(&self.shown, given.trim_start_matches("./"))),
        }
    }

    /// The path to read from, where a `file:` URL stands for one.
    pub(super) fn readable(&self) -> String {
        if is_url(&self.read) && !is_remote(&self.read) {
            url_text::to_path(&self.read).unwrap_or_else(|| self.read.clone())
        } else {
            self.read.clone()
        }
    }

    /// The folder that holds the file, `.` for the one where the program runs.
    pub(super) fn folder(&self) -> String {
        match folder_of(&self.read) {
            "" => ".".to_owned(),
            folder => folder.to_owned(),
        }
    }

    /// The file's own name.
    pub(super) fn name(&self) -> &str {
        self.read
            .rsplit(['/', '\\'])
            .next()
            .unwrap_or(self.read.as_str())
    }
}

/// Whether pip takes a file's name for a URL.
fn is_url(path: &str) -> bool {
    path.split_once(':').is_some_and(|(scheme, _)| {
        ["http", "https", "file"]
            .iter()
            .any(|known| scheme.eq_ignore_ascii_case(known))
    })
}

/// Whether a path is a URL that the network answers.
pub(super) fn is_remote(path: &str) -> bool {
    is_url(path)
        && path
            .get(..4)
            .is_some_and(|start| start.eq_ignore_ascii_case("http"))
}

fn is_absolute(path: &str) -> bool {
    path.starts_with('/') || url_text::is_windows(path)
}

/// What comes before a path's last separator.
fn folder_of(path: &str) -> &str {
    match path.rfind(['/', '\\']) {
        Some(0) => "/",
        Some(position) => path.get(..position).unwrap_or_default(),
        None => "",
    }
}

/// The path of a file that stands beside another.
fn beside(file: &str, given: &str) -> String {
    match folder_of(file) {
        "" => given.to_owned(),
        "/" => format!("/{given}"),
        folder => format!("{folder}/{given}"),
    }
}

/// The same path without `.` and without folders that `..` leaves again.
///
/// Only for show: where links to folders are involved the two may differ.
pub(super) fn tidy(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for (position, part) in path.split('/').enumerate() {
        match part {
            // A leading `./` is the user's own, a leading `/` must stay.
            "." | "" if position > 0 => {}
            ".." if parts
                .last()
                .is_some_and(|last| !matches!(*last, ".." | "." | "")) =>
            {
                parts.pop();
            }
            ".." if parts.last() == Some(&".") => {
                parts.pop();
                parts.push("..");
            }
            other => parts.push(other),
        }
    }
    parts.join("/")
}
