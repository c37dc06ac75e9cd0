//! A server whose containers a test plays, and clients that reach it in several ways.

use std::sync::{Arc, Mutex};

use http::header::UPGRADE;
use http::{Request, Response};
use klient_api::core::v1::{Namespace, Pod};
use klient_apiserver::{Containers, Options, Server};
use klient_client::{Api, Client, Config, InNamespace, RequestBody, ResponseBody, Transport};
use serde_json::{Value, json};
use tower::ServiceExt as _;

/// A server with the namespace `shop`, and a client of it.
pub(crate) async fn server_of(containers: Containers) -> (Server, Client) {
    let options = Options { containers: Some(containers), ..Options::default() };
    let server = Server::start(options).await.unwrap();
    let client = Client::new(config_of(&server)).unwrap();
    let namespace = serde_json::from_value(json!({"metadata": {"name": "shop"}})).unwrap();
    client.api::<Namespace>().create(&namespace).await.unwrap();
    (server, client)
}

pub(crate) fn config_of(server: &Server) -> Config {
    Config::from_kubeconfig(&server.kubeconfig()).unwrap()
}

pub(crate) fn pods(client: &Client) -> Api<Pod, InNamespace> {
    client.api::<Pod>().namespace("shop")
}

/// Creates a pod of the app `web` with the phase `Running`, and the parts of a spec.
pub(crate) async fn running_pod(client: &Client, name: &str, containers: Value) {
    let pod = json!({
        "metadata": {"name": name, "labels": {"app": "web"}},
        "spec": {"containers": containers}
    });
    let pod: Pod = serde_json::from_value(pod).unwrap();
    pods(client).create(&pod).await.unwrap();
    set_running(client, name).await;
}

pub(crate) async fn set_running(client: &Client, name: &str) {
    let status = json!({"status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}});
    pods(client).patch_status(name, &klient_client::Patch::Merge(status)).await.unwrap();
}

/// A client whose requests for WebSocket are refused, as by a proxy that does not know it; and the protocols that it
/// requested.
pub(crate) fn client_without_websocket(server: &Server) -> (Client, Arc<Mutex<Vec<String>>>) {
    let requested = Arc::<Mutex<Vec<String>>>::default();
    let seen = requested.clone();
    let layer = tower::layer::layer_fn(move |transport: Transport| {
        let seen = seen.clone();
        tower::service_fn(move |request: Request<RequestBody>| {
            let (seen, transport) = (seen.clone(), transport.clone());
            async move {
                let upgrade = request.headers().get(UPGRADE).map(|value| value.to_str().unwrap().to_owned());
                seen.lock().unwrap().extend(upgrade.clone());
                if upgrade.as_deref() == Some("websocket") {
                    let body =
                        ResponseBody::new(http_body_util::Full::new(bytes::Bytes::from("no upgrades")));
                    let response: Result<_, klient_client::BoxError> =
                        Response::builder().status(403).body(body).map_err(Into::into);
                    return response;
                }
                transport.oneshot(request).await
            }
        })
    });
    (Client::with_layer(config_of(server), layer).unwrap(), requested)
}
