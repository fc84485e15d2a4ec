//! Who may import whom: a module uses only those of the layers before its own.
#![expect(clippy::disallowed_methods, reason = "this test reads the sources")]

use std::path::{Path, PathBuf};

/// The layers, from the facts to the terminal. A module may use its own layer's and
/// earlier ones' modules, but the two edge modules are used by nothing before them.
const LAYERS: [(&str, u8); 14] = [
    ("versions", 1),
    ("metadata", 1),
    ("scan", 1),
    ("target", 2),
    ("request", 2),
    ("variants", 3),
    ("rules", 3),
    ("solve", 4),
    ("explain", 5),
    ("lock", 5),
    ("check", 6),
    ("fetch", 7),
    ("cli", 8),
    ("main", 9),
];

fn layer(module: &str) -> Option<u8> {
    LAYERS
        .iter()
        .find(|(name, _)| *name == module)
        .map(|(_, layer)| *layer)
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("the folder of sources") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

fn used_modules(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for line in text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
    {
        for piece in line.split("crate::").skip(1) {
            let word: String = piece
                .chars()
                .take_while(|c| c.is_ascii_lowercase() || *c == '_')
                .collect();
            found.push(word);
        }
    }
    found
}

#[test]
fn modules_use_only_the_layers_before_them() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    assert!(files.len() > 30, "the sources were not found");
    let mut wrong = Vec::new();
    for file in files {
        let inside = file.strip_prefix(&root).expect("a file of the sources");
        let module = inside
            .components()
            .next()
            .and_then(|first| Path::new(first.as_os_str()).file_stem())
            .and_then(|stem| stem.to_str())
            .expect("a module");
        let Some(own) = layer(module) else {
            continue; // lib.rs names them all
        };
        let text = std::fs::read_to_string(&file).expect("a source file");
        for used in used_modules(&text) {
            if layer(&used).is_some_and(|other| other > own) {
                wrong.push(format!("{} uses {used}", inside.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
