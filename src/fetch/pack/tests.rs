//! Packs: what was written is read, and damage is never an answer.

use std::fmt::Write as _;

use proptest::prelude::*;

use super::*;

fn digest(seed: u32) -> String {
    super::super::digest::sha256(&seed.to_le_bytes())
}

/// The wheel with this number, of a distribution and a release that its number tells.
fn wheel(seed: u32, lines: usize) -> PackedWheel {
    let (name, version) = (format!("demo-{}", seed % 5), format!("1.{}", seed % 7));
    let mut headers = format!("Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n");
    for line in 0..lines {
        // Writing to a string cannot fail.
        let _ = writeln!(headers, "Requires-Dist: other-{line}>={}", seed % 3);
    }
    PackedWheel {
        sha256: digest(seed),
        name: name.parse().expect("a name"),
        version: version.parse().expect("a version"),
        uploaded: 20_000 + seed % 50,
        headers: headers.into_bytes(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn what_was_written_is_read(wheels in prop::collection::btree_map(0..400_u32, 0..120_usize, 0..60)) {
        let wheels: Vec<_> = wheels.into_iter().map(|(seed, lines)| wheel(seed, lines)).collect();
        let bytes = write(&wheels).expect("it is small");
        let mut turned = wheels.clone();
        turned.reverse();
        prop_assert_eq!(&write(&turned).expect("it is small"), &bytes, "the order does not matter");
        let pack = Pack::open(bytes).expect("it was just written");
        prop_assert_eq!(pack.len(), wheels.len());
        for wheel in &wheels {
            let headers = pack.headers(&wheel.sha256);
            prop_assert_eq!(headers.as_ref(), Some(&wheel.headers));
            let expected = Metadata::parse(&wheel.headers, None).expect("it is metadata");
            let found = pack.of_wheel(&wheel.sha256);
            prop_assert_eq!(found.as_deref(), Some(&expected));
            let releases = pack.releases(wheel.name.as_ref());
            let version = wheel.version.to_string();
            let release = releases.iter().find(|release| release.version == version);
            let of_release = |other: &&PackedWheel| {
                (&other.name, &other.version) == (&wheel.name, &wheel.version)
            };
            let uploaded = wheels.iter().filter(of_release).map(|it| it.uploaded).min();
            prop_assert_eq!(release.map(|release| release.uploaded), uploaded);
        }
        for unknown in [&digest(1000), "", "abc", &"g".repeat(64), &"ü".repeat(32)] {
            prop_assert_eq!(pack.headers(unknown), None);
        }
        prop_assert_eq!(pack.releases("nothing"), &[]);
    }

    #[test]
    fn damage_is_never_an_answer(
        place in any::<prop::sample::Index>(),
        flip in 1..=255_u8,
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let wheels: Vec<_> = (0..40).map(|seed| wheel(seed, 200)).collect();
        let mut bytes = write(&wheels).expect("it is small");
        let length = bytes.len();
        bytes[place.index(length)] ^= flip;
        if let Some(cut) = cut {
            bytes.truncate(cut.index(length));
        }
        let Ok(pack) = Pack::open(bytes) else {
            return Ok(());
        };
        prop_assert!(cut.is_none(), "a pack that is cut off is no pack");
        let mut missing = 0;
        for wheel in &wheels {
            match pack.headers(&wheel.sha256) {
                Some(headers) => prop_assert_eq!(headers, wheel.headers.clone()),
                None => missing += 1,
            }
        }
        let names = pack.releases("demo-0").len();
        prop_assert!(missing > 0 || names == 0, "the damage was noticed");
    }
}

#[test]
fn other_bytes_are_no_pack() {
    for bytes in [&b""[..], b"MLRM", &[0; 4096], b"PK\x03\x04 and so on"] {
        assert_eq!(Pack::open(bytes).err(), Some(PackError::Foreign));
    }
}

#[test]
fn the_pack_that_comes_with_the_program_is_whole() {
    let pack = Pack::open(EMBEDDED).expect("it is a pack");
    assert!(pack.len() > 5000, "{}", pack.len());
    let releases = pack.releases("numpy");
    assert!(releases.len() > 5, "{releases:?}");
    for release in releases {
        let metadata = pack.metadata(release.text).expect("it can be read");
        assert_eq!(metadata.name.as_ref(), "numpy");
        assert_eq!(metadata.version.to_string(), release.version);
        assert!(release.uploaded > 10_000, "{release:?}");
    }
    let mut newest = releases.to_vec();
    let version = |it: &Release| it.version.parse::<pep440_rs::Version>().expect("a version");
    newest.sort_by_key(version);
    assert_eq!(newest, releases, "oldest first");
    let (rows, _): (&[[u8; BLOCK_ROW]], _) = pack.part(Part::Blocks).as_chunks();
    for row in rows {
        assert!(pack.unpack(BlockRow::read(*row)).is_some(), "{row:?}");
    }
}
