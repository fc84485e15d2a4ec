//! The metadata pack that comes with the program, held against what was recorded of an index
//! by another way (`snapshots/index`).

use std::path::Path;

use mlresolve::fetch::pack::Pack;
use mlresolve::fetch::snapshot::{Snapshot, SnapshotFacts};
use mlresolve::metadata::{FileKind, Metadata};
use mlresolve::request::BuildPolicy;
use mlresolve::solve::Facts;

const SNAPSHOTS: [&str; 4] = [
    "compat-py311",
    "stacks-py310",
    "stacks-py311",
    "stacks-py312",
];

/// What matters of metadata: what was repaired in it is not recorded.
fn telling(metadata: &Metadata) -> Metadata {
    Metadata {
        repairs: Vec::new(),
        ..metadata.clone()
    }
}

#[test]
fn the_pack_says_what_the_wheels_say() {
    let pack = Pack::embedded().expect("it is whole");
    let index = "https://index.example/simple/".parse().expect("a URL");
    let (mut compared, mut not_there) = (0, 0);
    for name in SNAPSHOTS {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("snapshots/index");
        let path = root.join(format!("{name}.snapshot"));
        let snapshot = Snapshot::open(&path).expect("it is recorded");
        let names: Vec<_> = snapshot.names().cloned().collect();
        let facts = SnapshotFacts::new(vec![snapshot], &index);
        for name in names {
            let Ok(page) = facts.page(&name) else {
                continue;
            };
            let releases = page.files.releases();
            for id in releases.flat_map(|release| release.files()) {
                let Ok(file) = page.files.file(id) else {
                    continue;
                };
                if !matches!(file.kind, FileKind::Wheel(_)) {
                    continue;
                }
                let recorded = facts.metadata(&page, &file, BuildPolicy::Never);
                let (Ok(recorded), Some(sha256)) = (recorded, file.sha256()) else {
                    continue;
                };
                match pack.of_wheel(sha256) {
                    Some(packed) => {
                        assert_eq!(telling(&packed), telling(&recorded), "{}", file.filename);
                        compared += 1;
                    }
                    None => not_there += 1,
                }
            }
        }
    }
    assert!(
        compared > 300,
        "{compared} were compared, {not_there} are not in the pack"
    );
}
