//! Hashes given with a requirement.

use super::fault::Trouble;

/// Reads a hash: the algorithm's name and a hexadecimal value of the right length.
///
/// pip takes sha256, sha384 and sha512, since weaker ones prove nothing.
pub(super) fn parse(algorithm: &str, value: &str) -> Result<(String, String), Trouble> {
    let length = match algorithm {
        "sha256" => 64,
        "sha384" => 96,
        "sha512" => 128,
        other => {
            return Err(Trouble::new(
                format!("`{other}` is no algorithm that is accepted"),
                "use sha256, sha384 or sha512",
            ));
        }
    };
    if value.len() != length || !value.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(Trouble::new(
            format!("expected {length} hexadecimal digits for {algorithm}"),
            "copy the whole hash",
        ));
    }
    Ok((algorithm.to_owned(), value.to_ascii_lowercase()))
}
