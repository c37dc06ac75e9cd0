//! A server with a client of it, a client whose responses can be held back, and objects to put there.

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use http::Response;
use http_body::{Body, Frame};
use klient_api::core::v1::{ConfigMap, Secret};
use klient_apimachinery::meta::v1::ObjectMeta;
use klient_apiserver::TestServer;
use klient_cache::InformerFactory;
use klient_client::{BoxError, Client, Config, ResponseBody, Transport};
use tower::ServiceExt as _;

/// The time after which a test fails if an awaited event does not occur.
const PATIENCE: Duration = Duration::from_secs(20);

/// Waits for an event that must occur.
pub(crate) async fn soon<F: Future>(what: &str, future: F) -> F::Output {
    tokio::time::timeout(PATIENCE, future).await.unwrap_or_else(|_| panic!("{what} does not happen"))
}

/// Waits until a condition holds, for one that nothing tells of.
pub(crate) async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let polled = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    soon(what, polled).await;
}

/// A server, and a client with all permissions.
pub(crate) async fn cluster() -> (TestServer, Client) {
    let server = TestServer::start().await.unwrap();
    let client = Client::new(config(&server)).unwrap();
    (server, client)
}

/// The configuration of a client with all permissions.
pub(crate) fn config(server: &TestServer) -> Config {
    Config::from_kubeconfig(&server.kubeconfig()).unwrap()
}

/// A factory of informers of the namespace `default`, without its config map of the root certificates.
pub(crate) fn factory(client: Client) -> InformerFactory<Client> {
    let factory = InformerFactory::builder(client).namespace("default");
    factory.field_selector("metadata.name!=kube-root-ca.crt").unwrap().build()
}

/// A config map with a color.
pub(crate) fn config_map(name: &str, color: &str) -> ConfigMap {
    let metadata =
        ObjectMeta { name: Some(name.into()), labels: [("color", color)].into(), ..Default::default() };
    ConfigMap { metadata, data: [("color", color)].into(), ..Default::default() }
}

/// A secret without contents.
pub(crate) fn secret(name: &str) -> Secret {
    Secret { metadata: ObjectMeta::named(name), ..Default::default() }
}

/// Holds the bodies of responses back while it is closed.
#[derive(Clone, Default)]
pub(crate) struct Gate(Arc<Mutex<GateState>>);

#[derive(Default)]
struct GateState {
    is_closed: bool,
    waiting: Vec<Waker>,
}

impl Gate {
    pub(crate) fn close(&self) {
        self.0.lock().unwrap().is_closed = true;
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
            let gate = gate.clone();
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
