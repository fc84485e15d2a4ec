//! Small wheels in memory.

use std::io::{Cursor, Write};

use zip::CompressionMethod;
use zip::write::{SimpleFileOptions, ZipWriter};

use super::objects::{Library, elf};
use crate::scan::{Findings, Limits, ScanError, scan_wheel};

/// A file name that says nothing the tests depend on.
pub(super) const WHEEL: &str = "demo-1.0-cp311-cp311-manylinux_2_17_x86_64.whl";

/// A wheel with the given members, deflated.
pub(crate) fn wheel(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    for (path, bytes) in members {
        writer.start_file(*path, options).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// Scans a wheel with the default limits.
pub(super) fn scan(bytes: &[u8]) -> Result<Findings, ScanError> {
    scan_with(bytes, &Limits::default())
}

/// Scans a wheel with other limits.
pub(super) fn scan_with(bytes: &[u8], limits: &Limits) -> Result<Findings, ScanError> {
    scan_wheel(Cursor::new(bytes), WHEEL, limits)
}

/// An extension module with these strings in it.
pub(crate) fn binary(strings: &[&str]) -> Vec<u8> {
    let mut content = vec![0x90_u8; 300];
    for text in strings {
        content.extend_from_slice(text.as_bytes());
        content.push(0);
    }
    elf(&Library {
        content: &content,
        ..Library::default()
    })
}

/// Bytes that do not compress.
pub(super) fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    (0..length).map(|_| next()).collect()
}
