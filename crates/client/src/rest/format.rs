//! The format that a response is in.

use http::HeaderMap;
use http::header::CONTENT_TYPE;
use klient_apimachinery::codec::Format;

pub(super) const PROTOBUF: &str = "application/vnd.kubernetes.protobuf";

/// The format of a response by its Content-Type.
pub(super) fn format_of(headers: &HeaderMap) -> Format {
    let is_protobuf =
        headers.get(CONTENT_TYPE).is_some_and(|value| value.as_bytes().starts_with(PROTOBUF.as_bytes()));
    if is_protobuf { Format::Protobuf } else { Format::Json }
}
