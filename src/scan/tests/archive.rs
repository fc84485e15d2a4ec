//! Archives that are broken, or made to do harm.

use super::support::{WHEEL, binary, noise, scan, scan_with, wheel};
use crate::scan::{Limits, ScanError, scan_wheel};

fn error(bytes: &[u8]) -> ScanError {
    scan(bytes).expect_err("the archive is not sound")
}

/// Where the central directory starts, by the end record of an archive without comment.
fn directory_start(bytes: &[u8]) -> usize {
    let end = bytes.len() - 22;
    let field: [u8; 4] = bytes[end + 16..end + 20].try_into().unwrap();
    usize::try_from(u32::from_le_bytes(field)).unwrap()
}

#[test]
fn a_name_that_is_no_wheels_is_refused() {
    let bytes = wheel(&[]);
    for name in ["demo.whl", "demo-1.0.tar.gz", "-1.0-py3-none-any.whl"] {
        let error = scan_wheel(std::io::Cursor::new(&bytes), name, &Limits::default());
        assert!(matches!(error, Err(ScanError::Filename { .. })), "{name}");
    }
}

#[test]
fn every_truncation_is_an_error() {
    let bytes = wheel(&[("demo/_core.abi3.so", &binary(&["_ARRAY_API"]))]);
    assert!(scan(&bytes).is_ok());
    for length in 0..bytes.len() {
        assert!(scan(&bytes[..length]).is_err(), "cut at {length}");
    }
}

#[test]
fn paths_that_lead_outside_are_refused() {
    for path in [
        "../evil.so",
        "/etc/evil.so",
        "demo/../../evil.so",
        "C:/evil.so",
        "a\\b.so",
    ] {
        let bytes = wheel(&[(path, b"x")]);
        assert!(
            matches!(error(&bytes), ScanError::UnsafePath { .. }),
            "{path}"
        );
    }
}

#[test]
fn what_stands_before_the_archive_does_not_matter() {
    let bytes = [
        b"#!/bin/sh\n".as_slice(),
        &wheel(&[("demo/_core.abi3.so", b"x")]),
    ]
    .concat();
    assert_eq!(scan(&bytes).unwrap().cost.binaries_read, 1);
}

#[test]
fn sizes_that_lie_are_found_out() {
    let sound = wheel(&[("demo/_core.abi3.so", &[0_u8; 5000])]);
    let entry = directory_start(&sound);
    for (claimed, expected) in [
        (4999_u32, "more than it claims"),
        (5001, "less than it claims"),
        (4_000_000, "more bytes than it can hold"),
    ] {
        let mut bytes = sound.clone();
        bytes[entry + 24..entry + 28].copy_from_slice(&claimed.to_le_bytes());
        let message = error(&bytes).to_string();
        assert!(message.contains(expected), "{claimed}: {message}");
    }
}

#[test]
fn a_wrong_checksum_is_found_out() {
    let mut bytes = wheel(&[("demo/_core.abi3.so", &[0_u8; 5000])]);
    let entry = directory_start(&bytes);
    bytes[entry + 16] ^= 1;
    assert!(error(&bytes).to_string().contains("checksum"));
}

#[test]
fn members_that_share_bytes_are_refused() {
    let mut bytes = wheel(&[("demo/a.so", &[1_u8; 500]), ("demo/b.so", &[2_u8; 500])]);
    let first = directory_start(&bytes);
    let second = first + 46 + "demo/a.so".len();
    bytes.copy_within(first + 42..first + 46, second + 42);
    assert!(matches!(error(&bytes), ScanError::Overlap { .. }));
}

#[test]
fn an_archive_made_to_explode_is_refused_unread() {
    let mut bytes = wheel(&[("demo/_core.abi3.so", &vec![0_u8; 2 << 20])]);
    let entry = directory_start(&bytes);
    // A ratio that deflate can reach and no library does.
    let compressed: [u8; 4] = bytes[entry + 20..entry + 24].try_into().unwrap();
    let claimed = (300_u32 << 20).to_le_bytes();
    bytes[entry + 24..entry + 28].copy_from_slice(&claimed);
    assert!(u32::from_le_bytes(compressed) < 1 << 20);
    assert!(matches!(error(&bytes), ScanError::Member { .. }));
    let limits = Limits {
        max_total_bytes: 1 << 20,
        ..Limits::default()
    };
    let bytes = wheel(&[("demo/data.bin", &vec![0_u8; 2 << 20])]);
    assert!(matches!(
        scan_with(&bytes, &limits),
        Err(ScanError::TooLarge {
            allowed: 1_048_576,
            ..
        })
    ));
}

#[test]
fn a_directory_that_claims_too_much_is_refused() {
    let sound = wheel(&[("demo/_core.abi3.so", b"x")]);
    let end = sound.len() - 22;
    let mut bytes = sound.clone();
    bytes[end + 10..end + 12].copy_from_slice(&60_000_u16.to_le_bytes());
    assert!(matches!(error(&bytes), ScanError::Archive { .. }));
    let limits = Limits {
        max_members: 0,
        ..Limits::default()
    };
    assert!(matches!(
        scan_with(&sound, &limits),
        Err(ScanError::TooLarge { .. })
    ));
    let limits = Limits {
        max_directory_bytes: 10,
        ..Limits::default()
    };
    assert!(matches!(
        scan_with(&sound, &limits),
        Err(ScanError::TooLarge { .. })
    ));
}

#[test]
fn a_local_header_with_another_name_is_refused() {
    let mut bytes = wheel(&[("demo/_core.abi3.so", b"x")]);
    bytes[30] = b'D';
    assert!(error(&bytes).to_string().contains("another name"));
}

#[test]
fn a_path_that_occurs_twice_is_reported() {
    let mut bytes = wheel(&[
        ("demo/a.so", &binary(&["one"])),
        ("demo/b.so", &binary(&["other"])),
    ]);
    let at: Vec<usize> = (0..bytes.len() - 9)
        .filter(|&at| &bytes[at..at + 9] == b"demo/b.so")
        .collect();
    assert_eq!(at.len(), 2);
    for at in at {
        bytes[at + 5] = b'a';
    }
    let found = scan(&bytes).unwrap();
    assert_eq!(found.problems.len(), 1);
    assert_eq!(found.problems[0].path, "demo/a.so");
    assert_eq!(found.cost.binaries_read, 2);
}

#[test]
fn a_reader_that_fails_is_not_taken_for_a_corrupt_wheel() {
    struct Failing(std::io::Cursor<Vec<u8>>);
    impl std::io::Read for Failing {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            if self.0.position() < 30 {
                return Err(std::io::Error::other("the line went dead"));
            }
            self.0.read(buffer)
        }
    }
    impl std::io::Seek for Failing {
        fn seek(&mut self, to: std::io::SeekFrom) -> std::io::Result<u64> {
            self.0.seek(to)
        }
    }
    // Larger than what is read to find the directory, so that the failure comes
    // while the member is read.
    let bytes = wheel(&[("demo/_core.abi3.so", &noise(160_000))]);
    let failing = Failing(std::io::Cursor::new(bytes));
    let failure = scan_wheel(failing, WHEEL, &Limits::default());
    assert!(matches!(failure, Err(ScanError::Read { .. })));
}
