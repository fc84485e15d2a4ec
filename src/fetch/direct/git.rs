//! Repositories: the system's `git` brings one commit, and no more of it than is needed.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;
use url::Url;

use super::super::archive::LARGEST_MEMBER;
use super::super::download::without_credentials;
use super::super::process::{self, Finished};
use super::super::sdist::{Told, not_kept};
use crate::solve::FactError;

/// How long one `git` command may take.
const GIT_LIMIT: Duration = Duration::from_mins(30);

/// The transports that may be used; others can run commands of their own (`ext::`).
const TRANSPORTS: [&str; 5] = ["https", "http", "ssh", "git", "file"];

/// Variables by which `git` would look at another repository than the one it is given.
/// A hook of the user's, from which this program may run, sets them.
const MEDDLING: [&str; 8] = [
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_PREFIX",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_NAMESPACE",
];

/// What `git` says where credentials are lacking.
const UNAUTHORISED: [&str; 4] = [
    "could not read Username",
    "Authentication failed",
    "Permission denied",
    "terminal prompts disabled",
];

/// A reference to a repository: `git+https://host/path.git@revision`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Repository {
    /// The repository's URL for `git`, without credentials.
    pub(super) url: String,
    /// The branch, tag or commit that was asked for.
    pub(super) revision: Option<String>,
    /// User name and password, which are handed over apart from the URL.
    credentials: Option<(String, String)>,
}

/// A commit of a repository, in a temporary folder.
pub(super) struct Fetched<'a> {
    repository: &'a Repository,
    commit: String,
    folder: TempDir,
    has_history: bool,
}

impl Repository {
    /// Takes a reference apart.
    pub(super) fn parse(reference: &str) -> Result<Self, FactError> {
        let shown = without_credentials(reference);
        let invalid = |detail: &str| {
            failed(format!(
                "`{shown}` is no reference to a repository: {detail}"
            ))
        };
        let address = reference.strip_prefix("git+").unwrap_or(reference);
        let mut url = Url::parse(address).map_err(|error| invalid(&error.to_string()))?;
        if !TRANSPORTS.contains(&url.scheme()) {
            return Err(invalid(
                "its transport is none of https, http, ssh, git and file",
            ));
        }
        url.set_fragment(None);
        let path = url.path().to_owned();
        let revision = path.rsplit_once('@').map(|(path, revision)| {
            url.set_path(path);
            decode(revision)
        });
        if revision.as_deref().is_some_and(|revision| {
            revision.is_empty() || revision.starts_with('-') || revision.contains(char::is_control)
        }) {
            return Err(invalid("what follows `@` is no branch, tag or commit"));
        }
        let mut credentials = None;
        if matches!(url.scheme(), "https" | "http") && !url.username().is_empty() {
            let password = url.password().unwrap_or_default();
            credentials = Some((decode(url.username()), decode(password)));
        }
        Ok(Self {
            url: without_credentials(url.as_str()),
            revision,
            credentials,
        })
    }

    /// The full id of the commit that the revision names now. A branch comes before a tag
    /// of the same name, as pip has it.
    ///
    /// `None` where only the history can tell: the revision may be a shortened commit id.
    pub(super) fn commit(&self) -> Result<Option<String>, FactError> {
        let revision = match &self.revision {
            Some(revision) if is_commit(revision) => return Ok(Some(revision.to_lowercase())),
            Some(revision) => revision.as_str(),
            None => "HEAD",
        };
        let names = [
            format!("refs/heads/{revision}"),
            format!("refs/tags/{revision}^{{}}"),
            format!("refs/tags/{revision}"),
            format!("{revision}^{{}}"),
            revision.to_owned(),
        ];
        let mut command = self.git(None);
        command
            .args(["ls-remote", "--quiet", "--", &self.url])
            .args(&names);
        let mut finished = self.run(&mut command)?;
        if !finished.succeeded() {
            return Err(self.refused(&mut finished));
        }
        let listed = finished.stdout();
        let found = names.iter().find_map(|name| {
            let mut refs = listed.lines().filter_map(|line| line.split_once('\t'));
            refs.find(|(_, found)| found == name)
                .map(|(commit, _)| commit.to_owned())
        });
        match found {
            Some(commit) => Ok(Some(commit)),
            None if may_be_shortened(revision) => Ok(None),
            None => Err(self.unknown(revision)),
        }
    }

    /// Brings the commit: its tree, and files as they are asked for. Without a commit the
    /// history is brought too, and what the revision names in it.
    pub(super) fn fetch(&self, commit: Option<&str>) -> Result<Fetched<'_>, FactError> {
        let folder = tempfile::tempdir().map_err(|error| not_kept(&error))?;
        let mut fetched = Fetched {
            repository: self,
            commit: String::new(),
            folder,
            has_history: false,
        };
        fetched.must(&["init", "--quiet"])?;
        fetched.must(&["remote", "add", "origin", &self.url])?;
        if let Some(commit) = commit {
            let mut command = fetched.git();
            command
                .args(["fetch", "--quiet", "--no-tags", "--depth=1"])
                .args(["--filter=blob:none", "origin", commit]);
            if self.run(&mut command)?.succeeded() {
                fetched.commit = fetched.resolve(commit)?;
                return Ok(fetched);
            }
            // Some servers give what a branch or tag points to, and no other commit.
        }
        let revision = commit.or(self.revision.as_deref()).unwrap_or("HEAD");
        fetched.fetch_history()?;
        fetched.commit = fetched.resolve(revision)?;
        Ok(fetched)
    }

    fn git(&self, folder: Option<&Path>) -> Command {
        let mut command = Command::new("git");
        for name in MEDDLING {
            command.env_remove(name);
        }
        if let Some(folder) = folder {
            command.arg("-C").arg(folder);
        }
        command
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_LFS_SKIP_SMUDGE", "1")
            .env("LC_ALL", "C");
        let own_ssh = ["GIT_SSH_COMMAND", "GIT_SSH"];
        if own_ssh.iter().all(|name| std::env::var_os(name).is_none()) {
            command.env("GIT_SSH_COMMAND", "ssh -o BatchMode=yes");
        }
        if let Some((user, password)) = &self.credentials {
            self.add_credentials(&mut command, user, password);
        }
        command
    }

    /// Hands credentials over in the environment: arguments are seen by all users, and the
    /// URL of a remote is written down. They go to their own host only.
    fn add_credentials(&self, command: &mut Command, user: &str, password: &str) {
        let Ok(mut host) = Url::parse(&self.url) else {
            return;
        };
        host.set_path("/");
        let count = std::env::var("GIT_CONFIG_COUNT")
            .ok()
            .and_then(|count| count.parse::<u32>().ok())
            .unwrap_or(0);
        let encoded = base64(format!("{user}:{password}").as_bytes());
        command
            .env("GIT_CONFIG_COUNT", count.saturating_add(1).to_string())
            .env(
                format!("GIT_CONFIG_KEY_{count}"),
                format!("http.{host}.extraHeader"),
            )
            .env(
                format!("GIT_CONFIG_VALUE_{count}"),
                format!("Authorization: Basic {encoded}"),
            );
    }

    fn run(&self, command: &mut Command) -> Result<Finished, FactError> {
        process::run(command, GIT_LIMIT).map_err(|error| {
            if error.kind() == std::io::ErrorKind::NotFound {
                return FactError::Failed {
                    message: format!("`{}` takes `git`, which is not installed", self.url),
                    hint: Some("install git".to_owned()),
                };
            }
            failed(format!("could not run `git` for `{}`: {error}", self.url))
        })
    }

    fn unknown(&self, revision: &str) -> FactError {
        FactError::Failed {
            message: format!("`{}` has no branch, tag or commit `{revision}`", self.url),
            hint: Some("check what follows `@` in the reference".to_owned()),
        }
    }

    /// What `git` said when it failed.
    fn refused(&self, finished: &mut Finished) -> FactError {
        if finished.status.is_none() {
            let minutes = GIT_LIMIT.as_secs() / 60;
            let url = &self.url;
            return failed(format!(
                "`git` took more than {minutes} minutes for `{url}`"
            ));
        }
        let said = finished.stderr();
        let telling = said
            .lines()
            .map(str::trim)
            .filter_map(|line| {
                let known = ["fatal: ", "error: ", "ERROR: ", "remote: "];
                known.iter().find_map(|prefix| line.strip_prefix(prefix))
            })
            .find(|line| !line.is_empty())
            .or_else(|| said.lines().last().map(str::trim))
            .unwrap_or("it gave no reason");
        let is_private = UNAUTHORISED.iter().any(|text| said.contains(text));
        let hint = "the repository may be private: set up a credential helper of git's or an \
                    ssh key, or give a token through a variable (`git+https://${TOKEN}@…`)";
        FactError::Failed {
            message: format!("`git` could not read `{}`: {telling}", self.url),
            hint: is_private.then(|| hint.to_owned()),
        }
    }
}

impl Fetched<'_> {
    /// The full id of the commit.
    pub(super) fn commit(&self) -> &str {
        &self.commit
    }

    /// What the project says of itself, out of the commit's tree.
    pub(super) fn told(&self, subdirectory: Option<&str>) -> Result<Told, FactError> {
        let inside = subdirectory.unwrap_or_default().trim_matches('/');
        let tree = format!("{}:{inside}", self.commit);
        let mut command = self.git();
        command.args(["ls-tree", "-z", &tree]);
        let mut finished = self.repository.run(&mut command)?;
        let listed = finished.bytes(LARGEST_MEMBER).ok().flatten();
        let Some(listed) = listed.filter(|_| finished.succeeded()) else {
            let (url, commit) = (&self.repository.url, &self.commit);
            return Err(failed(format!(
                "`{url}` has no folder `{inside}` at {commit}"
            )));
        };
        let listed = String::from_utf8_lossy(&listed).into_owned();
        // `100644 blob 0123…<tab>name`; a link (mode 120000) is no file.
        let is_file = |name: &str| {
            listed.split('\0').any(|entry| {
                let found = entry.split_once('\t');
                entry.starts_with("100") && found.is_some_and(|(_, found)| found == name)
            })
        };
        let read = |name: &str| {
            let separator = if inside.is_empty() { "" } else { "/" };
            let path = format!("{tree}{separator}{name}");
            is_file(name).then(|| self.read(&path)).transpose()
        };
        Ok(Told {
            pkg_info: read("PKG-INFO")?,
            pyproject: read("pyproject.toml")?,
            egg_requires: None,
            is_project: ["pyproject.toml", "setup.py", "setup.cfg"]
                .into_iter()
                .any(is_file),
        })
    }

    /// Checks the commit out as a build needs it: with the history and tags, which many
    /// builds take the version from, and with submodules.
    pub(super) fn check_out(mut self) -> Result<TempDir, FactError> {
        self.fetch_history()?;
        self.must(&["checkout", "--quiet", "--detach", "--force", &self.commit])?;
        if self.folder.path().join(".gitmodules").is_file() {
            self.must(&["submodule", "--quiet", "update", "--init", "--recursive"])?;
        }
        Ok(self.folder)
    }

    fn fetch_history(&mut self) -> Result<(), FactError> {
        if self.has_history {
            return Ok(());
        }
        let is_shallow = self.folder.path().join(".git").join("shallow").exists();
        let mut command = self.git();
        command.args(["fetch", "--quiet", "--tags", "--force"]);
        command.arg("--filter=blob:none");
        if is_shallow {
            command.arg("--unshallow");
        }
        command.args(["origin", "+refs/heads/*:refs/remotes/origin/*"]);
        command.arg("+HEAD:refs/remotes/origin/HEAD");
        let mut finished = self.repository.run(&mut command)?;
        if !finished.succeeded() {
            return Err(self.repository.refused(&mut finished));
        }
        self.has_history = true;
        Ok(())
    }

    fn resolve(&self, revision: &str) -> Result<String, FactError> {
        let name = match revision {
            "HEAD" => "refs/remotes/origin/HEAD",
            revision => revision,
        };
        let mut command = self.git();
        command.args(["rev-parse", "--quiet", "--verify", "--end-of-options"]);
        command.arg(format!("{name}^{{commit}}"));
        let mut finished = self.repository.run(&mut command)?;
        let commit = finished.stdout().trim().to_owned();
        if finished.succeeded() && is_commit(&commit) {
            Ok(commit)
        } else {
            Err(self.repository.unknown(revision))
        }
    }

    fn read(&self, path: &str) -> Result<String, FactError> {
        let mut command = self.git();
        command.args(["cat-file", "blob", path]);
        let mut finished = self.repository.run(&mut command)?;
        if !finished.succeeded() {
            return Err(self.repository.refused(&mut finished));
        }
        let bytes = finished.bytes(LARGEST_MEMBER).ok().flatten();
        let bytes = bytes.ok_or_else(|| {
            let url = &self.repository.url;
            failed(format!(
                "`{path}` of `{url}` is larger than metadata can be"
            ))
        })?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    fn git(&self) -> Command {
        self.repository.git(Some(self.folder.path()))
    }

    fn must(&self, arguments: &[&str]) -> Result<(), FactError> {
        let mut finished = self.repository.run(self.git().args(arguments))?;
        if finished.succeeded() {
            Ok(())
        } else {
            Err(self.repository.refused(&mut finished))
        }
    }
}

/// Whether the text is a full commit id (SHA-1 or SHA-256).
pub(super) fn is_commit(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn may_be_shortened(text: &str) -> bool {
    (4..40).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn failed(message: String) -> FactError {
    FactError::Failed {
        message,
        hint: None,
    }
}

/// Undoes percent-encoding.
pub(super) fn decode(text: &str) -> String {
    percent_encoding::percent_decode_str(text)
        .decode_utf8_lossy()
        .into_owned()
}

/// Base64 with padding (RFC 4648, section 4).
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let bits = (0..3).fold(0_u32, |bits, index| {
            (bits << 8) | u32::from(group.get(index).copied().unwrap_or(0))
        });
        for index in 0..4_usize {
            let digit = (bits >> (18 - 6 * index)) & 63;
            let character = ALPHABET.get(digit as usize).copied();
            let character = character.filter(|_| index <= group.len());
            text.push(char::from(character.unwrap_or(b'=')));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn references_are_taken_apart() {
        for (reference, url, revision) in [
            (
                "git+https://h.example/a/b.git",
                "https://h.example/a/b.git",
                None,
            ),
            (
                "git+https://h.example/a/b.git@v1.0#egg=b",
                "https://h.example/a/b.git",
                Some("v1.0"),
            ),
            (
                "git+https://h.example/b@feature/x",
                "https://h.example/b",
                Some("feature/x"),
            ),
            (
                "git+ssh://git@h.example/b.git",
                "ssh://git@h.example/b.git",
                None,
            ),
            (
                "git+ssh://git@h.example/b.git@main",
                "ssh://git@h.example/b.git",
                Some("main"),
            ),
            ("git+file:///srv/b@1%2B2", "file:///srv/b", Some("1+2")),
            (
                "git+https://t0ken@h.example/b.git",
                "https://h.example/b.git",
                None,
            ),
        ] {
            let parsed = Repository::parse(reference).unwrap();
            let found = (parsed.url.as_str(), parsed.revision.as_deref());
            assert_eq!(found, (url, revision), "{reference}");
        }
    }

    #[test]
    fn references_that_could_run_something_are_refused() {
        for reference in [
            "git+ext::sh -c id",
            "git+https://h.example/b@--upload-pack=id",
            "git+https://h.example/b@",
            "git+https://h.example/b@a%0Ab",
            "git+ftp://h.example/b",
            "git+nothing",
        ] {
            assert!(Repository::parse(reference).is_err(), "{reference}");
        }
    }

    #[test]
    fn credentials_go_through_the_environment_to_their_host_only() {
        let reference = "git+https://user:p%40ss@h.example:8443/b.git";
        let repository = Repository::parse(reference).unwrap();
        let command = repository.git(None);
        let values: Vec<String> = command
            .get_envs()
            .filter(|(name, _)| name.to_string_lossy().starts_with("GIT_CONFIG_"))
            .filter_map(|(_, value)| Some(value?.to_string_lossy().into_owned()))
            .collect();
        let for_host = "http.https://h.example:8443/.extraHeader".to_owned();
        assert!(values.contains(&for_host), "{values:?}");
        assert!(values.contains(&"Authorization: Basic dXNlcjpwQHNz".to_owned()));
        assert_eq!(repository.url, "https://h.example:8443/b.git");
    }

    #[test]
    fn base64_pads() {
        for (plain, encoded) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
        ] {
            assert_eq!(base64(plain.as_bytes()), encoded);
        }
    }
}
