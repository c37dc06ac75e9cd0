//! Requests that switch their connection to another protocol, for the tests.

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use klient_apiserver::Server;
use klient_streams::port_forward::{PROTOCOL, PortForward, TUNNEL_PROTOCOL, Transport};
use klient_streams::remote_command::{Process, Protocol, Streams};
use klient_streams::websocket::new_key;
use tokio::net::TcpStream;

use crate::answer::Answer;
use crate::client::{self, handshake, soon, tls};

/// Opens a connection, and sends a request that switches it.
///
/// # Errors
///
/// The answer, if it is a refusal.
pub(crate) async fn upgrade(
    server: &Server,
    token: &str,
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
) -> Result<TokioIo<Upgraded>, Answer> {
    let tls = tls(server, client::Protocol::Http1, None);
    let stream = TcpStream::connect(server.address()).await.expect("the server listens");
    let stream = handshake(&tls, stream).await;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.expect("HTTP/1.1 begins");
    tokio::spawn(connection.with_upgrades());
    let mut request = Request::builder().method(method).uri(path);
    request = request.header("host", server.address().to_string());
    request = request.header("authorization", format!("Bearer {token}")).header("connection", "Upgrade");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Full::new(Bytes::new())).expect("the parts of a request are valid");
    let response = soon("the answer", sender.send_request(request)).await;
    let response: Response<Incoming> = response.expect("the server answers");
    if response.status() != StatusCode::SWITCHING_PROTOCOLS {
        return Err(Answer::read(response).await);
    }
    Ok(TokioIo::new(hyper::upgrade::on(response).await.expect("the connection is switched")))
}

pub(crate) fn websocket<'a>(key: &'a str, subprotocol: &'a str) -> [(&'a str, &'a str); 4] {
    [
        ("upgrade", "websocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", key),
        ("sec-websocket-protocol", subprotocol),
    ]
}

/// Starts a command, or attaches to one, by a user with a token.
pub(crate) async fn process_as(
    server: &Server,
    token: &str,
    path: &str,
    protocol: Protocol,
    streams: Streams,
) -> Result<Process, Answer> {
    let connection = match protocol {
        Protocol::Spdy(version) => {
            let headers = [("upgrade", "SPDY/3.1"), ("x-stream-protocol-version", version.as_str())];
            upgrade(server, token, Method::POST, path, &headers).await?
        }
        Protocol::WebSocket(subprotocol) => {
            let (key, name) = (new_key(), subprotocol.to_string());
            upgrade(server, token, Method::GET, path, &websocket(&key, &name)).await?
        }
    };
    Ok(Process::start(connection, protocol, streams).await.expect("the streams are opened"))
}

/// Starts a command, or attaches to one, as a superuser.
pub(crate) async fn process(
    server: &Server,
    path: &str,
    protocol: Protocol,
    streams: Streams,
) -> Result<Process, Answer> {
    process_as(server, server.admin_token(), path, protocol, streams).await
}

/// Begins port forwarding to a pod.
pub(crate) async fn port_forward(
    server: &Server,
    pod: &str,
    transport: Transport,
) -> Result<PortForward, Answer> {
    let (path, token) = (format!("{pod}/portforward"), server.admin_token());
    let connection = match transport {
        Transport::Spdy => {
            let headers = [("upgrade", "SPDY/3.1"), ("x-stream-protocol-version", PROTOCOL)];
            upgrade(server, token, Method::POST, &path, &headers).await?
        }
        Transport::WebSocket => {
            let key = new_key();
            upgrade(server, token, Method::GET, &path, &websocket(&key, TUNNEL_PROTOCOL)).await?
        }
    };
    Ok(PortForward::start(connection, transport))
}
