//! Digests as text.

use sha2::{Digest, Sha256};

const DIGITS: [char; 16] = [
    '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f',
];

/// Bytes as hexadecimal digits in lower case.
pub fn hexadecimal(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(DIGITS[usize::from(byte >> 4)]);
        text.push(DIGITS[usize::from(byte & 0xF)]);
    }
    text
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

/// The sha256 of the bytes, hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    hexadecimal(&Sha256::digest(bytes))
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
}
