//! Bytes, which JSON has in base64.

use fastrand::Rng;
use klient_api::core::v1::Secret;

use crate::input::pick;
use crate::judge::Answer;
use crate::question::{Kept, Question};
use crate::words;

pub(crate) const QUESTIONS: &[Question] =
    &[Question { name: "bytes", table: BYTES, make, ours, compares_words: false, kept: KEPT }];

const KEPT: &[Kept] = &[
    Kept { reason: "null is no bytes", is: |input, ours, _| input.trim() == "null" && ours.is_ok() },
    Kept {
        reason: "lists of numbers, which nothing writes, are read by the server alone",
        is: |input, ours, theirs| input.trim().starts_with('[') && ours.is_err() && theirs.is_ok(),
    },
];

const BYTES: &[&str] = &[
    r#""""#,
    r#""aGVsbG8=""#,
    r#""aGVs\nbG8=\n""#,
    r#""aGVs\r\nbG8=""#,
    r#""aGVsbG8=\r\n""#,
    r#""aGVsbG8\n=""#,
    r#""aGVsbA=\n=""#,
    r#""\n""#,
    r#""aGVsbG8""#,
    r#""aGVsbG8==""#,
    r#""aGVs bG8=""#,
    r#""aGVsbG8=\t""#,
    r#""aGVsbG9=""#,
    r#""aGVsbB==""#,
    r#""aGVsbG8=aGVs""#,
    r#""a""#,
    r#""aG""#,
    r#""=""#,
    r#""====""#,
    r#""a-_=""#,
    r#""+/+/""#,
    r#""é===""#,
    "null",
    "5",
    "{}",
    "true",
    "[]",
    "[104, 105]",
    "[256]",
    r#"["a"]"#,
    "[null]",
];

fn make(rng: &mut Rng) -> String {
    let len = rng.usize(0..30);
    let breaks = rng.bool();
    let mut text = String::from('"');
    for _ in 0..len {
        if breaks && rng.u8(0..8) == 0 {
            text.push_str(pick(rng, &["\\n", "\\r\\n", "\\r"]));
        }
        text.push(pick(rng, &['a', 'A', 'Q', 'g', 'w', 'z', '0', '9', '+', '/']));
    }
    text.push_str(pick(rng, &["", "=", "==", "\\n", "=\\n", "=\\n=", "=\\n=\\n"]));
    text.push('"');
    text
}

fn ours(input: &str) -> Answer {
    let json = format!(r#"{{"apiVersion":"v1","kind":"Secret","data":{{"a":{input}}}}}"#);
    let secret: Secret = klient_apimachinery::codec::json::from_slice(json.as_bytes()).map_err(words)?;
    let by_serde: Secret = serde_json::from_str(&json).map_err(words)?;
    if by_serde != secret {
        return Err("serde reads it differently".to_owned());
    }
    Ok(serde_json::to_value(&secret).map_err(words)?["data"]["a"].to_string())
}
