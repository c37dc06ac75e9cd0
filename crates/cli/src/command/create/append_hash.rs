//! Content hashes of `--append-hash` (kubectl's `pkg/util/hash`).

use std::fmt::Write as _;

use klient_apimachinery::{Object, Unstructured};
use ring::digest::{SHA256, digest};
use serde_json::json;

use crate::print::compact;

/// Returns the hash of a ConfigMap's name, `data` and `binaryData`.
pub(super) fn config_map(object: &Unstructured) -> String {
    // kubectl hashes missing data as an empty map.
    let data = if object["data"].is_object() { object["data"].clone() } else { json!({}) };
    let mut hashed = json!({"kind": "ConfigMap", "name": object.name(), "data": data});
    if object["binaryData"].is_object() {
        hashed["binaryData"] = object["binaryData"].clone();
    }
    encode(&compact(&hashed))
}

/// Returns the first ten hexadecimal digits of the SHA-256 hash; vowels, 0, 1 and 3 are replaced by consonants, so that
/// no word appears.
fn encode(text: &str) -> String {
    let mut hex = String::new();
    for byte in &digest(&SHA256, text.as_bytes()).as_ref()[..5] {
        write!(hex, "{byte:02x}").expect("a String takes all text");
    }
    let safe = |c| match c {
        '0' => 'g',
        '1' => 'h',
        '3' => 'k',
        'a' => 'm',
        'e' => 't',
        c => c,
    };
    hex.chars().map(safe).collect()
}
