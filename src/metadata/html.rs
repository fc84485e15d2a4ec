//! HTML index pages (PEP 503), and flat pages of links (find-links).

use std::borrow::Cow;
use std::cell::RefCell;

use html5ever::tendril::StrTendril;
use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{
    BufferQueue, StartTag, Tag, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts,
};
use html5ever::{Attribute, local_name};
use url::Url;

use super::files::{Sidecar, Yank};
use super::page::{self, Address, Addresses, Hashes, Link};

/// A tag that no page has, fed after the body: where it does not arrive as a tag, the body
/// ended within one.
const END_MARK: &str = "mlresolve-end-of-page";

/// How much of a page is given to the tokenizer at once, in bytes.
const CHUNK: usize = 16 << 10;

/// How many attributes one tag or comment may seem to have, by the bytes that can end one. The
/// tokenizer compares each attribute of a tag with all before it.
const MOST_BREAKS: usize = 10_000;

/// How many such comparisons a page may cost.
const MOST_COMPARISONS: usize = 1 << 28;

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
    let found = tokenized(body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body))?;
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
fn tokenized(body: &[u8]) -> Result<Found, String> {
    let tokenizer = Tokenizer::new(Sink::default(), TokenizerOpts::default());
    let queue = BufferQueue::default();
    let body = String::from_utf8_lossy(body);
    let mut rest = body.as_ref();
    // Where nothing came of a chunk, all of it lies within one tag or comment.
    let (mut tokens, mut breaks) = (0, 0_usize);
    while !rest.is_empty() {
        let (chunk, after) = rest.split_at(rest.floor_char_boundary(CHUNK));
        rest = after;
        queue.push_back(StrTendril::from(chunk));
        // The sink never asks for a pause, so one call reads everything.
        let _ = tokenizer.feed(&queue);

        let found = tokenizer.sink.0.borrow();
        breaks += chunk.bytes().filter(|byte| is_break(*byte)).count();
        if found.tokens > tokens {
            (tokens, breaks) = (found.tokens, 0);
        }
        if breaks > MOST_BREAKS || found.comparisons > MOST_COMPARISONS {
            return Err("it has a tag with more attributes than any page has".to_owned());
        }
        if found.anchors.len() > page::MOST_LINKS {
            return Err(page::too_many_links());
        }
    }
    queue.push_back(StrTendril::from(format!("<{END_MARK}>")));
    let _ = tokenizer.feed(&queue);
    tokenizer.end();
    Ok(tokenizer.sink.0.into_inner())
}

/// Whether an attribute can end here.
fn is_break(byte: u8) -> bool {
    byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\'' | b'/')
}

#[derive(Default)]
struct Sink(RefCell<Found>);

/// What a page holds that matters.
#[derive(Default)]
struct Found {
    base: Option<StrTendril>,
    repository_version: Option<StrTendril>,
    anchors: Vec<Anchor>,
    /// How many tokens came.
    tokens: u64,
    /// How often attributes were compared for them, about.
    comparisons: usize,
    is_html: bool,
    is_complete: bool,
}

/// The attributes of a link, entities decoded.
struct Anchor {
    href: StrTendril,
    requires_python: Option<StrTendril>,
    yanked: Option<StrTendril>,
    core_metadata: Option<StrTendril>,
    dist_info_metadata: Option<StrTendril>,
    upload_time: Option<StrTendril>,
    size: Option<StrTendril>,
}

impl TokenSink for Sink {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        let mut found = self.0.borrow_mut();
        // What is wrong with a tag is told while it is read.
        found.tokens += u64::from(!matches!(token, Token::ParseError(_)));
        match token {
            Token::DoctypeToken(_) => found.is_html = true,
            Token::TagToken(tag) => {
                let attributes = tag.attrs.len();
                let comparisons = attributes.saturating_mul(attributes);
                found.comparisons = found.comparisons.saturating_add(comparisons);
                if tag.kind == StartTag {
                    return found.start_tag(tag);
                }
            }
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

impl Found {
    fn start_tag(&mut self, mut tag: Tag) -> TokenSinkResult<()> {
        // A tree builder would tell the tokenizer where markup is not markup.
        match tag.name {
            local_name!("script") => return TokenSinkResult::RawData(RawKind::ScriptData),
            local_name!("style") | local_name!("noframes") | local_name!("xmp") => {
                return TokenSinkResult::RawData(RawKind::Rawtext);
            }
            local_name!("title") | local_name!("textarea") => {
                self.is_html = true;
                return TokenSinkResult::RawData(RawKind::Rcdata);
            }
            local_name!("html") | local_name!("head") | local_name!("body") => self.is_html = true,
            local_name!("base") => {
                self.is_html = true;
                // The first one counts, as HTML has it.
                if self.base.is_none() {
                    self.base = take(&mut tag.attrs, "href");
                }
            }
            // PEP 629.
            local_name!("meta") => {
                self.is_html = true;
                let name = take(&mut tag.attrs, "name");
                if name.as_deref() == Some("pypi:repository-version") {
                    self.repository_version = take(&mut tag.attrs, "content");
                }
            }
            local_name!("a") => {
                self.is_html = true;
                self.anchors.extend(Anchor::read(&mut tag.attrs));
            }
            ref other if **other == *END_MARK => self.is_complete = true,
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

impl Anchor {
    fn read(attributes: &mut Vec<Attribute>) -> Option<Self> {
        Some(Self {
            href: take(attributes, "href")?,
            requires_python: take(attributes, "data-requires-python"),
            yanked: take(attributes, "data-yanked"),
            core_metadata: take(attributes, "data-core-metadata"),
            dist_info_metadata: take(attributes, "data-dist-info-metadata"),
            upload_time: take(attributes, "data-upload-time"),
            size: take(attributes, "data-size"),
        })
    }

    fn into_link(self, addresses: &mut Addresses<'_>) -> Option<Link<'static>> {
        let url = addresses.joined(&self.href)?;
        let filename = page::filename_of(&url)?.into();
        let mut hashes = Hashes::default();
        let fragment = url.fragment().unwrap_or_default();
        for (algorithm, digest) in fragment.split('&').filter_map(|part| part.split_once('=')) {
            hashes.add(algorithm, digest);
        }
        let owned = |text: StrTendril| Cow::Owned(String::from(text));
        Some(Link {
            filename,
            hashes,
            size: self.size.and_then(|size| size.trim().parse().ok()),
            uploaded: self.upload_time.as_deref().and_then(page::uploaded),
            requires_python: self.requires_python.map(owned),
            yanked: match self.yanked {
                None => Yank::No,
                Some(reason) if reason.trim().is_empty() => Yank::Unsaid,
                Some(reason) => Yank::Because(owned(reason)),
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

fn take(attributes: &mut Vec<Attribute>, name: &str) -> Option<StrTendril> {
    let position = attributes
        .iter()
        .position(|attribute| *attribute.name.local == *name)?;
    Some(attributes.swap_remove(position).value)
}
