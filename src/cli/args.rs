//! The command line. Option names follow pip-compile and uv.
//!
//! A run makes the options of its own command alone (`defer`); those of all commands take as
//! long as all else before a lock begins. Structs of arguments have no doc comments: clap would
//! take them for what the command is about.

mod resolve;
mod wheels;

use std::path::PathBuf;

use clap::{Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand, ValueEnum};

use super::compat::CompatArgs;
pub(crate) use resolve::ResolveArgs;
pub(crate) use wheels::{DeriveArgs, Only, RecordCasesArgs, ScanArgs, VerifyArgs, WheelArgs};

/// A lockfile resolver for Python ML stacks that knows what the binaries need.
#[derive(Debug, Parser)]
#[command(
    name = "mlresolve",
    version,
    max_term_width = 100,
    propagate_version = true
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

impl Cli {
    /// What the command line says.
    pub(crate) fn given() -> Result<Self, clap::Error> {
        let mut command = Self::command();
        let mut matches = command.try_get_matches_from_mut(std::env::args_os())?;
        // It is left to the system: to give it back option by option takes as long as to parse.
        std::mem::forget(command);
        Self::from_arg_matches_mut(&mut matches).map_err(|error| error.format(&mut Self::command()))
    }
}

#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum Command {
    /// Lock requirements: pinned, hashed, and free of binaries that cannot work together
    Lock(Box<LockArgs>),
    /// Say why a distribution is locked, at this version and not a newer one
    Why(Box<WhyArgs>),
    /// Say what changed between two locks, or a lock and what would be locked now, and why
    Diff(Box<DiffArgs>),
    /// Show who needs whom: as a tree, for Graphviz or Mermaid, or as a page
    Graph(Box<GraphArgs>),
    /// Record the index facts that a set of locks needs, or look into a recording
    #[command(subcommand)]
    Snapshot(SnapshotCommand),
    /// Tell what wheels' binaries were built for: NumPy's C-ABI, CUDA, glibc, Python
    Scan(Box<ScanArgs>),
    /// Judge a lock, requirements or an environment: combinations that break, whatever their
    /// metadata says
    Check(Box<CheckArgs>),
    /// Say what this environment is, what can be reached, and what is wrong: for bug reports
    Doctor(Box<DoctorArgs>),
    /// Write down what an environment has installed, for `--base` elsewhere
    Base {
        /// The interpreter or environment; the one in use where none is named
        python: Option<String>,
        /// The file to write; standard output where none is named
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Look at the rules, and check them against the wheels
    #[command(subcommand)]
    Rules(RulesCommand),
    /// Find, prune or empty the cache
    #[command(subcommand)]
    Cache(CacheCommand),
    /// Print a completion script
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum SnapshotCommand {
    /// Lock each input by itself and write down every index fact that was needed
    Record(Box<RecordArgs>),
    /// Record the metadata of wheels that comes with the program
    #[command(hide = true)]
    Pack(Box<PackArgs>),
    /// Say what a snapshot holds
    Info {
        /// The snapshot
        file: PathBuf,
        /// How to print it
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
}

#[derive(Debug, Clone, Args)]
pub(crate) struct RecordArgs {
    #[command(flatten)]
    pub(crate) resolve: ResolveArgs,
    /// What the snapshot is recorded for, in words
    #[arg(long = "for", value_name = "TEXT", default_value = "")]
    pub(crate) purpose: String,
    /// Record what the answer to `mlresolve why QUESTION` needs too, for each input
    #[arg(long, value_name = "QUESTION")]
    pub(crate) why: Vec<String>,
    /// The file to write
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,
    /// Do not tell the default index's address: recorded files lie at an example host, and
    /// the snapshot serves whatever index its reader makes the default
    #[arg(long)]
    pub(crate) anonymous: bool,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct PackArgs {
    #[command(flatten)]
    pub(crate) resolve: ResolveArgs,
    /// A target, such as `3.11 x86_64-manylinux_2_28`
    #[arg(long = "target", value_name = "WORDS", required = true)]
    pub(crate) targets: Vec<String>,
    /// Record what was newest at this time; now where none is named
    #[arg(long, value_name = "DATE")]
    pub(crate) as_of: Vec<String>,
    /// How many of each distribution's newest releases
    #[arg(long, value_name = "N", default_value_t = 2)]
    pub(crate) newest: usize,
    /// How many distributions at most
    #[arg(long, value_name = "N", default_value_t = 2000)]
    pub(crate) names: usize,
    /// The file to write; what it was recorded for goes to a file beside it
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,
}

#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum RulesCommand {
    /// List the rules
    List {
        /// Only rules that speak of this distribution
        name: Option<String>,
        /// A folder of further rules
        #[arg(long, value_name = "DIR")]
        rules: Vec<PathBuf>,
        /// How to print it
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Show one rule: what breaks, what it looks like, what to do, the evidence
    Show {
        /// The rule's id, such as `torch/numpy1-abi`
        id: String,
        /// A folder of further rules
        #[arg(long, value_name = "DIR")]
        rules: Vec<PathBuf>,
        /// How to print it
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Check rule files
    Lint {
        /// Folders of rules; the embedded ones where none is named
        folders: Vec<PathBuf>,
    },
    /// Check rules against the wheels on both sides of their bounds
    Verify(Box<VerifyArgs>),
    /// Propose a rule by bisecting a distribution's releases
    Derive(Box<DeriveArgs>),
    /// Record what the index says of the releases in the rules' cases
    Record(Box<RecordCasesArgs>),
}

#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum CacheCommand {
    /// Print the cache folder
    Dir {
        /// The cache folder
        #[arg(long, value_name = "DIR", env = "MLRESOLVE_CACHE_DIR")]
        cache_dir: Option<PathBuf>,
    },
    /// Remove what other versions wrote, and what is old or too much, from the cache
    Prune {
        /// What was written before this goes: a date, an instant or an age
        #[arg(long, value_name = "WHEN", default_value = "90 days")]
        older_than: String,
        /// So much may stay; what was written first goes first
        #[arg(long, value_name = "MIB")]
        max_size: Option<u64>,
        /// The cache folder
        #[arg(long, value_name = "DIR", env = "MLRESOLVE_CACHE_DIR")]
        cache_dir: Option<PathBuf>,
    },
    /// Remove everything from the cache
    Clean {
        /// The cache folder
        #[arg(long, value_name = "DIR", env = "MLRESOLVE_CACHE_DIR")]
        cache_dir: Option<PathBuf>,
    },
}

/// How an answer is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Format {
    /// For people
    #[default]
    Text,
    /// For programs
    Json,
}

/// How `# via` annotations are laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Annotations {
    /// One asker a line
    #[default]
    Split,
    /// All on one line
    Line,
}

/// Which index serves a name that several have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum IndexStrategy {
    /// The first index that has the name, extra indexes first
    #[default]
    FirstIndex,
    /// The best version from any index, as pip does (exposed to dependency confusion)
    UnsafeBestMatch,
}

#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the command line"
)]
#[derive(Debug, Clone, Args)]
pub(crate) struct LockArgs {
    #[command(flatten)]
    pub(crate) resolve: ResolveArgs,

    /// The lock to write; `pylock*.toml` is PEP 751, `-` is standard output
    #[arg(
        short,
        long = "output-file",
        alias = "output",
        value_name = "FILE",
        help_heading = "Output"
    )]
    pub(crate) output: Option<String>,
    /// Give up all pins of the existing lock
    #[arg(short = 'U', long, help_heading = "Choice")]
    pub(crate) upgrade: bool,
    /// Give up the pin of one distribution (`-P numpy`, `-P 'numpy<2'`)
    #[arg(short = 'P', long, value_name = "SPEC", help_heading = "Choice")]
    pub(crate) upgrade_package: Vec<String>,
    /// Write no hashes
    #[arg(long, help_heading = "Output")]
    pub(crate) no_hashes: bool,
    /// Write hashes (the default; accepted for compatibility)
    #[arg(long, conflicts_with = "no_hashes", help_heading = "Output")]
    pub(crate) generate_hashes: bool,
    /// Write no `# via` annotations
    #[arg(long, help_heading = "Output")]
    pub(crate) no_annotate: bool,
    /// How annotations are laid out
    #[arg(long, value_enum, value_name = "STYLE", help_heading = "Output")]
    pub(crate) annotation_style: Option<Annotations>,
    /// Write no header
    #[arg(long, help_heading = "Output")]
    pub(crate) no_header: bool,
    /// Write no index lines
    #[arg(long, help_heading = "Output")]
    pub(crate) no_emit_index_url: bool,
    /// Write extras off pinned names
    #[arg(long, help_heading = "Output")]
    pub(crate) strip_extras: bool,
    /// Pin setuptools, pip and distribute too (the default)
    #[arg(long, hide = true)]
    pub(crate) allow_unsafe: bool,
    /// Show what would be written and write nothing
    #[arg(short = 'n', long, help_heading = "Output")]
    pub(crate) dry_run: bool,
    /// Lock for a named target of the settings; several give a lock each
    /// (`pylock.cpu.toml`, `pylock.cu126.toml`)
    #[arg(long, value_name = "NAME", help_heading = "Target")]
    pub(crate) target: Vec<String>,
    /// Check that the lock still follows from its inputs: exit code 4 where it does not
    #[arg(long, help_heading = "Output")]
    pub(crate) check: bool,
    /// Solve again where the answer of an earlier run still holds
    #[arg(long, help_heading = "Cache")]
    pub(crate) solve_anew: bool,
    #[command(flatten)]
    pub(crate) compat: CompatArgs,
}

/// How findings are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum CheckFormat {
    /// For people
    #[default]
    Text,
    /// For programs
    Json,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// GitHub annotations
    Github,
    /// JUnit XML
    Junit,
}

/// The least finding for which the exit code is 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum FailOn {
    /// Errors
    Error,
    /// Errors and warnings
    #[default]
    Warning,
    /// Everything that is found
    Note,
    /// Nothing: the exit code is 0
    Never,
}

#[derive(Debug, Clone, Args)]
#[command(mut_arg("inputs", |input| input
    .value_name("FILE|FOLDER|PYTHON")
    .help("What is judged; the locks in this folder, else the environment in use, where none is \
           named")
    .long_help("What is judged: requirements files, `pip freeze` output, pylock.toml, uv.lock, \
                poetry.lock, pdm.lock, Pipfile.lock, environment.yml, a Dockerfile, the folder \
                of an environment or an interpreter. Where none is named, the locks in this \
                folder, else the environment in use")))]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    pub(crate) resolve: ResolveArgs,
    /// How to print what was found
    #[arg(long, value_enum, default_value_t, help_heading = "Output")]
    pub(crate) format: CheckFormat,
    /// Write it to this file
    #[arg(short, long, value_name = "FILE", help_heading = "Output")]
    pub(crate) output: Option<PathBuf>,
    /// The least finding for which the exit code is 1
    #[arg(
        long,
        value_enum,
        default_value_t,
        value_name = "SEVERITY",
        help_heading = "Output"
    )]
    pub(crate) fail_on: FailOn,
    /// Judge by the file and the rules alone; ask no index
    #[arg(long, help_heading = "Choice")]
    pub(crate) rules_only: bool,
    /// Compare every file of an environment with its recorded hash
    #[arg(long, help_heading = "Choice")]
    pub(crate) verify: bool,
}

#[derive(Debug, Args)]
#[command(mut_arg("inputs", |input| input
    .value_name("PYTHON")
    .num_args(0..=1)
    .action(clap::ArgAction::Set)
    .help("The interpreter or environment; the one in use where none is named")
    .long_help(None)))]
pub(crate) struct DoctorArgs {
    #[command(flatten)]
    pub(crate) check: CheckArgs,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct WhyArgs {
    /// The distribution
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) resolve: ResolveArgs,
    /// How to print it
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
#[command(mut_arg("inputs", |input| input
    .value_name("NEW|INPUT")
    .help("The lock after (`*.txt`, `pylock*.toml`), or the inputs to lock now; they are found \
           by themselves where none is named")))]
pub(crate) struct DiffArgs {
    /// The lock before
    pub(crate) old: String,
    #[command(flatten)]
    pub(crate) resolve: ResolveArgs,
    /// Give up all pins of the lock before
    #[arg(short = 'U', long, help_heading = "Choice")]
    pub(crate) upgrade: bool,
    /// How to print it
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
}

/// How a graph is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum GraphFormat {
    /// An indented tree
    #[default]
    Text,
    /// Graphviz
    Dot,
    /// Mermaid
    Mermaid,
    /// A page that needs nothing else
    Html,
    /// For programs
    Json,
}

#[derive(Debug, Args)]
#[command(mut_arg("inputs", |input| input
    .value_name("LOCK|INPUT")
    .help("A lock (`*.txt`, `pylock*.toml`), which is shown as it is, or inputs, which are \
           solved first; they are found by themselves where none is named")))]
pub(crate) struct GraphArgs {
    #[command(flatten)]
    pub(crate) resolve: ResolveArgs,
    /// How to print it
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: GraphFormat,
    /// Write it to a file
    #[arg(short, long, value_name = "FILE", help_heading = "Output")]
    pub(crate) output: Option<PathBuf>,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::Cli;

    /// What each command is about, by its name.
    fn abouts(command: &clap::Command, path: &str, found: &mut Vec<(String, String)>) {
        for one in command.get_subcommands() {
            let path = format!("{path} {}", one.get_name());
            let about = one.get_about().map(ToString::to_string);
            if one.get_name() != "help" {
                found.push((path.clone(), about.unwrap_or_default()));
            }
            abouts(one, &path, found);
        }
    }

    #[test]
    fn arguments_do_not_change_what_a_command_is_about() {
        let mut command = Cli::command();
        let mut told = Vec::new();
        abouts(&command, "", &mut told);
        command.build();
        let mut built = Vec::new();
        abouts(&command, "", &mut built);
        assert!(told.iter().all(|(_, about)| !about.is_empty()), "{told:?}");
        // Commands of commands are there only once those are built.
        built.retain(|one| told.iter().any(|(path, _)| *path == one.0));
        assert_eq!(told, built);
        command.debug_assert();
    }
}
