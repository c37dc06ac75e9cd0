//! Encoding of objects as protobuf, from their JSON.

use bytes::Bytes;
use klient_apimachinery::codec::protobuf::{Envelope, ListPart};
use klient_apimachinery::codec::{json, protobuf};
use klient_apimachinery::message::Dynamic;
use klient_apimachinery::schema::Schema;
use serde::Deserialize;

/// The bytes of a struct given as JSON, without an envelope.
pub(crate) fn raw(json: &[u8], schema: &'static Schema) -> Vec<u8> {
    let mut message = Dynamic::new(schema);
    json::decode(json, &mut message).expect("the server has checked it against the same schema");
    let mut raw = Vec::new();
    protobuf::encode(&message, &mut raw);
    raw
}

/// An object given as JSON with its kind, in its envelope.
pub(crate) fn object(json: &[u8], schema: &'static Schema) -> Vec<u8> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct TypeMeta<'a> {
        // Some discovery documents lack it.
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
    let mut out = Vec::new();
    Envelope { api_version, kind, raw }.write(&mut out);
    out
}

/// The bytes before and after the items of a list: its envelope and metadata. The items follow as
/// [`ListPart::Item`]s.
pub(crate) fn around_list(
    api_version: &str,
    kind: &str,
    metadata: &[u8],
    items: &[Bytes],
) -> (Vec<u8>, Vec<u8>) {
    let metadata = ListPart::Metadata(metadata);
    let items: usize = items.iter().map(|item| ListPart::Item(item).length()).sum();
    let (mut head, tail) = Envelope::head_and_tail(api_version, kind, metadata.length() + items);
    metadata.push(&mut head);
    (head, tail.to_vec())
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
