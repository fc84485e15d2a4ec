//! What the tests of this folder share: archives, and a server that lives in memory.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;
use std::io::{Cursor, Read, Write};
use std::sync::atomic::{AtomicU32, Ordering};

use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};

pub(super) use super::digest::sha256;

use super::build::{BuildIndexes, Builder};
use super::download::{Body, Download};
use super::records::Records;
use super::sdist::Sources;
use crate::metadata::{File, FileKind};
use crate::solve::FactError;

/// Answers with the bodies it was given, and counts what it is asked.
#[derive(Default)]
pub(super) struct Served {
    bodies: BTreeMap<String, (Vec<u8>, Option<String>)>,
    asked: AtomicU32,
    read: std::sync::Arc<AtomicU32>,
    offline: bool,
}

impl Served {
    /// A network that may not be used.
    pub(super) fn offline() -> Self {
        Self {
            offline: true,
            ..Self::default()
        }
    }

    pub(super) fn with(mut self, url: &str, body: &[u8]) -> Self {
        self.bodies.insert(url.to_owned(), (body.to_vec(), None));
        self
    }

    pub(super) fn with_etag(mut self, url: &str, body: &[u8], etag: &str) -> Self {
        let served = (body.to_vec(), Some(etag.to_owned()));
        self.bodies.insert(url.to_owned(), served);
        self
    }

    /// How many URLs were asked for.
    pub(super) fn asked(&self) -> u32 {
        self.asked.load(Ordering::Relaxed)
    }

    /// How many bytes were read.
    pub(super) fn read(&self) -> u32 {
        self.read.load(Ordering::Relaxed)
    }
}

impl Download for Served {
    fn open(&self, url: &str) -> Result<Body, FactError> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let found = self.bodies.get(url).filter(|_| !self.offline);
        let Some((body, etag)) = found.cloned() else {
            return Err(FactError::Failed {
                message: format!("`{url}` is not served"),
                hint: None,
            });
        };
        let size = body.len() as u64;
        let reader = Counted(Cursor::new(body), self.read.clone());
        Ok(Body {
            reader: Box::new(reader),
            size: Some(size),
            etag,
        })
    }

    fn offline(&self) -> bool {
        self.offline
    }
}

struct Counted(Cursor<Vec<u8>>, std::sync::Arc<AtomicU32>);

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.0.read(buffer)?;
        self.1
            .fetch_add(u32::try_from(count).unwrap(), Ordering::Relaxed);
        Ok(count)
    }
}

/// A builder that can only fail: there is no Python.
pub(super) fn no_python() -> Builder {
    Builder::new(None, BuildIndexes::default(), Records::default())
}

pub(super) fn sources<'a>(
    download: &'a Served,
    records: &'a Records,
    builder: &'a Builder,
) -> Sources<'a> {
    Sources {
        download,
        records,
        builder,
    }
}

/// A tar.gz of these files.
pub(super) fn tar_gz(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for (path, contents) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(contents.len() as u64);
        header.set_mode(0o644);
        // `set_path` refuses what a hostile archive may hold.
        if header.set_path(path).is_err() {
            let name = &mut header.as_mut_bytes()[..path.len()];
            name.copy_from_slice(path.as_bytes());
        }
        header.set_cksum();
        builder.append(&header, *contents).unwrap();
    }
    builder.into_inner().unwrap().finish().unwrap()
}

/// A zip file of these files.
pub(super) fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (path, contents) in files {
        let options = zip::write::SimpleFileOptions::default();
        writer.start_file(*path, options).unwrap();
        writer.write_all(contents).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// A file as an index lists it.
pub(super) fn listed(url: &str, body: &[u8]) -> File {
    let filename = url.rsplit('/').next().unwrap().to_owned();
    let name = filename.split('-').next().unwrap().parse().unwrap();
    let kind = FileKind::parse(&filename, &name).unwrap();
    File {
        filename,
        url: url.to_owned(),
        hashes: [("sha256".to_owned(), sha256(body))].into(),
        size: Some(body.len() as u64),
        upload_time: None,
        requires_python: None,
        yanked: None,
        sidecar: None,
        version: kind.version().clone(),
        kind,
    }
}

/// Core metadata of `demo 1.0`, of this metadata version and with these further lines.
pub(super) fn pkg_info(metadata_version: &str, further: &str) -> Vec<u8> {
    format!("Metadata-Version: {metadata_version}\nName: demo\nVersion: 1.0\n{further}")
        .into_bytes()
}

/// Bytes that do not compress.
pub(super) fn noise(size: usize) -> Vec<u8> {
    let mut block = Sha256::digest(b"noise");
    let mut bytes = Vec::with_capacity(size + block.len());
    while bytes.len() < size {
        bytes.extend_from_slice(&block);
        block = Sha256::digest(block);
    }
    bytes
}
