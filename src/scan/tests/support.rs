//! Small wheels in memory.

use std::io::{Cursor, Write};

use zip::CompressionMethod;
use zip::write::{SimpleFileOptions, ZipWriter};

use crate::scan::{Findings, Limits, ScanError, scan_wheel};

/// A file name that says nothing the tests depend on.
pub(super) const WHEEL: &str = "demo-1.0-cp311-cp311-manylinux_2_17_x86_64.whl";

/// A wheel with the given members, deflated.
pub(super) fn wheel(members: &[(&str, &[u8])]) -> Vec<u8> {
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

/// Bytes that stand for a binary with these strings in it.
pub(super) fn binary(strings: &[&str]) -> Vec<u8> {
    let mut bytes = vec![0x90_u8; 300];
    for text in strings {
        bytes.extend_from_slice(text.as_bytes());
        bytes.push(0);
    }
    bytes.extend_from_slice(&[0x90; 300]);
    bytes
}
