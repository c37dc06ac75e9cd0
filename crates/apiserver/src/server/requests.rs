//! [`Requests`], the requests in progress on a connection.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::Response;
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt as _;
use tokio::sync::watch;

use crate::respond::Body;

/// The number of requests in progress on a connection.
#[derive(Clone, Default)]
pub(super) struct Requests(Arc<watch::Sender<usize>>);

/// A request in progress, until dropped.
pub(super) struct Ongoing(Requests);

impl Requests {
    pub(super) fn begin(&self) -> Ongoing {
        self.0.send_modify(|count| *count += 1);
        Ongoing(self.clone())
    }

    /// Waits until there has been no request for some time.
    pub(super) async fn cease_for(&self, time: Duration) {
        let mut count = self.0.subscribe();
        while count.wait_for(|count| *count == 0).await.is_ok()
            && tokio::time::timeout(time, count.changed()).await.is_ok()
        {}
    }
}

impl Drop for Ongoing {
    fn drop(&mut self) {
        self.0.0.send_modify(|count| *count -= 1);
    }
}

/// A response that is in progress until its body is sent.
pub(super) fn hold(response: Response<Body>, ongoing: Ongoing) -> Response<Body> {
    response.map(|body| Held { body, _ongoing: ongoing }.boxed())
}

struct Held {
    body: Body,
    _ongoing: Ongoing,
}

impl http_body::Body for Held {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
