//! HTML index pages (PEP 503), and flat pages of links (find-links).

use std::borrow::Cow;

use html5gum::emitters::callback::{Callback, CallbackEmitter, CallbackEvent};
use html5gum::{Span, State, Tokenizer};
use url::Url;

use super::files::{Sidecar, Yank};
use super::page::{self, Address, Addresses, Hashes, Link};

/// A tag that no page has, put after the body: where it does not arrive as a tag, the body
/// ended within one.
const END_MARK: &str = "mlresolve-end-of-page";

/// How many attributes one tag may have.
const MOST_ATTRIBUTES: usize = 2000;

/// Gives the links of an HTML page, in page order; `None` stands for one that is not a file's.
///
/// Only the tokens are read, no tree is built: index pages are flat, and a page of 5,000 links
/// should take milliseconds. An anchor's text is never looked at, the name of its file is that
/// of its path.
///
/// # Errors
///
/// What is wrong with the page, in words.
pub(super) fn links(
    page_url: &Url,
    body: &[u8],
    each: &mut dyn FnMut(Option<Link<'static>>),
) -> Result<(), String> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Err("it is empty".to_owned());
    }
    let found = read(body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body))?;
    if !found.is_html {
        return Err("it has neither links nor any other HTML element".to_owned());
    }
    if !found.is_complete {
        return Err("it ends inside a tag, a comment or a script; is it cut off?".to_owned());
    }
    if let Some(version) = found.repository_version {
        page::check_api_version(&version)?;
    }
    let base = found.base.and_then(|base| {
        let mut addresses = Addresses::new(page_url, body.len());
        addresses.joined(&base)
    });
    let mut addresses = Addresses::new(base.as_ref().unwrap_or(page_url), body.len());
    for anchor in found.anchors {
        each(anchor.into_link(&mut addresses));
    }
    Ok(())
}

/// What a page holds that matters.
fn read(body: &[u8]) -> Result<Found, String> {
    let mut body = String::from_utf8_lossy(body).into_owned();
    body.extend(["<", END_MARK, ">"]);
    let mut found = Found::default();
    let emitter = CallbackEmitter::new(&mut found);
    let mut tokenizer = Tokenizer::new_with_emitter(body.as_str(), emitter);
    while let Some(Ok(told)) = tokenizer.next() {
        match told {
            Told::NoMarkup(state) => tokenizer.set_state(state),
            Told::TooManyAttributes => {
                return Err("it has a tag with more attributes than any page has".to_owned());
            }
            Told::TooManyLinks => return Err(page::too_many_links()),
        }
    }
    drop(tokenizer);
    Ok(found)
}

/// What the reader of a page has to do.
enum Told {
    /// What follows is no markup, up to the end of the element. A tree builder would tell.
    NoMarkup(State),
    TooManyAttributes,
    TooManyLinks,
}

/// What a page holds that matters.
#[derive(Default)]
struct Found {
    base: Option<String>,
    repository_version: Option<String>,
    anchors: Vec<Anchor>,
    is_html: bool,
    is_complete: bool,
    open: Option<Open>,
}

/// A start tag that is being read.
struct Open {
    element: Element,
    /// How many attributes it has so far.
    attributes: usize,
    /// The attribute that is being read, where it matters.
    attribute: Option<Attribute>,
    anchor: Anchor,
    name: Option<String>,
    content: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Element {
    A,
    Base,
    Meta,
    /// Its content is no markup.
    NoMarkup(State),
    EndMark,
    Other,
}

/// An attribute that matters.
#[derive(Clone, Copy)]
enum Attribute {
    Href,
    RequiresPython,
    Yanked,
    CoreMetadata,
    DistInfoMetadata,
    UploadTime,
    Size,
    Name,
    Content,
}

/// The attributes of a link, entities decoded.
#[derive(Default)]
struct Anchor {
    href: Option<String>,
    requires_python: Option<String>,
    yanked: Option<String>,
    core_metadata: Option<String>,
    dist_info_metadata: Option<String>,
    upload_time: Option<String>,
    size: Option<String>,
}

impl Callback<Told, ()> for &mut Found {
    fn handle_event(&mut self, event: CallbackEvent<'_>, _: Span<()>) -> Option<Told> {
        match event {
            CallbackEvent::Doctype { .. } => self.is_html = true,
            CallbackEvent::OpenStartTag { name } => self.start(name),
            CallbackEvent::AttributeName { name } => {
                let open = self.open.as_mut()?;
                open.attributes += 1;
                if open.attributes > MOST_ATTRIBUTES {
                    return Some(Told::TooManyAttributes);
                }
                // Of attributes of one name the first counts, as HTML has it.
                let attribute = Attribute::named(name);
                open.attribute = attribute.filter(|one| open.value(*one).is_none());
                if let Some(attribute) = open.attribute {
                    *open.value(attribute) = Some(String::new());
                }
            }
            CallbackEvent::AttributeValue { value } => {
                let open = self.open.as_mut()?;
                if let Some(attribute) = open.attribute.take() {
                    *open.value(attribute) = Some(String::from_utf8_lossy(value).into_owned());
                }
            }
            CallbackEvent::CloseStartTag { .. } => {
                let open = self.open.take()?;
                return self.end(open);
            }
            _ => {}
        }
        None
    }
}

impl Found {
    fn start(&mut self, name: &[u8]) {
        let element = match name {
            b"a" => Element::A,
            b"base" => Element::Base,
            b"meta" => Element::Meta,
            b"script" => Element::NoMarkup(State::ScriptData),
            b"style" | b"noframes" | b"xmp" => Element::NoMarkup(State::RawText),
            b"title" | b"textarea" => Element::NoMarkup(State::RcData),
            other if other == END_MARK.as_bytes() => Element::EndMark,
            b"html" | b"head" | b"body" => {
                self.is_html = true;
                Element::Other
            }
            _ => Element::Other,
        };
        self.open = Some(Open {
            element,
            attributes: 0,
            attribute: None,
            anchor: Anchor::default(),
            name: None,
            content: None,
        });
    }

    fn end(&mut self, open: Open) -> Option<Told> {
        self.is_html |= match open.element {
            Element::A | Element::Base | Element::Meta => true,
            Element::NoMarkup(state) => state == State::RcData,
            Element::EndMark | Element::Other => false,
        };
        match open.element {
            Element::A if open.anchor.href.is_some() => {
                self.anchors.push(open.anchor);
                if self.anchors.len() > page::MOST_LINKS {
                    return Some(Told::TooManyLinks);
                }
            }
            // The first one counts, as HTML has it.
            Element::Base if self.base.is_none() => self.base = open.anchor.href,
            // PEP 629.
            Element::Meta if open.name.as_deref() == Some("pypi:repository-version") => {
                self.repository_version = open.content;
            }
            Element::NoMarkup(state) => return Some(Told::NoMarkup(state)),
            Element::EndMark => self.is_complete = true,
            _ => {}
        }
        None
    }
}

impl Attribute {
    fn named(name: &[u8]) -> Option<Self> {
        Some(match name {
            b"href" => Self::Href,
            b"data-requires-python" => Self::RequiresPython,
            b"data-yanked" => Self::Yanked,
            b"data-core-metadata" => Self::CoreMetadata,
            b"data-dist-info-metadata" => Self::DistInfoMetadata,
            b"data-upload-time" => Self::UploadTime,
            b"data-size" => Self::Size,
            b"name" => Self::Name,
            b"content" => Self::Content,
            _ => return None,
        })
    }
}

impl Open {
    fn value(&mut self, attribute: Attribute) -> &mut Option<String> {
        match attribute {
            Attribute::Href => &mut self.anchor.href,
            Attribute::RequiresPython => &mut self.anchor.requires_python,
            Attribute::Yanked => &mut self.anchor.yanked,
            Attribute::CoreMetadata => &mut self.anchor.core_metadata,
            Attribute::DistInfoMetadata => &mut self.anchor.dist_info_metadata,
            Attribute::UploadTime => &mut self.anchor.upload_time,
            Attribute::Size => &mut self.anchor.size,
            Attribute::Name => &mut self.name,
            Attribute::Content => &mut self.content,
        }
    }
}

impl Anchor {
    fn into_link(self, addresses: &mut Addresses<'_>) -> Option<Link<'static>> {
        let url = addresses.joined(&self.href?)?;
        let filename = page::filename_of(&url)?.into();
        let mut hashes = Hashes::default();
        let fragment = url.fragment().unwrap_or_default();
        for (algorithm, digest) in fragment.split('&').filter_map(|part| part.split_once('=')) {
            hashes.add(algorithm, digest);
        }
        Some(Link {
            filename,
            hashes,
            size: self.size.and_then(|size| size.trim().parse().ok()),
            uploaded: self.upload_time.as_deref().and_then(page::uploaded),
            requires_python: self.requires_python.map(Cow::Owned),
            yanked: match self.yanked {
                None => Yank::No,
                Some(reason) if reason.trim().is_empty() => Yank::Unsaid,
                Some(reason) => Yank::Because(Cow::Owned(reason)),
            },
            // PEP 714: the older attribute counts only where the newer one is absent.
            sidecar: self
                .core_metadata
                .or(self.dist_info_metadata)
                .map_or(Sidecar::None, |value| sidecar(value.trim())),
            url: Address::Parsed(url),
        })
    }
}

/// PEP 658: `true`, or a hash of the sidecar.
fn sidecar(value: &str) -> Sidecar {
    if let Some((algorithm, digest)) = value.split_once('=') {
        let mut hashes = Hashes::default();
        hashes.add(algorithm, digest);
        return hashes.of_sidecar();
    }
    if value.eq_ignore_ascii_case("true") {
        Sidecar::Unhashed
    } else {
        Sidecar::None
    }
}
