//! Credentials appear in no lock.

/// The URL without user name and password.
///
/// Kept are the user of an ssh URL (`git@`: an account, not a secret) and credentials
/// that are nothing but variables (`${TOKEN}`), which is how a lock can name them without
/// holding them. What is no URL (a path, a name) is given back as it is.
pub(super) fn without_credentials(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at(end);
    let Some((user, host)) = authority.rsplit_once('@') else {
        return url.to_owned();
    };
    if user.split(':').all(is_variable) {
        return url.to_owned();
    }
    if scheme.ends_with("ssh") {
        let account = user.split(':').next().unwrap_or_default();
        return format!("{scheme}://{account}@{host}{tail}");
    }
    format!("{scheme}://{host}{tail}")
}

fn is_variable(text: &str) -> bool {
    text.strip_prefix("${")
        .and_then(|rest| rest.strip_suffix('}'))
        .is_some_and(|name| {
            !name.is_empty()
                && name
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        })
}

#[cfg(test)]
mod tests {
    use super::without_credentials;

    #[test]
    fn credentials_go_and_the_rest_stays() {
        for (url, expected) in [
            (
                "https://index.example/simple/",
                "https://index.example/simple/",
            ),
            (
                "https://user:pw@index.example/simple/",
                "https://index.example/simple/",
            ),
            (
                "https://token@index.example/s?a=b@c",
                "https://index.example/s?a=b@c",
            ),
            (
                "https://a:b@c@index.example:8080/x@1",
                "https://index.example:8080/x@1",
            ),
            ("https://u:p@index.example", "https://index.example"),
            (
                "git+https://t@git.example/x.git@v1#egg=x",
                "git+https://git.example/x.git@v1#egg=x",
            ),
            (
                "git+ssh://git@git.example/x.git@v1",
                "git+ssh://git@git.example/x.git@v1",
            ),
            (
                "git+ssh://git:pw@git.example/x.git",
                "git+ssh://git@git.example/x.git",
            ),
            (
                "https://${USER}:${TOKEN}@files.example/x",
                "https://${USER}:${TOKEN}@files.example/x",
            ),
            (
                "https://${USER}:secret@files.example/x",
                "https://files.example/x",
            ),
            (
                "https://x${USER}@files.example/x",
                "https://files.example/x",
            ),
            ("./a@b/c.whl", "./a@b/c.whl"),
            ("https://", "https://"),
            ("://@", "://"),
        ] {
            assert_eq!(without_credentials(url), expected, "{url}");
        }
    }
}
