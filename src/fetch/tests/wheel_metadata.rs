//! METADATA out of wheels on servers that take ranges in every way there is.

use std::io::{Read, Seek, SeekFrom};
use std::sync::Arc;

use super::super::digest::sha256;
use super::super::testing::{Asked, Reply, Server, block_on, client, wheel};
use super::super::wheel_metadata::{WheelError, wheel_metadata};
use super::super::{Auth, Client, FetchError, RemoteFile, RemoteReader, RemoteSource};
use crate::metadata::WheelName;

const FILENAME: &str = "demo-1.0-py3-none-any.whl";

/// What a server does with a file and a request for it.
type Manner = fn(&[u8], &Asked) -> Reply;

struct World {
    server: Server,
    client: Client,
    folder: tempfile::TempDir,
    file: Arc<Vec<u8>>,
}

impl World {
    fn new(file: Vec<u8>, manner: Manner) -> Self {
        let file = Arc::new(file);
        let served = Arc::clone(&file);
        Self {
            server: Server::start(move |asked| manner(&served, asked)),
            client: client(Auth::none()),
            folder: tempfile::tempdir().expect("a temporary folder"),
            file,
        }
    }

    fn source(&self) -> RemoteSource {
        RemoteSource {
            url: self.server.url(&format!("/{FILENAME}")),
            size: None,
            sha256: Some(sha256(&self.file)),
            temporary: self.folder.path().to_owned(),
        }
    }

    fn read(&self) -> Result<String, WheelError> {
        let name = WheelName::parse(FILENAME).expect("the name is valid");
        block_on(wheel_metadata(&self.client, self.source(), &name))
            .map(|bytes| String::from_utf8(bytes).expect("the test writes text"))
    }

    /// Reads the metadata, and gives the number of requests that took.
    fn requests(&self) -> usize {
        let before = self.server.asked().len();
        let metadata = self.read().expect("the metadata is there");
        assert!(
            metadata.contains("Name: demo\nVersion: 1.0\nRequires-Dist: numpy"),
            "{metadata}"
        );
        self.server.asked().len() - before
    }
}

/// Larger than what is always taken whole; its central directory is larger than a tail.
fn large() -> Vec<u8> {
    let wheel = wheel("demo", "1.0", "Requires-Dist: numpy", 8000);
    assert!(wheel.len() > 1 << 20);
    wheel
}

fn small() -> Vec<u8> {
    wheel("demo", "1.0", "Requires-Dist: numpy", 3)
}

fn is_suffix(asked: &Asked) -> bool {
    asked
        .headers
        .get("range")
        .is_some_and(|range| range.starts_with("bytes=-"))
}

#[test]
fn the_end_of_a_small_wheel_is_enough() {
    assert_eq!(World::new(small(), Reply::ranges_of).requests(), 1);
}

#[test]
fn a_large_directory_is_not_read_whole() {
    let world = World::new(large(), Reply::ranges_of);
    assert_eq!(world.requests(), 2);
    let moved = world.client.progress().counts().bytes;
    assert!(moved < 70_000, "{moved}");
}

/// A wheel with so many files before its METADATA and so many after it.
fn with_metadata_amid(before: usize, after: usize) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options =
        zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    let write = |writer: &mut zip::ZipWriter<_>, name: &str, content: &str| {
        writer.start_file(name, options).expect("the name is valid");
        std::io::Write::write_all(writer, content.as_bytes()).expect("memory can be written");
    };
    for entry in 0..before {
        write(
            &mut writer,
            &format!("demo/a_module_with_a_long_name_{entry}.py"),
            "",
        );
    }
    let metadata = "Metadata-Version: 2.1\nName: demo\nVersion: 1.0\nRequires-Dist: numpy\n";
    write(&mut writer, "Demo-1.0.0.dist-info/METADATA", metadata);
    for entry in 0..after {
        write(
            &mut writer,
            &format!("demo/module_with_a_long_name_{entry}.py"),
            "",
        );
    }
    write(
        &mut writer,
        "demo/_vendor/other-2.0.dist-info/METADATA",
        "Name: other\n",
    );
    writer
        .finish()
        .expect("the archive is complete")
        .into_inner()
}

#[test]
fn metadata_that_was_written_first_is_found_at_the_other_end_of_the_directory() {
    let world = World::new(with_metadata_amid(0, 4000), Reply::ranges_of);
    assert_eq!(world.requests(), 3, "the tail, the head, the metadata");
    let moved = world.client.progress().counts().bytes;
    assert!(moved < 100_000, "{moved}");
}

#[test]
fn metadata_that_was_written_amid_is_found_in_the_whole_directory() {
    let world = World::new(with_metadata_amid(2000, 2000), Reply::ranges_of);
    assert_eq!(
        world.requests(),
        4,
        "the tail, the head, the rest, the metadata"
    );
}

#[test]
fn suffix_ranges_that_are_refused_are_asked_for_once() {
    let world = World::new(large(), |file, asked| {
        if is_suffix(asked) {
            Reply::new(416)
        } else {
            Reply::ranges_of(file, asked)
        }
    });
    assert_eq!(world.requests(), 4, "suffix, length, end, metadata");
    assert_eq!(world.requests(), 3, "length, end, metadata");
}

#[test]
fn a_suffix_taken_for_a_prefix_is_noticed() {
    let world = World::new(large(), |file, asked| {
        if !is_suffix(asked) {
            return Reply::ranges_of(file, asked);
        }
        let length = file.len();
        Reply::partial(&file[..100], &format!("bytes 0-99/{length}"))
    });
    assert_eq!(world.requests(), 3, "suffix, end, metadata");
}

#[test]
fn a_server_without_ranges_is_read_whole() {
    let world = World::new(large(), |file, _| {
        Reply::ok("application/octet-stream", file)
    });
    assert_eq!(
        world.requests(),
        2,
        "the suffix, then the end, which comes whole"
    );
    assert_eq!(world.requests(), 1, "it is known by now");
    let left = std::fs::read_dir(world.folder.path())
        .expect("the folder is there")
        .count();
    assert_eq!(left, 0, "the file is gone when it was read");
}

#[test]
fn a_small_wheel_is_taken_as_it_comes() {
    let world = World::new(small(), |file, _| {
        Reply::ok("application/octet-stream", file)
    });
    assert_eq!(world.requests(), 1);
}

#[test]
fn several_parts_and_impossible_ranges_are_not_believed() {
    let manners: [Manner; 4] = [
        |_, _| {
            Reply::partial(b"--part\r\n", "bytes 0-7/8")
                .header("content-type", "multipart/byteranges; boundary=part")
        },
        |file, _| Reply::partial(&file[..10], "bytes 0-99999999/5"),
        |file, _| Reply::partial(&file[..10], "bytes 20-40/100"),
        |file, _| Reply::partial(&file[..10], "nonsense"),
    ];
    for manner in manners {
        let world = World::new(small(), manner);
        // It has no way to give the file whole either.
        let error = world.read().expect_err("nothing useful ever comes");
        assert!(
            matches!(error, WheelError::Fetch(_) | WheelError::Malformed(_)),
            "{error:?}"
        );
    }
    let world = World::new(small(), |file, asked| {
        if asked.headers.contains_key("range") {
            Reply::partial(&file[..10], "bytes 20-40/100")
        } else {
            Reply::ok("application/octet-stream", file)
        }
    });
    assert_eq!(world.requests(), 3, "the suffix, the length, the whole");
}

#[test]
fn parts_that_were_garbled_are_replaced_by_the_whole() {
    let world = World::new(large(), |file, asked| {
        if !asked.headers.contains_key("range") || is_suffix(asked) {
            return Reply::ranges_of(file, asked);
        }
        let mut garbled = file.to_vec();
        garbled.fill(b'?');
        Reply::ranges_of(&garbled, asked)
    });
    assert_eq!(world.requests(), 3, "the end, the metadata, the whole");
}

#[test]
fn a_whole_file_with_another_hash_is_refused() {
    let world = World::new(large(), |file, _| {
        let mut changed = file.to_vec();
        changed[0] ^= 1;
        Reply::ok("application/octet-stream", changed)
    });
    let error = world.read().expect_err("it was changed");
    assert!(
        matches!(error, WheelError::Fetch(FetchError::Hash { .. })),
        "{error:?}"
    );
}

#[test]
fn what_is_no_wheel_says_so() {
    let world = World::new(b"<html>Welcome</html>".to_vec(), Reply::ranges_of);
    let error = world.read().expect_err("it is no archive");
    assert!(
        matches!(&error, WheelError::Malformed(detail) if detail == "it does not end as a zip archive does"),
        "{error:?}"
    );
    let world = World::new(wheel("other", "2.0", "", 1), Reply::ranges_of);
    assert!(
        world
            .read()
            .expect("the only METADATA there is")
            .contains("Name: other")
    );
}

#[test]
fn a_local_wheel_is_read_where_it_lies() {
    let world = World::new(large(), Reply::ranges_of);
    let path = world.folder.path().join(FILENAME);
    std::fs::write(&path, &*world.file).expect("the folder is writable");
    let mut source = world.source();
    source.url = url::Url::from_file_path(&path).expect("the path is absolute");
    let name = WheelName::parse(FILENAME).expect("the name is valid");
    let metadata = block_on(wheel_metadata(&world.client, source, &name)).expect("it is there");
    assert!(metadata.starts_with(b"Metadata-Version"));
    assert!(world.server.asked().is_empty());
}

#[test]
fn a_remote_file_can_be_read_and_sought_in() {
    let world = World::new(large(), Reply::ranges_of);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let file = runtime
        .block_on(RemoteFile::open(&world.client, world.source(), 1000))
        .expect("the file is there");
    let mut reader = RemoteReader::new(file, runtime.handle().clone());
    assert_eq!(reader.length(), world.file.len() as u64);
    reader
        .seek(SeekFrom::Start(100))
        .expect("it can be sought in");
    let mut bytes = vec![0; 1000];
    reader.read_exact(&mut bytes).expect("it is long enough");
    assert_eq!(bytes, world.file[100..1100]);
    reader
        .seek(SeekFrom::End(-2000))
        .expect("it can be sought in");
    let mut end = Vec::new();
    reader.read_to_end(&mut end).expect("it can be read");
    assert_eq!(end, world.file[world.file.len() - 2000..]);
    assert!(reader.moved() < 150_000, "{}", reader.moved());
    let mut archive = zip::ZipArchive::new(reader).expect("it is an archive");
    let mut metadata = String::new();
    archive
        .by_name("demo-1.0.dist-info/METADATA")
        .expect("it has metadata")
        .read_to_string(&mut metadata)
        .expect("it is text");
    assert!(metadata.contains("numpy"));
}
