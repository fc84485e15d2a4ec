//! Arguments of the commands that look into wheels.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{Format, ResolveArgs};

// Which wheels suit, and where they are found.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the command line"
)]
#[derive(Debug, Clone, Args, Default)]
pub(crate) struct WheelArgs {
    /// The Python version whose wheels are taken (`3.11`)
    #[arg(long, value_name = "VERSION", help_heading = "Target")]
    pub(crate) python_version: Option<String>,
    /// The platform whose wheels are taken (`linux`, `macos`, `windows`)
    #[arg(long, value_name = "PLATFORM", help_heading = "Target")]
    pub(crate) python_platform: Option<String>,
    /// The interpreter whose wheels are taken
    #[arg(long, value_name = "PATH", help_heading = "Target")]
    pub(crate) python: Option<String>,

    /// Ask another place for the indexes below an address
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
    /// Where to ask for credentials: `subprocess` runs the `keyring` command
    #[arg(long, value_name = "PROVIDER", help_heading = "Index")]
    pub(crate) keyring_provider: Option<String>,
    /// A bundle of certificates to trust
    #[arg(long, value_name = "FILE", help_heading = "Index")]
    pub(crate) cert: Option<PathBuf>,

    /// Use only what the cache holds; no network
    #[arg(long, help_heading = "Cache")]
    pub(crate) offline: bool,
    /// Ask again for index pages that the cache holds
    #[arg(long, help_heading = "Cache")]
    pub(crate) refresh: bool,
    /// Leave the cache alone
    #[arg(long, help_heading = "Cache")]
    pub(crate) no_cache: bool,
    /// The cache folder
    #[arg(
        long,
        value_name = "DIR",
        env = "MLRESOLVE_CACHE_DIR",
        help_heading = "Cache"
    )]
    pub(crate) cache_dir: Option<PathBuf>,

    /// Say more: the bytes that were moved
    #[arg(short, long, action = clap::ArgAction::Count, help_heading = "Output")]
    pub(crate) verbose: u8,
    /// Do not read `[tool.mlresolve]` or mlresolve.toml
    #[arg(long, help_heading = "Input")]
    pub(crate) no_config: bool,
}

impl WheelArgs {
    /// The same words, where those of a resolution are expected.
    pub(crate) fn resolve(&self) -> ResolveArgs {
        ResolveArgs {
            python_version: self.python_version.clone(),
            python_platform: self.python_platform.clone(),
            python: self.python.clone(),
            mirror: self.mirror.clone(),
            index_url: self.index_url.clone(),
            extra_index_url: self.extra_index_url.clone(),
            no_index: self.no_index,
            find_links: self.find_links.clone(),
            keyring_provider: self.keyring_provider.clone(),
            cert: self.cert.clone(),
            offline: self.offline,
            refresh: self.refresh,
            no_cache: self.no_cache,
            cache_dir: self.cache_dir.clone(),
            no_config: self.no_config,
            ..ResolveArgs::default()
        }
    }
}

/// What a scan finds out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Only {
    /// Which NumPy C-ABI the binaries were built for
    Numpy,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct ScanArgs {
    /// A wheel, its URL, `NAME==VERSION`, or the folder of an environment
    #[arg(required = true, value_name = "WHEEL|URL|NAME==VERSION|FOLDER")]
    pub(crate) what: Vec<String>,
    /// Find out this alone, which moves far fewer bytes
    #[arg(long, value_enum)]
    pub(crate) only: Option<Only>,
    /// Tell which files two or more wheels install at the same paths, instead of what they were
    /// built for
    #[arg(long, conflicts_with_all = ["only", "all_platforms"])]
    pub(crate) overlap: bool,
    /// Of a release, take the wheels for Linux, macOS and Windows, not the one that suits here
    #[arg(long, conflicts_with = "python_platform", help_heading = "Target")]
    pub(crate) all_platforms: bool,
    /// How to print it; `json` is one object a line
    #[arg(long, value_enum, default_value_t, help_heading = "Output")]
    pub(crate) format: Format,
    #[command(flatten)]
    pub(crate) wheels: WheelArgs,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct VerifyArgs {
    /// The rules; all where none is named
    pub(crate) ids: Vec<String>,
    /// Record the evidence in the files of `--rules`
    #[arg(long, requires = "rules")]
    pub(crate) write: bool,
    /// The folder of the rules; the embedded ones where none is named
    #[arg(long, value_name = "DIR")]
    pub(crate) rules: Option<PathBuf>,
    /// How many rules are looked at at once
    #[arg(long, value_name = "COUNT", default_value_t = 4)]
    pub(crate) jobs: usize,
    /// How to print it; `json` is one object a line
    #[arg(long, value_enum, default_value_t, help_heading = "Output")]
    pub(crate) format: Format,
    #[command(flatten)]
    pub(crate) wheels: WheelArgs,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct RecordCasesArgs {
    /// The folder of the rules
    #[arg(long, value_name = "DIR")]
    pub(crate) rules: PathBuf,
    /// The file that is written
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,
    #[command(flatten)]
    pub(crate) wheels: WheelArgs,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct DeriveArgs {
    /// The distribution
    pub(crate) name: String,
    /// Look for bounds that later releases declare and earlier ones forgot, instead of at
    /// binaries
    #[arg(long)]
    pub(crate) inherited: bool,
    /// How to print it; `json` is one object a line
    #[arg(long, value_enum, default_value_t, help_heading = "Output")]
    pub(crate) format: Format,
    #[command(flatten)]
    pub(crate) wheels: WheelArgs,
}
