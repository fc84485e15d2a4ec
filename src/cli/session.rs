//! From arguments to what a solve needs: request, target, rules, facts.

mod network;
mod policy;
mod tries;
mod wheels;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::str::FromStr as _;

use pep508_rs::ExtraName;

use super::args::ResolveArgs;
use super::base::Opened;
use super::error::{CliError, Exit};
use super::files::Files;
use super::interpreter::{self, Interpreter};
use super::recorded::Recorded;
use super::{accelerator, inputs, pip_settings, rule_folders, say};
use crate::fetch::edge::Edge;
use crate::fetch::snapshot::SnapshotFacts;
use crate::metadata::WheelName;
use crate::request::{
    Input, Inputs, Request, RequestError, Role, SourceError, Wanted, read_inputs,
};
use crate::rules::RuleId;
use crate::solve::Facts;
use crate::{RuleSet, Target};

pub(in crate::cli) use network::{Places, authentication, cache, client_options, indexes};
use network::{download, edge, places, snapshots};
use policy::policy;
pub(in crate::cli) use tries::is_news;
pub(crate) use tries::{Try, steadily};
pub(crate) use wheels::{WheelSession, declared};

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
    /// What tells the rules of the user's folders from others.
    pub(crate) own_rules: [u8; 32],
    pub(crate) facts: Source,
    pub(crate) inputs: Vec<String>,
    pub(crate) read: Inputs,
    /// The files that it was read from.
    pub(crate) sources: BTreeSet<String>,
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
        let sources = files.into_read();
        let session = Self::assemble(args, recorded, read, input_paths)?;
        Ok(Self { sources, ..session })
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
        let rules = rule_folders::read(&args.rules, &args.rules_in_settings)?;
        let (all_rules, own_rules) = (rules.rules, rules.own);
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
            own_rules,
            facts,
            inputs: input_paths,
            read,
            sources: BTreeSet::new(),
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
    read_inputs(&all, &wanted, files).map_err(|error| {
        let is_of_network = matches!(
            &error,
            RequestError::Unreadable {
                error: SourceError::Unreached(_),
                ..
            }
        );
        let exit = if is_of_network {
            Exit::Network
        } else {
            Exit::Usage
        };
        CliError::diagnostic(exit, error)
    })
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
