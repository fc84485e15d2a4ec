//! Addresses of the files that a page lists.
//!
//! A large page lists five thousand addresses that differ in little. Most are written as they
//! would be after parsing (WHATWG URL), which a look at their characters shows; only the others
//! are parsed.

use url::{Position, Url};

/// The address of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) enum Address {
    /// Any.
    Parsed(Url),
    /// Absolute, by HTTP, without credentials, query and fragment, as parsing would leave it.
    Plain(String),
}

/// Reads the links of one page.
pub(in super::super) struct Addresses<'p> {
    page: &'p Url,
    /// Scheme and host of the page, where it came by HTTP.
    own: Option<String>,
    /// Scheme and host that were found to be written as parsing would leave them.
    plain: String,
}

impl<'p> Addresses<'p> {
    pub(in super::super) fn new(page: &'p Url) -> Self {
        let by_http = matches!(page.scheme(), "http" | "https");
        let host = &page[Position::BeforeHost..Position::BeforePath];
        Self {
            own: by_http.then(|| format!("{}://{host}", page.scheme())),
            page,
            plain: String::new(),
        }
    }

    /// The address that a link names; `None` where it names none.
    pub(in super::super) fn of(&mut self, link: &str) -> Option<Address> {
        match self.plain(link) {
            Some(address) => Some(Address::Plain(address)),
            None => self.page.join(link).ok().map(Address::Parsed),
        }
    }

    fn plain(&mut self, link: &str) -> Option<String> {
        if link.starts_with('/') {
            let own = self.own.as_ref()?;
            return is_plain_path(link).then(|| format!("{own}{link}"));
        }
        let host = link.find("://")? + 3;
        let slash = link.get(host..)?.find('/')? + host;
        let (origin, path) = link.split_at(slash);
        if origin != self.plain || self.plain.is_empty() {
            let parsed = Url::parse(&format!("{origin}/")).ok()?;
            let is_plain = matches!(parsed.scheme(), "http" | "https")
                && parsed.username().is_empty()
                && parsed.password().is_none()
                && parsed.as_str().strip_suffix('/') == Some(origin);
            if !is_plain {
                return None;
            }
            origin.clone_into(&mut self.plain);
        }
        is_plain_path(path).then(|| link.to_owned())
    }
}

/// Whether parsing leaves a path as it is: it begins with one slash, has only characters that
/// are never escaped, and no segment that begins with a point, as `.` and `..` do.
fn is_plain_path(path: &str) -> bool {
    let is_plain = |byte: u8| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/')
    };
    path.bytes().all(is_plain)
        && path
            .as_bytes()
            .windows(2)
            .all(|pair| !matches!(pair, b"/." | b"//"))
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
            let mut addresses = Addresses::new(&page);
            for _ in 0..2 {
                match (addresses.of(&link), page.join(&link).ok()) {
                    (Some(Address::Plain(plain)), Some(mut parsed)) => {
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
    fn usual_addresses_are_not_parsed() {
        let page = Url::parse("https://index.example/simple/demo/").expect("a URL");
        let mut addresses = Addresses::new(&page);
        for (link, expected) in [
            (
                "/packages/ab/demo-1.0+cpu.whl",
                "https://index.example/packages/ab/demo-1.0+cpu.whl",
            ),
            (
                "https://files.example/a/demo-1.0.whl",
                "https://files.example/a/demo-1.0.whl",
            ),
        ] {
            let plain = Address::Plain(expected.to_owned());
            assert_eq!(addresses.of(link), Some(plain));
        }
    }
}
