//! The values of WebSocket's handshake (RFC 6455, section 4) that are not fixed.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use ring::rand::{SecureRandom as _, SystemRandom};

/// The suffix that turns a key into its answer.
const SUFFIX: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// The value of `Sec-WebSocket-Accept` that answers a value of `Sec-WebSocket-Key`.
///
/// ```
/// // The example of RFC 6455.
/// let answer = klient_streams::websocket::accept_key("dGhlIHNhbXBsZSBub25jZQ==");
/// assert_eq!(answer, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
/// ```
pub fn accept_key(key: &str) -> String {
    let text = format!("{}{SUFFIX}", key.trim());
    STANDARD.encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, text.as_bytes()))
}

/// A random value of `Sec-WebSocket-Key`.
///
/// # Panics
///
/// If the system has no randomness.
pub fn new_key() -> String {
    let mut nonce = [0; 16];
    SystemRandom::new().fill(&mut nonce).expect("TLS, below which this runs, has had randomness");
    STANDARD.encode(nonce)
}
