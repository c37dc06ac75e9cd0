//! [`RecordingFront`], a proxy in front of a server that notes the requests of a program.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use klient_apimachinery::codec::protobuf::Envelope;
use klient_apimachinery::codec::{ManagedFields, json, protobuf};
use klient_apimachinery::message::Dynamic;
use klient_apimachinery::values;
use klient_client::Client;
use klient_proxy::{ReverseProxy, ReverseProxyOptions};
use regex::Regex;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tower_service::Service as _;

/// Passes requests on to a server as the user of a client, over plain HTTP, and notes those that are not discovery.
pub(crate) struct RecordingFront {
    pub(crate) url: String,
    requests: Arc<Mutex<Vec<String>>>,
    accepting: JoinHandle<()>,
}

impl RecordingFront {
    pub(crate) async fn of(client: Client) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::<Mutex<Vec<String>>>::default();
        let noted = requests.clone();
        let proxy = ReverseProxy::new(client, ReverseProxyOptions::default());
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (noted, proxy) = (noted.clone(), proxy.clone());
                let service = service_fn(move |request: Request<Incoming>| {
                    let (noted, mut proxy) = (noted.clone(), proxy.clone());
                    async move {
                        let (head, body) = request.into_parts();
                        let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
                        if let Some(line) = line(&head, &body) {
                            noted.lock().unwrap().push(line);
                        }
                        let answer = proxy.call(Request::from_parts(head, Full::new(body))).await;
                        Ok::<_, Infallible>(answer.unwrap_or_else(|never| match never {}))
                    }
                });
                let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
                // A client may break off.
                tokio::spawn(async move { drop(connection.with_upgrades().await) });
            }
        });
        RecordingFront { url, requests, accepting }
    }

    /// The requests since the last call, in order. Those by which a program waits for a pod are one.
    pub(crate) fn take_requests(&self) -> Vec<String> {
        let mut requests = std::mem::take(&mut *self.requests.lock().unwrap());
        requests.dedup_by(|next, last| next == last && next.starts_with("wait for "));
        requests
    }
}

impl Drop for RecordingFront {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// The line of a request: its method, path and parameters, and its body with sorted fields. `None` for discovery.
fn line(head: &http::request::Parts, body: &Bytes) -> Option<String> {
    let path = head.uri.path();
    let is_of_group = path.starts_with("/apis") && path.split('/').count() <= 4;
    if is_of_group || matches!(path, "/api" | "/api/v1" | "/version") || path.starts_with("/openapi") {
        return None;
    }
    let mut parameters: Vec<&str> = head.uri.query().unwrap_or_default().split('&').collect();
    parameters.sort_unstable();
    let waited =
        parameters.iter().find_map(|parameter| parameter.strip_prefix("fieldSelector=metadata.name%3D"));
    if let Some(name) = waited.filter(|_| path.ends_with("/pods")) {
        return Some(format!("wait for pod {name}"));
    }
    let since = Regex::new("sinceTime=.*").unwrap();
    let parameters: Vec<_> =
        parameters.into_iter().map(|parameter| since.replace(parameter, "sinceTime=TIME")).collect();
    let query = parameters.join("&");
    let mut line = format!("{} {path}{}{query}", head.method, if query.is_empty() { "" } else { "?" });
    if !body.is_empty() {
        let content_type = head.headers.get("content-type").and_then(|value| value.to_str().ok());
        let body = match content_type {
            Some("application/vnd.kubernetes.protobuf") => of_protobuf(body),
            _ => serde_json::from_slice(body).unwrap(),
        };
        // Clients choose the encoding of an object.
        let patch = content_type.filter(|content_type| content_type.contains("patch"));
        line += &format!(
            "{}{}\n  {}",
            if patch.is_some() { " " } else { "" },
            patch.unwrap_or_default(),
            sorted(body)
        );
    }
    Some(line)
}

/// Decodes an object, in the form that Go writes in JSON.
fn of_protobuf(body: &[u8]) -> Value {
    let envelope = Envelope::parse(body).unwrap();
    let (group, version) = envelope.api_version.split_once('/').unwrap_or(("", envelope.api_version));
    let schema = klient_schema::kind(group, version, envelope.kind).unwrap();
    let mut message = Dynamic::new(schema);
    protobuf::decode(envelope.raw, &mut message, ManagedFields::Keep).unwrap();
    let mut text = Vec::new();
    json::encode(&message, &mut text);
    let mut fields = values::decode(serde_json::from_slice(&text).unwrap(), schema).unwrap().object;
    fields.insert("apiVersion".to_owned(), envelope.api_version.into());
    fields.insert("kind".to_owned(), envelope.kind.into());
    Value::Object(fields)
}

/// Sorts the fields, and leaves out the time that older versions of Go's structs write as null.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let mut fields: Vec<(String, Value)> = fields.into_iter().collect();
            fields.retain(|(name, value)| name != "creationTimestamp" || !value.is_null());
            fields.sort_by(|(left, _), (right, _)| left.cmp(right));
            fields.into_iter().map(|(name, value)| (name, sorted(value))).collect()
        }
        Value::Array(items) => items.into_iter().map(sorted).collect(),
        value => value,
    }
}
