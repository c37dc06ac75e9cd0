//! The answer of a built-in container at its declared ports: a line of text over HTTP.

use std::convert::Infallible;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use klient_streams::port_forward::Forwarded;

use crate::containers::PodPort;

/// Serves the requests of a connection. A client may end its direction before it has the answer. One that breaks off, or
/// speaks no HTTP, is no error of the forwarding, which ends at clients in Go with its first error.
pub(super) async fn serve(port: PodPort, connection: Forwarded) {
    let service = service_fn(|request: Request<Incoming>| {
        let response = answer(&port, &request);
        async { Ok::<_, Infallible>(response) }
    });
    let mut builder = http1::Builder::new();
    builder.half_close(true);
    if let Err(error) = builder.serve_connection(TokioIo::new(connection), service).await {
        tracing::debug!(%error, "a connection to a port of a pod broke");
    }
}

/// `Hello from shop/web, port 80: GET /`
fn answer(port: &PodPort, request: &Request<Incoming>) -> Response<Full<Bytes>> {
    let PodPort { namespace, pod, port } = port;
    let (method, uri) = (request.method(), request.uri());
    let line = format!("Hello from {namespace}/{pod}, port {port}: {method} {uri}\n");
    let mut response = Response::new(Full::new(line.into()));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}
