//! Files are read as they were written, and damage is noticed.

use std::ops::Range;
use std::sync::Arc;

use proptest::prelude::*;
use url::Url;

use super::*;
use crate::metadata::Page;

fn page() -> Page {
    let json = r#"{"meta": {"api-version": "1.1"}, "name": "demo", "files": [
        {"filename": "demo-1.10-py3-none-any.whl", "url": "https://files.example/a/demo-1.10-py3-none-any.whl",
         "hashes": {"sha256": "SHA", "md5": "0123456789abcdef0123456789abcdef"},
         "requires-python": ">=3.8", "upload-time": "2026-01-02T03:04:05.678901Z", "size": 12,
         "core-metadata": {"sha256": "SHA"}},
        {"filename": "demo-1.9.tar.gz", "url": "/b/demo%2D1.9.tar.gz", "hashes": {},
         "requires-python": ">=3.8", "yanked": "a reason", "core-metadata": true},
        {"filename": "Demo-1.10.0rc1-1-cp311-cp311-linux_x86_64.whl", "url": "demo.whl", "yanked": true,
         "hashes": {"sha512": "SHASHA"}, "requires-python": ">=3.9"},
        {"filename": "demo-1.10.0.zip", "url": "demo-1.10.0.zip", "hashes": {"sha256": "SHA"},
         "upload-time": "1960-01-02T03:04:05Z"},
        {"filename": "demo-1.9-py2.py3-none-any.whl", "url": "x/demo-1.9-py2.py3-none-any.whl", "hashes": {},
         "yanked": ""}]}"#
        .replace("SHA", &"0f".repeat(32));
    parsed(&json)
}

fn parsed(json: &str) -> Page {
    let index = Url::parse("https://index.example/simple/demo/").expect("a URL");
    Page::parse(
        &"demo".parse().expect("a name"),
        "https://index.example/simple/",
        &index,
        "application/vnd.pypi.simple.v1+json",
        json.as_bytes(),
    )
    .expect("the page is valid")
}

/// Details in memory.
struct Kept(Vec<u8>);

impl DetailSource for Kept {
    fn read(&self, range: Range<u64>) -> Option<Vec<u8>> {
        let range = usize::try_from(range.start).ok()?..usize::try_from(range.end).ok()?;
        self.0.get(range).map(<[u8]>::to_vec)
    }
}

fn read(files: &Files, head: Vec<u8>, details: Vec<u8>) -> Option<Files> {
    Files::read(&files.0.name, head, Arc::new(Kept(details)))
}

#[test]
fn files_are_read_as_they_were_written() {
    let files = page().files;
    let listed = files.all().expect("they are at hand");
    let names: Vec<&str> = listed.iter().map(|file| file.filename.as_str()).collect();
    assert_eq!(
        names,
        [
            "demo-1.9-py2.py3-none-any.whl",
            "demo-1.9.tar.gz",
            "Demo-1.10.0rc1-1-cp311-cp311-linux_x86_64.whl",
            "demo-1.10-py3-none-any.whl",
            "demo-1.10.0.zip",
        ]
    );
    assert_eq!(listed[1].url, "https://index.example/b/demo%2D1.9.tar.gz");
    assert_eq!(
        listed[1]
            .yanked
            .as_ref()
            .and_then(|it| it.reason.as_deref()),
        Some("a reason")
    );
    assert_eq!(listed[3].hashes.pairs().count(), 2);
    assert_eq!(Files::new(&files.0.name, &listed), files);
    let details = files.details().expect("they are at hand");
    let kept = read(&files, files.head().to_vec(), details).expect("it was written");
    assert_eq!(kept.all().as_ref(), Ok(&listed));
    // Files of several places come in the order of these.
    let mixed: Vec<File> = listed.into_iter().rev().collect();
    assert_eq!(Files::new(&files.0.name, &mixed).all(), Ok(mixed));
}

#[test]
fn rows_are_in_the_order_of_versions_and_within_one_in_page_order() {
    let files = page().files;
    let releases: Vec<(&str, bool, usize)> = files
        .releases()
        .map(|release| {
            (
                release.version,
                release.is_prerelease,
                release.files().count(),
            )
        })
        .collect();
    assert_eq!(
        releases,
        [
            ("1.9", false, 2),
            ("1.10.0rc1", true, 1),
            ("1.10", false, 2)
        ]
    );
    let last = files.of_version(&"1.10.0".parse().expect("a version"));
    let last = files.some(&last).expect("they are at hand");
    let names: Vec<&str> = last.iter().map(|file| file.filename.as_str()).collect();
    assert_eq!(names, ["demo-1.10-py3-none-any.whl", "demo-1.10.0.zip"]);
    assert_eq!(files.of_version(&"1.11".parse().expect("a version")), []);
    let shapes: Vec<&str> = files.shapes().collect();
    assert_eq!(
        shapes,
        [
            "py2.py3-none-any.whl",
            "tar.gz",
            "1-cp311-cp311-linux_x86_64.whl",
            "py3-none-any.whl",
            "zip"
        ]
    );
}

#[test]
fn releases_with_the_same_rows_share_their_class() {
    let wheel = |version: &str, time: &str| {
        format!(
            r#"{{"filename": "demo-{version}-py3-none-any.whl", "url": "{version}.whl",
                "hashes": {{}}, "requires-python": ">=3.8"{time}}}"#
        )
    };
    let second = r#", "upload-time": "1970-01-01T00:00:02Z""#;
    let third = r#", "upload-time": "1970-01-01T00:00:03Z""#;
    let files = [
        wheel("1", second),
        wheel("2", ""),
        r#"{"filename": "demo-2.zip", "url": "2.zip", "hashes": {}}"#.to_owned(),
        wheel("3", ""),
        r#"{"filename": "demo-3.zip", "url": "3.zip", "hashes": {}, "yanked": true}"#.to_owned(),
        wheel("4", third),
        r#"{"filename": "demo-5.zip", "url": "5.zip", "hashes": {}TIME}"#.replace("TIME", second),
        r#"{"filename": "demo-5.tar.gz", "url": "5.tar.gz", "hashes": {}TIME}"#
            .replace("TIME", third),
        r#"{"filename": "demo-6.zip", "url": "6.zip", "hashes": {}TIME}"#.replace("TIME", second),
        r#"{"filename": "demo-6.tar.gz", "url": "6.tar.gz", "hashes": {}}"#.to_owned(),
    ];
    let files = parsed(&format!(
        r#"{{"meta": {{"api-version": "1.1"}}, "name": "demo", "files": [{}]}}"#,
        files.join(",")
    ))
    .files;
    let releases: Vec<ReleaseRows<'_>> = files.releases().collect();
    let classes: Vec<u32> = releases.iter().map(|release| release.class).collect();
    assert_eq!(classes, [0, 1, 2, 0, 3, 3]);
    let uploads: Vec<Uploads> = releases.iter().map(|release| release.uploads).collect();
    let seconds = |from: i64, to: i64| Uploads::Between(from * 1_000_000_000, to * 1_000_000_000);
    assert_eq!(
        uploads,
        [
            seconds(2, 2),
            Uploads::Unknown,
            Uploads::Unknown,
            seconds(3, 3),
            seconds(2, 3),
            Uploads::Partly
        ]
    );
    for (place, release) in (0..).zip(&releases) {
        let read = files.read_release(place).expect("it is at hand");
        let rows: Vec<_> = files.class(release.class).collect();
        assert_eq!(release.files().count(), rows.len());
        for (id, row) in release.files().zip(rows) {
            let file = read.file(id).expect("it is at hand");
            assert_eq!(
                files.shape(row.shape),
                files.shape(files.row(id).expect("it").shape)
            );
            assert_eq!(
                file.requires_python.as_deref(),
                row.python.map(|it| files.python(it))
            );
            assert_eq!(file.yanked.is_some(), row.is_yanked);
            let time = file.upload_time.map(jiff::Timestamp::as_nanosecond);
            assert_eq!(
                read.uploaded(id).expect("it is at hand").map(i128::from),
                time
            );
        }
    }
}

#[test]
fn damaged_details_are_noticed() {
    let files = page().files;
    let details = files.details().expect("they are at hand");
    for place in 0..details.len() {
        let mut damaged = details.clone();
        damaged[place] ^= 1;
        let kept = read(&files, files.head().to_vec(), damaged).expect("the head is whole");
        assert_eq!(kept.all(), Err(UnreadableFiles), "byte {place}");
    }
    let cut = read(&files, files.head().to_vec(), details[..9].to_vec());
    assert_eq!(cut.expect("the head is whole").all(), Err(UnreadableFiles));
}

proptest! {
    /// Whatever the bytes of a head are, they are read or refused.
    #[test]
    fn no_head_is_a_panic(
        damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        end in any::<prop::sample::Index>(),
        noise in proptest::collection::vec(any::<u8>(), 0..200),
    ) {
        let files = page().files;
        let mut head = files.head().to_vec();
        for (place, byte) in damage {
            let place = place.index(head.len());
            head[place] = byte;
        }
        let cut = head[..end.index(head.len())].to_vec();
        for head in [head, cut, noise] {
            let details = files.details().expect("they are at hand");
            let Some(kept) = read(&files, head, details) else { continue };
            let _ = kept.all();
            for release in kept.releases() {
                let _ = kept.class(release.class).count();
                for id in release.files() {
                    let _ = (kept.row(id), kept.yanked(id), kept.file(id));
                }
            }
            let _ = (kept.shapes().count(), kept.pythons().count());
        }
    }
}
