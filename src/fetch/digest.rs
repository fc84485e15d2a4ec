//! Digests as text.

use sha2::{Digest, Sha256};

pub use crate::metadata::{bytes_of, hexadecimal};

/// The sha256 of the bytes, hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    hexadecimal(&Sha256::digest(bytes))
}
