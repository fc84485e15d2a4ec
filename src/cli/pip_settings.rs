//! pip's own settings: `PIP_*` variables and pip.conf, which say where files come from for
//! pip-compile too. What the command line, the project's settings and its files say comes
//! first; among pip's settings a variable comes before a file, and `[install]` before
//! `[global]`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::args::ResolveArgs;
use super::say;

/// What is read of the machine.
struct Machine<'a> {
    variable: &'a dyn Fn(&str) -> Option<String>,
    read: &'a dyn Fn(&Path) -> Option<String>,
}

/// pip's settings by their long option's name, without the dashes.
#[derive(Debug, Default, PartialEq, Eq)]
struct PipSettings {
    values: BTreeMap<String, Setting>,
}

/// A value, and what said it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Setting {
    value: String,
    from: String,
}

/// The options that are read.
const NAMES: [&str; 14] = [
    "cert",
    "client-cert",
    "constraint",
    "extra-index-url",
    "find-links",
    "index-url",
    "keyring-provider",
    "no-binary",
    "no-index",
    "only-binary",
    "pre",
    "proxy",
    "trusted-host",
    "uploaded-prior-to",
];

/// The arguments, with what pip's settings say where nothing else does.
pub(crate) fn with(args: &ResolveArgs) -> ResolveArgs {
    let mut args = args.clone();
    let notes = fill(&mut args, &this_machine());
    if !args.quiet {
        for note in notes {
            say(&note);
        }
    }
    args
}

/// The cut-off that pip's settings name.
pub(crate) fn cut_off() -> Option<String> {
    let mut args = ResolveArgs::default();
    fill(&mut args, &this_machine());
    args.exclude_newer
}

fn this_machine() -> Machine<'static> {
    Machine {
        variable: &|name| std::env::var(name).ok().filter(|value| !value.is_empty()),
        read: &|path| std::fs::read_to_string(path).ok(),
    }
}

/// Fills the arguments; gives what there is to say.
fn fill(args: &mut ResolveArgs, machine: &Machine<'_>) -> Vec<String> {
    let settings = settings(machine);
    let mut notes = uv_disagrees(args, &settings, machine);
    let list = |name: &str| -> Vec<String> {
        settings.get(name).map_or_else(Vec::new, |setting| {
            let words = setting.value.split_whitespace();
            words.map(|word| at_home(word, machine)).collect()
        })
    };
    args.pip_index_url = settings
        .get("index-url")
        .map(|setting| setting.value.clone());
    // As pip's: what is set and what is given are joined.
    let join = |values: &mut Vec<String>, name: &str| {
        for value in list(name) {
            if !values.contains(&value) {
                values.push(value);
            }
        }
    };
    join(&mut args.extra_index_url, "extra-index-url");
    join(&mut args.find_links, "find-links");
    join(&mut args.trusted_host, "trusted-host");
    for (values, name) in [
        (&mut args.no_binary, "no-binary"),
        (&mut args.only_binary, "only-binary"),
    ] {
        // What is given comes after what is set, and so holds.
        values.splice(0..0, list(name));
    }
    let on = |name: &str| {
        settings
            .get(name)
            .is_some_and(|setting| truth(&setting.value))
    };
    args.no_index |= on("no-index");
    args.pre |= on("pre");
    if let Some(setting) = settings.get("constraint") {
        join(&mut args.constraint, "constraint");
        notes.push(format!(
            "note: {} constrains this lock, as it does what pip installs",
            setting.from
        ));
    }
    if args.exclude_newer.is_none() {
        args.exclude_newer = settings
            .get("uploaded-prior-to")
            .map(|setting| setting.value.clone());
    }
    if args.keyring_provider.is_none() {
        args.keyring_provider = settings
            .get("keyring-provider")
            .filter(|setting| setting.value == "subprocess")
            .map(|setting| setting.value.clone());
    }
    fill_connection(args, &settings, machine, &mut notes);
    notes
}

/// Fills what concerns connections alone.
fn fill_connection(
    args: &mut ResolveArgs,
    settings: &PipSettings,
    machine: &Machine<'_>,
    notes: &mut Vec<String>,
) {
    // Variables that name a bundle are read where connections are made.
    let named = [
        "SSL_CERT_FILE",
        "REQUESTS_CA_BUNDLE",
        "CURL_CA_BUNDLE",
        "PIP_CERT",
    ];
    let is_named = named.iter().any(|name| (machine.variable)(name).is_some());
    if args.cert.is_none() && !is_named {
        args.cert = settings
            .get("cert")
            .map(|setting| at_home(&setting.value, machine).into());
    }
    for (name, instead) in [
        ("client-cert", "client certificates are not supported"),
        ("proxy", "set HTTPS_PROXY and HTTP_PROXY"),
    ] {
        if let Some(setting) = settings.get(name) {
            notes.push(format!(
                "warning: {} is not read\nhint: {instead}",
                setting.from
            ));
        }
    }
}

impl PipSettings {
    fn get(&self, name: &str) -> Option<&Setting> {
        self.values.get(name)
    }

    /// Takes the settings of one file; its `[install]` comes before its `[global]`.
    fn take_file(
        &mut self,
        sections: &BTreeMap<(String, String), String>,
        section: &str,
        path: &Path,
    ) {
        for name in NAMES {
            let key = (section.to_owned(), name.to_owned());
            if let Some(value) = sections.get(&key).filter(|value| !value.is_empty()) {
                let from = format!("`{name}` of `{}`", path.display());
                let value = value.clone();
                self.values.insert(name.to_owned(), Setting { value, from });
            }
        }
    }
}

fn settings(machine: &Machine<'_>) -> PipSettings {
    let mut settings = PipSettings::default();
    let files: Vec<_> = files(machine)
        .into_iter()
        .filter_map(|path| Some((sections(&(machine.read)(&path)?), path)))
        .collect();
    // pip goes by sections first, then by files.
    for section in ["global", "install"] {
        for (sections, path) in &files {
            settings.take_file(sections, section, path);
        }
    }
    for name in NAMES {
        let variable = format!("PIP_{}", name.replace('-', "_").to_uppercase());
        if let Some(value) = (machine.variable)(&variable) {
            let from = format!("`{variable}`");
            settings
                .values
                .insert(name.to_owned(), Setting { value, from });
        }
    }
    settings
}

/// The places of pip.conf, the weakest first (pip's user guide, "Configuration").
fn files(machine: &Machine<'_>) -> Vec<PathBuf> {
    let variable = |name: &str| (machine.variable)(name).map(PathBuf::from);
    let named = variable("PIP_CONFIG_FILE");
    let null = if cfg!(windows) { "nul" } else { "/dev/null" };
    if named.as_deref() == Some(Path::new(null)) {
        return Vec::new();
    }
    let mut files = Vec::new();
    let home = variable("HOME").or_else(|| variable("USERPROFILE"));
    let base = if cfg!(windows) { "pip.ini" } else { "pip.conf" };
    if cfg!(windows) {
        files.extend(variable("ProgramData").map(|folder| folder.join("pip").join(base)));
        files.extend(home.map(|home| home.join("pip").join(base)));
        files.extend(variable("APPDATA").map(|folder| folder.join("pip").join(base)));
    } else {
        if cfg!(target_os = "macos") {
            files.push(Path::new("/Library/Application Support/pip").join(base));
        } else {
            let folders = (machine.variable)("XDG_CONFIG_DIRS").unwrap_or("/etc/xdg".to_owned());
            for folder in folders.split(':').filter(|folder| !folder.is_empty()) {
                files.push(Path::new(folder).join("pip").join(base));
            }
            files.push(Path::new("/etc").join(base));
        }
        if let Some(home) = home {
            files.push(home.join(".pip").join(base));
            let config = variable("XDG_CONFIG_HOME").unwrap_or_else(|| home.join(".config"));
            files.push(config.join("pip").join(base));
            if cfg!(target_os = "macos") {
                let folder = home.join("Library/Application Support/pip");
                files.push(folder.join(base));
            }
        }
    }
    files.extend(variable("VIRTUAL_ENV").map(|folder| folder.join(base)));
    files.extend(named);
    files
}

/// The values of an INI file by section and key, as Python's `configparser` reads them:
/// deeper indented lines continue a value, `#` and `;` begin comment lines.
fn sections(text: &str) -> BTreeMap<(String, String), String> {
    let mut found: BTreeMap<(String, String), String> = BTreeMap::new();
    let mut section = String::new();
    let mut key: Option<(String, String)> = None;
    for line in text.lines() {
        let words = line.trim();
        if words.is_empty() || words.starts_with(['#', ';']) {
            continue;
        }
        let indented = line.starts_with([' ', '\t']);
        if let (true, Some(key)) = (indented, &key) {
            let value = found.entry(key.clone()).or_default();
            value.push('\n');
            value.push_str(words);
        } else if let Some(name) = words
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
        {
            name.clone_into(&mut section);
            key = None;
        } else if let Some((name, value)) = words.split_once(['=', ':']) {
            let name = name.trim().to_lowercase().replace('_', "-");
            let name = name.trim_start_matches('-').to_owned();
            let full = (section.clone(), name);
            found.insert(full.clone(), value.trim().to_owned());
            key = Some(full);
        }
    }
    for value in found.values_mut() {
        *value = value.trim().to_owned();
    }
    found
}

/// `~/` at the front stands for the home folder.
fn at_home(word: &str, machine: &Machine<'_>) -> String {
    match (word.strip_prefix("~/"), (machine.variable)("HOME")) {
        (Some(rest), Some(home)) => format!("{}/{rest}", home.trim_end_matches('/')),
        _ => word.to_owned(),
    }
}

/// pip's words for what is on.
fn truth(value: &str) -> bool {
    ["y", "yes", "t", "true", "on", "1"].contains(&value.to_lowercase().as_str())
}

/// Says where uv's variables name other indexes than those that are asked.
fn uv_disagrees(args: &ResolveArgs, settings: &PipSettings, machine: &Machine<'_>) -> Vec<String> {
    let same = |a: &str, b: &str| a.trim_end_matches('/') == b.trim_end_matches('/');
    let mut notes = Vec::new();
    let default = ["UV_DEFAULT_INDEX", "UV_INDEX_URL"]
        .into_iter()
        .find_map(|name| Some((name, (machine.variable)(name)?)));
    if let Some((name, url)) = default
        && args.index_url.is_none()
    {
        // `name=https://…` names the index.
        let url = named_index(&url);
        match settings.get("index-url") {
            Some(setting) if same(url, &setting.value) => {}
            Some(setting) => notes.push(format!(
                "warning: {} and `{name}` name different indexes; the first is asked\n\
                 hint: say which with `--index-url`",
                setting.from
            )),
            None => notes.push(format!(
                "warning: `{name}` is uv's and is not read\n\
                 hint: set `PIP_INDEX_URL`, or name the index with `--index-url`"
            )),
        }
    }
    for name in ["UV_INDEX", "UV_EXTRA_INDEX_URL"] {
        let Some(urls) = (machine.variable)(name) else {
            continue;
        };
        let ours: Vec<&str> = settings
            .get("extra-index-url")
            .into_iter()
            .flat_map(|setting| setting.value.split_whitespace())
            .chain(args.extra_index_url.iter().map(String::as_str))
            .collect();
        let asked = |url: &str| ours.iter().any(|other| same(named_index(url), other));
        if !urls.split_whitespace().all(asked) {
            notes.push(format!(
                "warning: `{name}` is uv's and names an index that is not asked\n\
                 hint: set `PIP_EXTRA_INDEX_URL`, or name the index with `--extra-index-url`"
            ));
        }
    }
    notes
}

fn named_index(text: &str) -> &str {
    match text.split_once('=') {
        Some((name, url)) if !name.contains(['/', ':']) => url,
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fills from variables and files; gives the arguments and what is said.
    fn filled(
        given: ResolveArgs,
        variables: &[(&str, &str)],
        files: &[(&str, &str)],
    ) -> (ResolveArgs, Vec<String>) {
        let find = |pairs: &[(&str, &str)], wanted: &str| {
            pairs
                .iter()
                .find(|(name, _)| *name == wanted)
                .map(|(_, value)| (*value).to_owned())
        };
        let machine = Machine {
            variable: &|name| find(variables, name),
            read: &|path| find(files, &path.to_string_lossy()),
        };
        let mut args = given;
        let notes = fill(&mut args, &machine);
        (args, notes)
    }

    #[test]
    fn variables_come_before_files_and_lists_join_what_is_given() {
        let given = ResolveArgs {
            extra_index_url: vec!["https://a.example/".to_owned()],
            only_binary: vec!["six".to_owned()],
            ..ResolveArgs::default()
        };
        let (args, notes) = filled(
            given,
            &[
                ("PIP_CONFIG_FILE", "/c/pip.conf"),
                ("PIP_INDEX_URL", "https://v.example/"),
                (
                    "PIP_EXTRA_INDEX_URL",
                    "https://b.example/ https://a.example/",
                ),
                ("PIP_NO_INDEX", "0"),
                ("PIP_PRE", "Yes"),
                ("HOME", "/home/x/"),
            ],
            &[(
                "/c/pip.conf",
                "[global]\nindex-url = https://g.example/\nfind_links =\n    ~/wheels\n    \
                 https://f.example/\nonly-binary = :all:\n# no\n[install]\ntrusted-host: t.example\n",
            )],
        );
        assert_eq!(notes, [""; 0]);
        assert_eq!(args.pip_index_url.as_deref(), Some("https://v.example/"));
        assert_eq!(
            args.extra_index_url,
            ["https://a.example/", "https://b.example/"]
        );
        assert_eq!(args.find_links, ["/home/x/wheels", "https://f.example/"]);
        assert_eq!(args.trusted_host, ["t.example"]);
        assert_eq!(args.only_binary, [":all:", "six"]);
        assert!(args.pre && !args.no_index);
    }

    #[cfg(not(windows))]
    #[test]
    fn install_comes_before_global_whichever_the_file() {
        let files = [
            (
                "/home/x/.pip/pip.conf",
                "[install]\nindex-url=https://i.example/",
            ),
            ("/v/pip.conf", "[global]\nindex-url=https://g.example/"),
        ];
        let variables = [("HOME", "/home/x"), ("VIRTUAL_ENV", "/v")];
        let index = |variables: &[(&str, &str)]| {
            filled(ResolveArgs::default(), variables, &files)
                .0
                .pip_index_url
        };
        assert_eq!(index(&variables).as_deref(), Some("https://i.example/"));
        assert_eq!(
            index(&variables[1..]).as_deref(),
            Some("https://g.example/")
        );
        let mut none = variables.to_vec();
        none.push(("PIP_CONFIG_FILE", "/dev/null"));
        assert_eq!(index(&none), None);
    }

    #[test]
    fn uvs_variables_are_told_where_they_disagree() {
        let said = |variables: &[(&str, &str)]| filled(ResolveArgs::default(), variables, &[]).1;
        let pip = ("PIP_INDEX_URL", "https://v.example/simple");
        assert_eq!(
            said(&[pip, ("UV_INDEX_URL", "https://v.example/simple/")]),
            [""; 0]
        );
        let notes = said(&[pip, ("UV_DEFAULT_INDEX", "https://user:secret@w.example/")]);
        assert!(notes[0].contains("different indexes"), "{notes:?}");
        assert!(!notes[0].contains("secret"), "{notes:?}");
        assert!(said(&[("UV_INDEX_URL", "https://w.example/")])[0].contains("not read"));
        assert!(said(&[("UV_INDEX", "x=https://w.example/")])[0].contains("not asked"));
    }

    #[test]
    fn what_cannot_be_done_is_said() {
        let (args, notes) = filled(
            ResolveArgs::default(),
            &[
                ("PIP_PROXY", "http://p.example"),
                ("PIP_CONSTRAINT", "a.txt b.txt"),
            ],
            &[],
        );
        assert_eq!(args.constraint, ["a.txt", "b.txt"]);
        assert!(notes.iter().any(|note| note.contains("`PIP_CONSTRAINT`")));
        assert!(notes.iter().any(|note| note.contains("HTTPS_PROXY")));
    }
}
