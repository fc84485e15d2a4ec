//! Addresses of the files that a page lists.
//!
//! A large page lists five thousand addresses that differ in little. Most are written as they
//! would be after parsing (WHATWG URL), which a look at their characters shows; only the others
//! are parsed.

use std::borrow::Cow;
use std::sync::Arc;

use url::{Position, Url};

/// No address is longer than this, in bytes.
const LONGEST: usize = 8 << 10;

/// How much longer than its page the addresses that it lists may be together, in bytes. A link
/// takes more room on a page than its address does, unless that begins with much of its base.
const ROOM_FOR_EACH_BYTE: usize = 8;

/// The same for a page of any length.
const ROOM: usize = 1 << 20;

/// The address of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) enum Address<'p> {
    /// Any.
    Parsed(Url),
    /// Absolute, by HTTP, without credentials, query and fragment, as parsing would leave it.
    Plain {
        /// Scheme and host, and the slash after it.
        origin: Arc<str>,
        /// What follows.
        path: Cow<'p, str>,
    },
}

/// Reads the links of one page.
pub(in super::super) struct Addresses<'u> {
    base: &'u Url,
    /// How long all that are still to come may be, in bytes.
    room: usize,
    /// Scheme and host of the page and a slash, where it came by HTTP.
    own: Option<Arc<str>>,
    /// Scheme and host, and a slash, that were found to be written as parsing would leave them.
    plain: Arc<str>,
}

impl<'u> Addresses<'u> {
    /// The links of a page of this length, which are relative to `base`.
    pub(in super::super) fn new(base: &'u Url, page_length: usize) -> Self {
        let by_http = matches!(base.scheme(), "http" | "https");
        let host = &base[Position::BeforeHost..Position::BeforePath];
        Self {
            own: by_http.then(|| format!("{}://{host}/", base.scheme()).into()),
            room: page_length
                .saturating_mul(ROOM_FOR_EACH_BYTE)
                .saturating_add(ROOM),
            base,
            plain: "".into(),
        }
    }

    /// The address that a link names; `None` where it names none, or a longer one than any file
    /// has.
    pub(in super::super) fn of<'p>(&mut self, link: Cow<'p, str>) -> Option<Address<'p>> {
        if link.len() <= LONGEST
            && let Some((origin, start)) = self.plain(&link)
        {
            let length = origin.len() + link.len() - start;
            return self.admits(length).then(|| Address::Plain {
                origin,
                path: match link {
                    Cow::Borrowed(link) => Cow::Borrowed(link.get(start..).unwrap_or_default()),
                    Cow::Owned(link) => Cow::Owned(link.get(start..).unwrap_or_default().into()),
                },
            });
        }
        self.joined(&link).map(Address::Parsed)
    }

    /// The same as a URL.
    pub(in super::super) fn joined(&mut self, link: &str) -> Option<Url> {
        if self.base.as_str().len() > LONGEST || link.len() > LONGEST {
            return None;
        }
        let url = self.base.join(link).ok()?;
        self.admits(url.as_str().len()).then_some(url)
    }

    /// Whether there is room for an address of this length.
    fn admits(&mut self, length: usize) -> bool {
        let left = self.room.checked_sub(length);
        self.room = left.unwrap_or(0);
        left.is_some() && length <= LONGEST
    }

    /// Scheme and host of a link that is written as parsing would leave it, and where its path
    /// begins after the slash.
    fn plain(&mut self, link: &str) -> Option<(Arc<str>, usize)> {
        if link.starts_with('/') {
            let own = self.own.as_ref()?;
            return is_plain_path(link).then(|| (Arc::clone(own), 1));
        }
        if self.plain.is_empty() || !link.starts_with(&*self.plain) {
            let host = link.find("://")? + 3;
            let origin = link.get(..=link.get(host..)?.find('/')? + host)?;
            let parsed = Url::parse(origin).ok()?;
            let is_plain = matches!(parsed.scheme(), "http" | "https")
                && parsed.username().is_empty()
                && parsed.password().is_none()
                && parsed.as_str() == origin;
            if !is_plain {
                return None;
            }
            self.plain = origin.into();
        }
        let slash = self.plain.len().checked_sub(1)?;
        is_plain_path(link.get(slash..)?).then(|| (Arc::clone(&self.plain), slash + 1))
    }
}

/// Whether parsing leaves a path as it is: it begins with one slash, has only characters that
/// are never escaped, and no segment that begins with a point, as `.` and `..` do.
fn is_plain_path(path: &str) -> bool {
    let path = path.as_bytes();
    // Looked at to the end, so that the compiler takes many bytes at once.
    path.iter()
        .fold(true, |so_far, byte| so_far & is_plain(*byte))
        && memchr::memchr_iter(b'/', path)
            .all(|slash| !matches!(path.get(slash + 1), Some(b'/' | b'.')))
}

fn is_plain(byte: u8) -> bool {
    // `-`, `.`, `/` and the digits follow one another.
    (byte | 0x20).wrapping_sub(b'a') < 26
        || byte.wrapping_sub(b'-') < 13
        || matches!(byte, b'_' | b'~' | b'+')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_plain_address_is_what_parsing_gives(
            page in prop::sample::select(vec![
                "https://index.example/simple/demo/",
                "http://user:word@127.0.0.1:8080/a/../simple/demo/?x=1#y",
                "https://index.example:443/simple/demo",
                "file:///srv/simple/demo/index.html",
            ]),
            origin in prop::sample::select(vec![
                "", "/", "//", "../", "https://files.example", "https://files.example:443",
                "http://FILES.example", "https://a@files.example", "http://1.2.3", "ftp://a",
                "https://files.example?", "https:/files.example", "https://[::1]:8080",
            ]),
            path in "(/|[a-z0-9.+_~-]{0,4}/)[a-zA-Z0-9/._~+%#?@: -]{0,12}",
        ) {
            let page = Url::parse(page).expect("a URL");
            let link = format!("{origin}{path}");
            let mut addresses = Addresses::new(&page, 0);
            for _ in 0..2 {
                match (addresses.of(Cow::Borrowed(&link)), page.join(&link).ok()) {
                    (Some(Address::Plain { origin, path }), Some(mut parsed)) => {
                        let plain = format!("{origin}{path}");
                        prop_assert!(origin.ends_with('/') && parsed[Position::BeforePath..].ends_with(&*path));
                        let _ = parsed.set_username("");
                        let _ = parsed.set_password(None);
                        prop_assert_eq!(&plain, parsed.as_str());
                        prop_assert!(matches!(parsed.scheme(), "http" | "https"));
                        prop_assert!(parsed.query().is_none() && parsed.fragment().is_none());
                    }
                    (Some(Address::Parsed(address)), parsed) => {
                        prop_assert_eq!(Some(address), parsed);
                    }
                    (None, parsed) => prop_assert_eq!(parsed, None),
                    (address, None) => prop_assert!(false, "{address:?} of {link:?}"),
                }
            }
        }
    }

    #[test]
    fn what_is_plain_is_never_escaped() {
        for byte in 0..=u8::MAX {
            let expected = byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte);
            assert_eq!(is_plain(byte), expected, "{byte:#x}");
        }
    }

    #[test]
    fn a_long_base_does_not_multiply() {
        let is_listed = |length: usize, links: usize| {
            let page = format!("https://index.example/{}/", "x".repeat(length));
            let page = Url::parse(&page).expect("a URL");
            let mut addresses = Addresses::new(&page, 0);
            (0..links).all(|at| addresses.of(format!("demo-{at}.zip").into()).is_some())
        };
        assert!(is_listed(100, 5000));
        assert!(is_listed(8000, 100));
        assert!(!is_listed(8000, 200), "together they are too long");
        assert!(!is_listed(9000, 1));
        let page = Url::parse("https://index.example/").expect("a URL");
        for scheme in ["https://files.example/", "", "/"] {
            let link = format!("{scheme}{}", "x".repeat(9000));
            assert_eq!(Addresses::new(&page, 0).of(link.into()), None);
        }
    }

    #[test]
    fn usual_addresses_are_not_parsed() {
        let page = Url::parse("https://index.example/simple/demo/").expect("a URL");
        let mut addresses = Addresses::new(&page, 0);
        for (link, origin, path) in [
            (
                "/packages/ab/demo-1.0+cpu.whl",
                "https://index.example/",
                "packages/ab/demo-1.0+cpu.whl",
            ),
            (
                "https://files.example/a/demo-1.0.whl",
                "https://files.example/",
                "a/demo-1.0.whl",
            ),
        ] {
            let (origin, path) = (origin.into(), path.into());
            assert_eq!(
                addresses.of(link.into()),
                Some(Address::Plain { origin, path })
            );
        }
    }
}
