//! `/v1/overview/changes`: server-sent events that say when to read the overview again.

use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::select_all;
use futures_util::stream;
use tokio::sync::watch;

use super::{Feeds, filter};
use crate::failure::Failure;
use crate::feed::OpenStream;
use crate::overviews::PAUSE;
use crate::response::{self, Response};
use crate::routes::Context;
use crate::streams::Stream;

/// The interval of comments, by which both ends notice that the other is gone.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// The informers of the overview.
struct Following {
    feeds: Vec<(OpenStream, watch::Receiver<u64>)>,
    shutdown: watch::Receiver<bool>,
    has_begun: bool,
    has_ended: bool,
    /// Counted until the stream ends.
    _open: Stream,
}

/// The event `overview` when something in the overview has changed, once a second at most.
pub(in crate::routes) async fn changes(context: Context) -> Result<Response, Failure> {
    let filter = filter(&context)?;
    let open = context.gateway.streams.open(&context.caller.client)?;
    let (mut following, mut refused) = (Vec::new(), None);
    for feed in Feeds::of(&context, &filter).await.into_all() {
        match feed {
            Ok(feed) => following.push((feed.open_stream(), feed.ring().subscribe())),
            Err(failure) => refused = Some(failure),
        }
    }
    if let Some(failure) = refused.filter(|_| following.is_empty()) {
        return Err(failure);
    }
    let shutdown = context.gateway.shutdown.subscribe();
    let following = Following { feeds: following, shutdown, has_begun: false, has_ended: false, _open: open };
    Ok(response::events(stream::unfold(following, |mut following| async move {
        let bytes = following.next().await?;
        Some((bytes, following))
    })))
}

impl Following {
    async fn next(&mut self) -> Option<Bytes> {
        if self.has_ended {
            return None;
        }
        if !std::mem::replace(&mut self.has_begun, true) {
            return Some(Bytes::from_static(b"retry: 1000\n\n"));
        }
        let changed: Vec<Pin<Box<dyn Future<Output = _> + Send + '_>>> =
            self.feeds.iter_mut().map(|(_, last)| Box::pin(last.changed()) as _).collect();
        tokio::select! {
            _ = select_all(changed) => {}
            _ = self.shutdown.wait_for(|is_down| *is_down) => return None,
            () = tokio::time::sleep(KEEP_ALIVE) => return Some(Bytes::from_static(b": \n\n")),
        }
        // What changes in the pause may not be in an overview that was computed in it: it is told by the next event.
        self.feeds.iter_mut().for_each(|(_, last)| last.mark_unchanged());
        tokio::time::sleep(PAUSE).await;
        // The client comes back, and gets the informers that there are then.
        self.has_ended = self.feeds.iter().any(|(feed, _)| feed.has_ended());
        Some(Bytes::from_static(b"event: overview\ndata: {}\n\n"))
    }
}
