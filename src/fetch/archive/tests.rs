#![expect(clippy::unwrap_used, reason = "tests")]

use std::io::Cursor;

use super::*;
use crate::fetch::fixtures::{noise, pkg_info, tar_gz, zip};

fn never(_: &Members) -> bool {
    false
}

fn parts(members: &Members) -> Vec<SdistPart> {
    members.parts.keys().copied().collect()
}

#[test]
fn both_kinds_give_the_same_members() {
    let info = pkg_info("2.2", "");
    let files: [(&str, &[u8]); 5] = [
        ("demo-1.0/PKG-INFO", &info),
        ("demo-1.0/demo.egg-info/PKG-INFO", b"not this"),
        ("demo-1.0/pyproject.toml", b"[project]"),
        ("demo-1.0/setup.py", b"import os"),
        ("demo-1.0/sub/setup.cfg", b"not this"),
    ];
    for archive in [tar_gz(&files), zip(&files)] {
        let members = scan(&mut Cursor::new(archive), None, &never).unwrap();
        assert_eq!(members.top.as_deref(), Some("demo-1.0"));
        assert_eq!(
            parts(&members),
            [SdistPart::PkgInfo, SdistPart::Pyproject, SdistPart::SetupPy,]
        );
        assert_eq!(members.part(SdistPart::PkgInfo), Some(info.as_slice()));
        assert_eq!(members.part(SdistPart::Pyproject), Some(&b"[project]"[..]));
        assert_eq!(members.part(SdistPart::SetupPy), Some(&b""[..]));
    }
}

#[test]
fn a_subdirectory_is_the_project() {
    let files: [(&str, &[u8]); 2] = [
        ("repo-main/pyproject.toml", b"top"),
        ("repo-main/python/pyproject.toml", b"inside"),
    ];
    for archive in [tar_gz(&files), zip(&files)] {
        let members = scan(&mut Cursor::new(archive), Some("python"), &never).unwrap();
        assert_eq!(members.part(SdistPart::Pyproject), Some(&b"inside"[..]));
    }
}

#[test]
fn reading_stops_when_enough_is_known() {
    let mut archive = tar_gz(&[
        ("demo-1.0/PKG-INFO", b"x"),
        ("demo-1.0/data", &noise(100_000)),
    ]);
    // What follows is damaged; who has enough never sees it.
    archive.truncate(90_000);
    let enough = |members: &Members| members.parts.contains_key(&SdistPart::PkgInfo);
    let members = scan(&mut Cursor::new(&archive), None, &enough).unwrap();
    assert_eq!(parts(&members), [SdistPart::PkgInfo]);
    let whole = scan(&mut Cursor::new(&archive), None, &never);
    assert!(matches!(whole, Err(ArchiveError::Broken(_))), "{whole:?}");
}

#[test]
fn hostile_paths_and_links_are_passed_over() {
    let mut builder = tar::Builder::new(flate2::write::GzEncoder::new(
        Vec::new(),
        flate2::Compression::fast(),
    ));
    for kind in [tar::EntryType::Symlink, tar::EntryType::Link] {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(kind);
        header.set_size(0);
        header.set_path("demo-1.0/PKG-INFO").unwrap();
        header.set_link_name("/etc/passwd").unwrap();
        header.set_cksum();
        builder.append(&header, io::empty()).unwrap();
    }
    let linked = builder.into_inner().unwrap().finish().unwrap();
    let members = scan(&mut Cursor::new(linked), None, &never).unwrap();
    assert_eq!(members, Members::default());

    let files: [(&str, &[u8]); 4] = [
        ("/demo-1.0/PKG-INFO", b"absolute"),
        ("../PKG-INFO", b"above"),
        ("demo-1.0/x/../PKG-INFO", b"around"),
        ("demo-1.0/pyproject.toml", b"honest"),
    ];
    for archive in [tar_gz(&files), zip(&files)] {
        let members = scan(&mut Cursor::new(archive), None, &never).unwrap();
        assert_eq!(parts(&members), [SdistPart::Pyproject]);
    }
}

#[test]
fn two_top_folders_are_refused() {
    let files: [(&str, &[u8]); 2] = [("demo-1.0/PKG-INFO", b"x"), ("other/PKG-INFO", b"y")];
    for archive in [tar_gz(&files), zip(&files)] {
        let scanned = scan(&mut Cursor::new(archive), None, &never);
        assert!(matches!(scanned, Err(ArchiveError::TwoTops(..))));
    }
}

#[test]
fn a_bomb_is_not_unpacked() {
    let bomb = vec![0; usize::try_from(LARGEST_MEMBER).unwrap() + 1];
    let files: [(&str, &[u8]); 1] = [("demo-1.0/PKG-INFO", &bomb)];
    for archive in [tar_gz(&files), zip(&files)] {
        assert!(archive.len() < 300_000, "{}", archive.len());
        let scanned = scan(&mut Cursor::new(archive), None, &never);
        assert!(matches!(scanned, Err(ArchiveError::MemberTooLarge { .. })));
    }
}

#[test]
fn a_huge_header_extension_is_not_kept() {
    // A GNU long name of 1 MiB, then the member that it names.
    let mut builder = tar::Builder::new(flate2::write::GzEncoder::new(
        Vec::new(),
        flate2::Compression::fast(),
    ));
    let long = vec![b'a'; 1 << 20];
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::GNULongName);
    header.set_path("././@LongLink").unwrap();
    header.set_size(long.len() as u64);
    header.set_cksum();
    builder.append(&header, long.as_slice()).unwrap();
    let mut header = tar::Header::new_gnu();
    header.set_path("demo-1.0/PKG-INFO").unwrap();
    header.set_size(1);
    header.set_cksum();
    builder.append(&header, &b"x"[..]).unwrap();
    let archive = builder.into_inner().unwrap().finish().unwrap();
    let members = scan(&mut Cursor::new(archive), None, &never).unwrap();
    assert_eq!(parts(&members), [SdistPart::PkgInfo]);
}

#[test]
fn long_names_and_pax_paths_are_understood() {
    let mut builder = tar::Builder::new(flate2::write::GzEncoder::new(
        Vec::new(),
        flate2::Compression::fast(),
    ));
    let top = "d".repeat(120);
    let mut header = tar::Header::new_gnu();
    header.set_size(1);
    builder
        .append_data(&mut header, format!("{top}/PKG-INFO"), &b"x"[..])
        .unwrap();
    builder
        .append_pax_extensions([
            ("mtime", &b"1.5"[..]),
            ("path", format!("{top}/pyproject.toml").as_bytes()),
        ])
        .unwrap();
    let mut header = tar::Header::new_ustar();
    header.set_path("shortened").unwrap();
    header.set_size(1);
    header.set_cksum();
    builder.append(&header, &b"y"[..]).unwrap();
    let archive = builder.into_inner().unwrap().finish().unwrap();
    let members = scan(&mut Cursor::new(archive), None, &never).unwrap();
    assert_eq!(members.top, Some(top));
    assert_eq!(members.part(SdistPart::PkgInfo), Some(&b"x"[..]));
    assert_eq!(members.part(SdistPart::Pyproject), Some(&b"y"[..]));
}

#[test]
fn other_kinds_are_named() {
    for (bytes, expected) in [
        (&b"BZh91AY&SY"[..], "bzip2"),
        (b"\xfd7zXZ\x00\x00", "xz"),
        (b"<html></html>", "no archive"),
        (b"", "no archive"),
    ] {
        let error = scan(&mut Cursor::new(bytes), None, &never).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    }
}

#[test]
fn a_wheel_has_one_metadata() {
    let wheel = WheelName::parse("demo-1.0-py3-none-any.whl").unwrap();
    let read = |files: &[(&str, &[u8])]| wheel_metadata(Cursor::new(zip(files)), &wheel);
    let found = read(&[
        ("demo/x.dist-info/METADATA", b"not this"),
        ("demo-1.0.dist-info/METADATA", b"this"),
    ]);
    assert_eq!(found.unwrap(), b"this");
    assert!(read(&[("demo/__init__.py", b"")]).is_err());
    let two = read(&[
        ("demo-1.0.dist-info/METADATA", b"a"),
        ("other-1.0.dist-info/METADATA", b"b"),
    ]);
    assert!(two.unwrap_err().to_string().contains("other-1.0.dist-info"));
}
