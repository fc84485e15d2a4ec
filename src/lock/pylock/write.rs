//! Writing pylock.toml.
//!
//! Keys stand in the order in which the specification names them; files are inline
//! tables, one to a line.

use std::collections::BTreeMap;

use super::environment;
use super::toml_text::{array, inline_table, json, key, string};
use crate::lock::model::{directory_path, hashes_of, is_path};
use crate::lock::{InstallerOptions, Lock, LockedFile, LockedPackage, Source, TargetRecord, Via};

/// The lock as pylock.toml, with `\n` at the ends of lines.
pub(in crate::lock) fn write(lock: &Lock) -> String {
    let mut text = String::new();
    let mut top = Table::default();
    top.put("lock-version", Some(string("1.0")));
    top.put(
        "environments",
        environment::marker(&lock.target).map(|marker| array([string(&marker)])),
    );
    top.put(
        "requires-python",
        environment::requires_python(&lock.target).map(|specifiers| string(&specifiers)),
    );
    top.put("created-by", Some(string("mlresolve")));
    if lock.packages.is_empty() {
        top.put("packages", Some("[]".to_owned()));
    }
    text.push_str(&top.0);

    let mut packages: Vec<&LockedPackage> = lock.packages.iter().collect();
    packages.sort_by_key(|package| &package.name);
    for package in packages {
        write_package(package, &mut text);
    }
    write_tool(lock, &mut text);
    text
}

/// The lines of one table.
#[derive(Default)]
struct Table(String);

impl Table {
    fn put(&mut self, name: &str, value: Option<String>) {
        if let Some(value) = value {
            self.0.push_str(&key(name));
            self.0.push_str(" = ");
            self.0.push_str(&value);
            self.0.push('\n');
        }
    }

    fn string(&mut self, name: &str, value: Option<&str>) {
        self.put(name, value.map(string));
    }

    fn strings<'a>(&mut self, name: &str, values: impl IntoIterator<Item = &'a str>) {
        let values: Vec<String> = values.into_iter().map(string).collect();
        self.put(name, (!values.is_empty()).then(|| array(values)));
    }

    /// Adds the table under its heading, unless it is empty.
    fn end(self, heading: &str, text: &mut String) {
        if !self.0.is_empty() {
            text.push('\n');
            text.push_str(heading);
            text.push('\n');
            text.push_str(&self.0);
        }
    }
}

fn write_package(package: &LockedPackage, text: &mut String) {
    let mut table = Table::default();
    table.string("name", Some(package.name.as_ref()));
    let version = package.version.as_ref().map(ToString::to_string);
    table.string("version", version.as_deref());
    table.string("marker", package.marker.as_deref());
    table.string("requires-python", package.requires_python.as_deref());
    if !package.dependencies.is_empty() {
        let dependencies = package
            .dependencies
            .iter()
            .map(|name| inline_table([("name", string(name.as_ref()))]));
        table.put("dependencies", Some(array(dependencies)));
    }
    match &package.source {
        Source::Vcs { .. } => table.put("vcs", Some(vcs(&package.source))),
        Source::Directory {
            given,
            editable,
            subdirectory,
        } => {
            let path = directory_path(given);
            let mut pairs = vec![("path", string(path))];
            if *editable {
                pairs.push(("editable", "true".to_owned()));
            }
            pairs.extend(optional("subdirectory", subdirectory.as_deref()));
            table.put("directory", Some(inline_table(pairs)));
        }
        Source::Archive {
            url, subdirectory, ..
        } => {
            let mut pairs = vec![located(url)];
            pairs.extend(package.files.first().into_iter().flat_map(|file| {
                let facts = [size(file), upload_time(file)];
                facts
                    .into_iter()
                    .flatten()
                    .chain([("hashes", hashes(&file.hashes))])
            }));
            pairs.extend(optional("subdirectory", subdirectory.as_deref()));
            table.put("archive", Some(inline_table(pairs)));
        }
        Source::Index(index) => {
            table.string("index", index.as_deref());
            let (wheels, sdists): (Vec<_>, Vec<_>) =
                package.files.iter().partition(|file| is_wheel(file));
            // There is one source distribution to a release (PEP 751, PEP 625); the
            // first by name of those that older releases have.
            table.put("sdist", sdists.first().map(|file| file_table(file)));
            if !wheels.is_empty() {
                table.put(
                    "wheels",
                    Some(array(wheels.iter().map(|file| file_table(file)))),
                );
            }
        }
    }
    table.end("[[packages]]", text);
    write_variants(package, text);
    write_package_tool(package, text);
}

/// What the labels of the listed wheels stand for (PEP 825, draft).
fn write_variants(package: &LockedPackage, text: &mut String) {
    let document = package
        .variant
        .as_ref()
        .and_then(|variant| variant.document.as_deref())
        .and_then(|document| serde_json::to_value(document).ok());
    let Some(serde_json::Value::Object(document)) = document else {
        return;
    };
    let mut table = Table::default();
    for (name, value) in &document {
        table.put(name, json(value));
    }
    table.end("[packages.variants-json]", text);
}

fn write_package_tool(package: &LockedPackage, text: &mut String) {
    let mut table = Table::default();
    table.strings("extras", package.extras.iter().map(AsRef::as_ref));
    let variant = package.variant.as_ref();
    table.string("variant", variant.map(|variant| variant.label.as_str()));
    // The rules among them have a key of their own.
    let via: Vec<String> = package
        .via
        .iter()
        .filter(|via| !matches!(via, Via::Rule(_)))
        .map(ToString::to_string)
        .collect();
    table.strings("via", via.iter().map(String::as_str));
    table.strings("rules", package.rules.iter().map(String::as_str));
    table.strings("left-out", package.left_out.iter().map(String::as_str));
    match &package.source {
        Source::Archive { url, given, .. } => {
            table.string("given", Some(&**given).filter(|given| given != url));
            let filename = package.files.first().map(|file| &*file.filename);
            table.string(
                "filename",
                filename.filter(|name| Some(*name) != url.rsplit('/').next()),
            );
        }
        Source::Directory { given, .. } => {
            let given = Some(&**given).filter(|given| *given != directory_path(given));
            table.string("given", given);
        }
        Source::Vcs { editable: true, .. } => table.put("editable", Some("true".to_owned())),
        Source::Vcs { .. } | Source::Index(_) => {}
    }
    if package.hashes != hashes_of(&package.files) {
        table.put(
            "hashes",
            Some(array(
                package.hashes.iter().map(|hash| string(&hash.to_string())),
            )),
        );
    }
    table.end("[packages.tool.mlresolve]", text);
}

fn write_tool(lock: &Lock, text: &mut String) {
    let provenance = &lock.provenance;
    let mut table = Table::default();
    table.string(
        "version",
        Some(&*provenance.version).filter(|text| !text.is_empty()),
    );
    table.string(
        "command",
        Some(&*provenance.command).filter(|text| !text.is_empty()),
    );
    table.string("exclude-newer", provenance.exclude_newer.as_deref());
    table.strings("indexes", strings(&provenance.indexes));
    table.strings("ignored-rules", strings(&provenance.ignored_rules));
    table.string("base", provenance.base.as_deref());
    table.strings("changed-edges", strings(&provenance.changed_edges));
    table.end("[tool.mlresolve]", text);

    write_target(&lock.target, text);
    write_options(&lock.options, text);

    let mut rules = Table::default();
    for (id, digest) in &provenance.rules {
        rules.string(id, Some(digest));
    }
    rules.end("[tool.mlresolve.rules]", text);
}

fn write_target(target: &TargetRecord, text: &mut String) {
    let mut table = Table::default();
    table.string(
        "python",
        Some(&*target.python).filter(|text| !text.is_empty()),
    );
    table.string(
        "platform",
        Some(&*target.platform).filter(|text| !text.is_empty()),
    );
    for (name, values) in [
        ("markers", &target.detected),
        ("accelerator", &target.accelerator),
    ] {
        let pairs = values
            .iter()
            .map(|(name, value)| (name.as_str(), string(value)));
        table.put(name, (!values.is_empty()).then(|| inline_table(pairs)));
    }
    table.end("[tool.mlresolve.target]", text);
}

fn write_options(options: &InstallerOptions, text: &mut String) {
    let mut table = Table::default();
    table.string("index-url", options.index_url.as_deref());
    table.strings("extra-index-urls", strings(&options.extra_index_urls));
    table.strings("find-links", strings(&options.find_links));
    table.strings("trusted-hosts", strings(&options.trusted_hosts));
    table.strings("no-binary", options.no_binary.iter().map(String::as_str));
    table.strings(
        "only-binary",
        options.only_binary.iter().map(String::as_str),
    );
    table.end("[tool.mlresolve.options]", text);
}

fn strings(values: &[String]) -> impl Iterator<Item = &str> {
    values.iter().map(String::as_str)
}

fn vcs(source: &Source) -> String {
    let Source::Vcs {
        kind,
        url,
        requested_revision,
        commit,
        subdirectory,
        ..
    } = source
    else {
        return "{}".to_owned();
    };
    let mut pairs = vec![("type", string(kind)), located(url)];
    pairs.extend(optional(
        "requested-revision",
        requested_revision.as_deref(),
    ));
    pairs.push(("commit-id", string(commit)));
    pairs.extend(optional("subdirectory", subdirectory.as_deref()));
    inline_table(pairs)
}

fn file_table(file: &LockedFile) -> String {
    let mut pairs = vec![("name", string(&file.filename))];
    pairs.extend(upload_time(file));
    pairs.push(located(&file.location));
    pairs.extend(size(file));
    pairs.push(("hashes", hashes(&file.hashes)));
    inline_table(pairs)
}

fn located(location: &str) -> (&'static str, String) {
    let name = if is_path(location) { "path" } else { "url" };
    (name, string(location))
}

fn optional(name: &'static str, value: Option<&str>) -> Option<(&'static str, String)> {
    value.map(|value| (name, string(value)))
}

/// A TOML integer has 63 bits; a size that does not fit is no file's.
fn size(file: &LockedFile) -> Option<(&'static str, String)> {
    file.size
        .filter(|size| i64::try_from(*size).is_ok())
        .map(|size| ("size", size.to_string()))
}

/// A TOML date-time has a year of four digits; others are no upload's.
fn upload_time(file: &LockedFile) -> Option<(&'static str, String)> {
    file.upload_time
        .map(|time| time.to_string())
        .filter(|text| {
            text.bytes()
                .next()
                .is_some_and(|byte| byte.is_ascii_digit())
        })
        .map(|text| ("upload-time", text))
}

fn hashes(hashes: &BTreeMap<String, String>) -> String {
    inline_table(
        hashes
            .iter()
            .map(|(algorithm, digest)| (algorithm.as_str(), string(digest))),
    )
}

/// Whether a file is listed under `wheels`.
fn is_wheel(file: &LockedFile) -> bool {
    file.filename.strip_suffix(".whl").is_some()
}
