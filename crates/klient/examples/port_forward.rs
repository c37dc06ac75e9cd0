//! Sends HTTP requests to a service with `hyper`, through the API server and without a local port; then forwards a local
//! port to it.

#![allow(clippy::print_stdout)]

mod containers;

use http_body_util::{BodyExt as _, Empty};
use hyper_util::rt::TokioIo;
use klient::api::core::v1::{Pod, Service};
use klient::apiserver::Containers;
use klient::http::Request;
use klient::{
    DeleteOptions, LocalAddress, PortForwardEvent, PortForwardOptions, PortForwarder, PortMapping, json,
};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (client, server) = containers::connect(stand_in()).await?;
    containers::create_pod(&client, server.as_ref()).await?;
    let services = client.api::<Service>().namespace("default");
    let service = json!({
        "metadata": {"name": "klient-web"},
        "spec": {"selector": {"app": "klient-web"}, "ports": [{"name": "web", "port": 8080, "targetPort": "http"}]}
    });
    services.create(&klient::serde_json::from_value(service)?).await?;

    // When the pod goes, the next connection is one to another pod.
    let options = PortForwardOptions { reconnect: true, ..Default::default() };
    let forwarder = services.port_forward("klient-web", &options).await?;
    println!("to pod {}: {}", forwarder.pod().await, get(forwarder.connect("web").await?).await?);

    let mapping: PortMapping = ":8080".parse()?;
    through_local_port(&forwarder, mapping).await?;
    services.delete("klient-web", &DeleteOptions::default()).await?;
    client.api::<Pod>().namespace("default").delete("klient-web", &DeleteOptions::default()).await?;
    Ok(())
}

/// Forwards a local port while one request is sent to it.
async fn through_local_port(
    forwarder: &PortForwarder,
    mapping: PortMapping,
) -> Result<(), Box<dyn std::error::Error>> {
    let listeners = forwarder.listen(&[LocalAddress::Localhost], &[mapping]).await?;
    let address = listeners.ports().next().ok_or("one is listened on")?.local;
    println!("forwarding from {address}");
    let forwarding = listeners.run(|event| match event {
        PortForwardEvent::Accepted(port) => println!("handling a connection for {}", port.local.port()),
        PortForwardEvent::Failed(port, error) => println!("{}: {error}", port.local.port()),
        _ => {}
    });
    tokio::select! {
        ended = forwarding => Ok(ended?),
        got = async { get(TcpStream::connect(address).await?).await } => {
            println!("{}", got?);
            Ok(())
        }
    }
}

/// The body of a response on a connection.
async fn get<C>(connection: C) -> Result<String, Box<dyn std::error::Error>>
where
    C: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let (mut sender, driver) = hyper::client::conn::http1::handshake(TokioIo::new(connection)).await?;
    let request = Request::get("/").header("host", "klient-web").body(Empty::<&[u8]>::new())?;
    let exchange = async {
        let response = sender.send_request(request).await?;
        response.into_body().collect().await
    };
    // The driver ends with the connection.
    let (body, _) = tokio::join!(exchange, driver);
    let body = body?.to_bytes();
    Ok(String::from_utf8_lossy(&body).lines().next().unwrap_or_default().to_owned())
}

/// The web server in the embedded server's container.
fn stand_in() -> Containers {
    Containers::default().port_forward(|_, mut connection| async move {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(connection.read_u8().await?);
        }
        let response = b"HTTP/1.1 200 OK\r\ncontent-length: 8\r\nconnection: close\r\n\r\nwelcome\n";
        Ok(connection.write_all(response).await?)
    })
}

#[test]
fn runs() -> Result<(), Box<dyn std::error::Error>> {
    main()
}
