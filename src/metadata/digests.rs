//! The hashes of one file.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

const DIGITS: [u8; 16] = *b"0123456789abcdef";

/// Bytes as hexadecimal digits in lower case.
pub fn hexadecimal(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    push_hexadecimal(bytes, &mut text);
    text
}

/// Appends bytes as hexadecimal digits in lower case.
pub(super) fn push_hexadecimal(bytes: &[u8], text: &mut String) {
    let digit = |number: u8| DIGITS[usize::from(number)];
    for bytes in bytes.chunks(32) {
        let mut digits = [[0; 2]; 32];
        for (pair, byte) in digits.iter_mut().zip(bytes) {
            *pair = [digit(byte >> 4), digit(byte & 0xF)];
        }
        // Digits are text.
        let written = digits.as_flattened().get(..bytes.len() * 2);
        text.push_str(std::str::from_utf8(written.unwrap_or_default()).unwrap_or_default());
    }
}

/// The bytes that hexadecimal digits in lower case stand for; `None` where they are others,
/// or another number of them.
pub fn bytes_of<const LENGTH: usize>(digits: &str) -> Option<[u8; LENGTH]> {
    if digits.len() != LENGTH * 2 {
        return None;
    }
    let value = |digit: u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    };
    let mut bytes = [0; LENGTH];
    for (byte, pair) in bytes.iter_mut().zip(digits.as_bytes().as_chunks::<2>().0) {
        *byte = value(pair[0])? << 4 | value(pair[1])?;
    }
    Some(bytes)
}

/// The bytes of a sha256 in hexadecimal digits of either case; `None` where it is none.
pub(super) fn sha256_of(digits: &str) -> Option<[u8; 32]> {
    let digits: &[u8; 64] = digits.as_bytes().try_into().ok()?;
    // Without branches, so that the compiler takes many digits at once: a page of five thousand
    // files has ten thousand such hashes.
    let (mut values, mut is_wrong) = ([0; 64], false);
    for (value, digit) in values.iter_mut().zip(digits) {
        let number = digit.wrapping_sub(b'0');
        let letter = (digit | 0x20).wrapping_sub(b'a');
        *value = if number < 10 {
            number
        } else {
            letter.wrapping_add(10)
        };
        is_wrong |= number >= 10 && letter >= 6;
    }
    let mut bytes = [0; 32];
    for (byte, [high, low]) in bytes.iter_mut().zip(values.as_chunks().0) {
        *byte = high << 4 | low;
    }
    (!is_wrong).then_some(bytes)
}

/// The hashes of one file by algorithm (`sha256`), hexadecimal, lower case.
///
/// Pages list a hundred thousand files with one hash each, for which a map takes half a
/// kilobyte; so this is a list, sorted by algorithm.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Digests(Vec<(Cow<'static, str>, String)>);

impl Digests {
    /// No hashes.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// The hash that an algorithm gave.
    pub fn get(&self, algorithm: &str) -> Option<&str> {
        let known = self.0.iter().find(|(known, _)| known == algorithm);
        known.map(|(_, digest)| digest.as_str())
    }

    /// Adds a hash, in the place of one of the same algorithm.
    pub fn insert(&mut self, algorithm: &str, digest: String) {
        let place = self
            .0
            .binary_search_by(|(known, _)| known.as_ref().cmp(algorithm));
        match place {
            Ok(place) => self.0[place].1 = digest,
            Err(place) => {
                let algorithm = match algorithm {
                    "sha256" => Cow::Borrowed("sha256"),
                    other => Cow::Owned(other.to_owned()),
                };
                // Hardly any file has a second hash.
                self.0.reserve_exact(1);
                self.0.insert(place, (algorithm, digest));
            }
        }
    }

    /// Takes a hash away.
    pub fn remove(&mut self, algorithm: &str) -> Option<String> {
        let place = self.0.iter().position(|(known, _)| known == algorithm)?;
        Some(self.0.remove(place).1)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Algorithms and hashes, in the order of the algorithms' names.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(algorithm, digest)| (algorithm.as_ref(), digest.as_str()))
    }

    /// The same as a map.
    pub fn to_map(&self) -> BTreeMap<String, String> {
        self.pairs()
            .map(|(algorithm, digest)| (algorithm.to_owned(), digest.to_owned()))
            .collect()
    }
}

impl FromIterator<(String, String)> for Digests {
    fn from_iter<T: IntoIterator<Item = (String, String)>>(hashes: T) -> Self {
        let mut digests = Self::new();
        for (algorithm, digest) in hashes {
            digests.insert(&algorithm, digest);
        }
        digests
    }
}

impl<const N: usize> From<[(String, String); N]> for Digests {
    fn from(hashes: [(String, String); N]) -> Self {
        hashes.into_iter().collect()
    }
}

impl Serialize for Digests {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.pairs())
    }
}

impl<'de> Deserialize<'de> for Digests {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let map = BTreeMap::<String, String>::deserialize(deserializer)?;
        Ok(map.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_and_bytes_are_each_other() {
        assert_eq!(hexadecimal(&[0x00, 0x9a, 0xff]), "009aff");
        assert_eq!(bytes_of("009aff"), Some([0x00, 0x9a, 0xff]));
        assert_eq!(bytes_of::<3>("009aFF"), None, "not as it is written");
        assert_eq!(bytes_of::<2>("009aff"), None);
        assert_eq!(bytes_of::<2>("00é"), None);
    }

    #[test]
    fn digits_of_a_sha256_are_read_in_either_case() {
        let bytes: [u8; 32] = std::array::from_fn(|at| u8::try_from(at * 8).unwrap_or(0) ^ 0x0a);
        let digits = hexadecimal(&bytes);
        assert_eq!(sha256_of(&digits), Some(bytes));
        assert_eq!(sha256_of(&digits.to_uppercase()), Some(bytes));
        assert_eq!(sha256_of(&digits[1..]), None);
        // Every byte in some place, beside those that are digits.
        for byte in (0..=0x7f_u8).filter(|byte| !byte.is_ascii_hexdigit()) {
            let wrong = format!("{}{}{}", &digits[..40], char::from(byte), &digits[41..]);
            assert_eq!(sha256_of(&wrong), None, "{byte:#x}");
        }
        assert_eq!(sha256_of(&format!("{}é", &digits[2..])), None);
    }

    #[test]
    fn hashes_are_kept_by_algorithm_and_sorted() {
        let pairs = [("sha512", "b"), ("md5", "c"), ("sha256", "a"), ("md5", "d")];
        let mut digests: Digests = pairs
            .map(|(algorithm, digest)| (algorithm.to_owned(), digest.to_owned()))
            .into();
        let all: Vec<_> = digests.pairs().collect();
        assert_eq!(all, [("md5", "d"), ("sha256", "a"), ("sha512", "b")]);
        assert_eq!(digests.get("sha256"), Some("a"));
        assert_eq!(digests.remove("sha256").as_deref(), Some("a"));
        assert_eq!(digests.remove("sha256"), None);
        assert!(!digests.is_empty());
    }

    #[test]
    fn they_are_written_as_a_map_is() {
        let digests: Digests = [("sha256".to_owned(), "a".to_owned())].into();
        let written = json_of(&digests);
        assert_eq!(written, json_of(&digests.to_map()));
        let read: Digests = serde_json::from_str(&written).expect("it was written");
        assert_eq!(read, digests);
    }

    fn json_of(value: &impl Serialize) -> String {
        serde_json::to_string(value).expect("a map of texts")
    }
}
