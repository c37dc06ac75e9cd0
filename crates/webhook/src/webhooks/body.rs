//! The body of a request.

use std::pin::pin;

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use http_body::Body;
use http_body_util::BodyExt as _;
use klient_apimachinery::meta::Reason;
use klient_client::BoxError;

use super::refusal::Refusal;

/// The multiple of a limit up to which a body that exceeds it is read, so that its sender reads the response.
const DISCARDED: usize = 8;

/// Reads a body of at most `limit` bytes.
///
/// # Errors
///
/// 413 if it is larger, 400 if it ends early.
pub(super) async fn read<B>(body: B, limit: usize) -> Result<Bytes, Refusal>
where
    B: Body,
    B::Error: Into<BoxError>,
{
    let mut body = pin!(body);
    let (mut bytes, mut length) = (BytesMut::new(), 0_usize);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| {
            let error: BoxError = error.into();
            Refusal::bad_request(format!("the body cannot be read: {error}"))
        })?;
        let Ok(data) = frame.into_data() else { continue };
        length = length.saturating_add(data.remaining());
        if length > limit.saturating_mul(DISCARDED) {
            break;
        }
        if length <= limit {
            bytes.put(data);
        }
    }
    if length > limit {
        let message = format!("the review is larger than {limit} bytes");
        return Err(Refusal::new(Reason::RequestEntityTooLarge, message));
    }
    Ok(bytes.freeze())
}
