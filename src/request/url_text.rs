//! URLs as text: what may be shown of them, and percent-encoding.

use url::Url;

/// The text with the password of every URL in it replaced by asterisks, byte for byte,
/// so that spans still fit. Where there is no password, the user name may be a token.
pub(super) fn blot(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(position) = rest.find("://") {
        let (before, after) = rest.split_at(position + 3);
        shown.push_str(before);
        let end = after
            .find(|c: char| c.is_whitespace() || matches!(c, '/' | '?' | '#' | '"' | '\''))
            .unwrap_or(after.len());
        let (authority, tail) = after.split_at(end);
        shown.push_str(&blot_authority(authority));
        rest = tail;
    }
    shown.push_str(rest);
    shown
}

fn blot_authority(authority: &str) -> String {
    let Some((user, host)) = authority.rsplit_once('@') else {
        return authority.to_owned();
    };
    let (kept, secret) = match user.split_once(':') {
        Some((name, password)) => (format!("{name}:"), password),
        // `git@host` is no secret; a variable is not one either, its value is.
        None if user == "git" || user.starts_with("${") => (user.to_owned(), ""),
        None => (String::new(), user),
    };
    let secret = if secret.starts_with("${") && secret.ends_with('}') {
        secret.to_owned()
    } else {
        "*".repeat(secret.len())
    };
    format!("{kept}{secret}@{host}")
}

/// Undoes percent-encoding. What is not UTF-8 then is replaced.
pub(super) fn percent_decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut position = 0;
    while let Some(byte) = bytes.get(position) {
        let pair = text
            .get(position + 1..position + 3)
            .filter(|pair| pair.bytes().all(|byte| byte.is_ascii_hexdigit()))
            .and_then(|pair| u8::from_str_radix(pair, 16).ok());
        if let (b'%', Some(value)) = (byte, pair) {
            decoded.push(value);
            position += 3;
        } else {
            decoded.push(*byte);
            position += 1;
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

/// The `file:` URL of an absolute path, POSIX's or Windows'.
pub(super) fn from_path(path: &str) -> Option<String> {
    let windows = is_windows(path);
    let slashed = if windows {
        path.replace('\\', "/")
    } else {
        path.to_owned()
    };
    let mut url = Url::parse("file:///").ok()?;
    let local = match slashed.strip_prefix("//") {
        // `\\server\share`
        Some(rest) if windows => {
            let (server, local) = rest.split_once('/').unwrap_or((rest, ""));
            url.set_host(Some(server)).ok()?;
            local.to_owned()
        }
        _ => slashed,
    };
    let mut segments: Vec<&str> = Vec::new();
    for segment in local.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                segments.pop();
            }
            other => segments.push(other),
        }
    }
    url.path_segments_mut().ok()?.clear().extend(segments);
    Some(url.into())
}

/// The path that a `file:` URL names; relative where the URL is (`file:../x`).
/// `None` where it names another machine.
pub(super) fn to_path(url: &str) -> Option<String> {
    let rest = url.get(5..)?;
    let rest = rest.split(['#', '?']).next().unwrap_or_default();
    let path = match rest.strip_prefix("//") {
        None => rest,
        Some(rest) => {
            let start = rest.find('/').unwrap_or(rest.len());
            let (host, path) = rest.split_at(start);
            if !host.is_empty() && !host.eq_ignore_ascii_case("localhost") {
                return None;
            }
            path
        }
    };
    let path = percent_decode(path);
    // `/C:/x` is `C:/x`.
    match path.strip_prefix('/') {
        Some(rest) if has_drive(rest) => Some(rest.to_owned()),
        _ => Some(path),
    }
}

/// Whether a path is written as Windows writes absolute paths.
pub(super) fn is_windows(path: &str) -> bool {
    has_drive(path) || path.starts_with(r"\\")
}

/// Whether a path begins with a drive (`C:\`, `C:/`).
pub(super) fn has_drive(path: &str) -> bool {
    let mut characters = path.chars();
    characters.next().is_some_and(|c| c.is_ascii_alphabetic())
        && characters.next() == Some(':')
        && matches!(characters.next(), Some('/' | '\\'))
}
