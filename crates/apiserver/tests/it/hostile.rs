//! Clients that are broken or mean: each is refused, and the server goes on serving the others.

mod applies;
mod body;
mod effort;
mod long;
mod path;
mod rules;
mod slow;
mod wire;

use std::time::Duration;

use klient_apiserver::{Options, Server};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use crate::client::{Client, Protocol, handshake, soon, tls};

/// A server that waits for its clients only a moment.
async fn impatient() -> Server {
    let options = Options { client_timeout: Duration::from_millis(500), ..Options::default() };
    Server::start(options).await.expect("a server starts")
}

/// A connection on which anything can be said.
async fn raw(server: &Server, protocol: Protocol) -> TlsStream<TcpStream> {
    let stream = TcpStream::connect(server.address()).await.expect("the server listens");
    soon("a TLS handshake", handshake(&tls(server, protocol, None), stream)).await
}

/// The bytes the server sends before it closes a connection.
async fn last_words(stream: &mut TlsStream<TcpStream>) -> String {
    let mut said = Vec::new();
    // A connection that is reset is closed too.
    let _ = soon("the end of a connection", stream.read_to_end(&mut said)).await;
    String::from_utf8_lossy(&said).into_owned()
}

/// Says something and gives what the server says before it closes the connection.
async fn say(server: &Server, protocol: Protocol, words: &[u8]) -> String {
    let mut stream = raw(server, protocol).await;
    // The server may close the connection before all is said.
    let _ = stream.write_all(words).await;
    let _ = stream.flush().await;
    last_words(&mut stream).await
}

async fn still_serves(server: &Server) {
    Client::admin(server).await.get("/api/v1/namespaces/default").await.expect(200);
}
