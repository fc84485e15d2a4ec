use std::fs::{self, File};
use std::ops::Range;
use std::path::PathBuf;

use tempfile::TempDir;

use super::super::held::Whole;
use super::*;

const KINDS: [RecordKind; 2] = [RecordKind::Page, RecordKind::Metadata];

fn cache(folder: &TempDir) -> Cache {
    let cache = Cache::new(Some(folder.path().to_owned()), &|_| None).expect("a cache");
    cache.with_bundle("words", Some("this program"))
}

fn parts(word: &str) -> Parts {
    Parts {
        about: format!("about {word}").into(),
        head: format!("head {word}").into(),
        // A record that is not read whole.
        details: word.repeat(20_000).into(),
    }
}

/// A cache with records of each kind under some keys, as an earlier run left it.
fn filled() -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let cache = cache(&folder);
    for (kind, key) in KINDS
        .into_iter()
        .flat_map(|kind| [(kind, "a/b"), (kind, "a/c")])
    {
        cache.write_parts(kind, key, &parts("old"));
    }
    folder
}

/// Reads everything as a run does; gives what was read.
fn read(cache: &Cache) -> Vec<String> {
    let read = |kind, key| {
        let record = cache.read_bundled(kind, key)?;
        let details = record.details.read(3..9)?;
        let text = [&record.about[..], b", ", &record.head, b", ", &details].concat();
        String::from_utf8(text).ok()
    };
    let all = KINDS
        .into_iter()
        .flat_map(|kind| [(kind, "a/b"), (kind, "a/c")]);
    all.map(|(kind, key)| read(kind, key).unwrap_or_default())
        .collect()
}

/// The same, by a run of its own.
fn run(folder: &TempDir) -> Vec<String> {
    let cache = cache(folder);
    let all = read(&cache);
    cache.keep_bundle();
    all
}

/// A cache with a bundle, and where that lies.
fn bundled() -> (TempDir, PathBuf) {
    let folder = filled();
    assert_eq!(run(&folder), [old(), old(), old(), old()]);
    let cache = cache(&folder);
    let place = &cache.bundles.as_ref().expect("it has them").place;
    let path = cache.path(RecordKind::Bundle, place);
    assert!(path.is_file());
    (folder, path)
}

fn old() -> String {
    "about old, head old, oldold".to_owned()
}

/// A record that is not there.
fn none() -> String {
    String::new()
}

fn new() -> String {
    "about new, head new, newnew".to_owned()
}

#[test]
fn what_was_read_lies_together() {
    let (folder, _) = bundled();
    let cache = cache(&folder);
    // What is not in its record any more is in the copy; the file of a page stays the same.
    for kind in KINDS {
        let path = cache.path(kind, "a/b");
        let (length, modified) = {
            let metadata = path.metadata().expect("it is there");
            (metadata.len(), metadata.modified().expect("it has a time"))
        };
        let length = usize::try_from(length).expect("it is small");
        fs::write(&path, vec![0; length]).expect("it can be written");
        let file = File::options().append(true).open(&path).expect("a file");
        file.set_modified(modified).expect("it can be set");
    }
    assert_eq!(run(&folder), [old(), old(), old(), old()]);
    // What was not copied is read from the record, which is another's.
    let record = cache.read_bundled(RecordKind::Page, "a/b").expect("a copy");
    assert_eq!(record.details.read(0..3), None);
    assert!(cache.has_lost());
    // One who keeps to other words has another bundle.
    let other = Cache::new(Some(folder.path().to_owned()), &|_| None).expect("a cache");
    let other = other.with_bundle("other words", None);
    assert!(other.read_bundled(RecordKind::Page, "a/b").is_none());
}

#[test]
fn a_page_that_another_run_replaced_or_removed_is_not_what_was_copied() {
    let (folder, _) = bundled();
    let other = Cache::new(Some(folder.path().to_owned()), &|_| None).expect("a cache");
    other.write_parts(RecordKind::Page, "a/b", &parts("new"));
    assert_eq!(run(&folder), [new(), old(), old(), old()]);
    // It was copied again, as it was a quarter of what was read.
    assert_eq!(run(&folder), [new(), old(), old(), old()]);
    fs::remove_file(other.path(RecordKind::Page, "a/b")).expect("it is there");
    assert_eq!(run(&folder), [none(), old(), old(), old()]);
    // What a file's sha256 names is what it was.
    fs::remove_file(other.path(RecordKind::Metadata, "a/b")).expect("it is there");
    let record = cache(&folder).read_bundled(RecordKind::Metadata, "a/b");
    assert_eq!(record.expect("it was copied").head, parts("old").head);
    other.clean().expect("it is a cache");
    assert_eq!(run(&folder), [none(), none(), none(), none()]);
}

#[test]
fn a_page_that_this_run_replaced_is_copied_as_it_is_now() {
    let (folder, _) = bundled();
    let cache = cache(&folder);
    for key in ["a/b", "a/c"] {
        let stale = cache
            .read_bundled(RecordKind::Page, key)
            .expect("it is there");
        assert!(stale.details.read(0..3).is_some());
        cache.write_parts(RecordKind::Page, key, &parts("new"));
    }
    cache.keep_bundle();
    assert_eq!(run(&folder), [new(), new(), old(), old()]);
}

#[test]
fn what_is_no_record_can_be_copied() {
    let folder = filled();
    let first = cache(&folder);
    read(&first);
    let make = || Some(parts("made"));
    first.copy_made(RecordKind::Metadata, "a/made".to_owned(), Box::new(make));
    first.keep_bundle();
    let cache = cache(&folder);
    assert!(cache.read_parts(RecordKind::Metadata, "a/made").is_none());
    let record = cache.read_bundled(RecordKind::Metadata, "a/made");
    assert_eq!(record.expect("it was copied").head, b"head made");
}

#[test]
fn a_note_stays_with_the_page_that_it_is_of() {
    let (folder, path) = bundled();
    let noted = |cache: &Cache| {
        let record = cache.read_bundled(RecordKind::Page, "a/b");
        record.expect("it is there").details.note()
    };
    let note = |text: &[u8]| {
        let cache = cache(&folder);
        let record = cache.read_bundled(RecordKind::Page, "a/b");
        let record = record.expect("it is there");
        assert!(record.details.keeps_notes());
        record.details.keep_note(text.to_vec());
        read(&cache);
        cache.keep_bundle();
    };
    assert_eq!(noted(&cache(&folder)), None);
    note(b"found");
    assert_eq!(noted(&cache(&folder)).as_deref(), Some(&b"found"[..]));
    assert_eq!(run(&folder), [old(), old(), old(), old()]);
    note(b"found better");
    assert_eq!(
        noted(&cache(&folder)).as_deref(),
        Some(&b"found better"[..])
    );

    // Another build of the program may find something else.
    let open = || Cache::new(Some(folder.path().to_owned()), &|_| None).expect("a cache");
    assert_eq!(
        noted(&open().with_bundle("words", Some("another program"))),
        None
    );
    let unknown = open().with_bundle("words", None);
    let record = unknown
        .read_bundled(RecordKind::Page, "a/b")
        .expect("it is there");
    record.details.keep_note(b"lost".to_vec());
    assert!(!record.details.keeps_notes() && record.details.note().is_none());

    let whole = fs::read(&path).expect("it was written");
    let text = b"found better";
    let place = whole.windows(text.len()).position(|part| part == text);
    let mut damaged = whole.clone();
    damaged[place.expect("it is there")] ^= 1;
    fs::write(&path, damaged).expect("it can be written");
    assert_eq!(noted(&cache(&folder)), None);
    fs::write(&path, whole).expect("it can be written");
    // A page that was replaced while it was looked at is another one.
    let slow = cache(&folder);
    let record = slow
        .read_bundled(RecordKind::Page, "a/b")
        .expect("it is there");
    open().write_parts(RecordKind::Page, "a/b", &parts("new"));
    assert_eq!(noted(&cache(&folder)), None);
    record.details.keep_note(b"found of the old page".to_vec());
    slow.keep_bundle();
    assert_eq!(noted(&cache(&folder)), None);
    assert_eq!(run(&folder), [new(), old(), old(), old()]);
    assert_eq!(noted(&cache(&folder)), None);
}

#[test]
fn what_is_damaged_or_cut_off_is_read_from_its_record() {
    let (folder, path) = bundled();
    let whole = fs::read(&path).expect("it was written");
    let read = || read(&cache(&folder));
    for place in 0..whole.len() {
        let mut damaged = whole.clone();
        damaged[place] ^= 1;
        fs::write(&path, damaged).expect("it can be written");
        assert_eq!(read(), [old(), old(), old(), old()], "byte {place}");
        fs::write(&path, &whole[..place]).expect("it can be written");
        assert_eq!(read(), [old(), old(), old(), old()], "cut at {place}");
    }
    assert_eq!(run(&folder), [old(), old(), old(), old()]);
    assert_eq!(
        fs::read(&path).expect("it is there"),
        whole,
        "it was written anew"
    );
}

#[test]
fn a_table_that_is_none_is_read_without_harm() {
    let (folder, path) = bundled();
    let cache = cache(&folder);
    let table = cache.bundle().expect("one was written").table.clone();
    // As if its checksum were right.
    let read = |table: Vec<u8>| {
        let file = File::open(&path).ok()?;
        Bundle::of(Whole::new(file).ok()?, true, table)
    };
    for number in 0..table.len() {
        for byte in [0, 1, 0x7f, 0xff] {
            let mut other = table.clone();
            other[number] = byte;
            let Some(bundle) = read(other) else {
                continue;
            };
            for kind in KINDS {
                bundle.find(kind, "a/c");
            }
            for row in 0..5 {
                bundle.entry(row);
                bundle.details(row, &(3..9));
                bundle.note(row);
            }
        }
        let cut = read(table[..number].to_vec());
        assert!(cut.is_none_or(|bundle| bundle.entry(3).is_none()));
    }
    for content in [
        &b""[..],
        b"MLRB",
        b"MLRB\x06\0\0\0\xff\xff\xff\xff and no more",
    ] {
        fs::write(&path, content).expect("it can be written");
        assert_eq!(run(&folder), [old(), old(), old(), old()]);
    }
}

#[test]
fn a_bundle_that_has_nearly_all_is_left_as_it_is() {
    let folder = filled();
    let key = |number: usize| format!("a/{number}");
    let all = MISSING * 2;
    {
        let cache = cache(&folder);
        for number in 0..=all + 3 {
            cache.write_parts(RecordKind::Metadata, &key(number), &parts("old"));
        }
    }
    let read = |numbers: Range<usize>| {
        let cache = cache(&folder);
        for number in numbers {
            let record = cache.read_bundled(RecordKind::Metadata, &key(number));
            record.expect("it was written");
        }
        cache.keep_bundle();
        let cache = self::cache(&folder);
        let bundle = cache.bundle().expect("one was written");
        (0..=all + 3)
            .map(|number| bundle.find(RecordKind::Metadata, &key(number)).is_some())
            .filter(|found| *found)
            .count()
    };
    assert_eq!(read(0..all), all);
    assert_eq!(read(0..all + 2), all, "two are few");
    assert_eq!(read(0..0), all, "nothing was read");
    assert_eq!(read(0..all + 4), all + 4);
    assert_eq!(read(0..2), all + 4, "there is more than is wanted");
}

#[test]
fn runs_that_write_beside_each_other_leave_what_one_of_them_wrote() {
    let folder = filled();
    std::thread::scope(|scope| {
        for writer in 0..4 {
            let folder = &folder;
            scope.spawn(move || {
                for turn in 0..30 {
                    let cache = cache(folder);
                    let word = format!("{writer}{}", turn % 10);
                    cache.write_parts(RecordKind::Page, "a/b", &parts(&word));
                    let record = cache.read_bundled(RecordKind::Page, "a/b");
                    let mut record = record.expect("one was written");
                    let word = record.head.split_off(5);
                    assert_eq!(record.about, [b"about ", &word[..]].concat());
                    if let Some(details) = record.details.read(0..2) {
                        assert_eq!(details, word);
                    }
                    cache.keep_bundle();
                }
            });
        }
    });
}

#[test]
fn bundles_are_pruned_like_other_records() {
    let (folder, path) = bundled();
    let bounds = super::super::Bounds {
        before: None,
        bytes: Some(0),
    };
    let cache = cache(&folder);
    let (files, _) = cache.prune(bounds).expect("it is a cache");
    assert_eq!(files, 5);
    assert!(!path.exists());
    assert_eq!(run(&folder), [none(), none(), none(), none()]);
}
