//! Objects in protobuf, made from their JSON.

use bytes::Bytes;
use klient_apimachinery::codec::protobuf::{Envelope, ListPart, MAGIC};
use klient_apimachinery::codec::{json, protobuf};
use klient_apimachinery::message::Dynamic;
use klient_apimachinery::schema::Schema;
use serde::Deserialize;

/// How much a list's head is longer than the names in it, at most.
const HEAD: usize = 64;

/// How and as what a list is encoded once more: it is not.
const TAIL: [u8; 4] = [3 << 3 | 2, 0, 4 << 3 | 2, 0];

/// The bytes of a struct that the server has as JSON, without an envelope.
pub(crate) fn raw(json: &[u8], schema: &'static Schema) -> Vec<u8> {
    let mut message = Dynamic::new(schema);
    json::decode(json, &mut message).expect("the server has checked it against the same schema");
    let mut raw = Vec::new();
    protobuf::encode(&message, &mut raw);
    raw
}

/// An object that the server has as JSON, which names its kind, in its envelope.
pub(crate) fn object(json: &[u8], schema: &'static Schema) -> Vec<u8> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct TypeMeta<'a> {
        // Of discovery documents some do not say it.
        #[serde(default = "core")]
        api_version: &'a str,
        kind: &'a str,
    }
    fn core<'a>() -> &'a str {
        "v1"
    }
    let TypeMeta { api_version, kind } = serde_json::from_slice(json).expect("it names its kind");
    enveloped(api_version, kind, &raw(json, schema))
}

/// An object's bytes in its envelope.
pub(crate) fn enveloped(api_version: &str, kind: &str, raw: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(raw.len() + HEAD + api_version.len() + kind.len());
    Envelope { api_version, kind, raw }.write(&mut out);
    out
}

/// What stands before the items of a list and behind them: its envelope, and its metadata. The items follow as
/// [`ListPart::Item`]s.
pub(crate) fn around_list(
    api_version: &str,
    kind: &str,
    metadata: &[u8],
    items: &[Bytes],
) -> (Vec<u8>, Vec<u8>) {
    let mut type_meta = Vec::with_capacity(HEAD + api_version.len() + kind.len());
    push_field(1, api_version.as_bytes(), &mut type_meta);
    push_field(2, kind.as_bytes(), &mut type_meta);
    let mut first = Vec::with_capacity(HEAD);
    ListPart::Metadata(metadata).push(&mut first);
    let items: usize = items.iter().map(|item| 1 + varint(item.len()).count() + item.len()).sum();

    let mut head = MAGIC.to_vec();
    push_field(1, &type_meta, &mut head);
    push_head(2, first.len() + items, &mut head);
    head.extend(first);
    (head, TAIL.to_vec())
}

fn push_field(number: u8, bytes: &[u8], out: &mut Vec<u8>) {
    push_head(number, bytes.len(), out);
    out.extend_from_slice(bytes);
}

/// The tag and length before so many bytes.
fn push_head(number: u8, length: usize, out: &mut Vec<u8>) {
    out.push(number << 3 | 2);
    out.extend(varint(length));
}

fn varint(number: usize) -> impl Iterator<Item = u8> {
    let mut rest = Some(number);
    std::iter::from_fn(move || {
        let low = rest?;
        rest = (low >= 0x80).then_some(low >> 7);
        // The highest bit says that more follows.
        Some((low & 0x7f) as u8 | if rest.is_some() { 0x80 } else { 0 })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_in_pieces_is_the_list_in_one() {
        for length in [0, 1, 100, 127, 128, 20_000] {
            let items = vec![Bytes::from(vec![7; length]), Bytes::from(vec![8; 3])];
            let (mut pieces, tail) = around_list("v1", "PodList", b"meta", &items);
            let mut raw = Vec::new();
            ListPart::Metadata(b"meta").push(&mut raw);
            for item in &items {
                ListPart::Item(item).push(&mut pieces);
                ListPart::Item(item).push(&mut raw);
            }
            pieces.extend(tail);
            assert_eq!(pieces, enveloped("v1", "PodList", &raw), "{length}");
        }
    }
}
