//! From arguments to what a solve needs: request, target, rules, facts.

mod wheels;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::str::FromStr as _;

use jiff::Timestamp;
use pep508_rs::{ExtraName, PackageName};
use url::Url;

use super::args::{self, ResolveArgs};
use super::base::Opened;
use super::error::{CliError, Exit};
use super::files::Files;
use super::interpreter::{self, Interpreter};
use super::recorded::Recorded;
use super::{accelerator, inputs, pip_settings, rule_folders, say, when};
use crate::fetch::build::{BuildIndexes, Builder};
use crate::fetch::cache::Cache;
use crate::fetch::edge::Edge;
use crate::fetch::freshness::Refresh;
use crate::fetch::guess::Guesses;
use crate::fetch::indexes::{FindLinks, Index, IndexStrategy, Indexes, Mirror};
use crate::fetch::records::Records;
use crate::fetch::registry::{Registry, RegistryOptions};
use crate::fetch::snapshot::{Snapshot, SnapshotFacts};
use crate::fetch::{Ask, Auth, Client, ClientOptions, KeyringProvider, Progress};
use crate::metadata::WheelName;
use crate::request::{
    BuildPolicy, FormatControl, FormatOption, Input, Inputs, LineSource, Policy, Request, Role,
    Wanted, read_inputs,
};
use crate::rules::{RuleId, RuleKind};
use crate::solve::Facts;
use crate::{RuleSet, Target};

pub(crate) use wheels::{WheelSession, declared};

/// The largest requirements file that is downloaded, in bytes.
const REMOTE_FILE_LIMIT: u64 = 16 * 1024 * 1024;

/// How many names a warning lists.
const NAMES_TOLD: usize = 12;

/// What a solve needs, and what a lock says beside the solution.
pub(crate) struct Session {
    pub(crate) request: Request,
    pub(crate) target: Target,
    /// All rules, those that are ignored too.
    pub(crate) all_rules: RuleSet,
    /// The rules in force: those that are ignored left out.
    pub(crate) rules: RuleSet,
    pub(crate) ignored: Vec<RuleId>,
    pub(crate) facts: Source,
    pub(crate) inputs: Vec<String>,
    pub(crate) read: Inputs,
    pub(crate) places: Places,
    /// The folders of the base's packages, where it is an environment of this machine.
    pub(crate) base_folders: Vec<String>,
    /// Whether a wheel can be installed on the target.
    pub(crate) suits: Box<dyn Fn(&WheelName) -> bool>,
}

/// Where facts come from.
pub(crate) enum Source {
    /// Indexes, through the cache.
    Edge(Box<Edge>),
    /// Recorded facts.
    Snapshots(Box<SnapshotFacts>),
}

impl Source {
    pub(crate) fn facts(&self) -> &dyn Facts {
        match self {
            Self::Edge(edge) => &**edge,
            Self::Snapshots(snapshots) => &**snapshots,
        }
    }

    /// The edge, where facts come from indexes.
    pub(crate) fn edge(&self) -> Option<&Edge> {
        match self {
            Self::Edge(edge) => Some(edge),
            Self::Snapshots(_) => None,
        }
    }
}

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

impl Session {
    /// Reads the inputs and makes everything else ready; nothing is asked of an index yet
    /// but what the inputs themselves need.
    pub(crate) fn open(args: &ResolveArgs, recorded: &Recorded) -> Result<Self, CliError> {
        let args = &pip_settings::with(args);
        let input_paths = inputs::inputs(&args.inputs)?;
        let auth = || authentication(args);
        let client_options = client_options(args)?;
        let download = |url: &str| download(url, client_options.clone(), auth);
        let files = Files::new(&download);
        let read = read(args, &input_paths, &files)?;
        for warning in &read.warnings {
            if !args.quiet {
                say(&format!("warning: {warning}"));
            }
        }
        Self::assemble(args, recorded, read, input_paths)
    }

    /// Makes ready what a solve needs beside what was read.
    pub(crate) fn assemble(
        args: &ResolveArgs,
        recorded: &Recorded,
        read: Inputs,
        input_paths: Vec<String>,
    ) -> Result<Self, CliError> {
        let auth = || authentication(args);
        let client_options = client_options(args)?;
        let interpreter = Lazy::new(args);
        let base = super::base::open(args)?;
        let mut target = target(args, recorded, &read, &interpreter, &base)?;
        let all_rules = rule_folders::rules(&args.rules, &args.rules_in_settings)?;
        let ignored = rule_folders::ignored(&all_rules, &args.ignore_rule)?;
        let rules = all_rules.without(&ignored);
        let asked = accelerator::Asked::of(args);
        let known = recorded.target.as_ref().map(|target| &target.accelerator);
        target.accelerator = accelerator::of(&asked, known, &target, &rules, args.quiet)?;
        if !target.accelerator.is_stated() {
            target.accelerator = accelerator::of_base(&base.base, &rules, args.quiet);
        }
        target.accelerator.variants = accelerator::variants(args, known)?;
        let places = places(args, &read);
        let policy = policy(args, &read, &rules)?;
        let request = Request {
            requirements: read.requirements.clone(),
            constraints: read.constraints.clone(),
            overrides: read.overrides.clone(),
            pins: BTreeMap::new(),
            base: std::sync::Arc::new(base.base),
            policy,
        };
        let facts = if args.snapshot.is_empty() {
            let edge = edge(
                args,
                &places,
                &target,
                &request,
                client_options.clone(),
                auth()?,
                &interpreter,
            )?;
            Source::Edge(Box::new(edge))
        } else {
            Source::Snapshots(Box::new(snapshots(&args.snapshot, &places)?))
        };
        let mut session = Self {
            request,
            suits: {
                let target = target.clone();
                Box::new(move |wheel| target.wheel_priority(wheel).is_some())
            },
            target,
            all_rules,
            rules,
            ignored,
            facts,
            inputs: input_paths,
            read,
            places,
            base_folders: base.folders,
        };
        session.name_lines()?;
        session.build_projects()?;
        Ok(session)
    }

    /// Learns what the packages of the base ask for, and says whose requirements are not known.
    pub(crate) fn learn_base(&mut self, quiet: bool) {
        let facts = self.facts.facts();
        let base = std::sync::Arc::make_mut(&mut self.request.base);
        let unknown = super::base::learn(base, &self.target, facts);
        if !unknown.is_empty() && !quiet {
            let names: Vec<&str> = unknown.iter().map(AsRef::as_ref).collect();
            let told = match names.as_slice() {
                [some @ .., _] if some.len() >= NAMES_TOLD => format!(
                    "{} and {} more",
                    names[..NAMES_TOLD].join(", "),
                    names.len() - NAMES_TOLD
                ),
                all => all.join(", "),
            };
            say(&format!(
                "warning: what these packages of the base require is not known, and nothing is \
                 assumed: {told}"
            ));
        }
    }

    /// Gives direct references without a name theirs.
    fn name_lines(&mut self) -> Result<(), CliError> {
        for unnamed in std::mem::take(&mut self.read.unnamed) {
            let facts = self
                .facts
                .facts()
                .direct(&unnamed.url)
                .map_err(|error| CliError::from_fact(&error))?;
            let line = unnamed.named(facts.metadata.name.clone());
            self.request.requirements.push(line);
        }
        Ok(())
    }

    /// Learns the dependencies of projects whose files do not tell them, by their builds.
    fn build_projects(&mut self) -> Result<(), CliError> {
        for needed in &self.read.builds {
            let lines = super::projects::dependencies(self.facts.edge(), needed)?;
            match needed.role {
                Role::Requirements => self.request.requirements.extend(lines),
                Role::Constraints => self.request.constraints.extend(lines),
                Role::Overrides => self.request.overrides.extend(lines),
            }
        }
        Ok(())
    }
}

fn read(args: &ResolveArgs, paths: &[String], files: &Files<'_>) -> Result<Inputs, CliError> {
    let input = |role: Role, path: &String| Input {
        role,
        path: path.clone(),
    };
    let all: Vec<Input> = paths
        .iter()
        .map(|path| input(Role::Requirements, path))
        .chain(
            args.constraint
                .iter()
                .map(|path| input(Role::Constraints, path)),
        )
        .chain(
            args.overrides
                .iter()
                .map(|path| input(Role::Overrides, path)),
        )
        .collect();
    let extras = args
        .extra
        .iter()
        .map(|name| {
            ExtraName::from_str(name.trim()).map_err(|_| {
                CliError::usage(format!("`--extra {name}` is no name of an extra"))
                    .hint("names have letters, digits, `-`, `_` and `.`")
            })
        })
        .collect::<Result<Vec<_>, _>>()?;
    let wanted = Wanted {
        extras,
        all_extras: args.all_extras,
        groups: args.group.clone(),
    };
    read_inputs(&all, &wanted, files).map_err(|error| CliError::diagnostic(Exit::Usage, error))
}

/// The interpreter, looked for only where something needs it.
struct Lazy<'a> {
    args: &'a ResolveArgs,
    found: std::cell::OnceCell<Result<Interpreter, String>>,
}

impl<'a> Lazy<'a> {
    fn new(args: &'a ResolveArgs) -> Self {
        Self {
            args,
            found: std::cell::OnceCell::new(),
        }
    }

    fn get(&self) -> Result<&Interpreter, CliError> {
        let found = self.found.get_or_init(|| {
            let mut search = interpreter::Search::from_folder(PathBuf::from("."));
            search.python.clone_from(&self.args.python);
            search.cache = cache(self.args)
                .ok()
                .map(|cache| cache.root().join("interpreters"));
            interpreter::find(&search).map_err(|error| error.to_string())
        });
        found.as_ref().map_err(|message| {
            CliError::usage(message.clone()).hint(
                "name the target with `--python-version` and `--python-platform`, or an \
                 interpreter with `--python`",
            )
        })
    }
}

fn target(
    args: &ResolveArgs,
    recorded: &Recorded,
    read: &Inputs,
    interpreter: &Lazy<'_>,
    base: &Opened,
) -> Result<Target, CliError> {
    let wrong = |error: crate::target::TargetError| CliError::usage(error.to_string());
    let target = match (&args.python_version, &args.python_platform) {
        (Some(python), Some(platform)) => Target::declared(python, platform).map_err(wrong)?,
        (None, None) => match (
            recorded.target.as_ref().or(base.target.as_ref()),
            &args.python,
        ) {
            (Some(known), None) => known.clone(),
            _ => interpreter
                .get()?
                .target()
                .map_err(|error| CliError::usage(error.to_string()))?,
        },
        (python, platform) => {
            let known = match recorded.target.as_ref().or(base.target.as_ref()) {
                Some(known) => known.clone(),
                None => interpreter
                    .get()?
                    .target()
                    .map_err(|error| CliError::usage(error.to_string()))?,
            };
            let words = known.words();
            if let Some(kept) = recorded.target.as_ref().filter(|_| !args.quiet) {
                let (what, option) = match python {
                    Some(_) => (&kept.words().platform, "--python-platform"),
                    None => (&kept.words().python, "--python-version"),
                };
                say(&format!(
                    "note: the other half of the target is that of the lock, {what}; `{option}` names another"
                ));
            }
            let python = python.as_ref().unwrap_or(&words.python);
            let platform = platform.as_ref().unwrap_or(&words.platform);
            Target::declared(python, platform).map_err(wrong)?
        }
    };
    for requires in &read.requires_python {
        if !target.admits_python(&requires.specifiers) {
            return Err(CliError::usage(format!(
                "{}: the project needs Python {}, and the target is {}",
                requires.place,
                crate::versions::display(&requires.specifiers),
                target.describe()
            ))
            .hint("name another target with `--python-version`"));
        }
    }
    Ok(target)
}

fn places(args: &ResolveArgs, read: &Inputs) -> Places {
    let options = &read.options;
    let values = |options: &[crate::request::FileOption]| -> Vec<String> {
        options.iter().map(|option| option.value.clone()).collect()
    };
    let mut extra = args.extra_index_url.clone();
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

fn policy(args: &ResolveArgs, read: &Inputs, rules: &RuleSet) -> Result<Policy, CliError> {
    let mut formats = FormatControl::default();
    for (option, value) in &read.options.formats {
        take_format(&mut formats, *option, &value.value)?;
    }
    for value in &args.no_binary {
        take_format(&mut formats, FormatOption::NoBinary, value)?;
    }
    for value in &args.only_binary {
        take_format(&mut formats, FormatOption::OnlyBinary, value)?;
    }
    let build = match (&args.build, args.no_build) {
        (Some(value), _) if value == ":all:" => BuildPolicy::Freely,
        (Some(value), _) => {
            return Err(
                CliError::usage(format!("`--build {value}` is not understood"))
                    .hint("`--build :all:` takes source distributions like wheels"),
            );
        }
        (None, true) => BuildPolicy::Never,
        (None, false) => BuildPolicy::LastResort,
    };
    let exclude_newer = args
        .exclude_newer
        .as_deref()
        .map(|text| when::cutoff(text, Timestamp::now()))
        .transpose()?;
    Ok(Policy {
        prereleases: args.pre || read.options.pre,
        exclude_newer,
        exclude_newer_off: args
            .exclude_newer_index
            .iter()
            .map(|text| exempted(text))
            .collect::<Result<_, _>>()?,
        wheels: formats.wheels(),
        sdists: formats.sdists(),
        build,
        providers: args
            .provider
            .iter()
            .map(|text| provider(text, rules))
            .collect::<Result<_, _>>()?,
    })
}

fn take_format(
    formats: &mut FormatControl,
    option: FormatOption,
    value: &str,
) -> Result<(), CliError> {
    formats.take(option, value).map_err(|part| {
        CliError::usage(format!(
            "`{part}` is neither a distribution nor `:all:` or `:none:`"
        ))
        .hint("`--only-binary` and `--no-binary` take names separated by commas")
    })
}

/// `URL=off`.
fn exempted(text: &str) -> Result<String, CliError> {
    let url = text.strip_suffix("=off").ok_or_else(|| {
        CliError::usage(format!("`--exclude-newer-index {text}` is not understood"))
            .hint("write `--exclude-newer-index https://index.example/simple/=off`")
    })?;
    Index::new(url)
        .map(|index| index.url.to_string())
        .map_err(|error| CliError::usage(error.to_string()))
}

/// `SLOT=NAME`.
fn provider(text: &str, rules: &RuleSet) -> Result<(String, PackageName), CliError> {
    let wrong = |message: String, hint: &str| Err(CliError::usage(message).hint(hint));
    let Some((slot, name)) = text.split_once('=') else {
        return wrong(
            format!("`--provider {text}` is not understood"),
            "write `--provider cv2=opencv-python-headless`",
        );
    };
    let Ok(name) = PackageName::from_str(name) else {
        return wrong(format!("`{name}` is no name of a distribution"), "");
    };
    let slots: BTreeMap<&str, &[PackageName]> = rules
        .iter()
        .filter_map(|rule| match &rule.kind {
            RuleKind::Slot {
                import, members, ..
            } => Some((import.as_str(), members.as_slice())),
            _ => None,
        })
        .collect();
    match slots.get(slot) {
        None => {
            let known: Vec<&str> = slots.keys().copied().collect();
            wrong(
                format!("no rule knows a slot `{slot}`"),
                &format!("the slots are {}", known.join(", ")),
            )
        }
        Some(members) if !members.contains(&name) => {
            let known: Vec<&str> = members.iter().map(AsRef::as_ref).collect();
            wrong(
                format!("`{name}` does not install into `{slot}`"),
                &format!("these do: {}", known.join(", ")),
            )
        }
        Some(_) => Ok((slot.to_owned(), name)),
    }
}

pub(super) fn client_options(args: &ResolveArgs) -> Result<ClientOptions, CliError> {
    ClientOptions::from_environment(args.cert.clone(), &|name| std::env::var_os(name))
        .map(|options| ClientOptions {
            offline: args.offline,
            ..options
        })
        .map_err(|error| CliError::usage(error.to_string()))
}

pub(super) fn authentication(args: &ResolveArgs) -> Result<Auth, CliError> {
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
fn download(
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
        crate::fetch::AnswerBody::Unread(_) => Err("it is too large".to_owned()),
    }
}

pub(crate) fn cache(args: &ResolveArgs) -> Result<Cache, CliError> {
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

fn edge(
    args: &ResolveArgs,
    places: &Places,
    target: &Target,
    request: &Request,
    client: ClientOptions,
    auth: Auth,
    interpreter: &Lazy<'_>,
) -> Result<Edge, CliError> {
    let wrong = |error: crate::fetch::FetchError| CliError::usage(error.to_string());
    let cache = cache(args)?;
    let records = Records::in_folder(cache.root().join("records"));
    let indexes = indexes(args, places).map_err(wrong)?;
    let build_indexes = BuildIndexes {
        index_url: places.index.clone(),
        extra_index_urls: places.extra.clone(),
        find_links: places.find_links.clone(),
        no_index: places.no_index || args.offline,
    };
    // An interpreter is looked for only where a build could be needed and one was named, or
    // the machine has one at hand: what is declared spawns nothing.
    let python = build_python(args, interpreter);
    let registry = Registry::new(RegistryOptions {
        client,
        auth,
        indexes,
        cache,
        refresh: if args.refresh {
            Refresh::All
        } else {
            Refresh::None
        },
        // Without the network there is nothing to begin early.
        guesses: (!args.offline).then(|| Guesses {
            target: target.clone(),
            policy: request.policy.clone(),
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
    let builder = Builder::new(python, build_indexes, records.clone());
    Ok(Edge::new(
        registry,
        records,
        builder,
        request.policy.build,
        hashes,
    ))
}

/// The interpreter for builds: the named one, or the first on PATH, without running it.
fn build_python(args: &ResolveArgs, interpreter: &Lazy<'_>) -> Option<PathBuf> {
    if args.python.is_some() {
        return interpreter.get().ok().map(|found| found.executable.clone());
    }
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .flat_map(|folder| ["python3", "python"].map(|name| folder.join(name)))
        .find(|program| program.is_file())
}

/// Recorded facts, joined; the first snapshot that has a fact answers.
fn snapshots(paths: &[PathBuf], places: &Places) -> Result<SnapshotFacts, CliError> {
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

pub(super) fn indexes(
    args: &ResolveArgs,
    places: &Places,
) -> Result<Indexes, crate::fetch::FetchError> {
    // A named index has its name's credentials, whichever way it was called.
    let index = |place: &String| {
        let named = args
            .named_indexes
            .iter()
            .find(|(name, url)| name == place || url == place);
        match named {
            Some((name, url)) => {
                Ok(Index::new(url)?.named(name, &|variable| std::env::var_os(variable)))
            }
            None => Index::new(place),
        }
    };
    Ok(Indexes {
        default: match &places.index {
            Some(url) => Index::new(url)?,
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
            .map(|place| FindLinks::new(place))
            .collect::<Result<_, _>>()?,
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

/// Whether a path names pylock.toml or one of its named forms (PEP 751).
pub(crate) fn is_pylock(path: &str) -> bool {
    Path::new(path)
        .file_name()
        .and_then(|name| name.to_str())
        .is_some_and(|name| {
            name.strip_prefix("pylock.")
                .is_some_and(|rest| rest == "toml" || rest.strip_suffix(".toml").is_some())
        })
}
