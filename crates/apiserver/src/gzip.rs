//! Gzip compression of responses.

use std::convert::Infallible;
use std::io::Write as _;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, Bytes};
use flate2::Compression;
use flate2::write::GzEncoder;
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, HeaderValue, VARY};
use http::{HeaderMap, Response};
use http_body::{Body as _, Frame};
use http_body_util::BodyExt as _;

use crate::respond::Body;

/// Responses up to this size, in bytes, are not compressed.
const WORTH_IT: usize = 128 * 1024;

/// The size of the pieces compressed at a time, in bytes.
const PIECE: usize = 64 * 1024;

/// The approximate size, in bytes, of a response written while it is sent.
#[derive(Clone, Copy)]
pub(crate) struct About(pub(crate) usize);

/// Returns true if a client accepts gzip; like upstream, regardless of its weight.
pub(crate) fn is_accepted(headers: &HeaderMap) -> bool {
    let header = headers.get(ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
    header.split(',').any(|coding| coding.trim() == "gzip")
}

/// Compresses a large response. A watch is not compressed: its size is unknown.
pub(crate) fn compress(response: Response<Body>) -> Response<Body> {
    let whole = response.body().size_hint().exact().and_then(|size| usize::try_from(size).ok());
    let size = whole.or(response.extensions().get().map(|About(size)| *size));
    if size.is_none_or(|size| size <= WORTH_IT) {
        return response;
    }
    let mut response = response.map(|body| Compressed::new(body).boxed());
    let headers = response.headers_mut();
    headers.remove(CONTENT_LENGTH);
    headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    headers.append(VARY, HeaderValue::from_static("Accept-Encoding"));
    response
}

/// A body compressed while it is sent.
struct Compressed {
    body: Body,
    /// The part of the body that is received and not compressed yet.
    waiting: Bytes,
    /// `None` once the end is written.
    encoder: Option<GzEncoder<Vec<u8>>>,
}

impl Compressed {
    fn new(body: Body) -> Self {
        let encoder = GzEncoder::new(Vec::new(), Compression::fast());
        Compressed { body, waiting: Bytes::new(), encoder: Some(encoder) }
    }
}

impl http_body::Body for Compressed {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let this = &mut *self;
        let Some(encoder) = &mut this.encoder else { return Poll::Ready(None) };
        loop {
            if this.waiting.is_empty() {
                match ready!(Pin::new(&mut this.body).poll_frame(context)) {
                    Some(frame) => {
                        this.waiting = frame?.into_data().unwrap_or_default();
                        continue;
                    }
                    None => {
                        let encoder = this.encoder.take().expect("it is there until the end");
                        let rest = encoder.finish().expect("a Vec takes all bytes");
                        return Poll::Ready(Some(Ok(Frame::data(rest.into()))));
                    }
                }
            }
            let piece = this.waiting.len().min(PIECE);
            encoder.write_all(&this.waiting[..piece]).expect("a Vec takes all bytes");
            this.waiting.advance(piece);
            if !encoder.get_ref().is_empty() {
                let written = std::mem::take(encoder.get_mut());
                return Poll::Ready(Some(Ok(Frame::data(written.into()))));
            }
        }
    }
}
