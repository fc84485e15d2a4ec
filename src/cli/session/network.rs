//! Where facts come from: indexes, the network, the cache, builds, snapshots.

use std::collections::BTreeSet;
use std::path::PathBuf;

use pep508_rs::PackageName;
use url::Url;

use super::super::args::{self, ResolveArgs};
use super::super::error::CliError;
use super::super::program::program;
use super::Lazy;
use crate::Target;
use crate::fetch::build::{BuildIndexes, Builder};
use crate::fetch::cache::Cache;
use crate::fetch::edge::Edge;
use crate::fetch::freshness::Refresh;
use crate::fetch::guess::Guesses;
use crate::fetch::indexes::{FindLinks, Index, IndexStrategy, Indexes, Mirror};
use crate::fetch::pack::Pack;
use crate::fetch::records::Records;
use crate::fetch::registry::{Registry, RegistryOptions};
use crate::fetch::snapshot::{Snapshot, SnapshotFacts};
use crate::fetch::{Ask, Auth, Client, ClientOptions, KeyringProvider, Progress};
use crate::request::{Inputs, LineSource, Request};

/// The largest requirements file that is downloaded, in bytes.
const REMOTE_FILE_LIMIT: u64 = 16 * 1024 * 1024;

/// Where files are looked for, as users wrote it; credentials may be in it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Places {
    pub(crate) index: Option<String>,
    pub(crate) extra: Vec<String>,
    pub(crate) find_links: Vec<String>,
    pub(crate) no_index: bool,
    pub(crate) trusted_hosts: Vec<String>,
    /// What comes from one index alone, by the settings.
    pub(crate) pinned: BTreeSet<PackageName>,
}

pub(super) fn places(args: &ResolveArgs, read: &Inputs) -> Places {
    let options = &read.options;
    let values = |options: &[crate::request::FileOption]| -> Vec<String> {
        options.iter().map(|option| option.value.clone()).collect()
    };
    let address = |given: &String| {
        named(given)
            .map_or(given.as_str(), |(_, url)| url)
            .to_owned()
    };
    let mut extra: Vec<String> = args.extra_index_url.iter().map(address).collect();
    extra.extend(values(&options.extra_index_urls));
    let mut find_links = args.find_links.clone();
    find_links.extend(values(&options.find_links));
    let mut trusted_hosts = args.trusted_host.clone();
    trusted_hosts.extend(values(&options.trusted_hosts));
    let in_file = || {
        options
            .index_url
            .as_ref()
            .map(|option| option.value.clone())
    };
    Places {
        index: args
            .index_url
            .clone()
            .or_else(in_file)
            .or_else(|| args.pip_index_url.clone()),
        extra,
        find_links,
        no_index: args.no_index || options.no_index,
        trusted_hosts,
        pinned: args.sources.keys().cloned().collect(),
    }
}

pub(in crate::cli) fn client_options(args: &ResolveArgs) -> Result<ClientOptions, CliError> {
    ClientOptions::from_environment(args.cert.clone(), &|name| std::env::var_os(name))
        .map(|options| ClientOptions {
            offline: args.offline,
            ..options
        })
        .map_err(|error| CliError::usage(error.to_string()))
}

pub(in crate::cli) fn authentication(args: &ResolveArgs) -> Result<Auth, CliError> {
    let keyring = match args.keyring_provider.as_deref() {
        None | Some("disabled") => KeyringProvider::Disabled,
        Some("subprocess") => KeyringProvider::Subprocess {
            program: PathBuf::from("keyring"),
        },
        Some(other) => {
            return Err(
                CliError::usage(format!("`--keyring-provider {other}` is not understood"))
                    .hint("it takes `subprocess` or `disabled`"),
            );
        }
    };
    Auth::from_environment(&|name| std::env::var_os(name), keyring).map_err(CliError::usage)
}

/// Reads a requirements file from the network.
pub(super) fn download(
    url: &str,
    options: ClientOptions,
    auth: impl FnOnce() -> Result<Auth, CliError>,
) -> Result<Vec<u8>, String> {
    let parsed = Url::parse(url).map_err(|error| error.to_string())?;
    let auth = auth().map_err(|_| "its credentials cannot be read".to_owned())?;
    let client = Client::new(options, auth, std::sync::Arc::new(Progress::default()));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| error.to_string())?;
    let answer = runtime
        .block_on(client.get(&Ask::new(parsed, REMOTE_FILE_LIMIT)))
        .map_err(|error| error.to_string())?;
    match answer.body {
        crate::fetch::AnswerBody::Whole(bytes) => Ok(bytes),
        // Left packed is only what was asked for so.
        crate::fetch::AnswerBody::Unread(_) | crate::fetch::AnswerBody::Packed(_) => {
            Err("it is there, and nothing of it came".to_owned())
        }
    }
}

pub(in crate::cli) fn cache(args: &ResolveArgs) -> Result<Cache, CliError> {
    let made = if args.no_cache {
        Cache::temporary()
    } else {
        Cache::new(args.cache_dir.clone(), &|name| std::env::var_os(name))
    };
    made.map_err(|error| {
        let hint = error.hint();
        let error = CliError::usage(error.to_string());
        match hint {
            Some(hint) => error.hint(hint),
            None => error,
        }
    })
}

/// The cache, with what runs like this one have read in one file: those for the same inputs, from
/// the same folder, for the same target.
fn bundled(args: &ResolveArgs, cache: Cache, target: &Target) -> Cache {
    let folder = std::env::current_dir().ok();
    // What the pack answered is in the copies, and `--no-pack` is to ask for it all.
    let words = format!(
        "{folder:?}{:?}{:?}{}",
        args.inputs,
        target.words(),
        args.no_pack
    );
    let program = program().map(|program| format!("{program:?}"));
    cache.with_bundle(&words, program.as_deref())
}

pub(super) fn edge(
    args: &ResolveArgs,
    places: &Places,
    target: &Target,
    request: &Request,
    client: ClientOptions,
    auth: Auth,
    interpreter: &Lazy<'_>,
) -> Result<Edge, CliError> {
    let wrong = |error: crate::fetch::FetchError| CliError::usage(error.to_string());
    let cache = bundled(args, cache(args)?, target);
    let records = Records::in_folder(cache.root().join("records"));
    let indexes = indexes(args, places).map_err(wrong)?;
    let build_indexes = BuildIndexes {
        index_url: places.index.clone(),
        extra_index_urls: places.extra.clone(),
        find_links: places.find_links.clone(),
        no_index: places.no_index || args.offline,
    };
    let registry = Registry::new(RegistryOptions {
        client,
        auth,
        indexes,
        cache,
        pack: if args.no_pack { None } else { Pack::embedded() },
        likely: if args.offline { None } else { Pack::embedded() },
        refresh: if args.refresh {
            Refresh::All
        } else {
            Refresh::None
        },
        // Without the network there is nothing to begin early.
        guesses: (!args.offline).then(|| Guesses {
            target: target.clone(),
            policy: request.policy.clone(),
            base: std::sync::Arc::clone(&request.base),
        }),
    });
    let hashes = request
        .requirements
        .iter()
        .filter_map(|line| match &line.source {
            LineSource::Direct(direct) => Some((direct.url.clone(), line.hashes.clone())),
            LineSource::Specifiers(_) => None,
        })
        .collect();
    // What is declared spawns nothing: where none is named, one is looked for only when something
    // is to be built.
    let named = || interpreter.get().ok().map(|found| found.executable.clone());
    let python = args.python.as_ref().and_then(|_| named());
    let builder = Builder::new(python, build_indexes, records.clone());
    let builder = match args.python {
        Some(_) => builder,
        None => builder.or_with(python_on_path),
    };
    let builder = if args.quiet {
        builder
    } else {
        builder.with_notice(super::super::progress::building)
    };
    Ok(Edge::new(
        registry,
        records,
        builder,
        request.policy.build,
        hashes,
    ))
}

/// The first interpreter on PATH, without running it.
fn python_on_path() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .flat_map(|folder| ["python3", "python"].map(|name| folder.join(name)))
        .find(|program| program.is_file())
}

/// Recorded facts, joined; the first snapshot that has a fact answers.
pub(super) fn snapshots(paths: &[PathBuf], places: &Places) -> Result<SnapshotFacts, CliError> {
    let opened = paths
        .iter()
        .map(|path| {
            Snapshot::open(path).map_err(|error| {
                CliError::usage(format!(
                    "cannot read the snapshot `{}`: {error}",
                    path.display()
                ))
                .hint("`mlresolve snapshot record` makes one")
            })
        })
        .collect::<Result<Vec<_>, _>>()?;
    let default = match &places.index {
        Some(url) => Index::new(url).map_err(|error| CliError::usage(error.to_string()))?,
        None => Index::standard(),
    };
    Ok(SnapshotFacts::new(opened, &default.url))
}

pub(in crate::cli) fn indexes(
    args: &ResolveArgs,
    places: &Places,
) -> Result<Indexes, crate::fetch::FetchError> {
    // A named index has its name's credentials, whichever way it was called.
    let index = |place: &String| {
        let index = named_index(args, place)?;
        is_there(place, index.folder(), "the address of an index")?;
        Ok(index)
    };
    Ok(Indexes {
        default: match &places.index {
            Some(url) => index(url)?,
            None => Index::standard(),
        },
        extra: places.extra.iter().map(&index).collect::<Result<_, _>>()?,
        strategy: match args.index_strategy.unwrap_or_default() {
            args::IndexStrategy::FirstIndex => IndexStrategy::First,
            args::IndexStrategy::UnsafeBestMatch => IndexStrategy::UnsafeBestMatch,
        },
        no_index: places.no_index,
        find_links: places
            .find_links
            .iter()
            .map(|place| {
                let found = FindLinks::new(place)?;
                if let FindLinks::Folder(folder) = &found {
                    is_there(place, Some(folder.clone()), "the address of a page")?;
                }
                Ok(found)
            })
            .collect::<Result<_, crate::fetch::FetchError>>()?,
        pins: args
            .sources
            .iter()
            .map(|(name, source)| Ok((name.clone(), index(source)?)))
            .collect::<Result<_, crate::fetch::FetchError>>()?,
        mirrors: args
            .mirror
            .iter()
            .map(|text| Mirror::new(text))
            .collect::<Result<_, _>>()?,
    })
}

/// An index by its name in the settings, its address or its path.
fn named_index(args: &ResolveArgs, place: &str) -> Result<Index, crate::fetch::FetchError> {
    let settings = args.named_indexes.iter();
    let settings = settings.map(|(name, url)| (name.as_str(), url.as_str()));
    let given = args.extra_index_url.iter().filter_map(|given| named(given));
    let mut names = settings.chain(given);
    match names.find(|(name, url)| *name == place || *url == place) {
        Some((name, url)) => {
            Ok(Index::new(url)?.named(name, &|variable| std::env::var_os(variable)))
        }
        None => Index::new(place),
    }
}

/// An index with a name before its address, as uv has it: `torch=https://…`.
fn named(given: &str) -> Option<(&str, &str)> {
    let (name, url) = given.split_once('=')?;
    let is_name = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
    (!name.is_empty() && name.chars().all(is_name) && url.contains("://")).then_some((name, url))
}

/// A word that is no address is taken for a folder, which has to be there: `--index-url banana`.
fn is_there(
    place: &str,
    folder: Option<PathBuf>,
    other: &str,
) -> Result<(), crate::fetch::FetchError> {
    match folder {
        Some(folder) if !folder.is_dir() => Err(crate::fetch::FetchError::Setup(format!(
            "`{place}` is neither {other} nor a folder that is there"
        ))),
        _ => Ok(()),
    }
}
