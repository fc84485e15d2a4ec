//! Which credentials go with which request.
//!
//! They come from the URLs of the indexes, the environment, the netrc file and, when
//! asked for, the keyring program. They are sent only to the scheme, host and port
//! they were given for, and are shown nowhere.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Mutex, OnceLock};
use std::time::Duration;

use percent_encoding::percent_decode_str;
use url::Url;

use super::netrc::Netrc;
use super::tasks::lock;

/// A user name and a password (RFC 7617).
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    user: String,
    password: Option<String>,
}

impl Credentials {
    /// A user name with its password, where there is one.
    pub fn new(user: String, password: Option<String>) -> Self {
        Self { user, password }
    }

    /// The credentials that stand in a URL, percent-decoded.
    pub fn of_url(url: &Url) -> Option<Self> {
        let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let password = url.password().map(decoded);
        if url.username().is_empty() && password.is_none() {
            return None;
        }
        Some(Self::new(decoded(url.username()), password))
    }

    /// The user name.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// The password.
    pub fn password(&self) -> Option<&str> {
        self.password.as_deref()
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(…)")
    }
}

/// Whether, and how, the keyring is asked (`--keyring-provider`).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum KeyringProvider {
    /// It is not asked.
    #[default]
    Disabled,
    /// By `keyring get SERVICE USER`, run as a process; a user name must be known.
    Subprocess {
        /// The program, usually `keyring`.
        program: PathBuf,
    },
}

/// Looks a variable of the environment up; tests give their own.
pub type Environment<'a> = &'a dyn Fn(&str) -> Option<OsString>;

/// All credentials there are.
#[derive(Debug, Default)]
pub struct Auth {
    known: Vec<(Url, Credentials)>,
    /// Read when credentials are first looked for, but for what `NETRC` names.
    netrc: OnceLock<Netrc>,
    home: Option<OsString>,
    keyring: KeyringProvider,
    /// What the keyring said, by origin and user, so that it is asked once.
    from_keyring: Mutex<BTreeMap<(String, String), Option<Credentials>>>,
    /// What servers accepted after they had refused, by origin.
    accepted: Mutex<BTreeMap<String, Credentials>>,
}

impl Auth {
    /// No credentials at all, but for those that stand in the URLs that are asked for.
    pub fn none() -> Self {
        Self::default()
    }

    /// Credentials from the netrc file that the environment names.
    ///
    /// # Errors
    ///
    /// A sentence that names the file, where `NETRC` names one that cannot be read.
    pub fn from_environment(
        environment: Environment<'_>,
        keyring: KeyringProvider,
    ) -> Result<Self, String> {
        let home = environment("HOME").or_else(|| environment("USERPROFILE"));
        Ok(Self {
            netrc: named_netrc(environment)?.map_or_else(OnceLock::new, OnceLock::from),
            home,
            keyring,
            ..Self::default()
        })
    }

    /// Adds credentials for all that lies on the URL's scheme, host and port.
    pub fn add(&mut self, url: Url, credentials: Credentials) {
        self.known.push((url, credentials));
    }

    /// The credentials to send unasked.
    ///
    /// Of those given for the same origin, the ones whose path has most in common with
    /// the URL's: two repositories on one host may need two accounts.
    pub fn unasked(&self, url: &Url) -> Option<Credentials> {
        if let Some(credentials) = Credentials::of_url(url).filter(|it| it.password.is_some()) {
            return Some(credentials);
        }
        let known = self
            .known
            .iter()
            .filter(|(base, credentials)| {
                credentials.password.is_some() && base.origin() == url.origin()
            })
            .rev()
            .max_by_key(|(base, _)| common_segments(base, url))
            .map(|(_, credentials)| credentials.clone());
        known
            .or_else(|| lock(&self.accepted).get(&origin_of(url)).cloned())
            .or_else(|| self.netrc().machine(url.host_str()?).cloned())
            .or_else(|| Credentials::of_url(url))
            .or_else(|| {
                self.known_user(url)
                    .map(|user| Credentials::new(user, None))
            })
    }

    /// The credentials to send after the server refused a request.
    pub async fn when_refused(&self, url: &Url) -> Option<Credentials> {
        if let KeyringProvider::Subprocess { program } = &self.keyring
            && let Some(user) = Credentials::of_url(url)
                .map(|credentials| credentials.user)
                .or_else(|| self.known_user(url))
        {
            let key = (origin_of(url), user.clone());
            let remembered = lock(&self.from_keyring).get(&key).cloned();
            let credentials = match remembered {
                Some(credentials) => credentials,
                None => ask_keyring(program, url, &user).await,
            };
            lock(&self.from_keyring).insert(key, credentials.clone());
            if credentials.is_some() {
                return credentials;
            }
        }
        self.netrc().default_entry().cloned()
    }

    /// Notes that credentials were accepted, so that they are sent unasked from now on.
    pub fn accept(&self, url: &Url, credentials: Credentials) {
        lock(&self.accepted).insert(origin_of(url), credentials);
    }

    fn netrc(&self) -> &Netrc {
        self.netrc
            .get_or_init(|| netrc_of_home(self.home.as_deref()))
    }

    /// A user name that is known for the origin, without its password.
    fn known_user(&self, url: &Url) -> Option<String> {
        self.known
            .iter()
            .find(|(base, _)| base.origin() == url.origin())
            .map(|(_, credentials)| credentials.user.clone())
    }
}

fn origin_of(url: &Url) -> String {
    url.origin().ascii_serialization()
}

fn common_segments(left: &Url, right: &Url) -> usize {
    left.path()
        .split('/')
        .zip(right.path().split('/'))
        .take_while(|(left, right)| left == right)
        .count()
}

/// The file that `NETRC` names, where it names one.
fn named_netrc(environment: Environment<'_>) -> Result<Option<Netrc>, String> {
    let Some(path) = environment("NETRC").filter(|path| !path.is_empty()) else {
        return Ok(None);
    };
    let path = PathBuf::from(path);
    let text = std::fs::read_to_string(&path)
        .map_err(|error| format!("`{}`, named by `NETRC`: {error}", path.display()))?;
    Ok(Some(parse_netrc(&path, &text)))
}

fn netrc_of_home(home: Option<&OsStr>) -> Netrc {
    let paths = [".netrc", "_netrc"].map(|name| Some(Path::new(home?).join(name)));
    let read = |path: PathBuf| {
        let text = std::fs::read_to_string(&path).ok()?;
        Some(parse_netrc(&path, &text))
    };
    paths
        .into_iter()
        .flatten()
        .find_map(read)
        .unwrap_or_default()
}

/// A file that other programs may understand better is no reason to stop.
fn parse_netrc(path: &Path, text: &str) -> Netrc {
    Netrc::parse(text).unwrap_or_else(|detail| {
        log::warn!("`{}` is left out: {detail}", path.display());
        Netrc::default()
    })
}

/// Asks for the whole address first and for the host then, as pip and uv do.
async fn ask_keyring(program: &Path, url: &Url, user: &str) -> Option<Credentials> {
    let mut address = super::error::without_credentials(url);
    address.set_query(None);
    address.set_fragment(None);
    for service in [address.as_str(), url.host_str()?] {
        let asked = tokio::process::Command::new(program)
            .args(["get", service, user])
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .output();
        match tokio::time::timeout(KEYRING_TIMEOUT, asked).await {
            Ok(Ok(output)) if output.status.success() => {
                let password = String::from_utf8_lossy(&output.stdout);
                let password = password.trim_end_matches(['\r', '\n']);
                if !password.is_empty() {
                    return Some(Credentials::new(user.to_owned(), Some(password.to_owned())));
                }
            }
            Ok(Ok(_)) => {}
            Ok(Err(error)) => {
                log::warn!("`{}` could not be run: {error}", program.display());
                return None;
            }
            Err(_) => {
                log::warn!("`{}` did not answer", program.display());
                return None;
            }
        }
    }
    None
}

/// A keyring may ask its user to unlock it; that takes a while, but not for ever.
const KEYRING_TIMEOUT: Duration = Duration::from_mins(1);

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).expect("the test's URL is valid")
    }

    fn credentials(user: &str, password: &str) -> Credentials {
        Credentials::new(user.to_owned(), Some(password.to_owned()))
    }

    #[test]
    fn credentials_of_a_url_are_decoded_and_never_shown() {
        let found = Credentials::of_url(&url("https://a%40b:p%2Fq@index.example/simple/"))
            .expect("the URL has credentials");
        assert_eq!((found.user(), found.password()), ("a@b", Some("p/q")));
        assert_eq!(format!("{found:?}"), "Credentials(…)");
        assert_eq!(Credentials::of_url(&url("https://index.example/")), None);
    }

    #[test]
    fn credentials_go_to_their_origin_only_and_by_the_nearest_path() {
        let mut auth = Auth::none();
        auth.add(
            url("https://index.example/one/simple/"),
            credentials("one", "1"),
        );
        auth.add(
            url("https://index.example/two/simple/"),
            credentials("two", "2"),
        );
        let user = |text| {
            auth.unasked(&url(text))
                .map(|found| found.user().to_owned())
        };
        assert_eq!(
            user("https://index.example/two/simple/numpy/").as_deref(),
            Some("two")
        );
        assert_eq!(
            user("https://index.example/one/files/a.whl").as_deref(),
            Some("one")
        );
        assert_eq!(
            user("https://index.example/files/a.whl").as_deref(),
            Some("one")
        );
        assert_eq!(user("https://index.example:8443/one/simple/"), None);
        assert_eq!(user("http://index.example/one/simple/"), None);
        assert_eq!(user("https://files.example/one/simple/"), None);
    }

    #[test]
    fn netrc_is_read_from_where_the_environment_says() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = folder.path().join("my-netrc");
        std::fs::write(&file, "machine index.example login ada password secret")
            .expect("the folder is writable");
        let environment = |name: &str| (name == "NETRC").then(|| file.clone().into_os_string());
        let auth = Auth::from_environment(&environment, KeyringProvider::Disabled)
            .expect("the file can be read");
        assert_eq!(
            auth.unasked(&url("https://index.example/simple/")),
            Some(credentials("ada", "secret"))
        );
        let missing = |name: &str| (name == "NETRC").then(|| folder.path().join("no").into());
        let error = Auth::from_environment(&missing, KeyringProvider::Disabled)
            .expect_err("there is no such file");
        assert!(error.contains("named by `NETRC`"), "{error}");
    }
}
