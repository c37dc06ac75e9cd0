//! An embedded server with a gateway in front of it, and a client that sends anything.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, HOST, HeaderMap};
use http::{HeaderValue, Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use klient_apiserver::Server;
use klient_client::{Client, Config};
use klient_gateway::{Gateway, Options};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// The time after which a test fails if an awaited event does not occur.
const PATIENCE: Duration = Duration::from_secs(30);

/// Waits for an event that must occur.
pub(crate) async fn soon<F: Future>(what: &str, future: F) -> F::Output {
    tokio::time::timeout(PATIENCE, future).await.unwrap_or_else(|_| panic!("{what} does not happen"))
}

pub(crate) struct Stage {
    pub(crate) server: Server,
    pub(crate) admin: Client,
    pub(crate) gateway: Gateway,
    pub(crate) address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    serving: JoinHandle<Result<(), klient_gateway::Error>>,
}

/// A whole response.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The status and the code of a failure.
    pub(crate) fn failure(&self) -> (u16, String) {
        let error = self.json()["error"].take();
        assert_eq!(error["status"], self.status.as_u16(), "{error}");
        assert!(!error["message"].as_str().unwrap().is_empty());
        (self.status.as_u16(), error["code"].as_str().unwrap().to_owned())
    }

    /// The names of the rows of a table.
    pub(crate) fn names(&self) -> Vec<String> {
        let table = self.json();
        let rows = table["rows"].as_array().unwrap_or_else(|| panic!("{table}"));
        rows.iter().map(|row| row["metadata"]["name"].as_str().unwrap().to_owned()).collect()
    }
}

impl Stage {
    pub(crate) async fn start(options: Options) -> Self {
        Stage::start_as(async |admin| (admin.clone(), options)).await
    }

    /// With contexts that may be those of the stage's own server.
    pub(crate) async fn start_with(
        options: Options,
        contexts: impl FnOnce(&Client) -> Vec<klient_gateway::Context>,
    ) -> Self {
        Stage::start_as(async |admin| (admin.clone(), Options { contexts: contexts(admin), ..options })).await
    }

    /// With the client of the gateway, and its options, made on the server of the stage.
    pub(crate) async fn start_as(prepare: impl AsyncFnOnce(&Client) -> (Client, Options)) -> Self {
        let server = klient_apiserver::Options {
            containers: Some(klient_apiserver::Containers::built_in()),
            ..klient_apiserver::Options::default()
        };
        let server = Server::start(server).await.unwrap();
        let admin = Client::new(Config::from_kubeconfig(&server.kubeconfig()).unwrap()).unwrap();
        let (client, options) = prepare(&admin).await;
        let gateway = Gateway::new(client, options).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let shutdown = async move { drop(stopped.await) };
        let serving = tokio::spawn(gateway.clone().serve(listener, shutdown));
        Stage { server, admin, gateway, address, stop: Some(stop), serving }
    }

    /// Shuts the gateway down, and waits for its end.
    pub(crate) async fn stop(&mut self) {
        drop(self.stop.take());
        soon("the end of the gateway", &mut self.serving).await.unwrap().unwrap();
    }

    /// A request with the gateway's token.
    pub(crate) fn request(&self, path: &str) -> http::request::Builder {
        let token = format!("Bearer {}", self.gateway.token().unwrap_or_default());
        Request::get(path).header(AUTHORIZATION, token)
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(self.request(path).body(String::new()).unwrap()).await
    }

    /// Sends a request as it is; `Host` is the address if it has none.
    pub(crate) async fn send(&self, request: Request<String>) -> Answer {
        let (head, body) = self.open(request).await.into_parts();
        let body = soon("the end of the response", body.collect()).await.unwrap().to_bytes();
        Answer { status: head.status, headers: head.headers, body }
    }

    pub(crate) async fn open(&self, request: Request<String>) -> http::Response<Incoming> {
        let stream = TcpStream::connect(self.address).await.unwrap();
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let mut request = request.map(|body| Full::new(Bytes::from(body)));
        let host = HeaderValue::from_str(&self.address.to_string()).unwrap();
        request.headers_mut().entry(HOST).or_insert(host);
        soon("the response", sender.send_request(request)).await.unwrap()
    }

    /// Sends bytes, and returns the first line of the response; empty if there is none.
    pub(crate) async fn raw(&self, bytes: &[u8]) -> String {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        // The gateway may answer before it has read everything.
        let _ = stream.write_all(bytes).await;
        let mut answer = Vec::new();
        let mut part = [0; 4096];
        while !answer.contains(&b'\n') {
            match soon("the answer", stream.read(&mut part)).await {
                Ok(0) | Err(_) => break,
                Ok(length) => answer.extend_from_slice(&part[..length]),
            }
        }
        String::from_utf8_lossy(&answer).lines().next().unwrap_or_default().to_owned()
    }

    /// A stream of server-sent events.
    pub(crate) async fn events(&self, path: &str) -> Events {
        self.events_after(path, None).await
    }

    /// A stream of a client that comes back.
    pub(crate) async fn events_after(&self, path: &str, last_id: Option<&str>) -> Events {
        let mut request = self.request(path);
        if let Some(id) = last_id {
            request = request.header("last-event-id", id);
        }
        let response = self.open(request.body(String::new()).unwrap()).await;
        Events::of(response)
    }

    /// A figure of `/metrics`.
    pub(crate) async fn metric(&self, name: &str) -> u64 {
        let text = self.get("/metrics").await.text();
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("{name} is not in {text}")).parse().unwrap()
    }

    /// Creates an object, of any kind, as the admin.
    pub(crate) async fn create(&self, path: &str, object: Value) -> Value {
        self.write(Method::POST, path, object).await
    }

    pub(crate) async fn write(&self, method: Method, path: &str, object: Value) -> Value {
        let content_type = match method {
            Method::PATCH => "application/merge-patch+json",
            _ => "application/json",
        };
        let request = self.admin.request(method).absolute_path(path).body(content_type, object.to_string());
        serde_json::from_slice(request.send().await.unwrap().bytes()).unwrap()
    }

    pub(crate) async fn delete(&self, path: &str) {
        self.admin.request(Method::DELETE).absolute_path(path).send().await.unwrap();
    }

    /// Creates a config map in the namespace `default`.
    pub(crate) async fn config_map(&self, name: &str, labels: Value) -> Value {
        self.create(MAPS, json!({ "metadata": { "name": name, "labels": labels }, "data": { "a": "b" } }))
            .await
    }

    /// Allows a user to do something.
    pub(crate) async fn allow(&self, user: &str, namespace: Option<&str>, resources: &[&str]) {
        let rules = json!([{ "apiGroups": [""], "resources": resources, "verbs": ["get", "list", "watch"] }]);
        let subjects = json!([{ "kind": "User", "name": user, "apiGroup": "rbac.authorization.k8s.io" }]);
        let (root, role) = match namespace {
            Some(namespace) => (format!("{RBAC}/namespaces/{namespace}"), "Role"),
            None => (RBAC.to_owned(), "ClusterRole"),
        };
        let plural = role.to_lowercase();
        self.create(&format!("{root}/{plural}s"), json!({ "metadata": { "name": user }, "rules": rules }))
            .await;
        let role = json!({ "kind": role, "name": user, "apiGroup": "rbac.authorization.k8s.io" });
        let binding = json!({ "metadata": { "name": user }, "roleRef": role, "subjects": subjects });
        self.create(&format!("{root}/{plural}bindings"), binding).await;
    }

    /// Defines gadgets, and waits until they are served.
    pub(crate) async fn define_gadgets(&self) {
        let columns = json!([{ "name": "Size", "type": "integer", "jsonPath": ".spec.size" }]);
        let schema = json!({ "type": "object", "x-kubernetes-preserve-unknown-fields": true });
        let version = json!({
            "name": "v1",
            "served": true,
            "storage": true,
            "schema": { "openAPIV3Schema": schema },
            "additionalPrinterColumns": columns,
        });
        let names = json!({ "plural": "gadgets", "singular": "gadget", "kind": "Gadget" });
        let definition = json!({
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": { "name": "gadgets.shop.example" },
            "spec": { "group": "shop.example", "scope": "Namespaced", "names": names, "versions": [version] },
        });
        self.create(DEFINITIONS, definition).await;
        soon("gadgets", async {
            let list = || self.admin.request(Method::GET).absolute_path(GADGETS).send();
            while list().await.is_err() {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }
}

pub(crate) const MAPS: &str = "/api/v1/namespaces/default/configmaps";
pub(crate) const GADGETS: &str = "/apis/shop.example/v1/namespaces/default/gadgets";
pub(crate) const DEFINITIONS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const RBAC: &str = "/apis/rbac.authorization.k8s.io/v1";

impl Drop for Stage {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// A stream of server-sent events.
pub(crate) struct Events {
    body: Incoming,
    arrived: String,
    pub(crate) last_id: String,
}

impl Events {
    pub(crate) fn of(response: http::Response<Incoming>) -> Self {
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Events { body: response.into_body(), arrived: String::new(), last_id: String::new() }
    }

    /// The next event: its name and its data; `None` at the end.
    pub(crate) async fn next(&mut self) -> Option<(String, Value)> {
        loop {
            while let Some(end) = self.arrived.find("\n\n") {
                let event: String = self.arrived.drain(..end + 2).collect();
                let fields: BTreeMap<&str, &str> =
                    event.lines().filter_map(|line| line.split_once(": ")).collect();
                if let Some(id) = fields.get("id") {
                    self.last_id = (*id).to_owned();
                }
                if let (Some(name), Some(data)) = (fields.get("event"), fields.get("data")) {
                    return Some(((*name).to_owned(), serde_json::from_str(data).unwrap()));
                }
            }
            let frame = soon("an event", self.body.frame()).await?.ok()?;
            self.arrived.push_str(std::str::from_utf8(&frame.into_data().unwrap()).unwrap());
        }
    }

    /// The next event in words, such as `added web`.
    pub(crate) async fn words(&mut self) -> String {
        match self.next().await {
            Some((name, data)) if name == "change" => {
                let name = &data["row"]["metadata"]["name"];
                format!("{} {}", data["type"].as_str().unwrap(), name.as_str().unwrap())
            }
            Some((name, _)) => name,
            None => "end".to_owned(),
        }
    }
}
