//! [`Origin`], a server that the test plays: it records requests and gives one answer.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use klient_client::{Client, Config};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// A server that reads requests without bodies, and answers each in the same way.
pub(crate) struct Origin {
    pub(crate) address: SocketAddr,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Origin {
    /// A server that answers, and sends back what it gets once it has switched protocols.
    pub(crate) async fn answering(answer: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let heads = Arc::<Mutex<Vec<String>>>::default();
        let seen = heads.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(play(stream, answer, seen.clone()));
            }
        });
        Origin { address, heads }
    }

    /// A client whose server has a path.
    pub(crate) fn client(&self, path: &str) -> Client {
        let url = format!("http://{}{path}", self.address);
        Client::new(Config::from_url(&url).unwrap()).unwrap()
    }

    /// The heads of requests, in lower case.
    pub(crate) fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }
}

async fn play(mut stream: TcpStream, answer: &str, heads: Arc<Mutex<Vec<String>>>) {
    loop {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let Ok(byte) = stream.read_u8().await else { return };
            head.push(byte);
        }
        heads.lock().unwrap().push(String::from_utf8(head).unwrap().to_ascii_lowercase());
        stream.write_all(answer.as_bytes()).await.unwrap();
        if answer.starts_with("HTTP/1.1 101 ") {
            break;
        }
    }
    let (mut read, mut write) = stream.split();
    let _ = tokio::io::copy(&mut read, &mut write).await;
}

/// Sends bytes to an address, and returns a connection on which the head of the answer has been read, and that head.
pub(crate) async fn sent(address: SocketAddr, request: &str) -> (TcpStream, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    (stream, String::from_utf8(head).unwrap().to_ascii_lowercase())
}
