//! [`Kubelet`], a node whose kubelet is in the test: an API server asks it for commands and ports.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::header::{
    CONNECTION, HeaderName, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL,
    UPGRADE,
};
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use klient_streams::remote_command::{Protocol, Streams, Subprotocol, Version};
use klient_streams::websocket::accept_key;
use klient_streams::{port_forward, remote_command};
use tokio::net::TcpListener;
use tokio::task::AbortHandle;

use super::streams::{forward, run};
use crate::front::self_signed;

const STREAM_PROTOCOL: HeaderName = HeaderName::from_static("x-stream-protocol-version");

/// A kubelet, which is gone when dropped.
pub(super) struct Kubelet {
    pub(super) address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
    accepting: AbortHandle,
}

impl Drop for Kubelet {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Kubelet {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::<Mutex<Vec<String>>>::default();
        let seen = requests.clone();
        let (tls, _) = self_signed("http/1.1");
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (tls, seen) = (tls.clone(), seen.clone());
                tokio::spawn(async move {
                    let Ok(stream) = tls.accept(stream).await else { return };
                    let service = service_fn(move |request: Request<Incoming>| {
                        seen.lock().unwrap().push(line(&request));
                        std::future::ready(Ok::<_, Infallible>(answer(request)))
                    });
                    let serving = hyper::server::conn::http1::Builder::new();
                    let _ = serving.serve_connection(TokioIo::new(stream), service).with_upgrades().await;
                });
            }
        });
        Kubelet { address, requests, accepting: accepting.abort_handle() }
    }

    /// The requests since the last call: method, path, query and protocol.
    pub(super) fn requests(&self) -> Vec<String> {
        std::mem::take(&mut self.requests.lock().unwrap())
    }
}

fn line(request: &Request<Incoming>) -> String {
    let protocol = match header(request.headers(), UPGRADE) {
        "websocket" => header(request.headers(), SEC_WEBSOCKET_PROTOCOL),
        spdy => spdy,
    };
    format!("{} {} {protocol}", request.method(), request.uri())
}

fn header(headers: &HeaderMap, name: HeaderName) -> &str {
    headers.get(name).map_or("", |value| value.to_str().unwrap())
}

/// Answers as a kubelet: a container with the name `gone` does not run.
fn answer(mut request: Request<Incoming>) -> Response<Full<Bytes>> {
    let path = request.uri().path().to_owned();
    let path: Vec<&str> = path.split('/').skip(1).collect();
    let query = request.uri().query().unwrap_or_default().to_owned();
    let is_port = path[0] == "portForward";
    if path.get(3) == Some(&"gone") {
        let mut refusal = Response::new(Full::from("container not found (\"gone\")"));
        *refusal.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        return refusal;
    }
    let headers = request.headers().clone();
    let is_websocket = header(&headers, UPGRADE) == "websocket";
    let offered = header(&headers, if is_websocket { SEC_WEBSOCKET_PROTOCOL } else { STREAM_PROTOCOL });
    let chosen = offered.split(", ").next().unwrap_or_default().to_owned();
    let mut response = Response::new(Full::default());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    let (name, protocol) = match is_websocket {
        true => (SEC_WEBSOCKET_PROTOCOL, "websocket"),
        false => (STREAM_PROTOCOL, "SPDY/3.1"),
    };
    response.headers_mut().insert(UPGRADE, HeaderValue::from_static(protocol));
    response.headers_mut().insert(name, chosen.parse().unwrap());
    if is_websocket {
        let accept = accept_key(header(&headers, SEC_WEBSOCKET_KEY));
        response.headers_mut().insert(SEC_WEBSOCKET_ACCEPT, accept.parse().unwrap());
    }
    let upgrade = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        let connection = TokioIo::new(upgrade.await.unwrap());
        // A client may go at any time.
        let _ = if is_port {
            let transport = match is_websocket {
                true => port_forward::Transport::WebSocket,
                false => port_forward::Transport::Spdy,
            };
            port_forward::serve(connection, transport, forward).await
        } else {
            let version = Version::parse(&chosen).unwrap();
            let protocol = match is_websocket {
                true => Protocol::WebSocket(Subprotocol { version, base64: false }),
                false => Protocol::Spdy(version),
            };
            let args = args(&query);
            remote_command::serve(connection, protocol, streams(&query), |stdio| run(args, stdio))
                .await
                .map(drop)
        };
    });
    response
}

fn parameters(query: &str) -> impl Iterator<Item = (&str, &str)> {
    query.split('&').filter_map(|parameter| parameter.split_once('='))
}

fn args(query: &str) -> Vec<String> {
    parameters(query).filter(|(key, _)| *key == "command").map(|(_, value)| value.to_owned()).collect()
}

/// The streams of a kubelet's parameters.
fn streams(query: &str) -> Streams {
    let is_set = |name: &str| parameters(query).any(|(key, value)| key == name && value == "1");
    let tty = is_set("tty");
    Streams { stdin: is_set("input"), stdout: is_set("output"), stderr: is_set("error") && !tty, tty }
}
