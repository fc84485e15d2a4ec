//! Collects `resolver-rules/<package>/<rule>.toml` and `base-images/<image>.txt` into what
//! the program embeds.
#![expect(
    clippy::disallowed_methods,
    reason = "a build script reads the rules from the disk"
)]

#[path = "src/rules/layout.rs"]
mod layout;

use std::fmt::Write as _;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::Path;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    // A folder is watched with everything below it.
    println!("cargo:rerun-if-changed=resolver-rules");
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=src/rules/layout.rs");

    let mut ids = Vec::new();
    let root = Path::new("resolver-rules");
    if root.is_dir() {
        for package in fs::read_dir(root)? {
            let package = package?.path();
            if package.is_dir() {
                for rule in fs::read_dir(&package)? {
                    ids.extend(rule_id(root, &rule?.path()));
                }
            }
        }
    }
    // The order of a folder's entries differs between file systems.
    ids.sort();

    let (mut index, mut texts) = (String::new(), String::new());
    let mut terms = String::new();
    for id in ids {
        let text = fs::read_to_string(root.join(format!("{id}.toml")))?;
        let Some(line) = index_line(&id, &text) else {
            return Err(io::Error::other(format!(
                "`resolver-rules/{id}.toml`: what it speaks of is not found; write `kind = \"…\"` \
                 and its names as the other rules do"
            )));
        };
        let said = layout::terms_of(&text).map_err(|(line, detail)| {
            io::Error::other(format!("`resolver-rules/{id}.toml`, line {line}: {detail}"))
        })?;
        let _ = writeln!(index, "{line}\t{}\t{}", said.len(), text.len());
        terms.push_str(&said);
        texts.push_str(&text);
    }

    // Tells programs with other rules or another pack apart, where their files' times do not.
    let mut data = DefaultHasher::new();
    println!("cargo:rerun-if-changed=metadata-pack/wheels.pack");
    (&index, &texts, fs::read("metadata-pack/wheels.pack").ok()).hash(&mut data);
    println!("cargo:rustc-env=MLRESOLVE_DATA={:016x}", data.finish());

    let out = env::var_os("OUT_DIR").ok_or(io::ErrorKind::NotFound)?;
    let out = Path::new(&out);
    fs::write(out.join("embedded_rules.index"), index)?;
    fs::write(out.join("embedded_rules.terms"), terms)?;
    fs::write(out.join("embedded_rules.texts"), texts)?;
    fs::write(out.join("embedded_images.rs"), images()?)
}

/// What a start has to know of a rule, as `src/rules/embedded.rs` reads it: the id, the kind,
/// what triggers it, what it limits, and what is built against it.
/// Text, not a table of strings: each string would be an address to set at every start.
fn index_line(id: &str, text: &str) -> Option<String> {
    let (kind, triggers, limits) = head(text)?;
    Some(format!(
        "{id}\t{kind}\t{}\t{}\t{}",
        triggers.join(","),
        limits.unwrap_or_default(),
        extended_by(text)?.join(","),
    ))
}

/// What a rule speaks of: its kind, what triggers it, and what it limits. `None` where the file
/// does not write that in the usual way.
fn head(text: &str) -> Option<(&str, Vec<&str>, Option<&str>)> {
    let value = |key: &str| {
        let start = format!("{key} = ");
        text.lines().find_map(|line| line.strip_prefix(&start))
    };
    let kind = quoted(value("kind")?)?;
    let package = |key: &str| {
        if let Some(inline) = value(key) {
            let (before, after) = inline.strip_prefix('{')?.split_once("package = ")?;
            return before.trim().is_empty().then(|| quoted(after))?;
        }
        let (_, table) = text.split_once(&format!("\n[{key}]\npackage = "))?;
        quoted(table)
    };
    Some(match kind {
        "slot" | "family" => {
            let (_, list) = text.split_once("\nmembers = [")?;
            let (list, _) = list.split_once(']')?;
            let members = list.split(',').map(str::trim);
            let members = members.filter(|member| !member.is_empty());
            (kind, members.map(quoted).collect::<Option<_>>()?, None)
        }
        "constrain" => (kind, vec![package("when")?], Some(package("then")?)),
        _ => (kind, vec![package("when")?], None),
    })
}

/// The distributions of a family's `[[extension]]` tables. `None` as above.
fn extended_by(text: &str) -> Option<Vec<&str>> {
    let lists = text.split("\n[[extension]]").skip(1).map(|table| {
        let (_, list) = table.split_once("\npackages = [")?;
        list.split_once(']').map(|(list, _)| list)
    });
    let lists: Vec<&str> = lists.collect::<Option<_>>()?;
    let names = lists.iter().flat_map(|list| list.split(',')).map(str::trim);
    names.filter(|name| !name.is_empty()).map(quoted).collect()
}

/// The text between the quotes at the start.
fn quoted(text: &str) -> Option<&str> {
    let (inner, _) = text.strip_prefix('"')?.split_once('"')?;
    (!inner.contains('\\')).then_some(inner)
}

/// The table of notebook images: name and list of packages.
fn images() -> io::Result<String> {
    println!("cargo:rerun-if-changed=base-images");
    let root = Path::new("base-images");
    let mut names = Vec::new();
    if root.is_dir() {
        for entry in fs::read_dir(root)? {
            let path = entry?.path();
            let is_text = path.extension().is_some_and(|extension| extension == "txt");
            let name = path.file_stem().and_then(|stem| stem.to_str());
            names.extend(name.filter(|_| is_text).map(str::to_owned));
        }
    }
    names.sort();
    let mut table = String::from("const IMAGES: &[(&str, &str)] = &[\n");
    for name in names {
        let _ = writeln!(
            table,
            "    ({name:?}, include_str!(concat!(env!(\"CARGO_MANIFEST_DIR\"), {:?}))),",
            format!("/base-images/{name}.txt")
        );
    }
    table.push_str("];\n");
    Ok(table)
}

/// `torch/numpy1-abi` for `resolver-rules/torch/numpy1-abi.toml`; nothing for other files.
fn rule_id(root: &Path, path: &Path) -> Option<String> {
    if path.extension()? != "toml" {
        return None;
    }
    let relative = path.strip_prefix(root).ok()?.with_extension("");
    let parts: Option<Vec<&str>> = relative.iter().map(|part| part.to_str()).collect();
    Some(parts?.join("/"))
}
