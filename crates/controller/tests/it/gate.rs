//! [`Gate`], which holds the responses of a client back.

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body::{Body, Frame};
use klient_apiserver::TestServer;
use klient_client::{BoxError, Client, RequestBody, ResponseBody, Transport};
use tower::ServiceExt as _;

use crate::cluster::config;

/// Holds the bodies of responses back while it is closed.
#[derive(Clone, Default)]
pub(crate) struct Gate(Arc<Mutex<GateState>>);

#[derive(Default)]
struct GateState {
    is_closed: bool,
    /// It closes itself at a request of this method.
    closes_at: Option<Method>,
    waiting: Vec<Waker>,
}

impl Gate {
    pub(crate) fn close(&self) {
        self.0.lock().unwrap().is_closed = true;
    }

    /// Closes the gate when a request of a method is sent.
    pub(crate) fn close_at(&self, method: Method) {
        self.0.lock().unwrap().closes_at = Some(method);
    }

    pub(crate) fn open(&self) {
        let mut state = self.0.lock().unwrap();
        state.is_closed = false;
        state.waiting.drain(..).for_each(Waker::wake);
    }

    /// A client whose responses pass the gate.
    pub(crate) fn client(&self, server: &TestServer) -> Client {
        let gate = self.clone();
        let layer = tower::layer::layer_fn(move |transport: Transport| {
            let (gate, requests) = (gate.clone(), gate.clone());
            let transport = transport.map_request(move |request: Request<RequestBody>| {
                let mut state = requests.0.lock().unwrap();
                if state.closes_at.as_ref() == Some(request.method()) {
                    state.closes_at = None;
                    state.is_closed = true;
                }
                drop(state);
                request
            });
            transport.map_response(move |response: Response<ResponseBody>| {
                let gate = gate.clone();
                response.map(|body| ResponseBody::new(Gated { body, gate }))
            })
        });
        Client::with_layer(config(server), layer).unwrap()
    }
}

struct Gated {
    body: ResponseBody,
    gate: Gate,
}

impl Body for Gated {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        {
            let mut state = self.gate.0.lock().unwrap();
            if state.is_closed {
                state.waiting.push(cx.waker().clone());
                return Poll::Pending;
            }
        }
        Pin::new(&mut self.body).poll_frame(cx)
    }
}
