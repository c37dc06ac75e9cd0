//! The gateway within an application of axum: its page beside the routes of the application, its tables below one of them, and
//! the end of both.

#![allow(clippy::print_stdout)]

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, Request};
use axum::routing::get;
use axum::{Router, middleware};
use http_body_util::{BodyExt as _, Empty};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use klient::gateway::{Gateway, Options, PeerAddress};
use klient::http::{self, Response};
use klient::{TestClient as _, TestServer};
use tokio::net::{TcpListener, TcpStream};

async fn serve(
    gateway: Gateway,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), std::io::Error> {
    let router = Router::new()
        .route("/hello", get(async || "hello"))
        // Its routes below a path, for programs: /cluster/v1/table/core/v1/pods.
        .nest_service("/cluster", gateway.clone())
        // The page, whose links begin at the root, and the same routes there.
        .fallback_service(gateway.clone())
        .layer(middleware::map_request(with_peer));
    let ended = async move {
        shutdown.await;
        // Streams of changes have no end of their own, for which the server would wait.
        gateway.shut_down();
    };
    let router = router.into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, router).with_graceful_shutdown(ended).await
}

/// Tells the gateway the address of a client, by which it counts the streams of each.
async fn with_peer(ConnectInfo(peer): ConnectInfo<SocketAddr>, mut request: Request) -> Request {
    request.extensions_mut().insert(PeerAddress(peer.ip()));
    request
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let cluster = TestServer::start().await?;
    // A name by which browsers reach the application belongs into `hosts`.
    let gateway = Gateway::new(cluster.client(), Options::default())?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?.to_string();
    println!("The page is at http://{address}{}", gateway.page());
    let token = gateway.token().unwrap_or_default().to_owned();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let serving = tokio::spawn(serve(gateway, listener, async move { drop(stopped.await) }));

    for path in ["/hello", "/", "/v1/namespaces", "/cluster/v1/namespaces", "/cluster/api/v1/namespaces"] {
        let response = request(&address, &token, path).await?;
        let (status, body) = (response.status(), response.into_body().collect().await?.to_bytes());
        println!("{path}: {status}, {} bytes", body.len());
        assert_eq!(status, 200, "{path}");
    }
    let changes = request(&address, &token, "/cluster/v1/changes/core/v1/namespaces").await?;
    drop(stop);
    let events = changes.into_body().collect().await?.to_bytes();
    println!("The stream has ended after {} bytes", events.len());
    serving.await??;
    Ok(())
}

async fn request(
    address: &str,
    token: &str,
    path: &str,
) -> Result<Response<Incoming>, Box<dyn std::error::Error>> {
    let stream = TcpStream::connect(address).await?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let request = http::Request::get(path).header("host", address);
    let request = request.header("authorization", format!("Bearer {token}")).body(Empty::<&[u8]>::new())?;
    Ok(sender.send_request(request).await?)
}

#[test]
fn runs() -> Result<(), Box<dyn std::error::Error>> {
    main()
}
