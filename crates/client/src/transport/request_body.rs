//! [`RequestBody`], the body of a request.

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt as _;

use super::BoxError;

/// The body of a request: bytes, which can be sent again, or a stream, which is sent as it arrives.
///
/// Clones of a stream are the same stream. The first that is read has all of it, and reading another is an error, so
/// that a request is not sent again without the beginning of its body.
#[derive(Clone)]
pub struct RequestBody(Inner);

#[derive(Clone)]
enum Inner {
    Bytes(Bytes),
    Stream {
        stream: Arc<Mutex<Stream>>,
        /// This clone reads the stream.
        reads: bool,
    },
}

struct Stream {
    body: Pin<Box<dyn Body<Data = Bytes, Error = BoxError> + Send>>,
    is_read: bool,
}

impl RequestBody {
    /// A body that is sent as it arrives. Its size hint becomes the length of the request, if it is exact.
    pub fn stream<B>(body: B) -> Self
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        if body.is_end_stream() {
            return RequestBody::default();
        }
        let body = Box::pin(body.map_err(Into::into));
        let stream = Arc::new(Mutex::new(Stream { body, is_read: false }));
        RequestBody(Inner::Stream { stream, reads: false })
    }

    /// The bytes that are not sent yet; none of a stream.
    pub fn bytes(&self) -> &Bytes {
        static NONE: Bytes = Bytes::new();
        match &self.0 {
            Inner::Bytes(bytes) => bytes,
            Inner::Stream { .. } => &NONE,
        }
    }

    /// Returns true if a clone can be sent after this one was.
    pub(crate) fn is_repeatable(&self) -> bool {
        matches!(self.0, Inner::Bytes(_))
    }
}

impl Default for RequestBody {
    fn default() -> Self {
        RequestBody(Inner::Bytes(Bytes::new()))
    }
}

impl<T: Into<Bytes>> From<T> for RequestBody {
    fn from(bytes: T) -> Self {
        RequestBody(Inner::Bytes(bytes.into()))
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match &mut self.0 {
            Inner::Bytes(bytes) => {
                let bytes = std::mem::take(bytes);
                Poll::Ready((!bytes.is_empty()).then(|| Ok(Frame::data(bytes))))
            }
            Inner::Stream { stream, reads } => {
                let mut stream = stream.lock().expect("a body that panics is not read again");
                if !*reads && stream.is_read {
                    return Poll::Ready(Some(Err("the body of the request was sent already".into())));
                }
                (*reads, stream.is_read) = (true, true);
                stream.body.as_mut().poll_frame(context)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Inner::Bytes(bytes) => bytes.is_empty(),
            Inner::Stream { stream, .. } => {
                stream.lock().expect("a body that panics is not read again").body.is_end_stream()
            }
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Inner::Bytes(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Inner::Stream { stream, .. } => {
                stream.lock().expect("a body that panics is not read again").body.size_hint()
            }
        }
    }
}

/// Shows the length alone: the bytes may be secret.
impl fmt::Debug for RequestBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Inner::Bytes(bytes) => write!(f, "RequestBody({} bytes)", bytes.len()),
            Inner::Stream { .. } => f.write_str("RequestBody(a stream)"),
        }
    }
}
