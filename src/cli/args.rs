//! The command line. Option names follow pip-compile and uv.

mod wheels;

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use pep508_rs::PackageName;

use super::compat::CompatArgs;
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

#[derive(Debug, Subcommand)]
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
    #[command(mut_arg("inputs", |input| input
        .value_name("PYTHON")
        .num_args(0..=1)
        .action(clap::ArgAction::Set)
        .help("The interpreter or environment; the one in use where none is named")
        .long_help(None)))]
    Doctor(Box<CheckArgs>),
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

/// What is resolved, for what, from where.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the command line"
)]
#[derive(Debug, Clone, Args, Default)]
pub(crate) struct ResolveArgs {
    /// requirements.in, requirements files, pyproject.toml, setup.cfg; `-` is standard input.
    /// Found by itself where none is named
    #[arg(value_name = "INPUT")]
    pub(crate) inputs: Vec<String>,

    /// Constrain distributions where they are present, as in this requirements file
    #[arg(short, long, value_name = "FILE", help_heading = "Input")]
    pub(crate) constraint: Vec<String>,
    /// Replace every requirement on these distributions, as in this requirements file
    #[arg(
        long = "override",
        alias = "overrides",
        value_name = "FILE",
        help_heading = "Input"
    )]
    pub(crate) overrides: Vec<String>,
    /// Include an optional dependency group of the project (`--extra test`, comma lists too)
    #[arg(
        long,
        value_name = "NAME",
        value_delimiter = ',',
        help_heading = "Input"
    )]
    pub(crate) extra: Vec<String>,
    /// Include all optional dependency groups of the project
    #[arg(long, help_heading = "Input")]
    pub(crate) all_extras: bool,
    /// Include a dependency group (PEP 735)
    #[arg(long, value_name = "NAME", help_heading = "Input")]
    pub(crate) group: Vec<String>,

    /// The Python version to lock for (`3.11`, `3.11.4`, `3.13t`)
    #[arg(long, value_name = "VERSION", help_heading = "Target")]
    pub(crate) python_version: Option<String>,
    /// The platform to lock for (`linux`, `x86_64-manylinux_2_28`, `aarch64-apple-darwin`, `windows`)
    #[arg(long, value_name = "PLATFORM", help_heading = "Target")]
    pub(crate) python_platform: Option<String>,
    /// The CUDA whose builds are taken (`12.4`, `cu124`); `auto` reads this machine, `none` takes
    /// builds for the processor alone
    #[arg(
        long,
        value_name = "VERSION",
        conflicts_with = "torch_backend",
        help_heading = "Target"
    )]
    pub(crate) cuda: Option<String>,
    /// The builds that are taken, by label (`cu124`, `cpu`, `rocm6.3`, `xpu`, `auto`)
    #[arg(long, value_name = "LABEL", help_heading = "Target")]
    pub(crate) torch_backend: Option<String>,
    /// The version of NVIDIA's driver, which bounds what can be taken
    #[arg(long, value_name = "VERSION", help_heading = "Target")]
    pub(crate) driver: Option<String>,
    /// The GPUs that everything must run on, by compute capability (`sm_90`, comma lists too)
    #[arg(
        long,
        value_name = "CAPABILITY",
        value_delimiter = ',',
        help_heading = "Target"
    )]
    pub(crate) gpu: Vec<String>,
    /// Take wheel variants (PEP 825, a draft that pip does not know)
    #[arg(
        long,
        value_name = "BOOL",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        help_heading = "Target"
    )]
    pub(crate) wheel_variants: Option<bool>,
    /// A property of wheel variants that the target supports (`x86_64::level::v3`)
    #[arg(long, value_name = "PROPERTY", help_heading = "Target")]
    pub(crate) variant_property: Vec<String>,
    /// The interpreter to lock for, and to build with
    #[arg(long, value_name = "PATH", help_heading = "Target")]
    pub(crate) python: Option<String>,

    /// What is installed already and stays as it is: a `pip freeze` list, an interpreter or
    /// environment, or a notebook image by name
    #[arg(long, value_name = "FILE|PYTHON|IMAGE", help_heading = "Base")]
    pub(crate) base: Option<String>,
    /// Let a package of the base change (comma lists too)
    #[arg(
        long,
        value_name = "NAME",
        value_delimiter = ',',
        requires = "base",
        help_heading = "Base"
    )]
    pub(crate) allow_change: Vec<String>,
    /// Let packages be replaced that a running kernel has loaded: it will be restarted
    #[arg(long, requires = "base", help_heading = "Base")]
    pub(crate) allow_restart: bool,

    /// Ask another place for the indexes below an address
    /// (`https://download.pytorch.org/whl/=https://index.example/pytorch/`)
    #[arg(long, value_name = "FROM=TO", help_heading = "Index")]
    pub(crate) mirror: Vec<String>,
    /// The index that serves what no extra index has
    #[arg(
        short,
        long,
        alias = "default-index",
        value_name = "URL",
        help_heading = "Index"
    )]
    pub(crate) index_url: Option<String>,
    /// A further index, asked before the default one
    #[arg(long, alias = "index", value_name = "URL", help_heading = "Index")]
    pub(crate) extra_index_url: Vec<String>,
    /// Ask no index, only `--find-links`
    #[arg(long, help_heading = "Index")]
    pub(crate) no_index: bool,
    /// A folder or page of files
    #[arg(short, long, value_name = "PATH|URL", help_heading = "Index")]
    pub(crate) find_links: Vec<String>,
    /// Which index serves a name that several have
    #[arg(long, value_enum, value_name = "STRATEGY", help_heading = "Index")]
    pub(crate) index_strategy: Option<IndexStrategy>,
    /// Where to ask for credentials: `subprocess` runs the `keyring` command
    #[arg(long, value_name = "PROVIDER", help_heading = "Index")]
    pub(crate) keyring_provider: Option<String>,
    /// A bundle of certificates to trust
    #[arg(long, value_name = "FILE", help_heading = "Index")]
    pub(crate) cert: Option<PathBuf>,
    /// A host to which plain http is no cause for a warning; accepted for compatibility
    #[arg(long, value_name = "HOST", help_heading = "Index")]
    pub(crate) trusted_host: Vec<String>,

    /// See only files uploaded before this instant or up to this date (RFC 3339, `2026-11-01`, `30 days`)
    #[arg(
        long,
        alias = "uploaded-prior-to",
        value_name = "DATE",
        help_heading = "Choice"
    )]
    pub(crate) exclude_newer: Option<String>,
    /// Lift the cut-off for an index that gives no upload times (`URL=off`)
    #[arg(long, value_name = "INDEX=off", help_heading = "Choice")]
    pub(crate) exclude_newer_index: Vec<String>,
    /// Let pre-releases be chosen
    #[arg(short, long, help_heading = "Choice")]
    pub(crate) pre: bool,
    /// Use only wheels for these distributions (`:all:`, `:none:`, comma lists)
    #[arg(long, value_name = "NAMES", help_heading = "Choice")]
    pub(crate) only_binary: Vec<String>,
    /// Use no wheels for these distributions (`:all:`, `:none:`, comma lists)
    #[arg(long, value_name = "NAMES", help_heading = "Choice")]
    pub(crate) no_binary: Vec<String>,
    /// Never run a distribution's code to learn its metadata
    #[arg(long, conflicts_with = "build", help_heading = "Choice")]
    pub(crate) no_build: bool,
    /// `:all:` takes source distributions like wheels and builds them where needed, as pip does
    #[arg(long, value_name = ":all:", help_heading = "Choice")]
    pub(crate) build: Option<String>,
    /// Which distribution stands for an import path that several install (`cv2=opencv-python-headless`)
    #[arg(long, value_name = "SLOT=NAME", help_heading = "Choice")]
    pub(crate) provider: Vec<String>,

    /// A folder of further rules, which may tighten
    #[arg(long, value_name = "DIR", help_heading = "Rules")]
    pub(crate) rules: Vec<PathBuf>,
    /// Ignore a rule; the lock records it
    #[arg(long, value_name = "ID", help_heading = "Rules")]
    pub(crate) ignore_rule: Vec<String>,

    /// Take all index facts from this recording; no network
    #[arg(long, value_name = "FILE", help_heading = "Cache")]
    pub(crate) snapshot: Vec<PathBuf>,
    /// Use only what the cache holds; no network
    #[arg(long, help_heading = "Cache")]
    pub(crate) offline: bool,
    /// Ask again for index pages that the cache holds
    #[arg(long, help_heading = "Cache")]
    pub(crate) refresh: bool,
    /// Leave the cache alone
    #[arg(long, help_heading = "Cache")]
    pub(crate) no_cache: bool,
    /// Ask for the metadata of wheels that comes with the program too
    #[arg(long, env = "MLRESOLVE_NO_PACK", help_heading = "Cache")]
    pub(crate) no_pack: bool,
    /// The cache folder
    #[arg(
        long,
        value_name = "DIR",
        env = "MLRESOLVE_CACHE_DIR",
        help_heading = "Cache"
    )]
    pub(crate) cache_dir: Option<PathBuf>,

    /// Say less
    #[arg(short, long, overrides_with = "quiet", help_heading = "Output")]
    pub(crate) quiet: bool,
    /// Say more: each decision, repaired metadata
    #[arg(short, long, action = clap::ArgAction::Count, help_heading = "Output")]
    pub(crate) verbose: u8,
    /// Do not read `[tool.mlresolve]`, mlresolve.toml or pip-tools' settings
    #[arg(long, help_heading = "Input")]
    pub(crate) no_config: bool,

    /// Folders of rules that the settings name: they may only tighten.
    #[arg(skip)]
    pub(crate) rules_in_settings: Vec<PathBuf>,
    /// The index that pip's own settings name, which is weaker than what a file says.
    #[arg(skip)]
    pub(crate) pip_index_url: Option<String>,
    /// The one index that a distribution comes from, by the settings: a URL, or a name.
    #[arg(skip)]
    pub(crate) sources: BTreeMap<PackageName, String>,
    /// The names of indexes with their URLs, by the settings.
    #[arg(skip)]
    pub(crate) named_indexes: Vec<(String, String)>,
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
