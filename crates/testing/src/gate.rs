//! [`Gate`], which holds back the watch events of one incarnation of a controller, and [`GatedBody`], a body behind it.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http_body::{Body, Frame};
use klient_client::{BoxError, ResponseBody};

/// Holds back the watch events of one incarnation of a controller, and all else once that is killed.
#[derive(Default)]
pub(crate) struct Gate(Mutex<State>);

#[derive(Default)]
struct State {
    is_killed: bool,
    is_held: bool,
    /// Watches from before have ended.
    epoch: u64,
    ending: Ending,
    next_body: u64,
    wakers: HashMap<u64, Waker>,
}

/// The end of watches.
#[derive(Clone, Copy, Default)]
enum Ending {
    /// With the event of a server that no longer has the changes since their version.
    #[default]
    Expired,
    /// By the loss of their connections.
    Cut,
}

impl Gate {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("no panics while held")
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        let wakers = {
            let mut state = self.lock();
            change(&mut state);
            std::mem::take(&mut state.wakers)
        };
        wakers.into_values().for_each(Waker::wake);
    }

    /// Lets nothing through for ever.
    pub(crate) fn kill(&self) {
        self.change(|state| state.is_killed = true);
    }

    /// Holds events back.
    pub(crate) fn hold(&self) {
        self.change(|state| state.is_held = true);
    }

    /// Lets the events through that were held back.
    pub(crate) fn release(&self) {
        self.change(|state| state.is_held = false);
    }

    /// Ends the watches, as a server does that no longer has the changes since their version. The events that were held
    /// back are lost.
    pub(crate) fn expire(&self) {
        self.end_watches(Ending::Expired);
    }

    /// Ends the watches by the loss of their connections. The events that were held back are lost.
    pub(crate) fn cut(&self) {
        self.end_watches(Ending::Cut);
    }

    fn end_watches(&self, ending: Ending) {
        self.change(|state| {
            state.is_held = false;
            state.epoch += 1;
            state.ending = ending;
        });
    }

    pub(crate) fn is_held(&self) -> bool {
        self.lock().is_held
    }

    pub(crate) fn is_killed(&self) -> bool {
        self.lock().is_killed
    }

    /// A body behind the gate, of a watch or of another answer, which is held back only when its reader is killed.
    pub(crate) fn body(self: &Arc<Self>, inner: ResponseBody, is_watch: bool) -> ResponseBody {
        let mut state = self.lock();
        state.next_body += 1;
        let (gate, id, epoch) = (self.clone(), state.next_body, state.epoch);
        drop(state);
        let inner = Some(inner);
        ResponseBody::new(GatedBody { gate, id, epoch, is_watch, inner, arrived: VecDeque::new(), end: None })
    }
}

/// A body behind a gate. Held back, it is read all the same, so that its sender notices nothing.
struct GatedBody {
    gate: Arc<Gate>,
    id: u64,
    epoch: u64,
    is_watch: bool,
    inner: Option<ResponseBody>,
    arrived: VecDeque<Frame<Bytes>>,
    /// The error at the end, once the end has come.
    end: Option<Option<BoxError>>,
}

/// The watch event with which a server ends a watch from a version that it no longer has.
const EXPIRED: &str = concat!(
    r#"{"type":"ERROR","object":{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","#,
    r#""message":"The resourceVersion for the provided watch is too old.","reason":"Expired","code":410}}"#,
    "\n"
);

impl GatedBody {
    /// Takes the frames that have arrived.
    fn read(&mut self, context: &mut Context<'_>) {
        while let Some(inner) = &mut self.inner {
            match Pin::new(inner).poll_frame(context) {
                Poll::Ready(Some(Ok(frame))) => self.arrived.push_back(frame),
                Poll::Ready(Some(Err(error))) => (self.inner, self.end) = (None, Some(Some(error))),
                Poll::Ready(None) => (self.inner, self.end) = (None, Some(None)),
                Poll::Pending => return,
            }
        }
    }
}

impl Body for GatedBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = &mut *self;
        this.read(context);
        let mut state = this.gate.lock();
        state.wakers.insert(this.id, context.waker().clone());
        if state.is_killed || this.is_watch && state.is_held {
            return Poll::Pending;
        }
        if this.is_watch && state.epoch > this.epoch {
            this.epoch = state.epoch;
            this.inner = None;
            (this.arrived, this.end) = match state.ending {
                Ending::Expired => ([Frame::data(Bytes::from_static(EXPIRED.as_bytes()))].into(), Some(None)),
                Ending::Cut => {
                    let error = io::Error::from(io::ErrorKind::ConnectionReset);
                    (VecDeque::new(), Some(Some(error.into())))
                }
            };
        }
        match (this.arrived.pop_front(), &mut this.end) {
            (Some(frame), _) => Poll::Ready(Some(Ok(frame))),
            (None, Some(error)) => Poll::Ready(error.take().map(Err)),
            (None, None) => Poll::Pending,
        }
    }
}
