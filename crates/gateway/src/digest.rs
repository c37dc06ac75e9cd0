//! Random tokens and digests.

use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom as _, SystemRandom};

/// The SHA-256 digest of a secret: equal digests are equal secrets, and comparing them tells nothing of where two differ.
pub(crate) type Digest = [u8; 32];

pub(crate) fn sha256(bytes: &[u8]) -> Digest {
    digest(&SHA256, bytes).as_ref().try_into().expect("SHA-256 has 32 bytes")
}

/// The beginning of the digest in hexadecimal digits, for names and tags.
pub(crate) fn short(bytes: &[u8]) -> String {
    hex(&sha256(bytes)[..8])
}

/// A token of 192 random bits, in hexadecimal digits; `None` if the system has no source of random bits.
pub(crate) fn random_token() -> Option<String> {
    let mut bytes = [0; 24];
    SystemRandom::new().fill(&mut bytes).ok()?;
    Some(hex(&bytes))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
