//! What a project sets once and for all: mlresolve.toml, or `[tool.mlresolve]` of
//! pyproject.toml. The keys have the names of the options of `mlresolve lock`.

use std::collections::BTreeMap;
use std::sync::Arc;

use pep508_rs::{ExtraName, PackageName};

use super::paths::FilePath;
use super::settings_keys::Keys;
use super::text::SourceText;
use super::{Place, RequestError, Sources, toml_text};

/// A setting's value with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located<T> {
    /// The value.
    pub value: T,
    /// Where it stands.
    pub place: Place,
}

/// Everything that can be set. What is absent is not set. Paths are as they follow from
/// the settings file's folder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// The file that was read, as the user would name it.
    pub file: Arc<str>,
    /// The target.
    pub target: TargetSettings,
    /// `exclude-newer`: a date or an instant.
    pub exclude_newer: Option<Located<String>>,
    /// `exclude-newer-index`: `URL=off`.
    pub exclude_newer_index: Vec<Located<String>>,
    /// `index-url`
    pub index_url: Option<Located<String>>,
    /// `extra-index-url`
    pub extra_index_url: Vec<Located<String>>,
    /// `index-strategy`
    pub index_strategy: Option<Located<IndexStrategy>>,
    /// `mirror`: `FROM=TO`, what is asked in place of the indexes below an address.
    pub mirror: Vec<Located<String>>,
    /// `find-links`: URLs and paths.
    pub find_links: Vec<Located<String>>,
    /// `no-index`
    pub no_index: Option<Located<bool>>,
    /// `pre`
    pub pre: Option<Located<bool>>,
    /// `no-binary`: names, `:all:` and `:none:`.
    pub no_binary: Vec<Located<String>>,
    /// `only-binary`: names, `:all:` and `:none:`.
    pub only_binary: Vec<Located<String>>,
    /// `no-build`
    pub no_build: Option<Located<bool>>,
    /// `build`: names, `:all:` and `:none:`.
    pub build: Vec<Located<String>>,
    /// `constraint`: paths and URLs.
    pub constraint: Vec<Located<String>>,
    /// `override`: paths and URLs.
    pub overrides: Vec<Located<String>>,
    /// `base`: the file of what is already installed.
    pub base: Option<Located<String>>,
    /// `provider`: the distribution that stands for a slot.
    pub provider: BTreeMap<String, Located<PackageName>>,
    /// `rules`: folders of further rules.
    pub rules: Vec<Located<String>>,
    /// `extra`
    pub extra: Vec<Located<ExtraName>>,
    /// `all-extras`
    pub all_extras: Option<Located<bool>>,
    /// `group`
    pub group: Vec<Located<String>>,
    /// `no-hashes`
    pub no_hashes: Option<Located<bool>>,
    /// `no-annotate`
    pub no_annotate: Option<Located<bool>>,
    /// `annotation-style`
    pub annotation_style: Option<Located<AnnotationStyle>>,
    /// `no-header`
    pub no_header: Option<Located<bool>>,
    /// `cache-dir`
    pub cache_dir: Option<Located<String>>,
    /// `wheel-variants`: whether wheel variants are taken (PEP 825, draft).
    pub wheel_variants: Option<Located<bool>>,
    /// `snapshot`
    pub snapshot: Option<Located<String>>,
    /// `index`: indexes with names, in order.
    pub index: Vec<IndexSettings>,
    /// `sources`: the index from which a distribution comes and no other, by its URL or name.
    pub sources: BTreeMap<PackageName, Located<String>>,
    /// `targets`: targets by name.
    pub targets: BTreeMap<String, TargetSettings>,
    /// `outputs`: locks by path, for a run without arguments.
    pub outputs: BTreeMap<String, OutputSettings>,
}

/// What describes a target.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TargetSettings {
    /// `python-version`
    pub python_version: Option<Located<String>>,
    /// `python-platform`
    pub python_platform: Option<Located<String>>,
    /// `cuda`: a version, `auto` or `none`.
    pub cuda: Option<Located<String>>,
    /// `torch-backend`, as uv spells it.
    pub torch_backend: Option<Located<String>>,
    /// `driver`: a version.
    pub driver: Option<Located<String>>,
    /// `gpu`: compute capabilities.
    pub gpu: Vec<Located<String>>,
    /// `variant-property`: properties of wheel variants that it supports, the best first.
    pub variant_property: Vec<Located<String>>,
}

/// One index with a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexSettings {
    /// `name`: how `sources` and the environment's credentials call it.
    pub name: Located<String>,
    /// `url`
    pub url: Located<String>,
    /// `explicit`: it serves what `sources` takes from it, and nothing else.
    pub explicit: bool,
}

/// One lock of the project's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OutputSettings {
    /// `inputs`: paths.
    pub inputs: Vec<Located<String>>,
    /// `constraint`: paths and URLs.
    pub constraint: Vec<Located<String>>,
    /// `extra`
    pub extra: Vec<Located<ExtraName>>,
    /// `all-extras`
    pub all_extras: Option<Located<bool>>,
    /// `group`
    pub group: Vec<Located<String>>,
    /// `target`: the name of one of `targets`.
    pub target: Option<Located<String>>,
}

/// From which index a distribution comes where several have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum IndexStrategy {
    /// From the first that has it.
    #[default]
    FirstIndex,
    /// The best version of all, pip's way.
    UnsafeBestMatch,
}

/// How a requirements.txt says who asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AnnotationStyle {
    /// A line for each.
    #[default]
    Split,
    /// All on the requirement's line.
    Line,
}

impl Settings {
    /// Reads the settings that hold in a folder: those of its mlresolve.toml, else
    /// those of its pyproject.toml, else none.
    pub fn find(folder: &str, sources: &dyn Sources) -> Result<Option<Self>, RequestError> {
        for name in ["mlresolve.toml", "pyproject.toml"] {
            let path = if matches!(folder, "" | ".") {
                name.to_owned()
            } else {
                super::direct::join(folder, Some(name))
            };
            if sources.is_file(&path)
                && let Some(settings) = Self::read(&path, sources)?
            {
                return Ok(Some(settings));
            }
        }
        Ok(None)
    }

    /// Reads a settings file; a pyproject.toml without `[tool.mlresolve]` has none.
    pub fn read(path: &str, sources: &dyn Sources) -> Result<Option<Self>, RequestError> {
        let path = FilePath::named(path);
        let bytes = sources
            .read(&path.readable())
            .map_err(|error| RequestError::Unreadable {
                file: path.shown.clone(),
                error,
                by: None,
            })?;
        let file: Arc<str> = path.shown.as_str().into();
        let source = SourceText::decode_utf8(&file, &bytes)?;
        let document = toml_text::parse(&source)?;
        let table = if path.name() == "pyproject.toml" {
            let tool = document.get_ref().get("tool");
            let tool = tool
                .map(|tool| toml_text::table(&source, tool, "tool"))
                .transpose()?;
            let Some(own) = tool.and_then(|tool| tool.get("mlresolve")) else {
                return Ok(None);
            };
            toml_text::table(&source, own, "tool.mlresolve")?
        } else {
            document.get_ref()
        };
        let settings = settings(Keys::new(&source, &path, table, String::new()))?;
        Ok(Some(Self { file, ..settings }))
    }
}

fn settings(mut keys: Keys<'_, '_>) -> Result<Settings, RequestError> {
    let settings = Settings {
        file: Arc::from(""),
        target: target(&mut keys)?,
        exclude_newer: keys.date("exclude-newer")?,
        exclude_newer_index: keys.texts("exclude-newer-index")?,
        index_url: keys.text("index-url")?,
        extra_index_url: keys.texts("extra-index-url")?,
        index_strategy: keys.choice(
            "index-strategy",
            &[
                ("first-index", IndexStrategy::FirstIndex),
                ("unsafe-best-match", IndexStrategy::UnsafeBestMatch),
            ],
        )?,
        mirror: keys.texts("mirror")?,
        find_links: keys.paths("find-links")?,
        no_index: keys.switch("no-index")?,
        pre: keys.switch("pre")?,
        no_binary: keys.formats("no-binary")?,
        only_binary: keys.formats("only-binary")?,
        no_build: keys.switch("no-build")?,
        build: keys.formats("build")?,
        constraint: keys.paths("constraint")?,
        overrides: keys.paths("override")?,
        base: keys.path("base")?,
        provider: keys.names("provider")?,
        rules: keys.paths("rules")?,
        extra: keys.extras("extra")?,
        all_extras: keys.switch("all-extras")?,
        group: keys.texts("group")?,
        no_hashes: keys.switch("no-hashes")?,
        no_annotate: keys.switch("no-annotate")?,
        annotation_style: keys.choice(
            "annotation-style",
            &[
                ("split", AnnotationStyle::Split),
                ("line", AnnotationStyle::Line),
            ],
        )?,
        no_header: keys.switch("no-header")?,
        cache_dir: keys.path("cache-dir")?,
        snapshot: keys.path("snapshot")?,
        wheel_variants: keys.switch("wheel-variants")?,
        index: keys.array("index", index)?,
        sources: keys.sources("sources")?,
        targets: keys.tables("targets", |mut keys| {
            let found = target(&mut keys)?;
            keys.finish()?;
            Ok(found)
        })?,
        outputs: keys.tables("outputs", output)?,
    };
    keys.finish()?;
    keys.check_indexes(&settings.index, settings.sources.values())?;
    for target in settings
        .outputs
        .values()
        .filter_map(|output| output.target.as_ref())
    {
        keys.check_known("target", target, settings.targets.keys())?;
    }
    Ok(settings)
}

fn target(keys: &mut Keys<'_, '_>) -> Result<TargetSettings, RequestError> {
    Ok(TargetSettings {
        python_version: keys.text("python-version")?,
        python_platform: keys.text("python-platform")?,
        cuda: keys.text("cuda")?,
        torch_backend: keys.text("torch-backend")?,
        driver: keys.text("driver")?,
        gpu: keys.texts("gpu")?,
        variant_property: keys.texts("variant-property")?,
    })
}

fn index(mut keys: Keys<'_, '_>) -> Result<IndexSettings, RequestError> {
    let found = IndexSettings {
        name: keys.required("name", "a name in quotes")?,
        url: keys.required("url", "a URL in quotes")?,
        explicit: keys.switch("explicit")?.is_some_and(|on| on.value),
    };
    keys.finish()?;
    Ok(found)
}

fn output(mut keys: Keys<'_, '_>) -> Result<OutputSettings, RequestError> {
    let found = OutputSettings {
        inputs: keys.paths("inputs")?,
        constraint: keys.paths("constraint")?,
        extra: keys.extras("extra")?,
        all_extras: keys.switch("all-extras")?,
        group: keys.texts("group")?,
        target: keys.text("target")?,
    };
    keys.finish()?;
    Ok(found)
}
