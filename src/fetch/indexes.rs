//! Which indexes are asked, in which order.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use pep508_rs::PackageName;
use url::Url;

use super::auth::{Auth, Credentials, Environment};
use super::default_index::DEFAULT_INDEX;
use super::error::{FetchError, without_credentials};

/// A package index that serves the simple API (PEP 503, PEP 691), or a folder laid out so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Index {
    /// The name that the settings give it.
    pub name: Option<String>,
    /// Its address, without credentials, ending in `/`.
    pub url: Url,
    credentials: Option<Credentials>,
}

/// Where further files are looked for (`--find-links`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FindLinks {
    /// The files of a folder.
    Folder(PathBuf),
    /// The links of an HTML page, local or remote.
    Page(Index),
}

/// Which index a name comes from, where several have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum IndexStrategy {
    /// The first that has it, so that no name of a private index can be taken over.
    #[default]
    First,
    /// All of them together, as pip does (`--index-strategy unsafe-best-match`).
    UnsafeBestMatch,
}

/// All places where files are looked for.
#[derive(Debug, Clone)]
pub struct Indexes {
    /// The index that is asked last.
    pub default: Index,
    /// The indexes that are asked before it, in order.
    pub extra: Vec<Index>,
    /// Which of several indexes counts.
    pub strategy: IndexStrategy,
    /// Whether no index is asked (`--no-index`), only the other places.
    pub no_index: bool,
    /// Further places, whose files join those of the indexes.
    pub find_links: Vec<FindLinks>,
    /// The one index that a distribution comes from, whatever else has it.
    pub pins: BTreeMap<PackageName, Index>,
    /// What stands for other indexes.
    pub mirrors: Vec<Mirror>,
}

/// What stands for the indexes below an address (`--mirror FROM=TO`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mirror {
    /// The address that is replaced, ending in `/`.
    pub from: String,
    /// What it is replaced with; it may hold credentials, which no lock shows.
    pub to: Index,
}

impl Default for Indexes {
    fn default() -> Self {
        Self {
            default: Index::standard(),
            extra: Vec::new(),
            strategy: IndexStrategy::default(),
            no_index: false,
            find_links: Vec::new(),
            pins: BTreeMap::new(),
            mirrors: Vec::new(),
        }
    }
}

impl Mirror {
    /// Reads `FROM=TO`.
    ///
    /// # Errors
    ///
    /// [`FetchError::Setup`] where it is no pair of addresses.
    pub fn new(text: &str) -> Result<Self, FetchError> {
        let wrong = || {
            FetchError::Setup(format!(
                "a mirror is given as `FROM=TO`, such as \
                 `https://download.pytorch.org/whl/=https://index.example/pytorch/`{}",
                if text.contains('@') {
                    ""
                } else {
                    ", and not as the value that was given"
                }
            ))
        };
        let at = text.find("=http").ok_or_else(wrong)?;
        let (from, to) = text.split_at(at);
        let from = Index::new(from)?.url.to_string();
        let to = Index::new(to.get(1..).ok_or_else(wrong)?)?;
        Ok(Self { from, to })
    }
}

impl Index {
    /// An index by its URL, which may hold credentials, or by the path of a folder.
    ///
    /// # Errors
    ///
    /// [`FetchError::Setup`] where it is neither.
    pub fn new(place: &str) -> Result<Self, FetchError> {
        let mut url = parse_place(place)?;
        if !url.path().ends_with('/') {
            let path = format!("{}/", url.path());
            url.set_path(&path);
        }
        Ok(Self::at(&url))
    }

    /// The public index.
    pub fn standard() -> Self {
        let url = Url::parse(DEFAULT_INDEX).unwrap_or_else(|_| unreachable!("it is a URL"));
        Self::at(&url)
    }

    fn at(url: &Url) -> Self {
        Self {
            name: None,
            credentials: Credentials::of_url(url),
            url: without_credentials(url),
        }
    }

    /// Gives the index its name, and the credentials that the environment has under it:
    /// `MLRESOLVE_INDEX_<NAME>_USERNAME` and `_PASSWORD`, or the same of uv's. The name is
    /// written in capitals, with `_` for what is no letter or digit.
    pub fn named(mut self, name: &str, environment: Environment<'_>) -> Self {
        let variable: String = name
            .chars()
            .map(|character| match character {
                'a'..='z' | 'A'..='Z' | '0'..='9' => character.to_ascii_uppercase(),
                _ => '_',
            })
            .collect();
        let value = |what: &str| {
            ["MLRESOLVE", "UV"].iter().find_map(|program| {
                environment(&format!("{program}_INDEX_{variable}_{what}"))?
                    .into_string()
                    .ok()
            })
        };
        let (user, password) = (value("USERNAME"), value("PASSWORD"));
        if user.is_some() || password.is_some() {
            self.credentials = Some(Credentials::new(user.unwrap_or_default(), password));
        }
        self.name = Some(name.to_owned());
        self
    }

    /// The address of a distribution's page (PEP 503).
    pub fn page_url(&self, name: &PackageName) -> Url {
        // A normalised name holds letters, digits and hyphens only.
        self.url
            .join(&format!("{name}/"))
            .unwrap_or_else(|_| self.url.clone())
    }

    /// The folder, where the index is one.
    pub fn folder(&self) -> Option<PathBuf> {
        (self.url.scheme() == "file")
            .then(|| self.url.to_file_path().ok())
            .flatten()
    }
}

impl FindLinks {
    /// A place by its URL or path. A path, or the URL of one, that ends in `.html` or
    /// `.htm` is a page; any other a folder.
    ///
    /// # Errors
    ///
    /// [`FetchError::Setup`] where it is neither a URL nor a path.
    pub fn new(place: &str) -> Result<Self, FetchError> {
        let url = parse_place(place)?;
        if url.scheme() == "file" {
            let path = url
                .to_file_path()
                .map_err(|()| FetchError::Setup(format!("`{place}` is not the path of a file")))?;
            let is_page = path.extension().is_some_and(|it| {
                it.eq_ignore_ascii_case("html") || it.eq_ignore_ascii_case("htm")
            });
            if !is_page {
                return Ok(Self::Folder(path));
            }
        }
        Ok(Self::Page(Index::at(&url)))
    }
}

impl Indexes {
    /// The indexes that may serve the distribution, in the order in which they are asked.
    pub fn for_name(&self, name: &PackageName) -> Vec<&Index> {
        if let Some(index) = self.pins.get(name) {
            return vec![index];
        }
        if self.no_index {
            return Vec::new();
        }
        self.extra.iter().chain([&self.default]).collect()
    }

    /// The index at an address, for one distribution: the one that it is pinned to, else the
    /// mirror that stands for it, else the index itself.
    ///
    /// # Errors
    ///
    /// [`FetchError::Setup`] where the address is none.
    pub fn at(&self, name: &PackageName, address: &str) -> Result<Index, FetchError> {
        if let Some(index) = self.pins.get(name) {
            return Ok(index.clone());
        }
        let index = Index::new(address)?;
        let url = index.url.as_str();
        for mirror in &self.mirrors {
            if let Some(rest) = url.strip_prefix(mirror.from.as_str()) {
                let mut mirrored = mirror.to.clone();
                mirrored.url = mirror.to.url.join(rest).map_err(|error| {
                    FetchError::Setup(format!("the mirror of `{url}`: {error}"))
                })?;
                return Ok(mirrored);
            }
        }
        Ok(index)
    }

    /// Gives the credentials of all places to the client's.
    pub fn lend_credentials(&self, auth: &mut Auth) {
        let pages = self.find_links.iter().filter_map(|place| match place {
            FindLinks::Page(index) => Some(index),
            FindLinks::Folder(_) => None,
        });
        let indexes = self
            .extra
            .iter()
            .chain([&self.default])
            .chain(self.pins.values())
            .chain(self.mirrors.iter().map(|mirror| &mirror.to))
            .chain(pages);
        for index in indexes {
            if let Some(credentials) = &index.credentials {
                auth.add(index.url.clone(), credentials.clone());
            }
        }
    }
}

fn parse_place(place: &str) -> Result<Url, FetchError> {
    let is_url = ["http://", "https://", "file://"].iter().any(|scheme| {
        place
            .get(..scheme.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    });
    if is_url {
        return Url::parse(place).map_err(|error| {
            FetchError::Setup(format!("an index address cannot be read: {error}"))
        });
    }
    // What follows the scheme may hold a password.
    if let Some((scheme, _)) = place.split_once("://") {
        return Err(FetchError::Setup(format!(
            "`{scheme}://…` is no index address: that is an `https`, `http` or `file` URL or a path"
        )));
    }
    let path = std::path::absolute(Path::new(place))
        .map_err(|error| FetchError::io(Path::new(place), &error))?;
    Url::from_file_path(&path)
        .map_err(|()| FetchError::Setup(format!("`{}` is not a usable path", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_lie_below_the_index() {
        let index = Index::new("https://ada:secret@index.example/simple").expect("a URL");
        let name = "Typing_Extensions".parse().expect("a name");
        assert_eq!(
            index.page_url(&name).as_str(),
            "https://index.example/simple/typing-extensions/"
        );
        assert!(!format!("{index:?}").contains("secret"));
        let folder = Index::new("some/folder").expect("a path");
        assert_eq!(
            folder.folder(),
            std::env::current_dir()
                .ok()
                .map(|here| here.join("some/folder/"))
        );
        assert!(Index::new("ftp://index.example/").is_err());
    }

    #[test]
    fn extra_indexes_come_first_and_pins_stand_alone() {
        let index = |place: &str| Index::new(place).expect("a URL");
        let name = |text: &str| text.parse::<PackageName>().expect("a name");
        let mut indexes = Indexes {
            default: index("https://index.example/simple/"),
            extra: vec![index("https://one.example/"), index("https://two.example/")],
            ..Indexes::default()
        };
        indexes.pins.insert(
            name("torch"),
            index("https://download.pytorch.org/whl/cu121/"),
        );
        let asked = |indexes: &Indexes, text: &str| -> Vec<String> {
            let found = indexes.for_name(&name(text));
            found.iter().map(|index| index.url.to_string()).collect()
        };
        assert_eq!(
            asked(&indexes, "numpy"),
            [
                "https://one.example/",
                "https://two.example/",
                "https://index.example/simple/"
            ]
        );
        assert_eq!(
            asked(&indexes, "torch"),
            ["https://download.pytorch.org/whl/cu121/"]
        );
        indexes.no_index = true;
        assert_eq!(asked(&indexes, "numpy"), Vec::<String>::new());
    }

    #[test]
    fn the_environment_holds_credentials_by_the_name_of_the_index() {
        let environment = |variable: &str| match variable {
            "MLRESOLVE_INDEX_MY_MIRROR_2_USERNAME" | "UV_INDEX_MY_MIRROR_2_USERNAME" => {
                Some("ada".into())
            }
            "UV_INDEX_MY_MIRROR_2_PASSWORD" => Some("secret".into()),
            _ => None,
        };
        let index = Index::new("https://index.example/simple/").expect("a URL");
        let named = index.named("my-mirror.2", &environment);
        let expected = Credentials::new("ada".to_owned(), Some("secret".to_owned()));
        assert_eq!(named.credentials, Some(expected));
    }

    #[test]
    fn find_links_are_pages_or_folders() {
        let page = |place: &str| matches!(FindLinks::new(place), Ok(FindLinks::Page(_)));
        assert!(page("https://download.pytorch.org/whl/torch_stable.html"));
        assert!(page("https://files.example/wheels/"));
        assert!(page("./links.html"));
        assert!(!page("./wheels"));
        assert!(!page("file:///wheels"));
    }
}
