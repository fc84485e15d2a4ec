//! Options of every command that resolves: what, for what, from where.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;
use pep508_rs::PackageName;

use super::IndexStrategy;

// What is resolved, for what, from where.
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

    /// See only files uploaded before this instant or up to this date (RFC 3339, `2026-11-01`, `30 days`); `off` lifts the lock's
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
