//! Pages as the cache keeps them: what follows from a file's name is left out, and what
//! many files share is written once.
//!
//! A large stack's pages list a hundred thousand files, and reading them is most of what a
//! warm run does.

use jiff::Timestamp;
use pep508_rs::PackageName;
use serde::{Deserialize, Serialize};

use super::digest::{bytes_of, hexadecimal};
use crate::metadata::{CoreMetadataSidecar, Digests, File, FileKind, Page, Yanked};

/// A page; what it borrows lies in the record.
#[derive(Debug, Serialize, Deserialize)]
struct PackedPage<'r> {
    name: PackageName,
    #[serde(borrow)]
    index: &'r str,
    skipped: u32,
    /// All values of `Requires-Python`.
    pythons: Vec<&'r str>,
    /// The origins of all addresses, as `https://files.example/`.
    origins: Vec<&'r str>,
    files: Vec<PackedFile<'r>>,
}

#[derive(Debug, Serialize, Deserialize)]
struct PackedFile<'r> {
    filename: &'r str,
    /// The place of its origin.
    origin: u32,
    /// The address after the origin, without the file name where it ends in it.
    path: &'r str,
    path_ends_in_name: bool,
    #[serde(with = "digest")]
    sha256: Option<[u8; 32]>,
    /// The other hashes, hexadecimal.
    hashes: Vec<(&'r str, &'r str)>,
    size: Option<u64>,
    /// Seconds since 1970 and the nanoseconds beyond.
    uploaded: Option<(i64, i32)>,
    /// One more than the place in [`PackedPage::pythons`]; 0 where there is none.
    python: u32,
    yanked: Option<Yanked>,
    sidecar: Option<CoreMetadataSidecar>,
}

/// A digest as a byte string: as an array it would be read byte by byte.
mod digest {
    use serde::{Deserialize, Deserializer, Serializer};

    #[expect(clippy::ref_option, reason = "serde calls it so")]
    pub(super) fn serialize<S: Serializer>(
        digest: &Option<[u8; 32]>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(digest.as_ref().map_or(&[], |digest| digest))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<[u8; 32]>, D::Error> {
        let bytes = <&[u8]>::deserialize(deserializer)?;
        Ok(bytes.try_into().ok())
    }
}

/// Appends the page to a record.
pub(super) fn pack(page: &Page, mut record: Vec<u8>) -> Option<Vec<u8>> {
    let mut pythons: Vec<&str> = Vec::new();
    let mut origins: Vec<&str> = Vec::new();
    let files = page.files.iter().map(|file| {
        let (origin, path) = file.url.split_at(origin_length(&file.url));
        let named = path.strip_suffix(&file.filename);
        let sha256 = file.sha256().and_then(bytes_of);
        let others = file
            .hashes
            .pairs()
            .filter(|(algorithm, _)| sha256.is_none() || *algorithm != "sha256");
        Some(PackedFile {
            filename: &file.filename,
            origin: place_of(&mut origins, origin)?,
            path: named.unwrap_or(path),
            path_ends_in_name: named.is_some(),
            sha256,
            hashes: others.collect(),
            size: file.size,
            uploaded: file
                .upload_time
                .map(|time| (time.as_second(), time.subsec_nanosecond())),
            python: match &file.requires_python {
                Some(requires) => place_of(&mut pythons, requires)?.checked_add(1)?,
                None => 0,
            },
            yanked: file.yanked.clone(),
            sidecar: file.sidecar.clone(),
        })
    });
    let files = files.collect::<Option<Vec<_>>>()?;
    let packed = PackedPage {
        name: page.name.clone(),
        index: &page.index,
        skipped: page.skipped,
        pythons,
        origins,
        files,
    };
    record.extend(postcard::to_stdvec(&packed).ok()?);
    Some(record)
}

/// Reads a page; `None` where the bytes are none.
pub(super) fn unpack(bytes: &[u8]) -> Option<Page> {
    let packed: PackedPage<'_> = postcard::from_bytes(bytes).ok()?;
    let at = |table: &[&str], place: u32| {
        let place = usize::try_from(place).ok()?;
        table.get(place).map(|text| (*text).to_owned())
    };
    let files = packed.files.into_iter().map(|file| {
        let kind = FileKind::parse(file.filename, &packed.name).ok()?;
        let mut url = at(&packed.origins, file.origin)?;
        url.push_str(file.path);
        if file.path_ends_in_name {
            url.push_str(file.filename);
        }
        let mut hashes = Digests::new();
        for (algorithm, digest) in file.hashes {
            hashes.insert(algorithm, digest.to_owned());
        }
        if let Some(digest) = file.sha256 {
            hashes.insert("sha256", hexadecimal(&digest));
        }
        Some(File {
            filename: file.filename.to_owned(),
            url,
            hashes,
            size: file.size,
            upload_time: match file.uploaded {
                Some((seconds, nanoseconds)) => Some(Timestamp::new(seconds, nanoseconds).ok()?),
                None => None,
            },
            requires_python: match file.python.checked_sub(1) {
                Some(place) => Some(at(&packed.pythons, place)?),
                None => None,
            },
            yanked: file.yanked,
            sidecar: file.sidecar,
            version: kind.version().clone(),
            kind,
        })
    });
    Some(Page {
        files: files.collect::<Option<_>>()?,
        index: packed.index.to_owned(),
        skipped: packed.skipped,
        name: packed.name,
    })
}

/// The length of scheme, host and the slash after it.
fn origin_length(url: &str) -> usize {
    let host = url.find("://").map_or(0, |position| position + 3);
    let rest = url.get(host..).unwrap_or_default();
    rest.find('/').map_or(0, |slash| host + slash + 1)
}

/// The place of a text in a table; it is added where it is new. The last ones are looked at
/// first: neighbours on a page are of one release.
fn place_of<'t>(table: &mut Vec<&'t str>, text: &'t str) -> Option<u32> {
    let known = table.iter().rposition(|known| *known == text);
    let place = known.unwrap_or_else(|| {
        table.push(text);
        table.len() - 1
    });
    u32::try_from(place).ok()
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::*;

    #[test]
    fn a_page_is_read_as_it_was_written() {
        let json = r#"{"meta": {"api-version": "1.1"}, "name": "demo", "files": [
            {"filename": "demo-1.0-py3-none-any.whl", "url": "https://files.example/a/demo-1.0-py3-none-any.whl",
             "hashes": {"sha256": "SHA", "md5": "0123456789abcdef0123456789abcdef"},
             "requires-python": ">=3.8", "upload-time": "2026-01-02T03:04:05.678901Z", "size": 12,
             "core-metadata": {"sha256": "SHA"}},
            {"filename": "demo-1.0.tar.gz", "url": "/b/demo%2D1.0.tar.gz", "hashes": {},
             "requires-python": ">=3.8", "yanked": "a reason", "core-metadata": true},
            {"filename": "demo-1.1+cu121-1-cp311-cp311-linux_x86_64.whl", "url": "demo.whl", "yanked": true,
             "hashes": {"sha512": "SHASHA"}, "requires-python": ">=3.9"}]}"#
            .replace("SHA", &"0f".repeat(32));
        let index = Url::parse("https://index.example/simple/demo/").expect("a URL");
        let page = Page::parse(
            &"demo".parse().expect("a name"),
            "https://index.example/simple/",
            &index,
            "application/vnd.pypi.simple.v1+json",
            json.as_bytes(),
        )
        .expect("the page is valid");
        assert_eq!((page.files.len(), page.skipped), (3, 0));
        let record = pack(&page, b"before".to_vec()).expect("it can be written");
        let bytes = record.strip_prefix(b"before").expect("it was appended");
        assert_eq!(unpack(bytes), Some(page));
        for end in 0..bytes.len() {
            assert_eq!(unpack(&bytes[..end]), None, "cut at {end}");
        }
    }
}
