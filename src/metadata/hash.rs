//! One hash of a file.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;

use super::digests::{bytes_of, hexadecimal, push_hexadecimal};

/// A hash of a file: the algorithm (`sha256`) and the digest, hexadecimal.
///
/// In the order of their texts, algorithm first.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct FileHash(Kept);

/// Nearly all are sha256, of which locks have thousands.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Kept {
    Sha256([u8; 32]),
    /// Never what the first could hold.
    Other(Box<(String, String)>),
}

impl FileHash {
    /// The hash that an algorithm gave, as hexadecimal digits.
    pub fn new(algorithm: &str, digest: &str) -> Self {
        let bytes = (algorithm == "sha256").then(|| bytes_of(digest)).flatten();
        Self(match bytes {
            Some(bytes) => Kept::Sha256(bytes),
            None => Kept::Other(Box::new((algorithm.to_owned(), digest.to_owned()))),
        })
    }

    /// A sha256.
    pub const fn sha256(digest: [u8; 32]) -> Self {
        Self(Kept::Sha256(digest))
    }

    /// The algorithm.
    pub fn algorithm(&self) -> &str {
        match &self.0 {
            Kept::Sha256(_) => "sha256",
            Kept::Other(other) => &other.0,
        }
    }

    /// The digest, hexadecimal.
    pub fn digest(&self) -> Cow<'_, str> {
        match &self.0 {
            Kept::Sha256(bytes) => Cow::Owned(hexadecimal(bytes)),
            Kept::Other(other) => Cow::Borrowed(&other.1),
        }
    }

    /// Appends `algorithm:digest`.
    pub fn push_to(&self, text: &mut String) {
        text.push_str(self.algorithm());
        text.push(':');
        match &self.0 {
            Kept::Sha256(bytes) => push_hexadecimal(bytes, text),
            Kept::Other(other) => text.push_str(&other.1),
        }
    }
}

impl From<(String, String)> for FileHash {
    fn from((algorithm, digest): (String, String)) -> Self {
        Self::new(&algorithm, &digest)
    }
}

impl Ord for FileHash {
    fn cmp(&self, other: &Self) -> Ordering {
        match (&self.0, &other.0) {
            // Digits are in the order of their numbers.
            (Kept::Sha256(one), Kept::Sha256(other)) => one.cmp(other),
            _ => (self.algorithm(), self.digest()).cmp(&(other.algorithm(), other.digest())),
        }
    }
}

impl PartialOrd for FileHash {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for FileHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.algorithm(), self.digest())
    }
}

impl fmt::Debug for FileHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pair() -> impl Strategy<Value = (String, String)> {
        let algorithm = prop_oneof![Just("sha256"), Just("md5"), Just("sha512"), Just("")];
        let digest = prop_oneof!["[0-9a-f]{64}", "[0-9a-f]{0,3}", "[0-9A-F]{64}", "[0f]{64}"];
        (algorithm.prop_map(str::to_owned), digest)
    }

    proptest! {
        /// A hash is the pair of its texts, however it is kept.
        #[test]
        fn a_hash_is_its_texts(one in pair(), other in pair()) {
            let (hash, second) = (FileHash::from(one.clone()), FileHash::from(other.clone()));
            prop_assert_eq!(hash.algorithm(), &one.0);
            prop_assert_eq!(hash.digest(), one.1.as_str());
            prop_assert_eq!(hash.cmp(&second), one.cmp(&other));
            prop_assert_eq!(hash == second, one == other);
            let mut text = String::new();
            hash.push_to(&mut text);
            prop_assert_eq!(&text, &format!("{}:{}", one.0, one.1));
            prop_assert_eq!(text, hash.to_string());
        }
    }
}
